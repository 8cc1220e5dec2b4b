//! Filling what is empty in a case file. What is written there is never changed.

use crate::parse::sections;

/// A part of a file that is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fill {
    /// An empty section becomes this one.
    Replace {
        /// Its position.
        section: usize,
        /// The whole section.
        text: String,
    },
    /// A new section comes behind another.
    After {
        /// The position of the other.
        section: usize,
        /// The whole section.
        text: String,
    },
}

/// The file with everything filled.
pub fn bless(text: &str, fills: &[Fill]) -> String {
    let found = sections(text);
    let lines: Vec<&str> = text.lines().collect();
    let first = found.first().map_or(lines.len(), |section| section.line - 1);
    let mut out: String = lines[..first].iter().flat_map(|line| [line, "\n"]).collect();
    for (at, section) in found.iter().enumerate() {
        let replaced = fills.iter().find_map(|fill| match fill {
            Fill::Replace { section, text } if *section == at => Some(text),
            Fill::Replace { .. } | Fill::After { .. } => None,
        });
        match replaced {
            Some(text) => out.push_str(text),
            None => {
                out.push_str(lines[section.line - 1]);
                out.push('\n');
                out.push_str(&section.text());
            }
        }
        for fill in fills {
            match fill {
                Fill::After { section, text } if *section == at => {
                    out.push('\n');
                    out.push_str(text);
                }
                Fill::Replace { .. } | Fill::After { .. } => {}
            }
        }
        if at + 1 < found.len() {
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_empty_is_filled() {
        let text = "Why.\n\n== request as anon\nGET /\n\n== response\n\n== request as bob\nGET /\n";
        let fills = [
            Fill::Replace { section: 1, text: "== response 200\n[]\n".into() },
            Fill::After { section: 2, text: "== response 401 as anon\n".into() },
            Fill::After { section: 2, text: "== response 200 as alice\n".into() },
        ];
        assert_eq!(
            bless(text, &fills),
            "Why.\n\n== request as anon\nGET /\n\n== response 200\n[]\n\n== request as bob\nGET /\n\n== response 401 as anon\n\n== response 200 as alice\n"
        );
        assert_eq!(bless(text, &[]), text);
    }
}
