//! Statements about rows: most go the road of every write, some only count or empty tables.
//!
//! What belongs to a service that is not here yet is told and not run.

use std::sync::Arc;

use catalog::{Catalog, Sequence, Table};
use query::functions::settings::REPLICATION;
use query::{Authorized, Caller, Model, Truncation, resolve};
use sql::ast::{self, Expr, ExprKind, Literal, ObjectName, QueryBody, StatementKind};
use types::{Code, Error, Name, Result, Value};

use super::fold::{Doing, Rows};
use super::session::{self, FileSession, Setting};
use crate::constraints;
use crate::contract::Transaction;
use crate::statement::SYSTEM;
use crate::work::Work;

/// Schemas of services whose tables are not here.
const SERVICES: &[&str] = &["storage", "realtime", "vault", "cron", "net", "pgmq", "supabase_functions"];

/// What a statement about rows does.
enum Meaning<'a> {
    /// It goes the road of every write.
    Statement,
    /// It empties tables.
    Truncate { tables: &'a [ObjectName], restart: bool, cascade: bool },
    /// It makes a sequence go on elsewhere; null does nothing.
    Count { sequence: &'a Sequence, last: Last<'a> },
    /// It is about a table of a service.
    Elsewhere(String),
}

/// The value that a sequence is to have given last.
enum Last<'a> {
    /// The one before this.
    Before(i64),
    /// What `setval` is given, and whether the sequence is to go on after it.
    Computed { query: &'a ast::Query, value: &'a Expr, is_called: bool },
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
            StatementKind::Query(_) => resolve::statement_on(catalog, path, statement, &[]).map(|_| ()),
            _ => Ok(()),
        };
    }
    match meaning(catalog, path, statement)? {
        Meaning::Statement => resolve::statement_on(catalog, path, statement, &[]).map(|_| ()),
        Meaning::Count { last: Last::Computed { query, value, .. }, .. } => {
            resolve::statement_on(catalog, path, &selecting(query, value, "bigint"), &[]).map(|_| ())
        }
        Meaning::Truncate { tables, restart, cascade } => {
            let model = Model::new(Arc::new(catalog.clone()));
            emptied(&model, path, (tables, restart, cascade)).map(drop)
        }
        Meaning::Elsewhere(_) | Meaning::Count { last: Last::Before(_), .. } => Ok(()),
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
        Meaning::Truncate { tables, restart, cascade } => {
            let caller = work.run.caller.clone();
            let truncation = query::truncation(model, (tables, restart, cascade), path, &caller)?;
            work.truncated(&truncation).await.map(Outcome::Changed)
        }
        Meaning::Count { sequence, last } => {
            let last = match last {
                Last::Before(next) => Some(next.saturating_sub(sequence.increment)),
                Last::Computed { query, value, is_called } => {
                    computed(work, sequence, &selecting(query, value, "bigint"), is_called).await?
                }
            };
            if let Some(last) = last {
                set(work.transaction, sequence, last).await?;
            }
            Ok(Outcome::Changed(0))
        }
        Meaning::Elsewhere(table) => Ok(Outcome::Passed(table)),
    }
}

async fn set(transaction: &mut dyn Transaction, sequence: &Sequence, last: i64) -> Result<()> {
    transaction.set_value(sequence, last).await.map_err(Error::from)
}

async fn computed(
    work: &mut Work<'_>,
    sequence: &Sequence,
    query: &StatementKind,
    is_called: bool,
) -> Result<Option<i64>> {
    let rows = work.values(query).await?;
    match rows.last().and_then(|row| row.first()) {
        Some(Value::Int(value)) if !(sequence.min..=sequence.max).contains(value) => {
            let message = format!(
                "setval: value {value} is out of bounds for sequence \"{}\" ({}..{})",
                sequence.name.name, sequence.min, sequence.max
            );
            Err(Error::new(Code::NUMERIC_OUT_OF_RANGE, message))
        }
        Some(Value::Int(value)) if is_called => Ok(Some(*value)),
        Some(Value::Int(value)) => Ok(Some(value.saturating_sub(sequence.increment))),
        _ => Ok(None),
    }
}

