//! Values as a variable's type wants them: assignment casts, and where there is none, through text (43.5.1).

use types::cast::{cast, context};
use types::json::{DEPTH_MAX, Json, parse, write_string};
use types::json_value::{kept_from_json, write_value};
use types::session::Session;
use types::ty::format_type;
use types::{Code, Error, Field, Modifier, Result, Type, Value, record, text};

use crate::environment::Shape;

/// A value of one type as one of another.
///
/// # Errors
/// What the conversion refuses.
pub(crate) fn converted(
    value: Value,
    from: &Type,
    (to, modifier): (&Type, Option<Modifier>),
    session: &Session,
) -> Result<Value> {
    if value.is_null() || (from == to && modifier.is_none()) {
        return Ok(value);
    }
    match (from, to) {
        (Type::Composite(_), Type::Composite(_)) => Ok(value),
        (Type::Composite(_), _) | (_, Type::Composite(_)) => {
            let (from, to) = (format_type(from, None), format_type(to, None));
            Err(Error::missing(format!("a conversion of {from} to {to}")))
        }
        _ if *from != Type::Unknown && context(from, to).is_some() => {
            cast(from, to, modifier, false, &value, session)
        }
        _ => {
            let from = if *from == Type::Unknown { &Type::Text } else { from };
            let read = text::parse(to, &text::print(from, &value, session), session)?;
            text::apply_modifier(to, modifier, read, false)
        }
    }
}

/// The fields of a row, which comes as fields or as the JSON object that it is kept as; nothing of null.
pub(crate) fn fields(value: &Value, shape: &Shape, session: &Session) -> Result<Option<Vec<Value>>> {
    match value {
        Value::Null => Ok(None),
        Value::Row(fields) => Ok(Some(fields.to_vec())),
        Value::Text(text) => {
            let json = parse(text, DEPTH_MAX)?;
            let field = |field: &Field| {
                kept_from_json(&field.ty, json.get(&field.name).unwrap_or(&Json::Null), session)
            };
            shape.iter().map(field).collect::<Result<Vec<_>>>().map(Some)
        }
        _ => {
            let message = "cannot assign non-composite value to a record variable";
            Err(Error::new(Code::DATATYPE_MISMATCH, message))
        }
    }
}

/// The fields of a row that is written as text.
///
/// # Errors
/// What a field's type refuses; `0A000` for rows within.
pub(crate) fn read_row(written: &str, shape: &Shape, session: &Session) -> Result<Vec<Value>> {
    let parts = record::parse(written, shape.len())?;
    let field = |(part, field): (Option<String>, &Field)| match part {
        None => Ok(Value::Null),
        Some(part) => text::parse(&field.ty, &part, session),
    };
    parts.into_iter().zip(shape.iter()).map(field).collect()
}

/// A row as the JSON object that it is kept as.
pub(crate) fn kept(fields: &[Value], shape: &Shape, session: &Session) -> Result<Value> {
    let mut out = Vec::new();
    write_row(&mut out, fields, shape, session)?;
    String::from_utf8(out).map(Value::text).map_err(Error::internal)
}

/// Rows as an array of such objects.
pub(crate) fn packed(rows: &[Vec<Value>], shape: &Shape, session: &Session) -> Result<Value> {
    let mut out = vec![b'['];
    for row in rows {
        out.extend(if out.len() > 1 { &b","[..] } else { b"" });
        write_row(&mut out, row, shape, session)?;
    }
    out.push(b']');
    String::from_utf8(out).map(Value::text).map_err(Error::internal)
}

fn write_row(out: &mut Vec<u8>, fields: &[Value], shape: &Shape, session: &Session) -> Result<()> {
    out.push(b'{');
    let mut is_first = true;
    for (value, field) in fields.iter().zip(shape.iter()) {
        out.extend(if std::mem::take(&mut is_first) { &b""[..] } else { b"," });
        write_string(out, &field.name);
        out.push(b':');
        write_value(out, &field.ty, value, session)?;
    }
    out.push(b'}');
    Ok(())
}

/// A value as `raise`, `execute` and their like print it.
pub(crate) fn printed(value: &Value, ty: &Type, session: &Session) -> Option<String> {
    let ty = if *ty == Type::Unknown { &Type::Text } else { ty };
    (!value.is_null()).then(|| text::print(ty, value, session))
}

/// What must be true or false.
pub(crate) fn boolean(value: Value, ty: &Type, session: &Session) -> Result<bool> {
    Ok(matches!(converted(value, ty, (&Type::Bool, None), session)?, Value::Bool(true)))
}

/// A whole number, unless it is null.
pub(crate) fn integer(value: Value, ty: &Type, session: &Session) -> Result<Option<i64>> {
    match converted(value, ty, (&Type::Int4, None), session)? {
        Value::Null => Ok(None),
        Value::Int(number) => Ok(Some(number)),
        _ => Err(Error::new(Code::DATATYPE_MISMATCH, "a number was expected")),
    }
}
