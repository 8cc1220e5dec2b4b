//! Schemas, relations, their columns and indexes: `pg_namespace`, `pg_class`, `pg_attribute`, `pg_tables`, ….

use types::ty::format_type;
use types::{Modifier, Type, Value};

use super::{Objects, SystemRelation, Ty, attribute, beside, flag, id, list, maybe, number, text};
use crate::{Column, DefaultValue, Generated, Index, Table, TableKind, ViewRights};

pub(super) const ROWS: &[SystemRelation] = &[
    SystemRelation {
        schema: "pg_catalog",
        name: "pg_namespace",
        columns: &[("oid", Ty::Oid), ("nspname", Ty::Text), ("nspowner", Ty::Oid)],
        is_guarded: false,
        rows: namespaces,
    },
    SystemRelation {
        schema: "pg_catalog",
        name: "pg_class",
        columns: &[
            ("oid", Ty::Oid),
            ("relname", Ty::Text),
            ("relnamespace", Ty::Oid),
            ("reltype", Ty::Oid),
            ("relowner", Ty::Oid),
            ("relkind", Ty::Text),
            ("relpersistence", Ty::Text),
            ("relnatts", Ty::Int),
            ("relhasindex", Ty::Bool),
            ("relhastriggers", Ty::Bool),
            ("relrowsecurity", Ty::Bool),
            ("relforcerowsecurity", Ty::Bool),
            ("relispartition", Ty::Bool),
            ("relreplident", Ty::Text),
            ("reloptions", Ty::Texts),
            ("relpartbound", Ty::Text),
        ],
        is_guarded: false,
        rows: classes,
    },
    SystemRelation {
        schema: "pg_catalog",
        name: "pg_attribute",
        columns: &[
            ("attrelid", Ty::Oid),
            ("attname", Ty::Text),
            ("atttypid", Ty::Oid),
            ("attnum", Ty::Int),
            ("atttypmod", Ty::Int),
            ("attnotnull", Ty::Bool),
            ("atthasdef", Ty::Bool),
            ("attidentity", Ty::Text),
            ("attgenerated", Ty::Text),
            ("attisdropped", Ty::Bool),
            ("attndims", Ty::Int),
        ],
        is_guarded: false,
        rows: attributes,
    },
    SystemRelation {
        schema: "pg_catalog",
        name: "pg_attrdef",
        columns: &[("oid", Ty::Oid), ("adrelid", Ty::Oid), ("adnum", Ty::Int), ("adbin", Ty::Text)],
        is_guarded: false,
        rows: defaults,
    },
    SystemRelation {
        schema: "pg_catalog",
        name: "pg_index",
        columns: &[
            ("indexrelid", Ty::Oid),
            ("indrelid", Ty::Oid),
            ("indnatts", Ty::Int),
            ("indisunique", Ty::Bool),
            ("indisprimary", Ty::Bool),
            ("indisvalid", Ty::Bool),
            ("indisready", Ty::Bool),
            ("indkey", Ty::Ints),
            ("indpred", Ty::Text),
        ],
        is_guarded: false,
        rows: indexes,
    },
    SystemRelation {
        schema: "pg_catalog",
        name: "pg_indexes",
        columns: &[
            ("schemaname", Ty::Text),
            ("tablename", Ty::Text),
            ("indexname", Ty::Text),
            ("tablespace", Ty::Text),
            ("indexdef", Ty::Text),
        ],
        is_guarded: false,
        rows: indexes_by_name,
    },
    SystemRelation {
        schema: "pg_catalog",
        name: "pg_tables",
        columns: &[
            ("schemaname", Ty::Text),
            ("tablename", Ty::Text),
            ("tableowner", Ty::Text),
            ("tablespace", Ty::Text),
            ("hasindexes", Ty::Bool),
            ("hasrules", Ty::Bool),
            ("hastriggers", Ty::Bool),
            ("rowsecurity", Ty::Bool),
        ],
        is_guarded: false,
        rows: tables,
    },
    SystemRelation {
        schema: "pg_catalog",
        name: "pg_views",
        columns: &[
            ("schemaname", Ty::Text),
            ("viewname", Ty::Text),
            ("viewowner", Ty::Text),
            ("definition", Ty::Text),
        ],
        is_guarded: false,
        rows: views,
    },
    SystemRelation {
        schema: "pg_catalog",
        name: "pg_matviews",
        columns: &[
            ("schemaname", Ty::Text),
            ("matviewname", Ty::Text),
            ("matviewowner", Ty::Text),
            ("hasindexes", Ty::Bool),
            ("definition", Ty::Text),
        ],
        is_guarded: false,
        rows: materialized,
    },
    SystemRelation {
        schema: "pg_catalog",
        name: "pg_sequences",
        columns: &[
            ("schemaname", Ty::Text),
            ("sequencename", Ty::Text),
            ("sequenceowner", Ty::Text),
            ("start_value", Ty::Long),
            ("min_value", Ty::Long),
            ("max_value", Ty::Long),
            ("increment_by", Ty::Long),
            ("cycle", Ty::Bool),
        ],
        is_guarded: false,
        rows: sequences,
    },
];

