//! A project's texts to a catalog, with a complaint for each statement that is refused.

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
    pub(super) base: Catalog,
    /// The tables of our services.
    pub(super) system: Vec<File>,
}

/// What a folder says.
#[derive(Debug)]
pub(super) struct Folded {
    pub(super) catalog: std::sync::Arc<Catalog>,
    pub(super) complaints: Vec<Complaint>,
    /// How many statements there were.
    pub(super) statements: usize,
}

/// `texts`: what the project says, for some parts are there only when they are named.
pub(super) fn foundation<'t>(
    exposure: catalog::Exposure,
    texts: impl Iterator<Item = &'t str> + Clone,
) -> Foundation {
    let base = Catalog { exposure, ..catalog::builtin() };
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
    Ok(told(found, folded, strictness))
}

/// Folds seeds on what the schema says.
pub(super) fn seed(found: &[SourceFile], catalog: &Catalog, strictness: Strictness) -> Folded {
    told(found, migrate::fold(catalog, &files(found), Layout::Migrations, OWNER), strictness)
}

fn told(found: &[SourceFile], folded: migrate::Folded, strictness: Strictness) -> Folded {
    let mut complaints: Vec<Complaint> =
        folded.refused.iter().filter_map(|refusal| complaint(found, refusal, strictness)).collect();
    complaints.sort_by_key(|complaint| {
        (found.iter().position(|file| file.path == complaint.file.path), complaint.span.start)
    });
    Folded { complaints: pruned(complaints), catalog: folded.catalog, statements: folded.statements }
}

/// One complaint for what one mistake made many: a grammar that lost its way says so at every word that follows.
fn pruned(complaints: Vec<Complaint>) -> Vec<Complaint> {
    let is_syntax = |complaint: &Complaint| complaint.code == Some(Code::SYNTAX);
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

fn complaint(found: &[SourceFile], refusal: &Refusal, strictness: Strictness) -> Option<Complaint> {
    let file = found.iter().find(|file| file.path.display().to_string() == refusal.file)?;
    let severity = match (strictness, Kind::of(&refusal.error)) {
        (Strictness::Lenient, Kind::Duplicate | Kind::Missing) => Severity::Warning,
        (Strictness::Lenient, Kind::NotSupported | Kind::Invalid) | (Strictness::Strict, _) => {
            Severity::Error
        }
    };
    let complaint = Complaint::error(file, refusal.span, refusal.error.message());
    Some(Complaint {
        severity,
        code: Some(refusal.error.code()),
        hint: refusal.error.hint().map(str::to_owned),
        ..complaint
    })
}
