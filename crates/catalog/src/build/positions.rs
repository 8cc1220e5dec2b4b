//! Column positions after a column is gone.

use crate::{ColumnId, ReferentialAction, Table};

/// Moves every position behind a removed column one to the left. Whatever had the column itself is gone already, or loses it.
pub(crate) fn close_gap(table: &mut Table, gone: ColumnId) {
    for key in table.primary_key.iter_mut().chain(&mut table.uniques) {
        shift(&mut key.columns, gone);
        shift(&mut key.include, gone);
    }
    for key in &mut table.foreign_keys {
        shift(&mut key.columns, gone);
        for action in [&mut key.on_delete, &mut key.on_update] {
            match action {
                ReferentialAction::SetNull(columns) | ReferentialAction::SetDefault(columns) => {
                    shift(columns, gone)
                }
                ReferentialAction::NoAction | ReferentialAction::Restrict | ReferentialAction::Cascade => {}
            }
        }
    }
    for index in &mut table.indexes {
        shift(&mut index.include, gone);
        for key in &mut index.keys {
            key.column = key.column.and_then(|column| shifted(column, gone));
        }
    }
    table.acl.0.retain_mut(|entry| {
        let was_of_columns = !entry.columns.is_empty();
        shift(&mut entry.columns, gone);
        !(was_of_columns && entry.columns.is_empty())
    });
}

fn shift(columns: &mut Vec<ColumnId>, gone: ColumnId) {
    *columns = columns.iter().filter_map(|&column| shifted(column, gone)).collect();
}

fn shifted(column: ColumnId, gone: ColumnId) -> Option<ColumnId> {
    match column.cmp(&gone) {
        std::cmp::Ordering::Less => Some(column),
        std::cmp::Ordering::Equal => None,
        std::cmp::Ordering::Greater => Some(ColumnId(column.0 - 1)),
    }
}
