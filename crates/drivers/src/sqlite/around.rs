//! What is around evaluation on a thread of ours: how much time is left, who waits for it, and sequences, which count in its transaction.
//!
//! Whoever sleeps in the writer has everybody's writes wait, as locks would on PostgreSQL, but those of strangers too. So what
//! one job sleeps in all is bounded ([`Options::sleep_max`](super::Options::sleep_max)), it ends when nobody waits for the job any
//! more, and nobody's answer waits for a later one that sleeps. A read that sleeps has one thread of the long reads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use engine::Failure;
use query::functions::around::{Around, Counting};
use types::{Code, Error, Result, Value};

use super::connect::Budget;
use super::surroundings::Surroundings;

/// How often who waits is looked at: often enough that nobody notices, seldom enough to cost nothing.
const LOOK: Duration = Duration::from_millis(10);

/// Says that nobody waits any more, when it is dropped: with the request.
#[derive(Default)]
pub(super) struct Waiting(Arc<AtomicBool>);

impl Waiting {
    /// Becomes true when it is dropped.
    pub(super) fn left(&self) -> Arc<AtomicBool> {
        self.0.clone()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A connection's.
pub(super) struct Beside {
    pub(super) surroundings: Surroundings,
    pub(super) budget: Arc<Budget>,
}

impl Around for Beside {
    fn is_spent(&self) -> bool {
        self.budget.spent()
    }

    fn wait(&self, time: Duration) -> Result<()> {
        let left = self.budget.time_left().ok_or_else(|| Error::from(Failure::Canceled))?;
        self.budget.take_patience(time.min(left)).map_err(impatient)?;
        let begun = Instant::now();
        while let Some(rest) = time.checked_sub(begun.elapsed()).filter(|rest| !rest.is_zero()) {
            if self.budget.is_over() {
                return Err(Failure::Canceled.into());
            }
            std::thread::sleep(rest.min(LOOK));
        }
        Ok(())
    }

    fn count(&self, counting: &Counting<'_>) -> Result<Value> {
        self.surroundings.calls().count(counting, &self.surroundings)
    }
}

fn impatient(rest: Duration) -> Error {
    let message = format!(
        "a sleep beyond what is left of it for one transaction that may write: {} ms",
        rest.as_millis()
    );
    Error::new(Code::LIMIT_EXCEEDED, message)
        .with_hint("All writes wait for one that sleeps: see limits.sleep_ms_max. Functions that are declared stable may sleep until the request's time is over.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::connect;
    use crate::sqlite::tests::Folder;

    #[test]
    fn a_sleep_ends_with_its_time_and_is_bounded_in_all() {
        let folder = Folder::new();
        let prepared = connect::writer(&folder.options()).unwrap();
        let wait = |millis| prepared.around.wait(Duration::from_millis(millis)).map_err(|error| error.code());
        prepared.budget.set(Duration::from_millis(40), i64::MAX);
        prepared.budget.wait_for(Duration::from_millis(100));
        assert!(!prepared.budget.has_waited());
        assert_eq!(wait(5), Ok(()));
        assert!(prepared.budget.has_waited());
        assert_eq!(wait(60_000), Err(Code::QUERY_CANCELED));
        assert_eq!(wait(1), Err(Code::QUERY_CANCELED));
        prepared.budget.set(Duration::from_secs(60), i64::MAX);
        prepared.budget.wait_for(Duration::from_millis(20));
        assert_eq!(wait(60_000), Err(Code::LIMIT_EXCEEDED));
        assert_eq!([wait(15), wait(15)], [Ok(()), Err(Code::LIMIT_EXCEEDED)]);
        prepared.budget.wait_for(Duration::MAX);
        let waiting = Waiting::default();
        prepared.budget.asked_by(Some(waiting.left()));
        assert_eq!(wait(1), Ok(()));
        drop(waiting);
        assert_eq!(wait(60_000), Err(Code::QUERY_CANCELED));
    }
}
