//! The stored schema: tables, indexes, triggers of ours, and how each is changed.
//!
//! Tables are `STRICT`, with a rowid that no column aliases. Keys are unique indexes and not constraints, so that they come and
//! go without their table. `NOT NULL` is stored although every row was checked before: `on delete set null` is done by
//! SQLite, and must be refused where PostgreSQL refuses it. Checks and defaults are not stored.

mod exclusion;
mod foreign_key;
mod index;
mod ledger;
mod names;
mod partitions;
mod rebuild;
mod rules;
mod settle;
mod table;

use std::sync::Arc;

use catalog::migration::{Action, Rebuild};
use catalog::{Catalog, ColumnId, Table, TableId};
use query::{Caller, Model, SourceId};
use types::session::Session;
use types::stored::Stored;
use types::{Error, Name, Result, Type, Value};

use super::names::{quote, table_name};
use super::{Columns, Sqlite, Writer};
use crate::schema::{Ledger, Review, Scene, SchemaDialect, Task};
use crate::{Bindings, Command};

impl SchemaDialect for Sqlite {
    fn step(&self, action: &Action, scene: &Scene<'_>) -> Result<Vec<Task>> {
        let wanted = &scene.wanted.catalog;
        let run = |text: String| Ok(vec![Task::Run(plain(text, scene.session))]);
        match action {
            Action::CreateTable(table) => table::create(wanted, table, scene.session),
            Action::DropTable(table) => run(format!("DROP TABLE {}", stored_name(&table.name))),
            Action::RenameTable { from, to } => table::rename(wanted, from, to, scene.session),
            Action::RebuildTable(rebuild) => rebuild::tasks(rebuild, scene),
            Action::AddColumn { table, column } => table::add_column(table, *column, scene.session),
            Action::RenameColumn { table, from, to } => run(format!(
                "ALTER TABLE {} RENAME COLUMN {} TO {}",
                stored_name(table),
                quote(from),
                quote(to)
            )),
            Action::DropColumn { table, column } => {
                run(format!("ALTER TABLE {} DROP COLUMN {}", stored_name(table), quote(column)))
            }
            Action::CreateIndex { table, index } => index::add(wanted, table, index, scene.session),
            Action::DropIndex { table, index } => Ok(index::drop(table, index, scene.session)),
            Action::CreateSequence(_) | Action::Declare => Ok(Vec::new()),
            Action::AlterSequence { from, to } => Ok(renamed_sequence(from, &to.name, scene.session)),
            Action::DropSequence(name) => Ok(vec![Task::Run(forget_sequence(name, scene.session))]),
            Action::RelabelRows { table, column, from, to } => {
                rules::relabel(table, *column, (from, to), scene.session)
            }
            Action::Validate { table, rule } => rules::validate(table, rule, scene),
            Action::DetachRows { partition, root } => partitions::detach(partition, root, scene),
            Action::AttachRows { partition, root } => partitions::attach(partition, root, scene),
            Action::DropRows { partition, root } => partitions::drop(partition, root, scene),
        }
    }

    fn runs_alone(&self, action: &Action) -> bool {
        match action {
            Action::RebuildTable(_)
            | Action::DropTable(_)
            | Action::DropSequence(_)
            | Action::DetachRows { .. }
            | Action::AttachRows { .. }
            | Action::DropRows { .. } => true,
            Action::AlterSequence { from, to } => *from != to.name,
            _ => false,
        }
    }

    fn numbered(&self, rebuild: &Rebuild, scene: &Scene<'_>) -> Vec<(ColumnId, Name)> {
        rebuild::numbered(rebuild, scene)
    }

    fn count(&self, table: &Name, session: &Session) -> Command {
        let text = format!("SELECT count(*) FROM {}", stored_name(table));
        Command { outputs: Arc::from([(Arc::from("count"), Type::Int8)]), ..plain(text, session) }
    }

    fn before(&self, stored: &[Vec<Value>], session: &Session) -> Vec<Task> {
        settle::before(stored, session)
    }

    fn stored(&self, session: &Session) -> Command {
        settle::stored(session)
    }

    fn settle(&self, wanted: &Model, stored: &[Vec<Value>], session: &Session) -> Result<Vec<Task>> {
        settle::tasks(&wanted.catalog, stored, session)
    }

    fn stand_in(&self, wanted: &Model, session: &Session) -> Result<Vec<Task>> {
        settle::stand_in(&wanted.catalog, session)
    }

    fn references(&self, wanted: &Model, table: &Table, session: &Session) -> Result<Vec<Task>> {
        let valid = table.foreign_keys.iter().filter(|key| !key.not_valid);
        valid.map(|key| rules::reference(&wanted.catalog, table, key, session)).collect()
    }

    fn review(&self, wanted: &Model) -> Review {
        settle::review(&wanted.catalog)
    }

    fn ledger(&self, ledger: Ledger<'_>, session: &Session) -> Command {
        ledger::command(ledger, session)
    }
}

fn stored_name(name: &Name) -> String {
    quote(&table_name(name))
}

/// A command without parameters and rows.
fn plain(text: String, session: &Session) -> Command {
    bound(text, Vec::new(), session)
}

/// A command without rows.
fn bound(text: String, parameters: Vec<Stored>, session: &Session) -> Command {
    Command {
        text: text.into(),
        parameters,
        session: session.clone(),
        outputs: Arc::from([]),
        counts_changes: false,
        calls: false,
    }
}

fn renamed_sequence(from: &Name, to: &Name, session: &Session) -> Vec<Task> {
    if from == to {
        return Vec::new();
    }
    let parameters = [to, from].map(|name| Stored::Text(name.to_string().into())).to_vec();
    let text = "UPDATE \"backplane.sequences\" SET name = ? WHERE name = ?".to_owned();
    vec![Task::Run(bound(text, parameters, session))]
}

fn forget_sequence(name: &Name, session: &Session) -> Command {
    let text = "DELETE FROM \"backplane.sequences\" WHERE name = ?".to_owned();
    bound(text, vec![Stored::Text(name.to_string().into())], session)
}

/// A catalog of one table, for expressions over its row alone.
fn alone(table: &Table) -> Catalog {
    Catalog { tables: vec![table.clone()], ..Catalog::default() }
}

/// Where the only table of [`alone`] is.
const ONLY: TableId = TableId(0);

/// Writes with the columns of [`query::model::ROW`] as `columns`.
fn write<T>(
    catalog: &Catalog,
    columns: Columns,
    session: &Session,
    body: impl FnOnce(&mut Writer<'_>) -> Result<T>,
) -> Result<(String, Vec<Stored>, T)> {
    let caller = Caller::role("postgres");
    let bindings = Bindings { caller: &caller, session, parameters: &[], written: &[], given: &[] };
    let mut writer = Writer::new(catalog, &bindings);
    writer.sources.insert(query::model::ROW, columns);
    let result = body(&mut writer)?;
    Ok((writer.text, writer.parameters, result))
}

/// Text that the engine keeps, over the bare columns of a table: constants are written out.
fn kept(
    catalog: &Catalog,
    session: &Session,
    body: impl FnOnce(&mut Writer<'_>) -> Result<()>,
) -> Result<String> {
    let (text, parameters, ()) = write(catalog, Columns::OfTable(ONLY), session, |writer| {
        writer.kept = true;
        body(writer)
    })?;
    if parameters.is_empty() { Ok(text) } else { Err(Error::internal("a parameter in text that is kept")) }
}

/// The source of a row that is read as it is stored.
fn row_source(id: SourceId, table: TableId) -> query::Source {
    query::Source::Table { id, table, guard: query::Guard::Open }
}
