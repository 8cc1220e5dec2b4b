//! Order and equality of values: each type's btree order.

use std::cmp::Ordering;

use crate::json::{self, Json};
use crate::numeric::Numeric;
use crate::range::{self, Range};
use crate::session::Session;
use crate::{Type, Value, interval, search, timetz, vector};

/// Compares two values of a type; neither is null. Values of other types than `ty` compare as equal.
pub fn compare(ty: &Type, left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::Int(left), Value::Int(right))
        | (Value::Time(left), Value::Time(right))
        | (Value::Timestamp(left), Value::Timestamp(right)) => left.cmp(right),
        (Value::Float(left), Value::Float(right)) => float(*left, *right),
        (Value::Numeric(left), Value::Numeric(right)) => left.compare(right),
        (Value::Uuid(left), Value::Uuid(right)) => left.cmp(right),
        (Value::Bytes(left), Value::Bytes(right)) if *ty == Type::Vector => vector::compare(left, right),
        (Value::Bytes(left), Value::Bytes(right)) => left.cmp(right),
        (Value::Date(left), Value::Date(right)) => left.cmp(right),
        (Value::Interval(left), Value::Interval(right)) => interval::span(*left).cmp(&interval::span(*right)),
        (Value::Array(left), Value::Array(right)) => {
            let element = match ty {
                Type::Array(element) => &**element,
                _ => &Type::Unknown,
            };
            array(element, left, right)
        }
        (Value::Text(left), Value::Text(right)) => text(ty, left, right),
        (Value::Row(left), Value::Row(right)) => left
            .iter()
            .zip(right.iter())
            .map(|(left, right)| match (left.is_null(), right.is_null()) {
                (false, false) => compare(&Type::Unknown, left, right),
                (left, right) => left.cmp(&right),
            })
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal),
        _ => Ordering::Equal,
    }
}

/// Whether two values of a type are equal; neither is null.
pub fn equal(ty: &Type, left: &Value, right: &Value) -> bool {
    compare(ty, left, right) == Ordering::Equal
}

/// `NaN` equals itself and is greater than everything else.
fn float(left: f64, right: f64) -> Ordering {
    left.partial_cmp(&right).unwrap_or_else(|| left.is_nan().cmp(&right.is_nan()))
}

fn text(ty: &Type, left: &str, right: &str) -> Ordering {
    match ty {
        Type::Bpchar => left.trim_end_matches(' ').cmp(right.trim_end_matches(' ')),
        Type::Citext => left.to_lowercase().cmp(&right.to_lowercase()),
        Type::Enum(declared) => {
            let rank = |label: &str| declared.labels.iter().position(|known| &**known == label);
            rank(left).cmp(&rank(right))
        }
        Type::Jsonb => match (json::parse(left, json::DEPTH_MAX), json::parse(right, json::DEPTH_MAX)) {
            (Ok(left), Ok(right)) => document(&left, &right),
            _ => left.cmp(right),
        },
        Type::Range(subtype) => ranges(subtype, left, right),
        Type::Inet | Type::Cidr => network(left).cmp(&network(right)),
        Type::Timetz => timetz::compare(left, right),
        Type::Tsvector => match (search::Vector::parse(left), search::Vector::parse(right)) {
            (Ok(left), Ok(right)) => search::vector_key(&left).cmp(&search::vector_key(&right)),
            _ => left.cmp(right),
        },
        Type::Tsquery => match (search::parse(left), search::parse(right)) {
            (Ok(left), Ok(right)) => {
                search::search_key(left.as_ref()).cmp(&search::search_key(right.as_ref()))
            }
            _ => left.cmp(right),
        },
        _ => left.cmp(right),
    }
}

/// Family, then the network's bits (a network before those inside it), then the whole address.
pub(crate) fn network(text: &str) -> (bool, Vec<bool>, Vec<u8>) {
    let (address, bits) = text.split_once('/').unwrap_or((text, ""));
    let address: std::net::IpAddr = address.parse().unwrap_or(std::net::Ipv4Addr::UNSPECIFIED.into());
    let bytes = match address {
        std::net::IpAddr::V4(address) => address.octets().to_vec(),
        std::net::IpAddr::V6(address) => address.octets().to_vec(),
    };
    let length = bits.parse().unwrap_or(bytes.len() * 8);
    let bit = |at: usize| bytes.get(at / 8).is_some_and(|byte| byte >> (7 - at % 8) & 1 == 1);
    (address.is_ipv6(), (0..length).map(bit).collect(), bytes)
}

