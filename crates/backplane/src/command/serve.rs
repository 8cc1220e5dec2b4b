//! `serve`: a project, strictly, until a signal.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use types::{Code, Error, Result};

use super::address::Announced;
use super::{Place, Serve, say, tell_complaints};
use crate::app::system::{OsRandom, SystemClock};
use crate::app::{App, Parts};
use crate::keys::DemoKeys;
use crate::project::{Project, Strictness};
use crate::server::{listen, log};
use crate::settings::Environment;

/// Serves it.
///
/// # Errors
/// When the project has errors, its data cannot be opened, or the address cannot be had.
pub(super) fn run(words: &Serve, environment: &Environment) -> Result<()> {
    let mut project = Project::read(&words.place.dir, environment, Strictness::Strict)?;
    tell_complaints(&project.complaints);
    project.check()?;
    take_words(words, &mut project);
    log::start(project.settings.server_log_format);
    warn_of_words(&project);
    runtime()?.block_on(async {
        let signal = listen::signal()?;
        // The address comes first: it is quick to find taken, and nothing has been touched then.
        let listener = listen::bind(project.settings.listen()).await?;
        project.settings.server_listen = Some(listener.local_addr().map_err(lost)?);
        let app = App::open(parts(&words.place, project, DemoKeys::Refused)).await?;
        announce(&app, listener.local_addr().map_err(lost)?, &words.place.dir);
        let announced = Announced::new(&data_dir(&words.place), &app);
        listen::serve(&app, listener, signal).await;
        drop(announced);
        app.close();
        Ok(())
    })
}

/// The command line comes before the settings.
pub(super) fn take_words(words: &Serve, project: &mut Project) {
    if words.listen.is_some() {
        project.settings.server_listen = words.listen;
    }
}

/// Where the data of a place is.
pub(super) fn data_dir(place: &Place) -> PathBuf {
    place.data.clone().unwrap_or_else(|| Project::data_dir(&place.dir))
}

/// What the words of a command line make an [`App`] of.
pub(super) fn parts(place: &Place, project: Project, demo_keys: DemoKeys) -> Parts {
    Parts {
        data_dir: data_dir(place),
        project,
        demo_keys,
        allow_loss: place.allow_destructive,
        clock: Arc::new(SystemClock),
        random: Arc::new(OsRandom::new()),
    }
}

pub(super) fn lost(error: std::io::Error) -> Error {
    Error::new(Code::IO_ERROR, "the listening socket is gone").with_cause(error)
}

/// A runtime with a thread a core.
///
/// # Errors
/// `58030` when the system gives no threads.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::new(Code::IO_ERROR, "could not start the runtime").with_cause(error))
}

/// Warns of words that were understood and change nothing.
pub(super) fn warn_of_words(project: &Project) {
    for name in &project.strangers {
        tracing::warn!("environment variable {name} is no setting");
    }
    let without_effect = project.without_effect.len();
    if without_effect > 0 {
        tracing::warn!("{without_effect} settings have no effect: `backplane check` names them");
    }
}

/// Says where it is, and warns of what would be surprising.
pub(super) fn announce(app: &App, address: SocketAddr, dir: &Path) {
    say(&format!("listening on http://{address}\n"));
    if app.files.is_some() {
        say(&format!("Application: http://{address}/app/#key={}\n", app.publishable_key));
    }
    if !address.ip().is_loopback() {
        tracing::warn!(
            "{address} is open to other machines and speaks plain HTTP: put a proxy that speaks HTTPS in front of it"
        );
    }
    if app.settings.is_postgres() {
        return;
    }
    for (what, error) in app.model().refused() {
        tracing::warn!(code = error.code().name(), "{what} is closed: {}", error.message());
    }
    let not_running = app.model().catalog.report().len();
    if not_running > 0 {
        tracing::warn!(
            "{not_running} things are declared and do not run: `backplane check {}`",
            dir.display()
        );
    }
}
