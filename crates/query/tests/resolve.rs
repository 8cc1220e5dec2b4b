//! Every expression of a real schema is resolved and authorized.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it does not expect")]

use std::sync::Arc;

use catalog::{Catalog, builtin};
use query::authorize::authorize;
use query::{Caller, Guard, Model, Query, Read, Source, resolve, visit};
use types::Limits;

fn parsed(text: &str) -> Vec<sql::ast::Statement> {
    let (statements, diagnostics) = sql::parse(text);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    statements
}

fn folded(base: Catalog, text: &str, owner: &str) -> Catalog {
    let statements = parsed(text);
    let mut builder = catalog::Builder::new(base, &resolve::Views).owned_by(owner);
    for statement in &statements {
        builder.apply(statement).unwrap_or_else(|complaint| panic!("{:?}", complaint.error));
    }
    builder.finish()
}

fn example() -> Arc<Model> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../");
    let read = |path: String| std::fs::read_to_string(path).unwrap();
    let auth = read(format!("{root}crates/auth/src/schema.sql"));
    let mut catalog = folded(builtin(), &auth, "supabase_auth_admin");
    let mut files: Vec<_> = std::fs::read_dir(format!("{root}examples/hiring/schemas"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    for file in files {
        catalog = folded(catalog, &read(file.display().to_string()), "postgres");
    }
    Arc::new(Model::new(Arc::new(catalog)))
}

#[test]
fn the_example_application_is_resolved_whole() {
    let refused = example().refused();
    assert!(refused.is_empty(), "{refused:#?}");
}

#[test]
fn every_table_of_the_example_can_be_asked_for_by_everybody() {
    let model = example();
    for id in model.catalog.ids() {
        let name = &model.catalog[id].name;
        let text = format!("select * from \"{}\".\"{}\"", name.schema, name.name);
        let statement = parsed(&text).remove(0);
        for role in ["anon", "authenticated", "service_role", "postgres"] {
            let query = resolve::statement(&model.catalog, &statement.kind, &[]).unwrap();
            assert!(matches!(query, Query::Read(_)));
            let answer = authorize(query, &Caller::role(role), &model, &Limits::default());
            if let Err(error) = answer {
                assert!(["42501"].contains(&error.code().name()), "{name} as {role}: {error}");
            }
        }
    }
}

/// Tables with a policy of this condition, and functions.
fn with_policy(functions: &str, condition: &str, more: &str) -> Arc<Model> {
    let text = format!(
        "create table members (org int, account uuid); alter table members enable row level security;
         {functions}
         create table docs (id int, org int, word text); alter table docs enable row level security;
         create policy p on docs for select using ({condition}); {more}"
    );
    Arc::new(Model::new(Arc::new(folded(builtin(), &text, "postgres"))))
}

fn asked_as(model: &Model, role: &str) -> Result<(), String> {
    let statement = parsed("select id from docs").remove(0);
    let query = resolve::statement(&model.catalog, &statement.kind, &[]).unwrap();
    let answer = authorize(query, &Caller::role(role), model, &Limits::default());
    answer.map(drop).map_err(|error| format!("{} {}", error.code().name(), error.message()))
}

#[test]
fn a_function_of_one_select_is_read_in_place_of_its_call() {
    for (functions, condition) in [
        ("create function f() returns int language sql stable as 'select 1';", "org = f()"),
        ("create function f() returns int language sql immutable return 1 + 1;", "org = f()"),
        (
            "create function f(int, b int = 2) returns int language sql stable as 'select $1 + b';",
            "f(org) = 1",
        ),
        (
            "create function f(a int, b int) returns int language sql stable as 'select a - b';",
            "f(b => 1, a => org) = 1",
        ),
        (
            "create function f(org int) returns boolean language sql stable as 'select exists (select from members m where m.org = f.org)';",
            "f(org)",
        ),
        (
            "create function f() returns setof int language sql stable as 'select org from members';",
            "org in (select f())",
        ),
        (
            "create function f() returns int[] language sql stable as 'select array_agg(org) from members';",
            "org = any (f())",
        ),
        (
            "create function f(a int) returns int language sql stable as 'select a'; create function f(a text) returns int language sql stable as 'select 1';",
            "f(word) = 1",
        ),
        (
            "create function f(a bigint) returns bigint language sql stable strict as 'select a';",
            "f(org) = 1",
        ),
        (
            "create schema s; grant usage on schema s to public; create function s.g() returns int language sql stable as 'select 1'; create function f() returns int language sql stable set search_path = s as 'select g()';",
            "org = f()",
        ),
    ] {
        let model = with_policy(functions, condition, "");
        assert!(model.refused().is_empty(), "{functions} {:?}", model.refused());
        assert_eq!(asked_as(&model, "anon"), Ok(()), "{functions}");
    }
}

#[test]
fn other_bodies_are_called() {
    for (functions, condition) in [
        ("create function f() returns int language sql stable as 'select 1; select 2';", "org = f()"),
        ("create function f() returns int language sql begin atomic select 1; select 2; end;", "org = f()"),
        (
            "create function f() returns int language sql stable set timezone = 'UTC' as 'select 1';",
            "org = f()",
        ),
        ("create function f(n int) returns int language sql stable as 'select f(n)';", "org = f(org)"),
        (
            "create function f() returns int language sql as 'with m as (delete from members returning 1) select count(*)::int from m';",
            "org = f()",
        ),
    ] {
        let model = with_policy(functions, condition, "");
        assert!(model.refused().is_empty(), "{functions} {:?}", model.refused());
        let text = if functions.contains("f(n int)") { "select f(1)" } else { "select f()" };
        let statement = parsed(text).remove(0);
        let query = resolve::statement(&model.catalog, &statement.kind, &[]).unwrap();
        let Query::Read(read) = query else { panic!("no read") };
        let mut calls = 0;
        visit::deep_read(&read, &mut |expr| calls += usize::from(matches!(expr, query::Expr::Call(_))));
        assert_eq!(calls, 1, "{functions}");
    }
}

/// The type of a call's result, or how it is refused.
#[track_caller]
fn chosen(functions: &str, call: &str, expected: &str) {
    let catalog = folded(builtin(), functions, "postgres");
    let statement = parsed(&format!("select {call}")).remove(0);
    let said = match resolve::statement(&catalog, &statement.kind, &[]) {
        Ok(Query::Read(read)) => types::ty::format_type(&read.outputs[0].expr.ty(), None),
        Ok(Query::Write(_)) => panic!("a write"),
        Err(error) => format!("{} {}", error.code().name(), error.message()),
    };
    assert_eq!(said, expected, "{call}");
}

#[test]
fn a_polymorphic_function_is_what_its_arguments_say() {
    let first = "create function f(a anyarray) returns anyelement language sql as 'select a[1]';";
    chosen(first, "f(array[1])", "integer");
    chosen(first, "f('{a}'::text[])", "text");
    chosen(first, "f(1)", "42883 function f(integer) does not exist");
    let pair =
        "create function f(a anyelement, b anyelement) returns anyarray language plpgsql as 'begin end';";
    chosen(pair, "f(1, 2)", "integer[]");
    chosen(pair, "f(1, null)", "integer[]");
    chosen(pair, "f(1, true)", "42883 function f(integer, boolean) does not exist");
    chosen(
        pair,
        "f(null, null)",
        "42804 could not determine polymorphic type because input has type unknown",
    );
    let wide = "create function f(a anycompatible, b anycompatible) returns anycompatible language sql as 'select a';";
    chosen(wide, "f(1, 2.5)", "numeric");
    let list = "create function f(variadic a anyarray) returns anyelement language sql as 'select a[1]';";
    chosen(list, "f(1, 2, 3)", "integer");
    chosen(list, "f(variadic array['a'])", "text");
}

#[test]
fn arguments_choose_among_functions_of_one_name() {
    let overloads = "create function f(a int) returns int language sql as 'select 1';
        create function f(a text) returns text language sql as 'select a';
        create function f(a int, b int default 1) returns bigint language sql as 'select 2::bigint';";
    chosen(overloads, "f(1)", "integer");
    chosen(overloads, "f('a')", "text");
    chosen(overloads, "f(1, 2)", "bigint");
    chosen(overloads, "f(b => 1, a => 2)", "bigint");
    chosen(overloads, "f(a => 2, 1)", "42601 positional argument cannot follow named argument");
    chosen(overloads, "f(true)", "42883 function f(boolean) does not exist");
    let several = "create function f(a int, b int default 1) returns int language sql as 'select 1';
        create function f(a int, b text default '') returns int language sql as 'select 1';";
    chosen(several, "f(1)", "42725 function f(integer) is not unique");
    let lists = "create function f(variadic a int[]) returns bigint language sql as 'select 1::bigint';
        create function f(a int) returns int language sql as 'select 1';";
    chosen(lists, "f(1)", "integer");
    chosen(lists, "f(1, 2)", "bigint");
    chosen(lists, "f(variadic '{}')", "bigint");
    chosen("create procedure f(a int) language sql as '';", "f(1)", "42809 f(integer) is a procedure");
}

#[test]
fn other_bodies_are_refused_by_name() {
    for (functions, condition, message) in [
        (
            "create function f() returns int language plperl stable as 'return 1';",
            "org = f()",
            "0A000 calling function public.f() is not supported",
        ),
        (
            "create function f() returns setof int language sql stable as 'select 1';",
            "org = f()",
            "0A000 set-returning functions are not supported in this place",
        ),
        (
            "create function f(a int) returns int language sql stable as 'select a'; create function f(a bigint) returns int language sql stable as 'select 1';",
            "f(null) = 1",
            "42725 function public.f(unknown) is not unique",
        ),
        (
            "create function f(a int) returns int language sql stable as 'select a';",
            "f(word) = 1",
            "42883 function public.f(text) does not exist",
        ),
        (
            "create function f() returns int language sql stable as 'select now()';",
            "org = f()",
            "42P13 return type mismatch in function declared to return integer",
        ),
        (
            "create function f() returns int language sql stable as 'select id';",
            "org = f()",
            "42703 column \"id\" does not exist",
        ),
    ] {
        let model = with_policy(functions, condition, "");
        let said =
            model.refused().first().map(|(_, error)| format!("{} {}", error.code().name(), error.message()));
        assert_eq!(said.as_deref(), Some(message), "{functions}");
        assert_eq!(asked_as(&model, "anon"), Err(message.to_owned()), "{functions}");
        assert_eq!(asked_as(&model, "service_role"), Ok(()), "no policy binds it");
    }
}

#[test]
fn a_definers_function_reads_with_its_owners_rights() {
    let body = "as 'select exists (select from members where org = $1)';";
    let revoked = "revoke all on members from anon;";
    let definer = format!(
        "{revoked} create function f(int) returns boolean language sql stable security definer {body}"
    );
    assert_eq!(asked_as(&with_policy(&definer, "f(org)", ""), "anon"), Ok(()));
    let invoker = format!("{revoked} create function f(int) returns boolean language sql stable {body}");
    assert_eq!(
        asked_as(&with_policy(&invoker, "f(org)", ""), "anon"),
        Err("42501 permission denied for table members".to_owned())
    );
    let nested = format!(
        "{invoker} create function g(int) returns boolean language sql stable security definer as 'select f($1)';"
    );
    assert_eq!(asked_as(&with_policy(&nested, "g(org)", ""), "anon"), Ok(()));
    let outer = format!(
        "{definer} create function g(int) returns boolean language sql stable as 'select f($1) or exists (select from members)';"
    );
    assert!(asked_as(&with_policy(&outer, "g(org)", ""), "anon").is_err(), "rights end with the body");
}

#[test]
fn whoever_asks_must_be_allowed_to_call() {
    let functions = "create function f() returns int language sql stable as 'select 1'; revoke execute on function f() from public;
                     grant execute on function f() to authenticated;";
    let model = with_policy(functions, "org = f()", "");
    assert_eq!(asked_as(&model, "anon"), Err("42501 permission denied for function f".to_owned()));
    assert_eq!(asked_as(&model, "authenticated"), Ok(()));
}

#[test]
fn nothing_is_read_that_is_nested_without_end() {
    // What a thread of a server gets.
    let stack = std::thread::Builder::new().stack_size(2 << 20);
    let read = stack.spawn(|| {
        let catalog = builtin();
        for (open, close) in [
            ("(1 + ", ")"),
            ("case when true then ", " end"),
            ("(select ", ")"),
            ("abs(", ")"),
            ("- ", ""),
            ("(select a from (select ", " as a) x)"),
            ("1 in (", ")"),
            ("coalesce(", ")"),
            ("array[", "]::int[]"),
        ] {
            for depth in [20, 50, 100] {
                let text = format!("select {}1{}", open.repeat(depth), close.repeat(depth));
                for statement in sql::parse(&text).0 {
                    let query = resolve::statement(&catalog, &statement.kind, &[]);
                    let model = Model::new(Arc::new(builtin()));
                    let _ = query.and_then(|query| {
                        authorize(query, &Caller::role("postgres"), &model, &Limits::default())
                    });
                }
            }
        }
        let row = format!("select 1{}", " + 1".repeat(399));
        for statement in sql::parse(&row).0 {
            let _ = resolve::statement(&catalog, &statement.kind, &[]);
        }
    });
    read.unwrap().join().unwrap();
}

#[test]
fn a_volatile_function_does_not_see_half_a_statement() {
    let functions = "create function f(int) returns boolean language sql as 'select exists (select from docs where org = $1)';
        create function g(int) returns boolean language sql stable as 'select exists (select from docs where org = $1)';
        create function h(int) returns boolean language sql as 'select exists (select from members where org = $1)';";
    let model = |name: &str| {
        with_policy(
            functions,
            "true",
            &format!("create policy w on docs for insert with check ({name}(org));"),
        )
    };
    let written = |model: &Model| {
        let statement = parsed("insert into docs (id, org) values (1, 1), (2, 1)").remove(0);
        let query = resolve::statement(&model.catalog, &statement.kind, &[]).unwrap();
        let answer = authorize(query, &Caller::role("authenticated"), model, &Limits::default());
        answer.map(drop).map_err(|error| error.message().to_owned())
    };
    let message =
        "a volatile function that reads public.docs while several rows of it are written is not supported";
    assert_eq!(written(&model("f")), Err(message.to_owned()));
    assert_eq!(written(&model("g")), Ok(()));
    assert_eq!(written(&model("h")), Ok(()));
    assert_eq!(asked_as(&with_policy(functions, "h(org)", ""), "anon"), Ok(()), "a read has one state");
}

#[test]
fn policies_come_back_to_their_table_as_far_as_postgresql_lets_them() {
    let functions = "create function f(int) returns boolean language sql stable as 'select exists (select from docs where org = $1)';";
    let reading = "create policy w on docs for insert with check (not exists (select from docs d where d.org = docs.org));";
    let calling = "create policy w on docs for insert with check (f(org));";
    let recursion = "42P17 infinite recursion detected in policy for relation \"docs\"";
    let stack = "54001 stack depth limit exceeded";
    for (seen, more, expected) in [
        ("true", reading, Ok(())),
        ("org = 1", calling, Ok(())),
        ("(select true)", calling, Ok(())),
        ("exists (select from members)", reading, Err(recursion)),
        // A subquery that reads nothing is one too.
        ("(select auth.uid()) is null", reading, Err(recursion)),
        ("f(org)", reading, Err(stack)),
    ] {
        let model = with_policy(functions, seen, more);
        let statement = parsed("insert into docs (id, org) values (1, 1), (2, 1)").remove(0);
        let query = resolve::statement(&model.catalog, &statement.kind, &[]).unwrap();
        let answer = authorize(query, &Caller::role("authenticated"), &model, &Limits::default());
        let said = answer.map(drop).map_err(|error| format!("{} {}", error.code().name(), error.message()));
        assert_eq!(said, expected.map_err(str::to_owned), "{seen} {more}");
    }
    let itself = with_policy(functions, "exists (select from docs d where d.org = docs.org)", "");
    assert_eq!(asked_as(&itself, "anon"), Err(recursion.to_owned()));
}

#[test]
fn what_a_function_needs_and_is_not_there_is_told() {
    let functions =
        "create function runs(n int) returns int language sql as 'update docs set org = n returning org';
        create function of_row(d docs) returns int language sql stable as 'select d.org + $1.org';
        create function nowhere() returns int language sql stable as 'select 1 from nothing';
        create function locks() returns int language sql as 'select id from docs for update';";
    let model = with_policy("", "true", functions);
    let said: Vec<String> =
        model.refused().iter().map(|(what, error)| format!("{what}: {}", error.message())).collect();
    assert_eq!(said, ["function public.nowhere(): relation \"nothing\" does not exist"]);
}

/// Each construct in which tables can stand.
const CONSTRUCTS: &[&str] = &[
    "select id from docs union select id from docs except all select id from docs",
    "with a as (select id from docs), b as (select id from a) select * from a, b",
    "with recursive r as (select id from docs union all select r.id from r join docs on docs.id = r.id) select * from r",
    "select id, sum((select max(id) from docs d)) over (order by (select min(id) from docs)) from docs",
    "select l.id from docs, lateral (select d.id from docs d where d.org = docs.org limit 1) l",
    "select g from docs left join generate_series(1, (select max(id) from docs)) g on true",
    "select distinct on (org) id, unnest(array(select id from docs)) from docs",
    "select org, count(*) from docs group by rollup (org, id)",
    "select id from docs where (id, org) in (select id, org from docs) and id > all (select id from docs) for update",
    "with a as (select id from docs) update docs set org = a.id from a, docs d where d.id = a.id returning (select max(id) from docs)",
    "with gone as (delete from docs using docs d where d.id = docs.id returning docs.id) select (select count(*) from docs), id from gone",
    "insert into docs (id, org) select id, org from docs union all values (1, (select max(id) from docs))",
];

#[test]
fn every_table_is_guarded_wherever_it_stands() {
    let model = with_policy("", "org = 1", "grant select, insert, update, delete on docs to anon;");
    for text in CONSTRUCTS {
        let statement = parsed(text).remove(0);
        let query = resolve::statement(&model.catalog, &statement.kind, &[])
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        let authorized = authorize(query, &Caller::role("anon"), &model, &Limits::default());
        let authorized = authorized.unwrap_or_else(|error| panic!("{text}: {error}"));
        let mut tables = 0;
        let mut check = |read: &Read| {
            visit::deep_sources(read, &mut |source| {
                if let Source::Table { guard, .. } = source {
                    assert!(matches!(guard, Guard::Rows(_)), "{text}: {guard:?}");
                    tables += 1;
                }
            });
        };
        match authorized.get() {
            Query::Read(read) => check(read),
            Query::Write(write) => {
                let mut write = write.clone();
                if let Some(beside) = &write.beside {
                    check(&Read::from(beside.clone()));
                }
                visit::each_read_of_write_mut(&mut write, &mut |read| check(read));
                write.returning.iter().for_each(&mut check);
            }
        }
        assert!(tables > 0, "{text}");
    }
}

#[test]
fn what_is_read_once_is_part_of_what_reads_it() {
    let model = with_policy("", "true", "");
    for (text, kept) in [
        ("with a as (select 1 as n) select n from a", 0),
        ("with a as (select 1 as n) select 2", 0),
        ("with a as (select 1 as n) select a.n from a, a b", 1),
        ("with a as materialized (select 1 as n) select n from a", 1),
        ("with a as not materialized (select 1 as n) select a.n from a, a b", 0),
        ("with a as (select random() as n) select n from a", 1),
        ("with a as (select 1 as n), b as (select n from a), c as (select n from b) select c.n from c, b", 1),
    ] {
        let statement = parsed(text).remove(0);
        let Query::Read(read) = resolve::statement(&model.catalog, &statement.kind, &[]).unwrap() else {
            panic!("{text}")
        };
        assert_eq!(read.with.len(), kept, "{text}");
    }
}
