//! The judge: drawn projects and requests, the same on the embedded engine, compiled by us, and on PostgreSQL, whose own
//! policies and functions decide. Status, headers and body are the same byte for byte, and so is what is stored.
//!
//! What differs is made smaller and written as a case. Deviations that are known are rows of `deviations`; nothing is
//! compared loosely: rows of a request that asks for no order are compared as a set, all else as it came.

mod ask;
mod conditions;
mod deviations;
mod elements;
mod filters;
mod kinds;
mod objects;
mod pair;
mod reads;
mod report;
mod schema;
mod shrink;
mod world;
mod writes;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::answer::Answer;
use crate::oracle::draw::Draw;
use crate::server::{Cluster, Engine};
use ask::Asked;
use pair::{Compared, Difference, Opened, Pair};
use shrink::Finding;
use world::World;

/// How much is asked.
#[derive(Clone, Debug)]
pub struct Effort {
    /// Where the randomness begins: the same projects and requests every time.
    pub seed: u64,
    /// How many projects are drawn.
    pub schemas: u64,
    /// How many requests are asked of each.
    pub requests: u64,
    /// The first project.
    pub first: u64,
    /// When no further project is begun.
    pub time_max: Option<Duration>,
    /// Whether the first difference ends it.
    pub stops: bool,
    /// How many differences are made smaller.
    pub shrunk_max: usize,
    /// Where differences are written.
    pub folder: PathBuf,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// Projects that both engines took.
    pub schemas: u64,
    /// Projects that neither took, with a reason.
    pub refused: Vec<String>,
    /// Requests that were compared.
    pub compared: u64,
    /// How often which status was answered: a generator that only makes errors proves nothing.
    pub statuses: BTreeMap<u16, u64>,
    /// How often which error was answered by both.
    pub errors: BTreeMap<String, u64>,
    /// Deviations that were met.
    pub deviations: BTreeMap<&'static str, u64>,
    /// Differences: how they look alike, how often, and one of them as a case.
    pub differences: BTreeMap<String, (u64, String)>,
}

/// Draws projects and asks, on as many threads as there are processors.
///
/// # Errors
/// An engine that cannot be asked.
pub fn run(effort: &Effort, url: &str) -> Result<Verdict, String> {
    let postgres = Engine::Postgres(Arc::new(Cluster::prepare(url)?));
    let work = Work {
        effort,
        postgres: &postgres,
        next: AtomicU64::new(0),
        is_over: AtomicBool::new(false),
        end: effort.time_max.map(|time| Instant::now() + time),
        verdict: Mutex::default(),
    };
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    let ended: Vec<Result<(), String>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(|| work.work())).collect();
        let ended = threads.into_iter().map(|thread| thread.join());
        ended.map(|ended| ended.unwrap_or_else(|_| Err("a thread panicked".to_owned()))).collect()
    });
    ended.into_iter().collect::<Result<(), String>>()?;
    Ok(work.verdict.into_inner().unwrap_or_else(PoisonError::into_inner))
}

struct Work<'e> {
    effort: &'e Effort,
    postgres: &'e Engine,
    next: AtomicU64,
    is_over: AtomicBool,
    end: Option<Instant>,
    verdict: Mutex<Verdict>,
}

