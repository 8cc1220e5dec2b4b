//! `cargo xtask bench`: how fast the release build is, against what this machine can do at most.
//!
//! In one run: the server, raw SQLite behind the same web framework (`ceiling` of testkit), and a bare route, each under
//! the same load of `wrk` on the same machine. Rounds alternate between them, so that a neighbor disturbs all alike.
//! With `--engine postgres` the server has a PostgreSQL of its own, and `pgbench` sends it what the server sends. `--memory` looks
//! at something else: how much memory the server takes for replies of up to a million rows; `--programs` at policies that ask functions,
//! functions and triggers, on SQLite beside PostgreSQL, through the same server.
//! A run with a wrong answer or a failed request is an error; a slow one is not: figures are read by people.

mod ask;
mod books;
mod measure;
mod memory;
mod native;
mod notes;
mod pgbench;
mod process;
mod programs;
mod report;
mod target;
mod workload;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::install;
use crate::run::{Result, cargo, root, status};

use measure::Pace;
use target::Target;

/// Starts of an existing project, of which the median counts.
const STARTS: usize = 9;

/// How long a server is left alone before its memory is called idle.
const SETTLE: Duration = Duration::from_secs(1);

const USAGE: &str = "usage: cargo xtask bench [--quick] [--json] [--only WORKLOAD] [--binaries DIR] [--engine sqlite|postgres] [--memory] [--programs]";

/// Measures and prints: the release build, or `backplane` and `ceiling` of a folder.
pub(crate) fn main(words: &[String]) -> Result<()> {
    let (mut pace, mut json, mut binaries) = (measure::FULL, false, None);
    let (mut is_native, mut is_memory, mut is_programs) = (false, false, false);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--quick" => pace = Pace { only: pace.only, ..measure::QUICK },
            "--json" => json = true,
            "--memory" => is_memory = true,
            "--programs" => is_programs = true,
            "--engine" => {
                is_native = match words.next().map(String::as_str) {
                    Some("sqlite") => false,
                    Some("postgres") => true,
                    _ => return Err(USAGE.to_owned()),
                }
            }
            "--only" => pace.only = Some(words.next().ok_or(USAGE)?.clone()),
            "--binaries" => binaries = Some(PathBuf::from(words.next().ok_or(USAGE)?)),
            _ => return Err(USAGE.to_owned()),
        }
    }
    install::only("wrk")?;
    let binaries = match binaries {
        Some(folder) => folder,
        None => build()?,
    };
    let folder = root().join("target/bench");
    if is_programs {
        return programs::run(&binaries, &folder, &pace);
    }
    match (is_memory, is_native) {
        (true, _) => return print(&memory::run(&binaries, &folder, is_native)?),
        (false, true) => return print(&native::run(&binaries, &folder, &pace)?),
        (false, false) => {}
    }
    let report = run(&binaries, &folder, &pace)?;
    println!("{}", if json { report.json() } else { report.text() });
    report.verdict()
}

fn print(text: &str) -> Result<()> {
    println!("{text}");
    Ok(())
}

/// Two builds: one would mix the features of both, and measure another server than the one that is released.
fn build() -> Result<PathBuf> {
    status(&mut cargo(&["build", "--quiet", "--release", "--locked", "-p", "backplane"]))?;
    status(&mut cargo(&[
        "build",
        "--quiet",
        "--release",
        "--locked",
        "-p",
        "backplane-testkit",
        "--bin",
        "ceiling",
    ]))?;
    Ok(root().join("target/release"))
}

fn run(binaries: &Path, folder: &Path, pace: &Pace) -> Result<report::Report> {
    emptied(folder)?;
    let (server, user) = target::backplane(&binaries.join("backplane"), folder, Vec::new())?;
    let ceiling = target::ceiling(&binaries.join("ceiling"), folder, &user)?;
    let mut targets = [server, ceiling];
    for target in &mut targets {
        target.seed(&user)?;
        target.stop()?;
    }
    let starts = targets.iter_mut().map(median_start).collect::<Result<Vec<_>>>()?;
    std::thread::sleep(SETTLE);
    let idle = targets.iter().map(|target| target.process()?.memory()).collect::<Result<Vec<_>>>()?;
    for target in &targets {
        target.check(&user)?;
    }
    let cells = measure::all(&targets, folder, &user, pace)?;
    let busy = targets.iter().map(|target| target.process()?.memory()).collect::<Result<Vec<_>>>()?;
    for target in &mut targets {
        target.stop()?;
    }
    Ok(report::Report { cells, starts, idle, busy, seconds: pace.seconds })
}

/// Makes a folder new.
fn emptied(folder: &Path) -> Result<()> {
    let gone = if folder.exists() { std::fs::remove_dir_all(folder) } else { Ok(()) };
    gone.and_then(|()| std::fs::create_dir_all(folder))
        .map_err(|error| format!("{}: {error}", folder.display()))
}

/// Milliseconds from the start of the process to its first good answer; leaves it running.
fn median_start(target: &mut Target) -> Result<f64> {
    let mut times = Vec::new();
    for start in 0..STARTS {
        times.push(target.start()?.as_secs_f64() * 1e3);
        if start + 1 < STARTS {
            target.stop()?;
        }
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}
