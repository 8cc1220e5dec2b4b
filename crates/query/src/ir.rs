//! The typed, engine-free meaning of a request.
//!
//! Every occurrence of a relation has a [`SourceId`] of its own, unique in the whole query, so that a column is
//! always `(source, position)` and correlation needs no scoping rules. A query is made by `rest::resolve` or
//! `resolve` (from SQL text), completed by `authorize`, and never changed afterwards.

use std::sync::Arc;

use catalog::{ColumnId, TableId};
use types::{Code, Error, Modifier, Name, Named, Type, Value};

use crate::functions::{Aggregate, Function, SetFunction};

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
    /// The columns that its call names: whoever calls needs the right to read them, whether or not the body looks at them.
    pub given: Vec<Expr>,
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

/// A call of a set-returning function in `from`.
#[derive(Clone, Debug)]
pub struct SetCall {
    /// The row of the table of set-returning functions.
    pub function: &'static SetFunction,
    /// Its arguments, already of the row's argument types.
    pub args: Vec<Expr>,
    /// Names and types of its columns.
    pub columns: Arc<[(Arc<str>, Type)]>,
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

/// A typed scalar expression.
#[derive(Clone, Debug)]
pub enum Expr {
    /// A column of a source.
    Column {
        /// The source.
        source: SourceId,
        /// The position among the source's columns.
        column: ColumnId,
        /// Its type.
        ty: Type,
    },
    /// A constant.
    Const {
        /// Its value.
        value: Value,
        /// Its type.
        ty: Type,
    },
    /// The n-th parameter (from 0) of a system statement.
    Param {
        /// Its position.
        index: usize,
        /// Its type.
        ty: Type,
    },
    /// Something about the caller.
    Caller(CallerField),
    /// A function or operator of the table in `functions`.
    Apply {
        /// The row of the table.
        function: &'static Function,
        /// Its arguments, already of the row's argument types.
        args: Vec<Expr>,
        /// The result type, polymorphism resolved.
        ty: Type,
    },
    /// A form whose evaluation is not a function call.
    Form {
        /// Which.
        form: Form,
        /// Its operands.
        args: Vec<Expr>,
        /// The result type.
        ty: Type,
    },
    /// A conversion.
    Cast {
        /// What is converted.
        expr: Box<Expr>,
        /// To which type.
        ty: Type,
        /// With which length, precision or fraction.
        modifier: Option<Modifier>,
        /// Whether it was written (an explicit cast truncates where an assignment refuses).
        explicit: bool,
    },
    /// `case`: conditions with results, then the alternative (null when absent). Conditions are boolean.
    Case {
        /// Conditions and results.
        branches: Vec<(Expr, Expr)>,
        /// The alternative.
        otherwise: Option<Box<Expr>>,
        /// The type of all results.
        ty: Type,
    },
    /// A subquery.
    Subquery(Box<Subquery>),
    /// A call of a declared function that is interpreted.
    Call(Box<FunctionCall>),
    /// A window function over the rows of its read, after they were grouped.
    Window {
        /// Which.
        function: WindowFunction,
        /// Its arguments.
        args: Vec<Expr>,
        /// `filter (where …)`, of aggregates alone.
        filter: Option<Box<Expr>>,
        /// Which rows it looks at.
        window: Box<Window>,
        /// The result type.
        ty: Type,
    },
    /// An aggregate over the rows of its read.
    Aggregate {
        /// The row of the aggregate table.
        aggregate: &'static Aggregate,
        /// Its arguments; none for `count(*)`.
        args: Vec<Expr>,
        /// `distinct`
        distinct: bool,
        /// `filter (where …)`
        filter: Option<Box<Expr>>,
        /// `order by` inside.
        order: Vec<Order>,
        /// The result type.
        ty: Type,
    },
}

/// A call of a declared function that is interpreted: one that cannot be read in place of the call.
#[derive(Clone, Debug)]
pub struct FunctionCall {
    /// The function.
    pub function: FunctionId,
    /// What each of its parameters is given, of the parameter's type.
    pub args: Vec<Expr>,
    /// The type of its result.
    pub ty: Type,
    /// Who calls it: the role in force there. Only `authorize` says it; without it nothing is called.
    pub role: Option<Arc<str>>,
    /// Whether each call may say something else, whatever it is given.
    pub is_volatile: bool,
    /// Whether it may change something: the statement is then no read.
    pub changes: bool,
}

/// A function of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowFunction {
    /// An aggregate over the frame.
    Aggregate(&'static Aggregate),
    /// `row_number()`
    RowNumber,
    /// `rank()`
    Rank,
    /// `dense_rank()`
    DenseRank,
    /// `percent_rank()`
    PercentRank,
    /// `cume_dist()`
    CumeDist,
    /// `ntile(buckets)`
    Ntile,
    /// `lag(value, offset, default)`
    Lag,
    /// `lead(value, offset, default)`
    Lead,
    /// `first_value(value)`
    FirstValue,
    /// `last_value(value)`
    LastValue,
    /// `nth_value(value, n)`
    NthValue,
}

/// Which rows a window function looks at.
#[derive(Clone, Debug, Default)]
pub struct Window {
    /// `partition by`
    pub partition: Vec<Expr>,
    /// `order by`
    pub order: Vec<Order>,
    /// The frame; without one from the first row to the last peer of the current one.
    pub frame: Option<Frame>,
}

/// A frame of a window.
#[derive(Clone, Debug)]
pub struct Frame {
    /// What is counted.
    pub unit: FrameUnit,
    /// Where it starts.
    pub start: FrameBound,
    /// Where it ends.
    pub end: FrameBound,
    /// What is left out.
    pub exclude: FrameExclusion,
}

/// What a frame counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameUnit {
    /// `range`
    Range,
    /// `rows`
    Rows,
    /// `groups`
    Groups,
}

