//! `to_char` of moments and intervals (PostgreSQL 9.8). Month and day names are English, as under `C.UTF-8`. What is written
//! so is read by `moment_read`.

use types::datetime::{DAY_MICROS, date_of, days_of, weekday};
use types::session::Session;
use types::value::Interval;
use types::{Code, Error, Result, Value};

use super::Ty::{Interval as V, Text as T, Timestamp as S, Timestamptz as Z};
use super::arguments::{interval, ok_text, text, timestamp};
use super::number_format::ordinal;
use super::{Context, Function};

pub(super) static ROWS: &[Function] = &[
    Function::new("to_char", &[S, T], T, |_, a| of_timestamp(timestamp(a, 0)?, text(a, 1)?, None)).stable(),
    Function::new("to_char", &[Z, T], T, |c, a| of_timestamp(timestamp(a, 0)?, text(a, 1)?, Some(c.session)))
        .stable(),
    Function::new("to_char", &[V, T], T, |_: &mut Context<'_>, a| of_interval(interval(a, 0)?, text(a, 1)?))
        .stable(),
];

/// What a pattern stands for. Upper and lower case are told apart where they print differently.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Field {
    Era(&'static str, &'static str),
    HalfDay(&'static str, &'static str),
    Century,
    DayName(Case, Length),
    MonthName(Case, Length),
    DayOfYear,
    IsoDayOfYear,
    DayOfMonth,
    DayOfWeek,
    IsoDayOfWeek,
    Fraction(u32),
    Exact,
    Hour24,
    Hour12,
    IsoYear(u32),
    Year(u32),
    YearWithComma,
    IsoWeek,
    Julian,
    Minute,
    Month,
    Offset,
    OffsetHours,
    OffsetMinutes,
    Zone(Case),
    Quarter,
    Roman(Case),
    SecondsOfDay,
    Second,
    WeekOfYear,
    WeekOfMonth,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Case {
    Upper,
    Title,
    Lower,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Length {
    Whole,
    Short,
}

/// The patterns; a longer one stands before those that it begins with.
#[rustfmt::skip]
const PATTERNS: &[(&str, Field)] = &[
    ("A.D.", Field::Era("A.D.", "B.C.")), ("a.d.", Field::Era("a.d.", "b.c.")),
    ("B.C.", Field::Era("A.D.", "B.C.")), ("b.c.", Field::Era("a.d.", "b.c.")),
    ("A.M.", Field::HalfDay("A.M.", "P.M.")), ("a.m.", Field::HalfDay("a.m.", "p.m.")),
    ("P.M.", Field::HalfDay("A.M.", "P.M.")), ("p.m.", Field::HalfDay("a.m.", "p.m.")),
    ("AD", Field::Era("AD", "BC")), ("ad", Field::Era("ad", "bc")),
    ("BC", Field::Era("AD", "BC")), ("bc", Field::Era("ad", "bc")),
    ("AM", Field::HalfDay("AM", "PM")), ("am", Field::HalfDay("am", "pm")),
    ("PM", Field::HalfDay("AM", "PM")), ("pm", Field::HalfDay("am", "pm")),
    ("CC", Field::Century), ("cc", Field::Century),
    ("DAY", Field::DayName(Case::Upper, Length::Whole)), ("Day", Field::DayName(Case::Title, Length::Whole)),
    ("day", Field::DayName(Case::Lower, Length::Whole)),
    ("DY", Field::DayName(Case::Upper, Length::Short)), ("Dy", Field::DayName(Case::Title, Length::Short)),
    ("dy", Field::DayName(Case::Lower, Length::Short)),
    ("DDD", Field::DayOfYear), ("ddd", Field::DayOfYear), ("DD", Field::DayOfMonth), ("dd", Field::DayOfMonth),
    ("D", Field::DayOfWeek), ("d", Field::DayOfWeek),
    ("FF1", Field::Fraction(1)), ("ff1", Field::Fraction(1)), ("FF2", Field::Fraction(2)), ("ff2", Field::Fraction(2)),
    ("FF3", Field::Fraction(3)), ("ff3", Field::Fraction(3)), ("FF4", Field::Fraction(4)), ("ff4", Field::Fraction(4)),
    ("FF5", Field::Fraction(5)), ("ff5", Field::Fraction(5)), ("FF6", Field::Fraction(6)), ("ff6", Field::Fraction(6)),
    ("FX", Field::Exact), ("fx", Field::Exact),
    ("HH24", Field::Hour24), ("hh24", Field::Hour24), ("HH12", Field::Hour12), ("hh12", Field::Hour12),
    ("HH", Field::Hour12), ("hh", Field::Hour12),
    ("IDDD", Field::IsoDayOfYear), ("iddd", Field::IsoDayOfYear), ("ID", Field::IsoDayOfWeek), ("id", Field::IsoDayOfWeek),
    ("IW", Field::IsoWeek), ("iw", Field::IsoWeek),
    ("IYYY", Field::IsoYear(4)), ("iyyy", Field::IsoYear(4)), ("IYY", Field::IsoYear(3)), ("iyy", Field::IsoYear(3)),
    ("IY", Field::IsoYear(2)), ("iy", Field::IsoYear(2)), ("I", Field::IsoYear(1)), ("i", Field::IsoYear(1)),
    ("J", Field::Julian), ("j", Field::Julian),
    ("MI", Field::Minute), ("mi", Field::Minute), ("MM", Field::Month), ("mm", Field::Month),
    ("MONTH", Field::MonthName(Case::Upper, Length::Whole)), ("Month", Field::MonthName(Case::Title, Length::Whole)),
    ("month", Field::MonthName(Case::Lower, Length::Whole)),
    ("MON", Field::MonthName(Case::Upper, Length::Short)), ("Mon", Field::MonthName(Case::Title, Length::Short)),
    ("mon", Field::MonthName(Case::Lower, Length::Short)),
    ("MS", Field::Fraction(3)), ("ms", Field::Fraction(3)),
    ("OF", Field::Offset), ("of", Field::Offset),
    ("Q", Field::Quarter), ("q", Field::Quarter),
    ("RM", Field::Roman(Case::Upper)), ("rm", Field::Roman(Case::Lower)),
    ("SSSSS", Field::SecondsOfDay), ("sssss", Field::SecondsOfDay), ("SSSS", Field::SecondsOfDay), ("ssss", Field::SecondsOfDay),
    ("SS", Field::Second), ("ss", Field::Second),
    ("TZH", Field::OffsetHours), ("tzh", Field::OffsetHours), ("TZM", Field::OffsetMinutes), ("tzm", Field::OffsetMinutes),
    ("TZ", Field::Zone(Case::Upper)), ("tz", Field::Zone(Case::Lower)),
    ("US", Field::Fraction(6)), ("us", Field::Fraction(6)),
    ("WW", Field::WeekOfYear), ("ww", Field::WeekOfYear), ("W", Field::WeekOfMonth), ("w", Field::WeekOfMonth),
    ("Y,YYY", Field::YearWithComma), ("y,yyy", Field::YearWithComma),
    ("YYYY", Field::Year(4)), ("yyyy", Field::Year(4)), ("YYY", Field::Year(3)), ("yyy", Field::Year(3)),
    ("YY", Field::Year(2)), ("yy", Field::Year(2)), ("Y", Field::Year(1)), ("y", Field::Year(1)),
];

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(super) const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
pub(super) const ROMAN_MONTHS: [&str; 12] =
    ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"];

/// A part of a format.
pub(super) enum Part<'f> {
    Text {
        /// One character.
        text: &'f str,
        /// Whether it stands in double quotes.
        is_quoted: bool,
    },
    Field {
        field: Field,
        /// The pattern, as it is written.
        name: &'f str,
        /// No padding (`FM`, `TM`).
        is_trimmed: bool,
        /// An ordinal's ending behind the number: upper case or not.
        ordinal: Option<Case>,
    },
}

/// The next of a format's texts. What is no pattern is text; text in double quotes always is.
pub(super) fn literal<'f>(rest: &mut &'f str, out: &mut Vec<&'f str>) {
    if let Some(mut quoted) = rest.strip_prefix('"') {
        while let Some(c) = quoted.chars().next() {
            let is_escape = c == '\\' && quoted.len() > 1;
            if c == '"' {
                quoted = &quoted[1..];
                break;
            }
            quoted = if is_escape { &quoted[1..] } else { quoted };
            let length = quoted.chars().next().map_or(0, char::len_utf8);
            out.push(&quoted[..length]);
            quoted = &quoted[length..];
        }
        *rest = quoted;
        return;
    }
    let text: &'f str = if rest.starts_with("\\\"") { &rest[1..] } else { rest };
    let length = text.chars().next().map_or(0, char::len_utf8);
    out.push(&text[..length]);
    *rest = &text[length..];
}

