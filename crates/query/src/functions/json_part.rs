//! A part of a `jsonb` that is assigned (PostgreSQL 8.14.5): what the path leads through is made, and arrays are filled with nulls.

use types::json::Json;
use types::{Code, Error, Result, Value};

use super::arguments::{boolean, invalid, texts};
use super::json::{document, put};
use super::{Context, Function, Kind, Ty};

/// The name that nobody can write of what assigns.
pub(crate) const NAME: &str = "[]=";

pub(super) static ROWS: &[Function] = &[Function {
    kind: Kind::Operator,
    ..Function::new(NAME, &[Ty::Jsonb, Ty::Array(&Ty::Text), Ty::Bool, Ty::Jsonb], Ty::Jsonb, assigned).lax()
}];

/// Most elements that an array is filled up to.
const ELEMENTS_MAX: usize = 1 << 20;

fn assigned(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let path: Vec<Option<String>> =
        texts(arguments, 1)?.into_iter().map(|key| key.map(str::to_owned)).collect();
    match arguments {
        [whole, _, _, part] => with_part(whole, &path, boolean(arguments, 2)?, part),
        _ => Err(Error::internal("a part of a document that is assigned without its document")),
    }
}

/// A document with another part; one that is null begins as an array where the first subscript is a number.
///
/// # Errors
/// `22004` for a subscript that is null, `22023` and `22P02` for a path that leads nowhere.
pub fn with_part(whole: &Value, path: &[Option<String>], is_array: bool, part: &Value) -> Result<Value> {
    let null = || Error::new(Code::NULL_NOT_ALLOWED, "jsonb subscript in assignment must not be null");
    let path = path.iter().map(|key| key.as_deref().ok_or_else(null)).collect::<Result<Vec<_>>>()?;
    let mut found = match whole {
        Value::Null if is_array => Json::Array(Vec::new()),
        Value::Null => Json::Object(Vec::new()),
        whole => document(std::slice::from_ref(whole), 0)?,
    };
    let part = match part {
        Value::Null => Json::Null,
        part => document(std::slice::from_ref(part), 0)?,
    };
    put_at(&mut found, &path, 0, part)?;
    Ok(Value::text(found.spaced()))
}

fn put_at(at: &mut Json, path: &[&str], level: usize, part: Json) -> Result<()> {
    let Some(key) = path.get(level) else {
        *at = part;
        return Ok(());
    };
    match at {
        Json::Object(fields) => {
            if let Some((_, inner)) = fields.iter_mut().find(|(name, _)| name == key) {
                return put_at(inner, path, level + 1, part);
            }
            put(fields, (*key).to_owned(), grown(&path[level + 1..], part)?);
            Ok(())
        }
        Json::Array(items) => {
            let index = place(key, items.len(), level + 1)?;
            if let Some(inner) = items.get_mut(index) {
                return put_at(inner, path, level + 1, part);
            }
            fill(items, index)?;
            items.push(grown(&path[level + 1..], part)?);
            Ok(())
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {
            let details = "The path assumes key is a composite object, but it is a scalar value.";
            Err(invalid("cannot replace existing key").with_details(details))
        }
    }
}

/// Where an element of an array of some length stands.
fn place(key: &str, length: usize, position: usize) -> Result<usize> {
    let index = number(key).ok_or_else(|| {
        let message = format!("path element at position {position} is not an integer: \"{key}\"");
        Error::new(Code::INVALID_TEXT, message)
    })?;
    let found = match usize::try_from(index) {
        Ok(index) => Some(index),
        Err(_) => usize::try_from(index.unsigned_abs()).ok().and_then(|back| length.checked_sub(back)),
    };
    found.ok_or_else(|| invalid(format!("path element at position {position} is out of range: {index}")))
}

fn number(key: &str) -> Option<i32> {
    key.trim_start_matches([' ', '\t', '\n', '\r', '\u{b}', '\u{c}']).parse().ok()
}

fn fill(items: &mut Vec<Json>, length: usize) -> Result<()> {
    if length > ELEMENTS_MAX {
        let message = format!("an array that is filled up to more than {ELEMENTS_MAX} elements");
        return Err(Error::new(Code::LIMIT_EXCEEDED, message));
    }
    if length > items.len() {
        items.resize(length, Json::Null);
    }
    Ok(())
}

/// What stands where nothing was: an array under a number, an object under anything else.
fn grown(path: &[&str], part: Json) -> Result<Json> {
    let Some((key, rest)) = path.split_first() else { return Ok(part) };
    let inner = grown(rest, part)?;
    Ok(match number(key) {
        Some(index) => {
            let mut items = Vec::new();
            fill(&mut items, usize::try_from(index).unwrap_or(0))?;
            items.push(inner);
            Json::Array(items)
        }
        None => Json::Object(vec![((*key).to_owned(), inner)]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(whole: Option<&str>, path: &[&str], expected: &str) {
        let whole = whole.map_or(Value::Null, Value::text);
        let is_array = path.first().is_some_and(|key| number(key).is_some());
        let path: Vec<Option<String>> = path.iter().map(|key| Some((*key).to_owned())).collect();
        let found = match with_part(&whole, &path, is_array, &Value::text("9")) {
            Ok(Value::Text(found)) => found.to_string(),
            Ok(other) => format!("{other:?}"),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected, "{path:?}");
    }

    #[test]
    fn paths_are_made() {
        check(None, &["a"], "{\"a\": 9}");
        check(None, &["2"], "[null, null, 9]");
        check(Some("{\"a\": {}}"), &["a", "b", "2", "d"], "{\"a\": {\"b\": [null, null, {\"d\": 9}]}}");
        check(Some("{}"), &["a", "-2"], "{\"a\": [9]}");
        check(Some("{}"), &["0"], "{\"0\": 9}");
    }

    #[test]
    fn arrays_are_filled() {
        check(Some("[1, 2, 3]"), &["1"], "[1, 9, 3]");
        check(Some("[1, 2, 3]"), &["-1"], "[1, 2, 9]");
        check(Some("[1]"), &["3"], "[1, null, null, 9]");
        check(Some("{\"a\": [1]}"), &["a", "2", "x"], "{\"a\": [1, null, {\"x\": 9}]}");
    }

    #[test]
    fn paths_that_lead_nowhere_are_refused() {
        check(Some("[]"), &["-1"], "22023: path element at position 1 is out of range: -1");
        check(Some("[]"), &["a"], "22P02: path element at position 1 is not an integer: \"a\"");
        check(Some("{\"a\": 1}"), &["a", "b"], "22023: cannot replace existing key");
        check(Some("null"), &["a"], "22023: cannot replace existing key");
        check(Some("[]"), &["2000000"], "54000: an array that is filled up to more than 1048576 elements");
    }
}
