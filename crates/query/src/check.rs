//! What a table refuses whoever asks: values for columns that compute their own, upserts without a unique key.

use catalog::{ColumnId, TableId};
use types::{Code, Error, Result};

use crate::arbiters::arbiters;
use crate::ir::{Action, Assign, ConflictAction, Insert, RowValue, Source, Write};
use crate::model::{Fill, Model};
use crate::{triggers, visit};

/// Refuses a write that no caller could make.
///
/// # Errors
/// `428C9` for a value given to a generated column, `42P10` for an upsert on columns that are no unique key.
pub(crate) fn write(write: &Write, model: &Model) -> Result<()> {
    if model[write.table].fills.is_empty() {
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

/// Refuses a statement that would see what a data-modifying `with` changed: PostgreSQL shows it the tables as they were.
///
/// # Errors
/// `0A000` where a table is read or changed again.
pub(crate) fn snapshot(write: &Write, model: &Model) -> Result<()> {
    let mut changed = Vec::new();
    for before in write.before.iter().map(|changed| &changed.write).chain([write]) {
        let mut touched = vec![before.table];
        let mut copy = before.clone();
        visit::each_read_of_write_mut(&mut copy, &mut |read| {
            visit::deep_sources(read, &mut |source| touched.extend(table_of(source)));
        });
        if let Some(beside) = &before.beside {
            visit::each_source(beside, &mut |source| touched.extend(table_of(source)));
        }
        let is_delete = matches!(before.action, Action::Delete { .. });
        if let Some(returning) = &before.returning {
            let mut read = Vec::new();
            visit::deep_sources(returning, &mut |source| read.extend(table_of(source)));
            // What a delete returns is read before the rows are gone.
            if !is_delete && before.is_read_whole && read.contains(&before.table) {
                return Err(again(before.table, model));
            }
            touched.extend(read);
        }
        if let Some(table) = touched.iter().find(|table| changed.contains(*table)) {
            return Err(again(*table, model));
        }
        changed.push(before.table);
    }
    Ok(())
}

fn table_of(source: &Source) -> Option<TableId> {
    match source {
        Source::Table { table, .. } => Some(*table),
        _ => None,
    }
}

fn again(table: TableId, model: &Model) -> Error {
    let name = &model.catalog[table].name.name;
    Error::missing(format!("a statement that looks at table {name} after its WITH changed it"))
}

fn inserted(write: &Write, insert: &Insert, model: &Model) -> Result<()> {
    for (position, column) in insert.columns.iter().enumerate() {
        let always = match &model[write.table].fills[usize::from(column.0)] {
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
