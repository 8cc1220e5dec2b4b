//! The table of functions that return rows (PostgreSQL 9.16, 9.18, 9.25, 9.26): a row per overload, with its evaluation.
//!
//! They stand in `from` ([`crate::SetCall`]), never in an expression. Their rows are made at once, up to [`ROWS_MAX`].

use std::fmt;

use types::{Code, Error, Field, Result, Type, Value};

use super::row::symbol;
use super::{Context, Kind, Ty};

pub(super) mod json;
pub(super) mod search;
pub(super) mod series;
pub(super) mod texts;

/// Most rows of one call; PostgreSQL has no limit.
pub const ROWS_MAX: usize = 1_000_000;

/// Computes the rows. Arguments are of the row's types; a strict function never sees null.
pub type Rows = fn(&mut SetContext<'_, '_>, &[Value]) -> Result<Vec<Vec<Value>>>;

/// What evaluation may use besides the arguments.
pub struct SetContext<'a, 'b> {
    /// Types of the arguments, the session, the clock.
    pub context: &'a mut Context<'b>,
    /// The columns.
    pub columns: &'a [Field],
}

/// Which columns the rows have.
#[derive(Clone, Copy, Debug)]
pub enum Columns {
    /// One, named as the function.
    One(Ty),
    /// These.
    Named(&'static [(&'static str, Ty)]),
    /// Those of a list that is written behind the call, or the fields of the composite type of the first argument.
    Written,
}

/// One overload of a set-returning function.
pub struct SetFunction {
    /// The name in SQL.
    pub name: &'static str,
    /// The types of its arguments.
    pub arguments: &'static [Ty],
    /// The number of arguments at the end that may be left out.
    pub optional: usize,
    /// The columns of its rows.
    pub columns: Columns,
    /// Whether there are no rows as soon as an argument is null.
    pub strict: bool,
    /// Whether it never fails, whatever the arguments.
    pub leakproof: bool,
    pub(super) eval: Rows,
}

impl SetFunction {
    pub(super) const fn new(
        name: &'static str,
        arguments: &'static [Ty],
        columns: Columns,
        eval: Rows,
    ) -> SetFunction {
        SetFunction { name, arguments, optional: 0, columns, strict: true, leakproof: false, eval }
    }

    /// So many arguments at its end may be left out.
    pub(super) const fn optional(self, optional: usize) -> SetFunction {
        SetFunction { optional, ..self }
    }

    /// It is called with nulls too.
    pub(super) const fn lax(self) -> SetFunction {
        SetFunction { strict: false, ..self }
    }

    /// It never fails.
    pub(super) const fn leakproof(self) -> SetFunction {
        SetFunction { leakproof: true, ..self }
    }

    /// Computes the rows of a call.
    ///
    /// # Errors
    /// What PostgreSQL raises for these arguments; `54000` for too many rows.
    pub fn call(
        &self,
        context: &mut Context<'_>,
        columns: &[Field],
        arguments: &[Value],
    ) -> Result<Vec<Vec<Value>>> {
        if self.strict && arguments.iter().any(Value::is_null) {
            return Ok(Vec::new());
        }
        let rows = (self.eval)(&mut SetContext { context, columns }, arguments)?;
        if rows.len() > ROWS_MAX { Err(too_many(self.name)) } else { Ok(rows) }
    }

    /// Whether it takes so many arguments.
    pub fn takes(&self, count: usize) -> bool {
        count >= self.arguments.len() - self.optional && count <= self.arguments.len()
    }

    /// The columns for arguments of these types; `None` where the call says them.
    pub fn fields(&self, arguments: &[Type]) -> Option<Vec<Field>> {
        let declared = &self.arguments[..arguments.len().min(self.arguments.len())];
        let of = |ty: Ty| super::ty::result(declared, ty, arguments);
        match self.columns {
            Columns::One(ty) => Some(vec![Field::of(self.name.into(), of(ty)?)]),
            Columns::Named(columns) => {
                columns.iter().map(|(name, ty)| Some(Field::of((*name).into(), of(*ty)?))).collect()
            }
            Columns::Written => None,
        }
    }

    /// A name of its own among all rows, fit for registering: `pg_set_unnest_anyarray`.
    pub fn symbol(&self) -> String {
        symbol("pg_set", self.name, Kind::Function, self.arguments)
    }
}

impl PartialEq for SetFunction {
    fn eq(&self, other: &SetFunction) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for SetFunction {}

impl fmt::Debug for SetFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.symbol())
    }
}

pub(super) fn too_many(name: &str) -> Error {
    Error::new(Code::LIMIT_EXCEEDED, format!("{name}() returns more than {ROWS_MAX} rows"))
}

/// Rows of one column.
pub(super) fn single(values: impl IntoIterator<Item = Value>) -> Vec<Vec<Value>> {
    values.into_iter().map(|value| vec![value]).collect()
}
