//! Statements that change rows.

use catalog::{ColumnId, TableId};
use sql::ast::{self, Assignment, ConflictTarget, ExprKind, FromItem, QueryBody, Target};
use types::{Code, Error, Result};

use super::Resolver;
use super::scope::{Level, Relation};
use crate::ir::{
    Action, Assign, Conflict, ConflictAction, Expr, Insert, Read, RowValue, Source, SourceId, Subquery, Write,
};
use crate::visit;

impl Resolver<'_> {
    /// `insert`
    pub(super) fn insert(&mut self, insert: &ast::Insert) -> Result<Write> {
        self.with_before(insert.with.as_ref(), |resolver| resolver.insert_into(insert))
    }

    fn insert_into(&mut self, insert: &ast::Insert) -> Result<Write> {
        let table = self.changed_table(&insert.table)?;
        let columns = self.target_columns(table, &insert.columns)?;
        let (columns, rows, read) = self.rows(table, &columns, insert)?;
        let target = self.ids.fresh();
        let alias = insert.alias.as_deref();
        let conflict = insert
            .on_conflict
            .as_ref()
            .map(|conflict| self.conflict(table, target, alias, conflict))
            .transpose()?;
        let action =
            Action::Insert(Insert { columns, rows, read, overriding: insert.overriding_system, conflict });
        let returning = self.returning(table, alias, &insert.returning)?;
        Ok(Write { returning, ..Write::of(table, target, action) })
    }

    /// `refresh materialized view`: its rows go, and those of its query come.
    pub(super) fn refresh(&mut self, name: &ast::ObjectName, with_data: bool) -> Result<Write> {
        let table = self.table(name)?;
        let declared = &self.catalog[table];
        let catalog::TableKind::View { query, materialized: true, .. } = &declared.kind else {
            let message = format!("\"{}\" is not a materialized view", declared.name.name);
            return Err(Error::new(Code::FEATURE_NOT_SUPPORTED, message));
        };
        if !with_data {
            return Err(Error::missing("REFRESH MATERIALIZED VIEW … WITH NO DATA"));
        }
        let surroundings = self.apart();
        self.as_stored();
        let read = self.query(query);
        self.back(surroundings);
        let columns = declared.column_ids().collect();
        let target = self.ids.fresh();
        let insert =
            Insert { columns, rows: Vec::new(), read: Some(read?), overriding: false, conflict: None };
        Ok(Write { refreshes: true, ..Write::of(table, target, Action::Insert(insert)) })
    }

    /// `update`
    pub(super) fn update(&mut self, update: &ast::Update) -> Result<Write> {
        self.with_before(update.with.as_ref(), |resolver| resolver.update_of(update))
    }

    fn update_of(&mut self, update: &ast::Update) -> Result<Write> {
        refuse_current(update.current_of.as_ref())?;
        let table = self.changed_table(&update.table)?;
        self.refuse_only(table, update.only)?;
        let target = self.ids.fresh();
        let alias = update.alias.as_deref();
        self.levels.push(Level::default());
        let changed = self.beside((table, alias, target), &update.from).and_then(|beside| {
            let set = self.assignments(table, &update.set)?;
            let filter = update.filter.as_ref().map(|filter| self.boolean(filter, "WHERE")).transpose()?;
            Ok((beside, Action::Update { set, filter }))
        });
        let level = self.levels.pop();
        let (beside, action) = changed?;
        let write = Write { beside, ..Write::of(table, target, action) };
        self.returning_beside(write, alias, &update.returning, level)
    }

    /// `delete`
    pub(super) fn delete(&mut self, delete: &ast::Delete) -> Result<Write> {
        self.with_before(delete.with.as_ref(), |resolver| resolver.delete_of(delete))
    }

    fn delete_of(&mut self, delete: &ast::Delete) -> Result<Write> {
        refuse_current(delete.current_of.as_ref())?;
        let table = self.changed_table(&delete.table)?;
        self.refuse_only(table, delete.only)?;
        let target = self.ids.fresh();
        let alias = delete.alias.as_deref();
        self.levels.push(Level::default());
        let changed = self.beside((table, alias, target), &delete.using).and_then(|beside| {
            let filter = delete.filter.as_ref().map(|filter| self.boolean(filter, "WHERE")).transpose()?;
            Ok((beside, Action::Delete { filter }))
        });
        let level = self.levels.pop();
        let (beside, action) = changed?;
        let write = Write { beside, ..Write::of(table, target, action) };
        self.returning_beside(write, alias, &delete.returning, level)
    }

    /// What stands beside the rows of a table, which do not see each other.
    fn beside(
        &mut self,
        (table, alias, target): (TableId, Option<&str>, SourceId),
        items: &[FromItem],
    ) -> Result<Option<Source>> {
        let beside = if items.is_empty() { None } else { Some(self.from(items)?) };
        let relation = Relation::of_table(&self.catalog[table], alias, target);
        let Some(level) = self.levels.last_mut() else { return Err(Error::internal("no query is open")) };
        if level.relations.iter().any(|other| other.alias == relation.alias) {
            let message = format!("table name \"{}\" specified more than once", relation.alias);
            return Err(Error::new(Code::DUPLICATE_ALIAS, message));
        }
        level.relations.insert(0, relation);
        Ok(beside)
    }

    /// What a write returns: of its rows as they are then, and of what stands beside them.
    fn returning_beside(
        &mut self,
        write: Write,
        alias: Option<&str>,
        targets: &[Target],
        level: Option<Level>,
    ) -> Result<Write> {
        let (Some(beside), Some(mut level)) = (&write.beside, level) else {
            let returning = self.returning(write.table, alias, targets)?;
            return Ok(Write { returning, ..write });
        };
        if targets.is_empty() {
            return Ok(write);
        }
        let id = self.ids.fresh();
        if let Some(relation) = level.relations.first_mut() {
            *relation = Relation::of_table(&self.catalog[write.table], alias, id);
        }
        self.levels.push(level);
        let outputs = self.targets(targets);
        self.levels.pop();
        let returning = Read { outputs: outputs?, ..Read::from(Source::Written { id, table: write.table }) };
        let beside_returned = columns_of(beside, &returning);
        Ok(Write { returning: Some(returning), beside_returned, ..write })
    }

    /// A write after a `with`: each of its reads has its own copy of what it names.
    fn with_before(
        &mut self,
        with: Option<&ast::With>,
        inner: impl FnOnce(&mut Self) -> Result<Write>,
    ) -> Result<Write> {
        let Some(with) = with else { return inner(self) };
        let known = self.ctes.len();
        let defined = self.with(with);
        let outcome = defined.and_then(|defined| Ok((defined, inner(self)?)));
        self.ctes.truncate(known);
        let (defined, mut write) = outcome?;
        self.give(&mut write, &defined)?;
        Ok(write)
    }

    /// Gives each read of a write its own copy of the common table expressions that it names.
    pub(super) fn give(&mut self, write: &mut Write, defined: &[super::with::Defined]) -> Result<()> {
        if let Some(beside) = &mut write.beside {
            let resolver = &mut *self;
            visit::each_source_mut(beside, &mut |source| resolver.as_read(source));
        }
        let mut readers = vec![0_usize; defined.len()];
        visit::each_read_of_write_mut(write, &mut |read| {
            for (count, defined) in readers.iter_mut().zip(defined) {
                *count += usize::from(defined.is_named_in(read));
            }
            let whole = std::mem::replace(read, Read::from(Source::Unit));
            *read = self.placed(whole, defined.to_vec());
        });
        if readers.iter().zip(defined).any(|(count, defined)| *count > 1 && defined.says_something_else()) {
            return Err(Error::missing(
                "a WITH query that says something else each time, read in several places",
            ));
        }
        Ok(())
    }

    /// A common table expression as a read of its own.
    fn as_read(&mut self, source: &mut Source) {
        let Source::Cte { id, cte, columns } = source else { return };
        let inner = self.ids.fresh();
        let outputs = columns.iter().zip(0..).map(|((name, ty), at)| crate::ir::Output {
            name: name.clone(),
            expr: Expr::Column { source: inner, column: ColumnId(at), ty: ty.clone() },
        });
        let outputs = outputs.collect();
        let from = Source::Cte { id: inner, cte: *cte, columns: columns.clone() };
        *source = Source::Read { id: *id, read: Box::new(Read { outputs, ..Read::from(from) }), view: None };
    }

    fn target_columns(&self, table: TableId, names: &[String]) -> Result<Vec<ColumnId>> {
        let mut columns = Vec::new();
        for name in names {
            let column = self.target_column(table, name)?;
            if columns.contains(&column) {
                let message = format!("column \"{name}\" specified more than once");
                return Err(Error::new(Code::DUPLICATE_COLUMN, message));
            }
            columns.push(column);
        }
        Ok(columns)
    }

    fn target_column(&self, table: TableId, name: &str) -> Result<ColumnId> {
        let declared = &self.catalog[table];
        let message = || format!("column \"{name}\" of relation \"{}\" does not exist", declared.name.name);
        let found = declared.column(name).map(|(id, _)| id);
        found.ok_or_else(|| Error::new(Code::UNDEFINED_COLUMN, message()))
    }

    /// The rows to insert, with the columns that they name.
    #[expect(clippy::type_complexity, reason = "three parts of one insert")]
    fn rows(
        &mut self,
        table: TableId,
        named: &[ColumnId],
        insert: &ast::Insert,
    ) -> Result<(Vec<ColumnId>, Vec<Vec<RowValue>>, Option<Read>)> {
        let all: Vec<ColumnId> =
            if named.is_empty() { self.catalog[table].column_ids().collect() } else { named.to_vec() };
        let Some(source) = &insert.source else { return Ok((Vec::new(), vec![Vec::new()], None)) };
        let width = |found: usize| match found {
            found if found > all.len() => {
                Err(Error::new(Code::SYNTAX, "INSERT has more expressions than target columns"))
            }
            found if found < all.len() && !named.is_empty() => {
                Err(Error::new(Code::SYNTAX, "INSERT has more target columns than expressions"))
            }
            found => Ok(found),
        };
        if let QueryBody::Values(rows) = &source.body
            && source.with.is_none()
            && source.order_by.is_empty()
            && source.limit.is_none()
            && source.offset.is_none()
        {
            let rows = rows.iter().map(|row| self.without_stars(row)).collect::<Result<Vec<_>>>()?;
            let count = width(rows.first().map_or(0, Vec::len))?;
            if rows.iter().any(|row| row.len() != count) {
                return Err(Error::new(Code::SYNTAX, "VALUES lists must all be the same length"));
            }
            let columns = all[..count].to_vec();
            let rows = rows.iter().map(|row| self.row(table, &columns, row)).collect::<Result<_>>()?;
            return Ok((columns, rows, None));
        }
        self.unsettled = true;
        let mut read = self.query(source)?;
        let columns = all[..width(read.outputs.len())?].to_vec();
        for (output, column) in read.outputs.iter_mut().zip(&columns) {
            output.expr = self.assigned(output.expr.clone(), &self.catalog[table], *column)?;
        }
        Ok((columns, Vec::new(), Some(read)))
    }

    fn row(&mut self, table: TableId, columns: &[ColumnId], row: &[ast::Expr]) -> Result<Vec<RowValue>> {
        self.levels.push(Level::default());
        let values = columns.iter().zip(row).map(|(column, expr)| {
            if matches!(*expr.kind, ExprKind::Default) {
                return Ok(RowValue::Default);
            }
            let resolved = self.expr(expr)?;
            Ok(match self.assigned(resolved, &self.catalog[table], *column)? {
                Expr::Const { value, .. } => RowValue::Value(value),
                expr => RowValue::Expr(expr),
            })
        });
        let values = values.collect();
        self.levels.pop();
        values
    }

    fn assignments(&mut self, table: TableId, set: &[Assignment]) -> Result<Vec<(ColumnId, Assign)>> {
        let mut found: Vec<(ColumnId, Assign)> = Vec::new();
        for assignment in set {
            let columns = self.target_columns(table, &assignment.columns)?;
            if let ([column], false) = (&columns[..], assignment.parts.is_empty()) {
                self.part(*column, assignment, &mut found)?;
                continue;
            }
            let values: Vec<&ast::Expr> = match (&*assignment.value.kind, columns.len()) {
                (_, 1) => vec![&assignment.value],
                (ExprKind::Row(fields), count) if fields.len() == count => fields.iter().collect(),
                (ExprKind::Row(_), _) => {
                    return Err(Error::new(
                        Code::SYNTAX,
                        "number of columns does not match number of values",
                    ));
                }
                (ExprKind::Subquery(query), _) => {
                    found.extend(self.of_subquery(table, &columns, query)?);
                    Vec::new()
                }
                _ => {
                    let message =
                        "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression";
                    return Err(Error::new(Code::FEATURE_NOT_SUPPORTED, message));
                }
            };
            for (column, value) in columns.into_iter().zip(values) {
                if found.iter().any(|(other, _)| *other == column) {
                    let name = &self.catalog[table][column].name;
                    let message = format!("multiple assignments to same column \"{name}\"");
                    return Err(Error::new(Code::SYNTAX, message));
                }
                found.push((column, self.assignment(table, column, value)?));
            }
        }
        Ok(found)
    }

    /// `set column[key] = …`: of several parts of a column each is of what the others made.
    fn part(
        &mut self,
        column: ColumnId,
        assignment: &Assignment,
        found: &mut Vec<(ColumnId, Assign)>,
    ) -> Result<()> {
        let name = assignment.columns.first().map_or("", String::as_str);
        if matches!(*assignment.value.kind, ExprKind::Default) {
            let message = "cannot set an array element to DEFAULT";
            return Err(Error::new(Code::FEATURE_NOT_SUPPORTED, message));
        }
        let known = found.iter().position(|(other, _)| *other == column);
        let whole = match known.and_then(|at| found.get(at)) {
            Some((_, Assign::Expr(whole))) if is_of_parts(whole) => whole.clone(),
            Some(_) => {
                let message = format!("multiple assignments to same column \"{name}\"");
                return Err(Error::new(Code::SYNTAX, message));
            }
            None => {
                let target = self.levels.last().and_then(|level| level.relations.first());
                let own = target.map(|target| target.find(name)).transpose()?.flatten();
                own.cloned().ok_or_else(|| Error::internal("a column that is not among its table's"))?
            }
        };
        let value = self.expr(&assignment.value)?;
        self.refuse_aggregate(&value, "UPDATE")?;
        let whole = Assign::Expr(self.with_part(whole, name, &assignment.parts, value)?);
        match known {
            Some(at) => found[at].1 = whole,
            None => found.push((column, whole)),
        }
        Ok(())
    }

    /// The columns of a subquery's row, which is asked for each of them.
    fn of_subquery(
        &mut self,
        table: TableId,
        columns: &[ColumnId],
        query: &ast::Query,
    ) -> Result<Vec<(ColumnId, Assign)>> {
        let mut set = Vec::with_capacity(columns.len());
        for (at, column) in columns.iter().enumerate() {
            let read = self.query(query)?;
            if read.outputs.len() != columns.len() {
                return Err(Error::new(Code::SYNTAX, "number of columns does not match number of values"));
            }
            let mut read = self.around(read);
            read.outputs = read.outputs.drain(at..=at).collect();
            let value = Expr::Subquery(Box::new(Subquery::Scalar(read)));
            set.push((*column, Assign::Expr(self.assigned(value, &self.catalog[table], *column)?)));
        }
        Ok(set)
    }

    fn assignment(&mut self, table: TableId, column: ColumnId, value: &ast::Expr) -> Result<Assign> {
        if matches!(*value.kind, ExprKind::Default) {
            return Ok(Assign::Default);
        }
        let resolved = self.expr(value)?;
        self.refuse_aggregate(&resolved, "UPDATE")?;
        self.assigned(resolved, &self.catalog[table], column).map(Assign::Expr)
    }

    fn conflict(
        &mut self,
        table: TableId,
        target: SourceId,
        alias: Option<&str>,
        conflict: &ast::OnConflict,
    ) -> Result<Conflict> {
        let mut on = Conflict::on(Vec::new(), ConflictAction::Nothing);
        match &conflict.target {
            None => {}
            Some(ConflictTarget::Constraint(name)) => {
                on.columns = self.constraint_columns(table, name)?;
                on.constraint = Some(name.as_str().into());
            }
            Some(ConflictTarget::Columns(keys, predicate)) => {
                self.levels.push(Level::of(Relation::of_table(&self.catalog[table], alias, target)));
                let outcome = self.arbiter(keys, predicate.as_ref(), &mut on);
                self.levels.pop();
                outcome?;
            }
        }
        let Some(update) = &conflict.update else {
            return Ok(on);
        };
        if !on.names_key() {
            let message = "ON CONFLICT DO UPDATE requires inference specification or constraint name";
            return Err(Error::new(Code::SYNTAX, message));
        }
        let excluded = self.ids.fresh();
        let declared = &self.catalog[table];
        let mut level = Level::of(Relation::of_table(declared, alias, target));
        level.relations.push(Relation::of_table(declared, Some("excluded"), excluded));
        self.levels.push(level);
        let set = self.assignments(table, &update.set);
        let filter = update.filter.as_ref().map(|filter| self.boolean(filter, "WHERE")).transpose();
        self.levels.pop();
        let action = ConflictAction::Update { excluded, set: set?, filter: filter? };
        Ok(Conflict { action, ..on })
    }

    /// What says which unique key decides.
    fn arbiter(
        &mut self,
        keys: &[ast::Expr],
        predicate: Option<&ast::Expr>,
        on: &mut Conflict,
    ) -> Result<()> {
        for key in keys {
            let resolved = self.expr(key)?;
            match self.settled(resolved)? {
                Expr::Column { column, .. } => on.columns.push(column),
                expr => on.computed.push(expr),
            }
        }
        on.predicate = predicate.map(|predicate| self.boolean(predicate, "WHERE")).transpose()?;
        Ok(())
    }

    fn constraint_columns(&self, table: TableId, name: &str) -> Result<Vec<ColumnId>> {
        let declared = &self.catalog[table];
        let keys = declared.primary_key.iter().chain(&declared.uniques);
        let found = keys.into_iter().find(|key| *key.name == *name).map(|key| key.columns.clone());
        let excludes = |index: &catalog::Index| index.is_exclusion() && *index.name == *name;
        let found = found.or_else(|| declared.indexes.iter().any(excludes).then(Vec::new));
        found.ok_or_else(|| {
            let message =
                format!("constraint \"{name}\" for table \"{}\" does not exist", declared.name.name);
            Error::new(Code::UNDEFINED_OBJECT, message)
        })
    }

    fn returning(&mut self, table: TableId, alias: Option<&str>, targets: &[Target]) -> Result<Option<Read>> {
        if targets.is_empty() {
            return Ok(None);
        }
        let id = self.ids.fresh();
        self.levels.push(Level::of(Relation::of_table(&self.catalog[table], alias, id)));
        let outputs = self.targets(targets);
        self.levels.pop();
        Ok(Some(Read { outputs: outputs?, ..Read::from(Source::Written { id, table }) }))
    }
}

/// Where cursors are, a statement says by its keys which row is meant.
fn refuse_current(cursor: Option<&String>) -> Result<()> {
    match cursor {
        None => Ok(()),
        Some(_) => Err(Error::missing("WHERE CURRENT OF anywhere but in a statement of a function")),
    }
}

/// Whether a value is a column's with another part.
fn is_of_parts(value: &Expr) -> bool {
    matches!(value, Expr::Apply { function, .. } if function.name == crate::functions::json_part::NAME)
}

/// The columns of a source that a read names, each once.
fn columns_of(source: &Source, read: &Read) -> Vec<Expr> {
    let mut ids = Vec::new();
    visit::each_source(source, &mut |leaf| ids.extend(visit::id_of(leaf)));
    let mut found: Vec<Expr> = Vec::new();
    visit::deep_read(read, &mut |expr| {
        if let Expr::Column { source, column, .. } = expr
            && ids.contains(source)
            && !found.iter().any(|known| known.is_column(*source, *column))
        {
            found.push(expr.clone());
        }
    });
    found
}
