//! `tsvector` and `tsquery`: text forms and matching (PostgreSQL 8.11, 12.4). How a text becomes lexemes is said elsewhere.

mod order;
mod rewrite;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};
use std::iter::Peekable;
use std::str::Chars;

use crate::{Code, Error, Result};
pub use order::{search_key, vector_key};
pub use rewrite::rewrite;

/// The last position that is told apart from those behind it.
pub const POSITION_MAX: u32 = 16_383;

/// The weights, from `D` to `A`.
pub const WEIGHTS: [char; 4] = ['D', 'C', 'B', 'A'];

/// Lexemes with their positions and weights (0 is `D`).
#[derive(Clone, Debug, Default)]
pub struct Vector(pub BTreeMap<String, Vec<(u32, u8)>>);

/// A condition on lexemes.
#[derive(Clone, Debug)]
pub enum Search {
    /// A lexeme, or all with a prefix; a bit for each weight, none for any.
    Lexeme {
        /// The lexeme.
        text: String,
        /// `:*`
        is_prefix: bool,
        /// Bits of weights, `D` the lowest.
        weights: u8,
    },
    /// `!a`
    Not(Box<Search>),
    /// `a & b`
    And(Box<Search>, Box<Search>),
    /// `a | b`
    Or(Box<Search>, Box<Search>),
    /// `a <n> b`: so many positions apart.
    Phrase(Box<Search>, u32, Box<Search>),
}

fn quoted(out: &mut impl Write, lexeme: &str) -> fmt::Result {
    write!(out, "'{}'", lexeme.replace('\\', "\\\\").replace('\'', "''"))
}

/// A weight by its letter: `D` is 0, `A` is 3.
pub fn weight(letter: char) -> Option<u8> {
    let at = WEIGHTS.iter().position(|known| *known == letter.to_ascii_uppercase())?;
    u8::try_from(at).ok()
}

/// A word up to whitespace, or in quotes; `ends` says what else ends it.
fn word(chars: &mut Peekable<Chars<'_>>, ends: impl Fn(char) -> bool) -> Option<String> {
    let mut out = String::new();
    if chars.next_if_eq(&'\'').is_some() {
        loop {
            match chars.next()? {
                '\'' if chars.next_if_eq(&'\'').is_none() => break,
                '\\' => out.push(chars.next()?),
                c => out.push(c),
            }
        }
    } else {
        while let Some(c) = chars.next_if(|c| !c.is_whitespace() && !ends(*c)) {
            out.push(if c == '\\' { chars.next()? } else { c });
        }
    }
    (!out.is_empty()).then_some(out)
}

impl Vector {
    /// A vector from its text form.
    ///
    /// # Errors
    /// `42601` for text that is none.
    pub fn parse(text: &str) -> Result<Vector> {
        let refused = |message: &str| Error::new(Code::SYNTAX, format!("{message}: \"{text}\""));
        let syntax = || refused("syntax error in tsvector");
        let mut vector = Vector::default();
        let mut chars = text.chars().peekable();
        loop {
            while chars.next_if(|c| c.is_whitespace()).is_some() {}
            if chars.peek().is_none() {
                break;
            }
            let lexeme = word(&mut chars, |c| c == ':').ok_or_else(|| match text.ends_with('\\') {
                true => refused("there is no escaped character"),
                false => syntax(),
            })?;
            let positions = vector.0.entry(lexeme).or_default();
            if chars.next_if_eq(&':').is_none() {
                continue;
            }
            loop {
                let (position, weight) = position(&mut chars).ok_or_else(syntax)?;
                if position == 0 {
                    return Err(refused("wrong position info in tsvector"));
                }
                positions.push((position, weight));
                if chars.next_if_eq(&',').is_none() {
                    break;
                }
            }
        }
        vector.0.values_mut().for_each(arrange);
        Ok(vector)
    }

    /// Adds an occurrence.
    pub fn add(&mut self, lexeme: String, position: u32) {
        let positions = self.0.entry(lexeme).or_default();
        positions.push((position.min(POSITION_MAX), 0));
        arrange(positions);
    }

    /// Whether a condition holds.
    pub fn matches(&self, search: &Search) -> bool {
        holds(search, &mut |leaf| self.seen(leaf))
    }

