//! Windows that SQLite does not know, registered: it gathers the rows of a partition, and asks once for each in their order.

use std::panic::AssertUnwindSafe;

use query::functions::Context;
use query::functions::frames::{Bound, Framed, FramedRow, Frames, Key, Spec};
use query::{FrameExclusion, FrameUnit};
use render::sqlite::Special;
use rusqlite::Connection;
use rusqlite::functions::{Aggregate, Context as Arguments, WindowAggregate};
use rusqlite::types::Value as Owned;
use types::{Error, Result, Type, Value};

use super::errors::carried;
use super::functions::FLAGS;
use super::surroundings::{Surroundings, answer, argument, split};

pub(super) fn register(connection: &Connection, surroundings: &Surroundings) -> rusqlite::Result<()> {
    let framing = Framing(surroundings.clone());
    connection.create_window_function(Special::Framed.name(), -1, FLAGS, framing)
}

struct Framing(Surroundings);

/// A partition, and what its rows are of.
struct Partition {
    frames: Frames,
    spec: Spec,
    result: Type,
}

/// What `render::sqlite::window` wrote: words, then the types of the result, the arguments, the offsets and the keys.
fn parse(text: &str) -> Option<(Spec, Type)> {
    let parts = split(text);
    let (words, types) = parts.split_first()?;
    let types: Vec<Type> = types.iter().map(|text| types::signature::parse(text)).collect::<Option<_>>()?;
    let words: Vec<&str> = words.split(' ').collect();
    let [framed, unit, start, end, exclude, count, order] = words[..] else { return None };
    let (result, rest) = types.split_first()?;
    let (arguments, rest) = rest.split_at_checked(count.parse().ok()?)?;
    let (offsets, keys) = rest.split_at_checked(2)?;
    let key = |(ty, order): (&Type, &[u8])| Key {
        ty: ty.clone(),
        descending: order.first() == Some(&b'd'),
        nulls_first: order.get(1) == Some(&b'f'),
    };
    let spec = Spec {
        framed: Framed::of(framed)?,
        unit: match unit {
            "rows" => FrameUnit::Rows,
            "groups" => FrameUnit::Groups,
            _ => FrameUnit::Range,
        },
        start: bound(start)?,
        end: bound(end)?,
        exclude: match exclude {
            "current" => FrameExclusion::Current,
            "group" => FrameExclusion::Group,
            "ties" => FrameExclusion::Ties,
            _ => FrameExclusion::Nothing,
        },
        arguments: arguments.to_vec(),
        offsets: [offsets.first()?.clone(), offsets.get(1)?.clone()],
        keys: keys.iter().zip(order.as_bytes().chunks(2)).map(key).collect(),
    };
    Some((spec, result.clone()))
}

fn bound(word: &str) -> Option<Bound> {
    Some(match word {
        "first" => Bound::First,
        "before" => Bound::Before,
        "current" => Bound::Current,
        "after" => Bound::After,
        "last" => Bound::Last,
        _ => return None,
    })
}

fn row(arguments: &Arguments<'_>, spec: &Spec) -> Result<FramedRow> {
    let mut position = 0;
    let mut next = |ty: &Type| {
        position += 1;
        argument(arguments, position, ty)
    };
    let values = spec.arguments.iter().map(&mut next).collect::<Result<_>>()?;
    let is_kept = matches!(next(&Type::Bool)?, Value::Bool(true));
    let offsets = [next(&spec.offsets[0])?, next(&spec.offsets[1])?];
    let keys = spec.keys.iter().map(|key| next(&key.ty)).collect::<Result<_>>()?;
    Ok(FramedRow { arguments: values, is_kept, offsets, keys })
}

impl Aggregate<AssertUnwindSafe<Partition>, Owned> for Framing {
    fn init(&self, arguments: &mut Arguments<'_>) -> rusqlite::Result<AssertUnwindSafe<Partition>> {
        let found = arguments.get_raw(0).as_str().ok().and_then(parse);
        let (spec, result) = found.ok_or_else(|| carried(&Error::internal("the words of a frame")))?;
        Ok(AssertUnwindSafe(Partition { frames: Frames::new(spec.clone()), spec, result }))
    }

    fn step(
        &self,
        arguments: &mut Arguments<'_>,
        partition: &mut AssertUnwindSafe<Partition>,
    ) -> rusqlite::Result<()> {
        let row = row(arguments, &partition.spec).map_err(|error| carried(&error))?;
        partition.frames.take(row).map_err(|error| carried(&error))
    }

    /// All was said of a partition when it ends.
    fn finalize(
        &self,
        _: &mut Arguments<'_>,
        _: Option<AssertUnwindSafe<Partition>>,
    ) -> rusqlite::Result<Owned> {
        Ok(Owned::Null)
    }
}

impl WindowAggregate<AssertUnwindSafe<Partition>, Owned> for Framing {
    fn value(&self, partition: Option<&mut AssertUnwindSafe<Partition>>) -> rusqlite::Result<Owned> {
        let Some(partition) = partition else { return Ok(Owned::Null) };
        let Partition { frames, spec, result } = &mut **partition;
        let said = |context: &mut Context<'_>| frames.next(context);
        answer(result, self.0.evaluate(&spec.arguments, said))
    }

    fn inverse(&self, _: &mut Arguments<'_>, _: &mut AssertUnwindSafe<Partition>) -> rusqlite::Result<()> {
        Err(carried(&Error::internal("a row left a frame of all rows")))
    }
}
