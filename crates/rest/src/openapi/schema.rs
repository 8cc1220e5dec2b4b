//! JSON Schema of types, and the little that writes JSON.

use sql::print::quote_ident;
use types::json::Json;
use types::ty::format_type;
use types::{Modifier, Type};

/// An object; absent fields are left out.
pub(super) fn object<const N: usize>(fields: [(&str, Option<Json>); N]) -> Json {
    let present = fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Json::Object(present.collect())
}

/// A string.
pub(super) fn text(text: &str) -> Json {
    Json::String(text.to_owned())
}

/// An array of strings.
pub(super) fn list<const N: usize>(texts: [&str; N]) -> Json {
    Json::Array(texts.map(text).to_vec())
}

/// A reference into the document: `#/definitions/t`.
pub(super) fn reference(path: &str) -> Json {
    object([("$ref", Some(text(&format!("#/{path}"))))])
}

/// JSON Schema's name of a type; JSON itself can be anything and has none.
pub(super) fn kind(ty: &Type) -> Option<&'static str> {
    match ty {
        Type::Bool => Some("boolean"),
        Type::Int2 | Type::Int4 | Type::Int8 => Some("integer"),
        Type::Float4 | Type::Float8 | Type::Numeric => Some("number"),
        Type::Json | Type::Jsonb => None,
        Type::Array(_) => Some("array"),
        _ => Some("string"),
    }
}

/// The `format`: integers by their width, every other type by PostgreSQL's name of it.
pub(super) fn format(ty: &Type) -> String {
    match ty {
        Type::Int2 | Type::Int4 => "int32".to_owned(),
        Type::Int8 => "int64".to_owned(),
        ty => name(ty),
    }
}

/// A declared type is named with its schema.
fn name(ty: &Type) -> String {
    let name = match ty {
        Type::Array(element) => return format!("{}[]", name(element)),
        Type::Enum(declared) => &declared.name,
        Type::Composite(name) | Type::Opaque(name) => name,
        ty => return format_type(ty, None),
    };
    format!("{}.{}", quote_ident(&name.schema), quote_ident(&name.name))
}

/// The `format` of an argument: PostgreSQL's name of its type, without a schema.
pub(super) fn format_of_argument(ty: &Type) -> String {
    match ty {
        Type::Array(element) if is_declared(element) => format!("{}[]", format_of_argument(element)),
        Type::Array(_) => format_type(ty, None),
        Type::Enum(declared) => declared.name.name.to_string(),
        Type::Composite(name) | Type::Opaque(name) => name.name.to_string(),
        Type::Int2 | Type::Int4 | Type::Int8 => format(ty),
        ty => format_type(ty, None),
    }
}

fn is_declared(ty: &Type) -> bool {
    matches!(ty, Type::Enum(_) | Type::Composite(_) | Type::Opaque(_))
}

/// What an array's elements are.
pub(super) fn items(ty: &Type) -> Option<Json> {
    let Type::Array(element) = ty else { return None };
    Some(object([("type", kind(element).map(text))]))
}

/// The labels of an enumerated type.
pub(super) fn labels(ty: &Type) -> Option<Json> {
    let Type::Enum(declared) = ty else { return None };
    Some(Json::Array(declared.labels.iter().map(|label| text(label)).collect()))
}

/// The most characters.
pub(super) fn length(ty: &Type, modifier: Option<Modifier>) -> Option<Json> {
    match modifier {
        Some(Modifier::Length(length)) if !matches!(ty, Type::Array(_)) => {
            Some(Json::Number(length.to_string()))
        }
        _ => None,
    }
}
