//! Databases on a PostgreSQL server for the worlds of cases: each copied from a template that has what every project starts with.
//!
//! Roles belong to the whole server: a world that makes some has it to itself among those that do, and they are gone with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use drivers::postgres::Options;
use drivers::postgres::watch::Session;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::{Engine, Served, told};
use crate::case::Case;

/// The database that the others are copied from.
const TEMPLATE: &str = "backplane_case_template";

/// Whom requests log in as.
const LOGIN: &str = "authenticator";

/// Forgets the empty project that the template was made by: a world's own comes into its place.
const BLANK: &str =
    "delete from backplane.ledger where layer = 'schema'; delete from supabase_migrations.seed_files";

/// Roles that nobody had before a world.
const STRANGERS: &str = "select coalesce(string_agg(format('drop role %I;', rolname), ''), '') from pg_roles where oid >= 16384 and not rolname = any ($1)";

/// The number of the release.
const RELEASE: &str = "select current_setting('server_version_num')::int";

/// The roles that are there.
const ROLES: &str = "select array_agg(rolname::text) from pg_roles";

/// A server that gives every world a database.
pub struct Cluster {
    /// Its address up to the database's name.
    server: String,
    /// Which of the worlds that make roles is open.
    roles: Arc<Mutex<()>>,
    count: AtomicU64,
}

impl Cluster {
    /// The server at an address, with a template made anew.
    ///
    /// # Errors
    /// A server that cannot be reached or used.
    pub fn prepare(url: &str) -> Result<Cluster, String> {
        let (server, _) = url.rsplit_once('/').ok_or("the address of a server ends with a database")?;
        let cluster = Cluster { server: server.to_owned(), roles: Arc::default(), count: AtomicU64::new(0) };
        let mut sessions = cluster.sessions("postgres")?;
        sessions.run(&format!("drop database if exists {TEMPLATE} with (force)"))?;
        sessions.run(&format!("create database {TEMPLATE} template template0"))?;
        let engine = Engine::At(cluster.url(TEMPLATE));
        drop(Served::on(&Case::default(), &engine)?);
        cluster.sessions(TEMPLATE)?.run(BLANK)?;
        Ok(cluster)
    }

    /// The number of its release.
    ///
    /// # Errors
    /// A server that does not say it.
    pub fn release(&self) -> Result<u32, String> {
        let number = self.sessions("postgres")?.release()?;
        u32::try_from(number).map_err(|_| format!("no number of a release: {number}"))
    }

    /// A database for a case.
    pub(super) fn world(&self, case: &Case) -> Result<World, String> {
        let makes_roles = case.schema.to_lowercase().contains("create role");
        let roles = makes_roles.then(|| self.roles.clone().blocking_lock_owned());
        let mut sessions = self.sessions("postgres")?;
        let before = if makes_roles { sessions.roles()? } else { Vec::new() };
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let name = format!("backplane_case_{}_{number}", std::process::id());
        // A copy of files takes a third of the time that a copy through the log takes, the first connection included.
        sessions.run(&format!("create database {name} template {TEMPLATE} strategy file_copy"))?;
        Ok(World {
            url: self.url_as(LOGIN, &name),
            system_url: self.url(&name),
            name,
            sessions,
            roles: roles.map(|held| (held, before)),
        })
    }

    /// The address of a database for somebody else.
    fn url_as(&self, user: &str, database: &str) -> String {
        let (scheme, rest) = self.server.split_once("://").unwrap_or_default();
        let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        format!("{scheme}://{user}@{host}/{database}")
    }

    fn url(&self, database: &str) -> String {
        format!("{}/{database}", self.server)
    }

    fn sessions(&self, database: &str) -> Result<Sessions, String> {
        Sessions::open(&self.url(database))
    }
}

/// A database that is gone at the end, with the roles that were made for it.
pub(super) struct World {
    /// Where requests log in: as the role that is little more than those it takes on.
    pub(super) url: String,
    /// Where the server itself logs in.
    pub(super) system_url: String,
    name: String,
    sessions: Sessions,
    roles: Option<(OwnedMutexGuard<()>, Vec<String>)>,
}

impl Drop for World {
    fn drop(&mut self) {
        // A database that stays is a nuisance; what it keeps from working says so itself.
        let _ = self.sessions.run(&format!("drop database {} with (force)", self.name));
        if let Some((_held, before)) = &self.roles {
            let _ = self.sessions.forget_roles(before);
        }
    }
}

/// A session, and what runs it.
struct Sessions {
    session: Session,
    runtime: Runtime,
}

impl Sessions {
    fn open(url: &str) -> Result<Sessions, String> {
        let runtime =
            Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
        let session = runtime.block_on(Session::open(&Options::new(url))).map_err(|error| told(&error))?;
        Ok(Sessions { session, runtime })
    }

    fn run(&mut self, text: &str) -> Result<(), String> {
        let ran = self.session.client.batch_execute(text);
        self.runtime.block_on(ran).map_err(|error| format!("{text}: {error}"))
    }

    fn release(&mut self) -> Result<i32, String> {
        let row = self.runtime.block_on(self.session.client.query_one(RELEASE, &[]));
        row.and_then(|row| row.try_get(0)).map_err(|error| error.to_string())
    }

    fn roles(&mut self) -> Result<Vec<String>, String> {
        let row = self.runtime.block_on(self.session.client.query_one(ROLES, &[]));
        row.and_then(|row| row.try_get(0)).map_err(|error| error.to_string())
    }

    fn forget_roles(&mut self, before: &Vec<String>) -> Result<(), String> {
        let row = self.runtime.block_on(self.session.client.query_one(STRANGERS, &[before]));
        let text: String = row.and_then(|row| row.try_get(0)).map_err(|error| error.to_string())?;
        self.run(&text)
    }
}
