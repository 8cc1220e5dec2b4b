//! Unique keys and exclusion constraints, and which of them decide that a row is there already (PostgreSQL,
//! `infer_arbiter_indexes`). Nothing here looks at rows.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use catalog::{Catalog, ColumnId, Index, Table, TableId, Unique};
use sql::print::{quote_ident, quote_literal};
use types::ty::format_type;
use types::{Result, Type, Value};

use crate::functions::Kind;
use crate::ir::{Compare, Conflict, Expr, Form};
use crate::model::{Model, ROW};
use crate::resolve;

/// A unique constraint or index, or an exclusion constraint, of a table.
#[derive(Debug)]
pub struct UniqueModel {
    /// Its name.
    pub name: Arc<str>,
    /// Its keys over [`ROW`].
    pub keys: Vec<Expr>,
    /// Which rows it holds, over [`ROW`].
    pub predicate: Option<Expr>,
    /// Whether two nulls are equal.
    pub nulls_not_distinct: bool,
    /// Whether rows may be equal until the end of a statement or transaction.
    pub deferrable: bool,
    /// Whether they may be until the end of a transaction, unless it is said otherwise.
    pub initially_deferred: bool,
    /// Whether it is a constraint: indexes are not.
    pub is_constraint: bool,
    /// Of an exclusion constraint, what all must be true of another row over [`ROW`], where the parameters are the keys of a row.
    pub excludes: Option<Result<Vec<Expr>>>,
}

impl UniqueModel {
    /// Its columns, where all of its keys are columns.
    pub fn columns(&self) -> Option<Vec<ColumnId>> {
        self.keys.iter().map(column_of).collect()
    }
}

fn column_of(key: &Expr) -> Option<ColumnId> {
    match key {
        Expr::Column { source: ROW, column, .. } => Some(*column),
        _ => None,
    }
}

/// The unique keys of a table, in the order of their declaration as far as that is known.
pub(crate) fn models(catalog: &Catalog, id: TableId) -> Vec<UniqueModel> {
    let table = &catalog[id];
    let constraints = table.primary_key.iter().chain(&table.uniques).map(|key| of_constraint(table, key));
    let indexes = table.indexes.iter().filter(|index| index.unique || index.is_exclusion());
    // An index that is not understood is not stored either, or by its name refused.
    constraints.chain(indexes.filter_map(|index| of_index(catalog, table, index).ok())).collect()
}

/// What all must be true of the keys of two rows that an exclusion constraint refuses together.
///
/// # Errors
/// As a `where` of these operators.
pub fn excluding(catalog: &Catalog, index: &Index, keys: &[Expr], others: &[Expr]) -> Result<Vec<Expr>> {
    let operands = keys.iter().zip(others).zip(&index.excludes);
    let operated = |((key, other), operator): ((&Expr, &Expr), &Arc<str>)| {
        resolve::operator(catalog, key.clone(), operator, other.clone())
    };
    operands.map(operated).collect()
}

/// A key of an index as PostgreSQL writes it; `None` of an expression that is not written here.
pub fn key_words(table: &Table, key: &Expr) -> Option<String> {
    match key {
        Expr::Column { column, .. } => Some(quote_ident(&table[*column].name)),
        Expr::Const { value: Value::Text(text), ty } => {
            Some(format!("{}::{}", quote_literal(text), format_type(ty, None)))
        }
        Expr::Const { value: Value::Int(number), ty: Type::Int4 } if *number >= 0 => Some(number.to_string()),
        Expr::Apply { function, args, .. } if function.kind == Kind::Function => {
            let args: Option<Vec<String>> = args.iter().map(|arg| key_words(table, arg)).collect();
            Some(format!("{}({})", function.name, args?.join(", ")))
        }
        Expr::Form { form: Form::Coalesce, args, .. } => {
            let args: Option<Vec<String>> = args.iter().map(|arg| key_words(table, arg)).collect();
            Some(format!("COALESCE({})", args?.join(", ")))
        }
        _ => None,
    }
}

