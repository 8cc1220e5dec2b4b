//! What a catalog remembers of objects that are gone, so that building on it goes on where it stopped.

use std::collections::HashMap;
use std::sync::Arc;

use sql::ast;
use types::Name;

use crate::{Column, Table};

/// What identifies a table across renames: its name when it was created, and a number that tells it from earlier ones of that name.
pub type TableOrigin = (Name, u32);

/// Numbers given to what is gone, and changes that the catalog's present form alone does not tell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// By name at creation: the lowest number that no dropped table had.
    pub dropped_tables: HashMap<Name, u32>,
    /// The same for columns, by table.
    pub dropped_columns: HashMap<(TableOrigin, Arc<str>), u32>,
    /// The same for sequences.
    pub dropped_sequences: HashMap<Name, u32>,
    /// What identifies sequences across renames, by their present name.
    pub sequence_origins: HashMap<Name, (Name, u32)>,
    /// `alter type … rename value`, in order: type, old label, new label.
    pub renamed_labels: Vec<(Name, Arc<str>, Arc<str>)>,
    /// `using` expressions of `alter column … type`, by the column's table and origin.
    pub conversions: HashMap<(TableOrigin, Arc<str>), Arc<ast::Expr>>,
}

impl History {
    /// Whether an earlier catalog's table is gone since.
    pub(crate) fn has_dropped_table(&self, table: &Table) -> bool {
        self.dropped_tables.get(&table.origin.0).is_some_and(|lowest| table.origin.1 < *lowest)
    }

    /// Whether a column that an earlier catalog's form of a table has is gone since.
    pub(crate) fn has_dropped_column(&self, table: &Table, column: &Column) -> bool {
        let key = (table.origin.clone(), column.origin.0.clone());
        self.dropped_columns.get(&key).is_some_and(|lowest| column.origin.1 < *lowest)
    }

    /// Whether an earlier catalog's sequence is gone since.
    pub(crate) fn has_dropped_sequence(&self, (name, number): &(Name, u32)) -> bool {
        self.dropped_sequences.get(name).is_some_and(|lowest| number < lowest)
    }

    /// What identifies a new table of this name.
    pub(crate) fn new_table(&self, name: &Name, existing: &[Table]) -> TableOrigin {
        let numbers = existing.iter().filter(|table| table.origin.0 == *name).map(|table| table.origin.1 + 1);
        (name.clone(), next(self.dropped_tables.get(name), numbers))
    }

    /// What identifies a new column of this name.
    pub(crate) fn new_column(&self, table: &Table, name: &Arc<str>) -> (Arc<str>, u32) {
        let numbers =
            table.columns.iter().filter(|column| column.origin.0 == *name).map(|column| column.origin.1 + 1);
        (name.clone(), next(self.dropped_columns.get(&(table.origin.clone(), name.clone())), numbers))
    }

    /// Notes what identifies a new sequence.
    pub(crate) fn add_sequence(&mut self, name: &Name) {
        let numbers =
            self.sequence_origins.values().filter(|origin| origin.0 == *name).map(|origin| origin.1 + 1);
        let number = next(self.dropped_sequences.get(name), numbers);
        self.sequence_origins.insert(name.clone(), (name.clone(), number));
    }

    /// Notes that a table is gone.
    pub(crate) fn drop_table(&mut self, table: &Table) {
        retire(self.dropped_tables.entry(table.origin.0.clone()).or_default(), table.origin.1);
    }

    /// Notes that a column is gone.
    pub(crate) fn drop_column(&mut self, table: &Table, column: &Column) {
        let key = (table.origin.clone(), column.origin.0.clone());
        retire(self.dropped_columns.entry(key).or_default(), column.origin.1);
    }

    /// Notes that a sequence is gone.
    pub(crate) fn drop_sequence(&mut self, name: &Name) {
        if let Some((origin, number)) = self.sequence_origins.remove(name) {
            retire(self.dropped_sequences.entry(origin).or_default(), number);
        }
    }
}

fn next(dropped: Option<&u32>, existing: impl Iterator<Item = u32>) -> u32 {
    existing.chain(dropped.copied()).max().unwrap_or(0)
}

fn retire(lowest: &mut u32, number: u32) {
    *lowest = (*lowest).max(number + 1);
}