/// A format's parts.
pub(super) fn parts(format: &str) -> Vec<Part<'_>> {
    let (mut rest, mut parts) = (format, Vec::new());
    while !rest.is_empty() {
        let trimmed = ["FM", "fm", "TM", "tm"].iter().find_map(|prefix| rest.strip_prefix(prefix));
        rest = trimmed.unwrap_or(rest);
        let found = PATTERNS.iter().find_map(|(name, field)| Some((rest.strip_prefix(name)?, *field)));
        let Some((behind, field)) = found else {
            let (mut texts, is_quoted) = (Vec::new(), rest.starts_with('"'));
            if !rest.is_empty() {
                literal(&mut rest, &mut texts);
            }
            parts.extend(texts.into_iter().map(|text| Part::Text { text, is_quoted }));
            continue;
        };
        let name = &rest[..rest.len() - behind.len()];
        rest = behind;
        let endings = [("TH", Some(Case::Upper)), ("th", Some(Case::Lower)), ("SP", None)];
        let ending = endings.iter().find_map(|(name, case)| Some((rest.strip_prefix(name)?, *case)));
        let (behind, ordinal) = ending.unwrap_or((rest, None));
        rest = behind;
        parts.push(Part::Field { field, name, is_trimmed: trimmed.is_some(), ordinal });
    }
    parts
}

