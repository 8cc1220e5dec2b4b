//! `paths`: the methods of each table and function.

use catalog::{Argument, Function, Volatility};
use sql::ast::ArgumentMode;
use types::Type;
use types::json::Json;

use super::parameters::{answers_of_functions, of_rows};
use super::schema::{format_of_argument, items, kind, list, object, reference, text};
use super::seen::{Seen, SeenTable};
use super::summary;

pub(super) fn paths(seen: &Seen<'_>) -> Json {
    let tables = seen.tables.iter().map(|table| (format!("/{}", table.name), of_table(table)));
    let functions =
        seen.functions.iter().map(|function| (format!("/rpc/{}", function.name.name), of_function(function)));
    Json::Object([("/".to_owned(), root())].into_iter().chain(tables).chain(functions).collect())
}

fn root() -> Json {
    let get = object([
        ("tags", Some(list(["Introspection"]))),
        ("summary", Some(text("OpenAPI description (this document)"))),
        ("produces", Some(list(["application/openapi+json", "application/json"]))),
        ("responses", Some(responses([("200", answer("OK"))]))),
    ]);
    object([("get", Some(get))])
}

fn answer(description: &str) -> Json {
    object([("description", Some(text(description)))])
}

fn responses<const N: usize>(rows: [(&str, Json); N]) -> Json {
    object(rows.map(|(status, answer)| (status, Some(answer))))
}

fn of_table(table: &SeenTable<'_>) -> Json {
    let (first, rest) = summary(table.table.comment.as_deref());
    let operation = |parameters: Json, responses: Json| {
        object([
            ("tags", Some(list([table.name]))),
            ("summary", first.map(text)),
            ("description", rest.map(text)),
            ("parameters", Some(parameters)),
            ("responses", Some(responses)),
        ])
    };
    let body = format!("body.{}", table.name);
    let read = ["select", "order", "range", "rangeUnit", "offset", "limit", "preferCount"];
    let no_content = || responses([("204", answer("No Content"))]);
    let (readable, writable) = (table.readable, table.writable);
    object([
        ("get", readable.then(|| operation(of_rows(table, &read), found(table)))),
        (
            "post",
            writable.insert.then(|| {
                let parameters =
                    [&*body, "select", "preferPost"].map(|name| reference(&format!("parameters/{name}")));
                operation(Json::Array(parameters.to_vec()), responses([("201", answer("Created"))]))
            }),
        ),
        ("delete", writable.delete.then(|| operation(of_rows(table, &["preferReturn"]), no_content()))),
        ("patch", writable.update.then(|| operation(of_rows(table, &[&body, "preferReturn"]), no_content()))),
    ])
}

fn found(table: &SeenTable<'_>) -> Json {
    let rows = object([
        ("type", Some(text("array"))),
        ("items", Some(reference(&format!("definitions/{}", table.name)))),
    ]);
    let page = object([("description", Some(text("OK"))), ("schema", Some(rows))]);
    responses([("200", page), ("206", answer("Partial Content"))])
}

fn of_function(function: &Function) -> Json {
    let (first, rest) = summary(function.comment.as_deref());
    let operation = |parameters: Vec<Json>| {
        object([
            ("tags", Some(list([&format!("(rpc) {}", function.name.name)]))),
            ("summary", first.map(text)),
            ("description", rest.map(text)),
            ("produces", Some(answers_of_functions())),
            ("parameters", Some(Json::Array(parameters))),
            ("responses", Some(responses([("200", answer("OK"))]))),
        ])
    };
    let is_read = function.volatility != Volatility::Volatile;
    let body = vec![arguments(function), reference("parameters/preferParams")];
    object([
        ("get", is_read.then(|| operation(inputs(function).map(parameter).collect()))),
        ("post", Some(operation(body))),
    ])
}

fn inputs(function: &Function) -> impl Iterator<Item = &Argument> {
    function.arguments.iter().filter(|argument| argument.is_input())
}

fn is_required(argument: &Argument) -> bool {
    argument.default.is_none()
}

fn name(argument: &Argument) -> &str {
    argument.name.as_deref().unwrap_or_default()
}

/// The arguments as the body.
fn arguments(function: &Function) -> Json {
    let required: Vec<Json> = inputs(function)
        .filter(|argument| is_required(argument))
        .map(|argument| text(name(argument)))
        .collect();
    let properties = inputs(function).map(|argument| (name(argument).to_owned(), property(&argument.ty)));
    let schema = object([
        ("description", function.comment.as_deref().map(text)),
        ("required", (!required.is_empty()).then_some(Json::Array(required))),
        ("properties", Some(Json::Object(properties.collect()))),
        ("type", Some(text("object"))),
    ]);
    object([
        ("name", Some(text("args"))),
        ("required", Some(Json::Bool(true))),
        ("in", Some(text("body"))),
        ("schema", Some(schema)),
    ])
}

fn property(ty: &Type) -> Json {
    object([
        ("type", kind(ty).map(text)),
        ("format", Some(text(&format_of_argument(ty)))),
        ("items", items(ty)),
    ])
}

/// An argument in the query string: arrays as literals (`{1,2}`), variadic ones repeated.
fn parameter(argument: &Argument) -> Json {
    let variadic = match &argument.ty {
        Type::Array(element) if argument.mode == ArgumentMode::Variadic => Some(element),
        _ => None,
    };
    let shown = match (variadic, kind(&argument.ty)) {
        (Some(_), _) => "array",
        (None, None | Some("array")) => "string",
        (None, Some(kind)) => kind,
    };
    object([
        ("name", Some(text(name(argument)))),
        ("required", Some(Json::Bool(is_required(argument)))),
        ("in", Some(text("query"))),
        ("type", Some(text(shown))),
        ("format", variadic.is_none().then(|| text(&format_of_argument(&argument.ty)))),
        ("items", variadic.map(|element| property(element))),
        ("collectionFormat", variadic.map(|_| text("multi"))),
    ])
}
