//! The writer: one thread, one connection, group commit.
//!
//! The thread takes every job that waits, runs each in a savepoint of one transaction, commits once, and only then
//! answers. A job that fails is undone alone. What was answered is on the disk.

use std::collections::HashMap;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use catalog::Sequence;
use engine::{BoxFuture, Failure, Job, Sink, Transaction};
use render::Command;
use rusqlite::{Connection, OptionalExtension};
use tokio::sync::{mpsc, oneshot};
use types::{Code, Error, Name, Result};

use super::connect::{self, Prepared};
use super::errors::failure;
use super::{Options, execute, lock_path};

/// Most jobs of one commit.
const GROUP_MAX: usize = 256;

/// The table that remembers sequences.
const SEQUENCES: &str = "CREATE TABLE IF NOT EXISTS \"backplane.sequences\" (name TEXT PRIMARY KEY, value INT NOT NULL) STRICT, WITHOUT ROWID";

/// How a job is run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// In a savepoint, committed with its neighbors.
    Grouped,
    /// In a transaction of its own, foreign keys checked at its end: schema changes.
    Alone,
}

struct Message {
    job: Job,
    kind: Kind,
    until: Instant,
    reply: oneshot::Sender<Result<()>>,
}

pub(super) struct Writer {
    sender: mpsc::Sender<Message>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Held as long as the database is open: keeps a second process out.
    _lock: File,
}

impl Writer {
    pub(super) fn open(options: &Options) -> Result<Writer> {
        let lock = lock(options)?;
        let prepared = connect::writer(options)?;
        prepared.connection.execute_batch(SEQUENCES).map_err(|error| Error::from(failure(&error)))?;
        let (sender, receiver) = mpsc::channel(options.write_queue_max);
        let thread = std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || work(prepared, receiver))
            .map_err(|error| {
                Error::new(Code::IO_ERROR, "could not start the writer thread").with_cause(error)
            })?;
        Ok(Writer { sender, thread: Mutex::new(Some(thread)), _lock: lock })
    }

    pub(super) async fn transact(&self, job: Job, timeout: Duration, kind: Kind) -> Result<()> {
        let (reply, answer) = oneshot::channel();
        let message = Message { job, kind, until: Instant::now() + timeout, reply };
        self.sender.try_send(message).map_err(|_| Error::from(Failure::Overloaded))?;
        answer.await.map_err(|_| Error::new(Code::ADMIN_SHUTDOWN, "the server is shutting down"))?
    }

    /// How many jobs wait.
    pub(super) fn waiting(&self) -> usize {
        self.sender.max_capacity() - self.sender.capacity()
    }

    pub(super) fn close(self) {
        drop(self.sender);
        if let Some(thread) = self.thread.lock().ok().and_then(|mut thread| thread.take()) {
            // A writer that panicked has answered nobody falsely; there is nothing left to wait for.
            let _ = thread.join();
        }
    }
}

fn lock(options: &Options) -> Result<File> {
    let path = lock_path(&options.path);
    let open = File::options().create(true).truncate(false).write(true).open(&path);
    let file = open
        .map_err(|error| Error::new(Code::IO_ERROR, format!("could not open {}: {error}", path.display())))?;
    file.try_lock().map_err(|_| {
        Error::new(
            Code::LOCK_NOT_AVAILABLE,
            format!("the data directory is in use by another process ({})", path.display()),
        )
        .with_hint("Stop the other server, or give this one another directory.")
    })?;
    Ok(file)
}

fn work(mut prepared: Prepared, mut receiver: mpsc::Receiver<Message>) {
    let mut sequences = Sequences::default();
    let mut group = Vec::new();
    while let Some(first) = receiver.blocking_recv() {
        if first.kind == Kind::Alone {
            let outcome = alone(&mut prepared, &mut sequences, first.job, first.until);
            let _ = first.reply.send(outcome);
            continue;
        }
        group.push(first);
        let mut next = None;
        while group.len() < GROUP_MAX {
            match receiver.try_recv() {
                Ok(message) if message.kind == Kind::Grouped => group.push(message),
                Ok(message) => {
                    next = Some(message);
                    break;
                }
                Err(_) => break,
            }
        }
        grouped(&mut prepared, &mut sequences, &mut group);
        if let Some(message) = next {
            let outcome = alone(&mut prepared, &mut sequences, message.job, message.until);
            let _ = message.reply.send(outcome);
        }
    }
    // The log is written back so that the next start has nothing to recover; it is only a courtesy.
    let _ = prepared.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE);");
}

