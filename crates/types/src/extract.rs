//! Fields of dates, times and intervals: `extract`, `date_part`, `date_trunc` (PostgreSQL 9.9.1, 9.9.2).

use crate::datetime::{DAY_MICROS, days_of, weekday};
use crate::moment::{broken, from_local, is_finite, to_local};
use crate::numeric::Numeric;
use crate::session::{EPOCH_MICROS, Session};
use crate::timetz::Timetz;
use crate::ty::format_type;
use crate::value::Interval;
use crate::{Code, Error, Result, Type};

/// A field that can be extracted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Microseconds, seconds included.
    Microseconds,
    /// Milliseconds, seconds included.
    Milliseconds,
    /// Seconds with their fraction.
    Second,
    /// The minute of the hour.
    Minute,
    /// The hour of the day.
    Hour,
    /// The day of the month.
    Day,
    /// The week of the ISO year.
    Week,
    /// The month of the year.
    Month,
    /// The quarter of the year.
    Quarter,
    /// The year.
    Year,
    /// The year divided by ten.
    Decade,
    /// The century.
    Century,
    /// The millennium.
    Millennium,
    /// The day of the week, Sunday 0.
    Dow,
    /// The day of the week, Sunday 7.
    Isodow,
    /// The day of the year.
    Doy,
    /// The year of the ISO week.
    Isoyear,
    /// The Julian date.
    Julian,
    /// Seconds since 1970; of an interval all its seconds.
    Epoch,
    /// The offset from UTC in seconds.
    Timezone,
    /// The hours of that offset.
    TimezoneHour,
    /// The minutes of that offset.
    TimezoneMinute,
}

/// The words for fields; only the first ten letters of a word count.
const WORDS: &[(Field, &[&str])] = &[
    (Field::Microseconds, &["us", "usec", "usecs", "microsecon"]),
    (Field::Milliseconds, &["ms", "msec", "msecs", "millisecon"]),
    (Field::Second, &["s", "sec", "secs", "second", "seconds"]),
    (Field::Minute, &["m", "min", "mins", "minute", "minutes"]),
    (Field::Hour, &["h", "hr", "hrs", "hour", "hours"]),
    (Field::Day, &["d", "day", "days"]),
    (Field::Week, &["w", "week", "weeks"]),
    (Field::Month, &["mon", "mons", "month", "months"]),
    (Field::Quarter, &["qtr", "quarter"]),
    (Field::Year, &["y", "yr", "yrs", "year", "years"]),
    (Field::Decade, &["dec", "decs", "decade", "decades"]),
    (Field::Century, &["c", "cent", "century", "centuries"]),
    (Field::Millennium, &["mil", "mils", "millennium", "millennia"]),
    (Field::Dow, &["dow"]),
    (Field::Isodow, &["isodow"]),
    (Field::Doy, &["doy"]),
    (Field::Isoyear, &["isoyear"]),
    (Field::Julian, &["j", "jd", "julian"]),
    (Field::Epoch, &["epoch"]),
    (Field::Timezone, &["timezone"]),
    (Field::TimezoneHour, &["timezone_h"]),
    (Field::TimezoneMinute, &["timezone_m"]),
];

impl Field {
    /// The field that a word means for values of a type.
    ///
    /// # Errors
    /// `22023` for a word that is no field.
    pub fn find(word: &str, ty: &Type) -> Result<Field> {
        let lower = word.to_ascii_lowercase();
        let token: String = lower.chars().take(10).collect();
        let known =
            |words: &&[&str]| words.iter().any(|known| known.chars().take(10).collect::<String>() == token);
        WORDS.iter().find(|(_, words)| known(words)).map(|(field, _)| *field).ok_or_else(|| {
            Error::new(
                Code::INVALID_PARAMETER,
                format!("unit \"{lower}\" not recognized for type {}", format_type(ty, None)),
            )
        })
    }
}

fn unsupported(word: &str, ty: &Type) -> Error {
    let word = word.to_ascii_lowercase();
    Error::new(
        Code::FEATURE_NOT_SUPPORTED,
        format!("unit \"{word}\" not supported for type {}", format_type(ty, None)),
    )
}

fn whole(value: i64) -> Numeric {
    Numeric::from_i64(value)
}

/// The ISO week and its year of a local day.
fn iso_week(days: i64) -> (i64, i64) {
    // The Thursday of a week decides about its year.
    let thursday = days - i64::from((weekday(days) + 6) % 7) + 3;
    let (year, ..) = crate::datetime::date_of(thursday);
    (year, (thursday - days_of(year, 1, 1)) / 7 + 1)
}

/// There is no year 0.
fn shown_year(year: i64) -> i64 {
    if year > 0 { year } else { year - 1 }
}

fn century(year: i64, years: i64) -> i64 {
    if year > 0 { (year + years - 1) / years } else { -((years - 1 - (year - 1)) / years) }
}

