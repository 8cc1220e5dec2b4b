//! What existing rows must fit, and labels written anew.

use std::sync::Arc;

use catalog::migration::Rule;
use catalog::{Catalog, ColumnId, ForeignKey, Table};
use query::model::{CheckModel, ROW};
use query::{Expr, Form, Output, Read};
use types::session::Session;
use types::stored::Stored;
use types::{Code, Error, Result, Type, Value};

use super::exclusion;
use super::foreign_key::target_of;
use super::{bound, partitions, plain, rebuild, row_source, stored_name};
use crate::schema::{KeyWords, Scene, Task, Test};
use crate::sqlite::names::{collation, quote};
use crate::sqlite::read;
use crate::{Bindings, Command};

/// Looks whether existing rows fit a rule.
pub(super) fn validate(table: &Table, rule: &Rule, scene: &Scene<'_>) -> Result<Vec<Task>> {
    match rule {
        Rule::Check(name) => checks(table, scene, |check| check.domain.is_none() && check.name == *name),
        Rule::ForeignKey(name) => {
            let key = table.foreign_keys.iter().find(|key| key.name == *name);
            let key = key.ok_or_else(|| Error::internal(format!("foreign key {name}")))?;
            reference(&scene.wanted.catalog, table, key, scene.session).map(|task| vec![task])
        }
        Rule::NotTaken { partition, default } => {
            partitions::not_taken(table, (partition, default), scene).map(|task| vec![task])
        }
        Rule::Placed => partitions::placed(table, scene).map(|task| vec![task]),
        Rule::Labels(column) => labels(table, *column, scene.session),
    }
}

/// Looks whether existing rows fit all checks that hold for all rows.
pub(super) fn all_checks(table: &Table, scene: &Scene<'_>) -> Result<Vec<Task>> {
    let not_valid = |name: &Arc<str>| table.checks.iter().any(|check| check.name == *name && check.not_valid);
    let mut tasks = checks(table, scene, |check| check.domain.is_some() || !not_valid(&check.name))?;
    for index in table.indexes.iter().filter(|index| index.is_exclusion()) {
        tasks.push(exclusion::test(&scene.wanted.catalog, table, index, scene.session)?);
    }
    Ok(tasks)
}

fn checks(table: &Table, scene: &Scene<'_>, is_asked: impl Fn(&CheckModel) -> bool) -> Result<Vec<Task>> {
    let wanted = scene.wanted;
    let (id, _) = target_of(&wanted.catalog, &table.name)?;
    let asked = wanted[id].checks.iter().filter(|check| is_asked(check));
    let caller = query::Caller::role("postgres");
    let session = scene.session;
    let bindings = Bindings { caller: &caller, session, parameters: &[], written: &[], given: &[] };
    let test = |check: &CheckModel| {
        let is_false = Form::IsBool { value: false, negated: false };
        let one = Expr::Const { value: Value::Int(1), ty: Type::Int4 };
        // What cannot be looked at is refused as soon as there is a row to look at.
        let (filter, error) = match &check.expr {
            Ok(condition) => {
                let condition = rebuild::owned(table, condition);
                (Some(Expr::test(is_false, vec![condition])), violated(table, check))
            }
            Err(error) => (None, error.clone()),
        };
        let failing = Read {
            filter,
            outputs: vec![Output { name: "found".into(), expr: one.clone() }],
            limit: Some(Expr::Const { value: Value::Int(1), ty: Type::Int8 }),
            ..Read::from(row_source(ROW, id))
        };
        let command = read(&wanted.catalog, &failing, &bindings)?;
        Ok(Task::Refuse(Box::new(Test { command, error, key: None })))
    };
    asked.map(test).collect()
}

fn violated(table: &Table, check: &CheckModel) -> Error {
    let message = match &check.domain {
        None => format!(
            "check constraint \"{}\" of relation \"{}\" is violated by some row",
            check.name, table.name.name
        ),
        Some(domain) => {
            format!("value for domain {} violates check constraint \"{}\"", domain.name, check.name)
        }
    };
    Error::new(Code::CHECK_VIOLATION, message)
}

/// The values of columns of a table.
pub(super) fn key_query(table: &Table, columns: &[ColumnId], session: &Session) -> Command {
    let names: Vec<String> =
        columns.iter().map(|&column| format!("t.{}", quote(&table[column].name))).collect();
    let outputs = columns.iter().map(|&column| (table[column].name.clone(), table[column].ty.clone()));
    let text = format!("SELECT {} FROM {} AS t", names.join(", "), stored_name(&table.name));
    Command { outputs: outputs.collect(), ..plain(text, session) }
}

