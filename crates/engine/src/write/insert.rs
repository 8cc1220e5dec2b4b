//! `insert`, with `on conflict`.

use std::borrow::Cow;

use catalog::{ColumnId, TableId};
use query::arbiters::{UniqueModel, arbiters};
use query::model::ROW;
use query::triggers::Operation;
use query::{
    Action, Assign, Conflict, ConflictAction, Expr, Form, Guard, Insert, RowValue, Source, SourceId, Write,
};
use types::{Code, Error, Result, Value};

use super::excluded::Beside;
use super::row::tuple;
use super::together::Stored;
use super::update::Change;
use super::{StoredRow, Touched, count, split};
use crate::contract::Failure;
use crate::work::{Bound, Tuple, Work};

/// Rows stored by one command: few enough to find the one that is refused, enough to make commands rare.
const CHUNK_ROWS: usize = 64;

impl Work<'_> {
    pub(super) async fn insert(
        &mut self,
        write: &Write,
        insert: &Insert,
        parameters: &[Value],
    ) -> Result<Touched> {
        let mut rows = Vec::with_capacity(insert.rows.len());
        let before = self.begin_admitting(&write.guard.insert, write.target);
        let refused = self.candidates(write, insert, parameters, &mut rows).await.err();
        self.end_admitting(before);
        if write.refreshes && refused.is_none() {
            let old = self.targets(write, None, Vec::new(), parameters).await?;
            let old: Vec<StoredRow> = old.into_iter().map(|(row, _)| row).collect();
            self.delete(write.table, &old).await?;
        }
        let touched = match &insert.conflict {
            None => self.store_rows(write, &rows, refused.is_some()).await?,
            Some(conflict) => self.merge_all(write, conflict, &rows, refused.is_some()).await?,
        };
        refused.map_or(Ok(touched), Err)
    }

    /// The complete rows, up to the first that is refused.
    pub(super) async fn candidates(
        &mut self,
        write: &Write,
        insert: &Insert,
        parameters: &[Value],
        rows: &mut Vec<Vec<Value>>,
    ) -> Result<()> {
        for given in self.given(insert, parameters).await? {
            rows.extend(self.candidate(write, insert, &given, parameters).await?);
        }
        Ok(())
    }

    /// What is given of each row.
    pub(super) async fn given<'i>(
        &mut self,
        insert: &'i Insert,
        parameters: &[Value],
    ) -> Result<Vec<Cow<'i, [RowValue]>>> {
        let mut given: Vec<Cow<'i, [RowValue]>> =
            insert.rows.iter().map(|row| Cow::Borrowed(&row[..])).collect();
        if let Some(read) = &insert.read {
            let read = self.rows_at_start(read, parameters).await?;
            let values = |row: Vec<Value>| Cow::Owned(row.into_iter().map(RowValue::Value).collect());
            given.extend(read.into_iter().map(values));
        }
        Ok(given)
    }

    /// A complete row; nothing when a trigger leaves it out.
    pub(super) async fn candidate(
        &mut self,
        write: &Write,
        insert: &Insert,
        given: &[RowValue],
        parameters: &[Value],
    ) -> Result<Option<Vec<Value>>> {
        let values = self.complete(write, insert, given, parameters).await?;
        self.refuse_without_place(write, &values).await?;
        let Some(mut values) = self.fire_before(write.table, &Operation::Insert, None, Some(values)).await?
        else {
            return Ok(None);
        };
        self.generate(write, &mut values).await?;
        self.admit(write, &write.guard.insert, &values, &insert.columns).await?;
        Ok(Some(values))
    }

    /// A row with the values that are given, and those that its other columns have without them.
    pub(super) async fn complete(
        &mut self,
        write: &Write,
        insert: &Insert,
        given: &[RowValue],
        parameters: &[Value],
    ) -> Result<Vec<Value>> {
        let model = self.served.model.clone();
        let table = &model.catalog[write.table];
        let mut values = vec![Value::Null; table.columns.len()];
        let place = |column: ColumnId| insert.columns.iter().position(|named| *named == column);
        let mut columns: Vec<ColumnId> = table.column_ids().collect();
        // A row of a list is made before what it leaves out; one row alone in the order of the table's columns.
        if insert.rows.len() > 1 && given.iter().any(|value| matches!(value, RowValue::Expr(_))) {
            columns.sort_by_key(|column| place(*column).unwrap_or(usize::MAX));
        }
        for column in columns {
            values[usize::from(column.0)] = match place(column).and_then(|position| given.get(position)) {
                Some(RowValue::Value(value)) => value.clone(),
                Some(RowValue::Expr(expr)) => self.value_at_start(expr, None, parameters).await?,
                Some(RowValue::Returned(_)) => {
                    return Err(Error::internal("a value of another write was not put in its place"));
                }
                Some(RowValue::Default) | None => self.fill(write, column).await?,
            };
        }
        Ok(values)
    }

    /// Stores rows that meet no others. `is_refused`: a later one is.
    async fn store_rows(&mut self, write: &Write, rows: &[Vec<Value>], is_refused: bool) -> Result<Touched> {
        let mut keys = Vec::with_capacity(rows.len());
        let mut rest = rows;
        while !rest.is_empty() {
            let (chunk, later) = rest.split_at(self.chunk_rows(write).min(rest.len()));
            if is_refused {
                keys.extend(self.stored_put_off(write, rest, is_refused).await?);
                break;
            }
            match self.stored(write, chunk).await {
                Ok(stored) => keys.extend(stored),
                Err(Failure::Unique { .. } | Failure::ForeignKey) => {
                    // One by one, it shows whose failure it is. A key of a later row comes before a reference of an earlier one.
                    keys.extend(self.stored_put_off(write, rest, is_refused).await?);
                    break;
                }
                Err(failure) => return Err(failure.into()),
            }
            rest = later;
        }
        Ok(Touched { inserted: count(keys.len()), keys, ..Touched::default() })
    }

    /// Rows of one command. A table that references itself takes as many as possible: its rows may reference each other.
    fn chunk_rows(&self, write: &Write) -> usize {
        let table = &self.served.model.catalog[write.table];
        let most = self.capabilities.parameters_max / table.columns.len().max(1);
        let references_itself = table.foreign_keys.iter().any(|key| key.target == table.name);
        most.clamp(1, if references_itself { usize::MAX } else { CHUNK_ROWS })
    }

    /// Stores rows that meet no others. Views look at what is stored: what meets another row is none of theirs.
    pub(super) async fn stored(&mut self, write: &Write, rows: &[Vec<Value>]) -> Result<Vec<i64>, Failure> {
        let catalog = &self.served.model.catalog;
        let command = self.dialect.insert(catalog, write.table, rows, &self.bindings(Bound::default()))?;
        let keys = self.keys_of(&command).await?;
        self.in_force.history.came(write.table, &keys);
        self.refuse_excluded(write.table, (&keys, rows), Beside::Earlier).await?;
        if let Action::Insert(insert) = &write.action {
            for row in rows {
                self.admit_by_views(write, row, &insert.columns).await?;
            }
        }
        Ok(keys)
    }

    /// Stores one row, or does what is to be done instead; what was stored.
    pub(super) async fn merge(
        &mut self,
        write: &Write,
        conflict: &Conflict,
        row: &[Value],
        touched: &mut Touched,
    ) -> Result<Option<Stored>, Failure> {
        let Some(existing) = self.existing(write, conflict, row).await? else {
            return match self.stored(write, &[row.to_vec()]).await {
                Ok(keys) => {
                    touched.inserted += count(keys.len());
                    keys.into_iter().for_each(|key| touched.meet(key));
                    Ok(Some(Stored { new: row.to_vec(), ..Stored::default() }))
                }
                Err(Failure::Unique { .. }) if !conflict.names_key() => Ok(None),
                Err(failure) => Err(self.violation(write, None, row, failure).await),
            };
        };
        let Some(change) = self.merged_with(write, conflict, row, existing, touched).await? else {
            return Ok(None);
        };
        touched.meet(self.apply(write, &change).await?);
        Ok(Some(change.into()))
    }

    /// What a row that is in the way becomes; nothing when it stays as it is.
    pub(super) async fn merged_with(
        &mut self,
        write: &Write,
        conflict: &Conflict,
        row: &[Value],
        existing: StoredRow,
        touched: &Touched,
    ) -> Result<Option<Change>> {
        let ConflictAction::Update { excluded, set, filter } = &conflict.action else { return Ok(None) };
        let has_come = |since| self.in_force.history.has_come(since, write.table, existing.key);
        if touched.met.contains(&existing.key) || self.since.is_some_and(has_come) {
            return Err(twice());
        }
        self.merged(write, (*excluded, row), set, filter.as_ref(), existing).await
    }

    /// The row that already has a key that decides.
    ///
    /// # Errors
    /// `55000` for a key that may wait.
    pub(super) async fn existing(
        &mut self,
        write: &Write,
        conflict: &Conflict,
        row: &[Value],
    ) -> Result<Option<StoredRow>> {
        let model = self.served.model.clone();
        let keys = arbiters(&model, write.table, conflict);
        // Without a name, the engine itself tells that a row is there, unless a key that may wait comes first.
        let looks = conflict.names_key() || keys.iter().any(|key| key.deferrable || key.excludes.is_some());
        for key in keys.into_iter().filter(|_| looks) {
            if key.deferrable {
                return Err(waits());
            }
            let found = match key.excludes {
                None => self.holder(write.table, key, row).await?,
                Some(_) => self.excluding(write.table, key, row, Beside::All).await?,
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// The row with the same unique key as another.
    pub(super) async fn holder(
        &mut self,
        table: TableId,
        key: &UniqueModel,
        row: &[Value],
    ) -> Result<Option<StoredRow>> {
        Ok(self.holders(table, key, row).await?.into_iter().next())
    }

    /// The rows with the same key as another, which may be one of them.
    pub(super) async fn holders(
        &mut self,
        table: TableId,
        key: &UniqueModel,
        row: &[Value],
    ) -> Result<Vec<StoredRow>> {
        let tuple = Tuple { table, target: ROW, values: row, excluded: None };
        if let Some(predicate) = &key.predicate
            && !matches!(self.value(predicate, Some(tuple), &[]).await?, Value::Bool(true))
        {
            return Ok(Vec::new());
        }
        let mut equal: Vec<Expr> = key.predicate.iter().cloned().collect();
        for expr in &key.keys {
            let value = self.value(expr, Some(tuple), &[]).await?;
            equal.push(match value.is_null() {
                true if !key.nulls_not_distinct => return Ok(Vec::new()),
                true => Expr::test(Form::IsNull, vec![expr.clone()]),
                false => expr.clone().equals(Expr::Const { value, ty: expr.ty() }),
            });
        }
        let from = Source::Table { id: ROW, table, guard: Guard::Open };
        let mut read = self.whole_rows_of((ROW, table), from);
        read.filter = Expr::all(equal);
        let width = read.outputs.len();
        let found = self.rows(&read, Bound::default()).await?;
        found.into_iter().map(|row| split(row, width).map(|(row, _)| row)).collect()
    }

    /// What becomes of an existing row; nothing when the condition does not hold.
    async fn merged(
        &mut self,
        write: &Write,
        proposed: (SourceId, &[Value]),
        set: &[(ColumnId, Assign)],
        filter: Option<&Expr>,
        existing: StoredRow,
    ) -> Result<Option<Change>> {
        let row = tuple(write, &existing.values, Some(proposed));
        // What a policy or a view hides meets no condition of the caller's.
        self.admit_by_policies(&write.guard.conflict, tuple(write, &existing.values, None)).await?;
        if let Some(filter) = filter
            && !matches!(self.value_at_start(filter, Some(row), &[]).await?, Value::Bool(true))
        {
            return Ok(None);
        }
        let mut values = existing.values.clone();
        for (column, assign) in set {
            values[usize::from(column.0)] = match assign {
                Assign::Default => self.fill(write, *column).await?,
                Assign::Expr(expr) => self.value_at_start(expr, Some(row), &[]).await?,
            };
        }
        let columns: Vec<ColumnId> = set.iter().map(|(column, _)| *column).collect();
        self.change(write, existing, columns, values).await
    }
}

fn waits() -> Error {
    let message =
        "ON CONFLICT does not support deferrable unique constraints/exclusion constraints as arbiters";
    Error::new(Code::OBJECT_STATE, message)
}

fn twice() -> Error {
    let hint = "Ensure that no rows proposed for insertion within the same command have duplicate constrained values.";
    Error::new(Code::CARDINALITY, "ON CONFLICT DO UPDATE command cannot affect row a second time")
        .with_hint(hint)
}
