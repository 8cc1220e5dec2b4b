//! Writes: what may be touched, and what a row must be like before and after.

use std::collections::BTreeSet;

use catalog::{ColumnId, PolicyCommand, Privilege, TableId};
use types::{Code, Error, Result};

use super::Pass;
use super::one_row::{is_of_one_row, refuse_half_seen};
use super::policies::Side;
use super::privileges::{Named, named_in, named_in_read};
use super::through::OnTheWay;
use crate::ir::{
    Action, Assign, Conflict, ConflictAction, Expr, Insert, Judge, Read, RowValue, Source, SourceId, Write,
    WriteGuard,
};
use crate::visit::{self, SourceIds};

impl Pass<'_> {
    pub(super) fn write(&mut self, write: &mut Write) -> Result<()> {
        for changed in &mut write.before {
            self.refuse_ruled_part(&changed.write)?;
            self.write(&mut changed.write)?;
        }
        self.ids = ids_above(write);
        match write.called {
            None => self.change(write)?,
            Some(by) => self.change_called(write, by)?,
        }
        (self.view_owner, self.stored) = (None, false);
        for read in [&mut write.returning, &mut write.counted].into_iter().flatten() {
            let named = named_in_read(read);
            self.own = write.called.map(|by| by.function);
            self.read_naming(read, &named)?;
            self.own = None;
        }
        Ok(())
    }

    /// Guards the change itself, what is returned excepted.
    pub(super) fn change(&mut self, write: &mut Write) -> Result<()> {
        if write.refreshes {
            return self.refresh(write);
        }
        if write.action.sets_nothing() {
            return self.nothing(write);
        }
        if self.model.catalog[write.table].is_materialized() {
            let name = &self.model.catalog[write.table].name.name;
            let message = format!("cannot change materialized view \"{name}\"");
            return Err(Error::new(Code::WRONG_OBJECT_TYPE, message));
        }
        if self.ruled(write)? {
            return Ok(());
        }
        if self.model.catalog[write.table].is_stored() {
            // PostgreSQL refuses what nobody may do before it asks who wants it.
            crate::check::write(write, self.model)?;
        }
        let reads_target = reads_target(write);
        self.writing = Some(self.model.catalog.kept_in(write.table));
        self.is_of_one_row = is_of_one_row(write, &self.model.catalog);
        self.beside(write)?;
        self.values(&mut write.action)?;
        let OnTheWay { checks: views, shown } =
            self.through_views(write, reads_target || compares_keys(write))?;
        if !self.model.catalog[write.table].is_stored() {
            let guard = self.instead(write)?;
            write.guard = WriteGuard { judge: Judge::Us, role: Some(self.role.clone()), views, ..guard };
            return Ok(());
        }
        self.writing = Some(self.model.catalog.kept_in(write.table));
        self.refuse_past_policies(write.table)?;
        if !self.is_of_one_row && !matches!(write.action, Action::Delete { .. }) {
            refuse_half_seen(write.table, self.model)?;
        }
        let guard = match &mut write.action {
            Action::Insert(insert) => {
                let mut guard = self.insert(write.table, write.target, insert, reads_target)?;
                guard.conflict.extend(shown);
                guard
            }
            Action::Update { set, filter } => {
                self.assigned(write.table, set)?;
                self.named_values(write.target, write.table, set, filter.as_ref())?;
                let touch = self.touch(write.table, write.target, PolicyCommand::Update, reads_target)?;
                let update = self.after_update(write.table, write.target, reads_target)?;
                WriteGuard { touch, update, ..WriteGuard::default() }
            }
            Action::Delete { filter } => {
                self.require_table(write.table, Privilege::Delete)?;
                self.named_values(write.target, write.table, &[], filter.as_ref())?;
                let touch = self.touch(write.table, write.target, PolicyCommand::Delete, reads_target)?;
                WriteGuard { touch, ..WriteGuard::default() }
            }
        };
        write.guard = WriteGuard { judge: Judge::Us, role: Some(self.role.clone()), views, ..guard };
        self.at_root(write)
    }

    /// Guards a refresh: only the owner may, and what is kept is what the owner sees.
    fn refresh(&mut self, write: &mut Write) -> Result<()> {
        let declared = &self.model.catalog[write.table];
        if !self.superuser && !self.roles.contains(&declared.owner) {
            let message = format!("must be owner of materialized view {}", declared.name.name);
            return Err(Error::new(Code::PRIVILEGE, message));
        }
        let owner = declared.owner.clone();
        if let Action::Insert(Insert { read: Some(read), .. }) = &mut write.action {
            self.as_owner(&owner, |pass| pass.read(read))?;
        }
        write.guard = WriteGuard { judge: Judge::Us, ..WriteGuard::default() };
        Ok(())
    }

    /// Guards what stands beside the rows.
    fn beside(&mut self, write: &mut Write) -> Result<()> {
        let Some(beside) = write.beside.take() else { return Ok(()) };
        let mut read = Read::from(beside);
        let mut named = named_in_read(&read);
        for expr in visit::action_expressions_mut(&mut write.action) {
            named_in(expr, &mut named);
        }
        write.beside_returned.iter().for_each(|expr| named_in(expr, &mut named));
        self.read_naming(&mut read, &named)?;
        write.beside = Some(read.from);
        Ok(())
    }

    fn insert(
        &mut self,
        table: TableId,
        target: SourceId,
        insert: &mut Insert,
        reads_target: bool,
    ) -> Result<WriteGuard> {
        self.require(table, Privilege::Insert, Some(&insert.columns.iter().copied().collect()))?;
        let mut guard = WriteGuard {
            insert: self.row_checks(table, target, PolicyCommand::Insert, Side::Check)?,
            ..WriteGuard::default()
        };
        let Some(conflict) = &mut insert.conflict else {
            if reads_target {
                guard.insert.extend(self.select_checks(table, target, Side::Check)?);
            }
            return Ok(guard);
        };
        let keys = compared(conflict, target);
        if !keys.is_empty() {
            self.require(table, Privilege::Select, Some(&keys))?;
        }
        let reads_target = reads_target || !keys.is_empty();
        if reads_target {
            guard.insert.extend(self.select_checks(table, target, Side::Check)?);
        }
        if let ConflictAction::Update { excluded, set, filter } = &mut conflict.action {
            self.assigned(table, set)?;
            self.named_values(target, table, set, filter.as_ref())?;
            // The proposed row is read under the rights on the row that it would be.
            self.named_values(*excluded, table, set, filter.as_ref())?;
            guard.conflict = self.row_checks(table, target, PolicyCommand::Update, Side::Using)?;
            if reads_target {
                guard.conflict.extend(self.select_checks(table, target, Side::Using)?);
            }
            guard.update = self.after_update(table, target, reads_target)?;
        }
        Ok(guard)
    }

    /// What must hold of a row after an update.
    fn after_update(
        &mut self,
        table: TableId,
        target: SourceId,
        reads_target: bool,
    ) -> Result<Vec<crate::ir::RowCheck>> {
        let mut checks = self.row_checks(table, target, PolicyCommand::Update, Side::Check)?;
        if reads_target {
            checks.extend(self.select_checks(table, target, Side::Check)?);
        }
        Ok(checks)
    }

    /// A row that the statement reads must be one that the caller may see; the message is that of a check.
    fn select_checks(
        &mut self,
        table: TableId,
        target: SourceId,
        said: Side,
    ) -> Result<Vec<crate::ir::RowCheck>> {
        let mut checks = self.row_checks(table, target, PolicyCommand::Select, Side::Using)?;
        if said == Side::Check {
            for check in &mut checks {
                let message = check.violation.message().replace(" (USING expression)", "");
                check.violation = Error::new(check.violation.code(), message);
            }
        }
        Ok(checks)
    }

    fn touch(
        &mut self,
        table: TableId,
        target: SourceId,
        command: PolicyCommand,
        reads_target: bool,
    ) -> Result<Option<Expr>> {
        let own = self.visible(table, target, command)?;
        let seen = if reads_target { self.visible(table, target, PolicyCommand::Select)? } else { None };
        Ok(Expr::all(own.into_iter().chain(seen)))
    }

    fn assigned(&self, table: TableId, set: &[(ColumnId, Assign)]) -> Result<()> {
        let columns: BTreeSet<ColumnId> = set.iter().map(|(column, _)| *column).collect();
        self.require(table, Privilege::Update, Some(&columns))
    }

    /// Guards what the caller's own values and conditions read.
    fn values(&mut self, action: &mut Action) -> Result<()> {
        let (set, filter) = match action {
            Action::Insert(insert) => {
                if let Some(read) = &mut insert.read {
                    self.read(read)?;
                }
                for value in insert.rows.iter_mut().flatten() {
                    if let RowValue::Expr(expr) = value {
                        self.expr(expr)?;
                    }
                }
                match insert.conflict.as_mut().map(|conflict| &mut conflict.action) {
                    Some(ConflictAction::Update { set, filter, .. }) => (&mut set[..], filter.as_mut()),
                    Some(ConflictAction::Nothing) | None => return Ok(()),
                }
            }
            Action::Update { set, filter } => (&mut set[..], filter.as_mut()),
            Action::Delete { filter } => (&mut [][..], filter.as_mut()),
        };
        for (_, assign) in set {
            if let Assign::Expr(expr) = assign {
                self.expr(expr)?;
            }
        }
        filter.map_or(Ok(()), |filter| self.expr(filter))
    }

    /// Columns of a row that new values and conditions name need `select`.
    fn named_values(
        &self,
        row: SourceId,
        table: TableId,
        set: &[(ColumnId, Assign)],
        filter: Option<&Expr>,
    ) -> Result<()> {
        let mut named = Named::new();
        assigned_exprs(set).chain(filter).for_each(|expr| named_in(expr, &mut named));
        match named.get(&row) {
            Some(columns) => self.require(table, Privilege::Select, Some(columns)),
            None => Ok(()),
        }
    }
}

