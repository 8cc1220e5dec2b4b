//! The typed, engine-free meaning of a request: reads here, expressions, writes and who asks in the files below.
//!
//! Every occurrence of a relation has a [`SourceId`] of its own, unique in the whole query, so that a column is
//! always `(source, position)` and correlation needs no scoping rules. A query is made by `rest::resolve` or
//! `resolve` (from SQL text), completed by `authorize`, and never changed afterwards.

mod caller;
mod expr;
mod form;
mod write;

use std::sync::Arc;

use catalog::system::{Rows, SystemRelation};
use catalog::{ColumnId, TableId};
use types::{Field, Type, Value};

use crate::functions::SetFunction;

pub use caller::{Caller, CallerField};
pub use expr::{
    Compare, Expr, Frame, FrameBound, FrameExclusion, FrameUnit, FunctionCall, Nest, Subquery, Window,
    WindowFunction,
};
pub use form::{DomainTest, Form, Native};
pub use write::{
    Action, Assign, CalledBy, Changed, Conflict, ConflictAction, Insert, Judge, Returned, RowCheck, RowValue,
    Write, WriteGuard,
};

/// One occurrence of a relation in a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub u32);

/// The engine's own identity of a stored row (`bigint`), where a column is asked of a table.
pub const ROW_KEY: ColumnId = ColumnId(u16::MAX);

/// What a request means.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "a request has one, and most are reads")]
pub enum Query {
    /// Reads rows.
    Read(Read),
    /// Changes the rows of one table.
    Write(Box<Write>),
}

/// One select.
#[derive(Clone, Debug)]
pub struct Read {
    /// Rows that are computed once and read by name, anywhere in this read. Each may read those before it.
    pub with: Vec<Cte>,
    /// Where rows come from.
    pub from: Source,
    /// Which rows.
    pub filter: Option<Expr>,
    /// `group by`; with aggregates and no groups, the result is one row.
    pub group: Vec<Expr>,
    /// Which groups.
    pub having: Option<Expr>,
    /// `distinct`
    pub distinct: bool,
    /// What each row says.
    pub outputs: Vec<Output>,
    /// In which order; insertion order of the first table when empty.
    pub order: Vec<Order>,
    /// At most so many rows.
    pub limit: Option<Expr>,
    /// Without the first so many.
    pub offset: Option<Expr>,
    /// Tables whose rows are locked (`for update`, `for share`): only rows that the caller may change are found, and nobody waits,
    /// as there is one writer.
    pub locked: Vec<SourceId>,
    /// The declared function whose body it is. `authorize` asks whether the caller may call it, and lets it read with its
    /// owner's rights where it is a definer's.
    pub called: Option<FunctionId>,
    /// Whether it is the body of a volatile function: it sees what its own statement has changed so far. Only `authorize` says it.
    pub sees_own_changes: bool,
    /// Whether it may show rows that policies hide from the caller, as its author chose them: what could raise an error meets no other
    /// rows of it. Only `authorize` says it.
    pub chooses: bool,
    /// The columns that its call names: whoever calls needs the right to read them, whether or not the body looks at them.
    pub given: Vec<Expr>,
}

impl Read {
    /// A read of everything in `from`, without outputs yet.
    pub fn from(from: Source) -> Read {
        Read {
            with: Vec::new(),
            from,
            filter: None,
            group: Vec::new(),
            having: None,
            distinct: false,
            outputs: Vec::new(),
            order: Vec::new(),
            limit: None,
            offset: None,
            locked: Vec::new(),
            called: None,
            sees_own_changes: false,
            chooses: false,
            given: Vec::new(),
        }
    }

    /// What its only row says, where it reads nothing and is simply an expression.
    pub fn value(&self) -> Option<&Expr> {
        let is_plain = matches!(self.from, Source::Unit)
            && self.filter.is_none()
            && self.having.is_none()
            && self.limit.is_none()
            && self.offset.is_none()
            && self.group.is_empty()
            && self.with.is_empty()
            && self.called.is_none();
        match &self.outputs[..] {
            [output] if is_plain && !crate::visit::computes_of_rows(&output.expr) => Some(&output.expr),
            _ => None,
        }
    }

