//! Expressions.

use super::query::query;
use super::{list, names, object_name, quote_ident, quote_literal, type_name};
use crate::ast::{Argument, Call, Expr, ExprKind, LikeKind, Literal, OrderItem, Window};
use crate::parse::BARE_CALLS;

/// An expression that is an operand: in parentheses unless it is one word.
pub(super) fn operand(inner: &Expr) -> String {
    match &*inner.kind {
        ExprKind::Literal(
            Literal::Integer(_) | Literal::Numeric(_) | Literal::String(_) | Literal::Null | Literal::Bool(_),
        )
        | ExprKind::Column(_)
        | ExprKind::Param(_)
        | ExprKind::Call(_)
        | ExprKind::Array(_)
        | ExprKind::ArraySubquery(_)
        | ExprKind::Subquery(_)
        | ExprKind::Row(_)
        | ExprKind::Exists(_) => expr(inner),
        _ => format!("({})", expr(inner)),
    }
}

fn not(negated: bool) -> &'static str {
    if negated { "not " } else { "" }
}

/// An expression.
pub fn expr(expr: &Expr) -> String {
    match &*expr.kind {
        ExprKind::Literal(value) => literal(value),
        ExprKind::Column(parts) => names(parts),
        ExprKind::Star(parts) if parts.is_empty() => "*".to_owned(),
        ExprKind::Star(parts) => format!("{}.*", names(parts)),
        ExprKind::Param(number) => format!("${number}"),
        ExprKind::Unary { op, expr } => format!("{op} {}", operand(expr)),
        ExprKind::Binary { left, op, right } => format!("{} {op} {}", operand(left), operand(right)),
        ExprKind::And(all) => all.iter().map(operand).collect::<Vec<_>>().join(" and "),
        ExprKind::Or(all) => all.iter().map(operand).collect::<Vec<_>>().join(" or "),
        ExprKind::Not(inner) => format!("not {}", operand(inner)),
        ExprKind::IsNull { expr, negated } => format!("{} is {}null", operand(expr), not(*negated)),
        ExprKind::IsBool { expr, value, negated } => {
            let word = match value {
                Some(true) => "true",
                Some(false) => "false",
                None => "unknown",
            };
            format!("{} is {}{word}", operand(expr), not(*negated))
        }
        ExprKind::IsDistinct { left, right, negated } => {
            format!("{} is {}distinct from {}", operand(left), not(*negated), operand(right))
        }
        ExprKind::Between { expr, low, high, symmetric, negated } => {
            let symmetric = if *symmetric { "symmetric " } else { "" };
            format!(
                "{} {}between {symmetric}{} and {}",
                operand(expr),
                not(*negated),
                operand(low),
                operand(high)
            )
        }
        ExprKind::InList { expr: left, list: items, negated } => {
            format!("{} {}in ({})", operand(left), not(*negated), list(items, self::expr))
        }
        ExprKind::InSubquery { expr, query: inner, negated } => {
            format!("{} {}in ({})", operand(expr), not(*negated), query(inner))
        }
        ExprKind::Quantified { expr: left, op, all, array } => {
            format!("{} {op} {} ({})", operand(left), if *all { "all" } else { "any" }, self::expr(array))
        }
        ExprKind::QuantifiedSubquery { expr, op, all, query: inner } => {
            format!("{} {op} {} ({})", operand(expr), if *all { "all" } else { "any" }, query(inner))
        }
        ExprKind::Like { expr, pattern, kind, escape, negated } => {
            like(expr, pattern, *kind, escape.as_ref(), *negated)
        }
        ExprKind::Case { operand: subject, branches, otherwise } => {
            case(subject.as_ref(), branches, otherwise.as_ref())
        }
        ExprKind::Cast { expr, ty } => format!("{}::{}", operand(expr), type_name(ty)),
        ExprKind::Call(inner) => call(inner),
        ExprKind::Array(items) => format!("array[{}]", list(items, self::expr)),
        ExprKind::ArraySubquery(inner) => format!("array({})", query(inner)),
        ExprKind::Row(items) => format!("row({})", list(items, self::expr)),
        ExprKind::Index { expr: array, index } => format!("{}[{}]", subscripted(array), self::expr(index)),
        ExprKind::Slice { expr: array, low, high, .. } => {
            let bound = |bound: &Option<Expr>| bound.as_ref().map(self::expr).unwrap_or_default();
            format!("{}[{}:{}]", subscripted(array), bound(low), bound(high))
        }
        ExprKind::Field { expr: row, field } if field == "*" => format!("({}).*", self::expr(row)),
        ExprKind::Field { expr: row, field } => format!("({}).{}", self::expr(row), quote_ident(field)),
        ExprKind::Exists(inner) => format!("exists ({})", query(inner)),
        ExprKind::Subquery(inner) => format!("({})", query(inner)),
        ExprKind::Collate { expr, collation } => {
            format!("{} collate {}", operand(expr), object_name(collation))
        }
        ExprKind::Default => "default".to_owned(),
    }
}

