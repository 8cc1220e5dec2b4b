//! Reads computed in memory: of rows that stand in the statement, of functions, of other reads. What guards of migrations ask of the
//! system relations is answered by it while a schema is read. Tables are not: their rows are an engine's.
//!
//! Conditions are looked at as soon as everything that they name is there, equality by hashing; which one is looked at first is
//! as open as in PostgreSQL.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use catalog::ColumnId;
use types::compare::compare;
use types::{Code, Error, Result, Type, Value};

use crate::eval::{Row, Scope, eval, is_true};
use crate::functions::{Context, sets::SetFunction};
use crate::ir::{
    Compare, Expr, Form, JoinKind, Order, Read, SetCall, SetOperator, Source, SourceId, Subquery,
};
use crate::visit;

/// Rows that may lie side by side while one read is computed.
const ROWS_MAX: usize = 2_000_000;

/// The rows of a read.
///
/// # Errors
/// What its expressions raise; `0A000` for tables, window functions and recursion; `54000` for too many rows.
pub fn rows(read: &Read, scope: &mut Scope<'_>) -> Result<Vec<Vec<Value>>> {
    Computing::default().read(read, None, scope)
}

/// Whether a read can be computed here: it looks at no table and calls nothing that is interpreted.
pub fn is_of_no_table(read: &Read) -> bool {
    let mut is_alone = true;
    visit::deep_sources(read, &mut |source| {
        is_alone &= !matches!(
            source,
            Source::Table { .. } | Source::Written { .. } | Source::Given { .. } | Source::Call { .. }
        );
    });
    visit::deep_read(read, &mut |expr| is_alone &= !matches!(expr, Expr::Call(_)));
    is_alone
}

/// A row of a source.
type Cells = Arc<[Value]>;

/// A row of each source that is joined so far.
type Joined = Vec<(SourceId, Cells)>;

/// A computation: the rows of its common table expressions.
#[derive(Default)]
struct Computing {
    ctes: RefCell<HashMap<SourceId, Arc<Vec<Cells>>>>,
}

/// Where an expression looks: the rows at hand, those of its group, those around its query.
struct Around<'a> {
    computing: &'a Computing,
    joined: &'a Joined,
    group: Option<&'a [Joined]>,
    outer: Option<&'a dyn Row>,
}

impl Row for Around<'_> {
    fn column(&self, source: SourceId, column: ColumnId) -> Result<Value> {
        match (self.joined.iter().find(|(id, _)| *id == source), self.outer) {
            // A row that an outer join makes up has no cells.
            (Some((_, cells)), _) => Ok(cells.get(usize::from(column.0)).cloned().unwrap_or(Value::Null)),
            (None, Some(outer)) => outer.column(source, column),
            (None, None) => Err(Error::internal(format!("there is no column {column:?} of {source:?}"))),
        }
    }

    fn subquery(&self, subquery: &Subquery, scope: &mut Scope<'_>) -> Result<Value> {
        self.computing.subquery(subquery, self, scope)
    }

    fn aggregate(&self, expr: &Expr, scope: &mut Scope<'_>) -> Result<Value> {
        match (self.group, self.outer) {
            (Some(group), _) => self.computing.aggregate(expr, group, self.outer, scope),
            (None, Some(outer)) => outer.aggregate(expr, scope),
            (None, None) => Err(Error::internal("an aggregate without a group")),
        }
    }
}

