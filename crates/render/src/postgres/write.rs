//! Whole writes: one statement that inserts, updates or deletes, and reads what it wrote.
//!
//! ```text
//! WITH written AS (INSERT … RETURNING …) SELECT how many, the rows that are asked of them
//! ```
//!
//! Only the columns that are asked for are returned, because a caller may write columns that he may not read.

use std::collections::BTreeSet;

use catalog::{Catalog, ColumnId};
use query::{
    Action, Assign, Conflict, ConflictAction, Expr, Insert, Judge, Read, RowValue, Source, SourceId, Write,
    visit,
};
use types::value::Array;
use types::{Code, Error, Result, Type, Value};

use super::read::{Use, outputs};
use super::{Columns, Writer, names};
use crate::{Bindings, Command, Whole};

/// Parameters of one command that PostgreSQL takes.
const PARAMETERS_MAX: usize = 65_535;

/// A whole write.
///
/// # Errors
/// `XX000` when it was not left to the engine; `0A000` and `54000` for what cannot be said.
pub fn write(catalog: &Catalog, write: &Write, bindings: &Bindings<'_>) -> Result<Whole> {
    if write.guard.judge != Judge::Engine {
        return Err(Error::internal("a write with compiled policies reached an engine that has its own"));
    }
    if write.counted.is_some() || write.called.is_some() {
        return Err(Error::internal("a function's write reached an engine that calls functions itself"));
    }
    let mut writer = Writer::new(catalog, bindings);
    let updated = upserts(&write.action).then(|| updated(bindings));
    let Some(returning) = &write.returning else {
        writer.change(write)?;
        return Ok(Whole { command: bounded(writer.finish([].into()))?, updated });
    };
    writer.push("WITH written AS (");
    writer.change(write)?;
    writer.returned(write, returning)?;
    writer.push(") SELECT k.n, r.* FROM (SELECT pg_catalog.count(*) AS n FROM written) AS k LEFT JOIN (SELECT true, w.* FROM (");
    writer.top(returning)?;
    writer.push(") AS w) AS r ON true");
    let command = bounded(writer.finish(outputs(&returning.outputs)))?;
    Ok(Whole { command: Command { counts_changes: true, ..command }, updated })
}

fn bounded(command: Command) -> Result<Command> {
    if command.parameters.len() <= PARAMETERS_MAX {
        return Ok(command);
    }
    let message = format!("a write has more than {PARAMETERS_MAX} values beside defaults");
    Err(Error::new(Code::LIMIT_EXCEEDED, message).with_hint("Write fewer rows at once."))
}

/// Where an upsert counts the rows that were there before.
const COUNTER: &str = "backplane.updated";

/// Whether existing rows may be updated by an insert.
fn upserts(action: &Action) -> bool {
    matches!(
        action,
        Action::Insert(Insert { conflict: Some(Conflict { action: ConflictAction::Update { .. }, .. }), .. })
    )
}

/// Says how many rows were there before, and counts from zero again.
fn updated(bindings: &Bindings<'_>) -> Command {
    let text = format!(
        "SELECT coalesce(nullif(pg_catalog.current_setting('{COUNTER}', true), ''), '0')::int8, pg_catalog.set_config('{COUNTER}', '0', true)"
    );
    Command {
        text: text.into(),
        parameters: Vec::new(),
        session: bindings.session.clone(),
        outputs: [("updated".into(), Type::Int8), ("reset".into(), Type::Text)].into(),
        counts_changes: false,
        calls: false,
    }
}

