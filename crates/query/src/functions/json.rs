//! Reading and changing `json` and `jsonb` (PostgreSQL 9.16). `json` keeps its text, `jsonb` its normal form.

use std::collections::HashSet;

use types::json::{DEPTH_MAX, Json, in_order, key_order, parse};
use types::numeric::Numeric;
use types::{Code, Error, Result, Value};

use super::arguments::{array, boolean, count, int, invalid, ok_text, text, texts};
use super::interrupt::Steps;
use super::{Context, Function, Ty, raw_json};

const T: Ty = Ty::Text;
const I: Ty = Ty::Int4;
const J: Ty = Ty::Json;
const B: Ty = Ty::Jsonb;
const TEXTS: Ty = Ty::Array(&Ty::Text);

pub(super) static ROWS: &[Function] = &[
    Function::operator("->", &[J, T], J, |_, a| Ok(raw(field(a)?))),
    Function::operator("->", &[J, I], J, |_, a| Ok(raw(raw_json::element(text(a, 0)?, int(a, 1)?)))),
    Function::operator("->>", &[J, T], T, |_, a| field(a)?.map_or(Ok(Value::Null), raw_json::as_text)),
    Function::operator("->>", &[J, I], T, |_, a| {
        raw_json::element(text(a, 0)?, int(a, 1)?).map_or(Ok(Value::Null), raw_json::as_text)
    }),
    Function::operator("#>", &[J, TEXTS], J, |_, a| Ok(raw(raw_path(a)?))),
    Function::operator("#>>", &[J, TEXTS], T, |_, a| raw_path(a)?.map_or(Ok(Value::Null), raw_json::as_text)),
    Function::operator("->", &[B, T], B, |_, a| Ok(normal(field(a)?))),
    Function::operator("->", &[B, I], B, |_, a| Ok(normal(element(a)?))),
    Function::operator("->>", &[B, T], T, |_, a| field(a)?.map_or(Ok(Value::Null), raw_json::as_text)),
    Function::operator("->>", &[B, I], T, |_, a| element(a)?.map_or(Ok(Value::Null), raw_json::as_text)),
    Function::operator("#>", &[B, TEXTS], B, |_, a| Ok(normal(raw_path(a)?))),
    Function::operator("#>>", &[B, TEXTS], T, |_, a| raw_path(a)?.map_or(Ok(Value::Null), raw_json::as_text)),
    Function::operator("@>", &[B, B], Ty::Bool, |_, a| {
        contains(&document(a, 0)?, &document(a, 1)?, true, &mut Steps::default()).map(Value::Bool)
    }),
    Function::operator("<@", &[B, B], Ty::Bool, |_, a| {
        contains(&document(a, 1)?, &document(a, 0)?, true, &mut Steps::default()).map(Value::Bool)
    }),
    Function::operator("?", &[B, T], Ty::Bool, |_, a| exists(text(a, 0)?, text(a, 1)?).map(Value::Bool)),
    Function::operator("?|", &[B, TEXTS], Ty::Bool, |_, a| has_keys(a, true)),
    Function::operator("?&", &[B, TEXTS], Ty::Bool, |_, a| has_keys(a, false)),
    Function::operator("||", &[B, B], B, |_, a| Ok(shown(&concat(document(a, 0)?, document(a, 1)?)))),
    Function::operator("-", &[B, T], B, |_, a| delete_keys(a, &[text(a, 1)?])),
    Function::operator("-", &[B, TEXTS], B, |_, a| {
        one_dimension(a)?;
        delete_keys(a, &texts(a, 1)?.into_iter().flatten().collect::<Vec<_>>())
    }),
    Function::operator("-", &[B, I], B, delete_element),
    Function::operator("#-", &[B, TEXTS], B, |_, a| change_path(a, &Change::Delete)),
    Function::new("jsonb_set", &[B, TEXTS, B, Ty::Bool], B, set).optional(1),
    Function::new("jsonb_set_lax", &[B, TEXTS, B, Ty::Bool, T], B, set_lax).optional(2).lax(),
    Function::new("jsonb_insert", &[B, TEXTS, B, Ty::Bool], B, insert).optional(1),
    Function::new("json_extract_path", &[J, T], J, extracted).variadic(),
    Function::new("json_extract_path_text", &[J, T], T, extracted_text).variadic(),
    Function::new("jsonb_extract_path", &[B, T], B, extracted_binary).variadic(),
    Function::new("jsonb_extract_path_text", &[B, T], T, extracted_text).variadic(),
    Function::new("json_typeof", &[J], T, |_, a| ok_text(raw_json::type_name(text(a, 0)?))),
    Function::new("jsonb_typeof", &[B], T, |_, a| ok_text(raw_json::type_name(text(a, 0)?))),
    Function::new("json_array_length", &[J], I, array_length),
    Function::new("jsonb_array_length", &[B], I, array_length),
    Function::new("json_strip_nulls", &[J], J, |_, a| ok_text(strip_nulls(document(a, 0)?).compact())),
    Function::new("jsonb_strip_nulls", &[B], B, |_, a| ok_text(strip_nulls(document(a, 0)?).spaced())),
    Function::new("jsonb_pretty", &[B], T, |_, a| ok_text(pretty(&document(a, 0)?))),
];

