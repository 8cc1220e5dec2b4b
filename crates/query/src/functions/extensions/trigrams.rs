//! `pg_trgm`: how alike texts are, by the groups of three characters that they share.

use std::collections::BTreeMap;

use types::session::Session;
use types::{Result, Value};

use super::super::Ty::{self, Bool, Float4 as F, Text as T};
use super::super::arguments::{float, invalid, list, text};
use super::super::text::lower;
use super::super::{Context, Function};

/// Two texts and how alike they are: by their words, or one in the words of the other.
macro_rules! rows {
    ($($name:literal $eval:expr;)* operators: $($symbol:literal $result:ident $op:expr;)*) => {
        &[
            $(Function::new($name, &[T, T], F, $eval).of("pg_trgm"),)*
            $(Function::operator($symbol, &[T, T], $result, $op).stable().of("pg_trgm"),)*
            Function::new("show_trgm", &[T], Ty::Array(&T), shown).of("pg_trgm"),
            Function::new("show_limit", &[], F, |c, _| Ok(Value::Float(types::text::single(SIMILARITY.of(c.session)))))
                .stable()
                .of("pg_trgm"),
            Function::new("set_limit", &[F], F, set_limit).volatile().of("pg_trgm"),
        ]
    };
}

pub(in super::super) static ROWS: &[Function] = rows! {
    "similarity" |_, a| alike(a, similarity);
    "word_similarity" |_, a| alike(a, plain);
    "strict_word_similarity" |_, a| alike(a, strict);
    operators:
    "%" Bool |c, a| reaches(c, a, similarity, &SIMILARITY);
    "<%" Bool |c, a| reaches(c, a, plain, &WORD);
    "%>" Bool |c, a| reaches(c, a, |a, b| plain(b, a), &WORD);
    "<<%" Bool |c, a| reaches(c, a, strict, &STRICT);
    "%>>" Bool |c, a| reaches(c, a, |a, b| strict(b, a), &STRICT);
    "<->" F |_, a| distance(a, similarity);
    "<<->" F |_, a| distance(a, plain);
    "<->>" F |_, a| distance(a, |a, b| plain(b, a));
    "<<<->" F |_, a| distance(a, strict);
    "<->>>" F |_, a| distance(a, |a, b| strict(b, a));
};

/// A setting that says how alike is alike enough.
struct Threshold(&'static str, f64);

const SIMILARITY: Threshold = Threshold("pg_trgm.similarity_threshold", 0.3);
const WORD: Threshold = Threshold("pg_trgm.word_similarity_threshold", 0.6);
const STRICT: Threshold = Threshold("pg_trgm.strict_word_similarity_threshold", 0.5);

impl Threshold {
    fn of(&self, session: &Session) -> f64 {
        session.settings.get(self.0).and_then(|value| value.trim().parse().ok()).unwrap_or(self.1)
    }
}

type Measure = fn(&str, &str) -> f32;

fn alike(arguments: &[Value], measure: Measure) -> Result<Value> {
    Ok(Value::Float(measure(text(arguments, 0)?, text(arguments, 1)?).into()))
}

fn distance(arguments: &[Value], measure: Measure) -> Result<Value> {
    Ok(Value::Float((1.0 - measure(text(arguments, 0)?, text(arguments, 1)?)).into()))
}

fn reaches(
    context: &Context<'_>,
    arguments: &[Value],
    measure: Measure,
    threshold: &Threshold,
) -> Result<Value> {
    let found = f64::from(measure(text(arguments, 0)?, text(arguments, 1)?));
    Ok(Value::Bool(found >= threshold.of(context.session)))
}

fn set_limit(context: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let limit = float(arguments, 0)?;
    if !(0.0..=1.0).contains(&limit) {
        let (name, limit) = (SIMILARITY.0, types::text::print_float(limit, true));
        return Err(invalid(format!("{limit} is outside the valid range for parameter \"{name}\" (0 .. 1)")));
    }
    context.session.settings.set(SIMILARITY.0, &types::text::print_float(limit, true))?;
    Ok(Value::Float(limit))
}

/// Three bytes in the order that PostgreSQL compares them in: as signed numbers.
type Trigram = [i8; 3];

/// A trigram of a text, and whether it begins or ends a word.
struct Place {
    trigram: Trigram,
    begins: bool,
    ends: bool,
}

/// The trigrams in a text's order: of each word, with two spaces before it and one behind.
fn trigrams(text: &str) -> Vec<Place> {
    let mut out = Vec::new();
    let text = lower(text);
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let padded: Vec<char> = "  ".chars().chain(word.chars()).chain([' ']).collect();
        let last = padded.len() - 3;
        out.extend(padded.windows(3).enumerate().map(|(at, three)| Place {
            trigram: trigram(three),
            begins: at == 0,
            ends: at == last,
        }));
    }
    out
}