/// Whether an upsert looks at the keys of existing rows.
fn compares_keys(write: &Write) -> bool {
    let Action::Insert(insert) = &write.action else { return false };
    insert.conflict.as_ref().is_some_and(Conflict::names_key)
}

/// The columns of existing rows that a conflict names.
pub(super) fn compared(conflict: &Conflict, target: SourceId) -> BTreeSet<ColumnId> {
    let mut named = Named::new();
    conflict.computed.iter().chain(&conflict.predicate).for_each(|expr| named_in(expr, &mut named));
    let mut columns = named.remove(&target).unwrap_or_default();
    columns.extend(&conflict.columns);
    columns
}

/// Whether the statement needs the `select` privilege on its own table: it names columns of existing or written rows.
fn reads_target(write: &Write) -> bool {
    let mut named = Named::new();
    let mut note = |expr: &Expr| named_in(expr, &mut named);
    let assigned = |set: &[(ColumnId, Assign)], note: &mut dyn FnMut(&Expr)| {
        for (_, assign) in set {
            if let Assign::Expr(expr) = assign {
                note(expr);
            }
        }
    };
    match &write.action {
        Action::Insert(Insert { conflict: Some(conflict), .. }) => {
            if let ConflictAction::Update { set, filter, .. } = &conflict.action {
                assigned(set, &mut note);
                filter.iter().for_each(&mut note);
            }
        }
        Action::Insert(_) => {}
        Action::Update { set, filter } => {
            assigned(set, &mut note);
            filter.iter().for_each(&mut note);
        }
        Action::Delete { filter } => filter.iter().for_each(&mut note),
    }
    named.contains_key(&write.target) || write.returning.as_ref().is_some_and(returns_columns)
}

