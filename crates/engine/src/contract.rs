//! The contract of a driver.
//!
//! ```text
//! Plan ─▶ render ─▶ Command ─▶ Engine::read / Transaction::run ─▶ Sink
//! ```
//!
//! A driver MUST
//! - run every command of one read on one snapshot;
//! - make everything a job did durable before `transact` answers `Ok`, and undo all of it otherwise;
//! - stop a command at its deadline, for real, and answer [`Failure::Canceled`];
//! - classify every native error as a [`Failure`], in one function;
//! - leave no trace of one caller (role, claims, settings, temporary state) for the next;
//! - bind parameters, never splice them.

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use catalog::Sequence;
use query::FunctionId;
use query::functions::around::Counting;
use render::{Command, Dialect};
use types::stored::Cell;
use types::{Capabilities, Error, Result, Type, Value};

use crate::run::Run;

/// A boxed future that can move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Work in one transaction. What it returns as an error undoes everything it did.
pub type Job = Box<dyn for<'t> FnOnce(&'t mut dyn Transaction) -> BoxFuture<'t, Result<()>> + Send>;

/// Fills a buffer with randomness fit for secrets.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// Says the time: microseconds since 2000-01-01 UTC.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The declared functions that an engine's statements call, for an engine that has none of its own.
pub trait Routines: Send + Sync {
    /// The value of a function, called in a transaction.
    fn call<'t>(
        &'t self,
        transaction: &'t mut dyn Transaction,
        routine: &'t Routine,
        args: Vec<Value>,
    ) -> BoxFuture<'t, Result<Value>>;

    /// What a sequence says, asked in a transaction.
    fn count<'t>(
        &'t self,
        transaction: &'t mut dyn Transaction,
        counting: &'t Counting<'t>,
    ) -> BoxFuture<'t, Result<Value>>;
}

/// Where a sequence stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The last value, or the first one where none was given.
    pub value: i64,
    /// Whether it was given.
    pub is_called: bool,
}

impl Standing {
    /// That of one that begins with a value.
    pub fn before(value: i64) -> Standing {
        Standing { value, is_called: false }
    }
}

/// Which function a statement calls, and as what.
#[derive(Clone, Debug)]
pub struct Routine {
    /// The function.
    pub function: FunctionId,
    /// Who calls it.
    pub role: String,
    /// The type of what is wanted.
    pub result: Type,
    /// The types of its arguments.
    pub arguments: Vec<Type>,
}

/// Where rows go. An engine may start a read over: then it says so.
pub trait Sink: Any + Send {
    /// One row of the `command`-th command of the read.
    ///
    /// # Errors
    /// What the receiver refuses; the command stops.
    fn row(&mut self, command: usize, cells: &[Cell<'_>]) -> Result<()>;

    /// Forgets everything received.
    fn restart(&mut self);

    /// Looks at everything received, before a transaction ends.
    ///
    /// # Errors
    /// What the receiver refuses; everything is undone then.
    fn end(&mut self) -> Result<()> {
        Ok(())
    }
}

/// A database.
pub trait Engine: Send + Sync + 'static {
    /// What it can do.
    fn capabilities(&self) -> &'static Capabilities;

    /// How it is spoken to.
    fn dialect(&self) -> &'static dyn Dialect;

    /// Runs read-only commands on one snapshot, each to its end, and gives the sink back. An engine that enforces policies
    /// itself does so for the caller of the run; others ask nothing of it but its time.
    fn read(
        &self,
        commands: Vec<Command>,
        sink: Box<dyn Sink>,
        run: Run,
    ) -> BoxFuture<'_, Result<Box<dyn Sink>, Failure>>;

    /// Runs a job that only reads, on one snapshot.
    fn inspect(&self, job: Job, run: Run) -> BoxFuture<'_, Result<()>>;

    /// Runs a job in a transaction. See [`transact`] for jobs with a result.
    fn transact(&self, job: Job, run: Run) -> BoxFuture<'_, Result<()>>;

    /// Runs a job in which rows of tables move: alone, with foreign keys off. The job looks at them itself.
    fn migrate(&self, job: Job, timeout: Duration) -> BoxFuture<'_, Result<()>>;
}

/// One unit of work.
pub trait Transaction: Send {
    /// Runs one command; its rows go to the sink as those of the `position`-th command. Returns how many rows it changed.
    fn run<'a>(
        &'a mut self,
        command: &'a Command,
        position: usize,
        sink: &'a mut dyn Sink,
    ) -> BoxFuture<'a, Result<u64, Failure>>;

    /// The next value of a sequence. As in PostgreSQL, it is not given back when the transaction fails.
    fn next_value<'a>(&'a mut self, sequence: &'a Sequence) -> BoxFuture<'a, Result<i64, Failure>>;

    /// Where a sequence stands.
    fn standing<'a>(&'a mut self, sequence: &'a Sequence) -> BoxFuture<'a, Result<Standing, Failure>>;

