//! `to_date` and `to_timestamp` (PostgreSQL 9.8): moments read by a format, forgiving what PostgreSQL forgives.

mod moment;
mod standard;

use types::datetime::DAY_MICROS;
use types::session::Session;
use types::{Code, Error, Result, Value};

use super::Function;
use super::Ty::{Date as D, Text as T, Timestamptz as Z};
use super::arguments::text;
use super::moment_format::{Case, DAYS, Field, JULIAN_OF_EPOCH, Length, MONTHS, Part, ROMAN_MONTHS, parts};

pub(super) use standard::{Kind, Standard, check as check_standard};

pub(super) static ROWS: &[Function] = &[
    Function::new("to_date", &[T, T], D, |_, a| of_date(text(a, 0)?, text(a, 1)?)).stable(),
    Function::new("to_timestamp", &[T, T], Z, |c, a| of_timestamp(text(a, 0)?, text(a, 1)?, c.session))
        .stable(),
];

/// The last day that a `date` can be, since 2000-01-01, and the first.
const DATES: std::ops::RangeInclusive<i64> = -JULIAN_OF_EPOCH..=2_145_031_948;

fn of_date(written: &str, format: &str) -> Result<Value> {
    let moment = Reading::of(written, format)?.moment(written)?;
    let out_of_range = || overflow(format!("date out of range: \"{written}\""));
    let days = moment.days().filter(|days| DATES.contains(days)).ok_or_else(out_of_range)?;
    i32::try_from(days).map(Value::Date).map_err(|_| out_of_range())
}

fn of_timestamp(written: &str, format: &str, session: &Session) -> Result<Value> {
    let moment = Reading::of(written, format)?.moment(written)?;
    let out_of_range = || overflow("timestamp out of range".to_owned());
    let days = moment.days().ok_or_else(out_of_range)?;
    let local = days.checked_mul(DAY_MICROS).and_then(|day| day.checked_add(moment.micros));
    let local = local.ok_or_else(out_of_range)?;
    let micros = match moment.offset_minutes {
        Some(minutes) => local.checked_sub(minutes * 60_000_000).ok_or_else(out_of_range)?,
        None => session.from_local(types::moment::valid(local)?),
    };
    let micros = rounded(micros, moment.digits.unwrap_or(6));
    types::moment::valid(micros).map(Value::Timestamp)
}

/// Microseconds to so many digits of a second.
fn rounded(micros: i64, digits: u32) -> i64 {
    let unit = 10_i64.pow(6_u32.saturating_sub(digits));
    let half = if micros < 0 { -unit / 2 } else { unit / 2 };
    (micros.saturating_add(half)) / unit * unit
}

fn overflow(message: String) -> Error {
    Error::new(Code::DATETIME_OVERFLOW, message)
}

fn field_overflow(written: &str) -> Error {
    overflow(format!("date/time field value out of range: \"{written}\""))
}

fn malformed(message: String) -> Error {
    Error::new(Code::INVALID_DATETIME, message)
}

/// Which calendar a field belongs to: a format does not mix them.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Calendar {
    Gregorian,
    IsoWeek,
}

/// What was read of a text; 0 is what was not.
#[derive(Default)]
struct Reading<'t> {
    rest: &'t str,
    /// The character before `rest`.
    last: Option<char>,
    calendar: Option<Calendar>,
    /// Fields stand where the format says, not where they begin.
    is_exact: bool,
    /// White space that was passed over beyond what the format has.
    extra: i64,
    hour: i64,
    is_of_twelve: bool,
    is_afternoon: i64,
    minute: i64,
    second: i64,
    second_of_day: i64,
    milli: i64,
    micro: i64,
    /// Digits of the fraction that the format has.
    digits: Option<u32>,
    /// Sunday is 1.
    weekday: i64,
    day: i64,
    day_of_year: i64,
    month: i64,
    year: i64,
    /// Digits of the format's year.
    year_digits: usize,
    is_before_christ: i64,
    week: i64,
    week_of_month: i64,
    century: i64,
    julian: i64,
    sign_of_zone: i64,
    zone_hours: i64,
    zone_minutes: i64,
}

