//! Ranges: text form and canonical form (PostgreSQL chapter 8.17).

use std::cmp::Ordering;

use crate::session::Session;
use crate::{Code, Error, Result, Type, Value, compare, text};

/// A range: `None` bounds are infinite.
#[derive(Clone, Debug)]
pub enum Range {
    /// No values.
    Empty,
    /// The values between two bounds.
    Between {
        /// The lower bound.
        low: Option<Value>,
        /// Whether the lower bound belongs to it.
        low_inclusive: bool,
        /// The upper bound.
        high: Option<Value>,
        /// Whether the upper bound belongs to it.
        high_inclusive: bool,
    },
}

fn malformed(text: &str, details: &str) -> Error {
    Error::new(Code::INVALID_TEXT, format!("malformed range literal: \"{text}\"")).with_details(details)
}

/// A range's canonical text from text, with its moments in UTC.
///
/// # Errors
/// `22P02` for malformed text, `22000` for bounds in the wrong order.
pub fn parse(subtype: &Type, source: &str, session: &Session) -> Result<String> {
    Ok(print(subtype, &read(subtype, source, session)?, &Session::utc(0)))
}

/// A range from text, in canonical form.
///
/// # Errors
/// As [`parse`].
pub fn read(subtype: &Type, source: &str, session: &Session) -> Result<Range> {
    let trimmed = source.trim();
    if trimmed.eq_ignore_ascii_case("empty") {
        return Ok(Range::Empty);
    }
    let low_inclusive = match trimmed.as_bytes().first() {
        Some(b'[') => true,
        Some(b'(') => false,
        _ => return Err(malformed(source, "Missing left parenthesis or bracket.")),
    };
    let mut rest = &trimmed[1..];
    let low = bound(source, &mut rest)?;
    rest = rest.strip_prefix(',').ok_or_else(|| malformed(source, "Missing comma after lower bound."))?;
    let high = bound(source, &mut rest)?;
    let high_inclusive = match rest {
        "]" => true,
        ")" => false,
        _ if rest.len() > 1 && rest.starts_with([')', ']']) => {
            return Err(malformed(source, "Junk after right parenthesis or bracket."));
        }
        _ => return Err(malformed(source, "Too many commas.")),
    };
    let value = |text: Option<String>| text.map(|text| text::parse(subtype, &text, session)).transpose();
    canonical(subtype, value(low)?, low_inclusive, value(high)?, high_inclusive)
}

/// One bound, quotes and escapes taken away.
fn bound(source: &str, rest: &mut &str) -> Result<Option<String>> {
    let mut out = String::new();
    let (mut in_quotes, mut seen) = (false, false);
    let mut chars = rest.char_indices().peekable();
    let end = loop {
        match chars.next() {
            None => return Err(malformed(source, "Unexpected end of input.")),
            Some((at, ',' | ')' | ']' | '(' | '[')) if !in_quotes => break at,
            Some((_, '\\')) => {
                out.extend(chars.next().map(|(_, c)| c));
                seen = true;
            }
            Some((_, '"')) if in_quotes && chars.next_if(|(_, c)| *c == '"').is_some() => out.push('"'),
            Some((_, '"')) => {
                in_quotes = !in_quotes;
                seen = true;
            }
            Some((_, c)) => {
                out.push(c);
                seen = true;
            }
        }
    };
    *rest = &rest[end..];
    Ok(seen.then_some(out))
}

/// A range in canonical form: discrete subtypes as `[low,high)`.
///
/// # Errors
/// `22000` for bounds in the wrong order, `22003` when a bound has no successor.
pub fn canonical(
    subtype: &Type,
    low: Option<Value>,
    low_inclusive: bool,
    high: Option<Value>,
    high_inclusive: bool,
) -> Result<Range> {
    if let (Some(below), Some(above)) = (&low, &high) {
        match compare::compare(subtype, below, above) {
            Ordering::Greater => {
                return Err(Error::new(
                    Code::ARRAY_ELEMENT_ERROR,
                    "range lower bound must be less than or equal to range upper bound",
                ));
            }
            Ordering::Equal if !(low_inclusive && high_inclusive) => return Ok(Range::Empty),
            Ordering::Equal | Ordering::Less => {}
        }
    }
    let (low, low_inclusive) = match low {
        Some(value) if !low_inclusive && discrete(subtype, &value) => {
            (Some(successor(subtype, &value)?), true)
        }
        None => (None, false),
        low => (low, low_inclusive),
    };
    let (high, high_inclusive) = match high {
        Some(value) if high_inclusive && discrete(subtype, &value) => {
            (Some(successor(subtype, &value)?), false)
        }
        None => (None, false),
        high => (high, high_inclusive),
    };
    if let (Some(below), Some(above)) = (&low, &high)
        && compare::compare(subtype, below, above) != Ordering::Less
        && !(low_inclusive && high_inclusive)
    {
        return Ok(Range::Empty);
    }
    Ok(Range::Between { low, low_inclusive, high, high_inclusive })
}

/// Whether a bound has a next value. An infinite date has none.
fn discrete(subtype: &Type, bound: &Value) -> bool {
    matches!(subtype, Type::Int4 | Type::Int8 | Type::Date)
        && !matches!(bound, Value::Date(i32::MAX | i32::MIN))
}

fn successor(subtype: &Type, value: &Value) -> Result<Value> {
    let out = || {
        Error::new(
            Code::NUMERIC_OUT_OF_RANGE,
            format!("{} out of range", crate::ty::format_type(subtype, None)),
        )
    };
    match value {
        Value::Int(value) if *subtype == Type::Int4 => {
            i32::try_from(*value + 1).map(|next| Value::Int(next.into())).map_err(|_| out())
        }
        Value::Int(value) => value.checked_add(1).map(Value::Int).ok_or_else(out),
        Value::Date(days) => days.checked_add(1).map(Value::Date).ok_or_else(out),
        other => Ok(other.clone()),
    }
}

/// A range in the form that it is kept in, with its moments in the session's zone.
pub fn zoned(subtype: &Type, text: &str, session: &Session) -> String {
    if *subtype != Type::Timestamptz {
        return text.to_owned();
    }
    // What is kept says its offset.
    read(subtype, text, session).map_or_else(|_| text.to_owned(), |range| print(subtype, &range, session))
}

/// A range as text.
pub fn print(subtype: &Type, range: &Range, session: &Session) -> String {
    let Range::Between { low, low_inclusive, high, high_inclusive } = range else {
        return "empty".to_owned();
    };
    let bound = |value: &Option<Value>| {
        value.as_ref().map(|value| quoted(&text::print(subtype, value, session))).unwrap_or_default()
    };
    format!(
        "{}{},{}{}",
        if *low_inclusive { '[' } else { '(' },
        bound(low),
        bound(high),
        if *high_inclusive { ']' } else { ')' }
    )
}

fn quoted(text: &str) -> String {
    let special = |c: char| matches!(c, '"' | '\\' | '(' | ')' | '[' | ']' | ',') || c.is_ascii_whitespace();
    if !text.is_empty() && !text.contains(special) {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\"\""))
}
