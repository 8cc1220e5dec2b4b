//! What is in force for all that happens in a transaction: what waits for its end, which tables are in use, how deep functions are.
//!
//! It is shared with whoever calls a function in the middle of a statement. Nothing here runs anything.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use catalog::TableId;
use program::{Account, Stack, Temporaries, TemporariesMark};
use query::Model;
use query::triggers::Operation;
use types::session::Settings;
use types::{Code, Error, Limits, Result, Value};

use crate::as_it_was::{History, Keys};
use crate::constraints::Constraints;
use crate::sequences::Given;
use crate::write::{Gathered, Part};

/// What is in force for all that happens in a transaction, however deep functions call each other.
pub(crate) struct InForce {
    path: Mutex<Arc<[Arc<str>]>>,
    depth: AtomicUsize,
    is_read_only: bool,
    pub(crate) limits: Arc<Limits>,
    /// The tables that statements under way write to.
    busy: Mutex<Vec<TableId>>,
    pub(crate) account: Arc<Account>,
    pub(crate) stack: Stack,
    pub(crate) temporaries: Arc<Temporaries>,
    given: Arc<Mutex<Given>>,
    deferred: Arc<Mutex<VecDeque<Deferred>>>,
    constraints: Arc<Mutex<Constraints>>,
    /// What parts of the transaction that are open began with, outermost first.
    marks: Mutex<Vec<Mark>>,
    /// What happened to rows, for statements that look back.
    pub(crate) history: History,
    /// What has been done by the parts of each statement under way, the innermost last; nothing of a statement that has one alone.
    gathered: Mutex<Vec<Option<Gathered>>>,
    /// The tables of each statement under way that calls functions, the innermost last.
    reading: Mutex<Vec<BTreeSet<TableId>>>,
    /// Rows that this transaction has made, of tables with foreign keys that are ours. Of what was undone, too.
    own: Arc<Mutex<BTreeMap<TableId, Keys>>>,
    /// Commands under way that call functions which may change rows.
    calling: AtomicUsize,
}

/// What a part of a transaction goes back to when it is undone, besides rows.
struct Mark {
    settings: BTreeMap<String, Arc<str>>,
    /// How much waited.
    deferred: usize,
    /// What waited, where some of it was done meanwhile.
    waited: Option<VecDeque<Deferred>>,
    constraints: Constraints,
    history: usize,
    temporaries: TemporariesMark,
}

/// What waits for the end of the transaction.
#[derive(Clone, Debug)]
pub(crate) enum Deferred {
    /// A trigger.
    Trigger {
        table: TableId,
        /// Its position among the table's triggers.
        trigger: usize,
        operation: Operation,
        old: Option<Vec<Value>>,
        new: Option<Vec<Value>>,
    },
    /// What a row refers to is to be looked at.
    Reference {
        /// Where the foreign key is declared.
        from: TableId,
        /// Its position there.
        key: usize,
        /// The row's own key.
        at: i64,
        /// The row as it was stored.
        row: Vec<Value>,
    },
    /// It is to be looked at whether anything refers to a row that went or changed.
    Left {
        /// Where the foreign key is declared.
        from: TableId,
        /// Its position there.
        key: usize,
        /// What is referenced.
        values: Vec<Value>,
        /// Whether another row may not take it over: `restrict`.
        restricts: bool,
    },
    /// A row is to be looked at that has the key of another, or is excluded by it.
    Unique {
        table: TableId,
        /// The key's position among the table's.
        key: usize,
        row: Vec<Value>,
    },
}

/// How many triggers and keys may wait for the end of a transaction.
const DEFERRED_MAX: usize = 100_000;

impl InForce {
    pub(crate) fn new(is_read_only: bool, limits: Arc<Limits>, path: Arc<[Arc<str>]>) -> Arc<InForce> {
        Arc::new(InForce::begun(is_read_only, limits, path))
    }

    fn begun(is_read_only: bool, limits: Arc<Limits>, path: Arc<[Arc<str>]>) -> InForce {
        InForce {
            path: Mutex::new(path),
            depth: AtomicUsize::new(0),
            is_read_only,
            account: Account::of(limits.function_bytes_max),
            limits,
            stack: Stack::default(),
            temporaries: Arc::default(),
            given: Arc::default(),
            busy: Mutex::default(),
            deferred: Arc::default(),
            constraints: Arc::default(),
            marks: Mutex::default(),
            history: History::default(),
            gathered: Mutex::default(),
            reading: Mutex::default(),
            own: Arc::default(),
            calling: AtomicUsize::new(0),
        }
    }

