//! All the files: found, played side by side, and told about.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::bless::bless;
use crate::case::{Case, Complaint};
use crate::parse::parse;
use crate::play::{Failure, Outcome, Serve, play};

/// The folder whose cases are about policies, whatever they say.
const POLICIES: &str = "policies";

/// A file that was read.
#[derive(Debug)]
pub struct Page {
    /// Relative to the book's folder, without `.case`.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// What it says, or why it says nothing.
    pub case: Result<Case, Complaint>,
    text: String,
}

#[cfg(test)]
impl Page {
    /// A page that is in no folder.
    pub(crate) fn new(name: &str, text: &str, parse: fn(&str) -> Result<Case, Complaint>) -> Page {
        let path = PathBuf::from(format!("{name}.case"));
        Page { name: name.to_owned(), path, case: parse(text), text: text.to_owned() }
    }
}

/// What to do with empty sections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Empty {
    /// They fail.
    Fail,
    /// They are filled.
    Bless,
}

/// How many cases passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// As expected.
    pub passed: usize,
    /// Not as expected.
    pub failed: usize,
}

/// Reads every case below a folder whose name contains one of the words; all without words. Sorted by name.
///
/// # Errors
/// A folder or file that cannot be read.
pub fn read(folder: &Path, words: &[String]) -> Result<Vec<Page>, String> {
    let mut paths = Vec::new();
    find(folder, &mut paths)?;
    paths.sort();
    let mut pages = Vec::new();
    for path in paths {
        let name = path.strip_prefix(folder).unwrap_or(&path).with_extension("").display().to_string();
        if !words.is_empty() && !words.iter().any(|word| name.contains(word.as_str())) {
            continue;
        }
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut case = parse(&text);
        if let Ok(case) = &mut case {
            case.is_policy |= name.split('/').next() == Some(POLICIES);
        }
        pages.push(Page { name, path, case, text });
    }
    Ok(pages)
}

fn find(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<(), String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for entry in entries {
        let path = entry.map_err(|error| format!("{}: {error}", folder.display()))?.path();
        if path.is_dir() {
            find(&path, paths)?;
        } else if path.extension().is_some_and(|extension| extension == "case") {
            paths.push(path);
        }
    }
    Ok(())
}

/// How to play.
pub struct Playing<'a> {
    /// The word of the engine.
    pub engine: &'a str,
    /// The number of its release.
    pub release: u32,
    /// Who serves the projects on it.
    pub serve: &'a Serve<'a>,
    /// What to do with empty sections.
    pub empty: Empty,
    /// Whether no page is begun after one that is not as expected.
    pub stops: bool,
}

/// Plays all pages, as many at once as there are processors, and tells what was not as expected in the order of names.
///
/// # Errors
/// A file or `out` that cannot be written.
pub fn run(pages: &[Page], playing: &Playing<'_>, out: &mut dyn Write) -> Result<Tally, String> {
    let (next, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let told: Mutex<Vec<(usize, Vec<Failure>)>> = Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    let written = std::thread::scope(|scope| {
        let work = || -> Result<(), String> {
            while !is_over.load(Ordering::Relaxed)
                && let Some((at, page)) = claim(&next, pages)
            {
                let failures = judged(page, playing)?;
                is_over.fetch_or(playing.stops && !failures.is_empty(), Ordering::Relaxed);
                told.lock().unwrap_or_else(PoisonError::into_inner).push((at, failures));
            }
            Ok(())
        };
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or(Err("a case panicked".to_owned())))
    });
    written?;
    let mut told = told.into_inner().unwrap_or_else(PoisonError::into_inner);
    told.sort_by_key(|(at, _)| *at);
    let mut tally = Tally::default();
    for (at, failures) in &told {
        if failures.is_empty() {
            tally.passed += 1;
        } else {
            tally.failed += 1;
        }
        for failure in failures {
            writeln!(out, "{}:{}: {}", pages[*at].path.display(), failure.line, failure.message)
                .map_err(|error| error.to_string())?;
        }
    }
    Ok(tally)
}

fn claim<'p>(next: &AtomicUsize, pages: &'p [Page]) -> Option<(usize, &'p Page)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    Some((at, pages.get(at)?))
}

/// What is wrong with a page, after filling it if that is wanted.
fn judged(page: &Page, playing: &Playing<'_>) -> Result<Vec<Failure>, String> {
    let case = match &page.case {
        Ok(case) => case,
        Err(Complaint { line, message }) => {
            return Ok(vec![Failure { line: *line, message: message.clone() }]);
        }
    };
    if !case.is_asked(playing.engine, playing.release) {
        return Ok(Vec::new());
    }
    let Outcome { failures, fills } = play(case, playing.serve);
    if playing.empty == Empty::Bless && !fills.is_empty() {
        fs::write(&page.path, bless(&page.text, &fills))
            .map_err(|error| format!("{}: {error}", page.path.display()))?;
    }
    let lacking: Vec<&str> = case.lacks(playing.engine).collect();
    Ok(if lacking.is_empty() { failures } else { skipped(&lacking, &failures) })
}

/// A capability that is lacking is seen to be lacking, or the case says something untrue.
fn skipped(lacking: &[&str], failures: &[Failure]) -> Vec<Failure> {
    if !failures.is_empty() {
        return Vec::new();
    }
    vec![Failure { line: 1, message: format!("it holds: take away the skip of {}", lacking.join(", ")) }]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(texts: &[&str]) -> (Tally, String) {
        let pages: Vec<Page> = texts.iter().map(|text| Page::new("a/b", text, parse)).collect();
        let mut out = Vec::new();
        let refuse = |_: &Case| Err("no server".to_owned());
        let serve = &refuse;
        let playing = Playing { engine: "sqlite", release: 3, serve, empty: Empty::Fail, stops: false };
        let tally = run(&pages, &playing, &mut out).unwrap();
        (tally, String::from_utf8(out).unwrap())
    }

    #[test]
    fn failures_are_told_in_order() {
        let (tally, text) = told(&["== request as anon\nGET /\n", "== nothing\n"]);
        assert_eq!(tally, Tally { passed: 0, failed: 2 });
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "a/b.case:1: no server");
        assert!(lines[1].starts_with("a/b.case:1: there is no section `nothing`"));
    }

    #[test]
    fn releases_before_are_not_asked() {
        let (tally, _) = told(&["== since sqlite 4\n== request as anon\nGET /\n"]);
        assert_eq!(tally, Tally { passed: 1, failed: 0 });
        let (tally, _) = told(&["== since sqlite 3\n== request as anon\nGET /\n"]);
        assert_eq!(tally, Tally { passed: 0, failed: 1 });
    }

    #[test]
    fn a_skip_is_for_what_fails() {
        let (tally, _) = told(&["== skip sqlite: values of xml\n== request as anon\nGET /\n"]);
        assert_eq!(tally, Tally { passed: 1, failed: 0 });
        let case = parse("== skip sqlite: values of xml\n== request as anon\nGET /\n").unwrap();
        assert_eq!(case.lacks("postgres").count(), 0);
        let (tally, _) = told(&[
            "== lacking postgres: a limit on the size of regular expressions\n== request as anon\nGET /\n",
        ]);
        assert_eq!(tally, Tally { passed: 1, failed: 0 }, "it is not played");
        let lacking: Vec<&str> = case.lacks("sqlite").collect();
        assert!(skipped(&lacking, &[])[0].message.contains("take away the skip of values of xml"));
    }
}
