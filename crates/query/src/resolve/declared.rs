//! Calls of functions that the schema declares: a `language sql` body of one select is read in place of the call.
//!
//! PostgreSQL (38.5) runs such a body with the search path of its `set` clause, with parameters that columns of the same name
//! hide, and sees nothing of the query around the call. What the body may read is for `authorize`: [`Read::called`] says whose
//! it is. A `volatile` body sees what its statement has changed so far: of a table that is being written, `authorize` refuses to
//! read it. Bodies in other languages, of several statements or with effects are refused by name.

mod rows;

use std::borrow::Cow;
use std::sync::Arc;

use catalog::{Argument, Function, Language};
use sql::ast::{self, Call, StatementKind};
use types::cast::{self, Context};
use types::ty::format_type;
use types::{Code, Error, Field, Name, Result, Type, Value};

use super::Resolver;
use super::bodies::row_fields;
use super::scope::{Level, Relation};
use crate::functions::{Volatility as Effect, instance};
use crate::ir::{DomainTest, Expr, Form, FunctionId, Output, Read, Source, Subquery};
use crate::visit;

/// Bodies that one expression may be made of, those of bodies included.
const BODIES_MAX: usize = 200;

/// The function whose body is read, and what its parameters stand for.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    function: usize,
    args: Vec<Expr>,
}

/// What is set aside while a body is read.
#[derive(Default)]
pub(super) struct Surroundings<'a> {
    variables: Option<&'a dyn super::Variables>,
    levels: Vec<Level>,
    ctes: Vec<super::with::Named>,
    windows: Vec<(String, ast::Window)>,
    expansions: Option<super::expansions::Expansions>,
    path: Vec<Arc<str>>,
    frame: Option<Frame>,
    owner: Option<Arc<str>>,
    asker: Option<Arc<[Arc<str>]>>,
}

impl<'a> Resolver<'a> {
    /// A call of a declared function; `None` for other calls.
    pub(super) fn declared_call(&mut self, call: &Call) -> Result<Option<Expr>> {
        let candidates = self.declared(call.name.schema.as_deref(), &call.name.name);
        if candidates.is_empty() {
            return Ok(None);
        }
        let (at, args) = match self.matched(call, &candidates) {
            // A function of ours of the name may take them.
            Err(error) if error.code() == Code::UNDEFINED_FUNCTION && Self::is_ours(call) => return Ok(None),
            found => found?,
        };
        let function = self.instance(at, &args)?;
        if !function.returns_set && self.is_interpreted(at)? {
            return self.interpreted_value(at, args).map(Some);
        }
        if function.returns_set {
            let row_type = super::expansions::named_row(&function.returns);
            let read = self.rows_of_call(at, args, Vec::new())?;
            return self.expanded_rows(read, row_type).map(Some);
        }
        let is_simple = args.iter().all(is_simple);
        let (source, args) = if is_simple { (None, args) } else { self.computed_once(args) };
        let strict = function.strict.then(|| any_null(&args)).flatten();
        let value = self.value_of(at, args)?;
        let value = match strict {
            Some(null) => {
                let ty = value.ty();
                let branches = vec![(null, Expr::null(ty.clone()))];
                Expr::Case { branches, otherwise: Some(Box::new(value)), ty }
            }
            None => value,
        };
        Ok(Some(match source {
            None => value,
            Some(source) => {
                let mut read = Read::from(source);
                read.outputs.push(Output { name: call.name.name.as_str().into(), expr: value });
                Expr::Subquery(Box::new(Subquery::Scalar(read)))
            }
        }))
    }

    /// What a parameter of the body that is read stands for: `name`, `function.name`, and a field of either.
    pub(super) fn frame_parameter(&self, parts: &[String]) -> Option<Result<Expr>> {
        let frame = self.frame.as_ref()?;
        let function = &self.catalog.functions[frame.function];
        let parts = match parts {
            [qualifier, rest @ ..] if !rest.is_empty() && **qualifier == *function.name.name => rest,
            parts => parts,
        };
        let (name, field) = match parts {
            [name] => (name, None),
            [name, field] => (name, Some(field)),
            _ => return None,
        };
        let at = inputs(function).position(|argument| argument.name.as_deref() == Some(name))?;
        let arg = frame.args.get(at).cloned()?;
        Some(field.map_or(Ok(arg.clone()), |field| self.field(&arg, field)))
    }

