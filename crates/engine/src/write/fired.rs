//! Writes after which more is to be done than engines do: triggers are fired (PostgreSQL, "Overview of Trigger Behavior"), keys
//! that wait are looked at.
//!
//! Such a write takes its rows one after the other: triggers before a row see what was done to the rows before it, and say what is
//! stored. What is returned is read when all rows are stored, then comes what is to be done after them.

use catalog::{ColumnId, TableId};
use query::model::ROW;
use query::triggers::{self, Operation, Replication};
use query::{Action, Assign, Expr, Insert, RowCheck, Source, Write, reach};
use sql::ast::TriggerTiming;
use types::{Error, Result, Value};

use super::parts::Part;
use super::together::Stored;
use super::{StoredRow, Task, Touched, check_affected, count, split};
use crate::contract::Failure;
use crate::database::Applied;
use crate::work::{Bound, Work};

/// What a statement has done to rows.
#[derive(Default)]
pub(super) struct Passed {
    pub(super) touched: Touched,
    /// The rows as they were and as they are, in the order in which they were stored.
    pub(super) rows: Vec<Stored>,
}

impl Work<'_> {
    /// Whether more is to be done after a write than engines do. What sets nothing is no statement to PostgreSQL.
    pub(super) fn fires(&self, write: &Write) -> bool {
        if matches!(&write.action, Action::Update { set, .. } if set.is_empty()) {
            return false;
        }
        // Keys that wait are looked at with the triggers. A view that is filled anew has none.
        if self.are_all_keys_ours() && !write.refreshes {
            return true;
        }
        let model = &self.served.model;
        let operations = triggers::operations(write);
        // What was to be looked at is not there as it was, when it has become another.
        if self.in_force.has_own(|| triggers::changed(model, write.table, operations.clone())) {
            return true;
        }
        if self.replication() == Replication::Replica {
            let fires = |operation| triggers::fires_any_replicated(model, write.table, operation);
            return model.has_triggers() && operations.iter().any(fires);
        }
        // Of what the engine's keys do, nobody who looks back knows; they do not know whose triggers are disabled.
        let is_told = self.in_force.history.is_watched() || model.has_resting_keys();
        let is_told = is_told && !write.refreshes;
        let fires = |operation: &Operation| {
            model.has_triggers() && triggers::fires_any(model, write.table, operation)
                || is_told && triggers::carried(model, write.table, operation).next().is_some()
        };
        operations.iter().any(fires)
    }

    /// Whether what foreign keys do and ask is ours whatever is written: they wait, or the engine's cannot act, or would err.
    fn are_all_keys_ours(&self) -> bool {
        self.transaction.do_references_wait()
            || self.in_force.is_calling()
            || self.transaction.may_references_dangle()
    }

    /// Whether what foreign keys do and ask is ours while a write is done, and not the engine's.
    pub(super) fn are_keys_ours(&self, write: &Write) -> bool {
        let model = &self.served.model;
        let has_keys = || self.are_all_keys_ours() || triggers::has_keys(model, write.table);
        model.catalog[write.table].is_stored() && has_keys() && self.fires(write)
    }

    /// Runs a write that fires triggers.
    pub(super) async fn store_fired(&mut self, task: Task<'_>) -> Result<Applied> {
        let (write, parameters) = (task.write, task.parameters);
        let operations = triggers::operations(write);
        for operation in &operations {
            if self.in_force.begins(write.table, operation.name()) {
                self.fire_for_statement(write.table, operation, TriggerTiming::Before, None).await?;
            }
        }
        let passed = match &write.action {
            Action::Delete { filter } => self.pass_gone(task, filter.as_ref()).await?,
            Action::Insert(_) | Action::Update { .. } => {
                let passed = self.pass(write, parameters).await?;
                self.returning(task, &passed.touched).await?;
                passed
            }
        };
        let affected = match &write.action {
            Action::Delete { .. } => passed.rows.len(),
            Action::Insert(_) | Action::Update { .. } => passed.touched.keys.len(),
        };
        let role = self.run.caller.role.clone();
        let part = Part { table: write.table, operations, rows: passed.rows, role, is_of_key: false };
        self.finish(part).await?;
        // Whoever asked for fewer rows is told when the statement has done all that it does.
        check_affected(write, affected)?;
        Ok(Applied { affected: count(affected), inserted: passed.touched.inserted })
    }

    /// Stores the rows of an insert or update.
    async fn pass(&mut self, write: &Write, parameters: &[Value]) -> Result<Passed, Failure> {
        let mut passed = Passed::default();
        match &write.action {
            Action::Insert(insert) => self.pass_given(write, insert, parameters, &mut passed).await?,
            Action::Update { set, filter } => {
                self.pass_changed(write, set, filter.as_ref(), parameters, &mut passed).await?;
            }
            Action::Delete { .. } => return Err(Error::internal("a deletion stores no rows").into()),
        }
        Ok(passed)
    }

    /// Inserts rows. Triggers before a row see the rows before it; where there are none, all are checked before the first is stored,
    /// and those before a row that is refused are stored first, because theirs might be the earlier error.
    async fn pass_given(
        &mut self,
        write: &Write,
        insert: &Insert,
        parameters: &[Value],
        passed: &mut Passed,
    ) -> Result<(), Failure> {
        if self.takes_one_by_one(write) {
            for given in self.given(insert, parameters).await? {
                if let Some(row) = self.candidate(write, insert, &given, parameters).await? {
                    self.pass_row(write, insert, row, passed).await?;
                }
            }
            return Ok(());
        }
        let mut checked = Vec::new();
        let refused = self.candidates(write, insert, parameters, &mut checked).await;
        for row in checked {
            self.pass_row(write, insert, row, passed).await?;
        }
        Ok(refused?)
    }

    /// Updates rows, in the same way.
    async fn pass_changed(
        &mut self,
        write: &Write,
        set: &[(ColumnId, Assign)],
        filter: Option<&Expr>,
        parameters: &[Value],
        passed: &mut Passed,
    ) -> Result<(), Failure> {
        if self.takes_one_by_one(write) {
            let asked = super::update::asked(write, set);
            for (row, asked) in self.targets(write, filter, asked, parameters).await? {
                if let Some(change) = self.change_of(write, set, (row, asked), parameters).await? {
                    self.pass_change(write, change, passed).await?;
                }
            }
            return Ok(());
        }
        let mut checked = Vec::new();
        let refused = self.changes(write, set, filter, parameters, &mut checked).await;
        for change in checked {
            self.pass_change(write, change, passed).await?;
        }
        Ok(refused?)
    }

    async fn pass_change(
        &mut self,
        write: &Write,
        mut change: super::update::Change,
        passed: &mut Passed,
    ) -> Result<(), Failure> {
        let beside = std::mem::take(&mut change.beside);
        let key = self.apply_fired(write, change, passed).await?;
        passed.touched.keys.push(key);
        passed.touched.beside.push(beside);
        Ok(())
    }

    /// Whether a row is stored before the next one is checked: triggers before rows see that.
    fn takes_one_by_one(&self, write: &Write) -> bool {
        triggers::operations(write).iter().any(|operation| self.fires_before_rows(write.table, operation))
    }

    pub(super) fn fires_before_rows(&self, table: TableId, operation: &Operation) -> bool {
        self.served.model[table].triggers.iter().any(|trigger| {
            trigger.is_on(self.replication()) && trigger.fires(operation, TriggerTiming::Before, true)
        })
    }

    /// Whether the rows of an upsert are judged one after the other, for policies look at the table.
    pub(super) fn is_judged_by_row(&self, write: &Write) -> bool {
        let Action::Insert(insert) = &write.action else { return false };
        let catalog = &self.served.model.catalog;
        insert.conflict.is_some()
            && (insert.read.is_some() || insert.rows.len() > 1)
            && checks(write).any(|check| reach::reads(catalog, &check.expr, write.table))
    }

    /// Stores one row of an insert, or does what is to be done instead.
    async fn pass_row(
        &mut self,
        write: &Write,
        insert: &Insert,
        row: Vec<Value>,
        passed: &mut Passed,
    ) -> Result<(), Failure> {
        let existing = match &insert.conflict {
            None => None,
            Some(conflict) => {
                self.existing(write, conflict, &row).await?.map(|existing| (conflict, existing))
            }
        };
        let Some((conflict, existing)) = existing else {
            return match self.stored(write, std::slice::from_ref(&row)).await {
                Ok(keys) => {
                    passed.touched.inserted += count(keys.len());
                    let key = keys.first().copied().unwrap_or_default();
                    keys.into_iter().for_each(|key| passed.touched.meet(key));
                    let row = Stored { new: row, ..Stored::default() };
                    passed.rows.push(self.noted(write.table, (None, key), row).await?);
                    Ok(())
                }
                Err(Failure::Unique { .. })
                    if insert.conflict.as_ref().is_some_and(|conflict| !conflict.names_key()) =>
                {
                    Ok(())
                }
                Err(failure) => Err(self.violation(write, None, &row, failure).await),
            };
        };
        if let Some(change) = self.merged_with(write, conflict, &row, existing, &passed.touched).await? {
            let key = self.apply_fired(write, change, passed).await?;
            passed.touched.meet(key);
        }
        Ok(())
    }

    async fn apply_fired(
        &mut self,
        write: &Write,
        change: super::update::Change,
        passed: &mut Passed,
    ) -> Result<i64, Failure> {
        let key = self.apply(write, &change).await?;
        let keys = (Some(change.key), key);
        passed.rows.push(self.noted(write.table, keys, change.into()).await?);
        Ok(key)
    }

    /// A row that is stored, with what is to be known of it when its keys are looked at.
    pub(super) async fn noted(
        &mut self,
        table: TableId,
        (before, key): (Option<i64>, i64),
        row: Stored,
    ) -> Result<Stored> {
        let has_references = !self.served.model.catalog[table].foreign_keys.is_empty();
        let was_own = has_references && self.in_force.note_own(table, before, key);
        let doubts = self.doubts(table, &row.new).await?;
        Ok(Stored { key, doubts, was_own, ..row })
    }

    /// Deletes the rows of a deletion. What is returned of them, they say while they are there; or afterwards, as they were, where
    /// triggers see one go after the other.
    async fn pass_gone(&mut self, task: Task<'_>, filter: Option<&Expr>) -> Result<Passed> {
        let write = task.write;
        let rows = self.targets(write, filter, Vec::new(), task.parameters).await?;
        let rows: Vec<StoredRow> = rows.into_iter().map(|(row, _)| row).collect();
        let gone = match self.fires_before_rows(write.table, &Operation::Delete) {
            true => {
                let gone = self.delete_fired(write.table, rows).await?;
                self.returning_gone(task, &gone).await?;
                gone
            }
            false => {
                self.returning(task, &Touched::of_gone(rows.iter())).await?;
                self.delete_fired(write.table, rows).await?
            }
        };
        let rows = gone.into_iter().map(Stored::of_gone).collect();
        Ok(Passed { rows, ..Passed::default() })
    }

    /// Deletes rows, where triggers are fired before that one after the other: those before the next one see it gone. Which are gone:
    /// a trigger may keep some.
    pub(super) async fn delete_fired(
        &mut self,
        table: TableId,
        rows: Vec<StoredRow>,
    ) -> Result<Vec<StoredRow>> {
        if !self.fires_before_rows(table, &Operation::Delete) {
            if self.remove(table, &rows).await? != count(rows.len()) {
                return Err(already_modified("deleted"));
            }
            return Ok(rows);
        }
        let mut gone = Vec::with_capacity(rows.len());
        for (at, row) in rows.into_iter().enumerate() {
            if at > 0 && self.row_at(table, row.key).await?.is_none() {
                return Err(already_modified("updated"));
            }
            if self.fire_before(table, &Operation::Delete, Some(&row.values), None).await?.is_none() {
                continue;
            }
            if self.remove(table, std::slice::from_ref(&row)).await? == 0 {
                return Err(already_modified("deleted"));
            }
            gone.push(row);
        }
        Ok(gone)
    }

    /// The row that has a key.
    pub(super) async fn row_at(&mut self, table: TableId, key: i64) -> Result<Option<Vec<Value>>> {
        let read = self.whole_rows_of((ROW, table), Source::Written { id: ROW, table });
        let width = read.outputs.len();
        let found = self.rows(&read, Bound { written: &[key], ..Bound::default() }).await?;
        let found = found.into_iter().next().map(|row| split(row, width)).transpose()?;
        Ok(found.map(|(row, _)| row.values))
    }
}

/// The conditions on the rows of a write.
fn checks(write: &Write) -> impl Iterator<Item = &RowCheck> {
    let guard = &write.guard;
    guard.insert.iter().chain(&guard.conflict).chain(&guard.update)
}

/// The error of a row that a trigger of its own statement has changed or removed.
pub(super) fn already_modified(done: &str) -> Error {
    let message =
        format!("tuple to be {done} was already modified by an operation triggered by the current command");
    Error::raised("27000", message).with_hint(
        "Consider using an AFTER trigger instead of a BEFORE trigger to propagate changes to other rows.",
    )
}
