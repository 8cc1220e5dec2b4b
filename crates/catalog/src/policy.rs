//! Row-level security policies.

use std::sync::Arc;

use sql::ast;

/// A policy of one table, as in PostgreSQL's `CREATE POLICY`.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Its name.
    pub name: Arc<str>,
    /// Permissive policies are OR-ed, restrictive ones AND-ed to that.
    pub permissive: bool,
    /// The command it applies to.
    pub command: PolicyCommand,
    /// Roles it applies to; empty is `public`.
    pub roles: Vec<Arc<str>>,
    /// Which existing rows are seen.
    pub using: Option<Arc<ast::Expr>>,
    /// Which new rows may be written; absent, `using` decides where PostgreSQL says so.
    pub with_check: Option<Arc<ast::Expr>>,
    /// `comment on policy`.
    pub comment: Option<String>,
}

/// The command a policy applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyCommand {
    /// Every command.
    All,
    /// `select`
    Select,
    /// `insert`
    Insert,
    /// `update`
    Update,
    /// `delete`
    Delete,
}

impl PolicyCommand {
    /// Whether a policy for `self` applies to `command`.
    pub fn covers(self, command: PolicyCommand) -> bool {
        self == PolicyCommand::All || self == command
    }
}
