//! `/livez`: the process runs. `/readyz`: it takes requests. Neither touches the database, so that asking often costs nothing.

use axum::extract::Request;
use axum::response::Response;

use super::reply::json;
use crate::app::{App, Stage};

/// Answers both.
pub(super) fn serve(app: &App, request: &Request) -> Response {
    match (request.uri().path(), app.stage()) {
        ("/livez", _) => json(200, r#"{"status":"alive"}"#),
        (_, Stage::Ready) => json(200, r#"{"status":"ready"}"#),
        (_, Stage::Stopping) => json(503, r#"{"status":"stopping"}"#),
    }
}
