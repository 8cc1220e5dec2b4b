//! Servers that cannot run: each ends at once and says why, in words that help.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use super::Settings;
use super::project::{Project, free_address, read, spawn, wait, write};

/// Changes the project, or takes what the server needs for as long as the result lives.
type Arrange = fn(&mut Project, SocketAddr) -> Result<Box<dyn std::any::Any>, String>;

/// A server that cannot run.
struct Refusal {
    why: &'static str,
    /// Words that stand in what it says.
    words: &'static [&'static str],
    /// What keeps it from running.
    arrange: Arrange,
}

const REFUSALS: &[Refusal] = &[
    Refusal {
        why: "the port is taken",
        words: &["127.0.0.1:", "another program listens", "--listen"],
        arrange: |_, address| {
            let listener = TcpListener::bind(address).map_err(|error| error.to_string())?;
            Ok(Box::new(listener))
        },
    },
    Refusal {
        why: "the data directory is in use",
        words: &["data directory is in use by another process", ".backplane"],
        arrange: |project, _| Ok(Box::new(project.start()?)),
    },
    Refusal {
        why: "there is no such directory",
        words: &["nowhere"],
        arrange: |project, _| {
            project.folder = project.folder.with_file_name("nowhere");
            Ok(Box::new(()))
        },
    },
    Refusal {
        why: "the SQL is broken in two places",
        words: &["schema.sql:1:", "creat", "schema.sql:2:", "nosuchtype"],
        arrange: |project, _| {
            let broken = "creat table a (id int);\ncreate table b (id nosuchtype);\n";
            write(&project.folder.join("schema.sql"), broken)?;
            Ok(Box::new(()))
        },
    },
    Refusal {
        why: "a setting is unknown",
        words: &["config.toml", "listne"],
        arrange: |project, _| {
            write(&project.folder.join("config.toml"), "[server]\nlistne = \"127.0.0.1:1\"\n")?;
            Ok(Box::new(()))
        },
    },
    Refusal {
        why: "the database file is damaged",
        words: &["data.db", "is not a database"],
        arrange: |project, _| {
            write(&project.folder.join(".backplane/data.db"), &"not a database ".repeat(1_000))?;
            Ok(Box::new(()))
        },
    },
];

/// Runs the scenario.
///
/// # Errors
/// A server that runs all the same, crashes, or does not say why not.
pub fn run(settings: &Settings) -> Result<String, String> {
    let outcomes: Vec<String> =
        REFUSALS.iter().filter_map(|refusal| check(refusal, settings).err()).collect();
    if outcomes.is_empty() {
        return Ok(format!("{} servers that cannot run say why", REFUSALS.len()));
    }
    Err(outcomes.join("\n"))
}

fn check(refusal: &Refusal, settings: &Settings) -> Result<(), String> {
    let failed = |what: String| format!("{}: {what}", refusal.why);
    let said = provoke(refusal, &settings.folder.join("project"), settings).map_err(failed)?;
    (settings.say)(&format!("{}:\n{}", refusal.why, said.trim_end()));
    let missing = refusal.words.iter().find(|word| !said.contains(**word));
    match missing {
        Some(word) => Err(failed(format!("it does not say `{word}`, but: {said}"))),
        None if said.contains("panicked") => Err(failed(said)),
        None => Ok(()),
    }
}

/// What the server says before it ends.
fn provoke(refusal: &Refusal, folder: &Path, settings: &Settings) -> Result<String, String> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|error| error.to_string())?;
    }
    let mut project = Project::create(folder, &settings.binary)?;
    let address = free_address()?;
    let obstacle = (refusal.arrange)(&mut project, address)?;
    let log = settings.folder.join("refusal.log");
    let mut child = spawn(project.serve(address), &log)?;
    let status = wait(&mut child)?;
    drop(obstacle);
    if status.code().is_none_or(|code| code == 0) {
        return Err(format!("it ended with {status}: {}", read(&log)));
    }
    Ok(read(&log))
}
