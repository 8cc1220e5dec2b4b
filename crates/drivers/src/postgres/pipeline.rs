//! Short reads that share connections: each is a transaction of its own, and none waits for the answer of another before it is
//! asked.
//!
//! A server that finds the next question when it has answered one need not sleep and be woken in between, which costs it as much
//! as a short read. Nothing is held back for that: what is asked goes out at once. Whoever is still behind a read that turned out
//! to be long goes elsewhere, as everybody does whose connection was lost: a read can be asked twice.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use engine::{Failure, Run, Sink};
use render::Command;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::connection::Connection;
use super::errors::Trouble;
use super::options::Options;
use super::pool::{Lease, Pool};
use super::statements::Key;

/// Reads that are asked on one connection and not answered, at most.
const DEPTH_MAX: usize = 8;

/// How long the first read of a connection may take before those behind it go elsewhere; also how often that is looked at.
const PATIENCE: Duration = Duration::from_millis(50);

/// How long a connection is shared before it is given back, so that it can grow old.
const LIFE: Duration = Duration::from_secs(10);

/// Statements that are known to be short, at most.
const KNOWN_MAX: usize = 4096;

/// A read of one command.
pub(super) struct Question {
    pub(super) command: Command,
    pub(super) sink: Box<dyn Sink>,
    pub(super) run: Run,
}

/// What became of a question.
pub(super) enum Answer {
    /// It was answered.
    Heard(Box<dyn Sink>, Result<(), Failure>),
    /// It is to be asked again, on another connection.
    Elsewhere(Box<Question>),
}

/// On what a read is asked.
pub(super) enum Way {
    /// A connection of its own, and the place among short reads that it takes meanwhile.
    Alone(Option<Alone>),
    /// A connection that it may share.
    Among,
}

/// The connections that are shared.
#[derive(Clone)]
pub(super) struct Pipelines {
    shared: Arc<Shared>,
}

struct Shared {
    open: Mutex<Vec<Pipeline>>,
    /// How many connections are used before any is shared.
    width: usize,
    /// What is short, and how long that is.
    short: RwLock<HashSet<Key>>,
    short_max: Duration,
    /// Whether a short read is under way on a connection that is not shared.
    has_alone: AtomicBool,
}

/// A short read on a connection of its own, while it lasts.
pub(super) struct Alone(Arc<Shared>);

impl Drop for Alone {
    fn drop(&mut self) {
        self.0.has_alone.store(false, Ordering::Release);
    }
}

/// The near end of a shared connection.
struct Pipeline {
    questions: mpsc::Sender<(Box<Question>, oneshot::Sender<Answer>)>,
    depth: Arc<AtomicUsize>,
}

impl Pipelines {
    pub(super) fn new(options: &Options) -> Pipelines {
        // Measured: with more, a server on the same machine finds less to do when it has answered.
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let width = cores.max(2).min(options.connections_max.div_ceil(2));
        let shared = Shared {
            open: Mutex::default(),
            width,
            short: RwLock::default(),
            short_max: options.short_read_max,
            has_alone: AtomicBool::new(false),
        };
        Pipelines { shared: Arc::new(shared) }
    }

    /// On what a read is asked. One short read at a time needs no company: where nobody else reads, nothing is shared.
    pub(super) fn way(&self, command: &Command, run: &Run) -> Way {
        if !self.is_short(command, run) {
            Way::Alone(None)
        } else if self.shared.has_alone.swap(true, Ordering::Acquire) {
            Way::Among
        } else {
            Way::Alone(Some(Alone(self.shared.clone())))
        }
    }

    /// Whether a read was short when it was asked the last time.
    fn is_short(&self, command: &Command, run: &Run) -> bool {
        self.shared.short.read().unwrap_or_else(PoisonError::into_inner).contains(&key(command, run))
    }

    /// Notes how long a read took.
    pub(super) fn note(&self, command: &Command, run: &Run, took: Duration) {
        let is_short = took <= self.shared.short_max;
        if self.is_short(command, run) == is_short {
            return;
        }
        let mut short = self.shared.short.write().unwrap_or_else(PoisonError::into_inner);
        if !is_short {
            short.remove(&key(command, run));
            return;
        }
        if short.len() >= KNOWN_MAX {
            short.clear();
        }
        short.insert(key(command, run));
    }

