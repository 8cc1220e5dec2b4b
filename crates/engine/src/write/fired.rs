//! Writes after which more is to be done than engines do: triggers are fired (PostgreSQL, "Overview of Trigger Behavior"), keys
//! that wait are looked at.
//!
//! Such a write takes its rows one after the other: triggers before a row see what was done to the rows before it, and say what is
//! stored. What is returned is read when all rows are stored, then the triggers after them are fired.

use std::collections::BTreeSet;
use std::sync::Arc;

use catalog::{ColumnId, TableId};
use query::functions::settings::count_trigger;
use query::model::ROW;
use query::triggers::{self, OLD, Operation, Replication, Routine, TriggerModel};
use query::{Action, Assign, Expr, Insert, RowCheck, Source, Write, reach};
use sql::ast::TriggerTiming;
use types::{Code, Error, Result, Type, Value};

use super::carried::{Carried, Happened, Reach};
use super::parts::Part;
use super::references::TouchedKey;
use super::seen::{Rows, Seen};
use super::together::Stored;
use super::{StoredRow, Touched, check_affected, count, is_same};
use crate::contract::{Failure, Sink};
use crate::database::Applied;
use crate::in_force::Deferred;
use crate::work::{Bound, Tuple, Work};

/// What a statement has done to rows.
#[derive(Default)]
pub(super) struct Passed {
    pub(super) touched: Touched,
    /// The rows as they were and as they are, in the order in which they were stored.
    pub(super) rows: Vec<Stored>,
    /// What foreign keys did because of them.
    carried: Vec<Carried>,
    /// How far they have come.
    reach: Reach,
}

/// What is to be done because something happened to a row.
enum Due {
    /// A trigger is to be fired, by its position.
    Trigger(usize),
    /// A key is to be looked at.
    Key(Deferred),
}

/// Rows to which something happened, of a part of a statement or because of it.
struct Turn<'a> {
    table: TableId,
    operations: &'a [Operation],
    rows: Vec<(&'a Operation, &'a Stored)>,
    role: &'a Arc<str>,
}

impl<'a> Turn<'a> {
    /// A part's own rows.
    fn of(part: &'a Part) -> Turn<'a> {
        let rows = part.rows.iter().filter_map(|row| Some((of_row(&part.operations, row)?, row)));
        Turn { table: part.table, operations: &part.operations, rows: rows.collect(), role: &part.role }
    }

    /// Those to which foreign keys carried it on.
    fn further(part: &'a Part) -> impl Iterator<Item = Turn<'a>> {
        part.carried.iter().map(|Happened { table, operation, rows }| Turn {
            table: *table,
            operations: std::slice::from_ref(operation),
            rows: rows.iter().map(|row| (operation, row)).collect(),
            role: &part.role,
        })
    }
}

/// What a trigger is fired for.
pub(super) struct Occasion<'a> {
    pub(super) table: TableId,
    pub(super) operation: &'a Operation,
    /// The row as it was.
    pub(super) old: Option<&'a [Value]>,
    /// The rows of the whole statement, where the trigger may ask for them.
    pub(super) rows: Option<Arc<Rows>>,
}

impl Work<'_> {
    /// Whether a write fires triggers. What sets nothing is no statement to PostgreSQL.
    pub(super) fn fires(&self, write: &Write) -> bool {
        if matches!(&write.action, Action::Update { set, .. } if set.is_empty()) {
            return false;
        }
        // Keys that wait are looked at with the triggers. A view that is filled anew has none.
        if self.transaction.do_references_wait() && !write.refreshes {
            return true;
        }
        let model = &self.served.model;
        let fires = |operation: &Operation| match self.replication() {
            Replication::Origin => triggers::fires_any(model, write.table, operation),
            Replication::Replica => triggers::fires_any_replicated(model, write.table, operation),
        };
        model.has_triggers() && triggers::operations(write).iter().any(fires)
    }

