//! Schemas, extensions, publications, and `alter <object>` of anything but tables.

use std::sync::Arc;

use sql::ast::{
    AlterObjectAction as Action, AlterTable, AlterTableAction, ObjectName, PublicationAction, TypeName,
};
use types::{Code, Error, Name, Result};

use super::policies::policy_position;
use super::{Builder, Outcome, names};
use crate::TableId;
use crate::expr::rename::Rename;
use crate::role::ObjectKind;

/// Extensions whose types and functions are ours too. Others are noted; what needs them is refused where it is used.
const RUNNING_EXTENSIONS: &[&str] = &[
    "plpgsql",
    "pgcrypto",
    "uuid-ossp",
    "citext",
    "pg_trgm",
    "unaccent",
    "fuzzystrmatch",
    "vector",
    "pg_cron",
    "pg_net",
    "supabase_vault",
    "pgmq",
    // Operator classes alone: what they compare is compared without them.
    "btree_gist",
    "btree_gin",
];

impl Builder<'_> {
    pub(super) fn create_schema(&mut self, name: &str, if_not_exists: bool) -> Result<Outcome> {
        let name = names::truncated(name);
        if self.names().schema(&name).is_ok() {
            let message = format!("schema \"{name}\" already exists");
            return if if_not_exists {
                Ok(Outcome::Skipped(message))
            } else {
                Err(Error::new(Code::DUPLICATE_SCHEMA, message))
            };
        }
        if name.contains('.') {
            return Err(Error::missing(format!("a dot in the name of schema \"{name}\"")));
        }
        let acl = self.initial_acl(ObjectKind::Schema, None);
        self.catalog.schemas.push((name, acl));
        Ok(Outcome::Applied)
    }

    pub(super) fn create_extension(&mut self, name: &str, schema: Option<&str>) -> Result<Outcome> {
        if self.catalog.extensions.iter().any(|other| &**other == name) {
            return Ok(Outcome::Skipped(format!("extension \"{name}\" already exists")));
        }
        // Those of services come with their own.
        let schema =
            schema.filter(|schema| self.catalog.schemas.iter().any(|(known, _)| **known == **schema));
        self.catalog.extensions.push(name.into());
        self.catalog.extension_schemas.extend(schema.map(|schema| (name.into(), schema.into())));
        if RUNNING_EXTENSIONS.contains(&name) {
            Ok(Outcome::Applied)
        } else {
            Ok(self.not_running(format!("extension {name}")))
        }
    }

    pub(super) fn publication(&mut self, name: &str, action: &PublicationAction) -> Result<Outcome> {
        let at = self.catalog.publications.iter().position(|(other, _)| &**other == name);
        match (action, at) {
            (PublicationAction::Create(_), Some(_)) => {
                return Err(Error::new(
                    Code::DUPLICATE_OBJECT,
                    format!("publication \"{name}\" already exists"),
                ));
            }
            (PublicationAction::Create(tables), None) => {
                let tables = tables.as_ref().map(|tables| self.published(tables)).transpose()?;
                self.catalog.publications.push((name.into(), tables));
            }
            (PublicationAction::Other(words), _) => {
                return Err(Error::missing(format!("alter publication {name} {words}")));
            }
            (_, None) => {
                return Err(Error::new(
                    Code::UNDEFINED_OBJECT,
                    format!("publication \"{name}\" does not exist"),
                ));
            }
            (PublicationAction::Set(tables), Some(at)) => {
                self.catalog.publications[at].1 = Some(self.published(tables)?)
            }
            (PublicationAction::Add(tables), Some(at)) => self.publish(at, name, tables)?,
            (PublicationAction::Drop(tables), Some(at)) => self.unpublish(at, tables)?,
        }
        Ok(Outcome::Applied)
    }

    fn published(&self, tables: &[ObjectName]) -> Result<Vec<Name>> {
        tables.iter().map(|table| self.names().table(table).map(|(_, table)| table.name.clone())).collect()
    }

    fn publish(&mut self, at: usize, publication: &str, tables: &[ObjectName]) -> Result<()> {
        for name in self.published(tables)? {
            let (_, Some(members)) = &mut self.catalog.publications[at] else {
                let message = format!("publication \"{publication}\" is defined as FOR ALL TABLES");
                return Err(Error::new(Code::OBJECT_STATE, message)
                    .with_details("Tables cannot be added to or dropped from FOR ALL TABLES publications."));
            };
            if members.contains(&name) {
                let message =
                    format!("relation \"{}\" is already member of publication \"{publication}\"", name.name);
                return Err(Error::new(Code::DUPLICATE_OBJECT, message));
            }
            members.push(name);
        }
        Ok(())
    }

    fn unpublish(&mut self, at: usize, tables: &[ObjectName]) -> Result<()> {
        for name in self.published(tables)? {
            let members = self.catalog.publications[at].1.get_or_insert_default();
            let missing = || {
                Error::new(
                    Code::UNDEFINED_OBJECT,
                    format!("relation \"{}\" is not part of the publication", name.name),
                )
            };
            let position = members.iter().position(|other| *other == name).ok_or_else(missing)?;
            members.remove(position);
        }
        Ok(())
    }

    pub(super) fn alter_object(
        &mut self,
        object: &str,
        name: &ObjectName,
        on: Option<&ObjectName>,
        arguments: Option<&[TypeName]>,
        action: &Action,
    ) -> Result<Outcome> {
        match object {
            "function" | "procedure" | "routine" => self.alter_function(name, arguments, action)?,
            "type" | "domain" => self.alter_user_type(object, name, action)?,
            "schema" => return self.alter_schema(name, action),
            "policy" | "trigger" => self.alter_part(object, name, on, action)?,
            "sequence" => self.alter_sequence_object(name, action)?,
            "index" => match (self.index_of(name), action) {
                (Some((id, index)), Action::RenameTo(to)) => self.rename_index(id, &index, to)?,
                (Some(_), _) => return Err(unsupported(object, name, action)),
                (None, _) => return Err(self.names().no_relation(name)),
            },
            "publication" | "extension" | "database" | "event trigger" | "foreign table"
                if matches!(action, Action::OwnerTo(_)) =>
            {
                return Ok(Outcome::NoEffect);
            }
            "extension" | "role" | "database" => return Ok(Outcome::NoEffect),
            _ => return Err(unsupported(object, name, action)),
        }
        Ok(Outcome::Applied)
    }

    fn alter_function(
        &mut self,
        name: &ObjectName,
        arguments: Option<&[TypeName]>,
        action: &Action,
    ) -> Result<()> {
        let at = self.function_position(name, arguments)?;
        let from = self.catalog.functions[at].name.clone();
        match action {
            Action::OwnerTo(role) => {
                let role = self.names().role(role)?;
                let function = &mut self.catalog.functions[at];
                let before = std::mem::replace(&mut function.owner, role.clone());
                function.acl.hand_over(&before, &role);
            }
            Action::Options(options) => self.function_options(at, options)?,
            Action::RenameTo(to) => {
                self.rename_function(at, &Name::new(from.schema.clone(), names::truncated(to)))
            }
            Action::SetSchema(schema) => {
                let schema = self.names().schema(schema)?;
                self.take_function_along(at, &schema);
                self.rename_function(at, &Name::new(schema, from.name.clone()));
            }
            Action::Other(_) => return Err(unsupported("function", name, action)),
        }
        Ok(())
    }

    /// A function under another name. Expressions that may mean an overload keep the old one while there is one.
    fn rename_function(&mut self, at: usize, to: &Name) {
        let from = self.catalog.functions[at].name.clone();
        if self.catalog.functions.iter().filter(|function| function.name == from).count() == 1 {
            self.rewrite(&Rename::Function(from.clone(), to.clone()));
        }
        for trigger in self.catalog.tables.iter_mut().flat_map(|table| &mut table.triggers) {
            let called = &trigger.statement.function;
            if called.schema.as_deref() == Some(&*from.schema) && *called.name == *from.name {
                let called = &mut Arc::make_mut(&mut trigger.statement).function;
                called.schema = Some(to.schema.to_string());
                called.name = to.name.to_string();
            }
        }
        self.catalog.functions[at].name = to.clone();
    }

    fn alter_user_type(&mut self, object: &str, name: &ObjectName, action: &Action) -> Result<()> {
        let from = self.user_type(name)?;
        match action {
            Action::OwnerTo(role) => self.names().role(role).map(drop),
            Action::RenameTo(to) => {
                self.rename_type(&from, &Name::new(from.schema.clone(), names::truncated(to)))
            }
            Action::SetSchema(schema) => {
                let schema = self.names().schema(schema)?;
                self.rename_type(&from, &Name::new(schema, from.name.clone()))
            }
            Action::Options(_) | Action::Other(_) => Err(unsupported(object, name, action)),
        }
    }

    fn alter_schema(&mut self, name: &ObjectName, action: &Action) -> Result<Outcome> {
        self.names().schema(&name.name)?;
        match action {
            Action::OwnerTo(role) => self.names().role(role).map(|_| Outcome::NoEffect),
            _ => Err(unsupported("schema", name, action)),
        }
    }

    fn alter_part(
        &mut self,
        object: &str,
        name: &ObjectName,
        on: Option<&ObjectName>,
        action: &Action,
    ) -> Result<()> {
        let (Some(on), Action::RenameTo(to)) = (on, action) else {
            return Err(unsupported(object, name, action));
        };
        let id = self.table(on)?;
        let to = names::truncated(to);
        if object == "policy" {
            let at = policy_position(&self.catalog[id], &name.name)?;
            self.table_mut(id).policies[at].name = to;
            return Ok(());
        }
        let table = self.table_mut(id);
        let missing = || {
            Error::new(
                Code::UNDEFINED_OBJECT,
                format!("trigger \"{}\" for table \"{}\" does not exist", name.name, table.name.name),
            )
        };
        let at = table.triggers.iter().position(|trigger| *trigger.name == *name.name).ok_or_else(missing)?;
        table.triggers[at].name = to;
        table.triggers.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(())
    }

    fn alter_sequence_object(&mut self, name: &ObjectName, action: &Action) -> Result<()> {
        let from = self.names().sequence_name(name).ok_or_else(|| self.names().no_relation(name))?;
        let to = match action {
            Action::OwnerTo(role) => return self.names().role(role).map(drop),
            Action::RenameTo(to) => Name::new(from.schema.clone(), names::truncated(to)),
            Action::SetSchema(schema) => Name::new(self.names().schema(schema)?, from.name.clone()),
            Action::Options(_) | Action::Other(_) => return Err(unsupported("sequence", name, action)),
        };
        self.move_sequence(&from, &to)
    }

    fn move_sequence(&mut self, from: &Name, to: &Name) -> Result<()> {
        if self.names().has_relation(to) {
            return Err(Error::new(
                Code::DUPLICATE_TABLE,
                format!("relation \"{}\" already exists", to.name),
            ));
        }
        self.set_sequence_name(from, to);
        Ok(())
    }

    /// `alter table` or `alter sequence` in its words, of a sequence.
    pub(super) fn alter_sequence_relation(&mut self, alter: &AlterTable) -> Result<Outcome> {
        for action in &alter.actions {
            let action = match action {
                AlterTableAction::RenameTo(to) => Action::RenameTo(to.clone()),
                AlterTableAction::OwnerTo(role) => Action::OwnerTo(role.clone()),
                AlterTableAction::SetSchema(schema) => Action::SetSchema(schema.clone()),
                _ => return Err(Error::missing(format!("this change of sequence {}", alter.name.name))),
            };
            self.alter_sequence_object(&alter.name, &action)?;
        }
        Ok(Outcome::Applied)
    }

    /// `alter index`
    pub(super) fn alter_index(
        &mut self,
        id: TableId,
        index: &Arc<str>,
        alter: &AlterTable,
    ) -> Result<Outcome> {
        for action in &alter.actions {
            match action {
                AlterTableAction::RenameTo(to) => self.rename_index(id, index, to)?,
                AlterTableAction::SetOptions(_) | AlterTableAction::OwnerTo(_) => {}
                _ => return Err(Error::missing(format!("this change of index {index}"))),
            }
        }
        Ok(Outcome::Applied)
    }

    /// An index under another name; of a constraint's index, the constraint.
    fn rename_index(&mut self, id: TableId, from: &Arc<str>, to: &str) -> Result<()> {
        let to = self.free_relation(id, names::truncated(to))?;
        match self.table_mut(id).indexes.iter_mut().find(|index| index.name == *from) {
            Some(index) => index.name = to,
            None => self.set_constraint_name(id, from, &to),
        }
        Ok(())
    }
}

fn unsupported(object: &str, name: &ObjectName, action: &Action) -> Error {
    let words = match action {
        Action::RenameTo(to) => format!("rename to {to}"),
        Action::SetSchema(schema) => format!("set schema {schema}"),
        Action::OwnerTo(role) => format!("owner to {role}"),
        Action::Options(options) => options.join(" "),
        Action::Other(words) => words.clone(),
    };
    Error::missing(format!("alter {object} {} {words}", super::resolve::written(name)))
}
