//! Who may do what: grants and revocations on top of what PostgreSQL and Supabase grant by themselves.
//!
//! Supabase's default privileges give `anon` and `authenticated` every new table of schema `public`. Here they do so only
//! where rows are guarded: by row-level security, or by a view that reads with its caller's rights. Anything else takes an
//! explicit grant, unless the project chose [`Exposure::Legacy`]. Nothing here looks at policies: that is `query::authorize`.

use std::sync::Arc;

use crate::role::{Acl, Privilege};
use crate::{Catalog, ColumnId, Function, Sequence, Table, TableId, TableKind, ViewRights};

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
        self.is_superuser(roles)
            || table.acl.allows_beyond(roles, privilege, |role| self.implies_table(table, role))
    }

    /// Whether a caller holds `privilege` on a column, through its table or by itself.
    pub fn allows_column(
        &self,
        roles: &[Arc<str>],
        table: TableId,
        privilege: Privilege,
        column: ColumnId,
    ) -> bool {
        self.allows(roles, table, privilege) || self[table].acl.names_column(roles, privilege, column)
    }

    /// Whether a caller holds `privilege` on a table or on any of its columns.
    pub fn allows_some(&self, roles: &[Arc<str>], table: TableId, privilege: Privilege) -> bool {
        self.allows(roles, table, privilege) || self[table].acl.names_some_column(roles, privilege)
    }

    /// Whether a caller may look into a schema.
    pub fn allows_schema(&self, roles: &[Arc<str>], schema: &str) -> bool {
        self.is_superuser(roles)
            || self.schema_acl(schema).is_some_and(|acl| acl.allows(roles, Privilege::Usage))
    }

    /// Whether a caller may call a function.
    pub fn allows_function(&self, roles: &[Arc<str>], function: &Function) -> bool {
        let implied = |role: &str| {
            let here = &*function.name.schema == "public"
                && (role == SERVICE_ROLE || (self.is_legacy() && API_ROLES.contains(&role)));
            role == "public" || role == &*function.owner || here
        };
        self.is_superuser(roles) || function.acl.allows_beyond(roles, Privilege::Execute, implied)
    }

    /// Whether a caller holds `privilege` on a sequence.
    pub fn allows_sequence(&self, roles: &[Arc<str>], sequence: &Sequence, privilege: Privilege) -> bool {
        // A sequence that belongs to a column has the owner of its table.
        let table = sequence.owned_by.as_ref().and_then(|(table, _)| self.table(table));
        let implied = |role: &str| {
            let here =
                &*sequence.name.schema == "public" && (role == SERVICE_ROLE || API_ROLES.contains(&role));
            here || table.is_some_and(|(_, table)| *table.owner == *role)
        };
        self.is_superuser(roles) || sequence.acl.allows_beyond(roles, privilege, implied)
    }

    /// Whether some API role can do something with a table's rows.
    pub fn exposed(&self, table: TableId) -> bool {
        let commands = [Privilege::Select, Privilege::Insert, Privilege::Update, Privilege::Delete];
        API_ROLES.iter().any(|role| {
            let roles = self.memberships(role);
            self.allows_schema(&roles, &self[table].name.schema)
                && commands.iter().any(|&command| self.allows_some(&roles, table, command))
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
        TableKind::View { rights, materialized, .. } => rights == ViewRights::Callers && !materialized,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{catalog, table};

    /// What a role may do with table `t (a, b)`: `table`, or the columns, or nothing.
    fn held(catalog: &Catalog, role: &str, privilege: Privilege) -> String {
        let roles = catalog.memberships(role);
        let (id, table) = catalog.table(&types::Name::new("public", "t")).expect("the table");
        if catalog.allows(&roles, id, privilege) {
            return "table".to_owned();
        }
        let columns =
            table.column_ids().filter(|&column| catalog.allows_column(&roles, id, privilege, column));
        let names: Vec<&str> = columns.map(|column| &*table[column].name).collect();
        assert_eq!(catalog.allows_some(&roles, id, privilege), !names.is_empty());
        names.join(" ")
    }

    /// PostgreSQL 15's `has_table_privilege` and `has_column_privilege` after the same statements.
    #[test]
    fn grants_and_revocations_replay_as_in_postgresql() {
        let cases = [
            ("grant select on t to anon; revoke select (a) on t from anon", "table"),
            ("grant select on t to anon; revoke select on t from anon; grant select (a) on t to anon", "a"),
            ("grant select (a) on t to anon; revoke select on t from anon", ""),
            ("grant select (a), update (b) on t to anon; revoke all on t from anon", ""),
            ("grant select on t to public; revoke select on t from anon", "table"),
            ("grant select (a) on t to anon; revoke select on t from public", "a"),
            ("grant select (a) on t to anon; revoke all (a) on t from anon", ""),
            ("grant all (a, b) on t to anon; revoke select (a) on t from anon", "b"),
            ("grant select (a) on t to anon; grant select on t to anon; revoke select on t from anon", ""),
            ("grant select (a) on t to anon; revoke insert on t from anon", "a"),
            ("grant all on all tables in schema public to anon", "table"),
            ("create role staff; grant staff to anon; grant select (b) on t to staff", "b"),
            (
                "alter role anon noinherit; create role staff; grant staff to anon; grant select (b) on t to staff",
                "",
            ),
            (
                "create role staff; create role desk noinherit; grant staff to desk; grant desk to anon; grant select (b) on t to staff",
                "",
            ),
            ("create role staff; grant select on t to staff", ""),
            ("alter table t owner to anon; revoke select on t from anon", ""),
            ("alter table t owner to anon; grant select on t to anon; alter table t owner to postgres", ""),
            (
                "alter table t owner to authenticated; grant select on t to authenticated; alter table t owner to anon",
                "table",
            ),
            (
                "grant select on t to anon with grant option; revoke grant option for select on t from anon",
                "table",
            ),
        ];
        for (statements, wanted) in cases {
            let catalog = catalog(&format!("create table t (a int, b int); {statements}"));
            assert_eq!(held(&catalog, "anon", Privilege::Select), wanted, "{statements}");
        }
    }

    #[test]
    fn api_roles_reach_guarded_tables_and_what_was_granted() {
        let cases = [
            ("create table t (a int)", "", false),
            ("create table t (a int); alter table t enable row level security", "table", true),
            (
                "create table t (a int); alter table t enable row level security; revoke all on t from anon",
                "",
                true,
            ),
            ("create table t (a int); grant select on t to anon", "table", true),
            ("create table x (a int); create view t as select a from x", "", false),
            (
                "create table x (a int); create view t with (security_invoker) as select a from x",
                "table",
                true,
            ),
            (
                "create table t (a int); alter table t enable row level security; alter table t disable row level security",
                "",
                false,
            ),
        ];
        for (statements, wanted, exposed) in cases {
            let catalog = catalog(statements);
            assert_eq!(held(&catalog, "anon", Privilege::Select), wanted, "{statements}");
            assert_eq!(held(&catalog, "service_role", Privilege::Delete), "table", "{statements}");
            assert_eq!(held(&catalog, "postgres", Privilege::Delete), "table", "{statements}");
            assert_eq!(
                catalog.exposed(catalog.table_ids[&table(&catalog, "t").name]),
                exposed,
                "{statements}"
            );
        }
        let legacy = Catalog { exposure: Exposure::Legacy, ..catalog("create table t (a int)") };
        assert_eq!(held(&legacy, "anon", Privilege::Select), "table");
    }

    #[test]
    fn other_schemas_are_closed() {
        let catalog = catalog(
            "create schema app; create table app.t (a int); alter table app.t enable row level security",
        );
        let (id, _) = catalog.table(&types::Name::new("app", "t")).expect("the table");
        for role in ["anon", "authenticated", "service_role"] {
            let roles = catalog.memberships(role);
            assert!(!catalog.allows_schema(&roles, "app"), "{role}");
            assert!(!catalog.allows_some(&roles, id, Privilege::Select), "{role}");
        }
        assert!(catalog.allows_schema(&catalog.memberships("anon"), "public"));
        assert!(!catalog.exposed(id));
    }

    #[test]
    fn functions_are_everybodys_until_revoked() {
        let text = "create function f() returns int language sql as 'select 1'";
        let may = |more: &str, role: &str| {
            let catalog = catalog(&format!("{text}; {more}"));
            catalog.allows_function(&catalog.memberships(role), &catalog.functions[0])
        };
        assert!(may("", "anon"));
        assert!(may("revoke execute on function f() from anon", "anon"));
        assert!(!may("revoke execute on function f() from public", "anon"));
        assert!(may("revoke execute on function f() from public", "service_role"));
        assert!(may("revoke all on function f() from public; grant execute on function f() to anon", "anon"));
    }
}
