//! Rows as text (PostgreSQL 8.16.2, 8.16.6): what `record_in` takes apart. What the fields say is their types' to read.

use std::iter::Peekable;
use std::str::Chars;

use crate::{Code, Error, Result};

/// The fields of a row of so many that is written as text; nothing between commas is null.
///
/// # Errors
/// `22P02` for what is no row, and for too few or too many fields.
pub fn parse(text: &str, width: usize) -> Result<Vec<Option<String>>> {
    let malformed = |details: &str| {
        Error::new(Code::INVALID_TEXT, format!("malformed record literal: \"{text}\"")).with_details(details)
    };
    let mut chars = text.trim_start_matches(is_space).chars().peekable();
    if chars.next() != Some('(') {
        return Err(malformed("Missing left parenthesis."));
    }
    let mut fields = Vec::with_capacity(width);
    for at in 0..width {
        if at > 0 && chars.next_if_eq(&',').is_none() {
            return Err(malformed("Too few columns."));
        }
        fields.push(match chars.peek() {
            Some(',' | ')') => None,
            _ => Some(field(&mut chars).ok_or_else(|| malformed("Unexpected end of input."))?),
        });
    }
    if chars.next() != Some(')') {
        return Err(malformed("Too many columns."));
    }
    match chars.find(|c| !is_space(*c)) {
        Some(_) => Err(malformed("Junk after right parenthesis.")),
        None => Ok(fields),
    }
}

/// A field up to the comma or parenthesis that ends it; `None` where the text ends first.
fn field(chars: &mut Peekable<Chars<'_>>) -> Option<String> {
    let mut out = String::new();
    let mut quoted = false;
    loop {
        if !quoted && matches!(chars.peek()?, ',' | ')') {
            return Some(out);
        }
        match chars.next()? {
            '\\' => out.push(chars.next()?),
            '"' if quoted && chars.next_if_eq(&'"').is_some() => out.push('"'),
            '"' => quoted = !quoted,
            c => out.push(c),
        }
    }
}

/// What C's `isspace` says.
fn is_space(c: char) -> bool {
    c.is_ascii_whitespace() || c == '\u{b}'
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Details;

    #[track_caller]
    fn check(text: &str, width: usize, wanted: &str) {
        let shown = match parse(text, width) {
            Ok(fields) => format!("{fields:?}"),
            Err(error) => {
                assert_eq!(error.message(), format!("malformed record literal: \"{text}\""));
                match error.details() {
                    Some(Details::Text(details)) => details.clone(),
                    other => format!("{other:?}"),
                }
            }
        };
        assert_eq!(shown, wanted, "{text}");
    }

    #[test]
    fn fields_are_taken_apart() {
        check("(3,ab)", 2, r#"[Some("3"), Some("ab")]"#);
        check(" ( 3,) ", 2, r#"[Some(" 3"), None]"#);
        check(r#"("a,b","x""y\)")"#, 2, r#"[Some("a,b"), Some("x\"y)")]"#);
        check(r#"(a"b c"d,"")"#, 2, r#"[Some("ab cd"), Some("")]"#);
        check("()", 0, "[]");
        check("()", 1, "[None]");
    }

    #[test]
    fn what_is_no_row_is_refused() {
        check("3,4)", 2, "Missing left parenthesis.");
        check("(3)", 2, "Too few columns.");
        check("(3,4,5)", 2, "Too many columns.");
        check("(3,4", 2, "Unexpected end of input.");
        check("(3,\"4)", 2, "Unexpected end of input.");
        check("(3,4)x", 2, "Junk after right parenthesis.");
    }
}
