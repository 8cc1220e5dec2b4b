//! Arithmetic on dates, timestamps and intervals (PostgreSQL 9.9).
//!
//! A timestamp with time zone is calculated with in local time where days and months are involved: such functions take the
//! session, or `None` for a timestamp without time zone.

use crate::datetime::{DAY_MICROS, date_of, days_of, month_days};
use crate::session::Session;
use crate::value::Interval;
use crate::{Code, Error, Result};

/// The first timestamp: 4713-11-24 BC.
pub const TIMESTAMP_MIN: i64 = -211_813_488_000_000_000;

/// Behind the last timestamp: 294277-01-01.
pub const TIMESTAMP_END: i64 = 9_223_371_331_200_000_000;

/// The first date and behind the last one, in days.
pub const DATES: std::ops::Range<i64> = -2_451_545..2_145_031_949;

fn timestamp_out_of_range() -> Error {
    Error::new(Code::DATETIME_OVERFLOW, "timestamp out of range")
}

fn interval_out_of_range() -> Error {
    Error::new(Code::DATETIME_OVERFLOW, "interval out of range")
}

/// Whether a timestamp is no infinity.
pub fn is_finite(micros: i64) -> bool {
    micros != i64::MAX && micros != i64::MIN
}

/// A timestamp within PostgreSQL's range.
///
/// # Errors
/// `22008` out of range.
pub fn valid(micros: i64) -> Result<i64> {
    if (TIMESTAMP_MIN..TIMESTAMP_END).contains(&micros) { Ok(micros) } else { Err(timestamp_out_of_range()) }
}

/// A timestamp as the clock on the wall shows it.
pub fn to_local(micros: i64, zone: Option<&Session>) -> i64 {
    zone.map_or(micros, |session| micros.saturating_add(i64::from(session.offset_at(micros)) * 1_000_000))
}

/// The timestamp at which the clock on the wall shows `local`.
pub fn from_local(local: i64, zone: Option<&Session>) -> i64 {
    zone.map_or(local, |session| session.from_local(local))
}

/// A date and time of day apart.
pub(crate) struct Broken {
    pub(crate) year: i64,
    pub(crate) month: u32,
    pub(crate) day: u32,
    /// Microseconds since midnight.
    pub(crate) time: i64,
}

pub(crate) fn broken(local: i64) -> Broken {
    let (year, month, day) = date_of(local.div_euclid(DAY_MICROS));
    Broken { year, month, day, time: local.rem_euclid(DAY_MICROS) }
}

fn joined(broken: &Broken) -> Result<i64> {
    days_of(broken.year, broken.month, broken.day)
        .checked_mul(DAY_MICROS)
        .and_then(|midnight| midnight.checked_add(broken.time))
        .ok_or_else(timestamp_out_of_range)
}

/// `timestamp + interval`: months first (the day is kept in the month), then days, then time.
///
/// # Errors
/// `22008` out of range.
pub fn add(micros: i64, interval: Interval, zone: Option<&Session>) -> Result<i64> {
    if !is_finite(micros) {
        return Ok(micros);
    }
    let mut at = micros;
    if interval.months != 0 {
        let mut date = broken(to_local(at, zone));
        let months = date.year * 12 + i64::from(date.month) - 1 + i64::from(interval.months);
        date.year = months.div_euclid(12);
        date.month = u32::try_from(months.rem_euclid(12) + 1).unwrap_or(1);
        date.day = date.day.min(month_days(date.year, date.month));
        at = valid(from_local(valid(joined(&date)?)?, zone))?;
    }
    if interval.days != 0 {
        let shift = i64::from(interval.days).checked_mul(DAY_MICROS).ok_or_else(timestamp_out_of_range)?;
        let local = to_local(at, zone).checked_add(shift).ok_or_else(timestamp_out_of_range)?;
        at = valid(from_local(valid(local)?, zone))?;
    }
    valid(at.checked_add(interval.micros).ok_or_else(timestamp_out_of_range)?)
}

/// `timestamp - interval`.
///
/// # Errors
/// `22008` out of range.
pub fn subtract(micros: i64, interval: Interval, zone: Option<&Session>) -> Result<i64> {
    let Interval { months, days, micros: time } = interval;
    let negated =
        Interval { months: months.wrapping_neg(), days: days.wrapping_neg(), micros: time.wrapping_neg() };
    add(micros, negated, zone)
}

