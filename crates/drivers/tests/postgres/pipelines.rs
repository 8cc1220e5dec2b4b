//! Short reads share connections: nobody waits for another's long one, hears its errors, or finds what it left behind.

use std::sync::Arc;
use std::time::Duration;

use drivers::postgres::Options;

use crate::world::{World, anon, person};

const SCHEMA: &str = "
    create table notes (id int primary key, owner uuid, body text);
    alter table notes enable row level security;
    create policy own on notes using (owner = auth.uid());
    create table odd (id int primary key);
    create table left_behind (locks bigint, path text, role text);
";

/// The model takes the views for tables.
const REST: &str = "
    insert into notes select n, (lpad((n % 40)::text, 8, '0') || '-0000-4000-8000-000000000000')::uuid, 'note ' || n from generate_series(1, 400) n;
    drop table odd, left_behind;
    create function oddly(n int) returns int language plpgsql as $$
    begin
        perform set_config('search_path', 'auth', false);
        perform pg_advisory_lock(hashtext('odd'), pg_backend_pid());
        if n = 1 then perform 1 / 0; end if;
        if n = 2 then perform pg_advisory_xact_lock_shared(hashtext('held'), 0); end if;
        return n;
    end $$;
    create view odd with (security_invoker = true) as
        select oddly(n) as id from unnest(array[coalesce((current_setting('request.headers')::json ->> 'x-n')::int, 0)]) n;
    create view left_behind with (security_invoker = true) as select
        (select count(*) from pg_locks where pid = pg_backend_pid() and locktype = 'advisory') as locks,
        current_setting('search_path') as path, current_user::text as role;
    grant select on odd, left_behind to anon, authenticated;
";

const OWNERS: u64 = 40;

async fn world(test: &str) -> Arc<World> {
    let limit = |options: &mut Options| {
        options.connections_max = 40;
        // All of them are short, however slow the machine is.
        options.short_read_max = Duration::from_hours(1);
    };
    let mut world = World::with(test, SCHEMA, limit).await.filled(REST).await;
    world.api.limits.statement_timeout_ms = 60_000;
    Arc::new(world)
}

fn owner(number: u64) -> String {
    format!("{number:08}-0000-4000-8000-000000000000")
}

/// What a reader is to be answered: a row that is its own, one that is not, and what others have left in the session.
fn expected(number: u64) -> impl Iterator<Item = (String, String)> {
    (0..10).flat_map(move |turn| {
        let (mine, theirs) = (turn * OWNERS + number, turn * OWNERS + number + 1);
        let row = format!(r#"[{{"id":{mine},"owner":"{}","body":"note {mine}"}}]"#, owner(number));
        let nothing =
            r#"[{"locks":0,"path":"\"public\", \"public\", \"extensions\"","role":"authenticated"}]"#;
        [
            (format!("/notes?id=eq.{mine}"), row),
            (format!("/notes?id=eq.{theirs}"), "[]".to_owned()),
            ("/left_behind".to_owned(), nothing.to_owned()),
        ]
    })
}

async fn reads(world: &World, number: u64) {
    let me = person(&owner(number));
    for (target, rows) in expected(number) {
        assert_eq!(world.get(&me, &target).await, (200, rows), "{target}");
    }
}

async fn odd(world: &World, what: &str) -> u16 {
    world.ask(&anon(), "GET /odd", &[("x-n", what)], "").await.status
}

/// Has the driver see how long reads take.
async fn warm(world: &World) {
    reads(world, 1).await;
    assert_eq!(odd(world, "0").await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_beside_others_reads_what_is_its_own() {
    let world = world("pipelines").await;
    warm(&world).await;
    let readers: Vec<_> = (1..OWNERS)
        .map(|number| {
            let world = world.clone();
            tokio::spawn(async move {
                if number % 4 == 0 {
                    for _ in 0..10 {
                        // Both leave settings and locks; of the one that fails nobody tidies before the next is asked.
                        assert_eq!((odd(&world, "1").await, odd(&world, "0").await), (400, 200));
                    }
                }
                reads(&world, number).await;
            })
        })
        .collect();
    for reader in readers {
        reader.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_a_read_that_turned_out_to_be_long() {
    let world = world("pipelines_long").await;
    warm(&world).await;
    let holder = world.owner().await;
    holder.execute("select pg_advisory_lock(hashtext('held'), 0)", &[]).await.unwrap();
    let held: Vec<_> = (0..6)
        .map(|_| {
            let world = world.clone();
            tokio::spawn(async move { odd(&world, "2").await })
        })
        .collect();
    // They are answered although those that were asked before them are not, or this never ends.
    let readers: Vec<_> = (1..OWNERS)
        .map(|number| {
            let world = world.clone();
            tokio::spawn(async move { reads(&world, number).await })
        })
        .collect();
    for reader in readers {
        reader.await.unwrap();
    }
    assert!(held.iter().all(|held| !held.is_finished()));
    holder.execute("select pg_advisory_unlock(hashtext('held'), 0)", &[]).await.unwrap();
    for held in held {
        assert_eq!(held.await.unwrap(), 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whose_connection_is_ended_is_told_and_all_others_are_answered() {
    let world = world("pipelines_ended").await;
    warm(&world).await;
    let readers: Vec<_> = (1..OWNERS).map(|number| tokio::spawn(told_reads(world.clone(), number))).collect();
    let owner = world.owner().await;
    let mut ended = 0;
    while readers.iter().any(|reader| !reader.is_finished()) {
        let one = "select count(pg_terminate_backend(pid)) from (
            select pid from pg_stat_activity where usename = 'authenticator' and datname = current_database()
            order by random() limit 1) one";
        ended += owner.query_one(one, &[]).await.unwrap().get::<_, i64>(0);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut told = 0;
    for reader in readers {
        told += reader.await.unwrap();
    }
    assert!(told <= ended, "{told} were told of {ended} ends");
}

/// The same where the server may say that it ends a connection, one that is being made, too; how often it did.
async fn told_reads(world: Arc<World>, number: u64) -> i64 {
    let me = person(&owner(number));
    let mut told = 0;
    for (target, rows) in expected(number) {
        let (status, body) = world.get(&me, &target).await;
        let is_told = status >= 500 && ["57P01", "PGRST000"].iter().any(|code| body.contains(code));
        told += i64::from(is_told);
        assert!(is_told || (status, &body) == (200, &rows), "{target}: {status} {body}");
    }
    told
}
