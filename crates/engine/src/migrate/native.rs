//! The schema road of a database that runs PostgreSQL's SQL itself: files are applied as they are written.
//!
//! Pure: what the database says of itself and what a project says become steps, each with its place in the ledger. A driver
//! runs them. Migrations go one by one, each in a transaction with its entry, so that a start after a kill goes on with the
//! first that is not there. A declared schema is applied once; of a later state of it only what is new.

mod additions;
mod script;

use std::fmt;
use std::sync::Arc;

use render::schema::LedgerEntry;
use types::{Code, Error, Result};

use super::ledger::{MIGRATION, SCHEMA, SEED, SYSTEM, entry, hash};
use super::{File, Layout, Sources};

pub use script::{Part, Statement};

/// The layer of what every project starts with.
const FOUNDATION: &str = "foundation";

/// Whose the schema of a database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// Ours: the project's files are applied.
    Project,
    /// Somebody else's: it is used as it is.
    Database,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keeping {
    /// As the database shows: ours if it has our ledger or nothing at all.
    #[default]
    Auto,
    /// Ours, whatever there is.
    Project,
    /// Somebody else's, whatever there is.
    Database,
}

/// A migration in the ledger that the Supabase tools keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// The number in front of its name.
    pub version: String,
    /// The rest of its name.
    pub name: Option<String>,
    /// What was run.
    pub statements: Option<Vec<String>>,
}

/// What a database says of itself.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Our ledger, if there is one.
    pub ledger: Option<Vec<LedgerEntry>>,
    /// The Supabase tools' ledger, in order.
    pub migrated: Vec<Migrated>,
    /// Paths of seeds that ran.
    pub seeds: Vec<String>,
    /// How many parts of a step are done that was not done whole, by the step's file.
    pub progress: Vec<(String, usize)>,
    /// Tables, views and functions outside of PostgreSQL's own schemas and of extensions.
    pub objects: u64,
    /// Whether there is an `auth.users`.
    pub has_users: bool,
    /// The extensions that could be made; `None` when nobody asked.
    pub extensions: Option<Vec<String>>,
}

/// One file or set of files, applied and noted.
#[derive(Clone, Debug)]
pub struct Step {
    /// What it does, in a line.
    pub sentence: String,
    /// What it is known by while it is not done.
    pub key: String,
    /// Statements; each part is one transaction, or one statement that PostgreSQL wants outside of any.
    pub parts: Vec<Part>,
    /// Whether statements that need what comes later wait for it.
    pub in_any_order: bool,
    /// What the ledgers note, in the transaction of the last part.
    pub notes: Vec<Note>,
}

/// An entry of a ledger.
#[derive(Clone, Debug, PartialEq)]
pub enum Note {
    /// Ours.
    Entry(LedgerEntry),
    /// A layer of ours is forgotten, before its entries are noted.
    Forget(&'static str),
    /// The Supabase tools', for a migration.
    Migrated(Migrated),
    /// The Supabase tools', for a seed: path and hash.
    Seed(String, String),
}

/// What applying would do.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// What is worth knowing: a sentence each.
    pub notes: Vec<String>,
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps.iter().try_for_each(|step| writeln!(f, "{}", step.sentence))
    }
}

/// What every project starts with, in the driver's words.
#[derive(Clone, Copy, Debug)]
pub struct Foundation<'a> {
    /// Makes what is missing and changes nothing else: run whenever its text is another.
    pub objects: &'a str,
    /// What roles that were there before are brought to: run once.
    pub roles: &'a str,
    /// Privileges that a project may take back: run once.
    pub privileges: &'a str,
}

/// Whose the schema is, and why.
pub fn keeper(asked: Keeping, found: &Found) -> (Keeper, String) {
    match (asked, &found.ledger, found.objects) {
        (Keeping::Project, ..) => (Keeper::Project, "the settings say so".to_owned()),
        (Keeping::Database, ..) => (Keeper::Database, "the settings say so".to_owned()),
        (Keeping::Auto, Some(_), _) => (Keeper::Project, "its ledger is there".to_owned()),
        (Keeping::Auto, None, 0) => (Keeper::Project, "the database is empty".to_owned()),
        (Keeping::Auto, None, 1) => {
            (Keeper::Database, "it holds an object that Backplane did not make".to_owned())
        }
        (Keeping::Auto, None, count) => {
            (Keeper::Database, format!("it holds {count} objects that Backplane did not make"))
        }
    }
}

/// Compares sources with what a database of ours says of itself.
///
/// # Errors
/// `55000` when the files contradict the ledger, or a declared schema changed otherwise than by growing.
pub fn plan(sources: &Sources, found: &Found, foundation: Foundation<'_>) -> Result<Plan> {
    let stored = found.ledger.as_deref().unwrap_or_default();
    let mut plan = Plan::default();
    plan.foundation(foundation, stored);
    plan.system(sources, found, stored)?;
    match sources.layout {
        Layout::Declared => plan.declared(sources, found, stored)?,
        Layout::Migrations => plan.migrations(sources, found)?,
    }
    plan.seeds(sources, found);
    plan.pass_over_extensions(found);
    let parts = plan.steps.iter().flat_map(|step| &step.parts);
    parts.flat_map(|part| &part.statements).try_for_each(script::check)?;
    Ok(plan)
}

