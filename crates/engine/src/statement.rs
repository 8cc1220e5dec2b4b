//! Statements of our own, written in PostgreSQL's SQL like a user's: a new engine gets them for nothing.

use std::sync::{Arc, PoisonError};

use query::{Caller, Model, Plan, Step, permitted, plan, resolve};
use sql::ast::StatementKind;
use types::session::Session;
use types::{Capabilities, Error, Limits, Result, Type};

use crate::database::Served;

/// The role whose statements no policy binds.
pub(crate) const SYSTEM: &str = "postgres";

/// A statement of our own. It is prepared once for a model.
#[derive(Debug)]
pub struct Statement {
    /// One statement, with parameters `$1`, `$2`, …
    pub sql: &'static str,
    /// The types of its parameters.
    pub parameters: &'static [Type],
}

/// A statement, resolved and planned.
pub(crate) struct Prepared {
    pub(crate) plan: Plan,
    /// The types of its rows.
    pub(crate) outputs: Vec<Type>,
}

impl Served {
    /// The statement, prepared on this model.
    pub(crate) fn prepared(
        &self,
        statement: &'static Statement,
        capabilities: &Capabilities,
    ) -> Result<Arc<Prepared>> {
        let known =
            self.statements.lock().unwrap_or_else(PoisonError::into_inner).get(statement.sql).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let prepared = Arc::new(parsed(&self.model, statement, capabilities)?);
        let mut statements = self.statements.lock().unwrap_or_else(PoisonError::into_inner);
        statements.insert(statement.sql, prepared.clone());
        Ok(prepared)
    }
}

fn parsed(model: &Model, statement: &Statement, capabilities: &Capabilities) -> Result<Prepared> {
    let (statements, diagnostics) = sql::parse(statement.sql);
    let ([one], []) = (&statements[..], &diagnostics[..]) else {
        return Err(Error::internal(format!("no statement: {}: {diagnostics:?}", statement.sql)));
    };
    let (system, session) = (Caller::role(SYSTEM), Session::utc(0));
    let path = crate::work::default_path();
    prepare((model, &system, &session), &path, &one.kind, statement.parameters, capabilities)
}

/// A statement about rows, authorized for its caller and read in its session.
///
/// # Errors
/// What resolving it refuses.
pub(crate) fn prepare(
    (model, caller, session): (&Model, &Caller, &Session),
    path: &[Arc<str>],
    statement: &StatementKind,
    parameters: &[Type],
    capabilities: &Capabilities,
) -> Result<Prepared> {
    let query = resolve::statement_on(&model.catalog, path, session, statement, parameters)?;
    let authorized = permitted(query, caller, model, &Limits::default(), capabilities)?;
    let plan = plan(vec![authorized], model)?;
    let outputs = plan.steps().first().map(outputs).unwrap_or_default();
    Ok(Prepared { plan, outputs })
}

fn outputs(step: &Step) -> Vec<Type> {
    let read = match step {
        Step::Fetch(read) => Some(read),
        Step::Store(write) => write.returning.as_ref(),
    };
    read.into_iter().flat_map(|read| &read.outputs).map(|output| output.expr.ty()).collect()
}
