//! Operands: literals, columns, what stands in parentheses, words with a grammar of their own.

use super::{Parsed, Parser};
use crate::ast::{Expr, ExprKind, Literal, TypeName};
use crate::lexer::Token;

/// Functions written without parentheses.
pub(crate) const BARE_CALLS: &[&str] = &[
    "current_date",
    "current_time",
    "current_timestamp",
    "localtime",
    "localtimestamp",
    "current_user",
    "current_role",
    "session_user",
    "user",
    "current_catalog",
    "current_schema",
];

/// Those of them that may have a precision.
const PRECISE: &[&str] = &["current_time", "current_timestamp", "localtime", "localtimestamp"];

/// Words that begin a type of several words or with modifiers; a string may follow the type directly.
const LITERAL_TYPES: &[&str] = &[
    "date",
    "time",
    "timetz",
    "timestamp",
    "timestamptz",
    "interval",
    "uuid",
    "json",
    "jsonb",
    "text",
    "numeric",
    "decimal",
    "dec",
    "bool",
    "boolean",
    "inet",
    "bytea",
    "smallint",
    "int",
    "integer",
    "bigint",
    "int2",
    "int4",
    "int8",
    "double",
    "real",
    "float",
    "float4",
    "float8",
    "char",
    "character",
    "nchar",
    "national",
    "varchar",
    "bpchar",
    "bit",
    "varbit",
];

/// Words of a type in front of its modifiers.
const TYPE_WORDS: &[&str] = &["precision", "varying", "character", "char", "with", "without", "time", "zone"];

/// How a word goes on that begins an operand with a grammar of its own.
type Grammar<'a> = fn(&mut Parser<'a>, u32) -> Parsed<Expr>;

impl<'a> Parser<'a> {
    pub(super) fn finish(&self, start: u32, kind: ExprKind) -> Expr {
        Expr::new(kind, self.since(start))
    }

    /// A key of an index: a column, a call, or any expression in parentheses, without what may follow it.
    pub(super) fn index_expr(&mut self) -> Parsed<Expr> {
        let start = self.start();
        if self.is_mark('(') {
            return self.in_parens(Parser::expr);
        }
        self.name_or_call(start)
    }

    /// An operand and what stands directly behind it: `::type`, `[index]`, `.field`
    pub(super) fn postfix(&mut self, start: u32) -> Parsed<Expr> {
        let parenthesized = self.is_mark('(');
        let mut expr = self.primary(start)?;
        if let ExprKind::Slice { enclosed, .. } = &mut *expr.kind {
            *enclosed = self.is_mark('[');
        }
        let mut row = 0;
        while let Some(kind) = self.behind(&mut expr, parenthesized)? {
            self.next_in_row(&mut row)?;
            expr = self.finish(start, kind);
        }
        Ok(expr)
    }

    /// What an operand becomes by what stands directly behind it.
    fn behind(&mut self, expr: &mut Expr, parenthesized: bool) -> Parsed<Option<ExprKind>> {
        if self.eat_op("::") {
            let ty = self.type_name()?;
            return Ok(Some(ExprKind::Cast { expr: taken(expr), ty }));
        }
        if self.is_mark('[') {
            return self.subscript(taken(expr)).map(Some);
        }
        let has_fields = parenthesized || matches!(*expr.kind, ExprKind::Param(_) | ExprKind::Index { .. });
        if has_fields && self.eat_mark('.') {
            let field = if self.eat_op("*") { "*".to_owned() } else { self.ident()? };
            return Ok(Some(ExprKind::Field { expr: taken(expr), field }));
        }
        Ok(None)
    }

    fn subscript(&mut self, expr: Expr) -> Parsed<ExprKind> {
        self.expect_mark('[')?;
        let low = if self.is_op(":") { None } else { Some(self.expr()?) };
        if self.eat_op(":") {
            let high = if self.is_mark(']') { None } else { Some(self.expr()?) };
            self.expect_mark(']')?;
            return Ok(ExprKind::Slice { expr, low, high, enclosed: false });
        }
        self.expect_mark(']')?;
        match low {
            Some(index) => Ok(ExprKind::Index { expr, index }),
            None => Err(self.unexpected()),
        }
    }

    fn primary(&mut self, start: u32) -> Parsed<Expr> {
        if let Some(literal) = self.literal() {
            return Ok(self.finish(start, ExprKind::Literal(literal)));
        }
        if self.is_mark('(') {
            return self.parenthesized(start);
        }
        match self.grammar() {
            Some(grammar) => grammar(self, start),
            None => self.name_or_call(start),
        }
    }

    fn literal(&mut self) -> Option<Literal> {
        let literal = match self.peek()? {
            Token::Integer(digits) => Literal::Integer(digits.clone()),
            Token::Number(text) => Literal::Numeric(text.clone()),
            Token::String(text) => Literal::String(text.clone()),
            Token::Bits(text) => Literal::Bits(text.clone()),
            Token::Word(word) => match word.as_str() {
                "null" => Literal::Null,
                "true" => Literal::Bool(true),
                "false" => Literal::Bool(false),
                _ => return None,
            },
            Token::Quoted(_) | Token::Param(_) | Token::Op(_) | Token::Mark(_) => return None,
        };
        self.at += 1;
        Some(literal)
    }

