//! The one rule by which headers become a [`Caller`].
//!
//! 1. `Authorization` or `apikey` sent twice is refused: there would be two meanings.
//! 2. `Authorization: Bearer TOKEN` decides when TOKEN does not start with `sb_`: the token is verified, the API key
//!    does not matter. The scheme is read in any case; one or more spaces follow it; a tab does not.
//!    Another scheme than `Bearer` belongs to somebody else (a proxy) and counts as absent.
//! 3. Otherwise `apikey` decides: a secret key is `service_role`, a publishable key is `anon`; another `sb_` key is
//!    refused; a token (a legacy key) is verified; any other text counts as absent.
//! 4. Otherwise the caller is `anon`, unless [`Gateway::is_key_required`].
//!
//! A secret key sent by a browser is refused. `Bearer sb_…` alone is nobody: opaque keys are proof in `apikey` only.

use std::collections::HashSet;
use std::sync::Arc;

use crate::encoding::sha256;
use crate::refusal::Refusal;
use crate::token::{Verified, Verifier};

/// The role of callers without a key or token.
pub const ANON: &str = "anon";

/// The role of secret keys.
pub const SERVICE_ROLE: &str = "service_role";

/// How a caller proved who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Not at all.
    Anonymous,
    /// With a publishable key: they know the project.
    Publishable,
    /// With a secret key: they are the project's own server.
    Secret,
    /// With a signed token: a user's, or a legacy key.
    Token,
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The database role that they ask for; that it exists is for the catalog to say.
    pub role: Arc<str>,
    /// The claims: the text of a JSON object.
    pub claims: Arc<str>,
    /// How they proved it.
    pub kind: Kind,
    /// The token, when `kind` is [`Kind::Token`].
    pub token: Option<Arc<Verified>>,
}

/// A header that must not be there twice.
#[derive(Clone, Copy, Debug, Default)]
enum Once<'a> {
    #[default]
    Absent,
    Value(&'a [u8]),
    Repeated,
}

impl<'a> Once<'a> {
    fn add(&mut self, value: &'a [u8]) {
        *self = match self {
            Once::Absent => Once::Value(value),
            Once::Value(_) | Once::Repeated => Once::Repeated,
        };
    }

    fn read(self, name: &'static str) -> Result<Option<&'a str>, Refusal> {
        match self {
            Once::Absent => Ok(None),
            Once::Repeated => Err(Refusal::Repeated(name)),
            Once::Value(value) => std::str::from_utf8(value).map(Some).map_err(|_| Refusal::Undecodable),
        }
    }
}

/// The headers of a request that say who asks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Credentials<'a> {
    authorization: Once<'a>,
    api_key: Once<'a>,
    is_browser: bool,
}

impl<'a> Credentials<'a> {
    /// Picks them out of all headers, in one pass. Names may be in any case.
    pub fn of_headers(headers: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Credentials<'a> {
        let mut found = Credentials::default();
        for (name, value) in headers {
            match name.len() {
                13 if name.eq_ignore_ascii_case("authorization") => found.authorization.add(value),
                6 if name.eq_ignore_ascii_case("apikey") => found.api_key.add(value),
                6 if name.eq_ignore_ascii_case("origin") => found.is_browser = true,
                14 if name.eq_ignore_ascii_case("sec-fetch-site") => found.is_browser = true,
                10 if name.eq_ignore_ascii_case("user-agent") => {
                    found.is_browser |= value.starts_with(b"Mozilla/");
                }
                _ => {}
            }
        }
        found
    }

    /// The API key of a URL (`apikey=` of a websocket), when no header has one.
    #[must_use]
    pub fn with_query_key(mut self, key: Option<&'a str>) -> Credentials<'a> {
        if let (Once::Absent, Some(key)) = (self.api_key, key) {
            self.api_key.add(key.as_bytes());
        }
        self
    }

    /// The bearer token, when rule 2 applies.
    ///
    /// # Errors
    /// [`Refusal::Repeated`], [`Refusal::Empty`], [`Refusal::Undecodable`].
    pub fn bearer(self) -> Result<Option<&'a str>, Refusal> {
        let Some(value) = self.authorization.read("Authorization")? else { return Ok(None) };
        let Some(token) = after_scheme(value)? else { return Ok(None) };
        Ok(Some(token).filter(|token| !token.starts_with("sb_")))
    }
}

