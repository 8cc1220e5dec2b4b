//! The figures as a table and as JSON.

use std::fmt::Write;

use serde_json::{Value, json};

use super::measure::{Cell, Figures};
use super::process::Memory;
use crate::run::Result;

/// More than this share of a processor taken by others makes a run doubtful.
const FOREIGN_MAX: f64 = 0.12;

/// Everything that a run found. The lists are the server's and the ceiling's.
pub(crate) struct Report {
    pub(crate) cells: Vec<Cell>,
    /// Milliseconds.
    pub(crate) starts: Vec<f64>,
    pub(crate) idle: Vec<Memory>,
    pub(crate) busy: Vec<Memory>,
    pub(crate) seconds: u32,
}

impl Report {
    /// The table for a terminal.
    pub(crate) fn text(&self) -> String {
        let mut out = String::from(
            "workload         conns │  req/s  p50 ms  p99 ms  CPU µs │ ceiling  p50 ms  p99 ms  CPU µs │ ratio   aim\n",
        );
        for cell in &self.cells {
            let server = cell.server.as_ref().map_or_else(|| format!("{:32}", ""), columns);
            let ratio = cell.ratio().map_or_else(String::new, |ratio| {
                format!("{:4.0} %  {:3.0} %", ratio * 100.0, cell.aim * 100.0)
            });
            let ceiling = columns(&cell.ceiling);
            let _ = writeln!(out, "{:<16} {:>5} │{server}│{ceiling}│{ratio}", cell.name, cell.connections);
        }
        for (name, aim, values) in self.singles() {
            let values: Vec<String> = values.iter().map(|value| format!("{value:.1}")).collect();
            let _ = writeln!(out, "{name:<22} {:>8}   ceiling {:>8}   aim {aim}", values[0], values[1]);
        }
        let _ = writeln!(
            out,
            "One machine for all: {}, {} processors; rounds of {} s; errors: {}.",
            processor(),
            std::thread::available_parallelism().map_or(0, usize::from),
            self.seconds,
            self.failed()
        );
        let foreign = self.foreign();
        if foreign > FOREIGN_MAX {
            let _ =
                writeln!(out, "Doubtful: other programs took up to {:.0} % of a processor.", foreign * 100.0);
        }
        out
    }

    /// The same for programs.
    pub(crate) fn json(&self) -> String {
        let cells: Vec<Value> = self
            .cells
            .iter()
            .map(|cell| {
                json!({
                    "workload": cell.name,
                    "connections": cell.connections,
                    "aim": cell.aim,
                    "ratio": cell.ratio(),
                    "server": cell.server.as_ref().map(figures),
                    "ceiling": figures(&cell.ceiling),
                })
            })
            .collect();
        let singles: serde_json::Map<String, Value> = self
            .singles()
            .into_iter()
            .map(|(name, _, values)| (name.to_owned(), json!({"server": values[0], "ceiling": values[1]})))
            .collect();
        let report = json!({
            "processor": processor(),
            "processors": std::thread::available_parallelism().map_or(0, usize::from),
            "foreign": self.foreign(),
            "cells": cells,
            "single": singles,
        });
        format!("{report:#}")
    }

    /// An error when requests failed.
    pub(crate) fn verdict(&self) -> Result<()> {
        match self.failed() {
            0 => Ok(()),
            failed => Err(format!("{failed} requests failed: the figures say nothing")),
        }
    }

    /// Rows of one number for the server and one for the ceiling.
    fn singles(&self) -> [(&'static str, &'static str, [f64; 2]); 4] {
        let of = |list: &[Memory], part: fn(&Memory) -> f64| two(list.iter().map(part));
        [
            ("start, ms", "50", two(self.starts.iter().copied())),
            ("resident idle, MB", "40", of(&self.idle, |memory| memory.resident)),
            ("resident loaded, MB", "120", of(&self.busy, |memory| memory.resident)),
            ("resident peak, MB", "120", of(&self.busy, |memory| memory.peak)),
        ]
    }

    fn all(&self) -> impl Iterator<Item = &Figures> {
        self.cells.iter().flat_map(|cell| cell.server.iter().chain([&cell.ceiling]))
    }

    fn failed(&self) -> u64 {
        self.all().map(|figures| figures.failed).sum()
    }

    fn foreign(&self) -> f64 {
        self.all().map(|figures| figures.foreign).fold(0.0, f64::max)
    }
}

fn columns(figures: &Figures) -> String {
    let Figures { per_second, p50_ms, p99_ms, cpu_us, .. } = figures;
    format!("{per_second:>7.0} {p50_ms:>7.2} {p99_ms:>7.2} {cpu_us:>7.0} ")
}

fn figures(figures: &Figures) -> Value {
    json!({
        "per_second": figures.per_second,
        "p50_ms": figures.p50_ms,
        "p99_ms": figures.p99_ms,
        "cpu_us": figures.cpu_us,
        "failed": figures.failed,
    })
}

fn two(mut values: impl Iterator<Item = f64>) -> [f64; 2] {
    [values.next().unwrap_or_default(), values.next().unwrap_or_default()]
}

fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("model name"));
    line.map_or_else(|| "unknown".to_owned(), |line| line.trim_start_matches([' ', '\t', ':']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_request_fails_the_run() {
        let figures = |failed| Figures {
            per_second: 100.0,
            p50_ms: 1.0,
            p99_ms: 2.0,
            cpu_us: 3.0,
            failed,
            foreign: 0.5,
        };
        let cell = |failed| Cell {
            name: "list 20",
            connections: 16,
            aim: 0.65,
            server: Some(figures(failed)),
            ceiling: Figures { per_second: 200.0, ..figures(0) },
        };
        let report = |failed| Report {
            cells: vec![cell(failed)],
            starts: vec![1.0, 2.0],
            idle: Vec::new(),
            busy: Vec::new(),
            seconds: 2,
        };
        assert!(report(1).verdict().is_err());
        assert!(report(0).verdict().is_ok());
        let text = report(0).text();
        assert!(text.contains("50 %   65 %"), "{text}");
        assert!(text.contains("Doubtful"), "{text}");
        assert!(report(0).json().contains("\"ratio\": 0.5"));
    }
}
