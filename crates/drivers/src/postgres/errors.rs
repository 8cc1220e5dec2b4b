//! PostgreSQL's errors as ours: state, message, detail and hint reach the caller as they are.

use engine::Failure;
use tokio_postgres::error::{DbError, Severity};
use types::{Code, Error};

/// What went wrong on a connection.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) failure: Failure,
    /// Whether the connection is in an unknown state: it is not used again.
    pub(super) is_broken: bool,
    /// Whether it broke without the server having said why.
    pub(super) is_lost: bool,
}

impl From<tokio_postgres::Error> for Trouble {
    fn from(error: tokio_postgres::Error) -> Trouble {
        let is_broken = error.as_db_error().is_none_or(is_fatal);
        Trouble { failure: Failure::Error(mapped(&error)), is_broken, is_lost: error.as_db_error().is_none() }
    }
}

impl From<Error> for Trouble {
    /// A refusal of ours, in the middle of a conversation.
    fn from(error: Error) -> Trouble {
        Trouble { failure: Failure::Error(error), is_broken: true, is_lost: false }
    }
}

fn is_fatal(error: &DbError) -> bool {
    matches!(error.parsed_severity(), Some(Severity::Fatal | Severity::Panic))
}

/// The one place where PostgreSQL's errors are understood.
pub(super) fn mapped(error: &tokio_postgres::Error) -> Error {
    match error.as_db_error() {
        Some(raised) => from_database(raised),
        None if error.is_closed()
            || std::error::Error::source(error).is_some_and(|cause| cause.is::<std::io::Error>()) =>
        {
            Error::new(Code::CLIENT, "Database client error. Retrying the connection.")
                .with_cause(cause(error))
        }
        None => Error::internal(cause(error)),
    }
}

/// A connection could not be made.
pub(super) fn unreachable(cause: impl std::fmt::Display) -> Error {
    Error::new(Code::CONNECTION, "Database connection error. Retrying the connection.").with_cause(cause)
}

/// A commit of which nobody knows whether it was done (SQLSTATE `transaction_resolution_unknown`).
pub(super) fn unknown(cause: impl std::fmt::Display) -> Trouble {
    let message = "The connection to the database was lost while the change was committed";
    let error = Error::new(Code::OUTCOME_UNKNOWN, message)
        .with_hint("The change may have been made: look before you try again.")
        .with_cause(cause);
    Trouble { failure: Failure::Error(error), is_broken: true, is_lost: false }
}

/// Nothing was answered, not even that it takes too long.
pub(super) fn silent() -> Error {
    Error::new(Code::TIMEOUT, "The database did not answer in time")
}

/// The error and what it says of its source.
pub(super) fn cause(error: &tokio_postgres::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

fn from_database(raised: &DbError) -> Error {
    let mut error = Error::raised(raised.code().code(), raised.message());
    if let Some(detail) = raised.detail() {
        error = error.with_details(detail);
    }
    if let Some(hint) = raised.hint() {
        error = error.with_hint(hint);
    }
    match raised.where_() {
        Some(place) => error.with_cause(place),
        None => error,
    }
}
