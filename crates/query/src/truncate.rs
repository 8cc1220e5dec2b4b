//! `truncate`: which tables it empties, and who may (PostgreSQL, `ExecuteTruncate`); `lock`, who may. Policies are not asked.

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

/// What is to be emptied by a caller, where names are looked for on a path: of tables alone, if so said.
///
/// # Errors
/// `42P01` for a table that there is not, `42809` for what is no table, `42501` for one that the caller may not empty, `0A000` for
/// one that others reference.
pub fn truncation(
    model: &Model,
    (names, only, restarts, cascades): (&[ObjectName], bool, bool, bool),
    path: &[Arc<str>],
    caller: &Caller,
) -> Result<Authorized<Truncation>> {
    let mut tables: Vec<TableId> = Vec::new();
    for name in names {
        let table = found(&model.catalog, name, path, caller)?;
        let declared = &model.catalog[table];
        if !matches!(declared.kind, TableKind::Table) {
            let message = format!("\"{}\" is not a table", declared.name.name);
            return Err(Error::new(Code::WRONG_OBJECT_TYPE, message));
        }
        if declared.partition.is_some() {
            return Err(Error::missing(format!("truncate of partition {} alone", declared.name)));
        }
        require(model, (table, &[Privilege::Truncate]), caller)?;
        if only && declared.partitioning.is_some() {
            let message = "cannot truncate only a partitioned table";
            return Err(Error::new(Code::WRONG_OBJECT_TYPE, message).with_hint(
                "Do not specify the ONLY keyword, or use TRUNCATE ONLY on the partitions directly.",
            ));
        }
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
            require(model, (from, &[Privilege::Truncate]), caller)?;
            tables.push(from);
        }
        next += 1;
    }
    let truncation = Truncation { tables, restarts };
    require_sequences(&model.catalog, &truncation, caller)?;
    Ok(Authorized::of_truncation(truncation))
}

/// Refuses a caller who may not lock tables: there is nobody to be kept from them (PostgreSQL, `LockTableAclCheck`).
///
/// # Errors
/// `42P01` for a table that there is not, `42501` for one that the caller may not lock.
pub fn lock(
    model: &Model,
    (names, mode): (&[ObjectName], &str),
    path: &[Arc<str>],
    caller: &Caller,
) -> Result<()> {
    use Privilege::{Delete, Insert, Select, Truncate, Update};
    let asked: &[Privilege] = match mode {
        "access share" => &[Select],
        "row exclusive" => &[Insert, Update, Delete, Truncate],
        _ => &[Update, Delete, Truncate],
    };
    names.iter().try_for_each(|name| {
        let table = found(&model.catalog, name, path, caller)?;
        require(model, (table, asked), caller)
    })
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

/// The table of a name. Schemas that the caller may not use are not looked into.
fn found(catalog: &Catalog, name: &ObjectName, path: &[Arc<str>], caller: &Caller) -> Result<TableId> {
    let is_superuser = catalog.role(&caller.role).is_some_and(|role| role.superuser);
    let roles = catalog.memberships(&caller.role);
    let may_use = |schema: &str| is_superuser || catalog.allows_schema(&roles, schema);
    let found = match &name.schema {
        Some(schema) if !may_use(schema) && catalog.schemas.iter().any(|(known, _)| **known == **schema) => {
            return Err(Error::new(Code::PRIVILEGE, format!("permission denied for schema {schema}")));
        }
        Some(schema) => catalog.table(&Name::new(schema.as_str(), name.name.as_str())),
        None => path
            .iter()
            .filter(|schema| may_use(schema))
            .find_map(|schema| catalog.table(&Name::new(schema.clone(), name.name.as_str()))),
    };
    let schema = name.schema.as_ref().map(|schema| format!("{schema}.")).unwrap_or_default();
    let missing = || format!("relation \"{schema}{}\" does not exist", name.name);
    found.map(|(id, _)| id).ok_or_else(|| Error::new(Code::UNDEFINED_TABLE, missing()))
}

/// Refuses a caller who has none of some privileges on a table.
fn require(model: &Model, (table, asked): (TableId, &[Privilege]), caller: &Caller) -> Result<()> {
    let catalog = &model.catalog;
    let is_superuser = catalog.role(&caller.role).is_some_and(|role| role.superuser);
    let roles = catalog.memberships(&caller.role);
    if is_superuser || asked.iter().any(|privilege| catalog.allows(&roles, table, *privilege)) {
        return Ok(());
    }
    let declared = &catalog[table];
    let message = format!("permission denied for {} {}", declared.word(), declared.name.name);
    Err(Error::new(Code::PRIVILEGE, message))
}

fn referenced(table: &Table, by: &Table) -> Error {
    let (table, by) = (&table.name.name, &by.name.name);
    let message = "cannot truncate a table referenced in a foreign key constraint";
    Error::new(Code::FEATURE_NOT_SUPPORTED, message)
        .with_details(format!("Table \"{by}\" references \"{table}\"."))
        .with_hint(format!("Truncate table \"{by}\" at the same time, or use TRUNCATE ... CASCADE."))
}
