//! Aggregates: a row per overload, with its state.

use std::fmt;

use types::{Result, Type, Value};

use super::row::symbol;
use super::{Context, Kind, Ty};

/// A state that can be looked at before its last row.
pub trait Copies {
    /// The same state once more.
    fn copy(&self) -> Box<dyn State>;
}

impl<T: State + Clone + 'static> Copies for T {
    fn copy(&self) -> Box<dyn State> {
        Box::new(self.clone())
    }
}

/// What an aggregate remembers between rows.
pub trait State: Copies + Send {
    /// Takes the arguments of one row. A strict aggregate never sees null.
    ///
    /// # Errors
    /// What PostgreSQL raises for these arguments.
    fn step(&mut self, context: &mut Context<'_>, arguments: &[Value]) -> Result<()>;

    /// The result over the rows so far.
    ///
    /// # Errors
    /// What PostgreSQL raises for the result.
    fn finish(&mut self, context: &mut Context<'_>) -> Result<Value>;
}

/// One overload of an aggregate function.
pub struct Aggregate {
    /// The name in SQL.
    pub name: &'static str,
    /// The types of its arguments; none for `count(*)`.
    pub arguments: &'static [Ty],
    /// The type of its result.
    pub result: Ty,
    /// Whether rows with a null argument are left out.
    pub strict: bool,
    /// Makes the state of an empty group.
    pub init: fn() -> Box<dyn State>,
}

impl Aggregate {
    /// An aggregate that leaves out rows with a null argument.
    pub(super) const fn new(
        name: &'static str,
        arguments: &'static [Ty],
        result: Ty,
        init: fn() -> Box<dyn State>,
    ) -> Aggregate {
        Aggregate { name, arguments, result, strict: true, init }
    }

    /// It is given nulls too.
    pub(super) const fn lax(self) -> Aggregate {
        Aggregate { strict: false, ..self }
    }

    /// Takes one row into a state, unless the aggregate is strict and an argument null.
    ///
    /// # Errors
    /// What PostgreSQL raises for these arguments.
    pub fn step(&self, state: &mut dyn State, context: &mut Context<'_>, arguments: &[Value]) -> Result<()> {
        if self.strict && arguments.iter().any(Value::is_null) {
            return Ok(());
        }
        state.step(context, arguments)
    }

    /// Whether evaluation needs the argument types ([`Context::arguments`]).
    pub fn is_polymorphic(&self) -> bool {
        self.arguments.iter().any(|argument| argument.is_polymorphic())
    }

    /// The type of its result for arguments of these types.
    pub fn result_type(&self, arguments: &[Type]) -> Option<Type> {
        super::ty::result(self.arguments, self.result, arguments)
    }

    /// A name of its own among all rows, fit for registering: `pg_agg_sum_int4`.
    pub fn symbol(&self) -> String {
        symbol("pg_agg", self.name, Kind::Function, self.arguments)
    }

    /// The same over rows that differ: a word says whether they come in an order (`ordered`) or are to be sorted.
    pub fn distinct_symbol(&self) -> String {
        symbol("pg_distinct", self.name, Kind::Function, self.arguments)
    }

    /// The same for frames that rows leave again.
    pub fn moving_symbol(&self) -> String {
        symbol("pg_moving", self.name, Kind::Function, self.arguments)
    }
}

impl PartialEq for Aggregate {
    fn eq(&self, other: &Aggregate) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Aggregate {}

impl fmt::Debug for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.symbol())
    }
}
