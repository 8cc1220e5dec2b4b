//! What an engine is, and how plans, writes and migrations run on one.
//!
//! The traits say what a driver MUST do; everything above them is written once, for every engine.
//! Nothing here knows a database library, an HTTP word or a text dialect.

pub mod contract;

pub use contract::{BoxFuture, Engine, Failure, Job, Sink, Transaction, transact};
