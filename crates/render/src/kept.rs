//! Reads that are written once and run again: for other values, and for other callers of one role.

use query::CallerField;
use types::session::Session;
use types::stored::Stored;
use types::{Error, Result, Type, Value};

use crate::{Bindings, Command};

/// A command without what differs from run to run.
#[derive(Debug)]
pub struct Kept {
    command: Command,
    taken: Vec<Taken>,
    stored: StoredForm,
}

/// How an engine is given a value of a type.
pub(crate) type StoredForm = fn(&Type, &Value, &Session) -> Result<Stored>;

/// A parameter that a run brings along.
#[derive(Debug)]
pub(crate) struct Taken {
    at: usize,
    from: Origin,
}

#[derive(Debug)]
enum Origin {
    /// A parameter of the read.
    Parameter(usize, Type),
    /// Something about the caller.
    Caller(CallerField),
}

/// What is noted while a command is written.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    taken: Vec<Taken>,
    /// Whether the text itself, or a parameter that says something else besides, depends on a value.
    is_fixed: bool,
}

impl Notes {
    /// Notes that the parameter at a position is one of the read.
    pub(crate) fn parameter(&mut self, at: usize, index: usize, ty: &Type) {
        self.taken.push(Taken { at, from: Origin::Parameter(index, ty.clone()) });
    }

    /// Notes that the parameter at a position says something about the caller.
    pub(crate) fn caller(&mut self, at: usize, field: &CallerField) {
        self.taken.push(Taken { at, from: Origin::Caller(field.clone()) });
    }

    /// Notes that the command is right for its values alone.
    pub(crate) fn fix(&mut self) {
        self.is_fixed = true;
    }
}

impl Kept {
    /// A command as it was written; `None` when it is right for its values alone. Nothing of the caller it was written for stays.
    pub(crate) fn of(command: Command, notes: Notes, stored: StoredForm) -> Option<Kept> {
        if notes.is_fixed {
            return None;
        }
        let mut command = Command { session: Session::utc(0), ..command };
        for taken in &notes.taken {
            *command.parameters.get_mut(taken.at)? = Stored::Null;
        }
        Some(Kept { command, taken: notes.taken, stored })
    }

    /// The command of a run.
    ///
    /// # Errors
    /// When a value cannot be stored; `XX000` for a parameter that is not there.
    pub fn bound(&self, bindings: &Bindings<'_>) -> Result<Command> {
        let mut command = self.command.clone();
        command.session = bindings.session.clone();
        for taken in &self.taken {
            let value = match &taken.from {
                Origin::Caller(field) => bindings.caller_field(field)?,
                Origin::Parameter(index, ty) => {
                    let value = bindings.parameters.get(*index);
                    let value = value.ok_or_else(|| Error::internal("a parameter of a read"))?;
                    (self.stored)(ty, value, bindings.session)?
                }
            };
            let slot = command.parameters.get_mut(taken.at);
            *slot.ok_or_else(|| Error::internal("a parameter of a command"))? = value;
        }
        Ok(command)
    }
}
