//! What the fields that were read say together.

use types::datetime::{date_of, month_days};
use types::{Code, Error, Result};

use super::super::moment_format::{JULIAN_OF_EPOCH, first_monday, julian};
use super::{Calendar, Reading, field_overflow, malformed};

/// A moment as its fields say it, which need not be a date.
pub(super) struct Moment {
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
    /// Since midnight.
    pub(super) micros: i64,
    /// Digits of its fraction.
    pub(super) digits: Option<u32>,
    /// East of UTC.
    pub(super) offset_minutes: Option<i64>,
}

impl Moment {
    /// Days since 2000-01-01.
    pub(super) fn days(&self) -> Option<i64> {
        let is_julian = (-4_713..5_874_898).contains(&self.year) || self.year == 5_874_898 && self.month < 6;
        let is_julian = is_julian && (self.year > -4_713 || self.month >= 11);
        is_julian.then(|| julian(self.year, self.month, self.day) - JULIAN_OF_EPOCH)
    }
}

impl Reading<'_> {
    /// What the fields say together.
    pub(super) fn moment(mut self, written: &str) -> Result<Moment> {
        let micros = self.time(written)?;
        let mut date = Dated { year: None, month: None, day: None };
        self.year(&mut date);
        self.weeks(&mut date);
        if self.day != 0 {
            date.day = Some(self.day);
        }
        if self.month != 0 {
            date.month = Some(self.month);
        }
        self.day_of_year(&mut date)?;
        date.check().ok_or_else(|| field_overflow(written))?;
        Ok(Moment {
            year: date.year.unwrap_or(0),
            month: date.month.unwrap_or(1),
            day: date.day.unwrap_or(1),
            micros,
            digits: self.digits,
            offset_minutes: self.offset(written)?,
        })
    }

    /// Microseconds since midnight.
    fn time(&self, written: &str) -> Result<i64> {
        let or = |field: i64, other: i64| if field == 0 { other } else { field };
        let mut hour = or(self.hour, self.second_of_day / 3_600);
        let minute = or(self.minute, self.second_of_day % 3_600 / 60);
        let second = or(self.second, self.second_of_day % 60);
        if self.is_of_twelve {
            if !(1..=12).contains(&hour) {
                return Err(malformed(format!("hour \"{hour}\" is invalid for the 12-hour clock"))
                    .with_hint("Use the 24-hour clock, or give an hour between 1 and 12."));
            }
            hour = hour % 12 + if self.is_afternoon == 1 { 12 } else { 0 };
        }
        let fraction = self.milli.saturating_mul(1_000).saturating_add(self.micro);
        let is_valid = (0..24).contains(&hour)
            && (0..60).contains(&minute)
            && (0..60).contains(&second)
            && (0..1_000_000).contains(&fraction);
        if !is_valid {
            return Err(field_overflow(written));
        }
        Ok((hour * 3_600 + minute * 60 + second) * 1_000_000 + fraction)
    }

    fn year(&mut self, date: &mut Dated) {
        if self.is_before_christ == 1 && self.century != 0 && (self.year == 0 || self.year_digits <= 2) {
            self.century = -self.century;
        }
        let century = self.century;
        date.year = match (self.year, century) {
            (0, 0) => None,
            (0, _) => Some(if century >= 0 { (century - 1) * 100 + 1 } else { century * 100 + 1 }),
            (year, century) if century != 0 && self.year_digits <= 2 => Some(match year % 100 {
                0 => century * 100 + i64::from(century < 0),
                year if century >= 0 => year + (century - 1) * 100,
                year => (century + 1) * 100 - year + 1,
            }),
            (year, _) => {
                let year = if self.is_before_christ == 1 { -year } else { year };
                // The year before the first is 0 here.
                Some(year + i64::from(year < 0))
            }
        };
    }

    fn weeks(&mut self, date: &mut Dated) {
        if self.julian != 0 {
            date.set(self.julian - JULIAN_OF_EPOCH);
        }
        if self.week != 0 && self.calendar == Some(Calendar::IsoWeek) {
            let monday = first_monday(date.year.unwrap_or(0)) + (self.week - 1) * 7;
            let days = match self.weekday {
                0 => monday,
                1 => monday + 6,
                weekday => monday + weekday - 2,
            };
            date.set(days);
        } else if self.week != 0 {
            self.day_of_year = (self.week - 1) * 7 + 1;
        }
        if self.week_of_month != 0 {
            self.day = (self.week_of_month - 1) * 7 + 1;
        }
    }

    fn day_of_year(&self, date: &mut Dated) -> Result<()> {
        let is_open = |field: Option<i64>| field.unwrap_or(1) <= 1;
        if self.day_of_year == 0 || !(is_open(date.month) || is_open(date.day)) {
            return Ok(());
        }
        if date.year.unwrap_or(0) == 0 && self.is_before_christ == 0 {
            return Err(malformed("cannot calculate day of year without year information".to_owned()));
        }
        let year = date.year.unwrap_or(0);
        if self.calendar == Some(Calendar::IsoWeek) {
            date.set(first_monday(year) - 1 + self.day_of_year);
            return Ok(());
        }
        let (mut month, mut rest) = (1, self.day_of_year);
        while month <= 12 && rest > i64::from(month_days(year, month)) {
            rest -= i64::from(month_days(year, month));
            month += 1;
        }
        if is_open(date.month) {
            date.month = Some(month.into());
        }
        if is_open(date.day) {
            date.day = Some(rest);
        }
        date.month.get_or_insert(1);
        date.day.get_or_insert(1);
        Ok(())
    }

    fn offset(&self, written: &str) -> Result<Option<i64>> {
        if self.sign_of_zone == 0 {
            return Ok(None);
        }
        if !(0..=15).contains(&self.zone_hours) || !(0..60).contains(&self.zone_minutes) {
            return Err(Error::new(
                Code::TIME_ZONE_DISPLACEMENT,
                format!("time zone displacement out of range: \"{written}\""),
            ));
        }
        Ok(Some(self.sign_of_zone * (self.zone_hours * 60 + self.zone_minutes)))
    }
}

/// The fields of a date that were said.
struct Dated {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
}

impl Dated {
    fn set(&mut self, days: i64) {
        let (year, month, day) = date_of(days);
        *self = Dated { year: Some(year), month: Some(month.into()), day: Some(day.into()) };
    }

    /// Only what was said is checked.
    fn check(&self) -> Option<()> {
        let is_month = self.month.is_none_or(|month| (1..=12).contains(&month));
        let is_day = self.day.is_none_or(|day| (1..=31).contains(&day));
        let is_date = match (self.year, self.month, self.day) {
            (Some(year), Some(month), Some(day)) => {
                u32::try_from(month).is_ok_and(|month| day <= month_days(year, month).into())
            }
            _ => true,
        };
        (is_month && is_day && is_date).then_some(())
    }
}
