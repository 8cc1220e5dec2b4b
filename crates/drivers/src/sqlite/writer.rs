//! The writer: one thread, one connection, group commit.
//!
//! The thread takes every job that waits, runs each in a savepoint of one transaction, commits once, and only then
//! answers. A job that fails is undone alone; one that nobody waits for any more is not begun. What was answered is on the
//! disk.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use engine::{Failure, Job};
use query::functions::around;
use tokio::sync::{mpsc, oneshot};
use types::{Code, Error, Result};

use super::around::Waiting;
use super::connect::{self, Prepared};
use super::errors::failure;
use super::inside::{Inside, STACK_BYTES};
use super::sequences::{self, Sequences};
use super::{Options, lock_path};

/// Most jobs of one commit.
const GROUP_MAX: usize = 256;

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
    /// Whether nobody waits for it any more.
    left: Arc<AtomicBool>,
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
        sequences::prepare(&prepared.connection()).map_err(|error| Error::from(failure(&error)))?;
        let (sender, receiver) = mpsc::channel(options.write_queue_max);
        let thread = std::thread::Builder::new()
            .name("writer".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || work(prepared, receiver))
            .map_err(|error| {
                Error::new(Code::IO_ERROR, "could not start the writer thread").with_cause(error)
            })?;
        Ok(Writer { sender, thread: Mutex::new(Some(thread)), _lock: lock })
    }

    pub(super) async fn transact(&self, job: Job, timeout: Duration, kind: Kind) -> Result<()> {
        let (reply, answer) = oneshot::channel();
        let waiting = Waiting::default();
        let (until, left) = (Instant::now() + timeout, waiting.left());
        let message = Message { job, kind, until, left, reply };
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
    let sequences = prepared.surroundings.sequences().clone();
    let mut group = Vec::new();
    while let Some(first) = receiver.blocking_recv() {
        if first.kind == Kind::Alone {
            let outcome = alone(&mut prepared, &sequences, first.job, first.until);
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
        group.retain(|message| !message.reply.is_closed());
        match group.len() {
            0 => {}
            1 => {
                if let Some(Message { job, until, left, reply, .. }) = group.pop() {
                    prepared.budget.asked_by(Some(left));
                    let outcome = single(&mut prepared, &sequences, job, until);
                    prepared.budget.asked_by(None);
                    let _ = reply.send(outcome);
                }
            }
            _ => grouped(&mut prepared, &sequences, &mut group),
        }
        if let Some(message) = next {
            let outcome = alone(&mut prepared, &sequences, message.job, message.until);
            let _ = message.reply.send(outcome);
        }
    }
    // What was not used of the sequences is given back. Without it there are gaps.
    let _ = sequences.put_back(&prepared.connection());
    // The log is written back so that the next start has nothing to recover; it is only a courtesy.
    let _ = prepared.connection().execute_batch("PRAGMA wal_checkpoint(TRUNCATE);");
}

/// Runs a job that has no neighbors.
fn single(prepared: &mut Prepared, sequences: &Sequences, job: Job, until: Instant) -> Result<()> {
    let left = until.checked_duration_since(Instant::now()).ok_or_else(|| Error::from(Failure::Canceled))?;
    begin(prepared)?;
    prepared.budget.set(left, i64::MAX);
    prepared.budget.wait_for(prepared.patience);
    let (outcome, roll_back) = finish(job, prepared);
    prepared.budget.set(Duration::MAX, i64::MAX);
    let lost = prepared.connection().is_autocommit();
    if outcome.is_ok() && !roll_back && !lost {
        let committed = sequences.save(&prepared.connection()).and_then(|()| step(prepared, "COMMIT"));
        if committed.is_err() {
            sequences.forget();
            undo(prepared);
        }
        return committed;
    }
    undo(prepared);
    match lost {
        // As for a group: what was done before it was lost is gone.
        true => {
            sequences.forget();
            outcome.and_then(|()| Err(Error::internal("a transaction was lost")))
        }
        false => outcome,
    }
}

/// Ends a transaction that is not to be committed.
fn undo(prepared: &Prepared) {
    if !prepared.connection().is_autocommit() {
        // When even this fails, the next BEGIN says so.
        let _ = batch(prepared, "ROLLBACK");
    }
}

/// Runs a group of jobs and answers each after the commit.
fn grouped(prepared: &mut Prepared, sequences: &Sequences, group: &mut Vec<Message>) {
    let mut begun = begin(prepared);
    let mut answers = Vec::with_capacity(group.len());
    for message in group.drain(..) {
        let outcome = match &begun {
            Ok(()) => {
                prepared.budget.asked_by(Some(message.left));
                let outcome = in_savepoint(prepared, message.job, message.until);
                prepared.budget.asked_by(None);
                outcome
            }
            Err(error) => Err(error.clone()),
        };
        let lost = begun.is_ok() && prepared.connection().is_autocommit();
        let reason = outcome.clone().err();
        answers.push((message.reply, outcome));
        let is_last = prepared.surroundings.do_references_wait() || prepared.budget.has_waited();
        if begun.is_ok() && !lost && is_last {
            // The next job's keys are its own: they do not wait. What is done does not wait for another one that sleeps.
            let committed = commit(prepared, sequences);
            answer(&mut answers, &committed);
            begun = begin(prepared);
        }
        if lost {
            // SQLite gives up a whole transaction when the disk is full: what was done in it is gone, the rest begins anew.
            sequences.forget();
            answer(&mut answers, &Err(reason.unwrap_or_else(|| Error::internal("a transaction was lost"))));
            begun = begin(prepared);
        }
    }
    let committed = match begun {
        Ok(()) => commit(prepared, sequences),
        Err(error) => {
            undo(prepared);
            sequences.forget();
            Err(error)
        }
    };
    answer(&mut answers, &committed);
}

/// Ends the transaction of a group, in which nothing is kept when that fails.
fn commit(prepared: &Prepared, sequences: &Sequences) -> Result<()> {
    prepared.budget.set(Duration::MAX, i64::MAX);
    let committed = sequences.save(&prepared.connection()).and_then(|()| step(prepared, "COMMIT"));
    if committed.is_err() {
        undo(prepared);
        sequences.forget();
    }
    committed
}

fn begin(prepared: &Prepared) -> Result<()> {
    prepared.budget.set(Duration::MAX, i64::MAX);
    prepared.surroundings.have_references_wait(false);
    step(prepared, "BEGIN IMMEDIATE")
}

/// Answers jobs whose transaction ended so.
fn answer(answers: &mut Vec<(oneshot::Sender<Result<()>>, Result<()>)>, end: &Result<()>) {
    for (reply, outcome) in answers.drain(..) {
        // Nobody waits for the answer of a request that was given up.
        let _ = reply.send(outcome.and_then(|()| end.clone()));
    }
}

fn in_savepoint(prepared: &Prepared, job: Job, until: Instant) -> Result<()> {
    let left = until.checked_duration_since(Instant::now()).ok_or_else(|| Error::from(Failure::Canceled))?;
    step(prepared, "SAVEPOINT job")?;
    prepared.budget.set(left, i64::MAX);
    prepared.budget.wait_for(prepared.patience);
    let (mut outcome, roll_back) = finish(job, prepared);
    prepared.budget.set(Duration::MAX, i64::MAX);
    if outcome.is_ok() && !roll_back {
        match step(prepared, "RELEASE job") {
            Ok(()) => return Ok(()),
            Err(error) => outcome = Err(error),
        }
    }
    if !prepared.connection().is_autocommit() && batch(prepared, "ROLLBACK TO job; RELEASE job").is_err() {
        // A job that cannot be undone alone takes its group with it.
        let _ = batch(prepared, "ROLLBACK");
    }
    outcome
}

/// Runs a job that changes the schema: foreign keys are off while tables are made anew; the job looks at them itself.
fn alone(prepared: &mut Prepared, sequences: &Sequences, job: Job, until: Instant) -> Result<()> {
    let left = until.checked_duration_since(Instant::now()).ok_or_else(|| Error::from(Failure::Canceled))?;
    prepared.budget.set(left, i64::MAX);
    // Nothing else is served meanwhile.
    prepared.budget.wait_for(Duration::MAX);
    prepared.surroundings.have_references_wait(false);
    if let Err(error) = batch(prepared, "PRAGMA foreign_keys=OFF; BEGIN IMMEDIATE") {
        batch(prepared, "PRAGMA foreign_keys=ON")?;
        return Err(error);
    }
    sequences.leave_alone(true);
    let (outcome, roll_back) = finish(job, prepared);
    sequences.leave_alone(false);
    let outcome = outcome.and_then(|()| {
        sequences.put_back(&prepared.connection())?;
        batch(prepared, if roll_back { "ROLLBACK" } else { "COMMIT" })
    });
    prepared.budget.set(Duration::MAX, i64::MAX);
    if outcome.is_err() {
        undo(prepared);
    }
    sequences.forget();
    if prepared.surroundings.look_at_references(&prepared.connection()).is_err() {
        prepared.surroundings.let_references_dangle(true);
    }
    prepared.connection().flush_prepared_statement_cache();
    batch(prepared, "PRAGMA legacy_alter_table=OFF; PRAGMA recursive_triggers=OFF; PRAGMA foreign_keys=ON")?;
    outcome
}

/// Runs a statement that every group or job has: prepared once.
fn step(prepared: &Prepared, text: &str) -> Result<()> {
    let connection = prepared.connection();
    let mut statement = connection.prepare_cached(text).map_err(|error| Error::from(failure(&error)))?;
    statement.execute([]).map(drop).map_err(|error| Error::from(failure(&error)))
}

fn batch(prepared: &Prepared, text: &str) -> Result<()> {
    prepared.connection().execute_batch(text).map_err(|error| Error::from(failure(&error)))
}

/// Drives a job to its end, and says whether it wants to be undone. Nothing on this engine ever waits, so a job that does is
/// a bug, as is one that panics: it is undone like one that fails, and the thread goes on.
pub(super) fn finish(job: Job, prepared: &Prepared) -> (Result<()>, bool) {
    let _entered = around::enter(prepared.around.clone());
    let mut inside = Inside::new(&prepared.connection, &prepared.surroundings);
    let run = AssertUnwindSafe(|| job(&mut inside).as_mut().poll(&mut Context::from_waker(Waker::noop())));
    let outcome = match catch_unwind(run) {
        Ok(Poll::Ready(outcome)) => outcome,
        Ok(Poll::Pending) => Err(Error::internal("a job waited for something outside of its transaction")),
        Err(_) => Err(Error::internal("a job panicked")),
    };
    prepared.surroundings.calls().forget();
    // A job that panicked may have left them at rest.
    let (surroundings, connection) = (&prepared.surroundings, prepared.connection());
    let acts = surroundings.rest(&connection, false).and_then(|_| surroundings.wake(&connection, 0));
    let outcome = outcome.and_then(|()| acts.map_err(Error::from));
    (outcome, inside.wants_to_be_undone())
}
