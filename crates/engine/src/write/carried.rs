//! What foreign keys do to other rows where more hangs on it than what engines do: triggers, generated columns, checks, keys of ours.
//!
//! The rows are found, and triggers before them fired, before the engine does what the keys say; triggers after them are fired
//! when it is done.

use std::collections::{BTreeSet, VecDeque};

use catalog::{ColumnId, ForeignKey, ReferentialAction, TableId};
use query::functions::settings::count_trigger;
use query::model::ROW;
use query::triggers::{self, Operation};
use query::{Action, Expr, Guard, Judge, Source, Write, WriteGuard};
use sql::ast::TriggerTiming;
use types::{Error, Result, Value};

use super::excluded::Beside;
use super::seen::Seen;
use super::together::Stored;
use super::update::Change;
use super::{StoredRow, is_same, split};
use crate::contract::BoxFuture;
use crate::work::{Bound, Work};

/// Whose rows are in memory while what keys do is looked at.
pub(super) const WHO: &str = "foreign keys";

/// Why nobody is told where what happens here was raised: PostgreSQL has statements of its own for it.
const OF_KEYS: &str = "what foreign keys do to other rows";

/// A row as it was, and as it is to be.
type Happening<'a> = (&'a [Value], Option<&'a [Value]>);

/// What a foreign key does to the rows of a table because of one row of another.
pub(super) struct Carried {
    table: TableId,
    operation: Operation,
    rows: Vec<CarriedRow>,
    /// What it leads to.
    further: Vec<Carried>,
}

/// What a foreign key has done to the rows of a table.
pub(super) struct Happened {
    pub(super) table: TableId,
    pub(super) operation: Operation,
    pub(super) rows: Vec<Stored>,
}

/// How far foreign keys have carried a statement.
#[derive(Default)]
pub(super) struct Reach {
    /// The table of the statement's own rows, and what happens to them.
    pub(super) own: Option<(TableId, Operation)>,
    /// How many own rows there were so far.
    pub(super) own_rows: usize,
    /// How many keys stand between the own rows and those that are looked at.
    pub(super) depth: usize,
    /// How many rows a key was carried to because of own rows, without others between.
    pub(super) rows_beside: usize,
    /// The tables to whose rows something was carried so far.
    pub(super) carried: BTreeSet<TableId>,
    /// Whether a trigger before such rows was fired that may look at tables.
    pub(super) has_looked: bool,
    /// Whether one was where other rows stand between.
    pub(super) has_looked_further: bool,
    /// Rows that are on their way.
    met: BTreeSet<(TableId, i64)>,
    /// The tables whose triggers before a statement were fired, and for what: it is done once.
    begun: BTreeSet<(TableId, &'static str)>,
}

impl Reach {
    /// That of a deletion, whose own rows go.
    pub(super) fn of_deleted(table: TableId, rows: &[StoredRow]) -> Reach {
        let met = rows.iter().map(|row| (table, row.key)).collect();
        let begun = BTreeSet::from([(table, Operation::Delete.name())]);
        Reach { met, begun, own_rows: rows.len(), ..Reach::default() }
    }

    /// The same for the next row of an update, which may touch rows again.
    pub(super) fn of_next_row(&mut self, table: TableId) -> &mut Reach {
        self.met.clear();
        self.own_rows += 1;
        self.begun.insert((table, Operation::Update(BTreeSet::new()).name()));
        self
    }
}

/// What was carried, as far as it is from the statement's own rows: tables, what happens there, to how many rows.
pub(super) fn levels(carried: &[Carried]) -> Vec<Vec<(TableId, &Operation, usize)>> {
    let (mut levels, mut level) = (Vec::new(), carried.iter().collect::<Vec<_>>());
    while !level.is_empty() {
        levels.push(level.iter().map(|to| (to.table, &to.operation, to.rows.len())).collect());
        level = level.iter().flat_map(|to| &to.further).collect();
    }
    levels
}

/// A row to which a foreign key does something.
enum CarriedRow {
    /// It goes.
    Gone(StoredRow),
    /// It becomes what the engine makes of it, and what triggers and generated columns do.
    Changed(Change),
}

impl CarriedRow {
    fn happening(&self) -> Happening<'_> {
        match self {
            CarriedRow::Gone(row) => (&row.values, None),
            CarriedRow::Changed(change) => (&change.old, Some(&change.new)),
        }
    }
}

