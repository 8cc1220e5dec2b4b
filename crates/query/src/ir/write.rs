//! Changes to the rows of a table, and what their caller may write.

use std::sync::Arc;

use catalog::{ColumnId, TableId};
use types::{Error, Value};

use super::{Expr, FunctionId, Read, Source, SourceId};

/// A change to the rows of one table.
#[derive(Clone, Debug)]
pub struct Write {
    /// The table.
    pub table: TableId,
    /// The partition that the statement names: the table is that at the root, which keeps its rows. Only `authorize` fills it.
    pub partition: Option<TableId>,
    /// The row being written: old values in filters, new values in checks.
    pub target: SourceId,
    /// What is done.
    pub action: Action,
    /// Changes that are made before, in order. What they return, this write and later ones name as [`Source::Cte`].
    pub before: Vec<Changed>,
    /// Whether it refreshes a materialized view: its rows go before the insert.
    pub refreshes: bool,
    /// What stands beside the rows of an update (`from`) or a delete (`using`). A row that meets several rows there is written
    /// once.
    pub beside: Option<Source>,
    /// What of that is named by what is returned, each once.
    pub beside_returned: Vec<Expr>,
    /// Whether what is returned is a whole select after a data-modifying `with`.
    pub is_read_whole: bool,
    /// What is read of the written rows: its `from` holds one `Source::Written` of the same table.
    pub returning: Option<Read>,
    /// How many of the rows returned there are in all, as one row of one `bigint`: the rows of the next command.
    pub counted: Option<Read>,
    /// The declared function whose statement it is.
    pub called: Option<CalledBy>,
    /// Refuse (and roll back) when more rows than this are affected.
    pub affected_max: Option<u64>,
    /// Refuse (and roll back) unless exactly one row is affected.
    pub single: bool,
    /// What the caller may write. Only `authorize` fills it.
    pub guard: WriteGuard,
}

impl Write {
    /// The table that the statement names.
    pub fn named(&self) -> TableId {
        self.partition.unwrap_or(self.table)
    }

    /// A write of one table, alone, that returns nothing. It is nobody's yet.
    pub fn of(table: TableId, target: SourceId, action: Action) -> Write {
        Write {
            table,
            partition: None,
            target,
            action,
            before: Vec::new(),
            refreshes: false,
            beside: None,
            beside_returned: Vec::new(),
            is_read_whole: false,
            returning: None,
            counted: None,
            called: None,
            affected_max: None,
            single: false,
            guard: WriteGuard::default(),
        }
    }
}

/// A data-modifying common table expression.
#[derive(Clone, Debug)]
pub struct Changed {
    /// What names its rows.
    pub id: SourceId,
    /// What is done.
    pub write: Write,
}

/// The declared function whose statement a write is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CalledBy {
    /// The function.
    pub function: FunctionId,
    /// Whether it was called where nothing may change: the statement is refused as soon as it is known that the caller may call.
    pub read_only: bool,
}

/// What a write does.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "a write has one")]
pub enum Action {
    /// `insert`
    Insert(Insert),
    /// `update`
    Update {
        /// New values; expressions over the target's old values.
        set: Vec<(ColumnId, Assign)>,
        /// Which rows.
        filter: Option<Expr>,
    },
    /// `delete`
    Delete {
        /// Which rows.
        filter: Option<Expr>,
    },
}

impl Action {
    /// Whether it is an update that sets nothing, which is none.
    pub fn sets_nothing(&self) -> bool {
        matches!(self, Action::Update { set, .. } if set.is_empty())
    }

    /// The statement's word.
    pub fn word(&self) -> &'static str {
        match self {
            Action::Insert(_) => "INSERT",
            Action::Update { .. } => "UPDATE",
            Action::Delete { .. } => "DELETE",
        }
    }
}

/// A new value of a column.
#[derive(Clone, Debug)]
pub enum Assign {
    /// `default`
    Default,
    /// An expression of the column's type; an assignment cast is part of it.
    Expr(Expr),
}