    fn parenthesized(&mut self, start: u32) -> Parsed<Expr> {
        self.expect_mark('(')?;
        if self.starts_query() {
            return self.subquery(start);
        }
        let first = self.expr()?;
        if self.eat_mark(')') {
            return Ok(first);
        }
        self.expect_mark(',')?;
        let mut items = self.comma_list(Parser::expr)?;
        items.insert(0, first);
        self.expect_mark(')')?;
        Ok(self.finish(start, ExprKind::Row(items)))
    }

    /// A query behind an opening parenthesis.
    fn subquery(&mut self, start: u32) -> Parsed<Expr> {
        let query = Box::new(self.query()?);
        self.expect_mark(')')?;
        Ok(self.finish(start, ExprKind::Subquery(query)))
    }

    /// How the next word goes on, if it has a grammar of its own.
    fn grammar(&self) -> Option<Grammar<'a>> {
        let word = match self.peek()? {
            Token::Word(word) => word.as_str(),
            Token::Param(_) => return Some(Parser::parameter),
            _ => return None,
        };
        let called = self.peek_at(1) == Some(&Token::Mark('('));
        match word {
            "case" => Some(Parser::case),
            "default" => Some(Parser::default_value),
            "cast" if called => Some(Parser::cast),
            "array" if called || self.peek_at(1) == Some(&Token::Mark('[')) => Some(Parser::array),
            "row" if called => Some(Parser::row),
            "exists" if called => Some(Parser::exists),
            "extract" | "position" | "overlay" | "substring" | "trim" | "normalize" if called => {
                Some(Parser::special_call)
            }
            word if BARE_CALLS.contains(&word) && !called && self.peek_at(1) != Some(&Token::Mark('.')) => {
                Some(Parser::bare_call)
            }
            word if PRECISE.contains(&word) && called => Some(Parser::precise_call),
            word if LITERAL_TYPES.contains(&word) && self.typed_literal_ahead() => {
                Some(Parser::typed_literal)
            }
            _ => None,
        }
    }

    fn parameter(&mut self, start: u32) -> Parsed<Expr> {
        let Some(Token::Param(number)) = self.peek() else { return Err(self.unexpected()) };
        let number = *number;
        self.at += 1;
        Ok(self.finish(start, ExprKind::Param(number)))
    }

    fn default_value(&mut self, start: u32) -> Parsed<Expr> {
        self.expect("default")?;
        Ok(self.finish(start, ExprKind::Default))
    }

    fn row(&mut self, start: u32) -> Parsed<Expr> {
        self.at += 2;
        let items = if self.is_mark(')') { Vec::new() } else { self.comma_list(Parser::expr)? };
        self.expect_mark(')')?;
        Ok(self.finish(start, ExprKind::Row(items)))
    }

    fn exists(&mut self, start: u32) -> Parsed<Expr> {
        self.at += 2;
        let query = Box::new(self.query()?);
        self.expect_mark(')')?;
        Ok(self.finish(start, ExprKind::Exists(query)))
    }

    fn bare_call(&mut self, start: u32) -> Parsed<Expr> {
        let name = self.ident()?;
        Ok(self.call_of(start, &name, Vec::new()))
    }

    /// `current_timestamp(3)`
    fn precise_call(&mut self, start: u32) -> Parsed<Expr> {
        let name = self.ident()?;
        self.expect_mark('(')?;
        let at = self.start();
        let Some(Token::Integer(digits)) = self.peek() else { return Err(self.unexpected()) };
        let digits = Literal::Integer(digits.clone());
        self.at += 1;
        let precision = self.finish(at, ExprKind::Literal(digits));
        self.expect_mark(')')?;
        Ok(self.call_of(start, &name, vec![precision]))
    }

    /// `date '2024-01-01'`
    fn typed_literal(&mut self, start: u32) -> Parsed<Expr> {
        let ty = self.type_name()?;
        let at = self.start();
        let text = self.string()?;
        let literal = |parser: &Self, text| parser.finish(at, ExprKind::Literal(Literal::String(text)));
        if ty.name.name != "interval" {
            let expr = literal(self, text);
            return Ok(self.finish(start, ExprKind::Cast { expr, ty }));
        }
        let Some((first, last)) = self.interval_units()? else {
            let expr = literal(self, text);
            return Ok(self.finish(start, ExprKind::Cast { expr, ty }));
        };
        let expr = literal(self, in_units(&text, &first, &last));
        let whole = self.finish(start, ExprKind::Cast { expr, ty });
        if last == "second" {
            return Ok(whole);
        }
        let last = literal(self, last);
        Ok(self.call_of(start, "date_trunc", vec![last, whole]))
    }

    /// The first and the last of the units that an interval has.
    fn interval_units(&mut self) -> Parsed<Option<(String, String)>> {
        if !self.interval_unit() {
            return Ok(None);
        }
        let first = self.ident()?;
        let mut last = first.clone();
        if self.eat("to") {
            if !self.interval_unit() {
                return Err(self.unexpected());
            }
            last = self.ident()?;
        }
        if self.is_mark('(') {
            return Err(self.missing("digits of an interval's seconds"));
        }
        Ok(Some((first, last)))
    }

    fn literal_text(&mut self) -> Parsed<Expr> {
        let at = self.start();
        let text = self.string()?;
        Ok(self.finish(at, ExprKind::Literal(Literal::String(text))))
    }

    fn interval_unit(&self) -> bool {
        ["year", "month", "day", "hour", "minute", "second"].iter().any(|unit| self.is(unit))
    }

    /// Whether a type and then a string come next: `date '2024-01-01'`, `timestamp(3) with time zone '…'`.
    fn typed_literal_ahead(&self) -> bool {
        let words = |mut ahead: usize| {
            while matches!(self.peek_at(ahead), Some(Token::Word(word)) if TYPE_WORDS.contains(&word.as_str()))
            {
                ahead += 1;
            }
            ahead
        };
        let mut ahead = words(1);
        let modified = self.peek_at(ahead) == Some(&Token::Mark('('));
        if modified && matches!(self.peek_at(ahead + 1), Some(Token::Integer(_))) {
            let closed = self.tokens.get(self.at + ahead).map_or(0, |placed| placed.closed_ahead);
            ahead = words(ahead + closed + 1);
        }
        matches!(self.peek_at(ahead), Some(Token::String(_)))
    }

    fn case(&mut self, start: u32) -> Parsed<Expr> {
        self.expect("case")?;
        let operand = if self.is("when") { None } else { Some(self.expr()?) };
        let mut branches = Vec::new();
        while self.eat("when") {
            let condition = self.expr()?;
            self.expect("then")?;
            branches.push((condition, self.expr()?));
        }
        if branches.is_empty() {
            return Err(self.unexpected());
        }
        let otherwise = if self.eat("else") { Some(self.expr()?) } else { None };
        self.expect("end")?;
        Ok(self.finish(start, ExprKind::Case { operand, branches, otherwise }))
    }

    fn cast(&mut self, start: u32) -> Parsed<Expr> {
        self.at += 2;
        let expr = self.expr()?;
        self.expect("as")?;
        let ty = self.type_name()?;
        self.expect_mark(')')?;
        Ok(self.finish(start, ExprKind::Cast { expr, ty }))
    }

    fn array(&mut self, start: u32) -> Parsed<Expr> {
        self.at += 1;
        if self.eat_mark('(') {
            let query = Box::new(self.query()?);
            self.expect_mark(')')?;
            return Ok(self.finish(start, ExprKind::ArraySubquery(query)));
        }
        let items = self.array_items()?;
        Ok(self.finish(start, ExprKind::Array(items)))
    }

    fn array_items(&mut self) -> Parsed<Vec<Expr>> {
        self.expect_mark('[')?;
        let mut items = Vec::new();
        let nested = self.is_mark('[');
        while !self.is_mark(']') {
            items.push(if nested { self.array_row()? } else { self.expr()? });
            if !self.eat_mark(',') {
                break;
            }
        }
        self.expect_mark(']')?;
        Ok(items)
    }

    /// An array in an array, without its word.
    fn array_row(&mut self) -> Parsed<Expr> {
        let start = self.start();
        let items = self.deeper(Parser::array_items)?;
        Ok(self.finish(start, ExprKind::Array(items)))
    }

    /// `type 'literal'` of a type that is an ordinary name.
    pub(super) fn named_literal(&mut self, start: u32, mut parts: Vec<String>) -> Parsed<Expr> {
        let span = self.since(start);
        let expr = self.literal_text()?;
        let name = parts.pop().unwrap_or_default();
        let name = crate::ast::ObjectName { schema: parts.pop(), name, span };
        let ty = TypeName { name, modifiers: Vec::new(), array_dims: 0, setof: false, of_column: None };
        Ok(self.finish(start, ExprKind::Cast { expr, ty }))
    }
}

/// The text of an interval, of whose units a number alone is the last.
fn in_units(text: &str, first: &str, last: &str) -> String {
    let plain = text.trim();
    if plain.parse::<f64>().is_ok() {
        return format!("{plain} {last}");
    }
    let is_clock = plain.split_once(':').is_some_and(|(_, behind)| !behind.contains(':'));
    match (first, last, is_clock) {
        ("minute", "second", true) if !plain.contains(' ') => format!("0:{plain}"),
        _ => text.to_owned(),
    }
}

/// An expression out of its place, which gets another at once.
fn taken(expr: &mut Expr) -> Expr {
    let span = expr.span;
    std::mem::replace(expr, Expr::new(ExprKind::Default, span))
}