impl Work<'_> {
    /// What foreign keys will do where triggers see it, because of what happens to rows.
    pub(super) fn carry<'a>(
        &'a mut self,
        table: TableId,
        operation: &'a Operation,
        rows: &'a [Happening<'a>],
        reach: &'a mut Reach,
    ) -> BoxFuture<'a, Result<Vec<Carried>>> {
        Box::pin(async move {
            let model = self.served.model.clone();
            let mut found = Vec::new();
            if self.do_keys_rest(table) {
                return Ok(found);
            }
            if reach.depth == 0 {
                reach.own = Some((table, operation.clone()));
            }
            let is_watched = self.watches_keys(reach);
            reach.depth += 1;
            for (from, key, operation) in triggers::carried(&model, table, operation) {
                // Where the engine's keys wait, those of such rows are looked at here.
                let is_ours = is_watched || triggers::is_seen(&model, from, &operation);
                if !is_ours && !self.transaction.do_references_wait() {
                    continue;
                }
                // It is done as the owner of the rows that follow, and so are the triggers before it.
                let owner = model.catalog[from].owner.clone();
                let caller = std::mem::replace(&mut self.run.caller.role, owner);
                let mut carried = Ok(());
                for row in rows {
                    self.in_force.stack.begin_untold(OF_KEYS);
                    let outcome = self.carry_row(table, (from, key), &operation, *row, reach).await;
                    self.in_force.stack.done();
                    match outcome {
                        Ok(row) => found.extend(row),
                        Err(error) => {
                            let kept = self.kept_before(table, (from, key), *row, &reach.met).await?;
                            carried = Err(kept.unwrap_or(error).without_context(OF_KEYS));
                        }
                    }
                    if carried.is_err() {
                        break;
                    }
                }
                self.run.caller.role = caller;
                carried?;
            }
            reach.depth -= 1;
            Ok(found)
        })
    }

    /// The same by one key and because of one row.
    async fn carry_row(
        &mut self,
        table: TableId,
        (from, key): (TableId, &ForeignKey),
        operation: &Operation,
        (old, new): Happening<'_>,
        reach: &mut Reach,
    ) -> Result<Option<Carried>> {
        let model = self.served.model.clone();
        let target = &model.catalog[table];
        let columns = self.referenced(table, key);
        let of = |row: &[Value]| columns.iter().map(|at| row[*at].clone()).collect::<Vec<_>>();
        let (values, becomes) = (of(old), new.map(of));
        let is_kept = becomes.as_ref().is_some_and(|becomes| {
            let pairs = values.iter().zip(becomes).zip(&columns);
            pairs.into_iter().all(|((old, new), at)| is_same(&target.columns[*at].ty, old, new))
        });
        if values.iter().any(Value::is_null) || is_kept {
            return Ok(None);
        }
        let settings = self.run.session.settings.clone();
        if reach.begun.insert((from, operation.name())) {
            self.refuse_early(from, operation, false, reach)?;
            let nothing = &mut Seen::default();
            count_trigger(&settings, 1)?;
            let fired = self.fire_for_statement(from, operation, (TriggerTiming::Before, nothing)).await;
            count_trigger(&settings, -1)?;
            fired?;
        }
        let mut rows = Vec::new();
        for row in self.referencing(from, key, &values).await? {
            if !reach.met.insert((from, row.key)) {
                continue;
            }
            let done = self.acted(from, key, operation, &row.values, becomes.as_deref()).await?;
            let new = done.clone();
            self.refuse_early(from, operation, true, reach)?;
            reach.carried.insert(from);
            reach.rows_beside += usize::from(reach.depth == 1);
            // The statement of the key is one of a trigger's.
            count_trigger(&settings, 1)?;
            let wanted = self.fire_before(from, operation, Some(&row.values), new).await;
            count_trigger(&settings, -1)?;
            let Some(wanted) = wanted? else {
                return Err(Error::missing("a trigger that keeps a row from what a foreign key does to it"));
            };
            rows.push(match done {
                None => CarriedRow::Gone(row),
                Some(done) => {
                    CarriedRow::Changed(self.completed((from, operation), row, &done, wanted).await?)
                }
            });
        }
        let happenings: Vec<Happening<'_>> = rows.iter().map(CarriedRow::happening).collect();
        let further = self.carry(from, operation, &happenings, reach).await?;
        Ok(Some(Carried { table: from, operation: operation.clone(), rows, further }))
    }

    /// Where the columns of a table stand that a key references.
    pub(super) fn referenced(&self, table: TableId, key: &ForeignKey) -> Vec<usize> {
        let target = &self.served.model.catalog[table];
        let named = key.target_columns.iter().filter_map(|name| target.column(name));
        named.map(|(column, _)| usize::from(column.0)).collect()
    }

    /// The rows that reference a key.
    pub(super) async fn referencing(
        &mut self,
        from: TableId,
        key: &ForeignKey,
        values: &[Value],
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
        let width = read.outputs.len();
        let held = self.in_force.account.hold_of(WHO);
        let (found, _) = self.rows_held(&read, Bound::default(), held).await?;
        found.into_iter().map(|row| split(row, width).map(|(row, _)| row)).collect()
    }

    /// What a key's action makes of a row; nothing of one that goes.
    pub(super) async fn acted(
        &mut self,
        from: TableId,
        key: &ForeignKey,
        operation: &Operation,
        row: &[Value],
        becomes: Option<&[Value]>,
    ) -> Result<Option<Vec<Value>>> {
        let Operation::Update(set) = operation else { return Ok(None) };
        let action = if becomes.is_some() { &key.on_update } else { &key.on_delete };
        let mut row = row.to_vec();
        let write = of_key(from);
        let given = key.columns.iter().zip(becomes.unwrap_or_default());
        match action {
            ReferentialAction::Cascade => {
                given.for_each(|(column, value)| row[usize::from(column.0)] = value.clone());
            }
            ReferentialAction::SetDefault(_) => {
                for &column in set {
                    row[usize::from(column.0)] = self.fill(&write, column).await?;
                }
            }
            ReferentialAction::SetNull(_) | ReferentialAction::NoAction | ReferentialAction::Restrict => {
                set.iter().for_each(|column| row[usize::from(column.0)] = Value::Null);
            }
        }
        Ok(Some(row))
    }

    /// What becomes of a row besides what a key does to it, completed and checked.
    async fn completed(
        &mut self,
        (table, operation): (TableId, &Operation),
        row: StoredRow,
        done: &[Value],
        mut wanted: Vec<Value>,
    ) -> Result<Change> {
        let write = of_key(table);
        self.generate(&write, &mut wanted).await?;
        let set: Vec<ColumnId> = match operation {
            Operation::Update(columns) => columns.iter().copied().collect(),
            Operation::Insert | Operation::Delete | Operation::Truncate => Vec::new(),
        };
        self.admit(&write, &[], &wanted, &set).await?;
        let declared = &self.served.model.catalog[table];
        let differs = |column: &ColumnId| {
            let at = usize::from(column.0);
            !is_same(&declared[*column].ty, &done[at], &wanted[at])
        };
        let columns = declared.column_ids().filter(differs).collect();
        Ok(Change::of_key(row, wanted, columns))
    }

    /// Brings rows that the engine has changed to what they are to be. What happened, in the order in which PostgreSQL fires the
    /// triggers after it: those of a statement's own rows come before those of rows further away.
    pub(super) async fn settled(&mut self, carried: Vec<Carried>) -> Result<Vec<Happened>> {
        let mut waiting = VecDeque::from(carried);
        let mut happened = Vec::new();
        while let Some(Carried { table, operation, rows, further }) = waiting.pop_front() {
            waiting.extend(further);
            let owner = self.served.model.catalog[table].owner.clone();
            let caller = std::mem::replace(&mut self.run.caller.role, owner);
            let stored = self.brought(table, rows).await;
            self.run.caller.role = caller;
            happened.push(Happened { table, operation, rows: stored? });
        }
        Ok(happened)
    }

    /// Stores what is wanted of rows besides what the engine has done, and looks whether others exclude them.
    async fn brought(&mut self, table: TableId, rows: Vec<CarriedRow>) -> Result<Vec<Stored>> {
        let mut stored = Vec::with_capacity(rows.len());
        for row in rows {
            let change = match row {
                CarriedRow::Gone(row) => {
                    stored.push(Stored { old: Some(row.values), ..Stored::default() });
                    continue;
                }
                CarriedRow::Changed(change) => change,
            };
            let key = self.apply(&of_key(table), &change).await?;
            self.refuse_excluded(table, (&[key], std::slice::from_ref(&change.new)), Beside::Others).await?;
            let doubts = self.doubts(table, &change.new).await?;
            stored.push(Stored { doubts, ..change.into() });
        }
        Ok(stored)
    }
}

/// A write of a foreign key's action: it is the matter of who declared the key, whoever caused it.
fn of_key(table: TableId) -> Write {
    let guard = WriteGuard { judge: Judge::Us, ..WriteGuard::default() };
    Write { guard, ..Write::of(table, ROW, Action::Delete { filter: None }) }
}
