//! Arithmetic and mathematics on `real` and `double precision` (PostgreSQL 9.3). Overflow and underflow are errors.

use types::{Code, Error, Result, Value};

use super::Ty::{Float4, Float8};
use super::arguments::{division_by_zero, float};
use super::{Context, Function, degrees};

/// A binary operator on every pair of the two types.
macro_rules! pairs {
    ($symbol:literal, $eval:ident) => {
        &[
            Function::operator($symbol, &[Float4, Float4], Float4, $eval::<4>),
            Function::operator($symbol, &[Float4, Float8], Float8, $eval::<8>),
            Function::operator($symbol, &[Float8, Float4], Float8, $eval::<8>),
            Function::operator($symbol, &[Float8, Float8], Float8, $eval::<8>),
        ]
    };
}

pub(super) static PLUS: &[Function] = pairs!("+", add);
pub(super) static MINUS: &[Function] = pairs!("-", subtract);
pub(super) static TIMES: &[Function] = pairs!("*", multiply);
pub(super) static OVER: &[Function] = pairs!("/", divide);

pub(super) static ROWS: &[Function] = &[
    Function::prefix("-", &[Float4], Float4, |_, a| Ok(Value::Float(-float(a, 0)?))),
    Function::prefix("-", &[Float8], Float8, |_, a| Ok(Value::Float(-float(a, 0)?))),
    Function::prefix("+", &[Float4], Float4, |_, a| Ok(Value::Float(float(a, 0)?))),
    Function::prefix("+", &[Float8], Float8, |_, a| Ok(Value::Float(float(a, 0)?))),
    Function::prefix("@", &[Float4], Float4, |_, a| Ok(Value::Float(float(a, 0)?.abs()))),
    Function::prefix("@", &[Float8], Float8, |_, a| Ok(Value::Float(float(a, 0)?.abs()))),
    Function::prefix("|/", &[Float8], Float8, sqrt),
    Function::prefix("||/", &[Float8], Float8, |_, a| Ok(Value::Float(float(a, 0)?.cbrt()))),
    Function::operator("^", &[Float8, Float8], Float8, power),
    Function::new("abs", &[Float4], Float4, |_, a| Ok(Value::Float(float(a, 0)?.abs()))),
    Function::new("abs", &[Float8], Float8, |_, a| Ok(Value::Float(float(a, 0)?.abs()))),
    Function::new("sign", &[Float8], Float8, sign),
    Function::new("ceil", &[Float8], Float8, |_, a| Ok(Value::Float(float(a, 0)?.ceil()))),
    Function::new("ceiling", &[Float8], Float8, |_, a| Ok(Value::Float(float(a, 0)?.ceil()))),
    Function::new("floor", &[Float8], Float8, |_, a| Ok(Value::Float(float(a, 0)?.floor()))),
    Function::new("round", &[Float8], Float8, |_, a| Ok(Value::Float(float(a, 0)?.round_ties_even()))),
    Function::new("trunc", &[Float8], Float8, |_, a| Ok(Value::Float(float(a, 0)?.trunc()))),
    Function::new("sqrt", &[Float8], Float8, sqrt),
    Function::new("cbrt", &[Float8], Float8, |_, a| Ok(Value::Float(float(a, 0)?.cbrt()))),
    Function::new("power", &[Float8, Float8], Float8, power),
    Function::new("pow", &[Float8, Float8], Float8, power),
    Function::new("exp", &[Float8], Float8, exponential),
    Function::new("ln", &[Float8], Float8, |_, a| Ok(Value::Float(positive(a)?.ln()))),
    Function::new("log", &[Float8], Float8, |_, a| Ok(Value::Float(positive(a)?.log10()))),
    Function::new("log10", &[Float8], Float8, |_, a| Ok(Value::Float(positive(a)?.log10()))),
    Function::new("pi", &[], Float8, |_, _| Ok(Value::Float(std::f64::consts::PI))),
    Function::new("degrees", &[Float8], Float8, |_, a| {
        checked(float(a, 0)? / (std::f64::consts::PI / 180.0), &[float(a, 0)?])
    }),
    Function::new("radians", &[Float8], Float8, |_, a| {
        Ok(Value::Float(float(a, 0)? * (std::f64::consts::PI / 180.0)))
    }),
    Function::new("sin", &[Float8], Float8, |_, a| Ok(Value::Float(finite(a)?.sin()))),
    Function::new("cos", &[Float8], Float8, |_, a| Ok(Value::Float(finite(a)?.cos()))),
    Function::new("tan", &[Float8], Float8, |_, a| Ok(Value::Float(finite(a)?.tan()))),
    Function::new("cot", &[Float8], Float8, |_, a| Ok(Value::Float(1.0 / finite(a)?.tan()))),
    Function::new("asin", &[Float8], Float8, |_, a| Ok(Value::Float(sine(a)?.asin()))),
    Function::new("acos", &[Float8], Float8, |_, a| Ok(Value::Float(sine(a)?.acos()))),
    Function::new("atan", &[Float8], Float8, |_, a| Ok(Value::Float(float(a, 0)?.atan()))),
    Function::new("atan2", &[Float8, Float8], Float8, |_, a| {
        Ok(Value::Float(float(a, 0)?.atan2(float(a, 1)?)))
    }),
    Function::new("sinh", &[Float8], Float8, |_, a| Ok(Value::Float(float(a, 0)?.sinh()))),
    Function::new("cosh", &[Float8], Float8, |_, a| Ok(Value::Float(float(a, 0)?.cosh()))),
    Function::new("tanh", &[Float8], Float8, |_, a| Ok(Value::Float(float(a, 0)?.tanh()))),
    Function::new("sind", &[Float8], Float8, |_, a| of_degrees(a, degrees::sine)),
    Function::new("cosd", &[Float8], Float8, |_, a| of_degrees(a, degrees::cosine)),
    Function::new("tand", &[Float8], Float8, |_, a| of_degrees(a, degrees::tangent)),
    Function::new("cotd", &[Float8], Float8, |_, a| of_degrees(a, degrees::cotangent)),
    Function::new("asind", &[Float8], Float8, |_, a| Ok(Value::Float(degrees::of_sine(sine(a)?)))),
    Function::new("acosd", &[Float8], Float8, |_, a| Ok(Value::Float(degrees::of_cosine(sine(a)?)))),
    Function::new("atand", &[Float8], Float8, |_, a| {
        Ok(Value::Float(float(a, 0)?.atan() / 1.0_f64.atan() * 45.0))
    }),
    Function::new("atan2d", &[Float8, Float8], Float8, |_, a| {
        Ok(Value::Float(float(a, 0)?.atan2(float(a, 1)?) / 1.0_f64.atan() * 45.0))
    }),
    Function::new("random", &[], Float8, random).volatile(),
];

