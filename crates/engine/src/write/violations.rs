//! The errors of constraints, in PostgreSQL's words.
//!
//! A detail that shows values is given only to those who may see them (`ExecBuildSlotValueDescription`,
//! `BuildIndexValueDescription`): nobody whom policies bind, and of columns only those that may be selected.

use std::sync::Arc;

use catalog::{Catalog, ColumnId, Privilege, Table, TableId};
use query::Write;
use sql::print::quote_ident;
use types::text::print;
use types::{Code, Error, Named, Value};

use crate::contract::Failure;
use crate::work::{Tuple, Work};

/// Longest value of a failing row that is shown whole, in bytes.
const SHOWN_BYTES_MAX: usize = 64;

/// What the caller may see of a table's rows.
pub(super) struct Sight<'a> {
    table: TableId,
    catalog: &'a Catalog,
    roles: Vec<Arc<str>>,
    superuser: bool,
    is_bound: bool,
}

impl Sight<'_> {
    pub(super) fn whole(&self) -> bool {
        !self.is_bound && (self.superuser || self.catalog.allows(&self.roles, self.table, Privilege::Select))
    }

    fn column(&self, column: ColumnId) -> bool {
        !self.is_bound
            && (self.superuser
                || self.catalog.allows_column(&self.roles, self.table, Privilege::Select, column))
    }

    pub(super) fn columns(&self, columns: &[ColumnId]) -> bool {
        columns.iter().all(|column| self.column(*column))
    }
}

