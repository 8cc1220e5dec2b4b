//! What statements do, and how they are refused. Codes, messages and names are those of PostgreSQL 15.

use types::error::Details;

use super::*;
use crate::testing::{catalog, extended, outcomes, refusal, table};
use crate::{DefaultValue, TableKind};

const BASE: &str = "
    create table t (a int, b int);
    create table p (id int primary key, x text unique, y int, z int, unique (y, z));
    create type e as enum ('a', 'b');
    create table c (id bigint references p, e e, list e[]);
    create function f() returns int language sql as 'select 1';
    create function tf() returns trigger language plpgsql as 'begin return new; end';
    create view w as select a from t;
    create policy pp on t using (a = 1);
    create index i on t (b);
    create sequence s;
    create schema other; create table other.o (a int);
    create domain d as int check (value > 0);
    create table g (a int, n int generated always as (a + 1) stored, k int generated always as identity);
";

/// A statement after `BASE`, the code and the message.
const REFUSALS: &[(&str, &str, &str)] = &[
    ("create table t (a int)", "42P07", "relation \"t\" already exists"),
    ("create view t as select 1", "42P07", "relation \"t\" already exists"),
    ("create table u (a int, a int)", "42701", "column \"a\" specified more than once"),
    ("create table u (a nope)", "42704", "type \"nope\" does not exist"),
    ("create table u (a int references nope)", "42P01", "relation \"nope\" does not exist"),
    ("create table u (a int references t)", "42704", "there is no primary key for referenced table \"t\""),
    (
        "create table u (a int references t (a))",
        "42830",
        "there is no unique constraint matching given keys for referenced table \"t\"",
    ),
    (
        "create table u (a int references t (q))",
        "42703",
        "column \"q\" referenced in foreign key constraint does not exist",
    ),
    (
        "create table u (a text references p)",
        "42804",
        "foreign key constraint \"u_a_fkey\" cannot be implemented",
    ),
    (
        "create table u (a int, b int, foreign key (a, b) references p)",
        "42830",
        "number of referencing and referenced columns for foreign key disagree",
    ),
    (
        "create table u (a int primary key, primary key (a))",
        "42P16",
        "multiple primary keys for table \"u\" are not allowed",
    ),
    ("create table u (a int, unique (q))", "42703", "column \"q\" named in key does not exist"),
    ("create table u (a int check (q > 1))", "42703", "column \"q\" does not exist"),
    ("create table u (a int constraint t unique)", "42P07", "relation \"t\" already exists"),
    ("create table u (a int default b, b int)", "0A000", "cannot use column reference in DEFAULT expression"),
    (
        "create table u (a serial default 1)",
        "42601",
        "multiple default values specified for column \"a\" of table \"u\"",
    ),
    (
        "create table u (a int null not null)",
        "42601",
        "conflicting NULL/NOT NULL declarations for column \"a\" of table \"u\"",
    ),
    (
        "create table u (a text generated always as identity)",
        "22023",
        "identity column type must be smallint, integer, or bigint",
    ),
    ("create table u (a varchar(0))", "22023", "length for type varchar must be at least 1"),
    ("create table nope.u (a int)", "3F000", "schema \"nope\" does not exist"),
    ("create table u () inherits (t)", "0A000", "inheritance of table u from t is not supported"),
    ("create table u (a d[])", "0A000", "an array of domain public.d is not supported"),
    ("alter table t add column a int", "42701", "column \"a\" of relation \"t\" already exists"),
    ("alter table nope add column a int", "42P01", "relation \"nope\" does not exist"),
    ("alter table t drop column q", "42703", "column \"q\" of relation \"t\" does not exist"),
    ("alter table t rename column q to r", "42703", "column \"q\" does not exist"),
    ("alter table t rename column a to b", "42701", "column \"b\" of relation \"t\" already exists"),
    ("alter table t rename to p", "42P07", "relation \"p\" already exists"),
    ("alter table t drop constraint q", "42704", "constraint \"q\" of relation \"t\" does not exist"),
    (
        "alter table p add constraint p_pkey check (id > 1)",
        "42710",
        "constraint \"p_pkey\" for relation \"p\" already exists",
    ),
    (
        "alter table p drop constraint p_pkey",
        "2BP01",
        "cannot drop constraint p_pkey on table p because other objects depend on it",
    ),
    (
        "alter table p drop column id",
        "2BP01",
        "cannot drop column id of table p because other objects depend on it",
    ),
    ("alter table p alter column id drop not null", "42P16", "column \"id\" is in a primary key"),
    (
        "alter table g alter column a type text",
        "0A000",
        "cannot alter type of a column used by a generated column",
    ),
    (
        "alter table p alter column x type int",
        "42804",
        "column \"x\" cannot be cast automatically to type integer",
    ),
    (
        "alter table c alter column id type uuid using null",
        "42804",
        "foreign key constraint \"c_id_fkey\" cannot be implemented",
    ),
    (
        "alter table g alter column n set default 1",
        "42601",
        "column \"n\" of relation \"g\" is a generated column",
    ),
    (
        "alter table g alter column k drop not null",
        "42601",
        "column \"k\" of relation \"g\" is an identity column",
    ),
    (
        "alter table g drop column a",
        "2BP01",
        "cannot drop column a of table g because other objects depend on it",
    ),
    (
        "alter table t alter column b add generated always as identity",
        "55000",
        "column \"b\" of relation \"t\" must be declared NOT NULL before identity can be added",
    ),
    (
        "alter table w enable row level security",
        "42809",
        "ALTER action ENABLE ROW SECURITY cannot be performed on relation \"w\"",
    ),
    ("drop table p", "2BP01", "cannot drop table p because other objects depend on it"),
    ("drop table p, t", "2BP01", "cannot drop desired object(s) because other objects depend on them"),
    ("drop view t", "42809", "\"t\" is not a view"),
    (
        "drop index p_pkey",
        "2BP01",
        "cannot drop index p_pkey because constraint p_pkey on table p requires it",
    ),
    ("drop type e", "2BP01", "cannot drop type e because other objects depend on it"),
    ("drop schema other", "2BP01", "cannot drop schema other because other objects depend on it"),
    (
        "drop sequence g_k_seq",
        "2BP01",
        "cannot drop sequence g_k_seq because column k of table g requires it",
    ),
    ("drop function nope()", "42883", "function nope() does not exist"),
    ("create policy pp on t using (true)", "42710", "policy \"pp\" for table \"t\" already exists"),
    ("create policy q on t using (q = 1)", "42703", "column \"q\" does not exist"),
    ("create policy q on t using (exists (select from nope))", "42P01", "relation \"nope\" does not exist"),
    (
        "create policy q on t for insert using (true)",
        "42601",
        "only WITH CHECK expression allowed for INSERT",
    ),
    (
        "create policy q on t for select with check (true)",
        "42601",
        "WITH CHECK cannot be applied to SELECT or DELETE",
    ),
    ("create policy q on t to nope using (true)", "42704", "role \"nope\" does not exist"),
    ("drop policy q on t", "42704", "policy \"q\" for table \"t\" does not exist"),
    ("create type e as enum ()", "42710", "type \"e\" already exists"),
    ("alter type e add value 'a'", "42710", "enum label \"a\" already exists"),
    ("alter type e add value 'c' before 'q'", "22023", "\"q\" is not an existing enum label"),
    ("create index i on t (a)", "42P07", "relation \"i\" already exists"),
    ("create index on t (q)", "42703", "column \"q\" does not exist"),
    (
        "create function f() returns int language sql as ''",
        "42723",
        "function \"f\" already exists with same argument types",
    ),
    (
        "create or replace function f() returns text language sql as ''",
        "42P13",
        "cannot change return type of existing function",
    ),
    (
        "create trigger x before insert on t for each row execute function f()",
        "42P17",
        "function f must return type trigger",
    ),
    (
        "create trigger x before insert on t referencing new table as n for each row execute function tf()",
        "42P17",
        "transition table name can only be specified for an AFTER trigger",
    ),
    (
        "create trigger x after insert or delete on t referencing new table as n for each row execute function tf()",
        "0A000",
        "transition tables cannot be specified for triggers with more than one event",
    ),
    (
        "create trigger x after update of a on t referencing new table as n for each row execute function tf()",
        "0A000",
        "transition tables cannot be specified for triggers with column lists",
    ),
    (
        "create trigger x after insert on t referencing old table as n for each statement execute function tf()",
        "42P17",
        "OLD TABLE can only be specified for a DELETE or UPDATE trigger",
    ),
    (
        "create trigger x after delete on t referencing new table as n for each statement execute function tf()",
        "42P17",
        "NEW TABLE can only be specified for an INSERT or UPDATE trigger",
    ),
    (
        "create trigger x after update on t referencing new table as n old table as n for each statement execute function tf()",
        "42P17",
        "OLD TABLE name and NEW TABLE name cannot be the same",
    ),
    (
        "create trigger x before truncate on t for each row execute function tf()",
        "0A000",
        "TRUNCATE FOR EACH ROW triggers are not supported",
    ),
    (
        "create trigger x instead of update on w for each statement execute function tf()",
        "0A000",
        "INSTEAD OF triggers must be FOR EACH ROW",
    ),
    (
        "create trigger x before insert on t for each statement when (new.a is null) execute function tf()",
        "42P17",
        "statement trigger's WHEN condition cannot reference column values",
    ),
    (
        "create trigger x before insert on t for each row when (old.a is null) execute function tf()",
        "42P17",
        "INSERT trigger's WHEN condition cannot reference OLD values",
    ),
    (
        "create trigger x before update on t for each statement when (new is distinct from old) execute function tf()",
        "42P17",
        "statement trigger's WHEN condition cannot reference column values",
    ),
    (
        "create trigger x before insert on t for each row when (old.* is null) execute function tf()",
        "42P17",
        "INSERT trigger's WHEN condition cannot reference OLD values",
    ),
    (
        "create trigger x before update on g for each row when (new.* is distinct from old.*) execute function tf()",
        "42P17",
        "BEFORE trigger's WHEN condition cannot reference NEW generated columns",
    ),
    (
        "create trigger x before delete on t for each row when (new.a is null) execute function tf()",
        "42P17",
        "DELETE trigger's WHEN condition cannot reference NEW values",
    ),
    (
        "create trigger x before insert on t for each row execute function nope()",
        "42883",
        "function nope() does not exist",
    ),
    (
        "create or replace view w as select b from t",
        "42P16",
        "cannot change name of view column \"a\" to \"b\"",
    ),
    ("grant select on nope to anon", "42P01", "relation \"nope\" does not exist"),
    ("grant select (q) on t to anon", "42703", "column \"q\" of relation \"t\" does not exist"),
    ("grant select on t to nope", "42704", "role \"nope\" does not exist"),
    ("grant execute on t to anon", "0LP01", "invalid privilege type EXECUTE for relation"),
    ("comment on column t.q is ''", "42703", "column \"q\" of relation \"t\" does not exist"),
    ("create schema other", "42P06", "schema \"other\" already exists"),
    ("create role anon", "42710", "role \"anon\" already exists"),
];

