//! `fuzzystrmatch`: distances between texts, and how words sound.

use types::{Result, Value};

use super::super::Ty::{Int4 as I, Text as T};
use super::super::arguments::{count, int, invalid, ok_text, text};
use super::super::{Context, Function};

const EXTENSION: &str = "fuzzystrmatch";

pub(in super::super) static ROWS: &[Function] = &[
    Function::new("levenshtein", &[T, T], I, |_, a| distance(a, [1; 3], None)).of(EXTENSION),
    Function::new("levenshtein", &[T, T, I, I, I], I, |_, a| distance(a, costs(a)?, None)).of(EXTENSION),
    Function::new("levenshtein_less_equal", &[T, T, I], I, |_, a| distance(a, [1; 3], Some(int(a, 2)?)))
        .of(EXTENSION),
    Function::new("levenshtein_less_equal", &[T, T, I, I, I, I], I, |_, a| {
        distance(a, costs(a)?, Some(int(a, 5)?))
    })
    .of(EXTENSION),
    Function::new("soundex", &[T], T, |_, a| ok_text(sound(text(a, 0)?))).of(EXTENSION),
    Function::new("text_soundex", &[T], T, |_, a| ok_text(sound(text(a, 0)?))).of(EXTENSION),
    Function::new("difference", &[T, T], I, difference).of(EXTENSION),
];

/// Longest text, in characters.
const LENGTH_MAX: usize = 255;

/// What an insertion, a deletion and a substitution cost.
fn costs(arguments: &[Value]) -> Result<[i64; 3]> {
    Ok([int(arguments, 2)?, int(arguments, 3)?, int(arguments, 4)?])
}

/// Beyond the most that is asked for, all distances are one more than that.
fn distance(arguments: &[Value], [insert, delete, change]: [i64; 3], most: Option<i64>) -> Result<Value> {
    let characters = |position| text(arguments, position).map(|text| text.chars().collect::<Vec<char>>());
    let (from, to) = (characters(0)?, characters(1)?);
    if from.len().max(to.len()) > LENGTH_MAX {
        return Err(invalid(format!(
            "levenshtein argument exceeds maximum length of {LENGTH_MAX} characters"
        )));
    }
    let mut row: Vec<i64> = Vec::with_capacity(to.len() + 1);
    let mut cost = 0;
    for _ in 0..=to.len() {
        row.push(cost);
        cost += insert;
    }
    for old in &from {
        let mut diagonal = row[0];
        row[0] += delete;
        for (at, new) in to.iter().enumerate() {
            let changed = diagonal + if old == new { 0 } else { change };
            diagonal = row[at + 1];
            row[at + 1] = changed.min(diagonal + delete).min(row[at] + insert);
        }
    }
    let found = row.last().copied().unwrap_or(0);
    let beyond = most.filter(|most| *most >= 0 && found > *most).map(|most| most + 1);
    Ok(Value::Int(beyond.unwrap_or(found)))
}

/// The digit of each letter.
const DIGITS: &[u8; 26] = b"01230120022455012623010202";

fn digit(letter: u8) -> u8 {
    let upper = letter.to_ascii_uppercase();
    let at = upper.checked_sub(b'A').map(usize::from);
    at.and_then(|at| DIGITS.get(at)).copied().unwrap_or(upper)
}

/// The first letter and three digits; nothing for a text without letters.
fn sound(text: &str) -> String {
    let letters = text.as_bytes();
    let Some(first) = letters.iter().position(u8::is_ascii_alphabetic) else { return String::new() };
    let mut out = char::from(letters[first]).to_ascii_uppercase().to_string();
    for pair in letters[first..].windows(2) {
        let [before, letter] = pair else { break };
        let code = digit(*letter);
        if out.len() < 4 && letter.is_ascii_alphabetic() && code != digit(*before) && code != b'0' {
            out.push(char::from(code));
        }
    }
    format!("{out:0<4}")
}

/// How many characters of both sounds are alike.
fn difference(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (left, right) = (sound(text(arguments, 0)?), sound(text(arguments, 1)?));
    count(left.bytes().zip(right.bytes()).filter(|(left, right)| left == right).count())
}