impl Work<'_> {
    pub(super) fn sight(&self, table: TableId) -> Sight<'_> {
        let catalog = &self.served.model.catalog;
        let roles = catalog.memberships(&self.run.caller.role);
        let role = catalog.role(&self.run.caller.role);
        let superuser = role.is_some_and(|role| role.superuser);
        let bypass = superuser || role.is_some_and(|role| role.bypass_row_security);
        let declared = &catalog[table];
        let owner = roles.contains(&declared.owner) && !declared.force_row_security;
        let is_bound = declared.row_security && !bypass && !owner;
        Sight { table, catalog, roles, superuser, is_bound }
    }

    pub(super) fn null_violation(
        &self,
        (write, relation): (&Write, TableId),
        column: ColumnId,
        values: &[Value],
        assigned: &[ColumnId],
    ) -> Error {
        let table = &self.served.model.catalog[relation];
        let (column, name) = (&table[column].name, &table.name.name);
        let message =
            format!("null value in column \"{column}\" of relation \"{name}\" violates not-null constraint");
        let error = about(Error::new(Code::NOT_NULL_VIOLATION, message), table);
        self.with_failing_row(error.naming(Named::Column, &**column), write, values, assigned)
    }

    pub(super) fn check_violation(
        &self,
        (write, relation): (&Write, TableId),
        check: &str,
        values: &[Value],
        assigned: &[ColumnId],
    ) -> Error {
        let table = &self.served.model.catalog[relation];
        let name = &table.name.name;
        let message = format!("new row for relation \"{name}\" violates check constraint \"{check}\"");
        let error = about(Error::new(Code::CHECK_VIOLATION, message), table);
        self.with_failing_row(error.naming(Named::Constraint, check), write, values, assigned)
    }

    pub(super) fn with_failing_row(
        &self,
        error: Error,
        write: &Write,
        values: &[Value],
        assigned: &[ColumnId],
    ) -> Error {
        let table = &self.served.model.catalog[write.table];
        let sight = self.sight(write.named());
        if sight.is_bound {
            return error;
        }
        let text = |column: ColumnId| self.shown(table, column, &values[usize::from(column.0)]);
        if sight.whole() {
            let all: Vec<String> = table.column_ids().map(text).collect();
            return error.with_details(format!("Failing row contains ({}).", all.join(", ")));
        }
        let seen: Vec<ColumnId> =
            table.column_ids().filter(|column| sight.column(*column) || assigned.contains(column)).collect();
        if seen.is_empty() {
            return error;
        }
        let names: Vec<&str> = seen.iter().map(|column| &*table[*column].name).collect();
        let texts: Vec<String> = seen.iter().map(|column| text(*column)).collect();
        let (names, texts) = (names.join(", "), texts.join(", "));
        error.with_details(format!("Failing row contains ({names}) = ({texts})."))
    }

    fn shown(&self, table: &Table, column: ColumnId, value: &Value) -> String {
        if value.is_null() {
            return "null".to_owned();
        }
        self.shown_value(&print(&table[column].ty, value, &self.run.session))
    }

    /// The text of a value, cut where it is long.
    pub(super) fn shown_value(&self, text: &str) -> String {
        if text.len() <= SHOWN_BYTES_MAX {
            return text.to_owned();
        }
        let end = (0..=SHOWN_BYTES_MAX).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        format!("{}...", &text[..end])
    }

    /// `(a, b)=(1, 2)` of some columns of a row, their names as they are: what is said of foreign keys.
    pub(super) fn key_text(&self, table: &Table, columns: &[ColumnId], values: &[Value]) -> String {
        let names: Vec<&str> = columns.iter().map(|column| &*table[*column].name).collect();
        self.named_key_text(&names, table, columns, values)
    }

    /// The same with names as SQL spells them: what is said of unique keys.
    fn spelled_key_text(&self, table: &Table, columns: &[ColumnId], values: &[Value]) -> String {
        let names: Vec<String> = columns.iter().map(|column| quote_ident(&table[*column].name)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        self.named_key_text(&names, table, columns, values)
    }

    fn named_key_text(
        &self,
        names: &[&str],
        table: &Table,
        columns: &[ColumnId],
        values: &[Value],
    ) -> String {
        let text = |column: &ColumnId| match &values[usize::from(column.0)] {
            Value::Null => "null".to_owned(),
            value => print(&table[*column].ty, value, &self.run.session),
        };
        let texts: Vec<String> = columns.iter().map(text).collect();
        format!("({})=({})", names.join(", "), texts.join(", "))
    }

    /// The failure of a row that the engine does not store, in the caller's words; that of a foreign key stays as it is, for
    /// what it means shows when all rows of a statement are stored. `old`: what a changed row was.
    pub(super) async fn violation(
        &mut self,
        write: &Write,
        old: Option<&[Value]>,
        row: &[Value],
        failure: Failure,
    ) -> Failure {
        match failure {
            Failure::Unique { index, columns, .. } => {
                let error = self.duplicate(write.table, (index, &columns), old, row).await;
                error.into()
            }
            failure => failure,
        }
    }

    async fn duplicate(
        &mut self,
        table: TableId,
        (index, columns): (Option<String>, &[String]),
        old: Option<&[Value]>,
        row: &[Value],
    ) -> Error {
        let model = self.served.model.clone();
        let declared = &model.catalog[table];
        let mut columns: Vec<ColumnId> =
            columns.iter().filter_map(|name| declared.column(name).map(|(id, _)| id)).collect();
        let mut name = index
            .map(|index| index.split_once('.').map_or(index.clone(), |(_, name)| name.to_owned()))
            .or_else(|| constraint_of(declared, &columns))
            .unwrap_or_default();
        if let Some((earlier, of)) = self.earlier_duplicate(table, &name, old, row).await {
            (name, columns) = (earlier, of);
        }
        self.duplicate_of(table, (&name, columns), row).await
    }

    /// The error of a row that has the key of another.
    pub(super) async fn duplicate_of(
        &mut self,
        table: TableId,
        (name, columns): (&str, Vec<ColumnId>),
        row: &[Value],
    ) -> Error {
        let model = self.served.model.clone();
        let relation = self.relation_of(table, row).await.unwrap_or(table);
        let named = model.catalog.inherited_key(relation, name);
        let (table, name, declared) = (relation, &*named, &model.catalog[relation]);
        let message = format!("duplicate key value violates unique constraint \"{name}\"");
        let error = about(Error::new(Code::UNIQUE_VIOLATION, message), declared);
        let error = error.naming(Named::Constraint, name);
        let columns = if columns.is_empty() { columns_of(declared, name) } else { columns };
        if columns.is_empty() && self.sight(table).whole() {
            return match self.computed_key(table, name, row).await {
                Some(key) => error.with_details(format!("Key {key} already exists.")),
                None => error,
            };
        }
        if columns.is_empty() || !self.sight(table).columns(&columns) {
            return error;
        }
        error.with_details(format!("Key {} already exists.", self.spelled_key_text(declared, &columns, row)))
    }
}

