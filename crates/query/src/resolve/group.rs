//! Groups: their keys, and that nothing else is said of them.

use catalog::ColumnId;
use sql::ast::{self, ExprKind};
use types::{Code, Error, Result};

use super::Resolver;
use crate::ir::{Expr, Output, Read, Source, SourceId};
use crate::visit;

impl Resolver<'_> {
    /// `group by`: columns first, then positions and names of outputs, then expressions.
    pub(super) fn group_keys(&mut self, keys: &[ast::Expr], outputs: &[Output]) -> Result<Vec<Expr>> {
        let mut found = Vec::new();
        for key in keys {
            if let ExprKind::Call(call) = &*key.kind
                && matches!(call.name.name.as_str(), "rollup" | "cube" | "grouping sets")
            {
                return Err(Error::missing(call.name.name.to_uppercase()));
            }
            let expr = match (&*key.kind, self.expr(key)) {
                (ExprKind::Column(_), Ok(expr)) => expr,
                (_, resolved) => match self.output(key, outputs, "GROUP BY")? {
                    Some(expr) => expr,
                    None => resolved?,
                },
            };
            self.refuse_aggregate(&expr, "GROUP BY")?;
            found.push(self.settled(expr)?);
        }
        Ok(found)
    }

    /// Refuses columns that a group does not decide.
    pub(super) fn check_groups(&self, read: &Read) -> Result<()> {
        let said = || {
            let keys = read.order.iter().map(|key| &key.expr);
            read.outputs.iter().map(|output| &output.expr).chain(&read.having).chain(keys)
        };
        let grouped = !read.group.is_empty() || read.having.is_some() || said().any(visit::has_aggregate);
        if !grouped {
            return Ok(());
        }
        let keys: Vec<String> = read.group.iter().map(|key| format!("{key:?}")).collect();
        said().try_for_each(|expr| self.decided(expr, read, &keys))
    }

    /// Keys are compared by what they say: their debug text names every part.
    fn decided(&self, expr: &Expr, read: &Read, keys: &[String]) -> Result<()> {
        if keys.contains(&format!("{expr:?}")) || matches!(expr, Expr::Aggregate { .. }) {
            return Ok(());
        }
        if let Expr::Column { source, column, .. } = expr {
            return self.decided_column(*source, *column, read);
        }
        if let Expr::Subquery(subquery) = expr {
            let mut outcome = Ok(());
            visit::deep_read(subquery.read(), &mut |inner| {
                if let (Ok(()), Expr::Column { source, column, .. }) = (&outcome, inner)
                    && !keys.contains(&format!("{inner:?}"))
                {
                    outcome = self.decided_column(*source, *column, read);
                }
            });
            outcome?;
        }
        visit::operands(expr).into_iter().try_for_each(|operand| self.decided(operand, read, keys))
    }

    /// A column of this read is decided when its table's primary key is grouped by; columns from outside always are.
    fn decided_column(&self, source: SourceId, column: ColumnId, read: &Read) -> Result<()> {
        let mut undecided = None;
        visit::each_source(&read.from, &mut |leaf| {
            if visit::id_of(leaf) == Some(source) && !self.key_is_grouped(leaf, read) {
                undecided = Some(leaf);
            }
        });
        let Some(leaf) = undecided else { return Ok(()) };
        let name = match leaf {
            Source::Table { table, .. } => {
                let table = &self.catalog[*table];
                format!("{}.{}", table.name.name, table[column].name)
            }
            Source::Read { read, .. } => read
                .outputs
                .get(usize::from(column.0))
                .map_or_else(String::new, |output| output.name.to_string()),
            _ => format!("column{}", column.0 + 1),
        };
        let message = format!(
            "column \"{name}\" must appear in the GROUP BY clause or be used in an aggregate function"
        );
        Err(Error::new(Code::GROUPING, message))
    }

    fn key_is_grouped(&self, leaf: &Source, read: &Read) -> bool {
        let Source::Table { id, table, .. } = leaf else { return false };
        let is_grouped = |column: &ColumnId| {
            read.group.iter().any(
                |key| matches!(key, Expr::Column { source, column: grouped, .. } if source == id && grouped == column),
            )
        };
        let key = self.catalog[*table].primary_key.as_ref();
        key.is_some_and(|key| key.columns.iter().all(is_grouped))
    }
}
