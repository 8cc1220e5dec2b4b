//! Reads that are kept by their shape: parsed, resolved, authorized, planned and rendered once for a role, then run with the
//! values of each request.
//!
//! What is kept belongs to one model and one role; with another model in force all of it is forgotten. Who asks, the time and
//! the values are each request's own. A read that cannot be kept goes the road of every request.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use engine::{Database, Sink};
use query::Model;
use query::resolve::constant;
use rest::{Http, Reply, Shape};
use types::{Error, Result, Type, Value};

use super::{Begun, Ground, Mark, Meaning, Meant, Measured, begun, meant, pre_request, session};

/// Shapes of a generation. Two of these are kept.
const SHAPES_MAX: usize = 512;

/// What is kept of the reads of an API.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<Generations>>);

/// Two generations: when the young one is full the old one is forgotten.
#[derive(Default)]
struct Generations {
    model: Option<Arc<Model>>,
    young: HashMap<Key, Entry>,
    old: HashMap<Key, Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    role: Arc<str>,
    shape: String,
}

/// What is known of a shape.
#[derive(Clone)]
enum Entry {
    Kept(Arc<Kept>),
    /// That it cannot be kept.
    Never,
}

/// A read, but for its values and its caller.
struct Kept {
    meaning: Arc<Meaning>,
    read: engine::Kept,
    /// The types of its values.
    types: Vec<Type>,
}

/// A read that is about to run.
struct Recalled {
    kept: Arc<Kept>,
    values: Vec<Value>,
    begun: Begun,
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Memory").finish()
    }
}

impl Memory {
    fn get(&self, model: &Arc<Model>, key: &Key) -> Option<Entry> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.turn(model);
        if let Some(entry) = known.young.get(key) {
            return Some(entry.clone());
        }
        let (key, entry) = known.old.remove_entry(key)?;
        known.insert(key, entry.clone());
        Some(entry)
    }

    fn put(&self, model: &Arc<Model>, key: Key, entry: Entry) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.turn(model);
        known.insert(key, entry);
    }
}

impl Generations {
    /// Forgets what belongs to another model.
    fn turn(&mut self, model: &Arc<Model>) {
        if !self.model.as_ref().is_some_and(|known| Arc::ptr_eq(known, model)) {
            *self = Generations { model: Some(model.clone()), ..Generations::default() };
        }
    }

    fn insert(&mut self, key: Key, entry: Entry) {
        if self.young.len() >= SHAPES_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, entry);
    }
}

/// The shape of a request that may be kept.
pub(super) fn shape<'a>(http: &Http<'a>, ground: Ground<'_>) -> Option<Shape<'a>> {
    rest::shape(http, &ground.api.limits).filter(|_| pre_request(ground.model, ground.api).is_none())
}

/// Answers a read of a shape; `None` when it cannot be kept.
pub(super) async fn answer(
    database: &Database,
    ground: Ground<'_>,
    http: &Http<'_>,
    shape: Shape<'_>,
    measured: &mut Measured<'_>,
) -> Result<Option<Reply>> {
    let Some(recalled) = recalled(database, ground, http, shape, measured)? else { return Ok(None) };
    let Recalled { kept, values, begun: Begun { run, sink, ending } } = recalled;
    let mut sink = database.read_again(&kept.read, &values, run, sink).await?;
    sink.end()?;
    let outcome = sink.read()?;
    measured.end("run");
    let reply = ending.reply(ground.api, outcome)?;
    measured.end("respond");
    Ok(Some(reply))
}

