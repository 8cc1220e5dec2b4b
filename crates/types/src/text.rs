//! Input and output functions of every type: text to value, value to text.

use std::sync::Arc;

use crate::datetime::{self, Style};
use crate::json::{self, DEPTH_MAX};
use crate::numeric::Numeric;
use crate::session::Session;
use crate::timetz::Timetz;
use crate::{Code, Error, Modifier, Result, Type, Value, array, interval, jsonpath, range, vector};

fn invalid(ty: &str, text: &str) -> Error {
    Error::new(Code::INVALID_TEXT, format!("invalid input syntax for type {ty}: \"{text}\""))
}

fn out_of_range(ty: &str, text: &str) -> Error {
    Error::new(Code::NUMERIC_OUT_OF_RANGE, format!("value \"{text}\" is out of range for type {ty}"))
}

/// A value from text: the type's input function.
///
/// # Errors
/// PostgreSQL's, with its codes and texts; `0A000` for types without an input function here.
pub fn parse(ty: &Type, text: &str, session: &Session) -> Result<Value> {
    Ok(match ty {
        Type::Bool => Value::Bool(boolean(text)?),
        Type::Int2 => Value::Int(integer(text, "smallint", i64::from(i16::MIN), i64::from(i16::MAX))?),
        Type::Int4 => Value::Int(integer(text, "integer", i64::from(i32::MIN), i64::from(i32::MAX))?),
        Type::Int8 => Value::Int(integer(text, "bigint", i64::MIN, i64::MAX)?),
        Type::Float4 => Value::Float(float4(text)?),
        Type::Float8 => Value::Float(float8(text)?),
        Type::Numeric => {
            let number = Numeric::parse(text)?;
            session.grow(text.len(), number.bytes())?;
            Value::Numeric(number)
        }
        Type::Text | Type::Varchar | Type::Bpchar | Type::Citext | Type::Unknown | Type::Opaque(_) => {
            Value::text(no_nul(text)?)
        }
        Type::Uuid => Value::Uuid(uuid(text).ok_or_else(|| invalid("uuid", text))?),
        Type::Bytea => Value::Bytes(
            bytes(text)
                .ok_or_else(|| Error::new(Code::INVALID_TEXT, "invalid input syntax for type bytea"))?
                .into(),
        ),
        Type::Json => {
            json::parse(text, DEPTH_MAX)?;
            Value::text(text)
        }
        Type::Jsonb => {
            let document = json::normalize_jsonb(text)?;
            session.grow(text.len(), document.len())?;
            Value::text(document)
        }
        Type::Jsonpath => Value::text(jsonpath::print(&jsonpath::parse(text)?)),
        Type::Date => Value::Date(datetime::parse_date(text, session)?),
        Type::Time => Value::Time(datetime::parse_time(text, session)?),
        Type::Timestamp => Value::Timestamp(datetime::parse_timestamp(text, session, false)?),
        Type::Timestamptz => Value::Timestamp(datetime::parse_timestamp(text, session, true)?),
        Type::Interval => Value::Interval(interval::parse(text)?),
        Type::Enum(declared) => match declared.labels.iter().find(|label| &***label == text) {
            Some(label) => Value::Text(label.clone()),
            None => {
                let name = crate::ty::format_type(ty, None);
                return Err(Error::new(
                    Code::INVALID_TEXT,
                    format!("invalid input value for enum {name}: \"{text}\""),
                ));
            }
        },
        Type::Array(element) => {
            Value::Array(Arc::new(array::parse(text, &|item| parse(element, item, session))?))
        }
        Type::Range(subtype) => Value::text(range::parse(subtype, text, session)?),
        Type::Inet | Type::Cidr => Value::text(network(ty, text)?),
        Type::Tsvector => Value::text(crate::search::Vector::parse(text)?.to_string()),
        Type::Tsquery => Value::text(crate::search::print(crate::search::parse(text)?.as_ref())),
        Type::Vector => Value::Bytes(vector::parse(text)?),
        Type::Bit | Type::Varbit => Value::text(bits(text)?),
        Type::Timetz => Value::text(datetime::parse_timetz(text, session)?.to_string()),
        Type::Composite(_) | Type::Void => {
            return Err(Error::missing(format!(
                "reading values of type {}",
                crate::ty::format_type(ty, None)
            )));
        }
    })
}