impl Computing {
    fn around<'a>(&'a self, joined: &'a Joined, outer: Option<&'a dyn Row>) -> Around<'a> {
        Around { computing: self, joined, group: None, outer }
    }

    fn read(&self, read: &Read, outer: Option<&dyn Row>, scope: &mut Scope<'_>) -> Result<Vec<Vec<Value>>> {
        for cte in &read.with {
            if cte.recursive {
                return Err(Error::missing("a recursive query while a schema is read"));
            }
            let found = self.read(&cte.read, outer, scope)?.into_iter().map(Cells::from).collect();
            self.ctes.borrow_mut().insert(cte.id, Arc::new(found));
        }
        let mut conditions: Vec<&Expr> = Vec::new();
        read.filter.iter().for_each(|filter| split(filter, &mut conditions));
        let joined = self.joined(&read.from, conditions, outer, scope)?;
        let groups = self.groups(read, joined, outer, scope)?;
        let mut found = Vec::with_capacity(groups.len());
        let nothing = Joined::new();
        for group in &groups {
            let (joined, group) = match group {
                Group::Row(joined) => (joined, None),
                Group::Rows(rows) => (rows.first().unwrap_or(&nothing), Some(&rows[..])),
            };
            let around = Around { computing: self, joined, group, outer };
            if let Some(having) = &read.having
                && !is_true(&eval(having, &around, scope)?)
            {
                continue;
            }
            let cells = read.outputs.iter().map(|output| eval(&output.expr, &around, scope));
            let cells = cells.collect::<Result<Vec<_>>>()?;
            let keys = read.order.iter().map(|key| eval(&key.expr, &around, scope));
            found.push((cells, keys.collect::<Result<Vec<_>>>()?));
        }
        if read.distinct {
            let mut seen = std::collections::HashSet::new();
            found.retain(|(cells, _)| seen.insert(words(cells)));
        }
        found.sort_by(|(_, a), (_, b)| ordered(&read.order, a, b));
        let skipped = self.bound(read.offset.as_ref(), outer, scope)?.unwrap_or(0);
        let wanted = self.bound(read.limit.as_ref(), outer, scope)?.unwrap_or(usize::MAX);
        Ok(found.into_iter().skip(skipped).take(wanted).map(|(cells, _)| cells).collect())
    }

    fn bound(
        &self,
        bound: Option<&Expr>,
        outer: Option<&dyn Row>,
        scope: &mut Scope<'_>,
    ) -> Result<Option<usize>> {
        let Some(bound) = bound else { return Ok(None) };
        match eval(bound, &self.around(&Joined::new(), outer), scope)? {
            Value::Int(count) => Ok(Some(usize::try_from(count).unwrap_or(0))),
            _ => Ok(None),
        }
    }

    /// The rows of a query's sources together, as far as its conditions hold.
    fn joined<'e>(
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
            } else {
                let found = self.leaf(leaf, outer, scope)?;
                let found = self.kept(found, &filters, outer, scope)?;
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
        let mut index: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, other) in found.iter().enumerate() {
            let keys = pairs.iter().map(|(key, _)| *key);
            if let Some(key) = self.key(keys, other, outer, scope)? {
                index.entry(key).or_default().push(at);
            }
        }
        for row in rows {
            let Some(key) = self.key(pairs.iter().map(|(_, key)| *key), row, outer, scope)? else { continue };
            let matching = index.get(&key).into_iter().flatten().map(|at| &found[*at]);
            let together = matching.map(|other| [&row[..], &other[..]].concat()).collect();
            all.extend(self.kept(together, conditions, outer, scope)?);
            limited(all.len())?;
        }
        Ok(all)
    }

    /// The words of keys; `None` when one is null.
    fn key<'e>(
        &self,
        keys: impl Iterator<Item = &'e Expr>,
        row: &Joined,
        outer: Option<&dyn Row>,
        scope: &mut Scope<'_>,
    ) -> Result<Option<String>> {
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

    fn kept(
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
            let mut holds = true;
            for condition in conditions {
                holds = holds && is_true(&eval(condition, &self.around(&row, outer), scope)?);
            }
            if holds {
                kept.push(row);
            }
        }
        Ok(kept)
    }

    /// The rows of a source that is no inner join.
    fn leaf(&self, source: &Source, outer: Option<&dyn Row>, scope: &mut Scope<'_>) -> Result<Vec<Joined>> {
        let of = |id: SourceId, rows: Vec<Vec<Value>>| -> Vec<Joined> {
            rows.into_iter().map(|cells| vec![(id, Cells::from(cells))]).collect()
        };
        match source {
            Source::Unit => Ok(vec![Joined::new()]),
            Source::Read { id, read, .. } => Ok(of(*id, self.read(read, outer, scope)?)),
            Source::Values { id, rows } => {
                let nothing = Joined::new();
                let around = self.around(&nothing, outer);
                let mut found = Vec::with_capacity(rows.len());
                for row in rows {
                    let cells = row.iter().map(|expr| eval(expr, &around, scope));
                    found.push(cells.collect::<Result<Vec<_>>>()?);
                }
                Ok(of(*id, found))
            }
            Source::Cte { id, cte, .. } => {
                let found = self.ctes.borrow().get(cte).cloned();
                let found = found.ok_or_else(|| Error::internal("a common table expression without rows"))?;
                Ok(found.iter().map(|cells| vec![(*id, cells.clone())]).collect())
            }
            Source::Function { id, calls, ordinality } => {
                Ok(of(*id, self.functions(calls, *ordinality, outer, scope)?))
            }
            Source::Compound { id, operator, all, left, right } => {
                let (left, right) = (self.read(left, outer, scope)?, self.read(right, outer, scope)?);
                Ok(of(*id, together(*operator, *all, left, right)))
            }
            Source::Join { kind, left, right, on } => {
                self.outer_join(*kind, left, right, on.as_ref(), outer, scope)
            }
            Source::Table { .. }
            | Source::Written { .. }
            | Source::Given { .. }
            | Source::Transition { .. }
            | Source::Call { .. } => Err(Error::missing("looking at rows while a schema is read")),
        }
    }

    fn functions(
        &self,
        calls: &[SetCall],
        ordinality: bool,
        outer: Option<&dyn Row>,
        scope: &mut Scope<'_>,
    ) -> Result<Vec<Vec<Value>>> {
        let nothing = Joined::new();
        let around = self.around(&nothing, outer);
        let mut columns = Vec::with_capacity(calls.len());
        for call in calls {
            let values = call.args.iter().map(|arg| eval(arg, &around, scope)).collect::<Result<Vec<_>>>()?;
            let types: Vec<Type> = call.args.iter().map(Expr::ty).collect();
            let function: &SetFunction = call.function;
            let mut context = Context {
                arguments: &types,
                session: scope.session,
                random: &mut *scope.random,
                clock: scope.clock,
            };
            columns.push((call.columns.len(), function.call(&mut context, &call.columns, &values)?));
        }
        let longest = columns.iter().map(|(_, rows)| rows.len()).max().unwrap_or(0);
        let row = |at: usize| {
            let mut cells = Vec::new();
            for (width, rows) in &columns {
                match rows.get(at) {
                    Some(found) => cells.extend(found.iter().cloned()),
                    None => cells.extend(vec![Value::Null; *width]),
                }
            }
            if ordinality {
                cells.push(i64::try_from(at + 1).map_or(Value::Null, Value::Int));
            }
            cells
        };
        Ok((0..longest).map(row).collect())
    }

    fn outer_join(
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
        let mut index: HashMap<String, Vec<usize>> = HashMap::new();
        if !pairs.is_empty() && !is_lateral {
            for (at, row) in right_rows.iter().enumerate() {
                if let Some(key) = self.key(pairs.iter().map(|(key, _)| *key), row, outer, scope)? {
                    index.entry(key).or_default().push(at);
                }
            }
        }
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

    fn groups(
        &self,
        read: &Read,
        rows: Vec<Joined>,
        outer: Option<&dyn Row>,
        scope: &mut Scope<'_>,
    ) -> Result<Vec<Group>> {
        let said = read.outputs.iter().map(|output| &output.expr);
        let said = || said.clone().chain(&read.having).chain(read.order.iter().map(|key| &key.expr));
        if said().any(visit::has_window) {
            return Err(Error::missing("a window function while a schema is read"));
        }
        if read.group.is_empty() && read.having.is_none() && !said().any(visit::has_aggregate) {
            return Ok(rows.into_iter().map(Group::Row).collect());
        }
        if read.group.is_empty() {
            return Ok(vec![Group::Rows(rows)]);
        }
        let mut groups: Vec<Vec<Joined>> = Vec::new();
        let mut index: HashMap<String, usize> = HashMap::new();
        for row in rows {
            let around = self.around(&row, outer);
            let keys = read.group.iter().map(|key| eval(key, &around, scope)).collect::<Result<Vec<_>>>()?;
            let at = *index.entry(words(&keys)).or_insert(groups.len());
            match groups.get_mut(at) {
                Some(group) => group.push(row),
                None => groups.push(vec![row]),
            }
        }
        Ok(groups.into_iter().map(Group::Rows).collect())
    }

    fn aggregate(
        &self,
        expr: &Expr,
        group: &[Joined],
        outer: Option<&dyn Row>,
        scope: &mut Scope<'_>,
    ) -> Result<Value> {
        let Expr::Aggregate { aggregate, args, distinct, filter, order, .. } = expr else {
            return Err(Error::internal("an aggregate was expected"));
        };
        let mut found = Vec::new();
        for row in group {
            let around = self.around(row, outer);
            if let Some(filter) = filter
                && !is_true(&eval(filter, &around, scope)?)
            {
                continue;
            }
            let values = args.iter().map(|arg| eval(arg, &around, scope)).collect::<Result<Vec<_>>>()?;
            let keys = order.iter().map(|key| eval(&key.expr, &around, scope)).collect::<Result<Vec<_>>>()?;
            found.push((values, keys));
        }
        if *distinct {
            let mut seen = std::collections::HashSet::new();
            found.retain(|(values, _)| seen.insert(words(values)));
            let types: Vec<Type> = args.iter().map(Expr::ty).collect();
            found.sort_by(|(a, _), (b, _)| {
                let pairs = types.iter().zip(a.iter().zip(b));
                pairs.fold(std::cmp::Ordering::Equal, |so_far, (ty, (a, b))| {
                    so_far.then_with(|| compare(ty, a, b))
                })
            });
        }
        found.sort_by(|(_, a), (_, b)| ordered(order, a, b));
        let types: Vec<Type> = args.iter().map(Expr::ty).collect();
        let mut state = (aggregate.init)();
        let mut context = Context {
            arguments: &types,
            session: scope.session,
            random: &mut *scope.random,
            clock: scope.clock,
        };
        for (values, _) in found {
            aggregate.step(&mut *state, &mut context, &values)?;
        }
        state.finish(&mut context)
    }

    fn subquery(&self, subquery: &Subquery, outer: &dyn Row, scope: &mut Scope<'_>) -> Result<Value> {
        match subquery {
            Subquery::Exists(read) => Ok(Value::Bool(!self.read(read, Some(outer), scope)?.is_empty())),
            Subquery::Scalar(read) => {
                let mut rows = self.read(read, Some(outer), scope)?;
                if rows.len() > 1 {
                    let message = "more than one row returned by a subquery used as an expression";
                    return Err(Error::new(Code::CARDINALITY, message));
                }
                Ok(rows.pop().and_then(|row| row.into_iter().next()).unwrap_or(Value::Null))
            }
            Subquery::Any { operand, compare, read } => {
                self.quantified(operand, *compare, read, true, outer, scope)
            }
            Subquery::All { operand, compare, read } => {
                self.quantified(operand, *compare, read, false, outer, scope)
            }
            Subquery::Nest(_) => Err(Error::missing("nested rows while a schema is read")),
        }
    }

    /// `any` is decided by true, `all` by false.
    fn quantified(
        &self,
        operand: &Expr,
        operator: Compare,
        read: &Read,
        decisive: bool,
        outer: &dyn Row,
        scope: &mut Scope<'_>,
    ) -> Result<Value> {
        let left = eval(operand, outer, scope)?;
        let mut result = Value::Bool(!decisive);
        for row in self.read(read, Some(outer), scope)? {
            let right = row.into_iter().next().unwrap_or(Value::Null);
            match crate::eval::compared(operator, &operand.ty(), &left, &right) {
                Value::Bool(value) if value == decisive => return Ok(Value::Bool(decisive)),
                Value::Null => result = Value::Null,
                _ => {}
            }
        }
        Ok(result)
    }
}

