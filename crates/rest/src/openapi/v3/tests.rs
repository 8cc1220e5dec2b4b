//! What the 3.1 document says to whom, and that it holds together: every reference leads somewhere, every name is used once.

use std::collections::BTreeSet;

use super::super::tests::{SCHEMA, SETTINGS, at, keys};
use super::*;
use crate::testing::model;

fn document(role: &str) -> Json {
    types::json::parse(&openapi_3(&model(SCHEMA), role, "public", &SETTINGS), 64).unwrap()
}

fn each<'j>(json: &'j Json, visit: &mut dyn FnMut(&str, &'j Json)) {
    match json {
        Json::Object(fields) => fields.iter().for_each(|(key, value)| {
            visit(key, value);
            each(value, visit);
        }),
        Json::Array(elements) => elements.iter().for_each(|element| each(element, visit)),
        _ => {}
    }
}

fn unescaped(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

#[test]
fn the_document_holds_together() {
    for role in ["anon", "service_role"] {
        let all = document(role);
        let mut operations = BTreeSet::new();
        each(&all, &mut |key, value| match (key, value) {
            ("$ref" | "schema", Json::String(reference)) => {
                let mut steps = reference.strip_prefix("#/").unwrap().split('/').map(unescaped);
                let found = steps.try_fold(&all, |json, step| json.get(&step));
                assert!(found.is_some(), "{reference}");
            }
            ("operationId", Json::String(id)) => assert!(operations.insert(id.clone()), "{id}"),
            ("parameters", Json::Array(parameters)) => {
                let of = |key: &str, json: &Json| at(json, &[key]);
                let names =
                    parameters.iter().map(|one| of("$ref", one) + &of("name", one)).collect::<BTreeSet<_>>();
                assert_eq!(names.len(), parameters.len());
            }
            _ => {}
        });
        assert!(!operations.is_empty());
    }
}

#[test]
fn values_say_whether_they_may_be_null() {
    let all = document("anon");
    for (column, described) in [
        ("id", r#"{"type":"string","format":"uuid","x-default":"gen_random_uuid()","x-primary-key":true}"#),
        (
            "feels",
            r#"{"type":["string","null"],"format":"public.mood","enum":["sad","ok",null],"default":"ok"}"#,
        ),
        (
            "tags",
            r#"{"type":["array","null"],"format":"text[]","items":{"type":["string","null"],"format":"text"}}"#,
        ),
        ("doc", r#"{"format":"jsonb","x-default":"'{}'"}"#),
        ("score", r#"{"type":["integer","null"],"format":"int32","default":7}"#),
        (
            "team",
            r#"{"type":"integer","format":"int64","description":"Where they play","x-foreign-key":{"table":"teams","column":"id"}}"#,
        ),
    ] {
        assert_eq!(
            at(&all, &["components", "schemas", "players", "properties", column]),
            described,
            "{column}"
        );
    }
    assert_eq!(at(&all, &["components", "schemas", "teams", "required"]), r#"["id","name"]"#);
}

#[test]
fn a_role_sees_what_it_may_touch() {
    let all = document("anon");
    let schemas = keys(&all, &["components", "schemas"]);
    assert_eq!(schemas, ["loud", "names", "players", "players.insert", "teams"]);
    let columns = |schema: &str| keys(&all, &["components", "schemas", schema, "properties"]);
    assert_eq!(columns("players.insert"), ["id", "team"]);
    assert!(!columns("players").contains(&"secret".to_owned()));
    assert_eq!(keys(&all, &["paths", "/players"]), ["get", "post"]);
    assert!(!all.compact().contains("hidden"));
    // A relationship to a table that may not be read is none.
    let related = |role: &str| at(&document(role), &["components", "schemas", "teams", "x-relationships"]);
    assert!(related("anon").contains(r##"{"name":"players","hint":"players_team_fkey","many":true,"schema":"#/components/schemas/players"}"##));
    assert!(!related("anon").contains("hidden"));
    assert!(related("service_role").contains("hidden"));
}

#[test]
fn functions_say_what_they_answer() {
    let all = document("anon");
    let result = ["responses", "200", "content", "application/json", "schema"];
    let of = |function: &str, method: &str, path: &[&str]| {
        at(&all, &[&["paths", function, method][..], path].concat())
    };
    assert_eq!(of("/rpc/add", "post", &result), r#"{"type":["integer","null"],"format":"int32"}"#);
    assert_eq!(
        of("/rpc/add", "get", &["parameters"]),
        r#"[{"name":"a","in":"query","required":true,"schema":{"type":"integer","format":"int32"}},{"name":"b","in":"query","required":false,"schema":{"type":"integer","format":"int32"}}]"#
    );
    assert_eq!(of("/rpc/act", "get", &[]), "-");
    assert_eq!(of("/rpc/act", "post", &["responses", "204"]), r#"{"description":"Done"}"#);
    assert_eq!(of("/rpc/closed", "post", &[]), "-");
}

#[test]
fn any_name_is_a_key_of_its_own() {
    for (name, expected) in
        [("a_b-c", "a_b-c"), ("a b", "a.20.b"), ("a.20.b", "a.2e.20.2e.b"), ("größe", "gr.f6..df.e")]
    {
        assert_eq!(key(name), expected);
    }
}
