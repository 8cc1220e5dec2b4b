//! Grants: who may name which columns.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use catalog::{ColumnId, Privilege, TableId};
use types::{Code, Error, Result};

use super::Pass;
use crate::ROW_KEY;
use crate::ir::{Expr, Read, SourceId};
use crate::visit;

/// The columns of each source that something names.
pub(super) type Named = BTreeMap<SourceId, BTreeSet<ColumnId>>;

/// The columns named anywhere in a read.
pub(super) fn named_in_read(read: &Read) -> Named {
    let mut named = Named::new();
    visit::deep_read(read, &mut |expr| note(expr, &mut named));
    named
}

/// The columns named anywhere in an expression.
pub(super) fn named_in(expr: &Expr, named: &mut Named) {
    visit::deep(expr, &mut |expr| note(expr, named));
}

fn note(expr: &Expr, named: &mut Named) {
    if let Expr::Column { source, column, .. } = expr
        && *column != ROW_KEY
    {
        named.entry(*source).or_default().insert(*column);
    }
}

impl Pass<'_> {
    /// Refuses unless the caller holds a privilege on all of some columns; of none, on any column.
    pub(super) fn require(
        &self,
        table: TableId,
        privilege: Privilege,
        columns: Option<&BTreeSet<ColumnId>>,
    ) -> Result<()> {
        let (roles, superuser) = self.asked();
        if superuser {
            return Ok(());
        }
        self.require_schema(&self.model.catalog[table].name.schema)?;
        let catalog = &self.model.catalog;
        let allowed = match columns.filter(|columns| !columns.is_empty()) {
            Some(columns) => {
                columns.iter().all(|&column| catalog.allows_column(roles, table, privilege, column))
            }
            None => catalog.allows_some(roles, table, privilege),
        };
        if allowed { Ok(()) } else { Err(self.denied(table)) }
    }

    /// Refuses unless the caller holds a privilege on the whole table.
    pub(super) fn require_table(&self, table: TableId, privilege: Privilege) -> Result<()> {
        let (roles, superuser) = self.asked();
        if superuser {
            return Ok(());
        }
        self.require_schema(&self.model.catalog[table].name.schema)?;
        if self.model.catalog.allows(roles, table, privilege) { Ok(()) } else { Err(self.denied(table)) }
    }

    /// Whose rights on tables are asked for, and whether a superuser's: those of the owner of the view around, or the caller's.
    fn asked(&self) -> (&[Arc<str>], bool) {
        match &self.view_owner {
            Some(owner) => (&owner.roles, owner.superuser),
            None => (&self.roles, self.superuser),
        }
    }

    /// What a stored definition names was looked up when it was made: only the caller's own words need the schema.
    pub(super) fn require_schema(&self, schema: &str) -> Result<()> {
        if self.stored || self.superuser {
            return Ok(());
        }
        if self.model.catalog.allows_schema(&self.roles, schema) {
            return Ok(());
        }
        Err(Error::new(Code::PRIVILEGE, format!("permission denied for schema {schema}")))
    }

    fn denied(&self, table: TableId) -> Error {
        let table = &self.model.catalog[table];
        Error::new(Code::PRIVILEGE, format!("permission denied for {} {}", table.word(), table.name.name))
    }
}
