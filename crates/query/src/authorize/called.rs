//! Bodies of declared functions: whether the caller may call them, and with whose rights they read.
//!
//! PostgreSQL asks for `execute` of whoever calls; a function of `security definer` then reads as its owner, with the owner's
//! grants and under the policies that bind the owner (5.9, `CREATE FUNCTION`).

use std::sync::Arc;

use catalog::Volatility;
use types::{Code, Error, Result};

use super::Pass;
use super::privileges::Named;
use crate::ir::{Expr, FunctionId, Read, Subquery};

/// With whose rights something is read.
struct Rights {
    roles: Vec<Arc<str>>,
    superuser: bool,
    bypass: bool,
    definer: bool,
}

impl Pass<'_> {
    /// Guards the body of a function.
    pub(super) fn body(&mut self, read: &mut Read, function: FunctionId, named: &Named) -> Result<()> {
        let model = self.model;
        let declared = model.catalog.functions.get(function.0);
        let declared = declared.ok_or_else(|| Error::internal("a call of no function"))?;
        if !self.superuser && !model.catalog.allows_function(&self.roles, declared) {
            let message = format!("permission denied for function {}", declared.name.name);
            return Err(Error::new(Code::PRIVILEGE, message));
        }
        let before = self.volatile;
        self.volatile |= declared.volatility == Volatility::Volatile;
        let outcome = if declared.security_definer {
            self.as_owner(&declared.owner, read, named)
        } else {
            self.read_naming(read, named)
        };
        self.volatile = before;
        outcome
    }

    fn as_owner(&mut self, owner: &str, read: &mut Read, named: &Named) -> Result<()> {
        let owner = Pass::new(owner, self.model, self.limits)?;
        let owner =
            Rights { roles: owner.roles, superuser: owner.superuser, bypass: owner.bypass, definer: false };
        let caller = self.exchange(owner);
        let outcome = self.read_naming(read, named);
        self.exchange(caller);
        outcome
    }

    fn exchange(&mut self, other: Rights) -> Rights {
        Rights {
            roles: std::mem::replace(&mut self.roles, other.roles),
            superuser: std::mem::replace(&mut self.superuser, other.superuser),
            bypass: std::mem::replace(&mut self.bypass, other.bypass),
            definer: std::mem::replace(&mut self.definer, other.definer),
        }
    }
}

/// A guarded subquery that reads nothing is what it says.
pub(super) fn simplify(expr: &mut Expr) {
    if let Expr::Subquery(subquery) = expr
        && let Subquery::Scalar(read) = &**subquery
        && let Some(value) = read.value().cloned()
    {
        *expr = value;
    }
}
