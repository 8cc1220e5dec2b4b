//! Identities: how a user is known to a provider. An address of our own is the provider `email`.

use engine::Work;
use types::json::Json;
use types::text::print_uuid;
use types::{Result, Value};

use crate::entropy::{Random, uuid};
use crate::error::AuthResult;
use crate::fields::{Object, merge, string};
use crate::instant;
use crate::statements as sql;
use crate::store::{Columns, jsonb};
use crate::users::{User, name_providers};

/// The provider of addresses.
pub(crate) const EMAIL: &str = "email";

/// The provider of phone numbers.
pub(crate) const PHONE: &str = "phone";

/// An identity.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) id: [u8; 16],
    /// The provider's name for the user.
    pub(crate) provider_id: String,
    user: [u8; 16],
    pub(crate) data: Object,
    pub(crate) provider: String,
    last_sign_in_at: Option<i64>,
    created_at: Option<i64>,
    updated_at: Option<i64>,
    email: Option<String>,
}

fn read(mut row: Columns, user: [u8; 16]) -> Result<Identity> {
    Ok(Identity {
        id: row.uuid()?,
        provider_id: row.text().unwrap_or_default(),
        user,
        data: row.object()?,
        provider: row.text().unwrap_or_default(),
        last_sign_in_at: row.time(),
        created_at: row.time(),
        updated_at: row.time(),
        email: row.text(),
    })
}

/// The identities of a user, oldest first.
pub(crate) async fn of_user(work: &mut Work<'_>, user: [u8; 16]) -> AuthResult<Vec<Identity>> {
    let rows = work.query(&sql::IDENTITIES, vec![Value::Uuid(user)]).await?;
    Ok(rows.into_iter().map(|row| read(Columns::of(row), user)).collect::<Result<_>>()?)
}

/// What an identity of our own says of an address or number.
pub(crate) fn claims(user: &User, provider: &str, identifier: &str, is_verified: bool) -> Object {
    let mut claims = vec![("sub".to_owned(), string(print_uuid(&user.id)))];
    claims.push((provider.to_owned(), string(identifier)));
    claims.push(("email_verified".into(), Json::Bool(is_verified && provider == EMAIL)));
    claims.push(("phone_verified".into(), Json::Bool(is_verified && provider == PHONE)));
    claims
}

/// A new identity of our own; `app_metadata` names its provider then, in memory: the caller stores the user.
pub(crate) async fn insert(
    work: &mut Work<'_>,
    user: &mut User,
    new: New<'_>,
    random: &dyn Random,
) -> AuthResult<()> {
    let values = vec![
        Value::Uuid(uuid(random)),
        Value::text(print_uuid(&user.id)),
        Value::Uuid(user.id),
        jsonb(&new.data)?,
        Value::text(new.provider),
        Value::Timestamp(new.now),
    ];
    work.query(&sql::IDENTITY_INSERT, values).await?;
    name_providers(user, &of_user(work, user.id).await?);
    Ok(())
}

/// What a new identity is.
pub(crate) struct New<'a> {
    pub(crate) provider: &'a str,
    pub(crate) data: Object,
    pub(crate) now: i64,
}

/// Changes an identity.
pub(crate) async fn update(
    work: &mut Work<'_>,
    id: [u8; 16],
    provider_id: &str,
    data: &Object,
    now: i64,
) -> AuthResult<()> {
    let values = vec![Value::Uuid(id), Value::text(provider_id), jsonb(data)?, Value::Timestamp(now)];
    work.query(&sql::IDENTITY_UPDATE, values).await?;
    Ok(())
}

/// Gives a user's identity of our own another address or number, or makes one.
pub(crate) async fn put(
    work: &mut Work<'_>,
    user: &mut User,
    new: New<'_>,
    random: &dyn Random,
) -> AuthResult<()> {
    let known = of_user(work, user.id).await?.into_iter().find(|identity| identity.provider == new.provider);
    let Some(known) = known else { return insert(work, user, new, random).await };
    let mut data = known.data;
    merge(&mut data, new.data);
    update(work, known.id, &known.provider_id, &data, new.now).await
}

impl Identity {
    /// As this API shows it: `id` is the provider's name for the user.
    pub(crate) fn json(&self) -> Json {
        let time =
            |name: &str, value: Option<i64>| value.map(|micros| (name.to_owned(), instant::json(micros)));
        let mut out = vec![
            ("identity_id".to_owned(), string(print_uuid(&self.id))),
            ("id".into(), string(&self.provider_id)),
            ("user_id".into(), string(print_uuid(&self.user))),
            ("identity_data".into(), Json::Object(self.data.clone())),
            ("provider".into(), string(&self.provider)),
        ];
        out.extend(time("last_sign_in_at", self.last_sign_in_at));
        out.extend(time("created_at", self.created_at));
        out.extend(time("updated_at", self.updated_at));
        out.extend(self.email.as_ref().map(|email| ("email".to_owned(), string(email))));
        Json::Object(out)
    }
}
