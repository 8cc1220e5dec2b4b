//! The server on a PostgreSQL of its own, beside `pgbench` that sends the same statements to it.
//!
//! They are read from the log of that PostgreSQL: everything that the server sends for a request, from the identity to what is
//! taken back at the end, in as many pieces; and the request's own statement alone, by a superuser whom no policy stops.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use super::measure::{Figures, Load, Pace, median};
use super::pgbench::{self, Script, Sent};
use super::target::{self, Target};
use super::workload::{Shape, Workload};
use super::{books, emptied};
use crate::engines;
use crate::run::{Result, output};

/// As many as the widest load: the server has one for each of `wrk`'s, as `pgbench` has.
const CONNECTIONS: &str = "64";

/// The number that a request is looked at with: it must be no other value of it.
const SAMPLE: u64 = 1973;

/// Our rate, as a share of `pgbench`'s, that we aim at for point reads.
const AIM: f64 = 0.75;

/// What a request begins with: who asks.
const IDENTITY: &str = "set_config('role', $9";

/// What ends a write, which waits for the answers before.
const COMMIT: &str = "COMMIT";

/// Measures and says what was found.
pub(super) fn run(binaries: &Path, folder: &Path, pace: &Pace) -> Result<String> {
    let engine = folder.with_file_name("bench-engine");
    // What a run that was stopped left behind.
    let _stopped = engines::down(&engine);
    emptied(&engine)?;
    emptied(folder)?;
    let up = || Ok::<_, String>(engines::up(&engine)?.split_once('=').map_or("", |(_, url)| url).to_owned());
    // Ours and as many of theirs.
    sql(&up()?, "ALTER SYSTEM SET max_connections = 200")?;
    engines::down(&engine)?;
    let url = up()?;
    let measured = beside(binaries, folder, pace, &url, &engine);
    engines::down(&engine)?;
    measured
}

fn beside(binaries: &Path, folder: &Path, pace: &Pace, url: &str, engine: &Path) -> Result<String> {
    let settings = vec![
        ("BACKPLANE_ENGINE_URL", url.to_owned()),
        ("BACKPLANE_ENGINE_CONNECTIONS", CONNECTIONS.to_owned()),
    ];
    let (mut server, user) = target::backplane(&binaries.join("backplane"), folder, settings)?;
    server.seed(&user)?;
    sql(url, "VACUUM ANALYZE")?;
    server.check(&user)?;
    server.stop()?;
    sql(url, "ALTER ROLE postgres SET log_min_duration_statement = 0")?;
    server.start()?;
    let scripts: Vec<_> =
        pace.workloads().map(|workload| scripts(workload, &server, &user, engine)).collect::<Result<_>>()?;
    server.stop()?;
    sql(url, "ALTER ROLE postgres RESET log_min_duration_statement")?;
    server.start()?;
    let mut out = String::from(
        "workload         conns │  req/s  p50 ms  p99 ms  CPU µs │ same statements/s │ bare statement/s │ ratio   aim\n",
    );
    for (workload, [same, bare]) in pace.workloads().zip(&scripts) {
        for &connections in (pace.connections)(workload) {
            let load = Load { workload, connections, folder, user: &user };
            load.run(&server, 1)?;
            let (mut ours, mut theirs, mut plain) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..pace.rounds {
                ours.push(load.run(&server, pace.seconds)?);
                theirs.push(same.run(url, folder, connections, pace.seconds)?.0);
                plain.push(bare.run(url, folder, connections, pace.seconds)?.0);
            }
            let ours = median(ours).ok_or("no round")?;
            write(&mut out, workload, connections, &ours, [middle(theirs), middle(plain)])?;
        }
    }
    let memory = server.process()?.memory()?;
    server.stop()?;
    let _ = writeln!(out, "resident loaded, MB {:.1}; peak {:.1}", memory.resident, memory.peak);
    Ok(out)
}

