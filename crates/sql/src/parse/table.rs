//! Types, columns, constraints, `create table`, `create index`, sequences' options.

use super::{Parsed, Parser};
use crate::ast::{
    ColumnConstraint, ColumnConstraintKind, ColumnDefinition, CreateIndex, CreateTable, Exclusion, IndexKey,
    ObjectName, PartitionBound, PartitionBy, PartitionOf, References, ReferentialAction, SequenceOptions,
    StatementKind, TableConstraint, TableConstraintKind, TypeName,
};
use crate::lexer::{Placed, Token};

/// PostgreSQL's canonical names of types with other spellings.
const CANONICAL: &[(&str, &str)] = &[
    ("int", "int4"),
    ("integer", "int4"),
    ("smallint", "int2"),
    ("bigint", "int8"),
    ("boolean", "bool"),
    ("real", "float4"),
    ("decimal", "numeric"),
    ("dec", "numeric"),
    ("serial4", "serial"),
    ("serial8", "bigserial"),
    ("serial2", "smallserial"),
];

impl Parser<'_> {
    pub(super) fn type_name(&mut self) -> Parsed<TypeName> {
        let setof = self.eat("setof");
        let start = self.start();
        let mut name = self.object_name()?;
        let quoted = matches!(self.tokens.get(self.at - 1), Some(Placed { token: Token::Quoted(_), .. }));
        let mut of_column = None;
        // A `%` before anything else divides what is cast.
        if self.is_op("%") && self.is_at(1, "type") {
            self.at += 2;
            let column = std::mem::take(&mut name.name);
            let table = name.schema.take().unwrap_or_default();
            name = ObjectName { schema: None, name: table, span: name.span };
            of_column = Some(column);
        }
        let mut modifiers = Vec::new();
        if name.schema.as_deref() == Some("pg_catalog") {
            name.schema = None;
        }
        if !quoted && name.schema.is_none() {
            self.long_spelling(&mut name.name);
        }
        if self.is_mark('(') {
            modifiers = self.in_parens(|parser| {
                parser.comma_list(|parser| Ok(parser.raw_until(|parser| parser.is_mark(','))))
            })?;
        }
        if !quoted && matches!(name.name.as_str(), "time" | "timestamp") {
            if self.eat_all(&["with", "time", "zone"]) {
                name.name.push_str("tz");
            } else {
                self.eat_all(&["without", "time", "zone"]);
            }
        }
        if name.name == "interval" {
            self.interval_fields()?;
        }
        match name.name.as_str() {
            "char" | "character" | "nchar" if !quoted => {
                name.name = "bpchar".to_owned();
                if modifiers.is_empty() {
                    modifiers.push("1".to_owned());
                }
            }
            "bit" if !quoted && modifiers.is_empty() => modifiers.push("1".to_owned()),
            "float" if !quoted => {
                let short = modifiers
                    .first()
                    .and_then(|digits| digits.parse::<u32>().ok())
                    .is_some_and(|digits| digits <= 24);
                name.name = if short { "float4" } else { "float8" }.to_owned();
                modifiers.clear();
            }
            _ => {}
        }
        name.span = self.since(start);
        Ok(TypeName { array_dims: self.array_dims()?, name, modifiers, setof, of_column })
    }

    fn long_spelling(&mut self, name: &mut String) {
        if name == "national" && (self.is("character") || self.is("char")) {
            self.at += 1;
            *name = "character".to_owned();
        }
        if name == "double" && self.eat("precision") {
            *name = "float8".to_owned();
        } else if name == "bit" && self.eat("varying") {
            *name = "varbit".to_owned();
        } else if matches!(name.as_str(), "character" | "char" | "nchar") && self.eat("varying") {
            *name = "varchar".to_owned();
        } else if let Some((_, canonical)) = CANONICAL.iter().find(|(spelling, _)| spelling == name) {
            *name = (*canonical).to_owned();
        }
    }

    /// `day to second`: what is below the last unit is cut off, and below seconds is nothing.
    fn interval_fields(&mut self) -> Parsed<()> {
        let mut last = "second";
        loop {
            let words = ["year", "month", "day", "hour", "minute", "second", "to"];
            let Some(word) = words.into_iter().find(|word| self.is(word)) else { break };
            self.at += 1;
            last = word;
        }
        if last == "second" { Ok(()) } else { Err(self.missing("an interval without its smaller units")) }
    }

    pub(super) fn array_dims(&mut self) -> Parsed<u8> {
        let mut dims = 0_u8;
        if self.eat("array") {
            dims = 1;
        }
        while self.is_mark('[') && matches!(self.peek_at(1), Some(Token::Mark(']') | Token::Integer(_))) {
            self.at += 1;
            if !self.is_mark(']') {
                self.at += 1;
            }
            self.expect_mark(']')?;
            dims = dims.saturating_add(1);
        }
        Ok(dims)
    }

    pub(super) fn create_table(&mut self, temporary: bool) -> Parsed<StatementKind> {
        let if_not_exists = self.if_not_exists();
        let name = self.object_name()?;
        if self.table_as_ahead() {
            self.raw_until(|parser| parser.is("as"));
            self.expect("as")?;
            let query = Box::new(self.query()?);
            self.rest();
            return Ok(StatementKind::CreateTableAs { name, query, if_not_exists, temporary });
        }
        let mut table = CreateTable {
            name,
            if_not_exists,
            temporary,
            columns: Vec::new(),
            constraints: Vec::new(),
            like: Vec::new(),
            inherits: Vec::new(),
            partition_by: None,
            partition_of: None,
        };
        let parent = if self.eat_all(&["partition", "of"]) { Some(self.object_name()?) } else { None };
        if self.is_mark('(') {
            self.at += 1;
            while !self.is_mark(')') {
                self.table_element(&mut table)?;
                if !self.eat_mark(',') {
                    break;
                }
            }
            self.expect_mark(')')?;
        }
        if self.eat("inherits") {
            table.inherits = self.in_parens(|parser| parser.comma_list(Parser::object_name))?;
        }
        if let Some(parent) = parent {
            table.partition_of = Some(PartitionOf { table: parent, bound: self.partition_bound()? });
        }
        while !self.done() {
            if self.eat_all(&["partition", "by"]) {
                let strategy = self.ident()?;
                let keys = self.in_parens(|parser| parser.comma_list(Parser::index_key))?;
                table.partition_by = Some(PartitionBy { strategy, keys });
            } else {
                self.at += 1;
            }
        }
        Ok(StatementKind::CreateTable(table))
    }

    /// Which rows a partition takes.
    pub(super) fn partition_bound(&mut self) -> Parsed<PartitionBound> {
        if self.eat("default") {
            return Ok(PartitionBound::Default);
        }
        self.expect("for")?;
        self.expect("values")?;
        let values = |parser: &mut Self| parser.in_parens(|parser| parser.comma_list(Parser::expr));
        if self.eat("in") {
            return Ok(PartitionBound::In(values(self)?));
        }
        if self.eat("from") {
            let from = values(self)?;
            self.expect("to")?;
            return Ok(PartitionBound::Range { from, to: values(self)? });
        }
        self.expect("with")?;
        self.in_parens(|parser| {
            parser.expect("modulus")?;
            let modulus = parser.signed_integer()?;
            parser.expect_mark(',')?;
            parser.expect("remainder")?;
            Ok(PartitionBound::Hash { modulus, remainder: parser.signed_integer()? })
        })
    }

    fn table_as_ahead(&self) -> bool {
        let mut depth = 0_u32;
        for placed in self.tokens.iter().skip(self.at) {
            match &placed.token {
                Token::Mark('(') => depth += 1,
                Token::Mark(')') => depth = depth.saturating_sub(1),
                Token::Word(word) if depth == 0 && word == "as" => return true,
                _ => {}
            }
        }
        false
    }

    fn table_element(&mut self, table: &mut CreateTable) -> Parsed<()> {
        if self.eat("like") {
            table.like.push(self.object_name()?);
            while self.eat("including") || self.eat("excluding") {
                self.ident()?;
            }
            return Ok(());
        }
        if self.table_constraint_ahead() {
            table.constraints.push(self.table_constraint()?);
        } else {
            table.columns.push(self.column_definition()?);
        }
        Ok(())
    }

    fn table_constraint_ahead(&self) -> bool {
        let opens = |ahead| self.peek_at(ahead) == Some(&Token::Mark('('));
        self.is("constraint")
            || (self.is("check") && opens(1))
            || (self.is("unique") && (opens(1) || self.is_at(1, "nulls") || self.is_at(1, "using")))
            || self.are(&["primary", "key"])
            || self.are(&["foreign", "key"])
            || (self.is("exclude") && (opens(1) || self.is_at(1, "using")))
    }

    pub(super) fn column_definition(&mut self) -> Parsed<ColumnDefinition> {
        let start = self.start();
        let name = self.ident()?;
        let ty = self.type_name()?;
        let (mut collation, mut constraints) = (None, Vec::new());
        loop {
            if self.eat("collate") {
                collation = Some(self.object_name()?);
            } else if self.eat("storage") || self.eat("compression") {
                self.ident()?;
            } else if let Some(constraint) = self.column_constraint()? {
                constraints.push(constraint);
            } else {
                return Ok(ColumnDefinition { name, ty, collation, constraints, span: self.since(start) });
            }
        }
    }

    pub(super) fn column_constraint(&mut self) -> Parsed<Option<ColumnConstraint>> {
        let start = self.start();
        let name = if self.eat("constraint") { Some(self.ident()?) } else { None };
        let kind = if self.eat_all(&["not", "null"]) {
            ColumnConstraintKind::NotNull
        } else if self.eat("null") {
            ColumnConstraintKind::Null
        } else if self.eat("default") {
            ColumnConstraintKind::Default(self.column_default()?)
        } else if self.eat("generated") {
            self.generated()?
        } else if self.eat("check") {
            let expr = self.in_parens(Parser::expr)?;
            ColumnConstraintKind::Check { expr, no_inherit: self.eat_all(&["no", "inherit"]) }
        } else if self.eat("unique") {
            let nulls_not_distinct = self.eat_all(&["nulls", "not", "distinct"]);
            if !nulls_not_distinct {
                self.eat_all(&["nulls", "distinct"]);
            }
            let (deferrable, initially_deferred) = self.deferrable();
            ColumnConstraintKind::Unique { nulls_not_distinct, deferrable, initially_deferred }
        } else if self.eat_all(&["primary", "key"]) {
            let (deferrable, initially_deferred) = self.deferrable();
            ColumnConstraintKind::PrimaryKey { deferrable, initially_deferred }
        } else if self.eat("references") {
            ColumnConstraintKind::References(self.references()?)
        } else if name.is_some() {
            return Err(self.unexpected());
        } else {
            return Ok(None);
        };
        Ok(Some(ColumnConstraint { name, kind, span: self.since(start) }))
    }

    fn generated(&mut self) -> Parsed<ColumnConstraintKind> {
        let always = self.eat("always");
        if !always {
            self.expect("by")?;
            self.expect("default")?;
        }
        self.expect("as")?;
        if self.eat("identity") {
            let options = if self.is_mark('(') {
                self.in_parens(Parser::sequence_options)?
            } else {
                SequenceOptions::default()
            };
            return Ok(ColumnConstraintKind::Identity { always, options });
        }
        let expr = self.in_parens(Parser::expr)?;
        let _ = self.eat("stored") || self.eat("virtual");
        Ok(ColumnConstraintKind::Generated(expr))
    }

    /// `[not] deferrable`, `initially …`: (deferrable, initially deferred).
    pub(super) fn deferrable(&mut self) -> (bool, bool) {
        let (mut deferrable, mut deferred) = (false, false);
        loop {
            if self.eat("deferrable") {
                deferrable = true;
            } else if self.eat_all(&["initially", "deferred"]) {
                (deferrable, deferred) = (true, true);
            } else if !self.eat_all(&["not", "deferrable"]) && !self.eat_all(&["initially", "immediate"]) {
                return (deferrable, deferred);
            }
        }
    }

    fn references(&mut self) -> Parsed<References> {
        let table = self.object_name()?;
        let columns = if self.is_mark('(') { self.ident_list()? } else { Vec::new() };
        let mut references = References {
            table,
            columns,
            match_full: false,
            on_delete: ReferentialAction::NoAction,
            on_update: ReferentialAction::NoAction,
            deferrable: false,
            initially_deferred: false,
        };
        loop {
            if self.eat("match") {
                references.match_full = self.ident()? == "full";
            } else if self.eat_all(&["on", "delete"]) {
                references.on_delete = self.referential_action()?;
            } else if self.eat_all(&["on", "update"]) {
                references.on_update = self.referential_action()?;
            } else {
                (references.deferrable, references.initially_deferred) = self.deferrable();
                return Ok(references);
            }
        }
    }

    fn referential_action(&mut self) -> Parsed<ReferentialAction> {
        if self.eat_all(&["no", "action"]) {
            return Ok(ReferentialAction::NoAction);
        }
        if self.eat("restrict") {
            return Ok(ReferentialAction::Restrict);
        }
        if self.eat("cascade") {
            return Ok(ReferentialAction::Cascade);
        }
        self.expect("set")?;
        let null = self.eat("null");
        if !null {
            self.expect("default")?;
        }
        let columns = if self.is_mark('(') { self.ident_list()? } else { Vec::new() };
        Ok(if null { ReferentialAction::SetNull(columns) } else { ReferentialAction::SetDefault(columns) })
    }

    pub(super) fn table_constraint(&mut self) -> Parsed<TableConstraint> {
        let start = self.start();
        let name = if self.eat("constraint") { Some(self.ident()?) } else { None };
        let kind = if self.eat("check") {
            let expr = self.in_parens(Parser::expr)?;
            TableConstraintKind::Check { expr, no_inherit: self.eat_all(&["no", "inherit"]) }
        } else if self.eat("unique") {
            let nulls_not_distinct = self.eat_all(&["nulls", "not", "distinct"]);
            if !nulls_not_distinct {
                self.eat_all(&["nulls", "distinct"]);
            }
            let (columns, include, using_index) = self.key()?;
            let (deferrable, initially_deferred) = self.deferrable();
            TableConstraintKind::Unique {
                columns,
                nulls_not_distinct,
                include,
                using_index,
                deferrable,
                initially_deferred,
            }
        } else if self.eat_all(&["primary", "key"]) {
            let (columns, include, using_index) = self.key()?;
            let (deferrable, initially_deferred) = self.deferrable();
            TableConstraintKind::PrimaryKey { columns, include, using_index, deferrable, initially_deferred }
        } else if self.eat_all(&["foreign", "key"]) {
            let columns = self.ident_list()?;
            self.expect("references")?;
            TableConstraintKind::ForeignKey { columns, references: self.references()? }
        } else if self.eat("exclude") {
            TableConstraintKind::Exclude(Box::new(self.exclusion()?))
        } else {
            return Err(self.unexpected());
        };
        let not_valid = self.eat_all(&["not", "valid"]);
        Ok(TableConstraint { name, kind, not_valid, span: self.since(start) })
    }

    /// What stands behind `exclude`.
    fn exclusion(&mut self) -> Parsed<Exclusion> {
        let method = if self.eat("using") { self.ident()? } else { "btree".to_owned() };
        let keys = self.in_parens(|parser| {
            parser.comma_list(|parser| {
                let key = parser.index_key()?;
                parser.expect("with")?;
                Ok((key, parser.operator()?))
            })
        })?;
        let include = if self.eat("include") { self.ident_list()? } else { Vec::new() };
        if self.eat("with") {
            self.in_parens(|parser| Ok(parser.raw_until(|_| false)))?;
        }
        if self.eat_all(&["using", "index", "tablespace"]) {
            self.ident()?;
        }
        let filter = if self.eat("where") { Some(self.in_parens(Parser::expr)?) } else { None };
        let (deferrable, initially_deferred) = self.deferrable();
        Ok(Exclusion { method, keys, include, filter, deferrable, initially_deferred })
    }

    /// Columns, `include`d columns, and the index of `using index`.
    fn key(&mut self) -> Parsed<(Vec<String>, Vec<String>, Option<String>)> {
        if self.eat_all(&["using", "index"]) {
            return Ok((Vec::new(), Vec::new(), Some(self.ident()?)));
        }
        let columns = self.ident_list()?;
        let include = if self.eat("include") { self.ident_list()? } else { Vec::new() };
        if self.eat("with") {
            self.in_parens(|parser| Ok(parser.raw_until(|_| false)))?;
        }
        if self.eat_all(&["using", "index", "tablespace"]) {
            self.ident()?;
        }
        Ok((columns, include, None))
    }

    pub(super) fn create_index(&mut self, unique: bool) -> Parsed<StatementKind> {
        self.eat("concurrently");
        let if_not_exists = self.if_not_exists();
        let name = if self.is("on") { None } else { Some(self.object_name()?.name) };
        self.expect("on")?;
        self.eat("only");
        let table = self.object_name()?;
        let method = if self.eat("using") { self.ident()? } else { "btree".to_owned() };
        let keys = self.in_parens(|parser| parser.comma_list(Parser::index_key))?;
        let include = if self.eat("include") { self.ident_list()? } else { Vec::new() };
        let nulls_not_distinct = self.eat_all(&["nulls", "not", "distinct"]);
        if self.eat("with") {
            self.in_parens(|parser| Ok(parser.raw_until(|_| false)))?;
        }
        if self.eat("tablespace") {
            self.ident()?;
        }
        let filter = if self.eat("where") { Some(self.expr()?) } else { None };
        Ok(StatementKind::CreateIndex(CreateIndex {
            name,
            table,
            unique,
            if_not_exists,
            method,
            keys,
            include,
            nulls_not_distinct,
            filter,
        }))
    }

    fn index_key(&mut self) -> Parsed<IndexKey> {
        let expr = self.index_expr()?;
        let collation = if self.eat("collate") { Some(self.object_name()?) } else { None };
        let plain = |parser: &Self| !["asc", "desc", "nulls", "with"].iter().any(|word| parser.is(word));
        let opclass = match self.peek() {
            Some(Token::Word(_) | Token::Quoted(_)) if plain(self) => Some(self.object_name()?),
            _ => None,
        };
        if opclass.is_some() && self.is_mark('(') {
            self.in_parens(|parser| Ok(parser.raw_until(|_| false)))?;
        }
        let descending = self.eat("desc");
        self.eat("asc");
        let nulls_first = if self.eat_all(&["nulls", "first"]) {
            Some(true)
        } else if self.eat_all(&["nulls", "last"]) {
            Some(false)
        } else {
            None
        };
        Ok(IndexKey { expr, collation, opclass, descending, nulls_first })
    }

    pub(super) fn sequence_options(&mut self) -> Parsed<SequenceOptions> {
        let mut options = SequenceOptions::default();
        loop {
            if self.eat("as") {
                options.ty = Some(self.type_name()?);
            } else if self.eat("start") {
                self.eat("with");
                options.start = Some(self.signed_integer()?);
            } else if self.eat("increment") {
                self.eat("by");
                options.increment = Some(self.signed_integer()?);
            } else if self.eat("minvalue") {
                options.min = Some(Some(self.signed_integer()?));
            } else if self.eat("maxvalue") {
                options.max = Some(Some(self.signed_integer()?));
            } else if self.eat_all(&["no", "minvalue"]) {
                options.min = Some(None);
            } else if self.eat_all(&["no", "maxvalue"]) {
                options.max = Some(None);
            } else if self.eat("cycle") {
                options.cycle = Some(true);
            } else if self.eat_all(&["no", "cycle"]) {
                options.cycle = Some(false);
            } else if self.eat("cache") {
                self.signed_integer()?;
            } else if self.eat_all(&["owned", "by", "none"]) {
                options.owned_by = Some(None);
            } else if self.eat_all(&["owned", "by"]) {
                options.owned_by = Some(Some(self.qualified_column()?));
            } else if self.eat("restart") {
                self.eat("with");
                options.restart = Some(if matches!(self.peek(), Some(Token::Integer(_))) {
                    Some(self.signed_integer()?)
                } else {
                    None
                });
            } else if self.eat_all(&["sequence", "name"]) {
                options.name = Some(self.object_name()?);
            } else {
                return Ok(options);
            }
        }
    }

    /// `[schema.]table.column`
    fn qualified_column(&mut self) -> Parsed<(ObjectName, String)> {
        let start = self.start();
        let mut parts = vec![self.ident()?];
        while self.eat_mark('.') {
            parts.push(self.ident()?);
        }
        let column = parts.pop().unwrap_or_default();
        let name = parts.pop().unwrap_or_default();
        Ok((ObjectName { schema: parts.pop(), name, span: self.since(start) }, column))
    }

    pub(super) fn signed_integer(&mut self) -> Parsed<i64> {
        let negative = self.eat_op("-");
        let Some(Token::Integer(digits)) = self.peek() else { return Err(self.unexpected()) };
        let number = format!("{}{digits}", if negative { "-" } else { "" }).parse();
        let number = number.map_err(|_| self.unexpected())?;
        self.at += 1;
        Ok(number)
    }
}
