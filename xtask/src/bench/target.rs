//! What is measured: a program that serves the books, started, seeded, checked and stopped.

use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::ask::{Answer, ask};
use super::books;
use super::process::Process;
use crate::run::{Result, output, status};

/// How long a start or a stop may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often a starting server is asked.
const POLL: Duration = Duration::from_micros(500);

/// Rows of one request of the seed.
const SEED_ROWS: u64 = 500;

/// A book that everybody reads, one that nobody does, and one that is the user's.
const SAMPLES: &[u64] = &[7, 10, 100];

/// A year whose first page is looked at.
const SAMPLE_YEAR: u64 = 1999;

/// Where a server has its things; `{}` is a number.
pub(crate) struct Routes {
    pub(crate) book: &'static str,
    pub(crate) list: &'static str,
    pub(crate) embed: &'static str,
    pub(crate) page: &'static str,
    pub(crate) books: &'static str,
    pub(crate) authors: &'static str,
}

const BACKPLANE: Routes = Routes {
    book: "/rest/v1/books?id=eq.{}",
    list: "/rest/v1/books?year=eq.{}&order=id&limit=20",
    embed: "/rest/v1/books?select=id,title,year,price,authors(id,name)&year=eq.{}&order=id&limit=20",
    page: "/rest/v1/books?order=id&limit=1000",
    books: "/rest/v1/books",
    authors: "/rest/v1/authors",
};

const CEILING: Routes = Routes {
    book: "/book?{}",
    list: "/list?{}",
    embed: "/embed?{}",
    page: "/page",
    books: "/books",
    authors: "/authors",
};

/// A program under load.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) address: SocketAddr,
    pub(crate) routes: Routes,
    /// Headers of a user's request, each with its line end.
    pub(crate) user_headers: String,
    /// Headers of one who may do everything.
    pub(crate) service_headers: String,
    anon_key: String,
    program: PathBuf,
    arguments: Vec<String>,
    /// What its environment has besides ours.
    settings: Vec<(&'static str, String)>,
    log: PathBuf,
    child: Option<Child>,
}

/// The password of everybody.
pub(crate) const PASSWORD: &str = "a shelf of one's own";

