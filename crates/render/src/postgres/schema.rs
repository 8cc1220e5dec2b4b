//! The schema is not changed by steps of ours: PostgreSQL runs the project's own statements.

use catalog::migration::{Action, Rebuild};
use catalog::{ColumnId, Table};
use query::Model;
use types::session::Session;
use types::stored::Stored;
use types::{Error, Name, Result, Type, Value};

use super::{Postgres, qualified};
use crate::Command;
use crate::schema::{Ledger, Review, Scene, SchemaDialect, Task};

impl SchemaDialect for Postgres {
    fn step(&self, _: &Action, _: &Scene<'_>) -> Result<Vec<Task>> {
        Err(Error::missing("changing a PostgreSQL schema step by step"))
    }

    fn runs_alone(&self, _: &Action) -> bool {
        false
    }

    fn numbered(&self, _: &Rebuild, _: &Scene<'_>) -> Vec<(ColumnId, Name)> {
        Vec::new()
    }

    fn count(&self, table: &Name, session: &Session) -> Command {
        let text = format!("SELECT pg_catalog.count(*) FROM {}", qualified(table));
        Command { outputs: [("count".into(), Type::Int8)].into(), ..plain(&text, session) }
    }

    fn before(&self, _: &[Vec<Value>], _: &Session) -> Vec<Task> {
        Vec::new()
    }

    fn stored(&self, session: &Session) -> Command {
        plain("SELECT WHERE false", session)
    }

    fn settle(&self, _: &Model, _: &[Vec<Value>], _: &Session) -> Result<Vec<Task>> {
        Ok(Vec::new())
    }

    fn stand_in(&self, _: &Model, _: &Session) -> Result<Vec<Task>> {
        Ok(Vec::new())
    }

    fn references(&self, _: &Model, _: &Table, _: &Session) -> Result<Vec<Task>> {
        Ok(Vec::new())
    }

    fn review(&self, _: &Model) -> Review {
        Review::default()
    }

    fn ledger(&self, ledger: Ledger<'_>, session: &Session) -> Command {
        match ledger {
            Ledger::Find => {
                let text = "SELECT pg_catalog.count(*) FROM pg_catalog.pg_tables WHERE schemaname = 'backplane' AND tablename = 'ledger'";
                Command { outputs: [("count".into(), Type::Int8)].into(), ..plain(text, session) }
            }
            Ledger::Make => plain(MAKE, session),
            Ledger::Hashes => entries("hash", session),
            Ledger::Texts => entries("text", session),
            Ledger::Forget(layer) => {
                bound("DELETE FROM backplane.ledger WHERE layer = $1::text", &[layer], session)
            }
            Ledger::Add(entry) => bound(
                "INSERT INTO backplane.ledger (layer, name, hash, text) VALUES ($1::text, $2::text, $3::text, $4::text)",
                &[&entry.layer, &entry.name, &entry.hash, &entry.text],
                session,
            ),
        }
    }
}

const MAKE: &str = "CREATE TABLE IF NOT EXISTS backplane.ledger (position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, layer text NOT NULL, name text NOT NULL, hash text NOT NULL, text text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())";

fn entries(column: &str, session: &Session) -> Command {
    let text = format!("SELECT layer, name, {column} FROM backplane.ledger ORDER BY position");
    let outputs = ["layer", "name", column].map(|name| (name.into(), Type::Text));
    Command { outputs: outputs.into(), ..plain(&text, session) }
}

fn bound(text: &str, parameters: &[&str], session: &Session) -> Command {
    let parameters = parameters.iter().map(|text| Stored::Text((*text).into())).collect();
    Command { parameters, ..plain(text, session) }
}

fn plain(text: &str, session: &Session) -> Command {
    Command {
        text: text.into(),
        parameters: Vec::new(),
        session: session.clone(),
        outputs: [].into(),
        counts_changes: false,
        calls: false,
    }
}
