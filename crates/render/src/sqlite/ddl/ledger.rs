//! The table that remembers what was applied.

use std::sync::Arc;

use types::Type;
use types::session::Session;
use types::stored::Stored;

use super::{bound, plain};
use crate::Command;
use crate::schema::{Ledger, LedgerEntry};

const MAKE: &str = "CREATE TABLE IF NOT EXISTS \"backplane.ledger\" (layer TEXT NOT NULL, name TEXT NOT NULL, hash TEXT NOT NULL, text TEXT NOT NULL, applied_at INTEGER NOT NULL, UNIQUE (layer, name)) STRICT";

/// A question to, or an entry of, the ledger.
pub(super) fn command(ledger: Ledger<'_>, session: &Session) -> Command {
    match ledger {
        Ledger::Find => {
            let text =
                "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'backplane.ledger'";
            Command {
                outputs: Arc::from([(Arc::from("count"), Type::Int8)]),
                ..plain(text.to_owned(), session)
            }
        }
        Ledger::Make => plain(MAKE.to_owned(), session),
        Ledger::Hashes => entries("hash", session),
        Ledger::Texts => entries("text", session),
        Ledger::Forget(layer) => {
            let text = "DELETE FROM \"backplane.ledger\" WHERE layer = ?".to_owned();
            bound(text, vec![Stored::Text(layer.into())], session)
        }
        Ledger::Add(entry) => add(entry, session),
    }
}

fn entries(column: &str, session: &Session) -> Command {
    let text = format!("SELECT layer, name, {column} FROM \"backplane.ledger\" ORDER BY rowid");
    let outputs = ["layer", "name", column].map(|name| (Arc::from(name), Type::Text));
    Command { outputs: Arc::from(outputs), ..plain(text, session) }
}

fn add(entry: &LedgerEntry, session: &Session) -> Command {
    let text = "INSERT INTO \"backplane.ledger\" VALUES (?, ?, ?, ?, ?)".to_owned();
    let mut parameters: Vec<Stored> = [&entry.layer, &entry.name, &entry.hash, &entry.text]
        .map(|text| Stored::Text(text.as_str().into()))
        .to_vec();
    parameters.push(Stored::Int(session.now));
    bound(text, parameters, session)
}
