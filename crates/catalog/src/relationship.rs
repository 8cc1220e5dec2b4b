//! Relationships: the edges along which one row embeds others.
//!
//! [`derive()`] reads them off foreign keys; views have those of the tables whose columns they show.

use std::collections::HashMap;
use std::sync::Arc;

use types::Name;

use crate::{Catalog, ColumnId, ForeignKey, Table, TableId};

mod sides;
mod trace;

use sides::Sides;

/// An edge from one table to another that a request can embed along.
#[derive(Clone, Debug, PartialEq)]
pub struct Relationship {
    /// The table the edge leaves.
    pub from: TableId,
    /// The table it reaches.
    pub to: TableId,
    /// How many rows it reaches.
    pub cardinality: Cardinality,
    /// The foreign key constraint's name (of a many-to-many edge: see `through`).
    pub constraint: Arc<str>,
    /// Columns of `from`.
    pub from_columns: Vec<ColumnId>,
    /// Columns of `to`, pairwise.
    pub to_columns: Vec<ColumnId>,
    /// The junction of a many-to-many edge.
    pub through: Option<Through>,
}

/// How many rows an edge reaches from one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cardinality {
    /// The referencing side of a foreign key.
    ManyToOne,
    /// The referenced side of a foreign key.
    OneToMany,
    /// Either side of a foreign key whose columns are a key of the referencing table.
    OneToOne,
    /// Through a junction table.
    ManyToMany,
}

impl Cardinality {
    /// Whether at most one row is reached.
    pub fn is_to_one(self) -> bool {
        matches!(self, Cardinality::ManyToOne | Cardinality::OneToOne)
    }
}

/// The junction table of a many-to-many edge.
#[derive(Clone, Debug, PartialEq)]
pub struct Through {
    /// The junction.
    pub table: TableId,
    /// Its name.
    pub name: Name,
    /// The constraint towards `from`.
    pub from_constraint: Arc<str>,
    /// Junction columns that reference `from`, pairwise with `Relationship::from_columns`.
    pub from_columns: Vec<ColumnId>,
    /// The constraint towards `to`.
    pub to_constraint: Arc<str>,
    /// Junction columns that reference `to`, pairwise with `Relationship::to_columns`.
    pub to_columns: Vec<ColumnId>,
}

/// Every edge of the catalog's foreign keys, by the table it leaves.
///
/// A foreign key gives an edge each way; a table whose primary key holds the columns of two foreign keys gives
/// a many-to-many edge for each ordered pair of them. A view in which all columns of a side of a foreign key are plain
/// columns stands for the table of that side as well. Order: foreign keys as declared, tables before views; then
/// junctions.
pub fn derive(catalog: &Catalog) -> HashMap<TableId, Vec<Relationship>> {
    let sides = Sides::of(catalog);
    let mut keys: Vec<Key<'_>> = catalog.ids().flat_map(|id| keys_of(catalog, &sides, id)).collect();
    let mut edges: Vec<Relationship> = keys.iter().flat_map(|key| [key.forward(), key.backward()]).collect();
    keys.sort_by_key(|key| key.table);
    edges.extend(keys.chunk_by(|a, b| a.table == b.table).flat_map(crossings));
    let mut found: HashMap<TableId, Vec<Relationship>> = HashMap::new();
    for edge in edges {
        found.entry(edge.from).or_default().push(edge);
    }
    found
}

/// The many-to-many edges through one table, given its foreign keys.
fn crossings(keys: &[Key<'_>]) -> Vec<Relationship> {
    let inside: Vec<&Key<'_>> = keys.iter().filter(|key| key.is_junction()).collect();
    let others = |from: &Key<'_>| {
        let to = inside.iter().filter(|to| to.constraint != from.constraint);
        to.map(|to| from.across(to)).collect::<Vec<_>>()
    };
    inside.iter().flat_map(|from| others(from)).collect()
}

/// A foreign key as a pair of tables or views has it.
struct Key<'a> {
    table: TableId,
    name: &'a Name,
    constraint: &'a Arc<str>,
    columns: Vec<ColumnId>,
    /// Whether its columns are a key of the referencing table.
    is_key: bool,
    /// The primary key of the table or view.
    primary: &'a [ColumnId],
    target: TableId,
    target_columns: Vec<ColumnId>,
}

/// Each foreign key of a table, for the tables and views that have the columns of its sides.
fn keys_of<'a>(catalog: &'a Catalog, sides: &'a Sides, table: TableId) -> Vec<Key<'a>> {
    let declared = &catalog[table];
    let mut keys = Vec::new();
    for key in &declared.foreign_keys {
        let Some((target, target_columns)) = target_of(catalog, key) else { continue };
        let targets = sides.with(target, &target_columns);
        for (table, columns) in sides.with(table, &key.columns) {
            keys.extend(targets.iter().map(|(target, target_columns)| Key {
                table,
                name: &catalog[table].name,
                constraint: &key.name,
                columns: columns.clone(),
                is_key: is_key(declared, &key.columns),
                primary: sides.primary(table),
                target: *target,
                target_columns: target_columns.clone(),
            }));
        }
    }
    keys
}

fn target_of(catalog: &Catalog, key: &ForeignKey) -> Option<(TableId, Vec<ColumnId>)> {
    let (id, target) = catalog.table(&key.target)?;
    let columns =
        key.target_columns.iter().map(|name| Some(target.column(name)?.0)).collect::<Option<_>>()?;
    Some((id, columns))
}

/// Whether columns are the primary key or a unique constraint of a table.
fn is_key(table: &Table, columns: &[ColumnId]) -> bool {
    let same = |key: &crate::Unique| {
        key.columns.len() == columns.len() && columns.iter().all(|column| key.columns.contains(column))
    };
    table.primary_key.iter().chain(&table.uniques).any(same)
}

impl Key<'_> {
    /// Whether it lies inside the primary key and leads to one of many: what makes its table a junction.
    fn is_junction(&self) -> bool {
        !self.is_key && self.columns.iter().all(|column| self.primary.contains(column))
    }

    fn forward(&self) -> Relationship {
        Relationship {
            from: self.table,
            to: self.target,
            cardinality: if self.is_key { Cardinality::OneToOne } else { Cardinality::ManyToOne },
            constraint: self.constraint.clone(),
            from_columns: self.columns.clone(),
            to_columns: self.target_columns.clone(),
            through: None,
        }
    }

    fn backward(&self) -> Relationship {
        Relationship {
            from: self.target,
            to: self.table,
            cardinality: if self.is_key { Cardinality::OneToOne } else { Cardinality::OneToMany },
            constraint: self.constraint.clone(),
            from_columns: self.target_columns.clone(),
            to_columns: self.columns.clone(),
            through: None,
        }
    }

    fn across(&self, to: &Key<'_>) -> Relationship {
        Relationship {
            from: self.target,
            to: to.target,
            cardinality: Cardinality::ManyToMany,
            constraint: self.constraint.clone(),
            from_columns: self.target_columns.clone(),
            to_columns: to.target_columns.clone(),
            through: Some(Through {
                table: self.table,
                name: self.name.clone(),
                from_constraint: self.constraint.clone(),
                from_columns: self.columns.clone(),
                to_constraint: to.constraint.clone(),
                to_columns: to.columns.clone(),
            }),
        }
    }
}

#[cfg(test)]
mod tests;