    /// Asks on a connection that is shared already, if it is time for that.
    pub(super) fn join(&self, question: Box<Question>) -> Result<oneshot::Receiver<Answer>, Box<Question>> {
        let open = self.shared.open();
        let Some(pipeline) = self.shared.chosen(&open) else { return Err(question) };
        let (reply, answer) = oneshot::channel();
        pipeline.depth.fetch_add(1, Ordering::Relaxed);
        pipeline.questions.try_send((question, reply)).map(|()| answer).map_err(|refused| {
            pipeline.depth.fetch_sub(1, Ordering::Relaxed);
            refused.into_inner().0
        })
    }

    /// Shares a connection, of which a question is the first.
    pub(super) fn open(
        &self,
        lease: Lease,
        pool: &Pool,
        question: Box<Question>,
    ) -> oneshot::Receiver<Answer> {
        let (questions, asked) = mpsc::channel(DEPTH_MAX);
        let (reply, answer) = oneshot::channel();
        let depth = Arc::new(AtomicUsize::new(1));
        drop(questions.try_send((question, reply)));
        self.shared.open().push(Pipeline { questions, depth: depth.clone() });
        let now = Instant::now();
        let far = FarEnd {
            pipelines: self.clone(),
            pool: pool.clone(),
            questions: asked,
            depth,
            asked: VecDeque::new(),
            last: now,
            end: now + LIFE,
            has_dropped: false,
        };
        tokio::spawn(far.serve(lease));
        answer
    }
}

fn key(command: &Command, run: &Run) -> Key {
    Key { role: run.caller.role.clone(), text: command.text.clone() }
}

impl Shared {
    fn open(&self) -> MutexGuard<'_, Vec<Pipeline>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first ones are shared first, so that of many the others come to their end.
    fn chosen<'o>(&self, open: &'o [Pipeline]) -> Option<&'o Pipeline> {
        let depth = |pipeline: &&Pipeline| pipeline.depth.load(Ordering::Relaxed);
        let (first, others) = open.split_at_checked(self.width)?;
        let least = first.iter().min_by_key(depth)?;
        [least].into_iter().chain(others).find(|pipeline| depth(pipeline) < DEPTH_MAX)
    }
}

/// A question that was asked.
enum Asked {
    Read {
        question: Box<Question>,
        reply: oneshot::Sender<Answer>,
        since: Instant,
    },
    /// What is due after a read that failed.
    Tidying,
}

/// The far end of a shared connection: who asks and hears.
struct FarEnd {
    pipelines: Pipelines,
    pool: Pool,
    questions: mpsc::Receiver<(Box<Question>, oneshot::Sender<Answer>)>,
    depth: Arc<AtomicUsize>,
    asked: VecDeque<Asked>,
    /// When something was answered last.
    last: Instant,
    /// When it is shared no longer.
    end: Instant,
    /// Whether something was asked whose answer nobody waits for here.
    has_dropped: bool,
}

impl FarEnd {
    /// Serves until nobody asks, and gives the connection back, unless it is at its end: then all who wait ask elsewhere.
    async fn serve(mut self, mut lease: Lease) {
        match self.serve_by(&mut lease).await {
            Ok(()) => lease.give_back(),
            Err(trouble) => tracing::debug!(cause = %trouble, "a shared connection has ended"),
        }
    }

    async fn serve_by(&mut self, lease: &mut Lease) -> Result<(), Trouble> {
        let connection = lease.connection()?;
        let mut looks = interval(PATIENCE);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.is_done() {
            tokio::select! {
                biased;
                Some((question, reply)) = self.questions.recv() => self.ask(connection, question, reply)?,
                heard = hear(connection, &mut self.asked) => self.tell(connection, heard)?,
                now = looks.tick() => self.look(now)?,
            }
        }
        Ok(())
    }

