//! Arithmetic and mathematics on `numeric` (PostgreSQL 9.3).

use types::numeric::Numeric;
use types::{Code, Error, Result, Value};

use super::Ty::{Int4, Int8, Numeric as N};
use super::arguments::int;
use super::{Context, Function};

pub(super) static ROWS: &[Function] = &[
    Function::operator("+", &[N, N], N, |_, a| ok(number(a, 0)?.add(number(a, 1)?))),
    Function::operator("-", &[N, N], N, |_, a| ok(number(a, 0)?.sub(number(a, 1)?))),
    Function::operator("*", &[N, N], N, |_, a| ok(number(a, 0)?.mul(number(a, 1)?))),
    Function::operator("/", &[N, N], N, |_, a| ok(number(a, 0)?.div(number(a, 1)?)?)),
    Function::operator("%", &[N, N], N, |_, a| ok(number(a, 0)?.rem(number(a, 1)?)?)),
    Function::prefix("-", &[N], N, |_, a| ok(number(a, 0)?.neg())),
    Function::prefix("+", &[N], N, |_, a| ok(number(a, 0)?.clone())),
    Function::prefix("@", &[N], N, |_, a| ok(number(a, 0)?.abs())),
    Function::new("mod", &[N, N], N, |_, a| ok(number(a, 0)?.rem(number(a, 1)?)?)),
    Function::new("div", &[N, N], N, whole_quotient),
    Function::new("abs", &[N], N, |_, a| ok(number(a, 0)?.abs())),
    Function::new("sign", &[N], N, sign),
    Function::new("ceil", &[N], N, |_, a| ok(number(a, 0)?.ceil())),
    Function::new("ceiling", &[N], N, |_, a| ok(number(a, 0)?.ceil())),
    Function::new("floor", &[N], N, |_, a| ok(number(a, 0)?.floor())),
    Function::new("round", &[N], N, |_, a| ok(number(a, 0)?.round(0))),
    Function::new("round", &[N, Int4], N, |_, a| ok(number(a, 0)?.round(places(a)?))),
    Function::new("trunc", &[N], N, |_, a| ok(number(a, 0)?.trunc(0))),
    Function::new("trunc", &[N, Int4], N, |_, a| ok(number(a, 0)?.trunc(places(a)?))),
    Function::new("sqrt", &[N], N, |_, a| ok(number(a, 0)?.sqrt()?)),
    Function::operator("^", &[N, N], N, |_, a| ok(number(a, 0)?.power(number(a, 1)?)?)),
    Function::new("power", &[N, N], N, |_, a| ok(number(a, 0)?.power(number(a, 1)?)?)),
    Function::new("pow", &[N, N], N, |_, a| ok(number(a, 0)?.power(number(a, 1)?)?)),
    Function::new("exp", &[N], N, |_, a| ok(number(a, 0)?.exp()?)),
    Function::new("ln", &[N], N, |_, a| ok(number(a, 0)?.ln()?)),
    Function::new("log", &[N], N, |_, a| ok(number(a, 0)?.log(&Numeric::from_i64(10))?)),
    Function::new("log10", &[N], N, |_, a| ok(number(a, 0)?.log(&Numeric::from_i64(10))?)),
    Function::new("log", &[N, N], N, |_, a| ok(number(a, 1)?.log(number(a, 0)?)?)),
    Function::new("scale", &[N], Int4, |_, a| {
        finite(number(a, 0)?, |number| Value::Int(number.scale().into()))
    }),
    Function::new("min_scale", &[N], Int4, |_, a| {
        finite(number(a, 0)?, |number| Value::Int(number.normalized().scale().into()))
    }),
    Function::new("trim_scale", &[N], N, |_, a| ok(number(a, 0)?.normalized())),
    Function::new("gcd", &[N, N], N, |_, a| divisor(number(a, 0)?, number(a, 1)?).and_then(ok)),
    Function::new("lcm", &[N, N], N, |_, a| multiple(number(a, 0)?, number(a, 1)?).and_then(ok)),
    Function::new("factorial", &[Int8], N, factorial),
];

/// A `numeric` argument.
pub(super) fn number(arguments: &[Value], position: usize) -> Result<&Numeric> {
    match arguments.get(position) {
        Some(Value::Numeric(number)) => Ok(number),
        _ => Err(Error::internal(format!("argument {position} is not a number"))),
    }
}

fn is_finite(number: &Numeric) -> bool {
    !matches!(number, Numeric::NaN | Numeric::Infinity | Numeric::NegativeInfinity)
}

/// The greatest common divisor, with as many digits after the point as the longer one; of what is no number there is none.
fn divisor(left: &Numeric, right: &Numeric) -> Result<Numeric> {
    if !is_finite(left) || !is_finite(right) {
        return Ok(Numeric::NaN);
    }
    let places = i32::try_from(left.scale().max(right.scale())).unwrap_or(i32::MAX);
    let (mut left, mut right) = (left.abs(), right.abs());
    while !right.is_zero() {
        super::interrupt::begin(&[])?;
        (left, right) = (right.clone(), left.rem(&right)?);
    }
    Ok(left.round(places))
}

/// The least common multiple.
fn multiple(left: &Numeric, right: &Numeric) -> Result<Numeric> {
    if !is_finite(left) || !is_finite(right) {
        return Ok(Numeric::NaN);
    }
    let places = i32::try_from(left.scale().max(right.scale())).unwrap_or(i32::MAX);
    if left.is_zero() || right.is_zero() {
        return Ok(Numeric::from_i64(0).round(places));
    }
    let times = left.div(&divisor(left, right)?)?.round(0);
    Ok(times.mul(right).abs().round(places))
}

fn ok(number: Numeric) -> Result<Value> {
    number.kept().map(Value::Numeric)
}

fn places(arguments: &[Value]) -> Result<i32> {
    i32::try_from(int(arguments, 1)?).map_err(|_| super::arguments::out_of_range("integer"))
}

/// Null for numbers that are not finite.
#[expect(clippy::unnecessary_wraps, reason = "the shape of an evaluation")]
fn finite(number: &Numeric, then: impl Fn(&Numeric) -> Value) -> Result<Value> {
    Ok(if matches!(number, Numeric::Finite { .. }) { then(number) } else { Value::Null })
}

fn sign(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let value = number(arguments, 0)?;
    if matches!(value, Numeric::NaN) {
        return ok(Numeric::NaN);
    }
    ok(Numeric::from_i64(if value.is_zero() {
        0
    } else if value.is_negative() {
        -1
    } else {
        1
    }))
}

fn whole_quotient(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (dividend, divisor) = (number(arguments, 0)?, number(arguments, 1)?);
    if !matches!((dividend, divisor), (Numeric::Finite { .. }, Numeric::Finite { .. })) || divisor.is_zero() {
        return ok(dividend.div(divisor)?);
    }
    // Exact: what the remainder leaves is a multiple of the divisor.
    ok(dividend.sub(&dividend.rem(divisor)?).div(divisor)?.trunc(0))
}

fn factorial(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let number = int(arguments, 0)?;
    if number < 0 {
        return Err(Error::new(Code::NUMERIC_OUT_OF_RANGE, "factorial of a negative number is undefined"));
    }
    if number > 32_177 {
        return Err(Error::new(Code::NUMERIC_OUT_OF_RANGE, "value overflows numeric format"));
    }
    ok((2..=number).fold(Numeric::from_i64(1), |product, factor| product.mul(&Numeric::from_i64(factor))))
}
