//! Loops.

use super::super::{Parsed, Parser};
use crate::ast::{Expr, StatementKind};
use crate::body::{Dynamic, Loop, Over, Rows, StepKind};
use crate::lexer::Token;

impl Parser<'_> {
    /// A loop, behind its label; `None` where none begins.
    pub(super) fn loop_step(&mut self, label: Option<String>) -> Parsed<StepKind> {
        let over = if self.eat("while") {
            Over::While(self.expr_before("loop")?)
        } else if self.eat("for") {
            self.for_loop()?
        } else if self.eat("foreach") {
            self.foreach()?
        } else {
            self.expect("loop")?;
            Over::Forever
        };
        let steps = self.body_steps()?;
        self.expect("end")?;
        self.expect("loop")?;
        self.end_label(label.as_deref())?;
        self.expect_mark(';')?;
        Ok(StepKind::Loop(Loop { label, over, steps }))
    }

    fn for_loop(&mut self) -> Parsed<Over> {
        let targets = self.target_list()?;
        self.expect("in")?;
        let length = self.ahead_of_word("loop")?;
        let reverse = self.is("reverse");
        let range = self.ahead(|token| matches!(token, Token::Op(op) if op == ".."));
        if let Ok(low) = range
            && low < length
        {
            self.at += usize::from(reverse);
            return self.range(&targets, reverse, low - usize::from(reverse));
        }
        if self.is("execute") {
            let rows = Rows::Dynamic(self.dynamic_rows("loop")?);
            self.expect("loop")?;
            return Ok(Over::Rows { targets, rows });
        }
        if let Some(over) = self.cursor_loop(&targets, length)? {
            return Ok(over);
        }
        let rows = self.rows_of(length)?;
        self.expect("loop")?;
        Ok(Over::Rows { targets, rows })
    }

    fn range(&mut self, targets: &[crate::body::Target], reverse: bool, low: usize) -> Parsed<Over> {
        let [target] = targets else { return Err(self.unexpected()) };
        let [variable] = &target.name[..] else { return Err(self.unexpected()) };
        let variable = variable.clone();
        let low = self.expr_of(low)?;
        self.at += 1;
        let length = self.ahead_of_word("loop")?;
        let by = self.ahead_of_word("by").ok().filter(|by| *by < length);
        let high = self.expr_of(by.unwrap_or(length))?;
        let step = if by.is_some() {
            self.at += 1;
            let length = self.ahead_of_word("loop")?;
            Some(self.expr_of(length)?)
        } else {
            None
        };
        self.expect("loop")?;
        Ok(Over::Range { variable, reverse, low, high, step })
    }

    /// A name alone, with or without arguments, is a cursor.
    fn cursor_loop(&mut self, targets: &[crate::body::Target], length: usize) -> Parsed<Option<Over>> {
        let with_args = matches!(self.peek_at(1), Some(Token::Mark('(')));
        let closed = self.tokens.get(self.at + 1).map_or(0, |placed| placed.closed_ahead);
        let is_cursor = length == 1 || (with_args && closed + 2 == length);
        let is_name = matches!(self.peek(), Some(Token::Word(_) | Token::Quoted(_)));
        let ([target], true, true) = (targets, is_cursor, is_name) else { return Ok(None) };
        let [variable] = &target.name[..] else { return Ok(None) };
        let variable = variable.clone();
        let cursor = self.ident()?;
        let args = if with_args { self.cursor_args()? } else { Vec::new() };
        self.expect("loop")?;
        Ok(Some(Over::Cursor { variable, cursor, args }))
    }

    /// `(a, name := b)`
    pub(super) fn cursor_args(&mut self) -> Parsed<Vec<(Option<String>, Expr)>> {
        self.in_parens(|parser| {
            parser.comma_list(|parser| {
                let is_named = matches!(parser.peek_at(1), Some(Token::Op(op)) if op == ":=" || op == "=>");
                let name = if is_named { Some(parser.ident()?) } else { None };
                parser.at += usize::from(is_named);
                Ok((name, parser.expr()?))
            })
        })
    }

    fn foreach(&mut self) -> Parsed<Over> {
        let targets = self.target_list()?;
        let slice = if self.eat("slice") {
            match self.peek() {
                Some(Token::Integer(digits)) => {
                    let slice = digits.parse().map_err(|_| self.unexpected())?;
                    self.at += 1;
                    slice
                }
                _ => return Err(self.unexpected()),
            }
        } else {
            0
        };
        self.expect("in")?;
        self.expect("array")?;
        Ok(Over::Array { targets, slice, array: self.expr_before("loop")? })
    }

    /// `execute text [using …]`, up to a word or (without one) a semicolon.
    pub(super) fn dynamic_rows(&mut self, end: &str) -> Parsed<Dynamic> {
        self.expect("execute")?;
        let is_end = |token: &Token| match token {
            Token::Word(word) => word == end && !end.is_empty(),
            token => end.is_empty() && *token == Token::Mark(';'),
        };
        let length = self.ahead(is_end)?;
        let stop = self.at + length;
        let is_using = |token: &Token| matches!(token, Token::Word(word) if word == "using");
        let text = self.ahead(is_using).ok().filter(|text| *text < length);
        let expr = self.expr_of(text.unwrap_or(length))?;
        let using = if text.is_some() {
            self.at += 1;
            self.exprs_of(stop - self.at)?
        } else {
            Vec::new()
        };
        Ok(Dynamic { text: expr, using })
    }

    /// Rows up to a semicolon, which is taken.
    pub(super) fn rows_step(&mut self) -> Parsed<Rows> {
        if self.is("execute") {
            let rows = Rows::Dynamic(self.dynamic_rows("")?);
            self.expect_mark(';')?;
            return Ok(rows);
        }
        let length = self.ahead(|token| *token == Token::Mark(';'))?;
        let rows = self.rows_of(length)?;
        self.at += 1;
        Ok(rows)
    }

    /// Rows of the next tokens.
    fn rows_of(&mut self, length: usize) -> Parsed<Rows> {
        let start = self.start();
        let tokens = self.taken(length);
        let statement: StatementKind = self.statement_of(tokens)?;
        Ok(Rows::Of { statement: Box::new(statement), span: self.since(start) })
    }
}
