//! `update`.

use catalog::ColumnId;
use query::triggers::Operation;
use query::{Assign, Expr, Write};
use types::{Result, Value};

use super::excluded::Beside;
use super::fired::already_modified;
use super::row::tuple;
use super::{StoredRow, Touched, is_same};
use crate::contract::Failure;
use crate::work::{Bound, Work, has_subquery};

/// A row that is to have other values.
pub(super) struct Change {
    /// Its key, before it changes.
    pub(super) key: i64,
    pub(super) old: Vec<Value>,
    pub(super) new: Vec<Value>,
    /// The columns that are stored.
    columns: Vec<ColumnId>,
    /// Those of them that were given.
    assigned: Vec<ColumnId>,
    /// What is returned of what stands beside the row.
    pub(super) beside: Vec<Value>,
}

impl Work<'_> {
    pub(super) async fn update(
        &mut self,
        write: &Write,
        set: &[(ColumnId, Assign)],
        filter: Option<&Expr>,
        parameters: &[Value],
    ) -> Result<Touched> {
        let mut changes = Vec::new();
        let before = self.begin_admitting(&write.guard.update, write.target);
        let refused = self.changes(write, set, filter, parameters, &mut changes).await.err();
        self.end_admitting(before);
        let keys = self.apply_all(write, &changes, refused.is_some()).await?;
        let beside = changes.into_iter().map(|change| change.beside).collect();
        refused.map_or(Ok(Touched { keys, beside, ..Touched::default() }), Err)
    }

    /// The rows to change with their new values, up to the first that is refused.
    pub(super) async fn changes(
        &mut self,
        write: &Write,
        set: &[(ColumnId, Assign)],
        filter: Option<&Expr>,
        parameters: &[Value],
        changes: &mut Vec<Change>,
    ) -> Result<()> {
        let asked = asked(write, set);
        for found in self.targets(write, filter, asked, parameters).await? {
            changes.extend(self.change_of(write, set, found, parameters).await?);
        }
        Ok(())
    }

    /// What becomes of a row. With it stands what was asked with it.
    pub(super) async fn change_of(
        &mut self,
        write: &Write,
        set: &[(ColumnId, Assign)],
        (row, asked): (StoredRow, Vec<Value>),
        parameters: &[Value],
    ) -> Result<Option<Change>> {
        let values = self.assigned(write, set, &row, asked, parameters).await?;
        let columns = set.iter().map(|(column, _)| *column).collect();
        self.change(write, row, columns, values).await
    }

    /// A row with the values that it is to have. `asked`: those of what was asked with the row.
    pub(super) async fn assigned(
        &mut self,
        write: &Write,
        set: &[(ColumnId, Assign)],
        row: &StoredRow,
        asked: Vec<Value>,
        parameters: &[Value],
    ) -> Result<Vec<Value>> {
        let mut asked = asked.into_iter();
        let mut values = row.values.clone();
        for (column, assign) in set {
            values[usize::from(column.0)] = match assign {
                Assign::Default => self.fill(write, *column).await?,
                Assign::Expr(expr) if is_asked(expr, write) => asked.next().unwrap_or(Value::Null),
                Assign::Expr(expr) => {
                    self.value_at_start(expr, Some(tuple(write, &row.values, None)), parameters).await?
                }
            };
        }
        Ok(values)
    }

    /// A row with its new values, as triggers want them, completed and checked; nothing when a trigger leaves it as it is.
    pub(super) async fn change(
        &mut self,
        write: &Write,
        row: StoredRow,
        mut columns: Vec<ColumnId>,
        new: Vec<Value>,
    ) -> Result<Option<Change>> {
        let model = self.served.model.clone();
        if !model[write.table].triggers.is_empty() {
            let operation = Operation::Update(columns.iter().copied().collect());
            let given = new.clone();
            let Some(wanted) =
                self.fire_before(write.table, &operation, Some(&row.values), Some(new)).await?
            else {
                return Ok(None);
            };
            let table = &model.catalog[write.table];
            let differs = |column: &ColumnId| {
                let at = usize::from(column.0);
                !columns.contains(column) && !is_same(&table[*column].ty, &given[at], &wanted[at])
            };
            let further: Vec<ColumnId> = table.column_ids().filter(differs).collect();
            columns.extend(further);
            return self.checked(write, row, columns, wanted).await.map(Some);
        }
        self.checked(write, row, columns, new).await.map(Some)
    }

    /// A row with its new values, completed and checked.
    pub(super) async fn checked(
        &mut self,
        write: &Write,
        row: StoredRow,
        mut columns: Vec<ColumnId>,
        mut new: Vec<Value>,
    ) -> Result<Change> {
        let generated = self.generate(write, &mut new).await?;
        // What is computed of other columns was not given by the caller.
        let assigned = columns.clone();
        columns.retain(|column| !generated.contains(column));
        columns.extend(generated);
        self.refuse_move(write, (&row.values, &new), &assigned).await?;
        self.admit(write, &write.guard.update, &new, &assigned).await?;
        Ok(Change { key: row.key, old: row.values, new, columns, assigned, beside: row.beside })
    }

    /// Stores the new values of a row; its key from then on. Failures are in the caller's words, but that of a foreign key. Views look
    /// at what is stored.
    pub(super) async fn apply(&mut self, write: &Write, change: &Change) -> Result<i64, Failure> {
        if change.columns.is_empty() {
            return Ok(change.key);
        }
        match self.changed(write, change).await {
            Ok(key) => {
                self.admit_by_views(write, &change.new, &change.assigned).await?;
                Ok(key)
            }
            Err(failure) => Err(self.violation(write, Some(&change.old), &change.new, failure).await),
        }
    }

    async fn changed(&mut self, write: &Write, change: &Change) -> Result<i64, Failure> {
        let value = |column: &ColumnId| (*column, change.new[usize::from(column.0)].clone());
        let set: Vec<(ColumnId, Value)> = change.columns.iter().map(value).collect();
        let bindings = self.bindings(Bound::default());
        let model = self.served.model.clone();
        let catalog = &model.catalog;
        let command = self.dialect.update(catalog, write.table, change.key, &set, &bindings)?;
        let keys = self.keys_of(&command).await?;
        let Some(key) = keys.first().copied() else { return Err(already_modified("updated").into()) };
        self.in_force.history.happened(write.table, (change.key, &change.old), Some(key));
        let row = std::slice::from_ref(&change.new);
        self.refuse_excluded(write.table, (&[key], row), Beside::Others).await?;
        Ok(key)
    }
}

/// What is asked together with the rows, before any of them changes: what reads tables.
pub(super) fn asked(write: &Write, set: &[(ColumnId, Assign)]) -> Vec<Expr> {
    let expr = |(_, assign): &(ColumnId, Assign)| match assign {
        Assign::Expr(expr) if is_asked(expr, write) => Some(expr.clone()),
        Assign::Expr(_) | Assign::Default => None,
    };
    set.iter().filter_map(expr).collect()
}

fn is_asked(expr: &Expr, write: &Write) -> bool {
    has_subquery(expr) || names_others(expr, write)
}

/// Whether an expression names something that stands beside the row.
fn names_others(expr: &Expr, write: &Write) -> bool {
    let mut found = false;
    query::visit::deep(expr, &mut |inner| {
        found |= matches!(inner, Expr::Column { source, .. } if *source != write.target);
    });
    found
}
