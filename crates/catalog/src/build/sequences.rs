//! Sequences: declared ones, and those that identity and serial columns count with.

use std::sync::Arc;

use sql::ast::{ObjectName, SequenceOptions};
use types::{Code, Error, Name, Result, Type};

use super::resolve::written;
use super::tables::exists;
use super::{Builder, Outcome, names};
use crate::role::ObjectKind;
use crate::{Sequence, TableId};

impl Builder<'_> {
    pub(super) fn create_sequence(
        &mut self,
        name: &ObjectName,
        if_not_exists: bool,
        temporary: bool,
        options: &SequenceOptions,
    ) -> Result<Outcome> {
        if temporary {
            return Err(Error::missing(format!("temporary sequence {}", written(name))));
        }
        let name = self.names().creation(name)?;
        if self.names().has_relation(&name) {
            return exists(&name, if_not_exists);
        }
        let ty = self.sequence_type(options)?.unwrap_or(Type::Int8);
        let mut sequence = fresh(name, ty, options)?;
        sequence.owned_by = self.owner_of(options)?.unwrap_or(None);
        self.add_sequence(sequence);
        Ok(Outcome::Applied)
    }

    pub(super) fn alter_sequence(
        &mut self,
        name: &ObjectName,
        if_exists: bool,
        options: &SequenceOptions,
    ) -> Result<Outcome> {
        let Some(name) = self.names().sequence_name(name) else {
            let error = self.names().no_relation(name);
            return if if_exists { Ok(Outcome::Skipped(error.message().to_owned())) } else { Err(error) };
        };
        let ty = self.sequence_type(options)?;
        let owner = self.owner_of(options)?;
        let Some(sequence) = self.catalog.sequences.get(&name) else { return Ok(Outcome::Applied) };
        let mut changed = altered(sequence, ty, options)?;
        if let Some(owner) = owner {
            changed.owned_by = owner;
        }
        self.catalog.sequences.insert(name, changed);
        Ok(if options.restart.is_some() { Outcome::Data } else { Outcome::Applied })
    }

    /// Makes the sequence of an identity or serial column.
    pub(super) fn owned_sequence(
        &mut self,
        id: TableId,
        column: &Arc<str>,
        ty: &Type,
        options: &SequenceOptions,
    ) -> Result<Name> {
        let table = self.catalog[id].name.clone();
        let taken = |name: &str| self.names().has_relation(&Name::new(table.schema.clone(), name));
        let name = match &options.name {
            Some(name) => self.names().creation(name)?,
            None => Name::new(table.schema.clone(), names::choose(&table.name, Some(column), "seq", taken)),
        };
        let ty = self.sequence_type(options)?.unwrap_or_else(|| ty.clone());
        let mut sequence = fresh(name.clone(), ty, options)?;
        sequence.owned_by = Some((table, column.clone()));
        self.add_sequence(sequence);
        Ok(name)
    }

    fn add_sequence(&mut self, mut sequence: Sequence) {
        sequence.acl = self.initial_acl(ObjectKind::Sequence, Some(&sequence.name.schema));
        let name = sequence.name.clone();
        self.catalog.history.add_sequence(&name);
        self.catalog.sequences.insert(name, sequence);
    }

    /// Takes a sequence away.
    pub(super) fn remove_sequence(&mut self, name: &Name) {
        self.catalog.sequences.remove(name);
        self.catalog.history.drop_sequence(name);
    }

    /// Changes the sequence of an identity column.
    pub(super) fn alter_owned_sequence(&mut self, name: &Name, options: &SequenceOptions) -> Result<()> {
        let ty = self.sequence_type(options)?;
        if let Some(sequence) = self.catalog.sequences.get(name) {
            let changed = altered(sequence, ty, options)?;
            self.catalog.sequences.insert(name.clone(), changed);
        }
        Ok(())
    }

    fn sequence_type(&self, options: &SequenceOptions) -> Result<Option<Type>> {
        let Some(name) = &options.ty else { return Ok(None) };
        match self.names().ty(name)?.ty {
            ty @ (Type::Int2 | Type::Int4 | Type::Int8) => Ok(Some(ty)),
            _ => Err(invalid("sequence type must be smallint, integer, or bigint")),
        }
    }

    /// `owned by`: absent when not said, `None` for `none`.
    #[expect(clippy::type_complexity, reason = "said or not, then owned or not")]
    fn owner_of(&self, options: &SequenceOptions) -> Result<Option<Option<(Name, Arc<str>)>>> {
        let Some(owner) = &options.owned_by else { return Ok(None) };
        let Some((table, column)) = owner else { return Ok(Some(None)) };
        let id = self.table(table)?;
        let column = self.column_id(id, column)?;
        let table = &self.catalog[id];
        Ok(Some(Some((table.name.clone(), table[column].name.clone()))))
    }
}

