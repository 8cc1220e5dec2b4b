//! What the triggers after a statement see of it: its transition tables.

use std::collections::BTreeMap;
use std::sync::Arc;

use catalog::TableId;
use query::triggers::Operation;
use query::{Model, Transition};
use types::Value;

use super::together::Stored;

/// The rows of a table that a statement has changed in one way.
#[derive(Default)]
pub(crate) struct Rows {
    old: Vec<Vec<Value>>,
    new: Vec<Vec<Value>>,
}

impl Rows {
    /// The rows of a transition table.
    pub(crate) fn of(&self, which: Transition) -> &[Vec<Value>] {
        match which {
            Transition::Old => &self.old,
            Transition::New => &self.new,
        }
    }
}

/// What a statement has done, its foreign keys included, as far as triggers have a name for it.
#[derive(Default)]
pub(super) struct Seen {
    rows: BTreeMap<(TableId, &'static str), Rows>,
    kept: BTreeMap<(TableId, &'static str), Arc<Rows>>,
}

impl Seen {
    /// Notes rows to which something happened, where a trigger may ask for them.
    pub(super) fn note<'r>(
        &mut self,
        model: &Model,
        (table, operation): (TableId, &Operation),
        rows: impl Iterator<Item = &'r Stored>,
    ) {
        if model[table].triggers.iter().all(|trigger| trigger.transitions.is_empty()) {
            return;
        }
        let seen = self.rows.entry((table, operation.name())).or_default();
        for row in rows {
            seen.old.extend(row.old.clone());
            if *operation != Operation::Delete {
                seen.new.push(row.new.clone());
            }
        }
    }

    /// All that happened in one way to the rows of a table.
    pub(super) fn rows(&mut self, table: TableId, operation: &Operation) -> Option<Arc<Rows>> {
        let key = (table, operation.name());
        if let Some(rows) = self.rows.remove(&key) {
            self.kept.insert(key, Arc::new(rows));
        }
        self.kept.get(&key).cloned()
    }
}
