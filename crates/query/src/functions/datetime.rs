//! Dates, times and intervals (PostgreSQL 9.9). The arithmetic itself is `types::moment`, the fields `types::extract`.

use types::numeric::Numeric;
use types::session::{Session, zone_offset};
use types::{Code, Error, Result, Value, extract, interval as spans, moment};

use super::Ty::{
    self, Bool, Date as D, Float8 as F, Int4 as I, Interval as V, Numeric as N, Text as T, Time as H,
    Timestamp as S, Timestamptz as Z,
};
use super::arguments::{date, float, identifier, int, interval, text, time, timestamp};
use super::moment_format::of_timestamp;
use super::{Context, Function};

/// How `timeofday` writes a moment, whatever `datestyle` says.
const TIME_OF_DAY: &str = "Dy Mon DD HH24:MI:SS.US YYYY TZ";

/// Operators.
pub(super) static OPERATORS: &[Function] = &[
    Function::operator("+", &[D, I], D, |_, a| Ok(Value::Date(moment::add_days(date(a, 0)?, int(a, 1)?)?))),
    Function::operator("+", &[I, D], D, |_, a| Ok(Value::Date(moment::add_days(date(a, 1)?, int(a, 0)?)?))),
    Function::operator("-", &[D, I], D, |_, a| Ok(Value::Date(moment::add_days(date(a, 0)?, -int(a, 1)?)?))),
    Function::operator("-", &[D, D], I, |_, a| {
        Ok(Value::Int(moment::days_between(date(a, 0)?, date(a, 1)?)?))
    }),
    Function::operator("+", &[D, V], S, |_, a| {
        ok(moment::add(moment::midnight(date(a, 0)?, None)?, interval(a, 1)?, None)?)
    }),
    Function::operator("+", &[V, D], S, |_, a| {
        ok(moment::add(moment::midnight(date(a, 1)?, None)?, interval(a, 0)?, None)?)
    }),
    Function::operator("-", &[D, V], S, |_, a| {
        ok(moment::subtract(moment::midnight(date(a, 0)?, None)?, interval(a, 1)?, None)?)
    }),
    Function::operator("+", &[D, H], S, |_, a| at_time(date(a, 0)?, time(a, 1)?)),
    Function::operator("+", &[H, D], S, |_, a| at_time(date(a, 1)?, time(a, 0)?)),
    Function::operator("+", &[S, V], S, |_, a| ok(moment::add(timestamp(a, 0)?, interval(a, 1)?, None)?)),
    Function::operator("+", &[V, S], S, |_, a| ok(moment::add(timestamp(a, 1)?, interval(a, 0)?, None)?)),
    Function::operator("-", &[S, V], S, |_, a| {
        ok(moment::subtract(timestamp(a, 0)?, interval(a, 1)?, None)?)
    }),
    Function::operator("+", &[Z, V], Z, |c, a| {
        ok(moment::add(timestamp(a, 0)?, interval(a, 1)?, Some(c.session))?)
    })
    .stable(),
    Function::operator("+", &[V, Z], Z, |c, a| {
        ok(moment::add(timestamp(a, 1)?, interval(a, 0)?, Some(c.session))?)
    })
    .stable(),
    Function::operator("-", &[Z, V], Z, |c, a| {
        ok(moment::subtract(timestamp(a, 0)?, interval(a, 1)?, Some(c.session))?)
    })
    .stable(),
    Function::operator("-", &[S, S], V, |_, a| {
        Ok(Value::Interval(moment::difference(timestamp(a, 0)?, timestamp(a, 1)?)?))
    }),
    Function::operator("-", &[Z, Z], V, |_, a| {
        Ok(Value::Interval(moment::difference(timestamp(a, 0)?, timestamp(a, 1)?)?))
    }),
    Function::operator("+", &[V, V], V, |_, a| {
        Ok(Value::Interval(spans::add(interval(a, 0)?, interval(a, 1)?)?))
    }),
    Function::operator("-", &[V, V], V, |_, a| {
        Ok(Value::Interval(spans::add(interval(a, 0)?, spans::negate(interval(a, 1)?)?)?))
    }),
    Function::operator("*", &[V, F], V, |_, a| {
        Ok(Value::Interval(moment::multiply(interval(a, 0)?, float(a, 1)?)?))
    }),
    Function::operator("*", &[F, V], V, |_, a| {
        Ok(Value::Interval(moment::multiply(interval(a, 1)?, float(a, 0)?)?))
    }),
    Function::operator("/", &[V, F], V, |_, a| {
        Ok(Value::Interval(moment::divide(interval(a, 0)?, float(a, 1)?)?))
    }),
    Function::operator("+", &[H, V], H, |_, a| {
        Ok(Value::Time(moment::add_to_time(time(a, 0)?, interval(a, 1)?)))
    }),
    Function::operator("+", &[V, H], H, |_, a| {
        Ok(Value::Time(moment::add_to_time(time(a, 1)?, interval(a, 0)?)))
    }),
    Function::operator("-", &[H, V], H, |_, a| {
        Ok(Value::Time(moment::add_to_time(time(a, 0)?, spans::negate(interval(a, 1)?)?)))
    }),
    Function::operator("-", &[H, H], V, |_, a| Ok(micros(time(a, 0)? - time(a, 1)?))),
    Function::prefix("-", &[V], V, |_, a| Ok(Value::Interval(spans::negate(interval(a, 0)?)?))),
];

