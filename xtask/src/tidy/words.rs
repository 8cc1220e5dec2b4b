//! Words that may stand in a few places only, or nowhere: a row per word.

use super::Complaint;
use super::files::{File, Tree};
use super::source::is_word;

/// A word and where it may stand.
struct Word {
    word: &'static str,
    place: Place,
    /// Paths, as prefixes, where it may stand.
    allowed: &'static [&'static str],
    /// What to do instead.
    instead: &'static str,
}

/// Which part of a file a word is looked for in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Any line of any tracked file.
    Text,
    /// Rust code, tests too; not comments, not literals.
    Code,
    /// Rust code outside tests.
    Product,
    /// The start of a string literal in Rust code outside tests.
    Literal,
}
use Place::{Code, Literal, Product, Text};

const THIS_TABLE: &str = "xtask/src/tidy/words.rs";
const SETTINGS: &[&str] =
    &["crates/backplane/src/settings", "crates/drivers/tests/", "crates/testkit/", "xtask/"];
const CLOCK: &[&str] = &["crates/backplane/src/app", "crates/testkit/", "xtask/"];
/// Besides `App`: a signature takes its randomness from the library that makes it, never from us.
const SIGNATURES: &[&str] =
    &["crates/auth/src/jwk.rs", "crates/backplane/src/app", "crates/testkit/", "xtask/"];
/// Deadlines are kept where commands run: a monotonic clock, never a time that anybody sees.
const DEADLINES: &[&str] = &[
    "crates/backplane/src/app",
    "crates/drivers/src/postgres/",
    "crates/drivers/src/sqlite/around.rs",
    "crates/drivers/src/sqlite/connect.rs",
    "crates/drivers/src/sqlite/readers.rs",
    "crates/drivers/src/sqlite/writer.rs",
    "crates/testkit/",
    "xtask/",
];
const ENGINE_TEXT: &[&str] =
    &["crates/render/", "crates/drivers/", "crates/auth/src/statements", "crates/testkit/", "xtask/"];
/// The same, and where PostgreSQL's tags of statements are told.
const TABLE_TEXT: &[&str] = &[
    "crates/render/",
    "crates/drivers/",
    "crates/auth/src/statements",
    "crates/testkit/",
    "xtask/",
    "crates/program/src/interpret/temporary.rs",
    "crates/sql/src/shapes.rs",
];

const WORDS: &[Word] = &[
    Word {
        word: "/work/",
        place: Text,
        allowed: &[THIS_TABLE],
        instead: "a path of one machine; name it relative to the repository",
    },
    Word {
        word: "/root/",
        place: Text,
        allowed: &[THIS_TABLE],
        instead: "a path of one machine; name it relative to the repository",
    },
    Word {
        word: "/tmp/",
        place: Text,
        allowed: &[THIS_TABLE],
        instead: "a path of one machine; ask for a temporary folder",
    },
    Word {
        word: "todo!(",
        place: Code,
        allowed: &[],
        instead: "refuse by name with `Code::FEATURE_NOT_SUPPORTED`",
    },
    Word {
        word: "unimplemented!(",
        place: Code,
        allowed: &[],
        instead: "refuse by name with `Code::FEATURE_NOT_SUPPORTED`",
    },
    Word { word: "dbg!(", place: Code, allowed: &[], instead: "`tracing`" },
    Word {
        word: "#[ignore",
        place: Code,
        allowed: &[],
        instead: "assert what happens and say why it is wrong",
    },
    Word { word: "#[allow(", place: Code, allowed: &[], instead: "`#[expect(.., reason = \"..\")]`" },
    Word { word: "#![allow(", place: Code, allowed: &[], instead: "`#![expect(.., reason = \"..\")]`" },
    Word { word: "unsafe", place: Code, allowed: &[], instead: "safe code" },
    Word { word: "env::var", place: Code, allowed: SETTINGS, instead: "a row in the table of settings" },
    Word { word: "SystemTime::now", place: Product, allowed: CLOCK, instead: "the clock of `App`" },
    Word { word: "Timestamp::now", place: Product, allowed: CLOCK, instead: "the clock of `App`" },
    Word { word: "Instant::now", place: Product, allowed: DEADLINES, instead: "the clock of `App`" },
    Word { word: "new_v4", place: Product, allowed: CLOCK, instead: "the randomness of `App`" },
    Word { word: "now_v7", place: Product, allowed: CLOCK, instead: "the randomness of `App`" },
    Word { word: "rand::rng", place: Product, allowed: CLOCK, instead: "the randomness of `App`" },
    Word { word: "thread_rng", place: Product, allowed: CLOCK, instead: "the randomness of `App`" },
    Word {
        word: "SystemRandom::new",
        place: Product,
        allowed: SIGNATURES,
        instead: "the randomness of `App`",
    },
    Word { word: "getrandom::", place: Product, allowed: CLOCK, instead: "the randomness of `App`" },
    Word {
        word: "unbounded_channel",
        place: Product,
        allowed: &[],
        instead: "a bounded channel; its bound is a row of `types::limits`",
    },
    Word {
        word: "SELECT ",
        place: Literal,
        allowed: ENGINE_TEXT,
        instead: "a `Query`; only `render` writes engine text",
    },
    Word {
        word: "INSERT INTO ",
        place: Literal,
        allowed: ENGINE_TEXT,
        instead: "a `Query`; only `render` writes engine text",
    },
    Word {
        word: "DELETE FROM ",
        place: Literal,
        allowed: ENGINE_TEXT,
        instead: "a `Query`; only `render` writes engine text",
    },
    Word {
        word: "CREATE TABLE ",
        place: Literal,
        allowed: TABLE_TEXT,
        instead: "a `Migration`; only `render` writes engine text",
    },
];

