//! A project's keys: making them, reading and writing them as one JSON document, refusing the ones everybody knows.
//!
//! Nothing is written to a disk here. The document holds secrets: whoever writes it makes the file readable by its
//! owner only.

use types::json::{self, Json};
use types::{Code, Error, Result};

use crate::encoding::{decode, encode, sha256};
use crate::entropy::{Clock, Random, bytes};
use crate::gateway::{ANON, Gateway, SERVICE_ROLE};
use crate::jwk::{self, Algorithm, Key, SECRET_BYTES_MIN};
use crate::token::{self, Keys, Rules, Verifier};

/// How long the legacy keys are valid: ten years, in seconds.
const LEGACY_LIFE_S: i64 = 10 * 365 * 86_400;

/// How many verified tokens a gateway remembers.
const TOKENS_MAX: usize = 65_536;

const PUBLISHABLE: &str = "sb_publishable_";
const SECRET: &str = "sb_secret_";

/// Secrets, opaque keys and key ids that are printed in public manuals and repositories.
pub const DEMO: &[&str] = &[
    "super-secret-jwt-token-with-at-least-32-characters-long",
    "your-super-secret-jwt-token-with-at-least-32-characters-long",
    "37c304f8-51aa-419a-a1af-06154e63707a",
    "sb_publishable_ACJWlzQHlZjBrEguHvfOxg_3BJgxAaH",
    "sb_secret_N7UND0UgjKTVK-Uodkm0Hg_xSvEMPvz",
    "b81269f1-21d8-4f2e-b719-c2240a840d90",
];

/// The keys of a project.
#[derive(Clone, Debug, PartialEq)]
pub struct KeySet {
    /// The shared HS256 secret. It signs the legacy keys.
    pub secret: String,
    /// Private JWKs; the first signs, all verify.
    pub signing_keys: Vec<Json>,
    /// The legacy key of the role `anon`: a token.
    pub anon_key: String,
    /// The legacy key of the role `service_role`: a token.
    pub service_role_key: String,
    /// Opaque keys of the role `anon`.
    pub publishable_keys: Vec<String>,
    /// Opaque keys of the role `service_role`.
    pub secret_keys: Vec<String>,
    /// 32 bytes from which the successors of refresh tokens are derived.
    pub refresh_secret: [u8; 32],
}

impl KeySet {
    /// New keys for a new project.
    ///
    /// # Errors
    /// `XX000` when the system has no randomness.
    pub fn generate(clock: &dyn Clock, random: &dyn Random) -> Result<KeySet> {
        let secret = encode(&bytes::<48>(random));
        let legacy = Key::secret("", secret.as_bytes())?;
        Ok(KeySet {
            anon_key: legacy_key(&legacy, ANON, clock)?,
            service_role_key: legacy_key(&legacy, SERVICE_ROLE, clock)?,
            secret,
            signing_keys: vec![jwk::generate()?],
            publishable_keys: vec![opaque_key(PUBLISHABLE, random)],
            secret_keys: vec![opaque_key(SECRET, random)],
            refresh_secret: bytes(random),
        })
    }

    /// The keys that follow from a secret that somebody already uses elsewhere; everything else is new.
    ///
    /// # Errors
    /// `22023` for a secret that is too short.
    pub fn of_secret(secret: &str, clock: &dyn Clock, random: &dyn Random) -> Result<KeySet> {
        let legacy = Key::secret("", secret.as_bytes())?;
        let generated = KeySet::generate(clock, random)?;
        Ok(KeySet {
            secret: secret.into(),
            anon_key: legacy_key(&legacy, ANON, clock)?,
            service_role_key: legacy_key(&legacy, SERVICE_ROLE, clock)?,
            ..generated
        })
    }

