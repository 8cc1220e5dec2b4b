//! `like` and `ilike` (PostgreSQL 9.7.1) and the escape function of `like … escape`.

use types::{Code, Error, Result, Value};

use super::arguments::{bytes, ok_text, text};
use super::interrupt::Steps;
use super::text::lower;
use super::{Context, Function, Ty};

const T: Ty = Ty::Text;
const B: Ty = Ty::Bytea;

pub(super) static ROWS: &[Function] = &[
    Function::operator("~~", &[T, T], Ty::Bool, |_, a| Ok(Value::Bool(like(text(a, 0)?, text(a, 1)?)?))),
    Function::operator("!~~", &[T, T], Ty::Bool, |_, a| Ok(Value::Bool(!like(text(a, 0)?, text(a, 1)?)?))),
    Function::operator("~~*", &[T, T], Ty::Bool, |_, a| Ok(Value::Bool(ilike(text(a, 0)?, text(a, 1)?)?))),
    Function::operator("!~~*", &[T, T], Ty::Bool, |_, a| Ok(Value::Bool(!ilike(text(a, 0)?, text(a, 1)?)?))),
    Function::new("like", &[T, T], Ty::Bool, |_, a| Ok(Value::Bool(like(text(a, 0)?, text(a, 1)?)?))),
    Function::new("notlike", &[T, T], Ty::Bool, |_, a| Ok(Value::Bool(!like(text(a, 0)?, text(a, 1)?)?))),
    Function::operator("~~", &[B, B], Ty::Bool, |_, a| Ok(Value::Bool(is_like_bytes(a)?))),
    Function::operator("!~~", &[B, B], Ty::Bool, |_, a| Ok(Value::Bool(!is_like_bytes(a)?))),
    Function::new("like", &[B, B], Ty::Bool, |_, a| Ok(Value::Bool(is_like_bytes(a)?))),
    Function::new("notlike", &[B, B], Ty::Bool, |_, a| Ok(Value::Bool(!is_like_bytes(a)?))),
    Function::new("like_escape", &[T, T], T, like_escape),
];

/// `like` of two texts whose letters are alike in both cases.
pub(super) fn is_like_caseless(arguments: &[Value]) -> Result<bool> {
    ilike(text(arguments, 0)?, text(arguments, 1)?)
}

/// Of bytes each is a character.
fn is_like_bytes(arguments: &[Value]) -> Result<bool> {
    let characters = |bytes: &[u8]| bytes.iter().map(|byte| char::from(*byte)).collect::<String>();
    like(&characters(bytes(arguments, 0)?), &characters(bytes(arguments, 1)?))
}

fn ilike(text: &str, pattern: &str) -> Result<bool> {
    like(&lower(text), &lower(pattern))
}

/// Whether the whole text matches: `%` is any sequence, `_` any character, `\` takes the next one literally.
///
/// Only the last `%` is ever tried again, so the time is bounded by the product of the lengths.
pub(super) fn like(text: &str, pattern: &str) -> Result<bool> {
    let mut text = text.chars();
    let mut pattern = pattern.chars();
    let mut retry = None;
    let mut steps = Steps::default();
    loop {
        steps.next()?;
        let before = pattern.clone();
        match pattern.next() {
            None if text.as_str().is_empty() => return Ok(true),
            Some('%') => {
                if pattern.as_str().is_empty() {
                    return Ok(true);
                }
                retry = Some((pattern.clone(), text.clone()));
                continue;
            }
            _ if text.as_str().is_empty() => return exhausted(before.as_str()),
            Some(wanted) => {
                let literal =
                    if wanted == '\\' { Some(pattern.next().ok_or_else(open_escape)?) } else { None };
                let found = text.next();
                if found == literal.or(Some(wanted)) || (literal.is_none() && wanted == '_') {
                    continue;
                }
            }
            None => {}
        }
        let Some((after, mut rest)) = retry.take() else { return Ok(false) };
        if rest.next().is_none() {
            return Ok(false);
        }
        (pattern, text) = (after.clone(), rest.clone());
        retry = Some((after, rest));
    }
}

/// At the end of the text only `%` can match; an escape that ends the pattern after it is still an error.
fn exhausted(pattern: &str) -> Result<bool> {
    Ok(pattern.chars().all(|c| c == '%'))
}

fn open_escape() -> Error {
    Error::new(Code::ESCAPE_SEQUENCE, "LIKE pattern must not end with escape character")
}

/// The pattern with the escape character given rewritten to `\`.
fn like_escape(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (pattern, escape) = (text(arguments, 0)?, text(arguments, 1)?);
    let mut marks = escape.chars();
    let mark = match (marks.next(), marks.next()) {
        (mark, None) => mark,
        _ => {
            let hint = "Escape string must be empty or one character.";
            return Err(Error::new(Code::ESCAPE_SEQUENCE, "invalid escape string").with_hint(hint));
        }
    };
    if mark == Some('\\') {
        return ok_text(pattern);
    }
    let mut out = String::with_capacity(pattern.len());
    let mut escaped = false;
    for c in pattern.chars() {
        if Some(c) == mark && !escaped {
            out.push('\\');
            escaped = true;
        } else {
            if c == '\\' && !escaped {
                out.push('\\');
            }
            out.push(c);
            escaped = false;
        }
    }
    ok_text(out)
}
