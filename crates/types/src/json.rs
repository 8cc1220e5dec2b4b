//! JSON: the only place where it is read or written.
//!
//! The reader keeps numbers as they are written and keys in their order; `jsonb`'s normal form is made from its tree.

use crate::{Code, Error, Result};

/// A JSON document.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number as written.
    Number(String),
    /// A string, decoded.
    String(String),
    /// An array.
    Array(Vec<Json>),
    /// An object; keys in order, duplicates kept.
    Object(Vec<(String, Json)>),
}

/// Deepest nesting that is read when nobody says less.
pub const DEPTH_MAX: usize = 400;

/// Reads a document.
///
/// # Errors
/// `22P02` with PostgreSQL's message and details; `54001` when nested deeper than `depth_max`.
pub fn parse(text: &str, depth_max: usize) -> Result<Json> {
    let mut reader = Reader { text, at: 0, string: 0, depth_max };
    let value = reader.value(0)?;
    reader.space();
    if reader.at < text.len() { Err(reader.unexpected("end of input")) } else { Ok(value) }
}

/// Values that are words.
const WORDS: &[(&str, Json)] =
    &[("null", Json::Null), ("true", Json::Bool(true)), ("false", Json::Bool(false))];

struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// Where the string that is read begins.
    string: usize,
    depth_max: usize,
}

fn invalid(details: impl Into<String>) -> Error {
    Error::new(Code::INVALID_TEXT, "invalid input syntax for type json").with_details(details)
}

