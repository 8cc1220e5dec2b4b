//! The PostgREST dialect: HTTP to a [`Request`], a `Request` to a query, rows to a response.
//!
//! Pure: no IO, no clock, no server. [`parse`] reads what was asked and never looks at the catalog.

mod budget;
mod csv;
mod cursor;
pub mod field;
pub mod filter;
pub mod logic;
pub mod media;
pub mod operators;
pub mod order;
mod parse;
pub mod payload;
pub mod prefer;
mod query_string;
pub mod range;
mod request;
pub mod select;

pub use parse::parse;
pub use request::{Action, Http, Request, Target};
