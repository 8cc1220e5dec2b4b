//! Bringing a project's SQL to a database that is ours to manage: steps as `engine::migrate::native` planned them, each in its
//! transactions, with their entries in the ledgers.
//!
//! One session at a time does this to a database: others wait. Nothing here decides what is to be done.

mod privileges;

use engine::migrate::native::{Found, Foundation, Migrated, Note, Part, Plan, Statement, Step};
use render::schema::LedgerEntry;
use tokio_postgres::Client;
use types::{Error, Result};

use super::errors::mapped;

pub use privileges::settle;

/// What every project starts with.
pub const FOUNDATION: Foundation<'_> = Foundation {
    objects: include_str!("native/foundation.sql"),
    roles: include_str!("native/roles.sql"),
    privileges: include_str!("native/privileges.sql"),
};

/// Where a file's names are looked for, as on a hosted project.
const PATH: &str = r#"set search_path = "$user", public, extensions"#;

/// Takes back what a file has set for its session. The lock is the session's as well, and is kept.
const BETWEEN: &str = "reset all; reset session authorization; reset role; close all; discard temp";

/// The lock of whoever applies: any number that nobody else uses.
const LOCK: i64 = 0x6261_636b_706c_616e;

/// States that say that something is not there: a declared schema comes in any order.
const MISSING: [&str; 5] = ["42P01", "42703", "42704", "42883", "3F000"];

/// What a database says of itself.
///
/// # Errors
/// The database's.
pub async fn found(client: &Client) -> Result<Found> {
    let row = ask(client, include_str!("native/found.sql")).await?.pop().ok_or_else(nothing)?;
    let has = |at: usize| row.try_get::<_, bool>(at).map_err(|error| mapped(&error));
    let objects: i64 = row.try_get(0).map_err(|error| mapped(&error))?;
    let mut found =
        Found { objects: u64::try_from(objects).unwrap_or(0), has_users: has(1)?, ..Found::default() };
    let extensions = ask(client, "select name::text from pg_available_extensions").await?;
    found.extensions = Some(extensions.iter().map(|row| column(row, 0)).collect::<Result<_>>()?);
    if has(2)? {
        found.ledger = Some(ledger(client).await?);
        found.progress = progress(client).await?;
    }
    if has(3)? {
        found.migrated = migrated(client).await?;
    }
    if has(4)? {
        let rows = ask(client, "select path from supabase_migrations.seed_files order by path").await?;
        found.seeds = rows.iter().map(|row| column(row, 0)).collect::<Result<_>>()?;
    }
    Ok(found)
}

async fn ledger(client: &Client) -> Result<Vec<LedgerEntry>> {
    let rows = ask(client, "select layer, name, hash, text from backplane.ledger order by position").await?;
    let entry = |row: &tokio_postgres::Row| {
        Ok(LedgerEntry {
            layer: column(row, 0)?,
            name: column(row, 1)?,
            hash: column(row, 2)?,
            text: column(row, 3)?,
        })
    };
    rows.iter().map(entry).collect()
}

async fn progress(client: &Client) -> Result<Vec<(String, usize)>> {
    let rows = ask(client, "select step, parts from backplane.progress").await?;
    let done = |row: &tokio_postgres::Row| {
        let parts: i32 = column(row, 1)?;
        Ok((column(row, 0)?, usize::try_from(parts).unwrap_or(0)))
    };
    rows.iter().map(done).collect()
}

/// The Supabase tools' ledger. An old one has versions alone.
async fn migrated(client: &Client) -> Result<Vec<Migrated>> {
    let text = "select version, to_jsonb(m) ->> 'name', array(select jsonb_array_elements_text(nullif(to_jsonb(m) -> 'statements', 'null'))), nullif(to_jsonb(m) -> 'statements', 'null') is not null from supabase_migrations.schema_migrations m order by version";
    let entry = |row: &tokio_postgres::Row| {
        let statements: Vec<String> = column(row, 2)?;
        let is_said: bool = column(row, 3)?;
        Ok(Migrated {
            version: column(row, 0)?,
            name: column(row, 1)?,
            statements: is_said.then_some(statements),
        })
    };
    ask(client, text).await?.iter().map(entry).collect()
}