    /// Adds a condition to the filter.
    pub fn and_where(&mut self, condition: Expr) {
        self.filter = Expr::all(self.filter.take().into_iter().chain([condition]));
    }
}

/// A common table expression that is computed once: it is recursive, or read more than once, or says something else each time.
#[derive(Clone, Debug)]
pub struct Cte {
    /// What names it in [`Source::Cte`].
    pub id: SourceId,
    /// Its rows. Those of a recursive one are a [`Source::Compound`] whose right side reads the rows found last.
    pub read: Read,
    /// Whether it reads itself.
    pub recursive: bool,
}

/// A declared function: its position among the catalog's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FunctionId(pub usize);

/// One column of a result.
#[derive(Clone, Debug)]
pub struct Output {
    /// Its key in the reply.
    pub name: Arc<str>,
    /// Its value.
    pub expr: Expr,
}

/// Where rows come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// One row without columns: a select without `from`.
    Unit,
    /// A stored table; columns are the table's.
    Table {
        /// This occurrence.
        id: SourceId,
        /// The table.
        table: TableId,
        /// What the caller may see of it.
        guard: Guard,
    },
    /// Another read (a view, a subquery in `from`); columns are its outputs. One that names sources beside it in the same `from`
    /// is lateral: there is a result for each of their rows.
    Read {
        /// This occurrence.
        id: SourceId,
        /// The read.
        read: Box<Read>,
        /// The view whose definition it is.
        view: Option<TableId>,
    },
    /// The rows that the write of this query stored or is about to delete; columns are the table's.
    Written {
        /// This occurrence.
        id: SourceId,
        /// The table.
        table: TableId,
    },
    /// One row given by the engine's caller as parameters: the candidate row of a write.
    Given {
        /// This occurrence.
        id: SourceId,
        /// The table whose columns it has.
        table: TableId,
    },
    /// The rows that the statement has changed for which a trigger is fired: its transition tables. Columns are the table's.
    Transition {
        /// This occurrence.
        id: SourceId,
        /// The table.
        table: TableId,
        /// Which rows.
        rows: Transition,
    },
    /// The rows of a function that the engine runs itself, or that is interpreted; columns are those of its result.
    Call {
        /// This occurrence.
        id: SourceId,
        /// The function.
        function: FunctionId,
        /// What it is given; parameters that are not named take their defaults.
        args: Vec<CallArgument>,
        /// How many columns its rows have.
        columns: usize,
        /// Whether it may change something.
        changes: bool,
        /// Who calls it: the role in force there. Only `authorize` says it, of functions that are interpreted.
        role: Option<Arc<str>>,
    },
    /// The rows of a common table expression of this read or one around it; columns are its outputs.
    Cte {
        /// This occurrence.
        id: SourceId,
        /// Whose rows.
        cte: SourceId,
        /// Names and types of its outputs.
        columns: Arc<[(Arc<str>, Type)]>,
    },
    /// The rows of two reads together; columns are the outputs of the left one, those of the right one have the same types.
    Compound {
        /// This occurrence.
        id: SourceId,
        /// How they are put together.
        operator: SetOperator,
        /// Whether duplicates count.
        all: bool,
        /// The left side; may be lateral, as the right one.
        left: Box<Read>,
        /// The right side.
        right: Box<Read>,
    },
    /// The rows of set-returning functions side by side, nulls where one has fewer rows than another. Arguments may use columns of
    /// sources to the left in the same `from`.
    Function {
        /// This occurrence.
        id: SourceId,
        /// The functions; columns are those of the first, then those of the second, ….
        calls: Vec<SetCall>,
        /// `with ordinality`: the number of the row as another column (`bigint`).
        ordinality: bool,
    },
    /// Rows written in the statement.
    Values {
        /// This occurrence.
        id: SourceId,
        /// The rows; each has the same number of expressions, of the same types.
        rows: Vec<Vec<Expr>>,
    },
    /// Rows of a system relation.
    System {
        /// This occurrence.
        id: SourceId,
        /// Which; columns are its own.
        relation: &'static SystemRelation,
        /// Its rows.
        rows: Arc<Rows>,
    },
    /// Two sources together.
    Join {
        /// How.
        kind: JoinKind,
        /// The left side.
        left: Box<Source>,
        /// The right side; may use columns of the left.
        right: Box<Source>,
        /// Under which condition; absent for a cross join.
        on: Option<Expr>,
    },
}

