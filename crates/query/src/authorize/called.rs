//! Bodies of declared functions: whether the caller may call them, and with whose rights they read.
//!
//! PostgreSQL asks for `execute` of whoever calls; a function of `security definer` then reads as its owner, with the owner's
//! grants and under the policies that bind the owner (5.9, `CREATE FUNCTION`).

use std::sync::Arc;

use catalog::{Function, Volatility};
use types::{Code, Error, Result};

use super::privileges::Named;
use super::{Pass, one_row};
use crate::ir::{CalledBy, Expr, FunctionId, Read, Subquery, Write};
use crate::{reach, visit};

/// With whose rights something is read.
pub(super) struct Rights {
    role: Arc<str>,
    /// The role, and those whose privileges it has.
    pub(super) roles: Vec<Arc<str>>,
    pub(super) superuser: bool,
    pub(super) bypass: bool,
    view_owner: Option<Arc<Rights>>,
    is_lent: bool,
    /// Whether rows may be shown that policies hide from the caller.
    pub(super) is_past_policies: bool,
}

impl Rights {
    /// The same, where an author meant that rows are shown that policies hide from the caller.
    pub(super) fn past_policies(self) -> Rights {
        Rights { is_past_policies: true, ..self }
    }
}

impl<'m> Pass<'m> {
    /// Guards the body of a function.
    pub(super) fn body(&mut self, read: &mut Read, function: FunctionId, named: &Named) -> Result<()> {
        let declared = self.callable(function)?;
        let before = self.volatile;
        let is_own = self.own.take() == Some(function);
        read.sees_own_changes = !is_own && declared.volatility == Volatility::Volatile;
        self.volatile |= read.sees_own_changes;
        let outcome = self.with_rights_of(declared, |pass| pass.read_naming(read, named));
        self.volatile = before;
        read.chooses |= declared.security_definer;
        outcome
    }

    /// Guards a statement of a function's body that changes rows, what it returns excepted.
    pub(super) fn change_called(&mut self, write: &mut Write, by: CalledBy) -> Result<()> {
        let declared = self.callable(by.function)?;
        if by.read_only {
            let message = format!("cannot execute {} in a read-only transaction", write.action.word());
            return Err(Error::new(Code::READ_ONLY_TRANSACTION, message));
        }
        self.with_rights_of(declared, |pass| pass.change(write))
    }

    /// Notes who calls a function that is interpreted.
    pub(super) fn interpreted(&mut self, function: FunctionId, role: &mut Option<Arc<str>>) -> Result<()> {
        let declared = self.callable(function)?;
        if let Some(table) = self.writing
            && !self.is_of_one_row
            && declared.volatility == Volatility::Volatile
            && reach::may_read(&self.model.catalog, function, table)
        {
            return Err(one_row::sees_half(table, &self.model.catalog));
        }
        *role = Some(self.role.clone());
        Ok(())
    }

    /// A function that whoever asks may call.
    fn callable(&self, function: FunctionId) -> Result<&'m Function> {
        let model = self.model;
        let declared = model.catalog.functions.get(function.0);
        let declared = declared.ok_or_else(|| Error::internal("a call of no function"))?;
        self.require_schema(&declared.name.schema)?;
        if !self.superuser && !model.catalog.allows_function(&self.roles, declared) {
            let what = if declared.procedure { "procedure" } else { "function" };
            let message = format!("permission denied for {what} {}", declared.name.name);
            return Err(Error::new(Code::PRIVILEGE, message));
        }
        Ok(declared)
    }

    /// Does something with the rights that a function's body has.
    fn with_rights_of(
        &mut self,
        function: &Function,
        inner: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        // What a body names is looked up when it is called.
        let stored = std::mem::replace(&mut self.stored, false);
        let outcome = if function.security_definer {
            self.as_owner(&function.owner, inner)
        } else {
            // A function reads as its caller, wherever the call stands.
            let before = self.view_owner.take();
            let outcome = inner(self);
            self.view_owner = before;
            outcome
        };
        self.stored = stored;
        outcome
    }

    /// Does something with the rights of an owner.
    pub(super) fn as_owner(
        &mut self,
        owner: &str,
        inner: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        let owner = self.rights_of(owner)?;
        let caller = self.exchange(owner);
        let outcome = inner(self);
        self.exchange(caller);
        outcome
    }

    /// The rights of an owner.
    pub(super) fn rights_of(&self, owner: &str) -> Result<Rights> {
        let owner = Pass::new(owner, self.model, self.limits)?;
        Ok(Rights {
            role: owner.role,
            roles: owner.roles,
            superuser: owner.superuser,
            bypass: owner.bypass,
            view_owner: None,
            is_lent: true,
            is_past_policies: false,
        })
    }

    fn exchange(&mut self, other: Rights) -> Rights {
        Rights {
            role: std::mem::replace(&mut self.role, other.role),
            roles: std::mem::replace(&mut self.roles, other.roles),
            superuser: std::mem::replace(&mut self.superuser, other.superuser),
            bypass: std::mem::replace(&mut self.bypass, other.bypass),
            view_owner: std::mem::replace(&mut self.view_owner, other.view_owner),
            is_lent: std::mem::replace(&mut self.is_lent, other.is_lent),
            is_past_policies: false,
        }
    }
}

/// A guarded subquery that reads nothing is what it says. What a volatile body asks sees what its statement did, without the body
/// around it, too.
pub(super) fn simplify(expr: &mut Expr) {
    if let Expr::Subquery(subquery) = expr
        && let Subquery::Scalar(read) = &**subquery
        && let Some(value) = read.value().cloned()
    {
        let sees_own_changes = read.sees_own_changes;
        *expr = value;
        if sees_own_changes {
            visit::each_subquery_mut(expr, &mut |read| read.sees_own_changes = true);
        }
    }
}
