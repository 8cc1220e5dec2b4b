//! What is planned for a database, from what it says of itself.

use catalog::Exposure;

use super::*;

const FOUNDATION_TEXT: Foundation<'_> =
    Foundation { objects: "select 1", roles: "select 4", privileges: "select 2; select 3" };

fn file(name: &str, text: &str) -> File {
    File { name: name.into(), text: text.into() }
}

fn sources(layout: Layout, schema: &[(&str, &str)]) -> Sources {
    Sources {
        base: Arc::new(catalog::Catalog { exposure: Exposure::Guarded, ..catalog::builtin() }),
        system: vec![file("auth", "create table auth.users (id uuid)")],
        layout,
        schema: schema.iter().map(|(name, text)| file(name, text)).collect(),
        seeds: vec![file("seed.sql", "insert into t values (1);\ninsert into t values (2);")],
    }
}

/// Runs every step of a plan on what a database says of itself.
fn after(plan: &Plan, found: &Found) -> Found {
    let mut found = found.clone();
    let ledger = found.ledger.get_or_insert_default();
    for note in plan.steps.iter().flat_map(|step| &step.notes) {
        match note {
            Note::Entry(entry) => {
                ledger.retain(|known| (&known.layer, &known.name) != (&entry.layer, &entry.name));
                ledger.push(entry.clone());
            }
            Note::Forget(layer) => ledger.retain(|known| known.layer != *layer),
            Note::Migrated(migrated) => found.migrated.push(migrated.clone()),
            Note::Seed(path, _) => found.seeds.push(path.clone()),
        }
    }
    found
}

fn planned(sources: &Sources, found: &Found) -> Plan {
    plan(sources, found, FOUNDATION_TEXT).unwrap()
}

#[test]
fn migrations_run_once_each_in_order() {
    let first = [
        ("migrations/1_a.sql", "begin; create table t (a int); commit;"),
        ("migrations/2_b.sql", "select 1"),
    ];
    let project = sources(Layout::Migrations, &first);
    let plan = planned(&project, &Found::default());
    let lines = plan.to_string();
    assert_eq!(
        lines,
        "Make roles, schemas and functions that every project starts with.\n\
         Let the API's roles have the rights of the roles that they are members of.\n\
         Grant what every project starts with.\nMake the schema of auth.\nApply migrations/1_a.sql: 3 statements.\nApply migrations/2_b.sql: 1 statement.\n\
         Run seed.sql once.\n"
    );
    let texts: Vec<&str> =
        plan.steps[4].parts[0].statements.iter().map(|statement| &*statement.text).collect();
    assert_eq!(texts, ["create table t (a int)"], "a file's own transaction is that of its step");
    let found = after(&plan, &Found::default());
    assert!(planned(&project, &found).steps.is_empty());
    let more = [first[0], first[1], ("migrations/3_c.sql", "select 3")];
    assert_eq!(
        planned(&sources(Layout::Migrations, &more), &found).to_string(),
        "Apply migrations/3_c.sql: 1 statement.\n"
    );
}

#[test]
fn roles_of_an_earlier_start_are_brought_along_once() {
    let project = sources(Layout::Migrations, &[("migrations/1_a.sql", "select 1")]);
    let mut found = after(&planned(&project, &Found::default()), &Found::default());
    found.ledger.iter_mut().for_each(|ledger| ledger.retain(|entry| entry.name != "roles"));
    let plan = planned(&project, &found);
    assert_eq!(
        plan.to_string(),
        "Let the API's roles have the rights of the roles that they are members of.\n"
    );
    assert!(planned(&project, &after(&plan, &found)).steps.is_empty());
}

#[test]
fn migrations_out_of_order_are_refused() {
    let project = sources(
        Layout::Migrations,
        &[("migrations/1_a.sql", "select 1"), ("migrations/3_c.sql", "select 3")],
    );
    let found = after(&planned(&project, &Found::default()), &Found::default());
    let refusal = |files: &[(&str, &str)]| {
        plan(&sources(Layout::Migrations, files), &found, FOUNDATION_TEXT).unwrap_err().message().to_owned()
    };
    let between =
        [("migrations/1_a.sql", "select 1"), ("migrations/2_b.sql", ""), ("migrations/3_c.sql", "select 3")];
    assert_eq!(refusal(&between), "migration migrations/2_b.sql comes before 3, which is applied already");
    assert_eq!(refusal(&between[..1]), "migration 3 is applied, and the project has none of this number");
    let edited = [("migrations/1_a.sql", "select 1"), ("migrations/3_c.sql", "select 4")];
    let plan = planned(&sources(Layout::Migrations, &edited), &found);
    assert_eq!(
        plan.notes,
        ["migration migrations/3_c.sql was edited after it was applied: the edit has no effect."]
    );
}

#[test]
fn statements_outside_of_transactions_get_parts_of_their_own() {
    let text = "create table t (a int);\n\ncreate index concurrently i on t (a);\nselect 1;\nselect 2;";
    let plan = planned(&sources(Layout::Migrations, &[("migrations/1.sql", text)]), &Found::default());
    let parts: Vec<(bool, Vec<usize>)> = plan.steps[4]
        .parts
        .iter()
        .map(|part| (part.alone, part.statements.iter().map(|statement| statement.line).collect()))
        .collect();
    assert_eq!(parts, [(false, vec![1]), (true, vec![3]), (false, vec![4, 5])]);
    let refused = |text: &str| {
        let project = sources(Layout::Migrations, &[("migrations/1.sql", text)]);
        plan_error(&project)
    };
    assert_eq!(refused("copy t from stdin;"), "`copy … from stdin` is not supported");
    assert_eq!(refused("select 1; rollback"), "`rollback` in a file that is applied whole is not supported");
}

