//! Writes to views, as writes to what they show (PostgreSQL, `CREATE VIEW`, "Updatable Views").
//!
//! The caller needs the privilege on the view; what lies underneath is the owner's matter, or the caller's where the view is
//! an invoker's. A view that is not simply a part of one relation takes no writes.

use std::collections::BTreeSet;

use catalog::{ColumnId, Privilege, Table, TableId, TableKind};
use sql::ast::CheckOption;
use types::{Code, Error, Result};

use super::Pass;
use super::partitions::within;
use super::privileges::{Named, named_in, named_in_read};
use super::writes::{compared, written_columns};
use crate::ir::{
    Action, Assign, Conflict, ConflictAction, Expr, Insert, Judge, Output, Read, RowCheck, RowValue, Source,
    SourceId, Write, WriteGuard,
};
use crate::model::Fill;
use crate::triggers::is_instead;
use crate::visit;

/// What the views on the way of a write ask.
pub(super) struct OnTheWay {
    /// Of a row that is stored.
    pub(super) checks: Vec<RowCheck>,
    /// Of a row that is in the way of an upsert: that they show it.
    pub(super) shown: Vec<RowCheck>,
}

/// The words of a refusal: what is done, what would enable it, the kind of trigger.
struct Words {
    verb: &'static str,
    doing: &'static str,
    event: &'static str,
}

fn words(action: &Action) -> Words {
    match action {
        Action::Insert(_) => Words { verb: "insert into", doing: "inserting into", event: "INSERT" },
        Action::Update { .. } => Words { verb: "update", doing: "updating", event: "UPDATE" },
        Action::Delete { .. } => Words { verb: "delete from", doing: "deleting from", event: "DELETE" },
    }
}