/// What one row of the result is made of.
enum Group {
    Row(Joined),
    Rows(Vec<Joined>),
}

/// The conditions that must all hold.
fn split<'e>(condition: &'e Expr, into: &mut Vec<&'e Expr>) {
    match condition {
        Expr::Form { form: Form::And, args, .. } => args.iter().for_each(|arg| split(arg, into)),
        other => into.push(other),
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

/// Values as words that are the same for the same values.
fn words(values: &[Value]) -> String {
    format!("{values:?}")
}

fn limited(rows: usize) -> Result<()> {
    if rows <= ROWS_MAX {
        return Ok(());
    }
    Err(Error::new(
        Code::LIMIT_EXCEEDED,
        format!("a query over the system's tables has more than {ROWS_MAX} rows"),
    ))
}

fn ordered(order: &[Order], left: &[Value], right: &[Value]) -> std::cmp::Ordering {
    use std::cmp::Ordering::{Equal, Greater, Less};
    for (key, (left, right)) in order.iter().zip(left.iter().zip(right)) {
        let found = match (left.is_null(), right.is_null()) {
            (true, true) => Equal,
            (true, false) if key.nulls_first => Less,
            (true, false) => Greater,
            (false, true) if key.nulls_first => Greater,
            (false, true) => Less,
            (false, false) if key.descending => compare(&key.expr.ty(), right, left),
            (false, false) => compare(&key.expr.ty(), left, right),
        };
        if found != Equal {
            return found;
        }
    }
    Equal
}

fn together(
    operator: SetOperator,
    all: bool,
    left: Vec<Vec<Value>>,
    right: Vec<Vec<Value>>,
) -> Vec<Vec<Value>> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    right.iter().for_each(|row| *counts.entry(words(row)).or_default() += 1);
    let mut rows: Vec<Vec<Value>> = match operator {
        SetOperator::Union => left.into_iter().chain(right).collect(),
        SetOperator::Intersect | SetOperator::Except => {
            let keeps = operator == SetOperator::Intersect;
            left.into_iter()
                .filter(|row| match counts.get_mut(&words(row)) {
                    Some(count) if *count > 0 => {
                        *count -= usize::from(all);
                        keeps
                    }
                    Some(_) | None => !keeps,
                })
                .collect()
        }
    };
    if !all {
        let mut seen = std::collections::HashSet::new();
        rows.retain(|row| seen.insert(words(row)));
    }
    rows
}