/// Element by element, a missing one before any; then fewer dimensions first.
fn array(element: &Type, left: &crate::value::Array, right: &crate::value::Array) -> Ordering {
    for (left, right) in left.elements.iter().zip(&right.elements) {
        let order = match (left.is_null(), right.is_null()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => compare(element, left, right),
        };
        if order.is_ne() {
            return order;
        }
    }
    left.elements
        .len()
        .cmp(&right.elements.len())
        .then_with(|| left.dimensions.len().cmp(&right.dimensions.len()))
        .then_with(|| left.dimensions.cmp(&right.dimensions))
}

/// PostgreSQL's documented oddity: as a whole document, an empty array is less than a scalar.
fn document(left: &Json, right: &Json) -> Ordering {
    let is_empty = |json: &Json| matches!(json, Json::Array(items) if items.is_empty());
    let is_scalar = |json: &Json| !matches!(json, Json::Array(_) | Json::Object(_));
    match () {
        () if is_empty(left) && is_scalar(right) => Ordering::Less,
        () if is_scalar(left) && is_empty(right) => Ordering::Greater,
        () => jsonb(left, right),
    }
}

/// `jsonb`'s order: object > array > boolean > number > string > null; more members greater; then member by member, keys as text, in
/// the order in which they are stored.
fn jsonb(left: &Json, right: &Json) -> Ordering {
    fn rank(json: &Json) -> u8 {
        match json {
            Json::Null => 0,
            Json::String(_) => 1,
            Json::Number(_) => 2,
            Json::Bool(_) => 3,
            Json::Array(_) => 4,
            Json::Object(_) => 5,
        }
    }
    match (left, right) {
        (Json::Bool(left), Json::Bool(right)) => left.cmp(right),
        (Json::String(left), Json::String(right)) => left.cmp(right),
        (Json::Number(left), Json::Number(right)) => match (Numeric::parse(left), Numeric::parse(right)) {
            (Ok(left), Ok(right)) => left.compare(&right),
            _ => left.cmp(right),
        },
        (Json::Array(left), Json::Array(right)) => left
            .len()
            .cmp(&right.len())
            .then_with(|| first_difference(left.iter().zip(right).map(|(left, right)| jsonb(left, right)))),
        (Json::Object(left), Json::Object(right)) => left.len().cmp(&right.len()).then_with(|| {
            first_difference(left.iter().zip(right).map(|((left_key, left), (right_key, right))| {
                left_key.cmp(right_key).then_with(|| jsonb(left, right))
            }))
        }),
        (left, right) => rank(left).cmp(&rank(right)),
    }
}

fn first_difference(mut orders: impl Iterator<Item = Ordering>) -> Ordering {
    orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// Empty first, then by lower, then by upper bound.
fn ranges(subtype: &Type, left: &str, right: &str) -> Ordering {
    let session = Session::utc(0);
    let (Ok(left), Ok(right)) = (range::read(subtype, left, &session), range::read(subtype, right, &session))
    else {
        return left.cmp(right);
    };
    match (&left, &right) {
        (Range::Empty, Range::Empty) => Ordering::Equal,
        (Range::Empty, _) => Ordering::Less,
        (_, Range::Empty) => Ordering::Greater,
        (
            Range::Between { low: low1, low_inclusive: in1, high: high1, high_inclusive: up1 },
            Range::Between { low: low2, low_inclusive: in2, high: high2, high_inclusive: up2 },
        ) => {
            let lower = match (low1, low2) {
                (None, None) => Ordering::Equal,
                (None, Some(_)) => Ordering::Less,
                (Some(_), None) => Ordering::Greater,
                (Some(one), Some(two)) => compare(subtype, one, two).then_with(|| in2.cmp(in1)),
            };
            lower.then_with(|| match (high1, high2) {
                (None, None) => Ordering::Equal,
                (None, Some(_)) => Ordering::Greater,
                (Some(_), None) => Ordering::Less,
                (Some(one), Some(two)) => compare(subtype, one, two).then_with(|| up1.cmp(up2)),
            })
        }
    }
}
