//! `numeric`: exact decimals of any size, with PostgreSQL's display scales (chapter 8.1.2).

mod power;

use std::cmp::Ordering;
use std::fmt;

use num_bigint::{BigInt, Sign};

use crate::{Code, Error, Result};

/// Most digits before and after the point.
const WHOLE_DIGITS_MAX: i64 = 131_072;
const SCALE_MAX: i64 = 16_383;

/// Places before the point that are rounded: beyond, nothing is left of a number.
const PLACES_MAX: i64 = WHOLE_DIGITS_MAX + 1;

/// Bits that a decimal digit has at least.
const BITS_PER_DIGIT: u64 = 3;

/// Digits that a quotient has at least (`NUMERIC_MIN_SIG_DIGITS`).
const SIGNIFICANT_DIGITS: i64 = 16;

/// A decimal number, not-a-number, or an infinity.
#[derive(Clone, Debug)]
pub enum Numeric {
    /// `NaN`: equal to itself and greater than everything else.
    NaN,
    /// `Infinity`
    Infinity,
    /// `-Infinity`
    NegativeInfinity,
    /// `digits / 10^scale`
    Finite {
        /// All digits as an integer.
        digits: BigInt,
        /// Digits after the point that are displayed.
        scale: u32,
    },
}

fn ten_to(power: u32) -> BigInt {
    BigInt::from(10).pow(power)
}

fn overflow() -> Error {
    Error::new(Code::NUMERIC_OUT_OF_RANGE, "value overflows numeric format")
}

impl Numeric {
    /// An integer.
    pub fn from_i64(value: i64) -> Numeric {
        Numeric::Finite { digits: BigInt::from(value), scale: 0 }
    }

    /// A number of `digits / 10^scale`.
    pub fn new(digits: impl Into<BigInt>, scale: u32) -> Numeric {
        Numeric::Finite { digits: digits.into(), scale }
    }

    /// What PostgreSQL's cast from `double precision` gives: 15 significant digits.
    pub fn from_f64(value: f64) -> Numeric {
        Numeric::from_float(value, 15)
    }

    /// What PostgreSQL's cast from `real` gives: 6 significant digits.
    pub fn from_f32(value: f64) -> Numeric {
        Numeric::from_float(value, 6)
    }

    fn from_float(value: f64, digits: usize) -> Numeric {
        if value.is_nan() {
            return Numeric::NaN;
        }
        if value.is_infinite() {
            return if value > 0.0 { Numeric::Infinity } else { Numeric::NegativeInfinity };
        }
        let text = format!("{value:.*e}", digits - 1);
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let mantissa = if mantissa.contains('.') {
            mantissa.trim_end_matches('0').trim_end_matches('.')
        } else {
            mantissa
        };
        Numeric::parse(&format!("{mantissa}e{exponent}")).unwrap_or(Numeric::NaN)
    }

