//! How results travel.
//!
//! Types whose binary form is the stored form do so in binary, so that nothing is parsed; all others as text, which says
//! exactly what PostgreSQL prints. What only PostgreSQL can print as JSON travels as JSON.

use types::Type;

/// The form of a result of some type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// PostgreSQL's binary form of exactly that type.
    Binary,
    /// The output function's text.
    Text,
    /// What `to_json` says.
    Json,
    /// Nothing: the type has no values.
    Nothing,
}

/// How results of a type travel.
pub fn wire(ty: &Type) -> Wire {
    match ty {
        Type::Bool | Type::Int2 | Type::Int4 | Type::Int8 | Type::Float4 | Type::Float8 => Wire::Binary,
        Type::Date | Type::Time | Type::Timestamp | Type::Timestamptz | Type::Bytea => Wire::Binary,
        Type::Text | Type::Varchar | Type::Bpchar | Type::Citext | Type::Unknown => Wire::Text,
        Type::Numeric | Type::Uuid | Type::Json | Type::Jsonb | Type::Timetz | Type::Interval => Wire::Text,
        Type::Inet | Type::Cidr | Type::Tsvector | Type::Tsquery | Type::Jsonpath | Type::Vector => {
            Wire::Text
        }
        Type::Bit | Type::Varbit => Wire::Text,
        Type::Range(_) | Type::Enum(_) => Wire::Text,
        Type::Array(element) if is_read(element) => Wire::Text,
        Type::Composite(_) | Type::Opaque(_) | Type::Array(_) => Wire::Json,
        Type::Void => Wire::Nothing,
    }
}

/// Whether elements of an array are read from its text.
fn is_read(element: &Type) -> bool {
    !matches!(element, Type::Timetz | Type::Tsquery | Type::Jsonpath)
        && matches!(wire(element), Wire::Binary | Wire::Text)
}