impl Work<'_> {
    fn work(&self) -> Result<(), String> {
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let is_late = self.end.is_some_and(|end| Instant::now() > end);
            if number >= self.effort.schemas || is_late || self.is_over.load(Ordering::Relaxed) {
                return Ok(());
            }
            if let Err(message) = self.project(self.effort.first + number) {
                self.is_over.store(true, Ordering::Relaxed);
                return Err(message);
            }
        }
    }

    fn project(&self, number: u64) -> Result<(), String> {
        let mut draw = Draw::new(self.effort.seed.wrapping_mul(1_000_003).wrapping_add(number));
        let world = World::draw(&mut draw);
        let mut pair = match Pair::open(&world, self.postgres) {
            Opened::Both(pair) => pair,
            Opened::Neither(message) => {
                self.note(|verdict| verdict.refused.push(format!("{number}: {message}")));
                return Ok(());
            }
            Opened::One(engine, message) => {
                let text =
                    format!("Project {number} is refused by {engine} alone: {message}\n\n{}", world.text());
                self.differ(
                    format!("{engine} refuses: {}", message.lines().next().unwrap_or_default()),
                    text,
                );
                return Ok(());
            }
        };
        self.note(|verdict| verdict.schemas += 1);
        let mut kept: Vec<Asked> = Vec::new();
        for _ in 0..self.effort.requests {
            if self.is_over.load(Ordering::Relaxed) {
                return Ok(());
            }
            let asked = request(&world, &mut draw);
            let reply = self.ask(&mut pair, &asked)?;
            let is_kept = asked.changes && !asked.prefers("tx=rollback");
            if is_kept {
                kept.push(asked.clone());
            }
            let is_over = match reply {
                Reply::Same => false,
                Reply::Apart => true,
                Reply::Differs(difference) => {
                    let last = (!is_kept).then(|| asked.clone());
                    let requests = kept.iter().cloned().chain(last).collect();
                    let world = world.clone();
                    self.found(number, Finding { world, requests, difference: *difference });
                    asked.changes
                }
            };
            if is_over {
                kept.clear();
                drop(pair);
                let Opened::Both(again) = Pair::open(&world, self.postgres) else {
                    return Err(format!("project {number} cannot be opened again"));
                };
                pair = again;
            }
        }
        Ok(())
    }

    fn ask(&self, pair: &mut Pair, asked: &Asked) -> Result<Reply, String> {
        let compared = pair.compare(asked)?;
        self.note(|verdict| verdict.compared += 1);
        match compared {
            Compared::Differs(difference) => Ok(Reply::Differs(difference)),
            Compared::Deviates(name) => {
                self.note(|verdict| *verdict.deviations.entry(name).or_default() += 1);
                Ok(if asked.changes { Reply::Apart } else { Reply::Same })
            }
            Compared::Same(answer) => {
                self.count(&answer);
                if !asked.changes {
                    return Ok(Reply::Same);
                }
                if answer.status >= 300 && deviations::counts_on(asked) {
                    return Ok(Reply::Apart);
                }
                Ok(pair.look()?.map_or(Reply::Same, |found| Reply::Differs(Box::new(found))))
            }
        }
    }

    fn count(&self, answer: &Answer) {
        self.note(|verdict| {
            *verdict.statuses.entry(answer.status).or_default() += 1;
            if answer.status >= 300 {
                *verdict.errors.entry(shrink::said(&answer.body)).or_default() += 1;
            }
        });
    }

    /// Makes a finding smaller when it is the first that looks like this, and writes it down.
    fn found(&self, number: u64, finding: Finding) {
        let signature = shrink::signature(&finding.difference);
        let is_new = {
            let mut verdict = self.verdict.lock().unwrap_or_else(PoisonError::into_inner);
            let known = verdict.differences.len();
            let entry = verdict.differences.entry(signature.clone()).or_default();
            entry.0 += 1;
            entry.0 == 1 && known < self.effort.shrunk_max
        };
        if self.effort.stops {
            self.is_over.store(true, Ordering::Relaxed);
        }
        if !is_new {
            let text = report::brief(&finding, number);
            self.note(|verdict| {
                if let Some(entry) = verdict.differences.get_mut(&signature)
                    && entry.1.is_empty()
                {
                    entry.1 = text;
                }
            });
            return;
        }
        let finding = shrink::shrink(finding, self.postgres);
        let text = report::case(&finding, self.effort.seed, number);
        report::write(&self.effort.folder, number, &signature, &text);
        self.note(|verdict| {
            if let Some(entry) = verdict.differences.get_mut(&signature) {
                entry.1 = text;
            }
        });
    }

    fn differ(&self, signature: String, text: String) {
        report::write(&self.effort.folder, 0, &signature, &text);
        self.note(|verdict| {
            let entry = verdict.differences.entry(signature).or_insert((0, text));
            entry.0 += 1;
        });
        if self.effort.stops {
            self.is_over.store(true, Ordering::Relaxed);
        }
    }

    fn note(&self, change: impl FnOnce(&mut Verdict)) {
        change(&mut self.verdict.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// What came of a request.
enum Reply {
    Same,
    /// As known, but what is stored may differ from here on: both begin anew.
    Apart,
    Differs(Box<Difference>),
}

/// One request of somebody.
fn request(world: &World, draw: &mut Draw) -> Asked {
    let people = world::people();
    let person = *draw.of(&people);
    let asked = match draw.below(20) {
        0..=10 => reads::draw(world, draw),
        11..=16 => writes::draw(world, draw),
        _ => writes::call(world, draw),
    };
    Asked { person, ..asked }
}
