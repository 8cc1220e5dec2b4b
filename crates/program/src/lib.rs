//! Functions, procedures and trigger functions, interpreted inside of a transaction (PostgreSQL 43): those in PL/pgSQL, and those of
//! `language sql` that cannot stand in place of their calls.
//!
//! ```text
//! body ─▶ sql::parse_body ─▶ statements, each planned when it is reached and kept ─▶ interpreted over a Host
//! ```
//!
//! A statement of a body is an ordinary query: variables are its parameters, and `authorize` holds it to the rights of the
//! function's owner or its caller. Nothing here knows an engine: what runs a plan is the [`Host`].

mod account;
mod asks;
mod block;
mod call;
mod check;
mod conditions;
mod context;
mod convert;
mod dynamic;
mod environment;
mod fire;
mod ground;
mod host;
mod interpret;
mod names;
mod plans;
mod quiet;
mod settings;
mod temporaries;

pub use account::{Account, Held};
pub use block::{Traits, block, traits};
pub use call::{Returned, Signature, call, value};
pub use check::{BlockRefusal, Refusal, refused, refused_block};
pub use context::{OF_SQL, Stack};
pub use fire::{Firing, fire};
pub use ground::{Ground, Grounded};
pub use host::{BoxFuture, Done, Host, Notice};
pub use plans::Programs;
pub use quiet::quiet;
pub use settings::may_replicate;
pub use temporaries::{Temporaries, TemporariesMark};
