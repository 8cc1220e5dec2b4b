//! The page of compatibility: what the cases show, for each engine. Made from the book, never by hand.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::book::Page;
use crate::case::Case;
use crate::clients::{CLIENTS, Standing};
use crate::lacking::{ENGINES, LACKING};

/// A row of the first table: a folder of the book.
#[derive(Debug, Default, PartialEq, Eq)]
struct Row {
    cases: usize,
    /// Of each engine: how many cases hold, and what it lacks with the case that says so.
    engines: [(usize, Vec<String>); ENGINES.len()],
}

const HEAD: &str = "# Compatibility\n\nMade from the case book: a row is a folder of `cases/`, a capability is there when its cases \
                    pass, and the answers in them are PostgreSQL's and PostgREST's. Every case is played on every engine.\n\n";

const CLIENTS_HEAD: &str = "\n## What the clients ask for\n\nThe ids are those that Supabase's client libraries publish of themselves \
                            (`sdk-compliance.yaml` of supabase-js, August 2026). *yes*: the cases that are named show it, as the \
                            client asks for it. *client*: the client does it alone. *no case*: nothing here shows it.\n\n";

const LACKING_HEAD: &str = "\n## What an engine lacks\n\n| engine | capability | why |\n|---|---|---|\n";

/// The page, in Markdown: one row a folder, the clients' capabilities, what is lacking, then every sentence.
pub fn table(pages: &[Page]) -> String {
    let pages: Vec<(&str, &Case)> =
        pages.iter().filter_map(|page| Some((page.name.as_str(), page.case.as_ref().ok()?))).collect();
    [HEAD, &folders(&pages), CLIENTS_HEAD, &clients(&pages), LACKING_HEAD, &lacking(), &sentences(&pages)]
        .concat()
}

/// The head of a table with a column for each engine.
fn head(first: &str, last: &str) -> String {
    let names: Vec<&str> = ENGINES.iter().map(|(_, name)| *name).collect();
    let last = if last.is_empty() { String::new() } else { format!(" {last} |") };
    let line = format!("| {first} | {} |{last}\n", names.join(" | "));
    let columns = line.matches('|').count() - 1;
    format!("{line}{}|\n", "|---".repeat(columns))
}

fn folders(pages: &[(&str, &Case)]) -> String {
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
    for (name, case) in pages {
        let (folder, _) = name.rsplit_once('/').unwrap_or(("", name));
        rows.entry(folder).or_default().add(name, case);
    }
    let mut out = head("capability", "cases");
    for (folder, row) in &rows {
        let says: Vec<String> = row.engines.iter().map(says).collect();
        let _ = writeln!(out, "| {} | {} | {} |", folder.replace('/', ": "), says.join(" | "), row.cases);
    }
    out
}

impl Row {
    fn add(&mut self, name: &str, case: &Case) {
        self.cases += 1;
        for ((engine, _), (shown, lacking)) in ENGINES.iter().zip(&mut self.engines) {
            let lacks: Vec<&str> = case.lacks(engine).collect();
            if case.is_for(engine) && lacks.is_empty() {
                *shown += 1;
            }
            lacking.extend(lacks.iter().map(|capability| format!("{capability} (`{name}`)")));
        }
    }
}

fn says((shown, lacking): &(usize, Vec<String>)) -> String {
    match (shown, lacking.is_empty()) {
        (_, true) => "yes".to_owned(),
        (0, false) => format!("no: {}", lacking.join(", ")),
        (_, false) => format!("yes, without {}", lacking.join(", ")),
    }
}

/// A row for every id of the clients.
fn clients(pages: &[(&str, &Case)]) -> String {
    let mut out = head("id", "cases");
    for (id, standing) in CLIENTS {
        let shown: Vec<_> =
            pages.iter().filter(|(_, case)| case.capabilities.iter().any(|known| known == id)).collect();
        let mark = |engine: &str| match standing {
            Standing::Client => "client".to_owned(),
            Standing::Missing(reason) => format!("not supported: {reason}"),
            Standing::Server if shown.is_empty() => "no case".to_owned(),
            Standing::Server => on_engine(&shown, engine),
        };
        let marks: Vec<String> = ENGINES.iter().map(|(engine, _)| mark(engine)).collect();
        let names: Vec<String> = shown.iter().map(|(name, _)| format!("`{name}`")).collect();
        let _ = writeln!(out, "| `{id}` | {} | {} |", marks.join(" | "), names.join(", "));
    }
    out
}

