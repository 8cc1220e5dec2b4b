//! What stands on tables: constraints, indexes, policies, triggers.

use std::collections::HashMap;
use std::sync::Arc;

use catalog::{
    Age, Catalog, Check, ColumnId, ForeignKey, Index, IndexKey, Policy, PolicyCommand, ReferentialAction,
    Table, TableId, Trigger, Unique,
};
use sql::ast::{self, Expr, ExprKind, Literal, StatementKind, TriggerMode};

use super::facts;
use super::relations::ById;
use super::text;

type Places = HashMap<i64, ById>;

fn table_mut(catalog: &mut Catalog, id: TableId) -> Option<&mut Table> {
    catalog.tables.get_mut(id.0 as usize)
}

pub(super) fn constraints(catalog: &mut Catalog, places: &Places, found: Vec<facts::Constraint>) {
    for constraint in found {
        let Some(place) = places.get(&constraint.relation) else { continue };
        match constraint.kind.as_str() {
            "c" => check(catalog, place, &constraint),
            "f" => foreign_key(catalog, places, place, &constraint),
            "x" => exclusion(catalog, place, &constraint),
            _ => key(catalog, place, &constraint),
        }
    }
}

fn check(catalog: &mut Catalog, place: &ById, constraint: &facts::Constraint) {
    let name = catalog[place.table].name.clone();
    let what = || format!("check {} of table {name}", constraint.name);
    let expr = constraint.check.as_deref().and_then(|said| text::maybe_expr(catalog, said, what));
    let (Some(expr), Some(table)) = (expr, table_mut(catalog, place.table)) else { return };
    let check = Check {
        name: constraint.name.as_str().into(),
        expr: Arc::new(expr),
        not_valid: !constraint.validated,
    };
    let at = table.checks.partition_point(|other| other.name < check.name);
    table.checks.insert(at, check);
}

fn exclusion(catalog: &mut Catalog, place: &ById, constraint: &facts::Constraint) {
    let name = catalog[place.table].name.clone();
    let what = || format!("exclusion constraint {} of table {name}", constraint.name);
    let said = constraint.check.as_deref().unwrap_or_default();
    let statement = text::statement(catalog, &format!("alter table t add {said}"), what);
    let Some(StatementKind::AlterTable(alter)) = statement else { return };
    let Some(ast::AlterTableAction::AddConstraint(added)) = alter.actions.into_iter().next() else { return };
    let ast::TableConstraintKind::Exclude(exclusion) = added.kind else { return };
    let Some(table) = table_mut(catalog, place.table) else { return };
    table.indexes.push(Index {
        name: constraint.name.as_str().into(),
        unique: false,
        nulls_not_distinct: false,
        method: exclusion.method.as_str().into(),
        keys: exclusion.keys.iter().map(|(key, _)| index_key(table, key)).collect(),
        include: included(table, &exclusion.include),
        predicate: exclusion.filter.map(Arc::new),
        excludes: exclusion.keys.iter().map(|(_, operator)| operator.as_str().into()).collect(),
        deferrable: constraint.deferrable,
        initially_deferred: constraint.deferred,
        comment: None,
    });
}

fn key(catalog: &mut Catalog, place: &ById, constraint: &facts::Constraint) {
    let columns = place.columns(&constraint.columns).zip(place.columns(&constraint.include));
    let (Some((columns, include)), Some(table)) = (columns, table_mut(catalog, place.table)) else { return };
    let unique = Unique {
        name: constraint.name.as_str().into(),
        columns,
        nulls_not_distinct: constraint.nulls_not_distinct,
        deferrable: constraint.deferrable,
        initially_deferred: constraint.deferred,
        include,
    };
    if constraint.kind == "p" {
        table.primary_key = Some(unique);
    } else {
        table.uniques.push(unique);
    }
}

fn foreign_key(catalog: &mut Catalog, places: &Places, place: &ById, constraint: &facts::Constraint) {
    let Some(target) = places.get(&constraint.target) else { return };
    let set = place.columns(&constraint.set_columns).unwrap_or_default();
    let columns = place.columns(&constraint.columns).zip(target.columns(&constraint.target_columns));
    let Some((columns, target_columns)) = columns else { return };
    let target = &catalog[target.table];
    let key = ForeignKey {
        name: constraint.name.as_str().into(),
        columns,
        target: target.name.clone(),
        target_columns: target_columns.into_iter().map(|column| target[column].name.clone()).collect(),
        on_delete: action(&constraint.on_delete, set),
        on_update: action(&constraint.on_update, Vec::new()),
        match_full: constraint.match_full,
        deferrable: constraint.deferrable,
        initially_deferred: constraint.deferred,
        not_valid: !constraint.validated,
        // The engine itself asks its keys.
        age: Age::default(),
        parts: Vec::new(),
    };
    if let Some(table) = table_mut(catalog, place.table) {
        table.foreign_keys.push(key);
    }
}