/// A value as text: the type's output function. Null prints as nothing.
pub fn print(ty: &Type, value: &Value, session: &Session) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(value) => if *value { "t" } else { "f" }.to_owned(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => print_float(*value, *ty == Type::Float4),
        Value::Numeric(number) => number.to_string(),
        Value::Text(text) => match ty {
            Type::Range(subtype) => range::zoned(subtype, text, session),
            _ => text.to_string(),
        },
        Value::Uuid(bytes) => print_uuid(bytes),
        Value::Bytes(bytes) if *ty == Type::Vector => vector::print(bytes),
        Value::Bytes(bytes) => print_bytes(bytes),
        Value::Date(days) => datetime::print_date(*days),
        Value::Time(micros) => datetime::print_time(*micros),
        Value::Timestamp(micros) => {
            let mut out = String::with_capacity(29);
            datetime::print_timestamp(
                &mut out,
                *micros,
                (*ty == Type::Timestamptz).then_some(session),
                Style::Output,
            );
            out
        }
        Value::Interval(value) => interval::print(*value),
        Value::Array(values) => match ty {
            Type::Array(element) => array::print(values, &|item| print(element, item, session)),
            _ => String::new(),
        },
        Value::Row(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|field| print(&Type::Unknown, field, session)).collect();
            format!("({})", fields.join(","))
        }
    }
}

fn no_nul(text: &str) -> Result<&str> {
    if text.contains('\0') {
        return Err(Error::new(Code::NOT_IN_REPERTOIRE, "invalid byte sequence for encoding \"UTF8\": 0x00"));
    }
    Ok(text)
}

fn boolean(text: &str) -> Result<bool> {
    let word = text.trim().to_ascii_lowercase();
    let begins = |full: &str| !word.is_empty() && full.starts_with(&word);
    if begins("true") || begins("yes") || word == "on" || word == "1" {
        return Ok(true);
    }
    if begins("false") || begins("no") || (word.len() >= 2 && "off".starts_with(&word)) || word == "0" {
        return Ok(false);
    }
    Err(invalid("boolean", text))
}

fn integer(text: &str, ty: &str, low: i64, high: i64) -> Result<i64> {
    let trimmed = text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\u{b}');
    let digits = trimmed.strip_prefix(['-', '+']).unwrap_or(trimmed);
    let leading = digits.bytes().take_while(u8::is_ascii_digit).count();
    if leading == 0 {
        return Err(invalid(ty, text));
    }
    // Too many digits are told before what follows them.
    let (number, rest) = trimmed.split_at(trimmed.len() - digits.len() + leading);
    let value = number
        .parse::<i64>()
        .ok()
        .filter(|value| (low..=high).contains(value))
        .ok_or_else(|| out_of_range(ty, text))?;
    if rest.is_empty() { Ok(value) } else { Err(invalid(ty, text)) }
}

/// What `strtod` reads, without hexadecimal.
fn float_words(text: &str, ty: &str) -> Result<f64> {
    let trimmed = text.trim_matches(|c: char| c.is_ascii_whitespace());
    let lower = trimmed.to_ascii_lowercase();
    let plain = lower.trim_start_matches(['+', '-']);
    match plain {
        "inf" | "infinity" => {
            return Ok(if lower.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY });
        }
        "nan" => return Ok(f64::NAN),
        _ => {}
    }
    if !plain.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return Err(invalid(ty, text));
    }
    lower.parse().map_err(|_| invalid(ty, text))
}

