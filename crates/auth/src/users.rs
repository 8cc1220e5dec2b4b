//! Users: rows of `auth.users`, and how this API shows them.

use engine::Work;
use types::json::Json;
use types::text::print_uuid;
use types::{Code, Result, Value};

use crate::codes;
use crate::encoding::{encode, sha256};
use crate::error::{AuthError, AuthResult};
use crate::fields::{Object, object, string};
use crate::identities::Identity;
use crate::instant;
use crate::statements as sql;
use crate::store::{Columns, filled_or_null, first, jsonb, text_or_null, time_or_null};

/// A user.
#[derive(Clone, Debug, Default)]
pub(crate) struct User {
    pub(crate) id: [u8; 16],
    pub(crate) audience: String,
    pub(crate) role: String,
    /// Empty when there is none; so is `phone`.
    pub(crate) email: String,
    pub(crate) password_hash: Option<String>,
    pub(crate) email_confirmed_at: Option<i64>,
    pub(crate) phone: String,
    pub(crate) phone_confirmed_at: Option<i64>,
    pub(crate) last_sign_in_at: Option<i64>,
    pub(crate) app_metadata: Object,
    pub(crate) user_metadata: Object,
    pub(crate) is_sso: bool,
    pub(crate) is_anonymous: bool,
    pub(crate) banned_until: Option<i64>,
    pub(crate) deleted_at: Option<i64>,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    /// An address and a number that wait for being confirmed; empty for none.
    pub(crate) new_email: String,
    pub(crate) new_phone: String,
    pub(crate) sent: Sent,
}

/// When mails and messages were sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sent {
    invitation: Option<i64>,
    confirmation: Option<i64>,
    recovery: Option<i64>,
    email_change: Option<i64>,
    phone_change: Option<i64>,
    reauthentication: Option<i64>,
}

/// Reads a row of the columns that the statements of users select.
fn read(mut row: Columns) -> Result<User> {
    let mut user = User { id: row.uuid()?, ..User::default() };
    user.audience = row.text().unwrap_or_default();
    user.role = row.text().unwrap_or_default();
    user.email = row.text().unwrap_or_default();
    user.password_hash = row.text().filter(|hash| !hash.is_empty());
    user.email_confirmed_at = row.time();
    user.sent.invitation = row.time();
    user.sent.confirmation = row.time();
    // `confirmed_at` is the earlier of two times that are read anyway.
    row.time();
    user.sent.recovery = row.time();
    user.new_email = row.text().unwrap_or_default();
    user.sent.email_change = row.time();
    user.phone = row.text().unwrap_or_default();
    user.phone_confirmed_at = row.time();
    user.new_phone = row.text().unwrap_or_default();
    user.sent.phone_change = row.time();
    user.sent.reauthentication = row.time();
    user.last_sign_in_at = row.time();
    user.app_metadata = row.object()?;
    user.user_metadata = row.object()?;
    user.is_sso = row.flag();
    user.is_anonymous = row.flag();
    user.banned_until = row.time();
    user.deleted_at = row.time();
    user.created_at = row.time().unwrap_or_default();
    user.updated_at = row.time().unwrap_or_default();
    Ok(user)
}

/// The user of an id.
pub(crate) async fn by_id(work: &mut Work<'_>, id: [u8; 16]) -> AuthResult<Option<User>> {
    let row = first(work, &sql::USER_BY_ID, vec![Value::Uuid(id)]).await?;
    Ok(row.map(read).transpose()?)
}

/// The user of an address in canonical form.
pub(crate) async fn by_email(work: &mut Work<'_>, email: &str) -> AuthResult<Option<User>> {
    let row = first(work, &sql::USER_BY_EMAIL, vec![Value::text(email)]).await?;
    Ok(row.map(read).transpose()?)
}

/// What signing in has to know before anything else.
#[derive(Clone, Debug)]
pub(crate) struct Secret {
    pub(crate) user: [u8; 16],
    pub(crate) audience: String,
    pub(crate) password_hash: Option<String>,
}

/// The secret of an address in canonical form. It reads little, so that finding somebody takes hardly longer than not.
pub(crate) async fn secret_of(work: &mut Work<'_>, email: &str) -> AuthResult<Option<Secret>> {
    let Some(mut row) = first(work, &sql::USER_SECRET, vec![Value::text(email)]).await? else {
        return Ok(None);
    };
    Ok(Some(Secret {
        user: row.uuid()?,
        audience: row.text().unwrap_or_default(),
        password_hash: row.text().filter(|hash| !hash.is_empty()),
    }))
}

