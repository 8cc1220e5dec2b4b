//! Statements about rows: most go the road of every write, some only count or empty tables.
//!
//! What belongs to a service that is not here yet is told and not run.

use catalog::{Catalog, Sequence, Table};
use query::{Model, resolve};
use sql::ast::{self, Call, Expr, ExprKind, Literal, ObjectName, QueryBody, StatementKind};
use types::{Code, Error, Name, Result, Value};

use crate::contract::Transaction;
use crate::work::Work;

/// Schemas of services whose tables are not here.
const SERVICES: &[&str] = &["storage", "realtime", "vault", "cron", "net", "pgmq", "supabase_functions"];

/// Where names without a schema are looked for.
const PATH: &[&str] = &["public", "extensions"];

/// What a statement about rows does.
enum Meaning<'a> {
    /// It goes the road of every write.
    Statement,
    /// It empties tables; those that reference come first.
    Truncate(Vec<&'a Table>),
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
    Computed { value: &'a Expr, is_called: bool },
}

/// Whether a statement about rows can run; nothing is done.
///
/// # Errors
/// What it would refuse before it looks at rows.
pub fn check(catalog: &Catalog, statement: &StatementKind) -> Result<()> {
    match meaning(catalog, statement)? {
        Meaning::Statement => resolve::statement(catalog, statement, &[]).map(|_| ()),
        Meaning::Count { last: Last::Computed { value, .. }, .. } => {
            resolve::statement(catalog, &selecting(value), &[]).map(|_| ())
        }
        Meaning::Truncate(_) | Meaning::Elsewhere(_) | Meaning::Count { last: Last::Before(_), .. } => Ok(()),
    }
}

/// Whether a select only changes a setting of its session.
pub(super) fn is_setting(statement: &StatementKind) -> bool {
    let StatementKind::Query(query) = statement else { return false };
    only_call(query).is_some_and(|call| call.name.name == "set_config")
}

/// What came of a statement about rows.
pub(super) enum Outcome {
    /// So many rows changed.
    Changed(u64),
    /// It did not run; why.
    Passed(String),
}

/// Runs a statement about rows.
pub(super) async fn run(work: &mut Work<'_>, model: &Model, statement: &StatementKind) -> Result<Outcome> {
    match meaning(&model.catalog, statement)? {
        Meaning::Statement => work.statement(statement).await.map(Outcome::Changed),
        Meaning::Truncate(tables) => {
            let mut changed = 0;
            for table in tables {
                changed += work.statement(&emptying(&table.name)).await?;
            }
            Ok(Outcome::Changed(changed))
        }
        Meaning::Count { sequence, last } => {
            let last = match last {
                Last::Before(next) => Some(next.saturating_sub(sequence.increment)),
                Last::Computed { value, is_called } => computed(work, sequence, value, is_called).await?,
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
    value: &Expr,
    is_called: bool,
) -> Result<Option<i64>> {
    let rows = work.values(&selecting(value)).await?;
    match rows.first().and_then(|row| row.first()) {
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

fn meaning<'a>(catalog: &'a Catalog, statement: &'a StatementKind) -> Result<Meaning<'a>> {
    let target = match statement {
        StatementKind::Refresh { .. } => return Ok(Meaning::Statement),
        StatementKind::Insert(insert) => &insert.table,
        StatementKind::Update(update) => &update.table,
        StatementKind::Delete(delete) => &delete.table,
        StatementKind::Truncate { tables, cascade } => return truncated(catalog, tables, *cascade),
        StatementKind::AlterSequence { name, options, .. } => {
            let sequence = sequence(catalog, &written(name))?;
            let next = options.restart.flatten().unwrap_or(sequence.start);
            return Ok(Meaning::Count { sequence, last: Last::Before(next) });
        }
        StatementKind::Query(query) => return counted(catalog, query),
        _ => return Err(Error::missing("a statement that is not about rows in this place")),
    };
    let service = target.schema.as_deref().filter(|schema| SERVICES.contains(schema));
    match service {
        Some(_) if table(catalog, target).is_none() => Ok(Meaning::Elsewhere(written(target))),
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

fn table<'c>(catalog: &'c Catalog, name: &ObjectName) -> Option<&'c Table> {
    let own = name.schema.as_deref();
    let path = own.as_ref().map_or(PATH, std::slice::from_ref);
    let found = path.iter().find_map(|schema| catalog.table(&Name::new(*schema, name.name.as_str())));
    found.map(|(_, table)| table)
}

fn sequence<'c>(catalog: &'c Catalog, text: &str) -> Result<&'c Sequence> {
    let name = resolve::sequence_name(text);
    let message = || format!("relation \"{}\" does not exist", name.name);
    catalog.sequences.get(&name).ok_or_else(|| Error::new(Code::UNDEFINED_TABLE, message()))
}

/// `select setval('sequence', value [, is_called])`
fn counted<'a>(catalog: &'a Catalog, query: &'a ast::Query) -> Result<Meaning<'a>> {
    let Some(call) = only_call(query).filter(|call| call.name.name == "setval") else {
        return Ok(Meaning::Statement);
    };
    let [name, value, rest @ ..] = &call.args[..] else { return Ok(Meaning::Statement) };
    let name =
        text(&name.value).ok_or_else(|| Error::missing("setval() of anything but a sequence's name"))?;
    let is_called = match rest.first().map(|argument| &*argument.value.kind) {
        None => true,
        Some(ExprKind::Literal(Literal::Bool(is_called))) => *is_called,
        Some(_) => return Err(Error::missing("setval() with a computed third argument")),
    };
    Ok(Meaning::Count {
        sequence: sequence(catalog, name)?,
        last: Last::Computed { value: &value.value, is_called },
    })
}

/// The call that a select consists of.
fn only_call(query: &ast::Query) -> Option<&Call> {
    let QueryBody::Select(select) = &query.body else { return None };
    match (&select.targets[..], &select.from[..]) {
        ([target], []) => match &*target.expr.kind {
            ExprKind::Call(call) => Some(call),
            _ => None,
        },
        _ => None,
    }
}

fn text(expr: &Expr) -> Option<&str> {
    match &*expr.kind {
        ExprKind::Literal(Literal::String(text)) => Some(text),
        ExprKind::Cast { expr, .. } => text(expr),
        _ => None,
    }
}

/// `select value::bigint`
fn selecting(value: &Expr) -> StatementKind {
    parsed(&format!("select ({})::bigint", sql::print::expr(value)))
}

/// `delete from table`
fn emptying(table: &Name) -> StatementKind {
    let (schema, name) = (table.schema.replace('"', "\"\""), table.name.replace('"', "\"\""));
    parsed(&format!("delete from \"{schema}\".\"{name}\""))
}

/// A statement of ours. One that cannot be read is refused by whoever runs it.
fn parsed(text: &str) -> StatementKind {
    let (statements, _) = sql::parse(text);
    statements.into_iter().next().map_or(StatementKind::Other(text.to_owned()), |statement| statement.kind)
}

fn truncated<'c>(catalog: &'c Catalog, names: &[ObjectName], cascade: bool) -> Result<Meaning<'c>> {
    if let Some(name) = names.iter().find(|name| {
        name.schema.as_deref().is_some_and(|schema| SERVICES.contains(&schema))
            && table(catalog, name).is_none()
    }) {
        return Ok(Meaning::Elsewhere(written(name)));
    }
    let mut tables = Vec::new();
    for name in names {
        let message = || format!("relation \"{}\" does not exist", name.name);
        tables.push(table(catalog, name).ok_or_else(|| Error::new(Code::UNDEFINED_TABLE, message()))?);
    }
    let mut next = 0;
    while let Some(table) = tables.get(next).copied() {
        let others = catalog.tables.iter().filter(|other| references(other, table));
        for other in others {
            if tables.iter().any(|known| known.name == other.name) {
                continue;
            }
            if !cascade {
                return Err(referenced(table, other));
            }
            tables.push(other);
        }
        next += 1;
    }
    Ok(Meaning::Truncate(referencing_first(tables)))
}

fn references(table: &Table, target: &Table) -> bool {
    table.foreign_keys.iter().any(|key| key.target == target.name)
}

fn referenced(table: &Table, by: &Table) -> Error {
    let (table, by) = (&table.name.name, &by.name.name);
    let message = "cannot truncate a table referenced in a foreign key constraint";
    Error::new(Code::FEATURE_NOT_SUPPORTED, message)
        .with_details(format!("Table \"{by}\" references \"{table}\"."))
        .with_hint(format!("Truncate table \"{by}\" at the same time, or use TRUNCATE ... CASCADE."))
}

/// Each table before those that it references, as far as references make no circle.
fn referencing_first(mut rest: Vec<&Table>) -> Vec<&Table> {
    let mut ordered = Vec::with_capacity(rest.len());
    while !rest.is_empty() {
        let is_free =
            |table: &&Table| rest.iter().all(|other| other.name == table.name || !references(other, table));
        let at = rest.iter().position(is_free).unwrap_or(0);
        ordered.push(rest.remove(at));
    }
    ordered
}
