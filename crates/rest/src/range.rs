//! Which rows of a result: `limit`, `offset`, and the `Range` header.

use types::{Code, Error, Result};

/// Rows by position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// So many rows are left out.
    pub offset: u64,
    /// At most so many rows.
    pub limit: Option<u64>,
}

impl Range {
    /// Every row.
    pub fn is_all(self) -> bool {
        self == Range::default()
    }

    /// At most `max` rows of it.
    #[must_use]
    pub fn at_most(self, max: u64) -> Range {
        Range { limit: Some(self.limit.map_or(max, |limit| limit.min(max))), ..self }
    }

    /// One past the last position.
    fn end(self) -> Option<u64> {
        self.limit.map(|limit| self.offset.saturating_add(limit))
    }

    /// The rows in both, both counted from the first row; `None` when there are none.
    fn intersect(self, other: Range) -> Option<Range> {
        let offset = self.offset.max(other.offset);
        let end = self.end().into_iter().chain(other.end()).min();
        match end {
            Some(end) if end <= offset => None,
            end => Some(Range { offset, limit: end.map(|end| end - offset) }),
        }
    }
}

/// The value of `limit`: `None` when it says nothing.
///
/// # Errors
/// `PGRST103` below zero, `PGRST100` when it is no number.
pub(crate) fn limit(value: &str) -> Result<Option<u64>> {
    match number("limit", value)? {
        Some(limit) => u64::try_from(limit).map(Some).map_err(|_| below_zero()),
        None => Ok(None),
    }
}

/// The value of `offset`: zero when it says nothing or is below zero, as with PostgREST.
///
/// # Errors
/// `PGRST100` when it is no number.
pub(crate) fn offset(value: &str) -> Result<u64> {
    let offset = number("offset", value)?.unwrap_or(0);
    Ok(u64::try_from(offset).unwrap_or(0))
}

/// A number that the engines can hold. Empty says nothing; anything else is refused, not ignored.
fn number(what: &str, value: &str) -> Result<Option<i64>> {
    let value = value.trim();
    if value.is_empty() {
        return Ok(None);
    }
    let refuse = || {
        let message = format!("\"failed to parse {what} ({value})\" (line 1, column 1)");
        Error::new(Code::PARSE, message).with_details("expecting an integer that fits 64 bits")
    };
    value.parse().map(Some).map_err(|_| refuse())
}

fn below_zero() -> Error {
    unsatisfiable("Limit should be greater than or equal to zero.")
}

fn unsatisfiable(details: impl Into<String>) -> Error {
    Error::new(Code::RANGE, "Requested range not satisfiable").with_details(details)
}

/// The refusal of an offset beyond the last row.
pub(crate) fn beyond(offset: u64, total: u64) -> Error {
    unsatisfiable(format!("An offset of {offset} was requested, but there are only {total} rows."))
}

/// The rows that the `Range` header names; one of another form says nothing.
///
/// # Errors
/// `PGRST103` when it ends before it begins.
pub(crate) fn header(value: Option<&str>) -> Result<Range> {
    let Some((first, last)) = value.and_then(positions) else { return Ok(Range::default()) };
    match last {
        None => Ok(Range { offset: first, limit: None }),
        Some(last) if last < first => Err(unsatisfiable(
            "The lower boundary must be lower than or equal to the upper boundary in the Range header.",
        )),
        Some(last) => Ok(Range { offset: first, limit: Some((last - first).saturating_add(1)) }),
    }
}

fn positions(value: &str) -> Option<(u64, Option<u64>)> {
    let (first, last) = value.split_once('-')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if first.is_empty() || !digits(first) || !digits(last) {
        return None;
    }
    Some((first.parse().ok()?, if last.is_empty() { None } else { Some(last.parse().ok()?) }))
}

/// The rows that both the header and the parameters name. No rows at all can be asked for by `limit=0` only.
///
/// # Errors
/// `PGRST103` when they have no row in common.
pub(crate) fn together(header: Range, parameters: Range) -> Result<Range> {
    if parameters.limit == Some(0) {
        return Ok(parameters);
    }
    header.intersect(parameters).ok_or_else(below_zero)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(offset: u64, limit: impl Into<Option<u64>>) -> Range {
        Range { offset, limit: limit.into() }
    }

    #[test]
    fn headers_are_positions_from_zero() {
        for (value, expected) in [
            (Some("0-9"), range(0, 10)),
            (Some("5-"), range(5, None)),
            (Some("3-3"), range(3, 1)),
            (Some("items=0-9"), Range::default()),
            (Some("-9"), Range::default()),
            (Some(" 0-9"), Range::default()),
            (Some("0-9,20-29"), Range::default()),
            (None, Range::default()),
        ] {
            assert_eq!(header(value).unwrap(), expected, "{value:?}");
        }
        assert_eq!(header(Some("5-2")).unwrap_err().code(), Code::RANGE);
    }

    #[test]
    fn numbers_are_whole_or_refused() {
        assert_eq!(limit("10").unwrap(), Some(10));
        assert_eq!(limit("0").unwrap(), Some(0));
        assert_eq!(limit("").unwrap(), None);
        assert_eq!(limit("-1").unwrap_err().code(), Code::RANGE);
        assert_eq!(offset("-1").unwrap(), 0);
        for bad in ["1;", "1e309", "9223372036854775808", "ten"] {
            assert_eq!(limit(bad).unwrap_err().code(), Code::PARSE, "{bad}");
            assert_eq!(offset(bad).unwrap_err().code(), Code::PARSE, "{bad}");
        }
    }

    #[test]
    fn header_and_parameters_intersect() {
        assert_eq!(together(range(0, 10), range(5, 10)).unwrap(), range(5, 5));
        assert_eq!(together(Range::default(), range(5, None)).unwrap(), range(5, None));
        assert_eq!(together(range(0, 10), range(0, 0)).unwrap(), range(0, 0));
        assert!(together(range(0, 5), range(5, 5)).is_err());
    }
}
