//! Who is taken for whom: every rule of the gateway, and every way around it.

use super::*;
use crate::entropy::Clock;
use crate::keys::KeySet;
use crate::testing::{Dice, Stopped};
use crate::token::Rules;

struct Door {
    keys: KeySet,
    gateway: Gateway,
    clock: Stopped,
}

fn door() -> Door {
    let clock = Stopped::default();
    let keys = KeySet::generate(&clock, &Dice::default()).unwrap();
    Door { gateway: keys.gateway(Rules::default()).unwrap(), keys, clock }
}

impl Door {
    fn ask(&self, headers: &[(&str, &str)]) -> Result<Caller, Refusal> {
        let headers = headers.iter().map(|(name, value)| (*name, value.as_bytes()));
        self.gateway.identify(Credentials::of_headers(headers), self.clock.now_unix())
    }

    fn kind(&self, headers: &[(&str, &str)]) -> Result<(String, Kind), Refusal> {
        self.ask(headers).map(|caller| (caller.role.to_string(), caller.kind))
    }

    fn user(&self) -> String {
        let claims = format!(r#"{{"role":"authenticated","exp":{}}}"#, self.clock.now_unix() + 60);
        self.gateway.verifier.keys().sign(&claims).unwrap()
    }
}

fn is(role: &str, kind: Kind) -> Result<(String, Kind), Refusal> {
    Ok((role.into(), kind))
}

#[test]
fn each_kind_of_key_is_a_role() {
    let door = door();
    let (publishable, secret) = (door.keys.publishable_keys[0].as_str(), door.keys.secret_keys[0].as_str());
    let bearer = |token: &str| format!("Bearer {token}");
    assert_eq!(door.kind(&[]), is("anon", Kind::Anonymous));
    assert_eq!(door.kind(&[("apikey", publishable)]), is("anon", Kind::Publishable));
    assert_eq!(door.kind(&[("apikey", secret)]), is("service_role", Kind::Secret));
    assert_eq!(door.kind(&[("apikey", &door.keys.anon_key)]), is("anon", Kind::Token));
    assert_eq!(door.kind(&[("apikey", &door.keys.service_role_key)]), is("service_role", Kind::Token));
    assert_eq!(door.kind(&[("authorization", &bearer(&door.user()))]), is("authenticated", Kind::Token));
    assert_eq!(
        door.kind(&[("apikey", secret), ("authorization", &bearer(secret))]),
        is("service_role", Kind::Secret)
    );
    assert_eq!(&*door.ask(&[("apikey", secret)]).unwrap().claims, r#"{"role":"service_role"}"#);
}

#[test]
fn g8_a_revoked_or_invented_key_is_refused() {
    let door = door();
    for key in ["sb_secret_invented", "sb_publishable_invented", "sb_"] {
        assert_eq!(door.kind(&[("apikey", key)]), Err(Refusal::UnknownApiKey), "{key}");
    }
    assert_eq!(door.kind(&[("apikey", "something else")]), is("anon", Kind::Anonymous));
}

#[test]
fn g17_a_header_sent_twice_is_refused() {
    let door = door();
    let bearer = format!("Bearer {}", door.user());
    let twice = [("Authorization", bearer.as_str()), ("authorization", bearer.as_str())];
    assert_eq!(door.kind(&twice), Err(Refusal::Repeated("Authorization")));
    let key = door.keys.secret_keys[0].as_str();
    assert_eq!(door.kind(&[("apikey", key), ("ApiKey", key)]), Err(Refusal::Repeated("apikey")));
    let error = Refusal::Repeated("apikey").for_data_api();
    assert_eq!((error.code().status(), error.code().name()), (401, "PGRST301"));
}

#[test]
fn g17_a_token_wins_over_a_key() {
    let door = door();
    let bearer = format!("Bearer {}", door.user());
    let both = [("apikey", door.keys.secret_keys[0].as_str()), ("authorization", &bearer)];
    assert_eq!(door.kind(&both), is("authenticated", Kind::Token));
    let both = [("apikey", door.keys.secret_keys[0].as_str()), ("authorization", "Bearer a.b.c")];
    assert!(door.kind(&both).is_err(), "a bad token is not repaired by a key");
}

#[test]
fn g17_the_scheme_is_read_in_one_way() {
    let door = door();
    let user = door.user();
    for scheme in ["Bearer ", "bearer ", "BEARER ", "Bearer    ", " Bearer "] {
        let value = format!("{scheme}{user}");
        assert_eq!(door.kind(&[("authorization", &value)]), is("authenticated", Kind::Token), "{scheme:?}");
    }
    for (value, refusal) in [
        (format!("Bearer\t{user}"), Refusal::Undecodable),
        (format!("Bearer {user} {user}"), Refusal::Undecodable),
        (format!("Bearer {user}\t"), Refusal::Undecodable),
        ("Bearer".to_owned(), Refusal::Empty),
        ("Bearer   ".to_owned(), Refusal::Empty),
    ] {
        assert_eq!(door.kind(&[("authorization", &value)]), Err(refusal), "{value:?}");
    }
    assert_eq!(door.kind(&[("authorization", "Basic dXNlcjpwYXNz")]), is("anon", Kind::Anonymous));
    assert_eq!(door.kind(&[("authorization", &user)]), is("anon", Kind::Anonymous));
}

#[test]
fn opaque_keys_are_proof_in_apikey_only() {
    let door = door();
    let bearer = format!("Bearer {}", door.keys.secret_keys[0]);
    assert_eq!(door.kind(&[("authorization", &bearer)]), is("anon", Kind::Anonymous));
    let both = [("apikey", door.keys.publishable_keys[0].as_str()), ("authorization", bearer.as_str())];
    assert_eq!(door.kind(&both), is("anon", Kind::Publishable));
}

#[test]
fn h15_a_secret_key_from_a_browser_is_refused() {
    let door = door();
    let secret = ("apikey", door.keys.secret_keys[0].as_str());
    for browser in [
        ("origin", "https://app.example"),
        ("user-agent", "Mozilla/5.0 (X11)"),
        ("sec-fetch-site", "same-origin"),
    ] {
        assert_eq!(door.kind(&[secret, browser]), Err(Refusal::SecretInBrowser));
        let publishable = ("apikey", door.keys.publishable_keys[0].as_str());
        assert_eq!(door.kind(&[publishable, browser]), is("anon", Kind::Publishable));
    }
    assert!(door.kind(&[secret, ("user-agent", "node"), ("sec-fetch-mode", "cors")]).is_ok(), "a server");
}

#[test]
fn a_key_can_be_required() {
    let mut door = door();
    door.gateway.is_key_required = true;
    assert_eq!(door.kind(&[]), Err(Refusal::NoApiKey));
    assert_eq!(door.kind(&[("apikey", "x")]), Err(Refusal::UnknownApiKey));
    assert!(door.kind(&[("apikey", &door.keys.publishable_keys[0])]).is_ok());
    assert!(
        is_open("/auth/v1/verify")
            && is_open("/auth/v1/.well-known/jwks.json")
            && !is_open("/auth/v1/verify2")
    );
}

#[test]
fn a_websocket_s_key_may_be_in_its_url() {
    let door = door();
    let secret = door.keys.publishable_keys[0].as_str();
    let in_url = Credentials::of_headers([]).with_query_key(Some(secret));
    assert_eq!(door.gateway.identify(in_url, door.clock.now_unix()).unwrap().kind, Kind::Publishable);
    let headers = [("apikey", b"sb_wrong".as_slice())];
    let both = Credentials::of_headers(headers).with_query_key(Some(secret));
    assert!(door.gateway.identify(both, door.clock.now_unix()).is_err(), "the header decides");
}
