//! `/auth/v1`: a request of the Auth API, from the connection to the service and back.

use std::net::{IpAddr, Ipv4Addr};

use auth::http::{self, AuthRequest, AuthResponse, Method, VERSION_HEADER, Version};
use auth::{AuthError, codes};
use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::response::Response;
use types::{Code, Error, Result};

use super::log::RequestId;
use super::{Peer, guard, log, reply};
use crate::app::App;

const BASE: &str = "/auth/v1";

/// Answers a request.
pub(super) async fn serve(app: &App, id: &RequestId, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if parts.method == "OPTIONS" {
        return of_auth(http::preflight());
    }
    let Some(service) = &app.auth else {
        return reply::failure(&Error::new(Code::PATH, "The Auth API is switched off"));
    };
    let answered = guard::within(&app.settings.limits, answer(app, service, id, &parts, body)).await;
    let mut response = answered.unwrap_or_else(|error| refusal(error).respond(version(&parts)));
    if let Some(cause) = response.cause.as_ref().filter(|_| response.status >= 500) {
        log::failure(id, cause);
    }
    response.headers.extend(http::CORS.iter().map(|(name, value)| (*name, (*value).into())));
    if parts.method == "HEAD" {
        response.body.clear();
    }
    of_auth(response)
}

async fn answer(
    app: &App,
    service: &auth::Service,
    id: &RequestId,
    parts: &Parts,
    body: Body,
) -> Result<AuthResponse> {
    guard::check_head(&parts.uri, &parts.headers, &app.settings.limits)?;
    let Some(method) = Method::find(parts.method.as_str()) else {
        return Ok(AuthResponse::text(405, "text/plain; charset=utf-8", ""));
    };
    let body = guard::whole(parts, body, app.settings.limits.body_bytes_max).await?;
    let headers =
        parts.headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()));
    let request = AuthRequest {
        method,
        path: parts.uri.path().strip_prefix(BASE).unwrap_or_default().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: headers.collect(),
        body: body.to_vec(),
        peer: peer(parts),
    };
    let response = service.handle(request).await;
    if let Some(cause) = &response.cause {
        log::failure(id, cause);
    }
    Ok(response)
}

/// Who is at the other end; within the process, this machine.
fn peer(parts: &Parts) -> IpAddr {
    parts.extensions.get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.0.ip().to_canonical())
}

/// What the server itself refuses, in the words of the Auth API.
fn refusal(error: Error) -> AuthError {
    match error.code() {
        Code::PAYLOAD_TOO_LARGE => AuthError::of(codes::REQUEST_TOO_LARGE),
        Code::TIMEOUT => AuthError::of(codes::REQUEST_TIMEOUT),
        Code::URI_TOO_LONG | Code::HEADERS_TOO_LARGE | Code::BODY => {
            AuthError::new(codes::VALIDATION_FAILED, error.message())
        }
        _ => error.into(),
    }
}

/// The format of errors that the client knows.
fn version(parts: &Parts) -> Version {
    let said = parts.headers.get(VERSION_HEADER).and_then(|value| value.to_str().ok());
    said.map_or(Version::Old, Version::of)
}

fn of_auth(response: AuthResponse) -> Response {
    let AuthResponse { status, headers, body, cause: _ } = response;
    reply::respond(status, headers.into_iter().map(|(name, value)| (name, value.into_owned())), body)
}
