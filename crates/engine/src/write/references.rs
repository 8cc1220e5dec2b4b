//! Which foreign key a write violates: engines only say that one is.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use catalog::{ColumnId, ForeignKey, ReferentialAction, Table, TableId};
use query::triggers::{self, Operation};
use query::{Expr, Form, Guard, Model, Output, Read, Source, SourceId, Subquery, Write};
use types::{Code, Error, Named, Type, Value};

use super::StoredRow;
use super::actions::WHO;
use super::afterwards::{Due, versions};
use super::together::Stored;
use crate::in_force::Deferred;
use crate::work::{Bound, Work};

/// The source of the questions asked here.
const ASKED: SourceId = SourceId(1);

/// What is asked for beside it.
const BESIDE: SourceId = SourceId(2);

/// A key that is to be looked at because of what happened to a row.
pub(super) struct TouchedKey {
    /// How the name of the trigger begins by which PostgreSQL does it: its triggers and ours go by their names.
    pub(super) trigger: &'static str,
    pub(super) due: Due,
}

impl Work<'_> {
    /// The first foreign key of a stored row that references nothing.
    pub(super) async fn missing_reference(&mut self, write: &Write, row: &[Value]) -> Option<Error> {
        let model = self.served.model.clone();
        let table = &model.catalog[write.table];
        for key in table.foreign_keys.iter().filter(|key| !key.deferrable) {
            let values: Vec<Value> =
                key.columns.iter().map(|column| row[usize::from(column.0)].clone()).collect();
            if values.iter().any(Value::is_null) {
                continue;
            }
            let (target, _) = model.catalog.table(&key.target)?;
            if !self.has_row(target, &key.target_columns, &values).await.unwrap_or(true) {
                let relation = self.relation_of(write.table, row).await.unwrap_or(write.table);
                return Some(self.missing(relation, key, row));
            }
        }
        None
    }

    fn missing(&self, table: TableId, key: &ForeignKey, row: &[Value]) -> Error {
        let declared = &self.served.model.catalog[table];
        let message = format!(
            "insert or update on table \"{}\" violates foreign key constraint \"{}\"",
            declared.name.name, key.name
        );
        let target = &key.target.name;
        let detail = if self.sight(table).columns(&key.columns) {
            let key = self.key_text(declared, &key.columns, row);
            format!("Key {key} is not present in table \"{target}\".")
        } else {
            format!("Key is not present in table \"{target}\".")
        };
        refused(message, declared, &key.name).with_details(detail)
    }

    /// Refuses to remove rows that PostgreSQL refuses to remove on the way, where engines look at the end: something that refers to
    /// them may be gone then itself.
    pub(super) async fn kept_on_the_way(&mut self, table: TableId, rows: &[StoredRow]) -> types::Result<()> {
        if self.do_keys_rest(table) || !may_keep(&self.served.model, table) {
            return Ok(());
        }
        self.refusal_on_the_way(table, rows).await?.map_or(Ok(()), Err)
    }

    /// Why rows are not removed: PostgreSQL asks the keys to each row in the order of their age, and the keys to what goes with it
    /// when all before were asked. None of them is deferrable: what such keys are asked of fires.
    pub(super) async fn refusal_on_the_way(
        &mut self,
        table: TableId,
        rows: &[StoredRow],
    ) -> types::Result<Option<Error>> {
        let model = self.served.model.clone();
        let mut gone: BTreeSet<(TableId, i64)> = rows.iter().map(|row| (table, row.key)).collect();
        let mut let_go: BTreeSet<(TableId, i64, Arc<str>)> = BTreeSet::new();
        let mut open: VecDeque<(TableId, Vec<Value>)> =
            rows.iter().map(|row| (table, row.values.clone())).collect();
        let mut held = self.in_force.account.hold_of(WHO);
        while let Some((at, row)) = open.pop_front() {
            let target = &model.catalog[at];
            for (from, key) in triggers::references_to(&model, at) {
                let columns = columns_of(target, key);
                let values: Vec<Value> =
                    columns.iter().map(|column| row[usize::from(column.0)].clone()).collect();
                if values.iter().any(Value::is_null) {
                    continue;
                }
                let mut found = self.referencing(from, key, &values).await?;
                found.retain(|row| {
                    !gone.contains(&(from, row.key)) && !let_go.contains(&(from, row.key, key.name.clone()))
                });
                match key.on_delete {
                    ReferentialAction::Restrict | ReferentialAction::NoAction => {
                        if !found.is_empty() {
                            let from = &model.catalog[from];
                            return Ok(Some(self.still_referenced(at, &columns, &row, key, from).await));
                        }
                    }
                    ReferentialAction::Cascade => {
                        let leads_on = triggers::references_to(&model, from).next().is_some();
                        for row in found {
                            held.row(if leads_on { &row.values } else { &[] })?;
                            gone.insert((from, row.key));
                            open.extend(leads_on.then_some((from, row.values)));
                        }
                    }
                    ReferentialAction::SetNull(_) | ReferentialAction::SetDefault(_) => {
                        for row in found {
                            held.row(&[])?;
                            let_go.insert((from, row.key, key.name.clone()));
                        }
                    }
                }
            }
        }
        Ok(None)
    }

    /// The foreign keys that do something, or are to be looked at, because of what happened to a row, where that is ours and not the
    /// engine's.
    pub(super) fn references_touched(
        &self,
        table: TableId,
        operation: &Operation,
        row: &Stored,
    ) -> Vec<TouchedKey> {
        let (old, new) = versions(operation, row);
        let model = &self.served.model;
        let declared = &model.catalog[table];
        let of = |row: Option<&[Value]>, columns: &[ColumnId]| -> Option<Vec<Value>> {
            let values: Vec<Value> =
                columns.iter().map(|at| row?.get(usize::from(at.0)).cloned()).collect::<Option<_>>()?;
            (!values.iter().any(Value::is_null)).then_some(values)
        };
        let is_kept = |columns: &[ColumnId]| match (old, new) {
            (Some(old), Some(new)) => columns.iter().all(|column| {
                let at = usize::from(column.0);
                super::is_same(&declared[*column].ty, &old[at], &new[at])
            }),
            _ => false,
        };
        let mut touched = Vec::new();
        if self.do_keys_rest(table) {
            return touched;
        }
        for (key, foreign) in declared.foreign_keys.iter().enumerate() {
            // What was to be looked at of a row that the same transaction made is not there any more.
            let is_looked_at = row.was_own || !is_kept(&foreign.columns);
            if of(new, &foreign.columns).is_some() && is_looked_at {
                let what = Deferred::Reference { from: table, key, at: row.key, row: row.new.clone() };
                let due = Due::Key { what, may_wait: true };
                touched.push(TouchedKey { trigger: "RI_ConstraintTrigger_c", due });
            }
        }
        if *operation == Operation::Insert {
            return touched;
        }
        for (from, foreign) in triggers::references_to(model, table) {
            let columns = columns_of(declared, foreign);
            let key = model.catalog[from].foreign_keys.iter().position(|key| key.name == foreign.name);
            let values = of(old, &columns).filter(|_| !is_kept(&columns));
            let (Some(key), Some(values)) = (key, values) else { continue };
            let action =
                if *operation == Operation::Delete { &foreign.on_delete } else { &foreign.on_update };
            let restricts = *action == ReferentialAction::Restrict;
            let due = match acts(action) {
                true => Due::Action((from, key)),
                false => {
                    let what = Deferred::Left { from, key, values, restricts };
                    Due::Key { what, may_wait: !restricts }
                }
            };
            touched.push(TouchedKey { trigger: "RI_ConstraintTrigger_a", due });
        }
        touched
    }

    /// Refuses a row that refers to nothing, if it is there as it was stored: what it has become is looked at anew.
    pub(super) async fn look_at_reference(
        &mut self,
        (from, key): (TableId, usize),
        (at, row): (i64, &[Value]),
    ) -> types::Result<()> {
        let model = self.served.model.clone();
        let declared = &model.catalog[from];
        let Some(key) = declared.foreign_keys.get(key) else { return Ok(()) };
        let Some((target, _)) = model.catalog.table(&key.target) else { return Ok(()) };
        let values: Vec<Value> =
            key.columns.iter().map(|column| row[usize::from(column.0)].clone()).collect();
        if self.has_row(target, &key.target_columns, &values).await? {
            return Ok(());
        }
        let Some(found) = self.row_at(from, at).await? else { return Ok(()) };
        let mut pairs = found.iter().zip(row).zip(&declared.columns);
        match pairs.all(|((found, row), column)| super::is_same(&column.ty, found, row)) {
            true => Err(self.missing(from, key, row)),
            false => Ok(()),
        }
    }

    /// Refuses a row to have gone or changed that is referenced as it was, unless another one is like that and may be.
    pub(super) async fn look_for_left(
        &mut self,
        (from, key): (TableId, usize),
        values: &[Value],
        restricts: bool,
    ) -> types::Result<()> {
        let model = self.served.model.clone();
        let referencing = &model.catalog[from];
        let Some(key) = referencing.foreign_keys.get(key) else { return Ok(()) };
        let Some((target, referenced)) = model.catalog.table(&key.target) else { return Ok(()) };
        if !self.has_row(from, &names_of(referencing, key), values).await?
            || !restricts && self.has_row(target, &key.target_columns, values).await?
        {
            return Ok(());
        }
        let columns = columns_of(referenced, key);
        let mut row = vec![Value::Null; referenced.columns.len()];
        columns.iter().zip(values).for_each(|(at, value)| row[usize::from(at.0)] = value.clone());
        Err(self.still_referenced(target, &columns, &row, key, referencing).await)
    }

    /// The error of a row that went or changed and is referenced as it was. Nothing when another row is like that.
    pub(super) async fn left_behind(&mut self, table: TableId, row: &[Value]) -> Option<Error> {
        let model = self.served.model.clone();
        let target = &model.catalog[table];
        for (id, key) in triggers::references_to(&model, table).filter(|(_, key)| !key.deferrable) {
            let columns = columns_of(target, key);
            let values: Vec<Value> =
                columns.iter().map(|column| row[usize::from(column.0)].clone()).collect();
            if values.iter().any(Value::is_null)
                || self.has_row(table, &key.target_columns, &values).await.unwrap_or(true)
            {
                continue;
            }
            let names = names_of(&model.catalog[id], key);
            if self.has_row(id, &names, &values).await.unwrap_or(false) {
                return Some(self.still_referenced(table, &columns, row, key, &model.catalog[id]).await);
            }
        }
        None
    }

    /// The error of the first reference of the database whose row is gone: what is left when a deletion went on to other tables.
    pub(super) async fn dangling(&mut self) -> Option<Error> {
        let all = self.served.model.catalog.ids().collect();
        self.dangling_among(&all).await
    }

    /// The same of references to tables to which foreign keys carry a change of a table.
    pub(super) async fn dangling_beyond(&mut self, table: TableId) -> Option<Error> {
        let model = self.served.model.clone();
        let (mut reached, mut open) = (BTreeSet::new(), vec![table]);
        while let Some(table) = open.pop() {
            let update = Operation::Update(model.catalog[table].column_ids().collect());
            for operation in [Operation::Delete, update] {
                let carried = triggers::carried(&model, table, &operation);
                open.extend(carried.map(|(from, ..)| from).filter(|from| reached.insert(*from)));
            }
        }
        self.dangling_among(&reached).await
    }

    async fn dangling_among(&mut self, targets: &BTreeSet<TableId>) -> Option<Error> {
        let model = self.served.model.clone();
        for id in model.catalog.ids() {
            let from = &model.catalog[id];
            for key in from.foreign_keys.iter().filter(|key| !key.deferrable) {
                let Some((target, declared)) = model.catalog.table(&key.target) else { continue };
                if !targets.contains(&target) {
                    continue;
                }
                let columns = columns_of(declared, key);
                let Some(values) = self.widowed(id, target, key).await else { continue };
                let mut row = vec![Value::Null; declared.columns.len()];
                for (column, value) in columns.iter().zip(values) {
                    row[usize::from(column.0)] = value;
                }
                return Some(self.still_referenced(target, &columns, &row, key, from).await);
            }
        }
        None
    }

    /// The values of a key that reference no row.
    async fn widowed(&mut self, id: TableId, target: TableId, key: &ForeignKey) -> Option<Vec<Value>> {
        let model = self.served.model.clone();
        let (from, to) = (&model.catalog[id], &model.catalog[target]);
        let column = |source, table: &Table, column: ColumnId| Expr::Column {
            source,
            column,
            ty: table[column].ty.clone(),
        };
        let own: Vec<Expr> = key.columns.iter().map(|at| column(ASKED, from, *at)).collect();
        let pairs = own.iter().cloned().zip(columns_of(to, key));
        let mut referenced = Read::from(Source::Table { id: BESIDE, table: target, guard: Guard::Open });
        referenced.filter = Expr::all(pairs.map(|(own, at)| column(BESIDE, to, at).equals(own)));
        let not = |expr: Expr| Expr::test(Form::Not, vec![expr]);
        let given = own.iter().map(|own| not(Expr::test(Form::IsNull, vec![own.clone()])));
        let gone = not(Expr::Subquery(Box::new(Subquery::Exists(referenced))));
        let mut read = Read::from(Source::Table { id: ASKED, table: id, guard: Guard::Open });
        read.filter = Expr::all(given.chain([gone]));
        read.limit = Some(Expr::Const { value: Value::Int(1), ty: Type::Int8 });
        read.outputs = own.into_iter().map(|expr| Output { name: "value".into(), expr }).collect();
        self.rows(&read, Bound::default()).await.ok()?.into_iter().next()
    }

    async fn still_referenced(
        &mut self,
        table: TableId,
        columns: &[ColumnId],
        row: &[Value],
        key: &ForeignKey,
        from: &Table,
    ) -> Error {
        let table = self.relation_of(table, row).await.unwrap_or(table);
        let target = &self.served.model.catalog[table];
        let declared = from;
        let called = key.name_for(&target.name);
        let (name, from) = (&target.name.name, &from.name.name);
        let message = format!(
            "update or delete on table \"{name}\" violates foreign key constraint \"{called}\" on table \"{from}\""
        );
        let shown = if self.sight(table).columns(columns) {
            format!("Key {}", self.key_text(target, columns, row))
        } else {
            "Key".to_owned()
        };
        let detail = format!("{shown} is still referenced from table \"{from}\".");
        refused(message, declared, called).with_details(detail)
    }

    /// Whether a table has a row with these values.
    pub(super) async fn has_row(
        &mut self,
        table: TableId,
        columns: &[Arc<str>],
        values: &[Value],
    ) -> types::Result<bool> {
        let declared = &self.served.model.catalog[table];
        let mut equal = Vec::new();
        for (name, value) in columns.iter().zip(values) {
            let Some((column, of)) = declared.column(name) else { return Ok(false) };
            let value = Expr::Const { value: value.clone(), ty: of.ty.clone() };
            equal.push(Expr::Column { source: ASKED, column, ty: of.ty.clone() }.equals(value));
        }
        let mut rows = Read::from(Source::Table { id: ASKED, table, guard: Guard::Open });
        rows.filter = Expr::all(equal);
        let exists = Expr::Subquery(Box::new(Subquery::Exists(rows)));
        let outputs = vec![Output { name: "exists".into(), expr: exists }];
        let read = Read { outputs, ..Read::from(Source::Unit) };
        let found = self.rows(&read, Bound::default()).await?;
        Ok(matches!(found.first().and_then(|row| row.first()), Some(Value::Bool(true))))
    }
}

