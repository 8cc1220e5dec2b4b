//! The engines. One module and one cargo feature each; only here is a database library known.

#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "sqlite")]
pub mod sqlite;
