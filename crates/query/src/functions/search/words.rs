//! The words of a text: PostgreSQL's default parser over words, numbers and compounds, and its dictionaries.
//!
//! What its parser sees besides (addresses, paths, tags, versions) is refused by name.

use crate::functions::interrupt::Steps;
use rust_stemmers::{Algorithm, Stemmer};
use types::{Error, Result};

use super::stop_words;

/// Which dictionaries words go through: a row of [`LANGUAGES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Configuration(&'static str);

/// What a database has by default.
pub(super) const DEFAULT: Configuration = Configuration("english");

/// A language: how its words are brought to their stems, and which are left out.
struct Language {
    name: &'static str,
    algorithm: Algorithm,
    stop_words: &'static [&'static str],
}

const fn language(name: &'static str, algorithm: Algorithm, stop_words: &'static [&'static str]) -> Language {
    Language { name, algorithm, stop_words }
}

/// The languages whose stems are PostgreSQL's.
const LANGUAGES: &[Language] = &[
    language("english", Algorithm::English, stop_words::ENGLISH),
    language("arabic", Algorithm::Arabic, &[]),
    language("danish", Algorithm::Danish, stop_words::DANISH),
    language("dutch", Algorithm::Dutch, stop_words::DUTCH),
    language("finnish", Algorithm::Finnish, stop_words::FINNISH),
    language("french", Algorithm::French, stop_words::FRENCH),
    language("german", Algorithm::German, stop_words::GERMAN),
    language("greek", Algorithm::Greek, &[]),
    language("hungarian", Algorithm::Hungarian, stop_words::HUNGARIAN),
    language("italian", Algorithm::Italian, stop_words::ITALIAN),
    language("norwegian", Algorithm::Norwegian, stop_words::NORWEGIAN),
    language("portuguese", Algorithm::Portuguese, stop_words::PORTUGUESE),
    language("romanian", Algorithm::Romanian, &[]),
    language("russian", Algorithm::Russian, stop_words::RUSSIAN),
    language("spanish", Algorithm::Spanish, stop_words::SPANISH),
    language("swedish", Algorithm::Swedish, stop_words::SWEDISH),
    language("tamil", Algorithm::Tamil, &[]),
    language("turkish", Algorithm::Turkish, stop_words::TURKISH),
];

impl Configuration {
    /// The configuration of a name; `None` where there is none, or none here.
    pub(super) fn named(name: &str) -> Option<Configuration> {
        if name == "simple" {
            return Some(Configuration("simple"));
        }
        LANGUAGES.iter().find(|language| language.name == name).map(|language| Configuration(language.name))
    }

    /// The language of a word. Russian texts have English words in them.
    fn language(self, word: &str) -> Option<&'static Language> {
        let name = if self.0 == "russian" && word.is_ascii() { "english" } else { self.0 };
        LANGUAGES.iter().find(|language| language.name == name)
    }
}

impl Language {
    /// A word's stem; `None` for one that is left out.
    fn lexeme(&self, word: &str) -> Result<Option<String>> {
        if self.stop_words.binary_search(&word).is_ok() {
            return Ok(None);
        }
        // The stemmer is older than PostgreSQL's where these letters are concerned.
        let word = match self.algorithm {
            Algorithm::Russian => word.replace('ё', "е"),
            Algorithm::French if word.contains(['ë', 'ï']) => {
                return Err(Error::missing(format!("text search in \"{word}\"")));
            }
            _ => word.to_owned(),
        };
        let stem = Stemmer::create(self.algorithm).stem(&word).into_owned();
        Ok(Some(if stem.is_empty() { word } else { stem }))
    }
}

/// The configurations that PostgreSQL brings along.
pub(super) const CONFIGURATIONS: &[&str] = &[
    "arabic",
    "armenian",
    "basque",
    "catalan",
    "danish",
    "dutch",
    "english",
    "finnish",
    "french",
    "german",
    "greek",
    "hindi",
    "hungarian",
    "indonesian",
    "irish",
    "italian",
    "lithuanian",
    "nepali",
    "norwegian",
    "portuguese",
    "romanian",
    "russian",
    "serbian",
    "simple",
    "spanish",
    "swedish",
    "tamil",
    "turkish",
    "yiddish",
];

/// Longer words are left out, as if they were not there.
const TOKEN_BYTES_END: usize = 2_048;

