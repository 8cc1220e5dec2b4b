//! Names that stand for parameters of a statement: the variables of a body that is interpreted; and calls of such bodies.
//!
//! PostgreSQL's rules (43.11.1): a name that could be a column as well as a variable is ambiguous, unless the body says which
//! of them it prefers. What a variable is, its owner says: each use becomes an expression over parameters.

use std::sync::Arc;

use catalog::{Catalog, ColumnId, TableId, Volatility};
use sql::ast::{self, ArgumentMode, ExprKind, StatementKind};
use types::session::Session;
use types::ty::format_type;
use types::{Code, Error, Field, Result, Type, Value};

use super::Resolver;
use super::declared::unsupported;
use super::scope::Level;
use crate::ir::{
    CallArgument, Expr, Form, FunctionCall, FunctionId, Output, Query, Read, SetCall, Source, SourceId,
    Transition,
};

/// What a name means that is both a column and a variable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Conflict {
    /// Neither: it is refused.
    #[default]
    Refused,
    /// The column.
    Column,
    /// The variable.
    Variable,
}

/// Columns by their names.
pub type Columns = Vec<(Arc<str>, Expr)>;

/// Names that stand for parameters.
pub trait Variables {
    /// What a name of one or more parts stands for; `None` for a name that is no variable. `is_needed` says that it is no column.
    ///
    /// # Errors
    /// What PostgreSQL says of a field that there is not, and of a record that nothing was assigned to.
    fn named(&self, parts: &[String], is_needed: bool) -> Result<Option<Expr>>;

    /// The columns of the row that a name stands for: `name.*`.
    ///
    /// # Errors
    /// As [`Variables::named`].
    fn columns(&self, name: &str) -> Result<Option<Columns>>;

    /// What `$1` (0) stands for.
    fn positional(&self, index: usize) -> Option<Expr>;

    /// What a name means that is a column, too.
    fn conflict(&self) -> Conflict;

    /// The transition table of this name.
    fn transition(&self, name: &str) -> Option<(TableId, Transition)>;

    /// The temporary table of this name.
    ///
    /// # Errors
    /// `42501` for somebody else's.
    fn temporary(&self, name: &str) -> Result<Option<Arc<NamedRows>>>;

    /// All temporary tables, for the system's tables, in which they stand.
    fn temporaries(&self) -> Vec<Temporary>;
}

/// A temporary table.
#[derive(Clone, Debug)]
pub struct Temporary {
    /// Its name.
    pub name: Arc<str>,
    /// Its columns and rows.
    pub rows: Arc<NamedRows>,
    /// Whose it is.
    pub owner: Arc<str>,
}

/// Rows in memory that statements read under a name.
#[derive(Clone, Debug, Default)]
pub struct NamedRows {
    /// Names and types of their columns.
    pub columns: Vec<(Arc<str>, Type)>,
    /// The rows.
    pub rows: Vec<Vec<Value>>,
}

/// What surrounds a statement of a body.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// What is declared.
    pub catalog: &'a Catalog,
    /// Where names are looked for.
    pub path: &'a [Arc<str>],
    /// Who asks.
    pub role: &'a str,
    /// In which literals are read.
    pub session: &'a Session,
    /// The names that stand for parameters.
    pub variables: &'a dyn Variables,
}

impl<'a> Surroundings<'a> {
    fn resolver(&self) -> Resolver<'a> {
        Resolver {
            path: self.path.to_vec(),
            base: self.path.to_vec(),
            asker: Some(self.catalog.memberships(self.role).into()),
            session: self.session.clone(),
            variables: Some(self.variables),
            changes: true,
            ..Resolver::new(self.catalog, &[])
        }
    }
}

/// A statement about rows.
///
/// # Errors
/// As [`super::statement`].
pub fn bound_statement(surroundings: &Surroundings<'_>, statement: &StatementKind) -> Result<Query> {
    surroundings.resolver().about_rows(statement)
}

