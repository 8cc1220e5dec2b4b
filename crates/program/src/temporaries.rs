//! Temporary tables that functions make: rows in memory, which are gone when the transaction ends.
//!
//! They are read as tables are, and rows are put into them; what else would change them is refused by its name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use query::resolve::{NamedRows, Temporary};
use types::{Code, Error, Modifier, Result, Value};

use crate::account::Held;
use crate::host::Host;

/// The temporary tables of a transaction, by their names.
#[derive(Debug, Default)]
pub struct Temporaries {
    tables: Mutex<Tables>,
    /// Those whose rows loops and cursors go over.
    in_use: Mutex<Vec<Arc<str>>>,
}

type Tables = BTreeMap<Arc<str>, Kept>;

/// A table, whose it is, and what it holds of memory.
#[derive(Clone, Debug)]
struct Kept {
    rows: Arc<NamedRows>,
    owner: Arc<str>,
    /// What its columns hold their values to; of a table that is made of a query nothing is known.
    modifiers: Arc<[Option<Modifier>]>,
    held: Vec<Arc<Held>>,
}

impl Kept {
    /// Whether it is of the role in force.
    fn is_of(&self, host: &dyn Host) -> bool {
        let (catalog, role) = (&host.model().catalog, &host.caller().role);
        let is_superuser = catalog.role(role).is_some_and(|role| role.superuser);
        is_superuser || catalog.memberships(role).contains(&self.owner)
    }
}

/// The tables that there were at some moment.
#[derive(Debug, Default)]
pub struct TemporariesMark(Tables);

impl Temporaries {
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is any.
    pub fn exist(&self) -> bool {
        !self.tables().is_empty()
    }

    /// All that there are.
    pub(crate) fn all(&self) -> Vec<Temporary> {
        let one = |(name, table): (&Arc<str>, &Kept)| Temporary {
            name: name.clone(),
            rows: table.rows.clone(),
            owner: table.owner.clone(),
        };
        self.tables().iter().map(one).collect()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.tables().contains_key(name)
    }

    /// One more.
    ///
    /// # Errors
    /// `42P07` for a name that is taken.
    pub(crate) fn add(&self, name: &str, rows: NamedRows, owner: &Arc<str>, held: Held) -> Result<()> {
        let mut tables = self.tables();
        if tables.contains_key(name) {
            return Err(Error::new(Code::DUPLICATE_TABLE, format!("relation \"{name}\" already exists")));
        }
        let table = Kept {
            rows: Arc::new(rows),
            owner: owner.clone(),
            modifiers: Arc::new([]),
            held: vec![Arc::new(held)],
        };
        tables.insert(name.into(), table);
        Ok(())
    }

    /// Says what the columns of a table hold their values to.
    pub(crate) fn modify(&self, name: &str, modifiers: Vec<Option<Modifier>>) {
        if let Some(table) = self.tables().get_mut(name) {
            table.modifiers = modifiers.into();
        }
    }

    /// What a column holds its values to.
    pub(crate) fn modifier(&self, name: &str, at: usize) -> Option<Modifier> {
        self.tables().get(name).and_then(|table| table.modifiers.get(at).copied().flatten())
    }

    /// Puts rows into a table.
    pub(crate) fn append(&self, name: &str, rows: Vec<Vec<Value>>, held: Held) {
        if let Some(table) = self.tables().get_mut(name) {
            let known = &table.rows;
            let rows = known.rows.iter().cloned().chain(rows).collect();
            table.rows = Arc::new(NamedRows { columns: known.columns.clone(), rows });
            table.held.push(Arc::new(held));
        }
    }

    /// Notes that rows of tables are gone over, until they are [free](Temporaries::free).
    pub(crate) fn occupy(&self, names: &[Arc<str>]) {
        self.in_use.lock().unwrap_or_else(PoisonError::into_inner).extend(names.iter().cloned());
    }

    /// The rows of tables have been gone over.
    pub(crate) fn free(&self, names: &[Arc<str>]) {
        let mut in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        for name in names {
            if let Some(at) = in_use.iter().rposition(|known| known == name) {
                in_use.remove(at);
            }
        }
    }

    /// One less.
    pub(crate) fn remove(&self, name: &str) {
        self.tables().remove(name);
    }

    /// The same for whoever runs a statement.
    ///
    /// # Errors
    /// `42501` for somebody else's.
    pub(crate) fn drop(&self, name: &str, host: &dyn Host) -> Result<()> {
        let is_theirs = self.tables().get(name).is_none_or(|table| table.is_of(host));
        if !is_theirs {
            return Err(Error::new(Code::PRIVILEGE, format!("must be owner of table {name}")));
        }
        let in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        if in_use.iter().any(|known| **known == *name) {
            let message = format!(
                "cannot DROP TABLE \"{name}\" because it is being used by active queries in this session"
            );
            return Err(Error::raised("55006", message));
        }
        drop(in_use);
        self.remove(name);
        Ok(())
    }

    /// The rows of a table, for whoever runs a statement.
    ///
    /// # Errors
    /// `42501` for somebody else's.
    pub(crate) fn rows(&self, name: &str, host: &dyn Host) -> Result<Option<Arc<NamedRows>>> {
        let Some(table) = self.tables().get(name).cloned() else { return Ok(None) };
        if table.is_of(host) {
            return Ok(Some(table.rows));
        }
        Err(Error::new(Code::PRIVILEGE, format!("permission denied for table {name}")))
    }

    /// What there is now.
    pub fn mark(&self) -> TemporariesMark {
        TemporariesMark(self.tables().clone())
    }

    /// As it was then.
    pub fn go_back(&self, mark: TemporariesMark) {
        *self.tables() = mark.0;
    }
}
