//! Policies that ask functions, functions and triggers: the same project and requests on the embedded engine and on PostgreSQL, through
//! the same server.
//!
//! Every answer is compared between the engines before anything is measured. Policies are asked one request after another, because one
//! of them keeps a processor busy; calls and inserts by `wrk`.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::ask::ask;
use super::measure::{Load, Pace, median};
use super::notes::{self, Policy};
use super::target::{self, Target};
use super::workload::{Shape, Workload};
use super::{emptied, process};
use crate::engines;
use crate::run::{Result, output};

/// Rows of a reply are all that there are.
const LIMITS: &[(&str, &str)] = &[
    ("BACKPLANE_LIMITS_ROWS_MAX", "100000"),
    ("BACKPLANE_LIMITS_STATEMENT_TIMEOUT_MS", "60000"),
    ("BACKPLANE_LIMITS_REQUEST_TIMEOUT_MS", "60000"),
];

/// A way to ask for notes.
struct Asked {
    name: &'static str,
    path: &'static str,
    prefer: &'static str,
}

const ASKED: &[Asked] = &[
    Asked { name: "100 of all", path: "/rest/v1/notes?select=id,body&order=id&limit=100", prefer: "" },
    Asked {
        name: "count",
        path: "/rest/v1/notes?select=id&order=id&limit=1",
        prefer: "Prefer: count=exact\r\n",
    },
    Asked { name: "of a kind", path: "/rest/v1/notes?select=id,body&kind=eq.{}&order=id", prefer: "" },
    Asked { name: "all", path: "/rest/v1/notes?select=id&order=id", prefer: "" },
];

