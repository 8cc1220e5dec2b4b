//! References of a request of a batch to the results of earlier ones: `"/body/*/order_id": "/0/body/0/id"`.
//!
//! Both sides are JSON pointers (RFC 6901). The left one is a place of the request: below `/body`, where `*` stands for every
//! element of a list, or `/query/NAME`, which is a filter `NAME=eq.VALUE`. The right one is a place in the body of a reply.

use std::borrow::Cow;

use types::json::Json;
use types::{Code, Error, Limits, Result};

use super::{Answered, refused};
use crate::parse::is_filter;
use crate::query_string::encode;

/// A place that takes a value, and where that comes from.
#[derive(Clone, Debug)]
pub(super) struct Reference {
    /// As it was written.
    source: String,
    /// The request whose result it is.
    pub(super) request: usize,
    /// The place in its body.
    from: Vec<String>,
    to: Target,
}

#[derive(Clone, Debug)]
enum Target {
    Query(String),
    Body(Vec<String>),
}

/// Reads the references of the request at a position.
pub(super) fn references(fields: Vec<(String, Json)>, position: usize) -> Result<Vec<Reference>> {
    fields.into_iter().map(|(to, from)| reference(&to, from, position)).collect()
}

fn reference(to: &str, from: Json, position: usize) -> Result<Reference> {
    let Json::String(source) = from else { return Err(refused("A reference is a string")) };
    let mut steps = pointer(&source)?.into_iter();
    let request = steps.next().and_then(|step| step.parse::<usize>().ok());
    let (Some(request), Some("body")) = (request, steps.next().as_deref()) else {
        return Err(refused(format!("`{source}` is no reference to a result"))
            .with_hint("It looks like this: `/0/body/0/id`."));
    };
    if request >= position {
        return Err(refused(format!("`{source}` does not refer to an earlier request")));
    }
    Ok(Reference { from: steps.collect(), source, request, to: target(to)? })
}

fn target(text: &str) -> Result<Target> {
    let mut steps = pointer(text)?.into_iter();
    match (steps.next().as_deref(), steps.next(), steps.next()) {
        (Some("query"), Some(name), None) if is_filter(&name) => Ok(Target::Query(name)),
        (Some("body"), first, second) => {
            Ok(Target::Body(first.into_iter().chain(second).chain(steps).collect()))
        }
        _ => Err(refused(format!("`{text}` is no place of a request that takes a value"))
            .with_hint("It looks like this: `/body/order_id`, `/body/*/order_id` or `/query/id`.")),
    }
}

/// The steps of a JSON pointer.
fn pointer(text: &str) -> Result<Vec<String>> {
    let steps = text.strip_prefix('/').ok_or_else(|| refused(format!("`{text}` is no JSON pointer")))?;
    Ok(steps.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect())
}

/// Puts what references lead to in its places.
pub(super) fn fill(
    references: &[Reference],
    answered: &[Answered],
    path: &str,
    query: &mut String,
    body: &mut Option<Json>,
    limits: &Limits,
) -> Result<()> {
    let mut room = limits.body_bytes_max;
    for reference in references {
        let value = found(reference, answered)?;
        match &reference.to {
            Target::Query(_) if path.starts_with("/rpc/") => {
                return Err(refused("Arguments of a function are taken from results in its body only"));
            }
            Target::Query(name) => add_filter(query, name, &scalar(reference, value)?),
            Target::Body(place) => {
                let body = body.get_or_insert_with(|| Json::Object(Vec::new()));
                put(body, place, &mut Filling { value, size: value.compact().len(), room: &mut room })?;
            }
        }
    }
    Ok(())
}

/// The value that a reference leads to.
fn found<'a>(reference: &Reference, answered: &'a [Answered]) -> Result<&'a Json> {
    let body = answered.get(reference.request).and_then(|answered| answered.body.as_ref());
    let found =
        body.and_then(|body| reference.from.iter().try_fold(body, |inner, step| step_into(inner, step)));
    found.ok_or_else(|| nowhere(reference))
}

fn nowhere(reference: &Reference) -> Error {
    Error::new(Code::BATCH_REFERENCE, format!("The reference `{}` leads nowhere", reference.source))
        .with_hint(format!(
            "Look at what request {} answers; `Prefer: return=representation` makes a write answer its rows.",
            reference.request
        ))
}

fn step_into<'a>(inner: &'a Json, step: &str) -> Option<&'a Json> {
    match inner {
        // Of members with one name the last counts, as everywhere.
        Json::Object(fields) => fields.iter().rev().find(|(name, _)| name == step).map(|(_, value)| value),
        Json::Array(elements) => elements.get(index(step)?),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => None,
    }
}

/// A position in a list: digits without zeros before them.
fn index(step: &str) -> Option<usize> {
    let is_plain = step == "0" || !step.starts_with(['0', '+']);
    step.parse().ok().filter(|_| is_plain)
}

/// A value as the operand of a filter.
fn scalar<'a>(reference: &Reference, value: &'a Json) -> Result<Cow<'a, str>> {
    match value {
        Json::String(text) | Json::Number(text) => Ok(text.into()),
        Json::Bool(value) => Ok(value.to_string().into()),
        Json::Null | Json::Array(_) | Json::Object(_) => Err(Error::new(
            Code::BATCH_REFERENCE,
            format!("The reference `{}` leads to no single value, and a filter needs one", reference.source),
        )),
    }
}

fn add_filter(query: &mut String, name: &str, value: &str) {
    if !query.is_empty() {
        query.push('&');
    }
    encode(query, name);
    query.push_str("=eq.");
    encode(query, value);
}

/// A value on its way to its places, which together may not be longer than a body.
struct Filling<'a> {
    value: &'a Json,
    size: usize,
    room: &'a mut usize,
}

impl Filling<'_> {
    fn take(&mut self) -> Result<Json> {
        let too_large = || Error::new(Code::PAYLOAD_TOO_LARGE, "The references make the body too long");
        *self.room = self.room.checked_sub(self.size).ok_or_else(too_large)?;
        Ok(self.value.clone())
    }
}

/// Puts a value at a place. The members on the way must be there, the last one need not.
fn put(inner: &mut Json, place: &[String], filling: &mut Filling<'_>) -> Result<()> {
    let Some((step, deeper)) = place.split_first() else {
        *inner = filling.take()?;
        return Ok(());
    };
    let missing = || {
        Error::new(Code::BATCH_REFERENCE, format!("There is no place `{step}` for a reference in the body"))
    };
    match inner {
        Json::Array(elements) if step == "*" => {
            elements.iter_mut().try_for_each(|element| put(element, deeper, filling))
        }
        Json::Array(elements) => {
            let element = index(step).and_then(|index| elements.get_mut(index)).ok_or_else(missing)?;
            put(element, deeper, filling)
        }
        Json::Object(fields) => match fields.iter().rposition(|(name, _)| name == step) {
            Some(position) => put(&mut fields[position].1, deeper, filling),
            None if deeper.is_empty() => {
                fields.push((step.clone(), filling.take()?));
                Ok(())
            }
            None => Err(missing()),
        },
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => Err(missing()),
    }
}
