//! How many tests passed and failed, read from what test runners print.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;

use crate::run::{Result, words};

/// A count of tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Tally) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// Runs a command, passes on what it prints, and counts the tests that it reports.
/// The second value is `Err` when the command failed; the count stands all the same.
pub(crate) fn watch(command: &mut Command) -> (Tally, Result<()>) {
    let spelled = words(command);
    let mut child = match command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(error) => return (Tally::default(), Err(format!("{spelled}: {error}"))),
    };
    let (counted, counts) = mpsc::channel();
    let streams = [
        child.stdout.take().map(|stream| Box::new(stream) as Box<dyn Read + Send>),
        child.stderr.take().map(|stream| Box::new(stream) as Box<dyn Read + Send>),
    ];
    let readers: Vec<_> = streams
        .into_iter()
        .flatten()
        .map(|stream| {
            let counted = counted.clone();
            thread::spawn(move || pass_on(stream, &counted))
        })
        .collect();
    drop(counted);
    let mut tally = Tally::default();
    for count in counts {
        tally += count;
    }
    for reader in readers {
        let _joined = reader.join();
    }
    let ended = child.wait().map_err(|error| format!("{spelled}: {error}"));
    (
        tally,
        ended.and_then(|status| {
            if status.success() { Ok(()) } else { Err(format!("`{spelled}` ended with {status}")) }
        }),
    )
}

fn pass_on(stream: impl Read, counted: &mpsc::Sender<Tally>) {
    let mut lines = BufReader::new(stream);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
        // A closed terminal is no reason to stop counting.
        let _written = std::io::stdout().write_all(&line);
        if let Some(count) = read(&String::from_utf8_lossy(&line)) {
            let _received = counted.send(count);
        }
        line.clear();
    }
}

/// What a summary line of nextest, `cargo test` or `node --test` counts; `None` for any other line.
///
/// `Summary [0.1s] 3 tests run: 2 passed, 1 failed` · `test result: ok. 2 passed; 1 failed; …` · `ℹ pass 2`, `# fail 1`
fn read(line: &str) -> Option<Tally> {
    let words: Vec<&str> =
        line.split_whitespace().map(|word| word.trim_end_matches([',', ';', '.'])).collect();
    if let ["ℹ" | "#", what @ ("pass" | "fail"), number] = words[..] {
        let number = number.parse().ok()?;
        return Some(if what == "pass" {
            Tally { passed: number, failed: 0 }
        } else {
            Tally { passed: 0, failed: number }
        });
    }
    let summary =
        line.starts_with("test result:") || line.contains(" tests run: ") || line.contains(" test run: ");
    let before = |wanted: &[&str]| {
        words
            .windows(2)
            .filter(|pair| wanted.contains(&pair[1]))
            .filter_map(|pair| pair[0].parse::<u64>().ok())
            .sum()
    };
    summary.then(|| Tally { passed: before(&["passed"]), failed: before(&["failed", "timed"]) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, passed: u64, failed: u64) {
        assert_eq!(read(line), Some(Tally { passed, failed }));
    }

    #[test]
    fn summaries_are_counted() {
        check("     Summary [   0.007s] 12 tests run: 11 passed, 1 failed, 0 skipped", 11, 1);
        check("     Summary [   0.007s] 1 test run: 1 passed (1 slow), 0 skipped", 1, 0);
        check("     Summary [   9.007s] 3 tests run: 1 passed, 1 failed, 1 timed out, 0 skipped", 1, 2);
        check(
            "test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            4,
            2,
        );
        check("ℹ pass 7", 7, 0);
        check("# fail 3", 0, 3);
    }

    #[test]
    fn other_lines_are_not() {
        for line in ["running 3 tests", "3 passed, 1 failed", "ℹ tests 7", "ℹ pass many", ""] {
            assert_eq!(read(line), None, "{line}");
        }
    }

    #[test]
    fn a_failing_command_keeps_its_count() {
        let (tally, ended) =
            watch(Command::new("sh").args(["-c", "echo '# pass 2'; echo '# fail 1' >&2; exit 1"]));
        assert_eq!(tally, Tally { passed: 2, failed: 1 });
        assert!(ended.is_err_and(|message| message.contains("exit status: 1")));
    }
}
