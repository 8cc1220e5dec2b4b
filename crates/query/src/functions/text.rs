//! Character strings (PostgreSQL 9.4). Positions and lengths are characters.

use std::cmp::Ordering;
use std::collections::HashMap;

use types::{Code, Error, Result, Value};
use unicode_normalization::UnicodeNormalization;

use super::arguments::{count, int, invalid, ok_text, out_of_range, text};
use super::interrupt::{Steps, VALUE_BYTES_MAX, fits};
use super::{Context, Function, Ty};

const T: Ty = Ty::Text;
const I: Ty = Ty::Int4;
const P: Ty = Ty::Bpchar;

pub(super) static ROWS: &[Function] = &[
    Function::operator("||", &[T, T], T, |_, a| ok_text([text(a, 0)?, text(a, 1)?].concat())),
    Function::operator("^@", &[T, T], Ty::Bool, starts_with).leakproof(),
    Function::new("starts_with", &[T, T], Ty::Bool, starts_with).leakproof(),
    Function::new("lower", &[T], T, |_, a| ok_text(lower(text(a, 0)?))),
    Function::new("upper", &[T], T, |_, a| ok_text(upper(text(a, 0)?))),
    Function::new("initcap", &[T], T, |_, a| ok_text(initcap(text(a, 0)?))),
    Function::new("length", &[T], I, length).leakproof(),
    Function::new("length", &[Ty::Bpchar], I, unpadded_length).leakproof(),
    Function::new("char_length", &[T], I, length).leakproof(),
    Function::new("char_length", &[Ty::Bpchar], I, unpadded_length).leakproof(),
    Function::new("character_length", &[T], I, length).leakproof(),
    Function::new("character_length", &[Ty::Bpchar], I, unpadded_length).leakproof(),
    Function::new("octet_length", &[T], I, |_, a| count(text(a, 0)?.len())).leakproof(),
    Function::new("octet_length", &[Ty::Bpchar], I, |_, a| count(text(a, 0)?.len())).leakproof(),
    Function::new("bit_length", &[T], I, |_, a| count(text(a, 0)?.len() * 8)),
    Function::new("btrim", &[T], T, |_, a| ok_text(text(a, 0)?.trim_matches(' '))),
    Function::new("btrim", &[T, T], T, |_, a| ok_text(text(a, 0)?.trim_matches(one_of(text(a, 1)?)))),
    Function::new("ltrim", &[T], T, |_, a| ok_text(text(a, 0)?.trim_start_matches(' '))),
    Function::new("ltrim", &[T, T], T, |_, a| ok_text(text(a, 0)?.trim_start_matches(one_of(text(a, 1)?)))),
    Function::new("rtrim", &[T], T, |_, a| ok_text(text(a, 0)?.trim_end_matches(' '))),
    Function::new("rtrim", &[T, T], T, |_, a| ok_text(text(a, 0)?.trim_end_matches(one_of(text(a, 1)?)))),
    Function::new("substr", &[T, I], T, substring),
    Function::new("substr", &[T, I, I], T, substring),
    Function::new("substring", &[T, I], T, substring),
    Function::new("substring", &[T, I, I], T, substring),
    Function::new("overlay", &[T, T, I], T, overlaid),
    Function::new("overlay", &[T, T, I, I], T, overlaid),
    Function::new("left", &[T, I], T, left),
    Function::new("right", &[T, I], T, right),
    Function::new("lpad", &[T, I], T, lpad),
    Function::new("lpad", &[T, I, T], T, lpad),
    Function::new("rpad", &[T, I], T, rpad),
    Function::new("rpad", &[T, I, T], T, rpad),
    Function::new("repeat", &[T, I], T, repeat),
    Function::new("replace", &[T, T, T], T, replace),
    Function::new("translate", &[T, T, T], T, translate),
    Function::new("reverse", &[T], T, |_, a| ok_text(text(a, 0)?.chars().rev().collect::<String>())),
    Function::new("split_part", &[T, T, I], T, split_part),
    Function::new("strpos", &[T, T], I, position),
    Function::new("position", &[T, T], I, position),
    Function::new("ascii", &[T], I, |_, a| {
        Ok(Value::Int(text(a, 0)?.chars().next().map_or(0, |c| i64::from(u32::from(c)))))
    }),
    Function::new("chr", &[I], T, chr),
    Function::new("to_hex", &[I], T, |_, a| ok_text(format!("{:x}", int(a, 0)? & 0xffff_ffff))),
    Function::new("to_hex", &[Ty::Int8], T, |_, a| ok_text(format!("{:x}", int(a, 0)?))),
    Function::operator("~<~", &[T, T], Ty::Bool, |_, a| in_order(a, Ordering::is_lt)),
    Function::operator("~<=~", &[T, T], Ty::Bool, |_, a| in_order(a, Ordering::is_le)),
    Function::operator("~>~", &[T, T], Ty::Bool, |_, a| in_order(a, Ordering::is_gt)),
    Function::operator("~>=~", &[T, T], Ty::Bool, |_, a| in_order(a, Ordering::is_ge)),
    Function::operator("~<~", &[P, P], Ty::Bool, |_, a| unpadded_in_order(a, Ordering::is_lt)),
    Function::operator("~<=~", &[P, P], Ty::Bool, |_, a| unpadded_in_order(a, Ordering::is_le)),
    Function::operator("~>~", &[P, P], Ty::Bool, |_, a| unpadded_in_order(a, Ordering::is_gt)),
    Function::operator("~>=~", &[P, P], Ty::Bool, |_, a| unpadded_in_order(a, Ordering::is_ge)),
    Function::new("normalize", &[T, T], T, |_, a| normalized(a).and_then(ok_text)).optional(1),
    Function::new("is_normalized", &[T, T], Ty::Bool, |_, a| Ok(Value::Bool(normalized(a)? == text(a, 0)?)))
        .optional(1),
    Function::new("unistr", &[T], T, |_, a| unescaped(text(a, 0)?).and_then(ok_text)),
    Function::new("quote_ident", &[T], T, |_, a| ok_text(super::format::quote_ident(text(a, 0)?))),
    Function::new("quote_literal", &[T], T, |_, a| ok_text(super::format::quote_literal(text(a, 0)?))),
];

