//! Constraints: `pg_constraint`.

use std::sync::Arc;

use types::{Name, Value};

use super::{CONSTRAINTS, Objects, SystemRelation, Ty, attribute, beside, flag, id, list, text};
use crate::{ColumnId, ReferentialAction, Table};

pub(super) const ROWS: &[SystemRelation] = &[SystemRelation {
    schema: "pg_catalog",
    name: "pg_constraint",
    columns: &[
        ("oid", Ty::Oid),
        ("conname", Ty::Text),
        ("connamespace", Ty::Oid),
        ("contype", Ty::Text),
        ("condeferrable", Ty::Bool),
        ("condeferred", Ty::Bool),
        ("convalidated", Ty::Bool),
        ("conrelid", Ty::Oid),
        ("contypid", Ty::Oid),
        ("conindid", Ty::Oid),
        ("confrelid", Ty::Oid),
        ("confupdtype", Ty::Text),
        ("confdeltype", Ty::Text),
        ("conkey", Ty::Ints),
        ("confkey", Ty::Ints),
    ],
    is_guarded: false,
    rows,
}];

/// A table's constraint.
pub(super) struct Constraint<'c> {
    /// Its id.
    pub(super) id: i64,
    /// Its name.
    pub(super) name: &'c Arc<str>,
    /// What it is.
    pub(super) kind: Kind,
    /// Its columns.
    pub(super) columns: Vec<ColumnId>,
    /// Whether it may be put off, and is at first.
    pub(super) deferrable: (bool, bool),
    /// Whether existing rows meet it.
    pub(super) is_valid: bool,
    /// The table, columns and actions of a reference.
    pub(super) target: Option<&'c crate::ForeignKey>,
}

/// Kinds of constraints.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Primary,
    Unique,
    Check,
    Foreign,
    Exclusion,
}

impl Kind {
    fn letter(self) -> &'static str {
        match self {
            Kind::Primary => "p",
            Kind::Unique => "u",
            Kind::Check => "c",
            Kind::Foreign => "f",
            Kind::Exclusion => "x",
        }
    }

    /// The word of the information schema.
    pub(super) fn word(self) -> &'static str {
        match self {
            Kind::Primary => "PRIMARY KEY",
            Kind::Unique => "UNIQUE",
            Kind::Check => "CHECK",
            Kind::Foreign => "FOREIGN KEY",
            Kind::Exclusion => "EXCLUDE",
        }
    }
}

/// Every table with its constraints.
pub(super) fn all<'c>(objects: &Objects<'c>) -> Vec<(&'c Table, Constraint<'c>)> {
    let mut found = Vec::new();
    for table in &objects.catalog.tables {
        let of_key = |kind: Kind| {
            move |key: &'c crate::Unique| Constraint {
                id: 0,
                name: &key.name,
                kind,
                columns: key.columns.clone(),
                deferrable: (key.deferrable, key.initially_deferred),
                is_valid: true,
                target: None,
            }
        };
        let keys = table.primary_key.iter().map(of_key(Kind::Primary));
        let keys = keys.chain(table.uniques.iter().map(of_key(Kind::Unique)));
        let checks = table.checks.iter().map(|check| Constraint {
            id: 0,
            name: &check.name,
            kind: Kind::Check,
            columns: Vec::new(),
            deferrable: (false, false),
            is_valid: !check.not_valid,
            target: None,
        });
        let references = table.foreign_keys.iter().map(|key| Constraint {
            id: 0,
            name: &key.name,
            kind: Kind::Foreign,
            columns: key.columns.clone(),
            deferrable: (key.deferrable, key.initially_deferred),
            is_valid: !key.not_valid,
            target: Some(key),
        });
        let exclusions = table.indexes.iter().filter(|index| index.is_exclusion()).map(|index| Constraint {
            id: 0,
            name: &index.name,
            kind: Kind::Exclusion,
            columns: index.keys.iter().filter_map(|key| key.column).collect(),
            deferrable: (index.deferrable, index.initially_deferred),
            is_valid: true,
            target: None,
        });
        let all = keys.chain(checks).chain(references).chain(exclusions);
        found.extend(all.map(|constraint| (table, constraint)));
    }
    for ((_, constraint), known) in found.iter_mut().zip(CONSTRAINTS..) {
        constraint.id = known;
    }
    found
}

fn rows(objects: &Objects<'_>) -> Vec<Vec<Value>> {
    all(objects).into_iter().map(|(table, constraint)| row(objects, table, &constraint)).collect()
}

fn row(objects: &Objects<'_>, table: &Table, constraint: &Constraint<'_>) -> Vec<Value> {
    let has_index = matches!(constraint.kind, Kind::Primary | Kind::Unique | Kind::Exclusion);
    let index = if has_index { objects.class(&beside(table, constraint.name)) } else { 0 };
    let target = constraint.target;
    let action =
        |of: fn(&crate::ForeignKey) -> &ReferentialAction| text(target.map_or(" ", |key| letter(of(key))));
    let columns = |columns: &[ColumnId]| match columns.is_empty() {
        true => Value::Null,
        false => list(columns.iter().map(|column| attribute(*column)).collect()),
    };
    vec![
        id(constraint.id),
        text(constraint.name),
        id(objects.namespace(&table.name.schema)),
        text(constraint.kind.letter()),
        flag(constraint.deferrable.0),
        flag(constraint.deferrable.1),
        flag(constraint.is_valid),
        id(objects.class(&table.name)),
        id(0),
        id(index),
        id(target.map_or(0, |key| objects.class(&key.target))),
        action(|key| &key.on_update),
        action(|key| &key.on_delete),
        columns(&constraint.columns),
        target.map_or(Value::Null, |key| columns(&target_columns(objects, &key.target, &key.target_columns))),
    ]
}

fn target_columns(objects: &Objects<'_>, table: &Name, columns: &[Arc<str>]) -> Vec<ColumnId> {
    let table = objects.catalog.table(table);
    let of = |(_, table): (crate::TableId, &Table)| {
        columns.iter().filter_map(|name| table.column(name).map(|(column, _)| column)).collect()
    };
    table.map(of).unwrap_or_default()
}

fn letter(action: &ReferentialAction) -> &'static str {
    match action {
        ReferentialAction::NoAction => "a",
        ReferentialAction::Restrict => "r",
        ReferentialAction::Cascade => "c",
        ReferentialAction::SetNull(_) => "n",
        ReferentialAction::SetDefault(_) => "d",
    }
}
