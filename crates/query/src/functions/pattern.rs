//! Functions of regular expressions (PostgreSQL 9.7.3) and of `similar to` (9.7.2). Positions are characters.

use types::{Code, Error, Result, Value};

use super::arguments::{count, int, invalid, list, ok_text, text, text_or_null};
use super::interrupt::{Steps, fits, fits_elements};
use super::regex::{Groups, Regex, compile};
use super::regex_syntax::{Options, set};
use super::{Context, Function, Ty};

const T: Ty = Ty::Text;
const I: Ty = Ty::Int4;
const TEXTS: Ty = Ty::Array(&Ty::Text);

pub(super) static ROWS: &[Function] = &[
    Function::operator("~", &[T, T], Ty::Bool, |_, a| Ok(Value::Bool(is_match(a, false)?))),
    Function::operator("!~", &[T, T], Ty::Bool, |_, a| Ok(Value::Bool(!is_match(a, false)?))),
    Function::operator("~*", &[T, T], Ty::Bool, |_, a| Ok(Value::Bool(is_match(a, true)?))),
    Function::operator("!~*", &[T, T], Ty::Bool, |_, a| Ok(Value::Bool(!is_match(a, true)?))),
    Function::new("regexp_like", &[T, T, T], Ty::Bool, regexp_like).optional(1),
    Function::new("regexp_match", &[T, T, T], TEXTS, regexp_match).optional(1),
    Function::new("regexp_replace", &[T, T, T, T], T, regexp_replace).optional(1),
    Function::new("regexp_replace", &[T, T, T, I, I, T], T, regexp_replace_from).optional(2),
    Function::new("regexp_split_to_array", &[T, T, T], TEXTS, regexp_split_to_array).optional(1),
    Function::new("regexp_count", &[T, T, I, T], I, regexp_count).optional(2),
    Function::new("regexp_instr", &[T, T, I, I, I, T, I], I, regexp_instr).optional(5),
    Function::new("regexp_substr", &[T, T, I, I, T, I], T, regexp_substr).optional(4),
    Function::new("substring", &[T, T], T, substring),
    Function::new("substring", &[T, T, T], T, substring_similar).lax(),
    Function::new("similar_to_escape", &[T, T], T, similar_to_escape).optional(1),
    Function::new("similar_escape", &[T, T], T, similar_escape).lax(),
];

/// What a flags argument says.
#[derive(Default)]
struct Flags {
    options: Options,
    global: bool,
}

fn flags(text: Option<&str>) -> Result<Flags> {
    let mut flags = Flags::default();
    for flag in text.unwrap_or("").chars() {
        match flag {
            'g' => flags.global = true,
            'b' => return Err(Error::missing("basic regular expressions")),
            flag => set(&mut flags.options, flag)
                .map_err(|()| invalid(format!("invalid regular expression option: \"{flag}\"")))?,
        }
    }
    Ok(flags)
}

/// Flags of a function that has no use for `g`.
fn flags_of_one(name: &str, text: Option<&str>) -> Result<Options> {
    let flags = flags(text)?;
    if !flags.global {
        return Ok(flags.options);
    }
    let error = invalid(format!("{name}() does not support the \"global\" option"));
    Err(if name == "regexp_match" {
        error.with_hint("Use the regexp_matches function instead.")
    } else {
        error
    })
}

/// Reads a regular expression without asking anything of it.
///
/// # Errors
/// `2201B` for one that is broken, `0A000` for one that cannot be translated.
pub fn check_regex(pattern: &str) -> Result<()> {
    compile(pattern, Options::default()).map(drop)
}

pub(super) fn is_match(arguments: &[Value], insensitive: bool) -> Result<bool> {
    let options = Options { insensitive, ..Options::default() };
    Ok(compile(text(arguments, 1)?, options)?.is_match(text(arguments, 0)?))
}

fn regexp_like(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let options = flags_of_one("regexp_like", text_or_null(arguments, 2)?)?;
    Ok(Value::Bool(compile(text(arguments, 1)?, options)?.is_match(text(arguments, 0)?)))
}

