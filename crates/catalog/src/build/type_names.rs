//! Types of statements: PostgreSQL's names to [`Type`]s.

use std::sync::Arc;

use sql::ast::{ObjectName, TypeName};
use types::{Code, Error, Modifier, Name, Result, Type};

use super::resolve::{Names, written};

/// A type as a column has it.
#[derive(Clone, Debug)]
pub(crate) struct Resolved {
    /// The type; of a domain, its base type.
    pub(crate) ty: Type,
    /// Length, precision or fraction.
    pub(crate) modifier: Option<Modifier>,
    /// The domain.
    pub(crate) domain: Option<Name>,
    /// Whether the column counts by itself (`serial`).
    pub(crate) is_serial: bool,
}

impl Resolved {
    fn plain(ty: Type) -> Resolved {
        Resolved { ty, modifier: None, domain: None, is_serial: false }
    }
}

/// PostgreSQL's own types, by their names in the system catalog.
fn builtin(name: &str) -> Option<Type> {
    let range = |subtype| Type::Range(Arc::new(subtype));
    Some(match name {
        "bool" | "boolean" => Type::Bool,
        "int2" | "smallint" => Type::Int2,
        "int4" | "int" | "integer" => Type::Int4,
        "int8" | "bigint" => Type::Int8,
        "float4" | "real" => Type::Float4,
        "float8" => Type::Float8,
        "numeric" | "decimal" => Type::Numeric,
        "text" => Type::Text,
        "varchar" => Type::Varchar,
        "bpchar" | "character" => Type::Bpchar,
        "uuid" => Type::Uuid,
        "bytea" => Type::Bytea,
        "json" => Type::Json,
        "jsonb" => Type::Jsonb,
        "date" => Type::Date,
        "time" => Type::Time,
        "timetz" => Type::Timetz,
        "timestamp" => Type::Timestamp,
        "timestamptz" => Type::Timestamptz,
        "interval" => Type::Interval,
        "inet" => Type::Inet,
        "bit" => Type::Bit,
        "varbit" => Type::Varbit,
        "cidr" => Type::Cidr,
        "tsvector" => Type::Tsvector,
        "tsquery" => Type::Tsquery,
        "jsonpath" => Type::Jsonpath,
        "int4range" => range(Type::Int4),
        "int8range" => range(Type::Int8),
        "numrange" => range(Type::Numeric),
        "daterange" => range(Type::Date),
        "tsrange" => range(Type::Timestamp),
        "tstzrange" => range(Type::Timestamptz),
        "void" => Type::Void,
        "unknown" => Type::Unknown,
        _ => return None,
    })
}

/// Types of PostgreSQL whose values only pass through.
const OPAQUE: &[&str] = &[
    "money",
    "xml",
    "point",
    "line",
    "lseg",
    "box",
    "path",
    "polygon",
    "circle",
    "macaddr",
    "macaddr8",
    "oid",
    "regclass",
    "regproc",
    "regprocedure",
    "regtype",
    "regrole",
    "regnamespace",
    "regconfig",
    "regdictionary",
    "regoper",
    "name",
    "char",
    "pg_lsn",
    "tid",
    "xid",
    "cid",
    "xid8",
    "jsonpath",
    "int4multirange",
    "int8multirange",
    "nummultirange",
    "datemultirange",
    "tsmultirange",
    "tstzmultirange",
    "txid_snapshot",
    "pg_snapshot",
    "record",
    "trigger",
    "event_trigger",
    "cstring",
    "internal",
    "language_handler",
    "any",
    "anyelement",
    "anyarray",
    "anynonarray",
    "anyenum",
    "anyrange",
    "anycompatible",
    "anycompatiblearray",
    "refcursor",
];

/// Types of extensions whose values only pass through, with the extension.
const EXTENSION_TYPES: &[(&str, &str)] = &[
    ("halfvec", "vector"),
    ("sparsevec", "vector"),
    ("geometry", "postgis"),
    ("geography", "postgis"),
    ("box2d", "postgis"),
    ("box3d", "postgis"),
    ("raster", "postgis_raster"),
    ("hstore", "hstore"),
    ("ltree", "ltree"),
    ("lquery", "ltree"),
    ("ltxtquery", "ltree"),
    ("cube", "cube"),
    ("isbn", "isn"),
    ("isbn13", "isn"),
    ("ean13", "isn"),
    ("issn", "isn"),
    ("semver", "semver"),
    ("http_request", "http"),
    ("http_response", "http"),
    ("http_header", "http"),
];

