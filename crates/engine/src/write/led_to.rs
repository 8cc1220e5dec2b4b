//! What foreign keys do to rows elsewhere, noted for whoever looks back: the engine does it by itself and tells nobody.

use std::collections::BTreeSet;

use catalog::{ForeignKey, ReferentialAction, TableId};
use query::triggers::{self, Operation};
use types::{Result, Value};

use super::StoredRow;
use crate::work::Work;

/// How many rows are noted; of more, tables say that nobody knows how they were.
const ROWS_MAX: usize = 1_000;

/// A row that a foreign key changes or takes along.
pub(super) struct Led {
    table: TableId,
    row: StoredRow,
    is_gone: bool,
}

/// A row of a table to which something is about to happen: as it is, and as it is to be.
type Coming = (TableId, Operation, Vec<Value>, Option<Vec<Value>>);

impl Work<'_> {
    /// The rows that foreign keys are about to change because of some, while somebody may look back; nothing where that is not known.
    pub(super) async fn led_to(
        &mut self,
        table: TableId,
        operation: &Operation,
        rows: &[&[Value]],
        new: Option<&[Value]>,
    ) -> Result<Option<Vec<Led>>> {
        let model = self.served.model.clone();
        if !self.in_force.history.is_watched() || triggers::carried(&model, table, operation).next().is_none()
        {
            return Ok(None);
        }
        let seen = self.in_force.history.look(None);
        let coming: Vec<Coming> = rows
            .iter()
            .map(|old| (table, operation.clone(), old.to_vec(), new.map(<[Value]>::to_vec)))
            .collect();
        let led = self.follow(coming).await;
        self.in_force.history.look(seen);
        led
    }

    async fn follow(&mut self, mut open: Vec<Coming>) -> Result<Option<Vec<Led>>> {
        let model = self.served.model.clone();
        let (mut led, mut met) = (Vec::new(), BTreeSet::new());
        while let Some((table, operation, old, new)) = open.pop() {
            let carried: Vec<_> = triggers::carried(&model, table, &operation).collect();
            for (from, key, further) in carried {
                if sets_default(key, new.is_some()) {
                    return Ok(None);
                }
                let columns = self.referenced(table, key);
                let (values, becomes) =
                    (values_at(&columns, &old), new.as_deref().map(|new| values_at(&columns, new)));
                if values.iter().any(Value::is_null) {
                    continue;
                }
                for row in self.referencing(from, key, &values).await? {
                    if !met.insert((from, row.key)) {
                        // By two ways: what becomes of it is not told.
                        return Ok(None);
                    }
                    let next = self.acted(from, key, &further, &row.values, becomes.as_deref()).await?;
                    open.push((from, further.clone(), row.values.clone(), next));
                    led.push(Led { table: from, row, is_gone: further == Operation::Delete });
                }
                if led.len() > ROWS_MAX {
                    return Ok(None);
                }
            }
        }
        Ok(Some(led))
    }

    /// Notes what foreign keys have done.
    pub(super) fn note_led_to(&self, (table, operation): (TableId, Operation), led: Option<Vec<Led>>) {
        let history = &self.in_force.history;
        match led {
            // Rows that only a foreign key changes keep their keys.
            Some(led) => led.iter().for_each(|Led { table, row, is_gone }| {
                history.happened(*table, (row.key, &row.values), (!is_gone).then_some(row.key));
            }),
            None => self.lose_sight(table, operation),
        }
    }

    /// Notes that foreign keys may have changed rows elsewhere.
    fn lose_sight(&self, table: TableId, operation: Operation) {
        let mut seen = BTreeSet::new();
        let mut open = vec![(table, operation)];
        while let Some((at, operation)) = open.pop() {
            for (from, _, further) in triggers::carried(&self.served.model, at, &operation) {
                self.in_force.history.lost(from);
                if seen.insert((from, further.clone())) {
                    open.push((from, further));
                }
            }
        }
    }
}

fn values_at(columns: &[usize], row: &[Value]) -> Vec<Value> {
    columns.iter().filter_map(|at| row.get(*at).cloned()).collect()
}

/// Whether a key's action computes something.
fn sets_default(key: &ForeignKey, is_updated: bool) -> bool {
    let action = if is_updated { &key.on_update } else { &key.on_delete };
    matches!(action, ReferentialAction::SetDefault(_))
}