#[test]
fn what_postgresql_refuses_is_refused_in_its_words() {
    for (statement, code, message) in REFUSALS {
        let error = refusal(&format!("{BASE} {statement}"));
        assert_eq!((error.code().name(), error.message()), (*code, *message), "{statement}");
    }
}

#[test]
fn a_refused_statement_changes_nothing() {
    let base = catalog(BASE);
    for (statement, ..) in REFUSALS {
        let mut builder = Builder::new(base.clone(), &Untyped);
        assert!(outcomes(&mut builder, statement)[0].1.is_err(), "{statement}");
        assert!(*builder.catalog() == base, "{statement}");
    }
}

#[test]
fn a_refusal_names_what_depends() {
    let error = refusal(&format!("{BASE} drop table t"));
    let Some(Details::Text(details)) = error.details() else { panic!("no details") };
    assert_eq!(details, "view w depends on table t");
}

/// Statements, a table of theirs, and the names of its constraints and indexes.
#[test]
fn automatic_names_are_postgresqls() {
    let cases = [
        (
            "create table n (a int primary key, b int unique, check (a > 0), check (a > b))",
            "n_a_check n_check n_pkey n_b_key",
        ),
        (
            "create table n (a int, check (a > 0), check (a < 9), unique (a), unique (a))",
            "n_a_check n_a_check1 n_a_key",
        ),
        (
            "create table n (a int, b int, unique (a, b)); alter table n add unique (a, b)",
            "n_a_b_key n_a_b_key1",
        ),
        ("create table n (a int); create index on n (a); create index on n (a)", "n_a_idx n_a_idx1"),
        (
            "create table n (a text); create index on n (lower(a), (a || 'x'), (a || 'y'))",
            "n_lower_expr_expr1_idx",
        ),
        ("create table n (a int, b int); create index on n (a) include (b)", "n_a_b_idx"),
        (
            "create table n (a int primary key, b int references n, foreign key (b) references n (a))",
            "n_pkey n_b_fkey n_b_fkey1",
        ),
        ("create table m (a int); create index n_a_key on m (a); create table n (a int unique)", "n_a_key1"),
    ];
    for (text, names) in cases {
        let catalog = catalog(text);
        let table = table(&catalog, "n");
        let checks = table.checks.iter().map(|check| &check.name);
        let keys = resolve::index_names(table);
        let all: Vec<&str> = checks
            .chain(keys)
            .chain(table.foreign_keys.iter().map(|key| &key.name))
            .map(|name| &**name)
            .collect();
        assert_eq!(all.join(" "), names, "{text}");
    }
}