/// A new sequence; bounds that are not said are the type's.
fn fresh(name: Name, ty: Type, options: &SequenceOptions) -> Result<Sequence> {
    let increment = options.increment.unwrap_or(1);
    let (lowest, highest) = bounds(&ty);
    let min = options.min.flatten().unwrap_or(if increment > 0 { 1 } else { lowest });
    let max = options.max.flatten().unwrap_or(if increment > 0 { highest } else { -1 });
    let start = options.start.unwrap_or(if increment > 0 { min } else { max });
    let sequence = Sequence {
        name,
        ty,
        start,
        increment,
        min,
        max,
        cycle: options.cycle.unwrap_or(false),
        owned_by: None,
        acl: Default::default(),
    };
    checked(sequence)
}

fn altered(sequence: &Sequence, ty: Option<Type>, options: &SequenceOptions) -> Result<Sequence> {
    let mut changed = sequence.clone();
    if let Some(ty) = ty {
        let (lowest, highest) = bounds(&sequence.ty);
        let (new_lowest, new_highest) = bounds(&ty);
        changed.min = if sequence.min == lowest { new_lowest } else { sequence.min };
        changed.max = if sequence.max == highest { new_highest } else { sequence.max };
        changed.ty = ty;
    }
    changed.increment = options.increment.unwrap_or(changed.increment);
    let (lowest, highest) = bounds(&changed.ty);
    if let Some(min) = options.min {
        changed.min = min.unwrap_or(if changed.increment > 0 { 1 } else { lowest });
    }
    if let Some(max) = options.max {
        changed.max = max.unwrap_or(if changed.increment > 0 { highest } else { -1 });
    }
    changed.start = options.start.unwrap_or(changed.start);
    changed.cycle = options.cycle.unwrap_or(changed.cycle);
    checked(changed)
}

fn bounds(ty: &Type) -> (i64, i64) {
    match ty {
        Type::Int2 => (i16::MIN.into(), i16::MAX.into()),
        Type::Int4 => (i32::MIN.into(), i32::MAX.into()),
        _ => (i64::MIN, i64::MAX),
    }
}

fn checked(sequence: Sequence) -> Result<Sequence> {
    let (lowest, highest) = bounds(&sequence.ty);
    let ty = types::ty::format_type(&sequence.ty, None);
    if sequence.increment == 0 {
        return Err(invalid("INCREMENT must not be zero"));
    }
    if sequence.min < lowest {
        return Err(invalid(format!(
            "MINVALUE ({}) is out of range for sequence data type {ty}",
            sequence.min
        )));
    }
    if sequence.max > highest {
        return Err(invalid(format!(
            "MAXVALUE ({}) is out of range for sequence data type {ty}",
            sequence.max
        )));
    }
    if sequence.min >= sequence.max {
        return Err(invalid(format!(
            "MINVALUE ({}) must be less than MAXVALUE ({})",
            sequence.min, sequence.max
        )));
    }
    if sequence.start < sequence.min {
        return Err(invalid(format!(
            "START value ({}) cannot be less than MINVALUE ({})",
            sequence.start, sequence.min
        )));
    }
    if sequence.start > sequence.max {
        return Err(invalid(format!(
            "START value ({}) cannot be greater than MAXVALUE ({})",
            sequence.start, sequence.max
        )));
    }
    Ok(sequence)
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(Code::INVALID_PARAMETER, message)
}
