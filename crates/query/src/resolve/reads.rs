//! Selects: which rows, what they say, in which order.

use sql::ast::{self, Distinct, ExprKind, Literal, QueryBody, Select, Target};
use types::{Code, Error, Result, Type};

use super::Resolver;
use super::calls::ordered;
use super::expansions::Expansions;
use super::group::{GroupingSet, all_grouped};
use super::locking::not_locked;
use super::scope::Level;
use crate::functions::common_type;
use crate::ir::{Expr, Form, Order, Output, Read, Source, Window, WindowFunction};

impl Resolver<'_> {
    /// The meaning of a query.
    pub(super) fn query(&mut self, query: &ast::Query) -> Result<Read> {
        self.holds_query |= self.frame.is_none();
        let unsettled = std::mem::take(&mut self.unsettled);
        self.deeper(|resolver| {
            let known = resolver.ctes.len();
            let result = resolver.unexpanded("", |resolver| resolver.query_with(query, unsettled));
            resolver.ctes.truncate(known);
            result
        })
    }

    fn query_with(&mut self, query: &ast::Query, unsettled: bool) -> Result<Read> {
        let defined = query.with.as_ref().map(|with| self.with(with)).transpose()?;
        self.levels.push(Level::default());
        let result = self.body(query, unsettled);
        self.levels.pop();
        let mut read = result?;
        read.limit = self.bound(query.limit.as_ref(), "LIMIT")?;
        read.offset = self.bound(query.offset.as_ref(), "OFFSET")?;
        Ok(match defined {
            None => read,
            Some(defined) => self.placed(read, defined),
        })
    }

    fn body(&mut self, query: &ast::Query, unsettled: bool) -> Result<Read> {
        match &query.body {
            QueryBody::Select(select) => {
                let known = self.windows.len();
                self.windows.extend(select.windows.iter().cloned());
                let read = self.select(select, &query.order_by, unsettled);
                self.windows.truncate(known);
                self.locking(query, select, read?)
            }
            QueryBody::Values(rows) => self.values(rows, &query.order_by),
            QueryBody::SetOperation { op, all, left, right } => {
                let read = self.set_operation((*op, *all), (left, right), &query.order_by)?;
                match query.locking.first() {
                    None => Ok(read),
                    Some(clause) => Err(not_locked(clause, "UNION/INTERSECT/EXCEPT")),
                }
            }
        }
    }

    fn bound(&mut self, bound: Option<&ast::Expr>, word: &str) -> Result<Option<Expr>> {
        let Some(bound) = bound else { return Ok(None) };
        self.levels.push(Level::default());
        let resolved = self.expr(bound);
        self.levels.pop();
        let resolved = resolved?;
        match resolved.ty() {
            Type::Int2 | Type::Int4 | Type::Int8 | Type::Unknown => {
                self.coerce(resolved, &Type::Int8).map(Some)
            }
            _ => Err(Error::new(Code::DATATYPE_MISMATCH, format!("argument of {word} must be type bigint"))),
        }
    }

    fn select(&mut self, select: &Select, order_by: &[ast::OrderItem], unsettled: bool) -> Result<Read> {
        if let Some(mut read) = self.rows_alone(select)? {
            read.order = self.order_by(order_by, &read)?;
            return Ok(read);
        }
        let mut read = self.of_sources(select)?;
        let prepared = self.sets_of_groups(select, order_by, &mut read.from)?;
        let (select, order_by) = match &prepared {
            None => (select, order_by),
            Some(prepared) => (&prepared.select, &prepared.order_by[..]),
        };
        let (sets, expansions) = self.clauses(&mut read, select, order_by, unsettled)?;
        self.gathered(read, sets, expansions, &select.distinct)
    }

    /// What a select reads from, and nothing of it yet.
    fn of_sources(&mut self, select: &Select) -> Result<Read> {
        if let Some(level) = self.levels.last_mut() {
            level.aggregates = Some(Vec::new());
        }
        let from = self.from(&select.from)?;
        self.refuse_noted("FROM clause of their own query level")?;
        Ok(Read::from(from))
    }

    /// The clauses of a select, each where PostgreSQL reads it; what is selected and read may hold further selects, so that this
    /// stands on the stack once for each that is nested.
    fn clauses(
        &mut self,
        read: &mut Read,
        select: &Select,
        order_by: &[ast::OrderItem],
        unsettled: bool,
    ) -> Result<(Option<Vec<GroupingSet>>, Expansions)> {
        if let Some(filter) = &select.filter {
            let filter = self.boolean(filter, "WHERE")?;
            self.refuse_aggregate(&filter, "WHERE")?;
            read.filter = Some(filter);
            self.refuse_noted("WHERE")?;
        }
        let (outputs, expansions) =
            self.expanding(|resolver| resolver.targets_as(&select.targets, unsettled))?;
        read.outputs = outputs;
        let sets = self.group_keys(read, &select.group_by)?;
        read.having = select.having.as_ref().map(|having| self.boolean(having, "HAVING")).transpose()?;
        read.having.iter().try_for_each(|having| self.refuse_window(having, "HAVING"))?;
        read.distinct = select.distinct == Distinct::All;
        let expansions = self.order_among(expansions, order_by, read)?;
        Ok((sets, expansions))
    }

    /// A read whose clauses are known, with the groups, sets and rows of functions that they ask for.
    fn gathered(
        &mut self,
        read: Read,
        sets: Option<Vec<GroupingSet>>,
        expansions: Expansions,
        distinct: &Distinct,
    ) -> Result<Read> {
        let noted = self.levels.last_mut().and_then(|level| level.aggregates.take()).unwrap_or_default();
        self.check_groups(&read, !noted.is_empty())?;
        let looks_at_groups = read.outputs.iter().any(|output| crate::visit::has_window(&output.expr));
        let read = match sets {
            None => self.with_noted(all_grouped(read), &noted)?,
            Some(_) if !noted.is_empty() => {
                return Err(Error::missing("an aggregate of an outer query's rows over grouping sets"));
            }
            Some(sets) if looks_at_groups => self.windows_over_sets(read, &sets)?,
            Some(sets) => self.in_sets(read, &sets)?,
        };
        let read = self.with_expansions(read, expansions)?;
        match distinct {
            Distinct::On(keys) => self.distinct_on(read, keys),
            Distinct::No | Distinct::All => Ok(self.distinct_of_windows(read)),
        }
    }

    /// The order of a read, in which further set-returning functions may stand.
    fn order_among(
        &mut self,
        expansions: Expansions,
        order_by: &[ast::OrderItem],
        read: &mut Read,
    ) -> Result<Expansions> {
        let around = self.expansions.replace(expansions);
        let order = self.order_by(order_by, read);
        let expansions = std::mem::replace(&mut self.expansions, around);
        read.order = order?;
        Ok(expansions.unwrap_or_default())
    }

    /// `distinct on`: the first row of each group in the order asked for.
    fn distinct_on(&mut self, mut read: Read, keys: &[ast::Expr]) -> Result<Read> {
        let clause = ["SELECT", "DISTINCT ON"].join(" ");
        let mut partition = Vec::new();
        for key in keys {
            let key = match self.output(key, &read.outputs, &clause)? {
                Some(expr) => expr,
                None => {
                    let key = self.expr(key)?;
                    self.settled(key)?
                }
            };
            partition.push(key);
        }
        let words = |expr: &Expr| format!("{expr:?}");
        let wanted: Vec<String> = partition.iter().map(words).collect();
        let mut missing: Vec<&String> = wanted.iter().collect();
        for key in &read.order {
            let said = words(&key.expr);
            if missing.is_empty() {
                break;
            }
            if !wanted.contains(&said) {
                let message = format!("{clause} expressions must match initial ORDER BY expressions");
                return Err(Error::new(Code::INVALID_COLUMN_REFERENCE, message));
            }
            missing.retain(|other| **other != said);
        }
        let order = std::mem::take(&mut read.order);
        let shown = read.outputs.len();
        let further = order.iter().map(|key| Output { name: "key".into(), expr: key.expr.clone() });
        read.outputs.extend(further.collect::<Vec<_>>());
        let window = Window { partition, order: order.clone(), frame: None };
        read.outputs.push(Output {
            name: "number".into(),
            expr: Expr::Window {
                function: WindowFunction::RowNumber,
                args: Vec::new(),
                filter: None,
                window: Box::new(window),
                ty: Type::Int8,
            },
        });
        let mut outer = self.around(read);
        let mut columns = outer.outputs.split_off(shown);
        let number = columns.pop().map(|output| output.expr);
        let one = Expr::Const { value: types::Value::Int(1), ty: Type::Int8 };
        outer.filter = number.map(|number| number.equals(one));
        outer.order =
            order.into_iter().zip(columns).map(|(key, column)| Order { expr: column.expr, ..key }).collect();
        Ok(outer)
    }

    /// `values`: rows of as many columns, of common types.
    fn values(&mut self, rows: &[Vec<ast::Expr>], order_by: &[ast::OrderItem]) -> Result<Read> {
        let mut resolved = Vec::new();
        for row in rows {
            resolved.push(row.iter().map(|expr| self.expr(expr)).collect::<Result<Vec<Expr>>>()?);
        }
        let width = resolved.first().map_or(0, Vec::len);
        if resolved.iter().any(|row| row.len() != width) {
            return Err(Error::new(Code::SYNTAX, "VALUES lists must all be the same length"));
        }
        let types: Vec<Type> = (0..width)
            .map(|at| common_type("VALUES", &resolved.iter().map(|row| row[at].ty()).collect::<Vec<_>>()))
            .collect::<Result<_>>()?;
        let rows = resolved.into_iter().map(|row| self.coerce_all(row, &types)).collect::<Result<_>>()?;
        let id = self.ids.fresh();
        let columns = types.into_iter().zip(0..).map(|(ty, at)| Output {
            name: format!("column{}", at + 1).into(),
            expr: Expr::Column { source: id, column: catalog::ColumnId(at), ty },
        });
        let outputs: Vec<Output> = columns.collect();
        let mut read = Read { outputs, ..Read::from(Source::Values { id, rows }) };
        read.order = self.order_by(order_by, &read)?;
        Ok(read)
    }

    /// What each row says; stars expanded, untyped literals as text.
    pub(super) fn targets(&mut self, targets: &[Target]) -> Result<Vec<Output>> {
        self.targets_as(targets, false)
    }

    fn targets_as(&mut self, targets: &[Target], unsettled: bool) -> Result<Vec<Output>> {
        let mut outputs = Vec::new();
        for target in targets {
            match &*target.expr.kind {
                ExprKind::Star(qualifier) => {
                    let columns = match qualifier.last() {
                        None => self.levels.last().map(Level::star).unwrap_or_default(),
                        Some(qualifier) => self.starred(qualifier)?,
                    };
                    outputs.extend(columns.into_iter().map(|(name, expr)| Output { name, expr }));
                }
                ExprKind::Field { expr, field } if field == "*" => {
                    let row = self.expr(expr)?;
                    outputs.extend(self.fields_of_row(&row)?);
                }
                _ => {
                    // The arguments of a function over the system relations are ids there.
                    let is_argument = target.alias.as_ref().is_some_and(|alias| alias.ends_with('$'));
                    let expr = match is_argument {
                        true => self.expr(&target.expr)?,
                        false => self.named_or_value(&target.expr)?,
                    };
                    let expr = if unsettled { expr } else { self.settled(expr)? };
                    let expr = self.shown(expr)?;
                    let name = target.alias.clone().or_else(|| catalog::column_name(&target.expr));
                    outputs.push(Output { name: name.as_deref().unwrap_or("?column?").into(), expr });
                }
            }
        }
        Ok(outputs)
    }

    /// `(row).*`
    fn fields_of_row(&mut self, row: &Expr) -> Result<Vec<Output>> {
        if let Expr::Form { form: Form::Record(names), args, .. } = row {
            let fields = names.iter().cloned().zip(args.iter().cloned());
            return Ok(fields.map(|(name, expr)| Output { name, expr }).collect());
        }
        let fields = match &row.ty() {
            Type::Composite(name) => self.fields_of(name),
            ty => {
                let message = format!("type {} is not composite", types::ty::format_type(ty, None));
                return Err(Error::new(Code::WRONG_OBJECT_TYPE, message));
            }
        };
        let fields = fields.ok_or_else(|| Error::missing("the fields of a row without a type"))?;
        let field =
            |(name, _): (std::sync::Arc<str>, Type)| Ok(Output { expr: self.field(row, &name)?, name });
        fields.into_iter().map(field).collect()
    }

    /// Order keys: positions and names of outputs first, then expressions.
    fn order_by(&mut self, items: &[ast::OrderItem], read: &Read) -> Result<Vec<Order>> {
        let mut order = Vec::new();
        for item in items {
            let expr = match self.output(&item.expr, &read.outputs, "ORDER BY")? {
                Some(expr) => expr,
                None => {
                    let expr = self.expr(&item.expr)?;
                    self.settled(expr)?
                }
            };
            order.push(ordered(expr, item)?);
        }
        Ok(order)
    }

    /// The output that a position or a bare name means.
    pub(super) fn output(&self, expr: &ast::Expr, outputs: &[Output], word: &str) -> Result<Option<Expr>> {
        match &*expr.kind {
            ExprKind::Literal(Literal::Integer(position)) => {
                let at = position.parse::<usize>().ok().and_then(|position| position.checked_sub(1));
                let found = at.and_then(|at| outputs.get(at)).map(|output| output.expr.clone());
                let message = format!("{word} position {position} is not in select list");
                found.map(Some).ok_or_else(|| Error::new(Code::INVALID_COLUMN_REFERENCE, message))
            }
            ExprKind::Column(parts) => match &parts[..] {
                [name] => {
                    Ok(outputs.iter().find(|output| *output.name == **name).map(|output| output.expr.clone()))
                }
                _ => Ok(None),
            },
            _ => Ok(None),
        }
    }
}
