//! Rows in rows: which inserts they become, in which order, and what each takes from the others.

use super::*;

#[track_caller]
fn check(line: &str, prefer: &str, body: &str, meanings: &[&str]) {
    let prefer = format!("nested=insert, {prefer}");
    let resolved = resolved(line, &[("prefer", &prefer)], body).unwrap();
    let printed: Vec<String> =
        resolved.queries.iter().map(|query| print::query(&MODEL.catalog, query)).collect();
    assert_eq!(printed, meanings, "{line} {body}");
}

#[track_caller]
fn refused(line: &str, prefer: &str, body: &str, said: &str) {
    let prefer = format!("nested=insert, {prefer}");
    refused_with(line, &[("prefer", &prefer)], body, said);
}

#[test]
fn what_is_referred_to_comes_first_and_what_refers_last() {
    check(
        "POST /projects",
        "",
        r#"{"id":1,"name":"p","clients":{"id":7,"name":"c"},"tasks":[{"name":"t"}],"details":{"note":"n"}}"#,
        &[
            "insert clients (id, name) (7, 'c')",
            "insert projects (id, name, client_id) (1, 'p', 7)",
            "insert details (note, project_id) ('n', 1)",
            "insert tasks (name, project_id) ('t', 1)",
        ],
    );
    // A key that nobody gave is read back.
    check(
        "POST /tasks",
        "",
        r#"[{"name":"a","tasks":[{"name":"b"}]},{"name":"c","tasks":[]}]"#,
        &[
            "insert tasks (name) ('a') ('c') returning written tasks say [tasks.id]",
            "insert tasks (name, parent_id) ('b', returned(0, 0))",
        ],
    );
    // Both sides of a junction.
    check(
        "POST /tasks",
        "",
        r#"{"id":5,"users":[{"id":"00000000-0000-4000-8000-000000000001"}]}"#,
        &[
            "insert tasks (id) (5)",
            "insert users (id) ('00000000-0000-4000-8000-000000000001')",
            "insert users_tasks (task_id, user_id) (5, '00000000-0000-4000-8000-000000000001')",
        ],
    );
}

#[test]
fn rows_without_rows_are_one_insert() {
    check(
        "POST /clients",
        "",
        r#"{"id":1,"name":"a","projects":[]}"#,
        &["insert clients (id, name) (1, 'a')"],
    );
    check(
        "POST /projects?columns=id,clients",
        "",
        r#"[{"id":1,"name":"left out","clients":null},{"id":2,"clients":{"id":3,"name":"c"}}]"#,
        &["insert clients (id, name) (3, 'c')", "insert projects (id, client_id) (1, null) (2, 3)"],
    );
    let csv = [("content-type", "text/csv"), ("prefer", "nested=insert")];
    let resolved = resolved("POST /clients", &csv, "id,name\n1,a\n").unwrap();
    assert_eq!(resolved.queries.len(), 1);
}

#[test]
fn what_is_meant_is_decided_as_for_a_select() {
    refused(
        "POST /users",
        "",
        r#"{"id":"00000000-0000-4000-8000-000000000001","messages":[{"id":1}]}"#,
        "PGRST201: Could not embed because more than one relationship was found for 'users' and 'messages' | [{\"cardinality\":\"one-to-many\",\"embedding\":\"users with messages\",\"relationship\":\"messages_receiver_fkey using users(id) and messages(receiver)\"},{\"cardinality\":\"one-to-many\",\"embedding\":\"users with messages\",\"relationship\":\"messages_sender_fkey using users(id) and messages(sender)\"}] (Try changing 'messages' to one of the following: 'messages!messages_receiver_fkey', 'messages!messages_sender_fkey'. Find the desired relationship in the 'details' key.)",
    );
    check(
        "POST /users",
        "",
        r#"{"id":"00000000-0000-4000-8000-000000000001","messages!messages_sender_fkey":[{"id":1}]}"#,
        &[
            "insert users (id) ('00000000-0000-4000-8000-000000000001')",
            "insert messages (id, sender) (1, '00000000-0000-4000-8000-000000000001')",
        ],
    );
    refused(
        "POST /clients",
        "",
        r#"{"id":1,"nothing":[]}"#,
        "PGRST204: Could not find the 'nothing' column of 'clients' in the schema cache",
    );
    refused(
        "POST /projects",
        "",
        r#"{"id":1,"done":[]}"#,
        "0A000: an insert along a function of a row is not supported",
    );
}

#[test]
fn the_representation_reads_the_inserted_rows_again() {
    let headers = [("prefer", "nested=insert, return=representation")];
    let body = r#"[{"name":"a","tasks":[{"name":"b"}]},{"name":"c"}]"#;
    let resolved = resolved("POST /tasks?select=name", &headers, body).unwrap();
    assert_eq!((resolved.queries.len(), resolved.rows_at), (3, 2));
    let Query::Write(own) = &resolved.queries[0] else { panic!() };
    assert_eq!(resolved.again, Some(own.target));
    let Query::Read(read) = &resolved.queries[2] else { panic!() };
    assert!(read.filter.is_some() && read.order.len() == 1);
}

#[test]
fn what_does_not_fit_is_refused() {
    refused(
        "POST /logs",
        "return=representation",
        r#"{"line":"a"}"#,
        "0A000: the representation of rows with rows in them, of a table without a primary key is not supported",
    );
    let deep = format!("{}{}", r#"{"tasks":["#.repeat(7), r"{}".to_owned() + &"]}".repeat(7));
    refused(
        "POST /tasks",
        "",
        &deep,
        "BP003: The rows in the rows of the body are of too many tables, or too deep (Limits: embed_depth_max, embed_nodes_max.)",
    );
}
