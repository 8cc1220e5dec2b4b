//! Asks the PostgreSQL of `TEST_POSTGRES_URL`: what it declares, how schemas are brought to it, how changes are noticed.
//!
//! Without that server there is nothing to compare with, and the tests fail rather than pass for nothing.

#[path = "postgres/calls.rs"]
mod calls;
#[path = "postgres/encryption.rs"]
mod encryption;
#[path = "postgres/fold.rs"]
mod fold;
#[path = "postgres/introspect.rs"]
mod introspect;
#[path = "postgres/isolation.rs"]
mod isolation;
#[path = "postgres/limits.rs"]
mod limits;
#[path = "postgres/native.rs"]
mod native;
#[path = "postgres/network.rs"]
mod network;
#[path = "postgres/own.rs"]
mod own;
#[path = "postgres/pipelines.rs"]
mod pipelines;
#[path = "postgres/reads.rs"]
mod reads;
#[path = "postgres/server.rs"]
mod server;
#[path = "postgres/shape.rs"]
mod shape;
#[path = "postgres/world.rs"]
mod world;
#[path = "postgres/writes.rs"]
mod writes;
