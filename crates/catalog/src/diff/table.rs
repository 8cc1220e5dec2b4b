//! Differences within one table. The old table is first given the wanted names, so that a rename changes nothing else.

use std::sync::Arc;

use sql::ast;
use types::ty::format_type;
use types::{Name, Type};

use super::matching::{Pair, Renames};
use super::{Change, Constraint, TableChange};
use crate::{Check, Column, ColumnId, DefaultValue, ForeignKey, Index, ReferentialAction, Table, Unique};

/// What differs within a pair.
pub(super) fn compare(pair: &Pair<'_>, renames: &Renames, changes: &mut Vec<Change>) {
    match (pair.old, pair.new) {
        (Some(old), None) if old.has_storage() => changes.push(Change::DropTable(old.name.clone())),
        (None, Some(new)) if new.has_storage() => changes.push(Change::CreateTable(new.name.clone())),
        (Some(old), Some(new)) if new.has_storage() => altered(old, new, renames, changes),
        _ => {}
    }
}

fn altered(old: &Table, new: &Table, renames: &Renames, changes: &mut Vec<Change>) {
    if old.name != new.name {
        changes.push(Change::RenameTable { from: old.name.clone(), to: new.name.clone() });
    }
    let mut found = Vec::new();
    let matched = renames.matched(&old.name);
    columns(old, new, &matched, &mut found);
    let old = renames.apply(old);
    kept_columns(&old, new, &matched, &mut found);
    constraints(&old, new, &mut found);
    indexes(&old, new, &mut found);
    changes.extend(found.into_iter().map(|change| Change::Table { table: new.name.clone(), change }));
}

/// Columns that are gone, new, or called otherwise.
fn columns(old: &Table, new: &Table, matched: &[Option<ColumnId>], found: &mut Vec<TableChange>) {
    let gone = old.column_ids().filter(|id| !matched.contains(&Some(*id)));
    found.extend(gone.map(|id| TableChange::DropColumn(old[id].name.clone())));
    for (column, from) in new.columns.iter().zip(matched) {
        match from.map(|from| &old[from].name) {
            None => found.push(TableChange::AddColumn(column.name.clone())),
            Some(from) if *from != column.name => {
                found.push(TableChange::RenameColumn { from: from.clone(), to: column.name.clone() });
            }
            Some(_) => {}
        }
    }
}

fn kept_columns(old: &Table, new: &Table, matched: &[Option<ColumnId>], found: &mut Vec<TableChange>) {
    for (column, from) in new.columns.iter().zip(matched) {
        if let Some(from) = from {
            column_changes(&old[*from], column, found);
        }
    }
}

fn column_changes(old: &Column, new: &Column, found: &mut Vec<TableChange>) {
    let column = || new.name.clone();
    if !same_type(&old.ty, &new.ty) || old.modifier != new.modifier {
        let (from, to) = (format_type(&old.ty, old.modifier), format_type(&new.ty, new.modifier));
        found.push(TableChange::ColumnType { column: column(), from, to });
    }
    match (old.not_null, new.not_null) {
        (false, true) => found.push(TableChange::SetNotNull(column())),
        (true, false) => found.push(TableChange::DropNotNull(column())),
        _ => {}
    }
    if generation(old) != generation(new) {
        found.push(TableChange::ColumnGenerated(column()));
    } else if old.default != new.default {
        found.push(TableChange::ColumnDefault(column()));
    }
}

/// Whether two types are one to stored values. Labels of an enumerated type are compared with the type, not with each column.
pub(crate) fn same_type(old: &Type, new: &Type) -> bool {
    match (old, new) {
        (Type::Enum(old), Type::Enum(new)) => old.name == new.name || old.labels == new.labels,
        (Type::Array(old), Type::Array(new)) => same_type(old, new),
        (old, new) => old == new,
    }
}

fn generation(column: &Column) -> Option<&Arc<ast::Expr>> {
    match &column.default {
        Some(DefaultValue::Generated(expr)) => Some(expr),
        Some(DefaultValue::Expr(_) | DefaultValue::Identity { .. }) | None => None,
    }
}

