//! Functions and triggers. Their bodies are kept as text.

use types::Span;

use super::{Parsed, Parser};
use crate::ast::{
    ArgumentMode, CreateFunction, CreateTrigger, FunctionArgument, StatementKind, TriggerEvent,
    TriggerTiming, TypeName, Volatility,
};
use crate::lexer::Token;

impl Parser<'_> {
    pub(super) fn create_function(&mut self, or_replace: bool, procedure: bool) -> Parsed<StatementKind> {
        let name = self.object_name()?;
        let mut arguments = self.in_parens(|parser| {
            if parser.is_mark(')') { Ok(Vec::new()) } else { parser.comma_list(Parser::function_argument) }
        })?;
        let (mut returns, mut returns_table) = (None, false);
        if self.eat("returns") {
            if self.is("table") && self.peek_at(1) == Some(&Token::Mark('(')) {
                self.at += 1;
                returns_table = true;
                arguments.extend(self.in_parens(|parser| parser.comma_list(Parser::table_column))?);
            } else {
                returns = Some(self.type_name()?);
            }
        }
        let mut function = CreateFunction {
            name,
            or_replace,
            procedure,
            arguments,
            returns,
            returns_table,
            language: "sql".to_owned(),
            body: String::new(),
            body_span: Span::default(),
            volatility: Volatility::Volatile,
            strict: false,
            security_definer: false,
            settings: Vec::new(),
            rows: None,
        };
        while !self.done() {
            self.function_option(&mut function)?;
        }
        Ok(StatementKind::CreateFunction(function))
    }

    fn table_column(&mut self) -> Parsed<FunctionArgument> {
        let name = self.ident()?;
        Ok(FunctionArgument {
            name: Some(name),
            ty: self.type_name()?,
            mode: ArgumentMode::Table,
            default: None,
        })
    }

    pub(super) fn function_argument(&mut self) -> Parsed<FunctionArgument> {
        let mut mode = self.argument_mode();
        let name = if self.argument_is_named() { Some(self.ident()?) } else { None };
        if name.is_some() && mode == ArgumentMode::In {
            mode = self.argument_mode();
        }
        let ty: TypeName = self.type_name()?;
        let default = if self.eat("default") || self.eat_op("=") { Some(self.expr()?) } else { None };
        Ok(FunctionArgument { name, ty, mode, default })
    }

    fn argument_mode(&mut self) -> ArgumentMode {
        if self.is("in") && self.is_at(1, "out") {
            self.at += 2;
            return ArgumentMode::InOut;
        }
        for (word, mode) in [
            ("inout", ArgumentMode::InOut),
            ("out", ArgumentMode::Out),
            ("variadic", ArgumentMode::Variadic),
            ("in", ArgumentMode::In),
        ] {
            if self.eat(word) {
                return mode;
            }
        }
        ArgumentMode::In
    }

    /// Whether a name stands before the type: a word, and then another word that is not part of a type's spelling.
    fn argument_is_named(&self) -> bool {
        let words = |token: Option<&Token>| matches!(token, Some(Token::Word(_) | Token::Quoted(_)));
        if !words(self.peek()) || !words(self.peek_at(1)) {
            return false;
        }
        let second = ["precision", "varying", "with", "without", "default", "array"];
        let first = ["double", "character", "char", "timestamp", "time", "nchar"];
        let spelling = second.iter().any(|word| self.is_at(1, word));
        !(self.is_at(1, "default") || (spelling && first.iter().any(|word| self.is(word))))
    }

    fn function_option(&mut self, function: &mut CreateFunction) -> Parsed<()> {
        if self.eat("language") {
            function.language = match self.peek() {
                Some(Token::String(_)) => self.string()?.to_lowercase(),
                _ => self.ident()?,
            };
        } else if self.eat("as") {
            function.body_span = self.tokens.get(self.at).map_or(Span::default(), |placed| placed.content);
            function.body = self.string()?;
            if self.eat_mark(',') {
                self.string()?;
            }
        } else if self.eat("immutable") {
            function.volatility = Volatility::Immutable;
        } else if self.eat("stable") {
            function.volatility = Volatility::Stable;
        } else if self.eat("volatile") {
            function.volatility = Volatility::Volatile;
        } else if self.eat("strict") || self.eat_all(&["returns", "null", "on", "null", "input"]) {
            function.strict = true;
        } else if self.eat_all(&["called", "on", "null", "input"]) {
            function.strict = false;
        } else if self.eat("security") || self.eat_all(&["external", "security"]) {
            function.security_definer = self.ident()? == "definer";
        } else if self.eat("set") {
            function.settings.push(self.function_setting()?);
        } else if self.eat("rows") {
            function.rows = u64::try_from(self.signed_integer()?).ok();
        } else if self.eat("cost") {
            self.at += 1;
        } else if self.eat("parallel") {
            self.ident()?;
        } else if self.is("return") || self.are(&["begin", "atomic"]) {
            let start = self.start();
            self.at = self.tokens.len();
            function.body_span = self.since(start);
            function.body = self.source(function.body_span);
        } else if !(self.eat("leakproof") || self.eat("window") || self.eat_all(&["not", "leakproof"])) {
            return Err(self.unexpected());
        }
        Ok(())
    }

    fn function_setting(&mut self) -> Parsed<(String, String)> {
        let mut name = self.ident()?;
        while self.eat_mark('.') {
            name = format!("{name}.{}", self.ident()?);
        }
        if self.eat_all(&["from", "current"]) {
            return Ok((name, "from current".to_owned()));
        }
        if !self.eat_op("=") {
            self.expect("to")?;
        }
        let values = self.comma_list(|parser| {
            let start = parser.start();
            let text = match parser.peek() {
                Some(Token::Word(text) | Token::Quoted(text) | Token::String(text)) => Some(text.clone()),
                _ => None,
            };
            parser.eat_op("-");
            parser.at += 1;
            Ok(text.unwrap_or_else(|| parser.source(parser.since(start))))
        })?;
        Ok((name, values.join(", ")))
    }

    pub(super) fn create_trigger(&mut self, or_replace: bool, constraint: bool) -> Parsed<StatementKind> {
        let name = self.ident()?;
        let timing = if self.eat("before") {
            TriggerTiming::Before
        } else if self.eat("after") {
            TriggerTiming::After
        } else {
            self.expect("instead")?;
            self.expect("of")?;
            TriggerTiming::InsteadOf
        };
        let mut events = vec![self.trigger_event()?];
        while self.eat("or") {
            events.push(self.trigger_event()?);
        }
        self.expect("on")?;
        let table = self.object_name()?;
        if self.eat("from") {
            self.object_name()?;
        }
        let (deferrable, initially_deferred) = self.deferrable();
        let mut referencing = Vec::new();
        if self.eat("referencing") {
            while self.is("old") || self.is("new") {
                let new = self.ident()? == "new";
                self.expect("table")?;
                self.eat("as");
                referencing.push((new, self.ident()?));
            }
        }
        let mut for_each_row = false;
        if self.eat("for") {
            self.eat("each");
            for_each_row = self.ident()? == "row";
        }
        let when = if self.eat("when") { Some(self.in_parens(Parser::expr)?) } else { None };
        self.expect("execute")?;
        if !self.eat("procedure") {
            self.expect("function")?;
        }
        let function = self.object_name()?;
        let arguments = self.in_parens(|parser| {
            let mut arguments = Vec::new();
            while !parser.is_mark(')') {
                match parser.peek() {
                    Some(
                        Token::String(text)
                        | Token::Integer(text)
                        | Token::Number(text)
                        | Token::Word(text)
                        | Token::Quoted(text),
                    ) => {
                        arguments.push(text.clone());
                    }
                    Some(Token::Mark(',')) => {}
                    _ => return Err(parser.unexpected()),
                }
                parser.at += 1;
            }
            Ok(arguments)
        })?;
        Ok(StatementKind::CreateTrigger(CreateTrigger {
            name,
            or_replace,
            constraint,
            table,
            timing,
            events,
            for_each_row,
            when,
            referencing,
            deferrable,
            initially_deferred,
            function,
            arguments,
        }))
    }

    fn trigger_event(&mut self) -> Parsed<TriggerEvent> {
        match self.ident()?.as_str() {
            "insert" => Ok(TriggerEvent::Insert),
            "delete" => Ok(TriggerEvent::Delete),
            "truncate" => Ok(TriggerEvent::Truncate),
            "update" => Ok(TriggerEvent::Update(if self.eat("of") {
                self.comma_list(Parser::ident)?
            } else {
                Vec::new()
            })),
            _ => {
                self.at -= 1;
                Err(self.unexpected())
            }
        }
    }
}
