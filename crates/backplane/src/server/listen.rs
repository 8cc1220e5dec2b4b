//! The loop that takes connections, and its end.
//!
//! ```text
//! signal ─▶ /readyz says no ─▶ drain_delay ─▶ no more connections ─▶ what runs ends, at most drain_timeout ─▶ closed
//! ```
//!
//! A second signal ends the process at once.

use std::convert::Infallible;
use std::future::Future;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use types::{Code, Error, Result};

use super::Peer;
use super::patience::Patient;
use crate::app::App;

/// The longest request target that the HTTP library can hold.
pub const TARGET_BYTES_MAX: usize = 65_534;

/// How long to wait when the system has no file for one more connection.
const PAUSE: Duration = Duration::from_millis(50);

/// Listens on an address.
///
/// # Errors
/// `58030` in words for a port that is taken or not allowed.
pub async fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let (why, hint) = match error.kind() {
            ErrorKind::AddrInUse => {
                ("another program listens there", "Stop it, or choose another port with --listen.")
            }
            ErrorKind::PermissionDenied => {
                ("that is not allowed", "Ports below 1024 belong to the system's administrator.")
            }
            ErrorKind::AddrNotAvailable => {
                ("this machine does not have that address", "127.0.0.1 is always there.")
            }
            _ => ("", "Choose another address with --listen."),
        };
        let why = if why.is_empty() { error.to_string() } else { why.to_owned() };
        Error::new(Code::IO_ERROR, format!("could not listen on {address}: {why}")).with_hint(hint)
    })
}

/// Serves connections until `signal`, then ends what runs.
pub async fn serve(app: &Arc<App>, listener: TcpListener, signal: impl Future<Output = ()>) {
    let connections = Connections::new(app);
    let mut signal = pin!(signal);
    loop {
        tokio::select! {
            () = &mut signal => break,
            taken = connections.take(&listener) => if let Some((stream, peer, permit)) = taken {
                connections.serve(stream, peer, permit);
            },
        }
    }
    app.stop();
    tracing::info!("stopping: no more requests are taken");
    let delay = app.settings.server_drain_delay.0;
    if !delay.is_zero() {
        connections.serve_for(&listener, delay).await;
    }
    drop(listener);
    connections.drain().await;
}

struct Connections {
    app: Arc<App>,
    http: http1::Builder,
    places: Arc<Semaphore>,
    graceful: GracefulShutdown,
}

impl Connections {
    fn new(app: &Arc<App>) -> Connections {
        let limits = &app.settings.limits;
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new());
        http.header_read_timeout(app.settings.server_head_timeout.0);
        // The library wants at least 8 KiB.
        http.max_buf_size(
            (limits.url_bytes_max.min(TARGET_BYTES_MAX) + limits.header_bytes_max).max(8 << 10),
        );
        Connections {
            app: app.clone(),
            http,
            places: Arc::new(Semaphore::new(limits.connections_max.min(Semaphore::MAX_PERMITS))),
            graceful: GracefulShutdown::new(),
        }
    }

    /// The next connection, once there is a place for it. Those that wait are kept by the system.
    async fn take(&self, listener: &TcpListener) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
        let permit = self.places.clone().acquire_owned().await.ok()?;
        match listener.accept().await {
            Ok((stream, peer)) => Some((stream, peer, permit)),
            Err(error) => {
                if !matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) {
                    tracing::error!(%error, "a connection could not be taken");
                    tokio::time::sleep(PAUSE).await;
                }
                None
            }
        }
    }

    fn serve(&self, stream: TcpStream, peer: SocketAddr, permit: OwnedSemaphorePermit) {
        // Small answers shall not wait for more; a connection that refuses the option works without.
        let _ = stream.set_nodelay(true);
        let app = self.app.clone();
        let stream = TokioIo::new(Patient::new(stream, app.settings.server_write_timeout.0));
        let asked = app.clone();
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let app = asked.clone();
            // Moving it from hand to hand would cost more than its place.
            Box::pin(async move {
                Ok::<_, Infallible>(super::answer(app, Some(Peer(peer)), request.map(Body::new)).await)
            })
        });
        let connection = self.graceful.watch(self.http.serve_connection(stream, service));
        tokio::spawn(async move {
            let _open = app.metrics.connect();
            // A client that goes away in the middle is no news.
            let _ = connection.await;
            drop(permit);
        });
    }

    async fn serve_for(&self, listener: &TcpListener, time: Duration) {
        let mut end = pin!(tokio::time::sleep(time));
        loop {
            tokio::select! {
                () = &mut end => return,
                taken = self.take(listener) => if let Some((stream, peer, permit)) = taken {
                    self.serve(stream, peer, permit);
                },
            }
        }
    }

    /// Waits until every connection has ended what it runs.
    async fn drain(self) {
        let time = Duration::from_millis(self.app.settings.limits.drain_timeout_ms);
        if tokio::time::timeout(time, self.graceful.shutdown()).await.is_err() {
            tracing::warn!("some requests did not end in time");
        }
    }
}

/// Waits for the signal to end; a second one ends the process at once.
///
/// # Errors
/// `58030` when the system gives no signals.
pub fn signal() -> Result<impl Future<Output = ()>> {
    let failed =
        |error: std::io::Error| Error::new(Code::IO_ERROR, "could not wait for signals").with_cause(error);
    #[cfg(unix)]
    let mut terminate =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).map_err(failed)?;
    #[cfg(unix)]
    let mut interrupt =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt()).map_err(failed)?;
    let (send, receive) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        // Nobody waits when the server ended by itself.
        let _ = send.send(());
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        std::process::exit(130);
    });
    Ok(async move {
        let _ = receive.await;
    })
}

#[cfg(test)]
mod tests;