    /// A field of a row.
    pub(super) fn field(&self, row: &Expr, field: &str) -> Result<Expr> {
        if let Expr::Form { form: Form::Record(names), args, .. } = row
            && let Some(at) = names.iter().position(|name| **name == *field)
            && let Some(found) = args.get(at)
        {
            return Ok(found.clone());
        }
        let ty = row.ty();
        let fields = match &ty {
            Type::Composite(name) => self.fields_of(name),
            _ => {
                let shown = format_type(&ty, None);
                let message = format!(
                    "column notation .{field} applied to type {shown}, which is not a composite type"
                );
                return Err(Error::new(Code::WRONG_OBJECT_TYPE, message));
            }
        };
        let fields = fields.ok_or_else(|| Error::missing(format!("field selection (.{field})")))?;
        let Some(at) = fields.iter().position(|(name, _)| **name == *field) else {
            let message = format!("column \"{field}\" not found in data type {}", format_type(&ty, None));
            return Err(Error::new(Code::UNDEFINED_COLUMN, message));
        };
        match (row_fields(row).and_then(|args| args.get(at)), row, fields.get(at)) {
            (Some(found), ..) => Ok(found.clone()),
            (None, Expr::Const { value: Value::Null, .. }, Some((_, ty))) => Ok(Expr::null(ty.clone())),
            (None, row, Some((_, ty))) => {
                Ok(Expr::Form { form: Form::Field(field.into()), args: vec![row.clone()], ty: ty.clone() })
            }
            (None, _, None) => Err(Error::missing(format!("field selection (.{field})"))),
        }
    }

    /// The fields of a row type.
    pub(super) fn fields_of(&self, name: &Name) -> Option<Vec<(Arc<str>, Type)>> {
        let fields = self.catalog.fields(name)?;
        Some(fields.into_iter().map(|field| (field.name, field.ty)).collect())
    }

    /// A function of a row in column notation: `t.full_name`.
    pub(super) fn column_notation(&mut self, row: Expr, name: &str) -> Result<Option<Expr>> {
        let ty = row.ty();
        let candidates = self.declared(None, name);
        let takes_row = |at: &&usize| self.catalog.functions[**at].input_types().eq([&ty]);
        let Some(at) = candidates.iter().find(takes_row).copied() else { return Ok(None) };
        if self.catalog.functions[at].returns_set {
            return Ok(None);
        }
        self.value_of(at, vec![row]).map(Some)
    }

    /// What `$1` of the body that is read stands for.
    pub(super) fn frame_position(&self, index: usize) -> Option<Expr> {
        self.frame.as_ref()?.args.get(index).cloned()
    }

