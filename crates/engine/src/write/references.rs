//! Which foreign key a write violates: engines only say that one is.

use catalog::{ColumnId, ForeignKey, ReferentialAction, Table, TableId};
use query::{Expr, Guard, Output, Read, Source, SourceId, Subquery, Write};
use types::compare::compare;
use types::{Code, Error, Type, Value};

use crate::contract::Failure;
use crate::work::{Bound, Work};

/// What happens to rows that others may reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// They go.
    Delete,
    /// Their keys change.
    Update,
}

/// The only source of the questions asked here.
const ASKED: SourceId = SourceId(1);

impl Work<'_> {
    /// The first foreign key of a row that references nothing, unless one of `rows` is what it references.
    pub(super) async fn missing_reference(
        &mut self,
        write: &Write,
        row: &[Value],
        rows: &[Vec<Value>],
    ) -> Option<Error> {
        let model = self.served.model.clone();
        let table = &model.catalog[write.table];
        for key in &table.foreign_keys {
            let values: Vec<Value> =
                key.columns.iter().map(|column| row[usize::from(column.0)].clone()).collect();
            if values.iter().any(Value::is_null) {
                continue;
            }
            let (target, _) = model.catalog.table(&key.target)?;
            if self.has_row(target, &key.target_columns, &values).await.unwrap_or(true) {
                continue;
            }
            if target == write.table && is_among(table, key, &values, rows) {
                continue;
            }
            return Some(self.missing(write.table, key, row));
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
        Error::new(Code::FOREIGN_KEY_VIOLATION, message).with_details(detail)
    }

    /// Refuses to remove rows that others reference by a key that restricts. PostgreSQL looks before cascades go further than
    /// one table, engines may look after.
    pub(super) async fn restricted(&mut self, table: TableId, rows: &[&[Value]]) -> types::Result<()> {
        let restricts = |key: &ForeignKey| key.on_delete == ReferentialAction::Restrict;
        match self.reference_to(table, rows, restricts).await {
            // Rows of the table itself may go in the same statement: the engine looks at its end.
            Some((from, error)) if from != table => Err(error),
            _ => Ok(()),
        }
    }

    /// The error of rows that cannot go or change because others reference them.
    pub(super) async fn referenced(
        &mut self,
        table: TableId,
        rows: &[&[Value]],
        change: Change,
        failure: Failure,
    ) -> Error {
        if !matches!(failure, Failure::ForeignKey) {
            return failure.into();
        }
        let refuses = |key: &ForeignKey| {
            let action = match change {
                Change::Delete => &key.on_delete,
                Change::Update => &key.on_update,
            };
            matches!(action, ReferentialAction::NoAction | ReferentialAction::Restrict)
        };
        let found = self.reference_to(table, rows, refuses).await;
        found.map_or_else(|| failure.into(), |(_, error)| error)
    }

    /// The first foreign key, of those wanted, by which a row of some table references one of these rows.
    async fn reference_to(
        &mut self,
        table: TableId,
        rows: &[&[Value]],
        wanted: impl Fn(&ForeignKey) -> bool,
    ) -> Option<(TableId, Error)> {
        let model = self.served.model.clone();
        let target = &model.catalog[table];
        for id in model.catalog.ids() {
            let from = &model.catalog[id];
            for key in from.foreign_keys.iter().filter(|key| key.target == target.name && wanted(key)) {
                let names: Vec<_> = key.columns.iter().map(|column| from[*column].name.clone()).collect();
                let of_target = key.target_columns.iter().filter_map(|name| target.column(name));
                let columns: Vec<ColumnId> = of_target.map(|(column, _)| column).collect();
                for row in rows {
                    let values: Vec<Value> =
                        columns.iter().map(|column| row[usize::from(column.0)].clone()).collect();
                    if self.has_row(id, &names, &values).await.unwrap_or(false) {
                        return Some((id, self.still_referenced(table, &columns, row, key, from)));
                    }
                }
            }
        }
        None
    }

    fn still_referenced(
        &self,
        table: TableId,
        columns: &[ColumnId],
        row: &[Value],
        key: &ForeignKey,
        from: &Table,
    ) -> Error {
        let target = &self.served.model.catalog[table];
        let (name, from) = (&target.name.name, &from.name.name);
        let message = format!(
            "update or delete on table \"{name}\" violates foreign key constraint \"{}\" on table \"{from}\"",
            key.name
        );
        let shown = if self.sight(table).columns(columns) {
            format!("Key {}", self.key_text(target, columns, row))
        } else {
            "Key".to_owned()
        };
        let detail = format!("{shown} is still referenced from table \"{from}\".");
        Error::new(Code::FOREIGN_KEY_VIOLATION, message).with_details(detail)
    }

    /// Whether a table has a row with these values.
    async fn has_row(
        &mut self,
        table: TableId,
        columns: &[std::sync::Arc<str>],
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

/// Whether one of the rows is what a key of the same table references.
fn is_among(table: &Table, key: &ForeignKey, values: &[Value], rows: &[Vec<Value>]) -> bool {
    let columns: Vec<(usize, Type)> = key
        .target_columns
        .iter()
        .filter_map(|name| table.column(name))
        .map(|(id, column)| (usize::from(id.0), column.ty.clone()))
        .collect();
    rows.iter().any(|row| {
        columns.iter().zip(values).all(|((position, ty), value)| {
            let there = &row[*position];
            !there.is_null() && compare(ty, there, value).is_eq()
        })
    })
}
