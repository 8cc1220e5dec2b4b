//! Key sets: made, written, read back, refused.

use super::*;
use crate::testing::{Dice, Stopped};

fn generated() -> KeySet {
    KeySet::generate(&Stopped::default(), &Dice::default()).unwrap()
}

#[test]
fn the_document_is_read_as_it_was_written() {
    let keys = generated();
    assert_eq!(KeySet::of_json(&keys.to_json()).unwrap(), keys);
}

#[test]
fn h7_generated_keys_are_random_and_of_the_documented_form() {
    let (one, two) = (generated(), KeySet::generate(&Stopped::default(), &Dice::seeded(9)).unwrap());
    assert_ne!(one, two);
    for key in one.publishable_keys.iter().chain(&one.secret_keys) {
        assert!(is_well_formed(key), "{key}");
        let body = key.strip_prefix(PUBLISHABLE).or(key.strip_prefix(SECRET)).unwrap();
        assert_eq!(body.len(), 22 + 1 + 8);
        assert!(!is_well_formed(&key.replace('_', "-")) && !is_well_formed(&key[..key.len() - 1]));
    }
    assert!(one.secret.len() >= 64);
    assert_eq!(one.demo_field(), None);
}

#[test]
fn h7_keys_that_everybody_knows_are_found() {
    let demo = "super-secret-jwt-token-with-at-least-32-characters-long";
    let anon = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.\
                eyJpc3MiOiJzdXBhYmFzZS1kZW1vIiwicm9sZSI6ImFub24iLCJleHAiOjE5ODM4MTI5OTZ9.\
                CRXP1A7WOeoJeXxjNni43kdQwgnWNReilDMblYTn_I0";
    assert!(is_demo(demo) && is_demo(anon));
    let of_demo = KeySet::of_secret(demo, &Stopped::default(), &Dice::default()).unwrap();
    assert!(is_demo(&of_demo.anon_key), "signed with a known secret");
    assert_eq!(of_demo.demo_field(), Some("jwt_secret"));
    let mut keys = generated();
    keys.secret_keys.push("sb_secret_N7UND0UgjKTVK-Uodkm0Hg_xSvEMPvz".into());
    assert_eq!(keys.demo_field(), Some("secret_keys"));
    assert!(!is_demo(&generated().anon_key) && !is_demo("a.b.c") && !is_demo(""));
}

#[test]
fn h7_short_secrets_and_unknown_fields_are_refused() {
    assert!(KeySet::of_secret("short", &Stopped::default(), &Dice::default()).is_err());
    let text = generated().to_json().replacen("jwt_secret", "jwt_secert", 1);
    assert!(KeySet::of_json(&text).is_err());
    let text = generated().to_json().replacen('{', "{\"more\":1,", 1);
    assert!(KeySet::of_json(&text).unwrap_err().message().contains("\"more\""));
}

#[test]
fn a_file_of_signing_keys_needs_a_private_key() {
    let keys = generated();
    let private = Json::Array(keys.signing_keys.clone()).compact();
    assert_eq!(read_signing_keys(&private).unwrap(), keys.signing_keys);
    assert!(read_signing_keys(&keys.keys().unwrap().public()).is_err());
}