impl Reader<'_> {
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// What stands here, where something else should: a token, or what is none.
    fn unexpected(&mut self, wanted: &str) -> Error {
        let start = self.at;
        let (end, is_token) = match self.byte() {
            None => return invalid("The input string ended unexpectedly."),
            Some(b'{' | b'}' | b'[' | b']' | b',' | b':') => (start + 1, true),
            Some(b'"') => match self.string() {
                Ok(_) => (self.at, true),
                Err(error) => return error,
            },
            Some(b'-' | b'0'..=b'9') => self.number_end(),
            Some(_) => {
                let end = self.word_end(start);
                (end.max(start + 1), WORDS.iter().any(|(word, _)| self.text.get(start..end) == Some(word)))
            }
        };
        if !is_token {
            return self.no_token(end);
        }
        let found = self.text.get(start..end).unwrap_or_default();
        invalid(format!("Expected {wanted}, but found \"{found}\"."))
    }

    /// What is no token, up to an end.
    fn no_token(&self, end: usize) -> Error {
        invalid(format!("Token \"{}\" is invalid.", self.text.get(self.at..end).unwrap_or_default()))
    }

    /// Where letters and digits end.
    fn word_end(&self, from: usize) -> usize {
        let is_word = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_' || !byte.is_ascii();
        from + self.text.as_bytes().get(from..).unwrap_or_default().iter().take_while(is_word).count()
    }

    fn value(&mut self, depth: usize) -> Result<Json> {
        if depth > self.depth_max {
            return Err(Error::new(
                Code::TOO_COMPLEX,
                format!("JSON is nested deeper than {} levels", self.depth_max),
            ));
        }
        self.space();
        match self.byte() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => Ok(Json::String(self.string()?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Result<Json> {
        let end = self.word_end(self.at);
        let word = self.text.get(self.at..end).unwrap_or_default();
        match WORDS.iter().find(|(known, _)| *known == word) {
            Some((_, value)) => {
                self.at = end;
                Ok(value.clone())
            }
            None => Err(self.unexpected("JSON value")),
        }
    }

    fn number(&mut self) -> Result<Json> {
        let (end, is_number) = self.number_end();
        if !is_number {
            return Err(self.no_token(end));
        }
        let number = self.text.get(self.at..end).unwrap_or_default().to_owned();
        self.at = end;
        Ok(Json::Number(number))
    }

    /// Where a number ends, or what might be one, and whether it is.
    fn number_end(&self) -> (usize, bool) {
        let bytes = self.text.as_bytes();
        let digits = |at: &mut usize| {
            let from = *at;
            while bytes.get(*at).is_some_and(u8::is_ascii_digit) {
                *at += 1;
            }
            *at > from
        };
        let mut at = self.at + usize::from(self.byte() == Some(b'-'));
        let is_zero = bytes.get(at) == Some(&b'0');
        at += usize::from(is_zero);
        let mut is_valid = is_zero || digits(&mut at);
        if bytes.get(at) == Some(&b'.') {
            at += 1;
            is_valid &= digits(&mut at);
        }
        if matches!(bytes.get(at), Some(b'e' | b'E')) {
            at += 1;
            at += usize::from(matches!(bytes.get(at), Some(b'+' | b'-')));
            is_valid &= digits(&mut at);
        }
        let end = self.word_end(at);
        (end, is_valid && end == at)
    }

    fn string(&mut self) -> Result<String> {
        self.string = self.at;
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let plain = rest.find(|c: char| matches!(c, '"' | '\\') || c < ' ').unwrap_or(rest.len());
            out.push_str(rest.get(..plain).unwrap_or_default());
            self.at += plain;
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => self.escape(&mut out)?,
                Some(byte) => {
                    return Err(invalid(format!("Character with value 0x{byte:02x} must be escaped.")));
                }
                None => return Err(self.unfinished()),
            }
        }
    }

    /// A string without an end.
    fn unfinished(&self) -> Error {
        let string = self.text.get(self.string..).unwrap_or_default();
        invalid(format!("Token \"{string}\" is invalid."))
    }

    fn escape(&mut self, out: &mut String) -> Result<()> {
        let c = self.text.as_bytes().get(self.at + 1).copied();
        self.at += 2;
        out.push(match c {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => self.unicode()?,
            Some(_) => {
                let c = self.text.get(self.at - 1..).and_then(|rest| rest.chars().next()).unwrap_or('?');
                return Err(invalid(format!("Escape sequence \"\\{c}\" is invalid.")));
            }
            None => return Err(self.unfinished()),
        });
        Ok(())
    }

    fn hex(&mut self) -> Result<u32> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.byte().ok_or_else(|| self.unfinished())?;
            let digit = char::from(digit)
                .to_digit(16)
                .ok_or_else(|| invalid("\"\\u\" must be followed by four hexadecimal digits."))?;
            code = code << 4 | digit;
            self.at += 1;
        }
        Ok(code)
    }

    fn unicode(&mut self) -> Result<char> {
        let first = self.hex()?;
        if first == 0 {
            return Err(Error::new(Code::UNTRANSLATABLE, "unsupported Unicode escape sequence")
                .with_details("\\u0000 cannot be converted to text."));
        }
        if !(0xD800..0xE000).contains(&first) {
            return char::from_u32(first).ok_or_else(|| invalid("Unicode escape is invalid."));
        }
        let low_first = first >= 0xDC00;
        if low_first || self.text.get(self.at..self.at + 2) != Some("\\u") {
            return Err(invalid("Unicode low surrogate must follow a high surrogate."));
        }
        self.at += 2;
        let second = self.hex()?;
        if !(0xDC00..0xE000).contains(&second) {
            return Err(invalid("Unicode low surrogate must follow a high surrogate."));
        }
        char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
            .ok_or_else(|| invalid("Unicode escape is invalid."))
    }

    fn array(&mut self, depth: usize) -> Result<Json> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.byte() == Some(b']') {
            self.at += 1;
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.space();
            match self.byte() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Json::Array(items));
                }
                _ => return Err(self.unexpected("\",\" or \"]\"")),
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json> {
        self.at += 1;
        let mut fields = Vec::new();
        self.space();
        if self.byte() == Some(b'}') {
            self.at += 1;
            return Ok(Json::Object(fields));
        }
        loop {
            self.space();
            if self.byte() != Some(b'"') {
                let wanted = if fields.is_empty() { "string or \"}\"" } else { "string" };
                return Err(self.unexpected(wanted));
            }
            let key = self.string()?;
            self.space();
            if self.byte() != Some(b':') {
                return Err(self.unexpected("\":\""));
            }
            self.at += 1;
            let value = self.value(depth + 1)?;
            fields.push((key, value));
            self.space();
            match self.byte() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Json::Object(fields));
                }
                _ => return Err(self.unexpected("\",\" or \"}\"")),
            }
        }
    }
}

