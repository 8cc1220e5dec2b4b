//! The HTTP server: one table of routes, what stands around every request, the loop that takes connections.
//!
//! Protocols are not known here: the Data API and the Auth API are handed what was sent and say what to answer.

mod auth_api;
mod data_api;
mod edge;
mod files;
mod guard;
pub mod listen;
pub mod log;
mod long_body;
pub mod metrics;
mod patience;
mod probes;
mod reply;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;

use crate::app::App;
use edge::Around;

/// Who is at the other end of a connection; requests made in process have none.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// The parts of the server that are counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    /// `/rest/v1`
    Rest,
    /// `/auth/v1`
    Auth,
    /// `/app/`
    Files,
    /// `/livez`, `/readyz`
    Probes,
    /// `/metrics`
    Metrics,
    /// What is not there.
    Nowhere,
}

/// Paths, and the area that each belongs to: that path alone, or all below it, too.
const ROUTES: &[(&str, Reach, Area)] = &[
    ("/rest/v1", Reach::Below, Area::Rest),
    ("/auth/v1", Reach::Below, Area::Auth),
    ("/app", Reach::Below, Area::Files),
    ("/livez", Reach::Alone, Area::Probes),
    ("/readyz", Reach::Alone, Area::Probes),
    ("/metrics", Reach::Alone, Area::Metrics),
];

/// How far a route reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Alone,
    Below,
}

impl Area {
    /// All of them.
    pub const ALL: [Area; 6] =
        [Area::Rest, Area::Auth, Area::Files, Area::Probes, Area::Metrics, Area::Nowhere];

    /// What logs and metrics call it.
    pub fn name(self) -> &'static str {
        match self {
            Area::Rest => "/rest/v1",
            Area::Auth => "/auth/v1",
            Area::Files => "/app",
            Area::Probes => "/probes",
            Area::Metrics => "/metrics",
            Area::Nowhere => "/",
        }
    }

    /// The area of a path.
    fn of(path: &str) -> Area {
        let is_there = |(known, reach, _): &&(&str, Reach, Area)| match path.strip_prefix(known) {
            Some("") => true,
            Some(rest) => *reach == Reach::Below && rest.starts_with('/'),
            None => false,
        };
        ROUTES.iter().find(is_there).map_or(Area::Nowhere, |(_, _, area)| *area)
    }
}

/// An [`App`] as a service of the web framework, for those who ask in process.
pub fn router(app: &Arc<App>) -> Router {
    let serve =
        |State(app): State<Arc<App>>, request: Request| async move { answer(app, None, request).await };
    Router::new().fallback(serve).with_state(app.clone())
}

/// Answers a request. A table of six rows stands for a router: one that takes paths apart, and passes a request from layer to
/// layer, is felt in the time of a point read.
async fn answer(app: Arc<App>, peer: Option<Peer>, mut request: Request) -> Response {
    let area = Area::of(request.uri().path());
    if let Some(peer) = peer.filter(|_| area != Area::Rest) {
        request.extensions_mut().insert(peer);
    }
    let around = Around::begin(&app, area, &request);
    let response = match edge::check(&app, area, &request) {
        Err(error) => reply::failure(&error),
        Ok(()) => match area {
            Area::Rest => data_api::serve(&app, &around.id, request).await,
            Area::Auth => Box::pin(auth_api::serve(&app, &around.id, request)).await,
            Area::Files => Box::pin(files::serve(&app, request)).await,
            Area::Probes => probes::serve(&app, &request),
            Area::Metrics => metrics::serve(&app, request),
            Area::Nowhere => reply::nowhere(request),
        },
    };
    around.end(response)
}