    /// A function as a call with such arguments sees it.
    pub(super) fn instance(&self, at: usize, args: &[Expr]) -> Result<Cow<'a, Function>> {
        let types: Vec<Type> = args.iter().map(Expr::ty).collect();
        instance(&self.catalog.functions[at], &types)
    }

    /// Whether a function's body is interpreted: it cannot be read in place of the call.
    pub(super) fn is_interpreted(&self, at: usize) -> Result<bool> {
        let function = &self.catalog.functions[at];
        match function.language {
            Language::PlPgSql => Ok(true),
            Language::Sql => {
                let statements = parsed(function)?;
                let is_left = self.is_of_row && !self.is_everybodys_value(function, &statements);
                Ok(is_left || self.open.contains(&at) || !is_readable(function, self.catalog))
            }
            Language::Other(_) => Ok(false),
        }
    }

    /// Whether everybody may call a function that reads no rows.
    fn is_everybodys_value(&self, function: &Function, statements: &[StatementKind]) -> bool {
        let reads = |statement: &StatementKind| match statement {
            StatementKind::Query(query) => match &query.body {
                ast::QueryBody::Select(select) => !select.from.is_empty(),
                _ => true,
            },
            _ => true,
        };
        // A select in the select may read.
        let is_plain = function.body.to_lowercase().matches("select").count() <= 1;
        self.catalog.allows_function(&["public".into()], function)
            && is_plain
            && !statements.iter().any(reads)
    }

    /// Puts what surrounds a query away, to be [put back](Resolver::back).
    pub(super) fn apart(&mut self) -> Surroundings<'a> {
        let (path, owner, asker) = (self.path.clone(), self.owner.clone(), self.asker.clone());
        self.exchange(Surroundings { path, owner, asker, ..Surroundings::default() })
    }

    pub(super) fn back(&mut self, surroundings: Surroundings<'a>) {
        self.exchange(surroundings);
    }

    fn exchange(&mut self, other: Surroundings<'a>) -> Surroundings<'a> {
        Surroundings {
            variables: std::mem::replace(&mut self.variables, other.variables),
            levels: std::mem::replace(&mut self.levels, other.levels),
            ctes: std::mem::replace(&mut self.ctes, other.ctes),
            windows: std::mem::replace(&mut self.windows, other.windows),
            expansions: std::mem::replace(&mut self.expansions, other.expansions),
            path: std::mem::replace(&mut self.path, other.path),
            frame: std::mem::replace(&mut self.frame, other.frame),
            owner: std::mem::replace(&mut self.owner, other.owner),
            asker: std::mem::replace(&mut self.asker, other.asker),
        }
    }

    fn is_ours(call: &Call) -> bool {
        let mut known = crate::functions::candidates(&call.name.name, crate::functions::Kind::Function);
        call.name.schema.is_none() && known.next().is_some()
    }

    /// The declared functions of a name; of those that take the same, the one whose schema comes first on the path.
    pub(super) fn declared(&self, schema: Option<&str>, name: &str) -> Vec<usize> {
        let in_schema = |schema: &str| -> Vec<usize> {
            let name = Name::new(schema, name);
            let functions = self.catalog.functions.iter().enumerate();
            functions.filter(|(_, function)| function.name == name).map(|(at, _)| at).collect()
        };
        match schema {
            Some(schema) => in_schema(schema),
            None => {
                let mut found: Vec<usize> = Vec::new();
                let takes = |at: usize| self.catalog.functions[at].input_types();
                for schema in self.path.iter().filter(|schema| self.may_use(schema)) {
                    let further = in_schema(schema).into_iter();
                    let further: Vec<usize> = further
                        .filter(|at| !found.iter().any(|known| takes(*known).eq(takes(*at))))
                        .collect();
                    found.extend(further);
                }
                found
            }
        }
    }

    /// A parameter's default, which sees nothing of the query around the call.
    pub(super) fn constant_default(&mut self, default: &ast::Expr) -> Result<Expr> {
        let before = self.apart();
        self.levels.push(Level::default());
        let resolved = self.expr(default);
        self.back(before);
        resolved
    }

    /// Arguments that are computed once for each call, in a row of their own: they belong to the caller and not to the body.
    fn computed_once(&mut self, args: Vec<Expr>) -> (Option<Source>, Vec<Expr>) {
        let id = self.ids.fresh();
        let column = |(arg, at): (&Expr, u16)| Expr::Column {
            source: id,
            column: catalog::ColumnId(at),
            ty: arg.ty(),
        };
        let columns = args.iter().zip(0..).map(column).collect();
        (Some(Source::Values { id, rows: vec![args] }), columns)
    }

    /// The value of a body: that of its first row, null without one.
    pub(super) fn value_of(&mut self, at: usize, args: Vec<Expr>) -> Result<Expr> {
        if self.is_interpreted(at)? {
            return self.interpreted_value(at, args);
        }
        let function = self.instance(at, &args)?;
        let function = &*function;
        let fields = match &function.returns {
            Type::Opaque(_) | Type::Void => return Err(unsupported(function, "")),
            Type::Composite(name) => {
                Some(self.catalog.fields(name).ok_or_else(|| unsupported(function, ""))?)
            }
            _ => None,
        };
        let mut read = self.body_of(at, args)?;
        if let Some(fields) = fields.filter(|fields| read.outputs.len() == fields.len())
            && read.outputs.first().is_none_or(|output| output.expr.ty() != function.returns)
        {
            let row = self.as_row(&read, fields, function)?;
            read.outputs = vec![row];
        }
        let [output] = &mut read.outputs[..] else { return Err(mismatch(function)) };
        output.expr = self.returned(output.expr.clone(), &function.returns, function)?;
        if let Some(domain) = &function.domain {
            output.expr = self.in_domain(output.expr.clone(), domain)?;
        }
        let is_many = read.value().is_none();
        read.called = Some(FunctionId(at));
        if !is_many {
            return Ok(Expr::Subquery(Box::new(Subquery::Scalar(read))));
        }
        if read.limit.is_some() {
            read = self.around(read);
        }
        read.limit = Some(Expr::Const { value: Value::Int(1), ty: Type::Int8 });
        Ok(Expr::Subquery(Box::new(Subquery::Scalar(read))))
    }

    /// The outputs of a body as one row of the type that its function returns.
    fn as_row(&mut self, read: &Read, fields: Vec<Field>, function: &Function) -> Result<Output> {
        let mut args = Vec::with_capacity(fields.len());
        for (output, field) in read.outputs.iter().zip(&fields) {
            args.push(self.returned_field(&read.from, &output.expr, field, function)?);
        }
        let names: Arc<[_]> = fields.into_iter().map(|field| field.name).collect();
        let expr = Expr::Form { form: Form::Record(names), args, ty: function.returns.clone() };
        Ok(Output { name: function.name.name.clone(), expr })
    }

    /// What a body says, as a field of the rows that its function returns.
    pub(super) fn returned_field(
        &mut self,
        from: &Source,
        expr: &Expr,
        field: &Field,
        function: &Function,
    ) -> Result<Expr> {
        let mut value = self.returned(expr.clone(), &field.ty, function)?;
        // A column that is declared alike has such values.
        let is_alike = expr.ty() == field.ty;
        if !is_alike || self.modifier_of(from, expr) != field.modifier {
            value = self.bounded(value, field)?;
        }
        match &field.domain {
            Some(domain) if !is_alike || self.domain_of(from, expr).as_ref() != Some(domain) => {
                self.in_domain(value, domain)
            }
            Some(_) | None => Ok(value),
        }
    }

    /// Whether a domain refuses some values of its base type.
    pub(super) fn is_constrained(&self, domain: &Name) -> bool {
        self.catalog.domains.get(domain).is_some_and(|domain| domain.not_null || !domain.checks.is_empty())
    }

    /// A value of a domain: what its constraints refuse is an error.
    pub(super) fn in_domain(&mut self, value: Expr, domain: &Name) -> Result<Expr> {
        if !self.is_constrained(domain) {
            return Ok(value);
        }
        let Some(domain) = self.catalog.domains.get(domain) else { return Ok(value) };
        let (source, value) = if is_simple(&value) {
            (None, value)
        } else {
            let (source, mut values) = self.computed_once(vec![value]);
            (source, values.remove(0))
        };
        let ty = value.ty();
        let before = self.apart();
        self.levels.push(Level::of(Relation::of_columns("", vec![("value".into(), value.clone())])));
        let checks = domain.checks.iter().map(|check| self.boolean(&check.expr, "CHECK"));
        let checks = checks.collect::<Result<Vec<_>>>();
        self.back(before);
        let mut args = vec![value];
        args.extend(checks?);
        let test = DomainTest {
            name: domain.name.name.clone(),
            not_null: domain.not_null,
            checks: domain.checks.iter().map(|check| check.name.clone()).collect(),
        };
        let expr = Expr::Form { form: Form::Domain(Arc::new(test)), args, ty };
        Ok(match source {
            None => expr,
            Some(source) => {
                let mut read = Read::from(source);
                read.outputs.push(Output { name: "value".into(), expr });
                Expr::Subquery(Box::new(Subquery::Scalar(read)))
            }
        })
    }

    /// A read of all that another says.
    pub(super) fn around(&mut self, inner: Read) -> Read {
        let id = self.ids.fresh();
        let outputs = Relation::of_outputs("", &inner.outputs, id).columns;
        let mut read = Read::from(Source::Read { id, read: Box::new(inner), view: None });
        read.outputs = outputs.into_iter().map(|(name, expr)| Output { name, expr }).collect();
        read
    }

    /// The body of a function, read with what its parameters stand for.
    pub(super) fn body_of(&mut self, at: usize, args: Vec<Expr>) -> Result<Read> {
        let function = &self.catalog.functions[at];
        let query = match &parsed(function)?[..] {
            [StatementKind::Query(query)] => query.clone(),
            _ => return Err(unsupported(function, "of more than one select")),
        };
        let given = columns_in(&args);
        let mut read = self.inside(at, args, |resolver| resolver.query(&query))?;
        read.given.extend(given);
        Ok(read)
    }

    /// Reads something of a function's body, with what its parameters stand for.
    pub(super) fn inside<T>(
        &mut self,
        at: usize,
        args: Vec<Expr>,
        inner: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let function = &self.catalog.functions[at];
        refuse(function, self.catalog)?;
        if self.open.contains(&at) {
            return Err(unsupported(function, "by itself"));
        }
        self.bodies += 1;
        if self.bodies > BODIES_MAX {
            return Err(Error::new(Code::TOO_COMPLEX, "functions are nested too deeply"));
        }
        // A body without a path of its own has the one of whoever calls.
        let base = if self.frame.is_some() { &self.path } else { &self.base };
        let path = path(function, base)?;
        let surroundings = self.apart();
        self.frame = Some(Frame { function: at, args });
        self.path = path;
        if function.security_definer {
            self.owner = Some(function.owner.clone());
            self.asker = self.asker.is_some().then(|| self.catalog.memberships(&function.owner).into());
        }
        self.open.push(at);
        let found = inner(self);
        self.open.pop();
        self.back(surroundings);
        found.map_err(|error| match error.code() {
            Code::FEATURE_NOT_SUPPORTED if error.details().is_none() => {
                error.with_details(format!("It is needed by function {}.", function.signature()))
            }
            _ => error,
        })
    }

    /// The columns of a set's rows.
    pub(super) fn result_columns(&self, function: &Function) -> Result<Vec<(Arc<str>, Type)>> {
        let fields = self.result_fields(function)?;
        Ok(fields.into_iter().map(|field| (field.name, field.ty)).collect())
    }

    /// The same with what bounds them.
    pub(super) fn result_fields(&self, function: &Function) -> Result<Vec<Field>> {
        let outputs: Vec<&Argument> =
            function.arguments.iter().filter(|argument| argument.is_output()).collect();
        if !outputs.is_empty() {
            let column = |argument: &&Argument| {
                Field::of(argument.name.clone().unwrap_or_else(|| "column".into()), argument.ty.clone())
            };
            return Ok(outputs.iter().map(column).collect());
        }
        match &function.returns {
            Type::Composite(name) => self.catalog.fields(name).ok_or_else(|| unsupported(function, "")),
            Type::Opaque(name) if &*name.name == "record" => Err(unsupported(function, "")),
            Type::Void => Err(unsupported(function, "")),
            ty => Ok(vec![Field::of(function.name.name.clone(), ty.clone())]),
        }
    }

    /// What a body says, as the function's result type.
    pub(super) fn returned(&self, expr: Expr, to: &Type, function: &Function) -> Result<Expr> {
        let from = expr.ty();
        if from == *to {
            return Ok(expr);
        }
        if cast::context(&from, to).is_some_and(|context| context >= Context::Assignment) {
            return Ok(Expr::Cast { expr: Box::new(expr), ty: to.clone(), modifier: None, explicit: false });
        }
        Err(mismatch(function))
    }

    /// An expression of which nothing is authorized, because it is computed of one row as it is written: calls become what
    /// they say, where everybody may call and nothing is read.
    pub(super) fn without_calls(&self, expr: &mut Expr) -> Result<()> {
        for operand in visit::operands_mut(expr) {
            self.without_calls(operand)?;
        }
        let Expr::Subquery(subquery) = expr else { return Ok(()) };
        let Subquery::Scalar(read) = &mut **subquery else { return Ok(()) };
        let Some(FunctionId(at)) = read.called else { return Ok(()) };
        let function = &self.catalog.functions[at];
        if !self.catalog.allows_function(&["public".into()], function) {
            return Err(unsupported(function, "here, which not everybody may call,"));
        }
        read.called = None;
        match read.value().cloned() {
            Some(mut value) => {
                self.without_calls(&mut value)?;
                *expr = value;
                Ok(())
            }
            None => Err(unsupported(function, "here, which reads rows,")),
        }
    }
}

