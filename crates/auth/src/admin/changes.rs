//! What an administrator says of a user, new or not.

use engine::Work;

use crate::codes;
use crate::error::{AuthError, AuthResult};
use crate::fields::{Fields, Object, check_size, merge};
use crate::grants::Origin;
use crate::identities::{self, EMAIL, New, PHONE};
use crate::service::Call;
use crate::sessions::{self, Scope};
use crate::users::{self, User};
use crate::{audit, email, instant, password, phone, strength};

/// The longest role or audience, in bytes: the width of their columns.
pub(crate) const NAME_BYTES_MAX: usize = 255;

/// What a body says. Empty text is an absent field.
pub(crate) struct Changes {
    pub(crate) role: String,
    pub(crate) email: String,
    pub(crate) phone: String,
    password: Option<String>,
    password_hash: String,
    confirms_email: bool,
    confirms_phone: bool,
    user_metadata: Option<Object>,
    app_metadata: Option<Object>,
    /// For how long the user is banned, in microseconds; 0 ends a ban.
    ban: Option<i64>,
}

impl Changes {
    /// Reads a body.
    pub(crate) fn read(call: &Call<'_>, body: &Fields) -> AuthResult<Changes> {
        let changes = Changes {
            role: role(&body.text("role")?)?,
            email: filled(&body.text("email")?, email::validate)?,
            phone: filled(&body.text("phone")?, phone::validate)?,
            password: body.optional("password")?,
            password_hash: body.text("password_hash")?,
            confirms_email: body.flag("email_confirm")?,
            confirms_phone: body.flag("phone_confirm")?,
            user_metadata: body.metadata("user_metadata")?,
            app_metadata: body.metadata("app_metadata")?,
            ban: ban(&body.text("ban_duration")?)?,
        };
        if let Some(password) = &changes.password {
            strength::check_length(password, &call.service.config.limits)?;
        }
        let refuse = |why: &str| Err(AuthError::new(codes::VALIDATION_FAILED, why));
        if changes.password.is_some() && !changes.password_hash.is_empty() {
            return refuse("Only a password or a password hash should be provided");
        }
        if !changes.password_hash.is_empty() && !password::is_importable(&changes.password_hash) {
            return refuse(
                "`password_hash` must be a hash of bcrypt, argon2id or argon2i, of a bearable cost",
            );
        }
        Ok(changes)
    }

    /// Refuses a weak password for a user that there is. For new ones GoTrue takes any from an administrator.
    pub(crate) fn check_password(&self, call: &Call<'_>, known_as: &str) -> AuthResult<()> {
        let email = if self.email.is_empty() { known_as } else { &self.email };
        match &self.password {
            Some(password) => strength::check(password, email, &call.service.config.password),
            None => Ok(()),
        }
    }

    /// The hash of the password, or the imported one; `None` for neither.
    pub(crate) async fn hash(&self, call: &Call<'_>) -> AuthResult<Option<String>> {
        match self.password.as_deref().filter(|password| !password.is_empty()) {
            Some(password) => call.hash(password).await.map(Some),
            None => Ok(Some(self.password_hash.clone()).filter(|hash| !hash.is_empty())),
        }
    }

    /// Stores a new user.
    pub(crate) async fn create(
        self,
        work: &mut Work<'_>,
        mut user: User,
        hash: Option<String>,
        origin: &Origin,
    ) -> AuthResult<User> {
        self.check_free(work, None).await?;
        user.role.clone_from(&self.role);
        user.email.clone_from(&self.email);
        user.phone.clone_from(&self.phone);
        user.password_hash = hash;
        user.user_metadata = self.user_metadata.clone().unwrap_or_default();
        users::insert(work, &user).await?;
        // Triggers may have changed the row.
        let mut user = users::by_id(work, user.id).await?.unwrap_or(user);
        for (provider, identifier) in [(EMAIL, &self.email), (PHONE, &self.phone)] {
            if !identifier.is_empty() {
                let data = identities::claims(&user, provider, identifier, false);
                let new = New { provider, data, now: origin.now };
                identities::insert(work, &mut user, new, &*origin.random).await?;
            }
        }
        self.finish(work, user, origin).await
    }

