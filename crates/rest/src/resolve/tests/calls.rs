//! Calls of functions, and functions of rows.

use super::*;

#[track_caller]
fn called(line: &str, body: &str, meanings: &[&str]) {
    let resolved = resolved(line, &[], body).unwrap();
    let found: Vec<String> = resolved.queries.iter().map(printed).collect();
    assert_eq!(found, meanings, "{line}");
}

#[test]
fn a_call_is_the_body_with_its_arguments() {
    let rows = "read say [view.id, view.name] limit 1000";
    called("GET /rpc/pick?wanted=open&select=id,name", "", &[rows]);
    called("POST /rpc/pick?select=id,name", r#"{"wanted":"open"}"#, &[rows]);
    called(
        "POST /rpc/pick?select=id&id=gt.1&order=id&limit=2",
        r#"{"wanted":"open"}"#,
        &["read where (view.id > 1) say [view.id] order view.id limit 2"],
    );
}

#[test]
fn rows_of_a_function_are_embedded_in() {
    called(
        "GET /rpc/pick?wanted=open&select=id,clients(name)",
        "",
        &[
            "read say [view.id, clients: one(clients where (clients.id = view.client_id) say [clients.name])] limit 1000",
        ],
    );
    check(
        "projects?select=id,done(name)",
        "projects say [projects.id, done: many(read say [view.name] limit 1000)] limit 1000",
    );
}

#[test]
fn a_body_that_changes_rows_is_a_write() {
    let resolved = resolved("POST /rpc/mark?select=id", &[("prefer", "count=exact")], r#"{"wanted":1}"#);
    let resolved = resolved.unwrap();
    let [Query::Write(write)] = &resolved.queries[..] else { panic!("{:?}", resolved.queries) };
    assert!(write.counted.is_some() && write.called.is_some_and(|by| !by.read_only));
    assert_eq!((resolved.rows_at, resolved.shape, resolved.is_void), (0, Shape::Rows, false));
    let read = super::resolved("GET /rpc/mark?wanted=1", &[], "").unwrap();
    let [Query::Write(write)] = &read.queries[..] else { panic!("{:?}", read.queries) };
    assert!(write.called.is_some_and(|by| by.read_only));
}

#[test]
fn what_does_not_fit_is_refused() {
    refused("rpc/pick?wanted=none", "22P02: invalid input value for enum status: \"none\"");
    refused(
        "rpc/pick?wanted=open&select=nope",
        "42703: column pgrst_call.nope does not exist (Perhaps you meant to reference the column \"pgrst_call.name\".)",
    );
    refused_with(
        "POST /rpc/shout",
        &[],
        r#"{"a":1}"#,
        "PGRST202: Could not find the function public.shout(a) in the schema cache | Searched for the function \
         public.shout with parameter a or with a single unnamed json/jsonb parameter, but no matches were found in \
         the schema cache.",
    );
}
