//! The shortest digits of a float, as PostgreSQL's Ryu chooses them.
//!
//! They read back as the same float whatever way a reader rounds: decimals exactly half-way to a neighbor do not count, and of
//! two candidates equally near the even one is taken. Only large or long numbers can differ from Rust's own choice.

/// A finite float in scientific notation: `d.ddde±x`.
pub(crate) fn scientific(value: f64, is_single: bool) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "a single precision value is one exactly")]
    let text = if is_single { format!("{:e}", value as f32) } else { format!("{value:e}") };
    let length = text.bytes().take_while(|byte| *byte != b'e').filter(u8::is_ascii_digit).count();
    let (unique, exact) = if is_single { (6, 8_388_608.0) } else { (15, 4_503_599_627_370_496.0) };
    if length <= unique && value.abs() < exact {
        return text;
    }
    // The nearest with so many digits, halves to even; one more digit where it lies on the boundary.
    let nearest = |length: usize| format!("{value:.*e}", length.saturating_sub(1));
    let same = |text: &str| {
        if is_single {
            text.parse::<f32>().is_ok_and(|read| f64::from(read) == value)
        } else {
            text.parse() == Ok(value)
        }
    };
    (length..=if is_single { 9 } else { 17 })
        .map(nearest)
        .find(|text| same(text) && !is_boundary(text, value, is_single))
        .map_or(text, trimmed)
}

/// Without zeros at the end of the digits.
fn trimmed(text: String) -> String {
    match text.split_once('e') {
        Some((digits, exponent)) if digits.contains('.') => {
            format!("{}e{exponent}", digits.trim_end_matches('0').trim_end_matches('.'))
        }
        _ => text,
    }
}

/// Whether a decimal lies exactly half-way between a float and a neighbor.
fn is_boundary(text: &str, value: f64, is_single: bool) -> bool {
    let Some((digits, exponent)) = text.trim_start_matches('-').split_once('e') else { return false };
    let fraction = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let (Ok(number), Ok(exponent), Ok(fraction)) =
        (digits.replace('.', "").parse::<u128>(), exponent.parse::<i32>(), i32::try_from(fraction))
    else {
        return false;
    };
    let (mantissa, binary) = parts(value, is_single);
    // number · 10^tens = (2 · mantissa ± 1) · 2^(binary − 1): odd parts and powers of two must agree.
    let tens = exponent - fraction;
    let twos = i32::try_from(number.trailing_zeros()).unwrap_or(0);
    let odd = number >> twos.min(127);
    let midpoints = [2 * mantissa + 1, 2 * mantissa - 1];
    if twos + tens != binary - 1 {
        return false;
    }
    match u32::try_from(tens) {
        Ok(tens) if tens <= 27 => midpoints.contains(&(odd.saturating_mul(5_u128.pow(tens)))),
        Ok(_) => false,
        Err(_) if tens >= -3 => {
            midpoints.iter().any(|midpoint| midpoint * 5_u128.pow(tens.unsigned_abs()) == odd)
        }
        Err(_) => false,
    }
}

/// Mantissa and power of two of a float's magnitude.
fn parts(value: f64, is_single: bool) -> (u128, i32) {
    let bits = value.abs().to_bits();
    let biased = i32::try_from(bits >> 52).unwrap_or(0);
    let stored = u128::from(bits & ((1 << 52) - 1));
    let (mantissa, binary) = if biased == 0 { (stored, -1074) } else { (stored | 1 << 52, biased - 1075) };
    if is_single { (mantissa >> 29, binary + 29) } else { (mantissa, binary) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_of_postgresql() {
        for (value, text) in [
            (1e15 * 2_451_544.0, "2.4515440000000003e21"),
            (1e15 * f64::from(0.1_f32), "1.0000000149011612e14"),
            (123_456.789 - 1e15, "-9.999999998765432e14"),
            (0.1, "1e-1"),
            (1e22, "1e22"),
            (1e23, "9.999999999999999e22"),
            (9_007_199_254_740_993.0, "9.007199254740992e15"),
            (5e-324, "5e-324"),
        ] {
            assert_eq!(scientific(value, false), text);
        }
        assert_eq!(scientific(3.25e10, true), "3.25e10");
        assert_eq!(scientific(f64::from(16_777_216.0_f32), true), "1.6777216e7");
    }
}
