//! Common table expressions and set operations (PostgreSQL 7.4, 7.8).
//!
//! As PostgreSQL does it: one that is read once is part of what reads it, unless it is recursive, is said to be materialized or
//! says something else each time. What is not read is not computed.

use std::sync::Arc;

use sql::ast::{self, QueryBody, SetOperator as Word, StatementKind, With};
use types::ty::format_type;
use types::{Code, Error, Result, Type};

use super::Resolver;
use super::calls::ordered;
use super::scope::{Level, Relation};
use crate::functions::common_type;
use crate::ir::{Changed, Cte, Expr, Order, Output, Query, Read, SetOperator, Source, SourceId};
use crate::visit;

/// A common table expression in scope.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) cte: SourceId,
    pub(super) columns: Columns,
}

/// Names and types.
type Columns = Arc<[(Arc<str>, Type)]>;

/// A common table expression, and whether it was said to be materialized.
#[derive(Clone)]
pub(super) struct Defined {
    cte: Cte,
    materialized: Option<bool>,
}

impl Defined {
    pub(super) fn is_named_in(&self, read: &Read) -> bool {
        let mut found = false;
        visit::deep_sources(read, &mut |source| found |= names(source, self.cte.id));
        found
    }

    pub(super) fn says_something_else(&self) -> bool {
        says_something_else(&self.cte.read)
    }
}

