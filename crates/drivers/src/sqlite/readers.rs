//! Reads: where they are asked while they are short, on a thread of their own when they are not.
//!
//! A read has no effects, so one that runs out of its short budget is stopped and started over. That keeps a point
//! read free of thread changes and a long one from holding up anybody else.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use engine::{Failure, Job, Routines, Run, Sink};
use query::functions::around;
use render::Command;
use tokio::sync::oneshot;
use types::{Code, Error, Result};

use super::Options;
use super::around::Waiting;
use super::connect::{self, Prepared};
use super::errors::failure;
use super::execute;
use super::inside::STACK_BYTES;
use super::writer::finish;

/// Looks at the budget that a read may take where it was asked: about a millisecond.
const SHORT_LOOKS: i64 = 60;

/// Long reads that may wait for a thread.
const WAITING_MAX: usize = 1_024;

struct LongRead {
    what: What,
    until: Instant,
    /// Whether nobody waits for it any more.
    left: Arc<AtomicBool>,
}

/// What is read.
enum What {
    /// Rows of commands.
    Rows {
        commands: Vec<Command>,
        sink: Box<dyn Sink>,
        routines: Option<Arc<dyn Routines>>,
        reply: oneshot::Sender<Result<Box<dyn Sink>, Failure>>,
    },
    /// What a job reads.
    Job { job: Job, reply: oneshot::Sender<Result<()>> },
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<(std::collections::VecDeque<LongRead>, bool)>,
    changed: Condvar,
}

pub(super) struct Readers {
    short: Vec<Mutex<Prepared>>,
    queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    pub(super) fn open(options: &Options) -> Result<Readers> {
        let short =
            (0..options.readers).map(|_| connect::reader(options).map(Mutex::new)).collect::<Result<_>>()?;
        let queue = Arc::new(Queue::default());
        let threads = (0..options.readers)
            .map(|number| long_reader(options.clone(), queue.clone(), number))
            .collect::<Result<_>>()?;
        Ok(Readers { short, queue, threads })
    }

    pub(super) async fn read(
        &self,
        commands: Vec<Command>,
        mut sink: Box<dyn Sink>,
        run: Run,
    ) -> Result<Box<dyn Sink>, Failure> {
        // Functions that are interpreted need a stack that only threads of our own have.
        let calls = commands.iter().any(|command| command.calls);
        if !calls && let Some(outcome) = self.read_short(&commands, sink.as_mut(), run.timeout) {
            return outcome.map(|()| sink);
        }
        sink.restart();
        let (reply, answer) = oneshot::channel();
        let waiting = Waiting::default();
        let left = waiting.left();
        let what = What::Rows { commands, sink, routines: run.routines, reply };
        self.push(LongRead { what, until: Instant::now() + run.timeout, left })?;
        answer.await.map_err(|_| Failure::Error(shutting_down()))?
    }

    /// Runs a job that only reads, on one snapshot.
    pub(super) async fn inspect(&self, job: Job, timeout: Duration) -> Result<()> {
        let (reply, answer) = oneshot::channel();
        let waiting = Waiting::default();
        let left = waiting.left();
        let until = Instant::now() + timeout;
        self.push(LongRead { what: What::Job { job, reply }, until, left })?;
        answer.await.map_err(|_| shutting_down())?
    }

    /// Tries it here and now; `None` when no connection is free or it takes longer than a short read.
    fn read_short(
        &self,
        commands: &[Command],
        sink: &mut dyn Sink,
        timeout: Duration,
    ) -> Option<Result<(), Failure>> {
        let prepared = self.short.iter().find_map(free)?;
        prepared.budget.set(timeout, SHORT_LOOKS);
        match run(&prepared, commands, sink) {
            Err(Failure::Canceled) if prepared.budget.out_of_looks() => None,
            Err(Failure::Error(error))
                if error.code() == Code::QUERY_CANCELED && prepared.budget.out_of_looks() =>
            {
                None
            }
            outcome => Some(outcome),
        }
    }

    fn push(&self, read: LongRead) -> Result<(), Failure> {
        let mut waiting = self.queue.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.0.len() >= WAITING_MAX {
            return Err(Failure::Overloaded);
        }
        waiting.0.push_back(read);
        self.queue.changed.notify_one();
        Ok(())
    }
}

