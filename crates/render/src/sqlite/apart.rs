//! What is volatile is called as often, and in the order, that PostgreSQL calls it (its planner's `pull_up_subqueries`,
//! `set_subquery_pathlist` and `make_sort_input_target`): a subquery with volatile outputs is kept apart from what is around it,
//! conditions on its other columns are asked within it, and outputs are computed after rows were sorted. Never changes what a read
//! means otherwise.

use std::borrow::Cow;

use catalog::ColumnId;
use query::visit::{self, SourceIds};
use query::{Compare, Cte, Expr, Form, JoinKind, Output, Read, SetOperator, Source, SourceId, Subquery};
use types::{Type, Value};

use super::read::all_conjuncts;

/// A read as SQLite is to see it.
pub(super) fn settled(read: &Read) -> Cow<'_, Read> {
    if !visit::read_is_volatile(read) {
        return Cow::Borrowed(read);
    }
    let mut settled = read.clone();
    Settling { ids: SourceIds::above(read) }.read(&mut settled);
    Cow::Owned(settled)
}

/// Whether a read has bounds that SQLite merges with nothing around it.
pub(super) fn is_fenced(read: &Read) -> bool {
    read.limit.is_some() && read.offset.is_some()
}

struct Settling {
    ids: SourceIds,
}

impl Settling {
    fn read(&mut self, read: &mut Read) {
        if !visit::read_is_volatile(read) {
            return;
        }
        lone_parts(read);
        self.grouped_later(read);
        if shows_compound(read) {
            push_into_arms(read);
        } else {
            visit::each_source_mut(&mut read.from, &mut |source| self.compound(source));
            push_down(read);
        }
        self.keep_apart(read);
        self.inner_reads(read);
        visit::own_expressions_mut(read, &mut |expr| {
            visit::each_subquery_mut(expr, &mut |inner| self.read(inner));
        });
        if !read.outputs.iter().any(|output| is_late(&output.expr)) {
            return;
        }
        if read.distinct {
            self.distinct_later(read);
        } else if !read.order.is_empty() && read.outputs.iter().any(|output| is_after(&output.expr, read)) {
            self.computed_later(read);
        }
    }

    /// The reads that a read is made of. SQLite wants the sides of a recursive one as they are.
    fn inner_reads(&mut self, read: &mut Read) {
        for part in &mut read.with {
            match part.recursive {
                true => visit::each_inner_read_mut(&mut part.read, &mut |side| self.read(side)),
                false => self.read(&mut part.read),
            }
        }
        visit::each_source_mut(&mut read.from, &mut |source| {
            if let Source::Read { read, .. } = source {
                self.read(read);
            } else if let Source::Compound { left, right, .. } = source {
                self.read(left);
                self.read(right);
            }
        });
    }

    /// Has what is volatile computed once: as rows are asked for where nothing stands beside it, before all else where SQLite
    /// might compute it anew for each row beside it.
    fn keep_apart(&mut self, read: &mut Read) {
        let locals = sources(&read.from);
        let Read { from, with, .. } = read;
        let is_alone = locals.len() == 1;
        if !is_alone {
            visit::each_source_mut(from, &mut |source| self.made_once(source, &locals));
        }
        visit::each_source_mut(from, &mut |source| {
            let Source::Read { id, read, .. } = source else { return };
            if !is_apart(read) && !is_made_once(read) {
                return;
            }
            if is_alone || visit::names_any(read, &locals) {
                return fence(read);
            }
            let cte = self.ids.fresh();
            let columns = read.outputs.iter().map(|output| (output.name.clone(), output.expr.ty())).collect();
            let part = Source::Cte { id: *id, cte, columns };
            if let Source::Read { read, .. } = std::mem::replace(source, part) {
                with.push(Cte { id: cte, read: *read, recursive: false });
            }
        });
    }

    /// What rows are grouped by is computed once for each of them, where it is volatile.
    fn grouped_later(&mut self, read: &mut Read) {
        let keys: Vec<String> = read.group.iter().filter(|key| visit::is_volatile(key)).map(words).collect();
        if keys.is_empty() {
            return;
        }
        let id = self.ids.fresh();
        let mut lifted =
            Lifted { id, locals: sources(&read.from), keys, known: Vec::new(), outputs: Vec::new() };
        let mut inner = Read {
            from: std::mem::replace(&mut read.from, Source::Unit),
            filter: read.filter.take(),
            locked: std::mem::take(&mut read.locked),
            sees_own_changes: read.sees_own_changes,
            ..Read::from(Source::Unit)
        };
        visit::own_expressions_mut(read, &mut |expr| lifted.key_or_column(expr));
        inner.outputs = lifted.outputs;
        read.from = Source::Read { id, read: Box::new(inner), view: None };
    }

