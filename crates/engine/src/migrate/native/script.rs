//! A file as what one sends: statements, in transactions.

use std::sync::Arc;

use types::{Error, Result};

use super::super::File;

/// Statements of one transaction, or one statement outside of any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Whether its statement may not stand in a transaction.
    pub alone: bool,
    /// The statements, as they are written.
    pub statements: Vec<Statement>,
}

/// A statement as it is written, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Its text, without the semicolon.
    pub text: Arc<str>,
    /// Its file.
    pub file: Arc<str>,
    /// The line that it starts in.
    pub line: usize,
}

/// How statements begin that PostgreSQL runs outside of transactions only.
const ALONE: &[&[&str]] = &[
    &["create", "index", "concurrently"],
    &["create", "unique", "index", "concurrently"],
    &["drop", "index", "concurrently"],
    &["reindex"],
    &["vacuum"],
    &["create", "database"],
    &["drop", "database"],
    &["create", "tablespace"],
    &["drop", "tablespace"],
    &["alter", "system"],
    &["cluster"],
];

/// How statements begin that begin or end a transaction: a file's own are those of its step.
const TRANSACTION: &[&[&str]] = &[&["begin"], &["start", "transaction"], &["commit"], &["end"], &["abort"]];

/// The statements of a file, in order.
pub(super) fn statements(file: &File) -> Vec<Statement> {
    let name: Arc<str> = file.name.as_str().into();
    let (mut line, mut at) = (1, 0);
    let mut found = Vec::new();
    for span in sql::statements(&file.text) {
        let (start, end) = (span.start as usize, span.end as usize);
        let Some(text) = file.text.get(start..end) else { continue };
        line += file.text.get(at..start).map_or(0, |between| between.matches('\n').count());
        at = start;
        found.push(Statement { text: text.into(), file: name.clone(), line });
    }
    found
}

/// A file's statements in as few transactions as PostgreSQL allows.
pub(super) fn parts(file: &File) -> Vec<Part> {
    let mut parts = vec![Part::default()];
    for statement in statements(file) {
        if begins(&statement.text, TRANSACTION) {
            continue;
        }
        if begins(&statement.text, ALONE) {
            parts.push(Part { alone: true, statements: vec![statement] });
            continue;
        }
        match parts.last_mut() {
            Some(last) if !last.alone => last.statements.push(statement),
            _ => parts.push(Part { alone: false, statements: vec![statement] }),
        }
    }
    parts.retain(|part| !part.statements.is_empty());
    parts
}

/// Refuses what cannot be sent as a statement of a step.
pub(super) fn check(statement: &Statement) -> Result<()> {
    let words = words(&statement.text);
    let first = words.first().map_or("", String::as_str);
    let text = statement.text.to_lowercase();
    let what = match first {
        "copy" if text.contains("stdin") => "`copy … from stdin`",
        "rollback" => "`rollback` in a file that is applied whole",
        _ if statement.text.starts_with('\\') => "a command of psql",
        _ => return Ok(()),
    };
    let place = format!("{}:{}", statement.file, statement.line);
    Err(Error::missing(what).with_hint(format!("It stands in {place}.")))
}

/// The extension that a statement makes.
pub(super) fn extension(statement: &Statement) -> Option<String> {
    if !begins(&statement.text, &[&["create", "extension"]]) {
        return None;
    }
    let (statements, _) = sql::parse(&statement.text);
    match statements.into_iter().next()?.kind {
        sql::ast::StatementKind::CreateExtension { name, .. } => Some(name),
        _ => None,
    }
}

/// Whether a statement begins with one of these rows of words.
fn begins(text: &str, rows: &[&[&str]]) -> bool {
    let words: Vec<String> = words(text);
    rows.iter()
        .any(|row| words.len() >= row.len() && row.iter().zip(&words).all(|(wanted, word)| wanted == word))
}

/// The first words of a statement, in lower case.
pub(super) fn words(text: &str) -> Vec<String> {
    let first = text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    first.take(5).map(str::to_lowercase).collect()
}