/// Looks for a row that references nothing.
pub(super) fn reference(
    catalog: &Catalog,
    table: &Table,
    key: &ForeignKey,
    session: &Session,
) -> Result<Task> {
    let (_, target) = target_of(catalog, &key.target)?;
    let columns: Vec<String> =
        key.columns.iter().map(|&column| format!("t.{}", quote(&table[column].name))).collect();
    let known: Vec<String> = columns.iter().map(|column| format!("{column} IS NOT NULL")).collect();
    let equal = columns.iter().zip(&key.target_columns).map(|(column, name)| {
        let ty = target.column(name).map(|(_, target)| &target.ty);
        let collation = ty.and_then(collation).map(|name| format!(" COLLATE {name}")).unwrap_or_default();
        format!("p.{}{collation} = {column}", quote(name))
    });
    let mut command = key_query(table, &key.columns, session);
    let text = format!(
        "{} WHERE {} AND NOT EXISTS (SELECT 1 FROM {} AS p WHERE {}) LIMIT 1",
        command.text,
        known.join(" AND "),
        stored_name(&key.target),
        equal.collect::<Vec<_>>().join(" AND ")
    );
    command.text = text.into();
    let names: Vec<&str> = key.columns.iter().map(|&column| &*table[column].name).collect();
    let message = format!(
        "insert or update on table \"{}\" violates foreign key constraint \"{}\"",
        table.name.name, key.name
    );
    Ok(Task::Refuse(Box::new(Test {
        command,
        error: Error::new(Code::FOREIGN_KEY_VIOLATION, message),
        key: Some(KeyWords {
            columns: names.join(", "),
            after: format!("is not present in table \"{}\".", key.target.name),
            of_two: false,
        }),
    })))
}

/// Looks for a label that the type of a column does not have.
fn labels(table: &Table, column: ColumnId, session: &Session) -> Result<Vec<Task>> {
    let declared = &table[column];
    let Some((name, labels, is_array)) = enumerated(&declared.ty) else {
        return Err(Error::internal("labels of a column of another type"));
    };
    let parameters = labels.iter().map(|label| Stored::Text(label.clone())).collect();
    let places = vec!["?"; labels.len()].join(", ");
    let (column, table_name) = (quote(&declared.name), stored_name(&table.name));
    let text = if is_array {
        format!(
            "SELECT 1 FROM {table_name} AS t, json_tree(t.{column}) AS e WHERE e.atom IS NOT NULL AND e.atom NOT IN ({places}) LIMIT 1"
        )
    } else {
        format!("SELECT 1 FROM {table_name} AS t WHERE t.{column} NOT IN ({places}) LIMIT 1")
    };
    let message = format!(
        "column \"{}\" of relation \"{}\" holds a label that type {name} no longer has",
        declared.name, table.name.name
    );
    let error = Error::new(Code::INVALID_TEXT, message);
    Ok(vec![Task::Refuse(Box::new(Test { command: bound(text, parameters, session), error, key: None }))])
}

/// An enumerated type, or the one whose arrays a type is: its name and labels.
fn enumerated(ty: &Type) -> Option<(&types::Name, &[Arc<str>], bool)> {
    match ty {
        Type::Enum(declared) => Some((&declared.name, &declared.labels, false)),
        Type::Array(element) => enumerated(element).map(|(name, labels, _)| (name, labels, true)),
        _ => None,
    }
}

/// Writes another label wherever the column holds the old one.
pub(super) fn relabel(
    table: &Table,
    column: ColumnId,
    (from, to): (&Arc<str>, &Arc<str>),
    session: &Session,
) -> Result<Vec<Task>> {
    let declared = &table[column];
    let (name, table_name) = (quote(&declared.name), stored_name(&table.name));
    let (text, parameters) = if matches!(declared.ty, Type::Array(_)) {
        // In an array's JSON text a label stands between quotes; only these two could also stand between two labels.
        if matches!(&**from, "," | "],[") {
            return Err(Error::missing(format!("renaming the label '{from}' in arrays")));
        }
        let [from, to] = [from, to].map(|label| Stored::Text(json_text(label).into()));
        let text =
            format!("UPDATE {table_name} SET {name} = replace({name}, ?1, ?2) WHERE instr({name}, ?1) > 0");
        (text, vec![from, to])
    } else {
        let [from, to] = [from, to].map(|label| Stored::Text(label.clone()));
        (format!("UPDATE {table_name} SET {name} = ?2 WHERE {name} = ?1"), vec![from, to])
    };
    Ok(vec![Task::Run(bound(text, parameters, session))])
}

/// A label as it stands in an array's text.
fn json_text(label: &str) -> String {
    types::json::Json::String(label.to_owned()).compact()
}
