//! Logical trees: `or=(a.eq.1,not.and(b.gt.2,c.is.null))`.
//!
//! Beyond PostgREST a condition may be of an embedded resource: `or=(a.eq.1,rel.b.eq.2,rel.and(c.gt.3,d.is.null))`. What
//! PostgREST reads is read as it does; only where it stops, the other reading is tried, and its errors stay as they are.

use crate::budget::Budget;
use crate::cursor::{Cursor, Parsed};
use crate::field::{EmbedPath, delimiter, dotted, field, name};
use crate::filter::{Filter, Place, test};

/// A condition on rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Logic {
    /// A condition on one field.
    Filter(Filter),
    /// Some row of an embedded resource meets a condition.
    Related {
        /// The way to the resource, at least one name.
        path: EmbedPath,
        /// A filter or a group.
        condition: Box<Logic>,
    },
    /// Several conditions together.
    Group {
        /// `not.`
        negated: bool,
        /// `or` instead of `and`.
        any: bool,
        /// The conditions, at least one.
        members: Vec<Logic>,
    },
}

/// The key of a logical parameter: where it applies and which operator it begins with, `not.` included.
pub(crate) fn path(cursor: &mut Cursor<'_>) -> Parsed<(EmbedPath, String)> {
    let mut names = dotted(cursor)?;
    let operator = names.pop().unwrap_or_default();
    let negated = names.iter().any(|name| name == "not");
    names.retain(|name| name != "not");
    Ok((names, if negated { format!("not.{operator}") } else { operator }))
}

/// Reads a tree.
pub(crate) fn tree(cursor: &mut Cursor<'_>, budget: &mut Budget<'_>) -> Parsed<Logic> {
    member(cursor, budget, 1)
}

fn member(cursor: &mut Cursor<'_>, budget: &mut Budget<'_>, depth: usize) -> Parsed<Logic> {
    budget.node()?;
    if let Some(filter) = cursor.attempt(|cursor| filter(cursor, budget))? {
        return Ok(Logic::Filter(filter));
    }
    if let Some(related) = cursor.quietly(|cursor| related(cursor, budget, depth))? {
        return Ok(related);
    }
    let negated = cursor.labelled("negation operator (not)", |cursor| {
        cursor.attempt(|cursor| {
            cursor.word("not", "\"not\"")?;
            delimiter(cursor)
        })
    })?;
    let any = cursor.labelled("logic operator (and, or)", operator)?;
    budget.logic_depth(depth)?;
    Ok(Logic::Group { negated: negated.is_some(), any, members: members(cursor, budget, depth)? })
}

/// A way to an embedded resource, then a filter or a group.
fn related(cursor: &mut Cursor<'_>, budget: &mut Budget<'_>, depth: usize) -> Parsed<Logic> {
    cursor.blanks();
    if GROUPS.iter().any(|group| cursor.rest().starts_with(group)) {
        return cursor.fail(None);
    }
    let mut path = EmbedPath::new();
    loop {
        path.push(name(cursor)?);
        delimiter(cursor)?;
        budget.related_depth(path.len())?;
        let condition = match cursor.attempt(|cursor| filter(cursor, budget))? {
            Some(filter) => Logic::Filter(filter),
            None if GROUPS.iter().any(|group| cursor.rest().starts_with(group)) => {
                member(cursor, budget, depth + 1)?
            }
            None => continue,
        };
        return Ok(Logic::Related { path, condition: Box::new(condition) });
    }
}

/// How a group begins.
const GROUPS: [&str; 4] = ["and(", "or(", "not.and(", "not.or("];

fn filter(cursor: &mut Cursor<'_>, budget: &Budget<'_>) -> Parsed<Filter> {
    let field = field(cursor)?;
    delimiter(cursor)?;
    Ok(Filter { field, test: test(cursor, budget, Place::InLogic)? })
}

/// Whether it is `or`.
fn operator(cursor: &mut Cursor<'_>) -> Parsed<bool> {
    match cursor.attempt(|cursor| cursor.word("and", "\"and\""))? {
        Some(()) => Ok(false),
        None => cursor.word("or", "\"or\"").map(|()| true),
    }
}

