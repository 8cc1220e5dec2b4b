//! What a sign-in gives: a session, a refresh token, and an access token that says who it is.

use std::sync::Arc;

use engine::Work;
use types::json::Json;
use types::text::print_uuid;

use crate::entropy::Random;
use crate::error::AuthResult;
use crate::fields::{number, object, string};
use crate::http::AuthResponse;
use crate::service::Service;
use crate::sessions::{self, Method, Methods};
use crate::users::{self, Person, User};
use crate::{audit, refresh};

/// From where and when something is done: what sessions and the audit log remember.
#[derive(Clone)]
pub(crate) struct Origin {
    pub(crate) now: i64,
    pub(crate) ip: String,
    pub(crate) user_agent: Option<String>,
    pub(crate) random: Arc<dyn Random>,
}

/// A session with the token that refreshes it, before anything is signed.
#[derive(Debug)]
pub(crate) struct Grant {
    pub(crate) person: Person,
    pub(crate) session: [u8; 16],
    pub(crate) methods: Methods,
    pub(crate) refresh_token: String,
}

/// Begins a session for a user, in the transaction that found out that they may.
pub(crate) async fn begin(
    work: &mut Work<'_>,
    mut user: User,
    method: Method,
    origin: &Origin,
) -> AuthResult<Grant> {
    users::signed_in(work, &mut user, origin.now).await?;
    let (session, methods) = sessions::begin(work, user.id, method, origin).await?;
    let refresh_token = refresh::begin(work, (session, user.id), &*origin.random, origin.now).await?;
    let person = Person::load(work, user.id).await?;
    Ok(Grant { person, session, methods, refresh_token })
}

/// Begins a session for somebody who said who they are, and says so in the audit log.
pub(crate) async fn sign_in(
    work: &mut Work<'_>,
    user: User,
    provider: &str,
    origin: &Origin,
) -> AuthResult<Grant> {
    audit::write(work, origin, audit::Actor::User(&user), audit::LOGIN, audit::by_provider(provider)).await?;
    begin(work, user, Method::Password, origin).await
}

/// The claims of an access token.
fn claims(service: &Service, grant: &Grant, issued: i64, expires: i64) -> Json {
    let user = &grant.person.user;
    object([
        ("iss", string(&service.config.issuer)),
        ("sub", string(print_uuid(&user.id))),
        ("aud", string(&user.audience)),
        ("exp", number(expires)),
        ("iat", number(issued)),
        ("email", string(&user.email)),
        ("phone", string(&user.phone)),
        ("app_metadata", Json::Object(user.app_metadata.clone())),
        ("user_metadata", Json::Object(user.user_metadata.clone())),
        ("role", string(&user.role)),
        ("aal", string(grant.methods.level())),
        ("amr", grant.methods.json()),
        ("session_id", string(sessions::name(&grant.session))),
        ("is_anonymous", Json::Bool(user.is_anonymous)),
    ])
}

/// The answer to a sign-in. Signing happens here, when no transaction is open any more.
pub(crate) fn respond(service: &Service, grant: &Grant, weak: Option<Json>) -> AuthResult<AuthResponse> {
    let issued = service.clock.now_unix();
    let expires = issued.saturating_add(i64::from(service.config.jwt_expiry_s));
    let claims = claims(service, grant, issued, expires).compact();
    let access_token = service.gateway.verifier.keys().sign(&claims)?;
    let mut body = vec![
        ("access_token".to_owned(), string(access_token)),
        ("token_type".into(), string("bearer")),
        ("expires_in".into(), number(service.config.jwt_expiry_s)),
        ("expires_at".into(), number(expires)),
        ("refresh_token".into(), string(&grant.refresh_token)),
        ("user".into(), grant.person.json()),
    ];
    body.extend(weak.map(|weak| ("weak_password".into(), weak)));
    let response = AuthResponse::json(200, &Json::Object(body))
        .with("sb-auth-user-id", print_uuid(&grant.person.user.id))
        .with("sb-auth-session-id", sessions::name(&grant.session));
    Ok(response)
}
