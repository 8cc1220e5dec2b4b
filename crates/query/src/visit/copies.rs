//! Copies of trees, whose sources have ids of their own.

use std::collections::HashMap;

use super::{deep, each_read, each_source, id_of, operands_mut, own_expressions_mut};
use crate::ir::{Expr, Read, Source, SourceId};

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
        | Source::Values { id, .. }
        | Source::System { id, .. } => {
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
