//! Where an inserted row is.

use types::json::{self, Json};
use types::json_value::write_cell;
use types::session::Session;
use types::stored::Cell;
use types::{Error, Result, Type};

use super::Header;
use crate::prefer::Representation;
use crate::query_string::encode;
use crate::request::{Request, Target};

/// A row's key as the filters of its address: each column with its value as text, `None` for null.
///
/// # Errors
/// `XX001` when a cell is no stored form of its type.
pub fn key_values<'a>(
    key: impl IntoIterator<Item = (&'a str, &'a Type, Cell<'a>)>,
    session: &Session,
) -> Result<Vec<(String, Option<String>)>> {
    let value =
        |(name, ty, cell): (&str, &Type, Cell<'_>)| Ok((name.to_owned(), text_of(ty, cell, session)?));
    key.into_iter().map(value).collect()
}

/// What `->>` says of the value in JSON.
fn text_of(ty: &Type, cell: Cell<'_>, session: &Session) -> Result<Option<String>> {
    let mut out = Vec::new();
    write_cell(&mut out, ty, cell, session)?;
    let text = String::from_utf8(out).map_err(Error::internal)?;
    match (text.as_str(), text.starts_with('"')) {
        ("null", _) => Ok(None),
        (quoted, true) => match json::parse(quoted, 1)? {
            Json::String(inner) => Ok(Some(inner)),
            _ => Ok(Some(text)),
        },
        _ => Ok(Some(text)),
    }
}

/// `Location`, if it was asked for and exactly one row was stored.
pub(super) fn header(request: &Request, key: &[(String, Option<String>)]) -> Option<Header> {
    let Target::Table(table) = &request.target else { return None };
    if key.is_empty() || request.prefer.representation != Some(Representation::HeadersOnly) {
        return None;
    }
    let mut location = "/".to_owned();
    encode(&mut location, table);
    for (position, (column, value)) in key.iter().enumerate() {
        location.push(if position == 0 { '?' } else { '&' });
        encode(&mut location, column);
        match value {
            Some(value) => {
                location.push_str("=eq.");
                encode(&mut location, value);
            }
            None => location.push_str("=is.null"),
        }
    }
    Some(("location", location))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_texts() {
        let (int, text, stamp) = (Type::Int4, Type::Text, Type::Timestamp);
        let key = [
            ("a", &int, Cell::Int(7)),
            ("b", &text, Cell::Text("x \"y\"")),
            ("c", &stamp, Cell::Int(0)),
            ("d", &text, Cell::Null),
        ];
        let values = key_values(key, &Session::utc(0)).unwrap();
        let found: Vec<_> = values.iter().map(|(_, value)| value.as_deref()).collect();
        assert_eq!(found, [Some("7"), Some("x \"y\""), Some("2000-01-01T00:00:00"), None]);
    }
}
