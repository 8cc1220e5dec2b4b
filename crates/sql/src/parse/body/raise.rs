//! `raise`.

use super::super::{Parsed, Parser};
use crate::body::{Level, Raise, Raised};
use crate::lexer::Token;

/// Words of levels.
const LEVELS: &[(&str, Level)] = &[
    ("debug", Level::Debug),
    ("log", Level::Log),
    ("info", Level::Info),
    ("notice", Level::Notice),
    ("warning", Level::Warning),
    ("exception", Level::Exception),
];

impl Parser<'_> {
    /// Behind the word.
    pub(super) fn raise(&mut self) -> Parsed<Raise> {
        let level = LEVELS.iter().find(|(word, _)| self.is(word)).map(|(_, level)| *level);
        self.at += usize::from(level.is_some());
        let level = level.unwrap_or(Level::Exception);
        let what = self.raised()?;
        let options = if self.eat("using") { self.raise_options()? } else { Vec::new() };
        self.expect_mark(';')?;
        Ok(Raise { level, what, options })
    }

    fn raised(&mut self) -> Parsed<Raised> {
        if self.is_mark(';') || self.is("using") {
            return Ok(Raised::Nothing);
        }
        if self.eat("sqlstate") {
            return self.string().map(Raised::State);
        }
        let Some(Token::String(_)) = self.peek() else { return self.ident().map(Raised::Condition) };
        let message = self.string()?;
        let mut args = Vec::new();
        while self.eat_mark(',') {
            let is_end = |token: &Token| match token {
                Token::Mark(',' | ';') => true,
                Token::Word(word) => word == "using",
                _ => false,
            };
            let length = self.ahead(is_end)?;
            args.push(self.expr_of(length)?);
        }
        Ok(Raised::Message(message, args))
    }

    fn raise_options(&mut self) -> Parsed<Vec<(String, crate::ast::Expr)>> {
        let mut options = Vec::new();
        loop {
            let name = self.ident()?;
            if !self.eat_op("=") && !self.eat_op(":=") {
                return Err(self.unexpected());
            }
            let length = self.ahead(|token| matches!(token, Token::Mark(',' | ';')))?;
            options.push((name, self.expr_of(length)?));
            if !self.eat_mark(',') {
                return Ok(options);
            }
        }
    }
}
