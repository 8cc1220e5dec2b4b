//! What registered functions know besides their arguments: the session of the command that runs, randomness, the clock.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use query::functions::Context;
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::functions::Context as Arguments;
use rusqlite::types::Value as Owned;
use types::session::Session;
use types::stored::{decode, encode};
use types::{Error, Result, Type, Value};

use super::errors::{carried, failure};
use engine::{Clock, Failure, Random};

use super::calls::Calls;
use super::connect::Budget;
use super::sequences::Sequences;
use super::{Options, execute};

/// One connection's.
#[derive(Clone)]
pub(super) struct Surroundings {
    session: Arc<Mutex<Session>>,
    random: Random,
    clock: Clock,
    calls: Calls,
    sequences: Sequences,
    budget: Arc<Budget>,
    writes: bool,
    resting: Arc<Mutex<Option<Resting>>>,
    /// Whether foreign keys wait for the end of the transaction.
    waiting: Arc<AtomicBool>,
    /// Whether rows may refer to nothing: the database's `user_version`. SQLite counts what refers to nothing, and takes such a row that goes
    /// for one that it counted.
    dangling: Arc<AtomicBool>,
}

/// Foreign keys and triggers rest.
#[derive(Clone, Copy)]
struct Resting {
    /// Whether foreign keys acted before.
    acted: bool,
    /// Whether they are to rest: if not, they act again before something is written.
    is_wanted: bool,
}

impl Surroundings {
    pub(super) fn new(options: &Options, budget: Arc<Budget>, writes: bool) -> Surroundings {
        let session = Arc::new(Mutex::new(Session::utc(0)));
        Surroundings {
            session,
            random: options.random.clone(),
            clock: options.clock.clone(),
            calls: Calls::default(),
            sequences: Sequences::default(),
            budget,
            writes,
            resting: Arc::default(),
            waiting: Arc::default(),
            dangling: Arc::default(),
        }
    }

    /// The functions that statements call.
    pub(super) fn calls(&self) -> &Calls {
        &self.calls
    }

    /// The sequences, as far as they are counted in memory.
    pub(super) fn sequences(&self) -> &Sequences {
        &self.sequences
    }

    /// Has foreign keys wait for the end of the transaction, or notes that it began anew.
    pub(super) fn have_references_wait(&self, wait: bool) {
        self.waiting.store(wait, Ordering::Relaxed);
    }

    /// Whether foreign keys wait for the end of the transaction.
    pub(super) fn do_references_wait(&self) -> bool {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Notes whether rows may refer to nothing.
    pub(super) fn let_references_dangle(&self, dangle: bool) {
        self.dangling.store(dangle, Ordering::Relaxed);
    }

    /// Whether rows may refer to nothing.
    pub(super) fn may_references_dangle(&self) -> bool {
        self.dangling.load(Ordering::Relaxed)
    }

    /// Looks whether rows of a database may refer to nothing.
    pub(super) fn look_at_references(&self, connection: &Connection) -> rusqlite::Result<()> {
        let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        self.let_references_dangle(version != 0);
        Ok(())
    }

    /// Has foreign keys and triggers rest, or act again as they did; says whether they rested. Commands are prepared anew each time they
    /// are turned off or on: they are turned on before they are needed.
    ///
    /// # Errors
    /// `0A000` where a command is under way that began with them: it would not survive it.
    pub(super) fn rest(&self, connection: &Connection, rest: bool) -> Result<bool, Failure> {
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        let before = resting.is_some_and(|resting| resting.is_wanted);
        if let Some(resting) = resting.as_mut() {
            resting.is_wanted = rest;
        } else if rest {
            self.refuse_within(0)?;
            // Within a transaction, where the pragma of the same name does nothing.
            let acted = connection.db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY);
            let acted = acted.map_err(|error| failure(&error))?;
            *resting = Some(Resting { acted, is_wanted: true });
            act(connection, false, false)?;
        }
        Ok(before)
    }

    /// Has foreign keys and triggers act again, unless they are to rest; while a command that is about to begin is the innermost.
    ///
    /// # Errors
    /// As [`Surroundings::rest`].
    pub(super) fn wake(&self, connection: &Connection, begun: usize) -> Result<(), Failure> {
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Resting { acted, is_wanted: false }) = *resting else { return Ok(()) };
        self.refuse_within(begun)?;
        act(connection, acted, true)?;
        *resting = None;
        Ok(())
    }

    /// Refuses what no command survives, where there are more than so many.
    fn refuse_within(&self, commands: usize) -> Result<(), Failure> {
        match self.calls.under_way() > commands {
            true => Err(Error::missing("changing rows in a function that a stable one calls").into()),
            false => Ok(()),
        }
    }

    /// Whether the connection may change anything.
    pub(super) fn writes(&self) -> bool {
        self.writes
    }

    /// Whether nothing is left of the time.
    pub(super) fn is_spent(&self) -> bool {
        self.budget.spent()
    }

    /// Begins a command, which brings its own session; what was begun before goes on when this is dropped.
    pub(super) fn begin(&self, session: &Session) -> Begun<'_> {
        self.calls.begin();
        let mut current = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        Begun { surroundings: self, before: std::mem::replace(&mut *current, session.clone()) }
    }

    /// Runs a function's evaluation.
    pub(super) fn evaluate<T>(
        &self,
        arguments: &[Type],
        evaluation: impl FnOnce(&mut Context<'_>) -> Result<T>,
    ) -> Result<T> {
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let random = self.random.clone();
        let mut random = move |buffer: &mut [u8]| random(buffer);
        let clock = &*self.clock;
        evaluation(&mut Context { arguments, session: &session, random: &mut random, clock: &clock })
    }
}

/// Has foreign keys and triggers act or not.
fn act(connection: &Connection, keys: bool, triggers: bool) -> Result<(), Failure> {
    let configs =
        [(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, keys), (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, triggers)];
    for (config, acts) in configs {
        connection.set_db_config(config, acts).map_err(|error| failure(&error))?;
    }
    Ok(())
}

/// A command under way.
pub(super) struct Begun<'a> {
    surroundings: &'a Surroundings,
    before: Session,
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        self.surroundings.calls.end();
        let mut current = self.surroundings.session.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut *current, &mut self.before);
    }
}

/// The argument at a position, of a type.
pub(super) fn argument(arguments: &Arguments<'_>, position: usize, ty: &Type) -> Result<Value> {
    decode(ty, execute::cell(arguments.get_raw(position))?)
}

/// A result for SQLite: the stored form of a value.
pub(super) fn answer(ty: &Type, outcome: Result<Value>) -> rusqlite::Result<Owned> {
    let stored = outcome.and_then(|value| encode(ty, &value));
    stored.as_ref().map(execute::owned).map_err(carried)
}

/// What [`render`] wrote into the first argument, read once a statement.
pub(super) fn words<T: Send + Sync + 'static>(
    arguments: &Arguments<'_>,
    read: impl FnOnce(&str) -> Option<T>,
) -> rusqlite::Result<Arc<T>> {
    arguments.get_or_create_aux(0, |text| {
        let text = text.as_str().unwrap_or_default();
        read(text).ok_or_else(|| super::errors::pack(&Error::internal(format!("the words {text:?}"))))
    })
}

/// Types separated by semicolons.
pub(super) fn types(text: &str) -> Option<Vec<Type>> {
    split(text).into_iter().map(types::signature::parse).collect()
}

/// Splits at semicolons that are not escaped.
pub(super) fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ';' => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}
