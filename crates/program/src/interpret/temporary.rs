//! `create temporary table … as`, and its end.

use std::collections::BTreeSet;
use std::sync::Arc;

use catalog::build::TEMPORARY;
use query::resolve::NamedRows;
use sql::ast::{Drop, ObjectName, Query};
use types::{Code, Error, Result, Type};

use super::Frame;

impl Frame<'_> {
    pub(super) async fn create_temporary(
        &mut self,
        name: &ObjectName,
        query: &Query,
        if_not_exists: bool,
    ) -> Result<()> {
        self.refuse_change("CREATE TABLE AS")?;
        if if_not_exists && self.host.temporaries().has(&name.name) {
            return Ok(());
        }
        let planned = self.program.query(query, &self.environment, &*self.host)?;
        let done = self.ran(&planned).await?;
        self.row_count = u64::try_from(done.rows.len()).unwrap_or(u64::MAX);
        let rows = NamedRows { columns: columns(&planned.outputs)?, rows: done.rows };
        self.refuse_hiding(name)?;
        let owner = self.host.caller().role.clone();
        self.host.temporaries().add(&name.name, rows, &owner, done.held)
    }

    /// The table without its rows, for a walk.
    pub(super) fn declare_temporary(&mut self, name: &ObjectName, query: &Query) -> Result<()> {
        let planned = self.program.query(query, &self.environment, &*self.host)?;
        let rows = NamedRows { columns: columns(&planned.outputs)?, rows: Vec::new() };
        self.refuse_hiding(name)?;
        self.host.temporaries().remove(&name.name);
        let (owner, held) = (self.host.caller().role.clone(), self.host.account().hold());
        self.host.temporaries().add(&name.name, rows, &owner, held)
    }

    /// Refuses a name that a stored table has, too: plans of it are kept.
    fn refuse_hiding(&self, name: &ObjectName) -> Result<()> {
        match self.is_stored(&name.name) {
            false => Ok(()),
            true => Err(Error::missing(format!("a temporary table of the name of another: {}", name.name))),
        }
    }

    /// Whether any schema has a table of a name: functions look along paths of their own.
    fn is_stored(&self, name: &str) -> bool {
        self.host.model().catalog.tables.iter().any(|table| &*table.name.name == name)
    }

    /// Whether nothing is dropped but temporary tables, or nothing at all.
    pub(super) fn drops_temporaries(&self, drop: &Drop) -> bool {
        let is_temporary = |name: &ObjectName| {
            matches!(name.schema.as_deref(), None | Some(TEMPORARY))
                && self.host.temporaries().has(&name.name)
        };
        let is_one = |name: &ObjectName| {
            is_temporary(name) || drop.if_exists && name.schema.is_none() && !self.is_stored(&name.name)
        };
        drop.object == "table" && drop.names.iter().all(|(name, _)| is_one(name))
    }
}

/// The columns of a table that is made of a query.
fn columns(outputs: &[(Arc<str>, Type)]) -> Result<Vec<(Arc<str>, Type)>> {
    let mut known = BTreeSet::new();
    if let Some((twice, _)) = outputs.iter().find(|(name, _)| !known.insert(name)) {
        let message = format!("column \"{twice}\" specified more than once");
        return Err(Error::new(Code::DUPLICATE_COLUMN, message));
    }
    let column = |(name, ty): &(Arc<str>, Type)| {
        (name.clone(), if *ty == Type::Unknown { Type::Text } else { ty.clone() })
    };
    Ok(outputs.iter().map(column).collect())
}
