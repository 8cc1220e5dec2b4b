//! Functions that are interpreted, called from within a statement: the connection is entered again on the same thread.
//!
//! A function that may not change within a statement is called once for the same arguments.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use engine::{BoxFuture, Routine, Routines};
use parking_lot::ReentrantMutex;
use query::FunctionId;
use query::functions::around::Counting;
use rusqlite::Connection;
use rusqlite::functions::Context as Arguments;
use rusqlite::types::Value as Owned;
use types::{Error, Result, Value};

use super::errors::carried;
use super::inside::Inside;
use super::surroundings::{self, Surroundings, answer, argument, split};

/// Bytes of the results that are kept for one statement; beyond, they are forgotten and kept anew.
const KEPT_BYTES_MAX: usize = 16 << 20;

/// What one of them takes besides its arguments and its value.
const KEPT_BYTES_EACH: usize = 96;

/// What a connection knows of the functions that its statements call.
#[derive(Clone, Default)]
pub(super) struct Calls(Arc<Shared>);

#[derive(Default)]
struct Shared {
    routines: Mutex<Option<Arc<dyn Routines>>>,
    connection: OnceLock<Weak<ReentrantMutex<Connection>>>,
    /// Results of each statement under way, the innermost last.
    kept: Mutex<Vec<Kept>>,
}

/// What calls are made of, and the connection that they enter again.
type Entered = (Arc<dyn Routines>, Arc<ReentrantMutex<Connection>>);

/// Results by what tells calls apart.
#[derive(Default)]
struct Kept {
    results: HashMap<Vec<u8>, Owned>,
    bytes: usize,
    /// The call that is looked for.
    key: Vec<u8>,
}

impl Kept {
    fn find(&mut self, arguments: &Arguments<'_>) -> Option<Owned> {
        self.key.clear();
        write_key(&mut self.key, arguments);
        self.results.get(&self.key).cloned()
    }

    fn keep(&mut self, key: Vec<u8>, value: &Owned) {
        let length = match value {
            Owned::Text(text) => text.len(),
            Owned::Blob(bytes) => bytes.len(),
            Owned::Null | Owned::Integer(_) | Owned::Real(_) => 0,
        };
        let bytes = KEPT_BYTES_EACH + key.len() + length;
        if self.bytes + bytes > KEPT_BYTES_MAX {
            self.results.clear();
            self.bytes = 0;
        }
        if bytes <= KEPT_BYTES_MAX {
            self.bytes += bytes;
            self.results.insert(key, value.clone());
        }
    }
}

impl Calls {
    /// The connection to enter again.
    pub(super) fn connect(&self, connection: &Arc<ReentrantMutex<Connection>>) {
        // A second connection there is not.
        let _ = self.0.connection.set(Arc::downgrade(connection));
    }

    /// The functions that may be called from now on.
    pub(super) fn install(&self, routines: Option<Arc<dyn Routines>>) {
        *self.0.routines.lock().unwrap_or_else(PoisonError::into_inner) = routines;
    }

    /// No functions may be called any more.
    pub(super) fn forget(&self) {
        self.install(None);
    }

    /// Begins a statement.
    pub(super) fn begin(&self) {
        self.kept().push(Kept::default());
    }

    /// Ends the innermost statement.
    pub(super) fn end(&self) {
        self.kept().pop();
    }

    /// How many statements are under way.
    pub(super) fn under_way(&self) -> usize {
        self.kept().len()
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn call(&self, written: &Routine, args: Vec<Value>, surroundings: &Surroundings) -> Result<Value> {
        let (routines, connection) = self.entered()?;
        at_once(routines.call(&mut Inside::new(&connection, surroundings), written, args))
    }

    /// Asks a sequence.
    pub(super) fn count(&self, counting: &Counting<'_>, surroundings: &Surroundings) -> Result<Value> {
        let (routines, connection) = self.entered()?;
        at_once(routines.count(&mut Inside::new(&connection, surroundings), counting))
    }

    /// What there is for a call.
    fn entered(&self) -> Result<Entered> {
        let routines = self.0.routines.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let routines = routines.ok_or_else(|| Error::internal("a statement may not call functions"))?;
        let connection = self.0.connection.get().and_then(Weak::upgrade);
        Ok((routines, connection.ok_or_else(|| Error::internal("a call without a connection"))?))
    }
}

/// The end of a call, which never waits.
fn at_once(mut called: BoxFuture<'_, Result<Value>>) -> Result<Value> {
    match called.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => Err(Error::internal("a function waited for something outside of its transaction")),
    }
}

/// `(function;role;result;types, value, …)`
fn written(text: &str) -> Option<Routine> {
    let parts = split(text);
    let [function, role, result, arguments @ ..] = &parts[..] else { return None };
    let arguments = arguments.iter().map(|ty| types::signature::parse(ty)).collect::<Option<_>>()?;
    Some(Routine {
        function: FunctionId(function.parse().ok()?),
        role: role.replace("\\;", ";").replace("\\\\", "\\"),
        result: types::signature::parse(result)?,
        arguments,
    })
}

/// A function whose results are the same for the same arguments, within a statement.
pub(super) fn stable(surroundings: &Surroundings, arguments: &Arguments<'_>) -> rusqlite::Result<Owned> {
    let known = surroundings.calls().kept().last_mut().and_then(|kept| kept.find(arguments));
    if let Some(known) = known {
        return Ok(known);
    }
    let value = volatile(surroundings, arguments)?;
    let mut key = Vec::with_capacity(64);
    write_key(&mut key, arguments);
    if let Some(kept) = surroundings.calls().kept().last_mut() {
        kept.keep(key, &value);
    }
    Ok(value)
}

/// A function that is called each time.
pub(super) fn volatile(surroundings: &Surroundings, arguments: &Arguments<'_>) -> rusqlite::Result<Owned> {
    let written = surroundings::words(arguments, written)?;
    let args =
        written.arguments.iter().enumerate().map(|(position, ty)| argument(arguments, position + 1, ty));
    let args = args.collect::<Result<Vec<Value>>>().map_err(|error| carried(&error))?;
    answer(&written.result, surroundings.calls().call(&written, args, surroundings))
}

/// What tells calls apart: which function, and the arguments byte by byte.
fn write_key(key: &mut Vec<u8>, arguments: &Arguments<'_>) {
    use rusqlite::types::ValueRef;
    for position in 0..arguments.len() {
        let (tag, length) = match arguments.get_raw(position) {
            ValueRef::Null => (0, 0),
            ValueRef::Integer(value) => {
                key.extend(value.to_le_bytes());
                (1, 8)
            }
            ValueRef::Real(value) => {
                key.extend(value.to_bits().to_le_bytes());
                (2, 8)
            }
            ValueRef::Text(text) => {
                key.extend(text);
                (3, text.len())
            }
            ValueRef::Blob(bytes) => {
                key.extend(bytes);
                (4, bytes.len())
            }
        };
        key.push(tag);
        key.extend(length.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_a_statement_is_bounded() {
        let mut kept = Kept::default();
        for number in 0..40_u8 {
            kept.keep(vec![number], &Owned::Blob(vec![number; 1 << 20]));
            assert!(kept.bytes <= KEPT_BYTES_MAX);
        }
        assert!((8..16).contains(&kept.results.len()), "{}", kept.results.len());
        kept.keep(vec![99], &Owned::Text("x".repeat(KEPT_BYTES_MAX)));
        assert!(!kept.results.contains_key(&vec![99]));
    }
}