impl Json {
    /// The value under a key; of duplicates the last.
    pub fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Json::Object(fields) => fields.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Json::String(text) => Some(text),
            _ => None,
        }
    }

    /// The document in the shortest form, everything as it was written.
    pub fn compact(&self) -> String {
        let mut out = Vec::new();
        self.write(&mut out, false);
        utf8(out)
    }

    /// `jsonb`'s text of a document that [`Json::normalized`] made.
    pub fn spaced(&self) -> String {
        let mut out = Vec::new();
        self.write(&mut out, true);
        utf8(out)
    }

    fn write(&self, out: &mut Vec<u8>, spaced: bool) {
        let separator: &[u8] = if spaced { b", " } else { b"," };
        match self {
            Json::Null => out.extend(b"null"),
            Json::Bool(value) => out.extend(if *value { &b"true"[..] } else { b"false" }),
            Json::Number(text) => out.extend(text.as_bytes()),
            Json::String(text) => write_string(out, text),
            Json::Array(items) => {
                out.push(b'[');
                for (position, item) in items.iter().enumerate() {
                    if position > 0 {
                        out.extend(separator);
                    }
                    item.write(out, spaced);
                }
                out.push(b']');
            }
            Json::Object(fields) => {
                out.push(b'{');
                for (position, (key, value)) in fields.iter().enumerate() {
                    if position > 0 {
                        out.extend(separator);
                    }
                    write_string(out, key);
                    out.extend(if spaced { &b": "[..] } else { b":" });
                    value.write(out, spaced);
                }
                out.push(b'}');
            }
        }
    }

    /// The document as `jsonb` keeps it: keys by length and bytes, the last of duplicates, numbers as `numeric` prints them.
    ///
    /// # Errors
    /// `22003` for a number with too many digits, `54000` for numbers with too many together.
    pub fn normalized(self) -> Result<Json> {
        self.normalized_within(&mut { ZEROS_MAX })
    }

    /// The same with numbers that are longer by so much at most than they are written.
    fn normalized_within(self, zeros: &mut usize) -> Result<Json> {
        Ok(match self {
            Json::Number(text) => {
                let printed = crate::numeric::Numeric::parse(&text)?.to_string();
                let longer = printed.len().saturating_sub(text.len());
                *zeros = zeros.checked_sub(longer).ok_or_else(too_long)?;
                Json::Number(printed)
            }
            Json::Array(items) => {
                let items = items.into_iter().map(|item| item.normalized_within(zeros));
                Json::Array(items.collect::<Result<_>>()?)
            }
            Json::Object(fields) => {
                let mut kept: Vec<(String, Json)> = Vec::with_capacity(fields.len());
                for (key, value) in fields {
                    kept.push((key, value.normalized_within(zeros)?));
                }
                Json::Object(in_order(kept))
            }
            other => other,
        })
    }
}

/// By how much all numbers of a document may be longer than they are written: `1e131071` says in eight letters what takes as many
/// kilobytes.
const ZEROS_MAX: usize = 1 << 20;

fn too_long() -> Error {
    let message = format!(
        "numbers of a document that are longer than they are written by more than {ZEROS_MAX} digits"
    );
    Error::new(Code::LIMIT_EXCEEDED, message)
}

/// Fields in the order of `jsonb`; of those with one key the last.
pub fn in_order(mut fields: Vec<(String, Json)>) -> Vec<(String, Json)> {
    // Stable: of equal keys the last one written comes last, and stays.
    fields.sort_by(|(left, _), (right, _)| key_order(left, right));
    let mut unique: Vec<(String, Json)> = Vec::with_capacity(fields.len());
    for (key, value) in fields {
        match unique.last_mut() {
            Some((last, kept)) if *last == key => *kept = value,
            _ => unique.push((key, value)),
        }
    }
    unique
}

/// `jsonb`'s order of keys: shorter first, then by bytes.
pub fn key_order(left: &str, right: &str) -> std::cmp::Ordering {
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

fn utf8(bytes: Vec<u8>) -> String {
    // Only whole characters were written.
    String::from_utf8(bytes).unwrap_or_default()
}

/// `jsonb`'s output of `jsonb`'s input.
///
/// # Errors
/// As [`parse`].
pub fn normalize_jsonb(text: &str) -> Result<String> {
    Ok(parse(text, DEPTH_MAX)?.normalized()?.spaced())
}

/// Writes a string with its quotes.
pub fn write_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some((plain, &[byte, ref further @ ..])) =
        special(rest).and_then(|at| rest.split_at_checked(at))
    {
        out.extend(plain);
        match byte {
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            b'\t' => out.extend(b"\\t"),
            0x8 => out.extend(b"\\b"),
            0xc => out.extend(b"\\f"),
            0..=0x1f => out.extend(format!("\\u{byte:04x}").into_bytes()),
            _ => out.extend([b'\\', byte]),
        }
        rest = further;
    }
    out.extend(rest);
    out.push(b'"');
}

