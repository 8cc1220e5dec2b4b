//! Walks over queries: every expression, every source, and copies with fresh source ids.
//!
//! The one place that knows which trees hold which; passes say only what they do at a node.

use std::collections::HashMap;

use crate::ir::{Expr, Form, Guard, Order, Read, Source, SourceId, Subquery};

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
        Source::Table { guard: Guard::Rows(expr), .. } => visit(expr),
        Source::Table { guard: Guard::Unset | Guard::Open | Guard::Engine, .. }
        | Source::Unit
        | Source::Read { .. }
        | Source::Written { .. }
        | Source::Given { .. } => {}
    }
}

/// The same, to change them.
pub fn own_expressions_mut(read: &mut Read, visit: &mut dyn FnMut(&mut Expr)) {
    read.outputs.iter_mut().for_each(|output| visit(&mut output.expr));
    read.group.iter_mut().for_each(&mut *visit);
    read.order.iter_mut().for_each(|key| visit(&mut key.expr));
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
        Source::Table { guard: Guard::Rows(expr), .. } => visit(expr),
        Source::Table { guard: Guard::Unset | Guard::Open | Guard::Engine, .. }
        | Source::Unit
        | Source::Read { .. }
        | Source::Written { .. }
        | Source::Given { .. } => {}
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
        Expr::Aggregate { args, filter, order, .. } => args
            .iter_mut()
            .chain(filter.as_deref_mut())
            .chain(order.iter_mut().map(|Order { expr, .. }| expr))
            .collect(),
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

/// Calls `visit` for every expression anywhere in a read.
pub fn deep_read<'a>(read: &'a Read, visit: &mut dyn FnMut(&'a Expr)) {
    own_expressions(read, &mut |expr| deep(expr, visit));
    each_source(&read.from, &mut |source| {
        if let Source::Read { read, .. } = source {
            deep_read(read, visit);
        }
    });
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

/// Whether an expression can raise an error for some row: it must not see rows that the caller may not see.
pub fn may_raise(expr: &Expr) -> bool {
    let own = match expr {
        Expr::Subquery(subquery) => {
            let mut raises = matches!(**subquery, Subquery::Scalar(_));
            deep_read(subquery.read(), &mut |inner| raises |= raises_itself(inner));
            raises
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
        Expr::Aggregate { .. } => true,
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
        Form::Array | Form::Row | Form::NextValue => true,
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
    each_source(&read.from, &mut |source| {
        if let Some(id) = id_of(source) {
            *highest = (*highest).max(id.0);
        }
        if let Source::Read { read, .. } = source {
            highest_in(read, highest);
        }
    });
    own_expressions(read, &mut |expr| {
        deep(expr, &mut |inner| {
            if let Expr::Subquery(subquery) = inner {
                highest_in(subquery.read(), highest);
            }
        });
    });
}

/// The id of a leaf source.
pub fn id_of(source: &Source) -> Option<SourceId> {
    match source {
        Source::Table { id, .. }
        | Source::Read { id, .. }
        | Source::Written { id, .. }
        | Source::Given { id, .. }
        | Source::Call { id, .. }
        | Source::Values { id, .. } => Some(*id),
        Source::Unit | Source::Join { .. } => None,
    }
}

/// Whether a read calls a function that may change something.
pub fn changes(read: &Read) -> bool {
    let mut found = false;
    each_source(&read.from, &mut |source| {
        found |= match source {
            Source::Call { changes, .. } => *changes,
            Source::Read { read, .. } => changes(read),
            Source::Unit
            | Source::Table { .. }
            | Source::Written { .. }
            | Source::Given { .. }
            | Source::Values { .. }
            | Source::Join { .. } => false,
        }
    });
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
        | Source::Call { id, .. }
        | Source::Values { id, .. } => {
            let fresh = ids.fresh();
            renamed.insert(*id, fresh);
            *id = fresh;
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
