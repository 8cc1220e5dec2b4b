//! Bytes that order as values of a type do, and are the same for equal values.
//!
//! For engines that can compare bytes but not what the values mean: arrays, ranges, network addresses. Never stored.

use std::sync::Arc;

use crate::json::{self, Json};
use crate::numeric::Numeric;
use crate::range::{self, Range};
use crate::search;
use crate::session::Session;
use crate::timetz::Timetz;
use crate::value::Array;
use crate::{Type, Value, compare, interval};

/// Whether the values of a type have keys.
pub fn exists(ty: &Type) -> bool {
    match ty {
        Type::Array(element) | Type::Range(element) => exists(element),
        Type::Json | Type::Jsonpath | Type::Composite(_) | Type::Opaque(_) | Type::Unknown | Type::Void => {
            false
        }
        _ => true,
    }
}

/// The key of a value that is not null, of a type for which [`exists`] holds.
pub fn of(ty: &Type, value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out, ty, value);
    out
}

fn write(out: &mut Vec<u8>, ty: &Type, value: &Value) {
    match value {
        Value::Null => {}
        Value::Bool(value) => out.push(u8::from(*value)),
        Value::Int(number) | Value::Time(number) | Value::Timestamp(number) => integer(out, *number),
        Value::Float(number) => float(out, *number),
        Value::Numeric(number) => numeric(out, number),
        Value::Text(text) => self::text(out, ty, text),
        Value::Uuid(bytes) => out.extend(bytes),
        Value::Bytes(bytes) if *ty == Type::Vector => {
            crate::vector::numbers(bytes).for_each(|number| float(out, number.into()));
        }
        Value::Bytes(bytes) => self::bytes(out, bytes),
        Value::Date(days) => integer(out, i64::from(*days)),
        Value::Interval(value) => {
            out.extend((interval::span(*value).wrapping_add(i128::MIN)).to_be_bytes());
        }
        Value::Array(array) => self::array(out, ty, array),
        Value::Row(fields) => fields.iter().for_each(|field| write(out, &Type::Unknown, field)),
    }
}

/// The sign bit turned around: negative numbers come first.
fn integer(out: &mut Vec<u8>, number: i64) {
    out.extend(number.wrapping_add(i64::MIN).to_be_bytes());
}

/// Negative numbers with all bits turned around; not-a-number last; one zero.
fn float(out: &mut Vec<u8>, number: f64) {
    let bits = if number.is_nan() { f64::NAN.to_bits() } else { (number + 0.0).to_bits() };
    let is_negative = bits >> 63 == 1;
    out.extend(if is_negative { !bits } else { bits | 1 << 63 }.to_be_bytes());
}

/// A class, then the position of the first digit, then the digits without zeros at the end; turned around below zero.
fn numeric(out: &mut Vec<u8>, number: &Numeric) {
    match number {
        Numeric::NegativeInfinity => out.push(0),
        Numeric::Infinity => out.push(4),
        Numeric::NaN => out.push(5),
        finite if finite.is_zero() => out.push(2),
        finite => {
            let text = finite.to_string();
            let is_negative = text.starts_with('-');
            out.push(if is_negative { 1 } else { 3 });
            let start = out.len();
            let (whole, fraction) =
                text.trim_start_matches('-').split_once('.').unwrap_or((text.trim_start_matches('-'), ""));
            let digits = format!("{whole}{fraction}");
            let zeros = digits.len() - digits.trim_start_matches('0').len();
            let first = i64::try_from(whole.len()).unwrap_or(i64::MAX) - i64::try_from(zeros).unwrap_or(0);
            integer(out, first);
            out.extend(digits.trim_matches('0').bytes());
            out.push(0);
            if is_negative {
                out[start..].iter_mut().for_each(|byte| *byte = !*byte);
            }
        }
    }
}

fn bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    for byte in bytes {
        out.push(*byte);
        if *byte == 0 {
            out.push(0xff);
        }
    }
    out.extend([0, 0]);
}

/// Text holds no zero byte.
fn plain(out: &mut Vec<u8>, text: &str) {
    out.extend(text.bytes());
    out.push(0);
}

fn text(out: &mut Vec<u8>, ty: &Type, text: &str) {
    match ty {
        Type::Bpchar => plain(out, text.trim_end_matches(' ')),
        Type::Citext => plain(out, &text.to_lowercase()),
        Type::Enum(declared) => {
            let rank = declared.labels.iter().position(|label| &**label == text).unwrap_or(usize::MAX);
            out.extend(rank.to_be_bytes());
        }
        Type::Jsonb => match json::parse(text, json::DEPTH_MAX) {
            Ok(Json::Array(items)) if items.is_empty() => out.push(0),
            Ok(json) => self::json(out, &json),
            Err(_) => plain(out, text),
        },
        Type::Tsvector => match search::Vector::parse(text) {
            Ok(vector) => out.extend(search::vector_key(&vector)),
            Err(_) => plain(out, text),
        },
        Type::Tsquery => match search::parse(text) {
            Ok(condition) => out.extend(search::search_key(condition.as_ref())),
            Err(_) => plain(out, text),
        },
        Type::Inet | Type::Cidr => {
            let (is_v6, network, address) = compare::network(text);
            out.push(u8::from(is_v6));
            out.extend(network.iter().map(|bit| 1 + u8::from(*bit)));
            out.push(0);
            out.extend(address);
        }
        Type::Timetz => match Timetz::read(text) {
            Ok(time) => {
                let (utc, west) = time.key();
                integer(out, utc);
                integer(out, west);
            }
            Err(_) => plain(out, text),
        },
        Type::Range(subtype) => match range::read(subtype, text, &Session::utc(0)) {
            Ok(range) => self::range(out, subtype, &range),
            Err(_) => plain(out, text),
        },
        _ => plain(out, text),
    }
}

