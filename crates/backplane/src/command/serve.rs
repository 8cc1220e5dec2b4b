//! `serve`: a project, strictly, until a signal.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use types::{Code, Error, Result};

use super::address::Announced;
use super::{Place, Serve, refuse_broken, say};
use crate::app::system::{OsRandom, SystemClock};
use crate::app::{App, Parts};
use crate::jobs;
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
    refuse_broken(&project)?;
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
        let jobs = tokio::spawn(jobs::work(app.clone()));
        listen::serve(&app, listener, signal).await;
        // What it was at is recorded, and goes on with the next start.
        jobs.abort();
        let _ = jobs.await;
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

/// The stack of every thread that reads, compiles or answers what others wrote: its depth is bounded by limits, and what these
/// allow fits in a debug build. Only what is touched takes memory.
pub const STACK_BYTES: usize = 32 << 20;

/// A runtime with a thread a core.
///
/// # Errors
/// `58030` when the system gives no threads.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .thread_stack_size(STACK_BYTES)
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
        tracing::warn!(code = error.state(), "{what} is closed: {}", error.message());
    }
    let not_running = app.model().catalog.report().len();
    if not_running > 0 {
        tracing::warn!(
            "{not_running} things are declared and do not run: `backplane check {}`",
            dir.display()
        );
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;
    use crate::testing::{Folder, app_of};

    /// Tables of which each shows rows that the next one shows, under a condition as deep as a text may be.
    fn schema(tables: usize, depth: usize) -> String {
        let deep = format!("{}u.id > 0{}", "not (".repeat(depth), ")".repeat(depth));
        let tables = (0..=tables).map(|table| {
            let next = table + 1;
            let shown = match table == tables {
                true => "true".to_owned(),
                false => format!("exists (select from t{next} u where u.id = t{table}.id and {deep})"),
            };
            let parent = if table == 0 { String::new() } else { format!(" references t{}", table - 1) };
            format!(
                "create table t{table} (id int primary key{parent}, note text); alter table t{table} enable row level security;
                 grant select on t{table} to anon;"
            ) + "POLICY" + &format!("create policy shown on t{table} for select using ({shown});")
        });
        let parts: Vec<String> = tables.collect();
        let (made, shown): (Vec<_>, Vec<_>) =
            parts.iter().filter_map(|part| part.split_once("POLICY")).unzip();
        made.concat() + &shown.concat()
    }

    /// What requests that are as deep as they may be are answered, on the threads of a runtime.
    fn answers(schema: &str, targets: Vec<String>) -> Vec<(u16, String)> {
        let folder = Folder::of(&[("schema.sql", schema)]);
        let runtime = runtime().unwrap();
        let answered = runtime.spawn(async move {
            let app = app_of(&folder).await;
            let mut answers = Vec::new();
            for target in targets {
                let request = Request::builder().uri(target).body(Body::empty()).unwrap();
                let response = app.router().oneshot(request).await.unwrap();
                let status = response.status().as_u16();
                let body = response.into_body().collect().await.unwrap().to_bytes();
                answers.push((status, String::from_utf8(body.to_vec()).unwrap()));
            }
            answers
        });
        runtime.block_on(answered).unwrap()
    }

    /// How deep a condition may be.
    fn deepest() -> usize {
        let is_read = |depth: &usize| {
            let folder = Folder::of(&[("schema.sql", &schema(1, *depth))]);
            let project = Project::read(folder.path(), &Environment::default(), Strictness::Strict);
            project.is_ok_and(|project| project.complaints.is_empty())
        };
        (1..200).rev().find(is_read).unwrap()
    }

    #[test]
    fn the_deepest_requests_fit_the_stack() {
        let deepest = deepest();
        assert!(deepest > 20, "{deepest}");
        let logic = (0..15).fold("id.gt.0".to_owned(), |inner, _| format!("not.and(id.gt.0,{inner})"));
        let embeds = (1..=5).rev().fold("id".to_owned(), |inner, table| format!("id,t{table}({inner})"));
        let targets =
            vec![format!("/rest/v1/t0?and=({logic})"), format!("/rest/v1/t0?select={embeds}&and=({logic})")];
        // SQLite has a limit of its own for what is left of both: a refusal, not an end.
        for (tables, depth) in [(5, deepest), (30, 3), (30, deepest)] {
            for (status, body) in answers(&schema(tables, depth), targets.clone()) {
                let told = status == 200 || body.contains("54001");
                assert!(told, "{tables} tables, {depth} deep: {status} {}", body.get(..300).unwrap_or(&body));
            }
        }
    }
}