/// Runs a group of jobs and answers each after the commit.
fn grouped(prepared: &mut Prepared, sequences: &mut Sequences, group: &mut Vec<Message>) {
    let mut begun = begin(prepared);
    let mut answers = Vec::with_capacity(group.len());
    for message in group.drain(..) {
        let outcome = match &begun {
            Ok(()) => in_savepoint(prepared, sequences, message.job, message.until),
            Err(error) => Err(error.clone()),
        };
        let lost = begun.is_ok() && prepared.connection.is_autocommit();
        let reason = outcome.clone().err();
        answers.push((message.reply, outcome));
        if lost {
            // SQLite gives up a whole transaction when the disk is full: what was done in it is gone, the rest begins anew.
            sequences.forget();
            answer(&mut answers, &Err(reason.unwrap_or_else(|| Error::internal("a transaction was lost"))));
            begun = begin(prepared);
        }
    }
    prepared.budget.set(Duration::MAX, i64::MAX);
    let committed = begun.and_then(|()| {
        sequences.save(&prepared.connection)?;
        step(prepared, "COMMIT")
    });
    if committed.is_err() {
        if !prepared.connection.is_autocommit() {
            // When even this fails, the next BEGIN says so.
            let _ = batch(prepared, "ROLLBACK");
        }
        sequences.forget();
    }
    answer(&mut answers, &committed);
}

fn begin(prepared: &Prepared) -> Result<()> {
    prepared.budget.set(Duration::MAX, i64::MAX);
    step(prepared, "BEGIN IMMEDIATE")
}

/// Answers jobs whose transaction ended so.
fn answer(answers: &mut Vec<(oneshot::Sender<Result<()>>, Result<()>)>, end: &Result<()>) {
    for (reply, outcome) in answers.drain(..) {
        // Nobody waits for the answer of a request that was given up.
        let _ = reply.send(outcome.and_then(|()| end.clone()));
    }
}

fn in_savepoint(prepared: &mut Prepared, sequences: &mut Sequences, job: Job, until: Instant) -> Result<()> {
    let left = until.checked_duration_since(Instant::now()).ok_or_else(|| Error::from(Failure::Canceled))?;
    step(prepared, "SAVEPOINT job")?;
    prepared.budget.set(left, i64::MAX);
    let mut work =
        Work { prepared: &mut *prepared, sequences: &mut *sequences, alone: false, roll_back: false };
    let mut outcome = finish(job, &mut work);
    let roll_back = work.roll_back;
    prepared.budget.set(Duration::MAX, i64::MAX);
    if outcome.is_ok() && !roll_back {
        match step(prepared, "RELEASE job") {
            Ok(()) => return Ok(()),
            Err(error) => outcome = Err(error),
        }
    }
    if !prepared.connection.is_autocommit() && batch(prepared, "ROLLBACK TO job; RELEASE job").is_err() {
        // A job that cannot be undone alone takes its group with it.
        let _ = batch(prepared, "ROLLBACK");
    }
    outcome
}

/// Runs a job that changes the schema: foreign keys are off while tables are made anew; the job looks at them itself.
fn alone(prepared: &mut Prepared, sequences: &mut Sequences, job: Job, until: Instant) -> Result<()> {
    let left = until.checked_duration_since(Instant::now()).ok_or_else(|| Error::from(Failure::Canceled))?;
    prepared.budget.set(left, i64::MAX);
    batch(prepared, "PRAGMA foreign_keys=OFF; BEGIN IMMEDIATE")?;
    let mut work =
        Work { prepared: &mut *prepared, sequences: &mut *sequences, alone: true, roll_back: false };
    let outcome = finish(job, &mut work);
    let roll_back = work.roll_back;
    let outcome = outcome.and_then(|()| {
        sequences.save(&prepared.connection)?;
        batch(prepared, if roll_back { "ROLLBACK" } else { "COMMIT" })
    });
    prepared.budget.set(Duration::MAX, i64::MAX);
    if outcome.is_err() && !prepared.connection.is_autocommit() {
        // When even this fails, the next BEGIN says so.
        let _ = batch(prepared, "ROLLBACK");
    }
    sequences.forget();
    prepared.connection.flush_prepared_statement_cache();
    batch(prepared, "PRAGMA legacy_alter_table=OFF; PRAGMA recursive_triggers=OFF; PRAGMA foreign_keys=ON")?;
    outcome
}

/// Runs a statement that every group or job has: prepared once.
fn step(prepared: &Prepared, text: &str) -> Result<()> {
    let mut statement =
        prepared.connection.prepare_cached(text).map_err(|error| Error::from(failure(&error)))?;
    statement.execute([]).map(drop).map_err(|error| Error::from(failure(&error)))
}

fn batch(prepared: &Prepared, text: &str) -> Result<()> {
    prepared.connection.execute_batch(text).map_err(|error| Error::from(failure(&error)))
}

