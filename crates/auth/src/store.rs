//! The door to the database: jobs in transactions, rows to fields.
//!
//! Jobs run as the system: no policy stands between. They wait for the database and for nothing else, so that a
//! transaction is never open while a password is hashed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use engine::{BoxFuture, Database, Statement, Work};
use types::json::{self, Json};
use types::{Code, Error, Result, Value};

use crate::error::{AuthError, AuthResult};

/// A row: the values of its columns in the statement's order.
pub(crate) type Row = Vec<Value>;

/// Runs `job` in a transaction and returns what it returned. An error undoes everything that it did.
pub(crate) async fn transact<T, F>(database: &Database, timeout: Duration, job: F) -> AuthResult<T>
where
    T: Send + 'static,
    F: for<'w> FnOnce(&'w mut Work<'_>) -> BoxFuture<'w, AuthResult<T>> + Send + 'static,
{
    // The engine carries the database's errors only; what we refuse waits here.
    let refused = Arc::new(Mutex::new(None));
    let slot = refused.clone();
    let done = database.transact(timeout, move |work| {
        let job = job(work);
        Box::pin(async move {
            job.await.map_err(|error| {
                let cause = error.cause().cloned();
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                cause.unwrap_or_else(|| Error::internal("the request was refused"))
            })
        })
    });
    let result = done.await;
    let refused = refused.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (result, refused) {
        (Ok(value), _) => Ok(value),
        (Err(_), Some(refused)) => Err(refused),
        (Err(error), None) => Err(error.into()),
    }
}

/// The only row of a statement, if there is one.
pub(crate) async fn first(
    work: &mut Work<'_>,
    statement: &'static Statement,
    parameters: Vec<Value>,
) -> AuthResult<Option<Columns>> {
    Ok(work.query(statement, parameters).await?.into_iter().next().map(Columns::of))
}

/// Reads a row's values in the order of its columns.
pub(crate) struct Columns(std::vec::IntoIter<Value>);

impl Columns {
    /// The columns of a row.
    pub(crate) fn of(row: Row) -> Columns {
        Columns(row.into_iter())
    }

    fn next(&mut self) -> Value {
        self.0.next().unwrap_or(Value::Null)
    }

    /// A text column; `None` for null.
    pub(crate) fn text(&mut self) -> Option<String> {
        match self.next() {
            Value::Text(text) => Some(text.to_string()),
            _ => None,
        }
    }

    /// A time column.
    pub(crate) fn time(&mut self) -> Option<i64> {
        match self.next() {
            Value::Timestamp(micros) => Some(micros),
            _ => None,
        }
    }

    /// A boolean column; null is false.
    pub(crate) fn flag(&mut self) -> bool {
        matches!(self.next(), Value::Bool(true))
    }

    /// A whole number.
    pub(crate) fn number(&mut self) -> Option<i64> {
        match self.next() {
            Value::Int(number) => Some(number),
            _ => None,
        }
    }

    /// A column that is always a UUID.
    ///
    /// # Errors
    /// `XX001` when it is not.
    pub(crate) fn uuid(&mut self) -> Result<[u8; 16]> {
        match self.next() {
            Value::Uuid(uuid) => Ok(uuid),
            _ => Err(damaged("an id of an auth table is no uuid")),
        }
    }

    /// A `jsonb` column of an object; null is an empty one.
    ///
    /// # Errors
    /// `XX001` when it is something else.
    pub(crate) fn object(&mut self) -> Result<Vec<(String, Json)>> {
        let Some(text) = self.text() else { return Ok(Vec::new()) };
        match json::parse(&text, json::DEPTH_MAX) {
            Ok(Json::Object(fields)) => Ok(fields),
            Ok(Json::Null) => Ok(Vec::new()),
            _ => Err(damaged("metadata of an auth table is no JSON object")),
        }
    }
}

fn damaged(what: &str) -> Error {
    Error::new(Code::DATA_CORRUPTED, what)
}

/// The value of optional text.
pub(crate) fn text_or_null(text: Option<&str>) -> Value {
    text.map_or(Value::Null, Value::text)
}

/// The value of text that is null when empty: GoTrue keeps unknown addresses and numbers so.
pub(crate) fn filled_or_null(text: &str) -> Value {
    text_or_null(Some(text).filter(|text| !text.is_empty()))
}

/// The value of an optional time.
pub(crate) fn time_or_null(time: Option<i64>) -> Value {
    time.map_or(Value::Null, Value::Timestamp)
}

/// An object as `jsonb`.
///
/// # Errors
/// `validation_failed` for a number that `jsonb` cannot keep.
pub(crate) fn jsonb(fields: &[(String, Json)]) -> AuthResult<Value> {
    let normalized = Json::Object(fields.to_vec()).normalized();
    let kept = normalized.map_err(|_| {
        AuthError::new(crate::codes::VALIDATION_FAILED, "A number of the metadata has too many digits")
    })?;
    Ok(Value::text(kept.spaced()))
}