    /// The document.
    pub fn to_json(&self) -> String {
        let text = |text: &str| Json::String(text.into());
        let list = |keys: &[String]| Json::Array(keys.iter().map(|key| text(key)).collect());
        Json::Object(vec![
            ("jwt_secret".into(), text(&self.secret)),
            ("signing_keys".into(), Json::Array(self.signing_keys.clone())),
            ("anon_key".into(), text(&self.anon_key)),
            ("service_role_key".into(), text(&self.service_role_key)),
            ("publishable_keys".into(), list(&self.publishable_keys)),
            ("secret_keys".into(), list(&self.secret_keys)),
            ("refresh_secret".into(), text(&encode(&self.refresh_secret))),
        ])
        .compact()
    }

    /// Reads the document. Keys are checked: their sizes, and the check digits of opaque keys of our form.
    ///
    /// # Errors
    /// `22023` that names the field.
    pub fn of_json(text: &str) -> Result<KeySet> {
        let document = json::parse(text, 16)?;
        let keys = KeySet {
            secret: string(&document, "jwt_secret")?,
            signing_keys: list(&document, "signing_keys")?.to_vec(),
            anon_key: string(&document, "anon_key")?,
            service_role_key: string(&document, "service_role_key")?,
            publishable_keys: strings(&document, "publishable_keys")?,
            secret_keys: strings(&document, "secret_keys")?,
            refresh_secret: decode(&string(&document, "refresh_secret")?)
                .and_then(|bytes| bytes.try_into().ok())
                .ok_or_else(|| invalid("refresh_secret", "32 bytes as base64url"))?,
        };
        keys.check(&document)?;
        Ok(keys)
    }

    fn check(&self, document: &Json) -> Result<()> {
        const FIELDS: &[&str] = &[
            "jwt_secret",
            "signing_keys",
            "anon_key",
            "service_role_key",
            "publishable_keys",
            "secret_keys",
            "refresh_secret",
        ];
        if let Json::Object(fields) = document
            && let Some((name, _)) = fields.iter().find(|(name, _)| !FIELDS.contains(&name.as_str()))
        {
            return Err(Error::new(Code::INVALID_PARAMETER, format!("unknown field \"{name}\" in the keys")));
        }
        for (name, keys, prefix) in [
            ("publishable_keys", &self.publishable_keys, PUBLISHABLE),
            ("secret_keys", &self.secret_keys, SECRET),
        ] {
            if !keys.iter().all(|key| key.starts_with(prefix) && key.len() >= prefix.len() + 22) {
                return Err(invalid(name, "keys that start with their prefix and have 22 more characters"));
            }
        }
        self.keys().map(|_| ())
    }

    /// The keys for signing and verifying tokens.
    ///
    /// # Errors
    /// `22023` for a key that is not usable.
    pub fn keys(&self) -> Result<Keys> {
        Keys::new(self.signing_keys.iter().map(Key::read).collect::<Result<_>>()?, Some(&self.secret))
    }

    /// The gateway of these keys.
    ///
    /// # Errors
    /// As [`KeySet::keys`].
    pub fn gateway(&self, rules: Rules) -> Result<Gateway> {
        let verifier = Verifier::new(self.keys()?, rules, TOKENS_MAX);
        let publishable = self.publishable_keys.iter().map(String::as_str);
        Ok(Gateway::new(verifier, publishable, self.secret_keys.iter().map(String::as_str)))
    }

    /// The name of the first field that holds a key that everybody knows.
    pub fn demo_field(&self) -> Option<&'static str> {
        let kids = self.signing_keys.iter().filter_map(|key| key.get("kid").and_then(Json::as_str));
        let mut fields = [("jwt_secret", self.secret.as_str()), ("anon_key", &self.anon_key)]
            .into_iter()
            .chain([("service_role_key", self.service_role_key.as_str())])
            .chain(kids.map(|kid| ("signing_keys", kid)))
            .chain(self.publishable_keys.iter().map(|key| ("publishable_keys", key.as_str())))
            .chain(self.secret_keys.iter().map(|key| ("secret_keys", key.as_str())));
        fields.find(|(_, key)| is_demo(key)).map(|(name, _)| name)
    }
}

