//! `POST /token`: a password or a refresh token becomes a session.

use engine::Work;
use types::Value;
use types::json::Json;

use crate::codes;
use crate::config::Sessions as Rules;
use crate::error::{AuthError, AuthResult, reasons};
use crate::fields::string;
use crate::grants::{self, Grant, Origin};
use crate::http::AuthResponse;
use crate::identities::EMAIL;
use crate::limiter::Bucket;
use crate::password::Verdict;
use crate::refresh::{self, Rotated, Rotation};
use crate::service::Call;
use crate::statements as sql;
use crate::users::{self, Person, Secret};
use crate::{audit, email, sessions, strength};

/// `POST /token`
pub(crate) async fn token(call: &Call<'_>) -> AuthResult<AuthResponse> {
    let grant_type = call.request.parameter("grant_type").unwrap_or_default();
    if !["password", "refresh_token", "pkce", "id_token", "web3"].contains(&grant_type.as_str()) {
        return Err(AuthError::of(codes::UNSUPPORTED_GRANT));
    }
    call.count(Bucket::Token)?;
    match grant_type.as_str() {
        "password" => by_password(call).await,
        "refresh_token" => by_refresh_token(call).await,
        "pkce" => by_code(call),
        "web3" => Err(AuthError::of(codes::WEB3_DISABLED)),
        _ => Err(AuthError::of(codes::PROVIDER_DISABLED)),
    }
}

/// No flow hands out codes here: none is ever found.
fn by_code(call: &Call<'_>) -> AuthResult<AuthResponse> {
    let body = call.body()?;
    if body.text("auth_code")?.is_empty() || body.text("code_verifier")?.is_empty() {
        let message = "invalid request: both auth code and code verifier should be non-empty";
        return Err(AuthError::new(codes::VALIDATION_FAILED, message));
    }
    Err(AuthError::of(codes::FLOW_STATE_NOT_FOUND))
}

async fn by_password(call: &Call<'_>) -> AuthResult<AuthResponse> {
    let (email, password) = read(call)?;
    let (service, audience) = (call.service, call.audience()?);
    let invalid = || AuthError::of(codes::INVALID_CREDENTIALS);
    if password.len() > service.config.limits.password_bytes_max {
        return Err(invalid());
    }
    let known = {
        let email = email.clone();
        call.transact(move |work| Box::pin(async move { users::secret_of(work, &email).await })).await?
    };
    let known = known.filter(|secret| secret.audience == audience);
    let stored = known.as_ref().and_then(|secret| secret.password_hash.clone());
    // Without a user or hash it takes as long: who exists cannot be told from the time either.
    let verdict = service.pool.verify(password.clone(), stored).await?;
    let (Some(secret), true) = (known, verdict.is_right()) else { return Err(invalid()) };
    let rehashed = match verdict {
        Verdict::RightButOld => Some(call.hash(&password).await?),
        Verdict::Right | Verdict::Wrong => None,
    };
    let origin = call.origin();
    let grant =
        call.transact(move |work| Box::pin(async move { enter(work, secret, rehashed, &origin).await }));
    let grant = grant.await?;
    let (message, weaknesses) = strength::weaknesses(&password, &email, &service.config.password);
    let weak = (!weaknesses.is_empty()).then(|| weak(message, &weaknesses));
    grants::respond(service, &grant, weak)
}

/// The address and the password.
fn read(call: &Call<'_>) -> AuthResult<(String, String)> {
    let body = call.body()?;
    let (email, phone) = (body.text("email")?, body.text("phone")?);
    let refuse = |why: &str| Err(AuthError::new(codes::VALIDATION_FAILED, why));
    match (email.is_empty(), phone.is_empty()) {
        (false, false) => refuse("Only an email address or phone number should be provided on login."),
        (true, true) => refuse("missing email or phone"),
        (true, false) => Err(AuthError::of(codes::PHONE_LOGINS_DISABLED)),
        (false, true) if !call.service.config.email.enable_signup => {
            Err(AuthError::of(codes::EMAIL_LOGINS_DISABLED))
        }
        (false, true) => Ok((email::canonical(&email), body.text("password")?)),
    }
}

