//! What is declared and does not run: for `backplane check`.

use crate::{Catalog, Function, Language};

impl Catalog {
    /// A sentence for each thing that is declared and does not run in this version.
    pub fn report(&self) -> Vec<String> {
        let noted = self.not_running.iter().map(|what| format!("{what}."));
        let functions = self.functions.iter().filter_map(|function| {
            let language = language(function)?;
            Some(format!("function {} does not run: it is written in {language}.", function.signature()))
        });
        noted.chain(functions).collect()
    }
}

/// The language of a function that nothing here runs.
fn language(function: &Function) -> Option<&str> {
    match &function.language {
        Language::Sql | Language::PlPgSql => None,
        Language::Other(name) => Some(name),
    }
}
