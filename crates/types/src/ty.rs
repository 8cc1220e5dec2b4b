//! The types of expressions and columns.
//!
//! A `Type` carries no modifier (`varchar(10)` is `Varchar`); a column's length, precision or scale
//! is its [`Modifier`], enforced when a value is stored or cast, as in PostgreSQL.

use std::sync::Arc;

use crate::Name;

/// The type of a value, as PostgreSQL resolves expressions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// `boolean`
    Bool,
    /// `smallint`
    Int2,
    /// `integer`
    Int4,
    /// `bigint`
    Int8,
    /// `real`
    Float4,
    /// `double precision`
    Float8,
    /// `numeric`
    Numeric,
    /// `text`
    Text,
    /// `character varying`
    Varchar,
    /// `character(n)`
    Bpchar,
    /// `citext`
    Citext,
    /// `uuid`
    Uuid,
    /// `bytea`
    Bytea,
    /// `json`: text kept as written
    Json,
    /// `jsonb`: normalized
    Jsonb,
    /// `jsonpath`
    Jsonpath,
    /// `date`
    Date,
    /// `time without time zone`
    Time,
    /// `time with time zone`
    Timetz,
    /// `timestamp without time zone`
    Timestamp,
    /// `timestamp with time zone`
    Timestamptz,
    /// `interval`
    Interval,
    /// `inet`
    Inet,
    /// `cidr`
    Cidr,
    /// `tsvector`
    Tsvector,
    /// `tsquery`
    Tsquery,
    /// `vector` of pgvector
    Vector,
    /// `bit(n)`
    Bit,
    /// `bit varying`
    Varbit,
    /// A range over a subtype (`int4range`, `int8range`, `numrange`, `daterange`, `tsrange`, `tstzrange`).
    Range(Arc<Type>),
    /// An enumerated type with its labels in order.
    Enum(Arc<EnumType>),
    /// A row of a table or a composite type.
    Composite(Name),
    /// An array; PostgreSQL does not fix the number of dimensions.
    Array(Arc<Type>),
    /// A type known by name only: its values pass through as text and nothing can be computed with them.
    Opaque(Name),
    /// The type of an untyped literal before resolution.
    Unknown,
    /// No value.
    Void,
}

/// An enumerated type.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct EnumType {
    /// Its name.
    pub name: Name,
    /// Its labels, in sort order.
    pub labels: Vec<Arc<str>>,
}

/// A field of a row type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: Arc<str>,
    /// Its type; of a domain, the base type.
    pub ty: Type,
    /// Length, precision or fraction.
    pub modifier: Option<Modifier>,
    /// The domain it was declared with.
    pub domain: Option<Name>,
    /// Of a row, or of rows in an array, the fields; none where nobody asked.
    pub fields: Arc<[Field]>,
}

impl Field {
    /// One of which only the type is known.
    pub fn of(name: Arc<str>, ty: Type) -> Field {
        Field { name, ty, modifier: None, domain: None, fields: Arc::default() }
    }
}

/// What a column's type adds to its [`Type`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Modifier {
    /// `varchar(n)`, `char(n)`: characters; `vector(n)`: dimensions.
    Length(u32),
    /// `numeric(precision, scale)`: digits.
    Precision {
        /// All digits.
        precision: u16,
        /// Digits after the point; may be negative.
        scale: i16,
    },
    /// `time(p)`, `timestamp(p)`: digits of the fraction of a second.
    Fraction(u8),
}

impl Type {
    /// An array of this type.
    pub fn array(self) -> Type {
        Type::Array(Arc::new(self))
    }

    /// Whether values are character strings of category `S` in PostgreSQL's type categories.
    pub fn is_string(&self) -> bool {
        matches!(self, Type::Text | Type::Varchar | Type::Bpchar | Type::Citext)
    }

    /// Whether values are numbers of category `N`.
    pub fn is_number(&self) -> bool {
        matches!(self, Type::Int2 | Type::Int4 | Type::Int8 | Type::Float4 | Type::Float8 | Type::Numeric)
    }
}

/// A type's name as PostgreSQL's `format_type` prints it.
pub fn format_type(ty: &Type, modifier: Option<Modifier>) -> String {
    let base = match ty {
        Type::Bool => "boolean",
        Type::Int2 => "smallint",
        Type::Int4 => "integer",
        Type::Int8 => "bigint",
        Type::Float4 => "real",
        Type::Float8 => "double precision",
        Type::Numeric => "numeric",
        Type::Text => "text",
        Type::Varchar => "character varying",
        Type::Bpchar => "character",
        Type::Citext => "citext",
        Type::Uuid => "uuid",
        Type::Bytea => "bytea",
        Type::Json => "json",
        Type::Jsonb => "jsonb",
        Type::Jsonpath => "jsonpath",
        Type::Date => "date",
        Type::Inet => "inet",
        Type::Cidr => "cidr",
        Type::Tsvector => "tsvector",
        Type::Tsquery => "tsquery",
        Type::Vector => "vector",
        Type::Bit => "bit",
        Type::Varbit => "bit varying",
        Type::Interval => "interval",
        Type::Unknown => "unknown",
        Type::Void => "void",
        Type::Time => return timed("time", modifier, "without"),
        Type::Timetz => return timed("time", modifier, "with"),
        Type::Timestamp => return timed("timestamp", modifier, "without"),
        Type::Timestamptz => return timed("timestamp", modifier, "with"),
        Type::Range(subtype) => range_name(subtype),
        Type::Array(element) => return format!("{}[]", format_type(element, modifier)),
        Type::Enum(declared) => return named(&declared.name),
        Type::Composite(name) | Type::Opaque(name) => return named(name),
    };
    match modifier {
        Some(Modifier::Length(length)) => format!("{base}({length})"),
        Some(Modifier::Precision { precision, scale }) => format!("{base}({precision},{scale})"),
        Some(Modifier::Fraction(digits)) => format!("{base}({digits})"),
        None => base.to_owned(),
    }
}

fn timed(base: &str, modifier: Option<Modifier>, zone: &str) -> String {
    match modifier {
        Some(Modifier::Fraction(digits)) => format!("{base}({digits}) {zone} time zone"),
        _ => format!("{base} {zone} time zone"),
    }
}

/// The range type over a subtype.
pub fn range_name(subtype: &Type) -> &'static str {
    match subtype {
        Type::Int4 => "int4range",
        Type::Int8 => "int8range",
        Type::Date => "daterange",
        Type::Timestamp => "tsrange",
        Type::Timestamptz => "tstzrange",
        _ => "numrange",
    }
}

/// Schemas of the search path are not said.
fn named(name: &Name) -> String {
    if matches!(&*name.schema, "public" | "extensions" | "pg_catalog") {
        name.name.to_string()
    } else {
        name.to_string()
    }
}
