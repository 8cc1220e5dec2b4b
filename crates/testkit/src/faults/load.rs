//! Writers: each with a connection and units of its own, one request at a time, until the server is gone.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{Scope, ScopedJoinHandle};

use super::ledger::{State, Unit, note, settle};
use super::project::Endpoint;
use super::random::Numbers;
use super::wire::Connection;
use crate::answer::Answer;
use crate::play::Ask;

/// Writers at the same time.
pub const WRITERS: u64 = 8;

/// Most rows of a unit.
const ROWS_MAX: u64 = 20;

/// Units at the end of a writer's list that it may change.
const RECENT: usize = 100;

/// Units that are compared by one request: their rows stay below what a read returns.
const COMPARED: usize = 40;

/// Complaints that are told: one mistake makes many.
const COMPLAINTS_MAX: usize = 10;

/// The code of a full disk, as it stands in an answer.
const DISK_FULL: &str = "\"53100\"";

/// What all writers share.
#[derive(Debug, Default)]
pub struct Shared {
    /// The next unit's number.
    next: AtomicU64,
    /// Answers that said yes.
    pub promised: AtomicU64,
    /// Answers that said that the disk is full.
    pub full: AtomicU64,
    /// Set when writers should stop by themselves.
    pub stop: AtomicBool,
}

/// A writer and its part of the ledger.
#[derive(Debug)]
pub struct Writer {
    units: Vec<Unit>,
    numbers: Numbers,
    /// Answers that it did not expect.
    complaints: Vec<String>,
}

/// One request: to which unit, and what the unit is when it is done.
struct Write {
    unit: usize,
    after: State,
    ask: Ask,
    /// Whether it has to be refused.
    must_fail: bool,
}

/// Writers for a scenario.
pub fn writers(seed: u64) -> Vec<Writer> {
    let numbers = (0..WRITERS).map(|number| Numbers::of(seed.wrapping_mul(WRITERS).wrapping_add(number)));
    numbers.map(|numbers| Writer { units: Vec::new(), numbers, complaints: Vec::new() }).collect()
}

/// Starts all writers on a server. They end when their connections do, or when they are told.
pub fn start<'scope, 'env>(
    scope: &'scope Scope<'scope, 'env>,
    writers: &'env mut [Writer],
    server: &'env Endpoint,
    shared: &'env Shared,
) -> Vec<ScopedJoinHandle<'scope, ()>> {
    let start = |writer: &'env mut Writer| scope.spawn(|| writer.run(server, shared));
    writers.iter_mut().map(start).collect()
}

impl Writer {
    fn run(&mut self, server: &Endpoint, shared: &Shared) {
        let Ok(mut connection) = Connection::open(server.address) else { return };
        while !shared.stop.load(Ordering::Relaxed) {
            let write = self.choose(server, shared);
            if let Some(unit) = self.units.get_mut(write.unit) {
                unit.maybe = Some(write.after);
                unit.is_touched = true;
            }
            let Ok(answer) = connection.ask(&write.ask) else { return };
            self.note(&write, &answer, shared);
        }
    }

    /// Takes an answer into the ledger.
    fn note(&mut self, write: &Write, answer: &Answer, shared: &Shared) {
        let Some(unit) = self.units.get_mut(write.unit) else { return };
        unit.maybe = None;
        match answer.status {
            200..300 if !write.must_fail => {
                unit.sure = write.after;
                shared.promised.fetch_add(1, Ordering::Relaxed);
            }
            409 if write.must_fail => {}
            503 if answer.body.contains(DISK_FULL) => {
                shared.full.fetch_add(1, Ordering::Relaxed);
            }
            status => {
                let Ask { method, target, .. } = &write.ask;
                self.complaints.push(format!("{method} {target} ({unit}): {status} {}", answer.body));
            }
        }
    }

    fn choose(&mut self, server: &Endpoint, shared: &Shared) -> Write {
        let value = self.numbers.below(1_000_000_000);
        match (self.numbers.below(100), self.present()) {
            (0..20, Some(unit)) => self.update(unit, value, server),
            (20..30, Some(unit)) => self.upsert(unit, value, server),
            (30..35, Some(unit)) => self.delete(unit, server),
            (35..40, Some(unit)) => self.duplicate(unit, value, server, shared),
            (40..70, _) => self.insert(1, value, server, shared),
            _ => {
                let rows = 2 + self.numbers.below(ROWS_MAX - 1);
                self.insert(rows, value, server, shared)
            }
        }
    }

    /// A recent unit that is surely there.
    fn present(&mut self) -> Option<usize> {
        let first = self.units.len().saturating_sub(RECENT);
        let at = first + self.numbers.position(self.units.len() - first);
        self.units.get(at).filter(|unit| unit.maybe.is_none() && unit.sure != State::Absent).map(|_| at)
    }

