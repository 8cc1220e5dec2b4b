//! Sources side by side. Conditions are looked at as soon as everything that they name is there, equality by hashing; which one is
//! looked at first is as open as in PostgreSQL.

use std::collections::HashMap;

use types::{Code, Error, Result, Type, Value};

use super::{Cells, Computing, Joined, Word, split, words};
use crate::eval::{Row, Scope, eval};
use crate::ir::{Compare, Expr, Form, JoinKind, Read, Source, SourceId};
use crate::visit;

/// Rows that may lie side by side while one read is computed.
const ROWS_MAX: usize = 2_000_000;

impl Computing {
    /// The rows of a query's sources together, as far as its conditions hold.
    pub(super) fn joined<'e>(
        &self,
        from: &'e Source,
        mut conditions: Vec<&'e Expr>,
        outer: Option<&dyn Row>,
        scope: &mut Scope<'_>,
    ) -> Result<Vec<Joined>> {
        let mut leaves = Vec::new();
        flat(from, &mut leaves, &mut conditions);
        let all: Vec<SourceId> = leaves.iter().flat_map(|leaf| ids(leaf)).collect();
        let mut open: Vec<(&Expr, Vec<SourceId>)> =
            conditions.into_iter().map(|condition| (condition, named(condition, &all))).collect();
        let mut rows = vec![Joined::new()];
        let mut known: Vec<SourceId> = Vec::new();
        for leaf in leaves {
            let own = ids(leaf);
            let (mine, rest): (Vec<_>, Vec<_>) =
                open.into_iter().partition(|(_, names)| names.iter().all(|id| own.contains(id)));
            let before = known.clone();
            known.extend(&own);
            let (ready, rest): (Vec<_>, Vec<_>) =
                rest.into_iter().partition(|(_, names)| names.iter().all(|id| known.contains(id)));
            open = rest;
            let filters: Vec<&Expr> = mine.into_iter().map(|(condition, _)| condition).collect();
            let ready: Vec<&Expr> = ready.into_iter().map(|(condition, _)| condition).collect();
            rows = if depends(leaf, &before) {
                let conditions = [filters, ready].concat();
                self.beside(rows, leaf, &conditions, outer, scope)?
            } else if let Some(found) = self.beside_found(&rows, leaf, (&filters, &ready), outer, scope)? {
                found
            } else {
                let found = self.sifted(leaf, &filters, outer, scope)?;
                self.matched(&rows, &found, (&own, &before), &ready, outer, scope)?
            };
        }
        let rest: Vec<&Expr> = open.into_iter().map(|(condition, _)| condition).collect();
        self.kept(rows, &rest, outer, scope)
    }

    /// Rows of a source for each row before it.
    fn beside(
        &self,
        rows: Vec<Joined>,
        leaf: &Source,
        conditions: &[&Expr],
        outer: Option<&dyn Row>,
        scope: &mut Scope<'_>,
    ) -> Result<Vec<Joined>> {
        let mut all = Vec::new();
        for row in rows {
            let found = {
                let around = self.around(&row, outer);
                self.leaf(leaf, Some(&around), scope)?
            };
            let together = found.into_iter().map(|other| [&row[..], &other[..]].concat()).collect();
            all.extend(self.kept(together, conditions, outer, scope)?);
            limited(all.len())?;
        }
        Ok(all)
    }

    /// Rows with those that match them.
    fn matched(
        &self,
        rows: &[Joined],
        found: &[Joined],
        (own, before): (&[SourceId], &[SourceId]),
        conditions: &[&Expr],
        outer: Option<&dyn Row>,
        scope: &mut Scope<'_>,
    ) -> Result<Vec<Joined>> {
        let pairs: Vec<(&Expr, &Expr)> =
            conditions.iter().filter_map(|condition| equality(condition, own, before)).collect();
        let mut all = Vec::new();
        if pairs.is_empty() {
            for row in rows {
                limited(all.len() + found.len())?;
                let together = found.iter().map(|other| [&row[..], &other[..]].concat()).collect();
                all.extend(self.kept(together, conditions, outer, scope)?);
            }
            return Ok(all);
        }
        let index = self.index(found, &pairs, outer, scope)?;
        for row in rows {
            let Some(key) = self.key(pairs.iter().map(|(_, key)| *key), row, outer, scope)? else { continue };
            let matching = index.get(&key).into_iter().flatten().map(|at| &found[*at]);
            let together = matching.map(|other| [&row[..], &other[..]].concat()).collect();
            all.extend(self.kept(together, conditions, outer, scope)?);
            limited(all.len())?;
        }
        Ok(all)
    }

    /// Where rows are, by the first of each pair of keys.
    fn index(
        &self,
        rows: &[Joined],
        pairs: &[(&Expr, &Expr)],
        outer: Option<&dyn Row>,
        scope: &mut Scope<'_>,
    ) -> Result<HashMap<Vec<Word>, Vec<usize>>> {
        let mut index: HashMap<Vec<Word>, Vec<usize>> = HashMap::new();
        for (at, row) in rows.iter().enumerate() {
            if let Some(key) = self.key(pairs.iter().map(|(key, _)| *key), row, outer, scope)? {
                index.entry(key).or_default().push(at);
            }
        }
        Ok(index)
    }

    /// The words of keys; `None` when one is null.
    fn key<'e>(
        &self,
        keys: impl Iterator<Item = &'e Expr>,
        row: &Joined,
        outer: Option<&dyn Row>,
        scope: &mut Scope<'_>,
    ) -> Result<Option<Vec<Word>>> {
        let around = self.around(row, outer);
        let mut values = Vec::new();
        for key in keys {
            match eval(key, &around, scope)? {
                Value::Null => return Ok(None),
                value => values.push(value),
            }
        }
        Ok(Some(words(&values)))
    }

    pub(super) fn kept(
        &self,
        rows: Vec<Joined>,
        conditions: &[&Expr],
        outer: Option<&dyn Row>,
        scope: &mut Scope<'_>,
    ) -> Result<Vec<Joined>> {
        if conditions.is_empty() {
            return Ok(rows);
        }
        let mut kept = Vec::new();
        for row in rows {
            if self.holds(&row, conditions, outer, scope)? {
                kept.push(row);
            }
        }
        Ok(kept)
    }

    /// The rows of two sources, of which rows may be there alone.
    pub(super) fn outer_join(
        &self,
        kind: JoinKind,
        left: &Source,
        right: &Source,
        on: Option<&Expr>,
        outer: Option<&dyn Row>,
        scope: &mut Scope<'_>,
    ) -> Result<Vec<Joined>> {
        let mut conditions = Vec::new();
        on.into_iter().for_each(|on| split(on, &mut conditions));
        let (left_ids, right_ids) = (ids(left), ids(right));
        let left_rows = self.joined(left, Vec::new(), outer, scope)?;
        let is_lateral = depends(right, &left_ids);
        let right_rows = if is_lateral { Vec::new() } else { self.joined(right, Vec::new(), outer, scope)? };
        let missing = |ids: &[SourceId]| -> Joined { ids.iter().map(|id| (*id, Cells::from([]))).collect() };
        let mut all = Vec::new();
        let mut used = vec![false; right_rows.len()];
        let pairs: Vec<(&Expr, &Expr)> =
            conditions.iter().filter_map(|condition| equality(condition, &right_ids, &left_ids)).collect();
        let index =
            if pairs.is_empty() { HashMap::new() } else { self.index(&right_rows, &pairs, outer, scope)? };
        for row in left_rows {
            let beside;
            let (candidates, positions): (&[Joined], Vec<usize>) = if is_lateral {
                beside = self.joined(right, Vec::new(), Some(&self.around(&row, outer)), scope)?;
                (&beside, (0..beside.len()).collect())
            } else if pairs.is_empty() {
                (&right_rows, (0..right_rows.len()).collect())
            } else {
                let key = self.key(pairs.iter().map(|(_, key)| *key), &row, outer, scope)?;
                (&right_rows, key.and_then(|key| index.get(&key).cloned()).unwrap_or_default())
            };
            let mut is_matched = false;
            for at in positions {
                let both = [&row[..], &candidates[at][..]].concat();
                let mut kept = self.kept(vec![both], &conditions, outer, scope)?;
                if let Some(both) = kept.pop() {
                    is_matched = true;
                    used.iter_mut().skip(at).take(1).for_each(|used| *used = true);
                    all.push(both);
                }
            }
            if !is_matched && matches!(kind, JoinKind::Left | JoinKind::Full) {
                all.push([row, missing(&right_ids)].concat());
            }
            limited(all.len())?;
        }
        if matches!(kind, JoinKind::Right | JoinKind::Full) {
            let alone = right_rows.into_iter().zip(used).filter(|(_, used)| !used);
            all.extend(alone.map(|(row, _)| [missing(&left_ids), row].concat()));
        }
        Ok(all)
    }
}

