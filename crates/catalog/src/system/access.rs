//! Who may do what, as rows: what `has_table_privilege` and its like look into.

use std::sync::Arc;

use types::Value;

use super::{INTERNAL, Objects, SystemRelation, Ty, id, list, text};
use crate::role::Privilege;
use crate::{ColumnId, Function, Sequence, TableId};

pub(super) const ROWS: &[SystemRelation] = &[
    SystemRelation {
        schema: INTERNAL,
        name: "privileges",
        columns: &[("oid", Ty::Oid), ("privilege", Ty::Text), ("roles", Ty::Texts)],
        is_guarded: false,
        rows: privileges,
    },
    SystemRelation {
        schema: INTERNAL,
        name: "column_privileges",
        columns: &[("oid", Ty::Oid), ("attname", Ty::Text), ("privilege", Ty::Text), ("roles", Ty::Texts)],
        is_guarded: false,
        rows: column_privileges,
    },
    SystemRelation {
        schema: INTERNAL,
        name: "memberships",
        columns: &[("member", Ty::Text), ("roles", Ty::Texts), ("inherited", Ty::Texts)],
        is_guarded: false,
        rows: memberships,
    },
    SystemRelation {
        schema: "pg_catalog",
        name: "pg_auth_members",
        columns: &[("roleid", Ty::Oid), ("member", Ty::Oid)],
        is_guarded: false,
        rows: members,
    },
];

/// Privileges of tables, by PostgreSQL's names.
const OF_TABLES: &[(&str, Privilege)] = &[
    ("select", Privilege::Select),
    ("insert", Privilege::Insert),
    ("update", Privilege::Update),
    ("delete", Privilege::Delete),
    ("truncate", Privilege::Truncate),
    ("references", Privilege::References),
    ("trigger", Privilege::Trigger),
];

/// Privileges of columns.
const OF_COLUMNS: &[Privilege] =
    &[Privilege::Select, Privilege::Insert, Privilege::Update, Privilege::References];

/// Privileges of sequences.
const OF_SEQUENCES: &[(&str, Privilege)] =
    &[("usage", Privilege::Usage), ("select", Privilege::Select), ("update", Privilege::Update)];

/// The roles for which something holds.
fn roles(objects: &Objects<'_>, holds: impl Fn(&[Arc<str>]) -> bool) -> Vec<Arc<str>> {
    let roles = objects.memberships().iter().filter(|(_, roles)| holds(roles));
    roles.map(|(name, _)| name.clone()).collect()
}

/// Roles as a value.
pub(super) fn texts(roles: Vec<Arc<str>>) -> Value {
    list(roles.into_iter().map(text).collect())
}

/// Who may do anything with a table.
pub(super) fn of_table(objects: &Objects<'_>, table: TableId) -> Vec<Arc<str>> {
    with_some(objects, table, OF_TABLES)
}

/// Who may do anything with a table but read it.
pub(super) fn of_table_but_reading(objects: &Objects<'_>, table: TableId) -> Vec<Arc<str>> {
    with_some(objects, table, OF_TABLES.get(1..).unwrap_or_default())
}

/// Who has one of some privileges on a table, or on one of its columns.
fn with_some(objects: &Objects<'_>, table: TableId, privileges: &[(&str, Privilege)]) -> Vec<Arc<str>> {
    let owner = &objects.catalog[table].owner;
    let some = |roles: &[Arc<str>]| {
        is_owner(objects, roles, owner)
            || privileges.iter().any(|(_, privilege)| objects.catalog.allows_some(roles, table, *privilege))
    };
    roles(objects, some)
}

/// Who may do anything with each column of a table.
pub(super) fn of_columns<'c>(objects: &'c Objects<'_>, table: TableId) -> impl FnMut(ColumnId) -> Value + 'c {
    by_column(objects, table, move |column| of_column(objects, table, column))
}

/// Who holds something on each column of a table: the same for all that no grant names.
fn by_column<'c>(
    objects: &'c Objects<'_>,
    table: TableId,
    holders: impl Fn(ColumnId) -> Vec<Arc<str>> + 'c,
) -> impl FnMut(ColumnId) -> Value + 'c {
    let mut unnamed = None;
    move |column| match objects.catalog[table].acl.names(column) {
        true => texts(holders(column)),
        false => unnamed.get_or_insert_with(|| texts(holders(column))).clone(),
    }
}