/// Drives a job to its end. Nothing on this engine ever waits, so a job that does is a bug, as is one that panics: it is
/// undone like one that fails, and the thread goes on.
fn finish(job: Job, work: &mut Work<'_>) -> Result<()> {
    let run = AssertUnwindSafe(|| job(work).as_mut().poll(&mut Context::from_waker(Waker::noop())));
    match catch_unwind(run) {
        Ok(Poll::Ready(outcome)) => outcome,
        Ok(Poll::Pending) => Err(Error::internal("a job waited for something outside of its transaction")),
        Err(_) => Err(Error::internal("a job panicked")),
    }
}

/// The transaction of one job.
struct Work<'a> {
    prepared: &'a mut Prepared,
    sequences: &'a mut Sequences,
    /// Whether its commands may change sequences themselves: then none is kept in memory beyond a command.
    alone: bool,
    roll_back: bool,
}

impl Work<'_> {
    fn put_sequences_back(&mut self) -> Result<(), Failure> {
        if self.alone {
            self.sequences.save(&self.prepared.connection)?;
            self.sequences.forget();
        }
        Ok(())
    }
}

impl Transaction for Work<'_> {
    fn run<'a>(
        &'a mut self,
        command: &'a Command,
        position: usize,
        sink: &'a mut dyn Sink,
    ) -> BoxFuture<'a, Result<u64, Failure>> {
        let kept = self.put_sequences_back();
        let outcome = kept.and_then(|()| execute::command(self.prepared, command, position, sink));
        Box::pin(std::future::ready(outcome))
    }

    fn next_value<'a>(&'a mut self, sequence: &'a Sequence) -> BoxFuture<'a, Result<i64, Failure>> {
        let outcome = self.sequences.next(&self.prepared.connection, sequence);
        Box::pin(std::future::ready(outcome))
    }

    fn set_value<'a>(&'a mut self, sequence: &'a Sequence, last: i64) -> BoxFuture<'a, Result<(), Failure>> {
        self.sequences.values.insert(sequence.name.clone(), Counted { value: last, unsaved: true });
        Box::pin(std::future::ready(Ok(())))
    }

    fn roll_back_at_end(&mut self) {
        self.roll_back = true;
    }
}

/// Sequences: counted in memory, so that a failed job does not give its numbers back, and saved with every commit.
#[derive(Default)]
struct Sequences {
    values: HashMap<Name, Counted>,
}

struct Counted {
    value: i64,
    unsaved: bool,
}

impl Sequences {
    fn next(&mut self, connection: &Connection, sequence: &Sequence) -> Result<i64, Failure> {
        let last = match self.values.get(&sequence.name) {
            Some(counted) => Some(counted.value),
            None => load(connection, &sequence.name)?,
        };
        let value = match last {
            None => sequence.start,
            Some(last) => after(last, sequence)?,
        };
        self.values.insert(sequence.name.clone(), Counted { value, unsaved: true });
        Ok(value)
    }

    fn save(&mut self, connection: &Connection) -> Result<()> {
        for (name, counted) in self.values.iter_mut().filter(|(_, counted)| counted.unsaved) {
            let mut statement = connection
                .prepare_cached("INSERT INTO \"backplane.sequences\" VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value")
                .map_err(|error| Error::from(failure(&error)))?;
            statement
                .execute((name.to_string(), counted.value))
                .map_err(|error| Error::from(failure(&error)))?;
            counted.unsaved = false;
        }
        Ok(())
    }

    fn forget(&mut self) {
        self.values.clear();
    }
}

fn load(connection: &Connection, name: &Name) -> Result<Option<i64>, Failure> {
    let mut statement = connection
        .prepare_cached("SELECT value FROM \"backplane.sequences\" WHERE name = ?1")
        .map_err(|error| failure(&error))?;
    statement.query_row([name.to_string()], |row| row.get(0)).optional().map_err(|error| failure(&error))
}

/// The value after `last`: PostgreSQL's `nextval`.
fn after(last: i64, sequence: &Sequence) -> Result<i64, Failure> {
    let next =
        last.checked_add(sequence.increment).filter(|next| (sequence.min..=sequence.max).contains(next));
    let (word, bound, again) = if sequence.increment > 0 {
        ("maximum", sequence.max, sequence.min)
    } else {
        ("minimum", sequence.min, sequence.max)
    };
    match next {
        Some(next) => Ok(next),
        None if sequence.cycle => Ok(again),
        None => Err(Failure::Error(Error::new(
            Code::SEQUENCE_LIMIT,
            format!("nextval: reached {word} value of sequence \"{}\" ({bound})", sequence.name.name),
        ))),
    }
}
