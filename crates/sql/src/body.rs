//! The tree of a PL/pgSQL body (PostgreSQL 43): what it says, before anything is looked up.
//!
//! Statements and expressions in it are those of [`crate::ast`]. Names are not resolved: what is a variable and what a column,
//! only who knows the declarations and the catalog can say.

use types::Span;

use crate::ast::{Call, Expr, ObjectName, Query, StatementKind, TypeName};

/// A body.
#[derive(Clone, Debug, PartialEq)]
pub struct Body {
    /// `#variable_conflict`, if it says one.
    pub conflict: Option<NameConflict>,
    /// `#print_strict_params on`: errors of `into strict` say what the query's variables held.
    pub says_strict_parameters: bool,
    /// Whether a statement of it is about the row at which a cursor stands.
    pub names_current: bool,
    /// Its outermost block.
    pub block: Block,
}

/// What a name means that is both a column and a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameConflict {
    /// `error`
    Error,
    /// `use_variable`
    UseVariable,
    /// `use_column`
    UseColumn,
}

/// `[<<label>>] [declare …] begin … [exception …] end`
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Its label.
    pub label: Option<String>,
    /// What it declares, in order.
    pub declarations: Vec<Declaration>,
    /// Its statements.
    pub steps: Vec<Step>,
    /// `exception`; a block without handlers cannot be undone alone.
    pub handlers: Vec<Handler>,
}

impl Block {
    /// Its statements, and those of each handler.
    pub fn bodies(&self) -> Vec<&[Step]> {
        [&self.steps]
            .into_iter()
            .chain(self.handlers.iter().map(|handler| &handler.steps))
            .map(|steps| &**steps)
            .collect()
    }
}

/// One declaration.
#[derive(Clone, Debug, PartialEq)]
pub struct Declaration {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Declared,
    /// Where it stands.
    pub span: Span,
}

/// What a declaration makes.
#[derive(Clone, Debug, PartialEq)]
pub enum Declared {
    /// A variable.
    Variable {
        /// Its type.
        ty: VariableType,
        /// `constant`
        constant: bool,
        /// `not null`
        not_null: bool,
        /// `default`, `:=`, `=`
        default: Option<Expr>,
    },
    /// `alias for`
    Alias(AliasOf),
    /// `cursor for`
    Cursor {
        /// `no scroll`
        is_forward_only: bool,
        /// Its parameters.
        parameters: Vec<(String, TypeName)>,
        /// Its query.
        query: Box<Query>,
    },
}

/// What an alias stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AliasOf {
    /// `$1`
    Parameter(u32),
    /// A variable.
    Variable(Vec<String>),
}

/// A variable's type as written.
#[derive(Clone, Debug, PartialEq)]
pub enum VariableType {
    /// A type; `record` is one.
    Named(TypeName),
    /// `variable%type`, `table.column%type`, with how many `[]`.
    Like(Vec<String>, u8),
    /// `table%rowtype`
    RowOf(ObjectName),
}

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What it does.
    pub kind: StepKind,
    /// Where it stands.
    pub span: Span,
}

impl Step {
    /// The statements that stand within it, a list for each place where they stand.
    pub fn bodies(&self) -> Vec<&[Step]> {
        match &self.kind {
            StepKind::Block(block) => block.bodies(),
            StepKind::If { branches, otherwise } => {
                branches.iter().map(|(_, steps)| &**steps).chain([&**otherwise]).collect()
            }
            StepKind::Case { branches, otherwise, .. } => {
                branches.iter().map(|(_, steps)| steps).chain(otherwise).map(|steps| &**steps).collect()
            }
            StepKind::Loop(found) => vec![&found.steps],
            StepKind::Assign { .. }
            | StepKind::Leave { .. }
            | StepKind::Return(_)
            | StepKind::ReturnNext(_)
            | StepKind::ReturnQuery(_)
            | StepKind::Raise(_)
            | StepKind::Assert { .. }
            | StepKind::Statement { .. }
            | StepKind::Perform(_)
            | StepKind::Call(_)
            | StepKind::Execute { .. }
            | StepKind::Diagnostics { .. }
            | StepKind::Open { .. }
            | StepKind::Fetch { .. }
            | StepKind::Close(_)
            | StepKind::Nothing
            | StepKind::Refused(_) => Vec::new(),
        }
    }
}

