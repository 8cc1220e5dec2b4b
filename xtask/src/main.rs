//! What a developer or CI runs: `cargo xtask COMMAND`.
//!
//! A command is a row of [`COMMANDS`]. Nothing here is part of the product, and nothing of the product is used here.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

mod bench;
mod ci;
mod differential;
mod engines;
mod install;
mod mutants;
mod projects;
mod rings;
mod run;
mod tally;
mod tidy;

use std::path::Path;
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
        usage: "[--quick] [--json] [--only WORKLOAD] [--binaries DIR]   the release build against what the machine can do",
        run: bench::main,
    },
    Row {
        name: "faults",
        usage: "[SCENARIO…] [--quick] [--cycles N] [--seed N]   kill, cut, fill: what is left of promises",
        run: faults,
    },
    Row {
        name: "differential",
        usage: "[--seed N] [--schemas N] [--requests N] [--minutes N] [--stop]   both engines are asked the same",
        run: differential::main,
    },
    Row {
        name: "mutants",
        usage: "[--judge] [--seed N] [--schemas N] [--requests N] [NAME…]   bugs are planted in a copy, and must be caught",
        run: mutants::main,
    },
    Row {
        name: "projects",
        usage: "[--generic] [NAME…]   public projects are served untouched on both engines, and used",
        run: projects::main,
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

/// Writes `docs/reference` and the table in the README, or with `--check` compares them with fresh ones.
fn docs(words: &[String]) -> Result<()> {
    let (kept, readme) = (run::root().join("docs/reference"), run::root().join("README.md"));
    let shown = std::fs::read_to_string(&readme).map_err(|error| format!("{}: {error}", readme.display()))?;
    if words.iter().all(|word| word != "--check") {
        let table = reference(&kept)?;
        return write(&readme, &with_table(&shown, &table)?);
    }
    let fresh = run::root().join("target/reference");
    let table = reference(&fresh)?;
    let same = run::status(Command::new("diff").arg("-ru").args([&kept, &fresh])).is_ok();
    if same && with_table(&shown, &table)? == shown {
        return Ok(());
    }
    Err("docs/reference or the table in README.md is stale: run `cargo xtask docs`".to_owned())
}

/// Writes the pages made from tables; the rows of the page of compatibility.
fn reference(folder: &Path) -> Result<String> {
    run::status(cargo(&["run", "--quiet", "--locked", "-p", "backplane", "--", "reference"]).arg(folder))?;
    let table = ["run", "--quiet", "--locked", "-p", "backplane-testkit", "--bin", "cases", "--", "--table"];
    let page = run::output(&mut cargo(&table))?;
    write(&folder.join("compatibility.md"), &page)?;
    let is_row = |line: &&str| line.starts_with('|');
    let rows: Vec<&str> = page.lines().skip_while(|line| !is_row(line)).take_while(is_row).collect();
    Ok(rows.join("\n"))
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// A text with other rows between the two marks.
fn with_table(text: &str, table: &str) -> Result<String> {
    const MARKS: [&str; 2] = ["<!-- compatibility -->\n", "<!-- /compatibility -->"];
    let missing = || format!("README.md has no `{}`", MARKS.concat());
    let (before, rest) = text.split_once(MARKS[0]).ok_or_else(missing)?;
    let (_, after) = rest.split_once(MARKS[1]).ok_or_else(missing)?;
    Ok(format!("{before}{}{table}\n{}{after}", MARKS[0], MARKS[1]))
}
