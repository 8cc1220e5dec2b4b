//! Tokens to trees.
//!
//! The descent here builds our tree. Of queries, changes of rows and policies it reads every token and so says itself
//! what is not PostgreSQL; of statements that it reads in part, `squawk-syntax` does, all at once and with places.
//! A statement that the descent does not know is kept as [`StatementKind::Other`], by its words.

mod alter;
mod body;
mod call;
mod expr;
mod function;
mod operators;
mod privilege;
mod query;
mod statement;
mod table;

use types::Span;

pub use body::parse_body;
pub(crate) use expr::BARE_CALLS;

use crate::Diagnostic;
use crate::ast::{Expr, ObjectName, Query, Statement, StatementKind};
use crate::keywords;
use crate::lexer::{Placed, Token, tokens};

/// Longest text, bytes.
const TEXT_BYTES_MAX: usize = 16 << 20;

/// Deepest nesting of parentheses, cases, operators and queries. People write a tenth of it; twice as much would overflow the
/// two megabytes of a thread's stack in a debug build.
const DEPTH_MAX: usize = 100;

/// How complaints about nesting begin.
const TOO_DEEP: &str = "nested deeper than";

/// Longest row of operators that are applied one after the other: each is one level of a tree.
const ROW_MAX: usize = 400;

type Parsed<T> = Result<T, Diagnostic>;

/// All statements of a text, and every complaint about it.
pub fn parse(text: &str) -> (Vec<Statement>, Vec<Diagnostic>) {
    let (tokens, lexical) = match checked_tokens(text) {
        Ok(found) => found,
        Err(diagnostic) => return (Vec::new(), vec![diagnostic]),
    };
    let mut read = Vec::new();
    for part in split(&tokens) {
        let (Some(first), Some(last)) = (part.first(), part.last()) else { continue };
        let span = Span::new(first.span.start, last.span.end);
        let mut parser = Parser { text, tokens: part, at: 0, depth: 0 };
        read.push((span, parser.whole_statement()));
    }
    let mut diagnostics = if lexical.is_empty() { grammar_errors(text, &read) } else { lexical };
    let mut statements = Vec::new();
    for (span, parsed) in read {
        let is_here = |said: &Diagnostic| said.span.start >= span.start && said.span.start <= span.end;
        match parsed {
            Ok(kind) => statements.push(Statement { kind, span }),
            Err(diagnostic) if diagnostics.iter().any(is_here) => drop(diagnostic),
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }
    diagnostics.sort_by_key(|said| said.span.start);
    (statements, diagnostics)
}

/// Where each statement of a text stands, whatever it says: for those who hand statements on as they are.
pub fn statements(text: &str) -> Vec<Span> {
    let (tokens, _) = tokens(text);
    let ends = |part: &&[Placed]| Some(Span::new(part.first()?.span.start, part.last()?.span.end));
    split(&tokens).iter().filter_map(ends).collect()
}

/// Whether every token of such a statement was understood, so that nobody else need say what it is.
fn is_read_whole(kind: &StatementKind) -> bool {
    matches!(
        kind,
        StatementKind::Query(_)
            | StatementKind::Insert(_)
            | StatementKind::Update(_)
            | StatementKind::Delete(_)
            | StatementKind::CreatePolicy(_)
            | StatementKind::AlterPolicy(_)
    )
}

/// One expression.
///
/// # Errors
/// The first complaint about it.
pub fn parse_expr(text: &str) -> Result<Expr, Diagnostic> {
    whole(text, |parser| parser.expr())
}

/// One query.
///
/// # Errors
/// The first complaint about it.
pub fn parse_query(text: &str) -> Result<Query, Diagnostic> {
    whole(text, |parser| parser.query())
}

fn whole<T>(text: &str, part: impl FnOnce(&mut Parser<'_>) -> Parsed<T>) -> Parsed<T> {
    let (tokens, diagnostics) = checked_tokens(text)?;
    if let Some(diagnostic) = diagnostics.into_iter().next() {
        return Err(diagnostic);
    }
    let mut parser = Parser { text, tokens: &tokens, at: 0, depth: 0 };
    let tree = part(&mut parser)?;
    if parser.at < parser.tokens.len() { Err(parser.unexpected()) } else { Ok(tree) }
}

/// Tokens of a text that is not too long and not nested too deeply for anything behind.
fn checked_tokens(text: &str) -> Parsed<(Vec<Placed>, Vec<Diagnostic>)> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(Diagnostic::new(Span::new(0, 0), format!("text is longer than {TEXT_BYTES_MAX} bytes")));
    }
    let (tokens, diagnostics) = tokens(text);
    let mut depth = 0_usize;
    for placed in &tokens {
        match &placed.token {
            Token::Mark('(' | '[') => depth += 1,
            Token::Mark(')' | ']') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            return Err(too_deep(placed.span));
        }
    }
    Ok((tokens, diagnostics))
}

