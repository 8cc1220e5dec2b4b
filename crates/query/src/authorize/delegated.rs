//! Queries for an engine that knows the caller and enforces grants and policies itself.
//!
//! Nothing is looked up and nothing is compiled in: every table, and every view as a table, is marked as the engine's to
//! guard. A renderer that does not speak to such an engine refuses the mark.

use types::{Capabilities, Error, Limits, Result};

use super::{Authorized, authorize};
use crate::ir::{Action, Caller, Expr, Guard, Insert, Judge, Query, Read, Source, Write, WriteGuard};
use crate::model::Model;
use crate::visit;

/// Authorizes a query where an engine with these capabilities wants it: by our compiler, or by the engine itself. The one
/// place where this is chosen.
///
/// # Errors
/// Those of [`authorize`] and [`delegated`].
pub fn permitted(
    query: Query,
    caller: &Caller,
    model: &Model,
    limits: &Limits,
    capabilities: &Capabilities,
) -> Result<Authorized<Query>> {
    if capabilities.native_policies { delegated(query) } else { authorize(query, caller, model, limits) }
}

/// Leaves a query to the engine's own grants and policies.
///
/// # Errors
/// `XX000` for a body that was read in place of a call: the engine is to call the function itself.
pub fn delegated(query: Query) -> Result<Authorized<Query>> {
    Ok(Authorized(match query {
        Query::Read(mut read) => {
            mark(&mut read)?;
            Query::Read(read)
        }
        Query::Write(mut write) => {
            mark_write(&mut write)?;
            Query::Write(write)
        }
    }))
}

fn mark_write(write: &mut Write) -> Result<()> {
    if write.called.is_some() {
        return Err(in_place_of_a_call());
    }
    if let Action::Insert(Insert { read: Some(read), .. }) = &mut write.action {
        mark(read)?;
    }
    visit::action_expressions_mut(&mut write.action).into_iter().try_for_each(mark_expr)?;
    if write.beside.is_some() || !write.before.is_empty() {
        return Err(Error::missing("a write beside other tables on an engine that has policies"));
    }
    [&mut write.returning, &mut write.counted].into_iter().flatten().try_for_each(mark)?;
    write.guard = WriteGuard { judge: Judge::Engine, ..WriteGuard::default() };
    Ok(())
}

fn mark(read: &mut Read) -> Result<()> {
    if read.called.is_some() {
        return Err(in_place_of_a_call());
    }
    let mut outcome = Ok(());
    visit::own_expressions_mut(read, &mut |expr| {
        if outcome.is_ok() {
            outcome = mark_expr(expr);
        }
    });
    outcome?;
    read.with.iter_mut().try_for_each(|cte| mark(&mut cte.read))?;
    mark_source(&mut read.from)
}

fn mark_expr(expr: &mut Expr) -> Result<()> {
    visit::operands_mut(expr).into_iter().try_for_each(mark_expr)?;
    match expr {
        Expr::Subquery(subquery) => mark(subquery.read_mut()),
        _ => Ok(()),
    }
}

fn mark_source(source: &mut Source) -> Result<()> {
    match source {
        Source::Table { guard, .. } => *guard = Guard::Engine,
        Source::Read { id, view: Some(view), .. } => {
            *source = Source::Table { id: *id, table: *view, guard: Guard::Engine };
        }
        Source::Read { read, view: None, .. } => return mark(read),
        Source::Compound { left, right, .. } => {
            mark(left)?;
            return mark(right);
        }
        Source::Join { left, right, .. } => {
            mark_source(left)?;
            return mark_source(right);
        }
        Source::Unit
        | Source::Written { .. }
        | Source::Given { .. }
        | Source::Transition { .. }
        | Source::Call { .. }
        | Source::Cte { .. }
        | Source::Function { .. }
        | Source::Values { .. }
        | Source::System { .. } => {}
    }
    Ok(())
}

fn in_place_of_a_call() -> Error {
    Error::internal("a function's body was read although the engine calls functions itself")
}
