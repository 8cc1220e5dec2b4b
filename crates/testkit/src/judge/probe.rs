//! What PostgreSQL takes: statements that it refuses are nobody's project.

use drivers::postgres::Options;
use drivers::postgres::watch::Session;
use tokio::runtime::{Builder, Runtime};

use super::world::{Extra, World};

/// A database in which projects are tried and taken back.
pub(super) struct Probe {
    session: Session,
    runtime: Runtime,
}

impl Probe {
    /// A database of this name, with what every project starts with.
    pub(super) fn open(url: &str, name: &str) -> Result<Probe, String> {
        let (server, _) = url.rsplit_once('/').ok_or("the address of a server ends with a database")?;
        let mut first = Probe::at(url)?;
        first.run(&format!("drop database if exists {name} with (force)"))?;
        first.run(&format!("create database {name} template backplane_case_template strategy file_copy"))?;
        Probe::at(&format!("{server}/{name}"))
    }

    fn at(url: &str) -> Result<Probe, String> {
        let runtime =
            Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
        let session = runtime
            .block_on(Session::open(&Options::new(url)))
            .map_err(|error| error.message().to_owned())?;
        Ok(Probe { session, runtime })
    }

    /// Which of the statements behind a project are refused, and why.
    pub(super) fn refused(
        &mut self,
        world: &World,
        statements: &[Extra],
    ) -> Result<Vec<(usize, String)>, String> {
        self.run("begin")?;
        self.run(&world.sql())?;
        let mut refused = Vec::new();
        for (at, statement) in statements.iter().enumerate() {
            self.run("savepoint tried")?;
            if let Err(message) = self.run(&statement.sql()) {
                self.run("rollback to tried")?;
                refused.push((at, message));
            }
        }
        self.run("rollback")?;
        Ok(refused)
    }

    /// Whether a project can be made, rows included.
    pub(super) fn takes(&mut self, world: &World) -> Result<bool, String> {
        self.run("begin")?;
        let made = self.run(&world.sql());
        self.run("rollback")?;
        Ok(made.is_ok())
    }

    fn run(&mut self, text: &str) -> Result<(), String> {
        let ran = self.session.client.batch_execute(text);
        self.runtime.block_on(ran).map_err(|error| match error.as_db_error() {
            Some(error) => format!("{} {}", error.code().code(), error.message()),
            None => error.to_string(),
        })
    }
}
