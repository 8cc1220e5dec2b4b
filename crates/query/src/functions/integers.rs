//! Arithmetic on integers (PostgreSQL 9.3). Results out of the type's range are errors.

use types::{Result, Value};

use super::Ty::{Int2, Int4, Int8};
use super::arguments::{division_by_zero, int, out_of_range};
use super::{Context, Function};

/// A binary operator on every pair of integer types; the result is of the wider one.
macro_rules! pairs {
    ($symbol:literal, $eval:ident) => {
        &[
            Function::operator($symbol, &[Int2, Int2], Int2, $eval::<2>),
            Function::operator($symbol, &[Int2, Int4], Int4, $eval::<4>),
            Function::operator($symbol, &[Int2, Int8], Int8, $eval::<8>),
            Function::operator($symbol, &[Int4, Int2], Int4, $eval::<4>),
            Function::operator($symbol, &[Int4, Int4], Int4, $eval::<4>),
            Function::operator($symbol, &[Int4, Int8], Int8, $eval::<8>),
            Function::operator($symbol, &[Int8, Int2], Int8, $eval::<8>),
            Function::operator($symbol, &[Int8, Int4], Int8, $eval::<8>),
            Function::operator($symbol, &[Int8, Int8], Int8, $eval::<8>),
        ]
    };
}

/// An operator or function on each integer type.
macro_rules! each {
    (operator $name:literal, $eval:ident) => {
        &[
            Function::operator($name, &[Int2, Int2], Int2, $eval::<2>),
            Function::operator($name, &[Int4, Int4], Int4, $eval::<4>),
            Function::operator($name, &[Int8, Int8], Int8, $eval::<8>),
        ]
    };
    (shift $name:literal, $eval:ident) => {
        &[
            Function::operator($name, &[Int2, Int4], Int2, $eval::<2>),
            Function::operator($name, &[Int4, Int4], Int4, $eval::<4>),
            Function::operator($name, &[Int8, Int4], Int8, $eval::<8>),
        ]
    };
    (prefix $name:literal, $eval:ident) => {
        &[
            Function::prefix($name, &[Int2], Int2, $eval::<2>),
            Function::prefix($name, &[Int4], Int4, $eval::<4>),
            Function::prefix($name, &[Int8], Int8, $eval::<8>),
        ]
    };
}

pub(super) static PLUS: &[Function] = pairs!("+", add);
pub(super) static MINUS: &[Function] = pairs!("-", subtract);
pub(super) static TIMES: &[Function] = pairs!("*", multiply);
pub(super) static OVER: &[Function] = pairs!("/", divide);
pub(super) static MODULO: &[Function] = each!(operator "%", modulo);
pub(super) static AND: &[Function] = each!(operator "&", and);
pub(super) static OR: &[Function] = each!(operator "|", or);
pub(super) static XOR: &[Function] = each!(operator "#", xor);
pub(super) static LEFT: &[Function] = each!(shift "<<", shift_left);
pub(super) static RIGHT: &[Function] = each!(shift ">>", shift_right);
pub(super) static NOT: &[Function] = each!(prefix "~", not);
pub(super) static NEGATIVE: &[Function] = each!(prefix "-", negate);
pub(super) static POSITIVE: &[Function] = each!(prefix "+", keep);
pub(super) static ABSOLUTE: &[Function] = each!(prefix "@", absolute);

pub(super) static ROWS: &[Function] = &[
    Function::new("abs", &[Int2], Int2, absolute::<2>),
    Function::new("abs", &[Int4], Int4, absolute::<4>),
    Function::new("abs", &[Int8], Int8, absolute::<8>),
    Function::new("mod", &[Int2, Int2], Int2, modulo::<2>),
    Function::new("mod", &[Int4, Int4], Int4, modulo::<4>),
    Function::new("mod", &[Int8, Int8], Int8, modulo::<8>),
    Function::new("gcd", &[Int4, Int4], Int4, divisor::<4>),
    Function::new("gcd", &[Int8, Int8], Int8, divisor::<8>),
    Function::new("lcm", &[Int4, Int4], Int4, multiple::<4>),
    Function::new("lcm", &[Int8, Int8], Int8, multiple::<8>),
];

