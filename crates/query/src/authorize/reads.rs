//! Reads: every table that they touch, however deep.

use std::collections::BTreeSet;
use std::sync::Arc;

use catalog::{ColumnId, PolicyCommand, Privilege, TableKind, ViewRights};
use types::Result;

use super::Pass;
use super::partitions::within;
use super::privileges::{Named, named_in_read};
use crate::ir::{Expr, Guard, Read, Source};
use crate::visit;

impl Pass<'_> {
    /// Guards a whole read.
    pub(super) fn read(&mut self, read: &mut Read) -> Result<()> {
        let named = named_in_read(read);
        self.read_naming(read, &named)
    }

    /// Guards a read, the columns named in it (and around it) being known.
    pub(super) fn read_naming(&mut self, read: &mut Read, named: &Named) -> Result<()> {
        if let Some(function) = read.called.take() {
            return self.body(read, function, named);
        }
        self.required(&read.from, named)?;
        self.locked.extend(&read.locked);
        for cte in &mut read.with {
            self.read_naming(&mut cte.read, named)?;
        }
        let mut outcome = Ok(());
        visit::own_expressions_mut(read, &mut |expr| {
            if outcome.is_ok() {
                outcome = self.expr_naming(expr, named);
            }
        });
        outcome?;
        self.source(&mut read.from, named)
    }

    /// Asks for the rights on what a read is of, before what its expressions read: the order in which PostgreSQL names what is missing.
    fn required(&self, from: &Source, named: &Named) -> Result<()> {
        match from {
            Source::Table { id, table, .. } | Source::Read { id, view: Some(table), .. } => {
                self.require(*table, Privilege::Select, named.get(id))
            }
            Source::Join { left, right, .. } => {
                self.required(left, named)?;
                self.required(right, named)
            }
            Source::Unit
            | Source::Read { view: None, .. }
            | Source::Written { .. }
            | Source::Given { .. }
            | Source::Transition { .. }
            | Source::Call { .. }
            | Source::Cte { .. }
            | Source::Compound { .. }
            | Source::Function { .. }
            | Source::Values { .. }
            | Source::System { .. } => Ok(()),
        }
    }

    /// Guards the subqueries of an expression.
    pub(super) fn expr(&mut self, expr: &mut Expr) -> Result<()> {
        let mut named = Named::new();
        super::privileges::named_in(expr, &mut named);
        self.expr_naming(expr, &named)
    }

    pub(super) fn expr_naming(&mut self, expr: &mut Expr, named: &Named) -> Result<()> {
        for operand in visit::operands_mut(expr) {
            self.expr_naming(operand, named)?;
        }
        match expr {
            Expr::Subquery(subquery) => {
                let is_body = subquery.read().called.is_some();
                self.read_naming(subquery.read_mut(), named)?;
                if is_body || !visit::read_is_volatile(subquery.read()) {
                    super::called::simplify(expr);
                }
                Ok(())
            }
            Expr::Call(call) => self.interpreted(call.function, &mut call.role),
            _ => Ok(()),
        }
    }

    /// Guards what a read is of, for which the rights were asked.
    fn source(&mut self, source: &mut Source, named: &Named) -> Result<()> {
        match source {
            Source::Table { id, table, guard } => {
                let kept_in = self.model.catalog.kept_in(*table);
                if self.volatile && self.writing == Some(kept_in) && !self.is_of_one_row {
                    return Err(super::one_row::sees_half(*table, &self.model.catalog));
                }
                self.refuse_past_policies(*table)?;
                let mut seen = self.visible(*table, *id, PolicyCommand::Select)?;
                if self.locked.contains(id) {
                    self.require(*table, Privilege::Update, None)?;
                    let changed = self.visible(*table, *id, PolicyCommand::Update)?;
                    seen = Expr::all(seen.into_iter().chain(changed));
                }
                let bound = self.bound_of(*table, *id)?;
                *guard = match within(bound, seen) {
                    None => Guard::Open,
                    Some(expr) => Guard::Rows(Box::new(expr)),
                };
                *table = kept_in;
                Ok(())
            }
            Source::Read { id, read, view } => {
                forget_unread(read, named.get(id));
                match view {
                    Some(view) => self.view(read, *view, named),
                    None => self.read_naming(read, named),
                }
            }
            Source::Written { id, table } => {
                let columns: Option<&BTreeSet<ColumnId>> = named.get(id);
                if columns.is_some() {
                    self.require(*table, Privilege::Select, columns)?;
                }
                *table = self.model.catalog.kept_in(*table);
                Ok(())
            }
            Source::Join { left, right, .. } => {
                self.source(left, named)?;
                self.source(right, named)
            }
            Source::Call { function, role, .. } => self.interpreted(*function, role),
            Source::Compound { left, right, .. } => {
                self.read_naming(left, named)?;
                self.read_naming(right, named)
            }
            Source::Unit
            | Source::Given { .. }
            | Source::Transition { .. }
            | Source::Cte { .. }
            | Source::Function { .. }
            | Source::Values { .. }
            | Source::System { .. } => Ok(()),
        }
    }

    /// The body of a view: rights on tables, and their policies, are the owner's matter unless the view is an invoker's. An owner
    /// whom no policy binds would show rows that policies hide from the caller: over such a table the view is refused, unless its
    /// author wrote that this is meant.
    pub(super) fn view(&mut self, read: &mut Read, view: catalog::TableId, named: &Named) -> Result<()> {
        let before = (self.view_owner.clone(), self.stored);
        self.open_view(view)?;
        let outcome = self.read_naming(read, named);
        read.chooses |= self.view_owner.as_ref().is_some_and(|owner| owner.is_past_policies);
        (self.view_owner, self.stored) = before;
        outcome
    }

    /// Puts the rights in force that a view reads with. An invoker's view reads as the caller even inside of a view that does not.
    pub(super) fn open_view(&mut self, view: catalog::TableId) -> Result<()> {
        let declared = &self.model.catalog[view];
        let rights = match declared.kind {
            TableKind::View { rights, .. } => rights,
            TableKind::Table => ViewRights::Unsaid,
        };
        let owner = match rights {
            ViewRights::Callers => None,
            ViewRights::Owners => Some(self.rights_of(&declared.owner)?.past_policies()),
            ViewRights::Unsaid => Some(self.rights_of(&declared.owner)?),
        };
        (self.view_owner, self.stored) = (owner.map(Arc::new), true);
        Ok(())
    }
}

/// Leaves out calls of functions in columns that nobody reads: whether somebody may call them is not asked, as PostgreSQL leaves
/// such columns out before it asks. What is volatile is called for each row, and stays.
fn forget_unread(read: &mut Read, named: Option<&BTreeSet<ColumnId>>) {
    if read.distinct {
        return;
    }
    let is_grouped = !read.group.is_empty();
    for (output, at) in read.outputs.iter_mut().zip(0..) {
        let is_read = named.is_some_and(|named| named.contains(&ColumnId(at)));
        let expr = &mut output.expr;
        if !is_read
            && calls(expr)
            && !visit::is_volatile(expr)
            && (is_grouped || !visit::computes_of_rows(expr))
        {
            *expr = Expr::null(expr.ty());
        }
    }
}

/// Whether declared functions are called in an expression.
fn calls(expr: &Expr) -> bool {
    let mut found = false;
    visit::deep(expr, &mut |inner| {
        found |= matches!(inner, Expr::Call(_))
            || matches!(inner, Expr::Subquery(subquery) if subquery.read().called.is_some());
    });
    found
}
