//! What a table refuses whoever asks: values for columns that compute their own, writes to views.

use catalog::{ColumnId, TableKind};
use types::{Code, Error, Result};

use crate::ir::{Action, Assign, ConflictAction, Insert, RowValue, Write};
use crate::model::{Fill, Model};

/// Refuses a write that no caller could make.
///
/// # Errors
/// `428C9` for a value given to a generated column, `0A000` for a view.
pub(crate) fn write(write: &Write, model: &Model) -> Result<()> {
    let table = &model.catalog[write.table];
    if let TableKind::View { .. } = table.kind {
        return Err(Error::missing(format!("writing to view {}", table.name)));
    }
    match &write.action {
        Action::Insert(insert) => inserted(write, insert, model),
        Action::Update { set, .. } => assigned(write, set, model),
        Action::Delete { .. } => Ok(()),
    }
}

fn inserted(write: &Write, insert: &Insert, model: &Model) -> Result<()> {
    for (position, column) in insert.columns.iter().enumerate() {
        let always = match &model[write.table].fills[usize::from(column.0)] {
            Fill::Generated(_) => true,
            Fill::Identity { always, .. } => *always && !insert.overriding,
            Fill::Null | Fill::Default(_) => false,
        };
        let given = insert.read.is_some()
            || insert.rows.iter().any(|row| !matches!(row.get(position), Some(RowValue::Default)));
        if always && given {
            return Err(refused(write, *column, model, "cannot insert a non-DEFAULT value into column"));
        }
    }
    match &insert.conflict {
        Some(conflict) => match &conflict.action {
            ConflictAction::Update { set, .. } => assigned(write, set, model),
            ConflictAction::Nothing => Ok(()),
        },
        None => Ok(()),
    }
}

fn assigned(write: &Write, set: &[(ColumnId, Assign)], model: &Model) -> Result<()> {
    for (column, assign) in set {
        let always = matches!(
            &model[write.table].fills[usize::from(column.0)],
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
    match model[write.table].fills[usize::from(column.0)] {
        Fill::Identity { .. } => error.with_hint("Use OVERRIDING SYSTEM VALUE to override."),
        Fill::Generated(_) | Fill::Null | Fill::Default(_) => error,
    }
}

fn detail(write: &Write, column: ColumnId, model: &Model) -> String {
    let name = &model.catalog[write.table][column].name;
    match model[write.table].fills[usize::from(column.0)] {
        Fill::Identity { .. } => {
            format!("Column \"{name}\" is an identity column defined as GENERATED ALWAYS.")
        }
        Fill::Generated(_) | Fill::Null | Fill::Default(_) => {
            format!("Column \"{name}\" is a generated column.")
        }
    }
}
