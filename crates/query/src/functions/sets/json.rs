//! The parts of JSON values as rows (PostgreSQL 9.16.1, table of JSON processing functions).

use std::sync::Arc;

use types::json::{DEPTH_MAX, Json, parse, write_string};
use types::json_value::{from_json, write_value};
use types::session::Session;
use types::value::Array;
use types::{Code, Error, Field, Result, Type, Value};

use super::Columns::{Named, One, Written};
use super::{SetContext, SetFunction};
use crate::functions::Ty::{Json as J, Jsonb as B, Text as T};
use crate::functions::arguments::{invalid, text};
use crate::functions::raw_json;

pub(in crate::functions) static ROWS: &[SetFunction] = &[
    SetFunction::new("json_array_elements", &[J], Named(&[("value", J)]), |_, a| {
        elements(a, "json_array_elements", |item| Ok(Value::text(item)))
    }),
    SetFunction::new("json_array_elements_text", &[J], Named(&[("value", T)]), |_, a| {
        elements(a, "json_array_elements_text", raw_json::as_text)
    }),
    SetFunction::new("jsonb_array_elements", &[B], Named(&[("value", B)]), |_, a| {
        elements(a, "jsonb_array_elements", |item| Ok(Value::text(item)))
    }),
    SetFunction::new("jsonb_array_elements_text", &[B], Named(&[("value", T)]), |_, a| {
        elements(a, "jsonb_array_elements_text", raw_json::as_text)
    }),
    SetFunction::new("json_each", &[J], Named(&[("key", T), ("value", J)]), |_, a| {
        fields(a, "json_each", |value| Ok(Value::text(value)))
    }),
    SetFunction::new("json_each_text", &[J], Named(&[("key", T), ("value", T)]), |_, a| {
        fields(a, "json_each_text", raw_json::as_text)
    }),
    SetFunction::new("jsonb_each", &[B], Named(&[("key", T), ("value", B)]), |_, a| {
        fields(a, "jsonb_each", |value| Ok(Value::text(value)))
    }),
    SetFunction::new("jsonb_each_text", &[B], Named(&[("key", T), ("value", T)]), |_, a| {
        fields(a, "jsonb_each_text", raw_json::as_text)
    }),
    SetFunction::new("json_object_keys", &[J], One(T), |_, a| keys(a, "json_object_keys")),
    SetFunction::new("jsonb_object_keys", &[B], One(T), |_, a| keys(a, "jsonb_object_keys")),
    SetFunction::new("json_to_record", &[J], Written, |c, a| record(c, a, Form::Text)),
    SetFunction::new("jsonb_to_record", &[B], Written, |c, a| record(c, a, Form::Binary)),
    SetFunction::new("json_to_recordset", &[J], Written, |c, a| records(c, a, "json_to_recordset")),
    SetFunction::new("jsonb_to_recordset", &[B], Written, |c, a| records(c, a, "jsonb_to_recordset")),
    SetFunction::new("json_populate_record", &[J], Written, |c, a| record(c, a, Form::Text)).lax(),
    SetFunction::new("jsonb_populate_record", &[B], Written, |c, a| record(c, a, Form::Binary)).lax(),
    SetFunction::new("json_populate_recordset", &[J], Written, |c, a| {
        records(c, a, "json_populate_recordset")
    })
    .lax(),
    SetFunction::new("jsonb_populate_recordset", &[B], Written, |c, a| {
        records(c, a, "jsonb_populate_recordset")
    })
    .lax(),
];

fn document(arguments: &[Value]) -> Result<Json> {
    parse(text(arguments, 0)?, DEPTH_MAX)
}

/// The elements of an array, as rows. The words of refusals of `json` and of `jsonb` differ.
fn elements(
    arguments: &[Value],
    name: &str,
    shown: impl Fn(&str) -> Result<Value>,
) -> Result<Vec<Vec<Value>>> {
    let document = text(arguments, 0)?;
    match (raw_json::type_name(document), name.starts_with("jsonb")) {
        ("array", _) => raw_json::elements(document).map(|item| Ok(vec![shown(item)?])).collect(),
        ("object", true) => Err(invalid("cannot extract elements from an object")),
        ("object", false) => Err(invalid(format!("cannot call {name} on a non-array"))),
        (_, true) => Err(invalid("cannot extract elements from a scalar")),
        (_, false) => Err(invalid(format!("cannot call {name} on a scalar"))),
    }
}

/// The object that a function is called with.
fn object<'a>(arguments: &'a [Value], name: &str) -> Result<&'a str> {
    let document = text(arguments, 0)?;
    match (name, raw_json::type_name(document)) {
        (_, "object") => Ok(document),
        ("json_object_keys" | "jsonb_object_keys", "array") => {
            Err(invalid(format!("cannot call {name} on an array")))
        }
        ("json_object_keys" | "jsonb_object_keys", _) => {
            Err(invalid(format!("cannot call {name} on a scalar")))
        }
        (name, _) if name.starts_with("jsonb") => Err(invalid(format!("cannot call {name} on a non-object"))),
        (_, "array") => Err(invalid("cannot deconstruct an array as an object")),
        _ => Err(invalid("cannot deconstruct a scalar")),
    }
}

