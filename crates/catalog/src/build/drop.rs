//! `drop …`: with what hangs on it, or a refusal that names it.

use std::sync::Arc;

use sql::ast::{self, ObjectName};
use types::{Code, Error, Name, Result};

use super::depend::{Dependencies, Link, Object};
use super::resolve::{index_names, written};
use super::{Builder, Outcome};
use crate::{Catalog, TableId};

/// How objects are dropped.
pub(super) struct Behavior {
    /// `cascade`
    pub(super) is_cascade: bool,
    /// Whether the history counts what goes.
    pub(super) is_recorded: bool,
}

impl Builder<'_> {
    pub(super) fn drop_statement(&mut self, drop: &ast::Drop) -> Result<Outcome> {
        let mut objects = Vec::new();
        let mut skipped = None;
        for (name, arguments) in &drop.names {
            match self.dropped(drop, name, arguments.as_deref()) {
                Ok(found) => objects.extend(found),
                Err(error) if drop.if_exists && is_missing(&error) => {
                    skipped = Some(error.message().to_owned())
                }
                Err(error) => return Err(error),
            }
        }
        if let (true, Some(why)) = (objects.is_empty(), skipped) {
            return Ok(Outcome::Skipped(why));
        }
        self.drop_objects(objects, &Behavior { is_cascade: drop.cascade, is_recorded: true })?;
        Ok(Outcome::Applied)
    }

    /// What a name in a drop statement means. Things that nothing depends on are dropped at once.
    fn dropped(
        &mut self,
        drop: &ast::Drop,
        name: &ObjectName,
        arguments: Option<&[ast::TypeName]>,
    ) -> Result<Option<Object>> {
        let object = match drop.object.as_str() {
            "table" | "view" | "materialized view" => self.dropped_relation(&drop.object, name)?,
            "index" => self.dropped_index(name)?,
            "sequence" => {
                let found =
                    self.names().sequence_name(name).ok_or_else(|| missing_relation("sequence", name))?;
                self.refuse_identity(&found)?;
                Object::Sequence(found)
            }
            "function" | "procedure" | "routine" | "aggregate" => {
                Object::Function(self.catalog.functions[self.function_position(name, arguments)?].signature())
            }
            "type" | "domain" => {
                let missing = || {
                    Error::new(Code::UNDEFINED_OBJECT, format!("type \"{}\" does not exist", written(name)))
                };
                Object::Type(self.names().user_type_name(name).ok_or_else(missing)?)
            }
            "schema" => Object::Schema(self.names().schema(&name.name)?),
            "policy" | "trigger" => self.dropped_of_table(drop, name)?,
            "rule" => return self.drop_rule(drop, name).map(|()| None),
            kind => return self.drop_plain(kind, &name.name).map(|()| None),
        };
        Ok(Some(object))
    }

    fn dropped_relation(&self, kind: &str, name: &ObjectName) -> Result<Object> {
        let found = self.names().table_name(name).ok_or_else(|| missing_relation(kind, name))?;
        let (_, table) = self.names().table(name)?;
        let is = super::views::kind_word(table);
        if is != kind {
            let message = format!("\"{}\" is not a {kind}", name.name);
            return Err(Error::new(Code::WRONG_OBJECT_TYPE, message)
                .with_hint(format!("Use DROP {} to remove a {is}.", is.to_uppercase())));
        }
        Ok(Object::Table(found))
    }

    fn dropped_index(&self, name: &ObjectName) -> Result<Object> {
        let (id, index) = self.index_of(name).ok_or_else(|| {
            Error::new(Code::UNDEFINED_OBJECT, format!("index \"{}\" does not exist", written(name)))
        })?;
        let table = &self.catalog[id];
        if table.indexes.iter().any(|other| other.name == index && !other.is_exclusion()) {
            return Ok(Object::Index(table.name.clone(), index));
        }
        let of = &table.name.name;
        let message =
            format!("cannot drop index {index} because constraint {index} on table {of} requires it");
        Err(Error::new(Code::DEPENDENT_OBJECTS, message)
            .with_hint(format!("You can drop constraint {index} on table {of} instead.")))
    }

    /// The table and own name of an index, those of constraints included.
    pub(super) fn index_of(&self, name: &ObjectName) -> Option<(TableId, Arc<str>)> {
        let has = |wanted: &Name, id: TableId| {
            let table = &self.catalog[id];
            table.name.schema == wanted.schema && index_names(table).any(|index| *index == wanted.name)
        };
        let found = self.names().first(name, |name| self.catalog.ids().any(|id| has(name, id)))?;
        let id = self.catalog.ids().find(|&id| has(&found, id))?;
        Some((id, found.name))
    }

    fn dropped_of_table(&self, drop: &ast::Drop, name: &ObjectName) -> Result<Object> {
        let on = drop
            .on
            .as_ref()
            .ok_or_else(|| Error::new(Code::SYNTAX, format!("drop {} needs a table", drop.object)))?;
        let table = &self.catalog[self.table(on)?];
        let own: Arc<str> = name.name.as_str().into();
        let is_policy = drop.object == "policy";
        let exists = match is_policy {
            true => table.policies.iter().any(|policy| policy.name == own),
            false => table.triggers.iter().any(|trigger| trigger.name == own),
        };
        if !exists {
            let message =
                format!("{} \"{own}\" for table \"{}\" does not exist", drop.object, table.name.name);
            return Err(Error::new(Code::UNDEFINED_OBJECT, message));
        }
        let of = table.name.clone();
        Ok(if is_policy { Object::Policy(of, own) } else { Object::Trigger(of, own) })
    }

    fn refuse_identity(&self, sequence: &Name) -> Result<()> {
        let is_it = |column: &crate::Column| matches!(&column.default, Some(crate::DefaultValue::Identity { sequence: other, .. }) if other == sequence);
        let columns = self
            .catalog
            .tables
            .iter()
            .flat_map(|table| table.columns.iter().map(move |column| (table, column)));
        let Some((table, column)) = columns.into_iter().find(|(_, column)| is_it(column)) else {
            return Ok(());
        };
        let (table, column) = (&table.name.name, &column.name);
        let message = format!(
            "cannot drop sequence {} because column {column} of table {table} requires it",
            sequence.name
        );
        Err(Error::new(Code::DEPENDENT_OBJECTS, message)
            .with_hint(format!("You can drop column {column} of table {table} instead.")))
    }

    /// Drops things that nothing hangs on: roles, extensions, publications.
    fn drop_plain(&mut self, kind: &str, name: &str) -> Result<()> {
        let before =
            (self.catalog.roles.len(), self.catalog.extensions.len(), self.catalog.publications.len());
        match kind {
            "role" | "user" | "group" => {
                self.refuse_used_role(name)?;
                self.catalog.roles.retain(|role| &*role.name != name);
            }
            "extension" => {
                self.catalog.extensions.retain(|extension| &**extension != name);
                self.catalog.extension_schemas.retain(|(extension, _)| &**extension != name);
            }
            "publication" => self.catalog.publications.retain(|(publication, _)| &**publication != name),
            kind => return Err(Error::missing(format!("drop {kind} {name}"))),
        }
        let after =
            (self.catalog.roles.len(), self.catalog.extensions.len(), self.catalog.publications.len());
        if before == after {
            return Err(Error::new(Code::UNDEFINED_OBJECT, format!("{kind} \"{name}\" does not exist")));
        }
        Ok(())
    }

    fn refuse_used_role(&self, role: &str) -> Result<()> {
        let names = |roles: &[Arc<str>]| roles.iter().any(|other| &**other == role);
        let used = self.catalog.tables.iter().find_map(|table| {
            let policy = table.policies.iter().find(|policy| names(&policy.roles));
            let of_policy =
                policy.map(|policy| format!("target of policy {} on table {}", policy.name, table.name.name));
            let of_grant = table
                .acl
                .0
                .iter()
                .any(|entry| names(&entry.roles))
                .then(|| format!("privileges for table {}", table.name.name));
            let of_owner = (&*table.owner == role).then(|| format!("owner of table {}", table.name.name));
            of_owner.or(of_grant).or(of_policy)
        });
        match used {
            Some(details) => {
                let message = format!("role \"{role}\" cannot be dropped because some objects depend on it");
                Err(Error::new(Code::DEPENDENT_OBJECTS, message).with_details(details))
            }
            None => Ok(()),
        }
    }

    /// Drops objects and what goes with them.
    ///
    /// # Errors
    /// `2BP01` when something else depends on them and `cascade` was not said.
    pub(super) fn drop_objects(&mut self, targets: Vec<Object>, behavior: &Behavior) -> Result<()> {
        let doomed = self.doomed(targets, behavior.is_cascade)?;
        for object in doomed.iter().rev() {
            self.remove(object, behavior.is_recorded);
        }
        Ok(())
    }

    /// The targets and everything that goes with them, dependents after what they depend on.
    fn doomed(&self, targets: Vec<Object>, is_cascade: bool) -> Result<Vec<Object>> {
        if targets
            .iter()
            .all(|target| matches!(target, Object::Policy(..) | Object::Trigger(..) | Object::Default(..)))
        {
            return Ok(targets);
        }
        let dependencies = Dependencies::of(&self.catalog);
        let mut doomed = targets.clone();
        let mut refusing: Vec<(Object, Object)> = Vec::new();
        let mut next = 0;
        while next < doomed.len() {
            let object = doomed[next].clone();
            next += 1;
            for (dependent, link) in dependencies.dependents(&object) {
                let goes_anyway =
                    doomed.contains(&dependent) || doomed.iter().any(|other| dependent.is_inside(other));
                if goes_anyway {
                    continue;
                }
                if link == Link::Normal {
                    refusing.push((dependent.clone(), object.clone()));
                }
                doomed.push(dependent);
            }
        }
        refusing.retain(|(dependent, _)| {
            !targets.iter().any(|target| dependent == target || dependent.is_inside(target))
        });
        if refusing.is_empty() || is_cascade { Ok(doomed) } else { Err(self.refusal(&targets, &refusing)) }
    }

    fn refusal(&self, targets: &[Object], refusing: &[(Object, Object)]) -> Error {
        let message = match targets {
            [target] => format!("cannot drop {} because other objects depend on it", self.describe(target)),
            _ => "cannot drop desired object(s) because other objects depend on them".to_owned(),
        };
        let details: Vec<String> = refusing
            .iter()
            .map(|(dependent, on)| {
                format!("{} depends on {}", self.describe(dependent), self.describe_needed(on))
            })
            .collect();
        Error::new(Code::DEPENDENT_OBJECTS, message)
            .with_details(details.join("\n"))
            .with_hint("Use DROP ... CASCADE to drop the dependent objects too.")
    }

    /// An object as PostgreSQL's messages name it.
    fn describe(&self, object: &Object) -> String {
        let of = |name: &Name| self.names().display(name);
        match object {
            Object::Schema(name) => format!("schema {name}"),
            Object::Table(name) => format!(
                "{} {}",
                self.catalog.table(name).map_or("table", |(_, table)| super::views::kind_word(table)),
                of(name)
            ),
            Object::Column(table, column) => format!("column {column} of table {}", of(table)),
            Object::Default(table, column) => {
                format!("default value for column {column} of table {}", of(table))
            }
            Object::Constraint(table, name) => format!("constraint {name} on table {}", of(table)),
            Object::Index(table, name) => {
                format!("index {}", of(&Name::new(table.schema.clone(), name.clone())))
            }
            Object::Policy(table, name) => format!("policy {name} on table {}", of(table)),
            Object::Trigger(table, name) => format!("trigger {name} on table {}", of(table)),
            Object::Sequence(name) => format!("sequence {}", of(name)),
            Object::Function(signature) => {
                format!("function {}", signature.strip_prefix("public.").unwrap_or(signature))
            }
            Object::Type(name) => format!("type {}", of(name)),
        }
    }

    /// What a dependent needs: of a key, its index.
    fn describe_needed(&self, object: &Object) -> String {
        match object {
            Object::Constraint(_, name) => format!("index {name}"),
            object => self.describe(object),
        }
    }

    fn remove(&mut self, object: &Object, is_recorded: bool) {
        match object {
            Object::Schema(name) => {
                self.catalog.schemas.retain(|(schema, _)| schema != name);
                self.catalog.schema_comments.remove(name);
            }
            Object::Table(name) => self.remove_table(name, is_recorded),
            Object::Sequence(name) if is_recorded => self.remove_sequence(name),
            Object::Sequence(name) => {
                self.catalog.sequences.remove(name);
                self.catalog.history.sequence_origins.remove(name);
            }
            Object::Function(signature) => {
                self.catalog.functions.retain(|function| function.signature() != *signature)
            }
            Object::Type(name) => {
                self.catalog.types.remove(name);
                self.catalog.composites.remove(name);
                self.catalog.domains.remove(name);
                self.catalog.type_comments.remove(name);
            }
            Object::Column(table, name)
            | Object::Default(table, name)
            | Object::Constraint(table, name)
            | Object::Index(table, name)
            | Object::Policy(table, name)
            | Object::Trigger(table, name) => {
                if let Ok(id) = self.id_of(table) {
                    self.remove_part(id, object, name, is_recorded);
                }
            }
        }
    }

    fn remove_table(&mut self, name: &Name, is_recorded: bool) {
        let Some(id) = self.catalog.table_ids.get(name).copied() else { return };
        let table = self.catalog.tables.remove(id.0 as usize);
        if is_recorded {
            self.catalog.history.drop_table(&table);
        }
        for (_, tables) in &mut self.catalog.publications {
            tables.iter_mut().for_each(|tables| tables.retain(|other| other != name));
        }
        self.renumber();
    }

    fn remove_part(&mut self, id: TableId, object: &Object, name: &Arc<str>, is_recorded: bool) {
        let table = self.table_mut(id);
        match object {
            Object::Column(..) => self.remove_column(id, name, is_recorded),
            Object::Default(..) => table
                .columns
                .iter_mut()
                .filter(|column| column.name == *name)
                .for_each(|column| column.default = None),
            Object::Constraint(..) => {
                table.primary_key.take_if(|key| key.name == *name);
                table.uniques.retain(|key| key.name != *name);
                table.checks.retain(|check| check.name != *name);
                table.foreign_keys.retain(|key| key.name != *name);
                table.indexes.retain(|index| !index.is_exclusion() || index.name != *name);
            }
            Object::Index(..) => table.indexes.retain(|index| index.name != *name),
            Object::Policy(..) => table.policies.retain(|policy| policy.name != *name),
            Object::Trigger(..) => table.triggers.retain(|trigger| trigger.name != *name),
            Object::Schema(_)
            | Object::Table(_)
            | Object::Sequence(_)
            | Object::Function(_)
            | Object::Type(_) => {}
        }
    }

    fn remove_column(&mut self, id: TableId, name: &Arc<str>, is_recorded: bool) {
        let Some((gone, _)) = self.catalog[id].column(name) else { return };
        let catalog: &mut Catalog = &mut self.catalog;
        let table = &mut catalog.tables[id.0 as usize];
        let column = table.columns.remove(usize::from(gone.0));
        super::positions::close_gap(table, gone);
        if is_recorded {
            catalog.history.drop_column(table, &column);
        }
    }
}

fn is_missing(error: &Error) -> bool {
    matches!(
        error.code(),
        Code::UNDEFINED_TABLE
            | Code::UNDEFINED_OBJECT
            | Code::UNDEFINED_SCHEMA
            | Code::UNDEFINED_FUNCTION
            | Code::UNDEFINED_COLUMN
    )
}

fn missing_relation(kind: &str, name: &ObjectName) -> Error {
    Error::new(Code::UNDEFINED_TABLE, format!("{kind} \"{}\" does not exist", written(name)))
}
