//! The PostgREST dialect: HTTP to a [`Request`], a `Request` to a query, rows to a response.
//!
//! Pure: no IO, no clock, no server. [`parse()`] reads what was asked and never looks at the catalog; [`respond()`] says what was
//! done and never looks at rows that are not in the reply. [`openapi()`], [`options()`] and [`cors`] answer by themselves.

pub mod batch;
mod budget;
pub mod cors;
mod csv;
mod cursor;
pub mod field;
pub mod filter;
pub mod logic;
pub mod media;
mod offer;
pub mod openapi;
pub mod operators;
pub mod options;
pub mod order;
mod parse;
pub mod payload;
pub mod prefer;
mod query_string;
pub mod range;
mod request;
pub mod resolve;
pub mod respond;
pub mod select;
mod shape;
#[cfg(test)]
mod testing;

pub use offer::{Offer, negotiated};
pub use openapi::{openapi, openapi_3};
pub use options::options;
pub use parse::parse;
pub use query_string::canonical_query;
pub use request::{Action, Http, Request, Target};
pub use resolve::{Exposed, Resolved, resolve};
pub use respond::{Aside, Body, Outcome, Reply, Rows, Served, check_affected, failure, respond};
pub use shape::{Shape, shape};
