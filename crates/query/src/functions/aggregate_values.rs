//! Counts, extremes, and collections of values (PostgreSQL 9.21).

use std::cmp::Ordering;
use std::sync::Arc;

use types::compare::compare;
use types::json::Json;
use types::value::Array;
use types::{Code, Error, Result, Type, Value};

use super::Context;
use super::Ty::{
    Any, AnyArray, AnyElement, AnyEnum, AnyNonArray, Bool, Bpchar, Bytea, Citext, Date, Float4, Float8, Inet,
    Int2, Int4, Int8, Interval, Json as J, Jsonb as B, Numeric, Text, Time, Timestamp, Timestamptz, Timetz,
};
use super::aggregate::{Aggregate, State};
use super::arguments::{boolean, bytes, invalid, list, text_or_null};
use super::interrupt::fits;
use super::json_build::{joined, key, part, written};

/// `max` and `min` over each type that has them.
macro_rules! extremes {
    ($($ty:ident $own:expr,)*) => {
        &[$(
            Aggregate::new("max", &[$ty], $ty, || Box::new(Extreme { wanted: Ordering::Greater, own: $own, best: Value::Null })),
            Aggregate::new("min", &[$ty], $ty, || Box::new(Extreme { wanted: Ordering::Less, own: $own, best: Value::Null })),
        )*]
    };
}

pub(super) static EXTREMES: &[Aggregate] = extremes! {
    Int2 None,
    Int4 None,
    Int8 None,
    Float4 None,
    Float8 None,
    Numeric None,
    Text None,
    Bpchar Some(Type::Bpchar),
    Citext Some(Type::Citext),
    Date None,
    Time None,
    Timetz Some(Type::Timetz),
    Timestamp None,
    Timestamptz None,
    Interval None,
    Inet Some(Type::Inet),
    AnyEnum None,
    AnyArray None,
};

pub(super) static ROWS: &[Aggregate] = &[
    Aggregate::new("count", &[], Int8, || Box::new(Count(0))),
    Aggregate::new("count", &[Any], Int8, || Box::new(Count(0))),
    Aggregate::new("bool_and", &[Bool], Bool, || Box::new(Logic { decisive: false, result: None })),
    Aggregate::new("every", &[Bool], Bool, || Box::new(Logic { decisive: false, result: None })),
    Aggregate::new("bool_or", &[Bool], Bool, || Box::new(Logic { decisive: true, result: None })),
    Aggregate::new("string_agg", &[Text, Text], Text, || collected(Joined(None))).lax(),
    Aggregate::new("string_agg", &[Bytea, Bytea], Bytea, || collected(JoinedBytes(None))).lax(),
    Aggregate::new("array_agg", &[AnyNonArray], AnyArray, || collected(Elements(Vec::new()))).lax(),
    Aggregate::new("array_agg", &[AnyArray], AnyArray, || collected(Arrays::default())).lax(),
    Aggregate::new("json_agg", &[AnyElement], J, || collected(JsonItems(None))).lax(),
    Aggregate::new("jsonb_agg", &[AnyElement], B, || collected(JsonbItems(None))).lax(),
    Aggregate::new("json_object_agg", &[Any, Any], J, || collected(JsonFields(None))).lax(),
    Aggregate::new("jsonb_object_agg", &[Any, Any], B, || collected(JsonbFields(None))).lax(),
];

/// A state that keeps what it is given, and refuses to keep more than there may be.
#[derive(Clone)]
struct Collected<S> {
    state: S,
    bytes: usize,
}

fn collected<S: State + Clone + 'static>(state: S) -> Box<dyn State> {
    Box::new(Collected { state, bytes: 0 })
}

impl<S: State + Clone + 'static> State for Collected<S> {
    fn step(&mut self, context: &mut Context<'_>, arguments: &[Value]) -> Result<()> {
        self.bytes += arguments.iter().map(Value::weight).sum::<usize>();
        fits(self.bytes)?;
        self.state.step(context, arguments)
    }

    fn finish(&mut self, context: &mut Context<'_>) -> Result<Value> {
        self.state.finish(context)
    }
}

