//! Calls: arguments, what may follow them, functions with words between their arguments, windows.

use types::Span;

use super::operators::NORMAL_FORMS;
use super::{Parsed, Parser};
use crate::ast::{Argument, Call, Expr, ExprKind, Literal, ObjectName, Window};
use crate::keywords;
use crate::lexer::Token;

impl Parser<'_> {
    pub(super) fn call_of(&self, start: u32, name: &str, args: Vec<Expr>) -> Expr {
        let span = self.since(start);
        let name = ObjectName { schema: None, name: name.to_owned(), span };
        self.finish(start, ExprKind::Call(Call::by_position(name, args)))
    }

    /// A column, all columns of a relation, a literal of a named type, or a call.
    pub(super) fn name_or_call(&mut self, start: u32) -> Parsed<Expr> {
        let parts = match self.name_parts()? {
            Ok(parts) => parts,
            Err(relation) => return Ok(self.finish(start, ExprKind::Star(relation))),
        };
        match self.peek() {
            Some(Token::Mark('(')) => self.named_call(start, parts),
            Some(Token::String(_)) => self.named_literal(start, parts),
            _ => Ok(self.finish(start, ExprKind::Column(parts))),
        }
    }

    /// A name's parts; those of a relation when `.*` follows.
    fn name_parts(&mut self) -> Parsed<Result<Vec<String>, Vec<String>>> {
        if let Some(Token::Word(word)) = self.peek() {
            let called = matches!(self.peek_at(1), Some(Token::Mark('(') | Token::String(_)));
            let allowed =
                if called { keywords::may_be_function(word) } else { keywords::may_be_column(word) };
            if !allowed {
                return Err(self.unexpected());
            }
        }
        let mut parts = vec![self.ident()?];
        while self.eat_mark('.') {
            if self.eat_op("*") {
                return Ok(Err(parts));
            }
            parts.push(self.ident()?);
        }
        Ok(Ok(parts))
    }

    fn named_call(&mut self, start: u32, mut parts: Vec<String>) -> Parsed<Expr> {
        let span = self.since(start);
        let name = parts.pop().unwrap_or_default();
        let call = self.call(ObjectName { schema: parts.pop(), name, span })?;
        Ok(self.finish(start, ExprKind::Call(call)))
    }

    /// The parentheses of a call and what may follow them.
    pub(super) fn call(&mut self, name: ObjectName) -> Parsed<Call> {
        let mut found = Call::of(name, Vec::new());
        self.arguments(&mut found)?;
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

    fn arguments(&mut self, found: &mut Call) -> Parsed<()> {
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
        self.expect_mark(')')
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

    /// Functions with words between their arguments.
    pub(super) fn special_call(&mut self, start: u32) -> Parsed<Expr> {
        let word = self.ident()?;
        self.expect_mark('(')?;
        let (name, args) = match word.as_str() {
            "extract" => ("extract", self.extracted()?),
            "position" => ("position", self.positioned()?),
            "overlay" => ("overlay", self.placed_arguments(&["placing", "from", "for"])?),
            "normalize" => ("normalize", self.normalized()?),
            "substring" => ("substring", self.placed_arguments(&["from", "for"])?),
            _ => self.trim()?,
        };
        self.expect_mark(')')?;
        Ok(self.call_of(start, name, args))
    }

    /// `year from a`
    fn extracted(&mut self) -> Parsed<Vec<Expr>> {
        let at = self.start();
        let field = match self.peek() {
            Some(Token::String(text) | Token::Word(text) | Token::Quoted(text)) => text.clone(),
            _ => return Err(self.unexpected()),
        };
        self.at += 1;
        let field = self.finish(at, ExprKind::Literal(Literal::String(field)));
        self.expect("from")?;
        Ok(vec![field, self.expr()?])
    }

    /// `a [, nfc]`
    fn normalized(&mut self) -> Parsed<Vec<Expr>> {
        let mut args = vec![self.expr()?];
        if self.eat_mark(',') {
            let at = self.start();
            let form = NORMAL_FORMS.iter().find(|form| self.is(form));
            let form = form.ok_or_else(|| self.unexpected())?;
            self.at += 1;
            args.push(self.finish(at, ExprKind::Literal(Literal::String(form.to_uppercase()))));
        }
        Ok(args)
    }

    /// `a in b`
    fn positioned(&mut self) -> Parsed<Vec<Expr>> {
        let needle = self.operand()?;
        self.expect("in")?;
        Ok(vec![self.operand()?, needle])
    }

    /// Arguments behind words, or commas; a length without a start is from the first character on.
    fn placed_arguments(&mut self, words: &[&str]) -> Parsed<Vec<Expr>> {
        let mut args = vec![self.expr()?];
        if self.eat_mark(',') {
            args.extend(self.comma_list(Parser::expr)?);
            return Ok(args);
        }
        if self.eat("similar") {
            args.push(self.expr()?);
            self.expect("escape")?;
            args.push(self.expr()?);
            return Ok(args);
        }
        for word in words {
            if !self.eat(word) {
                continue;
            }
            if *word == "for" && args.len() == 1 {
                let one = ExprKind::Literal(Literal::Integer("1".to_owned()));
                args.push(Expr::new(one, Span::default()));
            }
            args.push(self.expr()?);
        }
        Ok(args)
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
}
