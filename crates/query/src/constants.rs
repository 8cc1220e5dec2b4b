//! Constants that PostgreSQL computes while it plans (38.7): what functions that always say the same make of constants fails
//! before any row is looked at, and whether or not there is one.
//!
//! Looks for what fails, and never changes a query: values are computed again where they stand. What a plan may leave out is not
//! looked at (columns of inner reads, common table expressions), nor are variables, which are constants of some plans alone.

use types::{Result, Type, Value};

use crate::functions::Volatility;
use crate::ir::{Action, Expr, Form, Insert, Query, Read, Source, Subquery, Write};
use crate::visit;

/// Computes an expression without columns and parameters.
pub type Compute<'a> = &'a dyn Fn(&Expr) -> Result<Value>;

/// The types between which a conversion always says the same.
const PLAIN: &[Type] = &[
    Type::Bool,
    Type::Int2,
    Type::Int4,
    Type::Int8,
    Type::Float4,
    Type::Float8,
    Type::Numeric,
    Type::Text,
    Type::Varchar,
    Type::Uuid,
    Type::Json,
    Type::Jsonb,
    Type::Bytea,
];

/// Refuses a query for the first of its constants that cannot be computed.
///
/// # Errors
/// What computing it raises of the classes 22 and 54.
pub fn refused(query: &Query, compute: Compute<'_>) -> Result<()> {
    let pass = Pass { compute };
    match query {
        Query::Read(read) => pass.read(read),
        Query::Write(write) => pass.write(write),
    }
}

/// The same of an expression.
///
/// # Errors
/// As [`refused`].
pub fn refused_in(expr: &Expr, compute: Compute<'_>) -> Result<()> {
    Pass { compute }.value(expr).map(|_| ())
}

struct Pass<'a> {
    compute: Compute<'a>,
}

