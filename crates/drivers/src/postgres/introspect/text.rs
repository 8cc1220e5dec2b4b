//! Texts that PostgreSQL prints, read by our parser. What it cannot read is noted: the database runs it all the same.

use std::sync::Arc;

use catalog::Catalog;
use sql::ast::{Expr, ExprKind, Literal, Query, StatementKind};
use types::Span;

/// An expression; what stands in for one that cannot be read is `stand_in`.
pub(super) fn expr(
    catalog: &mut Catalog,
    text: &str,
    stand_in: Literal,
    what: impl FnOnce() -> String,
) -> Arc<Expr> {
    Arc::new(
        maybe_expr(catalog, text, what)
            .unwrap_or_else(|| Expr { kind: Box::new(ExprKind::Literal(stand_in)), span: Span::default() }),
    )
}

/// An expression, if it can be read.
pub(super) fn maybe_expr(catalog: &mut Catalog, text: &str, what: impl FnOnce() -> String) -> Option<Expr> {
    match sql::parse_expr(text) {
        Ok(expr) => Some(expr),
        Err(said) => note(catalog, &what(), &said),
    }
}

/// The query of a view, if it can be read.
pub(super) fn query(catalog: &mut Catalog, text: &str, what: impl FnOnce() -> String) -> Option<Query> {
    match sql::parse_query(text.trim_end().trim_end_matches(';')) {
        Ok(query) => Some(query),
        Err(said) => note(catalog, &what(), &said),
    }
}

/// One statement, if it can be read.
pub(super) fn statement(
    catalog: &mut Catalog,
    text: &str,
    what: impl FnOnce() -> String,
) -> Option<StatementKind> {
    let (mut statements, complaints) = sql::parse(text);
    match (statements.pop(), complaints.first()) {
        (Some(statement), None) => Some(statement.kind),
        (_, Some(said)) => note(catalog, &what(), said),
        (None, None) => None,
    }
}

fn note<T>(catalog: &mut Catalog, what: &str, said: &sql::Diagnostic) -> Option<T> {
    catalog.not_running.push(format!("{what} is known to the database alone ({})", said.message));
    None
}
