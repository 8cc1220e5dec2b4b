//! What a table refuses whoever asks: values for columns that compute their own, upserts without a unique key.

use std::collections::BTreeSet;

use catalog::{ColumnId, TableId};
use types::{Code, Error, Result};

use crate::arbiters::arbiters;
use crate::ir::{Action, Assign, Conflict, ConflictAction, Expr, Insert, RowValue, Write};
use crate::model::{Fill, Model, ROW};
use crate::{triggers, visit};

/// Refuses a write that no caller could make.
///
/// # Errors
/// `428C9` for a value given to a generated column, `42P10` for an upsert on columns that are no unique key.
pub(crate) fn write(write: &Write, model: &Model) -> Result<()> {
    if write.action.sets_nothing() {
        return Ok(());
    }
    if model[write.named()].fills.is_empty() {
        // A model of declarations alone stores nothing: the whole one that runs it looks.
        return Ok(());
    }
    if !model.catalog[write.table].is_stored() {
        let is_instead = triggers::is_instead(model, write.table, &write.action);
        let error = || Error::internal("a write to a view was not made one to a table");
        return if is_instead { Ok(()) } else { Err(error()) };
    }
    match &write.action {
        Action::Insert(insert) => inserted(write, insert, model),
        Action::Update { set, .. } => assigned(write, set, model),
        Action::Delete { .. } => Ok(()),
    }
}

/// Whether an expression over a row names one of these columns of it.
pub(crate) fn names(expr: &Expr, columns: &BTreeSet<ColumnId>) -> bool {
    let mut found = false;
    visit::deep(expr, &mut |inner| {
        found |= matches!(inner, Expr::Column { source: ROW, column, .. } if columns.contains(column));
    });
    found
}

fn inserted(write: &Write, insert: &Insert, model: &Model) -> Result<()> {
    for (position, column) in insert.columns.iter().enumerate() {
        let always = match &model[write.named()].fills[usize::from(column.0)] {
            Fill::Generated(_) => true,
            Fill::Identity { always, .. } => *always && !insert.overriding,
            Fill::Null | Fill::Default(_) => false,
        };
        // Without rows too: it is the statement that gives a value.
        let given = insert.read.is_some()
            || insert.rows.is_empty()
            || insert.rows.iter().any(|row| !matches!(row.get(position), Some(RowValue::Default)));
        if always && given {
            return Err(refused(write, *column, model, "cannot insert a non-DEFAULT value into column"));
        }
    }
    match &insert.conflict {
        Some(conflict) => match &conflict.action {
            _ if conflict.names_key() && arbiters(model, write.table, conflict).is_empty() => {
                let message =
                    "there is no unique or exclusion constraint matching the ON CONFLICT specification";
                Err(Error::new(Code::INVALID_COLUMN_REFERENCE, message))
            }
            ConflictAction::Update { .. } if excludes(model, write.table, conflict) => {
                let message = "ON CONFLICT DO UPDATE not supported with exclusion constraints";
                Err(Error::new(Code::WRONG_OBJECT_TYPE, message))
            }
            ConflictAction::Update { set, .. } => assigned(write, set, model),
            ConflictAction::Nothing => Ok(()),
        },
        None => Ok(()),
    }
}

fn excludes(model: &Model, table: TableId, conflict: &Conflict) -> bool {
    arbiters(model, table, conflict).iter().any(|key| key.excludes.is_some())
}

fn assigned(write: &Write, set: &[(ColumnId, Assign)], model: &Model) -> Result<()> {
    for (column, assign) in set {
        let always = matches!(
            &model[write.named()].fills[usize::from(column.0)],
            Fill::Generated(_) | Fill::Identity { always: true, .. }
        );
        if always && matches!(assign, Assign::Expr(_)) {
            let table = &model.catalog[write.table];
            let message = format!("column \"{}\" can only be updated to DEFAULT", table[*column].name);
            return Err(
                Error::new(Code::GENERATED_ALWAYS, message).with_details(detail(write, *column, model))
            );
        }
    }
    Ok(())
}

fn refused(write: &Write, column: ColumnId, model: &Model, what: &str) -> Error {
    let name = &model.catalog[write.table][column].name;
    let error = Error::new(Code::GENERATED_ALWAYS, format!("{what} \"{name}\""))
        .with_details(detail(write, column, model));
    match model[write.named()].fills[usize::from(column.0)] {
        Fill::Identity { .. } => error.with_hint("Use OVERRIDING SYSTEM VALUE to override."),
        Fill::Generated(_) | Fill::Null | Fill::Default(_) => error,
    }
}

fn detail(write: &Write, column: ColumnId, model: &Model) -> String {
    let name = &model.catalog[write.table][column].name;
    match model[write.named()].fills[usize::from(column.0)] {
        Fill::Identity { .. } => {
            format!("Column \"{name}\" is an identity column defined as GENERATED ALWAYS.")
        }
        Fill::Generated(_) | Fill::Null | Fill::Default(_) => {
            format!("Column \"{name}\" is a generated column.")
        }
    }
}
