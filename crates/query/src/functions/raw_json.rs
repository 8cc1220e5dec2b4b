//! Parts of `json` texts as they were written. The text is known to be valid.

use types::json::{DEPTH_MAX, Json, parse};
use types::{Result, Value};

/// The part of a text at a path; null where there is nothing.
pub(super) fn at_path<'a>(text: &'a str, path: &[&str]) -> Result<Option<&'a str>> {
    let mut at = text.trim_matches(is_space);
    for step in path {
        let next = match at.as_bytes().first() {
            Some(b'{') => field(at, step)?,
            Some(b'[') => step.trim_start().parse().ok().and_then(|index| element(at, index)),
            _ => None,
        };
        match next {
            Some(next) => at = next,
            None => return Ok(None),
        }
    }
    Ok(Some(at))
}

/// The value under a key of an object; of duplicates the last.
pub(super) fn field<'a>(text: &'a str, key: &str) -> Result<Option<&'a str>> {
    let mut found = None;
    for (name, value) in fields(text) {
        if string(name)? == key {
            found = Some(value);
        }
    }
    Ok(found)
}

/// An element of an array, from 0, or from -1 backwards.
pub(super) fn element(text: &str, index: i64) -> Option<&str> {
    let elements = elements(text);
    let index = if index < 0 { index + i64::try_from(elements.len()).ok()? } else { index };
    elements.get(usize::try_from(index).ok()?).copied()
}

/// Keys (with their quotes) and values of an object; none of anything else.
pub(super) fn fields(text: &str) -> Vec<(&str, &str)> {
    let Some(inside) = inside(text, '{') else { return Vec::new() };
    parts(inside, ',')
        .into_iter()
        .filter_map(|part| {
            let (key, value) = part.split_at(token(part));
            Some((key, value.trim_start_matches(is_space).strip_prefix(':')?.trim_matches(is_space)))
        })
        .collect()
}

/// The elements of an array; none of anything else.
pub(super) fn elements(text: &str) -> Vec<&str> {
    inside(text, '[').map(|inside| parts(inside, ',')).unwrap_or_default()
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// What stands between the outermost brackets.
fn inside(text: &str, open: char) -> Option<&str> {
    let text = text.trim_matches(is_space).strip_prefix(open)?;
    let end = text.len().checked_sub(1)?;
    text.get(..end)
}

/// The parts between separators on the outermost level.
fn parts(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text.trim_start_matches(is_space);
    while !rest.is_empty() {
        let mut end = 0;
        while let Some(c) = rest.get(end..).and_then(|rest| rest.chars().next()) {
            if c == separator {
                break;
            }
            end += rest.get(end..).map_or(1, token);
        }
        let (part, after) = rest.split_at(end.min(rest.len()));
        parts.push(part.trim_matches(is_space));
        rest = after.strip_prefix(separator).unwrap_or("").trim_start_matches(is_space);
    }
    parts
}

/// The length of a string, a bracketed part, or one other character.
fn token(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            _ if in_string => {}
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && !in_string {
            return at + c.len_utf8();
        }
    }
    text.len()
}

/// The text of a string with its quotes.
pub(super) fn string(text: &str) -> Result<String> {
    match parse(text, DEPTH_MAX)? {
        Json::String(text) => Ok(text),
        other => Ok(other.compact()),
    }
}

/// A part as text: strings are decoded, `null` is null.
pub(super) fn as_text(part: &str) -> Result<Value> {
    match part.as_bytes().first() {
        Some(b'n') => Ok(Value::Null),
        Some(b'"') => string(part).map(Value::text),
        _ => Ok(Value::text(part)),
    }
}
