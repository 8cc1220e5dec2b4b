//! What is stored besides tables, against what is wanted: indexes and triggers are text, made from the catalog alone.
//!
//! Steps make and drop indexes one by one so that a migration can say what it does; here whatever they leave (an index of a
//! table that moved to another schema, a predicate with a renamed label) is put right.

use std::collections::HashMap;
use std::sync::Arc;

use catalog::{Catalog, Table};
use types::session::Session;
use types::{Error, Result, Type, Value};

use super::index::{self, Fate};
use super::{foreign_key, plain, table};
use crate::Command;
use crate::schema::{Review, Task};
use crate::sqlite::names::quote;

/// Kind, name and text of every index and trigger.
pub(super) fn stored(session: &Session) -> Command {
    let text =
        "SELECT type, name, sql FROM sqlite_schema WHERE type IN ('index', 'trigger') AND sql IS NOT NULL";
    let outputs = ["type", "name", "sql"].map(|name| (Arc::from(name), Type::Text));
    Command { outputs: Arc::from(outputs), ..plain(text.to_owned(), session) }
}

/// One index or trigger.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Object<'a> {
    kind: &'a str,
    name: &'a str,
    text: &'a str,
}

fn objects(stored: &[Vec<Value>]) -> impl Iterator<Item = Object<'_>> {
    stored.iter().filter_map(|row| match &row[..] {
        [Value::Text(kind), Value::Text(name), Value::Text(text)] => Some(Object { kind, name, text }),
        _ => None,
    })
}

fn dropped(object: Object<'_>, session: &Session) -> Task {
    let word = if object.kind == "trigger" { "TRIGGER" } else { "INDEX" };
    Task::Run(plain(format!("DROP {word} {}", quote(object.name)), session))
}

/// Triggers name columns of two tables: they are gone while tables change.
pub(super) fn before(stored: &[Vec<Value>], session: &Session) -> Vec<Task> {
    objects(stored).filter(|object| object.kind == "trigger").map(|object| dropped(object, session)).collect()
}

/// Drops what is not wanted or is another, and makes what is missing.
pub(super) fn tasks(catalog: &Catalog, stored: &[Vec<Value>], session: &Session) -> Result<Vec<Task>> {
    let mut wanted: HashMap<String, String> = HashMap::new();
    let mut order = Vec::new();
    for (name, text) in texts(catalog, session)? {
        order.push(name.clone());
        wanted.insert(name, text);
    }
    let mut tasks = Vec::new();
    for object in objects(stored) {
        if wanted.get(object.name).is_some_and(|text| text == object.text) {
            wanted.remove(object.name);
        } else {
            tasks.push(dropped(object, session));
        }
    }
    let missing = order.into_iter().filter_map(|name| wanted.remove(&name));
    tasks.extend(missing.map(|text| Task::Run(plain(text, session))));
    Ok(tasks)
}

/// Triggers that do what foreign keys do on their own while they are on.
pub(super) fn stand_in(catalog: &Catalog, session: &Session) -> Result<Vec<Task>> {
    let run = |text: String| Task::Run(plain(text, session));
    let mut tasks = vec![run("PRAGMA recursive_triggers=ON".to_owned())];
    for table in catalog.tables.iter().filter(|table| table.has_storage()) {
        tasks.extend(table.foreign_keys.iter().flat_map(|key| foreign_key::stand_ins(table, key)).map(run));
    }
    Ok(tasks)
}

/// Names and texts of all indexes and triggers that are wanted.
fn texts(catalog: &Catalog, session: &Session) -> Result<Vec<(String, String)>> {
    let mut texts = Vec::new();
    for table in catalog.tables.iter().filter(|table| table.has_storage()) {
        for fate in fates(catalog, table, session) {
            if let (_, Fate::Stored(found)) = fate? {
                texts.extend(found);
            }
        }
        for key in &table.foreign_keys {
            texts.extend(foreign_key::triggers(catalog, table, key, session)?);
        }
    }
    Ok(texts)
}

/// What becomes of each index of a table, by its name.
fn fates<'a>(
    catalog: &'a Catalog,
    table: &'a Table,
    session: &'a Session,
) -> impl Iterator<Item = Result<(&'a str, Fate)>> {
    let constraints = table.primary_key.iter().chain(&table.uniques);
    let constraints =
        constraints.map(move |unique| Ok((&*unique.name, index::of_unique(catalog, table, unique)?)));
    let indexes = table.indexes.iter();
    let indexes =
        indexes.map(move |index| Ok((&*index.name, index::of_index(catalog, table, index, session)?)));
    constraints.chain(indexes)
}

/// What is left out or refused.
pub(super) fn review(catalog: &Catalog) -> Review {
    let session = Session::utc(0);
    let mut review = Review::default();
    for table in catalog.tables.iter().filter(|table| table.has_storage()) {
        let mut refuse = |error: Error| review.refused.push((format!("table {}", table.name), error));
        if let Err(error) = table::definition(catalog, table) {
            refuse(error);
        }
        for key in &table.foreign_keys {
            if let Err(error) = foreign_key::triggers(catalog, table, key, &session) {
                refuse(error);
            }
        }
        for fate in fates(catalog, table, &session) {
            match fate {
                Ok((name, Fate::LeftOut(why))) => {
                    review.left_out.push(format!("index {name} on {} is not stored: {why}.", table.name));
                }
                Ok((_, Fate::Stored(_))) => {}
                Err(error) => review.refused.push((format!("table {}", table.name), error)),
            }
        }
    }
    review
}
