//! Functions that are interpreted, called from within a statement: the connection is entered again on the same thread.
//!
//! A function that may not change within a statement is called once for the same arguments.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use engine::Routines;
use parking_lot::ReentrantMutex;
use query::FunctionId;
use rusqlite::Connection;
use rusqlite::functions::Context as Arguments;
use rusqlite::types::Value as Owned;
use types::{Error, Result, Type, Value};

use super::errors::carried;
use super::inside::Inside;
use super::surroundings::{self, Surroundings, answer, argument, split};

/// Results that are kept for one statement; beyond, they are forgotten and kept anew.
const KEPT_MAX: usize = 65_536;

/// What a connection knows of the functions that its statements call.
#[derive(Clone, Default)]
pub(super) struct Calls(Arc<Shared>);

#[derive(Default)]
struct Shared {
    routines: Mutex<Option<Arc<dyn Routines>>>,
    connection: OnceLock<Weak<ReentrantMutex<Connection>>>,
    /// Results of each statement under way, the innermost last.
    kept: Mutex<Vec<HashMap<Vec<u8>, Owned>>>,
}

/// A call as written.
struct Written {
    function: FunctionId,
    role: String,
    result: Type,
    arguments: Vec<Type>,
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
        self.kept().push(HashMap::new());
    }

    /// Ends the innermost statement.
    pub(super) fn end(&self) {
        self.kept().pop();
    }

    fn kept(&self) -> MutexGuard<'_, Vec<HashMap<Vec<u8>, Owned>>> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn call(&self, written: &Written, args: Vec<Value>, surroundings: &Surroundings) -> Result<Value> {
        let routines = self.0.routines.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let routines = routines.ok_or_else(|| Error::internal("a statement may not call functions"))?;
        let connection = self.0.connection.get().and_then(Weak::upgrade);
        let connection = connection.ok_or_else(|| Error::internal("a call without a connection"))?;
        let mut inside = Inside::new(&connection, surroundings);
        let mut called = routines.call(&mut inside, written.function, &written.role, args);
        match called.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => {
                Err(Error::internal("a function waited for something outside of its transaction"))
            }
        }
    }
}

/// `(function;role;result;types, value, …)`
fn written(text: &str) -> Option<Written> {
    let parts = split(text);
    let [function, role, result, arguments @ ..] = &parts[..] else { return None };
    let arguments = arguments.iter().map(|ty| types::signature::parse(ty)).collect::<Option<_>>()?;
    Some(Written {
        function: FunctionId(function.parse().ok()?),
        role: role.replace("\\;", ";").replace("\\\\", "\\"),
        result: types::signature::parse(result)?,
        arguments,
    })
}

/// A function whose results are the same for the same arguments, within a statement.
pub(super) fn stable(surroundings: &Surroundings, arguments: &Arguments<'_>) -> rusqlite::Result<Owned> {
    let key = key(arguments);
    let known = surroundings.calls().kept().last().and_then(|kept| kept.get(&key).cloned());
    if let Some(known) = known {
        return Ok(known);
    }
    let value = volatile(surroundings, arguments)?;
    if let Some(kept) = surroundings.calls().kept().last_mut() {
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(key, value.clone());
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
fn key(arguments: &Arguments<'_>) -> Vec<u8> {
    use rusqlite::types::ValueRef;
    let mut key = Vec::with_capacity(64);
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
    key
}
