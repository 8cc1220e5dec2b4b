//! `return` in all its forms.

use sql::ast::Expr;
use sql::body::Rows;
use types::ty::format_type;
use types::{Code, Error, Result, Type, Value};

use super::Frame;
use crate::account::Held as Memory;
use crate::call::result_shape;
use crate::context::At;
use crate::convert::converted;
use crate::environment::{Held, Kind, Shape};

/// What was returned so far.
#[derive(Debug, Default)]
pub(crate) struct Results {
    /// The rows of a set.
    pub(crate) rows: Vec<Vec<Value>>,
    /// What they hold of memory.
    pub(crate) held: Memory,
    /// The value of a function that returns none.
    pub(crate) value: Option<Value>,
}

impl Frame<'_> {
    fn has_outputs(&self) -> bool {
        self.function.arguments.iter().any(catalog::Argument::is_output)
    }

    /// The end of the body without a return.
    pub(super) fn end_reached(&mut self) -> Result<()> {
        if self.function.returns_set || self.function.returns == Type::Void {
            return Ok(());
        }
        if self.has_outputs() {
            return self.return_outputs();
        }
        let function = &self.function;
        let what = if function.returns_trigger { "trigger procedure" } else { "function" };
        Err(Error::raised("2F005", format!("control reached end of {what} without RETURN")))
    }

    pub(super) async fn return_value(&mut self, value: Option<&Expr>) -> Result<()> {
        let Some(expr) = value else {
            return match self.function {
                function if function.returns_set || function.returns == Type::Void => Ok(()),
                _ if self.has_outputs() => self.return_outputs(),
                _ => Err(Error::new(Code::SYNTAX, "missing expression at or near \";\"")),
            };
        };
        if self.function.returns_set {
            let message = "RETURN cannot have a parameter in function returning set";
            return Err(
                Error::new(Code::DATATYPE_MISMATCH, message).with_hint("Use RETURN NEXT or RETURN QUERY.")
            );
        }
        if self.function.returns == Type::Void {
            let message = "RETURN cannot have a parameter in function returning void";
            return Err(Error::new(Code::DATATYPE_MISMATCH, message));
        }
        if self.has_outputs() {
            let message = "RETURN cannot have a parameter in function with OUT parameters";
            return Err(Error::new(Code::DATATYPE_MISMATCH, message));
        }
        let (value, ty) = match self.function.returns_trigger || super::is_of_rows(&self.function.returns) {
            true => self.value(expr).await?,
            false => self.value_without_rows(expr).await?,
        };
        self.at = At::Returning;
        self.refuse_other_types(expr, &value)?;
        let returned = if self.function.returns_trigger {
            value
        } else if let Type::Composite(_) = self.function.returns {
            self.as_row(value, &ty)?.map_or(Value::Null, |fields| Value::Row(fields.into()))
        } else {
            let value = converted(value, &ty, (&self.function.returns, None), self.host.session())?;
            self.in_domain(value, self.function.domain.as_ref())?
        };
        self.results.value = Some(returned);
        Ok(())
    }

    /// The output parameters as they are.
    fn outputs(&self) -> Result<Vec<Value>> {
        let arguments = self.function.arguments.iter().enumerate();
        let outputs = arguments.filter(|(_, argument)| argument.is_output());
        outputs.map(|(slot, _)| Ok(self.environment.get(slot)?.value())).collect()
    }

    fn return_outputs(&mut self) -> Result<()> {
        let mut values = self.outputs()?;
        self.results.value = Some(match values.len() {
            1 => values.remove(0),
            _ => Value::Row(values.into()),
        });
        Ok(())
    }

    pub(super) fn shape(&self) -> Result<Shape> {
        result_shape(&*self.host, self.function)
            .ok_or_else(|| Error::missing(format!("the result of function {}()", self.function.name)))
    }

    /// A row as the function returns it.
    fn as_row(&self, value: Value, ty: &Type) -> Result<Option<Vec<Value>>> {
        let mismatch = |details: Option<String>| {
            let error = Error::new(
                Code::DATATYPE_MISMATCH,
                "returned record type does not match expected record type",
            );
            details.map_or(error.clone(), |details| error.with_details(details))
        };
        match value {
            Value::Null => Ok(None),
            Value::Text(_) if matches!(ty, Type::Composite(_)) => {
                let shape = self.shape()?;
                crate::convert::fields(&value, &shape, self.host.session())
            }
            Value::Row(fields) => {
                let Ok(shape) = self.shape() else { return Ok(Some(fields.to_vec())) };
                if fields.len() != shape.len() {
                    return Err(mismatch(Some(format!(
                        "Number of returned columns ({}) does not match expected column count ({}).",
                        fields.len(),
                        shape.len()
                    ))));
                }
                Ok(Some(fields.to_vec()))
            }
            _ => {
                let shown = format_type(ty, None);
                Err(mismatch(None).with_details(format!("The value is of type {shown}.")))
            }
        }
    }

    /// A row that is written out has the types of its function's.
    fn refuse_other_types(&self, expr: &Expr, value: &Value) -> Result<()> {
        let is_row = matches!(self.function.returns, Type::Composite(_)) && matches!(value, Value::Row(_));
        if !is_row || !matches!(&*expr.kind, sql::ast::ExprKind::Row(_)) {
            return Ok(());
        }
        let (Some(given), Ok(wanted)) = (self.shape_of_expr(expr)?, self.shape()) else { return Ok(()) };
        for (position, (from, to)) in given.iter().zip(wanted.iter()).enumerate() {
            if from.ty == to.ty && to.domain.is_none() {
                continue;
            }
            let wanted = to.domain.as_ref().map_or_else(
                || format_type(&to.ty, to.modifier),
                |domain| format_type(&Type::Opaque(domain.clone()), None),
            );
            let message = "returned record type does not match expected record type";
            return Err(Error::new(Code::DATATYPE_MISMATCH, message).with_details(format!(
                "Returned type {} does not match expected type {wanted} in column {}.",
                format_type(&from.ty, None),
                position + 1
            )));
        }
        Ok(())
    }

    fn refuse_single(&self, word: &str) -> Result<()> {
        if self.function.returns_set {
            return Ok(());
        }
        let message = format!("cannot use {word} in a non-SETOF function");
        Err(Error::new(Code::DATATYPE_MISMATCH, message))
    }

    pub(super) fn push(&mut self, row: Vec<Value>) -> Result<()> {
        let most = self.host.limits().function_rows_max;
        if self.results.rows.len() >= most {
            let message = format!("a function returns more than {most} rows");
            return Err(Error::new(Code::LIMIT_EXCEEDED, message));
        }
        self.results.held.row(&row)?;
        self.results.rows.push(row);
        Ok(())
    }

    pub(super) async fn return_next(&mut self, value: Option<&Expr>) -> Result<()> {
        self.refuse_single("RETURN NEXT")?;
        let Some(expr) = value else {
            if !self.has_outputs() {
                return Err(Error::new(Code::SYNTAX, "missing expression at or near \";\""));
            }
            let row = self.outputs()?;
            return self.push(row);
        };
        if self.has_outputs() {
            let message = "RETURN NEXT cannot have a parameter in function with OUT parameters";
            return Err(Error::new(Code::DATATYPE_MISMATCH, message));
        }
        let (value, ty) = self.value(expr).await?;
        let row = match &self.function.returns {
            Type::Composite(_) => {
                let width = self.shape().map_or(0, |shape| shape.len());
                self.as_row(value, &ty)?.unwrap_or_else(|| vec![Value::Null; width])
            }
            to => vec![converted(value, &ty, (to, None), self.host.session())?],
        };
        self.push(row)
    }

    pub(super) async fn return_query(&mut self, rows: &Rows) -> Result<()> {
        self.refuse_single("RETURN QUERY")?;
        let (outputs, rows, _held, _) = self.rows_of(rows, true).await?;
        let shape = self.shape()?;
        fits(&outputs, &shape)?;
        self.row_count = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        self.found(!rows.is_empty())?;
        for row in rows {
            self.push(row)?;
        }
        Ok(())
    }

    /// A row variable's fields.
    pub(super) fn row_of(&self, slot: usize) -> Result<Option<(Shape, Option<Vec<Value>>)>> {
        let variable = self.environment.get(slot)?;
        Ok(match (&variable.kind, &variable.held) {
            (Kind::Record | Kind::Row { .. }, Held::Row(shape, values)) => {
                Some((shape.clone(), values.clone()))
            }
            _ => None,
        })
    }
}

/// Columns must have the types of the function's, as they stand.
fn fits(outputs: &[(std::sync::Arc<str>, Type)], shape: &Shape) -> Result<()> {
    let refuse = |details: String| {
        let message = "structure of query does not match function result type";
        Err(Error::new(Code::DATATYPE_MISMATCH, message).with_details(details))
    };
    for (position, ((_, ty), field)) in outputs.iter().zip(shape.iter()).enumerate() {
        if *ty != field.ty {
            return refuse(format!(
                "Returned type {} does not match expected type {} in column {}.",
                format_type(ty, None),
                format_type(&field.ty, field.modifier),
                position + 1
            ));
        }
    }
    if outputs.len() != shape.len() {
        return refuse(format!(
            "Number of returned columns ({}) does not match expected column count ({}).",
            outputs.len(),
            shape.len()
        ));
    }
    Ok(())
}