async fn ask(client: &Client, text: &str) -> Result<Vec<tokio_postgres::Row>> {
    client.query(text, &[]).await.map_err(|error| mapped(&error))
}

fn column<'r, T: tokio_postgres::types::FromSql<'r>>(row: &'r tokio_postgres::Row, at: usize) -> Result<T> {
    row.try_get(at).map_err(|error| mapped(&error))
}

fn nothing() -> Error {
    Error::internal("the database said nothing of itself")
}

/// Whether somebody is a superuser; whoever the session is of, where no name is given.
///
/// # Errors
/// The database's.
pub async fn is_superuser(client: &Client, name: Option<&str>) -> Result<bool> {
    let text = "select rolsuper from pg_roles where rolname = coalesce($1, session_user)";
    let rows = client.query(text, &[&name]).await.map_err(|error| mapped(&error))?;
    rows.first().map_or(Ok(false), |row| row.try_get(0).map_err(|error| mapped(&error)))
}

/// Waits for its turn to apply; it lasts as long as the session.
///
/// # Errors
/// The database's.
pub async fn lock(client: &Client) -> Result<()> {
    client.execute("select pg_advisory_lock($1)", &[&LOCK]).await.map(drop).map_err(|error| mapped(&error))
}

/// Runs a plan, step by step; a line for each that was done.
///
/// # Errors
/// What a statement was refused with, and where it stands. Steps before it stay done.
pub async fn apply(client: &Client, plan: &Plan, found: &Found) -> Result<Vec<String>> {
    let mut done = Vec::new();
    if plan.steps.is_empty() {
        return Ok(done);
    }
    run(client, include_str!("native/ledger.sql")).await?;
    for step in &plan.steps {
        run(client, BETWEEN).await?;
        run(client, PATH).await?;
        take(client, step, found).await?;
        done.push(step.sentence.clone());
    }
    run(client, include_str!("native/notice.sql")).await?;
    run(client, BETWEEN).await?;
    Ok(done)
}

/// Runs a step, from the part on that is not done.
async fn take(client: &Client, step: &Step, found: &Found) -> Result<()> {
    let before = found.progress.iter().find(|(key, _)| *key == step.key).map_or(0, |(_, parts)| *parts);
    let last = step.parts.len().saturating_sub(1);
    for (at, part) in step.parts.iter().enumerate().skip(before.min(last)) {
        if part.alone && at >= before {
            for statement in &part.statements {
                one(client, statement).await?;
            }
        }
        let noting = if at == last { Noting::All(step) } else { Noting::Progress(&step.key, at + 1) };
        within(client, async {
            if !part.alone {
                statements(client, part, step.in_any_order).await?;
            }
            noting.note(client).await
        })
        .await?;
    }
    if step.parts.is_empty() {
        within(client, Noting::All(step).note(client)).await?;
    }
    Ok(())
}

/// One transaction.
async fn within(client: &Client, work: impl Future<Output = Result<()>>) -> Result<()> {
    run(client, "begin").await?;
    match work.await {
        Ok(()) => run(client, "commit").await,
        Err(error) => {
            // A session that cannot even roll back is over, and its transaction with it.
            drop(run(client, "rollback").await);
            Err(error)
        }
    }
}

async fn statements(client: &Client, part: &Part, in_any_order: bool) -> Result<()> {
    if in_any_order {
        return unordered(client, part.statements.iter().collect()).await;
    }
    for statement in &part.statements {
        one(client, statement).await?;
    }
    Ok(())
}

