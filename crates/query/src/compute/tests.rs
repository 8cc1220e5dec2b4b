//! Computed reads: over the system's tables, as migrations ask them.

use types::session::Session;

use super::*;
use crate::ir::Caller;

const SCHEMA: &str = "
    create type mood as enum ('sad', 'ok');
    create schema app;
    create table a (id int primary key, m mood default 'ok', t text not null);
    create table app.b (id int primary key, a int constraint to_a references a, n numeric(10,2));
    create index b_a on app.b (a);
    alter table a enable row level security;
    create policy p on a for select to anon using (id = 1);
    revoke all on app.b from public;
    create function app.f(x int) returns int language sql as 'select 1';";

#[track_caller]
fn check_as(role: &str, query: &str, wanted: &str) {
    let (statements, _) = sql::parse(SCHEMA);
    let (catalog, report) = catalog::build(catalog::builtin(), &statements, &crate::resolve::Views);
    assert!(report.iter().all(|(_, outcome)| outcome.is_ok()), "{report:?}");
    let (statements, broken) = sql::parse(query);
    assert!(broken.is_empty(), "{broken:?}");
    let caller = Caller::role(role);
    let session = Session::utc(0);
    let clock = || 0;
    let mut random = |_: &mut [u8]| {};
    let mut scope =
        Scope { caller: &caller, params: &[], session: &session, random: &mut random, clock: &clock };
    let found = crate::resolve::statement(&catalog, &statements[0].kind, &[]).and_then(|query| match query {
        crate::Query::Read(read) => {
            let types: Vec<Type> = read.outputs.iter().map(|output| output.expr.ty()).collect();
            assert!(is_of_no_table(&read));
            let rows = rows(&read, &mut scope)?;
            let row = |row: Vec<Value>| {
                let texts = row.iter().zip(&types).map(|(value, ty)| match value {
                    Value::Null => "-".to_owned(),
                    value => types::text::print(ty, value, &session),
                });
                texts.collect::<Vec<_>>().join("|")
            };
            Ok(rows.into_iter().map(row).collect::<Vec<_>>().join(" "))
        }
        crate::Query::Write(_) => Err(Error::internal("a write")),
    });
    let found = found.unwrap_or_else(|error| format!("{}: {}", error.state(), error.message()));
    assert_eq!(found, wanted, "{query}");
}

#[track_caller]
fn check(query: &str, wanted: &str) {
    check_as("postgres", query, wanted);
}

#[test]
fn joins_groups_and_subqueries() {
    check(
        "select c.relname, count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
         join pg_attribute t on t.attrelid = c.oid where n.nspname in ('public', 'app') and c.relkind = 'r'
         group by c.relname order by 1",
        "a|3 b|3",
    );
    check(
        "select e.enumlabel from pg_type t left join pg_enum e on e.enumtypid = t.oid where t.typname = 'mood' order by e.enumsortorder desc limit 1",
        "ok",
    );
    check("select exists (select from pg_policies where policyname = 'p' and tablename = 'a')", "t");
    check(
        "select string_agg(tablename, ',' order by tablename) from pg_tables where schemaname in ('public', 'app')",
        "a,b",
    );
    check("with x as (select 1 as n union all select 2) select sum(n) from x", "3");
}

#[test]
fn ids_are_names() {
    check("select 'a'::regclass::text, 'app.b'::regclass::text, to_regclass('nothing')::text", "a|app.b|-");
    check("select conname from pg_constraint where conrelid = 'app.b'::regclass order by 1", "b_pkey to_a");
    check(
        "select conrelid::regclass, confrelid::regclass from pg_constraint where conname = 'to_a'",
        "app.b|a",
    );
    check("select 'nothing'::regclass", "42P01: relation \"nothing\" does not exist");
    check("select format('%s', (n || '')::regclass) from (values ('app.b')) v (n)", "app.b");
    check("select to_regprocedure('app.f(int)') is not null, to_regproc('app.g') is null", "t|t");
}

#[test]
fn definitions_and_types() {
    check(
        "select pg_get_constraintdef(oid) from pg_constraint where conname = 'to_a'",
        "FOREIGN KEY (a) REFERENCES a(id)",
    );
    check("select format_type(atttypid, atttypmod) from pg_attribute where attname = 'n'", "numeric(10,2)");
    check(
        "select indexdef from pg_indexes where indexname = 'b_a'",
        "CREATE INDEX b_a ON app.b USING btree (a)",
    );
    check(
        "select column_default, is_nullable, data_type, udt_name from information_schema.columns where column_name = 'm'",
        "'ok'::mood|YES|USER-DEFINED|mood",
    );
}

#[test]
fn functions_that_are_written_in_sql() {
    let overlap =
        "select (date '2020-01-01', date '2020-02-01') overlaps (date '2020-01-15', date '2020-03-01'),
        (date '2020-02-01', date '2020-01-01') overlaps (date '2020-02-01', date '2020-03-01')";
    check(overlap, "t|f");
    check(
        "select sign('{\"sub\":\"1\"}'::json, 'secret')",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxIn0.8qZF8vbN3UpcanXFc-mPXJkOPN01-bRch8XX3rToP1U",
    );
}

#[test]
fn everybody_sees_in_the_information_schema_what_they_may_use() {
    let tables = "select string_agg(table_name, ',') from information_schema.tables where table_schema in ('public', 'app')";
    check(tables, "a,b");
    check_as("anon", tables, "a");
    check_as("anon", "select count(*) from pg_class where relname = 'b'", "1");
    check_as(
        "anon",
        "select has_table_privilege('a', 'select'), has_table_privilege('app.b', 'select')",
        "t|f",
    );
    check(
        "select has_table_privilege('anon', 'app.b', 'SELECT'), pg_has_role('authenticator', 'anon', 'member')",
        "f|t",
    );
}
