//! Signed tokens (RFC 7519, RFC 8725): signing, verifying, and the set of keys for both.
//!
//! - The key is chosen by `kid` and must be of the token's `alg`; a secret never meets a public key's bytes.
//! - An unknown or absent `kid` with `HS256` means the shared secret; with another algorithm it is refused, except
//!   that a token without `kid` may be of any key of its algorithm.
//! - `jku`, `x5u`, `jwk` and `x5c` are never looked at: nothing is fetched, no key comes from a token.
//! - High-s ECDSA signatures are accepted: RFC 7518 does not forbid them and nothing here hangs on a signature's bytes.

use std::sync::{Arc, PoisonError, RwLock};

use types::json::{self, Json};
use types::{Error, Result, text};

use crate::cache::Cache;
use crate::encoding::{decode, encode};
use crate::jwk::{Algorithm, Key};
use crate::refusal::Refusal;

/// The longest token that is looked at, in bytes.
pub const BYTES_MAX: usize = 16 << 10;

/// How far clocks may differ, in seconds.
pub const SKEW_S: i64 = 30;

/// The last second of year 9999: a later time in a token is not a time.
const TIME_MAX: i64 = 253_402_300_799;

const DEPTH_MAX: usize = 32;

/// Keys to verify with, and the one to sign with.
#[derive(Default)]
pub struct Keys {
    keys: Vec<Key>,
    secret: Option<Key>,
}

impl Keys {
    /// `keys` in the order of preference: the first that can sign signs. `secret` is the shared HS256 secret.
    ///
    /// # Errors
    /// `22023` for a secret that is too short.
    pub fn new(keys: Vec<Key>, secret: Option<&str>) -> Result<Keys> {
        let secret = secret.map(|secret| Key::secret("", secret.as_bytes())).transpose()?;
        Ok(Keys { keys, secret })
    }

    /// Signs claims (JSON text) with the first signing key, else with the secret.
    ///
    /// # Errors
    /// `PGRST300` when there is no key.
    pub fn sign(&self, claims: &str) -> Result<String> {
        let key = self.keys.iter().find(|key| key.can_sign()).or(self.secret.as_ref());
        sign_with(key.ok_or_else(|| Refusal::NoKeys.for_data_api())?, claims)
    }

    /// The algorithm that [`Keys::sign`] uses.
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.keys.iter().find(|key| key.can_sign()).or(self.secret.as_ref()).map(|key| key.algorithm)
    }

    /// The public keys as a JSON Web Key Set (RFC 7517 section 5). Secrets are not in it.
    pub fn public(&self) -> String {
        let keys = self.keys.iter().filter_map(Key::public).collect();
        Json::Object(vec![("keys".into(), Json::Array(keys))]).compact()
    }

    /// The keys that may have signed a token of this header; at most one when it has a `kid` that we know.
    fn candidates<'a>(&'a self, id: Option<&'a str>, algorithm: Algorithm) -> Result<Vec<&'a Key>, Refusal> {
        if self.keys.is_empty() && self.secret.is_none() {
            return Err(Refusal::NoKeys);
        }
        let mut named: Vec<&Key> = match id {
            Some(id) => self.keys.iter().filter(|key| *key.id == *id).collect(),
            None => self.keys.iter().filter(|key| key.algorithm == algorithm).collect(),
        };
        let is_known = id.is_some() && !named.is_empty();
        if !is_known && algorithm == Algorithm::Hs256 {
            named.extend(self.secret.as_ref());
        }
        named.retain(|key| key.algorithm == algorithm);
        if named.is_empty() { Err(Refusal::Key) } else { Ok(named) }
    }
}

/// Signs claims (JSON text) with a key.
///
/// # Errors
/// `XX000` when the key cannot sign.
pub fn sign_with(key: &Key, claims: &str) -> Result<String> {
    let mut fields = vec![("alg".to_owned(), Json::String(key.algorithm.name().into()))];
    if !key.id.is_empty() {
        fields.push(("kid".into(), Json::String(key.id.to_string())));
    }
    fields.push(("typ".into(), Json::String("JWT".into())));
    let mut token = encode(Json::Object(fields).compact().as_bytes());
    token.push('.');
    token.push_str(&encode(claims.as_bytes()));
    let signature = key.sign(token.as_bytes())?;
    token.push('.');
    token.push_str(&encode(&signature));
    Ok(token)
}

/// What a token must fulfill besides a valid signature.
#[derive(Clone, Debug)]
pub struct Rules {
    /// When set, `aud` must be absent or name it.
    pub audience: Option<String>,
    /// When not empty, `iss` must be absent or one of these.
    pub issuers: Vec<String>,
    /// Whether a token without `exp` is refused.
    pub is_expiry_required: bool,
}

