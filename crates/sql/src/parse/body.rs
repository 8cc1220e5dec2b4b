//! PL/pgSQL's shell: blocks, declarations, control. What stands in it is SQL, read as anywhere else.
//!
//! As in PostgreSQL an expression goes up to the word or mark that must follow it, and may be everything that can stand behind
//! `select`; `into` and its targets are taken out of a statement before it is read.

mod declarations;
mod loops;
mod raise;
mod steps;
mod targets;

use types::Span;

use super::{Parsed, Parser, checked_tokens};
use crate::Diagnostic;
use crate::ast::{Expr, ExprKind, Query, StatementKind};
use crate::body::{Block, Body, Condition, Handler, NameConflict, Step};
use crate::lexer::{Placed, Token, pair_marks};

/// Reads the body of a function in PL/pgSQL.
///
/// # Errors
/// The first complaint about it.
pub fn parse_body(text: &str) -> Result<Body, Diagnostic> {
    let (Options { conflict, says_strict_parameters }, rest) = options(text)?;
    let (mut tokens, complaints) = checked_tokens(text)?;
    if let Some(complaint) = complaints.into_iter().find(|said| said.span.start >= rest) {
        return Err(complaint);
    }
    tokens.retain(|placed| placed.span.start >= rest);
    let tokens = from_one(tokens);
    let is_word = |placed: &Placed, word: &str| matches!(&placed.token, Token::Word(found) if found == word);
    let names_current = tokens.windows(2).any(|pair| is_word(&pair[0], "current") && is_word(&pair[1], "of"));
    let mut parser = Parser { text, tokens: &tokens, at: 0, depth: 0 };
    let block = parser.labeled_block()?;
    parser.eat_mark(';');
    if parser.done() {
        Ok(Body { conflict, says_strict_parameters, names_current, block })
    } else {
        Err(parser.unexpected())
    }
}

/// The arguments of a trigger are the only array that begins at 0: its subscripts are written as those of one that begins at 1.
fn from_one(tokens: Vec<Placed>) -> Vec<Placed> {
    let is_open = |at: usize| {
        let is_name = matches!(&tokens[at].token, Token::Word(word) if word == "tg_argv");
        is_name
            && tokens.get(at + 1).is_some_and(|next| next.token == Token::Mark('[') && next.closed_ahead > 1)
    };
    let ends: Vec<usize> =
        (0..tokens.len()).filter(|at| is_open(*at)).map(|at| at + 1 + tokens[at + 1].closed_ahead).collect();
    if ends.is_empty() {
        return tokens;
    }
    let mut shifted = Vec::with_capacity(tokens.len() + 2 * ends.len());
    for (at, placed) in tokens.into_iter().enumerate() {
        if ends.contains(&at) {
            for token in [Token::Op("+".to_owned()), Token::Integer("1".to_owned())] {
                shifted.push(Placed { token, ..placed.clone() });
            }
        }
        shifted.push(placed);
    }
    Parser::paired(shifted)
}

/// What lines with `#` before the first block say.
#[derive(Default)]
struct Options {
    conflict: Option<NameConflict>,
    says_strict_parameters: bool,
}

/// Lines with `#` before the first block, and where they end.
fn options(text: &str) -> Parsed<(Options, u32)> {
    let mut found = Options::default();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let said = line.trim();
        let end = at + line.len();
        if let Some(option) = said.strip_prefix('#') {
            let words: Vec<&str> = option.split_whitespace().collect();
            match words[..] {
                ["variable_conflict", "error"] => found.conflict = Some(NameConflict::Error),
                ["variable_conflict", "use_variable"] => found.conflict = Some(NameConflict::UseVariable),
                ["variable_conflict", "use_column"] => found.conflict = Some(NameConflict::UseColumn),
                ["option", "dump"] => {}
                ["print_strict_params", "on"] => found.says_strict_parameters = true,
                ["print_strict_params", "off"] => found.says_strict_parameters = false,
                _ => {
                    let message = format!("unrecognized option {said}");
                    return Err(Diagnostic::new(placed(at, end), message));
                }
            };
        } else if !said.is_empty() && !said.starts_with("--") {
            break;
        }
        at = end;
    }
    Ok((found, placed(at, at).start))
}

/// From the first token to the last.
fn between(tokens: &[Placed]) -> Span {
    let start = tokens.first().map_or(0, |placed| placed.span.start);
    Span::new(start, tokens.last().map_or(start, |placed| placed.span.end))
}

fn placed(start: usize, end: usize) -> Span {
    Span::new(u32::try_from(start).unwrap_or(u32::MAX), u32::try_from(end).unwrap_or(u32::MAX))
}

/// Words that end a list of statements.
const ENDS: &[&str] = &["end", "exception", "when", "else", "elsif", "elseif"];

