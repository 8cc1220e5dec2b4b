//! Dates and times: text forms in ISO style, and the calendar (PostgreSQL chapter 8.5, appendix B).

use std::fmt::Write;

use crate::session::{Session, zone_offset};
use crate::timetz::Timetz;
use crate::{Code, Error, Result};

/// Microseconds of a day.
pub const DAY_MICROS: i64 = 86_400_000_000;

/// Days between 0000-03-01 of the proleptic calendar and 2000-01-01.
const DAYS_TO_2000: i64 = 730_425;

/// Days since 2000-01-01 of a date of the proleptic Gregorian calendar; year 0 is 1 BC.
pub fn days_of(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let month_index = i64::from((month + 9) % 12);
    let of_year = (153 * month_index + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - DAYS_TO_2000
}

/// Year, month and day of days since 2000-01-01.
pub fn date_of(days: i64) -> (i64, u32, u32) {
    let days = days + DAYS_TO_2000;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * of_year + 2) / 153;
    let day = u32::try_from(of_year - (153 * month_index + 2) / 5 + 1).unwrap_or(1);
    let month = u32::try_from(if month_index < 10 { month_index + 3 } else { month_index - 9 }).unwrap_or(1);
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// Days of a month.
pub fn month_days(year: i64, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 => 29,
        2 => 28,
        _ => 31,
    }
}

/// Day of the week of days since 2000-01-01 (a Saturday): Sunday is 0.
pub fn weekday(days: i64) -> u32 {
    u32::try_from((days + 6).rem_euclid(7)).unwrap_or(0)
}

fn push_date(out: &mut String, days: i64) -> bool {
    let (year, month, day) = date_of(days);
    let before_christ = year <= 0;
    let shown = if before_christ { 1 - year } else { year };
    // Writing to a `String` cannot fail.
    let _ = write!(out, "{shown:04}-{month:02}-{day:02}");
    before_christ
}

fn push_time(out: &mut String, micros: i64) {
    let seconds = micros / 1_000_000;
    let _ = write!(out, "{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let fraction = micros % 1_000_000;
    if fraction != 0 {
        let text = format!("{fraction:06}");
        out.push('.');
        out.push_str(text.trim_end_matches('0'));
    }
}

fn push_offset(out: &mut String, seconds: i32, always_minutes: bool) {
    let (sign, east) = if seconds < 0 { ('-', -seconds) } else { ('+', seconds) };
    let _ = write!(out, "{sign}{:02}", east / 3_600);
    if always_minutes || east % 3_600 != 0 {
        let _ = write!(out, ":{:02}", east / 60 % 60);
    }
    if east % 60 != 0 {
        let _ = write!(out, ":{:02}", east % 60);
    }
}

/// `date` as text.
pub fn print_date(days: i32) -> String {
    match days {
        i32::MAX => return "infinity".to_owned(),
        i32::MIN => return "-infinity".to_owned(),
        _ => {}
    }
    let mut out = String::with_capacity(10);
    if push_date(&mut out, i64::from(days)) {
        out.push_str(" BC");
    }
    out
}

/// `time` as text.
pub fn print_time(micros: i64) -> String {
    let mut out = String::with_capacity(15);
    push_time(&mut out, micros);
    out
}

/// How a timestamp is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `2024-01-02 03:04:05+00`: the output function.
    Output,
    /// `2024-01-02T03:04:05+00:00`: in JSON.
    Json,
}

/// `timestamp` (no session) or `timestamptz` (with one) as text.
pub fn print_timestamp(out: &mut String, micros: i64, zone: Option<&Session>, style: Style) {
    match micros {
        i64::MAX => return out.push_str("infinity"),
        i64::MIN => return out.push_str("-infinity"),
        _ => {}
    }
    let offset = zone.map(|session| session.offset_at(micros));
    let local = micros.saturating_add(i64::from(offset.unwrap_or(0)) * 1_000_000);
    let before_christ = push_date(out, local.div_euclid(DAY_MICROS));
    out.push(if style == Style::Json { 'T' } else { ' ' });
    push_time(out, local.rem_euclid(DAY_MICROS));
    if let Some(offset) = offset {
        push_offset(out, offset, style == Style::Json);
    }
    if before_christ {
        out.push_str(" BC");
    }
}