#[cfg(test)]
mod tests {
    use types::session::Session;

    use super::*;
    use crate::ir::Caller;

    const SCHEMA: &str = "
        create type mood as enum ('sad', 'ok');
        create schema app;
        create table a (id int primary key, m mood default 'ok', t text not null);
        create table app.b (id int primary key, a int constraint to_a references a, n numeric(10,2));
        create index b_a on app.b (a);
        alter table a enable row level security;
        create policy p on a for select to anon using (id = 1);
        revoke all on app.b from public;
        create function app.f(x int) returns int language sql as 'select 1';";

    #[track_caller]
    fn check_as(role: &str, query: &str, wanted: &str) {
        let (statements, _) = sql::parse(SCHEMA);
        let (catalog, report) = catalog::build(catalog::builtin(), &statements, &crate::resolve::Views);
        assert!(report.iter().all(|(_, outcome)| outcome.is_ok()), "{report:?}");
        let (statements, broken) = sql::parse(query);
        assert!(broken.is_empty(), "{broken:?}");
        let caller = Caller::role(role);
        let session = Session::utc(0);
        let clock = || 0;
        let mut random = |_: &mut [u8]| {};
        let mut scope =
            Scope { caller: &caller, params: &[], session: &session, random: &mut random, clock: &clock };
        let found =
            crate::resolve::statement(&catalog, &statements[0].kind, &[]).and_then(|query| match query {
                crate::Query::Read(read) => {
                    let types: Vec<Type> = read.outputs.iter().map(|output| output.expr.ty()).collect();
                    assert!(is_of_no_table(&read));
                    let rows = rows(&read, &mut scope)?;
                    let row = |row: Vec<Value>| {
                        let texts = row.iter().zip(&types).map(|(value, ty)| match value {
                            Value::Null => "-".to_owned(),
                            value => types::text::print(ty, value, &session),
                        });
                        texts.collect::<Vec<_>>().join("|")
                    };
                    Ok(rows.into_iter().map(row).collect::<Vec<_>>().join(" "))
                }
                crate::Query::Write(_) => Err(Error::internal("a write")),
            });
        let found = found.unwrap_or_else(|error| format!("{}: {}", error.state(), error.message()));
        assert_eq!(found, wanted, "{query}");
    }

