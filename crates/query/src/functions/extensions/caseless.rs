//! `citext`: patterns and parts of text whose letters are alike in both cases. Comparisons are `types::compare`'s.

use types::{Result, Value};

use super::super::Ty::{self, Bool, Citext as C, Int4 as I, Text as T};
use super::super::arguments::{count, ok_text, text};
use super::super::text::lower;
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

/// Where a part begins and ends in a text, from a place on; letters of both cases are alike.
fn found(whole: &str, part: &str, from: usize) -> Option<(usize, usize)> {
    let wanted = lower(part);
    let characters = part.chars().count();
    let begins = whole.char_indices().map(|(at, _)| at).filter(|at| *at >= from);
    begins.into_iter().find_map(|at| {
        let rest = whole.get(at..)?;
        let end = rest.char_indices().map(|(end, _)| end).chain([rest.len()]).nth(characters)?;
        (lower(rest.get(..end)?) == wanted).then_some((at, at + end))
    })
}

/// The parts of a text between occurrences of another; the whole where that is empty.
fn parts<'t>(whole: &'t str, by: &str) -> Vec<&'t str> {
    let (mut parts, mut from) = (Vec::new(), 0);
    while let Some((start, end)) = (!by.is_empty()).then(|| found(whole, by, from)).flatten() {
        parts.extend(whole.get(from..start));
        from = end;
    }
    parts.extend(whole.get(from..));
    parts
}

fn replace(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (whole, from, to) = (text(arguments, 0)?, text(arguments, 1)?, text(arguments, 2)?);
    ok_text(parts(whole, from).join(to))
}

fn split_part(context: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    // The separators in their own case: what `split_part` says of positions is the same.
    let (whole, by) = (text(arguments, 0)?, text(arguments, 1)?);
    let whole = parts(whole, by).join(by);
    let mut plain = arguments.to_vec();
    plain[0] = Value::text(whole);
    super::super::text::split_part(context, &plain)
}
