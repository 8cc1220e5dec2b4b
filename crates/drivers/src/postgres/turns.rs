//! How many reads are asked of a server at once that shares our processors.
//!
//! More backends than processors can serve make each of them slower: all have plans and tables of their own, which push each other
//! out of the processors' memory. So few read at a time, always those that read last, and the others wait for their turn: as
//! long as reads are short. One that takes longer waits for something else than a processor, and stands in nobody's way.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout};

/// Turns for each processor: while one is served, the next one is written or read.
const A_PROCESSOR: usize = 2;

/// How long a read counts.
const SHORT: Duration = Duration::from_millis(1);

/// After how long those who wait look whether all that count have turned out to be long: nobody else came who would have seen it.
const PATIENCE: Duration = Duration::from_millis(10);

/// The turns of a server.
pub(super) struct Turns {
    free: Semaphore,
    taken: Mutex<Taken>,
    short: Duration,
}

/// The turns that count, the oldest one first.
#[derive(Default)]
struct Taken {
    last: u64,
    since: VecDeque<(u64, Instant)>,
}

/// A turn, which ends with it.
pub(super) struct Turn {
    turns: Arc<Turns>,
    turn: u64,
}

impl Turns {
    /// Turns for a server on this machine.
    pub(super) fn of_this_machine() -> Arc<Turns> {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Turns::new(processors.saturating_mul(A_PROCESSOR), SHORT)
    }

    fn new(width: usize, short: Duration) -> Arc<Turns> {
        let free = Semaphore::new(width.min(Semaphore::MAX_PERMITS));
        Arc::new(Turns { free, taken: Mutex::default(), short })
    }

    /// The next turn.
    pub(super) async fn next(self: &Arc<Turns>) -> Turn {
        match self.free.try_acquire() {
            Ok(permit) => permit.forget(),
            Err(_) => self.wait().await,
        }
        let turn = self.held().begin();
        Turn { turns: self.clone(), turn }
    }

    async fn wait(&self) {
        let mut free = pin!(self.free.acquire());
        loop {
            self.let_pass(Instant::now());
            if let Ok(permit) = timeout(PATIENCE, &mut free).await {
                // Nobody closes it.
                return permit.map_or((), SemaphorePermit::forget);
            }
        }
    }

    /// Lets others pass those that turned out to be long.
    fn let_pass(&self, now: Instant) {
        let mut taken = self.held();
        while taken.since.pop_front_if(|(_, since)| now.duration_since(*since) > self.short).is_some() {
            self.free.add_permits(1);
        }
    }

    fn held(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn begin(&mut self) -> u64 {
        self.last += 1;
        self.since.push_back((self.last, Instant::now()));
        self.last
    }

    /// Whether a turn that ends still counted.
    fn end(&mut self, turn: u64) -> bool {
        let found = self.since.iter().position(|(taken, _)| *taken == turn);
        found.and_then(|at| self.since.remove(at)).is_some()
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.turns.held().end(self.turn) {
            self.turns.free.add_permits(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;

    use super::*;

    /// Longer than any test.
    const DAY: Duration = Duration::from_hours(24);

    /// Whether a turn is there at once.
    async fn is_next(turns: &Arc<Turns>) -> Option<Turn> {
        let mut next = pin!(turns.next());
        poll_fn(|ctx| match next.as_mut().poll(ctx) {
            Poll::Ready(turn) => Poll::Ready(Some(turn)),
            Poll::Pending => Poll::Ready(None),
        })
        .await
    }

    #[tokio::test]
    async fn short_reads_wait_for_each_other() {
        let turns = Turns::new(2, DAY);
        let (first, _second) = (is_next(&turns).await.unwrap(), is_next(&turns).await.unwrap());
        assert!(is_next(&turns).await.is_none(), "and who gives up leaves nothing");
        drop(first);
        let _third = is_next(&turns).await.unwrap();
        assert!(is_next(&turns).await.is_none());
    }

    #[tokio::test]
    async fn long_reads_stand_in_nobodys_way() {
        let turns = Turns::new(2, DAY);
        let long = [is_next(&turns).await.unwrap(), is_next(&turns).await.unwrap()];
        turns.let_pass(Instant::now() + DAY * 2);
        let short = [is_next(&turns).await.unwrap(), is_next(&turns).await.unwrap()];
        drop(long);
        assert!(is_next(&turns).await.is_none(), "a turn that was passed is not given back twice");
        drop(short);
        assert!(is_next(&turns).await.is_some());
    }

    #[tokio::test]
    async fn nobody_waits_for_long() {
        let turns = Turns::new(1, SHORT);
        let first = turns.next().await;
        let second = turns.next().await;
        drop((first, second));
        assert_eq!((turns.free.available_permits(), turns.held().since.len()), (1, 0));
    }
}