    /// The rows of functions that are given something volatile, and that name nothing beside them, are made once.
    fn made_once(&mut self, source: &mut Source, locals: &[SourceId]) {
        let Source::Function { id, calls, ordinality } = source else { return };
        let args = || calls.iter().flat_map(|call| &call.args);
        if !args().any(visit::is_volatile) || args().any(|arg| names_local(arg, locals)) {
            return;
        }
        let mut types: Vec<Type> =
            calls.iter().flat_map(|call| call.columns.iter()).map(|field| field.ty.clone()).collect();
        types.extend(ordinality.then_some(Type::Int8));
        let outer = std::mem::replace(id, self.ids.fresh());
        let column = |(ty, at): (Type, u16)| Output {
            name: format!("c{at}").into(),
            expr: Expr::Column { source: *id, column: ColumnId(at), ty },
        };
        let outputs = types.into_iter().zip(0..).map(column).collect();
        let mut read = Read { outputs, ..Read::from(Source::Unit) };
        read.from = std::mem::replace(source, Source::Unit);
        fence(&mut read);
        *source = Source::Read { id: outer, read: Box::new(read), view: None };
    }

    /// A set operation of volatile rows is a subquery that is kept apart.
    fn compound(&mut self, source: &mut Source) {
        let Source::Compound { id, left, right, .. } = source else { return };
        if !is_apart(left) && !is_apart(right) {
            return;
        }
        let outer = std::mem::replace(id, self.ids.fresh());
        let outputs = left.outputs.iter().zip(0..).map(|(output, at)| shown(*id, at, output)).collect();
        let mut read = Read { outputs, ..Read::from(Source::Unit) };
        read.from = std::mem::replace(source, Source::Unit);
        *source = Source::Read { id: outer, read: Box::new(read), view: None };
    }

    /// `distinct` over what was computed once for each row.
    fn distinct_later(&mut self, read: &mut Read) {
        let known: Vec<String> = read.outputs.iter().map(|output| words(&output.expr)).collect();
        let positions: Option<Vec<usize>> =
            read.order.iter().map(|key| position(&known, &key.expr)).collect();
        let Some(positions) = positions else { return };
        let id = self.ids.fresh();
        let outputs: Vec<Output> =
            read.outputs.iter().zip(0..).map(|(output, at)| shown(id, at, output)).collect();
        for (key, at) in read.order.iter_mut().zip(positions) {
            if let Some(output) = outputs.get(at) {
                key.expr = output.expr.clone();
            }
        }
        let order = std::mem::take(&mut read.order);
        let computed = std::mem::replace(&mut read.outputs, outputs);
        let inner = below(read, computed);
        read.order = order;
        read.from = Source::Read { id, read: Box::new(inner), view: None };
    }

    /// Rows are sorted, then what is volatile is computed of them.
    fn computed_later(&mut self, read: &mut Read) {
        let id = self.ids.fresh();
        let locals = sources(&read.from);
        let keys = read.order.iter().map(|key| words(&key.expr)).collect();
        let mut lifted = Lifted { id, locals, keys, known: Vec::new(), outputs: Vec::new() };
        let mut outputs = std::mem::take(&mut read.outputs);
        outputs.iter_mut().for_each(|output| lifted.expr(&mut output.expr));
        let limit = if read.offset.is_none() { read.limit.take() } else { None };
        let mut inner = below(read, lifted.outputs);
        inner.limit = limit.or(inner.limit);
        read.outputs = outputs;
        read.from = Source::Read { id, read: Box::new(inner), view: None };
    }
}

/// What a read does before it is `distinct` or bounded, as a read of its own. What is left of it reads nothing yet.
fn below(read: &mut Read, outputs: Vec<Output>) -> Read {
    let mut inner = Read {
        from: std::mem::replace(&mut read.from, Source::Unit),
        filter: read.filter.take(),
        group: std::mem::take(&mut read.group),
        having: read.having.take(),
        outputs,
        order: std::mem::take(&mut read.order),
        locked: std::mem::take(&mut read.locked),
        sees_own_changes: read.sees_own_changes,
        ..Read::from(Source::Unit)
    };
    fence(&mut inner);
    inner
}

