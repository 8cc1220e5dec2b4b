//! What is around evaluation: the engine on whose thread it happens, which knows whether time is left, waits, and counts sequences.
//!
//! It belongs to the thread ([`enter`]), so that no function has to be told. Where nobody is around, as while a schema is read,
//! time does not end, nobody waits, and sequences are refused by name.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use types::{Error, Result, Value};

/// The engine that evaluates on this thread.
pub trait Around: Send + Sync {
    /// Whether nothing is left of the time.
    fn is_spent(&self) -> bool;

    /// Waits.
    ///
    /// # Errors
    /// `57014` when the time is over first, or whoever asked has gone; `54000` where others would wait too long.
    fn wait(&self, time: Duration) -> Result<()>;

    /// Asks a sequence something, or has it count.
    ///
    /// # Errors
    /// What PostgreSQL raises.
    fn count(&self, counting: &Counting<'_>) -> Result<Value>;
}

/// What is asked of a sequence.
#[derive(Clone, Copy, Debug)]
pub struct Counting<'a> {
    /// Its name with its schema, in quotes where they are needed; none for the one that counted last.
    pub sequence: Option<&'a str>,
    /// Who asks.
    pub role: &'a str,
    /// What.
    pub what: Count,
}

/// What a sequence can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// The next value.
    Next,
    /// The last value that it gave to this session.
    Current,
    /// To go on after a value, or with it.
    Set {
        /// The value.
        value: i64,
        /// Whether it was given already.
        is_called: bool,
    },
    /// Whether it may be read as a table.
    Read,
    /// Its column `last_value`.
    LastValue,
    /// Its column `is_called`.
    IsCalled,
}

thread_local! {
    static AROUND: RefCell<Option<Arc<dyn Around>>> = const { RefCell::new(None) };
}

/// As long as it lives, an engine is around what is evaluated on this thread.
pub struct Entered(Option<Arc<dyn Around>>);

/// Puts an engine around the evaluation on this thread.
pub fn enter(around: Arc<dyn Around>) -> Entered {
    Entered(AROUND.replace(Some(around)))
}

impl Drop for Entered {
    fn drop(&mut self) {
        AROUND.set(self.0.take());
    }
}

pub(super) fn is_spent() -> bool {
    AROUND.with_borrow(|around| around.as_ref().is_some_and(|around| around.is_spent()))
}

pub(super) fn wait(time: Duration) -> Result<()> {
    if time.is_zero() {
        return Ok(());
    }
    AROUND.with_borrow(Clone::clone).map_or(Ok(()), |around| around.wait(time))
}

pub(super) fn count(counting: &Counting<'_>) -> Result<Value> {
    match AROUND.with_borrow(Clone::clone) {
        Some(around) => around.count(counting),
        None => Err(Error::missing("counting with a sequence while a schema is read")),
    }
}

/// For tests: an engine that knows nothing but whether time is left.
#[cfg(test)]
pub(super) fn spent(is_spent: bool) -> Entered {
    struct Spent(bool);

    impl Around for Spent {
        fn is_spent(&self) -> bool {
            self.0
        }

        fn wait(&self, _: Duration) -> Result<()> {
            Ok(())
        }

        fn count(&self, _: &Counting<'_>) -> Result<Value> {
            Err(Error::internal("no sequence"))
        }
    }

    enter(Arc::new(Spent(is_spent)))
}