impl Work<'_> {
    /// The first key that was declared before the one that an engine names, and that the row duplicates as well: PostgreSQL looks
    /// at keys in the order of their declaration.
    async fn earlier_duplicate(
        &mut self,
        table: TableId,
        named: &str,
        old: Option<&[Value]>,
        row: &[Value],
    ) -> Option<(String, Vec<ColumnId>)> {
        let model = self.served.model.clone();
        let uniques = model[table].uniques.iter().filter(|key| key.excludes.is_none() && !key.deferrable);
        for key in uniques.take_while(|key| *key.name != *named) {
            // A row is no duplicate of what it was.
            let own = match old {
                Some(old) => self.holder(table, key, old).await.ok().flatten().map(|own| own.key),
                None => None,
            };
            let holder = self.holder(table, key, row).await.ok().flatten();
            if holder.is_some_and(|holder| Some(holder.key) != own) {
                return Some((key.name.to_string(), key.columns().unwrap_or_default()));
            }
        }
        None
    }

    /// `(lower(a), b)=(x, 2)` of an index over calls and columns. Other expressions are not printed as PostgreSQL does.
    async fn computed_key(&mut self, table: TableId, index: &str, row: &[Value]) -> Option<String> {
        let model = self.served.model.clone();
        let declared = &model.catalog[table];
        let index = declared.indexes.iter().find(|known| &*known.name == index)?;
        let tuple = Tuple { table, target: query::model::ROW, values: row, excluded: None };
        let (mut names, mut texts) = (Vec::new(), Vec::new());
        for key in &index.keys {
            let expr = query::resolve::row_value(&model.catalog, declared, &key.expr).ok()?;
            names.push(query::arbiters::key_words(declared, &expr)?);
            let value = self.value(&expr, Some(tuple), &[]).await.ok()?;
            texts.push(match value {
                Value::Null => "null".to_owned(),
                value => print(&expr.ty(), &value, &self.run.session),
            });
        }
        Some(format!("({})=({})", names.join(", "), texts.join(", ")))
    }
}

/// An error that names a table.
pub(super) fn about(error: Error, table: &Table) -> Error {
    error.naming(Named::Schema, &*table.name.schema).naming(Named::Table, &*table.name.name)
}

/// The name of the key, constraint or index over exactly these columns.
fn constraint_of(table: &Table, columns: &[ColumnId]) -> Option<String> {
    let keys = table.primary_key.iter().chain(&table.uniques);
    let named = keys.map(|key| (&key.name, key.columns.clone()));
    let indexes = table.indexes.iter().filter(|index| index.unique);
    let indexes =
        indexes.map(|index| (&index.name, index.keys.iter().filter_map(|key| key.column).collect()));
    let found = named.chain(indexes).find(|(_, of): &(_, Vec<ColumnId>)| of == columns);
    found.map(|(name, _)| name.to_string())
}

fn columns_of(table: &Table, name: &str) -> Vec<ColumnId> {
    let keys = table.primary_key.iter().chain(&table.uniques);
    keys.into_iter().find(|key| *key.name == *name).map(|key| key.columns.clone()).unwrap_or_default()
}
