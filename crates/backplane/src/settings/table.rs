//! The table of settings that we act on: a row each.
//!
//! The struct, the reader, the environment's names and the reference page are made from it. Limits have their own table
//! in `types::limits`; their rows are `[limits]` here.

use std::net::SocketAddr;
use std::time::Duration;

use types::{Limits, limits};

use super::value::{
    Exposure, Keeping, Kind, LogFormat, MetricsAccess, OpenApi, Period, Raw, Requirements, Secret,
};

/// One setting, for the reference.
#[derive(Clone, Debug)]
pub struct Row {
    /// Where it stands in `config.toml`, with dots.
    pub path: String,
    /// What kind of value it takes.
    pub kind: &'static str,
    /// Its default as one would write it; `None` when it has none.
    pub default: Option<String>,
    /// What it does.
    pub doc: &'static str,
}

macro_rules! settings {
    ($($field:ident: $ty:ty = $default:expr, $path:literal, $doc:literal;)*) => {
        /// The settings in force.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Settings {
            $(#[doc = $doc] pub $field: $ty,)*
            /// `[limits]`
            pub limits: Limits,
        }

        impl Default for Settings {
            fn default() -> Settings {
                Settings { $($field: $default,)* limits: Limits::default() }
            }
        }

        /// The paths of all rows but the limits'.
        const PATHS: &[&str] = &[$($path,)*];

        impl Settings {
            /// Sets what stands at a path; `None` when there is no such setting.
            pub(super) fn set(&mut self, path: &str, raw: &Raw) -> Option<Result<(), String>> {
                match path {
                    $($path => Some(Kind::read(raw).map(|value: $ty| self.$field = value)),)*
                    _ => self.set_limit(path, raw),
                }
            }
        }

        /// All rows with their defaults.
        pub fn rows() -> Vec<Row> {
            let defaults = Settings::default();
            let own = [$(Row {
                path: $path.into(),
                kind: <$ty as Kind>::NAME,
                default: defaults.$field.show(),
                doc: $doc,
            },)*];
            own.into_iter().chain(limit_rows()).collect()
        }
    };
}

