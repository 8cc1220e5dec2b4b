//! Whether a write can touch at most one row, told from its text and the table's keys.
//!
//! Nothing here looks at rows: what a policy hides never decides.

use std::collections::BTreeSet;

use catalog::{Catalog, ColumnId};

use crate::ir::{Action, Compare, Expr, Form, SourceId, Write};

/// Whether it can. A function that reads the table meanwhile sees it as it was before the write.
pub(super) fn is_of_one_row(write: &Write, catalog: &Catalog) -> bool {
    match &write.action {
        Action::Insert(insert) => {
            insert.read.is_none() && insert.conflict.is_none() && insert.rows.len() <= 1
        }
        Action::Update { filter, .. } | Action::Delete { filter } => {
            let mut fixed = BTreeSet::new();
            if let Some(filter) = filter {
                fix(filter, write.target, &mut fixed);
            }
            let table = &catalog[write.table];
            let is_fixed = |columns: &[ColumnId]| columns.iter().all(|column| fixed.contains(column));
            let keys = table.primary_key.iter().chain(&table.uniques);
            keys.into_iter().any(|key| is_fixed(&key.columns))
        }
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