fn namespaces(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let own = ["pg_catalog", "information_schema"].into_iter();
    let declared = objects.catalog.schemas.iter().map(|(name, _)| &**name);
    own.chain(declared).map(|name| vec![id(objects.namespace(name)), text(name), id(10)]).collect()
}

/// The place of `relispartition` in a row of `pg_class`.
const IS_PARTITION: usize = 12;

fn classes(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for table in &objects.catalog.tables {
        let (kind, options) = match &table.kind {
            TableKind::Table if table.partitioning.is_some() => ("p", Value::Null),
            TableKind::Table => ("r", Value::Null),
            TableKind::View { materialized: true, .. } => ("m", Value::Null),
            TableKind::View { rights: ViewRights::Callers, .. } => {
                ("v", list(vec![text("security_invoker=true")]))
            }
            TableKind::View { rights: ViewRights::Owners, .. } => {
                ("v", list(vec![text("security_invoker=false")]))
            }
            TableKind::View { rights: ViewRights::Unsaid, .. } => ("v", Value::Null),
        };
        rows.push(vec![
            id(objects.class(&table.name)),
            text(&table.name.name),
            id(objects.namespace(&table.name.schema)),
            id(objects.declared_type(&table.name)),
            id(objects.role(&table.owner)),
            text(kind),
            text(if crate::build::is_temporary(&table.name.schema) { "t" } else { "p" }),
            number(table.columns.len()),
            flag(has_indexes(table)),
            flag(!table.triggers.is_empty()),
            flag(table.row_security),
            flag(table.force_row_security),
            flag(table.partition.is_some()),
            text(if table.is_view() { "n" } else { "d" }),
            options,
            maybe(table.partition.as_ref().map(|own| own.bound.text())),
        ]);
        let kind = if table.partitioning.is_some() { "I" } else { "i" };
        for index in crate::build::resolve::index_names(table) {
            let is_inherited = |own: &crate::Partition| own.keys.iter().any(|(_, name)| name == index);
            let mut row = plain(objects, &beside(table, index), &table.owner, kind);
            if let Some(is_partition) = row.get_mut(IS_PARTITION) {
                *is_partition = flag(table.partition.as_ref().is_some_and(is_inherited));
            }
            rows.push(row);
        }
    }
    let mut sequences: Vec<_> = objects.catalog.sequences.keys().collect();
    sequences.sort();
    rows.extend(sequences.into_iter().map(|name| plain(objects, name, "postgres", "S")));
    rows
}

/// An index or a sequence.
fn plain(objects: &Objects<'_>, name: &types::Name, owner: &str, kind: &str) -> Vec<Value> {
    vec![
        id(objects.class(name)),
        text(&name.name),
        id(objects.namespace(&name.schema)),
        id(0),
        id(objects.role(owner)),
        text(kind),
        text("p"),
        id(1),
        flag(false),
        flag(false),
        flag(false),
        flag(false),
        flag(false),
        text("n"),
        Value::Null,
        Value::Null,
    ]
}

fn has_indexes(table: &Table) -> bool {
    crate::build::resolve::index_names(table).next().is_some()
}

fn attributes(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for table in &objects.catalog.tables {
        for position in table.column_ids() {
            let column = &table[position];
            rows.push(vec![
                id(objects.class(&table.name)),
                text(&column.name),
                id(type_of(objects, column)),
                attribute(position),
                id(modifier(column.modifier)),
                flag(column.not_null),
                flag(matches!(column.default, Some(DefaultValue::Expr(_) | DefaultValue::Generated(_)))),
                text(match &column.default {
                    Some(DefaultValue::Identity { always: true, .. }) => "a",
                    Some(DefaultValue::Identity { always: false, .. }) => "d",
                    Some(DefaultValue::Expr(_) | DefaultValue::Generated(_)) | None => "",
                }),
                text(if column.generated() == Generated::Stored { "s" } else { "" }),
                flag(false),
                id(i64::from(matches!(column.ty, Type::Array(_)))),
            ]);
        }
    }
    rows
}

/// The id of a column's type, of its domain where it has one.
pub(super) fn type_of(objects: &Objects<'_>, column: &Column) -> i64 {
    match &column.domain {
        Some(domain) => objects.declared_type(domain),
        None => objects.ty(&column.ty),
    }
}

