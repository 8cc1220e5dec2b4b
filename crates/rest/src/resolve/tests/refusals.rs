//! Refusals, with PostgREST's and PostgreSQL's texts.

use super::*;

#[test]
fn names_that_are_not_there() {
    refused_with(
        "GET /clients",
        &[("accept-profile", "auth")],
        "",
        "PGRST106: Invalid schema: auth (Only the following schemas are exposed: public, private)",
    );
    refused(
        "client",
        "PGRST205: Could not find the table 'public.client' in the schema cache \
         (Perhaps you meant the table 'public.clients')",
    );
    refused("zzz", "PGRST205: Could not find the table 'public.zzz' in the schema cache");
    refused("clients?select=xyz", "42703: column clients.xyz does not exist");
    refused(
        "clients?nam=eq.1",
        "42703: column clients.nam does not exist (Perhaps you meant to reference the column \"clients.name\".)",
    );
    refused("clients?order=xyz", "42703: column clients.xyz does not exist");
    refused("clients?select=projects(xyz)", "42703: column projects_1.xyz does not exist");
    refused("tasks?select=users(xyz)", "42703: column users.xyz does not exist");
    refused(
        "logs?lime=eq.1",
        "42703: column logs.lime does not exist (Perhaps you meant to reference the column \"logs.line\".)",
    );
    refused("clients?select=id::nope", "42704: type \"nope\" does not exist");
    refused("clients?select=id::int is null", "42601: syntax error in the type \"int is null\"");
    refused_with(
        "GET /secret",
        &[("accept-profile", "private")],
        "",
        "PGRST205: Could not find the table 'private.secret' in the schema cache",
    );
}

#[test]
fn identifiers_are_names_and_nothing_else() {
    for name in ["id\\\";drop table x--", "id`", "id]", "id' or '1'%3D'1", "id\u{2019}", &"x".repeat(100)] {
        for line in [
            format!("clients?select=\"{name}\""),
            format!("clients?\"{name}\"=eq.1"),
            format!("clients?order=\"{name}\""),
            format!("clients?select=projects(\"{name}\")"),
            format!("clients?or=(\"{name}\".eq.1)"),
        ] {
            let error = resolved(&format!("GET /{line}"), &[], "").unwrap_err();
            assert_eq!(error.code(), types::Code::UNDEFINED_COLUMN, "{line}");
        }
    }
}

#[test]
fn values_that_their_columns_cannot_hold() {
    refused("clients?id=eq.x", "22P02: invalid input syntax for type integer: \"x\"");
    refused("clients?id=eq.", "22P02: invalid input syntax for type integer: \"\"");
    refused("clients?id=in.(1,x)", "22P02: invalid input syntax for type integer: \"x\"");
    refused("users?id=eq.1", "22P02: invalid input syntax for type uuid: \"1\"");
    refused("projects?state=eq.shut", "22P02: invalid input value for enum status: \"shut\"");
    refused(
        "projects?id=eq(any).1",
        "22P02: malformed array literal: \"1\" | Array value must start with \"{\" or dimension information.",
    );
    refused(
        "clients?id=eq.9223372036854775808",
        "22003: value \"9223372036854775808\" is out of range for type integer",
    );
    refused(
        "projects?select=id&order=raw",
        "42883: could not identify an ordering operator for type json (Use an explicit ordering operator or \
         modify the query.)",
    );
    refused("clients?name=is.true", "42804: argument of IS TRUE must be type boolean, not type text");
    refused(
        "clients?id=like.1*",
        "42883: operator does not exist: integer ~~ unknown (No operator matches the given name and \
         argument types. You might need to add explicit type casts.)",
    );
}

