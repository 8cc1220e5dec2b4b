//! Which files a project is made of.
//!
//! A folder with a `supabase` folder that holds a project is that project; the rest of it belongs to the application.
//! Links are followed, hidden files are not seen.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

use types::{Code, Error, Result, Span};

use super::{Strictness, glob};
use crate::complaint::{Complaint, Severity, SourceFile};
use crate::settings::{self, Settings};

/// Where a schema comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `schema.sql`
    File,
    /// The folder `schemas`, or the files that `db.migrations.schema_paths` names.
    Schemas,
    /// The folder `migrations`, folded in order.
    Migrations,
}

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) origin: Origin,
    pub(super) schema: Vec<SourceFile>,
    pub(super) seed: Vec<SourceFile>,
    pub(super) complaints: Vec<Complaint>,
    pub(super) unread: Vec<String>,
}

/// What tells a folder that holds a project from another.
const SIGNS: &[&str] = &["config.toml", "schema.sql", "schemas", "migrations"];

/// The folder that the SQL and the settings are in.
pub(super) fn base(root: &Path) -> Result<PathBuf> {
    if !root.exists() {
        return Err(Error::new(Code::IO_ERROR, format!("there is no directory {}", root.display()))
            .with_hint("`backplane init DIR` makes a new project."));
    }
    if !root.is_dir() {
        return Err(Error::new(Code::IO_ERROR, format!("{} is not a directory", root.display())));
    }
    let below = root.join("supabase");
    let is_project = SIGNS.iter().any(|sign| below.join(sign).exists());
    Ok(if is_project { below } else { root.to_owned() })
}

/// Finds and reads the files of a base folder.
pub(super) fn find(base: &Path, settings: &Settings) -> Result<Found> {
    let mut unread = Vec::new();
    let (origin, paths) = schema(base, settings, &mut unread)?;
    let mut complaints = Vec::new();
    let seed = match settings.db_seed_enabled {
        true => seed(base, settings, &mut complaints)?,
        false => Vec::new(),
    };
    Ok(Found { origin, schema: read_all(base, &paths)?, seed: read_all(base, &seed)?, complaints, unread })
}

/// Migrations are what was really applied; a declared schema beside them is where they were made from.
fn schema(base: &Path, settings: &Settings, unread: &mut Vec<String>) -> Result<(Origin, Vec<PathBuf>)> {
    let migrations = match settings.db_migrations_enabled {
        true => migrations(base, unread)?,
        false => Vec::new(),
    };
    let (file, folder) = (base.join("schema.sql"), base.join("schemas"));
    if !migrations.is_empty() {
        let beside = [&file, &folder].into_iter().filter(|path| path.exists());
        unread.extend(
            beside.map(|path| format!("{} is not read: migrations are", relative(base, path).display())),
        );
        return Ok((Origin::Migrations, migrations));
    }
    if !settings.db_migrations_schema_paths.is_empty() {
        return Ok((Origin::Schemas, named(base, &settings.db_migrations_schema_paths)?));
    }
    if file.exists() && folder.exists() {
        let message = format!("{} holds both schema.sql and schemas/", base.display());
        return Err(Error::new(Code::IO_ERROR, message).with_hint("Keep one of them."));
    }
    if file.exists() {
        return Ok((Origin::File, vec![file]));
    }
    let mut declared = Vec::new();
    if folder.exists() {
        walk(&folder, &mut declared)?;
    }
    match declared.is_empty() {
        // A database may have a schema that nobody wrote into this folder.
        true if settings.is_postgres() => Ok((Origin::Migrations, Vec::new())),
        true if !unread.is_empty() => Err(no_migration(base, unread.len())),
        true => Err(no_schema(base)),
        false => Ok((Origin::Schemas, declared)),
    }
}

fn no_migration(base: &Path, files: usize) -> Error {
    let message = format!("no file in {} has a migration's name", base.join("migrations").display());
    Error::new(Code::IO_ERROR, message).with_hint(format!(
        "A migration's name is NUMBER_name.sql; {files} of other names are passed over, as the Supabase tools do."
    ))
}

fn no_schema(base: &Path) -> Error {
    let message = format!("there is no schema in {}", base.display());
    Error::new(Code::IO_ERROR, message).with_hint(
        "A project has schema.sql, schemas/*.sql or migrations/*.sql, also below supabase/. `backplane init DIR` makes a new one.",
    )
}

/// `schemas/**/*.sql`, a folder's files before its folders.
fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) =
        entries(folder)?.into_iter().partition(|path| path.is_dir());
    found.extend(files.into_iter().filter(|path| is_sql(path)));
    folders.iter().try_for_each(|folder| walk(folder, found))
}

/// `migrations/NUMBER_name.sql` by name, as the Supabase tools take them; older generators wrote a dash for the underscore.
fn migrations(base: &Path, unread: &mut Vec<String>) -> Result<Vec<PathBuf>> {
    let folder = base.join("migrations");
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut numbered: Vec<(u128, PathBuf)> = Vec::new();
    for path in entries(&folder)?.into_iter().filter(|path| is_sql(path)) {
        match number(&path) {
            Some(number) => numbered.push((number, path)),
            None => unread.push(format!(
                "{} is not read: a migration's name is NUMBER_name.sql",
                relative(base, &path).display()
            )),
        }
    }
    let turned =
        numbered.iter().zip(numbered.iter().skip(1)).find(|((before, _), (after, _))| before > after);
    if let Some(((_, before), (_, after))) = turned {
        unread.push(format!(
            "{} is read before {}: migrations go by name, whose numbers want one length",
            relative(base, before).display(),
            relative(base, after).display()
        ));
    }
    Ok(numbered.into_iter().map(|(_, path)| path).collect())
}

