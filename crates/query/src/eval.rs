//! Expressions computed in memory: defaults, checks and generated columns of rows being written, and the model that engines
//! are tested against.
//!
//! Three-valued logic and laziness are PostgreSQL's (4.2.14, 9.1): `and`, `or`, `case` and `coalesce` look at operands from
//! left to right and stop as soon as the result is known. Nothing here reads a clock or a table: what is not in the
//! expression comes from the [`Row`] and the [`Scope`].

use std::cmp::Ordering;
use std::sync::Arc;

use catalog::ColumnId;
use types::compare::compare;
use types::json::{DEPTH_MAX, Json, parse};
use types::value::Array;
use types::{Code, Error, Result, Type, Value, cast};

use crate::functions::interrupt::writable;
use crate::functions::{Context, Function, Session};
use crate::ir::{Caller, CallerField, Compare, Expr, Form, SourceId, Subquery};

/// Where columns come from, and how what only rows of a read can answer is answered.
pub trait Row {
    /// The value of a column.
    ///
    /// # Errors
    /// `XX000` for a column that there is not.
    fn column(&self, source: SourceId, column: ColumnId) -> Result<Value>;

    /// The value of a subquery.
    ///
    /// # Errors
    /// `XX000` where there are no tables; what the subquery raises.
    fn subquery(&self, _: &Subquery, _: &mut Scope<'_>) -> Result<Value> {
        Err(Error::internal("a subquery where only one row is known"))
    }

    /// The value of an aggregate.
    ///
    /// # Errors
    /// `XX000` where there are no groups; what the aggregate raises.
    fn aggregate(&self, _: &Expr, _: &mut Scope<'_>) -> Result<Value> {
        Err(Error::internal("an aggregate where only one row is known"))
    }
}

/// A row without columns.
pub struct NoRow;

impl Row for NoRow {
    fn column(&self, source: SourceId, column: ColumnId) -> Result<Value> {
        Err(Error::internal(format!("there is no column {column:?} of {source:?}")))
    }
}

/// What an expression may use besides a row.
pub struct Scope<'a> {
    /// Who asks.
    pub caller: &'a Caller,
    /// Parameters of a system statement.
    pub params: &'a [Value],
    /// Time zone and time of the transaction.
    pub session: &'a Session,
    /// Fills a buffer with randomness fit for secrets.
    pub random: &'a mut dyn FnMut(&mut [u8]),
    /// The clock: microseconds since 2000-01-01 UTC.
    pub clock: &'a dyn Fn() -> i64,
}

impl Scope<'_> {
    fn context<'b>(&'b mut self, arguments: &'b [Type]) -> Context<'b> {
        Context { arguments, session: self.session, random: &mut *self.random, clock: self.clock }
    }
}

/// Computes an expression for a row.
///
/// # Errors
/// What PostgreSQL raises; `XX000` for a column, subquery or aggregate that the row does not have.
pub fn eval(expr: &Expr, row: &dyn Row, scope: &mut Scope<'_>) -> Result<Value> {
    match expr {
        Expr::Column { source, column, .. } => row.column(*source, *column),
        Expr::Const { value, .. } => Ok(value.clone()),
        Expr::Param { index, .. } => {
            let missing =
                || Error::new(Code::UNDEFINED_PARAMETER, format!("there is no parameter ${}", index + 1));
            scope.params.get(*index).cloned().ok_or_else(missing)
        }
        Expr::Caller(field) => caller(field, scope),
        Expr::Apply { function, args, .. } => apply(function, args, row, scope),
        Expr::Form { form, args, ty } => self::form(form, args, ty, row, scope),
        Expr::Cast { expr, ty, modifier, explicit } => {
            let value = eval(expr, row, scope)?;
            writable(&value)?;
            cast::cast(&expr.ty(), ty, *modifier, *explicit, &value, scope.session)
        }
        Expr::Case { branches, otherwise, .. } => {
            for (condition, result) in branches {
                if is_true(&eval(condition, row, scope)?) {
                    return eval(result, row, scope);
                }
            }
            otherwise.as_ref().map_or(Ok(Value::Null), |otherwise| eval(otherwise, row, scope))
        }
        Expr::Subquery(subquery) => row.subquery(subquery, scope),
        Expr::Call(_) => Err(Error::internal("a function that is interpreted, where only one row is known")),
        Expr::Window { .. } => Err(Error::internal("a window function where only one row is known")),
        Expr::Aggregate { .. } => row.aggregate(expr, scope),
    }
}

