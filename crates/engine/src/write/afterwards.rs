//! What comes after a statement (PostgreSQL, `AfterTriggerEndQuery`): triggers are fired for its rows, and keys that waited are looked
//! at, in the order of their names; what may wait longer does.

use std::sync::Arc;

use catalog::TableId;
use query::triggers::Operation;
use sql::ast::TriggerTiming;
use types::{Result, Value};

use super::carried::Happened;
use super::firing::Occasion;
use super::parts::Part;
use super::references::TouchedKey;
use super::seen::Seen;
use super::together::Stored;
use crate::in_force::Deferred;
use crate::work::Work;

/// What is to be done because something happened to a row.
enum Due {
    /// A trigger is to be fired, by its position.
    Trigger(usize),
    /// A key is to be looked at.
    Key(Deferred),
}

/// Rows to which something happened, of a part of a statement or because of it.
struct Turn<'a> {
    table: TableId,
    operations: &'a [Operation],
    rows: Vec<(&'a Operation, &'a Stored)>,
    role: &'a Arc<str>,
}

impl<'a> Turn<'a> {
    /// A part's own rows.
    fn of(part: &'a Part) -> Turn<'a> {
        let rows = part.rows.iter().filter_map(|row| Some((of_row(&part.operations, row)?, row)));
        Turn { table: part.table, operations: &part.operations, rows: rows.collect(), role: &part.role }
    }

    /// Those to which foreign keys carried it on.
    fn further(part: &'a Part) -> impl Iterator<Item = Turn<'a>> {
        part.carried.iter().map(|Happened { table, operation, rows }| Turn {
            table: *table,
            operations: std::slice::from_ref(operation),
            rows: rows.iter().map(|row| (operation, row)).collect(),
            role: &part.role,
        })
    }
}

impl Work<'_> {
    /// Fires the triggers after a statement: those of its own rows, of one part after the other, then those of rows further away. Those
    /// for a statement are fired once, behind the last row to which that happened (`cancel_prior_stmt_triggers`).
    pub(super) async fn fire_all_after(&mut self, parts: Vec<Part>) -> Result<()> {
        let model = self.served.model.clone();
        let mut seen = Seen::default();
        for part in &parts {
            for operation in &part.operations {
                let is_own = |row: &&Stored| of_row(&part.operations, row) == Some(operation);
                seen.note(&model, (part.table, operation), part.rows.iter().filter(is_own));
            }
            for happened in &part.carried {
                seen.note(&model, (happened.table, &happened.operation), happened.rows.iter());
            }
        }
        let turns: Vec<Turn<'_>> =
            parts.iter().map(Turn::of).chain(parts.iter().flat_map(Turn::further)).collect();
        // What waits is known before the first trigger is fired, which may change that.
        let mut dues = Vec::with_capacity(parts.len());
        for turn in turns.iter().take(parts.len()) {
            dues.push(self.all_due(turn).await?);
        }
        let mut dues = dues.into_iter();
        for (at, turn) in turns.iter().enumerate() {
            let due = match dues.next() {
                Some(due) => due,
                None => self.all_due(turn).await?,
            };
            let caller = std::mem::replace(&mut self.run.caller.role, turn.role.clone());
            let done = self.take_turn(turn, due, (turns.get(at + 1..).unwrap_or_default(), &mut seen)).await;
            self.run.caller.role = caller;
            done?;
        }
        Ok(())
    }

    /// Fires the triggers after something happened to some rows, and those for the statement, unless it happens again.
    async fn take_turn(
        &mut self,
        turn: &Turn<'_>,
        due: Vec<Vec<Due>>,
        (later, seen): (&[Turn<'_>], &mut Seen),
    ) -> Result<()> {
        self.fire_after(turn, due, seen).await?;
        for operation in turn.operations.iter().rev() {
            let is_same = |later: &Operation| later.name() == operation.name();
            let comes_again =
                later.iter().any(|later| later.table == turn.table && later.operations.iter().any(is_same));
            if !comes_again {
                self.fire_for_statement(turn.table, operation, (TriggerTiming::After, seen)).await?;
            }
        }
        Ok(())
    }

    /// Fires the triggers after something happened to rows.
    async fn fire_after(&mut self, turn: &Turn<'_>, due: Vec<Vec<Due>>, seen: &mut Seen) -> Result<()> {
        let model = self.served.model.clone();
        for ((operation, row), due) in turn.rows.iter().zip(due) {
            for due in due {
                match due {
                    Due::Trigger(at) => {
                        let rows = seen.rows(turn.table, operation);
                        let (old, new) = versions(operation, row);
                        let occasion = Occasion { table: turn.table, operation, old, rows };
                        let trigger = &model[turn.table].triggers[at];
                        self.fire(trigger, occasion, new.map(<[Value]>::to_vec)).await?;
                    }
                    Due::Key(key) => self.do_deferred(key).await?,
                }
            }
        }
        Ok(())
    }

    /// What is to be done at once because something happened to rows.
    async fn all_due(&mut self, turn: &Turn<'_>) -> Result<Vec<Vec<Due>>> {
        let caller = std::mem::replace(&mut self.run.caller.role, turn.role.clone());
        let mut all = Ok(Vec::with_capacity(turn.rows.len()));
        for (operation, row) in &turn.rows {
            let Ok(due) = &mut all else { break };
            match self.due(turn.table, operation, row).await {
                Ok(of_row) => due.push(of_row),
                Err(error) => all = Err(error),
            }
        }
        self.run.caller.role = caller;
        all
    }

    /// What is to be done at once because something happened to a row, in order; what is not waits.
    async fn due(&mut self, table: TableId, operation: &Operation, row: &Stored) -> Result<Vec<Due>> {
        let model = self.served.model.clone();
        let (old, new) = versions(operation, row);
        // In the order of the names of triggers, of which keys have some of PostgreSQL's own.
        let mut due: Vec<(&str, Due)> = Vec::new();
        for TouchedKey { trigger, what, may_wait } in self.keys_touched(table, operation, row) {
            if may_wait && self.in_force.constraints().put_off(&model, &what) {
                self.in_force.defer(what)?;
            } else {
                due.push((trigger, Due::Key(what)));
            }
        }
        for (at, trigger) in model[table].triggers.iter().enumerate() {
            if !trigger.is_on(self.replication())
                || !trigger.fires(operation, TriggerTiming::After, true)
                || !self.holds(table, trigger, old, new).await?
            {
                continue;
            }
            if !trigger.statement.constraint {
                due.push((&trigger.name, Due::Trigger(at)));
                continue;
            }
            let (old, new) = (old.map(<[Value]>::to_vec), new.map(<[Value]>::to_vec));
            let waiting = Deferred::Trigger { table, trigger: at, operation: operation.clone(), old, new };
            if self.in_force.constraints().put_off(&model, &waiting) {
                self.in_force.defer(waiting)?;
            } else {
                due.push((&trigger.name, Due::Trigger(at)));
            }
        }
        due.sort_by_key(|(name, _)| *name);
        Ok(due.into_iter().map(|(_, due)| due).collect())
    }

    /// The keys that are to be looked at because of what happened to a row.
    fn keys_touched(&self, table: TableId, operation: &Operation, row: &Stored) -> Vec<TouchedKey> {
        let has_primary = self.served.model.catalog[table].primary_key.is_some();
        let doubted = |key: &usize| TouchedKey {
            // The primary key is the first one.
            trigger: if has_primary && *key == 0 {
                "PK_ConstraintTrigger"
            } else {
                "Unique_ConstraintTrigger"
            },
            what: Deferred::Unique { table, key: *key, row: row.new.clone() },
            may_wait: true,
        };
        let references = self.references_touched(table, operation, versions(operation, row));
        row.doubts.iter().map(doubted).chain(references).collect()
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
            Deferred::Reference { from, key, values, is_left } => {
                self.look_at_reference((from, key), &values, is_left).await
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
fn versions<'r>(operation: &Operation, row: &'r Stored) -> (Option<&'r [Value]>, Option<&'r [Value]>) {
    (row.old.as_deref(), (*operation != Operation::Delete).then_some(&row.new[..]))
}
