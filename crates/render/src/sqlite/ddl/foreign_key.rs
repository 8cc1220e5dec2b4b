//! Foreign keys: SQLite's own where they mean the same, completed by a check and triggers of ours.
//!
//! Keys are checked at the end of each statement, those that are deferrable at the end of the transaction: whoever writes looks
//! at them when they are due. `restrict` is stored as `no action`: PostgreSQL also looks after the statement and its cascades,
//! SQLite's `RESTRICT` looks before. `set default` and `set null (columns)` are triggers.

use catalog::{Catalog, Column, ColumnId, DefaultValue, ForeignKey, ReferentialAction, Table};
use types::session::Session;
use types::stored::is_alike;
use types::ty::format_type;
use types::{Error, Name, Result, Type};

use super::{alone, kept, stored_name};
use crate::sqlite::names::{collation, match_full_name, native_equality, quote, table_name};

/// A constraint of `CREATE TABLE`.
pub(super) fn definition(catalog: &Catalog, table: &Table, key: &ForeignKey) -> Result<String> {
    comparable(catalog, table, key)?;
    let columns = names(key.columns.iter().map(|&column| &*table[column].name));
    let targets = names(key.target_columns.iter().map(|name| &**name));
    let mut text = format!(
        "CONSTRAINT {} FOREIGN KEY ({columns}) REFERENCES {} ({targets}){}{}{}",
        quote(&key.name),
        stored_name(&key.target),
        action(" ON DELETE", key, &key.on_delete),
        action(" ON UPDATE", key, &key.on_update),
        if key.deferrable { " DEFERRABLE INITIALLY DEFERRED" } else { "" },
    );
    if key.match_full && key.columns.len() > 1 {
        text.push_str(&match_full(table, key));
    }
    Ok(text)
}

/// All of the columns null, or none.
fn match_full(table: &Table, key: &ForeignKey) -> String {
    let nulls = key.columns.iter().map(|&column| format!("({} IS NULL)", quote(&table[column].name)));
    let count = nulls.collect::<Vec<_>>().join(" + ");
    let name = match_full_name(&table.name, &key.name);
    format!(", CONSTRAINT {} CHECK ({count} IN (0, {}))", quote(&name), key.columns.len())
}

fn action(event: &str, key: &ForeignKey, action: &ReferentialAction) -> String {
    match action {
        ReferentialAction::Cascade => format!("{event} CASCADE"),
        ReferentialAction::SetNull(columns) if is_whole(key, columns) => format!("{event} SET NULL"),
        ReferentialAction::NoAction
        | ReferentialAction::Restrict
        | ReferentialAction::SetNull(_)
        | ReferentialAction::SetDefault(_) => String::new(),
    }
}

fn is_whole(key: &ForeignKey, columns: &[ColumnId]) -> bool {
    columns.is_empty() || key.columns.iter().all(|column| columns.contains(column))
}

/// Triggers that do what SQLite does for a key on its own while foreign keys are on.
pub(super) fn stand_ins(table: &Table, key: &ForeignKey) -> Vec<String> {
    let columns: Vec<String> = key.columns.iter().map(|&column| quote(&table[column].name)).collect();
    let of_action = |event: &'static str, action: &ReferentialAction| {
        let set = |value: &dyn Fn(&str) -> String| {
            let pairs = columns.iter().zip(&key.target_columns);
            let values: Vec<String> =
                pairs.map(|(column, target)| format!("{column} = {}", value(target))).collect();
            format!("UPDATE {} SET {}", stored_name(&table.name), values.join(", "))
        };
        match action {
            ReferentialAction::Cascade if event == "DELETE" => {
                Some(format!("DELETE FROM {}", stored_name(&table.name)))
            }
            ReferentialAction::Cascade => Some(set(&|target| format!("NEW.{}", quote(target)))),
            ReferentialAction::SetNull(columns) if is_whole(key, columns) => {
                Some(set(&|_| "NULL".to_owned()))
            }
            ReferentialAction::NoAction
            | ReferentialAction::Restrict
            | ReferentialAction::SetNull(_)
            | ReferentialAction::SetDefault(_) => None,
        }
    };
    let events = [("DELETE", &key.on_delete), ("UPDATE", &key.on_update)];
    let made = events.into_iter().filter_map(|(event, action)| {
        let name = format!("{}.{}~{event}~stand-in", table_name(&table.name), key.name);
        Some(Trigger { name: &name, moment: "AFTER", event, table, key }.text(&of_action(event, action)?))
    });
    made.collect()
}

/// Triggers on the referenced table: each with its name and `CREATE TRIGGER`.
pub(super) fn triggers(
    catalog: &Catalog,
    table: &Table,
    key: &ForeignKey,
    session: &Session,
) -> Result<Vec<(String, String)>> {
    let events = [("delete", "DELETE", &key.on_delete), ("update", "UPDATE", &key.on_update)];
    let mut found = Vec::new();
    for (word, event, action) in events {
        if let Some(values) = values(catalog, table, key, action, session)? {
            let name = format!("{}.{}~{word}", table_name(&table.name), key.name);
            let statement = format!("UPDATE {} SET {}", stored_name(&table.name), values.join(", "));
            let text = Trigger { name: &name, moment: "BEFORE", event, table, key }.text(&statement);
            found.push((name, text));
        }
    }
    Ok(found)
}