pub(super) static ROWS: &[Function] = &[
    Function::new("date_part", &[T, D], F, |_, a| {
        part(extract::of_timestamp(unit(a)?, moment::midnight(date(a, 1)?, None)?, None)?)
    }),
    Function::new("date_part", &[T, H], F, |_, a| part(Some(extract::of_time(unit(a)?, time(a, 1)?)?))),
    Function::new("date_part", &[T, V], F, |_, a| {
        part(Some(extract::of_interval(unit(a)?, interval(a, 1)?)?))
    }),
    Function::new("date_part", &[T, S], F, |_, a| {
        part(extract::of_timestamp(unit(a)?, timestamp(a, 1)?, None)?)
    }),
    Function::new("date_part", &[T, Z], F, |c, a| {
        part(extract::of_timestamp(unit(a)?, timestamp(a, 1)?, Some(c.session))?)
    })
    .stable(),
    Function::new("extract", &[T, D], N, |_, a| exact(extract::of_date(unit(a)?, date(a, 1)?)?)),
    Function::new("extract", &[T, H], N, |_, a| exact(Some(extract::of_time(unit(a)?, time(a, 1)?)?))),
    Function::new("extract", &[T, V], N, |_, a| {
        exact(Some(extract::of_interval(unit(a)?, interval(a, 1)?)?))
    }),
    Function::new("extract", &[T, S], N, |_, a| {
        exact(extract::of_timestamp(unit(a)?, timestamp(a, 1)?, None)?)
    }),
    Function::new("extract", &[T, Z], N, |c, a| {
        exact(extract::of_timestamp(unit(a)?, timestamp(a, 1)?, Some(c.session))?)
    })
    .stable(),
    Function::new("date_trunc", &[T, S], S, |_, a| truncate(a, None)),
    Function::new("date_trunc", &[T, Z], Z, |c, a| truncate(a, Some(c.session))).stable(),
    Function::new("date_trunc", &[T, Z, T], Z, truncate_in_zone).stable(),
    Function::new("date_trunc", &[T, V], V, |_, a| {
        Ok(Value::Interval(extract::truncate_interval(unit(a)?, interval(a, 1)?)?))
    }),
    Function::new("timezone", &[T, Z], S, |_, a| in_zone(text(a, 0)?, timestamp(a, 1)?)),
    Function::new("timezone", &[T, S], Z, |_, a| from_zone(text(a, 0)?, timestamp(a, 1)?)),
    Function::new("timezone", &[V, Z], S, |_, a| shifted(a, 1)),
    Function::new("timezone", &[V, S], Z, |_, a| shifted(a, -1)),
    Function::new("age", &[S, S], V, |_, a| {
        Ok(Value::Interval(moment::age(timestamp(a, 0)?, timestamp(a, 1)?, None)?))
    }),
    Function::new("age", &[Z, Z], V, |c, a| {
        Ok(Value::Interval(moment::age(timestamp(a, 0)?, timestamp(a, 1)?, Some(c.session))?))
    })
    .stable(),
    Function::new("age", &[S], V, |c, a| age_today(c.session, timestamp(a, 0)?, false)).stable(),
    Function::new("age", &[Z], V, |c, a| age_today(c.session, timestamp(a, 0)?, true)).stable(),
    Function::new("justify_hours", &[V], V, |_, a| {
        Ok(Value::Interval(moment::justify_hours(interval(a, 0)?)?))
    }),
    Function::new("justify_days", &[V], V, |_, a| {
        Ok(Value::Interval(moment::justify_days(interval(a, 0)?)?))
    }),
    Function::new("justify_interval", &[V], V, |_, a| Ok(Value::Interval(moment::justify(interval(a, 0)?)?))),
    Function::new("make_date", &[I, I, I], D, |_, a| {
        Ok(Value::Date(moment::make_date(int(a, 0)?, int(a, 1)?, int(a, 2)?)?))
    }),
    Function::new("make_time", &[I, I, F], H, |_, a| {
        Ok(Value::Time(moment::make_time(int(a, 0)?, int(a, 1)?, float(a, 2)?)?))
    }),
    Function::new("make_timestamp", &[I, I, I, I, I, F], S, |_, a| ok(made(a)?)),
    Function::new("make_timestamptz", &[I, I, I, I, I, F], Z, |c, a| {
        ok(moment::from_local(made(a)?, Some(c.session)))
    })
    .stable(),
    Function::new("make_timestamptz", &[I, I, I, I, I, F, T], Z, |_, a| from_zone(text(a, 6)?, made(a)?)),
    Function::new("timestamp", &[D, H], S, |_, a| at_time(date(a, 0)?, time(a, 1)?)),
    Function::new("timestamptz", &[D, H], Z, |c, a| match at_time(date(a, 0)?, time(a, 1)?)? {
        Value::Timestamp(local) => ok(moment::from_local(local, Some(c.session))),
        other => Ok(other),
    })
    .stable(),
    Function::new("date_bin", &[V, S, S], S, date_bin),
    Function::new("date_bin", &[V, Z, Z], Z, date_bin),
    Function::new("make_interval", &[I, I, I, I, I, I, F], V, make_interval).optional(7),
    Function::new("to_timestamp", &[F], Z, |_, a| ok(moment::from_unix(float(a, 0)?)?)),
    Function::new("isfinite", &[D], Bool, |_, a| {
        Ok(Value::Bool(!matches!(date(a, 0)?, i32::MAX | i32::MIN)))
    }),
    Function::new("isfinite", &[S], Bool, |_, a| Ok(Value::Bool(moment::is_finite(timestamp(a, 0)?)))),
    Function::new("isfinite", &[Z], Bool, |_, a| Ok(Value::Bool(moment::is_finite(timestamp(a, 0)?)))),
    Function::new("isfinite", &[V], Bool, |_, _| Ok(Value::Bool(true))),
    Function::new("clock_timestamp", &[], Z, |c, _| ok((c.clock)())).volatile(),
    Function::new("timeofday", &[], T, |c, _| of_timestamp((c.clock)(), TIME_OF_DAY, Some(c.session)))
        .volatile(),
    Function::new("date", &[S], D, |c, a| converted(c.session, a, &types::Type::Timestamp, D)),
    Function::new("date", &[Z], D, |c, a| converted(c.session, a, &types::Type::Timestamptz, D)).stable(),
];

