//! `interval`: text forms and arithmetic (PostgreSQL chapter 8.5.4).

use std::fmt::Write;

use crate::datetime::{DAY_MICROS, fraction_micros_of};
use crate::value::Interval;
use crate::{Code, Error, Result};

/// Words for units and what one of them is: months, days, microseconds.
const UNITS: &[(&str, (f64, f64, f64))] = &[
    ("millennium", (12_000.0, 0.0, 0.0)),
    ("millennia", (12_000.0, 0.0, 0.0)),
    ("mil", (12_000.0, 0.0, 0.0)),
    ("mils", (12_000.0, 0.0, 0.0)),
    ("century", (1_200.0, 0.0, 0.0)),
    ("centuries", (1_200.0, 0.0, 0.0)),
    ("c", (1_200.0, 0.0, 0.0)),
    ("cent", (1_200.0, 0.0, 0.0)),
    ("decade", (120.0, 0.0, 0.0)),
    ("decades", (120.0, 0.0, 0.0)),
    ("dec", (120.0, 0.0, 0.0)),
    ("decs", (120.0, 0.0, 0.0)),
    ("year", (12.0, 0.0, 0.0)),
    ("years", (12.0, 0.0, 0.0)),
    ("y", (12.0, 0.0, 0.0)),
    ("yr", (12.0, 0.0, 0.0)),
    ("yrs", (12.0, 0.0, 0.0)),
    ("month", (1.0, 0.0, 0.0)),
    ("months", (1.0, 0.0, 0.0)),
    ("mon", (1.0, 0.0, 0.0)),
    ("mons", (1.0, 0.0, 0.0)),
    ("week", (0.0, 7.0, 0.0)),
    ("weeks", (0.0, 7.0, 0.0)),
    ("w", (0.0, 7.0, 0.0)),
    ("day", (0.0, 1.0, 0.0)),
    ("days", (0.0, 1.0, 0.0)),
    ("d", (0.0, 1.0, 0.0)),
    ("hour", (0.0, 0.0, 3.6e9)),
    ("hours", (0.0, 0.0, 3.6e9)),
    ("h", (0.0, 0.0, 3.6e9)),
    ("hr", (0.0, 0.0, 3.6e9)),
    ("hrs", (0.0, 0.0, 3.6e9)),
    ("minute", (0.0, 0.0, 6e7)),
    ("minutes", (0.0, 0.0, 6e7)),
    ("m", (0.0, 0.0, 6e7)),
    ("min", (0.0, 0.0, 6e7)),
    ("mins", (0.0, 0.0, 6e7)),
    ("second", (0.0, 0.0, 1e6)),
    ("seconds", (0.0, 0.0, 1e6)),
    ("s", (0.0, 0.0, 1e6)),
    ("sec", (0.0, 0.0, 1e6)),
    ("secs", (0.0, 0.0, 1e6)),
    ("millisecond", (0.0, 0.0, 1e3)),
    ("milliseconds", (0.0, 0.0, 1e3)),
    ("ms", (0.0, 0.0, 1e3)),
    ("msec", (0.0, 0.0, 1e3)),
    ("msecs", (0.0, 0.0, 1e3)),
    ("microsecond", (0.0, 0.0, 1.0)),
    ("microseconds", (0.0, 0.0, 1.0)),
    ("us", (0.0, 0.0, 1.0)),
    ("usec", (0.0, 0.0, 1.0)),
    ("usecs", (0.0, 0.0, 1.0)),
];

fn out_of_range() -> Error {
    Error::new(Code::DATETIME_OVERFLOW, "interval out of range")
}

/// Fractional sums on their way to an interval.
#[derive(Default)]
struct Sum {
    months: f64,
    days: f64,
    micros: f64,
    /// Microseconds of times of day: exact, because this is how intervals are stored.
    clock: i128,
}

