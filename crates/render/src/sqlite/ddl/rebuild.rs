//! A table made anew: its rows move under their keys, so that their order stays.
//!
//! The old table steps aside, the new one is made under the same name, so that other tables' foreign keys go on naming it.

use catalog::migration::{ColumnSource, Rebuild};
use catalog::{ColumnId, Table};
use query::model::{Fill, ROW};
use query::{Expr, resolve, visit};
use types::stored::Stored;
use types::ty::format_type;
use types::{Code, Error, Name, Result};

use super::{ONLY, alone, bound, index, plain, rules, stored_name, table, write};
use crate::schema::{Scene, Task, Test};
use crate::sqlite::names::{quote, row_key};
use crate::sqlite::{Columns, Writer};

/// Columns that a sequence fills in existing rows.
pub(super) fn numbered(rebuild: &Rebuild, scene: &Scene<'_>) -> Vec<(ColumnId, Name)> {
    let defaults = rebuild.new.column_ids().zip(&rebuild.sources);
    let defaults = defaults.filter(|(_, source)| matches!(source, ColumnSource::Default));
    defaults.filter_map(|(column, _)| Some((column, sequence(fill(rebuild, column, scene)?)?))).collect()
}

fn fill<'s>(rebuild: &Rebuild, column: ColumnId, scene: &Scene<'s>) -> Option<&'s Fill> {
    let wanted = scene.wanted;
    let (id, _) = wanted.catalog.table(&rebuild.new.name)?;
    wanted[id].fills.get(usize::from(column.0))
}

/// The sequence that a column counts with.
fn sequence(fill: &Fill) -> Option<Name> {
    match fill {
        Fill::Identity { sequence, .. } => Some(sequence.clone()),
        Fill::Default(Ok(expr)) => counted(expr),
        Fill::Default(Err(_)) | Fill::Null | Fill::Generated(_) => None,
    }
}

fn counted(expr: &Expr) -> Option<Name> {
    match expr {
        Expr::Cast { expr, .. } => counted(expr),
        expr => query::functions::sequences::counted(expr),
    }
}

/// All that making a table anew takes.
pub(super) fn tasks(rebuild: &Rebuild, scene: &Scene<'_>) -> Result<Vec<Task>> {
    let (catalog, session, new) = (&scene.wanted.catalog, scene.session, &*rebuild.new);
    let aside = Name::new(new.name.schema.clone(), format!("{}~old", new.name.name));
    let run = |text: String| Task::Run(plain(text, session));
    let mut tasks = nulls(rebuild, scene)?;
    tasks.extend(unknown_casts(rebuild, scene));
    tasks.push(run("PRAGMA legacy_alter_table=ON".to_owned()));
    tasks.push(run(format!("ALTER TABLE {} RENAME TO {}", stored_name(&new.name), stored_name(&aside))));
    tasks.push(run("PRAGMA legacy_alter_table=OFF".to_owned()));
    tasks.push(run(table::definition(catalog, new)?));
    tasks.push(moved(rebuild, &aside, scene)?);
    tasks.push(run(format!("DROP TABLE {}", stored_name(&aside))));
    tasks.extend(index::create_all(catalog, new, session)?);
    if rebuild.sources.iter().any(|source| !matches!(source, ColumnSource::Copy(_))) {
        tasks.extend(rules::all_checks(new, scene)?);
    }
    Ok(tasks)
}

/// Looks for nulls that the new table refuses.
fn nulls(rebuild: &Rebuild, scene: &Scene<'_>) -> Result<Vec<Task>> {
    let mut tasks = Vec::new();
    for (column, source) in rebuild.new.column_ids().zip(&rebuild.sources) {
        if !rebuild.new[column].not_null {
            continue;
        }
        let condition = match source {
            ColumnSource::Copy(from) | ColumnSource::Cast(from) => {
                format!("{} IS NULL", quote(&rebuild.old[*from].name))
            }
            ColumnSource::Default if matches!(fill(rebuild, column, scene), Some(Fill::Null) | None) => {
                "true".to_owned()
            }
            ColumnSource::Default | ColumnSource::Using(_) | ColumnSource::Generated => continue,
        };
        let text = format!("SELECT 1 FROM {} WHERE {condition} LIMIT 1", stored_name(&rebuild.old.name));
        let message = format!(
            "column \"{}\" of relation \"{}\" contains null values",
            rebuild.new[column].name, rebuild.new.name.name
        );
        let error = Error::new(Code::NOT_NULL_VIOLATION, message);
        tasks.push(Task::Refuse(Box::new(Test { command: plain(text, scene.session), error, key: None })));
    }
    Ok(tasks)
}

