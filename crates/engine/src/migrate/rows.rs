//! Statements about rows: most go the road of every write, some only count or empty tables.
//!
//! What belongs to a service that is not here yet is told and not run.

use std::sync::Arc;

use catalog::{Catalog, Sequence, Table};
use query::functions::settings::REPLICATION;
use query::{Authorized, Caller, Model, Truncation, resolve};
use sql::ast::{self, Expr, ObjectName, QueryBody, StatementKind};
use types::session::Session;
use types::{Code, Error, Name, Result, Value};

use super::fold::{Doing, Rows};
use super::session::{self, FileSession, Setting};
use crate::constraints;
use crate::contract::Standing;
use crate::statement::SYSTEM;
use crate::work::Work;

/// Schemas of services whose tables are not here.
const SERVICES: &[&str] = &["storage", "realtime", "vault", "cron", "net", "pgmq", "supabase_functions"];

/// What a statement about rows does.
enum Meaning<'a> {
    /// It goes the road of every write.
    Statement,
    /// It empties tables.
    Truncate { tables: &'a [ObjectName], only: bool, restart: bool, cascade: bool },
    /// It has a sequence begin with a value.
    Restart { sequence: &'a Sequence, with: i64 },
    /// It is about a table of a service.
    Elsewhere(String),
}

/// Whether a statement about rows can run; nothing is done.
///
/// # Errors
/// What it would refuse before it looks at rows.
pub fn check(catalog: &Catalog, path: &[Arc<str>], statement: &StatementKind) -> Result<()> {
    if let StatementKind::SetConstraints { names, deferred } = statement {
        return constraints::check(catalog, path, names, *deferred);
    }
    if session::settings(statement).is_some() {
        return match statement {
            StatementKind::Query(_) => {
                resolve::statement_on(catalog, path, &Session::utc(0), statement, &[]).map(|_| ())
            }
            _ => Ok(()),
        };
    }
    match meaning(catalog, path, statement)? {
        Meaning::Statement => {
            resolve::statement_on(catalog, path, &Session::utc(0), statement, &[]).map(|_| ())
        }
        Meaning::Truncate { tables, only, restart, cascade } => {
            let model = Model::by_need(Arc::new(catalog.clone()));
            emptied(&model, path, (tables, only, restart, cascade)).map(drop)
        }
        Meaning::Elsewhere(_) | Meaning::Restart { .. } => Ok(()),
    }
}

/// What came of a statement about rows.
pub(super) enum Outcome {
    /// So many rows changed.
    Changed(u64),
    /// It did not run; why.
    Passed(String),
}

/// Runs a statement about rows.
pub(super) async fn run(
    work: &mut Work<'_>,
    file: &mut FileSession,
    (model, rows): (&Model, &Rows),
) -> Result<Outcome> {
    program::Host::exchange_path(work, rows.path.clone());
    match &rows.doing {
        Doing::Planned(plan, values) => {
            let done = program::Host::run(work, plan, values).await?;
            Ok(Outcome::Changed(done.affected))
        }
        Doing::Statement(StatementKind::Do { body, .. }) => {
            program::block(work, body).await?;
            Ok(Outcome::Changed(0))
        }
        Doing::Statement(StatementKind::SetConstraints { names, deferred }) => {
            work.set_constraints(names, *deferred).await?;
            Ok(Outcome::Changed(0))
        }
        Doing::Statement(statement) => match session::settings(statement) {
            Some(settings) => {
                for setting in settings {
                    change(work, file, setting, statement).await?;
                }
                work.run.session = file.session().clone();
                Ok(Outcome::Changed(0))
            }
            None => ran(work, model, &rows.path, statement).await,
        },
    }
}

/// Changes a setting for what follows in a file.
async fn change(
    work: &mut Work<'_>,
    file: &mut FileSession,
    setting: Setting<'_>,
    statement: &StatementKind,
) -> Result<()> {
    let (Setting::To(name, _) | Setting::Computed(name, _)) = &setting;
    if name.eq_ignore_ascii_case(REPLICATION) {
        program::may_replicate(&work.run.caller.role, work)?;
    }
    match (setting, statement) {
        (Setting::To(name, value), _) => file.set(name, value.as_deref()),
        (Setting::Computed(name, value), StatementKind::Query(query)) => {
            let rows = work.values(&selecting(query, value, "text")).await?;
            match rows.first().and_then(|row| row.first()) {
                Some(Value::Text(value)) => file.set(name, Some(value)),
                _ => file.set(name, None),
            }
        }
        (Setting::Computed(..), _) => Err(Error::internal("a computed setting of no query")),
    }
}

async fn ran(
    work: &mut Work<'_>,
    model: &Model,
    path: &[Arc<str>],
    statement: &StatementKind,
) -> Result<Outcome> {
    match meaning(&model.catalog, path, statement)? {
        Meaning::Statement => work.statement(statement).await.map(Outcome::Changed),
        Meaning::Truncate { tables, only, restart, cascade } => {
            let caller = work.run.caller.clone();
            let truncation = query::truncation(model, (tables, only, restart, cascade), path, &caller)?;
            work.truncated(&truncation).await.map(Outcome::Changed)
        }
        Meaning::Restart { sequence, with } => {
            work.transaction.set_value(sequence, Standing::before(with)).await?;
            Ok(Outcome::Changed(0))
        }
        Meaning::Elsewhere(table) => Ok(Outcome::Passed(table)),
    }
}

fn meaning<'a>(catalog: &'a Catalog, path: &[Arc<str>], statement: &'a StatementKind) -> Result<Meaning<'a>> {
    let target = match statement {
        StatementKind::Refresh { .. } => return Ok(Meaning::Statement),
        StatementKind::Insert(insert) => &insert.table,
        StatementKind::Update(update) => &update.table,
        StatementKind::Delete(delete) => &delete.table,
        StatementKind::Truncate { tables, only, restart, cascade } => {
            return Ok(truncated((catalog, path), tables, (*only, *restart, *cascade)));
        }
        StatementKind::AlterSequence { name, options, .. } => {
            let sequence = sequence(catalog, path, &written(name))?;
            return Ok(Meaning::Restart {
                sequence,
                with: options.restart.flatten().unwrap_or(sequence.start),
            });
        }
        StatementKind::Query(_) => return Ok(Meaning::Statement),
        _ => return Err(Error::missing("a statement that is not about rows in this place")),
    };
    let service = target.schema.as_deref().filter(|schema| SERVICES.contains(schema));
    match service {
        Some(_) if table(catalog, path, target).is_none() => Ok(Meaning::Elsewhere(written(target))),
        _ => Ok(Meaning::Statement),
    }
}

fn written(name: &ObjectName) -> String {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    match &name.schema {
        Some(schema) => format!("{}.{}", quoted(schema), quoted(&name.name)),
        None => quoted(&name.name),
    }
}

fn table<'c>(catalog: &'c Catalog, path: &[Arc<str>], name: &ObjectName) -> Option<&'c Table> {
    let known = |schema: &str| catalog.table(&Name::new(schema, name.name.as_str()));
    let found = match &name.schema {
        Some(schema) => known(schema),
        None => path.iter().find_map(|schema| known(schema)),
    };
    found.map(|(_, table)| table)
}

