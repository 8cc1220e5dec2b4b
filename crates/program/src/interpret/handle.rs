//! Blocks with handlers: what is done in one is undone when it fails, variables excepted.

use sql::body::{Block, Condition, Handler};
use types::error::Details;
use types::{Code, Error, Named, Result, Type, Value};

use super::{Flow, Frame};
use crate::conditions::{covers, states};
use crate::context::At;
use crate::environment::Variable;

/// States that `others` does not handle.
const NOT_OTHERS: &[&str] = &["57014", "P0004"];

impl Frame<'_> {
    pub(super) async fn guarded(&mut self, block: &Block) -> Result<Flow> {
        for handler in &block.handlers {
            handler.conditions.iter().try_for_each(check)?;
        }
        let (depth, before) = (self.environment.depth(), self.at);
        let (path, session) = (self.host.path().clone(), self.host.session().clone());
        let open: Vec<String> = self.cursors.keys().cloned().collect();
        self.host.begin_part().await?;
        let error = match self.steps(&block.steps).await {
            Ok(flow) => {
                self.host.end_part(true).await?;
                return Ok(flow);
            }
            Err(error) => error,
        };
        self.host.end_part(false).await?;
        let error = self.program.told.at(self.at, error);
        // What was opened within is closed; what was open stays where it is.
        self.close_others(&open);
        self.host.exchange_path(path);
        self.host.exchange_session(session);
        self.environment.leave_to(depth);
        let Some(handler) = block.handlers.iter().find(|handler| handles(handler, &error)) else {
            self.at = At::Told;
            return Err(error);
        };
        self.at = before;
        self.environment.enter(None);
        let state = Value::text(error.state());
        self.environment.declare(Variable::scalar("sqlstate", Type::Text, state));
        let message = Value::text(error.message());
        self.environment.declare(Variable::scalar("sqlerrm", Type::Text, message));
        self.handled.push(error);
        let outcome = self.steps(&handler.steps).await;
        self.handled.pop();
        self.environment.leave_to(depth);
        outcome
    }

    /// `get stacked diagnostics`
    pub(super) fn of_handled(&self, item: &str) -> Result<(Value, Type)> {
        if OF_THE_LAST.contains(&item) {
            return Err(not_allowed(item, "STACKED"));
        }
        let error = self.handled.last().ok_or_else(|| {
            let message = "GET STACKED DIAGNOSTICS cannot be used outside an exception handler";
            Error::raised("0Z002", message)
        })?;
        let details = match error.details() {
            Some(Details::Text(text) | Details::Json(text)) => text.as_str(),
            None => "",
        };
        if item == "pg_exception_context" {
            let told = self.host.stack().told(error.clone(), "PG_EXCEPTION_CONTEXT")?;
            return Ok((Value::text(told), Type::Text));
        }
        let text = match item {
            "returned_sqlstate" => error.state(),
            "message_text" => error.message(),
            "pg_exception_detail" => details,
            "pg_exception_hint" => error.hint().unwrap_or_default(),
            "constraint_name" => error.named(Named::Constraint).unwrap_or_default(),
            "schema_name" => error.named(Named::Schema).unwrap_or_default(),
            "table_name" => error.named(Named::Table).unwrap_or_default(),
            "column_name" => error.named(Named::Column).unwrap_or_default(),
            "pg_datatype_name" => error.named(Named::Type).unwrap_or_default(),
            other => {
                let message = format!("unrecognized GET DIAGNOSTICS item at or near \"{other}\"");
                return Err(Error::new(Code::SYNTAX, message));
            }
        };
        Ok((Value::text(text), Type::Text))
    }
}

/// What `get diagnostics` says of the statement before it, and no error has.
pub(super) const OF_THE_LAST: &[&str] = &["row_count", "pg_context", "pg_routine_oid"];

/// What only `get stacked diagnostics` says.
pub(super) const OF_ERRORS: &[&str] = &[
    "returned_sqlstate",
    "message_text",
    "pg_exception_detail",
    "pg_exception_hint",
    "pg_exception_context",
    "constraint_name",
    "schema_name",
    "table_name",
    "column_name",
    "pg_datatype_name",
];

pub(super) fn not_allowed(item: &str, word: &str) -> Error {
    let item = item.to_uppercase();
    let message = format!("diagnostics item {item} is not allowed in GET {word} DIAGNOSTICS");
    Error::new(Code::SYNTAX, message)
}

/// Refuses the name of no condition.
pub(super) fn check(condition: &Condition) -> Result<()> {
    match condition {
        Condition::Named(name) if name != "others" && states(name).next().is_none() => {
            Err(Error::new(Code::UNDEFINED_OBJECT, format!("unrecognized exception condition \"{name}\"")))
        }
        Condition::Named(_) | Condition::State(_) => Ok(()),
    }
}

fn handles(handler: &Handler, error: &Error) -> bool {
    if is_ours(error) {
        return false;
    }
    let state = error.state();
    handler.conditions.iter().any(|condition| match condition {
        Condition::Named(name) if name == "others" => !NOT_OTHERS.contains(&state),
        Condition::Named(name) => states(name).any(|known| covers(known, state)),
        Condition::State(known) => covers(known, state),
    })
}

/// What PostgreSQL would not have raised: that something is missing here, or broken, nobody may take for an answer.
fn is_ours(error: &Error) -> bool {
    let is_missing =
        error.code() == Code::FEATURE_NOT_SUPPORTED && error.message().ends_with(" is not supported");
    is_missing || error.cause().is_some()
}
