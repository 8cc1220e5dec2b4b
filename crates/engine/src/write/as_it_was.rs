//! The table as it was before a statement, for policies that read it while triggers see the rows before (PostgreSQL: policies have
//! the snapshot of the statement, functions of triggers one of their own).

use catalog::{ColumnId, Table, TableId};
use query::{Expr, Form, Guard, Output, ROW_KEY, Read, RowCheck, SetOperator, Source, SourceId, SourceIds};
use query::{Write, visit};
use types::{Type, Value};

use super::fired::Passed;
use crate::work::Work;

/// What a statement has done to its table so far.
struct Done<'a> {
    id: TableId,
    table: &'a Table,
    /// Keys of the rows that are there because of it.
    keys: &'a [i64],
    /// Rows as they were before it.
    old: Vec<&'a [Value]>,
}

impl Work<'_> {
    /// The same write, whose policies see its table as it was before what was done so far.
    pub(super) fn judged_before(&self, write: &Write, passed: &Passed) -> Write {
        let mut write = write.clone();
        let done = Done {
            id: write.table,
            table: &self.served.model.catalog[write.table],
            keys: &passed.touched.keys,
            old: passed.rows.iter().filter_map(|row| row.old.as_deref()).collect(),
        };
        let guard = &mut write.guard;
        let checks = [&mut guard.insert, &mut guard.conflict, &mut guard.update];
        checks.into_iter().flatten().for_each(|check| done.undo(check));
        write
    }
}

impl Done<'_> {
    fn undo(&self, check: &mut RowCheck) {
        let mut ids = SourceIds::starting_at(1).above_expr(&check.expr);
        // What takes a table's place reads it, and is met on the way down.
        let first = ids.fresh();
        visit::each_subquery_mut(&mut check.expr, &mut |read| {
            visit::deep_sources_mut(read, &mut |source| {
                if let Source::Table { id, table, guard } = source
                    && *table == self.id
                    && *id < first
                {
                    *source = self.source(*id, guard, &mut ids);
                }
            });
        });
    }

    /// The rows that a guard shows of the table as it was.
    fn source(&self, id: SourceId, guard: &Guard, ids: &mut SourceIds) -> Source {
        let (kept, around) = (ids.fresh(), ids.fresh());
        let mut untouched = self.read(kept, Source::Table { id: kept, table: self.id, guard: Guard::Open });
        let key = Expr::Column { source: kept, column: ROW_KEY, ty: Type::Int8 };
        let keys = self.keys.iter().map(|key| Expr::Const { value: Value::Int(*key), ty: Type::Int8 });
        let touched = Expr::test(Form::In, std::iter::once(key).chain(keys).collect());
        untouched.filter = (!self.keys.is_empty()).then(|| Expr::test(Form::Not, vec![touched]));
        let from = match self.old[..] {
            [] => Source::Read { id: around, read: Box::new(untouched), view: None },
            [..] => Source::Compound {
                id: around,
                operator: SetOperator::Union,
                all: true,
                left: Box::new(untouched),
                right: Box::new(self.old_rows(ids.fresh())),
            },
        };
        let mut read = self.read(around, from);
        read.filter = match guard {
            Guard::Rows(shown) => Some(visit::instantiate(shown, id, around, ids)),
            Guard::Unset | Guard::Open | Guard::Engine => None,
        };
        Source::Read { id, read: Box::new(read), view: None }
    }

    fn old_rows(&self, id: SourceId) -> Read {
        let constant = |(value, column): (&Value, &catalog::Column)| Expr::Const {
            value: value.clone(),
            ty: column.ty.clone(),
        };
        let row = |row: &&[Value]| row.iter().zip(&self.table.columns).map(constant).collect();
        self.read(id, Source::Values { id, rows: self.old.iter().map(row).collect() })
    }

    /// A read of all columns.
    fn read(&self, id: SourceId, from: Source) -> Read {
        let output = |column: ColumnId| Output {
            name: self.table[column].name.clone(),
            expr: Expr::Column { source: id, column, ty: self.table[column].ty.clone() },
        };
        Read { outputs: self.table.column_ids().map(output).collect(), ..Read::from(from) }
    }
}