/// What PostgreSQL keeps of a modifier; -1 of none.
fn modifier(modifier: Option<Modifier>) -> i64 {
    match modifier {
        Some(Modifier::Length(length)) => i64::from(length) + 4,
        Some(Modifier::Precision { precision, scale }) => {
            (i64::from(precision) << 16 | i64::from(scale) & 0x7ff) + 4
        }
        Some(Modifier::Fraction(digits)) => i64::from(digits),
        None => -1,
    }
}

fn defaults(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for table in &objects.catalog.tables {
        for position in table.column_ids() {
            if let Some(words) = default_words(&table[position]) {
                let (class, at) = (objects.class(&table.name), attribute(position));
                rows.push(vec![id(class * 2_000 + i64::from(position.0)), id(class), at, text(words)]);
            }
        }
    }
    rows
}

/// A default as it prints; literals say their type.
pub(super) fn default_words(column: &Column) -> Option<String> {
    match &column.default {
        Some(DefaultValue::Expr(expr) | DefaultValue::Generated(expr)) => {
            let words = sql::print::expr(expr);
            let is_text = matches!(&*expr.kind, sql::ast::ExprKind::Literal(sql::ast::Literal::String(_)));
            Some(if is_text { format!("{words}::{}", format_type(&column.ty, None)) } else { words })
        }
        Some(DefaultValue::Identity { .. }) | None => None,
    }
}

/// An index of a table: its name, whether it is unique or primary, its columns, its condition.
struct Found<'t> {
    name: &'t std::sync::Arc<str>,
    unique: bool,
    primary: bool,
    columns: Vec<Value>,
    predicate: Option<String>,
}

fn found(table: &Table) -> Vec<Found<'_>> {
    let of_key = |primary: bool| {
        move |key| {
            let key: &crate::Unique = key;
            Found {
                name: &key.name,
                unique: true,
                primary,
                columns: key.columns.iter().map(|column| attribute(*column)).collect(),
                predicate: None,
            }
        }
    };
    let keys = table.primary_key.iter().map(of_key(true)).chain(table.uniques.iter().map(of_key(false)));
    let of_index = |index: &'_ Index| Found {
        name: &table.indexes[table.indexes.iter().position(|other| other.name == index.name).unwrap_or(0)]
            .name,
        unique: index.unique,
        primary: false,
        columns: index.keys.iter().map(|key| key.column.map_or(id(0), attribute)).collect(),
        predicate: index.predicate.as_ref().map(|expr| sql::print::expr(expr)),
    };
    keys.chain(table.indexes.iter().map(of_index)).collect()
}

fn indexes(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for table in &objects.catalog.tables {
        for index in found(table) {
            rows.push(vec![
                id(objects.class(&beside(table, index.name))),
                id(objects.class(&table.name)),
                number(index.columns.len()),
                flag(index.unique),
                flag(index.primary),
                flag(true),
                flag(true),
                list(index.columns),
                maybe(index.predicate),
            ]);
        }
    }
    rows
}

fn indexes_by_name(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for table in &objects.catalog.tables {
        for (name, words) in super::words::indexes_of(table) {
            rows.push(vec![
                text(&table.name.schema),
                text(&table.name.name),
                text(name),
                Value::Null,
                text(words),
            ]);
        }
    }
    rows
}

fn tables(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let found = objects.catalog.tables.iter().filter(|table| !table.is_view());
    let row = |table: &Table| {
        vec![
            text(&table.name.schema),
            text(&table.name.name),
            text(&table.owner),
            Value::Null,
            flag(has_indexes(table)),
            flag(false),
            flag(!table.triggers.is_empty()),
            flag(table.row_security),
        ]
    };
    found.map(row).collect()
}

fn views(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for table in &objects.catalog.tables {
        if let TableKind::View { query, materialized: false, .. } = &table.kind {
            rows.push(vec![
                text(&table.name.schema),
                text(&table.name.name),
                text(&table.owner),
                text(format!("{};", sql::print::query(query))),
            ]);
        }
    }
    rows
}

fn materialized(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for table in &objects.catalog.tables {
        if let TableKind::View { query, materialized: true, .. } = &table.kind {
            rows.push(vec![
                text(&table.name.schema),
                text(&table.name.name),
                text(&table.owner),
                flag(has_indexes(table)),
                text(format!("{};", sql::print::query(query))),
            ]);
        }
    }
    rows
}

fn sequences(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    let mut sequences: Vec<_> = objects.catalog.sequences.values().collect();
    sequences.sort_by(|a, b| a.name.cmp(&b.name));
    let row = |sequence: &crate::Sequence| {
        vec![
            text(&sequence.name.schema),
            text(&sequence.name.name),
            text("postgres"),
            id(sequence.start),
            id(sequence.min),
            id(sequence.max),
            id(sequence.increment),
            flag(sequence.cycle),
        ]
    };
    sequences.into_iter().map(row).collect()
}
