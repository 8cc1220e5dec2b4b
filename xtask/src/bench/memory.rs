//! How much memory the server takes while it answers ten thousand, a hundred thousand, a million rows.
//!
//! Looked at is what the process cannot give back: its own pages. Those of the database's file that SQLite has mapped are the
//! operating system's.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::process::Process;
use super::target::{self, Target};
use super::{SETTLE, books, emptied};
use crate::engines;
use crate::run::{Result, output};

/// Rows of the replies.
const ROWS: &[u64] = &[10_000, 100_000, 1_000_000];

/// Rows of one request of the seed.
const SEED_ROWS: u64 = 50_000;

/// How often memory is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// No reply takes longer.
const TIMEOUT: Duration = Duration::from_secs(300);

/// Limits under which such replies are given.
const LIMITS: &[(&str, &str)] = &[
    ("BACKPLANE_LIMITS_ROWS_MAX", "1000000"),
    ("BACKPLANE_LIMITS_REPLY_BYTES_MAX", "4000000000"),
    ("BACKPLANE_LIMITS_BODY_BYTES_MAX", "100000000"),
    ("BACKPLANE_LIMITS_STATEMENT_TIMEOUT_MS", "120000"),
    ("BACKPLANE_LIMITS_SERVICE_STATEMENT_TIMEOUT_MS", "120000"),
    ("BACKPLANE_LIMITS_REQUEST_TIMEOUT_MS", "120000"),
];

/// Measures and says what was found.
pub(super) fn run(binaries: &Path, folder: &Path, is_native: bool) -> Result<String> {
    let engine = folder.with_file_name("bench-engine");
    emptied(folder)?;
    let mut settings: Vec<_> = LIMITS.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    if !is_native {
        return measured(binaries, folder, settings, None);
    }
    // What a run that was stopped left behind.
    let _stopped = engines::down(&engine);
    emptied(&engine)?;
    let line = engines::up(&engine)?;
    let url = line.split_once('=').map_or("", |(_, url)| url).to_owned();
    settings.push(("BACKPLANE_ENGINE_URL", url.clone()));
    let found = measured(binaries, folder, settings, Some(&url));
    engines::down(&engine)?;
    found
}

fn measured(
    binaries: &Path,
    folder: &Path,
    settings: Vec<(&'static str, String)>,
    url: Option<&str>,
) -> Result<String> {
    let (mut server, user) = target::backplane(&binaries.join("backplane"), folder, settings)?;
    fill(&server, &user, url)?;
    // What the seed took is not what the replies take.
    server.stop()?;
    server.start()?;
    std::thread::sleep(SETTLE);
    let process = server.process()?;
    let idle = process.own_memory()?;
    let mut out = format!("rows of a reply    MB of it   seconds   own memory, MB: idle {idle:.1}\n");
    for &rows in ROWS {
        let begun = Instant::now();
        let (bytes, peak) = while_looking(&process, || read(&server, rows))?;
        let seconds = begun.elapsed().as_secs_f64();
        let megabytes = bytes / (1024.0 * 1024.0);
        let _ = writeln!(out, "{rows:>15} {megabytes:>11.1} {seconds:>9.2}   peak {peak:.1}");
    }
    let _ = writeln!(out, "resident peak with mapped files, MB: {:.1}", process.memory()?.peak);
    server.stop()?;
    Ok(out)
}

/// A million books: over HTTP, or by PostgreSQL itself.
fn fill(server: &Target, user: &str, url: Option<&str>) -> Result<()> {
    let rows = ROWS.last().copied().unwrap_or_default();
    server.seed_authors()?;
    if let Some(url) = url {
        let text = format!(
            "INSERT INTO books (author_id, owner_id, title, year, price, published, summary) SELECT 1 + n % 1000, '{user}', 'Book ' || n, 1960 + n % 60, 12.50, true, repeat('a wave ', 15) FROM generate_series(1, {rows}) n; ANALYZE"
        );
        return output(Command::new("psql").args([url, "-q", "-v", "ON_ERROR_STOP=1", "-c", &text]))
            .map(drop);
    }
    for first in (1..=rows).step_by(usize::try_from(SEED_ROWS).unwrap_or(1)) {
        let body: serde_json::Value = (first..first + SEED_ROWS).map(|id| books::book(id, user)).collect();
        server.ask_as_service("POST", server.routes.books, &body.to_string(), 201)?;
    }
    Ok(())
}

/// Reads so many rows and throws them away; how many bytes they were.
fn read(server: &Target, rows: u64) -> Result<f64> {
    let failed = |error: std::io::Error| format!("a reply of {rows} rows: {error}");
    let mut stream = TcpStream::connect(server.address).map_err(failed)?;
    stream.set_read_timeout(Some(TIMEOUT)).map_err(failed)?;
    let head = format!(
        "GET {}?order=id&limit={rows} HTTP/1.0\r\nHost: bench\r\n{}\r\n",
        server.routes.books, server.service_headers
    );
    stream.write_all(head.as_bytes()).map_err(failed)?;
    let (mut piece, mut start, mut bytes, mut objects) = (vec![0; 1 << 20], Vec::new(), 0_usize, 0_usize);
    loop {
        let read = stream.read(&mut piece).map_err(failed)?;
        let Some(new) = piece.get(..read).filter(|new| !new.is_empty()) else { break };
        start.extend(new.iter().take(400_usize.saturating_sub(start.len())));
        bytes += read;
        objects += new.iter().filter(|byte| **byte == b'{').count();
    }
    let start = String::from_utf8_lossy(&start);
    let is_whole = start.split_whitespace().nth(1) == Some("200")
        && u64::try_from(objects) == Ok(rows)
        && start.contains(&format!("0-{}/*", rows - 1));
    if !is_whole {
        return Err(format!("a reply of {objects} rows instead of {rows}: {start}"));
    }
    #[expect(clippy::cast_precision_loss, reason = "for a table")]
    Ok(bytes as f64)
}

/// Does something and looks at the memory of a process meanwhile; the most of it.
fn while_looking<T>(process: &Process, work: impl FnOnce() -> Result<T>) -> Result<(T, f64)> {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let looking = scope.spawn(|| {
            let mut peak = 0.0_f64;
            while !done.load(Ordering::Relaxed) {
                peak = peak.max(process.own_memory()?);
                std::thread::sleep(LOOK);
            }
            Ok::<f64, String>(peak)
        });
        let outcome = work();
        done.store(true, Ordering::Relaxed);
        let peak = looking.join().map_err(|_| "the look-out panicked".to_owned())??;
        Ok((outcome?, peak))
    })
}
