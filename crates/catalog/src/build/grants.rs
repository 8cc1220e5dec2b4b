//! `grant`, `revoke`, `alter default privileges`
//!
//! What is said is kept in order and replayed when a privilege is asked for. A privilege is checked to exist for its kind of object;
//! who may grant is not: schemas are applied by their owner.

use std::sync::Arc;

use sql::ast::{Grant, GrantTarget, ObjectName, TypeName};
use types::{Code, Error, Name, Result};

use super::{Builder, Outcome, unknown_column_of};
use crate::role::{AclEntry, DefaultPrivilege, ObjectKind, Privilege};
use crate::{ColumnId, TableId};

/// Kinds of objects that do not exist here, so that privileges on them mean nothing.
const WITHOUT_MEANING: [&str; 6] =
    ["database", "language", "tablespace", "large object", "foreign", "parameter"];

/// Schemas of services that a hosted project has and that are not here.
const SERVICES: [&str; 8] =
    ["cron", "net", "pgmq", "vault", "graphql", "pgsodium", "supabase_functions", "supabase_migrations"];

/// What dumps of PostgreSQL 17 grant besides: to vacuum a table, and the like.
const UNNEEDED: &str = "maintain";

impl Builder<'_> {
    pub(super) fn grant(&mut self, grant: &Grant) -> Result<Outcome> {
        let Some(grant) = &needed(grant).filter(|grant| !grant.option_only) else {
            return Ok(Outcome::NoEffect);
        };
        if let Some(schema) = self.absent_service(&grant.target) {
            return Ok(self.not_running(format!("a grant in schema {schema}, which belongs to a service,")));
        }
        let roles = self.grantees(grant)?;
        match &grant.target {
            GrantTarget::Tables(names) => self.grant_tables(grant, names, &roles)?,
            GrantTarget::AllTables(schemas) => self.grant_all_tables(grant, schemas, &roles)?,
            GrantTarget::Sequences(names) => {
                let entry = whole(grant, ObjectKind::Sequence, &roles)?;
                for name in names {
                    let found =
                        self.names().sequence_name(name).ok_or_else(|| self.names().no_relation(name))?;
                    self.grant_sequences(|name| *name == found, &entry);
                }
            }
            GrantTarget::AllSequences(schemas) => {
                let entry = whole(grant, ObjectKind::Sequence, &roles)?;
                self.known_schemas(schemas)?;
                self.grant_sequences(|name| schemas.iter().any(|schema| *schema == *name.schema), &entry);
            }
            GrantTarget::Functions(names) => {
                let entry = whole(grant, ObjectKind::Function, &roles)?;
                for (name, arguments) in names {
                    self.grant_function(name, arguments.as_deref(), &entry)?;
                }
            }
            GrantTarget::AllFunctions(schemas) => {
                let entry = whole(grant, ObjectKind::Function, &roles)?;
                self.known_schemas(schemas)?;
                let here = self
                    .catalog
                    .functions
                    .iter_mut()
                    .filter(|function| schemas.iter().any(|schema| *schema == *function.name.schema));
                here.into_iter().for_each(|function| function.acl.0.push(entry.clone()));
            }
            GrantTarget::Schemas(schemas) => {
                let entry = whole(grant, ObjectKind::Schema, &roles)?;
                self.known_schemas(schemas)?;
                let named = self
                    .catalog
                    .schemas
                    .iter_mut()
                    .filter(|(name, _)| schemas.iter().any(|schema| **schema == **name));
                named.into_iter().for_each(|(_, acl)| acl.0.push(entry.clone()));
            }
            GrantTarget::Types(_) => return Ok(Outcome::NoEffect),
            GrantTarget::Other(words) if WITHOUT_MEANING.iter().any(|kind| words.starts_with(kind)) => {
                return Ok(Outcome::NoEffect);
            }
            GrantTarget::Other(words) => return Err(Error::missing(format!("grant on {words}"))),
        }
        Ok(Outcome::Applied)
    }

    /// The schema of a service that is not here, where all that a grant is about lies in such.
    fn absent_service<'g>(&self, target: &'g GrantTarget) -> Option<&'g str> {
        let (GrantTarget::Schemas(schemas)
        | GrantTarget::AllTables(schemas)
        | GrantTarget::AllSequences(schemas)
        | GrantTarget::AllFunctions(schemas)) = target
        else {
            return None;
        };
        let is_absent =
            |schema: &String| SERVICES.contains(&schema.as_str()) && self.names().schema(schema).is_err();
        if schemas.iter().all(is_absent) { schemas.first().map(String::as_str) } else { None }
    }

    fn grantees(&self, grant: &Grant) -> Result<Vec<Arc<str>>> {
        grant.roles.iter().map(|role| self.names().role(role)).collect()
    }

    fn grant_tables(&mut self, grant: &Grant, names: &[ObjectName], roles: &[Arc<str>]) -> Result<()> {
        for name in names {
            if let Some(sequence) =
                self.names().sequence_name(name).filter(|_| self.names().table_name(name).is_none())
            {
                let entry = whole(grant, ObjectKind::Sequence, roles)?;
                self.grant_sequences(|name| *name == sequence, &entry);
                continue;
            }
            let id = self.table(name)?;
            let entries = self.table_entries(id, grant, roles)?;
            self.table_mut(id).acl.0.extend(entries);
        }
        Ok(())
    }

    fn grant_all_tables(&mut self, grant: &Grant, schemas: &[String], roles: &[Arc<str>]) -> Result<()> {
        self.known_schemas(schemas)?;
        let entry = whole(grant, ObjectKind::Table, roles)?;
        let here = self
            .catalog
            .tables
            .iter_mut()
            .filter(|table| schemas.iter().any(|schema| *schema == *table.name.schema));
        here.into_iter().for_each(|table| table.acl.0.push(entry.clone()));
        Ok(())
    }

    /// One entry for the privileges on the whole table, one for each set of columns.
    fn table_entries(&self, id: TableId, grant: &Grant, roles: &[Arc<str>]) -> Result<Vec<AclEntry>> {
        let entry =
            |privileges, columns| AclEntry { grant: grant.grant, privileges, columns, roles: roles.to_vec() };
        if grant.privileges.is_empty() {
            return Ok(vec![entry(Vec::new(), self.grant_columns(id, &grant.all_columns)?)]);
        }
        let mut entries = Vec::new();
        for (word, columns) in &grant.privileges {
            let privilege = privilege(word, ObjectKind::Table)?;
            entries.push(entry(vec![privilege], self.grant_columns(id, columns)?));
        }
        Ok(entries)
    }

    fn grant_columns(&self, id: TableId, columns: &[String]) -> Result<Vec<ColumnId>> {
        let table = &self.catalog[id];
        columns
            .iter()
            .map(|name| {
                table.column(name).map(|(column, _)| column).ok_or_else(|| unknown_column_of(table, name))
            })
            .collect()
    }

    fn grant_sequences(&mut self, is: impl Fn(&Name) -> bool, entry: &AclEntry) {
        let named = self.catalog.sequences.iter_mut().filter(|(name, _)| is(name));
        named.into_iter().for_each(|(_, sequence)| sequence.acl.0.push(entry.clone()));
    }

    fn grant_function(
        &mut self,
        name: &ObjectName,
        arguments: Option<&[TypeName]>,
        entry: &AclEntry,
    ) -> Result<()> {
        let at = self.function_position(name, arguments)?;
        self.catalog.functions[at].acl.0.push(entry.clone());
        Ok(())
    }

    fn known_schemas(&self, schemas: &[String]) -> Result<()> {
        schemas.iter().try_for_each(|schema| self.names().schema(schema).map(drop))
    }

    pub(super) fn default_privileges(
        &mut self,
        for_roles: &[String],
        in_schemas: &[String],
        grant: &Grant,
    ) -> Result<Outcome> {
        let kind = match &grant.target {
            GrantTarget::Tables(_) | GrantTarget::AllTables(_) => ObjectKind::Table,
            GrantTarget::Sequences(_) | GrantTarget::AllSequences(_) => ObjectKind::Sequence,
            GrantTarget::Functions(_) | GrantTarget::AllFunctions(_) => ObjectKind::Function,
            GrantTarget::Schemas(_) => ObjectKind::Schema,
            GrantTarget::Types(_) => ObjectKind::Type,
            GrantTarget::Other(words) => {
                return Err(Error::missing(format!("default privileges on {words}")));
            }
        };
        let Some(grant) = &needed(grant) else { return Ok(Outcome::NoEffect) };
        let roles = self.grantees(grant)?;
        let entry = whole(grant, kind, &roles)?;
        let owners = match for_roles {
            [] => vec![self.role.clone()],
            names => names.iter().map(|name| self.names().role(name)).collect::<Result<_>>()?,
        };
        let schemas = match in_schemas {
            [] => vec![None],
            names => names.iter().map(|name| self.names().schema(name).map(Some)).collect::<Result<_>>()?,
        };
        for owner in &owners {
            let entries = schemas.iter().map(|schema| DefaultPrivilege {
                owner: owner.clone(),
                schema: schema.clone(),
                kind,
                entry: entry.clone(),
            });
            self.catalog.default_privileges.extend(entries);
        }
        Ok(Outcome::Applied)
    }
}

