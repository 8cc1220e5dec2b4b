//! Private servers for tests: own data folder, own free port, loopback only, `C.UTF-8`, trusted callers.
//!
//! PostgreSQL refuses to run as root; in a user namespace that maps root to another user it does not notice.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::run::{Result, output, root, status};

/// `up DIR` starts a server below the folder and writes its address to `DIR/env`; `down DIR` stops it.
pub(crate) fn main(words: &[String]) -> Result<()> {
    match words {
        [verb, folder] if verb == "up" => {
            println!("{}", up(Path::new(folder))?);
            Ok(())
        }
        [verb, folder] if verb == "down" => down(Path::new(folder)),
        _ => Err("usage: cargo xtask engines up|down DIR".to_owned()),
    }
}

/// Starts PostgreSQL and returns the line of `DIR/env`.
pub(crate) fn up(folder: &Path) -> Result<String> {
    up_with(folder, "fsync=off")
}

/// The same with a setting of its own.
pub(crate) fn up_with(folder: &Path, setting: &str) -> Result<String> {
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let folder = folder.canonicalize().map_err(|error| format!("{}: {error}", folder.display()))?;
    let data = folder.join("postgres");
    if !data.join("PG_VERSION").exists() {
        let words = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N", "-D"];
        output(postgres("initdb")?.args(words).arg(&data))?;
    }
    let port = free_port()?;
    let settings = format!(
        "-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories= -c {setting} -c timezone=UTC"
    );
    let mut start = postgres("pg_ctl")?;
    start
        .arg("-D")
        .arg(&data)
        .arg("-l")
        .arg(folder.join("postgres.log"))
        .args(["-w", "-s", "-o", &settings, "start"]);
    // The server inherits these and outlives us: a pipe would never close.
    status(start.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()))
        .map_err(|error| format!("{error}; see {}", folder.join("postgres.log").display()))?;
    let line = format!("export TEST_POSTGRES_URL=postgres://postgres@127.0.0.1:{port}/postgres");
    fs::write(folder.join("env"), format!("{line}\n"))
        .map_err(|error| format!("{}: {error}", folder.join("env").display()))?;
    Ok(line)
}

/// Stops what `up` started in this folder.
pub(crate) fn down(folder: &Path) -> Result<()> {
    output(
        postgres("pg_ctl")?.arg("-D").arg(folder.join("postgres")).args(["-m", "fast", "-w", "-s", "stop"]),
    )
    .map(drop)
}

/// Where a server for a stage of CI is: in memory if that has room, where databases are made and dropped four times as fast.
pub(crate) fn folder(name: &str) -> PathBuf {
    if room_kib(Path::new(MEMORY)) < ROOM_KIB {
        return root().join("target/engines").join(name);
    }
    // Another clone of this repository may be at work beside this one.
    let mut hasher = DefaultHasher::new();
    root().hash(&mut hasher);
    Path::new(MEMORY).join(format!("backplane-{name}-{:016x}", hasher.finish()))
}

/// Stops what `up` started in this folder, and takes its data away.
pub(crate) fn remove(folder: &Path) -> Result<()> {
    let stopped = down(folder);
    fs::remove_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    stopped
}

/// A folder in memory, where there is one.
const MEMORY: &str = "/dev/shm";

/// More than a server with its log of changes takes.
const ROOM_KIB: u64 = 4 << 20;

fn room_kib(folder: &Path) -> u64 {
    let said = output(Command::new("df").args(["--output=avail", "-k"]).arg(folder)).unwrap_or_default();
    said.lines().last().and_then(|line| line.trim().parse().ok()).unwrap_or(0)
}

/// The folder of the newest PostgreSQL's programs: Debian's, else that of `pg_config`.
pub(crate) fn programs() -> Result<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|entry| {
            Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin")))
        })
        .filter(|(_, folder)| folder.join("initdb").exists())
        .max();
    if let Some((_, folder)) = newest {
        return Ok(folder);
    }
    let folder = PathBuf::from(output(Command::new("pg_config").arg("--bindir")).unwrap_or_default().trim());
    if folder.join("initdb").exists() { Ok(folder) } else { Err("PostgreSQL is not installed".to_owned()) }
}

fn postgres(name: &str) -> Result<Command> {
    let path = programs()?.join(name);
    if output(Command::new("id").arg("-u"))?.trim() != "0" {
        return Ok(Command::new(path));
    }
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-user=1000", "--map-group=1000"]).arg(path);
    Ok(command)
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(|error| format!("no free port: {error}"))?;
    listener.local_addr().map(|address| address.port()).map_err(|error| format!("no free port: {error}"))
}