fn members(cursor: &mut Cursor<'_>, budget: &mut Budget<'_>, depth: usize) -> Parsed<Vec<Logic>> {
    cursor.lexeme(|cursor| cursor.take('(', "\"(\""))?;
    let mut members = vec![member(cursor, budget, depth + 1)?];
    while cursor.attempt(|cursor| cursor.lexeme(|cursor| cursor.take(',', "\",\"")))?.is_some() {
        members.push(member(cursor, budget, depth + 1)?);
    }
    cursor.lexeme(|cursor| cursor.take(')', "\")\""))?;
    Ok(members)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cursor::read_all;
    use crate::filter::Operands;
    use types::{Limits, error::Details};

    fn read(text: &str) -> Result<Logic, String> {
        let limits = Limits::default();
        let mut budget = Budget::new(&limits);
        read_all(text, "logic tree", text, |cursor| tree(cursor, &mut budget)).map_err(|error| {
            let Some(Details::Text(details)) = error.details() else { panic!() };
            format!("{} {details}", error.message())
        })
    }

    fn print(logic: &Logic) -> String {
        match logic {
            Logic::Filter(filter) => {
                let not = if filter.test.negated { "!" } else { "" };
                let value = match &filter.test.value {
                    Operands::One(value) => value.clone(),
                    other => format!("{other:?}"),
                };
                format!("{not}{} {} <{value}>", filter.field.name, filter.test.operator.word)
            }
            Logic::Related { path, condition } => format!("{}: {}", path.join("/"), print(condition)),
            Logic::Group { negated, any, members } => {
                let not = if *negated { "!" } else { "" };
                let members: Vec<String> = members.iter().map(print).collect();
                format!("{not}({})", members.join(if *any { " | " } else { " & " }))
            }
        }
    }

    #[test]
    fn trees_nest_and_negate() {
        for (text, printed) in [
            ("or(a.eq.1,b.gt.2)", "(a eq <1> | b gt <2>)"),
            ("and(id.eq.1)", "(id eq <1>)"),
            ("not.or(a.not.eq.1,not.and(b.gt.2,c.lt.3))", "!(!a eq <1> | !(b gt <2> & c lt <3>))"),
            ("or( a.eq.1 , and(b.eq.2) )", "(a eq <1 > | (b eq <2>))"),
            (r#"or(a.eq."x,y)",b.cs.{1,2})"#, "(a eq <x,y)> | b cs <{1,2}>)"),
            ("or(a.eq.{1,b.eq.2)", "(a eq <{1> | b eq <2>)"),
            ("or(order.eq.1,and.eq.2)", "(order eq <1> | and eq <2>)"),
        ] {
            assert_eq!(print(&read(text).unwrap()), printed, "{text}");
        }
    }

    #[test]
    fn conditions_of_embedded_resources_have_a_path() {
        for (text, printed) in [
            ("or(a.eq.1,rel.b.eq.2)", "(a eq <1> | rel: b eq <2>)"),
            ("or(rel.deep.b.not.gt.2,a.eq.1)", "(rel/deep: !b gt <2> | a eq <1>)"),
            ("or(rel.and(b.eq.1,c.eq.2),a.eq.1)", "(rel: (b eq <1> & c eq <2>) | a eq <1>)"),
            ("or(rel.not.or(b.eq.1,deep.c.eq.2))", "(rel: !(b eq <1> | deep: c eq <2>))"),
            // A column named like an operator.
            ("or(rel.in.eq.1)", "(rel: in eq <1>)"),
            // What PostgREST reads stays what it is.
            ("or(a.eq.b.eq.c)", "(a eq <b.eq.c>)"),
            ("not.and(a.eq.1)", "!(a eq <1>)"),
        ] {
            assert_eq!(print(&read(text).unwrap()), printed, "{text}");
        }
        let deep = format!("or({}a.eq.1)", "r.".repeat(100_000));
        assert!(read(&deep).unwrap_err().starts_with("The request asks for too much"));
        let nested = format!("or({}a.eq.1{})", "r.and(".repeat(100), ")".repeat(100));
        assert!(read(&nested).unwrap_err().starts_with("The request asks for too much"));
    }

    #[test]
    fn errors_say_where_and_what() {
        for (text, column, details) in [
            (
                "or()",
                4,
                "unexpected \")\" expecting field name (* or [a..z0..9_$]), negation operator (not) or logic operator (and, or)",
            ),
            ("or)", 3, "unexpected \")\" expecting \"(\""),
            ("and(ord(id.eq.1,id.eq.2))", 7, "unexpected \"d\" expecting \"(\""),
            (
                "or(id.eq.1,not.xor(id.eq.2,id.eq.3))",
                16,
                "unexpected \"x\" expecting logic operator (and, or)",
            ),
        ] {
            let message =
                format!("\"failed to parse logic tree ({text})\" (line 1, column {column}) {details}");
            assert_eq!(read(text).unwrap_err(), message);
        }
    }

    #[test]
    fn deep_and_wide_trees_are_refused() {
        let deep = format!("and({}", "or(".repeat(100_000));
        assert!(read(&deep).unwrap_err().starts_with("The request asks for too much"));
        let wide = format!("or({})", vec!["a.eq.1"; 300].join(","));
        assert!(read(&wide).unwrap_err().starts_with("The request asks for too much"));
        assert!(read(&"(".repeat(100_000)).is_err());
    }

    #[test]
    fn keys_say_where_a_tree_applies() {
        let read = |text: &str| read_all(text, "logic path", text, path).unwrap();
        assert_eq!(read("or"), (vec![], "or".to_owned()));
        assert_eq!(read("a.b.not.and"), (vec!["a".to_owned(), "b".to_owned()], "not.and".to_owned()));
        assert_eq!(read("not.a.or"), (vec!["a".to_owned()], "not.or".to_owned()));
    }
}
