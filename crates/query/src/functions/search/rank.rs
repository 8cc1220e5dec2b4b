//! How well a text fits a search: `ts_rank` by how often and how near to each other its words stand, `ts_rank_cd` by the
//! stretches of text that meet the whole search (PostgreSQL 12.3.3). Sums are rounded where PostgreSQL rounds them.

use std::collections::BTreeSet;

use types::search::{POSITION_MAX, Search, Vector, parse};
use types::{Code, Error, Result, Value};

use super::super::Function;
use super::super::Ty::{self, Float4 as F, Int4 as I, Tsquery as Q, Tsvector as V};
use super::super::arguments::{array, int, invalid, text};

const WEIGHTS: Ty = Ty::Array(&F);

pub(in super::super) static ROWS: &[Function] = &[
    Function::new("ts_rank", &[WEIGHTS, V, Q, I], F, |_, a| rank(weights(a)?, &a[1..])).optional(1),
    Function::new("ts_rank", &[V, Q, I], F, |_, a| rank(DEFAULT, a)).optional(1),
    Function::new("ts_rank_cd", &[WEIGHTS, V, Q, I], F, |_, a| rank_covers(weights(a)?, &a[1..])).optional(1),
    Function::new("ts_rank_cd", &[V, Q, I], F, |_, a| rank_covers(DEFAULT, a)).optional(1),
];

/// What a word of the weights `D` to `A` counts.
type Weights = [f32; 4];

const DEFAULT: Weights = [0.1, 0.2, 0.4, 1.0];

/// Bits of how a rank is divided.
mod divided {
    pub(super) const BY_LOG_OF_LENGTH: i64 = 1;
    pub(super) const BY_LENGTH: i64 = 2;
    pub(super) const BY_DISTANCE: i64 = 4;
    pub(super) const BY_WORDS: i64 = 8;
    pub(super) const BY_LOG_OF_WORDS: i64 = 16;
    pub(super) const BY_ITSELF_AND_ONE: i64 = 32;
}

#[expect(clippy::cast_possible_truncation, reason = "PostgreSQL sums in single precision")]
fn single(number: f64) -> f32 {
    number as f32
}

#[expect(clippy::cast_precision_loss, reason = "a document has fewer words")]
fn double(count: usize) -> f64 {
    count as f64
}

fn weights(arguments: &[Value]) -> Result<Weights> {
    let given = array(arguments, 0)?;
    let wrong = |message: &str| Error::new(Code::ARRAY_SUBSCRIPT, message);
    if given.dimensions.len() != 1 {
        return Err(wrong("array of weight must be one-dimensional"));
    }
    if given.elements.len() < DEFAULT.len() {
        return Err(wrong("array of weight is too short"));
    }
    let mut weights = DEFAULT;
    if given.elements.iter().any(Value::is_null) {
        return Err(Error::new(Code::NULL_NOT_ALLOWED, "array of weight must not contain nulls"));
    }
    for (weight, given) in weights.iter_mut().zip(&given.elements) {
        if let Value::Float(number) = given {
            *weight = if *number >= 0.0 { single(*number) } else { *weight };
        }
        if *weight > 1.0 {
            return Err(invalid("weight out of range"));
        }
    }
    Ok(weights)
}

/// A vector, a search and how the rank is divided.
fn read(arguments: &[Value]) -> Result<(Vector, Option<Search>, i64)> {
    let method = if arguments.len() > 2 { int(arguments, 2)? } else { 0 };
    Ok((Vector::parse(text(arguments, 0)?)?, parse(text(arguments, 1)?)?, method))
}

/// Words that a search asks for, each once, in order, and whether as the beginning of others.
fn wanted(search: &Search) -> BTreeSet<(&str, bool)> {
    let mut words = BTreeSet::new();
    collect(search, &mut words);
    let mut last = None;
    words.retain(|(word, _)| last.replace(*word) != Some(*word));
    words
}

fn collect<'s>(search: &'s Search, words: &mut BTreeSet<(&'s str, bool)>) {
    match search {
        Search::Lexeme { text, is_prefix, .. } => {
            words.insert((text, *is_prefix));
        }
        Search::Not(inner) => collect(inner, words),
        Search::And(left, right) | Search::Or(left, right) | Search::Phrase(left, _, right) => {
            collect(left, words);
            collect(right, words);
        }
    }
}

/// Where a word stands; one of which that is not known stands behind everything.
struct Places {
    at: Vec<(u32, u8)>,
    is_known: bool,
}

