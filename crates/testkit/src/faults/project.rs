//! A project of the scenarios, and a server that runs it as a process of its own.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use types::json::{self, Json};

use super::wire::Connection;
use crate::answer::Answer;
use crate::play::Ask;

/// How long anything may take that should take moments.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How often something is looked at that will come.
pub const POLL: Duration = Duration::from_millis(2);

const SCHEMA: &str = "\
create table entries (
  id uuid primary key,
  unit bigint not null,
  part integer not null check (part >= 0),
  value bigint not null,
  note text not null,
  owner uuid not null default auth.uid(),
  unique (unit, part)
);
alter table entries enable row level security;
grant select, insert, update, delete on entries to authenticated;
create policy own on entries to authenticated using (owner = auth.uid()) with check (owner = auth.uid());
";

/// Tokens outlive the scenario.
const CONFIG: &str = "[auth]\njwt_expiry = 604800\n";

/// A project's folder, and the program that serves it.
#[derive(Clone, Debug)]
pub struct Project {
    /// Its folder.
    pub folder: PathBuf,
    binary: PathBuf,
}

/// A server that runs.
#[derive(Debug)]
pub struct Running {
    /// Where it is asked, and by whom.
    pub at: Endpoint,
    /// From the start of the process to the first good answer.
    pub start: Duration,
    child: Child,
}

/// Where to ask, and the headers that say who does.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Where.
    pub address: SocketAddr,
    headers: Vec<(String, String)>,
}

impl Project {
    /// Writes a project into a new folder.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn create(folder: &Path, binary: &Path) -> Result<Project, String> {
        Project::of(folder, binary, (SCHEMA, CONFIG))
    }

    /// The same of a schema and settings.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn of(folder: &Path, binary: &Path, (schema, config): (&str, &str)) -> Result<Project, String> {
        write(&folder.join("schema.sql"), schema)?;
        write(&folder.join("config.toml"), config)?;
        Ok(Project { folder: folder.to_owned(), binary: binary.to_owned() })
    }

    /// Starts it and waits until it is ready. Requests come from nobody until there is a user.
    ///
    /// # Errors
    /// A server that ends or does not get ready, with what it said.
    pub fn start(&self) -> Result<Running, String> {
        let address = free_address()?;
        let log = self.folder.join("server.log");
        let begun = Instant::now();
        let child = spawn(self.serve(address), &log)?;
        let at = Endpoint { address, headers: Vec::new() };
        let mut running = Running { at, start: Duration::ZERO, child };
        while begun.elapsed() < PATIENCE {
            if running.at.get("/readyz").is_ok_and(|answer| answer.status == 200) {
                running.start = begun.elapsed();
                return Ok(running);
            }
            if let Ok(Some(status)) = running.child.try_wait() {
                return Err(format!("the server ended with {status}: {}", read(&log)));
            }
            std::thread::sleep(POLL);
        }
        Err(format!("the server was not ready after {} s: {}", PATIENCE.as_secs(), read(&log)))
    }

    /// Starts it for a user who has signed up.
    ///
    /// # Errors
    /// As [`Project::start`].
    pub fn start_for(&self, user: &User) -> Result<Running, String> {
        let mut running = self.start()?;
        running.at.headers.clone_from(&user.headers);
        Ok(running)
    }

    /// The command that serves it.
    pub fn serve(&self, address: SocketAddr) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg("serve").arg(&self.folder).arg("--listen").arg(address.to_string());
        command
    }

    /// Signs a user up, who uses the server from then on.
    ///
    /// # Errors
    /// An answer that is no session.
    pub fn sign_up(&self, server: &mut Running) -> Result<User, String> {
        let keys = Command::new(&self.binary).arg("keys").arg(&self.folder).arg("--env").output();
        let keys = keys.map_err(|error| error.to_string())?;
        let anon = key(&String::from_utf8_lossy(&keys.stdout), "SUPABASE_ANON_KEY")?;
        let ask = Ask {
            method: "POST".to_owned(),
            target: "/auth/v1/signup".to_owned(),
            headers: vec![("apikey".to_owned(), anon.clone()), content_type()],
            body: r#"{"email":"writer@example.com","password":"a hand that never rests"}"#.to_owned(),
        };
        let answer = server.at.answer(&ask)?;
        let session = json::parse(&answer.body, json::DEPTH_MAX).unwrap_or(Json::Null);
        let token = session.get("access_token").and_then(Json::as_str);
        let token = token.ok_or_else(|| format!("no session: {} {}", answer.status, answer.body))?;
        let bearer = ("Authorization".to_owned(), format!("Bearer {token}"));
        server.at.headers = vec![("apikey".to_owned(), anon), bearer];
        Ok(User { headers: server.at.headers.clone() })
    }
}

/// Who writes: the headers that say so.
#[derive(Clone, Debug)]
pub struct User {
    headers: Vec<(String, String)>,
}

impl Endpoint {
    /// A request of the user.
    pub fn ask(&self, method: &str, target: &str, body: String) -> Ask {
        let mut headers = self.headers.clone();
        if !body.is_empty() {
            headers.push(content_type());
        }
        Ask { method: method.to_owned(), target: target.to_owned(), headers, body }
    }