/// Serial types and the integers behind them.
fn serial(name: &str) -> Option<Type> {
    match name {
        "serial" | "serial4" => Some(Type::Int4),
        "bigserial" | "serial8" => Some(Type::Int8),
        "smallserial" | "serial2" => Some(Type::Int2),
        _ => None,
    }
}

impl crate::Catalog {
    /// The type that a name means, with its modifier and, for a domain, the domain whose base type it is.
    /// Unqualified names are looked for along the search path.
    ///
    /// # Errors
    /// `42704` when there is none, `22023` for a modifier out of range.
    pub fn find_type(
        &self,
        path: &[Arc<str>],
        name: &TypeName,
    ) -> Result<(Type, Option<Modifier>, Option<Name>)> {
        let found = Names { catalog: self, path }.ty(name)?;
        Ok((found.ty, found.modifier, found.domain))
    }
}

impl Names<'_> {
    /// The type that a name means.
    ///
    /// # Errors
    /// `42704` when there is none, `22023` for a modifier out of range.
    pub(crate) fn ty(&self, name: &TypeName) -> Result<Resolved> {
        if let Some(column) = &name.of_column {
            return self.type_of_column(name, column);
        }
        let found = self.scalar(name)?;
        match (name.array_dims, &found.domain) {
            (0, _) => Ok(found),
            (_, None) => Ok(Resolved { ty: found.ty.array(), ..found }),
            (_, Some(domain)) => Err(Error::missing(format!("an array of domain {domain}"))),
        }
    }

    fn type_of_column(&self, name: &TypeName, column: &str) -> Result<Resolved> {
        let (_, table) = self.table(&name.name)?;
        let found = table.column(column).map(|(_, column)| column);
        let column = found.ok_or_else(|| super::unknown_column_of(table, column))?;
        Ok(Resolved {
            ty: column.ty.clone(),
            modifier: column.modifier,
            domain: column.domain.clone(),
            is_serial: false,
        })
    }

    fn scalar(&self, name: &TypeName) -> Result<Resolved> {
        let plain = name.name.name.as_str();
        let is_system = name.name.schema.as_deref().is_none_or(|schema| schema == "pg_catalog");
        if is_system && let Some(ty) = serial(plain) {
            return Ok(Resolved { is_serial: true, ..Resolved::plain(ty) });
        }
        if is_system && let Some(ty) = builtin(plain) {
            let modifier = modifier(&ty, &name.modifiers)?;
            return Ok(Resolved { modifier, ..Resolved::plain(ty) });
        }
        if is_system && OPAQUE.contains(&plain) {
            return Ok(Resolved::plain(Type::Opaque(Name::new("pg_catalog", plain))));
        }
        if let Some(found) = self.declared(name) {
            return Ok(found);
        }
        match self.of_extension(name) {
            Some(ty) => Ok(Resolved { modifier: modifier(&ty, &name.modifiers)?, ..Resolved::plain(ty) }),
            None => self.array(name).ok_or_else(|| no_type(name)),
        }
    }

    /// An array has the name of its elements behind an underscore.
    fn array(&self, name: &TypeName) -> Option<Resolved> {
        let element = name.name.name.strip_prefix('_').filter(|_| name.array_dims == 0)?;
        let element = ObjectName { name: element.to_owned(), ..name.name.clone() };
        let found = self.scalar(&TypeName { name: element, ..name.clone() }).ok()?;
        let is_plain = found.domain.is_none() && !found.is_serial && !matches!(found.ty, Type::Array(_));
        is_plain.then(|| Resolved { ty: found.ty.array(), ..found })
    }

    fn declared(&self, name: &TypeName) -> Option<Resolved> {
        if let Some(found) = self.user_type_name(&name.name) {
            if let Some(domain) = self.catalog.domains.get(&found) {
                return Some(Resolved {
                    ty: domain.ty.clone(),
                    modifier: domain.modifier,
                    domain: Some(found),
                    is_serial: false,
                });
            }
            return self.catalog.types.get(&found).cloned().map(Resolved::plain);
        }
        self.table_name(&name.name).map(|table| Resolved::plain(Type::Composite(table)))
    }

    fn of_extension(&self, name: &TypeName) -> Option<Type> {
        let plain = name.name.name.as_str();
        match plain {
            "citext" => return Some(Type::Citext),
            "vector" => return Some(Type::Vector),
            _ => {}
        }
        let known = EXTENSION_TYPES.iter().any(|(ty, _)| *ty == plain);
        let schema = name.name.schema.as_deref().unwrap_or("extensions");
        known.then(|| Type::Opaque(Name::new(schema, plain)))
    }
}

