//! Where a view's columns come from: the stored columns that it shows as they are.
//!
//! A view has the keys of the tables that it shows whole, as PostgREST reads views; what a view computes comes from nowhere.

use catalog::{ColumnId, TableId};
use query::Model;
use query::ir::{Expr, Read, Source, SourceId};

/// A column of one occurrence of a stored table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Origin {
    source: SourceId,
    table: TableId,
    column: ColumnId,
}

/// The stored column that a column of a table or view is.
pub(crate) fn stored(model: &Model, table: TableId, column: ColumnId) -> Option<(TableId, ColumnId)> {
    match &model[table].view {
        None => Some((table, column)),
        Some(Ok(read)) => origin(read, column).map(|origin| (origin.table, origin.column)),
        Some(Err(_)) => None,
    }
}

/// The primary key of a table; of a view, those of the tables whose keys it shows. Empty without one.
pub(crate) fn key(model: &Model, table: TableId) -> Vec<ColumnId> {
    match &model[table].view {
        None => declared_key(model, table).to_vec(),
        Some(Ok(read)) => key_of_view(model, table, read),
        Some(Err(_)) => Vec::new(),
    }
}

fn declared_key(model: &Model, table: TableId) -> &[ColumnId] {
    model.catalog[table].primary_key.as_ref().map_or(&[], |key| &key.columns)
}

fn key_of_view(model: &Model, view: TableId, read: &Read) -> Vec<ColumnId> {
    let shown: Vec<(ColumnId, Origin)> =
        model.catalog[view].column_ids().filter_map(|column| Some((column, origin(read, column)?))).collect();
    let mut sources: Vec<(SourceId, TableId)> = Vec::new();
    for (_, origin) in &shown {
        if !sources.contains(&(origin.source, origin.table)) {
            sources.push((origin.source, origin.table));
        }
    }
    let shows = |source: SourceId, column: ColumnId| {
        shown.iter().find(|(_, found)| found.source == source && found.column == column).map(|(id, _)| *id)
    };
    let whole = sources.iter().filter_map(|&(source, table)| {
        declared_key(model, table).iter().map(|&column| shows(source, column)).collect::<Option<Vec<_>>>()
    });
    whole.flatten().collect()
}

fn origin(read: &Read, column: ColumnId) -> Option<Origin> {
    let Expr::Column { source, column, .. } = &read.outputs.get(usize::from(column.0))?.expr else {
        return None;
    };
    match occurrence(&read.from, *source)? {
        Source::Table { id, table, .. } => Some(Origin { source: *id, table: *table, column: *column }),
        Source::Read { read, .. } => origin(read, *column),
        _ => None,
    }
}

fn occurrence(from: &Source, wanted: SourceId) -> Option<&Source> {
    match from {
        Source::Table { id, .. } | Source::Read { id, .. } if *id == wanted => Some(from),
        Source::Join { left, right, .. } => occurrence(left, wanted).or_else(|| occurrence(right, wanted)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use types::Name;

    use super::*;
    use crate::testing::model;

    #[test]
    fn views_have_the_keys_that_they_show() {
        let model = model(
            "create table t (a int, b int, c text, primary key (a, b));
            create table u (id int primary key);
            create view whole as select c, b, a as first from t;
            create view part as select a, c from t;
            create view above as select first, b from whole;
            create view pair as select t.a, t.b, u.id from t join u on u.id = t.a;
            create view nested as select x.b, x.a from (select * from t) x;
            create view computed as select a + 0 as a, b from t;",
        );
        for (name, wanted) in [
            ("t", "a b"),
            ("whole", "first b"),
            ("part", ""),
            ("above", "first b"),
            ("pair", "a b id"),
            ("nested", "a b"),
            ("computed", ""),
        ] {
            let (id, table) = model.catalog.table(&Name::new("public", name)).unwrap();
            let names: Vec<&str> = key(&model, id).iter().map(|&column| &*table[column].name).collect();
            assert_eq!(names.join(" "), wanted, "{name}");
        }
    }
}