fn places(vector: &Vector, (word, is_prefix): (&str, bool)) -> Vec<Places> {
    let found = vector.found(word, is_prefix);
    let place = |at: &Vec<(u32, u8)>| match at.is_empty() {
        true => Places { at: vec![(POSITION_MAX, 0)], is_known: false },
        false => Places { at: at.clone(), is_known: true },
    };
    found.map(place).collect()
}

/// Words of a text: occurrences, those whose places are not known once.
fn length(vector: &Vector) -> usize {
    vector.0.values().map(|positions| positions.len().max(1)).sum()
}

fn rank(weights: Weights, arguments: &[Value]) -> Result<Value> {
    let (vector, search, method) = read(arguments)?;
    let Some(search) = search.filter(|_| !vector.0.is_empty()) else { return Ok(Value::Float(0.0)) };
    let mut rank = match search {
        Search::And(..) | Search::Phrase(..) => near(&weights, &vector, &search),
        Search::Lexeme { .. } | Search::Not(_) | Search::Or(..) => often(&weights, &vector, &search),
    };
    if rank < 0.0 {
        rank = 1e-20;
    }
    let (length, words) = (length(&vector), vector.0.len());
    if method & divided::BY_LOG_OF_LENGTH != 0 {
        rank = single(f64::from(rank) / (double(length + 1).ln() / 2.0_f64.ln()));
    }
    if method & divided::BY_LENGTH != 0 {
        rank /= single(double(length));
    }
    if method & divided::BY_WORDS != 0 {
        rank /= single(double(words));
    }
    if method & divided::BY_LOG_OF_WORDS != 0 {
        rank = single(f64::from(rank) / (double(words + 1).ln() / 2.0_f64.ln()));
    }
    if method & divided::BY_ITSELF_AND_ONE != 0 {
        rank /= rank + 1.0;
    }
    Ok(Value::Float(rank.into()))
}

/// The sum of the inverse squares.
const ALL_SQUARES: f64 = 1.644_934_066_85;

/// By how often each word occurs: the n-th time counts the n-th part squared, the heaviest counts whole.
fn often(weights: &Weights, vector: &Vector, search: &Search) -> f32 {
    let words = wanted(search);
    let mut rank = 0.0_f32;
    for word in &words {
        for places in places(vector, *word) {
            let (mut sum, mut heaviest, mut at) = (0.0_f32, -1.0_f32, 1.0_f32);
            let mut number = 0.0_f32;
            for (_, weight) in &places.at {
                number += 1.0;
                let weight = weights[usize::from(*weight & 3)];
                sum += weight / (number * number);
                if weight > heaviest {
                    (heaviest, at) = (weight, number);
                }
            }
            rank = single(f64::from(rank) + f64::from(heaviest + sum - heaviest / (at * at)) / ALL_SQUARES);
        }
    }
    if words.is_empty() { rank } else { rank / single(double(words.len())) }
}

/// What two words so far apart have to do with each other.
fn closeness(apart: u32) -> f32 {
    if apart > 100 {
        return 1e-30;
    }
    let apart = single(f64::from(apart));
    single(1.0 / (1.005 + 0.05 * (f64::from(apart) / 1.5 - 2.0).exp()))
}

/// By how near to each other the words stand; less than nothing where no two of them are there.
fn near(weights: &Weights, vector: &Vector, search: &Search) -> f32 {
    let words = wanted(search);
    if words.len() < 2 {
        return often(weights, vector, search);
    }
    let mut rank = -1.0_f32;
    let mut before: Vec<Places> = Vec::new();
    for word in words {
        let mut last = None;
        for here in places(vector, word) {
            for other in &before {
                joined(weights, &here, other, &mut rank);
            }
            last = Some(here);
        }
        before.extend(last);
    }
    rank
}

fn joined(weights: &Weights, here: &Places, other: &Places, rank: &mut f32) {
    let is_known = here.is_known && other.is_known;
    for (position, weight) in &here.at {
        for (before, other) in &other.at {
            let apart = match position.abs_diff(*before) {
                0 if is_known => continue,
                0 => POSITION_MAX + 1,
                apart => apart,
            };
            let both =
                weights[usize::from(*weight & 3)] * weights[usize::from(*other & 3)] * closeness(apart);
            let weight = single(f64::from(both).sqrt());
            *rank = if *rank < 0.0 {
                weight
            } else {
                single(1.0 - (1.0 - f64::from(*rank)) * (1.0 - f64::from(weight)))
            };
        }
    }
}

/// A place of the text where words that are wanted stand.
struct Entry<'v> {
    position: u32,
    weight: u8,
    words: Vec<&'v str>,
}