/// Looks for values whose type has no cast to the new one: a column without values may change to any type.
fn unknown_casts(rebuild: &Rebuild, scene: &Scene<'_>) -> Vec<Task> {
    let (catalog, old, new) = (&scene.wanted.catalog, &*rebuild.old, &*rebuild.new);
    let mut tasks = Vec::new();
    for (column, source) in new.column_ids().zip(&rebuild.sources) {
        let ColumnSource::Cast(from) = source else { continue };
        if resolve::retyped(catalog, (old, *from), (new, column)).is_err() {
            let (name, table) = (quote(&old[*from].name), stored_name(&old.name));
            let text = format!("SELECT 1 FROM {table} WHERE {name} IS NOT NULL LIMIT 1");
            let error = not_castable(old, *from, new, column);
            tasks.push(Task::Refuse(Box::new(Test {
                command: plain(text, scene.session),
                error,
                key: None,
            })));
        }
    }
    tasks
}

/// `INSERT` of every row, in the order of their keys. What is generated from the new row needs all that comes from the old
/// one first: then rows are kept in between, which also computes a volatile default only once.
fn moved(rebuild: &Rebuild, aside: &Name, scene: &Scene<'_>) -> Result<Task> {
    let old = Table { name: aside.clone(), ..(*rebuild.old).clone() };
    let catalog = alone(&old);
    let has_generated = rebuild.sources.contains(&ColumnSource::Generated);
    let (text, parameters, ()) = write(&catalog, Columns::OfTable(ONLY), scene.session, |writer| {
        if !has_generated {
            new_columns(writer, rebuild);
            return old_rows(writer, rebuild, &old, scene);
        }
        writer.push("WITH ");
        writer.alias(ROW);
        writer.push(" AS MATERIALIZED (");
        old_rows(writer, rebuild, &old, scene)?;
        writer.push(") ");
        new_columns(writer, rebuild);
        new_rows(writer, rebuild, scene)
    })?;
    Ok(Task::Run(bound(text, parameters, scene.session)))
}

/// `INSERT INTO new (key, column, …) `
fn new_columns(writer: &mut Writer<'_>, rebuild: &Rebuild) {
    let new = &*rebuild.new;
    writer.push(&format!("INSERT INTO {} ({}", stored_name(&new.name), row_key(new)));
    for column in &new.columns {
        writer.push(", ");
        writer.identifier(&column.name);
    }
    writer.push(") ");
}

/// The key and what comes from the old row, as `key`, `c0`, …
fn old_rows(writer: &mut Writer<'_>, rebuild: &Rebuild, old: &Table, scene: &Scene<'_>) -> Result<()> {
    writer.push("SELECT ");
    writer.alias(ROW);
    writer.push(".");
    writer.push(row_key(old));
    writer.push(" AS key");
    for (column, source) in rebuild.new.column_ids().zip(&rebuild.sources) {
        if *source != ColumnSource::Generated {
            writer.push(", ");
            from_old(writer, rebuild, column, source, scene)?;
            writer.push(" AS c");
            writer.number(column.0);
        }
    }
    writer.push(" FROM ");
    writer.push(&stored_name(&old.name));
    writer.push(" AS ");
    writer.alias(ROW);
    writer.push(" ORDER BY 1");
    Ok(())
}