    /// Asks over a connection of its own.
    ///
    /// # Errors
    /// A connection that failed.
    pub fn answer(&self, ask: &Ask) -> Result<Answer, String> {
        let answer = Connection::open(self.address).and_then(|mut connection| connection.ask(ask));
        answer.map_err(|error| format!("{} {}: {error}", ask.method, ask.target))
    }

    /// Gets a path as the user.
    ///
    /// # Errors
    /// A connection that failed.
    pub fn get(&self, target: &str) -> Result<Answer, String> {
        self.answer(&self.ask("GET", target, String::new()))
    }
}

impl Running {
    /// Kills it: no code of it runs any more.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn kill(&mut self) -> Result<(), String> {
        self.child.kill().and_then(|()| self.child.wait()).map(drop).map_err(|error| error.to_string())
    }

    /// Halts it, and waits until every thread stands still.
    ///
    /// # Errors
    /// A process that does not.
    pub fn freeze(&self) -> Result<(), String> {
        self.signal("STOP")?;
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if self.is_frozen()? {
                return Ok(());
            }
            std::thread::sleep(POLL);
        }
        Err("the server did not stand still".to_owned())
    }

    fn is_frozen(&self) -> Result<bool, String> {
        let tasks = format!("/proc/{}/task", self.child.id());
        let tasks = fs::read_dir(&tasks).map_err(|error| format!("{tasks}: {error}"))?;
        let stands =
            |stat: &str| stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('T'));
        Ok(tasks.flatten().all(|task| stands(&read(&task.path().join("stat")))))
    }

    /// Megabytes of memory that are its own: mapped files are not.
    ///
    /// # Errors
    /// A process that is not there.
    pub fn own_memory(&self) -> Result<f64, String> {
        let status = read(&PathBuf::from(format!("/proc/{}/status", self.child.id())));
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        kilobytes.map(|kilobytes| kilobytes / 1024.0).ok_or_else(|| "the server has no memory".to_owned())
    }

    /// Open files that have no name any more, or never had one.
    ///
    /// # Errors
    /// A process that is not there.
    pub fn unnamed_files(&self) -> Result<usize, String> {
        let files = format!("/proc/{}/fd", self.child.id());
        let files = fs::read_dir(&files).map_err(|error| format!("{files}: {error}"))?;
        let links = files.flatten().filter_map(|file| fs::read_link(file.path()).ok());
        Ok(links.filter(|link| link.to_string_lossy().ends_with("(deleted)")).count())
    }

    /// Stops it as its operator would.
    ///
    /// # Errors
    /// A server that does not stop, or does not end well.
    pub fn stop(mut self) -> Result<(), String> {
        self.signal("TERM")?;
        match wait(&mut self.child)? {
            status if status.success() => Ok(()),
            status => Err(format!("the server was asked to stop and ended with {status}")),
        }
    }

    fn signal(&self, name: &str) -> Result<(), String> {
        let mut kill = Command::new("kill");
        run(kill.arg(format!("-{name}")).arg(self.child.id().to_string()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended already is as good as one that ends here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for the end of a process.
///
/// # Errors
/// A process that takes longer than [`PATIENCE`].
pub fn wait(child: &mut Child) -> Result<std::process::ExitStatus, String> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            return Ok(status);
        }
        std::thread::sleep(POLL);
    }
    Err(format!("a process did not end after {} s", PATIENCE.as_secs()))
}

/// Starts a command whose output goes to a file.
///
/// # Errors
/// What the operating system says.
pub fn spawn(mut command: Command, log: &Path) -> Result<Child, String> {
    let file = File::create(log).map_err(|error| format!("{}: {error}", log.display()))?;
    let errors = file.try_clone().map_err(|error| error.to_string())?;
    let child = command.stdin(Stdio::null()).stdout(file).stderr(errors).spawn();
    child.map_err(|error| format!("{}: {error}", command.get_program().to_string_lossy()))
}

/// Runs a command to its end.
///
/// # Errors
/// A command that fails, with what it printed.
pub fn run(command: &mut Command) -> Result<(), String> {
    let failed = |error: String| {
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
        format!("{}: {error}", words.join(" "))
    };
    let mut running = Command::new(command.get_program());
    let output = running.args(command.get_args()).stdin(Stdio::null()).output();
    let output = output.map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(failed(String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// An address that is free at the moment.
///
/// # Errors
/// What the operating system says.
pub fn free_address() -> Result<SocketAddr, String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(|error| error.to_string())?;
    listener.local_addr().map_err(|error| error.to_string())
}

/// Writes a file and the folders above it.
///
/// # Errors
/// What the operating system says.
pub fn write(path: &Path, contents: &str) -> Result<(), String> {
    let made = path.parent().map_or(Ok(()), fs::create_dir_all);
    made.and_then(|()| fs::write(path, contents)).map_err(|error| format!("{}: {error}", path.display()))
}

/// The text of a file; nothing if it cannot be read.
pub fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn content_type() -> (String, String) {
    ("Content-Type".to_owned(), "application/json".to_owned())
}

/// The value of a line `NAME=value`, with or without quotation marks.
fn key(lines: &str, name: &str) -> Result<String, String> {
    let found = lines.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    let value = found.map(|value| value.trim().trim_matches('"').to_owned());
    value.ok_or_else(|| format!("`backplane keys` printed no {name}"))
}
