//! Sizes, for people to look at. Habits, not rules: nothing here ever fails.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::files::{File, Tree};

/// Longest function that fits a screen.
const SCREEN_LINES: usize = 70;
/// From here on a file probably has two subjects.
const FILE_LINES: usize = 400;

/// What is counted of one crate, tests left out of functions and code.
#[derive(Default)]
struct Sizes {
    code: usize,
    docs: usize,
    files: Vec<usize>,
    functions: Vec<usize>,
}

/// One line per crate.
pub(crate) fn table(tree: &Tree) -> String {
    let mut crates: BTreeMap<&str, Sizes> = BTreeMap::new();
    for file in tree.files.iter().filter(|file| file.is_rust() && !file.is_test()) {
        add(crates.entry(crate_of(&file.path)).or_default(), file);
    }
    let mut table =
        String::from("crate         code  docs/100  files  p90  >400  functions  median  p90  >70\n");
    for (name, mut sizes) in crates {
        sizes.files.sort_unstable();
        sizes.functions.sort_unstable();
        // Writing to a string cannot fail.
        let _written = writeln!(
            table,
            "{name:<12} {:>5} {:>9} {:>6} {:>4} {:>5} {:>10} {:>7} {:>4} {:>4}",
            sizes.code,
            sizes.docs * 100 / sizes.code.max(1),
            sizes.files.len(),
            at(&sizes.files, 90),
            sizes.files.iter().filter(|&&lines| lines > FILE_LINES).count(),
            sizes.functions.len(),
            at(&sizes.functions, 50),
            at(&sizes.functions, 90),
            sizes.functions.iter().filter(|&&lines| lines > SCREEN_LINES).count(),
        );
    }
    table
}

fn add(sizes: &mut Sizes, file: &File) {
    let source = file.source();
    let lines =
        file.text.lines().zip(source.code.lines()).enumerate().filter(|(at, _)| !source.is_test(at + 1));
    for (_, (text, code)) in lines {
        let text = text.trim_start();
        sizes.docs += usize::from(text.starts_with("///") || text.starts_with("//!"));
        sizes.code += usize::from(!code.trim().is_empty());
    }
    sizes.files.push(file.text.lines().count());
    sizes.functions.extend(
        source.functions().into_iter().filter(|&(line, _)| !source.is_test(line)).map(|(_, lines)| lines),
    );
}

/// `crates/types/src/lib.rs` is of `types`, `xtask/src/main.rs` of `xtask`.
fn crate_of(path: &str) -> &str {
    path.strip_prefix("crates/").unwrap_or(path).split('/').next().unwrap_or_default()
}

/// The value at a percentile of sorted values.
fn at(sorted: &[usize], percent: usize) -> usize {
    sorted.get(sorted.len() * percent / 100).or(sorted.last()).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_is_a_line() {
        let tree = Tree::of(&[(
            "crates/a/src/lib.rs",
            "//! A.\n\n/// B.\nfn b() {\n}\n#[cfg(test)]\nmod tests {\n fn c() {}\n}\n",
        )]);
        let table = table(&tree);
        let line: Vec<&str> = table.lines().nth(1).unwrap().split_whitespace().collect();
        assert_eq!(line, ["a", "2", "100", "1", "9", "0", "1", "2", "2", "0"]);
    }
}
