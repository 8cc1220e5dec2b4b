//! Making `json` and `jsonb` of values (PostgreSQL 9.16.1).

use types::json::{Json, write_string};
use types::json_value::{to_json, write_value};
use types::{Code, Error, Result, Type, Value};

use super::Ty::{Any, AnyArray, AnyElement, Array as Of, Bool, Json as J, Jsonb as B, Text as T};
use super::arguments::{array, boolean, invalid, ok_text, output, texts};
use super::{Context, Function, Ty, raw_json};

pub(super) static ROWS: &[Function] = &[
    Function::new("to_json", &[AnyElement], J, |c, a| json(c, a, 0)).stable(),
    Function::new("to_jsonb", &[AnyElement], B, |c, a| ok_text(tree(c, a, 0)?.spaced())).stable(),
    Function::new("row_to_json", &[Ty::Record], J, |c, a| json(c, a, 0)).stable(),
    Function::new("row_to_json", &[Ty::Record, Bool], J, in_lines).stable(),
    Function::new("array_to_json", &[AnyArray], J, |c, a| json(c, a, 0)).stable(),
    Function::new("array_to_json", &[AnyArray, Bool], J, in_lines).stable(),
    Function::new("json_build_array", &[], J, |_, _| ok_text("[]")).stable(),
    Function::new("json_build_array", &[Any], J, json_array).lax().variadic().stable(),
    Function::new("jsonb_build_array", &[], B, |_, _| ok_text("[]")).stable(),
    Function::new("jsonb_build_array", &[Any], B, jsonb_array).lax().variadic().stable(),
    Function::new("json_build_object", &[], J, |_, _| ok_text("{}")).stable(),
    Function::new("json_build_object", &[Any], J, json_object).lax().variadic().stable(),
    Function::new("jsonb_build_object", &[], B, |_, _| ok_text("{}")).stable(),
    Function::new("jsonb_build_object", &[Any], B, jsonb_object).lax().variadic().stable(),
    Function::new("json_object", &[Of(&T)], J, |_, a| ok_text(spaced_object(&pairs(a)?))),
    Function::new("json_object", &[Of(&T), Of(&T)], J, |_, a| ok_text(spaced_object(&zipped(a)?))),
    Function::new("jsonb_object", &[Of(&T)], B, |_, a| ok_text(object(pairs(a)?).normalized()?.spaced())),
    Function::new("jsonb_object", &[Of(&T), Of(&T)], B, |_, a| {
        ok_text(object(zipped(a)?).normalized()?.spaced())
    }),
];

/// A value as the text of a `json`.
pub(super) fn written(ty: &Type, value: &Value, context: &Context<'_>) -> Result<String> {
    let mut out = Vec::new();
    write_value(&mut out, known(ty), value, context.session)?;
    String::from_utf8(out).map_err(Error::internal)
}

/// An untyped literal is text.
fn known(ty: &Type) -> &Type {
    if *ty == Type::Unknown { &Type::Text } else { ty }
}

/// A value as a part of a `jsonb`.
pub(super) fn part(ty: &Type, value: &Value, context: &Context<'_>) -> Result<Json> {
    to_json(known(ty), value, context.session)?.normalized()
}

fn argument(arguments: &[Value], position: usize) -> &Value {
    arguments.get(position).unwrap_or(&Value::Null)
}

fn json(context: &Context<'_>, arguments: &[Value], position: usize) -> Result<Value> {
    ok_text(written(context.argument(position), argument(arguments, position), context)?)
}

/// Where asked for, each part of the outermost list on a line of its own.
fn in_lines(context: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let whole = written(context.argument(0), argument(arguments, 0), context)?;
    if !boolean(arguments, 1)? {
        return ok_text(whole);
    }
    ok_text(if whole.starts_with('{') {
        let fields = raw_json::fields(&whole).map(|(key, value)| format!("{key}:{value}"));
        format!("{{{}}}", fields.collect::<Vec<_>>().join(",\n "))
    } else {
        format!("[{}]", raw_json::elements(&whole).collect::<Vec<_>>().join(",\n "))
    })
}

fn tree(context: &Context<'_>, arguments: &[Value], position: usize) -> Result<Json> {
    part(context.argument(position), argument(arguments, position), context)
}

pub(super) fn json_array(context: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let parts = arguments.iter().enumerate().map(|(at, value)| written(context.argument(at), value, context));
    ok_text(format!("[{}]", parts.collect::<Result<Vec<_>>>()?.join(", ")))
}

pub(super) fn jsonb_array(context: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let parts = (0..arguments.len()).map(|position| tree(context, arguments, position));
    ok_text(Json::Array(parts.collect::<Result<_>>()?).spaced())
}