/// A constraint without what only its name or its owner says.
#[derive(PartialEq)]
pub(crate) enum Definition<'a> {
    /// `flags`: nulls not distinct, deferrable, initially deferred.
    Unique {
        columns: Vec<&'a str>,
        flags: [bool; 3],
        include: Vec<&'a str>,
    },
    Check(&'a ast::Expr),
    ForeignKey(Box<Reference<'a>>),
}

/// A foreign key by names.
#[derive(PartialEq)]
pub(crate) struct Reference<'a> {
    columns: Vec<&'a str>,
    target: &'a Name,
    target_columns: &'a [Arc<str>],
    actions: [(u8, Vec<&'a str>); 2],
    flags: [bool; 3],
}

/// All constraints of a table: kind, name, definition.
pub(crate) fn definitions(table: &Table) -> Vec<(Constraint, &Arc<str>, Definition<'_>)> {
    let primary = table.primary_key.iter().map(|key| (Constraint::PrimaryKey, &key.name, unique(table, key)));
    let uniques = table.uniques.iter().map(|key| (Constraint::Unique, &key.name, unique(table, key)));
    let checks = table
        .checks
        .iter()
        .map(|Check { name, expr, .. }| (Constraint::Check, name, Definition::Check(expr)));
    let references =
        table.foreign_keys.iter().map(|key| (Constraint::ForeignKey, &key.name, reference(table, key)));
    primary.chain(uniques).chain(checks).chain(references).collect()
}

fn unique<'a>(table: &'a Table, key: &Unique) -> Definition<'a> {
    Definition::Unique {
        columns: names(table, &key.columns),
        flags: [key.nulls_not_distinct, key.deferrable, key.initially_deferred],
        include: names(table, &key.include),
    }
}

fn reference<'a>(table: &'a Table, key: &'a ForeignKey) -> Definition<'a> {
    Definition::ForeignKey(Box::new(Reference {
        columns: names(table, &key.columns),
        target: &key.target,
        target_columns: &key.target_columns,
        actions: [action(table, &key.on_delete), action(table, &key.on_update)],
        flags: [key.match_full, key.deferrable, key.initially_deferred],
    }))
}

fn action<'a>(table: &'a Table, action: &ReferentialAction) -> (u8, Vec<&'a str>) {
    match action {
        ReferentialAction::NoAction => (0, Vec::new()),
        ReferentialAction::Restrict => (1, Vec::new()),
        ReferentialAction::Cascade => (2, Vec::new()),
        ReferentialAction::SetNull(columns) => (3, names(table, columns)),
        ReferentialAction::SetDefault(columns) => (4, names(table, columns)),
    }
}

fn names<'a>(table: &'a Table, columns: &[ColumnId]) -> Vec<&'a str> {
    columns.iter().map(|&column| &*table[column].name).collect()
}

fn constraints(old: &Table, new: &Table, found: &mut Vec<TableChange>) {
    let (old, new) = (definitions(old), definitions(new));
    let gone = old.iter().filter(|constraint| !new.contains(constraint));
    found.extend(gone.map(|(kind, name, _)| TableChange::DropConstraint(*kind, (*name).clone())));
    let added = new.iter().filter(|constraint| !old.contains(constraint));
    found.extend(added.map(|(kind, name, _)| TableChange::AddConstraint(*kind, (*name).clone())));
}

fn indexes(old: &Table, new: &Table, found: &mut Vec<TableChange>) {
    let same = |a: &Index, b: &Index| same_index(old, a, new, b);
    let gone = old.indexes.iter().filter(|index| !new.indexes.iter().any(|other| same(index, other)));
    found.extend(gone.map(|index| TableChange::DropIndex(index.name.clone())));
    let added = new.indexes.iter().filter(|index| !old.indexes.iter().any(|other| same(other, index)));
    found.extend(added.map(|index| TableChange::CreateIndex(index.name.clone())));
}

/// Whether two indexes store the same; comments aside.
fn same_index(old: &Table, a: &Index, new: &Table, b: &Index) -> bool {
    let keys = |index: &Index| {
        let of =
            |key: &crate::IndexKey| (key.expr.clone(), key.opclass.clone(), key.descending, key.nulls_first);
        index.keys.iter().map(of).collect::<Vec<_>>()
    };
    let said = |index: &Index| {
        (
            index.name.clone(),
            index.unique,
            index.nulls_not_distinct,
            index.method.clone(),
            index.predicate.clone(),
            index.excludes.clone(),
            (index.deferrable, index.initially_deferred),
        )
    };
    said(a) == said(b) && keys(a) == keys(b) && names(old, &a.include) == names(new, &b.include)
}