/// A call of a procedure: a read of what its output parameters become.
///
/// # Errors
/// As [`super::condition`].
pub fn bound_call(surroundings: &Surroundings<'_>, call: &ast::Call) -> Result<Query> {
    let mut resolver = surroundings.resolver();
    resolver.levels.push(Level::default());
    let expr = resolver.procedure(call)?;
    let output = Output { name: call.name.name.as_str().into(), expr };
    Ok(Query::Read(Read { outputs: vec![output], ..Read::from(Source::Unit) }))
}

/// An expression without columns; an untyped literal keeps its type.
///
/// # Errors
/// As [`super::condition`].
pub fn bound_expr(surroundings: &Surroundings<'_>, expr: &ast::Expr) -> Result<Expr> {
    let mut resolver = surroundings.resolver();
    resolver.levels.push(Level::default());
    resolver.named_or_value(expr)
}

/// An expression without columns in which set-returning functions stand: a read of a row for each of theirs.
///
/// # Errors
/// As [`super::condition`].
pub fn bound_rows(surroundings: &Surroundings<'_>, expr: &ast::Expr) -> Result<Query> {
    let mut resolver = surroundings.resolver();
    resolver.levels.push(Level::default());
    let (expr, expansions) = resolver.expanding(|resolver| resolver.expr(expr))?;
    let output = Output { name: "value".into(), expr };
    let read = Read { outputs: vec![output], ..Read::from(Source::Unit) };
    resolver.with_expansions(read, expansions).map(Query::Read)
}

impl<'a> Resolver<'a> {
    /// What a name means among columns and variables.
    pub(super) fn among_variables(
        &self,
        variables: &dyn Variables,
        parts: &[String],
        stored: Result<Expr>,
    ) -> Result<Result<Expr>> {
        let undefined = [Code::UNDEFINED_COLUMN, Code::UNDEFINED_TABLE];
        let is_needed = stored.as_ref().is_err_and(|error| undefined.contains(&error.code()));
        if stored.is_err() && !is_needed {
            return Ok(stored);
        }
        if stored.is_ok() && variables.conflict() == Conflict::Column {
            return Ok(stored);
        }
        match (variables.named(parts, is_needed)?, stored) {
            (Some(variable), Err(_)) => Ok(Ok(variable)),
            (Some(variable), Ok(_)) if variables.conflict() == Conflict::Variable => Ok(Ok(variable)),
            (Some(_), Ok(_)) => {
                let message = format!("column reference \"{}\" is ambiguous", parts.join("."));
                let details = "It could refer to either a PL/pgSQL variable or a table column.";
                Err(Error::new(Code::AMBIGUOUS_COLUMN, message).with_details(details))
            }
            (None, stored) => Ok(stored),
        }
    }

    /// The transition table of this name, unless it says a schema.
    pub(super) fn transition(&self, name: &ast::ObjectName) -> Option<(TableId, Transition)> {
        let variables = self.variables.filter(|_| name.schema.is_none())?;
        variables.transition(&name.name)
    }

    /// The temporary table of this name.
    pub(super) fn temporary(&self, name: &ast::ObjectName) -> Result<Option<Arc<NamedRows>>> {
        let is_there = name.schema.as_deref().is_none_or(|schema| schema == catalog::build::TEMPORARY);
        match self.variables.filter(|_| is_there) {
            Some(variables) => variables.temporary(&name.name),
            None => Ok(None),
        }
    }

    /// The table or view that a statement is to change.
    pub(super) fn changed_table(&self, name: &ast::ObjectName) -> Result<TableId> {
        if self.temporary(name)?.is_some() {
            return Err(Error::missing(format!("changing the temporary table {} of a function", name.name)));
        }
        if self.transition(name).is_some() {
            let message = format!("relation \"{}\" cannot be the target of a modifying statement", name.name);
            return Err(Error::new(Code::FEATURE_NOT_SUPPORTED, message));
        }
        self.table(name)
    }

    /// The columns of `name.*`: of a relation, or else of a variable.
    pub(super) fn starred(&self, name: &str) -> Result<Columns> {
        let error = match self.relation(name) {
            Ok(relation) => return Ok(relation.columns.clone()),
            Err(error) => error,
        };
        match self.variables {
            Some(variables) => variables.columns(name)?.ok_or(error),
            None => Err(error),
        }
    }

