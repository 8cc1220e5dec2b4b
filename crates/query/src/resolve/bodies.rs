//! Whole calls of declared functions, as requests make them: every statement of a `language sql` body in order, the rows of the
//! last one as the result; and functions of a row, whose body is read in place of a column or of related rows.
//!
//! PostgreSQL's rules (38.5, `CREATE FUNCTION`): a function that is not volatile changes nothing; one that returns no set gives
//! one row, of nulls where its body gives none; a strict one is not run for a null.

use std::sync::Arc;

use catalog::{Catalog, Function, Language, Volatility};
use sql::ast::StatementKind;
use types::{Code, Error, Result, Type, Value};

use super::declared::{mismatch, parsed, unsupported};
use super::{Resolver, Typing};
use crate::ir::{CalledBy, Expr, Form, FunctionId, JoinKind, Output, Query, Read, Source};
use crate::visit::{self, SourceIds};

/// A call of a function.
#[derive(Clone, Debug)]
pub struct Body {
    /// What happens before the result is there; its rows nobody sees.
    pub before: Vec<Query>,
    /// The result: rows of the columns that the function declares. A write returns them.
    pub result: Query,
}

/// Which function is called, and how.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The function.
    pub function: FunctionId,
    /// What each of its parameters is given; its default without anything.
    pub args: Vec<Option<Expr>>,
    /// Whether nothing may change.
    pub read_only: bool,
    /// Whether a row of it is asked for: without one, PostgreSQL does not run it.
    pub is_run: bool,
}

/// Functions of `language sql` that could not be called: each with what hinders.
pub fn refused(catalog: &Catalog) -> Vec<(String, Error)> {
    let is_asked = |function: &&Function| {
        function.language == Language::Sql && !function.returns_trigger && !is_program(function)
    };
    let functions = catalog.functions.iter().enumerate().filter(|(_, function)| is_asked(function));
    let refused = functions.filter_map(|(at, function)| {
        let mut resolver = Resolver::new(catalog, &[]);
        let args = function.input_types().enumerate().map(|(index, ty)| Some(resolver.any(index, ty)));
        let args = args.collect();
        let invocation = Invocation { function: FunctionId(at), args, read_only: false, is_run: true };
        let error = resolver.whole_body(invocation).err()?;
        Some((format!("function {}", function.signature()), error))
    });
    refused.collect()
}

impl<'a> Typing<'a> {
    /// The statements of a call.
    ///
    /// # Errors
    /// What PostgreSQL refuses; `0A000` for bodies in other languages and for what it could do.
    pub fn body(&self, invocation: Invocation, ids: &mut SourceIds) -> Result<Body> {
        self.apart(ids, |resolver| resolver.whole_body(invocation))
    }

    /// The value of a function of a row.
    ///
    /// # Errors
    /// As [`Typing::body`].
    pub fn value_of_row(&self, function: FunctionId, row: Expr, ids: &mut SourceIds) -> Result<Expr> {
        self.apart(ids, |resolver| resolver.value_of(function.0, vec![row]))
    }

    /// The rows of a function of a row.
    ///
    /// # Errors
    /// As [`Typing::body`].
    pub fn rows_of_row(&self, function: FunctionId, row: Expr, ids: &mut SourceIds) -> Result<Read> {
        self.apart(ids, |resolver| {
            let declared = resolver.instance(function.0, std::slice::from_ref(&row))?;
            let read = resolver.body_of(function.0, vec![row])?;
            resolver.shaped(read, function, &declared)
        })
    }

    /// The columns of a function's rows; of a single value the only one has the function's name.
    ///
    /// # Errors
    /// `0A000` where the schema does not say them.
    pub fn columns(&self, function: FunctionId) -> Result<Vec<(Arc<str>, Type)>> {
        self.0.result_columns(&self.0.catalog.functions[function.0])
    }

    /// The fields of a row type.
    pub fn fields(&self, name: &types::Name) -> Option<Vec<(Arc<str>, Type)>> {
        self.0.fields_of(name)
    }

