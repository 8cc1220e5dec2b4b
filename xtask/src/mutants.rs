//! Bugs planted in a copy of the policy compiler, the planner, the renderer and what stores rows: the case book, a test or the judge
//! must catch each.
//!
//! All bugs are built in at once, each behind a switch that an environment variable throws, so that the copy is built once. Only
//! the copy has these switches. A bug is a row of `rows.rs`.

mod plant;
mod rows;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::engines;
use crate::run::{Result, cargo, root, status};
use rows::{FILES, Mutant};

/// The variable that names the bug that is at work.
const SWITCH: &str = "BACKPLANE_MUTANT";

/// Folders of cases that are about each part, most telling first; the others come after them.
const TELLING: &[(&str, &[&str])] = &[
    ("policies and grants", &["policies", "rights", "attacks", "views", "writes"]),
    ("resolver", &["query", "views", "program", "rpc", "attacks"]),
    ("planner", &["writes", "triggers", "embeds", "reads", "constraints", "nested"]),
    ("renderer", &["reads", "attacks", "views", "query", "embeds"]),
    ("keys and triggers", &["constraints", "triggers"]),
    ("transactions", &["constraints", "triggers"]),
];

/// Tests of what no request shows while the rest does its work: the part, the package, their names. They are asked first.
const TESTED: &[(&str, &str, &str)] = &[("transactions", "backplane-drivers", "sqlite::tests::guard")];

/// A bug may make something endless.
const TIME_MAX: Duration = Duration::from_mins(10);

/// What a run asks for.
struct Asked {
    names: Vec<String>,
    /// Whether the judge is asked without the cases.
    judge_alone: bool,
    seed: String,
    schemas: String,
    requests: String,
}

/// A program of the copy that was run with a bug.
struct Ended {
    succeeded: bool,
    said: String,
}

/// `mutants [--judge] [--seed N] [--schemas N] [--requests N] [NAME…]`.
pub(crate) fn main(words: &[String]) -> Result<()> {
    let asked = asked(words)?;
    let chosen: Vec<(&str, &Mutant)> = FILES
        .iter()
        .flat_map(|file| file.mutants.iter().map(move |mutant| (file.area, mutant)))
        .filter(|(_, mutant)| asked.names.is_empty() || asked.names.iter().any(|name| name == mutant.name))
        .collect();
    if chosen.is_empty() {
        return Err("no row of xtask/src/mutants/rows.rs has such a name".to_owned());
    }
    plant::copy(&copy())?;
    build()?;
    let mut court = Court { asked, url: None };
    let caught = court.all(&chosen);
    if court.url.is_some() {
        engines::remove(&engines::folder("mutants"))?;
    }
    let caught = caught?;
    let table = table(&chosen, &caught);
    println!("{table}");
    let path = folder().join("table.md");
    fs::write(&path, table).map_err(|error| format!("{}: {error}", path.display()))?;
    let survivors: Vec<&str> = chosen
        .iter()
        .zip(&caught)
        .filter(|(_, caught)| caught.is_none())
        .map(|((_, mutant), _)| mutant.name)
        .collect();
    if survivors.is_empty() { Ok(()) } else { Err(format!("nothing caught {}", survivors.join(", "))) }
}

fn asked(words: &[String]) -> Result<Asked> {
    let mut asked = Asked {
        names: Vec::new(),
        judge_alone: false,
        seed: "1".to_owned(),
        schemas: "40".to_owned(),
        requests: "60".to_owned(),
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut number = || words.next().cloned().ok_or_else(|| format!("{word} takes a number"));
        match word.as_str() {
            "--judge" => asked.judge_alone = true,
            "--seed" => asked.seed = number()?,
            "--schemas" => asked.schemas = number()?,
            "--requests" => asked.requests = number()?,
            flag if flag.starts_with("--") => return Err(format!("there is no {flag}")),
            name => asked.names.push(name.to_owned()),
        }
    }
    Ok(asked)
}

fn folder() -> PathBuf {
    root().join("target/mutants")
}

fn copy() -> PathBuf {
    folder().join("tree")
}

/// Where the copy is built; `CARGO_TARGET_DIR` says another place.
fn built() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| folder().join("target"), PathBuf::from)
}

fn build() -> Result<()> {
    let words = ["build", "--quiet", "--locked", "-p", "backplane-testkit"];
    let mut command = of_copy(&words);
    command.args(["--bin", "cases", "--bin", "differential"]);
    status(&mut command)
}

/// Cargo, for the copy.
fn of_copy(words: &[&str]) -> Command {
    let mut command = cargo(words);
    command.current_dir(copy()).env("CARGO_TARGET_DIR", built()).env("CARGO_INCREMENTAL", "0");
    command
}

/// What bugs are brought before.
struct Court {
    asked: Asked,
    /// The judge's PostgreSQL, once it is needed.
    url: Option<String>,
}