#[expect(clippy::unnecessary_wraps, reason = "the shape of an evaluation")]
fn ok(micros: i64) -> Result<Value> {
    Ok(Value::Timestamp(micros))
}

fn micros(micros: i64) -> Value {
    Value::Interval(types::value::Interval { micros, ..types::value::Interval::default() })
}

fn exact(field: Option<Numeric>) -> Result<Value> {
    Ok(field.map_or(Value::Null, Value::Numeric))
}

fn part(field: Option<Numeric>) -> Result<Value> {
    Ok(field.map_or(Value::Null, |field| Value::Float(field.to_f64())))
}

/// The word for a field: an identifier, which is not longer than PostgreSQL's are.
fn unit(arguments: &[Value]) -> Result<&str> {
    text(arguments, 0).map(identifier)
}

fn converted(session: &Session, arguments: &[Value], from: &types::Type, to: Ty) -> Result<Value> {
    let to = to.to_type().unwrap_or(types::Type::Unknown);
    types::cast::cast(from, &to, None, true, arguments.first().unwrap_or(&Value::Null), session)
}

fn out_of_range() -> Error {
    Error::new(Code::DATETIME_OVERFLOW, "timestamp out of range")
}

/// A timestamp in range, infinities included.
pub(super) fn ranged(micros: i64) -> Result<Value> {
    if moment::is_finite(micros) && !(moment::TIMESTAMP_MIN..moment::TIMESTAMP_END).contains(&micros) {
        return Err(out_of_range());
    }
    ok(micros)
}