/// The characters of a trim set.
fn one_of(set: &str) -> impl Fn(char) -> bool {
    let mut set: Vec<char> = set.chars().collect();
    set.sort_unstable();
    move |c| set.binary_search(&c).is_ok()
}

/// The order by bytes.
fn in_order(arguments: &[Value], wanted: fn(Ordering) -> bool) -> Result<Value> {
    Ok(Value::Bool(wanted(text(arguments, 0)?.cmp(text(arguments, 1)?))))
}

/// The same without the padding of `character(n)`.
fn unpadded_in_order(arguments: &[Value], wanted: fn(Ordering) -> bool) -> Result<Value> {
    let (left, right) =
        (text(arguments, 0)?.trim_end_matches(' '), text(arguments, 1)?.trim_end_matches(' '));
    Ok(Value::Bool(wanted(left.cmp(right))))
}

/// One of the four forms of Unicode.
fn normalized(arguments: &[Value]) -> Result<String> {
    let whole = text(arguments, 0)?;
    let form = if arguments.len() > 1 { text(arguments, 1)? } else { "NFC" };
    Ok(match form.to_ascii_uppercase().as_str() {
        "NFC" => whole.nfc().collect(),
        "NFD" => whole.nfd().collect(),
        "NFKC" => whole.nfkc().collect(),
        "NFKD" => whole.nfkd().collect(),
        _ => return Err(invalid(format!("invalid normalization form: {form}"))),
    })
}

/// A text in which `\XXXX`, `\+XXXXXX`, `\uXXXX` and `\UXXXXXXXX` stand for characters.
fn unescaped(written: &str) -> Result<String> {
    let mut out = String::with_capacity(written.len());
    let mut rest = written;
    let mut high = None;
    while let Some((before, behind)) = rest.split_once('\\') {
        push_plain(&mut out, before, high)?;
        if let Some(behind) = behind.strip_prefix('\\') {
            push_plain(&mut out, "\\", high)?;
            rest = behind;
            continue;
        }
        let (marks, digits) = match behind.chars().next() {
            Some('+') => (1, 6),
            Some('u') => (1, 4),
            Some('U') => (1, 8),
            _ => (0, 4),
        };
        let digits = behind.get(marks..marks + digits).filter(|digits| is_hexadecimal(digits));
        let digits = digits.ok_or_else(bad_escape)?;
        let code = u32::from_str_radix(digits, 16).map_err(|_| bad_escape())?;
        rest = behind.get(marks + digits.len()..).unwrap_or("");
        high = push_code(&mut out, code, high)?;
    }
    push_plain(&mut out, rest, high)?;
    if rest.is_empty() && high.is_some() {
        return Err(bad_pair());
    }
    Ok(out)
}

fn is_hexadecimal(digits: &str) -> bool {
    digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}

fn push_plain(out: &mut String, text: &str, high: Option<u32>) -> Result<()> {
    if high.is_some() && !text.is_empty() {
        return Err(bad_pair());
    }
    out.push_str(text);
    Ok(())
}