pub(super) fn extracted(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    Ok(raw(raw_json::at_path(text(arguments, 0)?, &tail(arguments)?)?))
}

pub(super) fn extracted_text(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let found = raw_json::at_path(text(arguments, 0)?, &tail(arguments)?)?;
    found.map_or(Ok(Value::Null), raw_json::as_text)
}

pub(super) fn extracted_binary(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    Ok(normal(raw_json::at_path(text(arguments, 0)?, &tail(arguments)?)?))
}

/// An argument's document.
pub(super) fn document(arguments: &[Value], position: usize) -> Result<Json> {
    parse(text(arguments, position)?, DEPTH_MAX)
}

fn raw(part: Option<&str>) -> Value {
    part.map_or(Value::Null, Value::text)
}

/// A part of a `jsonb`.
fn normal(part: Option<&str>) -> Value {
    let is_normal = |part: &str| parse(part, DEPTH_MAX).is_ok_and(|document| document.spaced() == part);
    debug_assert!(part.is_none_or(is_normal), "{part:?}");
    raw(part)
}

/// A document in its normal form.
fn shown(document: &Json) -> Value {
    Value::text(document.spaced())
}

fn field(arguments: &[Value]) -> Result<Option<&str>> {
    raw_json::field(text(arguments, 0)?, text(arguments, 1)?)
}

fn raw_path(arguments: &[Value]) -> Result<Option<&str>> {
    let path: Option<Vec<&str>> = texts(arguments, 1)?.into_iter().collect();
    path.map_or(Ok(None), |path| raw_json::at_path(text(arguments, 0)?, &path))
}

/// The path of a variadic function.
fn tail(arguments: &[Value]) -> Result<Vec<&str>> {
    (1..arguments.len()).map(|position| text(arguments, position)).collect()
}

/// An element of an array, from 0, or from -1 backwards. A scalar is the only element of itself.
fn element(arguments: &[Value]) -> Result<Option<&str>> {
    let (document, index) = (text(arguments, 0)?, int(arguments, 1)?);
    Ok(match raw_json::type_name(document) {
        "array" | "object" => raw_json::element(document, index),
        _ => matches!(index, 0 | -1).then_some(document),
    })
}

fn position(length: usize, index: i64) -> Option<usize> {
    let index = if index < 0 { index + i64::try_from(length).ok()? } else { index };
    usize::try_from(index).ok().filter(|index| *index < length)
}

/// An array index in a path: an integer, spaces before it allowed.
fn index(step: &str) -> Option<i64> {
    step.trim_start().parse::<i32>().ok().map(i64::from)
}

