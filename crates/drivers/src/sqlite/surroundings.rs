//! What registered functions know besides their arguments: the session of the command that runs, randomness, the clock.

use std::sync::{Arc, Mutex, PoisonError};

use query::functions::Context;
use rusqlite::functions::Context as Arguments;
use rusqlite::types::Value as Owned;
use types::session::Session;
use types::stored::{decode, encode};
use types::{Error, Result, Type, Value};

use super::errors::carried;
use engine::{Clock, Random};

use super::{Options, execute};

/// One connection's.
#[derive(Clone)]
pub(super) struct Surroundings {
    session: Arc<Mutex<Session>>,
    random: Random,
    clock: Clock,
}

impl Surroundings {
    pub(super) fn new(options: &Options) -> Surroundings {
        let session = Arc::new(Mutex::new(Session::utc(0)));
        Surroundings { session, random: options.random.clone(), clock: options.clock.clone() }
    }

    /// Every command brings its own session: nothing stays from the one before.
    pub(super) fn begin(&self, session: &Session) {
        self.session.lock().unwrap_or_else(PoisonError::into_inner).clone_from(session);
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
