//! `ts_rewrite` of one part of a condition (PostgreSQL 12.4.2.1): rows of `and` and of `or` are sets, in which some of the members
//! may be what is looked for.

use super::order::{self, Operator};
use super::{Search, bounded};
use crate::{Error, Result};

/// A condition in which whatever is the target has become the substitute, or is gone where that asks for nothing.
///
/// # Errors
/// `54001` where the result is too long; `0A000` where PostgreSQL's answer depends on how it sorts equal words.
pub fn rewrite(
    search: Option<Search>,
    target: Option<&Search>,
    substitute: Option<&Search>,
) -> Result<Option<Search>> {
    let (Some(whole), Some(target)) = (&search, target) else { return Ok(search) };
    let (tree, target) = (sorted(flattened(nodes(whole)))?, sorted(flattened(nodes(target)))?);
    let substitute = substitute.map(|substitute| Node { is_fixed: true, ..nodes(substitute) });
    let rewritten = replaced(tree, &target, substitute.as_ref())?;
    bounded(rewritten.as_ref().map_or(0, operators))?;
    Ok(rewritten.and_then(binary))
}

/// A part of a condition. The right operand comes first, as PostgreSQL has it.
#[derive(Clone, Debug, PartialEq)]
struct Node {
    part: Part,
    /// Whether it was put in, and is left as it is.
    is_fixed: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Word { text: String, is_prefix: bool, weights: u8 },
    Operator { symbol: Operator, distance: u32, operands: Vec<Node> },
}

/// More operands than this are not kept in their order by PostgreSQL's sort where they are equal.
const STABLE_MAX: usize = 6;

fn nodes(search: &Search) -> Node {
    let (symbol, distance, operands) = match search {
        Search::Lexeme { text, is_prefix, weights } => {
            let part = Part::Word { text: text.clone(), is_prefix: *is_prefix, weights: *weights };
            return Node { part, is_fixed: false };
        }
        Search::Not(inner) => (Operator::Not, 0, vec![nodes(inner)]),
        Search::And(left, right) => (Operator::And, 0, vec![nodes(right), nodes(left)]),
        Search::Or(left, right) => (Operator::Or, 0, vec![nodes(right), nodes(left)]),
        Search::Phrase(left, distance, right) => {
            (Operator::Phrase, *distance, vec![nodes(right), nodes(left)])
        }
    };
    Node { part: Part::Operator { symbol, distance, operands }, is_fixed: false }
}

/// Rows of the same operator as one.
fn flattened(node: Node) -> Node {
    let Part::Operator { symbol, distance, operands } = node.part else { return node };
    let mut all = Vec::with_capacity(operands.len());
    for operand in operands.into_iter().map(flattened) {
        match operand.part {
            Part::Operator { symbol: inner, operands: within, .. }
                if inner == symbol && matches!(symbol, Operator::And | Operator::Or) =>
            {
                all.extend(within);
            }
            part => all.push(Node { part, is_fixed: false }),
        }
    }
    Node { part: Part::Operator { symbol, distance, operands: all }, is_fixed: node.is_fixed }
}

fn sorted(node: Node) -> Result<Node> {
    let Part::Operator { symbol, distance, operands } = node.part else { return Ok(node) };
    let mut operands = operands.into_iter().map(sorted).collect::<Result<Vec<Node>>>()?;
    if symbol != Operator::Phrase {
        sort(&mut operands)?;
    }
    Ok(Node { part: Part::Operator { symbol, distance, operands }, is_fixed: node.is_fixed })
}

fn sort(operands: &mut [Node]) -> Result<()> {
    operands.sort_by_cached_key(key);
    let is_doubtful = |pair: &[Node]| pair[0] != pair[1] && key(&pair[0]) == key(&pair[1]);
    if operands.len() > STABLE_MAX && operands.windows(2).any(is_doubtful) {
        return Err(Error::missing("ts_rewrite() of many words that are equal but for prefixes and weights"));
    }
    Ok(())
}

/// Bytes by which parts are ordered; those of equal parts are equal.
fn key(node: &Node) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out, node);
    out
}

fn write(out: &mut Vec<u8>, node: &Node) {
    match &node.part {
        Part::Word { text, .. } => order::leaf(out, text),
        Part::Operator { symbol, distance, operands } => {
            order::operator(out, *symbol, operands.len());
            operands.iter().for_each(|operand| write(out, operand));
            if *symbol == Operator::Phrase {
                out.extend((!distance).to_be_bytes());
            }
        }
    }
}

/// What is left of a part.
fn replaced(node: Node, target: &Node, substitute: Option<&Node>) -> Result<Option<Node>> {
    if key(&node) == key(target) {
        return Ok(substitute.cloned());
    }
    let node = without_members(node, target, substitute)?;
    let Part::Operator { symbol, distance, operands } = node.part else { return Ok(Some(node)) };
    let mut left = Vec::with_capacity(operands.len());
    for operand in operands {
        left.extend(if operand.is_fixed { Some(operand) } else { replaced(operand, target, substitute)? });
    }
    if left.is_empty() || (left.len() == 1 && symbol != Operator::Not) {
        return Ok(left.pop());
    }
    Ok(Some(Node { part: Part::Operator { symbol, distance, operands: left }, is_fixed: false }))
}

/// A set with the substitute in place of the members that are the target's.
fn without_members(node: Node, target: &Node, substitute: Option<&Node>) -> Result<Node> {
    let (Part::Operator { symbol, operands, .. }, Part::Operator { symbol: wanted, operands: members, .. }) =
        (&node.part, &target.part)
    else {
        return Ok(node);
    };
    if symbol != wanted || operands.len() <= members.len() {
        return Ok(node);
    }
    let Some(mut left) = difference(operands, members) else { return Ok(node) };
    left.extend(substitute.cloned().map(sorted).transpose()?);
    sort(&mut left)?;
    let part = Part::Operator { symbol: *symbol, distance: 0, operands: left };
    Ok(Node { part, is_fixed: false })
}