/// A moment or an interval in its fields.
struct Fields<'a> {
    is_interval: bool,
    year: i64,
    /// From 1; of an interval from 0.
    month: i64,
    day: i64,
    day_of_year: i64,
    /// Days since 2000-01-01.
    days: i64,
    hour: i64,
    minute: i64,
    second: i64,
    micros: i64,
    /// Seconds east of UTC, and the zone.
    offset: i64,
    zone: Option<(&'a Session, i64)>,
}

pub(super) fn of_timestamp(micros: i64, format: &str, session: Option<&Session>) -> Result<Value> {
    if format.is_empty() || !types::moment::is_finite(micros) {
        return Ok(Value::Null);
    }
    let offset = i64::from(session.map_or(0, |session| session.offset_at(micros)));
    let local = micros.saturating_add(offset * 1_000_000);
    let (days, time) = (local.div_euclid(DAY_MICROS), local.rem_euclid(DAY_MICROS));
    let (year, month, day) = date_of(days);
    let fields = Fields {
        is_interval: false,
        year,
        month: month.into(),
        day: day.into(),
        day_of_year: days - days_of(year, 1, 1) + 1,
        days,
        hour: time / 3_600_000_000,
        minute: time / 60_000_000 % 60,
        second: time / 1_000_000 % 60,
        micros: time % 1_000_000,
        offset,
        zone: session.map(|session| (session, micros)),
    };
    fields.written(format)
}

fn of_interval(interval: Interval, format: &str) -> Result<Value> {
    if format.is_empty() {
        return Ok(Value::Null);
    }
    let (year, month) = (i64::from(interval.months / 12), i64::from(interval.months % 12));
    let fields = Fields {
        is_interval: true,
        year,
        month,
        day: interval.days.into(),
        day_of_year: (year * 12 + month) * 30 + i64::from(interval.days),
        days: 0,
        hour: interval.micros / 3_600_000_000,
        minute: interval.micros / 60_000_000 % 60,
        second: interval.micros / 1_000_000 % 60,
        micros: interval.micros % 1_000_000,
        offset: 0,
        zone: None,
    };
    fields.written(format)
}

/// A number with zeros in front; the sign takes a place of its own.
fn padded(number: i64, width: usize) -> String {
    if number < 0 {
        return format!("-{:0width$}", number.unsigned_abs());
    }
    format!("{number:0width$}")
}

fn cased(text: &str, case: Case) -> String {
    match case {
        Case::Upper => text.to_ascii_uppercase(),
        Case::Title => text.to_owned(),
        Case::Lower => text.to_ascii_lowercase(),
    }
}

