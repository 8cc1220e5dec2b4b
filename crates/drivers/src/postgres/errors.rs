//! PostgreSQL's errors as ours: state, message, detail and hint reach the caller as they are.

use std::{fmt, io};

use engine::Failure;
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

impl Trouble {
    /// Whether the connection is at its end with it.
    pub(super) fn is_end(&self) -> bool {
        self.is_broken || self.is_lost
    }

    /// What is known of a transaction after further trouble: it cannot be committed, and its connection is at its end if one of
    /// them says so.
    pub(super) fn with(state: Option<Trouble>, further: &Trouble) -> Trouble {
        let mut known =
            state.unwrap_or(Trouble { failure: Failure::Canceled, is_broken: false, is_lost: false });
        known.is_broken |= further.is_end();
        known.is_lost |= further.is_lost;
        known
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.failure {
            Failure::Error(error) => f.write_str(error.cause().unwrap_or_else(|| error.message())),
            other => write!(f, "{other:?}"),
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(cause: io::Error) -> Trouble {
        Trouble { failure: Failure::Error(lost(cause)), is_broken: true, is_lost: true }
    }
}

impl From<Error> for Trouble {
    /// A refusal of ours, in the middle of a conversation.
    fn from(error: Error) -> Trouble {
        Trouble { failure: Failure::Error(error), is_broken: true, is_lost: false }
    }
}

/// What the server says went wrong on a connection: fields, each a letter and a text.
pub(super) fn said(fields: &[u8]) -> Trouble {
    let field = |letter| field(fields, letter).map(|text| String::from_utf8_lossy(text).into_owned());
    let is_broken = field(b'V').is_some_and(|severity| matches!(&*severity, "FATAL" | "PANIC"));
    let error = raised(Raised {
        state: &field(b'C').unwrap_or_default(),
        message: &field(b'M').unwrap_or_default(),
        detail: field(b'D').as_deref(),
        hint: field(b'H').as_deref(),
        place: field(b'W').as_deref(),
    });
    Trouble { failure: Failure::Error(error), is_broken, is_lost: false }
}

/// Whether the server says that a prepared statement is not what it was: a type has changed since.
pub(super) fn is_of_the_past(fields: &[u8]) -> bool {
    field(fields, b'C') == Some(b"0A000") && field(fields, b'R') == Some(b"RevalidateCachedQuery")
}

fn field(fields: &[u8], letter: u8) -> Option<&[u8]> {
    fields.split(|byte| *byte == 0).find_map(|field| field.strip_prefix(&[letter]))
}

/// A connection that was lost.
fn lost(cause: impl fmt::Display) -> Error {
    Error::new(Code::CLIENT, "Database client error. Retrying the connection.").with_cause(cause)
}

/// A commit that undid everything: of a transaction that had failed before.
pub(super) fn undone() -> Trouble {
    let message = "current transaction is aborted, commands ignored until end of transaction block";
    let error = Error::new(Code::CLASS_TRANSACTION_STATE, message);
    Trouble { failure: Failure::Error(error), is_broken: false, is_lost: false }
}

/// Errors of sessions that speak through the library.
pub(super) fn mapped(error: &tokio_postgres::Error) -> Error {
    match error.as_db_error() {
        Some(said) => raised(Raised {
            state: said.code().code(),
            message: said.message(),
            detail: said.detail(),
            hint: said.hint(),
            place: said.where_(),
        }),
        None if error.is_closed()
            || std::error::Error::source(error).is_some_and(|cause| cause.is::<io::Error>()) =>
        {
            lost(cause(error))
        }
        None => Error::internal(cause(error)),
    }
}

/// A connection could not be made.
pub(super) fn unreachable(cause: impl fmt::Display) -> Error {
    Error::new(Code::CONNECTION, "Database connection error. Retrying the connection.").with_cause(cause)
}

/// A commit of which nobody knows whether it was done (SQLSTATE `transaction_resolution_unknown`).
pub(super) fn unknown(cause: impl fmt::Display) -> Trouble {
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

/// What PostgreSQL says of an error.
#[derive(Clone, Copy)]
struct Raised<'a> {
    state: &'a str,
    message: &'a str,
    detail: Option<&'a str>,
    hint: Option<&'a str>,
    place: Option<&'a str>,
}

/// The one place where PostgreSQL's errors are understood.
fn raised(said: Raised<'_>) -> Error {
    let mut error = Error::raised(said.state, said.message);
    if let Some(detail) = said.detail {
        error = error.with_details(detail);
    }
    if let Some(hint) = said.hint {
        error = error.with_hint(hint);
    }
    match said.place {
        Some(place) => error.with_cause(place),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_says_is_understood() {
        let fields = b"SERROR\0VERROR\0C23505\0Mtwice\0DKey (id)=(1)\0Hlook\0\0";
        let Trouble { failure: Failure::Error(error), is_broken, is_lost } = said(fields) else {
            panic!("another failure")
        };
        assert_eq!((error.state(), error.message()), ("23505", "twice"));
        let details = types::error::Details::Text("Key (id)=(1)".to_owned());
        assert_eq!((error.details(), error.hint()), (Some(&details), Some("look")));
        assert!(!is_broken && !is_lost);
        assert!(said(b"SFATAL\0VFATAL\0C57P01\0Mbye\0\0").is_broken);
    }

    #[test]
    fn a_connection_ends_with_any_trouble_that_says_so() {
        let trouble = |is_broken, is_lost| Trouble { failure: Failure::Canceled, is_broken, is_lost };
        for (first, further, is_end) in [
            ((false, false), (false, false), false),
            ((false, false), (false, true), true),
            ((false, false), (true, false), true),
            ((false, true), (false, false), true),
            ((true, false), (false, false), true),
        ] {
            let known = Trouble::with(None, &trouble(first.0, first.1));
            let known = Trouble::with(Some(known), &trouble(further.0, further.1));
            assert_eq!((known.is_broken, known.is_end()), (is_end, is_end), "{first:?} {further:?}");
        }
    }
}
