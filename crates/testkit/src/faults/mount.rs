//! File systems that a scenario may fill or lose. They need root on Linux.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::project::run;

/// How long the image's file system may keep things from its device: longer than any scenario, so that nothing gets there
/// but what was asked to be there.
const COMMIT_S: u32 = 3_600;

/// A mounted file system; unmounted when dropped.
#[derive(Debug)]
pub struct Mount {
    /// Where it is.
    pub folder: PathBuf,
}

impl Mount {
    /// A file system in memory.
    ///
    /// # Errors
    /// What `mount` says.
    pub fn memory(folder: &Path, size_bytes: u64) -> Result<Mount, String> {
        make(folder)?;
        run(Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size_bytes},mode=755"), "tmpfs"])
            .arg(folder))?;
        Ok(Mount { folder: folder.to_owned() })
    }

    /// The file system of an image.
    ///
    /// # Errors
    /// What `mount` says.
    pub fn image(image: &Path, folder: &Path) -> Result<Mount, String> {
        make(folder)?;
        run(Command::new("mount").args(["-o", &format!("loop,commit={COMMIT_S}")]).arg(image).arg(folder))?;
        Ok(Mount { folder: folder.to_owned() })
    }

    /// Unmounts it.
    ///
    /// # Errors
    /// What `umount` says.
    pub fn unmount(self) -> Result<(), String> {
        let folder = self.folder.clone();
        std::mem::forget(self);
        run(Command::new("umount").arg(folder))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Only after a failure, which is what is told.
        let _ = run(Command::new("umount").arg("-l").arg(&self.folder));
    }
}

/// Makes an image with an empty journaling file system.
///
/// # Errors
/// What the operating system or `mkfs.ext4` says.
pub fn make_image(image: &Path, size_bytes: u64) -> Result<(), String> {
    let file = File::create(image).and_then(|file| file.set_len(size_bytes));
    file.map_err(|error| format!("{}: {error}", image.display()))?;
    run(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(image))
}

/// Copies an image as it is on its device.
///
/// # Errors
/// What `cp` says.
pub fn copy_image(from: &Path, to: &Path) -> Result<(), String> {
    run(Command::new("cp").arg("--sparse=always").arg(from).arg(to))
}

fn make(folder: &Path) -> Result<(), String> {
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))
}