    /// Where a lexeme of a condition is; `None` where it is not.
    fn seen(&self, leaf: &Search) -> Option<Vec<u32>> {
        let Search::Lexeme { text, is_prefix, weights } = leaf else { return None };
        let is_wanted = |weight: u8| *weights == 0 || weights >> weight & 1 == 1;
        let mut is_there = false;
        let mut at = Vec::new();
        for positions in self.found(text, *is_prefix) {
            let wanted = positions.iter().filter(|(_, weight)| is_wanted(*weight));
            let before = at.len();
            at.extend(wanted.map(|(position, _)| *position));
            // Without places, nobody knows of a weight that it is not theirs.
            is_there |= *weights == 0 || positions.is_empty() || at.len() > before;
        }
        at.sort_unstable();
        at.dedup();
        is_there.then_some(at)
    }

    /// The places of a lexeme, or of all with a prefix.
    pub fn found<'v>(&'v self, text: &'v str, is_prefix: bool) -> impl Iterator<Item = &'v Vec<(u32, u8)>> {
        self.named(text, is_prefix).map(|(_, positions)| positions)
    }

    /// A lexeme, or all with a prefix, and their places.
    pub fn named<'v, 't>(
        &'v self,
        text: &'t str,
        is_prefix: bool,
    ) -> impl Iterator<Item = (&'v str, &'v Vec<(u32, u8)>)> + use<'v, 't> {
        let fits = move |lexeme: &str| lexeme == text || (is_prefix && lexeme.starts_with(text));
        let from = self.0.range(text.to_owned()..);
        let near = from.take_while(move |(lexeme, _)| lexeme.starts_with(text));
        near.filter(move |(lexeme, _)| fits(lexeme)).map(|(lexeme, positions)| (lexeme.as_str(), positions))
    }
}

/// Says where a lexeme of a condition is, in order: `None` where it is not, nothing where nobody knows the place.
pub type Look<'a> = dyn FnMut(&Search) -> Option<Vec<u32>> + 'a;

/// Whether a condition holds of what is looked at.
pub fn holds(search: &Search, look: &mut Look<'_>) -> bool {
    match search {
        Search::Lexeme { .. } => look(search).is_some(),
        Search::Not(inner) => !holds(inner, look),
        Search::And(left, right) => holds(left, look) && holds(right, look),
        Search::Or(left, right) => holds(left, look) || holds(right, look),
        Search::Phrase(..) => {
            let mut is_known = true;
            let found = places(search, &mut |leaf| {
                let at = look(leaf);
                is_known &= at.as_ref().is_none_or(|at| !at.is_empty());
                at
            });
            is_known && found.is_some()
        }
    }
}

/// Where something ends, or where alone it does not, and how far before that it begins.
struct Places {
    ends: Vec<u32>,
    negated: bool,
    width: u32,
}

/// Which positions of two sides are told.
#[derive(Clone, Copy)]
enum Side {
    Both,
    LeftAlone,
    RightAlone,
    Any,
}

/// Where a part of a phrase is; `None` where it is nowhere.
fn places(search: &Search, look: &mut Look<'_>) -> Option<Places> {
    match search {
        Search::Lexeme { .. } => look(search).map(|ends| Places { ends, negated: false, width: 0 }),
        Search::Not(inner) => match places(inner, look) {
            None => Some(Places { ends: Vec::new(), negated: true, width: 0 }),
            Some(inner) if inner.ends.is_empty() && inner.negated => None,
            Some(inner) => Some(Places { negated: !inner.negated, ..inner }),
        },
        Search::And(left, right) => {
            let (left, right) = (places(left, look)?, places(right, look)?);
            let width = left.width.max(right.width);
            together(&left, &right, width, None)
        }
        Search::Phrase(left, distance, right) => {
            let (left, right) = (places(left, look)?, places(right, look)?);
            let width = distance + left.width + right.width;
            together(&left, &right, width, Some(*distance))
        }
        Search::Or(left, right) => {
            let nowhere = || Places { ends: Vec::new(), negated: false, width: 0 };
            let (left, right) = match (places(left, look), places(right, look)) {
                (None, None) => return None,
                (left, right) => (left.unwrap_or_else(nowhere), right.unwrap_or_else(nowhere)),
            };
            let width = left.width.max(right.width);
            let (side, negated) = match (left.negated, right.negated) {
                (true, true) => (Side::Both, true),
                (true, false) => (Side::LeftAlone, true),
                (false, true) => (Side::RightAlone, true),
                (false, false) => (Side::Any, false),
            };
            let apart = (width - left.width, width - right.width);
            let ends = merged(&left.ends, &right.ends, apart, side);
            (negated || !ends.is_empty()).then_some(Places { ends, negated, width })
        }
    }
}

