//! What a command's parameters are taken from, besides the constants of the query itself.

use query::{Caller, CallerField};
use types::session::Session;
use types::stored::{Stored, encode};
use types::{Result, Type, Value};

/// The values that differ from run to run of one query.
#[derive(Clone, Copy)]
pub struct Bindings<'a> {
    /// Who asks.
    pub caller: &'a Caller,
    /// The time zone, and the time of the transaction.
    pub session: &'a Session,
    /// Parameters of a system statement.
    pub parameters: &'a [Value],
    /// Keys of the rows that this query's write stored or is about to delete, in order.
    pub written: &'a [i64],
    /// The candidate row of a write: a value for each column of its table.
    pub given: &'a [Value],
}

impl Bindings<'_> {
    /// The stored form of something about the caller.
    ///
    /// # Errors
    /// When a value cannot be stored, which would be a bug.
    pub fn caller_field(&self, field: &CallerField) -> Result<Stored> {
        let text =
            |text: Option<&std::sync::Arc<str>>| text.map_or(Value::Null, |text| Value::Text(text.clone()));
        let value = match field {
            CallerField::Uid => self.caller.uid.map_or(Value::Null, Value::Uuid),
            CallerField::Email => text(self.caller.email.as_ref()),
            CallerField::ClaimedRole => text(self.caller.claimed_role()?.as_ref()),
            CallerField::Claims => self.caller.claims_as_jsonb()?,
            CallerField::Role => Value::Text(self.caller.role.clone()),
            CallerField::Login => Value::Text(self.caller.login.clone()),
            CallerField::Now => Value::Timestamp(self.session.now),
            CallerField::Setting(name) => {
                text(self.caller.setting(name).or_else(|| self.session.settings.get(name)).as_ref())
            }
        };
        encode(&field.ty(), &value)
    }

    /// The stored form of a parameter of a system statement.
    ///
    /// # Errors
    /// `XX000` when the statement has no such parameter.
    pub fn parameter(&self, index: usize, ty: &Type) -> Result<Stored> {
        let value =
            self.parameters.get(index).ok_or_else(|| types::Error::internal("statement parameter"))?;
        encode(ty, value)
    }
}
