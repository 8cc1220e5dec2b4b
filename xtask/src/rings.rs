//! The rings: which crate may use which. ARCHITECTURE.md draws this table; `cargo xtask tidy` holds it.

/// A crate's place in the house.
pub(crate) struct Crate {
    /// Directory below `crates/`, and the library's name.
    pub(crate) name: &'static str,
    /// No tokio, IO, clock, randomness, environment: same input, same output.
    pub(crate) pure: bool,
    /// The outermost crates it may use. What those may use, it may use too.
    pub(crate) uses: &'static [&'static str],
    /// Whether CI compiles and tests it. `false` only while a crate is being written.
    pub(crate) complete: bool,
}

/// From the innermost to the outermost. A crate that is not here may not exist.
pub(crate) const CRATES: &[Crate] = &[
    Crate { name: "types", pure: true, uses: &[], complete: true },
    Crate { name: "sql", pure: true, uses: &["types"], complete: true },
    Crate { name: "catalog", pure: true, uses: &["sql"], complete: true },
    Crate { name: "query", pure: true, uses: &["catalog"], complete: true },
    Crate { name: "program", pure: false, uses: &["query"], complete: true },
    Crate { name: "render", pure: true, uses: &["query"], complete: true },
    Crate { name: "engine", pure: false, uses: &["render", "program"], complete: true },
    Crate { name: "drivers", pure: false, uses: &["engine"], complete: true },
    Crate { name: "rest", pure: true, uses: &["query"], complete: true },
    Crate { name: "auth", pure: false, uses: &["engine"], complete: true },
    Crate { name: "storage", pure: false, uses: &["engine"], complete: true },
    Crate { name: "realtime", pure: false, uses: &["engine", "rest"], complete: true },
    Crate {
        name: "backplane",
        pure: false,
        uses: &["drivers", "rest", "auth", "storage", "realtime"],
        complete: true,
    },
    Crate { name: "testkit", pure: false, uses: &["backplane"], complete: true },
];

/// Libraries that a pure crate never uses: runtimes, networks, clocks and randomness.
pub(crate) const IMPURE: &[&str] = &[
    "tokio",
    "async-std",
    "hyper",
    "axum",
    "reqwest",
    "rusqlite",
    "mio",
    "socket2",
    "rand",
    "getrandom",
    "fastrand",
    "tempfile",
];

/// The row of a crate, by its directory.
pub(crate) fn find(name: &str) -> Option<&'static Crate> {
    CRATES.iter().find(|row| row.name == name)
}

/// The directory of a package: `backplane-catalog` is `catalog`, `backplane` is itself.
pub(crate) fn directory(package: &str) -> &str {
    package.strip_prefix("backplane-").unwrap_or(package)
}

/// The package of a directory.
pub(crate) fn package(name: &str) -> String {
    if name == "backplane" { name.to_owned() } else { format!("backplane-{name}") }
}

/// Whether `user` may use `used`.
pub(crate) fn may_use(user: &Crate, used: &str) -> bool {
    user.uses
        .iter()
        .any(|&outermost| outermost == used || find(outermost).is_some_and(|row| may_use(row, used)))
}

/// The crates that are there and complete.
pub(crate) fn complete() -> impl Iterator<Item = &'static Crate> {
    CRATES.iter().filter(|row| row.complete && is_there(row.name))
}

/// The crates that are there and still being written.
pub(crate) fn unfinished() -> impl Iterator<Item = &'static Crate> {
    CRATES.iter().filter(|row| !row.complete && is_there(row.name))
}

/// Whether the crate has a manifest.
pub(crate) fn is_there(name: &str) -> bool {
    crate::run::root().join("crates").join(name).join("Cargo.toml").exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_use_earlier_rows_only() {
        for (at, row) in CRATES.iter().enumerate() {
            for used in row.uses {
                assert!(CRATES[..at].iter().any(|earlier| earlier.name == *used), "{} uses {used}", row.name);
            }
        }
    }

    #[test]
    fn pure_crates_use_pure_crates_only() {
        for row in CRATES.iter().filter(|row| row.pure) {
            assert!(row.uses.iter().all(|used| find(used).is_some_and(|used| used.pure)), "{}", row.name);
        }
    }

    #[test]
    fn reach_is_transitive_and_one_way() {
        let may = |user: &str, used: &str| may_use(find(user).unwrap(), used);
        assert!(may("drivers", "types") && may("rest", "query") && may("auth", "render"));
        assert!(
            !may("rest", "engine")
                && !may("types", "sql")
                && !may("auth", "drivers")
                && !may("query", "query")
        );
    }
}
