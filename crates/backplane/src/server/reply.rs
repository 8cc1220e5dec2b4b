//! Answers as the HTTP library wants them.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use types::{Code, Error};

use super::long_body;

/// Headers of most answers: room for them is made at once.
const HEADERS: usize = 16;

/// An answer of status, headers and body. What no header can hold is left out and logged: it would be a bug.
pub(super) fn respond<'h>(
    status: u16,
    headers: impl IntoIterator<Item = (&'h str, impl TryInto<HeaderValue>)>,
    body: impl Into<Body>,
) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().reserve(HEADERS);
    for (name, value) in headers {
        set(response.headers_mut(), name, value);
    }
    response
}

fn set(headers: &mut HeaderMap, name: &str, value: impl TryInto<HeaderValue>) {
    match (HeaderName::try_from(name), value.try_into()) {
        (Ok(name), Ok(value)) => {
            headers.append(name, value);
        }
        _ => tracing::error!(name, "a header could not be sent"),
    }
}

/// A short JSON answer.
pub(super) fn json(status: u16, body: &'static str) -> Response {
    respond(
        status,
        [("content-type", "application/json; charset=utf-8"), ("cache-control", "no-store")],
        body,
    )
}

/// An answer of the Data API.
pub(super) fn of_rest(reply: rest::Reply) -> Response {
    let rest::Reply { status, headers, further, body } = reply;
    let mut response = respond(status, headers, long_body::of(body));
    for (name, value) in further {
        set(response.headers_mut(), &name, value);
    }
    response
}

/// An error outside of any API, in the form of the Data API.
pub(super) fn failure(error: &Error) -> Response {
    of_rest(rest::failure(error, true))
}

/// The answer where nothing is.
pub(super) fn nowhere(request: Request) -> Response {
    // A path may hold anything: it is not said back.
    drop(request);
    failure(&Error::new(Code::PATH, "Invalid path specified in request URL"))
}

/// The body of an answer to `HEAD`: there is none, and nobody says how long the one of `GET` is.
pub(super) fn unsaid() -> Body {
    Body::new(Unsaid)
}

struct Unsaid;

impl hyper::body::Body for Unsaid {
    type Data = hyper::body::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
        Poll::Ready(None)
    }
}
