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
#[derive(Debug, PartialEq)]
pub(crate) struct Taken {
    at: usize,
    from: Origin,
}

#[derive(Debug, PartialEq)]
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

    /// Whether two say the same.
    pub fn is_like(&self, other: &Kept) -> bool {
        let said =
            |kept: &Kept| (kept.command.text.clone(), kept.command.outputs.clone(), kept.command.calls);
        said(self) == said(other)
            && self.command.parameters == other.command.parameters
            && self.taken == other.taken
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use query::Caller;

    use super::*;

    fn command(parameters: Vec<Stored>) -> Command {
        Command {
            text: "select".into(),
            parameters,
            session: Session::utc(7),
            outputs: Arc::default(),
            counts_changes: false,
            calls: false,
        }
    }

    fn text(text: &str) -> Stored {
        Stored::Text(text.into())
    }

    #[test]
    fn a_run_brings_its_own_caller_and_values() {
        let mut notes = Notes::default();
        notes.parameter(0, 1, &Type::Text);
        notes.caller(2, &CallerField::Email);
        let written = command(vec![text("first"), text("constant"), text("alice@example.com")]);
        let kept = Kept::of(written, notes, |_, value, _| match value {
            Value::Text(value) => Ok(Stored::Text(value.clone())),
            _ => Ok(Stored::Null),
        });
        let kept = kept.unwrap();
        assert!(!format!("{kept:?}").contains("alice") && !format!("{kept:?}").contains("first"));
        let caller = Caller { email: Some("bob@example.com".into()), ..Caller::role("r") };
        let (session, parameters) = (Session::utc(9), [Value::text("other"), Value::text("second")]);
        let bindings = Bindings {
            caller: &caller,
            session: &session,
            parameters: &parameters,
            written: &[],
            given: &[],
        };
        let bound = kept.bound(&bindings).unwrap();
        assert_eq!(bound.parameters, [text("second"), text("constant"), text("bob@example.com")]);
        assert_eq!(bound.session.now, 9);
        assert!(kept.bound(&Bindings { parameters: &[], ..bindings }).is_err());
    }

    #[test]
    fn what_depends_on_a_value_is_not_kept() {
        let mut notes = Notes::default();
        notes.fix();
        assert!(Kept::of(command(Vec::new()), notes, |_, _, _| Ok(Stored::Null)).is_none());
    }
}
