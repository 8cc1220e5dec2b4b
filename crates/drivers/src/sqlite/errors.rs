//! SQLite's errors as failures.
//!
//! An error of one of our functions travels through SQLite as the text of its message: [`pack`] and [`unpack`].

use engine::Failure;
use render::sqlite::{NULLS, split_match_full};
use rusqlite::ffi::{self, ErrorCode};
use types::error::{Context, Details};
use types::{Code, Error, Named};

const MARK: char = '\u{1}';

/// What stands between the lines of an error's context.
const LINE: char = '\u{2}';

/// What an error may name, in the order in which it is written.
const NAMED: [Named; 5] = [Named::Schema, Named::Table, Named::Column, Named::Constraint, Named::Type];

/// An error as text that [`unpack`] understands.
pub(super) fn pack(error: &Error) -> String {
    let details = match error.details() {
        Some(Details::Text(text) | Details::Json(text)) => text.as_str(),
        None => "",
    };
    let said = [error.state(), error.message(), details, error.hint().unwrap_or_default()];
    let names = NAMED.map(|what| error.named(what).unwrap_or_default());
    let Context { lines, untold, .. } = error.context();
    let lines: String = lines.iter().map(|line| format!("{LINE}{line}")).collect();
    let context = [untold.as_deref().unwrap_or_default(), &lines];
    said.into_iter().chain(names).chain(context).map(|part| format!("{MARK}{part}")).collect()
}

fn unpack(text: &str) -> Option<Error> {
    let start = text.find(MARK)?;
    let mut parts = text.get(start + 1..)?.split(MARK);
    // A state that is no row of the table stays what it is.
    let state = parts.next()?;
    let mut error = Error::raised(state, parts.next()?);
    if let Some(details) = parts.next().filter(|details| !details.is_empty()) {
        error = error.with_details(details);
    }
    if let Some(hint) = parts.next().filter(|hint| !hint.is_empty()) {
        error = error.with_hint(hint);
    }
    for (what, name) in NAMED.into_iter().zip(parts.by_ref()).filter(|(_, name)| !name.is_empty()) {
        error = error.naming(what, name);
    }
    let untold = parts.next().filter(|why| !why.is_empty()).map(Box::from);
    let lines = parts.next().unwrap_or_default().split(LINE).skip(1).map(Box::from).collect();
    Some(error.with_context(Context { lines, untold, is_placed: false }))
}

/// A function's error, for SQLite to carry.
pub(super) fn carried(error: &Error) -> rusqlite::Error {
    rusqlite::Error::UserFunctionError(pack(error).into())
}