fn shutting_down() -> Error {
    Error::new(Code::ADMIN_SHUTDOWN, "the server is shutting down")
}

/// A connection that nobody uses. A read that panicked left no trace in its connection.
fn free(reader: &Mutex<Prepared>) -> Option<MutexGuard<'_, Prepared>> {
    match reader.try_lock() {
        Ok(prepared) => Some(prepared),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.queue.waiting.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
        self.queue.changed.notify_all();
        for thread in self.threads.drain(..) {
            // A thread that panicked has nothing left to finish.
            let _ = thread.join();
        }
    }
}

/// Starts a thread that opens its connection at its first read.
fn long_reader(options: Options, queue: Arc<Queue>, number: usize) -> Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name(format!("reader-{number}"))
        .stack_size(STACK_BYTES)
        .spawn(move || {
            let mut prepared = None;
            while let Some(read) = next(&queue) {
                answer(&options, &mut prepared, read);
            }
        })
        .map_err(|error| Error::new(Code::IO_ERROR, "could not start a reader thread").with_cause(error))
}

fn next(queue: &Queue) -> Option<LongRead> {
    let mut waiting = queue.waiting.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if let Some(read) = waiting.0.pop_front() {
            return Some(read);
        }
        if waiting.1 {
            return None;
        }
        waiting = queue.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
    }
}

fn answer(options: &Options, prepared: &mut Option<Prepared>, read: LongRead) {
    let LongRead { what, until, left } = read;
    let ready = ready(options, prepared, until, left);
    // Nobody waits for the answer of a request that was given up.
    match what {
        What::Rows { commands, mut sink, routines, reply } => {
            let run = AssertUnwindSafe(|| {
                let prepared = ready?;
                prepared.surroundings.calls().install(routines);
                let outcome = run(prepared, &commands, sink.as_mut());
                prepared.surroundings.calls().forget();
                outcome
            });
            let outcome =
                catch_unwind(run).unwrap_or_else(|_| Err(Error::internal("a read panicked").into()));
            let _ = reply.send(outcome.map(|()| sink));
        }
        What::Job { job, reply } => {
            let outcome = ready.map_err(Error::from).and_then(|prepared| inspected(prepared, job));
            let _ = reply.send(outcome);
        }
    }
}

/// A connection with the time that is left.
fn ready<'a>(
    options: &Options,
    prepared: &'a mut Option<Prepared>,
    until: Instant,
    left: Arc<AtomicBool>,
) -> Result<&'a mut Prepared, Failure> {
    if left.load(Ordering::Relaxed) {
        return Err(Failure::Canceled);
    }
    let time = until.checked_duration_since(Instant::now()).ok_or(Failure::Canceled)?;
    let prepared = match prepared {
        Some(prepared) => prepared,
        empty => empty.insert(connect::reader(options)?),
    };
    prepared.budget.set(time, i64::MAX);
    prepared.budget.until(Some(left));
    Ok(prepared)
}

/// Runs a job on one snapshot.
fn inspected(prepared: &Prepared, job: Job) -> Result<()> {
    let connection = prepared.connection();
    let transaction = connection.unchecked_transaction().map_err(|error| Error::from(failure(&error)))?;
    let (outcome, _) = finish(job, prepared);
    transaction.rollback().map_err(|error| Error::from(failure(&error)))?;
    outcome
}

/// All commands on one snapshot.
fn run(prepared: &Prepared, commands: &[Command], sink: &mut dyn Sink) -> Result<(), Failure> {
    let _entered = around::enter(prepared.around.clone());
    let connection = &*prepared.connection();
    let surroundings = &prepared.surroundings;
    if let [command] = commands {
        return execute::command(connection, surroundings, command, 0, sink).map(|_| ());
    }
    let transaction = connection.unchecked_transaction().map_err(|error| failure(&error))?;
    for (position, command) in commands.iter().enumerate() {
        execute::command(connection, surroundings, command, position, sink)?;
    }
    transaction.commit().map_err(|error| failure(&error))
}
