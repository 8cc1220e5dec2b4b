//! Filters: `[not.]operator[(modifier)].value`.

use crate::budget::Budget;
use crate::cursor::{Cursor, Parsed, Stop};
use crate::field::{Field, delimiter, identifier, quoted};
use crate::operators::{Operand, Operator, TABLE};

/// A condition on one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The field.
    pub field: Field,
    /// The condition.
    pub test: Test,
}

/// What a field is tested for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// `not.`: the whole predicate is negated.
    pub negated: bool,
    /// The operator.
    pub operator: &'static Operator,
    /// Its operand.
    pub value: Operands,
    /// Which parameter of the read its operand is, where that is to be run again with others: see [`shape`](crate::shape()).
    pub parameter: Option<usize>,
}

/// What an operator is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operands {
    /// One value.
    One(String),
    /// `(any)`: an array literal of which one element suffices.
    Any(String),
    /// `(all)`: an array literal of which every element is needed.
    All(String),
    /// The values of `in`. A single empty value is the empty list.
    List(Vec<String>),
    /// The operand of `is`.
    Truth(Truth),
    /// A text search query, with its configuration.
    Search {
        /// `fts(english)`
        configuration: Option<String>,
        /// The query.
        query: String,
    },
}

/// The words of `is`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// `null`
    Null,
    /// `not_null`
    NotNull,
    /// `true`
    True,
    /// `false`
    False,
    /// `unknown`
    Unknown,
}

const TRUTHS: &[(&str, Truth)] = &[
    ("null", Truth::Null),
    ("not_null", Truth::NotNull),
    ("true", Truth::True),
    ("false", Truth::False),
    ("unknown", Truth::Unknown),
];

/// Where a value ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// At the end of the parameter: everything is the value.
    Alone,
    /// At `,` or `)`, unless quoted or a brace literal.
    InLogic,
}

const OPERATOR: &str = "operator (eq, gt, ...)";
const TRUTH: &str = "isVal: (null, not_null, true, false, unknown)";

/// Reads a condition.
pub(crate) fn test(cursor: &mut Cursor<'_>, budget: &Budget<'_>, place: Place) -> Parsed<Test> {
    let negation = cursor.attempt(|cursor| {
        cursor.word("not", "\"not\"")?;
        delimiter(cursor)
    })?;
    let (operator, value) = cursor.labelled(OPERATOR, |cursor| operation(cursor, budget, place))?;
    Ok(Test { negated: negation.is_some(), operator, value, parameter: None })
}

fn operation(
    cursor: &mut Cursor<'_>,
    budget: &Budget<'_>,
    place: Place,
) -> Parsed<(&'static Operator, Operands)> {
    for operator in TABLE {
        if let Some(modifier) = cursor.attempt(|cursor| head(cursor, operator))? {
            return Ok((operator, operand(cursor, budget, operator, modifier, place)?));
        }
    }
    Err(Stop::Syntax)
}

/// What stands in parentheses after an operator's word.
enum Modifier {
    None,
    Any,
    All,
    Configuration(String),
}

/// The word, its modifier and the dot.
fn head(cursor: &mut Cursor<'_>, operator: &Operator) -> Parsed<Modifier> {
    cursor.word(operator.word, "")?;
    let modifier = match operator.operand {
        Operand::Quantified => cursor.attempt(|cursor| parenthesized(cursor, quantifier))?,
        Operand::Search => {
            let configuration = |cursor: &mut Cursor<'_>| identifier(cursor).map(Modifier::Configuration);
            cursor.attempt(|cursor| parenthesized(cursor, configuration))?
        }
        Operand::Scalar | Operand::List | Operand::Truth => None,
    };
    delimiter(cursor)?;
    Ok(modifier.unwrap_or(Modifier::None))
}

fn parenthesized<T>(cursor: &mut Cursor<'_>, read: impl FnOnce(&mut Cursor<'_>) -> Parsed<T>) -> Parsed<T> {
    cursor.take('(', "\"(\"")?;
    let inner = read(cursor)?;
    cursor.take(')', "\")\"")?;
    Ok(inner)
}