impl Sum {
    /// Adds some units; fractions of months become days, fractions of days become time.
    fn add(&mut self, count: f64, (months, days, micros): (f64, f64, f64)) {
        if months != 0.0 {
            let whole = (count * months).trunc();
            self.months += whole;
            // PostgreSQL drops fractions of a month below a day's share only for years and larger units.
            let rest = if months > 1.0 { 0.0 } else { (count * months - whole) * 30.0 };
            self.add_days(rest);
            if months > 1.0 {
                self.months += ((count * months - whole) + 1e-9_f64.copysign(count)).trunc();
            }
        } else if days != 0.0 {
            self.add_days(count * days);
        } else {
            self.micros += count * micros;
        }
    }

    fn add_days(&mut self, days: f64) {
        let whole = (days + 1e-9_f64.copysign(days)).trunc();
        self.days += whole;
        let rest = days - whole;
        if rest.abs() > 1e-9 {
            self.micros += rest * 8.64e10;
        }
    }

    fn finish(self) -> Option<Interval> {
        let small = |value: f64| format!("{value:.0}").parse::<i32>().ok();
        Some(Interval {
            months: small(self.months)?,
            days: small(self.days)?,
            micros: format!("{:.0}", self.micros.round())
                .parse::<i128>()
                .ok()
                .and_then(|micros| i64::try_from(micros.checked_add(self.clock)?).ok())?,
        })
    }
}

/// An interval from text: verbose, ISO 8601, or SQL standard forms.
///
/// # Errors
/// `22007`, `22008` with PostgreSQL's texts.
pub fn parse(text: &str) -> Result<Interval> {
    let invalid =
        || Error::new(Code::INVALID_DATETIME, format!("invalid input syntax for type interval: \"{text}\""));
    let overflow = || {
        let message = format!("interval field value out of range: \"{text}\"");
        Error::new(Code::INTERVAL_FIELD_OVERFLOW, message)
    };
    let lower = text.trim().to_ascii_lowercase();
    if let Some(iso) = lower.strip_prefix('p') {
        return parse_iso(iso).ok_or_else(invalid)?.finish().ok_or_else(overflow);
    }
    let mut sum = Sum::default();
    let mut ago = false;
    let mut pending: Option<f64> = None;
    let mut seen = false;
    for word in signed(words(&lower)) {
        if ago {
            return Err(invalid());
        }
        if word == "ago" && seen {
            ago = true;
        } else if word == "@" {
        } else if word.contains(':') {
            if let Some(days) = pending.take() {
                sum.add(days, (0.0, 1.0, 0.0));
            }
            sum.clock += clock(&word).map_err(|misread| match misread {
                // With a sign, PostgreSQL then looks for a number in it.
                Misread::Range if !word.starts_with(['+', '-']) => overflow(),
                Misread::Range | Misread::Syntax => invalid(),
            })?;
            seen = true;
        } else if let Some((_, unit)) = UNITS.iter().find(|(name, _)| *name == word) {
            sum.add(pending.take().ok_or_else(invalid)?, *unit);
            seen = true;
        } else if let Some((years, months)) = year_month(&word) {
            if months.abs() >= 12.0 {
                return Err(overflow());
            }
            if word.matches('-').count() > 1 + usize::from(word.starts_with('-')) {
                return Err(invalid());
            }
            sum.months += years * 12.0 + months;
            seen = true;
        } else {
            if pending.is_some() {
                return Err(invalid());
            }
            pending = Some(number(&word).ok_or_else(invalid)?);
        }
    }
    if let Some(seconds) = pending {
        sum.add(seconds, (0.0, 0.0, 1e6));
        seen = true;
    }
    if !seen {
        return Err(invalid());
    }
    let found = sum.finish().ok_or_else(overflow)?;
    if ago { negate(found) } else { Ok(found) }
}

fn number(word: &str) -> Option<f64> {
    let plain = word.trim_start_matches(['+', '-']);
    let valid = plain.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && plain.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if valid { word.parse().ok() } else { None }
}