    #[track_caller]
    fn check(query: &str, wanted: &str) {
        check_as("postgres", query, wanted);
    }

    #[test]
    fn joins_groups_and_subqueries() {
        check(
            "select c.relname, count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
             join pg_attribute t on t.attrelid = c.oid where n.nspname in ('public', 'app') and c.relkind = 'r'
             group by c.relname order by 1",
            "a|3 b|3",
        );
        check(
            "select e.enumlabel from pg_type t left join pg_enum e on e.enumtypid = t.oid where t.typname = 'mood' order by e.enumsortorder desc limit 1",
            "ok",
        );
        check("select exists (select from pg_policies where policyname = 'p' and tablename = 'a')", "t");
        check(
            "select string_agg(tablename, ',' order by tablename) from pg_tables where schemaname in ('public', 'app')",
            "a,b",
        );
        check("with x as (select 1 as n union all select 2) select sum(n) from x", "3");
    }

    #[test]
    fn ids_are_names() {
        check(
            "select 'a'::regclass::text, 'app.b'::regclass::text, to_regclass('nothing')::text",
            "a|app.b|-",
        );
        check(
            "select conname from pg_constraint where conrelid = 'app.b'::regclass order by 1",
            "b_pkey to_a",
        );
        check(
            "select conrelid::regclass, confrelid::regclass from pg_constraint where conname = 'to_a'",
            "app.b|a",
        );
        check("select 'nothing'::regclass", "42P01: relation \"nothing\" does not exist");
        check("select format('%s', (n || '')::regclass) from (values ('app.b')) v (n)", "app.b");
        check("select to_regprocedure('app.f(int)') is not null, to_regproc('app.g') is null", "t|t");
    }