    /// Has a sequence stand elsewhere.
    fn set_value<'a>(
        &'a mut self,
        sequence: &'a Sequence,
        standing: Standing,
    ) -> BoxFuture<'a, Result<(), Failure>>;

    /// Begins a part that can be undone alone; parts may hold others.
    fn begin_part(&mut self) -> BoxFuture<'_, Result<(), Failure>>;

    /// Ends the innermost part, and undoes what was done in it or not.
    fn end_part(&mut self, keep: bool) -> BoxFuture<'_, Result<(), Failure>>;

    /// Has foreign keys wait for the end of the transaction instead of each command's. Whoever puts them off looks at them after each
    /// statement; what it forgets is refused when the transaction ends.
    fn defer_references(&mut self) -> BoxFuture<'_, Result<(), Failure>>;

    /// Whether foreign keys wait, since somebody had them do so in this transaction.
    fn do_references_wait(&self) -> bool {
        false
    }

    /// Has the foreign keys and triggers that an engine keeps for us rest, or act again; says whether they rested. Those of an
    /// engine that does it all itself are its own matter.
    ///
    /// # Errors
    /// The engine's.
    fn rest(&mut self, rest: bool) -> Result<bool, Failure> {
        Ok(rest)
    }

    /// Notes that some rows may refer to nothing from now on, where an engine's own keys err because of such rows; or that none does.
    ///
    /// # Errors
    /// The engine's.
    fn let_references_dangle(&mut self, dangle: bool) -> Result<(), Failure> {
        let _ = dangle;
        Ok(())
    }

    /// Whether that was noted, in this transaction or an earlier one.
    fn may_references_dangle(&self) -> bool {
        false
    }

    /// Refuses to go on when the deadline has passed: asked by whoever computes without commands.
    ///
    /// # Errors
    /// [`Failure::Canceled`]
    fn check(&mut self) -> Result<(), Failure>;

    /// Gives the functions that its commands may call.
    fn install(&mut self, routines: Arc<dyn Routines>);

    /// Goes on with the next request of the same caller: what the one before set for itself is replaced. An engine whose
    /// commands cannot change anything unseen has nothing to do.
    fn turn<'a>(&'a mut self, run: &'a Run, access: Access) -> BoxFuture<'a, Result<(), Failure>> {
        let _ = (run, access);
        Box::pin(std::future::ready(Ok(())))
    }

    /// Undoes everything at the end although the job succeeds (`Prefer: tx=rollback`).
    fn roll_back_at_end(&mut self);

    /// Runs one more command at the end, unless the job fails: together with the commit, where an engine is far.
    ///
    /// # Errors
    /// `XX000` of an engine that is asked for nothing.
    fn run_at_end(&mut self, command: Command, sink: Box<dyn Sink>) -> Result<()> {
        let _ = (command, sink);
        Err(Error::internal("an engine that has nothing to say at the end"))
    }
}

/// What a request of a transaction may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It changes nothing.
    Read,
    /// Anything.
    Write,
}

/// What went wrong in an engine, in engine-neutral words.
#[derive(Debug)]
pub enum Failure {
    /// Two rows with one key. The engine's words for the key: an index, or table and columns.
    Unique {
        /// The index or constraint, if the engine names it.
        index: Option<String>,
        /// The table's stored name.
        table: String,
        /// The columns, if the engine names them.
        columns: Vec<String>,
    },
    /// A foreign key is violated; which one, only the caller can find out.
    ForeignKey,
    /// The deadline passed or the caller went away.
    Canceled,
    /// No space left.
    Full,
    /// Too much work waits already.
    Overloaded,
    /// Any other failure, already in the caller's words.
    Error(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Error(error)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Error {
        use types::Code;
        match failure {
            Failure::Unique { index, .. } => Error::new(
                Code::UNIQUE_VIOLATION,
                format!("duplicate key value violates unique constraint \"{}\"", index.unwrap_or_default()),
            ),
            Failure::ForeignKey => {
                Error::new(Code::FOREIGN_KEY_VIOLATION, "a foreign key constraint is violated")
            }
            Failure::Canceled => {
                Error::new(Code::QUERY_CANCELED, "canceling statement due to statement timeout")
            }
            Failure::Full => Error::new(Code::DISK_FULL, "could not extend file: No space left on device")
                .with_hint("Check free disk space."),
            Failure::Overloaded => {
                Error::new(Code::OVERLOADED, "too much work is waiting").with_hint("Try again.")
            }
            Failure::Error(error) => error,
        }
    }
}

/// Runs `job` in a transaction of `engine` and returns what it returned.
///
/// # Errors
/// The job's error (everything is undone), or the engine's when it could not commit.
pub async fn transact<T, F>(engine: &dyn Engine, run: Run, job: F) -> Result<T>
where
    T: Send + 'static,
    F: for<'t> FnOnce(&'t mut dyn Transaction) -> BoxFuture<'t, Result<T>> + Send + 'static,
{
    worked(engine, Access::Write, run, job).await
}

/// The same of a job that may only read, or may do anything.
///
/// # Errors
/// The job's error, or the engine's.
pub async fn worked<T, F>(engine: &dyn Engine, access: Access, run: Run, job: F) -> Result<T>
where
    T: Send + 'static,
    F: for<'t> FnOnce(&'t mut dyn Transaction) -> BoxFuture<'t, Result<T>> + Send + 'static,
{
    let slot = Arc::new(Mutex::new(None));
    let filled = slot.clone();
    let job: Job = Box::new(move |transaction| {
        Box::pin(async move {
            let value = job(transaction).await?;
            *filled.lock().map_err(|_| Error::internal("result slot"))? = Some(value);
            Ok(())
        })
    });
    match access {
        Access::Read => engine.inspect(job, run).await?,
        Access::Write => engine.transact(job, run).await?,
    }
    let value = slot.lock().map_err(|_| Error::internal("result slot"))?.take();
    value.ok_or_else(|| Error::internal("a committed job left no result"))
}
