//! A read in two: what is computed of its rows or groups first, and what is said of that.

use catalog::ColumnId;
use types::{Code, Error, Result};

use super::Resolver;
use super::group::GroupingSet;
use crate::ir::{Expr, Output, Read, Source, SourceId, Subquery};
use crate::visit;

/// The part that comes first, and what is taken into it.
pub(super) struct Apart {
    id: SourceId,
    inner: Vec<Output>,
}

impl Apart {
    pub(super) fn new(id: SourceId) -> Apart {
        Apart { id, inner: Vec::new() }
    }

    /// Takes the largest parts of an expression for which `stays` does not hold: columns of the first part stand in their place.
    pub(super) fn take(&mut self, expr: &mut Expr, stays: &dyn Fn(&Expr) -> bool) -> Result<()> {
        if matches!(expr, Expr::Const { .. } | Expr::Param { .. } | Expr::Caller(_)) {
            return Ok(());
        }
        if !stays(expr) {
            return self.take_whole(expr);
        }
        if let Expr::Subquery(subquery) = expr
            && !matches!(**subquery, Subquery::Any { .. } | Subquery::All { .. })
        {
            return Ok(());
        }
        visit::operands_mut(expr).into_iter().try_for_each(|operand| self.take(operand, stays))
    }

    /// Takes an expression.
    pub(super) fn take_whole(&mut self, expr: &mut Expr) -> Result<()> {
        let ty = expr.ty();
        let said = format!("{expr:?}");
        let known = self.inner.iter().position(|output| format!("{:?}", output.expr) == said);
        let at = known.unwrap_or(self.inner.len());
        let column = ColumnId(u16::try_from(at).map_err(Error::internal)?);
        let taken = std::mem::replace(expr, Expr::Column { source: self.id, column, ty });
        if known.is_none() {
            self.inner.push(Output { name: "part".into(), expr: taken });
        }
        Ok(())
    }

    /// A read of the first part, without outputs yet.
    pub(super) fn around(self, mut first: Read) -> Read {
        first.outputs = self.inner;
        if first.outputs.is_empty() {
            first.outputs.push(Output { name: "part".into(), expr: Expr::bool(true) });
        }
        Read::from(Source::Read { id: self.id, read: Box::new(first), view: None })
    }
}

impl Resolver<'_> {
    /// Windows over grouping sets: they look at the groups of all sets.
    pub(super) fn windows_over_sets(&mut self, mut read: Read, sets: &[GroupingSet]) -> Result<Read> {
        let mut apart = Apart::new(self.ids.fresh());
        let stays = |expr: &Expr| visit::has_window(expr);
        let (outputs, order, distinct) = self.taken(&mut read, &mut apart, &stays)?;
        let outer = apart.around(read);
        let Source::Read { id, read, view } = outer.from else {
            return Err(Error::internal("a read of no read"));
        };
        let read = self.in_sets(*read, sets)?;
        Ok(Read { outputs, order, distinct, ..Read::from(Source::Read { id, read: Box::new(read), view }) })
    }

    fn taken(
        &self,
        read: &mut Read,
        apart: &mut Apart,
        stays: &dyn Fn(&Expr) -> bool,
    ) -> Result<(Vec<Output>, Vec<crate::ir::Order>, bool)> {
        let mut outputs = std::mem::take(&mut read.outputs);
        outputs.iter_mut().try_for_each(|output| apart.take(&mut output.expr, stays))?;
        let mut order = std::mem::take(&mut read.order);
        order.iter_mut().try_for_each(|key| apart.take(&mut key.expr, stays))?;
        Ok((outputs, order, std::mem::take(&mut read.distinct)))
    }

    /// Notes an aggregate of an outer query's rows that stands in a subquery (PostgreSQL 4.2.7): a column of what that query computes
    /// of its groups. `None` where it is of the innermost query.
    pub(super) fn of_outer_query(&mut self, aggregate: &Expr) -> Result<Option<Expr>> {
        let mut named = Vec::new();
        visit::deep(aggregate, &mut |expr| {
            if let Expr::Column { source, .. } = expr {
                named.push(*source);
            }
        });
        let shows = |level: &super::scope::Level| named.iter().any(|id| level.shows(*id));
        let Some(at) = self.levels.iter().rposition(shows) else { return Ok(None) };
        if at + 1 == self.levels.len() {
            return Ok(None);
        }
        let id = self.ids.fresh();
        let level = &mut self.levels[at];
        let Some(aggregates) = &mut level.aggregates else {
            return Err(Error::missing("an aggregate of the rows of an outer statement"));
        };
        aggregates.push((id, aggregate.clone()));
        Ok(Some(Expr::Column { source: id, column: ColumnId(0), ty: aggregate.ty() }))
    }

    /// Refuses aggregates of the query that is open, noted by subqueries in a clause that comes before its groups.
    pub(super) fn refuse_noted(&self, clause: &str) -> Result<()> {
        let noted = self.levels.last().and_then(|level| level.aggregates.as_ref());
        if noted.is_none_or(Vec::is_empty) {
            return Ok(());
        }
        let message = format!("aggregate functions are not allowed in {clause}");
        Err(Error::new(Code::GROUPING, message))
    }

    /// A read whose subqueries name aggregates of its groups: these are computed first.
    pub(super) fn with_noted(&mut self, mut read: Read, noted: &[(SourceId, Expr)]) -> Result<Read> {
        if noted.is_empty() {
            return Ok(read);
        }
        let ids: Vec<SourceId> = noted.iter().map(|(id, _)| *id).collect();
        let stays = |expr: &Expr| {
            let mut found = false;
            visit::deep(expr, &mut |inner| {
                found |= matches!(inner, Expr::Column { source, .. } if ids.contains(source));
            });
            found
        };
        let mut near = Vec::new();
        visit::each_source(&read.from, &mut |source| near.extend(visit::id_of(source)));
        let mut apart = Apart::new(self.ids.fresh());
        let (mut outputs, mut order, distinct) = self.taken(&mut read, &mut apart, &stays)?;
        let mut filter = read.having.take_if(|having| stays(having));
        if let Some(having) = &mut filter {
            apart.take(having, &stays)?;
        }
        let mut outcome = Ok(());
        let mut replace = |expr: &mut Expr| {
            let Expr::Column { source, .. } = expr else { return };
            let aggregate = noted.iter().find(|(id, _)| id == source);
            if aggregate.is_none() && !near.contains(source) {
                return;
            }
            if let Some((_, aggregate)) = aggregate {
                *expr = aggregate.clone();
            }
            if let (Ok(()), Err(error)) = (&outcome, apart.take_whole(expr)) {
                outcome = Err(error);
            }
        };
        outputs.iter_mut().for_each(|output| visit::deep_mut(&mut output.expr, &mut replace));
        order.iter_mut().for_each(|key| visit::deep_mut(&mut key.expr, &mut replace));
        filter.iter_mut().for_each(|filter| visit::deep_mut(filter, &mut replace));
        outcome?;
        Ok(Read { outputs, order, distinct, filter, ..apart.around(read) })
    }
}
