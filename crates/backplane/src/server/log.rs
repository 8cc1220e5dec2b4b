//! Log lines. Nothing secret is in one: no header, no body, and of a query only what selects and orders.

use std::time::Duration;

use axum::extract::Request;
use tracing_subscriber::filter::LevelFilter;
use types::Error;

use super::Area;
use crate::settings::LogFormat;

/// The name of a request.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// Parameters of a query whose values name columns and counts, never people or secrets.
const SHOWN: &[&str] =
    &["select", "order", "limit", "offset", "columns", "on_conflict", "grant_type", "page", "per_page"];

/// Begins to log to standard error. The first call wins.
pub fn start(format: LogFormat) {
    let builder = tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(LevelFilter::INFO);
    // A log that somebody else began (a test) goes on.
    let _ = match format {
        LogFormat::Text => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(false).try_init(),
    };
}

/// Logs an error that is the server's fault; others are the caller's affair.
pub fn refusal(id: &RequestId, error: &Error) {
    if error.status() >= 500 {
        failure(id, error);
    }
}

/// Logs an error, with the cause that nobody is told.
pub fn failure(id: &RequestId, error: &Error) {
    let id = id.0.as_str();
    let (code, cause) = (error.state(), error.cause().unwrap_or_default());
    tracing::error!(id, code, message = error.message(), cause, "request failed");
}

/// What is said of a request, taken before it is served.
pub(super) struct Line {
    method: String,
    area: Area,
    path: String,
    query: String,
}

impl Line {
    pub(super) fn of(request: &Request, area: Area) -> Line {
        let uri = request.uri();
        Line {
            method: request.method().as_str().to_owned(),
            area,
            path: uri.path().to_owned(),
            query: uri.query().map(shown).unwrap_or_default(),
        }
    }

    pub(super) fn write(&self, id: &str, status: u16, took: Duration, role: Option<&str>) {
        let ms = took.as_secs_f64() * 1_000.0;
        tracing::info!(
            method = self.method,
            route = self.area.name(),
            path = self.path,
            query = self.query,
            status,
            ms = format_args!("{ms:.3}"),
            role = role.unwrap_or_default(),
            id,
            "request"
        );
    }
}

/// A query with the values that may be shown; of the others the names alone.
fn shown(query: &str) -> String {
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if !SHOWN.contains(&name) => format!("{name}=…"),
        _ => pair.to_owned(),
    });
    pairs.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h10_values_of_a_query_are_not_shown() {
        for (query, wanted) in [
            ("select=id&email=eq.a@b.c&order=id", "select=id&email=…&order=id"),
            ("apikey=sb_secret_x&token=y&access_token=z", "apikey=…&token=…&access_token=…"),
            ("or=(a.eq.1)&flag", "or=…&flag"),
            ("", ""),
        ] {
            assert_eq!(shown(query), wanted);
        }
    }
}