/// Complains about every word out of its place.
pub(crate) fn check(tree: &Tree) -> Vec<Complaint> {
    tree.files.iter().flat_map(check_file).collect()
}

fn check_file(file: &File) -> Vec<Complaint> {
    let words: Vec<&Word> =
        WORDS.iter().filter(|row| !row.allowed.iter().any(|path| file.path.starts_with(path))).collect();
    let mut found = Vec::new();
    for (at, line) in file.text.lines().enumerate() {
        found.extend(
            words.iter().filter(|row| row.place == Text && line.contains(row.word)).map(|row| (at + 1, *row)),
        );
    }
    if file.is_rust() {
        let source = file.source();
        let tests = |line| file.is_test() || source.is_test(line);
        for (at, line) in source.code.lines().enumerate() {
            let here = |row: &&&Word| row.place == Code || row.place == Product && !tests(at + 1);
            found.extend(
                words
                    .iter()
                    .filter(here)
                    .filter(|row| contains_word(line, row.word))
                    .map(|row| (at + 1, *row)),
            );
        }
        for (at, text) in source.strings.iter().filter(|(at, _)| !tests(*at)) {
            found.extend(
                words
                    .iter()
                    .filter(|row| row.place == Literal && text.starts_with(row.word))
                    .map(|row| (*at, *row)),
            );
        }
    }
    found
        .into_iter()
        .map(|(line, row)| {
            file.complain(line, format!("`{}` is banned here, use: {}", row.word.trim(), row.instead))
        })
        .collect()
}

/// Whether a word stands in a line by itself, not as a part of a longer one.
fn contains_word(line: &str, word: &str) -> bool {
    let bytes = line.as_bytes();
    let inner = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(|&byte| is_word(byte));
    let open_ended = !word.bytes().next_back().is_some_and(is_word) || word == "env::var";
    line.match_indices(word)
        .any(|(at, _)| !inner(at.checked_sub(1)) && (open_ended || !inner(Some(at + word.len()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn lines(path: &str, text: &str) -> Vec<usize> {
        check(&Tree::of(&[(path, text)])).into_iter().map(|complaint| complaint.line).collect()
    }

    #[test]
    fn code_is_not_comments_or_literals() {
        assert_eq!(lines("crates/a/src/b.rs", "// todo!()\nlet a = \"todo!()\";\ntodo!();\n"), [3]);
        assert_eq!(lines("crates/a/src/b.rs", "#![forbid(unsafe_code)]\nunsafe { }\n"), [2]);
        assert_eq!(lines("crates/a/src/b.rs", "#[allow(dead_code)]\n"), [1]);
    }

    #[test]
    fn tests_may_look_at_the_clock() {
        let text = "fn a() { Instant::now() }\n#[cfg(test)]\nmod tests {\n fn b() { Instant::now() }\n}\n";
        assert_eq!(lines("crates/a/src/b.rs", text), [1]);
        assert!(lines("crates/testkit/src/clock.rs", text).is_empty());
        assert!(lines("crates/a/tests/b.rs", text).is_empty());
    }

    #[test]
    fn every_way_to_read_the_environment_is_seen() {
        assert_eq!(
            lines("crates/auth/src/a.rs", "std::env::var(\"A\");\nstd::env::var_os(\"A\");\nenv::vars();\n"),
            [1, 2, 3]
        );
        assert!(lines("crates/backplane/src/settings.rs", "std::env::var(\"A\");\n").is_empty());
    }

    #[test]
    fn engine_text_is_written_by_render() {
        assert_eq!(lines("crates/rest/src/a.rs", "f(\"SELECT 1\");\n// \"SELECT 1\"\n"), [1]);
        assert!(lines("crates/render/src/a.rs", "f(\"SELECT 1\");\n").is_empty());
    }

    #[test]
    fn machine_paths_are_seen_everywhere() {
        assert_eq!(lines("docs/a.md", "see\n/tmp/a\n"), [2]);
    }
}
