//! Writes after which more is to be done than engines do: triggers are fired (PostgreSQL, "Overview of Trigger Behavior"), keys
//! that wait are looked at.
//!
//! Such a write takes its rows one after the other: triggers before a row see what was done to the rows before it, and say what is
//! stored. What is returned is read when all rows are stored, then comes what is to be done after them.

use std::collections::BTreeSet;

use catalog::ColumnId;
use query::triggers::{self, Operation, Replication, TriggerModel};
use query::{Action, Assign, Expr, Insert, RowCheck, Source, Write, reach};
use sql::ast::TriggerTiming;
use types::{Error, Result, Value};

use super::carried::{Carried, Reach};
use super::parts::Part;
use super::seen::Seen;
use super::together::Stored;
use super::{StoredRow, Task, Touched, check_affected, count};
use crate::contract::Failure;
use crate::database::Applied;
use crate::work::{Bound, Work};

/// What a statement has done to rows.
#[derive(Default)]
pub(super) struct Passed {
    pub(super) touched: Touched,
    /// The rows as they were and as they are, in the order in which they were stored.
    pub(super) rows: Vec<Stored>,
    /// What foreign keys did because of them.
    carried: Vec<Carried>,
    /// How far they have come.
    reach: Reach,
}

impl Work<'_> {
    /// Whether a write fires triggers. What sets nothing is no statement to PostgreSQL.
    pub(super) fn fires(&self, write: &Write) -> bool {
        if matches!(&write.action, Action::Update { set, .. } if set.is_empty()) {
            return false;
        }
        // Keys that wait are looked at with the triggers. A view that is filled anew has none.
        if self.transaction.do_references_wait() && !write.refreshes {
            return true;
        }
        let model = &self.served.model;
        let fires = |operation: &Operation| match self.replication() {
            Replication::Origin => triggers::fires_any(model, write.table, operation),
            Replication::Replica => triggers::fires_any_replicated(model, write.table, operation),
        };
        model.has_triggers() && triggers::operations(write).iter().any(fires)
    }

    /// Runs a write that fires triggers.
    pub(super) async fn store_fired(&mut self, task: Task<'_>) -> Result<Applied> {
        let (write, parameters) = (task.write, task.parameters);
        let operations = triggers::operations(write);
        for operation in &operations {
            if self.in_force.begins(write.table, operation.name()) {
                let nothing = &mut Seen::default();
                self.fire_for_statement(write.table, operation, (TriggerTiming::Before, nothing)).await?;
            }
        }
        let (passed, affected) = match &write.action {
            Action::Delete { .. } if self.goes_row_by_row(write) => {
                let passed = self.delete_one_by_one(write, parameters).await?;
                check_affected(write, passed.rows.len())?;
                let affected = passed.rows.len();
                (passed, affected)
            }
            Action::Delete { .. } => {
                let rows = self.condemned(write, parameters).await?;
                check_affected(write, rows.len())?;
                let affected = rows.len();
                // What is returned of a deleted row, it says while it is there.
                self.returning(task, &Touched::of_gone(rows.iter())).await?;
                (self.delete_fired(write, rows).await?, affected)
            }
            Action::Insert(_) | Action::Update { .. } => {
                let passed = self.passed(write, parameters).await?;
                check_affected(write, passed.touched.keys.len())?;
                self.returning(task, &passed.touched).await?;
                let affected = passed.touched.keys.len();
                (passed, affected)
            }
        };
        self.refuse_late((write.table, &operations, passed.rows.len()), &passed.carried)?;
        let carried = self.settled(passed.carried).await?;
        let role = self.run.caller.role.clone();
        self.finish(Part { table: write.table, operations, rows: passed.rows, carried, role }).await?;
        Ok(Applied { affected: count(affected), inserted: passed.touched.inserted })
    }

    /// Stores the rows of an insert or update; a second time with foreign keys put off, when one refuses a row that a later one
    /// may satisfy.
    async fn passed(&mut self, write: &Write, parameters: &[Value]) -> Result<Passed> {
        self.open_part().await?;
        let ended = self.pass(write, parameters).await;
        let ended = self.close_part(ended).await;
        if !matches!(ended, Err(Failure::ForeignKey)) {
            return Ok(ended?);
        }
        // What waits is looked at among the triggers.
        self.put_off().await?;
        let ended = self.pass(write, parameters).await;
        Ok(self.close_part(ended).await?)
    }

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
                self.refuse_next(write, &passed.reach)?;
                if let Some(row) = self.candidate(write, insert, &given, parameters).await? {
                    self.pass_row(write, insert, row, passed).await?;
                }
            }
            return Ok(());
        }
        let mut checked = Vec::new();
        let refused = self.candidates(write, insert, parameters, &mut checked).await;
        for row in checked {
            self.refuse_next(write, &passed.reach)?;
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
                self.refuse_next(write, &passed.reach)?;
                if let Some(change) = self.change_of(write, set, (row, asked), parameters).await? {
                    self.pass_change(write, change, passed).await?;
                }
            }
            return Ok(());
        }
        let mut checked = Vec::new();
        let refused = self.changes(write, set, filter, parameters, &mut checked).await;
        for change in checked {
            self.refuse_next(write, &passed.reach)?;
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
        let model = &self.served.model;
        let is_before = |trigger: &TriggerModel| {
            let fires = |operation| {
                trigger.is_on(self.replication()) && trigger.fires(operation, TriggerTiming::Before, true)
            };
            triggers::operations(write).iter().any(fires)
        };
        model[write.table].triggers.iter().any(is_before)
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
                    keys.into_iter().for_each(|key| passed.touched.meet(key));
                    let doubts = self.doubts(write.table, &row).await?;
                    passed.rows.push(Stored { old: None, new: row, doubts });
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
        let columns: BTreeSet<_> = self.served.model.catalog[write.table].column_ids().collect();
        let row = (change.old.as_slice(), Some(change.new.as_slice()));
        let carried = self
            .carry(write.table, &Operation::Update(columns), &[row], passed.reach.of_next_row(write.table))
            .await?;
        let key = self.apply(write, &change).await?;
        passed.carried.extend(carried);
        let doubts = self.doubts(write.table, &change.new).await?;
        passed.rows.push(Stored { doubts, ..change.into() });
        Ok(key)
    }

    /// The rows that a deletion is about, but those that a trigger keeps.
    async fn condemned(&mut self, write: &Write, parameters: &[Value]) -> Result<Vec<StoredRow>> {
        let Action::Delete { filter } = &write.action else { return Ok(Vec::new()) };
        let mut rows = Vec::new();
        for (row, _) in self.targets(write, filter.as_ref(), Vec::new(), parameters).await? {
            if let (Some(trigger), false) = (self.watches_deletions(write.table), rows.is_empty()) {
                return Err(self.out_of_turn(write.table, trigger));
            }
            let goes = self.fire_before(write.table, &Operation::Delete, Some(&row.values), None).await?;
            if goes.is_some() {
                rows.push(row);
            }
        }
        Ok(rows)
    }

    /// Deletes each row when the triggers before it were fired: those before the next one see it gone.
    async fn delete_one_by_one(&mut self, write: &Write, parameters: &[Value]) -> Result<Passed> {
        let Action::Delete { filter } = &write.action else { return Ok(Passed::default()) };
        let mut passed = Passed::default();
        for (row, _) in self.targets(write, filter.as_ref(), Vec::new(), parameters).await? {
            let before = self.fire_before(write.table, &Operation::Delete, Some(&row.values), None).await?;
            if before.is_some() {
                passed.rows.extend(self.delete_fired(write, vec![row]).await?.rows);
            }
        }
        Ok(passed)
    }

    async fn delete_fired(&mut self, write: &Write, rows: Vec<StoredRow>) -> Result<Passed> {
        let mut reach = Reach::of_deleted(write.table, &rows);
        let gone: Vec<(&[Value], Option<&[Value]>)> =
            rows.iter().map(|row| (&row.values[..], None)).collect();
        let carried = self.carry(write.table, &Operation::Delete, &gone, &mut reach).await?;
        let rows: Vec<(StoredRow, Vec<Value>)> = rows.into_iter().map(|row| (row, Vec::new())).collect();
        // Rows that go with others of the statement are deleted before their turn comes: that is nobody's change.
        let goes_with_itself = self.served.model[write.table].deletes_itself;
        if goes_with_itself && self.still_there(write, &rows).await? != count(rows.len()) {
            return Err(already_modified("deleted"));
        }
        if self.delete(write, &rows).await? != count(rows.len()) && !goes_with_itself {
            return Err(already_modified("deleted"));
        }
        let gone = |(row, _): (StoredRow, _)| Stored { old: Some(row.values), ..Stored::default() };
        Ok(Passed { rows: rows.into_iter().map(gone).collect(), carried, ..Passed::default() })
    }

    /// How many of some rows are there as they were.
    async fn still_there(&mut self, write: &Write, rows: &[(StoredRow, Vec<Value>)]) -> Result<u64> {
        let keys: Vec<i64> = rows.iter().map(|(row, _)| row.key).collect();
        let read = self.whole_rows(write, Source::Written { id: write.target, table: write.table });
        let found = self.rows(&read, Bound { written: &keys, ..Bound::default() }).await?;
        Ok(count(found.len()))
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