fn literal(literal: &Literal) -> String {
    match literal {
        Literal::Null => "null".to_owned(),
        Literal::Bool(value) => value.to_string(),
        Literal::Integer(text) | Literal::Numeric(text) => text.clone(),
        Literal::String(text) => quote_literal(text),
        Literal::Bits(text) => {
            let (letter, digits) = text.split_at(text.len().min(1));
            format!("{letter}'{digits}'")
        }
    }
}

/// What a subscript stands behind: parentheses say that it is one of a slice's result.
fn subscripted(array: &Expr) -> String {
    match &*array.kind {
        ExprKind::Slice { enclosed: false, .. } => expr(array),
        _ => format!("({})", expr(array)),
    }
}

fn like(left: &Expr, pattern: &Expr, kind: LikeKind, escape: Option<&Expr>, negated: bool) -> String {
    let word = match kind {
        LikeKind::Like => "like",
        LikeKind::Ilike => "ilike",
        LikeKind::Similar => "similar to",
    };
    let escape = escape.map(|escape| format!(" escape {}", operand(escape))).unwrap_or_default();
    format!("{} {}{word} {}{escape}", operand(left), not(negated), operand(pattern))
}

fn case(subject: Option<&Expr>, branches: &[(Expr, Expr)], otherwise: Option<&Expr>) -> String {
    let mut out = "case".to_owned();
    if let Some(subject) = subject {
        out += &format!(" {}", operand(subject));
    }
    for (condition, result) in branches {
        out += &format!(" when {} then {}", expr(condition), expr(result));
    }
    if let Some(otherwise) = otherwise {
        out += &format!(" else {}", expr(otherwise));
    }
    out + " end"
}

pub(super) fn call(call: &Call) -> String {
    let bare =
        call.name.schema.is_none() && call.args.is_empty() && BARE_CALLS.contains(&call.name.name.as_str());
    if bare {
        return call.name.name.clone();
    }
    // `position(b, a)` is no syntax: PostgreSQL's words for it are `strpos`.
    if let ("position" | "extract", None, [first, second]) =
        (call.name.name.as_str(), &call.name.schema, call.args.as_slice())
    {
        return match call.name.name.as_str() {
            "position" => format!("position({} in {})", operand(&second.value), operand(&first.value)),
            _ => format!("extract({} from {})", expr(&first.value).trim_matches('\''), expr(&second.value)),
        };
    }
    let mut inside = if call.star { "*".to_owned() } else { list(&call.args, argument) };
    if call.distinct {
        inside = format!("distinct {inside}");
    }
    inside += &order_by(&call.order_by);
    let mut out = format!("{}({inside})", call_name(call));
    if !call.within_group.is_empty() {
        out += &format!(" within group ({})", order_by(&call.within_group).trim_start());
    }
    if let Some(filter) = &call.filter {
        out += &format!(" filter (where {})", expr(filter));
    }
    if let Some(over) = &call.over {
        out += &format!(" over {}", window(over));
    }
    out
}

/// `coalesce` and its kind are keywords: never quoted.
fn call_name(call: &Call) -> String {
    match (&call.name.schema, call.name.name.as_str()) {
        (
            None,
            name @ ("coalesce" | "grouping" | "normalize" | "nullif" | "greatest" | "least" | "left"
            | "right" | "overlay" | "substring" | "grouping sets"),
        ) => name.to_owned(),
        _ => object_name(&call.name),
    }
}

fn argument(argument: &Argument) -> String {
    let name = argument.name.as_ref().map(|name| format!("{} => ", quote_ident(name))).unwrap_or_default();
    format!("{}{name}{}", if argument.variadic { "variadic " } else { "" }, expr(&argument.value))
}

pub(super) fn window(window: &Window) -> String {
    let mut parts = Vec::new();
    parts.extend(window.name.as_ref().map(|name| quote_ident(name)));
    if !window.partition_by.is_empty() {
        parts.push(format!("partition by {}", list(&window.partition_by, expr)));
    }
    if !window.order_by.is_empty() {
        parts.push(order_by(&window.order_by).trim_start().to_owned());
    }
    parts.extend(window.frame.clone());
    format!("({})", parts.join(" "))
}

pub(super) fn order_by(items: &[OrderItem]) -> String {
    if items.is_empty() {
        return String::new();
    }
    let item = |item: &OrderItem| {
        let nulls = match item.nulls_first {
            None => "",
            Some(true) => " nulls first",
            Some(false) => " nulls last",
        };
        format!("{}{}{nulls}", expr(&item.expr), if item.descending { " desc" } else { "" })
    };
    format!(" order by {}", list(items, item))
}
