//! The description of the API: an OpenAPI 2.0 document, in the form that PostgREST gives it.
//!
//! It is made for one caller and holds only what that caller may touch: a table without any privilege, a column that can
//! be neither read nor written, a function that may not be called are not there, and a method is there only with the
//! privilege that it needs. (PostgREST shows all columns and methods of a table of which anything may be touched.)

mod definitions;
mod parameters;
mod paths;
mod schema;
mod seen;
mod v3;

pub use v3::openapi_3;

use query::Model;
use types::json::Json;

use schema::{list, object, text};
use seen::Seen;

/// What the document says about the server.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// Where the API is: `https://example.com/rest/v1`.
    pub server_url: &'a str,
    /// The title, where the schema has no comment.
    pub title: &'a str,
    /// The description, where the schema's comment has no second line.
    pub description: &'a str,
    /// The server's version.
    pub version: &'a str,
    /// Whether the `Authorization` header is described.
    pub describes_token: bool,
    /// Whether all is described, whatever the caller may do.
    pub describes_all: bool,
}

/// Media types of bodies.
const BODIES: [&str; 4] = [
    "application/json",
    "application/vnd.pgrst.object+json;nulls=stripped",
    "application/vnd.pgrst.object+json",
    "text/csv",
];

/// The document for a role, of the schema that it asks for.
pub fn openapi(model: &Model, role: &str, schema: &str, settings: &Settings<'_>) -> String {
    let seen = Seen::of(model, role, schema, settings);
    let secured = |json: Json| settings.describes_token.then_some(json);
    let server = Server::of(settings.server_url);
    object([
        ("swagger", Some(text("2.0"))),
        ("info", Some(info(model, schema, settings))),
        ("host", server.as_ref().map(|server| text(&server.host))),
        ("basePath", server.as_ref().map(|server| text(server.path))),
        ("schemes", server.as_ref().map(|server| list([server.scheme]))),
        ("consumes", Some(list(BODIES))),
        ("produces", Some(list(BODIES))),
        ("paths", Some(paths::paths(&seen))),
        ("definitions", Some(definitions::definitions(&seen))),
        ("parameters", Some(parameters::parameters(&seen))),
        ("securityDefinitions", secured(token())),
        ("security", secured(Json::Array(vec![object([("JWT", Some(list([])))])]))),
    ])
    .compact()
}

/// The schema's comment is the title; what follows its first line describes the API.
fn info(model: &Model, schema: &str, settings: &Settings<'_>) -> Json {
    let comment = model.catalog.schema_comments.get(schema).map(String::as_str);
    let (title, description) = summary(comment);
    object([
        ("title", Some(text(title.unwrap_or(settings.title)))),
        ("description", Some(text(description.unwrap_or(settings.description)))),
        ("version", Some(text(settings.version))),
    ])
}

fn token() -> Json {
    object([(
        "JWT",
        Some(object([
            ("type", Some(text("apiKey"))),
            ("name", Some(text("Authorization"))),
            ("in", Some(text("header"))),
            ("description", Some(text("Add the token prepending \"Bearer \" (without quotes) to it"))),
        ])),
    )])
}

/// The first line of a comment, and what comes after it.
fn summary(comment: Option<&str>) -> (Option<&str>, Option<&str>) {
    let Some(comment) = comment else { return (None, None) };
    let (first, rest) = comment.split_once('\n').unwrap_or((comment, ""));
    let rest = rest.trim_start_matches('\n');
    (Some(first), (!rest.is_empty()).then_some(rest))
}

/// The parts of a server's URL.
struct Server<'a> {
    scheme: &'a str,
    /// With its port.
    host: String,
    path: &'a str,
}

impl<'a> Server<'a> {
    fn of(url: &'a str) -> Option<Server<'a>> {
        let (scheme, rest) = url.split_once("://")?;
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let after_address = host.rsplit(']').next().unwrap_or(host);
        let port = if scheme == "https" { 443 } else { 80 };
        let host = if after_address.contains(':') { host.to_owned() } else { format!("{host}:{port}") };
        Some(Server { scheme, host, path: if path.is_empty() { "/" } else { path } })
    }
}

#[cfg(test)]
mod tests;
