//! What sequences give, to columns and to whoever asks them, with the rights that it takes, and what a session has been given.

use std::collections::HashMap;

use catalog::{Privilege, Sequence};
use query::functions::around::{Count, Counting};
use query::functions::sequences;
use types::{Code, Error, Name, Result, Value};

use crate::contract::Standing;
use crate::work::Work;

/// What the sequences have given to a session: that of a transaction. It is not taken back where something is undone.
#[derive(Clone, Default)]
pub(crate) struct Given {
    by: HashMap<Name, i64>,
    /// The one that counted last.
    last: Option<Name>,
}

impl Work<'_> {
    /// The next value of a sequence, for a column of its own: nobody is asked.
    pub(crate) async fn next_value(&mut self, name: &Name) -> Result<Value> {
        let model = self.served.model.clone();
        let sequence = model.catalog.sequences.get(name).ok_or_else(|| {
            Error::new(Code::UNDEFINED_TABLE, format!("relation \"{name}\" does not exist"))
        })?;
        self.next(sequence).await
    }

    async fn next(&mut self, sequence: &Sequence) -> Result<Value> {
        let value = self.transaction.next_value(sequence).await?;
        self.in_force.given(|given| {
            given.by.insert(sequence.name.clone(), value);
            given.last = Some(sequence.name.clone());
        });
        Ok(Value::Int(value))
    }

    /// What a sequence says to whoever asks it, or does for them.
    pub(crate) async fn count(&mut self, counting: &Counting<'_>) -> Result<Value> {
        let model = self.served.model.clone();
        let last = self.in_force.given(|given| given.last.clone());
        let sequence = match (counting.sequence, &last) {
            (Some(name), _) => Some(sequences::named(&model.catalog, name)?),
            (None, Some(last)) => model.catalog.sequences.get(last),
            (None, None) => None,
        };
        let Some(sequence) = sequence else {
            return Err(Error::new(Code::OBJECT_STATE, "lastval is not yet defined in this session"));
        };
        self.may_count(sequence, counting)?;
        match counting.what {
            Count::Next => self.next(sequence).await,
            Count::Current => self.current(&sequence.name),
            Count::Set { value, is_called } => self.set_value(sequence, Standing { value, is_called }).await,
            Count::Read => Ok(Value::Bool(true)),
            Count::LastValue => Ok(Value::Int(self.transaction.standing(sequence).await?.value)),
            Count::IsCalled => Ok(Value::Bool(self.transaction.standing(sequence).await?.is_called)),
        }
    }

    fn current(&self, name: &Name) -> Result<Value> {
        let given = self.in_force.given(|given| given.by.get(name).copied());
        given.map(Value::Int).ok_or_else(|| {
            let message = format!("currval of sequence \"{}\" is not yet defined in this session", name.name);
            Error::new(Code::OBJECT_STATE, message)
        })
    }

    async fn set_value(&mut self, sequence: &Sequence, standing: Standing) -> Result<Value> {
        if self.in_force.is_read_only() {
            let message = "cannot execute setval() in a read-only transaction";
            return Err(Error::new(Code::READ_ONLY_TRANSACTION, message));
        }
        let (value, name) = (standing.value, &sequence.name);
        if !(sequence.min..=sequence.max).contains(&value) {
            let message = format!(
                "setval: value {value} is out of bounds for sequence \"{}\" ({}..{})",
                name.name, sequence.min, sequence.max
            );
            return Err(Error::new(Code::NUMERIC_OUT_OF_RANGE, message));
        }
        self.transaction.set_value(sequence, standing).await?;
        if standing.is_called {
            self.in_force.given(|given| given.by.insert(name.clone(), value));
        }
        Ok(Value::Int(value))
    }

    /// Refuses what a role may not ask of a sequence: one of these rights is enough.
    fn may_count(&self, sequence: &Sequence, counting: &Counting<'_>) -> Result<()> {
        let enough: &[Privilege] = match counting.what {
            Count::Next => &[Privilege::Usage, Privilege::Update],
            Count::Current => &[Privilege::Select, Privilege::Usage],
            Count::Set { .. } => &[Privilege::Update],
            Count::Read | Count::LastValue | Count::IsCalled => &[Privilege::Select],
        };
        let catalog = &self.served.model.catalog;
        let roles = catalog.memberships(counting.role);
        if enough.iter().any(|privilege| catalog.allows_sequence(&roles, sequence, *privilege)) {
            return Ok(());
        }
        let message = format!("permission denied for sequence {}", sequence.name.name);
        Err(Error::new(Code::PRIVILEGE, message))
    }
}
