//! Reading one grammar from one text, with errors that say where it stopped and what could have stood there.
//!
//! A failure keeps the furthest position reached and everything that was tried at it; reading on forgets it. That is
//! how the reference server's messages come about, so the grammars' `expecting …` lists come out alike. Reading is
//! linear: a grammar goes back only over the name it has just read. No grammar lives here.

use types::{Code, Error};

/// Why a grammar stopped.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The text does not fit; the cursor knows where and why.
    Syntax,
    /// Something else is wrong, and no other way of reading may be tried.
    Refused(Error),
}

/// What reading a part of a grammar gives.
pub(crate) type Parsed<T> = Result<T, Stop>;

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Refused(error)
    }
}

/// A position in a text, and the furthest failure so far.
pub(crate) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    failure: Failure,
    /// What could have stood where something failed: the last ones are `failure`'s, those before it are of failures that
    /// are put aside while something is tried.
    expected: Vec<&'static str>,
}

/// What was found at one position, and where in [`Cursor::expected`] its texts begin.
#[derive(Clone, Copy, Default)]
struct Failure {
    at: usize,
    /// The character (or the end) that something failed on.
    found: Option<Option<char>>,
    /// A character that was explicitly not allowed to follow; shown in preference.
    refused: Option<char>,
    first: usize,
}

impl<'a> Cursor<'a> {
    /// A cursor at the start of a text.
    pub(crate) fn new(text: &'a str) -> Cursor<'a> {
        Cursor { text, at: 0, failure: Failure::default(), expected: Vec::new() }
    }

    /// Where it stands, in bytes.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The text from `start` up to here.
    pub(crate) fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// What is not read yet.
    pub(crate) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next character.
    pub(crate) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn advance(&mut self, bytes: usize) {
        self.at += bytes;
        self.forget();
    }

    /// Nothing has failed yet at this position.
    fn forget(&mut self) {
        let first = self.failure.first;
        self.expected.truncate(first);
        self.failure = Failure { at: self.at, first, ..Failure::default() };
    }

    /// Notes that something failed here on `found`, where `expected` could have stood.
    fn note(&mut self, found: Option<char>, expected: Option<&'static str>) {
        if self.failure.at < self.at {
            self.forget();
        }
        if self.failure.at == self.at {
            self.failure.found.get_or_insert(found);
            let known = self.expected.get(self.failure.first..).unwrap_or_default();
            self.expected.extend(expected.filter(|text| !known.contains(text)));
        }
    }

    /// Fails here.
    pub(crate) fn fail<T>(&mut self, expected: Option<&'static str>) -> Parsed<T> {
        self.note(self.peek(), expected);
        Err(Stop::Syntax)
    }

    /// Fails because this character may not stand here.
    pub(crate) fn refuse<T>(&mut self, expected: Option<&'static str>) -> Parsed<T> {
        self.note(self.peek(), expected);
        if self.failure.at == self.at {
            self.failure.refused = self.failure.refused.or(self.peek());
        }
        Err(Stop::Syntax)
    }

    /// Reads a character that fits.
    pub(crate) fn take_if(
        &mut self,
        fits: impl FnOnce(char) -> bool,
        expected: Option<&'static str>,
    ) -> Parsed<char> {
        match self.peek().filter(|c| fits(*c)) {
            Some(c) => {
                self.advance(c.len_utf8());
                Ok(c)
            }
            None => self.fail(expected),
        }
    }

    /// Reads this character; `shown` is how a message names it.
    pub(crate) fn take(&mut self, c: char, shown: &'static str) -> Parsed<()> {
        self.take_if(|found| found == c, Some(shown)).map(drop)
    }

    /// Reads this word. A partial match fails at the word's start, on the first character that differs.
    pub(crate) fn word(&mut self, word: &str, shown: &'static str) -> Parsed<()> {
        if self.rest().starts_with(word) {
            self.advance(word.len());
            return Ok(());
        }
        let mut found = self.rest().chars();
        let differs =
            word.chars().map(|wanted| (wanted, found.next())).find(|(wanted, found)| Some(*wanted) != *found);
        self.note(differs.and_then(|(_, found)| found), Some(shown));
        Err(Stop::Syntax)
    }

    /// Reads characters as long as they fit; maybe none.
    pub(crate) fn take_while(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        let start = self.at;
        let length = self.rest().find(|c| !fits(c)).unwrap_or(self.rest().len());
        if length > 0 {
            self.advance(length);
        }
        self.note(self.peek(), None);
        self.since(start)
    }

    /// Skips blanks.
    pub(crate) fn blanks(&mut self) {
        self.take_while(|c| matches!(c, ' ' | '\t'));
    }

    /// Reads something with blanks around it.
    pub(crate) fn lexeme<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.blanks();
        let value = read(self)?;
        self.blanks();
        Ok(value)
    }

