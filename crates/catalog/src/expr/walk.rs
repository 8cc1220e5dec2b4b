//! The walk: visits every name in an expression or query with what is in scope there.

use sql::ast::{
    Call, Expr, ExprKind, FromItem, JoinCondition, JoinKind, ObjectName, OrderItem, Query, QueryBody, Select,
    StatementKind, Target, TypeName, Window, With,
};
use types::Result;

use super::figure;
use super::scope::{Meaning, Scope, Source, Tables, alias_of, relabeled};

/// What to do at each name. Everything may be rewritten in place.
pub(crate) trait Visitor {
    /// A column reference and its meaning.
    fn column(&mut self, expr: &mut Expr, meaning: &Meaning) -> Result<()> {
        let _ = (expr, meaning);
        Ok(())
    }

    /// A table in `from` that is no common table expression.
    fn table(&mut self, name: &mut ObjectName) -> Result<()> {
        let _ = name;
        Ok(())
    }

    /// A call; its arguments are visited afterwards.
    fn call(&mut self, call: &mut Call) -> Result<()> {
        let _ = call;
        Ok(())
    }

    /// A type.
    fn ty(&mut self, ty: &mut TypeName) -> Result<()> {
        let _ = ty;
        Ok(())
    }

    /// Whether `*` becomes the columns that it stands for, as in what PostgreSQL stores.
    fn expands_stars(&self) -> bool {
        false
    }

    /// A select, before anything in it.
    fn select(&mut self, select: &mut Select) -> Result<()> {
        let _ = select;
        Ok(())
    }

    /// An item of `from`, after its table was visited.
    fn source(&mut self, item: &mut FromItem) -> Result<()> {
        let _ = item;
        Ok(())
    }
}

/// One of the columns that `*` stands for.
#[derive(Clone, Debug)]
struct StarColumn {
    /// The source; `None` for what a full join merges.
    qualifier: Option<String>,
    name: String,
}

/// All of them, if they are known.
type Star = Option<Vec<StarColumn>>;

/// A walk under way.
pub(crate) struct Walk<'a> {
    /// What is done at names.
    pub(crate) visitor: &'a mut dyn Visitor,
    /// Where tables are looked up.
    pub(crate) tables: &'a dyn Tables,
    /// What is in scope.
    pub(crate) scope: Scope,
}

