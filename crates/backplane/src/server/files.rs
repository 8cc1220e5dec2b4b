//! `/app/`: the files of `server.static_dir`. Nothing outside of the folder, nothing hidden.

use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use tower_http::services::ServeDir;
use types::{Code, Error};

use super::reply;
use crate::app::App;

const BASE: &str = "/app";

/// Answers with a file.
pub(super) async fn serve(app: &App, mut request: Request) -> Response {
    let Some(folder) = &app.files else { return nothing() };
    if request.uri().path() == BASE {
        return reply::respond(308, [("location", "/app/")], Body::empty());
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = reply::failure(&Error::new(Code::METHOD, "Files are read with GET"));
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let path = request.uri().path().strip_prefix(BASE).unwrap_or_default().to_owned();
    let (Ok(uri), Some(decoded)) = (Uri::try_from(path.as_str()), decoded(&path)) else { return nothing() };
    if !is_inside(folder, &decoded).await {
        return nothing();
    }
    *request.uri_mut() = uri;
    match ServeDir::new(folder).try_call(request).await {
        Ok(found) if found.status() == StatusCode::NOT_FOUND => nothing(),
        Ok(found) => found.map(Body::new),
        Err(error) => {
            tracing::error!(%error, "a file could not be read");
            reply::failure(&Error::internal(error))
        }
    }
}

fn nothing() -> Response {
    reply::failure(&Error::new(Code::PATH, "There is no such file"))
}

/// The path of a URL, relative; `None` for what could mean another place or something hidden.
fn decoded(path: &str) -> Option<PathBuf> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    let text = String::from_utf8(bytes).ok()?;
    let is_plain = |segment: &&str| !segment.starts_with('.') && !segment.contains(['\\', ':', '\0']);
    let segments: Vec<&str> = text.split('/').filter(|segment| !segment.is_empty()).collect();
    segments.iter().all(is_plain).then(|| segments.iter().collect())
}

/// Whether a path, its links followed, stays in the folder.
async fn is_inside(folder: &Path, path: &Path) -> bool {
    let (Ok(folder), Ok(found)) =
        (tokio::fs::canonicalize(folder).await, tokio::fs::canonicalize(folder.join(path)).await)
    else {
        return false;
    };
    found.starts_with(&folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_are_paths() {
        for (path, wanted) in [
            ("/", Some("")),
            ("/a/b.html", Some("a/b.html")),
            ("/a%20b", Some("a b")),
            ("/../x", None),
            ("/%2e%2e/x", None),
            ("/.env", None),
            ("/a/.git/config", None),
            ("/a%5c..%5cx", None),
            ("/C:/x", None),
            ("/%00", None),
            ("/%zz", None),
            ("/%ff", None),
        ] {
            assert_eq!(decoded(path), wanted.map(PathBuf::from), "{path}");
        }
    }
}
