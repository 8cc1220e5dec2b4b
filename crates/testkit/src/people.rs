//! Who asks: the people that every case has, those that a case adds, and tokens that nobody gave out.

use auth::jwk::{self, Key};
use auth::{KeySet, encoding};
use ring::hmac;

use crate::bindings::Bindings;
use crate::case::{Case, Person, Signature, Token};

/// Without a header that says who asks.
pub const NOBODY: &str = "nobody";

/// With the project's publishable key.
pub const ANON: &str = "anon";

/// With the project's secret key.
pub const SERVICE: &str = "service";

/// Users with fixed ids, of the role `authenticated`.
pub const USERS: &[(&str, &str)] =
    &[("alice", "11111111-1111-4111-8111-111111111111"), ("bob", "22222222-2222-4222-8222-222222222222")];

/// Who is asked for every policy.
pub const CALLERS: &[&str] = &[ANON, "alice", "bob", SERVICE];

/// How long tokens of people are valid.
const LIFE_S: i64 = 3_600;

/// The headers that say who asks.
///
/// # Errors
/// A person that is not known, or a token that cannot be signed.
pub fn headers(
    name: &str,
    case: &Case,
    keys: &KeySet,
    bindings: &Bindings,
) -> Result<Vec<(String, String)>, String> {
    let key = |keys: &[String]| keys.first().cloned().ok_or("the project has no key of this kind");
    let publishable = ("apikey".to_owned(), key(&keys.publishable_keys)?);
    match name {
        NOBODY => return Ok(Vec::new()),
        ANON => return Ok(vec![publishable]),
        SERVICE => return Ok(vec![("apikey".to_owned(), key(&keys.secret_keys)?)]),
        _ => {}
    }
    let claims = case.people.iter().find(|person| person.name == name).map(claims_of);
    let user = || USERS.iter().find(|(user, _)| *user == name).map(|(user, id)| user_claims(user, id));
    let claims = claims.or_else(user).ok_or_else(|| {
        format!("there is no `{name}`; there are {NOBODY}, {}, and those of `== people`", CALLERS.join(", "))
    })?;
    let claims = bindings.fill(&format!("{{{claims},\"iat\":<now>,\"exp\":<now+{LIFE_S}>}}"))?;
    let signed =
        keys.keys().and_then(|keys| keys.sign(&claims)).map_err(|error| error.message().to_owned())?;
    Ok(vec![publishable, ("Authorization".to_owned(), format!("Bearer {signed}"))])
}

fn user_claims(name: &str, id: &str) -> String {
    format!(
        "\"sub\":\"{id}\",\"role\":\"authenticated\",\"aud\":\"authenticated\",\"email\":\"{name}@example.com\""
    )
}

fn claims_of(person: &Person) -> String {
    let role = format!("\"role\":\"{}\"", person.role);
    if person.claims.trim().is_empty() { role } else { format!("{role},{}", person.claims) }
}

/// The names that every case may use: people's ids, and the project's keys.
pub fn bindings(keys: &KeySet, now_unix: i64) -> Bindings {
    let mut bindings = Bindings::at(now_unix);
    for (name, id) in USERS {
        bindings.bind(*name, *id);
    }
    bindings.bind("anon-key", &keys.anon_key);
    bindings.bind("service-key", &keys.service_role_key);
    for (name, list) in [("publishable-key", &keys.publishable_keys), ("secret-key", &keys.secret_keys)] {
        if let Some(key) = list.first() {
            bindings.bind(name, key);
        }
    }
    bindings
}

/// Makes a token of a case.
///
/// # Errors
/// A name that is not bound, or a key that cannot sign.
pub fn forge(forged: &Token, keys: &KeySet, bindings: &Bindings) -> Result<String, String> {
    let part = |text: &str| bindings.fill(text).map(|text| encoding::encode(text.as_bytes()));
    let claims = bindings.fill(&forged.claims)?;
    let signed = format!("{}.{}", part(&forged.header)?, part(&forged.claims)?);
    let signature = match &forged.signature {
        Signature::None => String::new(),
        Signature::Literal(text) => bindings.fill(text)?,
        Signature::Zero => encoding::encode(&[0; 64]),
        Signature::Secret => mac(keys.secret.as_bytes(), &signed),
        Signature::Text(text) => mac(text.as_bytes(), &signed),
        Signature::PublicKeys => {
            let keys = keys.keys().map_err(|error| error.message().to_owned())?;
            mac(keys.public().as_bytes(), &signed)
        }
        Signature::Project => {
            let key = keys.signing_keys.first().ok_or("the project has no signing key")?;
            es256(&Key::read(key).map_err(|error| error.message().to_owned())?, &signed)?
        }
        Signature::Foreign => {
            let foreign = jwk::generate().and_then(|jwk| Key::read(&jwk));
            es256(&foreign.map_err(|error| error.message().to_owned())?, &signed)?
        }
    };
    if forged.header.is_empty() {
        let keys = keys.keys().map_err(|error| error.message().to_owned())?;
        return keys.sign(&claims).map_err(|error| error.message().to_owned());
    }
    Ok(format!("{signed}.{signature}"))
}

fn mac(secret: &[u8], signed: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    encoding::encode(hmac::sign(&key, signed.as_bytes()).as_ref())
}

fn es256(key: &Key, signed: &str) -> Result<String, String> {
    let signature = key.sign(signed.as_bytes()).map_err(|error| error.message().to_owned())?;
    Ok(encoding::encode(&signature))
}

/// Verifies as the server would: for tests of this module.
#[cfg(test)]
fn is_good(keys: &KeySet, text: &str, now_unix: i64) -> bool {
    auth::token::verify(&keys.keys().unwrap(), text, now_unix, &auth::Rules::default()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Dice, Stopped};

    fn keys() -> KeySet {
        KeySet::generate(&Stopped::default(), &Dice::default()).unwrap()
    }

    fn forged(signature: Signature) -> Token {
        let header = r#"{"alg":"HS256","typ":"JWT"}"#;
        Token {
            name: "t".into(),
            header: header.into(),
            claims: r#"{"role":"authenticated","exp":<now+60>}"#.into(),
            signature,
            line: 1,
        }
    }

    #[test]
    fn people_have_good_tokens() {
        let keys = keys();
        let bindings = bindings(&keys, 1_000_000_000);
        let found = headers("alice", &Case::default(), &keys, &bindings).unwrap();
        let token = found[1].1.strip_prefix("Bearer ").unwrap();
        assert!(is_good(&keys, token, 1_000_000_000));
        assert!(headers("nobody", &Case::default(), &keys, &bindings).unwrap().is_empty());
        assert!(headers("mallory", &Case::default(), &keys, &bindings).unwrap_err().contains("no `mallory`"));
    }

    #[test]
    fn only_a_real_key_makes_a_good_token() {
        let keys = keys();
        let now = 1_000_000_000;
        let bindings = bindings(&keys, now);
        for (signature, good) in [
            (Signature::Secret, true),
            (Signature::Text(keys.secret.clone()), true),
            (Signature::None, false),
            (Signature::Text("another secret that is long enough to be one".into()), false),
            (Signature::PublicKeys, false),
            (Signature::Foreign, false),
            (Signature::Zero, false),
            (Signature::Project, false),
            (Signature::Literal("x".into()), false),
        ] {
            let token = forge(&forged(signature.clone()), &keys, &bindings).unwrap();
            assert_eq!(is_good(&keys, &token, now), good, "{signature:?}");
        }
        let ours = Token { header: String::new(), ..forged(Signature::Project) };
        assert!(is_good(&keys, &forge(&ours, &keys, &bindings).unwrap(), now));
    }
}