impl Resolver<'_> {
    /// The definitions of a `with`, in scope from then on.
    pub(super) fn with(&mut self, with: &With) -> Result<Vec<Defined>> {
        let mut defined = Vec::new();
        for cte in &with.ctes {
            let id = self.ids.fresh();
            let StatementKind::Query(query) = &*cte.body else {
                self.changing(id, cte, &defined)?;
                continue;
            };
            let (read, recursive) = match recursion(query).filter(|_| with.recursive) {
                Some(sides) => self.recursive(id, cte, sides)?,
                None => (self.query(query)?, false),
            };
            let columns = named_columns(&read, cte)?;
            if !recursive {
                self.ctes.push(Named { name: cte.name.clone(), cte: id, columns });
            }
            defined.push(Defined { cte: Cte { id, read, recursive }, materialized: cte.materialized });
        }
        Ok(defined)
    }

    /// A data-modifying definition, which is done whether somebody reads it or not.
    fn changing(&mut self, id: SourceId, cte: &ast::Cte, defined: &[Defined]) -> Result<()> {
        let Some(mut changed) = self.changed.take().filter(|_| self.levels.is_empty()) else {
            let message = "WITH clause containing a data-modifying statement must be at the top level";
            return Err(Error::new(Code::FEATURE_NOT_SUPPORTED, message));
        };
        let query = self.statement(&cte.body);
        let Query::Write(mut write) = query? else {
            return Err(Error::internal("a change that is a select"));
        };
        self.give(&mut write, defined)?;
        let columns = match &write.returning {
            Some(returning) => named_columns(returning, cte)?,
            None => [].into(),
        };
        self.ctes.push(Named { name: cte.name.clone(), cte: id, columns });
        changed.push(Changed { id, write: *write });
        self.changed = Some(changed);
        Ok(())
    }

    /// A query that may name itself on its right side; whether it does.
    fn recursive(
        &mut self,
        id: SourceId,
        cte: &ast::Cte,
        (query, all, left, right): (&ast::Query, bool, &ast::Query, &ast::Query),
    ) -> Result<(Read, bool)> {
        let mut base = self.query(left)?;
        let columns = named_columns(&base, cte)?;
        self.ctes.push(Named { name: cte.name.clone(), cte: id, columns: columns.clone() });
        self.unsettled = true;
        let mut step = self.query(right)?;
        let is_itself = |source: &Source| matches!(source, Source::Cte { cte, .. } if *cte == id);
        let mut uses = 0;
        visit::deep_sources(&step, &mut |source| uses += usize::from(is_itself(source)));
        if uses == 0 {
            self.ctes.pop();
            let read = self.query(query)?;
            let columns = named_columns(&read, cte)?;
            self.ctes.push(Named { name: cte.name.clone(), cte: id, columns });
            return Ok((read, false));
        }
        if uses > 1 {
            let message =
                format!("recursive reference to query \"{}\" must not appear more than once", cte.name);
            return Err(Error::new(Code::INVALID_RECURSION, message));
        }
        if !query.order_by.is_empty() || query.limit.is_some() || query.offset.is_some() {
            let word = if query.order_by.is_empty() { "LIMIT" } else { "ORDER BY" };
            return Err(Error::new(
                Code::FEATURE_NOT_SUPPORTED,
                format!("{word} in a recursive query is not implemented"),
            ));
        }
        if step.outputs.iter().any(|output| visit::has_aggregate(&output.expr)) || !step.group.is_empty() {
            let message = "aggregate functions are not allowed in a recursive query's recursive term";
            return Err(Error::new(Code::INVALID_RECURSION, message));
        }
        let types: Vec<Type> = base.outputs.iter().map(|output| output.expr.ty()).collect();
        self.unify(SetOperator::Union, &mut base, &mut step)?;
        for (position, (output, ty)) in base.outputs.iter().zip(&types).enumerate() {
            if output.expr.ty() != *ty {
                let (overall, own) = (format_type(&output.expr.ty(), None), format_type(ty, None));
                let message = format!(
                    "recursive query \"{}\" column {} has type {own} in non-recursive term but type {overall} overall",
                    cte.name,
                    position + 1
                );
                return Err(Error::new(Code::DATATYPE_MISMATCH, message)
                    .with_hint("Cast the output of the non-recursive term to the correct type."));
            }
        }
        Ok((self.put_together(SetOperator::Union, all, base, step), true))
    }

    /// A set operation, with an order on top.
    pub(super) fn set_operation(
        &mut self,
        (word, all): (Word, bool),
        (left, right): (&ast::Query, &ast::Query),
        order_by: &[ast::OrderItem],
    ) -> Result<Read> {
        let operator = match word {
            Word::Union => SetOperator::Union,
            Word::Intersect => SetOperator::Intersect,
            Word::Except => SetOperator::Except,
        };
        self.unsettled = true;
        let mut left = self.query(left)?;
        self.unsettled = true;
        let mut right = self.query(right)?;
        self.unify(operator, &mut left, &mut right)?;
        let mut read = self.put_together(operator, all, left, right);
        read.order = self.order_of_names(order_by, &read, operator)?;
        Ok(read)
    }

    /// Gives the outputs of both sides common types.
    fn unify(&mut self, operator: SetOperator, left: &mut Read, right: &mut Read) -> Result<()> {
        if left.outputs.len() != right.outputs.len() {
            let message = format!("each {} query must have the same number of columns", operator.word());
            return Err(Error::new(Code::SYNTAX, message));
        }
        for (left, right) in left.outputs.iter_mut().zip(&mut right.outputs) {
            let ty = common_type(operator.word(), &[left.expr.ty(), right.expr.ty()])?;
            left.expr = self.coerce(left.expr.clone(), &ty)?;
            right.expr = self.coerce(right.expr.clone(), &ty)?;
        }
        Ok(())
    }

    pub(super) fn put_together(&mut self, operator: SetOperator, all: bool, left: Read, right: Read) -> Read {
        let id = self.ids.fresh();
        let columns = Relation::of_outputs("", &left.outputs, id).columns;
        let from = Source::Compound { id, operator, all, left: Box::new(left), right: Box::new(right) };
        let outputs = columns.into_iter().map(|(name, expr)| Output { name, expr }).collect();
        Read { outputs, ..Read::from(from) }
    }

    /// Of a set operation only the columns of the result are known to an order.
    fn order_of_names(
        &mut self,
        items: &[ast::OrderItem],
        read: &Read,
        operator: SetOperator,
    ) -> Result<Vec<Order>> {
        let refuse = || {
            let message = format!(
                "invalid {} ORDER BY clause",
                operator.word().replace("INTERSECT", "UNION/INTERSECT/EXCEPT")
            );
            let message = message.replace("invalid EXCEPT", "invalid UNION/INTERSECT/EXCEPT");
            Error::new(
                Code::FEATURE_NOT_SUPPORTED,
                message.replace("invalid UNION ORDER", "invalid UNION/INTERSECT/EXCEPT ORDER"),
            )
            .with_details("Only result column names can be used, not expressions or functions.")
            .with_hint("Add the expression/function to every SELECT, or move the UNION into a FROM clause.")
        };
        self.levels.push(Level::default());
        let order = items.iter().map(|item| match self.output(&item.expr, &read.outputs, "ORDER BY")? {
            Some(expr) => ordered(expr, item),
            None => Err(refuse()),
        });
        let order = order.collect();
        self.levels.pop();
        order
    }

    /// Puts definitions where they are read, or above.
    pub(super) fn placed(&mut self, mut read: Read, defined: Vec<Defined>) -> Read {
        let mut kept: Vec<Cte> = Vec::new();
        for Defined { cte, materialized } in defined.into_iter().rev() {
            let mut uses = 0;
            let mut count = |source: &Source| uses += usize::from(names(source, cte.id));
            visit::deep_sources(&read, &mut count);
            kept.iter().for_each(|other| visit::deep_sources(&other.read, &mut count));
            if uses == 0 {
                continue;
            }
            let computed_once = cte.recursive || materialized == Some(true) || says_something_else(&cte.read);
            if computed_once || (uses > 1 && materialized != Some(false)) {
                kept.insert(0, cte);
                continue;
            }
            self.inline(&mut read, &cte);
            kept.iter_mut().for_each(|other| self.inline(&mut other.read, &cte));
        }
        kept.append(&mut read.with);
        read.with = kept;
        read
    }

    fn inline(&mut self, read: &mut Read, cte: &Cte) {
        visit::deep_sources_mut(read, &mut |source| {
            if let Source::Cte { id, cte: named, .. } = source
                && *named == cte.id
            {
                let copy = visit::instantiate_read(&cte.read, &mut self.ids);
                *source = Source::Read { id: *id, read: Box::new(copy), view: None };
            }
        });
    }

    /// A common table expression in scope, as a source.
    pub(super) fn named_cte(&mut self, name: &str, alias: Option<&str>) -> Option<(Source, Relation)> {
        let found = self.ctes.iter().rev().find(|named| named.name == name)?.clone();
        let id = self.ids.fresh();
        let column = |((name, ty), at): (&(Arc<str>, Type), u16)| {
            (name.clone(), Expr::Column { source: id, column: catalog::ColumnId(at), ty: ty.clone() })
        };
        let columns = found.columns.iter().zip(0..).map(column).collect();
        let relation = Relation::of_columns(alias.unwrap_or(name), columns);
        Some((Source::Cte { id, cte: found.cte, columns: found.columns }, relation))
    }
}