/// What is computed before rows are sorted, and handed up.
struct Lifted {
    id: SourceId,
    locals: Vec<SourceId>,
    /// The words of the keys that rows are sorted by: they are computed before.
    keys: Vec<String>,
    known: Vec<String>,
    outputs: Vec<Output>,
}

impl Lifted {
    fn expr(&mut self, expr: &mut Expr) {
        if matches!(expr, Expr::Const { .. } | Expr::Param { .. } | Expr::Caller(_)) {
            return;
        }
        if !is_late(expr) || self.keys.contains(&words(expr)) {
            *expr = self.handed_up(expr);
            return;
        }
        visit::operands_mut(expr).into_iter().for_each(|operand| self.expr(operand));
        if let Expr::Subquery(subquery) = expr {
            visit::deep_read_mut(subquery.read_mut(), &mut |inner| self.column(inner));
        }
    }

    /// Hands up the keys that rows are grouped by, and columns elsewhere.
    fn key_or_column(&mut self, expr: &mut Expr) {
        let is_column = matches!(expr, Expr::Column { source, .. } if self.locals.contains(source));
        if is_column || visit::is_volatile(expr) && self.keys.contains(&words(expr)) {
            *expr = self.handed_up(expr);
            return;
        }
        visit::operands_mut(expr).into_iter().for_each(|operand| self.key_or_column(operand));
        if let Expr::Subquery(subquery) = expr {
            visit::deep_read_mut(subquery.read_mut(), &mut |inner| self.column(inner));
        }
    }

    fn column(&mut self, expr: &mut Expr) {
        if matches!(expr, Expr::Column { source, .. } if self.locals.contains(source)) {
            *expr = self.handed_up(expr);
        }
    }

    fn handed_up(&mut self, expr: &Expr) -> Expr {
        let at = position(&self.known, expr).unwrap_or_else(|| {
            self.known.push(words(expr));
            self.outputs.push(Output { name: format!("c{}", self.outputs.len()).into(), expr: expr.clone() });
            self.outputs.len() - 1
        });
        // A read has fewer outputs than a column's number can count.
        Expr::Column {
            source: self.id,
            column: ColumnId(u16::try_from(at).unwrap_or(u16::MAX)),
            ty: expr.ty(),
        }
    }
}

/// A part of `with` that is read once, by nothing but the whole `from`, is read as far as its rows are asked for.
fn lone_parts(read: &mut Read) {
    let Source::Cte { id, cte, .. } = read.from else { return };
    let mut count = 0;
    visit::deep_sources(read, &mut |source| {
        count += usize::from(matches!(source, Source::Cte { cte: named, .. } if *named == cte));
    });
    let is_it = |part: &Cte| part.id == cte && !part.recursive && visit::read_is_volatile(&part.read);
    let Some(at) = read.with.iter().position(is_it).filter(|_| count == 1) else { return };
    let mut part = read.with.remove(at).read;
    fence(&mut part);
    read.from = Source::Read { id, read: Box::new(part), view: None };
}

/// Asks conditions on a subquery's own columns within it, where what is kept apart would otherwise be computed for other rows.
fn push_down(read: &mut Read) {
    let locals = sources(&read.from);
    let mut known = read
        .filter
        .as_ref()
        .map_or_else(Vec::new, |filter| all_conjuncts(filter).into_iter().cloned().collect());
    joining(&read.from, &mut known);
    placed(&mut read.from, following(&known, &locals), &locals);
    let conditions = taken(&mut read.filter);
    read.filter = Expr::all(placed(&mut read.from, conditions, &locals));
}

/// The conditions of inner joins, which hold for all rows.
fn joining(source: &Source, known: &mut Vec<Expr>) {
    if let Source::Join { kind: JoinKind::Inner, left, right, on } = source {
        joining(left, known);
        joining(right, known);
        known.extend(on.iter().flat_map(all_conjuncts).cloned());
    }
}

/// What follows of a column that equals another one, which equals something that is known before rows are read.
fn following(known: &[Expr], locals: &[SourceId]) -> Vec<Expr> {
    let equalities = || known.iter().filter_map(equal);
    let mut following = Vec::new();
    for (column, value) in equalities().flat_map(|(left, right)| [(left, right), (right, left)]) {
        if !is_local(column, locals) || names_local(value, locals) || visit::is_volatile(value) {
            continue;
        }
        let others = equalities().flat_map(|(left, right)| [(left, right), (right, left)]);
        let others = others.filter(|(same, other)| words(same) == words(column) && is_local(other, locals));
        following.extend(
            others
                .filter(|(_, other)| other.ty() == value.ty())
                .map(|(_, other)| other.clone().equals(value.clone())),
        );
    }
    following
}

