//! The service: one request in, one response out.
//!
//! It finds the route, sees who asks, and runs the operation; whatever goes wrong becomes an answer here.

use std::sync::Arc;

use engine::{BoxFuture, Database, Work};

use crate::account;
use crate::codes;
use crate::config::Config;
use crate::entropy::{Clock, Random};
use crate::error::{AuthError, AuthResult};
use crate::fields::Fields;
use crate::gateway::{Caller, Credentials, Gateway, Kind};
use crate::grants::Origin;
use crate::http::{AuthRequest, AuthResponse, VERSION_2024, VERSION_HEADER, Version};
use crate::limiter::{Bucket, Key, Limiter};
use crate::liveness::Liveness;
use crate::pool::Pool;
use crate::refusal::Refusal;
use crate::routes::{self, Answer, Door, Found};
use crate::store;

/// What the service is made of.
pub struct Parts {
    /// The settings.
    pub config: Config,
    /// Keys and the rule of credentials; shared with the other APIs.
    pub gateway: Arc<Gateway>,
    /// From which the successors of refresh tokens are derived ([`crate::KeySet::refresh_secret`]).
    pub refresh_secret: [u8; 32],
    /// The database, with this crate's tables ([`crate::SCHEMA`]).
    pub database: Database,
    /// Where passwords are hashed.
    pub pool: Pool,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
}

/// The Auth API.
pub struct Service {
    pub(crate) config: Config,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) refresh_secret: [u8; 32],
    pub(crate) database: Database,
    pub(crate) pool: Pool,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    limiter: Limiter,
    pub(crate) liveness: Liveness,
}

impl Service {
    /// The service of these parts.
    pub fn new(parts: Parts) -> Service {
        let Parts { config, gateway, refresh_secret, database, pool, clock, random } = parts;
        let (limiter, liveness) = (Limiter::default(), Liveness::default());
        Service { config, gateway, refresh_secret, database, pool, clock, random, limiter, liveness }
    }

    /// Answers a request. The path is the one below `/auth/v1`.
    pub async fn handle(&self, request: AuthRequest) -> AuthResponse {
        let version = request.version();
        let answered = match routes::find(request.method, &request.path) {
            Found::Route(route, parameters) => self.answer(&request, route, parameters).await,
            Found::OtherMethod => return AuthResponse::text(405, "text/plain; charset=utf-8", ""),
            Found::Nothing => {
                return AuthResponse::text(404, "text/plain; charset=utf-8", "404 page not found\n");
            }
        };
        let response = answered.unwrap_or_else(|error| error.respond(version));
        match version {
            Version::Old => response,
            Version::Of2024 => response.with(VERSION_HEADER, VERSION_2024),
        }
    }

    async fn answer(
        &self,
        request: &AuthRequest,
        route: &'static routes::Route,
        parameters: Vec<&str>,
    ) -> AuthResult<AuthResponse> {
        request.check_query()?;
        let caller = self.admit(request, route.door)?;
        let call = Call { service: self, request, parameters, caller };
        match (route.answer, route.door) {
            (Answer::Does(operation), _) => operation(&call).await,
            (Answer::Absent(code, message), Door::User) => {
                // What is not here is told to users only, as if it were.
                account::show(&call).await?;
                Err(AuthError::new(code, message))
            }
            (Answer::Absent(code, message), Door::Open | Door::Admin) => Err(AuthError::new(code, message)),
        }
    }

    /// Who asks, when the door lets them in.
    fn admit(&self, request: &AuthRequest, door: Door) -> AuthResult<Option<Caller>> {
        let headers = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
        let credentials = Credentials::of_headers(headers);
        let identified = self.gateway.identify(credentials, self.clock.now_unix());
        match (door, identified) {
            // An old token must not keep anybody from getting a new one.
            (Door::Open, Ok(_)) => Ok(None),
            (Door::Open, Err(refusal)) if is_about_keys(refusal) => Err(refusal.into()),
            (Door::Open, Err(_)) => Ok(None),
            (Door::User | Door::Admin, Err(refusal)) => Err(refusal.into()),
            (Door::User | Door::Admin, Ok(caller)) if caller.kind == Kind::Anonymous => {
                Err(AuthError::of(codes::NO_AUTHORIZATION))
            }
            // A legacy key in `apikey` is nobody's token: the reference's gateway passes it on without `Bearer`.
            (Door::User, Ok(caller)) if caller.kind == Kind::Token && credentials.bearer()?.is_none() => {
                Err(AuthError::of(codes::NO_AUTHORIZATION))
            }
            (Door::User, Ok(caller)) => Ok(Some(caller)),
            (Door::Admin, Ok(caller)) if self.is_admin(&caller) => Ok(Some(caller)),
            (Door::Admin, Ok(_)) => Err(AuthError::of(codes::NOT_ADMIN)),
        }
    }