fn write(
    out: &mut String,
    workload: &Workload,
    connections: u32,
    ours: &Figures,
    theirs: [f64; 2],
) -> Result<()> {
    let Figures { per_second, p50_ms, p99_ms, cpu_us, failed, .. } = ours;
    if *failed > 0 {
        return Err(format!("{}: {failed} requests failed", workload.name));
    }
    let aim = if workload.name == "point read" { format!("{:3.0} %", AIM * 100.0) } else { String::new() };
    let [same, bare] = theirs;
    let ratio = per_second / same * 100.0;
    let _ = writeln!(
        out,
        "{:<16} {connections:>5} │{per_second:>7.0} {p50_ms:>7.2} {p99_ms:>7.2} {cpu_us:>7.0} │ {same:>17.0} │ {bare:>16.0} │ {ratio:4.0} %  {aim}",
        workload.name
    );
    Ok(())
}

fn middle(mut rounds: Vec<f64>) -> f64 {
    rounds.sort_by(f64::total_cmp);
    rounds.get(rounds.len() / 2).copied().unwrap_or_default()
}

/// What the server sends for a request of a workload, as scripts: all of it, and the statement alone.
fn scripts(workload: &Workload, server: &Target, user: &str, engine: &Path) -> Result<[Script; 2]> {
    let log = engine.join("postgres.log");
    let read = || std::fs::read_to_string(&log).map_err(|error| format!("{}: {error}", log.display()));
    let before = read()?.len();
    let path = (workload.route)(&server.routes).replace("{}", &SAMPLE.to_string());
    let (number, is_write) = match workload.shape {
        Shape::Read { from, to } => ((from, to), false),
        Shape::Insert => ((1, books::AUTHORS), true),
        Shape::Post { from, to, .. } => ((from, to), true),
    };
    // The second one finds its statements prepared.
    for _ in 0..2 {
        let mut book = books::book(1, user);
        book["owner_id"] = serde_json::json!(user);
        book["author_id"] = serde_json::json!(SAMPLE % books::AUTHORS);
        match is_write {
            true => server.ask_as_user("POST", &path, &book.to_string(), 201)?,
            false => server.ask_as_user("GET", &path, "", 200)?,
        }
    }
    let log = read()?;
    let sent = pgbench::sent(log.get(before..).unwrap_or_default());
    let request = last_request(&sent);
    let statement = request.iter().find(|sent| sent.text.contains("books") && !sent.text.contains(IDENTITY));
    let statement =
        statement.ok_or_else(|| format!("{}: no statement about books in the log", workload.name))?;
    Ok([whole(&request, statement, number, is_write), alone(statement, number, is_write)])
}

/// What a connection was sent for the last request: from the identity on, or the beginning that stands before it.
fn last_request(sent: &[Sent]) -> Vec<&Sent> {
    let Some(identity) = sent.iter().rposition(|sent| sent.text.contains(IDENTITY)) else {
        return Vec::new();
    };
    let process = sent.get(identity).map(|sent| &sent.process);
    let begun = identity.checked_sub(1).filter(|&before| {
        sent.get(before)
            .is_some_and(|before| Some(&before.process) == process && before.text.starts_with("BEGIN"))
    });
    let rest = sent.get(begun.unwrap_or(identity)..).unwrap_or_default();
    rest.iter().filter(|sent| Some(&sent.process) == process).collect()
}

fn sample(is_write: bool) -> String {
    if is_write { (SAMPLE % books::AUTHORS).to_string() } else { SAMPLE.to_string() }
}

/// Everything, in as many pieces as the server sends.
fn whole(request: &[&Sent], statement: &Sent, number: (u64, u64), is_write: bool) -> Script {
    let mut script = Script::default();
    script.draw(number.0, number.1);
    script.line("\\startpipeline");
    for sent in request {
        if is_write && sent.text == COMMIT {
            script.line("\\endpipeline\n\\startpipeline");
        }
        script.statement(sent, (*sent == statement).then(|| sample(is_write)).as_deref());
    }
    script.line("\\endpipeline");
    script
}

fn alone(statement: &Sent, number: (u64, u64), is_write: bool) -> Script {
    let mut script = Script::default();
    script.draw(number.0, number.1);
    script.statement(statement, Some(&sample(is_write)));
    script
}

fn sql(url: &str, text: &str) -> Result<()> {
    output(Command::new("psql").args([url, "-q", "-v", "ON_ERROR_STOP=1", "-c", text])).map(drop)
}
