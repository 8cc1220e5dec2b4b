//! Groups: their keys, and that nothing else is said of them.

use catalog::ColumnId;
use sql::ast::{self, ExprKind};
use types::{Code, Error, Result, Value};

use super::Resolver;
use crate::functions::{GROUPING, choose_aggregate};
use crate::ir::{Expr, Form, Order, Output, Read, SetOperator, Source, SourceId};
use crate::visit;

/// Positions of keys in `group`.
pub(super) type GroupingSet = Vec<usize>;

/// As many as PostgreSQL takes.
const SETS_MAX: usize = 4096;
const CUBE_MAX: usize = 12;

fn is_grouping(key: &ast::Expr) -> bool {
    matches!(&*key.kind, ExprKind::Call(call) if matches!(call.name.name.as_str(), "rollup" | "cube" | "grouping sets"))
}

/// True, of all rows together.
fn one_group() -> Result<Expr> {
    let chosen = choose_aggregate("count", &[])?;
    let count = Expr::Aggregate {
        aggregate: chosen.aggregate,
        args: Vec::new(),
        distinct: false,
        filter: None,
        order: Vec::new(),
        ty: chosen.result,
    };
    Ok(Expr::test(Form::IsNotNull, vec![count]))
}

/// A read of one grouping set: `grouping()` says that every key is grouped by.
pub(super) fn all_grouped(mut read: Read) -> Read {
    let all = Keys { present: Vec::new(), absent: Vec::new() };
    let outputs = read.outputs.iter_mut().map(|output| &mut output.expr);
    let order = read.order.iter_mut().map(|key| &mut key.expr);
    outputs.chain(order).chain(&mut read.having).for_each(|expr| all.put_groupings(expr));
    read
}

fn has_grouping(expr: &Expr) -> bool {
    matches!(expr, Expr::Apply { function, .. } if std::ptr::eq(*function, &GROUPING))
        || visit::operands(expr).into_iter().any(has_grouping)
}

/// What an expression says: the same for two that are written alike, whatever the sources of their subqueries are called.
fn words(expr: &Expr) -> String {
    let mut has_subquery = false;
    visit::deep(expr, &mut |inner| has_subquery |= matches!(inner, Expr::Subquery(_)));
    if !has_subquery {
        return format!("{expr:?}");
    }
    let mut expr = expr.clone();
    alike(&mut expr);
    format!("{expr:?}")
}

fn alike(expr: &mut Expr) {
    if let Expr::Subquery(subquery) = expr {
        let read = subquery.read_mut();
        *read = visit::instantiate_read(read, &mut visit::SourceIds::starting_at(u32::MAX / 2));
    }
    visit::operands_mut(expr).into_iter().for_each(alike);
}

/// The keys of a grouping set, and the others, which are null in it.
struct Keys {
    present: Vec<String>,
    absent: Vec<(String, Expr)>,
}

impl Keys {
    fn of(keys: &[Expr], set: &[usize]) -> Keys {
        let (present, absent): (Vec<_>, Vec<_>) =
            keys.iter().enumerate().partition(|(at, _)| set.contains(at));
        Keys {
            present: present.into_iter().map(|(_, key)| words(key)).collect(),
            absent: absent.into_iter().map(|(_, key)| (words(key), Expr::null(key.ty()))).collect(),
        }
    }

    /// Puts what `grouping()` says: a bit for each key, which is set where it is not grouped by.
    fn put_groupings(&self, expr: &mut Expr) {
        if let Expr::Apply { function, args, ty } = expr
            && std::ptr::eq(*function, &GROUPING)
        {
            let is_absent = |arg: &Expr| self.absent.iter().any(|(key, _)| *key == words(arg));
            let bits = args.iter().fold(0, |bits, arg| bits * 2 + i64::from(is_absent(arg)));
            *expr = Expr::Const { value: Value::Int(bits), ty: ty.clone() };
            return;
        }
        visit::operands_mut(expr).into_iter().for_each(|operand| self.put_groupings(operand));
    }

    /// Puts nulls for keys that are not grouped by: not within one that is, nor where an aggregate looks at each row.
    fn put_nulls(&self, expr: &mut Expr) {
        let said = words(expr);
        if self.present.contains(&said) {
            return;
        }
        if let Some((_, null)) = self.absent.iter().find(|(key, _)| *key == said) {
            *expr = null.clone();
            return;
        }
        if matches!(expr, Expr::Aggregate { .. }) {
            return;
        }
        visit::operands_mut(expr).into_iter().for_each(|operand| self.put_nulls(operand));
        if let Expr::Subquery(subquery) = expr {
            self.put_nulls_in(subquery.read_mut());
        }
    }

    /// A subquery, and its aggregates, see the group.
    fn put_nulls_in(&self, read: &mut Read) {
        visit::own_expressions_mut(read, &mut |expr| {
            if let Expr::Aggregate { .. } = expr {
                visit::operands_mut(expr).into_iter().for_each(|operand| self.put_nulls(operand));
            }
            self.put_nulls(expr);
        });
        visit::each_inner_read_mut(read, &mut |inner| self.put_nulls_in(inner));
    }
}

