//! Oracles over generated projects: what a caller may not see does not change a byte of what they get.
//!
//! - **Non-interference.** Two worlds that differ only in rows that the caller may not see answer every request alike:
//!   status, headers, body, errors.
//! - **Sight.** Everybody sees exactly the rows that the policies show them.
//! - **Filtered copy.** The answer under policies is the answer without policies on a copy that holds the visible rows
//!   alone.
//!
//! Who sees what is decided here, by an evaluation of the generated policies that shares nothing with the product.
//! Exceptions are those of the book of known leaks: no request uses the key of a hidden row.

pub(crate) mod draw;
mod predicate;
mod request;
mod world;

use crate::answer::Answer;
use crate::case::{Case, Rows};
use crate::people;
use crate::play::{Ask, Serve, Server};

use draw::Draw;
use world::{Caller, TABLES, World};

/// How much is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Where the randomness begins: the same worlds and requests every time.
    pub seed: u64,
    /// How many worlds are made.
    pub worlds: u64,
    /// How many requests each caller makes in each world.
    pub requests: u64,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Requests that were compared.
    pub compared: u64,
    /// Answers that were no errors: a generator that only makes errors proves nothing.
    pub served: u64,
    /// Answers that should have been the same, each as a case to play.
    pub failures: Vec<String>,
}

/// Makes worlds and asks.
///
/// # Errors
/// A world that cannot be served.
pub fn run(effort: Effort, serve: &Serve<'_>) -> Result<Verdict, String> {
    let mut verdict = Verdict::default();
    for number in 0..effort.worlds {
        let mut draw = Draw::new(effort.seed.wrapping_add(number));
        let world = World::draw(&mut draw);
        for caller in [Caller::Alice, Caller::Bob, Caller::Anon] {
            if draw.one_in(3) {
                continue;
            }
            let pair = Pair::serve(&world, caller, &mut draw, serve)?;
            compare(pair, effort.requests, &mut draw, &mut verdict)?;
        }
    }
    Ok(verdict)
}

/// A world and its twins for one caller.
struct Pair<'w> {
    world: &'w World,
    caller: Caller,
    original: Box<dyn Server>,
    changed: Box<dyn Server>,
    filtered: Option<Box<dyn Server>>,
}

impl<'w> Pair<'w> {
    fn serve(
        world: &'w World,
        caller: Caller,
        draw: &mut Draw,
        serve: &Serve<'_>,
    ) -> Result<Pair<'w>, String> {
        let open = |world: &World, policies: bool| {
            let case = project(world, policies);
            serve(&case).map_err(|message| format!("{message}\nin\n{}", case.schema))
        };
        let filtered = world.filtered(caller).map(|copy| open(&copy, false)).transpose()?;
        Ok(Pair {
            world,
            caller,
            original: open(world, true)?,
            changed: open(&world.changed(caller, draw), true)?,
            filtered,
        })
    }
}

/// The project of a world.
fn project(world: &World, policies: bool) -> Case {
    let rows = world.tables().map(|(table, text)| Rows { table: table.to_owned(), text, line: 1 });
    Case { schema: world.schema(policies), rows: rows.collect(), ..Case::default() }
}

/// Who sees which rows is what was decided here.
fn look(pair: &mut Pair<'_>, verdict: &mut Verdict) -> Result<(), String> {
    for table in TABLES {
        let asked = request::keys(table);
        let found = answer(&mut *pair.original, pair.caller, &asked)?;
        let body = pair.world.shown_keys(pair.caller, table);
        verdict.compared += 1;
        if found.body != body {
            let wanted = Answer { body, ..found.clone() };
            verdict.failures.push(told("other rows are seen", pair, &asked, &found, &wanted));
        }
    }
    Ok(())
}

fn compare(mut pair: Pair<'_>, requests: u64, draw: &mut Draw, verdict: &mut Verdict) -> Result<(), String> {
    look(&mut pair, verdict)?;
    for _ in 0..requests {
        let seen = pair.world.seen(pair.caller);
        let asked = request::draw(draw, &seen);
        let original = answer(&mut *pair.original, pair.caller, &asked)?;
        let changed = answer(&mut *pair.changed, pair.caller, &asked)?;
        verdict.compared += 1;
        verdict.served += u64::from(original.status < 300);
        if original != changed {
            verdict.failures.push(told("hidden rows show", &pair, &asked, &original, &changed));
        }
        let Some(filtered) = pair.filtered.as_mut().filter(|_| asked.is_read) else { continue };
        let filtered = answer(&mut **filtered, pair.caller, &asked)?;
        verdict.compared += 1;
        if original != filtered {
            verdict.failures.push(told(
                "not as without the hidden rows",
                &pair,
                &asked,
                &original,
                &filtered,
            ));
        }
    }
    Ok(())
}

/// Headers that differ from answer to answer.
const VOLATILE: &[&str] = &["x-request-id", "server-timing", "date"];

fn answer(server: &mut dyn Server, caller: Caller, asked: &request::Asked) -> Result<Answer, String> {
    let bindings = people::bindings(server.keys(), server.now_unix());
    let mut headers = people::headers(caller.name(), &Case::default(), server.keys(), &bindings)?;
    headers.extend(asked.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    let ask = Ask {
        method: asked.method.to_owned(),
        target: crate::play::encoded(&asked.target),
        headers,
        body: asked.body.clone(),
    };
    let mut answer = server.ask(&ask)?;
    answer.headers.retain(|(name, _)| !VOLATILE.contains(&name.as_str()));
    Ok(answer)
}

/// A failure as a case: to be played, made smaller by hand, and kept.
fn told(what: &str, pair: &Pair<'_>, asked: &request::Asked, one: &Answer, other: &Answer) -> String {
    let mut out = format!("{what}\n\n== schema\n{}", pair.world.schema(true));
    for (table, rows) in pair.world.tables() {
        out.push_str(&format!("\n== rows {table}\n{rows}"));
    }
    out.push_str(&format!("\n== request as {}\n{} {}\n", pair.caller.name(), asked.method, asked.target));
    for (name, value) in &asked.headers {
        out.push_str(&format!("{name}: {value}\n"));
    }
    if !asked.body.is_empty() {
        out.push_str(&format!("\n{}\n", asked.body));
    }
    format!("{out}\n{}\ninstead of\n\n{}", one.section(None), other.section(None))
}
