//! What comes after a statement (PostgreSQL, `AfterTriggerEndQuery`): triggers are fired for its rows, keys do what they do to other rows
//! and are looked at, in the order of their names; what may wait longer does.
//!
//! It is one queue: what happens because of a key stands behind all that waits.

use std::collections::VecDeque;
use std::sync::Arc;

use catalog::TableId;
use program::Held;
use query::triggers::Operation;
use sql::ast::TriggerTiming;
use types::{Result, Value};

use super::actions::{KeyAt, WHO};
use super::firing::Occasion;
use super::parts::Part;
use super::references::TouchedKey;
use super::seen::Seen;
use super::together::Stored;
use crate::constraints::Constraints;
use crate::in_force::Deferred;
use crate::work::Work;

/// What is to be done because something happened to a row.
pub(super) enum Due {
    /// A trigger is to be fired, by its position.
    Trigger(usize),
    /// A key is to be looked at.
    Key {
        what: Deferred,
        /// Whether it may wait for the end of the transaction.
        may_wait: bool,
    },
    /// A foreign key is to do something to rows that refer to it.
    Action(KeyAt),
}

/// What is to be done after a statement, first come, first served.
#[derive(Default)]
pub(super) struct Queue {
    waiting: VecDeque<Waiting>,
    /// What has come since the round began: it is not known yet what of it waits longer.
    coming: VecDeque<Waiting>,
    pub(super) seen: Seen,
    /// What rows that keys have changed take of memory.
    held: Option<Held>,
}

/// Something that waits, and for whom it is done.
struct Waiting {
    table: TableId,
    role: Arc<str>,
    what: What,
}

enum What {
    /// Rows of a table to which something happened.
    Rows(Vec<Happened>),
    /// The statement has ended, unless it has once more since.
    End { operation: Operation, set: usize, end: usize },
}

/// A row to which something happened.
struct Happened {
    operation: Operation,
    set: usize,
    row: Stored,
    due: Vec<Due>,
}

