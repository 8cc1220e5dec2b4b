//! What an engine is, and how plans, writes and migrations run on one.
//!
//! The traits say what a driver MUST do; everything above them is written once, for every engine.
//! Nothing here knows a database library, an HTTP word or a text dialect.

mod as_it_was;
mod constraints;
pub mod contract;
mod database;
mod in_force;
mod kept;
pub mod migrate;
mod programs;
mod reads;
mod returned;
mod rows;
mod run;
mod said;
mod sequences;
mod statement;
mod work;
mod write;

pub use contract::{
    Access, BoxFuture, Clock, Engine, Failure, Job, Random, Routine, Routines, Sink, Standing, Transaction,
    transact, worked,
};
pub use database::{Applied, Database};
pub use kept::Kept;
pub use rows::Values;
pub use run::{Asked, Run};
pub use statement::Statement;
pub use work::Work;
