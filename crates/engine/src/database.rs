//! An open engine and the model in force: where plans run.
//!
//! A request takes the model once and keeps it to its end, so that it never sees half of a new one. Nothing here decides
//! what a caller may do: plans are made of what was authorized.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use query::{Model, Plan};
use render::Bindings;
use types::session::Session;
use types::{Error, Result};

use crate::contract::{self, BoxFuture, Clock, Engine, Random, Sink};
use crate::run::Run;
use crate::statement::Prepared;
use crate::work::Work;

/// An open engine and the model in force. Cheap to clone.
#[derive(Clone)]
pub struct Database {
    shared: Arc<Shared>,
}

struct Shared {
    engine: Arc<dyn Engine>,
    served: ArcSwap<Served>,
    random: Random,
    clock: Clock,
}

/// A model and the statements of our own that were prepared on it.
pub(crate) struct Served {
    pub(crate) model: Arc<Model>,
    pub(crate) statements: Mutex<HashMap<&'static str, Arc<Prepared>>>,
}

impl Served {
    pub(crate) fn new(model: Arc<Model>) -> Arc<Served> {
        Arc::new(Served { model, statements: Mutex::default() })
    }
}

/// What a write did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Rows that were inserted, updated or deleted.
    pub affected: u64,
    /// Those that were not there before.
    pub inserted: u64,
}

impl Database {
    /// An open engine that serves a model.
    pub fn new(engine: Arc<dyn Engine>, model: Arc<Model>, random: Random, clock: Clock) -> Database {
        let served = ArcSwap::new(Served::new(model));
        Database { shared: Arc::new(Shared { engine, served, random, clock }) }
    }

    /// The model in force.
    pub fn model(&self) -> Arc<Model> {
        self.shared.served.load().model.clone()
    }

    /// Puts another model in force. Requests that run keep theirs.
    pub fn replace(&self, model: Arc<Model>) {
        self.shared.served.store(Served::new(model));
    }

    /// The engine.
    pub fn engine(&self) -> &Arc<dyn Engine> {
        &self.shared.engine
    }

    /// Runs the reads of a plan on one snapshot; rows of its n-th step are the sink's n-th command.
    ///
    /// # Errors
    /// What the engine or the sink refuses; `XX000` when the plan writes.
    pub async fn read<S: Sink>(&self, model: &Model, plan: &Plan, run: &Run, sink: S) -> Result<S> {
        let reads = plan.reads().ok_or_else(|| Error::internal("a plan that writes was run as a read"))?;
        let bindings = Bindings {
            caller: &run.caller,
            session: &run.session,
            parameters: &[],
            written: &[],
            given: &[],
        };
        let dialect = self.shared.engine.dialect();
        let commands = reads.into_iter().enumerate().map(|(position, read)| {
            dialect.presented(&model.catalog, read, plan.presentation(position), &bindings)
        });
        let commands = commands.collect::<Result<_>>()?;
        let sink: Box<dyn Any> = self.shared.engine.read(commands, Box::new(sink), run.clone()).await?;
        sink.downcast().map(|sink| *sink).map_err(|_| Error::internal("another sink came back"))
    }

    /// Runs a plan in one transaction; the rows that its steps read go to the sink. What each step did.
    ///
    /// # Errors
    /// What the engine, a constraint, a policy or the sink refuses: everything is undone then.
    pub async fn write<S: Sink>(
        &self,
        model: Arc<Model>,
        plan: Plan,
        run: Run,
        mut sink: S,
    ) -> Result<(S, Vec<Applied>)> {
        self.job(model, run, move |work| {
            Box::pin(async move {
                let applied = work.perform(&plan, &mut sink).await?;
                sink.end()?;
                Ok((sink, applied))
            })
        })
        .await
    }

    /// Runs a job in one transaction of a caller. What it does there are plans: see [`Work::perform`].
    ///
    /// # Errors
    /// The job's error (everything is undone), or the engine's when it could not commit.
    pub async fn together<T, F>(&self, model: Arc<Model>, run: Run, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'w> FnOnce(&'w mut Work<'_>) -> BoxFuture<'w, Result<T>> + Send + 'static,
    {
        self.job(model, run, job).await
    }

    /// Runs statements of our own in one transaction, as the system: no policy stands between.
    ///
    /// # Errors
    /// The job's error (everything is undone), or the engine's when it could not commit.
    pub async fn transact<T, F>(&self, timeout: Duration, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'w> FnOnce(&'w mut Work<'_>) -> BoxFuture<'w, Result<T>> + Send + 'static,
    {
        let session = Session::utc((self.shared.clock)());
        self.job(self.model(), Run { session, ..Run::of_system(timeout) }, job).await
    }

    /// Runs a job in a transaction of the engine.
    async fn job<T, F>(&self, model: Arc<Model>, run: Run, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'w> FnOnce(&'w mut Work<'_>) -> BoxFuture<'w, Result<T>> + Send + 'static,
    {
        let served = self.shared.served.load_full();
        let served = if Arc::ptr_eq(&served.model, &model) { served } else { Served::new(model) };
        let engine = &self.shared.engine;
        let (dialect, capabilities) = (engine.dialect(), engine.capabilities());
        let (random, clock) = (self.shared.random.clone(), self.shared.clock.clone());
        contract::transact(&**engine, run.clone(), move |transaction| {
            Box::pin(async move {
                if run.roll_back {
                    transaction.roll_back_at_end();
                }
                let mut work = Work { transaction, served, dialect, capabilities, run, random, clock };
                job(&mut work).await
            })
        })
        .await
    }
}
