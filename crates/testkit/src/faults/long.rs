//! Long replies: the server's memory does not grow with them, whether clients take them quickly, slowly, or not at all.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::Settings;
use super::ledger::id;
use super::project::{Endpoint, PATIENCE, POLL, Project, Running};

/// Rows, and bytes of each: of a row's text; together they are nearly as long as a reply may be.
const ROWS: u64 = 900;
const ROW_BYTES: usize = 64 << 10;

/// Rows of one request.
const TOGETHER: u64 = 15;

/// Megabytes that the server's own memory may grow by while it answers five replies of 56 MB: caches of its readers, a buffer for
/// each reply, and what its allocator keeps; two of the replies would be more.
const GROWTH_MB_MAX: f64 = 96.0;

/// Clients that take nothing of their answer.
const IDLERS: usize = 4;

/// What a client sees of a reply before it stops reading.
const BEGINNING_BYTES: usize = 64 << 10;

/// How often memory is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// Runs the scenario.
///
/// # Errors
/// Memory that grows, a reply that is not whole, a file that stays.
pub fn run(settings: &Settings) -> Result<String, String> {
    let project = Project::create(&settings.folder, &settings.binary)?;
    let mut server = project.start()?;
    let user = project.sign_up(&mut server)?;
    fill(&server.at)?;
    // What the writes took is not what replies take.
    server.stop()?;
    let server = project.start_for(&user)?;
    // The first one warms up what every request needs.
    server.at.get("/rest/v1/entries?limit=1")?;
    let idle = server.own_memory()?;
    let mut peak = idle;
    for _ in 0..settings.cycles {
        peak = peak.max(while_looking(&server, || whole(&server.at))?);
        peak = peak.max(while_looking(&server, || idlers(&server))?);
    }
    server.stop()?;
    if peak - idle > GROWTH_MB_MAX {
        return Err(format!("the server's own memory grew from {idle:.1} to {peak:.1} MB"));
    }
    let megabytes = (ROWS * u64::try_from(ROW_BYTES).unwrap_or_default()) >> 20;
    Ok(format!(
        "replies of {megabytes} MB, {} at a time: own memory grew from {idle:.1} to {peak:.1} MB; no file is left",
        IDLERS + 1
    ))
}

fn fill(at: &Endpoint) -> Result<(), String> {
    let note = "n".repeat(ROW_BYTES);
    for first in (0..ROWS).step_by(usize::try_from(TOGETHER).unwrap_or(1)) {
        let rows: Vec<String> = (first..first + TOGETHER)
            .map(|unit| {
                format!(r#"{{"id":"{}","unit":{unit},"part":0,"value":1,"note":"{note}"}}"#, id(unit, 0))
            })
            .collect();
        let answer = at.answer(&at.ask("POST", "/rest/v1/entries", format!("[{}]", rows.join(","))))?;
        if answer.status != 201 {
            return Err(format!("a seed was answered {}: {}", answer.status, answer.body));
        }
    }
    Ok(())
}

/// A client that takes all of it.
fn whole(at: &Endpoint) -> Result<(), String> {
    let mut stream = open(at)?;
    let (mut bytes, mut notes) = (vec![0; 1 << 20], 0);
    loop {
        let read = stream.read(&mut bytes).map_err(|error| error.to_string())?;
        if read == 0 {
            break;
        }
        notes += bytes.iter().take(read).filter(|byte| **byte == b'n').count();
    }
    let least = usize::try_from(ROWS).unwrap_or_default() * ROW_BYTES;
    if notes < least { Err(format!("{notes} of {least} bytes came")) } else { Ok(()) }
}

/// Clients that read no further than the beginning, while another one is answered; all go away then.
fn idlers(server: &Running) -> Result<(), String> {
    let mut idlers = Vec::new();
    for _ in 0..IDLERS {
        let mut stream = open(&server.at)?;
        let mut beginning = vec![0; BEGINNING_BYTES];
        stream.read_exact(&mut beginning).map_err(|error| error.to_string())?;
        idlers.push(stream);
    }
    whole(&server.at)?;
    if server.unnamed_files()? < IDLERS {
        return Err("long replies are not files".to_owned());
    }
    drop(idlers);
    let begun = Instant::now();
    while server.unnamed_files()? > 0 {
        if begun.elapsed() > PATIENCE {
            return Err("the file of a reply outlives its client".to_owned());
        }
        std::thread::sleep(POLL);
    }
    Ok(())
}

/// Asks for all rows, over a connection that ends with the answer.
fn open(at: &Endpoint) -> Result<TcpStream, String> {
    let failed = |error: std::io::Error| error.to_string();
    let ask = at.ask("GET", "/rest/v1/entries?order=unit", String::new());
    let mut stream = TcpStream::connect(at.address).map_err(failed)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    let headers: String = ask.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head =
        format!("{} {} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n{headers}\r\n", ask.method, ask.target);
    stream.write_all(head.as_bytes()).map_err(failed)?;
    Ok(stream)
}

/// Does something; the most of the server's own memory meanwhile, in megabytes.
fn while_looking(server: &Running, work: impl FnOnce() -> Result<(), String>) -> Result<f64, String> {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let looking = scope.spawn(|| {
            let mut peak = 0.0_f64;
            while !done.load(Ordering::Relaxed) {
                peak = peak.max(server.own_memory()?);
                std::thread::sleep(LOOK);
            }
            Ok::<f64, String>(peak)
        });
        let outcome = work();
        done.store(true, Ordering::Relaxed);
        let peak = looking.join().map_err(|_| "the look-out panicked".to_owned())?;
        outcome.and(peak)
    })
}
