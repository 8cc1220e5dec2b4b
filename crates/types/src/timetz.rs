//! `time with time zone`: a time of day, and how far east of UTC its clock stands (PostgreSQL 8.5).
//!
//! A value is its output text, as of every type whose equal values print alike; this reads and writes it.

use std::cmp::Ordering;

use crate::datetime::{self, DAY_MICROS};
use crate::session::Session;
use crate::{Error, Result};

/// A time of day somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timetz {
    /// Microseconds since midnight there.
    pub micros: i64,
    /// Seconds east of UTC.
    pub east: i32,
}

impl Timetz {
    /// A value from its output text.
    ///
    /// # Errors
    /// An internal error for a text that is none.
    pub fn read(text: &str) -> Result<Timetz> {
        parts(text).ok_or_else(|| Error::internal(format!("a time with a zone: {text}")))
    }

    /// What the clocks of a session show at a time (microseconds since 2000-01-01 UTC).
    pub fn at(micros: i64, session: &Session) -> Timetz {
        let east = session.offset_at(micros);
        let local = micros.saturating_add(i64::from(east) * 1_000_000);
        Timetz { micros: local.rem_euclid(DAY_MICROS), east }
    }

    /// A time of day of today, where the session is.
    pub fn today(micros: i64, session: &Session) -> Timetz {
        let here = session.now.saturating_add(i64::from(session.offset_at(session.now)) * 1_000_000);
        let local = here.div_euclid(DAY_MICROS) * DAY_MICROS + micros;
        let east = (local - session.from_local(local)) / 1_000_000;
        Timetz { micros, east: i32::try_from(east).unwrap_or(0) }
    }

    /// Microseconds since midnight in UTC; of another day they are below 0 or beyond its end.
    pub fn utc(self) -> i64 {
        self.micros - i64::from(self.east) * 1_000_000
    }

    /// The same time on clocks that stand elsewhere.
    pub fn moved(self, east: i32) -> Timetz {
        let micros = self.utc() + i64::from(east) * 1_000_000;
        Timetz { micros: micros.rem_euclid(DAY_MICROS), east }
    }

    /// What decides order: the time in UTC, then the clock further east.
    pub(crate) fn key(self) -> (i64, i64) {
        (self.utc(), -i64::from(self.east))
    }
}

impl std::fmt::Display for Timetz {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&datetime::print_timetz(self.micros, self.east))
    }
}

fn parts(text: &str) -> Option<Timetz> {
    let (clock, zone) = text.split_at(text.find(['+', '-'])?);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let fraction = format!("{fraction:0<6}").parse::<i64>().ok()?;
    let micros = sixties(clock)?.checked_mul(1_000_000)?.checked_add(fraction)?;
    let east = i32::try_from(sixties(zone.get(1..)?)?).ok()?;
    Some(Timetz { micros, east: if zone.starts_with('-') { -east } else { east } })
}

/// Hours, minutes and seconds as seconds; those behind may be missing.
fn sixties(text: &str) -> Option<i64> {
    let mut parts = text.split(':').map(|part| part.parse::<i64>().ok());
    let hours = parts.next()??;
    let minutes = parts.next().unwrap_or(Some(0))?;
    let seconds = parts.next().unwrap_or(Some(0))?;
    Some((hours * 60 + minutes) * 60 + seconds)
}

/// The order of two output texts.
pub(crate) fn compare(left: &str, right: &str) -> Ordering {
    match (Timetz::read(left), Timetz::read(right)) {
        (Ok(left), Ok(right)) => left.key().cmp(&right.key()),
        _ => left.cmp(right),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_ordered_by_their_time_in_utc_then_by_their_zone() {
        let mut times = ["12:00:00+00", "13:00:00+02", "12:00:00+02", "14:00:00+02", "24:00:00+00"];
        times.sort_by(|left, right| compare(left, right));
        assert_eq!(times, ["12:00:00+02", "13:00:00+02", "14:00:00+02", "12:00:00+00", "24:00:00+00"]);
    }

    #[test]
    fn a_text_is_read_and_written() {
        for (text, printed) in [
            ("12:34:56.789-03:30", "12:34:56.789-03:30"),
            ("04:05 pm UTC", "16:05:00+00"),
            ("040506-08", "04:05:06-08"),
            ("1234", "12:34:00+00"),
            ("2003-04-12 04:05:06 America/New_York", "04:05:06-04"),
        ] {
            let read = datetime::parse_timetz(text, &Session::utc(0));
            assert_eq!(read.map(|time| time.to_string()).ok().as_deref(), Some(printed), "{text}");
        }
        assert!(datetime::parse_timetz("04:05:06 America/New_York", &Session::utc(0)).is_err());
    }
}
