//! Foreign keys: what they reference, and whether they can.

use std::sync::Arc;

use sql::ast::{self, References};
use types::ty::format_type;
use types::{Code, Error, Name, Result, Type};

use super::{Builder, names};
use crate::{Age, ColumnId, ForeignKey, ReferentialAction, Table, TableId};

impl Builder<'_> {
    pub(super) fn add_foreign_key(
        &mut self,
        id: TableId,
        name: Option<Arc<str>>,
        columns: &[String],
        references: &References,
        not_valid: bool,
    ) -> Result<()> {
        let table = &self.catalog[id];
        let target = self.target_of(references)?;
        if let Some(resting) = [table, target].into_iter().find(|table| table.keys_rest) {
            let what = format!("a foreign key while all triggers of {} are disabled", resting.name);
            return Err(Error::missing(what).with_hint("Enable them first."));
        }
        let from = referencing(table, columns)?;
        let to = referenced(target, references)?;
        if from.len() != to.len() {
            return Err(Error::new(
                Code::INVALID_FOREIGN_KEY,
                "number of referencing and referenced columns for foreign key disagree",
            ));
        }
        let name = match name {
            Some(name) => self.free_constraint(id, name)?,
            None => {
                let part = names::columns_part(columns.iter().map(String::as_str));
                let taken =
                    |name: &str| self.names().has_constraint(&Name::new(table.name.schema.clone(), name));
                names::choose(&table.name.name, Some(&part), "fkey", taken)
            }
        };
        has_key(target, &to)?;
        comparable(&name, table, &from, target, &to)?;
        let key = ForeignKey {
            name,
            on_delete: action(table, &from, &references.on_delete)?,
            on_update: action(table, &from, &references.on_update)?,
            columns: from,
            target: target.name.clone(),
            target_columns: to.iter().map(|&column| target[column].name.clone()).collect(),
            match_full: references.match_full,
            deferrable: references.deferrable || references.initially_deferred,
            initially_deferred: references.initially_deferred,
            not_valid,
            age: self.youngest(),
            parts: Vec::new(),
        };
        self.table_mut(id).foreign_keys.push(key);
        Ok(())
    }

    /// The age of a foreign key that is declared behind all that there are.
    fn youngest(&self) -> Age {
        let keys = self.catalog.tables.iter().flat_map(|table| &table.foreign_keys);
        Age(keys.map(|key| key.age.0).max().unwrap_or_default() + 1)
    }

    fn target_of(&self, references: &References) -> Result<&Table> {
        let (_, target) = self.names().table(&references.table)?;
        if target.partition.is_some() {
            return Err(Error::missing(format!("a foreign key to partition {}", target.name)));
        }
        if target.is_view() {
            return Err(Error::new(
                Code::WRONG_OBJECT_TYPE,
                format!("referenced relation \"{}\" is not a table", target.name.name),
            ));
        }
        Ok(target)
    }

    /// `42804` when a changed column no longer fits its foreign keys.
    pub(super) fn refuse_incomparable(&self, id: TableId, column: ColumnId) -> Result<()> {
        let changed = &self.catalog[id];
        let name = &changed[column].name;
        for table in &self.catalog.tables {
            for key in &table.foreign_keys {
                let is_own = table.name == changed.name && key.columns.contains(&column);
                let is_target = key.target == changed.name && key.target_columns.contains(name);
                if !is_own && !is_target {
                    continue;
                }
                let Some((_, target)) = self.catalog.table(&key.target) else { continue };
                let to: Vec<ColumnId> = key
                    .target_columns
                    .iter()
                    .filter_map(|name| target.column(name).map(|(id, _)| id))
                    .collect();
                comparable(&key.name, table, &key.columns, target, &to)?;
            }
        }
        Ok(())
    }
}

fn referencing(table: &Table, columns: &[String]) -> Result<Vec<ColumnId>> {
    columns
        .iter()
        .map(|name| table.column(name).map(|(column, _)| column).ok_or_else(|| not_referenced(name)))
        .collect()
}

fn not_referenced(column: &str) -> Error {
    Error::new(
        Code::UNDEFINED_COLUMN,
        format!("column \"{column}\" referenced in foreign key constraint does not exist"),
    )
}

