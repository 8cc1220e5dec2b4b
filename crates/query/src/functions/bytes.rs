//! Binary strings, encodings and digests (PostgreSQL 9.5, pgcrypto's `digest` and `hmac`).

use std::sync::Arc;

use hmac::{Mac, SimpleHmac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};
use types::{Code, Error, Result, Value};

use super::arguments::{
    boolean, bytes, count, date, float, identifier, int, invalid, ok_text, text, timestamp,
};
use super::interrupt::Steps;
use super::text::range;
use super::{Context, Function, Ty};

const T: Ty = Ty::Text;
const B: Ty = Ty::Bytea;
const I: Ty = Ty::Int4;

pub(super) static ROWS: &[Function] = &[
    Function::operator("||", &[B, B], B, |_, a| ok(&[bytes(a, 0)?, bytes(a, 1)?].concat())),
    Function::new("length", &[B], I, |_, a| count(bytes(a, 0)?.len())).leakproof(),
    Function::new("octet_length", &[B], I, |_, a| count(bytes(a, 0)?.len())).leakproof(),
    Function::new("bit_length", &[B], I, |_, a| count(bytes(a, 0)?.len() * 8)),
    Function::new("substr", &[B, I], B, substring),
    Function::new("substr", &[B, I, I], B, substring),
    Function::new("substring", &[B, I], B, substring),
    Function::new("substring", &[B, I, I], B, substring),
    Function::new("get_byte", &[B, I], I, get_byte),
    Function::new("encode", &[B, T], T, encode),
    Function::new("decode", &[T, T], B, decode),
    Function::new("convert_from", &[B, T], T, convert_from).stable(),
    Function::new("convert_to", &[T, T], B, convert_to).stable(),
    Function::new("md5", &[T], T, |_, a| ok_text(hex(&Md5::digest(text(a, 0)?)))),
    Function::new("md5", &[B], T, |_, a| ok_text(hex(&Md5::digest(bytes(a, 0)?)))),
    Function::new("sha224", &[B], B, |_, a| ok(&Sha224::digest(bytes(a, 0)?))),
    Function::new("sha256", &[B], B, |_, a| ok(&Sha256::digest(bytes(a, 0)?))),
    Function::new("sha384", &[B], B, |_, a| ok(&Sha384::digest(bytes(a, 0)?))),
    Function::new("sha512", &[B], B, |_, a| ok(&Sha512::digest(bytes(a, 0)?))),
    Function::new("digest", &[T, T], B, |_, a| digest(text(a, 0)?.as_bytes(), text(a, 1)?)).of("pgcrypto"),
    Function::new("digest", &[B, T], B, |_, a| digest(bytes(a, 0)?, text(a, 1)?)).of("pgcrypto"),
    Function::new("hmac", &[T, T, T], B, |_, a| {
        hmac(text(a, 0)?.as_bytes(), text(a, 1)?.as_bytes(), text(a, 2)?)
    })
    .of("pgcrypto"),
    Function::new("hmac", &[B, B, T], B, |_, a| hmac(bytes(a, 0)?, bytes(a, 1)?, text(a, 2)?)).of("pgcrypto"),
    Function::new("gen_random_bytes", &[I], B, gen_random_bytes).volatile().of("pgcrypto"),
    Function::new("get_bit", &[B, Ty::Int8], I, get_bit),
    Function::new("set_bit", &[B, Ty::Int8, I], B, set_bit),
    Function::new("set_byte", &[B, I, I], B, set_byte),
    Function::new("bit_count", &[B], Ty::Int8, |_, a| {
        Ok(Value::Int(bytes(a, 0)?.iter().map(|byte| i64::from(byte.count_ones())).sum()))
    }),
    Function::new("btrim", &[B, B], B, |_, a| ok(trimmed(a, true, true)?)),
    Function::new("ltrim", &[B, B], B, |_, a| ok(trimmed(a, true, false)?)),
    Function::new("rtrim", &[B, B], B, |_, a| ok(trimmed(a, false, true)?)),
    Function::new("position", &[B, B], I, |_, a| {
        count(place(bytes(a, 0)?, bytes(a, 1)?)?.map_or(0, |at| at + 1))
    }),
    Function::new("overlay", &[B, B, I], B, overlay),
    Function::new("overlay", &[B, B, I, I], B, overlay),
    Function::new("int2send", &[Ty::Int2], B, |_, a| ok(integer(a)?.get(6..).unwrap_or_default())),
    Function::new("int4send", &[I], B, |_, a| ok(integer(a)?.get(4..).unwrap_or_default())),
    Function::new("int8send", &[Ty::Int8], B, |_, a| ok(&integer(a)?)),
    Function::new("float8send", &[Ty::Float8], B, |_, a| ok(&float(a, 0)?.to_be_bytes())),
    Function::new("boolsend", &[Ty::Bool], B, |_, a| ok(&[u8::from(boolean(a, 0)?)])),
    Function::new("textsend", &[T], B, |_, a| ok(text(a, 0)?.as_bytes())).stable(),
    Function::new("byteasend", &[B], B, |_, a| ok(bytes(a, 0)?)),
    Function::new("uuid_send", &[Ty::Uuid], B, |_, a| match a.first() {
        Some(Value::Uuid(bytes)) => ok(bytes),
        _ => Err(Error::internal("no uuid")),
    }),
    Function::new("date_send", &[Ty::Date], B, |_, a| ok(&date(a, 0)?.to_be_bytes())),
    Function::new("timestamp_send", &[Ty::Timestamp], B, |_, a| ok(&timestamp(a, 0)?.to_be_bytes())),
    Function::new("timestamptz_send", &[Ty::Timestamptz], B, |_, a| ok(&timestamp(a, 0)?.to_be_bytes())),
];

