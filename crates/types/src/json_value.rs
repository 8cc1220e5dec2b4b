//! Values as JSON and JSON as values: what `to_json` prints and `json_populate_record` reads.
//!
//! The writer is the hottest code of a server: cells of the common types are written without an allocation.

use std::io::Write;
use std::sync::Arc;

use crate::datetime::{self, Style};
use crate::json::{self, Json, write_string};
use crate::session::Session;
use crate::stored::{Cell, decode};
use crate::value::Array;
use crate::{Code, Error, Modifier, Result, Type, Value, text};

/// Writes a stored value as JSON.
///
/// # Errors
/// `XX001` when the cell is no stored form of the type.
pub fn write_cell(out: &mut Vec<u8>, ty: &Type, cell: Cell<'_>, session: &Session) -> Result<()> {
    match (ty, cell) {
        (_, Cell::Null) => out.extend(b"null"),
        (_, Cell::Json(text)) => out.extend(text.as_bytes()),
        (Type::Bool, Cell::Int(value)) => out.extend(if value != 0 { &b"true"[..] } else { b"false" }),
        (Type::Int2 | Type::Int4 | Type::Int8, Cell::Int(value)) => write_int(out, value),
        (Type::Json | Type::Jsonb | Type::Composite(_), Cell::Text(text)) => out.extend(text.as_bytes()),
        (Type::Numeric, Cell::Text(text)) => write_number_text(out, text),
        (
            Type::Text | Type::Varchar | Type::Bpchar | Type::Citext | Type::Uuid | Type::Enum(_),
            Cell::Text(text),
        ) => write_string(out, text),
        (Type::Timestamp, Cell::Int(micros)) => write_timestamp(out, micros, None),
        (Type::Timestamptz, Cell::Int(micros)) => write_timestamp(out, micros, Some(session)),
        (ty, cell) => return write_value(out, ty, &decode(ty, cell)?, session),
    }
    Ok(())
}

fn write_int(out: &mut Vec<u8>, value: i64) {
    // Writing to a `Vec` cannot fail.
    let _ = write!(out, "{value}");
}

/// `NaN` and the infinities have no JSON number.
fn write_number_text(out: &mut Vec<u8>, text: &str) {
    if text.contains(|c: char| c.is_ascii_alphabetic() && c != 'e') {
        write_string(out, text)
    } else {
        out.extend(text.as_bytes())
    }
}

fn write_timestamp(out: &mut Vec<u8>, micros: i64, zone: Option<&Session>) {
    let mut text = String::with_capacity(34);
    datetime::print_timestamp(&mut text, micros, zone, Style::Json);
    out.push(b'"');
    out.extend(text.as_bytes());
    out.push(b'"');
}

/// Writes a value as JSON.
///
/// # Errors
/// `0A000` for composite values.
pub fn write_value(out: &mut Vec<u8>, ty: &Type, value: &Value, session: &Session) -> Result<()> {
    match value {
        Value::Null => out.extend(b"null"),
        Value::Bool(value) => out.extend(if *value { &b"true"[..] } else { b"false" }),
        Value::Int(value) => write_int(out, *value),
        Value::Float(value) => write_number_text(out, &text::print_float(*value, *ty == Type::Float4)),
        Value::Numeric(number) => write_number_text(out, &number.to_string()),
        // A row is kept as a JSON object.
        Value::Text(text) if matches!(ty, Type::Json | Type::Jsonb | Type::Composite(_)) => {
            out.extend(text.as_bytes())
        }
        Value::Text(_) if matches!(ty, Type::Range(_)) => write_string(out, &text::print(ty, value, session)),
        Value::Text(text) => write_string(out, text),
        Value::Timestamp(micros) => {
            write_timestamp(out, *micros, (*ty == Type::Timestamptz).then_some(session))
        }
        Value::Array(array) => {
            let Type::Array(element) = ty else {
                return Err(Error::internal("an array value of another type"));
            };
            write_array(out, element, &array.dimensions, &array.elements, session)?;
        }
        Value::Row(_) => return Err(Error::missing("a composite value as JSON")),
        Value::Uuid(_) | Value::Bytes(_) | Value::Date(_) | Value::Time(_) | Value::Interval(_) => {
            write_string(out, &text::print(ty, value, session));
        }
    }
    Ok(())
}

fn write_array(
    out: &mut Vec<u8>,
    element: &Type,
    dimensions: &[u32],
    elements: &[Value],
    session: &Session,
) -> Result<()> {
    out.push(b'[');
    match dimensions {
        [] | [_] => {
            for (position, value) in elements.iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                write_value(out, element, value, session)?;
            }
        }
        [_, inner @ ..] => {
            let size = inner.iter().map(|&length| length as usize).product::<usize>().max(1);
            for (position, part) in elements.chunks(size).enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                write_array(out, element, inner, part, session)?;
            }
        }
    }
    out.push(b']');
    Ok(())
}