/// Statements that need what comes later are tried again, as long as that gets anywhere.
async fn unordered(client: &Client, mut waiting: Vec<&Statement>) -> Result<()> {
    loop {
        let before = waiting.len();
        let mut missing = None;
        let mut again = Vec::new();
        for statement in waiting {
            run(client, "savepoint statement").await?;
            match one(client, statement).await {
                Ok(()) => run(client, "release savepoint statement").await?,
                Err(error) if MISSING.contains(&error.state()) => {
                    run(client, "rollback to savepoint statement; release savepoint statement").await?;
                    missing.get_or_insert(error);
                    again.push(statement);
                }
                Err(error) => return Err(error),
            }
        }
        match missing {
            Some(error) if again.len() == before => return Err(error),
            Some(_) => waiting = again,
            None => return Ok(()),
        }
    }
}

async fn run(client: &Client, text: &str) -> Result<()> {
    client.batch_execute(text).await.map_err(|error| mapped(&error))
}

/// Runs a statement as it is written; a refusal says where it stands.
async fn one(client: &Client, statement: &Statement) -> Result<()> {
    client.batch_execute(&statement.text).await.map_err(|error| {
        let place = format!("{}:{}", statement.file, line_of(&error, statement));
        let mapped = mapped(&error);
        let hint = match mapped.hint() {
            Some(hint) => format!("{hint} ({place})"),
            None => format!("It was raised at {place}."),
        };
        mapped.with_hint(hint)
    })
}

/// The line that PostgreSQL points to, else that of the statement.
fn line_of(error: &tokio_postgres::Error, statement: &Statement) -> usize {
    use tokio_postgres::error::ErrorPosition;
    let position = match error.as_db_error().and_then(|said| said.position()) {
        Some(ErrorPosition::Original(position)) => usize::try_from(*position).unwrap_or(0),
        Some(ErrorPosition::Internal { .. }) | None => 0,
    };
    statement.line + statement.text.chars().take(position.saturating_sub(1)).filter(|&c| c == '\n').count()
}

/// What is noted in the transaction of a part.
enum Noting<'s> {
    /// That a step is done.
    All(&'s Step),
    /// How many parts of it are done.
    Progress(&'s str, usize),
}

impl Noting<'_> {
    async fn note(&self, client: &Client) -> Result<()> {
        let noted = match self {
            Noting::Progress(key, parts) => {
                let parts = i32::try_from(*parts).unwrap_or(i32::MAX);
                let text = "insert into backplane.progress values ($1, $2) on conflict (step) do update set parts = excluded.parts";
                client.execute(text, &[key, &parts]).await
            }
            Noting::All(step) => {
                for note in &step.notes {
                    self::note(client, note).await.map_err(|error| mapped(&error))?;
                }
                client.execute("delete from backplane.progress where step = $1", &[&step.key]).await
            }
        };
        noted.map(drop).map_err(|error| mapped(&error))
    }
}

async fn note(client: &Client, note: &Note) -> Result<u64, tokio_postgres::Error> {
    match note {
        Note::Entry(entry) => {
            let text = "insert into backplane.ledger (layer, name, hash, text) values ($1, $2, $3, $4) on conflict (layer, name) do update set hash = excluded.hash, text = excluded.text, applied_at = now()";
            client.execute(text, &[&entry.layer, &entry.name, &entry.hash, &entry.text]).await
        }
        Note::Forget(layer) => {
            client.execute("delete from backplane.ledger where layer = $1", &[layer]).await
        }
        Note::Migrated(of) => {
            let text = "insert into supabase_migrations.schema_migrations (version, name, statements) values ($1, $2, $3)";
            client.execute(text, &[&of.version, &of.name, &of.statements]).await
        }
        Note::Seed(path, hash) => {
            let text = "insert into supabase_migrations.seed_files (path, hash) values ($1, $2) on conflict (path) do update set hash = excluded.hash";
            client.execute(text, &[path, hash]).await
        }
    }
}