#[test]
fn a_serial_column_counts_with_a_sequence_that_it_owns() {
    let catalog = catalog("create table n (a serial, b bigserial primary key)");
    let (name, sequence) =
        (Name::new("public", "n_a_seq"), &catalog.sequences[&Name::new("public", "n_a_seq")]);
    assert_eq!((sequence.start, sequence.max), (1, i64::from(i32::MAX)));
    assert_eq!(sequence.owned_by, Some((Name::new("public", "n"), "a".into())));
    let column = &table(&catalog, "n").columns[0];
    assert!(column.not_null);
    let Some(DefaultValue::Expr(default)) = &column.default else { panic!("no default") };
    assert_eq!(sql::print::expr(default), format!("nextval('{name}'::regclass)"));
    let gone = extended(catalog, "drop table n");
    assert!(gone.sequences.is_empty());
}

#[test]
fn stored_expressions_follow_renames() {
    let text = "
        create table docs (id int, team int, secret text check (docs.secret <> ''));
        create table members (team int, person uuid);
        create policy p on docs using (exists (select 1 from members where members.team = docs.team and person = auth.uid()));
        create view v as select team, members.person from members;
        alter table members rename to people;
        alter table people rename column team to crew;
        alter table docs rename to papers;
        alter table papers rename column team to owner;
    ";
    let catalog = catalog(text);
    let papers = table(&catalog, "papers");
    let policy = papers.policies[0].using.as_ref().expect("a condition");
    assert_eq!(
        sql::print::expr(policy),
        "exists (select 1 from public.people as members where (members.crew = papers.owner) and (person = auth.uid()))"
    );
    assert_eq!(sql::print::expr(&papers.checks[0].expr), "papers.secret <> ''");
    let TableKind::View { query, .. } = &table(&catalog, "v").kind else { panic!("no view") };
    assert_eq!(sql::print::query(query), "select crew as team, members.person from public.people as members");
    let names: Vec<&str> = table(&catalog, "v").columns.iter().map(|column| &*column.name).collect();
    assert_eq!(names, ["team", "person"]);
}

