//! Rules by which nothing is done in place of a statement. Others are refused by their words.

use sql::ast::{self, CreateRule, ObjectName};
use types::{Code, Error, Result};

use super::{Builder, Outcome, names};

impl Builder<'_> {
    pub(super) fn create_rule(&mut self, create: &CreateRule) -> Result<Outcome> {
        let id = self.table(&create.table)?;
        let table = &self.catalog[id];
        if !table.is_stored() {
            return Err(Error::missing(format!("a rule on what is no table: {}", table.name)));
        }
        let name = names::truncated(&create.name);
        let at = table.rules.iter().position(|(known, _)| *known == name);
        if at.is_some() && !create.or_replace {
            let message = format!("rule \"{name}\" for relation \"{}\" already exists", table.name.name);
            return Err(Error::new(Code::DUPLICATE_OBJECT, message));
        }
        let rules = &mut self.table_mut(id).rules;
        rules.retain(|(known, _)| *known != name);
        rules.push((name, create.event));
        Ok(Outcome::Applied)
    }

    /// Nothing depends on a rule.
    pub(super) fn drop_rule(&mut self, drop: &ast::Drop, name: &ObjectName) -> Result<()> {
        let on = drop.on.as_ref();
        let on = on.ok_or_else(|| Error::new(Code::SYNTAX, "drop rule needs a table"))?;
        let id = self.table(on)?;
        let table = self.table_mut(id);
        let Some(at) = table.rules.iter().position(|(known, _)| **known == *name.name) else {
            let message =
                format!("rule \"{}\" for relation \"{}\" does not exist", name.name, table.name.name);
            return Err(Error::new(Code::UNDEFINED_OBJECT, message));
        };
        table.rules.remove(at);
        Ok(())
    }
}
