//! Conversions between types: which exist, where they apply, and what they do (`pg_cast`, and casts through text).

use std::sync::Arc;

use crate::datetime::DAY_MICROS;
use crate::json::{self, Json};
use crate::numeric::Numeric;
use crate::session::Session;
use crate::timetz::Timetz;
use crate::ty::format_type;
use crate::value::{Array, Interval};
use crate::{Code, Error, Modifier, Result, Type, Value, text, vector};

/// Where a cast applies by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Context {
    /// Only when it is written.
    Explicit,
    /// Also when a value is stored in a column.
    Assignment,
    /// Anywhere.
    Implicit,
}

/// Casts with functions of their own, or none needed.
fn listed(from: &Type, to: &Type) -> Option<Context> {
    use Context::{Assignment, Explicit, Implicit};
    use Type::{
        Bit, Bool, Bpchar, Cidr, Citext, Date, Float4, Float8, Inet, Int2, Int4, Int8, Interval, Json, Jsonb,
        Numeric, Text, Time, Timestamp, Timestamptz, Timetz, Varbit, Varchar, Vector,
    };
    Some(match (from, to) {
        (Type::Array(element), Vector) => match **element {
            Int4 | Float4 | Float8 | Numeric => Assignment,
            _ => return None,
        },
        (Vector, Type::Array(element)) if **element == Float4 => Implicit,
        (Int2, Int4 | Int8 | Float4 | Float8 | Numeric) => Implicit,
        (Int4, Int8 | Float4 | Float8 | Numeric) | (Int8, Float4 | Float8 | Numeric) => Implicit,
        (Numeric, Float4 | Float8) | (Float4, Float8) => Implicit,
        (Int8, Int2 | Int4) | (Int4, Int2) => Assignment,
        (Float4 | Float8 | Numeric, Int2 | Int4 | Int8) | (Float4 | Float8, Numeric) | (Float8, Float4) => {
            Assignment
        }
        (Int4, Bool) | (Bool, Int4) => Explicit,
        (Text | Bpchar | Varchar, Text | Bpchar | Varchar) => Implicit,
        (Citext, Text | Varchar) => Implicit,
        (Citext, Bpchar) | (Text | Varchar | Bpchar, Citext) => Assignment,
        (Date, Timestamp | Timestamptz) | (Timestamp, Timestamptz) => Implicit,
        (Timestamp | Timestamptz, Date | Time) | (Timestamptz, Timestamp | Timetz) => Assignment,
        (Time, Timetz | Interval) => Implicit,
        (Timetz, Time) | (Interval, Time) => Assignment,
        (Json, Jsonb) | (Jsonb, Json) => Assignment,
        (Jsonb, Bool | Int2 | Int4 | Int8 | Float4 | Float8 | Numeric) => Explicit,
        (Bit | Varbit, Bit | Varbit) => Implicit,
        (Int4 | Int8, Bit) | (Bit, Int4 | Int8) => Explicit,
        (Cidr, Inet) => Implicit,
        (Inet, Cidr) | (Inet | Cidr | Bool, Text | Varchar | Bpchar) => Assignment,
        _ => return None,
    })
}

/// Where the cast between two types applies; `None` when there is none.
pub fn context(from: &Type, to: &Type) -> Option<Context> {
    if from == to || *from == Type::Unknown {
        return Some(Context::Implicit);
    }
    if let Some(context) = listed(from, to) {
        return Some(context);
    }
    match (from, to) {
        (Type::Array(from), Type::Array(to)) => context(from, to),
        (_, to) if to.is_string() => Some(Context::Assignment),
        (from, _) if from.is_string() => Some(Context::Explicit),
        _ => None,
    }
}

/// Converts a value; null stays null.
///
/// # Errors
/// `42846` when there is no cast, and what the conversion raises.
pub fn cast(
    from: &Type,
    to: &Type,
    modifier: Option<Modifier>,
    explicit: bool,
    value: &Value,
    session: &Session,
) -> Result<Value> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    if context(from, to).is_none() {
        let names = (format_type(from, None), format_type(to, None));
        return Err(Error::new(Code::CANNOT_COERCE, format!("cannot cast type {} to {}", names.0, names.1)));
    }
    if let (Type::Int4 | Type::Int8, Type::Bit, Value::Int(number)) = (from, to, value) {
        return Ok(Value::text(lowest_bits(*number, *from == Type::Int8, modifier)));
    }
    let converted = convert(from, to, value, session)?;
    text::apply_modifier(to, modifier, converted, explicit)
}

