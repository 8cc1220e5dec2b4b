//! Full text search (PostgreSQL chapters 9.13 and 12), with the configurations of `words`.

pub(super) mod headline;
mod parser;
pub(super) mod rank;
mod stop_words;
mod words;

use std::collections::BTreeSet;

use types::json::{self, DEPTH_MAX, Json};
use types::search::{Search, Tree, Vector, bounded, cleaned, parse, parse_with, print, rewrite};
use types::{Code, Error, Result, Value};

use super::Ty::{Bool, Int4, Json as J, Jsonb as B, Text as T, Tsquery as Q, Tsvector as V};
use super::arguments::{int, ok_text, text};
use super::{Context, Function};
pub(super) use parser::{KINDS, Token, tokens};
pub(super) use words::{Configuration, DEFAULT};

pub(super) static ROWS: &[Function] = &[
    Function::new("to_tsvector", &[T, T], V, |_, a| ok_text(vector(config(a)?, text(a, 1)?)?.to_string())),
    Function::new("to_tsvector", &[T], V, |_, a| ok_text(vector(DEFAULT, text(a, 0)?)?.to_string())).stable(),
    Function::new("to_tsvector", &[T, J], V, |_, a| document_vector(config(a)?, text(a, 1)?)),
    Function::new("to_tsvector", &[J], V, |_, a| document_vector(DEFAULT, text(a, 0)?)).stable(),
    Function::new("to_tsvector", &[T, B], V, |_, a| document_vector(config(a)?, text(a, 1)?)),
    Function::new("to_tsvector", &[B], V, |_, a| document_vector(DEFAULT, text(a, 0)?)).stable(),
    Function::new("to_tsquery", &[T, T], Q, |_, a| written(config(a)?, text(a, 1)?)),
    Function::new("to_tsquery", &[T], Q, |_, a| written(DEFAULT, text(a, 0)?)).stable(),
    Function::new("plainto_tsquery", &[T, T], Q, |_, a| plain(config(a)?, text(a, 1)?, Join::And)),
    Function::new("plainto_tsquery", &[T], Q, |_, a| plain(DEFAULT, text(a, 0)?, Join::And)).stable(),
    Function::new("phraseto_tsquery", &[T, T], Q, |_, a| plain(config(a)?, text(a, 1)?, Join::Phrase)),
    Function::new("phraseto_tsquery", &[T], Q, |_, a| plain(DEFAULT, text(a, 0)?, Join::Phrase)).stable(),
    Function::new("websearch_to_tsquery", &[T, T], Q, |_, a| web(config(a)?, text(a, 1)?)),
    Function::new("websearch_to_tsquery", &[T], Q, |_, a| web(DEFAULT, text(a, 0)?)).stable(),
    Function::operator("@@", &[V, Q], Bool, |_, a| matches(&Vector::parse(text(a, 0)?)?, text(a, 1)?)),
    Function::operator("@@", &[Q, V], Bool, |_, a| matches(&Vector::parse(text(a, 1)?)?, text(a, 0)?)),
    Function::operator("@@", &[T, Q], Bool, |_, a| matches(&vector(DEFAULT, text(a, 0)?)?, text(a, 1)?))
        .stable(),
    Function::operator("@@", &[T, T], Bool, |_, a| {
        let search = cleaned(Some(operand(DEFAULT, text(a, 1)?, Join::And, false, 0)?));
        matches(&vector(DEFAULT, text(a, 0)?)?, &print(search.as_ref()))
    })
    .stable(),
    Function::operator("@@@", &[V, Q], Bool, |_, a| matches(&Vector::parse(text(a, 0)?)?, text(a, 1)?)),
    Function::operator("@@@", &[Q, V], Bool, |_, a| matches(&Vector::parse(text(a, 1)?)?, text(a, 0)?)),
    Function::operator("@>", &[Q, Q], Bool, |_, a| has_all(text(a, 0)?, text(a, 1)?)),
    Function::operator("<@", &[Q, Q], Bool, |_, a| has_all(text(a, 1)?, text(a, 0)?)),
    Function::operator("||", &[V, V], V, concatenated),
    Function::operator("&&", &[Q, Q], Q, |_, a| combined(a, Search::And)),
    Function::operator("||", &[Q, Q], Q, |_, a| combined(a, Search::Or)),
    Function::prefix("!!", &[Q], Q, |_, a| {
        let inner = parse(text(a, 0)?)?.map(|inner| Search::Not(Box::new(inner)));
        ok_text(print(inner.as_ref()))
    }),
    Function::new("strip", &[V], V, |_, a| {
        let mut vector = Vector::parse(text(a, 0)?)?;
        vector.0.values_mut().for_each(Vec::clear);
        ok_text(vector.to_string())
    }),
    Function::new("setweight", &[V, T], V, |_, a| weighted(text(a, 0)?, text(a, 1)?)),
    Function::operator("<->", &[Q, Q], Q, |_, a| combined(a, |left, right| Search::Phrase(left, 1, right))),
    Function::new("tsquery_phrase", &[Q, Q], Q, |_, a| {
        combined(a, |left, right| Search::Phrase(left, 1, right))
    }),
    Function::new("tsquery_phrase", &[Q, Q, Int4], Q, at_distance),
    Function::new("querytree", &[Q], T, |_, a| {
        let shown = parse(text(a, 0)?)?;
        ok_text(match shown.as_ref() {
            None => String::new(),
            Some(search) => useful(search).map_or_else(|| "T".to_owned(), |useful| print(Some(&useful))),
        })
    }),
    Function::new("ts_rewrite", &[Q, Q, Q], Q, |_, a| {
        let (target, substitute) = (parse(text(a, 1)?)?, parse(text(a, 2)?)?);
        ok_text(print(rewrite(parse(text(a, 0)?)?, target.as_ref(), substitute.as_ref())?.as_ref()))
    }),
    Function::new("ts_rewrite", &[Q, T], Q, |_, _| {
        Err(Error::missing("ts_rewrite() by the rows of a select"))
    })
    .lax(),
    Function::new("ts_filter", &[V, TEXTS], V, filtered),
    Function::new("setweight", &[V, T, TEXTS], V, |_, a| {
        weighted_words(text(a, 0)?, text(a, 1)?, &super::arguments::texts(a, 2)?)
    }),
    Function::new("ts_lexize", &[T, T], TEXTS, lexized),
    Function::new("json_to_tsvector", &[T, J, B], V, |_, a| {
        chosen_vector(config(a)?, text(a, 1)?, text(a, 2)?)
    }),
    Function::new("json_to_tsvector", &[J, B], V, |_, a| chosen_vector(DEFAULT, text(a, 0)?, text(a, 1)?))
        .stable(),
    Function::new("jsonb_to_tsvector", &[T, B, B], V, |_, a| {
        chosen_vector(config(a)?, text(a, 1)?, text(a, 2)?)
    }),
    Function::new("jsonb_to_tsvector", &[B, B], V, |_, a| chosen_vector(DEFAULT, text(a, 0)?, text(a, 1)?))
        .stable(),
    Function::new("numnode", &[Q], Int4, |_, a| {
        super::arguments::count(parse(text(a, 0)?)?.as_ref().map_or(0, nodes))
    }),
    Function::new("ts_delete", &[V, T], V, |_, a| without(a, &[Some(text(a, 1)?)])),
    Function::new("ts_delete", &[V, TEXTS], V, |_, a| without(a, &super::arguments::texts(a, 1)?)),
    Function::new("tsvector_to_array", &[V], TEXTS, |_, a| {
        let words = Vector::parse(text(a, 0)?)?.0;
        Ok(super::arguments::list(words.into_keys().map(Value::text).collect()))
    }),
    Function::new("array_to_tsvector", &[TEXTS], V, of_words),
    Function::new("get_current_ts_config", &[], T, |_, _| ok_text("english")).stable(),
    Function::new("length", &[V], Int4, |_, a| super::arguments::count(Vector::parse(text(a, 0)?)?.0.len())),
];