#[test]
fn origins_outlive_renames_and_count_what_was_dropped() {
    let catalog = catalog(
        "create table a (x int); drop table a; create table a (x int, y int);
         alter table a drop column x; alter table a add column x int; alter table a rename to b; alter table b rename x to z;",
    );
    let table = table(&catalog, "b");
    assert_eq!(table.origin, (Name::new("public", "a"), 1));
    assert_eq!(table.columns[1].origin, ("x".into(), 1));
}

#[test]
fn a_dropped_column_takes_what_is_its_own_and_moves_the_rest() {
    let catalog = catalog(
        "create table t (a int check (a > 0), b int, c int, unique (a, b), unique (b, c));
         create index i on t (c); create index j on t (b) where a > 1;
         grant select (a, c), update (a) on t to anon;
         alter table t drop column a;",
    );
    let table = table(&catalog, "t");
    assert!(table.checks.is_empty());
    let keys: Vec<&str> = table.uniques.iter().map(|key| &*key.name).collect();
    assert_eq!(keys, ["t_b_c_key"]);
    assert_eq!(table.uniques[0].columns, [crate::ColumnId(0), crate::ColumnId(1)]);
    assert_eq!(table.indexes.len(), 1);
    assert_eq!(table.indexes[0].keys[0].column, Some(crate::ColumnId(1)));
    assert_eq!(table.acl.0.len(), 1);
    assert_eq!(table.acl.0[0].columns, [crate::ColumnId(1)]);
}