fn quantifier(cursor: &mut Cursor<'_>) -> Parsed<Modifier> {
    match cursor.attempt(|cursor| cursor.word("any", "\"any\""))? {
        Some(()) => Ok(Modifier::Any),
        None => cursor.word("all", "\"all\"").map(|()| Modifier::All),
    }
}

fn operand(
    cursor: &mut Cursor<'_>,
    budget: &Budget<'_>,
    operator: &Operator,
    modifier: Modifier,
    place: Place,
) -> Parsed<Operands> {
    match operator.operand {
        Operand::List => list(cursor, budget).map(Operands::List),
        Operand::Truth => cursor.labelled(TRUTH, truth).map(Operands::Truth),
        Operand::Scalar => value(cursor, place).map(Operands::One),
        Operand::Quantified => {
            let value = value(cursor, place)?;
            Ok(match modifier {
                Modifier::Any => Operands::Any(value),
                Modifier::All => Operands::All(value),
                Modifier::None | Modifier::Configuration(_) => Operands::One(value),
            })
        }
        Operand::Search => {
            let configuration = match modifier {
                Modifier::Configuration(name) => Some(name),
                Modifier::None | Modifier::Any | Modifier::All => None,
            };
            Ok(Operands::Search { configuration, query: value(cursor, place)? })
        }
    }
}

fn truth(cursor: &mut Cursor<'_>) -> Parsed<Truth> {
    for (word, truth) in TRUTHS {
        let read = |cursor: &mut Cursor<'_>| {
            word.chars()
                .try_for_each(|c| cursor.take_if(|found| found.eq_ignore_ascii_case(&c), None).map(drop))
        };
        if cursor.attempt(read)?.is_some() {
            return Ok(*truth);
        }
    }
    Err(Stop::Syntax)
}

fn list(cursor: &mut Cursor<'_>, budget: &Budget<'_>) -> Parsed<Vec<String>> {
    cursor.lexeme(|cursor| cursor.take('(', "\"(\""))?;
    let mut values = vec![bounded(cursor)?];
    while cursor.attempt(|cursor| cursor.take(',', "\",\""))?.is_some() {
        values.push(bounded(cursor)?);
        budget.values(values.len())?;
    }
    cursor.lexeme(|cursor| cursor.take(')', "\")\""))?;
    Ok(values)
}

fn value(cursor: &mut Cursor<'_>, place: Place) -> Parsed<String> {
    match place {
        Place::Alone => Ok(cursor.take_while(|_| true).to_owned()),
        Place::InLogic if cursor.peek() == Some('{') => match cursor.attempt(braces)? {
            Some(literal) => Ok(literal),
            None => bounded(cursor),
        },
        Place::InLogic => bounded(cursor),
    }
}

/// A value that ends at `,` or `)`: quoted, or as it is.
fn bounded(cursor: &mut Cursor<'_>) -> Parsed<String> {
    if cursor.peek() == Some('"') {
        let read = |cursor: &mut Cursor<'_>| {
            let value = quoted(cursor)?;
            if matches!(cursor.peek(), None | Some(',' | ')')) { Ok(value) } else { cursor.refuse(None) }
        };
        if let Some(value) = cursor.attempt(read)? {
            return Ok(value);
        }
    }
    Ok(cursor.take_while(|c| !matches!(c, ',' | ')')).to_owned())
}

