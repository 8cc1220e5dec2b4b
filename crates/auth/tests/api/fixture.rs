//! A service on a database of its own, and people who ask it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use auth::{
    AuthRequest, AuthResponse, Clock, Config, Gateway, KeySet, Method, Parts, Pool, Random, Rules, Service,
};
use drivers::sqlite::{Options, Sqlite};
use engine::migrate::{self, File, Layout, Sources};
use engine::{Database, Engine, Statement};
use query::Model;
use types::Value;
use types::json::{Json, parse};

/// 2026-01-01 00:00 UTC.
const START: i64 = 9_497 * 86_400_000_000;

/// Longer than any statement takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A password that nobody would try.
pub(crate) const PASSWORD: &str = "nine lives of a purple cat";

/// A clock that moves when it is told to.
pub(crate) struct Hands(AtomicI64);

impl Hands {
    /// Moves the clock.
    pub(crate) fn forward_s(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now_micros(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Bytes that look random and repeat on every run (splitmix64).
struct Dice(AtomicU64);

impl Dice {
    fn roll(&self, out: &mut [u8]) {
        for byte in out {
            let mut z = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            *byte = z.to_be_bytes()[0];
        }
    }
}

impl Random for Dice {
    fn fill(&self, out: &mut [u8]) {
        self.roll(out);
    }
}

/// A folder that is gone when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("backplane-auth-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays is a nuisance, no reason to fail.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A project with its Auth API.
pub(crate) struct Project {
    pub(crate) service: Arc<Service>,
    pub(crate) keys: KeySet,
    pub(crate) clock: Arc<Hands>,
    pub(crate) database: Database,
    pub(crate) gateway: Arc<Gateway>,
    _folder: Folder,
}

impl Project {
    /// A project with the settings that most tests want.
    pub(crate) async fn new() -> Project {
        Project::with(|_| {}).await
    }

    /// A project with other settings.
    pub(crate) async fn with(choose: impl FnOnce(&mut Config)) -> Project {
        Project::on_schema("", choose).await
    }

    /// A project with tables of its own.
    pub(crate) async fn on_schema(schema: &str, choose: impl FnOnce(&mut Config)) -> Project {
        let folder = Folder::new();
        let clock = Arc::new(Hands(AtomicI64::new(START)));
        let dice = Arc::new(Dice(AtomicU64::new(1)));
        let database = database(&folder, schema, &clock, &dice).await;
        let keys = KeySet::generate(&*clock, &*dice).unwrap();
        let gateway = Arc::new(keys.gateway(Rules::default()).unwrap());
        let mut config = Config { enable_anonymous_sign_ins: true, ..Config::default() };
        choose(&mut config);
        let service = Service::new(Parts {
            config,
            gateway: gateway.clone(),
            refresh_secret: keys.refresh_secret,
            database: database.clone(),
            pool: Pool::start(2, 64).unwrap(),
            clock: clock.clone(),
            random: dice,
        });
        Project { service: Arc::new(service), keys, clock, database, gateway, _folder: folder }
    }

    /// Asks without a token.
    pub(crate) async fn post(&self, path: &str, body: &str) -> Reply {
        self.ask(Method::Post, path, body, &[]).await
    }

    /// Asks with a token.
    pub(crate) async fn ask_as(&self, token: &str, method: Method, path: &str, body: &str) -> Reply {
        self.ask(method, path, body, &[("authorization", &format!("Bearer {token}"))]).await
    }

    /// Asks as the administrator.
    pub(crate) async fn administer(&self, method: Method, path: &str, body: &str) -> Reply {
        self.ask(method, path, body, &[("apikey", &self.keys.secret_keys[0])]).await
    }

    /// Asks.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: &str,
        headers: &[(&str, &str)],
    ) -> Reply {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
        let request = AuthRequest {
            method,
            path: path.into(),
            query: query.into(),
            headers: headers.collect(),
            body: body.as_bytes().to_vec(),
            peer: [127, 0, 0, 1].into(),
        };
        Reply(self.service.handle(request).await)
    }

    /// Signs somebody up.
    pub(crate) async fn sign_up(&self, email: &str) -> Reply {
        let reply = self.post("/signup", &credentials(email, PASSWORD)).await;
        reply.expect(200)
    }

    /// Signs somebody in.
    pub(crate) async fn sign_in(&self, email: &str, password: &str) -> Reply {
        self.post("/token?grant_type=password", &credentials(email, password)).await
    }

    /// Refreshes a session.
    pub(crate) async fn refresh(&self, token: &str) -> Reply {
        self.post("/token?grant_type=refresh_token", &format!(r#"{{"refresh_token":"{token}"}}"#)).await
    }

    /// The rows of a statement, as text.
    pub(crate) async fn rows(&self, statement: &'static Statement) -> Vec<Vec<String>> {
        let rows = self.database.transact(PATIENCE, move |work| Box::pin(work.query(statement, Vec::new())));
        let text = |value: &Value| match value {
            Value::Text(text) => text.to_string(),
            other => format!("{other:?}"),
        };
        rows.await.unwrap().iter().map(|row| row.iter().map(text).collect()).collect()
    }
}

async fn database(folder: &Folder, schema: &str, clock: &Arc<Hands>, dice: &Arc<Dice>) -> Database {
    let (random, time): (engine::Random, engine::Clock) = {
        let (dice, clock) = (dice.clone(), clock.clone());
        (Arc::new(move |out| dice.roll(out)), Arc::new(move || clock.now_micros()))
    };
    let options = Options {
        path: folder.0.join("data.db"),
        readers: 1,
        write_queue_max: 256,
        value_bytes_max: 64 << 20,
        sleep_max: Duration::from_secs(1),
        random: random.clone(),
        clock: time.clone(),
    };
    let engine: Arc<dyn Engine> = Arc::new(Sqlite::open(&options).unwrap());
    let file = |name: &str, text: &str| File { name: name.into(), text: text.into() };
    let sources = Sources {
        base: Arc::new(catalog::build::builtin()),
        system: vec![file("auth", auth::SCHEMA)],
        layout: Layout::Declared,
        schema: vec![file("schema.sql", schema)],
        seeds: Vec::new(),
    };
    let options = migrate::Options {
        allow_loss: false,
        is_lenient: false,
        timeout: PATIENCE,
        random: random.clone(),
        clock: time.clone(),
    };
    migrate::apply(&engine, &sources, &options).await.unwrap();
    let files: Vec<File> = sources.system.iter().chain(&sources.schema).cloned().collect();
    let folded = migrate::fold(&sources.base, &files, Layout::Declared, "postgres");
    assert!(folded.refused.is_empty(), "{:?}", folded.refused);
    Database::new(engine, Arc::new(Model::new(folded.catalog)), random, time)
}

/// The body of a sign-up or sign-in.
pub(crate) fn credentials(email: &str, password: &str) -> String {
    format!(r#"{{"email":"{email}","password":"{password}"}}"#)
}

/// A response.
#[derive(Debug)]
pub(crate) struct Reply(pub(crate) AuthResponse);

impl Reply {
    /// The response when it has this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Reply {
        assert_eq!(self.0.status, status, "{}", self.text());
        self
    }

    /// The response when it is this error.
    #[track_caller]
    pub(crate) fn refuses(self, status: u16, code: &str) -> Reply {
        assert_eq!(self.at("error_code"), code, "{}", self.text());
        assert_eq!(self.0.header("x-sb-error-code"), Some(code));
        self.expect(status)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.body).into_owned()
    }

    pub(crate) fn json(&self) -> Json {
        parse(&self.text(), 64).unwrap_or(Json::Null)
    }

    /// The value at a path of keys; empty when there is nothing.
    pub(crate) fn at(&self, path: &str) -> String {
        let mut value = Some(self.json());
        for key in path.split('.') {
            value = value.and_then(|value| match (&value, key.parse::<usize>()) {
                (Json::Array(items), Ok(position)) => items.get(position).cloned(),
                _ => value.get(key).cloned(),
            });
        }
        match value {
            Some(Json::String(text)) => text,
            Some(other) => other.compact(),
            None => String::new(),
        }
    }

    /// The access token.
    pub(crate) fn access(&self) -> String {
        self.at("access_token")
    }

    /// The refresh token.
    pub(crate) fn refresh(&self) -> String {
        self.at("refresh_token")
    }

    /// The claims of the access token.
    pub(crate) fn claims(&self) -> Json {
        let token = self.access();
        let payload = token.split('.').nth(1).unwrap();
        parse(std::str::from_utf8(&auth::encoding::decode(payload).unwrap()).unwrap(), 64).unwrap()
    }
}
