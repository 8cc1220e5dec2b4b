//! The door to the database: the few statements of this crate, in transactions.
//!
//! Whoever runs them does so as the system: no policy stands between. Jobs wait for the database and for nothing
//! else, so that a transaction is never open while a password is hashed.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use types::{Error, Result, Value};

use crate::error::{AuthError, AuthResult};
use crate::statements::Statement;

/// A boxed future that can move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Work in one transaction. What it returns as an error undoes everything it did.
pub type Job = Box<dyn for<'t> FnOnce(&'t mut dyn Transaction) -> BoxFuture<'t, Result<()>> + Send>;

/// A row: the values of its columns in the statement's order.
pub type Row = Vec<Value>;

/// A database with this crate's tables.
pub trait Database: Send + Sync {
    /// Runs a job in a transaction, serialized with the others that touch its rows.
    fn transact(&self, job: Job) -> BoxFuture<'_, Result<()>>;
}

/// One unit of work.
pub trait Transaction: Send {
    /// Runs one statement with its parameters, whose types the statement says.
    fn query<'a>(&'a mut self, statement: &'static Statement, parameters: Vec<Value>) -> BoxFuture<'a, Result<Vec<Row>>>;
}

/// Runs `job` in a transaction and returns what it returned.
///
/// # Errors
/// The job's error (everything is undone), or the database's when it could not commit.
pub async fn transact<T, F>(database: &dyn Database, job: F) -> AuthResult<T>
where
    T: Send + 'static,
    F: for<'t> FnOnce(&'t mut dyn Transaction) -> BoxFuture<'t, AuthResult<T>> + Send + 'static,
{
    let slot = Arc::new(Mutex::new(None));
    let filled = slot.clone();
    let job: Job = Box::new(move |transaction| {
        Box::pin(async move {
            let result = job(transaction).await;
            let undone = result.as_ref().err().map(|error| rollback(error));
            *filled.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
            undone.map_or(Ok(()), Err)
        })
    });
    let committed = database.transact(job).await;
    let result = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (result, committed) {
        (Some(Err(error)), _) => Err(error),
        (_, Err(error)) => Err(error.into()),
        (Some(Ok(value)), Ok(())) => Ok(value),
        (None, Ok(())) => Err(Error::internal("a committed job left no result").into()),
    }
}

/// The database's error when there was one: it may want to try a serialization failure again.
fn rollback(error: &AuthError) -> Error {
    error.cause().cloned().unwrap_or_else(|| Error::internal("the request was refused"))
}

/// Reads a row's values in the order of its columns.
pub struct Columns(std::vec::IntoIter<Value>);

impl Columns {
    /// The columns of a row.
    pub fn of(row: Row) -> Columns {
        Columns(row.into_iter())
    }

    fn next(&mut self) -> Value {
        self.0.next().unwrap_or(Value::Null)
    }

    /// A text column; `None` for null.
    pub fn text(&mut self) -> Option<String> {
        match self.next() {
            Value::Text(text) => Some(text.to_string()),
            _ => None,
        }
    }

    /// A time column.
    pub fn time(&mut self) -> Option<i64> {
        match self.next() {
            Value::Timestamp(micros) => Some(micros),
            _ => None,
        }
    }

    /// A boolean column; null is false.
    pub fn flag(&mut self) -> bool {
        matches!(self.next(), Value::Bool(true))
    }

    /// A whole number.
    pub fn number(&mut self) -> Option<i64> {
        match self.next() {
            Value::Int(number) => Some(number),
            _ => None,
        }
    }

    /// A column that is always a UUID.
    ///
    /// # Errors
    /// `XX001` when it is not.
    pub fn uuid(&mut self) -> Result<[u8; 16]> {
        match self.next() {
            Value::Uuid(uuid) => Ok(uuid),
            _ => Err(Error::new(types::Code::DATA_CORRUPTED, "an id of an auth table is no uuid")),
        }
    }
}

/// The value of optional text.
pub fn text_or_null(text: Option<&str>) -> Value {
    text.map_or(Value::Null, Value::text)
}

/// The value of an optional time.
pub fn time_or_null(time: Option<i64>) -> Value {
    time.map_or(Value::Null, Value::Timestamp)
}