    fn insert(&mut self, rows: u64, value: u64, server: &Endpoint, shared: &Shared) -> Write {
        let unit = Unit::absent(shared.next.fetch_add(1, Ordering::Relaxed), rows);
        let ask = server.ask("POST", "/rest/v1/entries", unit.body(value));
        self.units.push(unit);
        Write { unit: self.units.len() - 1, after: State::Present(value), ask, must_fail: false }
    }

    /// A new unit and a row that is there already: none of it may stay.
    fn duplicate(&mut self, present: usize, value: u64, server: &Endpoint, shared: &Shared) -> Write {
        let taken = self.units.get(present).map_or(String::new(), |unit| unit.body(value));
        let mut write = self.insert(2, value, server, shared);
        let body = write.ask.body.trim_end_matches(']');
        write.ask.body = format!("{body},{}", taken.trim_start_matches('['));
        Write { after: State::Absent, must_fail: true, ..write }
    }

    fn update(&mut self, unit: usize, value: u64, server: &Endpoint) -> Write {
        let number = self.number(unit);
        let body = format!(r#"{{"value":{value},"note":"{}"}}"#, note(number, value));
        let ask = server.ask("PATCH", &format!("/rest/v1/entries?unit=eq.{number}"), body);
        Write { unit, after: State::Present(value), ask, must_fail: false }
    }

    fn upsert(&mut self, unit: usize, value: u64, server: &Endpoint) -> Write {
        let body = self.units.get(unit).map_or(String::new(), |unit| unit.body(value));
        let mut ask = server.ask("POST", "/rest/v1/entries?on_conflict=id", body);
        ask.headers.push(("Prefer".to_owned(), "resolution=merge-duplicates".to_owned()));
        Write { unit, after: State::Present(value), ask, must_fail: false }
    }

    fn delete(&mut self, unit: usize, server: &Endpoint) -> Write {
        let target = format!("/rest/v1/entries?unit=eq.{}", self.number(unit));
        Write {
            unit,
            after: State::Absent,
            ask: server.ask("DELETE", &target, String::new()),
            must_fail: false,
        }
    }

    fn number(&self, unit: usize) -> u64 {
        self.units.get(unit).map_or(0, |unit| unit.number)
    }
}

/// Compares what was touched with what a server has; how many units that were.
///
/// # Errors
/// Every promise that was not kept.
pub fn compare(writers: &mut [Writer], server: &Endpoint) -> Result<usize, String> {
    let units = writers.iter_mut().flat_map(|writer| &mut writer.units).filter(|unit| unit.is_touched);
    compare_units(units.collect(), server)
}

/// Compares everything, and counts the rows, so that none is there that nobody wrote.
///
/// # Errors
/// Every promise that was not kept.
pub fn compare_all(writers: &mut [Writer], server: &Endpoint) -> Result<usize, String> {
    let units: Vec<&mut Unit> = writers.iter_mut().flat_map(|writer| &mut writer.units).collect();
    let compared = compare_units(units, server)?;
    let present = |unit: &&Unit| unit.sure != State::Absent;
    let rows: u64 =
        writers.iter().flat_map(|writer| &writer.units).filter(present).map(|unit| unit.rows).sum();
    let mut ask = server.ask("GET", "/rest/v1/entries?select=id&limit=1", String::new());
    ask.headers.push(("Prefer".to_owned(), "count=exact".to_owned()));
    let answer = server.answer(&ask)?;
    let counted = answer.header("content-range").unwrap_or_default();
    if counted.ends_with(&format!("/{rows}")) {
        return Ok(compared);
    }
    Err(format!("{rows} rows were promised, but the server counts {counted}"))
}

fn compare_units(mut units: Vec<&mut Unit>, server: &Endpoint) -> Result<usize, String> {
    for units in units.chunks_mut(COMPARED) {
        let numbers: Vec<String> = units.iter().map(|unit| unit.number.to_string()).collect();
        let target = format!(
            "/rest/v1/entries?select=id,unit,part,value,note&unit=in.({})&order=unit,part",
            numbers.join(",")
        );
        let answer = server.answer(&server.ask("GET", &target, String::new()))?;
        if answer.status != 200 {
            return Err(format!("{target}: {} {}", answer.status, answer.body));
        }
        settle(units.iter_mut().map(|unit| &mut **unit), &answer.body)?;
    }
    Ok(units.len())
}

/// What writers did not expect to be told.
///
/// # Errors
/// The first few, a line for each.
pub fn complaints(writers: &[Writer]) -> Result<(), String> {
    let complaints = writers.iter().flat_map(|writer| &writer.complaints).map(String::as_str);
    let complaints: Vec<&str> = complaints.take(COMPLAINTS_MAX).collect();
    if complaints.is_empty() { Ok(()) } else { Err(complaints.join("\n")) }
}
