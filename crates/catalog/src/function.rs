//! Functions and triggers, as declared. Their bodies are text until something runs them.

use std::sync::{Arc, OnceLock};

use sql::ast;
use types::ty::format_type;
use types::{Name, Type};

use crate::role::Acl;

/// A function.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// Its name.
    pub name: Name,
    /// Its arguments in order, `out` and `table` ones included.
    pub arguments: Vec<Argument>,
    /// Its result type; `Composite` for rows.
    pub returns: Type,
    /// The domain that the result is of.
    pub domain: Option<Name>,
    /// Whether it returns a set.
    pub returns_set: bool,
    /// Whether it is a trigger function.
    pub returns_trigger: bool,
    /// Whether it is a procedure, which only `call` calls.
    pub procedure: bool,
    /// Its language.
    pub language: Language,
    /// The body's text.
    pub body: Arc<str>,
    /// What a body in `language sql` says.
    pub statements: Statements,
    /// Volatility.
    pub volatility: Volatility,
    /// Whether a null argument makes the result null.
    pub strict: bool,
    /// Whether it runs as its owner.
    pub security_definer: bool,
    /// `set name = value` clauses.
    pub settings: Vec<(Arc<str>, Arc<str>)>,
    /// `rows n`
    pub rows: Option<u64>,
    /// Grants.
    pub acl: Acl,
    /// The owner.
    pub owner: Arc<str>,
    /// `comment on function`.
    pub comment: Option<String>,
}

/// The statements of a body in `language sql`: read once, when they are asked for first. Copies share them.
#[derive(Clone, Debug, Default)]
pub struct Statements(Arc<OnceLock<Option<Arc<[ast::StatementKind]>>>>);

impl PartialEq for Statements {
    /// What they say, the body's text says.
    fn eq(&self, _: &Statements) -> bool {
        true
    }
}

/// An argument of a function.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// Its name.
    pub name: Option<Arc<str>>,
    /// Its type.
    pub ty: Type,
    /// The domain that it is of.
    pub domain: Option<Name>,
    /// `in`, `out`, `inout`, `variadic`, `table`.
    pub mode: ast::ArgumentMode,
    /// Its default.
    pub default: Option<Arc<ast::Expr>>,
}

/// A function's language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Language {
    /// `sql`
    Sql,
    /// `plpgsql`
    PlPgSql,
    /// Another language, by name.
    Other(Arc<str>),
}

/// Whether a function's result depends on more than its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Volatility {
    /// Never.
    Immutable,
    /// Not within one statement.
    Stable,
    /// May change or have effects at every call.
    Volatile,
}

/// A trigger.
#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    /// Its name.
    pub name: Arc<str>,
    /// The statement that created it.
    pub statement: Arc<ast::CreateTrigger>,
    /// When it fires.
    pub mode: ast::TriggerMode,
}

impl Function {
    /// The statements of a body in `language sql`; nothing of one that is not understood.
    pub fn statements(&self) -> Option<Arc<[ast::StatementKind]>> {
        self.statements.0.get_or_init(|| statements(&self.body)).clone()
    }

    /// What tells it from its namesakes: name and types of the arguments that a caller passes, as PostgreSQL prints them.
    pub fn signature(&self) -> String {
        let types: Vec<String> = self.inputs().map(Argument::type_name).collect();
        format!("{}({})", self.name, types.join(", "))
    }

    /// The arguments that a caller passes.
    pub fn inputs(&self) -> impl Iterator<Item = &Argument> {
        self.arguments.iter().filter(|argument| argument.is_input())
    }

    /// Whether another function takes the same arguments: types, and the domains that they are of.
    pub fn takes_as(&self, other: &Function) -> bool {
        let ours = self.inputs().map(|argument| (&argument.ty, &argument.domain));
        ours.eq(other.inputs().map(|argument| (&argument.ty, &argument.domain)))
    }

    /// Types of the arguments that a caller passes.
    pub fn input_types(&self) -> impl Iterator<Item = &Type> {
        self.inputs().map(|argument| &argument.ty)
    }
}

fn statements(body: &str) -> Option<Arc<[ast::StatementKind]>> {
    let lower = body.to_ascii_lowercase();
    let atomic = lower.strip_prefix("begin").and_then(|rest| {
        let rest = rest.trim_start().strip_prefix("atomic")?;
        Some((body.len() - rest.len(), lower.trim_end().strip_suffix("end")?.len()))
    });
    let (statements, complaints) = match (lower.strip_prefix("return"), atomic) {
        (Some(expr), _) if expr.starts_with(|c: char| !c.is_alphanumeric() && c != '_') => {
            sql::parse(&format!("select {}", &body["return".len()..]))
        }
        (_, Some((from, to))) => sql::parse(body.get(from..to)?),
        _ => sql::parse(body),
    };
    complaints.is_empty().then(|| statements.into_iter().map(|statement| statement.kind).collect())
}

impl Argument {
    /// The name of its type, as PostgreSQL prints it.
    pub fn type_name(&self) -> String {
        let ty = match &self.domain {
            Some(domain) => &Type::Opaque(domain.clone()),
            None => &self.ty,
        };
        format_type(ty, None)
    }

    /// Whether a caller passes it.
    pub fn is_input(&self) -> bool {
        matches!(self.mode, ast::ArgumentMode::In | ast::ArgumentMode::InOut | ast::ArgumentMode::Variadic)
    }

    /// Whether it is part of the result.
    pub fn is_output(&self) -> bool {
        matches!(self.mode, ast::ArgumentMode::Out | ast::ArgumentMode::InOut | ast::ArgumentMode::Table)
    }
}
