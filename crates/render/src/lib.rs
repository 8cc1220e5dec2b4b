//! One plan step to text and parameters for a dialect; one migration step to DDL.
//!
//! The only place where engine text is written. Pure. Values are always parameters; names come from the catalog, quoted.

pub mod bindings;
pub mod command;
pub mod dialect;
mod frame;
mod kept;
pub mod postgres;
mod quoted;
pub mod schema;
pub mod sqlite;

pub use bindings::Bindings;
pub use command::{Command, Whole};
pub use dialect::Dialect;
pub use kept::Kept;
pub use schema::SchemaDialect;