/// The server, running on a new project of books, and the id of a user who has signed up.
pub(crate) fn backplane(
    program: &Path,
    folder: &Path,
    settings: Vec<(&'static str, String)>,
) -> Result<(Target, String)> {
    serving(program, folder, settings, books::SCHEMA)
}

/// The same of another schema.
pub(crate) fn serving(
    program: &Path,
    folder: &Path,
    settings: Vec<(&'static str, String)>,
    schema: &str,
) -> Result<(Target, String)> {
    let project = folder.join("project");
    write(&project.join("schema.sql"), schema)?;
    let address = free_address()?;
    let arguments = ["serve", text(&project)?, "--listen", &address.to_string()].map(str::to_owned).to_vec();
    let mut target = Target {
        name: "backplane",
        address,
        routes: BACKPLANE,
        user_headers: String::new(),
        service_headers: String::new(),
        anon_key: String::new(),
        program: program.to_owned(),
        arguments,
        settings,
        log: folder.join("backplane.log"),
        child: None,
    };
    target.start()?;
    let keys = output(Command::new(program).arg("keys").arg(&project).arg("--env"))?;
    let service = key(&keys, "SUPABASE_SERVICE_ROLE_KEY")?;
    target.service_headers = format!("apikey: {service}\r\nAuthorization: Bearer {service}\r\n");
    let anon = key(&keys, "SUPABASE_ANON_KEY")?;
    let (token, user) = target.sign_up(&anon)?;
    target.user_headers = format!("apikey: {anon}\r\nAuthorization: Bearer {token}\r\n");
    target.anon_key = anon;
    Ok((target, user))
}

/// The ceiling, running on a new database.
pub(crate) fn ceiling(program: &Path, folder: &Path, user: &str) -> Result<Target> {
    let address = free_address()?;
    let database = folder.join("ceiling.db");
    let mut target = Target {
        name: "ceiling",
        address,
        routes: CEILING,
        user_headers: String::new(),
        service_headers: String::new(),
        anon_key: String::new(),
        program: program.to_owned(),
        arguments: vec![address.to_string(), text(&database)?.to_owned(), user.to_owned()],
        settings: Vec::new(),
        log: folder.join("ceiling.log"),
        child: None,
    };
    target.start()?;
    Ok(target)
}

impl Target {
    /// Starts the program; how long it took to the first good answer.
    pub(crate) fn start(&mut self) -> Result<Duration> {
        let log = File::create(&self.log).map_err(|error| format!("{}: {error}", self.log.display()))?;
        let errors = log.try_clone().map_err(|error| error.to_string())?;
        let mut command = Command::new(&self.program);
        command.envs(self.settings.iter().map(|(name, value)| (*name, value.as_str())));
        command.args(&self.arguments).stdin(Stdio::null()).stdout(log).stderr(errors);
        let begun = Instant::now();
        self.child = Some(command.spawn().map_err(|error| format!("{}: {error}", self.program.display()))?);
        while begun.elapsed() < PATIENCE {
            if self.is_ready() {
                return Ok(begun.elapsed());
            }
            if let Some(child) = &mut self.child
                && let Ok(Some(status)) = child.try_wait()
            {
                let log = std::fs::read_to_string(&self.log).unwrap_or_default();
                return Err(format!("{} ended with {status}\n{log}", self.name));
            }
            std::thread::sleep(POLL);
        }
        Err(format!("{} was not ready after {} s; see {}", self.name, PATIENCE.as_secs(), self.log.display()))
    }

    fn is_ready(&self) -> bool {
        // A refused connection comes back at once; only a listening server is asked.
        TcpStream::connect(self.address).is_ok()
            && ask(self.address, "GET", "/readyz", "", "").is_ok_and(|answer| answer.status / 100 == 2)
    }

    /// Stops the program as its operator would.
    pub(crate) fn stop(&mut self) -> Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        status(Command::new("kill").arg(child.id().to_string()))?;
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if child.try_wait().map_err(|error| error.to_string())?.is_some() {
                return Ok(());
            }
            std::thread::sleep(POLL);
        }
        Err(format!("{} did not stop in {} s", self.name, PATIENCE.as_secs()))
    }

    pub(crate) fn process(&self) -> Result<Process> {
        let child = self.child.as_ref().ok_or_else(|| format!("{} is not running", self.name))?;
        Ok(Process { id: child.id() })
    }

    /// Fills the tables over HTTP.
    pub(crate) fn seed(&self, user: &str) -> Result<()> {
        self.seed_authors()?;
        self.seed_table(self.routes.books, books::BOOKS, &|id| books::book(id, user))
    }

    pub(crate) fn seed_authors(&self) -> Result<()> {
        self.seed_table(self.routes.authors, books::AUTHORS, &books::author)
    }

    /// A request of the user that is answered so.
    pub(crate) fn ask_as_user(&self, method: &str, path: &str, body: &str, status: u16) -> Result<()> {
        self.expect(&ask(self.address, method, path, &self.user_headers, body)?, status, path)
    }

    /// The same of one who may do everything.
    pub(crate) fn ask_as_service(&self, method: &str, path: &str, body: &str, status: u16) -> Result<()> {
        let headers = format!("{}Prefer: return=minimal\r\n", self.service_headers);
        self.expect(&ask(self.address, method, path, &headers, body)?, status, path)
    }

    pub(crate) fn seed_table(&self, path: &str, rows: u64, row: &dyn Fn(u64) -> Value) -> Result<()> {
        for first in (1..=rows).step_by(usize::try_from(SEED_ROWS).unwrap_or(1)) {
            let body: Value = (first..first + SEED_ROWS).map(row).collect();
            self.ask_as_service("POST", path, &body.to_string(), 201)?;
        }
        Ok(())
    }

    /// Compares an answer of each kind with what it has to be.
    pub(crate) fn check(&self, user: &str) -> Result<()> {
        for &id in SAMPLES {
            self.check_read(self.routes.book, id, &books::one(id, user))?;
        }
        self.check_read(self.routes.list, SAMPLE_YEAR, &books::list(SAMPLE_YEAR, user))?;
        self.check_read(self.routes.embed, SAMPLE_YEAR, &books::embed(SAMPLE_YEAR))?;
        self.check_read(self.routes.page, 0, &books::page(user))?;
        let mut book = books::book(1, user);
        let foreign = ask(self.address, "POST", self.routes.books, &self.user_headers, &book.to_string())?;
        if foreign.status / 100 == 2 {
            return Err(format!("{}: a book of somebody else was accepted", self.name));
        }
        book["owner_id"] = json!(user);
        let answer = ask(self.address, "POST", self.routes.books, &self.user_headers, &book.to_string())?;
        self.expect(&answer, 201, self.routes.books)
    }

    fn check_read(&self, route: &str, number: u64, expected: &Value) -> Result<()> {
        let path = route.replace("{}", &number.to_string());
        let answer = ask(self.address, "GET", &path, &self.user_headers, "")?;
        self.expect(&answer, 200, &path)?;
        let body: Value = serde_json::from_str(&answer.body)
            .map_err(|error| format!("{} {path}: {error}\n{}", self.name, answer.body))?;
        if body == *expected {
            return Ok(());
        }
        Err(format!("{} {path}: expected\n{expected}\nbut got\n{body}", self.name))
    }

    fn expect(&self, answer: &Answer, status: u16, path: &str) -> Result<()> {
        if answer.status == status {
            return Ok(());
        }
        Err(format!("{} {path}: expected {status}, got {}\n{}", self.name, answer.status, answer.body))
    }

    /// A new user's token and id.
    fn sign_up(&self, anon: &str) -> Result<(String, String)> {
        let path = "/auth/v1/signup";
        let person = json!({"email": "reader@example.com", "password": PASSWORD});
        self.session(path, anon, &person)
    }

    /// Headers and the id of a user who signs in.
    pub(crate) fn sign_in(&self, email: &str) -> Result<(String, String)> {
        let (path, person) =
            ("/auth/v1/token?grant_type=password", json!({"email": email, "password": PASSWORD}));
        let (token, user) = self.session(path, &self.anon_key, &person)?;
        Ok((format!("apikey: {}\r\nAuthorization: Bearer {token}\r\n", self.anon_key), user))
    }

    fn session(&self, path: &str, anon: &str, person: &Value) -> Result<(String, String)> {
        let answer = ask(self.address, "POST", path, &format!("apikey: {anon}\r\n"), &person.to_string())?;
        self.expect(&answer, 200, path)?;
        let session: Value =
            serde_json::from_str(&answer.body).map_err(|error| format!("{path}: {error}"))?;
        match (session["access_token"].as_str(), session["user"]["id"].as_str()) {
            (Some(token), Some(user)) => Ok((token.to_owned(), user.to_owned())),
            _ => Err(format!("{path}: no session\n{}", answer.body)),
        }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // Only after an error: what it leaves behind is thrown away by the next run.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The value of a line `NAME=value`, with or without quotation marks.
fn key(lines: &str, name: &str) -> Result<String> {
    let found = lines.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    found
        .map(|value| value.trim().trim_matches('"').to_owned())
        .ok_or_else(|| format!("`backplane keys` printed no {name}"))
}

fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(|error| format!("no free port: {error}"))?;
    listener.local_addr().map_err(|error| format!("no free port: {error}"))
}

fn write(path: &Path, contents: &str) -> Result<()> {
    let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    made.and_then(|()| std::fs::write(path, contents)).map_err(|error| format!("{}: {error}", path.display()))
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| format!("{} is not UTF-8", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_by_their_whole_name() {
        let lines = "A_KEY=1\nKEY=\"2\"\n";
        assert_eq!(key(lines, "KEY").as_deref(), Ok("2"));
        assert_eq!(key(lines, "A_KEY").as_deref(), Ok("1"));
        assert!(key(lines, "A").is_err());
    }
}
