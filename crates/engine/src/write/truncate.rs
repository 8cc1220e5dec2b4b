//! `truncate` where the engine knows only deletions: no trigger for rows is fired, no foreign key acts.

use query::triggers::Operation;
use query::{Authorized, Truncation};
use sql::ast::TriggerTiming;
use types::{Error, Result};

use crate::contract::Standing;
use crate::work::{Bound, Work};

impl Work<'_> {
    /// Empties tables; how many rows there were.
    pub(crate) async fn truncated(&mut self, truncation: &Authorized<Truncation>) -> Result<u64> {
        let truncation = truncation.get();
        let model = self.served.model.clone();
        for table in &truncation.tables {
            let is_used = self.in_force.is_busy(*table);
            let why = match is_used || self.in_force.is_awaited(&model, *table) {
                true if is_used => "is being used by active queries in this session",
                true => "has pending trigger events",
                false => continue,
            };
            let name = &model.catalog[*table].name.name;
            let message = format!("cannot TRUNCATE \"{name}\" because it {why}");
            return Err(Error::raised("55006", message));
        }
        self.fire_truncate(truncation, TriggerTiming::Before).await?;
        self.put_off().await?;
        let emptied = self.emptied(truncation).await;
        let rows = self.close_part(emptied).await?;
        for sequence in truncation.sequences(&model.catalog) {
            self.transaction.set_value(sequence, Standing::before(sequence.start)).await?;
        }
        self.fire_truncate(truncation, TriggerTiming::After).await?;
        Ok(rows)
    }

    async fn emptied(&mut self, truncation: &Truncation) -> Result<u64> {
        let catalog = self.served.model.catalog.clone();
        let mut rows = 0;
        for table in truncation.referencing_first(&catalog) {
            let command = self.dialect.empty(&catalog, table, &self.bindings(Bound::default()))?;
            rows += self.execute(&command).await?;
            self.in_force.history.lost(table);
        }
        Ok(rows)
    }

    async fn fire_truncate(&mut self, truncation: &Truncation, timing: TriggerTiming) -> Result<()> {
        for table in &truncation.tables {
            self.fire_for_statement(*table, &Operation::Truncate, timing, None).await?;
        }
        Ok(())
    }
}