impl Pass<'_> {
    /// Makes a write to a view one to the relation that it shows, until that is a table. What its rows must meet on the way.
    /// `reads`: whether the write reads rows of the view; who may do that may read all that the view names.
    pub(super) fn through_views(&mut self, write: &mut Write, reads: bool) -> Result<OnTheWay> {
        self.takes_writes(write)?;
        let (mut checks, mut shown) = (Vec::new(), Vec::new());
        let mut is_cascaded = false;
        while let TableKind::View { materialized: false, check_option, .. } =
            self.model.catalog[write.table].kind
        {
            self.require_on_view(write)?;
            if is_instead(self.model, write.table, &write.action) {
                break;
            }
            let view = write.table;
            let mut read = self.updatable(write)?;
            self.open_view(view)?;
            self.definition(&mut read)?;
            if let (true, Some(table), Some(base)) = (reads, underneath(&read.from), visit::id_of(&read.from))
            {
                self.require(table, Privilege::Select, named_in_read(&read).get(&base))?;
            }
            is_cascaded |= check_option == Some(CheckOption::Cascaded);
            self.filled(write)?;
            self.lower(write, &read, checks.iter_mut().chain(&mut shown))?;
            let name = &self.model.catalog[view].name.name;
            if is_cascaded || check_option.is_some() {
                let message = format!("new row violates check option for view \"{name}\"");
                let violation = Error::new(Code::VIEW_CHECK_VIOLATION, message);
                // Of several views, the innermost says so.
                checks.splice(0..0, self.check_of(violation, &read, write.target));
            }
            if changes_existing(&write.action) {
                let message = format!("conflicting row is not visible through view \"{name}\"");
                let violation = Error::new(Code::OBJECT_STATE, message);
                // Of several views, the innermost says so.
                shown.splice(0..0, self.check_of(violation, &read, write.target));
            }
            for shown in [&mut write.returning, &mut write.counted].into_iter().flatten() {
                show(&mut shown.from, view, &read, &mut self.ids);
            }
        }
        Ok(OnTheWay { checks, shown })
    }

    /// Guards an update that sets nothing. PostgREST asks for no row of the relation instead: who may read it may do that, whether
    /// or not it takes writes.
    pub(super) fn nothing(&mut self, write: &mut Write) -> Result<()> {
        write.guard = WriteGuard { judge: Judge::Us, ..WriteGuard::default() };
        self.require(write.table, Privilege::Select, None)?;
        if self.model.catalog[write.table].is_stored() {
            return Ok(());
        }
        let relation = self.model.relation(write.table, &mut self.ids)?;
        for shown in [&mut write.returning, &mut write.counted].into_iter().flatten() {
            let ids = &mut self.ids;
            visit::each_source_mut(&mut shown.from, &mut |source| {
                if let (Source::Written { id, .. }, Source::Read { read, view, .. }) = (&source, &relation) {
                    let read = Box::new(visit::instantiate_read(read, ids));
                    *source = Source::Read { id: *id, read, view: *view };
                }
            });
            shown.filter = Some(Expr::bool(false));
        }
        self.read(&mut Read::from(relation))
    }

    /// What may be done where triggers stand in place of the write: they say what becomes of the rows that the view shows.
    pub(super) fn instead(&mut self, write: &mut Write) -> Result<WriteGuard> {
        if let Action::Insert(insert) = &mut write.action {
            if insert.conflict.take().is_some_and(|conflict| conflict.names_key()) {
                let message =
                    "there is no unique or exclusion constraint matching the ON CONFLICT specification";
                return Err(Error::new(Code::INVALID_COLUMN_REFERENCE, message));
            }
            return Ok(WriteGuard::default());
        }
        let mut rows = self.model.relation(write.table, &mut self.ids)?;
        if let Source::Read { id, read, .. } = &mut rows {
            *id = write.target;
            let named = named_in_read(read);
            self.view(read, write.table, &named)?;
        }
        Ok(WriteGuard { instead: Some(rows), ..WriteGuard::default() })
    }

    /// The condition of a view, on a row of what it shows.
    fn check_of(&mut self, violation: Error, read: &Read, row: SourceId) -> Option<RowCheck> {
        let (own, base) = (read.filter.as_ref()?, visit::id_of(&read.from)?);
        let expr = visit::instantiate(own, base, row, &mut self.ids);
        Some(RowCheck { expr, violation })
    }

    fn require_on_view(&self, write: &Write) -> Result<()> {
        let view = write.table;
        let set = |set: &[(ColumnId, Assign)]| set.iter().map(|(column, _)| *column).collect::<BTreeSet<_>>();
        match &write.action {
            Action::Insert(insert) => {
                self.require(view, Privilege::Insert, Some(&insert.columns.iter().copied().collect()))?;
                if let Some(conflict) = &insert.conflict
                    && let ConflictAction::Update { set: assigned, .. } = &conflict.action
                {
                    self.require(view, Privilege::Update, Some(&set(assigned)))?;
                }
            }
            Action::Update { set: assigned, .. } => {
                self.require(view, Privilege::Update, Some(&set(assigned)))?;
            }
            Action::Delete { .. } => self.require_table(view, Privilege::Delete)?,
        }
        let mut named = Named::new();
        for expr in expressions(&write.action) {
            named_in(expr, &mut named);
        }
        let mut columns = named.remove(&write.target).unwrap_or_default();
        if let Action::Insert(insert) = &write.action
            && let Some(conflict) = &insert.conflict
        {
            columns.extend(compared(conflict, write.target));
            if let ConflictAction::Update { excluded, .. } = &conflict.action {
                columns.extend(named.remove(excluded).unwrap_or_default());
            }
        }
        if let Some(returning) = &write.returning {
            columns.extend(written_columns(&returning.from, &named_in_read(returning)));
        }
        if columns.is_empty() { Ok(()) } else { self.require(view, Privilege::Select, Some(&columns)) }
    }

    /// The definition of a view that takes the write, with ids of its own.
    fn updatable(&mut self, write: &Write) -> Result<Read> {
        let read = match &self.model[write.table].view {
            Some(Ok(read)) => visit::instantiate_read(read, &mut self.ids),
            Some(Err(error)) => return Err(error.clone()),
            None => return Err(Error::internal("a table is no view")),
        };
        Ok(read)
    }

    /// Refuses a write to a view that takes none, at any depth: PostgreSQL says so before it looks at privileges.
    pub(super) fn takes_writes(&self, write: &Write) -> Result<()> {
        let mut table = write.table;
        while let TableKind::View { query, .. } = &self.model.catalog[table].kind {
            let Some(Ok(read)) = &self.model[table].view else { return Ok(()) };
            if is_instead(self.model, table, &write.action) {
                return Ok(());
            }
            if let Some(detail) = obstacle(read, query.with.is_some()) {
                let Words { verb, doing, event } = words(&write.action);
                let name = &self.model.catalog[table].name.name;
                let hint = format!(
                    "To enable {doing} the view, provide an INSTEAD OF {event} trigger or an unconditional ON {event} DO INSTEAD rule."
                );
                return Err(Error::new(Code::OBJECT_STATE, format!("cannot {verb} view \"{name}\""))
                    .with_details(detail)
                    .with_hint(hint));
            }
            let Some(below) = underneath(&read.from) else { return Ok(()) };
            table = below;
        }
        Ok(())
    }

    /// Says what the view's own defaults say of columns that are left to them.
    fn filled(&self, write: &mut Write) -> Result<()> {
        let columns = self.model.catalog[write.table].column_ids();
        for (column, fill) in columns.zip(&self.model[write.table].fills) {
            let Fill::Default(default) = fill else { continue };
            let default = default.clone()?;
            match &mut write.action {
                Action::Insert(insert) => {
                    if let Some(ConflictAction::Update { set, .. }) =
                        insert.conflict.as_mut().map(|conflict| &mut conflict.action)
                    {
                        assign_default(set, column, &default);
                    }
                    insert_default(insert, column, &default);
                }
                Action::Update { set, .. } => assign_default(set, column, &default),
                Action::Delete { .. } => {}
            }
        }
        Ok(())
    }

    /// Guards what a definition computes; the rows that it shows are guarded as those of the write.
    fn definition(&mut self, read: &mut Read) -> Result<()> {
        let named = named_in_read(read);
        let mut outcome = Ok(());
        visit::own_expressions_mut(read, &mut |expr| {
            if outcome.is_ok() {
                outcome = self.expr_naming(expr, &named);
            }
        });
        outcome
    }

    /// Speaks of the relation underneath instead of the view.
    fn lower<'c>(
        &mut self,
        write: &mut Write,
        read: &Read,
        checks: impl Iterator<Item = &'c mut RowCheck>,
    ) -> Result<()> {
        let (Some(base), Some(table)) = (visit::id_of(&read.from), underneath(&read.from)) else {
            return Err(Error::internal("a view of nothing"));
        };
        let verb = words(&write.action).verb;
        let view = &self.model.catalog[write.table];
        let chooses = self.view_owner.as_ref().is_some_and(|owner| owner.is_past_policies);
        let target = write.target;
        let mut lowering = Lowering { view, verb, target, read, base, chooses, ids: &mut self.ids };
        lowering.action(&mut write.action)?;
        checks.for_each(|check| lowering.shown(&mut check.expr, write.target));
        write.table = table;
        Ok(())
    }
}

