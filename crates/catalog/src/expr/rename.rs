//! Rewrites stored expressions when something that they name is renamed.
//!
//! PostgreSQL stores what names mean, so that a rename changes no meaning. Rewritten trees keep theirs: a renamed table
//! keeps its old name as an alias in queries, a renamed column keeps its old name as a result's name.

use std::sync::Arc;

use sql::ast::{Alias, Call, Expr, ExprKind, FromItem, Query, Select, TypeName};
use types::{Name, Result};

use super::bind::{quoted, sequence_argument};
use super::scope::{Meaning, NoTables, Scope, Source, Tables};
use super::walk::{Visitor, Walk};
use crate::{DefaultValue, Table};

/// Something under another name.
#[derive(Clone, Debug)]
pub(crate) enum Rename {
    /// A table or view, perhaps in another schema.
    Table(Name, Name),
    /// Columns of a table, all at once.
    Columns(Name, Vec<(Arc<str>, Arc<str>)>),
    /// Functions, all overloads.
    Function(Name, Name),
    /// A type.
    Type(Name, Name),
    /// A sequence.
    Sequence(Name, Name),
}

impl Rename {
    /// Rewrites an expression over `sources`. `tables` still knows the old names.
    pub(crate) fn expr(&self, tables: &dyn Tables, sources: Vec<Source>, expr: &Expr) -> Expr {
        let mut copy = expr.clone();
        self.walk(tables, Scope::of(sources), |walk| walk.expr(&mut copy));
        copy
    }

    /// Rewrites a query.
    pub(crate) fn query(&self, tables: &dyn Tables, query: &Query) -> Query {
        let mut copy = query.clone();
        self.walk(tables, Scope::default(), |walk| walk.query(&mut copy).map(drop));
        copy
    }

    fn walk(&self, tables: &dyn Tables, scope: Scope, visit: impl FnOnce(&mut Walk<'_>) -> Result<()>) {
        // The visitor below never fails.
        let _ = visit(&mut Walk { visitor: &mut Rewrite(self), tables, scope });
    }
}

struct Rewrite<'a>(&'a Rename);

impl Visitor for Rewrite<'_> {
    /// Results that are a renamed column keep their name.
    fn select(&mut self, select: &mut Select) -> Result<()> {
        let Rename::Columns(_, columns) = self.0 else { return Ok(()) };
        for target in &mut select.targets {
            if let (None, ExprKind::Column(parts)) = (&target.alias, &*target.expr.kind) {
                let name = parts.last().filter(|name| columns.iter().any(|(from, _)| **from == ***name));
                target.alias = name.cloned();
            }
        }
        Ok(())
    }

    fn column(&mut self, expr: &mut Expr, meaning: &Meaning) -> Result<()> {
        let (ExprKind::Column(parts), Meaning::Column { table, column, at, is_root }) =
            (&mut *expr.kind, meaning)
        else {
            return Ok(());
        };
        match self.0 {
            Rename::Columns(renamed, columns) if renamed == table => {
                if let Some((_, to)) = columns.iter().find(|(from, _)| **from == **column) {
                    parts[*at] = to.to_string();
                }
            }
            Rename::Table(from, to) if from == table => requalify(parts, *is_root, to),
            _ => {}
        }
        Ok(())
    }

    fn source(&mut self, item: &mut FromItem) -> Result<()> {
        let (Rename::Table(from, to), FromItem::Table { name, alias, .. }) = (self.0, item) else {
            return Ok(());
        };
        if name.schema.as_deref() == Some(&*from.schema) && *name.name == *from.name {
            name.schema = Some(to.schema.to_string());
            let before = std::mem::replace(&mut name.name, to.name.to_string());
            if alias.is_none() && before != name.name {
                *alias = Some(Alias { name: before, columns: Vec::new() });
            }
        }
        Ok(())
    }

    fn call(&mut self, call: &mut Call) -> Result<()> {
        match self.0 {
            Rename::Function(from, to) => swap(&mut call.name, from, to),
            Rename::Sequence(from, to) => {
                if let Some((name, text)) = sequence_argument(call)
                    && name.schema.as_deref() == Some(&*from.schema)
                    && *name.name == *from.name
                {
                    *text = format!("{}.{}", quoted(&to.schema), quoted(&to.name));
                }
            }
            Rename::Table(..) | Rename::Columns(..) | Rename::Type(..) => {}
        }
        Ok(())
    }

    fn ty(&mut self, ty: &mut TypeName) -> Result<()> {
        if let Rename::Type(from, to) | Rename::Table(from, to) = self.0 {
            swap(&mut ty.name, from, to);
        }
        Ok(())
    }
}

