//! Formats of `.datetime()` in a JSON path (PostgreSQL 9.16.2): they are held to the letter, and say what they make.

use types::datetime::DAY_MICROS;
use types::{Error, Result};

use super::super::moment_format::{Field, Part, parts};
use super::{DATES, Reading, malformed, overflow, rounded};

/// What a format makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::functions) enum Kind {
    Date,
    Time,
    Timetz,
    Timestamp,
    Timestamptz,
}

/// What a text says by a format.
#[derive(Clone, Copy, Debug)]
pub(in crate::functions) struct Standard {
    pub(in crate::functions) kind: Kind,
    /// Since midnight or 2000-01-01, on the clock that is meant; of a date those of its midnight, which may be beyond timestamps.
    pub(in crate::functions) local: i128,
    /// How far east of UTC that clock is, in seconds.
    pub(in crate::functions) east: i64,
}

/// Characters that may stand between fields.
const SEPARATORS: &str = "-./,':; ";

/// Formats of which one is meant where none is said.
const KNOWN: &[&str] = &[
    "yyyy-mm-dd",
    "HH24:MI:SS.USTZH:TZM",
    "HH24:MI:SS.USTZH",
    "HH24:MI:SS.US",
    "HH24:MI:SSTZH:TZM",
    "HH24:MI:SSTZH",
    "HH24:MI:SS",
    "yyyy-mm-dd HH24:MI:SS.USTZH:TZM",
    "yyyy-mm-dd HH24:MI:SS.USTZH",
    "yyyy-mm-dd HH24:MI:SS.US",
    "yyyy-mm-dd HH24:MI:SSTZH:TZM",
    "yyyy-mm-dd HH24:MI:SSTZH",
    "yyyy-mm-dd HH24:MI:SS",
    "yyyy-mm-dd\"T\"HH24:MI:SS.USTZH:TZM",
    "yyyy-mm-dd\"T\"HH24:MI:SS.USTZH",
    "yyyy-mm-dd\"T\"HH24:MI:SS.US",
    "yyyy-mm-dd\"T\"HH24:MI:SSTZH:TZM",
    "yyyy-mm-dd\"T\"HH24:MI:SSTZH",
    "yyyy-mm-dd\"T\"HH24:MI:SS",
];

impl Standard {
    /// What a text says in one of the known formats.
    pub(in crate::functions) fn known(written: &str) -> Option<Standard> {
        KNOWN.iter().find_map(|format| Standard::of(written, format).ok())
    }

    /// What a text says by a format.
    ///
    /// # Errors
    /// `22007` for a text that is not of the format to the letter, and what its fields cannot be.
    pub(in crate::functions) fn of(written: &str, format: &str) -> Result<Standard> {
        let parts = parts(format);
        if parts.is_empty() {
            kind(&parts)?;
        }
        let reading = Reading::exactly(written, &parts)?;
        let kind = kind(&parts)?;
        let moment = reading.moment(written)?;
        let micros = rounded(moment.micros, moment.digits.unwrap_or(6));
        let days = match kind {
            Kind::Time | Kind::Timetz => 0,
            Kind::Date => moment
                .days()
                .filter(|days| DATES.contains(days))
                .ok_or_else(|| overflow(format!("date out of range: \"{written}\"")))?,
            Kind::Timestamp | Kind::Timestamptz => moment.days().ok_or_else(|| out_of_range(kind))?,
        };
        let time = if kind == Kind::Date { 0 } else { micros };
        let found = Standard {
            kind,
            local: i128::from(days) * i128::from(DAY_MICROS) + i128::from(time),
            east: moment.offset_minutes.unwrap_or(0) * 60,
        };
        if matches!(kind, Kind::Timestamp | Kind::Timestamptz) {
            let micros = i64::try_from(found.utc()).map_err(|_| out_of_range(kind))?;
            types::moment::valid(micros).map_err(|_| out_of_range(kind))?;
        }
        Ok(found)
    }

    /// The same on a clock in UTC.
    pub(in crate::functions) fn utc(&self) -> i128 {
        self.local - i128::from(self.east) * 1_000_000
    }
}

/// Whether a format is wrong, rather than what is read by it: that is an error even where errors are none.
pub(in crate::functions) fn check(format: &str) -> Result<()> {
    let wrong = |part: &&Part<'_>| matches!(part, Part::Text { text, is_quoted: false } if !SEPARATORS.contains(*text));
    match parts(format).iter().find(wrong) {
        Some(Part::Text { text, .. }) => {
            Err(malformed(format!("invalid datetime format separator: \"{text}\"")))
        }
        Some(Part::Field { .. }) | None => Ok(()),
    }
}

fn out_of_range(kind: Kind) -> Error {
    let name = if kind == Kind::Timestamptz { "timestamptz" } else { "timestamp" };
    overflow(format!("{name} out of range"))
}

fn kind(parts: &[Part<'_>]) -> Result<Kind> {
    let has = |of: fn(Field) -> bool| {
        parts.iter().any(|part| matches!(part, Part::Field { field, .. } if of(*field)))
    };
    Ok(match (has(is_dated), has(is_timed), has(is_zoned)) {
        (true, true, true) => Kind::Timestamptz,
        (true, true, false) => Kind::Timestamp,
        (true, false, false) => Kind::Date,
        (true, false, true) => return Err(malformed("datetime format is zoned but not timed".to_owned())),
        (false, true, true) => Kind::Timetz,
        (false, true, false) => Kind::Time,
        (false, false, _) => {
            return Err(malformed("datetime format is not dated and not timed".to_owned()));
        }
    })
}

fn is_timed(field: Field) -> bool {
    matches!(
        field,
        Field::HalfDay(..)
            | Field::Hour12
            | Field::Hour24
            | Field::Minute
            | Field::Second
            | Field::Fraction(_)
            | Field::SecondsOfDay
    )
}

fn is_zoned(field: Field) -> bool {
    matches!(field, Field::OffsetHours | Field::OffsetMinutes | Field::Offset | Field::Zone(_))
}

fn is_dated(field: Field) -> bool {
    field != Field::Exact && !is_timed(field) && !is_zoned(field)
}

impl<'t> Reading<'t> {
    /// A text by the parts of a format, to the letter.
    fn exactly(written: &'t str, parts: &[Part<'_>]) -> Result<Reading<'t>> {
        let mut reading = Reading { rest: written, is_exact: true, ..Reading::default() };
        for (at, part) in parts.iter().enumerate() {
            if reading.rest.is_empty() {
                return Err(malformed("input string is too short for datetime format".to_owned()));
            }
            if let Part::Text { text, is_quoted } = part
                && !reading.rest.starts_with(text)
            {
                let what = if *is_quoted { "character" } else { "separator" };
                return Err(malformed(format!("unmatched format {what} \"{text}\"")));
            }
            reading.part(part, parts.get(at + 1), at == 0)?;
        }
        if !reading.rest.trim_start_matches(super::is_space).is_empty() {
            let message = "trailing characters remain in input string after datetime format";
            return Err(malformed(message.to_owned()));
        }
        Ok(reading)
    }
}
