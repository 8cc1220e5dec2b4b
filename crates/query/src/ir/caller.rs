//! Who asks, and what expressions know of them.

use std::sync::Arc;

use types::Type;

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
    /// `current_user`, `current_role`, `session_user`: the role in force, text
    Role,
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
            CallerField::ClaimedRole | CallerField::Email | CallerField::Role | CallerField::Setting(_) => {
                Type::Text
            }
        }
    }
}

/// Who asks: a role with the claims of its token.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The database role in force.
    pub role: Arc<str>,
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
        Caller { role: role.into(), claims: None, uid: None, email: None }
    }

    /// What `current_setting(name)` says for this caller.
    pub fn setting(&self, name: &str) -> Option<Arc<str>> {
        match name {
            "role" => Some(self.role.clone()),
            "request.jwt.claims" => self.claims.clone(),
            _ => None,
        }
    }
}
