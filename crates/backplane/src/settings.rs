//! The settings of a project: `config.toml`, then the environment. The environment is read here and nowhere else.
//!
//! [`table`] has a row per setting that we act on, [`accepted`] the keys that projects have today and that change
//! nothing here. What is in neither is refused by name.

pub mod accepted;
mod document;
mod environment;
pub mod nearest;
pub mod reference;
pub mod table;
mod value;

use std::path::{Path, PathBuf};

use types::{Code, Error, Result};

use crate::complaint::{Complaint, SourceFile};
pub use environment::Environment;
pub use table::Settings;
pub use value::{Exposure, Keeping, LogFormat, MetricsAccess, OpenApi, Period, Requirements, Secret};

/// What was read.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The settings in force.
    pub settings: Settings,
    /// Settings that are accepted without effect: path and line.
    pub without_effect: Vec<(String, usize)>,
    /// Everything that is wrong.
    pub complaints: Vec<Complaint>,
    /// Settings that are not known: other versions of the tools have others.
    pub unknown: Vec<Complaint>,
    /// Names of the environment that look like settings and are none.
    pub strangers: Vec<String>,
}

/// Where the settings of a base folder are.
pub fn path(base: &Path) -> PathBuf {
    base.join("config.toml")
}

/// Reads the settings of a base folder. A file that is not there is an empty one.
///
/// # Errors
/// `58030` when the file cannot be read.
pub fn read(base: &Path, environment: &Environment) -> Result<Loaded> {
    let path = path(base);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => {
            let message = format!("could not read {}", path.display());
            return Err(Error::new(Code::IO_ERROR, message).with_hint(error.to_string()));
        }
    };
    Ok(read_text(&SourceFile { path: "config.toml".into(), text: text.into() }, environment))
}

/// Reads the settings of a text.
pub fn read_text(file: &SourceFile, environment: &Environment) -> Loaded {
    let mut loaded = Loaded::default();
    document::read(file, environment, &mut loaded);
    loaded.without_effect.sort_by_key(|(_, line)| *line);
    environment.apply(file, &mut loaded);
    loaded
}

/// A secret of this text.
#[cfg(test)]
pub(crate) fn secret(text: &str) -> Option<Secret> {
    <Option<Secret> as value::Kind>::read(&value::Raw::Text(text.into())).unwrap()
}

#[cfg(test)]
mod tests;