fn length(out: &mut Vec<u8>, length: usize) {
    out.extend(u64::try_from(length).unwrap_or(u64::MAX).to_be_bytes());
}

fn json(out: &mut Vec<u8>, json: &Json) {
    match json {
        Json::Null => out.push(1),
        Json::String(text) => {
            out.push(2);
            plain(out, text);
        }
        Json::Number(number) => {
            out.push(3);
            numeric(out, &Numeric::parse(number).unwrap_or(Numeric::NaN));
        }
        Json::Bool(value) => out.extend([4, u8::from(*value)]),
        Json::Array(items) => {
            out.push(5);
            length(out, items.len());
            items.iter().for_each(|item| self::json(out, item));
        }
        Json::Object(members) => {
            out.push(6);
            length(out, members.len());
            for (key, value) in members {
                plain(out, key);
                self::json(out, value);
            }
        }
    }
}

/// Elements, null after all others; then the end; then the dimensions.
fn array(out: &mut Vec<u8>, ty: &Type, array: &Array) {
    let element = if let Type::Array(element) = ty { element.clone() } else { Arc::new(Type::Unknown) };
    for value in &array.elements {
        out.push(if value.is_null() { 2 } else { 1 });
        write(out, &element, value);
    }
    out.push(0);
    length(out, array.dimensions.len());
    array.dimensions.iter().for_each(|length| out.extend(length.to_be_bytes()));
}

fn range(out: &mut Vec<u8>, subtype: &Type, range: &Range) {
    let Range::Between { low, low_inclusive, high, high_inclusive } = range else { return out.push(0) };
    out.push(1);
    match low {
        None => out.push(0),
        Some(low) => {
            out.push(1);
            write(out, subtype, low);
            out.push(u8::from(!low_inclusive));
        }
    }
    match high {
        None => out.push(2),
        Some(high) => {
            out.push(1);
            write(out, subtype, high);
            out.push(u8::from(*high_inclusive));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(ty: &Type, texts: &[&str]) {
        let session = Session::utc(0);
        let values: Vec<Value> =
            texts.iter().map(|text| crate::text::parse(ty, text, &session).unwrap()).collect();
        for left in &values {
            for right in &values {
                let keys = of(ty, left).cmp(&of(ty, right));
                assert_eq!(keys, compare::compare(ty, left, right), "{left:?} and {right:?}");
            }
        }
    }

    #[test]
    fn keys_order_as_values_do() {
        check(
            &Type::Numeric,
            &["0", "0.00", "1", "1.0", "-1", "9", "10", "-10", "0.01", "0.001", "-0.5", "NaN", "123.45"],
        );
        check(&Type::Float8, &["0", "-0", "1.5", "-1.5", "NaN", "Infinity", "-Infinity", "1e300"]);
        check(&Type::Interval, &["1 day", "24:00", "-1 mon", "0", "1 year"]);
        check(&Type::Inet, &["10.0.0.0/8", "10.1.0.0/8", "10.0.0.1", "::1", "10.0.0.1/24"]);
        check(&Type::Tsvector, &["", "a", "a:1", "a:1A", "b", "a b", "ab:1"]);
        check(&Type::Tsquery, &["", "a", "a:*", "!a", "a & b", "b & a", "a <2> b", "a <-> b"]);
        check(&Type::Int4.array(), &["{}", "{1}", "{1,2}", "{NULL}", "{{1,2}}", "{2}", "{-1}"]);
        check(&Type::Text.array(), &["{}", "{a}", "{ab}", "{a,b}", "{\"\"}"]);
        check(
            &Type::Jsonb,
            &[
                "null",
                "[]",
                "{}",
                "1",
                "1.0",
                "\"a\"",
                "[1]",
                "[2]",
                "[[]]",
                "[null]",
                "[{}]",
                "{\"a\": 1}",
                "{\"f1\": 1, \"f2\": 2}",
                "{\"k\": 1, \"t\": 2}",
                "{\"b\": 1, \"aa\": 1}",
                "true",
            ],
        );
        check(
            &Type::Range(Arc::new(Type::Numeric)),
            &["empty", "[1,2)", "[1,2]", "(1,2)", "(,2)", "[1,)", "(,)"],
        );
    }
}