/// The user of a number without its `+`.
pub(crate) async fn by_phone(work: &mut Work<'_>, phone: &str) -> AuthResult<Option<User>> {
    let row = first(work, &sql::USER_BY_PHONE, vec![Value::text(phone)]).await?;
    Ok(row.map(read).transpose()?)
}

/// Whether somebody else has an address: as their own, or as one of their identities.
pub(crate) async fn is_email_taken(
    work: &mut Work<'_>,
    email: &str,
    by: Option<[u8; 16]>,
) -> AuthResult<bool> {
    let is_other = |id: [u8; 16]| by != Some(id);
    if by_email(work, email).await?.is_some_and(|user| is_other(user.id)) {
        return Ok(true);
    }
    match first(work, &sql::IDENTITY_OWNER, vec![Value::text(email)]).await? {
        Some(mut row) => Ok(is_other(row.uuid()?)),
        None => Ok(false),
    }
}

/// Which users an administrator looks for.
pub(crate) struct Page<'a> {
    pub(crate) audience: &'a str,
    /// Part of the address or of the full name; everybody when empty.
    pub(crate) filter: &'a str,
    pub(crate) is_newest_first: bool,
    pub(crate) limit: i64,
    pub(crate) offset: i64,
}

/// A page of users, and how many there are in all.
pub(crate) async fn page(work: &mut Work<'_>, page: &Page<'_>) -> AuthResult<(Vec<User>, i64)> {
    let statement = match (page.filter.is_empty(), page.is_newest_first) {
        (true, true) => &sql::USERS_NEWEST,
        (true, false) => &sql::USERS_OLDEST,
        (false, true) => &sql::USERS_NEWEST_LIKE,
        (false, false) => &sql::USERS_OLDEST_LIKE,
    };
    let count = if page.filter.is_empty() { &sql::USERS_COUNT } else { &sql::USERS_COUNT_LIKE };
    let pattern = (!page.filter.is_empty()).then(|| Value::text(pattern(page.filter)));
    let audience = Value::text(page.audience);
    let counted = [audience.clone()].into_iter().chain(pattern.clone()).collect();
    let total = first(work, count, counted).await?.and_then(|mut row| row.number()).unwrap_or_default();
    let wanted = [audience, Value::Int(page.limit), Value::Int(page.offset)];
    let rows = work.query(statement, wanted.into_iter().chain(pattern).collect()).await?;
    let users = rows.into_iter().map(|row| read(Columns::of(row))).collect::<Result<_>>()?;
    Ok((users, total))
}

/// The pattern of texts that hold `text`: its own wildcards stand for themselves.
fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// A new row. Triggers of the schema run here: what they raise is for the caller.
pub(crate) async fn insert(work: &mut Work<'_>, user: &User) -> AuthResult<()> {
    let values = vec![
        Value::Uuid(user.id),
        Value::text(user.audience.as_str()),
        Value::text(user.role.as_str()),
        filled_or_null(&user.email),
        filled_or_null(&user.phone),
        text_or_null(user.password_hash.as_deref()),
        jsonb(&user.app_metadata)?,
        jsonb(&user.user_metadata)?,
        Value::Bool(user.is_anonymous),
        Value::Timestamp(user.created_at),
    ];
    let saved = work.query(&sql::USER_INSERT, values).await;
    saved.map(drop).map_err(|cause| match cause.code() {
        // Two requests at once: the other one was first.
        Code::UNIQUE_VIOLATION if cause.message().contains("users_email_partial_key") => {
            AuthError::of(codes::USER_ALREADY_EXISTS)
        }
        _ => AuthError::of_database("saving new user", cause),
    })
}

/// Stores what may have changed, at the time `updated_at`.
pub(crate) async fn update(work: &mut Work<'_>, user: &User) -> AuthResult<()> {
    let values = vec![
        Value::Uuid(user.id),
        Value::text(user.role.as_str()),
        filled_or_null(&user.email),
        filled_or_null(&user.phone),
        text_or_null(user.password_hash.as_deref()),
        time_or_null(user.email_confirmed_at),
        time_or_null(user.phone_confirmed_at),
        jsonb(&user.app_metadata)?,
        jsonb(&user.user_metadata)?,
        Value::Bool(user.is_anonymous),
        time_or_null(user.banned_until),
        Value::Timestamp(user.updated_at),
    ];
    let saved = work.query(&sql::USER_UPDATE, values).await;
    saved.map(drop).map_err(|cause| AuthError::of_database("updating user", cause))
}

