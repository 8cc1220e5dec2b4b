//! The name that PostgreSQL gives to an unnamed expression (`FigureColname`): of result columns and of index keys.

use sql::ast::{Expr, ExprKind, QueryBody};

/// The name of an expression; `None` where PostgreSQL says `?column?` (`expr` for index keys).
pub fn column_name(expr: &Expr) -> Option<String> {
    strength(expr).map(|(name, _)| name)
}

/// The name, and whether it is better than a type's.
fn strength(expr: &Expr) -> Option<(String, bool)> {
    let strong = |name: &str| Some((name.to_owned(), true));
    match &*expr.kind {
        ExprKind::Column(parts) => strong(parts.last()?),
        ExprKind::Field { field, .. } if field != "*" => strong(field),
        ExprKind::Index { expr, .. } | ExprKind::Slice { expr, .. } | ExprKind::Collate { expr, .. } => {
            strength(expr)
        }
        ExprKind::Call(call) => strong(&call.name.name),
        ExprKind::Cast { expr, ty } => {
            strength(expr).filter(|(_, strong)| *strong).or_else(|| Some((ty.name.name.clone(), false)))
        }
        ExprKind::Case { otherwise, .. } => {
            let inner = otherwise.as_ref().and_then(strength);
            inner.filter(|(_, strong)| *strong).or_else(|| Some(("case".to_owned(), false)))
        }
        ExprKind::Array(_) => strong("array"),
        ExprKind::Row(_) => strong("row"),
        ExprKind::Exists(_) => strong("exists"),
        ExprKind::ArraySubquery(_) => strong("array"),
        ExprKind::Subquery(query) => match &query.body {
            QueryBody::Select(select) => {
                let target = select.targets.first()?;
                target.alias.clone().map(|alias| (alias, true)).or_else(|| strength(&target.expr))
            }
            QueryBody::SetOperation { .. } | QueryBody::Values(_) => None,
        },
        _ => None,
    }
}