/// A qualified reference to a renamed table: the table's own expressions follow the name, queries have the old one as alias.
fn requalify(parts: &mut Vec<String>, is_root: bool, to: &Name) {
    let count = parts.len();
    match (count, is_root) {
        (2, true) => parts[0] = to.name.to_string(),
        (3, true) => {
            parts[0] = to.schema.to_string();
            parts[1] = to.name.to_string();
        }
        (3, false) => {
            parts.remove(0);
        }
        _ => {}
    }
}

fn swap(name: &mut sql::ast::ObjectName, from: &Name, to: &Name) {
    if name.schema.as_deref() == Some(&*from.schema) && *name.name == *from.name {
        name.schema = Some(to.schema.to_string());
        name.name = to.name.to_string();
    }
}

/// Gives columns of a table other names, in its own checks, generated columns, indexes and policies too.
pub(crate) fn own_columns(table: &mut Table, columns: &[(Arc<str>, Arc<str>)]) {
    let rename = Rename::Columns(table.name.clone(), columns.to_vec());
    own_expressions(table, &NoTables, &rename);
    for column in &mut table.columns {
        if let Some((_, to)) = columns.iter().find(|(from, _)| *from == column.name) {
            column.name = to.clone();
        }
    }
}

/// Gives a table another name, in its own expressions too.
pub(crate) fn own_table(table: &mut Table, to: &Name) {
    let rename = Rename::Table(table.name.clone(), to.clone());
    own_expressions(table, &NoTables, &rename);
    table.name = to.clone();
}

/// Rewrites every expression that a table has.
pub(crate) fn own_expressions(table: &mut Table, tables: &dyn Tables, rename: &Rename) {
    let source = Source::root(table);
    each_expression(table, |expr, sources| {
        *expr = Arc::new(rename.expr(tables, sources.unwrap_or_else(|| vec![source.clone()]), expr))
    });
}

/// Calls `change` with each expression that a table has, and its sources if they are not the table itself.
fn each_expression(table: &mut Table, mut change: impl FnMut(&mut Arc<Expr>, Option<Vec<Source>>)) {
    let before_after: Vec<Source> =
        ["old", "new"].iter().map(|alias| Source::aliased(table, alias)).collect();
    for column in &mut table.columns {
        if let Some(DefaultValue::Expr(expr) | DefaultValue::Generated(expr)) = &mut column.default {
            change(expr, None);
        }
    }
    for check in &mut table.checks {
        change(&mut check.expr, None);
    }
    for key in table.partitioning.iter_mut().flat_map(|partitioning| &mut partitioning.keys) {
        change(&mut key.expr, None);
    }
    for index in &mut table.indexes {
        for key in &mut index.keys {
            change(&mut key.expr, None);
        }
        if let Some(predicate) = &mut index.predicate {
            change(predicate, None);
        }
    }
    for policy in &mut table.policies {
        for expr in [&mut policy.using, &mut policy.with_check].into_iter().flatten() {
            change(expr, None);
        }
    }
    for trigger in &mut table.triggers {
        if let Some(when) = trigger.statement.when.clone() {
            let mut when = Arc::new(when);
            change(&mut when, Some(before_after.clone()));
            Arc::make_mut(&mut trigger.statement).when = Some((*when).clone());
        }
    }
}