/// A grant without the privileges that no request could need; `None` where nothing is left, which is not all of them.
fn needed(grant: &Grant) -> Option<Grant> {
    let mut needed = grant.clone();
    needed.privileges.retain(|(word, _)| word != UNNEEDED);
    (needed.privileges.len() == grant.privileges.len() || !needed.privileges.is_empty()).then_some(needed)
}

/// An entry about a whole object.
fn whole(grant: &Grant, kind: ObjectKind, roles: &[Arc<str>]) -> Result<AclEntry> {
    let privileges =
        grant.privileges.iter().map(|(word, _)| privilege(word, kind)).collect::<Result<Vec<_>>>()?;
    Ok(AclEntry { grant: grant.grant, privileges, columns: Vec::new(), roles: roles.to_vec() })
}

/// A privilege by its word, if objects of the kind have it.
fn privilege(word: &str, kind: ObjectKind) -> Result<Privilege> {
    let rows = [
        ("select", Privilege::Select, &[ObjectKind::Table, ObjectKind::Sequence][..]),
        ("insert", Privilege::Insert, &[ObjectKind::Table]),
        ("update", Privilege::Update, &[ObjectKind::Table, ObjectKind::Sequence]),
        ("delete", Privilege::Delete, &[ObjectKind::Table]),
        ("truncate", Privilege::Truncate, &[ObjectKind::Table]),
        ("references", Privilege::References, &[ObjectKind::Table]),
        ("trigger", Privilege::Trigger, &[ObjectKind::Table]),
        ("usage", Privilege::Usage, &[ObjectKind::Sequence, ObjectKind::Schema, ObjectKind::Type]),
        ("execute", Privilege::Execute, &[ObjectKind::Function]),
        ("create", Privilege::Create, &[ObjectKind::Schema]),
    ];
    let Some((_, privilege, kinds)) = rows.into_iter().find(|(name, ..)| *name == word) else {
        return Err(Error::new(Code::SYNTAX, format!("unrecognized privilege type \"{word}\"")));
    };
    if kinds.contains(&kind) {
        return Ok(privilege);
    }
    let of = match kind {
        ObjectKind::Table => "relation",
        ObjectKind::Sequence => "sequence",
        ObjectKind::Function => "function",
        ObjectKind::Type => "type",
        ObjectKind::Schema => "schema",
    };
    Err(Error::new(Code::INVALID_GRANT, format!("invalid privilege type {} for {of}", word.to_uppercase())))
}
