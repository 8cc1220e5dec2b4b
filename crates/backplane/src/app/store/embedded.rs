//! The embedded engine: a file of the data directory, opened, brought to a project's schema, closed.

use std::path::Path;
use std::sync::Arc;

use drivers::sqlite::{Options, Sqlite};
use engine::{Database, Engine, migrate};
use query::Model;
use types::{Code, Error, Limits, Result};

use super::super::{Parts, cores};
use super::{clock_of, migrating, random_of, scheme};
use crate::keys;
use crate::project::Project;

/// The scheme of the embedded engine's URL; a path may follow.
const SQLITE: &str = "sqlite:";

/// An open file.
pub(in crate::app) struct Embedded {
    engine: Arc<Sqlite>,
    migrating: migrate::Options,
    limits: Limits,
}

impl Embedded {
    /// Opens what the settings name.
    pub(super) fn open(parts: &Parts) -> Result<Embedded> {
        let (settings, clock, random) = (&parts.project.settings, &parts.clock, &parts.random);
        let path = sqlite_path(&settings.engine_url)?;
        keys::make_data_dir(&parts.data_dir)?;
        let path = parts.data_dir.join(if path.is_empty() { "data.db" } else { path });
        keys::make_private(&path)?;
        let readers = usize::try_from(settings.engine_readers).unwrap_or(usize::MAX);
        let engine = Sqlite::open(&Options {
            path,
            readers: if readers == 0 { cores() } else { readers },
            write_queue_max: settings.limits.write_queue_max,
            value_bytes_max: settings.limits.reply_bytes_max,
            sleep_max: std::time::Duration::from_millis(settings.limits.sleep_ms_max),
            random: random_of(random),
            clock: clock_of(clock),
        });
        let engine = engine.map_err(|error| explained(error, &parts.data_dir))?;
        let limits = settings.limits.clone();
        Ok(Embedded { engine: Arc::new(engine), migrating: migrating(parts), limits })
    }

    /// The database that serves a model.
    pub(super) fn serving(&self, model: Arc<Model>) -> Database {
        let (random, clock) = (self.migrating.random.clone(), self.migrating.clock.clone());
        Database::limited(self.engine.clone(), model, (random, clock), self.limits.clone())
    }

    /// Brings the data to a project's schema; the model in force then, and a line for each thing that was done.
    pub(super) async fn bring(&self, project: &Project) -> Result<(Arc<Model>, Vec<String>)> {
        let engine: Arc<dyn Engine> = self.engine.clone();
        let applied = migrate::apply(&engine, &project.sources, &self.migrating).await?;
        let steps = applied.steps.iter().map(|step| format!("{}{}", step.sentence, step.danger));
        let done = steps.chain(applied.notes).collect();
        let catalog = applied.catalog.unwrap_or_else(|| project.catalog.clone());
        Ok((Arc::new(Model::new(catalog)), done))
    }

    /// What [`Embedded::bring`] would do, as text.
    pub(super) async fn preview(&self, project: &Project) -> Result<String> {
        let engine: Arc<dyn Engine> = self.engine.clone();
        let plan = migrate::plan(&engine, &project.sources, &self.migrating).await?;
        let notes: String = plan.notes.iter().map(|note| format!("{note}\n")).collect();
        Ok(if plan.is_empty() { notes } else { format!("{plan}{notes}") })
    }

    /// How many writes wait for their turn.
    pub(super) fn writes_waiting(&self) -> usize {
        self.engine.waiting()
    }

    /// Ends the engine, unless something still runs on it.
    pub(super) fn close(self) {
        if let Some(engine) = Arc::into_inner(self.engine) {
            engine.close();
        }
    }
}

/// The path that follows the scheme.
pub(super) fn sqlite_path(url: &str) -> Result<&str> {
    url.strip_prefix(SQLITE).ok_or_else(|| {
        Error::missing(format!("the engine of \"{}\"", scheme(url)))
            .with_hint("This version has `sqlite:` and `postgres://…`.")
    })
}

/// Says where, for what the engine could not know.
fn explained(error: Error, data_dir: &Path) -> Error {
    match error.code() {
        Code::DISK_FULL => error.with_hint(format!("Free some space for {}.", data_dir.display())),
        _ => error,
    }
}