fn no_type(name: &TypeName) -> Error {
    let dims = "[]".repeat(usize::from(name.array_dims));
    Error::new(Code::UNDEFINED_OBJECT, format!("type \"{}{dims}\" does not exist", written(&name.name)))
}

/// What stands in parentheses behind a type's name.
fn modifier(ty: &Type, words: &[String]) -> Result<Option<Modifier>> {
    let numbers: Vec<i64> = words.iter().filter_map(|word| word.trim().parse().ok()).collect();
    match (ty, &numbers[..]) {
        (Type::Varchar, [length]) => self::length("varchar", *length, CHARACTERS_MAX).map(Some),
        (Type::Bpchar, [length]) => self::length("char", *length, CHARACTERS_MAX).map(Some),
        (Type::Bit, [length]) => self::length("bit", *length, BITS_MAX).map(Some),
        (Type::Varbit, [length]) => self::length("varbit", *length, BITS_MAX).map(Some),
        (Type::Vector, [dimensions]) => self::dimensions(*dimensions).map(Some),
        (Type::Numeric, [precision]) => precision_of(*precision, 0).map(Some),
        (Type::Numeric, [precision, scale]) => precision_of(*precision, *scale).map(Some),
        (Type::Time | Type::Timetz | Type::Timestamp | Type::Timestamptz | Type::Interval, [digits]) => {
            Ok(u8::try_from((*digits).clamp(0, 6)).ok().map(Modifier::Fraction))
        }
        _ => Ok(None),
    }
}

/// PostgreSQL's most characters of a type.
const CHARACTERS_MAX: u32 = 10_485_760;

/// And most bits.
const BITS_MAX: u32 = 83_886_080;

fn length(name: &str, length: i64, max: u32) -> Result<Modifier> {
    let invalid = |message: String| Error::new(Code::INVALID_PARAMETER, message);
    match u32::try_from(length) {
        Ok(0) | Err(_) if length < 1 => Err(invalid(format!("length for type {name} must be at least 1"))),
        Ok(length) if length <= max => Ok(Modifier::Length(length)),
        _ => Err(invalid(format!("length for type {name} cannot exceed {max}"))),
    }
}

fn dimensions(dimensions: i64) -> Result<Modifier> {
    let invalid = |message: &str| Error::new(Code::INVALID_PARAMETER, message);
    match u32::try_from(dimensions) {
        Err(_) | Ok(0) if dimensions < 1 => Err(invalid("dimensions for type vector must be at least 1")),
        Ok(dimensions) if dimensions <= 16_000 => Ok(Modifier::Length(dimensions)),
        _ => Err(invalid("dimensions for type vector cannot exceed 16000")),
    }
}

fn precision_of(precision: i64, scale: i64) -> Result<Modifier> {
    let invalid = |message: String| Error::new(Code::INVALID_PARAMETER, message);
    let digits = u16::try_from(precision).ok().filter(|digits| (1..=1000).contains(digits));
    let digits =
        digits.ok_or_else(|| invalid(format!("NUMERIC precision {precision} must be between 1 and 1000")))?;
    let fraction = i16::try_from(scale).ok().filter(|scale| (-1000..=1000).contains(scale));
    let fraction =
        fraction.ok_or_else(|| invalid(format!("NUMERIC scale {scale} must be between -1000 and 1000")))?;
    Ok(Modifier::Precision { precision: digits, scale: fraction })
}
