//! The judge, on a PostgreSQL of its own: generated projects and requests, the same on both engines.

use std::path::PathBuf;
use std::process::Command;

use crate::engines;
use crate::run::{Result, cargo, root, status};
use crate::tally::{Tally, watch};

/// `differential [requests|queries|programs] [--seed N] [--schemas N] [--requests N] [--minutes N] [--first N] [--shrink N] [--stop]`.
/// `TEST_POSTGRES_URL` names a server that is there already.
pub(crate) fn main(words: &[String]) -> Result<()> {
    if std::env::var_os("TEST_POSTGRES_URL").is_some() {
        return status(judge().args(words));
    }
    let url = up()?;
    let ended = status(judge().args(words).env("TEST_POSTGRES_URL", url));
    ended.and(engines::down(&folder()))
}

/// What CI asks of a part of the judge: the default effort.
pub(crate) fn stage(part: &str) -> (Tally, Result<()>) {
    match up() {
        Err(message) => (Tally::default(), Err(message)),
        Ok(url) => {
            let (tally, ended) = watch(judge().arg(part).env("TEST_POSTGRES_URL", url));
            (tally, ended.and(engines::down(&folder())))
        }
    }
}

fn up() -> Result<String> {
    // What a run that was killed left behind.
    let _stopped = engines::down(&folder());
    let line = engines::up(&folder())?;
    Ok(line.split_once('=').map_or("", |(_, url)| url).to_owned())
}

fn folder() -> PathBuf {
    root().join("target/engines/judge")
}

fn judge() -> Command {
    cargo(&["run", "--quiet", "--locked", "-p", "backplane-testkit", "--bin", "differential", "--"])
}
