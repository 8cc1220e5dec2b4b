//! Conversions that nobody wrote: untyped literals, operands, assignments.

use std::sync::Arc;

use catalog::{ColumnId, Table};
use types::cast::{self, Context};
use types::session::Session;
use types::ty::format_type;
use types::{Code, Error, Field, Modifier, Result, Type, Value, record, text};

use super::Resolver;
use crate::eval::is_null_row;
use crate::functions::records::{ALL_PRINTED, PRINTED};
use crate::functions::{Function, Kind, choose};
use crate::ir::{Expr, Form};

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
        if let Type::Composite(name) = to
            && let Some(fields) = self.catalog.fields(name)
        {
            return self.literal_row(&written, &fields, to);
        }
        if let Type::Array(element) = to
            && let Type::Composite(name) = &**element
            && let Some(fields) = self.catalog.fields(name)
        {
            return self.literal_rows(&written, &fields, element);
        }
        let Some(value) = constant(&written, to, &self.session)? else {
            let expr = Box::new(Expr::Const { value: Value::Text(written), ty: Type::Text });
            return Ok(Expr::Cast { expr, ty: to.clone(), modifier, explicit: true });
        };
        let value = text::apply_modifier(to, modifier, value, true)?;
        Ok(Expr::Const { value, ty: to.clone() })
    }

    /// A row that is written as text: each field as its type reads it.
    fn literal_row(&self, written: &str, fields: &[Field], to: &Type) -> Result<Expr> {
        let parts = record::parse(written, fields.len())?;
        let args = parts.into_iter().zip(fields).map(|(part, field)| {
            let value = match part {
                None => Expr::null(field.ty.clone()),
                Some(part) => self.bounded(self.literal(Value::text(part), &field.ty, None)?, field)?,
            };
            self.held(value, field)
        });
        let names = fields.iter().map(|field| field.name.clone()).collect();
        Ok(Expr::Form { form: Form::Record(names), args: args.collect::<Result<_>>()?, ty: to.clone() })
    }

    /// An array of rows that is written as text.
    fn literal_rows(&self, written: &str, fields: &[Field], row: &Type) -> Result<Expr> {
        let texts = types::array::parse(written, &|item| Ok(Value::text(item)))?;
        if texts.dimensions.len() > 1 {
            return Err(Error::missing("arrays of several dimensions of rows"));
        }
        let element = |text: Value| match text {
            Value::Text(text) => self.literal_row(&text, fields, row),
            _ => Ok(Expr::null(row.clone())),
        };
        let args = texts.elements.into_iter().map(element).collect::<Result<_>>()?;
        Ok(Expr::Form { form: Form::Array, args, ty: row.clone().array() })
    }

    /// A value of a field's type within the field's length or precision, as it is stored: what does not fit is an error.
    pub(super) fn bounded(&self, value: Expr, field: &Field) -> Result<Expr> {
        Ok(match value {
            value if field.modifier.is_none() => value,
            Expr::Const { value, ty } => {
                let value = text::apply_modifier(&ty, field.modifier, value, false)?;
                Expr::Const { value, ty }
            }
            value => stored_as(value, &field.ty, field.modifier),
        })
    }

    /// A value of a field's domain. One that is computed would have to be computed once, in a row of its own.
    fn held(&self, value: Expr, field: &Field) -> Result<Expr> {
        let Some(domain) = field.domain.as_ref().filter(|domain| self.is_constrained(domain)) else {
            return Ok(value);
        };
        if !super::declared::is_simple(&value) {
            return Err(Error::missing(format!("a row here with a computed value of domain {domain}")));
        }
        let mut apart = Resolver { session: self.session.clone(), ..Resolver::new(self.catalog, &[]) };
        apart.in_domain(value, domain)
    }

    /// A cast that was written.
    pub(super) fn cast(&self, expr: Expr, to: &Type, modifier: Option<Modifier>) -> Result<Expr> {
        let from = expr.ty();
        match expr {
            Expr::Const { value, ty: Type::Unknown } => self.literal(value, to, modifier),
            expr if from == *to && modifier.is_none() => Ok(expr),
            expr if is_of_rows(&from) && is_text(to) => self.cast(self.printed(expr)?, to, modifier),
            expr if cast::context(&from, to).is_some() => {
                Ok(Expr::Cast { expr: Box::new(expr), ty: to.clone(), modifier, explicit: true })
            }
            expr if matches!((&from, to), (Type::Composite(_), Type::Composite(_))) => {
                self.held_row(self.row_as(&expr, to, Context::Explicit)?)
            }
            _ => {
                let (from, to) = (format_type(&from, None), format_type(to, None));
                Err(Error::new(Code::CANNOT_COERCE, format!("cannot cast type {from} to {to}")))
            }
        }
    }

    /// A row as text; anything else as it is.
    pub(super) fn printed(&self, expr: Expr) -> Result<Expr> {
        let ty = expr.ty();
        if !is_of_rows(&ty) {
            return Ok(expr);
        }
        let refuse = || Error::missing(format!("a value of {} as text", format_type(&ty, None)));
        if let Type::Array(_) = &ty {
            let whole = self.catalog.with_fields(Field::of("".into(), ty.clone()));
            if whole.fields.is_empty() {
                return Err(refuse());
            }
            let mut shape = String::new();
            types::signature::write_fields(&mut shape, &whole.fields);
            let shape = Expr::Const { value: Value::text(shape), ty: Type::Text };
            let chosen = choose(ALL_PRINTED, Kind::Function, &[Type::Text, ty.clone()])?;
            return Ok(Expr::Apply { function: chosen.function, args: vec![shape, expr], ty: chosen.result });
        }
        // One that is written out is there, whatever its fields are.
        let is_written = matches!(expr, Expr::Form { form: Form::Row, .. });
        let row = self.shown(expr)?;
        let (is_there, fields) = match &row {
            Expr::Form { form: Form::Row | Form::Record(_), args, .. } => {
                let is_there =
                    Expr::Const { value: Value::Bool(is_written || !is_null_row(args)), ty: Type::Bool };
                (is_there, args.clone())
            }
            row => {
                let Type::Composite(name) = &ty else { return Err(refuse()) };
                let fields = self.fields_of(name).ok_or_else(refuse)?;
                let field = |(name, ty): (Arc<str>, Type)| Expr::Form {
                    form: Form::Field(name),
                    args: vec![row.clone()],
                    ty,
                };
                let whole = Expr::Cast {
                    expr: Box::new(row.clone()),
                    ty: Type::Text,
                    modifier: None,
                    explicit: true,
                };
                (Expr::test(Form::IsNotNull, vec![whole]), fields.into_iter().map(field).collect())
            }
        };
        let fields = fields.into_iter().map(|field| self.printed(self.settled(field)?));
        let args = std::iter::once(Ok(is_there)).chain(fields).collect::<Result<Vec<_>>>()?;
        let types: Vec<Type> = args.iter().map(Expr::ty).collect();
        let chosen = choose(PRINTED, Kind::Function, &types)?;
        Ok(Expr::Apply { function: chosen.function, args, ty: chosen.result })
    }

    /// The operands of a function, rows among them as the texts that it makes of them.
    pub(super) fn printed_for(&self, function: &Function, args: Vec<Expr>) -> Result<Vec<Expr>> {
        if !PRINTING.contains(&function.name) {
            return Ok(args);
        }
        args.into_iter().map(|arg| self.printed(arg)).collect()
    }

    /// A row as one of a declared type: each field becomes one of the field's type, of its domain's base type.
    pub(super) fn row_as(&self, expr: &Expr, to: &Type, context: Context) -> Result<Expr> {
        let refuse = || Error::missing(format!("a cast of a row to {}", format_type(to, None)));
        let Type::Composite(name) = to else { return Err(refuse()) };
        let (Some(wanted), Some(given)) = (self.catalog.fields(name), super::bodies::row_fields(expr)) else {
            return Err(refuse());
        };
        if wanted.len() != given.len() {
            let (from, to) = (format_type(&expr.ty(), None), format_type(to, None));
            let words = if given.len() < wanted.len() { "few" } else { "many" };
            return Err(Error::new(Code::CANNOT_COERCE, format!("cannot cast type {from} to {to}"))
                .with_details(format!("Input has too {words} columns.")));
        }
        let args = given.iter().zip(&wanted).map(|(value, field)| self.as_field(value, field, context));
        let args = args.collect::<Result<Vec<_>>>()?;
        let names: Arc<[_]> = wanted.into_iter().map(|field| field.name).collect();
        Ok(Expr::Form { form: Form::Record(names), args, ty: to.clone() })
    }

    fn as_field(&self, value: &Expr, field: &Field, context: Context) -> Result<Expr> {
        let from = value.ty();
        if context == Context::Explicit {
            return match field.modifier {
                None if from == field.ty => Ok(value.clone()),
                modifier => self.cast(value.clone(), &field.ty, modifier),
            };
        }
        let value = if from == field.ty { value.clone() } else { self.cast(value.clone(), &field.ty, None)? };
        self.bounded(value, field)
    }

    /// A row whose fields are values of their domains.
    fn held_row(&self, row: Expr) -> Result<Expr> {
        let Expr::Form { form, args, ty: Type::Composite(name) } = row else { return Ok(row) };
        let fields = self.catalog.fields(&name).unwrap_or_default();
        let args = args.into_iter().zip(&fields).map(|(value, field)| self.held(value, field));
        Ok(Expr::Form { form, args: args.collect::<Result<_>>()?, ty: Type::Composite(name) })
    }

    /// The same where a computed value may be put into a row of its own.
    pub(super) fn row_in_domains(&mut self, row: Expr) -> Result<Expr> {
        let Expr::Form { form, mut args, ty: Type::Composite(name) } = row else { return Ok(row) };
        let fields = self.catalog.fields(&name).unwrap_or_default();
        for (arg, field) in args.iter_mut().zip(&fields) {
            if let Some(domain) = &field.domain {
                let value = std::mem::replace(arg, Expr::null(field.ty.clone()));
                *arg = self.in_domain(value, domain)?;
            }
        }
        Ok(Expr::Form { form, args, ty: Type::Composite(name) })
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
            expr if from != *to
                && matches!((&from, to), (Type::Composite(_), Type::Composite(_)))
                && super::bodies::row_fields(&expr).is_some() =>
            {
                self.held_row(self.row_as(&expr, to, Context::Assignment)?)
            }
            expr if is_of_rows(&from) && is_text(to) => self.cast(expr, to, declared.modifier),
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

/// Functions and operators that make texts of values of any type.
const PRINTING: &[&str] = &["format", "concat", "concat_ws", "||", "quote_literal", "quote_nullable"];

/// Whether values are rows, or arrays of them.
fn is_of_rows(ty: &Type) -> bool {
    match ty {
        Type::Composite(_) => true,
        Type::Array(element) => is_of_rows(element),
        _ => false,
    }
}

fn is_text(ty: &Type) -> bool {
    matches!(ty, Type::Text | Type::Varchar | Type::Bpchar)
}

fn stored_as(expr: Expr, ty: &Type, modifier: Option<Modifier>) -> Expr {
    Expr::Cast { expr: Box::new(expr), ty: ty.clone(), modifier, explicit: false }
}
