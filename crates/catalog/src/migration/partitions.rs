//! Rows that come into a partitioned table and leave it.
//!
//! What is detached has a table of its own before anything else changes, what is attached keeps its own until all has: in between
//! both are tables like others.

use std::collections::BTreeSet;
use std::sync::Arc;

use sql::ast::ExprKind;
use types::Name;

use super::danger::Danger;
use super::{Action, Rule, Step, sentence};
use crate::partition::{PartitionKey, Strategy};
use crate::{Bound, Catalog, Table};

/// Steps around those between two catalogs.
#[derive(Default)]
pub(super) struct Moves {
    pub(super) before: Vec<Step>,
    /// The current catalog after these, where there are any.
    pub(super) current: Option<Catalog>,
    /// The wanted catalog before those that follow, where there are any.
    pub(super) wanted: Option<Catalog>,
    pub(super) after: Vec<Step>,
}

/// What comes into partitioned tables and leaves them.
pub(super) fn moves(current: &Catalog, wanted: &Catalog) -> Moves {
    let mut moves = Moves::default();
    leave(current, wanted, &mut moves);
    come(current, wanted, &mut moves);
    place(current, wanted, &mut moves);
    moves
}

/// Rows that were there have a place where their table is partitioned otherwise than before.
fn place(current: &Catalog, wanted: &Catalog, moves: &mut Moves) {
    let is_otherwise = |table: &&Table| {
        let known = same(current, table);
        table.partitioning.is_some() && known.is_some_and(|known| decides(known) != decides(table))
    };
    let roots = wanted.tables.iter().filter(is_otherwise).filter_map(|table| root(wanted, table));
    for root in roots.collect::<BTreeSet<_>>() {
        if let Some((_, root)) = wanted.table(&root)
            && same(current, root).is_some()
        {
            let danger = Danger::MayFail("no partition may take a row".to_owned());
            let step = Action::Validate { table: Arc::new(root.clone()), rule: Rule::Placed };
            push(&mut moves.after, step, danger);
        }
    }
}

fn leave(current: &Catalog, wanted: &Catalog, moves: &mut Moves) {
    let mut partitions: Vec<&Table> =
        current.tables.iter().filter(|table| table.partition.is_some()).collect();
    // What leaves a partition that leaves is not there any more.
    partitions.sort_by_key(|table| std::cmp::Reverse(depth(current, table)));
    for table in partitions {
        let Some(root) = root(current, table) else { continue };
        let partition = Arc::new(table.clone());
        match same(wanted, table) {
            Some(kept) if stays(current, wanted, (table, kept)) => {}
            Some(_) => {
                let own = Table { partition: None, ..table.clone() };
                push(&mut moves.before, Action::CreateTable(Arc::new(own.clone())), Danger::None);
                push(&mut moves.before, Action::DetachRows { partition, root }, Danger::None);
                let catalog = moves.current.get_or_insert_with(|| current.clone());
                replace(catalog, own);
            }
            None => {
                let is_kept = current.table(&root).and_then(|(_, root)| same(wanted, root)).is_some();
                let parts = parent(current, table)
                    .is_none_or(|parent| parent.partition.is_none() || same(wanted, parent).is_some());
                if is_kept && parts {
                    let danger = Danger::Loses("the partition's rows".to_owned());
                    push(&mut moves.before, Action::DropRows { partition, root }, danger);
                }
            }
        }
    }
}

