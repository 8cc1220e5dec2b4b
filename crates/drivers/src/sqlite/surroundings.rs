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

use super::errors::carried;
use engine::{Clock, Random};

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
    /// While foreign keys and triggers rest: whether foreign keys acted before.
    resting: Arc<Mutex<Option<bool>>>,
    /// Whether foreign keys wait for the end of the transaction.
    waiting: Arc<AtomicBool>,
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

    /// Has foreign keys and triggers rest, or act again as they did; says whether they rested.
    pub(super) fn rest(&self, connection: &Connection, rest: bool) -> rusqlite::Result<bool> {
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        let before = resting.is_some();
        match (rest, *resting) {
            (true, None) => {
                // Within a transaction, where the pragma of the same name does nothing.
                let acted = connection.db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY)?;
                *resting = Some(acted);
                connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false)?;
                connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
            }
            (false, Some(acted)) => {
                *resting = None;
                connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, acted)?;
                connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, true)?;
            }
            (true, Some(_)) | (false, None) => {}
        }
        Ok(before)
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