/// Whether a condition holds: null does not.
pub fn is_true(value: &Value) -> bool {
    matches!(value, Value::Bool(true))
}

fn caller(field: &CallerField, scope: &Scope<'_>) -> Result<Value> {
    let text = |text: Option<Arc<str>>| text.map_or(Value::Null, Value::Text);
    let caller = scope.caller;
    Ok(match field {
        CallerField::Uid => caller.uid.map_or(Value::Null, Value::Uuid),
        CallerField::ClaimedRole => text(caller.claimed_role()?),
        CallerField::Email => text(caller.email.clone()),
        CallerField::Claims => caller.claims_as_jsonb()?,
        CallerField::Role => Value::Text(caller.role.clone()),
        CallerField::Login => Value::Text(caller.login.clone()),
        CallerField::Setting(name) => text(caller.setting(name).or_else(|| scope.session.settings.get(name))),
        CallerField::Now => Value::Timestamp(scope.session.now),
    })
}

fn all(args: &[Expr], row: &dyn Row, scope: &mut Scope<'_>) -> Result<Vec<Value>> {
    args.iter().map(|arg| eval(arg, row, scope)).collect()
}

fn apply(function: &'static Function, args: &[Expr], row: &dyn Row, scope: &mut Scope<'_>) -> Result<Value> {
    let values = all(args, row, scope)?;
    let types: Vec<Type> =
        if function.is_polymorphic() { args.iter().map(Expr::ty).collect() } else { Vec::new() };
    function.call(&mut scope.context(&types), &values)
}

/// The two operands of a form.
fn pair(args: &[Expr]) -> Result<(&Expr, &Expr)> {
    match args {
        [left, right] => Ok((left, right)),
        _ => Err(Error::internal("a form with a wrong number of operands")),
    }
}

fn only(args: &[Expr]) -> Result<&Expr> {
    args.first().ok_or_else(|| Error::internal("a form without an operand"))
}

fn form(form: &Form, args: &[Expr], ty: &Type, row: &dyn Row, scope: &mut Scope<'_>) -> Result<Value> {
    match form {
        Form::Compare(operator) => {
            let (left, right) = pair(args)?;
            let (a, b) = (eval(left, row, scope)?, eval(right, row, scope)?);
            Ok(compared(*operator, &left.ty(), &a, &b))
        }
        Form::And => connected(args, false, row, scope),
        Form::Or => connected(args, true, row, scope),
        Form::Not => Ok(match eval(only(args)?, row, scope)? {
            Value::Bool(value) => Value::Bool(!value),
            other => other,
        }),
        Form::IsNull => Ok(Value::Bool(all_fields(&eval(only(args)?, row, scope)?, Value::is_null))),
        Form::IsNotNull => {
            Ok(Value::Bool(all_fields(&eval(only(args)?, row, scope)?, |value| !value.is_null())))
        }
        Form::IsBool { value, negated } => {
            let is = matches!(eval(only(args)?, row, scope)?, Value::Bool(found) if found == *value);
            Ok(Value::Bool(is != *negated))
        }
        Form::Distinct => distinct(args, row, scope).map(Value::Bool),
        Form::NotDistinct => distinct(args, row, scope).map(|distinct| Value::Bool(!distinct)),
        Form::Coalesce => coalesce(args, row, scope),
        Form::NullIf => {
            let (left, right) = pair(args)?;
            let (a, b) = (eval(left, row, scope)?, eval(right, row, scope)?);
            let equal = is_true(&compared(Compare::Eq, &left.ty(), &a, &b));
            Ok(if equal { Value::Null } else { a })
        }
        Form::Greatest => extreme(args, ty, Ordering::Greater, row, scope),
        Form::Least => extreme(args, ty, Ordering::Less, row, scope),
        Form::In => in_list(args, row, scope),
        Form::AnyOf(operator) => {
            quantified(args, true, row, scope, &mut |ty, a, b, _| Ok(compared(*operator, ty, a, b)))
        }
        Form::AllOf(operator) => {
            quantified(args, false, row, scope, &mut |ty, a, b, _| Ok(compared(*operator, ty, a, b)))
        }
        Form::AnyBy(function) => {
            quantified(args, true, row, scope, &mut |ty, a, b, scope| called(function, ty, a, b, scope))
        }
        Form::AllBy(function) => {
            quantified(args, false, row, scope, &mut |ty, a, b, scope| called(function, ty, a, b, scope))
        }
        Form::Array => array(all(args, row, scope)?),
        Form::Row => Ok(Value::Row(all(args, row, scope)?.into())),
        Form::Record(names) => record(names, args, row, scope),
        Form::Domain(test) => {
            let mut values = all(args, row, scope)?.into_iter();
            let value = values.next().unwrap_or(Value::Null);
            test.hold(value.is_null(), values.map(|held| matches!(held, Value::Bool(false))))?;
            Ok(value)
        }
        Form::Field(name) => field(name, ty, &eval(only(args)?, row, scope)?, scope.session),
        Form::Native(_) => Err(Error::internal("what only PostgreSQL knows is not evaluated")),
    }
}

