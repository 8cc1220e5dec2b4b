//! Writes: inserts, upserts, updates, replacements, deletions, and what is read of the written rows.

use catalog::{ColumnId, Privilege, Table, TableId};
use query::{
    Action as Change, Assign, Conflict, ConflictAction, Expr, Insert, Output, Query, Read, RowValue, Source,
    Write,
};
use types::{Code, Error, Result, Value};

use super::fields::Scope;
use super::reads::columns;
use super::tree::Condition;
use super::{Pass, Resolved};
use crate::filter::{Filter, Operands};
use crate::operators::Meaning;
use crate::options::origin;
use crate::payload::Payload;
use crate::prefer::{Representation, Resolution};
use crate::request::Action;

impl<'a> Pass<'a> {
    /// A write to a table or view; `single` asks for exactly one row.
    pub(super) fn write_request(&mut self, name: &str, single: bool) -> Result<Resolved> {
        let table = self.table(name)?;
        if let Some(Payload::Objects(objects)) = &self.request.payload {
            return self.nested_request(table, objects, single);
        }
        // What is embedded is checked even where nothing is returned.
        let root = self.tree(table)?;
        let target = self.ids.fresh();
        let label = self.model.catalog[table].name.name.to_string();
        let scope = Scope { source: target, table, label };
        let change = self.change(&scope)?;
        let written = Source::Written { id: self.ids.fresh(), table };
        let mut resolved = Resolved::default();
        let returning = match self.request.prefer.representation {
            Some(Representation::Full) => {
                let read = self.rows(&root, written)?;
                resolved.columns = columns(&read.outputs);
                Some(read)
            }
            Some(Representation::HeadersOnly) if self.request.action == Action::Insert => {
                let read = self.key_of(table, written);
                resolved.key = columns(&read.outputs);
                Some(read).filter(|read| !read.outputs.is_empty())
            }
            Some(Representation::HeadersOnly | Representation::Minimal) | None => None,
        };
        resolved.has_conflict_target = !self.conflict_columns(&scope)?.is_empty();
        resolved.queries.push(Query::Write(Box::new(Write {
            returning,
            affected_max: self.affected_max(),
            single,
            ..Write::of(table, target, change)
        })));
        Ok(resolved)
    }

    fn affected_max(&self) -> Option<u64> {
        let limited = matches!(self.request.action, Action::Update | Action::Delete);
        self.request.prefer.affected_max().filter(|_| limited)
    }

    fn change(&mut self, scope: &Scope) -> Result<Change> {
        match self.request.action {
            Action::Insert => self.insert(scope).map(Change::Insert),
            Action::Replace => self.replace(scope).map(Change::Insert),
            Action::Update => self.update(scope),
            Action::Delete => Ok(Change::Delete { filter: self.touched(scope)? }),
            Action::Read { .. } | Action::Call | Action::Options => {
                Err(Error::internal("no write was asked for"))
            }
        }
    }

    /// The key of the written rows.
    pub(super) fn key_of(&self, table: TableId, written: Source) -> Read {
        let source = query::visit::id_of(&written);
        let declared = &self.model.catalog[table];
        let output = |column: ColumnId| {
            let ty = declared[column].ty.clone();
            source.map(|source| Output {
                name: declared[column].name.clone(),
                expr: Expr::Column { source, column, ty },
            })
        };
        let outputs = origin::key(self.model, table).into_iter().filter_map(output).collect();
        Read { outputs, ..Read::from(written) }
    }

    /// Which existing rows are meant.
    fn touched(&mut self, scope: &Scope) -> Result<Option<Expr>> {
        let request = self.request;
        let filters = request.filters.iter().filter(|(path, _)| path.is_empty());
        let logic = request.logic.iter().filter(|(path, _)| path.is_empty());
        let conditions = filters
            .map(|(_, filter)| Condition::Filter(filter))
            .chain(logic.map(|(_, logic)| Condition::Logic(logic)));
        let conditions: Vec<Expr> =
            conditions.map(|condition| self.condition(scope, None, condition)).collect::<Result<_>>()?;
        Ok(Expr::all(conditions))
    }

    fn insert(&mut self, scope: &Scope) -> Result<Insert> {
        let table = scope.table;
        let body = self.body()?;
        let columns = self.named(table, &body.names())?;
        let rows = body.rows(|row| self.row(table, &columns, row));
        let rows = rows.map_err(|error| self.of_body(scope, (Privilege::Insert, &columns), error))?;
        let conflict = match self.request.prefer.resolution {
            None => None,
            Some(resolution) => self.conflict(scope, &columns, resolution)?,
        };
        Ok(Insert { columns, rows, read: None, overriding: false, conflict })
    }

