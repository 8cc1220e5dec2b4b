//! The prepared statements of one connection, the ones used last.
//!
//! A statement belongs to the role that prepared it: PostgreSQL looks at the privileges of schemas only when it reads a text.

use std::collections::HashMap;
use std::sync::Arc;

use tokio_postgres::Statement;

/// A role and a text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) role: Arc<str>,
    pub(super) text: Arc<str>,
}

/// Statements by role and text.
pub(super) struct Statements {
    kept: HashMap<Key, (Statement, u64)>,
    max: usize,
    uses: u64,
}

impl Statements {
    pub(super) fn new(max: usize) -> Statements {
        Statements { kept: HashMap::new(), max: max.max(1), uses: 0 }
    }

    /// The statement, if it is here.
    pub(super) fn find(&mut self, key: &Key) -> Option<Statement> {
        self.uses += 1;
        let (statement, used) = self.kept.get_mut(key)?;
        *used = self.uses;
        Some(statement.clone())
    }

    /// Keeps a statement, in place of the one that has not been used for longest. The server forgets that one when its last
    /// copy is gone.
    pub(super) fn keep(&mut self, key: Key, statement: Statement) {
        if self.kept.len() >= self.max
            && let Some(oldest) =
                self.kept.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| key.clone())
        {
            self.kept.remove(&oldest);
        }
        self.uses += 1;
        self.kept.insert(key, (statement, self.uses));
    }
}