/// The value that a JSON value is for a column of a type.
///
/// # Errors
/// What the type's input function refuses, and what the modifier does.
pub fn from_json(ty: &Type, modifier: Option<Modifier>, json: &Json, session: &Session) -> Result<Value> {
    let value = match (ty, json) {
        (_, Json::Null) => return Ok(Value::Null),
        (Type::Json, json) => Value::text(json.compact()),
        (Type::Jsonb, json) => {
            let document = json.clone().normalized()?.spaced();
            session.grow(json.compact().len(), document.len())?;
            Value::text(document)
        }
        (Type::Array(element), Json::Array(items)) => {
            Value::Array(Arc::new(array_from_json(element, items, session)?))
        }
        (Type::Array(_), Json::Bool(_) | Json::Number(_) | Json::Object(_)) => {
            return Err(Error::new(Code::INVALID_TEXT, "expected JSON array"));
        }
        (Type::Composite(_), _) => return Err(Error::missing("a composite value in a body")),
        (ty, Json::String(text)) => text::parse(ty, text, session)?,
        (ty, Json::Bool(value)) => text::parse(ty, if *value { "true" } else { "false" }, session)?,
        (ty, Json::Number(number)) => text::parse(ty, number, session)?,
        (ty, json @ (Json::Array(_) | Json::Object(_))) => text::parse(ty, &json.clone().compact(), session)?,
    };
    text::apply_modifier(ty, modifier, value, false)
}

/// The value of a part of a row that is kept as an object: rows within it are kept so, too.
///
/// # Errors
/// As [`from_json`].
pub fn kept_from_json(ty: &Type, json: &Json, session: &Session) -> Result<Value> {
    match (ty, json) {
        (_, Json::Null) => Ok(Value::Null),
        (Type::Composite(_), json) => Ok(Value::text(json.clone().compact())),
        (Type::Array(element), Json::Array(items)) if matches!(**element, Type::Composite(_)) => {
            let elements = items.iter().map(|item| kept_from_json(element, item, session));
            let elements = elements.collect::<Result<Vec<_>>>()?;
            let length = u32::try_from(elements.len()).unwrap_or(u32::MAX);
            let dimensions = if length > 0 { vec![length] } else { Vec::new() };
            Ok(Value::Array(Arc::new(Array { dimensions, elements })))
        }
        (ty, json) => from_json(ty, None, json, session),
    }
}

fn array_from_json(element: &Type, items: &[Json], session: &Session) -> Result<Array> {
    let mut array = Array::default();
    fill(element, items, 0, session, &mut array)?;
    if array.elements.is_empty() {
        array.dimensions.clear();
    }
    Ok(array)
}

fn fill(element: &Type, items: &[Json], depth: usize, session: &Session, array: &mut Array) -> Result<()> {
    let length =
        u32::try_from(items.len()).map_err(|_| Error::new(Code::LIMIT_EXCEEDED, "array is too long"))?;
    match array.dimensions.get(depth) {
        None => array.dimensions.push(length),
        Some(known) if *known != length => {
            return Err(Error::new(Code::INVALID_TEXT, "malformed JSON array")
                .with_details("Multidimensional arrays must have sub-arrays with matching dimensions."));
        }
        Some(_) => {}
    }
    for item in items {
        match item {
            Json::Array(inner) if !matches!(element, Type::Json | Type::Jsonb) => {
                fill(element, inner, depth + 1, session, array)?
            }
            item => array.elements.push(from_json(element, None, item, session)?),
        }
    }
    Ok(())
}

/// A JSON tree of a value.
///
/// # Errors
/// As [`write_value`].
pub fn to_json(ty: &Type, value: &Value, session: &Session) -> Result<Json> {
    let mut out = Vec::new();
    write_value(&mut out, ty, value, session)?;
    let text = String::from_utf8(out).map_err(Error::internal)?;
    json::parse(&text, json::DEPTH_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_to_json_writes_them() {
        let session = Session::utc(0);
        for (ty, source, printed) in [
            (Type::Int8, "9007199254740993", "9007199254740993"),
            (Type::Numeric, "1.50", "1.50"),
            (Type::Float8, "NaN", "\"NaN\""),
            (Type::Timestamptz, "2024-01-02 03:04:05.678Z", "\"2024-01-02T03:04:05.678+00:00\""),
            (Type::Bytea, "\\x01", "\"\\\\x01\""),
            (Type::Text.array(), "{a,NULL}", "[\"a\",null]"),
            (Type::Jsonb, "{\"a\":1}", "{\"a\": 1}"),
            (Type::Bool, "t", "true"),
        ] {
            let value = text::parse(&ty, source, &session).unwrap();
            let stored = crate::stored::encode(&ty, &value).unwrap();
            let mut out = Vec::new();
            write_cell(&mut out, &ty, stored.as_cell(), &session).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), printed);
        }
    }
}
