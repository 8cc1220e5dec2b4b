//! Policies: which of them apply, and how they combine.

use std::sync::Arc;

use catalog::{Policy, PolicyCommand, TableId};
use types::{Code, Error, Result, Value};

use super::Pass;
use crate::ir::{CallerField, Expr, Form, Read, RowCheck, SourceId};
use crate::model::ROW;
use crate::visit;

/// Which expression of a policy is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// `using`
    Using,
    /// `with check`, or `using` where there is none.
    Check,
}

/// The policies that apply, compiled for one row.
struct Applicable {
    permissive: Vec<(Arc<str>, Expr)>,
    restrictive: Vec<(Arc<str>, Expr)>,
}

/// A policy for the caller and the command.
struct Chosen<'a> {
    policy: &'a Policy,
    expr: &'a Expr,
    has_subquery: bool,
}

/// Policies that are being compiled in.
#[derive(Clone, Copy)]
pub(super) struct Open {
    table: TableId,
    command: PolicyCommand,
    has_subquery: bool,
}

impl<'a> Pass<'a> {
    /// Whether policies of a table bind whoever it is read or written for.
    pub(super) fn bound(&self, table: TableId) -> bool {
        match &self.view_owner {
            Some(owner) => self.binds(table, &owner.roles, owner.bypass),
            None => self.binds(table, &self.roles, self.bypass),
        }
    }

    fn binds(&self, table: TableId, roles: &[Arc<str>], bypass: bool) -> bool {
        let declared = &self.model.catalog[table];
        let owner = roles.contains(&declared.owner) && !declared.force_row_security;
        declared.row_security && !bypass && !owner
    }

    /// Refuses a view whose owner no policy binds, where policies bind the caller.
    pub(super) fn refuse_past_policies(&self, table: TableId) -> Result<()> {
        let is_unsaid = self.view_owner.as_ref().is_some_and(|owner| !owner.is_past_policies);
        let is_past = is_unsaid && !self.bound(table) && self.binds(table, &self.roles, self.bypass);
        if !is_past {
            return Ok(());
        }
        let table = &self.model.catalog[table].name;
        let what = format!("a view that reads {table} with its owner's rights past row-level security");
        Err(Error::missing(what).with_hint("Declare the view with (security_invoker = true), or with (security_invoker = false) if that is meant."))
    }

    /// The rows that policies for a command let the caller see: `None` is every row.
    pub(super) fn visible(
        &mut self,
        table: TableId,
        row: SourceId,
        command: PolicyCommand,
    ) -> Result<Option<Expr>> {
        if !self.bound(table) {
            return Ok(None);
        }
        let Applicable { permissive, restrictive } = self.applicable(table, row, command, Side::Using)?;
        let permitted = any(permissive);
        Ok(Expr::all(restrictive.into_iter().map(|(_, expr)| expr).chain([permitted])))
    }

    /// The conditions that policies for a command put on a row: permissive ones together, restrictive ones each by name.
    pub(super) fn row_checks(
        &mut self,
        table: TableId,
        row: SourceId,
        command: PolicyCommand,
        side: Side,
    ) -> Result<Vec<RowCheck>> {
        if !self.bound(table) {
            return Ok(Vec::new());
        }
        let Applicable { permissive, restrictive } = self.applicable(table, row, command, side)?;
        let mut checks =
            vec![RowCheck { expr: any(permissive), violation: self.violation(table, None, side) }];
        for (name, expr) in restrictive {
            checks.push(RowCheck { expr, violation: self.violation(table, Some(&name), side) });
        }
        Ok(checks)
    }

    fn violation(&self, table: TableId, policy: Option<&str>, side: Side) -> Error {
        let table = &self.model.catalog[table].name.name;
        let policy = policy.map(|policy| format!(" \"{policy}\"")).unwrap_or_default();
        let expression = if side == Side::Using { " (USING expression)" } else { "" };
        Error::new(
            Code::PRIVILEGE,
            format!("new row violates row-level security policy{policy}{expression} for table \"{table}\""),
        )
    }

