//! Policies: which of them apply, and how they combine.

use catalog::{PolicyCommand, TableId};
use types::{Code, Error, Result};

use super::Pass;
use crate::ir::{Expr, Form, RowCheck, SourceId};
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
    permissive: Vec<Expr>,
    restrictive: Vec<(std::sync::Arc<str>, Expr)>,
}

impl Pass<'_> {
    /// Whether policies of a table bind this caller.
    pub(super) fn bound(&self, table: TableId) -> bool {
        let declared = &self.model.catalog[table];
        let owner = self.roles.contains(&declared.owner) && !declared.force_row_security;
        declared.row_security && !self.bypass && !owner
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
        self.enter(table)?;
        let model = self.model;
        let declared = &model.catalog[table];
        let mut found = Applicable { permissive: Vec::new(), restrictive: Vec::new() };
        for (policy, compiled) in declared.policies.iter().zip(&model[table].policies) {
            let named = policy.roles.is_empty()
                || policy.roles.iter().any(|role| &**role == "public" || self.roles.contains(role));
            if !named || !policy.command.covers(command) {
                continue;
            }
            let compiled = match side {
                Side::Using => compiled.using.as_ref(),
                Side::Check => compiled.with_check.as_ref().or(compiled.using.as_ref()),
            };
            let Some(compiled) = compiled else { continue };
            let expr = compiled.as_ref().map_err(Clone::clone)?;
            let mut expr = visit::instantiate(expr, ROW, row, &mut self.ids);
            self.expr(&mut expr)?;
            if policy.permissive {
                found.permissive.push(expr);
            } else {
                found.restrictive.push((policy.name.clone(), expr));
            }
        }
        found.restrictive.sort_by(|(left, _), (right, _)| left.cmp(right));
        self.open_policies.pop();
        Ok(found)
    }

    /// A policy whose subqueries come back to its own table has no answer.
    fn enter(&mut self, table: TableId) -> Result<()> {
        let name = &self.model.catalog[table].name.name;
        if self.open_policies.contains(&table) {
            return Err(Error::new(
                Code::INVALID_OBJECT_DEFINITION,
                format!("infinite recursion detected in policy for relation \"{name}\""),
            ));
        }
        if self.open_policies.len() >= self.limits.policy_depth_max {
            return Err(Error::new(
                Code::TOO_COMPLEX,
                format!("policies are nested too deeply at relation \"{name}\""),
            ));
        }
        self.open_policies.push(table);
        Ok(())
    }
}

/// At least one permissive policy must hold; without any, no row.
fn any(mut permissive: Vec<Expr>) -> Expr {
    match permissive.len() {
        0 => Expr::bool(false),
        1 => permissive.remove(0),
        _ => Expr::test(Form::Or, permissive),
    }
}
