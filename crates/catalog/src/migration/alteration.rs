//! One table before and after: whether it can be altered step by step, or is rebuilt.

use std::sync::Arc;

use types::Name;

use super::danger::{Danger, of_type_change};
use super::{ColumnSource, Rebuild};
use crate::diff::matching::Renames;
use crate::diff::{Change, Constraint, TableChange};
use crate::{Catalog, Column, ColumnId, DefaultValue, Table};

/// A table before and after.
pub(super) struct Alteration<'a> {
    /// The table as it is, under the wanted names.
    old: Table,
    /// The table as it is.
    pub(super) was: &'a Table,
    /// The wanted table.
    pub(super) new: &'a Table,
    /// For each new column, the old one.
    matched: Vec<Option<ColumnId>>,
    /// What changes.
    pub(super) changes: Vec<&'a TableChange>,
    /// Columns that are called otherwise, and those that are gone and in the way.
    pub(super) renamed: &'a [(Arc<str>, Arc<str>)],
}

impl<'a> Alteration<'a> {
    /// A table that stores rows, with those of the changes that are its own.
    pub(super) fn of(
        old: &'a Table,
        new: &'a Table,
        changes: &'a [Change],
        renames: &'a Renames,
    ) -> Option<Alteration<'a>> {
        (new.has_storage()).then(|| Alteration {
            old: renames.apply(old),
            was: old,
            new,
            matched: renames.matched(&old.name),
            changes: changes_of(changes, &new.name),
            renamed: renames.columns_of(&old.name),
        })
    }

    /// Whether single steps would not do: what is stored of the table itself changes, not only its columns' number and its indexes.
    pub(super) fn needs_rebuild(&self) -> bool {
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
            TableChange::RenameColumn { .. }
            | TableChange::ColumnDefault(_)
            | TableChange::CreateIndex(_)
            | TableChange::DropIndex(_) => false,
        })
    }

    fn is_in_old_key(&self, name: &str) -> bool {
        let Some((id, _)) = self.was.column(name) else { return false };
        let of_keys = self.was.primary_key.iter().flat_map(|key| &key.columns);
        of_keys.chain(self.was.foreign_keys.iter().flat_map(|key| &key.columns)).any(|column| *column == id)
    }

    /// Whether a column, by its name now, is gone.
    pub(super) fn drops(&self, column: &str) -> bool {
        self.changes.iter().any(|change| matches!(change, TableChange::DropColumn(name) if **name == *column))
    }

    pub(super) fn rebuild(&self, wanted: &Catalog) -> Rebuild {
        let sources = self.new.column_ids().map(|id| self.source(id, wanted)).collect();
        let is_done = |change: &&&TableChange| matches!(change, TableChange::RenameColumn { .. });
        let reasons =
            self.changes.iter().filter(|change| !is_done(change)).map(ToString::to_string).collect();
        Rebuild { old: Arc::new(self.old.clone()), new: Arc::new(self.new.clone()), sources, reasons }
    }

    fn source(&self, id: ColumnId, wanted: &Catalog) -> ColumnSource {
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

    pub(super) fn rebuild_danger(&self) -> Danger {
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
    pub(super) fn dropped_indexes(&self) -> Vec<Arc<str>> {
        let dropped = self.changes.iter().filter_map(|change| match change {
            TableChange::DropIndex(name) | TableChange::DropConstraint(Constraint::Unique, name) => {
                Some(name.clone())
            }
            _ => None,
        });
        dropped.collect()
    }

    pub(super) fn created_indexes(&self) -> Vec<(Arc<str>, Danger)> {
        let created = self.changes.iter().filter_map(|change| match change {
            TableChange::CreateIndex(name) => {
                let index = self.new.indexes.iter().find(|index| index.name == *name);
                let danger = match index {
                    Some(index) if index.unique => may_repeat(name),
                    Some(index) if index.is_exclusion() => {
                        Danger::MayFail(format!("a row may violate {name}"))
                    }
                    _ => Danger::Locks("the rows are read once".to_owned()),
                };
                Some((name.clone(), danger))
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

/// Whether a column can be added without touching existing rows: they hold null. A domain may have a default or refuse nulls.
fn is_simple(column: &Column) -> bool {
    !column.not_null && column.default.is_none() && column.domain.is_none()
}

fn changes_of<'a>(changes: &'a [Change], table: &Name) -> Vec<&'a TableChange> {
    let of_table = changes.iter().filter_map(|change| match change {
        Change::Table { table: name, change } if name == table => Some(change),
        _ => None,
    });
    of_table.collect()
}