/// Both sides, at a distance if one is said.
fn together(left: &Places, right: &Places, width: u32, distance: Option<u32>) -> Option<Places> {
    let apart = match distance {
        Some(distance) => (distance + right.width, 0),
        None => (width - left.width, width - right.width),
    };
    let (side, negated) = match (left.negated, right.negated) {
        (true, true) => (Side::Any, true),
        (true, false) => (Side::RightAlone, false),
        (false, true) => (Side::LeftAlone, false),
        (false, false) => (Side::Both, false),
    };
    let ends = merged(&left.ends, &right.ends, apart, side);
    (negated || !ends.is_empty()).then_some(Places { ends, negated, width })
}

fn merged(left: &[u32], right: &[u32], apart: (u32, u32), side: Side) -> Vec<u32> {
    let left: BTreeSet<u32> = left.iter().map(|at| at + apart.0).collect();
    let right: BTreeSet<u32> = right.iter().map(|at| at + apart.1).collect();
    match side {
        Side::Both => left.intersection(&right).copied().collect(),
        Side::LeftAlone => left.difference(&right).copied().collect(),
        Side::RightAlone => right.difference(&left).copied().collect(),
        Side::Any => left.union(&right).copied().collect(),
    }
}

fn position(chars: &mut Peekable<Chars<'_>>) -> Option<(u32, u8)> {
    let mut digits = String::new();
    while let Some(c) = chars.next_if(char::is_ascii_digit) {
        digits.push(c);
    }
    let position = digits.parse::<u32>().ok()?.min(POSITION_MAX);
    let letter = chars.next_if(|c| weight(*c).is_some());
    Some((position, letter.and_then(weight).unwrap_or(0)))
}

/// Sorted; of one position, the greatest weight.
fn arrange(positions: &mut Vec<(u32, u8)>) {
    positions.sort_by(|left, right| left.0.cmp(&right.0).then(right.1.cmp(&left.1)));
    positions.dedup_by_key(|(position, _)| *position);
    positions.truncate(255);
}

impl fmt::Display for Vector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (lexeme, positions)) in self.0.iter().enumerate() {
            f.write_str(if at > 0 { " " } else { "" })?;
            quoted(f, lexeme)?;
            for (at, (position, weight)) in positions.iter().enumerate() {
                write!(f, "{}{position}", if at > 0 { ',' } else { ':' })?;
                if *weight > 0 {
                    write!(f, "{}", WEIGHTS.get(usize::from(*weight)).unwrap_or(&'A'))?;
                }
            }
        }
        Ok(())
    }
}

impl Search {
    /// Its lexemes, from the left.
    pub fn leaves(&self) -> Vec<&Search> {
        match self {
            Search::Lexeme { .. } => vec![self],
            Search::Not(inner) => inner.leaves(),
            Search::And(left, right) | Search::Or(left, right) | Search::Phrase(left, _, right) => {
                let mut leaves = left.leaves();
                leaves.extend(right.leaves());
                leaves
            }
        }
    }
}

/// A condition's text form; the condition that asks for nothing has none.
pub fn print(search: Option<&Search>) -> String {
    let mut out = String::new();
    if let Some(search) = search {
        // Writing to a `String` cannot fail.
        let _ = write(&mut out, search, 0, false);
    }
    out
}

fn write(out: &mut String, search: &Search, around: u8, is_right_of_phrase: bool) -> fmt::Result {
    let (priority, left, word, right) = match search {
        Search::Lexeme { text, is_prefix, weights } => {
            quoted(out, text)?;
            if *is_prefix || *weights > 0 {
                out.push_str(if *is_prefix { ":*" } else { ":" });
                let letters = (0..4_usize).rev().filter(|bit| weights >> bit & 1 == 1);
                out.extend(letters.filter_map(|bit| WEIGHTS.get(bit)));
            }
            return Ok(());
        }
        Search::Not(inner) => {
            out.push('!');
            return write(out, inner, 4, false);
        }
        Search::Or(left, right) => (1, left, " | ".to_owned(), right),
        Search::And(left, right) => (2, left, " & ".to_owned(), right),
        Search::Phrase(left, 1, right) => (3, left, " <-> ".to_owned(), right),
        Search::Phrase(left, distance, right) => (3, left, format!(" <{distance}> "), right),
    };
    let is_inner = priority < around || (priority == 3 && is_right_of_phrase);
    out.push_str(if is_inner { "( " } else { "" });
    write(out, left, priority, false)?;
    out.push_str(&word);
    write(out, right, priority, priority == 3)?;
    out.push_str(if is_inner { " )" } else { "" });
    Ok(())
}

