//! Where the server of a project listens, for `keys`: a file of the data directory, as long as the server runs.
//!
//! It is a help and no truth: a server that was killed leaves it behind.

use std::fs;
use std::path::{Path, PathBuf};

use crate::app::App;

/// Says where a server listens until it is dropped.
pub(super) struct Announced(PathBuf);

impl Announced {
    pub(super) fn new(data: &Path, app: &App) -> Announced {
        let path = path(data);
        if let Err(error) = fs::write(&path, &app.public_url) {
            tracing::warn!(%error, "{} could not be written: `backplane keys` may say another address", path.display());
        }
        Announced(path)
    }
}

impl Drop for Announced {
    fn drop(&mut self) {
        // A file that stays says an old address, which the next start corrects.
        let _ = fs::remove_file(&self.0);
    }
}

/// Where the running server says that it is.
pub(super) fn read(data: &Path) -> Option<String> {
    fs::read_to_string(path(data)).ok().map(|url| url.trim().to_owned()).filter(|url| !url.is_empty())
}

fn path(data: &Path) -> PathBuf {
    data.join("address")
}