/// The lowest bits of a number, with its sign before them.
fn lowest_bits(number: i64, is_long: bool, modifier: Option<Modifier>) -> String {
    let length = match modifier {
        Some(Modifier::Length(length)) => usize::try_from(length).unwrap_or(1),
        _ => 1,
    };
    let all = if is_long { format!("{number:064b}") } else { format!("{:032b}", number & 0xffff_ffff) };
    let sign = if number < 0 { "1" } else { "0" };
    let missing = sign.repeat(length.saturating_sub(all.len()));
    format!("{missing}{}", all.get(all.len().saturating_sub(length)..).unwrap_or(&all))
}

fn convert(from: &Type, to: &Type, value: &Value, session: &Session) -> Result<Value> {
    if from == to {
        return Ok(value.clone());
    }
    match (from, to, value) {
        (_, Type::Int2 | Type::Int4 | Type::Int8, Value::Int(number)) => ranged(*number, to),
        (_, Type::Int2 | Type::Int4 | Type::Int8, Value::Float(number)) => float_to_int(*number, to),
        (_, Type::Int2 | Type::Int4 | Type::Int8, Value::Numeric(number)) => numeric_to_int(number, to),
        (_, Type::Float8, Value::Int(number)) => Ok(Value::Float(int_to_float(*number))),
        (_, Type::Float4, Value::Int(number)) => Ok(Value::Float(text::single(int_to_float(*number)))),
        (_, Type::Float8, Value::Float(number)) => Ok(Value::Float(*number)),
        (_, Type::Float4, Value::Float(number)) => to_single(*number),
        (_, Type::Float8, Value::Numeric(number)) => Ok(Value::Float(number.to_f64())),
        (_, Type::Float4, Value::Numeric(number)) => to_single(number.to_f64()),
        (_, Type::Numeric, Value::Int(number)) => Ok(Value::Numeric(Numeric::from_i64(*number))),
        (Type::Float4, Type::Numeric, Value::Float(number)) => Ok(Value::Numeric(Numeric::from_f32(*number))),
        (_, Type::Numeric, Value::Float(number)) => Ok(Value::Numeric(Numeric::from_f64(*number))),
        (Type::Int4, Type::Bool, Value::Int(number)) => Ok(Value::Bool(*number != 0)),
        (Type::Bool, Type::Int4, Value::Bool(value)) => Ok(Value::Int(i64::from(*value))),
        (Type::Bool, to, Value::Bool(value)) if to.is_string() => Ok(Value::text(value.to_string())),
        (Type::Bpchar, Type::Text | Type::Varchar | Type::Citext, Value::Text(text)) => {
            Ok(Value::text(text.trim_end_matches(' ')))
        }
        (_, Type::Timestamp, Value::Date(days)) => date_to_timestamp(*days),
        (_, Type::Timestamptz, Value::Date(days)) => match date_to_timestamp(*days)? {
            Value::Timestamp(local) if local != i64::MAX && local != i64::MIN => {
                Ok(Value::Timestamp(session.from_local(local)))
            }
            infinite => Ok(infinite),
        },
        (Type::Timestamp, Type::Timestamptz, Value::Timestamp(local)) => {
            Ok(Value::Timestamp(finite(*local, |local| session.from_local(local))))
        }
        (Type::Timestamptz, Type::Timestamp, Value::Timestamp(micros)) => {
            Ok(Value::Timestamp(finite(*micros, |micros| local(micros, session))))
        }
        (Type::Timestamp | Type::Timestamptz, Type::Date, Value::Timestamp(micros)) => {
            Ok(Value::Date(timestamp_to_date(from, *micros, session)?))
        }
        (Type::Timestamp | Type::Timestamptz, Type::Time, Value::Timestamp(i64::MAX | i64::MIN)) => {
            Ok(Value::Null)
        }
        (Type::Timestamp | Type::Timestamptz, Type::Time, Value::Timestamp(micros)) => {
            let here = if *from == Type::Timestamptz { local(*micros, session) } else { *micros };
            Ok(Value::Time(here.rem_euclid(DAY_MICROS)))
        }
        (Type::Timestamptz, Type::Timetz, Value::Timestamp(i64::MAX | i64::MIN)) => Ok(Value::Null),
        (Type::Timestamptz, Type::Timetz, Value::Timestamp(micros)) => {
            Ok(Value::text(Timetz::at(*micros, session).to_string()))
        }
        (Type::Time, Type::Timetz, Value::Time(micros)) => {
            Ok(Value::text(Timetz::today(*micros, session).to_string()))
        }
        (Type::Timetz, Type::Time, Value::Text(text)) => Ok(Value::Time(Timetz::read(text)?.micros)),
        (Type::Time, Type::Interval, Value::Time(micros)) => {
            Ok(Value::Interval(Interval { micros: *micros, ..Interval::default() }))
        }
        (Type::Interval, Type::Time, Value::Interval(interval)) => {
            Ok(Value::Time(interval.micros.rem_euclid(DAY_MICROS)))
        }
        (Type::Bit, Type::Int4 | Type::Int8, Value::Text(bits)) => bits_to_int(bits, to),
        (Type::Bit | Type::Varbit, Type::Bit | Type::Varbit, value) => Ok(value.clone()),
        (Type::Array(element), Type::Vector, Value::Array(array)) => {
            let number = |item: &Value| match cast(element, &Type::Float8, None, true, item, session)? {
                Value::Float(number) => Ok(number),
                _ => Err(Error::new(Code::NULL_NOT_ALLOWED, "array must not contain nulls")),
            };
            if array.dimensions.len() > 1 {
                return Err(Error::new(Code::ARRAY_ELEMENT_ERROR, "array must be 1-D"));
            }
            let numbers = array.elements.iter().map(number).collect::<Result<Vec<f64>>>()?;
            Ok(Value::Bytes(vector::of(&numbers)?))
        }
        (Type::Vector, Type::Array(_), Value::Bytes(bytes)) => {
            let elements: Vec<Value> =
                vector::numbers(bytes).map(|number| Value::Float(number.into())).collect();
            let dimensions = vec![u32::try_from(elements.len()).unwrap_or(u32::MAX)];
            Ok(Value::Array(Arc::new(Array { dimensions, elements })))
        }
        (Type::Json, Type::Jsonb, Value::Text(text)) => Ok(Value::text(json::normalize_jsonb(text)?)),
        (Type::Jsonb, Type::Json, Value::Text(text)) => Ok(Value::Text(text.clone())),
        (Type::Jsonb, to, Value::Text(text)) if !to.is_string() => jsonb_scalar(text, to, session),
        (Type::Array(from), Type::Array(to), Value::Array(array)) => {
            let elements = array
                .elements
                .iter()
                .map(|item| cast(from, to, None, true, item, session))
                .collect::<Result<_>>()?;
            Ok(Value::Array(Arc::new(Array { dimensions: array.dimensions.clone(), elements })))
        }
        (_, Type::Inet, Value::Text(text)) if *from == Type::Cidr => {
            let whole = if text.contains(':') { "/128" } else { "/32" };
            Ok(Value::text(text.strip_suffix(whole).unwrap_or(text)))
        }
        (Type::Inet | Type::Cidr, to, Value::Text(text)) if to.is_string() => {
            Ok(Value::text(text::full_network(text)))
        }
        (Type::Inet, Type::Cidr, Value::Text(text)) => Ok(Value::text(text::network_of(text))),
        (_, Type::Bpchar, Value::Text(text)) if from.is_string() => Ok(Value::Text(text.clone())),
        (from, to, value) => text::parse(to, &text::print(from, value, session), session),
    }
}

