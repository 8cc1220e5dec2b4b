//! Writes, row by row in the order of the statement, as PostgreSQL does them (`ExecInsert`, `ExecUpdate`).
//!
//! A row is completed and checked in memory (defaults, domains, generated columns, policies, nulls, checks), then stored. All
//! rows are checked before the first is stored, so that a policy's subqueries see the tables as they were; when a row is
//! refused, those before it are stored first, because theirs might be the earlier error.

mod actions;
mod admitted;
mod afterwards;
mod doubted;
mod excluded;
mod fired;
mod firing;
mod insert;
mod instead;
mod partitions;
mod parts;
mod references;
mod returning;
mod row;
mod seen;
mod together;
mod truncate;
mod update;
mod violations;
mod whole;

use std::collections::HashSet;

use catalog::TableId;
use query::functions::settings::replication;
use query::triggers::{self, Replication};
use query::{
    Action, Assign, ConflictAction, Explain, Expr, Guard, Judge, Output, Presentation, Read, Source,
    SourceId, Write,
};
use render::Command;
use types::stored::encode;
use types::{Code, Error, Result, Type, Value};

use crate::as_it_was::Moment;
use crate::contract::{Failure, Sink};
use crate::database::Applied;
use crate::rows::Values;
use crate::work::{Bound, Work, has_subquery};

pub(crate) use admitted::Admitted;
pub(crate) use parts::{Gathered, Part};
pub(crate) use seen::Rows;

/// A row of the engine: its key, and a value for each column.
pub(crate) struct StoredRow {
    pub(crate) key: i64,
    pub(crate) values: Vec<Value>,
    /// What is returned of what stands beside it.
    pub(crate) beside: Vec<Value>,
}

/// The rows that a write has touched.
#[derive(Default)]
pub(crate) struct Touched {
    /// Their keys, in the order of the statement.
    pub(crate) keys: Vec<i64>,
    /// What is returned of what stands beside each, where anything is.
    pub(crate) beside: Vec<Vec<Value>>,
    /// How many were not there before.
    pub(crate) inserted: u64,
    /// The same for an upsert, to be found: none may be met twice.
    pub(crate) met: HashSet<i64>,
}

impl Touched {
    /// Rows that are to go.
    fn of_gone<'r>(rows: impl Iterator<Item = &'r StoredRow>) -> Touched {
        let (keys, beside) = rows.map(|row| (row.key, row.beside.clone())).unzip();
        Touched { keys, beside, ..Touched::default() }
    }

    /// Notes a row of an upsert.
    pub(crate) fn meet(&mut self, key: i64) {
        self.keys.push(key);
        self.met.insert(key);
    }
}

/// A write that is to be done.
pub(crate) struct Task<'a> {
    write: &'a Write,
    /// Those of the statement that it stands in.
    parameters: &'a [Value],
    /// What it returns are rows of this command of the sink.
    position: usize,
    sink: &'a mut dyn Sink,
}

impl<'a> Task<'a> {
    /// A write that returns rows of the first command.
    pub(crate) fn of(write: &'a Write, parameters: &'a [Value], sink: &'a mut dyn Sink) -> Task<'a> {
        Task { write, parameters, position: 0, sink }
    }

    /// Another write in its place.
    fn with<'b>(self, write: &'b Write) -> Task<'b>
    where
        'a: 'b,
    {
        Task { write, parameters: self.parameters, position: self.position, sink: self.sink }
    }
}

