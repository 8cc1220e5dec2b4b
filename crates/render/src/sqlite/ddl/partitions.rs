//! Rows of partitions, between the table that keeps them and tables of their own.

use catalog::{Table, TableId};
use query::model::ROW;
use query::{Expr, Form, Model};
use types::stored::Stored;
use types::{Code, Error, Name, Named, Result};

use super::{ONLY, alone, bound, plain, stored_name, write};
use crate::schema::{Scene, Task, Test};
use crate::sqlite::Columns;
use crate::sqlite::names::{quote, row_key};

/// Out of the table at the root.
pub(super) fn detach(partition: &Table, root: &Name, scene: &Scene<'_>) -> Result<Vec<Task>> {
    let from = kept(scene.current, root)?;
    let (condition, parameters) = of_rows(from, &taken(scene.current, &partition.name)?, scene)?;
    let to = stored_name(&partition.name);
    let text = copied((&to, partition), (&stored_name(root), from), &format!("WHERE {condition} "));
    let mut tasks = vec![Task::Run(bound(text, parameters, scene.session))];
    tasks.extend(drop(partition, root, scene)?);
    Ok(tasks)
}

/// Into the table at the root.
pub(super) fn attach(partition: &Table, root: &Name, scene: &Scene<'_>) -> Result<Vec<Task>> {
    let to = kept(scene.wanted, root)?;
    let message =
        format!("partition constraint of relation \"{}\" is violated by some row", partition.name.name);
    let error = about(Error::new(Code::CHECK_VIOLATION, message), partition);
    let takes = taken(scene.wanted, &partition.name)?;
    let other = Expr::test(Form::IsBool { value: true, negated: true }, vec![takes]);
    let test = found(partition, &other, error, scene)?;
    let from = stored_name(&partition.name);
    let text = copied((&stored_name(root), to), (&from, partition), "");
    Ok(vec![test, Task::Run(plain(text, scene.session))])
}

/// Away.
pub(super) fn drop(partition: &Table, root: &Name, scene: &Scene<'_>) -> Result<Vec<Task>> {
    let from = kept(scene.current, root)?;
    let (condition, parameters) = of_rows(from, &taken(scene.current, &partition.name)?, scene)?;
    let text = format!("DELETE FROM {} AS t{} WHERE {condition}", stored_name(root), ROW.0);
    Ok(vec![Task::Run(bound(text, parameters, scene.session))])
}

/// Looks for a row of a default partition that belongs to a new one.
pub(super) fn not_taken(
    root: &Table,
    (partition, default): (&Name, &Name),
    scene: &Scene<'_>,
) -> Result<Task> {
    let message = format!(
        "updated partition constraint for default partition \"{}\" would be violated by some row",
        default.name
    );
    let error = Error::new(Code::CHECK_VIOLATION, message);
    let error = error.naming(Named::Schema, &*default.schema).naming(Named::Table, &*default.name);
    found(root, &taken(scene.wanted, partition)?, error, scene)
}

/// Looks for a row that no partition takes.
pub(super) fn placed(root: &Table, scene: &Scene<'_>) -> Result<Task> {
    let catalog = &scene.wanted.catalog;
    let is_leaf = |id: &TableId| {
        let table = &catalog[*id];
        table.partition.is_some()
            && table.partitioning.is_none()
            && catalog[catalog.kept_in(*id)].name == root.name
    };
    let bounds = catalog.ids().filter(is_leaf).map(|id| taken(scene.wanted, &catalog[id].name));
    let somewhere = Expr::test(Form::Or, bounds.collect::<Result<Vec<_>>>()?);
    let nowhere = Expr::test(Form::IsBool { value: true, negated: true }, vec![somewhere]);
    let message = format!("no partition of relation \"{}\" found for row", root.name.name);
    found(root, &nowhere, about(Error::new(Code::CHECK_VIOLATION, message), root), scene)
}

fn found(table: &Table, condition: &Expr, error: Error, scene: &Scene<'_>) -> Result<Task> {
    let (condition, parameters) = of_rows(table, condition, scene)?;
    let text = format!("SELECT 1 FROM {} AS t{} WHERE {condition} LIMIT 1", stored_name(&table.name), ROW.0);
    Ok(Task::Refuse(Box::new(Test { command: bound(text, parameters, scene.session), error, key: None })))
}

/// `INSERT` of rows in their order, columns by their positions.
fn copied((to, into): (&str, &Table), (from, of): (&str, &Table), rest: &str) -> String {
    let names = |table: &Table| {
        let names: Vec<String> = table.columns.iter().map(|column| quote(&column.name)).collect();
        names.join(", ")
    };
    format!(
        "INSERT INTO {to} ({}) SELECT {} FROM {from} AS t{} {rest}ORDER BY {}",
        names(into),
        names(of),
        ROW.0,
        row_key(of)
    )
}

/// A condition on rows of a table, whose name stands for them.
fn of_rows(table: &Table, condition: &Expr, scene: &Scene<'_>) -> Result<(String, Vec<Stored>)> {
    let catalog = alone(table);
    let (text, parameters, ()) =
        write(&catalog, Columns::OfTable(ONLY), scene.session, |writer| writer.expr(condition))?;
    Ok((text, parameters))
}

/// Which rows a partition has.
fn taken(model: &Model, partition: &Name) -> Result<Expr> {
    let missing = || Error::internal(format!("partition {partition}"));
    let (id, _) = model.catalog.table(partition).ok_or_else(missing)?;
    model[id].bound.as_ref().ok_or_else(missing)?.clone()
}

fn kept<'m>(model: &'m Model, root: &Name) -> Result<&'m Table> {
    let found = model.catalog.table(root).map(|(_, table)| table);
    found.ok_or_else(|| Error::internal(format!("table {root}")))
}

fn about(error: Error, table: &Table) -> Error {
    error.naming(Named::Schema, &*table.name.schema).naming(Named::Table, &*table.name.name)
}
