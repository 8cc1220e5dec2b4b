//! Schemas and tables by their names.

use std::sync::Arc;

use catalog::TableId;
use types::{Code, Error, Name, Result};

use super::Pass;
use super::nearest::nearest;

/// How alike a name must be to be hinted at: less would tell what there is to whoever guesses.
pub(super) const ALIKE: f64 = 0.75;

/// The schema that a profile header names, or the default one.
pub fn schema<'a>(profile: Option<&str>, exposed: &'a [String]) -> Result<&'a str> {
    let found = match profile {
        None => exposed.first(),
        Some(profile) => exposed.iter().find(|schema| *schema == profile),
    };
    found.map(String::as_str).ok_or_else(|| {
        let message = format!("Invalid schema: {}", profile.unwrap_or_default());
        let hint = format!("Only the following schemas are exposed: {}", exposed.join(", "));
        Error::new(Code::SCHEMA_NOT_EXPOSED, message).with_hint(hint)
    })
}

impl Pass<'_> {
    /// The table or view that a path names.
    pub(super) fn table(&self, name: &str) -> Result<TableId> {
        let found = self.model.catalog.table(&Name::new(self.schema, name));
        let found = found.filter(|(_, table)| table.partition.is_none());
        found.map(|(id, _)| id).ok_or_else(|| self.no_table(name))
    }

    fn no_table(&self, name: &str) -> Error {
        let schema = self.schema;
        let error = Error::new(
            Code::NO_TABLE,
            format!("Could not find the table '{schema}.{name}' in the schema cache"),
        );
        match nearest(self.tables_seen(), name, ALIKE) {
            Some(known) => error.with_hint(format!("Perhaps you meant the table '{schema}.{known}'")),
            None => error,
        }
    }

    /// The tables of the schema that the caller may touch in some way.
    pub(super) fn tables_seen(&self) -> impl Iterator<Item = &str> {
        let catalog = &self.model.catalog;
        let is_here =
            |table: &catalog::Table| *table.name.schema == *self.schema && table.partition.is_none();
        let ids = catalog.ids().filter(move |&id| is_here(&catalog[id]));
        let roles = self.roles();
        ids.filter(move |&id| self.sees(&roles, id)).map(|id| &*catalog[id].name.name)
    }

    /// Whether some roles may touch a table in some way.
    pub(super) fn sees(&self, roles: &[Arc<str>], table: TableId) -> bool {
        use catalog::Privilege::{Delete, Insert, Select, Update};
        let catalog = &self.model.catalog;
        catalog.allows_schema(roles, &catalog[table].name.schema)
            && [Select, Insert, Update, Delete]
                .into_iter()
                .any(|privilege| catalog.allows_some(roles, table, privilege))
    }
}