/// Takes back every one-time token: they were asked for under other circumstances.
pub(crate) async fn clear_tokens(work: &mut Work<'_>, user: &mut User) -> AuthResult<()> {
    user.sent = Sent { invitation: user.sent.invitation, ..Sent::default() };
    work.query(&sql::USER_TOKENS_CLEARED, vec![Value::Uuid(user.id)]).await?;
    work.query(&sql::ONE_TIME_TOKENS_DELETE, vec![Value::Uuid(user.id)]).await?;
    Ok(())
}

/// Whether a second factor was set up.
pub(crate) async fn has_factor(work: &mut Work<'_>, id: [u8; 16]) -> AuthResult<bool> {
    let row = first(work, &sql::FACTORS_VERIFIED, vec![Value::Uuid(id)]).await?;
    Ok(row.and_then(|mut row| row.number()).is_some_and(|count| count > 0))
}

/// Deletes a user, and with it everything that refers to it.
pub(crate) async fn delete(work: &mut Work<'_>, id: [u8; 16]) -> AuthResult<()> {
    let deleted = work.query(&sql::USER_DELETE, vec![Value::Uuid(id)]).await;
    deleted.map(drop).map_err(|cause| AuthError::of_database("deleting user", cause))
}

/// Keeps the row, and replaces whatever says who it was by digests.
pub(crate) async fn soft_delete(work: &mut Work<'_>, user: &User, now: i64) -> AuthResult<()> {
    let phone = |text: &str| digest(user.id, text).chars().take(15).collect::<String>();
    let values = vec![
        Value::Uuid(user.id),
        Value::text(digest(user.id, &user.email)),
        Value::text(phone(&user.phone)),
        Value::text(digest(user.id, &user.new_email)),
        Value::text(phone(&user.new_phone)),
        Value::Timestamp(now),
    ];
    work.query(&sql::USER_SOFT_DELETED, values).await?;
    for identity in crate::identities::of_user(work, user.id).await? {
        let hidden = digest(user.id, &format!("{}:{}", identity.provider, identity.provider_id));
        crate::identities::update(work, identity.id, &hidden, &Object::new(), now).await?;
    }
    for statement in [&sql::ONE_TIME_TOKENS_DELETE, &sql::FACTORS_DELETE, &sql::SESSIONS_DELETE] {
        work.query(statement, vec![Value::Uuid(user.id)]).await?;
    }
    Ok(())
}

/// What stands where `text` stood: nobody can read it, and the same text gives the same digest.
fn digest(id: [u8; 16], text: &str) -> String {
    encode(&sha256(format!("{}{text}", print_uuid(&id)).as_bytes()))
}

impl User {
    /// Whether the user may not sign in at a time.
    pub(crate) fn is_banned(&self, now: i64) -> bool {
        self.banned_until.is_some_and(|until| now < until)
    }

    /// The address is the user's.
    pub(crate) fn confirm_email(&mut self, now: i64) {
        self.email_confirmed_at = Some(now);
        crate::fields::merge(&mut self.user_metadata, vec![("email_verified".into(), Json::Bool(true))]);
    }

    /// The earlier of the two times at which an identifier was confirmed.
    fn confirmed_at(&self) -> Option<i64> {
        match (self.email_confirmed_at, self.phone_confirmed_at) {
            (Some(email), Some(phone)) => Some(email.min(phone)),
            (email, phone) => email.or(phone),
        }
    }

