//! Parts of `json` and `jsonb` texts as they were written: a part of `jsonb`'s normal form is in it. The text is known to be
//! valid, so that what nobody asks for is passed over.

use memchr::memchr2;
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
        if is_string(name, key)? {
            found = Some(value);
        }
    }
    Ok(found)
}

/// An element of an array, from 0, or from -1 backwards.
pub(super) fn element(text: &str, index: i64) -> Option<&str> {
    match usize::try_from(index) {
        Ok(index) => elements(text).nth(index),
        Err(_) => {
            let behind = usize::try_from(index.unsigned_abs()).ok()?;
            elements(text).nth(elements(text).count().checked_sub(behind)?)
        }
    }
}

/// Keys (with their quotes) and values of an object; none of anything else.
pub(super) fn fields(text: &str) -> impl Iterator<Item = (&str, &str)> {
    parts(text, '{').filter_map(|part| {
        let (key, value) = part.split_at(string_end(part.as_bytes(), 0));
        Some((key, value.trim_start_matches(is_space).strip_prefix(':')?.trim_start_matches(is_space)))
    })
}

/// The elements of an array; none of anything else.
pub(super) fn elements(text: &str) -> impl Iterator<Item = &str> {
    parts(text, '[')
}

/// What a document is, as `json_typeof` says it.
pub(super) fn type_name(text: &str) -> &'static str {
    match text.trim_start_matches(is_space).as_bytes().first() {
        Some(b'{') => "object",
        Some(b'[') => "array",
        Some(b'"') => "string",
        Some(b't' | b'f') => "boolean",
        Some(b'n') => "null",
        _ => "number",
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// What stands between the outermost brackets, where these are the ones that are wanted.
fn parts(text: &str, open: char) -> Parts<'_> {
    let inside = text.trim_matches(is_space).strip_prefix(open).unwrap_or_default();
    let end = inside.len().saturating_sub(1);
    Parts { rest: inside.get(..end).unwrap_or_default().trim_start_matches(is_space) }
}

/// The parts between commas on the outermost level.
struct Parts<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        let (part, after) = self.rest.split_at(part_end(self.rest.as_bytes()));
        self.rest = after.strip_prefix(',').unwrap_or_default().trim_start_matches(is_space);
        Some(part.trim_end_matches(is_space))
    }
}

/// Where the first part ends.
fn part_end(text: &[u8]) -> usize {
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => {
                at = string_end(text, at);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => return at,
            _ => {}
        }
        at += 1;
    }
    text.len()
}

/// The place behind a string that begins somewhere.
fn string_end(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(found) = memchr2(b'"', b'\\', text.get(at..).unwrap_or_default()) {
        at += found;
        if text.get(at) == Some(&b'"') {
            return at + 1;
        }
        at += 2;
    }
    text.len()
}

/// Whether a part is this string.
pub(super) fn is_string(part: &str, wanted: &str) -> Result<bool> {
    match part.strip_prefix('"') {
        None => Ok(false),
        Some(_) if part.contains('\\') => Ok(string(part)? == wanted),
        Some(rest) => Ok(rest.strip_suffix('"') == Some(wanted)),
    }
}

/// The text of a string with its quotes.
pub(super) fn string(text: &str) -> Result<String> {
    let inside = text.strip_prefix('"').and_then(|inside| inside.strip_suffix('"'));
    if let Some(plain) = inside.filter(|inside| !inside.contains('\\')) {
        return Ok(plain.to_owned());
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, path: &[&str], wanted: Option<&str>) {
        assert_eq!(at_path(text, path).unwrap(), wanted, "{text} {path:?}");
    }

    #[test]
    fn parts_are_as_they_were_written() {
        let text = "{\"a\": [1, {\"b\": \"],}\"}, \"\\\\\\\"\", []], \"\": {}, \"\\u00e9,\": 1.50 , \"a\\\"\" : null}";
        check(text, &[], Some(text));
        check(text, &["a", "0"], Some("1"));
        check(text, &["a", " 1", "b"], Some("\"],}\""));
        check(text, &["a", "-1"], Some("[]"));
        check(text, &["a", "-4"], Some("1"));
        check(text, &["a", "-5"], None);
        check(text, &["a", "4"], None);
        check(text, &["a", "x"], None);
        check(text, &["a", "3", "0"], None);
        check(text, &[""], Some("{}"));
        check(text, &["é,"], Some("1.50"));
        check(text, &["a\""], Some("null"));
        check(text, &["a\"", "0"], None);
        check(" {\"k\":1,\"k\" :\n[ 2 ]\t} ", &["k"], Some("[ 2 ]"));
    }

    #[test]
    fn strings_are_compared_as_they_are_read() {
        let strings = ["\"\"", "\"a\"", "\"a\\nb\"", "\"\\\"\"", "1", "null"];
        let found = |wanted: &str| strings.map(|part| is_string(part, wanted).unwrap());
        assert_eq!(found(""), [true, false, false, false, false, false]);
        assert_eq!(found("a\nb"), [false, false, true, false, false, false]);
        assert_eq!(found("\""), [false, false, false, true, false, false]);
        assert_eq!(found("1"), [false; 6]);
        assert_eq!(string("\"a\\u00e9\"").unwrap(), "aé");
    }
}