/// What `squawk-syntax` says of statements that were read in part. It knows no limits, so it gets nothing that is nested
/// too deeply.
fn grammar_errors(text: &str, read: &[(Span, Parsed<StatementKind>)]) -> Vec<Diagnostic> {
    let is_judged = |parsed: &Parsed<StatementKind>| parsed.as_ref().map_or(true, is_read_whole);
    let is_deep = |parsed: &Parsed<StatementKind>| matches!(parsed, Err(said) if is_about_depth(said));
    if read.iter().all(|(_, parsed)| is_judged(parsed)) || read.iter().any(|(_, parsed)| is_deep(parsed)) {
        return Vec::new();
    }
    let judged: Vec<Span> =
        read.iter().filter(|(_, parsed)| is_judged(parsed)).map(|(span, _)| *span).collect();
    let errors = squawk_syntax::SourceFile::parse(text).errors();
    let all = errors.iter().map(|error| {
        let range = error.range();
        Diagnostic::new(Span::new(range.start().into(), range.end().into()), error.message())
    });
    all.filter(|said| !judged.iter().any(|span| (span.start..=span.end).contains(&said.span.start))).collect()
}

/// The tokens of each statement: between semicolons, `begin atomic … end` bodies whole.
fn split(tokens: &[Placed]) -> Vec<&[Placed]> {
    let mut parts = Vec::new();
    let (mut start, mut atomic, mut cases) = (0, false, 0_u32);
    for (at, placed) in tokens.iter().enumerate() {
        match &placed.token {
            Token::Word(word) if word == "atomic" => {
                atomic |= at > start && is_word(&tokens[at - 1], "begin")
            }
            Token::Word(word) if atomic && word == "case" => cases += 1,
            Token::Word(word) if atomic && word == "end" && cases > 0 => cases -= 1,
            Token::Word(word) if atomic && word == "end" => atomic = false,
            Token::Mark(';') if !atomic => {
                parts.push(&tokens[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&tokens[start..]);
    parts.retain(|part| !part.is_empty());
    parts
}

fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::new(span, format!("{TOO_DEEP} {DEPTH_MAX} levels"))
}

fn is_about_depth(said: &Diagnostic) -> bool {
    said.message.starts_with(TOO_DEEP)
}

fn is_word(placed: &Placed, word: &str) -> bool {
    matches!(&placed.token, Token::Word(found) if found == word)
}

/// A place in the tokens of one statement.
pub(crate) struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Placed],
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn whole_statement(&mut self) -> Parsed<StatementKind> {
        let kind = self.statement()?;
        if self.at < self.tokens.len() { Err(self.unexpected()) } else { Ok(kind) }
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|placed| &placed.token)
    }

    fn peek_at(&self, ahead: usize) -> Option<&Token> {
        self.tokens.get(self.at + ahead).map(|placed| &placed.token)
    }

    fn done(&self) -> bool {
        self.at >= self.tokens.len()
    }

    /// Start of the next token.
    fn start(&self) -> u32 {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(0, |placed| placed.span.start)
    }

    /// From a start to the end of the last token taken.
    fn since(&self, start: u32) -> Span {
        let end =
            self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(start, |placed| placed.span.end);
        Span::new(start, end)
    }

    fn source(&self, span: Span) -> String {
        self.text.get(span.start as usize..span.end as usize).unwrap_or_default().to_owned()
    }

    fn unexpected(&self) -> Diagnostic {
        match self.tokens.get(self.at) {
            Some(placed) => Diagnostic::new(
                placed.span,
                format!("syntax error at or near \"{}\"", self.source(placed.span)),
            ),
            None => Diagnostic::new(self.since(self.start()), "syntax error at end of input"),
        }
    }

    fn deeper<T>(&mut self, part: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.enter()?;
        let parsed = part(self);
        self.leave();
        parsed
    }

    fn enter(&mut self) -> Parsed<()> {
        if self.depth >= DEPTH_MAX {
            return Err(too_deep(self.since(self.start())));
        }
        self.depth += 1;
        Ok(())
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Counts one more operator of a row.
    fn next_in_row(&self, count: &mut usize) -> Parsed<()> {
        *count += 1;
        if *count > ROW_MAX { Err(too_deep(self.since(self.start()))) } else { Ok(()) }
    }

    fn is(&self, word: &str) -> bool {
        self.is_at(0, word)
    }

    fn is_at(&self, ahead: usize, word: &str) -> bool {
        matches!(self.peek_at(ahead), Some(Token::Word(found)) if found == word)
    }

    /// Whether the words come next, in order.
    fn are(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(ahead, word)| self.is_at(ahead, word))
    }

    fn eat(&mut self, word: &str) -> bool {
        let found = self.is(word);
        self.at += usize::from(found);
        found
    }

    /// Takes all of the words or none.
    fn eat_all(&mut self, words: &[&str]) -> bool {
        let found = self.are(words);
        self.at += if found { words.len() } else { 0 };
        found
    }

    fn expect(&mut self, word: &str) -> Parsed<()> {
        if self.eat(word) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn is_mark(&self, mark: char) -> bool {
        self.peek() == Some(&Token::Mark(mark))
    }

    fn eat_mark(&mut self, mark: char) -> bool {
        let found = self.is_mark(mark);
        self.at += usize::from(found);
        found
    }

    fn expect_mark(&mut self, mark: char) -> Parsed<()> {
        if self.eat_mark(mark) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn is_op(&self, op: &str) -> bool {
        matches!(self.peek(), Some(Token::Op(found)) if found == op)
    }

    fn eat_op(&mut self, op: &str) -> bool {
        let found = self.is_op(op);
        self.at += usize::from(found);
        found
    }

    /// Any identifier, keywords included: the grammar was checked already.
    fn ident(&mut self) -> Parsed<String> {
        let name = match self.peek() {
            Some(Token::Word(name) | Token::Quoted(name)) => truncated(name),
            _ => return Err(self.unexpected()),
        };
        self.at += 1;
        Ok(name)
    }

    /// An identifier that may name a column or table: no reserved word, unless quoted.
    fn column_ident(&mut self) -> Parsed<String> {
        match self.peek() {
            Some(Token::Word(word)) if !keywords::may_be_column(word) => Err(self.unexpected()),
            _ => self.ident(),
        }
    }

    /// A complaint about something of PostgreSQL's that is not read.
    fn missing(&self, what: &str) -> Diagnostic {
        let span = self.tokens.get(self.at).map_or(Span::default(), |placed| placed.span);
        Diagnostic::new(span, format!("{what} is not supported"))
    }

    fn string(&mut self) -> Parsed<String> {
        let Some(Token::String(text)) = self.peek() else { return Err(self.unexpected()) };
        let text = text.clone();
        self.at += 1;
        Ok(text)
    }

    fn object_name(&mut self) -> Parsed<ObjectName> {
        let start = self.start();
        let mut name = self.ident()?;
        let mut schema = None;
        while self.eat_mark('.') {
            schema = Some(std::mem::replace(&mut name, self.ident()?));
        }
        Ok(ObjectName { schema, name, span: self.since(start) })
    }

    fn comma_list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.eat_mark(',') {
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn in_parens<T>(&mut self, part: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.expect_mark('(')?;
        let parsed = part(self)?;
        self.expect_mark(')')?;
        Ok(parsed)
    }

    fn ident_list(&mut self) -> Parsed<Vec<String>> {
        self.in_parens(|parser| parser.comma_list(Parser::ident))
    }

    /// Everything up to a place where parentheses are balanced and `stop` holds, as written.
    fn raw_until(&mut self, stop: impl Fn(&Self) -> bool) -> String {
        let start = self.start();
        let mut depth = 0_u32;
        let from = self.at;
        while !self.done() {
            if depth == 0 && stop(self) {
                break;
            }
            match self.peek() {
                Some(Token::Mark('(' | '[')) => depth += 1,
                Some(Token::Mark(')' | ']')) if depth == 0 => break,
                Some(Token::Mark(')' | ']')) => depth -= 1,
                _ => {}
            }
            self.at += 1;
        }
        if self.at == from { String::new() } else { self.source(self.since(start)) }
    }

    /// The rest of the statement, as written.
    fn rest(&mut self) -> String {
        let start = self.start();
        let from = self.at;
        self.at = self.tokens.len();
        if self.at == from { String::new() } else { self.source(self.since(start)) }
    }

    fn if_exists(&mut self) -> bool {
        self.eat_all(&["if", "exists"])
    }

    fn if_not_exists(&mut self) -> bool {
        self.eat_all(&["if", "not", "exists"])
    }

    fn cascade(&mut self) -> bool {
        let cascade = self.eat("cascade");
        if !cascade {
            self.eat("restrict");
        }
        cascade
    }
}

/// PostgreSQL cuts identifiers at 63 bytes.
fn truncated(name: &str) -> String {
    let mut end = name.len().min(63);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.get(..end).unwrap_or(name).to_owned()
}
