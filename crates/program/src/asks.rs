//! Which expressions ask for rows: PostgreSQL runs those as queries, which counts their rows, and computes all others.

use sql::ast::{Expr, ExprKind};

/// Whether a subquery stands in an expression.
pub(crate) fn asks(expr: &Expr) -> bool {
    match &*expr.kind {
        ExprKind::InSubquery { .. }
        | ExprKind::QuantifiedSubquery { .. }
        | ExprKind::ArraySubquery(_)
        | ExprKind::Exists(_)
        | ExprKind::Subquery(_) => true,
        ExprKind::Literal(_)
        | ExprKind::Column(_)
        | ExprKind::Star(_)
        | ExprKind::Param(_)
        | ExprKind::Default => false,
        ExprKind::Unary { expr, .. }
        | ExprKind::Not(expr)
        | ExprKind::IsNull { expr, .. }
        | ExprKind::IsBool { expr, .. }
        | ExprKind::Collate { expr, .. }
        | ExprKind::Field { expr, .. }
        | ExprKind::Cast { expr, .. } => asks(expr),
        ExprKind::Binary { left, right, .. } | ExprKind::IsDistinct { left, right, .. } => {
            asks(left) || asks(right)
        }
        ExprKind::And(list) | ExprKind::Or(list) | ExprKind::Array(list) | ExprKind::Row(list) => {
            list.iter().any(asks)
        }
        ExprKind::Between { expr, low, high, .. } => [expr, low, high].into_iter().any(asks),
        ExprKind::InList { expr, list, .. } => asks(expr) || list.iter().any(asks),
        ExprKind::Quantified { expr, array, .. } => asks(expr) || asks(array),
        ExprKind::Like { expr, pattern, escape, .. } => [expr, pattern].into_iter().chain(escape).any(asks),
        ExprKind::Case { operand, branches, otherwise } => {
            operand.iter().chain(otherwise).any(asks)
                || branches.iter().any(|(when, then)| asks(when) || asks(then))
        }
        ExprKind::Call(call) => call.args.iter().any(|argument| asks(&argument.value)),
        ExprKind::Index { expr, index } => asks(expr) || asks(index),
        ExprKind::Slice { expr, low, high, .. } => asks(expr) || low.iter().chain(high).any(asks),
    }
}

#[cfg(test)]
mod tests {
    use sql::body::StepKind;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: bool) {
        let body = sql::parse_body(&format!("begin v := {text}; end")).unwrap();
        let StepKind::Assign { value, .. } = &body.block.steps[0].kind else { panic!("{body:?}") };
        assert_eq!(asks(value), expected, "{text}");
    }

    #[test]
    fn subqueries_ask_wherever_they_stand() {
        check("(select 1)", true);
        check("coalesce(a, (select max(b) from t)) + 1", true);
        check("case when exists (select from t) then 1 end", true);
        check("a in (1, 2) and b[c] between 1 and f(2)", false);
        check("array(select 1)", true);
        check("f('x') is null", false);
    }
}
