//! Roles and privileges.
//!
//! A privilege list is kept as the grants and revocations that were said, in order, and replayed for a role:
//! that is how `grant all … ; revoke insert … from anon` comes to mean what PostgreSQL means.

use std::sync::Arc;
use std::time::Duration;

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
    /// Whether it has the privileges of the roles that it is a member of; otherwise it may only become them.
    pub inherits: bool,
    /// Roles that it is a member of.
    pub member_of: Vec<Arc<str>>,
    /// `alter role … set`: names in lower case and what they are set to, for whoever takes on the role.
    pub settings: Vec<(Arc<str>, String)>,
}

impl Role {
    /// What something is set to.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings.iter().find(|(known, _)| **known == *name).map(|(_, value)| value.as_str())
    }

    /// How long a statement of its may take; nothing where that is not set, or is without end.
    pub fn statement_timeout(&self) -> Option<Duration> {
        let written = self.setting("statement_timeout")?.trim();
        let unit = written.find(|c: char| !c.is_ascii_digit()).unwrap_or(written.len());
        let (number, unit) = written.split_at(unit);
        let number: u64 = number.parse().ok().filter(|number| *number > 0)?;
        Some(match unit.trim() {
            "us" => Duration::from_micros(number),
            "" | "ms" => Duration::from_millis(number),
            "s" => Duration::from_secs(number),
            "min" => Duration::from_secs(number.saturating_mul(60)),
            "h" => Duration::from_secs(number.saturating_mul(3_600)),
            "d" => Duration::from_secs(number.saturating_mul(86_400)),
            _ => return None,
        })
    }
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

/// One `alter default privileges`: what new objects start with.
#[derive(Clone, Debug, PartialEq)]
pub struct DefaultPrivilege {
    /// The role whose objects it concerns.
    pub owner: Arc<str>,
    /// The schema whose objects it concerns; absent for all.
    pub schema: Option<Arc<str>>,
    /// The kind of object.
    pub kind: ObjectKind,
    /// What is granted or revoked.
    pub entry: AclEntry,
}

/// Kinds of objects that default privileges tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    /// Tables and views.
    Table,
    /// Sequences.
    Sequence,
    /// Functions and procedures.
    Function,
    /// Types and domains.
    Type,
    /// Schemas.
    Schema,
}

/// The grants and revocations on one object, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Acl(pub Vec<AclEntry>);

impl Acl {
    /// What was said of the owner is said of the next one (`aclnewowner`): nothing stays with the earlier.
    pub(crate) fn hand_over(&mut self, from: &str, to: &Arc<str>) {
        for role in self.0.iter_mut().flat_map(|entry| &mut entry.roles).filter(|role| ***role == *from) {
            *role = to.clone();
        }
    }

    /// Whether any of `roles` (a role and the roles it is a member of) or `public` holds `privilege` on the whole object.
    pub fn allows(&self, roles: &[Arc<str>], privilege: Privilege) -> bool {
        self.allows_beyond(roles, privilege, |_| false)
    }

    /// The same for an object on which some roles hold the privilege before anything is granted or revoked.
    pub fn allows_beyond(
        &self,
        roles: &[Arc<str>],
        privilege: Privilege,
        implied: impl Fn(&str) -> bool,
    ) -> bool {
        let holds = |role: &str| {
            self.said(role, privilege, |entry| entry.columns.is_empty()).unwrap_or_else(|| implied(role))
        };
        holds("public") || roles.iter().any(|role| holds(role))
    }

    /// Whether `privilege` is held on `column`: through the object or through the column itself.
    pub fn allows_column(&self, roles: &[Arc<str>], privilege: Privilege, column: ColumnId) -> bool {
        self.allows(roles, privilege) || self.names_column(roles, privilege, column)
    }

    /// Whether `privilege` is held on the object or on any of its columns.
    pub fn allows_some(&self, roles: &[Arc<str>], privilege: Privilege) -> bool {
        self.allows(roles, privilege) || self.names_some_column(roles, privilege)
    }

    /// Whether a grant on `column` itself stands. A revocation on the whole object takes it back too.
    pub fn names_column(&self, roles: &[Arc<str>], privilege: Privilege, column: ColumnId) -> bool {
        let concerns = |entry: &AclEntry| {
            if entry.columns.is_empty() { !entry.grant } else { entry.columns.contains(&column) }
        };
        let holds = |role: &str| self.said(role, privilege, concerns).unwrap_or(false);
        holds("public") || roles.iter().any(|role| holds(role))
    }

    /// Whether something was said of a column itself.
    pub fn names(&self, column: ColumnId) -> bool {
        self.0.iter().any(|entry| entry.columns.contains(&column))
    }

    /// Whether a grant on any column itself stands.
    pub fn names_some_column(&self, roles: &[Arc<str>], privilege: Privilege) -> bool {
        let columns = self.0.iter().filter(|entry| entry.grant).flat_map(|entry| &entry.columns);
        columns.into_iter().any(|&column| self.names_column(roles, privilege, column))
    }

    /// The last word on a role's privilege: a revocation takes back only what was granted to the same role.
    fn said(&self, role: &str, privilege: Privilege, concerns: impl Fn(&AclEntry) -> bool) -> Option<bool> {
        self.0.iter().rev().filter(|entry| concerns(entry)).find_map(|entry| {
            let named = entry.privileges.is_empty() || entry.privileges.contains(&privilege);
            (named && entry.roles.iter().any(|said| &**said == role)).then_some(entry.grant)
        })
    }
}

#[cfg(test)]
mod setting_tests {
    use super::*;

    #[test]
    fn a_timeout_has_a_unit() {
        let of = |value: &str| {
            let settings = vec![("statement_timeout".into(), value.to_owned())];
            Role {
                name: "r".into(),
                bypass_row_security: false,
                superuser: false,
                inherits: false,
                member_of: Vec::new(),
                settings,
            }
            .statement_timeout()
        };
        for (text, ms) in
            [("3s", 3_000), ("1500", 1_500), ("40ms", 40), ("2min", 120_000), ("1 h", 3_600_000)]
        {
            assert_eq!(of(text), Some(Duration::from_millis(ms)), "{text}");
        }
        assert_eq!((of("0"), of("soon")), (None, None));
    }
}
