//! What a write returns of the rows that it has touched.

use std::collections::BTreeMap;

use catalog::{Table, TableId};
use query::{Expr, Presentation, Read, Source, SourceId, Write, visit};
use types::{Error, Result, Type, Value};

use super::{StoredRow, Task, Touched};
use crate::as_it_was::{key_column, name_key};
use crate::contract::Sink;
use crate::work::{Bound, Work};

impl Work<'_> {
    /// Reads what is asked of the rows that a write has touched.
    pub(super) async fn returning(&mut self, task: Task<'_>, touched: &Touched) -> Result<()> {
        if !task.write.beside_returned.is_empty() {
            return self.returning_beside(task, touched).await;
        }
        let Task { write, parameters, position, sink } = task;
        let bound = Bound { parameters, written: &touched.keys, given: &[] };
        for (read, position) in [(&write.returning, position), (&write.counted, position + 1)] {
            let Some(read) = read else { continue };
            self.returned(read, bound, (position, &mut *sink)).await?;
        }
        Ok(())
    }

    /// The same of what names what stood beside each row: rows of what it was then.
    async fn returning_beside(
        &mut self,
        Task { write, parameters, position, sink }: Task<'_>,
        touched: &Touched,
    ) -> Result<()> {
        let read = with_beside(write, touched)?;
        let bound = Bound { parameters, written: &touched.keys, given: &[] };
        self.returned(&read, bound, (position, sink)).await
    }

    /// The same of rows that are gone, as they were.
    pub(super) async fn returning_gone(&mut self, task: Task<'_>, gone: &[StoredRow]) -> Result<()> {
        let Task { write, parameters, position, sink } = task;
        for (read, position) in [(&write.returning, position), (&write.counted, position + 1)] {
            let Some(read) = read else { continue };
            let mut read = match write.beside_returned[..] {
                [] => read.clone(),
                [..] => with_beside(write, &Touched::of_gone(gone.iter()))?,
            };
            put_gone(&mut read, &self.served.model.catalog[write.table], (write.table, gone));
            let bound = Bound { parameters, ..Bound::default() };
            self.returned(&read, bound, (position, &mut *sink)).await?;
        }
        Ok(())
    }

    /// Reads it, of tables as they were before the write.
    async fn returned(&mut self, read: &Read, bound: Bound<'_>, place: (usize, &mut dyn Sink)) -> Result<()> {
        let seen = self.look_back();
        let outcome = self.read(read, &Presentation::Rows, bound, place).await.map(drop);
        self.in_force.history.look(seen);
        outcome
    }
}

/// What a write returns, with what stood beside its rows.
fn with_beside(write: &Write, Touched { keys, beside, .. }: &Touched) -> Result<Read> {
    let (Some(read), None) = (&write.returning, &write.counted) else {
        return Err(Error::missing("counting rows with columns of what stands beside them"));
    };
    let mut read = read.clone();
    let of_row = |(key, values): (&i64, &Vec<Value>)| {
        std::iter::once(Value::Int(*key)).chain(values.iter().cloned()).collect::<Vec<_>>()
    };
    let rows = keys.iter().zip(beside).map(of_row).collect();
    let id = query::SourceIds::above(&read).fresh();
    match put_beside(&mut read, &write.beside_returned, (id, rows)) {
        true => Ok(read),
        false => Err(Error::missing("RETURNING columns of what stands beside the rows of a view")),
    }
}

/// Puts rows that are gone in the place of written ones, their keys behind their columns.
fn put_gone(read: &mut Read, declared: &Table, (table, gone): (TableId, &[StoredRow])) {
    let types: Vec<Type> =
        declared.columns.iter().map(|column| column.ty.clone()).chain([Type::Int8]).collect();
    let row = |row: &StoredRow| row.values.iter().cloned().chain([Value::Int(row.key)]).collect();
    let mut keys = BTreeMap::new();
    visit::deep_sources_mut(read, &mut |source| {
        if let Source::Written { id, table: of } = source
            && *of == table
        {
            keys.insert(*id, key_column(declared));
            *source = Source::of_rows(*id, gone.iter().map(row).collect(), &types);
        }
    });
    visit::deep_read_mut(read, &mut |expr| name_key(expr, &keys));
}

/// Puts rows of keys and columns beside the written rows that a read is of, and their columns in the place of those that they were
/// read of. Whether it could: both must be named by one read.
fn put_beside(read: &mut Read, columns: &[Expr], (id, rows): (SourceId, Vec<Vec<Value>>)) -> bool {
    let types: Vec<Type> = std::iter::once(Type::Int8).chain(columns.iter().map(Expr::ty)).collect();
    let mut is_named = false;
    visit::own_expressions(read, &mut |expr| {
        visit::deep(expr, &mut |expr| {
            is_named |= columns.iter().any(|known| is_same_column(known, expr));
        });
    });
    let written = match &read.from {
        Source::Written { id, .. } if is_named => Some(*id),
        _ => None,
    };
    let Some(written) = written else {
        return visit::inner_reads(read).len() == 1 && {
            let mut rows = Some(rows);
            let mut is_put = false;
            visit::each_inner_read_mut(read, &mut |inner| {
                if let Some(rows) = rows.take() {
                    is_put = put_beside(inner, columns, (id, rows));
                }
            });
            is_put
        };
    };
    visit::deep_read_mut(read, &mut |expr| {
        let at = columns.iter().zip(1..).find(|(known, _)| is_same_column(known, expr));
        if let Some((known, at)) = at {
            *expr = Expr::Column { source: id, column: catalog::ColumnId(at), ty: known.ty() };
        }
    });
    let key = |source, column| Expr::Column { source, column, ty: Type::Int8 };
    read.from = Source::Join {
        kind: query::JoinKind::Inner,
        left: Box::new(std::mem::replace(&mut read.from, Source::Unit)),
        right: Box::new(Source::of_rows(id, rows, &types)),
        on: Some(key(written, query::ROW_KEY).equals(key(id, catalog::ColumnId(0)))),
    };
    true
}

fn is_same_column(known: &Expr, expr: &Expr) -> bool {
    matches!(expr, Expr::Column { source, column, .. } if known.is_column(*source, *column))
}
