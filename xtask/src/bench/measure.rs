//! Load by `wrk`, in rounds over all targets, and the median of each.

use std::path::Path;
use std::process::Command;

use super::process::{self, Process};
use super::target::Target;
use super::workload::{self, BARE, WORKLOADS, Workload};
use crate::run::{Result, output};

/// How thoroughly to measure.
pub(crate) struct Pace {
    /// Which connections of a workload are tried.
    pub(crate) connections: fn(&Workload) -> &'static [u32],
    /// Rounds, of which the median counts; a warm-up of a second comes on top.
    pub(crate) rounds: usize,
    /// Seconds of a round.
    pub(crate) seconds: u32,
    /// A part of the name of the workloads that are tried.
    pub(crate) only: Option<String>,
}

impl Pace {
    /// The workloads that are tried.
    pub(super) fn workloads(&self) -> impl Iterator<Item = &'static Workload> {
        WORKLOADS.iter().filter(|workload| self.only.as_ref().is_none_or(|part| workload.name.contains(part)))
    }
}

/// Below four minutes.
pub(crate) const FULL: Pace =
    Pace { connections: |workload| workload.connections, rounds: 3, seconds: 2, only: None };

/// Below one.
pub(crate) const QUICK: Pace =
    Pace { connections: |workload| workload.quick, rounds: 1, seconds: 2, only: None };

/// Load of one kind on one number of connections.
pub(crate) struct Cell {
    pub(crate) name: &'static str,
    pub(crate) connections: u32,
    pub(crate) aim: f64,
    /// The server's; `None` for what only the ceiling has.
    pub(crate) server: Option<Figures>,
    pub(crate) ceiling: Figures,
}

/// What was measured of one program.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Figures {
    pub(crate) per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// Processor time of the program for a request, in microseconds.
    pub(crate) cpu_us: f64,
    /// Requests that failed, of all rounds.
    pub(crate) failed: u64,
    /// Processor time that neither the program nor `wrk` took, as a share of one processor.
    pub(crate) foreign: f64,
}

/// Measures everything.
pub(crate) fn all(targets: &[Target; 2], folder: &Path, user: &str, pace: &Pace) -> Result<Vec<Cell>> {
    let [server, ceiling] = targets;
    let mut cells = Vec::new();
    for workload in pace.workloads() {
        for &connections in (pace.connections)(workload) {
            let load = Load { workload, connections, folder, user };
            let mut medians = load.medians(&[server, ceiling], pace)?.into_iter();
            if let (Some(server), Some(ceiling)) = (medians.next(), medians.next()) {
                cells.push(Cell::of(&load, Some(server), ceiling));
            }
        }
    }
    for &connections in (pace.connections)(&BARE) {
        let load = Load { workload: &BARE, connections, folder, user };
        let medians = load.medians(&[ceiling], pace)?;
        cells.extend(medians.into_iter().map(|bare| Cell::of(&load, None, bare)));
    }
    Ok(cells)
}

impl Cell {
    fn of(load: &Load<'_>, server: Option<Figures>, ceiling: Figures) -> Cell {
        let Workload { name, aim, .. } = *load.workload;
        Cell { name, connections: load.connections, aim, server, ceiling }
    }

    /// The server's requests as a share of the ceiling's.
    pub(crate) fn ratio(&self) -> Option<f64> {
        self.server.as_ref().map(|server| server.per_second / self.ceiling.per_second)
    }
}

/// Load of one kind on one number of connections.
pub(super) struct Load<'a> {
    pub(super) workload: &'a Workload,
    pub(super) connections: u32,
    pub(super) folder: &'a Path,
    pub(super) user: &'a str,
}