    /// Expressions in which `name.*` of a variable stands for its columns.
    pub(super) fn without_stars(&self, exprs: &[ast::Expr]) -> Result<Vec<ast::Expr>> {
        let mut all = Vec::with_capacity(exprs.len());
        for expr in exprs {
            let (ExprKind::Star(parts), Some(variables)) = (&*expr.kind, self.variables) else {
                all.push(expr.clone());
                continue;
            };
            let columns = match &parts[..] {
                [name] if self.relation(name).is_err() => variables.columns(name)?,
                _ => None,
            };
            match columns {
                None => all.push(expr.clone()),
                Some(columns) => all.extend(columns.into_iter().map(|(column, _)| ast::Expr {
                    kind: Box::new(ExprKind::Column(
                        parts.iter().cloned().chain([column.to_string()]).collect(),
                    )),
                    span: expr.span,
                })),
            }
        }
        Ok(all)
    }

    /// A call of a function that is interpreted, as a value.
    pub(super) fn interpreted_value(&mut self, at: usize, args: Vec<Expr>) -> Result<Expr> {
        let function = self.instance(at, &args)?;
        if function.returns_set {
            let what = format!("the set-returning function {}() in this place", function.name);
            return Err(Error::missing(what));
        }
        refuse_trigger(&function)?;
        let ty = function.returns.clone();
        self.interpreted_call(at, args, ty)
    }

    fn interpreted_call(&mut self, at: usize, args: Vec<Expr>, ty: Type) -> Result<Expr> {
        let function = &self.catalog.functions[at];
        let args = self.named_rows(args);
        let is_volatile = function.volatility == Volatility::Volatile;
        Ok(Expr::Call(Box::new(FunctionCall {
            function: FunctionId(at),
            args,
            ty,
            role: None,
            is_volatile,
            changes: is_volatile && self.changes,
        })))
    }

    fn procedure(&mut self, call: &ast::Call) -> Result<Expr> {
        let candidates = self.declared(call.name.schema.as_deref(), &call.name.name);
        let mut found = None;
        for at in &candidates {
            let given = without_outputs(call, &self.catalog.functions[*at]);
            match self.found(&given, std::slice::from_ref(at)) {
                Err(error) if error.code() == Code::UNDEFINED_FUNCTION => {}
                Err(error) => return Err(error),
                Ok(_) if found.is_some() => {
                    let message = format!("procedure {} is not unique", super::calls::shown_name(call));
                    return Err(Error::new(Code::AMBIGUOUS_FUNCTION, message));
                }
                Ok(matched) => found = Some(matched),
            }
        }
        let Some((at, args)) = found else {
            let types = call.args.iter().map(|argument| Ok(self.expr(&argument.value)?.ty()));
            let types = types.collect::<Result<Vec<_>>>()?;
            let shown: Vec<String> = types.iter().map(|ty| format_type(ty, None)).collect();
            let name = super::calls::shown_name(call);
            let message = format!("procedure {name}({}) does not exist", shown.join(", "));
            let hint = "No procedure matches the given name and argument types. You might need to add explicit type casts.";
            return Err(Error::new(Code::UNDEFINED_FUNCTION, message).with_hint(hint));
        };
        let function = self.instance(at, &args)?;
        if !function.procedure {
            let types: Vec<String> = args.iter().map(|arg| format_type(&arg.ty(), None)).collect();
            let message = format!("{}({}) is not a procedure", function.name.name, types.join(", "));
            return Err(
                Error::new(Code::WRONG_OBJECT_TYPE, message).with_hint("To call a function, use SELECT.")
            );
        }
        let ty = function.returns.clone();
        self.interpreted_call(at, args, ty)
    }

    /// Rows of declared types under the names of their fields: as values they are kept so.
    fn named_rows(&self, args: Vec<Expr>) -> Vec<Expr> {
        let named = |arg: Expr| match arg {
            Expr::Form { form: Form::Row, args, ty: Type::Composite(name) } => {
                let fields = self.fields_of(&name).filter(|fields| fields.len() == args.len());
                let form = fields.map_or(Form::Row, |fields| {
                    Form::Record(fields.into_iter().map(|(field, _)| field).collect())
                });
                Expr::Form { form, args, ty: Type::Composite(name) }
            }
            arg => arg,
        };
        args.into_iter().map(named).collect()
    }