/// How long a field is where nothing between it and the next says where it ends.
fn width(field: Field, name: &str) -> usize {
    match field {
        Field::Hour12 | Field::Hour24 => 2,
        Field::IsoDayOfYear | Field::Fraction(3) => 3,
        Field::IsoDayOfWeek => 1,
        Field::Fraction(digits) => usize::try_from(digits).unwrap_or(6),
        Field::OffsetHours | Field::OffsetMinutes => 2,
        _ => name.len(),
    }
}

/// Whether a field begins with a digit.
fn is_digits(field: Field) -> bool {
    match field {
        Field::Era(..)
        | Field::HalfDay(..)
        | Field::DayName(..)
        | Field::MonthName(..)
        | Field::Exact
        | Field::Offset
        | Field::OffsetHours
        | Field::Zone(_)
        | Field::Roman(_) => false,
        Field::Fraction(_)
        | Field::Century
        | Field::DayOfYear
        | Field::IsoDayOfYear
        | Field::DayOfMonth
        | Field::DayOfWeek
        | Field::IsoDayOfWeek
        | Field::Hour24
        | Field::Hour12
        | Field::IsoYear(_)
        | Field::Year(_)
        | Field::YearWithComma
        | Field::IsoWeek
        | Field::Julian
        | Field::Minute
        | Field::Month
        | Field::OffsetMinutes
        | Field::Quarter
        | Field::SecondsOfDay
        | Field::Second
        | Field::WeekOfYear
        | Field::WeekOfMonth => true,
    }
}

fn calendar(field: Field) -> Option<Calendar> {
    match field {
        Field::IsoDayOfYear | Field::IsoDayOfWeek | Field::IsoWeek | Field::IsoYear(_) => {
            Some(Calendar::IsoWeek)
        }
        Field::DayOfYear
        | Field::DayOfMonth
        | Field::DayOfWeek
        | Field::Month
        | Field::MonthName(..)
        | Field::Roman(_)
        | Field::WeekOfYear
        | Field::WeekOfMonth
        | Field::Year(_)
        | Field::YearWithComma => Some(Calendar::Gregorian),
        Field::Era(..)
        | Field::HalfDay(..)
        | Field::Century
        | Field::DayName(..)
        | Field::Fraction(_)
        | Field::Exact
        | Field::Hour24
        | Field::Hour12
        | Field::Julian
        | Field::Minute
        | Field::Offset
        | Field::OffsetHours
        | Field::OffsetMinutes
        | Field::Zone(_)
        | Field::Quarter
        | Field::SecondsOfDay
        | Field::Second => None,
    }
}

/// A field of a format, and whether what it reads ends where digits end.
struct Place<'f> {
    field: Field,
    name: &'f str,
    is_open: bool,
    is_ordinal: bool,
}

fn is_separator(c: char) -> bool {
    c.is_ascii_graphic() && !c.is_ascii_alphanumeric()
}

/// White space as C has it.
fn is_space(c: char) -> bool {
    c.is_ascii_whitespace() || c == '\u{b}'
}

