//! PostgreSQL's advanced regular expressions (9.7.3) on an engine of linear time.
//!
//! An expression is translated once ([`translate`]) and compiled. Where PostgreSQL's rules decide between several matches,
//! they are followed: the leftmost match, of these the longest, or the shortest if the expression prefers that.
//! What cannot be translated faithfully (back references, lookaround) is refused by name.

use std::cell::RefCell;
use std::rc::Rc;

use regex_automata::nfa::thompson::pikevm::{Cache, PikeVM};
use regex_automata::nfa::thompson::{self};
use regex_automata::util::primitives::NonMaxUsize;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input, MatchKind, meta};
use types::{Code, Error, Limits, Result};

use super::regex_syntax::{Options, Translated, translate};

/// A compiled expression.
pub(super) struct Regex {
    /// Finds where the leftmost match begins; says whether there is one.
    finder: meta::Regex,
    /// Finds where a match ends and what its groups are.
    machine: PikeVM,
    /// The same with alternatives in reverse, when there are any: groups that differ depend on a preference that PostgreSQL does
    /// not share.
    reversed: Option<PikeVM>,
    cache: RefCell<(Cache, Option<Cache>)>,
    shortest: bool,
    /// Capturing groups.
    pub groups: usize,
}

/// Byte ranges of a match (first) and its groups.
pub(super) type Groups = Vec<Option<(usize, usize)>>;

/// Bytes behind the beginning of a match that any expression may look at.
const LENGTH_FREE: usize = 1 << 20;

/// Most bytes times states of a match's end: some seconds.
const WORK_MAX: usize = 1 << 30;

/// Compiled expressions kept per thread.
const KEPT_MAX: usize = 64;

thread_local! {
    static KEPT: RefCell<Vec<(String, Options, Rc<Regex>)>> = const { RefCell::new(Vec::new()) };
}

/// The compiled form of an expression; the last ones are remembered.
pub(super) fn compile(pattern: &str, options: Options) -> Result<Rc<Regex>> {
    let found = KEPT.with_borrow_mut(|kept| {
        let position = kept.iter().position(|(kept, with, _)| kept == pattern && *with == options)?;
        let entry = kept.remove(position);
        let regex = entry.2.clone();
        kept.push(entry);
        Some(regex)
    });
    if let Some(regex) = found {
        return Ok(regex);
    }
    let regex = Rc::new(Regex::new(pattern, options)?);
    KEPT.with_borrow_mut(|kept| {
        if kept.len() >= KEPT_MAX {
            kept.remove(0);
        }
        kept.push((pattern.to_owned(), options, regex.clone()));
    });
    Ok(regex)
}

fn too_complex() -> Error {
    Error::new(Code::INVALID_REGEX, "invalid regular expression: regular expression is too complex")
}

impl Regex {
    fn new(pattern: &str, options: Options) -> Result<Regex> {
        if pattern.len() > Limits::default().regex_bytes_max {
            return Err(too_complex());
        }
        let Translated { text, shortest, groups, alternatives } = translate(pattern, options, false)?;
        let finder = meta::Regex::builder()
            .configure(meta::Config::new().nfa_size_limit(Some(4 << 20)).onepass(false))
            .syntax(syntax())
            .build(&text)
            .map_err(|_| too_complex())?;
        let machine = machine(&text)?;
        let reversed = if alternatives && groups > 0 { Some(machine_of(pattern, options)?) } else { None };
        let cache = RefCell::new((machine.create_cache(), reversed.as_ref().map(PikeVM::create_cache)));
        Ok(Regex { finder, machine, reversed, cache, shortest, groups })
    }

    /// Whether there is a match anywhere.
    pub(super) fn is_match(&self, text: &str) -> bool {
        self.finder.is_match(text)
    }

    /// The first match at or after a byte position: its range and those of its groups.
    pub(super) fn find(&self, text: &str, from: usize) -> Result<Option<Groups>> {
        let Some(found) = self.finder.find(Input::new(text).range(from..)) else { return Ok(None) };
        let input = Input::new(text).range(found.start()..).anchored(Anchored::Yes).earliest(self.shortest);
        self.fits(text.len() - found.start())?;
        let mut caches = self.cache.borrow_mut();
        let (cache, reversed_cache) = &mut *caches;
        let groups = search(&self.machine, cache, &input, self.groups);
        if let (Some(machine), Some(cache)) = (&self.reversed, reversed_cache)
            && search(machine, cache, &input, self.groups) != groups
        {
            return Err(Error::missing(
                "a regular expression whose groups depend on the order of alternatives",
            ));
        }
        Ok(groups)
    }

    /// Refuses a text on which the end of one match could take longer than a statement may: nothing interrupts the search.
    fn fits(&self, length: usize) -> Result<()> {
        if length > LENGTH_FREE && length.saturating_mul(self.machine.get_nfa().states().len()) > WORK_MAX {
            let message = format!("a regular expression of its size on a text of {length} bytes");
            return Err(Error::new(Code::LIMIT_EXCEEDED, message));
        }
        Ok(())
    }
}

fn syntax() -> syntax::Config {
    syntax::Config::new().unicode(true).utf8(true)
}

fn machine_of(pattern: &str, options: Options) -> Result<PikeVM> {
    machine(&translate(pattern, options, true)?.text)
}

fn machine(text: &str) -> Result<PikeVM> {
    PikeVM::builder()
        .configure(PikeVM::config().match_kind(MatchKind::All))
        .thompson(thompson::Config::new().nfa_size_limit(Some(4 << 20)))
        .syntax(syntax())
        .build(text)
        .map_err(|_| too_complex())
}

fn search(machine: &PikeVM, cache: &mut Cache, input: &Input<'_>, groups: usize) -> Option<Groups> {
    let mut slots: Vec<Option<NonMaxUsize>> = vec![None; 2 * (groups + 1)];
    machine.search_slots(cache, input, &mut slots)?;
    let pair = |pair: &[Option<NonMaxUsize>]| match pair {
        [Some(start), Some(end)] => Some((start.get(), end.get())),
        _ => None,
    };
    Some(slots.chunks(2).map(pair).collect())
}
