//! The one error of the product: what the caller is told, and what only the log is told.
//!
//! An `Error` is one word wide. Code, message, details and hint go to the caller; the cause never does.
//! The HTTP status follows from the code (`codes.rs`), never from the place that raised the error.

use std::fmt;

use crate::Code;

/// What an operation returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A refusal or failure, with a stable code.
#[derive(Clone)]
pub struct Error(Box<Fields>);

#[derive(Clone, Debug)]
struct Fields {
    code: Code,
    /// The state as it was raised, where it is no row of the table.
    state: Option<Box<str>>,
    /// The HTTP status that was raised with it.
    status: Option<u16>,
    message: String,
    details: Option<Details>,
    hint: Option<String>,
    cause: Option<String>,
    /// Which request of a batch it is about, from 0.
    request: Option<usize>,
    /// What it is about, by name; for the schema's own code.
    names: Vec<(Named, Box<str>)>,
    /// Where it was raised; for the schema's own code.
    context: Context,
}

/// Where an error was raised, as PostgreSQL's `CONTEXT` tells it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Context {
    /// A line for each thing that was under way, the innermost first.
    pub lines: Vec<Box<str>>,
    /// Why the lines cannot be told rightly, where they cannot.
    pub untold: Option<Box<str>>,
    /// Whether it is about a place in the statement that raised it, which PostgreSQL then does not tell as a line.
    pub is_placed: bool,
}

/// What an error may name for those who handle it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// A schema.
    Schema,
    /// A table.
    Table,
    /// A column.
    Column,
    /// A constraint.
    Constraint,
    /// A type.
    Type,
}

/// The `details` of an error: text, or (ambiguous relationships) JSON text.
#[derive(Clone, Debug, PartialEq)]
pub enum Details {
    /// Plain text.
    Text(String),
    /// A JSON document, sent as it is.
    Json(String),
}

impl Error {
    /// An error with this code and message.
    pub fn new(code: Code, message: impl Into<String>) -> Error {
        Error(Box::new(Fields {
            code,
            state: None,
            status: None,
            message: message.into(),
            details: None,
            hint: None,
            cause: None,
            request: None,
            names: Vec::new(),
            context: Context::default(),
        }))
    }

    /// An error that a database or a schema's own code raised, with whatever state it gave.
    pub fn raised(state: &str, message: impl Into<String>) -> Error {
        let mut error = Error::new(Code::of_state(state), message);
        if error.0.code.name() != state {
            error.0.state = Some(state.into());
        }
        if error.0.code == Code::CLASS_STATUS {
            error.0.status = state.get(2..).and_then(|digits| digits.parse().ok());
        }
        error
    }

    /// `0A000`: something that PostgreSQL has and this engine or version lacks, by name.
    pub fn missing(what: impl fmt::Display) -> Error {
        Error::new(Code::FEATURE_NOT_SUPPORTED, format!("{what} is not supported"))
    }

    /// `XX000`: a bug of ours; the cause goes to the log.
    pub fn internal(cause: impl fmt::Display) -> Error {
        Error::new(Code::INTERNAL, "internal error").with_cause(cause)
    }

    /// Adds details for the caller.
    #[must_use]
    pub fn with_details(mut self, details: impl Into<String>) -> Error {
        self.0.details = Some(Details::Text(details.into()));
        self
    }

    /// Adds details that are a JSON document.
    #[must_use]
    pub fn with_details_json(mut self, details: impl Into<String>) -> Error {
        self.0.details = Some(Details::Json(details.into()));
        self
    }

    /// Adds a hint for the caller.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Error {
        self.0.hint = Some(hint.into());
        self
    }

    /// Names what it is about, for those who handle it.
    #[must_use]
    pub fn naming(mut self, what: Named, name: impl Into<Box<str>>) -> Error {
        self.0.names.push((what, name.into()));
        self
    }

    /// What it is about, as far as it says it.
    pub fn named(&self, what: Named) -> Option<&str> {
        let names = &self.0.names;
        names.iter().rev().find(|(known, _)| *known == what).map(|(_, name)| &**name)
    }

    /// Adds what was under way around what is told already.
    #[must_use]
    pub fn within(mut self, line: impl Into<Box<str>>) -> Error {
        self.0.context.lines.push(line.into());
        self
    }

    /// Says why nobody can be told where it was raised.
    #[must_use]
    pub fn without_context(mut self, why: &str) -> Error {
        self.0.context.untold.get_or_insert_with(|| why.into());
        self
    }

    /// Says whether it is about a place in the statement that raised it.
    #[must_use]
    pub fn placed(mut self, is_placed: bool) -> Error {
        self.0.context.is_placed = is_placed;
        self
    }

    /// Puts it where another was raised.
    #[must_use]
    pub fn with_context(mut self, context: Context) -> Error {
        self.0.context = context;
        self
    }

    /// Where it was raised.
    pub fn context(&self) -> &Context {
        &self.0.context
    }

    /// Adds the cause, for the log only.
    #[must_use]
    pub fn with_cause(mut self, cause: impl fmt::Display) -> Error {
        self.0.cause = Some(cause.to_string());
        self
    }

    /// Says which request of a batch it is about, from 0.
    #[must_use]
    pub fn in_request(mut self, position: usize) -> Error {
        self.0.request.get_or_insert(position);
        self
    }

    /// The code as sent to the caller: its row's name, or the state as it was raised.
    pub fn state(&self) -> &str {
        self.0.state.as_deref().unwrap_or(self.0.code.name())
    }

    /// The HTTP status on the Data API: its row's, unless who raised it chose one.
    pub fn status(&self) -> u16 {
        self.0.status.filter(|status| (100..600).contains(status)).unwrap_or(self.0.code.status())
    }

    /// The row of the table that it is, or that stands for it.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The message for the caller.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Details for the caller.
    pub fn details(&self) -> Option<&Details> {
        self.0.details.as_ref()
    }

    /// A hint for the caller.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Which request of a batch it is about, from 0.
    pub fn request(&self) -> Option<usize> {
        self.0.request
    }

    /// The cause, for the log.
    pub fn cause(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.state(), self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_survive_though_they_are_no_rows() {
        for (state, status) in
            [("P0001", 400), ("12345", 400), ("PT418", 418), ("PT999", 500), ("P0002", 500), ("57014", 500)]
        {
            let error = Error::raised(state, "no");
            assert_eq!((error.state(), error.status()), (state, status));
        }
    }
}