impl Pass<'_> {
    fn write(&self, write: &Write) -> Result<()> {
        write.before.iter().try_for_each(|changed| self.write(&changed.write))?;
        self.all(visit::action_expressions(&write.action))?;
        if let Action::Insert(Insert { read: Some(read), .. }) = &write.action {
            self.read(read)?;
        }
        write.returning.iter().try_for_each(|read| self.read(read))
    }

    fn read(&self, read: &Read) -> Result<()> {
        let outputs = read.outputs.iter().map(|output| &output.expr);
        self.all(outputs)?;
        self.without_outputs(read)
    }

    /// What a read is made of besides what it shows.
    fn without_outputs(&self, read: &Read) -> Result<()> {
        if read.called.is_some() {
            // A body may be planned by itself, when it is called.
            return Ok(());
        }
        let mut own = Vec::new();
        visit::own_expressions(read, &mut |expr| own.push(expr));
        self.all(own.into_iter().skip(read.outputs.len()))?;
        let mut sources = Vec::new();
        visit::each_source(&read.from, &mut |source| sources.push(source));
        sources.into_iter().try_for_each(|source| self.source(source))
    }

    fn source(&self, source: &Source) -> Result<()> {
        match source {
            Source::Read { read, .. } => self.without_outputs(read),
            Source::Compound { left, right, .. } => {
                self.read(left)?;
                self.read(right)
            }
            Source::Unit
            | Source::Table { .. }
            | Source::Written { .. }
            | Source::Given { .. }
            | Source::Transition { .. }
            | Source::Call { .. }
            | Source::Cte { .. }
            | Source::Function { .. }
            | Source::Values { .. }
            | Source::System { .. }
            | Source::Join { .. } => Ok(()),
        }
    }

    fn all<'e>(&self, exprs: impl IntoIterator<Item = &'e Expr>) -> Result<Vec<Option<Value>>> {
        exprs.into_iter().map(|expr| self.value(expr)).collect()
    }

    /// The value of an expression, if it is a constant.
    fn value(&self, expr: &Expr) -> Result<Option<Value>> {
        match expr {
            Expr::Const { value, .. } => Ok(Some(value.clone())),
            Expr::Column { .. } | Expr::Param { .. } | Expr::Caller(_) => Ok(None),
            Expr::Apply { function, args, .. } => {
                let values = self.all(args)?;
                if function.strict && has_null(&values) {
                    return Ok(Some(Value::Null));
                }
                if function.volatility == Volatility::Immutable {
                    self.computed(expr, values)
                } else {
                    Ok(None)
                }
            }
            Expr::Form { form, args, .. } => self.form(expr, form, args),
            Expr::Cast { expr: inner, ty, .. } => {
                let value = self.value(inner)?;
                let is_plain = PLAIN.contains(&inner.ty()) && PLAIN.contains(ty);
                if is_plain { self.computed(expr, vec![value]) } else { Ok(None) }
            }
            Expr::Case { branches, otherwise, .. } => self.case(branches, otherwise.as_deref()),
            Expr::Subquery(subquery) => {
                self.all(visit::operands(expr))?;
                match &**subquery {
                    Subquery::Exists(read) => self.without_outputs(read)?,
                    Subquery::Scalar(read) | Subquery::Any { read, .. } | Subquery::All { read, .. } => {
                        self.read(read)?;
                    }
                    Subquery::Nest(nest) => self.read(&nest.read)?,
                }
                Ok(None)
            }
            Expr::Call(_) | Expr::Window { .. } | Expr::Aggregate { .. } => {
                self.all(visit::operands(expr))?;
                Ok(None)
            }
        }
    }

    fn form(&self, expr: &Expr, form: &Form, args: &[Expr]) -> Result<Option<Value>> {
        match form {
            Form::And => self.connected(args, false),
            Form::Or => self.connected(args, true),
            Form::Coalesce => self.coalesce(args),
            Form::Compare(_) => {
                let values = self.all(args)?;
                if has_null(&values) { Ok(Some(Value::Null)) } else { self.computed(expr, values) }
            }
            Form::Not
            | Form::IsNull
            | Form::IsNotNull
            | Form::IsBool { .. }
            | Form::Distinct
            | Form::NotDistinct
            | Form::NullIf
            | Form::Greatest
            | Form::Least
            | Form::In
            | Form::AnyOf(_)
            | Form::AllOf(_)
            | Form::Array => self.computed(expr, self.all(args)?),
            Form::AnyBy(function) | Form::AllBy(function) => {
                let values = self.all(args)?;
                if function.volatility == Volatility::Immutable {
                    self.computed(expr, values)
                } else {
                    Ok(None)
                }
            }
            Form::Row | Form::Record(_) | Form::Field(_) | Form::Native(_) => {
                self.all(args)?;
                Ok(None)
            }
            // What a domain asks is planned when a value is made one of it.
            Form::Domain(_) => {
                self.all(args.first())?;
                Ok(None)
            }
        }
    }

    /// `and` and `or` look no further than to what decides them.
    fn connected(&self, args: &[Expr], decisive: bool) -> Result<Option<Value>> {
        let mut known = Some(Value::Bool(!decisive));
        for arg in args {
            match self.value(arg)? {
                Some(Value::Bool(value)) if value == decisive => return Ok(Some(Value::Bool(decisive))),
                Some(Value::Null) => known = known.map(|_| Value::Null),
                Some(_) => {}
                None => known = None,
            }
        }
        Ok(known)
    }

    /// `coalesce` looks no further than to the first constant.
    fn coalesce(&self, args: &[Expr]) -> Result<Option<Value>> {
        let mut is_known = true;
        for arg in args {
            match self.value(arg)? {
                Some(Value::Null) => {}
                Some(value) => return Ok(is_known.then_some(value)),
                None => is_known = false,
            }
        }
        Ok(is_known.then_some(Value::Null))
    }

    /// `case` leaves out branches whose condition is not true, and all that follow one that is. What remains is computed, whichever
    /// of it a row will come to.
    fn case(&self, branches: &[(Expr, Expr)], otherwise: Option<&Expr>) -> Result<Option<Value>> {
        let mut is_known = true;
        for (condition, result) in branches {
            match self.value(condition)? {
                Some(Value::Bool(true)) => {
                    let value = self.value(result)?;
                    return Ok(value.filter(|_| is_known));
                }
                Some(_) => {}
                None => {
                    self.value(result)?;
                    is_known = false;
                }
            }
        }
        let value = otherwise.map_or(Ok(Some(Value::Null)), |otherwise| self.value(otherwise))?;
        Ok(value.filter(|_| is_known))
    }

    /// The value of an expression whose operands may all be known.
    fn computed(&self, expr: &Expr, operands: Vec<Option<Value>>) -> Result<Option<Value>> {
        let Some(values) = operands.into_iter().collect::<Option<Vec<Value>>>() else { return Ok(None) };
        let mut expr = expr.clone();
        for (operand, value) in visit::operands_mut(&mut expr).into_iter().zip(values) {
            *operand = Expr::Const { value, ty: operand.ty() };
        }
        match (self.compute)(&expr) {
            Ok(value) => Ok(Some(value)),
            Err(error) if ["22", "54"].iter().any(|class| error.state().starts_with(class)) => Err(error),
            // What is lacking is told by what really computes it.
            Err(_) => Ok(None),
        }
    }
}