/// The part of a text that a range says.
fn part(text: &str, range: Option<(usize, usize)>) -> Value {
    range.and_then(|(start, end)| text.get(start..end)).map_or(Value::Null, Value::text)
}

/// Where the n-th character begins, from 0; `None` behind the end.
fn offset(text: &str, characters: usize) -> Option<usize> {
    text.char_indices().map(|(at, _)| at).chain([text.len()]).nth(characters)
}

/// The next place to search after a match: one character on after an empty one; `None` behind the end.
fn after(text: &str, (start, end): (usize, usize)) -> Option<usize> {
    if start < end {
        return Some(end);
    }
    text.get(end..)?.chars().next().map(|c| end + c.len_utf8())
}

/// All matches from a byte position on; for splitting, empty ones at the end or right after another are left out.
fn matches(regex: &Regex, text: &str, from: usize, splitting: bool) -> Result<Vec<Groups>> {
    let mut found = Vec::new();
    let mut position = Some(from);
    let (mut previous, mut bytes) = (0, 0_usize);
    let mut steps = Steps::default();
    while let Some(from) = position {
        steps.next()?;
        fits_elements(found.len())?;
        let Some(groups) = regex.find(text, from)? else { break };
        let Some(&Some((start, end))) = groups.first() else { break };
        if !splitting || (start < text.len() && end > previous) {
            // Groups within groups hold the same text again.
            bytes += groups.iter().flatten().map(|(start, end)| end - start).sum::<usize>();
            fits(bytes)?;
            found.push(groups);
        }
        previous = end;
        position = after(text, (start, end));
    }
    Ok(found)
}

fn whole(groups: &Groups) -> Option<(usize, usize)> {
    groups.first().copied().flatten()
}

pub(super) fn regexp_match(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let options = flags_of_one("regexp_match", text_or_null(arguments, 2)?)?;
    let subject = text(arguments, 0)?;
    match compile(text(arguments, 1)?, options)?.find(subject, 0)? {
        None => Ok(Value::Null),
        Some(groups) => Ok(list(shown(subject, &groups))),
    }
}

/// Every match that the flags ask for: the first, or with `g` all.
pub(super) fn all_matches(arguments: &[Value]) -> Result<Vec<Value>> {
    let written = text_or_null(arguments, 2)?.unwrap_or("");
    let options = flags_of_one("regexp_matches", Some(&written.replace('g', "")))?;
    let subject = text(arguments, 0)?;
    let regex = compile(text(arguments, 1)?, options)?;
    let found = match written.contains('g') {
        true => matches(&regex, subject, 0, false)?,
        false => regex.find(subject, 0)?.into_iter().collect(),
    };
    Ok(found.iter().map(|groups| list(shown(subject, groups))).collect())
}

/// The groups of a match, or the match itself when there are none.
fn shown(text: &str, groups: &Groups) -> Vec<Value> {
    let from = usize::from(groups.len() > 1);
    groups.iter().skip(from).map(|range| part(text, *range)).collect()
}

pub(super) fn regexp_split_to_array(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let options = flags_of_one("regexp_split_to_array", text_or_null(arguments, 2)?)?;
    let subject = text(arguments, 0)?;
    let regex = compile(text(arguments, 1)?, options)?;
    let mut parts = Vec::new();
    let mut position = 0;
    for (start, end) in matches(&regex, subject, 0, true)?.iter().filter_map(whole) {
        parts.push(part(subject, Some((position, start))));
        position = end;
    }
    parts.push(part(subject, Some((position, subject.len()))));
    Ok(list(parts))
}

/// An argument that counts from 1, or its default.
fn positive(arguments: &[Value], position: usize, name: &str, default: usize) -> Result<usize> {
    if arguments.len() <= position {
        return Ok(default);
    }
    let value = int(arguments, position)?;
    let refuse = || invalid(format!("invalid value for parameter \"{name}\": {value}"));
    usize::try_from(value).ok().filter(|value| *value > 0).ok_or_else(refuse)
}

fn regexp_count(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let start = positive(arguments, 2, "start", 1)?;
    let options = flags_of_one("regexp_count", text_or_null(arguments, 3)?)?;
    let subject = text(arguments, 0)?;
    let regex = compile(text(arguments, 1)?, options)?;
    let Some(from) = offset(subject, start - 1) else { return Ok(Value::Int(0)) };
    count(matches(&regex, subject, from, false)?.len())
}

