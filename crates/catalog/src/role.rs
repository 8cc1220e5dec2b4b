//! Roles and privileges.
//!
//! A privilege list is kept as the grants and revocations that were said, in order, and replayed for a role:
//! that is how `grant all … ; revoke insert … from anon` comes to mean what PostgreSQL means.

use std::sync::Arc;

use crate::ColumnId;

/// A role.
#[derive(Clone, Debug, PartialEq)]
pub struct Role {
    /// Its name.
    pub name: Arc<str>,
    /// Whether policies do not apply to it.
    pub bypass_row_security: bool,
    /// Whether no privilege is asked of it.
    pub superuser: bool,
    /// Roles whose privileges it has too.
    pub member_of: Vec<Arc<str>>,
}

/// A privilege on an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Privilege {
    /// `select`
    Select,
    /// `insert`
    Insert,
    /// `update`
    Update,
    /// `delete`
    Delete,
    /// `truncate`
    Truncate,
    /// `references`
    References,
    /// `trigger`
    Trigger,
    /// `usage` (schemas, sequences, types)
    Usage,
    /// `execute` (functions)
    Execute,
    /// `create` (schemas)
    Create,
}

/// One grant or revocation.
#[derive(Clone, Debug, PartialEq)]
pub struct AclEntry {
    /// `grant` or `revoke`.
    pub grant: bool,
    /// The privileges; empty is all of them.
    pub privileges: Vec<Privilege>,
    /// The columns, for column privileges; empty is the whole object.
    pub columns: Vec<ColumnId>,
    /// The roles; `public` is everybody.
    pub roles: Vec<Arc<str>>,
}

/// The grants and revocations on one object, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Acl(pub Vec<AclEntry>);

impl Acl {
    /// Whether any of `roles` (a role and the roles it is a member of) or `public` holds `privilege` on the whole object.
    pub fn allows(&self, roles: &[Arc<str>], privilege: Privilege) -> bool {
        self.replay(roles, privilege, |entry| entry.columns.is_empty())
    }

    /// Whether `privilege` is held on `column`: through the object or through the column itself.
    pub fn allows_column(&self, roles: &[Arc<str>], privilege: Privilege, column: ColumnId) -> bool {
        self.allows(roles, privilege)
            || self.replay(roles, privilege, |entry| entry.columns.contains(&column) || (entry.columns.is_empty() && !entry.grant))
    }

    /// Whether `privilege` is held on the object or on any of its columns.
    pub fn allows_some(&self, roles: &[Arc<str>], privilege: Privilege) -> bool {
        self.allows(roles, privilege)
            || self.0.iter().flat_map(|entry| &entry.columns).any(|&column| self.allows_column(roles, privilege, column))
    }

    /// Replays the entries for each role apart: a revocation takes back only what was granted to the same role.
    fn replay(&self, roles: &[Arc<str>], privilege: Privilege, concerns: impl Fn(&AclEntry) -> bool) -> bool {
        let holds = |role: &str| {
            self.0.iter().rev().filter(|entry| concerns(entry)).find_map(|entry| {
                let named = entry.privileges.is_empty() || entry.privileges.contains(&privilege);
                (named && entry.roles.iter().any(|said| &**said == role)).then_some(entry.grant)
            })
        };
        holds("public").unwrap_or(false) || roles.iter().any(|role| holds(role).unwrap_or(false))
    }
}
