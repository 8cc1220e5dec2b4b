//! Refuses triggers that would see in which order rows go and foreign keys act.
//!
//! PostgreSQL stores a statement's own rows, then row by row what keys do because of it, each a statement of its own, and fires the triggers
//! after that row. Here what keys do is found before, and done by the engine at once: that is the same unless a trigger looks.

use catalog::TableId;
use query::Write;
use query::triggers::{self, Operation, TriggerModel};
use sql::ast::TriggerTiming;
use types::{Error, Result};

use super::carried::{Carried, Reach, levels};
use crate::work::Work;

impl Work<'_> {
    /// Refuses a trigger before what a key does that looks at what is not yet as in PostgreSQL.
    pub(super) fn refuse_early(
        &self,
        from: TableId,
        operation: &Operation,
        for_each_row: bool,
        reach: &mut Reach,
    ) -> Result<()> {
        let Some((own, own_operation)) = reach.own.clone() else { return Ok(()) };
        let is_several = reach.own_rows > 1;
        if is_several && from == own && own_operation != Operation::Delete {
            self.refuse_own_again(own)?;
        }
        let catalog = &self.served.model.catalog;
        for trigger in self.triggers(from, operation, TriggerTiming::Before, for_each_row) {
            let looks = trigger.looks(catalog);
            if !looks.at_any() {
                continue;
            }
            let sees = looks.at(own) || reach.carried.iter().any(|carried| looks.at(*carried));
            if sees || !self.is_in_turn(own, from, for_each_row, reach) {
                return Err(self.out_of_turn(from, trigger));
            }
            reach.has_looked = true;
            reach.has_looked_further |= reach.depth > 1;
        }
        Ok(())
    }

    /// Whether a trigger before what a key does is fired between those between which PostgreSQL fires it.
    fn is_in_turn(&self, own: TableId, from: TableId, for_each_row: bool, reach: &Reach) -> bool {
        let mut others = reach.carried.iter().filter(|other| **other != from);
        match reach.depth {
            0 | 1 => {
                let is_several = for_each_row && reach.own_rows > 1;
                !reach.has_looked_further
                    && !(is_several && (self.look_on(own) || others.any(|other| self.look_on(*other))))
            }
            2 => reach.rows_beside == 1 && !self.look_on(own),
            _ => false,
        }
    }

    /// Refuses triggers before a further row of a statement that look at what keys did because of the rows before it.
    pub(super) fn refuse_next(&self, write: &Write, reach: &Reach) -> Result<()> {
        if reach.carried.is_empty() {
            return Ok(());
        }
        if reach.carried.contains(&write.table) {
            self.refuse_own_again(write.table)?;
        }
        let catalog = &self.served.model.catalog;
        for operation in triggers::operations(write) {
            for trigger in self.triggers(write.table, &operation, TriggerTiming::Before, true) {
                let looks = trigger.looks(catalog);
                if reach.carried.iter().any(|carried| looks.at(*carried))
                    || reach.has_looked && looks.at_any()
                {
                    return Err(self.out_of_turn(write.table, trigger));
                }
            }
        }
        Ok(())
    }

    /// Refuses triggers after rows that look at rows which keys change later.
    pub(super) fn refuse_late(
        &self,
        (table, operations, own_rows): (TableId, &[Operation], usize),
        carried: &[Carried],
    ) -> Result<()> {
        let own = operations.iter().map(|operation| (table, operation, own_rows)).collect();
        let levels: Vec<Vec<_>> = std::iter::once(own).chain(levels(carried)).collect();
        let catalog = &self.served.model.catalog;
        for (at, level) in levels.iter().enumerate() {
            let is_one = level.iter().map(|(_, _, rows)| rows).sum::<usize>() == 1;
            let later = levels.get(at + 1 + usize::from(is_one)..).unwrap_or_default().concat();
            for (table, operation, _) in level {
                for trigger in self.triggers(*table, operation, TriggerTiming::After, true) {
                    let looks = trigger.looks(catalog);
                    if later.iter().any(|(later, _, rows)| *rows > 0 && looks.at(*later)) {
                        return Err(self.out_of_turn(*table, trigger));
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether triggers of the own rows of a statement look at tables to whose rows keys carry it.
    pub(super) fn watches_keys(&self, reach: &Reach) -> bool {
        let Some((own, operation)) = &reach.own else { return false };
        let model = &self.served.model;
        let before = self.triggers(*own, operation, TriggerTiming::Before, true);
        let mut all = before.chain(self.triggers(*own, operation, TriggerTiming::After, true)).peekable();
        if all.peek().is_none() {
            return false;
        }
        let reached = triggers::reached(model, *own, vec![operation.clone()]);
        let looks = |trigger: &TriggerModel| {
            reached.iter().any(|table| table != own && trigger.looks(&model.catalog).at(*table))
        };
        all.any(looks)
    }

    /// A trigger before rows of a table go that looks at that table.
    pub(super) fn watches_deletions(&self, table: TableId) -> Option<&TriggerModel> {
        let catalog = &self.served.model.catalog;
        let mut before = self.triggers(table, &Operation::Delete, TriggerTiming::Before, true);
        before.find(|trigger| trigger.looks(catalog).at(table))
    }

    /// Whether the rows of a deletion go one after the other, each when the triggers before it were fired. Nothing is returned of rows
    /// that are gone, and no key acts before all are.
    pub(super) fn goes_row_by_row(&self, write: &Write) -> bool {
        let model = &self.served.model;
        let is_silent = write.returning.is_none() && write.counted.is_none();
        is_silent
            && self.watches_deletions(write.table).is_some()
            && triggers::references_to(model, write.table).next().is_none()
    }

    /// Refuses triggers of rows that a statement changes itself and by a key, where it has further rows.
    fn refuse_own_again(&self, table: TableId) -> Result<()> {
        let mut triggers = self.served.model[table].triggers.iter();
        match triggers.find(|trigger| trigger.statement.for_each_row) {
            Some(trigger) => Err(self.out_of_turn(table, trigger)),
            None => Ok(()),
        }
    }

    /// Whether triggers of the rows of a table look at tables.
    fn look_on(&self, table: TableId) -> bool {
        let model = &self.served.model;
        let looks =
            |trigger: &TriggerModel| trigger.statement.for_each_row && trigger.looks(&model.catalog).at_any();
        model[table].triggers.iter().any(looks)
    }

    /// The triggers that are fired at once when something happens to a table's rows.
    fn triggers<'w>(
        &'w self,
        table: TableId,
        operation: &'w Operation,
        timing: TriggerTiming,
        for_each_row: bool,
    ) -> impl Iterator<Item = &'w TriggerModel> {
        self.served.model[table].triggers.iter().filter(move |trigger| {
            trigger.is_on(self.replication())
                && trigger.fires(operation, timing, for_each_row)
                && !trigger.statement.initially_deferred
        })
    }

    pub(super) fn out_of_turn(&self, table: TableId, trigger: &TriggerModel) -> Error {
        let table = &self.served.model.catalog[table].name;
        let what = format!(
            "a trigger that looks at rows while others of its statement go or foreign keys act (\"{}\" of table {table})",
            trigger.name
        );
        let hint = "Change these rows by statements of their own, those that refer to others first.";
        Error::missing(what).with_hint(hint)
    }
}