/// One step from a view down to what it shows.
struct Lowering<'a> {
    view: &'a Table,
    verb: &'static str,
    target: SourceId,
    read: &'a Read,
    /// What the view shows, in `read`.
    base: SourceId,
    /// Whether it may show rows that policies hide from the caller.
    chooses: bool,
    ids: &'a mut visit::SourceIds,
}

impl Lowering<'_> {
    fn action(&mut self, action: &mut Action) -> Result<()> {
        match action {
            Action::Insert(insert) => {
                self.columns(&mut insert.columns)?;
                match &mut insert.conflict {
                    Some(conflict) => self.conflict(conflict),
                    None => Ok(()),
                }
            }
            Action::Update { set, filter } => {
                self.assignments(set, &[self.target])?;
                self.narrow(filter);
                Ok(())
            }
            Action::Delete { filter } => {
                self.narrow(filter);
                Ok(())
            }
        }
    }

    fn conflict(&mut self, conflict: &mut Conflict) -> Result<()> {
        self.columns(&mut conflict.columns)?;
        let target = self.target;
        conflict.target_expressions_mut().for_each(|expr| self.shown(expr, target));
        let ConflictAction::Update { excluded, set, filter } = &mut conflict.action else { return Ok(()) };
        let rows = [self.target, *excluded];
        self.assignments(set, &rows)?;
        for row in rows {
            filter.iter_mut().for_each(|filter| self.shown(filter, row));
        }
        Ok(())
    }

    fn columns(&self, columns: &mut [ColumnId]) -> Result<()> {
        columns.iter_mut().try_for_each(|column| {
            *column = self.column(*column)?;
            Ok(())
        })
    }

    fn column(&self, column: ColumnId) -> Result<ColumnId> {
        match self.read.outputs.get(usize::from(column.0)).map(|output| &output.expr) {
            Some(Expr::Column { source, column, .. }) if *source == self.base => Ok(*column),
            _ => {
                let (name, view) = (&self.view[column].name, &self.view.name.name);
                let message = format!("cannot {} column \"{name}\" of view \"{view}\"", self.verb);
                let detail = "View columns that are not columns of their base relation are not updatable.";
                Err(Error::new(Code::FEATURE_NOT_SUPPORTED, message).with_details(detail))
            }
        }
    }

    fn assignments(&mut self, set: &mut [(ColumnId, Assign)], rows: &[SourceId]) -> Result<()> {
        for (column, assign) in set {
            *column = self.column(*column)?;
            if let Assign::Expr(expr) = assign {
                rows.iter().for_each(|row| self.shown(expr, *row));
            }
        }
        Ok(())
    }

    /// Only rows of the view are touched.
    fn narrow(&mut self, filter: &mut Option<Expr>) {
        if let Some(filter) = filter {
            self.shown(filter, self.target);
        }
        let (base, target) = (self.base, self.target);
        let own = self.read.filter.as_ref().map(|own| visit::instantiate(own, base, target, self.ids));
        *filter = match filter.take() {
            Some(asked) if self.chooses && visit::may_raise(&asked) => within(own, Some(asked)),
            asked => Expr::all(own.into_iter().chain(asked)),
        };
    }

    /// Replaces columns of a row of the view by what the view shows in them.
    fn shown(&mut self, expr: &mut Expr, row: SourceId) {
        if let Expr::Column { source, column, .. } = expr
            && *source == row
            && let Some(output) = self.read.outputs.get(usize::from(column.0))
        {
            *expr = visit::instantiate(&output.expr, self.base, row, self.ids);
            return;
        }
        for operand in visit::operands_mut(expr) {
            self.shown(operand, row);
        }
        if let Expr::Subquery(subquery) = expr {
            self.shown_in_read(subquery.read_mut(), row);
        }
    }

    fn shown_in_read(&mut self, inner: &mut Read, row: SourceId) {
        visit::own_expressions_mut(inner, &mut |expr| self.shown(expr, row));
        visit::each_inner_read_mut(inner, &mut |read| self.shown_in_read(read, row));
    }
}