/// A whole row as a JSON object.
fn record(names: &[Arc<str>], args: &[Expr], row: &dyn Row, scope: &mut Scope<'_>) -> Result<Value> {
    if is_null_row(args) {
        return Ok(Value::Null);
    }
    let mut out = vec![b'{'];
    for (name, arg) in names.iter().zip(args) {
        out.extend(if out.len() > 1 { &b","[..] } else { b"" });
        types::json::write_string(&mut out, name);
        out.push(b':');
        let value = eval(arg, row, scope)?;
        types::json_value::write_value(&mut out, &arg.ty(), &value, scope.session)?;
    }
    out.push(b'}');
    String::from_utf8(out).map(Value::text).map_err(Error::internal)
}

/// Whether the fields of a row are those of one that is null as a whole: of a variable, for a row that is read has columns.
pub fn is_null_row(args: &[Expr]) -> bool {
    !args.is_empty() && args.iter().all(|arg| matches!(arg, Expr::Const { value: Value::Null, .. }))
}

/// A field of a row that is kept as a JSON object.
///
/// # Errors
/// `XX001` when it is no such object.
pub fn field(name: &str, ty: &Type, row: &Value, session: &Session) -> Result<Value> {
    let Value::Text(text) = row else { return Ok(Value::Null) };
    match parse(text, DEPTH_MAX)?.get(name) {
        None | Some(Json::Null) => Ok(Value::Null),
        Some(json) => types::json_value::kept_from_json(ty, json, session),
    }
}

/// A comparison; null if an operand is.
pub fn compared(operator: Compare, ty: &Type, left: &Value, right: &Value) -> Value {
    if left.is_null() || right.is_null() {
        return Value::Null;
    }
    let order = compare(ty, left, right);
    Value::Bool(match operator {
        Compare::Eq => order.is_eq(),
        Compare::Ne => order.is_ne(),
        Compare::Lt => order.is_lt(),
        Compare::Le => order.is_le(),
        Compare::Gt => order.is_gt(),
        Compare::Ge => order.is_ge(),
    })
}

/// `and` (decided by false) and `or` (decided by true).
fn connected(args: &[Expr], decisive: bool, row: &dyn Row, scope: &mut Scope<'_>) -> Result<Value> {
    let mut result = Value::Bool(!decisive);
    for arg in args {
        match eval(arg, row, scope)? {
            Value::Bool(value) if value == decisive => return Ok(Value::Bool(decisive)),
            Value::Null => result = Value::Null,
            _ => {}
        }
    }
    Ok(result)
}

/// A test on a value; of a row, on each of its fields.
fn all_fields(value: &Value, test: impl Fn(&Value) -> bool) -> bool {
    match value {
        Value::Row(fields) => fields.iter().all(test),
        value => test(value),
    }
}

fn distinct(args: &[Expr], row: &dyn Row, scope: &mut Scope<'_>) -> Result<bool> {
    let (left, right) = pair(args)?;
    let (a, b) = (eval(left, row, scope)?, eval(right, row, scope)?);
    Ok(match (a.is_null(), b.is_null()) {
        (false, false) => compare(&left.ty(), &a, &b).is_ne(),
        (a, b) => a != b,
    })
}