/// A sorted set without the members of another, where it has them all.
fn difference(all: &[Node], members: &[Node]) -> Option<Vec<Node>> {
    let mut members = members.iter().map(key).peekable();
    let mut left = Vec::with_capacity(all.len());
    for node in all {
        if members.next_if_eq(&key(node)).is_none() {
            left.push(node.clone());
        }
    }
    members.peek().is_none().then_some(left)
}

fn operators(node: &Node) -> usize {
    match &node.part {
        Part::Word { .. } => 0,
        Part::Operator { operands, .. } => {
            operands.len().max(1) + operands.iter().map(operators).sum::<usize>()
        }
    }
}

/// Two operands each: the second joins the first, then the others do from the last.
fn binary(node: Node) -> Option<Search> {
    let (symbol, distance, operands) = match node.part {
        Part::Word { text, is_prefix, weights } => return Some(Search::Lexeme { text, is_prefix, weights }),
        Part::Operator { symbol, distance, operands } => (symbol, distance, operands),
    };
    let mut operands = operands.into_iter().filter_map(binary);
    let first = operands.next()?;
    if symbol == Operator::Not {
        return Some(Search::Not(Box::new(first)));
    }
    let second = operands.next();
    let join = |right: Search, left: Search| {
        let (left, right) = (Box::new(left), Box::new(right));
        match symbol {
            Operator::Or => Search::Or(left, right),
            Operator::Phrase => Search::Phrase(left, distance, right),
            Operator::And | Operator::Not => Search::And(left, right),
        }
    };
    Some(second.into_iter().chain(operands.rev()).fold(first, join))
}

#[cfg(test)]
mod tests {
    use super::super::{parse, print};
    use super::*;

    #[track_caller]
    fn check(search: &str, target: &str, substitute: &str, wanted: &str) {
        let read = |text: &str| parse(text).unwrap();
        let rewritten = rewrite(read(search), read(target).as_ref(), read(substitute).as_ref());
        let shown = rewritten.map_or_else(|error| error.to_string(), |search| print(search.as_ref()));
        assert_eq!(shown, wanted, "{search}; {target}; {substitute}");
    }

    #[test]
    fn parts_are_put_in_place_of_others() {
        check("a & b", "a", "c", "'b' & 'c'");
        check("a & b & c & d & e", "b & d", "x | y", "'e' & 'c' & 'a' & ( 'y' | 'x' )");
        check("a & b & c", "a & c", "", "'b'");
        check("a", "a", "", "");
        check("!a & b", "a", "", "'b'");
        check(
            "foo & bar & qq & new & york",
            "new & york",
            "big & apple | nyc | new & york & city",
            "'foo' & 'bar' & 'qq' & ( 'city' & 'new' & 'york' | 'nyc' | 'big' & 'apple' )",
        );
        check("moscow", "moscow", "moskva", "'moskva'");
        check("moscow & hotel", "moscow", "moskva & (x | y)", "'moskva' & ( 'x' | 'y' ) & 'hotel'");
        check("bar & new & qq & foo & york", "qq & foo", "foobarqq", "'new' & 'bar' & 'foobarqq' & 'york'");
        check(
            "bar & new & qq & foo & york",
            "baz & foo",
            "foobarqq",
            "'foo' & 'new' & 'bar' & 'qq' & 'york'",
        );
        check("1 & (2 <-> 3)", "2 <-> 3", "2 <-> 4", "'1' & '2' <-> '4'");
        check("1 & (2 <2> 3)", "2 <-> 3", "2 <-> 4", "'1' & '2' <2> '3'");
        check("5 <-> (1 & (2 <-> 3))", "2 <-> 3", "2 <-> 4", "'5' <-> ( '1' & '2' <-> '4' )");
        check("5 <-> (6 | 8)", "6 | 8", "6 & 9", "'5' <-> ( '6' & '9' )");
        check("a | b | c | d", "d | a", "z & y & x", "'b' | 'c' | 'x' & 'z' & 'y'");
        check("(a | b | c) & (b | a | e)", "a | b", "q", "( 'c' | 'q' ) & ( 'q' | 'e' )");
        check("!(a | b) & c", "b | a", "!d", "'c' & !!'d'");
        check("a:* & b:A", "a", "c:B*", "'b':A & 'c':*B");
        check("a & a & b", "a", "c", "'b' & 'c' & 'c'");
        check("a & a & b", "a & a", "c", "'b' & 'c'");
        check("", "a", "b", "");
        check("a", "", "b", "'a'");
        check("a <-> b <-> c", "a <-> b", "x & y", "( 'x' & 'y' ) <-> 'c'");
        check("b & a", "x", "y", "'b' & 'a'");
        check("e | d | c | b | a", "x", "y", "'e' | 'c' | 'b' | 'a' | 'd'");
        check("(a & b) | (c & d)", "b & a", "e | f", "'e' | 'f' | 'c' & 'd'");
        check("a & b", "a & b & c", "x", "'b' & 'a'");
        check("'a b' & c", "'a b'", "'it''s'", "'c' & 'it''s'");
        check("!!a", "a", "!b", "!!!'b'");
        check("a & (b | a)", "a", "", "'b'");
    }

    #[test]
    fn where_postgresqls_sort_would_show_it_is_refused() {
        let many = "a & b & c & d & e & f & g & a:*";
        let message =
            "0A000: ts_rewrite() of many words that are equal but for prefixes and weights is not supported";
        check(many, "x", "y", message);
    }
}