/// The number in front of a migration's name.
fn number(path: &Path) -> Option<u128> {
    let name = path.file_name()?.to_str()?;
    let digits = name.find(|c: char| !c.is_ascii_digit())?;
    let is_split = name.get(digits..)?.starts_with(['_', '-']);
    is_split.then(|| name.get(..digits)?.parse().ok())?
}

fn seed(base: &Path, settings: &Settings, complaints: &mut Vec<Complaint>) -> Result<Vec<PathBuf>> {
    let mut found: Vec<PathBuf> = Vec::new();
    for pattern in &settings.db_seed_sql_paths {
        let files = glob::find(base, pattern)?;
        if files.is_empty() && *pattern != "./seed.sql" {
            complaints.push(about(base, pattern, format!("no file is named by \"{pattern}\"")));
        }
        found.extend(files.into_iter().filter(|file| !found.contains(file)).collect::<Vec<_>>());
    }
    Ok(found)
}

/// A warning when the folder of the application's files is not there.
pub(super) fn missing_folder(base: &Path, settings: &Settings) -> Option<Complaint> {
    let folder = settings.server_static_dir.as_ref().filter(|folder| !base.join(folder).is_dir())?;
    let complaint = about(base, folder, format!("there is no folder \"{folder}\" to serve at /app/"));
    Some(Complaint { severity: Severity::Warning, ..complaint })
}

/// An error when the file of the keys that sign is not there. Whoever tries a project out gets keys of its own.
pub(super) fn missing_keys(base: &Path, settings: &Settings, strictness: Strictness) -> Option<Complaint> {
    let file = settings.auth_signing_keys_path.as_ref().filter(|file| !base.join(file).exists())?;
    let complaint = about(base, file, format!("there is no file \"{file}\" of signing keys"));
    Some(match strictness {
        Strictness::Lenient => complaint.softened(),
        Strictness::Strict => complaint,
    })
}

/// A complaint about a word of the settings.
fn about(base: &Path, word: &str, message: String) -> Complaint {
    let path = settings::path(base);
    let text = fs::read_to_string(&path).unwrap_or_default().into();
    let file = SourceFile { path: relative(base, &path), text };
    Complaint::error(&file, place(&file.text, word), message)
}

/// Where a pattern stands in the settings.
fn place(text: &str, pattern: &str) -> Span {
    let start = text.find(pattern).unwrap_or(0);
    let clamp = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
    Span::new(clamp(start), clamp(start + pattern.len()))
}

fn named(base: &Path, patterns: &[String]) -> Result<Vec<PathBuf>> {
    let mut found: Vec<PathBuf> = Vec::new();
    for pattern in patterns {
        let files = glob::find(base, pattern)?;
        if files.is_empty() {
            let message = format!("no file is named by \"{pattern}\" of db.migrations.schema_paths");
            return Err(
                Error::new(Code::IO_ERROR, message).with_hint(format!("Paths are below {}.", base.display()))
            );
        }
        found.extend(files.into_iter().filter(|file| !found.contains(file)).collect::<Vec<_>>());
    }
    Ok(found)
}

/// The entries of a folder by name, without hidden ones.
pub(super) fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let unreadable = |error: std::io::Error| {
        Error::new(Code::IO_ERROR, format!("could not read {}", folder.display()))
            .with_hint(error.to_string())
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

fn is_sql(path: &Path) -> bool {
    path.is_file() && path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("sql"))
}

fn relative(base: &Path, path: &Path) -> PathBuf {
    path.strip_prefix(base).unwrap_or(path).to_owned()
}

fn read_all(base: &Path, paths: &[PathBuf]) -> Result<Vec<SourceFile>> {
    paths.iter().map(|path| read(base, path)).collect()
}

fn read(base: &Path, path: &Path) -> Result<SourceFile> {
    let failed =
        |why: String| Error::new(Code::IO_ERROR, format!("could not read {}", path.display())).with_hint(why);
    let bytes = fs::read(path).map_err(|error| failed(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|error| failed(format!("It is not UTF-8: {error}.")))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    Ok(SourceFile { path: relative(base, path), text: text.into() })
}

/// What a folder's files look like from outside: names, lengths and times of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(u64);

/// The fingerprint of a project's SQL and settings.
///
/// # Errors
/// As [`super::Project::read`].
pub fn fingerprint(root: &Path) -> Result<Fingerprint> {
    let mut hasher = DefaultHasher::new();
    trace(&base(root)?, 0, &mut hasher)?;
    Ok(Fingerprint(hasher.finish()))
}

/// How far below the base folder files are looked at.
const DEPTH_MAX: usize = 6;

fn trace(folder: &Path, depth: usize, hasher: &mut DefaultHasher) -> Result<()> {
    for path in entries(folder)? {
        let is_ours = is_sql(&path) || path.file_name().is_some_and(|name| name == "config.toml");
        if path.is_dir() && depth < DEPTH_MAX && !path.ends_with("node_modules") {
            trace(&path, depth + 1, hasher)?;
        } else if is_ours && let Ok(found) = fs::metadata(&path) {
            (path, found.len(), found.modified().ok()).hash(hasher);
        }
    }
    Ok(())
}
