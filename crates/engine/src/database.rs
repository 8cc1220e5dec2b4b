//! An open engine and the model in force: where plans run.
//!
//! A request takes the model once and keeps it to its end, so that it never sees half of a new one. Nothing here decides
//! what a caller may do: plans are made of what was authorized.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use catalog::Language;
use program::Programs;
use query::{Model, Plan};
use render::{Bindings, Command};
use types::session::Session;
use types::{Error, Limits, Result};

use crate::contract::{self, Access, BoxFuture, Clock, Engine, Random, Routines, Sink};
use crate::in_force::InForce;
use crate::programs::Called;
use crate::run::Run;
use crate::said::Heard;
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
    limits: Arc<Limits>,
}

/// A model and the statements of our own that were prepared on it.
pub(crate) struct Served {
    pub(crate) model: Arc<Model>,
    pub(crate) statements: Mutex<HashMap<&'static str, Arc<Prepared>>>,
    /// The bodies of functions that were called.
    pub(crate) programs: Arc<Programs>,
    /// Whether there are functions to interpret.
    pub(crate) interprets: bool,
    /// Whether there are sequences.
    pub(crate) counts: bool,
}

impl Served {
    pub(crate) fn new(model: Arc<Model>) -> Arc<Served> {
        let is_interpreted = |function: &catalog::Function| !matches!(function.language, Language::Other(_));
        let interprets = model.catalog.functions.iter().any(is_interpreted);
        let counts = !model.catalog.sequences.is_empty();
        Arc::new(Served { model, statements: Mutex::default(), programs: Arc::default(), interprets, counts })
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
        Database::limited(engine, model, (random, clock), Limits::default())
    }

    /// The same under limits.
    pub fn limited(
        engine: Arc<dyn Engine>,
        model: Arc<Model>,
        (random, clock): (Random, Clock),
        limits: Limits,
    ) -> Database {
        let served = ArcSwap::new(Served::new(model));
        let limits = Arc::new(limits);
        Database { shared: Arc::new(Shared { engine, served, random, clock, limits }) }
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
    pub async fn read<S: Sink>(&self, model: &Arc<Model>, plan: &Plan, run: &Run, sink: S) -> Result<S> {
        let reads = plan.reads().ok_or_else(|| Error::internal("a plan that writes was run as a read"))?;
        let interprets = !self.shared.engine.capabilities().native_functions;
        if interprets && reads.iter().any(|read| query::visit::calls_for_rows(read)) {
            return Box::pin(self.inspect(model.clone(), plan.clone(), run.clone(), sink)).await;
        }
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
        let commands = commands.collect::<Result<Vec<_>>>()?;
        self.run_commands(model, commands, run.clone(), sink).await
    }

    /// Runs commands that change nothing.
    pub(crate) async fn run_commands<S: Sink>(
        &self,
        model: &Arc<Model>,
        mut commands: Vec<Command>,
        mut run: Run,
        sink: S,
    ) -> Result<S> {
        if commands.iter().any(|command| command.calls) {
            run.routines = Some(self.routines(model, &run));
        }
        let dialect = self.shared.engine.dialect();
        let asks = if run.is_answered_by_functions() { dialect.said(&run.session) } else { None };
        let sink: Box<dyn Any> = match asks {
            None => self.shared.engine.read(commands, Box::new(sink), run).await?,
            Some(asks) => {
                let heard = Heard::passing(Box::new(sink), commands.len(), run.session.settings.clone());
                commands.push(asks);
                Heard::into_inner(self.shared.engine.read(commands, Box::new(heard), run).await?)?
            }
        };
        sink.downcast().map(|sink| *sink).map_err(|_| Error::internal("another sink came back"))
    }

    /// The functions that the commands of a read may call.
    fn routines(&self, model: &Arc<Model>, run: &Run) -> Arc<dyn Routines> {
        Arc::new(Called {
            served: self.served(model),
            dialect: self.shared.engine.dialect(),
            capabilities: self.shared.engine.capabilities(),
            run: run.clone(),
            random: self.shared.random.clone(),
            clock: self.shared.clock.clone(),
            in_force: InForce::new(true, self.shared.limits.clone(), run.search_path.clone()),
        })
    }

    /// Reads what functions say, each called before the rows around it are read.
    async fn inspect<S: Sink>(&self, model: Arc<Model>, plan: Plan, run: Run, mut sink: S) -> Result<S> {
        self.job(model, run, Access::Read, move |work| {
            Box::pin(async move {
                work.perform(&plan, &mut sink).await?;
                Ok(sink)
            })
        })
        .await
    }

    /// What is served of a model.
    fn served(&self, model: &Arc<Model>) -> Arc<Served> {
        let served = self.shared.served.load_full();
        if Arc::ptr_eq(&served.model, model) { served } else { Served::new(model.clone()) }
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
        self.job(model, run, Access::Write, move |work| {
            Box::pin(async move {
                let applied = work.perform_last(&plan, &mut sink).await?;
                sink.end()?;
                Ok((sink, applied))
            })
        })
        .await
    }

    /// Runs a job in one transaction of a caller; one that only reads sees one snapshot. What it does there are plans: see
    /// [`Work::perform`].
    ///
    /// # Errors
    /// The job's error (everything is undone), or the engine's when it could not commit.
    pub async fn together<T, F>(&self, model: Arc<Model>, run: Run, access: Access, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'w> FnOnce(&'w mut Work<'_>) -> BoxFuture<'w, Result<T>> + Send + 'static,
    {
        self.job(model, run, access, job).await
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
        let run = Run { session, ..Run::of_system(timeout) };
        self.job(self.model(), run, Access::Write, job).await
    }

    /// Runs a job in a transaction of the engine.
    async fn job<T, F>(&self, model: Arc<Model>, run: Run, access: Access, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'w> FnOnce(&'w mut Work<'_>) -> BoxFuture<'w, Result<T>> + Send + 'static,
    {
        let served = self.served(&model);
        let path = run.search_path.clone();
        let in_force = InForce::new(access == Access::Read, self.shared.limits.clone(), path.clone());
        let engine = &self.shared.engine;
        let (dialect, capabilities) = (engine.dialect(), engine.capabilities());
        let (random, clock) = (self.shared.random.clone(), self.shared.clock.clone());
        contract::worked(&**engine, access, run.clone(), move |transaction| {
            Box::pin(async move {
                if run.roll_back {
                    transaction.roll_back_at_end();
                }
                let mut work = Work {
                    transaction,
                    served,
                    dialect,
                    capabilities,
                    run,
                    random,
                    clock,
                    path,
                    in_force,
                    transitions: None,
                    admitted: crate::write::Admitted::default(),
                    since: None,
                };
                work.install();
                let done = job(&mut work).await?;
                work.fire_deferred().await?;
                Ok(done)
            })
        })
        .await
    }
}
