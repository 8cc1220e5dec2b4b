//! Names, JSON paths and embed paths: the words that `select`, filters, logic and order share.

use crate::cursor::{Cursor, Parsed};

/// A column, perhaps with a path into its JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The column's name.
    pub name: String,
    /// Steps into it, outermost first.
    pub path: Vec<JsonStep>,
}

/// One step of a JSON path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonStep {
    /// `->>`: the result is text.
    pub text: bool,
    /// Where to.
    pub key: JsonKey,
}

/// Where a JSON step leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JsonKey {
    /// A member of an object.
    Member(String),
    /// An element of an array; negative from the end.
    Index(i32),
}

/// The embedded resources on the way from the root, outermost first; empty for the root itself.
pub type EmbedPath = Vec<String>;

impl Field {
    /// The key of a reply that this has unless it is renamed: the last member of the path, else the column.
    pub fn key(&self) -> &str {
        let member = |step: &'_ JsonStep| matches!(step.key, JsonKey::Member(_));
        match self.path.iter().rev().find(|step| member(step)).map(|step| &step.key) {
            Some(JsonKey::Member(name)) => name,
            Some(JsonKey::Index(_)) | None => &self.name,
        }
    }
}

const NAME: &str = "field name (* or [a..z0..9_$])";
const JSON_NAME: &str = "any non reserved character different from: .,>()";

fn is_word(c: char) -> bool {
    c.is_alphabetic() || c.is_ascii_digit() || matches!(c, '_' | ' ' | '$')
}

/// A run of letters, digits, `_`, `$` and spaces; outer spaces do not count.
pub(crate) fn identifier(cursor: &mut Cursor<'_>) -> Parsed<String> {
    let start = cursor.at();
    word(cursor)?;
    Ok(cursor.since(start).trim().to_owned())
}

fn word(cursor: &mut Cursor<'_>) -> Parsed<()> {
    let read = !cursor.take_while(is_word).is_empty();
    for expected in ["letter", "digit"] {
        let _ = cursor.fail::<()>(Some(expected));
    }
    if read { Ok(()) } else { Err(crate::cursor::Stop::Syntax) }
}

/// A field's name: quoted, or words joined by single dashes.
pub(crate) fn name(cursor: &mut Cursor<'_>) -> Parsed<String> {
    cursor.labelled(NAME, |cursor| {
        if cursor.peek() == Some('"') {
            return quoted(cursor);
        }
        let _ = cursor.fail::<()>(Some("\"\\\"\""));
        dashed(cursor, word)
    })
}

/// `"…"` with `\` escapes.
pub(crate) fn quoted(cursor: &mut Cursor<'_>) -> Parsed<String> {
    cursor.take('"', "\"\\\"\"")?;
    let mut out = String::new();
    loop {
        out.push_str(cursor.take_while(|c| !matches!(c, '"' | '\\')));
        if cursor.peek() != Some('\\') {
            break;
        }
        cursor.take('\\', "\"\\\\\"")?;
        out.push(cursor.take_if(|_| true, None)?);
    }
    if cursor.peek().is_none() {
        let _ = cursor.fail::<()>(Some("\"\\\\\""));
    }
    cursor.take('"', "\"\\\"\"")?;
    Ok(out)
}

/// Parts joined by dashes that do not begin an arrow, each trimmed.
fn dashed(cursor: &mut Cursor<'_>, part: impl Fn(&mut Cursor<'_>) -> Parsed<()>) -> Parsed<String> {
    let mut out = String::new();
    loop {
        let start = cursor.at();
        part(cursor)?;
        out.push_str(cursor.since(start).trim());
        let dash = cursor.attempt(|cursor| {
            cursor.take('-', "\"-\"")?;
            if cursor.peek() == Some('>') { cursor.refuse(None) } else { Ok(()) }
        })?;
        match dash {
            Some(()) => out.push('-'),
            None => return Ok(out),
        }
    }
}

/// A field: a name and a JSON path, with blanks around.
pub(crate) fn field(cursor: &mut Cursor<'_>) -> Parsed<Field> {
    cursor.lexeme(|cursor| Ok(Field { name: name(cursor)?, path: json_path(cursor)? }))
}

fn json_path(cursor: &mut Cursor<'_>) -> Parsed<Vec<JsonStep>> {
    let mut path = Vec::new();
    loop {
        let text = match cursor.attempt(|cursor| cursor.word("->>", "\"->>\""))? {
            Some(()) => true,
            None => match cursor.attempt(|cursor| cursor.word("->", "\"->\""))? {
                Some(()) => false,
                None => return Ok(path),
            },
        };
        let key = match cursor.attempt(json_index)? {
            Some(index) => JsonKey::Index(index),
            None => JsonKey::Member(json_name(cursor)?),
        };
        path.push(JsonStep { text, key });
    }
}

