//! Breaks servers and looks at what is left: `faults [SCENARIO…] [--quick] [--cycles N] [--seed N] [--binary PATH]`.
//!
//! Without a scenario it runs all. The last line of each says what was found, or what was lost. Scenarios that mount file
//! systems need root; where that is not to be had they are left out, and it says so.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use testkit::faults::{SCENARIOS, Scenario, Settings};

/// The command line.
struct Words {
    scenarios: Vec<&'static Scenario>,
    quick: bool,
    cycles: Option<u64>,
    seed: u64,
    binary: PathBuf,
}

fn main() -> ExitCode {
    let words = match read(std::env::args().skip(1)) {
        Ok(words) => words,
        Err(message) => {
            eprintln!(
                "error: {message}\nusage: faults [SCENARIO…] [--quick] [--cycles N] [--seed N] [--binary PATH]"
            );
            for scenario in SCENARIOS {
                eprintln!("  {:<9} {}", scenario.name, scenario.shows);
            }
            return ExitCode::from(2);
        }
    };
    println!("seed {}", words.seed);
    let (mut passed, mut failed) = (0, 0);
    for scenario in &words.scenarios {
        match play(scenario, &words) {
            Some(true) => passed += 1,
            Some(false) => failed += 1,
            None => {}
        }
    }
    println!("test result: {passed} passed; {failed} failed;");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether a scenario passed; `None` when it was left out.
fn play(scenario: &Scenario, words: &Words) -> Option<bool> {
    if scenario.mounts && !may_mount() {
        println!("{}: left out, it needs root to mount file systems", scenario.name);
        return None;
    }
    let folder = std::env::temp_dir().join(format!("backplane-{}-{}", scenario.name, std::process::id()));
    let settings = Settings {
        binary: words.binary.clone(),
        folder: folder.clone(),
        cycles: words.cycles.unwrap_or(if words.quick { scenario.quick } else { scenario.cycles }),
        seed: words.seed,
        say: |line| println!("  {line}"),
    };
    let begun = Instant::now();
    let outcome = std::fs::create_dir_all(&folder)
        .map_err(|error| format!("{}: {error}", folder.display()))
        .and_then(|()| (scenario.run)(&settings));
    let seconds = begun.elapsed().as_secs_f64();
    match outcome {
        Ok(found) => {
            println!("{}: {found} ({seconds:.1} s)", scenario.name);
            // What is left of a folder that nobody needs any more does no harm.
            let _ = std::fs::remove_dir_all(&folder);
            Some(true)
        }
        Err(lost) => {
            println!("{}: FAILED after {seconds:.1} s, see {}\n{lost}", scenario.name, folder.display());
            Some(false)
        }
    }
}

fn read(mut words: impl Iterator<Item = String>) -> Result<Words, String> {
    let mut read = Words {
        scenarios: Vec::new(),
        quick: false,
        cycles: None,
        seed: seed(),
        binary: beside_us("backplane")?,
    };
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("`{word}` needs a value"));
        let number = |text: String| text.parse().map_err(|_| format!("`{text}` is not a number"));
        match word.as_str() {
            "--quick" => read.quick = true,
            "--cycles" => read.cycles = Some(number(value()?)?),
            "--seed" => read.seed = number(value()?)?,
            "--binary" => read.binary = value()?.into(),
            name => {
                let found = SCENARIOS.iter().find(|scenario| scenario.name == name);
                read.scenarios.push(found.ok_or_else(|| format!("there is no `{name}`"))?);
            }
        }
    }
    if read.scenarios.is_empty() {
        read.scenarios = SCENARIOS.iter().collect();
    }
    Ok(read)
}

fn seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::from(now.subsec_nanos()) ^ now.as_secs()
}

/// A program in the folder that we are in.
fn beside_us(name: &str) -> Result<PathBuf, String> {
    let us = std::env::current_exe().map_err(|error| error.to_string())?;
    Ok(us.parent().unwrap_or(Path::new(".")).join(name))
}

fn may_mount() -> bool {
    std::process::Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
