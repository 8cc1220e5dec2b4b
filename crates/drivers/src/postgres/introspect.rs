//! What a database declares, read from PostgreSQL's system tables: a [`Catalog`].
//!
//! One query for each kind of object, all on one snapshot, under an empty search path, so that every name comes with its
//! schema. PostgreSQL decides at run time what its own expressions mean: one that our parser cannot read is noted and never
//! keeps a server from starting. Privileges are exact: what a catalog implies beyond what was granted is revoked first.

mod acl;
mod facts;
mod functions;
mod objects;
mod partitions;
mod relations;
mod rows;
mod tables;
mod text;
mod type_ids;

use std::collections::HashMap;
use std::sync::Arc;

use catalog::{Catalog, relationship};
use tokio_postgres::{Client, IsolationLevel};
use types::{Code, Error, Result};

use super::errors::mapped;
use facts::Facts;

/// How often a reading is begun again because something was declared meanwhile.
const READINGS_MAX: usize = 8;

/// What is read under: names come qualified, and nothing waits for long.
const SETTINGS: &str =
    "set local search_path = ''; set local statement_timeout = '60s'; set local lock_timeout = '10s'";

/// A catalog, and the state of the system tables that it was read from.
#[derive(Clone, Debug)]
pub struct Reading {
    /// What is declared.
    pub catalog: Arc<Catalog>,
    /// Changes with every declaration.
    pub fingerprint: String,
}

/// Reads what a database declares. `served` are the schemas of the API: functions of extensions count there alone.
///
/// # Errors
/// The database's; `40001` when declarations never stop changing.
pub async fn introspect(client: &mut Client, served: &[String]) -> Result<Reading> {
    for _ in 0..READINGS_MAX {
        let before = fingerprint(client).await?;
        // PostgreSQL prints expressions by what is declared now, not by the snapshot: a change meanwhile shows in the
        // fingerprint, or as an object that is gone.
        let read = read(client, served).await;
        let after = fingerprint(client).await?;
        if before == after {
            return Ok(Reading { catalog: Arc::new(read?), fingerprint: after });
        }
    }
    Err(Error::new(Code::SERIALIZATION, "the declarations of the database did not stop changing"))
}

/// What changes with every declaration.
///
/// # Errors
/// The database's.
pub async fn fingerprint(client: &Client) -> Result<String> {
    let row = client
        .query_one(include_str!("introspect/queries/fingerprint.sql"), &[])
        .await
        .map_err(|error| mapped(&error))?;
    rows::Row::of(row).text()
}

async fn read(client: &mut Client, served: &[String]) -> Result<Catalog> {
    let begin = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
    let transaction = begin.start().await.map_err(|error| mapped(&error))?;
    transaction.batch_execute(SETTINGS).await.map_err(|error| mapped(&error))?;
    let facts = facts::read(&transaction, served).await?;
    transaction.commit().await.map_err(|error| mapped(&error))?;
    tokio::task::spawn_blocking(move || assemble(facts)).await.map_err(Error::internal)
}

/// Facts to a catalog.
fn assemble(facts: Facts) -> Catalog {
    let mut catalog = Catalog::default();
    let grants = acl::Grants::of(facts.grants);
    let types = type_ids::Types::of(&facts.types);
    objects::schemas(&mut catalog, facts.schemas, &grants);
    objects::roles(&mut catalog, facts.roles);
    objects::rest(&mut catalog, facts.extensions, facts.publications, facts.default_privileges);
    objects::user_types(&mut catalog, &facts.types, &types, &facts.columns, &facts.constraints);
    let mut by_id = relations::relations(&mut catalog, facts.relations);
    relations::columns(&mut catalog, &mut by_id, facts.columns, &types);
    relations::grants(&mut catalog, &by_id, &grants);
    partitions::partitions(&mut catalog, &by_id, facts.partitions);
    objects::sequences(&mut catalog, facts.sequences, &types, &grants, &by_id);
    tables::constraints(&mut catalog, &by_id, facts.constraints);
    tables::indexes(&mut catalog, &by_id, facts.indexes);
    tables::policies(&mut catalog, &by_id, facts.policies);
    tables::triggers(&mut catalog, &by_id, facts.triggers);
    functions::functions(&mut catalog, facts.functions, &types, &grants);
    catalog.table_ids = catalog
        .ids()
        .zip(&catalog.tables)
        .map(|(id, table)| (table.name.clone(), id))
        .collect::<HashMap<_, _>>();
    catalog.relationships = relationship::derive(&catalog);
    functions::media_handlers(&mut catalog, facts.media_handlers);
    objects::representations(&mut catalog, facts.representations);
    catalog
}