/// The places that a search asks for, in order.
fn document<'v>(vector: &'v Vector, search: &Search) -> Vec<Entry<'v>> {
    let mut found: BTreeSet<(u32, u8, &str)> = BTreeSet::new();
    each_word(search, &mut |word, is_prefix, weights| {
        for (lexeme, positions) in vector.named(word, is_prefix) {
            let fits = |weight: u8| weights == 0 || weights >> weight & 1 == 1;
            let places = positions.iter().filter(|(_, weight)| fits(*weight));
            found.extend(places.map(|(position, weight)| (*position, *weight, lexeme)));
        }
    });
    let mut entries: Vec<Entry<'v>> = Vec::new();
    for (position, weight, lexeme) in found {
        let word = vector.0.get_key_value(lexeme).map_or("", |(word, _)| word.as_str());
        match entries.last_mut() {
            Some(last) if (last.position, last.weight) == (position, weight) => last.words.push(word),
            _ => entries.push(Entry { position, weight, words: vec![word] }),
        }
    }
    entries
}

fn each_word(search: &Search, take: &mut dyn FnMut(&str, bool, u8)) {
    match search {
        Search::Lexeme { text, is_prefix, weights } => take(text, *is_prefix, *weights),
        Search::Not(inner) => each_word(inner, take),
        Search::And(left, right) | Search::Or(left, right) | Search::Phrase(left, _, right) => {
            each_word(left, take);
            each_word(right, take);
        }
    }
}

/// Adds an entry to a text of which only some are looked at.
fn reveal(seen: &mut Vector, entry: &Entry<'_>) {
    for word in &entry.words {
        let positions = seen.0.entry((*word).to_owned()).or_default();
        let at = positions.partition_point(|(position, _)| *position < entry.position);
        positions.insert(at, (entry.position, entry.weight));
    }
}

/// The next stretch from an entry on that meets a search: its first and its last entry.
fn cover(entries: &[Entry<'_>], from: usize, search: &Search) -> Result<Option<(usize, usize)>> {
    let mut seen = Vector::default();
    for (end, entry) in entries.iter().enumerate().skip(from) {
        reveal(&mut seen, entry);
        if !seen.matches(search) {
            continue;
        }
        let mut seen = Vector::default();
        for begin in (from..=end).rev() {
            reveal(&mut seen, &entries[begin]);
            if seen.matches(search) {
                return Ok(Some((begin, end)));
            }
        }
        return Ok(Some((end, end)));
    }
    Ok(None)
}

fn rank_covers(weights: Weights, arguments: &[Value]) -> Result<Value> {
    let (vector, search, method) = read(arguments)?;
    let Some(search) = search.filter(|_| !vector.0.is_empty()) else { return Ok(Value::Float(0.0)) };
    let entries = document(&vector, &search);
    let (mut rank, mut from) = (0.0, 0);
    let (mut covers, mut distances, mut last) = (0_usize, 0.0, 0.0);
    while let Some((begin, end)) = cover(&entries, from, &search)? {
        let words = entries.get(begin..=end).unwrap_or_default();
        let inverse: f64 =
            words.iter().map(|entry| 1.0 / f64::from(weights[usize::from(entry.weight & 3)])).sum();
        let apart = usize::try_from(entries[end].position - entries[begin].position).unwrap_or(0);
        let noise = apart.checked_sub(end - begin).unwrap_or((end - begin) / 2);
        rank += double(words.len()) / inverse / double(1 + noise);
        let middle = f64::from(entries[end].position + entries[begin].position) / 2.0;
        if covers > 0 && middle > last {
            distances += 1.0 / (middle - last);
        }
        (last, covers, from) = (middle, covers + 1, begin + 1);
    }
    let (length, words) = (length(&vector), vector.0.len());
    if method & divided::BY_LOG_OF_LENGTH != 0 {
        rank /= double(length + 1).ln();
    }
    if method & divided::BY_LENGTH != 0 {
        rank /= double(length);
    }
    if method & divided::BY_DISTANCE != 0 && covers > 0 && distances > 0.0 {
        rank /= double(covers) / distances;
    }
    if method & divided::BY_WORDS != 0 {
        rank /= double(words);
    }
    if method & divided::BY_LOG_OF_WORDS != 0 {
        rank /= double(words + 1).ln() / 2.0_f64.ln();
    }
    if method & divided::BY_ITSELF_AND_ONE != 0 {
        rank /= rank + 1.0;
    }
    Ok(Value::Float(single(rank).into()))
}