    /// Resolves something with sources of its own.
    fn apart<T>(&self, ids: &mut SourceIds, inner: impl FnOnce(&mut Resolver<'a>) -> Result<T>) -> Result<T> {
        let mut resolver = Resolver {
            path: self.0.path.clone(),
            base: self.0.path.clone(),
            asker: self.0.asker.clone(),
            session: self.0.session.clone(),
            ids: std::mem::replace(ids, SourceIds::starting_at(0)),
            ..Resolver::new(self.0.catalog, &[])
        };
        let found = inner(&mut resolver);
        *ids = resolver.ids;
        found
    }
}

impl Resolver<'_> {
    /// Some value of a type; of a row, some value of each field.
    fn any(&self, index: usize, ty: &Type) -> Expr {
        let fields = match ty {
            Type::Composite(name) => self.fields_of(name),
            _ => None,
        };
        match fields {
            Some(fields) => {
                let args = fields.into_iter().map(|(_, ty)| Expr::Param { index, ty }).collect();
                Expr::Form { form: Form::Row, args, ty: ty.clone() }
            }
            None => Expr::Param { index, ty: ty.clone() },
        }
    }

    fn whole_body(&mut self, invocation: Invocation) -> Result<Body> {
        let Invocation { function: id, args, read_only, is_run } = invocation;
        let function = &self.catalog.functions[id.0];
        self.changes = !read_only && function.volatility == Volatility::Volatile;
        let args = self.completed(function, args)?;
        if !is_run && !is_read_in_place(function) {
            return Ok(Body { before: Vec::new(), result: Query::Read(self.nothing(id)?) });
        }
        if is_program(function) {
            let result = Query::Read(self.interpreted_rows(id, args)?);
            return Ok(Body { before: Vec::new(), result });
        }
        if function.strict && args.iter().any(is_null) {
            return Ok(Body { before: Vec::new(), result: Query::Read(self.nothing(id)?) });
        }
        let statements = parsed(function)?;
        let mut steps = self.inside(id.0, args, |resolver| {
            statements.iter().map(|statement| resolver.step(statement, function)).collect::<Result<Vec<_>>>()
        })?;
        let is_volatile = function.volatility == Volatility::Volatile;
        let locks = |step: &Query| matches!(step, Query::Read(read) if visit::locks(read));
        if (read_only || !is_volatile) && steps.iter().any(locks) {
            let message =
                format!("cannot execute SELECT {} in a read-only transaction", locking(&statements));
            return Err(Error::new(Code::READ_ONLY_TRANSACTION, message));
        }
        if !is_volatile {
            steps.iter().try_for_each(refuse_change)?;
        }
        let by = CalledBy { function: id, read_only };
        if function.returns == Type::Void {
            let before = steps.into_iter().map(|step| marked(step, by)).collect();
            return Ok(Body { before, result: Query::Read(self.nothing(id)?) });
        }
        let result = match steps.pop() {
            Some(Query::Read(read)) => Query::Read(self.shaped(read, id, function)?),
            Some(Query::Write(mut write)) => {
                let returning = write.returning.take().ok_or_else(|| no_rows(function))?;
                write.returning = Some(self.shaped(returning, id, function)?);
                mark(&mut write, by);
                Query::Write(write)
            }
            None => return Err(no_rows(function)),
        };
        Ok(Body { before: steps.into_iter().map(|step| marked(step, by)).collect(), result })
    }

    /// The arguments, defaults included, of the types declared.
    fn completed(&mut self, function: &Function, args: Vec<Option<Expr>>) -> Result<Vec<Expr>> {
        let mut completed = Vec::with_capacity(args.len());
        for (parameter, arg) in function.arguments.iter().filter(|argument| argument.is_input()).zip(args) {
            completed.push(match (arg, &parameter.default) {
                (Some(arg), _) => match &parameter.domain {
                    Some(domain) => self.in_domain(arg, domain)?,
                    None => arg,
                },
                (None, Some(default)) => {
                    let default = self.constant_default(default)?;
                    self.coerce(default, &parameter.ty)?
                }
                (None, None) => Expr::null(parameter.ty.clone()),
            });
        }
        Ok(completed)
    }

    /// A statement of a body.
    fn step(&mut self, statement: &StatementKind, function: &Function) -> Result<Query> {
        match statement {
            StatementKind::Query(_)
            | StatementKind::Insert(_)
            | StatementKind::Update(_)
            | StatementKind::Delete(_)
            | StatementKind::Refresh { .. } => self.about_rows(statement),
            _ => Err(unsupported(
                function,
                "with a statement that is neither select, insert, update nor delete",
            )),
        }
    }

    /// The rows of a body as the function declares them.
    pub(super) fn shaped(&mut self, read: Read, id: FunctionId, function: &Function) -> Result<Read> {
        let columns = self.result_fields(function)?;
        let mut read = self.in_columns(read, columns, function)?;
        if let (Some(domain), [output]) = (&function.domain, &mut read.outputs[..]) {
            output.expr = self.in_domain(output.expr.clone(), domain)?;
        }
        if !function.returns_set && !is_one_row(&read) {
            read = self.only_row(read);
        }
        read.called = Some(id);
        Ok(read)
    }

