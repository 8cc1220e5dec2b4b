//! Rows of system tables, read column by column in their order.

use std::cell::Cell;

use tokio_postgres::Transaction;
use tokio_postgres::types::{FromSql, ToSql};
use types::{Code, Error, Result};

use super::super::errors::mapped;

/// Most rows of one kind of object. A database with a million columns is not served through an API.
const ROWS_MAX: usize = 1_000_000;

/// A row whose next column is asked for.
pub(super) struct Row {
    row: tokio_postgres::Row,
    at: Cell<usize>,
}

impl Row {
    pub(super) fn of(row: tokio_postgres::Row) -> Row {
        Row { row, at: Cell::new(0) }
    }

    fn next<'r, T: FromSql<'r>>(&'r self) -> Result<T> {
        let at = self.at.get();
        self.at.set(at + 1);
        self.row.try_get(at).map_err(|error| mapped(&error))
    }

    pub(super) fn text(&self) -> Result<String> {
        self.next()
    }

    pub(super) fn maybe(&self) -> Result<Option<String>> {
        self.next()
    }

    pub(super) fn texts(&self) -> Result<Vec<String>> {
        self.next()
    }

    pub(super) fn maybe_texts(&self) -> Result<Vec<Option<String>>> {
        self.next()
    }

    /// An object's number; 0 and null are none.
    pub(super) fn id(&self) -> Result<i64> {
        Ok(self.next::<Option<i64>>()?.unwrap_or(0))
    }

    pub(super) fn ids(&self) -> Result<Vec<i64>> {
        self.next()
    }

    pub(super) fn number(&self) -> Result<i32> {
        Ok(self.next::<Option<i32>>()?.unwrap_or(0))
    }

    pub(super) fn big(&self) -> Result<i64> {
        self.next()
    }

    pub(super) fn float(&self) -> Result<f64> {
        self.next()
    }

    pub(super) fn numbers(&self) -> Result<Vec<i16>> {
        self.next()
    }

    pub(super) fn flag(&self) -> Result<bool> {
        self.next()
    }
}

/// The rows of a query, each read by `read`.
pub(super) async fn all<T>(
    transaction: &Transaction<'_>,
    query: &str,
    parameters: &[&(dyn ToSql + Sync)],
    read: impl Fn(&Row) -> Result<T>,
) -> Result<Vec<T>> {
    let rows = transaction.query(query, parameters).await.map_err(|error| mapped(&error))?;
    if rows.len() > ROWS_MAX {
        let message = format!("the database declares more than {ROWS_MAX} objects of a kind");
        return Err(Error::new(Code::LIMIT_EXCEEDED, message));
    }
    rows.into_iter().map(|row| read(&Row::of(row))).collect()
}