/// Whether a body is one select that can be read in place of a call.
fn is_readable(function: &Function, catalog: &catalog::Catalog) -> bool {
    let is_path =
        |(name, value): &(Arc<str>, Arc<str>)| &**name == "search_path" && &**value != "from current";
    let changes = |query: &ast::Query| {
        let mut ctes = query.with.iter().flat_map(|with| &with.ctes);
        ctes.any(|cte| !matches!(*cte.body, StatementKind::Query(_)))
    };
    function.language == Language::Sql
        && function.returns != Type::Void
        && function.settings.iter().all(is_path)
        && refuse(function, catalog).is_ok()
        && matches!(parsed(function).as_deref(), Ok([StatementKind::Query(query)]) if !changes(query))
}

/// The parameters that a caller passes.
pub(super) fn inputs(function: &Function) -> impl Iterator<Item = &Argument> {
    function.arguments.iter().filter(|argument| argument.is_input())
}

/// Whether an argument may stand wherever the parameter does, any number of times.
pub(super) fn is_simple(arg: &Expr) -> bool {
    let mut simple = !visit::may_raise(arg);
    visit::deep(arg, &mut |inner| match inner {
        Expr::Subquery(_) | Expr::Call(_) | Expr::Aggregate { .. } | Expr::Window { .. } => simple = false,
        Expr::Apply { function, .. } => simple &= function.volatility != Effect::Volatile,
        Expr::Form { form: Form::Native(_), .. } => simple = false,
        Expr::Column { .. }
        | Expr::Const { .. }
        | Expr::Param { .. }
        | Expr::Caller(_)
        | Expr::Form { .. }
        | Expr::Cast { .. }
        | Expr::Case { .. } => {}
    });
    simple
}

