//! `ts_headline`: the part of a text that shows best why it was found (PostgreSQL 12.3.4).

use types::json::{self, DEPTH_MAX, Json};
use types::search::{Search, holds, parse};
use types::{Code, Error, Result, Value};

use super::config;
use super::parser::{Kind, tokens};
use super::words::{Configuration, DEFAULT};
use crate::functions::Function;
use crate::functions::Ty::{Json as J, Jsonb as B, Text as T, Tsquery as Q};
use crate::functions::arguments::{invalid, ok_text, text};
use crate::functions::interrupt::Steps;

pub(in crate::functions) static ROWS: &[Function] = &[
    Function::new("ts_headline", &[T, T, Q, T], T, |_, a| ok_text(shown(config(a)?, a, 1)?)),
    Function::new("ts_headline", &[T, T, Q], T, |_, a| ok_text(shown(config(a)?, a, 1)?)),
    Function::new("ts_headline", &[T, Q, T], T, |_, a| ok_text(shown(DEFAULT, a, 0)?)).stable(),
    Function::new("ts_headline", &[T, Q], T, |_, a| ok_text(shown(DEFAULT, a, 0)?)).stable(),
    Function::new("ts_headline", &[T, B, Q, T], B, |_, a| ok_text(document(config(a)?, a, 1)?.spaced())),
    Function::new("ts_headline", &[T, B, Q], B, |_, a| ok_text(document(config(a)?, a, 1)?.spaced())),
    Function::new("ts_headline", &[B, Q, T], B, |_, a| ok_text(document(DEFAULT, a, 0)?.spaced())).stable(),
    Function::new("ts_headline", &[B, Q], B, |_, a| ok_text(document(DEFAULT, a, 0)?.spaced())).stable(),
    Function::new("ts_headline", &[T, J, Q, T], J, |_, a| ok_text(document(config(a)?, a, 1)?.compact())),
    Function::new("ts_headline", &[T, J, Q], J, |_, a| ok_text(document(config(a)?, a, 1)?.compact())),
    Function::new("ts_headline", &[J, Q, T], J, |_, a| ok_text(document(DEFAULT, a, 0)?.compact())).stable(),
    Function::new("ts_headline", &[J, Q], J, |_, a| ok_text(document(DEFAULT, a, 0)?.compact())).stable(),
];

/// How a headline is made.
struct Options {
    words_max: i64,
    words_min: i64,
    short_word: i64,
    fragments_max: i64,
    highlights_all: bool,
    start: String,
    stop: String,
    delimiter: String,
}

impl Options {
    fn of(pairs: &[(String, String)]) -> Result<Options> {
        let mut options = Options {
            words_max: 35,
            words_min: 15,
            short_word: 3,
            fragments_max: 0,
            highlights_all: false,
            start: "<b>".to_owned(),
            stop: "</b>".to_owned(),
            delimiter: " ... ".to_owned(),
        };
        for (name, value) in pairs {
            match name.to_ascii_lowercase().as_str() {
                "maxwords" => options.words_max = number(value)?,
                "minwords" => options.words_min = number(value)?,
                "shortword" => options.short_word = number(value)?,
                "maxfragments" => options.fragments_max = number(value)?,
                "startsel" => options.start.clone_from(value),
                "stopsel" => options.stop.clone_from(value),
                "fragmentdelimiter" => options.delimiter.clone_from(value),
                "highlightall" => {
                    let word = value.to_ascii_lowercase();
                    options.highlights_all = ["1", "on", "true", "t", "y", "yes"].contains(&word.as_str());
                }
                _ => return Err(invalid(format!("unrecognized headline parameter: \"{name}\""))),
            }
        }
        options.checked()
    }

    fn checked(self) -> Result<Options> {
        let wrong = [
            (self.words_min >= self.words_max, "MinWords should be less than MaxWords"),
            (self.words_min <= 0, "MinWords should be positive"),
            (self.short_word < 0, "ShortWord should be >= 0"),
            (self.fragments_max < 0, "MaxFragments should be >= 0"),
        ];
        match wrong.into_iter().find(|(is_wrong, _)| *is_wrong && !self.highlights_all) {
            Some((_, message)) => Err(invalid(message)),
            None => Ok(self),
        }
    }
}

