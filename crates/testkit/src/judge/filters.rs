//! Filters of requests: every operator, on values that the column could have.

use super::ask::escaped;
use super::kinds::{Class, Kind};
use super::world::{Column, quoted};
use crate::oracle::draw::Draw;

/// A column and a test of it: `name=test` and, in a tree, `name.test`.
pub(super) fn condition(columns: &[Column], draw: &mut Draw) -> (String, String) {
    if columns.is_empty() || draw.one_in(60) {
        return ("nothing".to_owned(), "eq.1".to_owned());
    }
    let column = draw.of(columns);
    let name = escaped(&quoted(&column.name));
    let not = if draw.one_in(6) { "not." } else { "" };
    if matches!(column.kind.class, Class::Json | Class::Jsonb) && draw.one_in(2) {
        let (path, test) = inside(draw);
        return (format!("{name}{path}"), format!("{not}{test}"));
    }
    (name, format!("{not}{}", test(column.kind, draw)))
}

/// A parameter: a test, or a tree of tests.
pub(super) fn parameter(path: &str, columns: &[Column], draw: &mut Draw) -> String {
    if !draw.one_in(5) {
        let (name, test) = condition(columns, draw);
        return format!("{path}{name}={test}");
    }
    let word = draw.word(&["or", "or", "and", "not.or", "not.and"]);
    format!("{path}{word}=({})", members(columns, draw, 1))
}

fn members(columns: &[Column], draw: &mut Draw, depth: usize) -> String {
    let count = 2 + draw.below(2);
    let members: Vec<String> = (0..count)
        .map(|_| {
            if depth > 0 && draw.one_in(5) {
                let word = draw.word(&["and", "or", "not.and"]);
                return format!("{word}({})", members(columns, draw, depth - 1));
            }
            let (name, test) = condition(columns, draw);
            format!("{name}.{}", protected(&test))
        })
        .collect();
    members.join(",")
}

/// In a tree a value ends at a comma, unless it is quoted.
fn protected(test: &str) -> String {
    let Some((operator, value)) = test.rsplit_once('.').filter(|(_, value)| {
        value.contains([',', ')']) && !value.starts_with('(') && !value.starts_with('{')
    }) else {
        return test.to_owned();
    };
    format!("{operator}.%22{}%22", value.replace("%22", "%5C%22"))
}

fn test(kind: &Kind, draw: &mut Draw) -> String {
    match draw.below(12) {
        0 => "is.null".to_owned(),
        1 => format!("isdistinct.{}", escaped(kind.guess(draw))),
        2 => listed(kind, draw),
        3 => format!(
            "{}({}).{{{}}}",
            draw.word(&["eq", "gt", "gte", "lt", "lte"]),
            draw.word(&["any", "all"]),
            several(kind, draw)
        ),
        4 | 5 => plain(kind, draw),
        _ => special(kind, draw).unwrap_or_else(|| plain(kind, draw)),
    }
}

fn plain(kind: &Kind, draw: &mut Draw) -> String {
    let operator = draw.word(&["eq", "eq", "neq", "gt", "gte", "lt", "lte"]);
    format!("{operator}.{}", escaped(kind.guess(draw)))
}

fn listed(kind: &Kind, draw: &mut Draw) -> String {
    if draw.one_in(10) {
        return "in.()".to_owned();
    }
    format!("in.({})", several(kind, draw))
}

/// Values in a list, quoted where they need it.
fn several(kind: &Kind, draw: &mut Draw) -> String {
    let count = 1 + draw.below(3);
    let values: Vec<String> = (0..count)
        .map(|_| {
            let text = kind.guess(draw);
            if text.is_empty() || text.contains([',', '"', '(', ')', '{', '}', '[', ']', ' ', ':', '\\']) {
                escaped(&format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
            } else {
                escaped(text)
            }
        })
        .collect();
    values.join(",")
}

/// Operators of a type alone.
fn special(kind: &Kind, draw: &mut Draw) -> Option<String> {
    let value = escaped(kind.guess(draw));
    Some(match kind.class {
        Class::Text => text(draw),
        Class::Flag => format!("is.{}", draw.word(&["true", "false", "unknown", "not_null"])),
        Class::Jsonb => format!("{}.{value}", draw.word(&["cs", "cd", "eq"])),
        Class::List => format!("{}.{value}", draw.word(&["cs", "cd", "ov"])),
        Class::Range => {
            let operator = draw.word(&["cs", "cd", "ov", "sl", "sr", "nxl", "nxr", "adj"]);
            format!("{operator}.{value}")
        }
        Class::Whole if draw.one_in(10) => format!("{}.*1*", draw.word(&["like", "ilike"])),
        Class::Whole | Class::Number | Class::Id | Class::Moment => return None,
        Class::Span | Class::Json | Class::Label | Class::Bytes => return None,
    })
}

fn text(draw: &mut Draw) -> String {
    match draw.below(8) {
        0 => format!("like.{}", draw.word(&["a*", "*b", "_b", "*%25*", "a"])),
        1 => format!("ilike.{}", draw.word(&["A*", "*B*", "AB"])),
        2 => format!("match.{}", draw.word(&["%5Ea", "b$", "%5Ba-b%5D%2B", "a.c"])),
        3 => format!("imatch.{}", draw.word(&["%5EA", "B"])),
        4 => format!("like({}).{{{}}}", draw.word(&["any", "all"]), draw.word(&["a*,b*", "*a*,*b*"])),
        5 => format!(
            "{}.{}",
            draw.word(&["fts", "plfts", "phfts", "wfts", "fts(english)", "plfts(simple)"]),
            draw.word(&["fox", "ab", "quick"])
        ),
        6 => format!("ilike({}).{{{}}}", draw.word(&["any", "all"]), "A*,*b"),
        _ => format!("eq.{}", draw.word(&["a", "ab", "1"])),
    }
}

/// Into a value of JSON.
fn inside(draw: &mut Draw) -> (&'static str, String) {
    let paths = ["-%3E%3Ek", "-%3Ek", "-%3Ea-%3E0", "-%3E0-%3E%3Ek", "-%3Ea-%3E%3Eb", "-%3E-1"];
    let path = *draw.of(&paths);
    let tests = ["eq.1", "eq.x", "is.null", "in.(1,2)", "gt.1", "neq.2", "eq.%221%22"];
    (path, draw.of(&tests).to_string())
}
