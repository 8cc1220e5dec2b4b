//! A file in sections: headings that begin with `== `, and the lines below each.

use crate::case::{Complaint, Step};

/// What begins a heading.
const HEADING: &str = "== ";

/// A heading and what stands below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section<'a> {
    /// Its position in the file, counted from 0.
    pub position: usize,
    /// The line of the heading, counted from 1.
    pub line: usize,
    /// The words of the heading.
    pub words: Vec<&'a str>,
    /// The lines below, without empty ones at the end.
    pub body: Vec<&'a str>,
}

/// The sections of a file; what stands above the first is prose.
pub fn sections(text: &str) -> Vec<Section<'_>> {
    let mut found: Vec<Section<'_>> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if let Some(heading) = line.strip_prefix(HEADING) {
            let words = heading.split_whitespace().collect();
            found.push(Section { position: found.len(), line: at + 1, words, body: Vec::new() });
        } else if let Some(section) = found.last_mut() {
            section.body.push(line);
        }
    }
    for section in &mut found {
        while section.body.last().is_some_and(|line| line.is_empty()) {
            section.body.pop();
        }
    }
    found
}

impl Section<'_> {
    /// The body, each line with its end.
    pub fn text(&self) -> String {
        self.body.iter().flat_map(|line| [line, "\n"]).collect()
    }

    pub(super) fn complain(&self, message: impl Into<String>) -> Complaint {
        Complaint::new(self.line, message)
    }

    pub(super) fn words_are(&self, words: &[&str]) -> Result<(), Complaint> {
        if self.words == words {
            return Ok(());
        }
        Err(self.complain(format!("the heading is `== {}`", words.join(" "))))
    }

    pub(super) fn has_no_body(&self) -> Result<(), Complaint> {
        if self.body.is_empty() {
            return Ok(());
        }
        Err(self.complain(format!("`== {}` has no body", self.words.join(" "))))
    }

    /// The world is made once.
    pub(super) fn is_before(&self, steps: &[Step]) -> Result<(), Complaint> {
        if steps.is_empty() {
            return Ok(());
        }
        Err(self.complain("this stands before the first request"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_lines_end_a_section_and_stay_inside_it() {
        let found = sections("prose\n== a b\n1\n\n2\n\n\n== c\n");
        assert_eq!(
            (found[0].line, &found[0].words[..], &found[0].body[..]),
            (2, &["a", "b"][..], &["1", "", "2"][..])
        );
        assert_eq!((found[1].position, found[1].body.len()), (1, 0));
        assert_eq!(found[0].text(), "1\n\n2\n");
    }
}
