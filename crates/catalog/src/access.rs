//! Who may do what: grants and revocations on top of what PostgreSQL and Supabase grant by themselves.
//!
//! Supabase's default privileges give `anon` and `authenticated` every new table of schema `public`. Here they do so only
//! where rows are guarded: by row-level security, or by a view that reads with its caller's rights. Anything else takes an
//! explicit grant, unless the project chose [`Exposure::Legacy`]. Nothing here looks at policies: that is `query::authorize`.

use std::sync::Arc;

use crate::role::{Acl, Privilege};
use crate::{Catalog, ColumnId, Function, Sequence, Table, TableId, TableKind};

/// Roles of the API's callers.
pub const API_ROLES: [&str; 2] = ["anon", "authenticated"];

/// The role of trusted servers.
pub const SERVICE_ROLE: &str = "service_role";

/// Which tables of schema `public` the API's roles reach without an explicit grant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Exposure {
    /// Those whose rows are guarded.
    #[default]
    Guarded,
    /// All, as projects made before the default changed expect.
    Legacy,
}

impl Catalog {
    /// Whether a caller holds `privilege` on a whole table. `roles` is [`Catalog::memberships`] of its role.
    pub fn allows(&self, roles: &[Arc<str>], table: TableId, privilege: Privilege) -> bool {
        let table = &self[table];
        self.is_superuser(roles) || table.acl.allows_beyond(roles, privilege, |role| self.implies_table(table, role))
    }

    /// Whether a caller holds `privilege` on a column, through its table or by itself.
    pub fn allows_column(&self, roles: &[Arc<str>], table: TableId, privilege: Privilege, column: ColumnId) -> bool {
        self.allows(roles, table, privilege) || self[table].acl.names_column(roles, privilege, column)
    }

    /// Whether a caller holds `privilege` on a table or on any of its columns.
    pub fn allows_some(&self, roles: &[Arc<str>], table: TableId, privilege: Privilege) -> bool {
        self.allows(roles, table, privilege) || self[table].acl.names_some_column(roles, privilege)
    }

    /// Whether a caller may look into a schema.
    pub fn allows_schema(&self, roles: &[Arc<str>], schema: &str) -> bool {
        self.is_superuser(roles) || self.schema_acl(schema).is_some_and(|acl| acl.allows(roles, Privilege::Usage))
    }

    /// Whether a caller may call a function.
    pub fn allows_function(&self, roles: &[Arc<str>], function: &Function) -> bool {
        let implied = |role: &str| {
            let here = &*function.name.schema == "public" && (role == SERVICE_ROLE || (self.is_legacy() && API_ROLES.contains(&role)));
            role == "public" || role == &*function.owner || here
        };
        self.is_superuser(roles) || function.acl.allows_beyond(roles, Privilege::Execute, implied)
    }

    /// Whether a caller holds `privilege` on a sequence.
    pub fn allows_sequence(&self, roles: &[Arc<str>], sequence: &Sequence, privilege: Privilege) -> bool {
        let implied = |role: &str| &*sequence.name.schema == "public" && (role == SERVICE_ROLE || API_ROLES.contains(&role));
        self.is_superuser(roles) || sequence.acl.allows_beyond(roles, privilege, implied)
    }

    /// Whether some API role can do something with a table's rows.
    pub fn exposed(&self, table: TableId) -> bool {
        let commands = [Privilege::Select, Privilege::Insert, Privilege::Update, Privilege::Delete];
        API_ROLES.iter().any(|role| {
            let roles = self.memberships(role);
            self.allows_schema(&roles, &self[table].name.schema) && commands.iter().any(|&command| self.allows_some(&roles, table, command))
        })
    }

    fn schema_acl(&self, schema: &str) -> Option<&Acl> {
        self.schemas.iter().find(|(name, _)| &**name == schema).map(|(_, acl)| acl)
    }

    /// Being a superuser is not inherited: only the role itself counts.
    fn is_superuser(&self, roles: &[Arc<str>]) -> bool {
        roles.first().and_then(|role| self.role(role)).is_some_and(|role| role.superuser)
    }

    fn is_legacy(&self) -> bool {
        self.exposure == Exposure::Legacy
    }

    fn implies_table(&self, table: &Table, role: &str) -> bool {
        let here = || &*table.name.schema == "public";
        role == &*table.owner
            || (role == SERVICE_ROLE && here())
            || (API_ROLES.contains(&role) && here() && (self.is_legacy() || is_guarded(table)))
    }
}

/// Whether a table's rows are shown only to whom a policy lets see them.
fn is_guarded(table: &Table) -> bool {
    match table.kind {
        TableKind::Table => table.row_security,
        TableKind::View { security_invoker, materialized, .. } => security_invoker && !materialized,
    }
}
