//! What text forms depend on besides the value: the session's time zone and time; and the settings of the transaction.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::{Code, Error, Result};

/// Microseconds between the Unix epoch and 2000-01-01.
pub const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// A session's settings that decide text forms.
#[derive(Clone, Debug)]
pub struct Session {
    /// The name of the time zone.
    pub zone: Arc<str>,
    /// The time of the transaction: microseconds since 2000-01-01 UTC.
    pub now: i64,
    /// What functions may read of the request, and say of its reply: copies of a session share it.
    pub settings: Settings,
    /// The zone; `None` is UTC.
    resolved: Option<TimeZone>,
}

/// Settings by name, of one transaction. Copies share them.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    values: Arc<Mutex<BTreeMap<String, Arc<str>>>>,
    /// How many functions run of which their statement takes for granted that they change none.
    held: Arc<AtomicUsize>,
    /// Bytes that values took beyond what was written of them.
    grown: Arc<AtomicUsize>,
}

/// Most bytes that all values of a transaction take beyond [`GROWTH`] times what is written of them: `1e131071` says in eight
/// letters what takes as many kilobytes, and as much time.
const GROWN_BYTES_MAX: usize = 256 << 10;

/// How much longer a value may be than it is written without being counted.
const GROWTH: usize = 8;

/// The settings by which functions say what the status and the headers of the reply are.
pub const REPLY_SETTINGS: [&str; 2] = ["response.status", "response.headers"];

/// What all settings of a transaction may hold, in bytes: headers of a request fit many times.
const SETTINGS_BYTES_MAX: usize = 1 << 20;

impl Settings {
    /// A setting; `None` when nobody has set it. Names are the same in every case of their letters.
    pub fn get(&self, name: &str) -> Option<Arc<str>> {
        let settings = self.locked();
        match settings.get(name) {
            Some(value) => Some(value.clone()),
            None if !name.bytes().any(|byte| byte.is_ascii_uppercase()) => None,
            None => settings.get(&name.to_ascii_lowercase()).cloned(),
        }
    }

    /// Gives a setting a value.
    ///
    /// # Errors
    /// `54000` when all of them are too long together.
    pub fn set(&self, name: &str, value: &str) -> Result<()> {
        let mut settings = self.locked();
        let name = name.to_ascii_lowercase();
        let others = settings.iter().filter(|(known, _)| **known != name);
        let held: usize = others.map(|(known, value)| known.len() + value.len()).sum();
        if held + name.len() + value.len() > SETTINGS_BYTES_MAX {
            let message = format!("settings of more than {SETTINGS_BYTES_MAX} bytes");
            return Err(Error::new(Code::LIMIT_EXCEEDED, message));
        }
        settings.insert(name, value.into());
        Ok(())
    }

    /// Begins a function of which its statement takes for granted that it changes no setting, until it is let go.
    pub fn hold(&self) {
        self.held.fetch_add(1, Ordering::Relaxed);
    }

