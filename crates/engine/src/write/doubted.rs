//! Deferrable unique keys and exclusion constraints (PostgreSQL, `unique_key_recheck`): rows may have one key until the end of a
//! statement or of a transaction. A row that meets another when it is stored is in doubt, and looked at once more when that is due.

use catalog::TableId;
use types::{Result, Value};

use super::excluded::Beside;
use crate::work::Work;

impl Work<'_> {
    /// The deferrable keys that a row, which is stored, shares with another one, by their positions.
    pub(super) async fn doubts(&mut self, table: TableId, row: &[Value]) -> Result<Vec<usize>> {
        let model = self.served.model.clone();
        let mut found = Vec::new();
        if self.do_keys_rest(table) {
            return Ok(found);
        }
        for (at, key) in model[table].uniques.iter().enumerate().filter(|(_, key)| key.deferrable) {
            let is_shared = match key.excludes {
                None => self.holders(table, key, row).await?.len() > 1,
                Some(_) => self.excluded_pair((table, at), row).await?.is_some(),
            };
            if is_shared {
                found.push(at);
            }
        }
        Ok(found)
    }

    /// Refuses a row that was in doubt, if it is there and shares its key with another one.
    pub(super) async fn look_at_key(&mut self, (table, at): (TableId, usize), row: &[Value]) -> Result<()> {
        let model = self.served.model.clone();
        let Some(key) = model[table].uniques.get(at) else { return Ok(()) };
        if key.excludes.is_some() {
            return match self.excluded_pair((table, at), row).await? {
                Some((own, other)) => Err(self.exclusion(table, key, &own, &other).await),
                None => Ok(()),
            };
        }
        if self.holders(table, key, row).await?.len() < 2 {
            return Ok(());
        }
        let columns = key.columns().unwrap_or_default();
        Err(self.duplicate_of(table, (&key.name, columns), row).await)
    }

    /// A row with the keys of some other, and one that excludes it.
    async fn excluded_pair(
        &mut self,
        (table, at): (TableId, usize),
        row: &[Value],
    ) -> Result<Option<(Vec<Value>, Vec<Value>)>> {
        let model = self.served.model.clone();
        let Some(key) = model[table].uniques.get(at) else { return Ok(None) };
        for own in self.holders(table, key, row).await? {
            let found = self.excluding_stored(table, key, (&own.values, own.key), Beside::Others).await?;
            if let Some(other) = found {
                return Ok(Some((own.values, other.values)));
            }
        }
        Ok(None)
    }
}
