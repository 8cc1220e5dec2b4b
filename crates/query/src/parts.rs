//! The order in which the parts of a statement are done, where it shows: of a data-modifying `with`, and what stands after it.
//!
//! PostgreSQL does a part when it is first read, and one that nobody reads after everything else, the last one first
//! (`ExecPostprocessPlan`). Here parts that are named somewhere are done in the order in which they are written, and those that are
//! not, after everything else, too. All of them see the tables as they were, so that it is the same, except to volatile functions,
//! which see what was done so far, and to unique keys.

use std::collections::BTreeSet;

use catalog::{ColumnId, TableId, Volatility};
use sql::ast::TriggerTiming;
use types::{Error, Result};

use crate::ir::{
    Action, Changed, Expr, Form, FunctionId, Insert, Read, RowValue, Source, SourceId, Subquery, Write,
};
use crate::model::{Fill, Model};
use crate::triggers::{Routine, TriggerModel};
use crate::{check, reach, visit};

/// Refuses a statement that PostgreSQL does in another order and that could tell.
///
/// # Errors
/// `0A000` where two parts change rows of a table whose keys could tell, or where a volatile function could.
pub(crate) fn in_order(write: &Write, model: &Model) -> Result<()> {
    let mut earlier: Vec<Earlier<'_>> = Vec::new();
    for (changed, is_last) in write.before.iter().zip(unread(write)) {
        follow(model, &mut earlier, &changed.write, Name::By(changed.id))?;
        earlier.push(Earlier { write: &changed.write, names: vec![Name::By(changed.id)], is_last });
    }
    follow(model, &mut earlier, write, Name::Written)?;
    if !write.is_read_whole {
        return Ok(());
    }
    earlier.push(Earlier { write, names: vec![Name::Written], is_last: false });
    earlier.iter().try_for_each(|before| pair(model, before, Part::Select(write)).map(drop))
}

/// Which of the parts before a write nobody reads: they are done after it, the last one first.
pub fn unread(write: &Write) -> Vec<bool> {
    let is_unread = |(at, changed): (usize, &Changed)| {
        let mut later = write.before.iter().skip(at + 1).map(|changed| &changed.write).chain([write]);
        !later.any(|later| visit::names_cte(later, changed.id))
    };
    write.before.iter().enumerate().map(is_unread).collect()
}

/// Whether every part surely reads those before it before it changes a row, so that their order is known.
pub fn are_read_in_turn(model: &Model, write: &Write) -> bool {
    let before = write.before.iter().map(|changed| (&changed.write, Name::By(changed.id)));
    let mut earlier: Vec<Earlier<'_>> = Vec::new();
    for (write, name) in before.chain([(write, Name::Written)]) {
        for before in &mut earlier {
            if !Steps::of(model, &before.names, Part::Change(write)).is_read_before_change {
                return false;
            }
            before.names.push(name);
        }
        earlier.push(Earlier { write, names: vec![name], is_last: false });
    }
    true
}

/// Looks at a part after others: whoever reads it has read what it reads.
fn follow(model: &Model, earlier: &mut [Earlier<'_>], later: &Write, name: Name) -> Result<()> {
    for before in earlier {
        if pair(model, before, Part::Change(later))? {
            before.names.push(name);
        }
    }
    Ok(())
}

/// A part that was done before.
struct Earlier<'q> {
    write: &'q Write,
    /// What names its rows, or those of parts that have read it.
    names: Vec<Name>,
    /// Whether it is done after all others, as PostgreSQL does it.
    is_last: bool,
}

/// How the rows of a part are named.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Name {
    By(SourceId),
    /// Those of the last part, by the select after it.
    Written,
}

/// A part of a statement.
#[derive(Clone, Copy)]
enum Part<'q> {
    Change(&'q Write),
    /// What a write returns, which is a select of its own.
    Select(&'q Write),
}

/// Where something is looked at that sees what the statement has done so far.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    Table(TableId),
    Call { function: FunctionId, changes: bool },
}

/// What a part changes; what foreign keys do comes at the end of the statement.
struct Changes {
    table: Option<TableId>,
    /// What it calls that may change more.
    functions: Vec<FunctionId>,
}

/// Refuses two parts where somebody could tell which of them comes first. Whether the later one surely reads the earlier one first.
fn pair(model: &Model, before: &Earlier<'_>, later: Part<'_>) -> Result<bool> {
    let Earlier { write: earlier, names, is_last } = before;
    let looked = Steps::of(model, names, Part::Change(earlier)).looks;
    let steps = Steps::of(model, names, later);
    let change = changes(model, Some(earlier), &looked);
    let (is_read_first, after) = match later {
        Part::Change(after) => (steps.is_read_before_change, Some(after)),
        Part::Select(_) => (steps.read_at.is_some(), None),
    };
    if !is_read_first {
        if !is_last && after.is_some_and(|after| interfere(model, earlier, after)) {
            let name = &model.catalog[earlier.table].name;
            let what = format!("changing {name} by two parts of a statement that do not read each other");
            return Err(Error::missing(what).with_hint("Make two statements of it."));
        }
        let further = changes(model, after, &steps.looks);
        refuse_seen(model, &looked, &further)?;
    }
    let unread = steps.looks.iter().take(steps.read_at.unwrap_or(steps.looks.len()));
    refuse_seen(model, unread, &change)?;
    Ok(is_read_first)
}