fn meaning<'a>(catalog: &'a Catalog, path: &[Arc<str>], statement: &'a StatementKind) -> Result<Meaning<'a>> {
    let target = match statement {
        StatementKind::Refresh { .. } => return Ok(Meaning::Statement),
        StatementKind::Insert(insert) => &insert.table,
        StatementKind::Update(update) => &update.table,
        StatementKind::Delete(delete) => &delete.table,
        StatementKind::Truncate { tables, restart, cascade } => {
            return Ok(truncated((catalog, path), tables, (*restart, *cascade)));
        }
        StatementKind::AlterSequence { name, options, .. } => {
            let sequence = sequence(catalog, path, &written(name))?;
            let next = options.restart.flatten().unwrap_or(sequence.start);
            return Ok(Meaning::Count { sequence, last: Last::Before(next) });
        }
        StatementKind::Query(query) => return counted(catalog, path, query),
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

/// The sequence of a column, in `pg_get_serial_sequence('table', 'column')`.
fn serial(catalog: &Catalog, path: &[Arc<str>], expr: &Expr) -> Option<String> {
    let ExprKind::Call(call) = &*expr.kind else { return None };
    let [of, column] = &call.args[..] else { return None };
    if call.name.name != "pg_get_serial_sequence" {
        return None;
    }
    let name = resolve::sequence_name(of.value.text()?);
    let is_qualified = of.value.text()?.contains('.');
    let schema = is_qualified.then(|| name.schema.to_string());
    let name = ObjectName { schema, name: name.name.to_string(), span: expr.span };
    let table = table(catalog, path, &name)?;
    let column = column.value.text()?;
    let is_its = |sequence: &&Sequence| {
        sequence.owned_by.as_ref().is_some_and(|(owner, of)| *owner == table.name && **of == *column)
    };
    catalog.sequences.values().find(is_its).map(|sequence| {
        let Name { schema, name } = &sequence.name;
        format!("{}.{}", sql::print::quote_ident(schema), sql::print::quote_ident(name))
    })
}

/// `select setval('sequence', value [, is_called])`
fn counted<'a>(catalog: &'a Catalog, path: &[Arc<str>], query: &'a ast::Query) -> Result<Meaning<'a>> {
    let Some(call) = query.only_call().filter(|call| call.name.name == "setval") else {
        return Ok(Meaning::Statement);
    };
    let [name, value, rest @ ..] = &call.args[..] else { return Ok(Meaning::Statement) };
    let name = serial(catalog, path, &name.value).or_else(|| name.value.text().map(str::to_owned));
    let name = name.ok_or_else(|| Error::missing("setval() of anything but a sequence's name"))?;
    let is_called = match rest.first().map(|argument| &*argument.value.kind) {
        None => true,
        Some(ExprKind::Literal(Literal::Bool(is_called))) => *is_called,
        Some(_) => return Err(Error::missing("setval() with a computed third argument")),
    };
    Ok(Meaning::Count {
        sequence: sequence(catalog, path, &name)?,
        last: Last::Computed { query, value: &value.value, is_called },
    })
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
    (restart, cascade): (bool, bool),
) -> Meaning<'a> {
    let is_elsewhere = |name: &&ObjectName| {
        let of_service = |schema: &str| SERVICES.contains(&schema);
        name.schema.as_deref().is_some_and(of_service) && table(catalog, path, name).is_none()
    };
    match tables.iter().find(is_elsewhere) {
        Some(name) => Meaning::Elsewhere(written(name)),
        None => Meaning::Truncate { tables, restart, cascade },
    }
}

fn emptied(
    model: &Model,
    path: &[Arc<str>],
    wanted: (&[ObjectName], bool, bool),
) -> Result<Authorized<Truncation>> {
    query::truncation(model, wanted, path, &Caller::role(SYSTEM))
}