impl Writer<'_> {
    fn change(&mut self, write: &Write) -> Result<()> {
        self.sources.insert(write.target, Columns::OfTable(write.table));
        match &write.action {
            Action::Insert(insert) => self.insert(write, insert),
            Action::Update { set, filter: _ } if set.is_empty() => {
                // Nothing is set in no row: what may be read is still asked for.
                self.push("SELECT ");
                self.columns(write, write.returning.as_ref())?;
                self.push(" FROM ");
                self.target(write);
                self.push(" WHERE false");
                Ok(())
            }
            Action::Update { set, filter } => {
                self.push("UPDATE ");
                self.target(write);
                self.push(" SET ");
                self.assignments(write, set)?;
                self.clause(" WHERE ", filter.as_ref())
            }
            Action::Delete { filter } => {
                self.push("DELETE FROM ");
                self.target(write);
                self.clause(" WHERE ", filter.as_ref())
            }
        }
    }

    fn target(&mut self, write: &Write) {
        self.table(write.table);
        self.push(" AS ");
        self.alias(write.target);
    }

    /// The columns that the rows are asked for, and no other: each needs a privilege.
    fn returned(&mut self, write: &Write, returning: &Read) -> Result<()> {
        if matches!(&write.action, Action::Update { set, .. } if set.is_empty()) {
            return Ok(());
        }
        self.push(" RETURNING ");
        self.columns(write, Some(returning))
    }

    fn columns(&mut self, write: &Write, returning: Option<&Read>) -> Result<()> {
        let columns = returning.map(asked).unwrap_or_default();
        if columns.is_empty() {
            self.push("1");
        }
        self.list(columns, ", ", |writer, column| {
            writer.alias(write.target);
            writer.push(".");
            writer.table_column(write.table, column);
            Ok(())
        })
    }

    fn assignments(&mut self, write: &Write, set: &[(ColumnId, Assign)]) -> Result<()> {
        self.list(set, ", ", |writer, (column, assign)| {
            writer.table_column(write.table, *column);
            writer.push(" = ");
            match assign {
                Assign::Default => {
                    writer.push("DEFAULT");
                    Ok(())
                }
                Assign::Expr(expr) => writer.expr(expr),
            }
        })
    }

    fn insert(&mut self, write: &Write, insert: &Insert) -> Result<()> {
        self.push("INSERT INTO ");
        self.target(write);
        if !insert.columns.is_empty() {
            self.push(" (");
            self.list(&insert.columns, ", ", |writer, column| {
                writer.table_column(write.table, *column);
                Ok(())
            })?;
            self.push(")");
        }
        self.push(if insert.overriding { " OVERRIDING SYSTEM VALUE" } else { "" });
        self.rows(write, insert)?;
        match &insert.conflict {
            Some(conflict) => self.conflict(write, conflict),
            None => Ok(()),
        }
    }

    fn rows(&mut self, write: &Write, insert: &Insert) -> Result<()> {
        if let Some(read) = &insert.read {
            self.push(" ");
            return self.read(read, Use::Set);
        }
        if insert.columns.is_empty() {
            // Rows of nothing but defaults.
            self.push(" SELECT FROM pg_catalog.generate_series(1, ");
            let rows = i64::try_from(insert.rows.len()).map_err(Error::internal)?;
            self.value(&Value::Int(rows), &Type::Int8);
            self.push(")");
            return Ok(());
        }
        let only_values = |row: &Vec<RowValue>| row.iter().all(|value| matches!(value, RowValue::Value(_)));
        if insert.rows.len() != 1 && insert.rows.iter().all(only_values) {
            return self.columns_of_rows(write, insert);
        }
        self.push(" VALUES ");
        self.list(&insert.rows, ", ", |writer, row| {
            writer.push("(");
            writer.list(insert.columns.iter().zip(row), ", ", |writer, (column, value)| match value {
                RowValue::Default => {
                    writer.push("DEFAULT");
                    Ok(())
                }
                RowValue::Value(value) => {
                    let catalog = writer.catalog;
                    writer.value(value, &catalog[write.table][*column].ty);
                    Ok(())
                }
                RowValue::Expr(expr) => writer.expr(expr),
                RowValue::Returned(_) => {
                    Err(Error::internal("a value of another write was not put in its place"))
                }
            })?;
            writer.push(")");
            Ok(())
        })
    }

    /// Any number of rows in one parameter for each column: an array of texts.
    fn columns_of_rows(&mut self, write: &Write, insert: &Insert) -> Result<()> {
        let table = &self.catalog[write.table];
        self.push(" SELECT ");
        self.list(insert.columns.iter().enumerate(), ", ", |writer, (position, column)| {
            writer.push("u.c");
            writer.number(position);
            writer.push("::");
            writer.push(&names::type_name(&table[*column].ty, None));
            Ok(())
        })?;
        self.push(" FROM unnest(");
        self.list(insert.columns.iter().enumerate(), ", ", |writer, (position, column)| {
            let ty = &table[*column].ty;
            let text = |row: &Vec<RowValue>| match row.get(position) {
                Some(RowValue::Value(value)) if !value.is_null() => {
                    Value::text(types::text::print(ty, value, writer.bindings.session))
                }
                Some(RowValue::Value(_) | RowValue::Default | RowValue::Expr(_) | RowValue::Returned(_))
                | None => Value::Null,
            };
            let elements: Vec<Value> = insert.rows.iter().map(text).collect();
            let length = u32::try_from(elements.len()).map_err(Error::internal)?;
            let dimensions = if elements.is_empty() { Vec::new() } else { vec![length] };
            writer.value(&Value::Array(Array { dimensions, elements }.into()), &Type::Text.array());
            Ok(())
        })?;
        self.push(") AS u(");
        self.list(0..insert.columns.len(), ", ", |writer, position| {
            writer.push("c");
            writer.number(position);
            Ok(())
        })?;
        self.push(")");
        Ok(())
    }

    fn conflict(&mut self, write: &Write, conflict: &Conflict) -> Result<()> {
        self.push(" ON CONFLICT");
        if !conflict.computed.is_empty() || conflict.predicate.is_some() {
            return Err(Error::missing(
                "ON CONFLICT on an expression or with a predicate in a statement of ours",
            ));
        }
        if !conflict.columns.is_empty() {
            self.push(" (");
            self.list(&conflict.columns, ", ", |writer, column| {
                writer.table_column(write.table, *column);
                Ok(())
            })?;
            self.push(")");
        }
        let ConflictAction::Update { excluded, set, filter } = &conflict.action else {
            self.push(" DO NOTHING");
            return Ok(());
        };
        self.sources.insert(*excluded, Columns::Excluded(write.table));
        self.push(" DO UPDATE SET ");
        self.assignments(write, set)?;
        self.push(" WHERE CASE WHEN ");
        match filter {
            Some(filter) => self.expr(filter)?,
            None => self.push("true"),
        }
        self.push(" THEN ");
        self.push(&counts());
        self.push(" END");
        Ok(())
    }
}

/// Counts one row that was there before; true.
fn counts() -> String {
    format!(
        "pg_catalog.set_config('{COUNTER}', (coalesce(nullif(pg_catalog.current_setting('{COUNTER}', true), ''), '0')::int8 + 1)::text, true) IS NOT NULL"
    )
}

/// The columns of the written rows that a read names, wherever in it.
fn asked(returning: &Read) -> BTreeSet<ColumnId> {
    let mut written: BTreeSet<SourceId> = BTreeSet::new();
    written_in(returning, &mut written);
    let mut columns = BTreeSet::new();
    visit::deep_read(returning, &mut |expr| {
        if let Expr::Column { source, column, .. } = expr
            && written.contains(source)
        {
            columns.insert(*column);
        }
    });
    columns
}

fn written_in(read: &Read, found: &mut BTreeSet<SourceId>) {
    visit::each_source(&read.from, &mut |source| {
        if let Source::Written { id, .. } = source {
            found.insert(*id);
        }
    });
    visit::inner_reads(read).into_iter().for_each(|inner| written_in(inner, found));
}
