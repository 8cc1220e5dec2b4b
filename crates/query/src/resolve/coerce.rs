//! Conversions that nobody wrote: untyped literals, operands, assignments.

use catalog::{ColumnId, Table};
use types::cast::{self, Context};
use types::session::Session;
use types::ty::format_type;
use types::{Code, Error, Modifier, Result, Type, Value, text};

use super::Resolver;
use crate::ir::Expr;

/// Words that mean another time each time they are read.
const MOVING: &[&str] = &["now", "today", "tomorrow", "yesterday"];

/// The value of a literal of a type; `None` for one that means another value each time it is read.
///
/// # Errors
/// What the type's input function refuses; `0A000` for types without one.
pub fn constant(written: &str, ty: &Type, session: &Session) -> Result<Option<Value>> {
    if let Type::Opaque(name) = ty {
        return Err(Error::missing(format!("a value of type {}", name.name)));
    }
    let is_time = matches!(ty, Type::Date | Type::Time | Type::Timestamp | Type::Timestamptz);
    if is_time && MOVING.contains(&written.trim().to_ascii_lowercase().as_str()) {
        return Ok(None);
    }
    text::parse(ty, written, session).map(Some)
}

impl Resolver<'_> {
    /// An expression where a type is wanted; the conversion is known to be implicit.
    pub(super) fn coerce(&self, expr: Expr, to: &Type) -> Result<Expr> {
        let from = expr.ty();
        if from == *to {
            return Ok(expr);
        }
        match expr {
            Expr::Const { value, ty: Type::Unknown } => self.literal(value, to, None),
            expr => Ok(Expr::Cast { expr: Box::new(expr), ty: to.clone(), modifier: None, explicit: false }),
        }
    }

    /// All of them, pairwise.
    pub(super) fn coerce_all(&self, exprs: Vec<Expr>, types: &[Type]) -> Result<Vec<Expr>> {
        exprs.into_iter().zip(types).map(|(expr, ty)| self.coerce(expr, ty)).collect()
    }

    /// An expression whose type nothing decides: an untyped literal is text.
    pub(super) fn settled(&self, expr: Expr) -> Result<Expr> {
        if expr.ty() == Type::Unknown { self.coerce(expr, &Type::Text) } else { Ok(expr) }
    }

    /// An untyped literal read as a type.
    pub(super) fn literal(&self, value: Value, to: &Type, modifier: Option<Modifier>) -> Result<Expr> {
        let Value::Text(written) = value else { return Ok(Expr::null(to.clone())) };
        let Some(value) = constant(&written, to, &self.session)? else {
            let expr = Box::new(Expr::Const { value: Value::Text(written), ty: Type::Text });
            return Ok(Expr::Cast { expr, ty: to.clone(), modifier, explicit: true });
        };
        let value = text::apply_modifier(to, modifier, value, true)?;
        Ok(Expr::Const { value, ty: to.clone() })
    }

    /// A cast that was written.
    pub(super) fn cast(&self, expr: Expr, to: &Type, modifier: Option<Modifier>) -> Result<Expr> {
        let from = expr.ty();
        match expr {
            Expr::Const { value, ty: Type::Unknown } => self.literal(value, to, modifier),
            expr if from == *to && modifier.is_none() => Ok(expr),
            expr if cast::context(&from, to).is_some() => {
                Ok(Expr::Cast { expr: Box::new(expr), ty: to.clone(), modifier, explicit: true })
            }
            expr if matches!((&from, to), (Type::Composite(_), Type::Composite(_))) => self.row_as(&expr, to),
            _ => {
                let (from, to) = (format_type(&from, None), format_type(to, None));
                Err(Error::new(Code::CANNOT_COERCE, format!("cannot cast type {from} to {to}")))
            }
        }
    }

    /// A row as one of a declared type: each field becomes one of the field's type.
    fn row_as(&self, expr: &Expr, to: &Type) -> Result<Expr> {
        let refuse = || Error::missing(format!("a cast of a row to {}", format_type(to, None)));
        let Type::Composite(name) = to else { return Err(refuse()) };
        let (Some(wanted), Some(given)) = (self.fields_of(name), super::bodies::row_fields(expr)) else {
            return Err(refuse());
        };
        if wanted.len() != given.len() {
            let (from, to) = (format_type(&expr.ty(), None), format_type(to, None));
            let words = if given.len() < wanted.len() { "few" } else { "many" };
            return Err(Error::new(Code::CANNOT_COERCE, format!("cannot cast type {from} to {to}"))
                .with_details(format!("Input has too {words} columns.")));
        }
        let args = given.iter().zip(&wanted).map(|(field, (_, ty))| match field.ty() {
            from if from == *ty => Ok(field.clone()),
            _ => self.cast(field.clone(), ty, None),
        });
        let args = args.collect::<Result<Vec<_>>>()?;
        let names: std::sync::Arc<[_]> = wanted.into_iter().map(|(name, _)| name).collect();
        Ok(Expr::Form { form: crate::ir::Form::Record(names), args, ty: to.clone() })
    }

    /// A new value of a column: the assignment cast, with the column's length or precision.
    pub(super) fn assigned(&self, expr: Expr, table: &Table, column: ColumnId) -> Result<Expr> {
        let declared = &table[column];
        let (from, to) = (expr.ty(), &declared.ty);
        match expr {
            Expr::Const { value, ty: Type::Unknown } if declared.modifier.is_none() => {
                self.literal(value, to, None)
            }
            Expr::Const { value: Value::Null, .. } => Ok(Expr::null(to.clone())),
            Expr::Const { value, ty: Type::Unknown } => {
                let parsed = self.literal(value, to, None)?;
                Ok(stored_as(parsed, to, declared.modifier))
            }
            expr if matches!((&from, to), (Type::Composite(_), Type::Composite(_)))
                && super::bodies::row_fields(&expr).is_some() =>
            {
                self.row_as(&expr, to)
            }
            expr if from == *to && declared.modifier.is_none() => Ok(expr),
            expr if cast::context(&from, to).is_some_and(|context| context >= Context::Assignment) => {
                Ok(stored_as(expr, to, declared.modifier))
            }
            _ => {
                let message = format!(
                    "column \"{}\" is of type {} but expression is of type {}",
                    declared.name,
                    format_type(to, None),
                    format_type(&from, None)
                );
                Err(Error::new(Code::DATATYPE_MISMATCH, message)
                    .with_hint("You will need to rewrite or cast the expression."))
            }
        }
    }
}

fn stored_as(expr: Expr, ty: &Type, modifier: Option<Modifier>) -> Expr {
    Expr::Cast { expr: Box::new(expr), ty: ty.clone(), modifier, explicit: false }
}
