//! Powers, exponentials and logarithms, to the scales that PostgreSQL chooses.
//!
//! Computed with more digits than are shown, in fixed point. PostgreSQL's choice of digits goes by its base 10 000.

use num_bigint::{BigInt, Sign};

use super::{Numeric, overflow, ten_to};
use crate::{Code, Error, Result};

/// Digits that a result has at least.
const SIGNIFICANT_DIGITS: i64 = 16;
/// Most digits after the point.
const SCALE_MAX: i64 = 1_000;
/// Beyond this many digits before the point a result overflows for certain.
const RESULT_DIGITS_MAX: f64 = 2_000.0;
/// Digits beyond those shown, so that the last one shown is right.
const GUARD: u32 = 25;
/// `log10(e)`, as PostgreSQL has it.
#[expect(clippy::approx_constant, reason = "PostgreSQL cuts it there, and chooses digits by it")]
const LOG10_E: f64 = 0.434_294_481_903_252;

fn scale_of(digits: i64, at_least: u32) -> u32 {
    let scale = digits.max(i64::from(at_least)).clamp(0, SCALE_MAX);
    u32::try_from(scale).unwrap_or(0)
}

/// The digits in base 10 000 without zeros at the ends, and the weight of the first.
fn groups(number: &Numeric) -> (i64, Vec<i64>) {
    let text = number.abs().to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let front = "0".repeat((4 - whole.len() % 4) % 4);
    let back = "0".repeat((4 - fraction.len() % 4) % 4);
    let digits = format!("{front}{whole}{fraction}{back}");
    let mut weight = i64::try_from((front.len() + whole.len()) / 4).unwrap_or(0) - 1;
    let mut groups: Vec<i64> = digits
        .as_bytes()
        .chunks(4)
        .map(|group| group.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
        .collect();
    let zeros = groups.iter().take_while(|group| **group == 0).count();
    groups.drain(..zeros);
    weight -= i64::try_from(zeros).unwrap_or(0);
    while groups.last() == Some(&0) {
        groups.pop();
    }
    (weight, groups)
}

#[expect(clippy::cast_precision_loss, reason = "an estimate is what is wanted")]
fn float(number: i64) -> f64 {
    number as f64
}

#[expect(clippy::cast_possible_truncation, reason = "cut towards zero as in C, of an estimate")]
fn whole(number: f64) -> i64 {
    number as i64
}

/// The decimal weight of a logarithm, estimated as PostgreSQL does.
fn logarithm_weight(number: &Numeric) -> i64 {
    if number.is_zero() || number.is_negative() {
        return 0;
    }
    let one = Numeric::from_i64(1);
    let near = |text: &str| Numeric::parse(text).unwrap_or_else(|_| one.clone());
    if number.compare(&near("0.9")).is_ge() && number.compare(&near("1.1")).is_le() {
        let (weight, groups) = groups(&number.sub(&one));
        return groups.first().map_or(0, |first| weight * 4 + whole(float(*first).log10()));
    }
    let (weight, groups) = groups(number);
    let (mut digits, mut exponent) = (groups.first().copied().unwrap_or(0), weight * 4);
    if let Some(second) = groups.get(1) {
        digits = digits * 10_000 + second;
        exponent -= 4;
    }
    let logarithm = float(digits).ln() + float(exponent) * std::f64::consts::LN_10;
    whole(logarithm.abs().log10())
}

/// A number times `10^scale`.
fn fixed(number: &Numeric, scale: u32) -> BigInt {
    match number {
        Numeric::Finite { digits, scale: own } if *own <= scale => digits * ten_to(scale - own),
        Numeric::Finite { digits, scale: own } => digits / ten_to(own - scale),
        Numeric::NaN | Numeric::Infinity | Numeric::NegativeInfinity => BigInt::default(),
    }
}

/// The logarithm of `number / 10^scale`, above zero and not far from one.
fn series(mut number: BigInt, scale: u32) -> BigInt {
    let one = ten_to(scale);
    let mut roots = 0_u32;
    let (low, high) = (&one * 9 / 10, &one * 11 / 10);
    while number < low || number > high {
        number = (number * &one).sqrt();
        roots += 1;
    }
    let ratio = (&number - &one) * &one / (&number + &one);
    let square = &ratio * &ratio / &one;
    let (mut power, mut sum, mut odd) = (ratio.clone(), ratio, 1_u32);
    while power.sign() != Sign::NoSign {
        odd += 2;
        power = power * &square / &one;
        sum += &power / odd;
    }
    sum * (BigInt::from(2) << roots)
}

/// The natural logarithm times `10^scale` of a number above zero.
fn logarithm(number: &Numeric, scale: u32) -> BigInt {
    // Roots lose digits, and so does the difference from one.
    let wide = scale + GUARD + 15;
    let Numeric::Finite { digits, scale: own } = number else { return BigInt::default() };
    let length = u32::try_from(digits.magnitude().to_string().len()).unwrap_or(u32::MAX);
    // `digits` as a number from 0.1 to 1, and the power of ten that is left.
    let near = digits * ten_to(wide);
    let (near, exponent) =
        if number.compare(&Numeric::from_i64(2)).is_lt() && number.compare(&Numeric::new(5, 1)).is_gt() {
            (near / ten_to(*own), 0)
        } else {
            (near / ten_to(length), i64::from(length) - i64::from(*own))
        };
    let mut sum = series(near, wide);
    if exponent != 0 {
        sum += series(ten_to(wide) * 10, wide) * exponent;
    }
    sum / ten_to(wide - scale)
}

/// `e^(number / 10^scale)` times `10^scale`; `scale` has digits enough for the whole part of the result too.
fn exponential(number: &BigInt, scale: u32) -> BigInt {
    let one = ten_to(scale);
    if number.sign() == Sign::Minus {
        let inverse = exponential(&-number, scale);
        return &one * &one / inverse;
    }
    let halvings = u32::try_from((number / &one).bits() + 8).unwrap_or(u32::MAX);
    let small: BigInt = number >> halvings;
    let (mut term, mut sum, mut count) = (one.clone(), one.clone(), 0_u32);
    while term.sign() != Sign::NoSign {
        count += 1;
        term = term * &small / &one / count;
        sum += &term;
    }
    for _ in 0..halvings {
        sum = &sum * &sum / &one;
    }
    sum
}

/// `digits / 10^wide`, shown with fewer digits after the point.
fn rounded(digits: BigInt, wide: u32, scale: u32) -> Numeric {
    Numeric::Finite { digits, scale: wide }.round(i32::try_from(scale).unwrap_or(0))
}

fn logarithm_of(number: &Numeric) -> Result<()> {
    let refused = |message: &str| Err(Error::new(Code::INVALID_LOGARITHM, message));
    if number.is_zero() {
        return refused("cannot take logarithm of zero");
    }
    if number.is_negative() {
        return refused("cannot take logarithm of a negative number");
    }
    Ok(())
}

impl Numeric {
    /// The natural logarithm.
    ///
    /// # Errors
    /// `2201E` for zero and below.
    pub fn ln(&self) -> Result<Numeric> {
        if matches!(self, Numeric::NaN) {
            return Ok(Numeric::NaN);
        }
        logarithm_of(self)?;
        let Numeric::Finite { scale, .. } = self else { return Ok(self.clone()) };
        let scale = scale_of(SIGNIFICANT_DIGITS - logarithm_weight(self), *scale);
        Ok(rounded(logarithm(self, scale + GUARD), scale + GUARD, scale))
    }

    /// The logarithm to a base.
    ///
    /// # Errors
    /// `2201E` for zero and below, `22012` for base one.
    pub fn log(&self, base: &Numeric) -> Result<Numeric> {
        if matches!(self, Numeric::NaN) || matches!(base, Numeric::NaN) {
            return Ok(Numeric::NaN);
        }
        let is_finite = |number: &Numeric| matches!(number, Numeric::Finite { .. });
        if !(is_finite(base) && is_finite(self)) && (base.is_negative() || self.is_negative()) {
            logarithm_of(if base.is_negative() { base } else { self })?;
        }
        logarithm_of(base)?;
        logarithm_of(self)?;
        match (base, self) {
            (Numeric::Finite { .. }, Numeric::Finite { .. }) => {}
            (Numeric::Finite { .. }, _) => return Ok(Numeric::Infinity),
            (_, Numeric::Finite { .. }) => return Ok(Numeric::from_i64(0)),
            _ => return Ok(Numeric::NaN),
        }
        let weight = logarithm_weight(self) - logarithm_weight(base);
        let scale = scale_of(SIGNIFICANT_DIGITS - weight, self.scale().max(base.scale()));
        let wide = scale + 2 * GUARD;
        let divisor = logarithm(base, wide);
        if divisor.sign() == Sign::NoSign {
            return Err(Error::new(Code::DIVISION_BY_ZERO, "division by zero"));
        }
        Ok(rounded(logarithm(self, wide) * ten_to(wide) / divisor, wide, scale))
    }

    /// The exponential.
    ///
    /// # Errors
    /// `22003` when it is too large.
    pub fn exp(&self) -> Result<Numeric> {
        match self {
            Numeric::Finite { .. } => {}
            Numeric::NegativeInfinity => return Ok(Numeric::from_i64(0)),
            other => return Ok(other.clone()),
        }
        let digits = (self.to_f64() * LOG10_E).clamp(-RESULT_DIGITS_MAX, RESULT_DIGITS_MAX);
        let scale = scale_of(SIGNIFICANT_DIGITS - whole(digits), self.scale());
        if self.to_f64().abs() >= RESULT_DIGITS_MAX * 3.0 {
            return if self.is_negative() { Ok(Numeric::new(0, scale)) } else { Err(overflow()) };
        }
        let wide = scale + u32::try_from(whole(digits.abs())).unwrap_or(0) + GUARD;
        Ok(rounded(exponential(&fixed(self, wide), wide), wide, scale))
    }

    /// The power.
    ///
    /// # Errors
    /// `2201F` for zero to a negative and a negative number to a broken power, `22003` when it is too large.
    pub fn power(&self, exponent: &Numeric) -> Result<Numeric> {
        let one = Numeric::from_i64(1);
        if matches!(self, Numeric::NaN) {
            return Ok(if exponent.is_zero() { one } else { Numeric::NaN });
        }
        if matches!(exponent, Numeric::NaN) {
            return Ok(if self.compare(&one).is_eq() { one } else { Numeric::NaN });
        }
        let refused = |message: &str| Err(Error::new(Code::INVALID_POWER, message));
        if self.is_zero() && exponent.is_negative() {
            return refused("zero raised to a negative power is undefined");
        }
        let is_whole = exponent.normalized().scale() == 0;
        if self.is_negative() && !is_whole {
            return refused("a negative number raised to a non-integer power yields a complex result");
        }
        if !matches!((self, exponent), (Numeric::Finite { .. }, Numeric::Finite { .. })) {
            return Ok(self.infinite_power(exponent));
        }
        if let (true, Ok(exponent)) = (is_whole, exponent.to_i64("integer", i32::MIN.into(), i32::MAX.into()))
        {
            return self.whole_power(exponent);
        }
        if self.is_zero() {
            return Ok(Numeric::new(0, 16));
        }
        self.broken_power(exponent)
    }

    /// A power with an infinity in it.
    fn infinite_power(&self, exponent: &Numeric) -> Numeric {
        let one = Numeric::from_i64(1);
        let zero = Numeric::from_i64(0);
        if exponent.is_zero() || self.compare(&one).is_eq() {
            return one;
        }
        if !matches!(exponent, Numeric::Finite { .. }) {
            if self.abs().compare(&one).is_eq() {
                return one;
            }
            let grows = self.abs().compare(&one).is_gt() != exponent.is_negative();
            return if grows { Numeric::Infinity } else { zero };
        }
        if exponent.is_negative() {
            return zero;
        }
        let is_odd = exponent.rem(&Numeric::from_i64(2)).is_ok_and(|rest| !rest.is_zero());
        if self.is_negative() && is_odd { Numeric::NegativeInfinity } else { Numeric::Infinity }
    }

    fn whole_power(&self, exponent: i64) -> Result<Numeric> {
        let scale = scale_of(SIGNIFICANT_DIGITS, self.scale());
        let shown = i32::try_from(scale).unwrap_or(0);
        match exponent {
            0 => return Ok(Numeric::from_i64(1).round(shown)),
            1 => return Ok(self.round(shown)),
            2 => return Ok(self.mul(self).round(shown)),
            _ => {}
        }
        if self.is_zero() {
            return Ok(Numeric::new(0, scale));
        }
        let (weight, groups) = groups(self);
        let mut digits = float(groups.first().copied().unwrap_or(0));
        let mut power = weight * 4;
        for group in groups.iter().skip(1).take(3) {
            digits = digits * 10_000.0 + float(*group);
            power -= 4;
        }
        let size = float(exponent) * (digits.log10() + float(power));
        if size > 3.0 * 32_767.0 * 4.0 {
            return Err(overflow());
        }
        if size + 1.0 < -f64::from(scale) || size + 1.0 < -float(SCALE_MAX) {
            return Ok(Numeric::new(0, scale));
        }
        let result = self.multiplied(exponent.unsigned_abs(), whole(size.abs()) + i64::from(scale));
        if size > 131_072.0 {
            return Err(overflow());
        }
        if exponent > 0 {
            return Ok(result.round(shown));
        }
        let Numeric::Finite { digits, scale: own } = result else { return Ok(result) };
        let wide = scale + GUARD;
        Ok(rounded(ten_to(wide + own) / digits, wide, scale))
    }

    /// A power by repeated multiplication, with so many significant digits.
    fn multiplied(&self, mut exponent: u64, digits: i64) -> Numeric {
        let limit = usize::try_from(digits).unwrap_or(0) + usize::try_from(GUARD).unwrap_or(0);
        let cut = |number: Numeric| {
            let Numeric::Finite { digits, scale } = &number else { return number };
            let length = digits.magnitude().to_string().len();
            let excess = u32::try_from(length.saturating_sub(limit)).unwrap_or(0).min(*scale);
            Numeric::Finite { digits: digits / ten_to(excess), scale: scale - excess }
        };
        let product = |left: &Numeric, right: &Numeric| match (left, right) {
            (Numeric::Finite { digits: a, scale: of_a }, Numeric::Finite { digits: b, scale: of_b }) => {
                cut(Numeric::Finite { digits: a * b, scale: of_a + of_b })
            }
            _ => left.clone(),
        };
        let (mut result, mut base) = (Numeric::from_i64(1), self.clone());
        while exponent > 0 {
            if exponent & 1 == 1 {
                result = product(&result, &base);
            }
            exponent >>= 1;
            if exponent > 0 {
                base = product(&base, &base);
            }
        }
        result
    }

    fn broken_power(&self, exponent: &Numeric) -> Result<Numeric> {
        let base = self.abs();
        let is_odd = exponent.rem(&Numeric::from_i64(2)).is_ok_and(|rest| !rest.is_zero());
        let sign = |number: Numeric| if self.is_negative() && is_odd { number.neg() } else { number };
        let rough = scale_of(8 - logarithm_weight(&base), 0);
        let estimate = rounded(logarithm(&base, rough + GUARD), rough + GUARD, rough)
            .mul(exponent)
            .round(i32::try_from(rough).unwrap_or(0))
            .to_f64();
        if estimate.abs() > RESULT_DIGITS_MAX * 3.01 {
            return if estimate > 0.0 { Err(overflow()) } else { Ok(Numeric::new(0, 1_000)) };
        }
        let digits = whole(estimate * LOG10_E);
        let scale = scale_of(SIGNIFICANT_DIGITS - digits, self.scale().max(exponent.scale()));
        let wide = scale + u32::try_from(digits.abs()).unwrap_or(0) + 2 * GUARD;
        let power = logarithm(&base, wide) * fixed(exponent, wide) / ten_to(wide);
        Ok(sign(rounded(exponential(&power, wide), wide, scale)))
    }
}