/// What a statement does.
#[derive(Clone, Debug, PartialEq)]
pub enum StepKind {
    /// A block of its own.
    Block(Block),
    /// `target := value`
    Assign {
        /// What is assigned to.
        target: Target,
        /// The value.
        value: Expr,
    },
    /// `if`
    If {
        /// Conditions and what they lead to.
        branches: Vec<(Expr, Vec<Step>)>,
        /// `else`
        otherwise: Vec<Step>,
    },
    /// `case`
    Case {
        /// What is compared, if anything is.
        operand: Option<Expr>,
        /// Values (or one condition) and what they lead to.
        branches: Vec<(Vec<Expr>, Vec<Step>)>,
        /// `else`; without it nothing may be left over.
        otherwise: Option<Vec<Step>>,
    },
    /// `loop`, `while`, `for`, `foreach`
    Loop(Loop),
    /// `exit`, `continue`
    Leave {
        /// `continue`
        again: bool,
        /// Which loop or block.
        label: Option<String>,
        /// `when`
        when: Option<Expr>,
    },
    /// `return`
    Return(Option<Expr>),
    /// `return next`
    ReturnNext(Option<Expr>),
    /// `return query`
    ReturnQuery(Rows),
    /// `raise`
    Raise(Raise),
    /// `assert`
    Assert {
        /// What must hold.
        condition: Expr,
        /// What is said otherwise.
        message: Option<Expr>,
    },
    /// A statement of SQL.
    Statement {
        /// The statement.
        statement: Box<StatementKind>,
        /// Where its first row goes.
        into: Option<Into>,
    },
    /// `perform`: a query whose rows nobody sees.
    Perform(Box<Query>),
    /// `call`
    Call(Box<Call>),
    /// `execute`
    Execute {
        /// The text and its parameters.
        dynamic: Dynamic,
        /// Where its first row goes.
        into: Option<Into>,
    },
    /// `get [stacked] diagnostics`
    Diagnostics {
        /// `stacked`: of the error that is handled.
        stacked: bool,
        /// What is asked, and where it goes.
        items: Vec<(Target, String)>,
    },
    /// `open`
    Open {
        /// The cursor's variable.
        cursor: String,
        /// `no scroll`
        is_forward_only: bool,
        /// Its rows, where the declaration does not say them.
        rows: Option<Rows>,
        /// What its parameters are given.
        args: Vec<(Option<String>, Expr)>,
    },
    /// `fetch`, `move`
    Fetch {
        /// The cursor's variable.
        cursor: String,
        /// Which row.
        direction: Direction,
        /// Where the row goes; `move` has none.
        into: Option<Vec<Target>>,
    },
    /// `close`
    Close(String),
    /// `null`
    Nothing,
    /// What no function may do: `commit`, `rollback`, …; by its words.
    Refused(String),
}

/// A loop.
#[derive(Clone, Debug, PartialEq)]
pub struct Loop {
    /// Its label.
    pub label: Option<String>,
    /// Over what.
    pub over: Over,
    /// What is done each time.
    pub steps: Vec<Step>,
}

