//! What CI checks, in order of cheapness, up to the first red stage. The same on a laptop.
//!
//! A stage is a row of [`STAGES`]. The last line is the sum: `N passed, N failed`.

use std::process::Command;
use std::time::Instant;

use crate::run::{Result, cargo, program, root};
use crate::tally::{Tally, watch};
use crate::{differential, engines, install, rings, tidy};

/// One stage.
struct Stage {
    name: &'static str,
    /// Part of `--fast`: the loop before a commit.
    fast: bool,
    /// Why there is nothing to do; `None` when there is.
    skip: fn() -> Option<&'static str>,
    /// Runs it. Counts the tests it ran; a stage without tests counts as one.
    run: fn() -> (Tally, Result<()>),
}

const STAGES: &[Stage] = &[
    Stage { name: "install", fast: false, skip: never, run: || once(install::missing()) },
    Stage { name: "format", fast: true, skip: never, run: || cargo_over(&["fmt"], &["--check"]) },
    Stage { name: "tidy", fast: true, skip: never, run: || once(tidy::main(&[])) },
    Stage {
        name: "clippy",
        fast: true,
        skip: never,
        run: || cargo_over(&["clippy", "--locked", "--all-targets"], &["--", "-D", "warnings"]),
    },
    Stage { name: "rustdoc", fast: false, skip: never, run: rustdoc },
    Stage { name: "tests", fast: true, skip: never, run: tests },
    Stage { name: "doctests", fast: false, skip: never, run: doctests },
    Stage { name: "expressions", fast: false, skip: never, run: || judged("differential") },
    Stage { name: "postgres", fast: false, skip: never, run: || judged("postgres") },
    Stage { name: "cases on SQLite", fast: true, skip: without_testkit, run: || watch(&mut cases(&[])) },
    Stage { name: "cases on PostgreSQL", fast: false, skip: without_testkit, run: cases_on_postgres },
    Stage {
        name: "oracles",
        fast: false,
        skip: without_testkit,
        run: || {
            watch(&mut cargo(&["run", "--quiet", "--locked", "-p", "backplane-testkit", "--bin", "oracles"]))
        },
    },
    Stage {
        name: "differential: requests",
        fast: false,
        skip: without_testkit,
        run: || differential::stage("requests"),
    },
    Stage {
        name: "differential: queries",
        fast: false,
        skip: without_testkit,
        run: || differential::stage("queries"),
    },
    Stage {
        name: "differential: programs",
        fast: false,
        skip: without_testkit,
        run: || differential::stage("programs"),
    },
    Stage {
        name: "release",
        fast: false,
        skip: without_binary,
        run: || once(crate::run::status(&mut cargo(&["build", "--release", "--locked", "-p", "backplane"]))),
    },
    Stage { name: "faults", fast: false, skip: without_testkit, run: || watch(&mut faults(&["--quick"])) },
    Stage { name: "clients/js", fast: false, skip: without_js, run: clients_js },
];

/// `ci` runs every stage, `ci --fast` those of the loop before a commit.
pub(crate) fn main(words: &[String]) -> Result<()> {
    let fast = match words {
        [] => false,
        [word] if word == "--fast" => true,
        _ => return Err("usage: cargo xtask ci [--fast]".to_owned()),
    };
    for row in rings::unfinished() {
        println!("not covered: crates/{} is being written (xtask/src/rings.rs)", row.name);
    }
    let stages = STAGES.iter().filter(|stage| stage.fast || !fast);
    let (tally, ended) = run(stages, |line| println!("{line}"));
    println!("{} passed, {} failed", tally.passed, tally.failed);
    ended
}

/// Runs stages up to the first that fails; `say` gets a line before and after each.
fn run<'a>(stages: impl Iterator<Item = &'a Stage>, mut say: impl FnMut(String)) -> (Tally, Result<()>) {
    let mut sum = Tally::default();
    for stage in stages {
        if let Some(reason) = (stage.skip)() {
            say(format!("── {}: skipped, {reason}", stage.name));
            continue;
        }
        say(format!("── {}", stage.name));
        let start = Instant::now();
        let (mut tally, mut ended) = (stage.run)();
        if tally.failed > 0 && ended.is_ok() {
            ended = Err("tests failed".to_owned());
        }
        if ended.is_err() && tally.failed == 0 {
            tally.failed = 1;
        }
        sum += tally;
        let verdict = if ended.is_ok() { "ok" } else { "FAILED" };
        say(format!("── {}: {verdict} in {:.1} s", stage.name, start.elapsed().as_secs_f64()));
        if let Err(message) = ended {
            return (sum, Err(format!("{}: {message}", stage.name)));
        }
    }
    (sum, Ok(()))
}

fn never() -> Option<&'static str> {
    None
}

fn without_testkit() -> Option<&'static str> {
    (!rings::is_there("testkit")).then_some("crates/testkit is not there")
}

fn without_binary() -> Option<&'static str> {
    (!rings::is_there("backplane")).then_some("crates/backplane is not there")
}

fn without_js() -> Option<&'static str> {
    without_binary()
        .or_else(|| (!root().join("clients/js/package.json").exists()).then_some("clients/js is not there"))
}

/// A stage that has no tests of its own counts as one.
fn once(ended: Result<()>) -> (Tally, Result<()>) {
    let tally = if ended.is_ok() { Tally { passed: 1, failed: 0 } } else { Tally { passed: 0, failed: 1 } };
    (tally, ended)
}

/// The packages that CI covers, as arguments.
fn packages() -> Vec<String> {
    let names = rings::complete().map(|row| rings::package(row.name)).chain(["xtask".to_owned()]);
    names.flat_map(|name| ["-p".to_owned(), name]).collect()
}

