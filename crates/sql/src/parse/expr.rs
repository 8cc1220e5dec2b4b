//! Expressions: PostgreSQL's operator precedence (chapter 4.1.6), lowest first.

use types::Span;

use super::{Parsed, Parser};
use crate::ast::{Argument, Call, Expr, ExprKind, LikeKind, Literal, ObjectName, TypeName, Window};
use crate::keywords;
use crate::lexer::Token;

/// Functions written without parentheses.
const BARE_CALLS: &[&str] = &[
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

/// Operators with a rank of their own, and what is no operator of an expression.
const RANKED: &[&str] =
    &["+", "-", "*", "/", "%", "^", "::", ":", ":=", "=>", "=", "<", ">", "<=", ">=", "<>", "!="];

/// Words that begin a type of several words or with special modifiers; a string may follow the type directly.
const LITERAL_TYPES: &[&str] = &[
    "date",
    "time",
    "timestamp",
    "timestamptz",
    "interval",
    "uuid",
    "json",
    "jsonb",
    "text",
    "numeric",
    "bool",
    "boolean",
    "inet",
    "bytea",
    "int",
    "integer",
    "bigint",
    "double",
    "real",
    "timetz",
    "varchar",
    "float8",
    "int4",
    "int8",
];

impl Parser<'_> {
    pub(super) fn expr(&mut self) -> Parsed<Expr> {
        self.deeper(Parser::or_expr)
    }

    fn finish(&self, start: u32, kind: ExprKind) -> Expr {
        Expr::new(kind, self.since(start))
    }

    fn or_expr(&mut self) -> Parsed<Expr> {
        let start = self.start();
        let first = self.and_expr()?;
        if !self.is("or") {
            return Ok(first);
        }
        let mut all = vec![first];
        while self.eat("or") {
            all.push(self.and_expr()?);
        }
        Ok(self.finish(start, ExprKind::Or(all)))
    }

    fn and_expr(&mut self) -> Parsed<Expr> {
        let start = self.start();
        let first = self.not_expr()?;
        if !self.is("and") {
            return Ok(first);
        }
        let mut all = vec![first];
        while self.eat("and") {
            all.push(self.not_expr()?);
        }
        Ok(self.finish(start, ExprKind::And(all)))
    }

    fn not_expr(&mut self) -> Parsed<Expr> {
        let start = self.start();
        if self.eat("not") {
            let inner = self.deeper(Parser::not_expr)?;
            return Ok(self.finish(start, ExprKind::Not(inner)));
        }
        self.is_expr()
    }

    /// `is …`, `isnull`, `notnull`
    fn is_expr(&mut self) -> Parsed<Expr> {
        let start = self.start();
        let mut expr = self.comparison()?;
        let mut row = 0;
        loop {
            self.next_in_row(&mut row)?;
            let kind = if self.eat("isnull") {
                ExprKind::IsNull { expr, negated: false }
            } else if self.eat("notnull") {
                ExprKind::IsNull { expr, negated: true }
            } else if self.eat("is") {
                self.is_test(expr)?
            } else {
                return Ok(expr);
            };
            expr = self.finish(start, kind);
        }
    }

    fn is_test(&mut self, expr: Expr) -> Parsed<ExprKind> {
        let negated = self.eat("not");
        if self.eat("null") {
            return Ok(ExprKind::IsNull { expr, negated });
        }
        if self.eat_all(&["distinct", "from"]) {
            let right = self.comparison()?;
            return Ok(ExprKind::IsDistinct { left: expr, right, negated });
        }
        let value = match self.ident()?.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            "unknown" => None,
            _ => {
                self.at -= 1;
                return Err(self.unexpected());
            }
        };
        Ok(ExprKind::IsBool { expr, value, negated })
    }

    /// A column's default: without the levels at which `not null` behind it would be taken in (PostgreSQL's `b_expr`).
    pub(super) fn column_default(&mut self) -> Parsed<Expr> {
        self.deeper(Parser::comparison)
    }

    /// A key of an index: a column, a call, or any expression in parentheses, without what may follow it.
    pub(super) fn index_expr(&mut self) -> Parsed<Expr> {
        let start = self.start();
        if self.is_mark('(') {
            return self.in_parens(Parser::expr);
        }
        self.name_or_call(start)
    }

    fn comparison(&mut self) -> Parsed<Expr> {
        let start = self.start();
        let mut left = self.pattern()?;
        let mut row = 0;
        while let Some(op) = self.comparison_operator() {
            self.next_in_row(&mut row)?;
            left = self.binary(start, left, op, Parser::pattern)?;
        }
        Ok(left)
    }

    fn comparison_operator(&mut self) -> Option<String> {
        let Some(Token::Op(op)) = self.peek() else { return None };
        let op = match op.as_str() {
            "!=" => "<>",
            "<" | ">" | "=" | "<=" | ">=" | "<>" => op.as_str(),
            _ => return None,
        };
        let op = op.to_owned();
        self.at += 1;
        Some(op)
    }

    /// The right side of a binary operator: an operand, or `any`/`all` of an array or subquery.
    fn binary(
        &mut self,
        start: u32,
        left: Expr,
        op: String,
        operand: impl FnOnce(&mut Self) -> Parsed<Expr>,
    ) -> Parsed<Expr> {
        let quantifier = ["any", "some", "all"]
            .iter()
            .find(|word| self.is(word) && self.peek_at(1) == Some(&Token::Mark('(')));
        let Some(word) = quantifier else {
            let right = self.deeper(operand)?;
            return Ok(self.finish(start, ExprKind::Binary { left, op, right }));
        };
        let all = *word == "all";
        self.at += 2;
        let kind = self.quantified(left, op, all)?;
        Ok(self.finish(start, kind))
    }

    /// The array or subquery of `any (…)`, behind the opening parenthesis.
    fn quantified(&mut self, expr: Expr, op: String, all: bool) -> Parsed<ExprKind> {
        let kind = if self.starts_query() {
            ExprKind::QuantifiedSubquery { expr, op, all, query: Box::new(self.query()?) }
        } else {
            ExprKind::Quantified { expr, op, all, array: self.expr()? }
        };
        self.expect_mark(')')?;
        Ok(kind)
    }

    /// `between`, `in`, `like`, `ilike`, `similar to`
    fn pattern(&mut self) -> Parsed<Expr> {
        let start = self.start();
        let mut expr = self.other_operator()?;
        let mut row = 0;
        loop {
            self.next_in_row(&mut row)?;
            let negated = self.is("not")
                && ["between", "in", "like", "ilike", "similar"].iter().any(|word| self.is_at(1, word));
            self.at += usize::from(negated);
            let kind = if self.eat("between") {
                let symmetric = self.eat("symmetric");
                self.eat("asymmetric");
                let low = self.other_operator()?;
                self.expect("and")?;
                let high = self.other_operator()?;
                ExprKind::Between { expr, low, high, symmetric, negated }
            } else if self.eat("in") {
                self.in_test(expr, negated)?
            } else if self.eat("like") {
                self.like(expr, LikeKind::Like, negated)?
            } else if self.eat("ilike") {
                self.like(expr, LikeKind::Ilike, negated)?
            } else if self.eat_all(&["similar", "to"]) {
                self.like(expr, LikeKind::Similar, negated)?
            } else if self.eat("overlaps") {
                self.overlaps(expr)?
            } else {
                return Ok(expr);
            };
            expr = self.finish(start, kind);
        }
    }

    /// `(from, to) overlaps (from, to)`: a function of four arguments.
    fn overlaps(&mut self, left: Expr) -> Parsed<ExprKind> {
        let start = left.span.start;
        let right = self.primary()?;
        match (*left.kind, *right.kind) {
            (ExprKind::Row(left), ExprKind::Row(right)) if left.len() == 2 && right.len() == 2 => {
                Ok(*self.call_of(start, "overlaps", left.into_iter().chain(right).collect()).kind)
            }
            _ => Err(self.unexpected()),
        }
    }

    fn in_test(&mut self, expr: Expr, negated: bool) -> Parsed<ExprKind> {
        self.in_parens(|parser| {
            if parser.starts_query() {
                return Ok(ExprKind::InSubquery { expr, query: Box::new(parser.query()?), negated });
            }
            Ok(ExprKind::InList { expr, list: parser.comma_list(Parser::expr)?, negated })
        })
    }

    fn like(&mut self, expr: Expr, kind: LikeKind, negated: bool) -> Parsed<ExprKind> {
        let quantifier = ["any", "some", "all"]
            .iter()
            .find(|word| self.is(word) && self.peek_at(1) == Some(&Token::Mark('(')));
        if let Some(word) = quantifier {
            let all = *word == "all";
            self.at += 2;
            let op = match (kind, negated) {
                (LikeKind::Ilike, false) => "~~*",
                (LikeKind::Ilike, true) => "!~~*",
                (_, false) => "~~",
                (_, true) => "!~~",
            };
            return self.quantified(expr, op.to_owned(), all);
        }
        let pattern = self.other_operator()?;
        let escape = if self.eat("escape") { Some(self.other_operator()?) } else { None };
        Ok(ExprKind::Like { expr, pattern, kind, escape, negated })
    }

    /// Operators without a rank of their own.
    fn other_operator(&mut self) -> Parsed<Expr> {
        let start = self.start();
        let mut left = self.additive()?;
        let mut row = 0;
        while let Some(op) = self.infix_operator() {
            self.next_in_row(&mut row)?;
            left = self.binary(start, left, op, Parser::additive)?;
        }
        Ok(left)
    }

    fn prefix_operator(&mut self) -> Option<String> {
        match self.peek() {
            Some(Token::Op(op)) if !RANKED.contains(&op.as_str()) => {
                let op = op.clone();
                self.at += 1;
                Some(op)
            }
            _ => None,
        }
    }

    /// The count of `fetch`: a number, or an expression in parentheses.
    pub(super) fn bound_count(&mut self) -> Parsed<Expr> {
        self.signed()
    }

    fn infix_operator(&mut self) -> Option<String> {
        if self.is("operator") && self.peek_at(1) == Some(&Token::Mark('(')) {
            self.at += 2;
            while matches!(self.peek(), Some(Token::Word(_) | Token::Quoted(_) | Token::Mark('.'))) {
                self.at += 1;
            }
            let op = match self.peek() {
                Some(Token::Op(op)) => op.clone(),
                _ => return None,
            };
            self.at += 2;
            return Some(op);
        }
        match self.peek() {
            Some(Token::Op(op)) if !RANKED.contains(&op.as_str()) => {
                let op = op.clone();
                self.at += 1;
                Some(op)
            }
            _ => None,
        }
    }

    fn ranked(&mut self, ops: &[&str], next: fn(&mut Self) -> Parsed<Expr>) -> Parsed<Expr> {
        let start = self.start();
        let mut left = next(self)?;
        let mut row = 0;
        loop {
            self.next_in_row(&mut row)?;
            let op = match self.peek() {
                Some(Token::Op(op)) if ops.contains(&op.as_str()) => op.clone(),
                _ => return Ok(left),
            };
            self.at += 1;
            left = self.binary(start, left, op, next)?;
        }
    }

    fn additive(&mut self) -> Parsed<Expr> {
        self.ranked(&["+", "-"], Parser::multiplicative)
    }

    fn multiplicative(&mut self) -> Parsed<Expr> {
        self.ranked(&["*", "/", "%"], Parser::power)
    }

    fn power(&mut self) -> Parsed<Expr> {
        self.ranked(&["^"], Parser::at_time_zone)
    }

    fn at_time_zone(&mut self) -> Parsed<Expr> {
        let start = self.start();
        let mut expr = self.collate()?;
        let mut row = 0;
        while self.eat_all(&["at", "time", "zone"]) {
            self.next_in_row(&mut row)?;
            let zone = self.collate()?;
            expr = self.call_of(start, "timezone", vec![zone, expr]);
        }
        Ok(expr)
    }

    fn collate(&mut self) -> Parsed<Expr> {
        let start = self.start();
        let mut expr = self.signed()?;
        let mut row = 0;
        while self.eat("collate") {
            self.next_in_row(&mut row)?;
            let collation = self.object_name()?;
            expr = self.finish(start, ExprKind::Collate { expr, collation });
        }
        Ok(expr)
    }

    fn signed(&mut self) -> Parsed<Expr> {
        let start = self.start();
        for op in ["-", "+"] {
            if self.eat_op(op) {
                let expr = self.deeper(Parser::signed)?;
                return Ok(self.finish(start, ExprKind::Unary { op: op.to_owned(), expr }));
            }
        }
        self.postfix()
    }

    /// `::type`, `[index]`, `.field`
    fn postfix(&mut self) -> Parsed<Expr> {
        let start = self.start();
        let parenthesized = self.is_mark('(');
        let mut expr = self.primary()?;
        let mut row = 0;
        loop {
            self.next_in_row(&mut row)?;
            let kind = if self.eat_op("::") {
                ExprKind::Cast { expr, ty: self.type_name()? }
            } else if self.is_mark('[') {
                self.subscript(expr)?
            } else if self.is_mark('.')
                && (parenthesized || matches!(*expr.kind, ExprKind::Param(_) | ExprKind::Index { .. }))
            {
                self.at += 1;
                let field = if self.eat_op("*") { "*".to_owned() } else { self.ident()? };
                ExprKind::Field { expr, field }
            } else {
                return Ok(expr);
            };
            expr = self.finish(start, kind);
        }
    }

    fn subscript(&mut self, expr: Expr) -> Parsed<ExprKind> {
        self.expect_mark('[')?;
        let low = if self.is_op(":") { None } else { Some(self.expr()?) };
        if self.eat_op(":") {
            let high = if self.is_mark(']') { None } else { Some(self.expr()?) };
            self.expect_mark(']')?;
            return Ok(ExprKind::Slice { expr, low, high });
        }
        self.expect_mark(']')?;
        match low {
            Some(index) => Ok(ExprKind::Index { expr, index }),
            None => Err(self.unexpected()),
        }
    }

    fn primary(&mut self) -> Parsed<Expr> {
        let start = self.start();
        let literal = match self.peek() {
            Some(Token::Integer(digits)) => Some(Literal::Integer(digits.clone())),
            Some(Token::Number(text)) => Some(Literal::Numeric(text.clone())),
            Some(Token::String(text)) => Some(Literal::String(text.clone())),
            Some(Token::Bits(text)) => Some(Literal::Bits(text.clone())),
            _ => None,
        };
        if let Some(literal) = literal {
            self.at += 1;
            return Ok(self.finish(start, ExprKind::Literal(literal)));
        }
        // Whatever binds closer than the operator is its operand, wherever the operator stands.
        if let Some(op) = self.prefix_operator() {
            let expr = self.deeper(Parser::additive)?;
            return Ok(self.finish(start, ExprKind::Unary { op, expr }));
        }
        match self.peek() {
            Some(Token::Param(number)) => {
                let number = *number;
                self.at += 1;
                Ok(self.finish(start, ExprKind::Param(number)))
            }
            Some(Token::Mark('(')) => self.parenthesized(),
            Some(Token::Word(word)) => {
                let word = word.clone();
                self.word(start, &word)
            }
            Some(Token::Quoted(_)) => self.name_or_call(start),
            _ => Err(self.unexpected()),
        }
    }

    fn parenthesized(&mut self) -> Parsed<Expr> {
        let start = self.start();
        self.expect_mark('(')?;
        if self.starts_query() {
            let query = self.query()?;
            self.expect_mark(')')?;
            return Ok(self.finish(start, ExprKind::Subquery(Box::new(query))));
        }
        let mut items = self.comma_list(Parser::expr)?;
        self.expect_mark(')')?;
        match items.len() {
            1 => Ok(items.remove(0)),
            _ => Ok(self.finish(start, ExprKind::Row(items))),
        }
    }

    fn word(&mut self, start: u32, word: &str) -> Parsed<Expr> {
        let literal = match word {
            "null" => Some(Literal::Null),
            "true" => Some(Literal::Bool(true)),
            "false" => Some(Literal::Bool(false)),
            _ => None,
        };
        let called = self.peek_at(1) == Some(&Token::Mark('('));
        if let Some(literal) = literal {
            self.at += 1;
            return Ok(self.finish(start, ExprKind::Literal(literal)));
        }
        if BARE_CALLS.contains(&word) && !called && self.peek_at(1) != Some(&Token::Mark('.')) {
            self.at += 1;
            return Ok(self.call_of(start, word, Vec::new()));
        }
        match word {
            "case" => self.case(start),
            "cast" if called => self.cast(start),
            "array" if called || self.peek_at(1) == Some(&Token::Mark('[')) => self.array(start),
            "row" if called => {
                self.at += 1;
                let items = self.in_parens(|parser| {
                    if parser.is_mark(')') { Ok(Vec::new()) } else { parser.comma_list(Parser::expr) }
                })?;
                Ok(self.finish(start, ExprKind::Row(items)))
            }
            "exists" if called => {
                self.at += 1;
                let query = self.in_parens(Parser::query)?;
                Ok(self.finish(start, ExprKind::Exists(Box::new(query))))
            }
            "default" => {
                self.at += 1;
                Ok(self.finish(start, ExprKind::Default))
            }
            "not" => self.not_expr(),
            "extract" | "position" | "overlay" | "substring" | "trim" if called => {
                self.special_call(start, word)
            }
            _ if LITERAL_TYPES.contains(&word) && self.typed_literal_ahead() => {
                let ty = self.type_name()?;
                let at = self.start();
                let text = self.string()?;
                let inner = Expr::new(ExprKind::Literal(Literal::String(text)), self.since(at));
                if word == "interval" && self.interval_unit() {
                    return Err(self.unexpected());
                }
                Ok(self.finish(start, ExprKind::Cast { expr: inner, ty }))
            }
            _ => self.name_or_call(start),
        }
    }

    fn interval_unit(&self) -> bool {
        ["year", "month", "day", "hour", "minute", "second"].iter().any(|unit| self.is(unit))
    }

    /// Whether a type and then a string come next: `date '2024-01-01'`, `timestamp with time zone '…'`.
    fn typed_literal_ahead(&self) -> bool {
        let mut ahead = 1;
        while matches!(self.peek_at(ahead), Some(Token::Word(word)) if ["with", "without", "time", "zone", "precision", "varying"].contains(&word.as_str()))
        {
            ahead += 1;
        }
        if self.peek_at(ahead) == Some(&Token::Mark('('))
            && matches!(self.peek_at(ahead + 1), Some(Token::Integer(_)))
        {
            ahead += 3;
            while matches!(self.peek_at(ahead), Some(Token::Word(word)) if ["with", "without", "time", "zone"].contains(&word.as_str()))
            {
                ahead += 1;
            }
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
        let otherwise = if self.eat("else") { Some(self.expr()?) } else { None };
        self.expect("end")?;
        Ok(self.finish(start, ExprKind::Case { operand, branches, otherwise }))
    }

    fn cast(&mut self, start: u32) -> Parsed<Expr> {
        self.at += 1;
        let (expr, ty) = self.in_parens(|parser| {
            let expr = parser.expr()?;
            parser.expect("as")?;
            Ok((expr, parser.type_name()?))
        })?;
        Ok(self.finish(start, ExprKind::Cast { expr, ty }))
    }

    fn array(&mut self, start: u32) -> Parsed<Expr> {
        self.at += 1;
        if self.eat_mark('(') {
            let query = self.query()?;
            self.expect_mark(')')?;
            return Ok(self.finish(start, ExprKind::ArraySubquery(Box::new(query))));
        }
        let items = self.array_items()?;
        Ok(self.finish(start, ExprKind::Array(items)))
    }

    fn array_items(&mut self) -> Parsed<Vec<Expr>> {
        self.expect_mark('[')?;
        let mut items = Vec::new();
        let nested = self.is_mark('[');
        while !self.is_mark(']') {
            let start = self.start();
            let item = if nested {
                let inner = self.deeper(Parser::array_items)?;
                self.finish(start, ExprKind::Array(inner))
            } else {
                self.expr()?
            };
            items.push(item);
            if !self.eat_mark(',') {
                break;
            }
        }
        self.expect_mark(']')?;
        Ok(items)
    }

    /// Functions with words between their arguments.
    fn special_call(&mut self, start: u32, word: &str) -> Parsed<Expr> {
        let before = self.at;
        self.at += 1;
        self.expect_mark('(')?;
        let (name, args) = match word {
            "extract" => {
                let at = self.start();
                let field = match self.peek() {
                    Some(Token::String(text) | Token::Word(text) | Token::Quoted(text)) => text.clone(),
                    _ => return Err(self.unexpected()),
                };
                self.at += 1;
                let field = Expr::new(ExprKind::Literal(Literal::String(field)), self.since(at));
                self.expect("from")?;
                ("extract", vec![field, self.expr()?])
            }
            "position" => {
                let needle = self.other_operator()?;
                self.expect("in")?;
                ("position", vec![self.other_operator()?, needle])
            }
            "overlay" | "substring" => {
                let mut args = vec![self.expr()?];
                if self.is_mark(',') {
                    self.at = before;
                    return self.name_or_call(start);
                }
                for separator in ["placing", "from", "for"] {
                    if self.eat(separator) {
                        if separator == "for" && word == "substring" && args.len() == 1 {
                            args.push(Expr::new(
                                ExprKind::Literal(Literal::Integer("1".to_owned())),
                                Span::default(),
                            ));
                        }
                        args.push(self.expr()?);
                    }
                }
                (if word == "overlay" { "overlay" } else { "substring" }, args)
            }
            _ => self.trim()?,
        };
        self.expect_mark(')')?;
        Ok(self.call_of(start, name, args))
    }

    fn trim(&mut self) -> Parsed<(&'static str, Vec<Expr>)> {
        let name = if self.eat("leading") {
            "ltrim"
        } else if self.eat("trailing") {
            "rtrim"
        } else {
            self.eat("both");
            "btrim"
        };
        if self.eat("from") {
            return Ok((name, self.comma_list(Parser::expr)?));
        }
        let mut args = self.comma_list(Parser::expr)?;
        if self.eat("from") {
            let characters = args;
            args = self.comma_list(Parser::expr)?;
            args.extend(characters);
        }
        Ok((name, args))
    }

    fn call_of(&self, start: u32, name: &str, args: Vec<Expr>) -> Expr {
        let span = self.since(start);
        let name = ObjectName { schema: None, name: name.to_owned(), span };
        self.finish(start, ExprKind::Call(call_with(name, args)))
    }

    fn name_or_call(&mut self, start: u32) -> Parsed<Expr> {
        if let Some(Token::Word(word)) = self.peek() {
            let called = matches!(self.peek_at(1), Some(Token::Mark('(') | Token::String(_)));
            let allowed =
                if called { keywords::may_be_function(word) } else { keywords::may_be_column(word) };
            if !allowed {
                return Err(self.unexpected());
            }
        }
        let mut parts = vec![self.ident()?];
        while self.is_mark('.') {
            self.at += 1;
            if self.eat_op("*") {
                return Ok(self.finish(start, ExprKind::Star(parts)));
            }
            parts.push(self.ident()?);
        }
        if !self.is_mark('(') {
            if matches!(self.peek(), Some(Token::String(_))) {
                return self.named_literal(start, parts);
            }
            return Ok(self.finish(start, ExprKind::Column(parts)));
        }
        let span = self.since(start);
        let name = parts.pop().unwrap_or_default();
        let call = self.call(ObjectName { schema: parts.pop(), name, span })?;
        Ok(self.finish(start, ExprKind::Call(call)))
    }

    /// `type 'literal'` of a type that is an ordinary name.
    fn named_literal(&mut self, start: u32, mut parts: Vec<String>) -> Parsed<Expr> {
        let span = self.since(start);
        let at = self.start();
        let text = self.string()?;
        let expr = Expr::new(ExprKind::Literal(Literal::String(text)), self.since(at));
        let name = parts.pop().unwrap_or_default();
        let name = ObjectName { schema: parts.pop(), name, span };
        let ty = TypeName { name, modifiers: Vec::new(), array_dims: 0, setof: false, of_column: None };
        Ok(self.finish(start, ExprKind::Cast { expr, ty }))
    }

    /// The parentheses of a call and what may follow them.
    pub(super) fn call(&mut self, name: ObjectName) -> Parsed<Call> {
        let mut found = call(name, Vec::new());
        self.expect_mark('(')?;
        if self.is_op("*") && self.peek_at(1) == Some(&Token::Mark(')')) {
            self.at += 1;
            found.star = true;
        } else if !self.is_mark(')') {
            found.distinct = self.eat("distinct");
            if !found.distinct {
                self.eat("all");
            }
            if !self.are(&["order", "by"]) {
                found.args = self.comma_list(Parser::argument)?;
            }
            found.order_by = self.order_by()?;
        }
        self.expect_mark(')')?;
        if self.eat_all(&["within", "group"]) {
            found.within_group = self.in_parens(Parser::order_by)?;
        }
        if self.is("filter") && self.peek_at(1) == Some(&Token::Mark('(')) {
            self.at += 2;
            self.expect("where")?;
            found.filter = Some(self.expr()?);
            self.expect_mark(')')?;
        }
        if self.eat("over") {
            found.over = Some(self.over()?);
        }
        Ok(found)
    }

    fn argument(&mut self) -> Parsed<Argument> {
        let variadic = self.eat("variadic");
        let named = matches!(self.peek_at(1), Some(Token::Op(op)) if op == "=>" || op == ":=");
        let name = if named {
            let name = self.ident()?;
            self.at += 1;
            Some(name)
        } else {
            None
        };
        Ok(Argument { name, variadic, value: self.expr()? })
    }

    fn over(&mut self) -> Parsed<Window> {
        if self.is_mark('(') {
            return self.window();
        }
        Ok(Window { name: Some(self.column_ident()?), ..Window::default() })
    }

    pub(super) fn window(&mut self) -> Parsed<Window> {
        self.in_parens(|parser| {
            let mut window = Window::default();
            let clause = ["partition", "order", "range", "rows", "groups"].iter().any(|word| parser.is(word));
            if !clause && !parser.is_mark(')') {
                window.name = Some(parser.column_ident()?);
            }
            if parser.eat("partition") {
                parser.expect("by")?;
                window.partition_by = parser.comma_list(Parser::expr)?;
            }
            window.order_by = parser.order_by()?;
            if !parser.is_mark(')') {
                let start = parser.start();
                parser.frame()?;
                window.frame = Some(parser.source(parser.since(start)));
            }
            Ok(window)
        })
    }

    /// `rows between … and …`
    fn frame(&mut self) -> Parsed<()> {
        if !(self.eat("rows") || self.eat("range") || self.eat("groups")) {
            return Err(self.unexpected());
        }
        let two = self.eat("between");
        self.frame_bound()?;
        if two {
            self.expect("and")?;
            self.frame_bound()?;
        }
        if self.eat("exclude") {
            let said: [&[&str]; 4] = [&["current", "row"], &["group"], &["ties"], &["no", "others"]];
            if !said.iter().any(|words| self.eat_all(words)) {
                return Err(self.unexpected());
            }
        }
        Ok(())
    }

    fn frame_bound(&mut self) -> Parsed<()> {
        if self.eat_all(&["current", "row"]) {
            return Ok(());
        }
        if !self.eat("unbounded") {
            self.expr()?;
        }
        if self.eat("preceding") { Ok(()) } else { self.expect("following") }
    }
}

/// A plain call with these arguments.
pub(super) fn call_with(name: ObjectName, args: Vec<Expr>) -> Call {
    call(name, args.into_iter().map(|value| Argument { name: None, variadic: false, value }).collect())
}

fn call(name: ObjectName, args: Vec<Argument>) -> Call {
    Call {
        name,
        args,
        star: false,
        distinct: false,
        order_by: Vec::new(),
        within_group: Vec::new(),
        filter: None,
        over: None,
    }
}