const TEXTS: super::Ty = super::Ty::Array(&T);

pub(super) fn config(arguments: &[Value]) -> Result<Configuration> {
    let written = text(arguments, 0)?;
    let name = written.strip_prefix("pg_catalog.").unwrap_or(written).to_ascii_lowercase();
    match Configuration::named(&name) {
        Some(config) => Ok(config),
        None if words::CONFIGURATIONS.contains(&&*name) => {
            Err(Error::missing(format!("text search configuration \"{written}\"")))
        }
        None => Err(Error::new(
            Code::UNDEFINED_OBJECT,
            format!("text search configuration \"{written}\" does not exist"),
        )),
    }
}

fn vector(config: Configuration, text: &str) -> Result<Vector> {
    let mut vector = Vector::default();
    for (position, lexeme) in words::lexemes(config, text)? {
        if let Some(lexeme) = lexeme {
            vector.add(lexeme, position);
        }
    }
    Ok(vector)
}

/// The words of a document's strings, in its order: keys, numbers and booleans are none.
fn document_vector(config: Configuration, text: &str) -> Result<Value> {
    let document = json::parse(text, DEPTH_MAX)?;
    let mut strings = Vec::new();
    Parts { strings: true, ..Parts::default() }.collect(&document, &mut strings);
    vector_of(config, &strings)
}

