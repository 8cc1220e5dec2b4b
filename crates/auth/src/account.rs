//! What users do to themselves: look, change, leave.

use engine::Work;
use types::json::Json;

use crate::bearer::{Bearer, Me};
use crate::codes;
use crate::error::{AuthError, AuthResult};
use crate::fields::{Fields, Object, check_size, merge};
use crate::grants::Origin;
use crate::http::AuthResponse;
use crate::identities::{self, EMAIL};
use crate::instant::SECOND;
use crate::limiter::Bucket;
use crate::service::Call;
use crate::sessions::{self, Scope};
use crate::users::{self, Person};
use crate::{audit, email, pkce, strength};

/// How old a session may be for changing the password without a nonce.
const RECENT: i64 = 86_400 * SECOND;

/// `GET /user`
pub(crate) async fn show(call: &Call<'_>) -> AuthResult<AuthResponse> {
    let (bearer, now) = (Bearer::of(call)?, call.service.clock.now_micros());
    let me = call.transact(move |work| Box::pin(async move { bearer.find(work, now).await })).await?;
    Ok(AuthResponse::json(200, &me.person.json()))
}

/// `POST /logout`
pub(crate) async fn log_out(call: &Call<'_>) -> AuthResult<AuthResponse> {
    let scope = call.request.parameter("scope").unwrap_or_default();
    let (bearer, origin) = (Bearer::of(call)?, call.origin());
    if !["", "global", "local", "others"].contains(&scope.as_str()) {
        let message = format!("Unsupported logout scope {scope:?}");
        return Err(AuthError::new(codes::VALIDATION_FAILED, message));
    }
    let left = call.transact(move |work| {
        Box::pin(async move {
            let me = bearer.find(work, origin.now).await?;
            let user = &me.person.user;
            audit::write(work, &origin, audit::Actor::User(user), audit::LOGOUT, None).await?;
            let scope = match (scope.as_str(), &me.session) {
                ("local", Some(session)) => Scope::Local(session.id),
                ("others", Some(session)) => Scope::Others(session.id),
                _ => Scope::Global,
            };
            sessions::end(work, user.id, scope).await
        })
    });
    left.await?;
    call.service.forget_sessions();
    Ok(AuthResponse::empty())
}

/// What a user wants to change.
struct Wanted {
    email: String,
    password: Option<String>,
    current_password: Option<String>,
    nonce: String,
    data: Option<Object>,
}

/// `PUT /user`
pub(crate) async fn change(call: &Call<'_>) -> AuthResult<AuthResponse> {
    let (bearer, origin) = (Bearer::of(call)?, call.origin());
    let (asked, now) = (bearer.clone(), origin.now);
    let known =
        call.transact(move |work| Box::pin(async move { Known::find(work, &asked, now).await })).await?;
    call.count(Bucket::User)?;
    let wanted = read(call, &call.body()?, &known)?;
    check(call, &wanted, &known)?;
    let hash = match &wanted.password {
        Some(password) => Some(hashed(call, password, &wanted, &known).await?),
        None => None,
    };
    let done = call.transact(move |work| {
        Box::pin(async move {
            let me = bearer.find(work, origin.now).await?;
            apply(work, me, wanted, hash, &origin).await
        })
    });
    let person = done.await?;
    call.service.forget_sessions();
    Ok(AuthResponse::json(200, &person.json()))
}

/// What has to be known about a user before a change is judged.
struct Known {
    me: Me,
    has_factor: bool,
    methods: sessions::Methods,
}

impl Known {
    async fn find(work: &mut Work<'_>, bearer: &Bearer, now: i64) -> AuthResult<Known> {
        let me = bearer.find(work, now).await?;
        let has_factor = users::has_factor(work, me.person.user.id).await?;
        let methods = match &me.session {
            Some(session) => sessions::methods(work, session.id).await?,
            None => sessions::Methods::default(),
        };
        Ok(Known { me, has_factor, methods })
    }
}

/// Reads the body: what is not an identifier or password of ours is refused.
fn read(call: &Call<'_>, body: &Fields, known: &Known) -> AuthResult<Wanted> {
    let config = &call.service.config;
    let mut email = body.text("email")?;
    if !email.is_empty() {
        email = email::validate(&email)?;
    }
    if !body.text("phone")?.is_empty() {
        return Err(AuthError::of(codes::PHONE_SIGNUPS_DISABLED));
    }
    let password = body.optional("password")?;
    if let Some(password) = &password {
        strength::check_length(password, &config.limits)?;
        let own = if email.is_empty() { &known.me.person.user.email } else { &email };
        strength::check(password, own, &config.password)?;
    }
    if body.metadata("app_metadata")?.is_some() {
        return Err(AuthError::new(codes::NOT_ADMIN, "Updating app_metadata requires admin privileges"));
    }
    pkce::check_challenge(body)?;
    Ok(Wanted {
        email: Some(email).filter(|email| *email != known.me.person.user.email).unwrap_or_default(),
        password,
        current_password: body.optional("current_password")?,
        nonce: body.text("nonce")?,
        data: body.metadata("data")?,
    })
}

