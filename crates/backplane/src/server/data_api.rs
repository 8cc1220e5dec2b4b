//! `/rest/v1`: a request of the Data API, from the connection to the road and back.

use std::fmt::Write;
use std::time::Duration;

use auth::Credentials;
use axum::body::Body;
use axum::extract::Request;
use axum::http::Method;
use axum::http::request::Parts;
use axum::response::Response;
use rest::{Http, Reply, cors};
use types::{Code, Error, Result};

use super::edge::Role;
use super::log::RequestId;
use super::{guard, log, reply};
use crate::app::{App, Stopwatch, ticks};
use crate::road;

const BASE: &str = "/rest/v1";

/// Answers a request.
pub(super) async fn serve(app: &App, id: &RequestId, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let headers = match headers(&parts) {
        Ok(headers) => headers,
        Err(error) => return reply::failure(&error),
    };
    let http = Http {
        method: parts.method.as_str(),
        path: path(&parts),
        query: parts.uri.query().unwrap_or_default(),
        headers: &headers,
        body: b"",
    };
    if let Some(preflight) = cors::preflight(&http, &app.origins) {
        return reply::of_rest(preflight);
    }
    let mut caller = None;
    let outcome =
        guard::within(&app.settings.limits, Box::pin(answer(app, &parts, http, body, &mut caller))).await;
    let mut reply = outcome.unwrap_or_else(|error| {
        log::refusal(id, &error);
        let is_anonymous =
            caller.as_ref().is_none_or(|caller: &auth::Caller| caller.role == app.data_api.anon_role);
        rest::failure(&error, is_anonymous)
    });
    reply.headers.extend(cors::headers(&http, &app.origins));
    let mut response = reply::of_rest(reply);
    if parts.method == Method::HEAD {
        *response.body_mut() = reply::unsaid();
    }
    if let Some(caller) = caller.filter(|_| app.settings.server_log_requests) {
        response.extensions_mut().insert(Role(caller.role));
    }
    response
}

async fn answer(
    app: &App,
    parts: &Parts,
    http: Http<'_>,
    body: Body,
    caller: &mut Option<auth::Caller>,
) -> Result<Reply> {
    guard::check_head(&parts.uri, &parts.headers, &app.settings.limits)?;
    if !app.settings.api_enabled {
        return Err(Error::new(Code::PATH, "The Data API is switched off"));
    }
    let watch = Stopwatch::start();
    let identified = identify(app, http)?;
    if identified.role.is_empty() {
        return Err(Error::new(Code::ANONYMOUS_DISABLED, "Anonymous access is disabled"));
    }
    let caller = caller.insert(identified);
    check_session(app, caller).await?;
    let before = ("jwt", watch.elapsed());
    let body = guard::whole(parts, body, app.settings.limits.body_bytes_max).await?;
    let http = Http { body: &body, ..http };
    let asking = of_gateway(caller);
    let (mut reply, phases) =
        road::serve(&app.database, &app.data_api, &asking, &http, app.clock.now_micros(), &ticks).await;
    if app.settings.server_timing {
        let phases = std::iter::once(&before).chain(&phases.taken);
        reply.headers.push(("server-timing", server_timing(phases)));
    }
    Ok(reply)
}

/// Milliseconds a phase (Server Timing, section 3).
fn server_timing<'p>(phases: impl Iterator<Item = &'p (&'static str, Duration)>) -> String {
    let mut out = String::with_capacity(160);
    for (phase, took) in phases {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        out.push_str(if out.is_empty() { "" } else { ", " });
        out.push_str(phase);
        out.push_str(";dur=");
        // Writing to a `String` cannot fail.
        let _ = write!(out, "{}", micros / 1_000);
        out.push('.');
        out.extend(
            [100, 10, 1].map(|place| char::from(b'0' + u8::try_from(micros / place % 10).unwrap_or(0))),
        );
    }
    out
}

/// The caller as the compiler knows them.
fn of_gateway(caller: &auth::Caller) -> query::Caller {
    let token = caller.token.as_ref();
    query::Caller {
        claims: Some(caller.claims.clone()),
        uid: token.and_then(|token| token.uid),
        email: token.and_then(|token| token.email.clone()),
        ..query::Caller::of_request(caller.role.clone())
    }
}

fn identify(app: &App, http: Http<'_>) -> Result<auth::Caller> {
    let headers = http.headers.iter().map(|(name, value)| (*name, value.as_bytes()));
    let credentials = Credentials::of_headers(headers);
    app.gateway.identify(credentials, app.clock.now_unix()).map_err(auth::Refusal::for_data_api)
}

/// A token whose session ended, or whose user may no longer come in, is refused although its time has not passed.
async fn check_session(app: &App, caller: &auth::Caller) -> Result<()> {
    match (&app.auth, &caller.token) {
        (Some(auth), Some(token)) => auth.check_session(token).await?.map_err(auth::Refusal::for_data_api),
        _ => Ok(()),
    }
}

/// The path below the API's base.
fn path(parts: &Parts) -> &str {
    match parts.uri.path().strip_prefix(BASE) {
        None | Some("") => "/",
        Some(path) => path,
    }
}

fn headers(parts: &Parts) -> Result<Vec<(&str, &str)>> {
    parts
        .headers
        .iter()
        .map(|(name, value)| match std::str::from_utf8(value.as_bytes()) {
            Ok(value) => Ok((name.as_str(), value)),
            Err(_) => Err(Error::new(Code::PARSE, format!("The header {name} is not UTF-8"))),
        })
        .collect()
}
