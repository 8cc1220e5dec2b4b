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
use axum::middleware::from_fn_with_state;
use axum::routing::any;

use crate::app::App;

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

/// Every pattern of a path, and the area that it belongs to.
const ROUTES: &[(&str, Area)] = &[
    ("/rest/v1", Area::Rest),
    ("/rest/v1/", Area::Rest),
    ("/rest/v1/{*path}", Area::Rest),
    ("/auth/v1", Area::Auth),
    ("/auth/v1/", Area::Auth),
    ("/auth/v1/{*path}", Area::Auth),
    ("/app", Area::Files),
    ("/app/", Area::Files),
    ("/app/{*path}", Area::Files),
    ("/livez", Area::Probes),
    ("/readyz", Area::Probes),
    ("/metrics", Area::Metrics),
];

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

    fn of_pattern(pattern: &str) -> Area {
        ROUTES.iter().find(|route| route.0 == pattern).map_or(Area::Nowhere, |route| route.1)
    }
}

/// All routes of an [`App`].
pub fn router(app: &Arc<App>) -> Router {
    let routes = ROUTES.iter().fold(Router::new(), |router, (pattern, area)| {
        router.route(
            pattern,
            match area {
                Area::Rest => any(data_api::serve),
                Area::Auth => any(auth_api::serve),
                Area::Files => any(files::serve),
                Area::Probes => any(probes::serve),
                Area::Metrics => any(metrics::serve),
                Area::Nowhere => any(reply::nowhere),
            },
        )
    });
    routes
        .fallback(reply::nowhere)
        .layer(from_fn_with_state(app.clone(), edge::around))
        .with_state(app.clone())
}