    #[test]
    fn definitions_and_types() {
        check(
            "select pg_get_constraintdef(oid) from pg_constraint where conname = 'to_a'",
            "FOREIGN KEY (a) REFERENCES a(id)",
        );
        check(
            "select format_type(atttypid, atttypmod) from pg_attribute where attname = 'n'",
            "numeric(10,2)",
        );
        check(
            "select indexdef from pg_indexes where indexname = 'b_a'",
            "CREATE INDEX b_a ON app.b USING btree (a)",
        );
        check(
            "select column_default, is_nullable, data_type, udt_name from information_schema.columns where column_name = 'm'",
            "'ok'::mood|YES|USER-DEFINED|mood",
        );
    }

    #[test]
    fn functions_that_are_written_in_sql() {
        let overlap =
            "select (date '2020-01-01', date '2020-02-01') overlaps (date '2020-01-15', date '2020-03-01'),
            (date '2020-02-01', date '2020-01-01') overlaps (date '2020-02-01', date '2020-03-01')";
        check(overlap, "t|f");
        check(
            "select sign('{\"sub\":\"1\"}'::json, 'secret')",
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxIn0.8qZF8vbN3UpcanXFc-mPXJkOPN01-bRch8XX3rToP1U",
        );
    }

    #[test]
    fn everybody_sees_in_the_information_schema_what_they_may_use() {
        let tables = "select string_agg(table_name, ',') from information_schema.tables where table_schema in ('public', 'app')";
        check(tables, "a,b");
        check_as("anon", tables, "a");
        check_as("anon", "select count(*) from pg_class where relname = 'b'", "1");
        check_as(
            "anon",
            "select has_table_privilege('a', 'select'), has_table_privilege('app.b', 'select')",
            "t|f",
        );
        check(
            "select has_table_privilege('anon', 'app.b', 'SELECT'), pg_has_role('authenticator', 'anon', 'member')",
            "f|t",
        );
    }
}
