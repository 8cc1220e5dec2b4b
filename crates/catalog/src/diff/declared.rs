//! Differences that only the catalog sees: types, functions, views, roles, grants, policies, triggers, comments.

use std::collections::BTreeMap;
use std::sync::Arc;

use types::{Name, Type};

use super::matching;
use super::{Change, Declared, Verb};
use crate::{Catalog, Sequence, Table};

/// What tables may refer to: schemas, roles, extensions, types, functions.
pub(super) fn before_tables(current: &Catalog, wanted: &Catalog, changes: &mut Vec<Change>) {
    let mut out = Out { changes };
    let schemas =
        |catalog: &'_ Catalog| map(catalog.schemas.iter().map(|(name, acl)| (name.clone(), acl.clone())));
    out.compare("schema", &schemas(current), &schemas(wanted));
    let roles =
        |catalog: &'_ Catalog| map(catalog.roles.iter().map(|role| (role.name.clone(), role.clone())));
    out.compare("role", &roles(current), &roles(wanted));
    let extensions = |catalog: &'_ Catalog| map(catalog.extensions.iter().map(|name| (name.clone(), ())));
    out.compare("extension", &extensions(current), &extensions(wanted));
    labels(current, wanted, out.changes);
    let types = |catalog: &Catalog| map(catalog.types.iter().map(|(name, ty)| (name.clone(), ty.clone())));
    out.compare("type", &types(current), &types(wanted));
    let composites = |catalog: &Catalog| {
        map(catalog.composites.iter().map(|(name, fields)| (name.clone(), fields.clone())))
    };
    out.compare("composite type", &composites(current), &composites(wanted));
    let domains =
        |catalog: &Catalog| map(catalog.domains.iter().map(|(name, domain)| (name.clone(), domain.clone())));
    out.compare("domain", &domains(current), &domains(wanted));
    let functions = |catalog: &Catalog| {
        map(catalog.functions.iter().map(|function| (function.signature(), function.clone())))
    };
    out.compare("function", &functions(current), &functions(wanted));
    let defaults = |catalog: &Catalog| map([("of the schema", catalog.default_privileges.clone())]);
    out.compare("default privileges", &defaults(current), &defaults(wanted));
}

/// What is said of tables: views, policies, grants, triggers, comments, publications.
pub(super) fn after_tables(current: &Catalog, wanted: &Catalog, changes: &mut Vec<Change>) {
    let mut out = Out { changes };
    for pair in matching::tables(current, wanted) {
        match (pair.old, pair.new) {
            (Some(old), None) if !old.is_stored() => out.push(Verb::Drop, "view", old.name.to_string()),
            (Some(old), None) if old.partition.is_some() => {
                out.push(Verb::Drop, "partition", old.name.to_string());
            }
            (None, Some(new)) => out.created(new),
            (Some(old), Some(new)) => out.said_of(old, new),
            (Some(_), None) | (None, None) => {}
        }
    }
    let grants = |catalog: &Catalog| {
        map(catalog
            .sequences
            .values()
            .map(|Sequence { name, acl, owned_by, .. }| (name.clone(), (acl.clone(), owned_by.clone()))))
    };
    out.changed_only("ownership or grants of sequence", &grants(current), &grants(wanted));
    let publications = |catalog: &Catalog| {
        map(catalog.publications.iter().map(|(name, tables)| (name.clone(), tables.clone())))
    };
    out.compare("publication", &publications(current), &publications(wanted));
    let comments = |catalog: &Catalog| {
        map(catalog.schema_comments.iter().map(|(name, text)| (name.clone(), text.clone())))
    };
    out.compare("comment on schema", &comments(current), &comments(wanted));
    let comments = |catalog: &Catalog| {
        map(catalog.type_comments.iter().map(|(name, text)| (name.clone(), text.clone())))
    };
    out.compare("comment on type", &comments(current), &comments(wanted));
}

/// Labels that stored rows may hold and that are called otherwise, or gone.
fn labels(current: &Catalog, wanted: &Catalog, changes: &mut Vec<Change>) {
    let renamed = wanted.history.renamed_labels.iter().skip(current.history.renamed_labels.len());
    let renamed: Vec<&(Name, Arc<str>, Arc<str>)> = renamed.collect();
    for (ty, from, to) in &renamed {
        changes.push(Change::RenameLabel { ty: ty.clone(), from: from.clone(), to: to.clone() });
    }
    let mut types: Vec<_> = current.types.iter().collect();
    types.sort_by_key(|(name, _)| *name);
    for (name, ty) in types {
        let (Type::Enum(old), Some(Type::Enum(new))) = (ty, wanted.types.get(name)) else { continue };
        let gone = old.labels.iter().filter(|label| !new.labels.contains(label));
        let gone = gone.filter(|label| !renamed.iter().any(|(ty, from, _)| ty == name && from == *label));
        changes.extend(gone.map(|label| Change::DropLabel { ty: name.clone(), label: label.clone() }));
    }
}

