//! Selects: what stands in `from`, which rows, what they say, in which order.

use catalog::{TableId, TableKind};
use sql::ast::{
    self, Distinct, ExprKind, FromItem, JoinCondition, Literal, ObjectName, QueryBody, Select, StatementKind,
    Target, With,
};
use types::{Code, Error, Name, Result, Type};

use super::Resolver;
use super::calls::ordered;
use super::scope::{Level, Relation};
use crate::functions::common_type;
use crate::ir::{Expr, Form, Guard, JoinKind, Order, Output, Read, Source};
use crate::visit::instantiate_read;

impl Resolver<'_> {
    /// The meaning of a query.
    pub(super) fn query(&mut self, query: &ast::Query) -> Result<Read> {
        self.holds_query |= self.frame.is_none();
        self.deeper(|resolver| {
            let known = resolver.ctes.len();
            let result = resolver.query_with(query);
            resolver.ctes.truncate(known);
            result
        })
    }

    fn query_with(&mut self, query: &ast::Query) -> Result<Read> {
        if let Some(with) = &query.with {
            self.with(with)?;
        }
        if let Some(locking) = query.locking.first() {
            return Err(Error::missing(locking.to_uppercase()));
        }
        self.levels.push(Level::default());
        let result = self.body(query);
        self.levels.pop();
        let mut read = result?;
        read.limit = self.bound(query.limit.as_ref(), "LIMIT")?;
        read.offset = self.bound(query.offset.as_ref(), "OFFSET")?;
        Ok(read)
    }

    /// Common table expressions are read where they are named: each name is a copy.
    fn with(&mut self, with: &With) -> Result<()> {
        for cte in &with.ctes {
            let StatementKind::Query(query) = &*cte.body else {
                return Err(Error::missing(format!("data-modifying WITH query \"{}\"", cte.name)));
            };
            let resolved = if with.recursive {
                self.query(query).map_err(|error| recursive(error, &cte.name))
            } else {
                self.query(query)
            };
            let mut read = resolved?;
            for (output, name) in read.outputs.iter_mut().zip(&cte.columns) {
                output.name = name.as_str().into();
            }
            self.ctes.push((cte.name.clone(), read));
        }
        Ok(())
    }

    fn body(&mut self, query: &ast::Query) -> Result<Read> {
        match &query.body {
            QueryBody::Select(select) => self.select(select, &query.order_by),
            QueryBody::Values(rows) => self.values(rows, &query.order_by),
            QueryBody::SetOperation { op, .. } => Err(Error::missing(format!("{op:?}").to_uppercase())),
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

    fn select(&mut self, select: &Select, order_by: &[ast::OrderItem]) -> Result<Read> {
        if let Distinct::On(_) = select.distinct {
            return Err(Error::missing("DISTINCT ON"));
        }
        if let Some((name, _)) = select.windows.first() {
            return Err(Error::missing(format!("window \"{name}\"")));
        }
        if let Some(mut read) = self.rows_alone(select)? {
            read.order = self.order_by(order_by, &read)?;
            return Ok(read);
        }
        let from = self.from(&select.from)?;
        let mut read = Read::from(from);
        if let Some(filter) = &select.filter {
            let filter = self.boolean(filter, "WHERE")?;
            self.refuse_aggregate(&filter, "WHERE")?;
            read.filter = Some(filter);
        }
        read.outputs = self.targets(&select.targets)?;
        read.group = self.group_keys(&select.group_by, &read.outputs)?;
        read.having = select.having.as_ref().map(|having| self.boolean(having, "HAVING")).transpose()?;
        read.distinct = select.distinct == Distinct::All;
        read.order = self.order_by(order_by, &read)?;
        self.check_groups(&read)?;
        Ok(read)
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

    fn from(&mut self, items: &[FromItem]) -> Result<Source> {
        let mut joined: Option<Source> = None;
        for item in items {
            let right = self.source_of(item)?;
            joined = Some(match joined {
                None => right,
                Some(left) => join(JoinKind::Inner, left, right, None),
            });
        }
        Ok(joined.unwrap_or(Source::Unit))
    }

    fn source_of(&mut self, item: &FromItem) -> Result<Source> {
        match item {
            FromItem::Table { name, alias, .. } => {
                let (source, mut relation) =
                    self.named(name, alias.as_ref().map(|alias| alias.name.as_str()))?;
                relation.relabel(alias.as_ref().map_or(&[][..], |alias| &alias.columns))?;
                self.add(relation)?;
                Ok(source)
            }
            FromItem::Subquery { lateral: true, .. } => Err(Error::missing("LATERAL")),
            FromItem::Subquery { query, alias, .. } => {
                // Without lateral, a subquery does not see what stands beside it.
                let beside = self.levels.pop().unwrap_or_default();
                let read = self.query(query);
                self.levels.push(beside);
                let read = read?;
                let id = self.ids.fresh();
                let name = alias.as_ref().map_or("", |alias| &alias.name);
                let mut relation = Relation::of_outputs(name, &read.outputs, id);
                relation.relabel(alias.as_ref().map_or(&[][..], |alias| &alias.columns))?;
                self.add(relation)?;
                Ok(Source::Read { id, read: Box::new(read), view: None })
            }
            FromItem::Function { .. } => self.function_source(item),
            FromItem::Join { kind, left, right, condition } => self.join(*kind, left, right, condition),
        }
    }

    /// A table, view or common table expression under a name.
    fn named(&mut self, name: &ObjectName, alias: Option<&str>) -> Result<(Source, Relation)> {
        let cte = self.ctes.iter().rev().find(|(cte, _)| name.schema.is_none() && *cte == name.name);
        if let Some((_, read)) = cte {
            let id = self.ids.fresh();
            let read = instantiate_read(read, &mut self.ids);
            let relation = Relation::of_outputs(alias.unwrap_or(&name.name), &read.outputs, id);
            return Ok((Source::Read { id, read: Box::new(read), view: None }, relation));
        }
        let table = self.table(name)?;
        let source = self.relation_of(table)?;
        let id = crate::visit::id_of(&source).unwrap_or(crate::model::ROW);
        Ok((source, Relation::of_table(&self.catalog[table], alias, id)))
    }

    /// The table or view that a name means.
    pub(super) fn table(&self, name: &ObjectName) -> Result<TableId> {
        let found = match &name.schema {
            Some(schema) => self.catalog.table(&Name::new(schema.as_str(), name.name.as_str())),
            None => self
                .path
                .iter()
                .find_map(|schema| self.catalog.table(&Name::new(schema.clone(), name.name.as_str()))),
        };
        let missing = || {
            let schema = name.schema.as_ref().map(|schema| format!("{schema}.")).unwrap_or_default();
            Error::new(Code::UNDEFINED_TABLE, format!("relation \"{schema}{}\" does not exist", name.name))
        };
        found.map(|(id, _)| id).ok_or_else(missing)
    }

    /// An occurrence of a table, or of a view with what it reads.
    fn relation_of(&mut self, table: TableId) -> Result<Source> {
        let id = self.ids.fresh();
        match &self.catalog[table].kind {
            TableKind::Table => Ok(Source::Table { id, table, guard: Guard::Unset }),
            TableKind::View { materialized: true, .. } => {
                Err(Error::missing(format!("materialized view {}", self.catalog[table].name)))
            }
            TableKind::View { query, .. } => {
                let query = query.clone();
                let surroundings = self.apart();
                self.path = super::default_path();
                let read = self.query(&query);
                self.back(surroundings);
                Ok(Source::Read { id, read: Box::new(read?), view: Some(table) })
            }
        }
    }

    pub(super) fn add(&mut self, relation: Relation) -> Result<()> {
        let Some(level) = self.levels.last_mut() else { return Err(Error::internal("no query is open")) };
        if !relation.alias.is_empty() && level.relations.iter().any(|other| other.alias == relation.alias) {
            let message = format!("table name \"{}\" specified more than once", relation.alias);
            return Err(Error::new(Code::DUPLICATE_ALIAS, message));
        }
        level.relations.push(relation);
        Ok(())
    }

    fn join(
        &mut self,
        kind: ast::JoinKind,
        left: &FromItem,
        right: &FromItem,
        condition: &JoinCondition,
    ) -> Result<Source> {
        let before = self.levels.last().map_or(0, |level| level.relations.len());
        let left = self.source_of(left)?;
        let middle = self.levels.last().map_or(0, |level| level.relations.len());
        let right = self.source_of(right)?;
        let kind = match kind {
            ast::JoinKind::Inner | ast::JoinKind::Cross => JoinKind::Inner,
            ast::JoinKind::Left => JoinKind::Left,
            ast::JoinKind::Right => JoinKind::Right,
            ast::JoinKind::Full => JoinKind::Full,
        };
        let on = match condition {
            JoinCondition::None => None,
            JoinCondition::On(expr) => {
                let on = self.boolean(expr, "JOIN/ON")?;
                self.refuse_aggregate(&on, "JOIN conditions")?;
                Some(on)
            }
            JoinCondition::Using(names) => self.using(kind, names, before, middle)?,
            JoinCondition::Natural => {
                let names = self.common_names(before, middle);
                self.using(kind, &names, before, middle)?
            }
        };
        Ok(join(kind, left, right, on))
    }

    /// Names on both sides of a join, in the left side's order.
    fn common_names(&self, before: usize, middle: usize) -> Vec<String> {
        let Some(level) = self.levels.last() else { return Vec::new() };
        let (left, right) = (&level.relations[before..middle], &level.relations[middle..]);
        let has = |name: &str| {
            right.iter().any(|relation| relation.columns.iter().any(|(column, _)| &**column == name))
        };
        let names = left.iter().flat_map(|relation| &relation.columns).map(|(name, _)| name.to_string());
        names.filter(|name| has(name)).collect()
    }

    /// Equality of columns of one name, which become one column.
    fn using(
        &mut self,
        kind: JoinKind,
        names: &[String],
        before: usize,
        middle: usize,
    ) -> Result<Option<Expr>> {
        let mut conditions = Vec::new();
        for name in names {
            let (left, right) = {
                let Some(level) = self.levels.last() else { return Err(Error::internal("no query is open")) };
                (
                    only(&level.relations[before..middle], name, "left")?,
                    only(&level.relations[middle..], name, "right")?,
                )
            };
            conditions.push(self.binary(left.clone(), "=", right.clone())?);
            let merged = match kind {
                JoinKind::Inner | JoinKind::Left => left,
                JoinKind::Right => right,
                JoinKind::Full => {
                    let ty = left.ty();
                    let right = self.coerce(right, &ty)?;
                    Expr::Form { form: Form::Coalesce, args: vec![left, right], ty }
                }
            };
            if let Some(level) = self.levels.last_mut() {
                level.merged.retain(|(column, _)| **column != **name);
                level.merged.push((name.as_str().into(), merged));
            }
        }
        Ok(Expr::all(conditions))
    }

    /// What each row says; stars expanded, untyped literals as text.
    pub(super) fn targets(&mut self, targets: &[Target]) -> Result<Vec<Output>> {
        let mut outputs = Vec::new();
        for target in targets {
            match &*target.expr.kind {
                ExprKind::Star(qualifier) => {
                    let columns = match qualifier.last() {
                        None => self.levels.last().map(Level::star).unwrap_or_default(),
                        Some(qualifier) => self.relation(qualifier)?.columns.clone(),
                    };
                    outputs.extend(columns.into_iter().map(|(name, expr)| Output { name, expr }));
                }
                _ => {
                    let expr = self.expr(&target.expr)?;
                    let expr = self.settled(expr)?;
                    let name = target.alias.clone().or_else(|| catalog::column_name(&target.expr));
                    outputs.push(Output { name: name.as_deref().unwrap_or("?column?").into(), expr });
                }
            }
        }
        Ok(outputs)
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
            order.push(ordered(expr, item));
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

fn join(kind: JoinKind, left: Source, right: Source, on: Option<Expr>) -> Source {
    Source::Join { kind, left: Box::new(left), right: Box::new(right), on }
}

/// The only column of a name on one side of a join.
fn only(side: &[Relation], name: &str, word: &str) -> Result<Expr> {
    let columns = side.iter().flat_map(|relation| &relation.columns);
    let mut found = columns.filter(|(column, _)| **column == *name).map(|(_, expr)| expr);
    match (found.next(), found.next()) {
        (Some(expr), None) => Ok(expr.clone()),
        (None, _) => {
            let message =
                format!("column \"{name}\" specified in USING clause does not exist in {word} table");
            Err(Error::new(Code::UNDEFINED_COLUMN, message))
        }
        (Some(_), Some(_)) => {
            let message = format!("common column name \"{name}\" appears more than once in {word} table");
            Err(Error::new(Code::AMBIGUOUS_COLUMN, message))
        }
    }
}

/// A query of `with recursive` that names itself is what is missing, not a table of that name.
fn recursive(error: Error, name: &str) -> Error {
    if error.code() == Code::UNDEFINED_TABLE && error.message().contains(&format!("\"{name}\"")) {
        return Error::missing(format!("recursive query \"{name}\""));
    }
    error
}