#[test]
fn cascade_takes_dependents_along() {
    let dropped = |statement: &str| extended(catalog(BASE), statement);
    let without_p = dropped("drop table p cascade");
    assert!(table(&without_p, "c").foreign_keys.is_empty());
    let without_t = dropped("drop table t cascade");
    assert!(without_t.table(&Name::new("public", "w")).is_none());
    let without_e = dropped("drop type e cascade");
    assert_eq!(table(&without_e, "c").columns.len(), 1);
    let without_other = dropped("drop schema other cascade");
    assert!(without_other.tables.iter().all(|table| &*table.name.schema != "other"));
}

#[test]
fn names_are_bound_when_they_are_stored() {
    let catalog = catalog(
        "create schema app; create table app.teams (id int); create function app.mine() returns int language sql as '';
         set search_path = app; create table notes (team int);
         create policy p on notes using (team = mine() and exists (select from teams where id = team));",
    );
    let (_, notes) = catalog.table(&Name::new("app", "notes")).expect("the table");
    let using = notes.policies[0].using.as_ref().expect("a condition");
    assert_eq!(
        sql::print::expr(using),
        "(team = app.mine()) and exists (select from app.teams where id = team)"
    );
}

#[test]
fn statements_about_rows_and_services_are_told_apart() {
    let cases = [
        ("insert into t values (1)", Outcome::Data),
        ("select f()", Outcome::Data),
        ("begin", Outcome::NoEffect),
        ("set statement_timeout = 0", Outcome::NoEffect),
        ("select pg_catalog.set_config('search_path', '', false)", Outcome::Applied),
        ("notify pgrst, 'reload schema'", Outcome::NoEffect),
        ("drop table if exists nope", Outcome::Skipped("table \"nope\" does not exist".to_owned())),
        (
            "create table if not exists t (a int)",
            Outcome::Skipped("relation \"t\" already exists".to_owned()),
        ),
        ("do $$ begin perform 1; end $$", Outcome::Data),
        (
            "grant usage on schema cron to postgres",
            Outcome::NotRunning("a grant in schema cron, which belongs to a service,".to_owned()),
        ),
        ("create function pg_temp.g() returns int language sql as 'select 1'", Outcome::Applied),
        ("create temporary table u as select 1 as a", Outcome::Data),
    ];
    for (statement, wanted) in cases {
        let mut builder = Builder::new(catalog(BASE), &Untyped);
        let (_, outcome) = outcomes(&mut builder, statement).remove(0);
        assert_eq!(outcome.expect(statement), wanted, "{statement}");
    }
}

#[test]
fn default_privileges_concern_later_objects() {
    let catalog = catalog(
        "create table before (a int);
         alter default privileges in schema public grant select on tables to anon;
         create table after (a int);",
    );
    assert!(table(&catalog, "before").acl.0.is_empty());
    assert_eq!(table(&catalog, "after").acl.0.len(), 1);
}

