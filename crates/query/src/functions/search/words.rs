//! The words of a text: what PostgreSQL's dictionaries make of the tokens of its parser.

use crate::functions::interrupt::Steps;
use rust_stemmers::{Algorithm, Stemmer};
use types::{Error, Result};

use super::parser::{self, Kind, Token};
use super::stop_words;
use crate::functions::text::lower;

/// Which dictionaries words go through: a row of [`LANGUAGES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::functions) struct Configuration(&'static str);

/// What a database has by default.
pub(in crate::functions) const DEFAULT: Configuration = Configuration("english");

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
    for token in parser::tokens(text)? {
        steps.next()?;
        if let Some(lexeme) = config.lexeme(token)? {
            position += 1;
            out.push((position, lexeme));
        }
    }
    Ok(out)
}

impl Configuration {
    /// What its dictionary makes of a word in lower case; `None` for one that is left out.
    pub(super) fn word(self, word: &str) -> Result<Option<String>> {
        match LANGUAGES.iter().find(|language| language.name == self.0) {
            Some(language) => language.lexeme(word),
            None => Ok(Some(word.to_owned())),
        }
    }

    /// Whose dictionary sees a token, `simple` or that of a language; `None` where no dictionary does.
    #[expect(clippy::option_option, reason = "none, the simple one and a language's are three answers")]
    fn seen_by(self, kind: Kind, word: &str) -> Option<Option<&'static Language>> {
        match kind {
            Kind::Blank | Kind::Tag | Kind::Protocol | Kind::Entity => None,
            Kind::AsciiWord
            | Kind::CompoundAsciiWord
            | Kind::PartAsciiWord
            | Kind::Word
            | Kind::CompoundWord
            | Kind::PartWord => Some(self.language(word)),
            Kind::NumWord
            | Kind::Email
            | Kind::Url
            | Kind::Host
            | Kind::Scientific
            | Kind::Version
            | Kind::PartNumWord
            | Kind::CompoundNumWord
            | Kind::UrlPath
            | Kind::File
            | Kind::Decimal
            | Kind::Signed
            | Kind::Unsigned => Some(None),
        }
    }

    /// The name of the dictionary that sees a token.
    pub(in crate::functions) fn dictionary(self, token: Token<'_>) -> Option<String> {
        let seen = self.seen_by(token.kind, &lower(token.text))?;
        Some(seen.map_or_else(|| "simple".to_owned(), |language| format!("{}_stem", language.name)))
    }

    /// What a token is looked for by; `None` for one that no dictionary sees, no lexeme for a stop word.
    #[expect(clippy::option_option, reason = "unseen, left out and a lexeme are three answers")]
    pub(in crate::functions) fn lexeme(self, token: Token<'_>) -> Result<Option<Option<String>>> {
        if token.text.len() >= TOKEN_BYTES_END {
            return Ok(None);
        }
        let word = lower(token.text);
        let Some(language) = self.seen_by(token.kind, &word) else { return Ok(None) };
        match language {
            Some(language) => language.lexeme(&word).map(Some),
            None => Ok(Some(Some(word))),
        }
    }
}
