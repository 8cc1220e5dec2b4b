//! The disk has no space left: writes are refused by name, reads go on, and it passes when there is space again.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::Settings;
use super::load::{self, Shared, Writer};
use super::mount::Mount;
use super::project::{Endpoint, PATIENCE, POLL, Project};

/// The size of the disk.
const DISK_BYTES: u64 = 24 << 20;

/// What is freed after each time that it was full.
const BALLAST_BYTES: usize = 2 << 20;

/// Refusals after which the disk counts as full: small writes may still fit where large ones do not.
const REFUSALS: u64 = 300;

/// Promises that show that there is space again.
const PROMISES: u64 = 100;

/// Runs the scenario.
///
/// # Errors
/// A promise that was not kept, a refusal that is not `53100`, a server that does not recover.
pub fn run(settings: &Settings) -> Result<String, String> {
    let mount = Mount::memory(&settings.folder.join("disk"), DISK_BYTES)?;
    let project = Project::create(&mount.folder.join("project"), &settings.binary)?;
    let ballast: Vec<PathBuf> =
        (0..settings.cycles).map(|number| mount.folder.join(format!("ballast-{number}"))).collect();
    ballast.iter().try_for_each(|path| fill(path))?;
    let mut server = project.start()?;
    let user = project.sign_up(&mut server)?;
    let mut writers = load::writers(settings.seed);
    let shared = Shared::default();
    for (cycle, ballast) in ballast.iter().enumerate() {
        write_until(&mut writers, &server.at, &shared, &shared.full, REFUSALS)?;
        load::complaints(&writers)?;
        let compared = load::compare(&mut writers, &server.at)?;
        server.stop()?;
        server = project.start_for(&user).map_err(|error| format!("a start on a full disk: {error}"))?;
        load::compare_all(&mut writers, &server.at)?;
        fs::remove_file(ballast).map_err(|error| format!("{}: {error}", ballast.display()))?;
        write_until(&mut writers, &server.at, &shared, &shared.promised, PROMISES)?;
        (settings.say)(&format!("cycle {}: {compared} units compared on the full disk", cycle + 1));
    }
    let compared = load::compare_all(&mut writers, &server.at)?;
    server.stop()?;
    mount.unmount()?;
    load::complaints(&writers)?;
    Ok(format!(
        "{} times full, {} promises on {compared} units, {} refusals with 53100: none lost, none by half, writes go on",
        settings.cycles,
        shared.promised.load(Ordering::Relaxed),
        shared.full.load(Ordering::Relaxed)
    ))
}

/// Lets writers write until a count has grown by so much.
fn write_until(
    writers: &mut [Writer],
    at: &Endpoint,
    shared: &Shared,
    count: &AtomicU64,
    growth: u64,
) -> Result<(), String> {
    let enough = count.load(Ordering::Relaxed) + growth;
    shared.stop.store(false, Ordering::Relaxed);
    std::thread::scope(|scope| {
        let writing = load::start(scope, writers, at, shared);
        let begun = Instant::now();
        let mut waited = Ok(());
        while count.load(Ordering::Relaxed) < enough && waited.is_ok() {
            if begun.elapsed() > PATIENCE {
                waited = Err("the disk does not get full, or writes do not go on".to_owned());
            } else if writing.iter().all(|writer| writer.is_finished()) {
                waited = Err("the server closed every connection".to_owned());
            }
            std::thread::sleep(POLL);
        }
        shared.stop.store(true, Ordering::Relaxed);
        waited
    })
}

fn fill(path: &Path) -> Result<(), String> {
    fs::write(path, vec![0; BALLAST_BYTES]).map_err(|error| format!("{}: {error}", path.display()))
}
