//! Walks over queries: every expression, every source, and copies with fresh source ids.
//!
//! The one place that knows which trees hold which; passes say only what they do at a node.

use std::collections::HashMap;

use crate::ir::{
    Action, Assign, ConflictAction, Expr, Form, FrameBound, Guard, Insert, Order, Output, Read, RowValue,
    Source, SourceId, Subquery, Window, Write,
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
        | Source::Transition { .. } => {}
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
        | Source::Transition { .. } => {}
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

/// Whether an expression calls a function that is interpreted.
pub fn has_call(expr: &Expr) -> bool {
    let mut found = false;
    deep(expr, &mut |inner| found |= matches!(inner, Expr::Call(_)));
    found
}

/// Whether a write calls functions that are interpreted: in what it does, and in what is asked of its rows by policies and views.
pub fn write_calls(write: &Write) -> bool {
    let given =
        |row: &Vec<RowValue>| row.iter().any(|value| matches!(value, RowValue::Expr(expr) if has_call(expr)));
    let assigned = |set: &[(catalog::ColumnId, Assign)]| {
        set.iter().any(|(_, assign)| matches!(assign, Assign::Expr(expr) if has_call(expr)))
    };
    let filtered = |filter: &Option<Expr>| filter.as_ref().is_some_and(has_call);
    let acts = match &write.action {
        Action::Insert(insert) => {
            let becomes = insert.conflict.as_ref().is_some_and(|conflict| match &conflict.action {
                ConflictAction::Update { set, filter, .. } => assigned(set) || filtered(filter),
                ConflictAction::Nothing => false,
            });
            becomes || insert.rows.iter().any(given) || insert.read.as_ref().is_some_and(calls)
        }
        Action::Update { set, filter } => assigned(set) || filtered(filter),
        Action::Delete { filter } => filtered(filter),
    };
    let guard = &write.guard;
    let checks = [&guard.insert, &guard.conflict, &guard.update, &guard.views];
    let beside = |source: &Source| calls(&Read::from(source.clone()));
    acts || filtered(&guard.touch)
        || checks.into_iter().flatten().any(|check| has_call(&check.expr))
        || write.beside.as_ref().is_some_and(beside)
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
pub fn put_rows(write: &mut Write, cte: SourceId, rows: &[Vec<Expr>]) {
    let put = |source: &mut Source| {
        let Source::Cte { id, cte: named, columns } = source else { return };
        if *named != cte {
            return;
        }
        *source = match rows {
            [] => {
                let outputs = columns
                    .iter()
                    .map(|(name, ty)| Output { name: name.clone(), expr: Expr::null(ty.clone()) });
                let none = Read {
                    filter: Some(Expr::bool(false)),
                    outputs: outputs.collect(),
                    ..Read::from(Source::Unit)
                };
                Source::Read { id: *id, read: Box::new(none), view: None }
            }
            rows => Source::Values { id: *id, rows: rows.to_vec() },
        };
    };
    each_read_of_write_mut(write, &mut |read| deep_sources_mut(read, &mut |source| put(source)));
    if let Some(beside) = &mut write.beside {
        each_source_mut(beside, &mut |source| put(source));
    }
    for read in [&mut write.returning, &mut write.counted].into_iter().flatten() {
        deep_sources_mut(read, &mut |source| put(source));
    }
}

/// Whether an expression names columns of sources that are not its own.
pub fn depends_on_rows(expr: &Expr) -> bool {
    let mut own = Vec::new();
    each_subquery(expr, &mut |read| deep_sources(read, &mut |source| own.extend(id_of(source))));
    let mut found = false;
    deep(expr, &mut |inner| found |= matches!(inner, Expr::Column { source, .. } if !own.contains(source)));
    found
}

/// Whether something in a read names one of some sources.
pub fn names_any(read: &Read, sources: &[SourceId]) -> bool {
    let mut found = false;
    deep_read(read, &mut |expr| {
        found |= matches!(expr, Expr::Column { source, .. } if sources.contains(source));
    });
    found
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

/// Whether an expression aggregates the rows of its own read.
pub fn has_aggregate(expr: &Expr) -> bool {
    matches!(expr, Expr::Aggregate { .. }) || operands(expr).into_iter().any(has_aggregate)
}

/// Whether an expression looks at several rows of its own read: by an aggregate or a window.
pub fn computes_of_rows(expr: &Expr) -> bool {
    matches!(expr, Expr::Aggregate { .. } | Expr::Window { .. })
        || operands(expr).into_iter().any(computes_of_rows)
}

/// Whether an expression holds a window function of its own read.
pub fn has_window(expr: &Expr) -> bool {
    matches!(expr, Expr::Window { .. }) || operands(expr).into_iter().any(has_window)
}

/// Whether a read can raise an error for some row.
pub fn read_may_raise(read: &Read) -> bool {
    let mut raises = false;
    deep_read(read, &mut |inner| {
        raises |= raises_itself(inner)
            || matches!(inner, Expr::Subquery(subquery) if matches!(**subquery, Subquery::Scalar(_)));
    });
    deep_sources(read, &mut |source| {
        raises |= match source {
            Source::Function { calls, .. } => calls.iter().any(|call| !call.function.leakproof),
            Source::Call { .. } => true,
            Source::Unit
            | Source::Table { .. }
            | Source::Read { .. }
            | Source::Written { .. }
            | Source::Given { .. }
            | Source::Transition { .. }
            | Source::Cte { .. }
            | Source::Compound { .. }
            | Source::Values { .. }
            | Source::Join { .. } => false,
        }
    });
    raises
}

/// Whether an expression can raise an error for some row: it must not see rows that the caller may not see.
pub fn may_raise(expr: &Expr) -> bool {
    let own = match expr {
        Expr::Subquery(subquery) => {
            matches!(**subquery, Subquery::Scalar(_)) || read_may_raise(subquery.read())
        }
        expr => raises_itself(expr),
    };
    own || operands(expr).into_iter().any(may_raise)
}

fn raises_itself(expr: &Expr) -> bool {
    match expr {
        Expr::Apply { function, .. } => !function.leakproof,
        Expr::Cast { expr, ty, modifier, .. } => {
            modifier.is_some() || !types::stored::is_alike(&expr.ty(), ty)
        }
        Expr::Form { form, .. } => form_raises(form),
        Expr::Aggregate { .. } | Expr::Window { .. } | Expr::Call(_) => true,
        Expr::Column { .. }
        | Expr::Const { .. }
        | Expr::Param { .. }
        | Expr::Caller(_)
        | Expr::Case { .. }
        | Expr::Subquery(_) => false,
    }
}

/// Every form is looked at: one that is forgotten would be evaluated on rows that the caller may not see.
fn form_raises(form: &Form) -> bool {
    match form {
        Form::AnyBy(function) | Form::AllBy(function) => !function.leakproof,
        Form::Array
        | Form::Row
        | Form::Record(_)
        | Form::Field(_)
        | Form::Domain(_)
        | Form::NextValue
        | Form::Native(_) => true,
        Form::Compare(_)
        | Form::And
        | Form::Or
        | Form::Not
        | Form::IsNull
        | Form::IsNotNull
        | Form::IsBool { .. }
        | Form::Distinct
        | Form::NotDistinct
        | Form::Coalesce
        | Form::NullIf
        | Form::Greatest
        | Form::Least
        | Form::In
        | Form::AnyOf(_)
        | Form::AllOf(_) => false,
    }
}

/// Source ids that nothing uses yet.
#[derive(Debug)]
pub struct SourceIds(u32);

impl SourceIds {
    /// Ids from `first` on.
    pub fn starting_at(first: u32) -> SourceIds {
        SourceIds(first)
    }

    /// Ids above every one in a read.
    pub fn above(read: &Read) -> SourceIds {
        let mut highest = 0;
        highest_in(read, &mut highest);
        SourceIds(highest + 1)
    }

    /// Ids above those that are free here and every one in an expression.
    pub fn above_expr(mut self, expr: &Expr) -> SourceIds {
        deep(expr, &mut |inner| {
            if let Expr::Subquery(subquery) = inner {
                highest_in(subquery.read(), &mut self.0);
            }
        });
        SourceIds(self.0 + 1)
    }

    /// Ids above those of both.
    #[expect(clippy::needless_pass_by_value, reason = "ids that were merged are not given again")]
    pub fn and_above(self, other: SourceIds) -> SourceIds {
        SourceIds(self.0.max(other.0))
    }

    /// A fresh id.
    pub fn fresh(&mut self) -> SourceId {
        let id = SourceId(self.0);
        self.0 += 1;
        id
    }
}

fn highest_in(read: &Read, highest: &mut u32) {
    let mut note = |id: Option<SourceId>| *highest = (*highest).max(id.map_or(0, |id| id.0));
    each_read(read, &mut |read| {
        read.with.iter().for_each(|cte| note(Some(cte.id)));
        each_source(&read.from, &mut |source| note(id_of(source)));
    });
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
        | Source::Values { id, .. } => Some(*id),
        Source::Unit | Source::Join { .. } => None,
    }
}

/// Whether rows are locked anywhere in a read.
pub fn locks(read: &Read) -> bool {
    let mut found = false;
    each_read(read, &mut |read| found |= !read.locked.is_empty());
    found
}

/// Whether a read calls a function that may change something.
pub fn changes(read: &Read) -> bool {
    let mut found = false;
    own_expressions(read, &mut |expr| found |= changes_something(expr));
    each_source(&read.from, &mut |source| found |= matches!(source, Source::Call { changes: true, .. }));
    found || inner_reads(read).into_iter().any(changes)
}

fn changes_something(expr: &Expr) -> bool {
    let own = match expr {
        Expr::Call(call) => call.changes,
        Expr::Subquery(subquery) => changes(subquery.read()),
        _ => false,
    };
    own || operands(expr).into_iter().any(changes_something)
}

/// Whether a read calls functions that are interpreted.
pub fn calls(read: &Read) -> bool {
    let mut found = false;
    deep_read(read, &mut |expr| found |= matches!(expr, Expr::Call(_)));
    found || calls_for_rows(read)
}

/// Whether a read asks tables or interpreted functions, what was written by its own statement excepted.
pub fn asks_tables(read: &Read) -> bool {
    let mut asks = calls(read);
    deep_sources(read, &mut |source| asks |= matches!(source, Source::Table { .. }));
    asks
}

/// Whether rows of a read are those of a function.
pub fn calls_for_rows(read: &Read) -> bool {
    let mut found = false;
    deep_sources(read, &mut |source| found |= matches!(source, Source::Call { .. }));
    found
}

/// A copy of an expression about row `from`, to speak about row `to`, with fresh ids for the sources of its subqueries.
pub fn instantiate(expr: &Expr, from: SourceId, to: SourceId, ids: &mut SourceIds) -> Expr {
    let mut copy = expr.clone();
    let mut renamed = HashMap::from([(from, to)]);
    rename_expr(&mut copy, &mut renamed, ids);
    copy
}

/// A copy of a read with fresh ids for all of its sources.
pub fn instantiate_read(read: &Read, ids: &mut SourceIds) -> Read {
    let mut copy = read.clone();
    rename_read(&mut copy, &mut HashMap::new(), ids);
    copy
}

fn rename_expr(expr: &mut Expr, renamed: &mut HashMap<SourceId, SourceId>, ids: &mut SourceIds) {
    if let Expr::Column { source, .. } = expr
        && let Some(to) = renamed.get(source)
    {
        *source = *to;
    }
    operands_mut(expr).into_iter().for_each(|operand| rename_expr(operand, renamed, ids));
    if let Expr::Subquery(subquery) = expr {
        rename_read(subquery.read_mut(), renamed, ids);
    }
}

fn rename_read(read: &mut Read, renamed: &mut HashMap<SourceId, SourceId>, ids: &mut SourceIds) {
    rename_parts(read, renamed, ids);
    for locked in &mut read.locked {
        *locked = renamed.get(locked).copied().unwrap_or(*locked);
    }
}

fn rename_parts(read: &mut Read, renamed: &mut HashMap<SourceId, SourceId>, ids: &mut SourceIds) {
    for cte in &mut read.with {
        let fresh = ids.fresh();
        renamed.insert(cte.id, fresh);
        cte.id = fresh;
        rename_read(&mut cte.read, renamed, ids);
    }
    rename_source(&mut read.from, renamed, ids);
    own_expressions_mut(read, &mut |expr| rename_expr(expr, renamed, ids));
}

fn rename_source(source: &mut Source, renamed: &mut HashMap<SourceId, SourceId>, ids: &mut SourceIds) {
    match source {
        Source::Join { left, right, .. } => {
            rename_source(left, renamed, ids);
            rename_source(right, renamed, ids);
        }
        Source::Table { id, .. }
        | Source::Written { id, .. }
        | Source::Given { id, .. }
        | Source::Transition { id, .. }
        | Source::Call { id, .. }
        | Source::Function { id, .. }
        | Source::Values { id, .. } => {
            let fresh = ids.fresh();
            renamed.insert(*id, fresh);
            *id = fresh;
        }
        Source::Cte { id, cte, .. } => {
            let fresh = ids.fresh();
            renamed.insert(*id, fresh);
            *id = fresh;
            *cte = renamed.get(cte).copied().unwrap_or(*cte);
        }
        Source::Compound { id, left, right, .. } => {
            let fresh = ids.fresh();
            renamed.insert(*id, fresh);
            *id = fresh;
            rename_read(left, renamed, ids);
            rename_read(right, renamed, ids);
        }
        Source::Read { id, read, .. } => {
            let fresh = ids.fresh();
            renamed.insert(*id, fresh);
            *id = fresh;
            rename_read(read, renamed, ids);
        }
        Source::Unit => {}
    }
}
