//! Users, as their administrator handles them.

mod changes;
mod list;

use engine::Work;
use types::json::Json;
use types::text;

use crate::account::nothing;
use crate::codes;
use crate::entropy::uuid;
use crate::error::{AuthError, AuthResult};
use crate::fields::{Fields, object};
use crate::http::AuthResponse;
use crate::service::Call;
use crate::users::{self, Person, User};
use crate::{audit, sessions};

use changes::Changes;
pub(crate) use list::list;

/// The user that the path names.
fn named(call: &Call<'_>) -> AuthResult<[u8; 16]> {
    let id = call.parameters.first().copied().and_then(text::uuid);
    id.ok_or_else(|| AuthError::of(codes::INVALID_ID))
}

async fn known(work: &mut Work<'_>, id: [u8; 16]) -> AuthResult<User> {
    users::by_id(work, id).await?.ok_or_else(|| AuthError::of(codes::USER_NOT_FOUND))
}

/// `GET /admin/users/{id}`
pub(crate) async fn show(call: &Call<'_>) -> AuthResult<AuthResponse> {
    let id = named(call)?;
    let person = call.transact(move |work| Box::pin(async move { Person::load(work, id).await })).await?;
    Ok(AuthResponse::json(200, &person.json()))
}

/// `POST /admin/users`
pub(crate) async fn create(call: &Call<'_>) -> AuthResult<AuthResponse> {
    let body = call.body()?;
    let (mut changes, user) = (Changes::read(call, &body)?, newcomer(call, &body)?);
    if changes.email.is_empty() && changes.phone.is_empty() {
        let message = "Cannot create a user without either an email or phone";
        return Err(AuthError::new(codes::VALIDATION_FAILED, message));
    }
    if changes.role.is_empty() {
        changes.role.clone_from(&call.service.config.default_role);
    }
    let hash = changes.hash(call).await?;
    let (origin, role) = (call.origin(), call.caller()?.role.clone());
    let created = call.transact(move |work| {
        Box::pin(async move {
            let user = changes.create(work, user, hash, &origin).await?;
            let (actor, traits) = (audit::Actor::Role(&role), audit::of_user(&user));
            audit::write(work, &origin, actor, audit::USER_SIGNED_UP, traits).await?;
            Person::load(work, user.id).await
        })
    });
    Ok(AuthResponse::json(200, &created.await?.json()))
}

/// A user with nothing but an id and an audience.
fn newcomer(call: &Call<'_>, body: &Fields) -> AuthResult<User> {
    let refuse = |why: &str| AuthError::new(codes::VALIDATION_FAILED, why);
    let id = body.text("id")?;
    let id = match id.is_empty() {
        true => uuid(&*call.service.random),
        false => text::uuid(&id).ok_or_else(|| refuse("ID must conform to the uuid v4 format"))?,
    };
    if id == [0; 16] {
        return Err(refuse("ID cannot be a nil uuid"));
    }
    let audience = Some(body.text("aud")?).filter(|audience| !audience.is_empty());
    let audience = audience.map_or_else(|| call.audience(), Ok)?;
    if audience.len() > changes::NAME_BYTES_MAX {
        return Err(refuse("The audience is too long"));
    }
    let now = call.service.clock.now_micros();
    Ok(User { id, audience, created_at: now, updated_at: now, ..User::default() })
}

/// `PUT /admin/users/{id}`
pub(crate) async fn change(call: &Call<'_>) -> AuthResult<AuthResponse> {
    let id = named(call)?;
    let found = call.transact(move |work| Box::pin(async move { known(work, id).await })).await?;
    let changes = Changes::read(call, &call.body()?)?;
    changes.check_password(call, &found.email)?;
    let hash = changes.hash(call).await?;
    let (origin, role) = (call.origin(), call.caller()?.role.clone());
    let changed = call.transact(move |work| {
        Box::pin(async move {
            let user = known(work, id).await?;
            let user = changes.apply(work, user, hash, &origin).await?;
            let (actor, traits) = (audit::Actor::Role(&role), audit::of_user(&user));
            audit::write(work, &origin, actor, audit::USER_MODIFIED, traits).await?;
            Person::load(work, id).await
        })
    });
    let person = changed.await?;
    call.service.forget_sessions();
    Ok(AuthResponse::json(200, &person.json()))
}

/// `DELETE /admin/users/{id}`
pub(crate) async fn delete(call: &Call<'_>) -> AuthResult<AuthResponse> {
    let id = named(call)?;
    let is_soft = match call.request.body.is_empty() {
        true => false,
        false => call.body()?.flag("should_soft_delete")?,
    };
    let (origin, role) = (call.origin(), call.caller()?.role.clone());
    let deleted = call.transact(move |work| {
        Box::pin(async move {
            let user = known(work, id).await?;
            let (actor, traits) = (audit::Actor::Role(&role), audit::of_user(&user));
            audit::write(work, &origin, actor, audit::USER_DELETED, traits).await?;
            match (is_soft, user.deleted_at) {
                (true, Some(_)) => sessions::end(work, id, sessions::Scope::Global).await,
                (true, None) => users::soft_delete(work, &user, origin.now).await,
                (false, _) => users::delete(work, id).await,
            }
        })
    });
    deleted.await?;
    call.service.forget_sessions();
    Ok(AuthResponse::json(200, &object([])))
}

/// `GET /admin/users/{id}/factors`: there are none, for users that there are.
pub(crate) async fn factors(call: &Call<'_>) -> AuthResult<AuthResponse> {
    let id = named(call)?;
    call.transact(move |work| Box::pin(async move { known(work, id).await })).await?;
    Ok(nothing())
}

/// A factor of a user: none is ever found.
pub(crate) async fn factor(call: &Call<'_>) -> AuthResult<AuthResponse> {
    let id = named(call)?;
    call.transact(move |work| Box::pin(async move { known(work, id).await })).await?;
    if call.parameters.get(1).copied().and_then(text::uuid).is_none() {
        return Err(AuthError::new(codes::INVALID_ID, "factor_id must be an UUID"));
    }
    Err(AuthError::of(codes::FACTOR_NOT_FOUND))
}

/// The answer to a list.
fn listed(users: &[User], audience: &str) -> Json {
    let users = users.iter().map(|user| user.json(None)).collect();
    object([("users", Json::Array(users)), ("aud", crate::fields::string(audience))])
}
