//! Subscripts of arrays and of JSON (PostgreSQL 4.2.3, 8.14.5).

use sql::ast::{self, ExprKind};
use types::ty::format_type;
use types::{Code, Error, Result, Type, Value, cast};

use super::Resolver;
use crate::functions::{Kind, choose};
use crate::ir::Expr;

/// The bounds of a slice, where they are written.
type Bounds<'e> = (Option<&'e ast::Expr>, Option<&'e ast::Expr>);

impl Resolver<'_> {
    /// `expr[index]…`; of a JSON value it is `->`.
    pub(super) fn subscript<'e>(
        &mut self,
        expr: &'e ast::Expr,
        mut indexes: Vec<&'e ast::Expr>,
    ) -> Result<Expr> {
        match &*expr.kind {
            ExprKind::Index { expr, index } => {
                indexes.insert(0, index);
                return self.subscript(expr, indexes);
            }
            ExprKind::Slice { enclosed: false, .. } => {
                return self.slices(expr, indexes.into_iter().map(|index| (None, Some(index))).collect());
            }
            _ => {}
        }
        let mut within = self.expr(expr)?;
        if within.ty() == Type::Jsonb {
            for index in indexes {
                let index = self.expr(index)?;
                within = self.binary(within, "->", index)?;
            }
            return Ok(within);
        }
        let mut args = vec![within];
        for index in indexes {
            args.push(self.index(index)?);
        }
        subscripted("[]", args)
    }

    /// `expr[low:high]`; a bound that is not written is the array's own.
    pub(super) fn slice(
        &mut self,
        expr: &ast::Expr,
        low: Option<&ast::Expr>,
        high: Option<&ast::Expr>,
    ) -> Result<Expr> {
        self.slices(expr, vec![(low, high)])
    }

    fn slices<'e>(&mut self, expr: &'e ast::Expr, mut bounds: Vec<Bounds<'e>>) -> Result<Expr> {
        match &*expr.kind {
            // Of several subscripts one of which is a slice, all are: a number is its own upper bound.
            ExprKind::Index { expr, index } => {
                bounds.insert(0, (None, Some(index)));
                return self.slices(expr, bounds);
            }
            ExprKind::Slice { expr, low, high, enclosed: false } => {
                bounds.insert(0, (low.as_ref(), high.as_ref()));
                return self.slices(expr, bounds);
            }
            _ => {}
        }
        let own = |bound: i32| Expr::Const { value: Value::Int(bound.into()), ty: Type::Int4 };
        let mut args = vec![self.expr(expr)?];
        for (low, high) in bounds {
            args.push(low.map_or_else(|| Ok(own(1)), |low| self.index(low))?);
            args.push(high.map_or_else(|| Ok(own(i32::MAX)), |high| self.index(high))?);
        }
        subscripted("[:]", args)
    }

    fn index(&mut self, index: &ast::Expr) -> Result<Expr> {
        let index = self.expr(index)?;
        let context = cast::context(&index.ty(), &Type::Int4);
        if context.is_some_and(|context| context >= cast::Context::Assignment) {
            return self.coerce(index, &Type::Int4);
        }
        Err(Error::new(Code::DATATYPE_MISMATCH, "array subscript must have type integer"))
    }
}

fn subscripted(name: &str, args: Vec<Expr>) -> Result<Expr> {
    let types: Vec<Type> = args.iter().map(Expr::ty).collect();
    if let Some(odd) = types.first().filter(|ty| !matches!(ty, Type::Array(_))) {
        let ty = format_type(odd, None);
        let message = format!("cannot subscript type {ty} because it does not support subscripting");
        return Err(Error::new(Code::DATATYPE_MISMATCH, message));
    }
    let chosen = choose(name, Kind::Operator, &types)?;
    Ok(Expr::Apply { function: chosen.function, args, ty: chosen.result })
}