/// The text of a key: not null, and no container.
pub(super) fn key(ty: &Type, value: &Value, context: &Context<'_>) -> Result<Option<String>> {
    if matches!(ty, Type::Json | Type::Jsonb | Type::Array(_) | Type::Composite(_)) && !value.is_null() {
        return Err(invalid("key value must be scalar, not array, composite, or json"));
    }
    Ok(match value {
        Value::Bool(value) => Some(value.to_string()),
        Value::Date(_) | Value::Timestamp(_) => part(ty, value, context)?.as_str().map(str::to_owned),
        value => output(known(ty), value, context.session),
    })
}

/// Keys of a `…_build_object`; a null one is an error that differs between the two.
fn keys(
    context: &Context<'_>,
    arguments: &[Value],
    null: &dyn Fn(usize) -> Error,
    uneven: &str,
) -> Result<Vec<(String, usize)>> {
    if !arguments.len().is_multiple_of(2) {
        let hint = format!("The arguments of {uneven}() must consist of alternating keys and values.");
        return Err(invalid("argument list must have even number of elements").with_hint(hint));
    }
    let key_at = |at: usize| match key(context.argument(at), argument(arguments, at), context)? {
        Some(key) => Ok((key, at + 1)),
        None => Err(null(at)),
    };
    (0..arguments.len()).step_by(2).map(key_at).collect()
}

pub(super) fn json_object(context: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let null = |at: usize| {
        invalid(format!("argument {} cannot be null", at + 1)).with_hint("Object keys should be text.")
    };
    let mut fields = Vec::new();
    for (key, at) in keys(context, arguments, &null, "json_build_object")? {
        fields.push((key, written(context.argument(at), argument(arguments, at), context)?));
    }
    ok_text(joined(&fields, " : ", ", "))
}

/// An object of fields that are written already.
pub(super) fn joined(fields: &[(String, String)], colon: &str, comma: &str) -> String {
    let field = |(key, value): &(String, String)| {
        let mut out = Vec::new();
        write_string(&mut out, key);
        out.extend(colon.as_bytes());
        out.extend(value.as_bytes());
        String::from_utf8(out).unwrap_or_default()
    };
    format!("{{{}}}", fields.iter().map(field).collect::<Vec<_>>().join(comma))
}

pub(super) fn jsonb_object(context: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let null = |at: usize| invalid(format!("argument {}: key must not be null", at + 1));
    let mut fields = Vec::new();
    for (key, at) in keys(context, arguments, &null, "jsonb_build_object")? {
        fields.push((key, tree(context, arguments, at)?));
    }
    ok_text(Json::Object(fields).normalized()?.spaced())
}

fn null_key() -> Error {
    Error::new(Code::NULL_NOT_ALLOWED, "null value not allowed for object key")
}

/// Keys and values that alternate in one array, or are the rows of one of two columns.
fn pairs(arguments: &[Value]) -> Result<Vec<(String, Option<String>)>> {
    let subscript = |message: &str| Err(Error::new(Code::ARRAY_SUBSCRIPT, message));
    match &array(arguments, 0)?.dimensions[..] {
        [] | [_, 2] => {}
        [length] if length % 2 == 0 => {}
        [_] => return subscript("array must have even number of elements"),
        [_, _] => return subscript("array must have two columns"),
        _ => return subscript("wrong number of array subscripts"),
    }
    let elements = texts(arguments, 0)?;
    let pair = |pair: &[Option<&str>]| match pair {
        [Some(key), value] => Ok(((*key).to_owned(), value.map(str::to_owned))),
        _ => Err(null_key()),
    };
    elements.chunks(2).map(pair).collect()
}

fn zipped(arguments: &[Value]) -> Result<Vec<(String, Option<String>)>> {
    let (keys, values) = (texts(arguments, 0)?, texts(arguments, 1)?);
    let dimensions = [array(arguments, 0)?, array(arguments, 1)?].map(|array| array.dimensions.len());
    if dimensions[0] > 1 || dimensions[0] != dimensions[1] {
        return Err(Error::new(Code::ARRAY_SUBSCRIPT, "wrong number of array subscripts"));
    }
    if keys.len() != values.len() {
        return Err(Error::new(Code::ARRAY_SUBSCRIPT, "mismatched array dimensions"));
    }
    let pair = |(key, value): (Option<&str>, Option<&str>)| match key {
        Some(key) => Ok((key.to_owned(), value.map(str::to_owned))),
        None => Err(null_key()),
    };
    keys.into_iter().zip(values).map(pair).collect()
}

fn object(fields: Vec<(String, Option<String>)>) -> Json {
    Json::Object(
        fields.into_iter().map(|(key, value)| (key, value.map_or(Json::Null, Json::String))).collect(),
    )
}

fn spaced_object(fields: &[(String, Option<String>)]) -> String {
    let text = |value: &Option<String>| value.clone().map_or(Json::Null, Json::String).compact();
    joined(&fields.iter().map(|(key, value)| (key.clone(), text(value))).collect::<Vec<_>>(), " : ", ", ")
}
