//! The parts of `tsvector`s, and what the parser of texts sees, as rows (PostgreSQL 9.13, 12.8).

use types::search::{Vector, WEIGHTS};
use types::{Code, Error, Result, Value};

use super::Columns::Named;
use super::{SetContext, SetFunction};
use crate::functions::Ty::{Array as Of, Int2, Int4 as I, Text as T, Tsvector as V};
use crate::functions::arguments::{invalid, list, text};
use crate::functions::search::{Configuration, DEFAULT, KINDS, Token, config, tokens};

pub(in crate::functions) static ROWS: &[SetFunction] = &[
    SetFunction::new(
        "unnest",
        &[V],
        Named(&[("lexeme", T), ("positions", Of(&Int2)), ("weights", Of(&T))]),
        words,
    ),
    SetFunction::new("ts_parse", &[T, T], Named(&[("tokid", I), ("token", T)]), |_, a| {
        of_parser(text(a, 0)?)?;
        let row = |token: &Token<'_>| vec![Value::Int(number(token)), Value::text(token.text)];
        Ok(tokens(text(a, 1)?)?.iter().map(row).collect())
    }),
    SetFunction::new(
        "ts_token_type",
        &[T],
        Named(&[("tokid", I), ("alias", T), ("description", T)]),
        |_, a| {
            of_parser(text(a, 0)?)?;
            let row = |(number, (_, alias, description)): (i64, &(_, &str, &str))| {
                vec![Value::Int(number), Value::text(*alias), Value::text(*description)]
            };
            Ok((1..).zip(KINDS).map(row).collect())
        },
    ),
    SetFunction::new("ts_debug", &[T, T], DEBUG, |_, a| seen(config(a)?, text(a, 1)?)),
    SetFunction::new("ts_debug", &[T], DEBUG, |_, a| seen(DEFAULT, text(a, 0)?)),
];

const DEBUG: super::Columns = Named(&[
    ("alias", T),
    ("description", T),
    ("token", T),
    ("dictionaries", Of(&T)),
    ("dictionary", T),
    ("lexemes", Of(&T)),
]);

fn of_parser(name: &str) -> Result<()> {
    match name.strip_prefix("pg_catalog.").unwrap_or(name) {
        "default" => Ok(()),
        _ => {
            let message = format!("text search parser \"{name}\" does not exist");
            Err(Error::new(Code::UNDEFINED_OBJECT, message))
        }
    }
}

/// The number of what a token is.
fn number(token: &Token<'_>) -> i64 {
    (1..).zip(KINDS).find(|(_, (kind, ..))| *kind == token.kind).map_or(0, |(number, _)| number)
}

fn words(_: &mut SetContext<'_, '_>, arguments: &[Value]) -> Result<Vec<Vec<Value>>> {
    let row = |(word, at): (String, Vec<(u32, u8)>)| {
        if at.is_empty() {
            return vec![Value::text(word), Value::Null, Value::Null];
        }
        let positions = at.iter().map(|(position, _)| Value::Int(i64::from(*position))).collect();
        let letter = |weight: u8| WEIGHTS.get(usize::from(weight)).unwrap_or(&'D').to_string();
        let weights = at.iter().map(|(_, weight)| Value::text(letter(*weight))).collect();
        vec![Value::text(word), list(positions), list(weights)]
    };
    Ok(Vector::parse(text(arguments, 0)?)?.0.into_iter().map(row).collect())
}

/// Each token with what its dictionary makes of it.
fn seen(config: Configuration, whole: &str) -> Result<Vec<Vec<Value>>> {
    let mut rows = Vec::new();
    for token in tokens(whole)? {
        let (_, alias, description) = KINDS
            .iter()
            .find(|(kind, ..)| *kind == token.kind)
            .ok_or_else(|| invalid("a token of no kind"))?;
        let dictionary = config.dictionary(token);
        let lexemes = match config.lexeme(token)? {
            None => Value::Null,
            Some(lexeme) => list(lexeme.into_iter().map(Value::text).collect()),
        };
        let named = dictionary.as_deref().map_or(Value::Null, Value::text);
        rows.push(vec![
            Value::text(*alias),
            Value::text(*description),
            Value::text(token.text),
            list(dictionary.into_iter().map(Value::text).collect()),
            named,
            lexemes,
        ]);
    }
    Ok(rows)
}
