//! Rows as text (PostgreSQL 8.16.6): what `record_out` prints.

use std::sync::Arc;

use types::json::{DEPTH_MAX, parse};
use types::json_value::kept_from_json;
use types::session::Session;
use types::value::Array;
use types::{Error, Field, Result, Type, Value, signature};

use super::arguments::{array, boolean, ok_text, output, text};
use super::{Context, Function, Ty, raw_json};

/// The name of the row below that prints a row.
pub(crate) const PRINTED: &str = "record printed";

/// Of the one that prints the rows in an array.
pub(crate) const ALL_PRINTED: &str = "records printed";

/// Whether only the resolver calls a function of this name.
pub(crate) fn is_hidden(name: &str) -> bool {
    matches!(name, PRINTED | ALL_PRINTED)
}

pub(super) static ROWS: &[Function] = &[
    // What the fields of the rows are, and the array.
    Function::new(ALL_PRINTED, &[Ty::Text, Ty::Any], Ty::Text, all_printed).stable(),
    // Whether there is a row, and its fields; those that are rows are texts already.
    Function::new(PRINTED, &[Ty::Bool, Ty::Any], Ty::Text, printed).lax().stable().variadic(),
];

fn printed(context: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    if !boolean(arguments, 0)? {
        return Ok(Value::Null);
    }
    let mut out = String::from("(");
    for (position, value) in arguments.iter().enumerate().skip(1) {
        if position > 1 {
            out.push(',');
        }
        if let Some(field) = output(context.argument(position), value, context.session) {
            push(&mut out, &field);
        }
    }
    out.push(')');
    ok_text(out)
}

fn all_printed(context: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let fields = signature::parse_fields(text(arguments, 0)?);
    let fields = fields.ok_or_else(|| Error::internal("fields that nobody wrote"))?;
    let rows = array(arguments, 1)?;
    let session = context.session;
    let rows = rows_as_text(&fields, rows, session)?;
    ok_text(rows)
}

/// Rows that are kept as objects, as the text of an array.
fn rows_as_text(fields: &[Field], rows: &Array, session: &Session) -> Result<String> {
    let printed = |row: &Value| match row {
        Value::Text(kept) => row_as_text(fields, kept, session).map(Value::text),
        _ => Ok(Value::Null),
    };
    let elements = rows.elements.iter().map(printed).collect::<Result<Vec<_>>>()?;
    let texts = Array { dimensions: rows.dimensions.clone(), elements };
    Ok(types::text::print(&Type::Text.array(), &Value::Array(Arc::new(texts)), session))
}

/// A row that is kept as an object: `json` in it is as it was written.
fn row_as_text(fields: &[Field], kept: &str, session: &Session) -> Result<String> {
    let mut out = String::from("(");
    for (position, field) in fields.iter().enumerate() {
        out.push_str(if position > 0 { "," } else { "" });
        let Some(part) = raw_json::field(kept, &field.name)?.filter(|part| *part != "null") else { continue };
        match &field.ty {
            Type::Json => push(&mut out, part),
            Type::Composite(_) => push(&mut out, &row_as_text(&field.fields, part, session)?),
            ty => {
                let value = kept_from_json(ty, &parse(part, DEPTH_MAX)?, session)?;
                let shown = match &value {
                    Value::Array(rows) if !field.fields.is_empty() => {
                        rows_as_text(&field.fields, rows, session)?
                    }
                    value => types::text::print(ty, value, session),
                };
                push(&mut out, &shown);
            }
        }
    }
    out.push(')');
    Ok(out)
}

/// Adds a field, in quotes where its text would be read otherwise.
fn push(out: &mut String, field: &str) {
    let is_special = |c: char| matches!(c, '"' | '\\' | '(' | ')' | ',') || is_space(c);
    if !field.is_empty() && !field.contains(is_special) {
        out.push_str(field);
        return;
    }
    out.push('"');
    for c in field.chars() {
        if matches!(c, '"' | '\\') {
            out.push(c);
        }
        out.push(c);
    }
    out.push('"');
}

/// What C's `isspace` says.
fn is_space(c: char) -> bool {
    c.is_ascii_whitespace() || c == '\u{b}'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(fields: &[Option<&str>], wanted: &str) {
        let session = Session::utc(0);
        let clock = || 0;
        let types = vec![Type::Text; fields.len() + 1];
        let mut context =
            Context { arguments: &types, session: &session, random: &mut |_| {}, clock: &clock };
        let fields = fields.iter().map(|field| field.map_or(Value::Null, Value::text));
        let arguments: Vec<Value> = std::iter::once(Value::Bool(true)).chain(fields).collect();
        let printed = printed(&mut context, &arguments).unwrap();
        assert!(matches!(&printed, Value::Text(text) if **text == *wanted), "{printed:?}");
    }

    #[test]
    fn fields_are_quoted_where_they_would_be_read_otherwise() {
        check(&[], "()");
        check(&[None], "()");
        check(&[Some("")], "(\"\")");
        check(&[Some("1"), None, Some("x")], "(1,,x)");
        check(&[Some("a b"), Some("a,b"), Some("(")], "(\"a b\",\"a,b\",\"(\")");
        check(&[Some("a\"b"), Some("a\\b")], "(\"a\"\"b\",\"a\\\\b\")");
    }

    #[test]
    fn rows_in_an_array_are_texts_of_rows() {
        let row = Type::Composite(types::Name::new("public", "inner"));
        let inner: Arc<[Field]> = [Field::of("k".into(), Type::Numeric)].into();
        let fields = [
            Field::of("a".into(), Type::Text),
            Field { fields: inner.clone(), ..Field::of("b".into(), row.clone()) },
            Field { fields: inner, ..Field::of("c".into(), row.array()) },
            Field::of("d".into(), Type::Json),
        ];
        let kept = r#"{"a":"x y","b":{"k":1.50},"c":[{"k":2},null],"d":[1,  2]}"#;
        let rows = Array { dimensions: vec![2], elements: vec![Value::text(kept), Value::Null] };
        let printed = rows_as_text(&fields, &rows, &Session::utc(0)).unwrap();
        assert_eq!(printed, r#"{"(\"x y\",\"(1.50)\",\"{(2),NULL}\",\"[1,  2]\")",NULL}"#);
    }
}
