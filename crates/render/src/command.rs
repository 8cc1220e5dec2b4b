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
}
