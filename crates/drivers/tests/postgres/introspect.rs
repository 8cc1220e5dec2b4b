//! What the database declares is what its schema's statements declare.

use drivers::postgres::introspect::{Reading, introspect};
use drivers::postgres::native;

use crate::fold::{AUTH, HIRING, fold};
use crate::server::{Fresh, script, session};
use crate::shape::Printer;

const FOUNDATION: &str = include_str!("../../src/postgres/native/foundation.sql");
const PRIVILEGES: &str = include_str!("../../src/postgres/native/privileges.sql");

/// What Backplane's compiler knows by itself and a database has as functions.
const SKIPS: [&str; 4] = ["auth.uid", "auth.role", "auth.email", "auth.jwt"];

/// Applies texts as they are, reads them back, and compares with what they fold to.
async fn check(test: &str, texts: &[&str]) {
    let database = Fresh::empty(test).await;
    let mut client = database.session().await;
    script(&client, FOUNDATION).await;
    script(&client, PRIVILEGES).await;
    script(&client, "set search_path = public, extensions").await;
    for text in texts {
        script(&client, text).await;
    }
    let reading = introspect(&mut client, &["public".into()]).await.unwrap();
    let folded = fold(texts);
    let untyped = folded.tables.iter().filter(|table| {
        table.is_view() && table.columns.iter().any(|column| column.ty == types::Type::Unknown)
    });
    let untyped = untyped.map(|table| table.name.clone()).collect();
    let printer = Printer { client: &client, skips: &SKIPS, untyped };
    let (found, wanted) = (printer.lines(&reading.catalog).await, printer.lines(&folded).await);
    let missing: Vec<_> = wanted.difference(&found).map(|line| format!("- {line}\n")).collect();
    let added: Vec<_> = found.difference(&wanted).map(|line| format!("+ {line}\n")).collect();
    assert!(wanted.len() > 100, "{} lines", wanted.len());
    assert!(
        missing.is_empty() && added.is_empty(),
        "{} lines\n{}{}",
        wanted.len(),
        missing.concat(),
        added.concat()
    );
    assert_eq!(reading.catalog.not_running, Vec::<String>::new());
}

#[tokio::test]
async fn the_example_reads_as_it_was_written() {
    let mut texts = vec![AUTH];
    texts.extend(HIRING);
    check("hiring", &texts).await;
}

#[tokio::test]
async fn every_feature_reads_as_it_was_written() {
    check("features", &[AUTH, include_str!("features.sql")]).await;
}

/// What our own reading of statements does not have yet, and what our parser cannot read.
const BEYOND: &str = r#"
create table measures (at date not null, value float8, primary key (at)) partition by range (at);
create table measures_2026 partition of measures for values from ('2026-01-01') to ('2027-01-01');
create table notes (at date references measures, during tstzrange, span daterange,
  exclude using gist (during with &&));
create type floats as range (subtype = float8);
alter table notes add column sizes floats, add column more int4multirange;
create materialized view totals as select at, sum(value) as total from measures group by at;
create view ordered as select value, rank() over w as place from measures window w as (partition by at order by value groups between 1 preceding and current row);
create procedure proceed() language sql as 'select 1';
create aggregate product(int) (sfunc = int4mul, stype = int);
create function whole(a int) returns int language sql begin atomic select a + 1; end;
create function shape(out a int, out b text) returns setof record language sql as $$ select 1, 'x' $$;
create view rules as select xmlelement(name x, at) as made from measures;
alter table measures enable row level security;
create policy documents on measures using (xmlserialize(content xmlelement(name x, at) as text) <> '');
"#;

#[tokio::test]
async fn what_only_the_database_understands_is_told_and_there() {
    let database = Fresh::empty("beyond").await;
    let mut client = database.session().await;
    script(&client, BEYOND).await;
    let catalog = introspect(&mut client, &["public".into()]).await.unwrap().catalog;
    let table =
        |name: &str| catalog.table(&types::Name::new("public", name)).map(|(id, table)| (id, table.clone()));
    let (_, of_2026) = table("measures_2026").unwrap();
    let partition = of_2026.partition.unwrap();
    assert_eq!(partition.bound.text(), "FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')");
    let (measures, of_measures) = table("measures").unwrap();
    assert_eq!(of_measures.partitioning.unwrap().text(), "RANGE (at)");
    assert_eq!(of_measures.primary_key.unwrap().columns.len(), 1);
    let (notes, of_notes) = table("notes").unwrap();
    assert_eq!(of_notes.foreign_keys.len(), 1, "one for the table, none for its partitions");
    assert_eq!(catalog.relationships_of(notes)[0].to, measures);
    assert_eq!(of_notes.columns[3].ty, types::Type::Opaque(types::Name::new("public", "floats")));
    let (_, totals) = table("totals").unwrap();
    assert!(matches!(totals.kind, catalog::TableKind::View { materialized: true, .. }));
    assert_eq!(totals.columns.iter().map(|column| &*column.name).collect::<Vec<_>>(), ["at", "total"]);
    let (_, ordered) = table("ordered").unwrap();
    assert_eq!(ordered.columns[1].ty, types::Type::Int8);
    let names: Vec<_> = catalog.functions.iter().map(catalog::Function::signature).collect();
    assert_eq!(names, ["public.whole(integer)", "public.shape()"]);
    assert!(
        catalog.functions[0].body.to_lowercase().contains("select (a + 1)"),
        "{}",
        catalog.functions[0].body
    );
    assert_eq!(
        catalog.functions[1].returns,
        types::Type::Composite(types::Name::new("pg_catalog", "record"))
    );
    // A condition that our compiler cannot read lets nobody in there; the database reads it itself.
    assert_eq!(sql::print::expr(of_measures.policies[0].using.as_ref().unwrap()), "false");
    let told = catalog.not_running.join("\n");
    for what in ["policy \"documents\" for table public.measures", "the query of view public.rules"] {
        assert!(told.contains(what), "{told}");
    }
}

