//! A policy that asks for each row whether another table has a row that belongs to it: where many rows are looked at, what belongs
//! to the caller is gathered once instead, and an index on the rows' own column may find them.
//!
//! `exists (select … from members m where m.org = rows.org and m.account = …)` becomes `rows.org in (select m.org …)`, where only
//! true counts, and only if the rest of the condition cannot raise an error and finds its rows by an index: then the set is what
//! one caller has, and a row of it was looked at before, too. Never makes another row visible.

use std::borrow::Cow;

use catalog::{Catalog, ColumnId, Table, TableId};
use query::functions::{Function, Volatility};
use query::{Compare, Expr, Form, Guard, Output, Read, Source, SourceId, Subquery};
use types::Value;

use super::names;
use super::read::conjuncts;

/// Of so many rows one at a time is asked: they come in their order, and the rest need not be looked at.
const ROWS_FEW: i64 = 1_000;

/// A guard of a read, or what says the same of many rows.
pub(super) fn gathered<'e>(catalog: &Catalog, read: &Read, guard: &'e Expr) -> Cow<'e, Expr> {
    let found = scanned(read).and_then(|rows| Gather { catalog, rows }.condition(guard));
    found.map_or(Cow::Borrowed(guard), Cow::Owned)
}

/// The table of a read that looks at many of its rows.
fn scanned(read: &Read) -> Option<SourceId> {
    let Source::Table { id, .. } = read.from else { return None };
    let is_short = match &read.limit {
        None => false,
        Some(Expr::Const { value: Value::Int(rows), .. }) => *rows <= ROWS_FEW,
        Some(_) => true,
    };
    let is_column = |expr: &Expr| matches!(expr, Expr::Column { source, .. } if *source == id);
    let chooses = |condition: &Expr| {
        matches!(
            condition,
            Expr::Form { form: Form::Compare(Compare::Eq) | Form::In | Form::AnyOf(_), args, .. }
                if args.iter().any(is_column)
        )
    };
    let is_narrow = read.filter.as_ref().is_some_and(|filter| conjuncts(filter).iter().any(chooses));
    (!is_short && !is_narrow).then_some(id)
}

struct Gather<'a> {
    catalog: &'a Catalog,
    /// The rows that are looked at.
    rows: SourceId,
}

/// An equation between a column of the rows and one of the other table.
struct Equation<'e> {
    outer: &'e Expr,
    inner: &'e Expr,
}

impl Gather<'_> {
    /// Where only true counts; `None` when nothing changes.
    fn condition(&self, expr: &Expr) -> Option<Expr> {
        let Expr::Form { form: form @ (Form::And | Form::Or), args, ty } = expr else {
            return self.set(existing(expr)?);
        };
        let found: Vec<Option<Expr>> = args.iter().map(|arg| self.condition(arg)).collect();
        if found.iter().all(Option::is_none) {
            return None;
        }
        let args = found.into_iter().zip(args).map(|(found, arg)| found.unwrap_or_else(|| arg.clone()));
        Some(Expr::Form { form: form.clone(), args: args.collect(), ty: ty.clone() })
    }

    fn set(&self, read: &Read) -> Option<Expr> {
        let Source::Table { id, table, guard } = &read.from else { return None };
        let guards = match guard {
            Guard::Open => &[][..],
            Guard::Rows(expr) => conjuncts(expr),
            Guard::Unset | Guard::Engine => return None,
        };
        let conditions = conjuncts(read.filter.as_ref()?);
        let (mut tied, rest): (Vec<&Expr>, Vec<&Expr>) =
            conditions.iter().partition(|condition| !is_steady(condition, *id));
        let (Some(equation), true) = (tied.pop().and_then(|tied| self.equation(tied, *id)), tied.is_empty())
        else {
            return None;
        };
        let all = || rest.iter().copied().chain(guards);
        let is_found = all().any(|condition| is_found_by_index(condition, *id, *table, self.catalog));
        if !is_found || !guards.iter().all(|guard| is_steady(guard, *id)) {
            return None;
        }
        let mut filter: Vec<Expr> = rest.into_iter().cloned().collect();
        filter.push(Expr::test(Form::IsNotNull, vec![equation.inner.clone()]));
        let output = Output { name: "value".into(), expr: equation.inner.clone() };
        let read = Read {
            outputs: vec![output],
            filter: Some(Expr::test(Form::And, filter)),
            ..Read::from(read.from.clone())
        };
        let operand = equation.outer.clone();
        Some(Expr::Subquery(Box::new(Subquery::Any { operand, compare: Compare::Eq, read })))
    }

    fn equation<'e>(&self, expr: &'e Expr, inner: SourceId) -> Option<Equation<'e>> {
        let Expr::Form { form: Form::Compare(Compare::Eq), args, .. } = expr else { return None };
        let [left, right] = &args[..] else { return None };
        let is_of =
            |expr: &Expr, wanted: SourceId| matches!(expr, Expr::Column { source, .. } if *source == wanted);
        let equation = match () {
            () if is_of(left, self.rows) && is_of(right, inner) => Equation { outer: left, inner: right },
            () if is_of(right, self.rows) && is_of(left, inner) => Equation { outer: right, inner: left },
            () => return None,
        };
        let ty = equation.outer.ty();
        (ty == equation.inner.ty() && names::native_equality(&ty)).then_some(equation)
    }
}

