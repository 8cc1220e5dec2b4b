//! What belongs to what, and how often tables were used: `pg_depend`, `pg_inherits`, `pg_stat_user_tables`, ….
//!
//! Tables are not counted, as under PostgreSQL's `track_counts = off`. Of what depends on what, here are sequences that go with columns, and nothing of extensions: their functions
//! are no rows of `pg_proc`.

use types::Value;

use super::{Objects, SystemRelation, Ty, beside, flag, id, text};
use crate::{Catalog, DefaultValue, Sequence, Table};

pub(super) const ROWS: &[SystemRelation] = &[
    SystemRelation {
        schema: "pg_catalog",
        name: "pg_depend",
        columns: &[
            ("classid", Ty::Oid),
            ("objid", Ty::Oid),
            ("objsubid", Ty::Int),
            ("refclassid", Ty::Oid),
            ("refobjid", Ty::Oid),
            ("refobjsubid", Ty::Int),
            ("deptype", Ty::Text),
        ],
        is_guarded: false,
        rows: dependencies,
    },
    SystemRelation {
        schema: "pg_catalog",
        name: "pg_inherits",
        columns: &[
            ("inhrelid", Ty::Oid),
            ("inhparent", Ty::Oid),
            ("inhseqno", Ty::Int),
            ("inhdetachpending", Ty::Bool),
        ],
        is_guarded: false,
        rows: inherited,
    },
    SystemRelation {
        schema: "pg_catalog",
        name: "pg_stat_user_tables",
        columns: TABLE_COUNTS,
        is_guarded: false,
        rows: table_counts,
    },
    SystemRelation {
        schema: "pg_catalog",
        name: "pg_stat_user_indexes",
        columns: &[
            ("relid", Ty::Oid),
            ("indexrelid", Ty::Oid),
            ("schemaname", Ty::Text),
            ("relname", Ty::Text),
            ("indexrelname", Ty::Text),
            ("idx_scan", Ty::Long),
            ("idx_tup_read", Ty::Long),
            ("idx_tup_fetch", Ty::Long),
        ],
        is_guarded: false,
        rows: index_counts,
    },
];

/// The columns of counts, all of which are 0; then those of times.
const TABLE_COUNTS: &[(&str, Ty)] = &[
    ("relid", Ty::Oid),
    ("schemaname", Ty::Text),
    ("relname", Ty::Text),
    ("seq_scan", Ty::Long),
    ("seq_tup_read", Ty::Long),
    ("idx_scan", Ty::Long),
    ("idx_tup_fetch", Ty::Long),
    ("n_tup_ins", Ty::Long),
    ("n_tup_upd", Ty::Long),
    ("n_tup_del", Ty::Long),
    ("n_tup_hot_upd", Ty::Long),
    ("n_live_tup", Ty::Long),
    ("n_dead_tup", Ty::Long),
    ("n_mod_since_analyze", Ty::Long),
    ("n_ins_since_vacuum", Ty::Long),
    ("last_vacuum", Ty::Time),
    ("last_autovacuum", Ty::Time),
    ("last_analyze", Ty::Time),
    ("last_autoanalyze", Ty::Time),
    ("vacuum_count", Ty::Long),
    ("autovacuum_count", Ty::Long),
    ("analyze_count", Ty::Long),
    ("autoanalyze_count", Ty::Long),
];

/// The id of `pg_class`, of which relations and sequences are rows.
const PG_CLASS: i64 = 1259;

/// The sequences that go with columns.
/// Partitions and their tables, and the indexes of both.
fn inherited(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    let mut push = |child: i64, parent: i64| rows.push(vec![id(child), id(parent), id(1), flag(false)]);
    for table in &objects.catalog.tables {
        let Some(own) = &table.partition else { continue };
        push(objects.class(&table.name), objects.class(&own.of));
        let Some((_, parent)) = objects.catalog.table(&own.of) else { continue };
        for (of, name) in &own.keys {
            push(objects.class(&beside(table, name)), objects.class(&beside(parent, of)));
        }
    }
    rows
}

fn dependencies(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let mut sequences: Vec<&Sequence> = objects.catalog.sequences.values().collect();
    sequences.sort_by(|one, other| one.name.cmp(&other.name));
    sequences.into_iter().filter_map(|sequence| owned(objects, sequence)).collect()
}

fn owned(objects: &Objects<'_>, sequence: &Sequence) -> Option<Vec<Value>> {
    let (table, column) = sequence.owned_by.as_ref()?;
    let (_, table) = objects.catalog.table(table)?;
    let (column, found) = table.columns.iter().enumerate().find(|(_, known)| known.name == *column)?;
    let kind = if matches!(found.default, Some(DefaultValue::Identity { .. })) { "i" } else { "a" };
    let (sequence, table) = (objects.class(&sequence.name), objects.class(&table.name));
    let position = i64::try_from(column).unwrap_or(0) + 1;
    Some(vec![id(PG_CLASS), id(sequence), id(0), id(PG_CLASS), id(table), id(position), text(kind)])
}

/// Tables that are somebody's.
fn tables(catalog: &Catalog) -> impl Iterator<Item = &Table> {
    catalog.tables.iter().filter(|table| table.is_stored())
}

fn table_counts(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let counts =
        || TABLE_COUNTS.iter().skip(3).map(|(_, ty)| if *ty == Ty::Time { Value::Null } else { id(0) });
    let row = |table: &Table| {
        let names = [id(objects.class(&table.name)), text(&table.name.schema), text(&table.name.name)];
        names.into_iter().chain(counts()).collect()
    };
    tables(objects.catalog).map(row).collect()
}

fn index_counts(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let of_table = |table: &Table| {
        let row = |index| {
            vec![
                id(objects.class(&table.name)),
                id(objects.class(&beside(table, index))),
                text(&table.name.schema),
                text(&table.name.name),
                text(index),
                id(0),
                id(0),
                id(0),
            ]
        };
        crate::build::resolve::index_names(table).map(row).collect::<Vec<_>>()
    };
    tables(objects.catalog).flat_map(of_table).collect()
}