    /// The user as this API shows it. Lists do not look the identities up: they are null then.
    pub(crate) fn json(&self, identities: Option<&[Identity]>) -> Json {
        let mut out = vec![
            ("id", string(print_uuid(&self.id))),
            ("aud", string(&self.audience)),
            ("role", string(&self.role)),
            ("email", string(&self.email)),
        ];
        let time = |out: &mut Vec<(&str, Json)>, name: &'static str, value: Option<i64>| {
            out.extend(value.map(|micros| (name, instant::json(micros))));
        };
        time(&mut out, "email_confirmed_at", self.email_confirmed_at);
        time(&mut out, "invited_at", self.sent.invitation);
        out.push(("phone", string(&self.phone)));
        time(&mut out, "phone_confirmed_at", self.phone_confirmed_at);
        time(&mut out, "confirmation_sent_at", self.sent.confirmation);
        time(&mut out, "confirmed_at", self.confirmed_at());
        time(&mut out, "recovery_sent_at", self.sent.recovery);
        out.extend((!self.new_email.is_empty()).then(|| ("new_email", string(&self.new_email))));
        time(&mut out, "email_change_sent_at", self.sent.email_change);
        out.extend((!self.new_phone.is_empty()).then(|| ("new_phone", string(&self.new_phone))));
        time(&mut out, "phone_change_sent_at", self.sent.phone_change);
        time(&mut out, "reauthentication_sent_at", self.sent.reauthentication);
        time(&mut out, "last_sign_in_at", self.last_sign_in_at);
        out.push(("app_metadata", Json::Object(self.app_metadata.clone())));
        out.push(("user_metadata", Json::Object(self.user_metadata.clone())));
        let shown = |identities: &[Identity]| Json::Array(identities.iter().map(Identity::json).collect());
        out.push(("identities", identities.map_or(Json::Null, shown)));
        out.push(("created_at", instant::json(self.created_at)));
        out.push(("updated_at", instant::json(self.updated_at)));
        time(&mut out, "banned_until", self.banned_until);
        time(&mut out, "deleted_at", self.deleted_at);
        out.push(("is_anonymous", Json::Bool(self.is_anonymous)));
        Json::Object(out.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }
}

/// A user with its identities: what most answers show.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) user: User,
    pub(crate) identities: Vec<Identity>,
}

impl Person {
    /// Reads a user and its identities as they are now: triggers may have changed what was written.
    pub(crate) async fn load(work: &mut Work<'_>, id: [u8; 16]) -> AuthResult<Person> {
        let user = by_id(work, id).await?.ok_or_else(|| AuthError::of(codes::USER_NOT_FOUND))?;
        Person::of(work, user).await
    }

    /// A user with its identities.
    pub(crate) async fn of(work: &mut Work<'_>, user: User) -> AuthResult<Person> {
        let identities = crate::identities::of_user(work, user.id).await?;
        Ok(Person { user, identities })
    }

    /// As this API shows it.
    pub(crate) fn json(&self) -> Json {
        self.user.json(Some(&self.identities))
    }
}

/// `provider` and `providers` of `app_metadata`, from the identities.
pub(crate) fn name_providers(user: &mut User, identities: &[Identity]) {
    let mut providers: Vec<&str> = Vec::new();
    for identity in identities {
        if !providers.contains(&identity.provider.as_str()) {
            providers.push(&identity.provider);
        }
    }
    let Some(main) = providers.first() else { return };
    let named = object([
        ("provider", string(*main)),
        ("providers", Json::Array(providers.iter().map(|provider| string(*provider)).collect())),
    ]);
    if let Json::Object(named) = named {
        crate::fields::merge(&mut user.app_metadata, named);
    }
}

/// Says that a user has signed in.
pub(crate) async fn signed_in(work: &mut Work<'_>, user: &mut User, now: i64) -> AuthResult<()> {
    user.last_sign_in_at = Some(now);
    user.updated_at = now;
    work.query(&sql::USER_SIGNED_IN, vec![Value::Uuid(user.id), time_or_null(Some(now))]).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_of_a_filter_stand_for_themselves() {
        assert_eq!(pattern("50%_a\\"), "%50\\%\\_a\\\\%");
    }

    #[test]
    fn a_user_is_shown_as_clients_expect_it() {
        let user = User { email: "a@b.c".into(), email_confirmed_at: Some(1), ..User::default() };
        let json = user.json(Some(&[]));
        assert_eq!(json.get("phone"), Some(&string("")));
        assert_eq!(json.get("confirmed_at"), Some(&string("2000-01-01T00:00:00.000001Z")));
        assert_eq!(json.get("identities"), Some(&Json::Array(Vec::new())));
        assert!(json.get("banned_until").is_none() && json.get("new_email").is_none());
        assert_eq!(user.json(None).get("identities"), Some(&Json::Null));
    }
}