impl Court {
    /// What caught each of some bugs. Those that a case caught before come first: they take no time.
    fn all(&mut self, chosen: &[(&str, &Mutant)]) -> Result<Vec<Option<String>>> {
        self.innocent(chosen)?;
        let mut known = Known::read(&folder().join("caught"));
        let mut caught: Vec<Option<String>> = vec![None; chosen.len()];
        if !self.asked.judge_alone {
            for ((_, mutant), caught) in chosen.iter().zip(&mut caught) {
                if let Some(words) = known.words(mutant.name) {
                    *caught = by_case(mutant, &words)?;
                    known.tell(mutant, caught.as_deref().unwrap_or("not by that case any more"))?;
                }
            }
        }
        for ((area, mutant), caught) in chosen.iter().zip(&mut caught).filter(|(_, caught)| caught.is_none())
        {
            *caught = self.by_anything(area, mutant)?;
            known.tell(mutant, caught.as_deref().unwrap_or("SURVIVED"))?;
        }
        Ok(caught)
    }

    /// Without a bug nothing is caught.
    fn innocent(&mut self, chosen: &[(&str, &Mutant)]) -> Result<()> {
        let mut all = match self.asked.judge_alone {
            true => vec![self.judge("")?],
            false => vec![cases("", &["/".to_owned()])?],
        };
        let is_chosen = |(of, ..): &&(&str, _, _)| chosen.iter().any(|(area, _)| area == of);
        for (_, package, names) in TESTED.iter().filter(is_chosen).filter(|_| !self.asked.judge_alone) {
            all.push(tests("", package, names)?);
        }
        match all.iter().find(|ended| !ended.succeeded) {
            None => Ok(()),
            Some(ended) => Err(format!("something fails without a bug:\n{}", ended.said)),
        }
    }

    fn by_anything(&mut self, area: &str, mutant: &Mutant) -> Result<Option<String>> {
        if !self.asked.judge_alone {
            for (_, package, names) in TESTED.iter().filter(|(of, ..)| *of == area) {
                let ended = tests(mutant.name, package, names)?;
                if !ended.succeeded {
                    return Ok(Some(format!("test: {}", failed_test(&ended.said))));
                }
            }
            for words in folders(area)? {
                if let Some(case) = by_case(mutant, &words)? {
                    return Ok(Some(case));
                }
            }
        }
        let ended = self.judge(mutant.name)?;
        Ok((!ended.succeeded).then(|| format!("judge: {}", difference(&ended.said))))
    }

    fn judge(&mut self, name: &str) -> Result<Ended> {
        let url = match &self.url {
            Some(url) => url.clone(),
            None => {
                let line = engines::up(&engines::folder("mutants"))?;
                let url = line.split_once('=').map_or("", |(_, url)| url).to_owned();
                self.url.insert(url).clone()
            }
        };
        let Asked { seed, schemas, requests, .. } = &self.asked;
        let mut command = Command::new(built().join("debug/differential"));
        command.args(["--seed", seed, "--schemas", schemas, "--requests", requests]);
        command.args(["--shrink", "0", "--stop"]).env("TEST_POSTGRES_URL", url);
        run(command, name)
    }
}

/// The case, of those whose names have one of some words, that a bug makes fail.
fn by_case(mutant: &Mutant, words: &[String]) -> Result<Option<String>> {
    let ended = cases(mutant.name, words)?;
    Ok((!ended.succeeded).then(|| failed_case(&ended.said)))
}

/// Plays the cases whose names have one of some words, up to the first that fails.
fn cases(name: &str, words: &[String]) -> Result<Ended> {
    let mut command = Command::new(built().join("debug/cases"));
    command.arg("--stop").args(words);
    run(command, name)
}

/// Runs the tests of a package that have some name.
fn tests(name: &str, package: &str, names: &str) -> Result<Ended> {
    run(of_copy(&["test", "--quiet", "--locked", "--lib", "-p", package, names]), name)
}

/// The folders of cases that tell most about a part, then the others.
fn folders(area: &str) -> Result<[Vec<String>; 2]> {
    let telling = TELLING.iter().find(|(of, _)| *of == area).map_or(&[][..], |(_, folders)| folders);
    let path = root().join("cases");
    let entries = fs::read_dir(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut all: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    all.sort();
    let (first, others): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|name| telling.contains(&name.as_str()));
    let words = |names: Vec<String>| names.into_iter().map(|name| format!("{name}/")).collect();
    Ok([words(first), words(others)])
}

/// Runs a program with a bug at work.
fn run(mut command: Command, name: &str) -> Result<Ended> {
    let path = folder().join("said");
    let told = |error: std::io::Error| format!("{}: {error}", path.display());
    let out = File::create(&path).map_err(told)?;
    let err = out.try_clone().map_err(told)?;
    command.current_dir(copy()).env(SWITCH, name).stdin(Stdio::null()).stdout(out).stderr(err);
    let mut child = command.spawn().map_err(told)?;
    let start = Instant::now();
    let status = loop {
        match child.try_wait().map_err(told)? {
            Some(status) => break status,
            None if start.elapsed() > TIME_MAX => {
                child.kill().map_err(told)?;
                break child.wait().map_err(told)?;
            }
            None => thread::sleep(Duration::from_millis(20)),
        }
    };
    let said = fs::read(&path).map_err(told)?;
    Ok(Ended { succeeded: status.success(), said: String::from_utf8_lossy(&said).into_owned() })
}

