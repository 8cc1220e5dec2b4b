//! Domains whose values are shown and read by functions of the schema: PostgREST's data representations.
//!
//! Casts of the database say which; only an engine that is PostgreSQL itself has them.

use catalog::{Column, ColumnId, Representation, TableId};
use query::{Expr, Form, Native, RowValue};
use types::json::Json;
use types::json_value::from_json;
use types::{Name, Result, Type, Value};

use super::Pass;
use super::fields::Scope;
use crate::field::Field;

fn applied(function: &Name, operand: Expr, ty: Type) -> Expr {
    Expr::Form { form: Form::Native(Native::Function(function.clone())), args: vec![operand], ty }
}

impl Pass<'_> {
    fn representation(&self, column: &Column) -> Option<&Representation> {
        let domain = column.domain.as_ref().filter(|_| self.model.is_native())?;
        self.model.catalog.domains.get(domain).map(|domain| &domain.representation)
    }

    /// A column's value as replies have it.
    pub(super) fn shown(&self, column: &Column, value: Expr) -> Expr {
        match self.representation(column).and_then(|how| how.shown.as_ref()) {
            Some(function) => applied(function, value, Type::Json),
            None => value,
        }
    }

    /// What a filter compares a column with.
    pub(super) fn parsed(&self, scope: &Scope, field: &Field, value: &str) -> Option<Expr> {
        let (_, column) = self.declared(scope.table).column(&field.name).filter(|_| field.path.is_empty())?;
        let function = self.representation(column)?.parsed.as_ref()?;
        let text = Expr::Const { value: Value::text(value), ty: Type::Text };
        Some(applied(function, text, column.ty.clone()))
    }

    /// A value of a body that a function reads.
    pub(super) fn read_by(&self, table: TableId, column: ColumnId, json: &Json) -> Result<Option<RowValue>> {
        let column = &self.model.catalog[table][column];
        let function = self.representation(column).and_then(|how| how.read.as_ref());
        let Some(function) = function.filter(|_| *json != Json::Null) else { return Ok(None) };
        let value = from_json(&Type::Json, None, json, self.exposed.session)?;
        let document = Expr::Const { value, ty: Type::Json };
        Ok(Some(RowValue::Expr(applied(function, document, column.ty.clone()))))
    }
}