/// Statements, and whether `anon` may then read table `t` or call function `f()`.
const INITIAL: &[(&str, bool)] = &[
    ("create schema z; create table z.t (a int)", false),
    (
        "create schema z; alter default privileges in schema z grant select on tables to anon; create table z.t (a int)",
        true,
    ),
    (
        "create schema z; alter default privileges in schema z grant all on tables to anon;
         alter default privileges in schema z revoke select on tables from anon; create table z.t (a int)",
        false,
    ),
    (
        "create schema z; alter default privileges grant select on tables to anon;
         alter default privileges in schema z revoke select on tables from anon; create table z.t (a int)",
        true,
    ),
    ("create schema z; create function z.f() returns int language sql as 'select 1'", true),
    (
        "create schema z; alter default privileges in schema z revoke execute on functions from public;
         create function z.f() returns int language sql as 'select 1'",
        true,
    ),
    (
        "create schema z; alter default privileges revoke execute on functions from public;
         create function z.f() returns int language sql as 'select 1'",
        false,
    ),
    (
        "create schema z; alter default privileges revoke execute on functions from public;
         alter default privileges in schema z grant execute on functions to public;
         create function z.f() returns int language sql as 'select 1'",
        true,
    ),
    ("create table t (a int); alter table t enable row level security", true),
    (
        "alter default privileges in schema public revoke all on tables from anon;
         create table t (a int); alter table t enable row level security",
        false,
    ),
    (
        "alter default privileges revoke all on tables from anon;
         create table t (a int); alter table t enable row level security",
        true,
    ),
    (
        "create schema z; create table t (a int); alter table t enable row level security; alter table t set schema z",
        true,
    ),
    (
        "create schema z; create table z.t (a int); alter table z.t enable row level security;
         alter table z.t set schema public",
        false,
    ),
    (
        "create schema z; create function f() returns int language sql as 'select 1';
         revoke all on function f() from public; alter function f() set schema z",
        false,
    ),
];

#[test]
fn objects_start_with_what_default_privileges_say() {
    for (statements, expected) in INITIAL {
        let catalog = catalog(statements);
        let roles = catalog.memberships("anon");
        let table = catalog.tables.iter().position(|table| &*table.name.name == "t");
        let may = match table.and_then(|at| catalog.ids().nth(at)) {
            Some(id) => catalog.allows(&roles, id, crate::Privilege::Select),
            None => catalog.allows_function(&roles, &catalog.functions[0]),
        };
        assert_eq!(may, *expected, "{statements}");
    }
}

#[test]
fn the_service_keeps_what_it_had_in_public() {
    let text = "create schema z; create function f() returns int language sql as 'select 1';
        revoke all on function f() from public, anon; alter function f() set schema z;";
    let kept = catalog(text);
    assert!(kept.allows_function(&kept.memberships("service_role"), &kept.functions[0]));
    let revoked = catalog(&format!("{text} revoke all on function z.f() from service_role;"));
    assert!(!revoked.allows_function(&revoked.memberships("service_role"), &revoked.functions[0]));
}

#[test]
fn a_catalog_can_be_built_on() {
    let more = "drop index i; alter table p add column q int; create policy q on p using (q > 0)";
    assert!(extended(catalog(BASE), more) == catalog(&format!("{BASE} {more}")));
}

#[test]
fn services_stand_before_a_project() {
    let mut builder = Builder::new(builtin(), &Untyped).owned_by(SERVICES_OWNER);
    for (source, outcome) in outcomes(&mut builder, SERVICES) {
        assert_eq!(outcome.ok(), Some(Outcome::Applied), "{source}");
    }
    let project =
        "create policy mine on storage.objects for select using (bucket_id = 'x' and owner = auth.uid());
        create table files (id int, object uuid references storage.objects (id));
        create policy topics on realtime.messages using (realtime.topic() = 'x');";
    extended(builder.finish(), project);
}

#[test]
fn what_newer_servers_grant_besides_gives_nothing() {
    let text = format!(
        "{BASE} revoke all on t from anon; grant maintain on t to anon; grant select, maintain on p to anon;
         alter default privileges grant maintain on tables to anon; grant maintain on all tables in schema public to anon;"
    );
    let catalog = catalog(&text);
    let held = |name: &str, privilege| {
        let (id, _) = catalog.table(&Name::new("public", name)).unwrap();
        catalog.allows(&catalog.memberships("anon"), id, privilege)
    };
    assert!(!held("t", crate::Privilege::Select) && !held("t", crate::Privilege::Delete));
    assert!(held("p", crate::Privilege::Select));
    assert!(catalog.default_privileges.is_empty());
}