impl Work<'_> {
    /// Runs a write.
    pub(crate) async fn store(&mut self, task: Task<'_>) -> Result<Applied> {
        if !task.write.before.is_empty() {
            return Box::pin(self.store_parts(task)).await;
        }
        self.in_force.gather(None);
        let done = self.store_part(task, None).await;
        self.in_force.gathered();
        done
    }

    /// Runs a write alone, or as a part of a statement that has begun.
    async fn store_part(&mut self, task: Task<'_>, begun: Option<Moment>) -> Result<Applied> {
        let write = task.write;
        if let Some(told) = told(write, task.parameters) {
            return Box::pin(self.store_part(task.with(&told), begun)).await;
        }
        if let Some(role) = write.guard.role.as_ref().filter(|role| **role != self.run.caller.role) {
            let before = std::mem::replace(&mut self.run.caller.role, role.clone());
            let outcome = Box::pin(self.store_part(task, begun)).await;
            self.run.caller.role = before;
            return outcome;
        }
        match write.guard.judge {
            Judge::Us => {}
            Judge::Engine => return self.store_whole(task).await,
            Judge::Nobody => {
                return Err(Error::internal("a write reached the engine without authorization"));
            }
        }
        let looks_back = begun.is_none() && self.looks_back(write);
        let since = if looks_back { Some(self.in_force.history.begin()) } else { begun };
        let around = std::mem::replace(&mut self.since, since);
        let done = self.store_replicated(task).await;
        self.since = around;
        if looks_back {
            self.in_force.history.done();
        }
        done
    }

    /// Runs a write; where foreign keys rest or are ours, the engine's rest meanwhile.
    async fn store_replicated(&mut self, task: Task<'_>) -> Result<Applied> {
        let is_ours = self.in_force.is_calling() || self.are_keys_ours(task.write);
        let do_rest = self.do_keys_rest(task.write.table);
        if do_rest && triggers::has_keys(&self.served.model, task.write.table) {
            self.transaction.let_references_dangle(true)?;
        }
        let before = self.transaction.rest(is_ours || do_rest)?;
        let done = Box::pin(self.store_judged(task)).await;
        self.transaction.rest(before)?;
        done
    }

    /// Whether keys are not looked at when rows of a table change, and do nothing.
    pub(super) fn do_keys_rest(&self, table: TableId) -> bool {
        self.replication() == Replication::Replica || self.served.model.catalog[table].keys_rest
    }

    /// Whether rows are as they were elsewhere.
    pub(crate) fn replication(&self) -> Replication {
        replication(&self.run.session.settings)
    }

    /// Runs a write by its road.
    async fn store_judged(&mut self, task: Task<'_>) -> Result<Applied> {
        let (write, parameters) = (task.write, task.parameters);
        if write.action.sets_nothing() {
            check_affected(write, 0)?;
            self.returning(task, &Touched::default()).await?;
            return Ok(Applied::default());
        }
        if !self.served.model.catalog[write.table].is_stored() {
            self.in_force.begin(write.table);
            let done = self.store_instead(task).await;
            self.in_force.done();
            return done;
        }
        if self.fires(write) || self.is_judged_by_row(write) {
            self.in_force.begin(write.table);
            let done = self.store_fired(task).await;
            self.in_force.done();
            return done;
        }
        let touched = match &write.action {
            Action::Insert(insert) => self.insert(write, insert, parameters).await?,
            Action::Update { set, filter } => self.update(write, set, filter.as_ref(), parameters).await?,
            Action::Delete { filter } => {
                let rows = self.targets(write, filter.as_ref(), Vec::new(), parameters).await?;
                let rows: Vec<StoredRow> = rows.into_iter().map(|(row, _)| row).collect();
                let touched = Touched::of_gone(rows.iter());
                // What is returned of a deleted row, it says while it is there.
                self.returning(task, &touched).await?;
                self.delete(write.table, &rows).await?;
                check_affected(write, rows.len())?;
                return Ok(Applied { affected: count(rows.len()), inserted: 0 });
            }
        };
        check_affected(write, touched.keys.len())?;
        self.returning(task, &touched).await?;
        Ok(Applied { affected: count(touched.keys.len()), inserted: touched.inserted })
    }

    /// Runs a write, or tells how it would be done.
    pub(crate) async fn store_as(
        &mut self,
        write: &Write,
        presentation: &Presentation,
        position: usize,
        sink: &mut dyn Sink,
    ) -> Result<Applied> {
        match presentation {
            Presentation::Rows => self.store(Task { write, parameters: &[], position, sink }).await,
            Presentation::Explained(explain) => {
                self.explain(write, explain, position, sink).await?;
                Ok(Applied::default())
            }
            Presentation::WithTotal
            | Presentation::Estimated
            | Presentation::Features
            | Presentation::Aggregated(_) => Err(Error::missing("this media type for changed rows")),
        }
    }

    /// Tells how a write would be done. Where it is done row by row, that is how its rows would be found.
    async fn explain(
        &mut self,
        write: &Write,
        explain: &Explain,
        position: usize,
        sink: &mut dyn Sink,
    ) -> Result<()> {
        if write.guard.judge == Judge::Us && !self.served.model.catalog[write.table].is_stored() {
            return Err(Error::missing("the plan of a write in whose place triggers stand"));
        }
        let command = match (&write.guard.judge, &write.action) {
            (Judge::Engine, _) => {
                let bindings = self.bindings(Bound::default());
                self.dialect.write(&self.served.model.catalog, write, &bindings)?.command
            }
            (Judge::Us, Action::Update { filter, .. } | Action::Delete { filter }) => {
                self.command(&self.touched(write, filter.as_ref(), Vec::new()), Bound::default())?
            }
            (Judge::Us, Action::Insert(_)) => return Err(Error::missing("the plan of an insert")),
            (Judge::Nobody, _) => {
                return Err(Error::internal("a write reached the engine without authorization"));
            }
        };
        let command = self.dialect.explained(command, explain)?;
        self.transaction.run(&command, position, sink).await?;
        Ok(())
    }

    /// Whether a write asks tables when it, or what it calls, has changed rows: by what it returns, by policies of later rows, by
    /// what becomes of rows that are in the way, by views that look at what is stored.
    fn looks_back(&self, write: &Write) -> bool {
        let reads = [&write.returning, &write.counted];
        let is_instead = !self.served.model.catalog[write.table].is_stored();
        let becomes = |insert: &query::Insert| insert.conflict.is_some();
        reads.into_iter().flatten().any(query::visit::asks_tables)
            || is_instead
            || self.fires(write)
            || matches!(&write.action, Action::Insert(insert) if becomes(insert))
            || write.guard.views.iter().any(|check| has_subquery(&check.expr))
            || self.served.interprets
                && (self.served.model[write.table].calls || query::visit::write_calls(write))
    }

    /// The existing rows that a write is about, in insertion order, each with the values of further expressions.
    pub(super) async fn targets(
        &mut self,
        write: &Write,
        filter: Option<&Expr>,
        further: Vec<Expr>,
        parameters: &[Value],
    ) -> Result<Vec<(StoredRow, Vec<Value>)>> {
        let width = self.served.model.catalog[write.table].columns.len() + 1;
        let asked = further.len();
        let further = further.into_iter().chain(write.beside_returned.iter().cloned()).collect();
        let read = self.touched(write, filter, further);
        let rows = self.rows_at_start(&read, parameters).await?;
        let mut rows = rows.into_iter().map(|row| split(row, width)).collect::<Result<Vec<_>>>()?;
        rows.iter_mut().for_each(|(row, further)| row.beside = further.split_off(asked));
        if write.beside.is_some() {
            let mut met = HashSet::new();
            rows.retain(|(row, _)| met.insert(row.key));
        }
        if let Some(since) = self.since.filter(|since| since.is_of_parts) {
            let keys = rows.iter().map(|(row, _)| row.key).collect();
            if self.in_force.history.has_touched(since, write.table, &keys) {
                // PostgreSQL changes such a row once, and does not say by which part.
                return Err(Error::missing(
                    "changing a row again that another part of the statement changed",
                ));
            }
        }
        Ok(rows)
    }

    /// Runs a command that stores rows and answers their keys.
    async fn keys_of(&mut self, command: &Command) -> Result<Vec<i64>, Failure> {
        let mut keys = Values::of([Type::Int8]);
        self.transaction.run(command, 0, &mut keys).await?;
        let key = |row: Vec<Value>| match row.first() {
            Some(Value::Int(key)) => Ok(*key),
            _ => Err(Failure::Error(Error::internal("a stored row without a key"))),
        };
        keys.into_rows().into_iter().map(key).collect()
    }

    /// The read of the rows that a write is about.
    fn touched(&self, write: &Write, filter: Option<&Expr>, further: Vec<Expr>) -> Read {
        let guard = match &write.guard.touch {
            None => Guard::Open,
            Some(touch) => Guard::Rows(Box::new(touch.clone())),
        };
        let table = Source::Table { id: write.target, table: write.table, guard };
        let mut read = Read { filter: filter.cloned(), ..self.whole_rows(write, beside(write, table)) };
        read.outputs.extend(further.into_iter().map(|expr| Output { name: "further".into(), expr }));
        read
    }

    /// A read of the key and all columns of the target of a write.
    fn whole_rows(&self, write: &Write, from: Source) -> Read {
        self.whole_rows_of((write.target, write.table), from)
    }

    /// The same of a table in `from`.
    fn whole_rows_of(&self, (source, table): (SourceId, TableId), from: Source) -> Read {
        let table = &self.served.model.catalog[table];
        let column = |column, ty| Output { name: "column".into(), expr: Expr::Column { source, column, ty } };
        let key = column(query::ROW_KEY, Type::Int8);
        let columns = table.column_ids().map(|id| column(id, table[id].ty.clone()));
        Read { outputs: std::iter::once(key).chain(columns).collect(), ..Read::from(from) }
    }

    /// Deletes rows, about which the engine's foreign keys are asked.
    pub(super) async fn delete(&mut self, table: TableId, rows: &[StoredRow]) -> Result<()> {
        self.kept_on_the_way(table, rows).await?;
        match self.remove(table, rows).await {
            Ok(_) => Ok(()),
            Err(Failure::ForeignKey) => match self.refusal_on_the_way(table, rows).await? {
                Some(error) => Err(error),
                None => Err(self.deletion_refused(table, rows).await),
            },
            Err(failure) => Err(failure.into()),
        }
    }

    /// Deletes rows; how many there were.
    pub(super) async fn remove(&mut self, table: TableId, rows: &[StoredRow]) -> Result<u64, Failure> {
        let keys: Vec<i64> = rows.iter().map(|row| row.key).collect();
        if keys.is_empty() {
            return Ok(0);
        }
        let catalog = &self.served.model.catalog;
        let command = self.dialect.delete(catalog, table, &keys, &self.bindings(Bound::default()))?;
        let deleted = self.keys_of(&command).await?;
        let history = &self.in_force.history;
        rows.iter().for_each(|row| history.happened(table, (row.key, &row.values), None));
        Ok(count(deleted.len()))
    }
}

