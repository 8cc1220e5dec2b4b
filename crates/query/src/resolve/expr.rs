//! Expressions: every node of the tree, to its typed meaning.

use sql::ast::{self, ExprKind, LikeKind, Literal};
use types::{Code, Error, Modifier, Name, Result, Type, Value};

use super::Resolver;
use crate::functions::{Kind, choose, choose_comparison, common_type};
use crate::ir::{Expr, Form, Read, Subquery};
use crate::visit;

impl Resolver<'_> {
    /// The meaning of an expression; an untyped literal stays of type unknown.
    pub(super) fn expr(&mut self, expr: &ast::Expr) -> Result<Expr> {
        self.enter()?;
        let resolved = self.node(&expr.kind);
        self.leave();
        resolved
    }

    fn exprs<'e>(&mut self, exprs: impl IntoIterator<Item = &'e ast::Expr>) -> Result<Vec<Expr>> {
        exprs.into_iter().map(|expr| self.expr(expr)).collect()
    }

    /// Each kind has a function of its own: what they keep on the stack would add up here, at every level.
    fn node(&mut self, kind: &ExprKind) -> Result<Expr> {
        match kind {
            ExprKind::Literal(literal) => constant(literal),
            ExprKind::Column(parts) => self.column(parts),
            ExprKind::Param(position) => self.parameter(*position),
            ExprKind::Unary { op, expr } => self.unary(op, expr),
            ExprKind::Binary { left, op, right } => self.operation(left, op, right),
            ExprKind::And(operands) => self.connected(Form::And, "AND", operands),
            ExprKind::Or(operands) => self.connected(Form::Or, "OR", operands),
            ExprKind::Not(operand) => self.negation(operand),
            ExprKind::IsNull { expr, negated } => self.is_null(expr, *negated),
            ExprKind::IsBool { expr, value, negated } => self.is_bool(expr, *value, *negated),
            ExprKind::IsDistinct { left, right, negated } => self.is_distinct(left, right, *negated),
            ExprKind::Between { expr, low, high, symmetric, negated } => {
                self.between(expr, low, high, *symmetric, *negated)
            }
            ExprKind::InList { expr, list, negated } => self.in_values(expr, list, *negated),
            ExprKind::InSubquery { expr, query, negated } => self.in_rows(expr, query, *negated),
            ExprKind::Quantified { expr, op, all, array } => self.quantified_array(expr, op, *all, array),
            ExprKind::QuantifiedSubquery { expr, op, all, query } => {
                self.quantified_rows(expr, op, *all, query)
            }
            ExprKind::Like { expr, pattern, kind, escape, negated } => {
                self.like(expr, pattern, *kind, escape.as_ref(), *negated)
            }
            ExprKind::Case { operand, branches, otherwise } => self
                .unexpanded("CASE", |resolver| resolver.case(operand.as_ref(), branches, otherwise.as_ref())),
            ExprKind::Cast { expr, ty } => self.written_cast(expr, ty),
            ExprKind::Call(call) => self.call(call),
            ExprKind::Array(elements) => self.array(elements),
            ExprKind::ArraySubquery(query) => self.array_of_rows(query),
            ExprKind::Row(fields) => self.row_value(fields),
            ExprKind::Exists(query) => self.exists(query),
            ExprKind::Subquery(query) => self.query(query).and_then(scalar),
            ExprKind::Collate { expr, collation } => self.collated(expr, &collation.name),
            ExprKind::Index { expr, index } => self.subscript(expr, vec![index]),
            ExprKind::Slice { expr, low, high, .. } => self.slice(expr, low.as_ref(), high.as_ref()),
            ExprKind::Field { expr, field } => self.field_of(expr, field),
            ExprKind::Star(parts) if !parts.is_empty() => self.column(parts),
            ExprKind::Star(_) | ExprKind::Default => Err(out_of_place(kind)),
        }
    }

    fn unary(&mut self, op: &str, expr: &ast::Expr) -> Result<Expr> {
        if op == "-"
            && let Some(number) = least(&expr.kind)
        {
            return Ok(number);
        }
        let operand = self.expr(expr)?;
        let chosen = choose(op, Kind::Prefix, &[operand.ty()])?;
        let args = self.coerce_all(vec![operand], &chosen.argument_types)?;
        Ok(Expr::Apply { function: chosen.function, args, ty: chosen.result })
    }

    fn operation(&mut self, left: &ast::Expr, op: &str, right: &ast::Expr) -> Result<Expr> {
        if op == "||" {
            let (left, right) = (self.named_or_value(left)?, self.named_or_value(right)?);
            return self.binary(left, op, right);
        }
        let left = self.expr(left)?;
        let right = self.expr(right)?;
        self.binary(left, op, right)
    }

    /// A value; of an id that says which object it is, the object's name.
    pub(super) fn named_or_value(&mut self, expr: &ast::Expr) -> Result<Expr> {
        match self.as_name(expr)? {
            Some(name) => Ok(name),
            None => self.expr(expr),
        }
    }

    fn negation(&mut self, operand: &ast::Expr) -> Result<Expr> {
        self.boolean(operand, "NOT").map(not)
    }

    fn is_null(&mut self, expr: &ast::Expr, negated: bool) -> Result<Expr> {
        let operand = self.expr(expr)?;
        let operand = self.settled(operand)?;
        let form = || if negated { Form::IsNotNull } else { Form::IsNull };
        // Of a row each field is asked.
        if let Some(fields) = super::bodies::row_fields(&operand) {
            let tests = fields.iter().map(|field| Expr::test(form(), vec![field.clone()]));
            return Ok(Expr::test(Form::And, tests.collect()));
        }
        Ok(Expr::test(form(), vec![operand]))
    }

    fn is_distinct(&mut self, left: &ast::Expr, right: &ast::Expr, negated: bool) -> Result<Expr> {
        let left = self.expr(left)?;
        let right = self.expr(right)?;
        self.distinct(left, right, negated)
    }

    fn in_values(&mut self, expr: &ast::Expr, list: &[ast::Expr], negated: bool) -> Result<Expr> {
        let operand = self.expr(expr)?;
        let list = self.exprs(list)?;
        let test = self.in_list(operand, list)?;
        Ok(if negated { not(test) } else { test })
    }

    fn in_rows(&mut self, expr: &ast::Expr, query: &ast::Query, negated: bool) -> Result<Expr> {
        let test = self.quantified_rows(expr, "=", false, query)?;
        Ok(if negated { not(test) } else { test })
    }

    fn quantified_rows(&mut self, expr: &ast::Expr, op: &str, all: bool, query: &ast::Query) -> Result<Expr> {
        let operand = self.expr(expr)?;
        let read = self.query(query)?;
        self.quantified_read(operand, op, all, read)
    }

    fn row_value(&mut self, fields: &[ast::Expr]) -> Result<Expr> {
        let args = self.exprs(&self.without_stars(fields)?)?;
        let args = args.into_iter().map(|arg| self.settled(arg)).collect::<Result<_>>()?;
        Ok(Expr::Form { form: Form::Row, args, ty: Type::Composite(Name::new("pg_catalog", "record")) })
    }

    fn field_of(&mut self, expr: &ast::Expr, field: &str) -> Result<Expr> {
        if let ExprKind::Call(call) = &*expr.kind
            && super::sets::is_set(call)
            && self.expansions.is_some()
        {
            let row = self.expanded(call)?;
            return match &row {
                Expr::Form { form: Form::Record(names), .. }
                    if !names.iter().any(|name| **name == *field) =>
                {
                    let message = format!("column \"{field}\" not found in data type record");
                    Err(Error::new(Code::UNDEFINED_COLUMN, message))
                }
                row => self.field(row, field),
            };
        }
        let row = self.expr(expr)?;
        self.field(&row, field)
    }

    fn exists(&mut self, query: &ast::Query) -> Result<Expr> {
        let read = self.query(query)?;
        Ok(Expr::Subquery(Box::new(Subquery::Exists(read))))
    }

    fn collated(&mut self, expr: &ast::Expr, collation: &str) -> Result<Expr> {
        match collation {
            "C" | "POSIX" | "default" | "ucs_basic" => self.expr(expr),
            other => Err(Error::missing(format!("collation \"{other}\""))),
        }
    }

    fn parameter(&self, position: u32) -> Result<Expr> {
        let index = usize::try_from(position).unwrap_or(usize::MAX).wrapping_sub(1);
        if let Some(argument) = self.frame_position(index) {
            return Ok(argument);
        }
        if let Some(argument) = self.variables.and_then(|variables| variables.positional(index)) {
            return Ok(argument);
        }
        let ty = self.parameters.get(index).cloned();
        let missing = || Error::new(Code::UNDEFINED_PARAMETER, format!("there is no parameter ${position}"));
        Ok(Expr::Param { index, ty: ty.ok_or_else(missing)? })
    }

    fn connected(&mut self, form: Form, word: &str, operands: &[ast::Expr]) -> Result<Expr> {
        let operands = operands.iter().map(|operand| self.boolean(operand, word)).collect::<Result<_>>()?;
        Ok(Expr::test(form, operands))
    }

    fn is_bool(&mut self, expr: &ast::Expr, value: Option<bool>, negated: bool) -> Result<Expr> {
        let word = match (value, negated) {
            (Some(true), false) => "IS TRUE",
            (Some(true), true) => "IS NOT TRUE",
            (Some(false), false) => "IS FALSE",
            (Some(false), true) => "IS NOT FALSE",
            (None, false) => "IS UNKNOWN",
            (None, true) => "IS NOT UNKNOWN",
        };
        let operand = self.boolean(expr, word)?;
        Ok(Expr::test(
            match value {
                Some(value) => Form::IsBool { value, negated },
                None if negated => Form::IsNotNull,
                None => Form::IsNull,
            },
            vec![operand],
        ))
    }

    fn between(
        &mut self,
        expr: &ast::Expr,
        low: &ast::Expr,
        high: &ast::Expr,
        symmetric: bool,
        negated: bool,
    ) -> Result<Expr> {
        let (operand, low, high) = (self.expr(expr)?, self.expr(low)?, self.expr(high)?);
        let within = |low: &Expr, high: &Expr| -> Result<Expr> {
            let above = self.binary(operand.clone(), ">=", low.clone())?;
            let below = self.binary(operand.clone(), "<=", high.clone())?;
            Ok(Expr::test(Form::And, vec![above, below]))
        };
        let mut test = within(&low, &high)?;
        if symmetric {
            test = Expr::test(Form::Or, vec![test, within(&high, &low)?]);
        }
        Ok(if negated { not(test) } else { test })
    }

    fn quantified_array(&mut self, expr: &ast::Expr, op: &str, all: bool, array: &ast::Expr) -> Result<Expr> {
        let operand = self.expr(expr)?;
        // `= any (array(select …))` says what `= any (select …)` says, and an engine can use an index for it.
        if let ExprKind::ArraySubquery(query) = &*array.kind {
            let read = self.query(query)?;
            if read.limit.is_none() && read.offset.is_none() {
                return self.quantified_read(operand, op, all, read);
            }
        }
        let array = self.expr(array)?;
        self.quantified(operand, op, all, array)
    }

    fn like(
        &mut self,
        expr: &ast::Expr,
        pattern: &ast::Expr,
        kind: LikeKind,
        escape: Option<&ast::Expr>,
        negated: bool,
    ) -> Result<Expr> {
        let operand = self.expr(expr)?;
        let mut pattern = self.expr(pattern)?;
        let escape = escape.map(|escape| self.expr(escape)).transpose()?;
        if kind == LikeKind::Similar {
            pattern =
                self.apply("similar_to_escape", [Some(pattern), escape].into_iter().flatten().collect())?;
        } else if let Some(escape) = escape {
            pattern = self.apply("like_escape", vec![pattern, escape])?;
        }
        let symbol = match kind {
            LikeKind::Like => "~~",
            LikeKind::Ilike => "~~*",
            LikeKind::Similar => "~",
        };
        let test = self.binary(operand, symbol, pattern)?;
        Ok(if negated { not(test) } else { test })
    }

    fn case(
        &mut self,
        operand: Option<&ast::Expr>,
        branches: &[(ast::Expr, ast::Expr)],
        otherwise: Option<&ast::Expr>,
    ) -> Result<Expr> {
        let operand = operand.map(|operand| self.expr(operand)).transpose()?;
        let mut conditions = Vec::new();
        let mut results = Vec::new();
        for (condition, result) in branches {
            conditions.push(match &operand {
                None => self.boolean(condition, "CASE/WHEN")?,
                Some(operand) => {
                    let value = self.expr(condition)?;
                    self.binary(operand.clone(), "=", value)?
                }
            });
            results.push(self.expr(result)?);
        }
        let otherwise = otherwise.map(|otherwise| self.expr(otherwise)).transpose()?;
        let types: Vec<Type> = otherwise.iter().chain(&results).map(Expr::ty).collect();
        let ty = common_type("CASE", &types)?;
        let results =
            results.into_iter().map(|result| self.coerce(result, &ty)).collect::<Result<Vec<_>>>()?;
        let otherwise = otherwise.map(|otherwise| self.coerce(otherwise, &ty)).transpose()?.map(Box::new);
        Ok(Expr::Case { branches: conditions.into_iter().zip(results).collect(), otherwise, ty })
    }

    fn written_cast(&mut self, expr: &ast::Expr, name: &ast::TypeName) -> Result<Expr> {
        if let Some(text) = object_name(expr, name) {
            return Ok(Expr::Const { value: Value::text(text), ty: Type::Text });
        }
        if let Some(value) = self.system_cast(expr, name)? {
            return Ok(value);
        }
        let (ty, modifier, domain) = self.find_type(name)?;
        if let Some(domain) = domain.filter(|domain| self.is_constrained(domain)) {
            let operand = self.expr(expr)?;
            let value = self.cast(operand, &ty, modifier)?;
            return self.in_domain(value, &domain);
        }
        if let (ExprKind::Array(elements), Type::Array(element)) = (&*expr.kind, &ty) {
            return self.array_of(elements, (element, modifier));
        }
        let operand = self.expr(expr)?;
        let is_row = |ty: &Type| matches!(ty, Type::Composite(_));
        if is_row(&ty) && operand.ty() != ty && super::bodies::row_fields(&operand).is_some() {
            let row = self.row_as(&operand, &ty, types::cast::Context::Explicit)?;
            return self.row_in_domains(row);
        }
        self.cast(operand, &ty, modifier)
    }

    /// The type that a cast converts to; a domain's constraints would have to be tested.
    pub(super) fn cast_target(&self, name: &ast::TypeName) -> Result<(Type, Option<Modifier>)> {
        let (ty, modifier, domain) = self.find_type(name)?;
        match domain.and_then(|domain| self.catalog.domains.get(&domain)) {
            Some(domain) if domain.not_null || !domain.checks.is_empty() => {
                Err(Error::missing(format!("a cast to domain {} with constraints", domain.name)))
            }
            _ => Ok((ty, modifier)),
        }
    }

    fn array(&mut self, elements: &[ast::Expr]) -> Result<Expr> {
        if elements.is_empty() {
            return Err(Error::new(Code::INDETERMINATE_TYPE, "cannot determine type of empty array")
                .with_hint("Explicitly cast to the desired type, for example ARRAY[]::integer[]."));
        }
        let elements = self.exprs(elements)?;
        let types: Vec<Type> = elements.iter().map(Expr::ty).collect();
        let common = common_type("ARRAY", &types)?;
        let args =
            elements.into_iter().map(|element| self.coerce(element, &common)).collect::<Result<_>>()?;
        let ty = if matches!(common, Type::Array(_)) { common } else { common.array() };
        Ok(Expr::Form { form: Form::Array, args, ty })
    }

    /// `array[…]::type[]`: each element is cast.
    fn array_of(
        &mut self,
        elements: &[ast::Expr],
        (element, modifier): (&Type, Option<Modifier>),
    ) -> Result<Expr> {
        let mut args = Vec::new();
        for expr in elements {
            if let ExprKind::Array(inner) = &*expr.kind {
                args.push(self.array_of(inner, (element, modifier))?);
            } else {
                let resolved = self.expr(expr)?;
                args.push(self.cast(resolved, element, modifier)?);
            }
        }
        Ok(Expr::Form { form: Form::Array, args, ty: element.clone().array() })
    }

    /// Functions whose operands are evaluated lazily or compared: `coalesce`, `nullif`, `greatest`, `least`.
    pub(super) fn lazy(&mut self, name: &str, args: Vec<Expr>) -> Result<Expr> {
        let (form, word) = match name {
            "coalesce" => (Form::Coalesce, "COALESCE"),
            "greatest" => (Form::Greatest, "GREATEST"),
            "least" => (Form::Least, "LEAST"),
            _ => {
                let [left, right] = <[Expr; 2]>::try_from(args)
                    .map_err(|_| Error::new(Code::SYNTAX, "NULLIF takes two arguments"))?;
                let ty = choose_comparison("=", &left.ty(), &right.ty())?;
                let args = vec![self.coerce(left, &ty)?, self.coerce(right, &ty)?];
                return Ok(Expr::Form { form: Form::NullIf, args, ty });
            }
        };
        let types: Vec<Type> = args.iter().map(Expr::ty).collect();
        let ty = common_type(word, &types)?;
        let args = args.into_iter().map(|arg| self.coerce(arg, &ty)).collect::<Result<_>>()?;
        Ok(Expr::Form { form, args, ty })
    }
}

