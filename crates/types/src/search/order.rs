//! The order of `tsvector` and `tsquery` (the comparison operators of PostgreSQL's tables of operators for text search), as bytes
//! that order so. Sizes come first: those of the values as PostgreSQL keeps them, which are computed here. Where PostgreSQL puts
//! the greater number first, its bits are inverted.

use super::{Search, Vector};
use crate::crc;

/// What stands before the words of either type: its length and the number of its parts.
const HEADER_BYTES: usize = 8;

/// Of each word of a `tsvector`, beside the word.
const ENTRY_BYTES: usize = 4;

/// Of each word or operator of a `tsquery`, beside the word and the byte that ends it.
const ITEM_BYTES: usize = 12;

/// Of each position, and of their number.
const POSITION_BYTES: usize = 2;

/// Bytes that order as PostgreSQL orders vectors.
pub fn vector_key(vector: &Vector) -> Vec<u8> {
    let mut out = Vec::new();
    ascending(&mut out, vector_bytes(vector));
    ascending(&mut out, vector.0.len());
    for (lexeme, positions) in &vector.0 {
        // Words with positions come before those without.
        out.push(u8::from(positions.is_empty()));
        word(&mut out, lexeme);
        if positions.is_empty() {
            continue;
        }
        descending(&mut out, positions.len());
        for (position, weight) in positions {
            out.extend((!position).to_be_bytes());
            out.push(!weight);
        }
    }
    out
}

/// Positions stand at even addresses.
fn vector_bytes(vector: &Vector) -> usize {
    let words = vector.0.iter().fold(0, |before, (lexeme, positions)| {
        let end = before + lexeme.len();
        if positions.is_empty() {
            end
        } else {
            end.next_multiple_of(2) + POSITION_BYTES * (1 + positions.len())
        }
    });
    HEADER_BYTES + ENTRY_BYTES * vector.0.len() + words
}

/// Bytes that order as PostgreSQL orders conditions. Those that differ only in prefixes and weights are equal.
pub fn search_key(search: Option<&Search>) -> Vec<u8> {
    let mut out = Vec::new();
    let (items, words) = search.map_or((0, 0), sizes);
    ascending(&mut out, items);
    ascending(&mut out, HEADER_BYTES + ITEM_BYTES * items + words);
    if let Some(search) = search {
        write(&mut out, search);
    }
    out
}

/// Words and operators, and the bytes of the words.
fn sizes(search: &Search) -> (usize, usize) {
    match search {
        Search::Lexeme { text, .. } => (1, text.len() + 1),
        Search::Not(inner) => {
            let (items, words) = sizes(inner);
            (1 + items, words)
        }
        Search::And(left, right) | Search::Or(left, right) | Search::Phrase(left, _, right) => {
            let (left, right) = (sizes(left), sizes(right));
            (1 + left.0 + right.0, left.1 + right.1)
        }
    }
}

fn write(out: &mut Vec<u8>, search: &Search) {
    match search {
        Search::Lexeme { text, .. } => leaf(out, text),
        Search::Not(inner) => {
            operator(out, Operator::Not, 1);
            write(out, inner);
        }
        Search::And(left, right) => pair(out, Operator::And, left, right),
        Search::Or(left, right) => pair(out, Operator::Or, left, right),
        Search::Phrase(left, distance, right) => {
            pair(out, Operator::Phrase, left, right);
            out.extend((!distance).to_be_bytes());
        }
    }
}

/// The right side is looked at first.
fn pair(out: &mut Vec<u8>, symbol: Operator, left: &Search, right: &Search) {
    operator(out, symbol, 2);
    write(out, right);
    write(out, left);
}

/// What puts parts of a condition together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    /// `!a`
    Not,
    /// `a & b`
    And,
    /// `a | b`
    Or,
    /// `a <n> b`
    Phrase,
}

/// Operators come before words.
pub(super) fn operator(out: &mut Vec<u8>, operator: Operator, operands: usize) {
    let place = match operator {
        Operator::Phrase => 0,
        Operator::Or => 1,
        Operator::And => 2,
        Operator::Not => 3,
    };
    out.extend([0, place]);
    descending(out, operands);
}

/// Words go by their checksums first, the greatest of them before.
pub(super) fn leaf(out: &mut Vec<u8>, text: &str) {
    out.push(1);
    let place = crc::legacy(text.as_bytes()).cast_signed();
    out.extend((!place.wrapping_add(i32::MIN)).to_be_bytes());
    word(out, text);
}

/// No lexeme has a zero within it.
fn word(out: &mut Vec<u8>, text: &str) {
    out.extend(text.bytes());
    out.push(0);
}

fn ascending(out: &mut Vec<u8>, number: usize) {
    out.extend(u64::try_from(number).unwrap_or(u64::MAX).to_be_bytes());
}

fn descending(out: &mut Vec<u8>, number: usize) {
    out.extend((!u64::try_from(number).unwrap_or(u64::MAX)).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    /// In the order in which PostgreSQL puts them.
    #[track_caller]
    fn check_vectors(texts: &[&str]) {
        let keys: Vec<Vec<u8>> = texts.iter().map(|text| vector_key(&Vector::parse(text).unwrap())).collect();
        for (at, pair) in keys.windows(2).enumerate() {
            assert!(pair[0] < pair[1], "{} before {}", texts[at], texts[at + 1]);
        }
    }

    #[track_caller]
    fn check_searches(texts: &[&str]) {
        let keys: Vec<Vec<u8>> = texts.iter().map(|text| search_key(parse(text).unwrap().as_ref())).collect();
        for (at, pair) in keys.windows(2).enumerate() {
            assert!(pair[0] < pair[1], "{} before {}", texts[at], texts[at + 1]);
        }
    }

    #[test]
    fn vectors_are_ordered_as_postgresql_orders_them() {
        check_vectors(&[
            "", "a", "b", "ab", "ä", "'a b'", "abc", "a:2", "a:1A", "a:1B", "a:1", "b:1", "ä:1", "a b",
            "a c", "a:1,3", "a:1,2A", "a:1,2", "abc:1", "abcd:1", "a:1,2,3", "a b:2", "a b:1", "a:1 b",
            "a:1A b:2", "a:1 b:3", "a:1 b:2",
        ]);
    }

    #[test]
    fn conditions_are_ordered_as_postgresql_orders_them() {
        check_searches(&[
            "",
            "a",
            "b",
            "ä",
            "foo",
            "bar",
            "zebra",
            "quick",
            "!a",
            "!!a",
            "a <2> b",
            "a <-> b",
            "a | b",
            "b & a",
            "a & b",
            "fat & rat",
            "rat & fat",
            "a & !b",
            "!(a & b)",
            "!a & !b",
            "a <-> b <-> c",
            "a | b | c",
            "c & (a | b)",
            "a & (b & c)",
            "(a | b) & c",
            "a & b & c",
        ]);
        let key = |text: &str| search_key(parse(text).unwrap().as_ref());
        assert_eq!(key("a:*"), key("a"));
        assert_eq!(key("a:AB & b"), key("a & b:*"));
    }
}
