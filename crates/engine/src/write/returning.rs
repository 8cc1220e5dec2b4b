//! What a write returns of the rows that it has touched.

use query::{Expr, Presentation, Read, Source, SourceId};
use types::{Error, Result, Type, Value};

use super::{Task, Touched};
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
        Touched { keys: written, beside, .. }: &Touched,
    ) -> Result<()> {
        let (Some(read), None) = (&write.returning, &write.counted) else {
            return Err(Error::missing("counting rows with columns of what stands beside them"));
        };
        let mut read = read.clone();
        let of_row = |(key, values): (&i64, &Vec<Value>)| {
            std::iter::once(Value::Int(*key)).chain(values.iter().cloned()).collect::<Vec<_>>()
        };
        let rows = written.iter().zip(beside).map(of_row).collect();
        let id = query::SourceIds::above(&read).fresh();
        if !put_beside(&mut read, &write.beside_returned, (id, rows)) {
            return Err(Error::missing("RETURNING columns of what stands beside the rows of a view"));
        }
        self.returned(&read, Bound { parameters, written, given: &[] }, (position, sink)).await
    }

    /// Reads it, of tables as they were before the write.
    async fn returned(&mut self, read: &Read, bound: Bound<'_>, place: (usize, &mut dyn Sink)) -> Result<()> {
        let seen = self.look_back();
        let outcome = self.read(read, &Presentation::Rows, bound, place).await.map(drop);
        self.in_force.history.look(seen);
        outcome
    }
}

/// Puts rows of keys and columns beside the written rows that a read is of, and their columns in the place of those that they were
/// read of. Whether it could: both must be named by one read.
fn put_beside(read: &mut Read, columns: &[Expr], (id, rows): (SourceId, Vec<Vec<Value>>)) -> bool {
    let types: Vec<Type> = std::iter::once(Type::Int8).chain(columns.iter().map(Expr::ty)).collect();
    let mut is_named = false;
    query::visit::own_expressions(read, &mut |expr| {
        query::visit::deep(expr, &mut |expr| {
            is_named |= columns.iter().any(|known| is_same_column(known, expr));
        });
    });
    let written = match &read.from {
        Source::Written { id, .. } if is_named => Some(*id),
        _ => None,
    };
    let Some(written) = written else {
        return query::visit::inner_reads(read).len() == 1 && {
            let mut rows = Some(rows);
            let mut is_put = false;
            query::visit::each_inner_read_mut(read, &mut |inner| {
                if let Some(rows) = rows.take() {
                    is_put = put_beside(inner, columns, (id, rows));
                }
            });
            is_put
        };
    };
    query::visit::deep_read_mut(read, &mut |expr| {
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