/// An end of a frame.
#[derive(Clone, Debug)]
pub enum FrameBound {
    /// `unbounded preceding`
    First,
    /// `offset preceding`
    Preceding(Expr),
    /// `current row`
    Current,
    /// `offset following`
    Following(Expr),
    /// `unbounded following`
    Last,
}

/// What a frame leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameExclusion {
    /// `exclude no others`
    Nothing,
    /// `exclude current row`
    Current,
    /// `exclude group`
    Group,
    /// `exclude ties`
    Ties,
}

/// A subquery as an expression.
#[derive(Clone, Debug)]
pub enum Subquery {
    /// `exists (…)`: boolean.
    Exists(Read),
    /// `(…)`: the only output of the only row, or null; more rows are an error.
    Scalar(Read),
    /// `operand op any (…)`; `in` is `= any`.
    Any {
        /// The left operand.
        operand: Expr,
        /// The comparison.
        compare: Compare,
        /// The rows; one output.
        read: Read,
    },
    /// `operand op all (…)`; `not in` is `<> all`.
    All {
        /// The left operand.
        operand: Expr,
        /// The comparison.
        compare: Compare,
        /// The rows; one output.
        read: Read,
    },
    /// Nested rows as JSON: an embedded resource.
    Nest(Nest),
}

/// Rows nested in another row, as JSON.
#[derive(Clone, Debug)]
pub struct Nest {
    /// The rows, correlated to the outer row by its filter.
    pub read: Read,
    /// An array of objects (`[]` when empty), or one object (`null` when there is none).
    pub many: bool,
    /// The only output as the element itself instead of an object: a column of a to-many spread.
    pub bare: bool,
}

/// A comparison of two values of one type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compare {
    /// `=`
    Eq,
    /// `<>`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

/// The comparisons and their operators.
const SYMBOLS: &[(Compare, &str)] = &[
    (Compare::Eq, "="),
    (Compare::Ne, "<>"),
    (Compare::Lt, "<"),
    (Compare::Le, "<="),
    (Compare::Gt, ">"),
    (Compare::Ge, ">="),
];

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

impl WindowFunction {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            WindowFunction::Aggregate(aggregate) => aggregate.name,
            WindowFunction::RowNumber => "row_number",
            WindowFunction::Rank => "rank",
            WindowFunction::DenseRank => "dense_rank",
            WindowFunction::PercentRank => "percent_rank",
            WindowFunction::CumeDist => "cume_dist",
            WindowFunction::Ntile => "ntile",
            WindowFunction::Lag => "lag",
            WindowFunction::Lead => "lead",
            WindowFunction::FirstValue => "first_value",
            WindowFunction::LastValue => "last_value",
            WindowFunction::NthValue => "nth_value",
        }
    }
}