/// The operands of an equality of one type.
fn equal(condition: &Expr) -> Option<(&Expr, &Expr)> {
    let Expr::Form { form: Form::Compare(Compare::Eq), args, .. } = condition else { return None };
    let [left, right] = &args[..] else { return None };
    (left.ty() == right.ty()).then_some((left, right))
}

fn is_local(expr: &Expr, locals: &[SourceId]) -> bool {
    matches!(expr, Expr::Column { source, .. } if locals.contains(source))
}

fn names_local(expr: &Expr, locals: &[SourceId]) -> bool {
    let mut names = false;
    visit::deep(expr, &mut |inner| names |= is_local(inner, locals) || matches!(inner, Expr::Subquery(_)));
    names
}

/// The sources that a read is of.
fn sources(from: &Source) -> Vec<SourceId> {
    let mut ids = Vec::new();
    visit::each_source(from, &mut |source| ids.extend(visit::id_of(source)));
    ids
}

fn taken(filter: &mut Option<Expr>) -> Vec<Expr> {
    filter.take().map_or_else(Vec::new, |filter| all_conjuncts(&filter).into_iter().cloned().collect())
}

/// Places conditions as deep as they can be asked; gives those that stay.
fn placed(source: &mut Source, conditions: Vec<Expr>, locals: &[SourceId]) -> Vec<Expr> {
    match source {
        Source::Join { kind, left, right, on } => {
            let own = taken(on);
            let (own, conditions) = match kind {
                JoinKind::Inner => {
                    let own = placed(left, own, locals);
                    let rest = placed(left, conditions, locals);
                    (placed(right, own, locals), placed(right, rest, locals))
                }
                JoinKind::Left => (placed(right, own, locals), placed(left, conditions, locals)),
                JoinKind::Right => (placed(left, own, locals), placed(right, conditions, locals)),
                JoinKind::Full => (own, conditions),
            };
            *on = Expr::all(own);
            conditions
        }
        Source::Read { id, read, .. } if has_apart(read) && takes_conditions(read) => {
            let is_asked_within = |condition: &Expr| !read.chooses || !query::may_raise(condition);
            let is_own =
                |condition: &Expr| is_asked_within(condition) && is_about(condition, *id, locals, read);
            let id = *id;
            let (own, rest): (Vec<Expr>, Vec<Expr>) = conditions.into_iter().partition(is_own);
            own.into_iter().for_each(|condition| ask_within(read, id, condition));
            rest
        }
        Source::Read { .. }
        | Source::Unit
        | Source::Table { .. }
        | Source::Written { .. }
        | Source::Given { .. }
        | Source::Transition { .. }
        | Source::Call { .. }
        | Source::Cte { .. }
        | Source::Compound { .. }
        | Source::Function { .. }
        | Source::System { .. }
        | Source::Values { .. } => conditions,
    }
}

/// A condition on a set operation is one on each of its sides.
fn push_into_arms(read: &mut Read) {
    let Source::Compound { id, operator, left, right, .. } = &mut read.from else { return };
    let arms: [&mut Read; 2] = [left, right];
    let takes = *operator != SetOperator::Except && arms.iter().all(|arm| takes_conditions(arm));
    let is_own = |condition: &Expr| takes && arms.iter().all(|arm| is_about(condition, *id, &[*id], arm));
    let (own, rest): (Vec<Expr>, Vec<Expr>) = taken(&mut read.filter).into_iter().partition(is_own);
    for arm in arms {
        own.iter().for_each(|condition| ask_within(arm, *id, condition.clone()));
    }
    read.filter = Expr::all(rest);
    // What is left is asked of what the sides say, not once more within them.
    let Source::Compound { left, right, .. } = &mut read.from else { return };
    [left, right].into_iter().filter(|arm| is_apart(arm)).for_each(|arm| fence(arm));
}

fn takes_conditions(read: &Read) -> bool {
    read.limit.is_none()
        && read.offset.is_none()
        && !read.outputs.iter().any(|output| visit::has_window(&output.expr))
}

