//! The power goes: what was not yet asked of the disk is lost.
//!
//! The project is on a file system of its own, in an image. The server is halted, the image is copied as it is on its
//! device, without what the operating system still keeps in memory, and the next server runs on the copy. What was
//! answered before must be there. This models a disk that keeps everything it was given, in order; it does not model torn
//! or reordered sectors.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering;

use super::Settings;
use super::kill::break_under_load;
use super::load::{self, Shared};
use super::mount::{Mount, copy_image, make_image};
use super::project::{Project, Running, run as run_command};
use super::random::Numbers;

/// The size of the disk. It is sparse: only what is written takes room.
const DISK_BYTES: u64 = 512 << 20;

/// Runs the scenario.
///
/// # Errors
/// Every promise that was not kept; a machine on which file systems cannot be mounted.
pub fn run(settings: &Settings) -> Result<String, String> {
    let (image, copy, disk) =
        (settings.folder.join("disk.img"), settings.folder.join("copy.img"), settings.folder.join("disk"));
    make_image(&image, DISK_BYTES)?;
    let mut mount = Mount::image(&image, &disk)?;
    let project = Project::create(&disk.join("project"), &settings.binary)?;
    // The project's own files were there long before the power goes; everything else is the server's to keep.
    run_command(Command::new("sync").arg("-f").arg(&disk))?;
    let mut server = project.start()?;
    let user = project.sign_up(&mut server)?;
    let mut numbers = Numbers::of(settings.seed);
    let mut writers = load::writers(settings.seed);
    let shared = Shared::default();
    for cycle in 1..=settings.cycles {
        let cut = |server: &mut Running| cut(server, &image, &copy);
        break_under_load(&mut writers, &mut server, &shared, &mut numbers, cut)?;
        mount.unmount()?;
        fs::rename(&copy, &image).map_err(|error| format!("{}: {error}", image.display()))?;
        mount = Mount::image(&image, &disk)?;
        server = project.start_for(&user)?;
        let compared =
            load::compare(&mut writers, &server.at).map_err(|lost| format!("cycle {cycle}: {lost}"))?;
        (settings.say)(&format!("cycle {cycle}: {compared} units compared"));
    }
    let compared = load::compare_all(&mut writers, &server.at)?;
    server.stop()?;
    mount.unmount()?;
    load::complaints(&writers)?;
    Ok(format!(
        "{} power cuts, {} promises on {compared} units: none lost, none by half",
        settings.cycles,
        shared.promised.load(Ordering::Relaxed)
    ))
}

/// Answers that are on their way were made before the copy: they are promises too.
fn cut(server: &mut Running, image: &Path, copy: &Path) -> Result<(), String> {
    server.freeze()?;
    copy_image(image, copy)?;
    server.kill()
}
