//! Rows as text (PostgreSQL 8.16.6): what `record_out` prints.

use types::{Result, Value};

use super::arguments::{boolean, ok_text, output};
use super::{Context, Function, Ty};

/// The name of the row below, which only the resolver calls.
pub(crate) const PRINTED: &str = "record_printed";

pub(super) static ROWS: &[Function] = &[
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
    use types::Type;
    use types::session::Session;

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
}
