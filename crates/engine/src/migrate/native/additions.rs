//! A declared schema that has grown: what its later texts say beyond the earlier ones, as statements.
//!
//! Statements are compared by what they say, not by how they are laid out. New ones are handed on as they are written; a
//! changed policy, function, view, trigger, index or comment takes the place of the earlier one; a table gets the columns and
//! constraints that it lacks. Whatever else was changed or taken away is refused by name: only a migration can say how.

use sql::ast::{
    AlterTable, AlterTableAction, ArgumentMode, CreateFunction, CreateTable, Drop, ObjectName, StatementKind,
};
use types::{Code, Error, Result, Span};

use super::super::File;
use super::script::{self, Statement, words};

/// The schema that a name without one is in.
const DEFAULT_SCHEMA: &str = "public";

/// Most statements that a refusal names.
const NAMED_MAX: usize = 10;

/// A statement, what it says, and what it is known by.
struct Piece {
    statement: Statement,
    kind: Option<StatementKind>,
    said: String,
}

/// What `after` says beyond `before`.
///
/// # Errors
/// `55000` for what was changed or taken away, by name.
pub(super) fn additions(before: &[File], after: &[File]) -> Result<Vec<Statement>> {
    let mut gone: Vec<Piece> = before.iter().flat_map(pieces).collect();
    let mut added = Vec::new();
    for piece in after.iter().flat_map(pieces) {
        match gone.iter().position(|old| old.said == piece.said) {
            Some(at) => drop(gone.remove(at)),
            None => added.push(piece),
        }
    }
    let mut found = Vec::new();
    let mut refused = Vec::new();
    for piece in added {
        let old = gone.iter().position(|old| is_same_object(old, &piece)).map(|at| gone.remove(at));
        match old {
            None => found.push(piece.statement),
            Some(old) => match replaced(&old, &piece) {
                Ok(statements) => found.extend(statements),
                Err(what) => refused.push(what),
            },
        }
    }
    // What stands on others goes before anything new comes.
    let mut dropped = Vec::new();
    for old in gone {
        match old.kind.as_ref().map(dropping) {
            Some(Gone::Drop(text)) => dropped.push(Statement { text: text.into(), ..old.statement }),
            Some(Gone::Rows) => {}
            Some(Gone::Refused) | None => refused.push(named(&old)),
        }
    }
    if refused.is_empty() {
        dropped.extend(found);
        return Ok(dropped);
    }
    Err(refusal(&refused))
}

fn refusal(refused: &[String]) -> Error {
    let more = refused.len().saturating_sub(NAMED_MAX);
    let mut lines: Vec<String> = refused.iter().take(NAMED_MAX).cloned().collect();
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    Error::new(Code::OBJECT_STATE, "the declared schema was changed otherwise than by adding to it")
        .with_details(lines.join("\n"))
        .with_hint(
            "On PostgreSQL a change of what is there is a migration: write it as SQL into migrations/NUMBER_name.sql. With that folder there, the declared schema is not read.",
        )
}

fn pieces(file: &File) -> Vec<Piece> {
    script::statements(file).into_iter().map(piece).collect()
}

fn piece(statement: Statement) -> Piece {
    let (mut parsed, complaints) = sql::parse(&statement.text);
    let kind = parsed.pop().map(|parsed| parsed.kind).filter(|_| complaints.is_empty() && parsed.is_empty());
    let printed = kind.as_ref().and_then(sql::print::statement);
    let said = printed.unwrap_or_else(|| statement.text.split_whitespace().collect::<Vec<_>>().join(" "));
    Piece { statement, kind, said }
}

fn named(piece: &Piece) -> String {
    let first = piece.statement.text.lines().next().unwrap_or_default();
    format!("{}:{}: {}", piece.statement.file, piece.statement.line, first.trim())
}

fn same_name(a: &ObjectName, b: &ObjectName) -> bool {
    let schema = |name: &ObjectName| name.schema.clone().unwrap_or_else(|| DEFAULT_SCHEMA.to_owned());
    a.name == b.name && schema(a) == schema(b)
}

