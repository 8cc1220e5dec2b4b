//! Signing up: with an address and a password, or without saying who one is.

use engine::Work;
use types::json::Json;

use crate::codes;
use crate::entropy::uuid;
use crate::error::{AuthError, AuthResult};
use crate::fields::{Fields, Object, merge};
use crate::grants::{self, Grant, Origin};
use crate::http::AuthResponse;
use crate::identities::{self, EMAIL};
use crate::limiter::Bucket;
use crate::service::Call;
use crate::sessions::Method;
use crate::users::{self, User};
use crate::{audit, email, pkce, strength};

/// `POST /signup`
pub(crate) async fn sign_up(call: &Call<'_>) -> AuthResult<AuthResponse> {
    let body = call.body()?;
    let (email, phone) = (body.text("email")?, body.text("phone")?);
    if email.is_empty() && phone.is_empty() {
        return anonymously(call, &body).await;
    }
    call.count(Bucket::SignUp)?;
    if !call.service.config.enable_signup {
        return Err(AuthError::of(codes::SIGNUP_DISABLED));
    }
    let (email, password) = read(call, &body, &email, &phone)?;
    let user = newcomer(call, &body, email)?;
    // Hashed for those who exist, too: the time an answer takes says nothing.
    let hash = call.hash(&password).await?;
    let origin = call.origin();
    let user = User { password_hash: Some(hash), ..user };
    let grant = call.transact(move |work| Box::pin(async move { join(work, user, &origin).await })).await?;
    match grant {
        Some(grant) => grants::respond(call.service, &grant, None),
        None => Err(AuthError::of(codes::USER_ALREADY_EXISTS)),
    }
}

/// The address and the password, when they may be used.
fn read(call: &Call<'_>, body: &Fields, email: &str, phone: &str) -> AuthResult<(String, String)> {
    let config = &call.service.config;
    let password = body.text("password")?;
    if password.is_empty() {
        return Err(AuthError::new(codes::VALIDATION_FAILED, "Signup requires a valid password"));
    }
    strength::check_length(&password, &config.limits)?;
    strength::check(&password, &email::canonical(email), &config.password)?;
    if !email.is_empty() && !phone.is_empty() {
        let message = "Only an email address or phone number should be provided on signup.";
        return Err(AuthError::new(codes::VALIDATION_FAILED, message));
    }
    pkce::check_challenge(body)?;
    if email.is_empty() {
        return Err(AuthError::of(codes::PHONE_SIGNUPS_DISABLED));
    }
    if !config.email.enable_signup {
        return Err(AuthError::of(codes::EMAIL_SIGNUPS_DISABLED));
    }
    let email = email::validate(email)?;
    // Told before anybody is looked up: the answer is the same for every address.
    if config.email.enable_confirmations {
        return Err(AuthError::of(codes::MAIL_NOT_CONFIGURED));
    }
    Ok((email, password))
}

/// A user who is not stored yet.
fn newcomer(call: &Call<'_>, body: &Fields, email: String) -> AuthResult<User> {
    let now = call.service.clock.now_micros();
    Ok(User {
        id: uuid(&*call.service.random),
        audience: call.audience()?,
        role: call.service.config.default_role.clone(),
        email,
        user_metadata: body.metadata("data")?.unwrap_or_default(),
        created_at: now,
        updated_at: now,
        ..User::default()
    })
}

/// Stores a newcomer and signs them in; `None` when the address is somebody's.
///
/// Differs from GoTrue: an address that somebody has but never confirmed is taken, too. GoTrue would sign a stranger in
/// to that account.
async fn join(work: &mut Work<'_>, user: User, origin: &Origin) -> AuthResult<Option<Grant>> {
    if users::is_email_taken(work, &user.email, None).await? {
        let action = audit::USER_REPEATED_SIGN_UP;
        let known = users::by_email(work, &user.email).await?;
        let actor = audit::Actor::User(known.as_ref().unwrap_or(&user));
        audit::write(work, origin, actor, action, audit::by_provider(EMAIL)).await?;
        return Ok(None);
    }
    let user = create(work, user, origin).await?;
    let traits = audit::by_provider(EMAIL);
    audit::write(work, origin, audit::Actor::User(&user), audit::USER_SIGNED_UP, traits).await?;
    grants::sign_in(work, user, EMAIL, origin).await.map(Some)
}

/// Stores a newcomer with its identity, confirmed. The confirmation is an update of its own: triggers wait for it.
async fn create(work: &mut Work<'_>, mut user: User, origin: &Origin) -> AuthResult<User> {
    user.app_metadata = vec![
        ("provider".into(), Json::String(EMAIL.into())),
        ("providers".into(), Json::Array(vec![Json::String(EMAIL.into())])),
    ];
    users::insert(work, &user).await?;
    let data = described(&user);
    // Triggers may have changed the row.
    let mut user = users::by_id(work, user.id).await?.unwrap_or(user);
    let new = identities::New { provider: EMAIL, data: data.clone(), now: origin.now };
    identities::insert(work, &mut user, new, &*origin.random).await?;
    merge(&mut user.user_metadata, data);
    user.confirm_email(origin.now);
    users::update(work, &user).await?;
    Ok(user)
}

/// What the identity says: our own claims before the newcomer's.
fn described(user: &User) -> Object {
    let mut data = user.user_metadata.clone();
    merge(&mut data, identities::claims(user, EMAIL, &user.email, false));
    data
}

async fn anonymously(call: &Call<'_>, body: &Fields) -> AuthResult<AuthResponse> {
    if !call.service.config.enable_anonymous_sign_ins {
        return Err(AuthError::of(codes::ANONYMOUS_DISABLED));
    }
    call.count(Bucket::Anonymous)?;
    if !call.service.config.enable_signup {
        return Err(AuthError::of(codes::SIGNUP_DISABLED));
    }
    let user = User { is_anonymous: true, ..newcomer(call, body, String::new())? };
    let origin = call.origin();
    let grant = call.transact(move |work| {
        Box::pin(async move {
            users::insert(work, &user).await?;
            grants::begin(work, user, Method::Anonymous, &origin).await
        })
    });
    grants::respond(call.service, &grant.await?, None)
}
