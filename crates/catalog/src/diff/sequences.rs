//! Differences of sequences. What a sequence counts is kept across renames, so a renamed one is never a new one.

use std::collections::HashMap;

use types::Name;

use super::Change;
use crate::{Catalog, Sequence};

/// What differs between the sequences of two catalogs, in name order.
pub(super) fn compare(current: &Catalog, wanted: &Catalog, changes: &mut Vec<Change>) {
    let pairs = matched(current, wanted);
    for name in sorted(current).filter(|name| !pairs.values().any(|from| from == name)) {
        changes.push(Change::DropSequence(name.clone()));
    }
    for name in sorted(wanted) {
        match pairs.get(name) {
            None => changes.push(Change::CreateSequence(name.clone())),
            Some(from) if from != &name || !same(&current.sequences[*from], &wanted.sequences[name]) => {
                changes.push(Change::AlterSequence { from: (*from).clone(), to: name.clone() });
            }
            Some(_) => {}
        }
    }
}

/// The current name of each wanted sequence that exists: by origin, else by name unless it was dropped on the way.
fn matched<'a>(current: &'a Catalog, wanted: &'a Catalog) -> HashMap<&'a Name, &'a Name> {
    let by_origin: HashMap<(Name, u32), &Name> =
        current.sequences.keys().map(|name| (origin(current, name), name)).collect();
    let mut found: HashMap<&Name, &Name> = wanted
        .sequences
        .keys()
        .filter_map(|name| Some((name, *by_origin.get(&origin(wanted, name))?)))
        .collect();
    for name in wanted.sequences.keys() {
        let free = current
            .sequences
            .get_key_value(name)
            .filter(|(name, _)| !found.values().any(|taken| taken == name))
            .filter(|(name, _)| !wanted.history.has_dropped_sequence(&origin(current, name)));
        if let (false, Some((from, _))) = (found.contains_key(name), free) {
            found.insert(name, from);
        }
    }
    found
}

fn origin(catalog: &Catalog, name: &Name) -> (Name, u32) {
    catalog.history.sequence_origins.get(name).cloned().unwrap_or_else(|| (name.clone(), 0))
}

fn sorted(catalog: &Catalog) -> impl Iterator<Item = &Name> {
    let mut names: Vec<&Name> = catalog.sequences.keys().collect();
    names.sort();
    names.into_iter()
}

/// Whether two sequences count alike. Who owns them and who may use them is no matter of storage.
fn same(a: &Sequence, b: &Sequence) -> bool {
    (&a.ty, a.start, a.increment, a.min, a.max, a.cycle)
        == (&b.ty, b.start, b.increment, b.min, b.max, b.cycle)
}
