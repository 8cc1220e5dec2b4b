//! Rows of system relations: those that equal something are found by their value, the others are not looked at.
//!
//! A condition that would be left out must not be able to say an error: then every row is looked at, as anywhere else.

use std::borrow::Cow;

use catalog::ColumnId;
use catalog::system::Rows;
use types::{Result, Type};

use super::joins::limited;
use super::{Cells, Computing, Joined};
use crate::eval::{Row, Scope, eval, is_true};
use crate::ir::{Compare, Expr, Form, Output, Source, SourceId};
use crate::visit;

/// A system relation as a source: what it is called there, its rows, and which of them are shown, under the name that they have
/// there.
struct System<'s> {
    id: SourceId,
    rows: &'s Rows,
    guard: Option<(SourceId, &'s Expr)>,
}

impl<'s> System<'s> {
    /// One by itself, or all of its first columns read as they are, those of its rows that the caller may see.
    fn of(source: &'s Source) -> Option<System<'s>> {
        if let Source::System { id, rows, .. } = source {
            return Some(System { id: *id, rows, guard: None });
        }
        let Source::Read { id, read, view: None } = source else { return None };
        let Source::System { id: inner, rows, .. } = &read.from else { return None };
        let is_itself = |(output, at): (&Output, u16)| matches!(&output.expr, Expr::Column { source, column, .. } if source == inner && column.0 == at);
        let is_plain = read.having.is_none()
            && read.limit.is_none()
            && read.offset.is_none()
            && read.called.is_none()
            && !read.distinct
            && read.with.is_empty()
            && read.group.is_empty()
            && read.order.is_empty()
            && read.outputs.iter().zip(0..).all(is_itself);
        let is_guard = |filter: &Expr| matches!(filter, Expr::Form { form: Form::AnyOf(Compare::Eq), .. });
        let guard = read.filter.as_ref().map(|filter| (*inner, filter));
        (is_plain && read.filter.iter().all(is_guard)).then_some(System { id: *id, rows, guard })
    }
}

impl Computing {
    /// The rows of a source for which conditions on it alone hold.
    pub(super) fn sifted(
        &self,
        leaf: &Source,
        conditions: &[&Expr],
        outer: Option<&dyn Row>,
        scope: &mut Scope<'_>,
    ) -> Result<Vec<Joined>> {
        let Some(System { id, rows, guard }) = System::of(leaf) else {
            let found = self.leaf(leaf, outer, scope)?;
            return self.kept(found, conditions, outer, scope);
        };
        let nothing = Joined::new();
        let fewest = fewest((id, rows), conditions, &self.around(&nothing, outer), scope);
        let mut found = Vec::new();
        let mut look = |cells: &Cells| -> Result<()> {
            let row = vec![(id, cells.clone())];
            if self.is_seen(guard, cells, scope)? && self.holds(&row, conditions, outer, scope)? {
                found.push(row);
            }
            Ok(())
        };
        match fewest {
            Some(places) => rows.at(&places).try_for_each(&mut look)?,
            None => rows.all().iter().try_for_each(&mut look)?,
        }
        Ok(found)
    }

    /// Rows with the rows of a system relation that equal something of theirs; `None` where nothing is asked to be equal, or
    /// fewer rows are looked at otherwise.
    pub(super) fn beside_found(
        &self,
        joined: &[Joined],
        leaf: &Source,
        (filters, ready): (&[&Expr], &[&Expr]),
        outer: Option<&dyn Row>,
        scope: &mut Scope<'_>,
    ) -> Result<Option<Vec<Joined>>> {
        let Some(System { id, rows, guard }) = System::of(leaf) else { return Ok(None) };
        if filters.iter().any(|filter| visit::may_raise(filter)) {
            return Ok(None);
        }
        let (equal, rest): (Vec<&Expr>, Vec<&Expr>) =
            ready.iter().partition(|condition| equalities(condition, id).is_some());
        let Some(pairs) = equal.iter().find_map(|condition| equalities(condition, id)) else {
            return Ok(None);
        };
        let nothing = Joined::new();
        let sifted = fewest((id, rows), filters, &self.around(&nothing, outer), scope);
        if joined.len() > sifted.map_or(rows.all().len(), |places| places.len()) {
            return Ok(None);
        }
        let conditions = [filters, &equal, &rest].concat();
        let mut all = Vec::new();
        for row in joined {
            let Some(places) = places(rows, &pairs, &self.around(row, outer), scope)? else {
                return Ok(None);
            };
            for cells in rows.at(&places) {
                let both = [&row[..], &[(id, cells.clone())]].concat();
                if self.is_seen(guard, cells, scope)? && self.holds(&both, &conditions, outer, scope)? {
                    all.push(both);
                }
            }
            limited(all.len())?;
        }
        Ok(Some(all))
    }

