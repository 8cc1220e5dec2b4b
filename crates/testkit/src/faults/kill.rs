//! The process is killed, at any moment, again and again.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::Settings;
use super::load::{self, Shared, Writer};
use super::project::{PATIENCE, POLL, Project, Running};
use super::random::Numbers;

/// Promises after which a cycle may end.
const PROMISES_MAX: u64 = 1_500;

/// Most microseconds from there to the kill: requests are anywhere on their road.
const DELAY_US: u64 = 30_000;

/// Runs the scenario.
///
/// # Errors
/// Every promise that was not kept.
pub fn run(settings: &Settings) -> Result<String, String> {
    let project = Project::create(&settings.folder, &settings.binary)?;
    let mut server = project.start()?;
    let user = project.sign_up(&mut server)?;
    let mut numbers = Numbers::of(settings.seed);
    let mut writers = load::writers(settings.seed);
    let shared = Shared::default();
    let mut slowest = Duration::ZERO;
    for cycle in 1..=settings.cycles {
        break_under_load(&mut writers, &mut server, &shared, &mut numbers, Running::kill)?;
        server = project.start_for(&user)?;
        slowest = slowest.max(server.start);
        let compared =
            load::compare(&mut writers, &server.at).map_err(|lost| format!("cycle {cycle}: {lost}"))?;
        (settings.say)(&format!(
            "cycle {cycle}: {compared} units compared, up again in {} ms",
            server.start.as_millis()
        ));
    }
    let compared = load::compare_all(&mut writers, &server.at)?;
    server.stop()?;
    load::complaints(&writers)?;
    Ok(format!(
        "{} kills, {} promises on {compared} units: none lost, none by half; slowest start {} ms",
        settings.cycles,
        shared.promised.load(Ordering::Relaxed),
        slowest.as_millis()
    ))
}

/// Lets writers write, and breaks the server at some moment; they have all ended afterwards.
///
/// # Errors
/// A server that makes no promises, or that cannot be broken.
pub fn break_under_load(
    writers: &mut [Writer],
    server: &mut Running,
    shared: &Shared,
    numbers: &mut Numbers,
    broken: impl FnOnce(&mut Running) -> Result<(), String>,
) -> Result<(), String> {
    let enough = shared.promised.load(Ordering::Relaxed) + 10 + numbers.below(PROMISES_MAX);
    let delay = Duration::from_micros(numbers.below(DELAY_US));
    let endpoint = server.at.clone();
    std::thread::scope(|scope| {
        load::start(scope, writers, &endpoint, shared);
        let waited = until(|| shared.promised.load(Ordering::Relaxed) >= enough);
        std::thread::sleep(delay);
        let done = broken(server);
        // Should the server still run, the writers do not.
        shared.stop.store(done.is_err(), Ordering::Relaxed);
        done.and(waited)
    })
}

/// Waits for something.
fn until(mut done: impl FnMut() -> bool) -> Result<(), String> {
    let begun = Instant::now();
    while !done() {
        if begun.elapsed() > PATIENCE {
            return Err("the server took too few writes".to_owned());
        }
        std::thread::sleep(POLL);
    }
    Ok(())
}
