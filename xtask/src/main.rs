//! What a developer or CI runs: `cargo xtask COMMAND`.
//!
//! A command is a row of [`COMMANDS`]. Nothing here is part of the product, and nothing of the product is used here.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

mod bench;
mod ci;
mod engines;
mod install;
mod rings;
mod run;
mod tally;
mod tidy;

use std::process::{Command, ExitCode};

use crate::run::{Result, cargo};

/// One command: how it is called, what it does, and the function that does it with the words after its name.
struct Row {
    name: &'static str,
    usage: &'static str,
    run: fn(&[String]) -> Result<()>,
}

const COMMANDS: &[Row] = &[
    Row { name: "ci", usage: "[--fast]          everything CI checks, cheapest first", run: ci::main },
    Row { name: "tidy", usage: "[--report]        the rules no compiler knows", run: tidy::main },
    Row { name: "bless", usage: "[FILTER]          fill the empty sections of cases/", run: bless },
    Row {
        name: "bench",
        usage: "[--quick] [--json] [--binaries DIR]   the release build against what the machine can do",
        run: bench::main,
    },
    Row {
        name: "faults",
        usage: "[SCENARIO…] [--quick] [--cycles N] [--seed N]   kill, cut, fill: what is left of promises",
        run: faults,
    },
    Row { name: "docs", usage: "[--check]         write docs/reference from the tables", run: docs },
    Row {
        name: "engines",
        usage: "up|down DIR       a private PostgreSQL on a free port",
        run: engines::main,
    },
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some(row) = words.first().and_then(|name| COMMANDS.iter().find(|row| row.name == name)) else {
        for row in COMMANDS {
            eprintln!("cargo xtask {:<8} {}", row.name, row.usage);
        }
        return ExitCode::from(2);
    };
    match (row.run)(&words[1..]) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn bless(words: &[String]) -> Result<()> {
    run::status(
        cargo(&["run", "--quiet", "-p", "backplane-testkit", "--bin", "cases", "--", "--bless"]).args(words),
    )
}

fn faults(words: &[String]) -> Result<()> {
    run::status(&mut cargo(&["build", "--quiet", "--release", "--locked", "-p", "backplane"]))?;
    run::status(&mut ci::faults(&words.iter().map(String::as_str).collect::<Vec<_>>()))
}

/// Writes `docs/reference`, or with `--check` writes it elsewhere and compares.
fn docs(words: &[String]) -> Result<()> {
    let kept = run::root().join("docs/reference");
    if words.iter().all(|word| word != "--check") {
        return reference(&kept);
    }
    let fresh = run::root().join("target/reference");
    reference(&fresh)?;
    run::status(Command::new("diff").arg("-ru").args([&kept, &fresh]))
        .map_err(|_| "docs/reference is stale: run `cargo xtask docs`".to_owned())
}

fn reference(folder: &std::path::Path) -> Result<()> {
    run::status(cargo(&["run", "--quiet", "-p", "backplane", "--", "reference"]).arg(folder))?;
    let table = run::output(&mut cargo(&[
        "run",
        "--quiet",
        "-p",
        "backplane-testkit",
        "--bin",
        "cases",
        "--",
        "--table",
    ]))?;
    let page = folder.join("compatibility.md");
    std::fs::write(&page, table).map_err(|error| format!("{}: {error}", page.display()))
}