impl Resolver<'_> {
    /// `group by`: columns first, then positions and names of outputs, then expressions.
    ///
    /// Several grouping sets: all keys are in `group`, each set names some of them.
    pub(super) fn group_keys(
        &mut self,
        read: &mut Read,
        keys: &[ast::Expr],
    ) -> Result<Option<Vec<GroupingSet>>> {
        if !keys.iter().any(is_grouping) {
            read.group = self.plain_keys(keys, &read.outputs)?;
            return Ok(None);
        }
        let mut sets: Vec<GroupingSet> = vec![Vec::new()];
        for key in keys {
            let further = self.grouping(read, key)?;
            sets = sets
                .iter()
                .flat_map(|set| further.iter().map(move |more| [&set[..], more].concat()))
                .collect();
        }
        if sets.len() > SETS_MAX {
            return Err(Error::new(
                Code::TOO_COMPLEX,
                format!("too many grouping sets present (maximum {SETS_MAX})"),
            ));
        }
        Ok(Some(sets))
    }

    /// The sets that one item stands for.
    fn grouping(&mut self, read: &mut Read, item: &ast::Expr) -> Result<Vec<GroupingSet>> {
        let ExprKind::Call(call) = &*item.kind else { return Ok(vec![self.noted(read, item)?]) };
        let args = || call.args.iter().map(|argument| &argument.value);
        match call.name.name.as_str() {
            "rollup" => {
                let parts = args().map(|arg| self.noted(read, arg)).collect::<Result<Vec<_>>>()?;
                Ok((0..=parts.len()).rev().map(|count| parts[..count].concat()).collect())
            }
            "cube" => {
                let parts = args().map(|arg| self.noted(read, arg)).collect::<Result<Vec<_>>>()?;
                if parts.len() > CUBE_MAX {
                    return Err(Error::new(
                        Code::TOO_COMPLEX,
                        format!("CUBE is limited to {CUBE_MAX} elements"),
                    ));
                }
                let count = parts.len();
                let is_in = |mask: usize, at: usize| mask & (1 << (count - 1 - at)) != 0;
                let set = |mask: usize| {
                    (0..count).filter(|at| is_in(mask, *at)).flat_map(|at| parts[at].clone()).collect()
                };
                Ok((0..1_usize << count).rev().map(set).collect())
            }
            "grouping sets" => {
                let mut sets = Vec::new();
                for arg in args() {
                    sets.extend(self.grouping(read, arg)?);
                }
                Ok(sets)
            }
            _ => Ok(vec![self.noted(read, item)?]),
        }
    }

    /// The positions of the keys that an item names, which are noted.
    fn noted(&mut self, read: &mut Read, item: &ast::Expr) -> Result<GroupingSet> {
        let fields: Vec<&ast::Expr> = match &*item.kind {
            ExprKind::Row(fields) => fields.iter().collect(),
            _ => vec![item],
        };
        let mut set = Vec::new();
        for field in fields {
            for key in self.plain_keys(std::slice::from_ref(field), &read.outputs)? {
                let words = format!("{key:?}");
                let known = read.group.iter().position(|other| format!("{other:?}") == words);
                set.push(known.unwrap_or(read.group.len()));
                if known.is_none() {
                    read.group.push(key);
                }
            }
        }
        Ok(set)
    }

    /// Grouping sets are the union of a read for each: a key that is not in the set is null.
    pub(super) fn in_sets(&mut self, mut read: Read, sets: &[GroupingSet]) -> Result<Read> {
        let order = std::mem::take(&mut read.order);
        let distinct = std::mem::take(&mut read.distinct);
        let shown = read.outputs.len();
        read.outputs.extend(order.iter().map(|key| Output { name: "key".into(), expr: key.expr.clone() }));
        let mut together: Option<Read> = None;
        for set in sets {
            let mut branch = read.clone();
            let keys = Keys::of(&read.group, set);
            branch.group = read
                .group
                .iter()
                .enumerate()
                .filter(|(at, _)| set.contains(at))
                .map(|(_, key)| key.clone())
                .collect();
            for expr in branch.outputs.iter_mut().map(|output| &mut output.expr).chain(&mut branch.having) {
                keys.put_groupings(expr);
                keys.put_nulls(expr);
            }
            // Without keys there is one group, even of no rows.
            let has_group = !branch.group.is_empty()
                || branch
                    .outputs
                    .iter()
                    .map(|output| &output.expr)
                    .chain(&branch.having)
                    .any(visit::has_aggregate);
            if !has_group {
                branch.having = Expr::all(branch.having.into_iter().chain([one_group()?]));
            }
            let branch = visit::instantiate_read(&branch, &mut self.ids);
            together = Some(match together {
                None => branch,
                Some(before) => self.put_together(SetOperator::Union, true, before, branch),
            });
        }
        let together = together.ok_or_else(|| Error::internal("no grouping set"))?;
        let mut outer = self.around(together);
        let keys = outer.outputs.split_off(shown);
        outer.order =
            order.into_iter().zip(keys).map(|(key, column)| Order { expr: column.expr, ..key }).collect();
        outer.distinct = distinct;
        Ok(outer)
    }

    fn plain_keys(&mut self, keys: &[ast::Expr], outputs: &[Output]) -> Result<Vec<Expr>> {
        let mut found = Vec::new();
        for key in keys {
            if matches!(&*key.kind, ExprKind::Row(fields) if fields.is_empty()) {
                continue;
            }
            // A name is a column, else that of an output, and only then what else it may stand for.
            let named = match &*key.kind {
                ExprKind::Column(parts) if self.stored_column(parts).is_err() => {
                    self.output(key, outputs, "GROUP BY")?
                }
                _ => None,
            };
            if let Some(expr) = named {
                self.refuse_aggregate(&expr, "GROUP BY")?;
                found.push(expr);
                continue;
            }
            let expr = match (&*key.kind, self.expr(key)) {
                (ExprKind::Column(_), Ok(expr)) => expr,
                (_, resolved) => match self.output(key, outputs, "GROUP BY")? {
                    Some(expr) => expr,
                    None => resolved?,
                },
            };
            self.refuse_aggregate(&expr, "GROUP BY")?;
            found.push(self.settled(expr)?);
        }
        Ok(found)
    }

    /// Refuses columns that a group does not decide.
    pub(super) fn check_groups(&self, read: &Read, has_aggregate: bool) -> Result<()> {
        let said = || {
            let keys = read.order.iter().map(|key| &key.expr);
            read.outputs.iter().map(|output| &output.expr).chain(&read.having).chain(keys)
        };
        let is_grouped = |expr: &Expr| visit::has_aggregate(expr) || has_grouping(expr);
        let grouped =
            has_aggregate || !read.group.is_empty() || read.having.is_some() || said().any(is_grouped);
        if !grouped {
            return Ok(());
        }
        let keys: Vec<String> = read.group.iter().map(words).collect();
        said().try_for_each(|expr| self.decided(expr, read, &keys))
    }

    /// Keys are compared by what they say: their debug text names every part.
    fn decided(&self, expr: &Expr, read: &Read, keys: &[String]) -> Result<()> {
        if keys.contains(&words(expr)) || matches!(expr, Expr::Aggregate { .. }) {
            return Ok(());
        }
        if let Expr::Apply { function, args, .. } = expr
            && std::ptr::eq(*function, &GROUPING)
            && !args.iter().all(|arg| keys.contains(&words(arg)))
        {
            let message = "arguments to GROUPING must be grouping expressions of the associated query level";
            return Err(Error::new(Code::GROUPING, message));
        }
        if let Expr::Column { source, column, .. } = expr {
            return self.decided_column(*source, *column, read);
        }
        if let Expr::Subquery(subquery) = expr {
            let mut outcome = Ok(());
            visit::deep_read(subquery.read(), &mut |inner| {
                if let (Ok(()), Expr::Column { source, column, .. }) = (&outcome, inner)
                    && !keys.contains(&words(inner))
                {
                    outcome = self.decided_column(*source, *column, read);
                }
            });
            outcome?;
        }
        visit::operands(expr).into_iter().try_for_each(|operand| self.decided(operand, read, keys))
    }

    /// A column of this read is decided when its table's primary key is grouped by; columns from outside always are.
    fn decided_column(&self, source: SourceId, column: ColumnId, read: &Read) -> Result<()> {
        let mut undecided = None;
        visit::each_source(&read.from, &mut |leaf| {
            if visit::id_of(leaf) == Some(source) && !self.key_is_grouped(leaf, read) {
                undecided = Some(leaf);
            }
        });
        let Some(leaf) = undecided else { return Ok(()) };
        let name = match leaf {
            Source::Table { table, .. } => {
                let table = &self.catalog[*table];
                format!("{}.{}", table.name.name, table[column].name)
            }
            Source::Read { read, .. } => read
                .outputs
                .get(usize::from(column.0))
                .map_or_else(String::new, |output| output.name.to_string()),
            _ => format!("column{}", column.0 + 1),
        };
        let message = format!(
            "column \"{name}\" must appear in the GROUP BY clause or be used in an aggregate function"
        );
        Err(Error::new(Code::GROUPING, message))
    }

    fn key_is_grouped(&self, leaf: &Source, read: &Read) -> bool {
        let Source::Table { id, table, .. } = leaf else { return false };
        let is_grouped = |column: &ColumnId| {
            read.group.iter().any(
                |key| matches!(key, Expr::Column { source, column: grouped, .. } if source == id && grouped == column),
            )
        };
        let key = self.catalog[*table].primary_key.as_ref().filter(|key| !key.deferrable);
        key.is_some_and(|key| key.columns.iter().all(is_grouped))
    }
}
