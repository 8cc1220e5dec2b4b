//! `width_bucket` (PostgreSQL 9.3): in which part of a histogram a value lies.

use std::cmp::Ordering;

use types::numeric::Numeric;
use types::{Code, Error, Result, Type, Value};

use super::Ty::{AnyCompatible, AnyCompatibleArray, Float8, Int4, Numeric as N};
use super::arguments::{array, float, int, out_of_range};
use super::numbers::number;
use super::{Context, Function};

pub(super) static ROWS: &[Function] = &[
    Function::new("width_bucket", &[Float8, Float8, Float8, Int4], Int4, of_floats),
    Function::new("width_bucket", &[N, N, N, Int4], Int4, of_numbers),
    Function::new("width_bucket", &[AnyCompatible, AnyCompatibleArray], Int4, of_thresholds),
];

fn refused(message: &str) -> Error {
    Error::new(Code::INVALID_BUCKETS, message)
}

fn count(arguments: &[Value]) -> Result<i64> {
    match int(arguments, 3)? {
        count if count > 0 => Ok(count),
        _ => Err(refused("count must be greater than zero")),
    }
}

/// Where a value lies between two bounds, which may fall.
#[derive(Clone, Copy)]
enum Place {
    Before,
    Within,
    Behind,
}

/// How a value compares to the lower and to the upper bound, and those to each other.
fn place(to_low: Ordering, to_high: Ordering, bounds: Ordering) -> Result<Place> {
    Ok(match bounds {
        Ordering::Equal => return Err(refused("lower bound cannot equal upper bound")),
        bounds if to_low == bounds => Place::Before,
        bounds if to_high == bounds => Place::Within,
        Ordering::Less | Ordering::Greater => Place::Behind,
    })
}

fn bucket(place: Place, within: i64, count: i64) -> Result<Value> {
    let bucket = match place {
        Place::Before => 0,
        Place::Within => within + 1,
        Place::Behind => count + 1,
    };
    i32::try_from(bucket).map(|bucket| Value::Int(bucket.into())).map_err(|_| out_of_range("integer"))
}

fn of_floats(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (operand, low, high) = (float(arguments, 0)?, float(arguments, 1)?, float(arguments, 2)?);
    let count = count(arguments)?;
    if operand.is_nan() || low.is_nan() || high.is_nan() {
        return Err(refused("operand, lower bound, and upper bound cannot be NaN"));
    }
    if low.is_infinite() || high.is_infinite() {
        return Err(refused("lower and upper bounds must be finite"));
    }
    let quotient = if (high - low).is_finite() {
        (operand - low) / (high - low)
    } else {
        (operand / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0)
    };
    #[expect(clippy::cast_precision_loss, reason = "a count has 31 bits")]
    let scaled = quotient * count as f64;
    #[expect(clippy::cast_possible_truncation, reason = "it is cut to the count")]
    let within = (scaled as i64).min(count - 1);
    let order = |left: f64, right: f64| left.partial_cmp(&right).unwrap_or(Ordering::Equal);
    bucket(place(order(operand, low), order(operand, high), order(low, high))?, within, count)
}

fn of_numbers(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (operand, low, high) = (number(arguments, 0)?, number(arguments, 1)?, number(arguments, 2)?);
    let count = count(arguments)?;
    if [operand, low, high].iter().any(|number| matches!(number, Numeric::NaN)) {
        return Err(refused("operand, lower bound, and upper bound cannot be NaN"));
    }
    if [low, high].iter().any(|number| !matches!(number, Numeric::Finite { .. })) {
        return Err(refused("lower and upper bounds must be finite"));
    }
    let side = place(operand.compare(low), operand.compare(high), low.compare(high))?;
    let within = match side {
        Place::Within => {
            let scaled = operand.sub(low).mul(&Numeric::from_i64(count)).div(&high.sub(low))?;
            scaled.floor().to_i64("integer", 0, i64::MAX)?
        }
        Place::Before | Place::Behind => 0,
    };
    bucket(side, within, count)
}

/// How many of some thresholds, which are in order, a value reaches.
fn of_thresholds(context: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (Some(operand), thresholds) = (arguments.first(), array(arguments, 1)?) else {
        return Ok(Value::Null);
    };
    if thresholds.dimensions.len() > 1 {
        return Err(Error::new(Code::ARRAY_SUBSCRIPT, "thresholds must be one-dimensional array"));
    }
    if thresholds.elements.iter().any(Value::is_null) {
        return Err(Error::new(Code::NULL_NOT_ALLOWED, "thresholds array must not contain NULLs"));
    }
    let ty = match context.argument(1) {
        Type::Array(element) => &**element,
        _ => context.argument(0),
    };
    let reached = |threshold: &Value| types::compare::compare(ty, threshold, operand).is_le();
    super::arguments::count(thresholds.elements.partition_point(reached))
}