/// `extract(field from timestamp)`, with the session for a timestamp with time zone; `None` is null.
///
/// # Errors
/// `22023` for an unknown field, `0A000` for one that timestamps do not have.
pub fn of_timestamp(word: &str, micros: i64, zone: Option<&Session>) -> Result<Option<Numeric>> {
    let ty = if zone.is_some() { Type::Timestamptz } else { Type::Timestamp };
    if is_moment(word) {
        return Err(unsupported(word, &ty));
    }
    let field = Field::find(word, &ty)?;
    if !is_finite(micros) {
        return of_infinity(field, micros > 0).ok_or_else(|| unsupported(word, &ty));
    }
    let offset = zone.map_or(0, |session| i64::from(session.offset_at(micros)));
    let local = to_local(micros, zone);
    let days = local.div_euclid(DAY_MICROS);
    let time = local.rem_euclid(DAY_MICROS);
    Ok(Some(match field {
        Field::Timezone if zone.is_some() => whole(offset),
        Field::TimezoneHour if zone.is_some() => whole(offset / 3_600),
        Field::TimezoneMinute if zone.is_some() => whole(offset / 60 % 60),
        Field::Epoch => Numeric::new(i128::from(micros) + i128::from(EPOCH_MICROS), 6),
        Field::Julian => julian(days, time)?,
        field => of_clock(field, time)
            .or_else(|| of_calendar(field, days))
            .ok_or_else(|| unsupported(word, &ty))?,
    }))
}

/// Whether a word is known as that of a moment, and means no unit.
fn is_moment(word: &str) -> bool {
    let words = ["-infinity", "infinity", "now", "today", "tomorrow", "yesterday", "allballs"];
    words.iter().any(|known| word.eq_ignore_ascii_case(known))
}

fn julian(days: i64, time: i64) -> Result<Numeric> {
    Ok(whole(days + 2_451_545).add(&whole(time).div(&whole(DAY_MICROS))?))
}

fn of_clock(field: Field, time: i64) -> Option<Numeric> {
    let in_minute = time.rem_euclid(60_000_000);
    Some(match field {
        Field::Microseconds => whole(in_minute),
        Field::Milliseconds => Numeric::new(in_minute, 3),
        Field::Second => Numeric::new(in_minute, 6),
        Field::Minute => whole(time / 60_000_000 % 60),
        Field::Hour => whole(time / 3_600_000_000),
        _ => return None,
    })
}

fn of_calendar(field: Field, days: i64) -> Option<Numeric> {
    let (year, month, day) = crate::datetime::date_of(days);
    Some(whole(match field {
        Field::Day => i64::from(day),
        Field::Month => i64::from(month),
        Field::Quarter => i64::from((month - 1) / 3 + 1),
        Field::Week => iso_week(days).1,
        Field::Isoyear => shown_year(iso_week(days).0),
        Field::Year => shown_year(year),
        Field::Decade => year.div_euclid(10),
        Field::Century => century(year, 100),
        Field::Millennium => century(year, 1_000),
        Field::Dow => i64::from(weekday(days)),
        Field::Isodow => i64::from((weekday(days) + 6) % 7 + 1),
        Field::Doy => days - days_of(year, 1, 1) + 1,
        _ => return None,
    }))
}

/// Fields that grow with time are infinite, cyclic ones null; `None` for fields that there are not.
#[expect(clippy::option_option, reason = "absent, null and a number are three answers")]
fn of_infinity(field: Field, positive: bool) -> Option<Option<Numeric>> {
    match field {
        Field::Year
        | Field::Decade
        | Field::Century
        | Field::Millennium
        | Field::Julian
        | Field::Isoyear
        | Field::Epoch => Some(Some(if positive { Numeric::Infinity } else { Numeric::NegativeInfinity })),
        _ => Some(None),
    }
}

/// `extract(field from date)`.
///
/// # Errors
/// As [`of_timestamp`].
pub fn of_date(word: &str, days: i32) -> Result<Option<Numeric>> {
    if is_moment(word) {
        return Err(unsupported(word, &Type::Date));
    }
    let field = Field::find(word, &Type::Date)?;
    let has = matches!(field, Field::Epoch | Field::Julian) || of_calendar(field, 0).is_some();
    if !has {
        return Err(unsupported(word, &Type::Date));
    }
    if days == i32::MAX || days == i32::MIN {
        return of_infinity(field, days > 0).ok_or_else(|| unsupported(word, &Type::Date));
    }
    let days = i64::from(days);
    Ok(Some(match field {
        Field::Epoch => whole((days + 10_957) * 86_400),
        Field::Julian => whole(days + 2_451_545),
        field => of_calendar(field, days).ok_or_else(|| unsupported(word, &Type::Date))?,
    }))
}

/// `extract(field from time)`.
///
/// # Errors
/// As [`of_timestamp`].
pub fn of_time(word: &str, time: i64) -> Result<Numeric> {
    match Field::find(word, &Type::Time)? {
        Field::Epoch => Ok(Numeric::new(time, 6)),
        field => of_clock(field, time)
            .map(|found| if field == Field::Hour { whole(time / 3_600_000_000) } else { found })
            .ok_or_else(|| unsupported(word, &Type::Time)),
    }
}

