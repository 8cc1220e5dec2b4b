//! What the writes of one request returned to each other: children are stored with the keys that their parents got.

use std::borrow::Cow;
use std::collections::HashMap;

use catalog::Catalog;
use query::{Action, Expr, Insert, Returned, RowValue, SourceId, Write};
use types::{Code, Error, Result, Type, Value};

use crate::database::Applied;
use crate::rows::Values;
use crate::work::Work;
use crate::write::Task;

/// What the writes so far returned, by their targets.
#[derive(Default)]
pub(crate) struct AllReturned(HashMap<SourceId, Kept>);

struct Kept {
    types: Vec<Type>,
    rows: Vec<Vec<Value>>,
    applied: Applied,
}

impl Work<'_> {
    /// Runs a write whose returned values others need; nobody else gets them.
    pub(crate) async fn store_kept(&mut self, write: &Write, returned: &mut AllReturned) -> Result<Applied> {
        let outputs = write.returning.iter().flat_map(|read| &read.outputs);
        let types: Vec<Type> = outputs.map(|output| output.expr.ty()).collect();
        let mut values = Values::of(types.iter().cloned());
        let applied = self.store(Task::of(write, &[], &mut values)).await?;
        let rows = values.into_rows();
        if let Action::Insert(Insert { rows: asked, .. }) = &write.action
            && asked.len() != rows.len()
        {
            // A trigger of the engine left rows out: whose children the others are is unknown then.
            let table = &self.served.model.catalog[write.table].name.name;
            let message = format!("Of {} rows for \"{table}\" {} were stored", asked.len(), rows.len());
            return Err(Error::new(Code::NESTED, message));
        }
        returned.0.insert(write.target, Kept { types, rows, applied });
        Ok(applied)
    }
}

impl AllReturned {
    /// Every value that a write returned, row by row.
    pub(crate) fn flat(&self, of: SourceId) -> Vec<Value> {
        self.0.get(&of).map(|kept| kept.rows.iter().flatten().cloned().collect()).unwrap_or_default()
    }

    /// What a write did.
    pub(crate) fn applied(&self, of: SourceId) -> Applied {
        self.0.get(&of).map(|kept| kept.applied).unwrap_or_default()
    }

    /// A write with the values of others in their places.
    pub(crate) fn filled<'w>(&self, write: &'w Write, catalog: &Catalog) -> Result<Cow<'w, Write>> {
        let Action::Insert(insert) = &write.action else { return Ok(Cow::Borrowed(write)) };
        if !insert.rows.iter().flatten().any(|value| matches!(value, RowValue::Returned(_))) {
            return Ok(Cow::Borrowed(write));
        }
        let mut insert = insert.clone();
        for row in &mut insert.rows {
            for (column, value) in insert.columns.iter().zip(row) {
                if let RowValue::Returned(returned) = value {
                    *value = self.value(*returned, &catalog[write.table][*column].ty)?;
                }
            }
        }
        Ok(Cow::Owned(Write { action: Action::Insert(insert), ..write.clone() }))
    }

    /// A returned value as one of a column's type.
    fn value(&self, returned: Returned, wanted: &Type) -> Result<RowValue> {
        let Returned { of, row, output } = returned;
        let kept = self.0.get(&of);
        let value = kept.and_then(|kept| kept.rows.get(row)?.get(output));
        let ty = kept.and_then(|kept| kept.types.get(output));
        let (Some(value), Some(ty)) = (value, ty) else {
            return Err(Error::internal("a value that no write returned"));
        };
        Ok(of_type(value.clone(), ty, wanted))
    }
}

fn of_type(value: Value, ty: &Type, wanted: &Type) -> RowValue {
    if ty == wanted {
        return RowValue::Value(value);
    }
    let expr = Box::new(Expr::Const { value, ty: ty.clone() });
    RowValue::Expr(Expr::Cast { expr, ty: wanted.clone(), modifier: None, explicit: false })
}
