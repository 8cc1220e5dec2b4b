//! Relationships: the edges along which one row embeds others.
//!
//! [`derive()`] reads them off foreign keys. Edges of views, whose columns would have to be traced to base columns, are not derived.

use std::collections::HashMap;
use std::sync::Arc;

use types::Name;

use crate::{Catalog, ColumnId, ForeignKey, Table, TableId};

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
/// a many-to-many edge for each ordered pair of them. Order: tables, then constraints, as declared.
pub fn derive(catalog: &Catalog) -> HashMap<TableId, Vec<Relationship>> {
    let keys: Vec<Key<'_>> = catalog.ids().flat_map(|id| keys_of(catalog, id)).collect();
    let edges = keys.iter().flat_map(|key| [key.forward(), key.backward()]);
    let crossings = keys.chunk_by(|a, b| a.table == b.table).flat_map(crossings);
    let mut found: HashMap<TableId, Vec<Relationship>> = HashMap::new();
    for edge in edges.chain(crossings) {
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

/// A foreign key with its target found.
struct Key<'a> {
    table: TableId,
    declared: &'a Table,
    constraint: &'a Arc<str>,
    columns: &'a [ColumnId],
    target: TableId,
    target_columns: Vec<ColumnId>,
}

fn keys_of(catalog: &Catalog, table: TableId) -> impl Iterator<Item = Key<'_>> {
    let declared = &catalog[table];
    declared.foreign_keys.iter().filter_map(move |key| {
        let (target, target_columns) = target_of(catalog, key)?;
        Some(Key { table, declared, constraint: &key.name, columns: &key.columns, target, target_columns })
    })
}

fn target_of(catalog: &Catalog, key: &ForeignKey) -> Option<(TableId, Vec<ColumnId>)> {
    let (id, target) = catalog.table(&key.target)?;
    let columns =
        key.target_columns.iter().map(|name| Some(target.column(name)?.0)).collect::<Option<_>>()?;
    Some((id, columns))
}

impl Key<'_> {
    fn is_key(&self) -> bool {
        let same = |key: &crate::Unique| {
            key.columns.len() == self.columns.len()
                && self.columns.iter().all(|column| key.columns.contains(column))
        };
        self.declared.primary_key.iter().chain(&self.declared.uniques).any(same)
    }

    /// Whether it lies inside the primary key and leads to one of many: what makes its table a junction.
    fn is_junction(&self) -> bool {
        let inside = self
            .declared
            .primary_key
            .as_ref()
            .is_some_and(|key| self.columns.iter().all(|column| key.columns.contains(column)));
        inside && !self.is_key()
    }

    fn forward(&self) -> Relationship {
        Relationship {
            from: self.table,
            to: self.target,
            cardinality: if self.is_key() { Cardinality::OneToOne } else { Cardinality::ManyToOne },
            constraint: self.constraint.clone(),
            from_columns: self.columns.to_vec(),
            to_columns: self.target_columns.clone(),
            through: None,
        }
    }

    fn backward(&self) -> Relationship {
        Relationship {
            from: self.target,
            to: self.table,
            cardinality: if self.is_key() { Cardinality::OneToOne } else { Cardinality::OneToMany },
            constraint: self.constraint.clone(),
            from_columns: self.target_columns.clone(),
            to_columns: self.columns.to_vec(),
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
                name: self.declared.name.clone(),
                from_constraint: self.constraint.clone(),
                from_columns: self.columns.to_vec(),
                to_constraint: to.constraint.clone(),
                to_columns: to.columns.to_vec(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::catalog;

    /// Edges as `from cardinality to (columns)`, through a junction if there is one.
    fn edges(text: &str) -> Vec<String> {
        let catalog = catalog(text);
        let names = |table, columns: &[crate::ColumnId]| {
            let table: &crate::Table = &catalog[table];
            columns.iter().map(|&column| table[column].name.to_string()).collect::<Vec<_>>().join(",")
        };
        let all = catalog.ids().flat_map(|id| catalog.relationships_of(id));
        let described = all.map(|edge| {
            let (from, to) = (&catalog[edge.from].name.name, &catalog[edge.to].name.name);
            let through = edge
                .through
                .as_ref()
                .map_or(String::new(), |through| format!(" through {}", through.name.name));
            let (left, right) = (names(edge.from, &edge.from_columns), names(edge.to, &edge.to_columns));
            format!("{from}({left}) {:?} {to}({right}){through}", edge.cardinality)
        });
        described.collect()
    }

    #[test]
    fn edges_follow_foreign_keys_both_ways() {
        let cases: [(&str, &[&str]); 5] = [
            (
                "create table a (id int primary key); create table b (a int references a)",
                &["a(id) OneToMany b(a)", "b(a) ManyToOne a(id)"],
            ),
            (
                "create table a (id int primary key); create table b (a int unique references a)",
                &["a(id) OneToOne b(a)", "b(a) OneToOne a(id)"],
            ),
            (
                "create table a (id int primary key, up int references a)",
                &["a(up) ManyToOne a(id)", "a(id) OneToMany a(up)"],
            ),
            (
                "create table a (id int primary key); create table b (id int primary key);
                 create table ab (a int references a, b int references b, note text, primary key (a, b))",
                &[
                    "a(id) OneToMany ab(a)",
                    "a(id) ManyToMany b(id) through ab",
                    "b(id) OneToMany ab(b)",
                    "b(id) ManyToMany a(id) through ab",
                    "ab(a) ManyToOne a(id)",
                    "ab(b) ManyToOne b(id)",
                ],
            ),
            (
                "create table a (id int primary key); create table b (id int primary key);
                 create table ab (id int primary key, a int references a, b int references b)",
                &[
                    "a(id) OneToMany ab(a)",
                    "b(id) OneToMany ab(b)",
                    "ab(a) ManyToOne a(id)",
                    "ab(b) ManyToOne b(id)",
                ],
            ),
        ];
        for (text, wanted) in cases {
            assert_eq!(edges(text), wanted, "{text}");
        }
    }
}
