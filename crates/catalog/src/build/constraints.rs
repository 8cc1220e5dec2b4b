//! Constraints of tables, with PostgreSQL's automatic names: checks and keys. See `foreign_keys` for those.

use std::sync::Arc;

use sql::ast::{Expr, TableConstraint, TableConstraintKind};
use types::{Code, Error, Name, Result};

use super::resolve::constraint_names;
use super::{Builder, names};
use crate::expr::bind;
use crate::expr::scope::Source;
use crate::expr::uses::Uses;
use crate::{Check, ColumnId, Table, TableId, Unique};

/// A primary key or unique constraint as written.
struct Key<'a> {
    columns: &'a [String],
    include: &'a [String],
    using_index: Option<&'a str>,
    is_primary: bool,
    nulls_not_distinct: bool,
    deferrable: bool,
    initially_deferred: bool,
}

impl Builder<'_> {
    /// Adds a constraint of any kind.
    pub(super) fn add_constraint(&mut self, id: TableId, constraint: &TableConstraint) -> Result<()> {
        let name = constraint.name.as_deref().map(names::truncated);
        match &constraint.kind {
            TableConstraintKind::Check { expr, .. } => self.add_check(id, name, expr, constraint.not_valid),
            TableConstraintKind::Unique {
                columns,
                nulls_not_distinct,
                include,
                using_index,
                deferrable,
                initially_deferred,
            } => {
                let key = Key {
                    columns,
                    include,
                    using_index: using_index.as_deref(),
                    is_primary: false,
                    nulls_not_distinct: *nulls_not_distinct,
                    deferrable: *deferrable,
                    initially_deferred: *initially_deferred,
                };
                self.add_key(id, name, &key)
            }
            TableConstraintKind::PrimaryKey {
                columns,
                include,
                using_index,
                deferrable,
                initially_deferred,
            } => {
                let using_index = using_index.as_deref();
                let key = Key {
                    columns,
                    include,
                    using_index,
                    is_primary: true,
                    nulls_not_distinct: false,
                    deferrable: *deferrable,
                    initially_deferred: *initially_deferred,
                };
                self.add_key(id, name, &key)
            }
            TableConstraintKind::ForeignKey { columns, references } => {
                self.add_foreign_key(id, name, columns, references, constraint.not_valid)
            }
            TableConstraintKind::Exclude(exclusion) => self.add_exclusion(id, name, exclusion),
        }
    }

    fn add_check(&mut self, id: TableId, name: Option<Arc<str>>, expr: &Expr, not_valid: bool) -> Result<()> {
        let table = &self.catalog[id];
        let bound = bind::expr(&self.names(), vec![Source::root(table)], expr)?;
        self.views.constants(&self.catalog, id, &bound)?;
        let uses = Uses::of(&self.catalog, vec![Source::root(table)], &bound);
        let mut columns = uses.columns_of(&table.name);
        let only = columns.next().filter(|_| columns.next().is_none());
        drop(columns);
        let name = match name {
            Some(name) => self.free_constraint(id, name)?,
            None => names::choose(&table.name.name, only, "check", |name| {
                self.names().has_constraint(&Name::new(table.name.schema.clone(), name))
            }),
        };
        let check = Check { name, expr: Arc::new(bound), not_valid };
        let checks = &mut self.table_mut(id).checks;
        let at = checks.partition_point(|other| other.name < check.name);
        checks.insert(at, check);
        Ok(())
    }

    fn add_key(&mut self, id: TableId, name: Option<Arc<str>>, key: &Key<'_>) -> Result<()> {
        let table = &self.catalog[id];
        if key.is_primary && table.primary_key.is_some() {
            let message = format!("multiple primary keys for table \"{}\" are not allowed", table.name.name);
            return Err(Error::new(Code::INVALID_TABLE_DEFINITION, message));
        }
        let unique = match key.using_index {
            Some(index) => self.key_of_index(id, name, index, key)?,
            None => self.key_of_columns(id, name, key)?,
        };
        let table = self.table_mut(id);
        if key.is_primary {
            for column in &unique.columns {
                table.columns[usize::from(column.0)].not_null = true;
            }
            table.primary_key = Some(unique);
        } else {
            table.uniques.push(unique);
        }
        Ok(())
    }

    fn key_of_columns(&self, id: TableId, name: Option<Arc<str>>, key: &Key<'_>) -> Result<Unique> {
        let table = &self.catalog[id];
        let columns = key_columns(table, key.columns, key.is_primary)?;
        let include = key_columns(table, key.include, key.is_primary)?;
        let name = match name {
            Some(name) => self.free_relation(id, self.free_constraint(id, name)?)?,
            None => self.key_name(table, key),
        };
        Ok(Unique {
            name,
            columns,
            nulls_not_distinct: key.nulls_not_distinct,
            deferrable: key.deferrable,
            initially_deferred: key.initially_deferred,
            include,
        })
    }

    fn key_name(&self, table: &Table, key: &Key<'_>) -> Arc<str> {
        let schema = &table.name.schema;
        let taken = |name: &str| {
            let name = Name::new(schema.clone(), name);
            self.names().has_relation(&name) || self.names().has_constraint(&name)
        };
        if key.is_primary {
            return names::choose(&table.name.name, None, "pkey", taken);
        }
        let columns = names::columns_part(key.columns.iter().chain(key.include).map(String::as_str));
        names::choose(&table.name.name, Some(&columns), "key", taken)
    }

    /// A key made of an index that exists; the index becomes the constraint's.
    fn key_of_index(
        &mut self,
        id: TableId,
        name: Option<Arc<str>>,
        index: &str,
        key: &Key<'_>,
    ) -> Result<Unique> {
        let table = self.table_mut(id);
        let missing = || Error::new(Code::UNDEFINED_OBJECT, format!("index \"{index}\" does not exist"));
        let at = table.indexes.iter().position(|other| &*other.name == index).ok_or_else(missing)?;
        let columns: Option<Vec<ColumnId>> = table.indexes[at].keys.iter().map(|key| key.column).collect();
        let unfit = |what: &str| Error::new(Code::WRONG_OBJECT_TYPE, format!("\"{index}\" {what}"));
        let columns = columns.ok_or_else(|| unfit("contains expressions"))?;
        if !table.indexes[at].unique {
            return Err(unfit("is not a unique index"));
        }
        if table.indexes[at].predicate.is_some() {
            return Err(unfit("is a partial index"));
        }
        let index = table.indexes.remove(at);
        let name = name.unwrap_or(index.name);
        Ok(Unique {
            name,
            columns,
            nulls_not_distinct: index.nulls_not_distinct,
            deferrable: key.deferrable,
            initially_deferred: key.initially_deferred,
            include: index.include,
        })
    }

    /// `42710` when the table has a constraint of this name.
    pub(super) fn free_constraint(&self, id: TableId, name: Arc<str>) -> Result<Arc<str>> {
        let table = &self.catalog[id];
        if constraint_names(table).any(|other| *other == name) {
            let message =
                format!("constraint \"{name}\" for relation \"{}\" already exists", table.name.name);
            return Err(Error::new(Code::DUPLICATE_OBJECT, message));
        }
        Ok(name)
    }

    /// `42P07` when the table's schema has a relation of this name.
    pub(super) fn free_relation(&self, id: TableId, name: Arc<str>) -> Result<Arc<str>> {
        let found = Name::new(self.catalog[id].name.schema.clone(), name.clone());
        if self.names().has_relation(&found) {
            return Err(Error::new(Code::DUPLICATE_TABLE, format!("relation \"{name}\" already exists")));
        }
        Ok(name)
    }
}

fn key_columns(table: &Table, columns: &[String], is_primary: bool) -> Result<Vec<ColumnId>> {
    let mut found = Vec::new();
    for name in columns {
        let missing =
            || Error::new(Code::UNDEFINED_COLUMN, format!("column \"{name}\" named in key does not exist"));
        let (column, _) = table.column(name).ok_or_else(missing)?;
        if found.contains(&column) {
            let kind = if is_primary { "primary key" } else { "unique" };
            return Err(Error::new(
                Code::DUPLICATE_COLUMN,
                format!("column \"{name}\" appears twice in {kind} constraint"),
            ));
        }
        found.push(column);
    }
    Ok(found)
}
