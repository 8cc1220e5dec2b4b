//! The composition root: everything that a request needs, made once and shared.
//!
//! Time and randomness come in here. An `App` opens no socket and reads no environment; tests make one in process.

mod auth_config;
mod store;
pub mod system;
mod timing;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use auth::token::Rules;
use auth::{Clock, Gateway, KeySet, Pool, Random, Service};
use engine::Database;
use query::Model;
use rest::cors::Origins;
use types::Result;

use crate::keys::{self, DemoKeys, Source};
use crate::project::Project;
use crate::road::{DataApi, Description, Memory};
use crate::server::metrics::Metrics;
use crate::settings::{OpenApi, Settings};
use crate::spool;
use store::Store;
pub use store::review;
pub use timing::{Stopwatch, ticks};

/// What an [`App`] is made of.
pub struct Parts {
    /// The project that is served.
    pub project: Project,
    /// Where its rows and keys are.
    pub data_dir: PathBuf,
    /// Whether keys that everybody knows may be used.
    pub demo_keys: DemoKeys,
    /// Whether a change of the schema may lose rows or values.
    pub allow_loss: bool,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness fit for secrets.
    pub random: Arc<dyn Random>,
}

/// Everything that a request needs.
pub struct App {
    /// The settings in force.
    pub settings: Settings,
    /// The rows, and the model in force.
    pub database: Database,
    /// How the Data API is served.
    pub data_api: DataApi,
    /// Who asks.
    pub gateway: Arc<Gateway>,
    /// The Auth API, unless it is switched off.
    pub auth: Option<Service>,
    /// Whose pages may ask.
    pub origins: Origins,
    /// Where clients find the server, without a slash at the end.
    pub public_url: String,
    /// The key that the application's page starts with.
    pub publishable_key: String,
    /// The folder of files that is served at `/app/`.
    pub files: Option<PathBuf>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What is counted.
    pub metrics: Metrics,
    store: Store,
    is_stopping: AtomicBool,
    requests: RequestIds,
}

/// Where in its life a server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It takes requests.
    Ready,
    /// It ends what it has begun.
    Stopping,
}

impl App {
    /// Opens the data of a project, brings it to the project's schema, and makes what requests need.
    ///
    /// # Errors
    /// What [`keys::open`] refuses; `55P03` when another process has the data open, `58030` when it cannot be read;
    /// what the migration refuses.
    pub async fn open(parts: Parts) -> Result<Arc<App>> {
        let keys = open_keys(&parts)?;
        let store = Store::open(&parts)?;
        let (model, done) = store.bring(&parts.project).await?;
        done.iter().for_each(|line| tracing::info!("{line}"));
        let database = store.serving(model)?;
        let settings = &parts.project.settings;
        let gateway = Arc::new(gateway(&keys, settings)?);
        let public_url = public_url(settings);
        Ok(Arc::new(App {
            auth: auth_service(&parts, &keys, &gateway, &database)?,
            data_api: data_api(&parts, &public_url),
            origins: origins(settings),
            files: static_dir(&parts.project),
            publishable_key: keys.publishable_keys.first().cloned().unwrap_or_default(),
            requests: RequestIds::new(&*parts.random),
            is_stopping: AtomicBool::new(false),
            metrics: Metrics::default(),
            clock: parts.clock,
            settings: parts.project.settings,
            database,
            gateway,
            public_url,
            store,
        }))
    }

    /// The model in force.
    pub fn model(&self) -> Arc<Model> {
        self.database.model()
    }

    /// Brings the data to another state of the project, and serves that. Says what was changed, a line each.
    ///
    /// # Errors
    /// What the migration refuses; nothing has changed then.
    pub async fn change(&self, project: &Project) -> Result<Vec<String>> {
        let (model, done) = self.store.bring(project).await?;
        self.database.replace(model);
        Ok(done)
    }

    /// All routes, ready to be asked.
    pub fn router(self: &Arc<App>) -> axum::Router {
        crate::server::router(self)
    }

    /// Where in its life the server is.
    pub fn stage(&self) -> Stage {
        if self.is_stopping.load(Ordering::Acquire) { Stage::Stopping } else { Stage::Ready }
    }

    /// Says no to `/readyz` from here on.
    pub fn stop(&self) {
        self.is_stopping.store(true, Ordering::Release);
    }

    /// A name for the next request.
    pub fn request_id(&self) -> String {
        self.requests.next()
    }

