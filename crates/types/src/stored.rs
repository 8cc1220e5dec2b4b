//! The stored form of values on engines that keep PostgreSQL's types in a few of their own.
//!
//! Lossless: `decode(ty, encode(ty, value))` is the value. Integers, booleans, dates and times are integers; floats are
//! floats except `NaN`, which is text; bytes are bytes; everything else is text, so chosen that equal values of most
//! types are equal texts. An array is a JSON array of its elements' stored forms.

use std::sync::Arc;

use crate::json::{self, Json};
use crate::numeric::Numeric;
use crate::value::Array;
use crate::{Code, Error, Result, Type, Value, interval};

/// A stored value by reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// Null.
    Null,
    /// An integer.
    Int(i64),
    /// A float.
    Real(f64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Blob(&'a [u8]),
    /// A value of any type that the engine has written as JSON.
    Json(&'a str),
}

/// A stored value.
#[derive(Clone, Debug, PartialEq)]
pub enum Stored {
    /// Null.
    Null,
    /// An integer.
    Int(i64),
    /// A float.
    Real(f64),
    /// Text.
    Text(Arc<str>),
    /// Bytes.
    Blob(Arc<[u8]>),
}

impl Stored {
    /// The value by reference.
    pub fn as_cell(&self) -> Cell<'_> {
        match self {
            Stored::Null => Cell::Null,
            Stored::Int(value) => Cell::Int(*value),
            Stored::Real(value) => Cell::Real(*value),
            Stored::Text(text) => Cell::Text(text),
            Stored::Blob(bytes) => Cell::Blob(bytes),
        }
    }
}

fn damaged(ty: &Type, cell: Cell<'_>) -> Error {
    Error::new(Code::DATA_CORRUPTED, "a stored value is damaged").with_cause(format!("{cell:?} as {ty:?}"))
}

/// Reads a stored value.
///
/// # Errors
/// `XX001` when it is no stored form of the type.
pub fn decode(ty: &Type, cell: Cell<'_>) -> Result<Value> {
    let broken = || damaged(ty, cell);
    Ok(match (ty, cell) {
        (_, Cell::Null) => Value::Null,
        (Type::Bool, Cell::Int(value)) => Value::Bool(value != 0),
        (Type::Int2 | Type::Int4 | Type::Int8, Cell::Int(value)) => Value::Int(value),
        (Type::Float4 | Type::Float8, Cell::Real(value)) => Value::Float(value),
        // An engine may return a whole float as an integer; beyond 2^53 it never does.
        (Type::Float4 | Type::Float8, Cell::Int(value)) => Value::Float(whole_float(value)),
        (Type::Float4 | Type::Float8, Cell::Text("NaN")) => Value::Float(f64::NAN),
        (Type::Numeric, Cell::Text(text)) => Value::Numeric(Numeric::parse(text).map_err(|_| broken())?),
        (Type::Numeric, Cell::Int(value)) => Value::Numeric(Numeric::from_i64(value)),
        (Type::Uuid, Cell::Text(text)) => Value::Uuid(crate::text::uuid(text).ok_or_else(broken)?),
        (Type::Bytea | Type::Vector, Cell::Blob(bytes)) => Value::Bytes(bytes.into()),
        (Type::Date, Cell::Int(days)) => Value::Date(i32::try_from(days).map_err(|_| broken())?),
        (Type::Time, Cell::Int(micros)) => Value::Time(micros),
        (Type::Timestamp | Type::Timestamptz, Cell::Int(micros)) => Value::Timestamp(micros),
        (Type::Interval, Cell::Text(text)) => Value::Interval(interval::parse(text).map_err(|_| broken())?),
        (Type::Array(element), Cell::Text(text)) => {
            Value::Array(Arc::new(decode_array(element, text).ok_or_else(broken)?))
        }
        (Type::Composite(_), Cell::Text(text)) => Value::text(text),
        (_, Cell::Json(text)) => Value::text(text),
        (_, Cell::Text(text)) => Value::text(text),
        _ => return Err(broken()),
    })
}

fn whole_float(value: i64) -> f64 {
    value.to_string().parse().unwrap_or(f64::NAN)
}

/// The stored form of a value of a type.
///
/// # Errors
/// `XX000` when the value is none of the type.
pub fn encode(ty: &Type, value: &Value) -> Result<Stored> {
    Ok(match value {
        Value::Null => Stored::Null,
        Value::Bool(value) => Stored::Int(i64::from(*value)),
        Value::Int(value) | Value::Time(value) | Value::Timestamp(value) => Stored::Int(*value),
        Value::Float(value) if value.is_nan() => Stored::Text(Arc::from("NaN")),
        Value::Float(value) => Stored::Real(*value),
        Value::Numeric(number) => Stored::Text(number.to_string().into()),
        Value::Text(text) => Stored::Text(text.clone()),
        Value::Uuid(bytes) => Stored::Text(crate::text::print_uuid(bytes).into()),
        Value::Bytes(bytes) => Stored::Blob(bytes.clone()),
        Value::Date(days) => Stored::Int(i64::from(*days)),
        Value::Interval(value) => Stored::Text(interval::print(*value).into()),
        Value::Array(array) => match ty {
            Type::Array(element) => Stored::Text(encode_array(element, array)?.compact().into()),
            _ => return Err(Error::internal("an array value of another type")),
        },
        Value::Row(_) => return Err(Error::missing("storing a composite value")),
    })
}

fn encode_array(element: &Type, array: &Array) -> Result<Json> {
    let leaves =
        array.elements.iter().map(|value| encode(element, value).map(leaf)).collect::<Result<Vec<_>>>()?;
    Ok(nested(&array.dimensions, leaves))
}

fn leaf(stored: Stored) -> Json {
    match stored {
        Stored::Null => Json::Null,
        Stored::Int(value) => Json::Number(value.to_string()),
        // The shortest text that reads back as the same float; an infinity has no JSON number.
        Stored::Real(value) if value.is_finite() => Json::Number(format!("{value:?}")),
        Stored::Real(value) => Json::String(if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()),
        Stored::Text(text) => Json::String(text.to_string()),
        Stored::Blob(bytes) => Json::String(crate::text::print_bytes(&bytes)),
    }
}

fn nested(dimensions: &[u32], leaves: Vec<Json>) -> Json {
    match dimensions {
        [] | [_] => Json::Array(leaves),
        [_, inner @ ..] => {
            let size = inner.iter().map(|&length| length as usize).product::<usize>().max(1);
            let mut rest = leaves.into_iter();
            let mut parts = Vec::new();
            loop {
                let part: Vec<Json> = rest.by_ref().take(size).collect();
                if part.is_empty() {
                    return Json::Array(parts);
                }
                parts.push(nested(inner, part));
            }
        }
    }
}

fn decode_array(element: &Type, text: &str) -> Option<Array> {
    let mut array = Array::default();
    flatten(&json::parse(text, json::DEPTH_MAX).ok()?, 0, element, &mut array)?;
    if array.elements.is_empty() {
        array.dimensions.clear();
    }
    Some(array)
}

fn flatten(json: &Json, depth: usize, element: &Type, array: &mut Array) -> Option<()> {
    if let Json::Array(items) = json {
        if array.dimensions.len() == depth {
            array.dimensions.push(u32::try_from(items.len()).ok()?);
        }
        return items.iter().try_for_each(|item| flatten(item, depth + 1, element, array));
    }
    let value = match (json, element) {
        (Json::Null, _) => Value::Null,
        (Json::Number(text), Type::Float4 | Type::Float8) => Value::Float(text.parse().ok()?),
        (Json::Number(text), _) => decode(element, Cell::Int(text.parse().ok()?)).ok()?,
        (Json::String(text), Type::Float4 | Type::Float8) => Value::Float(text.parse().ok()?),
        (Json::String(text), Type::Bytea | Type::Vector) => Value::Bytes(crate::text::bytes(text)?.into()),
        (Json::String(text), _) => decode(element, Cell::Text(text)).ok()?,
        _ => return None,
    };
    array.elements.push(value);
    Some(())
}

/// Whether a value of one type is stored as the same value of the other, so that a cast without modifier does nothing
/// and cannot fail.
pub fn is_alike(from: &Type, to: &Type) -> bool {
    let text = |ty: &Type| {
        matches!(ty, Type::Text | Type::Varchar | Type::Enum(_) | Type::Citext | Type::Json | Type::Uuid)
    };
    let grows = |from: &Type, to: &Type| {
        matches!(
            (from, to),
            (Type::Int2, Type::Int4 | Type::Int8) | (Type::Int4, Type::Int8) | (Type::Float4, Type::Float8)
        )
    };
    from == to || grows(from, to) || (text(from) && matches!(to, Type::Text | Type::Varchar))
}

/// Whether the element of an array stored as JSON text is one JSON token for `json_each`.
pub fn walks_as_json(element: &Type) -> bool {
    !matches!(element, Type::Bytea | Type::Vector | Type::Array(_) | Type::Float4 | Type::Float8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decode_inverts_encode() {
        let session = crate::session::Session::utc(0);
        for (ty, text) in [
            (Type::Bool, "t"),
            (Type::Int8, "9223372036854775807"),
            (Type::Float8, "0.1"),
            (Type::Float8, "NaN"),
            (Type::Numeric, "1.500"),
            (Type::Text, "ä'\"\\"),
            (Type::Uuid, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
            (Type::Bytea, "\\xdeadbeef"),
            (Type::Date, "2024-02-29"),
            (Type::Timestamptz, "2024-01-02 03:04:05.678+00"),
            (Type::Interval, "1 mon -2 days +03:00:00"),
            (Type::Text.array(), "{a,NULL,\"b c\",\"\"}"),
            (Type::Int4.array(), "{{1,2},{3,4}}"),
            (Type::Numeric.array(), "{1.50,NULL}"),
            (Type::Jsonb, "{\"a\": [1, 2]}"),
        ] {
            let value = crate::text::parse(&ty, text, &session).unwrap();
            let stored = encode(&ty, &value).unwrap();
            let back = decode(&ty, stored.as_cell()).unwrap();
            assert_eq!(crate::text::print(&ty, &back, &session), text, "{ty:?}");
        }
    }
}
