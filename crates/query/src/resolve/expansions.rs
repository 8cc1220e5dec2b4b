//! Set-returning functions among the targets of a select (PostgreSQL 38.5.9): those that do not stand in others' arguments go side
//! by side first, then those that take their rows, and so on.

use sql::ast::Call;
use types::{Code, Error, Name, Result, Type};

use super::Resolver;
use super::apart::Apart;
use super::calls::record;
use super::from::beside;
use super::sets::Set;
use crate::ir::{Expr, Form, Read, Source, SourceId};
use crate::visit;

/// The set-returning functions among the targets of one select, from the inside out.
#[derive(Clone, Debug, Default)]
pub(super) struct Expansions {
    levels: Vec<Level>,
}

/// Those that go side by side.
#[derive(Clone, Debug)]
struct Level {
    id: SourceId,
    sets: Vec<Set>,
}

impl Level {
    fn width(&self) -> usize {
        self.sets.iter().map(|set| set.names().len()).sum()
    }
}

impl Expansions {
    /// The level of a function with such arguments.
    fn level_of(&self, names: impl Fn(SourceId) -> bool) -> usize {
        self.levels.iter().rposition(|level| names(level.id)).map_or(0, |at| at + 1)
    }

    fn names(&self, expr: &Expr) -> bool {
        self.levels.iter().any(|level| names(expr, level.id))
    }
}

fn names(expr: &Expr, id: SourceId) -> bool {
    let mut found = false;
    visit::deep(expr, &mut |inner| found |= matches!(inner, Expr::Column { source, .. } if *source == id));
    found
}

