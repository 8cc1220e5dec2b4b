//! Relationships: the edges along which one row embeds others.

use std::sync::Arc;

use types::Name;

use crate::{ColumnId, TableId};

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