    /// Reads `numeric`'s input syntax.
    ///
    /// # Errors
    /// `22P02` for text that is no number, `22003` for one with too many digits.
    pub fn parse(text: &str) -> Result<Numeric> {
        let invalid =
            || Error::new(Code::INVALID_TEXT, format!("invalid input syntax for type numeric: \"{text}\""));
        let trimmed = text.trim_matches(|c: char| c.is_ascii_whitespace());
        let (negative, body) = match trimmed.as_bytes().first() {
            Some(b'-') => (true, &trimmed[1..]),
            Some(b'+') => (false, &trimmed[1..]),
            _ => (false, trimmed),
        };
        let lower = body.to_ascii_lowercase();
        match lower.as_str() {
            "nan" if body.len() == trimmed.len() => return Ok(Numeric::NaN),
            "infinity" | "inf" => {
                return Ok(if negative { Numeric::NegativeInfinity } else { Numeric::Infinity });
            }
            _ => {}
        }
        let (mantissa, exponent) = match lower.split_once('e') {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().map_err(|_| invalid())?),
            None => (lower.as_str(), 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let only_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !only_digits(whole) || !only_digits(fraction) {
            return Err(invalid());
        }
        let written = i64::try_from(fraction.len()).map_err(|_| overflow())? - exponent;
        let whole_digits =
            i64::try_from(whole.trim_start_matches('0').len()).map_err(|_| overflow())? + exponent;
        if whole_digits > WHOLE_DIGITS_MAX || written > SCALE_MAX || exponent.abs() > 200_000 {
            return Err(overflow());
        }
        let mut digits: BigInt = format!("{whole}{fraction}").parse().map_err(|_| invalid())?;
        if negative {
            digits = -digits;
        }
        let scale = written.max(0);
        if written < 0 {
            digits *= ten_to(u32::try_from(-written).map_err(|_| overflow())?);
        }
        Ok(Numeric::Finite { digits, scale: u32::try_from(scale).map_err(|_| overflow())? })
    }

    /// The number, if it has no more digits than PostgreSQL keeps: it looks at every result, not at what is between.
    ///
    /// # Errors
    /// `22003` for more than 131 072 digits before the point or 16 383 behind it.
    pub fn kept(self) -> Result<Numeric> {
        let Numeric::Finite { digits, scale } = &self else { return Ok(self) };
        let most = u64::from(*scale) + u64::try_from(WHOLE_DIGITS_MAX).unwrap_or(u64::MAX);
        let is_short = digits.bits() < most * BITS_PER_DIGIT;
        let fits = || digits.magnitude() < ten_to(u32::try_from(most).unwrap_or(u32::MAX)).magnitude();
        if i64::from(*scale) <= SCALE_MAX && (is_short || fits()) {
            return Ok(self);
        }
        Err(overflow())
    }

    /// Bytes that its digits take in memory.
    pub fn bytes(&self) -> usize {
        match self {
            Numeric::Finite { digits, .. } => usize::try_from(digits.bits() / 8).unwrap_or(usize::MAX),
            Numeric::NaN | Numeric::Infinity | Numeric::NegativeInfinity => 0,
        }
    }

    /// Whether the number is negative.
    pub fn is_negative(&self) -> bool {
        match self {
            Numeric::NegativeInfinity => true,
            Numeric::Finite { digits, .. } => digits.sign() == Sign::Minus,
            Numeric::NaN | Numeric::Infinity => false,
        }
    }

    /// Whether the number is zero.
    pub fn is_zero(&self) -> bool {
        matches!(self, Numeric::Finite { digits, .. } if digits.sign() == Sign::NoSign)
    }

    /// Digits after the point.
    pub fn scale(&self) -> u32 {
        match self {
            Numeric::Finite { scale, .. } => *scale,
            _ => 0,
        }
    }

    /// The same number with another scale; digits that do not fit are rounded, halves away from zero.
    #[must_use]
    pub fn round(&self, to: i32) -> Numeric {
        let Numeric::Finite { digits, scale } = self else { return self.clone() };
        let from = i64::from(*scale);
        let to = i64::from(to).clamp(-PLACES_MAX, SCALE_MAX);
        if to >= from {
            let factor = ten_to(u32::try_from(to - from).unwrap_or(0));
            return Numeric::Finite { digits: digits * factor, scale: u32::try_from(to).unwrap_or(0) };
        }
        let divisor = ten_to(u32::try_from(from - to).unwrap_or(0));
        let rounded = divide_half_away(digits, &divisor);
        shown(rounded, to)
    }

    /// The same number with digits behind a place cut off.
    #[must_use]
    pub fn trunc(&self, to: i32) -> Numeric {
        let Numeric::Finite { digits, scale } = self else { return self.clone() };
        let (from, to) = (i64::from(*scale), i64::from(to).clamp(-PLACES_MAX, SCALE_MAX));
        if to >= from {
            return self.round(i32::try_from(to).unwrap_or(0));
        }
        shown(digits / ten_to(u32::try_from(from - to).unwrap_or(0)), to)
    }

    /// The smallest integer that is not less.
    #[must_use]
    pub fn ceil(&self) -> Numeric {
        let cut = self.trunc(0);
        if cut.compare(self) == Ordering::Less { cut.add(&Numeric::from_i64(1)) } else { cut }
    }

    /// The largest integer that is not greater.
    #[must_use]
    pub fn floor(&self) -> Numeric {
        let cut = self.trunc(0);
        if cut.compare(self) == Ordering::Greater { cut.sub(&Numeric::from_i64(1)) } else { cut }
    }

    /// The opposite.
    #[must_use]
    pub fn neg(&self) -> Numeric {
        match self {
            Numeric::NaN => Numeric::NaN,
            Numeric::Infinity => Numeric::NegativeInfinity,
            Numeric::NegativeInfinity => Numeric::Infinity,
            Numeric::Finite { digits, scale } => Numeric::Finite { digits: -digits, scale: *scale },
        }
    }

    /// The absolute value.
    #[must_use]
    pub fn abs(&self) -> Numeric {
        if self.is_negative() { self.neg() } else { self.clone() }
    }

    /// The sum.
    #[must_use]
    pub fn add(&self, other: &Numeric) -> Numeric {
        match (self, other) {
            (Numeric::Finite { .. }, Numeric::Finite { .. }) => {
                let (left, right, scale) = aligned(self, other);
                Numeric::Finite { digits: left + right, scale }
            }
            (Numeric::NaN, _) | (_, Numeric::NaN) => Numeric::NaN,
            (Numeric::Infinity, Numeric::NegativeInfinity)
            | (Numeric::NegativeInfinity, Numeric::Infinity) => Numeric::NaN,
            (Numeric::Finite { .. }, infinite) | (infinite, _) => infinite.clone(),
        }
    }

    /// The difference.
    #[must_use]
    pub fn sub(&self, other: &Numeric) -> Numeric {
        self.add(&other.neg())
    }

    /// The product.
    #[must_use]
    pub fn mul(&self, other: &Numeric) -> Numeric {
        match (self, other) {
            (
                Numeric::Finite { digits: left, scale: of_left },
                Numeric::Finite { digits: right, scale: of_right },
            ) => {
                let product = Numeric::Finite { digits: left * right, scale: of_left + of_right };
                if i64::from(product.scale()) > SCALE_MAX {
                    product.round(i32::try_from(SCALE_MAX).unwrap_or(0))
                } else {
                    product
                }
            }
            (Numeric::NaN, _) | (_, Numeric::NaN) => Numeric::NaN,
            (left, right) if left.is_zero() || right.is_zero() => Numeric::NaN,
            (left, right) if left.is_negative() == right.is_negative() => Numeric::Infinity,
            _ => Numeric::NegativeInfinity,
        }
    }

    /// The quotient, with the scale that PostgreSQL chooses.
    ///
    /// # Errors
    /// `22012` for a zero divisor.
    pub fn div(&self, other: &Numeric) -> Result<Numeric> {
        if matches!(self, Numeric::NaN) || matches!(other, Numeric::NaN) {
            return Ok(Numeric::NaN);
        }
        if other.is_zero() {
            return Err(Error::new(Code::DIVISION_BY_ZERO, "division by zero"));
        }
        match (self, other) {
            (
                Numeric::Finite { digits: left, scale: of_left },
                Numeric::Finite { digits: right, scale: of_right },
            ) => {
                let scale = division_scale(self, other);
                let shift = i64::from(scale) - i64::from(*of_left) + i64::from(*of_right);
                let digits = if shift >= 0 {
                    divide_half_away(&(left * ten_to(u32::try_from(shift).unwrap_or(0))), right)
                } else {
                    divide_half_away(left, &(right * ten_to(u32::try_from(-shift).unwrap_or(0))))
                };
                Ok(Numeric::Finite { digits, scale })
            }
            (Numeric::Finite { .. }, _) => Ok(Numeric::from_i64(0)),
            (_, Numeric::Finite { .. }) => Ok(if self.is_negative() == other.is_negative() {
                Numeric::Infinity
            } else {
                Numeric::NegativeInfinity
            }),
            _ => Ok(Numeric::NaN),
        }
    }

    /// The remainder of truncating division; its sign is the dividend's.
    ///
    /// # Errors
    /// `22012` for a zero divisor.
    pub fn rem(&self, other: &Numeric) -> Result<Numeric> {
        if matches!(self, Numeric::NaN) || matches!(other, Numeric::NaN) {
            return Ok(Numeric::NaN);
        }
        if other.is_zero() {
            return Err(Error::new(Code::DIVISION_BY_ZERO, "division by zero"));
        }
        match (self, other) {
            (Numeric::Finite { .. }, Numeric::Finite { .. }) => {
                let (left, right, scale) = aligned(self, other);
                Ok(Numeric::Finite { digits: left % right, scale })
            }
            (Numeric::Finite { .. }, _) => Ok(self.clone()),
            _ => Ok(Numeric::NaN),
        }
    }

    /// The integer nearest, halves away from zero.
    ///
    /// # Errors
    /// `22003` when it is out of range; the message names the type.
    pub fn to_i64(&self, type_name: &str, low: i64, high: i64) -> Result<i64> {
        let what = match self {
            Numeric::NaN => "NaN",
            Numeric::Infinity | Numeric::NegativeInfinity => "infinity",
            Numeric::Finite { .. } => "",
        };
        if !what.is_empty() {
            return Err(Error::new(
                Code::FEATURE_NOT_SUPPORTED,
                format!("cannot convert {what} to {type_name}"),
            ));
        }
        let Numeric::Finite { digits, .. } = self.round(0) else { return Err(overflow()) };
        i64::try_from(&digits)
            .ok()
            .filter(|value| (low..=high).contains(value))
            .ok_or_else(|| Error::new(Code::NUMERIC_OUT_OF_RANGE, format!("{type_name} out of range")))
    }

    /// The double nearest.
    pub fn to_f64(&self) -> f64 {
        match self {
            Numeric::NaN => f64::NAN,
            Numeric::Infinity => f64::INFINITY,
            Numeric::NegativeInfinity => f64::NEG_INFINITY,
            finite @ Numeric::Finite { .. } => finite.to_string().parse().unwrap_or(f64::NAN),
        }
    }

    /// The number as a column `numeric(precision, scale)` keeps it.
    ///
    /// # Errors
    /// `22003` when it has too many digits before the point.
    pub fn fit(&self, precision: u16, scale: i16) -> Result<Numeric> {
        let field_overflow = |details: String| {
            Error::new(Code::NUMERIC_OUT_OF_RANGE, "numeric field overflow").with_details(details)
        };
        match self {
            Numeric::NaN => return Ok(Numeric::NaN),
            Numeric::Infinity | Numeric::NegativeInfinity => {
                return Err(field_overflow(format!(
                    "A field with precision {precision}, scale {scale} cannot hold an infinite value."
                )));
            }
            Numeric::Finite { .. } => {}
        }
        let rounded = self.round(i32::from(scale));
        let Numeric::Finite { digits, scale: shown } = &rounded else { return Ok(rounded) };
        let limit = i64::from(precision) - i64::from(scale) + i64::from(*shown);
        let too_long =
            limit < 0 || digits.magnitude() >= ten_to(u32::try_from(limit.max(0)).unwrap_or(0)).magnitude();
        if too_long && !rounded.is_zero() {
            let whole = i64::from(precision) - i64::from(scale);
            let bound = if whole == 0 { "1".to_owned() } else { format!("10^{whole}") };
            return Err(field_overflow(format!(
                "A field with precision {precision}, scale {scale} must round to an absolute value less than {bound}."
            )));
        }
        Ok(rounded)
    }

    /// PostgreSQL's order: by value, `NaN` greatest.
    pub fn compare(&self, other: &Numeric) -> Ordering {
        fn rank(number: &Numeric) -> u8 {
            match number {
                Numeric::NegativeInfinity => 0,
                Numeric::Finite { .. } => 1,
                Numeric::Infinity => 2,
                Numeric::NaN => 3,
            }
        }
        match (self, other) {
            (Numeric::Finite { digits: left, scale: a }, Numeric::Finite { digits: right, scale: b })
                if a == b =>
            {
                left.cmp(right)
            }
            (Numeric::Finite { .. }, Numeric::Finite { .. }) => {
                let (left, right, _) = aligned(self, other);
                left.cmp(&right)
            }
            (left, right) => rank(left).cmp(&rank(right)),
        }
    }

    /// The number without trailing zeros after the point.
    #[must_use]
    pub fn normalized(&self) -> Numeric {
        let Numeric::Finite { digits, scale } = self else { return self.clone() };
        let (mut digits, mut scale) = (digits.clone(), *scale);
        // Many at once, then fewer: one by one, long numbers would take the square of their length.
        let mut zeros = scale.next_power_of_two();
        while zeros > 0 {
            let power = ten_to(zeros.min(scale));
            if zeros <= scale && (&digits % &power).sign() == Sign::NoSign {
                digits /= power;
                scale -= zeros;
            }
            zeros /= 2;
        }
        Numeric::Finite { digits, scale }
    }

    /// The square root, to PostgreSQL's scale.
    ///
    /// # Errors
    /// `2201F` for a negative number.
    pub fn sqrt(&self) -> Result<Numeric> {
        let Numeric::Finite { digits, scale } = self else {
            return if self.is_negative() { Err(negative_root()) } else { Ok(self.clone()) };
        };
        if self.is_negative() {
            return Err(negative_root());
        }
        // The result has about half as many digits before the point; at least 16 significant ones are shown.
        let weight = weight(self);
        let sweight = if weight >= 0 { (weight + 1) * 4 / 2 - 1 } else { -((-(weight + 1) * 4 + 1) / 2) - 1 };
        let shown = (SIGNIFICANT_DIGITS - sweight).max(i64::from(*scale)).clamp(0, 1_000);
        let shown = u32::try_from(shown).unwrap_or(0);
        // Two more digits than shown are enough to round the last one.
        let wide = shown + 2;
        let shifted = digits * ten_to(2 * wide) / ten_to(*scale);
        let root = Numeric::Finite { digits: shifted.sqrt(), scale: wide };
        Ok(root.round(i32::try_from(shown).unwrap_or(0)))
    }
}

fn negative_root() -> Error {
    Error::new(Code::INVALID_POWER, "cannot take square root of a negative number")
}

/// A number of `digits` behind `10^-scale`, where a negative scale means zeros before the point.
fn shown(digits: BigInt, scale: i64) -> Numeric {
    if scale >= 0 {
        return Numeric::Finite { digits, scale: u32::try_from(scale).unwrap_or(0) };
    }
    Numeric::Finite { digits: digits * ten_to(u32::try_from(-scale).unwrap_or(0)), scale: 0 }
}

fn aligned(left: &Numeric, right: &Numeric) -> (BigInt, BigInt, u32) {
    let (Numeric::Finite { digits: a, scale: of_a }, Numeric::Finite { digits: b, scale: of_b }) =
        (left, right)
    else {
        return (BigInt::default(), BigInt::default(), 0);
    };
    let scale = *of_a.max(of_b);
    (a * ten_to(scale - of_a), b * ten_to(scale - of_b), scale)
}

fn divide_half_away(dividend: &BigInt, divisor: &BigInt) -> BigInt {
    let quotient = dividend / divisor;
    let remainder = dividend - &quotient * divisor;
    if (remainder.magnitude() * 2_u32) < *divisor.magnitude() {
        return quotient;
    }
    let away = if (dividend.sign() == Sign::Minus) == (divisor.sign() == Sign::Minus) { 1 } else { -1 };
    quotient + away
}

/// The weight of the first digit in PostgreSQL's base 10 000, and that digit.
fn weight_and_first(number: &Numeric) -> (i64, i64) {
    let Numeric::Finite { digits, scale } = number else { return (0, 0) };
    if digits.sign() == Sign::NoSign {
        return (0, 0);
    }
    let text = digits.magnitude().to_string();
    let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
    // Decimal exponent of the first digit.
    let exponent = length - i64::from(*scale) - 1;
    let weight = exponent.div_euclid(4);
    let lead = usize::try_from(exponent.rem_euclid(4) + 1).unwrap_or(1);
    let padded = format!("{text:0<4}");
    let first = padded.get(..lead).unwrap_or("0").parse().unwrap_or(0);
    (weight, first)
}

fn weight(number: &Numeric) -> i64 {
    weight_and_first(number).0
}

/// PostgreSQL's `select_div_scale`.
fn division_scale(left: &Numeric, right: &Numeric) -> u32 {
    let (weight1, first1) = weight_and_first(left);
    let (weight2, first2) = weight_and_first(right);
    let mut quotient_weight = weight1 - weight2;
    if first1 <= first2 {
        quotient_weight -= 1;
    }
    let scale = (SIGNIFICANT_DIGITS - quotient_weight * 4)
        .max(i64::from(left.scale()))
        .max(i64::from(right.scale()))
        .clamp(0, 1_000);
    u32::try_from(scale).unwrap_or(0)
}

impl fmt::Display for Numeric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Numeric::NaN => f.write_str("NaN"),
            Numeric::Infinity => f.write_str("Infinity"),
            Numeric::NegativeInfinity => f.write_str("-Infinity"),
            Numeric::Finite { digits, scale: 0 } => write!(f, "{digits}"),
            Numeric::Finite { digits, scale } => {
                let width = *scale as usize + 1;
                let text = format!("{:0>width$}", digits.magnitude().to_string());
                let (whole, fraction) = text.split_at(text.len() - *scale as usize);
                let sign = if digits.sign() == Sign::Minus { "-" } else { "" };
                write!(f, "{sign}{whole}.{fraction}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n(text: &str) -> Numeric {
        Numeric::parse(text).unwrap()
    }

    #[test]
    fn numbers_print_as_postgresql_prints_them() {
        for (text, printed) in [
            ("1.50", "1.50"),
            ("-0.005", "-0.005"),
            ("1e3", "1000"),
            ("1.5e-3", "0.0015"),
            (" 12 ", "12"),
            (".5", "0.5"),
            ("nan", "NaN"),
        ] {
            assert_eq!(n(text).to_string(), printed);
        }
        assert_eq!(
            Numeric::parse("1x").unwrap_err().message(),
            "invalid input syntax for type numeric: \"1x\""
        );
    }

    #[test]
    fn quotients_have_postgresqls_scale() {
        assert_eq!(n("1").div(&n("3")).unwrap().to_string(), "0.33333333333333333333");
        assert_eq!(n("10").div(&n("4")).unwrap().to_string(), "2.5000000000000000");
        assert_eq!(n("100000").div(&n("7")).unwrap().to_string(), "14285.714285714286");
        assert_eq!(n("2").sqrt().unwrap().to_string(), "1.414213562373095");
    }

    #[test]
    fn a_result_has_as_many_digits_as_postgresql_keeps() {
        let most = n("1e131071");
        assert!(most.clone().kept().is_ok() && most.sub(&n("1")).kept().is_ok());
        assert!(n("1e-16383").add(&most).kept().is_ok());
        let message = |number: Numeric| number.kept().unwrap_err().message().to_owned();
        assert_eq!(message(most.mul(&n("10"))), "value overflows numeric format");
        assert_eq!(message(most.mul(&n("-10"))), "value overflows numeric format");
        assert_eq!(message(Numeric::new(1, 16_384)), "value overflows numeric format");
        assert!(Numeric::parse("1e-16384").is_err() && Numeric::parse("1e131072").is_err());
    }

    #[test]
    fn zeros_at_the_end_are_cut_however_many_there_are() {
        for (text, cut) in [
            ("1.500", "1.5"),
            ("100", "100"),
            ("0.000", "0"),
            ("-3.0", "-3"),
            ("1.001", "1.001"),
            ("7.10", "7.1"),
        ] {
            assert_eq!(n(text).normalized().to_string(), cut);
        }
        let long = format!("2.{}", "0".repeat(16_000));
        assert_eq!(n(&long).normalized().to_string(), "2");
        assert_eq!(n(&format!("{long}1")).normalized().scale(), 16_001);
    }

    #[test]
    fn a_field_refuses_what_does_not_fit() {
        assert_eq!(n("12.345").fit(5, 2).unwrap().to_string(), "12.35");
        assert_eq!(n("1234.5").fit(5, 2).unwrap_err().message(), "numeric field overflow");
    }
}
