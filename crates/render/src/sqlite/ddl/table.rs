//! Tables and their columns.

use catalog::{Catalog, Column, ColumnId, Table};
use types::session::Session;
use types::{Name, Result, Type};

use super::{foreign_key, index, names, plain, stored_name};
use crate::schema::Task;
use crate::sqlite::names::{collation, quote};

/// A new table with its keys, foreign keys and indexes.
pub(super) fn create(catalog: &Catalog, table: &Table, session: &Session) -> Result<Vec<Task>> {
    let mut tasks = vec![Task::Run(plain(definition(catalog, table)?, session))];
    tasks.extend(index::create_all(catalog, table, session)?);
    Ok(tasks)
}

/// `CREATE TABLE`.
pub(super) fn definition(catalog: &Catalog, table: &Table) -> Result<String> {
    names::check(table)?;
    names::alone(catalog, table)?;
    let columns = table.columns.iter().map(|column| Ok(column_definition(column)));
    let keys = table.foreign_keys.iter().map(|key| foreign_key::definition(catalog, table, key));
    let parts = columns.chain(keys).collect::<Result<Vec<_>>>()?;
    Ok(format!("CREATE TABLE {} ({}) STRICT", stored_name(&table.name), parts.join(", ")))
}

/// Another name. SQLite takes one that differs only in case for another table's, so that a third stands between.
pub(super) fn rename(catalog: &Catalog, from: &Name, to: &Name, session: &Session) -> Result<Vec<Task>> {
    if let Some((_, table)) = catalog.table(to) {
        names::alone(catalog, table)?;
    }
    let between = Name::new(to.schema.clone(), format!("{}~between", to.name));
    let road = if names::is_same(from, to) { vec![from, &between, to] } else { vec![from, to] };
    let step =
        |from: &Name, to: &Name| format!("ALTER TABLE {} RENAME TO {}", stored_name(from), stored_name(to));
    let steps = road.iter().zip(road.iter().skip(1));
    Ok(steps.map(|(from, to)| Task::Run(plain(step(from, to), session))).collect())
}

/// A column that is null in existing rows.
pub(super) fn add_column(table: &Table, column: ColumnId, session: &Session) -> Result<Vec<Task>> {
    names::check(table)?;
    let definition = column_definition(&table[column]);
    let text = format!("ALTER TABLE {} ADD COLUMN {definition}", stored_name(&table.name));
    Ok(vec![Task::Run(plain(text, session))])
}

fn column_definition(column: &Column) -> String {
    let mut text = format!("{} {}", quote(&column.name), storage(&column.ty));
    if column.not_null {
        text.push_str(" NOT NULL");
    }
    if let Some(collation) = collation(&column.ty) {
        text.push_str(" COLLATE ");
        text.push_str(collation);
    }
    text
}

/// How values of a type are stored: the table "How SQLite keeps values" of ARCHITECTURE.md.
fn storage(ty: &Type) -> &'static str {
    match ty {
        Type::Bool | Type::Int2 | Type::Int4 | Type::Int8 => "INTEGER",
        Type::Date | Type::Time | Type::Timestamp | Type::Timestamptz => "INTEGER",
        // `NaN` is text.
        Type::Float4 | Type::Float8 => "ANY",
        Type::Bytea | Type::Vector => "BLOB",
        Type::Numeric | Type::Interval => "TEXT",
        Type::Text | Type::Varchar | Type::Bpchar | Type::Citext | Type::Uuid => "TEXT",
        Type::Json | Type::Jsonb | Type::Jsonpath | Type::Timetz | Type::Inet | Type::Cidr => "TEXT",
        Type::Bit | Type::Varbit | Type::Tsvector | Type::Tsquery | Type::Range(_) | Type::Enum(_) => "TEXT",
        Type::Composite(_) | Type::Array(_) | Type::Opaque(_) | Type::Unknown | Type::Void => "TEXT",
    }
}
