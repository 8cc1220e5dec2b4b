//! Opening and preparing connections.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use parking_lot::{ReentrantMutex, ReentrantMutexGuard};
use query::functions::around::Around;
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};
use types::{Code, Error, Result};

use super::around::Beside;
use super::errors::failure;
use super::surroundings::Surroundings;
use super::{Options, collations, functions, special};

/// Virtual machine steps between two looks at the budget.
const STEPS_PER_LOOK: i32 = 1_000;

/// What a connection may spend on the command that runs on it: looked at every [`STEPS_PER_LOOK`] steps.
pub(super) struct Budget {
    epoch: Instant,
    /// Nanoseconds after `epoch`.
    deadline: AtomicU64,
    looks: AtomicI64,
    /// Whether the one who asked has left.
    left: Mutex<Option<Arc<AtomicBool>>>,
    /// The same where what is under way goes on, and only does not wait any longer.
    asker: Mutex<Option<Arc<AtomicBool>>>,
    /// Nanoseconds that it may still wait.
    patience: AtomicU64,
    waited: AtomicBool,
}

impl Budget {
    fn new() -> Budget {
        Budget {
            epoch: Instant::now(),
            deadline: AtomicU64::new(u64::MAX),
            looks: AtomicI64::new(i64::MAX),
            left: Mutex::default(),
            asker: Mutex::default(),
            patience: AtomicU64::new(u64::MAX),
            waited: AtomicBool::new(false),
        }
    }

    /// Allows so much time and so many looks from now on.
    pub(super) fn set(&self, timeout: Duration, looks: i64) {
        let deadline = self.epoch.elapsed().saturating_add(timeout);
        self.deadline.store(u64::try_from(deadline.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.looks.store(looks, Ordering::Relaxed);
    }

    /// Allows to wait for so long in all, from now on.
    pub(super) fn wait_for(&self, patience: Duration) {
        self.patience.store(u64::try_from(patience.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.waited.store(false, Ordering::Relaxed);
    }

    /// Says who asked; when they have gone, nobody waits for them.
    pub(super) fn asked_by(&self, asker: Option<Arc<AtomicBool>>) {
        *self.asker.lock().unwrap_or_else(PoisonError::into_inner) = asker;
    }

    /// Whether something has waited since it was allowed to.
    pub(super) fn has_waited(&self) -> bool {
        self.waited.load(Ordering::Relaxed)
    }

    /// Takes a time to wait from what is allowed; how much was allowed in all that is left, where it is not enough.
    pub(super) fn take_patience(&self, time: Duration) -> Result<(), Duration> {
        let time = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.waited.store(true, Ordering::Relaxed);
        let left = self.patience.load(Ordering::Relaxed);
        if left == u64::MAX {
            return Ok(());
        }
        let rest = left.checked_sub(time).ok_or(Duration::from_nanos(left))?;
        self.patience.store(rest, Ordering::Relaxed);
        Ok(())
    }

    /// Whether there is nobody or nothing to wait for.
    pub(super) fn is_over(&self) -> bool {
        self.time_left().is_none() || self.has_left() || is_set(&self.asker)
    }

    /// The time until the deadline.
    pub(super) fn time_left(&self) -> Option<Duration> {
        let deadline = Duration::from_nanos(self.deadline.load(Ordering::Relaxed));
        deadline.checked_sub(self.epoch.elapsed()).filter(|left| !left.is_zero())
    }

    /// Nothing is left of the budget when this says so.
    pub(super) fn until(&self, left: Option<Arc<AtomicBool>>) {
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = left;
    }

    /// Whether the looks are used up (rather than the time).
    pub(super) fn out_of_looks(&self) -> bool {
        self.looks.load(Ordering::Relaxed) <= 0
    }

    pub(super) fn spent(&self) -> bool {
        self.looks.fetch_sub(1, Ordering::Relaxed) <= 1
            || u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(u64::MAX)
                > self.deadline.load(Ordering::Relaxed)
            || self.has_left()
    }

    fn has_left(&self) -> bool {
        is_set(&self.left)
    }
}

fn is_set(flag: &Mutex<Option<Arc<AtomicBool>>>) -> bool {
    let flag = flag.lock().unwrap_or_else(PoisonError::into_inner);
    flag.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed))
}

/// A connection, its budget, and what its functions know of the command that runs.
pub(super) struct Prepared {
    pub(super) connection: Arc<ReentrantMutex<Connection>>,
    pub(super) budget: Arc<Budget>,
    /// What is around evaluation on its thread.
    pub(super) around: Arc<dyn Around>,
    /// How long one job that may write may sleep in all.
    pub(super) patience: Duration,
    pub(super) surroundings: Surroundings,
}

impl Prepared {
    /// The connection. A function that a statement calls enters it again, on the same thread.
    pub(super) fn connection(&self) -> ReentrantMutexGuard<'_, Connection> {
        self.connection.lock()
    }
}

/// The connection that writes.
pub(super) fn writer(options: &Options) -> Result<Prepared> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let prepared = open(options, flags, true)?;
    prepared
        .connection()
        .execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA journal_size_limit=67108864;")
        .and_then(|()| prepared.surroundings.look_at_references(&prepared.connection()))
        .map_err(|error| failed(options, &error))?;
    Ok(prepared)
}

/// A connection that reads.
pub(super) fn reader(options: &Options) -> Result<Prepared> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let prepared = open(options, flags, false)?;
    let length = i32::try_from(options.value_bytes_max).unwrap_or(i32::MAX);
    let limit = |prepared: &Prepared| {
        let connection = prepared.connection();
        connection.execute_batch("PRAGMA query_only=ON;")?;
        connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, length)
    };
    limit(&prepared).map_err(|error| failed(options, &error))?;
    Ok(prepared)
}

fn open(options: &Options, flags: OpenFlags, writes: bool) -> Result<Prepared> {
    let prepare = || -> rusqlite::Result<Prepared> {
        let mut connection = Connection::open_with_flags(&options.path, flags)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.set_prepared_statement_cache_capacity(256);
        connection.execute_batch("PRAGMA cache_size=-4096; PRAGMA temp_store=FILE; PRAGMA mmap_size=268435456; PRAGMA trusted_schema=OFF;")?;
        // An unknown name in double quotes is an error, however SQLite was built.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
        // Plans do not depend on values: otherwise every new value of a `LIMIT` prepares its statement anew.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
        collations::register(&connection)?;
        let budget = Arc::new(Budget::new());
        let surroundings = Surroundings::new(options, budget.clone(), writes);
        functions::register(&connection, &surroundings)?;
        special::register(&connection, &surroundings)?;
        let watched = budget.clone();
        connection.progress_handler(STEPS_PER_LOOK, Some(move || watched.spent()))?;
        let connection = Arc::new(ReentrantMutex::new(connection));
        surroundings.calls().connect(&connection);
        let around = Arc::new(Beside { surroundings: surroundings.clone(), budget: budget.clone() });
        Ok(Prepared { connection, budget, around, patience: options.sleep_max, surroundings })
    };
    prepare().map_err(|error| failed(options, &error))
}

fn failed(options: &Options, error: &rusqlite::Error) -> Error {
    let code = match Error::from(failure(error)).code() {
        Code::INTERNAL => Code::IO_ERROR,
        code => code,
    };
    Error::new(code, format!("could not open the database {}: {error}", options.path.display()))
}
