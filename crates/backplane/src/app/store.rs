//! Where rows are kept: the engine that a URL names, opened, brought to a project's schema, closed.

mod embedded;
mod server;

use std::sync::Arc;
use std::time::Duration;

use auth::{Clock, Random};
use engine::{Database, migrate};
use query::Model;
use types::Result;

use super::Parts;
use crate::project::Project;
use crate::settings::Settings;
use embedded::Embedded;
use server::Server;

/// Rebuilding the largest table that fits on one machine takes less.
const MIGRATION_TIME_MAX: Duration = Duration::from_secs(24 * 3600);

/// An open engine.
pub(super) enum Store {
    /// A file of our own.
    Embedded(Box<Embedded>),
    /// A PostgreSQL server.
    Server(Box<Server>),
}

impl Store {
    /// Opens what the settings name.
    pub(super) fn open(parts: &Parts) -> Result<Store> {
        match parts.project.settings.is_postgres() {
            true => Server::open(parts).map(|server| Store::Server(Box::new(server))),
            false => Embedded::open(parts).map(|embedded| Store::Embedded(Box::new(embedded))),
        }
    }

    /// The database that serves a model, and goes on to serve what is declared in it.
    pub(super) fn serving(&self, model: Arc<Model>) -> Result<Database> {
        match self {
            Store::Embedded(embedded) => Ok(embedded.serving(model)),
            Store::Server(server) => server.serving(model),
        }
    }

    /// Brings the data to a project's schema; the model in force then, and a line for each thing that was done.
    pub(super) async fn bring(&self, project: &Project) -> Result<(Arc<Model>, Vec<String>)> {
        match self {
            Store::Embedded(embedded) => embedded.bring(project).await,
            Store::Server(server) => server.bring(project).await,
        }
    }

    /// What [`Store::bring`] would do, as text.
    pub(super) async fn preview(&self, project: &Project) -> Result<String> {
        match self {
            Store::Embedded(embedded) => embedded.preview(project).await,
            Store::Server(server) => server.preview(project).await,
        }
    }

    /// How many writes wait for their turn.
    pub(super) fn writes_waiting(&self) -> usize {
        match self {
            Store::Embedded(embedded) => embedded.writes_waiting(),
            Store::Server(_) => 0,
        }
    }

    /// Ends the engine, unless something still runs on it.
    pub(super) fn close(self) {
        match self {
            Store::Embedded(embedded) => embedded.close(),
            Store::Server(server) => server.close(),
        }
    }
}

/// What of a model the engine of a project leaves out or cannot store.
///
/// # Errors
/// `0A000` for an engine that is not there.
pub fn review(settings: &Settings, model: &Model) -> Result<render::schema::Review> {
    use render::Dialect;
    if settings.is_postgres() {
        return Ok(render::schema::Review::default());
    }
    embedded::sqlite_path(&settings.engine_url)?;
    Ok(render::sqlite::Sqlite.schema().review(model))
}

/// The scheme of a URL. What follows it may hold a password.
fn scheme(url: &str) -> &str {
    url.split(':').next().unwrap_or_default()
}

fn migrating(parts: &Parts) -> migrate::Options {
    migrate::Options {
        allow_loss: parts.allow_loss,
        is_lenient: parts.project.strictness == crate::project::Strictness::Lenient,
        timeout: MIGRATION_TIME_MAX,
        random: random_of(&parts.random),
        clock: clock_of(&parts.clock),
    }
}

fn random_of(random: &Arc<dyn Random>) -> engine::Random {
    let random = random.clone();
    Arc::new(move |out| random.fill(out))
}

fn clock_of(clock: &Arc<dyn Clock>) -> engine::Clock {
    let clock = clock.clone();
    Arc::new(move || clock.now_micros())
}
