//! The compatibility table: what the cases show, for each engine. Made from the book, never by hand.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::book::Page;

/// A row of the table: a folder of the book.
#[derive(Debug, Default, PartialEq, Eq)]
struct Row {
    shown: usize,
    /// What an engine lacks, and the case that says so.
    lacking: Vec<(String, String)>,
}

const HEAD: &str = "# Compatibility\n\nMade from the case book: a row is a folder of `cases/`, a capability is there when its cases \
                    pass, and the answers in them are PostgreSQL's and PostgREST's.\n\n| capability | SQLite | cases |\n|---|---|---|\n";

/// The table, in Markdown: one row a folder, then what is lacking, then every sentence.
pub fn table(pages: &[Page]) -> String {
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
    let mut sentences: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for page in pages {
        let Ok(case) = &page.case else { continue };
        let (folder, name) = page.name.rsplit_once('/').unwrap_or(("", &page.name));
        let row = rows.entry(folder).or_default();
        if case.skips.is_empty() {
            row.shown += 1;
        }
        let lacking = case.skips.iter().map(|skip| (skip.capability.clone(), page.name.clone()));
        row.lacking.extend(lacking);
        let mark = if case.skips.is_empty() { "yes" } else { "no" };
        sentences.entry(folder).or_default().push(format!("| {} | {mark} |", sentence(name)));
    }
    let mut out = String::from(HEAD);
    for (folder, row) in &rows {
        let _ = writeln!(out, "| {} | {} | {} |", folder.replace('/', ": "), row.says(), row.shown);
    }
    for (folder, lines) in &sentences {
        let _ = write!(
            out,
            "\n### {}\n\n| case | SQLite |\n|---|---|\n{}\n",
            folder.replace('/', ": "),
            lines.join("\n")
        );
    }
    out
}

impl Row {
    fn says(&self) -> String {
        if self.lacking.is_empty() {
            return "yes".to_owned();
        }
        let named: Vec<String> =
            self.lacking.iter().map(|(capability, case)| format!("{capability} (`{case}`)")).collect();
        let without = named.join(", ");
        if self.shown == 0 { format!("no: {without}") } else { format!("yes, without {without}") }
    }
}

/// A file's name as it is read.
fn sentence(name: &str) -> String {
    name.replace('-', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse;

    fn page(name: &str, text: &str) -> Page {
        Page::new(name, &format!("{text}== request as anon\nGET /\n"), parse)
    }

    #[test]
    fn a_folder_is_a_row() {
        let pages = [
            page("reads/a-b", ""),
            page("reads/c-d", "== skip sqlite: geography\n"),
            page("types/e-f", "== skip sqlite: money\n"),
        ];
        let text = table(&pages);
        assert!(text.contains("| reads | yes, without geography (`reads/c-d`) | 1 |"), "{text}");
        assert!(text.contains("| types | no: money (`types/e-f`) | 0 |"), "{text}");
        assert!(text.contains("| a b | yes |"), "{text}");
    }
}