impl Plan {
    fn foundation(&mut self, foundation: Foundation<'_>, stored: &[LedgerEntry]) {
        let file = |name: &str, text: &str| File { name: name.into(), text: text.into() };
        let objects = file("objects", foundation.objects);
        if known(stored, FOUNDATION, &objects.name).is_none_or(|entry| entry.hash != hash(&objects.text)) {
            self.whole(
                "Make roles, schemas and functions that every project starts with.",
                FOUNDATION,
                &objects,
            );
        }
        let once = [
            (
                "Let the API's roles have the rights of the roles that they are members of.",
                "roles",
                foundation.roles,
            ),
            ("Grant what every project starts with.", "privileges", foundation.privileges),
        ];
        for (sentence, name, text) in once {
            if known(stored, FOUNDATION, name).is_none() {
                self.whole(sentence, FOUNDATION, &file(name, text));
            }
        }
    }

    /// A file whole, noted in our ledger.
    fn whole(&mut self, sentence: &str, layer: &str, file: &File) {
        self.steps.push(Step {
            sentence: sentence.to_owned(),
            key: format!("{layer}/{}", file.name),
            parts: script::parts(file),
            in_any_order: false,
            notes: vec![Note::Entry(entry(layer, file))],
        });
    }

    /// The schemas of our services. One that somebody else made is left to them.
    fn system(&mut self, sources: &Sources, found: &Found, stored: &[LedgerEntry]) -> Result<()> {
        for file in &sources.system {
            match known(stored, SYSTEM, &file.name) {
                Some(entry) if entry.hash == hash(&file.text) => {}
                Some(before) => {
                    let before = File { name: before.name.clone(), text: before.text.as_str().into() };
                    let sentence = format!("Extend the schema of {}.", file.name);
                    self.grow(&sentence, SYSTEM, (&[before], std::slice::from_ref(file)))?;
                }
                None if found.has_users && found.ledger.is_none() => self.steps.push(Step {
                    sentence: format!("Leave the schema of {} as it is: somebody made it.", file.name),
                    key: format!("{SYSTEM}/{}", file.name),
                    parts: Vec::new(),
                    in_any_order: false,
                    notes: vec![Note::Entry(entry(SYSTEM, file))],
                }),
                None => self.whole(&format!("Make the schema of {}.", file.name), SYSTEM, file),
            }
        }
        Ok(())
    }

    fn declared(&mut self, sources: &Sources, found: &Found, stored: &[LedgerEntry]) -> Result<()> {
        let before = entries(stored, SCHEMA);
        if before == sources.schema {
            return Ok(());
        }
        if let Some(last) = found.migrated.last().filter(|_| before.is_empty()) {
            let message = format!(
                "the database was made by migrations up to {}, and the project declares its schema",
                last.version
            );
            return Err(Error::new(Code::OBJECT_STATE, message).with_hint(
                "Put what is new into migrations/NUMBER_name.sql, or start with a new database.",
            ));
        }
        if !before.is_empty() {
            let sentence = "Add what the declared schema says beyond the applied one.";
            return self.grow(sentence, SCHEMA, (&before, &sources.schema));
        }
        let statements: Vec<Statement> = sources.schema.iter().flat_map(script::statements).collect();
        self.steps.push(Step {
            sentence: format!("Apply the declared schema: {}.", counted(statements.len())),
            key: SCHEMA.to_owned(),
            parts: vec![Part { alone: false, statements }],
            in_any_order: true,
            notes: sources.schema.iter().map(|file| Note::Entry(entry(SCHEMA, file))).collect(),
        });
        Ok(())
    }

    /// What later texts say beyond earlier ones.
    fn grow(
        &mut self,
        sentence: &str,
        layer: &'static str,
        (before, after): (&[File], &[File]),
    ) -> Result<()> {
        let statements = additions::additions(before, after)?;
        let mut notes = vec![Note::Forget(layer)];
        notes.extend(after.iter().map(|file| Note::Entry(entry(layer, file))));
        self.steps.push(Step {
            sentence: format!("{} {}.", sentence.trim_end_matches('.'), counted_in(statements.len())),
            key: layer.to_owned(),
            parts: vec![Part { alone: false, statements }],
            in_any_order: true,
            notes,
        });
        Ok(())
    }

