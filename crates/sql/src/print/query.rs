//! Queries.

use super::expr::{call, expr, operand, order_by, window};
use super::{columns_if_any, data, list, object_name, quote_ident, type_name};
use crate::ast::{
    Alias, Call, Cte, Distinct, FromItem, JoinCondition, JoinKind, Query, QueryBody, Select, SetOperator,
    Target, TypeName, With,
};

/// `with …` and a space; nothing of nothing.
pub(super) fn with(with: Option<&With>) -> String {
    let Some(with) = with else { return String::new() };
    format!("with {}{} ", if with.recursive { "recursive " } else { "" }, list(&with.ctes, cte))
}

fn cte(cte: &Cte) -> String {
    let materialized = match cte.materialized {
        None => "",
        Some(true) => " materialized",
        Some(false) => " not materialized",
    };
    let (name, columns) = (quote_ident(&cte.name), columns_if_any(&cte.columns));
    format!("{name}{columns} as{materialized} ({})", data::data(&cte.body))
}

/// A query.
pub fn query(query: &Query) -> String {
    let mut out = String::new();
    out += &with(query.with.as_ref());
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
        out += &format!(" from {}", list(&select.from, source));
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

pub(super) fn target(target: &Target) -> String {
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

pub(super) fn source(item: &FromItem) -> String {
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
            let columns = match (&named, definitions.is_empty()) {
                (_, true) => String::new(),
                (Some(_), false) => format!(" ({columns})"),
                (None, false) => format!(" as ({columns})"),
            };
            format!(
                "{}{}{ordinality}{}{columns}",
                if *lateral { "lateral " } else { "" },
                call(inner),
                alias(named.as_ref())
            )
        }
        FromItem::Functions { lateral, calls, ordinality, alias: named } => {
            let one = |(inner, definitions): &(Call, Vec<(String, TypeName)>)| {
                let column =
                    |(name, ty): &(String, TypeName)| format!("{} {}", quote_ident(name), type_name(ty));
                let columns: String = match definitions.is_empty() {
                    true => String::new(),
                    false => format!(" as ({})", list(definitions, column)),
                };
                format!("{}{columns}", call(inner))
            };
            format!(
                "{}rows from ({}){}{}",
                if *lateral { "lateral " } else { "" },
                list(calls, one),
                if *ordinality { " with ordinality" } else { "" },
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
                format!("({})", source(right))
            } else {
                source(right)
            };
            let (natural, behind) = match condition {
                JoinCondition::None => ("", String::new()),
                JoinCondition::On(condition) => ("", format!(" on {}", expr(condition))),
                JoinCondition::Using(columns) => {
                    ("", format!(" using ({})", list(columns, |name| quote_ident(name))))
                }
                JoinCondition::Natural => ("natural ", String::new()),
            };
            format!("{} {natural}{word} {right}{behind}", source(left))
        }
    }
}
