//! `paths`: the methods of each table and function, and what they have in common.

use catalog::{Argument, Function, Volatility};
use types::Type;
use types::json::Json;

use super::super::schema::{list, object, reference, text};
use super::super::seen::{Seen, SeenTable};
use super::super::summary;
use super::rows::{Kind, value};
use super::{key, rows_of, texts};
use crate::parse::is_filter;
use crate::query_string::encode;

/// A row per parameter that tables have: key, name, where it stands, description, an example.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static str);

#[rustfmt::skip]
const COMMON: &[Row] = &[
    ("select", "select", "query", "Which columns and related rows are answered", "id,name,teams(name)"),
    ("order", "order", "query", "The order of the rows", "name.desc,id"),
    ("limit", "limit", "query", "At most so many rows", "20"),
    ("offset", "offset", "query", "Without the first so many rows", "40"),
    ("or", "or", "query", "Conditions of which one must hold", "(id.eq.1,name.like.A*)"),
    ("and", "and", "query", "Conditions that must all hold", "(id.gt.1,id.lt.9)"),
    ("columns", "columns", "query", "Which keys of the rows count", "id,name"),
    ("on_conflict", "on_conflict", "query", "The columns that tell duplicates", "id"),
    ("prefer", "Prefer", "header", "What is answered, and how", "return=representation, count=exact"),
    ("range", "Range", "header", "Which rows, by their positions", "0-19"),
];

const READ: [&str; 8] = ["select", "order", "limit", "offset", "or", "and", "prefer", "range"];
const INSERT: [&str; 4] = ["select", "columns", "on_conflict", "prefer"];
const CHANGE: [&str; 4] = ["select", "or", "and", "prefer"];

pub(super) fn parameters() -> Json {
    let parameter = |&(key, name, place, description, example): &Row| {
        let described = object([
            ("name", Some(text(name))),
            ("in", Some(text(place))),
            ("description", Some(text(description))),
            ("schema", Some(object([("type", Some(text("string")))]))),
            ("example", Some(text(example))),
        ]);
        (key.to_owned(), described)
    };
    Json::Object(COMMON.iter().map(parameter).collect())
}

/// What every refusal looks like.
pub(super) fn error() -> Json {
    let of = |kinds: &[&str]| object([("type", Some(texts(kinds.iter().copied())))]);
    let properties = object([
        ("code", Some(of(&["string"]))),
        ("message", Some(of(&["string"]))),
        ("details", Some(object([]))),
        ("hint", Some(of(&["string", "null"]))),
    ]);
    let schema = object([
        ("type", Some(text("object"))),
        ("required", Some(list(["code", "message"]))),
        ("properties", Some(properties)),
    ]);
    object([
        ("description", Some(text("A refusal"))),
        ("content", Some(content(&["application/json"], &schema))),
    ])
}

pub(super) fn paths(seen: &Seen<'_>) -> Json {
    let tables = seen.tables.iter().map(|table| (path("/", table.name), of_table(table)));
    let functions = seen
        .functions
        .iter()
        .map(|function| (path("/rpc/", &function.name.name), of_function(seen, function)));
    Json::Object(tables.chain(functions).collect())
}

fn path(below: &str, name: &str) -> String {
    let mut path = below.to_owned();
    encode(&mut path, name);
    path
}

/// The types that a body can be of; CSV is a text.
fn content(medias: &[&str], schema: &Json) -> Json {
    let medias = medias.iter().map(|media| {
        let is_text = media.starts_with("text/");
        let schema = if is_text { object([("type", Some(text("string")))]) } else { schema.clone() };
        ((*media).to_owned(), object([("schema", Some(schema))]))
    });
    Json::Object(medias.collect())
}

fn array_of(items: Json) -> Json {
    object([("type", Some(text("array"))), ("items", Some(items))])
}

/// One row or a list of them.
fn one_or_more(row: &Json) -> Json {
    object([("oneOf", Some(Json::Array(vec![row.clone(), array_of(row.clone())])))])
}