/// Whether two statements declare one object.
fn is_same_object(old: &Piece, new: &Piece) -> bool {
    use StatementKind::{
        Comment, CreateFunction, CreateIndex, CreatePolicy, CreateTable, CreateTrigger, CreateView,
    };
    let (Some(old), Some(new)) = (&old.kind, &new.kind) else { return false };
    match (old, new) {
        (CreateTable(old), CreateTable(new)) => same_name(&old.name, &new.name),
        (CreateView(old), CreateView(new)) => same_name(&old.name, &new.name),
        (CreatePolicy(old), CreatePolicy(new)) => old.name == new.name && same_name(&old.table, &new.table),
        (CreateTrigger(old), CreateTrigger(new)) => old.name == new.name && same_name(&old.table, &new.table),
        (CreateIndex(old), CreateIndex(new)) => {
            old.name.is_some() && old.name == new.name && same_name(&old.table, &new.table)
        }
        (CreateFunction(old), CreateFunction(new)) => {
            same_name(&old.name, &new.name) && inputs(old) == inputs(new)
        }
        (Comment { object, name, .. }, Comment { object: other, name: named, .. }) => {
            object == other
                && name == named
                && !matches!(object.as_str(), "function" | "procedure" | "routine")
        }
        _ => false,
    }
}

/// The types of the arguments that a caller passes.
fn inputs(function: &CreateFunction) -> Vec<String> {
    let inputs = function.arguments.iter().filter(|argument| is_input(argument.mode));
    inputs.map(|argument| sql::print::type_name(&argument.ty)).collect()
}

fn is_input(mode: ArgumentMode) -> bool {
    match mode {
        ArgumentMode::In | ArgumentMode::InOut | ArgumentMode::Variadic => true,
        ArgumentMode::Out | ArgumentMode::Table => false,
    }
}

/// What makes the earlier form of an object the later one; otherwise what was changed, in words.
fn replaced(old: &Piece, new: &Piece) -> Result<Vec<Statement>, String> {
    let as_written = |text: String| Statement { text: text.into(), ..new.statement.clone() };
    match (&old.kind, &new.kind) {
        (Some(StatementKind::CreateTable(old_table)), Some(StatementKind::CreateTable(new_table))) => {
            let texts = grown(old_table, new_table).map_err(|what| format!("{}: {what}", named(new)))?;
            Ok(texts.into_iter().map(as_written).collect())
        }
        (_, Some(StatementKind::CreateFunction(_))) => Ok(vec![as_written(replacing(&new.statement.text))]),
        (_, Some(StatementKind::CreateView(view))) if !view.materialized => {
            Ok(vec![as_written(replacing(&new.statement.text))])
        }
        (_, Some(StatementKind::Comment { .. })) => Ok(vec![new.statement.clone()]),
        (Some(kind), _) => match dropping(kind) {
            Gone::Drop(text) => Ok(vec![as_written(text), new.statement.clone()]),
            Gone::Rows | Gone::Refused => Err(named(new)),
        },
        (None, _) => Err(named(new)),
    }
}

/// `create …` as `create or replace …`.
fn replacing(text: &str) -> String {
    let first = words(text);
    match (first.first().map(String::as_str), first.get(1).map(String::as_str)) {
        (Some("create"), Some("or")) | (None, _) => text.to_owned(),
        (Some(_), _) => {
            let end = text.find(char::is_whitespace).unwrap_or(text.len());
            let (verb, rest) = text.split_at(end);
            format!("{verb} or replace{rest}")
        }
    }
}