fn assign_default(set: &mut [(ColumnId, Assign)], column: ColumnId, default: &Expr) {
    for (_, assign) in set.iter_mut().filter(|(set, _)| *set == column) {
        if matches!(assign, Assign::Default) {
            *assign = Assign::Expr(default.clone());
        }
    }
}

fn insert_default(insert: &mut Insert, column: ColumnId, default: &Expr) {
    let Some(at) = insert.columns.iter().position(|named| *named == column) else {
        insert.columns.push(column);
        insert.rows.iter_mut().for_each(|row| row.push(RowValue::Expr(default.clone())));
        if let Some(read) = &mut insert.read {
            read.outputs.push(Output { name: "default".into(), expr: default.clone() });
        }
        return;
    };
    for value in insert.rows.iter_mut().filter_map(|row| row.get_mut(at)) {
        if matches!(value, RowValue::Default) {
            *value = RowValue::Expr(default.clone());
        }
    }
}

/// Why a view takes no writes, in PostgreSQL's words.
fn obstacle(read: &Read, has_with: bool) -> Option<&'static str> {
    let is_compound = matches!(read.from, Source::Compound { .. });
    let is_one_relation = matches!(read.from, Source::Table { .. } | Source::Read { view: Some(_), .. });
    [
        (read.distinct, "Views containing DISTINCT are not automatically updatable."),
        (!read.group.is_empty(), "Views containing GROUP BY are not automatically updatable."),
        (read.having.is_some(), "Views containing HAVING are not automatically updatable."),
        (is_compound, "Views containing UNION, INTERSECT, or EXCEPT are not automatically updatable."),
        (has_with, "Views containing WITH are not automatically updatable."),
        (
            read.limit.is_some() || read.offset.is_some(),
            "Views containing LIMIT or OFFSET are not automatically updatable.",
        ),
        (
            read.outputs.iter().any(|output| visit::has_aggregate(&output.expr)),
            "Views that return aggregate functions are not automatically updatable.",
        ),
        (
            read.outputs.iter().any(|output| visit::has_window(&output.expr)),
            "Views that return window functions are not automatically updatable.",
        ),
        (
            !is_one_relation,
            "Views that do not select from a single table or view are not automatically updatable.",
        ),
    ]
    .into_iter()
    .find(|(hinders, _)| *hinders)
    .map(|(_, detail)| detail)
}

