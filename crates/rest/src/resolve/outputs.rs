//! What is said of each row: columns, embedded resources, spread ones, aggregates and their groups.

use std::sync::Arc;

use catalog::{ColumnId, TableId};
use query::{Expr, Nest, Output, Read, Subquery, visit};
use types::{Code, Error, Result, Type};

use super::Pass;
use super::fields::Scope;
use super::reads::{no_operator, number};
use super::tree::Node;
use crate::field::Field;
use crate::select::{AggregateName, SelectColumn, SelectItem};

/// One thing said of a row.
pub(super) struct Item<'a> {
    name: Arc<str>,
    said: Said<'a>,
    /// The key of the spread resource that it is of.
    of: Option<Arc<str>>,
}

enum Said<'a> {
    /// A value of each row; among aggregates, rows are grouped by it, or by `key` where that is another.
    Value { expr: Expr, key: Option<Expr> },
    /// An aggregate over the rows: of all of them without an argument.
    Aggregate { name: AggregateName, argument: Option<Expr>, cast: Option<&'a String> },
    /// `count` without parentheses: to PostgreSQL `table.count` is `count(table)`. It makes no groups.
    Rows { cast: Option<&'a String> },
}

impl<'a> Pass<'a> {
    /// What a resource's select says of its rows: its own columns first, then the embedded resources.
    pub(super) fn items(&mut self, node: &Node<'a>, scope: &Scope) -> Result<Vec<Item<'a>>> {
        let mut items = Vec::new();
        for item in node.items {
            match item {
                SelectItem::All => items.extend(self.all_columns(scope)?),
                SelectItem::Column(column) => items.push(self.column_item(scope, column)?),
                SelectItem::Count { alias, cast } => items.push(Item {
                    name: alias.as_deref().unwrap_or("count").into(),
                    said: Said::Aggregate { name: AggregateName::Count, argument: None, cast: cast.as_ref() },
                    of: None,
                }),
                SelectItem::Embed(_) => {}
            }
        }
        self.check_aggregates(&items)?;
        for child in &node.children {
            let spread = child.embedded.as_ref().is_some_and(|embedded| embedded.select.spread);
            if spread {
                let of = child.key().map(Arc::from);
                let spread = self.spread(scope, child)?;
                items.extend(spread.into_iter().map(|item| Item { of: of.clone(), ..item }));
            } else {
                // What says nothing is checked all the same.
                let nested = self.nested(scope, child)?;
                let name = child.key().unwrap_or_default().into();
                items.extend((!child.says_nothing()).then(|| Self::value(name, nested)));
            }
        }
        Ok(items)
    }

    fn check_aggregates(&self, items: &[Item<'_>]) -> Result<()> {
        let asked = items.iter().any(|item| matches!(item.said, Said::Aggregate { .. }));
        if asked && !self.exposed.aggregates {
            return Err(Error::new(Code::AGGREGATES_DISABLED, "Use of aggregate functions is not allowed"));
        }
        Ok(())
    }

    /// Whether a resource is one row of aggregates, whatever there is.
    pub(super) fn is_one_group(&self, node: &Node<'_>) -> bool {
        let aggregates = |item: &SelectItem| match item {
            SelectItem::Count { .. } => true,
            SelectItem::Column(column) => {
                column.aggregate.is_some() || self.counts_rows(node.table, &column.field)
            }
            SelectItem::All | SelectItem::Embed(_) => false,
        };
        !node.items.is_empty() && node.items.iter().all(aggregates)
    }

    fn all_columns(&mut self, scope: &Scope) -> Result<Vec<Item<'a>>> {
        let table = self.declared(scope.table);
        let ids: Vec<_> = table.column_ids().collect();
        ids.into_iter()
            .map(|column| {
                let expr = self.shown(&table[column], scope.at(self, column))?;
                Ok(Self::value(table[column].name.clone(), expr))
            })
            .collect()
    }

    /// A column that is selected as it is.
    fn shown_as_is(&mut self, scope: &Scope, column: &SelectColumn, field: Expr) -> Result<Expr> {
        let is_plain = column.field.path.is_empty() && column.aggregate.is_none();
        match self.declared(scope.table).column(&column.field.name) {
            Some((_, declared)) if is_plain => self.shown(declared, field),
            Some(_) | None => Ok(field),
        }
    }

    /// Whether a field is the number of rows by PostgreSQL's notation.
    fn counts_rows(&self, table: TableId, field: &Field) -> bool {
        field.name == "count"
            && field.path.is_empty()
            && self.declared(table).column(&field.name).is_none()
            && self.function_of_row(table, &field.name).is_none()
    }

    fn column_item(&mut self, scope: &Scope, column: &'a SelectColumn) -> Result<Item<'a>> {
        if column.aggregate.is_none() && self.counts_rows(scope.table, &column.field) {
            let name = column.alias.as_deref().unwrap_or("count").into();
            return Ok(Item { name, said: Said::Rows { cast: column.cast.as_ref() }, of: None });
        }
        let field = self.selected(scope, &column.field)?;
        let field = self.shown_as_is(scope, column, field)?;
        let expr = self.cast(field.clone(), column.cast.as_ref())?;
        let name: Arc<str> = match (&column.alias, column.aggregate) {
            (Some(alias), _) => alias.as_str().into(),
            (None, Some(aggregate)) => aggregate.word().into(),
            (None, None) => column.field.key().into(),
        };
        let said = match column.aggregate {
            Some(aggregate) => Said::Aggregate {
                name: aggregate,
                argument: Some(expr),
                cast: column.aggregate_cast.as_ref(),
            },
            // A column without an alias is grouped by as it is, cast or not.
            None => {
                let key = (column.alias.is_none() && column.cast.is_some()).then_some(field);
                Said::Value { key, expr }
            }
        };
        Ok(Item { name, said, of: None })
    }

    fn value(name: Arc<str>, expr: Expr) -> Item<'a> {
        Item { name, said: Said::Value { key: None, expr }, of: None }
    }

    /// The same expression with sources of its own; but where the engine reads what we write, to the letter: it knows a value by
    /// the key of its group only then.
    pub(super) fn again(&mut self, expr: &Expr) -> Expr {
        if self.model.is_native() {
            return expr.clone();
        }
        let nothing = self.ids.fresh();
        visit::instantiate(expr, nothing, nothing, &mut self.ids)
    }

    /// PostgreSQL compares no JSON: what is nested is compared as text, which is equal where rows are.
    fn comparable(&self, expr: Expr) -> Expr {
        let is_nested = matches!(expr, Expr::Subquery(_)) && expr.ty() == Type::Json;
        if !is_nested || !self.model.is_native() {
            return expr;
        }
        let cast = |expr, ty| Expr::Cast { expr: Box::new(expr), ty, modifier: None, explicit: true };
        cast(cast(expr, Type::Text), Type::Json)
    }

    /// What groups are made by for a value to be the same in all of their rows.
    fn group_key(&mut self, value: &Expr) -> Expr {
        match value {
            Expr::Cast { expr, ty: Type::Json, .. } if matches!(**expr, Expr::Cast { .. }) => {
                self.again(expr)
            }
            value => self.again(value),
        }
    }

    /// The columns of an embedded resource as its parent's: of a to-one resource values, of a to-many one arrays.
    fn spread(&mut self, parent: &Scope, child: &Node<'a>) -> Result<Vec<Item<'a>>> {
        let (read, scope) = self.related(parent, child)?;
        let items = self.items(child, &scope)?;
        self.check_rows(&scope, &items)?;
        if child.is_to_one() {
            let mut read = self.arranged(read, child, &scope, None)?;
            read.limit = read.limit.or(Some(number(1)));
            return items.into_iter().map(|item| self.hoisted(&read, item)).collect();
        }
        let read = self.arranged(read, child, &scope, self.rows_max())?;
        items.into_iter().map(|item| self.collected(&read, item)).collect()
    }

    /// An item of a to-one resource, seen from its parent. Aggregates are taken over the parent's rows.
    fn hoisted(&mut self, read: &Read, item: Item<'a>) -> Result<Item<'a>> {
        let said = match item.said {
            Said::Value { expr, key } => {
                Said::Value { expr: self.lifted(read, expr), key: key.map(|key| self.lifted(read, key)) }
            }
            Said::Aggregate { name, argument, cast } => {
                let argument = argument.unwrap_or_else(|| Expr::bool(true));
                Said::Aggregate { name, argument: Some(self.lifted(read, argument)), cast }
            }
            Said::Rows { cast } => {
                let count = self.row_count(cast)?;
                return Ok(self.value_lifted(read, item.name, count));
            }
        };
        Ok(Item { said, ..item })
    }

    fn row_count(&self, cast: Option<&String>) -> Result<Expr> {
        let count = self.typing.aggregate(AggregateName::Count.word(), None)?;
        self.cast(count, cast)
    }

    fn value_lifted(&mut self, read: &Read, name: Arc<str>, expr: Expr) -> Item<'a> {
        let expr = self.lifted(read, expr);
        Self::value(name, expr)
    }

    fn lifted(&mut self, read: &Read, expr: Expr) -> Expr {
        Expr::Subquery(Box::new(Subquery::Scalar(self.saying(read, expr))))
    }

    /// An item of a to-many resource: the values of all of its rows.
    fn collected(&mut self, read: &Read, item: Item<'a>) -> Result<Item<'a>> {
        let expr = match item.said {
            Said::Value { expr, .. } => expr,
            Said::Rows { cast } => self.row_count(cast)?,
            Said::Aggregate { .. } => {
                let details = "Aggregates are not implemented for one-to-many or many-to-many spreads.";
                return Err(
                    Error::new(Code::NOT_IMPLEMENTED, "Feature not implemented").with_details(details)
                );
            }
        };
        let nest = Nest { read: self.saying(read, expr), many: true, bare: true };
        Ok(Self::value(item.name, Expr::Subquery(Box::new(Subquery::Nest(nest)))))
    }

    /// A copy of a read, with sources of its own, that says one thing.
    fn saying(&mut self, read: &Read, expr: Expr) -> Read {
        let outputs = vec![Output { name: "value".into(), expr }];
        visit::instantiate_read(&Read { outputs, ..read.clone() }, &mut self.ids)
    }

    /// Values cannot stand beside the number of all rows.
    fn check_rows(&self, scope: &Scope, items: &[Item<'_>]) -> Result<()> {
        let counts = items.iter().any(|item| matches!(item.said, Said::Rows { .. }));
        let grouped = items.iter().any(|item| matches!(item.said, Said::Aggregate { .. }));
        let value = |item: &Item<'_>| match &item.said {
            Said::Value { expr, .. } => column_of(expr, scope),
            Said::Aggregate { .. } | Said::Rows { .. } => None,
        };
        match items.iter().find_map(value) {
            Some(column) if counts && !grouped => Err(self.ungrouped(scope, column)),
            _ => Ok(()),
        }
    }

    /// A read that says its items; grouped by the values among them when there are aggregates.
    pub(super) fn said(&mut self, mut read: Read, scope: &Scope, items: Vec<Item<'a>>) -> Result<Read> {
        self.check_rows(scope, &items)?;
        let grouped = items.iter().any(|item| matches!(item.said, Said::Aggregate { .. }));
        for item in items {
            let expr = match item.said {
                Said::Value { expr, key } => {
                    let expr = if grouped { self.comparable(expr) } else { expr };
                    if grouped {
                        let key = key.unwrap_or_else(|| self.group_key(&expr));
                        if let Some(of) = item.of {
                            let again = self.again(&key);
                            self.spread_keys.push((scope.source, of, item.name.clone(), again));
                        }
                        read.group.push(groupable(key)?);
                    }
                    expr
                }
                Said::Aggregate { name, argument, cast } => {
                    let aggregate = self.typing.aggregate(name.word(), argument)?;
                    self.cast(aggregate, cast)?
                }
                Said::Rows { cast } => self.row_count(cast)?,
            };
            read.outputs.push(Output { name: item.name, expr });
        }
        Ok(read)
    }
}

/// The first column of a row that an expression names.
pub(super) fn column_of(expr: &Expr, scope: &Scope) -> Option<ColumnId> {
    let mut found = None;
    visit::deep(expr, &mut |inner| {
        if let Expr::Column { source, column, .. } = inner
            && *source == scope.source
        {
            found = found.or(Some(*column));
        }
    });
    found
}

fn groupable(key: Expr) -> Result<Expr> {
    // Nested rows are JSON of our own making: equal rows are equal texts.
    match &key {
        Expr::Subquery(_) => Ok(key),
        other if other.ty() == Type::Json => Err(no_operator("an equality", other)),
        _ => Ok(key),
    }
}
