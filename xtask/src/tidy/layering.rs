//! The rings against what the manifests say, and the crates that may not be in the tree.

use serde_json::Value;

use super::Complaint;
use super::files::Tree;
use crate::rings;
use crate::run::Result;

/// Crates that may not be in the tree, and what to use.
const BANNED: &[(&str, &str)] = &[
    ("openssl", "rustls with ring"),
    ("openssl-sys", "rustls with ring"),
    ("native-tls", "rustls with ring"),
    ("aws-lc-sys", "ring"),
    ("aws-lc-rs", "ring"),
];

/// Complains about every dependency that leads outwards. `metadata` is that of `cargo metadata --no-deps`.
pub(crate) fn check(metadata: &str) -> Result<Vec<Complaint>> {
    let metadata: Value =
        serde_json::from_str(metadata).map_err(|error| format!("cargo metadata: {error}"))?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    Ok(packages.filter(|package| package["name"] != "xtask").flat_map(check_package).collect())
}

fn check_package(package: &Value) -> Vec<Complaint> {
    let name = rings::directory(text(&package["name"]));
    let complain = |message| Complaint { path: format!("crates/{name}/Cargo.toml"), line: 1, message };
    let Some(row) = rings::find(name) else {
        return vec![complain(format!("`{name}` has no row in xtask/src/rings.rs"))];
    };
    let dependencies = package["dependencies"].as_array().into_iter().flatten();
    dependencies.filter_map(|dependency| refuse(row, dependency).map(complain)).collect()
}

/// Why a crate may not have a dependency.
fn refuse(row: &rings::Crate, dependency: &Value) -> Option<String> {
    let package = text(&dependency["name"]);
    let (used, dev) = (rings::directory(package), dependency["kind"] == "dev");
    if dependency["path"].is_null() {
        let impure = row.pure && !dev && rings::IMPURE.contains(&package);
        return impure.then(|| format!("`{}` is pure and may not use `{package}`", row.name));
    }
    // Tests of a service ask a real engine; tests of queries see that they can be written for one.
    // Tests of engines ask by the whole road.
    let by_road = row.name == "drivers" && matches!(used, "backplane" | "rest");
    let in_tests = dev && (matches!(used, "testkit" | "render") || used == "drivers" && !row.pure || by_road);
    let allowed = rings::may_use(row, used) || in_tests;
    (!allowed)
        .then(|| format!("`{}` may not use `{used}`: it lies further out (xtask/src/rings.rs)", row.name))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Complains about a missing lock file, and about banned crates in it.
pub(crate) fn check_lock(tree: &Tree) -> Vec<Complaint> {
    let Some(lock) = tree.find("Cargo.lock") else {
        let message = "there is no lock file: commit it".to_owned();
        return vec![Complaint { path: "Cargo.lock".to_owned(), line: 1, message }];
    };
    let names = lock
        .text
        .lines()
        .enumerate()
        .filter_map(|(at, line)| Some((at + 1, line.strip_prefix("name = ")?.trim_matches('"'))));
    let banned = names.filter_map(|(at, name)| BANNED.iter().find(|row| row.0 == name).map(|row| (at, row)));
    banned
        .map(|(at, (name, instead))| lock.complain(at, format!("`{name}` is banned, use {instead}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn complaints(package: &str, dependency: &str) -> Vec<String> {
        let metadata = format!(r#"{{"packages":[{{"name":"{package}","dependencies":[{dependency}]}}]}}"#);
        check(&metadata).unwrap().into_iter().map(|complaint| complaint.message).collect()
    }

    const ENGINE: &str = r#"{"name":"backplane-engine","kind":null,"path":"crates/engine"}"#;

    #[test]
    fn inwards_is_allowed() {
        assert!(complaints("backplane-drivers", ENGINE).is_empty());
        assert!(complaints("backplane-auth", ENGINE).is_empty());
        assert!(
            complaints(
                "backplane-types",
                r#"{"name":"backplane-testkit","kind":"dev","path":"crates/testkit"}"#
            )
            .is_empty()
        );
        let drivers = r#"{"name":"backplane-drivers","kind":"dev","path":"crates/drivers"}"#;
        assert!(complaints("backplane-auth", drivers).is_empty());
        assert!(!complaints("backplane-rest", drivers).is_empty());
        assert!(complaints("backplane-engine", r#"{"name":"tokio","kind":null,"path":null}"#).is_empty());
    }

    #[test]
    fn outwards_is_not() {
        assert_eq!(
            complaints("backplane-rest", ENGINE),
            ["`rest` may not use `engine`: it lies further out (xtask/src/rings.rs)"]
        );
        assert_eq!(
            complaints("backplane-query", r#"{"name":"tokio","kind":null,"path":null}"#),
            ["`query` is pure and may not use `tokio`"]
        );
        assert_eq!(complaints("backplane-misc", ""), ["`misc` has no row in xtask/src/rings.rs"]);
    }

    #[test]
    fn banned_crates_are_named_with_what_to_use() {
        let tree =
            Tree::of(&[("Cargo.lock", "[[package]]\nname = \"openssl\"\n[[package]]\nname = \"ring\"\n")]);
        let lines: Vec<String> = check_lock(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(lines, ["Cargo.lock:2: error: `openssl` is banned, use rustls with ring"]);
        assert_eq!(check_lock(&Tree::of(&[])).len(), 1);
    }
}