/// The rows of a write, and what stands beside them.
fn beside(write: &Write, rows: Source) -> Source {
    match &write.beside {
        None => rows,
        Some(beside) => Source::Join {
            kind: query::JoinKind::Inner,
            left: Box::new(rows),
            right: Box::new(beside.clone()),
            on: None,
        },
    }
}

fn split(mut row: Vec<Value>, width: usize) -> Result<(StoredRow, Vec<Value>)> {
    let further = row.split_off(width);
    let values = row.split_off(1);
    match row.first() {
        Some(Value::Int(key)) => Ok((StoredRow { key: *key, values, beside: Vec::new() }, further)),
        _ => Err(Error::internal("a stored row without a key")),
    }
}

/// Whether two values are stored alike.
fn is_same(ty: &Type, left: &Value, right: &Value) -> bool {
    matches!((encode(ty, left), encode(ty, right)), (Ok(left), Ok(right)) if left == right)
}

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}

/// Holds a write to the number of rows that the request allows: while it can still be undone.
fn check_affected(write: &Write, rows: usize) -> Result<()> {
    if write.affected_max.is_some_and(|most| count(rows) > most) {
        let message = "Query result exceeds max-affected preference constraint";
        return Err(
            Error::new(Code::MAX_AFFECTED, message).with_details(format!("The query affects {rows} rows"))
        );
    }
    if write.single && rows != 1 {
        let message = "Cannot coerce the result to a single JSON object";
        return Err(
            Error::new(Code::NOT_SINGULAR, message).with_details(format!("The result contains {rows} rows"))
        );
    }
    Ok(())
}

/// The write with its parameters as values where rows that are in the way are changed: what is computed there knows rows alone.
fn told(write: &Write, parameters: &[Value]) -> Option<Write> {
    let mut told = (!parameters.is_empty()).then(|| write.clone())?;
    let Action::Insert(insert) = &mut told.action else { return None };
    let ConflictAction::Update { set, filter, .. } = &mut insert.conflict.as_mut()?.action else {
        return None;
    };
    let assigned = set.iter_mut().filter_map(|(_, assign)| match assign {
        Assign::Default => None,
        Assign::Expr(expr) => Some(expr),
    });
    let mut is_changed = false;
    for expr in assigned.chain(filter) {
        query::visit::deep_mut(expr, &mut |expr| {
            if let Expr::Param { index, ty } = expr
                && let Some(value) = parameters.get(*index)
            {
                *expr = Expr::Const { value: value.clone(), ty: ty.clone() };
                is_changed = true;
            }
        });
    }
    is_changed.then_some(told)
}
