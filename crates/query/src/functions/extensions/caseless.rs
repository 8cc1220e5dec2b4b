//! `citext`: patterns and parts of text whose letters are alike in both cases. Comparisons are `types::compare`'s.

use types::{Result, Value};

use super::super::Ty::{self, Bool, Citext as C, Int4 as I, Text as T};
use super::super::arguments::{count, int, text};
use super::super::text::{lower, upper};
use super::super::{Context, Function, like, pattern};

const TEXTS: Ty = Ty::Array(&Ty::Text);

/// The operators of a pattern on `citext`, with a pattern of either type.
macro_rules! operators {
    ($($symbol:literal $eval:expr;)*) => {
        &[
            $(
                Function::operator($symbol, &[C, C], Bool, $eval).of("citext"),
                Function::operator($symbol, &[C, T], Bool, $eval).of("citext"),
            )*
            Function::new("regexp_match", &[C, C], TEXTS, |c, a| {
                pattern::regexp_match(c, &with_flags(a, 2, "i")?)
            })
            .of("citext"),
            Function::new("regexp_replace", &[C, C, T], T, |c, a| {
                pattern::regexp_replace(c, &with_flags(a, 3, "i")?)
            })
            .of("citext"),
            Function::new("regexp_split_to_array", &[C, C], TEXTS, |c, a| {
                pattern::regexp_split_to_array(c, &with_flags(a, 2, "i")?)
            })
            .of("citext"),
            Function::new("strpos", &[C, C], I, position).of("citext"),
            Function::new("replace", &[C, C, C], T, replace).of("citext"),
            Function::new("translate", &[C, C, T], T, translate).of("citext"),
            Function::new("split_part", &[C, C, I], T, split_part).of("citext"),
        ]
    };
}

pub(in super::super) static ROWS: &[Function] = operators! {
    "~~" |_, a| Ok(Value::Bool(like::is_like_caseless(a)?));
    "~~*" |_, a| Ok(Value::Bool(like::is_like_caseless(a)?));
    "!~~" |_, a| Ok(Value::Bool(!like::is_like_caseless(a)?));
    "!~~*" |_, a| Ok(Value::Bool(!like::is_like_caseless(a)?));
    "~" |_, a| Ok(Value::Bool(pattern::is_match(a, true)?));
    "~*" |_, a| Ok(Value::Bool(pattern::is_match(a, true)?));
    "!~" |_, a| Ok(Value::Bool(!pattern::is_match(a, true)?));
    "!~*" |_, a| Ok(Value::Bool(!pattern::is_match(a, true)?));
};

/// The arguments, and the flags of a regular expression behind them.
fn with_flags(arguments: &[Value], position: usize, flags: &str) -> Result<Vec<Value>> {
    let mut all = arguments.to_vec();
    all.insert(position, Value::text(flags));
    Ok(all)
}

fn position(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (whole, part) = (lower(text(arguments, 0)?), lower(text(arguments, 1)?));
    let found = whole.find(part.as_str());
    count(found.map_or(0, |at| whole.get(..at).map_or(0, |before| before.chars().count()) + 1))
}

/// A text as a regular expression that matches it alone.
fn literally(arguments: &[Value], position: usize) -> Result<String> {
    let mut out = String::new();
    for c in text(arguments, position)?.chars() {
        if !c.is_ascii_alphanumeric() && c != '_' {
            out.push('\\');
        }
        out.push(c);
    }
    Ok(out)
}

fn replace(context: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let mut given = arguments.to_vec();
    given[1] = Value::text(literally(arguments, 1)?);
    given.push(Value::text("gi"));
    pattern::regexp_replace(context, &given)
}

/// Null where there is no such part.
fn split_part(context: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let given = [arguments[0].clone(), Value::text(literally(arguments, 1)?), Value::text("i")];
    let parts = pattern::regexp_split_to_array(context, &given)?;
    let at = int(arguments, 2)?.checked_sub(1).and_then(|at| usize::try_from(at).ok());
    match (parts, at) {
        (Value::Array(parts), Some(at)) => Ok(parts.elements.get(at).cloned().unwrap_or(Value::Null)),
        _ => Ok(Value::Null),
    }
}

fn translate(context: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (from, to) = (text(arguments, 1)?, arguments[2].clone());
    let first = [arguments[0].clone(), Value::text(lower(from)), to.clone()];
    let first = super::super::text::translate(context, &first)?;
    super::super::text::translate(context, &[first, Value::text(upper(from)), to])
}