fn returns_columns(returning: &Read) -> bool {
    !written_columns(&returning.from, &named_in_read(returning)).is_empty()
}

/// The columns of written rows that something names.
pub(super) fn written_columns(from: &Source, named: &Named) -> BTreeSet<ColumnId> {
    let mut found = BTreeSet::new();
    visit::each_source(from, &mut |source| match source {
        Source::Written { id, .. } => found.extend(named.get(id).into_iter().flatten()),
        Source::Read { read, .. } => found.extend(written_columns(&read.from, named)),
        _ => {}
    });
    found
}

/// Source ids that nothing in a write uses.
fn ids_above(write: &Write) -> SourceIds {
    let above = |read: &Option<Read>| read.as_ref().map_or(SourceIds::starting_at(0), SourceIds::above);
    let beside = write.beside.clone().map(Read::from);
    let mut ids = above(&write.returning).and_above(above(&write.counted)).and_above(above(&beside));
    let mut exprs: Vec<&Expr> = Vec::new();
    match &write.action {
        Action::Insert(Insert { conflict, read, rows, .. }) => {
            exprs.extend(rows.iter().flatten().filter_map(|value| match value {
                RowValue::Expr(expr) => Some(expr),
                RowValue::Value(_) | RowValue::Default | RowValue::Returned(_) => None,
            }));
            if let Some(ConflictAction::Update { set, filter, .. }) =
                conflict.as_ref().map(|conflict| &conflict.action)
            {
                exprs.extend(assigned_exprs(set).chain(filter));
            }
            if let Some(read) = read {
                ids = ids.and_above(SourceIds::above(read));
            }
        }
        Action::Update { set, filter } => exprs.extend(assigned_exprs(set).chain(filter)),
        Action::Delete { filter } => exprs.extend(filter),
    }
    for expr in exprs {
        ids = ids.above_expr(expr);
    }
    let excluded = match &write.action {
        Action::Insert(Insert { conflict: Some(conflict), .. }) => match &conflict.action {
            ConflictAction::Update { excluded, .. } => excluded.0,
            ConflictAction::Nothing => 0,
        },
        Action::Insert(_) | Action::Update { .. } | Action::Delete { .. } => 0,
    };
    ids.and_above(SourceIds::starting_at(write.target.0.max(excluded) + 1))
}

fn assigned_exprs(set: &[(ColumnId, Assign)]) -> impl Iterator<Item = &Expr> {
    set.iter().filter_map(|(_, assign)| match assign {
        Assign::Expr(expr) => Some(expr),
        Assign::Default => None,
    })
}
