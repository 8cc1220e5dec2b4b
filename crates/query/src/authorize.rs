//! What this caller may do: grants checked, policies compiled in.
//!
//! The only maker of [`Authorized`], by us or (`delegated`) by an engine that does it itself; `plan` takes nothing else. The rules are PostgreSQL's (chapters 5.8, 5.9 and
//! `CREATE POLICY`, table "Policies Applied by Command Type"). A policy that could not be compiled refuses every
//! request that needs it: closed on any doubt.

mod called;
mod delegated;
mod one_row;
mod partitions;
mod policies;
mod privileges;
mod reads;
mod rules;
mod settings;
mod through;
mod writes;

pub use delegated::{delegated, permitted};

use std::sync::Arc;

use catalog::TableId;
use types::{Limits, Result};

use crate::ir::{Caller, Query, SourceId};
use crate::model::Model;
use crate::visit::SourceIds;

/// A `T` in which grants are checked and policies applied.
#[derive(Clone, Debug)]
pub struct Authorized<T>(T);

impl<T> Authorized<T> {
    /// What was authorized.
    pub fn get(&self) -> &T {
        &self.0
    }

    /// What was authorized, to be planned.
    pub(crate) fn into_inner(self) -> T {
        self.0
    }
}

impl Authorized<crate::Truncation> {
    /// Made where the caller's right to empty each table was asked for.
    pub(crate) fn of_truncation(truncation: crate::Truncation) -> Self {
        Authorized(truncation)
    }
}

/// Checks every privilege that a query needs and compiles the policies that apply to the caller into it.
///
/// # Errors
/// `42501` for a missing privilege, `42P17` for policies that read each other without end, `0A000` for a policy that
/// cannot be compiled, `42704` when the role does not exist.
pub fn authorize(query: Query, caller: &Caller, model: &Model, limits: &Limits) -> Result<Authorized<Query>> {
    let mut pass = Pass::new(&caller.role, model, limits)?;
    match query {
        Query::Read(mut read) => {
            pass.ids = SourceIds::above(&read);
            pass.read(&mut read)?;
            settings::follow(&mut read);
            Ok(Authorized(Query::Read(read)))
        }
        Query::Write(mut write) => {
            pass.write(&mut write)?;
            settings::follow_in(&mut write);
            Ok(Authorized(Query::Write(write)))
        }
    }
}

/// The state of one authorization.
struct Pass<'a> {
    model: &'a Model,
    limits: &'a Limits,
    /// The role in force.
    role: Arc<str>,
    /// It, and those whose privileges it has.
    roles: Vec<Arc<str>>,
    superuser: bool,
    bypass: bool,
    /// Policies that are being compiled in.
    open_policies: Vec<policies::Open>,
    /// Inside a view that reads with its owner's rights: theirs. What functions ask stays the caller's matter.
    view_owner: Option<Arc<called::Rights>>,
    /// Whether the role in force is that of a function's owner: it is what `current_user` says there.
    is_lent: bool,
    /// Inside of a stored definition: what it names was looked up when it was made.
    stored: bool,
    /// The table whose rows the statement changes.
    writing: Option<TableId>,
    /// Whether the write touches one row at most.
    is_of_one_row: bool,
    /// Inside a volatile function, which would see what the statement has changed so far.
    volatile: bool,
    /// The function whose statement is guarded, where its own read comes next: that sees what there was when the statement began.
    own: Option<crate::FunctionId>,
    /// Tables whose rows the reads that are being guarded lock.
    locked: Vec<SourceId>,
    ids: SourceIds,
}

impl<'a> Pass<'a> {
    fn new(role: &str, model: &'a Model, limits: &'a Limits) -> Result<Pass<'a>> {
        let declared = model.catalog.role(role).ok_or_else(|| {
            types::Error::new(types::Code::INVALID_PARAMETER, format!("role \"{role}\" does not exist"))
        })?;
        Ok(Pass {
            model,
            limits,
            role: role.into(),
            roles: model.catalog.memberships(role),
            superuser: declared.superuser,
            bypass: declared.superuser || declared.bypass_row_security,
            open_policies: Vec::new(),
            view_owner: None,
            is_lent: false,
            stored: false,
            writing: None,
            is_of_one_row: false,
            volatile: false,
            own: None,
            locked: Vec::new(),
            ids: SourceIds::starting_at(0),
        })
    }
}
