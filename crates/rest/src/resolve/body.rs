//! Bodies: named JSON values to values of a table's columns.

use std::collections::BTreeSet;

use catalog::{ColumnId, TableId};
use query::model::Fill;
use query::{Expr, Form, RowValue};
use types::json::Json;
use types::json_value::from_json;
use types::{Code, Error, Result, Value};

use super::Pass;
use crate::payload::{Payload, Rows};
use crate::prefer::Missing;
use crate::request::Action;

/// The rows of a body, as far as their columns count.
pub(super) struct Body<'a> {
    rows: &'a Rows,
    /// The names that count, with their position in the rows.
    columns: Vec<(&'a str, Option<usize>)>,
}

impl<'a> Body<'a> {
    /// All columns of the rows, or those that `columns=` names.
    fn new(rows: &'a Rows, named: Option<&'a [String]>) -> Body<'a> {
        let position = |name: &str| rows.columns.iter().position(|column| column == name);
        let columns = match named {
            None => rows.columns.iter().enumerate().map(|(at, name)| (name.as_str(), Some(at))).collect(),
            Some(named) => {
                let names: BTreeSet<&str> = named.iter().map(String::as_str).collect();
                names.into_iter().map(|name| (name, position(name))).collect()
            }
        };
        Body { rows, columns }
    }

    /// The names that count.
    pub(super) fn names(&self) -> Vec<&'a str> {
        self.columns.iter().map(|(name, _)| *name).collect()
    }

    /// Every row, by `make`.
    pub(super) fn rows<T>(&self, mut make: impl FnMut(&[Option<&Json>]) -> Result<T>) -> Result<Vec<T>> {
        self.rows.rows.iter().map(|row| make(&self.picked(row))).collect()
    }

    /// The first row.
    pub(super) fn first(&self) -> Option<Vec<Option<&'a Json>>> {
        self.rows.rows.first().map(|row| self.picked(row))
    }

    fn picked(&self, row: &'a [Option<Json>]) -> Vec<Option<&'a Json>> {
        self.columns.iter().map(|(_, at)| row.get((*at)?)?.as_ref()).collect()
    }
}

impl<'a> Pass<'a> {
    /// The rows of the body.
    pub(super) fn body(&self) -> Result<Body<'a>> {
        let named = self.request.columns.as_deref().filter(|_| self.request.action != Action::Replace);
        match &self.request.payload {
            Some(Payload::Rows(rows)) => Ok(Body::new(rows, named)),
            Some(Payload::Objects(_) | Payload::Raw(_)) | None => {
                Err(Error::internal("a write without rows"))
            }
        }
    }

    /// The columns that a body's names mean.
    pub(super) fn named(&self, table: TableId, names: &[&str]) -> Result<Vec<ColumnId>> {
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

    pub(super) fn no_column_of_body(&self, table: TableId, name: &str) -> Error {
        let table = &self.model.catalog[table].name.name;
        let message = format!("Could not find the '{name}' column of '{table}' in the schema cache");
        Error::new(Code::NO_COLUMN, message)
    }

    /// A row of the body as values of these columns.
    pub(super) fn row(
        &mut self,
        table: TableId,
        columns: &[ColumnId],
        row: &[Option<&Json>],
    ) -> Result<Vec<RowValue>> {
        let values = columns.iter().zip(row);
        values.map(|(column, json)| self.row_value(table, *column, *json)).collect()
    }

    pub(super) fn row_value(
        &mut self,
        table: TableId,
        column: ColumnId,
        json: Option<&Json>,
    ) -> Result<RowValue> {
        if let Some(json) = json
            && let Some(read) = self.read_by(table, column, json)?
        {
            return Ok(read);
        }
        match (json, self.request.prefer.missing) {
            (Some(json), Some(Missing::Default)) if self.request.action == Action::Insert => {
                let value = self.value_of(table, column, json)?;
                Ok(self.beside_default(table, column, value))
            }
            (Some(json), _) => self.value_of(table, column, json).map(RowValue::Value),
            (None, Some(Missing::Default)) => Ok(RowValue::Default),
            (None, Some(Missing::Null) | None) => Ok(RowValue::Value(Value::Null)),
        }
    }

    /// A value of a row whose absent values take their defaults. PostgREST computes the default of every column that the body
    /// names, given or not: what that tells afterwards is that a sequence has counted on.
    fn beside_default(&self, table: TableId, column: ColumnId, value: Value) -> RowValue {
        let Some(counted) = self.counter(table, column) else { return RowValue::Value(value) };
        let ty = self.model.catalog[table][column].ty.clone();
        let given = Expr::Const { value, ty: ty.clone() };
        let branches = vec![(Expr::test(Form::IsNotNull, vec![counted]), given)];
        RowValue::Expr(Expr::Case { branches, otherwise: None, ty })
    }

    /// What a column's default counts.
    fn counter(&self, table: TableId, column: ColumnId) -> Option<Expr> {
        match self.model[table].fills.get(usize::from(column.0))? {
            Fill::Identity { always: false, sequence } => query::functions::sequences::next_value(sequence),
            Fill::Default(Ok(expr)) => {
                let mut counts = false;
                query::visit::deep(expr, &mut |inner| {
                    counts |= matches!(inner, Expr::Apply { function, .. } if query::functions::sequences::counts(function));
                });
                counts.then(|| expr.clone())
            }
            Fill::Identity { .. } | Fill::Default(_) | Fill::Null | Fill::Generated(_) => None,
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
