//! `dev`: a project, leniently, following its files as they change.
//!
//! A schema that is broken changes nothing: the one before it is served until the next one is whole. The files are looked
//! at twice a second, which works on every file system and costs nothing that one could measure.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use types::{Code, Error, Result};

use super::address::Announced;
use super::migrate::lines;
use super::serve::{announce, data_dir, lost, parts, runtime, take_words, warn_of_words};
use super::{Serve, refuse_broken, say, tell};
use crate::app::App;
use crate::jobs;
use crate::keys::DemoKeys;
use crate::project::{self, Fingerprint, Project, Strictness};
use crate::server::{listen, log};
use crate::settings::{Environment, Settings};

/// How often the files are looked at.
const PACE: Duration = Duration::from_millis(500);

/// Serves it.
///
/// # Errors
/// When the project cannot be served at the start.
pub(super) fn run(words: &Serve, demo_keys: DemoKeys, environment: &Environment) -> Result<()> {
    let seen = project::fingerprint(&words.place.dir)?;
    let mut project = Project::read(&words.place.dir, environment, Strictness::Lenient)?;
    refuse_broken(&project)?;
    let written = project.settings.clone();
    take_words(words, &mut project);
    project.settings.server_log_requests = true;
    refuse_to_share(demo_keys, project.settings.listen())?;
    log::start(project.settings.server_log_format);
    warn_of_words(&project);
    runtime()?.block_on(async {
        let signal = listen::signal()?;
        let listener = listen::bind(project.settings.listen()).await?;
        project.settings.server_listen = Some(listener.local_addr().map_err(lost)?);
        let app = App::open(parts(&words.place, project, demo_keys)).await?;
        announce(&app, listener.local_addr().map_err(lost)?, &words.place.dir);
        let announced = Announced::new(&data_dir(&words.place), &app);
        let mut follower =
            Follower { app: app.clone(), dir: &words.place.dir, environment, seen, moving: None, written };
        let jobs = tokio::spawn(jobs::work(app.clone()));
        tokio::select! {
            () = listen::serve(&app, listener, signal) => {}
            () = follower.follow() => {}
        }
        jobs.abort();
        let _ = jobs.await;
        drop((follower, announced));
        app.close();
        Ok(())
    })
}

/// With keys that everybody knows, everybody who reaches the server is its owner.
fn refuse_to_share(demo_keys: DemoKeys, address: SocketAddr) -> Result<()> {
    if demo_keys == DemoKeys::Used && !address.ip().is_loopback() {
        let message =
            format!("keys that everybody knows are not used on {address}, which other machines reach");
        return Err(Error::new(Code::INVALID_PARAMETER, message).with_hint("Listen on 127.0.0.1."));
    }
    Ok(())
}

struct Follower<'a> {
    app: Arc<App>,
    dir: &'a Path,
    environment: &'a Environment,
    /// The state that is served, or was refused.
    seen: Fingerprint,
    /// Another state, seen once: somebody may still be writing.
    moving: Option<Fingerprint>,
    written: Settings,
}

impl Follower<'_> {
    /// Looks at the files for ever.
    async fn follow(&mut self) {
        loop {
            tokio::time::sleep(PACE).await;
            if self.has_changed() {
                self.take().await;
            }
        }
    }

    /// Whether the files are others than before, and the same at two looks.
    fn has_changed(&mut self) -> bool {
        // A folder that is gone for a moment (an editor, a checkout) comes back.
        let Ok(found) = project::fingerprint(self.dir) else { return false };
        let is_still = self.moving.replace(found) == Some(found);
        let has_changed = is_still && found != self.seen;
        if has_changed {
            self.seen = found;
        }
        has_changed
    }

    async fn take(&mut self) {
        if let Err(error) = self.changed().await {
            tell(&error);
            say("the schema before is still served\n");
        }
    }

    async fn changed(&mut self) -> Result<()> {
        let project = Project::read(self.dir, self.environment, Strictness::Lenient)?;
        refuse_broken(&project)?;
        if project.settings != self.written {
            say("the settings have changed: start again to use them\n");
            self.written = project.settings.clone();
        }
        let steps = self.app.change(&project).await?;
        say(&if steps.is_empty() { "nothing to change\n".to_owned() } else { lines(&steps) });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Folder, app_of};

    const SCHEMA: &str = "create table notes (id int primary key);";

    #[tokio::test]
    async fn a_broken_schema_changes_nothing_and_a_whole_one_is_served() {
        let folder = Folder::of(&[("schema.sql", SCHEMA)]);
        let environment = Environment::default();
        let app = app_of(&folder).await;
        let tables =
            || app.model().catalog.tables.iter().filter(|table| &*table.name.schema == "public").count();
        let mut follower = Follower {
            app: app.clone(),
            dir: folder.path(),
            environment: &environment,
            seen: project::fingerprint(folder.path()).unwrap(),
            moving: None,
            written: app.settings.clone(),
        };
        assert!(!follower.has_changed() && !follower.has_changed());
        folder.write("schema.sql", &format!("{SCHEMA} create tabel more (id int);"));
        assert_eq!(
            (follower.has_changed(), follower.has_changed(), follower.has_changed()),
            (false, true, false)
        );
        assert!(follower.changed().await.is_err());
        assert_eq!(tables(), 1);
        folder.write("schema.sql", &format!("{SCHEMA} create table more (id int);"));
        assert_eq!((follower.has_changed(), follower.has_changed()), (false, true));
        follower.changed().await.unwrap();
        assert_eq!(tables(), 2);
    }
}