const CALL: Workload = Workload {
    name: "rpc of ten lines",
    connections: &[1, 16],
    quick: &[1, 16],
    aim: 1.0,
    route: |_| "/rest/v1/rpc/quote",
    shape: Shape::Post { body: r#"{"wanted":{},"pieces":5}"#, from: 0, to: notes::KINDS - 1 },
};

const INSERT: Workload = Workload {
    name: "insert, two triggers",
    connections: &[1, 16],
    quick: &[1, 16],
    aim: 1.0,
    route: |_| "/rest/v1/entries",
    shape: Shape::Post { body: r#"{"title":"Entry {} of the Ledger"}"#, from: 1, to: 999_999 },
};

/// Most requests of a round of one kind, and of how many the median is taken at least.
const REQUESTS: std::ops::RangeInclusive<usize> = 3..=200;

/// A server on one engine, and who reads there.
struct Side {
    target: Target,
    /// Headers for each policy.
    readers: Vec<String>,
    user: String,
}

/// Measures and prints what was found, as it is found.
pub(super) fn run(binaries: &Path, folder: &Path, pace: &Pace) -> Result<()> {
    let engine = folder.with_file_name("bench-engine");
    // What a run that was stopped left behind.
    let _stopped = engines::down(&engine);
    emptied(&engine)?;
    emptied(folder)?;
    // As durable as the embedded engine.
    let line = engines::up_with(&engine, "fsync=on")?;
    let url = line.split_once('=').map_or("", |(_, url)| url);
    let measured = both(binaries, folder, pace, url);
    engines::down(&engine)?;
    measured
}

fn both(binaries: &Path, folder: &Path, pace: &Pace, url: &str) -> Result<()> {
    let policies = notes::policies();
    let embedded = side(binaries, &folder.join("sqlite"), &policies, None)?;
    let native = side(binaries, &folder.join("postgres"), &policies, Some(url))?;
    output(Command::new("psql").args([url, "-q", "-v", "ON_ERROR_STOP=1", "-c", "VACUUM ANALYZE"]))?;
    let mut sides = [embedded, native];
    println!("{:<24}{:<12} │ {:>10} │ {:>14} │ ratio", "policy", "request", "SQLite, ms", "PostgreSQL, ms");
    let load = Foreign::begin()?;
    let is_wanted = |name: &str| pace.only.as_ref().is_none_or(|part| name.contains(part.as_str()));
    for (at, policy) in policies.iter().enumerate().filter(|(_, policy)| is_wanted(&policy.name)) {
        for asked in ASKED {
            agree(&sides, at, policy, asked)?;
            let [ours, theirs] = times(&sides, at, asked, pace)?;
            let ratio = theirs / ours;
            println!("{:<24}{:<12} │ {ours:>10.2} │ {theirs:>14.2} │ {ratio:>5.2}", policy.name, asked.name);
        }
    }
    for workload in [&CALL, &INSERT].into_iter().filter(|workload| is_wanted(workload.name)) {
        loaded(&sides, folder, workload, pace)?;
    }
    println!("Ratios are how many times as fast as on PostgreSQL. {}", load.said(&sides)?);
    for side in &mut sides {
        side.target.stop()?;
    }
    Ok(())
}

/// What other programs took meanwhile.
struct Foreign {
    begun: Instant,
    machine: f64,
}

impl Foreign {
    fn begin() -> Result<Foreign> {
        Ok(Foreign { begun: Instant::now(), machine: process::machine_seconds()? })
    }

    /// The share of the machine that was busy, PostgreSQL included.
    fn said(&self, sides: &[Side; 2]) -> Result<String> {
        let busy = process::machine_seconds()? - self.machine;
        let memory = sides[0].target.process()?.memory()?;
        Ok(format!(
            "{:.1} processors were busy on average; load {}; resident {:.0} MB, peak {:.0} MB.",
            busy / self.begun.elapsed().as_secs_f64(),
            std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim(),
            memory.resident,
            memory.peak
        ))
    }
}

/// A server with all rows.
fn side(binaries: &Path, folder: &Path, policies: &[Policy], url: Option<&str>) -> Result<Side> {
    let mut settings: Vec<_> = LIMITS.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    settings.extend(url.map(|url| ("BACKPLANE_ENGINE_URL", url.to_owned())));
    emptied(folder)?;
    let schema = notes::schema(policies);
    let (target, user) = target::serving(&binaries.join("backplane"), folder, settings, &schema)?;
    let mut readers = Vec::new();
    for (at, policy) in policies.iter().enumerate() {
        readers.push(reader(&target, at, policy)?);
    }
    let owners: Vec<String> = readers.iter().map(|(_, user)| user.clone()).collect();
    target.seed_table("/rest/v1/notes", notes::NOTES, &|id| notes::note(id, &owners))?;
    target.seed_table("/rest/v1/prices", notes::KINDS * 12, &notes::price)?;
    let mut memberships = notes::other_memberships();
    owners.iter().for_each(|user| memberships.extend(notes::memberships(user)));
    for rows in memberships.chunks(1_000) {
        target.ask_as_service("POST", "/rest/v1/memberships", &json!(rows).to_string(), 201)?;
    }
    let roles: Vec<Value> = owners.iter().map(|user| json!({"user_id": user, "role": "admin"})).collect();
    target.ask_as_service("POST", "/rest/v1/user_roles", &json!(roles).to_string(), 201)?;
    Ok(Side { target, readers: readers.into_iter().map(|(headers, _)| headers).collect(), user })
}

/// A user for whom a policy is: headers, and the id.
fn reader(target: &Target, at: usize, policy: &Policy) -> Result<(String, String)> {
    let email = format!("reader{at}@example.com");
    let person = json!({
        "email": email, "password": target::PASSWORD, "email_confirm": true, "role": policy.role,
        "app_metadata": notes::claims(),
    });
    let service = &target.service_headers;
    let answer = ask(target.address, "POST", "/auth/v1/admin/users", service, &person.to_string())?;
    if answer.status != 200 {
        return Err(format!("{email}: {}\n{}", answer.status, answer.body));
    }
    target.sign_in(&email)
}

/// Both engines give the same answer.
fn agree(sides: &[Side; 2], at: usize, policy: &Policy, asked: &Asked) -> Result<()> {
    let [ours, theirs] = [&sides[0], &sides[1]].map(|side| side.answer(at, asked, 7));
    let (ours, theirs) = (ours?, theirs?);
    if ours == theirs {
        return Ok(());
    }
    let cut = |text: &str| text.chars().take(300).collect::<String>();
    Err(format!("{}, {}: {}\nbut PostgreSQL says\n{}", policy.name, asked.name, cut(&ours), cut(&theirs)))
}

impl Side {
    fn answer(&self, at: usize, asked: &Asked, number: u64) -> Result<String> {
        let headers = format!("{}{}", self.readers[at], asked.prefer);
        let path = asked.path.replace("{}", &number.to_string());
        let answer = ask(self.target.address, "GET", &path, &headers, "")?;
        match answer.status {
            200 | 206 => Ok(format!("{} {}", answer.range(), answer.body)),
            status => Err(format!("{path}: {status}\n{}", answer.body)),
        }
    }
}

/// Milliseconds of a request on both, in the middle; they take turns.
fn times(sides: &[Side; 2], at: usize, asked: &Asked, pace: &Pace) -> Result<[f64; 2]> {
    let mut found = [Vec::new(), Vec::new()];
    for _ in 0..pace.rounds {
        for (side, found) in sides.iter().zip(&mut found) {
            let most = Duration::from_millis(500);
            let begun = Instant::now();
            let mut asked_so_far = 0;
            while asked_so_far < *REQUESTS.start()
                || (begun.elapsed() < most && asked_so_far < *REQUESTS.end())
            {
                let one = Instant::now();
                side.answer(at, asked, asked_so_far as u64 * 13 % notes::KINDS)?;
                found.push(one.elapsed().as_secs_f64() * 1e3);
                asked_so_far += 1;
            }
        }
    }
    Ok(found.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    }))
}

/// Requests a second of both.
fn loaded(sides: &[Side; 2], folder: &Path, workload: &'static Workload, pace: &Pace) -> Result<()> {
    for &connections in (pace.connections)(workload) {
        let mut rounds = [Vec::new(), Vec::new()];
        for _ in 0..pace.rounds {
            for (side, rounds) in sides.iter().zip(&mut rounds) {
                let load = Load { workload, connections, folder, user: &side.user };
                rounds.push(load.run(&side.target, pace.seconds)?);
            }
        }
        let [Some(ours), Some(theirs)] = rounds.map(median) else { return Err("no round".to_owned()) };
        if ours.failed + theirs.failed > 0 {
            return Err(format!("{}: {} and {} requests failed", workload.name, ours.failed, theirs.failed));
        }
        let (name, ratio) = (workload.name, ours.per_second / theirs.per_second);
        println!(
            "{name:<24}{connections:>3} at once  │ {:>6.0} 1/s │ {:>10.0} 1/s │ {ratio:>5.2}   ({:.0} µs of processor in our process)",
            ours.per_second, theirs.per_second, ours.cpu_us
        );
    }
    Ok(())
}