fn action(letter: &str, set: Vec<ColumnId>) -> ReferentialAction {
    match letter {
        "r" => ReferentialAction::Restrict,
        "c" => ReferentialAction::Cascade,
        "n" => ReferentialAction::SetNull(set),
        "d" => ReferentialAction::SetDefault(set),
        _ => ReferentialAction::NoAction,
    }
}

pub(super) fn indexes(catalog: &mut Catalog, places: &Places, found: Vec<facts::Index>) {
    for index in found {
        let Some(place) = places.get(&index.relation) else { continue };
        if take_turn(catalog, place, &index.name) {
            continue;
        }
        let statement = text::statement(catalog, &index.statement, || format!("index {}", index.name));
        let Some(StatementKind::CreateIndex(create)) = statement else { continue };
        let Some(table) = table_mut(catalog, place.table) else { continue };
        let keys = create.keys.iter().map(|key| index_key(table, key)).collect();
        let include = included(table, &create.include);
        table.indexes.push(Index {
            name: index.name.into(),
            unique: create.unique,
            nulls_not_distinct: create.nulls_not_distinct,
            method: create.method.as_str().into(),
            keys,
            include,
            predicate: create.filter.map(Arc::new),
            excludes: Vec::new(),
            deferrable: false,
            initially_deferred: false,
            comment: index.comment,
        });
    }
}

/// An exclusion constraint is an index that is known already: its place is where it was made among the others.
fn take_turn(catalog: &mut Catalog, place: &ById, name: &str) -> bool {
    let Some(table) = table_mut(catalog, place.table) else { return false };
    let Some(at) = table.indexes.iter().position(|known| *known.name == *name) else { return false };
    let known = table.indexes.remove(at);
    table.indexes.push(known);
    true
}

fn included(table: &Table, names: &[String]) -> Vec<ColumnId> {
    names.iter().filter_map(|name| table.column(name).map(|(column, _)| column)).collect()
}

fn index_key(table: &Table, key: &ast::IndexKey) -> IndexKey {
    IndexKey {
        column: plain_column(table, &key.expr),
        expr: Arc::new(key.expr.clone()),
        opclass: key.opclass.as_ref().map(|name| name.name.as_str().into()),
        descending: key.descending,
        nulls_first: key.nulls_first.unwrap_or(key.descending),
    }
}

/// The column that an expression is, if it is nothing more.
fn plain_column(table: &Table, expr: &Expr) -> Option<ColumnId> {
    match &*expr.kind {
        ExprKind::Column(parts) => table.column(parts.last()?).map(|(column, _)| column),
        _ => None,
    }
}

pub(super) fn policies(catalog: &mut Catalog, places: &Places, found: Vec<facts::Policy>) {
    for policy in found {
        let Some(place) = places.get(&policy.relation) else { continue };
        let name = catalog[place.table].name.clone();
        let what = || format!("policy \"{}\" for table {name}", policy.name);
        // Where our compiler is asked about a condition that it cannot read, it lets nobody in.
        let mut condition = |said: &Option<String>| {
            said.as_deref().map(|said| text::expr(catalog, said, Literal::Bool(false), what))
        };
        let (using, with_check) = (condition(&policy.using), condition(&policy.with_check));
        let Some(table) = table_mut(catalog, place.table) else { continue };
        table.policies.push(Policy {
            name: policy.name.into(),
            permissive: policy.permissive,
            command: command(&policy.command),
            roles: policy.roles.into_iter().map(Arc::from).collect(),
            using,
            with_check,
            comment: policy.comment,
        });
    }
}

fn command(letter: &str) -> PolicyCommand {
    match letter {
        "r" => PolicyCommand::Select,
        "a" => PolicyCommand::Insert,
        "w" => PolicyCommand::Update,
        "d" => PolicyCommand::Delete,
        _ => PolicyCommand::All,
    }
}

pub(super) fn triggers(catalog: &mut Catalog, places: &Places, found: Vec<facts::Trigger>) {
    for trigger in found {
        let Some(place) = places.get(&trigger.relation) else { continue };
        let statement = text::statement(catalog, &trigger.statement, || format!("trigger {}", trigger.name));
        let Some(StatementKind::CreateTrigger(create)) = statement else { continue };
        let Some(table) = table_mut(catalog, place.table) else { continue };
        let mode = TriggerMode::ALL.iter().find(|(.., letter)| *letter == trigger.mode);
        table.triggers.push(Trigger {
            name: trigger.name.into(),
            statement: Arc::new(create),
            mode: mode.map_or(TriggerMode::Enabled, |(mode, ..)| *mode),
        });
    }
}