impl Parser<'_> {
    /// `<<label>>`, if there is one.
    fn body_label(&mut self) -> Parsed<Option<String>> {
        if !self.eat_op("<<") {
            return Ok(None);
        }
        let label = self.ident()?;
        if self.eat_op(">>") { Ok(Some(label)) } else { Err(self.unexpected()) }
    }

    fn labeled_block(&mut self) -> Parsed<Block> {
        let label = self.body_label()?;
        self.body_block(label)
    }

    fn body_block(&mut self, label: Option<String>) -> Parsed<Block> {
        self.enter()?;
        let declarations = if self.eat("declare") { self.declarations()? } else { Vec::new() };
        self.expect("begin")?;
        let steps = self.body_steps()?;
        let handlers = if self.eat("exception") { self.body_handlers()? } else { Vec::new() };
        self.expect("end")?;
        self.end_label(label.as_deref())?;
        self.leave();
        Ok(Block { label, declarations, steps, handlers })
    }

    /// The label that may stand behind `end`: the one before the block.
    fn end_label(&mut self, label: Option<&str>) -> Parsed<()> {
        if self.is_mark(';') || self.done() {
            return Ok(());
        }
        let span = self.since(self.start());
        let found = self.ident()?;
        match label {
            Some(label) if label == found => Ok(()),
            Some(label) => {
                let message = format!("end label \"{found}\" differs from block's label \"{label}\"");
                Err(Diagnostic::new(span, message))
            }
            None => {
                let message = format!("end label \"{found}\" specified for unlabeled block");
                Err(Diagnostic::new(span, message))
            }
        }
    }

    fn body_handlers(&mut self) -> Parsed<Vec<Handler>> {
        let mut handlers = Vec::new();
        while self.eat("when") {
            let mut conditions = vec![self.body_condition()?];
            while self.eat("or") {
                conditions.push(self.body_condition()?);
            }
            self.expect("then")?;
            handlers.push(Handler { conditions, steps: self.body_steps()? });
        }
        if handlers.is_empty() { Err(self.unexpected()) } else { Ok(handlers) }
    }

    fn body_condition(&mut self) -> Parsed<Condition> {
        if self.eat("sqlstate") {
            return self.string().map(Condition::State);
        }
        self.ident().map(Condition::Named)
    }

    fn body_steps(&mut self) -> Parsed<Vec<Step>> {
        let mut steps = Vec::new();
        while !ENDS.iter().any(|word| self.is(word)) {
            let start = self.start();
            let kind = self.deeper(|parser| parser.body_step())?;
            steps.push(Step { kind, span: self.since(start) });
        }
        Ok(steps)
    }

    /// How many tokens there are up to one that stands outside of parentheses and for which `stop` holds.
    fn ahead(&self, stop: impl Fn(&Token) -> bool) -> Parsed<usize> {
        let mut at = self.at;
        while let Some(placed) = self.tokens.get(at) {
            if stop(&placed.token) {
                return Ok(at - self.at);
            }
            // Where a statement ends, nothing that belongs to it can follow.
            if placed.token == Token::Mark(';') {
                break;
            }
            at += placed.closed_ahead + 1;
        }
        let end = Parser { at, ..Parser { text: self.text, tokens: self.tokens, at: 0, depth: 0 } };
        Err(end.unexpected())
    }

    fn ahead_of_word(&self, word: &str) -> Parsed<usize> {
        self.ahead(|token| matches!(token, Token::Word(found) if found == word))
    }

    /// An expression up to a mark, which is taken.
    fn expr_before_mark(&mut self, mark: char) -> Parsed<Expr> {
        let length = self.ahead(|token| *token == Token::Mark(mark))?;
        let expr = self.expr_of(length)?;
        self.at += 1;
        Ok(expr)
    }

    /// An expression up to a word, which is taken.
    fn expr_before(&mut self, word: &str) -> Parsed<Expr> {
        let length = self.ahead_of_word(word)?;
        let expr = self.expr_of(length)?;
        self.at += 1;
        Ok(expr)
    }

    /// An expression of the next tokens: everything that may stand behind `select`.
    fn expr_of(&mut self, length: usize) -> Parsed<Expr> {
        let tokens = self.taken(length);
        if tokens.is_empty() {
            self.at -= length;
            return Err(self.unexpected());
        }
        let mut inner = Parser { text: self.text, tokens, at: 0, depth: self.depth };
        let span = between(tokens);
        let complaint = match inner.expr() {
            // What it says may stand in parentheses.
            Ok(expr) if inner.done() => return Ok(Expr { span, ..expr }),
            Ok(_) => inner.unexpected(),
            Err(complaint) => complaint,
        };
        let query = self.query_without_select(tokens).map_err(|_| complaint)?;
        Ok(Expr { kind: Box::new(ExprKind::Subquery(Box::new(query))), span })
    }

    /// A query of tokens before which `select` is to be thought.
    fn query_without_select(&self, tokens: &[Placed]) -> Parsed<Query> {
        let start = between(tokens).start;
        let span = Span::new(start, start);
        let select = Placed { token: Token::Word("select".to_owned()), span, content: span, closed_ahead: 0 };
        let tokens: Vec<Placed> = std::iter::once(select).chain(tokens.iter().cloned()).collect();
        let mut inner = Parser { text: self.text, tokens: &tokens, at: 0, depth: self.depth };
        let query = inner.query()?;
        if inner.done() { Ok(query) } else { Err(inner.unexpected()) }
    }

    /// Expressions with commas between them, of the next tokens.
    fn exprs_of(&mut self, length: usize) -> Parsed<Vec<Expr>> {
        let end = self.at + length;
        let mut exprs = Vec::new();
        loop {
            let next = self.ahead(|token| *token == Token::Mark(','));
            let length = next.ok().map_or(end - self.at, |length| length.min(end - self.at));
            exprs.push(self.expr_of(length)?);
            if self.at >= end {
                return Ok(exprs);
            }
            self.at += 1;
        }
    }

    /// A statement of tokens.
    fn statement_of(&self, tokens: &[Placed]) -> Parsed<StatementKind> {
        let mut inner = Parser { text: self.text, tokens, at: 0, depth: self.depth };
        inner.whole_statement()
    }

    /// Tokens with gaps are paired anew.
    fn paired(mut tokens: Vec<Placed>) -> Vec<Placed> {
        for placed in &mut tokens {
            placed.closed_ahead = 0;
        }
        pair_marks(&mut tokens);
        tokens
    }
}

impl<'a> Parser<'a> {
    /// The next tokens, which are passed.
    fn taken(&mut self, length: usize) -> &'a [Placed] {
        let tokens = self.tokens.get(self.at..self.at + length).unwrap_or_default();
        self.at += length;
        tokens
    }
}
