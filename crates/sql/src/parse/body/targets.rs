//! What is assigned to, and `into`.

use super::super::{Parsed, Parser};
use crate::Diagnostic;
use crate::body::{Into, Part, Target};
use crate::lexer::{Placed, Token};

impl Parser<'_> {
    pub(super) fn assigned(&mut self) -> Parsed<Target> {
        let start = self.start();
        let mut target =
            Target { name: Vec::new(), parameter: None, parts: Vec::new(), span: self.since(start) };
        if let Some(Token::Param(position)) = self.peek() {
            target.parameter = Some(*position);
            self.at += 1;
        } else {
            target.name = self.dotted()?;
        }
        loop {
            if self.is_mark('[') {
                let part = self.element()?;
                target.parts.push(part);
            } else if self.eat_mark('.') {
                target.parts.push(Part::Field(self.ident()?));
            } else {
                target.span = self.since(start);
                return Ok(target);
            }
        }
    }

    pub(in crate::parse) fn element(&mut self) -> Parsed<Part> {
        self.expect_mark('[')?;
        let is_slice = self.ahead(|token| matches!(token, Token::Op(op) if op == ":"));
        if let Ok(length) = is_slice {
            let low = if length == 0 { None } else { Some(self.expr_of(length)?) };
            self.at += 1;
            let high = if self.is_mark(']') { None } else { Some(self.expr()?) };
            self.expect_mark(']')?;
            return Ok(Part::Slice(low, high));
        }
        let index = self.expr()?;
        self.expect_mark(']')?;
        Ok(Part::Element(index))
    }

    /// Whether an assignment begins here: a name, parts, and `:=` or `=`.
    pub(super) fn is_assignment(&self) -> bool {
        if !matches!(self.peek(), Some(Token::Word(_) | Token::Quoted(_) | Token::Param(_))) {
            return false;
        }
        let mut at = self.at + 1;
        while let Some(placed) = self.tokens.get(at) {
            match &placed.token {
                Token::Mark('.') => at += 2,
                Token::Mark('[') if placed.closed_ahead > 0 => at += placed.closed_ahead + 1,
                Token::Op(op) => return op == ":=" || op == "=",
                _ => return false,
            }
        }
        false
    }

    pub(super) fn target_list(&mut self) -> Parsed<Vec<Target>> {
        self.comma_list(Parser::assigned)
    }

    /// `into`, behind the word.
    pub(super) fn targets_behind(&mut self) -> Parsed<Into> {
        let start =
            self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(0, |into| into.span.start);
        let strict = self.eat("strict");
        let targets = self.target_list()?;
        Ok(Into { strict, targets, span: types::Span::new(start, self.start()) })
    }

    /// The tokens of a statement without its `into`, and what that says.
    pub(super) fn without_into(&mut self, length: usize) -> Parsed<(Vec<Placed>, Option<Into>)> {
        let end = self.at + length;
        let mut tokens: Vec<Placed> = Vec::with_capacity(length);
        let mut into = None;
        while self.at < end {
            let follows_insert =
                matches!(tokens.last(), Some(Placed { token: Token::Word(word), .. }) if word == "insert");
            if self.is("into") && !follows_insert {
                let span = self.since(self.start());
                if into.is_some() {
                    return Err(Diagnostic::new(span, "INTO specified more than once"));
                }
                self.at += 1;
                into = Some(self.targets_behind()?);
                continue;
            }
            tokens.extend(self.tokens.get(self.at).cloned());
            self.at += 1;
        }
        Ok((if into.is_some() { Parser::paired(tokens) } else { tokens }, into))
    }
}
