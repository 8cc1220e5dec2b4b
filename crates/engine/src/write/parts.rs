//! Statements of several parts, those of a data-modifying `with` and the one behind them: what PostgreSQL does after a statement (its
//! triggers, its foreign keys) comes when all parts are done (`AfterTriggerEndQuery`).

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use catalog::{ForeignKey, TableId};
use query::triggers::{self, Operation, Replication};
use query::{Changed, Write};
use sql::ast::TriggerTiming;
use types::cast::cast;
use types::compare::compare;
use types::{Error, Result, Type, Value};

use super::Task;
use super::afterwards::of_row;
use super::references::acts;
use super::together::Stored;
use crate::as_it_was::Moment;
use crate::database::Applied;
use crate::rows::Values;
use crate::work::Work;

/// What a part of a statement has done.
pub(crate) struct Part {
    pub(super) table: TableId,
    /// What it does to rows of its table: of an upsert both.
    pub(super) operations: Vec<Operation>,
    pub(super) rows: Vec<Stored>,
    /// For whom it was done.
    pub(super) role: Arc<str>,
    /// Whether a foreign key has done it.
    pub(super) is_of_key: bool,
}

/// What the parts of a statement have done so far.
#[derive(Default)]
pub(crate) struct Gathered {
    pub(crate) parts: Vec<Part>,
    /// The tables whose triggers before a statement were fired, and for what.
    pub(crate) begun: BTreeSet<(TableId, &'static str)>,
}

/// What triggers after a part are fired.
#[derive(Default)]
struct Fired {
    /// For how many rows.
    rows: usize,
    /// Whether there are some for the statement.
    is_for_statement: bool,
}

impl Fired {
    fn any(&self) -> bool {
        self.rows > 0 || self.is_for_statement
    }
}

/// A foreign key, where it is declared and its position there, with values of its columns.
type Reference = (TableId, usize, Vec<Keyed>);

/// A value of a key, in the order of the type of the referenced column.
struct Keyed {
    ty: Type,
    value: Value,
}

impl Ord for Keyed {
    fn cmp(&self, other: &Keyed) -> Ordering {
        compare(&self.ty, &self.value, &other.value)
    }
}

impl PartialOrd for Keyed {
    fn partial_cmp(&self, other: &Keyed) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Keyed {
    fn eq(&self, other: &Keyed) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Keyed {}

impl Work<'_> {
    /// Runs the parts of a statement, each of which sees the tables as they were when it began.
    pub(super) async fn store_parts(&mut self, task: Task<'_>) -> Result<Applied> {
        let begun = self.in_force.history.begin_parts();
        let done = match self.are_linked(task.write) {
            true => self.store_linked(task, begun).await,
            false => self.store_gathered(task, begun).await,
        };
        self.in_force.history.done();
        done
    }

    /// Runs parts whose rows may refer to each other's: foreign keys are looked at when all is done.
    async fn store_linked(&mut self, task: Task<'_>, begun: Moment) -> Result<Applied> {
        self.put_off().await?;
        let done = self.store_gathered(task, begun).await;
        self.close_part(done).await
    }

    async fn store_gathered(&mut self, task: Task<'_>, begun: Moment) -> Result<Applied> {
        let is_in_turn = query::parts::are_read_in_turn(&self.served.model, task.write);
        self.in_force.gather(Some(Gathered::default()));
        let done = self.store_each_part(task, begun).await;
        let parts = self.in_force.gathered().unwrap_or_default().parts;
        let done = done?;
        self.refuse_any_order(&parts, is_in_turn)?;
        parts.iter().for_each(|part| self.in_force.begin(part.table));
        let around = self.since.replace(begun);
        let count = parts.len();
        self.in_force.gather(None);
        let fired = self.fire_all_after(parts).await;
        self.in_force.gathered();
        self.since = around;
        (0..count).for_each(|_| self.in_force.done());
        fired.map(|()| done)
    }

    /// Runs one part after the other; what was changed by earlier ones stands as rows in the later. What nobody reads comes last.
    async fn store_each_part(&mut self, task: Task<'_>, begun: Moment) -> Result<Applied> {
        self.begin_parts(task.write, begun).await?;
        let mut unread = query::parts::unread(task.write).into_iter();
        let mut waiting = Vec::new();
        let mut last = task.write.clone();
        let mut before = std::mem::take(&mut last.before).into_iter();
        while let Some(Changed { id, write }) = before.next() {
            if unread.next() == Some(true) {
                waiting.push(write);
                continue;
            }
            let outputs = write.returning.iter().flat_map(|read| &read.outputs);
            let mut values = Values::of(outputs.map(|output| output.expr.ty()));
            let part = Task::of(&write, task.parameters, &mut values);
            Box::pin(self.store_part(part, Some(begun))).await?;
            let rows = values.into_rows();
            query::visit::put_rows(&mut last, id, &rows);
            let rest = before.as_mut_slice();
            rest.iter_mut().for_each(|later| query::visit::put_rows(&mut later.write, id, &rows));
        }
        let parameters = task.parameters;
        let done = self.store_part(task.with(&last), Some(begun)).await?;
        for write in waiting.iter().rev() {
            let outputs = write.returning.iter().flat_map(|read| &read.outputs);
            let mut values = Values::of(outputs.map(|output| output.expr.ty()));
            Box::pin(self.store_part(Task::of(write, parameters, &mut values), Some(begun))).await?;
        }
        Ok(done)
    }

    /// Fires the triggers before a statement where several parts that are read have some: PostgreSQL begins the outermost first, which
    /// then asks for the rows of what it reads.
    async fn begin_parts(&mut self, write: &Write, begun: Moment) -> Result<()> {
        let model = self.served.model.clone();
        let read = write.before.iter().zip(query::parts::unread(write)).filter(|(_, is_unread)| !is_unread);
        let read: Vec<&Write> = read.map(|(changed, _)| &changed.write).collect();
        let inwards = std::iter::once(write).chain(read.into_iter().rev());
        let mut begins: Vec<(&Write, Operation)> = Vec::new();
        for part in inwards.filter(|part| !part.action.sets_nothing()) {
            for operation in triggers::operations(part) {
                let is_known = |(known, done): &(&Write, Operation)| {
                    known.table == part.table && done.name() == operation.name()
                };
                if self.fires_before_statement(part.table, &operation) && !begins.iter().any(is_known) {
                    begins.push((part, operation));
                }
            }
        }
        if begins.len() < 2 {
            return Ok(());
        }
        if !query::parts::are_read_in_turn(&model, write) {
            let what = "an order of triggers before several parts of a statement";
            return Err(Error::missing(what).with_hint("Make several statements of it."));
        }
        let around = self.since.replace(begun);
        let mut done = Ok(());
        for (part, operation) in begins {
            done = self.begin_part_as(part, &operation).await;
            if done.is_err() {
                break;
            }
        }
        self.since = around;
        done
    }

    /// Fires the triggers before a statement for one part, for whom it is done.
    async fn begin_part_as(&mut self, part: &Write, operation: &Operation) -> Result<()> {
        if !self.in_force.begins(part.table, operation.name()) {
            return Ok(());
        }
        let role = part.guard.role.clone().unwrap_or_else(|| self.run.caller.role.clone());
        let caller = std::mem::replace(&mut self.run.caller.role, role);
        self.in_force.begin(part.table);
        let done = self.fire_for_statement(part.table, operation, TriggerTiming::Before, None).await;
        self.in_force.done();
        self.run.caller.role = caller;
        done
    }

    fn fires_before_statement(&self, table: TableId, operation: &Operation) -> bool {
        self.served.model[table].triggers.iter().any(|trigger| {
            trigger.is_on(self.replication()) && trigger.fires(operation, TriggerTiming::Before, false)
        })
    }

    /// Does what comes after a part, or has it wait for the others of its statement.
    pub(super) async fn finish(&mut self, part: Part) -> Result<()> {
        match self.in_force.add_part(part) {
            Some(alone) => self.fire_all_after(vec![alone]).await,
            None => Ok(()),
        }
    }

    /// Whether a foreign key goes from what one part changes to what another does.
    fn are_linked(&self, write: &Write) -> bool {
        if self.replication() == Replication::Replica {
            return false;
        }
        let model = &self.served.model;
        let parts = write.before.iter().map(|changed| &changed.write).chain([write]);
        let reached: Vec<BTreeSet<TableId>> =
            parts.map(|part| triggers::reached(model, part.table, triggers::operations(part))).collect();
        let refers = |from: &BTreeSet<TableId>, to: &BTreeSet<TableId>| {
            let keys = from.iter().flat_map(|from| &model.catalog[*from].foreign_keys);
            let mut targets = keys.filter_map(|key| model.catalog.table(&key.target));
            targets.any(|(target, _)| to.contains(&target))
        };
        let mut pairs = (0..reached.len()).flat_map(|one| (0..reached.len()).map(move |other| (one, other)));
        pairs.any(|(one, other)| one != other && refers(&reached[one], &reached[other]))
    }

    /// Refuses rows that refer to what another part removes, where a foreign key does something about that: PostgreSQL does it after
    /// both, and whether the row is looked at before is the order of the parts.
    fn refuse_crossing(&self, parts: &[Part]) -> Result<()> {
        if parts.len() < 2 {
            return Ok(());
        }
        let model = self.served.model.clone();
        let mut left: BTreeMap<Reference, usize> = BTreeMap::new();
        for (at, part) in parts.iter().enumerate() {
            for (from, key) in triggers::references_to(&model, part.table) {
                let Some(position) = position_of(&model.catalog[from].foreign_keys, key) else { continue };
                let columns = self.referenced(part.table, key);
                let of = |row: &[Value]| self.keyed(key, (part.table, &columns), row);
                for row in &part.rows {
                    let action = if row.new.is_empty() { &key.on_delete } else { &key.on_update };
                    let old = row.old.as_deref().and_then(of);
                    let new = of(&row.new);
                    if let Some(old) = old.filter(|old| acts(action) && new.as_ref() != Some(old)) {
                        left.insert((from, position, old), at);
                    }
                }
            }
        }
        for (at, part) in parts.iter().enumerate() {
            let declared = &model.catalog[part.table];
            for (position, key) in declared.foreign_keys.iter().enumerate() {
                let columns: Vec<usize> = key.columns.iter().map(|column| usize::from(column.0)).collect();
                let came =
                    part.rows.iter().filter_map(|row| self.keyed(key, (part.table, &columns), &row.new));
                let mut met = came.filter_map(|new| left.get(&(part.table, position, new)));
                if met.any(|by| *by != at) {
                    let name = &declared.name;
                    let what = format!(
                        "a row of {name} that refers to what another part of the statement removes or changes"
                    );
                    return Err(Error::missing(what).with_hint("Make two statements of it."));
                }
            }
        }
        Ok(())
    }

    /// Values of a row as a key's referenced columns have them; nothing of a row that is not there, or where one is null.
    fn keyed(
        &self,
        key: &ForeignKey,
        (table, columns): (TableId, &[usize]),
        row: &[Value],
    ) -> Option<Vec<Keyed>> {
        let catalog = &self.served.model.catalog;
        let (target, referenced) = catalog.table(&key.target)?;
        let of_column = |(at, to): (&usize, usize)| {
            let (from, ty) = (&catalog[table].columns[*at].ty, &referenced.columns[to].ty);
            let value = row.get(*at).filter(|value| !value.is_null())?;
            let value = match from == ty {
                true => value.clone(),
                false => cast(from, ty, None, false, value, &self.run.session).ok()?,
            };
            Some(Keyed { ty: ty.clone(), value })
        };
        columns.iter().zip(self.referenced(target, key)).map(of_column).collect()
    }

    /// Refuses parts where the order of what comes after their rows shows and is not known: PostgreSQL does the parts as they are read,
    /// row by row.
    fn refuse_any_order(&self, parts: &[Part], is_in_turn: bool) -> Result<()> {
        let Some((_, earlier)) = parts.split_last() else { return Ok(()) };
        if !is_in_turn || earlier.iter().any(|part| part.rows.len() > 1) {
            self.refuse_crossing(parts)?;
        }
        let fired: Vec<Fired> = parts.iter().map(|part| self.fired_after(part)).filter(Fired::any).collect();
        let Some((_, earlier)) = fired.split_last() else { return Ok(()) };
        let is_known = |fired: &Fired| is_in_turn && fired.rows < 2 && !fired.is_for_statement;
        if earlier.iter().all(is_known) {
            return Ok(());
        }
        let what = "an order of triggers after several parts of a statement";
        Err(Error::missing(what).with_hint("Make several statements of it."))
    }

    /// What triggers are fired after a part.
    fn fired_after(&self, part: &Part) -> Fired {
        let model = &self.served.model;
        let fires = |table: TableId, operation: &Operation, for_each_row: bool| {
            model[table].triggers.iter().any(|trigger| {
                trigger.is_on(self.replication())
                    && trigger.fires(operation, TriggerTiming::After, for_each_row)
            })
        };
        let leads_on = |operation: &Operation| {
            let all = match operation {
                Operation::Update(_) => Operation::Update(model.catalog[part.table].column_ids().collect()),
                Operation::Insert | Operation::Delete | Operation::Truncate => operation.clone(),
            };
            triggers::carried(model, part.table, &all)
                .any(|(from, _, to)| triggers::is_seen(model, from, &to))
        };
        let own = part.rows.iter().filter_map(|row| of_row(&part.operations, row));
        let own = own.filter(|operation| fires(part.table, operation, true) || leads_on(operation));
        Fired {
            rows: own.count(),
            is_for_statement: part.operations.iter().any(|operation| fires(part.table, operation, false)),
        }
    }
}

fn position_of(keys: &[ForeignKey], key: &ForeignKey) -> Option<usize> {
    keys.iter().position(|known| known.name == key.name)
}
