//! Inserts, upserts, updates, replacements and deletions.

use super::*;

#[track_caller]
fn check(line: &str, prefer: &str, body: &str, meaning: &str) {
    let resolved = resolved(line, &[("prefer", prefer)], body).unwrap();
    assert_eq!(printed(&resolved.queries[0]), meaning, "{line} {body}");
}

const FULL: &str = "return=representation";

#[test]
fn bodies_are_typed_by_their_columns() {
    check("POST /clients", "", r#"{"id":1,"name":"a"}"#, "insert clients (id, name) (1, 'a')");
    check(
        "POST /clients",
        "",
        r#"[{"id":"1","name":2},{"id":2,"name":null}]"#,
        "insert clients (id, name) (1, '2') (2, null)",
    );
    check("POST /clients", "", "{}", "insert clients () ()");
    check("POST /clients", "", "[]", "insert clients ()");
    check(
        "POST /projects",
        "",
        r#"{"data":{"b":[1]},"tags":["a","b c"],"rate":1.005,"at":"2024-01-02T03:04:05Z","on_hold":true,"span":"[1,3]"}"#,
        "insert projects (at, data, on_hold, rate, span, tags) ('2024-01-02 03:04:05+00', '{\"b\": [1]}', true, \
         '1.01', '[1,4)', '{a,\"b c\"}')",
    );
    check(
        "POST /clients?columns=id,name",
        "missing=default",
        r#"[{"id":1,"x":2},{"id":2,"name":"b"}]"#,
        "insert clients (id, name) (1, default) (2, 'b')",
    );
    check("POST /clients?columns=id,name", "", r#"[{"id":1}]"#, "insert clients (id, name) (1, null)");
    check(
        "POST /tasks?columns=id,name",
        "missing=default",
        r#"[{"id":7},{"name":"b"}]"#,
        "insert tasks (id, name) (case(nextval as('\"public\".\"tasks_id_seq\"', ?) is not null) 7, default) \
         (default, 'b')",
    );
    check("POST /tasks", "", r#"{"id":7}"#, "insert tasks (id) (7)");
    let csv = [("content-type", "text/csv")];
    let resolved = resolved("POST /clients", &csv, "id,name\n1,NULL\n2,\n").unwrap();
    assert_eq!(printed(&resolved.queries[0]), "insert clients (id, name) (1, null) (2, '')");
    let resolved = super::resolved("POST /clients?columns=name", &csv, "id,name\n1,a\n").unwrap();
    assert_eq!(printed(&resolved.queries[0]), "insert clients (name) ('a')");
}

#[test]
fn duplicates_are_merged_or_ignored() {
    let (merge, ignore) = ("resolution=merge-duplicates", "resolution=ignore-duplicates");
    check(
        "POST /clients",
        merge,
        r#"{"id":1,"name":"a"}"#,
        "insert clients (id, name) (1, 'a') on conflict (id) set id, name",
    );
    check("POST /clients", ignore, r#"{"id":1}"#, "insert clients (id) (1) on conflict (id) nothing");
    check(
        "POST /users?on_conflict=email",
        merge,
        r#"{"email":"a"}"#,
        "insert users (email) ('a') on conflict (email) set email",
    );
    check("POST /logs", merge, r#"{"line":"a"}"#, "insert logs (line) ('a')");
    check(
        "POST /logs?on_conflict=level,line",
        ignore,
        r#"{"line":"a"}"#,
        "insert logs (line) ('a') on conflict (level, line) nothing",
    );
    check("POST /clients", merge, "{}", "insert clients () () on conflict (id) nothing");
    for (line, has) in
        [("POST /clients", true), ("POST /logs", false), ("POST /logs?on_conflict=line,level", true)]
    {
        assert_eq!(resolved(line, &[("prefer", merge)], "{}").unwrap().has_conflict_target, has, "{line}");
    }
    refused_with(
        "POST /clients?on_conflict=name",
        &[("prefer", merge)],
        r#"{"name":"a"}"#,
        "42P10: there is no unique or exclusion constraint matching the ON CONFLICT specification",
    );
    refused_with(
        "POST /logs?on_conflict=late",
        &[("prefer", merge)],
        "{}",
        "55000: ON CONFLICT does not support deferrable unique constraints/exclusion constraints as arbiters",
    );
    refused_with(
        "POST /clients?on_conflict=nope",
        &[("prefer", merge)],
        "{}",
        "42703: column \"nope\" does not exist (Perhaps you meant to reference the column \"clients.name\".)",
    );
}

#[test]
fn updates_and_deletions_touch_what_the_root_filters_match() {
    check(
        "PATCH /clients?id=eq.1",
        "",
        r#"{"name":"b"}"#,
        "update clients set name = 'b' where (clients.id = 1)",
    );
    check("PATCH /clients", "", r#"{"name":null}"#, "update clients set name = null");
    check("PATCH /clients?id=eq.1", "", "{}", "update clients set  where false");
    check("PATCH /clients?id=eq.1", "", "[]", "update clients set  where false");
    check("PATCH /clients?columns=name", "missing=default", "{}", "update clients set name = default");
    check(
        "DELETE /clients?or=(id.eq.1,name.is.null)&limit=1",
        "",
        "",
        "delete clients where ((clients.id = 1) or (clients.name is null))",
    );
    check("DELETE /clients", "handling=strict, max-affected=2", "", "delete clients max 2");
    check("DELETE /clients", "max-affected=2", "", "delete clients");
}

#[test]
fn what_is_returned_is_read_from_the_written_rows() {
    check(
        "DELETE /clients?id=eq.1",
        FULL,
        "",
        "delete clients where (clients.id = 1) returning written clients say [clients.id, clients.name]",
    );
    check(
        "PATCH /projects?select=id,clients(name),tasks(id)&id=gt.1&tasks.id=eq.2&order=name.desc&limit=1",
        FULL,
        r#"{"name":"x"}"#,
        "update projects set name = 'x' where (projects.id > 1) returning written projects say [projects.id, \
         clients: one(clients where (clients.id = projects.client_id) say [clients.name]), tasks: many(tasks where \
         ((tasks.project_id = projects.id) and (tasks.id = 2)) say [tasks.id])] order projects.name desc",
    );
    let headers = [("prefer", "return=headers-only")];
    let resolved = resolved("POST /users_tasks", &headers, "{}").unwrap();
    let key: Vec<&str> = resolved.key.iter().map(|column| &*column.name).collect();
    assert_eq!((key, resolved.columns.len()), (vec!["user_id", "task_id"], 0));
    let single = [("accept", "application/vnd.pgrst.object+json")];
    let resolved = super::resolved("DELETE /clients", &single, "").unwrap();
    assert_eq!(printed(&resolved.queries[0]), "delete clients single");
}

#[test]
fn a_replacement_names_its_whole_key() {
    let merged = "insert clients (id, name) (1, 'a') on conflict (id) set id, name";
    check("PUT /clients?id=eq.1", "", r#"{"id":1,"name":"a"}"#, merged);
    check("PUT /clients?id=eq.1", "", r#"[{"id":"1","name":"a"},{"id":2,"name":"b"}]"#, merged);
    let filters = "PGRST105: Filters must include all and only primary key columns with 'eq' operators";
    for line in [
        "PUT /clients",
        "PUT /clients?id=gt.1",
        "PUT /clients?id=not.eq.1",
        "PUT /clients?id=eq.1&name=eq.a",
        "PUT /clients?id=eq.1&or=(name.eq.a)",
        "PUT /users_tasks?task_id=eq.1",
        "PUT /logs?line=eq.a",
    ] {
        refused_with(line, &[], r#"{"id":1}"#, filters);
    }
    let mismatch = "PGRST115: Payload values do not match URL in primary key column(s)";
    for body in [r#"{"id":2,"name":"a"}"#, r#"{"name":"a"}"#, "[]"] {
        refused_with("PUT /clients?id=eq.1", &[], body, mismatch);
    }
}

#[test]
fn bodies_that_do_not_fit() {
    refused_with(
        "POST /clients",
        &[],
        r#"{"nope":1}"#,
        "PGRST204: Could not find the 'nope' column of 'clients' in the schema cache",
    );
    refused_with(
        "PATCH /clients?columns=nope",
        &[],
        "{}",
        "PGRST204: Could not find the 'nope' column of 'clients' in the schema cache",
    );
    refused_with(
        "POST /clients",
        &[],
        r#"{"id":"x"}"#,
        "22P02: invalid input syntax for type integer: \"x\"",
    );
    refused_with(
        "POST /clients",
        &[],
        r#"{"id":{"a":1}}"#,
        "22P02: invalid input syntax for type integer: \"{\"a\":1}\"",
    );
    refused_with(
        "POST /projects",
        &[],
        r#"{"tags":{"a":1}}"#,
        "22P02: expected JSON array (See the value of key \"tags\".)",
    );
    refused_with(
        "POST /messages",
        &[],
        r#"{"body":"too long"}"#,
        "22001: value too long for type character varying(5)",
    );
    refused_with(
        "POST /clients",
        &[("content-type", "text/csv")],
        "id,id\n1,2",
        "42701: column \"id\" specified more than once",
    );
    refused_with("PATCH /clients?xyz=eq.1", &[], "{}", "42703: column clients.xyz does not exist");
    refused_with(
        "DELETE /clients?projects.id=eq.1",
        &[],
        "",
        "PGRST108: 'projects' is not an embedded resource in this request (Verify that 'projects' is included in the 'select' query parameter.)",
    );
}
