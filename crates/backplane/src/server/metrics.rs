//! What is counted, in Prometheus' text format. Every label is one of a few words of ours: never a path, never a person.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use auth::gateway::SERVICE_ROLE;
use auth::{Credentials, Kind};
use axum::extract::Request;
use axum::response::Response;

use super::{Area, Peer, reply};
use crate::app::App;
use crate::settings::MetricsAccess;

/// Upper ends of the histogram's buckets, in microseconds.
const BUCKETS: [u64; 14] = [
    250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    10_000_000,
];

/// Statuses are three digits.
const STATUSES: usize = 600;

struct Counts {
    by_status: Vec<AtomicU64>,
    by_bucket: [AtomicU64; BUCKETS.len()],
    micros: AtomicU64,
}

impl Default for Counts {
    fn default() -> Counts {
        Counts {
            by_status: (0..STATUSES).map(|_| AtomicU64::new(0)).collect(),
            by_bucket: Default::default(),
            micros: AtomicU64::new(0),
        }
    }
}

/// The counters of a server.
#[derive(Default)]
pub struct Metrics {
    areas: [Counts; Area::ALL.len()],
    running: AtomicU64,
    connections: AtomicU64,
}

/// One more as long as it lives.
pub struct Held<'a>(&'a AtomicU64);

impl<'a> Held<'a> {
    fn new(count: &'a AtomicU64) -> Held<'a> {
        count.fetch_add(1, Ordering::Relaxed);
        Held(count)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Metrics {
    /// A request runs as long as this lives.
    pub fn begin(&self) -> Held<'_> {
        Held::new(&self.running)
    }

    /// A connection is open as long as this lives.
    pub fn connect(&self) -> Held<'_> {
        Held::new(&self.connections)
    }

    /// Counts a request that was answered.
    pub fn observe(&self, area: Area, status: u16, took: Duration) {
        let Some(counts) = self.of(area) else { return };
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        if let Some(count) = counts.by_status.get(usize::from(status)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(at) = BUCKETS.iter().position(|end| micros <= *end) {
            counts.by_bucket[at].fetch_add(1, Ordering::Relaxed);
        }
        counts.micros.fetch_add(micros, Ordering::Relaxed);
    }

    fn of(&self, area: Area) -> Option<&Counts> {
        Area::ALL.iter().position(|found| *found == area).and_then(|at| self.areas.get(at))
    }

    /// All counters as text, with the number of writes that wait for their turn.
    pub fn text(&self, writes_waiting: usize) -> String {
        let mut out = String::with_capacity(8 << 10);
        // Writing to a `String` cannot fail.
        let _ = self.write(&mut out, writes_waiting);
        out
    }

    fn write(&self, out: &mut String, writes_waiting: usize) -> std::fmt::Result {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        head(out, "http_server_active_requests", "gauge", "Requests that run.")?;
        writeln!(out, "http_server_active_requests {}", read(&self.running))?;
        head(out, "backplane_connections", "gauge", "Open client connections.")?;
        writeln!(out, "backplane_connections {}", read(&self.connections))?;
        head(out, "backplane_writes_waiting", "gauge", "Writes that wait for the writer.")?;
        writeln!(out, "backplane_writes_waiting {writes_waiting}")?;
        if let Some(bytes) = resident_bytes() {
            head(out, "process_resident_memory_bytes", "gauge", "Memory in use.")?;
            writeln!(out, "process_resident_memory_bytes {bytes}")?;
        }
        head(out, "backplane_http_requests_total", "counter", "Requests that were answered.")?;
        for (area, counts) in Area::ALL.iter().zip(&self.areas) {
            for (status, count) in counts.by_status.iter().enumerate().filter(|(_, count)| read(count) > 0) {
                let route = area.name();
                writeln!(
                    out,
                    "backplane_http_requests_total{{http_route=\"{route}\",http_response_status_code=\"{status}\"}} {}",
                    read(count)
                )?;
            }
        }
        const DURATION: &str = "http_server_request_duration_seconds";
        head(out, DURATION, "histogram", "How long requests took.")?;
        for (area, counts) in Area::ALL.iter().zip(&self.areas) {
            let (route, all) = (area.name(), counts.by_status.iter().map(read).sum::<u64>());
            let mut below = 0;
            for (end, count) in BUCKETS.iter().zip(&counts.by_bucket) {
                below += read(count);
                writeln!(
                    out,
                    "{DURATION}_bucket{{http_route=\"{route}\",le=\"{}\"}} {below}",
                    seconds(*end)
                )?;
            }
            writeln!(out, "{DURATION}_bucket{{http_route=\"{route}\",le=\"+Inf\"}} {all}")?;
            writeln!(out, "{DURATION}_sum{{http_route=\"{route}\"}} {}", seconds(read(&counts.micros)))?;
            writeln!(out, "{DURATION}_count{{http_route=\"{route}\"}} {all}")?;
        }
        Ok(())
    }
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) -> std::fmt::Result {
    writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}")
}

fn seconds(micros: u64) -> f64 {
    Duration::from_micros(micros).as_secs_f64()
}

/// The resident memory of this process, where the system says it.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// `/metrics`
pub(super) fn serve(app: &App, request: Request) -> Response {
    let may_read = match app.settings.server_metrics {
        MetricsAccess::Off => false,
        MetricsAccess::Open => true,
        MetricsAccess::Local => is_local(&request) || is_trusted(app, &request),
    };
    if !may_read {
        return reply::nowhere(request);
    }
    reply::respond(
        200,
        [("content-type", "text/plain; version=0.0.4; charset=utf-8")],
        app.metrics.text(app.writes_waiting()),
    )
}

/// Headers that a proxy adds: behind one, everybody seems to be on this machine.
const PROXIES: &[&str] = &["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/// Whether the request comes from this machine, or from within the process.
fn is_local(request: &Request) -> bool {
    let peer = request.extensions().get::<Peer>();
    peer.is_none_or(|peer| peer.0.ip().to_canonical().is_loopback())
        && !PROXIES.iter().any(|name| request.headers().contains_key(*name))
}

/// Whether the caller is the project's own server.
fn is_trusted(app: &App, request: &Request) -> bool {
    let headers = request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let caller = app.gateway.identify(Credentials::of_headers(headers), app.clock.now_unix());
    caller.is_ok_and(|caller| caller.kind == Kind::Secret || &*caller.role == SERVICE_ROLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_add_up() {
        let metrics = Metrics::default();
        for micros in [100, 400, 3_000, 60_000_000] {
            metrics.observe(Area::Rest, 200, Duration::from_micros(micros));
        }
        metrics.observe(Area::Rest, 404, Duration::from_micros(1));
        let running = metrics.begin();
        let text = metrics.text(3);
        drop(running);
        for line in [
            "http_server_active_requests 1",
            "backplane_writes_waiting 3",
            "backplane_http_requests_total{http_route=\"/rest/v1\",http_response_status_code=\"200\"} 4",
            "backplane_http_requests_total{http_route=\"/rest/v1\",http_response_status_code=\"404\"} 1",
            "http_server_request_duration_seconds_bucket{http_route=\"/rest/v1\",le=\"0.00025\"} 2",
            "http_server_request_duration_seconds_bucket{http_route=\"/rest/v1\",le=\"10\"} 4",
            "http_server_request_duration_seconds_bucket{http_route=\"/rest/v1\",le=\"+Inf\"} 5",
            "http_server_request_duration_seconds_count{http_route=\"/auth/v1\"} 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(metrics.text(3).contains("http_server_active_requests 0"));
    }
}
