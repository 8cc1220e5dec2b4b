//! A project's texts to a catalog, with a complaint for each statement that is refused.

use std::sync::Arc;

use catalog::Catalog;
use catalog::build::Complaint as Kind;
use engine::migrate::{self, File, Layout, Refusal};
use types::{Code, Error, Result};

use super::{Origin, Strictness};
use crate::complaint::{Complaint, Severity, SourceFile};
use crate::jobs;

/// The owner of a project's tables.
const OWNER: &str = "postgres";

/// The owner of the tables of our services.
const SERVICE_OWNER: &str = "supabase_auth_admin";

/// What a project starts from.
#[derive(Debug)]
pub(super) struct Foundation {
    /// The builtin schemas and roles.
    pub(super) base: Arc<Catalog>,
    /// The tables of our services.
    pub(super) system: Vec<File>,
}

/// What a folder says.
#[derive(Debug)]
pub(super) struct Folded {
    pub(super) catalog: Arc<Catalog>,
    pub(super) complaints: Vec<Complaint>,
    /// Places in blocks that could not run if the blocks came there.
    pub(super) doubts: Vec<String>,
    /// How many statements there were.
    pub(super) statements: usize,
}

/// `texts`: what the project says, for some parts are there only when they are named.
pub(super) fn foundation<'t>(
    exposure: catalog::Exposure,
    texts: impl Iterator<Item = &'t str> + Clone,
) -> Foundation {
    let base = Arc::new(Catalog { exposure, ..catalog::builtin() });
    let file = |name: &str, text: &str| File { name: name.into(), text: text.into() };
    let mut system = vec![file("auth", auth::SCHEMA), file("services", catalog::build::SERVICES)];
    system.extend(jobs::named(texts).map(|(name, text)| file(name, text)));
    Foundation { base, system }
}

/// Texts as the migration wants them: known by their paths.
pub(super) fn files(found: &[SourceFile]) -> Vec<File> {
    found.iter().map(|file| File { name: file.path.display().to_string(), text: file.text.clone() }).collect()
}

pub(super) fn layout(origin: Origin) -> Layout {
    match origin {
        Origin::File | Origin::Schemas => Layout::Declared,
        Origin::Migrations => Layout::Migrations,
    }
}

/// Folds a schema's files.
pub(super) fn schema(
    foundation: &Foundation,
    found: &[SourceFile],
    origin: Origin,
    strictness: Strictness,
) -> Result<Folded> {
    let system = migrate::fold(&foundation.base, &foundation.system, Layout::Declared, SERVICE_OWNER);
    if let Some(refusal) = system.refused.first() {
        return Err(Error::internal(refusal));
    }
    let folded = migrate::fold(&system.catalog, &files(found), layout(origin), OWNER);
    Ok(told(found, folded, strictness, Part::Schema))
}

/// Folds seeds on what the schema says.
pub(super) fn seed(found: &[SourceFile], catalog: &Arc<Catalog>, strictness: Strictness) -> Folded {
    let folded = migrate::fold(catalog, &files(found), Layout::Migrations, OWNER);
    told(found, folded, strictness, Part::Seed)
}

/// Parts of a project.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Schema,
    Seed,
}

fn told(found: &[SourceFile], folded: migrate::Folded, strictness: Strictness, part: Part) -> Folded {
    let mut complaints: Vec<Complaint> =
        folded.refused.iter().filter_map(|refusal| complaint(found, refusal, strictness, part)).collect();
    complaints.sort_by_key(|complaint| {
        (found.iter().position(|file| file.path == complaint.file.path), complaint.span.start)
    });
    let doubts = folded.doubts.iter().filter_map(|refusal| doubt(found, refusal)).collect();
    let complaints = pruned(complaints);
    Folded { complaints, doubts, catalog: folded.catalog, statements: folded.statements }
}

fn doubt(found: &[SourceFile], refusal: &Refusal) -> Option<String> {
    let file = found.iter().find(|file| file.path.display().to_string() == refusal.file)?;
    let (line, _) = sql::line_column(&file.text, refusal.span.start);
    Some(format!("{}:{line} a do block: {}", refusal.file, refusal.error.message()))
}

