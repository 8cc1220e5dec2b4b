//! The description of the API as an OpenAPI 3.1 document, for those who ask for it.
//!
//! It says what the 2.0 document cannot: which values may be null, what functions answer, how tables are related, what each
//! kind of write takes. It holds as little as the other: only what its caller may touch.

mod operations;
mod rows;
#[cfg(test)]
mod tests;

use query::Model;
use types::json::Json;

use super::schema::{list, object, reference, text};
use super::seen::Seen;
use super::{Settings, info};

/// The document for a role, of the schema that it asks for.
pub fn openapi_3(model: &Model, role: &str, schema: &str, settings: &Settings<'_>) -> String {
    let seen = Seen::of(model, role, schema, settings);
    object([
        ("openapi", Some(text("3.1.0"))),
        ("info", Some(info(model, schema, settings))),
        ("servers", Some(Json::Array(vec![object([("url", Some(text(settings.server_url)))])]))),
        ("paths", Some(operations::paths(&seen))),
        ("components", Some(components(&seen, settings))),
        ("security", settings.describes_token.then(security)),
    ])
    .compact()
}

fn components(seen: &Seen<'_>, settings: &Settings<'_>) -> Json {
    object([
        ("schemas", Some(rows::schemas(seen))),
        ("parameters", Some(operations::parameters())),
        ("responses", Some(object([("Error", Some(operations::error()))]))),
        ("securitySchemes", settings.describes_token.then(schemes)),
    ])
}

/// A key alone, or with a token.
fn security() -> Json {
    let none = || Some(Json::Array(Vec::new()));
    Json::Array(vec![object([("apikey", none())]), object([("apikey", none()), ("bearer", none())])])
}

fn schemes() -> Json {
    object([
        (
            "apikey",
            Some(object([
                ("type", Some(text("apiKey"))),
                ("name", Some(text("apikey"))),
                ("in", Some(text("header"))),
                ("description", Some(text("The project's publishable or secret key"))),
            ])),
        ),
        (
            "bearer",
            Some(object([
                ("type", Some(text("http"))),
                ("scheme", Some(text("bearer"))),
                ("bearerFormat", Some(text("JWT"))),
                ("description", Some(text("The token of a user"))),
            ])),
        ),
    ])
}

/// A name as a key of components, which are letters, digits, `.`, `-` and `_` only: any other character, and the dot, is its
/// number between dots. So no two names have one key, and a key with a word after a dot is no name's.
fn key(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') {
            out.push(c);
        } else {
            out.push_str(&format!(".{:x}.", u32::from(c)));
        }
    }
    out
}

/// A reference to the rows of a table, or to what a write to it takes.
fn rows_of(name: &str, kind: rows::Kind) -> Json {
    reference(&format!("components/schemas/{}{}", key(name), kind.suffix()))
}

/// A list of strings of any length.
fn texts<'t>(all: impl IntoIterator<Item = &'t str>) -> Json {
    Json::Array(all.into_iter().map(text).collect())
}

/// The type that a value is of, and null.
fn or_null(kind: &str) -> Json {
    list([kind, "null"])
}