    /// What is wrong with a value of a body, for those who may write it: PostgreSQL asks for rights before it reads a body, and after
    /// it has read what stands in a URL.
    fn of_body(&self, scope: &Scope, (privilege, columns): (Privilege, &[ColumnId]), error: Error) -> Error {
        let (catalog, roles) = (&self.model.catalog, self.roles());
        let may_write = |column: &ColumnId| catalog.allows_column(&roles, scope.table, privilege, *column);
        if columns.iter().all(may_write) {
            return error;
        }
        let table = &catalog[scope.table];
        Error::new(Code::PRIVILEGE, format!("permission denied for {} {}", table.word(), table.name.name))
    }

    /// `on_conflict`, else the primary key.
    fn conflict_columns(&self, scope: &Scope) -> Result<Vec<ColumnId>> {
        let table = scope.table;
        let Some(names) = &self.request.on_conflict else { return Ok(origin::key(self.model, table)) };
        let column = |name: &String| {
            let found = self.model.catalog[table].column(name).map(|(id, _)| id);
            let message = || format!("column \"{name}\" does not exist");
            found.ok_or_else(|| self.undefined_column(scope, name, message()))
        };
        names.iter().map(column).collect()
    }

    /// What happens to duplicates; without anything that could make one, the insert is a plain one.
    fn conflict(
        &mut self,
        scope: &Scope,
        columns: &[ColumnId],
        resolution: Resolution,
    ) -> Result<Option<Conflict>> {
        let (table, key) = (scope.table, self.conflict_columns(scope)?);
        if key.is_empty() {
            return Ok(None);
        }
        self.check_unique(table, &key)?;
        let action = match resolution {
            Resolution::Merge if !columns.is_empty() => self.merge(table, columns),
            Resolution::Merge | Resolution::Ignore => ConflictAction::Nothing,
        };
        Ok(Some(Conflict::on(key, action)))
    }

    /// Every column that the body names takes the new value.
    fn merge(&mut self, table: TableId, columns: &[ColumnId]) -> ConflictAction {
        let excluded = self.ids.fresh();
        let declared = &self.model.catalog[table];
        let proposed = |column: &ColumnId| {
            let ty = declared[*column].ty.clone();
            (*column, Assign::Expr(Expr::Column { source: excluded, column: *column, ty }))
        };
        ConflictAction::Update { excluded, set: columns.iter().map(proposed).collect(), filter: None }
    }

    /// Some constraint or whole index must be about exactly these columns; of a view, of what it shows.
    fn check_unique(&self, table: TableId, key: &[ColumnId]) -> Result<()> {
        let stored: Option<Vec<(TableId, ColumnId)>> =
            key.iter().map(|column| origin::stored(self.model, table, *column)).collect();
        let stored = stored.unwrap_or_default();
        let table = stored.first().map(|(table, _)| *table);
        let table = table.filter(|table| stored.iter().all(|(found, _)| found == table));
        let columns: Vec<ColumnId> = stored.iter().map(|(_, column)| *column).collect();
        match table.map(|table| arbiter(&self.model.catalog[table], &columns)) {
            Some(Arbiter::Found) => Ok(()),
            Some(Arbiter::Deferrable) => Err(Error::new(
                Code::OBJECT_STATE,
                "ON CONFLICT does not support deferrable unique constraints/exclusion constraints as arbiters",
            )),
            Some(Arbiter::None) | None => Err(Error::new(
                Code::INVALID_COLUMN_REFERENCE,
                "there is no unique or exclusion constraint matching the ON CONFLICT specification",
            )),
        }
    }

    fn update(&mut self, scope: &Scope) -> Result<Change> {
        let filter = self.touched(scope)?;
        let body = self.body()?;
        let columns = self.named(scope.table, &body.names())?;
        // Of a list the first row counts; nothing to set is nothing to do.
        let row = body.first().filter(|_| !columns.is_empty());
        let Some(row) = row else {
            return Ok(Change::Update { set: Vec::new(), filter: Some(Expr::bool(false)) });
        };
        let values = self.row(scope.table, &columns, &row);
        let values = values.map_err(|error| self.of_body(scope, (Privilege::Update, &columns), error))?;
        let declared = &self.model.catalog[scope.table];
        let assign = |(column, value): (ColumnId, RowValue)| {
            let ty = declared[column].ty.clone();
            let assign = match value {
                RowValue::Default => Assign::Default,
                RowValue::Value(value) => Assign::Expr(Expr::Const { value, ty }),
                RowValue::Expr(expr) => Assign::Expr(expr),
                RowValue::Returned(_) => return Err(Error::internal("a row of a body is of another write")),
            };
            Ok((column, assign))
        };
        let set = columns.into_iter().zip(values).map(assign).collect::<Result<_>>()?;
        Ok(Change::Update { set, filter })
    }