    /// The first row, or one of nulls.
    fn only_row(&mut self, read: Read) -> Read {
        let mut first = if read.limit.is_some() { self.around(read) } else { read };
        first.limit = Some(Expr::Const { value: Value::Int(1), ty: Type::Int8 });
        let mut outer = self.around(first);
        let inner = std::mem::replace(&mut outer.from, Source::Unit);
        outer.from = Source::Join {
            kind: JoinKind::Left,
            left: Box::new(Source::Unit),
            right: Box::new(inner),
            on: None,
        };
        outer
    }

    /// What a strict function says of a null, and one that returns nothing.
    fn nothing(&self, id: FunctionId) -> Result<Read> {
        let function = &self.catalog.functions[id.0];
        let columns = match function.returns {
            Type::Void => vec![(function.name.name.clone(), Type::Text)],
            _ => self.result_columns(function)?,
        };
        let outputs = columns.into_iter().map(|(name, ty)| Output { name, expr: Expr::null(ty) }).collect();
        let filter = function.returns_set.then(|| Expr::bool(false));
        Ok(Read { outputs, filter, called: Some(id), ..Read::from(Source::Unit) })
    }
}

/// Whether PostgreSQL reads the body of a function in place of its call (`inline_set_returning_function`): what its tables refuse
/// shows whether or not a row is asked for.
fn is_read_in_place(function: &Function) -> bool {
    function.language == Language::Sql
        && function.returns_set
        && function.volatility != Volatility::Volatile
        && !function.strict
        && !function.security_definer
        && function.settings.is_empty()
}

/// Whether a function is interpreted even where its whole body could be the statements of a request.
pub fn is_program(function: &Function) -> bool {
    let is_path =
        |(name, value): &(Arc<str>, Arc<str>)| &**name == "search_path" && &**value != "from current";
    let is_polymorphic = function.input_types().any(crate::functions::is_polymorphic);
    match function.language {
        Language::PlPgSql => true,
        Language::Sql => {
            is_polymorphic
                || !function.settings.iter().all(is_path)
                || parsed(function)
                    .is_ok_and(|statements| !statements.iter().all(StatementKind::is_about_rows))
        }
        Language::Other(_) => false,
    }
}

/// Whether an argument is null as a whole: a row is not, whatever its fields are.
fn is_null(arg: &Expr) -> bool {
    matches!(arg, Expr::Const { value: Value::Null, .. })
}

fn is_one_row(read: &Read) -> bool {
    matches!(read.from, Source::Unit)
        && read.filter.is_none()
        && read.having.is_none()
        && read.group.is_empty()
        && read.limit.is_none()
        && read.offset.is_none()
}

/// The words of the first lock of a body.
fn locking(statements: &[StatementKind]) -> String {
    let clause = statements.iter().find_map(|statement| match statement {
        StatementKind::Query(query) => query.locking.first(),
        _ => None,
    });
    clause.map_or_else(|| "FOR UPDATE".to_owned(), |clause| super::locking::lock_words(clause))
}

/// The refusal of a change by a function that is said to make none.
fn refuse_change(step: &Query) -> Result<()> {
    match step {
        Query::Read(_) => Ok(()),
        Query::Write(write) => {
            let message = format!("{} is not allowed in a non-volatile function", write.action.word());
            Err(Error::new(Code::FEATURE_NOT_SUPPORTED, message))
        }
    }
}

fn mark(write: &mut crate::ir::Write, by: CalledBy) {
    write.called = Some(by);
    for changed in &mut write.before {
        mark(&mut changed.write, by);
        if let Some(returning) = &mut changed.write.returning {
            returning.called = Some(by.function);
        }
    }
}

fn marked(step: Query, by: CalledBy) -> Query {
    match step {
        Query::Read(mut read) => {
            read.called = Some(by.function);
            Query::Read(read)
        }
        Query::Write(mut write) => {
            mark(&mut write, by);
            if let Some(returning) = &mut write.returning {
                returning.called = Some(by.function);
            }
            Query::Write(write)
        }
    }
}

fn no_rows(function: &Function) -> Error {
    mismatch(function)
        .with_details("Function's final statement must be SELECT or INSERT/UPDATE/DELETE RETURNING.")
}

/// The fields of a whole row, where an expression is one.
pub(super) fn row_fields(expr: &Expr) -> Option<&[Expr]> {
    match expr {
        Expr::Form { form: Form::Row | Form::Record(_), args, .. } => Some(args),
        _ => None,
    }
}