/// The columns and constraints that a table lacks.
fn grown(old: &CreateTable, new: &CreateTable) -> Result<Vec<String>, String> {
    let rest = |table: &CreateTable| {
        let (like, inherits) = (table.like.clone(), table.inherits.clone());
        let names = |names: Vec<ObjectName>| names.iter().map(sql::print::object_name).collect::<Vec<_>>();
        (
            names(like),
            names(inherits),
            table.partition_by.as_ref().map(sql::print::partition_by),
            table.temporary,
        )
    };
    if rest(old) != rest(new) {
        return Err("more than columns and constraints differ".to_owned());
    }
    let mut texts = Vec::new();
    for column in &old.columns {
        let Some(kept) = new.columns.iter().find(|other| other.name == column.name) else {
            return Err(format!("column {} is gone", column.name));
        };
        let text = |column| altering(new, AlterTableAction::AddColumn { column, if_not_exists: false });
        if text(column.clone())? != text(kept.clone())? {
            return Err(format!("column {} is another", column.name));
        }
    }
    for column in
        new.columns.iter().filter(|column| old.columns.iter().all(|other| other.name != column.name))
    {
        texts.push(altering(
            new,
            AlterTableAction::AddColumn { column: column.clone(), if_not_exists: false },
        )?);
    }
    let constraints = |table: &CreateTable| {
        let actions = table.constraints.iter().cloned().map(AlterTableAction::AddConstraint);
        actions.map(|action| altering(new, action)).collect::<Result<Vec<_>, _>>()
    };
    let (before, after) = (constraints(old)?, constraints(new)?);
    if let Some(gone) = before.iter().find(|text| !after.contains(text)) {
        return Err(format!("a constraint is gone or another: {gone}"));
    }
    texts.extend(after.into_iter().filter(|text| !before.contains(text)));
    Ok(texts)
}

fn altering(table: &CreateTable, action: AlterTableAction) -> Result<String, String> {
    let alter = AlterTable {
        name: table.name.clone(),
        if_exists: false,
        object: "table".to_owned(),
        actions: vec![action],
    };
    let text = sql::print::statement(&StatementKind::AlterTable(alter));
    text.ok_or_else(|| "it says what cannot be said again".to_owned())
}

/// What becomes of something that is not declared any longer.
enum Gone {
    /// A statement drops it; nothing that is stored goes with it.
    Drop(String),
    /// It was about rows, or about the session: done and over.
    Rows,
    /// How it goes, only a migration can say.
    Refused,
}

fn dropping(kind: &StatementKind) -> Gone {
    let drop = |object: &str, name: &ObjectName, on: Option<&ObjectName>, arguments| {
        let drop = Drop {
            object: object.to_owned(),
            names: vec![(name.clone(), arguments)],
            on: on.cloned(),
            if_exists: true,
            cascade: false,
        };
        sql::print::statement(&StatementKind::Drop(drop)).map_or(Gone::Refused, Gone::Drop)
    };
    let plain = |name: &str| ObjectName { schema: None, name: name.to_owned(), span: Span::default() };
    match kind {
        StatementKind::CreatePolicy(policy) => {
            drop("policy", &plain(&policy.name), Some(&policy.table), None)
        }
        StatementKind::CreateTrigger(trigger) => {
            drop("trigger", &plain(&trigger.name), Some(&trigger.table), None)
        }
        StatementKind::CreateIndex(index) => match &index.name {
            Some(name) => {
                let name = ObjectName { schema: index.table.schema.clone(), ..plain(name) };
                drop("index", &name, None, None)
            }
            None => Gone::Refused,
        },
        StatementKind::CreateView(view) if !view.materialized => drop("view", &view.name, None, None),
        StatementKind::CreateFunction(function) => {
            let inputs = function.arguments.iter().filter(|argument| is_input(argument.mode));
            let types = inputs.map(|argument| argument.ty.clone()).collect();
            drop(if function.procedure { "procedure" } else { "function" }, &function.name, None, Some(types))
        }
        StatementKind::Insert(_)
        | StatementKind::Update(_)
        | StatementKind::Delete(_)
        | StatementKind::Query(_)
        | StatementKind::Truncate { .. }
        | StatementKind::Set { .. }
        | StatementKind::SetConstraints { .. }
        | StatementKind::Reset(_)
        | StatementKind::Lock { .. }
        | StatementKind::Notify { .. }
        | StatementKind::Transaction(_)
        | StatementKind::Do { .. } => Gone::Rows,
        _ => Gone::Refused,
    }
}
