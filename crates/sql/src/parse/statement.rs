//! Which statement it is, and the small ones.

use types::Span;

use super::{Parsed, Parser};
use crate::ast::{
    AlterPolicy, CheckOption, CreatePolicy, CreateRule, CreateView, Cte, Drop, Expr, ExprKind, FromItem,
    ObjectName, PolicyCommand, PublicationAction, Query, QueryBody, RuleEvent, Select, StatementKind, Target,
    TypeName, With,
};
use crate::lexer::Token;

/// Words that begin statements which nothing but their words is known of.
const OTHER_STATEMENTS: &[&str] = &[
    "analyse",
    "analyze",
    "call",
    "checkpoint",
    "close",
    "cluster",
    "copy",
    "deallocate",
    "declare",
    "discard",
    "execute",
    "fetch",
    "import",
    "listen",
    "load",
    "merge",
    "move",
    "prepare",
    "reassign",
    "reindex",
    "security",
    "show",
    "unlisten",
    "vacuum",
];

impl Parser<'_> {
    pub(super) fn statement(&mut self) -> Parsed<StatementKind> {
        let first = match self.peek() {
            Some(Token::Word(word)) => word.clone(),
            Some(Token::Mark('(')) => return Ok(StatementKind::Query(self.query()?)),
            _ => return Err(self.unexpected()),
        };
        match first.as_str() {
            "select" | "values" | "table" => Ok(StatementKind::Query(self.query()?)),
            "with" | "insert" | "update" | "delete" => self.data_statement(),
            "create" => self.create(),
            "alter" => self.alter(),
            "drop" => self.drop_statement(),
            "grant" | "revoke" => self.grant_statement(),
            "comment" => self.comment(),
            "do" => self.do_block(),
            "set" => self.set(),
            "reset" => {
                self.at += 1;
                let is_zone = self.eat_all(&["time", "zone"]);
                Ok(StatementKind::Reset(if is_zone { "timezone".into() } else { self.rest().to_lowercase() }))
            }
            "begin" | "start" | "commit" | "end" | "rollback" | "abort" | "savepoint" | "release" => {
                Ok(StatementKind::Transaction(self.words()))
            }
            "truncate" => self.truncate(),
            "refresh" => self.refresh(),
            "lock" => self.lock(),
            "notify" => self.notify(),
            "explain" => self.explain(),
            word if OTHER_STATEMENTS.contains(&word) => Ok(StatementKind::Other(self.words())),
            _ => Err(self.unexpected()),
        }
    }

    /// A plan is for whoever looks at it, and nobody does; with `analyze` a statement is done.
    fn explain(&mut self) -> Parsed<StatementKind> {
        self.expect("explain")?;
        let is_done = match self.is_mark('(') {
            true => self.in_parens(|parser| parser.comma_list(Parser::explain_option))?.contains(&true),
            false => {
                let is_done = self.eat("analyze") || self.eat("analyse");
                self.eat("verbose");
                is_done
            }
        };
        let explained = self.statement()?;
        Ok(if is_done { explained } else { StatementKind::Other("explain".to_owned()) })
    }

    /// Whether an option says that the statement is done.
    fn explain_option(&mut self) -> Parsed<bool> {
        let is_analyze = self.eat("analyze") || self.eat("analyse");
        if !is_analyze {
            self.ident()?;
        }
        let said = self.raw_until(|parser| parser.is_mark(',') || parser.is_mark(')'));
        Ok(is_analyze && !["false", "off", "0"].contains(&said.to_lowercase().as_str()))
    }

    /// The leading words of a statement, all of which is taken.
    pub(super) fn words(&mut self) -> String {
        let words: Vec<&str> = self
            .tokens
            .iter()
            .skip(self.at)
            .map_while(|placed| match &placed.token {
                Token::Word(word) => Some(word.as_str()),
                _ => None,
            })
            .take(4)
            .collect();
        let words = words.join(" ");
        self.at = self.tokens.len();
        words
    }

    fn create(&mut self) -> Parsed<StatementKind> {
        let before = self.at;
        self.expect("create")?;
        let or_replace = self.eat_all(&["or", "replace"]);
        let temporary = self.eat("temporary") || self.eat("temp");
        self.eat("unlogged");
        if self.eat("table") {
            return self.create_table(temporary);
        }
        if self.eat_all(&["unique", "index"]) {
            return self.create_index(true);
        }
        if self.eat("index") {
            return self.create_index(false);
        }
        if self.eat("policy") {
            return self.create_policy();
        }
        if self.eat("function") {
            return self.create_function(or_replace, false);
        }
        if self.eat("procedure") {
            return self.create_function(or_replace, true);
        }
        if self.eat_all(&["constraint", "trigger"]) {
            return self.create_trigger(or_replace, true);
        }
        if self.eat("trigger") {
            return self.create_trigger(or_replace, false);
        }
        if self.is("view") || self.is("materialized") || self.is("recursive") {
            return self.create_view(or_replace);
        }
        if self.eat("type") {
            return self.create_type(before);
        }
        if self.eat("domain") {
            return self.create_domain();
        }
        if self.eat("sequence") {
            let if_not_exists = self.if_not_exists();
            let name = self.object_name()?;
            return Ok(StatementKind::CreateSequence {
                name,
                if_not_exists,
                temporary,
                options: self.sequence_options()?,
            });
        }
        if self.eat("schema") {
            let if_not_exists = self.if_not_exists();
            self.eat("authorization");
            let name = self.ident()?;
            if self.eat("authorization") {
                self.ident()?;
            }
            return if self.done() {
                Ok(StatementKind::CreateSchema { name, if_not_exists })
            } else {
                Err(self.unexpected())
            };
        }
        if self.eat("extension") {
            return self.create_extension();
        }
        if self.eat("role") || self.eat("user") {
            let name = self.ident()?;
            return Ok(StatementKind::Role { name, alter: false, options: self.options() });
        }
        if self.eat("publication") {
            return self.create_publication();
        }
        if self.eat("cast") {
            return self.create_cast();
        }
        if self.eat("rule")
            && let Ok(rule) = self.create_rule(or_replace)
        {
            return Ok(rule);
        }
        self.at = before;
        Ok(StatementKind::Other(self.words()))
    }

    /// A rule by which nothing is done. One that does something is known by its words.
    fn create_rule(&mut self, or_replace: bool) -> Parsed<StatementKind> {
        let name = self.ident()?;
        self.expect("as")?;
        self.expect("on")?;
        let event = match self.ident()?.as_str() {
            "insert" => RuleEvent::Insert,
            "update" => RuleEvent::Update,
            "delete" => RuleEvent::Delete,
            _ => return Err(self.unexpected()),
        };
        self.expect("to")?;
        let table = self.object_name()?;
        if self.eat_all(&["do", "instead", "nothing"]) && self.done() {
            return Ok(StatementKind::CreateRule(CreateRule { name, or_replace, event, table }));
        }
        Err(self.unexpected())
    }

    /// Options as written, lower case, one entry each where words separate them.
    pub(super) fn options(&mut self) -> Vec<String> {
        self.eat("with");
        let mut options = Vec::new();
        while !self.done() {
            let start = self.start();
            let takes_more = self.is("in") || self.is("connection") || self.is("valid") || self.is("set");
            self.at += 1;
            if takes_more {
                while !self.done() {
                    self.at += 1;
                }
            } else if matches!(self.peek(), Some(Token::String(_) | Token::Integer(_))) {
                self.at += 1;
            }
            options.push(self.source(self.since(start)).to_lowercase());
        }
        options
    }

    fn create_policy(&mut self) -> Parsed<StatementKind> {
        let name = self.ident()?;
        self.expect("on")?;
        let table = self.object_name()?;
        let mut policy = CreatePolicy {
            name,
            table,
            permissive: true,
            command: PolicyCommand::All,
            roles: Vec::new(),
            using: None,
            with_check: None,
        };
        if self.eat("as") {
            policy.permissive = self.ident()? == "permissive";
        }
        if self.eat("for") {
            policy.command = match self.ident()?.as_str() {
                "all" => PolicyCommand::All,
                "select" => PolicyCommand::Select,
                "insert" => PolicyCommand::Insert,
                "update" => PolicyCommand::Update,
                "delete" => PolicyCommand::Delete,
                _ => {
                    self.at -= 1;
                    return Err(self.unexpected());
                }
            };
        }
        if self.eat("to") {
            policy.roles = self.comma_list(Parser::ident)?;
        }
        if self.eat("using") {
            policy.using = Some(self.in_parens(Parser::expr)?);
        }
        if self.eat_all(&["with", "check"]) {
            policy.with_check = Some(self.in_parens(Parser::expr)?);
        }
        Ok(StatementKind::CreatePolicy(policy))
    }

    pub(super) fn alter_policy(&mut self) -> Parsed<StatementKind> {
        let name = self.ident()?;
        self.expect("on")?;
        let table = self.object_name()?;
        let mut policy =
            AlterPolicy { name, table, rename: None, roles: None, using: None, with_check: None };
        if self.eat_all(&["rename", "to"]) {
            policy.rename = Some(self.ident()?);
        }
        if self.eat("to") {
            policy.roles = Some(self.comma_list(Parser::ident)?);
        }
        if self.eat("using") {
            policy.using = Some(self.in_parens(Parser::expr)?);
        }
        if self.eat_all(&["with", "check"]) {
            policy.with_check = Some(self.in_parens(Parser::expr)?);
        }
        Ok(StatementKind::AlterPolicy(policy))
    }

    fn create_view(&mut self, or_replace: bool) -> Parsed<StatementKind> {
        let materialized = self.eat("materialized");
        let recursive = self.eat("recursive");
        self.expect("view")?;
        let if_not_exists = self.if_not_exists();
        let name = self.object_name()?;
        let columns = if self.is_mark('(') { self.ident_list()? } else { Vec::new() };
        let options = if self.eat("with") {
            self.in_parens(|parser| parser.comma_list(Parser::setting))?
        } else {
            Vec::new()
        };
        self.expect("as")?;
        let query = self.query()?;
        let query = Box::new(if recursive { recursive_query(&name, &columns, query) } else { query });
        let check_option = self.check_option();
        let with_data = !self.eat_all(&["with", "no", "data"]);
        if materialized && with_data {
            self.eat_all(&["with", "data"]);
        }
        Ok(StatementKind::CreateView(CreateView {
            name,
            or_replace,
            materialized,
            if_not_exists,
            columns,
            options,
            query,
            check_option,
            with_data,
        }))
    }

    fn check_option(&mut self) -> Option<CheckOption> {
        if self.eat_all(&["with", "local", "check", "option"]) {
            return Some(CheckOption::Local);
        }
        let is_cascaded = self.eat_all(&["with", "check", "option"])
            || self.eat_all(&["with", "cascaded", "check", "option"]);
        is_cascaded.then_some(CheckOption::Cascaded)
    }

    /// `name [= value]`, the value lower case, `true` where none is said.
    pub(super) fn setting(&mut self) -> Parsed<(String, String)> {
        let name = self.ident()?;
        let value = if self.eat_op("=") {
            self.raw_until(|parser| parser.is_mark(',')).trim_matches('\'').to_lowercase()
        } else {
            "true".to_owned()
        };
        Ok((name, value))
    }

    fn create_type(&mut self, before: usize) -> Parsed<StatementKind> {
        let name = self.object_name()?;
        if self.eat_all(&["as", "enum"]) {
            let labels = self.in_parens(|parser| {
                if parser.is_mark(')') { Ok(Vec::new()) } else { parser.comma_list(Parser::string) }
            })?;
            return Ok(StatementKind::CreateEnum { name, labels });
        }
        if self.is("as") && self.peek_at(1) == Some(&Token::Mark('(')) {
            self.at += 1;
            let fields = self
                .in_parens(|parser| parser.comma_list(|parser| Ok((parser.ident()?, parser.type_name()?))))?;
            return Ok(StatementKind::CreateComposite { name, fields });
        }
        if self.is("not") {
            return Err(self.unexpected());
        }
        self.at = before;
        Ok(StatementKind::Other(self.words()))
    }

    fn create_domain(&mut self) -> Parsed<StatementKind> {
        let name = self.object_name()?;
        self.eat("as");
        let ty = self.type_name()?;
        if self.eat("collate") {
            self.object_name()?;
        }
        let (mut default, mut constraints) = (None, Vec::new());
        while let Some(constraint) = self.column_constraint()? {
            match constraint.kind {
                crate::ast::ColumnConstraintKind::Default(expr) => default = Some(expr),
                _ => constraints.push(constraint),
            }
        }
        Ok(StatementKind::CreateDomain { name, ty, default, constraints })
    }

    fn create_extension(&mut self) -> Parsed<StatementKind> {
        let if_not_exists = self.if_not_exists();
        let name = self.ident()?;
        self.eat("with");
        let mut schema = None;
        while !self.done() {
            if self.eat("schema") {
                schema = Some(self.ident()?);
            } else {
                self.at += 1;
            }
        }
        Ok(StatementKind::CreateExtension { name, if_not_exists, schema })
    }

    fn create_cast(&mut self) -> Parsed<StatementKind> {
        let (from, to) = self.in_parens(|parser| {
            let from = parser.type_name()?;
            parser.expect("as")?;
            Ok((from, parser.type_name()?))
        })?;
        let mut function = None;
        if self.eat_all(&["with", "function"]) {
            function = Some(self.object_name()?);
        }
        self.rest();
        Ok(StatementKind::CreateCast { from, to, function })
    }

    fn create_publication(&mut self) -> Parsed<StatementKind> {
        let name = self.ident()?;
        let action = if self.eat_all(&["for", "all", "tables"]) {
            PublicationAction::Create(None)
        } else if self.eat_all(&["for", "table"]) {
            PublicationAction::Create(Some(self.publication_tables()?))
        } else {
            PublicationAction::Create(Some(Vec::new()))
        };
        self.rest();
        Ok(StatementKind::Publication { name, action })
    }

    pub(super) fn publication_tables(&mut self) -> Parsed<Vec<ObjectName>> {
        self.comma_list(|parser| {
            parser.eat("table");
            parser.eat("only");
            let name = parser.object_name()?;
            if parser.is_mark('(') {
                parser.ident_list()?;
            }
            Ok(name)
        })
    }

    /// The kind of object, in its longest spelling.
    pub(super) fn object_kind(&mut self) -> Parsed<String> {
        let pairs = [
            ["materialized", "view"],
            ["foreign", "table"],
            ["event", "trigger"],
            ["text", "search"],
            ["access", "method"],
            ["foreign", "data"],
            ["operator", "class"],
            ["operator", "family"],
        ];
        for pair in pairs {
            if self.eat_all(&pair) {
                return Ok(pair.join(" "));
            }
        }
        self.ident()
    }

    fn drop_statement(&mut self) -> Parsed<StatementKind> {
        self.expect("drop")?;
        let object = self.object_kind()?;
        self.eat("concurrently");
        let if_exists = self.if_exists();
        if matches!(
            object.as_str(),
            "cast" | "operator" | "transform" | "text search" | "owned" | "user" | "role" | "operator class"
        ) {
            let names = if matches!(object.as_str(), "role" | "user") {
                self.comma_list(Parser::dropped)?
            } else {
                Vec::new()
            };
            self.rest();
            return Ok(StatementKind::Drop(Drop { object, if_exists, names, on: None, cascade: false }));
        }
        let names = self.comma_list(Parser::dropped)?;
        let on = if self.eat("on") { Some(self.object_name()?) } else { None };
        let cascade = self.cascade();
        Ok(StatementKind::Drop(Drop { object, if_exists, names, on, cascade }))
    }

    fn dropped(&mut self) -> Parsed<(ObjectName, Option<Vec<TypeName>>)> {
        let name = self.object_name()?;
        let arguments = if self.is_mark('(') { Some(self.argument_types()?) } else { None };
        Ok((name, arguments))
    }

    /// Argument types of a function that is named: modes and argument names are left out.
    pub(super) fn argument_types(&mut self) -> Parsed<Vec<TypeName>> {
        self.in_parens(|parser| {
            if parser.is_mark(')') || parser.is_op("*") {
                parser.eat_op("*");
                return Ok(Vec::new());
            }
            Ok(parser
                .comma_list(Parser::function_argument)?
                .into_iter()
                .map(|argument| argument.ty)
                .collect())
        })
    }

    fn comment(&mut self) -> Parsed<StatementKind> {
        self.expect("comment")?;
        self.expect("on")?;
        let object = self.object_kind()?;
        let mut name = vec![self.ident()?];
        while self.eat_mark('.') {
            name.push(self.ident()?);
        }
        let arguments = if self.is_mark('(') { Some(self.argument_types()?) } else { None };
        let on = if self.eat("on") {
            self.eat("domain");
            Some(self.object_name()?)
        } else {
            None
        };
        self.expect("is")?;
        let text = if self.eat("null") { None } else { Some(self.string()?) };
        Ok(StatementKind::Comment { object, name, on, arguments, text })
    }

    fn do_block(&mut self) -> Parsed<StatementKind> {
        self.expect("do")?;
        let mut language = "plpgsql".to_owned();
        let (mut body, mut body_span) = (String::new(), Span::default());
        while !self.done() {
            if self.eat("language") {
                language = self.ident()?;
            } else {
                body_span = self.tokens.get(self.at).map_or(body_span, |placed| placed.content);
                body = self.string()?;
            }
        }
        Ok(StatementKind::Do { language, body, body_span })
    }

    fn set(&mut self) -> Parsed<StatementKind> {
        self.expect("set")?;
        let local = self.eat("local");
        self.eat("session");
        if self.eat("constraints") {
            return self.set_constraints();
        }
        let is_zone = self.eat_all(&["time", "zone"]);
        let mut name = if is_zone { "timezone".to_owned() } else { self.ident()? };
        while self.eat_mark('.') {
            name = format!("{name}.{}", self.ident()?);
        }
        let _ = is_zone || self.eat_op("=") || self.eat("to");
        let mut values = Vec::new();
        while !self.done() {
            let sign = if self.eat_op("-") { "-" } else { "" };
            match self.peek() {
                Some(Token::Integer(text) | Token::Number(text)) => values.push(format!("{sign}{text}")),
                Some(_) if !sign.is_empty() => return Err(self.unexpected()),
                Some(Token::Mark(',')) => {}
                Some(Token::Word(word)) if word == "default" || is_zone && word == "local" => {}
                Some(Token::Word(text) | Token::Quoted(text) | Token::String(text)) => {
                    values.push(text.clone());
                }
                Some(Token::Bits(_) | Token::Param(_) | Token::Op(_) | Token::Mark(_)) | None => {
                    return Err(self.unexpected());
                }
            }
            self.at += 1;
        }
        Ok(StatementKind::Set { local, name, values })
    }

    fn set_constraints(&mut self) -> Parsed<StatementKind> {
        let names = if self.eat("all") { Vec::new() } else { self.comma_list(Parser::object_name)? };
        let deferred = self.eat("deferred");
        if !deferred {
            self.expect("immediate")?;
        }
        Ok(StatementKind::SetConstraints { names, deferred })
    }

    fn refresh(&mut self) -> Parsed<StatementKind> {
        self.expect("refresh")?;
        self.expect("materialized")?;
        self.expect("view")?;
        self.eat("concurrently");
        let name = self.object_name()?;
        let with_data = !self.eat_all(&["with", "no", "data"]);
        self.eat_all(&["with", "data"]);
        Ok(StatementKind::Refresh { name, with_data })
    }

    /// Tables whose rows, but not those of tables that inherit from them, may be meant.
    fn tables(&mut self) -> Parsed<(Vec<ObjectName>, bool)> {
        self.eat("table");
        let mut only = false;
        let tables = self.comma_list(|parser| {
            only |= parser.eat("only");
            let name = parser.object_name()?;
            parser.eat_op("*");
            Ok(name)
        })?;
        Ok((tables, only))
    }

    fn lock(&mut self) -> Parsed<StatementKind> {
        self.expect("lock")?;
        let (tables, _) = self.tables()?;
        let mut mode = String::new();
        if self.eat("in") {
            while !self.eat("mode") {
                let word = self.ident()?;
                mode = if mode.is_empty() { word } else { format!("{mode} {word}") };
            }
        }
        self.eat("nowait");
        Ok(StatementKind::Lock { tables, mode })
    }

    fn truncate(&mut self) -> Parsed<StatementKind> {
        self.expect("truncate")?;
        let (tables, only) = self.tables()?;
        let restart = self.eat_all(&["restart", "identity"]);
        self.eat_all(&["continue", "identity"]);
        let cascade = self.eat("cascade");
        self.eat("restrict");
        Ok(StatementKind::Truncate { tables, only, restart, cascade })
    }

    fn notify(&mut self) -> Parsed<StatementKind> {
        self.expect("notify")?;
        let channel = self.ident()?;
        let payload = if self.eat_mark(',') { Some(self.string()?) } else { None };
        Ok(StatementKind::Notify { channel, payload })
    }
}

/// `create recursive view name (columns) as query` is `create view name as with recursive name (columns) as (query) select columns
/// from name`.
fn recursive_query(name: &ObjectName, columns: &[String], query: Query) -> Query {
    let span = query.span;
    let target = |column: &String| Target {
        expr: Expr::new(ExprKind::Column(vec![column.clone()]), span),
        alias: None,
    };
    let select = Select {
        targets: columns.iter().map(target).collect(),
        from: vec![FromItem::Table {
            name: ObjectName { schema: None, name: name.name.clone(), span: name.span },
            only: false,
            alias: None,
        }],
        ..Select::default()
    };
    let cte = Cte {
        name: name.name.clone(),
        columns: columns.to_vec(),
        materialized: None,
        body: Box::new(StatementKind::Query(query)),
    };
    Query {
        with: Some(With { recursive: true, ctes: vec![cte] }),
        body: QueryBody::Select(Box::new(select)),
        order_by: Vec::new(),
        limit: None,
        offset: None,
        locking: Vec::new(),
        span,
    }
}
