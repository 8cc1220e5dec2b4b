//! What foreign keys do to other rows (PostgreSQL, `RI_FKey_cascade_del` and its like): each time a statement of its own, whose triggers
//! before rows are fired and whose rows are stored at once; what comes after them is queued behind all that waits.

use std::sync::Arc;

use catalog::{ColumnId, ForeignKey, ReferentialAction, TableId};
use query::functions::settings::count_trigger;
use query::model::ROW;
use query::triggers::{self, Operation};
use query::{Action, Expr, Guard, Judge, Source, Write, WriteGuard};
use sql::ast::TriggerTiming;
use types::cast::cast;
use types::{Result, Type, Value};

use super::afterwards::Queue;
use super::parts::Part;
use super::references::columns_of;
use super::together::Stored;
use super::update::Change;
use super::{StoredRow, is_same, split};
use crate::work::{Bound, Work};

/// Whose rows are in memory while what keys do is looked at.
pub(super) const WHO: &str = "foreign keys";

/// Rows that are in memory while a key changes them, where there may be more: enough to make commands rare.
const ROWS_AT_ONCE: usize = 1_000;

/// Why nobody is told where what happens here was raised: PostgreSQL has statements of its own for it.
const OF_KEYS: &str = "what foreign keys do to other rows";

/// A foreign key, by where it is declared and its position there.
pub(super) type KeyAt = (TableId, usize);

/// What a key is to do.
struct Deed<'a> {
    from: TableId,
    key: &'a ForeignKey,
    operation: Operation,
    /// The values that are referenced.
    values: Vec<Value>,
    /// What they become, unless the referenced row goes.
    becomes: Option<Vec<Value>>,
}

