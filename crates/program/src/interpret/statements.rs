//! Bodies of `language sql`: one statement after the other, the rows of the last one are the result (PostgreSQL 38.5).

use std::sync::Arc;

use sql::ast::StatementKind;
use types::cast::{Context, context};
use types::ty::format_type;
use types::{Code, Error, Result, Type, Value};

use super::Frame;
use crate::context::{At, Said};
use crate::convert::converted;
use crate::environment::Shape;

/// PostgreSQL plans all statements before it runs one.
fn unplanned(error: Error) -> Error {
    error.without_context("a function of language sql that cannot be planned")
}

impl Frame<'_> {
    /// Runs them.
    pub(super) async fn statements(&mut self, statements: &[StatementKind]) -> Result<()> {
        let Some((last, before)) = statements.split_last() else { return self.returned(None).await };
        for (statement, number) in before.iter().zip(1..) {
            self.at = At::Statement(number);
            self.host.check()?;
            self.unseen(statement).await?;
        }
        self.at = At::Statement(statements.len());
        self.returned(Some(last)).await
    }

    /// A statement whose rows nobody sees.
    async fn unseen(&mut self, statement: &StatementKind) -> Result<()> {
        if !statement.is_about_rows() {
            return self.other(statement, Said::Nothing).await;
        }
        let planned = self.program.statement(statement, None, &self.environment, &*self.host);
        self.ran(&*planned.map_err(unplanned)?, Said::Nothing).await.map(drop)
    }

    async fn returned(&mut self, last: Option<&StatementKind>) -> Result<()> {
        let is_void = self.function.returns == Type::Void;
        let last = match last {
            None if is_void => return Ok(()),
            Some(last) if is_void => return self.unseen(last).await,
            Some(last) if last.is_about_rows() => last,
            Some(_) | None => return Err(self.no_rows()),
        };
        let wanted = (!self.function.returns_set).then_some(1);
        let planned = self.program.statement(last, wanted, &self.environment, &*self.host);
        let planned = planned.map_err(unplanned)?;
        if planned.outputs.is_empty() {
            return Err(self.no_rows());
        }
        let done = self.ran(&planned, Said::Nothing).await?;
        let shape = self.shape()?;
        let is_whole = self.fits(&planned.outputs, &shape)?;
        for row in done.rows {
            let row = self.row_as(row, &planned.outputs, &shape, is_whole)?;
            self.push(row)?;
        }
        if !self.function.returns_set {
            let row = self.results.rows.drain(..).next();
            let is_row = shape.len() != 1 || matches!(self.function.returns, Type::Composite(_));
            self.results.value = Some(match row {
                None => Value::Null,
                Some(row) if is_row => Value::Row(row.into()),
                Some(row) => row.into_iter().next().unwrap_or(Value::Null),
            });
        }
        Ok(())
    }

    /// Whether the only column is the whole row that is returned.
    ///
    /// # Errors
    /// `42P13` where columns are not of the types that the function returns.
    fn fits(&self, outputs: &[(Arc<str>, Type)], shape: &Shape) -> Result<bool> {
        if let [(_, ty)] = outputs
            && matches!(ty, Type::Composite(_))
            && (*ty == self.function.returns || shape.len() != 1)
        {
            return Ok(true);
        }
        let mismatch = |details: String| {
            let returns = format_type(&self.function.returns, None);
            let message = format!("return type mismatch in function declared to return {returns}");
            Err(Error::new(Code::INVALID_FUNCTION_DEFINITION, message).with_details(details))
        };
        if outputs.len() != shape.len() {
            let few = outputs.len() < shape.len();
            let details = if few {
                "Final statement returns too few columns."
            } else {
                "Final statement returns too many columns."
            };
            return mismatch(details.to_owned());
        }
        for ((_, ty), field) in outputs.iter().zip(shape.iter()) {
            let is_fit = *ty == field.ty
                || *ty == Type::Unknown
                || context(ty, &field.ty).is_some_and(|context| context >= Context::Assignment);
            if !is_fit {
                return mismatch(format!("Actual return type is {}.", format_type(ty, None)));
            }
        }
        Ok(false)
    }

    fn row_as(
        &self,
        row: Vec<Value>,
        outputs: &[(Arc<str>, Type)],
        shape: &Shape,
        is_whole: bool,
    ) -> Result<Vec<Value>> {
        if is_whole {
            let row = row.into_iter().next().unwrap_or(Value::Null);
            let fields = crate::convert::fields(&row, shape, self.host.session())?;
            return Ok(fields.unwrap_or_else(|| vec![Value::Null; shape.len()]));
        }
        let mut fields = Vec::with_capacity(shape.len());
        for ((value, (_, ty)), field) in row.into_iter().zip(outputs).zip(shape.iter()) {
            let value = converted(value, ty, (&field.ty, field.modifier), self.host.session())?;
            let domain = self.function.domain.as_ref().filter(|_| shape.len() == 1);
            fields.push(self.in_domain(value, domain)?);
        }
        Ok(fields)
    }

    fn no_rows(&self) -> Error {
        let returns = format_type(&self.function.returns, None);
        let message = format!("return type mismatch in function declared to return {returns}");
        Error::new(Code::INVALID_FUNCTION_DEFINITION, message)
            .with_details("Function's final statement must be SELECT or INSERT/UPDATE/DELETE RETURNING.")
    }
}
