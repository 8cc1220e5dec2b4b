//! What a name in a statement means, given the search path.

use std::sync::Arc;

use sql::ast::ObjectName;
use types::{Code, Error, Name, Result};

use crate::{Catalog, Table, TableId};

/// A catalog seen through a search path.
pub(crate) struct Names<'a> {
    /// What there is.
    pub(crate) catalog: &'a Catalog,
    /// Where unqualified names are looked for, in order.
    pub(crate) path: &'a [Arc<str>],
}

impl<'a> Names<'a> {
    /// The first candidate for which `is` holds.
    pub(crate) fn first(&self, name: &ObjectName, is: impl Fn(&Name) -> bool) -> Option<Name> {
        match &name.schema {
            Some(schema) => Some(Name::new(schema.as_str(), name.name.as_str())).filter(is),
            None => self.path.iter().map(|schema| Name::new(schema.clone(), name.name.as_str())).find(is),
        }
    }

    /// The table or view that a name means.
    pub(crate) fn table_name(&self, name: &ObjectName) -> Option<Name> {
        self.first(name, |name| self.catalog.table_ids.contains_key(name))
    }

    /// The sequence that a name means.
    pub(crate) fn sequence_name(&self, name: &ObjectName) -> Option<Name> {
        self.first(name, |name| self.catalog.sequences.contains_key(name))
    }

    /// The declared type that a name means: an enumerated or composite type, or a domain.
    pub(crate) fn user_type_name(&self, name: &ObjectName) -> Option<Name> {
        self.first(name, |name| self.catalog.types.contains_key(name))
    }

    /// The schema of the declared function that an unqualified name means.
    pub(crate) fn function_schema(&self, name: &ObjectName) -> Option<Arc<str>> {
        let is = |name: &Name| self.catalog.functions.iter().any(|function| function.name == *name);
        if name.schema.is_some() { None } else { self.first(name, is).map(|name| name.schema) }
    }

    /// Where a new object with this name goes.
    ///
    /// # Errors
    /// `3F000` when the schema does not exist.
    pub(crate) fn creation(&self, name: &ObjectName) -> Result<Name> {
        let schema = match &name.schema {
            Some(schema) => self.schema(schema)?,
            None => self.creation_schema()?,
        };
        Ok(Name::new(schema, super::names::truncated(&name.name)))
    }

    /// The schema that new objects go to: the first of the path that exists. That of temporary ones is searched first, and only
    /// what says that it is temporary goes there.
    pub(crate) fn creation_schema(&self) -> Result<Arc<str>> {
        let lasting = self.path.iter().filter(|schema| ***schema != *super::TEMPORARY);
        let found = lasting.into_iter().find(|schema| self.schema(schema).is_ok());
        found
            .cloned()
            .ok_or_else(|| Error::new(Code::UNDEFINED_SCHEMA, "no schema has been selected to create in"))
    }

    /// The schema with this name.
    ///
    /// # Errors
    /// `3F000` when it does not exist.
    pub(crate) fn schema(&self, name: &str) -> Result<Arc<str>> {
        let found = self
            .catalog
            .schemas
            .iter()
            .find(|(schema, _)| &**schema == name)
            .map(|(schema, _)| schema.clone());
        found.ok_or_else(|| Error::new(Code::UNDEFINED_SCHEMA, format!("schema \"{name}\" does not exist")))
    }

    /// The role with this name; `public` is everybody.
    ///
    /// # Errors
    /// `42704` when it does not exist.
    pub(crate) fn role(&self, name: &str) -> Result<Arc<str>> {
        let name = match name {
            "current_user" | "session_user" | "current_role" => "postgres",
            name => name,
        };
        if name == "public" || self.catalog.role(name).is_some() {
            return Ok(name.into());
        }
        Err(Error::new(Code::UNDEFINED_OBJECT, format!("role \"{name}\" does not exist")))
    }

    /// The table or view that a name means.
    ///
    /// # Errors
    /// `42P01` when there is none.
    pub(crate) fn table(&self, name: &ObjectName) -> Result<(TableId, &'a Table)> {
        let found = self.table_name(name).and_then(|name| self.catalog.table(&name));
        found.ok_or_else(|| self.no_relation(name))
    }

    /// `42P01`, as PostgreSQL says it.
    pub(crate) fn no_relation(&self, name: &ObjectName) -> Error {
        Error::new(Code::UNDEFINED_TABLE, format!("relation \"{}\" does not exist", written(name)))
    }

    /// A name as PostgreSQL prints it: with its schema unless the path finds it without.
    pub(crate) fn display(&self, name: &Name) -> String {
        let visible = self.path.contains(&name.schema) || &*name.schema == "pg_catalog";
        if visible { name.name.to_string() } else { name.to_string() }
    }

    /// Whether a relation (table, view, index or sequence) of this name exists.
    pub(crate) fn has_relation(&self, name: &Name) -> bool {
        self.catalog.table_ids.contains_key(name)
            || self.catalog.sequences.contains_key(name)
            || self.has_index(name)
    }

    /// Whether an index of this name exists, those of constraints included.
    fn has_index(&self, name: &Name) -> bool {
        let here = self.catalog.tables.iter().filter(|table| table.name.schema == name.schema);
        here.into_iter().any(|table| index_names(table).any(|index| *index == name.name))
    }

    /// Whether any table of the schema has a constraint of this name.
    pub(crate) fn has_constraint(&self, name: &Name) -> bool {
        let here = self.catalog.tables.iter().filter(|table| table.name.schema == name.schema);
        here.into_iter().any(|table| constraint_names(table).any(|constraint| *constraint == name.name))
    }
}

/// Names of a table's indexes, those of constraints included.
pub(crate) fn index_names(table: &Table) -> impl Iterator<Item = &Arc<str>> {
    let keys = table.primary_key.iter().chain(&table.uniques).map(|key| &key.name);
    keys.chain(table.indexes.iter().map(|index| &index.name))
}

/// Names of a table's constraints.
pub(crate) fn constraint_names(table: &Table) -> impl Iterator<Item = &Arc<str>> {
    let keys = table.primary_key.iter().chain(&table.uniques).map(|key| &key.name);
    let checks = table.checks.iter().map(|check| &check.name);
    let exclusions = table.indexes.iter().filter(|index| index.is_exclusion()).map(|index| &index.name);
    keys.chain(exclusions).chain(checks).chain(table.foreign_keys.iter().map(|key| &key.name))
}

/// A name as it was written.
pub(crate) fn written(name: &ObjectName) -> String {
    match &name.schema {
        Some(schema) => format!("{schema}.{}", name.name),
        None => name.name.clone(),
    }
}