    /// Runs a write that fires triggers.
    pub(super) async fn store_fired(
        &mut self,
        write: &Write,
        parameters: &[Value],
        position: usize,
        sink: &mut dyn Sink,
    ) -> Result<Applied> {
        let operations = triggers::operations(write);
        for operation in &operations {
            if self.in_force.begins(write.table, operation.name()) {
                let nothing = &mut Seen::default();
                self.fire_for_statement(write.table, operation, (TriggerTiming::Before, nothing)).await?;
            }
        }
        let (passed, affected) = match &write.action {
            Action::Delete { .. } => {
                let rows = self.condemned(write, parameters).await?;
                check_affected(write, rows.len())?;
                let keys: Vec<i64> = rows.iter().map(|row| row.key).collect();
                let beside: Vec<Vec<Value>> = rows.iter().map(|row| row.beside.clone()).collect();
                // What is returned of a deleted row, it says while it is there.
                self.returning(write, (&keys, &beside), parameters, position, sink).await?;
                (self.delete_fired(write, rows).await?, keys.len())
            }
            Action::Insert(_) | Action::Update { .. } => {
                let passed = self.passed(write, parameters).await?;
                check_affected(write, passed.touched.keys.len())?;
                let Touched { keys, beside, .. } = &passed.touched;
                self.returning(write, (keys, beside), parameters, position, sink).await?;
                let affected = passed.touched.keys.len();
                (passed, affected)
            }
        };
        let carried = self.settled(passed.carried).await?;
        let role = self.run.caller.role.clone();
        self.finish(Part { table: write.table, operations, rows: passed.rows, carried, role }).await?;
        Ok(Applied { affected: count(affected), inserted: passed.touched.inserted })
    }

    /// Fires the triggers after a statement: those of its own rows, of one part after the other, then those of rows further away. Those
    /// for a statement are fired once, behind the last row to which that happened (`cancel_prior_stmt_triggers`).
    pub(super) async fn fire_all_after(&mut self, parts: Vec<Part>) -> Result<()> {
        let model = self.served.model.clone();
        let mut seen = Seen::default();
        for part in &parts {
            for operation in &part.operations {
                let is_own = |row: &&Stored| of_row(&part.operations, row) == Some(operation);
                seen.note(&model, (part.table, operation), part.rows.iter().filter(is_own));
            }
            for happened in &part.carried {
                seen.note(&model, (happened.table, &happened.operation), happened.rows.iter());
            }
        }
        let turns: Vec<Turn<'_>> =
            parts.iter().map(Turn::of).chain(parts.iter().flat_map(Turn::further)).collect();
        // What waits is known before the first trigger is fired, which may change that.
        let mut dues = Vec::with_capacity(parts.len());
        for turn in turns.iter().take(parts.len()) {
            dues.push(self.all_due(turn).await?);
        }
        let mut dues = dues.into_iter();
        for (at, turn) in turns.iter().enumerate() {
            let due = match dues.next() {
                Some(due) => due,
                None => self.all_due(turn).await?,
            };
            let caller = std::mem::replace(&mut self.run.caller.role, turn.role.clone());
            let done = self.take_turn(turn, due, (turns.get(at + 1..).unwrap_or_default(), &mut seen)).await;
            self.run.caller.role = caller;
            done?;
        }
        Ok(())
    }

