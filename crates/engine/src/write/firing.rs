//! Triggers, fired: those before a row and those of a statement, and what every firing is (PostgreSQL, "Overview of Trigger Behavior").

use std::sync::Arc;

use catalog::TableId;
use query::functions::settings::count_trigger;
use query::model::{Fill, ROW};
use query::triggers::{OLD, Operation, Routine, TriggerModel};
use sql::ast::TriggerTiming;
use types::{Code, Error, Result, Type, Value};

use super::is_same;
use super::seen::{Rows, Seen};
use crate::work::{Tuple, Work};

/// What a trigger is fired for.
pub(super) struct Occasion<'a> {
    pub(super) table: TableId,
    pub(super) operation: &'a Operation,
    /// The row as it was.
    pub(super) old: Option<&'a [Value]>,
    /// The rows of the whole statement, where the trigger may ask for them.
    pub(super) rows: Option<Arc<Rows>>,
}

impl Work<'_> {
    /// Fires the triggers before something happens to a row. What is to be stored; nothing when it is not to happen.
    pub(super) async fn fire_before(
        &mut self,
        table: TableId,
        operation: &Operation,
        old: Option<&[Value]>,
        mut new: Option<Vec<Value>>,
    ) -> Result<Option<Vec<Value>>> {
        let model = self.served.model.clone();
        let partition = match &new {
            Some(row) if *operation == Operation::Insert => self.relation_of(table, row).await?,
            Some(_) | None => table,
        };
        for trigger in &model[table].triggers {
            if !trigger.is_on(self.replication())
                || !trigger.fires(operation, TriggerTiming::Before, true)
                || !self.holds(table, trigger, old, new.as_deref()).await?
            {
                continue;
            }
            let occasion = Occasion { table, operation, old, rows: None };
            let returned = self.fire(trigger, occasion, new.clone()).await?;
            match (returned, operation) {
                (None, _) => return Ok(None),
                (Some(_), Operation::Delete | Operation::Truncate) => {}
                (Some(row), Operation::Insert | Operation::Update(_)) => {
                    self.refuse_moved_by(trigger, (table, partition), &row).await?;
                    new = Some(row);
                }
            }
        }
        Ok(Some(new.unwrap_or_default()))
    }

    /// Fires the triggers of a statement; those that ask for its rows get a set of what was seen.
    pub(super) async fn fire_for_statement(
        &mut self,
        table: TableId,
        operation: &Operation,
        timing: TriggerTiming,
        mut seen: Option<(&mut Seen, usize)>,
    ) -> Result<()> {
        let model = self.served.model.clone();
        for trigger in &model[table].triggers {
            if trigger.is_on(self.replication())
                && trigger.fires(operation, timing, false)
                && self.holds(table, trigger, None, None).await?
            {
                let rows = match &mut seen {
                    Some((seen, set)) if !trigger.transitions.is_empty() => seen.rows(*set),
                    Some(_) | None => None,
                };
                self.fire(trigger, Occasion { table, operation, old: None, rows }, None).await?;
            }
        }
        Ok(())
    }

    /// Whether a trigger's condition holds.
    pub(super) async fn holds(
        &mut self,
        table: TableId,
        trigger: &TriggerModel,
        old: Option<&[Value]>,
        new: Option<&[Value]>,
    ) -> Result<bool> {
        let Some(when) = &trigger.when else { return Ok(true) };
        let when = when.as_ref().map_err(Clone::clone)?;
        let excluded = old.map(|old| (OLD, old));
        let row = Tuple { table, target: ROW, values: new.unwrap_or_default(), excluded };
        Ok(matches!(self.value_at_start(when, Some(row), &[]).await?, Value::Bool(true)))
    }

    /// Calls what a trigger calls. The row that it returns.
    pub(super) async fn fire(
        &mut self,
        trigger: &TriggerModel,
        Occasion { table, operation, old, rows }: Occasion<'_>,
        new: Option<Vec<Value>>,
    ) -> Result<Option<Vec<Value>>> {
        let statement = &trigger.statement;
        let table = match old.or(new.as_deref()) {
            Some(row) if statement.for_each_row => self.relation_of(table, row).await?,
            Some(_) | None => table,
        };
        match trigger.routine.clone()? {
            Routine::SkipsUnchanged => {
                let columns = &self.served.model.catalog[table].columns;
                let is_as_it_was = |new: &Vec<Value>| {
                    let mut pairs = new.iter().zip(old.unwrap_or_default()).zip(columns);
                    pairs.all(|((new, old), column)| is_same(&column.ty, old, new))
                };
                Ok(new.filter(|new| !is_as_it_was(new)))
            }
            Routine::SetsTime => self.with_time(table, trigger, new).map(Some),
            Routine::Declared(function) => {
                let is_changed =
                    statement.timing == TriggerTiming::Before && matches!(operation, Operation::Update(_));
                let firing = program::Firing {
                    trigger: trigger.name.clone(),
                    table,
                    when: match statement.timing {
                        TriggerTiming::Before => "BEFORE",
                        TriggerTiming::After => "AFTER",
                        TriggerTiming::InsteadOf => "INSTEAD OF",
                    },
                    level: if statement.for_each_row { "ROW" } else { "STATEMENT" },
                    operation: operation.name(),
                    old: old.map(<[Value]>::to_vec),
                    new: new.map(|row| if is_changed { self.not_yet_generated(table, row) } else { row }),
                    arguments: statement.arguments.clone(),
                    transitions: trigger.transitions.clone(),
                };
                let around = std::mem::replace(&mut self.transitions, rows);
                let settings = self.run.session.settings.clone();
                count_trigger(&settings, 1)?;
                let seen = match self.is_volatile(function) {
                    true => self.in_force.history.look(None),
                    false => self.look_back(),
                };
                let returned = Box::pin(program::fire(self, function, firing)).await;
                self.in_force.history.look(seen);
                self.transitions = around;
                count_trigger(&settings, -1)?;
                returned
            }
        }
    }

    /// A changed row that is not stored: its generated columns are null, whatever the trigger before said.
    fn not_yet_generated(&self, table: TableId, mut row: Vec<Value>) -> Vec<Value> {
        for (value, fill) in row.iter_mut().zip(&self.served.model[table].fills) {
            if matches!(fill, Fill::Generated(_)) {
                *value = Value::Null;
            }
        }
        row
    }

    /// The row with the transaction's time in the column that is the trigger's argument.
    fn with_time(
        &self,
        table: TableId,
        trigger: &TriggerModel,
        new: Option<Vec<Value>>,
    ) -> Result<Vec<Value>> {
        let declared = &self.served.model.catalog[table];
        let column = trigger.statement.arguments.first().and_then(|name| declared.column(name));
        let (Some((column, of)), Some(mut row)) = (column, new) else {
            return Err(Error::new(Code::RAISED, "moddatetime: must be fired for update, with a column"));
        };
        let session = &self.run.session;
        row[usize::from(column.0)] = match &of.ty {
            Type::Timestamptz => Value::Timestamp(session.now),
            Type::Timestamp => {
                Value::Timestamp(session.now + i64::from(session.offset_at(session.now)) * 1_000_000)
            }
            _ => {
                let name = &of.name;
                let message = format!(
                    "attribute \"{name}\" of \"{}\" must be type TIMESTAMP or TIMESTAMPTZ",
                    declared.name.name
                );
                return Err(Error::new(Code::RAISED, message));
            }
        };
        Ok(row)
    }
}
