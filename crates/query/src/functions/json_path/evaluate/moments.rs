//! Dates and times that `.datetime()` makes of strings: how they are written, named and compared.

use std::cmp::Ordering;

use types::datetime::{self, DAY_MICROS, Style};
use types::json::Json;
use types::jsonpath::Step;
use types::session::Session;
use types::timetz::Timetz;
use types::{Code, Error, Result};

use super::super::super::moment_read::{self, Kind, Standard};
use super::{Failure, Found, List, Place, Run};

/// A date or time: what it is, beside its text.
pub(super) type Moment = Standard;

impl Run<'_> {
    /// `.datetime()`
    pub(super) fn datetime(
        &mut self,
        template: Option<&str>,
        rest: &[Step],
        place: Place<'_>,
        list: List<'_>,
    ) -> Found {
        let (Json::String(written), None) = (place.item, place.moment) else {
            let message = "jsonpath item method .datetime() can only be applied to a string";
            return Err(self.fails(Code::INVALID_JSON_DATETIME, message));
        };
        let moment = match template {
            Some(template) => {
                moment_read::check_standard(template)?;
                Standard::of(written, template)
                    .map_err(|error| if self.throws { Failure::Raised(error) } else { Failure::Silent })?
            }
            None => Standard::known(written).ok_or_else(|| self.unrecognized(written))?,
        };
        let shown = Json::String(printed(&moment));
        self.chain(rest, Place { moment: Some(&moment), ..place.at(&shown) }, list, true)
    }

    fn unrecognized(&self, written: &str) -> Failure {
        if !self.throws {
            return Failure::Silent;
        }
        let message = format!("datetime format is not recognized: \"{written}\"");
        let hint = "Use a datetime template argument to specify the input data format.";
        Failure::Raised(Error::new(Code::INVALID_JSON_DATETIME, message).with_hint(hint))
    }
}

/// What `.type()` says.
pub(super) fn name(moment: &Moment) -> &'static str {
    match moment.kind {
        Kind::Date => "date",
        Kind::Time => "time without time zone",
        Kind::Timetz => "time with time zone",
        Kind::Timestamp => "timestamp without time zone",
        Kind::Timestamptz => "timestamp with time zone",
    }
}

/// In the form of ISO 8601, on the clock that was said.
fn printed(moment: &Moment) -> String {
    let days = || i32::try_from(moment.local.div_euclid(DAY_MICROS.into())).unwrap_or(i32::MAX);
    let time = || datetime::print_time(i64::try_from(moment.local).unwrap_or(0));
    match moment.kind {
        Kind::Date => datetime::print_date(days()),
        Kind::Time => time(),
        Kind::Timetz => time() + &offset(moment.east),
        Kind::Timestamp | Kind::Timestamptz => {
            let mut out = String::new();
            datetime::print_timestamp(
                &mut out,
                i64::try_from(moment.local).unwrap_or(i64::MAX),
                None,
                Style::Json,
            );
            if moment.kind == Kind::Timestamptz {
                let at = out.strip_suffix(" BC").map_or(out.len(), str::len);
                out.insert_str(at, &offset(moment.east));
            }
            out
        }
    }
}

/// `+02:30`
fn offset(east: i64) -> String {
    let sign = if east < 0 { '-' } else { '+' };
    let minutes = east.abs() / 60;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// The order of two; `None` of a date or timestamp beside a time of day.
///
/// # Errors
/// `0A000` where the session's zone decides, and no zone may be used.
pub(super) fn compare(left: &Moment, right: &Moment, zone: Option<&Session>) -> Result<Option<Ordering>> {
    let is_of_day = |moment: &Moment| matches!(moment.kind, Kind::Time | Kind::Timetz);
    if is_of_day(left) != is_of_day(right) {
        return Ok(None);
    }
    if is_of_day(left) {
        let has_zone = |moment: &Moment| moment.kind == Kind::Timetz;
        if !has_zone(left) && !has_zone(right) {
            return Ok(Some(left.local.cmp(&right.local)));
        }
        let key = |moment: &Moment| match moment.kind {
            Kind::Timetz => Ok((moment.utc(), -moment.east)),
            _ => {
                let session = needed(zone, "time", "timetz")?;
                let here = Timetz::today(i64::try_from(moment.local).unwrap_or(0), session);
                Ok((here.utc().into(), -i64::from(here.east)))
            }
        };
        let (left, right) = (key(left)?, key(right)?);
        return Ok(Some(left.cmp(&right)));
    }
    if left.kind != Kind::Timestamptz && right.kind != Kind::Timestamptz {
        return Ok(Some(left.local.cmp(&right.local)));
    }
    Ok(Some(instant(left, zone)?.cmp(&instant(right, zone)?)))
}

/// Microseconds since 2000-01-01 in UTC; what has no zone is the session's.
fn instant(moment: &Moment, zone: Option<&Session>) -> Result<i128> {
    let name = match moment.kind {
        Kind::Timestamptz => return Ok(moment.utc()),
        Kind::Date => "date",
        _ => "timestamp",
    };
    let session = needed(zone, name, "timestamptz")?;
    // A date beyond timestamps is beyond them in every zone.
    Ok(i64::try_from(moment.local).map_or(moment.local, |local| session.from_local(local).into()))
}

fn needed<'s>(zone: Option<&'s Session>, from: &str, to: &str) -> Result<&'s Session> {
    zone.ok_or_else(|| {
        let message = format!("cannot convert value from {from} to {to} without time zone usage");
        Error::new(Code::FEATURE_NOT_SUPPORTED, message)
            .with_hint("Use *_tz() function for time zone support.")
    })
}
