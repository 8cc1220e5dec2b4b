//! Plays the case book: `cases [--table | --bless] [--postgres] [--stop] [WORD]…`, the files whose names contain one of the words.
//!
//! `--bless` fills empty sections, `--table` prints the page of compatibility and plays nothing, `--postgres` plays on the server
//! at `TEST_POSTGRES_URL` instead of the embedded engine: what that answers is what a section should say. `--stop` ends at the first that
//! fails. The last line counts.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use testkit::book::{self, Empty, Page, Playing};
use testkit::case::Case;
use testkit::lacking::{LACKING, Lacking};
use testkit::play::Server;
use testkit::server::{Cluster, Engine, Served};
use testkit::table::table;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool, String> {
    let (mut flags, words): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|word| word.starts_with("--"));
    let stops = flags.iter().any(|flag| flag == "--stop");
    flags.retain(|flag| flag != "--stop");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../cases");
    let pages = book::read(&folder, &words)?;
    let (empty, engine) = match flags.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => (Empty::Fail, Engine::Sqlite),
        ["--bless"] => (Empty::Bless, Engine::Sqlite),
        ["--postgres"] => (Empty::Fail, Engine::Postgres(cluster()?.into())),
        ["--bless", "--postgres"] | ["--postgres", "--bless"] => {
            (Empty::Bless, Engine::Postgres(cluster()?.into()))
        }
        ["--table"] => {
            print!("{}", table(&pages));
            return Ok(true);
        }
        _ => return Err("usage: cases [--table | --bless] [--postgres] [--stop] [WORD]...".to_owned()),
    };
    let unshown = if words.is_empty() { unshown(&pages) } else { Vec::new() };
    if !unshown.is_empty() {
        return Err(format!("no case shows what an engine lacks: {}", unshown.join("; ")));
    }
    let start = Instant::now();
    let serve = |case: &Case| Ok(Box::new(Served::on(case, &engine)?) as Box<dyn Server>);
    let playing = Playing { engine: engine.name(), release: release(&engine)?, serve: &serve, empty, stops };
    let tally = book::run(&pages, &playing, &mut std::io::stdout())?;
    println!("{} cases in {:.1} s", pages.len(), start.elapsed().as_secs_f64());
    println!("{} passed, {} failed", tally.passed, tally.failed);
    Ok(tally.failed == 0)
}

/// Rows of the table of what is lacking that no case names.
fn unshown(pages: &[Page]) -> Vec<String> {
    let names = |row: &&Lacking| {
        let cases = pages.iter().filter_map(|page| page.case.as_ref().ok());
        let mut named = cases.flat_map(|case| case.skips.iter().chain(&case.lacking));
        named.any(|skip| skip.engine == row.engine && skip.capability == row.capability)
    };
    LACKING
        .iter()
        .filter(|row| !names(row))
        .map(|row| format!("{}: {}", row.engine, row.capability))
        .collect()
}

/// The number of an engine's release; of the embedded engine, which is built in, that of no release.
fn release(engine: &Engine) -> Result<u32, String> {
    match engine {
        Engine::Sqlite | Engine::At(_) => Ok(u32::MAX),
        Engine::Postgres(cluster) => cluster.release(),
    }
}

fn cluster() -> Result<Cluster, String> {
    let url = std::env::var("TEST_POSTGRES_URL")
        .map_err(|_| "TEST_POSTGRES_URL is the address of a server: see `cargo xtask engines up`")?;
    Cluster::prepare(&url)
}
