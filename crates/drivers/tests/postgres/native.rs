//! A project's SQL on a database that is ours, and databases that are not; and how declarations are noticed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use catalog::{Catalog, Exposure, Privilege};
use drivers::postgres::Options;
use drivers::postgres::introspect::{Reading, introspect};
use drivers::postgres::native::{self, FOUNDATION};
use drivers::postgres::watch::{Session, Watching, watch};
use engine::migrate::native::{Keeper, Keeping, keeper, plan};
use engine::migrate::{File, Layout, Sources, fold};
use tokio::sync::mpsc;
use types::{Error, Name, Result};

use crate::fold::{AUTH, HIRING};
use crate::server::{Fresh, script};

fn sources(layout: Layout, schema: &[(&str, &str)], seeds: &[(&str, &str)]) -> Sources {
    let files = |files: &[(&str, &str)]| {
        files.iter().map(|(name, text)| File { name: (*name).to_owned(), text: (*text).into() }).collect()
    };
    Sources {
        base: Arc::new(Catalog { exposure: Exposure::Guarded, ..catalog::builtin() }),
        system: files(&[("auth", AUTH)]),
        layout,
        schema: files(schema),
        seeds: files(seeds),
    }
}

/// What a start does: whose it is, what was done.
async fn start(database: &Fresh, sources: &Sources) -> Result<(Keeper, Vec<String>, Reading)> {
    let mut session = Session::open(&Options::new(database.url())).await?;
    let served = ["public".to_owned()];
    let (kept, _) = keeper(Keeping::Auto, &native::found(&session.client).await?);
    if kept == Keeper::Database {
        return Ok((kept, Vec::new(), introspect(&mut session.client, &served).await?));
    }
    native::lock(&session.client).await?;
    let found = native::found(&session.client).await?;
    let plan = plan(sources, &found, FOUNDATION)?;
    let mut done = native::apply(&session.client, &plan, &found).await?;
    let reading = introspect(&mut session.client, &served).await?;
    let system = fold(&sources.base, &sources.system, Layout::Declared, "postgres").catalog;
    let wanted = fold(&system, &sources.schema, sources.layout, "postgres").catalog;
    done.extend(native::settle(&session.client, &wanted, &reading.catalog).await?);
    // What is closed has a test of its own.
    done.retain(|line| !line.starts_with("Close "));
    let reading = introspect(&mut session.client, &served).await?;
    Ok((kept, done, reading))
}

async fn ask(database: &Fresh, text: &str) -> String {
    let session = database.session().await;
    let row = session.query_one(&format!("select ({text})::text"), &[]).await.unwrap();
    row.get::<_, Option<String>>(0).unwrap_or_default()
}