fn local(micros: i64, session: &Session) -> i64 {
    micros.saturating_add(i64::from(session.offset_at(micros)) * 1_000_000)
}

/// All bits of the type decide: the first of them is the sign.
fn bits_to_int(bits: &str, to: &Type) -> Result<Value> {
    let width = if *to == Type::Int4 { 32 } else { 64 };
    let out = || Error::new(Code::NUMERIC_OUT_OF_RANGE, format!("{} out of range", int_name(to)));
    if bits.len() > width {
        return Err(out());
    }
    let number = bits.bytes().fold(0_u64, |number, bit| number << 1 | u64::from(bit == b'1'));
    Ok(Value::Int(match u32::try_from(number) {
        Ok(short) if width == 32 => short.cast_signed().into(),
        _ => number.cast_signed(),
    }))
}

/// Infinities stay what they are.
fn finite(micros: i64, change: impl FnOnce(i64) -> i64) -> i64 {
    if micros == i64::MAX || micros == i64::MIN { micros } else { change(micros) }
}

fn int_name(ty: &Type) -> &'static str {
    match ty {
        Type::Int2 => "smallint",
        Type::Int4 => "integer",
        _ => "bigint",
    }
}

fn int_bounds(ty: &Type) -> (i64, i64) {
    match ty {
        Type::Int2 => (i64::from(i16::MIN), i64::from(i16::MAX)),
        Type::Int4 => (i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => (i64::MIN, i64::MAX),
    }
}

/// An integer in the range of its type.
///
/// # Errors
/// `22003` otherwise.
pub fn ranged(number: i64, ty: &Type) -> Result<Value> {
    let (low, high) = int_bounds(ty);
    if (low..=high).contains(&number) {
        return Ok(Value::Int(number));
    }
    Err(Error::new(Code::NUMERIC_OUT_OF_RANGE, format!("{} out of range", int_name(ty))))
}

/// Halves go to the even neighbor, as the processor rounds.
fn float_to_int(number: f64, ty: &Type) -> Result<Value> {
    let out = || Error::new(Code::NUMERIC_OUT_OF_RANGE, format!("{} out of range", int_name(ty)));
    let rounded = number.round_ties_even();
    if !rounded.is_finite() {
        return Err(out());
    }
    let whole: i64 = format!("{rounded:.0}").parse().map_err(|_| out())?;
    ranged(whole, ty)
}

fn numeric_to_int(number: &Numeric, ty: &Type) -> Result<Value> {
    let (low, high) = int_bounds(ty);
    number.to_i64(int_name(ty), low, high).map(Value::Int)
}

fn int_to_float(number: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "the nearest double is PostgreSQL's answer")]
    let float = number as f64;
    float
}