/// What a text says of a point in time.
#[derive(Default)]
struct Fields {
    date: Option<(i64, u32, u32)>,
    time: Option<i64>,
    offset: Option<Zone>,
    before_christ: bool,
    special: Option<Special>,
    afternoon: Option<bool>,
}

enum Zone {
    Seconds(i32),
    Named(String),
}

#[derive(Clone, Copy)]
enum Special {
    Infinity,
    NegativeInfinity,
    Epoch,
    Now,
    Today(i64),
}

/// Why a text is no date or time.
enum Fault {
    Syntax,
    Range,
    Displacement,
    Zone(String),
}

fn fault(fault: Fault, type_name: &str, text: &str) -> Error {
    match fault {
        Fault::Syntax => Error::new(
            Code::INVALID_DATETIME,
            format!("invalid input syntax for type {type_name}: \"{text}\""),
        ),
        Fault::Range => {
            Error::new(Code::DATETIME_OVERFLOW, format!("date/time field value out of range: \"{text}\""))
        }
        Fault::Displacement => Error::new(
            Code::TIME_ZONE_DISPLACEMENT,
            format!("time zone displacement out of range: \"{text}\""),
        ),
        Fault::Zone(zone) => {
            Error::new(Code::INVALID_PARAMETER, format!("time zone \"{zone}\" not recognized"))
        }
    }
}

/// `date` from text.
///
/// # Errors
/// `22007`, `22008` with PostgreSQL's texts.
pub fn parse_date(text: &str, session: &Session) -> Result<i32> {
    let alone = text.trim_matches(crate::interval::is_separator);
    if !alone.is_empty() && alone.bytes().all(|byte| byte == b'0') {
        // A number alone is a part of a date, and no part of one is zero.
        return Err(fault(Fault::Range, "date", text));
    }
    let fields = read(text).map_err(|found| fault(found, "date", text))?;
    let days = match fields.special {
        Some(Special::Infinity) => return Ok(i32::MAX),
        Some(Special::NegativeInfinity) => return Ok(i32::MIN),
        Some(Special::Epoch) => -10_957,
        Some(Special::Now) => local_days(session),
        Some(Special::Today(shift)) => local_days(session) + shift,
        None => {
            let (year, month, day) = fields.date.ok_or_else(|| fault(Fault::Syntax, "date", text))?;
            days_of(year, month, day)
        }
    };
    if !(-2_451_545..=2_145_031_948).contains(&days) {
        return Err(Error::new(Code::DATETIME_OVERFLOW, format!("date out of range: \"{text}\"")));
    }
    i32::try_from(days).map_err(|_| fault(Fault::Range, "date", text))
}

fn local_days(session: &Session) -> i64 {
    session.now.saturating_add(i64::from(session.offset_at(session.now)) * 1_000_000).div_euclid(DAY_MICROS)
}

/// `time` from text.
///
/// # Errors
/// `22007`, `22008` with PostgreSQL's texts.
pub fn parse_time(text: &str, session: &Session) -> Result<i64> {
    let digits = text.trim();
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return bare_time(digits).map_err(|found| fault(found, "time", text));
    }
    let fields = read(text).map_err(|found| fault(found, "time", text))?;
    if let Some(Special::Now) = fields.special {
        return Ok(session
            .now
            .saturating_add(i64::from(session.offset_at(session.now)) * 1_000_000)
            .rem_euclid(DAY_MICROS));
    }
    clock(&fields)
        .ok_or_else(|| fault(Fault::Syntax, "time", text))?
        .map_err(|found| fault(found, "time", text))
}