fn has_null(values: &[Option<Value>]) -> bool {
    values.iter().flatten().any(Value::is_null)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::{NoRow, Scope, eval};
    use crate::functions::Session;
    use crate::ir::Caller;

    const SCHEMA: &str = "create table t (id int primary key, a int, n numeric(8,2));";

    /// Whether a statement is refused for a constant.
    #[track_caller]
    fn check(statement: &str, expected: Option<&str>) {
        let (declared, _) = sql::parse(SCHEMA);
        let (catalog, _) = catalog::build(catalog::builtin(), &declared, &crate::resolve::Views);
        let (statements, broken) = sql::parse(statement);
        assert!(broken.is_empty(), "{broken:?}");
        let query = crate::resolve::statement(&catalog, &statements[0].kind, &[]).unwrap();
        let (caller, session, clock) = (Caller::role("postgres"), Session::utc(0), || 0);
        let compute = |expr: &Expr| {
            let mut random = |_: &mut [u8]| {};
            let mut scope =
                Scope { caller: &caller, params: &[], session: &session, random: &mut random, clock: &clock };
            eval(expr, &NoRow, &mut scope)
        };
        let found = refused(&query, &compute).err().map(|error| error.message().to_owned());
        assert_eq!(found.as_deref(), expected, "{statement}");
    }

    const BY_ZERO: Option<&str> = Some("division by zero");

    #[test]
    fn what_is_computed_in_any_case_fails_without_a_row() {
        check("select 1 / 0 from t", BY_ZERO);
        check("select a from t where a = 1 or 1 / 0 = 1", BY_ZERO);
        check("select count(1 / 0) from t", BY_ZERO);
        check("select (select 1 / 0 from t u) from t", BY_ZERO);
        check("select a from t union all select 1 / 0 from t", BY_ZERO);
        check("update t set a = 1 / 0", BY_ZERO);
        check("insert into t (a) select 1 / 0 from t", BY_ZERO);
        check("update t set n = 12345678", Some("numeric field overflow"));
    }

    #[test]
    fn conditions_that_are_constants_decide_what_is_computed() {
        check("select case when a > 0 then 1 else 1 / 0 end from t", BY_ZERO);
        check("select case when true then 1 else 1 / 0 end from t", None);
        check("select coalesce(a, 1 / 0) from t", BY_ZERO);
        check("select coalesce(1, 1 / 0) from t", None);
        check("select a from t where false and 1 / 0 = 1", None);
        check("select a from t where true or 1 / 0 = 1", None);
    }

    #[test]
    fn what_may_say_something_else_and_what_is_left_out_is_not_computed() {
        check("select ('x'::text)::int from t", Some("invalid input syntax for type integer: \"x\""));
        check("select ('x'::text)::date from t", None);
        check("select a / 0 from t", None);
        check("select a from t where exists (select 1 / 0 from t u)", None);
        check("select s.a from (select a, 1 / 0 as z from t) s", None);
        check("with c as (select 1 / 0 as x from t) select a from t", None);
    }
}