impl Default for Rules {
    fn default() -> Rules {
        Rules { audience: None, issuers: Vec::new(), is_expiry_required: true }
    }
}

/// A token whose signature and claims were found good.
#[derive(Debug)]
pub struct Verified {
    /// The claims as sent: the text of a JSON object.
    pub claims: Arc<str>,
    /// `role`; a claim that is not text is its JSON text, which names no role.
    pub role: Option<Arc<str>>,
    /// `sub`
    pub subject: Option<Arc<str>>,
    /// `sub`, when it is a UUID.
    pub uid: Option<[u8; 16]>,
    /// `email`
    pub email: Option<Arc<str>>,
    /// `session_id`, when it is a UUID.
    pub session: Option<[u8; 16]>,
    /// `aud`, when it is text.
    pub audience: Option<Arc<str>>,
    /// `aal`
    pub level: Option<Arc<str>>,
    times: Times,
}

/// `exp`, `nbf` and `iat` in seconds since the Unix epoch.
#[derive(Debug)]
struct Times {
    expires: Option<i64>,
    not_before: Option<i64>,
    issued: Option<i64>,
}

impl Verified {
    /// Checks the times again; a cached token is not above its `exp`.
    ///
    /// # Errors
    /// [`Refusal::Expired`], [`Refusal::NotYetValid`], [`Refusal::IssuedInFuture`].
    pub fn check_times(&self, now_unix: i64) -> Result<(), Refusal> {
        let Times { expires, not_before, issued } = self.times;
        if expires.is_some_and(|time| now_unix > time + SKEW_S) {
            return Err(Refusal::Expired);
        }
        if not_before.is_some_and(|time| now_unix < time - SKEW_S) {
            return Err(Refusal::NotYetValid);
        }
        if issued.is_some_and(|time| now_unix < time - SKEW_S) {
            return Err(Refusal::IssuedInFuture);
        }
        Ok(())
    }
}

/// Verifies a token: its form, its signature, its claims, in this order.
///
/// # Errors
/// The first thing that is wrong.
pub fn verify(keys: &Keys, token: &str, now_unix: i64, rules: &Rules) -> Result<Verified, Refusal> {
    if token.is_empty() {
        return Err(Refusal::Empty);
    }
    if token.len() > BYTES_MAX {
        return Err(Refusal::TooLong);
    }
    let (header, payload, signature) = split(token)?;
    let header = object(header).map_err(|_| Refusal::Head)?;
    let algorithm = read_header(&header)?;
    let candidates = keys.candidates(header.get("kid").and_then(Json::as_str), algorithm)?;
    let signature_bytes = decode(signature).ok_or(Refusal::Undecodable)?;
    let signed = &token.as_bytes()[..token.len() - signature.len() - 1];
    if !candidates.iter().any(|key| key.verifies(signed, &signature_bytes)) {
        return Err(Refusal::Signature);
    }
    let verified = read_claims(payload, rules)?;
    verified.check_times(now_unix)?;
    Ok(verified)
}

fn split(token: &str) -> Result<(&str, &str, &str), Refusal> {
    let mut parts = token.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(header), Some(payload), Some(signature), None) => Ok((header, payload, signature)),
        _ => Err(Refusal::Parts(token.split('.').count())),
    }
}

fn text_of(part: &str) -> Result<String, Refusal> {
    let bytes = decode(part).ok_or(Refusal::Undecodable)?;
    String::from_utf8(bytes).map_err(|_| Refusal::Undecodable)
}

fn object(part: &str) -> Result<Json, Refusal> {
    object_of(&text_of(part)?)
}

fn object_of(text: &str) -> Result<Json, Refusal> {
    match json::parse(text, DEPTH_MAX) {
        Ok(object @ Json::Object(_)) => Ok(object),
        _ => Err(Refusal::Undecodable),
    }
}

/// The header's algorithm. A header that is not understood whole is refused.
fn read_header(header: &Json) -> Result<Algorithm, Refusal> {
    if ["crit", "b64", "zip", "enc", "cty"].iter().any(|name| header.get(name).is_some()) {
        return Err(Refusal::Extension);
    }
    if let Some(kind) = header.get("typ") {
        let is_plain = kind.as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("JWT"));
        if !is_plain {
            return Err(Refusal::Extension);
        }
    }
    if header.get("kid").is_some_and(|id| id.as_str().is_none()) {
        return Err(Refusal::Undecodable);
    }
    match header.get("alg").and_then(Json::as_str) {
        Some(unsigned) if unsigned.eq_ignore_ascii_case("none") => Err(Refusal::Unsigned),
        Some(name) => Algorithm::find(name).ok_or(Refusal::Algorithm),
        None => Err(Refusal::Algorithm),
    }
}

