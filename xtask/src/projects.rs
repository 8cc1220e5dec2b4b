//! Public projects, followed through the official client on both engines: `clients/js/projects`, on a PostgreSQL of its own.

use std::path::PathBuf;

use crate::run::{Result, cargo, root, status};
use crate::{ci, engines};

/// `projects [--generic] [NAME…]`. `TEST_POSTGRES_URL` names a server that is there already.
pub(crate) fn main(words: &[String]) -> Result<()> {
    ci::clients_installed()?;
    status(&mut cargo(&["build", "--quiet", "--locked", "-p", "backplane"]))?;
    if let Ok(url) = std::env::var("TEST_POSTGRES_URL") {
        return played(&url, words);
    }
    // What a run that was killed left behind.
    let _stopped = engines::down(&folder());
    let line = engines::up(&folder())?;
    let ended = played(line.split_once('=').map_or("", |(_, url)| url), words);
    ended.and(engines::remove(&folder()))
}

fn played(postgres: &str, words: &[String]) -> Result<()> {
    let mut command = ci::npm();
    command.args(["run", "--silent", "projects", "--", "--postgres", postgres]).args(words);
    status(command.current_dir(root().join("clients/js")))
}

fn folder() -> PathBuf {
    engines::folder("projects")
}