/// Whether keys may keep rows on the way although their own rows go, or are changed, because of the same deletion.
fn may_keep(model: &Model, table: TableId) -> bool {
    let (mut reached, mut open) = (BTreeSet::from([table]), vec![table]);
    let mut touched = BTreeSet::new();
    while let Some(at) = open.pop() {
        for (from, key) in triggers::references_to(model, at).filter(|(_, key)| acts(&key.on_delete)) {
            touched.insert(from);
            if key.on_delete == ReferentialAction::Cascade && reached.insert(from) {
                open.push(from);
            }
        }
    }
    let mut keys = reached.iter().flat_map(|at| triggers::references_to(model, *at));
    keys.any(|(from, key)| !acts(&key.on_delete) && touched.contains(&from))
}

/// Whether a foreign key does something to rows, instead of keeping what they refer to.
pub(super) fn acts(action: &ReferentialAction) -> bool {
    !matches!(action, ReferentialAction::NoAction | ReferentialAction::Restrict)
}

/// The columns that a key references.
pub(super) fn columns_of(target: &Table, key: &ForeignKey) -> Vec<ColumnId> {
    key.target_columns.iter().filter_map(|name| target.column(name)).map(|(column, _)| column).collect()
}

/// The columns of a key.
fn names_of(from: &Table, key: &ForeignKey) -> Vec<Arc<str>> {
    key.columns.iter().map(|column| from[*column].name.clone()).collect()
}

/// What a foreign key of a table refuses.
fn refused(message: String, from: &Table, name: &str) -> Error {
    let error = super::violations::about(Error::new(Code::FOREIGN_KEY_VIOLATION, message), from);
    error.naming(Named::Constraint, name)
}
