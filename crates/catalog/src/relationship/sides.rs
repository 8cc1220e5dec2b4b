//! Who stands for a table on a side of a relationship: the table itself, and views that show its columns.

use std::collections::HashMap;

use super::trace::{Origin, origins};
use crate::{Catalog, ColumnId, TableId};

/// Most ways in which one view shows the columns of one key that are told apart; more are one too many to name.
const WAYS_MAX: usize = 16;

/// The views of a catalog, by where their columns come from.
pub(super) struct Sides {
    views: Vec<(TableId, HashMap<Origin, Vec<ColumnId>>)>,
    primary: HashMap<TableId, Vec<ColumnId>>,
}

impl Sides {
    pub(super) fn of(catalog: &Catalog) -> Sides {
        let ids = catalog.ids().filter(|&id| catalog[id].is_view());
        let views: Vec<_> = ids.map(|id| (id, shown(catalog, id))).collect();
        let tables = catalog.ids().filter_map(|id| {
            let key = catalog[id].primary_key.as_ref()?;
            Some((id, key.columns.clone()))
        });
        let mut primary: HashMap<_, _> = tables.collect();
        for (id, shown) in &views {
            let key = keys_shown(catalog, shown);
            primary.insert(*id, key);
        }
        Sides { views, primary }
    }

    /// The primary key; of a view, those of the tables whose whole key it shows.
    pub(super) fn primary(&self, id: TableId) -> &[ColumnId] {
        self.primary.get(&id).map_or(&[], Vec::as_slice)
    }

    /// The table with these columns, then each view that shows all of them, once for each way it does.
    pub(super) fn with(&self, table: TableId, columns: &[ColumnId]) -> Vec<(TableId, Vec<ColumnId>)> {
        let mut found = vec![(table, columns.to_vec())];
        for (view, shown) in &self.views {
            let ways = ways(shown, table, columns);
            found.extend(ways.into_iter().map(|columns| (*view, columns)));
        }
        found
    }
}

/// The columns of a view by where they come from.
fn shown(catalog: &Catalog, view: TableId) -> HashMap<Origin, Vec<ColumnId>> {
    let mut shown: HashMap<Origin, Vec<ColumnId>> = HashMap::new();
    for (column, origin) in catalog[view].column_ids().zip(origins(catalog, view)) {
        if let Some(origin) = origin {
            shown.entry(origin).or_default().push(column);
        }
    }
    shown
}

/// The columns of a view that show columns of a table, one way each.
fn ways(shown: &HashMap<Origin, Vec<ColumnId>>, table: TableId, columns: &[ColumnId]) -> Vec<Vec<ColumnId>> {
    let mut ways = vec![Vec::new()];
    for &column in columns {
        let Some(choices) = shown.get(&(table, column)) else { return Vec::new() };
        let longer =
            ways.iter().flat_map(|way| choices.iter().map(|&choice| [way.as_slice(), &[choice]].concat()));
        ways = longer.take(WAYS_MAX).collect();
    }
    ways
}

/// The primary keys that a view shows whole, each column once.
fn keys_shown(catalog: &Catalog, shown: &HashMap<Origin, Vec<ColumnId>>) -> Vec<ColumnId> {
    let keys = catalog.ids().filter_map(|id| {
        let key = catalog[id].primary_key.as_ref()?;
        let first =
            |&column: &ColumnId| shown.get(&(id, column)).and_then(|columns| columns.first()).copied();
        key.columns.iter().map(first).collect::<Option<Vec<_>>>()
    });
    keys.flatten().collect()
}
