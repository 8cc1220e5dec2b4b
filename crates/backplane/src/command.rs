//! The commands, a file each, and what they share: the command line, how failures are told.
//!
//! Exit codes: 0 done, 1 refused or failed (one line says why, another what helps), 2 a command line that is none.

mod address;
mod check;
mod dev;
mod init;
mod keys;
mod migrate;
mod reference;
mod serve;
mod summary;

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use types::error::Details;
use types::{Error, Result};

use crate::keys::DemoKeys;
use crate::project::Project;
use crate::settings::Environment;
pub use serve::STACK_BYTES;

/// A backend from a folder of PostgreSQL's SQL, over the API that the Supabase clients speak.
#[derive(Debug, Parser)]
#[command(name = "backplane", version, disable_help_subcommand = true)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

/// What can be done.
#[derive(Debug, Subcommand)]
enum Command {
    /// Make a new project
    Init {
        /// Where
        dir: PathBuf,
    },
    /// Serve a project
    Serve(Serve),
    /// Serve a project and follow its files as they change
    Dev {
        #[command(flatten)]
        serve: Serve,
        /// Use the keys that everybody knows from the local stack of Supabase
        #[arg(long)]
        demo_keys: bool,
    },
    /// Say what is wrong with a project, what of it does not run, and who reaches its tables
    Check {
        /// The project
        dir: PathBuf,
        /// Take what exists already or is missing as an error, as `serve` does
        #[arg(long)]
        strict: bool,
    },
    /// Bring the data to the schema of the project
    Migrate(Migrate),
    /// Show the keys of a project, or change them
    Keys(Keys),
    /// Write the reference pages
    #[command(hide = true)]
    Reference {
        /// Where
        dir: PathBuf,
    },
}

/// A project and its data.
#[derive(Debug, clap::Args)]
struct Place {
    /// The project
    dir: PathBuf,
    /// Where its data is [default: DIR/.backplane]
    #[arg(long)]
    data: Option<PathBuf>,
    /// Also change the schema where that loses data
    #[arg(long)]
    allow_destructive: bool,
}

/// The words of `serve`.
#[derive(Debug, clap::Args)]
struct Serve {
    #[command(flatten)]
    place: Place,
    /// The address to listen on [default: 127.0.0.1:54321, or what the settings say]
    #[arg(long)]
    listen: Option<SocketAddr>,
}

/// The words of `migrate`.
#[derive(Debug, clap::Args)]
struct Migrate {
    #[command(flatten)]
    place: Place,
    /// Only show the steps
    #[arg(long)]
    plan: bool,
    /// Pass over what exists already, is missing or fails, as `dev` does
    #[arg(long)]
    lenient: bool,
}

/// The words of `keys`.
#[derive(Debug, clap::Args)]
struct Keys {
    /// The project
    dir: PathBuf,
    /// Where its data is [default: DIR/.backplane]
    #[arg(long)]
    data: Option<PathBuf>,
    /// As lines NAME=VALUE, for a shell or an .env file
    #[arg(long)]
    env: bool,
    /// Show the keys of `dev --demo-keys`
    #[arg(long)]
    demo_keys: bool,
    /// Make new keys; the present ones stay good. Restart the server afterwards
    #[arg(long, conflicts_with = "retire")]
    rotate: bool,
    /// Drop all but the newest keys. Restart the server afterwards
    #[arg(long)]
    retire: bool,
}

/// Runs the command that the program was started with.
pub fn main() -> ExitCode {
    let line = Line::parse();
    let environment = Environment::of_process();
    match run(line.command, &environment) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command, environment: &Environment) -> Result<()> {
    match command {
        Command::Init { dir } => init::run(&dir),
        Command::Serve(serve) => serve::run(&serve, environment),
        Command::Dev { serve, demo_keys } => dev::run(&serve, demo(demo_keys), environment),
        Command::Check { dir, strict } => check::run(&dir, strict, environment),
        Command::Migrate(words) => migrate::run(&words, environment),
        Command::Keys(words) => keys::run(&words, environment),
        Command::Reference { dir } => reference::run(&dir),
    }
}

fn demo(asked: bool) -> DemoKeys {
    if asked { DemoKeys::Used } else { DemoKeys::Refused }
}

