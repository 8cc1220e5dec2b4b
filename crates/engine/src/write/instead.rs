//! Writes to views in whose place triggers stand (PostgreSQL, `CREATE TRIGGER`, `INSTEAD OF`).
//!
//! Nothing is stored here: for each row that is to come, or that the view shows, its triggers are fired, and say what is returned.

use query::triggers::{self, Operation};
use query::{Action, Insert, Read, Source, Write, visit};
use sql::ast::TriggerTiming;
use types::{Error, Result, Value};

use super::firing::Occasion;
use super::parts::Part;
use super::{StoredRow, Task, beside, check_affected, count};
use crate::database::Applied;
use crate::work::Work;

/// A row as the view shows it, and as it is to be.
type Wanted = (Option<Vec<Value>>, Option<Vec<Value>>);

impl Work<'_> {
    /// Has triggers do a write.
    pub(super) async fn store_instead(&mut self, task: Task<'_>) -> Result<Applied> {
        let (write, parameters) = (task.write, task.parameters);
        let operations = triggers::operations(write);
        let Some(operation) = operations.first() else { return Err(Error::internal("a write of nothing")) };
        if self.in_force.begins(write.table, operation.name()) {
            self.fire_for_statement(write.table, operation, TriggerTiming::Before, None).await?;
        }
        let wanted = match &write.action {
            Action::Insert(insert) => self.wanted_rows(write, insert, parameters).await?,
            Action::Update { .. } | Action::Delete { .. } => self.shown_rows(write, parameters).await?,
        };
        let mut done = Vec::with_capacity(wanted.len());
        for (old, new) in wanted {
            done.extend(self.fire_instead(write, operation, old, new).await?);
        }
        check_affected(write, done.len())?;
        let affected = count(done.len());
        self.returning_instead(task, done).await?;
        let (role, operations) = (self.run.caller.role.clone(), vec![operation.clone()]);
        let part = Part { table: write.table, operations, rows: Vec::new(), role, is_of_key: false };
        self.finish(part).await?;
        let inserted = if *operation == Operation::Insert { affected } else { 0 };
        Ok(Applied { affected, inserted })
    }

    /// The rows that are to come.
    async fn wanted_rows(
        &mut self,
        write: &Write,
        insert: &Insert,
        parameters: &[Value],
    ) -> Result<Vec<Wanted>> {
        let given = self.given(insert, parameters).await?;
        let mut rows = Vec::with_capacity(given.len());
        for row in &given {
            rows.push((None, Some(self.complete(write, insert, row, parameters).await?)));
        }
        Ok(rows)
    }

    /// The rows that the view shows, and what they are to be.
    async fn shown_rows(&mut self, write: &Write, parameters: &[Value]) -> Result<Vec<Wanted>> {
        let (set, filter) = match &write.action {
            Action::Update { set, filter } => (&set[..], filter),
            Action::Delete { filter } => (&[][..], filter),
            Action::Insert(_) => return Err(Error::internal("an insert finds no rows")),
        };
        let shown = write.guard.instead.clone();
        let shown = shown.ok_or_else(|| Error::internal("a view without its rows"))?;
        let whole = self.whole_rows(write, beside(write, shown));
        // A view's rows have no keys.
        let mut outputs: Vec<_> = whole.outputs.into_iter().skip(1).collect();
        let width = outputs.len();
        let asked = super::update::asked(write, set);
        outputs.extend(asked.into_iter().map(|expr| query::Output { name: "further".into(), expr }));
        let read = Read { filter: filter.clone(), outputs, ..Read::from(whole.from) };
        let mut rows = Vec::new();
        for mut row in self.rows_at_start(&read, parameters).await? {
            let asked = row.split_off(width);
            let new = match &write.action {
                Action::Update { set, .. } => {
                    let row = StoredRow { key: 0, values: row.clone(), beside: Vec::new() };
                    Some(self.assigned(write, set, &row, asked, parameters).await?)
                }
                Action::Insert(_) | Action::Delete { .. } => None,
            };
            rows.push((Some(row), new));
        }
        Ok(rows)
    }

    /// Fires the triggers that stand in place of a change to one row. What it is then; nothing when one has returned null.
    async fn fire_instead(
        &mut self,
        write: &Write,
        operation: &Operation,
        old: Option<Vec<Value>>,
        mut new: Option<Vec<Value>>,
    ) -> Result<Option<Vec<Value>>> {
        let model = self.served.model.clone();
        for trigger in &model[write.table].triggers {
            if !trigger.is_on(self.replication()) || !trigger.fires(operation, TriggerTiming::InsteadOf, true)
            {
                continue;
            }
            let occasion = Occasion { table: write.table, operation, old: old.as_deref(), rows: None };
            let Some(returned) = self.fire(trigger, occasion, new.clone()).await? else { return Ok(None) };
            if new.is_some() {
                new = Some(returned);
            }
        }
        if let Some(new) = &new {
            self.admit_by_views(write, new, &[]).await?;
        }
        Ok(new.or(old))
    }

    /// Reads what is asked of the rows that triggers have returned.
    async fn returning_instead(
        &mut self,
        Task { write, parameters, position, sink }: Task<'_>,
        rows: Vec<Vec<Value>>,
    ) -> Result<()> {
        if !write.beside_returned.is_empty() {
            return Err(Error::missing("RETURNING columns of what stands beside the rows of a view"));
        }
        for (read, position) in [(&write.returning, position), (&write.counted, position + 1)] {
            let Some(read) = read else { continue };
            let mut read = read.clone();
            visit::deep_sources_mut(&mut read, &mut |source| {
                if let Source::Written { id, table } = source
                    && *table == write.table
                {
                    *source = self.rows_in_memory(*id, *table, rows.clone());
                }
            });
            let seen = self.look_back();
            let outcome = self.fetch(&read, &query::Presentation::Rows, parameters, position, sink).await;
            self.in_force.history.look(seen);
            outcome?;
        }
        Ok(())
    }
}