fn number(value: &str) -> Result<i64> {
    let session = types::session::Session::utc(0);
    match types::text::parse(&types::Type::Int4, value, &session)? {
        Value::Int(number) => Ok(number),
        _ => Err(Error::internal("an integer that is none")),
    }
}

/// `name = value, name = 'value'`
fn pairs(written: &str) -> Result<Vec<(String, String)>> {
    let wrong = || Error::new(Code::SYNTAX, format!("invalid parameter list format: \"{written}\""));
    let mut out = Vec::new();
    let mut rest = written.trim_start_matches(is_between);
    while !rest.is_empty() {
        let (name, behind) = word(rest, '"').ok_or_else(wrong)?;
        let behind = behind.trim_start().strip_prefix('=').ok_or_else(wrong)?;
        let behind = behind.trim_start();
        let mark = if behind.starts_with('"') { '"' } else { '\'' };
        let (value, behind) = word(behind, mark).ok_or_else(wrong)?;
        if name.is_empty() {
            return Err(wrong());
        }
        out.push((name, value));
        rest = behind.trim_start_matches(is_between);
    }
    Ok(out)
}

fn is_between(c: char) -> bool {
    c == ',' || c.is_ascii_whitespace()
}

/// A word, or a text in quotation marks, which are doubled within it; and what is behind it.
fn word(text: &str, mark: char) -> Option<(String, &str)> {
    let Some(mut rest) = text.strip_prefix(mark) else {
        let end = text.find(|c: char| is_between(c) || c == '=').unwrap_or(text.len());
        return Some((text.get(..end)?.to_owned(), text.get(end..)?));
    };
    let mut out = String::new();
    loop {
        let (before, behind) = rest.split_once(mark)?;
        out.push_str(before);
        match behind.strip_prefix(mark) {
            Some(behind) => {
                out.push(mark);
                rest = behind;
            }
            None => return Some((out, behind)),
        }
    }
}

/// A word of the text; once more for each further word of the condition that it is.
struct Word<'t> {
    kind: Kind,
    text: &'t str,
    /// The word of the condition.
    item: Option<usize>,
    is_repeated: bool,
    position: u32,
    /// Whether the headline has it, and marks it.
    is_in: bool,
    is_marked: bool,
}

/// A stretch of words, both ends included.
#[derive(Clone, Copy)]
struct Stretch {
    from: usize,
    to: usize,
    /// Words, and those that are looked for.
    words: i64,
    interesting: i64,
}

struct Headline<'t, 's> {
    words: Vec<Word<'t>>,
    search: Option<&'s Search>,
    leaves: Vec<&'s Search>,
    options: &'s Options,
    steps: Steps,
}

fn shown(config: Configuration, arguments: &[Value], at: usize) -> Result<String> {
    let search = parse(text(arguments, at + 1)?)?;
    let options = Options::of(&pairs(option_text(arguments, at)?)?)?;
    of_text(config, text(arguments, at)?, search.as_ref(), &options)
}

fn option_text(arguments: &[Value], at: usize) -> Result<&str> {
    if arguments.len() > at + 2 { text(arguments, at + 2) } else { Ok("") }
}

/// A document whose strings are headlines. What the options say is looked at where there is one.
fn document(config: Configuration, arguments: &[Value], at: usize) -> Result<Json> {
    let search = parse(text(arguments, at + 1)?)?;
    let options = pairs(option_text(arguments, at)?)?;
    let mut document = json::parse(text(arguments, at)?, DEPTH_MAX)?;
    within(&mut document, &mut |string| of_text(config, string, search.as_ref(), &Options::of(&options)?))?;
    Ok(document)
}

