//! Typed scalar expressions.

use std::sync::Arc;

use catalog::ColumnId;
use types::{Modifier, Type, Value};

use super::{CallerField, Form, FunctionId, Order, Read, SourceId};
use crate::functions::{Aggregate, Function};

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

impl Expr {
    /// Whether it is this column.
    pub fn is_column(&self, source: SourceId, column: ColumnId) -> bool {
        matches!(self, Expr::Column { source: own, column: known, .. } if (*own, *known) == (source, column))
    }

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

/// The comparisons and their operators.
const SYMBOLS: &[(Compare, &str)] = &[
    (Compare::Eq, "="),
    (Compare::Ne, "<>"),
    (Compare::Lt, "<"),
    (Compare::Le, "<="),
    (Compare::Gt, ">"),
    (Compare::Ge, ">="),
];
