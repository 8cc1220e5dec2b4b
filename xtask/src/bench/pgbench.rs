//! `pgbench` beside the server: the statements that the server was seen to send, over as many connections.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use crate::run::{Result, output};

/// A statement with the values that it was sent with.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sent {
    /// Who ran it.
    pub(super) process: String,
    pub(super) text: String,
    pub(super) values: Vec<Option<String>>,
}

/// Finds in a log of PostgreSQL every statement that was run after it was prepared, in order.
pub(super) fn sent(log: &str) -> Vec<Sent> {
    let mut found: Vec<Sent> = Vec::new();
    // Where it says what it was bound to, it says so twice.
    let mut is_run = false;
    for line in log.lines() {
        if let Some((head, said)) = line.split_once("LOG:  ") {
            let run = said.split_once("  execute ").and_then(|(_, rest)| rest.split_once(": "));
            is_run = run.is_some();
            let process = head.split(['[', ']']).nth(1).unwrap_or_default().to_owned();
            found.extend(run.map(|(_, text)| Sent { process, text: text.to_owned(), values: Vec::new() }));
        } else if let Some((_, values)) = line.split_once("DETAIL:  parameters: ").filter(|_| is_run)
            && let Some(last) = found.last_mut()
        {
            last.values = read_values(values);
        }
    }
    found
}

/// `$1 = 'a', $2 = NULL`
fn read_values(text: &str) -> Vec<Option<String>> {
    let mut values = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(" = ") {
        match after.strip_prefix('\'') {
            None => {
                values.push(None);
                rest = after;
            }
            Some(quoted) => {
                let (value, left) = quoted_end(quoted);
                values.push(Some(value));
                rest = left;
            }
        }
    }
    values
}

/// A text up to its closing quotation mark, and what follows.
fn quoted_end(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\'') {
        value.push_str(before);
        match after.strip_prefix('\'') {
            Some(after) => {
                value.push('\'');
                rest = after;
            }
            None => return (value, after),
        }
    }
    (value, "")
}

/// A script of `pgbench` and the values of its variables.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Script {
    pub(super) text: String,
    pub(super) variables: Vec<String>,
}

impl Script {
    /// Draws the number that differs from request to request.
    pub(super) fn draw(&mut self, from: u64, to: u64) {
        // Writing to a `String` cannot fail.
        let _ = writeln!(self.text, "\\set number random({from}, {to})");
    }

    pub(super) fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// A statement; the value that is `sample` is the drawn number, except where there is none.
    pub(super) fn statement(&mut self, sent: &Sent, sample: Option<&str>) {
        let mut text = sent.text.clone();
        // From the last on: `$1` is the beginning of `$10`.
        for (position, value) in sent.values.iter().enumerate().rev() {
            let name = match value {
                None => "NULL".to_owned(),
                Some(value) if Some(value.as_str()) == sample => ":number".to_owned(),
                Some(value) => {
                    let name = format!("v{}", self.variables.len());
                    self.variables.push(format!("{name}={value}"));
                    format!(":{name}")
                }
            };
            text = text.replace(&format!("${}", position + 1), &name);
        }
        self.line(&format!("{text};"));
    }

    /// Transactions a second, and milliseconds of one.
    pub(super) fn run(&self, url: &str, folder: &Path, connections: u32, seconds: u32) -> Result<(f64, f64)> {
        let path = folder.join("pgbench.sql");
        std::fs::write(&path, &self.text).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut command = Command::new("pgbench");
        command.args([
            "-n",
            "-M",
            "prepared",
            "-j",
            "1",
            "-c",
            &connections.to_string(),
            "-T",
            &seconds.to_string(),
        ]);
        for variable in &self.variables {
            command.args(["-D", variable]);
        }
        let printed = output(command.arg("-f").arg(path).arg(url))?;
        read(&printed).ok_or_else(|| format!("pgbench: cannot read\n{printed}"))
    }
}

fn read(printed: &str) -> Option<(f64, f64)> {
    let number = |name: &str| {
        let line = printed.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<f64>().ok()
    };
    let failed = number("number of failed transactions: ").unwrap_or_default();
    (failed == 0.0).then_some((number("tps = ")?, number("latency average = ")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_found_with_their_values() {
        let log = "2026 UTC [7] LOG:  duration: 0.1 ms  parse s1: SELECT $1\n\
                   2026 UTC [7] LOG:  duration: 0.2 ms  execute s1: SELECT a FROM b WHERE c = $1::int8 AND d = $2\n\
                   2026 UTC [7] DETAIL:  parameters: $1 = '7', $2 = 'it''s, $3 = 1'\n\
                   2026 UTC [7] LOG:  duration: 0.2 ms  bind s2: SELECT $1\n\
                   2026 UTC [7] DETAIL:  parameters: $1 = 'another'\n\
                   2026 UTC [7] LOG:  duration: 0.2 ms  statement: COMMIT\n";
        let text = "SELECT a FROM b WHERE c = $1::int8 AND d = $2".to_owned();
        let values = vec![Some("7".to_owned()), Some("it's, $3 = 1".to_owned())];
        assert_eq!(sent(log), [Sent { process: "7".to_owned(), text, values }]);
        assert_eq!(read_values("$1 = NULL, $2 = 'x'"), [None, Some("x".to_owned())]);
    }

    #[test]
    fn a_script_draws_one_number_and_keeps_the_rest() {
        let values = vec![Some("7".to_owned()), Some("x y".to_owned()), None];
        let mut script = Script::default();
        let text = "SELECT $1, $2, $3".to_owned();
        script.statement(&Sent { process: String::new(), text, values }, Some("7"));
        assert_eq!(script.text, "SELECT :number, :v0, NULL;\n");
        assert_eq!(script.variables, ["v0=x y"]);
    }

    #[test]
    fn its_figures_are_read() {
        let printed =
            "number of failed transactions: 0 (0.000%)\nlatency average = 0.5 ms\ntps = 1234.5 (without)\n";
        assert_eq!(read(printed), Some((1234.5, 0.5)));
        assert_eq!(
            read("number of failed transactions: 3 (1%)\nlatency average = 1 ms\ntps = 1 (x)\n"),
            None
        );
    }
}
