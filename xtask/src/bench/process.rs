//! A process seen from outside: its processor time and its memory, as `/proc` tells.

use std::fs;

use crate::run::Result;

/// Clock ticks a second in `/proc`: fixed at 100 for user space on Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// A running process.
pub(crate) struct Process {
    pub(crate) id: u32,
}

/// Resident memory in megabytes.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    /// At the moment.
    pub(crate) resident: f64,
    /// The most so far.
    pub(crate) peak: f64,
}

impl Process {
    /// Seconds of processor time so far.
    pub(crate) fn seconds(&self) -> Result<f64> {
        let text = self.read("stat")?;
        ticks(&text, &[13, 14]).ok_or_else(|| format!("process {}: no times", self.id))
    }

    pub(crate) fn memory(&self) -> Result<Memory> {
        let text = self.read("status")?;
        let line = |name| megabytes(&text, name).ok_or_else(|| format!("process {}: no {name}", self.id));
        Ok(Memory { resident: line("VmRSS:")?, peak: line("VmHWM:")? })
    }

    /// Megabytes that are its own, mapped files left out.
    pub(crate) fn own_memory(&self) -> Result<f64> {
        let text = self.read("status")?;
        megabytes(&text, "RssAnon:").ok_or_else(|| format!("process {}: no RssAnon", self.id))
    }

    fn read(&self, name: &str) -> Result<String> {
        let path = format!("/proc/{}/{name}", self.id);
        fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))
    }
}

/// Seconds of processor time of the ended children of this process: of `wrk`.
pub(crate) fn children_seconds() -> Result<f64> {
    let text = Process { id: std::process::id() }.read("stat")?;
    ticks(&text, &[15, 16]).ok_or_else(|| "this process has no times".to_owned())
}

/// Seconds that all processors together were busy since the start of the machine.
pub(crate) fn machine_seconds() -> Result<f64> {
    let text = fs::read_to_string("/proc/stat").map_err(|error| format!("/proc/stat: {error}"))?;
    let fields: Vec<f64> = text
        .lines()
        .next()
        .into_iter()
        .flat_map(str::split_whitespace)
        .filter_map(|word| word.parse().ok())
        .collect();
    // user nice system idle iowait irq softirq
    match fields.as_slice() {
        [user, nice, system, _, _, irq, softirq, ..] => {
            Ok((user + nice + system + irq + softirq) / TICKS_PER_SECOND)
        }
        _ => Err("/proc/stat: no times".to_owned()),
    }
}

/// The sum of some fields of `stat`, counted from 0. The second field is a name in parentheses, which may hold anything.
fn ticks(stat: &str, fields: &[usize]) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let words: Vec<&str> = rest.split_whitespace().collect();
    let values = fields.iter().map(|field| words.get(field - 2)?.parse::<f64>().ok());
    Some(values.sum::<Option<f64>>()? / TICKS_PER_SECOND)
}

fn megabytes(status: &str, name: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.split_whitespace().next()?.parse::<f64>().ok()? / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_are_read() {
        let stat = "7 (a) b) S 1 1 1 0 -1 0 0 0 0 0 150 50 10 20 20 0 5 0";
        assert_eq!(ticks(stat, &[13, 14]), Some(2.0));
        assert_eq!(ticks(stat, &[15, 16]), Some(0.3));
        assert_eq!(megabytes("VmHWM:\t 2048 kB\nVmRSS:\t 1024 kB\n", "VmRSS:"), Some(1.0));
        assert_eq!(megabytes("", "VmRSS:"), None);
    }
}
