//! Walks over queries: every expression, every source. What is asked of whole trees and copies of them stand in the files below.
//!
//! The one place that knows which trees hold which; passes say only what they do at a node.

mod copies;
mod questions;

use types::{Type, Value};

use crate::ir::{
    Action, Assign, ConflictAction, Expr, FrameBound, Guard, Insert, Order, Read, RowValue, Source, SourceId,
    Subquery, Window, Write,
};

pub use copies::{SourceIds, instantiate, instantiate_read};
pub use questions::{
    asks_tables, calls, calls_for_rows, changes, computed_apart, computed_may_raise, computes_of_rows,
    depends_on_rows, has_aggregate, has_call, has_window, is_volatile, is_volatile_itself, locks, may_raise,
    names_any, read_is_volatile, read_may_raise, reads_functions, write_calls,
};

/// Calls `visit` for every expression directly in a read (not those of its sources or inside other expressions).
pub fn own_expressions<'a>(read: &'a Read, visit: &mut dyn FnMut(&'a Expr)) {
    let keys = read.order.iter().map(|key| &key.expr);
    let bounds = [&read.filter, &read.having, &read.limit, &read.offset].into_iter().flatten();
    read.outputs
        .iter()
        .map(|output| &output.expr)
        .chain(&read.group)
        .chain(keys)
        .chain(bounds)
        .chain(&read.given)
        .for_each(&mut *visit);
    joined_conditions(&read.from, visit);
}

fn joined_conditions<'a>(source: &'a Source, visit: &mut dyn FnMut(&'a Expr)) {
    match source {
        Source::Join { left, right, on, .. } => {
            joined_conditions(left, visit);
            joined_conditions(right, visit);
            on.iter().for_each(visit);
        }
        Source::Values { rows, .. } => rows.iter().flatten().for_each(visit),
        Source::Call { args, .. } => args.iter().for_each(|arg| visit(&arg.value)),
        Source::Function { calls, .. } => calls.iter().flat_map(|call| &call.args).for_each(visit),
        Source::Table { guard: Guard::Rows(expr), .. } => visit(expr),
        Source::Table { guard: Guard::Unset | Guard::Open | Guard::Engine, .. }
        | Source::Unit
        | Source::Read { .. }
        | Source::Cte { .. }
        | Source::Compound { .. }
        | Source::Written { .. }
        | Source::Given { .. }
        | Source::Transition { .. }
        | Source::System { .. } => {}
    }
}

/// The same, to change them.
pub fn own_expressions_mut(read: &mut Read, visit: &mut dyn FnMut(&mut Expr)) {
    read.outputs.iter_mut().for_each(|output| visit(&mut output.expr));
    read.group.iter_mut().for_each(&mut *visit);
    read.order.iter_mut().for_each(|key| visit(&mut key.expr));
    read.given.iter_mut().for_each(&mut *visit);
    [&mut read.filter, &mut read.having, &mut read.limit, &mut read.offset]
        .into_iter()
        .flatten()
        .for_each(&mut *visit);
    joined_conditions_mut(&mut read.from, visit);
}

fn joined_conditions_mut(source: &mut Source, visit: &mut dyn FnMut(&mut Expr)) {
    match source {
        Source::Join { left, right, on, .. } => {
            joined_conditions_mut(left, visit);
            joined_conditions_mut(right, visit);
            on.iter_mut().for_each(visit);
        }
        Source::Values { rows, .. } => rows.iter_mut().flatten().for_each(visit),
        Source::Call { args, .. } => args.iter_mut().for_each(|arg| visit(&mut arg.value)),
        Source::Function { calls, .. } => calls.iter_mut().flat_map(|call| &mut call.args).for_each(visit),
        Source::Table { guard: Guard::Rows(expr), .. } => visit(expr),
        Source::Table { guard: Guard::Unset | Guard::Open | Guard::Engine, .. }
        | Source::Unit
        | Source::Read { .. }
        | Source::Cte { .. }
        | Source::Compound { .. }
        | Source::Written { .. }
        | Source::Given { .. }
        | Source::Transition { .. }
        | Source::System { .. } => {}
    }
}

