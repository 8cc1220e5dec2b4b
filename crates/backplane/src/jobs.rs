//! What a schema asks for and the server does by itself: commands at times (`cron.schedule`) and requests to other servers
//! (`net.http_post`).
//!
//! Both are rows that are written with the transaction that asks. What is done is recorded with what it did, so that a stopped
//! server loses none of it. On PostgreSQL its own extensions do this. Nothing here decides what may be asked for.

mod address;
mod outbox;
mod schedule;

use std::sync::Arc;
use std::time::Duration;

use catalog::Catalog;
use tokio::time::MissedTickBehavior;
use types::{Name, Result};

use crate::app::{App, Stage};
use outbox::Outbox;
use schedule::Schedule;

/// How often it is looked whether something is due.
const TICK: Duration = Duration::from_secs(1);

/// The parts of a hosted project that are made when a project names them: a word of its text, a file's name, its text.
const SCHEMAS: &[(&[&str], &str, &str)] = &[
    (&["cron.", "pg_cron"], "cron", include_str!("jobs/cron.sql")),
    (&["net.", "pg_net", "supabase_functions."], "net", include_str!("jobs/net.sql")),
    (&["vault."], "vault", include_str!("jobs/vault.sql")),
    (&["pgmq"], "pgmq", include_str!("jobs/pgmq.sql")),
    (
        &["extensions.http", "extension http", "extension if not exists http"],
        "http",
        include_str!("jobs/http.sql"),
    ),
];

/// Statements of this module: PostgreSQL's SQL with the types of its parameters.
macro_rules! statements {
    ($($name:ident($($ty:ident),*) $sql:expr;)*) => {
        $(static $name: engine::Statement = engine::Statement {
            sql: $sql,
            parameters: { const TYPES: &[types::Type] = &[$(types::Type::$ty),*]; TYPES },
        };)*
    };
}
use statements;

/// Does what is due until the server stops.
///
/// # Errors
/// `XX000` when the library for HTTPS cannot be set up.
pub async fn work(app: Arc<App>) -> Result<()> {
    if app.settings.is_postgres() {
        return Ok(());
    }
    let (mut schedule, mut outbox) = (Schedule::new(&app), Outbox::new(&app)?);
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while app.stage() == Stage::Ready {
        ticks.tick().await;
        let (catalog, now) = (app.model().catalog.clone(), app.clock.now_micros());
        if has(&catalog, "net", "http_request_queue") {
            tell(outbox.tick(now).await);
        }
        if has(&catalog, "cron", "job") {
            tell(schedule.tick(now).await);
        }
    }
    Ok(())
}

/// What could not be done is due again.
fn tell(done: Result<()>) {
    if let Err(error) = done {
        tracing::error!(code = error.state(), "what is due could not be done: {}", error.message());
    }
}

fn has(catalog: &Catalog, schema: &str, table: &str) -> bool {
    catalog.table(&Name::new(schema, table)).is_some()
}

/// The parts that a project's texts name, each with its name.
pub fn named<'t>(
    texts: impl Iterator<Item = &'t str> + Clone,
) -> impl Iterator<Item = (&'static str, &'static str)> {
    let is_named = move |words: &[&str]| {
        texts.clone().any(|text| {
            // As dumps have it: "net"."http_post"(…).
            let text = text.to_lowercase().replace('"', "");
            words.iter().any(|word| text.contains(word))
        })
    };
    SCHEMAS.iter().filter(move |(words, ..)| is_named(words)).map(|(_, name, text)| (*name, *text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Folder, app_of};

    statements! {
        GET() "select status from extensions.http_get('https://example.com')";
        POST() "select (extensions.http_post('https://example.com', '{}'::jsonb)).content";
    }

    #[tokio::test]
    async fn a_request_within_a_transaction_is_refused_by_its_name() {
        let folder =
            Folder::of(&[("schema.sql", "create extension if not exists http with schema extensions;")]);
        let app = app_of(&folder).await;
        for (statement, name) in [(&GET, "http_get()"), (&POST, "http_post()")] {
            let asked = app.database.transact(Duration::from_secs(30), move |work| {
                Box::pin(async move { work.query(statement, Vec::new()).await })
            });
            let error = asked.await.unwrap_err();
            let said = format!("{} {}", error.state(), error.message());
            assert_eq!(said, format!("0A000 {name} is not supported"));
        }
    }
}
