//! PostgreSQL: the database does it itself.

pub mod introspect;