/// A read with what is kept of its shape, which is made if nothing is known; `None` when it is to go the road of every request.
fn recalled(
    database: &Database,
    ground: Ground<'_>,
    http: &Http<'_>,
    mut shape: Shape<'_>,
    measured: &mut Measured<'_>,
) -> Result<Option<Recalled>> {
    let memory = &ground.api.memory;
    let key = Key { role: ground.caller.role.clone(), shape: std::mem::take(&mut shape.key) };
    match memory.get(ground.model, &key) {
        Some(Entry::Never) => return Ok(None),
        Some(Entry::Kept(kept)) => {
            let recalled = again(kept, ground, http, &shape)?;
            measured.end("parse");
            if let Some(recalled) = recalled.as_ref().filter(|_| cfg!(debug_assertions)) {
                compare(recalled, database, ground, http, &shape)?;
            }
            return Ok(recalled);
        }
        None => {}
    }
    let made = made(database, ground, http, &shape, &mut |phase| measured.end(phase))?;
    let entry = made.as_ref().map_or(Entry::Never, |recalled| Entry::Kept(recalled.kept.clone()));
    memory.put(ground.model, key, entry);
    Ok(made)
}

/// What is kept, with the values of a request; `None` when one is no constant of its type.
fn again(
    kept: Arc<Kept>,
    ground: Ground<'_>,
    http: &Http<'_>,
    shape: &Shape<'_>,
) -> Result<Option<Recalled>> {
    let session = session(&kept.meaning.request, ground.caller, ground.model, ground.now)?;
    let pairs = shape.values.iter().zip(&kept.types);
    let values = pairs.map(|(written, ty)| constant(written, ty, &session).ok().flatten());
    let Some(values) = values.collect::<Option<Vec<Value>>>() else { return Ok(None) };
    let canonical = rest::canonical_query(http.query)?;
    let begun = begun(http, ground, kept.meaning.clone(), session, Some(canonical))?;
    Ok(Some(Recalled { kept, values, begun }))
}

/// Makes what is to be kept of a read; `None` when it cannot be kept: for its shape, or because a value is no constant of its type.
fn made(
    database: &Database,
    ground: Ground<'_>,
    http: &Http<'_>,
    shape: &Shape<'_>,
    mark: Mark<'_>,
) -> Result<Option<Recalled>> {
    let intent = match meant(http, ground, Some(shape), mark)? {
        Meant::Planned(intent) => *intent,
        Meant::Answered(_) => return Ok(None),
    };
    if intent.parameters.len() != shape.values.len() {
        return Ok(None);
    }
    let (values, types): (Vec<Value>, Vec<Type>) = intent.parameters.into_values().unzip();
    let canonical = intent.meaning.request.canonical.clone();
    let meaning = Arc::new(intent.meaning);
    let begun = begun(http, ground, meaning.clone(), intent.session, canonical)?;
    let Some(read) = database.keep(ground.model, intent.plan, &values, &begun.run)? else {
        return Ok(None);
    };
    mark("plan");
    let kept = Arc::new(Kept { meaning, read, types });
    Ok(Some(Recalled { kept, values, begun }))
}

/// Holds what was recalled against what would be made.
fn compare(
    recalled: &Recalled,
    database: &Database,
    ground: Ground<'_>,
    http: &Http<'_>,
    shape: &Shape<'_>,
) -> Result<()> {
    let Some(fresh) = made(database, ground, http, shape, &mut |_| {})? else {
        return Err(Error::internal("what is kept would not be kept"));
    };
    let is_same = recalled.kept.read.is_like(&fresh.kept.read)
        && said(&recalled.kept.meaning) == said(&fresh.kept.meaning)
        && recalled.kept.types == fresh.kept.types
        && format!("{:?}", recalled.values) == format!("{:?}", fresh.values);
    match is_same {
        true => Ok(()),
        false => Err(Error::internal("what is kept is not what would be made")),
    }
}

/// All that a meaning says but for the values of its shape.
fn said(meaning: &Meaning) -> String {
    let Meaning {
        request,
        media,
        described,
        shape,
        rows_at,
        heading,
        key,
        exact_max,
        profile,
        is_void,
        has_conflict_target,
        warnings,
    } = meaning;
    let request = Shape::without_values(request);
    let reply = (media, described.is_some(), shape, rows_at, heading, key);
    format!("{:?}", (request, reply, exact_max, profile, is_void, has_conflict_target, warnings))
}

#[cfg(test)]
mod tests;
