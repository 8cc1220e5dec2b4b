//! Values of every type, in memory.
//!
//! A `Value` does not carry its type: the expression, column or parameter that it belongs to does.
//! Equality and order are therefore functions of `(Type, Value, Value)`, never derived here.

use std::sync::Arc;

use crate::numeric::Numeric;

/// One value. Which variants a type uses is fixed: see each variant.
#[derive(Clone, Debug)]
pub enum Value {
    /// SQL `NULL` of any type.
    Null,
    /// `boolean`
    Bool(bool),
    /// `smallint`, `integer`, `bigint`
    Int(i64),
    /// `real` (rounded to single precision), `double precision`
    Float(f64),
    /// `numeric`
    Numeric(Numeric),
    /// `text`, `varchar`, `bpchar` (padding removed), `citext`, enum labels, `inet`, `cidr`, `json` (as written),
    /// `jsonb` (normalized text), `tsvector`, `tsquery`, bit strings, ranges and opaque types (canonical output form), unknown literals
    Text(Arc<str>),
    /// `uuid`
    Uuid([u8; 16]),
    /// `bytea`; `vector`: four bytes for each number, the lowest first
    Bytes(Arc<[u8]>),
    /// `date`: days since 2000-01-01; `i32::MAX` is infinity, `i32::MIN` is -infinity
    Date(i32),
    /// `time`: microseconds since midnight
    Time(i64),
    /// `timestamp`, `timestamptz`: microseconds since 2000-01-01 00:00 (UTC); `i64::MAX` is infinity, `i64::MIN` -infinity
    Timestamp(i64),
    /// `interval`
    Interval(Interval),
    /// Arrays.
    Array(Arc<Array>),
    /// Rows of composite types: fields in order.
    Row(Arc<[Value]>),
}

/// `interval`: three fields that do not convert into each other, as in PostgreSQL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Interval {
    /// Months.
    pub months: i32,
    /// Days.
    pub days: i32,
    /// Microseconds.
    pub micros: i64,
}

/// An array of any number of dimensions.
#[derive(Clone, Debug, Default)]
pub struct Array {
    /// Length of each dimension, outermost first; empty for the empty array. Lower bounds are 1.
    pub dimensions: Vec<u32>,
    /// The elements in row-major order.
    pub elements: Vec<Value>,
}

impl Value {
    /// The bytes that it takes in memory, what it points to included.
    pub fn weight(&self) -> usize {
        let beyond = match self {
            Value::Text(text) => text.len(),
            Value::Bytes(bytes) => bytes.len(),
            Value::Array(array) => array.elements.iter().map(Value::weight).sum(),
            Value::Row(fields) => fields.iter().map(Value::weight).sum(),
            Value::Numeric(number) => number.bytes(),
            Value::Null
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Float(_)
            | Value::Uuid(_)
            | Value::Date(_)
            | Value::Time(_)
            | Value::Timestamp(_)
            | Value::Interval(_) => 0,
        };
        size_of::<Value>() + beyond
    }

    /// A text value.
    pub fn text(text: impl Into<Arc<str>>) -> Value {
        Value::Text(text.into())
    }

    /// Whether this is `NULL`.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }
}
