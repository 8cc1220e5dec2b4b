//! The rules that no compiler knows, each a row of [`CHECKS`]. A complaint reads like one of rustc's.
//!
//! Sizes are reported (`--report`), never complained about.

mod files;
mod layering;
mod report;
mod source;
mod words;

use std::fmt;

use crate::run::{Result, cargo, output, root, status};
use files::Tree;

/// Something that breaks a rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Complaint {
    path: String,
    line: usize,
    message: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: error: {}", self.path, self.line, self.message)
    }
}

/// One rule.
struct Check {
    name: &'static str,
    run: fn(&Tree) -> Result<Vec<Complaint>>,
}

const CHECKS: &[Check] = &[
    Check {
        name: "layering",
        run: |_| layering::check(&output(&mut cargo(&["metadata", "--format-version=1", "--no-deps"]))?),
    },
    Check { name: "lock file", run: |tree| Ok(layering::check_lock(tree)) },
    Check { name: "module headers", run: |tree| Ok(headers(tree)) },
    Check { name: "words", run: |tree| Ok(words::check(tree)) },
    Check { name: "case names", run: |tree| Ok(case_names(tree)) },
    Check { name: "generated pages", run: |_| generated_pages() },
];

/// Runs every check and fails when there is a complaint; `--report` prints sizes instead.
pub(crate) fn main(words: &[String]) -> Result<()> {
    let tree = Tree::tracked()?;
    if words.iter().any(|word| word == "--report") {
        println!("{}", report::table(&tree));
        return Ok(());
    }
    let mut complaints = Vec::new();
    for check in CHECKS {
        complaints.extend((check.run)(&tree).map_err(|error| format!("{}: {error}", check.name))?);
    }
    complaints.sort();
    for complaint in &complaints {
        println!("{complaint}");
    }
    if complaints.is_empty() { Ok(()) } else { Err(format!("tidy: {} complaints", complaints.len())) }
}

/// Every module begins by saying what it is for.
fn headers(tree: &Tree) -> Vec<Complaint> {
    let silent = tree.files.iter().filter(|file| file.is_rust() && !file.text.starts_with("//!"));
    silent
        .map(|file| file.complain(1, "a module begins with `//!`: what it is for, and what it never does"))
        .collect()
}

/// A case's file name is the sentence it proves.
fn case_names(tree: &Tree) -> Vec<Complaint> {
    let is_sentence = |name: &str| {
        let words: Vec<&str> = name.split('-').collect();
        let is_word = |word: &&str| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        words.len() >= 2 && words.iter().all(is_word)
    };
    let cases = tree
        .files
        .iter()
        .filter_map(|file| Some((file, file.path.rsplit('/').next()?.strip_suffix(".case")?)));
    let wrong = cases.filter(|(_, name)| !is_sentence(name));
    wrong
        .map(|(file, _)| file.complain(1, "a case is named by its sentence: `reader-sees-own-drafts.case`"))
        .collect()
}

/// Pages made from tables are what the tables would make today.
fn generated_pages() -> Result<Vec<Complaint>> {
    if !root().join("docs/reference").exists() {
        return Ok(Vec::new());
    }
    status(cargo(&["xtask", "docs"]).arg("--check")).map(|()| Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_read_like_a_compilers() {
        let tree = Tree::of(&[("crates/a/src/lib.rs", "fn main() {}\n")]);
        let lines: Vec<String> = headers(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "crates/a/src/lib.rs:1: error: a module begins with `//!`: what it is for, and what it never does"
            ]
        );
    }

    #[test]
    fn modules_that_speak_are_silent_here() {
        assert!(
            headers(&Tree::of(&[("crates/a/src/lib.rs", "//! A.\n"), ("README.md", "# B\n")])).is_empty()
        );
    }

    #[test]
    fn cases_are_sentences() {
        let tree = Tree::of(&[
            ("cases/read/reader-sees-own-drafts.case", ""),
            ("cases/read/reader.case", ""),
            ("cases/read/Reader-sees.case", ""),
            ("cases/read/reader--sees.case", ""),
        ]);
        let paths: Vec<String> = case_names(&tree).into_iter().map(|complaint| complaint.path).collect();
        assert_eq!(
            paths,
            ["cases/read/reader.case", "cases/read/Reader-sees.case", "cases/read/reader--sees.case"]
        );
    }
}