fn coalesce(args: &[Expr], row: &dyn Row, scope: &mut Scope<'_>) -> Result<Value> {
    for arg in args {
        let value = eval(arg, row, scope)?;
        if !value.is_null() {
            return Ok(value);
        }
    }
    Ok(Value::Null)
}

fn extreme(
    args: &[Expr],
    ty: &Type,
    wanted: Ordering,
    row: &dyn Row,
    scope: &mut Scope<'_>,
) -> Result<Value> {
    let mut best = Value::Null;
    for arg in args {
        let value = eval(arg, row, scope)?;
        if !value.is_null() && (best.is_null() || compare(ty, &value, &best) == wanted) {
            best = value;
        }
    }
    Ok(best)
}

fn in_list(args: &[Expr], row: &dyn Row, scope: &mut Scope<'_>) -> Result<Value> {
    let Some((operand, list)) = args.split_first() else {
        return Err(Error::internal("in without an operand"));
    };
    let ty = operand.ty();
    let value = eval(operand, row, scope)?;
    let mut result = Value::Bool(false);
    for item in list {
        match compared(Compare::Eq, &ty, &value, &eval(item, row, scope)?) {
            Value::Bool(true) => return Ok(Value::Bool(true)),
            Value::Null => result = Value::Null,
            _ => {}
        }
    }
    Ok(result)
}

/// A test of an operand (whose type is given) and one element.
type Test<'a> = dyn FnMut(&Type, &Value, &Value, &mut Scope<'_>) -> Result<Value> + 'a;

/// `operand op any (array)` (decided by true) and `operand op all (array)` (decided by false).
fn quantified(
    args: &[Expr],
    any: bool,
    row: &dyn Row,
    scope: &mut Scope<'_>,
    test: &mut Test<'_>,
) -> Result<Value> {
    let (operand, array) = pair(args)?;
    let value = eval(operand, row, scope)?;
    let array = match eval(array, row, scope)? {
        Value::Array(array) => array,
        _ => return Ok(Value::Null),
    };
    let ty = operand.ty();
    let mut result = Value::Bool(!any);
    for element in &array.elements {
        match test(&ty, &value, element, scope)? {
            Value::Bool(found) if found == any => return Ok(Value::Bool(any)),
            Value::Null => result = Value::Null,
            _ => {}
        }
    }
    Ok(result)
}

/// An operator that is a function, on an operand and an element.
fn called(
    function: &'static Function,
    ty: &Type,
    left: &Value,
    right: &Value,
    scope: &mut Scope<'_>,
) -> Result<Value> {
    let types = [ty.clone(), ty.clone()];
    function.call(&mut scope.context(&types), &[left.clone(), right.clone()])
}

/// `array[…]`; arrays of arrays become one with another dimension.
/// What `array[…]` makes of its elements, which may be arrays themselves.
///
/// # Errors
/// `2202E` for arrays that do not fit each other.
pub fn array(values: Vec<Value>) -> Result<Value> {
    let nested = values.iter().any(|value| matches!(value, Value::Array(_)));
    if !nested {
        let dimensions = if values.is_empty() { Vec::new() } else { vec![length(values.len())?] };
        return Ok(Value::Array(Arc::new(Array { dimensions, elements: values })));
    }
    let mismatch = || {
        let message = "multidimensional arrays must have array expressions with matching dimensions";
        Error::new(Code::ARRAY_SUBSCRIPT, message)
    };
    let mut inner: Option<Vec<u32>> = None;
    let mut elements = Vec::new();
    let count = length(values.len())?;
    for value in values {
        let Value::Array(part) = value else { return Err(mismatch()) };
        if inner.get_or_insert_with(|| part.dimensions.clone()) != &part.dimensions {
            return Err(mismatch());
        }
        elements.extend(part.elements.iter().cloned());
    }
    let inner = inner.unwrap_or_default();
    let dimensions = if elements.is_empty() { Vec::new() } else { [vec![count], inner].concat() };
    Ok(Value::Array(Arc::new(Array { dimensions, elements })))
}

fn length(count: usize) -> Result<u32> {
    u32::try_from(count)
        .map_err(|_| Error::new(Code::LIMIT_EXCEEDED, "array size exceeds the maximum allowed"))
}