/// `time with time zone` as text.
pub(crate) fn print_timetz(micros: i64, east: i32) -> String {
    let mut out = String::with_capacity(21);
    push_time(&mut out, micros);
    push_offset(&mut out, east, false);
    out
}

/// `time with time zone` from text. A zone whose offset depends on the day wants one.
///
/// # Errors
/// `22007`, `22008` with PostgreSQL's texts; `22023` for an unknown zone.
pub(crate) fn parse_timetz(text: &str, session: &Session) -> Result<Timetz> {
    let failed = |found| fault(found, "time with time zone", text);
    let digits = text.trim();
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(Timetz::today(bare_time(digits).map_err(failed)?, session));
    }
    let fields = read(&bare_with_offset(text)).map_err(failed)?;
    if let Some(Special::Now) = fields.special {
        return Ok(Timetz::at(session.now, session));
    }
    let micros = clock(&fields).ok_or(Fault::Syntax).and_then(|clock| clock).map_err(failed)?;
    let day = fields.date.map_or_else(|| local_days(session), |(year, month, day)| days_of(year, month, day));
    let local = day * DAY_MICROS + micros;
    let east = match fields.offset {
        None => i32::try_from((local - session.from_local(local)) / 1_000_000).unwrap_or(0),
        Some(Zone::Seconds(seconds)) => seconds,
        Some(Zone::Named(zone)) => match zone_offset(&zone, local, true) {
            Some(_) if fields.date.is_none() && zone.contains('/') => return Err(failed(Fault::Syntax)),
            Some(seconds) => seconds,
            None => return Err(failed(Fault::Zone(zone.to_lowercase()))),
        },
    };
    Ok(Timetz { micros, east })
}

/// `HHMMSS-08` with the marks that other forms have.
fn bare_with_offset(text: &str) -> String {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (clock, behind) = text.split_at(digits);
    if matches!(digits, 4 | 6)
        && behind.trim_start().starts_with(['+', '-'])
        && behind.matches('-').count() < 2
    {
        let pairs: Vec<&str> = (0..digits).step_by(2).filter_map(|at| clock.get(at..at + 2)).collect();
        return format!("{}{behind}", pairs.join(":"));
    }
    text.to_owned()
}

/// `HHMM` and `HHMMSS`.
fn bare_time(digits: &str) -> Result<i64, Fault> {
    let part = |at: usize| digits.get(at..at + 2).map_or(Some(0), |part| part.parse::<i64>().ok());
    let (Some(hour), Some(minute), Some(second), 4 | 6) = (part(0), part(2), part(4), digits.len()) else {
        return Err(Fault::Syntax);
    };
    let micros = (hour * 3_600 + minute * 60 + second) * 1_000_000;
    if minute > 59 || second > 60 || micros > DAY_MICROS {
        return Err(Fault::Range);
    }
    Ok(micros)
}

fn clock(fields: &Fields) -> Option<Result<i64, Fault>> {
    let micros = fields.time?;
    let hour = micros / 3_600_000_000;
    Some(match fields.afternoon {
        None => Ok(micros),
        Some(_) if !(1..=12).contains(&hour) => Err(Fault::Range),
        Some(true) if hour < 12 => Ok(micros + DAY_MICROS / 2),
        Some(false) if hour == 12 => Ok(micros - DAY_MICROS / 2),
        Some(_) => Ok(micros),
    })
}