impl Source {
    /// Rows of a system relation, as they would be written in a statement.
    pub fn written(relation: &SystemRelation, rows: &Rows) -> Vec<Vec<Expr>> {
        let types: Vec<Type> = relation.columns.iter().map(|(_, ty)| ty.of()).collect();
        let constant = |(value, ty): (&Value, &Type)| Expr::Const { value: value.clone(), ty: ty.clone() };
        rows.all().iter().map(|row| row.iter().zip(&types).map(constant).collect()).collect()
    }

    /// Rows that are there, of these types.
    pub fn of_rows(id: SourceId, rows: Vec<Vec<Value>>, types: &[Type]) -> Source {
        let constant = |(value, ty): (Value, &Type)| Expr::Const { value, ty: ty.clone() };
        if rows.is_empty() {
            let output = |(at, ty): (usize, &Type)| Output {
                name: format!("c{at}").into(),
                expr: Expr::null(ty.clone()),
            };
            let outputs = types.iter().enumerate().map(output).collect();
            let nothing = Read { outputs, filter: Some(Expr::bool(false)), ..Read::from(Source::Unit) };
            return Source::Read { id, read: Box::new(nothing), view: None };
        }
        let row = |row: Vec<Value>| row.into_iter().zip(types).map(constant).collect();
        Source::Values { id, rows: rows.into_iter().map(row).collect() }
    }
}

/// Which rows of a statement a transition table has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// `old table`: as they were.
    Old,
    /// `new table`: as they are.
    New,
}

/// `union`, `intersect`, `except`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SetOperator {
    /// `union`
    Union,
    /// `intersect`
    Intersect,
    /// `except`
    Except,
}

impl SetOperator {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            SetOperator::Union => "UNION",
            SetOperator::Intersect => "INTERSECT",
            SetOperator::Except => "EXCEPT",
        }
    }
}

/// A call of a set-returning function in `from`.
#[derive(Clone, Debug)]
pub struct SetCall {
    /// The row of the table of set-returning functions.
    pub function: &'static SetFunction,
    /// Its arguments, already of the row's argument types.
    pub args: Vec<Expr>,
    /// Its columns.
    pub columns: Arc<[Field]>,
}

/// What a parameter of a function is given.
#[derive(Clone, Debug)]
pub struct CallArgument {
    /// The parameter's name; without one its position counts.
    pub name: Option<Arc<str>>,
    /// Whether it is the array of a variadic parameter.
    pub variadic: bool,
    /// Its value, of the parameter's type.
    pub value: Expr,
}

/// How two sources are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinKind {
    /// `inner` and `cross`
    Inner,
    /// `left`
    Left,
    /// `right`
    Right,
    /// `full`
    Full,
}

/// What the caller may see of a table. Only `authorize` and `delegated` say anything but `Unset`.
#[derive(Clone, Debug)]
pub enum Guard {
    /// Not authorized: no plan is made from it.
    Unset,
    /// Every row.
    Open,
    /// Rows for which this is true.
    Rows(Box<Expr>),
    /// What the engine shows to the caller, whom it knows.
    Engine,
}

/// An order key.
#[derive(Clone, Debug)]
pub struct Order {
    /// The key.
    pub expr: Expr,
    /// Largest first.
    pub descending: bool,
    /// Whether nulls come first; PostgreSQL's default is the value of `descending`.
    pub nulls_first: bool,
}