/// A condition from its text form, lexemes as they stand; `None` asks for nothing.
///
/// # Errors
/// `42601` for text that is none.
pub fn parse(text: &str) -> Result<Option<Search>> {
    parse_with(text, &mut |text, is_prefix, weights| {
        Ok(Some(Search::Lexeme { text: text.to_owned(), is_prefix, weights }))
    })
    .map(cleaned)
}

/// What a written operand asks for; `None` for a stop word.
pub type Operand<'a> = dyn FnMut(&str, bool, u8) -> Result<Option<Search>> + 'a;

/// A tree in which stop words are still there, as nothing.
#[derive(Debug)]
pub enum Tree {
    /// A word, or a stop word.
    Leaf(Option<Search>),
    /// `!a`
    Not(Box<Tree>),
    /// `a & b`
    And(Box<Tree>, Box<Tree>),
    /// `a | b`
    Or(Box<Tree>, Box<Tree>),
    /// `a <n> b`
    Phrase(Box<Tree>, u32, Box<Tree>),
}

/// Most operators and parentheses of a condition: trees are walked by recursion, and a row of operators is as deep as it is long.
const OPERATORS_MAX: usize = 256;

/// Most operators that wait for their right side at once: PostgreSQL's `STACKDEPTH`.
const PENDING_MAX: usize = 32;

/// Refuses a condition of too many parts.
///
/// # Errors
/// `54001`.
pub fn bounded(operators: usize) -> Result<()> {
    if operators <= OPERATORS_MAX {
        return Ok(());
    }
    Err(Error::new(Code::TOO_COMPLEX, format!("tsquery has more than {OPERATORS_MAX} operators")))
}

/// A condition from its text form, before stop words are taken out.
///
/// # Errors
/// `42601` for text that is none; those of the operands.
pub fn parse_with(text: &str, operand: &mut Operand<'_>) -> Result<Option<Tree>> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let mut reader = Reader { text, chars: text.chars().peekable(), operand, operators: 0, pending: 0 };
    let tree = reader.level(1)?;
    reader.space();
    if reader.chars.peek().is_some() {
        return Err(reader.syntax());
    }
    Ok(Some(tree))
}

struct Reader<'a, 'o> {
    text: &'a str,
    chars: Peekable<Chars<'a>>,
    operand: &'a mut Operand<'o>,
    /// Operators and parentheses so far.
    operators: usize,
    /// Those that wait for their right side, since the last parenthesis.
    pending: usize,
}

impl Reader<'_, '_> {
    fn syntax(&self) -> Error {
        Error::new(Code::SYNTAX, format!("syntax error in tsquery: \"{}\"", self.text))
    }

    /// Reads what an operator waits for.
    fn waiting(&mut self, read: impl FnOnce(&mut Self) -> Result<Tree>) -> Result<Box<Tree>> {
        if self.pending == PENDING_MAX {
            return Err(Error::new(Code::INTERNAL, "tsquery stack too small"));
        }
        self.operators += 1;
        bounded(self.operators)?;
        self.pending += 1;
        let tree = read(self)?;
        self.pending -= 1;
        Ok(Box::new(tree))
    }

    fn space(&mut self) {
        while self.chars.next_if(|c| c.is_whitespace()).is_some() {}
    }

    /// Operators of a priority and above: `|` 1, `&` 2, `<->` 3.
    fn level(&mut self, priority: u8) -> Result<Tree> {
        if priority > 3 {
            return self.unary();
        }
        let mut left = self.level(priority + 1)?;
        loop {
            self.space();
            let next = self.chars.peek().copied();
            left = match (priority, next) {
                (1, Some('|')) => {
                    self.chars.next();
                    Tree::Or(Box::new(left), self.waiting(|reader| reader.level(2))?)
                }
                (2, Some('&')) => {
                    self.chars.next();
                    Tree::And(Box::new(left), self.waiting(|reader| reader.level(3))?)
                }
                (3, Some('<')) => {
                    let distance = self.distance()?;
                    Tree::Phrase(Box::new(left), distance, self.waiting(Self::unary)?)
                }
                _ => return Ok(left),
            };
        }
    }

