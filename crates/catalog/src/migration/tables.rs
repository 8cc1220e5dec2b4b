//! Steps that touch tables.

use std::collections::HashSet;
use std::sync::Arc;

use types::{Name, Type};

use super::alteration::Alteration;
use super::danger::Danger;
use super::{Action, Rule, Steps};
use crate::diff::matching::{self, Renames};
use crate::diff::{Change, Constraint, TableChange};
use crate::{Catalog, Column, ColumnId, Table};

impl Steps<'_> {
    pub(super) fn dropped_tables(&mut self) {
        let (changes, current) = (self.changes, self.current);
        let dropped: HashSet<&Name> = changes
            .iter()
            .filter_map(|change| if let Change::DropTable(name) = change { Some(name) } else { None })
            .collect();
        let tables = current.tables.iter().filter(|table| dropped.contains(&table.name));
        for table in referencing_first(tables.collect()) {
            self.push(
                Action::DropTable(Arc::new(table.clone())),
                if table.is_materialized() {
                    Danger::None
                } else {
                    Danger::Loses("the table's rows".to_owned())
                },
            );
        }
    }

    pub(super) fn created_tables(&mut self) {
        let (changes, wanted) = (self.changes, self.wanted);
        let created: HashSet<&Name> = changes
            .iter()
            .filter_map(|change| if let Change::CreateTable(name) = change { Some(name) } else { None })
            .collect();
        let tables = wanted.tables.iter().filter(|table| created.contains(&table.name));
        let mut ordered = referencing_first(tables.collect());
        ordered.reverse();
        for table in ordered {
            self.push(Action::CreateTable(Arc::new(table.clone())), Danger::None);
        }
    }

    pub(super) fn altered_tables(&mut self) {
        self.renamed_tables();
        let renames = Renames::between(self.current, self.wanted);
        let (current, wanted) = (self.current, self.wanted);
        let pairs = matching::tables(current, wanted);
        let tables: Vec<Alteration<'_>> = pairs
            .iter()
            .filter_map(|pair| Alteration::of(pair.old?, pair.new?, self.changes, &renames))
            .filter(|table| !table.changes.is_empty())
            .collect();
        for table in &tables {
            self.make_room(table);
        }
        for table in &tables {
            self.alter(table, wanted);
        }
    }

    /// Renames, through a name that is free where tables swap theirs.
    fn renamed_tables(&mut self) {
        let mut taken: HashSet<Name> = self.current.tables.iter().map(|table| table.name.clone()).collect();
        let mut late = Vec::new();
        let changes = self.changes;
        for change in changes {
            let Change::RenameTable { from, to } = change else { continue };
            let first = if taken.contains(to) {
                Name::new(to.schema.clone(), format!("{}~renamed", to.name))
            } else {
                to.clone()
            };
            taken.remove(from);
            taken.insert(first.clone());
            self.push(Action::RenameTable { from: from.clone(), to: first.clone() }, Danger::None);
            if first != *to {
                late.push((first, to.clone()));
            }
        }
        for (from, to) in late {
            self.push(Action::RenameTable { from, to }, Danger::None);
        }
    }

    /// Drops what is gone and renames what stays, before any table is rebuilt: foreign keys of others follow renames only while they are as they were.
    fn make_room(&mut self, table: &Alteration<'_>) {
        if table.needs_rebuild() {
            self.renamed_columns(table, true);
            return;
        }
        let old = Arc::new(Table { name: table.new.name.clone(), ..table.was.clone() });
        for name in table.dropped_indexes() {
            self.push(Action::DropIndex { table: old.clone(), index: name }, Danger::None);
        }
        for change in &table.changes {
            if let TableChange::DropColumn(column) = change {
                let action = Action::DropColumn { table: table.new.name.clone(), column: column.clone() };
                self.push(action, Danger::Loses(format!("the values of column {column}")));
            }
        }
        self.renamed_columns(table, false);
    }

    fn alter(&mut self, table: &Alteration<'_>, wanted: &Catalog) {
        if table.needs_rebuild() {
            let rebuild = table.rebuild(wanted);
            self.push(Action::RebuildTable(Box::new(rebuild)), table.rebuild_danger());
            return;
        }
        let new = Arc::new(table.new.clone());
        for change in &table.changes {
            if let TableChange::AddColumn(name) = change
                && let Some((column, _)) = table.new.column(name)
            {
                self.push(Action::AddColumn { table: new.clone(), column }, Danger::None);
            }
        }
        for (name, danger) in table.created_indexes() {
            self.push(Action::CreateIndex { table: new.clone(), index: name }, danger);
        }
    }

    /// Renames columns one by one, through a name that is free where they swap theirs. Columns that are gone are
    /// still there, and moved out of the way, when the table is about to be rebuilt.
    fn renamed_columns(&mut self, table: &Alteration<'_>, with_dropped: bool) {
        let kept = |name: &Arc<str>| with_dropped || !table.drops(name);
        let mut taken: HashSet<Arc<str>> =
            table.was.columns.iter().map(|column| column.name.clone()).filter(|name| kept(name)).collect();
        let (dropped, renamed): (Vec<_>, Vec<_>) =
            table.renamed.iter().partition(|(from, _)| table.drops(from));
        let mut late = Vec::new();
        for (from, to) in dropped.into_iter().filter(|_| with_dropped).chain(renamed) {
            let first = if taken.contains(to) { Arc::from(format!("{to}~renamed")) } else { to.clone() };
            taken.remove(from);
            taken.insert(first.clone());
            self.rename_column(table, from, &first);
            if first != *to {
                late.push((first, to));
            }
        }
        for (from, to) in late {
            self.rename_column(table, &from, to);
        }
    }

    fn rename_column(&mut self, table: &Alteration<'_>, from: &Arc<str>, to: &Arc<str>) {
        let action =
            Action::RenameColumn { table: table.new.name.clone(), from: from.clone(), to: to.clone() };
        self.push(action, Danger::None);
    }

    /// What existing rows must fit, after every table has its form.
    pub(super) fn validations(&mut self) {
        let (changes, wanted) = (self.changes, self.wanted);
        for change in changes {
            match change {
                Change::RenameLabel { ty, from, to } => self.relabel(ty, from, to),
                Change::DropLabel { ty, label } => self.missing_label(ty, label),
                _ => {}
            }
        }
        for change in changes {
            let Change::Table { table, change: TableChange::AddConstraint(kind, name) } = change else {
                continue;
            };
            let Some((_, table)) = wanted.table(table) else { continue };
            let is_not_valid = |name: &Arc<str>| {
                table.checks.iter().any(|check| check.name == *name && check.not_valid)
                    || table.foreign_keys.iter().any(|key| key.name == *name && key.not_valid)
            };
            let rule = match kind {
                Constraint::Check => Rule::Check(name.clone()),
                Constraint::ForeignKey => Rule::ForeignKey(name.clone()),
                Constraint::PrimaryKey | Constraint::Unique => continue,
            };
            if !is_not_valid(name) {
                self.push(
                    Action::Validate { table: Arc::new(table.clone()), rule },
                    Danger::MayFail(format!("a row may violate {name}")),
                );
            }
        }
    }

    fn relabel(&mut self, ty: &Name, from: &Arc<str>, to: &Arc<str>) {
        for (table, column) in self.enum_columns(ty) {
            self.push(
                Action::RelabelRows { table, column, from: from.clone(), to: to.clone() },
                Danger::Locks("rows with the label are rewritten".to_owned()),
            );
        }
    }

    fn missing_label(&mut self, ty: &Name, label: &Arc<str>) {
        for (table, column) in self.enum_columns(ty) {
            let danger = Danger::MayFail(format!("a row may hold '{label}'"));
            self.push(Action::Validate { table, rule: Rule::Labels(column) }, danger);
        }
    }

    /// Columns of a type that exist before and after.
    fn enum_columns(&self, ty: &Name) -> Vec<(Arc<Table>, ColumnId)> {
        let is_it =
            |column: &Column| matches!(element(&column.ty), Type::Enum(declared) if declared.name == *ty);
        let existing = self.wanted.tables.iter().filter(|table| {
            table.has_storage() && self.current.tables.iter().any(|old| old.origin == table.origin)
        });
        let columns = existing.flat_map(|table| {
            table
                .column_ids()
                .filter(|&id| is_it(&table[id]))
                .map(|id| (Arc::new(table.clone()), id))
                .collect::<Vec<_>>()
        });
        columns.collect()
    }
}

fn element(ty: &Type) -> &Type {
    match ty {
        Type::Array(inner) => element(inner),
        ty => ty,
    }
}

/// Tables such that each comes before those that it references, as far as references make no circle.
fn referencing_first(tables: Vec<&Table>) -> Vec<&Table> {
    let mut ordered: Vec<&Table> = Vec::with_capacity(tables.len());
    let mut rest = tables;
    while !rest.is_empty() {
        let is_referenced = |table: &Table| {
            rest.iter().any(|other| {
                other.name != table.name && other.foreign_keys.iter().any(|key| key.target == table.name)
            })
        };
        let at = rest.iter().position(|table| !is_referenced(table)).unwrap_or(0);
        ordered.push(rest.remove(at));
    }
    ordered
}
