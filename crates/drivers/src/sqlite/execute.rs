//! Running one command on one connection.

use engine::{Failure, Sink};
use render::Command;
use rusqlite::types::{ToSqlOutput, Value as Owned, ValueRef};
use rusqlite::{Connection, Statement, ToSql};
use types::Error;
use types::stored::{Cell, Stored};

use super::errors::failure;
use super::surroundings::Surroundings;

/// Most columns that are handed over without an allocation.
const INLINE_COLUMNS: usize = 32;

/// A parameter by reference.
struct Parameter<'a>(&'a Stored);

impl ToSql for Parameter<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0.as_cell() {
            Cell::Null => ToSqlOutput::Owned(Owned::Null),
            Cell::Int(value) => ToSqlOutput::Owned(Owned::Integer(value)),
            Cell::Real(value) => ToSqlOutput::Owned(Owned::Real(value)),
            Cell::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Cell::Blob(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Cell::Json(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        })
    }
}

/// Runs a command; its rows go to the sink as the `position`-th command's.
///
/// # Errors
/// The engine's failure, or what the sink refuses.
pub(super) fn command(
    connection: &Connection,
    surroundings: &Surroundings,
    command: &Command,
    position: usize,
    sink: &mut dyn Sink,
) -> Result<u64, Failure> {
    let _begun = surroundings.begin(&command.session);
    let mut statement = connection.prepare_cached(&command.text).map_err(|error| failure(&error))?;
    // What it calls may write.
    if command.calls || !statement.readonly() {
        surroundings.wake(connection, 1)?;
    }
    bind(&mut statement, &command.parameters)?;
    // A row without columns is asked for as one of some constant.
    let columns = statement.column_count().min(command.outputs.len());
    let before = connection.total_changes();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(|error| failure(&error))? {
        let mut inline = [Cell::Null; INLINE_COLUMNS];
        let mut heap = Vec::new();
        let cells = if columns <= INLINE_COLUMNS {
            &mut inline[..columns]
        } else {
            heap.resize(columns, Cell::Null);
            &mut heap[..]
        };
        for (index, cell) in cells.iter_mut().enumerate() {
            *cell = self::cell(row.get_ref(index).map_err(|error| failure(&error))?)?;
        }
        sink.row(position, cells)?;
    }
    drop(rows);
    Ok(connection.total_changes() - before)
}

fn bind(statement: &mut Statement<'_>, parameters: &[Stored]) -> Result<(), Failure> {
    for (index, parameter) in parameters.iter().enumerate() {
        statement.raw_bind_parameter(index + 1, Parameter(parameter)).map_err(|error| failure(&error))?;
    }
    Ok(())
}

/// A value of SQLite as a cell.
///
/// # Errors
/// `XX001` for text that is not UTF-8.
pub(super) fn cell(value: ValueRef<'_>) -> Result<Cell<'_>, Error> {
    Ok(match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(value) => Cell::Int(value),
        ValueRef::Real(value) => Cell::Real(value),
        ValueRef::Text(bytes) => Cell::Text(
            std::str::from_utf8(bytes)
                .map_err(|_| Error::new(types::Code::DATA_CORRUPTED, "stored text is not UTF-8"))?,
        ),
        ValueRef::Blob(bytes) => Cell::Blob(bytes),
    })
}

/// A stored value as SQLite's.
pub(super) fn owned(value: &Stored) -> Owned {
    match value.as_cell() {
        Cell::Null => Owned::Null,
        Cell::Int(value) => Owned::Integer(value),
        Cell::Real(value) => Owned::Real(value),
        Cell::Text(text) => Owned::Text(text.to_owned()),
        Cell::Blob(bytes) => Owned::Blob(bytes.to_owned()),
        Cell::Json(text) => Owned::Text(text.to_owned()),
    }
}
