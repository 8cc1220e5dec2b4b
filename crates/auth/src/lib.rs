//! The GoTrue API: who somebody is, and how they prove it.
//!
//! ```text
//! headers ─▶ gateway ─▶ Caller                     on every request of every API
//! AuthRequest ─▶ routes ─▶ store ─▶ AuthResponse   on `/auth/v1`
//! ```
//!
//! Nothing here opens a socket, reads a clock, an environment or a file, or knows a database: a [`Clock`], a
//! [`Random`] and a `Database` come in with the context. Secrets are compared in constant time or looked up by hash.

pub mod cache;
pub mod encoding;
pub mod entropy;
pub mod gateway;
pub mod jwk;
pub mod keys;
pub mod password;
pub mod pool;
pub mod refusal;
#[cfg(test)]
mod testing;
pub mod token;

pub use entropy::{Clock, Random};
pub use gateway::{Caller, Credentials, Gateway, Kind};
pub use keys::KeySet;
pub use refusal::Refusal;
pub use token::{Keys, Rules, Verified, Verifier};
