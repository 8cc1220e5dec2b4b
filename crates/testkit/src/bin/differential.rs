//! The judge: `differential [requests|queries|programs] [--seed N] [--schemas N] [--requests N] [--first N] [--minutes N] [--shrink N] [--stop]`.
//!
//! `TEST_POSTGRES_URL` names the server. The last line counts comparisons.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use testkit::judge::{self, Effort, Part, Verdict};

/// Errors that both answered: the most frequent are told, for they say what the generator draws in vain.
const ERRORS_TOLD: usize = 40;

/// Of a thousand statements, how many the embedded engine may refuse by the name of what it lacks.
const LACKING_PER_THOUSAND_MAX: u64 = 2;

/// What is asked, by a word, and how much of it in CI: projects, and requests of each. Requests, unless a word says otherwise.
const PARTS: &[(&str, Part, u64, u64)] = &[
    ("requests", Part::Requests, 220, 100),
    ("queries", Part::Queries, 64, 320),
    ("programs", Part::Programs, 64, 320),
];

fn main() -> ExitCode {
    // The cause of an internal error is in the log alone.
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr).without_time();
    log.with_max_level(tracing_subscriber::filter::LevelFilter::ERROR).init();
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
    let url =
        std::env::var("TEST_POSTGRES_URL").map_err(|_| "TEST_POSTGRES_URL names a PostgreSQL server")?;
    let start = Instant::now();
    let verdict = judge::run(&effort, &url)?;
    tell(&verdict);
    println!("{:.1} s", start.elapsed().as_secs_f64());
    let failed: u64 = verdict.differences.values().map(|(count, _)| count).sum();
    println!("{} passed, {failed} failed", verdict.compared.saturating_sub(failed));
    let lacking: u64 = verdict.lacking.values().sum();
    if lacking * 1_000 > verdict.compared * LACKING_PER_THOUSAND_MAX {
        return Err(format!("more than {LACKING_PER_THOUSAND_MAX} of 1000 are lacking on SQLite: {lacking}"));
    }
    Ok(failed == 0)
}

fn tell(verdict: &Verdict) {
    for (signature, (count, text)) in &verdict.differences {
        println!("── {count} × {signature}\n{text}");
    }
    for refused in verdict.refused.iter().take(3) {
        println!("refused by both: {refused}");
    }
    let mut errors: Vec<_> = verdict.errors.iter().collect();
    errors.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    for (error, count) in errors.into_iter().take(ERRORS_TOLD) {
        println!("error of both, {count} ×: {error}");
    }
    let refusals = [
        ("not PostgreSQL's", &verdict.untaken, ERRORS_TOLD),
        ("lacking on SQLite", &verdict.lacking, usize::MAX),
    ];
    for (words, counts, told_max) in refusals {
        let mut counts: Vec<_> = counts.iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        for (reason, count) in counts.into_iter().take(told_max) {
            println!("{words}, {count} ×: {reason}");
        }
    }
    let refused: u64 = verdict.lacking.values().sum();
    if verdict.compared > 0 && refused > 0 {
        let share = 1_000 * refused / verdict.compared;
        println!("lacking on SQLite: {refused} in all, {}.{} %", share / 10, share % 10);
    }
    for (name, (_, example)) in &verdict.deviations {
        println!("── deviation: {name}\n{example}");
    }
    for (name, (count, _)) in &verdict.deviations {
        println!("deviation, {count} ×: {name}");
    }
    for (signature, (count, _)) in &verdict.differences {
        println!("difference, {count} ×: {signature}");
    }
    let statuses: Vec<String> =
        verdict.statuses.iter().map(|(status, count)| format!("{status} {count} ×")).collect();
    println!(
        "{} requests of {} projects ({} refused by both): {}",
        verdict.compared,
        verdict.schemas,
        verdict.refused.len(),
        statuses.join(", ")
    );
}

fn effort(words: &[String]) -> Result<Effort, String> {
    let mut effort = Effort {
        part: Part::Requests,
        seed: 1,
        schemas: 220,
        requests: 100,
        first: 0,
        time_max: None,
        stops: false,
        shrunk_max: 8,
        folder: Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/differences"),
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if let Some((_, part, schemas, requests)) = PARTS.iter().find(|(name, ..)| name == word) {
            effort = Effort { part: *part, schemas: *schemas, requests: *requests, ..effort };
            continue;
        }
        if word == "--stop" {
            effort.stops = true;
            continue;
        }
        let value = words.next().ok_or_else(|| format!("{word} takes a number"))?;
        let value: u64 = value.parse().map_err(|_| format!("{word} takes a number: {value}"))?;
        match word.as_str() {
            "--seed" => effort.seed = value,
            "--schemas" => effort.schemas = value,
            "--requests" => effort.requests = value,
            "--first" => effort.first = value,
            "--shrink" => effort.shrunk_max = usize::try_from(value).unwrap_or(usize::MAX),
            "--minutes" => {
                effort.time_max = Some(Duration::from_mins(value));
                effort.schemas = u64::MAX;
            }
            _ => {
                return Err(format!(
                    "there is no {word}; there are --seed, --schemas, --requests, --first, --minutes, --shrink, --stop"
                ));
            }
        }
    }
    Ok(effort)
}
