//! What an engine can do: read by the planner, one constant per engine.
//!
//! Nobody asks which engine it is.

/// What an engine can do by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Builds nested JSON for embedded resources inside one command.
    pub nested_json: bool,
    /// Enforces row-level security itself once it knows the caller.
    pub native_policies: bool,
    /// Runs schema changes inside transactions.
    pub transactional_ddl: bool,
    /// Runs stored functions and triggers itself.
    pub native_functions: bool,
    /// Most bound parameters of one command.
    pub parameters_max: usize,
}