    fn applicable(
        &mut self,
        table: TableId,
        row: SourceId,
        command: PolicyCommand,
        side: Side,
    ) -> Result<Applicable> {
        let chosen = self.chosen(table, command, side)?;
        let has_subquery = chosen.iter().any(|chosen| chosen.has_subquery);
        self.enter(Open { table, command, has_subquery })?;
        let mut found = Applicable { permissive: Vec::new(), restrictive: Vec::new() };
        let is_open = chosen.iter().any(|chosen| chosen.policy.permissive && is_true(chosen.expr));
        for Chosen { policy, expr: declared, .. } in chosen {
            let mut expr = visit::instantiate(declared, ROW, row, &mut self.ids);
            if self.is_lent {
                speak_as(&mut expr, &self.role);
            }
            let stored = std::mem::replace(&mut self.stored, true);
            let guarded = self.expr(&mut expr);
            self.stored = stored;
            if is_open && policy.permissive && !is_true(declared) {
                // Beside one that is always true it decides nothing, and PostgreSQL asks for no right that it would need.
                guarded.or_else(|error| if error.code() == Code::PRIVILEGE { Ok(()) } else { Err(error) })?;
                continue;
            }
            guarded?;
            if policy.permissive {
                found.permissive.push((policy.name.clone(), expr));
            } else {
                found.restrictive.push((policy.name.clone(), expr));
            }
        }
        // PostgreSQL asks the last permissive one first, and the first restrictive one.
        found.permissive.sort_by(|(left, _), (right, _)| right.cmp(left));
        found.restrictive.sort_by(|(left, _), (right, _)| left.cmp(right));
        self.open_policies.pop();
        Ok(found)
    }

    /// The policies that are for this caller and command.
    fn chosen(&self, table: TableId, command: PolicyCommand, side: Side) -> Result<Vec<Chosen<'a>>> {
        let model = self.model;
        let declared = &model.catalog[table];
        let roles = self.view_owner.as_ref().map_or(&self.roles, |owner| &owner.roles);
        let mut chosen = Vec::new();
        for (policy, compiled) in declared.policies.iter().zip(&model[table].policies) {
            let named = policy.roles.is_empty()
                || policy.roles.iter().any(|role| &**role == "public" || roles.contains(role));
            if !named || !policy.command.covers(command) {
                continue;
            }
            let expr = match side {
                Side::Using => compiled.using.as_ref(),
                Side::Check => compiled.with_check.as_ref().or(compiled.using.as_ref()),
            };
            let Some(expr) = expr else { continue };
            let expr = expr.as_ref().map_err(Clone::clone)?;
            chosen.push(Chosen { policy, expr, has_subquery: compiled.has_subquery });
        }
        Ok(chosen)
    }

    /// Policies that come back to themselves have no answer: PostgreSQL notices it of subqueries (as soon as both the policies
    /// around and those inside have one), and runs out of stack where functions are in between.
    fn enter(&mut self, open: Open) -> Result<()> {
        let name = &self.model.catalog[open.table].name.name;
        let mut same = self.open_policies.iter().filter(|other| other.table == open.table);
        if open.has_subquery && same.clone().any(|other| other.has_subquery) {
            return Err(Error::new(
                Code::INVALID_OBJECT_DEFINITION,
                format!("infinite recursion detected in policy for relation \"{name}\""),
            ));
        }
        if same.any(|other| other.command == open.command) {
            return Err(Error::new(Code::TOO_COMPLEX, "stack depth limit exceeded"));
        }
        if self.open_policies.len() >= self.limits.policy_depth_max {
            return Err(Error::new(
                Code::TOO_COMPLEX,
                format!("policies are nested too deeply at relation \"{name}\""),
            ));
        }
        self.open_policies.push(open);
        Ok(())
    }
}

/// Says which role is in force where a condition asks.
fn speak_as(expr: &mut Expr, role: &str) {
    if matches!(expr, Expr::Caller(CallerField::Role)) {
        *expr = Expr::Const { value: Value::text(role), ty: expr.ty() };
        return;
    }
    visit::operands_mut(expr).into_iter().for_each(|operand| speak_as(operand, role));
    visit::each_subquery_mut(expr, &mut |read| speak_as_in(read, role));
}

fn speak_as_in(read: &mut Read, role: &str) {
    visit::own_expressions_mut(read, &mut |expr| speak_as(expr, role));
    visit::each_inner_read_mut(read, &mut |inner| speak_as_in(inner, role));
}

fn is_true(expr: &Expr) -> bool {
    matches!(expr, Expr::Const { value: Value::Bool(true), .. })
}

/// At least one permissive policy must hold; without any, no row.
fn any(permissive: Vec<(Arc<str>, Expr)>) -> Expr {
    let mut permissive: Vec<Expr> = permissive.into_iter().map(|(_, expr)| expr).collect();
    match permissive.len() {
        0 => Expr::bool(false),
        1 => permissive.remove(0),
        _ => Expr::test(Form::Or, permissive),
    }
}
