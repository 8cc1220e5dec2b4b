//! Which tables a declared function may look at, told from the words of its body.
//!
//! It says more than there is and never less: who runs a statement then knows where a function could see half of it.

use std::collections::BTreeSet;

use catalog::{Catalog, TableId};

use crate::ir::{Expr, FunctionCall, FunctionId, Source};
use crate::visit;

/// Whether a call of a function may look at a table.
pub fn may_read(catalog: &Catalog, function: FunctionId, table: TableId) -> bool {
    tables_read(catalog, function).is_none_or(|tables| tables.contains(&table))
}

/// The tables that a call of a function may look at: those that stand in its body or in that of a function that stands there. Nothing
/// where it may be any: a view stands there, or text that is made when it runs.
fn tables_read(catalog: &Catalog, function: FunctionId) -> Option<BTreeSet<TableId>> {
    let (mut found, mut seen) = (BTreeSet::new(), BTreeSet::new());
    let mut open = vec![function];
    while let Some(at) = open.pop() {
        if !seen.insert(at) {
            continue;
        }
        let body = catalog.functions.get(at.0)?.body.to_lowercase();
        let words: BTreeSet<&str> = body.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        let says = |name: &str| {
            let name = name.to_lowercase();
            match name.chars().all(|c| c.is_alphanumeric() || c == '_') {
                true => words.contains(name.as_str()),
                false => body.contains(&name),
            }
        };
        let named: BTreeSet<TableId> = catalog.ids().filter(|id| says(&catalog[*id].name.name)).collect();
        if words.contains("execute") || named.iter().any(|id| catalog[*id].is_view()) {
            return None;
        }
        // Rows of partitions are kept in their tables.
        found.extend(named.into_iter().map(|table| catalog.kept_in(table)));
        let called = catalog.functions.iter().enumerate().filter(|(_, other)| says(&other.name.name));
        open.extend(called.map(|(at, _)| FunctionId(at)));
    }
    Some(found)
}

/// Whether an expression looks at a table: in a subquery, or by a function that is called.
pub fn reads(catalog: &Catalog, expr: &Expr, table: TableId) -> bool {
    calls(catalog, expr, table, |_| true) || subquery_reads(expr, table)
}

/// Whether an expression has a subquery over a table.
pub fn subquery_reads(expr: &Expr, table: TableId) -> bool {
    let mut found = false;
    visit::each_subquery(expr, &mut |read| {
        visit::deep_sources(read, &mut |source| {
            found |= matches!(source, Source::Table { table: read, .. } if *read == table);
        });
    });
    found
}

/// Whether an expression calls a function of a kind that may look at a table.
pub fn calls(
    catalog: &Catalog,
    expr: &Expr,
    table: TableId,
    is_meant: impl Fn(&FunctionCall) -> bool,
) -> bool {
    let mut found = false;
    visit::deep(expr, &mut |inner| {
        if let Expr::Call(call) = inner {
            found |= is_meant(call) && may_read(catalog, call.function, table);
        }
    });
    found
}
