//! Writes that the engine does whole: defaults, constraints, triggers and policies are its own.

use query::Action;
use types::{Error, Result, Value};

use super::{Task, check_affected};
use crate::database::Applied;
use crate::rows::Values;
use crate::work::{Bound, Work};

impl Work<'_> {
    pub(super) async fn store_whole(
        &mut self,
        Task { write, parameters, position, sink }: Task<'_>,
    ) -> Result<Applied> {
        let bound = Bound { parameters, ..Bound::default() };
        let whole = self.dialect.write(&self.served.model.catalog, write, &self.bindings(bound))?;
        let affected = self.transaction.run(&whole.command, position, sink).await?;
        check_affected(write, usize::try_from(affected).map_err(Error::internal)?)?;
        let mut updated = 0;
        if let Some(command) = &whole.updated {
            let mut values = Values::of(command.outputs.iter().map(|(_, ty)| ty.clone()));
            self.transaction.run(command, 0, &mut values).await?;
            updated = match values.into_rows().first().and_then(|row| row.first()) {
                Some(Value::Int(rows)) => u64::try_from(*rows).map_err(Error::internal)?,
                _ => return Err(Error::internal("an upsert did not say what it updated")),
            };
        }
        let inserted = match &write.action {
            Action::Insert(_) => affected.saturating_sub(updated),
            Action::Update { .. } | Action::Delete { .. } => 0,
        };
        Ok(Applied { affected, inserted })
    }
}