fn at_time(date: i32, time: i64) -> Result<Value> {
    let midnight = moment::midnight(date, None)?;
    if moment::is_finite(midnight) {
        ranged(midnight.checked_add(time).ok_or_else(out_of_range)?)
    } else {
        ok(midnight)
    }
}

/// Seconds east of UTC in a zone.
pub(super) fn offset(zone: &str, micros: i64, is_local: bool) -> Result<i64> {
    let unknown = || Error::new(Code::INVALID_PARAMETER, format!("time zone \"{zone}\" not recognized"));
    zone_offset(zone, micros, is_local).map(i64::from).ok_or_else(unknown)
}

/// `timestamptz at time zone zone`: what the clock there shows.
fn in_zone(zone: &str, micros: i64) -> Result<Value> {
    if !moment::is_finite(micros) {
        return ok(micros);
    }
    ranged(micros.checked_add(offset(zone, micros, false)? * 1_000_000).ok_or_else(out_of_range)?)
}

/// `timestamp at time zone zone`: when the clock there shows it.
fn from_zone(zone: &str, local: i64) -> Result<Value> {
    if !moment::is_finite(local) {
        return ok(local);
    }
    ranged(local.checked_sub(offset(zone, local, true)? * 1_000_000).ok_or_else(out_of_range)?)
}

/// `at time zone interval`: a fixed distance from UTC.
fn shifted(arguments: &[Value], sign: i64) -> Result<Value> {
    let (zone, micros) = (interval(arguments, 0)?, timestamp(arguments, 1)?);
    if !moment::is_finite(micros) {
        return ok(micros);
    }
    let seconds = whole_offset(zone)?;
    ranged(micros.checked_add(sign * seconds * 1_000_000).ok_or_else(out_of_range)?)
}

/// Seconds east of UTC of a zone that is an interval.
pub(super) fn whole_offset(zone: types::value::Interval) -> Result<i64> {
    if zone.months != 0 || zone.days != 0 {
        let shown = spans::print(zone);
        let message = format!("interval time zone \"{shown}\" must not include months or days");
        return Err(Error::new(Code::INVALID_PARAMETER, message));
    }
    // PostgreSQL keeps the seconds in 32 bits, whatever is lost.
    let low = u32::try_from((zone.micros / 1_000_000) & i64::from(u32::MAX)).unwrap_or(0);
    Ok(i64::from(low.cast_signed()))
}

/// Infinities stay what they are, whatever the unit.
fn truncate(arguments: &[Value], zone: Option<&Session>) -> Result<Value> {
    let micros = timestamp(arguments, 1)?;
    ok(if moment::is_finite(micros) { extract::truncate(unit(arguments)?, micros, zone)? } else { micros })
}