/// `1-2`: years and months.
fn year_month(word: &str) -> Option<(f64, f64)> {
    let negative = word.starts_with('-');
    let (years, months) = word.trim_start_matches(['+', '-']).split_once('-')?;
    let sign = if negative { -1.0 } else { 1.0 };
    let months = months.split('-').next().unwrap_or(months);
    Some((
        sign * years.parse::<u32>().map(f64::from).ok()?,
        sign * months.parse::<u32>().map(f64::from).ok()?,
    ))
}

/// What stands between words: also punctuation that means nothing in a time.
pub(crate) fn is_separator(c: char) -> bool {
    c.is_ascii_whitespace() || c == '\u{b}' || (c.is_ascii_punctuation() && !"+-.:/@".contains(c))
}

/// A sign that stands alone belongs to the number behind it.
fn signed(words: Vec<String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::with_capacity(words.len());
    for word in words {
        let is_number = word.starts_with(|c: char| c.is_ascii_digit() || c == '.');
        match out.last_mut() {
            Some(sign) if is_number && matches!(sign.as_str(), "+" | "-") => sign.push_str(&word),
            _ => out.push(word),
        }
    }
    out
}

/// Words, a number and the unit right behind it apart.
fn words(lower: &str) -> Vec<String> {
    let mut words = Vec::new();
    // A mark that begins no field is passed over.
    let fields = lower.split(is_separator).map(|word| word.trim_start_matches(['/', ':']));
    for word in fields.filter(|word| !word.is_empty()) {
        let at = word.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(0);
        if at > 0 && !word.contains(':') {
            words.push(word[..at].to_owned());
            words.push(word[at..].to_owned());
        } else {
            words.push(word.to_owned());
        }
    }
    words
}

/// Why a time is none.
enum Misread {
    Syntax,
    Range,
}

/// `[-]HH:MM[:SS[.f]]`, or `[-]MM:SS.f`, in microseconds. A field may be empty, a minute may have 60 seconds.
fn clock(word: &str) -> Result<i128, Misread> {
    let plain = word.trim_start_matches(['+', '-']);
    let (whole, fraction) = plain.split_once('.').map_or((plain, None), |(whole, rest)| (whole, Some(rest)));
    let fields: Vec<i128> = whole.split(':').map(field).collect::<Result<_, _>>()?;
    let (hours, minutes, seconds) = match (fields.as_slice(), fraction) {
        (&[hours, minutes], None) => (hours, minutes, 0),
        (&[minutes, seconds], Some(_)) => (0, minutes, seconds),
        (&[hours, minutes, seconds], _) => (hours, minutes, seconds),
        _ => return Err(Misread::Syntax),
    };
    let fraction = fraction_micros_of(fraction.unwrap_or_default()).ok_or(Misread::Syntax)?;
    if hours > i128::from(i64::MAX) || minutes > 59 || seconds > 60 {
        return Err(Misread::Range);
    }
    let micros = (hours * 3600 + minutes * 60 + seconds) * 1_000_000 + i128::from(fraction);
    Ok(if word.starts_with('-') { -micros } else { micros })
}

fn field(digits: &str) -> Result<i128, Misread> {
    match digits {
        "" => Ok(0),
        _ if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().map_err(|_| Misread::Range),
        _ => Err(Misread::Syntax),
    }
}

/// ISO 8601 behind the `p`.
fn parse_iso(iso: &str) -> Option<Sum> {
    let mut sum = Sum::default();
    let (mut in_time, mut number, mut seen) = (false, String::new(), false);
    for c in iso.chars() {
        let unit = match (c, in_time) {
            ('t', false) => {
                in_time = true;
                continue;
            }
            ('y', false) => (12.0, 0.0, 0.0),
            ('m', false) => (1.0, 0.0, 0.0),
            ('w', false) => (0.0, 7.0, 0.0),
            ('d', false) => (0.0, 1.0, 0.0),
            ('h', true) => (0.0, 0.0, 3.6e9),
            ('m', true) => (0.0, 0.0, 6e7),
            ('s', true) => (0.0, 0.0, 1e6),
            ('0'..='9' | '.' | '-' | '+', _) => {
                number.push(c);
                continue;
            }
            _ => return None,
        };
        sum.add(number.parse().ok()?, unit);
        number.clear();
        seen = true;
    }
    (seen && number.is_empty()).then_some(sum)
}