/// An id is there where one of its cases holds.
fn on_engine(shown: &[&(&str, &Case)], engine: &str) -> String {
    let holds = |(_, case): &&(&str, &Case)| case.is_for(engine) && case.lacks(engine).next().is_none();
    if shown.iter().copied().any(|page| holds(&page)) {
        return "yes".to_owned();
    }
    let lacks: Vec<&str> = shown.iter().flat_map(|(_, case)| case.lacks(engine)).collect();
    format!("not supported: {}", lacks.join(", "))
}

fn lacking() -> String {
    let named = |word: &str| ENGINES.iter().find(|(engine, _)| *engine == word).map_or("", |(_, name)| name);
    LACKING
        .iter()
        .map(|row| format!("| {} | {} | {} |\n", named(row.engine), row.capability, row.reason))
        .collect()
}

fn sentences(pages: &[(&str, &Case)]) -> String {
    let mut folders: BTreeMap<&str, String> = BTreeMap::new();
    for (name, case) in pages {
        let (folder, sentence) = name.rsplit_once('/').unwrap_or(("", name));
        let mark = |engine: &str| match (case.is_for(engine), case.lacks(engine).next()) {
            (false, _) => "does not lack it",
            (true, Some(_)) => "no",
            (true, None) => "yes",
        };
        let marks: Vec<&str> = ENGINES.iter().map(|(engine, _)| mark(engine)).collect();
        let line = format!("| {} | {} |\n", sentence.replace('-', " "), marks.join(" | "));
        folders.entry(folder).or_default().push_str(&line);
    }
    let section = |(folder, lines): (&&str, &String)| {
        format!("\n### {}\n\n{}{lines}", folder.replace('/', ": "), head("case", ""))
    };
    folders.iter().map(section).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse;

    fn page(name: &str, text: &str) -> Page {
        Page::new(name, &format!("{text}== request as anon\nGET /\n"), parse)
    }

    #[track_caller]
    fn has(text: &str, line: &str) {
        assert!(text.lines().any(|found| found == line), "{line}\nin\n{text}");
    }

    #[test]
    fn a_folder_is_a_row() {
        let text = table(&[
            page("reads/a-b", ""),
            page("reads/c-d", "== skip sqlite: values of xml\n"),
            page("types/e-f", "== skip sqlite: settings of roles\n"),
            page("types/g", "== lacking sqlite: GeoJSON\n"),
        ]);
        has(&text, "| capability | SQLite | PostgreSQL | cases |");
        has(&text, "| reads | yes, without values of xml (`reads/c-d`) | yes | 2 |");
        has(&text, "| types | yes, without settings of roles (`types/e-f`) | yes | 2 |");
        has(&text, "| a b | yes | yes |");
        has(&text, "| c d | no | yes |");
        has(&text, "| g | yes | does not lack it |");
        has(&text, "| SQLite | values of xml | few use them, and nothing here reads XML |");
    }

    #[test]
    fn an_id_is_there_where_a_case_shows_it() {
        let text = table(&[
            page("reads/a", "Why.\ncapabilities: database.using_filters.eq, database.using_filters.neq\n"),
            page("types/b", "capabilities: database.query.rpc\n== skip sqlite: values of xml\n"),
        ]);
        has(&text, "| `database.using_filters.eq` | yes | yes | `reads/a` |");
        has(&text, "| `database.using_filters.gt` | no case | no case |  |");
        has(&text, "| `database.query.rpc` | not supported: values of xml | yes | `types/b` |");
        has(&text, "| `auth.session.get_session` | client | client |  |");
        assert!(text.contains("| `storage.file_buckets.upload` | not supported: "), "{text}");
    }
}