fn to_single(number: f64) -> Result<Value> {
    let single = text::single(number);
    if single.is_infinite() && !number.is_infinite() {
        return Err(Error::new(Code::NUMERIC_OUT_OF_RANGE, "value out of range: overflow"));
    }
    if single == 0.0 && number != 0.0 {
        return Err(Error::new(Code::NUMERIC_OUT_OF_RANGE, "value out of range: underflow"));
    }
    Ok(Value::Float(single))
}

fn date_to_timestamp(days: i32) -> Result<Value> {
    Ok(Value::Timestamp(match days {
        i32::MAX => i64::MAX,
        i32::MIN => i64::MIN,
        days if i64::from(days) >= 109_203_528 => {
            return Err(Error::new(Code::DATETIME_OVERFLOW, "date out of range for timestamp"));
        }
        days => i64::from(days) * DAY_MICROS,
    }))
}

fn timestamp_to_date(from: &Type, micros: i64, session: &Session) -> Result<i32> {
    match micros {
        i64::MAX => return Ok(i32::MAX),
        i64::MIN => return Ok(i32::MIN),
        _ => {}
    }
    let here = if *from == Type::Timestamptz { local(micros, session) } else { micros };
    i32::try_from(here.div_euclid(DAY_MICROS))
        .map_err(|_| Error::new(Code::DATETIME_OVERFLOW, "date out of range"))
}

fn jsonb_scalar(text: &str, to: &Type, session: &Session) -> Result<Value> {
    let target = format_type(to, None);
    let refused = |kind: &str| {
        Error::new(Code::INVALID_PARAMETER, format!("cannot cast jsonb {kind} to type {target}"))
    };
    match (json::parse(text, json::DEPTH_MAX)?, to) {
        (Json::Bool(value), Type::Bool) => Ok(Value::Bool(value)),
        (Json::Number(number), to) if to.is_number() => {
            convert(&Type::Numeric, to, &Value::Numeric(Numeric::parse(&number)?), session)
        }
        (Json::Null, _) => Err(refused("null")),
        (Json::Bool(_), _) => Err(refused("boolean")),
        (Json::Number(_), _) => Err(refused("numeric")),
        (Json::String(_), _) => Err(refused("string")),
        (Json::Array(_), _) => Err(refused("array")),
        (Json::Object(_), _) => Err(refused("object")),
    }
}