fn truncate_in_zone(context: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    if !moment::is_finite(timestamp(arguments, 1)?) {
        return truncate(arguments, None);
    }
    let zone = text(arguments, 2)?;
    let unknown = |_| Error::new(Code::INVALID_PARAMETER, format!("time zone \"{zone}\" not recognized"));
    let session = Session::in_zone(zone, context.session.now).map_err(unknown)?;
    truncate(arguments, Some(&session))
}

/// `age(timestamp)`: up to this day's midnight.
fn age_today(session: &Session, micros: i64, zoned: bool) -> Result<Value> {
    let day = types::datetime::DAY_MICROS;
    let today = moment::to_local(session.now, Some(session)).div_euclid(day) * day;
    let zone = zoned.then_some(session);
    let today = if zoned { moment::from_local(today, zone) } else { today };
    Ok(Value::Interval(moment::age(today, micros, zone)?))
}

fn made(arguments: &[Value]) -> Result<i64> {
    let (year, month, day) = (int(arguments, 0)?, int(arguments, 1)?, int(arguments, 2)?);
    // Unlike `make_date`, the message has the year as it was given.
    let as_given = |error: Error| {
        let (message, year) = match error.message().starts_with("date field") {
            true => ("date field value out of range", year),
            false => ("date out of range", year),
        };
        Error::new(error.code(), format!("{message}: {year}-{month:02}-{day:02}"))
    };
    let day = moment::make_date(year, month, day).map_err(as_given)?;
    let time = moment::make_time(int(arguments, 3)?, int(arguments, 4)?, float(arguments, 5)?)?;
    match at_time(day, time)? {
        Value::Timestamp(micros) => Ok(micros),
        _ => Err(out_of_range()),
    }
}

/// The beginning of the stretch that a moment is in, where stretches of one length follow each other from a moment on.
fn date_bin(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (stride, source, origin) =
        (interval(arguments, 0)?, timestamp(arguments, 1)?, timestamp(arguments, 2)?);
    if !moment::is_finite(source) {
        return ok(source);
    }
    if !moment::is_finite(origin) {
        return Err(Error::new(Code::DATETIME_OVERFLOW, "origin out of range"));
    }
    if stride.months != 0 {
        let message = "timestamps cannot be binned into intervals containing months or years";
        return Err(Error::new(Code::FEATURE_NOT_SUPPORTED, message));
    }
    let length = i64::from(stride.days)
        .checked_mul(types::datetime::DAY_MICROS)
        .and_then(|days| days.checked_add(stride.micros))
        .ok_or_else(|| Error::new(Code::DATETIME_OVERFLOW, "interval out of range"))?;
    if length <= 0 {
        return Err(Error::new(Code::DATETIME_OVERFLOW, "stride must be greater than zero"));
    }
    let apart = source
        .checked_sub(origin)
        .ok_or_else(|| Error::new(Code::DATETIME_OVERFLOW, "interval out of range"))?;
    ok(origin + apart.div_euclid(length) * length)
}

fn make_interval(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let mut whole = [0; 6];
    for (position, field) in whole.iter_mut().enumerate().take(arguments.len()) {
        *field = int(arguments, position)?;
    }
    let seconds = if arguments.len() > 6 { float(arguments, 6)? } else { 0.0 };
    Ok(Value::Interval(moment::make_interval(whole, seconds)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_day_is_written_as_postgresql_writes_it() {
        let session = Session::utc(0);
        let clock = || 849_073_926_491_556;
        let mut context = Context { arguments: &[], session: &session, random: &mut |_| {}, clock: &clock };
        let function = ROWS.iter().find(|function| function.name == "timeofday").unwrap();
        let told = function.call(&mut context, &[]).unwrap();
        assert!(
            matches!(&told, Value::Text(text) if **text == *"Fri Nov 27 05:52:06.491556 2026 UTC"),
            "{told:?}"
        );
    }
}
