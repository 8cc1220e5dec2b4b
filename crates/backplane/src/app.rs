//! The composition root: everything that a request needs, made once and shared.
//!
//! Time and randomness come in here. An `App` opens no socket and reads no environment; tests make one in process.

mod auth_config;
pub mod system;
mod timing;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use auth::token::Rules;
use auth::{Clock, Gateway, Random};
use drivers::sqlite::{Options, Sqlite};
use engine::{Database, Engine, migrate};
use query::Model;
use rest::cors::Origins;
use types::{Code, Error, Result};

use crate::keys::{self, DemoKeys, Source};
use crate::project::Project;
use crate::road::DataApi;
use crate::server::metrics::Metrics;
use crate::settings::Settings;
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
    pub auth: Option<auth::Service>,
    /// Whose pages may ask.
    pub origins: Origins,
    /// Where clients find the server, without a slash at the end.
    pub public_url: String,
    /// The folder of files that is served at `/app/`.
    pub files: Option<PathBuf>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness fit for secrets.
    pub random: Arc<dyn Random>,
    /// What is counted.
    pub metrics: Metrics,
    /// The first publishable key, for the address of the application.
    pub publishable_key: String,
    engine: Arc<Sqlite>,
    migrating: migrate::Options,
    stage: AtomicU8,
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
        let Parts { project, data_dir, demo_keys, allow_loss, clock, random } = parts;
        let source = Source { clock: &*clock, random: &*random };
        let keys = keys::open(&project.base, &data_dir, &project.settings, demo_keys, source)?;
        keys::make_data_dir(&data_dir)?;
        let gateway = Arc::new(gateway(&keys, &project.settings)?);
        let engine = Arc::new(open_engine(&project.settings, &data_dir, &clock, &random)?);
        let migrating = migrating(allow_loss, &clock, &random);
        let model = migrated(&engine, &project, &migrating).await?.0;
        let database = Database::new(engine.clone(), model, random_of(&random), clock_of(&clock));
        let public_url = public_url(&project.settings);
        let auth = match project.settings.auth_enabled {
            false => None,
            true => Some(auth::Service::new(auth::Parts {
                config: auth_config::config(&project.settings, &public_url),
                gateway: gateway.clone(),
                refresh_secret: keys.refresh_secret,
                database: database.clone(),
                pool: auth::Pool::start(cores(), project.settings.limits.password_hash_queue_max)?,
                clock: clock.clone(),
                random: random.clone(),
            })),
        };
        Ok(Arc::new(App {
            database,
            data_api: data_api(&project.settings, &public_url),
            gateway,
            auth,
            origins: origins(&project.settings),
            public_url,
            files: project.settings.server_static_dir.as_ref().map(|path| project.base.join(path)),
            requests: RequestIds::new(&*random),
            publishable_key: keys.publishable_keys.first().cloned().unwrap_or_default(),
            clock,
            random,
            metrics: Metrics::default(),
            engine,
            migrating,
            stage: AtomicU8::new(0),
            settings: project.settings,
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
        let (model, done) = migrated(&self.engine, project, &self.migrating).await?;
        self.database.replace(model);
        Ok(done)
    }

    /// All routes, ready to be asked.
    pub fn router(self: &Arc<App>) -> axum::Router {
        crate::server::router(self)
    }

    /// Where in its life the server is.
    pub fn stage(&self) -> Stage {
        if self.stage.load(Ordering::Acquire) == 0 { Stage::Ready } else { Stage::Stopping }
    }

    /// Says no to `/readyz` from here on.
    pub fn stop(&self) {
        self.stage.store(1, Ordering::Release);
    }

    /// A name for the next request.
    pub fn request_id(&self) -> String {
        self.requests.next()
    }

    /// Ends the engine: everything that was answered is on the disk, and the next start has nothing to recover. What
    /// still runs keeps it open; that is no loss, for a commit is durable before it is answered.
    pub fn close(self: Arc<App>) {
        if let Some(App { engine, database, auth, .. }) = Arc::into_inner(self) {
            drop((database, auth));
            if let Some(engine) = Arc::into_inner(engine) {
                engine.close();
            }
        }
    }
}

fn open_engine(
    settings: &Settings,
    data_dir: &Path,
    clock: &Arc<dyn Clock>,
    random: &Arc<dyn Random>,
) -> Result<Sqlite> {
    let Some(path) = settings.engine_url.strip_prefix("sqlite:") else {
        return Err(Error::missing(format!("the engine of \"{}\"", scheme(&settings.engine_url)))
            .with_hint("This version has `sqlite:`."));
    };
    let path = data_dir.join(if path.is_empty() { "data.db" } else { path });
    keys::make_private(&path)?;
    let readers = usize::try_from(settings.engine_readers).unwrap_or(usize::MAX);
    Sqlite::open(&Options {
        path,
        readers: if readers == 0 { cores() } else { readers },
        write_queue_max: settings.limits.write_queue_max,
        random: random_of(random),
        clock: clock_of(clock),
    })
    .map_err(|error| explained(error, data_dir))
}

/// What bringing the data to a project's schema would do, as text.
///
/// # Errors
/// As [`App::open`].
pub async fn preview(parts: Parts) -> Result<String> {
    let Parts { project, data_dir, clock, random, .. } = parts;
    keys::make_data_dir(&data_dir)?;
    let engine = Arc::new(open_engine(&project.settings, &data_dir, &clock, &random)?);
    let shared: Arc<dyn Engine> = engine.clone();
    let plan = migrate::plan(&shared, &project.sources, &migrating(false, &clock, &random)).await?;
    let notes: String = plan.notes.iter().map(|note| format!("{note}\n")).collect();
    let text =
        if plan.is_empty() { format!("Nothing to change.\n{notes}") } else { format!("{plan}{notes}") };
    drop(shared);
    if let Some(engine) = Arc::into_inner(engine) {
        engine.close();
    }
    Ok(text)
}

/// Brings the data to a project's schema; a line for each thing that was done.
///
/// # Errors
/// As [`App::open`].
pub async fn migrate(parts: Parts) -> Result<Vec<String>> {
    let Parts { project, data_dir, allow_loss, clock, random, .. } = parts;
    keys::make_data_dir(&data_dir)?;
    let engine = Arc::new(open_engine(&project.settings, &data_dir, &clock, &random)?);
    let (_, done) = migrated(&engine, &project, &migrating(allow_loss, &clock, &random)).await?;
    if let Some(engine) = Arc::into_inner(engine) {
        engine.close();
    }
    Ok(done)
}

fn migrating(allow_loss: bool, clock: &Arc<dyn Clock>, random: &Arc<dyn Random>) -> migrate::Options {
    migrate::Options {
        allow_loss,
        timeout: MIGRATION_TIME_MAX,
        random: random_of(random),
        clock: clock_of(clock),
    }
}

/// Rebuilding the largest table that fits on one machine takes less.
const MIGRATION_TIME_MAX: Duration = Duration::from_secs(24 * 3600);

/// Brings the data to a project's schema; the model in force then, and a line for each thing that was done.
async fn migrated(
    engine: &Arc<Sqlite>,
    project: &Project,
    options: &migrate::Options,
) -> Result<(Arc<Model>, Vec<String>)> {
    let engine: Arc<dyn Engine> = engine.clone();
    let applied = migrate::apply(&engine, &project.sources, options).await?;
    let steps = applied.steps.iter().map(|step| format!("{}{}", step.sentence, step.danger));
    let done = steps.chain(applied.notes).collect();
    let catalog = applied.catalog.unwrap_or_else(|| project.catalog.clone());
    Ok((Arc::new(Model::new(catalog)), done))
}

/// Where clients find a server of these settings, without a slash at the end.
pub fn public_url(settings: &Settings) -> String {
    settings.api_external_url.clone().unwrap_or_else(|| format!("http://{}", settings.listen()))
}

fn data_api(settings: &Settings, public_url: &str) -> DataApi {
    DataApi {
        schemas: settings.api_schemas.clone(),
        extra_search_path: settings.api_extra_search_path.clone(),
        aggregates: settings.api_aggregates,
        honors_tx: settings.api_allow_rollback,
        server_url: format!("{public_url}/rest/v1"),
        limits: settings.limits.clone(),
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn gateway(keys: &auth::KeySet, settings: &Settings) -> Result<Gateway> {
    let rules = Rules { is_expiry_required: settings.auth_require_token_expiry, ..Rules::default() };
    let mut gateway = keys.gateway(rules)?;
    gateway.is_key_required = settings.api_require_key;
    Ok(gateway)
}

/// The scheme of a URL: what follows may hold a password.
fn scheme(url: &str) -> &str {
    url.split(':').next().unwrap_or_default()
}

/// Says where, for what the engine could not know.
fn explained(error: Error, data_dir: &Path) -> Error {
    match error.code() {
        Code::DISK_FULL => error.with_hint(format!("Free some space for {}.", data_dir.display())),
        _ => error,
    }
}

fn random_of(random: &Arc<dyn Random>) -> engine::Random {
    let random = random.clone();
    Arc::new(move |out| random.fill(out))
}

fn clock_of(clock: &Arc<dyn Clock>) -> engine::Clock {
    let clock = clock.clone();
    Arc::new(move || clock.now_micros())
}

fn origins(settings: &Settings) -> Origins {
    match settings.api_cors_origins.is_empty() {
        true => Origins::Any,
        false => Origins::Only(settings.api_cors_origins.clone()),
    }
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