    /// Fires the triggers after something happened to some rows, and those for the statement, unless it happens again.
    async fn take_turn(
        &mut self,
        turn: &Turn<'_>,
        due: Vec<Vec<Due>>,
        (later, seen): (&[Turn<'_>], &mut Seen),
    ) -> Result<()> {
        self.fire_after(turn, due, seen).await?;
        for operation in turn.operations.iter().rev() {
            let is_same = |later: &Operation| later.name() == operation.name();
            let comes_again =
                later.iter().any(|later| later.table == turn.table && later.operations.iter().any(is_same));
            if !comes_again {
                self.fire_for_statement(turn.table, operation, (TriggerTiming::After, seen)).await?;
            }
        }
        Ok(())
    }

    /// Stores the rows of an insert or update; a second time with foreign keys put off, when one refuses a row that a later one
    /// may satisfy.
    async fn passed(&mut self, write: &Write, parameters: &[Value]) -> Result<Passed> {
        self.open_part().await?;
        let ended = self.pass(write, parameters).await;
        self.close_part(ended.is_ok()).await?;
        if !matches!(ended, Err(Failure::ForeignKey)) {
            return Ok(ended?);
        }
        self.put_off().await?;
        let ended = self.pass_put_off(write, parameters).await;
        self.looked(ended).await
    }

    async fn pass_put_off(&mut self, write: &Write, parameters: &[Value]) -> Result<Passed> {
        let passed = self.pass(write, parameters).await?;
        self.look_at(write, passed.rows.iter().map(|row| (row.old.as_deref(), &*row.new))).await?;
        Ok(passed)
    }

    async fn pass(&mut self, write: &Write, parameters: &[Value]) -> Result<Passed, Failure> {
        let mut passed = Passed::default();
        match &write.action {
            Action::Insert(insert) => self.pass_given(write, insert, parameters, &mut passed).await?,
            Action::Update { set, filter } => {
                self.pass_changed(write, set, filter.as_ref(), parameters, &mut passed).await?;
            }
            Action::Delete { .. } => return Err(Error::internal("a deletion stores no rows").into()),
        }
        Ok(passed)
    }

    /// Inserts rows. Triggers before a row see the rows before it; where there are none, all are checked before the first is stored,
    /// and those before a row that is refused are stored first, because theirs might be the earlier error.
    async fn pass_given(
        &mut self,
        write: &Write,
        insert: &Insert,
        parameters: &[Value],
        passed: &mut Passed,
    ) -> Result<(), Failure> {
        if self.takes_one_by_one(write) {
            for given in self.given(insert, parameters).await? {
                if let Some(row) = self.candidate(write, insert, &given, parameters).await? {
                    self.pass_row(write, insert, row, passed).await?;
                }
            }
            return Ok(());
        }
        let mut checked = Vec::new();
        let refused = self.candidates(write, insert, parameters, &mut checked).await;
        for row in checked {
            self.pass_row(write, insert, row, passed).await?;
        }
        Ok(refused?)
    }

    /// Updates rows, in the same way.
    async fn pass_changed(
        &mut self,
        write: &Write,
        set: &[(ColumnId, Assign)],
        filter: Option<&Expr>,
        parameters: &[Value],
        passed: &mut Passed,
    ) -> Result<(), Failure> {
        if self.takes_one_by_one(write) {
            let asked = super::update::asked(write, set);
            for (row, asked) in self.targets(write, filter, asked, parameters).await? {
                if let Some(change) = self.change_of(write, set, (row, asked), parameters).await? {
                    self.pass_change(write, change, passed).await?;
                }
            }
            return Ok(());
        }
        let mut checked = Vec::new();
        let refused = self.changes(write, set, filter, parameters, &mut checked).await;
        for change in checked {
            self.pass_change(write, change, passed).await?;
        }
        Ok(refused?)
    }

    async fn pass_change(
        &mut self,
        write: &Write,
        mut change: super::update::Change,
        passed: &mut Passed,
    ) -> Result<(), Failure> {
        let beside = std::mem::take(&mut change.beside);
        let key = self.apply_fired(write, change, passed).await?;
        passed.touched.keys.push(key);
        passed.touched.beside.push(beside);
        Ok(())
    }

    /// Whether a row is stored before the next one is checked: triggers before rows see that.
    fn takes_one_by_one(&self, write: &Write) -> bool {
        let model = &self.served.model;
        let table = &model.catalog[write.table];
        let is_before = |trigger: &TriggerModel| {
            let fires = |operation| {
                trigger.is_on(self.replication())
                    && trigger.fires(table, operation, TriggerTiming::Before, true)
            };
            triggers::operations(write).iter().any(fires)
        };
        model[write.table].triggers.iter().any(is_before)
    }

    /// Whether the rows of an upsert are judged one after the other, for policies look at the table.
    pub(super) fn is_judged_by_row(&self, write: &Write) -> bool {
        let Action::Insert(insert) = &write.action else { return false };
        let catalog = &self.served.model.catalog;
        insert.conflict.is_some()
            && (insert.read.is_some() || insert.rows.len() > 1)
            && checks(write).any(|check| reach::reads(catalog, &check.expr, write.table))
    }

    /// Stores one row of an insert, or does what is to be done instead.
    async fn pass_row(
        &mut self,
        write: &Write,
        insert: &Insert,
        row: Vec<Value>,
        passed: &mut Passed,
    ) -> Result<(), Failure> {
        let existing = match &insert.conflict {
            None => None,
            Some(conflict) => {
                self.existing(write, conflict, &row).await?.map(|existing| (conflict, existing))
            }
        };
        let Some((conflict, existing)) = existing else {
            return match self.stored(write, std::slice::from_ref(&row)).await {
                Ok(keys) => {
                    passed.touched.inserted += count(keys.len());
                    keys.into_iter().for_each(|key| passed.touched.meet(key));
                    let doubts = self.doubts(write.table, &row).await?;
                    passed.rows.push(Stored { old: None, new: row, doubts });
                    Ok(())
                }
                Err(Failure::Unique { .. })
                    if insert.conflict.as_ref().is_some_and(|conflict| !conflict.names_key()) =>
                {
                    Ok(())
                }
                Err(failure) => Err(self.violation(write, None, &row, failure).await),
            };
        };
        if let Some(change) = self.merged_with(write, conflict, &row, existing, &passed.touched).await? {
            let key = self.apply_fired(write, change, passed).await?;
            passed.touched.meet(key);
        }
        Ok(())
    }

    async fn apply_fired(
        &mut self,
        write: &Write,
        change: super::update::Change,
        passed: &mut Passed,
    ) -> Result<i64, Failure> {
        let columns: BTreeSet<_> = self.served.model.catalog[write.table].column_ids().collect();
        let row = (change.old.as_slice(), Some(change.new.as_slice()));
        let carried = self
            .carry(write.table, &Operation::Update(columns), &[row], passed.reach.of_next_row(write.table))
            .await?;
        let key = self.apply(write, &change).await?;
        passed.carried.extend(carried);
        let doubts = self.doubts(write.table, &change.new).await?;
        passed.rows.push(Stored { doubts, ..change.into() });
        Ok(key)
    }

    /// The rows that a deletion is about, but those that a trigger keeps.
    async fn condemned(&mut self, write: &Write, parameters: &[Value]) -> Result<Vec<StoredRow>> {
        let Action::Delete { filter } = &write.action else { return Ok(Vec::new()) };
        let mut rows = Vec::new();
        for (row, _) in self.targets(write, filter.as_ref(), Vec::new(), parameters).await? {
            let goes = self.fire_before(write.table, &Operation::Delete, Some(&row.values), None).await?;
            if goes.is_some() {
                rows.push(row);
            }
        }
        Ok(rows)
    }

    async fn delete_fired(&mut self, write: &Write, rows: Vec<StoredRow>) -> Result<Passed> {
        let mut reach = Reach::of_deleted(write.table, &rows);
        let gone: Vec<(&[Value], Option<&[Value]>)> =
            rows.iter().map(|row| (&row.values[..], None)).collect();
        let carried = self.carry(write.table, &Operation::Delete, &gone, &mut reach).await?;
        let rows: Vec<(StoredRow, Vec<Value>)> = rows.into_iter().map(|row| (row, Vec::new())).collect();
        // Rows that go with others of the statement are deleted before their turn comes: that is nobody's change.
        let goes_with_itself = self.served.model[write.table].deletes_itself;
        if goes_with_itself && self.still_there(write, &rows).await? != count(rows.len()) {
            return Err(already_modified("deleted"));
        }
        if self.delete(write, &rows).await? != count(rows.len()) && !goes_with_itself {
            return Err(already_modified("deleted"));
        }
        let gone = |(row, _): (StoredRow, _)| Stored { old: Some(row.values), ..Stored::default() };
        Ok(Passed { rows: rows.into_iter().map(gone).collect(), carried, ..Passed::default() })
    }

    /// How many of some rows are there as they were.
    async fn still_there(&mut self, write: &Write, rows: &[(StoredRow, Vec<Value>)]) -> Result<u64> {
        let keys: Vec<i64> = rows.iter().map(|(row, _)| row.key).collect();
        let read = self.whole_rows(write, Source::Written { id: write.target, table: write.table });
        let found = self.rows(&read, Bound { written: &keys, ..Bound::default() }).await?;
        Ok(count(found.len()))
    }

    /// Fires the triggers before something happens to a row. What is to be stored; nothing when it is not to happen.
    pub(super) async fn fire_before(
        &mut self,
        table: TableId,
        operation: &Operation,
        old: Option<&[Value]>,
        mut new: Option<Vec<Value>>,
    ) -> Result<Option<Vec<Value>>> {
        let model = self.served.model.clone();
        for trigger in &model[table].triggers {
            if !trigger.is_on(self.replication())
                || !trigger.fires(&model.catalog[table], operation, TriggerTiming::Before, true)
                || !self.holds(table, trigger, old, new.as_deref()).await?
            {
                continue;
            }
            let occasion = Occasion { table, operation, old, rows: None };
            let returned = self.fire(trigger, occasion, new.clone()).await?;
            match (returned, operation) {
                (None, _) => return Ok(None),
                (Some(_), Operation::Delete | Operation::Truncate) => {}
                (Some(row), Operation::Insert | Operation::Update(_)) => new = Some(row),
            }
        }
        Ok(Some(new.unwrap_or_default()))
    }

    /// Fires the triggers after something happened to rows.
    async fn fire_after(&mut self, turn: &Turn<'_>, due: Vec<Vec<Due>>, seen: &mut Seen) -> Result<()> {
        let model = self.served.model.clone();
        for ((operation, row), due) in turn.rows.iter().zip(due) {
            for due in due {
                match due {
                    Due::Trigger(at) => {
                        let rows = seen.rows(turn.table, operation);
                        let (old, new) = versions(operation, row);
                        let occasion = Occasion { table: turn.table, operation, old, rows };
                        let trigger = &model[turn.table].triggers[at];
                        self.fire(trigger, occasion, new.map(<[Value]>::to_vec)).await?;
                    }
                    Due::Key(key) => self.do_deferred(key).await?,
                }
            }
        }
        Ok(())
    }

    /// What is to be done at once because something happened to rows.
    async fn all_due(&mut self, turn: &Turn<'_>) -> Result<Vec<Vec<Due>>> {
        let caller = std::mem::replace(&mut self.run.caller.role, turn.role.clone());
        let mut all = Ok(Vec::with_capacity(turn.rows.len()));
        for (operation, row) in &turn.rows {
            let Ok(due) = &mut all else { break };
            match self.due(turn.table, operation, row).await {
                Ok(of_row) => due.push(of_row),
                Err(error) => all = Err(error),
            }
        }
        self.run.caller.role = caller;
        all
    }

    /// What is to be done at once because something happened to a row, in order; what is not waits.
    async fn due(&mut self, table: TableId, operation: &Operation, row: &Stored) -> Result<Vec<Due>> {
        let model = self.served.model.clone();
        let (old, new) = versions(operation, row);
        // In the order of the names of triggers, of which keys have some of PostgreSQL's own.
        let mut due: Vec<(&str, Due)> = Vec::new();
        for TouchedKey { trigger, what, may_wait } in self.keys_touched(table, operation, row) {
            if may_wait && self.in_force.constraints().put_off(&model, &what) {
                self.in_force.defer(what)?;
            } else {
                due.push((trigger, Due::Key(what)));
            }
        }
        for (at, trigger) in model[table].triggers.iter().enumerate() {
            if !trigger.is_on(self.replication())
                || !trigger.fires(&model.catalog[table], operation, TriggerTiming::After, true)
                || !self.holds(table, trigger, old, new).await?
            {
                continue;
            }
            if !trigger.statement.constraint {
                due.push((&trigger.name, Due::Trigger(at)));
                continue;
            }
            let (old, new) = (old.map(<[Value]>::to_vec), new.map(<[Value]>::to_vec));
            let waiting = Deferred::Trigger { table, trigger: at, operation: operation.clone(), old, new };
            if self.in_force.constraints().put_off(&model, &waiting) {
                self.in_force.defer(waiting)?;
            } else {
                due.push((&trigger.name, Due::Trigger(at)));
            }
        }
        due.sort_by_key(|(name, _)| *name);
        Ok(due.into_iter().map(|(_, due)| due).collect())
    }

    /// The keys that are to be looked at because of what happened to a row.
    fn keys_touched(&self, table: TableId, operation: &Operation, row: &Stored) -> Vec<TouchedKey> {
        let has_primary = self.served.model.catalog[table].primary_key.is_some();
        let doubted = |key: &usize| TouchedKey {
            // The primary key is the first one.
            trigger: if has_primary && *key == 0 {
                "PK_ConstraintTrigger"
            } else {
                "Unique_ConstraintTrigger"
            },
            what: Deferred::Unique { table, key: *key, row: row.new.clone() },
            may_wait: true,
        };
        let references = self.references_touched(table, operation, versions(operation, row));
        row.doubts.iter().map(doubted).chain(references).collect()
    }

    /// Does something that waited for the end of the transaction.
    pub(crate) async fn do_deferred(&mut self, deferred: Deferred) -> Result<()> {
        let model = self.served.model.clone();
        match deferred {
            Deferred::Trigger { table, trigger, operation, old, new } => {
                let trigger = &model[table].triggers[trigger];
                let occasion = Occasion { table, operation: &operation, old: old.as_deref(), rows: None };
                self.fire(trigger, occasion, new).await.map(drop)
            }
            Deferred::Reference { from, key, values, is_left } => {
                self.look_at_reference((from, key), &values, is_left).await
            }
            Deferred::Unique { table, key, row } => self.look_at_key((table, key), &row).await,
        }
    }

    /// Fires the triggers of a statement.
    pub(super) async fn fire_for_statement(
        &mut self,
        table: TableId,
        operation: &Operation,
        (timing, seen): (TriggerTiming, &mut Seen),
    ) -> Result<()> {
        let model = self.served.model.clone();
        for trigger in &model[table].triggers {
            if trigger.is_on(self.replication())
                && trigger.fires(&model.catalog[table], operation, timing, false)
                && self.holds(table, trigger, None, None).await?
            {
                let rows = seen.rows(table, operation);
                self.fire(trigger, Occasion { table, operation, old: None, rows }, None).await?;
            }
        }
        Ok(())
    }

    /// Whether a trigger's condition holds.
    async fn holds(
        &mut self,
        table: TableId,
        trigger: &TriggerModel,
        old: Option<&[Value]>,
        new: Option<&[Value]>,
    ) -> Result<bool> {
        let Some(when) = &trigger.when else { return Ok(true) };
        let when = when.as_ref().map_err(Clone::clone)?;
        let excluded = old.map(|old| (OLD, old));
        let row = Tuple { table, target: ROW, values: new.unwrap_or_default(), excluded };
        Ok(matches!(self.value_at_start(when, Some(row), &[]).await?, Value::Bool(true)))
    }

    /// Calls what a trigger calls. The row that it returns.
    pub(super) async fn fire(
        &mut self,
        trigger: &TriggerModel,
        Occasion { table, operation, old, rows }: Occasion<'_>,
        new: Option<Vec<Value>>,
    ) -> Result<Option<Vec<Value>>> {
        let statement = &trigger.statement;
        match trigger.routine.clone()? {
            Routine::SkipsUnchanged => {
                let columns = &self.served.model.catalog[table].columns;
                let is_as_it_was = |new: &Vec<Value>| {
                    let mut pairs = new.iter().zip(old.unwrap_or_default()).zip(columns);
                    pairs.all(|((new, old), column)| is_same(&column.ty, old, new))
                };
                Ok(new.filter(|new| !is_as_it_was(new)))
            }
            Routine::SetsTime => self.with_time(table, trigger, new).map(Some),
            Routine::Declared(function) => {
                let firing = program::Firing {
                    trigger: trigger.name.clone(),
                    table,
                    when: match statement.timing {
                        TriggerTiming::Before => "BEFORE",
                        TriggerTiming::After => "AFTER",
                        TriggerTiming::InsteadOf => "INSTEAD OF",
                    },
                    level: if statement.for_each_row { "ROW" } else { "STATEMENT" },
                    operation: operation.name(),
                    old: old.map(<[Value]>::to_vec),
                    new,
                    arguments: statement.arguments.clone(),
                    transitions: trigger.transitions.clone(),
                };
                let around = std::mem::replace(&mut self.transitions, rows);
                let settings = self.run.session.settings.clone();
                count_trigger(&settings, 1)?;
                let seen = match self.is_volatile(function) {
                    true => self.in_force.history.look(None),
                    false => self.look_back(),
                };
                let returned = Box::pin(program::fire(self, function, firing)).await;
                self.in_force.history.look(seen);
                self.transitions = around;
                count_trigger(&settings, -1)?;
                returned
            }
        }
    }

    /// The row with the transaction's time in the column that is the trigger's argument.
    fn with_time(
        &self,
        table: TableId,
        trigger: &TriggerModel,
        new: Option<Vec<Value>>,
    ) -> Result<Vec<Value>> {
        let declared = &self.served.model.catalog[table];
        let column = trigger.statement.arguments.first().and_then(|name| declared.column(name));
        let (Some((column, of)), Some(mut row)) = (column, new) else {
            return Err(Error::new(Code::RAISED, "moddatetime: must be fired for update, with a column"));
        };
        let session = &self.run.session;
        row[usize::from(column.0)] = match &of.ty {
            Type::Timestamptz => Value::Timestamp(session.now),
            Type::Timestamp => {
                Value::Timestamp(session.now + i64::from(session.offset_at(session.now)) * 1_000_000)
            }
            _ => {
                let name = &of.name;
                let message = format!(
                    "attribute \"{name}\" of \"{}\" must be type TIMESTAMP or TIMESTAMPTZ",
                    declared.name.name
                );
                return Err(Error::new(Code::RAISED, message));
            }
        };
        Ok(row)
    }
}

/// What happened to a row of a statement: of an upsert it was inserted or updated.
pub(super) fn of_row<'o>(operations: &'o [Operation], row: &Stored) -> Option<&'o Operation> {
    if row.old.is_none() { operations.first() } else { operations.last() }
}

/// A row as it was and as it is.
fn versions<'r>(operation: &Operation, row: &'r Stored) -> (Option<&'r [Value]>, Option<&'r [Value]>) {
    (row.old.as_deref(), (*operation != Operation::Delete).then_some(&row.new[..]))
}

/// The conditions on the rows of a write.
fn checks(write: &Write) -> impl Iterator<Item = &RowCheck> {
    let guard = &write.guard;
    guard.insert.iter().chain(&guard.conflict).chain(&guard.update)
}

/// The error of a row that a trigger of its own statement has changed or removed.
pub(super) fn already_modified(done: &str) -> Error {
    let message =
        format!("tuple to be {done} was already modified by an operation triggered by the current command");
    Error::raised("27000", message).with_hint(
        "Consider using an AFTER trigger instead of a BEFORE trigger to propagate changes to other rows.",
    )
}