    pub(crate) fn is_admin(&self, caller: &Caller) -> bool {
        self.config.admin_roles.iter().any(|role| **role == *caller.role)
    }
}

/// Whether a refusal is about an API key, which every request may have to show.
fn is_about_keys(refusal: Refusal) -> bool {
    matches!(
        refusal,
        Refusal::Repeated(_) | Refusal::UnknownApiKey | Refusal::SecretInBrowser | Refusal::NoApiKey
    )
}

/// One request at work.
pub(crate) struct Call<'a> {
    pub(crate) service: &'a Service,
    pub(crate) request: &'a AuthRequest,
    /// What stands in the path where the route has names.
    pub(crate) parameters: Vec<&'a str>,
    caller: Option<Caller>,
}

impl Call<'_> {
    /// The body's fields.
    pub(crate) fn body(&self) -> AuthResult<Fields> {
        self.request.object(&self.service.config.limits).map(Fields::of)
    }

    /// Who asks: there is somebody behind every door but the open one.
    pub(crate) fn caller(&self) -> AuthResult<&Caller> {
        self.caller.as_ref().ok_or_else(|| AuthError::of(codes::NO_AUTHORIZATION))
    }

    /// The audience of the request: a header's, else the token's, else the configured one.
    pub(crate) fn audience(&self) -> AuthResult<String> {
        const BYTES_MAX: usize = 255;
        if let Some(audience) = self.request.header("x-jwt-aud").filter(|audience| !audience.is_empty()) {
            if audience.len() > BYTES_MAX {
                return Err(AuthError::new(codes::VALIDATION_FAILED, "The audience is too long"));
            }
            return Ok(audience.to_owned());
        }
        let of_user = self.caller.as_ref().filter(|caller| !self.service.is_admin(caller));
        let token = of_user.and_then(|caller| caller.token.as_ref());
        let claimed =
            token.and_then(|token| token.audience.as_deref()).filter(|audience| !audience.is_empty());
        Ok(claimed.unwrap_or(&self.service.config.audience).to_owned())
    }

    /// From where and when the request comes.
    pub(crate) fn origin(&self) -> Origin {
        const AGENT_CHARACTERS_MAX: usize = 512;
        let agent = self.request.header("user-agent").filter(|agent| !agent.is_empty());
        let kept =
            |agent: &str| agent.chars().filter(|c| !c.is_control()).take(AGENT_CHARACTERS_MAX).collect();
        Origin {
            now: self.service.clock.now_micros(),
            ip: self.request.peer.to_canonical().to_string(),
            user_agent: agent.map(kept),
            random: self.service.random.clone(),
        }
    }

    /// Counts the request.
    ///
    /// # Errors
    /// `over_request_rate_limit`
    pub(crate) fn count(&self, bucket: Bucket) -> AuthResult<()> {
        let limits = &self.service.config.rate_limit;
        let named = limits.header.as_deref().and_then(|name| self.request.header(name));
        let key = named.and_then(Key::of_header).unwrap_or_else(|| Key::of_peer(self.request.peer));
        self.service.limiter.take(bucket, key, limits, self.service.clock.now_micros())
    }

    /// Runs a job in a transaction.
    pub(crate) async fn transact<T, F>(&self, job: F) -> AuthResult<T>
    where
        T: Send + 'static,
        F: for<'w> FnOnce(&'w mut Work<'_>) -> BoxFuture<'w, AuthResult<T>> + Send + 'static,
    {
        store::transact(&self.service.database, self.service.config.statement_timeout, job).await
    }

    /// Hashes a password, away from every transaction.
    pub(crate) async fn hash(&self, password: &str) -> AuthResult<String> {
        let salt = crate::entropy::bytes(&*self.service.random);
        Ok(self.service.pool.hash(password.to_owned(), salt).await?)
    }
}