impl Walk<'_> {
    /// Visits an expression.
    pub(crate) fn expr(&mut self, expr: &mut Expr) -> Result<()> {
        if let ExprKind::Column(parts) = &*expr.kind {
            let meaning = self.scope.resolve(parts);
            return self.visitor.column(expr, &meaning);
        }
        if let ExprKind::Star(parts) = &*expr.kind {
            let Some(qualifier) = parts.last().cloned() else { return Ok(()) };
            let meaning = self.scope.resolve(&[qualifier]);
            return if meaning == Meaning::Nothing {
                Ok(())
            } else {
                self.visitor.column(expr, &Meaning::Other)
            };
        }
        self.kind(&mut expr.kind)
    }

    fn kind(&mut self, kind: &mut ExprKind) -> Result<()> {
        match kind {
            ExprKind::Literal(_)
            | ExprKind::Column(_)
            | ExprKind::Star(_)
            | ExprKind::Param(_)
            | ExprKind::Default => Ok(()),
            ExprKind::Unary { expr, .. }
            | ExprKind::Not(expr)
            | ExprKind::IsNull { expr, .. }
            | ExprKind::IsBool { expr, .. } => self.expr(expr),
            ExprKind::Collate { expr, .. } | ExprKind::Field { expr, .. } => self.expr(expr),
            ExprKind::Binary { left, right, .. } | ExprKind::IsDistinct { left, right, .. } => {
                self.all([left, right])
            }
            ExprKind::And(list) | ExprKind::Or(list) | ExprKind::Array(list) | ExprKind::Row(list) => {
                self.all(list)
            }
            ExprKind::Between { expr, low, high, .. } => self.all([expr, low, high]),
            ExprKind::InList { expr, list, .. } => {
                self.expr(expr)?;
                self.all(list)
            }
            ExprKind::InSubquery { expr, query, .. } | ExprKind::QuantifiedSubquery { expr, query, .. } => {
                self.expr(expr)?;
                self.query(query).map(drop)
            }
            ExprKind::Quantified { expr, array, .. } => self.all([expr, array]),
            ExprKind::Like { expr, pattern, escape, .. } => {
                self.all([expr, pattern].into_iter().chain(escape))
            }
            ExprKind::Case { operand, branches, otherwise } => {
                self.all(operand)?;
                self.all(branches.iter_mut().flat_map(|(when, then)| [when, then]))?;
                self.all(otherwise)
            }
            ExprKind::Cast { expr, ty } => {
                self.expr(expr)?;
                self.visitor.ty(ty)
            }
            ExprKind::Call(call) => self.call(call),
            ExprKind::ArraySubquery(query) | ExprKind::Exists(query) | ExprKind::Subquery(query) => {
                self.query(query).map(drop)
            }
            ExprKind::Index { expr, index } => self.all([expr, index]),
            ExprKind::Slice { expr, low, high, .. } => self.all([expr].into_iter().chain(low).chain(high)),
        }
    }

    fn all<'e>(&mut self, exprs: impl IntoIterator<Item = &'e mut Expr>) -> Result<()> {
        exprs.into_iter().try_for_each(|expr| self.expr(expr))
    }

    fn call(&mut self, call: &mut Call) -> Result<()> {
        self.visitor.call(call)?;
        self.all(call.args.iter_mut().map(|argument| &mut argument.value))?;
        self.order(&mut call.order_by)?;
        self.order(&mut call.within_group)?;
        self.all(&mut call.filter)?;
        call.over.iter_mut().try_for_each(|window| self.window(window))
    }

    fn window(&mut self, window: &mut Window) -> Result<()> {
        self.all(&mut window.partition_by)?;
        self.order(&mut window.order_by)
    }

    fn order(&mut self, items: &mut [OrderItem]) -> Result<()> {
        self.all(items.iter_mut().map(|item| &mut item.expr))
    }

    /// Visits a query; returns the names of its result's columns, if they are known.
    pub(crate) fn query(&mut self, query: &mut Query) -> Result<Option<Vec<String>>> {
        let before = match &mut query.with {
            Some(with) => self.with(with)?,
            None => Vec::new(),
        };
        self.scope.open();
        let columns = self.body(&mut query.body, &mut query.order_by);
        let rest = columns.and_then(|columns| {
            self.all(&mut query.limit)?;
            self.all(&mut query.offset)?;
            Ok(columns)
        });
        self.scope.close();
        for (name, meaning) in before.into_iter().rev() {
            self.scope.restore_cte(&name, meaning);
        }
        rest
    }

    #[expect(clippy::type_complexity, reason = "names and what they meant")]
    fn with(&mut self, with: &mut With) -> Result<Vec<(String, Option<Option<Vec<String>>>)>> {
        let mut before = Vec::new();
        for cte in &mut with.ctes {
            if with.recursive {
                let columns = if cte.columns.is_empty() { None } else { Some(cte.columns.clone()) };
                before.push((cte.name.clone(), self.scope.add_cte(&cte.name, columns)));
            }
            let columns = match &mut *cte.body {
                StatementKind::Query(query) => self.query(query)?,
                _ => None,
            };
            let columns = if cte.columns.is_empty() { columns } else { Some(cte.columns.clone()) };
            before.push((cte.name.clone(), self.scope.add_cte(&cte.name, columns)));
        }
        Ok(before)
    }

    fn body(&mut self, body: &mut QueryBody, order_by: &mut [OrderItem]) -> Result<Option<Vec<String>>> {
        match body {
            QueryBody::Select(select) => self.select(select, order_by),
            QueryBody::SetOperation { left, right, .. } => {
                let columns = self.query(left)?;
                self.query(right)?;
                Ok(columns)
            }
            QueryBody::Values(rows) => {
                let width = rows.first().map_or(0, Vec::len);
                self.all(rows.iter_mut().flatten())?;
                Ok(Some((1..=width).map(|n| format!("column{n}")).collect()))
            }
        }
    }

    fn select(&mut self, select: &mut Select, order_by: &mut [OrderItem]) -> Result<Option<Vec<String>>> {
        self.visitor.select(select)?;
        let star: Star = select
            .from
            .iter_mut()
            .map(|item| self.item(item))
            .collect::<Result<Option<Vec<_>>>>()?
            .map(|all| all.concat());
        if self.visitor.expands_stars() {
            let targets = std::mem::take(&mut select.targets);
            select.targets = targets.into_iter().flat_map(|target| self.expanded(target, &star)).collect();
        }
        self.all(select.targets.iter_mut().map(|target| &mut target.expr))?;
        self.all(&mut select.filter)?;
        let outputs: Vec<String> = select.targets.iter().filter_map(|target| target.alias.clone()).collect();
        self.outputs_or_columns(&mut select.group_by, &outputs)?;
        self.all(&mut select.having)?;
        if let sql::ast::Distinct::On(keys) = &mut select.distinct {
            self.outputs_or_columns(keys, &outputs)?;
        }
        select.windows.iter_mut().try_for_each(|(_, window)| self.window(window))?;
        self.outputs_or_columns(order_by.iter_mut().map(|item| &mut item.expr), &outputs)?;
        Ok(self.outputs(&select.targets, &star))
    }

    /// What stands for a target: for `*` its columns, if they are known.
    fn expanded(&self, target: Target, star: &Star) -> Vec<Target> {
        let ExprKind::Star(parts) = &*target.expr.kind else { return vec![target] };
        let Some(columns) = self.star(parts, star) else { return vec![target] };
        let span = target.expr.span;
        let column = |column: StarColumn| {
            let parts = column.qualifier.into_iter().chain([column.name.clone()]).collect();
            Target { expr: Expr::new(ExprKind::Column(parts), span), alias: Some(column.name) }
        };
        columns.into_iter().map(column).collect()
    }

    fn star(&self, parts: &[String], star: &Star) -> Star {
        let Some(alias) = parts.last() else { return star.clone() };
        let names = self.scope.star(alias)?;
        Some(qualified(Some(alias), names))
    }

    /// Keys that are a bare name of an output mean the output.
    fn outputs_or_columns<'e>(
        &mut self,
        keys: impl IntoIterator<Item = &'e mut Expr>,
        outputs: &[String],
    ) -> Result<()> {
        let is_output = |expr: &Expr| matches!(&*expr.kind, ExprKind::Column(parts) if matches!(&parts[..], [name] if outputs.contains(name)));
        self.all(keys.into_iter().filter(|expr| !is_output(expr)))
    }

    fn outputs(&self, targets: &[Target], star: &Star) -> Option<Vec<String>> {
        let names = targets.iter().map(|target| match (&target.alias, &*target.expr.kind) {
            (Some(alias), _) => Some(vec![alias.clone()]),
            (None, ExprKind::Star(parts)) => {
                self.star(parts, star).map(|columns| columns.into_iter().map(|column| column.name).collect())
            }
            (None, _) => {
                Some(vec![figure::column_name(&target.expr).unwrap_or_else(|| "?column?".to_owned())])
            }
        });
        names.collect::<Option<Vec<_>>>().map(|names| names.concat())
    }

    /// Visits an item of `from`; returns the columns that it adds to `*`.
    fn item(&mut self, item: &mut FromItem) -> Result<Star> {
        match item {
            FromItem::Table { .. } => self.table(item),
            FromItem::Subquery { query, alias, .. } => {
                let columns = relabeled(self.query(query)?, alias.as_ref());
                let alias = alias.as_ref().map_or("", |alias| &alias.name);
                Ok(self.add(Source::named(alias, columns)))
            }
            FromItem::Function { call, definitions, .. } => {
                self.call(call)?;
                definitions.iter_mut().try_for_each(|(_, ty)| self.visitor.ty(ty))?;
                Ok(self.add(Source::named(alias_of(item).unwrap_or_default(), None)))
            }
            FromItem::Functions { calls, .. } => {
                for (call, definitions) in calls {
                    self.call(call)?;
                    definitions.iter_mut().try_for_each(|(_, ty)| self.visitor.ty(ty))?;
                }
                Ok(self.add(Source::named(alias_of(item).unwrap_or_default(), None)))
            }
            FromItem::Join { kind, left, right, condition } => {
                let (left, right) = (self.item(left)?, self.item(right)?);
                if let JoinCondition::On(condition) = condition {
                    self.expr(condition)?;
                }
                Ok(left.zip(right).map(|(left, right)| joined(left, right, *kind, condition)))
            }
        }
    }

    fn add(&mut self, source: Source) -> Star {
        let star = source.columns.clone().map(|names| qualified(Some(&source.alias), names));
        self.scope.add(source);
        star
    }

    fn table(&mut self, item: &mut FromItem) -> Result<Star> {
        let FromItem::Table { name, alias, .. } = item else { return Ok(None) };
        if let Some(columns) = self.scope.cte(name) {
            let columns = relabeled(columns.clone(), alias.as_ref());
            let alias = alias.as_ref().map_or(&name.name, |alias| &alias.name);
            return Ok(self.add(Source::named(alias, columns)));
        }
        self.visitor.table(name)?;
        let own = alias.is_none();
        let source = match self.tables.find(name) {
            Some(table) => {
                let mut source =
                    Source::aliased(table, alias.as_ref().map_or(&name.name, |alias| &alias.name));
                source.is_own_name = own;
                if alias.as_ref().is_some_and(|alias| !alias.columns.is_empty()) {
                    source = Source::named(&source.alias, relabeled(source.columns, alias.as_ref()));
                }
                source
            }
            None => Source::named(alias.as_ref().map_or(&name.name, |alias| &alias.name), None),
        };
        let star = self.add(source);
        self.visitor.source(item)?;
        Ok(star)
    }
}

