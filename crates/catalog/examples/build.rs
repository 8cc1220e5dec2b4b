//! Builds one catalog from the `.sql` files named on the command line, in that order, each a session of its own, and says
//! which statements were refused and how; then how many of each outcome there were.

#![expect(clippy::print_stdout, reason = "a command's answer")]

use std::collections::BTreeMap;

use catalog::build::Untyped;
use catalog::{Builder, Outcome, builtin};

fn main() -> std::io::Result<()> {
    let mut catalog = builtin();
    let mut counts = BTreeMap::new();
    for path in std::env::args().skip(1) {
        let text = String::from_utf8_lossy(&std::fs::read(&path)?).into_owned();
        let (statements, diagnostics) = sql::parse(&text);
        for diagnostic in &diagnostics {
            refused(&path, &text, diagnostic.span.start, &diagnostic.message);
        }
        let mut builder = Builder::new(catalog, &Untyped);
        for statement in &statements {
            let outcome = builder.apply(statement);
            if let Err(diagnostic) = &outcome {
                let error = &diagnostic.error;
                let message = format!("{} {}", error.code().name(), error.message());
                refused(&path, &text, diagnostic.span.start, &message);
            }
            *counts.entry(word(&outcome)).or_insert(0_usize) += 1;
        }
        catalog = builder.finish();
    }
    println!("{} tables, {} functions", catalog.tables.len(), catalog.functions.len());
    for (outcome, count) in counts {
        println!("{count:7} {outcome}");
    }
    Ok(())
}

fn refused(path: &str, text: &str, start: u32, message: &str) {
    let (line, column) = sql::line_column(text, start);
    let source = text.lines().nth(line - 1).unwrap_or_default();
    println!("{path}:{line}:{column}: {message}\n    {}", source.trim());
}

fn word(outcome: &Result<Outcome, catalog::Diagnostic>) -> String {
    match outcome {
        Ok(Outcome::Applied) => "applied".to_owned(),
        Ok(Outcome::Skipped(_)) => "skipped".to_owned(),
        Ok(Outcome::Data) => "about rows".to_owned(),
        Ok(Outcome::NotRunning(_)) => "kept, not running".to_owned(),
        Ok(Outcome::NoEffect) => "without effect".to_owned(),
        Err(diagnostic) => format!("refused: {:?}", diagnostic.complaint),
    }
}
