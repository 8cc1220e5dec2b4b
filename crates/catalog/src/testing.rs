//! Catalogs from text, for tests.

use types::Error;

use crate::build::{Builder, Outcome, Untyped, builtin};
use crate::{Catalog, Table};

/// A catalog in which every statement of `text` applies.
pub(crate) fn catalog(text: &str) -> Catalog {
    extended(builtin(), text)
}

/// A catalog built on another one.
pub(crate) fn extended(base: Catalog, text: &str) -> Catalog {
    let mut builder = Builder::new(base, &Untyped);
    for (source, outcome) in outcomes(&mut builder, text) {
        if let Err(error) = outcome {
            panic!("{error} in {source}");
        }
    }
    builder.finish()
}

/// What became of each statement, with its text.
pub(crate) fn outcomes(builder: &mut Builder<'_>, text: &str) -> Vec<(String, Result<Outcome, Error>)> {
    let (statements, complaints) = sql::parse(text);
    assert!(complaints.is_empty(), "{complaints:?} in {text}");
    let run = statements.iter().map(|statement| {
        let source = text[statement.span.start as usize..statement.span.end as usize].to_owned();
        (source, builder.apply(statement).map_err(|diagnostic| diagnostic.error))
    });
    run.collect()
}

/// The error of the last statement; the ones before apply.
pub(crate) fn refusal(text: &str) -> Error {
    let mut builder = Builder::new(builtin(), &Untyped);
    let mut all = outcomes(&mut builder, text);
    let (source, last) = all.pop().expect("a statement");
    for (source, outcome) in all {
        outcome.unwrap_or_else(|error| panic!("{error} in {source}"));
    }
    match last {
        Err(error) => error,
        Ok(outcome) => panic!("{outcome:?} for {source}"),
    }
}

/// A table of schema `public`.
pub(crate) fn table<'a>(catalog: &'a Catalog, name: &str) -> &'a Table {
    catalog.table(&types::Name::new("public", name)).unwrap_or_else(|| panic!("no table {name}")).1
}