impl Work<'_> {
    /// Does what a foreign key does because something happened to a row.
    pub(super) async fn act(
        &mut self,
        (from, at): KeyAt,
        (table, Stored { old, new, .. }): (TableId, &Stored),
        queue: &mut Queue,
    ) -> Result<()> {
        let model = self.served.model.clone();
        let Some(key) = model.catalog[from].foreign_keys.get(at) else { return Ok(()) };
        let columns = columns_of(&model.catalog[table], key);
        let of = |row: &[Value]| -> Vec<Value> {
            columns.iter().filter_map(|column| row.get(usize::from(column.0)).cloned()).collect()
        };
        let happened = match new[..] {
            [] => Operation::Delete,
            [..] => Operation::Update(columns.iter().copied().collect()),
        };
        let Some(operation) = triggers::action_of(&model.catalog[table], key, &happened) else {
            return Ok(());
        };
        let values = old.as_deref().map(of).unwrap_or_default();
        let becomes = (!new.is_empty()).then(|| of(new));
        let action = if becomes.is_some() { &key.on_update } else { &key.on_delete };
        let deed = Deed { from, key, operation, values, becomes };
        self.act_as_owner(&deed, queue).await.map_err(|error| error.without_context(OF_KEYS))?;
        if matches!(action, ReferentialAction::SetDefault(_)) {
            // Rows that had these values by default have them still, and nobody else would look.
            self.look_for_left((from, at), &deed.values, false).await?;
        }
        Ok(())
    }

    /// The same as the owner of the rows that follow, in a statement of its own, which is one of a trigger's.
    async fn act_as_owner(&mut self, deed: &Deed<'_>, queue: &mut Queue) -> Result<()> {
        let settings = self.run.session.settings.clone();
        let rested = self.transaction.rest(true)?;
        count_trigger(&settings, 1)?;
        let owner = self.served.model.catalog[deed.from].owner.clone();
        let caller = std::mem::replace(&mut self.run.caller.role, owner);
        let begun = self.in_force.history.begin();
        let around = self.since.replace(begun);
        self.in_force.stack.begin_untold(OF_KEYS);
        self.in_force.begin(deed.from);
        let done = self.act_on_rows(deed, &caller, queue).await;
        self.in_force.done();
        self.in_force.stack.done();
        self.since = around;
        self.in_force.history.done();
        self.run.caller.role = caller;
        self.transaction.rest(rested)?;
        count_trigger(&settings, -1)?;
        done
    }

    async fn act_on_rows(&mut self, deed: &Deed<'_>, caller: &Arc<str>, queue: &mut Queue) -> Result<()> {
        let Deed { from, operation, .. } = deed;
        let from = *from;
        let set = queue.seen.set(from, operation);
        if queue.seen.begins(set) {
            self.fire_for_statement(from, operation, TriggerTiming::Before, None).await?;
        }
        let most = self.rows_at_once(deed);
        loop {
            let found = self.referencing_some(from, deed.key, (&deed.values, most)).await?;
            let many = found.len();
            let is_last = most.is_none_or(|most| many < most);
            let rows: Vec<Stored> = match operation {
                Operation::Delete => {
                    let gone = self.delete_fired(from, found).await?;
                    gone.into_iter().map(Stored::of_gone).collect()
                }
                Operation::Update(columns) => {
                    self.set_by_key(deed, columns.iter().copied().collect(), found).await?
                }
                Operation::Insert | Operation::Truncate => Vec::new(),
            };
            if rows.len() < many {
                // A trigger keeps some, which refer to nothing.
                self.transaction.let_references_dangle(true)?;
            }
            let operations = vec![operation.clone()];
            let part = Part { table: from, operations, rows, role: caller.clone(), is_of_key: true };
            match is_last {
                true => return self.queue(queue, part).await,
                false => self.queue_rows(queue, part).await?,
            };
        }
    }

    /// How many rows a key changes at once, where that takes them away from what it looks for and nobody is told of all before.
    fn rows_at_once(&self, deed: &Deed<'_>) -> Option<usize> {
        let leaves = match (&deed.operation, &deed.becomes) {
            (Operation::Delete, _) => true,
            // What a key becomes may be equal to what it was.
            (_, Some(_)) => false,
            (_, None) => matches!(deed.key.on_delete, ReferentialAction::SetNull(_)),
        };
        (leaves && !self.fires_before_rows(deed.from, &deed.operation)).then_some(ROWS_AT_ONCE)
    }

    /// Changes rows as a key says.
    async fn set_by_key(
        &mut self,
        deed: &Deed<'_>,
        columns: Vec<ColumnId>,
        found: Vec<StoredRow>,
    ) -> Result<Vec<Stored>> {
        let write = of_key(deed.from);
        let mut stored = Vec::with_capacity(found.len());
        for row in found {
            let wanted = self.acted(deed, &columns, &row.values).await?;
            let change = self.change(&write, row, columns.clone(), wanted.clone()).await?;
            let is_done = |change: &Change| {
                let table = &self.served.model.catalog[deed.from];
                columns.iter().all(|column| {
                    let at = usize::from(column.0);
                    is_same(&table[*column].ty, &wanted[at], &change.new[at])
                })
            };
            if !change.as_ref().is_some_and(is_done) {
                // A trigger has the row refer to something else, perhaps to nothing.
                self.transaction.let_references_dangle(true)?;
            }
            let Some(change) = change else { continue };
            let key = self.apply(&write, &change).await?;
            let keys = (Some(change.key), key);
            stored.push(self.noted(deed.from, keys, change.into()).await?);
        }
        Ok(stored)
    }

    /// What a key's action makes of a row.
    async fn acted(&mut self, deed: &Deed<'_>, columns: &[ColumnId], row: &[Value]) -> Result<Vec<Value>> {
        let action = if deed.becomes.is_some() { &deed.key.on_update } else { &deed.key.on_delete };
        let mut row = row.to_vec();
        match action {
            ReferentialAction::Cascade => {
                let given = deed.key.columns.iter().zip(&deed.key.target_columns);
                for ((&column, name), value) in given.zip(deed.becomes.iter().flatten()) {
                    row[usize::from(column.0)] = self.carried_value(deed, (column, name), value)?;
                }
            }
            ReferentialAction::SetDefault(_) => {
                let write = of_key(deed.from);
                for &column in columns {
                    row[usize::from(column.0)] = self.fill(&write, column).await?;
                }
            }
            ReferentialAction::SetNull(_) | ReferentialAction::NoAction | ReferentialAction::Restrict => {
                columns.iter().for_each(|column| row[usize::from(column.0)] = Value::Null);
            }
        }
        Ok(row)
    }

    /// A value that is carried to a column, as that can have it.
    fn carried_value(
        &self,
        deed: &Deed<'_>,
        (column, name): (ColumnId, &Arc<str>),
        value: &Value,
    ) -> Result<Value> {
        let catalog = &self.served.model.catalog;
        let to = &catalog[deed.from][column];
        let from = catalog.table(&deed.key.target).and_then(|(_, target)| target.column(name));
        match from {
            Some((_, from)) if from.ty != to.ty || from.modifier != to.modifier => {
                cast(&from.ty, &to.ty, to.modifier, false, value, &self.run.session)
            }
            Some(_) | None => Ok(value.clone()),
        }
    }

    /// Where the columns of a table stand that a key references.
    pub(super) fn referenced(&self, table: TableId, key: &ForeignKey) -> Vec<usize> {
        let columns = columns_of(&self.served.model.catalog[table], key);
        columns.into_iter().map(|column| usize::from(column.0)).collect()
    }

    /// The rows that reference a key.
    pub(super) async fn referencing(
        &mut self,
        from: TableId,
        key: &ForeignKey,
        values: &[Value],
    ) -> Result<Vec<StoredRow>> {
        self.referencing_some(from, key, (values, None)).await
    }

    /// The same, but no more than so many.
    async fn referencing_some(
        &mut self,
        from: TableId,
        key: &ForeignKey,
        (values, most): (&[Value], Option<usize>),
    ) -> Result<Vec<StoredRow>> {
        let write = of_key(from);
        let model = self.served.model.clone();
        let equal = key.columns.iter().zip(values).map(|(&column, value)| {
            let ty = model.catalog[from][column].ty.clone();
            let value = Expr::Const { value: value.clone(), ty: ty.clone() };
            Expr::Column { source: ROW, column, ty }.equals(value)
        });
        let filter = Expr::all(equal);
        let mut read = self.whole_rows(&write, Source::Table { id: ROW, table: from, guard: Guard::Open });
        read.filter = filter;
        let most = most.and_then(|most| i64::try_from(most).ok());
        read.limit = most.map(|most| Expr::Const { value: Value::Int(most), ty: Type::Int8 });
        let width = read.outputs.len();
        let held = self.in_force.account.hold_of(WHO);
        let (found, _) = self.rows_held(&read, Bound::default(), held).await?;
        found.into_iter().map(|row| split(row, width).map(|(row, _)| row)).collect()
    }
}

/// A write of a foreign key's action: it is the matter of who declared the key, whoever caused it.
fn of_key(table: TableId) -> Write {
    let guard = WriteGuard { judge: Judge::Us, ..WriteGuard::default() };
    Write { guard, ..Write::of(table, ROW, Action::Delete { filter: None }) }
}
