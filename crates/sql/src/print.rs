//! Trees back to PostgreSQL's text. Operands are put in parentheses wherever precedence could matter.

use crate::ast::{
    Alias, Argument, Call, Distinct, Expr, ExprKind, FromItem, JoinCondition, JoinKind, LikeKind, Literal,
    ObjectName, OrderItem, Query, QueryBody, Select, SetOperator, StatementKind, Target, TypeName,
};
use crate::keywords::is_keyword;

/// An identifier, quoted where it must be.
pub fn quote_ident(name: &str) -> String {
    let plain = name.starts_with(|c: char| c == '_' || c.is_ascii_lowercase())
        && name.chars().all(|c| c == '_' || c.is_ascii_lowercase() || c.is_ascii_digit())
        && !is_keyword(name);
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// A string literal.
pub fn quote_literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') { format!("E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

/// A possibly qualified name.
pub fn object_name(name: &ObjectName) -> String {
    match &name.schema {
        Some(schema) => format!("{}.{}", quote_ident(schema), quote_ident(&name.name)),
        None => quote_ident(&name.name),
    }
}

/// A type.
pub fn type_name(ty: &TypeName) -> String {
    let mut out = if ty.setof { "setof ".to_owned() } else { String::new() };
    out += &match (&ty.name.schema, ty.name.name.as_str()) {
        (None, "char") => "\"char\"".to_owned(),
        (None, name @ ("bit" | "interval" | "numeric" | "time" | "timestamp" | "varchar")) => name.to_owned(),
        _ => object_name(&ty.name),
    };
    if let Some(column) = &ty.of_column {
        out += &format!(".{}%type", quote_ident(column));
    }
    if !ty.modifiers.is_empty() {
        out += &format!("({})", ty.modifiers.join(", "));
    }
    out + &"[]".repeat(usize::from(ty.array_dims))
}

fn list<T>(items: &[T], print: impl Fn(&T) -> String) -> String {
    items.iter().map(print).collect::<Vec<_>>().join(", ")
}

fn names(parts: &[String]) -> String {
    parts.iter().map(|part| quote_ident(part)).collect::<Vec<_>>().join(".")
}

/// An expression that is an operand: in parentheses unless it is one word.
fn operand(inner: &Expr) -> String {
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
        ExprKind::Index { expr: array, index } => format!("({})[{}]", self::expr(array), self::expr(index)),
        ExprKind::Slice { expr: array, low, high } => {
            let bound = |bound: &Option<Expr>| bound.as_ref().map(self::expr).unwrap_or_default();
            format!("({})[{}:{}]", self::expr(array), bound(low), bound(high))
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

/// Calls that are written without parentheses.
const BARE: &[&str] = &[
    "current_date",
    "current_time",
    "current_timestamp",
    "localtime",
    "localtimestamp",
    "current_user",
    "current_role",
    "session_user",
    "user",
    "current_catalog",
    "current_schema",
];

fn call(call: &Call) -> String {
    let bare = call.name.schema.is_none() && call.args.is_empty() && BARE.contains(&call.name.name.as_str());
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

fn window(window: &crate::ast::Window) -> String {
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

fn order_by(items: &[OrderItem]) -> String {
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

/// A query.
pub fn query(query: &Query) -> String {
    let mut out = String::new();
    if let Some(with) = &query.with {
        let ctes = list(&with.ctes, |cte| {
            let columns = if cte.columns.is_empty() {
                String::new()
            } else {
                format!(" ({})", list(&cte.columns, |name| quote_ident(name)))
            };
            let materialized = match cte.materialized {
                None => "",
                Some(true) => " materialized",
                Some(false) => " not materialized",
            };
            let body = match &*cte.body {
                StatementKind::Query(inner) => self::query(inner),
                _ => "…".to_owned(),
            };
            format!("{}{columns} as{materialized} ({body})", quote_ident(&cte.name))
        });
        out += &format!("with {}{ctes} ", if with.recursive { "recursive " } else { "" });
    }
    out += &match &query.body {
        QueryBody::Select(inner) => select(inner),
        QueryBody::Values(rows) => format!("values {}", list(rows, |row| format!("({})", list(row, expr)))),
        QueryBody::SetOperation { op, all, left, right } => {
            let word = match op {
                SetOperator::Union => "union",
                SetOperator::Intersect => "intersect",
                SetOperator::Except => "except",
            };
            format!(
                "({}) {word}{} ({})",
                self::query(left),
                if *all { " all" } else { "" },
                self::query(right)
            )
        }
    };
    out += &order_by(&query.order_by);
    if let Some(limit) = &query.limit {
        out += &format!(" limit {}", operand(limit));
    }
    if let Some(offset) = &query.offset {
        out += &format!(" offset {}", operand(offset));
    }
    for locking in &query.locking {
        out += &format!(" {locking}");
    }
    out
}

fn select(select: &Select) -> String {
    let mut out = "select".to_owned();
    match &select.distinct {
        Distinct::No => {}
        Distinct::All => out += " distinct",
        Distinct::On(keys) => out += &format!(" distinct on ({})", list(keys, expr)),
    }
    if !select.targets.is_empty() {
        out += &format!(" {}", list(&select.targets, target));
    }
    if !select.from.is_empty() {
        out += &format!(" from {}", list(&select.from, from_item));
    }
    if let Some(filter) = &select.filter {
        out += &format!(" where {}", expr(filter));
    }
    if !select.group_by.is_empty() {
        out += &format!(" group by {}", list(&select.group_by, expr));
    }
    if let Some(having) = &select.having {
        out += &format!(" having {}", expr(having));
    }
    if !select.windows.is_empty() {
        out += &format!(
            " window {}",
            list(&select.windows, |(name, over)| format!("{} as {}", quote_ident(name), window(over)))
        );
    }
    out
}

fn target(target: &Target) -> String {
    match &target.alias {
        Some(alias) => format!("{} as {}", expr(&target.expr), quote_ident(alias)),
        None => expr(&target.expr),
    }
}

fn alias(alias: Option<&Alias>) -> String {
    let Some(alias) = alias else { return String::new() };
    let columns = if alias.columns.is_empty() {
        String::new()
    } else {
        format!(" ({})", list(&alias.columns, |name| quote_ident(name)))
    };
    format!(" as {}{columns}", quote_ident(&alias.name))
}

fn from_item(item: &FromItem) -> String {
    match item {
        FromItem::Table { name, only, alias: named } => {
            format!("{}{}{}", if *only { "only " } else { "" }, object_name(name), alias(named.as_ref()))
        }
        FromItem::Subquery { lateral, query: inner, alias: named } => {
            format!("{}({}){}", if *lateral { "lateral " } else { "" }, query(inner), alias(named.as_ref()))
        }
        FromItem::Function { lateral, call: inner, ordinality, alias: named, definitions } => {
            let ordinality = if *ordinality { " with ordinality" } else { "" };
            let columns = list(definitions, |(name, ty)| format!("{} {}", quote_ident(name), type_name(ty)));
            let columns = if definitions.is_empty() { String::new() } else { format!(" ({columns})") };
            format!(
                "{}{}{ordinality}{}{columns}",
                if *lateral { "lateral " } else { "" },
                call(inner),
                alias(named.as_ref())
            )
        }
        FromItem::Join { kind, left, right, condition } => {
            let word = match kind {
                JoinKind::Inner => "join",
                JoinKind::Left => "left join",
                JoinKind::Right => "right join",
                JoinKind::Full => "full join",
                JoinKind::Cross => "cross join",
            };
            let right = if matches!(**right, FromItem::Join { .. }) {
                format!("({})", from_item(right))
            } else {
                from_item(right)
            };
            let (natural, behind) = match condition {
                JoinCondition::None => ("", String::new()),
                JoinCondition::On(condition) => ("", format!(" on {}", expr(condition))),
                JoinCondition::Using(columns) => {
                    ("", format!(" using ({})", list(columns, |name| quote_ident(name))))
                }
                JoinCondition::Natural => ("natural ", String::new()),
            };
            format!("{} {natural}{word} {right}{behind}", from_item(left))
        }
    }
}