/// A `double precision` from text.
///
/// # Errors
/// `22P02` and `22003`, with PostgreSQL's texts.
pub fn float8(text: &str) -> Result<f64> {
    let value = float_words(text, "double precision")?;
    let lost = (value.is_infinite() && !text.to_ascii_lowercase().contains("inf"))
        || (value == 0.0 && text.contains(|c: char| ('1'..='9').contains(&c)) && nonzero_mantissa(text));
    if lost {
        return Err(Error::new(
            Code::NUMERIC_OUT_OF_RANGE,
            format!("\"{}\" is out of range for type double precision", text.trim()),
        ));
    }
    Ok(value)
}

fn nonzero_mantissa(text: &str) -> bool {
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    mantissa.contains(|c: char| ('1'..='9').contains(&c))
}

fn float4(text: &str) -> Result<f64> {
    let value = float_words(text, "real")?;
    let single = single(value);
    let lost = (single.is_infinite() && !text.to_ascii_lowercase().contains("inf"))
        || (single == 0.0 && nonzero_mantissa(text));
    if lost {
        return Err(Error::new(
            Code::NUMERIC_OUT_OF_RANGE,
            format!("\"{}\" is out of range for type real", text.trim()),
        ));
    }
    Ok(single)
}

/// A double rounded to single precision.
pub fn single(value: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, reason = "rounding to the nearest single is what is asked")]
    let single = value as f32;
    f64::from(single)
}

/// A float as PostgreSQL prints it: the shortest digits that read back the same, exponents from 15 (6) digits on.
pub fn print_float(value: f64, is_single: bool) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let scientific = crate::shortest::scientific(value, is_single);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let negative = mantissa.starts_with('-');
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let sign = if negative { "-" } else { "" };
    let limit = if is_single { 6 } else { 15 };
    if exponent < -4 || exponent >= limit {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        let direction = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{first}{point}{rest}e{direction}{:02}", exponent.unsigned_abs());
    }
    if exponent < 0 {
        let zeros = "0".repeat(usize::try_from(-exponent - 1).unwrap_or(0));
        return format!("{sign}0.{zeros}{digits}");
    }
    let whole = usize::try_from(exponent).unwrap_or(0) + 1;
    if digits.len() <= whole {
        return format!("{sign}{digits}{}", "0".repeat(whole - digits.len()));
    }
    let (before, after) = digits.split_at(whole);
    format!("{sign}{before}.{after}")
}