    /// Whether a row is one of those that are shown.
    fn is_seen(
        &self,
        guard: Option<(SourceId, &Expr)>,
        cells: &Cells,
        scope: &mut Scope<'_>,
    ) -> Result<bool> {
        let Some((id, guard)) = guard else { return Ok(true) };
        self.holds(&vec![(id, cells.clone())], &[guard], None, scope)
    }

    /// Whether conditions hold for a row.
    pub(super) fn holds(
        &self,
        row: &Joined,
        conditions: &[&Expr],
        outer: Option<&dyn Row>,
        scope: &mut Scope<'_>,
    ) -> Result<bool> {
        let around = self.around(row, outer);
        for condition in conditions {
            if !is_true(&eval(condition, &around, scope)?) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The rows that equal something, by the condition that has the fewest; `None` where nothing is equal to anything. What could say
/// an error is asked of every row that comes there.
fn fewest<'r>(
    (id, rows): (SourceId, &'r Rows),
    conditions: &[&Expr],
    around: &dyn Row,
    scope: &mut Scope<'_>,
) -> Option<Cow<'r, [usize]>> {
    let mut fewest: Option<Cow<'_, [usize]>> = None;
    for condition in conditions {
        if let Some(pairs) = equalities(condition, id)
            && let Ok(Some(found)) = places(rows, &pairs, around, scope)
        {
            let is_fewer =
                |found: &Cow<'_, [usize]>| fewest.as_ref().is_none_or(|few| found.len() < few.len());
            fewest = Some(found).filter(is_fewer).or(fewest);
        }
        if visit::may_raise(condition) {
            break;
        }
    }
    fewest
}

/// The rows of which some column equals what stands beside it; `None` where that is for no list to say.
fn places<'r>(
    rows: &'r Rows,
    pairs: &[(ColumnId, &Expr)],
    around: &dyn Row,
    scope: &mut Scope<'_>,
) -> Result<Option<Cow<'r, [usize]>>> {
    let mut all: Cow<'_, [usize]> = Cow::Borrowed(&[]);
    for (column, other) in pairs {
        let value = eval(other, around, scope)?;
        if value.is_null() {
            continue;
        }
        let Some(found) = rows.with(usize::from(column.0), &value) else { return Ok(None) };
        match all.is_empty() {
            true => all = Cow::Borrowed(found),
            false => all.to_mut().extend(found),
        }
    }
    if pairs.len() > 1 && all.len() > 1 {
        let all = all.to_mut();
        all.sort_unstable();
        all.dedup();
    }
    Ok(Some(all))
}

/// What of a source is to be equal to what, one of them at least.
fn equalities(condition: &Expr, id: SourceId) -> Option<Vec<(ColumnId, &Expr)>> {
    match condition {
        Expr::Form { form: Form::Or, args, .. } => args.iter().map(|arg| equal_column(arg, id)).collect(),
        one => Some(vec![equal_column(one, id)?]),
    }
}

/// The column of a source and what it is to be equal to, where values are the same that are equal.
fn equal_column(condition: &Expr, id: SourceId) -> Option<(ColumnId, &Expr)> {
    let Expr::Form { form: Form::Compare(Compare::Eq), args, .. } = condition else { return None };
    let [left, right] = &args[..] else { return None };
    let is_number = |ty: &Type| matches!(ty, Type::Int2 | Type::Int4 | Type::Int8);
    let is_same = match (&left.ty(), &right.ty()) {
        (Type::Text, Type::Text) => true,
        (left, right) => is_number(left) && is_number(right),
    };
    let column = |expr: &Expr| match expr {
        Expr::Column { source, column, .. } if *source == id => Some(*column),
        _ => None,
    };
    match (is_same, column(left), column(right)) {
        (true, Some(column), None) if is_beside(right, id) => Some((column, right)),
        (true, None, Some(column)) if is_beside(left, id) => Some((column, left)),
        _ => None,
    }
}

/// Whether an expression says the same for every row of a source.
fn is_beside(expr: &Expr, id: SourceId) -> bool {
    matches!(expr, Expr::Const { .. } | Expr::Param { .. } | Expr::Caller(_))
        || matches!(expr, Expr::Column { source, .. } if *source != id)
        || matches!(expr, Expr::Cast { expr, .. } if is_beside(expr, id))
}
