//! What a catalog remembers of objects that are gone, so that building on it goes on where it stopped.

use std::collections::HashMap;
use std::sync::Arc;

use sql::ast;
use types::Name;

/// What identifies a table across renames: its name when it was created, and how many tables of that name were dropped before.
pub type TableOrigin = (Name, u32);

/// Counts of dropped names, and conversions that a column's type alone does not tell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// How many tables created under a name were dropped.
    pub dropped_tables: HashMap<Name, u32>,
    /// How many columns added under a name were dropped, by table.
    pub dropped_columns: HashMap<(TableOrigin, Arc<str>), u32>,
    /// Where sequences come from: their name when created, and how many of that name were dropped before.
    pub sequence_origins: HashMap<Name, (Name, u32)>,
    /// How many sequences created under a name were dropped.
    pub dropped_sequences: HashMap<Name, u32>,
    /// `alter type … rename value`, in order: type, old label, new label.
    pub renamed_labels: Vec<(Name, Arc<str>, Arc<str>)>,
    /// `using` expressions of `alter column … type`, by the column's table and origin.
    pub conversions: HashMap<(TableOrigin, Arc<str>), Arc<ast::Expr>>,
}
