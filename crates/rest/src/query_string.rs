//! The query string: parameters in their order, decoded once.

use std::borrow::Cow;

use types::{Code, Error, Result};

/// One parameter.
pub(crate) type Parameter<'a> = (Cow<'a, str>, Cow<'a, str>);

/// Splits and decodes a query string. A parameter without `=` says nothing and is left out.
///
/// # Errors
/// `22021` for bytes that are not UTF-8 and for the character that PostgreSQL's text cannot hold.
pub(crate) fn parameters(query: &str) -> Result<Vec<Parameter<'_>>> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| Ok((decode(name, true)?, decode(value, true)?))).collect()
}

/// Decodes `%xx` and, in a query, `+`. A `%` without two hexadecimal digits stands for itself.
///
/// # Errors
/// As [`parameters`].
pub(crate) fn decode(text: &str, plus_is_space: bool) -> Result<Cow<'_, str>> {
    if !text.bytes().any(|byte| byte == b'%' || byte == 0 || (plus_is_space && byte == b'+')) {
        return Ok(Cow::Borrowed(text));
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.as_bytes().iter();
    while let Some(&byte) = bytes.next() {
        out.push(match byte {
            b'+' if plus_is_space => b' ',
            b'%' => match escaped(bytes.as_slice()) {
                Some(decoded) => {
                    bytes.nth(1);
                    decoded
                }
                None => b'%',
            },
            other => other,
        });
    }
    if out.contains(&0) {
        return Err(invalid(&[0]));
    }
    String::from_utf8(out).map(Cow::Owned).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        invalid(error.as_bytes().get(at..=at).unwrap_or_default())
    })
}

fn escaped(rest: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*rest.get(at)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

fn invalid(bytes: &[u8]) -> Error {
    let shown: Vec<String> = bytes.iter().map(|byte| format!("0x{byte:02x}")).collect();
    Error::new(
        Code::NOT_IN_REPERTOIRE,
        format!("invalid byte sequence for encoding \"UTF8\": {}", shown.join(" ")),
    )
}

/// Appends a text, everything but letters, digits and `-_.~` as `%XX`.
pub(crate) fn encode(out: &mut String, text: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.extend([byte >> 4, byte & 15].map(|digit| char::from(HEX[usize::from(digit)])));
        }
    }
}

/// A query string in one spelling: that of `Content-Location`.
///
/// # Errors
/// `22021` for bytes that are no UTF-8.
pub fn canonical_query(query: &str) -> Result<String> {
    parameters(query).map(|parameters| canonical(&parameters))
}

/// The same parameters in one spelling: sorted by name, values of one name joined by commas, encoded anew.
pub(crate) fn canonical(parameters: &[Parameter<'_>]) -> String {
    let mut sorted: Vec<&Parameter<'_>> = parameters.iter().collect();
    sorted.sort_by(|a, b| a.0.cmp(&b.0));
    let mut out = String::new();
    for same in sorted.chunk_by(|a, b| a.0 == b.0) {
        for (position, (name, value)) in same.iter().enumerate() {
            if position == 0 {
                out.push_str(if out.is_empty() { "" } else { "&" });
                encode(&mut out, name);
                out.push('=');
            } else {
                out.push(',');
            }
            encode(&mut out, value);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_in_order() {
        let read = |query| {
            let pairs = parameters(query).unwrap();
            pairs.into_iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join("|")
        };
        for (query, expected) in [
            ("", ""),
            ("a=1&b=2&a=3", "a 1|b 2|a 3"),
            ("a=b+c%20d%2Be", "a b c d+e"),
            ("flag&a=1", "a 1"),
            ("a=x=y", "a x=y"),
            ("a=50%&b=%zz", "a 50%|b %zz"),
            ("name=gr%C3%B6%C3%9Fe", "name größe"),
        ] {
            assert_eq!(read(query), expected, "{query}");
        }
    }

    #[test]
    fn what_text_cannot_hold_is_refused() {
        for query in ["a=%00", "a=%ff", "a=%C3%28"] {
            assert_eq!(parameters(query).unwrap_err().code(), Code::NOT_IN_REPERTOIRE, "{query}");
        }
    }

    #[test]
    fn one_spelling() {
        let parameters = parameters("select=id%2Cname&id=gt.1&b=x&id=lt.9").unwrap();
        assert_eq!(canonical(&parameters), "b=x&id=gt.1,lt.9&select=id%2Cname");
    }
}