impl Action {
    /// The statement's word.
    pub fn word(&self) -> &'static str {
        match self {
            Action::Insert(_) => "INSERT",
            Action::Update { .. } => "UPDATE",
            Action::Delete { .. } => "DELETE",
        }
    }
}

impl Compare {
    /// Its operator.
    pub fn symbol(self) -> &'static str {
        SYMBOLS.iter().find(|(compare, _)| *compare == self).map_or("=", |(_, symbol)| symbol)
    }

    /// The comparison that an operator is.
    pub fn of_operator(symbol: &str) -> Option<Compare> {
        let symbol = if symbol == "!=" { "<>" } else { symbol };
        SYMBOLS.iter().find(|(_, known)| *known == symbol).map(|(compare, _)| *compare)
    }
}

/// Forms whose evaluation is not a function call: null-aware, lazy, or generic over types.
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    /// Comparison of two operands of one type; null if either is null.
    Compare(Compare),
    /// `and` over all operands, three-valued.
    And,
    /// `or` over all operands, three-valued.
    Or,
    /// `not`
    Not,
    /// `is null`
    IsNull,
    /// `is not null`
    IsNotNull,
    /// `is [not] true`, `is [not] false`
    IsBool {
        /// `true` or `false`.
        value: bool,
        /// `not`
        negated: bool,
    },
    /// `is distinct from`
    Distinct,
    /// `is not distinct from`
    NotDistinct,
    /// `coalesce`
    Coalesce,
    /// `nullif(a, b)`
    NullIf,
    /// `greatest`
    Greatest,
    /// `least`
    Least,
    /// First operand equal to any of the others (all of one type).
    In,
    /// `operand op any (array)`
    AnyOf(Compare),
    /// `operand op all (array)`
    AllOf(Compare),
    /// Any of the array's elements makes the function true: `operand op any (array)` for operators that are functions.
    AnyBy(&'static Function),
    /// All of the array's elements make the function true.
    AllBy(&'static Function),
    /// `array[…]`
    Array,
    /// `row(…)`, or a whole row of a source as its columns.
    Row,
    /// A whole row under the names of its columns, as a value: it is kept as a JSON object.
    Record(Arc<[Arc<str>]>),
    /// A field of such a row.
    Field(Arc<str>),
    /// A value of a domain: the first operand, of which the others must not be false.
    Domain(Arc<DomainTest>),
    /// `nextval(sequence)`: the sequence's name is the only operand, a constant.
    NextValue,
    /// What only an engine that is PostgreSQL itself knows.
    Native(Native),
}

/// What PostgreSQL resolves itself: nothing is known here of the types that it takes.
#[derive(Clone, Debug, PartialEq)]
pub enum Native {
    /// A function of one argument.
    Function(Name),
    /// An operator between two operands.
    Operator(Arc<str>),
}

/// What a domain says of a value that it refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainTest {
    /// The domain.
    pub name: Arc<str>,
    /// Whether it takes no null.
    pub not_null: bool,
    /// The names of its constraints, one for each condition.
    pub checks: Vec<Arc<str>>,
}

impl DomainTest {
    /// Refuses a value for which conditions are false.
    ///
    /// # Errors
    /// `23502` for a null, `23514` for the first condition that is false.
    pub fn hold(&self, is_null: bool, is_false: impl IntoIterator<Item = bool>) -> Result<(), Error> {
        if is_null && self.not_null {
            let message = format!("domain {} does not allow null values", self.name);
            return Err(Error::new(Code::NOT_NULL_VIOLATION, message).naming(Named::Type, &*self.name));
        }
        match self.checks.iter().zip(is_false).find(|(_, is_false)| *is_false) {
            Some((check, _)) => {
                let message = format!("value for domain {} violates check constraint \"{check}\"", self.name);
                let error = Error::new(Code::CHECK_VIOLATION, message).naming(Named::Type, &*self.name);
                Err(error.naming(Named::Constraint, &**check))
            }
            None => Ok(()),
        }
    }
}