/// `extract(field from time with time zone)`.
///
/// # Errors
/// As [`of_timestamp`].
pub fn of_timetz(word: &str, time: Timetz) -> Result<Numeric> {
    let east = i64::from(time.east);
    Ok(match Field::find(word, &Type::Timetz)? {
        Field::Timezone => whole(east),
        Field::TimezoneHour => whole(east / 3_600),
        Field::TimezoneMinute => whole(east / 60 % 60),
        Field::Epoch => Numeric::new(time.utc(), 6),
        field => of_clock(field, time.micros).ok_or_else(|| unsupported(word, &Type::Timetz))?,
    })
}

/// `extract(field from interval)`.
///
/// # Errors
/// As [`of_timestamp`].
pub fn of_interval(word: &str, interval: Interval) -> Result<Numeric> {
    let (years, months) = (i64::from(interval.months / 12), i64::from(interval.months % 12));
    let in_minute = interval.micros % 60_000_000;
    Ok(match Field::find(word, &Type::Interval)? {
        Field::Microseconds => whole(in_minute),
        Field::Milliseconds => Numeric::new(in_minute, 3),
        Field::Second => Numeric::new(in_minute, 6),
        Field::Minute => whole(interval.micros / 60_000_000 % 60),
        Field::Hour => whole(interval.micros / 3_600_000_000),
        Field::Day => whole(i64::from(interval.days)),
        Field::Month => whole(months),
        Field::Quarter => whole(months / 3 + 1),
        Field::Year => whole(years),
        Field::Decade => whole(years / 10),
        Field::Century => whole(years / 100),
        Field::Millennium => whole(years / 1_000),
        Field::Epoch => {
            // A year is 365.25 days, a month 30.
            let quarter_days = 1_461 * years + 120 * months + 4 * i64::from(interval.days);
            Numeric::new(i128::from(quarter_days) * 21_600_000_000 + i128::from(interval.micros), 6)
        }
        _ => return Err(unsupported(word, &Type::Interval)),
    })
}

/// `date_trunc(field, timestamp)`, with the session for a timestamp with time zone.
///
/// # Errors
/// `22023` for an unknown field, `0A000` for one that cannot be truncated to.
pub fn truncate(word: &str, micros: i64, zone: Option<&Session>) -> Result<i64> {
    let ty = if zone.is_some() { Type::Timestamptz } else { Type::Timestamp };
    let field = Field::find(word, &ty)?;
    if !is_finite(micros) {
        return Ok(micros);
    }
    let local = to_local(micros, zone);
    if let Some(unit) = unit_micros(field) {
        // The offset may have minutes, so that local time counts.
        return Ok(micros - local.rem_euclid(unit));
    }
    let days = local.div_euclid(DAY_MICROS);
    let date = broken(local);
    let year_start = |year| days_of(year, 1, 1);
    let start = match field {
        Field::Day => days,
        Field::Week => days - i64::from((weekday(days) + 6) % 7),
        Field::Month => days_of(date.year, date.month, 1),
        Field::Quarter => days_of(date.year, (date.month - 1) / 3 * 3 + 1, 1),
        Field::Year => year_start(date.year),
        Field::Decade => year_start(date.year.div_euclid(10) * 10),
        Field::Century => year_start((date.year - 1).div_euclid(100) * 100 + 1),
        Field::Millennium => year_start((date.year - 1).div_euclid(1_000) * 1_000 + 1),
        _ => return Err(unsupported(word, &ty)),
    };
    Ok(from_local(start * DAY_MICROS, zone))
}

fn unit_micros(field: Field) -> Option<i64> {
    match field {
        Field::Microseconds => Some(1),
        Field::Milliseconds => Some(1_000),
        Field::Second => Some(1_000_000),
        Field::Minute => Some(60_000_000),
        Field::Hour => Some(3_600_000_000),
        _ => None,
    }
}

/// `date_trunc(field, interval)`.
///
/// # Errors
/// As [`truncate`]; weeks cannot be truncated to.
pub fn truncate_interval(word: &str, interval: Interval) -> Result<Interval> {
    let field = Field::find(word, &Type::Interval)?;
    let Interval { months, days, micros } = interval;
    if let Some(unit) = unit_micros(field) {
        return Ok(Interval { months, days, micros: micros - micros % unit });
    }
    let unit = match field {
        Field::Day => return Ok(Interval { months, days, micros: 0 }),
        Field::Month => 1,
        Field::Quarter => 3,
        Field::Year => 12,
        Field::Decade => 120,
        Field::Century => 1_200,
        Field::Millennium => 12_000,
        Field::Week => {
            let refused = unsupported(word, &Type::Interval);
            return Err(refused.with_details("Months usually have fractional weeks."));
        }
        _ => return Err(unsupported(word, &Type::Interval)),
    };
    Ok(Interval { months: months - months % unit, days: 0, micros: 0 })
}