/// The case that failed first, of what the case book says.
fn failed_case(said: &str) -> String {
    let page = said.lines().find_map(|line| line.split_once(".case:"));
    let name = page.and_then(|(path, _)| path.rsplit_once("/cases/")).map(|(_, name)| name);
    name.map_or_else(|| format!("the case book: {}", last(said)), str::to_owned)
}

/// The test that failed first, of what they say.
fn failed_test(said: &str) -> &str {
    let headings = said.lines().filter_map(|line| line.strip_prefix("---- ")?.strip_suffix(" stdout ----"));
    headings.min().unwrap_or_else(|| last(said))
}

/// The first difference, of what the judge says.
fn difference(said: &str) -> String {
    let found = said.lines().find_map(|line| line.strip_prefix("difference, "));
    found.map_or_else(|| last(said).to_owned(), str::to_owned)
}

fn last(said: &str) -> &str {
    said.lines().last().unwrap_or("no word")
}

/// Which case caught which bug before: it is asked first.
struct Known {
    path: PathBuf,
    cases: BTreeMap<String, String>,
}

impl Known {
    fn read(path: &Path) -> Known {
        let text = fs::read_to_string(path).unwrap_or_default();
        let pairs = text.lines().filter_map(|line| line.split_once('\t'));
        let cases = pairs.map(|(name, case)| (name.to_owned(), case.to_owned())).collect();
        Known { path: path.to_owned(), cases }
    }

    fn words(&self, name: &str) -> Option<Vec<String>> {
        self.cases.get(name).map(|words| words.split(' ').map(str::to_owned).collect())
    }

    /// Notes what caught a bug, and says so.
    fn tell(&mut self, mutant: &Mutant, by: &str) -> Result<()> {
        println!("{}: {by}", mutant.name);
        if !by.contains('/') {
            return Ok(());
        }
        self.cases.insert(mutant.name.to_owned(), by.to_owned());
        let lines: String = self.cases.iter().map(|(name, case)| format!("{name}\t{case}\n")).collect();
        fs::write(&self.path, lines).map_err(|error| format!("{}: {error}", self.path.display()))
    }
}

/// Bugs, what caught them, and how many of each part were caught by what.
fn table(chosen: &[(&str, &Mutant)], caught: &[Option<String>]) -> String {
    let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    let mut out = "| bug | in | what goes wrong | caught by |\n|---|---|---|---|\n".to_owned();
    for ((area, mutant), by) in chosen.iter().zip(caught) {
        let column = match by {
            Some(by) if by.starts_with("judge: ") => 1,
            Some(_) => 0,
            None => 2,
        };
        counts.entry(area).or_default()[column] += 1;
        let by = by.as_deref().unwrap_or("**SURVIVED**");
        out += &format!("| {} | {area} | {} | {by} |\n", mutant.name, mutant.breaks);
    }
    out +=
        "\n| part | bugs | caught by a case or test | by the judge | by nothing |\n|---|---|---|---|---|\n";
    for (area, [cases, judge, nothing]) in counts {
        out += &format!("| {area} | {} | {cases} | {judge} | {nothing} |\n", cases + judge + nothing);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_first_is_told() {
        let said =
            "/tree/testkit/../../cases/reads/a-b.case:7: status 200\n1 cases in 0.1 s\n0 passed, 1 failed\n";
        assert_eq!(failed_case(said), "reads/a-b");
        assert_eq!(failed_case("error: no server"), "the case book: error: no server");
        assert_eq!(failed_test("\n---- tests::b stdout ----\nx\n---- tests::a stdout ----\ny"), "tests::a");
        assert_eq!(difference("── 1 × a\ndifference, 1 ×: a\n7 passed, 1 failed"), "1 ×: a");
    }

    #[test]
    fn survivors_stand_out() {
        let mutant = Mutant { name: "a", text: "b", new: "c", breaks: "d" };
        let chosen = [("planner", &mutant), ("planner", &mutant), ("planner", &mutant)];
        let caught = [Some("reads/x".to_owned()), Some("judge: 1 ×: y".to_owned()), None];
        let table = table(&chosen, &caught);
        assert!(table.contains("| a | planner | d | **SURVIVED** |"));
        assert!(table.ends_with("| planner | 3 | 1 | 1 | 1 |\n"));
    }

    #[test]
    fn every_part_has_telling_folders() {
        for file in FILES {
            let telling = TELLING.iter().find(|(area, _)| *area == file.area);
            let folders = telling.map(|(_, folders)| *folders).unwrap_or_default();
            assert!(!folders.is_empty(), "{}", file.area);
            assert!(folders.iter().all(|name| root().join("cases").join(name).is_dir()), "{}", file.area);
        }
    }
}