impl<'t> Reading<'t> {
    fn of(written: &'t str, format: &str) -> Result<Reading<'t>> {
        let mut reading = Reading { rest: written, ..Reading::default() };
        let parts = parts(format);
        for (at, part) in parts.iter().enumerate() {
            if reading.rest.is_empty() {
                break;
            }
            reading.part(part, parts.get(at + 1), at == 0)?;
        }
        Ok(reading)
    }

    fn next(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn skip(&mut self) {
        if let Some(next) = self.next() {
            self.last = Some(next);
            self.rest = &self.rest[next.len_utf8()..];
        }
    }

    fn skip_spaces(&mut self) {
        while self.next().is_some_and(is_space) {
            self.skip();
            self.extra += 1;
        }
    }

    fn part(&mut self, part: &Part<'_>, next: Option<&Part<'_>>, is_first: bool) -> Result<()> {
        let is_field = matches!(part, Part::Field { .. });
        let is_switch = matches!(part, Part::Field { field: Field::Exact, .. });
        if !self.is_exact && !is_switch && (is_field || is_first) {
            self.skip_spaces();
        }
        match part {
            Part::Text { text, is_quoted } => {
                let separates = |c: char| is_separator(c) || is_space(c);
                self.text(!is_quoted && text.starts_with(separates));
                Ok(())
            }
            Part::Field { field, name, is_trimmed, ordinal } => {
                let is_open = *is_trimmed || ordinal.is_some() || ends(next);
                let place = Place { field: *field, name, is_open, is_ordinal: ordinal.is_some() };
                self.field(&place)?;
                if !self.is_exact {
                    self.extra = 0;
                    self.skip_spaces();
                }
                Ok(())
            }
        }
    }

    /// A character of the format that is no field takes one of the text, whichever it is, unless white space stood for it.
    fn text(&mut self, separates: bool) {
        if self.is_exact {
            self.skip();
        } else if separates {
            self.extra -= 1;
            if self.next().is_some_and(|c| is_space(c) || is_separator(c)) {
                self.skip();
                self.extra += 1;
            }
        } else if self.extra > 0 {
            self.extra -= 1;
        } else {
            self.skip();
        }
    }

    fn field(&mut self, place: &Place<'_>) -> Result<()> {
        self.enter(place)?;
        let name = place.name;
        match place.field {
            Field::Exact => self.is_exact = true,
            Field::HalfDay(before, after) => {
                self.is_of_twelve = true;
                let value = self.word(&[before, after], name)?;
                set(&mut self.is_afternoon, value, name)?;
            }
            Field::Era(after, before) => {
                let value = self.word(&[after, before], name)?;
                set(&mut self.is_before_christ, value, name)?;
            }
            Field::MonthName(_, length) => {
                let value = self.word(&names(&MONTHS, length), name)?;
                set(&mut self.month, value + 1, name)?;
            }
            Field::Roman(Case::Upper | Case::Title | Case::Lower) => {
                // Longer numbers first, so that none is taken for its beginning.
                let words: Vec<&str> = ROMAN_MONTHS.iter().rev().copied().collect();
                let value = self.word(&words, name)?;
                set(&mut self.month, 12 - value, name)?;
            }
            Field::DayName(_, length) => {
                let value = self.word(&names(&DAYS, length), name)?;
                set(&mut self.weekday, value, name)?;
                self.weekday += 1;
            }
            Field::Zone(_) | Field::Offset => {
                let message = format!("formatting field \"{name}\" is only supported in to_char");
                return Err(Error::new(Code::FEATURE_NOT_SUPPORTED, message));
            }
            Field::OffsetHours => self.zone_hours(place)?,
            Field::YearWithComma => self.year_with_comma(name)?,
            _ => self.number(place)?,
        }
        if place.is_ordinal {
            self.skip();
            self.skip();
        }
        Ok(())
    }

    fn enter(&mut self, place: &Place<'_>) -> Result<()> {
        let Some(calendar) = calendar(place.field) else { return Ok(()) };
        if *self.calendar.get_or_insert(calendar) == calendar {
            return Ok(());
        }
        Err(malformed("invalid combination of date conventions".to_owned())
            .with_hint("Do not mix Gregorian and ISO week date conventions in a formatting template."))
    }

    fn number(&mut self, place: &Place<'_>) -> Result<()> {
        let (value, length) = self.integer(place)?;
        let fraction = |digits: u32| {
            let read = u32::try_from(length).unwrap_or(u32::MAX);
            value.saturating_mul(10_i64.pow(digits.saturating_sub(read)))
        };
        let year = if length < 4 { near_2020(value) } else { value };
        let (target, value) = match place.field {
            Field::Hour12 => {
                self.is_of_twelve = true;
                (&mut self.hour, value)
            }
            Field::Hour24 => (&mut self.hour, value),
            Field::Minute => (&mut self.minute, value),
            Field::Second => (&mut self.second, value),
            Field::SecondsOfDay => (&mut self.second_of_day, value),
            Field::Fraction(3) if place.name.starts_with(['M', 'm']) => {
                set(&mut self.milli, value, place.name)?;
                self.milli = fraction(3);
                return Ok(());
            }
            Field::Fraction(digits) => {
                if place.name.starts_with(['F', 'f']) {
                    self.digits = Some(digits);
                }
                set(&mut self.micro, value, place.name)?;
                self.micro = fraction(6);
                return Ok(());
            }
            Field::Month => (&mut self.month, value),
            Field::DayOfMonth => (&mut self.day, value),
            Field::DayOfYear | Field::IsoDayOfYear => (&mut self.day_of_year, value),
            Field::DayOfWeek => (&mut self.weekday, value),
            Field::IsoDayOfWeek => {
                set(&mut self.weekday, value, place.name)?;
                self.weekday = if value >= 7 { 1 } else { value + 1 };
                return Ok(());
            }
            Field::WeekOfYear | Field::IsoWeek => (&mut self.week, value),
            Field::WeekOfMonth => (&mut self.week_of_month, value),
            Field::Century => (&mut self.century, value),
            Field::Julian => (&mut self.julian, value),
            Field::OffsetMinutes => {
                self.sign_of_zone = if self.sign_of_zone == 0 { 1 } else { self.sign_of_zone };
                (&mut self.zone_minutes, value)
            }
            Field::Year(digits) | Field::IsoYear(digits) => {
                self.year_digits = usize::try_from(digits).unwrap_or(4);
                // PostgreSQL completes a short year behind the look for a contradiction.
                set(&mut self.year, value, place.name)?;
                self.year = if digits < 4 { year } else { value };
                return Ok(());
            }
            // Which day of a quarter is meant nobody knows.
            _ => return Ok(()),
        };
        set(target, value, place.name)
    }

    /// An integer, and how many characters it took.
    fn integer(&mut self, place: &Place<'_>) -> Result<(i64, usize)> {
        let length = width(place.field, place.name);
        let before = self.rest;
        let spaces = before.len() - before.trim_start_matches(is_space).len();
        let behind = &before[spaces..];
        let end = behind.char_indices().nth(length).map_or(behind.len(), |(at, _)| at);
        let copy =
            if behind.len() > length { behind.get(..length).unwrap_or(&behind[..end]) } else { behind };
        let invalid = || malformed(format!("invalid value \"{copy}\" for \"{}\"", place.name));
        let short = "If your source string is not fixed-width, try using the \"FM\" modifier.";
        let (value, used) = if place.is_open {
            let (value, used) = whole(before);
            (value, used)
        } else {
            if behind.len() < length {
                let message = format!("source string too short for \"{}\" formatting field", place.name);
                return Err(malformed(message)
                    .with_details(format!(
                        "Field requires {length} characters, but only {} remain.",
                        behind.len()
                    ))
                    .with_hint(short));
            }
            let (value, used) = whole(copy);
            if used > 0 && used < length {
                let details = format!("Field requires {length} characters, but only {used} could be parsed.");
                return Err(invalid().with_details(details).with_hint(short));
            }
            (value, spaces + used)
        };
        if used == 0 {
            return Err(invalid().with_details("Value must be an integer."));
        }
        let Some(value) = value.and_then(|value| i32::try_from(value).ok()) else {
            let message = format!("value for \"{}\" in source string is out of range", place.name);
            let details = format!("Value must be in the range {} to {}.", i32::MIN, i32::MAX);
            return Err(overflow(message).with_details(details));
        };
        self.pass(used);
        Ok((value.into(), used))
    }

    fn pass(&mut self, bytes: usize) {
        let (passed, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.last = passed.chars().next_back().or(self.last);
        self.rest = rest;
    }

    /// Which of some words comes next, in any case.
    fn word(&mut self, words: &[&str], name: &str) -> Result<i64> {
        let begins =
            |word: &&str| self.rest.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word));
        let Some(at) = words.iter().position(begins) else {
            let shown = self.rest.split(is_space).next().unwrap_or_default();
            return Err(malformed(format!("invalid value \"{shown}\" for \"{name}\""))
                .with_details("The given value did not match any of the allowed values for this field."));
        };
        self.pass(words.get(at).map_or(0, |word| word.len()));
        Ok(i64::try_from(at).unwrap_or(0))
    }

    /// The sign may have been taken for a separator.
    fn zone_hours(&mut self, place: &Place<'_>) -> Result<()> {
        self.sign_of_zone = match self.next() {
            Some(sign @ ('+' | '-' | ' ')) => {
                self.skip();
                if sign == '-' { -1 } else { 1 }
            }
            _ if self.extra > 0 && self.last == Some('-') => -1,
            _ => 1,
        };
        let (value, _) = self.integer(place)?;
        set(&mut self.zone_hours, value, place.name)
    }

    fn year_with_comma(&mut self, name: &str) -> Result<()> {
        let refused = || malformed("invalid input string for \"Y,YYY\"".to_owned());
        let (thousands, used) = whole(self.rest);
        let behind = self.rest.get(used..).and_then(|rest| rest.strip_prefix(',')).filter(|_| used > 0);
        let behind = behind.ok_or_else(refused)?;
        let spaces = behind.len() - behind.trim_start_matches(is_space).len();
        let digits = behind[spaces..].get(..3).unwrap_or(&behind[spaces..]);
        let (years, more) = whole(digits);
        let year = thousands.zip(years).filter(|_| more > 0).ok_or_else(refused)?;
        set(&mut self.year, year.0.saturating_mul(1_000).saturating_add(year.1), name)?;
        self.year_digits = 4;
        self.pass(used + 1 + spaces + more);
        Ok(())
    }
}

/// Whether what follows a field ends a number.
fn ends(next: Option<&Part<'_>>) -> bool {
    match next {
        None => true,
        Some(Part::Field { field, .. }) => !is_digits(*field),
        Some(Part::Text { text, .. }) => !text.starts_with(|c: char| c.is_ascii_digit()),
    }
}

fn names(words: &[&'static str], length: Length) -> Vec<&'static str> {
    let shown = |word: &&'static str| match length {
        Length::Whole => *word,
        Length::Short => word.get(..3).unwrap_or(word),
    };
    words.iter().map(shown).collect()
}

/// A whole number in front, and how much of the text it is: white space in front counts. `None` where it is too large.
fn whole(text: &str) -> (Option<i64>, usize) {
    let behind = text.trim_start_matches(is_space);
    let unsigned = behind.strip_prefix(['+', '-']).unwrap_or(behind);
    let rest = unsigned.trim_start_matches(|c: char| c.is_ascii_digit());
    if rest.len() == unsigned.len() {
        return (None, 0);
    }
    let used = text.len() - rest.len();
    (behind[..behind.len() - rest.len()].parse().ok(), used)
}

/// A field may be said twice, but not otherwise.
fn set(field: &mut i64, value: i64, name: &str) -> Result<()> {
    if *field != 0 && *field != value {
        return Err(malformed(format!("conflicting values for \"{name}\" field in formatting string"))
            .with_details("This value contradicts a previous setting for the same field type."));
    }
    *field = value;
    Ok(())
}

/// A year of less than four digits: the one that is next to 2020.
fn near_2020(year: i64) -> i64 {
    match year {
        ..70 => year + 2_000,
        70..100 => year + 1_900,
        100..520 => year + 2_000,
        520..1_000 => year + 1_000,
        _ => year,
    }
}
