//! What is sent to an engine.

use std::sync::Arc;

use types::Type;
use types::session::Session;
use types::stored::Stored;

/// Text and parameters, ready to send.
#[derive(Clone, Debug)]
pub struct Command {
    /// The text; the same for every caller and value of one shape.
    pub text: Arc<str>,
    /// The parameters, in order.
    pub parameters: Vec<Stored>,
    /// Time zone and time under which its functions run.
    pub session: Session,
    /// Names and types of the columns of its rows.
    pub outputs: Arc<[(Arc<str>, Type)]>,
    /// Whether each row has two columns before its outputs: how many rows were changed, and whether there is a row at all (null
    /// when there is none).
    pub counts_changes: bool,
    /// Whether it calls functions that are interpreted: the engine is entered again while it runs.
    pub calls: bool,
}

/// A whole write as commands, run one after the other.
#[derive(Clone, Debug)]
pub struct Whole {
    /// The write, with the rows that are asked of it.
    pub command: Command,
    /// Says how many of the changed rows of an insert were there before (`bigint`, the first of its columns).
    pub updated: Option<Command>,
}
