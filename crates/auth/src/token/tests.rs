//! Tokens: signed and verified, and the forgeries that are not.

use super::*;
use crate::encoding::sha256;
use crate::jwk;

const NOW: i64 = 1_800_000_000;
const SECRET: &str = "a secret of a project that nobody else has ever seen";

fn keys() -> (Keys, Json) {
    let jwk = jwk::generate().unwrap();
    (Keys::new(vec![Key::read(&jwk).unwrap()], Some(SECRET)).unwrap(), jwk)
}

fn check(keys: &Keys, token: &str) -> Result<Verified, Refusal> {
    verify(keys, token, NOW, &Rules::default())
}

fn signed(secret: &[u8], header: &str, claims: &str) -> String {
    let text = format!("{}.{}", encode(header.as_bytes()), encode(claims.as_bytes()));
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
    let signature = encode(ring::hmac::sign(&key, text.as_bytes()).as_ref());
    format!("{text}.{signature}")
}

fn good_claims() -> String {
    format!(r#"{{"sub":"6f1f9d3c-6d0e-4f3b-9d53-0c1d6f0a1a11","role":"authenticated","exp":{}}}"#, NOW + 60)
}

fn hs256(claims: &str) -> String {
    signed(SECRET.as_bytes(), r#"{"alg":"HS256","typ":"JWT"}"#, claims)
}

#[test]
fn what_was_signed_is_verified() {
    let (keys, _) = keys();
    for token in [keys.sign(&good_claims()).unwrap(), hs256(&good_claims())] {
        let verified = check(&keys, &token).unwrap();
        assert_eq!(&*verified.claims, good_claims());
        assert_eq!(verified.role.as_deref(), Some("authenticated"));
        assert!(verified.uid.is_some());
    }
}

#[test]
fn rs256_keys_sign_and_verify() {
    let jwk = json::parse(include_str!("rsa.json"), 4).unwrap();
    let keys = Keys::new(vec![Key::read(&jwk).unwrap()], Some(SECRET)).unwrap();
    assert_eq!(keys.algorithm(), Some(Algorithm::Rs256));
    assert!(check(&keys, &keys.sign(&good_claims()).unwrap()).is_ok());
}

#[test]
fn g1_alg_none_is_refused() {
    let (keys, _) = keys();
    let unsigned = [r#""none""#, r#""None""#, r#""nOnE""#].map(|alg| (alg, Refusal::Unsigned));
    let unknown = [r#""""#, "null", r#"["HS256"]"#, r#""hs256""#, r#""HS512""#];
    for (alg, refusal) in unsigned.into_iter().chain(unknown.map(|alg| (alg, Refusal::Algorithm))) {
        let header = format!(r#"{{"alg":{alg},"typ":"JWT"}}"#);
        let token = signed(SECRET.as_bytes(), &header, &good_claims());
        assert_eq!(check(&keys, &token).unwrap_err(), refusal, "{alg}");
        let bare = format!("{}.", token.rsplit_once('.').unwrap().0);
        assert_eq!(check(&keys, &bare).unwrap_err(), refusal, "{alg}");
    }
    let token = signed(SECRET.as_bytes(), r#"{"typ":"JWT"}"#, &good_claims());
    assert_eq!(check(&keys, &token).unwrap_err(), Refusal::Algorithm);
}

#[test]
fn g2_a_public_key_is_no_secret() {
    let (keys, jwk) = keys();
    let public = Key::read(&jwk).unwrap().public().unwrap();
    let kid = public.get("kid").unwrap().as_str().unwrap().to_owned();
    for secret in [public.compact(), keys.public(), public.get("x").unwrap().compact()] {
        let token = signed(secret.as_bytes(), &format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#), &good_claims());
        assert_eq!(check(&keys, &token).unwrap_err(), Refusal::Key);
        let token = signed(secret.as_bytes(), r#"{"alg":"HS256"}"#, &good_claims());
        assert_eq!(check(&keys, &token).unwrap_err(), Refusal::Signature);
    }
}

#[test]
fn g3_kid_is_a_name_and_nothing_else() {
    let (keys, _) = keys();
    for kid in ["../../dev/null", "' or 1=1 --", "https://evil.example/jwks.json", "unknown"] {
        let header = format!(r#"{{"alg":"ES256","kid":"{kid}"}}"#);
        assert_eq!(check(&keys, &signed(b"", &header, &good_claims())).unwrap_err(), Refusal::Key, "{kid}");
        let header = format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#);
        assert!(
            check(&keys, &signed(SECRET.as_bytes(), &header, &good_claims())).is_ok(),
            "the shared secret"
        );
    }
    let header = format!(r#"{{"alg":"ES256","kid":"{}"}}"#, "k".repeat(1 << 20));
    assert_eq!(check(&keys, &signed(b"", &header, &good_claims())).unwrap_err(), Refusal::TooLong);
}

#[test]
fn g3_keys_in_a_header_are_ignored() {
    let (keys, _) = keys();
    let evil = jwk::generate().unwrap();
    let key = Key::read(&evil).unwrap();
    let header = format!(
        r#"{{"alg":"ES256","jku":"https://evil.example","x5u":"https://evil.example","jwk":{}}}"#,
        key.public().unwrap().compact()
    );
    let text = format!("{}.{}", encode(header.as_bytes()), encode(good_claims().as_bytes()));
    let token = format!("{text}.{}", encode(&key.sign(text.as_bytes()).unwrap()));
    assert_eq!(check(&keys, &token).unwrap_err(), Refusal::Signature);
}

#[test]
fn g4_other_token_types_are_refused() {
    let (keys, _) = keys();
    for extra in [
        r#""crit":["b64"],"b64":false"#,
        r#""b64":false"#,
        r#""zip":"DEF""#,
        r#""enc":"A256GCM""#,
        r#""cty":"JWT""#,
        r#""typ":"logout+jwt""#,
    ] {
        let header = format!(r#"{{"alg":"HS256",{extra}}}"#);
        let token = signed(SECRET.as_bytes(), &header, &good_claims());
        assert_eq!(check(&keys, &token).unwrap_err(), Refusal::Extension, "{extra}");
    }
    assert_eq!(check(&keys, "a.b.c.d.e").unwrap_err(), Refusal::Parts(5));
    assert_eq!(check(&keys, "a.b").unwrap_err(), Refusal::Parts(2));
    assert_eq!(check(&keys, "").unwrap_err(), Refusal::Empty);
}

#[test]
fn g5_damaged_signatures_are_refused() {
    let (keys, _) = keys();
    let token = keys.sign(&good_claims()).unwrap();
    let (text, _) = token.rsplit_once('.').unwrap();
    for signature in [vec![0; 64], vec![0xff; 64], vec![1; 63], vec![1; 65], vec![], vec![0; 72]] {
        let token = format!("{text}.{}", encode(&signature));
        assert_eq!(check(&keys, &token).unwrap_err(), Refusal::Signature);
    }
    // The last character of 64 bytes has four unused bits: only one spelling is accepted.
    let spelled = token[..token.len() - 1].to_owned();
    let accepted = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        .chars()
        .filter(|last| check(&keys, &format!("{spelled}{last}")).is_ok());
    assert_eq!(accepted.count(), 1);
    assert!(check(&keys, &format!("{token}=")).is_err());
}

#[test]
fn g6_times_are_whole_numbers_within_the_skew() {
    let (keys, _) = keys();
    let answer = |claims: String| check(&keys, &hs256(&claims)).map(|_| ());
    let exp = |value: &str| answer(format!(r#"{{"exp":{value}}}"#));
    assert_eq!(answer("{}".into()), Err(Refusal::NoExpiry));
    for value in
        ["9223372036854775808", "9223372036854775807", "-1", "\"1900000000\"", "1900000000.5", "1e10", "true"]
    {
        assert_eq!(exp(value), Err(Refusal::NotANumber("exp")), "{value}");
    }
    assert_eq!(exp(&(NOW - 31).to_string()), Err(Refusal::Expired));
    assert_eq!(exp(&(NOW - 29).to_string()), Ok(()));
    let with = |name: &str, value: i64| answer(format!(r#"{{"exp":{},"{name}":{value}}}"#, NOW + 60));
    assert_eq!(with("nbf", NOW + 31), Err(Refusal::NotYetValid));
    assert_eq!(with("nbf", NOW + 29), Ok(()));
    assert_eq!(with("iat", NOW + 31), Err(Refusal::IssuedInFuture));
    assert_eq!(with("iat", NOW + 29), Ok(()));
    assert_eq!(Refusal::Expired.for_data_api().code().status(), 401);
}

#[test]
fn g7_audience_and_issuer_are_checked_when_asked_for() {
    let (keys, _) = keys();
    let rules = Rules { audience: Some("us".into()), issuers: vec!["https://us".into()], ..Rules::default() };
    let answer = |claims: &str| {
        let claims = format!(r#"{{"exp":{}{claims}}}"#, NOW + 60);
        verify(&keys, &hs256(&claims), NOW, &rules).map(|_| ())
    };
    assert_eq!(answer(""), Ok(()));
    assert_eq!(answer(r#","aud":"us","iss":"https://us""#), Ok(()));
    assert_eq!(answer(r#","aud":["them","us"]"#), Ok(()));
    assert_eq!(answer(r#","aud":"them""#), Err(Refusal::Audience));
    assert_eq!(answer(r#","aud":[]"#), Err(Refusal::Audience));
    assert_eq!(answer(r#","aud":[1]"#), Err(Refusal::AudienceType));
    assert_eq!(answer(r#","aud":{"us":1}"#), Err(Refusal::AudienceType));
    assert_eq!(answer(r#","iss":"https://them""#), Err(Refusal::Issuer));
}

#[test]
fn g8_a_deleted_key_verifies_nothing() {
    let (keys, jwk) = keys();
    let token = keys.sign(&good_claims()).unwrap();
    let legacy = hs256(&good_claims());
    let verifier = Verifier::new(keys, Rules::default(), 100);
    assert!(verifier.verify(&token, NOW).is_ok() && verifier.verify(&legacy, NOW).is_ok());
    let other = Key::read(&jwk::generate().unwrap()).unwrap();
    verifier.replace_keys(Keys::new(vec![other, Key::read(&jwk).unwrap()], None).unwrap());
    assert!(verifier.verify(&token, NOW).is_ok(), "still listed");
    assert_eq!(verifier.verify(&legacy, NOW).unwrap_err(), Refusal::Key);
    verifier.replace_keys(Keys::new(vec![Key::read(&jwk::generate().unwrap()).unwrap()], None).unwrap());
    assert_eq!(verifier.verify(&token, NOW).unwrap_err(), Refusal::Key);
    verifier.replace_keys(Keys::default());
    assert_eq!(verifier.verify(&token, NOW).unwrap_err(), Refusal::NoKeys);
}

#[test]
fn g14_a_cached_token_expires() {
    let (keys, _) = keys();
    let token = keys.sign(&good_claims()).unwrap();
    let verifier = Verifier::new(keys, Rules::default(), 100);
    let first = verifier.verify(&token, NOW).unwrap();
    assert!(Arc::ptr_eq(&first, &verifier.verify(&token, NOW + 90).unwrap()), "remembered");
    assert_eq!(verifier.verify(&token, NOW + 91).unwrap_err(), Refusal::Expired);
}

#[test]
fn the_cache_is_bounded_and_never_holds_what_was_refused() {
    let (keys, _) = keys();
    let verifier = Verifier::new(keys, Rules::default(), 64);
    for number in 0..1_000 {
        let claims = format!(r#"{{"exp":{},"n":{number}}}"#, NOW + 60);
        assert!(verifier.verify(&hs256(&claims), NOW).is_ok());
        assert!(verifier.verify(&format!("{}x", hs256(&claims)), NOW).is_err());
    }
    assert!(verifier.cache.len() <= 64);
    let refused = format!("{}x", hs256(&good_claims()));
    assert!(verifier.cache.get(&sha256(refused.as_bytes()), 0).is_none());
}

#[test]
fn refusals_are_postgrest_s() {
    let (keys, _) = keys();
    let error = check(&keys, &signed(b"another secret", r#"{"alg":"HS256"}"#, &good_claims()))
        .unwrap_err()
        .for_data_api();
    assert_eq!((error.code().name(), error.message()), ("PGRST301", "No suitable key or wrong key type"));
    assert_eq!(Refusal::Expired.for_data_api().message(), "JWT expired");
    assert_eq!(Refusal::Expired.for_data_api().code().name(), "PGRST303");
    assert_eq!(Refusal::NoKeys.for_data_api().code().status(), 500);
}
