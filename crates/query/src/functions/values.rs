//! Functions of uuids, enums, networks, and of values of any type.

use types::{Code, Error, Result, Type, Value};

use super::Ty::{Any, AnyEnum, Bool, Inet, Int4 as I, Text as T, Uuid};
use super::arguments::{count, list, ok_text, text};
use super::{Context, Function, Ty};

/// `grouping(key, …)`: what it says is known where groups are made, so that nobody computes it.
pub(crate) static GROUPING: Function =
    Function::new("grouping", &[Any], I, |_, _| Err(Error::internal("grouping() of no group")))
        .lax()
        .variadic();

pub(super) static ROWS: &[Function] = &[
    Function::new("gen_random_uuid", &[], Uuid, random_uuid).volatile(),
    Function::new("enum_first", &[AnyEnum], AnyEnum, |c, _| label(c, |labels| labels.first())).lax().stable(),
    Function::new("enum_last", &[AnyEnum], AnyEnum, |c, _| label(c, |labels| labels.last())).lax().stable(),
    Function::new("enum_range", &[AnyEnum], Ty::AnyArray, |c, _| {
        Ok(list(labels(c)?.iter().cloned().map(Value::Text).collect()))
    })
    .lax()
    .stable(),
    Function::new("enum_range", &[AnyEnum, AnyEnum], Ty::AnyArray, enum_range).lax().stable(),
    Function::new("num_nulls", &[Any], I, nulls).lax().variadic(),
    Function::new("num_nonnulls", &[Any], I, others).lax().variadic(),
    Function::new("host", &[Inet], T, |_, a| {
        ok_text(text(a, 0)?.split_once('/').map_or(text(a, 0)?, |(host, _)| host))
    }),
    Function::new("masklen", &[Inet], I, |_, a| Ok(Value::Int(mask(text(a, 0)?)))),
    Function::new("family", &[Inet], I, |_, a| Ok(Value::Int(if text(a, 0)?.contains(':') { 6 } else { 4 }))),
    Function::new("text", &[Inet], T, |_, a| ok_text(types::text::full_network(text(a, 0)?))),
    Function::new("text", &[Bool], T, |_, a| {
        ok_text(if super::arguments::boolean(a, 0)? { "true" } else { "false" })
    }),
];

pub(super) fn nulls(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    count(arguments.iter().filter(|value| value.is_null()).count())
}

pub(super) fn others(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    count(arguments.iter().filter(|value| !value.is_null()).count())
}

/// A random uuid: version 4, variant 1 (RFC 9562).
pub(super) fn random_uuid(context: &mut Context<'_>, _: &[Value]) -> Result<Value> {
    let mut bytes = [0; 16];
    (context.random)(&mut bytes);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    Ok(Value::Uuid(bytes))
}

fn labels<'a>(context: &'a Context<'_>) -> Result<&'a [std::sync::Arc<str>]> {
    match context.argument(0) {
        Type::Enum(declared) => Ok(&declared.labels),
        _ => Err(Error::new(Code::DATATYPE_MISMATCH, "could not determine actual enum type")),
    }
}

/// The labels from one to another; a null is the first or the last.
fn enum_range(context: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let labels = labels(context)?;
    let place = |position: usize| match arguments.get(position) {
        Some(Value::Text(label)) => labels.iter().position(|known| known == label),
        _ => None,
    };
    let (low, high) = (place(0).unwrap_or(0), place(1).map_or(labels.len(), |at| at + 1));
    let within = labels.get(low..high).unwrap_or_default();
    Ok(list(within.iter().cloned().map(Value::Text).collect()))
}

fn label(
    context: &Context<'_>,
    pick: fn(&[std::sync::Arc<str>]) -> Option<&std::sync::Arc<str>>,
) -> Result<Value> {
    Ok(pick(labels(context)?).cloned().map_or(Value::Null, Value::Text))
}

/// Bits of the network part.
fn mask(network: &str) -> i64 {
    let all = if network.contains(':') { 128 } else { 32 };
    network.split_once('/').and_then(|(_, bits)| bits.parse().ok()).unwrap_or(all)
}