/// What a loop goes over.
#[derive(Clone, Debug, PartialEq)]
pub enum Over {
    /// Nothing: it ends from within.
    Forever,
    /// `while`
    While(Expr),
    /// `for i in [reverse] low .. high [by step]`
    Range {
        /// The variable, which is the loop's own.
        variable: String,
        /// `reverse`
        reverse: bool,
        /// The first value.
        low: Expr,
        /// The last.
        high: Expr,
        /// `by`
        step: Option<Expr>,
    },
    /// `for target in rows`
    Rows {
        /// Where each row goes.
        targets: Vec<Target>,
        /// The rows.
        rows: Rows,
    },
    /// `for record in cursor[(args)]`
    Cursor {
        /// Where each row goes: the loop's own.
        variable: String,
        /// The cursor's variable.
        cursor: String,
        /// What its parameters are given.
        args: Vec<(Option<String>, Expr)>,
    },
    /// `foreach target [slice n] in array`
    Array {
        /// Where each element goes.
        targets: Vec<Target>,
        /// How many dimensions an element has.
        slice: u32,
        /// The array.
        array: Expr,
    },
}

/// Rows of a query.
#[derive(Clone, Debug, PartialEq)]
pub enum Rows {
    /// A query, or a statement that returns rows.
    Of {
        /// The statement.
        statement: Box<StatementKind>,
        /// Where it stands.
        span: Span,
    },
    /// `execute`
    Dynamic(Dynamic),
}

/// `execute text [using …]`
#[derive(Clone, Debug, PartialEq)]
pub struct Dynamic {
    /// The text.
    pub text: Expr,
    /// Its parameters.
    pub using: Vec<Expr>,
}

/// `into [strict] …`
#[derive(Clone, Debug, PartialEq)]
pub struct Into {
    /// Exactly one row is wanted.
    pub strict: bool,
    /// Where its columns go.
    pub targets: Vec<Target>,
    /// From the word to what follows.
    pub span: Span,
}

/// What is assigned to: a variable, or a part of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Its name; a qualifier before, a field behind.
    pub name: Vec<String>,
    /// `$1` instead of a name.
    pub parameter: Option<u32>,
    /// What stands behind the name.
    pub parts: Vec<Part>,
    /// Where it stands.
    pub span: Span,
}

/// A part of a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// `[i]`
    Element(Expr),
    /// `[low:high]`
    Slice(Option<Expr>, Option<Expr>),
    /// `.field`
    Field(String),
}

/// Which row of a cursor.
#[derive(Clone, Debug, PartialEq)]
pub enum Direction {
    /// `relative n`: so many on.
    Relative(Expr),
    /// `forward n`, `backward n`: each of so many.
    Through(Expr),
    /// `next`
    Next,
    /// `prior`, `backward`
    Prior,
    /// `first`, `absolute n`
    Absolute(Expr),
    /// `first`
    First,
    /// `last`
    Last,
    /// `all`, `forward all`: behind the last.
    All,
    /// `backward all`: before the first.
    BackwardAll,
}

/// `raise`
#[derive(Clone, Debug, PartialEq)]
pub struct Raise {
    /// The level.
    pub level: Level,
    /// What is raised; nothing raises what is handled once more.
    pub what: Raised,
    /// `using`
    pub options: Vec<(String, Expr)>,
}

/// What is raised.
#[derive(Clone, Debug, PartialEq)]
pub enum Raised {
    /// A message with a value for every `%`.
    Message(String, Vec<Expr>),
    /// A condition's name.
    Condition(String),
    /// `sqlstate '…'`
    State(String),
    /// Nothing: options alone say it, or what is handled is raised again.
    Nothing,
}

/// How serious something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// `debug`
    Debug,
    /// `log`
    Log,
    /// `info`
    Info,
    /// `notice`
    Notice,
    /// `warning`
    Warning,
    /// `exception`
    Exception,
}

/// `when condition or … then …`
#[derive(Clone, Debug, PartialEq)]
pub struct Handler {
    /// What it handles.
    pub conditions: Vec<Condition>,
    /// What is done.
    pub steps: Vec<Step>,
}

/// What is handled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// A condition's name; `others`.
    Named(String),
    /// `sqlstate '…'`
    State(String),
}
