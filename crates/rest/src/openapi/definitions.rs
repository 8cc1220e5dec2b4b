//! `definitions`: the rows of each table.

use catalog::{Column, ColumnId, DefaultValue};
use sql::ast::Literal;
use types::json::{self, Json};

use super::schema::{format, items, kind, labels, length, object, text};
use super::seen::{Seen, SeenTable};

pub(super) fn definitions(seen: &Seen<'_>) -> Json {
    let rows = seen.tables.iter().map(|table| (table.name.to_owned(), row(table)));
    Json::Object(rows.collect())
}

fn row(table: &SeenTable<'_>) -> Json {
    let properties =
        table.columns().map(|(id, column)| (column.name.to_string(), property(table, id, column)));
    let required: Vec<Json> =
        table.columns().filter(|(_, column)| column.not_null).map(|(_, column)| text(&column.name)).collect();
    object([
        ("description", table.table.comment.as_deref().map(text)),
        ("required", (!required.is_empty()).then_some(Json::Array(required))),
        ("properties", Some(Json::Object(properties.collect()))),
        ("type", Some(text("object"))),
    ])
}

fn property(table: &SeenTable<'_>, id: ColumnId, column: &Column) -> Json {
    object([
        ("description", described(table, id, column).as_deref().map(text)),
        ("type", kind(&column.ty).map(text)),
        ("format", Some(text(&format(&column.ty)))),
        ("items", items(&column.ty)),
        ("maxLength", length(&column.ty, column.modifier)),
        ("enum", labels(&column.ty)),
        ("default", default(column)),
    ])
}

/// The comment, with notes on keys that tools look for.
fn described(table: &SeenTable<'_>, id: ColumnId, column: &Column) -> Option<String> {
    let mut notes = String::new();
    if table.is_key(id) {
        notes.push_str("\nThis is a Primary Key.<pk/>");
    }
    if let Some((table, column)) = table.target(id) {
        notes.push_str(&format!(
            "\nThis is a Foreign Key to `{table}.{column}`.<fk table='{table}' column='{column}'/>"
        ));
    }
    match (&column.comment, notes.is_empty()) {
        (comment, true) => comment.clone(),
        (Some(comment), false) => Some(format!("{comment}\n\nNote:{notes}")),
        (None, false) => Some(format!("Note:{notes}")),
    }
}

/// The default where JSON can say it: a constant, or the expression's text where the value is a string.
fn default(column: &Column) -> Option<Json> {
    let Some(DefaultValue::Expr(expr)) = &column.default else { return None };
    match (kind(&column.ty), expr.literal()) {
        (_, Some(Literal::Null)) => None,
        (Some("string"), Some(Literal::String(value))) => Some(text(value)),
        (Some("string"), _) => Some(text(&sql::print::expr(expr))),
        (_, Some(Literal::Bool(_) | Literal::Integer(_) | Literal::Numeric(_))) => {
            json::parse(&sql::print::expr(expr), 1).ok()
        }
        _ => None,
    }
}
