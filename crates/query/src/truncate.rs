//! `truncate`: which tables it empties, and who may (PostgreSQL, `ExecuteTruncate`). Policies are not asked.

use std::sync::Arc;

use catalog::{Catalog, Privilege, Sequence, Table, TableId, TableKind};
use sql::ast::ObjectName;
use types::{Code, Error, Name, Result};

use crate::authorize::Authorized;
use crate::ir::Caller;
use crate::model::Model;
use crate::triggers::references_to;

/// Tables to be emptied.
#[derive(Clone, Debug)]
pub struct Truncation {
    /// The tables in the order in which their triggers are fired: those that are named, then those to which it cascades.
    pub tables: Vec<TableId>,
    /// Whether the sequences of their columns start again.
    pub restarts: bool,
}

impl Truncation {
    /// Each table before those that it references, as far as references make no circle.
    pub fn referencing_first(&self, catalog: &Catalog) -> Vec<TableId> {
        let references = |from: TableId, to: TableId| {
            catalog[from].foreign_keys.iter().any(|key| key.target == catalog[to].name)
        };
        let mut rest = self.tables.clone();
        let mut ordered = Vec::with_capacity(rest.len());
        while !rest.is_empty() {
            let is_free =
                |table: &TableId| rest.iter().all(|other| other == table || !references(*other, *table));
            let at = rest.iter().position(is_free).unwrap_or(0);
            ordered.push(rest.remove(at));
        }
        ordered
    }

    /// The sequences that start again.
    pub fn sequences<'c>(&self, catalog: &'c Catalog) -> Vec<&'c Sequence> {
        if !self.restarts {
            return Vec::new();
        }
        let is_of = |sequence: &&Sequence| {
            let owner = sequence.owned_by.as_ref();
            owner.is_some_and(|(table, _)| self.tables.iter().any(|id| catalog[*id].name == *table))
        };
        catalog.sequences.values().filter(is_of).collect()
    }
}

/// What is to be emptied by a caller, where names are looked for on a path.
///
/// # Errors
/// `42P01` for a table that there is not, `42809` for what is no table, `42501` for one that the caller may not empty, `0A000` for
/// one that others reference.
pub fn truncation(
    model: &Model,
    (names, restarts, cascades): (&[ObjectName], bool, bool),
    path: &[Arc<str>],
    caller: &Caller,
) -> Result<Authorized<Truncation>> {
    let mut tables: Vec<TableId> = Vec::new();
    for name in names {
        let table = found(&model.catalog, name, path)?;
        let declared = &model.catalog[table];
        if !matches!(declared.kind, TableKind::Table) {
            let message = format!("\"{}\" is not a table", declared.name.name);
            return Err(Error::new(Code::WRONG_OBJECT_TYPE, message));
        }
        require(model, table, caller)?;
        if !tables.contains(&table) {
            tables.push(table);
        }
    }
    let mut next = 0;
    while let Some(table) = tables.get(next).copied() {
        for (from, _) in references_to(model, table) {
            if tables.contains(&from) {
                continue;
            }
            if !cascades {
                return Err(referenced(&model.catalog[table], &model.catalog[from]));
            }
            require(model, from, caller)?;
            tables.push(from);
        }
        next += 1;
    }
    let truncation = Truncation { tables, restarts };
    require_sequences(&model.catalog, &truncation, caller)?;
    Ok(Authorized::of_truncation(truncation))
}

/// Only owners make sequences start again; a sequence of a column is owned by whoever owns its table.
fn require_sequences(catalog: &Catalog, truncation: &Truncation, caller: &Caller) -> Result<()> {
    let is_superuser = catalog.role(&caller.role).is_some_and(|role| role.superuser);
    let roles = catalog.memberships(&caller.role);
    for sequence in truncation.sequences(catalog) {
        let owner = sequence.owned_by.as_ref().and_then(|(table, _)| catalog.table(table));
        if !is_superuser && !owner.is_some_and(|(_, table)| roles.contains(&table.owner)) {
            let message = format!("must be owner of sequence {}", sequence.name.name);
            return Err(Error::new(Code::PRIVILEGE, message));
        }
    }
    Ok(())
}

fn found(catalog: &Catalog, name: &ObjectName, path: &[Arc<str>]) -> Result<TableId> {
    let found = match &name.schema {
        Some(schema) => catalog.table(&Name::new(schema.as_str(), name.name.as_str())),
        None => path.iter().find_map(|schema| catalog.table(&Name::new(schema.clone(), name.name.as_str()))),
    };
    let schema = name.schema.as_ref().map(|schema| format!("{schema}.")).unwrap_or_default();
    let missing = || format!("relation \"{schema}{}\" does not exist", name.name);
    found.map(|(id, _)| id).ok_or_else(|| Error::new(Code::UNDEFINED_TABLE, missing()))
}

fn require(model: &Model, table: TableId, caller: &Caller) -> Result<()> {
    let catalog = &model.catalog;
    let is_superuser = catalog.role(&caller.role).is_some_and(|role| role.superuser);
    if is_superuser || catalog.allows(&catalog.memberships(&caller.role), table, Privilege::Truncate) {
        return Ok(());
    }
    Err(Error::new(Code::PRIVILEGE, format!("permission denied for table {}", catalog[table].name.name)))
}

fn referenced(table: &Table, by: &Table) -> Error {
    let (table, by) = (&table.name.name, &by.name.name);
    let message = "cannot truncate a table referenced in a foreign key constraint";
    Error::new(Code::FEATURE_NOT_SUPPORTED, message)
        .with_details(format!("Table \"{by}\" references \"{table}\"."))
        .with_hint(format!("Truncate table \"{by}\" at the same time, or use TRUNCATE ... CASCADE."))
}