fn refuse_seen<'l>(
    model: &Model,
    looks: impl IntoIterator<Item = &'l Look>,
    Changes { table, functions }: &Changes,
) -> Result<()> {
    let catalog = &model.catalog;
    let is_changed = |at: &TableId| {
        *table == Some(*at) || functions.iter().any(|function| reach::may_read(catalog, *function, *at))
    };
    let seen = looks.into_iter().find_map(|look| match look {
        Look::Table(table) => Some(*table).filter(is_changed),
        Look::Call { function, .. } => {
            let mut looked = catalog.ids().filter(|table| catalog[*table].is_stored());
            looked.find(|table| is_changed(table) && reach::may_read(catalog, *function, *table))
        }
    });
    match seen {
        None => Ok(()),
        Some(table) => {
            let name = &catalog[table].name;
            let what = format!(
                "a volatile function that reads {name} while another part of the statement changes it"
            );
            Err(Error::missing(what)
                .with_hint("Declare the function `stable`, or make two statements of it."))
        }
    }
}

/// What a part changes, by itself and by what it calls.
fn changes(model: &Model, write: Option<&Write>, looks: &[Look]) -> Changes {
    let called = looks.iter().filter_map(|look| match look {
        Look::Call { function, changes: true } => Some(*function),
        Look::Call { .. } | Look::Table(_) => None,
    });
    let mut functions: Vec<FunctionId> = called.collect();
    let table = write.map(|write| write.table);
    let triggers = table.iter().flat_map(|table| &model[*table].triggers);
    functions.extend(triggers.filter_map(function_of));
    Changes { table, functions }
}

fn function_of(trigger: &TriggerModel) -> Option<FunctionId> {
    match trigger.routine {
        Ok(Routine::Declared(function)) => Some(function),
        Ok(Routine::SetsTime | Routine::SkipsUnchanged) | Err(_) => None,
    }
}

/// Whether unique keys could tell in which order two changes of a table are made. A row that both change is refused elsewhere, and
/// rows that come before others go collide, where in PostgreSQL they need not.
fn interfere(model: &Model, earlier: &Write, later: &Write) -> bool {
    let is_upsert = |write: &Write| matches!(&write.action, Action::Insert(Insert { conflict: Some(_), .. }));
    let is_freed =
        matches!(earlier.action, Action::Delete { .. }) && matches!(later.action, Action::Insert(_));
    earlier.table == later.table
        && !model[earlier.table].uniques.is_empty()
        && (is_freed || [earlier, later].into_iter().any(|write| is_upsert(write) || sets_key(model, write)))
}

fn sets_key(model: &Model, write: &Write) -> bool {
    let Action::Update { set, .. } = &write.action else { return false };
    let set: BTreeSet<ColumnId> = set.iter().map(|(column, _)| *column).collect();
    let is_set = |expr: &Expr| check::names(expr, &set);
    let mut uniques = model[write.table].uniques.iter();
    uniques.any(|key| key.keys.iter().chain(&key.predicate).any(is_set))
}

/// What a part looks at, in PostgreSQL's order as far as there is one, and when it reads another part.
struct Steps<'m> {
    model: &'m Model,
    names: &'m [Name],
    looks: Vec<Look>,
    /// How many looks there are before it surely reads the other part.
    read_at: Option<usize>,
    is_read_before_change: bool,
}

