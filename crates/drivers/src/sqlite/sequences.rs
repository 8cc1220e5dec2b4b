//! Sequences: counted in memory, so that a failed job does not give its numbers back, and saved with every commit.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use catalog::Sequence;
use engine::{Failure, Standing};
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
    standing: Standing,
    /// What is stored: as far ahead as values may be given without writing again. After a crash the rest is a gap, as
    /// PostgreSQL's log leaves one.
    reserved: i64,
    unsaved: bool,
}

/// Values of a sequence that are written ahead of their use, so that not every commit writes the sequence: PostgreSQL's number
/// (`SEQ_LOG_VALS`). A process that dies leaves a gap of so many at most.
const RESERVED: i64 = 32;

/// The table that remembers sequences.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS \"backplane.sequences\"
    (name TEXT PRIMARY KEY, value INT NOT NULL, is_called INT NOT NULL DEFAULT 1) STRICT, WITHOUT ROWID";

/// What databases of before lack of it: their values were all given.
const IS_CALLED: &str = "ALTER TABLE \"backplane.sequences\" ADD COLUMN is_called INT NOT NULL DEFAULT 1";

/// Makes the table that remembers sequences, or completes it.
pub(super) fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(TABLE)?;
    match connection.column_exists(None, "backplane.sequences", "is_called")? {
        true => Ok(()),
        false => connection.execute_batch(IS_CALLED),
    }
}

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
        let known = self.values().get(&sequence.name).map(|counted| (counted.standing, counted.reserved));
        let standing = match known {
            Some((standing, _)) => standing,
            None => self.standing(connection, sequence)?,
        };
        let value = after(standing, sequence)?;
        let is_reserved = |(last, reserved): (Standing, i64)| {
            last.is_called
                && match sequence.increment > 0 {
                    true => (last.value..=reserved).contains(&value),
                    false => (reserved..=last.value).contains(&value),
                }
        };
        let standing = Standing { value, is_called: true };
        match known.filter(|known| is_reserved(*known)) {
            Some((_, reserved)) => {
                if let Some(counted) = self.values().get_mut(&sequence.name) {
                    *counted = Counted { standing, reserved, unsaved: counted.unsaved };
                }
            }
            None => {
                let ahead = value.saturating_add(sequence.increment.saturating_mul(RESERVED - 1));
                let reserved = ahead.clamp(sequence.min, sequence.max);
                // The last value itself must stay one that can be counted on from.
                let reserved = if reserved == ahead { reserved } else { value };
                self.values().insert(sequence.name.clone(), Counted { standing, reserved, unsaved: true });
            }
        }
        Ok(value)
    }

    /// Where a sequence stands.
    pub(super) fn standing(&self, connection: &Connection, sequence: &Sequence) -> Result<Standing, Failure> {
        let known = self.values().get(&sequence.name).map(|counted| counted.standing);
        match known {
            Some(standing) => Ok(standing),
            None => Ok(load(connection, &sequence.name)?.unwrap_or(Standing::before(sequence.start))),
        }
    }

    /// Has a sequence stand elsewhere.
    pub(super) fn set(&self, name: &Name, standing: Standing) {
        let counted = Counted { standing, reserved: standing.value, unsaved: true };
        self.values().insert(name.clone(), counted);
    }

    /// Writes down what is reserved and not yet written.
    pub(super) fn save(&self, connection: &Connection) -> Result<()> {
        for (name, counted) in self.values().iter_mut().filter(|(_, counted)| counted.unsaved) {
            store(connection, name, Standing { value: counted.reserved, ..counted.standing })?;
            counted.unsaved = false;
        }
        Ok(())
    }

    /// Gives back what was reserved and not used.
    pub(super) fn put_back(&self, connection: &Connection) -> Result<()> {
        for (name, counted) in self.values().iter_mut() {
            let standing = counted.standing;
            if counted.unsaved || counted.reserved != standing.value {
                store(connection, name, standing)?;
                *counted = Counted { standing, reserved: standing.value, unsaved: false };
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

fn store(connection: &Connection, name: &Name, standing: Standing) -> Result<()> {
    let mut statement = connection
        .prepare_cached(
            "INSERT INTO \"backplane.sequences\" (name, value, is_called) VALUES (?1, ?2, ?3)
            ON CONFLICT DO UPDATE SET value = excluded.value, is_called = excluded.is_called",
        )
        .map_err(|error| Error::from(failure(&error)))?;
    let stored = statement.execute((name.to_string(), standing.value, standing.is_called));
    stored.map(drop).map_err(|error| Error::from(failure(&error)))
}

fn load(connection: &Connection, name: &Name) -> Result<Option<Standing>, Failure> {
    let mut statement = connection
        .prepare_cached("SELECT value, is_called FROM \"backplane.sequences\" WHERE name = ?1")
        .map_err(|error| failure(&error))?;
    let standing = |row: &rusqlite::Row<'_>| Ok(Standing { value: row.get(0)?, is_called: row.get(1)? });
    statement.query_row([name.to_string()], standing).optional().map_err(|error| failure(&error))
}

/// The value of the next call: PostgreSQL's `nextval`.
fn after(last: Standing, sequence: &Sequence) -> Result<i64, Failure> {
    if !last.is_called {
        return Ok(last.value);
    }
    let next = last
        .value
        .checked_add(sequence.increment)
        .filter(|next| (sequence.min..=sequence.max).contains(next));
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