/// The words of several texts. Between two is a gap.
fn vector_of(config: Configuration, texts: &[&str]) -> Result<Value> {
    let mut vector = Vector::default();
    let mut before = 0;
    for text in texts {
        let mut last = 0;
        let mut gap = 0;
        for (position, lexeme) in words::lexemes(config, text)? {
            last = position;
            if let Some(lexeme) = lexeme {
                vector.add(lexeme, before + position);
                gap = 1;
            }
        }
        before += last + gap;
    }
    ok_text(vector.to_string())
}

fn matches(vector: &Vector, search: &str) -> Result<Value> {
    Ok(Value::Bool(match parse(search)? {
        Some(search) => vector.matches(&search),
        None => false,
    }))
}

/// How the words of one operand are put together.
#[derive(Clone, Copy, PartialEq)]
enum Join {
    And,
    Phrase,
}

/// A text's words; stop words between them stay as gaps.
fn operand(config: Configuration, text: &str, join: Join, is_prefix: bool, weights: u8) -> Result<Tree> {
    let mut tree = None;
    let mut last = 0;
    let push = |tree: &mut Option<Tree>, leaf: Option<Search>| {
        let leaf = Tree::Leaf(leaf);
        *tree = Some(match (tree.take(), join) {
            (None, _) => leaf,
            (Some(left), Join::And) => Tree::And(Box::new(left), Box::new(leaf)),
            (Some(left), Join::Phrase) => Tree::Phrase(Box::new(left), 1, Box::new(leaf)),
        });
    };
    for (position, lexeme) in words::lexemes(config, text)? {
        let Some(text) = lexeme else { continue };
        if last > 0 {
            (last + 1..position).for_each(|_| push(&mut tree, None));
        }
        last = position;
        bounded(usize::try_from(position).unwrap_or(usize::MAX))?;
        push(&mut tree, Some(Search::Lexeme { text, is_prefix, weights }));
    }
    Ok(tree.unwrap_or(Tree::Leaf(None)))
}

fn plain(config: Configuration, text: &str, join: Join) -> Result<Value> {
    ok_text(print(cleaned(Some(operand(config, text, join, false, 0)?)).as_ref()))
}

fn written(config: Configuration, text: &str) -> Result<Value> {
    let mut found = Vec::new();
    // Operands become trees of their own: they are put in after the text is read.
    let tree = parse_with(text, &mut |word, is_prefix, weights| {
        found.push(operand(config, word, Join::Phrase, is_prefix, weights)?);
        Ok(None)
    })?;
    let mut found = found.into_iter();
    ok_text(print(cleaned(tree.map(|tree| filled(tree, &mut found))).as_ref()))
}