/// One complaint for what one mistake made many: a grammar that lost its way says so at every word that follows.
fn pruned(complaints: Vec<Complaint>) -> Vec<Complaint> {
    let is_syntax = |complaint: &Complaint| complaint.code.as_deref() == Some(Code::SYNTAX.name());
    let whole: Vec<Complaint> = complaints.iter().filter(|said| !is_syntax(said)).cloned().collect();
    let is_said = |complaint: &Complaint| {
        let at = complaint.span.start;
        whole.iter().any(|other| {
            other.file.path == complaint.file.path && (other.span.start..other.span.end).contains(&at)
        })
    };
    let mut kept: Vec<Complaint> = Vec::new();
    for complaint in complaints {
        let line = complaint.place().0;
        let follows = |before: &Complaint| {
            is_syntax(before) && before.file.path == complaint.file.path && before.place().0 == line
        };
        if !is_syntax(&complaint) || (!is_said(&complaint) && !kept.last().is_some_and(follows)) {
            kept.push(complaint);
        }
    }
    kept
}

/// Words that begin statements about rows, and others without which nobody may do more.
const PASSED_WORDS: &[&str] = &[
    "insert", "update", "delete", "select", "with", "comment", "analyze", "notify", "setval", "refresh",
    "values", "grant",
];

/// Words that begin statements that make something: nobody gets at what is not made. Where one is to take another's place, that
/// one stays, as one that is there already does.
const MAKING_WORDS: &[&str] = &[
    "create table",
    "create index",
    "create unique index",
    "create type",
    "create sequence",
    "create function",
    "create or replace function",
    "create procedure",
    "create or replace procedure",
];

/// As many words as the longest of those, and one more.
const WORDS_MAX: usize = 5;

/// Whether a lenient start goes on after a statement that is refused for whatever reason. What guards rows is none: without it
/// somebody might see or do more than they should.
fn is_passed(file: &SourceFile, refusal: &Refusal) -> bool {
    let words = words(file, refusal);
    PASSED_WORDS.contains(&words.split(' ').next().unwrap_or_default())
}

/// Whether a lenient start goes on after a statement that PostgreSQL would refuse, too: it is read, and makes something.
fn is_left_out(file: &SourceFile, refusal: &Refusal) -> bool {
    let words = words(file, refusal);
    refusal.error.code() != Code::SYNTAX
        && MAKING_WORDS
            .iter()
            .any(|known| words.strip_prefix(known).is_some_and(|rest| rest.starts_with(' ')))
}

/// The words that a refused statement begins with, in lower case, with one blank behind each.
fn words(file: &SourceFile, refusal: &Refusal) -> String {
    let before =
        usize::try_from(refusal.span.start).ok().and_then(|at| file.text.get(..at)).unwrap_or_default();
    // A grammar that lost its way stands somewhere in the statement.
    let start = match refusal.error.code() == Code::SYNTAX {
        true => before.rfind(';').map_or(0, |at| at + 1),
        false => before.len(),
    };
    let text = file.text.get(start..).unwrap_or_default();
    let code = text.lines().map(str::trim).skip_while(|line| line.is_empty() || line.starts_with("--"));
    let words = code.flat_map(str::split_whitespace).take(WORDS_MAX);
    let is_of_word = |c: &char| c.is_ascii_alphabetic();
    let plain =
        |word: &str| word.chars().take_while(is_of_word).collect::<String>().to_ascii_lowercase() + " ";
    words.map(plain).collect()
}

/// Whether a statement that is missing would let somebody see or do more.
fn restricts(file: &SourceFile, refusal: &Refusal) -> bool {
    let range = usize::try_from(refusal.span.start).ok().zip(usize::try_from(refusal.span.end).ok());
    let text =
        range.and_then(|(start, end)| file.text.get(start..end)).unwrap_or_default().to_ascii_lowercase();
    text.starts_with("create policy") && text.contains("restrictive")
}

fn complaint(
    found: &[SourceFile],
    refusal: &Refusal,
    strictness: Strictness,
    kind: Part,
) -> Option<Complaint> {
    let file = found.iter().find(|file| file.path.display().to_string() == refusal.file)?;
    let severity = match (strictness, Kind::of(&refusal.error)) {
        (Strictness::Strict, _) => Severity::Error,
        (Strictness::Lenient, _) if kind == Part::Seed || is_passed(file, refusal) => Severity::Warning,
        (Strictness::Lenient, Kind::Missing) if restricts(file, refusal) => Severity::Error,
        (Strictness::Lenient, Kind::Duplicate | Kind::Missing) => Severity::Warning,
        (Strictness::Lenient, Kind::Invalid) if is_left_out(file, refusal) => Severity::Warning,
        (Strictness::Lenient, Kind::NotSupported | Kind::Invalid) => Severity::Error,
    };
    let complaint = Complaint::error(file, refusal.span, refusal.error.message());
    Some(Complaint {
        severity,
        code: Some(refusal.error.state().into()),
        hint: refusal.error.hint().map(str::to_owned),
        ..complaint
    })
}
