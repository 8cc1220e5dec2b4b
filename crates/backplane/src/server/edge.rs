//! What stands around every request: its name, its time, what is counted and logged, the headers of every answer.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::header::{REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;

use types::Result;

use super::log::{Line, RequestId};
use super::metrics::Held;
use super::{Area, guard};
use crate::app::{App, Stopwatch};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest name that a client may give its request.
const ID_BYTES_MAX: usize = 128;

/// The role that a request ran under, for the log: put beside the answer by who knows it.
#[derive(Clone, Debug)]
pub(super) struct Role(pub(super) Arc<str>);

/// The account that is kept of a request.
pub(super) struct Around<'a> {
    app: &'a App,
    area: Area,
    watch: Stopwatch,
    /// The request's name.
    pub(super) id: RequestId,
    line: Option<Line>,
    running: Held<'a>,
}

impl<'a> Around<'a> {
    /// Gives a request its name, and begins to count.
    pub(super) fn begin(app: &'a App, area: Area, request: &Request) -> Around<'a> {
        let watch = Stopwatch::start();
        let id = RequestId(given_id(request.headers()).unwrap_or_else(|| app.request_id()));
        let line = app.settings.server_log_requests.then(|| Line::of(request, area));
        Around { app, area, watch, id, line, running: app.metrics.begin() }
    }

    /// Counts and logs what was answered, and gives it the headers of every answer.
    pub(super) fn end(self, mut response: Response) -> Response {
        let Around { app, area, watch, id, line, running } = self;
        drop(running);
        let took = watch.elapsed();
        app.metrics.observe(area, response.status().as_u16(), took);
        if let Some(line) = line {
            let role = response.extensions().get::<Role>().map(|role| &*role.0);
            line.write(&id.0, response.status().as_u16(), took, role);
        }
        let headers = response.headers_mut();
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        if let Ok(id) = HeaderValue::try_from(id.0) {
            headers.insert(REQUEST_ID, id);
        }
        response
    }
}

/// Refuses a head that is too long, where no API does it in its own words.
pub(super) fn check(app: &App, area: Area, request: &Request) -> Result<()> {
    match area {
        Area::Rest | Area::Auth => Ok(()),
        Area::Files | Area::Probes | Area::Metrics | Area::Nowhere => {
            guard::check_head(request.uri(), request.headers(), &app.settings.limits)
        }
    }
}

/// The name that the client gave the request, when it is a plain one.
fn given_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte);
    (!id.is_empty() && id.len() <= ID_BYTES_MAX && id.bytes().all(is_plain)).then(|| id.to_owned())
}