/// The rows of which an expression says whether there is one, also as the body of a function.
fn existing(expr: &Expr) -> Option<&Read> {
    let Expr::Subquery(subquery) = expr else { return None };
    match &**subquery {
        Subquery::Exists(read) => is_plain(read).then_some(read),
        Subquery::Scalar(read) => existing(alone(read)?),
        Subquery::Any { .. } | Subquery::All { .. } | Subquery::Nest(_) => None,
    }
}

/// What the only row of a read says that reads nothing.
fn alone(read: &Read) -> Option<&Expr> {
    match &read.outputs[..] {
        [output] if matches!(read.from, Source::Unit) && read.filter.is_none() && is_plain(read) => {
            Some(&output.expr)
        }
        _ => None,
    }
}

/// Whether a read has a row for each that its source and filter let through.
fn is_plain(read: &Read) -> bool {
    let is_limited = match &read.limit {
        None | Some(Expr::Const { value: Value::Int(1..), .. }) => false,
        Some(_) => true,
    };
    !is_limited
        && read.offset.is_none()
        && read.with.is_empty()
        && read.group.is_empty()
        && read.having.is_none()
        && read.locked.is_empty()
        && !read.outputs.iter().any(|output| query::visit::computes_of_rows(&output.expr))
}

/// Whether a condition names no rows but those of a source, and says the same each time, without an error.
fn is_steady(expr: &Expr, inner: SourceId) -> bool {
    let own = match expr {
        Expr::Column { source, .. } => *source == inner,
        Expr::Const { .. } | Expr::Param { .. } | Expr::Caller(_) => true,
        Expr::Apply { function, .. } => is_safe(function),
        Expr::Form { form: Form::AnyBy(function) | Form::AllBy(function), .. } => is_safe(function),
        Expr::Form { form, .. } => !form.raises(),
        Expr::Subquery(subquery) => match &**subquery {
            Subquery::Scalar(read) => return alone(read).is_some_and(|value| is_steady(value, inner)),
            Subquery::Exists(_) | Subquery::Any { .. } | Subquery::All { .. } | Subquery::Nest(_) => false,
        },
        Expr::Cast { .. }
        | Expr::Case { .. }
        | Expr::Call(_)
        | Expr::Aggregate { .. }
        | Expr::Window { .. } => false,
    };
    own && query::visit::operands(expr).into_iter().all(|operand| is_steady(operand, inner))
}

/// Whether a function says the same each time, without an error.
fn is_safe(function: &Function) -> bool {
    function.leakproof && function.volatility != Volatility::Volatile
}

/// Whether a condition gives the value of a column by which an index finds rows.
fn is_found_by_index(condition: &Expr, inner: SourceId, table: TableId, catalog: &Catalog) -> bool {
    let Expr::Form { form: Form::Compare(Compare::Eq), args, .. } = condition else { return false };
    let [left, right] = &args[..] else { return false };
    let found = |column: &Expr, value: &Expr| match column {
        Expr::Column { source, column, .. } => {
            *source == inner && !names_column(value) && leads_index(&catalog[table], *column)
        }
        _ => false,
    };
    found(left, right) || found(right, left)
}

fn names_column(expr: &Expr) -> bool {
    let mut found = false;
    query::visit::deep(expr, &mut |inner| found |= matches!(inner, Expr::Column { .. }));
    found
}

fn leads_index(table: &Table, column: ColumnId) -> bool {
    let keys = table.primary_key.iter().chain(&table.uniques);
    let whole = table.indexes.iter().filter(|index| index.predicate.is_none() && &*index.method == "btree");
    keys.into_iter().any(|key| key.columns.first() == Some(&column))
        || whole.into_iter().any(|index| index.keys.first().is_some_and(|key| key.column == Some(column)))
}