settings! {
    api_enabled: bool = true, "api.enabled", "Whether the Data API is served.";
    api_port: u16 = 54321, "api.port", "The port of `server.listen` when that is not set.";
    api_schemas: Vec<String> = vec!["public".into(), "graphql_public".into()], "api.schemas", "Schemas that the Data API serves; the first is the default.";
    api_extra_search_path: Vec<String> = vec!["public".into(), "extensions".into()], "api.extra_search_path", "Schemas in which names without a schema are looked for.";
    api_max_rows: Option<u64> = None, "api.max_rows", "Rows that a read returns when it asks for no fewer; the same as `limits.rows_max`.";
    api_exposure: Exposure = Exposure::Guarded, "api.exposure", "Which tables of schema `public` the roles `anon` and `authenticated` reach without an explicit grant: those with row-level security, or all.";
    api_external_url: Option<String> = None, "api.external_url", "Where clients find the server, without a slash at the end: `https://example.com`.";
    api_cors_origins: Vec<String> = Vec::new(), "api.cors_origins", "Origins whose pages may use the Data API, with credentials. Empty: every origin, without credentials.";
    api_allow_rollback: bool = true, "api.allow_rollback", "Whether `Prefer: tx=rollback` is honored.";
    api_roll_back: bool = false, "api.roll_back", "Whether a request of the Data API that does not say `Prefer: tx=commit` changes nothing.";
    api_anon_role: String = "anon".into(), "api.anon_role", "The role of requests without a token; empty: they are refused.";
    api_openapi: OpenApi = OpenApi::FollowPrivileges, "api.openapi", "What the API describes at its root.";
    api_openapi_security: bool = false, "api.openapi_security", "Whether the description says how a token is sent.";
    api_aggregates: bool = false, "api.aggregates", "Whether `count()`, `sum()` and their like may be asked for.";
    api_explain: bool = false, "api.explain", "Whether `Accept: application/vnd.pgrst.plan` is answered with how a request would run.";
    api_pre_request: Option<String> = None, "api.pre_request", "A function that is called before each request, in its transaction: `SCHEMA.NAME`.";
    api_require_key: bool = false, "api.require_key", "Whether a request without an API key or token is refused.";

    auth_enabled: bool = true, "auth.enabled", "Whether the Auth API is served.";
    auth_site_url: String = "http://127.0.0.1:3000".into(), "auth.site_url", "The address of the application.";
    auth_additional_redirect_urls: Vec<String> = Vec::new(), "auth.additional_redirect_urls", "Other addresses that people may be sent to.";
    auth_jwt_expiry: u64 = 3600, "auth.jwt_expiry", "How long an access token is valid, in seconds.";
    auth_jwt_issuer: Option<String> = None, "auth.jwt_issuer", "The `iss` of tokens; by default the address of the Auth API.";
    auth_jwt_audience: Option<String> = None, "auth.jwt_audience", "When it is set, a token is refused whose `aud` does not name it.";
    auth_jwt_secret: Option<Secret> = None, "auth.jwt_secret", "The shared HS256 secret, at least 32 bytes. By default the project's own random one.";
    auth_anon_key: Option<Secret> = None, "auth.anon_key", "The legacy key of the role `anon`: a token that `auth.jwt_secret` signed.";
    auth_service_role_key: Option<Secret> = None, "auth.service_role_key", "The legacy key of the role `service_role`: a token that `auth.jwt_secret` signed.";
    auth_publishable_key: Option<Secret> = None, "auth.publishable_key", "The publishable key, `sb_publishable_…`. By default the project's own random one.";
    auth_secret_key: Option<Secret> = None, "auth.secret_key", "The secret key, `sb_secret_…`. By default the project's own random one.";
    auth_signing_keys_path: Option<String> = None, "auth.signing_keys_path", "A file of private JWKs, beside `config.toml`; the first signs, all verify. By default the project's own random key.";
    auth_enable_signup: bool = true, "auth.enable_signup", "Whether people may sign up.";
    auth_enable_anonymous_sign_ins: bool = false, "auth.enable_anonymous_sign_ins", "Whether people may sign in without saying who they are.";
    auth_minimum_password_length: u64 = 8, "auth.minimum_password_length", "Fewest characters of a password. NIST SP 800-63B-4 asks for 15 where it is the only factor.";
    auth_password_requirements: Requirements = Requirements::None, "auth.password_requirements", "Which kinds of characters a password must have.";
    auth_refuse_common_passwords: bool = true, "auth.refuse_common_passwords", "Whether passwords that everybody tries first are refused.";
    auth_require_token_expiry: bool = true, "auth.require_token_expiry", "Whether a token without `exp` is refused.";
    auth_enable_refresh_token_rotation: bool = true, "auth.enable_refresh_token_rotation", "Whether a refresh token is good for one use.";
    auth_refresh_token_reuse_interval: u64 = 10, "auth.refresh_token_reuse_interval", "For how many seconds a used refresh token gives its successor again.";
    auth_sessions_timebox: Option<Period> = None, "auth.sessions.timebox", "How long a session lives at most.";
    auth_sessions_inactivity_timeout: Option<Period> = None, "auth.sessions.inactivity_timeout", "How long a session lives without being used.";
    auth_email_enable_signup: bool = true, "auth.email.enable_signup", "Whether people may sign up with an address and a password.";
    auth_email_enable_confirmations: bool = false, "auth.email.enable_confirmations", "Whether an address must be confirmed before its owner may sign in.";
    auth_email_secure_password_change: bool = false, "auth.email.secure_password_change", "Whether changing a password wants a sign-in of the last 24 hours.";
    auth_email_require_current_password: bool = false, "auth.email.require_current_password", "Whether changing a password wants the old one.";
    auth_sessions_single_per_user: bool = false, "auth.sessions.single_per_user", "Whether only the session refreshed last goes on.";
    auth_rate_limit_sign_in_sign_ups: u64 = 30, "auth.rate_limit.sign_in_sign_ups", "Sign-ups of one address in 5 minutes; 0 is no limit.";
    auth_rate_limit_token_refresh: u64 = 150, "auth.rate_limit.token_refresh", "Sign-ins and refreshes of one address in 5 minutes; 0 is no limit.";
    auth_rate_limit_anonymous_users: u64 = 30, "auth.rate_limit.anonymous_users", "Anonymous sign-ins of one address in an hour; 0 is no limit.";
    auth_rate_limit_token_verifications: u64 = 30, "auth.rate_limit.token_verifications", "Verifications of one address in 5 minutes; 0 is no limit.";
    auth_rate_limit_header: Option<String> = None, "auth.rate_limit.header", "The header in which a proxy says the address of the client. Set it behind a proxy, and only there.";

    db_migrations_enabled: bool = true, "db.migrations.enabled", "Whether the folder `migrations` is read.";
    db_migrations_schema_paths: Vec<String> = Vec::new(), "db.migrations.schema_paths", "Files that declare the schema, in order; `*` stands for any part of a name.";
    db_seed_enabled: bool = true, "db.seed.enabled", "Whether a new database is filled with the seed.";
    db_seed_sql_paths: Vec<String> = vec!["./seed.sql".into()], "db.seed.sql_paths", "Files of the seed, in order; `*` stands for any part of a name.";

    engine_url: String = "sqlite:".into(), "engine.url", "Where rows are kept: `sqlite:` is the file `data.db` of the data directory, `sqlite:PATH` another file, seen from there; `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full` a PostgreSQL server.";
    engine_system_url: Option<String> = None, "engine.system_url", "Where the server itself logs in to PostgreSQL, if not by `engine.url`: for the schema, the Auth API and what is declared. Requests then log in as a role that is little more than those it takes on: `authenticator`.";
    engine_schema: Keeping = Keeping::Auto, "engine.schema", "Whose the schema of a PostgreSQL database is.";
    engine_connections: u64 = 10, "engine.connections", "Connections to a PostgreSQL server, at most; one more is kept for noticing declarations.";
    engine_acquire_timeout: Period = Period(Duration::from_secs(10)), "engine.acquire_timeout", "How long a request waits for a connection.";
    engine_connection_life: Period = Period(Duration::from_mins(30)), "engine.connection_life", "How old a connection becomes.";
    engine_connection_idle: Period = Period(Duration::from_mins(5)), "engine.connection_idle", "How long a connection may be unused.";
    engine_watch_interval: Period = Period(Duration::from_secs(10)), "engine.watch_interval", "How often a PostgreSQL database is asked whether something was declared, besides what it says itself.";
    engine_readers: u64 = 0, "engine.readers", "Connections that read at the same time; 0 is one a core.";

    jobs_timeout: Period = Period(Duration::from_mins(1)), "jobs.timeout", "How long a command of `cron.schedule` may run.";
    jobs_attempts: u64 = 6, "jobs.attempts", "How often a request of `net.http_post` is tried before it is given up.";
    jobs_private_addresses: bool = false, "jobs.private_addresses", "Whether requests of the schema may go to addresses that are not of the internet: this machine, its network.";

    server_listen: Option<SocketAddr> = None, "server.listen", "The address to listen on; by default `127.0.0.1` and `api.port`.";
    server_static_dir: Option<String> = None, "server.static_dir", "A folder of files, beside `config.toml`, that is served at `/app/`.";
    server_log_format: LogFormat = LogFormat::Text, "server.log_format", "How log lines look.";
    server_log_requests: bool = false, "server.log_requests", "Whether every request is logged. Failures of the server always are.";
    server_timing: bool = true, "server.timing", "Whether replies say in `Server-Timing` how long each phase took.";
    server_metrics: MetricsAccess = MetricsAccess::Local, "server.metrics", "Who may read `/metrics`.";
    server_head_timeout: Period = Period(Duration::from_secs(15)), "server.head_timeout", "How long a connection may be silent, or take to send the head of a request.";
    server_write_timeout: Period = Period(Duration::from_secs(30)), "server.write_timeout", "How long a client may take no byte of its reply.";
    server_drain_delay: Period = Period(Duration::ZERO), "server.drain_delay", "How long `/readyz` says no before the server stops accepting connections.";
}

