//! Rows of system relations: those that equal something are found by their value, the others are not looked at.
//!
//! A condition that would be left out must not be able to say an error: then every row is looked at, as anywhere else.

use catalog::ColumnId;
use catalog::system::Rows;
use types::{Result, Type, Value};

use super::joins::limited;
use super::{Cells, Computing, Joined};
use crate::eval::{Row, Scope, eval, is_true};
use crate::ir::{Compare, Expr, Form, Source, SourceId};
use crate::visit;

impl Computing {
    /// The rows of a source for which conditions on it alone hold.
    pub(super) fn sifted(
        &self,
        leaf: &Source,
        conditions: &[&Expr],
        outer: Option<&dyn Row>,
        scope: &mut Scope<'_>,
    ) -> Result<Vec<Joined>> {
        let Source::System { id, rows, .. } = leaf else {
            let found = self.leaf(leaf, outer, scope)?;
            return self.kept(found, conditions, outer, scope);
        };
        let nothing = Joined::new();
        let fewest = fewest((*id, rows), conditions, &self.around(&nothing, outer), scope);
        let mut found = Vec::new();
        let mut look = |cells: &Cells| -> Result<()> {
            let row = vec![(*id, cells.clone())];
            if self.holds(&row, conditions, outer, scope)? {
                found.push(row);
            }
            Ok(())
        };
        match fewest {
            Some(places) => rows.at(places).try_for_each(&mut look)?,
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
        let Source::System { id, rows, .. } = leaf else { return Ok(None) };
        let is_sifted = filters.iter().any(|filter| equal_column(filter, *id).is_some());
        let pair = ready.iter().find_map(|condition| equal_column(condition, *id));
        let Some((column, other)) = pair.filter(|_| !is_sifted) else { return Ok(None) };
        if filters.iter().any(|filter| visit::may_raise(filter)) {
            return Ok(None);
        }
        let (equal, rest): (Vec<&Expr>, Vec<&Expr>) =
            ready.iter().partition(|condition| equal_column(condition, *id).is_some());
        let conditions = [filters, &equal, &rest].concat();
        let mut all = Vec::new();
        for row in joined {
            let value = eval(other, &self.around(row, outer), scope)?;
            let Some(places) = rows.with(usize::from(column.0), &value) else { continue };
            for cells in rows.at(places) {
                let both = [&row[..], &[(*id, cells.clone())]].concat();
                if self.holds(&both, &conditions, outer, scope)? {
                    all.push(both);
                }
            }
            limited(all.len())?;
        }
        Ok(Some(all))
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
) -> Option<&'r [usize]> {
    let mut fewest: Option<&[usize]> = None;
    for condition in conditions {
        if let Some((column, other)) = equal_column(condition, id)
            && let Ok(value) = eval(other, around, scope)
        {
            let found = match &value {
                Value::Null => Some(&[][..]),
                value => rows.with(usize::from(column.0), value),
            };
            let is_fewer = |found: &&[usize]| fewest.is_none_or(|fewest| found.len() < fewest.len());
            fewest = found.filter(is_fewer).or(fewest);
        }
        if visit::may_raise(condition) {
            break;
        }
    }
    fewest
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
