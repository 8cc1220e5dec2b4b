//! Series and the elements of arrays (PostgreSQL 9.25, 9.19).

use std::cmp::Ordering;

use types::numeric::Numeric;
use types::session::Session;
use types::value::Interval;
use types::{Result, Value, interval, moment};

use super::Columns::One;
use super::{ROWS_MAX, SetContext, SetFunction, single, too_many};
use crate::functions::Ty::{
    self, AnyArray, AnyElement, Bool, Int4, Int8, Numeric as N, Timestamp, Timestamptz,
};
use crate::functions::arguments::{array, int, invalid};
use crate::functions::interrupt::fits;

pub(in crate::functions) static ROWS: &[SetFunction] = &[
    SetFunction::new("unnest", &[AnyArray], One(AnyElement), |_, a| {
        Ok(single(array(a, 0)?.elements.iter().cloned()))
    })
    .leakproof(),
    SetFunction::new("generate_subscripts", &[AnyArray, Int4], One(Int4), |_, a| subscripts(a, false)),
    SetFunction::new("generate_subscripts", &[AnyArray, Int4, Bool], One(Int4), |_, a| {
        subscripts(a, matches!(a.get(2), Some(Value::Bool(true))))
    }),
    SetFunction::new("generate_series", &[Int4, Int4, Int4], One(Int4), whole).optional(1),
    SetFunction::new("generate_series", &[Int8, Int8, Int8], One(Int8), whole).optional(1),
    SetFunction::new("generate_series", &[N, N, N], One(N), exact).optional(1),
    SetFunction::new("generate_series", &[Timestamp, Timestamp, Ty::Interval], One(Timestamp), |_, a| {
        moments(a, None)
    }),
    SetFunction::new(
        "generate_series",
        &[Timestamptz, Timestamptz, Ty::Interval],
        One(Timestamptz),
        |c, a| moments(a, Some(c.context.session)),
    ),
];

const ZERO_STEP: &str = "step size cannot equal zero";

fn whole(_: &mut SetContext<'_, '_>, arguments: &[Value]) -> Result<Vec<Vec<Value>>> {
    let (first, last) = (int(arguments, 0)?, int(arguments, 1)?);
    let step = if arguments.len() > 2 { int(arguments, 2)? } else { 1 };
    let mut rows = Vec::new();
    let mut next = Some(first);
    match step.cmp(&0) {
        Ordering::Equal => return Err(invalid(ZERO_STEP)),
        order => {
            let is_within = |at: i64| if order.is_gt() { at <= last } else { at >= last };
            while let Some(at) = next.filter(|at| is_within(*at)) {
                push(&mut rows, Value::Int(at))?;
                next = at.checked_add(step);
            }
        }
    }
    Ok(rows)
}

fn exact(_: &mut SetContext<'_, '_>, arguments: &[Value]) -> Result<Vec<Vec<Value>>> {
    let number = |position: usize| match arguments.get(position) {
        Some(Value::Numeric(number)) => Ok(number.clone()),
        None => Ok(Numeric::from_i64(1)),
        Some(_) => Err(types::Error::internal("a series of something else")),
    };
    let (mut at, last, step) = (number(0)?, number(1)?, number(2)?);
    for (number, word) in [(&at, "start"), (&last, "stop"), (&step, "step")] {
        let text = number.to_string();
        if text.contains("NaN") {
            let word = if word == "step" { "step size" } else { &format!("{word} value") };
            return Err(invalid(format!("{word} cannot be NaN")));
        }
        if text.contains("Infinity") {
            let word = if word == "step" { "step size" } else { &format!("{word} value") };
            return Err(invalid(format!("{word} cannot be infinity")));
        }
    }
    if step.is_zero() {
        return Err(invalid(ZERO_STEP));
    }
    let mut rows = Vec::new();
    let mut bytes = 0;
    while at.compare(&last) != if step.is_negative() { Ordering::Less } else { Ordering::Greater } {
        let value = Value::Numeric(at.clone());
        bytes += value.weight();
        fits(bytes)?;
        push(&mut rows, value)?;
        at = at.add(&step);
    }
    Ok(rows)
}

fn moments(arguments: &[Value], zone: Option<&Session>) -> Result<Vec<Vec<Value>>> {
    let [Value::Timestamp(first), Value::Timestamp(last), Value::Interval(step)] = arguments else {
        return Err(types::Error::internal("a series of something else"));
    };
    let sign = interval::span(*step).cmp(&interval::span(Interval::default()));
    if sign.is_eq() {
        return Err(invalid(ZERO_STEP));
    }
    let mut rows = Vec::new();
    let mut at = *first;
    while if sign.is_gt() { at <= *last } else { at >= *last } {
        push(&mut rows, Value::Timestamp(at))?;
        at = moment::add(at, *step, zone)?;
    }
    Ok(rows)
}

fn subscripts(arguments: &[Value], reverse: bool) -> Result<Vec<Vec<Value>>> {
    let dimension = int(arguments, 1)?;
    let at = usize::try_from(dimension).ok().and_then(|dimension| dimension.checked_sub(1));
    let length = at.and_then(|at| array(arguments, 0).ok()?.dimensions.get(at).copied()).unwrap_or(0);
    let positions = (1..=i64::from(length)).map(Value::Int);
    Ok(if reverse { single(positions.rev()) } else { single(positions) })
}

fn push(rows: &mut Vec<Vec<Value>>, value: Value) -> Result<()> {
    if rows.len() >= ROWS_MAX {
        return Err(too_many("generate_series"));
    }
    rows.push(vec![value]);
    Ok(())
}