fn map<K: Ord, V>(entries: impl IntoIterator<Item = (K, V)>) -> BTreeMap<K, V> {
    entries.into_iter().collect()
}

struct Out<'a> {
    changes: &'a mut Vec<Change>,
}

impl Out<'_> {
    fn push(&mut self, verb: Verb, kind: &'static str, name: String) {
        self.changes.push(Change::Declared(Declared { verb, kind, name }));
    }

    fn compare<K: Ord + ToString, V: PartialEq>(
        &mut self,
        kind: &'static str,
        old: &BTreeMap<K, V>,
        new: &BTreeMap<K, V>,
    ) {
        for name in old.keys().filter(|name| !new.contains_key(name)) {
            self.push(Verb::Drop, kind, name.to_string());
        }
        for (name, wanted) in new {
            match old.get(name) {
                None => self.push(Verb::Create, kind, name.to_string()),
                Some(now) if now != wanted => self.push(Verb::Change, kind, name.to_string()),
                Some(_) => {}
            }
        }
    }

    fn changed_only<K: Ord + ToString, V: PartialEq>(
        &mut self,
        kind: &'static str,
        old: &BTreeMap<K, V>,
        new: &BTreeMap<K, V>,
    ) {
        for (name, _) in new.iter().filter(|(name, wanted)| old.get(name).is_some_and(|now| now != *wanted)) {
            self.push(Verb::Change, kind, name.to_string());
        }
    }

    fn created(&mut self, new: &Table) {
        if new.is_view() {
            self.push(Verb::Create, "view", new.name.to_string());
        }
        if new.partition.is_some() {
            self.push(Verb::Create, "partition", new.name.to_string());
        }
        for policy in &new.policies {
            self.push(Verb::Create, "policy", format!("{} on {}", policy.name, new.name));
        }
        for trigger in &new.triggers {
            self.push(Verb::Create, "trigger", format!("{} on {}", trigger.name, new.name));
        }
    }

    fn said_of(&mut self, old: &Table, new: &Table) {
        let name = new.name.to_string();
        if new.is_view() && (old.kind != new.kind || old.name != new.name || shape(old) != shape(new)) {
            self.push(Verb::Change, "view", name.clone());
        }
        if (&old.partition, &old.partitioning) != (&new.partition, &new.partitioning) {
            self.push(Verb::Change, "partitioning of", name.clone());
        }
        if (old.row_security, old.force_row_security) != (new.row_security, new.force_row_security) {
            self.push(Verb::Change, "row-level security of", name.clone());
        }
        if old.keys_rest != new.keys_rest {
            self.push(Verb::Change, "triggers of the keys of", name.clone());
        }
        if old.owner != new.owner {
            self.push(Verb::Change, "owner of", name.clone());
        }
        if old.acl != new.acl {
            self.push(Verb::Change, "grants on", name.clone());
        }
        if old.comment != new.comment || column_comments(old) != column_comments(new) {
            self.push(Verb::Change, "comments on", name.clone());
        }
        let policies = |table: &Table| {
            map(table.policies.iter().map(|policy| (format!("{} on {name}", policy.name), policy.clone())))
        };
        self.compare("policy", &policies(old), &policies(new));
        let triggers = |table: &Table| {
            map(table.triggers.iter().map(|trigger| (format!("{} on {name}", trigger.name), trigger.clone())))
        };
        self.compare("trigger", &triggers(old), &triggers(new));
        let rules = |table: &Table| {
            map(table.rules.iter().map(|(rule, event)| (format!("{rule} on {name}"), *event)))
        };
        self.compare("rule", &rules(old), &rules(new));
    }
}

fn shape(view: &Table) -> Vec<(&Arc<str>, &Type)> {
    view.columns.iter().map(|column| (&column.name, &column.ty)).collect()
}

fn column_comments(table: &Table) -> Vec<(&Arc<str>, &String)> {
    table.columns.iter().filter_map(|column| Some((&column.name, column.comment.as_ref()?))).collect()
}