/// A uuid in any form that PostgreSQL reads.
pub fn uuid(text: &str) -> Option<[u8; 16]> {
    let inner = match text.strip_prefix('{') {
        Some(rest) => rest.strip_suffix('}')?,
        None => text,
    };
    let mut bytes = [0_u8; 16];
    let mut digits = 0_usize;
    let mut last_hyphen = true;
    for c in inner.bytes() {
        if c == b'-' {
            // A hyphen may stand behind every second byte.
            if last_hyphen || !digits.is_multiple_of(4) || digits == 32 {
                return None;
            }
            last_hyphen = true;
            continue;
        }
        last_hyphen = false;
        let value = char::from(c).to_digit(16)?;
        let byte = bytes.get_mut(digits / 2)?;
        *byte = *byte << 4 | u8::try_from(value).ok()?;
        digits += 1;
    }
    (digits == 32).then_some(bytes)
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// A uuid, lower case with hyphens.
pub fn print_uuid(bytes: &[u8; 16]) -> String {
    let mut out = String::with_capacity(36);
    for (position, byte) in bytes.iter().enumerate() {
        if matches!(position, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        out.push(char::from(HEX[usize::from(byte >> 4)]));
        out.push(char::from(HEX[usize::from(byte & 15)]));
    }
    out
}

/// Bytes from `\x…` or the escape form.
pub fn bytes(text: &str) -> Option<Vec<u8>> {
    if let Some(hex) = text.strip_prefix("\\x") {
        let digits: Vec<u8> = hex
            .bytes()
            .filter(|byte| !byte.is_ascii_whitespace())
            .map(|byte| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect::<Option<_>>()?;
        return if digits.len().is_multiple_of(2) {
            Some(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
        } else {
            None
        };
    }
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'\\' {
            out.push(byte);
        } else if rest.first() == Some(&b'\\') {
            out.push(b'\\');
            rest = &rest[1..];
        } else {
            let octal = rest.get(..3)?;
            let valid = octal.iter().all(|digit| (b'0'..=b'7').contains(digit)) && octal[0] <= b'3';
            if !valid {
                return None;
            }
            out.push((octal[0] - b'0') << 6 | (octal[1] - b'0') << 3 | (octal[2] - b'0'));
            rest = &rest[3..];
        }
    }
    Some(out)
}

/// Bytes as `\x…`.
pub fn print_bytes(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(2 + bytes.len() * 2);
    out.push_str("\\x");
    for byte in bytes {
        out.push(char::from(HEX[usize::from(byte >> 4)]));
        out.push(char::from(HEX[usize::from(byte & 15)]));
    }
    out
}

/// Binary digits, or hexadecimal ones behind an `x`, as binary digits.
fn bits(text: &str) -> Result<String> {
    let wrong =
        |c: char, kind: &str| Error::new(Code::INVALID_TEXT, format!("\"{c}\" is not a valid {kind} digit"));
    if let Some(hexadecimal) = text.strip_prefix(['x', 'X']) {
        let digits = hexadecimal.chars().map(|c| c.to_digit(16).ok_or_else(|| wrong(c, "hexadecimal")));
        return digits.map(|digit| digit.map(|digit| format!("{digit:04b}"))).collect();
    }
    let binary = text.strip_prefix(['b', 'B']).unwrap_or(text);
    match binary.chars().find(|c| !matches!(c, '0' | '1')) {
        Some(c) => Err(wrong(c, "binary")),
        None => Ok(binary.to_owned()),
    }
}

/// Bits of a column of a length: an explicit cast cuts and fills with zeros.
fn fit_bits(ty: &Type, length: u32, bits: &str, explicit: bool) -> Result<Value> {
    let wanted = usize::try_from(length).unwrap_or(usize::MAX);
    let is_fixed = *ty == Type::Bit;
    if bits.len() == wanted || (!is_fixed && bits.len() < wanted) {
        return Ok(Value::text(bits));
    }
    if explicit {
        let cut = bits.get(..wanted).unwrap_or(bits);
        return Ok(Value::text(if is_fixed { format!("{cut:0<wanted$}") } else { cut.to_owned() }));
    }
    let found = bits.len();
    Err(if is_fixed {
        let message = format!("bit string length {found} does not match type bit({length})");
        Error::new(Code::STRING_LENGTH_MISMATCH, message)
    } else {
        Error::new(Code::STRING_TOO_LONG, format!("bit string too long for type bit varying({length})"))
    })
}

/// `inet` and `cidr` in canonical form.
fn network(ty: &Type, text: &str) -> Result<String> {
    let name = if *ty == Type::Cidr { "cidr" } else { "inet" };
    let failed = || invalid(name, text);
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| failed())?)),
        None => (text, None),
    };
    let abbreviated = abbreviated_network(ty, address, bits);
    let (address, bits) = match &abbreviated {
        Some((address, bits)) => (address.as_str(), Some(*bits)),
        None => (address, bits),
    };
    let address: std::net::IpAddr = address.parse().map_err(|_| failed())?;
    let full = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(full);
    if bits > full {
        return Err(failed());
    }
    if *ty == Type::Inet && bits == full {
        return Ok(address.to_string());
    }
    if *ty == Type::Cidr && has_host_bits(address, bits) {
        return Err(Error::new(Code::INVALID_TEXT, format!("invalid cidr value: \"{text}\""))
            .with_details("Value has bits set to right of mask."));
    }
    Ok(format!("{address}/{bits}"))
}