impl Work<'_> {
    /// Does what comes after the parts of a statement: what belongs to their own rows, of one part after the other, then what belongs to
    /// rows further away. Triggers for a statement are fired once, behind the last row to which that happened.
    pub(super) async fn fire_all_after(&mut self, parts: Vec<Part>) -> Result<()> {
        let mut queue = Queue::default();
        for part in parts {
            for operation in &part.operations {
                // Those before the statement are fired.
                let set = queue.seen.set(part.table, operation);
                queue.seen.begins(set);
            }
            let caller = std::mem::replace(&mut self.run.caller.role, part.role.clone());
            let queued = self.queue(&mut queue, part).await;
            self.run.caller.role = caller;
            queued?;
        }
        while !queue.coming.is_empty() {
            self.begin_round(&mut queue)?;
            while let Some(Waiting { table, role, what }) = queue.waiting.pop_front() {
                let caller = std::mem::replace(&mut self.run.caller.role, role);
                let done = self.take_turn(table, what, &mut queue).await;
                self.run.caller.role = caller;
                done?;
            }
        }
        Ok(())
    }

    /// Has what may wait longer do so; the rest is done in this round (`afterTriggerMarkEvents`).
    fn begin_round(&self, queue: &mut Queue) -> Result<()> {
        let constraints = self.in_force.constraints();
        for mut waiting in std::mem::take(&mut queue.coming) {
            if let What::Rows(rows) = &mut waiting.what {
                for happened in rows {
                    let due = std::mem::take(&mut happened.due);
                    for due in due {
                        match self.put_off_due(&constraints, (waiting.table, happened), due) {
                            Ok(due) => happened.due.push(due),
                            Err(deferred) => self.in_force.defer(deferred)?,
                        }
                    }
                }
            }
            queue.waiting.push_back(waiting);
        }
        Ok(())
    }

    /// What is to be done at once; as an error, what waits.
    fn put_off_due(
        &self,
        constraints: &Constraints,
        (table, happened): (TableId, &Happened),
        due: Due,
    ) -> std::result::Result<Due, Deferred> {
        let model = &self.served.model;
        match due {
            Due::Key { what, may_wait: true } if constraints.put_off(model, &what) => Err(what),
            Due::Trigger(trigger)
                if model[table].triggers[trigger].statement.constraint
                    && constraints.puts_off(model, table, trigger) =>
            {
                let (old, new) = versions(&happened.operation, &happened.row);
                let (old, new) = (old.map(<[Value]>::to_vec), new.map(<[Value]>::to_vec));
                Err(Deferred::Trigger { table, trigger, operation: happened.operation.clone(), old, new })
            }
            Due::Key { .. } | Due::Trigger(_) | Due::Action(_) => Ok(due),
        }
    }

    /// Has wait what is to be done after a part.
    pub(super) async fn queue(&mut self, queue: &mut Queue, part: Part) -> Result<()> {
        let (table, role, operations) = (part.table, part.role.clone(), part.operations.clone());
        self.queue_rows(queue, part).await?;
        for operation in operations.into_iter().rev() {
            let set = queue.seen.set(table, &operation);
            let end = queue.seen.ends(set);
            let what = What::End { operation, set, end };
            queue.coming.push_back(Waiting { table, role: role.clone(), what });
        }
        Ok(())
    }

    /// The same after its rows alone: it goes on.
    pub(super) async fn queue_rows(&mut self, queue: &mut Queue, part: Part) -> Result<()> {
        let model = self.served.model.clone();
        let Part { table, operations, rows, role, is_of_key } = part;
        let is_shown = model[table].triggers.iter().any(|trigger| !trigger.transitions.is_empty());
        let mut happened = Vec::new();
        for row in rows {
            let Some(operation) = of_row(&operations, &row) else { continue };
            let set = queue.seen.set(table, operation);
            queue.seen.note(&model, (set, table, operation), &row);
            let due = self.due(table, operation, &row).await?;
            if is_of_key && (is_shown || !due.is_empty()) {
                let held = queue.held.get_or_insert_with(|| self.in_force.account.hold_of(WHO));
                row.old.iter().chain([&row.new]).try_for_each(|row| held.row(row))?;
            }
            if !due.is_empty() {
                happened.push(Happened { operation: operation.clone(), set, row, due });
            }
        }
        if !happened.is_empty() {
            queue.coming.push_back(Waiting { table, role, what: What::Rows(happened) });
        }
        Ok(())
    }

    /// Does what has waited.
    async fn take_turn(&mut self, table: TableId, what: What, queue: &mut Queue) -> Result<()> {
        match what {
            What::Rows(rows) => {
                for happened in rows {
                    self.do_after(table, happened, queue).await?;
                }
                Ok(())
            }
            What::End { set, end, .. } if !queue.seen.is_end(set, end) => Ok(()),
            What::End { operation, set, .. } => {
                let seen = Some((&mut queue.seen, set));
                self.fire_for_statement(table, &operation, TriggerTiming::After, seen).await
            }
        }
    }

    /// Does what is to be done after something happened to a row.
    async fn do_after(&mut self, table: TableId, happened: Happened, queue: &mut Queue) -> Result<()> {
        let model = self.served.model.clone();
        let Happened { operation, set, row, due } = happened;
        for due in due {
            match due {
                Due::Trigger(at) => {
                    let trigger = &model[table].triggers[at];
                    let rows = if trigger.transitions.is_empty() { None } else { queue.seen.rows(set) };
                    let (old, new) = versions(&operation, &row);
                    let occasion = Occasion { table, operation: &operation, old, rows };
                    self.fire(trigger, occasion, new.map(<[Value]>::to_vec)).await?;
                }
                Due::Key { what, .. } => self.do_deferred(what).await?,
                Due::Action(key) => self.act(key, (table, &row), queue).await?,
            }
        }
        Ok(())
    }

    /// What is to be done because something happened to a row, in order.
    async fn due(&mut self, table: TableId, operation: &Operation, row: &Stored) -> Result<Vec<Due>> {
        let model = self.served.model.clone();
        let (old, new) = versions(operation, row);
        // In the order of the names of triggers, of which keys have some of PostgreSQL's own.
        let keys = self.keys_touched(table, operation, row);
        let mut due: Vec<(&str, Due)> = keys.into_iter().map(|key| (key.trigger, key.due)).collect();
        for (at, trigger) in model[table].triggers.iter().enumerate() {
            if trigger.is_on(self.replication())
                && trigger.fires(operation, TriggerTiming::After, true)
                && self.holds(table, trigger, old, new).await?
            {
                due.push((&trigger.name, Due::Trigger(at)));
            }
        }
        due.sort_by_key(|(name, _)| *name);
        Ok(due.into_iter().map(|(_, due)| due).collect())
    }

    /// The keys that do something, or are to be looked at, because of what happened to a row.
    fn keys_touched(&self, table: TableId, operation: &Operation, row: &Stored) -> Vec<TouchedKey> {
        let has_primary = self.served.model.catalog[table].primary_key.is_some();
        let doubted = |key: &usize| {
            let what = Deferred::Unique { table, key: *key, row: row.new.clone() };
            // The primary key is the first one.
            let trigger =
                if has_primary && *key == 0 { "PK_ConstraintTrigger" } else { "Unique_ConstraintTrigger" };
            TouchedKey { trigger, due: Due::Key { what, may_wait: true } }
        };
        row.doubts.iter().map(doubted).chain(self.references_touched(table, operation, row)).collect()
    }

    /// Does something that waited for the end of the transaction.
    pub(crate) async fn do_deferred(&mut self, deferred: Deferred) -> Result<()> {
        let model = self.served.model.clone();
        match deferred {
            Deferred::Trigger { table, trigger, operation, old, new } => {
                let trigger = &model[table].triggers[trigger];
                let occasion = Occasion { table, operation: &operation, old: old.as_deref(), rows: None };
                self.fire(trigger, occasion, new).await.map(drop)
            }
            Deferred::Reference { from, key, at, row } => {
                self.look_at_reference((from, key), (at, &row)).await
            }
            Deferred::Left { from, key, values, restricts } => {
                self.look_for_left((from, key), &values, restricts).await
            }
            Deferred::Unique { table, key, row } => self.look_at_key((table, key), &row).await,
        }
    }
}

/// What happened to a row of a statement: of an upsert it was inserted or updated.
pub(super) fn of_row<'o>(operations: &'o [Operation], row: &Stored) -> Option<&'o Operation> {
    if row.old.is_none() { operations.first() } else { operations.last() }
}

/// A row as it was and as it is.
pub(super) fn versions<'r>(
    operation: &Operation,
    row: &'r Stored,
) -> (Option<&'r [Value]>, Option<&'r [Value]>) {
    (row.old.as_deref(), (*operation != Operation::Delete).then_some(&row.new[..]))
}
