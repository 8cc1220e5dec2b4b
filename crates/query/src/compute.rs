//! Reads computed in memory: of rows that stand in the statement, of functions, of other reads. What guards of migrations ask of the
//! system relations is answered by it while a schema is read. Tables are not: their rows are an engine's.

mod found;
mod joins;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use catalog::ColumnId;
use types::compare::compare;
use types::{Code, Error, Result, Type, Value};

use crate::eval::{Row, Scope, eval, is_true};
use crate::functions::{Context, sets::SetFunction};
use crate::ir::{Compare, Expr, Form, Order, Read, SetCall, SetOperator, Source, SourceId, Subquery};
use crate::visit;

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
            Source::System { id, rows, .. } => {
                Ok(rows.all().iter().map(|cells| vec![(*id, cells.clone())]).collect())
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
        let mut index: HashMap<Vec<Word>, usize> = HashMap::new();
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

/// A value as a word that is the same for the same value.
#[derive(PartialEq, Eq, Hash)]
enum Word {
    Int(i64),
    Text(Arc<str>),
    Other(String),
}

fn words(values: &[Value]) -> Vec<Word> {
    let word = |value: &Value| match value {
        Value::Int(number) => Word::Int(*number),
        Value::Text(text) => Word::Text(text.clone()),
        other => Word::Other(format!("{other:?}")),
    };
    values.iter().map(word).collect()
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
    let mut counts: HashMap<Vec<Word>, usize> = HashMap::new();
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