fn fields(arguments: &[Value], name: &str, shown: impl Fn(&str) -> Result<Value>) -> Result<Vec<Vec<Value>>> {
    raw_json::fields(object(arguments, name)?)
        .map(|(key, value)| Ok(vec![Value::text(raw_json::string(key)?), shown(value)?]))
        .collect()
}

fn keys(arguments: &[Value], name: &str) -> Result<Vec<Vec<Value>>> {
    raw_json::fields(object(arguments, name)?)
        .map(|(key, _)| Ok(vec![Value::text(raw_json::string(key)?)]))
        .collect()
}

/// Whether parts of a document are shown as they are written.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    /// `json`
    Text,
    /// `jsonb`
    Binary,
}

/// One object, as the columns that were asked for. PostgreSQL's refusals name its own function for all four.
fn record(context: &mut SetContext<'_, '_>, arguments: &[Value], form: Form) -> Result<Vec<Vec<Value>>> {
    if arguments.first().is_none_or(Value::is_null) {
        return Ok(vec![(0..context.columns.len()).map(|at| of_base(arguments, at)).collect()]);
    }
    let json = document(arguments)?;
    if !matches!(json, Json::Object(_)) {
        let kind = if matches!(json, Json::Array(_)) { "an array" } else { "a scalar" };
        return Err(invalid(format!("cannot call populate_composite on {kind}")));
    }
    let written = (form == Form::Text).then_some(text(arguments, 0)?);
    row(context, &json, written, arguments).map(|row| vec![row])
}

/// An array of objects, each as the columns that were asked for.
fn records(context: &mut SetContext<'_, '_>, arguments: &[Value], name: &str) -> Result<Vec<Vec<Value>>> {
    if arguments.first().is_none_or(Value::is_null) {
        return Ok(Vec::new());
    }
    let items = match document(arguments)? {
        Json::Array(items) => items,
        _ if name.starts_with("jsonb") => {
            return Err(invalid(format!("cannot call {name} on a non-array")));
        }
        Json::Object(_) => return Err(invalid(format!("cannot call {name} on an object"))),
        _ => return Err(invalid(format!("cannot call {name} on a scalar"))),
    };
    if items.iter().any(|item| !matches!(item, Json::Object(_))) {
        return Err(invalid(format!("argument of {name} must be an array of objects")));
    }
    let texts = match name.starts_with("jsonb") {
        true => Vec::new(),
        false => raw_json::elements(text(arguments, 0)?).collect(),
    };
    let row = |(at, item): (usize, &Json)| row(context, item, texts.get(at).copied(), arguments);
    items.iter().enumerate().map(row).collect()
}

/// A field of the row that JSON is put into, where there is one: they stand behind the JSON.
fn of_base(arguments: &[Value], field: usize) -> Value {
    arguments.get(field + 1).cloned().unwrap_or(Value::Null)
}

/// The columns of an object; of `json` with its text, of which parts are shown.
fn row(
    context: &SetContext<'_, '_>,
    json: &Json,
    written: Option<&str>,
    arguments: &[Value],
) -> Result<Vec<Value>> {
    let session = context.context.session;
    let column = |(at, field): (usize, &Field)| match json.get(&field.name) {
        None => Ok(of_base(arguments, at)),
        Some(part) => {
            let written = written.map(|written| raw_json::field(written, &field.name)).transpose()?.flatten();
            value(field, part, written, session).map_err(|error| match error.code() {
                Code::FEATURE_NOT_SUPPORTED => {
                    Error::missing(format!("a column of this type made of JSON: {}", field.name))
                }
                _ => error,
            })
        }
    };
    context.columns.iter().enumerate().map(column).collect()
}

/// A part of a document as a value of a field.
fn value(field: &Field, part: &Json, written: Option<&str>, session: &Session) -> Result<Value> {
    match (&field.ty, part) {
        (_, Json::Null) => Ok(Value::Null),
        (Type::Composite(_), part) if !field.fields.is_empty() => {
            within(&field.fields, part, written, session)
        }
        (Type::Array(element), Json::Array(items)) if !field.fields.is_empty() => {
            let element = Field { ty: (**element).clone(), ..field.clone() };
            let texts: Vec<&str> = written.map(raw_json::elements).into_iter().flatten().collect();
            let item = |(at, item): (usize, &Json)| match item {
                Json::Array(_) => Err(Error::missing("arrays of several dimensions of rows")),
                item => value(&element, item, texts.get(at).copied(), session),
            };
            let elements = items.iter().enumerate().map(item).collect::<Result<Vec<_>>>()?;
            let dimensions =
                u32::try_from(elements.len()).ok().filter(|length| *length > 0).into_iter().collect();
            Ok(Value::Array(Arc::new(Array { dimensions, elements })))
        }
        (Type::Array(_), Json::Bool(_) | Json::Number(_) | Json::Object(_)) => {
            Err(Error::new(Code::INVALID_TEXT, "expected JSON array")
                .with_hint(format!("See the value of key \"{}\".", field.name)))
        }
        (ty, part) if is_shown(ty, part) => {
            let shown = written.map_or_else(|| part.clone().spaced(), str::to_owned);
            let value = types::text::parse(ty, &shown, session)?;
            types::text::apply_modifier(ty, field.modifier, value, false)
        }
        (ty, part) => from_json(ty, field.modifier, part, session),
    }
}