/// Refuses what this user may not change now.
fn check(call: &Call<'_>, wanted: &Wanted, known: &Known) -> AuthResult<()> {
    let (user, config) = (&known.me.person.user, &call.service.config);
    let (has_email, has_password) = (!wanted.email.is_empty(), wanted.password.is_some());
    if known.has_factor && known.methods.level() != "aal2" && (has_email || has_password) {
        return Err(AuthError::of(codes::INSUFFICIENT_AAL));
    }
    if user.is_anonymous && has_password && !has_email {
        return Err(AuthError::of(codes::ANONYMOUS_PASSWORD));
    }
    if user.is_sso && (has_email || has_password || !wanted.nonce.is_empty()) {
        return Err(AuthError::of(codes::USER_SSO_MANAGED));
    }
    if has_email && (!user.is_anonymous || config.email.enable_confirmations) {
        return Err(AuthError::of(codes::MAIL_NOT_CONFIGURED));
    }
    let session = known.me.session.as_ref();
    let is_recent = session
        .is_some_and(|session| call.service.clock.now_micros() <= session.created_at.saturating_add(RECENT));
    if has_password && config.email.secure_password_change && !is_recent {
        return Err(AuthError::of(match wanted.nonce.is_empty() {
            true => codes::REAUTHENTICATION_NEEDED,
            // Nonces come by mail, and none is ever sent.
            false => codes::REAUTHENTICATION_NOT_VALID,
        }));
    }
    Ok(())
}

/// The hash of a new password, when it is one and its owner asks.
async fn hashed(call: &Call<'_>, password: &str, wanted: &Wanted, known: &Known) -> AuthResult<String> {
    let pool = &call.service.pool;
    if let Some(stored) = &known.me.person.user.password_hash {
        if call.service.config.email.require_current_password && !known.methods.is_recovery() {
            let current = wanted.current_password.clone().filter(|current| !current.is_empty());
            let current = current.ok_or_else(|| AuthError::of(codes::CURRENT_PASSWORD_REQUIRED))?;
            strength::check_length(&current, &call.service.config.limits)?;
            if !pool.verify(current, Some(stored.clone())).await?.is_right() {
                return Err(AuthError::of(codes::CURRENT_PASSWORD_INVALID));
            }
        }
        if pool.verify(password.to_owned(), Some(stored.clone())).await?.is_right() {
            return Err(AuthError::of(codes::SAME_PASSWORD));
        }
    }
    call.hash(password).await
}

/// Stores the changes. A new password or address ends the other sessions.
async fn apply(
    work: &mut Work<'_>,
    me: Me,
    wanted: Wanted,
    hash: Option<String>,
    origin: &Origin,
) -> AuthResult<Person> {
    let mut user = me.person.user;
    user.updated_at = origin.now;
    let ends_others = hash.is_some() || !wanted.email.is_empty();
    if let Some(hash) = hash {
        user.password_hash = Some(hash);
        users::clear_tokens(work, &mut user).await?;
        audit::write(work, origin, audit::Actor::User(&user), audit::USER_UPDATED_PASSWORD, None).await?;
    }
    if let Some(data) = wanted.data {
        merge(&mut user.user_metadata, data);
        check_size("data", &user.user_metadata)?;
    }
    if !wanted.email.is_empty() {
        name(work, &mut user, wanted.email, origin).await?;
    }
    users::update(work, &user).await?;
    if ends_others {
        let scope = me.session.map_or(Scope::Global, |session| Scope::Others(session.id));
        sessions::end(work, user.id, scope).await?;
    }
    audit::write(work, origin, audit::Actor::User(&user), audit::USER_MODIFIED, None).await?;
    Person::load(work, user.id).await
}

/// An anonymous user gets an address, and is anonymous no more.
async fn name(work: &mut Work<'_>, user: &mut users::User, email: String, origin: &Origin) -> AuthResult<()> {
    if users::is_email_taken(work, &email, Some(user.id)).await? {
        return Err(AuthError::of(codes::EMAIL_EXISTS));
    }
    user.email = email;
    user.is_anonymous = false;
    user.confirm_email(origin.now);
    let data = identities::claims(user, EMAIL, &user.email, true);
    let new = identities::New { provider: EMAIL, data, now: origin.now };
    identities::put(work, user, new, &*origin.random).await
}

/// An empty answer of a list.
pub(crate) fn nothing() -> AuthResponse {
    AuthResponse::json(200, &Json::Array(Vec::new()))
}