fn qualified(alias: Option<&str>, names: Vec<String>) -> Vec<StarColumn> {
    let alias = alias.filter(|alias| !alias.is_empty());
    names.into_iter().map(|name| StarColumn { qualifier: alias.map(str::to_owned), name }).collect()
}

/// The columns of a join: those that it merges come once, in front.
fn joined(
    left: Vec<StarColumn>,
    right: Vec<StarColumn>,
    kind: JoinKind,
    condition: &JoinCondition,
) -> Vec<StarColumn> {
    let has = |columns: &[StarColumn], name: &str| columns.iter().any(|column| column.name == name);
    let names: Vec<String> = match condition {
        JoinCondition::Using(columns) => columns.clone(),
        JoinCondition::Natural => {
            let shared = left.iter().filter(|column| has(&right, &column.name));
            shared.map(|column| column.name.clone()).collect()
        }
        JoinCondition::None | JoinCondition::On(_) => Vec::new(),
    };
    let side = if kind == JoinKind::Right { &right } else { &left };
    let merged = names.iter().map(|name| StarColumn {
        qualifier: side
            .iter()
            .find(|column| column.name == *name && kind != JoinKind::Full)
            .and_then(|column| column.qualifier.clone()),
        name: name.clone(),
    });
    let mut all: Vec<StarColumn> = merged.collect();
    all.extend(left.into_iter().chain(right).filter(|column| !names.contains(&column.name)));
    all
}