/// The leaves of a tree, replaced in the order in which they were read.
fn filled(tree: Tree, with: &mut impl Iterator<Item = Tree>) -> Tree {
    match tree {
        Tree::Leaf(leaf) => with.next().unwrap_or(Tree::Leaf(leaf)),
        Tree::Not(inner) => Tree::Not(Box::new(filled(*inner, with))),
        Tree::And(left, right) => {
            let left = filled(*left, with);
            Tree::And(Box::new(left), Box::new(filled(*right, with)))
        }
        Tree::Or(left, right) => {
            let left = filled(*left, with);
            Tree::Or(Box::new(left), Box::new(filled(*right, with)))
        }
        Tree::Phrase(left, distance, right) => {
            let left = filled(*left, with);
            Tree::Phrase(Box::new(left), distance, Box::new(filled(*right, with)))
        }
    }
}

/// `"a phrase" or -other`
fn web(config: Configuration, text: &str) -> Result<Value> {
    let mut either: Option<Tree> = None;
    let mut all: Option<Tree> = None;
    let mut rest = text;
    let (mut is_negated, mut terms) = (false, 0_usize);
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || "!&|():".contains(c));
        let Some(first) = rest.chars().next() else { break };
        let (term, behind, join) = match first {
            '"' => {
                let inner = &rest[1..];
                let (term, behind) = inner.split_once('"').unwrap_or((inner, ""));
                (term, behind, Join::Phrase)
            }
            '-' => {
                is_negated = true;
                rest = &rest[1..];
                continue;
            }
            _ => {
                let ends = |c: char| c.is_whitespace() || "\"!&|():".contains(c);
                let end = rest.find(ends).unwrap_or(rest.len());
                (&rest[..end], &rest[end..], Join::Phrase)
            }
        };
        let is_or = first != '"' && !is_negated && term.eq_ignore_ascii_case("or");
        if is_or && all.is_some() && !behind.trim().is_empty() {
            let left = all.take();
            either = match (either, left) {
                (Some(before), Some(left)) => Some(Tree::Or(Box::new(before), Box::new(left))),
                (before, left) => before.or(left),
            };
            rest = behind;
            continue;
        }
        terms += 1;
        bounded(terms)?;
        let tree = operand(config, term, join, false, 0)?;
        let tree = if is_negated { Tree::Not(Box::new(tree)) } else { tree };
        is_negated = false;
        all = Some(match all {
            None => tree,
            Some(left) => Tree::And(Box::new(left), Box::new(tree)),
        });
        rest = behind;
    }
    let tree = match (either, all) {
        (Some(before), Some(all)) => Some(Tree::Or(Box::new(before), Box::new(all))),
        (before, all) => before.or(all),
    };
    ok_text(print(cleaned(tree).as_ref()))
}

/// PostgreSQL's second argument is a `"char"`: the first letter counts.
fn weight_of(letter: &str) -> Result<u8> {
    let first = letter.chars().next().unwrap_or('\0');
    types::search::weight(first).ok_or_else(|| {
        let shown = match letter.bytes().next().unwrap_or(0) {
            byte @ b' '..=b'~' => char::from(byte).to_string(),
            byte => format!("\\{byte:03o}"),
        };
        super::arguments::invalid(format!("unrecognized weight: \"{shown}\""))
    })
}

fn weighted(vector: &str, letter: &str) -> Result<Value> {
    let mut vector = Vector::parse(vector)?;
    let weight = weight_of(letter)?;
    vector.0.values_mut().flatten().for_each(|(_, old)| *old = weight);
    ok_text(vector.to_string())
}

/// The same of these words alone.
fn weighted_words(vector: &str, letter: &str, words: &[Option<&str>]) -> Result<Value> {
    let mut vector = Vector::parse(vector)?;
    let weight = weight_of(letter)?;
    for word in words.iter().flatten() {
        let positions = vector.0.get_mut(*word).into_iter().flatten();
        positions.for_each(|(_, old)| *old = weight);
    }
    ok_text(vector.to_string())
}