#[derive(Clone)]
struct Count(i64);

impl State for Count {
    fn step(&mut self, _: &mut Context<'_>, _: &[Value]) -> Result<()> {
        self.0 += 1;
        Ok(())
    }

    fn finish(&mut self, _: &mut Context<'_>) -> Result<Value> {
        Ok(Value::Int(self.0))
    }
}

#[derive(Clone)]
struct Extreme {
    wanted: Ordering,
    /// The type, where the order of texts depends on it and the caller does not say it.
    own: Option<Type>,
    best: Value,
}

impl State for Extreme {
    fn step(&mut self, context: &mut Context<'_>, arguments: &[Value]) -> Result<()> {
        let ty = self.own.as_ref().unwrap_or(context.argument(0));
        // Of equal values the last one stays, but the first one of `character(n)`.
        let replaces = |order: Ordering| order == self.wanted || (order.is_eq() && *ty != Type::Bpchar);
        if let Some(value) = arguments.first()
            && (self.best.is_null() || replaces(compare(ty, value, &self.best)))
        {
            self.best = value.clone();
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Context<'_>) -> Result<Value> {
        Ok(self.best.clone())
    }
}

#[derive(Clone)]
struct Logic {
    decisive: bool,
    result: Option<bool>,
}

impl State for Logic {
    fn step(&mut self, _: &mut Context<'_>, arguments: &[Value]) -> Result<()> {
        let value = boolean(arguments, 0)?;
        self.result = Some(if value == self.decisive { value } else { self.result.unwrap_or(value) });
        Ok(())
    }

    fn finish(&mut self, _: &mut Context<'_>) -> Result<Value> {
        Ok(self.result.map_or(Value::Null, Value::Bool))
    }
}

/// Texts with the separator of each row before its text, but the first's.
#[derive(Clone)]
struct Joined(Option<String>);

impl State for Joined {
    fn step(&mut self, _: &mut Context<'_>, arguments: &[Value]) -> Result<()> {
        let Some(text) = text_or_null(arguments, 0)? else { return Ok(()) };
        match &mut self.0 {
            None => self.0 = Some(text.to_owned()),
            Some(joined) => {
                joined.push_str(text_or_null(arguments, 1)?.unwrap_or(""));
                joined.push_str(text);
            }
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Context<'_>) -> Result<Value> {
        Ok(self.0.take().map_or(Value::Null, Value::text))
    }
}

#[derive(Clone)]
struct JoinedBytes(Option<Vec<u8>>);

impl State for JoinedBytes {
    fn step(&mut self, _: &mut Context<'_>, arguments: &[Value]) -> Result<()> {
        if arguments.first().is_none_or(Value::is_null) {
            return Ok(());
        }
        let part = bytes(arguments, 0)?;
        match &mut self.0 {
            None => self.0 = Some(part.to_vec()),
            Some(joined) => {
                if arguments.get(1).is_some_and(|separator| !separator.is_null()) {
                    joined.extend(bytes(arguments, 1)?);
                }
                joined.extend(part);
            }
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Context<'_>) -> Result<Value> {
        Ok(self.0.take().map_or(Value::Null, |bytes| Value::Bytes(bytes.into())))
    }
}

#[derive(Clone)]
struct Elements(Vec<Value>);

impl State for Elements {
    fn step(&mut self, _: &mut Context<'_>, arguments: &[Value]) -> Result<()> {
        self.0.extend(arguments.first().cloned());
        Ok(())
    }

    fn finish(&mut self, _: &mut Context<'_>) -> Result<Value> {
        Ok(if self.0.is_empty() { Value::Null } else { list(std::mem::take(&mut self.0)) })
    }
}

/// Arrays of one shape, which become one array with another dimension.
#[derive(Clone, Default)]
struct Arrays {
    count: u32,
    inner: Vec<u32>,
    elements: Vec<Value>,
}

impl State for Arrays {
    fn step(&mut self, _: &mut Context<'_>, arguments: &[Value]) -> Result<()> {
        let refuse = |code, message: &str| Err(Error::new(code, message));
        let array = match arguments.first() {
            Some(Value::Array(array)) => array,
            _ => return refuse(Code::NULL_NOT_ALLOWED, "cannot accumulate null arrays"),
        };
        if self.count == 0 && array.dimensions.is_empty() {
            return refuse(Code::ARRAY_SUBSCRIPT, "cannot accumulate empty arrays");
        }
        if self.count > 0 && self.inner != array.dimensions {
            return refuse(Code::ARRAY_SUBSCRIPT, "cannot accumulate arrays of different dimensionality");
        }
        self.inner.clone_from(&array.dimensions);
        self.count += 1;
        self.elements.extend(array.elements.iter().cloned());
        Ok(())
    }

