//! Connections: how many, how long, how they end.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::testing::{Folder, app_of};

struct Running {
    app: Arc<App>,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
    folder: Folder,
}

async fn running(config: &str) -> Running {
    let folder = Folder::of(&[("schema.sql", "create table notes (id int);"), ("config.toml", config)]);
    let app = app_of(&folder).await;
    let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let served = app.clone();
    let server = tokio::spawn(async move {
        serve(&served, listener, async {
            let _ = stopped.await;
        })
        .await;
    });
    Running { app, address, stop, server, folder }
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }
}

/// What comes until the other end closes or enough is there.
async fn read_until(stream: &mut TcpStream, wanted: &str) -> String {
    let mut found = Vec::new();
    let mut part = [0; 4096];
    loop {
        let count = stream.read(&mut part).await.unwrap_or(0);
        found.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&found).into_owned();
        if count == 0 || (!wanted.is_empty() && text.contains(wanted)) {
            return text;
        }
    }
}

const ALIVE: &str = r#"{"status":"alive"}"#;

#[tokio::test]
async fn a_connection_serves_one_request_after_the_other() {
    let server = running("").await;
    let mut stream = server.connect().await;
    for _ in 0..3 {
        stream.write_all(b"GET /livez HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        assert!(read_until(&mut stream, ALIVE).await.starts_with("HTTP/1.1 200 OK"));
    }
}

#[tokio::test]
async fn heads_that_are_too_long_are_refused_before_they_are_read() {
    let server = running("").await;
    for (head, status) in [
        (format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "a".repeat(66_000)), "414"),
        (format!("GET /livez HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "a".repeat(100_000)), "431"),
    ] {
        let mut stream = server.connect().await;
        // The server may have closed before everything was sent.
        let _ = stream.write_all(head.as_bytes()).await;
        let answer = read_until(&mut stream, "\r\n\r\n").await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
}

#[tokio::test]
async fn f5_a_head_that_does_not_come_ends_the_connection() {
    let server = running("[server]\nhead_timeout = \"100ms\"\n").await;
    for part in ["", "GET /livez HTTP/1.1\r\nhos"] {
        let mut stream = server.connect().await;
        stream.write_all(part.as_bytes()).await.unwrap();
        assert!(!read_until(&mut stream, "").await.contains("200 OK"));
    }
}

#[tokio::test]
async fn f5_a_body_that_does_not_come_ends_the_request() {
    let server = running("[limits]\nrequest_timeout_ms = 100\n").await;
    let mut stream = server.connect().await;
    stream.write_all(b"POST /rest/v1/notes HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n{").await.unwrap();
    assert!(read_until(&mut stream, "\r\n\r\n").await.starts_with("HTTP/1.1 504"));
}

#[tokio::test]
async fn f5_an_answer_that_nobody_takes_is_given_up() {
    let server = running("[server]\nstatic_dir = \".\"\nwrite_timeout = \"100ms\"\n").await;
    server.folder.write("large.txt", &"a".repeat(64 << 20));
    let mut stream = server.connect().await;
    stream.write_all(b"GET /app/large.txt HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    stream.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    while server.app.metrics.text(0).contains("backplane_connections 1") {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn f6_connections_beyond_the_limit_wait_their_turn() {
    let server = running("[limits]\nconnections_max = 1\n").await;
    let ask = b"GET /livez HTTP/1.1\r\nhost: a\r\n\r\n";
    let mut first = server.connect().await;
    first.write_all(ask).await.unwrap();
    read_until(&mut first, ALIVE).await;
    let mut second = server.connect().await;
    second.write_all(ask).await.unwrap();
    let early = tokio::time::timeout(Duration::from_millis(100), read_until(&mut second, ALIVE)).await;
    assert!(early.is_err(), "{early:?}");
    drop(first);
    assert!(read_until(&mut second, ALIVE).await.contains("200 OK"));
}

#[tokio::test]
async fn at_the_end_what_runs_is_finished_and_nothing_new_begins() {
    let server = running("").await;
    let mut idle = server.connect().await;
    let mut stream = server.connect().await;
    stream.write_all(b"POST /rest/v1/notes HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n").await.unwrap();
    idle.write_all(b"GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let metrics = read_until(&mut idle, "backplane_connections 2").await;
    assert!(metrics.contains("http_server_active_requests 2"), "{metrics}");
    server.stop.send(()).unwrap();
    while server.app.stage() == crate::app::Stage::Ready {
        tokio::task::yield_now().await;
    }
    stream.write_all(b"{}").await.unwrap();
    let answer = read_until(&mut stream, "").await;
    assert!(answer.starts_with("HTTP/1.1 ") && answer.contains("connection: close"), "{answer}");
    server.server.await.unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
    server.app.close();
}

#[tokio::test]
async fn a_port_that_is_taken_is_said_so() {
    let taken = bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let address = taken.local_addr().unwrap();
    let error = bind(address).await.unwrap_err();
    assert_eq!(error.message(), format!("could not listen on {address}: another program listens there"));
    assert!(error.hint().is_some());
}
