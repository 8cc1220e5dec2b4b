//! `alter column … add | set | drop identity`

use sql::ast::SequenceOptions;
use types::{Code, Name, Result};

use super::{Builder, Outcome};
use crate::{DefaultValue, TableId};

impl Builder<'_> {
    pub(super) fn add_identity(
        &mut self,
        id: TableId,
        name: &str,
        always: bool,
        options: &SequenceOptions,
    ) -> Result<()> {
        let column = self.column_id(id, name)?;
        let found = &self.catalog[id][column];
        let refusal = match found.default {
            _ if !found.not_null => Some("must be declared NOT NULL before identity can be added"),
            Some(DefaultValue::Identity { .. }) => Some("is already an identity column"),
            Some(DefaultValue::Expr(_) | DefaultValue::Generated(_)) => Some("already has a default value"),
            None => None,
        };
        if let Some(refusal) = refusal {
            return Err(self.column_state(id, name, refusal, Code::OBJECT_STATE));
        }
        let default = self.identity(id, column, always, options)?;
        self.column_mut(id, column).default = Some(default);
        Ok(())
    }

    pub(super) fn set_identity(
        &mut self,
        id: TableId,
        name: &str,
        always: Option<bool>,
        options: &SequenceOptions,
    ) -> Result<()> {
        let column = self.column_id(id, name)?;
        let sequence = self.identity_of(id, name)?;
        self.alter_owned_sequence(&sequence, options)?;
        if let (Some(wanted), Some(DefaultValue::Identity { always, .. })) =
            (always, &mut self.column_mut(id, column).default)
        {
            *always = wanted;
        }
        Ok(())
    }

    pub(super) fn drop_identity(&mut self, id: TableId, name: &str, if_exists: bool) -> Result<Outcome> {
        let column = self.column_id(id, name)?;
        match self.identity_of(id, name) {
            Ok(sequence) => {
                self.column_mut(id, column).default = None;
                self.remove_sequence(&sequence);
                Ok(Outcome::Applied)
            }
            Err(error) if if_exists => Ok(Outcome::Skipped(error.message().to_owned())),
            Err(error) => Err(error),
        }
    }

    /// The sequence of an identity column.
    fn identity_of(&self, id: TableId, name: &str) -> Result<Name> {
        let column = self.column_id(id, name)?;
        match &self.catalog[id][column].default {
            Some(DefaultValue::Identity { sequence, .. }) => Ok(sequence.clone()),
            Some(DefaultValue::Expr(_) | DefaultValue::Generated(_)) | None => {
                Err(self.column_state(id, name, "is not an identity column", Code::OBJECT_STATE))
            }
        }
    }
}