    fn distance(&mut self) -> Result<u32> {
        self.chars.next();
        let mut written = String::new();
        while let Some(c) = self.chars.next_if(|c| *c == '-' || c.is_ascii_digit()) {
            written.push(c);
        }
        if self.chars.next() != Some('>') {
            return Err(self.syntax());
        }
        match written.as_str() {
            "-" => Ok(1),
            digits => match digits.parse::<u32>() {
                Ok(distance @ 0..=16_384) => Ok(distance),
                Ok(_) => Err(Error::new(
                    Code::INVALID_PARAMETER,
                    "distance in phrase operator must be an integer value between zero and 16384 inclusive",
                )),
                Err(_) => Err(self.syntax()),
            },
        }
    }

    fn unary(&mut self) -> Result<Tree> {
        self.space();
        match self.chars.peek() {
            Some('!') => {
                self.chars.next();
                Ok(Tree::Not(self.waiting(Self::unary)?))
            }
            Some('(') => {
                self.chars.next();
                self.operators += 1;
                bounded(self.operators)?;
                let around = std::mem::take(&mut self.pending);
                let inner = self.level(1)?;
                self.pending = around;
                self.space();
                if self.chars.next() == Some(')') { Ok(inner) } else { Err(self.syntax()) }
            }
            None => Err(Error::new(Code::SYNTAX, format!("no operand in tsquery: \"{}\"", self.text))),
            Some(_) => self.leaf(),
        }
    }

    fn leaf(&mut self) -> Result<Tree> {
        let Some(lexeme) = word(&mut self.chars, |c| "!|&():<".contains(c)) else {
            return Err(self.syntax());
        };
        let (mut is_prefix, mut weights) = (false, 0);
        if self.chars.next_if_eq(&':').is_some() {
            while let Some(c) = self.chars.next_if(|c| *c == '*' || weight(*c).is_some()) {
                match weight(c) {
                    Some(weight) => weights |= 1 << weight,
                    None => is_prefix = true,
                }
            }
        }
        (self.operand)(&lexeme, is_prefix, weights).map(Tree::Leaf)
    }
}

/// Takes stop words out; distances over them stay what they were.
pub fn cleaned(tree: Option<Tree>) -> Option<Search> {
    clean(tree?).0
}

/// What is left, and the distances that are to be added on both sides.
fn clean(tree: Tree) -> (Option<Search>, u32, u32) {
    let (left, right, distance) = match tree {
        Tree::Leaf(search) => return (search, 0, 0),
        Tree::Not(inner) => {
            let (inner, left, right) = clean(*inner);
            return (inner.map(|inner| Search::Not(Box::new(inner))), left, right);
        }
        Tree::And(left, right) => return joined(*left, *right, Search::And),
        Tree::Or(left, right) => return joined(*left, *right, Search::Or),
        Tree::Phrase(left, distance, right) => (*left, *right, distance),
    };
    let ((left, left_before, left_behind), (right, right_before, right_behind)) = (clean(left), clean(right));
    match (left, right) {
        (None, None) => {
            let whole = left_before + distance + right_before;
            (None, whole, whole)
        }
        (None, right) => (right, left_before + distance + right_before, right_behind),
        (left, None) => (left, left_before, left_behind + distance + right_behind),
        (Some(left), Some(right)) => {
            let distance = distance + left_behind + right_before;
            (Some(Search::Phrase(Box::new(left), distance, Box::new(right))), left_before, right_behind)
        }
    }
}

fn joined(
    left: Tree,
    right: Tree,
    join: fn(Box<Search>, Box<Search>) -> Search,
) -> (Option<Search>, u32, u32) {
    let ((left, left_before, left_behind), (right, right_before, right_behind)) = (clean(left), clean(right));
    match (left, right) {
        (None, None) => {
            let widest = left_before.max(right_before);
            (None, widest, widest)
        }
        (None, right) => (right, right_before, right_behind),
        (left, None) => (left, left_before, left_behind),
        (Some(left), Some(right)) => (Some(join(Box::new(left), Box::new(right))), 0, 0),
    }
}
