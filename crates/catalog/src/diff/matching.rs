//! Which table or column of one catalog is which of the other.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use types::Name;

use crate::expr::rename;
use crate::history::History;
use crate::{Catalog, Column, ColumnId, Table};

/// A table on either side.
pub(crate) struct Pair<'a> {
    /// The table now.
    pub(crate) old: Option<&'a Table>,
    /// The wanted table.
    pub(crate) new: Option<&'a Table>,
}

/// All tables and views: those that are gone first, then the wanted ones in their order.
pub(crate) fn tables<'a>(current: &'a Catalog, wanted: &'a Catalog) -> Vec<Pair<'a>> {
    let pairs = pair(
        &current.tables,
        &wanted.tables,
        |table| (&table.origin, table.has_storage()),
        |table| (&table.name, table.has_storage()),
        |table| wanted.history.has_dropped_table(table),
    );
    pairs.into_iter().map(|(old, new)| Pair { old, new }).collect()
}

/// For each column of `new`, the column of `old` that it is.
fn columns(old: &Table, new: &Table, history: &History) -> Vec<Option<ColumnId>> {
    let of = |column: &Column| old.columns.iter().position(|other| std::ptr::eq(other, column));
    let is_dropped = |column: &Column| history.has_dropped_column(new, column);
    let pairs = pair(&old.columns, &new.columns, |column| &column.origin, |column| &column.name, is_dropped);
    let wanted = pairs.into_iter().filter_map(|(from, to)| to.map(|_| from));
    wanted
        .map(|from| from.and_then(of).and_then(|position| u16::try_from(position).ok()).map(ColumnId))
        .collect()
}

/// An old name and a new one.
type Pairs = Vec<(Arc<str>, Arc<str>)>;

/// Tables and columns that have other names in the wanted catalog, by their current names.
#[derive(Default)]
pub(crate) struct Renames {
    tables: HashMap<Name, Name>,
    columns: HashMap<Name, Pairs>,
    matched: HashMap<Name, Vec<Option<ColumnId>>>,
}

impl Renames {
    /// What is called otherwise in `wanted`.
    pub(crate) fn between(current: &Catalog, wanted: &Catalog) -> Renames {
        let mut found = Renames::default();
        for Pair { old, new } in tables(current, wanted) {
            let (Some(old), Some(new)) = (old, new) else { continue };
            if old.name != new.name {
                found.tables.insert(old.name.clone(), new.name.clone());
            }
            let matched = columns(old, new, &wanted.history);
            let pairs = new
                .columns
                .iter()
                .zip(&matched)
                .filter_map(|(to, from)| Some((old[(*from)?].name.clone(), to.name.clone())));
            let mut other: Pairs = pairs.filter(|(from, to)| from != to).collect();
            other.extend(out_of_the_way(old, &matched, &other));
            if !other.is_empty() {
                found.columns.insert(old.name.clone(), other);
            }
            found.matched.insert(old.name.clone(), matched);
        }
        found
    }

    /// For each wanted column of a table of the current catalog, the column that it is.
    pub(crate) fn matched(&self, table: &Name) -> Vec<Option<ColumnId>> {
        self.matched.get(table).cloned().unwrap_or_default()
    }

    /// Columns of a table of the current catalog that are to be called otherwise, with those that are gone and in the way.
    pub(crate) fn columns_of(&self, table: &Name) -> &[(Arc<str>, Arc<str>)] {
        self.columns.get(table).map_or(&[], Vec::as_slice)
    }

    /// A table of the current catalog under the wanted names, its own and those that its foreign keys reach.
    /// Columns that are gone keep their names, unless another takes them.
    pub(crate) fn apply(&self, table: &Table) -> Table {
        let mut table = table.clone();
        for key in &mut table.foreign_keys {
            if let Some(columns) = self.columns.get(&key.target) {
                for column in &mut key.target_columns {
                    *column = columns
                        .iter()
                        .find(|(from, _)| from == column)
                        .map_or(column.clone(), |(_, to)| to.clone());
                }
            }
            key.target = self.tables.get(&key.target).unwrap_or(&key.target).clone();
        }
        if let Some(columns) = self.columns.get(&table.name) {
            rename::own_columns(&mut table, columns);
        }
        if let Some(to) = self.tables.get(&table.name) {
            rename::own_table(&mut table, to);
        }
        table
    }
}

/// Other names for columns that are gone and whose names other columns take.
fn out_of_the_way(old: &Table, matched: &[Option<ColumnId>], renamed: &Pairs) -> Pairs {
    let gone = old.column_ids().filter(|id| !matched.contains(&Some(*id))).map(|id| &old[id].name);
    let in_the_way = gone.filter(|name| renamed.iter().any(|(_, to)| to == *name));
    in_the_way.map(|name| (name.clone(), Arc::from(format!("{name}~dropped")))).collect()
}

/// Pairs by `origin`, then what is left, and was not dropped on the way to `new`, by `name`.
fn pair<'a, T, O: Hash + Eq, N: Hash + Eq>(
    old: &'a [T],
    new: &'a [T],
    origin: impl Fn(&'a T) -> O,
    name: impl Fn(&'a T) -> N,
    is_dropped: impl Fn(&'a T) -> bool,
) -> Vec<(Option<&'a T>, Option<&'a T>)> {
    let by_origin: HashMap<O, &T> = old.iter().map(|item| (origin(item), item)).collect();
    let mut found: Vec<Option<&T>> = new.iter().map(|item| by_origin.get(&origin(item)).copied()).collect();
    let is_taken =
        |found: &[Option<&T>], item: &T| found.iter().flatten().any(|other| std::ptr::eq(*other, item));
    let left = old.iter().filter(|item| !is_taken(&found, item) && !is_dropped(item));
    let by_name: HashMap<N, &T> = left.map(|item| (name(item), item)).collect();
    for (found, item) in found.iter_mut().zip(new) {
        *found = found.or_else(|| by_name.get(&name(item)).copied());
    }
    let gone =
        old.iter().filter(|item| !is_taken(&found, item)).map(|item| (Some(item), None)).collect::<Vec<_>>();
    gone.into_iter().chain(found.into_iter().zip(new.iter().map(Some))).collect()
}
