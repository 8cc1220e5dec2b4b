//! The user behind a token: who they are, whether they still are, and from which session they speak.

use engine::Work;
use types::json::{self, Json};

use crate::codes;
use crate::error::{AuthError, AuthResult};
use crate::gateway::Caller;
use crate::service::Call;
use crate::sessions::{self, Session};
use crate::users::{self, Person};

/// What a token says of its user, before the database was asked.
#[derive(Clone, Debug)]
pub(crate) struct Bearer {
    user: [u8; 16],
    session: Option<[u8; 16]>,
    audience: String,
}

impl Bearer {
    /// Reads the token of a call.
    ///
    /// # Errors
    /// `bad_jwt` for a token that is no user's; `validation_failed` for one of another audience.
    pub(crate) fn of(call: &Call<'_>) -> AuthResult<Bearer> {
        let caller = call.caller()?;
        let bad = |why: &str| AuthError::new(codes::BAD_JWT, why);
        let token =
            caller.token.as_ref().filter(|token| token.subject.as_deref().is_some_and(|sub| !sub.is_empty()));
        let token = token.ok_or_else(|| bad("invalid claim: missing sub claim"))?;
        let user = token.uid.ok_or_else(|| AuthError::of(codes::BAD_SUBJECT))?;
        if token.session.is_none() && names_session(caller) {
            return Err(bad("invalid claim: session_id claim must be a UUID"));
        }
        let audience = call.audience()?;
        if token.audience.as_deref() != Some(audience.as_str()) {
            return Err(other_audience());
        }
        Ok(Bearer { user, session: token.session.filter(|id| *id != [0; 16]), audience })
    }

    /// Looks the user and the session up.
    ///
    /// # Errors
    /// `user_not_found`, `session_not_found`, `user_banned`.
    pub(crate) async fn find(&self, work: &mut Work<'_>, now: i64) -> AuthResult<Me> {
        let user = users::by_id(work, self.user).await?;
        let user = user.ok_or_else(|| AuthError::of(codes::USER_OF_TOKEN_NOT_FOUND))?;
        let person = Person::of(work, user).await?;
        let session = match self.session {
            None => None,
            Some(id) => {
                let found = sessions::by_id(work, id).await?.filter(|session| session.user == self.user);
                Some(found.ok_or_else(|| AuthError::of(codes::SESSION_NOT_FOUND))?)
            }
        };
        if person.user.is_banned(now) {
            return Err(AuthError::of(codes::USER_BANNED));
        }
        if person.user.audience != self.audience {
            return Err(other_audience());
        }
        Ok(Me { person, session })
    }
}

/// The user who asks, and the session that they ask from.
#[derive(Debug)]
pub(crate) struct Me {
    pub(crate) person: Person,
    pub(crate) session: Option<Session>,
}

fn other_audience() -> AuthError {
    AuthError::new(codes::VALIDATION_FAILED, "Token audience doesn't match request audience")
}

/// Whether the claims have a session, whatever it is.
fn names_session(caller: &Caller) -> bool {
    let claims = json::parse(&caller.claims, json::DEPTH_MAX).unwrap_or(Json::Null);
    claims.get("session_id").is_some_and(|id| !matches!(id, Json::Null) && id.as_str() != Some(""))
}