/// Whether rows that are in the way are changed.
fn changes_existing(action: &Action) -> bool {
    let Action::Insert(insert) = action else { return false };
    let conflict = insert.conflict.as_ref();
    conflict.is_some_and(|conflict| matches!(conflict.action, ConflictAction::Update { .. }))
}

pub(super) fn underneath(from: &Source) -> Option<TableId> {
    match from {
        Source::Table { table, .. } => Some(*table),
        Source::Read { view, .. } => *view,
        _ => None,
    }
}

fn expressions(action: &Action) -> Vec<&Expr> {
    fn assigned(set: &[(ColumnId, Assign)]) -> impl Iterator<Item = &Expr> {
        set.iter().filter_map(|(_, assign)| match assign {
            Assign::Expr(expr) => Some(expr),
            Assign::Default => None,
        })
    }
    match action {
        Action::Insert(insert) => match insert.conflict.as_ref().map(|conflict| &conflict.action) {
            Some(ConflictAction::Update { set, filter, .. }) => assigned(set).chain(filter).collect(),
            Some(ConflictAction::Nothing) | None => Vec::new(),
        },
        Action::Update { set, filter } => assigned(set).chain(filter).collect(),
        Action::Delete { filter } => filter.iter().collect(),
    }
}

/// The written rows of a view are its definition over the written rows of what it shows.
fn show(from: &mut Source, view: TableId, read: &Read, ids: &mut visit::SourceIds) {
    visit::each_source_mut(from, &mut |source| match source {
        Source::Written { id, table } if *table == view => {
            let mut definition = visit::instantiate_read(read, ids);
            if let (Some(inner), Some(base)) = (visit::id_of(&definition.from), underneath(&definition.from))
            {
                definition.from = Source::Written { id: inner, table: base };
            }
            // A row that no longer belongs to the view is returned all the same.
            definition.filter = None;
            *source = Source::Read { id: *id, read: Box::new(definition), view: Some(view) };
        }
        Source::Read { read: deeper, .. } => show(&mut deeper.from, view, read, ids),
        _ => {}
    });
}
