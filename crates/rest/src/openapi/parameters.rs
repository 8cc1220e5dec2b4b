//! `parameters`: what requests may say, named once and referred to by the paths.

use types::json::Json;

use super::schema::{list, object, reference, text};
use super::seen::{Seen, SeenTable};

/// A row per parameter that every table has: key, name, description, where it stands, values, default.
type Row =
    (&'static str, &'static str, &'static str, &'static str, &'static [&'static str], Option<&'static str>);

const PAGING: &str = "Limiting and Pagination";
const PREFERENCE: &str = "Preference";

#[rustfmt::skip]
const COMMON: &[Row] = &[
    ("preferParams", "Prefer", PREFERENCE, "header", &[], None),
    ("preferReturn", "Prefer", PREFERENCE, "header",
     &["return=representation", "return=minimal", "return=none"], None),
    ("preferCount", "Prefer", PREFERENCE, "header", &["count=none"], None),
    ("preferPost", "Prefer", PREFERENCE, "header",
     &["return=representation", "return=minimal", "return=none", "resolution=ignore-duplicates",
       "resolution=merge-duplicates"], None),
    ("select", "select", "Filtering Columns", "query", &[], None),
    ("on_conflict", "on_conflict", "On Conflict", "query", &[], None),
    ("order", "order", "Ordering", "query", &[], None),
    ("range", "Range", PAGING, "header", &[], None),
    ("rangeUnit", "Range-Unit", PAGING, "header", &[], Some("items")),
    ("offset", "offset", PAGING, "query", &[], None),
    ("limit", "limit", PAGING, "query", &[], None),
];

pub(super) fn parameters(seen: &Seen<'_>) -> Json {
    let common = COMMON.iter().map(common);
    let tables = seen.tables.iter().flat_map(|table| [body(table)].into_iter().chain(filters(table)));
    Json::Object(common.chain(tables).collect())
}

fn common(&(key, name, description, place, values, default): &Row) -> (String, Json) {
    let values = values.iter().map(|value| text(value)).collect::<Vec<_>>();
    let parameter = object([
        ("name", Some(text(name))),
        ("description", Some(text(description))),
        ("required", Some(Json::Bool(false))),
        ("in", Some(text(place))),
        ("type", Some(text("string"))),
        ("enum", (!values.is_empty()).then_some(Json::Array(values))),
        ("default", default.map(text)),
    ]);
    (key.to_owned(), parameter)
}

fn body(table: &SeenTable<'_>) -> (String, Json) {
    let parameter = object([
        ("name", Some(text(table.name))),
        ("description", Some(text(table.name))),
        ("required", Some(Json::Bool(false))),
        ("in", Some(text("body"))),
        ("schema", Some(reference(&format!("definitions/{}", table.name)))),
    ]);
    (format!("body.{}", table.name), parameter)
}

fn filters(table: &SeenTable<'_>) -> impl Iterator<Item = (String, Json)> {
    table.columns().map(|(_, column)| {
        let parameter = object([
            ("name", Some(text(&column.name))),
            ("description", column.comment.as_deref().map(text)),
            ("required", Some(Json::Bool(false))),
            ("in", Some(text("query"))),
            ("type", Some(text("string"))),
        ]);
        (format!("rowFilter.{}.{}", table.name, column.name), parameter)
    })
}

/// References to filters on every column of a table, then to parameters that every table has.
pub(super) fn of_rows(table: &SeenTable<'_>, others: &[&str]) -> Json {
    let filters =
        table.columns().map(|(_, column)| format!("parameters/rowFilter.{}.{}", table.name, column.name));
    let others = others.iter().map(|name| format!("parameters/{name}"));
    Json::Array(filters.chain(others).map(|path| reference(&path)).collect())
}

/// Nothing but the media types that a function answers.
pub(super) fn answers_of_functions() -> Json {
    list([
        "application/json",
        "application/vnd.pgrst.object+json;nulls=stripped",
        "application/vnd.pgrst.object+json",
    ])
}
