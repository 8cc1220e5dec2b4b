//! One transaction at work: reads and statements in it, expressions computed for its caller.
//!
//! What needs no table is computed in memory; what has subqueries is asked of the engine. Nothing here commits.

use std::sync::Arc;

use catalog::{ColumnId, TableId};
use program::Held;
use query::eval::{NoRow, Row, Scope, eval};
use query::model::ROW;
use query::{Expr, Model, Output, Plan, Presentation, Read, Source, SourceId, Step};
use render::{Bindings, Command, Dialect};
use sql::ast::StatementKind;
use types::session::Session;
use types::stored::Cell;
use types::{Capabilities, Error, Result, Value};

use crate::as_it_was::Moment;
use crate::contract::{Access, Clock, Engine, Failure, Random, Sink, Transaction};
use crate::database::{Applied, Served};
use crate::in_force::InForce;
use crate::returned::AllReturned;
use crate::rows::Values;
use crate::run::Run;
use crate::said::Heard;
use crate::statement::{self, Statement};
use crate::write::{Admitted, Rows, Task};

/// A transaction of one caller.
pub struct Work<'t> {
    pub(crate) transaction: &'t mut dyn Transaction,
    pub(crate) served: Arc<Served>,
    pub(crate) dialect: &'static dyn Dialect,
    pub(crate) capabilities: &'static Capabilities,
    pub(crate) run: Run,
    pub(crate) random: Random,
    pub(crate) clock: Clock,
    /// Where functions look for names, unless they say it.
    pub(crate) path: Arc<[Arc<str>]>,
    /// What is in force for functions.
    pub(crate) in_force: Arc<InForce>,
    /// The rows of the statement for which a trigger is fired.
    pub(crate) transitions: Option<Arc<Rows>>,
    /// What policies admitted of the statement that is checked.
    pub(crate) admitted: Admitted,
    /// When the statement under way began, if it may look back.
    pub(crate) since: Option<Moment>,
}

/// What commands of this transaction are bound to, besides the caller.
#[derive(Clone, Copy, Default)]
pub(crate) struct Bound<'a> {
    pub(crate) parameters: &'a [Value],
    pub(crate) written: &'a [i64],
    pub(crate) given: &'a [Value],
}

/// A row in memory: the target of a write.
#[derive(Clone, Copy)]
pub(crate) struct Tuple<'a> {
    pub(crate) table: TableId,
    pub(crate) target: SourceId,
    pub(crate) values: &'a [Value],
    /// The row proposed for insertion, where one is named.
    pub(crate) excluded: Option<(SourceId, &'a [Value])>,
}

impl Row for Tuple<'_> {
    fn column(&self, source: SourceId, column: ColumnId) -> Result<Value> {
        let values = match self.excluded {
            Some((excluded, values)) if source == excluded => values,
            _ if source == self.target || source == ROW => self.values,
            _ => return Err(Error::internal("a column of an unknown source")),
        };
        values
            .get(usize::from(column.0))
            .cloned()
            .ok_or_else(|| Error::internal("a column that there is not"))
    }
}

