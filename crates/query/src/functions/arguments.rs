//! Reading arguments, and errors that several families raise.
//!
//! Resolution and casts have made every argument a value of the declared type; anything else is a bug of ours.

use std::sync::Arc;

use types::session::Session;
use types::value::{Array, Interval};
use types::{Code, Error, Result, Type, Value};

fn wrong(position: usize, wanted: &str) -> Error {
    Error::internal(format!("argument {position} is not {wanted}"))
}

macro_rules! readers {
    ($($name:ident $variant:ident $ty:ty, $doc:literal;)*) => {
        $(#[doc = $doc]
        pub(super) fn $name(arguments: &[Value], position: usize) -> Result<$ty> {
            match arguments.get(position) {
                Some(Value::$variant(value)) => Ok(*value),
                _ => Err(wrong(position, stringify!($name))),
            }
        })*
    };
}

readers! {
    boolean Bool bool, "A boolean.";
    int Int i64, "An integer of any width.";
    float Float f64, "A floating-point number.";
    date Date i32, "A date.";
    time Time i64, "A time of day.";
    timestamp Timestamp i64, "A timestamp with or without time zone.";
    interval Interval Interval, "An interval.";
}

/// A text, or any type whose values are texts.
pub(super) fn text(arguments: &[Value], position: usize) -> Result<&str> {
    match arguments.get(position) {
        Some(Value::Text(text)) => Ok(text),
        _ => Err(wrong(position, "text")),
    }
}

/// A text that may be null or left out.
pub(super) fn text_or_null(arguments: &[Value], position: usize) -> Result<Option<&str>> {
    match arguments.get(position) {
        None | Some(Value::Null) => Ok(None),
        Some(_) => text(arguments, position).map(Some),
    }
}

/// A `bytea`.
pub(super) fn bytes(arguments: &[Value], position: usize) -> Result<&[u8]> {
    match arguments.get(position) {
        Some(Value::Bytes(bytes)) => Ok(bytes),
        _ => Err(wrong(position, "bytes")),
    }
}

/// An array.
pub(super) fn array(arguments: &[Value], position: usize) -> Result<&Array> {
    match arguments.get(position) {
        Some(Value::Array(array)) => Ok(array),
        _ => Err(wrong(position, "an array")),
    }
}

/// A `text[]`: its elements.
pub(super) fn texts(arguments: &[Value], position: usize) -> Result<Vec<Option<&str>>> {
    let element = |value| match value {
        &Value::Null => Ok(None),
        Value::Text(text) => Ok(Some(&**text)),
        _ => Err(wrong(position, "texts")),
    };
    array(arguments, position)?.elements.iter().map(element).collect()
}

/// A text result.
#[expect(clippy::unnecessary_wraps, reason = "the shape of an evaluation")]
pub(super) fn ok_text(text: impl Into<Arc<str>>) -> Result<Value> {
    Ok(Value::Text(text.into()))
}

/// An array of one dimension.
pub(super) fn list(elements: Vec<Value>) -> Value {
    let dimensions = if elements.is_empty() {
        Vec::new()
    } else {
        vec![u32::try_from(elements.len()).unwrap_or(u32::MAX)]
    };
    Value::Array(Arc::new(Array { dimensions, elements }))
}

/// A word cut to the length of PostgreSQL's identifiers: 63 bytes, whole characters.
pub(super) fn identifier(word: &str) -> &str {
    let end = (0..=word.len().min(63)).rev().find(|end| word.is_char_boundary(*end)).unwrap_or(0);
    word.get(..end).unwrap_or(word)
}

/// `22023`
pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::new(Code::INVALID_PARAMETER, message)
}

/// `22003`: `integer out of range`
pub(super) fn out_of_range(ty: &str) -> Error {
    Error::new(Code::NUMERIC_OUT_OF_RANGE, format!("{ty} out of range"))
}

/// `22012`
pub(super) fn division_by_zero() -> Error {
    Error::new(Code::DIVISION_BY_ZERO, "division by zero")
}

/// A length as an `integer`.
pub(super) fn count(length: usize) -> Result<Value> {
    i32::try_from(length).map(|length| Value::Int(length.into())).map_err(|_| out_of_range("integer"))
}

/// The text of a value as its type's output function writes it; null has none.
pub(super) fn output(ty: &Type, value: &Value, session: &Session) -> Option<String> {
    if value.is_null() { None } else { Some(types::text::print(ty, value, session)) }
}