fn names(source: &Source, id: SourceId) -> bool {
    matches!(source, Source::Cte { cte, .. } if *cte == id)
}

/// The parts of a query that may be recursive.
fn recursion(query: &ast::Query) -> Option<(&ast::Query, bool, &ast::Query, &ast::Query)> {
    match &query.body {
        QueryBody::SetOperation { op: Word::Union, all, left, right } if query.with.is_none() => {
            Some((query, *all, left, right))
        }
        QueryBody::SetOperation { .. } | QueryBody::Select(_) | QueryBody::Values(_) => None,
    }
}

/// Names and types of the columns of a common table expression.
fn named_columns(read: &Read, cte: &ast::Cte) -> Result<Columns> {
    if cte.columns.len() > read.outputs.len() {
        let message = format!(
            "WITH query \"{}\" has {} columns available but {} columns specified",
            cte.name,
            read.outputs.len(),
            cte.columns.len()
        );
        return Err(Error::new(Code::INVALID_COLUMN_REFERENCE, message));
    }
    let named = read.outputs.iter().enumerate().map(|(at, output)| {
        let name = cte.columns.get(at).map_or_else(|| output.name.clone(), |name| name.as_str().into());
        (name, output.expr.ty())
    });
    Ok(named.collect())
}

/// Whether a read may say something else each time, or changes something: it is computed once.
fn says_something_else(read: &Read) -> bool {
    visit::read_is_volatile(read) || visit::changes(read)
}