/// Words at places of these weights, without the others.
fn filtered(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let mut vector = Vector::parse(text(arguments, 0)?)?;
    let mut weights = Vec::new();
    for letter in super::arguments::texts(arguments, 1)? {
        let null = || Error::new(Code::NULL_NOT_ALLOWED, "weight array may not contain nulls");
        weights.push(weight_of(letter.ok_or_else(null)?)?);
    }
    vector.0.values_mut().for_each(|positions| positions.retain(|(_, weight)| weights.contains(weight)));
    vector.0.retain(|_, positions| !positions.is_empty());
    ok_text(vector.to_string())
}

/// What a dictionary makes of a word: nothing where it is left out.
fn lexized(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let written = text(arguments, 0)?;
    let name = written.strip_prefix("pg_catalog.").unwrap_or(written);
    let Some(config) = Configuration::named(name.strip_suffix("_stem").unwrap_or(name)) else {
        let message = format!("text search dictionary \"{written}\" does not exist");
        return Err(Error::new(Code::UNDEFINED_OBJECT, message));
    };
    let word = super::text::lower(text(arguments, 1)?);
    let lexeme = if word.is_empty() { None } else { config.word(&word)? };
    Ok(super::arguments::list(lexeme.into_iter().map(Value::text).collect()))
}

/// Whether all words of a condition are words of another.
fn has_all(of: &str, words: &str) -> Result<Value> {
    let (of, words) = (parse(of)?, parse(words)?);
    let texts = |search: &Option<Search>| -> BTreeSet<String> {
        let leaves = search.iter().flat_map(Search::leaves);
        leaves
            .filter_map(|leaf| match leaf {
                Search::Lexeme { text, .. } => Some(text.clone()),
                _ => None,
            })
            .collect()
    };
    Ok(Value::Bool(texts(&words).is_subset(&texts(&of))))
}

/// The part of a condition that an index could look for: what is negated is none, and what it is an alternative to neither.
fn useful(search: &Search) -> Option<Search> {
    match search {
        Search::Lexeme { .. } => Some(search.clone()),
        Search::Not(_) => None,
        Search::Or(left, right) => Some(Search::Or(Box::new(useful(left)?), Box::new(useful(right)?))),
        Search::And(left, right) => match (useful(left), useful(right)) {
            (Some(left), Some(right)) => Some(Search::And(Box::new(left), Box::new(right))),
            (left, right) => left.or(right),
        },
        Search::Phrase(left, distance, right) => match (useful(left), useful(right)) {
            (Some(left), Some(right)) => Some(Search::Phrase(Box::new(left), *distance, Box::new(right))),
            (left, right) => left.or(right),
        },
    }
}

fn at_distance(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let distance = u32::try_from(int(arguments, 2)?).ok().filter(|distance| *distance <= 16_384);
    let distance = distance.ok_or_else(|| {
        super::arguments::invalid(
            "distance in phrase operator must be an integer value between zero and 16384 inclusive",
        )
    })?;
    let both = match (parse(text(arguments, 0)?)?, parse(text(arguments, 1)?)?) {
        (Some(left), Some(right)) => Some(Search::Phrase(Box::new(left), distance, Box::new(right))),
        (left, right) => left.or(right),
    };
    ok_text(print(both.as_ref()))
}

/// Which parts of a document are looked at.
#[derive(Clone, Copy, Default)]
struct Parts {
    keys: bool,
    strings: bool,
    numbers: bool,
    booleans: bool,
}

