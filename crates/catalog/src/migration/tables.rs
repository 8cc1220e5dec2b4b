//! Steps that touch tables.

use std::collections::HashSet;
use std::sync::Arc;

use types::{Name, Type};

use super::danger::{Danger, of_type_change};
use super::{Action, ColumnSource, Rebuild, Rule, Steps};
use crate::diff::matching::{self, Renames};
use crate::diff::{Change, Constraint, TableChange};
use crate::{Column, ColumnId, DefaultValue, Table};

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
                Danger::Loses("the table's rows".to_owned()),
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
        for pair in matching::tables(current, wanted) {
            let (Some(old), Some(new)) = (pair.old, pair.new) else { continue };
            let changes = changes_of(self.changes, &new.name);
            if !new.is_view() && !changes.is_empty() {
                let alteration = Alteration {
                    matched: matching::columns(old, new),
                    old: &renames.apply(old),
                    was: old,
                    new,
                    changes: &changes,
                };
                self.alter(&alteration, wanted);
            }
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

    fn alter(&mut self, table: &Alteration<'_>, wanted: &crate::Catalog) {
        if table.needs_rebuild() {
            let rebuild = table.rebuild(wanted);
            self.push(Action::RebuildTable(Box::new(rebuild)), table.rebuild_danger());
            return;
        }
        let old = Arc::new(table.was_renamed());
        for name in table.dropped_indexes() {
            self.push(Action::DropIndex { table: old.clone(), index: name }, Danger::None);
        }
        for change in table.changes {
            match change {
                TableChange::RenameColumn { from, to } => {
                    let action = Action::RenameColumn {
                        table: table.new.name.clone(),
                        from: from.clone(),
                        to: to.clone(),
                    };
                    self.push(action, Danger::None);
                }
                TableChange::DropColumn(column) => {
                    let action = Action::DropColumn { table: table.new.name.clone(), column: column.clone() };
                    self.push(action, Danger::Loses(format!("the values of column {column}")));
                }
                _ => {}
            }
        }
        let new = Arc::new(table.new.clone());
        for change in table.changes {
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
            !table.is_view() && self.current.tables.iter().any(|old| old.origin == table.origin)
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

fn changes_of<'a>(changes: &'a [Change], table: &Name) -> Vec<&'a TableChange> {
    let of_table = changes.iter().filter_map(|change| match change {
        Change::Table { table: name, change } if name == table => Some(change),
        _ => None,
    });
    of_table.collect()
}

fn element(ty: &Type) -> &Type {
    match ty {
        Type::Array(inner) => element(inner),
        ty => ty,
    }
}

/// A table before and after.
struct Alteration<'a> {
    /// The table as it is, under the wanted names.
    old: &'a Table,
    /// The table as it is.
    was: &'a Table,
    new: &'a Table,
    /// For each new column, the old one.
    matched: Vec<Option<ColumnId>>,
    changes: &'a [&'a TableChange],
}