/// The operands of an expression, subqueries' operands included, their reads excluded.
pub fn operands(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::Column { .. } | Expr::Const { .. } | Expr::Param { .. } | Expr::Caller(_) => Vec::new(),
        Expr::Apply { args, .. } | Expr::Form { args, .. } => args.iter().collect(),
        Expr::Cast { expr, .. } => vec![expr],
        Expr::Case { branches, otherwise, .. } => branches
            .iter()
            .flat_map(|(condition, result)| [condition, result])
            .chain(otherwise.as_deref())
            .collect(),
        Expr::Subquery(subquery) => match &**subquery {
            Subquery::Any { operand, .. } | Subquery::All { operand, .. } => vec![operand],
            Subquery::Exists(_) | Subquery::Scalar(_) | Subquery::Nest(_) => Vec::new(),
        },
        Expr::Call(call) => call.args.iter().collect(),
        Expr::Window { args, filter, window, .. } => {
            args.iter().chain(filter.as_deref()).chain(of_window(window)).collect()
        }
        Expr::Aggregate { args, filter, order, .. } => {
            args.iter().chain(filter.as_deref()).chain(order.iter().map(|key| &key.expr)).collect()
        }
    }
}

/// The same, to change them.
pub fn operands_mut(expr: &mut Expr) -> Vec<&mut Expr> {
    match expr {
        Expr::Column { .. } | Expr::Const { .. } | Expr::Param { .. } | Expr::Caller(_) => Vec::new(),
        Expr::Apply { args, .. } | Expr::Form { args, .. } => args.iter_mut().collect(),
        Expr::Cast { expr, .. } => vec![expr],
        Expr::Case { branches, otherwise, .. } => branches
            .iter_mut()
            .flat_map(|(condition, result)| [condition, result])
            .chain(otherwise.as_deref_mut())
            .collect(),
        Expr::Subquery(subquery) => match &mut **subquery {
            Subquery::Any { operand, .. } | Subquery::All { operand, .. } => vec![operand],
            Subquery::Exists(_) | Subquery::Scalar(_) | Subquery::Nest(_) => Vec::new(),
        },
        Expr::Call(call) => call.args.iter_mut().collect(),
        Expr::Window { args, filter, window, .. } => {
            args.iter_mut().chain(filter.as_deref_mut()).chain(of_window_mut(window)).collect()
        }
        Expr::Aggregate { args, filter, order, .. } => args
            .iter_mut()
            .chain(filter.as_deref_mut())
            .chain(order.iter_mut().map(|Order { expr, .. }| expr))
            .collect(),
    }
}

fn of_window(window: &Window) -> impl Iterator<Item = &Expr> {
    let bounds =
        window.frame.iter().flat_map(|frame| [&frame.start, &frame.end]).filter_map(|bound| match bound {
            FrameBound::Preceding(offset) | FrameBound::Following(offset) => Some(offset),
            FrameBound::First | FrameBound::Current | FrameBound::Last => None,
        });
    window.partition.iter().chain(window.order.iter().map(|key| &key.expr)).chain(bounds)
}

fn of_window_mut(window: &mut Window) -> impl Iterator<Item = &mut Expr> {
    let ends = window.frame.iter_mut().flat_map(|frame| [&mut frame.start, &mut frame.end]);
    let bounds = ends.filter_map(|bound| match bound {
        FrameBound::Preceding(offset) | FrameBound::Following(offset) => Some(offset),
        FrameBound::First | FrameBound::Current | FrameBound::Last => None,
    });
    window.partition.iter_mut().chain(window.order.iter_mut().map(|Order { expr, .. }| expr)).chain(bounds)
}

/// The reads that a read is made of, those in its expressions excluded.
pub fn inner_reads(read: &Read) -> Vec<&Read> {
    let mut inner: Vec<&Read> = read.with.iter().map(|cte| &cte.read).collect();
    each_source(&read.from, &mut |source| match source {
        Source::Read { read, .. } => inner.push(read),
        Source::Compound { left, right, .. } => inner.extend([&**left, &**right]),
        Source::Unit
        | Source::Table { .. }
        | Source::Written { .. }
        | Source::Given { .. }
        | Source::Transition { .. }
        | Source::Call { .. }
        | Source::Cte { .. }
        | Source::Function { .. }
        | Source::Values { .. }
        | Source::System { .. }
        | Source::Join { .. } => {}
    });
    inner
}

/// The same, to change them.
pub fn each_inner_read_mut(read: &mut Read, visit: &mut dyn FnMut(&mut Read)) {
    read.with.iter_mut().for_each(|cte| visit(&mut cte.read));
    each_source_mut(&mut read.from, &mut |source| match source {
        Source::Read { read, .. } => visit(read),
        Source::Compound { left, right, .. } => {
            visit(left);
            visit(right);
        }
        Source::Unit
        | Source::Table { .. }
        | Source::Written { .. }
        | Source::Given { .. }
        | Source::Transition { .. }
        | Source::Call { .. }
        | Source::Cte { .. }
        | Source::Function { .. }
        | Source::Values { .. }
        | Source::System { .. }
        | Source::Join { .. } => {}
    });
}