#[test]
fn relationships_that_are_not_there_or_not_clear() {
    refused(
        "clients?select=tasks(*)",
        "PGRST200: Could not find a relationship between 'clients' and 'tasks' in the schema cache | \
         Searched for a foreign key relationship between 'clients' and 'tasks' in the schema 'public', \
         but no matches were found.",
    );
    refused(
        "clients?select=project(*)",
        "PGRST200: Could not find a relationship between 'clients' and 'project' in the schema cache | \
         Searched for a foreign key relationship between 'clients' and 'project' in the schema 'public', \
         but no matches were found. (Perhaps you meant 'projects' instead of 'project'.)",
    );
    refused(
        "messages?select=users!sender(*),users!receiver(*)",
        "42712: table name \"messages_users_1\" specified more than once",
    );
    refused(
        "clients?select=projects!nope(*)",
        "PGRST200: Could not find a relationship between 'clients' and 'projects' in the schema cache | \
         Searched for a foreign key relationship between 'clients' and 'projects' using the hint 'nope' in \
         the schema 'public', but no matches were found.",
    );
    refused(
        "messages?select=users(*)",
        "PGRST201: Could not embed because more than one relationship was found for 'messages' and 'users' | \
         [{\"cardinality\":\"many-to-one\",\"embedding\":\"messages with users\",\"relationship\":\
         \"messages_receiver_fkey using messages(receiver) and users(id)\"},{\"cardinality\":\"many-to-one\",\
         \"embedding\":\"messages with users\",\"relationship\":\"messages_sender_fkey using messages(sender) \
         and users(id)\"}] (Try changing 'users' to one of the following: 'users!messages_receiver_fkey', \
         'users!messages_sender_fkey'. Find the desired relationship in the 'details' key.)",
    );
}

#[test]
fn resources_that_are_not_embedded_or_cannot_do_it() {
    let hint = "Verify that 'projects' is included in the 'select' query parameter.";
    for line in [
        "clients?projects.id=eq.1",
        "clients?projects.order=id",
        "clients?projects.limit=1",
        "clients?projects.or=(id.eq.1)",
        "clients?order=projects(id)",
    ] {
        refused(line, &format!("PGRST108: 'projects' is not an embedded resource in this request ({hint})"));
    }
    refused(
        "clients?select=*,projects(*)&order=projects(id)",
        "PGRST118: A related order on 'projects' is not possible | 'clients' and 'projects' do not form a \
         many-to-one or one-to-one relationship",
    );
    refused(
        "clients?select=*,projects(*)&projects=eq.1",
        "PGRST120: Bad operator on the 'projects' embedded resource | Only is null or not is null filters \
         are allowed on embedded resources",
    );
    refused(
        "clients?select=id,...projects(id.sum())",
        "PGRST127: Feature not implemented | Aggregates are not implemented for one-to-many or many-to-many \
         spreads.",
    );
    refused("projects?select=raw,count()", "42883: could not identify an equality operator for type json");
    refused(
        "clients?select=projects(*,count)",
        "42803: column \"projects_1.id\" must appear in the GROUP BY clause or be used in an aggregate function",
    );
    refused(
        "projects?select=client_id,count()&order=name",
        "42803: column \"projects.name\" must appear in the GROUP BY clause or be used in an aggregate function",
    );
}

#[test]
fn paths_are_not_endless() {
    let deep = "->a".repeat(20_000);
    for line in [format!("projects?select=data{deep}"), format!("projects?data{deep}=is.null")] {
        let error = resolved(&format!("GET /{line}"), &[], "").unwrap_err();
        assert_eq!(error.to_string(), "54001: stack depth limit exceeded");
    }
}

#[test]
fn what_does_not_run_is_said() {
    refused(
        "clients?select=said",
        "0A000: calling function public.said() is not supported | It is written in plv8.",
    );
    refused_with(
        "POST /rpc/plain",
        &[],
        "{}",
        "0A000: calling function public.plain() is not supported | It is written in plv8.",
    );
    refused_with(
        "POST /rpc/shot",
        &[],
        r#"{"b":1,"a":2}"#,
        "PGRST202: Could not find the function public.shot(a, b) in the schema cache | Searched for the \
         function public.shot with parameters a, b or with a single unnamed json/jsonb parameter, but no \
         matches were found in the schema cache. (Perhaps you meant to call the function public.shout)",
    );
    refused(
        "rpc/nope",
        "PGRST202: Could not find the function public.nope without parameters in the schema cache | Searched \
         for the function public.nope without parameters, but no matches were found in the schema cache.",
    );
}