impl Load<'_> {
    /// The median of each target.
    fn medians(&self, targets: &[&Target], pace: &Pace) -> Result<Vec<Figures>> {
        let mut rounds: Vec<Vec<Figures>> = targets.iter().map(|_| Vec::new()).collect();
        for target in targets {
            self.run(target, 1)?;
        }
        for _ in 0..pace.rounds {
            for (target, rounds) in targets.iter().zip(&mut rounds) {
                rounds.push(self.run(target, pace.seconds)?);
            }
        }
        Ok(rounds.into_iter().filter_map(median).collect())
    }

    /// A round on one target.
    pub(super) fn run(&self, target: &Target, seconds: u32) -> Result<Figures> {
        let script = self.folder.join("load.lua");
        std::fs::write(&script, workload::script(self.workload, target, self.user))
            .map_err(|error| format!("{}: {error}", script.display()))?;
        let process = target.process()?;
        let before = Spent::so_far(&process)?;
        let mut wrk = Command::new("wrk");
        wrk.args(["-t1", "--timeout", "20s", &format!("-d{seconds}s"), &format!("-c{}", self.connections)]);
        wrk.arg("-s").arg(script).arg(format!("http://{}", target.address));
        let printed = output(&mut wrk)?;
        let spent = Spent::so_far(&process)?.since(&before);
        read(&printed, &spent).ok_or_else(|| format!("{}: cannot read\n{printed}", self.workload.name))
    }
}

/// Seconds of processor time.
struct Spent {
    by_process: f64,
    by_load: f64,
    by_all: f64,
}

impl Spent {
    fn so_far(process: &Process) -> Result<Spent> {
        Ok(Spent {
            by_process: process.seconds()?,
            by_load: process::children_seconds()?,
            by_all: process::machine_seconds()?,
        })
    }

    fn since(&self, before: &Spent) -> Spent {
        Spent {
            by_process: self.by_process - before.by_process,
            by_load: self.by_load - before.by_load,
            by_all: self.by_all - before.by_all,
        }
    }
}

/// Reads the line that the script of a workload prints.
fn read(printed: &str, spent: &Spent) -> Option<Figures> {
    let line = printed.lines().find_map(|line| line.strip_prefix("RESULT"))?;
    let numbers: Vec<f64> = line.split_whitespace().map(|word| word.parse().ok()).collect::<Option<_>>()?;
    let &[requests, micros, p50, p99, failed] = numbers.as_slice() else { return None };
    let seconds = micros / 1e6;
    Some(Figures {
        per_second: requests / seconds,
        p50_ms: p50 / 1e3,
        p99_ms: p99 / 1e3,
        cpu_us: spent.by_process * 1e6 / requests,
        failed: whole(failed),
        foreign: (spent.by_all - spent.by_process - spent.by_load) / seconds,
    })
}

/// The round in the middle by its requests, with the failures of all.
pub(super) fn median(mut rounds: Vec<Figures>) -> Option<Figures> {
    rounds.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
    let failed = rounds.iter().map(|round| round.failed).sum();
    let middle = rounds.len() / 2;
    Some(Figures { failed, ..rounds.into_iter().nth(middle)? })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
fn whole(number: f64) -> u64 {
    number as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPENT: Spent = Spent { by_process: 1.0, by_load: 0.5, by_all: 2.0 };

    #[test]
    fn a_result_is_read() {
        let figures = read("noise\nRESULT\t1000\t2000000\t150\t2500\t3\n", &SPENT).unwrap();
        assert_eq!((figures.per_second, figures.cpu_us, figures.failed), (500.0, 1000.0, 3));
        assert_eq!((figures.p50_ms, figures.p99_ms, figures.foreign), (0.15, 2.5, 0.25));
        assert_eq!(read("RESULT\t1\n", &SPENT), None);
    }

    #[test]
    fn the_median_keeps_every_failure() {
        let round = |per_second, failed| Figures {
            per_second,
            p50_ms: 0.0,
            p99_ms: 0.0,
            cpu_us: 0.0,
            failed,
            foreign: 0.0,
        };
        let middle = median(vec![round(3.0, 1), round(1.0, 0), round(2.0, 5)]).unwrap();
        assert_eq!((middle.per_second, middle.failed), (2.0, 6));
        assert_eq!(median(Vec::new()), None);
    }
}