/// Where the first byte stands that a string cannot hold as it is.
fn special(bytes: &[u8]) -> Option<usize> {
    let is_special = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
    // Most strings have none: so many bytes at once are looked at in one step.
    let chunks = bytes.chunks_exact(CHUNK_BYTES);
    let plain = chunks.take_while(|chunk| !chunk.iter().fold(false, |any, byte| any | is_special(byte)));
    let from = plain.count() * CHUNK_BYTES;
    bytes.get(from..)?.iter().position(is_special).map(|at| from + at)
}

const CHUNK_BYTES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jsonb_is_normalized_as_postgresql_does() {
        for (text, normal) in [
            (r#"{"bb":1,"a":2,"a":3}"#, r#"{"a": 3, "bb": 1}"#),
            (r#" [1.0, 1e2, "\u00e9\n"] "#, "[1.0, 100, \"é\\n\"]"),
            ("{}", "{}"),
        ] {
            assert_eq!(normalize_jsonb(text).unwrap(), normal);
        }
    }

    #[test]
    fn numbers_that_are_short_as_they_are_written_are_counted() {
        let normalized = |text: &str, zeros: usize| parse(text, 9).unwrap().normalized_within(&mut { zeros });
        assert!(normalized(r#"{"a": [1e20], "b": 123456}"#, 18).is_ok());
        let error = normalized(r#"{"a": [1e20], "b": 1e9}"#, 18).unwrap_err();
        assert_eq!(error.code(), Code::LIMIT_EXCEEDED);
    }

    #[test]
    fn strings_are_escaped_wherever_it_is_needed() {
        for at in 0..40 {
            for (special, escaped) in
                [("\"", "\\\""), ("\\", "\\\\"), ("\n", "\\n"), ("\u{1}", "\\u0001"), ("é", "é")]
            {
                let (before, after) = ("a".repeat(at), "z".repeat(40 - at));
                let mut out = Vec::new();
                write_string(&mut out, &format!("{before}{special}{after}{special}"));
                assert_eq!(String::from_utf8(out).unwrap(), format!("\"{before}{escaped}{after}{escaped}\""));
            }
        }
    }

    #[test]
    fn what_is_no_json_is_refused_with_details() {
        for text in ["", "{", "[1,]", "{\"a\"}", "nul", "01", "\"\\x\"", "[1 2]", "1 2"] {
            let error = parse(text, 100).unwrap_err();
            assert_eq!(error.message(), "invalid input syntax for type json", "{text}");
            assert!(error.details().is_some());
        }
        for (text, details) in [
            ("12-B-1", "Token \"-B\" is invalid."),
            ("--1", "Token \"-\" is invalid."),
            ("012.5", "Token \"012\" is invalid."),
            ("1.2.3", "Token \".\" is invalid."),
            ("1ex-2", "Token \"1ex\" is invalid."),
            ("1e+", "Token \"1e+\" is invalid."),
            ("null\u{e9}", "Token \"null\u{e9}\" is invalid."),
            ("12 13", "Expected end of input, but found \"13\"."),
            ("[1 -x]", "Token \"-x\" is invalid."),
            ("[1 \"b\"]", "Expected \",\" or \"]\", but found \"\"b\"\"."),
            ("[1 \"b", "Token \"\"b\" is invalid."),
            ("[1,]", "Expected JSON value, but found \"]\"."),
            ("{,", "Expected string or \"}\", but found \",\"."),
            ("{\"a\":1 null", "Expected \",\" or \"}\", but found \"null\"."),
            ("{\"a\":1,", "The input string ended unexpectedly."),
            ("\"\\u12\"", "\"\\u\" must be followed by four hexadecimal digits."),
            ("\"\\u+123\"", "\"\\u\" must be followed by four hexadecimal digits."),
            ("\"\\u0", "Token \"\"\\u0\" is invalid."),
        ] {
            let error = parse(text, 100).unwrap_err();
            assert_eq!(error.details(), Some(&crate::error::Details::Text(details.to_owned())), "{text}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(parse(&deep, 64).unwrap_err().code(), Code::TOO_COMPLEX);
    }
}
