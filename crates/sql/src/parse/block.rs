//! Blocks of PL/pgSQL that only decide which statements are executed: what `do` says in schemas. Others are not read.

use super::{Parsed, Parser, checked_tokens};
use crate::ast::{Block, Condition, Handler, StatementKind, Step};
use crate::lexer::Token;

/// Words that begin a step which does more than execute a statement.
const OTHER_STEPS: &[&str] = &[
    "declare", "perform", "return", "for", "foreach", "loop", "while", "case", "get", "exit", "continue",
    "open", "fetch", "move", "close", "call", "assert", "select", "with",
];

/// Levels of `raise` that only say something.
const SAID: &[&str] = &["debug", "log", "info", "notice", "warning"];

/// A block of nothing but conditions and statements; `None` for any other.
pub fn parse_block(text: &str) -> Option<Block> {
    let (tokens, complaints) = checked_tokens(text).ok()?;
    if !complaints.is_empty() {
        return None;
    }
    let mut parser = Parser { text, tokens: &tokens, at: 0, depth: 0 };
    let block = parser.block().ok()?;
    parser.eat_mark(';');
    parser.done().then_some(block)
}

impl Parser<'_> {
    fn block(&mut self) -> Parsed<Block> {
        self.expect("begin")?;
        let steps = self.deeper(|parser| parser.steps())?;
        let handlers = if self.eat("exception") { self.handlers()? } else { Vec::new() };
        self.expect("end")?;
        Ok(Block { steps, handlers })
    }

    /// `when condition or condition then …`
    fn handlers(&mut self) -> Parsed<Vec<Handler>> {
        let mut handlers = Vec::new();
        while self.eat("when") {
            let mut conditions = vec![self.ident()?];
            while self.eat("or") {
                conditions.push(self.ident()?);
            }
            self.expect("then")?;
            handlers.push(Handler { conditions, steps: self.deeper(|parser| parser.steps())? });
        }
        Ok(handlers)
    }

    fn steps(&mut self) -> Parsed<Vec<Step>> {
        let mut steps = Vec::new();
        while !["end", "exception", "when", "else", "elsif", "elseif"].iter().any(|word| self.is(word)) {
            steps.extend(self.step()?);
        }
        Ok(steps)
    }

    fn step(&mut self) -> Parsed<Vec<Step>> {
        if self.is("if") {
            return Ok(vec![self.conditional()?]);
        }
        if self.is("begin") {
            let block = self.block()?;
            self.expect_mark(';')?;
            return Ok(vec![Step::Block(block)]);
        }
        if self.eat("null") {
            self.expect_mark(';')?;
            return Ok(Vec::new());
        }
        if self.is("raise") && SAID.iter().any(|level| self.is_at(1, level)) {
            self.at = self.step_end()? + 1;
            return Ok(Vec::new());
        }
        if self.is("execute") {
            return self.dynamic();
        }
        self.plain_step().map(|kind| vec![Step::Statement(kind)])
    }

    fn conditional(&mut self) -> Parsed<Step> {
        let mut branches = Vec::new();
        while self.eat("if") || self.eat("elsif") || self.eat("elseif") {
            let condition = self.expr()?;
            self.expect("then")?;
            branches.push(Condition { condition, steps: self.deeper(|parser| parser.steps())? });
        }
        let otherwise = if self.eat("else") { self.deeper(|parser| parser.steps())? } else { Vec::new() };
        self.expect("end")?;
        self.expect("if")?;
        self.expect_mark(';')?;
        Ok(Step::If { branches, otherwise })
    }

    /// `execute 'statement'`: of a text that is written there.
    fn dynamic(&mut self) -> Parsed<Vec<Step>> {
        self.expect("execute")?;
        let text = self.string()?;
        self.expect_mark(';')?;
        let (statements, complaints) = super::parse(&text);
        match complaints.into_iter().next() {
            Some(complaint) => Err(complaint),
            None => Ok(statements.into_iter().map(|statement| Step::Statement(statement.kind)).collect()),
        }
    }

    fn plain_step(&mut self) -> Parsed<StatementKind> {
        if OTHER_STEPS.iter().any(|word| self.is(word)) {
            return Err(self.unexpected());
        }
        let end = self.step_end()?;
        let mut statement =
            Parser { text: self.text, tokens: &self.tokens[self.at..end], at: 0, depth: self.depth };
        let kind = statement.whole_statement()?;
        if matches!(kind, StatementKind::Other(_) | StatementKind::Transaction(_)) {
            return Err(self.unexpected());
        }
        self.at = end + 1;
        Ok(kind)
    }

    /// Where the semicolon of this step stands.
    fn step_end(&self) -> Parsed<usize> {
        let rest = self.tokens.iter().skip(self.at);
        let ahead = rest.take_while(|placed| placed.token != Token::Mark(';')).count();
        let end = self.at + ahead;
        if end < self.tokens.len() { Ok(end) } else { Err(self.unexpected()) }
    }
}