/// Calls `visit` for every leaf of sources anywhere in a read, those of its subqueries included.
pub fn deep_sources<'a>(read: &'a Read, visit: &mut dyn FnMut(&'a Source)) {
    each_source(&read.from, visit);
    own_expressions(read, &mut |expr| each_subquery(expr, &mut |read| deep_sources(read, visit)));
    inner_reads(read).into_iter().for_each(|inner| deep_sources(inner, visit));
}

/// The same, to change them.
pub fn deep_sources_mut(read: &mut Read, visit: &mut dyn FnMut(&mut Source)) {
    each_source_mut(&mut read.from, visit);
    own_expressions_mut(read, &mut |expr| each_subquery_mut(expr, &mut |read| deep_sources_mut(read, visit)));
    each_inner_read_mut(read, &mut |inner| deep_sources_mut(inner, visit));
}

/// Calls `visit` for the read of every subquery of an expression, not for those inside of these.
pub fn each_subquery<'a>(expr: &'a Expr, visit: &mut dyn FnMut(&'a Read)) {
    operands(expr).into_iter().for_each(|operand| each_subquery(operand, visit));
    if let Expr::Subquery(subquery) = expr {
        visit(subquery.read());
    }
}

/// The same, to change them.
pub fn each_subquery_mut(expr: &mut Expr, visit: &mut dyn FnMut(&mut Read)) {
    operands_mut(expr).into_iter().for_each(|operand| each_subquery_mut(operand, visit));
    if let Expr::Subquery(subquery) = expr {
        visit(subquery.read_mut());
    }
}

/// The expressions in what a write does; the read of an insert excepted.
pub fn action_expressions(action: &Action) -> Vec<&Expr> {
    let (rows, set, filter) = match action {
        Action::Insert(Insert { rows, conflict, .. }) => {
            match conflict.as_ref().map(|conflict| &conflict.action) {
                Some(ConflictAction::Update { set, filter, .. }) => (Some(rows), Some(set), filter.as_ref()),
                Some(ConflictAction::Nothing) | None => (Some(rows), None, None),
            }
        }
        Action::Update { set, filter } => (None, Some(set), filter.as_ref()),
        Action::Delete { filter } => (None, None, filter.as_ref()),
    };
    let given = rows.into_iter().flatten().flatten().filter_map(|value| match value {
        RowValue::Expr(expr) => Some(expr),
        RowValue::Value(_) | RowValue::Default | RowValue::Returned(_) => None,
    });
    let assigned = set.into_iter().flatten().filter_map(|(_, assign)| match assign {
        Assign::Expr(expr) => Some(expr),
        Assign::Default => None,
    });
    given.chain(assigned).chain(filter).collect()
}

/// The same, to change them.
pub fn action_expressions_mut(action: &mut Action) -> Vec<&mut Expr> {
    let (rows, set, filter) = match action {
        Action::Insert(Insert { rows, conflict, .. }) => {
            match conflict.as_mut().map(|conflict| &mut conflict.action) {
                Some(ConflictAction::Update { set, filter, .. }) => (Some(rows), Some(set), filter.as_mut()),
                Some(ConflictAction::Nothing) | None => (Some(rows), None, None),
            }
        }
        Action::Update { set, filter } => (None, Some(set), filter.as_mut()),
        Action::Delete { filter } => (None, None, filter.as_mut()),
    };
    let given = rows.into_iter().flatten().flatten().filter_map(|value| match value {
        RowValue::Expr(expr) => Some(expr),
        RowValue::Value(_) | RowValue::Default | RowValue::Returned(_) => None,
    });
    let assigned = set.into_iter().flatten().filter_map(|(_, assign)| match assign {
        Assign::Expr(expr) => Some(expr),
        Assign::Default => None,
    });
    given.chain(assigned).chain(filter).collect()
}

/// Calls `visit` for every read that a write is made of: of what it inserts, of what stands beside its rows, of subqueries. What
/// it returns is none of them.
pub fn each_read_of_write_mut(write: &mut Write, visit: &mut dyn FnMut(&mut Read)) {
    for expr in action_expressions_mut(&mut write.action) {
        each_subquery_mut(expr, visit);
    }
    if let Action::Insert(Insert { read: Some(read), .. }) = &mut write.action {
        visit(read);
    }
    if let Some(beside) = &mut write.beside {
        let mut around = Read::from(std::mem::replace(beside, Source::Unit));
        own_expressions_mut(&mut around, &mut |expr| each_subquery_mut(expr, visit));
        each_inner_read_mut(&mut around, visit);
        *beside = around.from;
    }
}

/// Puts rows in the place of a common table expression of a write, those of what it returns included.
pub fn put_rows(write: &mut Write, cte: SourceId, rows: &[Vec<Value>]) {
    each_source_of_write_mut(write, &mut |source| {
        if let Source::Cte { id, cte: named, columns } = source
            && *named == cte
        {
            let types: Vec<Type> = columns.iter().map(|(_, ty)| ty.clone()).collect();
            *source = Source::of_rows(*id, rows.to_vec(), &types);
        }
    });
}