/// `not`
pub(super) fn not(expr: Expr) -> Expr {
    Expr::test(Form::Not, vec![expr])
}

/// What a minus makes of the only whole number that has more of a type without it: a sign is part of a number.
fn least(kind: &ExprKind) -> Option<Expr> {
    let is_beyond =
        |digits: &str| digits.parse().is_ok_and(|number: u64| [1 << 31, 1 << 63].contains(&number));
    match kind {
        ExprKind::Literal(Literal::Integer(digits)) if is_beyond(digits) => {
            let number: i64 = format!("-{digits}").parse().ok()?;
            let ty = if i32::try_from(number).is_ok() { Type::Int4 } else { Type::Int8 };
            Some(Expr::Const { value: Value::Int(number), ty })
        }
        ExprKind::Unary { op, expr } if op == "-" => match &*expr.kind {
            ExprKind::Literal(literal @ Literal::Integer(digits)) if is_beyond(digits) => {
                constant(literal).ok()
            }
            _ => None,
        },
        _ => None,
    }
}

/// What a kind of expression is not, wherever it stands.
fn out_of_place(kind: &ExprKind) -> Error {
    match kind {
        ExprKind::Star(_) => Error::new(Code::SYNTAX, "row expansion via \"*\" is not supported here"),
        _ => Error::new(Code::SYNTAX, "DEFAULT is not allowed in this context"),
    }
}

