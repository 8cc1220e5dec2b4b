//! Statements.

use super::super::{Parsed, Parser};
use crate::ast::{Expr, ExprKind, StatementKind};
use crate::body::{Direction, Into, Rows, StepKind};
use crate::diagnostic::Diagnostic;
use crate::lexer::Token;

/// Statements that end a transaction, which no function may.
const OF_TRANSACTIONS: &[&str] = &["commit", "rollback", "savepoint", "release", "abort", "start"];

impl Parser<'_> {
    pub(super) fn body_step(&mut self) -> Parsed<StepKind> {
        if self.is_assignment() {
            return self.assignment_step();
        }
        let label = self.body_label()?;
        if ["loop", "while", "for", "foreach"].iter().any(|word| self.is(word)) {
            return self.loop_step(label);
        }
        if self.is("declare") || self.is("begin") {
            let block = self.body_block(label)?;
            self.expect_mark(';')?;
            return Ok(StepKind::Block(block));
        }
        let word = match self.peek() {
            Some(Token::Word(word)) => word.clone(),
            Some(Token::Mark('(')) => return self.sql_step(),
            _ => return Err(self.unexpected()),
        };
        self.worded_step(&word)
    }

    fn worded_step(&mut self, word: &str) -> Parsed<StepKind> {
        let behind = |parser: &mut Self, step: fn(&mut Self) -> Parsed<StepKind>| {
            parser.at += 1;
            step(parser)
        };
        match word {
            "if" => self.if_step(),
            "case" => behind(self, Parser::case_step),
            "exit" => behind(self, |parser| parser.leave_step(false)),
            "continue" => behind(self, |parser| parser.leave_step(true)),
            "return" => behind(self, Parser::return_step),
            "raise" => behind(self, |parser| parser.raise().map(StepKind::Raise)),
            "assert" => behind(self, Parser::assert_step),
            "perform" => behind(self, Parser::perform_step),
            "call" => behind(self, Parser::call_step),
            "execute" => behind(self, Parser::execute_step),
            "get" => behind(self, Parser::diagnostics_step),
            "open" => behind(self, Parser::open_step),
            "fetch" => behind(self, |parser| parser.fetch_step(false)),
            "move" => behind(self, |parser| parser.fetch_step(true)),
            "close" => behind(self, |parser| {
                let cursor = parser.ident()?;
                parser.expect_mark(';')?;
                Ok(StepKind::Close(cursor))
            }),
            "null" => behind(self, |parser| {
                parser.expect_mark(';')?;
                Ok(StepKind::Nothing)
            }),
            word if OF_TRANSACTIONS.contains(&word) => self.refused_step(),
            _ => self.sql_step(),
        }
    }

    fn refused_step(&mut self) -> Parsed<StepKind> {
        let length = self.ahead(|token| *token == Token::Mark(';'))?;
        let tokens = self.taken(length);
        let words = Parser { text: self.text, tokens, at: 0, depth: 0 }.words();
        self.at += 1;
        Ok(StepKind::Refused(words))
    }

    fn assignment_step(&mut self) -> Parsed<StepKind> {
        let target = self.assigned()?;
        self.at += 1;
        Ok(StepKind::Assign { target, value: self.expr_before_mark(';')? })
    }

    fn if_step(&mut self) -> Parsed<StepKind> {
        let mut branches = Vec::new();
        while self.eat("if") || self.eat("elsif") || self.eat("elseif") {
            let condition = self.expr_before("then")?;
            branches.push((condition, self.body_steps()?));
        }
        let otherwise = if self.eat("else") { self.body_steps()? } else { Vec::new() };
        self.expect("end")?;
        self.expect("if")?;
        self.expect_mark(';')?;
        Ok(StepKind::If { branches, otherwise })
    }

    fn case_step(&mut self) -> Parsed<StepKind> {
        let operand = match self.ahead_of_word("when")? {
            0 => None,
            length => Some(self.expr_of(length)?),
        };
        let mut branches = Vec::new();
        while self.eat("when") {
            let length = self.ahead_of_word("then")?;
            let values = match operand {
                Some(_) => self.exprs_of(length)?,
                None => vec![self.expr_of(length)?],
            };
            self.at += 1;
            branches.push((values, self.body_steps()?));
        }
        let otherwise = if self.eat("else") { Some(self.body_steps()?) } else { None };
        self.expect("end")?;
        self.expect("case")?;
        self.expect_mark(';')?;
        Ok(StepKind::Case { operand, branches, otherwise })
    }

    fn leave_step(&mut self, again: bool) -> Parsed<StepKind> {
        let label = if self.is_mark(';') || self.is("when") { None } else { Some(self.ident()?) };
        let when = if self.eat("when") {
            Some(self.expr_before_mark(';')?)
        } else {
            self.expect_mark(';')?;
            None
        };
        Ok(StepKind::Leave { again, label, when })
    }

    fn return_step(&mut self) -> Parsed<StepKind> {
        if self.eat("next") {
            return self.value_or_none().map(StepKind::ReturnNext);
        }
        if self.eat("query") {
            return self.rows_step().map(StepKind::ReturnQuery);
        }
        self.value_or_none().map(StepKind::Return)
    }

    fn value_or_none(&mut self) -> Parsed<Option<Expr>> {
        if self.eat_mark(';') { Ok(None) } else { self.expr_before_mark(';').map(Some) }
    }

    fn assert_step(&mut self) -> Parsed<StepKind> {
        let length = self.ahead(|token| *token == Token::Mark(';'))?;
        let mut exprs = self.exprs_of(length)?.into_iter();
        self.at += 1;
        let (Some(condition), message, None) = (exprs.next(), exprs.next(), exprs.next()) else {
            return Err(self.unexpected());
        };
        Ok(StepKind::Assert { condition, message })
    }

    fn perform_step(&mut self) -> Parsed<StepKind> {
        let length = self.ahead(|token| *token == Token::Mark(';'))?;
        let tokens = self.taken(length);
        let query = self.query_without_select(tokens)?;
        self.at += 1;
        Ok(StepKind::Perform(Box::new(query)))
    }

    fn call_step(&mut self) -> Parsed<StepKind> {
        let name = self.object_name()?;
        let call = Box::new(self.call(name)?);
        self.expect_mark(';')?;
        Ok(StepKind::Call(call))
    }

    /// `execute text [into …] [using …]`, in either order.
    fn execute_step(&mut self) -> Parsed<StepKind> {
        let is_part = |token: &Token| match token {
            Token::Word(word) => word == "into" || word == "using",
            token => *token == Token::Mark(';'),
        };
        let length = self.ahead(is_part)?;
        let text = self.expr_of(length)?;
        let (mut into, mut using): (Option<Into>, Vec<Expr>) = (None, Vec::new());
        loop {
            if into.is_none() && self.eat("into") {
                into = Some(self.targets_behind()?);
            } else if using.is_empty() && self.eat("using") {
                let length = self.ahead(|token| match token {
                    Token::Word(word) => word == "into",
                    token => *token == Token::Mark(';'),
                })?;
                using = self.exprs_of(length)?;
            } else {
                self.expect_mark(';')?;
                return Ok(StepKind::Execute { dynamic: crate::body::Dynamic { text, using }, into });
            }
        }
    }

    fn diagnostics_step(&mut self) -> Parsed<StepKind> {
        let stacked = self.eat("stacked");
        if !stacked {
            self.eat("current");
        }
        self.expect("diagnostics")?;
        let items = self.comma_list(|parser| {
            let target = parser.assigned()?;
            if !parser.eat_op(":=") && !parser.eat_op("=") {
                return Err(parser.unexpected());
            }
            Ok((target, parser.ident()?))
        })?;
        self.expect_mark(';')?;
        Ok(StepKind::Diagnostics { stacked, items })
    }

    fn open_step(&mut self) -> Parsed<StepKind> {
        let cursor = self.ident()?;
        let args = if self.is_mark('(') { self.cursor_args()? } else { Vec::new() };
        let is_forward_only = self.eat("no");
        self.eat("scroll");
        if self.eat("for") {
            let rows: Rows = self.rows_step()?;
            return Ok(StepKind::Open { cursor, is_forward_only, rows: Some(rows), args });
        }
        self.expect_mark(';')?;
        Ok(StepKind::Open { cursor, is_forward_only, rows: None, args })
    }

    fn fetch_step(&mut self, is_move: bool) -> Parsed<StepKind> {
        let start = self.start();
        let direction = self.direction()?;
        if !is_move && matches!(direction, Direction::Through(_) | Direction::All | Direction::BackwardAll) {
            return Err(Diagnostic::new(self.since(start), "FETCH statement cannot return multiple rows"));
        }
        let cursor = self.ident()?;
        let into = if is_move {
            None
        } else {
            self.expect("into")?;
            Some(self.target_list()?)
        };
        self.expect_mark(';')?;
        Ok(StepKind::Fetch { cursor, direction, into })
    }

    fn direction(&mut self) -> Parsed<Direction> {
        // A cursor may have the name of a direction.
        if self.is_mark_at(1, ';') || self.is_at(1, "into") {
            return Ok(Direction::Next);
        }
        let counted = |parser: &mut Self| -> Parsed<Expr> {
            let length =
                parser.ahead(|token| matches!(token, Token::Word(word) if word == "from" || word == "in"))?;
            parser.expr_of(length)
        };
        let is_bare = |parser: &Self| parser.is("from") || parser.is("in");
        let direction = if self.eat("next") {
            Direction::Next
        } else if self.eat("prior") {
            Direction::Prior
        } else if self.eat("first") {
            Direction::First
        } else if self.eat("last") {
            Direction::Last
        } else if self.eat("all") {
            Direction::All
        } else if self.eat("absolute") {
            Direction::Absolute(counted(self)?)
        } else if self.eat("relative") {
            Direction::Relative(counted(self)?)
        } else if self.eat("forward") {
            match () {
                () if is_bare(self) => Direction::Next,
                () if self.eat("all") => Direction::All,
                () => Direction::Through(counted(self)?),
            }
        } else if self.eat("backward") {
            match () {
                () if is_bare(self) => Direction::Prior,
                () if self.eat("all") => Direction::BackwardAll,
                () => {
                    let start = self.start();
                    let kind = ExprKind::Unary { op: "-".to_owned(), expr: counted(self)? };
                    Direction::Through(Expr { kind: Box::new(kind), span: self.since(start) })
                }
            }
        } else if is_bare(self) {
            Direction::Next
        } else if matches!(self.peek_at(1), Some(Token::Word(word)) if word == "from" || word == "in") {
            Direction::Through(counted(self)?)
        } else {
            return Err(self.unexpected());
        };
        let _ = self.eat("from") || self.eat("in");
        Ok(direction)
    }

    fn is_mark_at(&self, ahead: usize, mark: char) -> bool {
        self.peek_at(ahead) == Some(&Token::Mark(mark))
    }

    /// A statement of SQL, `into` taken out of it.
    fn sql_step(&mut self) -> Parsed<StepKind> {
        let start = self.at;
        let length = self.ahead(|token| *token == Token::Mark(';'))?;
        let (tokens, into) = self.without_into(length)?;
        let statement = self.statement_of(&tokens)?;
        self.at += 1;
        if let StatementKind::Other(words) = &statement
            && words.is_empty()
        {
            self.at = start;
            return Err(self.unexpected());
        }
        Ok(StepKind::Statement { statement: Box::new(statement), into })
    }
}
