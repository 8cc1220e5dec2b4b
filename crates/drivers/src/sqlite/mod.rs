//! The embedded engine: SQLite in process, with PostgreSQL's semantics registered as functions and collations.
//!
//! One writer thread commits waiting jobs together at `synchronous=FULL` and answers after the commit. Reads run
//! where they are asked, on a small set of connections, within a budget of steps; what needs more starts over
//! on a thread of its own. No caller's identity ever lives in a connection: everything is a parameter.

mod around;
mod calls;
mod collations;
mod connect;
mod errors;
mod execute;
mod frames;
mod functions;
mod inside;
mod readers;
mod sequences;
mod sets;
mod special;
mod surroundings;
#[cfg(test)]
mod tests;
mod writer;

use std::path::{Path, PathBuf};
use std::time::Duration;

use engine::{BoxFuture, Clock, Engine, Failure, Job, Random, Run, Sink};
use render::{Command, Dialect};
use types::{Capabilities, Result};

use readers::Readers;
use writer::Writer;

/// What SQLite can do.
pub const CAPABILITIES: Capabilities = Capabilities {
    nested_json: true,
    native_policies: false,
    transactional_ddl: true,
    native_functions: false,
    parameters_max: 32_766,
};

/// How to open a database.
#[derive(Clone)]
pub struct Options {
    /// The database file; it is made if it is absent.
    pub path: PathBuf,
    /// Connections for short reads, and as many threads for long ones.
    pub readers: usize,
    /// Jobs that may wait for the writer.
    pub write_queue_max: usize,
    /// Longest value that a read may make: what it makes is in memory at once.
    pub value_bytes_max: usize,
    /// How long functions may sleep, in all of one transaction that may write.
    pub sleep_max: Duration,
    /// Where randomness comes from.
    pub random: Random,
    /// Where the time comes from.
    pub clock: Clock,
}

/// An open SQLite database.
pub struct Sqlite {
    readers: Readers,
    writer: Writer,
}

impl Sqlite {
    /// Opens the database.
    ///
    /// # Errors
    /// `55P03` when another process has it open for writing, `58030` when it cannot be read or made.
    pub fn open(options: &Options) -> Result<Sqlite> {
        let writer = Writer::open(options)?;
        let readers = Readers::open(options)?;
        Ok(Sqlite { readers, writer })
    }

    /// How many jobs wait for the writer.
    pub fn waiting(&self) -> usize {
        self.writer.waiting()
    }

    /// Waits until every accepted job is answered, writes the log back into the database file, and closes.
    pub fn close(self) {
        drop(self.readers);
        self.writer.close();
    }
}

impl Engine for Sqlite {
    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &render::sqlite::Sqlite
    }

    fn read(
        &self,
        commands: Vec<Command>,
        sink: Box<dyn Sink>,
        run: Run,
    ) -> BoxFuture<'_, Result<Box<dyn Sink>, Failure>> {
        Box::pin(self.readers.read(commands, sink, run))
    }

    fn inspect(&self, job: Job, run: Run) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.readers.inspect(job, run.timeout))
    }

    fn transact(&self, job: Job, run: Run) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.writer.transact(job, run.timeout, writer::Kind::Grouped))
    }

    fn migrate(&self, job: Job, timeout: Duration) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.writer.transact(job, timeout, writer::Kind::Alone))
    }
}

/// The lock that keeps a second process from the same data directory.
fn lock_path(database: &Path) -> PathBuf {
    database.with_extension("lock")
}
