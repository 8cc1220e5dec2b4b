//! The hashing pool: a few threads of its own, a short queue, and a refusal when the queue is full.
//!
//! A password hash costs tens of milliseconds of a core. Without a bound, logging in would be the way to stop a server.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::oneshot;
use types::{Code, Error, Result};

use crate::password::{self, Verdict};

type Work = Box<dyn FnOnce() + Send>;

/// Threads that hash passwords. They end when the pool is dropped.
pub struct Pool {
    queue: Option<SyncSender<Work>>,
    threads: Vec<JoinHandle<()>>,
}

impl Pool {
    /// Starts `threads` threads; up to `queue_max` hashes may wait for them.
    ///
    /// # Errors
    /// `53300` when the system gives no thread.
    pub fn start(threads: usize, queue_max: usize) -> Result<Pool> {
        let (sender, receiver) = sync_channel::<Work>(queue_max);
        let receiver = Arc::new(Mutex::new(receiver));
        let mut started = Vec::with_capacity(threads);
        for number in 0..threads.max(1) {
            let receiver = receiver.clone();
            let thread =
                std::thread::Builder::new().name(format!("hash-{number}")).spawn(move || work(&receiver));
            let failed =
                |cause| Error::new(Code::TOO_MANY_CONNECTIONS, "no thread for hashing").with_cause(cause);
            started.push(thread.map_err(failed)?);
        }
        Ok(Pool { queue: Some(sender), threads: started })
    }

    /// Hashes a password.
    ///
    /// # Errors
    /// `BP429` when too many wait already.
    pub async fn hash(&self, password: String, salt: [u8; 16]) -> Result<String> {
        self.run(move || password::hash(&password, salt)).await?
    }

    /// Compares a password with a hash; without one, takes as long and says [`Verdict::Wrong`].
    ///
    /// # Errors
    /// `BP429` when too many wait already.
    pub async fn verify(&self, password: String, stored: Option<String>) -> Result<Verdict> {
        self.run(move || match &stored {
            Some(stored) => password::verify(&password, stored),
            None => {
                password::verify(&password, password::DUMMY);
                Verdict::Wrong
            }
        })
        .await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let work: Work = Box::new(move || {
            // Nobody may wait for the answer any more.
            let _ = answer.send(work());
        });
        let queue = self.queue.as_ref().ok_or_else(|| Error::internal("the hashing pool has ended"))?;
        match queue.try_send(work) {
            Ok(()) => answered.await.map_err(|_| Error::internal("a hashing thread has ended")),
            Err(TrySendError::Full(_)) => {
                Err(Error::new(Code::OVERLOADED, "Too many sign-ins at once")
                    .with_hint("Try again in a second."))
            }
            Err(TrySendError::Disconnected(_)) => Err(Error::internal("the hashing threads have ended")),
        }
    }
}

fn work(queue: &Mutex<Receiver<Work>>) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match next {
            Ok(work) => work(),
            Err(_) => return,
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            // A thread that panicked has already said so.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::sync::mpsc::channel;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn wait<T>(future: impl Future<Output = T>) -> T {
        let mut future = Box::pin(future);
        loop {
            match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(value) => return value,
                Poll::Pending => std::thread::yield_now(),
            }
        }
    }

    #[test]
    fn the_pool_hashes_and_verifies() {
        let pool = Pool::start(2, 4).unwrap();
        let hash = wait(pool.hash("correct horse".into(), [7; 16])).unwrap();
        assert_eq!(wait(pool.verify("correct horse".into(), Some(hash.clone()))).unwrap(), Verdict::Right);
        assert_eq!(wait(pool.verify("wrong".into(), Some(hash))).unwrap(), Verdict::Wrong);
        assert_eq!(wait(pool.verify("wrong".into(), None)).unwrap(), Verdict::Wrong);
    }

    #[test]
    fn f8_a_full_queue_refuses_at_once() {
        let pool = Pool::start(1, 1).unwrap();
        let (release, held) = channel::<()>();
        let (started, is_started) = channel::<()>();
        let mut running = Box::pin(pool.run(move || {
            started.send(()).unwrap();
            held.recv().unwrap();
        }));
        let mut context = Context::from_waker(Waker::noop());
        assert!(running.as_mut().poll(&mut context).is_pending());
        is_started.recv().unwrap();
        let mut waiting = Box::pin(pool.run(|| 1));
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        let refused = wait(pool.run(|| 2)).unwrap_err();
        assert_eq!(refused.code().name(), "BP429");
        release.send(()).unwrap();
        wait(running).unwrap();
        assert_eq!(wait(waiting).unwrap(), 1);
    }
}