/// Whether a write, or what it returns, names a common table expression.
pub fn names_cte(write: &Write, cte: SourceId) -> bool {
    let mut found = false;
    each_source_of_write_mut(&mut write.clone(), &mut |source| {
        found |= matches!(source, Source::Cte { cte: named, .. } if *named == cte);
    });
    found
}

fn each_source_of_write_mut(write: &mut Write, visit: &mut dyn FnMut(&mut Source)) {
    each_read_of_write_mut(write, &mut |read| deep_sources_mut(read, visit));
    if let Some(beside) = &mut write.beside {
        each_source_mut(beside, visit);
    }
    for read in [&mut write.returning, &mut write.counted].into_iter().flatten() {
        deep_sources_mut(read, visit);
    }
}

impl Subquery {
    /// The rows it reads.
    pub fn read(&self) -> &Read {
        match self {
            Subquery::Exists(read)
            | Subquery::Scalar(read)
            | Subquery::Any { read, .. }
            | Subquery::All { read, .. } => read,
            Subquery::Nest(nest) => &nest.read,
        }
    }

    /// The rows it reads, to change them.
    pub fn read_mut(&mut self) -> &mut Read {
        match self {
            Subquery::Exists(read)
            | Subquery::Scalar(read)
            | Subquery::Any { read, .. }
            | Subquery::All { read, .. } => read,
            Subquery::Nest(nest) => &mut nest.read,
        }
    }
}

/// Calls `visit` for an expression and every expression in it, those of its subqueries included.
pub fn deep<'a>(expr: &'a Expr, visit: &mut dyn FnMut(&'a Expr)) {
    visit(expr);
    operands(expr).into_iter().for_each(|operand| deep(operand, visit));
    if let Expr::Subquery(subquery) = expr {
        deep_read(subquery.read(), visit);
    }
}

/// Calls `visit` for an expression and everything in it, reads of its subqueries included, from the outside in.
pub fn deep_mut(expr: &mut Expr, visit: &mut dyn FnMut(&mut Expr)) {
    visit(expr);
    operands_mut(expr).into_iter().for_each(|operand| deep_mut(operand, visit));
    if let Expr::Subquery(subquery) = expr {
        deep_read_mut(subquery.read_mut(), visit);
    }
}

/// Calls `visit` for every expression anywhere in a read, from the outside in.
pub fn deep_read_mut(read: &mut Read, visit: &mut dyn FnMut(&mut Expr)) {
    own_expressions_mut(read, &mut |expr| deep_mut(expr, visit));
    each_inner_read_mut(read, &mut |read| deep_read_mut(read, visit));
}

/// Calls `visit` for every expression anywhere in a read.
pub fn deep_read<'a>(read: &'a Read, visit: &mut dyn FnMut(&'a Expr)) {
    own_expressions(read, &mut |expr| deep(expr, visit));
    inner_reads(read).into_iter().for_each(|inner| deep_read(inner, visit));
}

/// Calls `visit` for every leaf of a tree of sources.
pub fn each_source<'a>(source: &'a Source, visit: &mut dyn FnMut(&'a Source)) {
    match source {
        Source::Join { left, right, .. } => {
            each_source(left, visit);
            each_source(right, visit);
        }
        leaf => visit(leaf),
    }
}

/// The same, to change them.
pub fn each_source_mut(source: &mut Source, visit: &mut dyn FnMut(&mut Source)) {
    match source {
        Source::Join { left, right, .. } => {
            each_source_mut(left, visit);
            each_source_mut(right, visit);
        }
        leaf => visit(leaf),
    }
}

/// Calls `visit` for a read and every read in it, however deep.
pub fn each_read<'a>(read: &'a Read, visit: &mut dyn FnMut(&'a Read)) {
    visit(read);
    own_expressions(read, &mut |expr| each_subquery(expr, &mut |read| each_read(read, visit)));
    inner_reads(read).into_iter().for_each(|inner| each_read(inner, visit));
}

/// The id of a leaf source.
pub fn id_of(source: &Source) -> Option<SourceId> {
    match source {
        Source::Table { id, .. }
        | Source::Read { id, .. }
        | Source::Written { id, .. }
        | Source::Given { id, .. }
        | Source::Transition { id, .. }
        | Source::Call { id, .. }
        | Source::Cte { id, .. }
        | Source::Compound { id, .. }
        | Source::Function { id, .. }
        | Source::Values { id, .. }
        | Source::System { id, .. } => Some(*id),
        Source::Unit | Source::Join { .. } => None,
    }
}
