//! Asks generated requests of generated projects: `oracles [--seed N] [--worlds N] [--requests N]`.
//!
//! Every failure is printed as a case. The last line counts comparisons.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

use std::process::ExitCode;
use std::time::Instant;

use testkit::case::Case;
use testkit::oracle::{self, Effort};
use testkit::play::Server;
use testkit::server::Served;

/// What CI asks: at least two thousand comparisons.
const EFFORT: Effort = Effort { seed: 1, worlds: 24, requests: 40 };

/// Failures that are printed whole.
const SHOWN: usize = 5;

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
    let words: Vec<String> = std::env::args().skip(1).collect();
    let effort = effort(&words)?;
    let start = Instant::now();
    let serve = |case: &Case| Ok(Box::new(Served::open(case)?) as Box<dyn Server>);
    let verdict = oracle::run(effort, &serve)?;
    for failure in verdict.failures.iter().take(SHOWN) {
        println!("── {failure}");
    }
    println!("{} of the answers served something, {:.1} s", verdict.served, start.elapsed().as_secs_f64());
    let failed = u64::try_from(verdict.failures.len()).unwrap_or(u64::MAX);
    println!("{} passed, {failed} failed", verdict.compared - failed);
    Ok(failed == 0)
}

fn effort(words: &[String]) -> Result<Effort, String> {
    let mut effort = EFFORT;
    let (pairs, rest) = words.as_chunks::<2>();
    for [name, value] in pairs {
        let value = value.parse().map_err(|_| format!("{name} takes a number: {value}"))?;
        match name.as_str() {
            "--seed" => effort.seed = value,
            "--worlds" => effort.worlds = value,
            "--requests" => effort.requests = value,
            _ => return Err(format!("there is no {name}; there are --seed, --worlds, --requests")),
        }
    }
    if rest.is_empty() { Ok(effort) } else { Err("a number is missing".to_owned()) }
}
