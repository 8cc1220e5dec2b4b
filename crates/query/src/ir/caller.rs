//! Who asks, and what expressions know of them.

use std::sync::Arc;

use types::json::{DEPTH_MAX, Json, normalize_jsonb, parse};
use types::{Result, Type, Value};

/// Something about the caller, bound when the command runs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CallerField {
    /// `auth.uid()`: uuid
    Uid,
    /// `auth.role()`: text
    ClaimedRole,
    /// `auth.email()`: text
    Email,
    /// `auth.jwt()`: jsonb
    Claims,
    /// `current_user`, `current_role`: the role in force, text
    Role,
    /// `session_user`: who logged in, text
    Login,
    /// `current_setting(name, …)`: text
    Setting(Arc<str>),
    /// The time of the transaction: timestamptz. `now()`, `current_timestamp`.
    Now,
}

impl CallerField {
    /// The type of the value.
    pub fn ty(&self) -> Type {
        match self {
            CallerField::Uid => Type::Uuid,
            CallerField::Claims => Type::Jsonb,
            CallerField::Now => Type::Timestamptz,
            CallerField::ClaimedRole
            | CallerField::Email
            | CallerField::Role
            | CallerField::Login
            | CallerField::Setting(_) => Type::Text,
        }
    }
}

/// The role that the server logs in with for requests of the Data API.
const AUTHENTICATOR: &str = "authenticator";

/// Who asks: a role with the claims of its token.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The database role in force: within a definer's function its owner.
    pub role: Arc<str>,
    /// The role that logged in, whatever is in force.
    pub login: Arc<str>,
    /// The role that it took on with `set role`, whatever is in force; `None` when it is itself.
    pub taken_on: Option<Arc<str>>,
    /// The token's claims as JSON text; `None` without a token.
    pub claims: Option<Arc<str>>,
    /// `sub`, when it is a uuid.
    pub uid: Option<[u8; 16]>,
    /// The token's `email`.
    pub email: Option<Arc<str>>,
}

impl Caller {
    /// A role without a token: the server itself, a migration, a test.
    pub fn role(role: impl Into<Arc<str>>) -> Caller {
        let role = role.into();
        Caller { login: role.clone(), role, taken_on: None, claims: None, uid: None, email: None }
    }

    /// A role that a request has, without a token.
    pub fn of_request(role: impl Into<Arc<str>>) -> Caller {
        let role = role.into();
        Caller { login: AUTHENTICATOR.into(), taken_on: Some(role.clone()), ..Caller::role(role) }
    }

    /// What `auth.jwt()` says: the claims as `jsonb` keeps them.
    ///
    /// # Errors
    /// Claims that `jsonb` does not take.
    pub fn claims_as_jsonb(&self) -> Result<Value> {
        self.claims.as_ref().map_or(Ok(Value::Null), |claims| normalize_jsonb(claims).map(Value::text))
    }

    /// What `auth.role()` says: the role of which the token's claims speak.
    ///
    /// # Errors
    /// Claims that are no JSON.
    pub fn claimed_role(&self) -> Result<Option<Arc<str>>> {
        let Some(claims) = &self.claims else { return Ok(None) };
        Ok(parse(claims, DEPTH_MAX)?.get("role").and_then(Json::as_str).map(Arc::from))
    }

    /// What `current_setting(name)` says for this caller.
    pub fn setting(&self, name: &str) -> Option<Arc<str>> {
        match name {
            "role" => Some(self.taken_on.clone().unwrap_or_else(|| "none".into())),
            "request.jwt.claims" => self.claims.clone(),
            _ => None,
        }
    }
}
