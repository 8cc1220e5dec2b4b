//! Reads in a transaction: a statement sees the tables as they were when it began, whatever the functions that it calls do.
//!
//! Calls for rows, and calls that are made in any case by a select of one row without a limit, are made before the statement, which
//! then looks back. Where the engine calls a function in the middle of a statement that changes what the statement reads, the
//! statement is refused.

use std::borrow::Cow;
use std::collections::BTreeSet;

use query::{Expr, Presentation, Read, Source, visit};
use render::Command;
use types::{Result, Value};

use crate::as_it_was::Moment;
use crate::contract::{BoxFuture, Failure, Sink};
use crate::work::{Bound, Work};

impl Work<'_> {
    /// Runs a read; its rows are the sink's command at a position. How many there were.
    pub(crate) async fn read(
        &mut self,
        read: &Read,
        presentation: &Presentation,
        bound: Bound<'_>,
        (position, sink): (usize, &mut dyn Sink),
    ) -> Result<u64> {
        let is_plain = self.capabilities.native_functions || !self.served.interprets;
        let read = if is_plain { Cow::Borrowed(read) } else { self.with_transitions(read) };
        if is_plain || !visit::calls(&read) {
            let command = self.presented(&read, presentation, bound)?;
            return Ok(self.transaction.run(&command, position, sink).await?);
        }
        let calling = calling(&read);
        let seen = self.begin_statement(calling);
        let is_through = self.begin_through(&read);
        let outcome = Box::pin(self.read_calling(&read, presentation, bound, (position, sink))).await;
        if is_through {
            self.in_force.stack.done();
        }
        self.end_statement(calling, seen);
        outcome
    }

    /// Notes that what a statement calls may be called by functions that are read in place of their calls; whether it is so.
    pub(crate) fn begin_through(&self, read: &Read) -> bool {
        let is_through = visit::reads_functions(read);
        if is_through {
            self.in_force.stack.begin_untold(program::OF_SQL);
        }
        is_through
    }

    /// Begins a statement, which sees what there is now; what reads saw before. One that is a call alone sees nothing besides.
    pub(crate) fn begin_statement(&self, calling: Calling) -> Option<Moment> {
        let history = &self.in_force.history;
        let seen = history.moment();
        if calling == Calling::BesideOthers {
            let begun = history.begin_read();
            history.look(Some(seen.unwrap_or(begun)));
        }
        seen
    }

    /// Ends a statement.
    pub(crate) fn end_statement(&self, calling: Calling, seen: Option<Moment>) {
        if calling == Calling::BesideOthers {
            self.in_force.history.look(seen);
            self.in_force.history.done();
        }
    }

    async fn read_calling(
        &mut self,
        read: &Read,
        presentation: &Presentation,
        bound: Bound<'_>,
        (position, sink): (usize, &mut dyn Sink),
    ) -> Result<u64> {
        let read = self.with_calls(read, bound.parameters).await?;
        let read = self.with_first_calls(read, bound.parameters).await?;
        let command = self.presented(&read, presentation, bound)?;
        let mut tables = BTreeSet::new();
        visit::deep_sources(&read, &mut |source| {
            if let Source::Table { table, .. } | Source::Written { table, .. } = source {
                tables.insert(*table);
            }
        });
        // Within a command that was not expected to change rows it is too late.
        let in_time = self.in_force.is_calling() || !self.in_force.is_reading();
        self.in_force.begin_reading(tables);
        let outcome = match in_time && may_change(&read) && !self.in_force.is_read_only() {
            true => self.run_changing(&command, position, sink).await,
            false => self.transaction.run(&command, position, sink).await,
        };
        self.in_force.is_read();
        Ok(outcome?)
    }

    /// Runs a command that calls functions which may change rows: foreign keys rest until it ends, for engines cannot turn them off or on
    /// within a command. What those functions do about keys is ours.
    async fn run_changing(
        &mut self,
        command: &Command,
        position: usize,
        sink: &mut dyn Sink,
    ) -> Result<u64, Failure> {
        let rested = self.transaction.rest(true)?;
        self.in_force.begin_calling();
        let outcome = self.transaction.run(command, position, sink).await;
        self.in_force.has_called();
        self.transaction.rest(rested)?;
        outcome
    }

    /// A read of one row, in which the functions have been called that it calls in any case.
    async fn with_first_calls<'r>(
        &mut self,
        read: Cow<'r, Read>,
        parameters: &[Value],
    ) -> Result<Cow<'r, Read>> {
        let is_one_row = matches!(read.from, Source::Unit)
            && read.filter.is_none()
            && read.having.is_none()
            && read.group.is_empty()
            && read.limit.is_none()
            && read.offset.is_none()
            && read.with.is_empty();
        let calls = |expr: &Expr| {
            let mut found = false;
            visit::deep(expr, &mut |inner| found |= matches!(inner, Expr::Call(call) if call.is_volatile));
            found
        };
        if !is_one_row || !read.outputs.iter().any(|output| calls(&output.expr)) {
            return Ok(read);
        }
        let mut read = read.into_owned();
        for output in &mut read.outputs {
            self.call_first(&mut output.expr, parameters).await?;
        }
        Ok(Cow::Owned(read))
    }

    /// Puts what functions say in the place of volatile calls that are made in any case.
    fn call_first<'a>(
        &'a mut self,
        expr: &'a mut Expr,
        parameters: &'a [Value],
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            if !is_computed_in_any_case(expr) {
                return Ok(());
            }
            for operand in visit::operands_mut(expr) {
                self.call_first(operand, parameters).await?;
            }
            if matches!(expr, Expr::Call(call) if call.is_volatile) {
                let value = self.value(expr, None, parameters).await?;
                *expr = Expr::Const { value, ty: expr.ty() };
            }
            Ok(())
        })
    }
}

/// Whether a read calls functions that may change rows.
fn may_change(read: &Read) -> bool {
    let mut found = false;
    visit::deep_read(read, &mut |expr| found |= matches!(expr, Expr::Call(call) if call.is_volatile));
    found
}

/// How a statement calls functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Calling {
    /// It is one call, or none.
    Alone,
    /// It reads tables or calls other functions besides.
    BesideOthers,
}

/// How a read calls functions.
pub(crate) fn calling(read: &Read) -> Calling {
    let mut parts = 0;
    visit::deep_read(read, &mut |expr| parts += usize::from(matches!(expr, Expr::Call(_))));
    visit::deep_sources(read, &mut |source| {
        let is_part = matches!(source, Source::Table { .. } | Source::Written { .. } | Source::Call { .. });
        parts += usize::from(is_part);
    });
    if parts > 1 { Calling::BesideOthers } else { Calling::Alone }
}

/// Whether the operands of an expression are computed whatever they say.
fn is_computed_in_any_case(expr: &Expr) -> bool {
    match expr {
        Expr::Apply { .. } | Expr::Cast { .. } | Expr::Call(_) => true,
        Expr::Form { form, .. } => form.computes_all(),
        Expr::Column { .. }
        | Expr::Const { .. }
        | Expr::Param { .. }
        | Expr::Caller(_)
        | Expr::Case { .. }
        | Expr::Subquery(_)
        | Expr::Window { .. }
        | Expr::Aggregate { .. } => false,
    }
}