    /// Where functions look for names.
    pub(crate) fn path(&self) -> Arc<[Arc<str>]> {
        locked(&self.path).clone()
    }

    /// Has functions that are called from now on look elsewhere.
    pub(crate) fn set_path(&self, path: Arc<[Arc<str>]>) {
        *locked(&self.path) = path;
    }

    /// Begins a call of a function, until [`InForce::leave`].
    pub(crate) fn enter(&self) -> Result<()> {
        let depth = self.depth.fetch_add(1, Ordering::Relaxed);
        if depth < self.limits.call_depth_max {
            return Ok(());
        }
        self.leave();
        Err(Error::new(Code::TOO_COMPLEX, "stack depth limit exceeded"))
    }

    /// Ends a call.
    pub(crate) fn leave(&self) {
        self.depth.fetch_sub(1, Ordering::Relaxed);
    }

    /// Notes that a statement writes to a table, until it is [`InForce::done`].
    pub(crate) fn begin(&self, table: TableId) {
        locked(&self.busy).push(table);
    }

    /// Notes that the statement that was begun last is done.
    pub(crate) fn done(&self) {
        locked(&self.busy).pop();
    }

    /// Whether a statement under way writes to a table.
    pub(crate) fn is_busy(&self, table: TableId) -> bool {
        locked(&self.busy).contains(&table)
    }

    /// Begins a statement that changes rows, until it is [`InForce::gathered`]; where it has several parts, what they do is gathered.
    pub(crate) fn gather(&self, parts: Option<Gathered>) {
        locked(&self.gathered).push(parts);
    }

    /// Ends the innermost statement: what its parts have done.
    pub(crate) fn gathered(&self) -> Option<Gathered> {
        locked(&self.gathered).pop().flatten()
    }

    /// Has the statement of which something is a part know it; gives it back where there is none.
    pub(crate) fn add_part(&self, part: Part) -> Option<Part> {
        match locked(&self.gathered).last_mut() {
            Some(Some(gathered)) => {
                gathered.parts.push(part);
                None
            }
            Some(None) | None => Some(part),
        }
    }

    /// Whether triggers before a statement are still to be fired for this: it is done once for all parts.
    pub(crate) fn begins(&self, table: TableId, operation: &'static str) -> bool {
        match locked(&self.gathered).last_mut() {
            Some(Some(gathered)) => gathered.begun.insert((table, operation)),
            Some(None) | None => true,
        }
    }

    /// Begins a statement that reads tables and calls functions, until it is [`InForce::is_read`].
    pub(crate) fn begin_reading(&self, tables: BTreeSet<TableId>) {
        locked(&self.reading).push(tables);
    }

    /// Whether one is under way.
    pub(crate) fn is_reading(&self) -> bool {
        !locked(&self.reading).is_empty()
    }

    /// Ends the innermost one.
    pub(crate) fn is_read(&self) {
        locked(&self.reading).pop();
    }

    /// A table of the innermost statement that has changed since so much had happened.
    pub(crate) fn changed_while_read(&self, since: usize) -> Option<TableId> {
        let reading = locked(&self.reading);
        reading.last().and_then(|tables| self.history.has_changed(since, tables))
    }

    /// Begins a part that may be undone alone.
    pub(crate) fn begin_part(&self, settings: &Settings) {
        let deferred = locked(&self.deferred).len();
        let (settings, temporaries) = (settings.mark(), self.temporaries.mark());
        let constraints = self.constraints();
        let history = self.history.length();
        let mark = Mark { settings, deferred, waited: None, constraints, history, temporaries };
        locked(&self.marks).push(mark);
    }

    /// Ends the innermost part; what it left is forgotten unless it is kept.
    pub(crate) fn end_part(&self, settings: &Settings, keep: bool) {
        let mark = locked(&self.marks).pop();
        if let Some(mark) = mark.filter(|_| !keep) {
            settings.bring_back(mark.settings);
            self.temporaries.go_back(mark.temporaries);
            self.history.shorten(mark.history);
            self.constrain(|said| *said = mark.constraints);
            let mut waiting = locked(&self.deferred);
            match mark.waited {
                Some(waited) => *waiting = waited,
                None => waiting.truncate(mark.deferred),
            }
        }
    }

    /// Has a trigger or a key wait.
    pub(crate) fn defer(&self, deferred: Deferred) -> Result<()> {
        let mut waiting = locked(&self.deferred);
        if waiting.len() == DEFERRED_MAX {
            let message =
                format!("more than {DEFERRED_MAX} triggers and keys wait for the end of the transaction");
            return Err(Error::new(Code::LIMIT_EXCEEDED, message));
        }
        if let Deferred::Reference { from, at, .. } = &deferred {
            // It may have come to wait in another statement of a migration.
            self.note_own(*from, None, *at);
        }
        waiting.push_back(deferred);
        Ok(())
    }