fn invalid(name: &str, wanted: &str) -> Error {
    Error::new(Code::INVALID_PARAMETER, format!("\"{name}\" of the keys must be {wanted}"))
}

fn string(document: &Json, name: &str) -> Result<String> {
    document.get(name).and_then(Json::as_str).map(str::to_owned).ok_or_else(|| invalid(name, "text"))
}

fn list<'a>(document: &'a Json, name: &str) -> Result<&'a [Json]> {
    match document.get(name) {
        Some(Json::Array(items)) => Ok(items),
        _ => Err(invalid(name, "a list")),
    }
}

fn strings(document: &Json, name: &str) -> Result<Vec<String>> {
    let items = list(document, name)?.iter().map(|item| item.as_str().map(str::to_owned));
    items.collect::<Option<_>>().ok_or_else(|| invalid(name, "a list of text"))
}

fn legacy_key(key: &Key, role: &str, clock: &dyn Clock) -> Result<String> {
    let now = clock.now_unix();
    let expires = now.saturating_add(LEGACY_LIFE_S);
    token::sign_with(key, &format!(r#"{{"iss":"backplane","role":"{role}","iat":{now},"exp":{expires}}}"#))
}

/// `prefix`, 22 random characters, `_`, 8 check characters.
fn opaque_key(prefix: &str, random: &dyn Random) -> String {
    let body = format!("{prefix}{}", encode(&bytes::<16>(random)));
    let check = check_characters(&body);
    format!("{body}_{check}")
}

fn check_characters(body: &str) -> String {
    let mut text = encode(&sha256(body.as_bytes()));
    text.truncate(8);
    text
}

/// Whether an opaque key is of the form that [`KeySet::generate`] makes: finds typing errors without asking a server.
pub fn is_well_formed(key: &str) -> bool {
    let is_ours = key.starts_with(PUBLISHABLE) || key.starts_with(SECRET);
    is_ours
        && key.is_ascii()
        && key.len() > 9
        && key.split_at(key.len() - 9).1 == format!("_{}", check_characters(&key[..key.len() - 9]))
}

/// Whether a secret, an opaque key or a token is one that everybody knows: listed in [`DEMO`], issued for a
/// demonstration, or signed with a listed secret.
pub fn is_demo(key: &str) -> bool {
    if DEMO.contains(&key) {
        return true;
    }
    let Some((signed, signature)) = key.rsplit_once('.') else { return false };
    let claims = signed.split_once('.').and_then(|(_, payload)| decode(payload));
    if claims.is_some_and(|claims| String::from_utf8_lossy(&claims).contains("\"supabase-demo\"")) {
        return true;
    }
    let Some(signature) = decode(signature) else { return false };
    let secrets = DEMO.iter().filter(|text| text.len() >= SECRET_BYTES_MIN);
    let mut keys = secrets.filter_map(|secret| Key::secret("", secret.as_bytes()).ok());
    keys.any(|key| key.algorithm == Algorithm::Hs256 && key.verifies(signed.as_bytes(), &signature))
}

/// Reads a file of signing keys: a list of JWKs, or a JSON Web Key Set.
///
/// # Errors
/// `22023` for a key that is not usable, or when no key can sign.
pub fn read_signing_keys(text: &str) -> Result<Vec<Json>> {
    let document = json::parse(text, 16)?;
    let keys = match &document {
        Json::Array(keys) => keys.clone(),
        document => list(document, "keys")?.to_vec(),
    };
    let mut can_sign = false;
    for key in &keys {
        can_sign |= Key::read(key)?.can_sign();
    }
    if can_sign { Ok(keys) } else { Err(invalid("keys", "a list with at least one private key")) }
}

#[cfg(test)]
mod tests;
