//! Typed expressions that no SQL text says: their literals, operators, casts and calls follow the rules of text.

use std::sync::Arc;

use catalog::Catalog;
use sql::ast::ExprKind;
use types::session::Session;
use types::{Code, Error, Modifier, Result, Type, Value};

use super::Resolver;
use crate::functions::choose_aggregate;
use crate::ir::Expr;

/// The rules, for one search path and session.
pub struct Typing<'a>(pub(super) Resolver<'a>);

impl<'a> Typing<'a> {
    /// The rules where unqualified types are looked for in `path` and literals are read in `session`.
    pub fn new(catalog: &'a Catalog, path: Vec<Arc<str>>, session: Session) -> Typing<'a> {
        Typing(Resolver { path, session, ..Resolver::new(catalog, &[]) })
    }

    /// The same for a role, which does not see schemas that it may not use.
    pub fn asked_by(self, role: &str) -> Typing<'a> {
        let asker = Some(self.0.catalog.memberships(role).into());
        Typing(Resolver { asker, ..self.0 })
    }

    /// A literal whose type what stands around it decides.
    pub fn untyped(text: &str) -> Expr {
        Expr::Const { value: Value::text(text), ty: Type::Unknown }
    }

    /// A literal read as a type.
    ///
    /// # Errors
    /// What the type's input function refuses; `0A000` for types without one.
    pub fn literal(&self, text: &str, ty: &Type) -> Result<Expr> {
        self.0.literal(Value::text(text), ty, None)
    }

    /// `left symbol right`
    ///
    /// # Errors
    /// `42883` and `42725` when no operator or several fit, and those of literals.
    pub fn binary(&self, left: Expr, symbol: &str, right: Expr) -> Result<Expr> {
        self.0.binary(left, symbol, right)
    }

    /// `left is distinct from right`
    ///
    /// # Errors
    /// As [`Typing::binary`].
    pub fn distinct(&self, left: Expr, right: Expr) -> Result<Expr> {
        self.0.distinct(left, right, false)
    }

    /// `operand in (list)`
    ///
    /// # Errors
    /// As [`Typing::binary`].
    pub fn in_list(&self, operand: Expr, list: Vec<Expr>) -> Result<Expr> {
        self.0.in_list(operand, list)
    }

    /// `operand symbol any (array)`, or `all`.
    ///
    /// # Errors
    /// As [`Typing::binary`].
    pub fn quantified(&self, operand: Expr, symbol: &str, all: bool, array: Expr) -> Result<Expr> {
        self.0.quantified(operand, symbol, all, array)
    }

    /// `cast(expr as ty)`
    ///
    /// # Errors
    /// `42846` when there is no such cast, and those of literals.
    pub fn cast(&self, expr: Expr, ty: &Type, modifier: Option<Modifier>) -> Result<Expr> {
        self.0.cast(expr, ty, modifier)
    }

    /// A call of a function.
    ///
    /// # Errors
    /// As [`Typing::binary`].
    pub fn call(&self, name: &str, args: Vec<Expr>) -> Result<Expr> {
        self.0.apply(name, args)
    }

    /// A call of an aggregate; of all rows without an argument.
    ///
    /// # Errors
    /// As [`Typing::binary`].
    pub fn aggregate(&self, name: &str, argument: Option<Expr>) -> Result<Expr> {
        let types: Vec<Type> = argument.iter().map(Expr::ty).collect();
        let chosen = choose_aggregate(name, &types)?;
        Ok(Expr::Aggregate {
            aggregate: chosen.aggregate,
            args: self.0.coerce_all(argument.into_iter().collect(), &chosen.argument_types)?,
            distinct: false,
            filter: None,
            order: Vec::new(),
            ty: chosen.result,
        })
    }

    /// The type that a written name means.
    ///
    /// # Errors
    /// `42601` for what is no name of a type, `42704` when there is none of that name.
    pub fn type_named(&self, name: &str) -> Result<(Type, Option<Modifier>)> {
        let refuse = || Error::new(Code::SYNTAX, format!("syntax error in the type \"{name}\""));
        let parsed = sql::parse_expr(&format!("cast(null as {name})")).map_err(|_| refuse())?;
        let ExprKind::Cast { ty, .. } = &*parsed.kind else { return Err(refuse()) };
        self.0.cast_target(ty)
    }
}