/// Writes to standard output. Whoever closed it does not want to know.
fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Writes to standard error.
fn warn(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Tells why a command failed.
fn tell(error: &Error) {
    let mut text = format!("error: {}\n", error.message());
    if let Some(Details::Text(details)) = error.details() {
        details.lines().for_each(|line| text.push_str(&format!("  {line}\n")));
    }
    if let Some(hint) = error.hint() {
        text.push_str(&format!("hint: {hint}\n"));
    }
    if let Some(cause) = error.cause() {
        text.push_str(&format!("cause: {cause}\n"));
    }
    warn(&text);
}

/// Everything that is wrong with a project, once each, what refuses it last.
fn complaints(project: &Project) -> String {
    let (errors, others): (Vec<_>, Vec<_>) = project.complaints.iter().partition(|said| said.is_error());
    others.into_iter().chain(errors).map(|complaint| format!("{complaint}\n")).collect()
}

/// What refuses a project and nothing besides, or else what is passed over.
fn reasons(project: &Project) -> String {
    match project.check() {
        Ok(()) => complaints(project),
        Err(_) => project.errors().map(|complaint| format!("{complaint}\n")).collect(),
    }
}

/// Tells what is passed over of a project, or why it is refused.
///
/// # Errors
/// `42601` when it is refused.
fn refuse_broken(project: &Project) -> Result<()> {
    warn(&reasons(project));
    project.check()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::project::Strictness;
    use crate::testing::Folder;

    fn ran(words: &[&str]) -> Result<()> {
        let line = Line::try_parse_from(std::iter::once("backplane").chain(words.iter().copied()));
        run(line.unwrap_or_else(|error| panic!("{error}")).command, &Environment::default())
    }

    #[test]
    fn the_command_line_is_sound() {
        Line::command().debug_assert();
    }

    #[test]
    fn every_command_says_that_a_folder_is_not_there() {
        let folder = Folder::new();
        let path = folder.path().join("none");
        let none = path.to_str().unwrap();
        for words in [
            &["serve", none, "--listen", "127.0.0.1:0", "--data", none, "--allow-destructive"][..],
            &["dev", none, "--demo-keys"],
            &["check", none, "--strict"],
            &["migrate", none, "--plan", "--allow-destructive"],
            &["keys", none, "--env"],
        ] {
            let error = ran(words).unwrap_err();
            assert_eq!(error.message(), format!("there is no directory {none}"), "{words:?}");
            assert!(!path.exists(), "{words:?}");
        }
    }

    #[test]
    fn a_broken_project_is_counted_and_not_opened() {
        let folder = Folder::of(&[("schema.sql", "create table a (b nothing); create table c (d nothing);")]);
        let dir = folder.path().to_str().unwrap();
        for words in [&["serve", dir][..], &["check", dir, "--strict"], &["migrate", dir]] {
            let outcome = ran(words).map_err(|error| error.message().to_owned());
            assert_eq!(outcome, Err("the project has 2 errors".into()), "{words:?}");
            assert!(!folder.path().join(".backplane").exists(), "{words:?}");
        }
    }

    #[test]
    fn a_refusal_says_its_reasons_alone() {
        let text = |schema: &str| {
            let folder = Folder::of(&[("migrations/1_a.sql", schema)]);
            let project = Project::read(folder.path(), &Environment::default(), Strictness::Lenient).unwrap();
            let heads = |text: String| -> Vec<String> {
                text.lines().filter_map(|line| Some(line.split_once(": ")?.1.to_owned())).collect()
            };
            (heads(complaints(&project)), heads(reasons(&project)))
        };
        let passed = "relation \"gone\" does not exist".to_owned();
        let wrong = "create tabel a is not supported".to_owned();
        let alone = "alter table gone add column a int;";
        assert_eq!(text(alone), (vec![passed.clone()], vec![passed.clone()]));
        let both = "create tabel a (b int); alter table gone add column a int;";
        assert_eq!(text(both), (vec![passed, wrong.clone()], vec![wrong]));
    }

    #[test]
    fn keys_that_everybody_knows_stay_on_this_machine() {
        let folder = Folder::of(&[("schema.sql", "")]);
        let dir = folder.path().to_str().unwrap();
        let error = ran(&["dev", dir, "--demo-keys", "--listen", "0.0.0.0:0"]).unwrap_err();
        assert!(error.message().starts_with("keys that everybody knows"), "{error}");
    }

    #[test]
    fn data_is_brought_to_the_schema_and_only_then() {
        let folder = Folder::of(&[("schema.sql", "create table a (b int);")]);
        let dir = folder.path().to_str().unwrap();
        for words in [&["migrate", dir, "--plan"][..], &["migrate", dir], &["migrate", dir]] {
            ran(words).unwrap();
        }
        folder.write("schema.sql", "create table a (b int not null unique);");
        ran(&["migrate", dir]).unwrap();
    }
}