impl Steps<'_> {
    fn of<'m>(model: &'m Model, names: &'m [Name], part: Part<'_>) -> Steps<'m> {
        let mut steps =
            Steps { model, names, looks: Vec::new(), read_at: None, is_read_before_change: false };
        match part {
            Part::Select(write) => steps.returned(write),
            Part::Change(write) => {
                steps.action(write);
                steps.is_read_before_change = steps.read_at.is_some();
                steps.rows(write);
                if !write.is_read_whole {
                    steps.returned(write);
                }
            }
        }
        steps
    }

    fn returned(&mut self, write: &Write) {
        [&write.returning, &write.counted].into_iter().flatten().for_each(|read| self.read(read, false));
    }

    /// What decides on the rows of a write.
    fn action(&mut self, write: &Write) {
        write.guard.touch.iter().for_each(|touch| self.unordered(touch, false));
        match &write.action {
            Action::Insert(Insert { read, rows, .. }) => {
                read.iter().for_each(|read| self.read(read, false));
                for value in rows.iter().flatten() {
                    if let RowValue::Expr(expr) = value {
                        self.expr(expr, false);
                    }
                }
            }
            Action::Update { filter, .. } | Action::Delete { filter } => {
                filter.iter().for_each(|filter| self.unordered(filter, false));
                filter.iter().for_each(|filter| self.expr(filter, false));
            }
        }
        if let Some(beside) = &write.beside {
            self.from(&Read::from(beside.clone()), false);
        }
        if let Action::Update { .. } = &write.action {
            visit::action_expressions(&write.action).into_iter().for_each(|expr| self.expr(expr, false));
        }
    }

    /// What is asked of each row of a write.
    fn rows(&mut self, write: &Write) {
        let model = self.model;
        let table = &model[write.table];
        let fills = table.fills.iter().filter_map(|fill| match fill {
            Fill::Default(expr) | Fill::Generated(expr) => expr.as_ref().ok(),
            Fill::Null | Fill::Identity { .. } => None,
        });
        fills.for_each(|expr| self.unordered(expr, false));
        table
            .checks
            .iter()
            .filter_map(|check| check.expr.as_ref().ok())
            .for_each(|expr| self.unordered(expr, false));
        visit::action_expressions(&write.action).into_iter().for_each(|expr| self.unordered(expr, false));
        write.guard.conditions().for_each(|expr| self.unordered(expr, false));
        let is_before = |trigger: &&TriggerModel| trigger.statement.timing != TriggerTiming::After;
        for function in table.triggers.iter().filter(is_before).filter_map(function_of) {
            self.call(function, true, false);
        }
    }

    /// A read whose rows are asked for.
    fn read(&mut self, read: &Read, sees: bool) {
        let sees = sees || read.sees_own_changes;
        self.from(read, sees);
        read.outputs.iter().for_each(|output| self.expr(&output.expr, sees));
    }

    /// All of a read but its outputs. Of several sources nobody says which is read first.
    fn from(&mut self, read: &Read, sees: bool) {
        read.with.iter().for_each(|cte| self.everything(&cte.read, sees));
        let mut rest = Read { with: Vec::new(), outputs: Vec::new(), ..read.clone() };
        match only(&read.from) {
            Source::Read { read: inner, .. } => {
                self.read(inner, sees);
                rest.from = Source::Unit;
            }
            Source::Join { .. } => {}
            only => self.note_read(only),
        }
        self.everything(&rest, sees);
        self.note_read(&read.from);
    }

    fn note_read(&mut self, from: &Source) {
        if self.is_read_by(from) {
            self.read_at.get_or_insert(self.looks.len());
        }
    }

    fn is_read_by(&self, from: &Source) -> bool {
        let mut found = false;
        visit::each_source(from, &mut |source| {
            found |= match source {
                Source::Cte { cte, .. } => self.names.contains(&Name::By(*cte)),
                Source::Written { .. } => self.names.contains(&Name::Written),
                Source::Read { read, .. } => self.is_read_by(&read.from),
                _ => false,
            };
        });
        found
    }

    /// An expression, whose operands are computed from left to right, where all of them are.
    fn expr(&mut self, expr: &Expr, sees: bool) {
        match expr {
            Expr::Case { .. } | Expr::Form { form: Form::And | Form::Or | Form::Coalesce, .. } => {
                return self.unordered(expr, sees);
            }
            _ => visit::operands(expr).into_iter().for_each(|operand| self.expr(operand, sees)),
        }
        match expr {
            Expr::Call(call) => self.call(call.function, sees || call.is_volatile, call.changes),
            Expr::Subquery(subquery) => match &**subquery {
                Subquery::Exists(read)
                | Subquery::Scalar(read)
                | Subquery::Any { read, .. }
                | Subquery::All { read, .. } => self.read(read, sees),
                Subquery::Nest(nest) => self.read(&nest.read, sees),
            },
            _ => {}
        }
    }

    /// The looks of an expression, of which it is not known when they are.
    fn unordered(&mut self, expr: &Expr, sees: bool) {
        if let Expr::Call(call) = expr {
            self.call(call.function, sees || call.is_volatile, call.changes);
        }
        visit::operands(expr).into_iter().for_each(|operand| self.unordered(operand, sees));
        if let Expr::Subquery(subquery) = expr {
            self.everything(subquery.read(), sees);
        }
    }

    fn everything(&mut self, read: &Read, sees: bool) {
        let sees = sees || read.sees_own_changes;
        visit::each_source(&read.from, &mut |source| match source {
            Source::Table { table, .. } if sees => self.looks.push(Look::Table(*table)),
            Source::Call { function, changes, .. } => {
                let declared = self.model.catalog.functions.get(function.0);
                let is_volatile = declared.is_none_or(|declared| declared.volatility == Volatility::Volatile);
                self.call(*function, sees || is_volatile, *changes);
            }
            _ => {}
        });
        visit::own_expressions(read, &mut |expr| self.unordered(expr, sees));
        for inner in visit::inner_reads(read) {
            // What the other part returns is its own.
            let is_other =
                matches!(inner.from, Source::Written { .. }) && self.names.contains(&Name::Written);
            if !is_other {
                self.everything(inner, sees);
            }
        }
    }

    fn call(&mut self, function: FunctionId, sees: bool, changes: bool) {
        if sees {
            self.looks.push(Look::Call { function, changes });
        }
    }
}

/// The source that a call of a function with one row stands around.
fn only(from: &Source) -> &Source {
    match from {
        Source::Join { left, right, on: None, .. } if matches!(**left, Source::Unit) => only(right),
        from => from,
    }
}