/// Something about the caller, bound when the command runs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CallerField {
    /// `auth.uid()`: uuid
    Uid,
    /// `auth.role()`: text
    ClaimedRole,
    /// `auth.email()`: text
    Email,
    /// `auth.jwt()`: jsonb
    Claims,
    /// `current_user`, `current_role`, `session_user`: the role in force, text
    Role,
    /// `current_setting(name, …)`: text
    Setting(Arc<str>),
    /// The time of the transaction: timestamptz. `now()`, `current_timestamp`.
    Now,
}

/// Who asks: a role with the claims of its token.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The database role in force.
    pub role: Arc<str>,
    /// The token's claims as JSON text; `None` without a token.
    pub claims: Option<Arc<str>>,
    /// `sub`, when it is a uuid.
    pub uid: Option<[u8; 16]>,
    /// The token's `email`.
    pub email: Option<Arc<str>>,
}

impl Caller {
    /// A role without a token: the server itself, a migration, a test.
    pub fn role(role: impl Into<Arc<str>>) -> Caller {
        Caller { role: role.into(), claims: None, uid: None, email: None }
    }

    /// What `current_setting(name)` says for this caller.
    pub fn setting(&self, name: &str) -> Option<Arc<str>> {
        match name {
            "role" => Some(self.role.clone()),
            "request.jwt.claims" => self.claims.clone(),
            _ => None,
        }
    }
}

/// A change to the rows of one table.
#[derive(Clone, Debug)]
pub struct Write {
    /// The table.
    pub table: TableId,
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

/// A condition on a row, over the write's target; anything but true is the error.
#[derive(Clone, Debug)]
pub struct RowCheck {
    /// The condition.
    pub expr: Expr,
    /// What a violation says.
    pub violation: Error,
}

impl Expr {
    /// The type of the value.
    pub fn ty(&self) -> Type {
        match self {
            Expr::Column { ty, .. }
            | Expr::Const { ty, .. }
            | Expr::Param { ty, .. }
            | Expr::Apply { ty, .. }
            | Expr::Form { ty, .. }
            | Expr::Cast { ty, .. }
            | Expr::Case { ty, .. }
            | Expr::Window { ty, .. }
            | Expr::Aggregate { ty, .. } => ty.clone(),
            Expr::Caller(field) => field.ty(),
            Expr::Subquery(subquery) => subquery.ty(),
            Expr::Call(call) => call.ty.clone(),
        }
    }

    /// A boolean constant.
    pub fn bool(value: bool) -> Expr {
        Expr::Const { value: Value::Bool(value), ty: Type::Bool }
    }

    /// `null` of a type.
    pub fn null(ty: Type) -> Expr {
        Expr::Const { value: Value::Null, ty }
    }

    /// A form of boolean type.
    pub fn test(form: Form, args: Vec<Expr>) -> Expr {
        Expr::Form { form, args, ty: Type::Bool }
    }

    /// `self = other`, both of one type.
    pub fn equals(self, other: Expr) -> Expr {
        Expr::test(Form::Compare(Compare::Eq), vec![self, other])
    }

    /// The conjunction of all; `None` of none.
    pub fn all(conditions: impl IntoIterator<Item = Expr>) -> Option<Expr> {
        let mut conditions: Vec<Expr> = conditions.into_iter().collect();
        match conditions.len() {
            0 => None,
            1 => conditions.pop(),
            _ => Some(Expr::test(Form::And, conditions)),
        }
    }
}

impl CallerField {
    /// The type of the value.
    pub fn ty(&self) -> Type {
        match self {
            CallerField::Uid => Type::Uuid,
            CallerField::Claims => Type::Jsonb,
            CallerField::Now => Type::Timestamptz,
            CallerField::ClaimedRole | CallerField::Email | CallerField::Role | CallerField::Setting(_) => {
                Type::Text
            }
        }
    }
}

impl Subquery {
    /// The type of the value.
    pub fn ty(&self) -> Type {
        match self {
            Subquery::Exists(_) | Subquery::Any { .. } | Subquery::All { .. } => Type::Bool,
            Subquery::Scalar(read) => read.outputs.first().map_or(Type::Void, |output| output.expr.ty()),
            Subquery::Nest(_) => Type::Json,
        }
    }
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