impl Parts {
    fn parse(filter: &str) -> Result<Parts> {
        const HINT: &str = "Possible values are: \"string\", \"numeric\", \"boolean\", \"key\", and \"all\".";
        let words = match json::parse(filter, DEPTH_MAX)? {
            Json::Object(_) => {
                return Err(super::arguments::invalid(
                    "wrong flag type, only arrays and scalars are allowed",
                ));
            }
            Json::Array(words) => words,
            word => vec![word],
        };
        let mut parts = Parts::default();
        for word in words {
            if matches!(word, Json::Array(_) | Json::Object(_)) {
                return Err(Error::new(Code::INTERNAL, "unexpected end of flag array"));
            }
            let Json::String(word) = word else {
                let error = super::arguments::invalid("flag array element is not a string");
                return Err(error.with_hint(HINT));
            };
            match word.to_ascii_lowercase().as_str() {
                "all" => parts = Parts { keys: true, strings: true, numbers: true, booleans: true },
                "key" => parts.keys = true,
                "string" => parts.strings = true,
                "numeric" => parts.numbers = true,
                "boolean" => parts.booleans = true,
                _ => {
                    let error = super::arguments::invalid(format!("wrong flag in flag array: \"{word}\""));
                    return Err(error.with_hint(HINT));
                }
            }
        }
        Ok(parts)
    }

    fn collect<'d>(self, document: &'d Json, found: &mut Vec<&'d str>) {
        match document {
            Json::String(string) if self.strings => found.push(string),
            Json::Number(number) if self.numbers => found.push(number),
            Json::Bool(value) if self.booleans => found.push(if *value { "true" } else { "false" }),
            Json::Array(elements) => elements.iter().for_each(|element| self.collect(element, found)),
            Json::Object(fields) => {
                for (key, value) in fields {
                    if self.keys {
                        found.push(key);
                    }
                    self.collect(value, found);
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
        }
    }
}

fn chosen_vector(config: Configuration, text: &str, filter: &str) -> Result<Value> {
    let document = json::parse(text, DEPTH_MAX)?;
    let mut found = Vec::new();
    Parts::parse(filter)?.collect(&document, &mut found);
    vector_of(config, &found)
}

fn concatenated(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (mut left, right) = (Vector::parse(text(arguments, 0)?)?, Vector::parse(text(arguments, 1)?)?);
    let last = left.0.values().flatten().map(|(position, _)| *position).max().unwrap_or(0);
    for (lexeme, positions) in right.0 {
        let all = left.0.entry(lexeme).or_default();
        for (position, weight) in positions {
            let moved = (position + last).min(types::search::POSITION_MAX);
            if all.last().is_none_or(|(before, _)| *before < moved) {
                all.push((moved, weight));
            }
        }
    }
    ok_text(left.to_string())
}

/// Words and operators.
fn nodes(search: &Search) -> usize {
    match search {
        Search::Lexeme { .. } => 1,
        Search::Not(inner) => 1 + nodes(inner),
        Search::And(left, right) | Search::Or(left, right) | Search::Phrase(left, _, right) => {
            1 + nodes(left) + nodes(right)
        }
    }
}

fn without(arguments: &[Value], words: &[Option<&str>]) -> Result<Value> {
    let mut vector = Vector::parse(text(arguments, 0)?)?;
    words.iter().flatten().for_each(|word| drop(vector.0.remove(*word)));
    ok_text(vector.to_string())
}

fn of_words(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let mut vector = Vector::default();
    for word in super::arguments::texts(arguments, 0)? {
        match word {
            None => {
                return Err(Error::new(Code::NULL_NOT_ALLOWED, "lexeme array may not contain nulls"));
            }
            Some("") => {
                let message = "lexeme array may not contain empty strings";
                return Err(Error::new(Code::ZERO_LENGTH_CHARACTER_STRING, message));
            }
            Some(word) => drop(vector.0.entry(word.to_owned()).or_default()),
        }
    }
    ok_text(vector.to_string())
}

fn combined(arguments: &[Value], join: fn(Box<Search>, Box<Search>) -> Search) -> Result<Value> {
    let both = match (parse(text(arguments, 0)?)?, parse(text(arguments, 1)?)?) {
        (Some(left), Some(right)) => Some(join(Box::new(left), Box::new(right))),
        (left, right) => left.or(right),
    };
    ok_text(print(both.as_ref()))
}
