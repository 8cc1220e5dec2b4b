//! Expected text with volatile parts: `<uuid>`, `<timestamp>`, … or `<uuid user>`, which binds the name `user`.
//!
//! A kind takes as many characters as can belong to it and then looks at the whole. Only `<any>` is tried in several ways.

use crate::bindings::{Bindings, bracketed};

/// A kind of volatile part.
struct Row {
    name: &'static str,
    /// Which characters belong to it.
    takes: fn(char) -> bool,
    /// Whether what was taken is one.
    is: fn(&str) -> bool,
}

const KINDS: &[Row] = &[
    Row { name: "uuid", takes: |c| c.is_ascii_hexdigit() || c == '-', is: is_uuid },
    Row { name: "date", takes: |c| c.is_ascii_digit() || c == '-', is: is_date },
    Row { name: "timestamp", takes: |c| c.is_ascii_digit() || "-:.+TZ ".contains(c), is: is_timestamp },
    Row {
        name: "integer",
        takes: |c| c.is_ascii_digit() || c == '-',
        is: |text| text.parse::<i64>().is_ok(),
    },
    Row { name: "jwt", takes: is_token_or_dot, is: |text| text.split('.').count() == 3 && text.len() > 20 },
    Row { name: "token", takes: |c| is_token_or_dot(c) && c != '.', is: |text| !text.is_empty() },
];

/// Takes anything up to what is expected next.
const ANY: &str = "any";

/// Takes the inside of a JSON string, if there is any.
const TEXT: &str = "text";

fn is_token_or_dot(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.".contains(c)
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && text.split('-').map(str::len).eq([8, 4, 4, 4, 12])
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && text.split('-').map(str::len).eq([4, 2, 2])
}

fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    text.len() >= 19 && bytes[4] == b'-' && bytes[7] == b'-' && matches!(bytes[10], b'T' | b' ')
}

/// Whether a text is as expected; binds names that the pattern gives.
pub fn matches(pattern: &str, text: &str, bindings: &mut Bindings) -> bool {
    let Some((before, inside, after)) = bracketed(pattern) else { return pattern == text };
    let Some(found) = text.strip_prefix(before) else { return false };
    let (word, name) = inside.split_once(' ').unwrap_or((inside, ""));
    if word == ANY {
        return any(after, found, bindings);
    }
    let Some(length) = taken(word, found, bindings) else { return false };
    let (value, following) = found.split_at(length);
    if !name.is_empty() {
        bindings.bind(name, value);
    }
    matches(after, following, bindings)
}

/// Whether a text ends as a pattern wants it, wherever that end begins.
fn any(pattern: &str, text: &str, bindings: &mut Bindings) -> bool {
    let (next, is_last) = bracketed(pattern).map_or((pattern, true), |(before, _, _)| (before, false));
    if is_last {
        return text.ends_with(next);
    }
    text.match_indices(next).any(|(at, _)| {
        let mut tried = bindings.clone();
        let fits = matches(pattern, &text[at..], &mut tried);
        if fits {
            *bindings = tried;
        }
        fits
    })
}

/// How much of `text` a volatile part takes.
fn taken(word: &str, text: &str, bindings: &Bindings) -> Option<usize> {
    if let Some(row) = KINDS.iter().find(|row| row.name == word) {
        let length = text.find(|c| !(row.takes)(c)).unwrap_or(text.len());
        return (row.is)(&text[..length]).then_some(length);
    }
    if word == TEXT {
        let length = inside_of_string(text);
        return (length > 0).then_some(length);
    }
    let filled = bindings.fill(&format!("<{word}>")).ok()?;
    text.starts_with(&filled).then_some(filled.len())
}

/// The length of what is left of a JSON string, up to its closing quote.
fn inside_of_string(text: &str) -> usize {
    let mut escaped = false;
    let ends = |c: char| {
        let is_end = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        is_end
    };
    text.find(ends).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, text: &str, expected: bool) -> Bindings {
        let mut bindings = Bindings::at(100);
        bindings.bind("alice", "1111");
        assert_eq!(matches(pattern, text, &mut bindings), expected, "{pattern} {text}");
        bindings
    }

    #[test]
    fn plain_text_is_compared_whole() {
        check("", "", true);
        check("a", "a", true);
        check("a", "ab", false);
        check("ab", "a", false);
        check("{\"a\":\"<@\"}", "{\"a\":\"<@\"}", true);
    }

    #[test]
    fn kinds_take_what_is_theirs() {
        let uuid = "0188a6f2-0000-4000-8000-0123456789ab";
        check("{\"id\":\"<uuid>\"}", &format!("{{\"id\":\"{uuid}\"}}"), true);
        check("<uuid>", "0188a6f2-0000", false);
        check("\"<timestamp>\"", "\"2026-01-02T03:04:05.6+00:00\"", true);
        check("\"<timestamp>\"", "\"2026\"", false);
        check("[<integer>,<integer>]", "[1,-2]", true);
        check("[<integer>]", "[x]", false);
        check("\"<text>\"", "\"\"", false);
        check("\"<any>\",\"b\"", "\"\",\"b\"", true);
        check("a<any>", "a whatever", true);
        check("{\"a\":<any>}", "{\"a\":{\"b\":1},\"c\":{}}", true);
        check("<any>,\"id\":<integer>}", "{\"id\":\"x\",\"id\":5}", true);
        check("\"<text>\"", r#""say \"x\" \\""#, true);
    }

    #[test]
    fn names_are_bound_and_looked_up() {
        let bindings = check("{\"id\":\"<token first>\"}", "{\"id\":\"x-1\"}", true);
        assert_eq!(bindings.get("first"), Some("x-1"));
        check("<alice>", "1111", true);
        check("<alice>", "2222", false);
        check("<now+5>", "105", true);
        check("<nobody>", "<nobody>", false);
    }
}