fn refusal(result: Result<(Keeper, Vec<String>, Reading)>) -> Error {
    match result {
        Ok((_, done, _)) => panic!("done: {done:?}"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_declared_schema_is_applied_once_in_any_order() {
    let database = Fresh::empty("declared").await;
    // The last file first: what it needs comes later.
    let files: Vec<(String, &str)> =
        HIRING.iter().rev().enumerate().map(|(at, text)| (format!("schemas/{at}.sql"), *text)).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    let project =
        sources(Layout::Declared, &files, &[("seed.sql", "insert into skills values ('Rust', 'x')")]);
    let (kept, done, reading) = start(&database, &project).await.unwrap();
    assert_eq!((kept, done.len()), (Keeper::Project, 6), "{done:?}");
    assert!(reading.catalog.table(&Name::new("public", "job_posts")).is_some());
    assert_eq!(ask(&database, "select string_agg(name, ',') from skills").await, "Rust");
    let (kept, done, again) = start(&database, &project).await.unwrap();
    assert_eq!((kept, done), (Keeper::Project, Vec::new()), "a second start has nothing to do");
    assert_eq!(again.fingerprint, reading.fingerprint);
}

#[tokio::test]
async fn a_declared_schema_grows_and_refuses_the_rest() {
    let database = Fresh::empty("grows").await;
    let project = |text: &str| sources(Layout::Declared, &[("schema.sql", text)], &[]);
    let first = "create table t (a int primary key); alter table t enable row level security;
        create policy p on t for select using (true); create view v as select a from t;";
    start(&database, &project(first)).await.unwrap();
    script(&database.session().await, "insert into t values (1)").await;
    let second = "create table t (a int primary key, b text not null default 'x' references u); alter table t enable row level security;
        create policy p on t for select using (b <> ''); create view v as select a, b from t;
        create table u (b text primary key); insert into u values ('x'); create index on t (b);";
    let (_, done, reading) = start(&database, &project(second)).await.unwrap();
    assert_eq!(done[0], "Add what the declared schema says beyond the applied one in 7 statements.");
    let (_, table) = reading.catalog.table(&Name::new("public", "t")).unwrap();
    assert_eq!((table.columns.len(), table.foreign_keys.len(), table.indexes.len()), (2, 1, 1));
    assert_eq!(ask(&database, "select b from v").await, "x");
    let error = refusal(start(&database, &project(first)).await);
    assert_eq!(error.state(), "55000");
    assert!(error.hint().unwrap().contains("migrations/NUMBER_name.sql"), "{error}");
    assert_eq!(ask(&database, "select count(*) from u").await, "1", "nothing was changed");
}

#[tokio::test]
async fn migrations_go_on_where_they_were_stopped() {
    let database = Fresh::empty("resumed").await;
    let files = [
        ("migrations/1_a.sql", "create table t (a int primary key); insert into t values (1);"),
        (
            "migrations/2_b.sql",
            "create table u (a int primary key);\ninsert into u values (1);\n\n  insert into u values\n (1);",
        ),
        (
            "migrations/3_c.sql",
            "create index concurrently i on t (a); insert into t values (2); create index concurrently j on t (a); select 1/0;",
        ),
        ("migrations/4_d.sql", "begin; set search_path = ''; create table public.last (a int); commit;"),
        ("migrations/5_e.sql", "create table named (id uuid default uuid_generate_v4());"),
    ];
    let project = |files: &[(&str, &str)]| sources(Layout::Migrations, files, &[]);
    // Half of the files: as after a kill between two of them.
    start(&database, &project(&files[..1])).await.unwrap();
    let error = refusal(start(&database, &project(&files)).await);
    assert_eq!(error.state(), "23505");
    assert_eq!(error.hint(), Some("It was raised at migrations/2_b.sql:4."));
    assert_eq!(
        ask(&database, "select to_regclass('u') is null").await,
        "true",
        "a file is whole or not at all"
    );
    let mut files = files;
    files[1].1 = "create table u (a int primary key);";
    let error = refusal(start(&database, &project(&files)).await);
    assert_eq!(error.message(), "division by zero");
    assert_eq!(
        ask(
            &database,
            "select string_agg(version, ',' order by version) from supabase_migrations.schema_migrations"
        )
        .await,
        "1,2"
    );
    assert_eq!(ask(&database, "select count(*) from t").await, "2", "the parts before the failure are done");
    files[2].1 = "create index concurrently i on t (a); insert into t values (2); create index concurrently j on t (a); select 1;";
    let (_, done, _) = start(&database, &project(&files)).await.unwrap();
    assert_eq!(
        done,
        [
            "Apply migrations/3_c.sql: 4 statements.",
            "Apply migrations/4_d.sql: 4 statements.",
            "Apply migrations/5_e.sql: 1 statement.",
        ]
    );
    assert_eq!(ask(&database, "select count(*) from t").await, "2", "and are not done twice");
    assert_eq!(ask(&database, "select count(*) from backplane.progress").await, "0");
    assert_eq!(
        ask(&database, "select name || ':' || array_length(statements, 1) from supabase_migrations.schema_migrations where version = '4'").await,
        "d:4"
    );
}

/// The session is killed while a migration runs: nothing of that file stays, and the next start does it.
#[tokio::test]
async fn a_kill_in_the_middle_leaves_nothing_of_a_file() {
    let database = Fresh::empty("killed").await;
    let slow = "create table slow (a int); select pg_sleep(30); insert into slow values (1);";
    let killed = sources(
        Layout::Migrations,
        &[("migrations/1_a.sql", "create table t (a int)"), ("migrations/2_b.sql", slow)],
        &[],
    );
    let running = {
        let url = database.url();
        let killed = killed.clone();
        tokio::spawn(async move {
            let session = Session::open(&Options::new(url)).await.unwrap();
            let found = native::found(&session.client).await.unwrap();
            native::apply(&session.client, &plan(&killed, &found, FOUNDATION).unwrap(), &found).await
        })
    };
    let watcher = database.session().await;
    let sleeping =
        "select pid from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'";
    let pid: i32 = loop {
        if let Some(row) = watcher.query_opt(sleeping, &[]).await.unwrap() {
            break row.get(0);
        }
        tokio::task::yield_now().await;
    };
    script(&watcher, &format!("select pg_terminate_backend({pid})")).await;
    assert_eq!(running.await.unwrap().unwrap_err().state(), "57P01");
    assert_eq!(
        ask(&database, "select to_regclass('t') is not null and to_regclass('slow') is null").await,
        "true"
    );
    let quick = slow.replace("30", "0");
    let again = sources(
        Layout::Migrations,
        &[("migrations/1_a.sql", "create table t (a int)"), ("migrations/2_b.sql", &quick)],
        &[],
    );
    let (_, done, _) = start(&database, &again).await.unwrap();
    assert_eq!(done, ["Apply migrations/2_b.sql: 3 statements."]);
}

#[tokio::test]
async fn roles_are_brought_along_unless_the_project_says_otherwise() {
    // The server's roles are everybody's: these are not changed for longer than a transaction.
    let database = Fresh::empty("roles").await;
    let project = |text| sources(Layout::Migrations, &[("migrations/1_a.sql", text)], &[]);
    start(&database, &project("select 1")).await.unwrap();
    let session = database.session().await;
    let inherits = "select rolinherit from pg_roles where rolname = 'authenticated'";
    for (said, expected) in [("alter role authenticated NOINHERIT", false), ("select 1", true)] {
        let say = format!("update supabase_migrations.schema_migrations set statements = array['{said}']");
        let before = format!("begin; {say}; alter role authenticated noinherit");
        session.batch_execute(&before).await.unwrap();
        session.batch_execute(FOUNDATION.roles).await.unwrap();
        let row = session.query_one(inherits, &[]).await.unwrap();
        assert_eq!(row.get::<_, bool>(0), expected);
        session.batch_execute("rollback").await.unwrap();
    }
}

#[tokio::test]
async fn a_database_of_somebody_else_is_left_as_it_is() {
    let database = Fresh::empty("theirs").await;
    script(&database.session().await, "create table public.theirs (a int primary key); create schema auth; create table auth.users (id uuid)").await;
    let before = ask(&database, "select count(*) from pg_class").await;
    let project = sources(Layout::Migrations, &[("migrations/1_a.sql", "create table mine (a int)")], &[]);
    let (kept, done, reading) = start(&database, &project).await.unwrap();
    assert_eq!((kept, done), (Keeper::Database, Vec::new()));
    assert!(reading.catalog.table(&Name::new("public", "theirs")).is_some());
    assert_eq!(ask(&database, "select count(*) from pg_class").await, before, "nothing was made");
}

#[tokio::test]
async fn what_nobody_guards_is_closed_to_the_api() {
    let database = Fresh::empty("guarded").await;
    let text = "create table open (a int, b int);
        create table guarded (a int); alter table guarded enable row level security;
        create table said (a int, b int); grant select on said to anon; grant insert (b) on said to authenticated;
        create view mine with (security_invoker) as select a from guarded; create view definers as select a from guarded;
        create function f() returns int language sql as 'select 1'; create function g() returns int language sql as 'select 1';
        revoke execute on function g() from public;";
    let (_, _, reading) =
        start(&database, &sources(Layout::Migrations, &[("migrations/1.sql", text)], &[])).await.unwrap();
    let held = |table: &str, role: &str| {
        let catalog = &reading.catalog;
        let (id, _) = catalog.table(&Name::new("public", table)).unwrap();
        let roles = catalog.memberships(role);
        let some = [(Privilege::Select, 's'), (Privilege::Insert, 'i'), (Privilege::Delete, 'd')];
        some.into_iter()
            .filter(|(privilege, _)| catalog.allows_some(&roles, id, *privilege))
            .map(|(_, c)| c)
            .collect::<String>()
    };
    for (table, anon, authenticated, service) in [
        ("open", "", "", "sid"),
        ("guarded", "sid", "sid", "sid"),
        ("said", "s", "i", "sid"),
        ("mine", "sid", "sid", "sid"),
        ("definers", "", "", "sid"),
    ] {
        assert_eq!(
            (held(table, "anon"), held(table, "authenticated"), held(table, "service_role")),
            (anon.into(), authenticated.into(), service.into()),
            "{table}"
        );
    }
    assert_eq!(ask(&database, "select concat(has_column_privilege('authenticated', 'said', 'b', 'insert'), has_column_privilege('authenticated', 'said', 'a', 'insert'))").await, "tf");
    assert_eq!(ask(&database, "select concat(has_function_privilege('anon', 'f()', 'execute'), has_function_privilege('anon', 'g()', 'execute'), has_function_privilege('service_role', 'g()', 'execute'))").await, "tft");
}

/// Watches a database; catalogs come out of the channel.
async fn watched(
    database: &Fresh,
    interval: Duration,
) -> (drivers::postgres::watch::Watch, mpsc::Receiver<Arc<Catalog>>) {
    let mut session = Session::open(&Options::new(database.url())).await.unwrap();
    let served = vec!["public".to_owned()];
    let first = introspect(&mut session.client, &served).await.unwrap();
    let (sender, receiver) = mpsc::channel(64);
    let sender = Mutex::new(sender);
    let put = Arc::new(move |catalog| sender.lock().unwrap().try_send(catalog).unwrap());
    let options = Options::new(database.url());
    (watch(Watching { options, served, interval }, &first, put).unwrap(), receiver)
}

/// Waits for a catalog that has a table.
async fn shows(receiver: &mut mpsc::Receiver<Arc<Catalog>>, table: &str) -> Arc<Catalog> {
    let wait = async {
        while let Some(catalog) = receiver.recv().await {
            if catalog.table(&Name::new("public", table)).is_some() {
                return catalog;
            }
        }
        panic!("the watch ended");
    };
    tokio::time::timeout(Duration::from_secs(20), wait)
        .await
        .unwrap_or_else(|_| panic!("{table} was not noticed"))
}

#[tokio::test]
async fn a_declaration_is_noticed_when_the_database_says_so() {
    let database = Fresh::empty("told").await;
    start(&database, &sources(Layout::Migrations, &[("migrations/1.sql", "create table t (a int)")], &[]))
        .await
        .unwrap();
    // Nobody asks within this test: what is noticed was told.
    let (_watch, mut receiver) = watched(&database, Duration::from_secs(3600)).await;
    let session = database.session().await;
    let listening = "select count(*) = 0 from pg_stat_activity where datname = current_database() and query = 'listen pgrst' or query like '-- A number%' and datname = current_database()";
    while session.query_one(listening, &[]).await.unwrap().get::<_, bool>(0) {
        tokio::task::yield_now().await;
    }
    script(&session, "begin; create table told (a int); alter table told add column b text; create policy p on told using (b = 'x'); commit").await;
    let catalog = shows(&mut receiver, "told").await;
    let (_, table) = catalog.table(&Name::new("public", "told")).unwrap();
    assert_eq!(
        (table.columns.len(), table.policies.len()),
        (2, 1),
        "never half of what was declared together"
    );
    script(&session, "drop table told; create table other (a int)").await;
    let catalog = shows(&mut receiver, "other").await;
    assert!(catalog.table(&Name::new("public", "told")).is_none());
}

#[tokio::test]
async fn a_declaration_is_noticed_when_nobody_says_so_and_after_a_lost_connection() {
    let database = Fresh::empty("asked").await;
    let (_watch, mut receiver) = watched(&database, Duration::from_millis(100)).await;
    let session = database.session().await;
    script(&session, "create table asked (a int)").await;
    shows(&mut receiver, "asked").await;
    let kill = "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";
    script(&session, kill).await;
    script(&session, "create table after (a int)").await;
    shows(&mut receiver, "after").await;
    script(&session, "notify pgrst, 'reload schema'").await;
    shows(&mut receiver, "after").await;
}
