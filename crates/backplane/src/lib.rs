//! A backend from a folder of PostgreSQL's SQL: settings, the project's folder, keys, commands, the server.
//!
//! [`App`] is the composition root: everything that a request needs is made there, time and randomness come in through
//! it. Nothing here knows SQL text, a database library or a protocol's grammar; it connects the crates that do.

pub mod app;
mod asked;
pub mod command;
pub mod complaint;
pub mod jobs;
pub mod keys;
pub mod project;
pub mod road;
pub mod server;
pub mod settings;
mod spool;
#[cfg(test)]
mod testing;

pub use app::App;
pub use project::{Project, Strictness};
