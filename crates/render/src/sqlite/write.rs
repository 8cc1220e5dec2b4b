//! Writes: the engine decides what is written, these only store it.

use std::sync::Arc;

use catalog::{Catalog, ColumnId, TableId};
use types::stored::encode;
use types::{Result, Type, Value};

use super::{Writer, names};
use crate::{Bindings, Command};

/// Stores whole new rows and returns their keys.
///
/// # Errors
/// When a value cannot be stored.
pub fn insert(
    catalog: &Catalog,
    table: TableId,
    rows: &[Vec<Value>],
    bindings: &Bindings<'_>,
) -> Result<Command> {
    let mut writer = Writer::new(catalog, bindings);
    let declared = &catalog[table];
    writer.push("INSERT INTO ");
    writer.identifier(&names::table_name(&declared.name));
    writer.push(" (");
    writer.list(&declared.columns, ", ", |writer, column| {
        writer.identifier(&column.name);
        Ok(())
    })?;
    writer.push(") VALUES ");
    writer.list(rows, ", ", |writer, row| {
        writer.push("(");
        writer.list(declared.columns.iter().zip(row), ", ", |writer, (column, value)| {
            writer.parameter(encode(&column.ty, value)?);
            Ok(())
        })?;
        writer.push(")");
        Ok(())
    })?;
    writer.push(" RETURNING ");
    writer.push(names::row_key(declared));
    Ok(writer.finish(Arc::from([(Arc::from("key"), Type::Int8)])))
}

/// Stores new values in one row, puts it behind all others and returns its new key: in PostgreSQL, too, a changed row is a new
/// one, and reads without an order come to it last.
///
/// # Errors
/// When a value cannot be stored.
pub fn update(
    catalog: &Catalog,
    table: TableId,
    key: i64,
    set: &[(ColumnId, Value)],
    bindings: &Bindings<'_>,
) -> Result<Command> {
    let mut writer = Writer::new(catalog, bindings);
    let declared = &catalog[table];
    let (stored, row_key) = (names::table_name(&declared.name), names::row_key(declared));
    writer.push("UPDATE ");
    writer.identifier(&stored);
    writer.number(format_args!(" SET {row_key} = (SELECT max({row_key}) + 1 FROM "));
    writer.identifier(&stored);
    writer.push("), ");
    writer.list(set, ", ", |writer, (column, value)| {
        writer.identifier(&declared[*column].name);
        writer.push(" = ");
        writer.parameter(encode(&declared[*column].ty, value)?);
        Ok(())
    })?;
    by_key(&mut writer, declared, key);
    writer.push(" RETURNING ");
    writer.push(row_key);
    Ok(writer.finish(Arc::from([(Arc::from("key"), Type::Int8)])))
}

/// Removes rows; returns their keys.
pub fn delete(catalog: &Catalog, table: TableId, keys: &[i64], bindings: &Bindings<'_>) -> Command {
    let mut writer = Writer::new(catalog, bindings);
    let declared = &catalog[table];
    writer.push("DELETE FROM ");
    writer.identifier(&names::table_name(&declared.name));
    if let [key] = keys {
        by_key(&mut writer, declared, *key);
    } else {
        writer.push(" WHERE ");
        writer.push(names::row_key(declared));
        writer.push(" IN (SELECT value FROM json_each(");
        writer.keys(keys);
        writer.push("))");
    }
    writer.push(" RETURNING ");
    writer.push(names::row_key(declared));
    writer.finish(Arc::from([(Arc::from("key"), Type::Int8)]))
}

/// Removes all rows of a table.
pub(super) fn empty(catalog: &Catalog, table: TableId, bindings: &Bindings<'_>) -> Command {
    let mut writer = Writer::new(catalog, bindings);
    writer.push("DELETE FROM ");
    writer.identifier(&names::table_name(&catalog[table].name));
    writer.finish(Arc::from([]))
}

fn by_key(writer: &mut Writer<'_>, table: &catalog::Table, key: i64) {
    writer.push(" WHERE ");
    writer.push(names::row_key(table));
    writer.push(" = ");
    writer.parameter(types::stored::Stored::Int(key));
}