/// The bytes of an integer, the highest first.
fn integer(arguments: &[Value]) -> Result<[u8; 8]> {
    Ok(int(arguments, 0)?.to_be_bytes())
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of an evaluation")]
fn ok(bytes: &[u8]) -> Result<Value> {
    Ok(Value::Bytes(Arc::from(bytes)))
}

fn substring(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let whole = bytes(arguments, 0)?;
    let (start, end) = range(arguments)?;
    let clip = |position: i64| usize::try_from(position).unwrap_or(usize::MAX).min(whole.len());
    ok(whole.get(clip(start)..clip(end)).unwrap_or(&[]))
}

fn get_byte(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (whole, position) = (bytes(arguments, 0)?, int(arguments, 1)?);
    let byte = usize::try_from(position).ok().and_then(|at| whole.get(at));
    byte.map(|byte| Value::Int((*byte).into())).ok_or_else(|| {
        let last = i64::try_from(whole.len()).unwrap_or(i64::MAX) - 1;
        Error::new(Code::ARRAY_SUBSCRIPT, format!("index {position} out of valid range, 0..{last}"))
    })
}

/// An index below a length.
fn index(position: i64, length: usize) -> Result<usize> {
    usize::try_from(position).ok().filter(|at| *at < length).ok_or_else(|| {
        let last = i64::try_from(length).unwrap_or(i64::MAX) - 1;
        Error::new(Code::ARRAY_SUBSCRIPT, format!("index {position} out of valid range, 0..{last}"))
    })
}

fn get_bit(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let whole = bytes(arguments, 0)?;
    let at = index(int(arguments, 1)?, whole.len() * 8)?;
    Ok(Value::Int((whole[at / 8] >> (at % 8) & 1).into()))
}

fn set_bit(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let mut whole = bytes(arguments, 0)?.to_vec();
    let (at, bit) = (index(int(arguments, 1)?, whole.len() * 8)?, int(arguments, 2)?);
    if !matches!(bit, 0 | 1) {
        return Err(invalid("new bit must be 0 or 1"));
    }
    let mask = 1 << (at % 8);
    whole[at / 8] = if bit == 1 { whole[at / 8] | mask } else { whole[at / 8] & !mask };
    ok(&whole)
}

fn set_byte(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let mut whole = bytes(arguments, 0)?.to_vec();
    let at = index(int(arguments, 1)?, whole.len())?;
    // The lowest eight bits count.
    whole[at] = u8::try_from(int(arguments, 2)? & 0xff).unwrap_or(0);
    ok(&whole)
}

/// Where a part begins.
fn place(whole: &[u8], part: &[u8]) -> Result<Option<usize>> {
    let mut steps = Steps::default();
    for at in 0..=whole.len().saturating_sub(part.len()) {
        steps.over(part.len())?;
        if whole.get(at..at + part.len()) == Some(part) {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

fn trimmed(arguments: &[Value], start: bool, end: bool) -> Result<&[u8]> {
    let mut whole = bytes(arguments, 0)?;
    let mut is_cut = [false; 256];
    bytes(arguments, 1)?.iter().for_each(|byte| is_cut[usize::from(*byte)] = true);
    let is_cut = |byte: u8| is_cut[usize::from(byte)];
    while let Some((_, rest)) = whole.split_first().filter(|(first, _)| start && is_cut(**first)) {
        whole = rest;
    }
    while let Some((_, rest)) = whole.split_last().filter(|(last, _)| end && is_cut(**last)) {
        whole = rest;
    }
    Ok(whole)
}

fn overlay(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (whole, new, start) = (bytes(arguments, 0)?, bytes(arguments, 1)?, int(arguments, 2)?);
    let length = i64::try_from(new.len()).unwrap_or(i64::MAX);
    let taken = if arguments.len() > 3 { int(arguments, 3)? } else { length };
    if start <= 0 {
        return Err(Error::new(Code::SUBSTRING_ERROR, "negative substring length not allowed"));
    }
    let end = start + taken;
    if i32::try_from(end).is_err() {
        return Err(super::arguments::out_of_range("integer"));
    }
    let clip = |position: i64| usize::try_from(position.max(0)).unwrap_or(usize::MAX).min(whole.len());
    let (before, behind) = (&whole[..clip(start - 1)], &whole[clip(end - 1)..]);
    ok(&[before, new, behind].concat())
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn unknown_encoding(name: &str) -> Error {
    invalid(format!("unrecognized encoding: \"{name}\""))
}

fn encode(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (whole, encoding) = (bytes(arguments, 0)?, text(arguments, 1)?);
    match encoding.to_ascii_lowercase().as_str() {
        "hex" => ok_text(hex(whole)),
        "base64" => ok_text(base64(whole)),
        "escape" => ok_text(escape(whole)),
        _ => Err(unknown_encoding(encoding)),
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 with a line break after every 76 characters, as RFC 2045 and PostgreSQL have it.
pub(super) fn base64(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() / 3 * 4 + 4);
    for (group, chunk) in bytes.chunks(3).enumerate() {
        if group > 0 && group % 19 == 0 {
            out.push('\n');
        }
        let part = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let word = (part(0) << 16) | (part(1) << 8) | part(2);
        for at in 0..4 {
            let digit = usize::try_from(word >> (18 - 6 * at) & 63).unwrap_or(0);
            out.push(if at > u32::try_from(chunk.len()).unwrap_or(3) {
                '='
            } else {
                char::from(ALPHABET[digit])
            });
        }
    }
    out
}

fn escape(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'\\' => out.push_str("\\\\"),
            0 | 0x80.. => out.push_str(&format!("\\{byte:03o}")),
            byte => out.push(char::from(*byte)),
        }
    }
    out
}

fn decode(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (written, encoding) = (text(arguments, 0)?, text(arguments, 1)?);
    match encoding.to_ascii_lowercase().as_str() {
        "hex" => ok(&from_hex(written)?),
        "base64" => ok(&from_base64(written)?),
        "escape" => ok(&from_escape(written)?),
        _ => Err(unknown_encoding(encoding)),
    }
}

fn from_hex(text: &str) -> Result<Vec<u8>> {
    let mut digits = Vec::new();
    let mut bytes = Vec::new();
    for c in text.chars() {
        match c.to_digit(16) {
            Some(digit) => digits.push(u8::try_from(digit).unwrap_or(0)),
            None if digits.is_empty() && matches!(c, ' ' | '\n' | '\t' | '\r') => {}
            None => return Err(invalid(format!("invalid hexadecimal digit: \"{c}\""))),
        }
        if let [high, low] = digits[..] {
            bytes.push(high << 4 | low);
            digits.clear();
        }
    }
    if digits.is_empty() { Ok(bytes) } else { Err(invalid("invalid hexadecimal data: odd number of digits")) }
}

/// What base64 stands for, white space between its digits excepted.
///
/// # Errors
/// `22023` for anything else.
pub(super) fn from_base64(text: &str) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let (mut word, mut filled, mut end) = (0_u32, 0, 0);
    for c in text.chars().filter(|c| !matches!(c, ' ' | '\t' | '\n' | '\r')) {
        let digit = ALPHABET.iter().position(|digit| char::from(*digit) == c);
        let value = match (c, digit) {
            ('=', _) if end == 0 && filled < 2 => {
                return Err(invalid("unexpected \"=\" while decoding base64 sequence"));
            }
            ('=', _) => {
                if end == 0 {
                    end = filled;
                }
                0
            }
            (_, Some(digit)) => u32::try_from(digit).unwrap_or(0),
            (c, None) => {
                return Err(invalid(format!("invalid symbol \"{c}\" found while decoding base64 sequence")));
            }
        };
        word = word << 6 | value;
        filled += 1;
        if filled == 4 {
            let bytes = [word >> 16, word >> 8, word].map(|part| u8::try_from(part & 0xff).unwrap_or(0));
            let kept = if end == 0 { 3 } else { end - 1 };
            out.extend(bytes.into_iter().take(kept));
            (word, filled) = (0, 0);
        }
    }
    if filled == 0 { Ok(out) } else { Err(invalid("invalid base64 end sequence").with_hint(BASE64_HINT)) }
}

const BASE64_HINT: &str = "Input data is missing padding, is truncated, or is otherwise corrupted.";

fn from_escape(text: &str) -> Result<Vec<u8>> {
    let invalid = || Error::new(Code::INVALID_TEXT, "invalid input syntax for type bytea");
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    loop {
        rest = match rest {
            [] => return Ok(out),
            [b'\\', b'\\', rest @ ..] => {
                out.push(b'\\');
                rest
            }
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', rest @ ..] => {
                out.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest
            }
            [b'\\', ..] => return Err(invalid()),
            [byte, rest @ ..] => {
                out.push(*byte);
                rest
            }
        };
    }
}

/// Names of PostgreSQL's other encodings, as they are compared: letters and digits.
const ENCODINGS: &[&str] = &[
    "abc",
    "alt",
    "big5",
    "euccn",
    "eucjis2004",
    "eucjp",
    "euckr",
    "euctw",
    "gb18030",
    "gbk",
    "iso88591",
    "iso885910",
    "iso885913",
    "iso885914",
    "iso885915",
    "iso885916",
    "iso88592",
    "iso88593",
    "iso88594",
    "iso88595",
    "iso88596",
    "iso88597",
    "iso88598",
    "iso88599",
    "johab",
    "koi8",
    "koi8r",
    "koi8u",
    "latin1",
    "latin10",
    "latin2",
    "latin3",
    "latin4",
    "latin5",
    "latin6",
    "latin7",
    "latin8",
    "latin9",
    "mskanji",
    "muleinternal",
    "shiftjis",
    "shiftjis2004",
    "sjis",
    "sqlascii",
    "tcvn",
    "tcvn5712",
    "uhc",
    "vscii",
    "win",
    "win1250",
    "win1251",
    "win1252",
    "win1253",
    "win1254",
    "win1255",
    "win1256",
    "win1257",
    "win1258",
    "win866",
    "win874",
    "win932",
    "win936",
    "win949",
    "win950",
    "windows1250",
    "windows1251",
    "windows1252",
    "windows1253",
    "windows1254",
    "windows1255",
    "windows1256",
    "windows1257",
    "windows1258",
    "windows866",
    "windows874",
    "windows932",
    "windows936",
    "windows949",
    "windows950",
];

/// `UTF8` and its other spellings; every other encoding is refused.
fn utf8(name: &str, role: &str) -> Result<()> {
    let name = identifier(name);
    let word: String =
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    match word.as_str() {
        "utf8" | "unicode" => Ok(()),
        known if ENCODINGS.contains(&known) => Err(Error::missing(format!("the encoding \"{name}\""))),
        _ => Err(invalid(format!("invalid {role} encoding name \"{name}\""))),
    }
}

fn convert_from(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    utf8(text(arguments, 1)?, "source")?;
    let whole = bytes(arguments, 0)?;
    match std::str::from_utf8(whole) {
        Ok(text) if !text.contains('\0') => ok_text(text),
        Ok(_) => Err(not_utf8(&[0])),
        Err(error) if whole.iter().take(error.valid_up_to()).any(|byte| *byte == 0) => Err(not_utf8(&[0])),
        Err(error) => {
            let start = error.valid_up_to();
            let first = whole.get(start).copied().unwrap_or(0);
            let length = match first {
                0xc0..=0xdf => 2,
                0xe0..=0xef => 3,
                0xf0..=0xf7 => 4,
                _ => 1,
            };
            Err(not_utf8(whole.get(start..(start + length).min(whole.len())).unwrap_or(&[])))
        }
    }
}

fn not_utf8(bytes: &[u8]) -> Error {
    let shown: Vec<String> = bytes.iter().map(|byte| format!("0x{byte:02x}")).collect();
    Error::new(
        Code::NOT_IN_REPERTOIRE,
        format!("invalid byte sequence for encoding \"UTF8\": {}", shown.join(" ")),
    )
}

fn convert_to(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    utf8(text(arguments, 1)?, "destination")?;
    ok(text(arguments, 0)?.as_bytes())
}

fn digest(data: &[u8], algorithm: &str) -> Result<Value> {
    let algorithm = identifier(algorithm).to_ascii_lowercase();
    match algorithm.as_str() {
        "md5" => ok(&Md5::digest(data)),
        "sha1" => ok(&Sha1::digest(data)),
        "sha224" => ok(&Sha224::digest(data)),
        "sha256" => ok(&Sha256::digest(data)),
        "sha384" => ok(&Sha384::digest(data)),
        "sha512" => ok(&Sha512::digest(data)),
        _ => Err(unusable(&algorithm)),
    }
}

fn unusable(algorithm: &str) -> Error {
    invalid(format!("Cannot use \"{algorithm}\": No such hash algorithm"))
}

fn hmac(data: &[u8], key: &[u8], algorithm: &str) -> Result<Value> {
    fn mac<D: Digest + hmac::digest::core_api::BlockSizeUser>(data: &[u8], key: &[u8]) -> Result<Value> {
        let mut mac = <SimpleHmac<D> as Mac>::new_from_slice(key).map_err(Error::internal)?;
        mac.update(data);
        ok(&mac.finalize().into_bytes())
    }
    let algorithm = identifier(algorithm).to_ascii_lowercase();
    match algorithm.as_str() {
        "md5" => mac::<Md5>(data, key),
        "sha1" => mac::<Sha1>(data, key),
        "sha224" => mac::<Sha224>(data, key),
        "sha256" => mac::<Sha256>(data, key),
        "sha384" => mac::<Sha384>(data, key),
        "sha512" => mac::<Sha512>(data, key),
        _ => Err(unusable(&algorithm)),
    }
}

fn gen_random_bytes(context: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    match usize::try_from(int(arguments, 0)?) {
        Ok(length @ 1..=1024) => {
            let mut buffer = vec![0; length];
            (context.random)(&mut buffer);
            ok(&buffer)
        }
        _ => Err(Error::new(Code::INVALID_PARAMETER, "Length not in range")),
    }
}
