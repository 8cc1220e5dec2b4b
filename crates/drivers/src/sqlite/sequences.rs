//! Sequences: counted in memory, so that a failed job does not give its numbers back, and saved with every commit.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use catalog::Sequence;
use engine::Failure;
use rusqlite::{Connection, OptionalExtension};
use types::{Code, Error, Name, Result};

use super::errors::failure;

/// Those of a connection that writes.
#[derive(Clone, Default)]
pub(super) struct Sequences(Arc<Shared>);

#[derive(Default)]
struct Shared {
    values: Mutex<HashMap<Name, Counted>>,
    /// Whether commands may change sequences themselves: then none is kept in memory beyond a command.
    alone: AtomicBool,
}

struct Counted {
    value: i64,
    /// What is stored: as far ahead as values may be given without writing again. After a crash the rest is a gap, as
    /// PostgreSQL's log leaves one.
    reserved: i64,
    unsaved: bool,
}

/// Values of a sequence that are written ahead of their use, so that not every commit writes the sequence: PostgreSQL's number
/// (`SEQ_LOG_VALS`). A process that dies leaves a gap of so many at most.
const RESERVED: i64 = 32;

impl Sequences {
    fn values(&self) -> MutexGuard<'_, HashMap<Name, Counted>> {
        self.0.values.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says whether commands may change sequences themselves.
    pub(super) fn leave_alone(&self, alone: bool) {
        self.0.alone.store(alone, Ordering::Relaxed);
    }

    /// The next value.
    pub(super) fn next(&self, connection: &Connection, sequence: &Sequence) -> Result<i64, Failure> {
        let known = self.values().get(&sequence.name).map(|counted| (counted.value, counted.reserved));
        let last = match known {
            Some((value, _)) => Some(value),
            None => load(connection, &sequence.name)?,
        };
        let value = match last {
            None => sequence.start,
            Some(last) => after(last, sequence)?,
        };
        let is_reserved = |(last, reserved): (i64, i64)| {
            if sequence.increment > 0 {
                (last..=reserved).contains(&value)
            } else {
                (reserved..=last).contains(&value)
            }
        };
        match known.filter(|known| is_reserved(*known)) {
            Some((_, reserved)) => {
                if let Some(counted) = self.values().get_mut(&sequence.name) {
                    *counted = Counted { value, reserved, unsaved: counted.unsaved };
                }
            }
            None => {
                let ahead = value.saturating_add(sequence.increment.saturating_mul(RESERVED - 1));
                let reserved = ahead.clamp(sequence.min, sequence.max);
                // The last value itself must stay one that can be counted on from.
                let reserved = if reserved == ahead { reserved } else { value };
                self.values().insert(sequence.name.clone(), Counted { value, reserved, unsaved: true });
            }
        }
        Ok(value)
    }

    /// Goes on after a value.
    pub(super) fn set(&self, name: &Name, value: i64) {
        self.values().insert(name.clone(), Counted { value, reserved: value, unsaved: true });
    }

    /// Writes down what is reserved and not yet written.
    pub(super) fn save(&self, connection: &Connection) -> Result<()> {
        for (name, counted) in self.values().iter_mut().filter(|(_, counted)| counted.unsaved) {
            store(connection, name, counted.reserved)?;
            counted.unsaved = false;
        }
        Ok(())
    }

    /// Gives back what was reserved and not used.
    pub(super) fn put_back(&self, connection: &Connection) -> Result<()> {
        for (name, counted) in self.values().iter_mut() {
            if counted.unsaved || counted.reserved != counted.value {
                store(connection, name, counted.value)?;
                *counted = Counted { value: counted.value, reserved: counted.value, unsaved: false };
            }
        }
        Ok(())
    }

    /// Keeps nothing in memory where the next command could change it.
    pub(super) fn settle(&self, connection: &Connection) -> Result<(), Failure> {
        if self.0.alone.load(Ordering::Relaxed) {
            self.put_back(connection)?;
            self.forget();
        }
        Ok(())
    }

    pub(super) fn forget(&self) {
        self.values().clear();
    }
}

fn store(connection: &Connection, name: &Name, value: i64) -> Result<()> {
    let mut statement = connection
        .prepare_cached("INSERT INTO \"backplane.sequences\" VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value")
        .map_err(|error| Error::from(failure(&error)))?;
    statement.execute((name.to_string(), value)).map(drop).map_err(|error| Error::from(failure(&error)))
}

fn load(connection: &Connection, name: &Name) -> Result<Option<i64>, Failure> {
    let mut statement = connection
        .prepare_cached("SELECT value FROM \"backplane.sequences\" WHERE name = ?1")
        .map_err(|error| failure(&error))?;
    statement.query_row([name.to_string()], |row| row.get(0)).optional().map_err(|error| failure(&error))
}

/// The value after `last`: PostgreSQL's `nextval`.
fn after(last: i64, sequence: &Sequence) -> Result<i64, Failure> {
    let next =
        last.checked_add(sequence.increment).filter(|next| (sequence.min..=sequence.max).contains(next));
    let (word, bound, again) = if sequence.increment > 0 {
        ("maximum", sequence.max, sequence.min)
    } else {
        ("minimum", sequence.min, sequence.max)
    };
    match next {
        Some(next) => Ok(next),
        None if sequence.cycle => Ok(again),
        None => Err(Failure::Error(Error::new(
            Code::SEQUENCE_LIMIT,
            format!("nextval: reached {word} value of sequence \"{}\" ({bound})", sequence.name.name),
        ))),
    }
}