impl<'t> Work<'t> {
    /// Work in a transaction of an engine, for the system, on a model.
    pub fn of_system(
        transaction: &'t mut dyn Transaction,
        engine: &dyn Engine,
        model: Arc<Model>,
        random: Random,
        clock: Clock,
    ) -> Work<'t> {
        let run = Run { session: Session::utc(clock()), ..Run::of_system(std::time::Duration::MAX) };
        let mut work = Work {
            transaction,
            served: Served::new(model),
            dialect: engine.dialect(),
            capabilities: engine.capabilities(),
            run,
            random,
            clock,
            path: default_path(),
            in_force: InForce::new(false, Arc::default(), default_path()),
            transitions: None,
            admitted: Admitted::default(),
            since: None,
        };
        work.install();
        work
    }

    /// Goes on with the next request of the same caller; one that only reads may change nothing.
    ///
    /// # Errors
    /// The engine's.
    pub async fn turn(&mut self, run: Run, access: Access) -> Result<()> {
        self.transaction.turn(&run, access).await?;
        self.path = run.search_path.clone();
        self.run = run;
        self.in_force = self.in_force.turned(access == Access::Read, self.path.clone());
        self.install();
        Ok(())
    }

    /// Runs a plan; rows of its n-th step are the sink's n-th command. What each step did.
    ///
    /// # Errors
    /// What the engine, a constraint, a policy or the sink refuses.
    pub async fn perform(&mut self, plan: &Plan, sink: &mut dyn Sink) -> Result<Vec<Applied>> {
        let applied = self.steps(plan, sink).await?;
        if let Some((asks, mut heard)) = self.hearing() {
            self.transaction.run(&asks, 0, &mut heard).await?;
        }
        Ok(applied)
    }

    /// The same of the last plan of a transaction: what its functions say of the reply is known when that has ended.
    pub(crate) async fn perform_last(&mut self, plan: &Plan, sink: &mut dyn Sink) -> Result<Vec<Applied>> {
        let applied = self.steps(plan, sink).await?;
        if let Some((asks, heard)) = self.hearing() {
            self.transaction.run_at_end(asks, Box::new(heard))?;
        }
        Ok(applied)
    }

    async fn steps(&mut self, plan: &Plan, sink: &mut dyn Sink) -> Result<Vec<Applied>> {
        let mut applied = Vec::with_capacity(plan.steps().len());
        let mut returned = AllReturned::default();
        for (position, step) in plan.steps().iter().enumerate() {
            let presentation = plan.presentation(position);
            if position
                .checked_sub(1)
                .is_some_and(|before| *plan.presentation(before) == Presentation::WithTotal)
            {
                applied.push(Applied::default());
                continue;
            }
            if let (Step::Fetch(rows), Presentation::WithTotal) = (step, presentation) {
                let Some(Step::Fetch(total)) = plan.steps().get(position + 1) else {
                    return Err(Error::internal("rows to be counted, and nothing that counts them"));
                };
                self.fetch_counted(rows, total, position, sink).await?;
                applied.push(Applied::default());
                continue;
            }
            applied.push(match (step, plan.again(position)) {
                (Step::Fetch(read), None) => {
                    self.fetch(read, presentation, &[], position, sink).await?;
                    Applied::default()
                }
                (Step::Fetch(read), Some(of)) => {
                    self.fetch(read, presentation, &returned.flat(of), position, sink).await?;
                    returned.applied(of)
                }
                (Step::Store(write), _) => {
                    let write = returned.filled(write, &self.served.model.catalog)?;
                    if plan.needs(write.target) {
                        self.store_kept(&write, &mut returned).await?
                    } else {
                        self.store_as(&write, presentation, position, sink).await?
                    }
                }
            });
        }
        Ok(applied)
    }

    /// Reads the rows of a call, and tells their number as the row of the next command.
    async fn fetch_counted(
        &mut self,
        rows: &Read,
        total: &Read,
        position: usize,
        sink: &mut dyn Sink,
    ) -> Result<()> {
        if !self.capabilities.native_functions {
            let history = &self.in_force.history;
            let seen = history.look(Some(history.begin_read()));
            let outcome = self.fetch_called(rows, total, position, sink).await;
            self.in_force.history.look(seen);
            self.in_force.history.done();
            return outcome;
        }
        let bindings = self.bindings(Bound::default());
        let command = self.dialect.counted(&self.served.model.catalog, rows, total, &bindings)?;
        let total = self.transaction.run(&command, position, sink).await?;
        sink.row(position + 1, &[Cell::Int(i64::try_from(total).map_err(Error::internal)?)])
    }

    /// The same where functions are called before a statement.
    async fn fetch_called(
        &mut self,
        rows: &Read,
        total: &Read,
        position: usize,
        sink: &mut dyn Sink,
    ) -> Result<()> {
        let (rows, total) = self.with_one_call(rows, total).await?;
        self.fetch(&rows, &Presentation::Rows, &[], position, sink).await?;
        self.fetch(&total, &Presentation::Rows, &[], position + 1, sink).await
    }

    /// What asks for the reply that functions of the database want, and who hears it.
    fn hearing(&self) -> Option<(Command, Heard)> {
        let asks = self.run.is_answered_by_functions().then(|| self.dialect.said(&self.run.session))??;
        Some((asks, Heard::alone(self.run.session.settings.clone())))
    }

    /// The time of the transaction: microseconds since 2000-01-01 UTC.
    pub fn now(&self) -> i64 {
        self.run.session.now
    }

    /// Runs a statement of our own and returns its rows.
    ///
    /// # Errors
    /// What the statement raises.
    pub async fn query(
        &mut self,
        statement: &'static Statement,
        parameters: Vec<Value>,
    ) -> Result<Vec<Vec<Value>>> {
        let prepared = self.served.prepared(statement, self.capabilities)?;
        let mut values = Values::of(prepared.outputs.iter().cloned());
        self.plan(&prepared.plan, &parameters, &mut values).await?;
        Ok(values.into_rows())
    }

    /// Runs a statement about rows (of a seed or migration); returns how many rows it changed.
    ///
    /// # Errors
    /// What the statement raises.
    pub async fn statement(&mut self, statement: &StatementKind) -> Result<u64> {
        let prepared = self.prepared(statement)?;
        let mut values = Values::of(prepared.outputs.iter().cloned());
        self.plan(&prepared.plan, &[], &mut values).await
    }

    /// A statement about rows, for whoever makes it.
    fn prepared(&self, statement: &StatementKind) -> Result<statement::Prepared> {
        let (model, run) = (&self.served.model, &self.run);
        statement::prepare((model, &run.caller, &run.session), &self.path, statement, &[], self.capabilities)
    }

    /// The rows of a statement about rows.
    pub(crate) async fn values(&mut self, statement: &StatementKind) -> Result<Vec<Vec<Value>>> {
        let prepared = self.prepared(statement)?;
        let mut values = Values::of(prepared.outputs.iter().cloned());
        self.plan(&prepared.plan, &[], &mut values).await?;
        Ok(values.into_rows())
    }

    async fn plan(&mut self, plan: &Plan, parameters: &[Value], sink: &mut Values) -> Result<u64> {
        let mut affected = 0;
        for step in plan.steps() {
            match step {
                Step::Fetch(read) => {
                    let bound = Bound { parameters, ..Bound::default() };
                    self.read(read, &Presentation::Rows, bound, (0, &mut *sink)).await?;
                }
                Step::Store(write) => {
                    affected = self.store(Task::of(write, parameters, sink)).await?.affected;
                }
            }
        }
        Ok(affected)
    }

    /// Runs a read; its rows are the sink's `position`-th command.
    pub(crate) async fn fetch(
        &mut self,
        read: &Read,
        presentation: &Presentation,
        parameters: &[Value],
        position: usize,
        sink: &mut dyn Sink,
    ) -> Result<()> {
        let bound = Bound { parameters, ..Bound::default() };
        self.read(read, presentation, bound, (position, sink)).await.map(drop)
    }

    /// The rows of a read, kept.
    pub(crate) async fn rows(&mut self, read: &Read, bound: Bound<'_>) -> Result<Vec<Vec<Value>>> {
        self.rows_held(read, bound, Held::default()).await.map(|(rows, _)| rows)
    }

    /// The same, counted as what functions hold.
    pub(crate) async fn rows_held(
        &mut self,
        read: &Read,
        bound: Bound<'_>,
        held: Held,
    ) -> Result<(Vec<Vec<Value>>, Held)> {
        let mut values = Values::held(read.outputs.iter().map(|output| output.expr.ty()), held);
        self.read(read, &Presentation::Rows, bound, (0, &mut values)).await?;
        Ok(values.into_held())
    }

    pub(crate) fn command(&self, read: &Read, bound: Bound<'_>) -> Result<Command> {
        self.presented(read, &Presentation::Rows, bound)
    }

    /// The command of a read, of tables as they are to be seen.
    pub(crate) fn presented(
        &self,
        read: &Read,
        presentation: &Presentation,
        bound: Bound<'_>,
    ) -> Result<Command> {
        let (read, bindings) = (self.seen(read)?, self.bindings(bound));
        let catalog = &self.served.model.catalog;
        match presentation {
            Presentation::Rows => self.dialect.read(catalog, &read, &bindings),
            presentation => self.dialect.presented(catalog, &read, presentation, &bindings),
        }
    }

    pub(crate) fn bindings<'a>(&'a self, bound: Bound<'a>) -> Bindings<'a> {
        let Bound { parameters, written, given } = bound;
        Bindings { caller: &self.run.caller, session: &self.run.session, parameters, written, given }
    }

    /// Runs a command without rows.
    pub(crate) async fn execute(&mut self, command: &Command) -> Result<u64, Failure> {
        self.transaction.run(command, 0, &mut Values::default()).await
    }

    /// The value of an expression over a row, or over none.
    pub(crate) async fn value(
        &mut self,
        expr: &Expr,
        row: Option<Tuple<'_>>,
        parameters: &[Value],
    ) -> Result<Value> {
        if let Expr::Call(call) = expr {
            return self.value_of_call(call, row, parameters).await;
        }
        if !has_subquery(expr) {
            return match row {
                Some(row) => self.computed(expr, &row, parameters),
                None => self.computed(expr, &NoRow, parameters),
            };
        }
        let expr = &*self.with_callers(expr)?;
        let (from, given) = match row {
            None => (Source::Unit, &[][..]),
            // Of a row that goes there is nothing but how it was.
            Some(Tuple { excluded: None, values: [], .. }) => (Source::Unit, &[][..]),
            Some(Tuple { excluded: Some((source, values)), table, target, values: own }) => {
                let mut expr = expr.clone();
                put_row(&mut expr, source, values);
                let row = Tuple { excluded: None, table, target, values: own };
                return Box::pin(self.value(&expr, Some(row), parameters)).await;
            }
            Some(row) => {
                let id = if names(expr, ROW) { ROW } else { row.target };
                (Source::Given { id, table: row.table }, row.values)
            }
        };
        let output = Output { name: "value".into(), expr: expr.clone() };
        let read = Read { outputs: vec![output], ..Read::from(from) };
        let rows = self.rows(&read, Bound { parameters, given, written: &[] }).await?;
        let value = rows.into_iter().next().and_then(|row| row.into_iter().next());
        value.ok_or_else(|| Error::internal("a read of one row had none"))
    }

    pub(crate) fn computed(&self, expr: &Expr, row: &dyn Row, parameters: &[Value]) -> Result<Value> {
        let random = self.random.clone();
        let mut random = move |buffer: &mut [u8]| random(buffer);
        let clock = &*self.clock;
        let mut scope = Scope {
            caller: &self.run.caller,
            params: parameters,
            session: &self.run.session,
            random: &mut random,
            clock: &clock,
        };
        eval(expr, row, &mut scope)
    }
}

/// Puts the values of a row where its columns are named.
fn put_row(expr: &mut Expr, row: SourceId, values: &[Value]) {
    query::visit::deep_mut(expr, &mut |inner| {
        if let Expr::Column { source, column, ty } = inner
            && *source == row
        {
            let value = values.get(usize::from(column.0)).cloned().unwrap_or(Value::Null);
            *inner = Expr::Const { value, ty: ty.clone() };
        }
    });
}

/// Whether an expression names a column of a source.
fn names(expr: &Expr, wanted: SourceId) -> bool {
    let mut found = false;
    query::visit::deep(expr, &mut |inner| {
        found |= matches!(inner, Expr::Column { source, .. } if *source == wanted);
    });
    found
}

/// Where names are looked for, unless a function says it.
pub(crate) fn default_path() -> Arc<[Arc<str>]> {
    Arc::new(["public".into(), "extensions".into()])
}

/// Whether an expression reads tables, or calls functions that may.
pub(crate) fn has_subquery(expr: &Expr) -> bool {
    matches!(expr, Expr::Subquery(_) | Expr::Call(_))
        || query::visit::operands(expr).into_iter().any(has_subquery)
}
