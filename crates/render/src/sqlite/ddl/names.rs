//! Names that SQLite cannot keep apart, or keeps for itself.

use catalog::{Catalog, Table};
use types::{Error, Name, Result};

use crate::sqlite::names::row_key;

/// The schema whose name starts the tables of ours.
const OWN_SCHEMA: &str = "backplane";

/// Refuses a table whose names cannot be stored.
pub(super) fn check(table: &Table) -> Result<()> {
    let schema = &*table.name.schema;
    if schema.contains('.') || schema == OWN_SCHEMA || schema.to_ascii_lowercase().starts_with("sqlite_") {
        return Err(Error::missing(format!("a table in a schema of the name \"{schema}\"")));
    }
    if table.columns.is_empty() {
        return Err(Error::missing(format!("table {} without columns", table.name)));
    }
    if row_key(table) == "rowid" && table.column("rowid").is_some() {
        let message = format!("table {} with columns rowid, _rowid_ and oid", table.name);
        return Err(Error::missing(message));
    }
    for (position, column) in table.columns.iter().enumerate() {
        let twin =
            table.columns[..position].iter().find(|other| other.name.eq_ignore_ascii_case(&column.name));
        if let Some(twin) = twin {
            let (first, second) = (&twin.name, &column.name);
            return Err(Error::missing(format!(
                "table {} with columns \"{first}\" and \"{second}\", which differ only in case,",
                table.name
            )));
        }
    }
    Ok(())
}

/// Refuses a table beside another whose name differs only in case.
pub(super) fn alone(catalog: &Catalog, table: &Table) -> Result<()> {
    let mut stored = catalog.tables.iter().filter(|other| other.has_storage() && other.name != table.name);
    let Some(twin) = stored.find(|other| is_same(&other.name, &table.name)) else {
        return Ok(());
    };
    Err(Error::missing(format!("tables {} and {}, which differ only in case,", twin.name, table.name)))
}

/// Whether SQLite takes two names of tables for one.
pub(super) fn is_same(left: &Name, right: &Name) -> bool {
    left.schema.eq_ignore_ascii_case(&right.schema) && left.name.eq_ignore_ascii_case(&right.name)
}
