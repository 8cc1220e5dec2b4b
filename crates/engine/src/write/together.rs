//! Rows that are stored together: PostgreSQL looks at foreign keys when all rows of a statement are stored, embedded engines
//! with each command.
//!
//! Commands are run as they come, for nearly always that is the same. When a foreign key refuses one, all of it is undone and
//! done again with foreign keys put off, and then every row is asked for what it references and who references it.

use catalog::TableId;
use query::{Conflict, Write};
use types::{Error, Result, Value};

use super::update::Change;
use super::{StoredRow, Touched};
use crate::contract::Failure;
use crate::work::Work;

impl Work<'_> {
    /// Begins a part in which the engine's foreign keys wait. They do until the transaction ends, so that whatever nobody looks at is
    /// refused then; every statement from here on looks at its own.
    pub(super) async fn put_off(&mut self) -> Result<()> {
        self.open_part().await?;
        if self.in_force.is_calling() {
            // They rest.
            return Ok(());
        }
        Ok(self.transaction.defer_references().await?)
    }

    /// Stores changed rows; their keys from then on. `is_refused`: a later row is, so that foreign keys are no matter.
    pub(super) async fn apply_all(
        &mut self,
        write: &Write,
        changes: &[Change],
        is_refused: bool,
    ) -> Result<Vec<i64>> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        if !is_refused {
            let is_several = changes.len() > 1;
            if is_several {
                self.open_part().await?;
            }
            let mut ended = self.apply_each(write, changes).await;
            if is_several {
                ended = self.close_part(ended).await;
            }
            if !matches!(ended, Err(Failure::ForeignKey)) {
                return Ok(ended?);
            }
        }
        self.put_off().await?;
        let ended = self.apply_put_off(write, changes, is_refused).await;
        self.close_part(ended).await
    }

    /// Every failure but that of a foreign key in the caller's words.
    async fn apply_each(&mut self, write: &Write, changes: &[Change]) -> Result<Vec<i64>, Failure> {
        let mut keys = Vec::with_capacity(changes.len());
        for change in changes {
            keys.push(self.apply(write, change).await?);
        }
        Ok(keys)
    }

    async fn apply_put_off(
        &mut self,
        write: &Write,
        changes: &[Change],
        is_refused: bool,
    ) -> Result<Vec<i64>> {
        let keys = self.apply_each(write, changes).await?;
        if !is_refused {
            self.look_at(write, changes.iter().map(|change| (Some(&*change.old), &*change.new))).await?;
        }
        Ok(keys)
    }

    /// Refuses stored rows that leave references without their row: those to what a row was, its own, and those further away,
    /// where keys carried a change on.
    pub(super) async fn look_at<'r>(
        &mut self,
        write: &Write,
        rows: impl Iterator<Item = (Option<&'r [Value]>, &'r [Value])>,
    ) -> Result<()> {
        let mut is_carried = false;
        for (old, new) in rows {
            if let Some(old) = old {
                is_carried = true;
                self.left_behind(write.table, old).await.map_or(Ok(()), Err)?;
            }
            self.missing_reference(write, new).await.map_or(Ok(()), Err)?;
        }
        if is_carried { self.dangling_beyond(write.table).await.map_or(Ok(()), Err) } else { Ok(()) }
    }

    /// Does the rows of an upsert one after the other.
    pub(super) async fn merge_all(
        &mut self,
        write: &Write,
        conflict: &Conflict,
        rows: &[Vec<Value>],
        is_refused: bool,
    ) -> Result<Touched> {
        if !is_refused {
            self.open_part().await?;
            let ended = self.merge_each(write, conflict, rows).await;
            match self.close_part(ended).await {
                Ok((touched, _)) => return Ok(touched),
                Err(Failure::ForeignKey) => {}
                Err(failure) => return Err(failure.into()),
            }
        }
        self.put_off().await?;
        let ended = self.merge_put_off(write, conflict, rows, is_refused).await;
        self.close_part(ended).await
    }

    async fn merge_each(
        &mut self,
        write: &Write,
        conflict: &Conflict,
        rows: &[Vec<Value>],
    ) -> Result<(Touched, Vec<Stored>), Failure> {
        let (mut touched, mut stored) = (Touched::default(), Vec::new());
        for row in rows {
            stored.extend(self.merge(write, conflict, row, &mut touched).await?);
        }
        Ok((touched, stored))
    }

    async fn merge_put_off(
        &mut self,
        write: &Write,
        conflict: &Conflict,
        rows: &[Vec<Value>],
        is_refused: bool,
    ) -> Result<Touched> {
        let (touched, stored) = self.merge_each(write, conflict, rows).await?;
        if !is_refused {
            self.look_at(write, stored.iter().map(|row| (row.old.as_deref(), &*row.new))).await?;
        }
        Ok(touched)
    }

    /// The error of rows that are not stored one after the other either; nothing when it was a foreign key that waits, and none
    /// is violated in the end.
    pub(super) async fn stored_put_off(
        &mut self,
        write: &Write,
        rows: &[Vec<Value>],
        is_refused: bool,
    ) -> Result<Vec<i64>> {
        self.put_off().await?;
        let ended = self.store_each(write, rows, is_refused).await;
        self.close_part(ended).await
    }

    async fn store_each(&mut self, write: &Write, rows: &[Vec<Value>], is_refused: bool) -> Result<Vec<i64>> {
        let mut keys = Vec::with_capacity(rows.len());
        for row in rows {
            match self.stored(write, std::slice::from_ref(row)).await {
                Ok(stored) => keys.extend(stored),
                Err(failure) => return Err(self.violation(write, None, row, failure).await.into()),
            }
        }
        if !is_refused {
            self.look_at(write, rows.iter().map(|row| (None, &**row))).await?;
        }
        Ok(keys)
    }
}

/// A row of a statement: what it was, if it was there, and what it is.
#[derive(Default)]
pub(super) struct Stored {
    /// Its key, if it is there.
    pub(super) key: i64,
    pub(super) old: Option<Vec<Value>>,
    pub(super) new: Vec<Value>,
    /// The keys of its table that it may violate, by their positions: they are looked at later.
    pub(super) doubts: Vec<usize>,
    /// Whether the row that it was had been made by the same transaction.
    pub(super) was_own: bool,
}

impl Stored {
    /// A row that is gone.
    pub(super) fn of_gone(row: StoredRow) -> Stored {
        Stored { old: Some(row.values), ..Stored::default() }
    }
}

impl From<Change> for Stored {
    fn from(change: Change) -> Stored {
        Stored { old: Some(change.old), new: change.new, ..Stored::default() }
    }
}

impl Work<'_> {
    /// The error of a deletion that leaves references without their row.
    pub(super) async fn deletion_refused(&mut self, table: TableId, rows: &[StoredRow]) -> Error {
        let ended = match self.put_off().await {
            Ok(()) => self.delete_put_off(table, rows).await,
            Err(error) => return error,
        };
        // It is refused in any case: nothing of it stays.
        match self.close_part(Err::<(), Error>(ended)).await {
            Ok(()) => Failure::ForeignKey.into(),
            Err(error) => error,
        }
    }

    async fn delete_put_off(&mut self, table: TableId, rows: &[StoredRow]) -> Error {
        if let Err(failure) = self.remove(table, rows).await {
            return failure.into();
        }
        for row in rows {
            if let Some(error) = self.left_behind(table, &row.values).await {
                return error;
            }
        }
        self.dangling().await.unwrap_or_else(|| Failure::ForeignKey.into())
    }
}
