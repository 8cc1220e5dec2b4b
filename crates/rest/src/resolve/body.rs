//! Bodies: named JSON values to values of a table's columns.

use catalog::{ColumnId, TableId};
use query::RowValue;
use types::json::Json;
use types::json_value::from_json;
use types::{Code, Error, Result, Value};

use super::Pass;
use crate::payload::{Payload, Rows};
use crate::prefer::Missing;

impl<'a> Pass<'a> {
    /// The rows of the body.
    pub(super) fn body(&self) -> Result<&'a Rows> {
        match &self.request.payload {
            Some(Payload::Rows(rows)) => Ok(rows),
            Some(Payload::Raw(_)) | None => Err(Error::internal("a write without rows")),
        }
    }

    /// The columns that a body's names mean.
    pub(super) fn named(&self, table: TableId, names: &[String]) -> Result<Vec<ColumnId>> {
        let mut columns = Vec::with_capacity(names.len());
        for name in names {
            let column = self.model.catalog[table].column(name).map(|(id, _)| id);
            let column = column.ok_or_else(|| self.no_column_of_body(table, name))?;
            if columns.contains(&column) {
                let message = format!("column \"{name}\" specified more than once");
                return Err(Error::new(Code::DUPLICATE_COLUMN, message));
            }
            columns.push(column);
        }
        Ok(columns)
    }

    fn no_column_of_body(&self, table: TableId, name: &str) -> Error {
        let table = &self.model.catalog[table].name.name;
        let message = format!("Could not find the '{name}' column of '{table}' in the schema cache");
        Error::new(Code::NO_COLUMN, message)
    }

    /// A row of the body as values of these columns.
    pub(super) fn row(
        &self,
        table: TableId,
        columns: &[ColumnId],
        row: &[Option<Json>],
    ) -> Result<Vec<RowValue>> {
        let values = columns.iter().zip(row);
        values.map(|(column, json)| self.row_value(table, *column, json.as_ref())).collect()
    }

    fn row_value(&self, table: TableId, column: ColumnId, json: Option<&Json>) -> Result<RowValue> {
        match (json, self.request.prefer.missing) {
            (Some(json), _) => self.value_of(table, column, json).map(RowValue::Value),
            (None, Some(Missing::Default)) => Ok(RowValue::Default),
            (None, Some(Missing::Null) | None) => Ok(RowValue::Value(Value::Null)),
        }
    }

    /// A JSON value as a column's: what `json_populate_record` makes of it.
    pub(super) fn value_of(&self, table: TableId, column: ColumnId, json: &Json) -> Result<Value> {
        let declared = &self.model.catalog[table][column];
        from_json(&declared.ty, declared.modifier, json, self.exposed.session).map_err(|error| {
            match error.message() {
                "expected JSON array" => {
                    error.with_hint(format!("See the value of key \"{}\".", declared.name))
                }
                _ => error,
            }
        })
    }
}