/// Whether two scalars are equal: numbers by value.
fn same_scalar(left: &Json, right: &Json) -> bool {
    match (left, right) {
        (Json::Number(left), Json::Number(right)) => match (Numeric::parse(left), Numeric::parse(right)) {
            (Ok(left), Ok(right)) => left.compare(&right).is_eq(),
            _ => left == right,
        },
        (left, right) => left == right,
    }
}

/// What a field takes to be looked at, in bytes that are worked on.
const FIELD_BYTES: usize = 64;

/// `@>`: every part of `part` is in `whole`. At the top, an array contains a scalar that is one of its elements.
fn contains(whole: &Json, part: &Json, top: bool, steps: &mut Steps) -> Result<bool> {
    steps.next()?;
    Ok(match (whole, part) {
        (Json::Object(of), Json::Object(fields)) => {
            for (key, value) in fields {
                steps.over(of.len().saturating_mul(FIELD_BYTES))?;
                let Some(found) = whole.get(key) else { return Ok(false) };
                if !contains(found, value, false, steps)? {
                    return Ok(false);
                }
            }
            true
        }
        (Json::Array(items), Json::Array(wanted)) => {
            for wanted in wanted {
                if !has(items, wanted, steps)? {
                    return Ok(false);
                }
            }
            true
        }
        (Json::Object(_), _) | (_, Json::Object(_) | Json::Array(_)) => false,
        (Json::Array(items), scalar) => top && items.iter().any(|item| same_scalar(item, scalar)),
        (whole, part) => same_scalar(whole, part),
    })
}