/// A row within a row, as the object that it is kept as.
fn within(fields: &[Field], part: &Json, written: Option<&str>, session: &Session) -> Result<Value> {
    let values = match part {
        Json::Object(_) => {
            let field = |field: &Field| {
                let written =
                    written.map(|written| raw_json::field(written, &field.name)).transpose()?.flatten();
                value(field, part.get(&field.name).unwrap_or(&Json::Null), written, session)
            };
            fields.iter().map(field).collect::<Result<Vec<_>>>()?
        }
        Json::String(text) => {
            let texts = types::record::parse(text, fields.len())?;
            let field = |(text, field): (Option<String>, &Field)| match text {
                None => Ok(Value::Null),
                Some(text) => value(field, &Json::String(text), None, session),
            };
            texts.into_iter().zip(fields).map(field).collect::<Result<Vec<_>>>()?
        }
        Json::Array(_) => return Err(invalid("cannot call populate_composite on an array")),
        Json::Null | Json::Bool(_) | Json::Number(_) => {
            return Err(invalid("cannot call populate_composite on a scalar"));
        }
    };
    let mut out = vec![b'{'];
    for (field, value) in fields.iter().zip(&values) {
        out.extend(if out.len() > 1 { &b","[..] } else { b"" });
        write_string(&mut out, &field.name);
        out.push(b':');
        write_value(&mut out, &field.ty, value, session)?;
    }
    out.push(b'}');
    String::from_utf8(out).map(Value::text).map_err(Error::internal)
}

/// Whether a column is read from the text of a part: one of `json`, and what is no value that JSON has.
fn is_shown(ty: &Type, part: &Json) -> bool {
    match ty {
        Type::Json => true,
        Type::Jsonb | Type::Array(_) | Type::Composite(_) => false,
        _ => matches!(part, Json::Array(_) | Json::Object(_)),
    }
}

#[cfg(test)]
mod tests {
    use types::Modifier;

    use super::*;
    use crate::functions::Context;

    /// What a function makes of JSON and a base of two fields: rows as lists.
    #[track_caller]
    fn check(name: &str, json: Option<&str>, base: &[Value], wanted: &str) {
        let session = Session::utc(0);
        let clock = || 0;
        let mut context = Context { arguments: &[], session: &session, random: &mut |_| {}, clock: &clock };
        let columns = [
            Field {
                modifier: Some(Modifier::Precision { precision: 4, scale: 1 }),
                ..Field::of("a".into(), Type::Numeric)
            },
            Field::of("b".into(), Type::Text),
        ];
        let function = ROWS.iter().find(|function| function.name == name).unwrap();
        let arguments: Vec<Value> =
            std::iter::once(json.map_or(Value::Null, Value::text)).chain(base.iter().cloned()).collect();
        let shown = match function.call(&mut context, &columns, &arguments) {
            Ok(rows) => rows.iter().map(|row| printed(row, &columns)).collect::<Vec<_>>().join(" "),
            Err(error) => error.to_string(),
        };
        assert_eq!(shown, wanted, "{name}({json:?})");
    }

    fn printed(row: &[Value], columns: &[Field]) -> String {
        let session = Session::utc(0);
        let cells =
            row.iter().zip(columns).map(|(value, field)| types::text::print(&field.ty, value, &session));
        format!("({})", cells.collect::<Vec<_>>().join(","))
    }

    #[test]
    fn what_json_does_not_say_is_the_base() {
        let base = [Value::Int(7), Value::text("x")];
        check("jsonb_populate_record", Some("{}"), &base, "(7,x)");
        check("jsonb_populate_record", Some("{\"a\": 1}"), &base, "(1.0,x)");
        check("json_populate_record", Some("{\"b\": null}"), &base, "(7,)");
        check("json_populate_record", None, &base, "(7,x)");
        check("json_populate_record", None, &[], "(,)");
        check("jsonb_populate_recordset", Some("[{}, {\"a\": 2.25}]"), &base, "(7,x) (2.3,x)");
        check("jsonb_populate_recordset", Some("[{}]"), &[Value::Null, Value::text("x")], "(,x)");
        check("json_populate_recordset", None, &base, "");
    }

    #[test]
    fn what_is_no_object_is_refused() {
        check("json_to_record", Some("[1]"), &[], "22023: cannot call populate_composite on an array");
        check("jsonb_populate_record", Some("1"), &[], "22023: cannot call populate_composite on a scalar");
        check("json_to_recordset", Some("{}"), &[], "22023: cannot call json_to_recordset on an object");
        check("jsonb_to_recordset", Some("{}"), &[], "22023: cannot call jsonb_to_recordset on a non-array");
    }
}
