//! The file of keys on a real disk.

use super::*;
use crate::testing::{FixedClock, Folder, SeededRandom};

const LONG: &str = "a-secret-that-is-long-enough-for-hs256";

fn source() -> Source<'static> {
    Source { clock: &FixedClock, random: &SeededRandom }
}

fn settings(change: impl FnOnce(&mut Settings)) -> Settings {
    let mut settings = Settings::default();
    change(&mut settings);
    settings
}

fn secret(text: &str) -> Option<Secret> {
    crate::settings::secret(text)
}

fn opened(folder: &Folder, settings: &Settings, demo: DemoKeys) -> Result<KeySet> {
    open(folder.path(), &folder.path().join("data"), settings, demo, source())
}

#[test]
fn h7_the_first_start_makes_private_keys_and_the_second_reads_them() {
    let folder = Folder::new();
    let first = opened(&folder, &Settings::default(), DemoKeys::Refused).unwrap();
    assert_eq!(first.demo_field(), None);
    assert_eq!(opened(&folder, &Settings::default(), DemoKeys::Refused).unwrap(), first);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |name: &str| fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("data/keys.json"), mode("data")), (0o600, 0o700));
    }
    assert_eq!(fs::read_to_string(folder.path().join("data/.gitignore")).unwrap(), "*\n");
}

#[cfg(unix)]
#[test]
fn keys_that_others_may_read_are_refused() {
    let folder = Folder::new();
    opened(&folder, &Settings::default(), DemoKeys::Refused).unwrap();
    restrict(&folder.path().join("data/keys.json"), 0o640).unwrap();
    let error = opened(&folder, &Settings::default(), DemoKeys::Refused).unwrap_err();
    assert!(error.message().ends_with("(mode 640)"), "{error}");
    assert!(error.hint().unwrap().starts_with("chmod 600"));
}

#[test]
fn damaged_keys_are_refused_and_kept() {
    let folder = Folder::new();
    opened(&folder, &Settings::default(), DemoKeys::Refused).unwrap();
    let path = folder.path().join("data/keys.json");
    fs::write(&path, "{}").unwrap();
    let error = opened(&folder, &Settings::default(), DemoKeys::Refused).unwrap_err();
    assert!(error.message().contains("is damaged"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "{}");
}

#[test]
fn h7_demo_keys_are_refused_by_name_unless_asked_for() {
    let folder = Folder::new();
    for demo in DEMO.iter().take(2) {
        let known = settings(|settings| settings.auth_jwt_secret = secret(demo));
        let error = opened(&folder, &known, DemoKeys::Refused).unwrap_err();
        assert!(error.message().starts_with("\"jwt_secret\" is a key that is printed"), "{error}");
    }
    let short = settings(|settings| settings.auth_jwt_secret = secret("short"));
    assert_eq!(opened(&folder, &short, DemoKeys::Refused).unwrap_err().code(), Code::INVALID_PARAMETER);
    let used = opened(&folder, &Settings::default(), DemoKeys::Used).unwrap();
    assert_eq!(used.secret, DEMO[0]);
    assert!(used.publishable_keys[0].starts_with("sb_publishable_ACJ"));
    let own = opened(&folder, &Settings::default(), DemoKeys::Refused).unwrap();
    assert_ne!(own.secret, DEMO[0]);
}

#[test]
fn legacy_keys_follow_a_secret_of_the_settings_once() {
    let folder = Folder::new();
    let own = opened(&folder, &Settings::default(), DemoKeys::Refused).unwrap();
    let named = settings(|settings| settings.auth_jwt_secret = secret(LONG));
    let first = opened(&folder, &named, DemoKeys::Refused).unwrap();
    assert_eq!(first.secret, LONG);
    assert_ne!(first.anon_key, own.anon_key);
    assert_eq!(first.signing_keys, own.signing_keys);
    assert_eq!(opened(&folder, &named, DemoKeys::Refused).unwrap(), first);
}

#[test]
fn keys_of_a_file_that_is_not_there_are_the_projects_own() {
    let folder = Folder::new();
    let own = opened(&folder, &Settings::default(), DemoKeys::Refused).unwrap();
    let named = settings(|settings| settings.auth_signing_keys_path = Some("none.json".into()));
    assert_eq!(opened(&folder, &named, DemoKeys::Refused).unwrap(), own);
    folder.write("none.json", "not keys");
    assert!(opened(&folder, &named, DemoKeys::Refused).is_err());
}

#[test]
fn rotation_keeps_old_keys_until_they_are_retired() {
    let folder = Folder::new();
    let data = folder.path().join("data");
    let old = opened(&folder, &Settings::default(), DemoKeys::Refused).unwrap();
    let both = rotate(&data, source()).unwrap();
    assert_eq!(both.secret_keys.len(), 2);
    assert_eq!(both.signing_keys[1], old.signing_keys[0]);
    assert_eq!(both.anon_key, old.anon_key);
    let new = retire(&data).unwrap();
    assert_eq!(new.signing_keys, [both.signing_keys[0].clone()]);
    assert_eq!(opened(&folder, &Settings::default(), DemoKeys::Refused).unwrap(), new);
}

#[test]
fn two_first_starts_agree() {
    let folder = Folder::new();
    let data = folder.path().join("data");
    let first = create(&data, &KeySet::generate(&FixedClock, &SeededRandom).unwrap()).unwrap();
    let second = create(&data, &KeySet::generate(&FixedClock, &SeededRandom).unwrap()).unwrap();
    assert_eq!(first, second);
}
