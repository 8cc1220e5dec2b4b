//! `vector`, the type of pgvector: numbers in single precision, kept as four bytes each, the lowest first.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::{Code, Error, Result, text};

/// Most dimensions.
pub const DIMENSIONS_MAX: usize = 16_000;

/// The numbers of a value.
pub fn numbers(bytes: &[u8]) -> impl Iterator<Item = f32> + '_ {
    bytes.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four))
}

/// How many numbers a value has.
pub fn dimensions(bytes: &[u8]) -> usize {
    bytes.len() / 4
}

/// A value of numbers.
///
/// # Errors
/// `22000` for numbers that no vector has, `54000` for too many.
pub fn of(numbers: &[f64]) -> Result<Arc<[u8]>> {
    let singles = numbers.iter().map(|number| single(*number)).collect::<Result<Vec<f32>>>()?;
    of_singles(&singles)
}

/// A value of numbers in single precision.
///
/// # Errors
/// As [`of`].
pub fn of_singles(numbers: &[f32]) -> Result<Arc<[u8]>> {
    let wrong = |message: &str| Error::new(Code::ARRAY_ELEMENT_ERROR, message);
    if numbers.is_empty() {
        return Err(wrong("vector must have at least 1 dimension"));
    }
    if numbers.len() > DIMENSIONS_MAX {
        let message = format!("vector cannot have more than {DIMENSIONS_MAX} dimensions");
        return Err(Error::new(Code::LIMIT_EXCEEDED, message));
    }
    if numbers.iter().any(|number| number.is_nan()) {
        return Err(wrong("NaN not allowed in vector"));
    }
    if numbers.iter().any(|number| number.is_infinite()) {
        return Err(wrong("infinite value not allowed in vector"));
    }
    Ok(numbers.iter().flat_map(|number| number.to_le_bytes()).collect())
}

#[expect(clippy::cast_possible_truncation, reason = "rounding to the nearest single is what is asked")]
fn single(number: f64) -> Result<f32> {
    let single = number as f32;
    if single.is_infinite() && number.is_finite() {
        return Err(Error::new(Code::NUMERIC_OUT_OF_RANGE, "value out of range: overflow"));
    }
    Ok(single)
}

/// A value from its text: `[1,2,3]`.
///
/// # Errors
/// `22P02` for text that is none, and those of [`of`].
pub fn parse(text: &str) -> Result<Arc<[u8]>> {
    let invalid = |details: &str| {
        let error =
            Error::new(Code::INVALID_TEXT, format!("invalid input syntax for type vector: \"{text}\""));
        if details.is_empty() { error } else { error.with_details(details) }
    };
    let trimmed = text.trim_matches(|c: char| c.is_ascii_whitespace());
    let inner = trimmed.strip_prefix('[').ok_or_else(|| invalid("Vector contents must start with \"[\"."))?;
    let (inner, behind) = inner.split_once(']').ok_or_else(|| invalid(""))?;
    if !behind.is_empty() {
        return Err(invalid("Junk after closing right brace."));
    }
    if inner.trim_matches(|c: char| c.is_ascii_whitespace()).is_empty() {
        return of_singles(&[]);
    }
    let number = |part: &str| {
        let part = part.trim_matches(|c: char| c.is_ascii_whitespace());
        let number: f32 = part.parse().map_err(|_| invalid(""))?;
        if number.is_infinite() && part.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) {
            let message = format!("\"{part}\" is out of range for type vector");
            return Err(Error::new(Code::NUMERIC_OUT_OF_RANGE, message));
        }
        Ok(number)
    };
    of_singles(&inner.split(',').map(number).collect::<Result<Vec<f32>>>()?)
}

/// A value as text.
pub fn print(bytes: &[u8]) -> String {
    let numbers: Vec<String> = numbers(bytes).map(|number| text::print_float(number.into(), true)).collect();
    format!("[{}]", numbers.join(","))
}

/// Refuses a value of another number of dimensions.
///
/// # Errors
/// `22000`
pub fn sized(bytes: &[u8], wanted: u32) -> Result<()> {
    let found = dimensions(bytes);
    if usize::try_from(wanted) == Ok(found) {
        return Ok(());
    }
    Err(Error::new(Code::ARRAY_ELEMENT_ERROR, format!("expected {wanted} dimensions, not {found}")))
}

/// Number by number, then fewer first.
pub fn compare(left: &[u8], right: &[u8]) -> Ordering {
    let pairs = numbers(left).zip(numbers(right));
    let differing = pairs.map(|(left, right)| left.partial_cmp(&right).unwrap_or(Ordering::Equal));
    differing.into_iter().find(|order| order.is_ne()).unwrap_or_else(|| left.len().cmp(&right.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found = match parse(text) {
            Ok(bytes) => print(&bytes),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn vectors_are_read_and_printed() {
        check("[1,2,3]", "[1,2,3]");
        check(" [ 1.5 , -2e-1,0.1 ] ", "[1.5,-0.2,0.1]");
        check("[]", "22000: vector must have at least 1 dimension");
        check("[NaN,1]", "22000: NaN not allowed in vector");
        check("[1e40]", "22003: \"1e40\" is out of range for type vector");
        check("1,2", "22P02: invalid input syntax for type vector: \"1,2\"");
        check("[1,,2]", "22P02: invalid input syntax for type vector: \"[1,,2]\"");
    }
}
