//! `/auth/v1`: a request of the Auth API, from the connection to the service and back.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use types::{Code, Error};

use super::reply;
use crate::app::App;

/// Answers a request.
pub(super) async fn serve(State(app): State<Arc<App>>, request: Request) -> Response {
    let _ = (app, request);
    reply::failure(&Error::new(Code::NOT_IMPLEMENTED, "the Auth API is not there yet"))
}