fn read_claims(payload: &str, rules: &Rules) -> Result<Verified, Refusal> {
    let source = text_of(payload)?;
    let claims = object_of(&source)?;
    check_audience(&claims, rules)?;
    check_issuer(&claims, rules)?;
    let expires = time(&claims, "exp")?;
    if expires.is_none() && rules.is_expiry_required {
        return Err(Refusal::NoExpiry);
    }
    let claim = |name: &str| claims.get(name).and_then(Json::as_str);
    Ok(Verified {
        role: claims.get("role").filter(|role| **role != Json::Null).map(role_of),
        subject: claim("sub").map(Arc::from),
        uid: claim("sub").and_then(text::uuid),
        email: claim("email").map(Arc::from),
        session: claim("session_id").and_then(text::uuid),
        audience: claim("aud").map(Arc::from),
        level: claim("aal").map(Arc::from),
        times: Times { expires, not_before: time(&claims, "nbf")?, issued: time(&claims, "iat")? },
        claims: source.into(),
    })
}

fn role_of(role: &Json) -> Arc<str> {
    role.as_str().map_or_else(|| role.compact().into(), Arc::from)
}

/// A `NumericDate`. Whole seconds only: a fraction or an exponent is refused rather than rounded.
fn time(claims: &Json, name: &'static str) -> Result<Option<i64>, Refusal> {
    let number = match claims.get(name) {
        None | Some(Json::Null) => return Ok(None),
        Some(Json::Number(number)) => number.parse::<i64>().ok(),
        Some(_) => None,
    };
    match number {
        Some(seconds) if (0..=TIME_MAX).contains(&seconds) => Ok(Some(seconds)),
        _ => Err(Refusal::NotANumber(name)),
    }
}

fn check_audience(claims: &Json, rules: &Rules) -> Result<(), Refusal> {
    let audiences: Vec<&str> = match claims.get("aud") {
        None | Some(Json::Null) => return Ok(()),
        Some(Json::String(one)) => vec![one],
        Some(Json::Array(items)) => {
            items.iter().map(|item| item.as_str().ok_or(Refusal::AudienceType)).collect::<Result<_, _>>()?
        }
        Some(_) => return Err(Refusal::AudienceType),
    };
    match &rules.audience {
        Some(wanted) if !audiences.contains(&wanted.as_str()) => Err(Refusal::Audience),
        _ => Ok(()),
    }
}

fn check_issuer(claims: &Json, rules: &Rules) -> Result<(), Refusal> {
    let Some(issuer) = claims.get("iss").filter(|_| !rules.issuers.is_empty()) else { return Ok(()) };
    let is_trusted = issuer.as_str().is_some_and(|issuer| rules.issuers.iter().any(|known| known == issuer));
    if is_trusted { Ok(()) } else { Err(Refusal::Issuer) }
}

/// Keys, rules and the cache of tokens found good: what a server verifies with.
pub struct Verifier {
    rules: Rules,
    /// The keys, and how often they were replaced: a cached token of older keys is not used.
    keys: RwLock<(u64, Arc<Keys>)>,
    cache: Cache,
}

impl Verifier {
    /// A verifier that remembers up to `tokens_max` tokens.
    pub fn new(keys: Keys, rules: Rules, tokens_max: usize) -> Verifier {
        Verifier { rules, keys: RwLock::new((0, Arc::new(keys))), cache: Cache::new(tokens_max) }
    }

    /// The keys in force.
    pub fn keys(&self) -> Arc<Keys> {
        self.current().1
    }

    fn current(&self) -> (u64, Arc<Keys>) {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the keys. Tokens of keys that are gone are refused from now on.
    pub fn replace_keys(&self, keys: Keys) {
        let mut current = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        *current = (current.0 + 1, Arc::new(keys));
    }

    /// Verifies a token, or remembers that it was good; its times are checked in both cases.
    ///
    /// # Errors
    /// As [`verify`].
    pub fn verify(&self, token: &str, now_unix: i64) -> Result<Arc<Verified>, Refusal> {
        let (epoch, keys) = self.current();
        if token.len() > BYTES_MAX {
            return Err(Refusal::TooLong);
        }
        let hash = crate::encoding::sha256(token.as_bytes());
        if let Some(known) = self.cache.get(&hash, epoch) {
            known.check_times(now_unix)?;
            return Ok(known);
        }
        let verified = Arc::new(verify(&keys, token, now_unix, &self.rules)?);
        self.cache.put(hash, epoch, &verified);
        Ok(verified)
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Error {
        refusal.for_data_api()
    }
}

#[cfg(test)]
mod tests;