/// Rows to insert.
#[derive(Clone, Debug)]
pub struct Insert {
    /// The columns that the rows name; all others take their default.
    pub columns: Vec<ColumnId>,
    /// The rows.
    pub rows: Vec<Vec<RowValue>>,
    /// Rows that come from a read instead; its outputs are of the columns' types.
    pub read: Option<Read>,
    /// `overriding system value`
    pub overriding: bool,
    /// `on conflict`
    pub conflict: Option<Conflict>,
}

/// One value of a row to insert.
#[derive(Clone, Debug)]
pub enum RowValue {
    /// The column's default.
    Default,
    /// A value of the column's type.
    Value(Value),
    /// An expression of the column's type without columns.
    Expr(Expr),
    /// What an earlier write of the same request returned.
    Returned(Returned),
}

/// A value that a write returned of one of its rows, by positions from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Returned {
    /// The write, by its target.
    pub of: SourceId,
    /// Which of its rows, in the order of the statement.
    pub row: usize,
    /// Which output of what it returns.
    pub output: usize,
}

/// `on conflict`
#[derive(Clone, Debug)]
pub struct Conflict {
    /// The columns that are named, or those of the constraint.
    pub columns: Vec<ColumnId>,
    /// Expressions over the target that are named beside them.
    pub computed: Vec<Expr>,
    /// `where …`, over the target: of which rows a partial index may be that decides.
    pub predicate: Option<Expr>,
    /// `on constraint`
    pub constraint: Option<Arc<str>>,
    /// What is done instead of the insert.
    pub action: ConflictAction,
}

impl Conflict {
    /// One on the key with these columns; without any, on whichever there is (`do nothing` only).
    pub fn on(columns: Vec<ColumnId>, action: ConflictAction) -> Conflict {
        Conflict { columns, computed: Vec::new(), predicate: None, constraint: None, action }
    }

    /// Whether it says which key decides.
    pub fn names_key(&self) -> bool {
        !self.columns.is_empty() || !self.computed.is_empty() || self.constraint.is_some()
    }

    /// Its expressions over the target, what is done instead excepted.
    pub fn target_expressions_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        self.computed.iter_mut().chain(&mut self.predicate)
    }
}

/// What is done instead of an insert that conflicts.
#[derive(Clone, Debug)]
pub enum ConflictAction {
    /// Nothing.
    Nothing,
    /// The existing row is updated.
    Update {
        /// The source id that names the row proposed for insertion in expressions (`excluded`).
        excluded: SourceId,
        /// New values; expressions over the existing row (the target) and `excluded`.
        set: Vec<(ColumnId, Assign)>,
        /// Only when this holds.
        filter: Option<Expr>,
    },
}

/// Who holds a write to what its caller may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Judge {
    /// Nobody yet: it does not run.
    #[default]
    Nobody,
    /// We do, by the conditions that `authorize` compiled in.
    Us,
    /// The engine, which knows the caller.
    Engine,
}

/// What a caller may write: made by `authorize`.
#[derive(Clone, Debug, Default)]
pub struct WriteGuard {
    /// Who sees to it that the caller may write.
    pub judge: Judge,
    /// The role that it is done as, if not the one in force: a function's owner.
    pub role: Option<Arc<str>>,
    /// Existing rows that may be touched (update, delete): rows for which all of these hold; `None` is all rows.
    pub touch: Option<Expr>,
    /// Conditions on a row about to be inserted.
    pub insert: Vec<RowCheck>,
    /// Conditions on the existing row of an upsert; they refuse instead of hiding.
    pub conflict: Vec<RowCheck>,
    /// Conditions on a row after an update.
    pub update: Vec<RowCheck>,
    /// Conditions of the views that were written to, on a row that everything else admits.
    pub views: Vec<RowCheck>,
    /// The rows of the view that is written to, where triggers stand in place of the write.
    pub instead: Option<Source>,
}

impl WriteGuard {
    /// Its conditions, over the write's target.
    pub fn conditions(&self) -> impl Iterator<Item = &Expr> {
        let checks = [&self.insert, &self.conflict, &self.update, &self.views];
        self.touch.iter().chain(checks.into_iter().flatten().map(|check| &check.expr))
    }
}

/// A condition on a row, over the write's target; anything but true is the error.
#[derive(Clone, Debug)]
pub struct RowCheck {
    /// The condition.
    pub expr: Expr,
    /// What a violation says.
    pub violation: Error,
}