fn any_null(args: &[Expr]) -> Option<Expr> {
    // A row is not null, whatever its fields are.
    let values = args.iter().filter(|arg| row_fields(arg).is_none());
    let tests: Vec<Expr> = values.map(|arg| Expr::test(Form::IsNull, vec![arg.clone()])).collect();
    (!tests.is_empty()).then(|| Expr::test(Form::Or, tests))
}

/// Refuses what is not a body that can stand in place of the call.
fn refuse(function: &Function, catalog: &catalog::Catalog) -> Result<()> {
    if function.language != Language::Sql {
        return Err(unsupported(function, ""));
    }
    let columns = function.arguments.iter().filter(|argument| !argument.is_input());
    let domains = columns.filter_map(|argument| argument.domain.as_ref());
    let of_rows = function.domain.iter().filter(|_| function.returns_set);
    for domain in domains.chain(of_rows).filter_map(|domain| catalog.domains.get(domain)) {
        if domain.not_null || !domain.checks.is_empty() {
            let what = format!("a value of domain {} in function {}", domain.name, function.name);
            return Err(Error::missing(what));
        }
    }
    Ok(())
}

/// Where the body's names are looked for.
fn path(function: &Function, base: &[Arc<str>]) -> Result<Vec<Arc<str>>> {
    let mut path = base.to_vec();
    for (name, value) in &function.settings {
        if &**name != "search_path" || &**value == "from current" {
            return Err(unsupported(function, &format!("with its setting of {name}")));
        }
        path = catalog::search_path(value);
    }
    Ok(path)
}