fn json_index(cursor: &mut Cursor<'_>) -> Parsed<i32> {
    let start = cursor.at();
    cursor.attempt(|cursor| cursor.take('-', "\"-\""))?;
    cursor.take_if(|c| c.is_ascii_digit(), Some("digit"))?;
    cursor.take_while(|c| c.is_ascii_digit());
    let _ = cursor.fail::<()>(Some("digit"));
    let digits = cursor.since(start);
    for (stop, shown) in [("->", "\"->\""), ("::", "\"::\""), (".", "\".\""), (",", "\",\"")] {
        if cursor.rest().starts_with(stop) {
            return index(digits);
        }
        let _ = cursor.fail::<()>(Some(shown));
    }
    cursor.end()?;
    index(digits)
}

fn index(digits: &str) -> Parsed<i32> {
    let out_of_range = || {
        types::Error::new(
            types::Code::INVALID_TEXT,
            format!("value \"{digits}\" is out of range for type integer"),
        )
    };
    Ok(digits.parse().map_err(|_| out_of_range())?)
}

fn json_name(cursor: &mut Cursor<'_>) -> Parsed<String> {
    cursor.labelled(JSON_NAME, |cursor| {
        if cursor.peek() == Some('"') {
            return quoted(cursor);
        }
        dashed(cursor, |cursor| {
            cursor.take_if(is_json_name, None)?;
            cursor.take_while(is_json_name);
            Ok(())
        })
    })
}

fn is_json_name(c: char) -> bool {
    !matches!(c, '(' | '-' | ':' | '.' | ',' | '>' | ')')
}

/// The dot between the parts of a filter or a path.
pub(crate) fn delimiter(cursor: &mut Cursor<'_>) -> Parsed<()> {
    cursor.take('.', "delimiter (.)")
}

/// Names joined by dots.
pub(crate) fn dotted(cursor: &mut Cursor<'_>) -> Parsed<Vec<String>> {
    let mut names = vec![name(cursor)?];
    while cursor.attempt(delimiter)?.is_some() {
        names.push(name(cursor)?);
    }
    Ok(names)
}

/// The embed path and the field of a filter's key: `embed.path.column->json`.
pub(crate) fn tree_path(cursor: &mut Cursor<'_>) -> Parsed<(EmbedPath, Field)> {
    let mut path = dotted(cursor)?;
    let name = path.pop().unwrap_or_default();
    Ok((path, Field { name, path: json_path(cursor)? }))
}

/// A list of names: `columns=` and `on_conflict=`.
pub(crate) fn names(cursor: &mut Cursor<'_>) -> Parsed<Vec<String>> {
    let mut names = vec![name(cursor)?];
    while cursor.attempt(|cursor| cursor.lexeme(|cursor| cursor.take(',', "\",\"")))?.is_some() {
        names.push(name(cursor)?);
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cursor::read_all;

    fn read(text: &str) -> Result<Field, String> {
        read_all(text, "field", text, field).map_err(|error| {
            let types::error::Details::Text(details) = error.details().unwrap() else { panic!() };
            format!("{} {details}", error.message())
        })
    }

    #[test]
    fn names_are_words_joined_by_dashes_or_quoted() {
        for (text, name) in [
            ("identifier", "identifier"),
            ("with spaces", "with spaces"),
            ("with-dash-es", "with-dash-es"),
            ("123", "123"),
            ("$", "$"),
            ("\":\"", ":"),
            ("  trimmed  ", "trimmed"),
            ("\" kept \"", " kept "),
            (r#""a \"b\" \\c""#, r#"a "b" \c"#),
            ("größe", "größe"),
        ] {
            assert_eq!(read(text).unwrap(), Field { name: name.to_owned(), path: vec![] }, "{text}");
        }
    }

    #[test]
    fn paths_lead_into_json() {
        let member = |text, key: &str| JsonStep { text, key: JsonKey::Member(key.to_owned()) };
        let index = |text, index| JsonStep { text, key: JsonKey::Index(index) };
        for (text, path, key) in [
            ("data->a", vec![member(false, "a")], "a"),
            ("data->!@#$%^&*_a", vec![member(false, "!@#$%^&*_a")], "!@#$%^&*_a"),
            ("data->a->0->>b", vec![member(false, "a"), index(false, 0), member(true, "b")], "b"),
            ("data->-1", vec![index(false, -1)], "data"),
            ("data->a->>1", vec![member(false, "a"), index(true, 1)], "a"),
            ("data->\"a.b\"", vec![member(false, "a.b")], "a.b"),
            ("data->1a", vec![member(false, "1a")], "1a"),
        ] {
            let field = read(text).unwrap();
            assert_eq!(field.path, path, "{text}");
            assert_eq!(field.key(), key, "{text}");
        }
    }

    #[test]
    fn errors_say_where_and_what() {
        assert_eq!(
            read(":").unwrap_err(),
            "\"failed to parse field (:)\" (line 1, column 1) unexpected \":\" expecting field name (* or [a..z0..9_$])"
        );
        assert_eq!(
            read("data->>--34").unwrap_err(),
            "\"failed to parse field (data->>--34)\" (line 1, column 9) unexpected \"-\" expecting digit"
        );
    }
}