    /// Changes a user. A new password or address ends all sessions.
    pub(crate) async fn apply(
        mut self,
        work: &mut Work<'_>,
        mut user: User,
        hash: Option<String>,
        origin: &Origin,
    ) -> AuthResult<User> {
        self.check_free(work, Some(user.id)).await?;
        let is_renamed = !self.email.is_empty() && self.email != user.email;
        if !self.role.is_empty() {
            user.role.clone_from(&self.role);
        }
        if hash.is_some() {
            user.password_hash = hash;
            users::clear_tokens(work, &mut user).await?;
            let actor = audit::Actor::User(&user);
            audit::write(work, origin, actor, audit::USER_UPDATED_PASSWORD, None).await?;
            sessions::end(work, user.id, Scope::Global).await?;
        }
        self.identify(work, &mut user, origin).await?;
        if is_renamed {
            sessions::end(work, user.id, Scope::Global).await?;
        }
        if let Some(updates) = self.user_metadata.take() {
            merge(&mut user.user_metadata, updates);
        }
        self.finish(work, user, origin).await
    }

    /// Gives a user other identifiers.
    async fn identify(&self, work: &mut Work<'_>, user: &mut User, origin: &Origin) -> AuthResult<()> {
        let given = [(EMAIL, &self.email, self.confirms_email), (PHONE, &self.phone, self.confirms_phone)];
        for (provider, identifier, is_confirmed) in given {
            if identifier.is_empty() {
                continue;
            }
            match provider {
                EMAIL => user.email.clone_from(identifier),
                _ => user.phone.clone_from(identifier),
            }
            user.is_anonymous &= !is_confirmed;
            let data = identities::claims(user, provider, identifier, is_confirmed);
            let new = New { provider, data, now: origin.now };
            identities::put(work, user, new, &*origin.random).await?;
        }
        Ok(())
    }

    /// What new and known users have in common; stores the row.
    async fn finish(self, work: &mut Work<'_>, mut user: User, origin: &Origin) -> AuthResult<User> {
        if let Some(updates) = self.app_metadata {
            merge(&mut user.app_metadata, updates);
        }
        if self.confirms_email {
            user.confirm_email(origin.now);
        }
        if self.confirms_phone {
            user.phone_confirmed_at = Some(origin.now);
        }
        if let Some(ban) = self.ban {
            user.banned_until = (ban != 0).then(|| origin.now.saturating_add(ban));
        }
        check_size("user_metadata", &user.user_metadata)?;
        check_size("app_metadata", &user.app_metadata)?;
        user.updated_at = origin.now;
        users::update(work, &user).await?;
        Ok(user)
    }

    /// Refuses identifiers that somebody else has.
    async fn check_free(&self, work: &mut Work<'_>, by: Option<[u8; 16]>) -> AuthResult<()> {
        if !self.email.is_empty() && users::is_email_taken(work, &self.email, by).await? {
            return Err(AuthError::of(codes::EMAIL_EXISTS));
        }
        if !self.phone.is_empty()
            && users::by_phone(work, &self.phone).await?.is_some_and(|user| by != Some(user.id))
        {
            return Err(AuthError::of(codes::PHONE_EXISTS));
        }
        Ok(())
    }
}

fn filled(text: &str, validate: fn(&str) -> AuthResult<String>) -> AuthResult<String> {
    if text.is_empty() { Ok(String::new()) } else { validate(text) }
}

fn role(text: &str) -> AuthResult<String> {
    let role = text.trim();
    if role.len() > NAME_BYTES_MAX {
        return Err(AuthError::new(codes::VALIDATION_FAILED, "The role is too long"));
    }
    Ok(role.to_owned())
}

fn ban(text: &str) -> AuthResult<Option<i64>> {
    match text {
        "" => Ok(None),
        "none" => Ok(Some(0)),
        text => instant::parse_duration(text).map(Some).ok_or_else(|| {
            let message = format!("invalid format for ban duration: time: invalid duration {text:?}");
            AuthError::new(codes::VALIDATION_FAILED, message)
        }),
    }
}