/// The one place where SQLite's errors are understood.
pub(super) fn failure(error: &rusqlite::Error) -> Failure {
    let (code, message) = match error {
        rusqlite::Error::SqliteFailure(code, message) => (*code, message.as_deref().unwrap_or_default()),
        rusqlite::Error::SqlInputError { error, msg, .. } => (*error, msg.as_str()),
        other => return internal(other),
    };
    if let Some(error) = unpack(message) {
        return Failure::Error(error);
    }
    match (code.code, code.extended_code) {
        (_, ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => unique(message),
        (_, ffi::SQLITE_CONSTRAINT_FOREIGNKEY | ffi::SQLITE_CONSTRAINT_TRIGGER) => Failure::ForeignKey,
        (_, ffi::SQLITE_CONSTRAINT_NOTNULL) => not_null(message).unwrap_or_else(|| internal(error)),
        (_, ffi::SQLITE_CONSTRAINT_CHECK) => match_full(message).unwrap_or_else(|| internal(error)),
        (ErrorCode::OperationInterrupted, _) => Failure::Canceled,
        (ErrorCode::DiskFull, _) => Failure::Full,
        (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => Failure::Error(
            Error::new(Code::LOCK_NOT_AVAILABLE, "the database is in use by another process")
                .with_cause(error),
        ),
        (ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, _) => {
            Failure::Error(Error::new(Code::DATA_CORRUPTED, "the database file is damaged").with_cause(error))
        }
        (ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::ReadOnly, _) => Failure::Error(
            Error::new(Code::IO_ERROR, "the database could not be read or written").with_cause(error),
        ),
        (ErrorCode::TooBig, _) => {
            Failure::Error(Error::new(Code::LIMIT_EXCEEDED, "a value is too large").with_cause(error))
        }
        (ErrorCode::Unknown, _) if TOO_COMPLEX.iter().any(|words| message.contains(words)) => {
            let error = Error::new(Code::TOO_COMPLEX, "the statement is too complex");
            Failure::Error(
                error.with_hint("Policies that read further protected tables count.").with_cause(message),
            )
        }
        _ => internal(error),
    }
}

/// What SQLite says of statements beyond its own limits: they have one code, that of every error in a text.
const TOO_COMPLEX: &[&str] = &[
    "Expression tree is too large",
    "parser stack overflow",
    "tables in a join",
    "too many terms in compound SELECT",
    "too many references to",
];

fn internal(error: &rusqlite::Error) -> Failure {
    Failure::Error(Error::internal(error))
}

/// `NOT NULL constraint failed: public.t.a`: only what foreign keys do on their own gets here.
fn not_null(message: &str) -> Option<Failure> {
    let (table, column) = message.split_once("failed: ")?.1.rsplit_once('.')?;
    let table = table.split_once('.').map_or(table, |(_, name)| name);
    let message =
        format!("null value in column \"{column}\" of relation \"{table}\" violates not-null constraint");
    Some(Failure::Error(Error::new(Code::NOT_NULL_VIOLATION, message)))
}

/// `CHECK constraint failed: public.t~key~full`: the only checks that are stored.
fn match_full(message: &str) -> Option<Failure> {
    let (table, key) = split_match_full(message.split_once("failed: ")?.1)?;
    let table = table.split_once('.').map_or(table, |(_, name)| name);
    let message = format!("insert or update on table \"{table}\" violates foreign key constraint \"{key}\"");
    let details = "MATCH FULL does not allow mixing of null and nonnull key values.";
    Some(Failure::Error(Error::new(Code::FOREIGN_KEY_VIOLATION, message).with_details(details)))
}

/// `UNIQUE constraint failed: public.t.a, public.t.b`, or `… index 'public.i'`.
fn unique(message: &str) -> Failure {
    let what = message.split_once("failed: ").map_or(message, |(_, what)| what);
    if let Some(index) = what.strip_prefix("index '").and_then(|rest| rest.strip_suffix('\'')) {
        let index = index.strip_suffix(NULLS).unwrap_or(index).to_owned();
        return Failure::Unique { index: Some(index), table: String::new(), columns: Vec::new() };
    }
    let mut table = String::new();
    let columns = what
        .split(", ")
        .filter_map(|part| {
            let (of, column) = part.rsplit_once('.')?;
            table = of.to_owned();
            Some(column.to_owned())
        })
        .collect();
    Failure::Unique { index: None, table, columns }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_beyond_the_limits_of_sqlite_is_too_complex() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        let deep = format!("SELECT {}1", "1 + ".repeat(2_000));
        let tables = vec!["(SELECT 1)"; 70].join(", ");
        for text in [deep, format!("SELECT 1 FROM {tables}")] {
            let refused = failure(&connection.prepare(&text).unwrap_err());
            assert!(matches!(refused, Failure::Error(error) if error.code() == Code::TOO_COMPLEX), "{text}");
        }
    }

    #[test]
    fn an_error_survives_its_way_through_sqlite() {
        let error = Error::new(Code::DIVISION_BY_ZERO, "division by zero").with_hint("do not");
        let back = unpack(&pack(&error)).unwrap();
        assert_eq!(
            (back.code(), back.message(), back.hint(), back.details()),
            (error.code(), error.message(), Some("do not"), None)
        );
        let error = Error::raised("P0004", "assertion failed").naming(Named::Constraint, "small");
        let back = unpack(&pack(&error)).unwrap();
        assert_eq!(
            (back.state(), back.named(Named::Constraint), back.named(Named::Table)),
            ("P0004", Some("small"), None)
        );
    }
}