/// Three characters in three bytes; those that are longer by a checksum.
fn trigram(characters: &[char]) -> Trigram {
    let bytes = characters.iter().collect::<String>().into_bytes();
    let short = match <[u8; 3]>::try_from(&bytes[..]) {
        Ok(short) => short,
        Err(_) => {
            let [first, second, third, _] = types::crc::legacy(&bytes).to_le_bytes();
            [first, second, third]
        }
    };
    short.map(u8::cast_signed)
}

fn distinct(text: &str) -> Vec<Trigram> {
    let mut all: Vec<Trigram> = trigrams(text).into_iter().map(|place| place.trigram).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn shown(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let print = |trigram: Trigram| {
        let bytes = trigram.map(i8::cast_unsigned);
        let is_shown = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b' ';
        if bytes.iter().all(is_shown) {
            Value::text(bytes.map(char::from).iter().collect::<String>())
        } else {
            Value::text(format!("0x{:02x}{:02x}{:02x}", bytes[0], bytes[1], bytes[2]))
        }
    };
    Ok(list(distinct(text(arguments, 0)?).into_iter().map(print).collect()))
}

/// The share of what two sets have in common.
#[expect(clippy::cast_precision_loss, reason = "PostgreSQL divides in single precision")]
fn share(common: usize, left: usize, right: usize) -> f32 {
    common as f32 / (left + right - common) as f32
}

fn similarity(left: &str, right: &str) -> f32 {
    let (left, right) = (distinct(left), distinct(right));
    if left.is_empty() || right.is_empty() {
        return 0.0;
    }
    let common = left.iter().filter(|trigram| right.binary_search(trigram).is_ok()).count();
    share(common, left.len(), right.len())
}

fn plain(part: &str, whole: &str) -> f32 {
    in_words(part, whole, false)
}

fn strict(part: &str, whole: &str) -> f32 {
    in_words(part, whole, true)
}

/// The extent of the second text that is under consideration, and the trigrams in it.
struct Extent {
    lower: Option<usize>,
    /// Trigrams in it, each once, and those of them that are wanted.
    held: usize,
    common: usize,
    /// Where each trigram was last seen.
    last: Vec<Option<usize>>,
}

/// The greatest similarity of a text and an extent of another; a strict one consists of whole words.
fn in_words(part: &str, whole: &str, is_strict: bool) -> f32 {
    let wanted = distinct(part);
    let places = trigrams(whole);
    let mut numbers: BTreeMap<Trigram, usize> = BTreeMap::new();
    for place in &places {
        let next = numbers.len();
        numbers.entry(place.trigram).or_insert(next);
    }
    let mut is_wanted = vec![false; numbers.len()];
    for (trigram, number) in &numbers {
        is_wanted[*number] = wanted.binary_search(trigram).is_ok();
    }
    let order: Vec<usize> = places.iter().map(|place| numbers[&place.trigram]).collect();
    let mut extent =
        Extent { lower: is_strict.then_some(0), held: 0, common: 0, last: vec![None; numbers.len()] };
    let mut best = 0.0_f32;
    for (at, number) in order.iter().copied().enumerate() {
        if extent.lower.is_some() || is_wanted[number] {
            if extent.last[number].is_none() {
                extent.held += 1;
                extent.common += usize::from(is_wanted[number]);
            }
            extent.last[number] = Some(at);
        }
        if if is_strict { places[at].ends } else { is_wanted[number] } {
            let lower = *extent.lower.get_or_insert(at);
            if lower == at && !is_strict {
                extent.held = 1;
            }
            let begins = |at: usize| !is_strict || places[at].begins;
            best = best.max(narrowed(&mut extent, (lower, at), &order, (&is_wanted, wanted.len()), begins));
        }
    }
    best
}

/// Moves the beginning of an extent to where it is most alike, and says how alike that is.
fn narrowed(
    extent: &mut Extent,
    (lower, upper): (usize, usize),
    order: &[usize],
    (is_wanted, wanted): (&[bool], usize),
    begins: impl Fn(usize) -> bool,
) -> f32 {
    let mut best = share(extent.common, wanted, extent.held);
    let (mut held, mut common) = (extent.held, extent.common);
    let mut chosen = lower;
    for (at, number) in order.iter().copied().enumerate().take(upper + 1).skip(lower) {
        if begins(at) {
            let found = share(common, wanted, held);
            if found > best {
                best = found;
                chosen = at;
                (extent.held, extent.common) = (held, common);
            }
        }
        if extent.last[number] == Some(at) {
            held -= 1;
            common -= usize::from(is_wanted[number]);
        }
    }
    for (at, number) in order.iter().copied().enumerate().take(chosen).skip(lower) {
        if extent.last[number] == Some(at) {
            extent.last[number] = None;
        }
    }
    extent.lower = Some(chosen);
    best
}