/// An IPv4 network with fewer than four parts, and its mask: as given, or that of its class.
fn abbreviated_network(ty: &Type, address: &str, bits: Option<u8>) -> Option<(String, u8)> {
    let parts: Vec<u8> = address.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let given = u8::try_from(parts.len()).ok().filter(|given| *given < 4)? * 8;
    let bits = match (bits, parts.first()?) {
        (Some(bits), _) if *ty == Type::Inet && bits > given => return None,
        (Some(bits), _) => bits,
        (None, _) if *ty == Type::Inet => return None,
        // At least as many as were given.
        (None, 240..) => 32,
        (None, 224) if given == 8 => 4,
        (None, 224..) => given,
        (None, 192..) => given.max(24),
        (None, 128..) => given.max(16),
        (None, _) => given,
    };
    let zeros = ".0".repeat(4 - parts.len());
    Some((format!("{address}{zeros}"), bits))
}

/// The network of an address: bits beyond the mask are cleared.
pub fn network_of(text: &str) -> String {
    let (address, bits) = text.split_once('/').unwrap_or((text, ""));
    match address.parse() {
        Ok(std::net::IpAddr::V4(address)) => {
            let bits: u32 = bits.parse().unwrap_or(32);
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            format!("{}/{bits}", std::net::Ipv4Addr::from(u32::from(address) & mask))
        }
        Ok(std::net::IpAddr::V6(address)) => {
            let bits: u32 = bits.parse().unwrap_or(128);
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            format!("{}/{bits}", std::net::Ipv6Addr::from(u128::from(address) & mask))
        }
        Err(_) => text.to_owned(),
    }
}

/// An address with its mask, also when it is the whole address.
pub fn full_network(text: &str) -> String {
    match (text.contains('/'), text.contains(':')) {
        (true, _) => text.to_owned(),
        (false, true) => format!("{text}/128"),
        (false, false) => format!("{text}/32"),
    }
}

fn has_host_bits(address: std::net::IpAddr, bits: u8) -> bool {
    let (value, width) = match address {
        std::net::IpAddr::V4(address) => (u128::from(u32::from(address)), 32_u32),
        std::net::IpAddr::V6(address) => (u128::from(address), 128),
    };
    let host = width - u32::from(bits);
    host > 0 && value & (u128::MAX >> (128 - host)) != 0
}

/// A value as a column with a modifier keeps it. An explicit cast cuts text; an assignment refuses.
///
/// # Errors
/// `22001` for text that is too long, `22003` for numbers with too many digits.
pub fn apply_modifier(ty: &Type, modifier: Option<Modifier>, value: Value, explicit: bool) -> Result<Value> {
    let Some(modifier) = modifier else { return Ok(value) };
    match (ty, modifier, value) {
        (Type::Varchar | Type::Bpchar, Modifier::Length(length), Value::Text(text)) => {
            fit_text(ty, length, text, explicit)
        }
        (Type::Bit | Type::Varbit, Modifier::Length(length), Value::Text(bits)) => {
            fit_bits(ty, length, &bits, explicit)
        }
        (Type::Vector, Modifier::Length(length), Value::Bytes(bytes)) => {
            vector::sized(&bytes, length)?;
            Ok(Value::Bytes(bytes))
        }
        (Type::Numeric, Modifier::Precision { precision, scale }, Value::Numeric(number)) => {
            Ok(Value::Numeric(number.fit(precision, scale)?))
        }
        (Type::Timestamp | Type::Timestamptz, Modifier::Fraction(digits), Value::Timestamp(micros))
            if micros != i64::MAX && micros != i64::MIN =>
        {
            Ok(Value::Timestamp(round_micros(micros, digits)))
        }
        (Type::Time, Modifier::Fraction(digits), Value::Time(micros)) => {
            Ok(Value::Time(round_micros(micros, digits)))
        }
        (Type::Interval, Modifier::Fraction(digits), Value::Interval(interval)) => {
            Ok(Value::Interval(crate::value::Interval {
                micros: round_micros(interval.micros, digits),
                ..interval
            }))
        }
        (Type::Timetz, Modifier::Fraction(digits), Value::Text(text)) => {
            let time = Timetz::read(&text)?;
            let micros = round_micros(time.micros, digits);
            Ok(Value::text(Timetz { micros, ..time }.to_string()))
        }
        (Type::Array(element), modifier, Value::Array(values)) => {
            let elements = values
                .elements
                .iter()
                .map(|item| apply_modifier(element, Some(modifier), item.clone(), explicit));
            let elements = elements.collect::<Result<_>>()?;
            Ok(Value::Array(Arc::new(crate::value::Array {
                dimensions: values.dimensions.clone(),
                elements,
            })))
        }
        (_, _, value) => Ok(value),
    }
}