fn of_constraint(table: &Table, key: &Unique) -> UniqueModel {
    let column =
        |column: &ColumnId| Expr::Column { source: ROW, column: *column, ty: table[*column].ty.clone() };
    UniqueModel {
        name: key.name.clone(),
        keys: key.columns.iter().map(column).collect(),
        predicate: None,
        nulls_not_distinct: key.nulls_not_distinct,
        deferrable: key.deferrable,
        initially_deferred: key.initially_deferred,
        is_constraint: true,
        excludes: None,
    }
}

fn of_index(catalog: &Catalog, table: &Table, index: &Index) -> Result<UniqueModel> {
    let key = |key: &catalog::IndexKey| resolve::row_value(catalog, table, &key.expr);
    let predicate = index.predicate.as_ref().map(|expr| resolve::row_condition(catalog, table, expr));
    let keys: Vec<Expr> = index.keys.iter().map(key).collect::<Result<_>>()?;
    let given = |(index, key): (usize, &Expr)| Expr::Param { index, ty: key.ty() };
    let others: Vec<Expr> = keys.iter().enumerate().map(given).collect();
    Ok(UniqueModel {
        name: index.name.clone(),
        excludes: index.is_exclusion().then(|| excluding(catalog, index, &keys, &others)),
        keys,
        predicate: predicate.transpose()?,
        nulls_not_distinct: index.nulls_not_distinct,
        deferrable: index.deferrable,
        initially_deferred: index.initially_deferred,
        is_constraint: index.is_exclusion(),
    })
}

/// The unique keys that decide on a conflict: without a name all of them.
pub fn arbiters<'m>(model: &'m Model, table: TableId, conflict: &Conflict) -> Vec<&'m UniqueModel> {
    let keys = model[table].uniques.iter();
    if !conflict.names_key() {
        return keys.collect();
    }
    if let Some(name) = &conflict.constraint {
        return keys.filter(|key| key.is_constraint && key.name == *name).collect();
    }
    let columns: BTreeSet<ColumnId> = conflict.columns.iter().copied().collect();
    let computed: BTreeSet<String> = conflict.computed.iter().map(said).collect();
    let is_meant = |key: &&UniqueModel| {
        if key.excludes.is_some() {
            return false;
        }
        let own: BTreeSet<ColumnId> = key.keys.iter().filter_map(column_of).collect();
        let is_computed = |key: &&Expr| column_of(key).is_none();
        let all: BTreeSet<String> = key.keys.iter().filter(is_computed).map(said).collect();
        own == columns && all == computed && is_held(key.predicate.as_ref(), conflict.predicate.as_ref())
    };
    keys.filter(is_meant).collect()
}

/// An expression as a text, whatever row it is over.
fn said(expr: &Expr) -> String {
    let mut expr = expr.clone();
    over_row(&mut expr);
    format!("{expr:?}")
}

fn over_row(expr: &mut Expr) {
    if let Expr::Column { source, .. } = expr {
        *source = ROW;
    }
    crate::visit::operands_mut(expr).into_iter().for_each(over_row);
}

/// Whether an index of rows for which its predicate holds has all rows of which something is known (`predicate_implied_by`, as far
/// as people write it: the same conditions, comparisons with constants, and what is no null because it is compared).
fn is_held(predicate: Option<&Expr>, known: Option<&Expr>) -> bool {
    let Some(predicate) = predicate else { return true };
    let known: Vec<Expr> = known.into_iter().flat_map(parts).collect();
    parts(predicate).iter().all(|wanted| known.iter().any(|known| implies(known, wanted)))
}

/// The conditions that must all hold, `x = true` as `x`.
fn parts(expr: &Expr) -> Vec<Expr> {
    match expr {
        Expr::Form { form: Form::And, args, .. } => args.iter().flat_map(parts).collect(),
        Expr::Form { form: Form::Compare(Compare::Eq), args, .. } => match &args[..] {
            [operand, Expr::Const { value: Value::Bool(true), .. }] => parts(operand),
            [operand, Expr::Const { value: Value::Bool(false), .. }] => {
                vec![Expr::test(Form::Not, vec![operand.clone()])]
            }
            _ => vec![expr.clone()],
        },
        _ => vec![expr.clone()],
    }
}

