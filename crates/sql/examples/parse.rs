//! Reads the `.sql` files named on the command line and says, per file, what could not be read; then which statements there were.

#![expect(clippy::print_stdout, reason = "a command's answer")]

use std::collections::BTreeMap;

fn main() -> std::io::Result<()> {
    let (mut kinds, mut complaints, mut statements_read) = (BTreeMap::new(), 0_usize, 0_usize);
    for path in std::env::args().skip(1) {
        let text = String::from_utf8_lossy(&std::fs::read(&path)?).into_owned();
        let (statements, diagnostics) = sql::parse(&text);
        for diagnostic in &diagnostics {
            let (line, column) = sql::line_column(&text, diagnostic.span.start);
            let source = text.lines().nth(line - 1).unwrap_or_default();
            println!("{path}:{line}:{column}: {}\n    {}", diagnostic.message, source.trim());
        }
        complaints += diagnostics.len();
        statements_read += statements.len();
        for statement in &statements {
            *kinds.entry(kind(&statement.kind)).or_insert(0_usize) += 1;
        }
    }
    println!("{statements_read} statements, {complaints} complaints");
    for (kind, count) in kinds {
        println!("{count:7} {kind}");
    }
    Ok(())
}

/// The variant's name; the words of a statement that is kept by them.
fn kind(kind: &sql::ast::StatementKind) -> String {
    let shown = format!("{kind:?}");
    if matches!(kind, sql::ast::StatementKind::Other(_)) {
        return shown;
    }
    shown.split([' ', '(', '{']).next().unwrap_or_default().to_owned()
}
