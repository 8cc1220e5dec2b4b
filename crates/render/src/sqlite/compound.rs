//! Set operations and common table expressions.

use query::{Cte, Read, SetOperator, Source};
use types::{Error, Result, Type};

use super::names::{self, Special};
use super::read::Use;
use super::{Columns, Writer};

/// Two reads put together, and how.
#[derive(Clone, Copy)]
pub(super) struct Compound<'a> {
    pub(super) operator: SetOperator,
    pub(super) all: bool,
    pub(super) left: &'a Read,
    pub(super) right: &'a Read,
}

impl Writer<'_> {
    /// `WITH`: what is computed once. `MATERIALIZED` keeps conditions around it from being moved into it.
    pub(super) fn with(&mut self, with: &[Cte]) -> Result<()> {
        if with.is_empty() {
            return Ok(());
        }
        let recursive = with.iter().any(|cte| cte.recursive);
        self.push(if recursive { "WITH RECURSIVE " } else { "WITH " });
        self.list(with, ", ", |writer, cte| {
            writer.push("w");
            writer.number(cte.id.0);
            writer.push("(");
            writer.columns(&cte.read);
            writer.push(if cte.recursive { ") AS (" } else { ") AS MATERIALIZED (" });
            if cte.recursive {
                writer.recursion(cte)?
            } else {
                writer.read(&cte.read, Use::Rows)?
            }
            writer.push(")");
            Ok(())
        })?;
        self.push(" ");
        Ok(())
    }

    /// SQLite wants the rows found last in the recursive side's own `FROM`, once.
    fn recursion(&mut self, cte: &Cte) -> Result<()> {
        let Source::Compound { operator, all, left, right, .. } = &cte.read.from else {
            return Err(Error::internal("a recursive query that is no union"));
        };
        let is_itself =
            |source: &Source| matches!(source, Source::Cte { cte: named, .. } if *named == cte.id);
        let (mut near, mut anywhere) = (0, 0);
        query::visit::each_source(&right.from, &mut |source| near += usize::from(is_itself(source)));
        query::visit::deep_sources(right, &mut |source| anywhere += usize::from(is_itself(source)));
        if near != 1 || anywhere != 1 {
            return Err(Error::missing("a recursive reference in a subquery"));
        }
        if right.distinct || !right.with.is_empty() || !right.order.is_empty() || right.limit.is_some() {
            return Err(Error::missing("DISTINCT, WITH, ORDER BY or LIMIT in a recursive term"));
        }
        if right.outputs.iter().any(|output| query::computes_of_rows(&output.expr)) {
            return Err(Error::missing("window functions in a recursive term"));
        }
        if !*all {
            refuse_unequal(*operator, left)?;
        }
        self.member(left, !*all)?;
        self.push(if *all { " UNION ALL " } else { " UNION " });
        self.read(right, Use::Set)
    }

    /// A set operation, without parentheses.
    pub(super) fn compound(&mut self, compound: Compound<'_>) -> Result<()> {
        let Compound { operator, all, left, .. } = compound;
        if all || left.outputs.iter().all(|output| names::native_equality(&output.expr.ty())) {
            return if all && operator != SetOperator::Union {
                self.counted(compound)
            } else {
                self.members(compound)
            };
        }
        if operator != SetOperator::Union {
            return refuse_unequal(operator, left);
        }
        // A group for each value, where equal values may be kept differently.
        self.push("SELECT ");
        self.columns(left);
        self.push(" FROM (");
        self.members(Compound { all: true, ..compound })?;
        self.push(") GROUP BY ");
        self.list(left.outputs.iter().enumerate(), ", ", |writer, (position, output)| {
            writer.key_of_column(position, &output.expr.ty())
        })
    }

    fn members(&mut self, Compound { operator, all, left, right }: Compound<'_>) -> Result<()> {
        match chained(left) {
            Some(inner) if !all || inner.all => self.compound(inner)?,
            _ => self.member(left, !all)?,
        }
        self.push(match (operator, all) {
            (SetOperator::Union, true) => " UNION ALL ",
            (SetOperator::Union, false) => " UNION ",
            (SetOperator::Intersect, _) => " INTERSECT ",
            (SetOperator::Except, _) => " EXCEPT ",
        });
        self.member(right, false)
    }

    /// `INTERSECT ALL` and `EXCEPT ALL`: the n-th of equal rows is another row than the first.
    fn counted(&mut self, Compound { operator, left, right, .. }: Compound<'_>) -> Result<()> {
        refuse_unequal(operator, left)?;
        for (side, word) in
            [(left, ""), (right, if operator == SetOperator::Except { " EXCEPT " } else { " INTERSECT " })]
        {
            self.push(word);
            self.push("SELECT ");
            self.collated_columns(side);
            self.push(", row_number() OVER (PARTITION BY ");
            self.collated_columns(side);
            self.push(") FROM (");
            self.read(side, Use::Rows)?;
            self.push(")");
        }
        Ok(())
    }

    /// One side. What has an order or a limit of its own is a query of its own to SQLite.
    fn member(&mut self, read: &Read, collates: bool) -> Result<()> {
        let is_bare =
            read.order.is_empty() && read.limit.is_none() && read.offset.is_none() && read.with.is_empty();
        if is_bare {
            self.collates = collates;
            return self.read(read, Use::Set);
        }
        self.push("SELECT ");
        if collates {
            self.collated_columns(read)
        } else {
            self.columns(read)
        }
        self.push(" FROM (");
        self.read(read, Use::Rows)?;
        self.push(")");
        Ok(())
    }

    /// `c0, c1, …`
    pub(super) fn columns(&mut self, read: &Read) {
        if read.outputs.is_empty() {
            return self.push("1");
        }
        for position in 0..read.outputs.len() {
            self.push(if position > 0 { ", c" } else { "c" });
            self.number(position);
        }
    }

    fn collated_columns(&mut self, read: &Read) {
        for (position, output) in read.outputs.iter().enumerate() {
            self.push(if position > 0 { ", c" } else { "c" });
            self.number(position);
            self.push(" COLLATE ");
            self.push(names::collation(&output.expr.ty()).unwrap_or("BINARY"));
        }
    }

    fn key_of_column(&mut self, position: usize, ty: &Type) -> Result<()> {
        if !names::native_equality(ty) {
            self.key_words(ty)?;
            self.push(", c");
            self.number(position);
            self.push(")");
            return Ok(());
        }
        self.push("c");
        self.number(position);
        self.push(" COLLATE ");
        self.push(names::collation(ty).unwrap_or("BINARY"));
        Ok(())
    }

    fn key_words(&mut self, ty: &Type) -> Result<()> {
        if !types::sort_key::exists(ty) {
            let ty = types::ty::format_type(ty, None);
            return Err(Error::missing(format!("a set operation over values of type {ty}")));
        }
        self.push(Special::Key.name());
        self.push("(");
        self.signature(std::slice::from_ref(ty));
        Ok(())
    }

    /// How the columns of a source are named; `None` when it was not registered.
    pub(super) fn named(&self, id: query::SourceId) -> Option<Columns> {
        self.sources.get(&id).copied()
    }
}

/// The set operation that a read simply shows.
fn chained(read: &Read) -> Option<Compound<'_>> {
    let Source::Compound { id, operator, all, left, right } = &read.from else { return None };
    let is_plain = read.filter.is_none()
        && read.group.is_empty()
        && read.having.is_none()
        && !read.distinct
        && read.order.is_empty()
        && read.limit.is_none()
        && read.offset.is_none()
        && read.with.is_empty()
        && read.outputs.len() == left.outputs.len()
        && read.outputs.iter().enumerate().all(|(position, output)| {
            matches!(&output.expr, query::Expr::Column { source, column, .. } if source == id && usize::from(column.0) == position)
        })
        && left.outputs.iter().all(|output| names::native_equality(&output.expr.ty()))
        && (*operator == SetOperator::Union || !*all);
    is_plain.then_some(Compound { operator: *operator, all: *all, left, right })
}

fn refuse_unequal(operator: SetOperator, left: &Read) -> Result<()> {
    match left.outputs.iter().map(|output| output.expr.ty()).find(|ty| !names::native_equality(ty)) {
        None => Ok(()),
        Some(ty) => {
            let ty = types::ty::format_type(&ty, None);
            Err(Error::missing(format!("{} over values of type {ty}", operator.word())))
        }
    }
}
