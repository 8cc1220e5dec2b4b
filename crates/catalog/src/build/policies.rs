//! Policies.

use std::sync::Arc;

use sql::ast::{self, AlterPolicy, CreatePolicy, Expr};
use types::{Code, Error, Result};

use super::{Builder, Outcome, names};
use crate::expr::bind;
use crate::expr::scope::Source;
use crate::{Policy, PolicyCommand, Table, TableId};

impl Builder<'_> {
    pub(super) fn create_policy(&mut self, create: &CreatePolicy) -> Result<Outcome> {
        refuse_clauses(create.command, create.using.is_some(), create.with_check.is_some())?;
        let id = self.table(&create.table)?;
        let table = &self.catalog[id];
        if table.is_view() {
            return Err(Error::new(
                Code::WRONG_OBJECT_TYPE,
                format!("\"{}\" is not a table", table.name.name),
            ));
        }
        let name = names::truncated(&create.name);
        refuse_second(table, &name)?;
        let policy = Policy {
            name,
            permissive: create.permissive,
            command: command(create.command),
            roles: self.policy_roles(&create.roles)?,
            using: self.condition(id, create.using.as_ref())?,
            with_check: self.condition(id, create.with_check.as_ref())?,
            comment: None,
        };
        self.table_mut(id).policies.push(policy);
        Ok(Outcome::Applied)
    }

    pub(super) fn alter_policy(&mut self, alter: &AlterPolicy) -> Result<Outcome> {
        let id = self.table(&alter.table)?;
        let at = policy_position(&self.catalog[id], &alter.name)?;
        if let Some(name) = &alter.rename {
            let name = names::truncated(name);
            refuse_second(&self.catalog[id], &name)?;
            self.table_mut(id).policies[at].name = name;
            return Ok(Outcome::Applied);
        }
        let mut policy = self.catalog[id].policies[at].clone();
        let (using, with_check) = (
            policy.using.is_some() || alter.using.is_some(),
            policy.with_check.is_some() || alter.with_check.is_some(),
        );
        refuse_clauses(said_command(policy.command), using, with_check)?;
        if let Some(roles) = &alter.roles {
            policy.roles = self.policy_roles(roles)?;
        }
        if alter.using.is_some() {
            policy.using = self.condition(id, alter.using.as_ref())?;
        }
        if alter.with_check.is_some() {
            policy.with_check = self.condition(id, alter.with_check.as_ref())?;
        }
        self.table_mut(id).policies[at] = policy;
        Ok(Outcome::Applied)
    }

    /// Roles of a policy; naming `public` is naming nobody.
    fn policy_roles(&self, roles: &[String]) -> Result<Vec<Arc<str>>> {
        let found = roles.iter().map(|role| self.names().role(role)).collect::<Result<Vec<_>>>()?;
        Ok(if found.iter().any(|role| &**role == "public") { Vec::new() } else { found })
    }

    fn condition(&self, id: TableId, expr: Option<&Expr>) -> Result<Option<Arc<Expr>>> {
        let source = || vec![Source::root(&self.catalog[id])];
        expr.map(|expr| bind::expr(&self.names(), source(), expr).map(Arc::new)).transpose()
    }
}

/// Where a policy stands in its table.
///
/// # Errors
/// `42704` when there is none of the name.
pub(super) fn policy_position(table: &Table, name: &str) -> Result<usize> {
    let found = table.policies.iter().position(|policy| &*policy.name == name);
    found.ok_or_else(|| {
        Error::new(
            Code::UNDEFINED_OBJECT,
            format!("policy \"{name}\" for table \"{}\" does not exist", table.name.name),
        )
    })
}

fn refuse_second(table: &Table, name: &str) -> Result<()> {
    if table.policies.iter().any(|policy| &*policy.name == name) {
        let message = format!("policy \"{name}\" for table \"{}\" already exists", table.name.name);
        return Err(Error::new(Code::DUPLICATE_OBJECT, message));
    }
    Ok(())
}

fn refuse_clauses(command: ast::PolicyCommand, using: bool, with_check: bool) -> Result<()> {
    let syntax = |message| Err(Error::new(Code::SYNTAX, message));
    match command {
        ast::PolicyCommand::Select | ast::PolicyCommand::Delete if with_check => {
            syntax("WITH CHECK cannot be applied to SELECT or DELETE")
        }
        ast::PolicyCommand::Insert if using => syntax("only WITH CHECK expression allowed for INSERT"),
        _ => Ok(()),
    }
}

fn command(command: ast::PolicyCommand) -> PolicyCommand {
    match command {
        ast::PolicyCommand::All => PolicyCommand::All,
        ast::PolicyCommand::Select => PolicyCommand::Select,
        ast::PolicyCommand::Insert => PolicyCommand::Insert,
        ast::PolicyCommand::Update => PolicyCommand::Update,
        ast::PolicyCommand::Delete => PolicyCommand::Delete,
    }
}

fn said_command(command: PolicyCommand) -> ast::PolicyCommand {
    match command {
        PolicyCommand::All => ast::PolicyCommand::All,
        PolicyCommand::Select => ast::PolicyCommand::Select,
        PolicyCommand::Insert => ast::PolicyCommand::Insert,
        PolicyCommand::Update => ast::PolicyCommand::Update,
        PolicyCommand::Delete => ast::PolicyCommand::Delete,
    }
}