/// The referenced columns: those said, else the primary key's.
fn referenced(target: &Table, references: &References) -> Result<Vec<ColumnId>> {
    if references.columns.is_empty() {
        let message = || format!("there is no primary key for referenced table \"{}\"", target.name.name);
        let key = target.primary_key.as_ref().ok_or_else(|| Error::new(Code::UNDEFINED_OBJECT, message()))?;
        return Ok(key.columns.clone());
    }
    referencing(target, &references.columns)
}

/// `42830` unless the columns, in any order, are a key: of a constraint or of a whole unique index.
fn has_key(target: &Table, columns: &[ColumnId]) -> Result<()> {
    let is_it =
        |key: &[ColumnId]| key.len() == columns.len() && columns.iter().all(|column| key.contains(column));
    let constraints = target.primary_key.iter().chain(&target.uniques);
    if let Some(key) = constraints.into_iter().find(|key| is_it(&key.columns)) {
        if key.deferrable {
            let message = format!(
                "cannot use a deferrable unique constraint for referenced table \"{}\"",
                target.name.name
            );
            return Err(Error::new(Code::OBJECT_STATE, message));
        }
        return Ok(());
    }
    let whole = target.indexes.iter().filter(|index| index.unique && index.predicate.is_none());
    let keys = whole.filter_map(|index| index.keys.iter().map(|key| key.column).collect::<Option<Vec<_>>>());
    if keys.into_iter().any(|key| is_it(&key)) {
        return Ok(());
    }
    let message = format!(
        "there is no unique constraint matching given keys for referenced table \"{}\"",
        target.name.name
    );
    Err(Error::new(Code::INVALID_FOREIGN_KEY, message))
}

fn comparable(name: &str, table: &Table, from: &[ColumnId], target: &Table, to: &[ColumnId]) -> Result<()> {
    let mut pairs = from.iter().zip(to).map(|(&from, &to)| (&table[from], &target[to]));
    let Some((from, to)) = pairs.find(|(from, to)| !is_comparable(&from.ty, &to.ty)) else { return Ok(()) };
    let details = format!(
        "Key columns \"{}\" and \"{}\" are of incompatible types: {} and {}.",
        from.name,
        to.name,
        format_type(&from.ty, from.modifier),
        format_type(&to.ty, to.modifier)
    );
    Err(Error::new(
        Code::DATATYPE_MISMATCH,
        format!("foreign key constraint \"{name}\" cannot be implemented"),
    )
    .with_details(details))
}

/// Whether values of a referencing column can be looked up among those of a referenced one:
/// one family of types, or an implicit cast to the referenced type.
fn is_comparable(from: &Type, to: &Type) -> bool {
    let rank = |ty: &Type| match ty {
        Type::Int2 | Type::Int4 | Type::Int8 => Some(0),
        Type::Numeric => Some(1),
        Type::Float4 | Type::Float8 => Some(2),
        _ => None,
    };
    let is_moment = |ty: &Type| matches!(ty, Type::Date | Type::Timestamp | Type::Timestamptz);
    match (rank(from), rank(to)) {
        (Some(from), Some(to)) => from <= to,
        _ => {
            from == to
                || (from.is_string() && to.is_string())
                || (is_moment(from) && is_moment(to))
                || (*from == Type::Cidr && *to == Type::Inet)
        }
    }
}

fn action(table: &Table, key: &[ColumnId], action: &ast::ReferentialAction) -> Result<ReferentialAction> {
    let columns = |names: &[String]| -> Result<Vec<ColumnId>> {
        let found = referencing(table, names)?;
        match found.iter().find(|column| !key.contains(column)) {
            Some(&column) => {
                let message = format!(
                    "column \"{}\" referenced in ON DELETE SET action must be part of foreign key",
                    table[column].name
                );
                Err(Error::new(Code::INVALID_COLUMN_REFERENCE, message))
            }
            None => Ok(found),
        }
    };
    Ok(match action {
        ast::ReferentialAction::NoAction => ReferentialAction::NoAction,
        ast::ReferentialAction::Restrict => ReferentialAction::Restrict,
        ast::ReferentialAction::Cascade => ReferentialAction::Cascade,
        ast::ReferentialAction::SetNull(names) => ReferentialAction::SetNull(columns(names)?),
        ast::ReferentialAction::SetDefault(names) => ReferentialAction::SetDefault(columns(names)?),
    })
}