const ROWS: [&str; 2] = ["application/json", "text/csv"];
const ROW: &str = "application/vnd.pgrst.object+json";

/// An answer with rows, as a list or (where one is asked for) by itself.
fn rows(description: &str, row: &Json) -> Json {
    let Json::Object(mut medias) = content(&ROWS, &array_of(row.clone())) else {
        return Json::Null;
    };
    medias.push((ROW.to_owned(), object([("schema", Some(row.clone()))])));
    object([("description", Some(text(description))), ("content", Some(Json::Object(medias)))])
}

fn answer(description: &str) -> Json {
    object([("description", Some(text(description)))])
}

/// Answers by their status; anything else is a refusal.
fn responses<const N: usize>(by_status: [(&str, Json); N]) -> Json {
    let refusal = [("default".to_owned(), reference("components/responses/Error"))];
    let answers = by_status.into_iter().map(|(status, answer)| (status.to_owned(), answer));
    Json::Object(answers.chain(refusal).collect())
}

fn of_table(table: &SeenTable<'_>) -> Json {
    let (readable, writable) = (table.readable, table.writable);
    let row = if readable { rows_of(table.name, Kind::Row) } else { object([]) };
    let operation = |verb: &str, parameters: Json, body: Option<Json>, responses: Json| {
        let (first, rest) = summary(table.table.comment.as_deref());
        object([
            ("operationId", Some(text(&format!("{verb}_{}", key(table.name))))),
            ("tags", Some(list([table.name]))),
            ("summary", first.map(text)),
            ("description", rest.map(text)),
            ("parameters", Some(parameters)),
            ("requestBody", body),
            ("responses", Some(responses)),
        ])
    };
    let changed = || responses([("200", rows("The rows", &row)), ("204", answer("Done"))]);
    let get = || {
        let found = [("200", rows("All rows", &row)), ("206", rows("A part of the rows", &row))];
        operation("read", filters_and(table, &READ), None, responses(found))
    };
    let post = || {
        let taken = one_or_more(&rows_of(table.name, Kind::Insert));
        let answers = [("200", rows("Rows that were there", &row)), ("201", rows("New rows", &row))];
        operation("insert", commons(&INSERT), Some(body(&ROWS, &taken)), responses(answers))
    };
    let patch = || {
        let taken = rows_of(table.name, Kind::Update);
        operation("update", filters_and(table, &CHANGE), Some(body(&ROWS[..1], &taken)), changed())
    };
    object([
        ("get", readable.then(get)),
        ("post", writable.insert.then(post)),
        ("patch", writable.update.then(patch)),
        (
            "delete",
            writable.delete.then(|| operation("delete", filters_and(table, &CHANGE), None, changed())),
        ),
    ])
}

fn body(medias: &[&str], schema: &Json) -> Json {
    object([("required", Some(Json::Bool(true))), ("content", Some(content(medias, schema)))])
}

fn common(key: &str) -> Json {
    reference(&format!("components/parameters/{key}"))
}

fn commons(keys: &[&str]) -> Json {
    Json::Array(keys.iter().map(|key| common(key)).collect())
}

/// A filter on each column that may be read, and parameters that tables have. A column that is called like one of these
/// cannot be filtered by its name alone.
fn filters_and(table: &SeenTable<'_>, keys: &[&str]) -> Json {
    let columns = table.columns_for(catalog::Privilege::Select).filter(|(_, column)| is_filter(&column.name));
    let filters = columns.map(|(_, column)| {
        object([
            ("name", Some(text(&column.name))),
            ("in", Some(text("query"))),
            ("description", column.comment.as_deref().map(text)),
            ("schema", Some(object([("type", Some(text("string")))]))),
            ("example", Some(text("eq.1"))),
        ])
    });
    Json::Array(filters.chain(keys.iter().map(|key| common(key))).collect())
}

