//! `create table`

use std::collections::HashSet;
use std::sync::Arc;

use sql::ast::{CreateTable, TableConstraint, TableConstraintKind};
use types::{Code, Error, Name, Result};

use super::resolve::written;
use super::{Builder, Outcome};
use crate::role::ObjectKind;
use crate::{Table, TableId, TableKind};

/// Most columns of a table, as in PostgreSQL.
const COLUMNS_MAX: usize = 1600;

impl Builder<'_> {
    pub(super) fn create_table(&mut self, create: &CreateTable) -> Result<Outcome> {
        if let Some(what) = unsupported(create) {
            return Err(Error::missing(what));
        }
        let name = match create.temporary {
            true => self.temporary(&create.name)?,
            false => self.names().creation(&create.name)?,
        };
        if self.names().has_relation(&name) {
            return exists(&name, create.if_not_exists);
        }
        if let Some(of) = &create.partition_of {
            return self.create_partition(name, create, of);
        }
        let id = self.add_table(self.new_table(name, TableKind::Table));
        self.fill_table(id, create).inspect_err(|_| self.forget_table(id))?;
        Ok(Outcome::Applied)
    }

    fn fill_table(&mut self, id: TableId, create: &CreateTable) -> Result<()> {
        if create.columns.len() > COLUMNS_MAX {
            return Err(Error::new(
                Code::LIMIT_EXCEEDED,
                format!("tables can have at most {COLUMNS_MAX} columns"),
            ));
        }
        refuse_repeated(create)?;
        let columns = create
            .columns
            .iter()
            .map(|definition| self.declare_column(id, definition))
            .collect::<Result<Vec<_>>>()?;
        for (column, definition) in columns.into_iter().zip(&create.columns) {
            self.complete_column(id, column, definition)?;
        }
        self.add_constraints(id, all_constraints(create))?;
        create.partition_by.as_ref().map_or(Ok(()), |by| self.declare_partitioning(id, by))
    }

    /// Takes back the last table and its sequences.
    pub(super) fn forget_table(&mut self, id: TableId) {
        let Some(table) = self.catalog.tables.pop() else { return };
        self.catalog.table_ids.remove(&table.name);
        debug_assert_eq!(id.0 as usize, self.catalog.tables.len(), "only the last table can be forgotten");
        let owned =
            |owner: &Option<(Name, Arc<str>)>| owner.as_ref().is_some_and(|(name, _)| *name == table.name);
        let sequences = self.catalog.sequences.values().filter(|sequence| owned(&sequence.owned_by));
        for name in sequences.map(|sequence| sequence.name.clone()).collect::<Vec<_>>() {
            self.catalog.sequences.remove(&name);
            self.catalog.history.sequence_origins.remove(&name);
        }
    }

    /// A relation without columns, owned by the current role, with the privileges that new ones start with.
    pub(super) fn new_table(&self, name: Name, kind: TableKind) -> Table {
        Table {
            origin: self.catalog.history.new_table(&name, &self.catalog.tables),
            acl: self.initial_acl(ObjectKind::Table, Some(&name.schema)),
            ..Table::new(name, kind, self.role.clone())
        }
    }

    pub(super) fn add_table(&mut self, table: Table) -> TableId {
        let id = TableId(u32::try_from(self.catalog.tables.len()).unwrap_or(u32::MAX));
        self.catalog.table_ids.insert(table.name.clone(), id);
        self.catalog.tables.push(table);
        id
    }

    /// Adds constraints in PostgreSQL's order, which decides about automatic names: checks, primary key, unique, foreign keys.
    fn add_constraints(&mut self, id: TableId, mut constraints: Vec<TableConstraint>) -> Result<()> {
        constraints.sort_by_key(|constraint| rank(&constraint.kind));
        drop_repeated(&mut constraints);
        // A table without rows holds to all of them.
        constraints.iter_mut().for_each(|constraint| constraint.not_valid = false);
        constraints.iter().try_for_each(|constraint| self.add_constraint(id, constraint))
    }
}

fn unsupported(create: &CreateTable) -> Option<String> {
    let name = written(&create.name);
    if let Some(parent) = create.inherits.first() {
        return Some(format!("inheritance of table {name} from {}", written(parent)));
    }
    create.like.first().map(|like| format!("create table {name} like {}", written(like)))
}

fn refuse_repeated(create: &CreateTable) -> Result<()> {
    let mut seen = HashSet::new();
    match create.columns.iter().find(|column| !seen.insert(&column.name)) {
        Some(column) => Err(Error::new(
            Code::DUPLICATE_COLUMN,
            format!("column \"{}\" specified more than once", column.name),
        )),
        None => Ok(()),
    }
}

/// `42P07`, or nothing to do.
pub(super) fn exists(name: &Name, is_allowed: bool) -> Result<Outcome> {
    let message = format!("relation \"{}\" already exists", name.name);
    if is_allowed { Ok(Outcome::Skipped(message)) } else { Err(Error::new(Code::DUPLICATE_TABLE, message)) }
}

/// Constraints of the columns, written as the table's, then the table's own.
fn all_constraints(create: &CreateTable) -> Vec<TableConstraint> {
    let of_columns = create.columns.iter().flat_map(super::columns::table_constraints);
    of_columns.chain(create.constraints.iter().cloned()).collect()
}

fn rank(kind: &TableConstraintKind) -> u8 {
    match kind {
        TableConstraintKind::Check { .. } => 0,
        TableConstraintKind::PrimaryKey { .. } => 1,
        TableConstraintKind::Unique { .. } | TableConstraintKind::Exclude(_) => 2,
        TableConstraintKind::ForeignKey { .. } => 3,
    }
}

/// A unique constraint said twice is one, and one that repeats the primary key is none, unless it has a name of its own.
fn drop_repeated(constraints: &mut Vec<TableConstraint>) {
    let mut seen: Vec<(Vec<String>, bool)> = Vec::new();
    constraints.retain(|constraint| {
        let (key, is_unique) = match &constraint.kind {
            TableConstraintKind::Unique {
                columns, nulls_not_distinct, include, deferrable: false, ..
            } if include.is_empty() => ((columns.clone(), *nulls_not_distinct), true),
            TableConstraintKind::PrimaryKey { columns, include, .. } if include.is_empty() => {
                ((columns.clone(), false), false)
            }
            _ => return true,
        };
        let is_repeated = is_unique && constraint.name.is_none() && seen.contains(&key);
        seen.push(key);
        !is_repeated
    });
}