    /// Ends such a function.
    pub fn let_go(&self) {
        self.held.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether such a function runs.
    pub fn is_held(&self) -> bool {
        self.held.load(Ordering::Relaxed) > 0
    }

    /// All settings as they are, to be brought back.
    pub fn mark(&self) -> BTreeMap<String, Arc<str>> {
        self.locked().clone()
    }

    /// Brings settings back to what they were.
    pub fn bring_back(&self, mark: BTreeMap<String, Arc<str>>) {
        *self.locked() = mark;
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<String, Arc<str>>> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    /// A session in UTC.
    pub fn utc(now: i64) -> Session {
        Session { zone: Arc::from("UTC"), now, settings: Settings::default(), resolved: None }
    }

    /// A session in a named zone or fixed offset.
    ///
    /// # Errors
    /// `22023` for a zone that does not exist, with PostgreSQL's text.
    pub fn in_zone(zone: &str, now: i64) -> Result<Session> {
        let resolved = hours_east(zone).or_else(|| zone_of(zone)).ok_or_else(|| {
            Error::new(
                Code::INVALID_PARAMETER,
                format!("invalid value for parameter \"TimeZone\": \"{zone}\""),
            )
        })?;
        let session = Session { zone: Arc::from(zone), now, settings: Settings::default(), resolved };
        if session.offset_at(0) % 60 != 0 {
            let message = format!("time zone \"{zone}\" appears to use leap seconds");
            return Err(Error::new(Code::INVALID_PARAMETER, message)
                .with_details("PostgreSQL does not support leap seconds."));
        }
        Ok(session)
    }

    /// Counts a value that was read, by what is written of it and what it takes.
    ///
    /// # Errors
    /// `54000` when what was read so far is much more than was written.
    pub(crate) fn grow(&self, written: usize, bytes: usize) -> Result<()> {
        let beyond = bytes.saturating_sub(written.saturating_mul(GROWTH));
        if beyond == 0 || self.settings.grown.fetch_add(beyond, Ordering::Relaxed) + beyond <= GROWN_BYTES_MAX
        {
            return Ok(());
        }
        let message =
            format!("numbers that take more than {GROWN_BYTES_MAX} bytes beyond what is written of them");
        Err(Error::new(Code::LIMIT_EXCEEDED, message))
    }

    /// Seconds east of UTC at a time (microseconds since 2000-01-01 UTC).
    pub fn offset_at(&self, micros: i64) -> i32 {
        self.resolved.as_ref().map_or(0, |zone| offset_in(zone, micros))
    }

    /// What the zone is called at a time (microseconds since 2000-01-01 UTC): `UTC`, `CEST`.
    pub fn abbreviation_at(&self, micros: i64) -> String {
        let unix = micros.saturating_add(EPOCH_MICROS);
        match (&self.resolved, Timestamp::from_microsecond(unix)) {
            (Some(zone), Ok(time)) => zone.to_offset_info(time).abbreviation().to_owned(),
            _ => "UTC".to_owned(),
        }
    }

    /// The time (UTC) that a local time of this zone is.
    pub fn from_local(&self, local: i64) -> i64 {
        self.resolved.as_ref().map_or(local, |zone| utc_of_local(zone, local))
    }
}

fn offset_in(zone: &TimeZone, micros: i64) -> i32 {
    let unix = micros.saturating_add(EPOCH_MICROS);
    Timestamp::from_microsecond(unix).map_or(0, |time| zone.to_offset(time).seconds())
}

/// PostgreSQL's rule: of a local time that happens twice the later one, of one that never happens the offset in force before.
fn utc_of_local(zone: &TimeZone, local: i64) -> i64 {
    const DAY: i64 = 86_400_000_000;
    let before = i64::from(offset_in(zone, local.saturating_sub(DAY))) * 1_000_000;
    let after = i64::from(offset_in(zone, local.saturating_add(DAY))) * 1_000_000;
    let candidates = [local - after, local - before];
    for (utc, offset) in candidates.into_iter().zip([after, before]) {
        if i64::from(offset_in(zone, utc)) * 1_000_000 == offset {
            return utc;
        }
    }
    local - before
}

/// Seconds east of UTC of a named zone at a local or UTC time; `None` for a zone that does not exist.
pub fn zone_offset(zone: &str, micros: i64, is_local: bool) -> Option<i32> {
    match zone_of(zone)? {
        None => Some(0),
        Some(zone) if is_local => i32::try_from((micros - utc_of_local(&zone, micros)) / 1_000_000).ok(),
        Some(zone) => Some(offset_in(&zone, micros)),
    }
}

/// Abbreviations that PostgreSQL knows by default and people use.
const ABBREVIATIONS: &[(&str, i32)] = &[
    ("est", -5 * 3600),
    ("edt", -4 * 3600),
    ("cst", -6 * 3600),
    ("cdt", -5 * 3600),
    ("mst", -7 * 3600),
    ("mdt", -6 * 3600),
    ("pst", -8 * 3600),
    ("pdt", -7 * 3600),
    ("cet", 3600),
    ("cest", 2 * 3600),
    ("bst", 3600),
    ("jst", 9 * 3600),
];

/// A zone by name, abbreviation or fixed offset; `Some(None)` is UTC.
#[expect(clippy::option_option, reason = "absent, UTC and another zone are three answers")]
fn zone_of(name: &str) -> Option<Option<TimeZone>> {
    let lower = name.to_ascii_lowercase();
    if matches!(lower.as_str(), "utc" | "gmt" | "z" | "zulu" | "etc/utc" | "ut" | "uct") {
        return Some(None);
    }
    if let Some((_, seconds)) = ABBREVIATIONS.iter().find(|(word, _)| *word == lower) {
        return jiff::tz::Offset::from_seconds(*seconds).ok().map(|offset| Some(offset.to_time_zone()));
    }
    if let Some(seconds) = posix_offset(&lower) {
        return jiff::tz::Offset::from_seconds(seconds).ok().map(|offset| Some(offset.to_time_zone()));
    }
    if !name.contains(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    TimeZone::get(name).ok().map(Some)
}

/// A setting that is only a number is taken as ISO does: hours east of Greenwich.
#[expect(clippy::option_option, reason = "absent, UTC and another zone are three answers")]
fn hours_east(name: &str) -> Option<Option<TimeZone>> {
    let hours = name.parse::<f64>().ok().filter(|hours| hours.abs() < 168.0)?;
    #[expect(clippy::cast_possible_truncation, reason = "a week has 604 800 seconds")]
    let seconds = (hours * 3600.0) as i32;
    jiff::tz::Offset::from_seconds(seconds).ok().map(|offset| Some(offset.to_time_zone()))
}

/// `+02`, `-05:30`: PostgreSQL reads a zone's name that is an offset as POSIX does, positive west of Greenwich; `<+02>-02`
/// is left out.
fn posix_offset(text: &str) -> Option<i32> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'+' => (-1, &text[1..]),
        b'-' => (1, &text[1..]),
        byte if byte.is_ascii_digit() => (-1, text),
        _ => return None,
    };
    let digits = |part: &str| part.parse::<u16>().ok().filter(|_| !part.starts_with('+')).map(i32::from);
    let parts: Option<Vec<i32>> = rest.split(':').map(digits).collect();
    let seconds = match parts?[..] {
        [hours] => hours * 3600,
        [hours, minutes @ ..60] => hours * 3600 + minutes * 60,
        [hours, minutes @ ..60, seconds @ ..=60] => hours * 3600 + minutes * 60 + seconds,
        _ => return None,
    };
    Some(sign * seconds)
}

/// The names of time zones.
pub fn zone_names() -> Vec<String> {
    jiff::tz::db().available().map(|name| name.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Type;

    #[test]
    fn what_values_take_beyond_what_is_written_is_counted_over_a_session() {
        let session = Session::utc(0);
        let read =
            |ty: &Type, text: &str| crate::text::parse(ty, text, &session).map_err(|error| error.code());
        let list = Type::Array(Arc::new(Type::Numeric));
        for _ in 0..1_000 {
            assert!(read(&list, "{1e30,0.000001,123456789012345678901234567890}").is_ok());
        }
        assert!(read(&Type::Numeric, "1e131071").is_ok() && read(&list, "{1e131071,1e131071}").is_ok());
        let range = Type::Range(Arc::new(Type::Numeric));
        assert_eq!(read(&range, "[1e131070,1e131071)").err(), Some(Code::LIMIT_EXCEEDED));
        assert!(crate::text::parse(&Type::Numeric, "1e131071", &Session::utc(0)).is_ok());
    }

    #[test]
    fn settings_are_shared_and_bounded() {
        let session = Session::utc(0);
        session.settings.set("App.Word", "a").unwrap();
        let copy = session.clone();
        assert_eq!(copy.settings.get("app.WORD").as_deref(), Some("a"));
        assert_eq!(Session::utc(0).settings.get("app.word"), None);
        let long = "x".repeat(SETTINGS_BYTES_MAX / 2);
        copy.settings.set("app.long", &long).unwrap();
        copy.settings.set("app.long", &long).unwrap();
        assert_eq!(copy.settings.set("app.more", &long).unwrap_err().code(), Code::LIMIT_EXCEEDED);
        assert_eq!(session.settings.get("app.more"), None);
    }
}
