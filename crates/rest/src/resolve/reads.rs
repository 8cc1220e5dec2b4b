//! Reads: the rows of a resource, of those embedded in it, and how many there are.

use catalog::ColumnId;
use query::{
    Expr, Form, JoinKind, Nest, Order, Output, Presentation, Query, Read, Source, SourceId, Subquery, visit,
};
use types::{Code, Error, Result, Type, Value};

use super::fields::Scope;
use super::outputs::column_of;
use super::tree::{Link, Node, not_embedded};
use super::{Pass, Resolved};
use crate::order::OrderTerm;
use crate::prefer::Count;
use crate::range::Range;
use crate::respond::Column;

impl<'a> Pass<'a> {
    /// `GET` and `HEAD` of a table or view.
    pub(super) fn read_request(&mut self, name: &str) -> Result<Resolved> {
        let table = self.table(name)?;
        let root = self.tree(table)?;
        let source = self.model.relation(table, &mut self.ids)?;
        let read = self.rows(&root, source)?;
        let columns = columns(&read.outputs);
        let mut resolved = Resolved { queries: vec![Query::Read(read)], columns, ..Resolved::default() };
        match self.request.prefer.count {
            None => {}
            Some(Count::Planned | Count::Estimated) if self.model.is_native() => {
                self.estimate(&root, &mut resolved)?;
            }
            Some(Count::Exact | Count::Planned | Count::Estimated) => {
                let source = self.model.relation(root.table, &mut self.ids)?;
                resolved.queries.push(Query::Read(self.count(&root, source)?));
            }
        }
        Ok(resolved)
    }

    /// The rows of the root, from `source`.
    pub(super) fn rows(&mut self, root: &Node<'a>, source: Source) -> Result<Read> {
        let (read, scope) = self.matching(root, source)?;
        let items = self.items(root, &scope)?;
        let read = self.said(read, &scope, items)?;
        self.arranged(read, root, &scope, self.rows_max())
    }

    /// How many rows the filters of the root may match, as the engine's planner expects; an estimate that is asked for by that
    /// word is exact while it is short.
    fn estimate(&mut self, root: &Node<'a>, resolved: &mut Resolved) -> Result<()> {
        if self.request.prefer.count == Some(Count::Estimated) {
            let source = self.model.relation(root.table, &mut self.ids)?;
            let mut first = self.any_rows(root, source)?;
            if let Some(most) = self.exposed.rows_max {
                first.limit = Some(number(most.saturating_add(1)));
                resolved.exact_max = Some(most);
            }
            let counted = Source::Read { id: self.ids.fresh(), read: Box::new(first), view: None };
            let expr = self.typing.aggregate("count", None)?;
            let outputs = vec![Output { name: "count".into(), expr }];
            resolved.queries.push(Query::Read(Read { outputs, ..Read::from(counted) }));
        }
        let source = self.model.relation(root.table, &mut self.ids)?;
        let expected = self.any_rows(root, source)?;
        resolved.presentations.push((resolved.queries.len(), Presentation::Estimated));
        resolved.queries.push(Query::Read(expected));
        Ok(())
    }

    /// The rows that the filters of the root match, nothing said of them.
    fn any_rows(&mut self, root: &Node<'a>, source: Source) -> Result<Read> {
        let (mut read, _) = self.matching(root, source)?;
        read.outputs.push(Output { name: "row".into(), expr: Expr::bool(true) });
        Ok(read)
    }

    /// How many rows the filters of the root match.
    pub(super) fn count(&mut self, root: &Node<'a>, source: Source) -> Result<Read> {
        let (mut read, _) = self.matching(root, source)?;
        let expr = self.typing.aggregate("count", None)?;
        read.outputs.push(Output { name: "count".into(), expr });
        Ok(read)
    }

    /// The rows of a resource that meet its conditions, nothing said of them yet.
    fn matching(&mut self, node: &Node<'a>, source: Source) -> Result<(Read, Scope)> {
        let scope = Scope { source: leftmost(&source)?, table: node.table, label: node.label.clone() };
        let mut read = Read::from(source);
        for condition in &node.conditions {
            let condition = self.condition(&scope, Some(node), *condition)?;
            read.and_where(condition);
        }
        for child in node.children.iter().filter(|child| child.is_inner()) {
            let there = self.presence(&scope, child)?;
            read.and_where(there);
        }
        Ok((read, scope))
    }