/// Signs a user in whose password was right. Everything is asked again: time has passed while it was hashed.
///
/// Differs from GoTrue: that somebody is banned is told to those who know the password, not to everybody.
async fn enter(
    work: &mut Work<'_>,
    seen: Secret,
    rehashed: Option<String>,
    origin: &Origin,
) -> AuthResult<Grant> {
    let user = users::by_id(work, seen.user).await?;
    let Some(user) = user.filter(|user| user.password_hash == seen.password_hash) else {
        return Err(AuthError::of(codes::INVALID_CREDENTIALS));
    };
    if user.is_banned(origin.now) {
        return Err(AuthError::of(codes::USER_BANNED_ON_SIGN_IN));
    }
    if user.email_confirmed_at.is_none() {
        return Err(AuthError::of(codes::EMAIL_NOT_CONFIRMED));
    }
    if let (Some(new), Some(old)) = (rehashed, &user.password_hash) {
        let values = vec![Value::Uuid(user.id), Value::text(old.as_str()), Value::text(new)];
        work.query(&sql::USER_REHASHED, values).await?;
    }
    grants::sign_in(work, user, EMAIL, origin).await
}

fn weak(message: String, weaknesses: &[&str]) -> Json {
    let mut fields = vec![("message".to_owned(), string(message))];
    if let Json::Object(reasons) = reasons(weaknesses) {
        fields.extend(reasons);
    }
    Json::Object(fields)
}

async fn by_refresh_token(call: &Call<'_>) -> AuthResult<AuthResponse> {
    let token = call.body()?.text("refresh_token")?;
    if !refresh::is_well_formed(&token) {
        return Err(AuthError::new(codes::VALIDATION_FAILED, "Refresh token is not valid"));
    }
    let (service, origin) = (call.service, call.origin());
    let (rules, secret) = (service.config.sessions.clone(), service.refresh_secret);
    let (is_strict, reuse_interval_s) =
        (service.config.enable_refresh_token_rotation, service.config.refresh_token_reuse_interval_s);
    let refreshed = call.transact(move |work| {
        Box::pin(async move {
            let (random, now) = (&*origin.random, origin.now);
            let rotation = Rotation { secret: &secret, random, is_strict, reuse_interval_s, now };
            refresh(work, &token, &rules, &rotation, &origin).await
        })
    });
    // The end of a session must last although the request fails: the transaction was committed.
    let Some((grant, reuse)) = refreshed.await? else {
        return Err(AuthError::of(codes::REFRESH_TOKEN_ALREADY_USED));
    };
    let response = grants::respond(service, &grant, None)?;
    Ok(match reuse {
        None => response.with("sb-auth-refresh-token-reuse", "false"),
        Some(cause) => response
            .with("sb-auth-refresh-token-reuse", "true")
            .with("sb-auth-refresh-token-reuse-cause", cause),
    })
}

/// Refreshes a session; `None` when the token was used before and may not be again.
async fn refresh(
    work: &mut Work<'_>,
    token: &str,
    rules: &Rules,
    rotation: &Rotation<'_>,
    origin: &Origin,
) -> AuthResult<Option<(Grant, Option<&'static str>)>> {
    let known = refresh::find(work, token).await?;
    let known = known.ok_or_else(|| AuthError::of(codes::REFRESH_TOKEN_NOT_FOUND))?;
    let session = sessions::by_id(work, known.session).await?;
    let session = session.ok_or_else(|| AuthError::of(codes::SESSION_NOT_FOUND_ON_REFRESH))?;
    let person = Person::load(work, session.user).await?;
    if person.user.is_banned(origin.now) {
        return Err(AuthError::of(codes::BANNED_ON_REFRESH));
    }
    sessions::check(work, &session, rules, origin.now).await?;
    let actor = || audit::Actor::User(&person.user);
    let (refresh_token, reuse) = match refresh::rotate(work, token, &known, &session, rotation).await? {
        Rotated::Fresh(token) => (token, None),
        Rotated::Again(token, cause) => (token, Some(cause)),
        Rotated::Reused => {
            audit::write(work, origin, actor(), audit::TOKEN_REVOKED, None).await?;
            return Ok(None);
        }
    };
    audit::write(work, origin, actor(), audit::TOKEN_REFRESHED, None).await?;
    sessions::refreshed(work, session.id, origin).await?;
    let methods = sessions::methods(work, session.id).await?;
    Ok(Some((Grant { person, session: session.id, methods, refresh_token }, reuse)))
}
