//! How the rows of a step leave the engine: as rows, or as what the engine makes of all of them.
//!
//! Chosen by who asks and added to what was authorized: it never changes which rows are read.

use types::{Name, Type};

/// How the rows of a step are given.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Presentation {
    /// One by one.
    #[default]
    Rows,
    /// One by one, and how many there are in all: the read of the next step, over the same call.
    WithTotal,
    /// Not at all: how they would be found is told, a line a row. See [`Explain`].
    Explained(Explain),
    /// Not at all: how many there may be is told, as the engine's planner expects: one row of one text, a plan in JSON.
    Estimated,
    /// As a collection of `GeoJSON`: one row, the document (text) and the number of rows (`bigint`).
    Features,
    /// As the value of an aggregate of the database: one row, the value and the number of rows (`bigint`).
    Aggregated(Aggregation),
}

/// What is asked of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explain {
    /// Whether it is told in JSON.
    pub json: bool,
    /// What else is told: words of [`EXPLAIN_OPTIONS`].
    pub options: Vec<&'static str>,
}

/// The options of a plan.
pub const EXPLAIN_OPTIONS: [&str; 5] = ["analyze", "verbose", "settings", "buffers", "wal"];

/// An aggregate that makes a body of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregation {
    /// The aggregate.
    pub function: Name,
    /// The table whose rows it takes; any rows otherwise.
    pub of: Option<Name>,
    /// Its result: `text` or `bytea`.
    pub ty: Type,
}
