//! A case's project, served in process: the product's own router, on a database of its own that is gone afterwards.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use auth::{Clock, KeySet};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use backplane::app::{App, Parts};
use backplane::complaint::Severity;
use backplane::keys::{self, DemoKeys};
use backplane::settings::Environment;
use backplane::{Project, Strictness};
use http_body_util::BodyExt;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

use crate::answer::Answer;
use crate::case::Case;
use crate::clock::{Dice, Stopped};
use crate::play::{Ask, Server};
use crate::rows;

mod native;
mod rendered;

pub use native::Cluster;
use native::World;

/// A folder in memory, where there is one: nothing of a case has to outlive it.
const MEMORY: &str = "/dev/shm";

/// Where the rows of a world are.
pub enum Engine {
    /// In a file of its own.
    Sqlite,
    /// In a database of its own on a PostgreSQL server.
    Postgres(Arc<Cluster>),
    /// In the database at an address, which stays.
    At(String),
}

impl Engine {
    /// Its word in cases.
    pub fn name(&self) -> &'static str {
        match self {
            Engine::Sqlite => "sqlite",
            Engine::Postgres(_) | Engine::At(_) => "postgres",
        }
    }
}

/// A project that is being served.
pub struct Served {
    router: Router,
    keys: KeySet,
    clock: Arc<Stopped>,
    // Fields are dropped in this order: what is asked, what runs it, where it is.
    app: Option<Arc<App>>,
    runtime: Runtime,
    engine: &'static str,
    _world: Option<World>,
    _folder: Folder,
}

impl Served {
    /// Serves the project of a case on the embedded engine.
    ///
    /// # Errors
    /// Everything that is wrong with its schema, rows or settings.
    pub fn open(case: &Case) -> Result<Served, String> {
        Served::on(case, &Engine::Sqlite)
    }

    /// Serves the project of a case on an engine.
    ///
    /// # Errors
    /// Everything that is wrong with its schema, rows or settings.
    pub fn on(case: &Case, engine: &Engine) -> Result<Served, String> {
        let folder = Folder::new()?;
        write_project(case, &folder.0)?;
        let (world, urls) = match engine {
            Engine::Sqlite => (None, None),
            Engine::Postgres(cluster) => {
                let world = cluster.world(case)?;
                let urls = (world.url.clone(), world.system_url.clone());
                (Some(world), Some(urls))
            }
            Engine::At(url) => (None, Some((url.clone(), url.clone()))),
        };
        let names = |(url, system_url): &(String, String)| {
            [("BACKPLANE_ENGINE_URL", url.clone()), ("BACKPLANE_ENGINE_SYSTEM_URL", system_url.clone())]
        };
        let values: Vec<(&str, String)> = urls.iter().flat_map(names).collect();
        let environment = Environment::of(values.iter().map(|(name, value)| (*name, value.as_str())));
        let mut project =
            Project::read(&folder.0, &environment, Strictness::Strict).map_err(|error| told(&error))?;
        let wrong: Vec<String> = project
            .complaints
            .iter()
            .filter(|complaint| complaint.severity == Severity::Error)
            .map(ToString::to_string)
            .collect();
        if !wrong.is_empty() {
            return Err(wrong.join("\n"));
        }
        if project.settings.engine_readers == 0 {
            project.settings.engine_readers = 1;
        }
        let runtime =
            Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
        let clock = Arc::new(Stopped::default());
        let data_dir = folder.0.join("data");
        let opened = App::open(Parts {
            project,
            data_dir: data_dir.clone(),
            demo_keys: DemoKeys::Refused,
            allow_loss: false,
            clock: clock.clone(),
            random: Arc::new(Dice::default()),
        });
        let app = runtime.block_on(opened).map_err(|error| told(&error))?;
        let document = fs::read_to_string(keys::path(&data_dir)).map_err(|error| error.to_string())?;
        let keys = KeySet::of_json(&document).map_err(|error| told(&error))?;
        Ok(Served {
            router: app.router(),
            keys,
            clock,
            app: Some(app),
            runtime,
            engine: engine.name(),
            _world: world,
            _folder: folder,
        })
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.router = Router::new();
        if let Some(app) = self.app.take() {
            // What the engine still has to end is a task of this runtime.
            let _entered = self.runtime.enter();
            app.close();
        }
    }
}

/// An error in one line.
fn told(error: &types::Error) -> String {
    let details = error.details().map(|details| format!(" ({details:?})")).unwrap_or_default();
    let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
    format!("{}: {}{details}{hint}", error.code().name(), error.message())
}

fn write_project(case: &Case, folder: &Path) -> Result<(), String> {
    let mut seed = String::new();
    for rows in &case.rows {
        let inserts = rows::statements(rows)
            .map_err(|complaint| format!("line {}: {}", complaint.line, complaint.message))?;
        seed.push_str(&inserts);
    }
    for (name, text) in [("schema.sql", &case.schema), ("config.toml", &case.config), ("seed.sql", &seed)] {
        fs::write(folder.join(name), text).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}

impl Server for Served {
    fn keys(&self) -> &KeySet {
        &self.keys
    }

    fn now_unix(&self) -> i64 {
        self.clock.now_unix()
    }

    fn advance(&mut self, seconds: u64) {
        self.clock.advance(seconds);
    }

    fn ask(&mut self, ask: &Ask) -> Result<Answer, String> {
        let mut request = Request::builder().method(ask.method.as_str()).uri(&ask.target);
        for (name, value) in &ask.headers {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(ask.body.clone())).map_err(|error| error.to_string())?;
        let router = self.router.clone();
        self.runtime.block_on(async move {
            let response = router.oneshot(request).await.map_err(|error| error.to_string())?;
            let (parts, body) = response.into_parts();
            let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
            let header = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
                (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            };
            Ok(Answer {
                status: parts.status.as_u16(),
                headers: parts.headers.iter().map(header).collect(),
                body: String::from_utf8_lossy(&body).into_owned(),
            })
        })
    }

    fn stage(&mut self, name: &str, ask: &Ask) -> Result<Option<String>, String> {
        let app = self.app.as_ref().ok_or("the project is not served any more")?;
        match name {
            "sqlite" if self.engine == name => {
                rendered::commands(app, ask).map(Some).map_err(|error| told(&error))
            }
            "sqlite" => Ok(None),
            _ => Err(format!("there is no stage `{name}`")),
        }
    }
}

/// A folder that is gone at the end.
struct Folder(PathBuf);

static COUNT: AtomicU64 = AtomicU64::new(0);

impl Folder {
    fn new() -> Result<Folder, String> {
        let memory = Path::new(MEMORY);
        let root = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = root.join(format!("backplane-case-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays is a nuisance, no reason to fail.
        let _ = fs::remove_dir_all(&self.0);
    }
}