/// A character, or the first half of one, which is given back.
fn push_code(out: &mut String, code: u32, high: Option<u32>) -> Result<Option<u32>> {
    let code = match (high, code) {
        (None, 0xd800..0xdc00) => return Ok(Some(code)),
        (Some(high), 0xdc00..0xe000) => 0x10000 + ((high - 0xd800) << 10) + (code - 0xdc00),
        (Some(_), _) | (None, 0xdc00..0xe000) => return Err(bad_pair()),
        (None, code) => code,
    };
    match char::from_u32(code) {
        Some(c) if c != '\0' => out.push(c),
        _ => {
            return Err(invalid(format!("invalid Unicode code point: {code:04X}")));
        }
    }
    Ok(None)
}

fn bad_escape() -> Error {
    Error::new(Code::SYNTAX, "invalid Unicode escape")
        .with_hint("Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX.")
}

fn bad_pair() -> Error {
    Error::new(Code::SYNTAX, "invalid Unicode surrogate pair")
}

fn starts_with(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    Ok(Value::Bool(text(arguments, 0)?.starts_with(text(arguments, 1)?)))
}

fn length(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    count(text(arguments, 0)?.chars().count())
}

/// The padding of `character(n)` does not count.
fn unpadded_length(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    count(text(arguments, 0)?.trim_end_matches(' ').chars().count())
}

/// The lower-case character of the C library: one character for one.
pub(super) fn lower_char(c: char) -> char {
    let mut mapped = c.to_lowercase();
    match (mapped.next(), c) {
        (_, 'İ') => 'i',
        (Some(lower), _) if mapped.next().is_none() => lower,
        _ => c,
    }
}

/// The upper-case character of the C library: one character for one.
pub(super) fn upper_char(c: char) -> char {
    let mut mapped = c.to_uppercase();
    match (mapped.next(), mapped.next(), c) {
        (_, _, 'ᾀ'..='ᾇ' | 'ᾐ'..='ᾗ' | 'ᾠ'..='ᾧ') => {
            char::from_u32(u32::from(c) + 8).unwrap_or(c)
        }
        (_, _, 'ᾳ' | 'ῃ' | 'ῳ') => char::from_u32(u32::from(c) + 9).unwrap_or(c),
        (Some(upper), None, _) => upper,
        _ => c,
    }
}

/// `lower(text)`
pub(super) fn lower(text: &str) -> String {
    text.chars().map(lower_char).collect()
}

/// `upper(text)`
pub(super) fn upper(text: &str) -> String {
    text.chars().map(upper_char).collect()
}

fn initcap(text: &str) -> String {
    let mut inside = false;
    let change = |c: char| {
        let changed = if inside { lower_char(c) } else { upper_char(c) };
        inside = c.is_alphanumeric();
        changed
    };
    text.chars().map(change).collect()
}

/// The characters at positions `start..end`, from 0.
pub(super) fn slice(text: &str, start: i64, end: i64) -> &str {
    let offset = |position: i64| {
        let position = usize::try_from(position).unwrap_or(0);
        if text.is_ascii() {
            position.min(text.len())
        } else {
            text.char_indices().nth(position).map_or(text.len(), |(at, _)| at)
        }
    };
    let (start, end) = (offset(start), offset(end));
    text.get(start..end).unwrap_or("")
}

/// The range `start..end` (from 0) that positions and lengths of `substring` mean.
pub(super) fn range(arguments: &[Value]) -> Result<(i64, i64)> {
    let start = int(arguments, 1)?;
    if arguments.len() == 2 {
        return Ok(((start - 1).max(0), i64::MAX));
    }
    let length = int(arguments, 2)?;
    if length < 0 {
        return Err(Error::new(Code::SUBSTRING_ERROR, "negative substring length not allowed"));
    }
    Ok(((start - 1).max(0), (start - 1 + length).max(0)))
}

fn substring(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (start, end) = range(arguments)?;
    ok_text(slice(text(arguments, 0)?, start, end))
}

/// A text with a part of it replaced.
pub(super) fn overlaid(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (whole, part, start) = (text(arguments, 0)?, text(arguments, 1)?, int(arguments, 2)?);
    let length = if arguments.len() > 3 {
        int(arguments, 3)?
    } else {
        i64::try_from(part.chars().count()).unwrap_or(i64::MAX)
    };
    if start <= 0 {
        return Err(Error::new(Code::SUBSTRING_ERROR, "negative substring length not allowed"));
    }
    let end = i32::try_from(start + length).map_err(|_| out_of_range("integer"))?;
    ok_text([slice(whole, 0, start - 1), part, slice(whole, i64::from(end).max(1) - 1, i64::MAX)].concat())
}