    /// The migrations that were not applied, after those that were.
    fn migrations(&mut self, sources: &Sources, found: &Found) -> Result<()> {
        let files = numbered(&sources.schema);
        let is_applied = |of: &Migrated| found.migrated.iter().any(|known| known.version == of.version);
        if let Some(gone) =
            found.migrated.iter().find(|known| files.iter().all(|(of, _)| of.version != known.version))
        {
            let message =
                format!("migration {} is applied, and the project has none of this number", gone.version);
            return Err(out_of_order(message));
        }
        let first = files.iter().position(|(of, _)| !is_applied(of)).unwrap_or(files.len());
        let (applied, pending) = files.split_at(first);
        if let (Some((known, _)), Some((_, file))) =
            (pending.iter().find(|(of, _)| is_applied(of)), pending.first())
        {
            let message =
                format!("migration {} comes before {}, which is applied already", file.name, known.version);
            return Err(out_of_order(message));
        }
        for (of, file) in applied {
            let known = found.migrated.iter().find(|known| known.version == of.version);
            let before = known.and_then(|known| known.statements.as_ref());
            if before.is_some_and(|before| !is_same(before, of.statements.as_deref().unwrap_or_default())) {
                self.notes.push(format!(
                    "migration {} was edited after it was applied: the edit has no effect.",
                    file.name
                ));
            }
        }
        for (of, file) in pending {
            let statements = of.statements.as_ref().map_or(0, Vec::len);
            self.steps.push(Step {
                sentence: format!("Apply {}: {}.", file.name, counted(statements)),
                key: format!("{MIGRATION}/{}", file.name),
                parts: script::parts(file),
                in_any_order: false,
                notes: vec![Note::Migrated(of.clone())],
            });
        }
        Ok(())
    }

    /// Leaves out what makes extensions that the server does not have: projects name those of where they were made, used or not.
    /// What needs one is refused where it does.
    fn pass_over_extensions(&mut self, found: &Found) {
        let Some(known) = &found.extensions else { return };
        let notes = &mut self.notes;
        for part in self.steps.iter_mut().flat_map(|step| &mut step.parts) {
            part.statements.retain(|statement| {
                let absent = script::extension(statement).filter(|name| !known.contains(name));
                notes.extend(absent.iter().map(|name| {
                    format!(
                        "extension {name} is not on this server: {}:{} is passed over.",
                        statement.file, statement.line
                    )
                }));
                absent.is_none()
            });
        }
    }

    fn seeds(&mut self, sources: &Sources, found: &Found) {
        for file in sources.seeds.iter().filter(|file| !found.seeds.contains(&file.name)) {
            self.steps.push(Step {
                sentence: format!("Run {} once.", file.name),
                key: format!("{SEED}/{}", file.name),
                parts: script::parts(file),
                in_any_order: false,
                notes: vec![Note::Seed(file.name.clone(), hash(&file.text))],
            });
        }
    }
}

fn known<'l>(stored: &'l [LedgerEntry], layer: &str, name: &str) -> Option<&'l LedgerEntry> {
    stored.iter().find(|entry| entry.layer == layer && entry.name == name)
}

fn entries(stored: &[LedgerEntry], layer: &str) -> Vec<File> {
    let entries = stored.iter().filter(|entry| entry.layer == layer);
    entries.map(|entry| File { name: entry.name.clone(), text: entry.text.as_str().into() }).collect()
}

/// The migrations with what they are noted by: of several with one number, the later ones have their whole name.
fn numbered(files: &[File]) -> Vec<(Migrated, &File)> {
    let mut numbered: Vec<(Migrated, &File)> = Vec::with_capacity(files.len());
    for file in files {
        let mut of = migrated(file);
        if numbered.iter().any(|(known, _)| known.version == of.version) {
            of.version = stem(file).to_owned();
        }
        numbered.push((of, file));
    }
    numbered
}

fn stem(file: &File) -> &str {
    file.name.rsplit('/').next().unwrap_or(&file.name).trim_end_matches(".sql")
}

/// A migration as the Supabase tools note it: `…/20260102030405_name.sql`.
fn migrated(file: &File) -> Migrated {
    let stem = stem(file);
    let end = stem.find(|c: char| !c.is_ascii_digit()).unwrap_or(stem.len());
    let (version, rest) = if end == 0 { (stem, "") } else { stem.split_at(end) };
    let name = rest.trim_start_matches(['_', '-']);
    let statements =
        script::statements(file).into_iter().map(|statement| statement.text.to_string()).collect();
    Migrated {
        version: version.to_owned(),
        name: (!name.is_empty()).then(|| name.to_owned()),
        statements: Some(statements),
    }
}

/// Whether two tools cut one file into statements, whatever they did with comments and semicolons.
fn is_same(before: &[String], after: &[String]) -> bool {
    let words = |statements: &[String]| -> Vec<Arc<str>> {
        let texts = statements.iter().flat_map(|text| {
            let spans = sql::statements(text);
            spans
                .into_iter()
                .filter_map(|span| text.get(span.start as usize..span.end as usize))
                .collect::<Vec<_>>()
        });
        texts.map(Arc::from).collect()
    };
    words(before) == words(after)
}

fn out_of_order(message: String) -> Error {
    Error::new(Code::OBJECT_STATE, message)
        .with_hint("Migrations are applied in order: a new one gets a greater number.")
}

fn counted(statements: usize) -> String {
    if statements == 1 { "1 statement".to_owned() } else { format!("{statements} statements") }
}

fn counted_in(statements: usize) -> String {
    format!("in {}", counted(statements))
}

#[cfg(test)]
mod tests;