fn of_degrees(arguments: &[Value], function: fn(f64) -> f64) -> Result<Value> {
    Ok(Value::Float(function(finite(arguments)?)))
}

fn overflow() -> Error {
    Error::new(Code::NUMERIC_OUT_OF_RANGE, "value out of range: overflow")
}

fn underflow() -> Error {
    Error::new(Code::NUMERIC_OUT_OF_RANGE, "value out of range: underflow")
}

/// A result that is infinite only if an operand is.
fn checked(result: f64, operands: &[f64]) -> Result<Value> {
    if result.is_infinite() && !operands.iter().any(|operand| operand.is_infinite()) {
        return Err(overflow());
    }
    Ok(Value::Float(result))
}

/// A result as a value of a type of so many bytes.
#[expect(clippy::cast_possible_truncation, reason = "rounding to single precision is what is wanted")]
fn round<const BYTES: u8>(result: f64) -> f64 {
    if BYTES == 4 { f64::from(result as f32) } else { result }
}

fn add<const BYTES: u8>(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (a, b) = (float(arguments, 0)?, float(arguments, 1)?);
    checked(round::<BYTES>(a + b), &[a, b])
}

fn subtract<const BYTES: u8>(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (a, b) = (float(arguments, 0)?, float(arguments, 1)?);
    checked(round::<BYTES>(a - b), &[a, b])
}

