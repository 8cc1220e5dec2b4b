//! A PostgreSQL server: reached, brought to a project's schema if that is ours to keep, and watched for declarations.
//!
//! What is served is what the database says it declares, whoever declared it.

use std::sync::{Arc, Mutex};

use catalog::Catalog;
use drivers::postgres::introspect::{Reading, introspect};
use drivers::postgres::watch::{Session, Watch, Watching, watch};
use drivers::postgres::{Options, Postgres, native};
use engine::Database;
use engine::migrate::native::{Found, Keeper, Keeping, keeper, plan};
use query::Model;
use types::{Error, Result};

use super::super::Parts;
use super::{clock_of, random_of};
use crate::project::Project;
use crate::settings::{self, Settings};

/// A server.
pub(in crate::app) struct Server {
    engine: Arc<Postgres>,
    /// Whom requests log in as, where the address says that.
    login: Option<String>,
    watching: Watching,
    random: engine::Random,
    clock: engine::Clock,
    asked: Keeping,
    /// What was read last, until it is watched from there.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    reading: Option<Reading>,
    watch: Option<Watch>,
}

impl Server {
    /// Nothing is connected yet.
    pub(super) fn open(parts: &Parts) -> Result<Server> {
        let settings = &parts.project.settings;
        let options = options(settings);
        Ok(Server {
            engine: Arc::new(Postgres::new(&options)?),
            login: options.login()?,
            watching: Watching {
                options: options.of_system().unwrap_or(options),
                served: settings.api_schemas.clone(),
                interval: settings.engine_watch_interval.0,
            },
            random: random_of(&parts.random),
            clock: clock_of(&parts.clock),
            asked: match settings.engine_schema {
                settings::Keeping::Auto => Keeping::Auto,
                settings::Keeping::Project => Keeping::Project,
                settings::Keeping::Database => Keeping::Database,
            },
            state: Mutex::default(),
        })
    }

    pub(super) fn serving(&self, model: Arc<Model>) -> Result<Database> {
        let database = Database::new(self.engine.clone(), model, self.random.clone(), self.clock.clone());
        let mut state = self.state.lock().map_err(|_| Error::internal("the state of a server"))?;
        if let Some(reading) = state.reading.take() {
            let (served, engine) = (database.clone(), self.engine.clone());
            let put = Arc::new(move |catalog: Arc<Catalog>| {
                tracing::info!("something was declared: the database was read again");
                engine.respect(&catalog);
                served.replace(Arc::new(Model::of_native_views(catalog)));
            });
            state.watch = Some(watch(self.watching.clone(), &reading, put)?);
        }
        Ok(database)
    }

    /// What applies to the database is applied; what it declares then is the model.
    pub(super) async fn bring(&self, project: &Project) -> Result<(Arc<Model>, Vec<String>)> {
        let mut session = Session::open(&self.watching.options).await?;
        self.warn_of_login(&session).await?;
        let (kept, mut done) = self.keeper(&native::found(&session.client).await?);
        let mut reading = match kept {
            Keeper::Database => introspect(&mut session.client, &self.watching.served).await?,
            Keeper::Project => {
                native::lock(&session.client).await?;
                let found = native::found(&session.client).await?;
                let plan = plan(&project.sources, &found, native::FOUNDATION)?;
                done.extend(plan.notes.iter().cloned());
                done.extend(native::apply(&session.client, &plan, &found).await?);
                introspect(&mut session.client, &self.watching.served).await?
            }
        };
        if kept == Keeper::Project {
            let closed = native::settle(&session.client, &project.catalog, &reading.catalog).await?;
            if !closed.is_empty() {
                reading = introspect(&mut session.client, &self.watching.served).await?;
                done.extend(closed);
            }
        }
        self.engine.respect(&reading.catalog);
        let model = Arc::new(Model::of_native_views(reading.catalog.clone()));
        self.state.lock().map_err(|_| Error::internal("the state of a server"))?.reading = Some(reading);
        Ok((model, done))
    }

    pub(super) async fn preview(&self, project: &Project) -> Result<String> {
        let session = Session::open(&self.watching.options).await?;
        let found = native::found(&session.client).await?;
        let (kept, lines) = self.keeper(&found);
        if kept == Keeper::Database {
            return Ok(lines.iter().map(|line| format!("{line}\n")).collect());
        }
        let plan = plan(&project.sources, &found, native::FOUNDATION)?;
        let notes: String = plan.notes.iter().map(|note| format!("{note}\n")).collect();
        Ok(format!("{plan}{notes}"))
    }

    /// A function of the schema may become whoever the login may.
    async fn warn_of_login(&self, session: &Session) -> Result<()> {
        if native::is_superuser(&session.client, self.login.as_deref()).await? {
            tracing::warn!(
                "requests log in as a superuser: a function of the schema could become any role. Let `engine.url` log in as `authenticator`, and `engine.system_url` as who owns the schema"
            );
        }
        Ok(())
    }

    /// Whose the schema is; said where that is a surprise.
    fn keeper(&self, found: &Found) -> (Keeper, Vec<String>) {
        let (kept, why) = keeper(self.asked, found);
        match kept {
            Keeper::Project => {
                tracing::info!("the schema of the database is the project's: {why}");
                (kept, Vec::new())
            }
            Keeper::Database => {
                let line = format!("The database is used as it is, and nothing is applied to it: {why}.");
                tracing::info!("{line}");
                (kept, vec![line])
            }
        }
    }

    /// Watches no longer, and lets nothing further run.
    pub(super) fn close(self) {
        drop(self.state);
        self.engine.close();
    }
}

fn options(settings: &Settings) -> Options {
    Options {
        connections_max: usize::try_from(settings.engine_connections).unwrap_or(usize::MAX).max(1),
        acquire_timeout: settings.engine_acquire_timeout.0,
        connection_life: settings.engine_connection_life.0,
        connection_idle: settings.engine_connection_idle.0,
        system_url: settings.engine_system_url.clone(),
        ..Options::new(settings.engine_url.clone())
    }
}
