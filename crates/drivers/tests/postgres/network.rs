//! The network between us and the database breaks: what was answered is so, what nobody knows is said to be unknown, and
//! nothing needs a restart of ours.

use std::net::ToSocketAddrs;
use std::time::{Duration, Instant};

use drivers::postgres::Options;
use testkit::faults::proxy::{Fault, Proxy, Way, Weather};

use crate::world::{World, anon, said};

const SCHEMA: &str = "create table marks (id bigint primary key, note text);";

/// A database behind a proxy.
async fn world(test: &str, limit: impl FnOnce(&mut Options)) -> (World, Proxy) {
    let direct = World::new(test, SCHEMA).await;
    let authority = direct.url.split_once('@').and_then(|(_, rest)| rest.split_once('/')).unwrap().0;
    let server = authority.to_socket_addrs().unwrap().next().unwrap();
    let proxy = Proxy::start(server).await.unwrap();
    let url =
        direct.url.replace(authority, &proxy.address.to_string()).replace("postgres@", "authenticator@");
    let mut options = Options::new(url);
    options.connections_max = 1;
    options.acquire_timeout = Duration::from_secs(2);
    limit(&mut options);
    (World::serve(&options, SCHEMA, direct.url), proxy)
}

/// Writes a row; the status and the code.
async fn write(world: &World, id: i64) -> (u16, String) {
    let (status, body) =
        said(world.ask(&anon(), "POST /marks", &[], &format!(r#"{{"id":{id},"note":"n"}}"#)).await);
    (status, code(&body))
}

async fn read(world: &World) -> (u16, String) {
    let (status, body) = world.get(&anon(), "/marks?select=id&limit=1").await;
    (status, code(&body))
}

fn code(body: &str) -> String {
    let found = body.split_once(r#""code":""#).and_then(|(_, rest)| rest.split_once('"'));
    found.map_or_else(String::new, |(code, _)| code.to_owned())
}

async fn is_there(world: &World, id: i64) -> bool {
    world.owner().await.query_opt("select from marks where id = $1", &[&id]).await.unwrap().is_some()
}

/// Every part of a write is cut once, both ways. What was answered is there, what was refused is not, and only of a commit
/// without an answer nobody knows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_is_cut_anywhere_is_told_as_it_is() {
    let (world, proxy) = world("cuts", |_| {}).await;
    let mut id = 0;
    let mut next = || {
        id += 1;
        id
    };
    assert_eq!(write(&world, next()).await.0, 201);
    proxy.set(Weather::default());
    assert_eq!(write(&world, next()).await.0, 201);
    let whole = [Way::Up, Way::Down].map(|way| (way, proxy.passed(way)));
    let (mut unknown, mut there, mut refused) = (0, 0, 0);
    for (way, bytes) in whole {
        for fault in [Fault::Cut, Fault::HalfClosed] {
            for cut in (0..=bytes).step_by(usize::try_from(bytes / 24).unwrap().max(1)) {
                let row = next();
                // The same connection has the same statements: the write passes the same bytes as before.
                proxy.set(Weather::default());
                assert_eq!(write(&world, next()).await.0, 201, "before {way:?} {cut} {fault:?}");
                proxy.set(Weather { after: Some((way, cut, fault)), ..Weather::default() });
                let answer = write(&world, row).await;
                proxy.set(Weather::default());
                proxy.cut();
                match (answer.0, &*answer.1) {
                    (201, "") => assert!(
                        is_there(&world, row).await,
                        "{way:?} {cut} {fault:?}: answered and not there"
                    ),
                    (503, "08007") => {
                        unknown += 1;
                        there += u32::from(is_there(&world, row).await);
                    }
                    (503, "PGRST000" | "PGRST001") => {
                        refused += 1;
                        assert!(!is_there(&world, row).await, "{way:?} {cut} {fault:?}: refused and there");
                    }
                    other => panic!("{way:?} {cut} {fault:?}: {other:?}"),
                }
            }
        }
    }
    assert!(refused > 0 && unknown > 0, "{refused} refused, {unknown} unknown");
    assert!((1..unknown).contains(&there), "of {unknown} unknown ones {there} are there: both happens");
    assert_eq!(read(&world).await, (200, String::new()));
}

/// Silence: nothing is answered, nothing is refused. A request ends in its time, and says what it knows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_ends_with_the_time_of_a_request() {
    let (mut world, proxy) = world("silence", |_| {}).await;
    world.api.limits.statement_timeout_ms = 200;
    assert_eq!(write(&world, 1).await.0, 201);
    proxy.set(Weather::default());
    assert_eq!(write(&world, 2).await.0, 201);
    let up = proxy.passed(Way::Up);
    assert_eq!(read(&world).await.0, 200);
    let begun = Instant::now();
    proxy.set(Weather { after: Some((Way::Up, 0, Fault::Silence)), ..Weather::default() });
    assert_eq!(read(&world).await, (504, "BP504".to_owned()));
    // One who waits for a connection that cannot be made has another time.
    let (status, code) = read(&world).await;
    assert!(matches!((status, &*code), (503, "PGRST000") | (504, "PGRST003")), "{status} {code}");
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    proxy.set(Weather::default());
    proxy.cut();
    assert_eq!(write(&world, 3).await.0, 201);
    // The commit is the last that is sent.
    proxy.set(Weather { after: Some((Way::Up, up - 1, Fault::Silence)), ..Weather::default() });
    assert_eq!(write(&world, 4).await, (503, "08007".to_owned()));
    proxy.set(Weather::default());
    proxy.cut();
    assert_eq!(read(&world).await.0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_cannot_connect_says_so_and_connects_when_it_can() {
    let (world, proxy) = world("refusing", |_| {}).await;
    assert_eq!(read(&world).await.0, 200);
    proxy.set(Weather { refuses: true, ..Weather::default() });
    proxy.cut();
    for _ in 0..3 {
        assert_eq!(read(&world).await, (503, "PGRST000".to_owned()));
        assert_eq!(write(&world, 1).await, (503, "PGRST000".to_owned()));
    }
    proxy.set(Weather::default());
    assert_eq!(write(&world, 1).await.0, 201);
}

/// A read whose statement is known is one round trip, a write is two: far from the database this is what counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_known_read_is_one_round_trip() {
    let (world, proxy) = world("distance", |_| {}).await;
    assert_eq!((read(&world).await.0, write(&world, 1).await.0), (200, 201));
    let delay = Duration::from_millis(60);
    proxy.set(Weather { delay, ..Weather::default() });
    let trips = |begun: Instant| begun.elapsed().as_secs_f64() / (2.0 * delay.as_secs_f64());
    // The quickest of several: a busy machine only adds to what the way takes.
    let (mut quickest_read, mut quickest_write) = (f64::MAX, f64::MAX);
    for id in 2..10 {
        let begun = Instant::now();
        assert_eq!(read(&world).await.0, 200);
        quickest_read = quickest_read.min(trips(begun));
        let begun = Instant::now();
        assert_eq!(write(&world, id).await.0, 201);
        quickest_write = quickest_write.min(trips(begun));
    }
    let (read, written) = (quickest_read, quickest_write);
    assert!(read < 1.9, "a read took {read} round trips");
    assert!(written < 2.9, "a write took {written} round trips");
}

/// Connections are cut all the time under load; what was answered is there, and nothing is written twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_load_no_cut_loses_what_was_answered() {
    let (world, proxy) = world("chopping", |options| options.connections_max = 4).await;
    let writers = (0..6_i64).map(|writer| {
        let world = world.clone();
        tokio::spawn(async move {
            let mut answered = Vec::new();
            for number in 0..60 {
                let id = writer * 1_000 + number;
                let (status, code) = write(&world, id).await;
                match (status, &*code) {
                    (201, "") => answered.push(id),
                    (503, "08007" | "PGRST000" | "PGRST001") => {}
                    other => panic!("{other:?}"),
                }
            }
            answered
        })
    });
    let writers: Vec<_> = writers.collect();
    let mut cuts = 0;
    while writers.iter().any(|writer| !writer.is_finished()) {
        tokio::time::sleep(Duration::from_millis(120)).await;
        proxy.cut();
        cuts += 1;
    }
    let mut answered = Vec::new();
    for writer in writers {
        answered.extend(writer.await.unwrap());
    }
    for id in &answered {
        assert!(is_there(&world, *id).await, "{id} was answered and is not there");
    }
    assert!(cuts > 0 && answered.len() > 20, "{cuts} cuts, {} answered", answered.len());
    assert_eq!(read(&world).await.0, 200);
}
