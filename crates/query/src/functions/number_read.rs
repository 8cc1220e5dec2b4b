//! `to_number` (PostgreSQL 9.8): numbers read by a format, forgiving what PostgreSQL forgives.

use types::numeric::Numeric;
use types::{Code, Error, Modifier, Result, Type, Value};

use super::Function;
use super::Ty::{Numeric as N, Text as T};
use super::arguments::text;
use super::number_format::{Format, Key, Part, read};

pub(super) static ROWS: &[Function] =
    &[Function::new("to_number", &[T, T], N, |_, a| of_text(text(a, 0)?, text(a, 1)?)).stable()];

/// What may be part of a number, so that no other character of a format takes its place.
const DATA: &[char] = &['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '.', ',', '+', '-'];

fn of_text(written: &str, format: &str) -> Result<Value> {
    if format.is_empty() {
        return Ok(Value::Null);
    }
    let format = read(format)?;
    for (is_there, name) in [(format.exponent, "EEEE"), (format.roman, "RN")] {
        if is_there {
            return Err(Error::new(
                Code::FEATURE_NOT_SUPPORTED,
                format!("\"{name}\" not supported for input"),
            ));
        }
    }
    let mut reading = Reading { rest: written, ..Reading::default() };
    for part in &format.parts {
        if reading.rest.is_empty() {
            break;
        }
        reading.part(part, &format);
    }
    reading.number(&format)
}

/// A number as far as it is read.
#[derive(Default)]
struct Reading<'t> {
    rest: &'t str,
    sign: Option<char>,
    /// Digits and a point.
    digits: String,
    before: usize,
    behind: usize,
    has_point: bool,
}

impl Reading<'_> {
    fn next(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn skip(&mut self) {
        let length = self.next().map_or(0, char::len_utf8);
        self.rest = self.rest.get(length..).unwrap_or_default();
    }

    /// Up to so many characters that are no part of a number.
    fn skip_others(&mut self, count: usize) {
        for _ in 0..count {
            if self.next().is_none_or(|next| DATA.contains(&next)) {
                break;
            }
            self.skip();
        }
    }

    fn part(&mut self, part: &Part<'_>, format: &Format<'_>) {
        let Part::Key(key) = part else { return self.skip() };
        match key {
            Key::Nine | Key::Zero | Key::Point => self.place(*key, format),
            // A format that is filled takes none before the first digit; PostgreSQL counts none while it reads.
            Key::Comma | Key::Group => {
                if !format.is_filled && self.next() == Some(',') {
                    self.skip();
                }
            }
            Key::Currency => self.skip_others(1),
            Key::Ordinal { .. } => self.skip_others(2),
            Key::Minus => self.signed(&['-']),
            Key::Plus => self.signed(&['+']),
            Key::Sign => self.signed(&['-', '+']),
            Key::Blank
            | Key::Exponent
            | Key::Fill
            | Key::Angle
            | Key::Roman { .. }
            | Key::Spell
            | Key::Signed
            | Key::Shift => {}
        }
    }

    fn signed(&mut self, signs: &[char]) {
        match self.next().filter(|next| signs.contains(next)) {
            Some(sign) => {
                self.sign = Some(sign);
                self.skip();
            }
            None => self.skip_others(1),
        }
    }

    /// A place of a digit or of the point, with a sign before or behind it.
    fn place(&mut self, key: Key, format: &Format<'_>) {
        if self.next() == Some(' ') {
            self.skip();
        }
        if self.sign.is_none() && key != Key::Point && self.before + self.behind == 0 {
            self.sign_before(format);
        }
        let Some(next) = self.next() else { return };
        let mut is_read = true;
        if next.is_ascii_digit() {
            if self.has_point && self.behind == format.behind {
                return self.skip();
            }
            self.digits.push(next);
            if self.has_point {
                self.behind += 1;
            } else {
                self.before += 1;
            }
        } else if next == '.' && format.has_point && !self.has_point {
            self.digits.push('.');
            self.has_point = true;
        } else {
            is_read = false;
        }
        if self.sign.is_none() && self.before + self.behind > 0 {
            self.sign_behind(format, is_read);
        }
        self.skip();
    }

    fn sign_before(&mut self, format: &Format<'_>) {
        self.sign = match self.next() {
            Some('-') => Some('-'),
            Some('<') if format.angle => Some('-'),
            Some('+') => Some('+'),
            _ => return,
        };
        self.skip();
    }

    /// A sign behind what seems to be the last digit: where it stands cannot be told from the format.
    fn sign_behind(&mut self, format: &Format<'_>, is_read: bool) {
        let is_sign = |next: &char| matches!(next, '-' | '+');
        if format.signed.is_some() {
            let mut behind = self.rest.chars();
            behind.next();
            if is_read && let Some(sign) = behind.next().filter(is_sign) {
                self.sign = Some(sign);
                self.skip();
            }
        } else if !is_read && (format.plus || format.minus) {
            self.sign = self.next().filter(is_sign);
        }
    }

    fn number(&self, format: &Format<'_>) -> Result<Value> {
        let sign = if self.sign == Some('-') { "-" } else { "" };
        let digits = self.digits.strip_suffix('.').unwrap_or(&self.digits);
        if digits.is_empty() {
            let sign = self.sign.unwrap_or(' ');
            return Err(Error::new(
                Code::INVALID_TEXT,
                format!("invalid input syntax for type numeric: \"{sign}\""),
            ));
        }
        let number = Numeric::parse(&format!("{sign}{digits}"))?;
        let places = |places: usize| i64::try_from(places).unwrap_or(i64::MAX);
        let precision = format.before + format.shift + self.behind;
        let modifier = Modifier::Precision {
            precision: u16::try_from(precision).unwrap_or(u16::MAX),
            scale: i16::try_from(self.behind).unwrap_or(i16::MAX),
        };
        let number =
            types::text::apply_modifier(&Type::Numeric, Some(modifier), Value::Numeric(number), true)?;
        match number {
            Value::Numeric(number) if format.shift > 0 => {
                let factor = Numeric::from_i64(10).power(&Numeric::from_i64(-places(format.shift)))?;
                Ok(Value::Numeric(number.mul(&factor)))
            }
            number => Ok(number),
        }
    }
}
