//! `time with time zone` (PostgreSQL 9.9): its fields, its arithmetic, its zones. Clocks stay where they stand.

use types::datetime::DAY_MICROS;
use types::timetz::Timetz;
use types::{Code, Error, Result, Value, extract, interval as spans, moment};

use super::Function;
use super::Ty::{
    Date as D, Float8 as F, Interval as V, Numeric as N, Text as T, Timestamptz as Z, Timetz as H,
};
use super::arguments::{date, identifier, interval, ok_text, text};
use super::datetime::{offset, ranged, whole_offset};

pub(super) static ROWS: &[Function] = &[
    Function::operator("+", &[H, V], H, |_, a| moved(time(a, 0)?, interval(a, 1)?)),
    Function::operator("+", &[V, H], H, |_, a| moved(time(a, 1)?, interval(a, 0)?)),
    Function::operator("-", &[H, V], H, |_, a| moved(time(a, 0)?, spans::negate(interval(a, 1)?)?)),
    Function::operator("+", &[D, H], Z, |_, a| on_day(date(a, 0)?, time(a, 1)?)),
    Function::operator("+", &[H, D], Z, |_, a| on_day(date(a, 1)?, time(a, 0)?)),
    Function::new("timestamptz", &[D, H], Z, |_, a| on_day(date(a, 0)?, time(a, 1)?)),
    Function::new("date_part", &[T, H], F, |_, a| {
        Ok(Value::Float(extract::of_timetz(identifier(text(a, 0)?), time(a, 1)?)?.to_f64()))
    }),
    Function::new("extract", &[T, H], N, |_, a| {
        Ok(Value::Numeric(extract::of_timetz(identifier(text(a, 0)?), time(a, 1)?)?))
    }),
    Function::new("timezone", &[T, H], H, |c, a| {
        let east = offset(text(a, 0)?, c.session.now, false)?;
        ok(time(a, 1)?.moved(i32::try_from(east).unwrap_or(0)))
    })
    .stable(),
    Function::new("timezone", &[V, H], H, |_, a| {
        let east = whole_offset(interval(a, 0)?)?;
        ok(time(a, 1)?.moved(i32::try_from(east).unwrap_or(0)))
    }),
];

fn time(arguments: &[Value], position: usize) -> Result<Timetz> {
    Timetz::read(text(arguments, position)?)
}

fn ok(time: Timetz) -> Result<Value> {
    ok_text(time.to_string())
}

/// Days and months of an interval are none of a time of day.
fn moved(time: Timetz, by: types::value::Interval) -> Result<Value> {
    let micros = (time.micros % DAY_MICROS + by.micros % DAY_MICROS).rem_euclid(DAY_MICROS);
    ok(Timetz { micros, ..time })
}

fn on_day(date: i32, time: Timetz) -> Result<Value> {
    let midnight = moment::midnight(date, None)?;
    if !moment::is_finite(midnight) {
        return Ok(Value::Timestamp(midnight));
    }
    let micros = midnight.checked_add(time.utc());
    ranged(micros.ok_or_else(|| Error::new(Code::DATETIME_OVERFLOW, "timestamp out of range"))?)
}
