//! A project: a folder of SQL with its settings, found and folded into a catalog.
//!
//! Nothing is executed here and no database is opened. Everything that is wrong is collected, so that it can be said at once.

mod files;
mod fold;
mod glob;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use catalog::Catalog;
use engine::migrate::Sources;
use query::Model;
use types::{Code, Error, Result};

use crate::complaint::{Complaint, Severity};
use crate::settings::{self, Environment, Exposure, Loaded, Settings};
pub use files::{Fingerprint, Origin, fingerprint};

/// Which complaints keep a project from being served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// Every complaint.
    Strict,
    /// What exists already or does not exist is passed over: a quarter of real folders do not apply to an empty
    /// PostgreSQL.
    Lenient,
}

/// A project as its folder says it.
#[derive(Debug)]
pub struct Project {
    /// The folder that was named.
    pub root: PathBuf,
    /// The folder that the SQL and `config.toml` are in: the same, or `supabase` below it.
    pub base: PathBuf,
    /// What its settings say.
    pub settings: Settings,
    /// Settings that are accepted without effect: path and line.
    pub without_effect: Vec<(String, usize)>,
    /// Names of the environment that look like settings and are none.
    pub strangers: Vec<String>,
    /// Where its schema comes from.
    pub origin: Origin,
    /// What is declared.
    pub catalog: Arc<Catalog>,
    /// How many statements its files hold.
    pub statements: usize,
    /// Which complaints keep it from being served.
    pub strictness: Strictness,
    /// Everything that its database is made from.
    pub sources: Sources,
    /// Everything that is wrong or worth knowing.
    pub complaints: Vec<Complaint>,
    /// Files that were found and not read, with the reason.
    pub unread: Vec<String>,
    /// Places in blocks that could not run if the blocks came there.
    pub doubts: Vec<String>,
}

impl Project {
    /// Reads a project.
    ///
    /// # Errors
    /// `58030` for a folder that is not there or has no schema, and for files that cannot be read.
    pub fn read(root: &Path, environment: &Environment, strictness: Strictness) -> Result<Project> {
        let base = files::base(root)?;
        let Loaded { settings, without_effect, complaints, unknown, strangers } =
            settings::read(&base, environment)?;
        let found = files::find(&base, &settings)?;
        let mut complaints = complaints;
        match strictness {
            Strictness::Lenient => complaints.extend(unknown.into_iter().map(Complaint::softened)),
            Strictness::Strict => complaints.extend(unknown),
        }
        complaints.extend(found.complaints);
        complaints.extend(files::missing_folder(&base, &settings));
        complaints.extend(files::missing_keys(&base, &settings, strictness));
        // PostgreSQL has extensions of its own for what is made when it is named.
        let files = found.schema.iter().chain(&found.seed);
        let texts = files.filter(|_| !settings.is_postgres()).map(|file| &*file.text);
        let foundation = fold::foundation(exposure(settings.api_exposure), texts);
        let folded = fold::schema(&foundation, &found.schema, found.origin, strictness)?;
        let seeded = fold::seed(&found.seed, &folded.catalog, strictness);
        let statements = folded.statements + seeded.statements;
        let of_sql = folded.complaints.into_iter().chain(seeded.complaints);
        match settings.is_postgres() {
            // The database reads its own SQL, and its word counts.
            true => complaints.extend(of_sql.map(Complaint::softened)),
            false => complaints.extend(of_sql),
        }
        Ok(Project {
            root: root.to_owned(),
            base,
            settings,
            without_effect,
            strangers,
            origin: found.origin,
            catalog: seeded.catalog,
            statements,
            strictness,
            sources: Sources {
                base: foundation.base,
                system: foundation.system,
                layout: fold::layout(found.origin),
                schema: fold::files(&found.schema),
                seeds: fold::files(&found.seed),
            },
            complaints,
            doubts: folded.doubts.into_iter().chain(seeded.doubts).collect(),
            unread: found.unread,
        })
    }

    /// The complaints that keep it from being served.
    pub fn errors(&self) -> impl Iterator<Item = &Complaint> {
        self.complaints.iter().filter(|complaint| complaint.severity == Severity::Error)
    }

    /// Refuses a project that is wrong.
    ///
    /// # Errors
    /// `42601` with the number of complaints. The complaints themselves are for [`Complaint`]'s reader.
    pub fn check(&self) -> Result<()> {
        match self.errors().count() {
            0 => Ok(()),
            1 => Err(broken("1 error")),
            many => Err(broken(&format!("{many} errors"))),
        }
    }

    /// The catalog with its expressions resolved.
    pub fn model(&self) -> Model {
        Model::new(self.catalog.clone())
    }

    /// The folder that the SQL and the settings of a project are in.
    ///
    /// # Errors
    /// `58030` for a folder that is not there.
    pub fn base(root: &Path) -> Result<PathBuf> {
        files::base(root)
    }

    /// The folder that a project's data is in unless another is named.
    pub fn data_dir(root: &Path) -> PathBuf {
        root.join(".backplane")
    }
}

fn broken(count: &str) -> Error {
    Error::new(Code::SYNTAX, format!("the project has {count}"))
        .with_hint("`backplane check` shows them without starting anything.")
}

fn exposure(setting: Exposure) -> catalog::Exposure {
    match setting {
        Exposure::Guarded => catalog::Exposure::Guarded,
        Exposure::Legacy => catalog::Exposure::Legacy,
    }
}

#[cfg(test)]
mod tests;