/// Sources of inner joins, with their conditions.
fn flat<'s>(source: &'s Source, leaves: &mut Vec<&'s Source>, conditions: &mut Vec<&'s Expr>) {
    match source {
        Source::Join { kind: JoinKind::Inner, left, right, on } => {
            flat(left, leaves, conditions);
            flat(right, leaves, conditions);
            on.iter().for_each(|on| split(on, conditions));
        }
        other => leaves.push(other),
    }
}

/// The sources that a source is.
fn ids(source: &Source) -> Vec<SourceId> {
    let mut found = Vec::new();
    visit::each_source(source, &mut |source| found.extend(visit::id_of(source)));
    found
}

/// Which of some sources an expression names.
fn named(expr: &Expr, among: &[SourceId]) -> Vec<SourceId> {
    let mut found = Vec::new();
    visit::deep(expr, &mut |inner| {
        if let Expr::Column { source, .. } = inner
            && among.contains(source)
        {
            found.push(*source);
        }
    });
    found
}

/// Whether a source names others beside it.
fn depends(source: &Source, before: &[SourceId]) -> bool {
    let around = Read::from(source.clone());
    !before.is_empty() && visit::names_any(&around, before)
}

/// Two sides that are equal: the first names only the new sources, the second only those before.
fn equality<'e>(condition: &'e Expr, own: &[SourceId], before: &[SourceId]) -> Option<(&'e Expr, &'e Expr)> {
    let Expr::Form { form: Form::Compare(Compare::Eq), args, .. } = condition else { return None };
    let [left, right] = &args[..] else { return None };
    let is_of = |expr: &Expr, wanted: &[SourceId], other: &[SourceId]| {
        !named(expr, wanted).is_empty() && named(expr, other).is_empty()
    };
    // Texts that are not compared by their letters are left to the comparison.
    if left.ty() == Type::Citext || right.ty() == Type::Citext {
        return None;
    }
    match (is_of(left, own, before), is_of(right, before, own)) {
        (true, true) => Some((left, right)),
        _ if is_of(right, own, before) && is_of(left, before, own) => Some((right, left)),
        _ => None,
    }
}

pub(super) fn limited(rows: usize) -> Result<()> {
    if rows <= ROWS_MAX {
        return Ok(());
    }
    Err(Error::new(
        Code::LIMIT_EXCEEDED,
        format!("a query over the system's tables has more than {ROWS_MAX} rows"),
    ))
}
