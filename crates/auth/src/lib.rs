//! The GoTrue API: who somebody is, and how they prove it.
//!
//! ```text
//! headers ─▶ gateway ─▶ Caller                     on every request of every API
//! AuthRequest ─▶ routes ─▶ store ─▶ AuthResponse   on `/auth/v1`
//! ```
//!
//! Nothing here opens a socket, reads a clock, an environment or a file, or knows a database: a [`Clock`], a
//! [`Random`] and a `Database` come in with [`Parts`]. Secrets are compared in constant time or looked up by hash.

mod account;
mod admin;
mod audit;
mod bearer;
pub mod cache;
pub mod codes;
pub mod config;
mod email;
pub mod encoding;
pub mod entropy;
mod error;
mod fields;
pub mod gateway;
mod grants;
pub mod http;
mod identities;
mod instant;
pub mod jwk;
pub mod keys;
mod limiter;
mod liveness;
pub mod password;
mod phone;
mod pkce;
pub mod pool;
mod public;
mod refresh;
pub mod refusal;
pub mod routes;
mod service;
mod sessions;
mod sign_in;
mod sign_up;
mod statements;
mod store;
mod strength;
#[cfg(test)]
mod testing;
pub mod token;
mod users;
mod verify;

pub use config::Config;
pub use entropy::{Clock, Random};
pub use error::{AuthError, AuthResult};
pub use gateway::{Caller, Credentials, Gateway, Kind};
pub use http::{AuthRequest, AuthResponse, Method};
pub use keys::KeySet;
pub use pool::Pool;
pub use refusal::Refusal;
pub use routes::ROUTES;
pub use service::{Parts, Service};
pub use token::{Keys, Rules, Verified, Verifier};

/// The tables of this API, in PostgreSQL's SQL: part of every project's schema.
pub const SCHEMA: &str = include_str!("schema.sql");