    /// How many writes wait for their turn.
    pub fn writes_waiting(&self) -> usize {
        self.store.writes_waiting()
    }

    /// Ends the engine: everything that was answered is on the disk, and the next start has nothing to recover. What
    /// still runs keeps it open; that is no loss, for a commit is durable before it is answered.
    pub fn close(self: Arc<App>) {
        if let Some(App { store, database, auth, .. }) = Arc::into_inner(self) {
            drop((database, auth));
            store.close();
        }
    }
}

/// Brings the data of a project to its schema; a line for each thing that was done.
///
/// # Errors
/// As [`App::open`].
pub async fn migrate(parts: Parts) -> Result<Vec<String>> {
    let store = Store::open(&parts)?;
    let done = store.bring(&parts.project).await;
    store.close();
    done.map(|(_, done)| done)
}

/// What [`migrate`] would do, as text; empty when nothing.
///
/// # Errors
/// As [`App::open`].
pub async fn preview(parts: Parts) -> Result<String> {
    let store = Store::open(&parts)?;
    let text = store.preview(&parts.project).await;
    store.close();
    text
}

/// Where clients find a server of these settings, without a slash at the end.
pub fn public_url(settings: &Settings) -> String {
    settings.api_external_url.clone().unwrap_or_else(|| format!("http://{}", settings.listen()))
}

/// The folder of the application's files, when it is there.
fn static_dir(project: &Project) -> Option<PathBuf> {
    let folder = project.base.join(project.settings.server_static_dir.as_ref()?);
    folder.is_dir().then_some(folder)
}

fn open_keys(parts: &Parts) -> Result<KeySet> {
    let source = Source { clock: &*parts.clock, random: &*parts.random };
    let project = &parts.project;
    keys::open(&project.base, &parts.data_dir, &project.settings, parts.demo_keys, source)
}

fn gateway(keys: &KeySet, settings: &Settings) -> Result<Gateway> {
    let rules = Rules {
        is_expiry_required: settings.auth_require_token_expiry,
        audience: settings.auth_jwt_audience.clone(),
        ..Rules::default()
    };
    let mut gateway = keys.gateway(rules)?.with_anonymous_role(&settings.api_anon_role);
    gateway.is_key_required = settings.api_require_key;
    Ok(gateway)
}

fn auth_service(
    parts: &Parts,
    keys: &KeySet,
    gateway: &Arc<Gateway>,
    database: &Database,
) -> Result<Option<Service>> {
    let settings = &parts.project.settings;
    if !settings.auth_enabled {
        return Ok(None);
    }
    Ok(Some(Service::new(auth::Parts {
        config: auth_config::config(settings, &public_url(settings)),
        gateway: gateway.clone(),
        refresh_secret: keys.refresh_secret,
        database: database.clone(),
        pool: Pool::start(cores(), settings.limits.password_hash_queue_max)?,
        clock: parts.clock.clone(),
        random: parts.random.clone(),
    })))
}

fn data_api(parts: &Parts, public_url: &str) -> DataApi {
    let settings = &parts.project.settings;
    DataApi {
        schemas: settings.api_schemas.clone(),
        extra_search_path: settings.api_extra_search_path.clone(),
        aggregates: settings.api_aggregates,
        honors_tx: settings.api_allow_rollback,
        rolls_back: settings.api_roll_back,
        description: Description {
            served: settings.api_openapi != OpenApi::Disabled,
            all: settings.api_openapi == OpenApi::IgnorePrivileges,
            token: settings.api_openapi_security,
        },
        anon_role: settings.api_anon_role.as_str().into(),
        pre_request: settings.api_pre_request.clone(),
        explain: settings.api_explain,
        server_url: format!("{public_url}/rest/v1"),
        limits: settings.limits.clone(),
        aside: Some(spool::aside(&parts.data_dir, &settings.limits)),
        memory: Memory::default(),
    }
}

fn origins(settings: &Settings) -> Origins {
    match settings.api_cors_origins.is_empty() {
        true => Origins::Any,
        false => Origins::Only(settings.api_cors_origins.clone()),
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Names of requests: random for this process, counted within it.
struct RequestIds {
    prefix: String,
    count: AtomicU64,
}

impl RequestIds {
    fn new(random: &dyn Random) -> RequestIds {
        let prefix = u64::from_le_bytes(auth::entropy::bytes(random));
        RequestIds { prefix: format!("{prefix:016x}"), count: AtomicU64::new(0) }
    }

    fn next(&self) -> String {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        format!("{}-{number}", self.prefix)
    }
}
