//! Times as this API writes them, and durations as it reads them.

use types::datetime::{Style, print_timestamp};
use types::json::Json;

/// Microseconds of a second.
pub(crate) const SECOND: i64 = 1_000_000;

/// A time (microseconds since 2000-01-01 UTC) as RFC 3339 in UTC: `2026-01-02T03:04:05.678Z`.
pub(crate) fn print(micros: i64) -> String {
    let mut out = String::with_capacity(27);
    print_timestamp(&mut out, micros, None, Style::Json);
    out.push('Z');
    out
}

/// A time as JSON.
pub(crate) fn json(micros: i64) -> Json {
    Json::String(print(micros))
}

/// The units of a Go duration, in nanoseconds.
const UNITS: &[(&str, f64)] = &[
    ("ns", 1.0),
    ("us", 1e3),
    ("\u{b5}s", 1e3),
    ("\u{3bc}s", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 6e10),
    ("h", 3.6e12),
];

/// A Go duration (`300ms`, `-1.5h`, `2h45m`) in microseconds; `None` for other text, and beyond what Go can hold.
pub(crate) fn parse_duration(text: &str) -> Option<i64> {
    let (sign, mut rest) = match text.as_bytes().first()? {
        b'-' => (-1.0, &text[1..]),
        b'+' => (1.0, &text[1..]),
        _ => (1.0, text),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut nanos = 0.0;
    loop {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let amount: f64 = rest[..end].parse().ok()?;
        let after = &rest[end..];
        let unit_end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (_, unit) = UNITS.iter().find(|(name, _)| *name == &after[..unit_end])?;
        nanos += amount * unit;
        rest = &after[unit_end..];
        if rest.is_empty() {
            break;
        }
    }
    whole_micros(sign * nanos / 1e3)
}

/// Go's durations are 64 bits of nanoseconds: 292 years.
const MICROS_MAX: f64 = 9_223_372_036_854_774.0;

#[expect(clippy::cast_possible_truncation, reason = "checked: far within 64 bits")]
fn whole_micros(micros: f64) -> Option<i64> {
    (micros.abs() <= MICROS_MAX).then_some(micros as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339_in_utc() {
        assert_eq!(print(0), "2000-01-01T00:00:00Z");
        assert_eq!(print(820_454_400_123_450), "2025-12-31T00:00:00.12345Z");
    }

    #[test]
    fn durations_are_go_s() {
        for (text, micros) in [
            ("24h", Some(86_400 * SECOND)),
            ("1h30m", Some(5_400 * SECOND)),
            ("-1.5h", Some(-5_400 * SECOND)),
            ("300ms", Some(300_000)),
            ("0", Some(0)),
            ("0s", Some(0)),
            ("", None),
            ("h", None),
            ("24", None),
            ("1d", None),
            ("1..5h", None),
            ("9999999999h", None),
            ("1h ", None),
        ] {
            assert_eq!(parse_duration(text), micros, "{text}");
        }
    }
}