/// `timestamp - timestamp`: days and time.
///
/// # Errors
/// `22008` for infinities and out of range.
pub fn difference(left: i64, right: i64) -> Result<Interval> {
    if !is_finite(left) || !is_finite(right) {
        return Err(Error::new(Code::DATETIME_OVERFLOW, "cannot subtract infinite timestamps"));
    }
    let micros = left.checked_sub(right).ok_or_else(interval_out_of_range)?;
    justify_hours(Interval { months: 0, days: 0, micros })
}

/// `age`: the difference in years, months and days, as people count.
///
/// # Errors
/// `22008` for infinities.
pub fn age(left: i64, right: i64, zone: Option<&Session>) -> Result<Interval> {
    if !is_finite(left) || !is_finite(right) {
        return Err(timestamp_out_of_range());
    }
    let later_first = left >= right;
    let (one, two) = (broken(to_local(left, zone)), broken(to_local(right, zone)));
    let sign = if later_first { 1 } else { -1 };
    let mut time = sign * (one.time - two.time);
    let mut days = sign * (i64::from(one.day) - i64::from(two.day));
    let mut months = sign * ((one.year - two.year) * 12 + i64::from(one.month) - i64::from(two.month));
    if time < 0 {
        time += DAY_MICROS;
        days -= 1;
    }
    let lender = if later_first { &two } else { &one };
    while days < 0 {
        days += i64::from(month_days(lender.year, lender.month));
        months -= 1;
    }
    Ok(Interval {
        months: i32::try_from(sign * months).map_err(|_| interval_out_of_range())?,
        days: i32::try_from(sign * days).map_err(|_| interval_out_of_range())?,
        micros: sign * time,
    })
}

/// `date + integer`.
///
/// # Errors
/// `22008` out of range.
pub fn add_days(date: i32, days: i64) -> Result<i32> {
    if date == i32::MAX || date == i32::MIN {
        return Ok(date);
    }
    let sum = i64::from(date).saturating_add(days);
    let sum = Some(sum).filter(|sum| DATES.contains(sum)).and_then(|sum| i32::try_from(sum).ok());
    sum.ok_or_else(|| Error::new(Code::DATETIME_OVERFLOW, "date out of range"))
}

/// `date - date`: days.
///
/// # Errors
/// `22008` for infinities.
pub fn days_between(left: i32, right: i32) -> Result<i64> {
    let infinite = |date: i32| date == i32::MAX || date == i32::MIN;
    if infinite(left) || infinite(right) {
        return Err(Error::new(Code::DATETIME_OVERFLOW, "cannot subtract infinite dates"));
    }
    Ok(i64::from(left) - i64::from(right))
}

/// The timestamp of a date's midnight.
///
/// # Errors
/// `22008` out of range.
pub fn midnight(date: i32, zone: Option<&Session>) -> Result<i64> {
    match date {
        i32::MAX => Ok(i64::MAX),
        i32::MIN => Ok(i64::MIN),
        days => {
            let local = i64::from(days).checked_mul(DAY_MICROS).filter(|local| *local < TIMESTAMP_END);
            let local = local
                .ok_or_else(|| Error::new(Code::DATETIME_OVERFLOW, "date out of range for timestamp"))?;
            Ok(from_local(local, zone))
        }
    }
}

/// `time + interval`: around the clock; months and days do not count.
pub fn add_to_time(time: i64, interval: Interval) -> i64 {
    (time + interval.micros.rem_euclid(DAY_MICROS)).rem_euclid(DAY_MICROS)
}

/// `justify_hours`: 24 hours are a day.
///
/// # Errors
/// `22008` out of range.
pub fn justify_hours(interval: Interval) -> Result<Interval> {
    let mut days = i64::from(interval.days) + interval.micros / DAY_MICROS;
    let mut micros = interval.micros % DAY_MICROS;
    borrow(micros, (&mut days, &mut micros), DAY_MICROS);
    interval_of(interval.months.into(), days, micros)
}