fn within(document: &mut Json, change: &mut dyn FnMut(&str) -> Result<String>) -> Result<()> {
    match document {
        Json::String(string) => *string = change(string)?,
        Json::Array(elements) => {
            for element in elements {
                within(element, change)?;
            }
        }
        Json::Object(fields) => {
            for (_, value) in fields {
                within(value, change)?;
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
    Ok(())
}

fn of_text(config: Configuration, text: &str, search: Option<&Search>, options: &Options) -> Result<String> {
    let leaves: Vec<&Search> = search.map(Search::leaves).unwrap_or_default();
    let words = read(config, text, &leaves)?;
    let mut headline = Headline { words, search, leaves, options, steps: Steps::default() };
    if options.fragments_max == 0 {
        headline.one()?;
    } else {
        headline.several()?;
    }
    Ok(headline.written())
}

/// The words of a text with what of the condition they are.
fn read<'t>(config: Configuration, text: &'t str, leaves: &[&Search]) -> Result<Vec<Word<'t>>> {
    let mut words = Vec::new();
    let mut position = 0;
    for token in tokens(text)? {
        let plain = |item| Word {
            kind: token.kind,
            text: token.text,
            item,
            is_repeated: false,
            position: 0,
            is_in: false,
            is_marked: false,
        };
        let Some(lexeme) = config.lexeme(token)? else {
            words.push(plain(None));
            continue;
        };
        position += 1;
        let fits = |leaf: &Search| match leaf {
            Search::Lexeme { text, is_prefix, .. } => lexeme
                .as_ref()
                .is_some_and(|lexeme| lexeme == text || (*is_prefix && lexeme.starts_with(text.as_str()))),
            _ => false,
        };
        let mut found = (0..leaves.len()).filter(|at| leaves.get(*at).is_some_and(|leaf| fits(leaf)));
        words.push(Word { position, ..plain(found.next()) });
        words.extend(found.map(|at| Word { position, is_repeated: true, ..plain(Some(at)) }));
    }
    Ok(words)
}

impl Kind {
    /// What is shown as a space.
    fn is_replaced(self) -> bool {
        self == Kind::Tag
    }

    /// What is not shown, because its parts are.
    fn is_skipped(self) -> bool {
        matches!(self, Kind::Url | Kind::CompoundNumWord | Kind::CompoundAsciiWord | Kind::CompoundWord)
    }

    fn is_no_word(self) -> bool {
        self == Kind::Blank || self.is_replaced() || self.is_skipped()
    }

    /// What a headline should not end with.
    fn is_no_end(self) -> bool {
        self.is_no_word()
            || matches!(
                self,
                Kind::Scientific
                    | Kind::Version
                    | Kind::Decimal
                    | Kind::Signed
                    | Kind::Unsigned
                    | Kind::Protocol
                    | Kind::Entity
            )
    }
}

impl Headline<'_, '_> {
    fn counts(&self, at: usize) -> bool {
        self.words.get(at).is_some_and(|word| !word.kind.is_no_word())
    }

    fn is_interesting(&self, at: usize) -> bool {
        self.words.get(at).is_some_and(|word| word.item.is_some() && !word.is_repeated)
    }

    fn is_bad_end(&self, at: usize) -> bool {
        let short = usize::try_from(self.options.short_word).unwrap_or(usize::MAX);
        let is_poor = |word: &Word<'_>| word.kind.is_no_end() || word.text.len() <= short;
        self.words.get(at).is_none_or(is_poor) && !self.is_interesting(at)
    }

    /// The first word that is looked for, from a place on.
    fn next_item(&self, from: usize) -> Option<usize> {
        (from..self.words.len()).find(|at| self.words.get(*at).is_some_and(|word| word.item.is_some()))
    }

    /// Whether the condition holds of a stretch.
    fn satisfies(&self, from: usize, to: usize) -> bool {
        let Some(search) = self.search else { return false };
        let words = self.words.get(from..=to).unwrap_or(&[]);
        holds(search, &mut |leaf| {
            let at = self.leaves.iter().position(|known| std::ptr::eq(*known, leaf));
            let mut positions: Vec<u32> = words
                .iter()
                .filter(|word| word.item.is_some() && word.item == at)
                .map(|word| word.position)
                .collect();
            positions.dedup();
            (!positions.is_empty()).then_some(positions)
        })
    }

    /// The first and shortest stretch from a place on of which the condition holds.
    fn cover(&mut self, from: usize) -> Result<Option<(usize, usize)>> {
        let longest = usize::try_from((self.options.words_max * 10).max(100)).unwrap_or(usize::MAX);
        let mut start = self.next_item(from);
        while let Some(low) = start {
            let mut end = Some(low);
            while let Some(high) = end.filter(|high| high - low < longest) {
                self.steps.next()?;
                if self.satisfies(low, high) {
                    return Ok(Some((low, high)));
                }
                end = self.next_item(high + 1);
            }
            start = self.next_item(low + 1);
        }
        Ok(None)
    }

    fn step(&self, at: usize, stretch: &mut Stretch, by: i64) {
        stretch.words += if self.counts(at) { by } else { 0 };
        stretch.interesting += if self.is_interesting(at) { by } else { 0 };
    }

    /// One stretch: that which shows most of what is looked for.
    fn one(&mut self) -> Result<()> {
        if self.options.highlights_all {
            return self.take(0, self.words.len());
        }
        let mut best: Option<(bool, Stretch)> = None;
        let mut from = 0;
        while let Some((low, high)) = self.cover(from)? {
            let found = self.stretched(low, high);
            let has_cover = found.from <= low && found.to >= high;
            let is_better = match &best {
                None => true,
                Some((had_cover, before)) => {
                    (has_cover, found.interesting) > (*had_cover, before.interesting)
                        || ((has_cover, found.interesting) == (*had_cover, before.interesting)
                            && !self.is_bad_end(found.to)
                            && self.is_bad_end(before.to))
                }
            };
            if is_better {
                best = Some((has_cover, found));
            }
            from = low + 1;
        }
        match best {
            Some((_, stretch)) => self.take(stretch.from, stretch.to + 1),
            None => self.take(0, self.first_words()),
        }
    }

    /// How far the least number of words goes.
    fn first_words(&self) -> usize {
        let mut count = 0;
        let mut at = 0;
        while at < self.words.len() && count < self.options.words_min {
            count += i64::from(self.counts(at));
            at += 1;
        }
        at
    }

    /// What a headline around a cover would be.
    fn stretched(&self, low: usize, high: usize) -> Stretch {
        let (least, most) = (self.options.words_min, self.options.words_max);
        let mut found = Stretch { from: low, to: low, words: 0, interesting: 0 };
        let mut at = low;
        while at <= high && found.words < most {
            self.step(at, &mut found, 1);
            found.to = at;
            at += 1;
        }
        if found.words < most {
            self.lengthen(at - 1, high, &mut found);
            if found.words < least {
                self.lengthen_left(low, &mut found);
            }
            return found;
        }
        let mut at = at.min(high);
        while found.words > least && self.is_bad_end(at) {
            self.step(at, &mut found, -1);
            found.to = at.saturating_sub(1);
            at = at.saturating_sub(1);
        }
        found
    }

    fn lengthen(&self, from: usize, high: usize, found: &mut Stretch) {
        let mut at = from;
        while at < self.words.len() && found.words < self.options.words_max {
            if at > high {
                self.step(at, found, 1);
            }
            found.to = at;
            if !self.is_bad_end(at) && found.words >= self.options.words_min {
                break;
            }
            at += 1;
        }
    }

    fn lengthen_left(&self, low: usize, found: &mut Stretch) {
        for at in (0..low).rev() {
            self.step(at, found, 1);
            found.from = at;
            let is_full = found.words >= self.options.words_max;
            if is_full || (!self.is_bad_end(at) && found.words >= self.options.words_min) {
                return;
            }
        }
        found.from = 0;
    }

    /// Some stretches, those with most of what is looked for first.
    fn several(&mut self) -> Result<()> {
        let mut covers = Vec::new();
        let mut from = 0;
        while let Some((low, high)) = self.cover(from)? {
            let mut start = low;
            while start <= high {
                let part = self.part_of(start, high);
                start = part.to + 1;
                covers.push(part);
            }
            from = low + 1;
        }
        let mut is_any = false;
        for _ in 0..self.options.fragments_max {
            let Some(best) = best_of(&covers) else { break };
            let (from, to) = self.widened(best);
            self.take(from, to + 1)?;
            is_any = true;
            covers.retain(|cover| cover.to < from || cover.from > to);
        }
        if is_any { Ok(()) } else { self.take(0, self.first_words()) }
    }

    /// The next part of a cover that is short enough, with a word that is looked for at both ends.
    fn part_of(&self, from: usize, high: usize) -> Stretch {
        let start = (from..=high).find(|at| self.is_interesting(*at)).unwrap_or(high);
        let mut part = Stretch { from: start, to: high, words: 0, interesting: 0 };
        let mut at = start;
        while at <= high && part.words < self.options.words_max {
            self.step(at, &mut part, 1);
            at += 1;
        }
        if high > at {
            part.to = at;
            for back in (start..=at).rev() {
                part.to = back;
                if self.is_interesting(back) {
                    break;
                }
                part.words -= i64::from(self.counts(back));
            }
        }
        part
    }

    /// A stretch with words on both sides, as many as it may have.
    fn widened(&self, cover: Stretch) -> (usize, usize) {
        let most = self.options.words_max;
        let mut words = cover.words;
        if words >= most {
            return (cover.from, cover.to);
        }
        let is_free = |at: usize| self.words.get(at).is_some_and(|word| !word.is_in);
        let half = (most - words) / 2;
        let (mut before, mut from) = (0, cover.from);
        while from > 0 && before < half && is_free(from - 1) {
            from -= 1;
            before += i64::from(self.counts(from));
        }
        words += before;
        while from < cover.from && self.is_bad_end(from) {
            words -= i64::from(self.counts(from));
            from += 1;
        }
        let mut to = cover.to;
        while words < most && is_free(to + 1) {
            to += 1;
            words += i64::from(self.counts(to));
        }
        while to > cover.to && self.is_bad_end(to) {
            to -= 1;
        }
        (from, to)
    }

    /// Takes words into the headline.
    fn take(&mut self, from: usize, end: usize) -> Result<()> {
        for word in self.words.get_mut(from..end).into_iter().flatten() {
            self.steps.next()?;
            word.is_marked |= word.item.is_some();
            word.is_in = !word.is_repeated;
        }
        Ok(())
    }

    fn written(&self) -> String {
        let mut out = String::new();
        let (mut fragments, mut is_inside) = (0, false);
        for word in self.words.iter().filter(|word| !word.is_repeated) {
            if !word.is_in {
                is_inside = false;
                continue;
            }
            if !is_inside {
                is_inside = true;
                fragments += 1;
                out.push_str(if fragments > 1 { &self.options.delimiter } else { "" });
            }
            if word.kind.is_replaced() && !self.options.highlights_all {
                out.push(' ');
            } else if !word.kind.is_skipped() {
                let (start, stop) = (&self.options.start, &self.options.stop);
                out.push_str(if word.is_marked { start } else { "" });
                out.push_str(word.text);
                out.push_str(if word.is_marked { stop } else { "" });
            }
        }
        out
    }
}

/// The stretch with most words that are looked for; of several the shortest, then the first.
fn best_of(covers: &[Stretch]) -> Option<Stretch> {
    let mut best: Option<&Stretch> = None;
    for cover in covers {
        let (most, fewest) = best.map_or((0, i64::from(i32::MAX)), |best| (best.interesting, best.words));
        if most < cover.interesting || (most == cover.interesting && fewest > cover.words) {
            best = Some(cover);
        }
    }
    best.copied()
}