fn of_column(objects: &Objects<'_>, table: TableId, column: ColumnId) -> Vec<Arc<str>> {
    let owner = &objects.catalog[table].owner;
    let some = |roles: &[Arc<str>]| {
        let may = |privilege| objects.catalog.allows_column(roles, table, privilege, column);
        is_owner(objects, roles, owner) || OF_COLUMNS.iter().any(|privilege| may(*privilege))
    };
    roles(objects, some)
}

/// Who may use a schema.
pub(super) fn of_schema(objects: &Objects<'_>, schema: &str) -> Vec<Arc<str>> {
    roles(objects, |roles| is_superuser(objects, roles) || objects.catalog.allows_schema(roles, schema))
}

/// Who may call a function.
pub(super) fn of_function(objects: &Objects<'_>, function: &Function) -> Vec<Arc<str>> {
    roles(objects, |roles| objects.catalog.allows_function(roles, function))
}

/// Who may use a sequence.
pub(super) fn of_sequence(objects: &Objects<'_>, sequence: &Sequence) -> Vec<Arc<str>> {
    let some = |roles: &[Arc<str>]| {
        OF_SEQUENCES.iter().any(|(_, privilege)| objects.catalog.allows_sequence(roles, sequence, *privilege))
    };
    roles(objects, some)
}

/// Who has the rights of an owner.
pub(super) fn owners(objects: &Objects<'_>, owner: &str) -> Vec<Arc<str>> {
    roles(objects, |roles| is_owner(objects, roles, owner))
}

fn is_owner(objects: &Objects<'_>, roles: &[Arc<str>], owner: &str) -> bool {
    is_superuser(objects, roles) || roles.iter().any(|role| **role == *owner)
}

fn is_superuser(objects: &Objects<'_>, roles: &[Arc<str>]) -> bool {
    roles.first().and_then(|role| objects.catalog.role(role)).is_some_and(|role| role.superuser)
}

fn privileges(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let catalog = objects.catalog;
    let mut rows = Vec::new();
    let mut push = |oid: i64, privilege: &str, roles: Vec<Arc<str>>| {
        rows.push(vec![id(oid), text(privilege), texts(roles)]);
    };
    for table in catalog.ids() {
        for (name, privilege) in OF_TABLES {
            let holders = roles(objects, |roles| catalog.allows(roles, table, *privilege));
            push(objects.class(&catalog[table].name), name, holders);
        }
    }
    for sequence in catalog.sequences.values() {
        for (name, privilege) in OF_SEQUENCES {
            let holders = roles(objects, |roles| catalog.allows_sequence(roles, sequence, *privilege));
            push(objects.class(&sequence.name), name, holders);
        }
    }
    for (function, known) in catalog.functions.iter().zip(super::FUNCTIONS..) {
        push(known, "execute", of_function(objects, function));
    }
    for (schema, _) in &catalog.schemas {
        let holders = roles(objects, |roles| catalog.allows_schema(roles, schema));
        push(objects.namespace(schema), "usage", holders);
    }
    rows
}

fn column_privileges(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let catalog = objects.catalog;
    let mut rows = Vec::new();
    for table in catalog.ids() {
        let class = objects.class(&catalog[table].name);
        let holders = OF_TABLES[..3].iter().map(|(name, privilege)| {
            let may =
                move |roles: &[Arc<str>], column| catalog.allows_column(roles, table, *privilege, column);
            let of = move |column| roles(objects, |roles| may(roles, column));
            (*name, by_column(objects, table, of))
        });
        let mut holders: Vec<_> = holders.collect();
        for column in catalog[table].column_ids() {
            for (name, holders) in &mut holders {
                let words = [text(&catalog[table][column].name), text(*name), holders(column)];
                rows.push([id(class)].into_iter().chain(words).collect());
            }
        }
    }
    rows
}

fn members(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let of = |role: &crate::Role| {
        let member = objects.role(&role.name);
        role.member_of.iter().map(|group| vec![id(objects.role(group)), id(member)]).collect::<Vec<_>>()
    };
    objects.catalog.roles.iter().flat_map(of).collect()
}

fn memberships(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let catalog = objects.catalog;
    let row = |role: &crate::Role| match role.superuser {
        true => {
            let all = || catalog.roles.iter().map(|role| role.name.clone()).collect();
            vec![text(&role.name), texts(all()), texts(all())]
        }
        false => {
            let (member, inherited) = (catalog.lent(&role.name), catalog.memberships(&role.name));
            vec![text(&role.name), texts(member), texts(inherited)]
        }
    };
    catalog.roles.iter().map(row).collect()
}
