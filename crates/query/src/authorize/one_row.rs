//! Whether a write can touch at most one row, told from its text and the table's keys.
//!
//! Nothing here looks at rows: what a policy hides never decides.

use std::collections::BTreeSet;

use catalog::{Catalog, ColumnId, TableId};
use types::{Error, Result};

use crate::ir::{Action, Compare, Expr, Form, SourceId, Write};
use crate::model::{Fill, Model};
use crate::reach;

/// Whether it can. A function that reads the table meanwhile sees it as it was before the write.
pub(super) fn is_of_one_row(write: &Write, catalog: &Catalog) -> bool {
    match &write.action {
        Action::Insert(insert) => insert.read.is_none() && insert.rows.len() <= 1,
        Action::Update { filter, .. } | Action::Delete { filter } => {
            let mut fixed = BTreeSet::new();
            if let Some(filter) = filter {
                fix(filter, write.target, &mut fixed);
            }
            let table = &catalog[write.table];
            let is_fixed = |columns: &[ColumnId]| columns.iter().all(|column| fixed.contains(column));
            let keys = table.primary_key.iter().chain(&table.uniques);
            keys.into_iter().any(|key| !key.deferrable && is_fixed(&key.columns))
        }
    }
}

/// The error of a function that would see a table while several of its rows are written.
pub(super) fn sees_half(table: TableId, catalog: &Catalog) -> Error {
    let name = &catalog[table].name;
    let what = format!("a volatile function that reads {name} while several rows of it are written");
    Error::missing(what).with_hint("Declare the function `stable`, or say by a key which one row is meant.")
}

/// Refuses a write of several rows for which the table's own expressions call a function that would see half of it.
pub(super) fn refuse_half_seen(table: TableId, model: &Model) -> Result<()> {
    let declared = &model[table];
    let fills = declared.fills.iter().filter_map(|fill| match fill {
        Fill::Default(expr) | Fill::Generated(expr) => expr.as_ref().ok(),
        Fill::Null | Fill::Identity { .. } => None,
    });
    let kept_in = model.catalog.kept_in(table);
    let mut own = fills.chain(declared.checks.iter().filter_map(|check| check.expr.as_ref().ok()));
    match own.any(|expr| reach::calls(&model.catalog, expr, kept_in, |call| call.is_volatile)) {
        true => Err(sees_half(table, &model.catalog)),
        false => Ok(()),
    }
}

/// The columns that a condition holds to one value.
fn fix(condition: &Expr, target: SourceId, fixed: &mut BTreeSet<ColumnId>) {
    match condition {
        Expr::Form { form: Form::And, args, .. } => args.iter().for_each(|arg| fix(arg, target, fixed)),
        Expr::Form { form: Form::Compare(Compare::Eq), args, .. } => {
            let [left, right] = &args[..] else { return };
            for (column, value) in [(left, right), (right, left)] {
                if let Expr::Column { source, column, .. } = column
                    && *source == target
                    && matches!(value, Expr::Const { .. } | Expr::Param { .. } | Expr::Caller(_))
                {
                    fixed.insert(*column);
                }
            }
        }
        _ => {}
    }
}