/// The key and all columns of the new row.
fn new_rows(writer: &mut Writer<'_>, rebuild: &Rebuild, scene: &Scene<'_>) -> Result<()> {
    writer.sources.insert(ROW, Columns::Outputs);
    writer.push("SELECT key");
    for (column, source) in rebuild.new.column_ids().zip(&rebuild.sources) {
        writer.push(", ");
        if *source == ColumnSource::Generated {
            match fill(rebuild, column, scene) {
                Some(Fill::Generated(Ok(expr))) => writer.expr(&owned(&rebuild.new, expr))?,
                Some(Fill::Generated(Err(error))) => return Err(error.clone()),
                _ => return Err(Error::internal("a generated column without an expression")),
            }
        } else {
            writer.push("c");
            writer.number(column.0);
        }
    }
    writer.push(" FROM ");
    writer.alias(ROW);
    writer.push(" ORDER BY key");
    Ok(())
}

fn from_old(
    writer: &mut Writer<'_>,
    rebuild: &Rebuild,
    column: ColumnId,
    source: &ColumnSource,
    scene: &Scene<'_>,
) -> Result<()> {
    let (catalog, old, new) = (&scene.wanted.catalog, &*rebuild.old, &*rebuild.new);
    match source {
        ColumnSource::Copy(from) => {
            writer.expr(&Expr::Column { source: ROW, column: *from, ty: old[*from].ty.clone() })
        }
        ColumnSource::Cast(from) => {
            match resolve::retyped(catalog, (old, *from), (new, column)) {
                Ok(converted) => writer.expr(&converted),
                // `unknown_casts` has seen that there is nothing to cast.
                Err(_) => {
                    writer.push("NULL");
                    Ok(())
                }
            }
        }
        ColumnSource::Using(expr) => writer.expr(&resolve::conversion(catalog, old, (new, column), expr)?),
        ColumnSource::Default => default(writer, rebuild, column, scene),
        ColumnSource::Generated => Err(Error::internal("a generated column of the old row")),
    }
}

fn default(writer: &mut Writer<'_>, rebuild: &Rebuild, column: ColumnId, scene: &Scene<'_>) -> Result<()> {
    let Some(fill) = fill(rebuild, column, scene) else {
        return Err(Error::internal("the default of an unknown column"));
    };
    if let Some(name) = sequence(fill) {
        return number(writer, column, &name, scene);
    }
    match fill {
        Fill::Null => {
            writer.push("NULL");
            Ok(())
        }
        Fill::Default(Ok(expr)) => writer.expr(&owned(&rebuild.new, expr)),
        Fill::Default(Err(error)) | Fill::Generated(Err(error)) => Err(error.clone()),
        Fill::Identity { .. } | Fill::Generated(Ok(_)) => Err(Error::internal("a default of another kind")),
    }
}

/// An expression whose functions the owner of the table calls.
pub(super) fn owned(table: &Table, expr: &Expr) -> Expr {
    let mut expr = expr.clone();
    visit::deep_mut(&mut expr, &mut |inner| {
        if let Expr::Call(call) = inner {
            call.role = Some(table.owner.clone());
        }
    });
    expr
}

/// The first number and the steps after it, in the order of the rows.
fn number(writer: &mut Writer<'_>, column: ColumnId, name: &Name, scene: &Scene<'_>) -> Result<()> {
    let first = scene.numbers.iter().find(|(of, _)| *of == column).map_or(0, |(_, first)| *first);
    let sequence = scene.wanted.catalog.sequences.get(name);
    let increment = sequence.ok_or_else(|| Error::internal(format!("sequence {name}")))?.increment;
    writer.push("(");
    writer.parameter(Stored::Int(first));
    writer.push(" + (row_number() OVER (ORDER BY ");
    writer.alias(ROW);
    writer.push(".");
    let catalog = writer.catalog;
    writer.push(row_key(&catalog[ONLY]));
    writer.push(") - 1) * ");
    writer.parameter(Stored::Int(increment));
    writer.push(")");
    Ok(())
}

fn not_castable(old: &Table, from: ColumnId, new: &Table, to: ColumnId) -> Error {
    let (name, target) = (&new[to].name, format_type(&new[to].ty, new[to].modifier));
    let message = format!("column \"{name}\" cannot be cast automatically to type {target}");
    let source = &old[from].name;
    Error::new(Code::DATATYPE_MISMATCH, message)
        .with_hint(format!("You might need to specify \"USING {source}::{target}\"."))
}