/// A result in the range of a type of so many bytes.
fn fit<const BYTES: u8>(value: Option<i64>) -> Result<Value> {
    let (low, high, name) = match BYTES {
        2 => (i64::from(i16::MIN), i64::from(i16::MAX), "smallint"),
        4 => (i64::from(i32::MIN), i64::from(i32::MAX), "integer"),
        _ => (i64::MIN, i64::MAX, "bigint"),
    };
    value.filter(|value| (low..=high).contains(value)).map(Value::Int).ok_or_else(|| out_of_range(name))
}

fn add<const BYTES: u8>(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    fit::<BYTES>(int(arguments, 0)?.checked_add(int(arguments, 1)?))
}

fn subtract<const BYTES: u8>(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    fit::<BYTES>(int(arguments, 0)?.checked_sub(int(arguments, 1)?))
}

fn multiply<const BYTES: u8>(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    fit::<BYTES>(int(arguments, 0)?.checked_mul(int(arguments, 1)?))
}

fn divide<const BYTES: u8>(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    match int(arguments, 1)? {
        0 => Err(division_by_zero()),
        divisor => fit::<BYTES>(int(arguments, 0)?.checked_div(divisor)),
    }
}

fn modulo<const BYTES: u8>(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    match int(arguments, 1)? {
        0 => Err(division_by_zero()),
        divisor => fit::<BYTES>(Some(int(arguments, 0)?.wrapping_rem(divisor))),
    }
}

fn negate<const BYTES: u8>(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    fit::<BYTES>(int(arguments, 0)?.checked_neg())
}

fn keep<const BYTES: u8>(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    int(arguments, 0).map(Value::Int)
}

fn absolute<const BYTES: u8>(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    fit::<BYTES>(int(arguments, 0)?.checked_abs())
}

fn and<const BYTES: u8>(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    Ok(Value::Int(int(arguments, 0)? & int(arguments, 1)?))
}

fn or<const BYTES: u8>(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    Ok(Value::Int(int(arguments, 0)? | int(arguments, 1)?))
}

fn xor<const BYTES: u8>(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    Ok(Value::Int(int(arguments, 0)? ^ int(arguments, 1)?))
}

fn not<const BYTES: u8>(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    Ok(Value::Int(!int(arguments, 0)?))
}

/// The low bits of a value as an integer of so many bytes.
fn wrap<const BYTES: u8>(value: i64) -> Value {
    let unused = 64 - 8 * u32::from(BYTES);
    Value::Int(value.wrapping_shl(unused) >> unused)
}

/// By how many bits a machine of PostgreSQL's platforms shifts: modulo the width of the register.
fn bits<const BYTES: u8>(arguments: &[Value]) -> Result<u32> {
    let mask = if BYTES == 8 { 63 } else { 31 };
    Ok(u32::try_from(int(arguments, 1)? & mask).unwrap_or(0))
}

fn shift_left<const BYTES: u8>(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    Ok(wrap::<BYTES>(int(arguments, 0)?.wrapping_shl(bits::<BYTES>(arguments)?)))
}

fn shift_right<const BYTES: u8>(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    Ok(wrap::<BYTES>(int(arguments, 0)? >> bits::<BYTES>(arguments)?))
}

fn greatest_divisor(mut a: i64, mut b: i64) -> Option<i64> {
    while b != 0 {
        (a, b) = (b, a.wrapping_rem(b));
    }
    a.checked_abs()
}

fn divisor<const BYTES: u8>(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    fit::<BYTES>(greatest_divisor(int(arguments, 0)?, int(arguments, 1)?))
}

fn multiple<const BYTES: u8>(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (a, b) = (int(arguments, 0)?, int(arguments, 1)?);
    if a == 0 || b == 0 {
        return Ok(Value::Int(0));
    }
    fit::<BYTES>(
        greatest_divisor(a, b).and_then(|divisor| (a / divisor).checked_mul(b)).and_then(i64::checked_abs),
    )
}