/// `timestamp` or `timestamptz` from text.
///
/// # Errors
/// `22007`, `22008` with PostgreSQL's texts; `22023` for an unknown zone.
pub fn parse_timestamp(text: &str, session: &Session, with_zone: bool) -> Result<i64> {
    let type_name = if with_zone { "timestamp with time zone" } else { "timestamp" };
    let failed = |found| fault(found, type_name, text);
    let fields = read(text).map_err(failed)?;
    let local_now = session.now.saturating_add(i64::from(session.offset_at(session.now)) * 1_000_000);
    let local = match fields.special {
        Some(Special::Infinity) => return Ok(i64::MAX),
        Some(Special::NegativeInfinity) => return Ok(i64::MIN),
        Some(Special::Epoch) => return Ok(-10_957 * DAY_MICROS),
        Some(Special::Now) => return Ok(if with_zone { session.now } else { local_now }),
        Some(Special::Today(shift)) => (local_now.div_euclid(DAY_MICROS) + shift) * DAY_MICROS,
        None => {
            let (year, month, day) = fields.date.ok_or(Fault::Syntax).map_err(failed)?;
            let days = days_of(year, month, day);
            if !(-2_451_545..109_203_528).contains(&days) {
                return Err(Error::new(
                    Code::DATETIME_OVERFLOW,
                    format!("timestamp out of range: \"{text}\""),
                ));
            }
            days * DAY_MICROS
        }
    };
    let clock = clock(&fields).transpose_or_zero().map_err(failed)?;
    let local = local + clock;
    if !with_zone {
        return Ok(local);
    }
    match fields.offset {
        None => Ok(session.from_local(local)),
        Some(Zone::Seconds(seconds)) => Ok(local - i64::from(seconds) * 1_000_000),
        Some(Zone::Named(zone)) => match zone_offset(&zone, local, true) {
            Some(seconds) => Ok(local - i64::from(seconds) * 1_000_000),
            None => Err(failed(Fault::Zone(zone.to_lowercase()))),
        },
    }
}

trait TransposeOrZero {
    fn transpose_or_zero(self) -> Result<i64, Fault>;
}

impl TransposeOrZero for Option<Result<i64, Fault>> {
    fn transpose_or_zero(self) -> Result<i64, Fault> {
        self.unwrap_or(Ok(0))
    }
}