/// `{…}` without inner braces: an array literal.
fn braces(cursor: &mut Cursor<'_>) -> Parsed<String> {
    let start = cursor.at();
    cursor.take('{', "\"{\"")?;
    cursor.take_while(|c| !matches!(c, '{' | '}'));
    cursor.take('}', "\"}\"")?;
    Ok(cursor.since(start).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cursor::read_all;
    use types::{Limits, error::Details};

    fn read(text: &str) -> Result<Test, String> {
        let limits = Limits::default();
        let budget = Budget::new(&limits);
        read_all(text, "filter", text, |cursor| test(cursor, &budget, Place::Alone)).map_err(|error| {
            let Some(Details::Text(details)) = error.details() else { panic!() };
            format!("{} {details}", error.message())
        })
    }

    fn words(text: &str) -> (bool, &'static str, Operands) {
        let test = read(text).unwrap();
        (test.negated, test.operator.word, test.value)
    }

    fn one(text: &str) -> Operands {
        Operands::One(text.to_owned())
    }

    #[test]
    fn everything_after_the_dot_is_the_value() {
        for (text, expected) in [
            ("eq.1", (false, "eq", one("1"))),
            ("eq.", (false, "eq", one(""))),
            ("eq.a,b.c(d)", (false, "eq", one("a,b.c(d)"))),
            ("eq.*", (false, "eq", one("*"))),
            ("eq.\"q\"", (false, "eq", one("\"q\""))),
            ("not.neq.x", (true, "neq", one("x"))),
            ("like.*a*", (false, "like", one("*a*"))),
            ("isdistinct.null", (false, "isdistinct", one("null"))),
            ("cs.{1,2}", (false, "cs", one("{1,2}"))),
            ("eq(any).{1,2}", (false, "eq", Operands::Any("{1,2}".into()))),
            ("not.eq(any).{1,2}", (true, "eq", Operands::Any("{1,2}".into()))),
            ("gte(all).{1,2}", (false, "gte", Operands::All("{1,2}".into()))),
            ("is.NULL", (false, "is", Operands::Truth(Truth::Null))),
            ("not.is.not_null", (true, "is", Operands::Truth(Truth::NotNull))),
            ("is.Unknown", (false, "is", Operands::Truth(Truth::Unknown))),
            (
                "fts(english).a & b",
                (
                    false,
                    "fts",
                    Operands::Search { configuration: Some("english".into()), query: "a & b".into() },
                ),
            ),
            ("wfts.a", (false, "wfts", Operands::Search { configuration: None, query: "a".into() })),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[test]
    fn lists_are_in_parentheses() {
        for (text, values) in [
            ("in.(1,2,3)", vec!["1", "2", "3"]),
            ("in.()", vec![""]),
            ("in.(\"\")", vec![""]),
            ("in.(,)", vec!["", ""]),
            (r#"in.("a,b","c\"d",e f)"#, vec!["a,b", "c\"d", "e f"]),
            (r#"in.("a"b,c)"#, vec!["\"a\"b", "c"]),
            ("in. ( a , b ) ", vec!["a ", " b "]),
        ] {
            assert_eq!(
                words(text).2,
                Operands::List(values.into_iter().map(str::to_owned).collect()),
                "{text}"
            );
        }
    }

    #[test]
    fn every_operator_is_read() {
        for operator in TABLE {
            let operand = match operator.operand {
                Operand::List => "(1)",
                Operand::Truth => "null",
                Operand::Scalar | Operand::Quantified | Operand::Search => "1",
            };
            assert_eq!(words(&format!("{}.{operand}", operator.word)).1, operator.word);
        }
    }

    #[test]
    fn errors_say_where_and_what() {
        for (text, column, details) in [
            ("0", 1, "unexpected \"0\" expecting \"not\" or operator (eq, gt, ...)"),
            ("noop.0", 1, "unexpected \"o\" expecting \"not\" or operator (eq, gt, ...)"),
            ("eq()", 4, "unexpected \")\" expecting operator (eq, gt, ...)"),
            ("", 1, "unexpected end of input expecting \"not\" or operator (eq, gt, ...)"),
            ("is.blue", 4, "unexpected \"b\" expecting isVal: (null, not_null, true, false, unknown)"),
            ("is.nullx", 8, "unexpected 'x' expecting end of input"),
            ("in.1", 4, "unexpected \"1\" expecting \"(\""),
            ("in.(1", 6, "unexpected end of input expecting \",\" or \")\""),
            ("in(any).1", 3, "unexpected \"(\" expecting operator (eq, gt, ...)"),
        ] {
            let message = format!("\"failed to parse filter ({text})\" (line 1, column {column}) {details}");
            assert_eq!(read(text).unwrap_err(), message);
        }
    }

    #[test]
    fn long_lists_are_refused() {
        let limits = Limits { list_values_max: 3, ..Limits::default() };
        let budget = Budget::new(&limits);
        let read = |text: &str| read_all(text, "filter", text, |cursor| test(cursor, &budget, Place::Alone));
        assert!(read("in.(1,2,3)").is_ok());
        assert_eq!(read("in.(1,2,3,4)").unwrap_err().message(), "The request asks for too much");
    }
}
