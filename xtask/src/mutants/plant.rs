//! The copy of the repository in which the bugs are.

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::path::Path;

use super::SWITCH;
use super::rows::{FILES, File, Mutant};
use crate::run::{Result, output, program, root};

/// Brings the copy to what the repository is, with the bugs in it. Files that are the same stay untouched: they are not built again.
pub(super) fn copy(folder: &Path) -> Result<()> {
    let names = output(program("git").args(["ls-files", "--cached", "--others", "--exclude-standard"]))?;
    let names: BTreeSet<&str> = names.lines().filter(|name| root().join(name).is_file()).collect();
    for name in &names {
        let mut bytes = read(&root().join(name))?;
        if let Some(file) = FILES.iter().find(|file| name.strip_prefix("crates/") == Some(file.path)) {
            bytes = planted(file, &text(bytes)?)?.into_bytes();
        } else if FILES.iter().any(|file| **name == crate_root(file)) {
            // A choice between two expressions has parentheses and moves that a compiler warns of.
            bytes = [b"#![allow(warnings)] ", &bytes[..], b"mod mutant;\n"].concat();
        }
        write(&folder.join(name), &bytes)?;
    }
    for file in FILES {
        let path = folder.join(crate_root(file)).with_file_name("mutant.rs");
        write(&path, switch().as_bytes())?;
    }
    gone(&folder.join("cases"), &|path| {
        let name = path.strip_prefix(folder).ok().and_then(Path::to_str);
        name.is_some_and(|name| names.contains(name))
    })
}

/// Removes files that are not there any more.
fn gone(folder: &Path, is_kept: &dyn Fn(&Path) -> bool) -> Result<()> {
    let told = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(told)? {
        let path = entry.map_err(told)?.path();
        if path.is_dir() {
            gone(&path, is_kept)?;
        } else if !is_kept(&path) {
            fs::remove_file(&path).map_err(told)?;
        }
    }
    Ok(())
}

fn crate_root(file: &File) -> String {
    let name = file.path.split('/').next().unwrap_or_default();
    format!("crates/{name}/src/lib.rs")
}

/// The module of a crate of the copy that knows which bug is at work.
fn switch() -> String {
    format!(
        "//! Which bug is at work.\n\n\
         pub(crate) fn is(name: &str) -> bool {{\n    \
             static AT_WORK: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();\n    \
             AT_WORK.get_or_init(|| std::env::var(\"{SWITCH}\").ok()).as_deref() == Some(name)\n\
         }}\n"
    )
}

/// The text of a file with a choice in the place of each expression that a bug replaces.
fn planted(file: &File, text: &str) -> Result<String> {
    let mut places = file
        .mutants
        .iter()
        .map(|mutant| Ok((place(file, mutant, text)?, mutant)))
        .collect::<Result<Vec<(Range<usize>, &Mutant)>>>()?;
    places.sort_by_key(|(range, _)| range.start);
    let (mut out, mut done) = (String::with_capacity(text.len() * 2), 0);
    for (range, Mutant { name, new, .. }) in places {
        let before = text.get(done..range.start);
        let before = before.ok_or_else(|| format!("{name} stands in the expression of another bug"))?;
        out += before;
        out += &format!("(if crate::mutant::is(\"{name}\") {{ {new} }} else {{ {} }})", &text[range.clone()]);
        done = range.end;
    }
    out += &text[done..];
    Ok(out)
}

/// Where the expression is that a bug replaces.
fn place(file: &File, mutant: &Mutant, text: &str) -> Result<Range<usize>> {
    let Mutant { name, text: shown, .. } = mutant;
    let (before, marked) = shown.split_once('«').unwrap_or(("", shown));
    let (marked, after) = marked.split_once('»').unwrap_or((marked, ""));
    let whole = [before, marked, after].concat();
    let found: Vec<usize> = text.match_indices(&whole).map(|(at, _)| at).collect();
    match found[..] {
        [at] => Ok(at + before.len()..at + before.len() + marked.len()),
        _ => {
            let (path, count) = (file.path, found.len());
            Err(format!("{name}: crates/{path} has this text {count} times instead of once:\n{whole}"))
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn text(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|_| "a file that is not UTF-8".to_owned())
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let told = |error: std::io::Error| format!("{}: {error}", path.display());
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(told)?;
    }
    fs::write(path, bytes).map_err(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row whose text is gone would plant nothing.
    #[test]
    fn every_bug_has_its_place() {
        let mut lost = Vec::new();
        for file in FILES {
            let path = root().join("crates").join(file.path);
            let text = fs::read_to_string(&path).unwrap();
            lost.extend(file.mutants.iter().filter_map(|mutant| place(file, mutant, &text).err()));
            if lost.is_empty() {
                planted(file, &text).unwrap();
            }
            assert!(root().join(crate_root(file)).is_file(), "{}", file.path);
        }
        assert!(lost.is_empty(), "{}", lost.join("\n"));
    }

    #[test]
    fn there_are_enough_of_them_and_names_are_theirs_alone() {
        let names: Vec<&str> = FILES.iter().flat_map(|file| file.mutants).map(|mutant| mutant.name).collect();
        assert!(names.len() >= 60, "{}", names.len());
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }

    #[test]
    fn a_bug_is_a_choice() {
        let mutants = &[
            Mutant { name: "b", text: "if «b» {", new: "c", breaks: "" },
            Mutant { name: "a", text: "let x = «1»;", new: "2", breaks: "" },
        ];
        let file = File { area: "", path: "x/src/y.rs", mutants };
        assert_eq!(
            planted(&file, "let x = 1; if b {}").unwrap(),
            "let x = (if crate::mutant::is(\"a\") { 2 } else { 1 }); if (if crate::mutant::is(\"b\") { c } else { b }) {}"
        );
        assert!(planted(&file, "let x = 1; if b { if b {} }").unwrap_err().contains("2 times"));
        assert!(planted(&file, "let x = 1;").unwrap_err().contains("0 times"));
    }
}