impl Resolver<'_> {
    /// A set-returning function of ours among targets.
    pub(super) fn expanded(&mut self, call: &Call) -> Result<Expr> {
        if self.expansions.is_none() {
            return Err(self.no_sets_here());
        }
        if call.name.name == "unnest" && call.args.len() > 1 {
            let args = self.arguments(call)?;
            let types: Vec<String> = args.iter().map(|arg| types::ty::format_type(&arg.ty(), None)).collect();
            let message = format!("function unnest({}) does not exist", types.join(", "));
            return Err(Error::new(Code::UNDEFINED_FUNCTION, message).with_hint(
                "No function matches the given name and argument types. You might need to add explicit type casts.",
            ));
        }
        let mut calls = self.set_calls(call, &[])?;
        let (Some(found), true) = (calls.pop(), calls.is_empty()) else {
            return Err(Error::internal("several calls of one set-returning function"));
        };
        let row_type = match (found.columns.len(), call.args.first()) {
            (1, _) | (_, None) => None,
            (_, Some(_)) => self.row_type_of(call)?,
        };
        self.expand(Set::Call(found), row_type)
    }

    /// The composite type of the rows that `unnest` and `jsonb_populate_record` return.
    fn row_type_of(&mut self, call: &Call) -> Result<Option<Name>> {
        let Some(first) = call.args.first() else { return Ok(None) };
        let is_of_first = call.name.name == "unnest" || call.name.name.contains("_populate_record");
        if !is_of_first {
            return Ok(None);
        }
        let ty = self.unexpanded("", |resolver| resolver.expr(&first.value)).map(|expr| expr.ty());
        Ok(match ty {
            Ok(Type::Composite(name)) => Some(name),
            Ok(Type::Array(element)) => match &*element {
                Type::Composite(name) => Some(name.clone()),
                _ => None,
            },
            _ => None,
        })
    }

    /// The rows of a declared function among targets.
    pub(super) fn expanded_rows(&mut self, rows: Read, row_type: Option<Name>) -> Result<Expr> {
        match self.expansions {
            None => Err(self.no_sets_here()),
            Some(_) => self.expand(Set::Rows(rows), row_type),
        }
    }

    fn expand(&mut self, set: Set, row_type: Option<Name>) -> Result<Expr> {
        let fresh = self.ids.fresh();
        let Some(expansions) = &mut self.expansions else {
            return Err(Error::internal("a set-returning function outside of targets"));
        };
        let at = expansions.level_of(|id| match &set {
            Set::Call(call) => call.args.iter().any(|arg| names(arg, id)),
            Set::Rows(rows) => visit::names_any(rows, &[id]),
        });
        if at == expansions.levels.len() {
            expansions.levels.push(Level { id: fresh, sets: Vec::new() });
        }
        let level = &mut expansions.levels[at];
        let mut columns = set.columns(level.id, level.width())?;
        let names = set.names();
        level.sets.push(set);
        if let ([_], None) = (&columns[..], &row_type) {
            return columns.pop().ok_or_else(|| Error::internal("a set without columns"));
        }
        let ty = row_type.map_or_else(record, Type::Composite);
        Ok(Expr::Form { form: Form::Record(names.into()), args: columns, ty })
    }

    /// Does something among targets, where set-returning functions may stand.
    pub(super) fn expanding<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<(T, Expansions)> {
        let around = self.expansions.replace(Expansions::default());
        let outcome = inner(self);
        let found = std::mem::replace(&mut self.expansions, around);
        Ok((outcome?, found.unwrap_or_default()))
    }

    /// Does something where no set-returning function may stand; `place` is what PostgreSQL calls it.
    pub(super) fn unexpanded<T>(
        &mut self,
        place: &'static str,
        inner: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let around = (self.expansions.take(), std::mem::replace(&mut self.place, place));
        let outcome = inner(self);
        (self.expansions, self.place) = around;
        outcome
    }

    fn no_sets_here(&self) -> Error {
        let message = match self.place {
            "" => "set-returning functions are not supported in this place".to_owned(),
            "aggregate function calls" | "window function calls" => {
                format!("{} cannot contain set-returning function calls", self.place)
            }
            place => format!("set-returning functions are not allowed in {place}"),
        };
        Error::new(Code::FEATURE_NOT_SUPPORTED, message)
    }

    /// Joins the rows of the set-returning functions among its targets to a read: they are computed for each row of it, after it
    /// was grouped.
    pub(super) fn with_expansions(&mut self, read: Read, mut expansions: Expansions) -> Result<Read> {
        if expansions.levels.is_empty() {
            return Ok(read);
        }
        refuse_missing_rows(&read, &expansions)?;
        let said =
            read.outputs.iter().map(|output| &output.expr).chain(read.order.iter().map(|key| &key.expr));
        let looks_at_rows =
            !read.group.is_empty() || read.having.is_some() || said.into_iter().any(visit::computes_of_rows);
        let mut read = if looks_at_rows { self.grouped_before(read, &mut expansions)? } else { read };
        for level in expansions.levels {
            let source = self.source_of_sets(level)?;
            read.from = beside(std::mem::replace(&mut read.from, Source::Unit), source);
        }
        Ok(read)
    }

    fn source_of_sets(&mut self, Level { id, mut sets }: Level) -> Result<Source> {
        if let [Set::Rows(_)] = &sets[..]
            && let Some(Set::Rows(rows)) = sets.pop()
        {
            return Ok(Source::Read { id, read: Box::new(rows), view: None });
        }
        let is_packed = sets.iter().any(|set| matches!(set, Set::Rows(_)));
        let read = self.side_by_side(sets, false)?;
        if is_packed {
            return Ok(Source::Read { id, read: Box::new(read), view: None });
        }
        match read.from {
            Source::Function { calls, ordinality, .. } if read.filter.is_none() => {
                Ok(Source::Function { id, calls, ordinality })
            }
            Source::Function { .. } => Ok(Source::Read { id, read: Box::new(read), view: None }),
            _ => Err(Error::internal("sets side by side of no function")),
        }
    }

    /// A grouped read as the source of another one, in which the functions stand.
    fn grouped_before(&mut self, mut read: Read, expansions: &mut Expansions) -> Result<Read> {
        let stays = expansions.clone();
        let stays = |expr: &Expr| stays.names(expr);
        let mut apart = Apart::new(self.ids.fresh());
        let mut near = Vec::new();
        visit::each_source(&read.from, &mut |source| near.extend(visit::id_of(source)));
        for set in expansions.levels.iter_mut().flat_map(|level| &mut level.sets) {
            match set {
                Set::Call(call) => call.args.iter_mut().try_for_each(|arg| apart.take(arg, &stays))?,
                Set::Rows(rows) if visit::names_any(rows, &near) => {
                    return Err(Error::missing("a declared set-returning function of a group's values"));
                }
                Set::Rows(_) => {}
            }
        }
        let mut outputs = std::mem::take(&mut read.outputs);
        outputs.iter_mut().try_for_each(|output| apart.take(&mut output.expr, &stays))?;
        let mut order = std::mem::take(&mut read.order);
        order.iter_mut().try_for_each(|key| apart.take(&mut key.expr, &stays))?;
        let distinct = std::mem::take(&mut read.distinct);
        Ok(Read { outputs, order, distinct, ..apart.around(read) })
    }
}

/// A row that is missing because another function has more is null, not one of nulls: refused where that can be seen.
fn refuse_missing_rows(read: &Read, expansions: &Expansions) -> Result<()> {
    let several = |id: SourceId| expansions.levels.iter().any(|level| level.id == id && level.sets.len() > 1);
    let mut refused = false;
    let said = read.outputs.iter().map(|output| &output.expr).chain(read.order.iter().map(|key| &key.expr));
    for expr in said {
        visit::deep(expr, &mut |inner| {
            if let Expr::Form { form: Form::Record(_), args, .. } = inner
                && let [Expr::Column { source, .. }, ..] = &args[..]
            {
                refused |= several(*source);
            }
        });
    }
    match refused {
        true => Err(Error::missing("whole rows of a set-returning function beside others among targets")),
        false => Ok(()),
    }
}

/// The name of a composite type, unless it is any row's.
pub(super) fn named_row(ty: &Type) -> Option<Name> {
    match ty {
        Type::Composite(name) if &*name.name != "record" => Some(name.clone()),
        _ => None,
    }
}
