//! Changes of rows, and the statements of `with`.

use super::expr::expr;
use super::query::{query, source, target, with};
use super::{clause, columns, columns_if_any, list, object_name, quote_ident, statement};
use crate::ast::{
    Assignment, ConflictTarget, Delete, Expr, FromItem, Insert, OnConflict, StatementKind, Target, Update,
};
use crate::body::Part;

/// A query, insert, update or delete.
pub(super) fn data(kind: &StatementKind) -> String {
    match kind {
        StatementKind::Query(inner) => query(inner),
        StatementKind::Insert(inner) => insert(inner),
        StatementKind::Update(inner) => update(inner),
        StatementKind::Delete(inner) => delete(inner),
        // No other statement is read there.
        other => statement(other).unwrap_or_default(),
    }
}

fn alias(alias: Option<&String>) -> String {
    clause("as", alias, |alias| quote_ident(alias))
}

fn returning(targets: &[Target]) -> String {
    if targets.is_empty() { String::new() } else { format!(" returning {}", list(targets, target)) }
}

fn sources(word: &str, items: &[FromItem]) -> String {
    if items.is_empty() { String::new() } else { format!(" {word} {}", list(items, source)) }
}

fn assignment(assignment: &Assignment) -> String {
    let target = match &assignment.columns[..] {
        [column] => quote_ident(column),
        all => columns(all),
    };
    let parts: String = assignment.parts.iter().map(part).collect();
    format!("{target}{parts} = {}", expr(&assignment.value))
}

fn part(part: &Part) -> String {
    let bound = |bound: &Option<Expr>| bound.as_ref().map(expr).unwrap_or_default();
    match part {
        Part::Element(index) => format!("[{}]", expr(index)),
        Part::Slice(low, high) => format!("[{}:{}]", bound(low), bound(high)),
        Part::Field(field) => format!(".{}", quote_ident(field)),
    }
}

/// `where …`, `where current of …`
fn changed_rows(filter: Option<&Expr>, current_of: Option<&String>) -> String {
    match current_of {
        Some(cursor) => format!(" where current of {}", quote_ident(cursor)),
        None => clause("where", filter, expr),
    }
}

fn insert(insert: &Insert) -> String {
    let source = insert.source.as_ref().map_or_else(|| "default values".to_owned(), |inner| query(inner));
    format!(
        "{}insert into {}{}{} {}{source}{}{}",
        with(insert.with.as_ref()),
        object_name(&insert.table),
        alias(insert.alias.as_ref()),
        columns_if_any(&insert.columns),
        if insert.overriding_system { "overriding system value " } else { "" },
        insert.on_conflict.as_ref().map(on_conflict).unwrap_or_default(),
        returning(&insert.returning),
    )
}

fn on_conflict(conflict: &OnConflict) -> String {
    let target = match &conflict.target {
        None => String::new(),
        Some(ConflictTarget::Constraint(name)) => format!(" on constraint {}", quote_ident(name)),
        Some(ConflictTarget::Columns(keys, filter)) => {
            format!(" ({}){}", list(keys, expr), clause("where", filter.as_ref(), expr))
        }
    };
    let action = match &conflict.update {
        None => "nothing".to_owned(),
        Some(update) => {
            let set = list(&update.set, assignment);
            format!("update set {set}{}", clause("where", update.filter.as_ref(), expr))
        }
    };
    format!(" on conflict{target} do {action}")
}

fn update(update: &Update) -> String {
    format!(
        "{}update {}{}{} set {}{}{}{}",
        with(update.with.as_ref()),
        if update.only { "only " } else { "" },
        object_name(&update.table),
        alias(update.alias.as_ref()),
        list(&update.set, assignment),
        sources("from", &update.from),
        changed_rows(update.filter.as_ref(), update.current_of.as_ref()),
        returning(&update.returning),
    )
}

fn delete(delete: &Delete) -> String {
    format!(
        "{}delete from {}{}{}{}{}{}",
        with(delete.with.as_ref()),
        if delete.only { "only " } else { "" },
        object_name(&delete.table),
        alias(delete.alias.as_ref()),
        sources("using", &delete.using),
        changed_rows(delete.filter.as_ref(), delete.current_of.as_ref()),
        returning(&delete.returning),
    )
}