    /// Whether nothing may be changed.
    pub(crate) fn is_read_only(&self) -> bool {
        self.is_read_only
    }

    /// Whether anything waits for the end of the transaction.
    pub(crate) fn waits(&self) -> bool {
        !locked(&self.deferred).is_empty()
    }

    /// Whether anything waits because of a row of a table.
    pub(crate) fn is_awaited(&self, model: &Model, table: TableId) -> bool {
        let target_of = |from: &TableId, key: &usize| {
            let key = model.catalog[*from].foreign_keys.get(*key)?;
            model.catalog.table(&key.target).map(|(target, _)| target)
        };
        locked(&self.deferred).iter().any(|deferred| match deferred {
            Deferred::Trigger { table: of, .. } | Deferred::Unique { table: of, .. } => *of == table,
            Deferred::Reference { from, .. } => *from == table,
            Deferred::Left { from, key, .. } => target_of(from, key) == Some(table),
        })
    }

    /// All that waits, in its order: it waits no longer.
    pub(crate) fn take_deferred(&self) -> VecDeque<Deferred> {
        std::mem::take(&mut *locked(&self.deferred))
    }

    /// What waits and need not, in its order: it waits no longer.
    pub(crate) fn take_due(&self, model: &Model) -> Vec<Deferred> {
        let constraints = self.constraints();
        let mut waiting = locked(&self.deferred);
        if waiting.iter().all(|deferred| constraints.put_off(model, deferred)) {
            return Vec::new();
        }
        // It waits again when the part in which it was done is undone.
        for mark in locked(&self.marks).iter_mut() {
            mark.waited.get_or_insert_with(|| waiting.iter().take(mark.deferred).cloned().collect());
        }
        let all = std::mem::take(&mut *waiting);
        let (later, due) = all.into_iter().partition(|deferred| constraints.put_off(model, deferred));
        *waiting = later;
        Vec::from(due)
    }

    /// Notes a row that has come, or changed from another; whether that was the transaction's own.
    pub(crate) fn note_own(&self, table: TableId, before: Option<i64>, key: i64) -> bool {
        let mut own = locked(&self.own);
        let keys = own.entry(table).or_default();
        let was_own = before.is_some_and(|before| keys.has(before));
        keys.add(key);
        was_own
    }

    /// Whether it has made rows of one of some tables; nobody asks which before it has made any.
    pub(crate) fn has_own(&self, tables: impl FnOnce() -> BTreeSet<TableId>) -> bool {
        let own = locked(&self.own);
        !own.is_empty() && tables().iter().any(|table| own.contains_key(table))
    }

    /// Begins a command that calls functions which may change rows.
    pub(crate) fn begin_calling(&self) {
        self.calling.fetch_add(1, Ordering::Relaxed);
    }

    /// Ends it.
    pub(crate) fn has_called(&self) {
        self.calling.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether such a command is under way.
    pub(crate) fn is_calling(&self) -> bool {
        self.calling.load(Ordering::Relaxed) > 0
    }

    /// Which constraints wait.
    pub(crate) fn constraints(&self) -> Constraints {
        locked(&self.constraints).clone()
    }

    /// Changes which constraints wait.
    pub(crate) fn constrain(&self, change: impl FnOnce(&mut Constraints)) {
        change(&mut locked(&self.constraints));
    }

    /// What sequences have given to this session.
    pub(crate) fn given<T>(&self, with: impl FnOnce(&mut Given) -> T) -> T {
        with(&mut locked(&self.given))
    }

    /// The same from its beginning, for something that may change other things.
    pub(crate) fn turned(&self, is_read_only: bool, path: Arc<[Arc<str>]>) -> Arc<InForce> {
        Arc::new(InForce {
            account: self.account.clone(),
            stack: self.stack.turned(),
            temporaries: self.temporaries.clone(),
            given: self.given.clone(),
            deferred: self.deferred.clone(),
            constraints: self.constraints.clone(),
            own: self.own.clone(),
            ..InForce::begun(is_read_only, self.limits.clone(), path)
        })
    }
}

/// What is behind a lock, whether or not somebody has panicked with it.
fn locked<T>(behind: &Mutex<T>) -> MutexGuard<'_, T> {
    behind.lock().unwrap_or_else(PoisonError::into_inner)
}
