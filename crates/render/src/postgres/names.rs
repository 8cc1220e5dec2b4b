//! Names on PostgreSQL: of tables, types and functions.

use query::functions::{Function, Kind};
use types::ty::range_name;
use types::{Error, Modifier, Name, Result, Type};

pub use crate::quoted::quote;

/// A name with its schema.
pub fn qualified(name: &Name) -> String {
    format!("{}.{}", quote(&name.schema), quote(&name.name))
}

/// Schemas whose types are written without them, because an extension may live in any of these: the search path finds them.
const SEARCHED: &[&str] = &["pg_catalog", "public", "extensions"];

/// How a type is written.
pub(super) fn type_name(ty: &Type, modifier: Option<Modifier>) -> String {
    let base = match ty {
        Type::Bool => "bool",
        Type::Int2 => "int2",
        Type::Int4 => "int4",
        Type::Int8 => "int8",
        Type::Float4 => "float4",
        Type::Float8 => "float8",
        Type::Numeric => "numeric",
        Type::Text | Type::Unknown => "text",
        Type::Varchar => "varchar",
        Type::Bpchar => "bpchar",
        Type::Citext => "citext",
        Type::Uuid => "uuid",
        Type::Bytea => "bytea",
        Type::Json => "json",
        Type::Jsonb => "jsonb",
        Type::Date => "date",
        Type::Time => "time",
        Type::Timetz => "timetz",
        Type::Timestamp => "timestamp",
        Type::Timestamptz => "timestamptz",
        Type::Interval => "interval",
        Type::Inet => "inet",
        Type::Cidr => "cidr",
        Type::Tsvector => "tsvector",
        Type::Tsquery => "tsquery",
        Type::Jsonpath => "jsonpath",
        Type::Vector => "vector",
        // Without quotes, the type is of one bit.
        Type::Bit if modifier.is_none() => "\"bit\"",
        Type::Bit => "bit",
        Type::Varbit => "varbit",
        Type::Void => "void",
        Type::Range(subtype) => range_name(subtype),
        Type::Array(element) => return format!("{}[]", type_name(element, modifier)),
        Type::Enum(declared) => return qualified(&declared.name),
        Type::Opaque(name) if SEARCHED.contains(&&*name.schema) => return quote(&name.name),
        Type::Composite(name) | Type::Opaque(name) => return qualified(name),
    };
    match modifier {
        // PostgreSQL calls the type by another name where it has no length.
        Some(Modifier::Length(length)) if *ty == Type::Bpchar => format!("char({length})"),
        Some(Modifier::Length(length)) => format!("{base}({length})"),
        Some(Modifier::Precision { precision, scale }) => format!("{base}({precision},{scale})"),
        Some(Modifier::Fraction(digits)) => format!("{base}({digits})"),
        None => base.to_owned(),
    }
}

/// How a function that is written as one is called. Those of extensions are found by the search path.
pub(super) fn function_name(function: &Function) -> String {
    match function.extension {
        Some(_) => quote(function.name),
        None => own_name(function.name.strip_suffix(query::functions::VARIADIC).unwrap_or(function.name)),
    }
}

/// How a function of PostgreSQL's own is called.
pub(super) fn own_name(name: &str) -> String {
    format!("pg_catalog.{}", quote(name))
}

/// Arguments that are texts to us and of a type of their own to PostgreSQL: the function, how many arguments it takes, which of
/// them, and its type.
const SPECIAL_ARGUMENTS: &[(&str, usize, usize, &str)] = &[
    ("to_tsvector", 2, 0, "regconfig"),
    ("to_tsquery", 2, 0, "regconfig"),
    ("plainto_tsquery", 2, 0, "regconfig"),
    ("phraseto_tsquery", 2, 0, "regconfig"),
    ("websearch_to_tsquery", 2, 0, "regconfig"),
    ("setweight", 2, 1, "\"char\""),
    ("setweight", 3, 1, "\"char\""),
    ("ts_filter", 2, 1, "\"char\"[]"),
    ("ts_lexize", 2, 0, "regdictionary"),
    ("ts_headline", 4, 0, "regconfig"),
    ("json_to_tsvector", 3, 0, "regconfig"),
    ("jsonb_to_tsvector", 3, 0, "regconfig"),
    ("ts_debug", 2, 0, "regconfig"),
    ("unaccent", 2, 0, "regdictionary"),
];

/// The type that PostgreSQL wants of an argument, where it is not ours.
pub(super) fn special_argument(name: &str, count: usize, position: usize) -> Option<&'static str> {
    let found = SPECIAL_ARGUMENTS.iter().find(|row| (row.0, row.1, row.2) == (name, count, position));
    found.map(|row| row.3)
}

/// The operator that a function is, where it takes two operands.
///
/// # Errors
/// `0A000` for a function that is no operator.
pub(super) fn operator(function: &Function) -> Result<&'static str> {
    match function.kind {
        Kind::Operator => Ok(function.name),
        Kind::Function | Kind::Prefix => {
            Err(Error::missing(format!("{} with any or all elements of an array", function.name)))
        }
    }
}