/// The item at a position from 0.
fn at<'t>(table: &[&'t str], position: i64) -> &'t str {
    usize::try_from(position).ok().and_then(|position| table.get(position)).copied().unwrap_or("")
}

impl Fields<'_> {
    fn written(&self, format: &str) -> Result<Value> {
        let mut out = String::new();
        for part in parts(format) {
            match part {
                Part::Text { text, .. } => out.push_str(text),
                Part::Field { field, is_trimmed, ordinal, .. } => {
                    self.write(&mut out, field, is_trimmed, ordinal)?
                }
            }
        }
        ok_text(out)
    }

    fn write(&self, out: &mut String, field: Field, is_trimmed: bool, ending: Option<Case>) -> Result<()> {
        if let Some(text) = self.word(field, is_trimmed)? {
            out.push_str(&text);
            return Ok(());
        }
        let number = self.number(field, is_trimmed);
        out.push_str(&number);
        if let Some(case) = ending.filter(|_| !number.is_empty()) {
            out.push_str(&cased(ordinal(&number)?, case));
        }
        Ok(())
    }

    /// Fields that print words; an ordinal's ending means nothing behind them.
    fn word(&self, field: Field, is_trimmed: bool) -> Result<Option<String>> {
        let name = |text: &str, case: Case, length: Length| match (length, is_trimmed) {
            (Length::Short, _) => cased(text.get(..3).unwrap_or(text), case),
            (Length::Whole, true) => cased(text, case),
            (Length::Whole, false) => format!("{:<9}", cased(text, case)),
        };
        Ok(Some(match field {
            Field::HalfDay(morning, evening) => {
                if self.hour % 24 >= 12 { evening } else { morning }.to_owned()
            }
            Field::Era(after, before) => {
                self.only_of_moments()?;
                if self.year <= 0 { before } else { after }.to_owned()
            }
            Field::MonthName(case, length) => {
                self.only_of_moments()?;
                name(at(&MONTHS, self.month - 1), case, length)
            }
            Field::DayName(case, length) => {
                self.only_of_moments()?;
                name(at(&DAYS, i64::from(weekday(self.days))), case, length)
            }
            Field::Zone(case) => {
                self.only_of_moments()?;
                let zone = self.zone.map(|(session, micros)| session.abbreviation_at(micros));
                zone.map(|zone| cased(&zone, if case == Case::Upper { Case::Title } else { case }))
                    .unwrap_or_default()
            }
            Field::OffsetHours => {
                self.only_of_moments()?;
                format!("{}{:02}", if self.offset < 0 { '-' } else { '+' }, self.offset.abs() / 3_600)
            }
            Field::OffsetMinutes => {
                self.only_of_moments()?;
                format!("{:02}", self.offset.abs() % 3_600 / 60)
            }
            Field::Offset => {
                self.only_of_moments()?;
                let minutes = self.offset.abs() % 3_600 / 60;
                let behind = if minutes == 0 { String::new() } else { format!(":{minutes:02}") };
                format!("{}{:02}{behind}", if self.offset < 0 { '-' } else { '+' }, self.offset.abs() / 3_600)
            }
            Field::DayOfWeek | Field::IsoDayOfWeek => {
                self.only_of_moments()?;
                return Ok(None);
            }
            Field::Roman(case) => self.roman(case, is_trimmed),
            Field::Exact => String::new(),
            _ => return Ok(None),
        }))
    }

    fn roman(&self, case: Case, is_trimmed: bool) -> String {
        if self.month == 0 && self.year == 0 {
            return String::new();
        }
        let position = match self.month {
            0 if self.year > 0 => 11,
            0 => 0,
            month if month < 0 => 12 + month,
            month => month - 1,
        };
        let text = cased(at(&ROMAN_MONTHS, position), case);
        if is_trimmed { text } else { format!("{text:<4}") }
    }

    fn number(&self, field: Field, is_trimmed: bool) -> String {
        let width = |width: usize| if is_trimmed { 0 } else { width };
        let year = |year: i64| if self.is_interval || year > 0 { year } else { 1 - year };
        let short = |number: i64, digits: u32| {
            let is_wide = digits > 1 && year(self.year) < 0;
            padded_in(number % 10_i64.pow(digits), width(digits as usize + usize::from(is_wide)))
        };
        match field {
            Field::Hour24 => padded(self.hour, width(2)),
            Field::Hour12 => padded(if self.hour % 12 == 0 { 12 } else { self.hour % 12 }, width(2)),
            Field::Minute => padded(self.minute, width(2)),
            Field::Second => padded(self.second, width(2)),
            Field::Fraction(digits) => padded_in(self.micros / 10_i64.pow(6 - digits), digits as usize),
            Field::SecondsOfDay => (self.hour * 3_600 + self.minute * 60 + self.second).to_string(),
            Field::Month => padded(self.month, width(2)),
            Field::DayOfYear => padded_in(self.day_of_year, width(3)),
            Field::IsoDayOfYear => padded_in(self.iso_day_of_year(), width(3)),
            Field::DayOfMonth => padded_in(self.day, width(2)),
            Field::DayOfWeek => (weekday(self.days) + 1).to_string(),
            Field::IsoDayOfWeek => match weekday(self.days) {
                0 => "7".to_owned(),
                day => day.to_string(),
            },
            Field::WeekOfYear => padded_in((self.day_of_year - 1) / 7 + 1, width(2)),
            Field::IsoWeek => padded_in(self.iso_week(), width(2)),
            Field::WeekOfMonth => ((self.day - 1) / 7 + 1).to_string(),
            Field::Quarter if self.month == 0 => String::new(),
            Field::Quarter => ((self.month - 1) / 3 + 1).to_string(),
            Field::Century => self.century(is_trimmed),
            Field::YearWithComma => {
                let year = year(self.year);
                format!("{},{}", year / 1_000, padded_in(year - year / 1_000 * 1_000, 3))
            }
            Field::Year(4) => padded(year(self.year), width(4)),
            Field::Year(digits) => short(year(self.year), digits),
            Field::IsoYear(4) => {
                padded_in(year(self.iso_year()), width(if year(self.year) < 0 { 5 } else { 4 }))
            }
            Field::IsoYear(digits) => short(year(self.iso_year()), digits),
            Field::Julian => (self.julian()).to_string(),
            _ => String::new(),
        }
    }

    fn only_of_moments(&self) -> Result<()> {
        if self.is_interval {
            return Err(Error::new(
                Code::INVALID_DATETIME,
                "invalid format specification for an interval value",
            )
            .with_hint("Intervals are not tied to specific calendar dates."));
        }
        Ok(())
    }

    fn century(&self, is_trimmed: bool) -> String {
        let century = match self.year {
            year if self.is_interval => year / 100,
            year if year > 0 => (year - 1) / 100 + 1,
            year => year / 100 - 1,
        };
        if (-99..=99).contains(&century) && !is_trimmed { padded(century, 2) } else { century.to_string() }
    }

    /// Days since 2000-01-01, of an interval's fields taken as a date.
    fn date(&self) -> i64 {
        if !self.is_interval {
            return self.days;
        }
        julian(self.year, self.month, self.day) - JULIAN_OF_EPOCH
    }

    fn julian(&self) -> i64 {
        self.date() + JULIAN_OF_EPOCH
    }

    fn iso_year(&self) -> i64 {
        let days = self.date();
        match self.year {
            year if days < first_monday(year) => year - 1,
            year if days >= first_monday(year + 1) => year + 1,
            year => year,
        }
    }

    fn iso_week(&self) -> i64 {
        (self.date() - first_monday(self.iso_year())) / 7 + 1
    }

    fn iso_day_of_year(&self) -> i64 {
        self.date() - first_monday(self.iso_year()) + 1
    }
}

/// The Julian day of 2000-01-01.
pub(super) const JULIAN_OF_EPOCH: i64 = 2_451_545;

/// The Julian day of fields that need not be a date: PostgreSQL's `date2j`.
pub(super) fn julian(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year + 4_800, month + 1) } else { (year + 4_799, month + 13) };
    let century = year / 100;
    year * 365 - 32_167 + year / 4 - century + century / 4 + 7_834 * month / 256 + day
}

/// The Monday on which the first ISO week of a year begins, as days since 2000-01-01.
pub(super) fn first_monday(year: i64) -> i64 {
    let fourth = days_of(year, 1, 4);
    fourth - (i64::from(weekday(fourth)) + 6) % 7
}

/// A number with zeros in front, the sign counted.
fn padded_in(number: i64, width: usize) -> String {
    format!("{number:0width$}")
}