fn regexp_instr(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let start = positive(arguments, 2, "start", 1)?;
    let nth = positive(arguments, 3, "n", 1)?;
    let end = if arguments.len() > 4 { int(arguments, 4)? } else { 0 };
    if !(0..=1).contains(&end) {
        return Err(invalid(format!("invalid value for parameter \"endoption\": {end}")));
    }
    let options = flags_of_one("regexp_instr", text_or_null(arguments, 5)?)?;
    let group = if arguments.len() > 6 { int(arguments, 6)? } else { 0 };
    let group = usize::try_from(group)
        .map_err(|_| invalid(format!("invalid value for parameter \"subexpr\": {group}")))?;
    let subject = text(arguments, 0)?;
    let regex = compile(text(arguments, 1)?, options)?;
    let Some(from) = offset(subject, start - 1) else { return Ok(Value::Int(0)) };
    let found = matches(&regex, subject, from, false)?;
    let range = found.get(nth - 1).and_then(|groups| groups.get(group).copied().flatten());
    let Some((first, behind)) = range else { return Ok(Value::Int(0)) };
    count(subject[..if end == 1 { behind } else { first }].chars().count() + 1)
}

fn regexp_substr(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let start = positive(arguments, 2, "start", 1)?;
    let nth = positive(arguments, 3, "n", 1)?;
    let group = if arguments.len() > 5 { int(arguments, 5)? } else { 0 };
    let group = usize::try_from(group)
        .map_err(|_| invalid(format!("invalid value for parameter \"subexpr\": {group}")))?;
    let options = flags_of_one("regexp_substr", text_or_null(arguments, 4)?)?;
    let subject = text(arguments, 0)?;
    let regex = compile(text(arguments, 1)?, options)?;
    let Some(from) = offset(subject, start - 1) else { return Ok(Value::Null) };
    let found = matches(&regex, subject, from, false)?;
    let range = found.get(nth - 1).and_then(|groups| groups.get(group).copied().flatten());
    Ok(part(subject, range))
}

fn substring(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (subject, pattern) = (text(arguments, 0)?, text(arguments, 1)?);
    first_part(subject, pattern)
}

/// The first group of the first match, or all of it when there are no groups.
fn first_part(subject: &str, pattern: &str) -> Result<Value> {
    let found = compile(pattern, Options::default())?.find(subject, 0)?;
    let range = found.and_then(|groups| groups.get(1).or(groups.first()).copied().flatten());
    Ok(part(subject, range))
}

pub(super) fn regexp_replace(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let written = text_or_null(arguments, 3)?;
    if let Some(first) = written.and_then(|flags| flags.chars().next()).filter(char::is_ascii_digit) {
        let hint = "If you meant to use regexp_replace() with a start parameter, cast the fourth argument to integer explicitly.";
        return Err(invalid(format!("invalid regular expression option: \"{first}\"")).with_hint(hint));
    }
    let flags = flags(written)?;
    let regex = compile(text(arguments, 1)?, flags.options)?;
    ok_text(replace(&regex, text(arguments, 0)?, text(arguments, 2)?, 0, usize::from(!flags.global))?)
}

fn regexp_replace_from(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let start = positive(arguments, 3, "start", 1)?;
    let nth = if arguments.len() > 4 { Some(int(arguments, 4)?) } else { None };
    let refuse = |nth| invalid(format!("invalid value for parameter \"n\": {nth}"));
    let nth = nth.map(|nth| usize::try_from(nth).map_err(|_| refuse(nth))).transpose()?;
    let flags = flags(text_or_null(arguments, 5)?)?;
    let nth = nth.unwrap_or(usize::from(!flags.global));
    let subject = text(arguments, 0)?;
    let regex = compile(text(arguments, 1)?, flags.options)?;
    match offset(subject, start - 1) {
        Some(from) => ok_text(replace(&regex, subject, text(arguments, 2)?, from, nth)?),
        None => ok_text(subject),
    }
}