fn plan_error(sources: &Sources) -> String {
    plan(sources, &Found::default(), FOUNDATION_TEXT).unwrap_err().message().to_owned()
}

/// What is run when a declared schema becomes another one; or the details of the refusal.
fn grown(before: &str, after_text: &str) -> Result<Vec<String>, String> {
    let first = sources(Layout::Declared, &[("schema.sql", before)]);
    let found = after(&planned(&first, &Found::default()), &Found::default());
    let second = sources(Layout::Declared, &[("schema.sql", after_text)]);
    match plan(&second, &found, FOUNDATION_TEXT) {
        Ok(plan) => {
            let statements = plan.steps.iter().flat_map(|step| &step.parts).flat_map(|part| &part.statements);
            Ok(statements.map(|statement| statement.text.to_string()).collect())
        }
        Err(error) => {
            assert!(error.hint().unwrap().contains("migrations/NUMBER_name.sql"));
            Err(format!("{:?}", error.details().unwrap()))
        }
    }
}

#[test]
fn a_declared_schema_may_grow() {
    let cases: &[(&str, &str, &[&str])] = &[
        (
            "create table t (a int)",
            "create  table t(a integer); create table u (b int)",
            &["create table u (b int)"],
        ),
        (
            "create table t (a int)",
            "create table t (a int, b text not null default 'x', check (a > 0))",
            &["alter table t add column b text not null default 'x'", "alter table t add check (a > 0)"],
        ),
        (
            "create policy p on t using (true)",
            "create policy p on t using (false)",
            &["drop policy if exists p on t", "create policy p on t using (false)"],
        ),
        (
            "create function f(a int) returns int language sql as 'select 1'",
            "create function f(a int) returns int language sql as 'select 2'; create function f(a text) returns int language sql as 'select 3'",
            &[
                "create or replace function f(a int) returns int language sql as 'select 2'",
                "create function f(a text) returns int language sql as 'select 3'",
            ],
        ),
        (
            "create view v as select 1 as a",
            "create view v as select 1 as a, 2 as b",
            &["create or replace view v as select 1 as a, 2 as b"],
        ),
        (
            "create index i on t (a); insert into t values (1)",
            "select 1",
            &["drop index if exists i", "select 1"],
        ),
        ("comment on table t is 'a'", "comment on table t is 'b'", &["comment on table t is 'b'"]),
        (
            "create function f(a int, out b int) language sql as 'select 1'",
            "",
            &["drop function if exists f(int4)"],
        ),
    ];
    for (before, after, wanted) in cases {
        assert_eq!(grown(before, after).unwrap(), *wanted, "{before} → {after}");
    }
}

#[test]
fn other_changes_of_a_declared_schema_are_named() {
    let cases = [
        (
            "create table t (a int, b int)",
            "create table t (a int)",
            "schema.sql:1: create table t (a int): column b is gone",
        ),
        ("create table t (a int)", "create table t (a bigint)", "column a is another"),
        ("create table t (a int)", "", "schema.sql:1: create table t (a int)"),
        (
            "create table t (a int, unique (a))",
            "create table t (a int)",
            "a constraint is gone or another: alter table t add unique (a)",
        ),
        ("grant select on t to anon", "", "schema.sql:1: grant select on t to anon"),
        ("create type e as enum ('a')", "create type e as enum ('a', 'b')", "create type e as enum ('a')"),
    ];
    for (before, after, wanted) in cases {
        let said = grown(before, after).unwrap_err();
        assert!(said.contains(wanted), "{said}");
    }
}

#[test]
fn whose_the_schema_is_shows() {
    let ours = Found { ledger: Some(Vec::new()), objects: 9, ..Found::default() };
    let theirs = Found { objects: 2, ..Found::default() };
    let keeper = |asked, found: &Found| keeper(asked, found);
    assert_eq!(keeper(Keeping::Auto, &Found::default()), (Keeper::Project, "the database is empty".into()));
    assert_eq!(keeper(Keeping::Auto, &ours), (Keeper::Project, "its ledger is there".into()));
    assert_eq!(
        keeper(Keeping::Auto, &theirs),
        (Keeper::Database, "it holds 2 objects that Backplane did not make".into())
    );
    assert_eq!(keeper(Keeping::Project, &theirs).0, Keeper::Project);
    assert_eq!(keeper(Keeping::Database, &ours).0, Keeper::Database);
}

#[test]
fn migrations_of_one_number_are_told_apart_and_absent_extensions_passed_over() {
    let files = [
        ("002_a.sql", "create extension if not exists \"pg_net\"; create table a ();"),
        ("002_b.sql", "create extension citext"),
    ];
    let sources = sources(Layout::Migrations, &files);
    let found = Found { extensions: Some(vec!["citext".into()]), ..Found::default() };
    let plan = planned(&sources, &found);
    let noted: Vec<&str> = plan
        .steps
        .iter()
        .flat_map(|step| &step.notes)
        .filter_map(|note| if let Note::Migrated(of) = note { Some(&*of.version) } else { None })
        .collect();
    assert_eq!(noted, ["002", "002_b"]);
    let texts: Vec<&str> = plan
        .steps
        .iter()
        .filter(|step| step.key.contains("002"))
        .flat_map(|step| &step.parts)
        .flat_map(|part| &part.statements)
        .map(|statement| &*statement.text)
        .collect();
    assert_eq!(texts, ["create table a ()", "create extension citext"]);
    assert_eq!(plan.notes, ["extension pg_net is not on this server: 002_a.sql:1 is passed over."]);
}