fn of_function(seen: &Seen<'_>, function: &Function) -> Json {
    let operation = |verb: &str, parameters: Json, body: Option<Json>| {
        let (first, rest) = summary(function.comment.as_deref());
        object([
            ("operationId", Some(text(&format!("{verb}_{}", key(&function.name.name))))),
            ("tags", Some(list([&format!("(rpc) {}", function.name.name)]))),
            ("summary", first.map(text)),
            ("description", rest.map(text)),
            ("parameters", Some(parameters)),
            ("requestBody", body),
            ("responses", Some(result(seen, function))),
        ])
    };
    let is_read = function.volatility != Volatility::Volatile;
    let in_query = inputs(function).filter(|argument| argument.name.is_some()).map(in_query);
    let get = || operation("ask", Json::Array(in_query.collect()), None);
    object([
        ("get", is_read.then(get)),
        ("post", Some(operation("call", commons(&["prefer"]), Some(arguments(function))))),
    ])
}

fn inputs(function: &Function) -> impl Iterator<Item = &Argument> {
    function.arguments.iter().filter(|argument| argument.is_input())
}

/// An argument in the query string: arrays and JSON as their text.
fn in_query(argument: &Argument) -> Json {
    let schema = match &argument.ty {
        Type::Array(_) | Type::Json | Type::Jsonb => object([("type", Some(text("string")))]),
        ty => value(ty, false),
    };
    object([
        ("name", Some(text(argument.name.as_deref().unwrap_or_default()))),
        ("in", Some(text("query"))),
        ("required", Some(Json::Bool(argument.default.is_none()))),
        ("schema", Some(schema)),
    ])
}

/// The arguments as the body: by name, or the only one as it is.
fn arguments(function: &Function) -> Json {
    let all: Vec<&Argument> = inputs(function).collect();
    if let [Argument { name: None, ty, .. }] = all[..] {
        let media = match ty {
            Type::Text => "text/plain",
            Type::Bytea => "application/octet-stream",
            _ => "application/json",
        };
        return body(&[media], &object([]));
    }
    let name = |argument: &Argument| argument.name.as_deref().unwrap_or_default().to_owned();
    let required = all.iter().filter(|argument| argument.default.is_none());
    let required: Vec<Json> = required.map(|argument| text(&name(argument))).collect();
    let properties = all.iter().map(|argument| (name(argument), value(&argument.ty, true)));
    let schema = object([
        ("type", Some(text("object"))),
        ("required", (!required.is_empty()).then_some(Json::Array(required))),
        ("properties", Some(Json::Object(properties.collect()))),
    ]);
    object([
        ("required", Some(Json::Bool(all.iter().any(|argument| argument.default.is_none())))),
        ("content", Some(content(&["application/json"], &schema))),
    ])
}

/// What a function answers.
fn result(seen: &Seen<'_>, function: &Function) -> Json {
    let row = returned(seen, function);
    match row {
        None => responses([("204", answer("Done"))]),
        Some(row) if function.returns_set => {
            responses([("200", rows("The rows", &row)), ("206", rows("A part of the rows", &row))])
        }
        Some(value) => {
            let answer = object([
                ("description", Some(text("The result"))),
                ("content", Some(content(&["application/json"], &value))),
            ]);
            responses([("200", answer)])
        }
    }
}

/// A row or the value of a result; nothing of a function that returns none.
fn returned(seen: &Seen<'_>, function: &Function) -> Option<Json> {
    let outputs: Vec<&Argument> = function.arguments.iter().filter(|argument| argument.is_output()).collect();
    match (&outputs[..], &function.returns) {
        ([], Type::Void) => None,
        ([], Type::Composite(name)) => Some(match seen.readable(name) {
            Some(table) => rows_of(table, Kind::Row),
            None => object([("type", Some(list(["object", "null"])))]),
        }),
        ([], ty) => Some(value(ty, true)),
        ([only], _) if !function.returns_set => Some(value(&only.ty, true)),
        (outputs, _) => {
            let name = |argument: &Argument| argument.name.as_deref().unwrap_or("column").to_owned();
            let properties = outputs.iter().map(|argument| (name(argument), value(&argument.ty, true)));
            Some(object([
                ("type", Some(text("object"))),
                ("properties", Some(Json::Object(properties.collect()))),
            ]))
        }
    }
}