/// The lexemes of a text with their positions from 1; a stop word has a position and no lexeme.
pub(super) fn lexemes(config: Configuration, text: &str) -> Result<Vec<(u32, Option<String>)>> {
    let mut position = 0;
    let mut out = Vec::new();
    let mut steps = Steps::default();
    for token in tokens(text)?.into_iter().filter(|token| token.len() < TOKEN_BYTES_END) {
        steps.next()?;
        position += 1;
        let word = token.to_lowercase();
        let is_word = word.chars().all(|c| c.is_alphabetic() || c == '-');
        let language = is_word.then(|| config.language(&word)).flatten();
        let lexeme = match language {
            Some(language) => language.lexeme(&word)?,
            None => Some(word),
        };
        out.push((position, lexeme));
    }
    Ok(out)
}

fn tokens(text: &str) -> Result<Vec<String>> {
    let mut out = Vec::new();
    let mut steps = Steps::default();
    for chunk in text.split_whitespace() {
        steps.next()?;
        if is_beyond(chunk) {
            return Err(Error::missing(format!("text search in \"{chunk}\"")));
        }
        chunk_tokens(chunk, &mut out);
    }
    Ok(out)
}

/// Whether PostgreSQL's parser would see an address, a path, a tag, an entity, a version or a number with an exponent.
fn is_beyond(chunk: &str) -> bool {
    let chars: Vec<char> = chunk.chars().collect();
    let word = |at: usize| chars.get(at).is_some_and(|c| c.is_alphanumeric());
    let digits = |from: &str| !from.is_empty() && from.bytes().all(|byte| byte.is_ascii_digit());
    let plain = chunk.trim_matches(|c: char| !c.is_alphanumeric());
    let is_float = plain.split_once('.').is_some_and(|(whole, fraction)| digits(whole) && digits(fraction));
    let joins = |at: usize, c: char| match c {
        '.' => word(at + 1) && (at == 0 || !is_float || !word(at - 1)),
        '@' | '/' | '~' | '\\' => true,
        '<' | '&' | '%' => word(at + 1) || chars.get(at + 1) == Some(&'#') || chars.get(at + 1) == Some(&'!'),
        '_' => at == 0 || !word(at + 1),
        _ => false,
    };
    let is_exponent = {
        let lower = plain.to_ascii_lowercase();
        lower.split_once('e').is_some_and(|(mantissa, exponent)| {
            digits(&mantissa.replace('.', "")) && digits(exponent.trim_start_matches(['+', '-']))
        })
    };
    // Marks that belong to letters, and what is neither a letter nor plain punctuation.
    let is_odd = |c: &char| !c.is_alphanumeric() && !c.is_ascii() && !c.is_whitespace();
    is_exponent || chars.iter().any(is_odd) || chars.iter().enumerate().any(|(at, c)| joins(at, *c))
}

/// The tokens of what stands between spaces.
fn chunk_tokens(chunk: &str, out: &mut Vec<String>) {
    let mut rest = chunk;
    while let Some(start) = rest.find(char::is_alphanumeric) {
        let before = rest[..start].chars().next_back();
        let behind = &rest[start..];
        let run = compound(behind);
        let parts: Vec<&str> = run.split('-').collect();
        let has_letters = |part: &&str| part.chars().any(char::is_alphabetic);
        if parts.len() > 1 && parts.iter().all(has_letters) {
            out.push(run.to_owned());
            out.extend(parts.iter().map(|part| (*part).to_owned()));
            rest = &behind[run.len()..];
            continue;
        }
        let end = behind.find(|c: char| !c.is_alphanumeric()).unwrap_or(behind.len());
        let sign = before.filter(|c| matches!(c, '-' | '+'));
        let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
        // Behind a sign a number ends with its digits.
        let end = if sign.is_some() && digits > 0 { digits } else { end };
        let mut token = &behind[..end];
        let is_number = token.bytes().all(|byte| byte.is_ascii_digit());
        if is_number && let Some(fraction) = behind[end..].strip_prefix('.') {
            let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
            token = if digits > 0 { &behind[..=end + digits] } else { token };
        }
        out.push(match sign.filter(|_| is_number) {
            Some(sign) => format!("{sign}{token}"),
            None => token.to_owned(),
        });
        rest = &behind[token.len()..];
    }
}

/// A word with its parts behind hyphens.
fn compound(text: &str) -> &str {
    let mut end = 0;
    loop {
        let word = text[end..].find(|c: char| !c.is_alphanumeric()).map_or(text.len(), |at| end + at);
        let next = text[word..].strip_prefix('-').and_then(|behind| behind.chars().next());
        end = match next {
            Some(c) if c.is_alphanumeric() => word + 1,
            _ => return &text[..word],
        };
    }
}
