//! `create index`

use std::sync::Arc;

use sql::ast::{self, CreateIndex, Expr, ExprKind};
use types::{Code, Error, Name, Result};

use super::tables::exists;
use super::{Builder, Outcome, names};
use crate::expr::scope::Source;
use crate::expr::{bind, figure};
use crate::{ColumnId, Index, IndexKey, Table, TableId, TableKind};

/// Names of the one collation that there is: by code point.
const OUR_COLLATIONS: [&str; 5] = ["default", "C", "POSIX", "C.UTF-8", "ucs_basic"];

impl Builder<'_> {
    pub(super) fn create_index(&mut self, create: &CreateIndex) -> Result<Outcome> {
        let id = self.table(&create.table)?;
        let table = &self.catalog[id];
        if matches!(table.kind, TableKind::View { materialized: false, .. }) {
            let message = format!("cannot create index on relation \"{}\"", table.name.name);
            return Err(Error::new(Code::WRONG_OBJECT_TYPE, message)
                .with_details("This operation is not supported for views."));
        }
        if let Some(name) = &create.name {
            let name = Name::new(table.name.schema.clone(), names::truncated(name));
            if self.names().has_relation(&name) {
                return exists(&name, create.if_not_exists);
            }
        }
        if create.unique && self.catalog[id].partition.is_some() {
            return Err(Error::missing(format!(
                "a unique index on partition {} alone",
                self.catalog[id].name
            )));
        }
        let index = self.index(id, create, "idx")?;
        self.table_mut(id).indexes.push(index);
        self.refuse_keys_without_partition_keys(id).inspect_err(|_| {
            self.catalog.tables[id.0 as usize].indexes.pop();
        })?;
        Ok(Outcome::Applied)
    }

    /// `exclude …`: an index, and what two of its keys must not be to each other.
    pub(super) fn add_exclusion(
        &mut self,
        id: TableId,
        name: Option<Arc<str>>,
        exclusion: &ast::Exclusion,
    ) -> Result<()> {
        let table = &self.catalog[id].name;
        let create = CreateIndex {
            name: name.as_deref().map(str::to_owned),
            table: ast::ObjectName {
                schema: Some(table.schema.to_string()),
                name: table.name.to_string(),
                span: types::Span::default(),
            },
            unique: false,
            if_not_exists: false,
            method: exclusion.method.clone(),
            keys: exclusion.keys.iter().map(|(key, _)| key.clone()).collect(),
            include: exclusion.include.clone(),
            nulls_not_distinct: false,
            filter: exclusion.filter.clone(),
        };
        if let Some(name) = name {
            self.free_relation(id, self.free_constraint(id, name)?)?;
        }
        let mut index = self.index(id, &create, "excl")?;
        index.excludes = exclusion.keys.iter().map(|(_, operator)| operator.as_str().into()).collect();
        (index.deferrable, index.initially_deferred) = (exclusion.deferrable, exclusion.initially_deferred);
        self.table_mut(id).indexes.push(index);
        Ok(())
    }

    /// An index; `kind` ends the name that it is given.
    fn index(&self, id: TableId, create: &CreateIndex, kind: &str) -> Result<Index> {
        let table = &self.catalog[id];
        let keys = create.keys.iter().map(|key| self.index_key(table, key)).collect::<Result<Vec<_>>>()?;
        let include =
            create.include.iter().map(|column| included(table, column)).collect::<Result<Vec<_>>>()?;
        let predicate = create
            .filter
            .as_ref()
            .map(|filter| bind::expr(&self.names(), vec![Source::root(table)], filter))
            .transpose()?;
        Ok(Index {
            name: create
                .name
                .as_deref()
                .map_or_else(|| self.index_name(table, create, kind), names::truncated),
            unique: create.unique,
            nulls_not_distinct: create.nulls_not_distinct,
            method: create.method.as_str().into(),
            keys,
            include,
            predicate: predicate.map(Arc::new),
            excludes: Vec::new(),
            deferrable: false,
            initially_deferred: false,
            comment: None,
        })
    }

    fn index_key(&self, table: &Table, key: &ast::IndexKey) -> Result<IndexKey> {
        let expr = bind::expr(&self.names(), vec![Source::root(table)], &key.expr)?;
        let column = plain_column(table, &expr);
        if let Some(collation) =
            key.collation.as_ref().filter(|name| !OUR_COLLATIONS.contains(&name.name.as_str()))
        {
            return Err(Error::missing(format!("collation \"{}\"", collation.name)));
        }
        Ok(IndexKey {
            column,
            expr: Arc::new(expr),
            opclass: key.opclass.as_ref().map(|name| name.name.as_str().into()),
            descending: key.descending,
            nulls_first: key.nulls_first.unwrap_or(key.descending),
        })
    }

    fn index_name(&self, table: &Table, create: &CreateIndex, kind: &str) -> Arc<str> {
        let keys =
            create.keys.iter().map(|key| figure::column_name(&key.expr).unwrap_or_else(|| "expr".to_owned()));
        let parts = names::key_names(keys.chain(create.include.iter().cloned()));
        let columns = names::columns_part(parts.iter().map(String::as_str));
        let taken = |name: &str| {
            let name = Name::new(table.name.schema.clone(), name);
            self.names().has_relation(&name) || (kind == "excl" && self.names().has_constraint(&name))
        };
        names::choose(&table.name.name, Some(&columns), kind, taken)
    }
}

/// The column that an expression is, if it is nothing more.
pub(super) fn plain_column(table: &Table, expr: &Expr) -> Option<ColumnId> {
    match &*expr.kind {
        ExprKind::Column(parts) => table.column(parts.last()?).map(|(column, _)| column),
        _ => None,
    }
}

fn included(table: &Table, column: &str) -> Result<ColumnId> {
    let found = table.column(column).map(|(column, _)| column);
    found.ok_or_else(|| Error::new(Code::UNDEFINED_COLUMN, format!("column \"{column}\" does not exist")))
}
