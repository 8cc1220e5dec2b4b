//! Queries and data changes.

use super::{Parsed, Parser};
use crate::ast::{
    Alias, Assignment, Call, ConflictTarget, ConflictUpdate, Cte, Delete, Distinct, Expr, ExprKind, FromItem,
    Insert, JoinCondition, JoinKind, Literal, ObjectName, OnConflict, OrderItem, Query, QueryBody, Select,
    SetOperator, StatementKind, Target, TypeName, Update, With,
};
use crate::keywords;
use crate::lexer::Token;

/// Words that follow an empty list of targets.
const CLAUSES: &[&str] = &[
    "from",
    "where",
    "group",
    "having",
    "window",
    "order",
    "limit",
    "offset",
    "fetch",
    "for",
    "union",
    "intersect",
    "except",
    "on",
    "returning",
    "with",
];

/// Words that go on with a query behind one in parentheses.
const BEHIND_QUERY: &[&str] = &["union", "intersect", "except", "order", "limit", "offset", "fetch", "for"];

impl Parser<'_> {
    /// Whether a query comes next, itself in parentheses or not: `(select …) union …`, but not `(select …) = …`.
    pub(super) fn starts_query(&self) -> bool {
        self.query_at(0)
    }

    /// Whether the parentheses that open next hold a query.
    fn holds_query(&self) -> bool {
        self.is_mark('(') && self.query_at(1)
    }

    fn query_at(&self, ahead: usize) -> bool {
        let opens = |ahead| self.peek_at(ahead) == Some(&Token::Mark('('));
        if !opens(ahead) {
            return self.is_at(ahead, "select")
                || self.is_at(ahead, "with")
                || (self.is_at(ahead, "values") && opens(ahead + 1));
        }
        let behind = ahead + 1 + self.tokens.get(self.at + ahead).map_or(0, |placed| placed.closed_ahead);
        let ends = matches!(self.peek_at(behind), None | Some(Token::Mark(')')));
        (ends || BEHIND_QUERY.iter().any(|word| self.is_at(behind, word))) && self.query_at(ahead + 1)
    }

    pub(super) fn query(&mut self) -> Parsed<Query> {
        self.deeper(Parser::query_inner)
    }

    fn query_inner(&mut self) -> Parsed<Query> {
        let start = self.start();
        let with = self.with()?;
        self.query_behind(start, with)
    }

    /// A query whose `with` was read.
    fn query_behind(&mut self, start: u32, with: Option<With>) -> Parsed<Query> {
        let mut query = self.set_operations(start, 0)?;
        if with.is_some() {
            query.with = with;
        }
        let order_by = self.order_by()?;
        if !order_by.is_empty() {
            query.order_by = order_by;
        }
        self.bounds(&mut query)?;
        while self.is("for") {
            let start = self.start();
            self.locking()?;
            query.locking.push(self.source(self.since(start)));
            self.bounds(&mut query)?;
        }
        query.span = self.since(start);
        Ok(query)
    }

    fn bounds(&mut self, query: &mut Query) -> Parsed<()> {
        loop {
            let is_limit = self.is("limit") || self.is("fetch");
            if (is_limit && query.limit.is_some()) || (self.is("offset") && query.offset.is_some()) {
                return Err(self.unexpected());
            }
            if self.eat("limit") {
                query.limit = if self.eat("all") { None } else { Some(self.expr()?) };
            } else if self.eat("offset") {
                query.offset = Some(self.expr()?);
                let _ = self.eat("rows") || self.eat("row");
            } else if self.eat("fetch") {
                query.limit = Some(self.fetched()?);
            } else {
                return Ok(());
            }
        }
    }

    /// `for update …`
    fn locking(&mut self) -> Parsed<()> {
        self.expect("for")?;
        let strengths: [&[&str]; 4] = [&["update"], &["share"], &["no", "key", "update"], &["key", "share"]];
        if !strengths.iter().any(|words| self.eat_all(words)) {
            return Err(self.unexpected());
        }
        if self.eat("of") {
            self.comma_list(Parser::source_name)?;
        }
        let _ = self.eat("nowait") || self.eat_all(&["skip", "locked"]);
        Ok(())
    }

    /// `first 10 rows only`: the count, one if there is none.
    fn fetched(&mut self) -> Parsed<Expr> {
        if !self.eat("first") {
            self.expect("next")?;
        }
        let start = self.start();
        let one = self.is("row") || self.is("rows");
        let count = if one { None } else { Some(self.bound_count()?) };
        if !self.eat("rows") {
            self.expect("row")?;
        }
        self.expect("only")?;
        let one = || Expr::new(ExprKind::Literal(Literal::Integer("1".to_owned())), self.since(start));
        Ok(count.unwrap_or_else(one))
    }

    /// `intersect` binds closer than `union` and `except`.
    fn set_operations(&mut self, start: u32, rank: u8) -> Parsed<Query> {
        let mut left = if rank == 0 { self.set_operations(start, 1)? } else { self.query_term()? };
        let mut row = 0;
        loop {
            self.next_in_row(&mut row)?;
            let op = if rank == 0 && self.eat("union") {
                SetOperator::Union
            } else if rank == 0 && self.eat("except") {
                SetOperator::Except
            } else if rank == 1 && self.eat("intersect") {
                SetOperator::Intersect
            } else {
                return Ok(left);
            };
            let all = self.eat("all");
            if !all {
                self.eat("distinct");
            }
            let right = if rank == 0 { self.set_operations(start, 1)? } else { self.query_term()? };
            left = self.plain(
                start,
                QueryBody::SetOperation { op, all, left: Box::new(left), right: Box::new(right) },
            );
        }
    }

    fn plain(&self, start: u32, body: QueryBody) -> Query {
        Query {
            with: None,
            body,
            order_by: Vec::new(),
            limit: None,
            offset: None,
            locking: Vec::new(),
            span: self.since(start),
        }
    }

    fn query_term(&mut self) -> Parsed<Query> {
        let start = self.start();
        if self.is_mark('(') {
            return self.in_parens(Parser::query);
        }
        if self.eat("values") {
            let rows =
                self.comma_list(|parser| parser.in_parens(|parser| parser.comma_list(Parser::expr)))?;
            return Ok(self.plain(start, QueryBody::Values(rows)));
        }
        if self.eat("table") {
            let name = self.object_name()?;
            let star = Expr::new(ExprKind::Star(Vec::new()), name.span);
            let select = Select {
                targets: vec![Target { expr: star, alias: None }],
                from: vec![FromItem::Table { name, only: false, alias: None }],
                ..Select::default()
            };
            return Ok(self.plain(start, QueryBody::Select(Box::new(select))));
        }
        let select = self.select()?;
        Ok(self.plain(start, QueryBody::Select(Box::new(select))))
    }

    fn select(&mut self) -> Parsed<Select> {
        self.expect("select")?;
        let mut select = Select::default();
        if self.eat("distinct") {
            select.distinct = if self.eat("on") {
                Distinct::On(self.in_parens(|parser| parser.comma_list(Parser::expr))?)
            } else {
                Distinct::All
            };
        } else {
            self.eat("all");
        }
        let empty = self.done() || self.is_mark(')') || CLAUSES.iter().any(|word| self.is(word));
        if !empty {
            select.targets = self.targets()?;
        }
        if self.eat("from") {
            select.from = self.comma_list(Parser::source_item)?;
        }
        if self.eat("where") {
            select.filter = Some(self.expr()?);
        }
        if self.eat_all(&["group", "by"]) {
            let _ = self.eat("distinct") || self.eat("all");
            select.group_by = self.comma_list(Parser::group_item)?;
        }
        if self.eat("having") {
            select.having = Some(self.expr()?);
        }
        if self.eat("window") {
            select.windows = self.comma_list(|parser| {
                let name = parser.ident()?;
                parser.expect("as")?;
                Ok((name, parser.window()?))
            })?;
        }
        Ok(select)
    }

    /// `grouping sets (…)` as a call; `rollup (…)` and `cube (…)` are calls already.
    fn group_item(&mut self) -> Parsed<Expr> {
        let start = self.start();
        if self.eat_all(&["grouping", "sets"]) {
            let name = ObjectName { schema: None, name: "grouping sets".to_owned(), span: self.since(start) };
            let sets = self.in_parens(|parser| parser.comma_list(Parser::group_item))?;
            let call = Call::by_position(name, sets);
            return Ok(Expr::new(ExprKind::Call(call), self.since(start)));
        }
        if self.is_mark('(') && self.peek_at(1) == Some(&Token::Mark(')')) {
            self.at += 2;
            return Ok(Expr::new(ExprKind::Row(Vec::new()), self.since(start)));
        }
        self.expr()
    }

    fn column_list(&mut self) -> Parsed<Vec<String>> {
        self.in_parens(|parser| parser.comma_list(Parser::column_ident))
    }

    pub(super) fn targets(&mut self) -> Parsed<Vec<Target>> {
        self.comma_list(|parser| {
            let expr = parser.target()?;
            let is_star = matches!(*expr.kind, ExprKind::Star(_));
            let alias = if is_star { None } else { parser.label()? };
            Ok(Target { expr, alias })
        })
    }

    fn target(&mut self) -> Parsed<Expr> {
        let start = self.start();
        if !self.eat_op("*") {
            return self.expr();
        }
        Ok(Expr::new(ExprKind::Star(Vec::new()), self.since(start)))
    }

    /// A result's label: any word behind `as`, most words without it.
    fn label(&mut self) -> Parsed<Option<String>> {
        if self.eat("as") {
            return self.ident().map(Some);
        }
        match self.peek() {
            Some(Token::Quoted(_)) => self.ident().map(Some),
            Some(Token::Word(word)) if keywords::may_be_bare_label(word) => self.ident().map(Some),
            _ => Ok(None),
        }
    }

    /// The alias of something in `from`: behind `as` or not, no key word.
    fn source_label(&mut self) -> Parsed<Option<String>> {
        if self.eat("as") {
            return self.column_ident().map(Some);
        }
        match self.peek() {
            Some(Token::Quoted(_)) => self.ident().map(Some),
            Some(Token::Word(word)) if keywords::may_be_column(word) => self.ident().map(Some),
            _ => Ok(None),
        }
    }

    fn alias(&mut self) -> Parsed<Option<Alias>> {
        let Some(name) = self.source_label()? else { return Ok(None) };
        let columns = if self.is_mark('(') { self.ident_list()? } else { Vec::new() };
        Ok(Some(Alias { name, columns }))
    }

    pub(super) fn source_item(&mut self) -> Parsed<FromItem> {
        self.deeper(|parser| {
            let mut left = parser.source_primary()?;
            let mut row = 0;
            while let Some((natural, kind)) = parser.join_kind()? {
                parser.next_in_row(&mut row)?;
                let right = parser.source_primary()?;
                let condition = parser.join_condition(natural, kind)?;
                left = FromItem::Join { kind, left: Box::new(left), right: Box::new(right), condition };
            }
            Ok(left)
        })
    }

    fn join_kind(&mut self) -> Parsed<Option<(bool, JoinKind)>> {
        let natural = self.eat("natural");
        let kind = if self.eat("cross") {
            JoinKind::Cross
        } else if self.eat("inner") || self.is("join") {
            JoinKind::Inner
        } else if self.eat("left") {
            JoinKind::Left
        } else if self.eat("right") {
            JoinKind::Right
        } else if self.eat("full") {
            JoinKind::Full
        } else {
            return Ok(None);
        };
        self.eat("outer");
        self.expect("join")?;
        Ok(Some((natural, kind)))
    }

    fn join_condition(&mut self, natural: bool, kind: JoinKind) -> Parsed<JoinCondition> {
        if natural {
            return Ok(JoinCondition::Natural);
        }
        if kind == JoinKind::Cross {
            return Ok(JoinCondition::None);
        }
        if self.eat("using") {
            return Ok(JoinCondition::Using(self.ident_list()?));
        }
        self.expect("on")?;
        Ok(JoinCondition::On(self.expr()?))
    }

    fn source_primary(&mut self) -> Parsed<FromItem> {
        let lateral = self.eat("lateral");
        if self.is_mark('(') {
            if self.holds_query() {
                let query = Box::new(self.in_parens(Parser::query)?);
                return Ok(FromItem::Subquery { lateral, query, alias: self.alias()? });
            }
            return self.in_parens(Parser::source_item);
        }
        if self.is("rows") && self.is_at(1, "from") && self.peek_at(2) == Some(&Token::Mark('(')) {
            return self.rows_from(lateral);
        }
        let only = self.eat("only");
        let name = self.source_name()?;
        if self.is_mark('(') && !only {
            let call = self.call(name)?;
            return self.source_function(lateral, call);
        }
        self.eat_op("*");
        Ok(FromItem::Table { name, only, alias: self.alias()? })
    }

    /// The name of a table or function; no reserved word, unless quoted.
    fn source_name(&mut self) -> Parsed<ObjectName> {
        match self.peek() {
            Some(Token::Word(word)) if !self.may_be_source(word) => Err(self.unexpected()),
            _ => self.object_name(),
        }
    }

    fn may_be_source(&self, word: &str) -> bool {
        let called = self.peek_at(1) == Some(&Token::Mark('('));
        if called { keywords::may_be_function(word) } else { keywords::may_be_column(word) }
    }

    fn is_alias_at(&self, ahead: usize) -> bool {
        match self.peek_at(ahead) {
            Some(Token::Quoted(_)) => true,
            Some(Token::Word(word)) => keywords::may_be_column(word),
            _ => false,
        }
    }

    /// `rows from (f(…) [as (a type, …)], …) [with ordinality]`
    fn rows_from(&mut self, lateral: bool) -> Parsed<FromItem> {
        self.at += 2;
        let calls = self.in_parens(|parser| {
            parser.comma_list(|parser| {
                let name = parser.source_name()?;
                let call = parser.call(name)?;
                let definitions = if parser.eat("as") { parser.column_definitions()? } else { Vec::new() };
                Ok((call, definitions))
            })
        })?;
        let ordinality = self.eat_all(&["with", "ordinality"]);
        Ok(FromItem::Functions { lateral, calls, ordinality, alias: self.alias()? })
    }

    /// `(a type, …)`
    fn column_definitions(&mut self) -> Parsed<Vec<(String, TypeName)>> {
        self.in_parens(|parser| parser.comma_list(|parser| Ok((parser.ident()?, parser.type_name()?))))
    }

    fn source_function(&mut self, lateral: bool, call: Call) -> Parsed<FromItem> {
        let ordinality = self.eat_all(&["with", "ordinality"]);
        let definitions_ahead = |parser: &Self, ahead: usize| {
            parser.peek_at(ahead) == Some(&Token::Mark('('))
                && !matches!(parser.peek_at(ahead + 2), Some(Token::Mark(',' | ')')))
        };
        let named = usize::from(self.is("as"));
        let alias = if self.is("as") && definitions_ahead(self, 1) {
            self.at += 1;
            None
        } else if definitions_ahead(self, named + 1) && self.is_alias_at(named) {
            self.at += named;
            Some(Alias { name: self.ident()?, columns: Vec::new() })
        } else {
            return Ok(FromItem::Function {
                lateral,
                call,
                ordinality,
                alias: self.alias()?,
                definitions: Vec::new(),
            });
        };
        let definitions = self.column_definitions()?;
        Ok(FromItem::Function { lateral, call, ordinality, alias, definitions })
    }

    pub(super) fn order_by(&mut self) -> Parsed<Vec<OrderItem>> {
        if !self.eat_all(&["order", "by"]) {
            return Ok(Vec::new());
        }
        self.comma_list(|parser| {
            let expr = parser.expr()?;
            let mut descending = parser.eat("desc");
            if !descending && !parser.eat("asc") && parser.eat("using") {
                descending = parser.eat_op(">");
                if !descending && !parser.eat_op("<") {
                    return Err(parser.unexpected());
                }
            }
            let nulls_first = if parser.eat_all(&["nulls", "first"]) {
                Some(true)
            } else if parser.eat_all(&["nulls", "last"]) {
                Some(false)
            } else {
                None
            };
            Ok(OrderItem { expr, descending, nulls_first })
        })
    }

    fn with(&mut self) -> Parsed<Option<With>> {
        if !self.eat("with") {
            return Ok(None);
        }
        let recursive = self.eat("recursive");
        let ctes = self.comma_list(|parser| {
            let name = parser.ident()?;
            let columns = if parser.is_mark('(') { parser.ident_list()? } else { Vec::new() };
            parser.expect("as")?;
            let materialized = if parser.eat_all(&["not", "materialized"]) {
                Some(false)
            } else if parser.eat("materialized") {
                Some(true)
            } else {
                None
            };
            let body = Box::new(parser.in_parens(Parser::data_statement)?);
            Ok(Cte { name, columns, materialized, body })
        })?;
        Ok(Some(With { recursive, ctes }))
    }

    /// A select, values, insert, update or delete, with its `with`.
    pub(super) fn data_statement(&mut self) -> Parsed<StatementKind> {
        let start = self.start();
        let with = self.with()?;
        if self.is("insert") {
            return Ok(StatementKind::Insert(self.insert(with)?));
        }
        if self.is("update") {
            return Ok(StatementKind::Update(self.update(with)?));
        }
        if self.is("delete") {
            return Ok(StatementKind::Delete(self.delete(with)?));
        }
        Ok(StatementKind::Query(self.deeper(|parser| parser.query_behind(start, with))?))
    }

    fn returning(&mut self) -> Parsed<Vec<Target>> {
        if self.eat("returning") { self.targets() } else { Ok(Vec::new()) }
    }

    fn insert(&mut self, with: Option<With>) -> Parsed<Insert> {
        self.expect("insert")?;
        self.expect("into")?;
        let table = self.source_name()?;
        let alias = if self.eat("as") { Some(self.column_ident()?) } else { None };
        let columns = if self.is_mark('(') && !self.holds_query() { self.column_list()? } else { Vec::new() };
        let overriding_system = self.eat_all(&["overriding", "system", "value"]);
        if self.is("overriding") {
            return Err(self.missing("overriding user value"));
        }
        let source = if self.eat_all(&["default", "values"]) { None } else { Some(Box::new(self.query()?)) };
        let on_conflict = if self.eat_all(&["on", "conflict"]) { Some(self.on_conflict()?) } else { None };
        Ok(Insert {
            with,
            table,
            alias,
            columns,
            overriding_system,
            source,
            on_conflict,
            returning: self.returning()?,
        })
    }

    fn on_conflict(&mut self) -> Parsed<OnConflict> {
        let target = if self.eat_all(&["on", "constraint"]) {
            Some(ConflictTarget::Constraint(self.ident()?))
        } else if self.is_mark('(') {
            let columns = self.in_parens(|parser| parser.comma_list(Parser::expr))?;
            let filter = if self.eat("where") { Some(self.expr()?) } else { None };
            Some(ConflictTarget::Columns(columns, filter))
        } else {
            None
        };
        self.expect("do")?;
        if self.eat("nothing") {
            return Ok(OnConflict { target, update: None });
        }
        self.expect("update")?;
        self.expect("set")?;
        let set = self.comma_list(Parser::assignment)?;
        let filter = if self.eat("where") { Some(self.expr()?) } else { None };
        Ok(OnConflict { target, update: Some(ConflictUpdate { set, filter }) })
    }

    fn assignment(&mut self) -> Parsed<Assignment> {
        let is_list = self.is_mark('(');
        let columns = if is_list { self.column_list()? } else { vec![self.column_ident()?] };
        let mut parts = Vec::new();
        while !is_list && self.is_mark('[') {
            parts.push(self.element()?);
        }
        if !self.eat_op("=") {
            return Err(self.unexpected());
        }
        Ok(Assignment { columns, parts, value: self.expr()? })
    }

    fn target_alias(&mut self) -> Parsed<Option<String>> {
        self.eat_op("*");
        if self.is("set") { Ok(None) } else { self.source_label() }
    }

    fn update(&mut self, with: Option<With>) -> Parsed<Update> {
        self.expect("update")?;
        let only = self.eat("only");
        let table = self.source_name()?;
        let alias = self.target_alias()?;
        self.expect("set")?;
        let set = self.comma_list(Parser::assignment)?;
        let from = if self.eat("from") { self.comma_list(Parser::source_item)? } else { Vec::new() };
        let (filter, current_of) = self.changed_rows()?;
        Ok(Update { with, table, only, alias, set, from, filter, current_of, returning: self.returning()? })
    }

    fn delete(&mut self, with: Option<With>) -> Parsed<Delete> {
        self.expect("delete")?;
        self.expect("from")?;
        let only = self.eat("only");
        let table = self.source_name()?;
        let alias = self.target_alias()?;
        let using = if self.eat("using") { self.comma_list(Parser::source_item)? } else { Vec::new() };
        let (filter, current_of) = self.changed_rows()?;
        Ok(Delete { with, table, only, alias, using, filter, current_of, returning: self.returning()? })
    }

    /// `where …`, `where current of …`
    fn changed_rows(&mut self) -> Parsed<(Option<Expr>, Option<String>)> {
        if !self.eat("where") {
            return Ok((None, None));
        }
        if self.is("current") && self.is_at(1, "of") {
            self.at += 2;
            return Ok((None, Some(self.ident()?)));
        }
        Ok((Some(self.expr()?), None))
    }
}