/// A declaration in another session changes the fingerprint; rows, statistics and temporary tables do not.
#[tokio::test]
async fn the_fingerprint_changes_with_declarations_alone() {
    use drivers::postgres::introspect::fingerprint;
    let database = Fresh::empty("fingerprint").await;
    let client = database.session().await;
    script(&client, "create table t (a int primary key, b text); create role printed; drop role printed")
        .await;
    let mut last = fingerprint(&client).await.unwrap();
    for quiet in [
        "insert into t select n, n from generate_series(1, 5000) n",
        "analyze",
        "vacuum t",
        "create temp table x (a int)",
        "set search_path = ''",
        "delete from public.t",
    ] {
        script(&client, quiet).await;
        assert_eq!(fingerprint(&client).await.unwrap(), last, "{quiet}");
    }
    for loud in [
        "alter table public.t add column c int",
        "alter table public.t alter column c set default 1",
        "alter table public.t enable row level security",
        "create policy p on public.t using (true)",
        "alter policy p on public.t using (false)",
        "grant select on public.t to public",
        "comment on table public.t is 'x'",
        "create function public.f() returns int language sql as 'select 1'",
        "create or replace function public.f() returns int language sql as 'select 2'",
        "create view public.v as select a from public.t",
        "create or replace view public.v as select a from public.t where a > 1",
        "alter view public.v set (security_invoker = on)",
        "create index on public.t (b)",
        "create type public.e as enum ('a')",
        "alter type public.e add value 'b'",
        "create sequence public.s",
        "alter sequence public.s increment 2",
        "alter default privileges grant select on tables to public",
        "create schema other",
        "alter table public.t rename to u",
        "drop table public.u cascade",
    ] {
        script(&client, loud).await;
        let now = fingerprint(&client).await.unwrap();
        assert_ne!(now, last, "{loud}");
        last = now;
    }
}

#[tokio::test]
async fn what_a_role_is_set_to_is_read_and_noticed() {
    let database = Fresh::empty("settings").await;
    let mut client = database.session().await;
    script(&client, "create role of_settings; alter role of_settings set work_mem = '5MB'").await;
    // Nobody else may set these, so nobody takes them on.
    script(&client, "alter role of_settings set log_statement = 'all'").await;
    let before = introspect(&mut client, &["public".into()]).await.unwrap();
    let name = database.url().rsplit('/').next().unwrap().to_owned();
    script(&client, "alter role of_settings set statement_timeout = '3s'").await;
    script(&client, &format!("alter role of_settings in database {name} set work_mem = '6MB'")).await;
    let after = introspect(&mut client, &["public".into()]).await.unwrap();
    script(&client, &format!("alter role of_settings in database {name} reset all; drop role of_settings"))
        .await;
    let settings = |reading: &Reading| {
        let role = reading.catalog.role("of_settings").unwrap();
        let known = ["work_mem", "log_statement", "statement_timeout"];
        known.map(|name| role.setting(name).map(str::to_owned))
    };
    assert_eq!(settings(&before), [Some("5MB".to_owned()), None, None]);
    assert_eq!(settings(&after), [Some("6MB".to_owned()), None, Some("3s".to_owned())]);
    assert_ne!(before.fingerprint, after.fingerprint);
}

/// A login that may take on roles and nothing else: it reads what a database declares, and says what it is.
#[tokio::test]
async fn whoever_may_use_nothing_reads_what_is_declared() {
    let database = Fresh::empty("modest").await;
    let owner = database.session().await;
    script(&owner, FOUNDATION).await;
    script(&owner, "revoke all on schema auth from public; create table auth.users (id uuid primary key)")
        .await;
    script(&owner, "create table notes (id int primary key); alter table notes enable row level security")
        .await;
    let mut modest = session(&database.url().replace("postgres@", "authenticator@")).await;
    let found = native::found(&modest).await.unwrap();
    assert!(found.has_users && found.ledger.is_none());
    let reading = introspect(&mut modest, &["public".into()]).await.unwrap();
    assert!(reading.catalog.tables.iter().any(|table| &*table.name.name == "notes" && table.row_security));
    assert!(!native::is_superuser(&modest, None).await.unwrap());
    assert!(native::is_superuser(&modest, Some("postgres")).await.unwrap());
}
