//! The files that git knows, read once.

use super::Complaint;
use super::source::Source;
use crate::run::{Result, output, program, root};

/// Everything that is tracked and is text.
pub(crate) struct Tree {
    pub(crate) files: Vec<File>,
}

/// A tracked file.
pub(crate) struct File {
    /// From the root of the repository, with slashes.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Tree {
    /// Reads the repository. Files that are not UTF-8 are none of our business.
    pub(crate) fn tracked() -> Result<Tree> {
        let names =
            output(program("git").args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]))?;
        let read = |path: &str| {
            Some(File { path: path.to_owned(), text: std::fs::read_to_string(root().join(path)).ok()? })
        };
        Ok(Tree { files: names.split_terminator('\0').filter_map(read).collect() })
    }

    /// A repository made up for a test.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Tree {
        let file = |&(path, text): &(&str, &str)| File { path: path.to_owned(), text: text.to_owned() };
        Tree { files: files.iter().map(file).collect() }
    }

    pub(crate) fn find(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }
}

impl File {
    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether the whole file is tests.
    pub(crate) fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs")
            || self.path.split('/').any(|part| part == "tests" || part == "benches")
    }

    /// The code of a Rust file, without comments.
    pub(crate) fn source(&self) -> Source {
        Source::read(&self.text)
    }

    pub(crate) fn complain(&self, line: usize, message: impl Into<String>) -> Complaint {
        Complaint { path: self.path.clone(), line, message: message.into() }
    }
}
