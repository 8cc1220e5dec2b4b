//! What every project starts with: Supabase's schemas and roles.

use std::sync::Arc;

use crate::role::{Acl, AclEntry, Privilege};
use crate::{Catalog, Role};

/// Schemas, and who may look into them.
const SCHEMAS: &[(&str, &[&str])] = &[
    ("public", &["public", "postgres", "anon", "authenticated", "service_role"]),
    ("auth", &["anon", "authenticated", "service_role", "supabase_auth_admin", "dashboard_user", "postgres"]),
    ("extensions", &["anon", "authenticated", "service_role", "postgres"]),
    ("storage", &["anon", "authenticated", "service_role", "postgres"]),
    ("realtime", &["anon", "authenticated", "service_role", "postgres"]),
    ("graphql_public", &["anon", "authenticated", "service_role", "postgres"]),
];

/// Roles that have no rights of the roles that they are members of, unless they become them.
///
/// Those of the API inherit, as on a hosted project; what logs in for them has to become one of them.
const NOT_INHERITING: &[&str] =
    &["authenticator", "supabase_auth_admin", "supabase_storage_admin", "supabase_realtime_admin"];

/// Roles: name, whether policies bind it, whether it is a superuser, what it is a member of.
const ROLES: &[(&str, bool, bool, &[&str])] = &[
    ("postgres", false, true, &[]),
    ("supabase_admin", false, true, &[]),
    ("anon", true, false, &[]),
    ("authenticated", true, false, &[]),
    ("service_role", false, false, &[]),
    ("authenticator", true, false, &["anon", "authenticated", "service_role"]),
    ("supabase_auth_admin", true, false, &[]),
    ("supabase_storage_admin", true, false, &[]),
    ("supabase_realtime_admin", true, false, &[]),
    ("supabase_read_only_user", false, false, &[]),
    ("supabase_replication_admin", true, false, &[]),
    ("dashboard_user", true, false, &[]),
    ("pgsodium_keyholder", true, false, &[]),
    ("pg_database_owner", true, false, &[]),
    ("pg_read_all_data", true, false, &[]),
    ("pg_monitor", true, false, &[]),
];

/// The catalog that a project's statements are applied to. Tables of services are declared by their own statements.
pub fn builtin() -> Catalog {
    Catalog {
        schemas: SCHEMAS.iter().map(|(name, roles)| (Arc::from(*name), usage(roles))).collect(),
        roles: ROLES.iter().map(role).collect(),
        extensions: ["plpgsql", "pgcrypto", "uuid-ossp"].map(Arc::from).to_vec(),
        publications: vec![("supabase_realtime".into(), Some(Vec::new()))],
        ..Catalog::default()
    }
}

fn usage(roles: &[&str]) -> Acl {
    let roles = roles.iter().map(|role| Arc::from(*role)).collect();
    Acl(vec![AclEntry { grant: true, privileges: vec![Privilege::Usage], columns: Vec::new(), roles }])
}

fn role((name, is_bound, superuser, member_of): &(&str, bool, bool, &[&str])) -> Role {
    Role {
        name: (*name).into(),
        bypass_row_security: !is_bound,
        superuser: *superuser,
        inherits: !NOT_INHERITING.contains(name),
        member_of: member_of.iter().map(|role| Arc::from(*role)).collect(),
        settings: Vec::new(),
    }
}
