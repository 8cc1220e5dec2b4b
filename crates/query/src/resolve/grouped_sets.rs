//! Set-returning functions by whose rows a select groups: they are computed before, beside what the select reads, all of them side
//! by side, and what says the same elsewhere in the select is their columns.

use sql::ast::{self, ExprKind, FromItem, Literal, OrderItem, Select, StatementKind, Target};
use types::Result;

use super::Resolver;
use super::from::beside;
use crate::ir::Source;

/// What stands for the rows; no name in SQL without quotation marks is like it.
const NAME: &str = "sets$";

/// A select that groups by columns, and its order.
pub(super) struct Prepared {
    pub(super) select: Select,
    pub(super) order_by: Vec<OrderItem>,
}

impl Resolver<'_> {
    /// A select with such functions out of its groups, where they are put beside what it reads; `None` where it has none.
    pub(super) fn sets_of_groups(
        &mut self,
        select: &Select,
        order_by: &[OrderItem],
        from: &mut Source,
    ) -> Result<Option<Box<Prepared>>> {
        if select.group_by.is_empty() {
            return Ok(None);
        }
        let mut found: Vec<(String, ast::Expr)> = Vec::new();
        let mut keys = Vec::new();
        for key in &select.group_by {
            let said = self.said_by(key, &select.targets);
            if self.is_of_sets(said) {
                let words = sql::print::expr(said);
                if !found.iter().any(|(known, _)| *known == words) {
                    found.push((words.clone(), said.clone()));
                }
                keys.push(said.clone());
            } else {
                keys.push(key.clone());
            }
        }
        if found.is_empty()
            || select.targets.iter().any(|target| matches!(&*target.expr.kind, ExprKind::Star(_)))
        {
            return Ok(None);
        }
        let targets: Vec<String> =
            found.iter().enumerate().map(|(at, (words, _))| format!("{words} as \"s{at}$\"")).collect();
        let (statements, _) = sql::parse(&format!("select {}", targets.join(", ")));
        let Some(StatementKind::Query(query)) = statements.into_iter().next().map(|statement| statement.kind)
        else {
            return Ok(None);
        };
        let alias = ast::Alias { name: NAME.to_owned(), ..ast::Alias::default() };
        let source = self.source_of(&FromItem::Subquery {
            lateral: true,
            query: Box::new(query),
            alias: Some(alias),
        })?;
        let put = |expr: &mut ast::Expr| {
            let words = sql::print::expr(expr);
            if let Some(at) = found.iter().position(|(known, _)| *known == words) {
                *expr.kind = ExprKind::Column(vec![NAME.to_owned(), format!("s{at}$")]);
            }
        };
        let mut select = Select { group_by: keys, ..select.clone() };
        for target in &mut select.targets {
            target.alias = target.alias.take().or_else(|| catalog::column_name(&target.expr));
            put(&mut target.expr);
        }
        select.group_by.iter_mut().for_each(put);
        select.having.iter_mut().for_each(put);
        let mut order_by = order_by.to_vec();
        order_by.iter_mut().for_each(|item| put(&mut item.expr));
        *from = beside(std::mem::replace(from, Source::Unit), source);
        Ok(Some(Box::new(Prepared { select, order_by })))
    }

    /// What a key says: itself, or the target that it names or counts.
    fn said_by<'a>(&self, key: &'a ast::Expr, targets: &'a [Target]) -> &'a ast::Expr {
        let named = |name: &str| {
            let is_it = |target: &&Target| {
                target
                    .alias
                    .clone()
                    .or_else(|| catalog::column_name(&target.expr))
                    .is_some_and(|known| known == name)
            };
            targets.iter().find(is_it)
        };
        let target = match &*key.kind {
            ExprKind::Literal(Literal::Integer(digits)) => {
                digits.parse::<usize>().ok().and_then(|number| targets.get(number.wrapping_sub(1)))
            }
            ExprKind::Column(parts) if self.stored_column(parts).is_err() => match &parts[..] {
                [name] => named(name),
                _ => None,
            },
            _ => None,
        };
        target.map_or(key, |target| &target.expr)
    }

    /// Whether an expression has set-returning functions in it.
    fn is_of_sets(&mut self, expr: &ast::Expr) -> bool {
        if matches!(&*expr.kind, ExprKind::Column(_) | ExprKind::Literal(_) | ExprKind::Star(_)) {
            return false;
        }
        let resolved = self.unexpanded("", |resolver| resolver.expr(expr));
        resolved.is_err_and(|error| error.message().starts_with("set-returning functions are not"))
    }
}
