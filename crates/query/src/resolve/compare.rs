//! Comparisons in all their shapes: operators, `in`, quantified ones, `between`, `is distinct from`.

use sql::ast;
use types::ty::format_type;
use types::{Code, Error, Result, Type};

use super::Resolver;
use crate::functions::{Kind, choose, choose_comparison};
use crate::ir::{Compare, Expr, Form, Read, Subquery};
use crate::visit;

impl Resolver<'_> {
    /// `left op right` of two resolved operands.
    pub(super) fn binary(&self, left: Expr, symbol: &str, right: Expr) -> Result<Expr> {
        if let Some(compare) = Compare::of_operator(symbol) {
            return self.comparison(left, symbol, compare, right);
        }
        let chosen = choose(symbol, Kind::Operator, &[left.ty(), right.ty()])?;
        let args = self.coerce_all(vec![left, right], &chosen.argument_types)?;
        let args = self.printed_for(chosen.function, args)?;
        Ok(Expr::Apply { function: chosen.function, args, ty: chosen.result })
    }

    pub(super) fn comparison(&self, left: Expr, symbol: &str, compare: Compare, right: Expr) -> Result<Expr> {
        if let (Some(lefts), Some(rights)) = (fields(&left), fields(&right)) {
            return self.row_comparison(lefts, symbol, compare, rights);
        }
        let [left, right] = self.alike(left, symbol, right)?;
        Ok(Expr::test(Form::Compare(compare), vec![left, right]))
    }

    /// Both operands of a comparison, of one type.
    fn alike(&self, left: Expr, symbol: &str, right: Expr) -> Result<[Expr; 2]> {
        let ty = choose_comparison(symbol, &left.ty(), &right.ty())?;
        Ok([self.coerce(left, &ty)?, self.coerce(right, &ty)?])
    }

    /// Two rows, field by field.
    fn row_comparison(
        &self,
        lefts: &[Expr],
        symbol: &str,
        compare: Compare,
        rights: &[Expr],
    ) -> Result<Expr> {
        if lefts.len() != rights.len() {
            return Err(Error::new(Code::SYNTAX, "unequal number of entries in row expressions"));
        }
        let form = match compare {
            Compare::Eq => Form::And,
            Compare::Ne => Form::Or,
            Compare::Lt | Compare::Le | Compare::Gt | Compare::Ge => {
                return self.row_order(lefts, symbol, rights);
            }
        };
        let pairs = lefts.iter().zip(rights);
        let tests = pairs.map(|(left, right)| self.comparison(left.clone(), symbol, compare, right.clone()));
        Ok(Expr::test(form, tests.collect::<Result<_>>()?))
    }

    /// The first fields that differ decide: `a < c or (a = c and b < d)`.
    fn row_order(&self, lefts: &[Expr], symbol: &str, rights: &[Expr]) -> Result<Expr> {
        let ([left, lefts @ ..], [right, rights @ ..]) = (lefts, rights) else {
            return Err(Error::new(Code::SYNTAX, "cannot compare rows of zero length"));
        };
        if lefts.is_empty() {
            return self.binary(left.clone(), symbol, right.clone());
        }
        let strict = symbol.trim_end_matches('=');
        let first = self.binary(left.clone(), strict, right.clone())?;
        let equal = self.binary(left.clone(), "=", right.clone())?;
        let rest = self.row_order(lefts, symbol, rights)?;
        Ok(Expr::test(Form::Or, vec![first, Expr::test(Form::And, vec![equal, rest])]))
    }

    /// `is [not] distinct from`
    pub(super) fn distinct(&self, left: Expr, right: Expr, negated: bool) -> Result<Expr> {
        let [left, right] = self.alike(left, "=", right)?;
        Ok(Expr::test(if negated { Form::NotDistinct } else { Form::Distinct }, vec![left, right]))
    }

    /// `operand in (list)`
    pub(super) fn in_list(&self, operand: Expr, list: Vec<Expr>) -> Result<Expr> {
        let types: Vec<Type> = list
            .iter()
            .map(|item| choose_comparison("=", &operand.ty(), &item.ty()))
            .collect::<Result<_>>()?;
        let first = types.first().cloned().unwrap_or(Type::Text);
        if fields(&operand).is_none() && types.iter().all(|ty| *ty == first) {
            let mut args = vec![self.coerce(operand, &first)?];
            for item in list {
                args.push(self.coerce(item, &first)?);
            }
            return Ok(Expr::test(Form::In, args));
        }
        let tests = list.into_iter().map(|item| self.binary(operand.clone(), "=", item));
        Ok(Expr::test(Form::Or, tests.collect::<Result<_>>()?))
    }

    /// `operand op any (array)` and `operand op all (array)`
    pub(super) fn quantified(&self, operand: Expr, symbol: &str, all: bool, array: Expr) -> Result<Expr> {
        let element = match array.ty() {
            Type::Array(element) => (*element).clone(),
            Type::Unknown => Type::Unknown,
            _ => {
                let message = "op ANY/ALL (array) requires array on right side";
                return Err(Error::new(Code::WRONG_OBJECT_TYPE, message));
            }
        };
        if let Some(compare) = Compare::of_operator(symbol) {
            let ty = choose_comparison(symbol, &operand.ty(), &element)?;
            if element == Type::Unknown && matches!(ty, Type::Array(_)) {
                let message = format!("could not find array type for data type {}", format_type(&ty, None));
                return Err(Error::new(Code::UNDEFINED_OBJECT, message));
            }
            let args = vec![self.coerce(operand, &ty)?, self.coerce(array, &ty.array())?];
            return Ok(Expr::test(if all { Form::AllOf(compare) } else { Form::AnyOf(compare) }, args));
        }
        let chosen = choose(symbol, Kind::Operator, &[operand.ty(), element])?;
        let [left, right] = &chosen.argument_types[..] else {
            return Err(Error::internal("an operator without two operands"));
        };
        let args = vec![self.coerce(operand, left)?, self.coerce(array, &right.clone().array())?];
        Ok(Expr::test(if all { Form::AllBy(chosen.function) } else { Form::AnyBy(chosen.function) }, args))
    }

    /// `operand op any (select …)` and `operand op all (select …)`
    pub(super) fn quantified_read(
        &mut self,
        operand: Expr,
        symbol: &str,
        all: bool,
        mut read: Read,
    ) -> Result<Expr> {
        let compare = match (Compare::of_operator(symbol), all) {
            (Some(compare @ Compare::Eq), false) | (Some(compare @ Compare::Ne), true) => compare,
            _ if fields(&operand).is_none() => return self.compared_with_rows(&operand, symbol, all, read),
            _ => return Err(Error::missing(format!("{symbol} of a row and a subquery"))),
        };
        if let Some(operands) = fields(&operand) {
            let operand = self.row_operand(operands, symbol, &mut read)?;
            return self.row_in_rows(operand, compare, all, read);
        }
        let [output] = &mut read.outputs[..] else { return Err(one_column()) };
        let ty = choose_comparison(symbol, &operand.ty(), &output.expr.ty())?;
        output.expr = self.coerce(output.expr.clone(), &ty)?;
        let operand = self.coerce(operand, &ty)?;
        let subquery = match all {
            true => Subquery::All { operand, compare, read },
            false => Subquery::Any { operand, compare, read },
        };
        Ok(Expr::Subquery(Box::new(subquery)))
    }

    /// `operand op any (select …)` by what there is among the rows: one that decides, or one of which nothing is known.
    fn compared_with_rows(&mut self, operand: &Expr, symbol: &str, all: bool, read: Read) -> Result<Expr> {
        if visit::computes_of_rows(operand) {
            return Err(Error::missing(format!("{symbol} of an aggregate and a subquery")));
        }
        if read.outputs.len() != 1 {
            return Err(one_column());
        }
        let again = visit::instantiate_read(&read, &mut self.ids);
        let decisive = self.having_row(read, |resolver, value| {
            let test = resolver.binary(operand.clone(), symbol, value)?;
            Ok(if all { super::expr::not(test) } else { test })
        })?;
        let unknown = self.having_row(again, |resolver, value| {
            let test = resolver.binary(operand.clone(), symbol, value)?;
            Ok(Expr::test(Form::IsNull, vec![test]))
        })?;
        Ok(Expr::Case {
            branches: vec![(decisive, Expr::bool(!all)), (unknown, Expr::null(Type::Bool))],
            otherwise: Some(Box::new(Expr::bool(all))),
            ty: Type::Bool,
        })
    }

    /// Whether a read has a row for whose only value a condition holds.
    fn having_row(
        &mut self,
        read: Read,
        condition: impl FnOnce(&mut Self, Expr) -> Result<Expr>,
    ) -> Result<Expr> {
        let mut around = self.around(read);
        let value = around.outputs.pop().map_or(Expr::null(Type::Unknown), |output| output.expr);
        around.filter = Some(condition(self, value)?);
        Ok(Expr::Subquery(Box::new(Subquery::Exists(around))))
    }

    /// The fields of a row and the outputs of a read, of common types.
    fn row_operand(&self, operands: &[Expr], symbol: &str, read: &mut Read) -> Result<Expr> {
        if operands.len() != read.outputs.len() {
            let few = if operands.len() > read.outputs.len() { "few" } else { "many" };
            return Err(Error::new(Code::SYNTAX, format!("subquery has too {few} columns")));
        }
        let mut args = Vec::new();
        for (operand, output) in operands.iter().zip(&mut read.outputs) {
            let ty = choose_comparison(symbol, &operand.ty(), &output.expr.ty())?;
            output.expr = self.coerce(output.expr.clone(), &ty)?;
            args.push(self.coerce(operand.clone(), &ty)?);
        }
        let ty = Type::Composite(types::Name::new("pg_catalog", "record"));
        Ok(Expr::Form { form: Form::Row, args, ty })
    }

    fn row_in_rows(&self, operand: Expr, compare: Compare, all: bool, read: Read) -> Result<Expr> {
        let subquery = match (all, compare) {
            (false, Compare::Eq) => Subquery::Any { operand, compare, read },
            (true, Compare::Ne) => Subquery::All { operand, compare, read },
            _ => return Err(Error::missing(format!("{} of a row and a subquery", compare.symbol()))),
        };
        Ok(Expr::Subquery(Box::new(subquery)))
    }

    /// A condition: of type boolean.
    pub(super) fn boolean(&mut self, expr: &ast::Expr, word: &str) -> Result<Expr> {
        let is_clause = matches!(word, "WHERE" | "HAVING" | "JOIN/ON" | "FILTER" | "CHECK");
        let resolved = match is_clause {
            true => self.unexpanded(clause(word), |resolver| resolver.expr(expr))?,
            false => self.expr(expr)?,
        };
        match resolved.ty() {
            Type::Bool => Ok(resolved),
            Type::Unknown => self.coerce(resolved, &Type::Bool),
            other => {
                let ty = format_type(&other, None);
                let message = format!("argument of {word} must be type boolean, not type {ty}");
                Err(Error::new(Code::DATATYPE_MISMATCH, message))
            }
        }
    }
}

/// The fields of a row constructor.
fn fields(expr: &Expr) -> Option<&[Expr]> {
    match expr {
        Expr::Form { form: Form::Row | Form::Record(_), args, .. } => Some(args),
        _ => None,
    }
}

/// What PostgreSQL calls a clause where set-returning functions may not stand.
fn clause(word: &str) -> &'static str {
    match word {
        "WHERE" => "WHERE",
        "HAVING" => "HAVING",
        "JOIN/ON" => "JOIN conditions",
        "FILTER" => "FILTER",
        "CHECK" => "check constraints",
        _ => "",
    }
}

pub(super) fn one_column() -> Error {
    Error::new(Code::SYNTAX, "subquery has too many columns")
}
