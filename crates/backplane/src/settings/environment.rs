//! The environment: values of `env(NAME)`, and `BACKPLANE_…` over what `config.toml` says.

use std::collections::BTreeMap;

use types::Span;

use super::value::Raw;
use super::{Loaded, table};
use crate::complaint::{Complaint, SourceFile};

/// The prefix of our names.
const PREFIX: &str = "BACKPLANE_";

/// Names and values, as they were when the program started.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// That of this process. Values that are no text are left out.
    pub fn of_process() -> Environment {
        let pairs = std::env::vars_os();
        Environment(
            pairs
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
        )
    }

    /// These.
    pub fn of<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Environment {
        Environment(pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// A value; an empty one counts as none.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Sets every setting that has a value here.
    pub(super) fn apply(&self, file: &SourceFile, loaded: &mut Loaded) {
        let mut known = Vec::new();
        for path in table::paths() {
            let name = name_of(&path);
            if let Some(value) = self.get(&name)
                && let Some(Err(message)) = loaded.settings.set(&path, &Raw::Text(value.to_owned()))
            {
                let message = format!("environment variable {name}: {message}");
                loaded.complaints.push(Complaint::error(file, Span::default(), message));
            }
            known.push(name);
        }
        let ours = self.0.keys().filter(|name| name.starts_with(PREFIX));
        loaded.strangers = ours.filter(|name| !known.contains(name)).cloned().collect();
        loaded.settings.settle();
    }
}

/// The name that overrides a setting: `BACKPLANE_SERVER_LISTEN` for `server.listen`.
pub(super) fn name_of(path: &str) -> String {
    format!("{PREFIX}{}", path.replace('.', "_").to_uppercase())
}
