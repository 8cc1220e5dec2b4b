//! Which partition takes a row (PostgreSQL, `ExecFindPartition`), and what becomes of one that none takes.

use catalog::{ColumnId, PartitionKey, TableId};
use query::Write;
use query::arbiters::key_words;
use query::model::ROW;
use query::resolve::row_value;
use query::triggers::{Operation, TriggerModel};
use types::{Code, Error, Result, Value, text};

use super::violations::about;
use crate::work::{Tuple, Work};

/// Where a row belongs.
#[derive(Clone, Copy)]
enum Place {
    /// In this table, which has no partitions.
    In(TableId),
    /// In none of this table's partitions.
    Nowhere(TableId),
}

impl Work<'_> {
    /// The table that says what is wrong with a row: that of the partition that takes it.
    pub(super) async fn relation_of(&mut self, table: TableId, row: &[Value]) -> Result<TableId> {
        match self.place(table, row).await? {
            Place::In(table) | Place::Nowhere(table) => Ok(table),
        }
    }

    /// Refuses a row that is to be inserted where no partition takes it, before triggers see it.
    pub(super) async fn refuse_without_place(&mut self, write: &Write, row: &[Value]) -> Result<()> {
        let named = write.named();
        if self.served.model.catalog[named].partitioning.is_none() {
            return self.refuse_triggers_elsewhere(write, row).await;
        }
        if !self.is_within(named, row).await? {
            return Err(self.beyond(write, row, &[]));
        }
        match self.place(named, row).await? {
            Place::In(_) => Ok(()),
            Place::Nowhere(table) => Err(self.no_place(table, row)),
        }
    }

    /// Triggers before a row that the partition does not take would see it there.
    async fn refuse_triggers_elsewhere(&mut self, write: &Write, row: &[Value]) -> Result<()> {
        let named = write.named();
        if named == write.table
            || !self.fires_before_rows(write.table, &Operation::Insert)
            || self.is_within(named, row).await?
        {
            return Ok(());
        }
        let name = &self.served.model.catalog[named].name;
        Err(Error::missing(format!("triggers before a row that partition {name} does not take")))
    }

    /// Refuses a row that the partition that a statement names does not take.
    pub(super) async fn refuse_beyond(
        &mut self,
        write: &Write,
        row: &[Value],
        assigned: &[ColumnId],
    ) -> Result<()> {
        match self.is_within(write.named(), row).await? {
            true => Ok(()),
            false => Err(self.beyond(write, row, assigned)),
        }
    }

    /// Refuses a changed row that finds no place, or may not change it.
    pub(super) async fn refuse_move(
        &mut self,
        write: &Write,
        (old, new): (&[Value], &[Value]),
        assigned: &[ColumnId],
    ) -> Result<()> {
        if self.served.model.catalog[write.table].partitioning.is_none() {
            return Ok(());
        }
        let (from, to) = (self.place(write.table, old).await?, self.place(write.table, new).await?);
        if matches!((from, to), (Place::In(from), Place::In(to)) if from == to) {
            return Ok(());
        }
        if matches!(write.action, query::Action::Insert(_)) {
            let error = Error::new(Code::FEATURE_NOT_SUPPORTED, "invalid ON UPDATE specification");
            return Err(error.with_details(
                "The result tuple would appear in a different partition than the original tuple.",
            ));
        }
        let model = self.served.model.clone();
        let fires =
            |trigger: &TriggerModel| trigger.is_on(self.replication()) && trigger.statement.for_each_row;
        if model[write.table].triggers.iter().any(fires) {
            let table = &model.catalog[write.table].name;
            return Err(Error::missing(format!(
                "an update that moves rows between partitions of {table}, which has triggers for rows,"
            )));
        }
        self.refuse_beyond(write, new, assigned).await?;
        match to {
            Place::In(_) => Ok(()),
            Place::Nowhere(table) => Err(self.no_place(table, new)),
        }
    }

    /// Refuses what a trigger before a row made of it, when another partition takes it.
    pub(super) async fn refuse_moved_by(
        &mut self,
        trigger: &TriggerModel,
        (table, partition): (TableId, TableId),
        row: &[Value],
    ) -> Result<()> {
        if partition == table || self.is_within(partition, row).await? {
            return Ok(());
        }
        let name = &self.served.model.catalog[partition].name;
        let message = "moving row to another partition during a BEFORE FOR EACH ROW trigger is not supported";
        Err(Error::new(Code::FEATURE_NOT_SUPPORTED, message).with_details(format!(
            "Before executing trigger \"{}\", the row was to be in partition \"{}.{}\".",
            trigger.name, name.schema, name.name
        )))
    }

    async fn place(&mut self, table: TableId, row: &[Value]) -> Result<Place> {
        let model = self.served.model.clone();
        let mut at = table;
        'down: while model.catalog[at].partitioning.is_some() {
            for partition in &model[at].partitions {
                let takes = partition.takes.as_ref().map_err(Clone::clone)?;
                let tuple =
                    Tuple { table: model.catalog.kept_in(at), target: ROW, values: row, excluded: None };
                if matches!(self.value_at_start(takes, Some(tuple), &[]).await?, Value::Bool(true)) {
                    at = partition.table;
                    continue 'down;
                }
            }
            return Ok(Place::Nowhere(at));
        }
        Ok(Place::In(at))
    }

    async fn is_within(&mut self, table: TableId, row: &[Value]) -> Result<bool> {
        let model = self.served.model.clone();
        let Some(bound) = &model[table].bound else { return Ok(true) };
        let bound = bound.as_ref().map_err(Clone::clone)?;
        let tuple = Tuple { table: model.catalog.kept_in(table), target: ROW, values: row, excluded: None };
        Ok(matches!(self.value_at_start(bound, Some(tuple), &[]).await?, Value::Bool(true)))
    }

    fn beyond(&self, write: &Write, row: &[Value], assigned: &[ColumnId]) -> Error {
        let table = &self.served.model.catalog[write.named()];
        let message = format!("new row for relation \"{}\" violates partition constraint", table.name.name);
        let error = about(Error::new(Code::CHECK_VIOLATION, message), table);
        self.with_failing_row(error, write, row, assigned)
    }

    /// The key is shown to those who may see it (`ExecBuildSlotPartitionKeyDescription`).
    fn no_place(&self, table: TableId, row: &[Value]) -> Error {
        let declared = &self.served.model.catalog[table];
        let message = format!("no partition of relation \"{}\" found for row", declared.name.name);
        let error = about(Error::new(Code::CHECK_VIOLATION, message), declared);
        match self.shown_key(table, row) {
            Some((names, values)) => error
                .with_details(format!("Partition key of the failing row contains ({names}) = ({values}).")),
            None => error,
        }
    }

    fn shown_key(&self, table: TableId, row: &[Value]) -> Option<(String, String)> {
        let catalog = &self.served.model.catalog;
        let declared = &catalog[table];
        let column = |key: &PartitionKey| {
            let expr = row_value(catalog, declared, &key.expr).ok()?;
            let query::Expr::Column { column, .. } = expr else { return None };
            Some((column, key_words(declared, &expr)?))
        };
        let keys: Vec<(ColumnId, String)> =
            declared.partitioning.as_ref()?.keys.iter().map(column).collect::<Option<_>>()?;
        let columns: Vec<ColumnId> = keys.iter().map(|(column, _)| *column).collect();
        if !self.sight(table).columns(&columns) {
            return None;
        }
        let value = |column: &ColumnId| match &row[usize::from(column.0)] {
            Value::Null => "null".to_owned(),
            value => self.shown_value(&text::print(&declared[*column].ty, value, &self.run.session)),
        };
        let names: Vec<String> = keys.into_iter().map(|(_, name)| name).collect();
        let values: Vec<String> = columns.iter().map(value).collect();
        Some((names.join(", "), values.join(", ")))
    }
}
