//! Domains whose values are shown and read by functions of the schema: PostgREST's data representations.
//!
//! Casts of the schema say which. An engine that is PostgreSQL itself calls the function, for others its body is read.

use catalog::{Column, ColumnId, Representation, TableId};
use query::{Expr, Form, FunctionId, Native, RowValue};
use types::json::Json;
use types::json_value::from_json;
use types::{Error, Name, Result, Type, Value};

use super::Pass;
use super::fields::Scope;
use crate::field::Field;

impl Pass<'_> {
    fn representation(&self, column: &Column) -> Option<&Representation> {
        let domain = column.domain.as_ref()?;
        self.model.catalog.domains.get(domain).map(|domain| &domain.representation)
    }

    /// What a function of the cast makes of a value: `from` and `to` are the domains of its argument and its result.
    fn applied(
        &mut self,
        function: &Name,
        operand: Expr,
        (from, to): (Option<&Name>, Option<&Name>),
        ty: Type,
    ) -> Result<Expr> {
        if self.model.is_native() {
            let form = Form::Native(Native::Function(function.clone()));
            return Ok(Expr::Form { form, args: vec![operand], ty });
        }
        let wanted = from.is_none().then(|| operand.ty());
        let functions = &self.model.catalog.functions;
        let position = functions.iter().position(|other| {
            let takes = other.inputs().next().is_some_and(|argument| {
                argument.domain.as_ref() == from && wanted.as_ref().is_none_or(|ty| argument.ty == *ty)
            });
            other.name == *function && takes && other.domain.as_ref() == to
        });
        let at = position.ok_or_else(|| Error::missing(format!("a cast by function {function}")))?;
        self.typing.value_of_row(FunctionId(at), operand, &mut self.ids)
    }

    /// A column's value as replies have it.
    pub(super) fn shown(&mut self, column: &Column, value: Expr) -> Result<Expr> {
        match self.representation(column).and_then(|how| how.shown.clone()) {
            Some(function) => self.applied(&function, value, (column.domain.as_ref(), None), Type::Json),
            None => Ok(value),
        }
    }

    /// What a filter compares a column with.
    pub(super) fn parsed(&mut self, scope: &Scope, field: &Field, value: &str) -> Result<Option<Expr>> {
        let declared = self.declared(scope.table).column(&field.name).filter(|_| field.path.is_empty());
        let Some((_, column)) = declared else { return Ok(None) };
        let Some(function) = self.representation(column).and_then(|how| how.parsed.clone()) else {
            return Ok(None);
        };
        let text = Expr::Const { value: Value::text(value), ty: Type::Text };
        self.applied(&function, text, (None, column.domain.as_ref()), column.ty.clone()).map(Some)
    }

    /// A value of a body that a function reads.
    pub(super) fn read_by(
        &mut self,
        table: TableId,
        column: ColumnId,
        json: &Json,
    ) -> Result<Option<RowValue>> {
        let model = self.model;
        let column = &model.catalog[table][column];
        let function = self.representation(column).and_then(|how| how.read.clone());
        let Some(function) = function.filter(|_| *json != Json::Null) else { return Ok(None) };
        let value = from_json(&Type::Json, None, json, self.exposed.session)?;
        let document = Expr::Const { value, ty: Type::Json };
        let read = self.applied(&function, document, (None, column.domain.as_ref()), column.ty.clone())?;
        Ok(Some(RowValue::Expr(read)))
    }
}
