//! Tables and views with their columns.

use std::collections::HashMap;
use std::sync::Arc;

use catalog::{Catalog, Column, ColumnId, DefaultValue, Table, TableId, TableKind, ViewRights};
use sql::ast::{CheckOption, Literal, Query, QueryBody};
use types::{Name, Span};

use super::acl::Grants;
use super::facts::{self, Relation};
use super::text;
use super::type_ids::Types;

/// Where a relation of the database stands in the catalog. Numbers of columns have gaps where columns were dropped.
pub(super) struct ById {
    pub(super) table: TableId,
    columns: HashMap<i32, ColumnId>,
    has_acl: bool,
}

impl ById {
    pub(super) fn column(&self, number: i32) -> Option<ColumnId> {
        self.columns.get(&number).copied()
    }

    /// Columns by their numbers; `None` when one is missing.
    pub(super) fn columns(&self, numbers: &[i16]) -> Option<Vec<ColumnId>> {
        numbers.iter().map(|&number| self.column(i32::from(number))).collect()
    }
}

/// Adds tables and views without columns.
pub(super) fn relations(catalog: &mut Catalog, found: Vec<Relation>) -> HashMap<i64, ById> {
    let mut by_id = HashMap::new();
    for relation in found {
        let Ok(position) = u32::try_from(catalog.tables.len()) else { break };
        let id = ById { table: TableId(position), columns: HashMap::new(), has_acl: relation.has_acl };
        by_id.insert(relation.id, id);
        let name = Name::new(relation.schema.as_str(), relation.name.as_str());
        let kind = kind(catalog, &relation, &name);
        catalog.tables.push(Table {
            row_security: relation.row_security,
            force_row_security: relation.force_row_security,
            comment: relation.comment,
            ..Table::new(name, kind, relation.owner.into())
        });
    }
    by_id
}

fn kind(catalog: &mut Catalog, relation: &Relation, name: &Name) -> TableKind {
    let materialized = relation.kind == "m";
    if relation.kind != "v" && !materialized {
        return TableKind::Table;
    }
    let said = relation.query.as_deref().unwrap_or_default();
    let query = text::query(catalog, said, || format!("the query of view {name}")).unwrap_or_else(nothing);
    TableKind::View {
        query: Arc::new(query),
        rights: relation.options.iter().find_map(|option| rights(option)).unwrap_or_default(),
        materialized,
        check_option: relation.options.iter().find_map(|option| match option.as_str() {
            "check_option=local" => Some(CheckOption::Local),
            "check_option=cascaded" => Some(CheckOption::Cascaded),
            _ => None,
        }),
    }
}

/// A query without columns, which come from nowhere then.
fn nothing() -> Query {
    let body = QueryBody::Select(Box::default());
    let (order_by, locking) = (Vec::new(), Vec::new());
    Query { with: None, body, order_by, limit: None, offset: None, locking, span: Span::default() }
}

fn rights(option: &str) -> Option<ViewRights> {
    let value = option.strip_prefix("security_invoker=")?;
    Some(ViewRights::said(matches!(value.to_lowercase().as_str(), "true" | "on" | "yes" | "1")))
}

/// Adds the columns.
pub(super) fn columns(
    catalog: &mut Catalog,
    by_id: &mut HashMap<i64, ById>,
    found: Vec<facts::Column>,
    types: &Types<'_>,
) {
    for column in found {
        let Some(place) = by_id.get_mut(&column.relation) else { continue };
        let at = place.table.0 as usize;
        let default = default(catalog, &column, at);
        let Some(table) = catalog.tables.get_mut(at) else { continue };
        let Ok(position) = u16::try_from(table.columns.len()) else { continue };
        place.columns.insert(column.number, ColumnId(position));
        let typed = types.get(column.ty, column.modifier);
        let name: Arc<str> = column.name.into();
        table.columns.push(Column {
            origin: (name.clone(), 0),
            name,
            ty: typed.ty,
            modifier: typed.modifier,
            domain: typed.domain,
            not_null: column.not_null,
            default,
            comment: column.comment,
        });
    }
}

/// The names of sequences of identity columns come with the sequences.
fn default(catalog: &mut Catalog, column: &facts::Column, table: usize) -> Option<DefaultValue> {
    let name = catalog.tables.get(table).map(|table| table.name.clone())?;
    if !column.identity.is_empty() {
        return Some(DefaultValue::Identity { always: column.identity == "a", sequence: name });
    }
    let said = column.expr.as_deref()?;
    let what = || format!("the default of {name}.{}", column.name);
    let expr = text::expr(catalog, said, Literal::Null, what);
    Some(if column.generated.is_empty() { DefaultValue::Expr(expr) } else { DefaultValue::Generated(expr) })
}

/// Adds what was granted.
pub(super) fn grants(catalog: &mut Catalog, by_id: &HashMap<i64, ById>, grants: &Grants) {
    for (&id, place) in by_id {
        let Some(table) = catalog.tables.get_mut(place.table.0 as usize) else { continue };
        table.acl = match place.has_acl {
            true => grants.explicit("relation", id, &table.owner, |number| place.column(number)),
            false => grants.of_columns(id, |number| place.column(number)),
        };
    }
}