fn come(current: &Catalog, wanted: &Catalog, moves: &mut Moves) {
    for table in wanted.tables.iter().filter(|table| table.partition.is_some()) {
        let Some(root) = root(wanted, table) else { continue };
        let known = same(current, table);
        if known.is_some_and(|known| stays(current, wanted, (known, table))) {
            continue;
        }
        if let Some(rule) = taken(current, wanted, table)
            && let Some((_, root)) = wanted.table(&root)
        {
            let danger = Danger::MayFail(format!("a row may belong to partition {}", table.name));
            push(&mut moves.after, Action::Validate { table: Arc::new(root.clone()), rule }, danger);
        }
        if known.is_some() {
            let own = Table { partition: None, ..table.clone() };
            let partition = Arc::new(table.clone());
            let danger = Danger::MayFail(format!("a row may not belong to partition {}", table.name));
            push(&mut moves.after, Action::AttachRows { partition, root: root.clone() }, danger);
            push(&mut moves.after, Action::DropTable(Arc::new(own.clone())), Danger::None);
            if let Some((_, root)) = wanted.table(&root) {
                for check in root.checks.iter().filter(|check| !check.not_valid) {
                    let danger = Danger::MayFail(format!("a row of {} may violate it", table.name));
                    let (table, rule) = (Arc::new(root.clone()), Rule::Check(check.name.clone()));
                    push(&mut moves.after, Action::Validate { table, rule }, danger);
                }
            }
            let catalog = moves.wanted.get_or_insert_with(|| wanted.clone());
            replace(catalog, own);
        }
    }
}

/// A column, whatever it is called now.
type Origin = (Arc<str>, u32);

/// By what, and by which columns, rows are told apart.
fn decides(table: &Table) -> Option<(Strategy, Vec<Option<Origin>>)> {
    let partitioning = table.partitioning.as_ref()?;
    let column = |key: &PartitionKey| {
        let ExprKind::Column(parts) = &*key.expr.kind else { return None };
        table.column(parts.last()?).map(|(_, column)| column.origin.clone())
    };
    Some((partitioning.strategy, partitioning.keys.iter().map(column).collect()))
}

/// The rows that a new partition would take from a default one.
fn taken(current: &Catalog, wanted: &Catalog, partition: &Table) -> Option<Rule> {
    let parent = parent(wanted, partition)?;
    let (id, _) = current.table(&same(current, parent)?.name)?;
    let is_default = |table: &&Table| table.partition.as_ref().is_some_and(|own| own.bound == Bound::Default);
    let default = current.partitions(id).into_iter().map(|id| &current[id]).find(is_default)?;
    Some(Rule::NotTaken { partition: partition.name.clone(), default: default.name.clone() })
}

fn push(steps: &mut Vec<Step>, action: Action, danger: Danger) {
    let sentence = sentence::of(&action);
    steps.push(Step { action, sentence, danger });
}

/// The same table in another catalog.
fn same<'c>(catalog: &'c Catalog, table: &Table) -> Option<&'c Table> {
    catalog.tables.iter().find(|other| other.origin == table.origin && other.is_stored())
}

fn parent<'c>(catalog: &'c Catalog, partition: &Table) -> Option<&'c Table> {
    catalog.table(&partition.partition.as_ref()?.of).map(|(_, parent)| parent)
}

fn root(catalog: &Catalog, partition: &Table) -> Option<Name> {
    let (id, _) = catalog.table(&partition.name)?;
    Some(catalog[catalog.kept_in(id)].name.clone())
}

/// Whether a partition on both sides is one of the same table, which takes the same rows into it.
fn stays(current: &Catalog, wanted: &Catalog, (old, new): (&Table, &Table)) -> bool {
    let of = |catalog: &Catalog, table: &Table| parent(catalog, table).map(|parent| parent.origin.clone());
    let bound = |table: &Table| table.partition.as_ref().map(|own| own.bound.clone());
    old.partition.is_some() && bound(old) == bound(new) && of(current, old) == of(wanted, new)
}

fn depth(catalog: &Catalog, table: &Table) -> usize {
    parent(catalog, table).map_or(0, |parent| depth(catalog, parent) + 1)
}

fn replace(catalog: &mut Catalog, table: Table) {
    if let Some(found) = catalog.tables.iter_mut().find(|other| other.name == table.name) {
        *found = table;
    }
}
