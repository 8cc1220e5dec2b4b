//! The prepared statements of one connection, the ones used last.
//!
//! A statement belongs to the role that prepared it: PostgreSQL looks at the privileges of schemas only when it reads a text.

use std::collections::HashMap;
use std::sync::Arc;

/// A role and a text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) role: Arc<str>,
    pub(super) text: Arc<str>,
}

/// Names of statements by role and text.
pub(super) struct Statements {
    kept: HashMap<Key, (Arc<str>, u64)>,
    max: usize,
    uses: u64,
}

impl Statements {
    pub(super) fn new(max: usize) -> Statements {
        Statements { kept: HashMap::new(), max: max.max(1), uses: 0 }
    }

    /// The name of a statement, if it is here.
    pub(super) fn find(&mut self, key: &Key) -> Option<Arc<str>> {
        self.uses += 1;
        let (name, used) = self.kept.get_mut(key)?;
        *used = self.uses;
        Some(name.clone())
    }

    /// Keeps a statement, in place of the one that has not been used for longest: which is to be closed.
    pub(super) fn keep(&mut self, key: Key, name: Arc<str>) -> Option<Arc<str>> {
        let is_full = self.kept.len() >= self.max && !self.kept.contains_key(&key);
        let oldest = self.kept.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| key.clone());
        let closed = oldest.filter(|_| is_full).and_then(|oldest| self.kept.remove(&oldest));
        self.uses += 1;
        let replaced = self.kept.insert(key, (name, self.uses));
        closed.or(replaced).map(|(name, _)| name)
    }

    /// Forgets all statements, which are to be closed.
    pub(super) fn clear(&mut self) -> impl Iterator<Item = Arc<str>> + use<> {
        std::mem::take(&mut self.kept).into_values().map(|(name, _)| name)
    }
}
