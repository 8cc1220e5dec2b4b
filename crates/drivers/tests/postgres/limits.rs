//! Limits and faults: no connection free, statements that take too long, callers that leave, a server that restarts.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use drivers::postgres::Options;

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

/// A server of the test's own, which it may stop.
struct Own {
    folder: std::path::PathBuf,
    port: u16,
}

impl Own {
    fn start() -> Own {
        let folder = std::env::temp_dir().join(format!("backplane-own-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let own = Own { folder, port };
        let words = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N", "-D"];
        let data = own.data();
        run(program("initdb").args(words).arg(&data));
        own.control(&["start"]);
        own
    }

    fn data(&self) -> std::path::PathBuf {
        self.folder.join("data")
    }

    fn control(&self, words: &[&str]) {
        let settings = format!(
            "-c listen_addresses=127.0.0.1 -c port={} -c unix_socket_directories= -c max_connections=20",
            self.port
        );
        let mut command = program("pg_ctl");
        command.arg("-D").arg(self.data()).arg("-l").arg(self.folder.join("log"));
        run(command.args(["-w", "-s", "-o", &settings]).args(words));
    }

    fn url(&self, user: &str) -> String {
        format!("postgres://{user}@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.control(&["-m", "immediate", "stop"]);
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// PostgreSQL refuses to run as root; in a user namespace that maps root to another user it does not notice.
fn program(name: &str) -> Command {
    let newest = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = newest.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()).max();
    let path = newest.map_or(name.to_owned(), |version| format!("/usr/lib/postgresql/{version}/bin/{name}"));
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    if !is_root {
        return Command::new(path);
    }
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-user=1000", "--map-group=1000"]).arg(path);
    command
}

fn run(command: &mut Command) {
    let nothing = std::process::Stdio::null;
    let status = command.stdin(nothing()).stdout(nothing()).stderr(nothing()).status().unwrap();
    assert!(status.success(), "{command:?}");
}

/// Writes while the server is killed and comes back: what was answered `201` is there, and nothing needs a restart of ours.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_loses_no_write_that_was_answered() {
    let own = Own::start();
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
        let known =
            ["PGRST000", "PGRST001", "57P01", "57P02", "57P03"].iter().any(|code| body.contains(code));
        assert!(status == 503 && known, "{status} {body}");
        refused += 1;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    (answered, refused)
}
