//! `declare`.

use super::super::{Parsed, Parser};
use crate::Diagnostic;
use crate::ast::TypeName;
use crate::body::{AliasOf, Declaration, Declared, VariableType};
use crate::lexer::Token;

impl Parser<'_> {
    pub(super) fn declarations(&mut self) -> Parsed<Vec<Declaration>> {
        let mut declarations = Vec::new();
        while !self.is("begin") {
            // The word may be said before each of them.
            if self.eat("declare") {
                continue;
            }
            let start = self.start();
            let name = self.ident()?;
            if declarations.iter().any(|known: &Declaration| known.name == name) {
                let message = format!("duplicate declaration at or near \"{name}\"");
                return Err(Diagnostic::new(self.since(start), message));
            }
            let kind = self.declared()?;
            declarations.push(Declaration { name, kind, span: self.since(start) });
        }
        Ok(declarations)
    }

    fn declared(&mut self) -> Parsed<Declared> {
        if self.eat_all(&["alias", "for"]) {
            let of = match self.peek() {
                Some(Token::Param(position)) => {
                    let position = *position;
                    self.at += 1;
                    AliasOf::Parameter(position)
                }
                _ => AliasOf::Variable(self.dotted()?),
            };
            self.expect_mark(';')?;
            return Ok(Declared::Alias(of));
        }
        if self.is("cursor") || self.are(&["scroll", "cursor"]) || self.are(&["no", "scroll", "cursor"]) {
            return self.cursor();
        }
        let constant = self.eat("constant");
        let ty = self.variable_type()?;
        if self.eat("collate") {
            self.object_name()?;
        }
        let not_null = self.eat_all(&["not", "null"]);
        let default = if self.eat_op(":=") || self.eat_op("=") || self.eat("default") {
            Some(self.expr_before_mark(';')?)
        } else {
            self.expect_mark(';')?;
            None
        };
        Ok(Declared::Variable { ty, constant, not_null, default })
    }

    fn cursor(&mut self) -> Parsed<Declared> {
        let is_forward_only = self.eat("no");
        self.eat("scroll");
        self.expect("cursor")?;
        let parameters = if self.is_mark('(') {
            self.in_parens(|parser| {
                parser.comma_list(|parser| {
                    let name = parser.ident()?;
                    Ok((name, parser.type_name()?))
                })
            })?
        } else {
            Vec::new()
        };
        if !self.eat("for") {
            self.expect("is")?;
        }
        let query = Box::new(self.query()?);
        self.expect_mark(';')?;
        Ok(Declared::Cursor { is_forward_only, parameters, query })
    }

    pub(super) fn dotted(&mut self) -> Parsed<Vec<String>> {
        let mut parts = vec![self.ident()?];
        while self.eat_mark('.') {
            parts.push(self.ident()?);
        }
        Ok(parts)
    }

    fn variable_type(&mut self) -> Parsed<VariableType> {
        let before = self.at;
        if let Some(Token::Param(position)) = self.peek() {
            // A parameter is a variable of this name.
            let name = format!("${position}");
            self.at += 1;
            if !self.is_op("%") || !self.is_at(1, "type") {
                self.at = before;
                return Err(self.unexpected());
            }
            self.at += 2;
            return Ok(VariableType::Like(vec![name], self.array_dims()?));
        }
        let parts = self.dotted()?;
        if self.is_op("%") && self.is_at(1, "type") {
            self.at += 2;
            let dimensions = self.array_dims()?;
            return Ok(VariableType::Like(parts, dimensions));
        }
        let is_row = self.is_op("%") && self.is_at(1, "rowtype");
        self.at = before;
        if is_row {
            let name = self.object_name()?;
            self.at += 2;
            return Ok(VariableType::RowOf(name));
        }
        let ty: TypeName = self.type_name()?;
        Ok(VariableType::Named(ty))
    }
}