    /// Whether this is the end, or one of these characters follows. Nothing is read.
    pub(crate) fn ends(&mut self, stops: &[(char, &'static str)]) -> Parsed<()> {
        for (c, shown) in stops {
            if self.peek() == Some(*c) {
                return Ok(());
            }
            self.note(self.peek(), Some(shown));
        }
        self.end()
    }

    /// Whether this is the end.
    pub(crate) fn end(&mut self) -> Parsed<()> {
        if self.peek().is_none() { Ok(()) } else { self.refuse(Some("end of input")) }
    }

    /// Tries a reading: if it does not fit, nothing has been read. A refusal is final.
    pub(crate) fn attempt<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<Option<T>> {
        let (start, before) = (self.at, self.put_aside());
        let outcome = read(self);
        if let Err(Stop::Syntax) = outcome {
            self.at = start;
        }
        self.take_back(before, self.at == start);
        match outcome {
            Ok(value) => Ok(Some(value)),
            Err(Stop::Syntax) => Ok(None),
            Err(refused) => Err(refused),
        }
    }

    /// Tries a reading that messages do not know of: if it does not fit, nothing has been read, and nothing is told of it.
    pub(crate) fn quietly<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<Option<T>> {
        let (start, failure, expected) = (self.at, self.failure, self.expected.clone());
        match read(self) {
            Ok(value) => Ok(Some(value)),
            Err(Stop::Syntax) => {
                (self.at, self.failure, self.expected) = (start, failure, expected);
                Ok(None)
            }
            Err(refused) => Err(refused),
        }
    }

    /// Reads something that messages call by `label` unless part of it was read.
    pub(crate) fn labelled<T>(
        &mut self,
        label: &'static str,
        read: impl FnOnce(&mut Self) -> Parsed<T>,
    ) -> Parsed<T> {
        let (start, before) = (self.at, self.put_aside());
        let outcome = read(self);
        if self.at == start && (self.has_failed() || outcome.is_err()) {
            self.expected.truncate(self.failure.first);
            self.expected.push(label);
        }
        self.take_back(before, self.at == start);
        outcome
    }

    /// Starts a failure of its own for what is read next.
    fn put_aside(&mut self) -> Failure {
        let now = Failure { at: self.at, first: self.expected.len(), ..Failure::default() };
        std::mem::replace(&mut self.failure, now)
    }

    fn has_failed(&self) -> bool {
        let Failure { found, refused, first, .. } = self.failure;
        found.is_some() || refused.is_some() || self.expected.len() > first
    }

    /// Puts what was known before together with what is known now, if it still matters: the further one wins, and equals
    /// add up.
    fn take_back(&mut self, before: Failure, matters: bool) {
        let now = self.failure;
        if !matters || now.at > before.at {
            self.expected.drain(before.first..now.first);
            self.failure.first = before.first;
        } else if now.at < before.at {
            self.expected.truncate(now.first);
            self.failure = before;
        } else {
            self.failure = Failure {
                found: before.found.or(now.found),
                refused: before.refused.or(now.refused),
                ..before
            };
            self.unite(before.first, now.first);
        }
    }

    /// Drops those of the texts from `middle` on that stand between `first` and there too.
    fn unite(&mut self, first: usize, middle: usize) {
        let later = self.expected.split_off(middle);
        let known = self.expected.get(first..).unwrap_or_default();
        let new: Vec<_> = later.into_iter().filter(|text| !known.contains(text)).collect();
        self.expected.extend(new);
    }

    /// The failure as the caller is told: `PGRST100`. `what` is the grammar's name; `input` is what the caller wrote.
    pub(crate) fn error(&self, what: &str, input: &str) -> Error {
        let (line, column) = line_and_column(self.text.get(..self.failure.at).unwrap_or_default());
        let message = format!("\"failed to parse {what} ({input})\" (line {line}, column {column})");
        Error::new(Code::PARSE, message)
            .with_details(self.failure.describe(self.expected.get(self.failure.first..).unwrap_or_default()))
    }
}

impl Failure {
    fn describe(&self, expected: &[&str]) -> String {
        let unexpected = match (self.refused, self.found) {
            (Some(c), _) => Some(format!("unexpected {}", shown(c, '\''))),
            (None, Some(Some(c))) => Some(format!("unexpected {}", shown(c, '"'))),
            (None, Some(None)) => Some("unexpected end of input".to_owned()),
            (None, None) => None,
        };
        let expecting = match expected.split_last() {
            None => None,
            Some((last, [])) => Some(format!("expecting {last}")),
            Some((last, others)) => Some(format!("expecting {} or {last}", others.join(", "))),
        };
        match (unexpected, expecting) {
            (None, None) => "unknown parse error".to_owned(),
            (found, wanted) => found.into_iter().chain(wanted).collect::<Vec<_>>().join(" "),
        }
    }
}

/// A character in quotes, escaped as the reference server prints it.
fn shown(c: char, quote: char) -> String {
    match c {
        '\\' => format!("{quote}\\\\{quote}"),
        '\n' => format!("{quote}\\n{quote}"),
        '\t' => format!("{quote}\\t{quote}"),
        '\r' => format!("{quote}\\r{quote}"),
        c if c == quote => format!("{quote}\\{c}{quote}"),
        c if (' '..='~').contains(&c) => format!("{quote}{c}{quote}"),
        c => format!("{quote}\\{}{quote}", u32::from(c)),
    }
}

/// The position after a text: lines and columns from 1, tabs to multiples of eight.
fn line_and_column(before: &str) -> (usize, usize) {
    before.chars().fold((1, 1), |(line, column), c| match c {
        '\n' => (line + 1, 1),
        '\t' => (line, column + 8 - (column - 1) % 8),
        _ => (line, column + 1),
    })
}

/// Reads a whole text with one grammar; nothing may remain.
///
/// # Errors
/// `PGRST100`, or what the grammar refuses.
pub(crate) fn read_all<T>(
    text: &str,
    what: &str,
    input: &str,
    read: impl FnOnce(&mut Cursor<'_>) -> Parsed<T>,
) -> types::Result<T> {
    let mut cursor = Cursor::new(text);
    let outcome = read(&mut cursor).and_then(|value| cursor.end().map(|()| value));
    outcome.map_err(|stop| match stop {
        Stop::Syntax => cursor.error(what, input),
        Stop::Refused(error) => error,
    })
}