    fn finish(&mut self, _: &mut Context<'_>) -> Result<Value> {
        if self.count == 0 {
            return Ok(Value::Null);
        }
        let dimensions = [&[self.count], &self.inner[..]].concat();
        Ok(Value::Array(Arc::new(Array { dimensions, elements: std::mem::take(&mut self.elements) })))
    }
}

fn argument(arguments: &[Value], position: usize) -> &Value {
    arguments.get(position).unwrap_or(&Value::Null)
}

#[derive(Clone)]
struct JsonItems(Option<String>);

impl State for JsonItems {
    fn step(&mut self, context: &mut Context<'_>, arguments: &[Value]) -> Result<()> {
        let ty = context.argument(0);
        let value = argument(arguments, 0);
        let item = written(ty, value, context)?;
        match &mut self.0 {
            None => self.0 = Some(format!("[{item}")),
            Some(items) => {
                items.push_str(", ");
                if !value.is_null() && matches!(ty, Type::Array(_) | Type::Composite(_)) {
                    items.push_str("\n ");
                }
                items.push_str(&item);
            }
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Context<'_>) -> Result<Value> {
        Ok(self.0.take().map_or(Value::Null, |items| Value::text(items + "]")))
    }
}

#[derive(Clone)]
struct JsonbItems(Option<Vec<Json>>);

impl State for JsonbItems {
    fn step(&mut self, context: &mut Context<'_>, arguments: &[Value]) -> Result<()> {
        let item = part(context.argument(0), argument(arguments, 0), context)?;
        self.0.get_or_insert_default().push(item);
        Ok(())
    }

    fn finish(&mut self, _: &mut Context<'_>) -> Result<Value> {
        Ok(self.0.take().map_or(Value::Null, |items| Value::text(Json::Array(items).spaced())))
    }
}

/// The key of a field.
fn field_name(context: &Context<'_>, arguments: &[Value]) -> Result<String> {
    key(context.argument(0), argument(arguments, 0), context)?
        .ok_or_else(|| invalid("field name must not be null"))
}

#[derive(Clone)]
struct JsonFields(Option<Vec<(String, String)>>);

impl State for JsonFields {
    fn step(&mut self, context: &mut Context<'_>, arguments: &[Value]) -> Result<()> {
        let name = field_name(context, arguments)?;
        let value = written(context.argument(1), argument(arguments, 1), context)?;
        self.0.get_or_insert_default().push((name, value));
        Ok(())
    }

    fn finish(&mut self, _: &mut Context<'_>) -> Result<Value> {
        let Some(fields) = self.0.take() else { return Ok(Value::Null) };
        let object = joined(&fields, " : ", ", ");
        let inside = object.strip_prefix('{').and_then(|object| object.strip_suffix('}')).unwrap_or("");
        Ok(Value::text(format!("{{ {inside} }}")))
    }
}

#[derive(Clone)]
struct JsonbFields(Option<Vec<(String, Json)>>);

impl State for JsonbFields {
    fn step(&mut self, context: &mut Context<'_>, arguments: &[Value]) -> Result<()> {
        let name = field_name(context, arguments)?;
        let value = part(context.argument(1), argument(arguments, 1), context)?;
        self.0.get_or_insert_default().push((name, value));
        Ok(())
    }

    fn finish(&mut self, _: &mut Context<'_>) -> Result<Value> {
        match self.0.take() {
            Some(fields) => Ok(Value::text(Json::Object(fields).normalized()?.spaced())),
            None => Ok(Value::Null),
        }
    }
}
