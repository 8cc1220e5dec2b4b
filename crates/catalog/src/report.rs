//! What is declared and does not run: for `backplane check`.

use crate::{Catalog, Function, Language};

impl Catalog {
    /// A sentence for each thing that is declared and does not run in this version.
    pub fn report(&self) -> Vec<String> {
        let noted = self.not_running.iter().map(|what| format!("{what}."));
        let functions = self.functions.iter().filter(|function| is_program(function));
        let functions = functions.map(|function| {
            format!(
                "function {} does not run: it is written in {}.",
                function.signature(),
                language(function)
            )
        });
        let triggers =
            self.tables.iter().flat_map(|table| table.triggers.iter().map(move |trigger| (table, trigger)));
        let triggers = triggers
            .map(|(table, trigger)| format!("trigger {} on {} does not run.", trigger.name, table.name));
        noted.chain(functions).chain(triggers).collect()
    }
}

/// Whether a function's body is more than one query.
fn is_program(function: &Function) -> bool {
    function.language != Language::Sql
}

fn language(function: &Function) -> &str {
    match &function.language {
        Language::Sql => "SQL",
        Language::PlPgSql => "PL/pgSQL",
        Language::Other(name) => name,
    }
}