/// A literal of type `name`: a text of at most 63 bytes, which compares with other texts as text does.
fn object_name<'e>(expr: &'e ast::Expr, ty: &ast::TypeName) -> Option<&'e str> {
    let is_name = ty.name.name == "name" && matches!(ty.name.schema.as_deref(), None | Some("pg_catalog"));
    match &*expr.kind {
        ExprKind::Literal(Literal::String(text)) if is_name && ty.array_dims == 0 && text.len() < 64 => {
            Some(text)
        }
        _ => None,
    }
}

/// A literal as written.
fn constant(literal: &Literal) -> Result<Expr> {
    let of = |value, ty| Ok(Expr::Const { value, ty });
    match literal {
        Literal::Null => of(Value::Null, Type::Unknown),
        Literal::Bool(value) => of(Value::Bool(*value), Type::Bool),
        Literal::String(text) => of(Value::text(text.as_str()), Type::Unknown),
        Literal::Integer(digits) => match (digits.parse::<i32>(), digits.parse::<i64>()) {
            (Ok(number), _) => of(Value::Int(number.into()), Type::Int4),
            (_, Ok(number)) => of(Value::Int(number), Type::Int8),
            _ => numeric(digits),
        },
        Literal::Numeric(digits) => numeric(digits),
        Literal::Bits(written) => {
            let session = types::session::Session::utc(0);
            let value = types::text::parse(&Type::Bit, written, &session)?;
            Ok(Expr::Const { value, ty: Type::Bit })
        }
    }
}

fn numeric(digits: &str) -> Result<Expr> {
    let value = types::text::parse(&Type::Numeric, digits, &types::session::Session::utc(0))?;
    Ok(Expr::Const { value, ty: Type::Numeric })
}

/// `(select …)`; of one row without a table, simply what it says. What is volatile is asked once, however many rows ask.
fn scalar(read: Read) -> Result<Expr> {
    if read.outputs.len() != 1 {
        return Err(Error::new(Code::SYNTAX, "subquery must return only one column"));
    }
    Ok(match read.value() {
        Some(value) if !visit::is_volatile(value) => value.clone(),
        Some(_) | None => Expr::Subquery(Box::new(Subquery::Scalar(read))),
    })
}