    /// Whether all is answered and nobody can ask any more.
    fn is_done(&mut self) -> bool {
        if !self.asked.is_empty() || !self.questions.is_empty() {
            return false;
        }
        let mut open = self.pipelines.shared.open();
        // Whoever joins counts before it lets go of the lock.
        let is_done = self.depth.load(Ordering::Relaxed) == 0;
        if is_done {
            open.retain(|pipeline| !Arc::ptr_eq(&pipeline.depth, &self.depth));
        }
        is_done
    }

    fn ask(
        &mut self,
        connection: &mut Connection,
        question: Box<Question>,
        reply: oneshot::Sender<Answer>,
    ) -> Result<(), Trouble> {
        let asked = connection.ask(&question.command, &question.run);
        self.asked.push_back(Asked::Read { question, reply, since: Instant::now() });
        asked
    }

    /// Tells who waits for it what was heard.
    fn tell(&mut self, connection: &mut Connection, heard: Result<(), Trouble>) -> Result<(), Trouble> {
        let (question, reply, since) = match (self.asked.pop_front(), heard.as_ref()) {
            // It can be asked again where the server has not said why.
            (Some(read @ Asked::Read { .. }), Err(trouble)) if trouble.is_lost => {
                self.asked.push_front(read);
                return heard;
            }
            (Some(Asked::Read { question, reply, since }), _) => (question, reply, since),
            (Some(Asked::Tidying) | None, _) => return heard,
        };
        let now = Instant::now();
        self.pipelines.note(&question.command, &question.run, now.duration_since(since.max(self.last)));
        self.last = now;
        self.depth.fetch_sub(1, Ordering::Relaxed);
        let is_end = self.has_dropped || heard.as_ref().is_err_and(Trouble::is_end);
        let outcome = heard.map_err(|trouble| trouble.failure);
        let has_failed = outcome.is_err();
        // Who has gone does not hear it.
        drop(reply.send(Answer::Heard(question.sink, outcome)));
        match (is_end, has_failed) {
            (true, _) => Err(std::io::Error::other("what was asked last is answered").into()),
            (false, true) => self.tidy(connection),
            (false, false) => Ok(()),
        }
    }

    fn tidy(&mut self, connection: &mut Connection) -> Result<(), Trouble> {
        self.asked.push_back(Asked::Tidying);
        connection.ask_to_tidy()
    }

    /// Looks at what takes long.
    fn look(&mut self, now: Instant) -> Result<(), Trouble> {
        if now >= self.end || self.pool.is_awaited() {
            self.leave();
        }
        let Some(Asked::Read { reply, since, .. }) = self.asked.front() else { return Ok(()) };
        if now.duration_since((*since).max(self.last)) <= PATIENCE {
            return Ok(());
        }
        if reply.is_closed() {
            return Err(std::io::Error::other("nobody waits for a long read").into());
        }
        self.leave();
        self.has_dropped |= self.asked.len() > 1;
        self.asked.drain(1..).for_each(send_elsewhere);
        self.refuse();
        Ok(())
    }

    /// Nobody joins any more.
    fn leave(&self) {
        self.pipelines.shared.open().retain(|pipeline| !Arc::ptr_eq(&pipeline.depth, &self.depth));
    }

    /// What is not asked yet is not asked here.
    fn refuse(&mut self) {
        while let Ok((question, reply)) = self.questions.try_recv() {
            self.depth.fetch_sub(1, Ordering::Relaxed);
            drop(reply.send(Answer::Elsewhere(question)));
        }
    }
}

impl Drop for FarEnd {
    fn drop(&mut self) {
        self.leave();
        self.asked.drain(..).for_each(send_elsewhere);
        self.refuse();
    }
}

fn send_elsewhere(asked: Asked) {
    if let Asked::Read { question, reply, .. } = asked {
        drop(reply.send(Answer::Elsewhere(question)));
    }
}

/// Hears what is answered first, if anything is asked. Whoever stops listening may go on later.
async fn hear(connection: &mut Connection, asked: &mut VecDeque<Asked>) -> Result<(), Trouble> {
    match asked.front_mut() {
        Some(Asked::Read { question, .. }) => {
            connection.heard_read(&question.command, &mut *question.sink).await
        }
        Some(Asked::Tidying) => connection.heard_own().await,
        None => std::future::pending().await,
    }
}