/// An interval as text, in style `postgres`.
pub fn print(interval: Interval) -> String {
    let Interval { months, days, micros } = interval;
    let mut out = String::new();
    let mut was_negative = false;
    let parts = [(months / 12, "year", "years"), (months % 12, "mon", "mons"), (days, "day", "days")];
    for (count, one, many) in parts.into_iter().filter(|(count, ..)| *count != 0) {
        let space = if out.is_empty() { "" } else { " " };
        let sign = if was_negative && count > 0 { "+" } else { "" };
        let _ = write!(out, "{space}{sign}{count} {}", if count == 1 { one } else { many });
        was_negative = count < 0;
    }
    if micros != 0 || out.is_empty() {
        let space = if out.is_empty() { "" } else { " " };
        let sign = if micros < 0 {
            "-"
        } else if was_negative {
            "+"
        } else {
            ""
        };
        let absolute = micros.unsigned_abs();
        let seconds = absolute / 1_000_000;
        let _ =
            write!(out, "{space}{sign}{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
        let fraction = absolute % 1_000_000;
        if fraction != 0 {
            let text = format!("{fraction:06}");
            let _ = write!(out, ".{}", text.trim_end_matches('0'));
        }
    }
    out
}

/// The opposite.
///
/// # Errors
/// `22008` out of range.
pub fn negate(interval: Interval) -> Result<Interval> {
    let Interval { months, days, micros } = interval;
    Ok(Interval {
        months: months.checked_neg().ok_or_else(out_of_range)?,
        days: days.checked_neg().ok_or_else(out_of_range)?,
        micros: micros.checked_neg().ok_or_else(out_of_range)?,
    })
}

/// The sum, field by field.
///
/// # Errors
/// `22008` out of range.
pub fn add(left: Interval, right: Interval) -> Result<Interval> {
    Ok(Interval {
        months: left.months.checked_add(right.months).ok_or_else(out_of_range)?,
        days: left.days.checked_add(right.days).ok_or_else(out_of_range)?,
        micros: left.micros.checked_add(right.micros).ok_or_else(out_of_range)?,
    })
}

/// The length by which intervals are compared: months of 30 days, days of 24 hours.
pub fn span(interval: Interval) -> i128 {
    (i128::from(interval.months) * 30 + i128::from(interval.days)) * i128::from(DAY_MICROS)
        + i128::from(interval.micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_read_and_printed() {
        for (text, printed) in [
            ("1 day", "1 day"),
            ("2 hours 30 minutes", "02:30:00"),
            ("1 year 2 months 3 days 04:05:06.7", "1 year 2 mons 3 days 04:05:06.7"),
            ("1 day ago", "-1 days"),
            ("P1Y2M3DT4H5M6S", "1 year 2 mons 3 days 04:05:06"),
            ("1.5 days", "1 day 12:00:00"),
            ("30d", "30 days"),
            ("1 week", "7 days"),
            ("-1 day +02:03", "-1 days +02:03:00"),
            ("0", "00:00:00"),
            ("25:59:60", "26:00:00"),
            ("1:2.5", "00:01:02.5"),
            ("-1:", "-01:00:00"),
        ] {
            assert_eq!(print(parse(text).unwrap()), printed, "{text}");
        }
        for (text, code) in [
            ("1:70", Code::INTERVAL_FIELD_OVERFLOW),
            ("1:2:61", Code::INTERVAL_FIELD_OVERFLOW),
            ("99999999999:00", Code::INTERVAL_FIELD_OVERFLOW),
            ("-1:70", Code::INVALID_DATETIME),
            ("1:70:x", Code::INVALID_DATETIME),
            ("1:2:3:4", Code::INVALID_DATETIME),
        ] {
            assert_eq!(parse(text).unwrap_err().code(), code, "{text}");
        }
        assert_eq!(parse("x").unwrap_err().message(), "invalid input syntax for type interval: \"x\"");
    }
}