    /// The rows of a function that is interpreted.
    pub(super) fn interpreted_rows(&mut self, id: FunctionId, args: Vec<Expr>) -> Result<Read> {
        let function = self.instance(id.0, &args)?;
        refuse_trigger(&function)?;
        let args = self.named_rows(args);
        let columns = self.columns_of_call(&function)?;
        let source = self.ids.fresh();
        let outputs = outputs(source, &columns);
        let argument = |value| CallArgument { name: None, variadic: false, value };
        let call = Source::Call {
            id: source,
            function: id,
            args: args.into_iter().map(argument).collect(),
            columns: columns.len(),
            changes: function.volatility == Volatility::Volatile && self.changes,
            role: None,
        };
        Ok(Read { outputs, ..Read::from(call) })
    }

    /// The same for arguments of rows that stand beside: a call for each of them, whose rows come as one JSON array.
    pub(super) fn interpreted_rows_beside(&mut self, at: usize, args: Vec<Expr>) -> Result<Read> {
        let function = self.instance(at, &args)?;
        refuse_trigger(&function)?;
        let is_row = matches!(function.returns, Type::Composite(_));
        if !function.returns_set && !is_row {
            let name = function.name.name.clone();
            let mut read = Read::from(Source::Unit);
            read.outputs.push(Output { name, expr: self.interpreted_value(at, args)? });
            return Ok(read);
        }
        let columns = self.columns_of_call(&function)?;
        let name = match function.returns_set {
            true => "json_to_recordset",
            false => "json_to_record",
        };
        let mut call = self.interpreted_call(at, args, Type::Json)?;
        if !function.returns_set {
            // A row that is null is one of nulls.
            let none = Expr::Const { value: Value::text("{}"), ty: Type::Json };
            call = Expr::Form { form: Form::Coalesce, args: vec![call, none], ty: Type::Json };
        }
        let chosen = crate::functions::choose_set(name, &[Type::Json])?;
        let id = self.ids.fresh();
        let outputs = outputs(id, &columns);
        let columns = columns.into_iter().map(|(name, ty)| Field::of(name, ty)).collect();
        let calls = vec![SetCall { function: chosen.function, args: vec![call], columns }];
        Ok(Read { outputs, ..Read::from(Source::Function { id, calls, ordinality: false }) })
    }

    fn columns_of_call(&self, function: &catalog::Function) -> Result<Described> {
        match function.returns {
            Type::Void => Ok(vec![(function.name.name.clone(), Type::Text)]),
            _ => self.result_columns(function),
        }
    }
}

/// Names and types of columns.
type Described = Vec<(Arc<str>, Type)>;

fn outputs(source: SourceId, columns: &[(Arc<str>, Type)]) -> Vec<Output> {
    let output = |((name, ty), at): (&(Arc<str>, Type), u16)| Output {
        name: name.clone(),
        expr: Expr::Column { source, column: ColumnId(at), ty: ty.clone() },
    };
    columns.iter().zip(0..).map(output).collect()
}

/// A call without the arguments that only take what comes out.
fn without_outputs(call: &ast::Call, function: &catalog::Function) -> ast::Call {
    let parameters = || function.arguments.iter().filter(|argument| argument.mode != ArgumentMode::Table);
    let is_input = |(position, argument): (usize, &ast::Argument)| {
        let parameter = match &argument.name {
            Some(name) => parameters().find(|parameter| parameter.name.as_deref() == Some(name)),
            None => parameters().nth(position),
        };
        parameter.is_none_or(catalog::Argument::is_input)
    };
    let args = call.args.iter().enumerate().filter(|given| is_input(*given));
    ast::Call { args: args.map(|(_, argument)| argument.clone()).collect(), ..call.clone() }
}

fn refuse_trigger(function: &catalog::Function) -> Result<()> {
    if function.returns_trigger {
        let message = "trigger functions can only be called as triggers";
        return Err(Error::new(Code::FEATURE_NOT_SUPPORTED, message));
    }
    match &function.returns {
        Type::Opaque(name) if &*name.name != "record" => Err(unsupported(function, "")),
        _ => Ok(()),
    }
}