fn cargo_over(before: &[&str], after: &[&str]) -> (Tally, Result<()>) {
    once(crate::run::status(cargo(before).args(packages()).args(after)))
}

fn rustdoc() -> (Tally, Result<()>) {
    let mut command = cargo(&["doc", "--locked", "--no-deps", "--document-private-items"]);
    once(crate::run::status(command.args(packages()).env("RUSTDOCFLAGS", "-D warnings")))
}

/// Every test of every crate, on nextest when it is installed.
fn tests() -> (Tally, Result<()>) {
    if crate::run::succeeds(&mut cargo(&["nextest", "--version"])) {
        return watch(
            cargo(&["nextest", "run", "--locked", "--no-fail-fast", "--no-tests=pass"]).args(packages()),
        );
    }
    watch(cargo(&["test", "--locked", "--no-fail-fast", "--all-targets"]).args(packages()))
}

/// nextest does not run them. Binaries have none, so only libraries are asked.
fn doctests() -> (Tally, Result<()>) {
    let libraries =
        rings::complete().filter(|row| root().join("crates").join(row.name).join("src/lib.rs").exists());
    let packages = libraries.flat_map(|row| ["-p".to_owned(), rings::package(row.name)]);
    watch(cargo(&["test", "--locked", "--doc"]).args(packages))
}

/// Tests of the drivers that ask a PostgreSQL of their own. `BACKPLANE_TEST_COUNT` makes the run of expressions longer.
fn judged(test: &str) -> (Tally, Result<()>) {
    let words = ["test", "--locked", "-p", "backplane-drivers", "--test", test, "--", "--nocapture"];
    beside_postgres(test, &mut cargo(&words))
}

/// The case book, played by `cases` with these flags.
fn cases(flags: &[&str]) -> Command {
    let mut command =
        cargo(&["run", "--quiet", "--locked", "-p", "backplane-testkit", "--bin", "cases", "--"]);
    command.args(flags);
    command
}

fn cases_on_postgres() -> (Tally, Result<()>) {
    beside_postgres("cases", &mut cases(&["--postgres"]))
}

/// Runs a command that finds a PostgreSQL of its own at `TEST_POSTGRES_URL`.
fn beside_postgres(name: &str, command: &mut Command) -> (Tally, Result<()>) {
    let folder = engines::folder(name);
    // What a run that was killed left behind.
    let _gone = engines::remove(&folder);
    let started = engines::up(&folder).and_then(|line| Ok((line, engines::programs()?)));
    let (line, programs) = match started {
        Ok(started) => started,
        Err(message) => return once(Err(message)),
    };
    let url = line.split_once('=').map_or("", |(_, url)| url);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::env::split_paths(&path).chain([programs])).unwrap_or(path);
    let (tally, ended) = watch(command.env("TEST_POSTGRES_URL", url).env("PATH", path));
    (tally, ended.and(engines::remove(&folder)))
}

/// Scenarios that break servers of the release build, which is there.
pub(crate) fn faults(words: &[&str]) -> Command {
    let mut command =
        cargo(&["run", "--quiet", "--locked", "-p", "backplane-testkit", "--bin", "faults", "--"]);
    command.arg("--binary").arg(root().join("target/release/backplane")).args(words);
    command
}

/// The official JavaScript client against the release build.
fn clients_js() -> (Tally, Result<()>) {
    if let Err(message) = clients_installed() {
        return once(Err(message));
    }
    let binary = root().join("target/release/backplane");
    let mut command = npm();
    command.args(["test", "--silent"]).current_dir(root().join("clients/js")).env("BACKPLANE_BIN", binary);
    watch(&mut command)
}

/// The packages of `clients/js`, as its lock says.
pub(crate) fn clients_installed() -> Result<()> {
    let folder = root().join("clients/js");
    let install = if folder.join("package-lock.json").exists() { "ci" } else { "install" };
    crate::run::status(npm().args([install, "--no-audit", "--no-fund"]).current_dir(&folder))
}

/// `npm`, of a Node.js that is new enough.
pub(crate) fn npm() -> Command {
    let Some(folder) = install::node_folder() else { return program("npm") };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(folder.clone()).chain(std::env::split_paths(&path)))
        .unwrap_or(path);
    let mut command = program(folder.join("node"));
    // The wheel copies the links of its `bin` folder, so that its `npm` does not find its own files.
    command.arg(folder.join("../lib/node_modules/npm/bin/npm-cli.js")).env("PATH", path);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    const GREEN: Stage =
        Stage { name: "green", fast: true, skip: never, run: || (Tally { passed: 3, failed: 0 }, Ok(())) };
    const RED: Stage =
        Stage { name: "red", fast: true, skip: never, run: || (Tally::default(), Err("broken".to_owned())) };
    const LYING: Stage =
        Stage { name: "lying", fast: true, skip: never, run: || (Tally { passed: 1, failed: 2 }, Ok(())) };
    const ABSENT: Stage =
        Stage { name: "absent", fast: true, skip: || Some("not there"), run: || once(Ok(())) };

    #[track_caller]
    fn check(stages: &[Stage], passed: u64, failed: u64, ended: Result<()>) {
        assert_eq!(run(stages.iter(), |_| ()), (Tally { passed, failed }, ended));
    }

    #[test]
    fn stages_add_up_to_the_first_red_one() {
        check(&[GREEN, ABSENT, GREEN], 6, 0, Ok(()));
        check(&[GREEN, RED, GREEN], 3, 1, Err("red: broken".to_owned()));
        check(&[LYING, GREEN], 1, 2, Err("lying: tests failed".to_owned()));
    }
}