const MONTHS: &[&str] = &[
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

const WEEKDAYS: &[&str] = &["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

/// The position of a word, or of its first letters (three or more), in a list of names.
pub fn name_position(word: &str, names: &[&str]) -> Option<u32> {
    let found = names
        .iter()
        .position(|name| *name == word || (word.len() >= 3 && word.len() <= 4 && name.starts_with(word)))?;
    u32::try_from(found).ok()
}

fn read(text: &str) -> Result<Fields, Fault> {
    let mut fields = Fields::default();
    let lower = text.trim().to_ascii_lowercase();
    if lower.is_empty() {
        return Err(Fault::Syntax);
    }
    fields.special = match lower.as_str() {
        "infinity" | "+infinity" => Some(Special::Infinity),
        "-infinity" => Some(Special::NegativeInfinity),
        "epoch" => Some(Special::Epoch),
        "now" => Some(Special::Now),
        "today" => Some(Special::Today(0)),
        "tomorrow" => Some(Special::Today(1)),
        "yesterday" => Some(Special::Today(-1)),
        _ => None,
    };
    if fields.special.is_some() {
        return Ok(fields);
    }
    let mut loose = Loose::default();
    let spaced = separated(&lower);
    for word in spaced.split(|c| c != '_' && crate::interval::is_separator(c)).filter(|word| !word.is_empty())
    {
        read_word(word, text, &mut fields, &mut loose)?;
    }
    loose.finish(&mut fields)?;
    if fields.before_christ {
        let (year, month, day) = fields.date.ok_or(Fault::Syntax)?;
        fields.date = Some((1 - year, month, day));
    }
    if let Some((year, month, day)) = fields.date
        && (!(1..=12).contains(&month) || day < 1 || day > month_days(year, month))
    {
        return Err(Fault::Range);
    }
    Ok(fields)
}

/// The `t` between date and time as a space.
fn separated(lower: &str) -> String {
    let bytes = lower.as_bytes();
    let between = |at: usize| {
        at > 0
            && bytes.get(at - 1).is_some_and(u8::is_ascii_digit)
            && bytes.get(at + 1).is_some_and(u8::is_ascii_digit)
    };
    lower.char_indices().map(|(at, c)| if c == 't' && between(at) { ' ' } else { c }).collect()
}

/// Parts of a date that come in separate words: `January 8 1999`.
#[derive(Default)]
struct Loose {
    month: Option<u32>,
    numbers: Vec<(i64, usize)>,
}

impl Loose {
    fn finish(self, fields: &mut Fields) -> Result<(), Fault> {
        let Some(month) = self.month else {
            // A number alone is a month, and too few of a date.
            return match self.numbers.first() {
                None => Ok(()),
                Some((month, 1 | 2)) if !(1..=12).contains(month) => Err(Fault::Range),
                Some(_) => Err(Fault::Syntax),
            };
        };
        let [first, second] = self.numbers.as_slice() else { return Err(Fault::Syntax) };
        let (year, day) = if first.1 >= 3 { (first, second) } else { (second, first) };
        fields.date =
            Some((full_year(year.0, year.1), month, u32::try_from(day.0).map_err(|_| Fault::Range)?));
        Ok(())
    }
}

/// Years of two digits are 1970 to 2069.
fn full_year(year: i64, digits: usize) -> i64 {
    match year {
        0..=69 if digits <= 2 => 2000 + year,
        70..=99 if digits <= 2 => 1900 + year,
        year => year,
    }
}

fn read_word(word: &str, text: &str, fields: &mut Fields, loose: &mut Loose) -> Result<(), Fault> {
    match word {
        "bc" => fields.before_christ = true,
        "ad" => {}
        "am" => fields.afternoon = Some(false),
        "pm" => fields.afternoon = Some(true),
        "z" | "utc" | "gmt" | "zulu" => fields.offset = Some(Zone::Seconds(0)),
        "allballs" => fields.time = Some(0),
        _ if word.starts_with(['+', '-']) => fields.offset = Some(Zone::Seconds(read_offset(word)?)),
        _ if word.contains(':') => read_clock(word, fields)?,
        _ if word.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            return read_name(word, text, fields, loose);
        }
        _ if word.contains('-') && word.len() > 2 && !word.starts_with('-') => {
            read_date_with(word, '-', fields, loose)?
        }
        _ if word.contains('/') => read_date_with(word, '/', fields, loose)?,
        _ if word.contains('.') && word.matches('.').count() == 2 => {
            read_date_with(word, '.', fields, loose)?
        }
        _ if word.bytes().all(|byte| byte.is_ascii_digit()) => read_digits(word, fields, loose)?,
        _ => return Err(Fault::Syntax),
    }
    Ok(())
}

fn read_digits(word: &str, fields: &mut Fields, loose: &mut Loose) -> Result<(), Fault> {
    let number = |range: std::ops::Range<usize>| {
        word.get(range).and_then(|part| part.parse::<i64>().ok()).ok_or(Fault::Syntax)
    };
    let small = |value: i64| u32::try_from(value).map_err(|_| Fault::Range);
    match word.len() {
        length @ 6.. if fields.date.is_none() && loose.month.is_none() => {
            // Day and month are the last four digits, however long the year.
            let year = number(0..length - 4).map_err(|_| Fault::Range)?;
            let (month, day) = (number(length - 4..length - 2)?, number(length - 2..length)?);
            fields.date = Some((full_year(year, length - 4), small(month)?, small(day)?));
        }
        6 if fields.date.is_some() => {
            fields.time = Some((number(0..2)? * 3600 + number(2..4)? * 60 + number(4..6)?) * 1_000_000);
        }
        length => loose.numbers.push((number(0..length)?, length)),
    }
    Ok(())
}

fn read_name(word: &str, text: &str, fields: &mut Fields, loose: &mut Loose) -> Result<(), Fault> {
    if let Some(position) = name_position(word, MONTHS) {
        loose.month = Some(position + 1);
        return Ok(());
    }
    if name_position(word, WEEKDAYS).is_some() {
        return Ok(());
    }
    if let Some((month, rest)) = word.split_once('-')
        && let Some(position) = name_position(month, MONTHS)
    {
        loose.month = Some(position + 1);
        for part in rest.split('-') {
            read_digits(part, fields, loose)?;
        }
        return Ok(());
    }
    if fields.date.is_none() && loose.month.is_none() && fields.time.is_none() {
        return Err(Fault::Syntax);
    }
    // A zone keeps the case it was written in.
    let at = text.to_ascii_lowercase().find(word).unwrap_or(0);
    let written = text.get(at..at + word.len()).unwrap_or(word);
    fields.offset = Some(Zone::Named(written.to_owned()));
    Ok(())
}

fn read_date_with(word: &str, separator: char, fields: &mut Fields, loose: &mut Loose) -> Result<(), Fault> {
    let parts: Vec<&str> = word.split(separator).collect();
    let [first, second, third] = parts.as_slice() else {
        // `2024-01-02+02`, `8-jan-1999 …` come in other shapes.
        return Err(Fault::Syntax);
    };
    if let Some(position) = name_position(second, MONTHS) {
        loose.month = Some(position + 1);
        read_digits(first, fields, loose)?;
        return read_digits(third, fields, loose);
    }
    // The last part of an ISO date may have an offset or a zone behind it.
    let digits_end = third.find(|c: char| !c.is_ascii_digit()).unwrap_or(third.len());
    let (third, behind) = third.split_at(digits_end);
    if !behind.is_empty() {
        fields.offset = Some(if behind.starts_with('+') {
            Zone::Seconds(read_offset(behind)?)
        } else {
            Zone::Named(behind.to_owned())
        });
    }
    let number = |part: &str| part.parse::<i64>().map_err(|_| Fault::Syntax);
    let small = |part: &str| part.parse::<u32>().map_err(|_| Fault::Syntax);
    fields.date = Some(if first.len() >= 3 {
        (number(first)?, small(second)?, small(third)?)
    } else {
        // DateStyle MDY.
        (full_year(number(third)?, third.len()), small(first)?, small(second)?)
    });
    Ok(())
}

/// `HH:MM[:SS[.ffffff]]` with an offset or `am`/`pm`/`z` behind it.
fn read_clock(word: &str, fields: &mut Fields) -> Result<(), Fault> {
    let end = word.find(|c: char| !(c.is_ascii_digit() || c == ':' || c == '.')).unwrap_or(word.len());
    let (clock, behind) = word.split_at(end);
    let parts: Vec<&str> = clock.split(':').collect();
    if !(2..=3).contains(&parts.len()) {
        return Err(Fault::Syntax);
    }
    let number = |part: &str| part.parse::<i64>().map_err(|_| Fault::Syntax);
    let (hours, minutes) = (number(parts[0])?, number(parts[1])?);
    let (seconds, fraction) = match parts.get(2) {
        None => (0, 0),
        Some(part) => {
            let (whole, fraction) = part.split_once('.').unwrap_or((part, ""));
            (number(whole)?, fraction_micros(fraction)?)
        }
    };
    let end_of_day = hours == 24 && minutes == 0 && seconds == 0 && fraction == 0;
    if (!(0..24).contains(&hours) && !end_of_day)
        || !(0..60).contains(&minutes)
        || !(0..=60).contains(&seconds)
    {
        return Err(Fault::Range);
    }
    fields.time = Some(((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + fraction);
    match behind {
        "" => {}
        "am" => fields.afternoon = Some(false),
        "pm" => fields.afternoon = Some(true),
        "z" => fields.offset = Some(Zone::Seconds(0)),
        _ if behind.starts_with(['+', '-']) => fields.offset = Some(Zone::Seconds(read_offset(behind)?)),
        _ => fields.offset = Some(Zone::Named(behind.to_owned())),
    }
    Ok(())
}

/// Digits after the point as microseconds, rounded.
pub fn fraction_micros_of(fraction: &str) -> Option<i64> {
    fraction_micros(fraction).ok()
}

fn fraction_micros(fraction: &str) -> Result<i64, Fault> {
    if fraction.is_empty() {
        return Ok(0);
    }
    let value: f64 = format!("0.{fraction}").parse().map_err(|_| Fault::Syntax)?;
    let micros = (value * 1e6).round();
    // At most a million, exact.
    format!("{micros:.0}").parse().map_err(|_| Fault::Syntax)
}

fn read_offset(text: &str) -> Result<i32, Fault> {
    let negative = text.starts_with('-');
    let digits = text.trim_start_matches(['+', '-']);
    let parts: Vec<&str> = match digits.len() {
        4 if !digits.contains(':') => vec![&digits[..2], &digits[2..]],
        6 if !digits.contains(':') => vec![&digits[..2], &digits[2..4], &digits[4..]],
        _ => digits.split(':').collect(),
    };
    let mut seconds = 0;
    for (part, unit) in parts.iter().zip([3600, 60, 1]) {
        if part.is_empty() || part.contains(|c: char| !c.is_ascii_digit()) {
            return Err(Fault::Syntax);
        }
        let value: i32 = part.parse().map_err(|_| Fault::Displacement)?;
        if value > 59 {
            return Err(Fault::Displacement);
        }
        seconds += value * unit;
    }
    if seconds > 15 * 3600 + 59 * 60 + 59 || parts.len() > 3 {
        return Err(Fault::Displacement);
    }
    Ok(if negative { -seconds } else { seconds })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(text: &str) -> String {
        let session = Session::utc(0);
        let mut out = String::new();
        print_timestamp(
            &mut out,
            parse_timestamp(text, &session, true).unwrap(),
            Some(&session),
            Style::Output,
        );
        out
    }

    #[test]
    fn timestamps_are_read_in_every_common_form() {
        for text in [
            "2024-01-02 03:04:05",
            "2024-01-02T03:04:05Z",
            "2024-01-02 05:04:05+02",
            "2024-01-02 05:04:05+02:00",
            "January 2, 2024 03:04:05",
            "1/2/2024 3:04:05 AM UTC",
            "20240102 030405",
            "Tue Jan 2 03:04:05 2024",
        ] {
            assert_eq!(stamp(text), "2024-01-02 03:04:05+00", "{text}");
        }
        assert_eq!(stamp("2024-01-02 03:04:05.123456789"), "2024-01-02 03:04:05.123457+00");
        assert_eq!(stamp("0044-03-15 00:00:00 BC"), "0044-03-15 00:00:00+00 BC");
        assert_eq!(stamp("infinity"), "infinity");
    }

    #[test]
    fn days_and_dates_are_inverse() {
        for days in [-2_451_545, -800_000, -730_425, -1, 0, 59, 60, 10_000, 2_000_000] {
            let (year, month, day) = date_of(days);
            assert_eq!(days_of(year, month, day), days);
        }
        assert_eq!(print_date(0), "2000-01-01");
    }

    #[test]
    fn what_is_no_date_is_refused_as_postgresql_refuses_it() {
        let session = Session::utc(0);
        assert_eq!(
            parse_date("2024-02-30", &session).unwrap_err().message(),
            "date/time field value out of range: \"2024-02-30\""
        );
        assert_eq!(
            parse_date("x", &session).unwrap_err().message(),
            "invalid input syntax for type date: \"x\""
        );
        assert_eq!(parse_date(" 0000", &session).unwrap_err().code(), Code::DATETIME_OVERFLOW);
        assert_eq!(parse_date("0099", &session).unwrap_err().code().name(), "22007");
    }
}