const LIMITS: &str = "limits.";

fn limit_rows() -> impl Iterator<Item = Row> {
    limits::TABLE.iter().map(|(name, default, doc)| Row {
        path: format!("{LIMITS}{name}"),
        kind: u64::NAME,
        default: Some(default.to_string()),
        doc,
    })
}

impl Settings {
    fn set_limit(&mut self, path: &str, raw: &Raw) -> Option<Result<(), String>> {
        let name = path.strip_prefix(LIMITS)?;
        limits::TABLE.iter().find(|row| row.0 == name)?;
        Some(u64::read(raw).map(|value| {
            self.limits.set(name, value);
        }))
    }

    /// Whether the engine is a PostgreSQL server.
    pub fn is_postgres(&self) -> bool {
        ["postgres://", "postgresql://"].iter().any(|scheme| self.engine_url.starts_with(scheme))
    }

    /// The address to listen on.
    pub fn listen(&self) -> SocketAddr {
        self.server_listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], self.api_port)))
    }

    /// Brings into one place what two rows say.
    pub(super) fn settle(&mut self) {
        if let Some(rows) = self.api_max_rows {
            self.limits.rows_max = rows;
        }
    }
}

/// The paths of all rows.
pub fn paths() -> impl Iterator<Item = String> {
    let limits = limits::TABLE.iter().map(|row| format!("{LIMITS}{}", row.0));
    PATHS.iter().map(|path| (*path).to_owned()).chain(limits)
}