/// Whether one of some elements contains a part.
fn has(items: &[Json], wanted: &Json, steps: &mut Steps) -> Result<bool> {
    for item in items {
        if contains(item, wanted, false, steps)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// `?`: a key of an object, or a string in an array or alone.
fn exists(document: &str, key: &str) -> Result<bool> {
    match raw_json::type_name(document) {
        "object" => Ok(raw_json::field(document, key)?.is_some()),
        "array" => {
            for item in raw_json::elements(document) {
                if raw_json::is_string(item, key)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        _ => raw_json::is_string(document, key),
    }
}

/// `?|` and `?&`: whether one of some keys is there, or all are.
fn has_keys(arguments: &[Value], one_is_enough: bool) -> Result<Value> {
    let document = text(arguments, 0)?;
    let mut steps = Steps::default();
    for key in texts(arguments, 1)?.into_iter().flatten() {
        steps.over(document.len())?;
        if exists(document, key)? == one_is_enough {
            return Ok(Value::Bool(one_is_enough));
        }
    }
    Ok(Value::Bool(!one_is_enough))
}

/// Sets a key of a normalized object.
pub(super) fn put(fields: &mut Vec<(String, Json)>, key: String, value: Json) {
    match fields.binary_search_by(|(name, _)| key_order(name, &key)) {
        Ok(found) => fields[found].1 = value,
        Err(place) => fields.insert(place, (key, value)),
    }
}

fn items(document: Json) -> Vec<Json> {
    match document {
        Json::Array(items) => items,
        other => vec![other],
    }
}

/// `||`: objects are merged, everything else becomes one array.
pub(super) fn concat(left: Json, right: Json) -> Json {
    match (left, right) {
        (Json::Object(mut fields), Json::Object(others)) => {
            fields.extend(others);
            Json::Object(in_order(fields))
        }
        (left, right) => Json::Array(items(left).into_iter().chain(items(right)).collect()),
    }
}

fn delete_keys(arguments: &[Value], keys: &[&str]) -> Result<Value> {
    let keys: HashSet<&str> = keys.iter().copied().collect();
    let mut document = document(arguments, 0)?;
    match &mut document {
        Json::Object(fields) => fields.retain(|(key, _)| !keys.contains(key.as_str())),
        Json::Array(items) => items.retain(|item| !item.as_str().is_some_and(|item| keys.contains(item))),
        _ => return Err(invalid("cannot delete from scalar")),
    }
    Ok(shown(&document))
}

fn delete_element(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let mut document = document(arguments, 0)?;
    match &mut document {
        Json::Array(items) => {
            if let Some(found) = position(items.len(), int(arguments, 1)?) {
                items.remove(found);
            }
        }
        Json::Object(_) => return Err(invalid("cannot delete from object using integer index")),
        _ => return Err(invalid("cannot delete from scalar")),
    }
    Ok(shown(&document))
}

/// What happens at the end of a path.
enum Change {
    Delete,
    /// Replaces, or adds where there is nothing.
    Set {
        value: Json,
        create: bool,
    },
    /// Adds; an existing key is an error.
    Insert {
        value: Json,
        after: bool,
    },
}

/// `jsonb_set` where a new value of null means what the last argument says.
fn set_lax(context: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let is_null = |position: usize| matches!(arguments.get(position), Some(Value::Null));
    if is_null(0) || is_null(1) || is_null(3) {
        return Ok(Value::Null);
    }
    let treatment = match arguments.get(4) {
        None => "use_json_null",
        Some(Value::Null) => "",
        Some(_) => text(arguments, 4)?,
    };
    let given = arguments.get(..arguments.len().min(4)).unwrap_or_default();
    match treatment {
        stated if !stated.is_empty() && !is_null(2) => set(context, given),
        "raise_exception" => {
            let details = "Exception was raised because null_value_treatment is \"raise_exception\".";
            let hint = "To avoid, either change the null_value_treatment argument or ensure that an SQL NULL is not passed.";
            let error = Error::new(Code::NULL_NOT_ALLOWED, "JSON value must not be null");
            Err(error.with_details(details).with_hint(hint))
        }
        "use_json_null" => {
            let mut given = given.to_vec();
            given[2] = Value::text("null");
            set(context, &given)
        }
        "delete_key" => change_path(arguments, &Change::Delete),
        "return_target" => Ok(arguments[0].clone()),
        _ => Err(invalid(
            "null_value_treatment must be \"delete_key\", \"return_target\", \"use_json_null\", or \"raise_exception\"",
        )),
    }
}

fn set(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let create = arguments.len() < 4 || boolean(arguments, 3)?;
    change_path(arguments, &Change::Set { value: document(arguments, 2)?, create })
}

fn insert(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let after = arguments.len() > 3 && boolean(arguments, 3)?;
    change_path(arguments, &Change::Insert { value: document(arguments, 2)?, after })
}

/// Keys and paths are plain lists.
fn one_dimension(arguments: &[Value]) -> Result<()> {
    match array(arguments, 1)?.dimensions.len() {
        0 | 1 => Ok(()),
        _ => Err(Error::new(Code::ARRAY_SUBSCRIPT, "wrong number of array subscripts")),
    }
}

fn change_path(arguments: &[Value], change: &Change) -> Result<Value> {
    one_dimension(arguments)?;
    let path = texts(arguments, 1)?;
    let mut document = document(arguments, 0)?;
    match &document {
        Json::Array(_) | Json::Object(_) => {}
        _ if matches!(change, Change::Delete) => return Err(invalid("cannot delete path in scalar")),
        _ => return Err(invalid("cannot set path in scalar")),
    }
    let empty = matches!(&document, Json::Array(items) if items.is_empty())
        || matches!(&document, Json::Object(fields) if fields.is_empty());
    let adds = match change {
        Change::Delete => false,
        Change::Set { create, .. } => *create,
        Change::Insert { .. } => true,
    };
    if !path.is_empty() && (adds || !empty) {
        apply(&mut document, &path, 0, change)?;
    }
    Ok(shown(&document))
}

fn step<'a>(path: &[Option<&'a str>], level: usize) -> Result<&'a str> {
    let null =
        || Error::new(Code::NULL_NOT_ALLOWED, format!("path element at position {} is null", level + 1));
    path.get(level).copied().flatten().ok_or_else(null)
}

fn apply(at: &mut Json, path: &[Option<&str>], level: usize, change: &Change) -> Result<()> {
    step(path, level)?;
    let last = level + 1 == path.len();
    match at {
        Json::Object(fields) => {
            let key = step(path, level)?;
            let found = fields.iter().position(|(name, _)| name == key);
            match (found, last, change) {
                (Some(found), false, _) => apply(&mut fields[found].1, path, level + 1, change),
                (None, false, _) => Ok(()),
                (Some(found), true, Change::Delete) => {
                    fields.remove(found);
                    Ok(())
                }
                (Some(found), true, Change::Set { value, .. }) => {
                    fields[found].1 = value.clone();
                    Ok(())
                }
                (Some(_), true, Change::Insert { .. }) => Err(invalid("cannot replace existing key")
                    .with_hint("Try using the function jsonb_set to replace key value.")),
                (None, true, Change::Set { value, create: true } | Change::Insert { value, .. }) => {
                    put(fields, key.to_owned(), value.clone());
                    Ok(())
                }
                (None, true, _) => Ok(()),
            }
        }
        Json::Array(items) => apply_to_array(items, path, level, change),
        _ => Ok(()),
    }
}

fn apply_to_array(items: &mut Vec<Json>, path: &[Option<&str>], level: usize, change: &Change) -> Result<()> {
    let written = step(path, level)?;
    let wanted = index(written).ok_or_else(|| {
        let message = format!("path element at position {} is not an integer: \"{written}\"", level + 1);
        Error::new(Code::INVALID_TEXT, message)
    })?;
    let found = position(items.len(), wanted);
    if level + 1 < path.len() {
        return match found {
            Some(found) => apply(&mut items[found], path, level + 1, change),
            None => Ok(()),
        };
    }
    match (found, change) {
        (Some(found), Change::Delete) => {
            items.remove(found);
        }
        (Some(found), Change::Set { value, .. }) => items[found] = value.clone(),
        (Some(found), Change::Insert { value, after }) => {
            items.insert(found + usize::from(*after), value.clone())
        }
        (None, Change::Set { value, create: true } | Change::Insert { value, .. }) => {
            let end = if wanted < 0 { 0 } else { items.len() };
            items.insert(end, value.clone());
        }
        (None, _) => {}
    }
    Ok(())
}

fn array_length(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let document = text(arguments, 0)?;
    match raw_json::type_name(document) {
        "array" => count(raw_json::elements(document).count()),
        "object" => Err(invalid("cannot get array length of a non-array")),
        _ => Err(invalid("cannot get array length of a scalar")),
    }
}

fn strip_nulls(document: Json) -> Json {
    match document {
        Json::Object(fields) => {
            let kept = fields.into_iter().filter(|(_, value)| *value != Json::Null);
            Json::Object(kept.map(|(key, value)| (key, strip_nulls(value))).collect())
        }
        Json::Array(items) => Json::Array(items.into_iter().map(strip_nulls).collect()),
        other => other,
    }
}

fn pretty(document: &Json) -> String {
    let mut out = String::new();
    write_pretty(&mut out, document, 0);
    out
}

fn write_pretty(out: &mut String, document: &Json, level: usize) {
    let indent = |out: &mut String, level: usize| {
        out.push('\n');
        out.push_str(&" ".repeat(4 * level));
    };
    let (open, close) = match document {
        Json::Array(_) => ('[', ']'),
        Json::Object(_) => ('{', '}'),
        scalar => return out.push_str(&scalar.spaced()),
    };
    out.push(open);
    let mut first = true;
    let mut separate = |out: &mut String| {
        if !first {
            out.push(',');
        }
        first = false;
        indent(out, level + 1);
    };
    match document {
        Json::Array(items) => {
            for item in items {
                separate(out);
                write_pretty(out, item, level + 1);
            }
        }
        Json::Object(fields) => {
            for (key, value) in fields {
                separate(out);
                out.push_str(&Json::String(key.clone()).compact());
                out.push_str(": ");
                write_pretty(out, value, level + 1);
            }
        }
        _ => {}
    }
    indent(out, level);
    out.push(close);
}