/// The statements of a body in `language sql`.
///
/// # Errors
/// `0A000` for bodies in other languages, and for what is not understood.
pub fn parsed(function: &Function) -> Result<Arc<[StatementKind]>> {
    let language = match &function.language {
        Language::Sql => None,
        Language::PlPgSql => Some("plpgsql"),
        Language::Other(name) => Some(&**name),
    };
    if let Some(language) = language {
        return Err(unsupported(function, "").with_details(format!("It is written in {language}.")));
    }
    function.statements().ok_or_else(|| unsupported(function, "with a body that is not understood"))
}

pub(super) fn unsupported(function: &Function, how: &str) -> Error {
    let space = if how.is_empty() { "" } else { " " };
    Error::missing(format!("calling function {}(){space}{how}", function.name))
}

pub(super) fn mismatch(function: &Function) -> Error {
    let ty = format_type(&function.returns, None);
    Error::new(
        Code::INVALID_FUNCTION_DEFINITION,
        format!("return type mismatch in function declared to return {ty}"),
    )
}

/// The columns that arguments name.
fn columns_in(args: &[Expr]) -> Vec<Expr> {
    let mut columns: Vec<Expr> = Vec::new();
    for arg in args {
        visit::deep(arg, &mut |expr| {
            let Expr::Column { source, column, .. } = expr else { return };
            let is_it = |known: &Expr| matches!(known, Expr::Column { source: of, column: at, .. } if of == source && at == column);
            if !columns.iter().any(is_it) {
                columns.push(expr.clone());
            }
        });
    }
    columns
}