/// Replaces the n-th match, or all of them (0).
fn replace(regex: &Regex, subject: &str, replacement: &str, from: usize, nth: usize) -> Result<String> {
    let mut out = String::new();
    let (mut copied, mut position, mut seen) = (0, Some(from), 0);
    let mut steps = Steps::default();
    while let Some(from) = position {
        steps.next()?;
        fits(out.len())?;
        let Some(groups) = regex.find(subject, from)? else { break };
        let Some((start, end)) = whole(&groups) else { break };
        seen += 1;
        if nth == 0 || nth == seen {
            out.push_str(subject.get(copied..start).unwrap_or(""));
            substitute(&mut out, subject, &groups, replacement)?;
            copied = end;
        }
        if nth == seen {
            break;
        }
        position = after(subject, (start, end));
    }
    out.push_str(subject.get(copied..).unwrap_or(""));
    Ok(out)
}

/// Writes a replacement: `\1` to `\9` and `\&` stand for parts of the match.
fn substitute(out: &mut String, subject: &str, groups: &Groups, replacement: &str) -> Result<()> {
    let mut rest = replacement.chars();
    while let Some(c) = rest.next() {
        fits(out.len())?;
        if c != '\\' {
            out.push(c);
            continue;
        }
        let mut ahead = rest.clone();
        let group = match ahead.next() {
            Some('\\') => {
                out.push('\\');
                rest = ahead;
                continue;
            }
            Some('&') => 0,
            Some(digit @ '1'..='9') => {
                digit.to_digit(10).and_then(|digit| usize::try_from(digit).ok()).unwrap_or(0)
            }
            _ => {
                out.push('\\');
                continue;
            }
        };
        rest = ahead;
        let range = groups.get(group).copied().flatten();
        out.push_str(range.and_then(|(start, end)| subject.get(start..end)).unwrap_or(""));
    }
    Ok(())
}

fn substring_similar(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (Some(pattern), Some(escape)) = (text_or_null(arguments, 1)?, text_or_null(arguments, 2)?) else {
        return Ok(Value::Null);
    };
    let pattern = similar(pattern, escape)?;
    text_or_null(arguments, 0)?.map_or(Ok(Value::Null), |subject| first_part(subject, &pattern))
}

fn similar_to_escape(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    ok_text(similar(text(arguments, 0)?, text_or_null(arguments, 1)?.unwrap_or("\\"))?)
}

fn similar_escape(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    match text_or_null(arguments, 0)? {
        Some(pattern) => ok_text(similar(pattern, text_or_null(arguments, 1)?.unwrap_or("\\"))?),
        None => Ok(Value::Null),
    }
}

fn escape_error(message: &str) -> Error {
    Error::new(Code::ESCAPE_SEQUENCE, message)
}

/// The regular expression that an SQL pattern means.
fn similar(pattern: &str, escape: &str) -> Result<String> {
    let mut marks = escape.chars();
    let (mark, more) = (marks.next(), marks.next());
    if more.is_some() {
        return Err(
            escape_error("invalid escape string").with_hint("Escape string must be empty or one character.")
        );
    }
    let mut out = "^(?:".to_owned();
    let (mut in_brackets, mut separators, mut escaped) = (false, 0, false);
    for c in pattern.chars() {
        match c {
            '"' if escaped && !in_brackets => {
                out.push_str(match separators {
                    0 => "){1,1}?(",
                    1 => "){1,1}(?:",
                    _ => return Err(escape_error("SQL regular expression may not contain more than two escape-double-quote separators")),
                });
                separators += 1;
            }
            c if escaped => {
                out.push('\\');
                out.push(c);
            }
            c if Some(c) == mark => {
                escaped = true;
                continue;
            }
            '\\' if in_brackets => out.push_str("\\\\"),
            ']' if in_brackets => {
                out.push(']');
                in_brackets = false;
            }
            c if in_brackets => out.push(c),
            '[' => {
                out.push('[');
                in_brackets = true;
            }
            '%' => out.push_str(".*"),
            '_' => out.push('.'),
            '(' => out.push_str("(?:"),
            '\\' | '.' | '^' | '$' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
        escaped = false;
    }
    out.push_str(")$");
    Ok(out)
}
