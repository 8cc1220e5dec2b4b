//! The audit log: who did what, in the words that GoTrue uses.

use engine::Work;
use types::Value;
use types::json::Json;
use types::text::print_uuid;

use crate::entropy::uuid;
use crate::error::AuthResult;
use crate::fields::{object, string};
use crate::grants::Origin;
use crate::statements as sql;
use crate::users::User;

/// What was done: its name, and the kind of log that it belongs to.
pub(crate) struct Action(&'static str, &'static str);

pub(crate) const LOGIN: Action = Action("login", "account");
pub(crate) const LOGOUT: Action = Action("logout", "account");
pub(crate) const USER_SIGNED_UP: Action = Action("user_signedup", "team");
pub(crate) const USER_REPEATED_SIGN_UP: Action = Action("user_repeated_signup", "user");
pub(crate) const USER_DELETED: Action = Action("user_deleted", "team");
pub(crate) const USER_MODIFIED: Action = Action("user_modified", "user");
pub(crate) const USER_UPDATED_PASSWORD: Action = Action("user_updated_password", "user");
pub(crate) const TOKEN_REFRESHED: Action = Action("token_refreshed", "token");
pub(crate) const TOKEN_REVOKED: Action = Action("token_revoked", "token");

/// Who did it.
pub(crate) enum Actor<'a> {
    /// A user.
    User(&'a User),
    /// A token or key with a role of its own.
    Role(&'a str),
}

impl Actor<'_> {
    fn fields(&self) -> Vec<(String, Json)> {
        let (id, name, is_sso) = match self {
            Actor::User(user) if user.phone.is_empty() => (user.id, user.email.as_str(), user.is_sso),
            Actor::User(user) => (user.id, user.phone.as_str(), user.is_sso),
            Actor::Role(role) => ([0; 16], *role, false),
        };
        let mut fields = vec![
            ("actor_id".to_owned(), string(print_uuid(&id))),
            ("actor_username".into(), string(name)),
            ("actor_via_sso".into(), Json::Bool(is_sso)),
        ];
        if let Actor::User(user) = self {
            let name = user.user_metadata.iter().find(|(key, _)| key == "full_name");
            fields.extend(name.map(|(_, name)| ("actor_name".into(), name.clone())));
        }
        fields
    }
}

/// Writes an entry.
pub(crate) async fn write(
    work: &mut Work<'_>,
    origin: &Origin,
    actor: Actor<'_>,
    action: Action,
    traits: Option<Json>,
) -> AuthResult<()> {
    let mut payload = vec![("action".to_owned(), string(action.0)), ("log_type".into(), string(action.1))];
    payload.extend(actor.fields());
    payload.extend(traits.map(|traits| ("traits".into(), traits)));
    let values = vec![
        Value::Uuid(uuid(&*origin.random)),
        Value::text(Json::Object(payload).compact()),
        Value::Timestamp(origin.now),
        Value::text(origin.ip.as_str()),
    ];
    work.query(&sql::AUDIT, values).await?;
    Ok(())
}

/// Traits of a sign-in.
pub(crate) fn by_provider(provider: &str) -> Option<Json> {
    Some(object([("provider", string(provider))]))
}

/// Traits of what an administrator does to a user.
pub(crate) fn of_user(user: &User) -> Option<Json> {
    Some(object([
        ("user_id", string(print_uuid(&user.id))),
        ("user_email", string(&user.email)),
        ("user_phone", string(&user.phone)),
    ]))
}
