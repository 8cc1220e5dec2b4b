//! Orders: `order=a.desc.nullslast,rel(b),data->>c`.

use crate::budget::Budget;
use crate::cursor::{Cursor, Parsed};
use crate::field::{Field, delimiter, field, name};

/// One order key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderTerm {
    /// The embedded to-one resource whose field it is: `rel(field)`.
    pub relation: Option<String>,
    /// The field.
    pub field: Field,
    /// Largest first.
    pub descending: bool,
    /// Whether nulls come first, when it is said.
    pub nulls_first: Option<bool>,
}

/// Reads order keys.
pub(crate) fn order(cursor: &mut Cursor<'_>, budget: &mut Budget<'_>) -> Parsed<Vec<OrderTerm>> {
    let mut terms = Vec::new();
    loop {
        budget.node()?;
        terms.push(cursor.lexeme(term)?);
        if cursor.attempt(|cursor| cursor.take(',', "\",\""))?.is_none() {
            return Ok(terms);
        }
    }
}

fn term(cursor: &mut Cursor<'_>) -> Parsed<OrderTerm> {
    let related = cursor.attempt(|cursor| {
        let relation = name(cursor)?;
        cursor.take('(', "\"(\"")?;
        let field = field(cursor)?;
        cursor.take(')', "\")\"")?;
        directed(cursor, Some(relation), field)
    })?;
    match related {
        Some(term) => Ok(term),
        None => {
            let field = field(cursor)?;
            directed(cursor, None, field)
        }
    }
}

fn directed(cursor: &mut Cursor<'_>, relation: Option<String>, field: Field) -> Parsed<OrderTerm> {
    let descending = word_of(cursor, [("asc", "\"asc\"", false), ("desc", "\"desc\"", true)])?;
    let nulls_first =
        word_of(cursor, [("nullsfirst", "\"nullsfirst\"", true), ("nullslast", "\"nullslast\"", false)])?;
    cursor.ends(&[(',', "\",\"")])?;
    Ok(OrderTerm { relation, field, descending: descending.unwrap_or(false), nulls_first })
}

/// `.word`, if it is one of two.
fn word_of(cursor: &mut Cursor<'_>, words: [(&str, &'static str, bool); 2]) -> Parsed<Option<bool>> {
    for (word, shown, value) in words {
        let read = |cursor: &mut Cursor<'_>| {
            delimiter(cursor)?;
            cursor.word(word, shown)
        };
        if cursor.attempt(read)?.is_some() {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cursor::read_all;
    use types::{Limits, error::Details};

    fn read(text: &str) -> Result<Vec<OrderTerm>, String> {
        let limits = Limits::default();
        let mut budget = Budget::new(&limits);
        read_all(text, "order", text, |cursor| order(cursor, &mut budget)).map_err(|error| {
            let Some(Details::Text(details)) = error.details() else { panic!() };
            format!("{} {details}", error.message())
        })
    }

    fn print(term: &OrderTerm) -> String {
        let relation = term.relation.as_deref().map_or(String::new(), |relation| format!("{relation}:"));
        let nulls = term.nulls_first.map_or("", |first| if first { " first" } else { " last" });
        format!("{relation}{}{}{nulls}", term.field.key(), if term.descending { " desc" } else { "" })
    }

    #[test]
    fn terms_have_direction_and_nulls() {
        for (text, printed) in [
            ("a", "a"),
            ("a.asc", "a"),
            ("a.desc.nullslast,b", "a desc last; b"),
            ("a.nullsfirst", "a first"),
            ("data->>x.desc", "x desc"),
            ("clients(name).desc.nullsfirst", "clients:name desc first"),
            ("clients(data->a),id", "clients:a; id"),
            ("a , b.desc", "a; b desc"),
            ("desc.desc", "desc desc"),
        ] {
            let terms: Vec<String> = read(text).unwrap().iter().map(print).collect();
            assert_eq!(terms.join("; "), printed, "{text}");
        }
    }

    #[test]
    fn errors_say_where_and_what() {
        for (text, column, details) in [
            ("id.cac", 4, "unexpected \"c\" expecting \"asc\", \"desc\", \"nullsfirst\" or \"nullslast\""),
            ("id.descc", 8, "unexpected 'c' expecting delimiter (.), \",\" or end of input"),
            (
                "id.nulsfist",
                4,
                "unexpected \"n\" expecting \"asc\", \"desc\", \"nullsfirst\" or \"nullslast\"",
            ),
            ("id.nullslastt", 13, "unexpected 't' expecting \",\" or end of input"),
            ("id.asc.nullslasttt", 17, "unexpected 't' expecting \",\" or end of input"),
            ("id.asc.nlsfist", 8, "unexpected \"l\" expecting \"nullsfirst\" or \"nullslast\""),
            ("id.asc.smth", 8, "unexpected \"s\" expecting \"nullsfirst\" or \"nullslast\""),
        ] {
            let message = format!("\"failed to parse order ({text})\" (line 1, column {column}) {details}");
            assert_eq!(read(text).unwrap_err(), message);
        }
    }
}