    /// `PUT`: the filters are the whole key, and the body has the row with that key.
    fn replace(&mut self, scope: &Scope) -> Result<Insert> {
        let table = scope.table;
        let wanted = self.key_wanted(table)?;
        let body = self.body()?;
        let columns = self.named(table, &body.names())?;
        let rows = body.rows(|row| self.row(table, &columns, row));
        let rows = rows.map_err(|error| self.of_body(scope, (Privilege::Insert, &columns), error))?;
        let is_wanted = |row: &Vec<RowValue>| {
            wanted.iter().all(|(column, wanted)| {
                let position = columns.iter().position(|found| found == column);
                let value = position.and_then(|position| row.get(position));
                matches!(value, Some(RowValue::Value(value)) if self.is_same(table, *column, value, wanted))
            })
        };
        let rows: Vec<Vec<RowValue>> = rows.into_iter().filter(is_wanted).collect();
        if rows.len() != 1 {
            return Err(Error::new(
                Code::PUT_MISMATCH,
                "Payload values do not match URL in primary key column(s)",
            ));
        }
        let conflict = self.conflict_of_key(table, &columns)?;
        Ok(Insert { columns, rows, read: None, overriding: false, conflict })
    }

    fn conflict_of_key(&mut self, table: TableId, columns: &[ColumnId]) -> Result<Option<Conflict>> {
        let key = origin::key(self.model, table);
        self.check_unique(table, &key)?;
        Ok(Some(Conflict::on(key, self.merge(table, columns))))
    }

    fn is_same(&self, table: TableId, column: ColumnId, value: &Value, wanted: &Value) -> bool {
        let ty = &self.model.catalog[table][column].ty;
        !value.is_null() && types::compare::equal(ty, value, wanted)
    }

    /// The key that the filters name, which must be the whole primary key and nothing else.
    fn key_wanted(&self, table: TableId) -> Result<Vec<(ColumnId, Value)>> {
        let refuse = || {
            Error::new(
                Code::PUT_FILTERS,
                "Filters must include all and only primary key columns with 'eq' operators",
            )
        };
        let key = origin::key(self.model, table);
        let filters: Vec<&Filter> = self
            .request
            .filters
            .iter()
            .filter(|(path, _)| path.is_empty())
            .map(|(_, filter)| filter)
            .collect();
        let mut wanted: Vec<(ColumnId, Value)> = Vec::new();
        for filter in &filters {
            let column = self.model.catalog[table].column(&filter.field.name).map(|(id, _)| id);
            let column = column.filter(|column| key.contains(column)).ok_or_else(refuse)?;
            let text = equal_to(filter).ok_or_else(refuse)?;
            let Expr::Const { value, .. } =
                self.typing.literal(text, &self.model.catalog[table][column].ty)?
            else {
                return Err(refuse());
            };
            wanted.push((column, value));
        }
        let whole = key.iter().all(|column| wanted.iter().any(|(found, _)| found == column));
        if key.is_empty() || !whole || !self.request.logic.is_empty() { Err(refuse()) } else { Ok(wanted) }
    }
}

/// What tells that rows are duplicates.
enum Arbiter {
    Found,
    /// Only a constraint that is not tested at once.
    Deferrable,
    None,
}

/// The constraint or whole index of a table that is about exactly these columns.
fn arbiter(table: &Table, key: &[ColumnId]) -> Arbiter {
    let same = |columns: &[ColumnId]| {
        columns.iter().all(|column| key.contains(column)) && key.iter().all(|column| columns.contains(column))
    };
    let constraints = table.primary_key.iter().chain(&table.uniques);
    let constraints = constraints.map(|unique| (unique.columns.clone(), unique.deferrable));
    let indexes = table.indexes.iter().filter(|index| index.unique && index.predicate.is_none());
    let indexes = indexes.filter_map(|index| {
        let columns = index.keys.iter().map(|key| key.column).collect::<Option<Vec<ColumnId>>>()?;
        Some((columns, false))
    });
    let deferrable = constraints.chain(indexes).filter(|(columns, _)| same(columns)).map(|(_, late)| late);
    match deferrable.min() {
        Some(false) => Arbiter::Found,
        Some(true) => Arbiter::Deferrable,
        None => Arbiter::None,
    }
}

/// The value that a plain `eq` compares a column with.
fn equal_to(filter: &Filter) -> Option<&str> {
    match (&filter.test.value, filter.test.operator.meaning) {
        (Operands::One(value), Meaning::Operator("="))
            if !filter.test.negated && filter.field.path.is_empty() =>
        {
            Some(value)
        }
        _ => None,
    }
}
