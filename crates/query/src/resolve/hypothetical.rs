//! `rank(a) within group (order by k)` and its like: where a row would stand among the rows of a group (PostgreSQL 9.21).
//!
//! They are counts of the rows before it, and of those beside it.

use sql::ast::{Call, OrderItem};
use types::ty::format_type;
use types::{Code, Error, Result, Type, Value};

use super::Resolver;
use super::calls::ordered;
use super::expr::not;
use crate::functions::choose_aggregate;
use crate::ir::{Expr, Form, Order};

/// Whether a name is that of such an aggregate: the window functions of these names say the same of rows that are there.
pub(super) fn is_hypothetical(name: &str) -> bool {
    matches!(name, "rank" | "dense_rank" | "percent_rank" | "cume_dist")
}

/// Which rows are counted.
struct Counted {
    /// Those before the row that there might be.
    before: Expr,
    /// Those that equal it.
    beside: Expr,
    /// All of which the aggregate is asked.
    filter: Option<Expr>,
}

impl Resolver<'_> {
    pub(super) fn hypothetical(&mut self, call: &Call) -> Result<Expr> {
        let given = self.arguments(call)?;
        if given.len() != call.within_group.len() {
            let mut types: Vec<String> = given.iter().map(|arg| format_type(&arg.ty(), None)).collect();
            for key in &call.within_group {
                types.push(format_type(&self.expr(&key.expr)?.ty(), None));
            }
            let message = format!("function {}({}) does not exist", call.name.name, types.join(", "));
            let hint = format!(
                "To use the hypothetical-set aggregate {}, the number of hypothetical direct arguments (here {}) must match the number of ordering columns (here {}).",
                call.name.name,
                given.len(),
                call.within_group.len()
            );
            return Err(Error::new(Code::UNDEFINED_FUNCTION, message).with_hint(hint));
        }
        let keys = self.keys_beside(&given, &call.within_group)?;
        let filter = call.filter.as_ref().map(|filter| self.boolean(filter, "FILTER")).transpose()?;
        let counted = self.places(given, &keys, filter)?;
        let value = match call.name.name.as_str() {
            "rank" => self.one_more(counted.count(&counted.before)?)?,
            "dense_rank" => {
                let row = keys.into_iter().map(|key| key.expr).collect();
                self.one_more(counted.count_distinct(row)?)?
            }
            "percent_rank" => {
                let (before, all) = (counted.count(&counted.before)?, counted.count(&Expr::bool(true))?);
                let share = self.share(before, all.clone())?;
                let none = self.binary(all, "=", zero(Type::Int8))?;
                let nothing = Expr::Const { value: Value::Float(0.0), ty: Type::Float8 };
                Expr::Case {
                    branches: vec![(none, nothing)],
                    otherwise: Some(Box::new(share)),
                    ty: Type::Float8,
                }
            }
            _ => {
                let upto = Expr::test(Form::Or, vec![counted.before.clone(), counted.beside.clone()]);
                let upto = self.one_more(counted.count(&upto)?)?;
                let all = self.one_more(counted.count(&Expr::bool(true))?)?;
                self.share(upto, all)?
            }
        };
        Ok(value)
    }

    /// The keys of the order, each of a type with what it is compared with.
    fn keys_beside(&mut self, given: &[Expr], items: &[OrderItem]) -> Result<Vec<Order>> {
        let mut keys = Vec::new();
        for (value, item) in given.iter().zip(items) {
            let key = self.expr(&item.expr)?;
            let types = [value.ty(), key.ty()];
            let common = crate::functions::common_type("WITHIN GROUP", &types)?;
            keys.push(ordered(self.coerce(key, &common)?, item)?);
        }
        Ok(keys)
    }

    /// Which rows are before and beside one of these values: key by key, nulls where the order has them.
    fn places(&mut self, given: Vec<Expr>, keys: &[Order], filter: Option<Expr>) -> Result<Counted> {
        let mut before = Expr::bool(false);
        let mut beside = Expr::bool(true);
        for (value, key) in given.into_iter().zip(keys).rev() {
            let value = self.coerce(value, &key.expr.ty())?;
            let less =
                self.binary(key.expr.clone(), if key.descending { ">" } else { "<" }, value.clone())?;
            let is_null = |expr: &Expr| Expr::test(Form::IsNull, vec![expr.clone()]);
            let (first, last) = if key.nulls_first { (&key.expr, &value) } else { (&value, &key.expr) };
            let by_null = Expr::test(Form::And, vec![is_null(first), not(is_null(last))]);
            let less = Expr::test(
                Form::Or,
                vec![Expr::test(Form::IsBool { value: true, negated: false }, vec![less]), by_null],
            );
            let same = self.distinct(key.expr.clone(), value, true)?;
            before = Expr::test(Form::Or, vec![less, Expr::test(Form::And, vec![same.clone(), before])]);
            beside = Expr::test(Form::And, vec![same, beside]);
        }
        Ok(Counted { before, beside, filter })
    }

    fn one_more(&self, count: Expr) -> Result<Expr> {
        self.binary(count, "+", Expr::Const { value: Value::Int(1), ty: Type::Int8 })
    }

    fn share(&mut self, part: Expr, whole: Expr) -> Result<Expr> {
        let part = self.cast(part, &Type::Float8, None)?;
        let whole = self.cast(whole, &Type::Float8, None)?;
        self.binary(part, "/", whole)
    }
}

fn zero(ty: Type) -> Expr {
    Expr::Const { value: Value::Int(0), ty }
}

impl Counted {
    fn filtered(&self, condition: &Expr) -> Option<Box<Expr>> {
        let conditions = self.filter.iter().cloned().chain([condition.clone()]).collect();
        Some(Box::new(Expr::test(Form::And, conditions)))
    }

    /// How many of the rows a condition holds for.
    fn count(&self, condition: &Expr) -> Result<Expr> {
        let chosen = choose_aggregate("count", &[])?;
        Ok(Expr::Aggregate {
            aggregate: chosen.aggregate,
            args: Vec::new(),
            distinct: false,
            filter: self.filtered(condition),
            order: Vec::new(),
            ty: chosen.result,
        })
    }

    /// How many different ones are before.
    fn count_distinct(&self, mut row: Vec<Expr>) -> Result<Expr> {
        let value = match (row.pop(), row.is_empty()) {
            (Some(only), true) => Expr::Form { form: Form::Array, ty: only.ty().array(), args: vec![only] },
            _ => return Err(Error::missing("dense_rank() WITHIN GROUP of several keys")),
        };
        let chosen = choose_aggregate("count", &[value.ty()])?;
        Ok(Expr::Aggregate {
            aggregate: chosen.aggregate,
            args: vec![value],
            distinct: true,
            filter: self.filtered(&self.before),
            order: Vec::new(),
            ty: chosen.result,
        })
    }
}