fn sequence<'c>(catalog: &'c Catalog, path: &[Arc<str>], text: &str) -> Result<&'c Sequence> {
    let name = resolve::sequence_name(text);
    let is_qualified = resolve::sequence_name(&format!("x.{text}")).schema.as_ref() != "x";
    let found = match is_qualified {
        true => catalog.sequences.get(&name),
        false => path
            .iter()
            .find_map(|schema| catalog.sequences.get(&Name::new(schema.clone(), name.name.clone()))),
    };
    let message = || format!("relation \"{}\" does not exist", name.name);
    found.ok_or_else(|| Error::new(Code::UNDEFINED_TABLE, message()))
}

/// `select value::type` in place of what a select says.
fn selecting(query: &ast::Query, value: &Expr, ty: &str) -> StatementKind {
    let mut query = query.clone();
    let cast = sql::parse_expr(&format!("({})::{ty}", sql::print::expr(value)));
    if let (QueryBody::Select(select), Ok(cast)) = (&mut query.body, cast)
        && let Some(target) = select.targets.first_mut()
    {
        target.expr = cast;
        select.targets.truncate(1);
    }
    StatementKind::Query(query)
}

/// A statement of ours. One that cannot be read is refused by whoever runs it.
pub(super) fn parsed(text: &str) -> StatementKind {
    let (statements, _) = sql::parse(text);
    statements.into_iter().next().map_or(StatementKind::Other(text.to_owned()), |statement| statement.kind)
}

fn truncated<'a>(
    (catalog, path): (&Catalog, &[Arc<str>]),
    tables: &'a [ObjectName],
    (only, restart, cascade): (bool, bool, bool),
) -> Meaning<'a> {
    let is_elsewhere = |name: &&ObjectName| {
        let of_service = |schema: &str| SERVICES.contains(&schema);
        name.schema.as_deref().is_some_and(of_service) && table(catalog, path, name).is_none()
    };
    match tables.iter().find(is_elsewhere) {
        Some(name) => Meaning::Elsewhere(written(name)),
        None => Meaning::Truncate { tables, only, restart, cascade },
    }
}

fn emptied(
    model: &Model,
    path: &[Arc<str>],
    wanted: (&[ObjectName], bool, bool, bool),
) -> Result<Authorized<Truncation>> {
    query::truncation(model, wanted, path, &Caller::role(SYSTEM))
}