impl Alteration<'_> {
    /// Whether single steps would not do: what is stored of the table itself changes, not only its columns' number and its indexes.
    fn needs_rebuild(&self) -> bool {
        self.changes.iter().any(|change| match change {
            TableChange::ColumnType { .. }
            | TableChange::SetNotNull(_)
            | TableChange::DropNotNull(_)
            | TableChange::ColumnGenerated(_) => true,
            TableChange::AddConstraint(kind, _) | TableChange::DropConstraint(kind, _) => {
                matches!(kind, Constraint::ForeignKey | Constraint::PrimaryKey)
            }
            TableChange::AddColumn(name) => {
                self.new.column(name).is_some_and(|(_, column)| !is_simple(column))
            }
            TableChange::DropColumn(name) => self.is_in_old_key(name),
            TableChange::RenameColumn { to, .. } => self.was.column(to).is_some(),
            TableChange::ColumnDefault(_) | TableChange::CreateIndex(_) | TableChange::DropIndex(_) => false,
        })
    }

    fn is_in_old_key(&self, name: &str) -> bool {
        let Some((id, _)) = self.old.column(name) else { return false };
        let of_keys = self.old.primary_key.iter().flat_map(|key| &key.columns);
        of_keys.chain(self.old.foreign_keys.iter().flat_map(|key| &key.columns)).any(|column| *column == id)
    }

    /// The old table under its new name, columns still under their old ones.
    fn was_renamed(&self) -> Table {
        Table { name: self.new.name.clone(), ..self.was.clone() }
    }

    fn rebuild(&self, wanted: &crate::Catalog) -> Rebuild {
        let sources = self.new.column_ids().map(|id| self.source(id, wanted)).collect();
        let reasons = self.changes.iter().map(ToString::to_string).collect();
        Rebuild { old: Arc::new(self.was_renamed()), new: Arc::new(self.new.clone()), sources, reasons }
    }

    fn source(&self, id: ColumnId, wanted: &crate::Catalog) -> ColumnSource {
        let column = &self.new[id];
        if matches!(column.default, Some(DefaultValue::Generated(_))) {
            return ColumnSource::Generated;
        }
        let Some(from) = self.matched.get(usize::from(id.0)).copied().flatten() else {
            return ColumnSource::Default;
        };
        let is_retyped = |change: &&TableChange| matches!(change, TableChange::ColumnType { column: name, .. } if *name == column.name);
        if !self.changes.iter().any(is_retyped) {
            return ColumnSource::Copy(from);
        }
        let using = wanted.history.conversions.get(&(self.new.origin.clone(), column.origin.0.clone()));
        using.map_or(ColumnSource::Cast(from), |using| ColumnSource::Using(using.clone()))
    }

    fn rebuild_danger(&self) -> Danger {
        let locks = Danger::Locks("the whole table is rewritten".to_owned());
        self.changes.iter().map(|change| self.danger(change)).fold(locks, Danger::or)
    }

    fn danger(&self, change: &TableChange) -> Danger {
        match change {
            TableChange::DropColumn(column) => Danger::Loses(format!("the values of column {column}")),
            TableChange::ColumnType { column, .. } => {
                match (self.old.column(column), self.new.column(column)) {
                    (Some((_, old)), Some((_, new))) => of_type_change(old, new),
                    _ => Danger::None,
                }
            }
            TableChange::SetNotNull(column) => Danger::MayFail(format!("a row may have no {column}")),
            TableChange::AddColumn(name) => match self.new.column(name) {
                Some((_, column)) if column.not_null && column.default.is_none() => {
                    Danger::MayFail(format!("existing rows would have no {name}"))
                }
                _ => Danger::None,
            },
            TableChange::AddConstraint(Constraint::ForeignKey, name) => {
                Danger::MayFail(format!("a row may violate {name}"))
            }
            TableChange::AddConstraint(Constraint::PrimaryKey | Constraint::Unique, name) => {
                Danger::MayFail(format!("two rows may be equal in {name}"))
            }
            TableChange::ColumnGenerated(column)
                if self.new.column(column).is_some_and(|(_, column)| is_generated(column)) =>
            {
                Danger::Loses(format!("the values of column {column}"))
            }
            _ => Danger::None,
        }
    }

    /// Keys and indexes that are gone, and those that name what is to change.
    fn dropped_indexes(&self) -> Vec<Arc<str>> {
        let dropped = self.changes.iter().filter_map(|change| match change {
            TableChange::DropIndex(name) | TableChange::DropConstraint(Constraint::Unique, name) => {
                Some(name.clone())
            }
            _ => None,
        });
        dropped.collect()
    }

    fn created_indexes(&self) -> Vec<(Arc<str>, Danger)> {
        let created = self.changes.iter().filter_map(|change| match change {
            TableChange::CreateIndex(name) => {
                let is_unique = self.new.indexes.iter().any(|index| index.name == *name && index.unique);
                Some((
                    name.clone(),
                    if is_unique {
                        may_repeat(name)
                    } else {
                        Danger::Locks("the rows are read once".to_owned())
                    },
                ))
            }
            TableChange::AddConstraint(Constraint::Unique, name) => Some((name.clone(), may_repeat(name))),
            _ => None,
        });
        created.collect()
    }
}

fn may_repeat(name: &str) -> Danger {
    Danger::MayFail(format!("two rows may be equal in {name}"))
}

fn is_generated(column: &Column) -> bool {
    matches!(column.default, Some(DefaultValue::Generated(_)))
}

/// Whether a column can be added without touching existing rows: they hold null.
fn is_simple(column: &Column) -> bool {
    !column.not_null && column.default.is_none()
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
