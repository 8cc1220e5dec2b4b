//! Plans in place of rows: what SQLite says of a command.

use std::sync::Arc;

use query::Explain;
use types::{Error, Result, Type};

use crate::Command;

/// What tells how a command would run: a node's number, that of the node above it, nothing, and the node's text.
///
/// # Errors
/// `0A000` for options: SQLite has none.
pub fn explained(command: Command, explain: &Explain) -> Result<Command> {
    if let Some(option) = explain.options.first() {
        return Err(Error::missing(format!("option {option} of a plan")));
    }
    Ok(Command {
        text: format!("EXPLAIN QUERY PLAN {}", command.text).into(),
        outputs: Arc::from([
            ("id".into(), Type::Int8),
            ("parent".into(), Type::Int8),
            ("notused".into(), Type::Int8),
            ("detail".into(), Type::Text),
        ]),
        ..command
    })
}