/// What follows `Bearer`; `None` for another scheme.
fn after_scheme(value: &str) -> Result<Option<&str>, Refusal> {
    let value = value.trim_matches(' ');
    let (scheme, rest) = value.split_at(value.find([' ', '\t']).unwrap_or(value.len()));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Ok(None);
    }
    let token = rest.trim_start_matches(' ');
    if token.is_empty() {
        return Err(Refusal::Empty);
    }
    // A token is printable ASCII (RFC 6750, section 2.1): nothing else is looked at any further.
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Refusal::Undecodable);
    }
    Ok(Some(token))
}

/// What the rule needs to know.
pub struct Gateway {
    /// Verifies tokens.
    pub verifier: Verifier,
    publishable: HashSet<[u8; 32]>,
    secret: HashSet<[u8; 32]>,
    /// Whether a request without any key is refused. Off by default, as the local gateway of the reference does.
    pub is_key_required: bool,
    anonymous: Caller,
    known: Caller,
    service: Caller,
}

impl Gateway {
    /// A gateway for these opaque keys. Only their hashes are kept: comparing takes the same time for any guess.
    pub fn new<'k>(
        verifier: Verifier,
        publishable: impl IntoIterator<Item = &'k str>,
        secret: impl IntoIterator<Item = &'k str>,
    ) -> Gateway {
        Gateway {
            verifier,
            publishable: publishable.into_iter().map(|key| sha256(key.as_bytes())).collect(),
            secret: secret.into_iter().map(|key| sha256(key.as_bytes())).collect(),
            is_key_required: false,
            anonymous: caller(ANON, Kind::Anonymous),
            known: caller(ANON, Kind::Publishable),
            service: caller(SERVICE_ROLE, Kind::Secret),
        }
    }

    /// The same gateway where callers without a token have another role than [`ANON`].
    #[must_use]
    pub fn with_anonymous_role(self, role: &str) -> Gateway {
        Gateway { anonymous: caller(role, Kind::Anonymous), known: caller(role, Kind::Publishable), ..self }
    }

    /// Who asks: the rule of this module.
    ///
    /// # Errors
    /// Why the credentials are refused.
    pub fn identify(&self, credentials: Credentials<'_>, now_unix: i64) -> Result<Caller, Refusal> {
        let api_key = credentials.api_key.read("apikey")?.map(str::trim).filter(|key| !key.is_empty());
        if let Some(token) = credentials.bearer()? {
            return self.of_token(token, now_unix);
        }
        match api_key {
            Some(key) if key.starts_with("sb_") => self.of_api_key(key, credentials.is_browser),
            Some(key) if key.starts_with("eyJ") => self.of_token(key, now_unix),
            None if self.is_key_required => Err(Refusal::NoApiKey),
            Some(_) if self.is_key_required => Err(Refusal::UnknownApiKey),
            _ => Ok(self.anonymous.clone()),
        }
    }

    fn of_api_key(&self, key: &str, is_browser: bool) -> Result<Caller, Refusal> {
        let hash = sha256(key.as_bytes());
        if self.publishable.contains(&hash) {
            return Ok(self.known.clone());
        }
        match self.secret.contains(&hash) {
            true if is_browser => Err(Refusal::SecretInBrowser),
            true => Ok(self.service.clone()),
            false => Err(Refusal::UnknownApiKey),
        }
    }

    fn of_token(&self, token: &str, now_unix: i64) -> Result<Caller, Refusal> {
        let verified = self.verifier.verify(token, now_unix)?;
        Ok(Caller {
            role: verified.role.clone().unwrap_or_else(|| self.anonymous.role.clone()),
            claims: verified.claims.clone(),
            kind: Kind::Token,
            token: Some(verified),
        })
    }
}

fn caller(role: &str, kind: Kind) -> Caller {
    Caller { role: role.into(), claims: format!(r#"{{"role":"{role}"}}"#).into(), kind, token: None }
}

/// Paths that are open without a key although [`Gateway::is_key_required`]: browsers and servers that cannot send a
/// header are sent there.
pub const OPEN_PATHS: &[&str] = &[
    "/auth/v1/verify",
    "/auth/v1/callback",
    "/auth/v1/authorize",
    "/auth/v1/.well-known/",
    "/auth/v1/sso/saml/",
    "/auth/v1/oauth/",
    "/.well-known/oauth-authorization-server",
    "/storage/v1/object/public/",
    "/storage/v1/s3/",
];

/// Whether a path is one of [`OPEN_PATHS`]. An entry that ends with `/` is a prefix.
pub fn is_open(path: &str) -> bool {
    OPEN_PATHS.iter().any(|open| if open.ends_with('/') { path.starts_with(open) } else { path == *open })
}

#[cfg(test)]
mod tests;
