//! Shapes of trees that several passes look for.

use crate::ast::{Argument, Call, Expr, ExprKind, Literal, ObjectName, Query, QueryBody, StatementKind};

impl StatementKind {
    /// Whether it reads or changes rows, and may stand in a function with rows as its result.
    pub fn is_about_rows(&self) -> bool {
        matches!(
            self,
            StatementKind::Query(_)
                | StatementKind::Insert(_)
                | StatementKind::Update(_)
                | StatementKind::Delete(_)
                | StatementKind::Refresh { .. }
        )
    }

    /// Its command, as PostgreSQL names it.
    pub fn words(&self) -> String {
        let words = match self {
            StatementKind::Query(_) => "SELECT",
            StatementKind::Insert(_) => "INSERT",
            StatementKind::Update(_) => "UPDATE",
            StatementKind::Delete(_) => "DELETE",
            StatementKind::CreateTable(_) => "CREATE TABLE",
            StatementKind::CreateTableAs { .. } => "CREATE TABLE AS",
            StatementKind::AlterTable(_) => "ALTER TABLE",
            StatementKind::CreatePolicy(_) => "CREATE POLICY",
            StatementKind::AlterPolicy(_) => "ALTER POLICY",
            StatementKind::CreateIndex(_) => "CREATE INDEX",
            StatementKind::CreateEnum { .. } | StatementKind::CreateComposite { .. } => "CREATE TYPE",
            StatementKind::AlterType { .. } => "ALTER TYPE",
            StatementKind::CreateDomain { .. } => "CREATE DOMAIN",
            StatementKind::CreateSequence { .. } => "CREATE SEQUENCE",
            StatementKind::AlterSequence { .. } => "ALTER SEQUENCE",
            StatementKind::CreateView(_) => "CREATE VIEW",
            StatementKind::CreateFunction(_) => "CREATE FUNCTION",
            StatementKind::CreateTrigger(_) => "CREATE TRIGGER",
            StatementKind::CreateRule(_) => "CREATE RULE",
            StatementKind::CreateSchema { .. } => "CREATE SCHEMA",
            StatementKind::CreateExtension { .. } => "CREATE EXTENSION",
            StatementKind::CreateCast { .. } => "CREATE CAST",
            StatementKind::Role { alter: false, .. } => "CREATE ROLE",
            StatementKind::Role { alter: true, .. } => "ALTER ROLE",
            StatementKind::Grant(_) => "GRANT",
            StatementKind::GrantRole { .. } => "GRANT ROLE",
            StatementKind::DefaultPrivileges { .. } => "ALTER DEFAULT PRIVILEGES",
            StatementKind::Comment { .. } => "COMMENT",
            StatementKind::Drop(drop) => return format!("DROP {}", drop.object.to_uppercase()),
            StatementKind::AlterObject { object, .. } => return format!("ALTER {}", object.to_uppercase()),
            StatementKind::Publication { .. } => "PUBLICATION",
            StatementKind::Do { .. } => "DO",
            StatementKind::Set { .. } => "SET",
            StatementKind::Reset(_) => "RESET",
            StatementKind::SetConstraints { .. } => "SET CONSTRAINTS",
            StatementKind::Refresh { .. } => "REFRESH MATERIALIZED VIEW",
            StatementKind::Truncate { .. } => "TRUNCATE TABLE",
            StatementKind::Lock { .. } => "LOCK TABLE",
            StatementKind::Notify { .. } => "NOTIFY",
            StatementKind::Transaction(words) | StatementKind::Other(words) => return words.to_uppercase(),
        };
        words.to_owned()
    }
}

impl Query {
    /// The call that is the only target of a select.
    pub fn only_call(&self) -> Option<&Call> {
        let QueryBody::Select(select) = &self.body else { return None };
        match &select.targets[..] {
            [target] => match &*target.expr.kind {
                ExprKind::Call(call) => Some(call),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether it is a select without `from`.
    pub fn reads_nothing(&self) -> bool {
        matches!(&self.body, QueryBody::Select(select) if select.from.is_empty())
    }
}

impl Expr {
    /// The literal that it is, cast or not.
    pub fn literal(&self) -> Option<&Literal> {
        match &*self.kind {
            ExprKind::Literal(literal) => Some(literal),
            ExprKind::Cast { expr, .. } => expr.literal(),
            _ => None,
        }
    }

    /// Whether it is the literal null, cast or not.
    pub fn is_null(&self) -> bool {
        matches!(self.literal(), Some(Literal::Null))
    }

    /// The text of the string literal that it is, cast or not.
    pub fn text(&self) -> Option<&str> {
        match self.literal() {
            Some(Literal::String(text)) => Some(text),
            _ => None,
        }
    }
}

impl Call {
    /// A plain call.
    pub fn of(name: ObjectName, args: Vec<Argument>) -> Call {
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

    /// A plain call with these arguments in their order.
    pub fn by_position(name: ObjectName, args: Vec<Expr>) -> Call {
        let argument = |value| Argument { name: None, variadic: false, value };
        Call::of(name, args.into_iter().map(argument).collect())
    }
}