fn implies(known: &Expr, wanted: &Expr) -> bool {
    if said(known) == said(wanted) {
        return true;
    }
    if let Expr::Form { form: Form::IsNotNull, args, .. } = wanted
        && let (Expr::Form { form: Form::Compare(_) | Form::In, args: compared, .. }, [operand]) =
            (known, &args[..])
    {
        return compared.iter().any(|compared| said(compared) == said(operand));
    }
    match (with_constant(known), with_constant(wanted)) {
        (Some((left, by, known)), Some((right, wanted_by, wanted))) if said(left) == said(right) => {
            let order = types::compare::compare(&left.ty(), known, wanted);
            is_narrower((by, order), wanted_by)
        }
        _ => false,
    }
}

/// `operand op constant`, neither of them null.
fn with_constant(expr: &Expr) -> Option<(&Expr, Compare, &Value)> {
    let Expr::Form { form: Form::Compare(by), args, .. } = expr else { return None };
    match &args[..] {
        [operand, Expr::Const { value, ty }] if !value.is_null() && *ty != Type::Unknown => {
            Some((operand, *by, value))
        }
        _ => None,
    }
}

/// Whether `x by k` implies `x wanted w`; `order` is that of `k` and `w`.
fn is_narrower((by, order): (Compare, Ordering), wanted: Compare) -> bool {
    match (by, wanted) {
        (Compare::Eq, Compare::Eq) => order.is_eq(),
        (Compare::Eq, Compare::Ne) => order.is_ne(),
        (Compare::Eq | Compare::Lt | Compare::Le, Compare::Le) | (Compare::Lt, Compare::Lt | Compare::Ne) => {
            order.is_le()
        }
        (Compare::Eq | Compare::Le, Compare::Lt) | (Compare::Le, Compare::Ne) => order.is_lt(),
        (Compare::Eq | Compare::Gt | Compare::Ge, Compare::Ge) | (Compare::Gt, Compare::Gt | Compare::Ne) => {
            order.is_ge()
        }
        (Compare::Eq | Compare::Ge, Compare::Gt) | (Compare::Ge, Compare::Ne) => order.is_gt(),
        (Compare::Ne, Compare::Ne) => order.is_eq(),
        (Compare::Ne, Compare::Eq | Compare::Lt | Compare::Le | Compare::Gt | Compare::Ge)
        | (Compare::Lt | Compare::Le | Compare::Gt | Compare::Ge, Compare::Eq)
        | (Compare::Lt | Compare::Le, Compare::Gt | Compare::Ge)
        | (Compare::Gt | Compare::Ge, Compare::Lt | Compare::Le) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(predicate: &str, known: &str, expected: bool) {
        let (statements, _) = sql::parse("create table t (a int, b text, c boolean)");
        let mut builder = catalog::Builder::new(catalog::builtin(), &resolve::Views);
        statements.iter().for_each(|statement| assert!(builder.apply(statement).is_ok()));
        let catalog = builder.finish();
        let (table, _) = catalog.table(&types::Name::new("public", "t")).expect("a table");
        let condition = |text: &str| {
            let expr = sql::parse_expr(text).expect("an expression");
            resolve::row_condition(&catalog, &catalog[table], &expr).expect("a condition")
        };
        let (predicate, known) = (condition(predicate), condition(known));
        assert_eq!(is_held(Some(&predicate), Some(&known)), expected, "{predicate:?} of {known:?}");
    }

    #[test]
    fn an_index_has_the_rows_of_which_enough_is_known() {
        check("c", "c", true);
        check("c", "c = true", true);
        check("c", "not c", false);
        check("c", "c is true", false);
        check("c and a > 0", "a > 0 and b = 'x' and c", true);
        check("c and a > 0", "c", false);
        check("a is not null", "a = 5", true);
        check("a is not null", "b = 'x'", false);
        check("a > 0", "a > 3", true);
        check("a > 0", "a >= 0", false);
        check("a > 0", "a = 1", true);
        check("a <> 0", "a < 0", true);
        check("a <= 5", "a < 5", true);
        check("a <= 5", "a < 6", false);
    }
}
