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

/// What a statement has done, its foreign keys included, as far as triggers have a name for it (`GetAfterTriggersTableData`).
#[derive(Default)]
pub(super) struct Seen {
    sets: Vec<Set>,
    /// Those to which further rows belong.
    open: BTreeMap<(TableId, &'static str), usize>,
}

/// What happened in one way to the rows of a table, until a trigger was shown its transition tables.
#[derive(Default)]
struct Set {
    rows: Arc<Rows>,
    /// Whether triggers before the statement were fired.
    has_begun: bool,
    /// How often triggers after the statement were to be fired: they are the last time.
    ends: usize,
}

impl Seen {
    /// To what belongs what happens to rows of a table.
    pub(super) fn set(&mut self, table: TableId, operation: &Operation) -> usize {
        let sets = &mut self.sets;
        *self.open.entry((table, operation.name())).or_insert_with(|| {
            sets.push(Set::default());
            sets.len() - 1
        })
    }

    /// Whether triggers before the statement are still to be fired.
    pub(super) fn begins(&mut self, set: usize) -> bool {
        self.sets.get_mut(set).is_some_and(|set| !std::mem::replace(&mut set.has_begun, true))
    }

    /// Has triggers after the statement be fired, and no longer where that was said before; what says so to [`Seen::is_end`].
    pub(super) fn ends(&mut self, set: usize) -> usize {
        self.sets.get_mut(set).map_or(0, |set| {
            set.ends += 1;
            set.ends
        })
    }

    /// Whether nothing of the kind was said since.
    pub(super) fn is_end(&self, set: usize, end: usize) -> bool {
        self.sets.get(set).is_some_and(|set| set.ends == end)
    }

    /// Notes a row to which something happened, where a trigger may ask for it.
    pub(super) fn note(
        &mut self,
        model: &Model,
        (set, table, operation): (usize, TableId, &Operation),
        row: &Stored,
    ) {
        if model[table].triggers.iter().all(|trigger| trigger.transitions.is_empty()) {
            return;
        }
        // What was shown is left as it is: it is not open, so that no row is noted for it.
        let Some(rows) = self.sets.get_mut(set).and_then(|set| Arc::get_mut(&mut set.rows)) else { return };
        rows.old.extend(row.old.clone());
        if *operation != Operation::Delete {
            rows.new.push(row.new.clone());
        }
    }

    /// All that happened, shown to a trigger: what happens in the same way later belongs to another set.
    pub(super) fn rows(&mut self, set: usize) -> Option<Arc<Rows>> {
        self.open.retain(|_, open| *open != set);
        self.sets.get(set).map(|set| set.rows.clone())
    }
}
