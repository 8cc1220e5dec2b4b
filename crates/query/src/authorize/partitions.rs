//! Partitions: each has rights and policies of its own; its rows are those of the table at the root that its bound takes.
//!
//! What is guarded as a partition is read and written there, and nowhere else is a partition met.

use catalog::TableId;
use types::{Error, Result};

use super::Pass;
use crate::ir::{Action, Expr, SourceId, Write};
use crate::model::ROW;
use crate::visit;

impl Pass<'_> {
    /// Which rows of the table at the root a partition has; nothing of other tables.
    pub(super) fn bound_of(&mut self, table: TableId, row: SourceId) -> Result<Option<Expr>> {
        match &self.model[table].bound {
            None => Ok(None),
            Some(bound) => {
                let bound = bound.as_ref().map_err(Clone::clone)?;
                Ok(Some(visit::instantiate(bound, ROW, row, &mut self.ids)))
            }
        }
    }

    /// Makes a guarded write to a partition one to the table at the root.
    pub(super) fn at_root(&mut self, write: &mut Write) -> Result<()> {
        let partition = write.table;
        let root = self.model.catalog.kept_in(partition);
        if root == partition {
            return Ok(());
        }
        let (own, declared) = (&self.model.catalog[partition], &self.model.catalog[root]);
        if declared.triggers.iter().any(|trigger| !trigger.statement.for_each_row) {
            return Err(Error::missing(format!(
                "writing to partition {} of {}, which has triggers for statements,",
                own.name, declared.name
            )));
        }
        if let Action::Insert(insert) = &mut write.action
            && let Some(conflict) = &mut insert.conflict
            && let Some(name) = conflict.constraint.take()
        {
            let keys = own.primary_key.iter().chain(&own.uniques);
            let key = keys.into_iter().find(|key| key.name == name);
            conflict.columns = key
                .map(|key| key.columns.clone())
                .ok_or_else(|| Error::missing(format!("`on conflict` by index {name} of a partition")))?;
        }
        let bound = self.bound_of(partition, write.target)?;
        write.guard.touch = within(bound, write.guard.touch.take());
        (write.table, write.partition) = (root, Some(partition));
        Ok(())
    }
}

/// What of a partition's rows is shown. Conditions meet its own rows alone: of others they might raise errors.
pub(super) fn within(bound: Option<Expr>, shown: Option<Expr>) -> Option<Expr> {
    let (Some(bound), Some(shown)) = (&bound, &shown) else { return bound.or(shown) };
    let ty = shown.ty();
    let branches = vec![(bound.clone(), shown.clone())];
    Some(Expr::Case { branches, otherwise: Some(Box::new(Expr::bool(false))), ty })
}