/// How many characters `left` and `right` keep: a negative number leaves out as many.
fn kept(text: &str, wanted: i64) -> i64 {
    let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    if wanted < 0 { (length + wanted).max(0) } else { wanted.min(length) }
}

fn left(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let whole = text(arguments, 0)?;
    ok_text(slice(whole, 0, kept(whole, int(arguments, 1)?)))
}

fn right(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let whole = text(arguments, 0)?;
    let length = i64::try_from(whole.chars().count()).unwrap_or(i64::MAX);
    let wanted = int(arguments, 1)?;
    ok_text(slice(whole, length - kept(whole, wanted), i64::MAX))
}

fn too_large() -> Error {
    Error::new(Code::LIMIT_EXCEEDED, "requested length too large")
}

/// The padding of `lpad` and `rpad`, and how much of the text remains.
fn padding(arguments: &[Value]) -> Result<(String, &str)> {
    let (whole, length) = (text(arguments, 0)?, int(arguments, 1)?.max(0));
    let fill = if arguments.len() > 2 { text(arguments, 2)? } else { " " };
    let wanted = usize::try_from(length).map_err(|_| too_large())?;
    let own = whole.chars().count();
    let missing = if fill.is_empty() { 0 } else { wanted.saturating_sub(own) };
    if (own.min(wanted) + missing).saturating_mul(4) > VALUE_BYTES_MAX {
        return Err(too_large());
    }
    Ok((fill.chars().cycle().take(missing).collect(), slice(whole, 0, length)))
}

fn lpad(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (padding, kept) = padding(arguments)?;
    ok_text(padding + kept)
}

fn rpad(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (padding, kept) = padding(arguments)?;
    ok_text([kept, &padding].concat())
}

fn repeat(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (part, times) = (text(arguments, 0)?, int(arguments, 1)?);
    let times = usize::try_from(times).unwrap_or(0);
    if part.len().saturating_mul(times) > VALUE_BYTES_MAX {
        return Err(too_large());
    }
    ok_text(part.repeat(times))
}

fn replace(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (whole, from, to) = (text(arguments, 0)?, text(arguments, 1)?, text(arguments, 2)?);
    if from.is_empty() {
        return ok_text(whole);
    }
    // What grows might grow beyond all bounds.
    if to.len() > from.len() {
        let times = whole.matches(from).count();
        fits(whole.len().saturating_add((to.len() - from.len()).saturating_mul(times)))?;
    }
    ok_text(whole.replace(from, to))
}

pub(super) fn translate(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (whole, from, to) = (text(arguments, 0)?, text(arguments, 1)?, text(arguments, 2)?);
    let mut to = to.chars();
    let mut changes = HashMap::new();
    for from in from.chars() {
        let to = to.next();
        // Of a character that stands there twice, the first counts.
        changes.entry(from).or_insert(to);
    }
    let (mut out, mut steps) = (String::new(), Steps::default());
    for c in whole.chars() {
        steps.next()?;
        out.extend(changes.get(&c).copied().unwrap_or(Some(c)));
    }
    ok_text(out)
}

pub(super) fn split_part(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (whole, separator, position) = (text(arguments, 0)?, text(arguments, 1)?, int(arguments, 2)?);
    if position == 0 {
        return Err(invalid("field position must not be zero"));
    }
    if whole.is_empty() {
        return ok_text("");
    }
    let at = usize::try_from(position.unsigned_abs() - 1).unwrap_or(usize::MAX);
    let part = match (separator.is_empty(), position > 0) {
        (true, _) => (at == 0).then_some(whole),
        (false, true) => whole.split(separator).nth(at),
        (false, false) => whole.split(separator).collect::<Vec<_>>().into_iter().rev().nth(at),
    };
    ok_text(part.unwrap_or(""))
}

fn position(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (whole, part) = (text(arguments, 0)?, text(arguments, 1)?);
    match whole.find(part) {
        Some(at) => count(whole.get(..at).map_or(0, |before| before.chars().count()) + 1),
        None => Ok(Value::Int(0)),
    }
}

fn chr(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let code = int(arguments, 0)?;
    let refuse = |message: String| Err(Error::new(Code::LIMIT_EXCEEDED, message));
    match u32::try_from(code) {
        Err(_) => Err(invalid("character number must be positive")),
        Ok(0) => refuse("null character not permitted".to_owned()),
        Ok(code) if code > 0x10_ffff => refuse(format!("requested character too large for encoding: {code}")),
        Ok(code) => match char::from_u32(code) {
            Some(c) => ok_text(c.to_string()),
            None => refuse(format!("requested character not valid for encoding: {code}")),
        },
    }
}