/// `justify_days`: 30 days are a month.
///
/// # Errors
/// `22008` out of range.
pub fn justify_days(interval: Interval) -> Result<Interval> {
    let mut months = i64::from(interval.months) + i64::from(interval.days / 30);
    let mut days = i64::from(interval.days % 30);
    borrow(days, (&mut months, &mut days), 30);
    interval_of(months, days, interval.micros)
}

/// `justify_interval`: both, and all signs alike.
///
/// # Errors
/// `22008` out of range.
pub fn justify(interval: Interval) -> Result<Interval> {
    let mut micros = interval.micros % DAY_MICROS;
    let mut days = i64::from(interval.days) + interval.micros / DAY_MICROS;
    let mut months = i64::from(interval.months) + days / 30;
    days %= 30;
    let below_months = if days == 0 { micros } else { days };
    borrow(below_months, (&mut months, &mut days), 30);
    borrow(micros, (&mut days, &mut micros), DAY_MICROS);
    interval_of(months, days, micros)
}

/// Moves one unit between two parts where `rest`, what is below the larger one, has another sign than it.
fn borrow(rest: i64, (larger, smaller): (&mut i64, &mut i64), unit: i64) {
    if *larger > 0 && rest < 0 {
        *larger -= 1;
        *smaller += unit;
    } else if *larger < 0 && rest > 0 {
        *larger += 1;
        *smaller -= unit;
    }
}

fn interval_of(months: i64, days: i64, micros: i64) -> Result<Interval> {
    let narrow = |part: i64| i32::try_from(part).map_err(|_| interval_out_of_range());
    Ok(Interval { months: narrow(months)?, days: narrow(days)?, micros })
}

/// `interval * factor`: fractions of months become days, fractions of days become time.
///
/// # Errors
/// `22008` out of range.
pub fn multiply(interval: Interval, factor: f64) -> Result<Interval> {
    scaled(interval, |field| field * factor)
}

/// `interval / divisor`.
///
/// # Errors
/// `22012` for zero, `22008` out of range.
pub fn divide(interval: Interval, divisor: f64) -> Result<Interval> {
    if divisor == 0.0 {
        return Err(Error::new(Code::DIVISION_BY_ZERO, "division by zero"));
    }
    scaled(interval, |field| field / divisor)
}

fn scaled(interval: Interval, scale: impl Fn(f64) -> f64) -> Result<Interval> {
    /// Rounds to microseconds of a day's fraction.
    fn rounded(days: f64) -> f64 {
        (days * 1e6).round_ties_even() / 1e6
    }
    let (wanted_months, wanted_days) = (scale(f64::from(interval.months)), scale(f64::from(interval.days)));
    let (months, mut days) = (whole32(wanted_months)?, whole32(wanted_days)?);
    let month_days = rounded((wanted_months - f64::from(months)) * 30.0);
    let mut seconds = rounded((wanted_days - f64::from(days) + month_days - month_days.trunc()) * 86_400.0);
    if seconds.abs() >= 86_400.0 {
        let carried = (seconds / 86_400.0).trunc();
        days = days.checked_add(whole32(carried)?).ok_or_else(interval_out_of_range)?;
        seconds -= carried * 86_400.0;
    }
    days = days.checked_add(whole32(month_days)?).ok_or_else(interval_out_of_range)?;
    #[expect(clippy::cast_precision_loss, reason = "PostgreSQL scales the time as a double, too")]
    let micros = (scale(interval.micros as f64) + seconds * 1e6).round_ties_even();
    Ok(Interval { months, days, micros: whole64(micros)? })
}

fn whole32(value: f64) -> Result<i32> {
    if value.is_nan() || value < f64::from(i32::MIN) || value > f64::from(i32::MAX) {
        return Err(interval_out_of_range());
    }
    #[expect(clippy::cast_possible_truncation, reason = "truncation is asked and the range is checked")]
    let whole = value as i32;
    Ok(whole)
}

fn whole64(value: f64) -> Result<i64> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if value.is_nan() || !(-LIMIT..LIMIT).contains(&value) {
        return Err(interval_out_of_range());
    }
    #[expect(clippy::cast_possible_truncation, reason = "a whole number and the range is checked")]
    let whole = value as i64;
    Ok(whole)
}

