//! The privileges that an object starts with, and those that it takes along into another schema.
//!
//! What is said for a schema adds to what is said for all of them and takes nothing of that back (PostgreSQL, `ALTER DEFAULT
//! PRIVILEGES`). The rights of the API's roles in schema `public` are such: hosted projects have them by default privileges of
//! that schema. So is what belongs to an object: moved elsewhere, it keeps what it started with.

use std::sync::Arc;

use super::Builder;
use crate::TableId;
use crate::access::{API_ROLES, Exposure, SERVICE_ROLE};
use crate::role::{Acl, AclEntry, DefaultPrivilege, ObjectKind, Privilege};

/// All privileges.
const ALL: [Privilege; 10] = [
    Privilege::Select,
    Privilege::Insert,
    Privilege::Update,
    Privilege::Delete,
    Privilege::Truncate,
    Privilege::References,
    Privilege::Trigger,
    Privilege::Usage,
    Privilege::Execute,
    Privilege::Create,
];

/// The last word on a role's privilege.
type Word = (Arc<str>, Privilege, bool);

impl Builder<'_> {
    /// What default privileges say about a new object.
    pub(super) fn initial_acl(&self, kind: ObjectKind, schema: Option<&Arc<str>>) -> Acl {
        let everywhere = self.last_words(kind, None);
        let here = schema.map(|schema| self.last_words(kind, Some(schema))).unwrap_or_default();
        let is_public = schema.is_some_and(|schema| &**schema == "public");
        // What PostgreSQL and hosted projects grant before anything is said.
        let revoked = everywhere.iter().filter(|(role, ..)| &**role == "public");
        let revoked = revoked.chain(here.iter().filter(|(role, ..)| is_public && has_more_in_public(role)));
        let mut entries = entries(false, revoked);
        entries.extend(self::entries(true, everywhere.iter().chain(&here)));
        Acl(entries)
    }

    fn last_words(&self, kind: ObjectKind, schema: Option<&Arc<str>>) -> Vec<Word> {
        let concerns = |default: &&DefaultPrivilege| {
            default.kind == kind && default.owner == self.role && default.schema.as_ref() == schema
        };
        let mut words: Vec<Word> = Vec::new();
        for DefaultPrivilege { entry, .. } in self.catalog.default_privileges.iter().filter(concerns) {
            let privileges = if entry.privileges.is_empty() { &ALL[..] } else { &entry.privileges };
            for (role, &privilege) in
                entry.roles.iter().flat_map(|role| privileges.iter().map(move |p| (role, p)))
            {
                words.retain(|(other, of, _)| other != role || *of != privilege);
                words.push((role.clone(), privilege, entry.grant));
            }
        }
        words
    }

    /// What a table took along from another schema.
    pub(super) fn take_table_along(&mut self, id: TableId, from: &str) {
        let table = &self.catalog[id];
        let is_shown = table.row_security || self.catalog.exposure == Exposure::Legacy;
        if let Some(entry) = taken_along(from, &table.name.schema, is_shown) {
            self.table_mut(id).acl.0.insert(0, entry);
        }
    }

    /// What a function takes along into another schema.
    pub(super) fn take_function_along(&mut self, at: usize, to: &str) {
        let is_shown = self.catalog.exposure == Exposure::Legacy;
        if let Some(entry) = taken_along(&self.catalog.functions[at].name.schema, to, is_shown) {
            self.catalog.functions[at].acl.0.insert(0, entry);
        }
    }
}

fn has_more_in_public(role: &str) -> bool {
    role == SERVICE_ROLE || API_ROLES.contains(&role)
}

/// Words of one kind, an entry for each role.
fn entries<'w>(grant: bool, words: impl Iterator<Item = &'w Word>) -> Vec<AclEntry> {
    let mut entries: Vec<AclEntry> = Vec::new();
    for (role, privilege, _) in words.filter(|(.., granted)| *granted == grant) {
        match entries.iter_mut().find(|entry| entry.roles[..] == [role.clone()]) {
            Some(entry) => entry.privileges.push(*privilege),
            None => entries.push(AclEntry {
                grant,
                privileges: vec![*privilege],
                columns: Vec::new(),
                roles: vec![role.clone()],
            }),
        }
    }
    entries
}

/// What the schema of an object said without words, in words: held on where it is left, never held where it is entered.
fn taken_along(from: &str, to: &str, is_shown: bool) -> Option<AclEntry> {
    let grant = match (from, to) {
        (from, to) if from == to => return None,
        ("public", _) => true,
        (_, "public") => false,
        _ => return None,
    };
    let api = API_ROLES.into_iter().filter(|_| is_shown || !grant);
    let roles = api.chain([SERVICE_ROLE]).map(Arc::from).collect();
    Some(AclEntry { grant, privileges: Vec::new(), columns: Vec::new(), roles })
}
