//! Connections that are waiting to be used: how many, how old, how long one waits for one.

use std::sync::Arc;
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{
    self, Metrics, Object, PoolError, QueueMode, RecycleError, RecycleResult, TimeoutType,
};
use engine::Failure;
use types::{Code, Error, Result};

use super::connection::Connection;
use super::errors;
use super::options::{Address, Options, address};
use super::respected::Respected;

/// The connections to one server.
#[derive(Clone)]
pub(super) struct Pool {
    connections: managed::Pool<Maker>,
    waiting_max: usize,
}

/// Makes connections, and says which are still good.
struct Maker {
    address: Address,
    options: Options,
    respected: Arc<Respected>,
}

impl managed::Manager for Maker {
    /// In a box: the pool moves what it gives.
    type Type = Box<Connection>;
    type Error = Error;

    async fn create(&self) -> Result<Box<Connection>> {
        let respected = self.respected.clone();
        Connection::open(&self.address, self.options.statements_max, respected).await.map(Box::new)
    }

    async fn recycle(&self, connection: &mut Box<Connection>, metrics: &Metrics) -> RecycleResult<Error> {
        let is_good = connection.is_good()
            && metrics.age() < self.options.connection_life
            && metrics.last_used() < self.options.connection_idle;
        if is_good { Ok(()) } else { Err(RecycleError::message("the connection is closed or old")) }
    }
}

impl Pool {
    pub(super) fn new(options: &Options, respected: Arc<Respected>) -> Result<Pool> {
        let maker = Maker { address: address(options)?, options: options.clone(), respected };
        let connections = managed::Pool::builder(maker)
            .max_size(options.connections_max)
            .wait_timeout(Some(options.acquire_timeout))
            .create_timeout(Some(options.acquire_timeout))
            // The one used last has its plans at hand; the others grow old and go.
            .queue_mode(QueueMode::Lifo)
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(Error::internal)?;
        Ok(Pool { connections, waiting_max: options.waiting_max })
    }

    /// A connection, to be given back by [`Lease::give_back`].
    pub(super) async fn lease(&self) -> Result<Lease, Failure> {
        if self.connections.status().waiting >= self.waiting_max {
            return Err(Failure::Overloaded);
        }
        match self.connections.get().await {
            Ok(object) => Ok(Lease { object: Some(object) }),
            Err(PoolError::Backend(error)) => Err(Failure::Error(error)),
            Err(PoolError::Timeout(TimeoutType::Wait)) => Err(Failure::Error(Error::new(
                Code::POOL_TIMEOUT,
                "Timed out acquiring connection from connection pool.",
            ))),
            Err(PoolError::Timeout(TimeoutType::Create | TimeoutType::Recycle)) => {
                Err(Failure::Error(errors::unreachable("no answer in time")))
            }
            Err(
                error @ (PoolError::Closed | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_)),
            ) => Err(Failure::Error(Error::internal(error))),
        }
    }

    /// Whether somebody waits for a connection.
    pub(super) fn is_awaited(&self) -> bool {
        self.connections.status().waiting > 0
    }

    /// Lets no further connection be taken.
    pub(super) fn close(&self) {
        self.connections.close();
    }
}

/// A connection in use. Unless it is given back, it is in an unknown state: what it still does is stopped, and it is closed.
pub(super) struct Lease {
    object: Option<Object<Maker>>,
}

/// How long a connection that is stopped may take to notice.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

impl Lease {
    /// The connection.
    ///
    /// # Errors
    /// `XX000` after it was given back.
    pub(super) fn connection(&mut self) -> Result<&mut Connection> {
        self.object
            .as_deref_mut()
            .map(|connection| &mut **connection)
            .ok_or_else(|| Error::internal("a connection that was given back"))
    }

    /// For the next one.
    pub(super) fn give_back(mut self) {
        self.object = None;
    }

    /// Another connection in place of one that was lost.
    pub(super) async fn replace(&mut self, pool: &Pool) -> Result<(), Failure> {
        self.let_go();
        *self = pool.lease().await?;
        Ok(())
    }

    fn let_go(&mut self) {
        let Some(object) = self.object.take() else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return drop(Object::take(object));
        };
        let stopper = object.stopper();
        let stop = async move { drop(tokio::time::timeout(STOP_TIMEOUT, stopper.stop()).await) };
        if object.is_lost() {
            // Another one takes its place at once: it does nothing that anybody waits for.
            drop(Object::take(object));
            runtime.spawn(stop);
            return;
        }
        // It counts as in use until the server has heard of it; the time that this takes is bounded.
        runtime.spawn(async move {
            stop.await;
            Object::take(object).close(STOP_TIMEOUT).await;
        });
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.let_go();
    }
}