/// `make_date`; a negative year is before Christ.
///
/// # Errors
/// `22008` for fields out of range.
pub fn make_date(year: i64, month: i64, day: i64) -> Result<i32> {
    // PostgreSQL names the year of the calendar, which has a year 0.
    let calendar_year = if year < 0 && year > i64::from(i32::MIN) { year + 1 } else { year };
    let refused = || {
        let message = format!("date field value out of range: {calendar_year}-{month:02}-{day:02}");
        Error::new(Code::DATETIME_OVERFLOW, message)
    };
    let month = u32::try_from(month).ok().filter(|month| (1..=12).contains(month)).ok_or_else(refused)?;
    let last = month_days(calendar_year, month);
    let day = u32::try_from(day).ok().filter(|day| (1..=last).contains(day)).ok_or_else(refused)?;
    if year == 0 || year == i64::from(i32::MIN) {
        return Err(refused());
    }
    let days = Some(days_of(calendar_year, month, day)).filter(|days| DATES.contains(days));
    days.and_then(|days| i32::try_from(days).ok()).ok_or_else(|| {
        Error::new(Code::DATETIME_OVERFLOW, format!("date out of range: {calendar_year}-{month:02}-{day:02}"))
    })
}

/// `make_time`.
///
/// # Errors
/// `22008` for fields out of range.
pub fn make_time(hour: i64, minute: i64, second: f64) -> Result<i64> {
    let refused = || {
        Error::new(
            Code::DATETIME_OVERFLOW,
            format!("time field value out of range: {hour}:{minute:02}:{}", shortest(second)),
        )
    };
    let rounded = (second * 1e6).round_ties_even();
    if !(0..=24).contains(&hour) || !(0..60).contains(&minute) || !(0.0..=60_000_000.0).contains(&rounded) {
        return Err(refused());
    }
    let micros = (hour * 60 + minute) * 60_000_000 + whole64(rounded)?;
    if micros <= DAY_MICROS { Ok(micros) } else { Err(refused()) }
}

/// Six significant digits and at least two characters, as `%02g` prints.
fn shortest(second: f64) -> String {
    let text = if second.is_finite() { significant(second) } else { crate::text::print_float(second, false) };
    if text.len() < 2 { format!("0{text}") } else { text }
}

fn significant(second: f64) -> String {
    let scientific = format!("{second:.5e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trim = |text: &str| {
        if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text.to_owned()
        }
    };
    if (-4..6).contains(&exponent) {
        let digits = usize::try_from(5 - exponent).unwrap_or(0);
        return trim(&format!("{second:.digits$}"));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", trim(mantissa), exponent.abs())
}

/// `make_interval`: years, months, weeks, days, hours, minutes, seconds.
///
/// # Errors
/// `22008` out of range.
pub fn make_interval(whole: [i64; 6], seconds: f64) -> Result<Interval> {
    let [years, months, weeks, days, hours, minutes] = whole;
    if !seconds.is_finite() {
        return Err(interval_out_of_range());
    }
    Ok(Interval {
        months: i32::try_from(years * 12 + months).map_err(|_| interval_out_of_range())?,
        days: i32::try_from(weeks * 7 + days).map_err(|_| interval_out_of_range())?,
        micros: ((hours * 60 + minutes) * 60_000_000)
            .checked_add(whole64((seconds * 1e6).round_ties_even())?)
            .ok_or_else(interval_out_of_range)?,
    })
}

/// `to_timestamp(double precision)`: seconds since 1970.
///
/// # Errors
/// `22008` out of range.
pub fn from_unix(seconds: f64) -> Result<i64> {
    let refused = || {
        Error::new(Code::DATETIME_OVERFLOW, format!("timestamp out of range: \"{}\"", significant(seconds)))
    };
    if seconds.is_nan() {
        return Err(Error::new(Code::DATETIME_OVERFLOW, "timestamp cannot be NaN"));
    }
    if seconds.is_infinite() {
        return Ok(if seconds > 0.0 { i64::MAX } else { i64::MIN });
    }
    let micros = ((seconds - 946_684_800.0) * 1e6).round_ties_even();
    whole64(micros).and_then(valid).map_err(|_| refused())
}