    /// The rows of an embedded resource that belong to a row of its parent and meet its conditions.
    pub(super) fn related(&mut self, parent: &Scope, child: &Node<'a>) -> Result<(Read, Scope)> {
        let embedded = child.embedded.as_ref().ok_or_else(|| Error::internal("the root has no parent"))?;
        let edge = match embedded.link {
            Link::Edge(edge) => edge,
            Link::Computed { function, .. } => {
                let source = self.computed_rows(parent, function)?;
                return self.matching(child, source);
            }
        };
        let reached = self.model.relation(child.table, &mut self.ids)?;
        let reached_scope = Scope { source: leftmost(&reached)?, table: child.table, label: String::new() };
        let Some(through) = &edge.through else {
            let links = self.links(parent, &edge.from_columns, &reached_scope, &edge.to_columns)?;
            let (read, scope) = self.matching(child, reached)?;
            return Ok((linked(read, links), scope));
        };
        let junction = self.model.relation(through.table, &mut self.ids)?;
        let junction_scope =
            Scope { source: leftmost(&junction)?, table: through.table, label: String::new() };
        let on = self.links(&junction_scope, &through.to_columns, &reached_scope, &edge.to_columns)?;
        let links = self.links(parent, &edge.from_columns, &junction_scope, &through.from_columns)?;
        let joined = Source::Join {
            kind: JoinKind::Inner,
            left: Box::new(reached),
            right: Box::new(junction),
            on: Expr::all(on),
        };
        let (read, scope) = self.matching(child, joined)?;
        Ok((linked(read, links), scope))
    }

    /// Columns of two rows pairwise equal.
    fn links(
        &self,
        left: &Scope,
        left_columns: &[ColumnId],
        right: &Scope,
        right_columns: &[ColumnId],
    ) -> Result<Vec<Expr>> {
        let pairs = left_columns.iter().zip(right_columns);
        pairs.map(|(from, to)| self.typing.binary(right.at(self, *to), "=", left.at(self, *from))).collect()
    }

    /// Whether a row has a row of an embedded resource. An aggregate over none of its rows is a row, too.
    pub(super) fn presence(&mut self, parent: &Scope, child: &Node<'a>) -> Result<Expr> {
        if self.is_one_group(child) {
            return Ok(Expr::bool(true));
        }
        let (mut read, _) = self.related(parent, child)?;
        if child.range.offset > 0 || child.range.limit == Some(0) {
            bound(&mut read, child.range);
        }
        Ok(Expr::Subquery(Box::new(Subquery::Exists(read))))
    }

    /// The rows of an embedded resource, as JSON.
    pub(super) fn nested(&mut self, parent: &Scope, child: &Node<'a>) -> Result<Expr> {
        let (read, scope) = self.related(parent, child)?;
        let items = self.items(child, &scope)?;
        let read = self.said(read, &scope, items)?;
        let many = !child.is_to_one();
        let rows_max = if many { self.rows_max() } else { child.rows_max() };
        let read = self.arranged(read, child, &scope, rows_max)?;
        Ok(Expr::Subquery(Box::new(Subquery::Nest(Nest { read, many, bare: false }))))
    }

    /// Order and range.
    pub(super) fn arranged(
        &mut self,
        mut read: Read,
        node: &Node<'a>,
        scope: &Scope,
        rows_max: Option<u64>,
    ) -> Result<Read> {
        for term in node.order {
            let key = match self.spread_key(scope, term) {
                Some(key) => key,
                None => {
                    let key = self.order_key(node, scope, term)?;
                    self.check_grouped(&read, scope, &key.expr)?;
                    key
                }
            };
            read.order.push(key);
        }
        bound(&mut read, rows_max.map_or(node.range, |max| node.range.at_most(max)));
        Ok(read)
    }

    /// What groups have of a spread resource, by the name that it has there.
    fn spread_key(&mut self, scope: &Scope, term: &OrderTerm) -> Option<Order> {
        let relation = term.relation.as_deref().filter(|_| term.field.path.is_empty())?;
        let known = self.spread_keys.iter().find(|(source, of, name, _)| {
            *source == scope.source && **of == *relation && **name == *term.field.name
        });
        let expr = known.map(|(_, _, _, expr)| expr.clone())?;
        let nulls_first = term.nulls_first.unwrap_or(term.descending);
        Some(Order { expr: self.again(&expr), descending: term.descending, nulls_first })
    }

