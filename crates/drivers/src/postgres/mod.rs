//! PostgreSQL: the database does it itself.
//!
//! Every request is one transaction with its caller's role, claims and settings, which end with it; grants, policies,
//! defaults, constraints, functions and triggers are PostgreSQL's own. Connections come from a pool with limits, and one whose
//! state is in doubt is closed, never used again.

mod cells;
mod connection;
mod engine;
mod errors;
mod identity;
pub mod introspect;
mod line;
pub mod native;
mod options;
mod own;
mod pipeline;
mod pool;
mod reach;
mod respected;
mod statements;
mod unverified;
pub mod watch;

pub use engine::{CAPABILITIES, Postgres};
pub use options::Options;
