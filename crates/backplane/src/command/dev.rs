//! `dev`: a project, leniently, following its files as they change.
//!
//! A schema that is broken changes nothing: the one before it is served until the next one is whole. The files are looked
//! at twice a second, which works on every file system and costs nothing that one could measure.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use types::Result;

use super::address::Announced;
use super::migrate::lines;
use super::serve::{announce, data_dir, lost, parts, runtime, take_words};
use super::{Serve, say, tell, tell_complaints};
use crate::app::App;
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
    tell_complaints(&project.complaints);
    project.check()?;
    let written = project.settings.clone();
    take_words(words, &mut project);
    project.settings.server_log_requests = true;
    log::start(project.settings.server_log_format);
    runtime()?.block_on(async {
        let signal = listen::signal()?;
        let listener = listen::bind(project.settings.listen()).await?;
        project.settings.server_listen = Some(listener.local_addr().map_err(lost)?);
        let app = App::open(parts(&words.place, project, demo_keys)).await?;
        announce(&app, listener.local_addr().map_err(lost)?, &words.place.dir);
        let announced = Announced::new(&data_dir(&words.place), &app);
        let mut follower = Follower { app: app.clone(), dir: &words.place.dir, environment, seen, written };
        tokio::select! {
            () = listen::serve(&app, listener, signal) => {}
            () = follower.follow() => {}
        }
        drop((follower, announced));
        app.close();
        Ok(())
    })
}

struct Follower<'a> {
    app: Arc<App>,
    dir: &'a Path,
    environment: &'a Environment,
    seen: Fingerprint,
    written: Settings,
}

impl Follower<'_> {
    /// Looks at the files for ever.
    async fn follow(&mut self) {
        loop {
            tokio::time::sleep(PACE).await;
            // A folder that is gone for a moment (an editor, a checkout) comes back.
            let Ok(found) = project::fingerprint(self.dir) else { continue };
            if found == self.seen {
                continue;
            }
            // Somebody may be writing: the change is taken when nothing moved for one look.
            tokio::time::sleep(PACE).await;
            if project::fingerprint(self.dir).is_ok_and(|again| again == found) {
                self.seen = found;
                self.take().await;
            }
        }
    }

    async fn take(&mut self) {
        match self.changed().await {
            Ok(()) => {}
            Err(error) => {
                tell(&error);
                say("the schema before is still served\n");
            }
        }
    }

    async fn changed(&mut self) -> Result<()> {
        let project = Project::read(self.dir, self.environment, Strictness::Lenient)?;
        tell_complaints(&project.complaints);
        project.check()?;
        if project.settings != self.written {
            say("the settings have changed: start again to use them\n");
            self.written = project.settings.clone();
        }
        let steps = self.app.change(&project).await?;
        say(&if steps.is_empty() { "nothing to change\n".to_owned() } else { lines(&steps) });
        Ok(())
    }
}