    fn order_key(&mut self, node: &Node<'a>, scope: &Scope, term: &OrderTerm) -> Result<Order> {
        let expr = match &term.relation {
            None => self.field(scope, &term.field)?,
            Some(relation) => self.related_field(node, scope, relation, term)?,
        };
        if expr.ty() == Type::Json {
            return Err(no_operator("an ordering", &expr)
                .with_hint("Use an explicit ordering operator or modify the query."));
        }
        let nulls_first = term.nulls_first.unwrap_or(term.descending);
        Ok(Order { expr, descending: term.descending, nulls_first })
    }

    /// A field of the only row of an embedded resource.
    fn related_field(
        &mut self,
        node: &Node<'a>,
        scope: &Scope,
        relation: &str,
        term: &OrderTerm,
    ) -> Result<Expr> {
        let child = node.child(relation).ok_or_else(|| not_embedded(relation))?;
        if !child.is_to_one() {
            let origin = &self.declared(node.table).name.name;
            let message = format!("A related order on '{relation}' is not possible");
            return Err(Error::new(Code::RELATED_ORDER, message).with_details(format!(
                "'{origin}' and '{relation}' do not form a many-to-one or one-to-one relationship"
            )));
        }
        let (mut read, inner) = self.related(scope, child)?;
        let expr = self.field(&inner, &term.field)?;
        read.outputs.push(Output { name: "key".into(), expr });
        read.limit = Some(number(1));
        Ok(Expr::Subquery(Box::new(Subquery::Scalar(read))))
    }

    /// Refuses an order by what the groups of a read do not decide.
    fn check_grouped(&self, read: &Read, scope: &Scope, key: &Expr) -> Result<()> {
        let grouped =
            !read.group.is_empty() || read.outputs.iter().any(|output| query::has_aggregate(&output.expr));
        if !grouped || self.decides(read, scope, key) {
            return Ok(());
        }
        match column_of(key, scope) {
            Some(column) => Err(self.ungrouped(scope, column)),
            None => Err(Error::internal("a key without columns was not decided")),
        }
    }

    /// The refusal of a column that groups do not decide.
    pub(super) fn ungrouped(&self, scope: &Scope, column: ColumnId) -> Error {
        let (label, name) = (&scope.label, &self.declared(scope.table)[column].name);
        let message = format!(
            "column \"{label}.{name}\" must appear in the GROUP BY clause or be used in an aggregate function"
        );
        Error::new(Code::GROUPING, message)
    }

    /// Whether every column of a key is grouped by, or the table's primary key is.
    fn decides(&self, read: &Read, scope: &Scope, key: &Expr) -> bool {
        let is_grouped = |wanted: ColumnId| {
            read.group.iter().any(|key| {
                matches!(key, Expr::Column { source, column, .. } if *source == scope.source && *column == wanted)
            })
        };
        let primary = self.declared(scope.table).primary_key.as_ref().filter(|key| !key.deferrable);
        if primary.is_some_and(|primary| primary.columns.iter().all(|column| is_grouped(*column))) {
            return true;
        }
        let mut decided = true;
        visit::deep(key, &mut |inner| {
            if let Expr::Column { source, column, .. } = inner
                && *source == scope.source
            {
                decided &= is_grouped(*column);
            }
        });
        decided
    }
}

/// The columns of a reply.
pub(super) fn columns(outputs: &[Output]) -> Vec<Column> {
    outputs.iter().map(|output| Column { name: output.name.clone(), ty: output.expr.ty() }).collect()
}

/// `could not identify an ordering operator`
pub(super) fn no_operator(what: &str, expr: &Expr) -> Error {
    let ty = types::ty::format_type(&expr.ty(), None);
    Error::new(Code::UNDEFINED_FUNCTION, format!("could not identify {what} operator for type {ty}"))
}

/// A whole number that a read is bounded by.
pub(super) fn number(number: u64) -> Expr {
    Expr::Const { value: Value::Int(i64::try_from(number).unwrap_or(i64::MAX)), ty: Type::Int8 }
}

fn bound(read: &mut Read, range: Range) {
    read.limit = range.limit.map(number);
    read.offset = (range.offset > 0).then(|| number(range.offset));
}

fn linked(mut read: Read, links: Vec<Expr>) -> Read {
    read.filter = Expr::all(links.into_iter().chain(read.filter.take()).flat_map(flat));
    read
}

/// The operands of a conjunction.
fn flat(expr: Expr) -> Vec<Expr> {
    match expr {
        Expr::Form { form: Form::And, args, .. } => args,
        other => vec![other],
    }
}

fn leftmost(source: &Source) -> Result<SourceId> {
    match source {
        Source::Join { left, .. } => leftmost(left),
        source => visit::id_of(source).ok_or_else(|| Error::internal("a resource is a source of rows")),
    }
}