/// The columns that a trigger sets, each with its value.
fn values(
    catalog: &Catalog,
    table: &Table,
    key: &ForeignKey,
    action: &ReferentialAction,
    session: &Session,
) -> Result<Option<Vec<String>>> {
    let (columns, to_default) = match action {
        ReferentialAction::SetNull(columns) if !is_whole(key, columns) => (columns, false),
        ReferentialAction::SetDefault(columns) => (columns, true),
        ReferentialAction::NoAction
        | ReferentialAction::Restrict
        | ReferentialAction::Cascade
        | ReferentialAction::SetNull(_) => return Ok(None),
    };
    let columns = if columns.is_empty() { &key.columns } else { columns };
    let values = columns.iter().map(|&column| {
        let value =
            if to_default { default(catalog, table, key, column, session)? } else { "NULL".to_owned() };
        Ok(format!("{} = {value}", quote(&table[column].name)))
    });
    values.collect::<Result<Vec<_>>>().map(Some)
}

fn default(
    catalog: &Catalog,
    table: &Table,
    key: &ForeignKey,
    column: ColumnId,
    session: &Session,
) -> Result<String> {
    let refused = || {
        let name = &table[column].name;
        Error::missing(format!(
            "SET DEFAULT of foreign key \"{}\" while the default of column \"{name}\" is not a constant",
            key.name
        ))
    };
    match &table[column].default {
        None => Ok("NULL".to_owned()),
        Some(DefaultValue::Expr(expr)) => {
            let (id, _) = catalog.table(&table.name).ok_or_else(refused)?;
            let resolved = query::resolve::default(catalog, id, column, expr)?;
            super::index::immutable(&resolved).map_err(|_| refused())?;
            kept(&alone(table), session, |writer| writer.expr(&resolved)).map_err(|_| refused())
        }
        Some(DefaultValue::Identity { .. } | DefaultValue::Generated(_)) => Err(refused()),
    }
}

/// A trigger on the table that a key references, about the rows that reference the one that changes.
struct Trigger<'a> {
    name: &'a str,
    moment: &'a str,
    event: &'a str,
    table: &'a Table,
    key: &'a ForeignKey,
}

impl Trigger<'_> {
    /// `CREATE TRIGGER` of a statement that lacks its `WHERE`.
    fn text(&self, statement: &str) -> String {
        let Trigger { name, moment, event, table, key } = self;
        let pairs: Vec<(String, String)> = key
            .columns
            .iter()
            .zip(&key.target_columns)
            .map(|(&column, target)| (quote(&table[column].name), quote(target)))
            .collect();
        let matches: Vec<String> =
            pairs.iter().map(|(column, target)| format!("{column} = OLD.{target}")).collect();
        let changed: Vec<String> =
            pairs.iter().map(|(_, target)| format!("OLD.{target} IS NOT NEW.{target}")).collect();
        let (of, when) = if *event == "UPDATE" {
            (
                format!(" OF {}", names(key.target_columns.iter().map(|name| &**name))),
                format!(" WHEN {}", changed.join(" OR ")),
            )
        } else {
            (String::new(), String::new())
        };
        format!(
            "CREATE TRIGGER {} {moment} {event}{of} ON {} FOR EACH ROW{when} BEGIN {statement} WHERE {}; END",
            quote(name),
            stored_name(&key.target),
            matches.join(" AND "),
        )
    }
}

/// Refuses keys whose stored values do not compare as the values do.
fn comparable(catalog: &Catalog, table: &Table, key: &ForeignKey) -> Result<()> {
    let (_, target) = target_of(catalog, &key.target)?;
    for (&column, name) in key.columns.iter().zip(&key.target_columns) {
        let from = &table[column];
        let (_, to) = target.column(name).ok_or_else(|| Error::internal("the target of a foreign key"))?;
        if !compares(from, to) {
            let (from, to) = (format_type(&from.ty, None), format_type(&to.ty, None));
            return Err(Error::missing(format!("foreign key \"{}\" from {from} to {to}", key.name)));
        }
    }
    Ok(())
}

fn compares(from: &Column, to: &Column) -> bool {
    let floats = |ty: &Type| matches!(ty, Type::Float4 | Type::Float8);
    let alike = is_alike(&from.ty, &to.ty)
        || is_alike(&to.ty, &from.ty)
        || (floats(&from.ty) && floats(&to.ty))
        || matches!((&from.ty, &to.ty), (Type::Enum(from), Type::Enum(to)) if from.name == to.name);
    alike && native_equality(&to.ty) && collation(&from.ty) == collation(&to.ty)
}

/// The table that a foreign key references.
pub(super) fn target_of<'c>(catalog: &'c Catalog, name: &Name) -> Result<(catalog::TableId, &'c Table)> {
    catalog.table(name).ok_or_else(|| Error::internal("the table of a foreign key"))
}

/// Quoted names with commas.
pub(super) fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(quote).collect::<Vec<_>>().join(", ")
}
