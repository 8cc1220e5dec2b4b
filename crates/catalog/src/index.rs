//! Indexes that no constraint owns.

use std::sync::Arc;

use sql::ast;

use crate::ColumnId;

/// An index.
#[derive(Clone, Debug, PartialEq)]
pub struct Index {
    /// Its name, in the table's schema.
    pub name: Arc<str>,
    /// Whether two equal keys are refused.
    pub unique: bool,
    /// `nulls not distinct`
    pub nulls_not_distinct: bool,
    /// `btree`, `gin`, `gist`, `hash`, `hnsw`, …
    pub method: Arc<str>,
    /// Its keys in order.
    pub keys: Vec<IndexKey>,
    /// `include (…)` columns.
    pub include: Vec<ColumnId>,
    /// `where …`: which rows it holds.
    pub predicate: Option<Arc<ast::Expr>>,
    /// Of an exclusion constraint, an operator for each key: no two rows may meet all of them. Others have none.
    pub excludes: Vec<Arc<str>>,
    /// Of an exclusion constraint, whether it is checked at the end of the statement, or of the transaction.
    pub deferrable: bool,
    /// `initially deferred`
    pub initially_deferred: bool,
    /// `comment on index`.
    pub comment: Option<String>,
}

impl Index {
    /// Whether it is an exclusion constraint's.
    pub fn is_exclusion(&self) -> bool {
        !self.excludes.is_empty()
    }
}

/// One key of an index.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexKey {
    /// A column reference or another expression over the table's columns.
    pub expr: Arc<ast::Expr>,
    /// The column, when the key is one.
    pub column: Option<ColumnId>,
    /// The operator class, if named.
    pub opclass: Option<Arc<str>>,
    /// Descending order.
    pub descending: bool,
    /// Whether nulls come first.
    pub nulls_first: bool,
}