fn multiply<const BYTES: u8>(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (a, b) = (float(arguments, 0)?, float(arguments, 1)?);
    let result = round::<BYTES>(a * b);
    if result == 0.0 && a != 0.0 && b != 0.0 {
        return Err(underflow());
    }
    checked(result, &[a, b])
}

fn divide<const BYTES: u8>(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (a, b) = (float(arguments, 0)?, float(arguments, 1)?);
    if b == 0.0 && !a.is_nan() {
        return Err(division_by_zero());
    }
    let result = round::<BYTES>(a / b);
    if result == 0.0 && a != 0.0 && !b.is_infinite() {
        return Err(underflow());
    }
    checked(result, &[a])
}

fn sign(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let value = float(arguments, 0)?;
    Ok(Value::Float(if value > 0.0 {
        1.0
    } else if value < 0.0 {
        -1.0
    } else {
        0.0
    }))
}

fn sqrt(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let value = float(arguments, 0)?;
    if value < 0.0 {
        return Err(Error::new(Code::INVALID_POWER, "cannot take square root of a negative number"));
    }
    Ok(Value::Float(value.sqrt()))
}

fn power(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (base, exponent) = (float(arguments, 0)?, float(arguments, 1)?);
    if base == 0.0 && exponent < 0.0 {
        return Err(Error::new(Code::INVALID_POWER, "zero raised to a negative power is undefined"));
    }
    if base < 0.0 && exponent.is_finite() && exponent.floor() != exponent {
        let message = "a negative number raised to a non-integer power yields a complex result";
        return Err(Error::new(Code::INVALID_POWER, message));
    }
    let result = base.powf(exponent);
    if result == 0.0 && base != 0.0 && base.is_finite() && exponent.is_finite() {
        return Err(underflow());
    }
    checked(result, &[base, exponent])
}

fn exponential(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let exponent = float(arguments, 0)?;
    let result = exponent.exp();
    if result == 0.0 && exponent.is_finite() {
        return Err(underflow());
    }
    checked(result, &[exponent])
}

/// The operand of a logarithm.
fn positive(arguments: &[Value]) -> Result<f64> {
    let value = float(arguments, 0)?;
    if value == 0.0 {
        return Err(Error::new(Code::INVALID_LOGARITHM, "cannot take logarithm of zero"));
    }
    if value < 0.0 {
        return Err(Error::new(Code::INVALID_LOGARITHM, "cannot take logarithm of a negative number"));
    }
    Ok(value)
}

pub(super) fn out_of_range() -> Error {
    Error::new(Code::NUMERIC_OUT_OF_RANGE, "input is out of range")
}

/// The operand of a trigonometric function.
fn finite(arguments: &[Value]) -> Result<f64> {
    let value = float(arguments, 0)?;
    if value.is_infinite() { Err(out_of_range()) } else { Ok(value) }
}

/// The operand of an inverse trigonometric function.
fn sine(arguments: &[Value]) -> Result<f64> {
    let value = float(arguments, 0)?;
    if value.abs() > 1.0 { Err(out_of_range()) } else { Ok(value) }
}

/// Uniform in `0..1`: 53 random bits.
fn random(context: &mut Context<'_>, _: &[Value]) -> Result<Value> {
    let mut bytes = [0; 8];
    (context.random)(&mut bytes);
    let bits = u64::from_le_bytes(bytes) >> 11;
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
    Ok(Value::Float(bits as f64 / 9_007_199_254_740_992.0))
}
