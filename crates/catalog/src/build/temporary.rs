//! Temporary tables and functions, which last as long as the session, and tables that are made of a query.

use std::sync::Arc;

use sql::ast::{ObjectName, Query};
use types::{Code, Error, Name, Result};

use super::views::{ViewColumn, view_column};
use super::{Builder, Outcome};
use crate::expr::bind;
use crate::role::Acl;
use crate::{Catalog, TableKind};

/// The schema of temporary tables, which is searched before any other.
pub const TEMPORARY: &str = "pg_temp";

/// What the system's tables call it, as one session of many.
pub const TEMPORARY_OF_SESSION: &str = "pg_temp_3";

/// Whether a schema is that of temporary tables.
pub(crate) fn is_temporary(schema: &str) -> bool {
    matches!(schema, TEMPORARY | TEMPORARY_OF_SESSION)
}

impl Builder<'_> {
    /// The name of a temporary table or function.
    pub(super) fn temporary(&mut self, name: &ObjectName) -> Result<Name> {
        if name.schema.as_deref().is_some_and(|schema| schema != TEMPORARY) {
            let message = "cannot create temporary relation in non-temporary schema";
            return Err(Error::new(Code::INVALID_TABLE_DEFINITION, message));
        }
        if self.names().schema(TEMPORARY).is_err() {
            self.catalog.schemas.push((TEMPORARY.into(), Acl::default()));
        }
        if self.path.first().is_none_or(|first| &**first != TEMPORARY) {
            self.path.insert(0, TEMPORARY.into());
        }
        Ok(Name::new(TEMPORARY, super::names::truncated(&name.name)))
    }

    /// `create table … as`: the table; its rows are for the caller.
    pub(super) fn create_table_as(
        &mut self,
        name: &ObjectName,
        temporary: bool,
        query: &Query,
    ) -> Result<Outcome> {
        let name = match temporary {
            true => self.temporary(name)?,
            false => self.names().creation(name)?,
        };
        if self.names().has_relation(&name) {
            let message = format!("relation \"{}\" already exists", name.name);
            return Err(Error::new(Code::DUPLICATE_TABLE, message));
        }
        let bound = bind::query(&self.names(), query)?;
        let columns: Vec<ViewColumn> = self.views.columns(&self.catalog, &bound)?;
        let columns = columns.into_iter().map(view_column).collect();
        let table = crate::Table { columns, ..self.new_table(name, TableKind::Table) };
        self.add_table(table);
        Ok(Outcome::Data)
    }

    /// Ends the session: its temporary tables are gone.
    pub fn end_session(&mut self) {
        let is_temporary = |name: &Name| &*name.schema == TEMPORARY;
        if !self.catalog.schemas.iter().any(|(name, _)| &**name == TEMPORARY) {
            return;
        }
        let catalog: &mut Catalog = &mut self.catalog;
        catalog.tables.retain(|table| !is_temporary(&table.name));
        catalog.sequences.retain(|name, _| !is_temporary(name));
        catalog.functions.retain(|function| !is_temporary(&function.name));
        catalog.types.retain(|name, _| !is_temporary(name));
        catalog.schemas.retain(|(name, _): &(Arc<str>, Acl)| &**name != TEMPORARY);
        self.renumber();
        self.path.retain(|schema| &**schema != TEMPORARY);
    }
}
