//! What of the declared functions could not run: told before anybody calls them.

use query::Model;
use types::Error;

/// Functions whose bodies are not understood: each with what hinders.
pub fn refused(model: &Model) -> Vec<(String, Error)> {
    let functions = model.catalog.functions.iter();
    let interpreted = functions.filter(|function| function.language == catalog::Language::PlPgSql);
    let path: std::sync::Arc<[std::sync::Arc<str>]> = std::sync::Arc::new([]);
    let refused = interpreted.filter_map(|function| {
        let program = crate::plans::Program::of(function, path.clone());
        let error = program.body().err()?;
        Some((format!("function {}", function.signature()), error))
    });
    refused.collect()
}
