//! Limits and faults: no connection free, statements that take too long, callers that leave, a server that restarts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use drivers::postgres::Options;

use crate::own::Own;
use crate::server::{script, session};
use crate::world::{FOUNDATION, World, anon, said};

const SCHEMA: &str = "
    create table slow (id int primary key);
    create table marks (id bigint primary key);
";

const REST: &str = "
    drop table slow;
    create view slow as select 1 as id from pg_sleep(5);
    grant select on slow to anon;
";

async fn world(test: &str, limit: impl FnOnce(&mut Options)) -> World {
    World::with(test, SCHEMA, limit).await.filled(REST).await
}

/// How many of the database's sessions do something.
async fn busy(world: &World) -> i64 {
    let busy = "select count(*) from pg_stat_activity where datname = current_database() and usename = 'authenticator' and state = 'active'";
    world.owner().await.query_one(busy, &[]).await.unwrap().get(0)
}

/// Waits until something holds, and says so.
async fn comes_true(mut holds: impl AsyncFnMut() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(20) {
        if holds().await {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}

#[tokio::test]
async fn a_statement_stops_at_its_time_and_its_connection_goes_on() {
    let mut world = world("timeouts", |options| options.connections_max = 1).await;
    world.api.limits.statement_timeout_ms = 100;
    let (status, body) = world.get(&anon(), "/slow").await;
    let said = r#"{"code":"57014","details":null,"hint":null,"message":"canceling statement due to statement timeout"}"#;
    assert_eq!((status, &*body), (500, said));
    assert_eq!(world.get(&anon(), "/marks").await, (200, "[]".to_owned()));
}

#[tokio::test]
async fn prepared_statements_are_kept_up_to_a_limit() {
    let limit = |options: &mut Options| {
        options.connections_max = 1;
        options.statements_max = 3;
    };
    let world = world("statements", limit).await;
    script(
        &world.owner().await,
        "create view kept as select count(*) as id from pg_prepared_statements where name like 'kept%'; grant select on kept to anon",
    )
    .await;
    let mut world = world;
    world.also(&format!("{SCHEMA} create table kept (id int primary key);"));
    for limit in 1..20 {
        let filters = "&id=gt.0".repeat(limit);
        assert_eq!(world.get(&anon(), &format!("/marks?select=id{filters}")).await.0, 200);
    }
    // Those of the limit, and the one in hand.
    let (status, body) = world.get(&anon(), "/kept").await;
    let kept: u32 = body.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap();
    assert!(status == 200 && (2..=4).contains(&kept), "{body}");
}

#[tokio::test]
async fn who_leaves_stops_what_was_asked() {
    let world = world("leavers", |options| options.connections_max = 1).await;
    let caller = anon();
    let asked = world.get(&caller, "/slow");
    assert!(tokio::time::timeout(Duration::from_millis(300), asked).await.is_err());
    assert!(comes_true(async || busy(&world).await == 0).await, "the server still works for nobody");
    let start = Instant::now();
    assert_eq!(world.get(&anon(), "/marks").await.0, 200);
    assert!(start.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn without_a_free_connection_one_waits_and_then_is_told() {
    let limit = |options: &mut Options| {
        options.connections_max = 1;
        options.acquire_timeout = Duration::from_millis(200);
        options.waiting_max = 1;
    };
    let world = world("crowds", limit).await;
    let slow = world.clone();
    let slow = tokio::spawn(async move { slow.get(&anon(), "/slow").await.0 });
    assert!(comes_true(async || busy(&world).await == 1).await);
    let caller = anon();
    let (first, second) = tokio::join!(world.get(&caller, "/marks"), world.get(&caller, "/marks"));
    let said = r#"{"code":"PGRST003","details":null,"hint":null,"message":"Timed out acquiring connection from connection pool."}"#;
    assert_eq!(first, (504, said.to_owned()));
    assert_eq!((second.0, second.1.contains("BP429")), (503, true), "{}", second.1);
    assert_eq!(slow.await.unwrap(), 200);
    assert_eq!(world.get(&anon(), "/marks").await.0, 200);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_said_to_be_unreachable() {
    let world = World::serve(&Options::new("postgres://nobody@127.0.0.1:1/none"), SCHEMA, String::new());
    let (status, body) = world.get(&anon(), "/marks").await;
    let said = r#"{"code":"PGRST000","details":null,"hint":null,"message":"Database connection error. Retrying the connection."}"#;
    assert_eq!((status, &*body), (503, said));
}

/// Writes while the server is killed and comes back: what was answered `201` is there, and nothing needs a restart of ours.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_loses_no_write_that_was_answered() {
    let own = Own::start("restart");
    let owner = session(&own.url("postgres")).await;
    script(&owner, FOUNDATION).await;
    script(&owner, SCHEMA).await;
    let mut options = Options::new(own.url("authenticator"));
    options.connections_max = 4;
    let world = World::serve(&options, SCHEMA, own.url("postgres"));
    let (stop, next) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(1)));
    let writers: Vec<_> = (0..6)
        .map(|_| {
            let (world, stop, next) = (world.clone(), stop.clone(), next.clone());
            tokio::spawn(async move { written(&world, &stop, &next).await })
        })
        .collect();
    let enough = async |more: u64| {
        let from = next.load(Ordering::Relaxed);
        assert!(comes_true(async || next.load(Ordering::Relaxed) > from + more).await);
    };
    for mode in ["immediate", "fast"] {
        enough(200).await;
        own.control(&["-m", mode, "restart"]);
    }
    enough(200).await;
    stop.store(true, Ordering::Relaxed);
    let (mut answered, mut refused) = (Vec::new(), 0);
    for writer in writers {
        let (ids, refusals) = writer.await.unwrap();
        answered.extend(ids);
        refused += refusals;
    }
    let owner = session(&own.url("postgres")).await;
    let rows = owner.query("select id from marks", &[]).await.unwrap();
    let stored: std::collections::HashSet<i64> = rows.iter().map(|row| row.get(0)).collect();
    let lost: Vec<_> = answered.iter().filter(|id| !stored.contains(id)).collect();
    assert_eq!(lost, Vec::<&i64>::new(), "answered and not there");
    assert!(refused > 0 && answered.len() > 300, "{refused} refused, {} answered", answered.len());
}

/// The ids that were answered `201`, and how many were refused for want of a server.
async fn written(world: &World, stop: &AtomicBool, next: &AtomicU64) -> (Vec<i64>, u64) {
    let (mut answered, mut refused) = (Vec::new(), 0);
    while !stop.load(Ordering::Relaxed) {
        let id = i64::try_from(next.fetch_add(1, Ordering::Relaxed)).unwrap();
        let (status, body) = said(world.ask(&anon(), "POST /marks", &[], &format!(r#"{{"id":{id}}}"#)).await);
        if status == 201 {
            answered.push(id);
            continue;
        }
        let known = ["08007", "PGRST000", "PGRST001", "57P01", "57P02", "57P03"]
            .iter()
            .any(|code| body.contains(code));
        assert!(status == 503 && known, "{status} {body}");
        refused += 1;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    (answered, refused)
}
