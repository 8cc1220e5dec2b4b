//! The judge: drawn projects and requests, the same on the embedded engine, compiled by us, and on PostgreSQL, whose own
//! policies and functions decide. Status, headers and body are the same byte for byte, and so is what is stored.
//!
//! What differs is made smaller and written as a case. Deviations that are known are rows of `deviations`; nothing is
//! compared loosely: rows of a request that asks for no order are compared as a set, all else as it came.

mod around;
mod ask;
mod bodies;
mod conditions;
mod deviations;
mod elements;
mod filters;
mod kinds;
mod objects;
mod pair;
mod probe;
mod programs;
mod queries;
mod reads;
mod report;
mod scene;
mod schema;
mod shrink;
mod terms;
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
use probe::Probe;
use shrink::Finding;
use world::World;

/// What is asked of projects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Requests of the Data API, under policies.
    Requests,
    /// Queries in functions and views.
    Queries,
    /// Programs in functions, triggers and blocks.
    Programs,
}

/// How much is asked.
#[derive(Clone, Debug)]
pub struct Effort {
    /// Of what.
    pub part: Part,
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
    /// Generated statements that PostgreSQL refuses, by what it says.
    pub untaken: BTreeMap<String, u64>,
    /// What the embedded engine refuses by its name, in generated queries and programs.
    pub lacking: BTreeMap<String, u64>,
    /// How often which status was answered: a generator that only makes errors proves nothing.
    pub statuses: BTreeMap<u16, u64>,
    /// How often which error was answered by both.
    pub errors: BTreeMap<String, u64>,
    /// Deviations that were met: how often, and one of them.
    pub deviations: BTreeMap<&'static str, (u64, String)>,
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
        url,
        postgres: &postgres,
        next: AtomicU64::new(0),
        is_over: AtomicBool::new(false),
        end: effort.time_max.map(|time| Instant::now() + time),
        verdict: Mutex::default(),
    };
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    let ended: Vec<Result<(), String>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers)
            .map(|number| {
                scope.spawn({
                    let work = &work;
                    move || work.work(number)
                })
            })
            .collect();
        let ended = threads.into_iter().map(|thread| thread.join());
        ended.map(|ended| ended.unwrap_or_else(|_| Err("a thread panicked".to_owned()))).collect()
    });
    ended.into_iter().collect::<Result<(), String>>()?;
    Ok(work.verdict.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// A project, and what is asked of it.
struct Drawn {
    world: World,
    requests: Vec<Asked>,
}

struct Work<'e> {
    effort: &'e Effort,
    url: &'e str,
    postgres: &'e Engine,
    next: AtomicU64,
    is_over: AtomicBool,
    end: Option<Instant>,
    verdict: Mutex<Verdict>,
}

impl Work<'_> {
    fn work(&self, worker: usize) -> Result<(), String> {
        let mut probe = match self.effort.part {
            Part::Requests => None,
            Part::Queries | Part::Programs => {
                Some(Probe::open(self.url, &format!("backplane_judge_probe_{worker}"))?)
            }
        };
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let is_late = self.end.is_some_and(|end| Instant::now() > end);
            if number >= self.effort.schemas || is_late || self.is_over.load(Ordering::Relaxed) {
                return Ok(());
            }
            if let Err(message) = self.project(self.effort.first + number, probe.as_mut()) {
                self.is_over.store(true, Ordering::Relaxed);
                return Err(message);
            }
        }
    }

    /// The project of a number, and what is asked of it.
    fn draw(&self, number: u64, probe: Option<&mut Probe>) -> Result<Drawn, String> {
        let mut draw = Draw::new(self.effort.seed.wrapping_mul(1_000_003).wrapping_add(number));
        let count = self.effort.requests;
        let Some(probe) = probe else {
            let world = World::draw(&mut draw);
            let requests = (0..count).map(|_| request(&world, &mut draw)).collect();
            return Ok(Drawn { world, requests });
        };
        let mut verdict = Verdict::default();
        let drawn = if self.effort.part == Part::Programs {
            bodies::programs(&mut draw, count, probe, &mut verdict)?
        } else {
            bodies::queries(&mut draw, count, probe, &mut verdict)?
        };
        self.note(|all| {
            for (message, times) in verdict.untaken {
                *all.untaken.entry(message).or_default() += times;
            }
        });
        Ok(drawn)
    }

    fn project(&self, number: u64, probe: Option<&mut Probe>) -> Result<(), String> {
        let Drawn { mut world, mut requests } = self.draw(number, probe)?;
        let mut opened = Pair::open(&world, self.postgres);
        // Views and blocks that the embedded engine lacks something for are left out.
        while let Opened::One("sqlite", message) = &opened
            && self.effort.part != Part::Requests
            && deviations::is_lacking(message)
        {
            self.note(|verdict| {
                let line = message.lines().next().unwrap_or_default();
                *verdict.lacking.entry(line.to_owned()).or_default() += 1;
            });
            if world.without_lines(&deviations::lines(message)) == 0 {
                break;
            }
            opened = Pair::open(&world, self.postgres);
        }
        if self.effort.part == Part::Queries {
            let text = world.sql();
            let is_there = |asked: &Asked| {
                let name = asked.path.trim_start_matches("rpc/");
                ["function", "view"].iter().any(|what| {
                    [" ", "("].iter().any(|end| text.contains(&format!("create {what} {name}{end}")))
                })
            };
            requests.retain(is_there);
        }
        let mut pair = match opened {
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
        for asked in requests {
            if self.is_over.load(Ordering::Relaxed) {
                return Ok(());
            }
            let reply = self.ask(number, &mut pair, &asked)?;
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
                pair = match Pair::open(&world, self.postgres) {
                    Opened::Both(again) => again,
                    Opened::Neither(message) | Opened::One(_, message) => {
                        return Err(format!("project {number} cannot be opened again: {message}"));
                    }
                };
            }
        }
        Ok(())
    }

    fn ask(&self, number: u64, pair: &mut Pair, asked: &Asked) -> Result<Reply, String> {
        let compared = pair.compare(asked)?;
        self.note(|verdict| verdict.compared += 1);
        match compared {
            Compared::Differs(difference) => Ok(Reply::Differs(difference)),
            Compared::Deviates(name, difference) => {
                self.note(|verdict| {
                    let known = verdict.deviations.entry(name).or_default();
                    known.0 += 1;
                    if known.1.is_empty() {
                        known.1 = report::brief(asked, &difference, number);
                    }
                });
                Ok(if asked.changes { Reply::Apart } else { Reply::Same })
            }
            Compared::Lacks(reason) => {
                self.note(|verdict| *verdict.lacking.entry(reason).or_default() += 1);
                let is_over = asked.changes && !asked.prefers("tx=rollback");
                Ok(if is_over { Reply::Apart } else { Reply::Same })
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
            let text = report::brief_of(&finding, number);
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