/// Whether a condition is about nothing but columns of a subquery that are not volatile.
fn is_about(condition: &Expr, id: SourceId, locals: &[SourceId], read: &Read) -> bool {
    let (mut names_it, mut is_plain) = (false, !visit::is_volatile(condition));
    visit::deep(condition, &mut |inner| {
        let Expr::Column { source, column, .. } = inner else {
            is_plain &= !matches!(inner, Expr::Subquery(_)) || is_known_before(inner);
            return;
        };
        if *source == id {
            names_it = true;
            let output = read.outputs.get(usize::from(column.0));
            is_plain &= output.is_some_and(|output| !visit::is_volatile(&output.expr));
        } else {
            is_plain &= !locals.contains(source);
        }
    });
    names_it && is_plain
}

/// Whether a subquery says the same of all rows, and is asked once.
fn is_known_before(expr: &Expr) -> bool {
    matches!(expr, Expr::Subquery(subquery) if matches!(**subquery, Subquery::Scalar(_) | Subquery::Exists(_)))
        && !visit::depends_on_rows(expr)
}

fn ask_within(read: &mut Read, id: SourceId, mut condition: Expr) {
    visit::deep_mut(&mut condition, &mut |inner| {
        if let Expr::Column { source, column, .. } = inner
            && *source == id
            && let Some(output) = read.outputs.get(usize::from(column.0))
        {
            *inner = output.expr.clone();
        }
    });
    let is_of_all = read.group.is_empty()
        && (read.having.is_some()
            || read.outputs.iter().any(|output| visit::has_aggregate(&output.expr))
            || read.order.iter().any(|key| visit::has_aggregate(&key.expr)));
    if is_of_all || visit::has_aggregate(&condition) {
        read.having = Expr::all(read.having.take().into_iter().chain([condition]));
    } else {
        read.and_where(condition);
    }
}

/// Whether a subquery computes something volatile: PostgreSQL computes it once for each of its rows.
fn is_apart(read: &Read) -> bool {
    let is_of_arms =
        matches!(&read.from, Source::Compound { left, right, .. } if is_apart(left) || is_apart(right));
    is_of_arms || read.outputs.iter().any(|output| visit::is_volatile(&output.expr))
}

/// Whether a subquery shows the rows of functions that are given something volatile.
fn is_made_once(read: &Read) -> bool {
    let Source::Function { calls, .. } = &read.from else { return false };
    is_fenced(read) && calls.iter().flat_map(|call| &call.args).any(visit::is_volatile)
}

/// Whether a read shows a set operation's columns, and nothing else.
fn shows_compound(read: &Read) -> bool {
    let Source::Compound { id, left, .. } = &read.from else { return false };
    read.outputs.len() == left.outputs.len()
        && read.outputs.iter().zip(0..).all(|(output, at)| output.expr.is_column(*id, ColumnId(at)))
        && read.group.is_empty()
        && read.having.is_none()
        && !read.distinct
}

/// Whether a subquery is kept apart, or reads one that is.
fn has_apart(read: &Read) -> bool {
    is_apart(read) || visit::inner_reads(read).into_iter().any(has_apart)
}

/// SQLite merges nothing that has both bounds.
fn fence(read: &mut Read) {
    let bound = |number| Expr::Const { value: Value::Int(number), ty: Type::Int8 };
    read.limit.get_or_insert(bound(-1));
    read.offset.get_or_insert(bound(0));
}

/// Whether something volatile is computed of a row as it leaves: what aggregates look at was computed before.
fn is_late(expr: &Expr) -> bool {
    match expr {
        Expr::Aggregate { .. } | Expr::Window { .. } => false,
        Expr::Subquery(subquery) if visit::read_is_volatile(subquery.read()) => true,
        expr => visit::is_volatile_itself(expr) || visit::operands(expr).into_iter().any(is_late),
    }
}

/// The same, where rows are not sorted by it.
fn is_after(expr: &Expr, read: &Read) -> bool {
    is_late(expr) && !read.order.iter().any(|key| words(&key.expr) == words(expr))
}

fn shown(id: SourceId, at: u16, output: &Output) -> Output {
    let expr = Expr::Column { source: id, column: ColumnId(at), ty: output.expr.ty() };
    Output { name: output.name.clone(), expr }
}

fn position(known: &[String], expr: &Expr) -> Option<usize> {
    let words = words(expr);
    known.iter().position(|known| *known == words)
}

/// What an expression says: the same for two that are the same.
fn words(expr: &Expr) -> String {
    format!("{expr:?}")
}