fn round_micros(micros: i64, digits: u8) -> i64 {
    let unit = 10_i64.pow(u32::from(6 - digits.min(6)));
    let half = unit / 2;
    if micros >= 0 { (micros + half) / unit * unit } else { -((-micros + half) / unit * unit) }
}

fn fit_text(ty: &Type, length: u32, text: Arc<str>, explicit: bool) -> Result<Value> {
    let count = text.chars().count();
    let length = length as usize;
    let padded =
        |text: &str, count: usize| Value::text(format!("{text}{}", " ".repeat(length.saturating_sub(count))));
    if count <= length {
        return Ok(if *ty == Type::Bpchar { padded(&text, count) } else { Value::Text(text) });
    }
    let cut: String = text.chars().take(length).collect();
    let rest_is_space = text.chars().skip(length).all(|c| c == ' ');
    if explicit || rest_is_space {
        return Ok(Value::text(cut));
    }
    let name = if *ty == Type::Bpchar { "character" } else { "character varying" };
    Err(Error::new(Code::STRING_TOO_LONG, format!("value too long for type {name}({length})")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(ty: &Type, text: &str) -> String {
        let session = Session::utc(0);
        match parse(ty, text, &session) {
            Ok(value) => print(ty, &value, &session),
            Err(error) => format!("{} {}", error.code().name(), error.message()),
        }
    }

    #[test]
    fn values_are_read_and_printed_as_postgresql_does() {
        for (ty, text, printed) in [
            (Type::Bool, "TRUE", "t"),
            (Type::Bool, "o", "22P02 invalid input syntax for type boolean: \"o\""),
            (Type::Int4, " 12 ", "12"),
            (Type::Int4, "x", "22P02 invalid input syntax for type integer: \"x\""),
            (Type::Int4, "99999999999", "22003 value \"99999999999\" is out of range for type integer"),
            (Type::Float8, "1e300", "1e+300"),
            (Type::Float8, "0.1", "0.1"),
            (Type::Float8, "123456789012345678", "1.2345678901234568e+17"),
            (Type::Float4, "0.1", "0.1"),
            (Type::Uuid, "{A0EEBC99-9C0B4EF8-BB6D6BB9BD380A11}", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
            (Type::Uuid, "x", "22P02 invalid input syntax for type uuid: \"x\""),
            (Type::Bytea, "\\xDEADbeef", "\\xdeadbeef"),
            (Type::Inet, "10.0.0.1/24", "10.0.0.1/24"),
            (Type::Tsvector, "fat cat 'a b'", "'a b' 'cat' 'fat'"),
            (Type::Range(Arc::new(Type::Int4)), "[1,3]", "[1,4)"),
            (Type::Range(Arc::new(Type::Int4)), "(5,5)", "empty"),
        ] {
            assert_eq!(round(&ty, text), printed, "{text}");
        }
    }
}
