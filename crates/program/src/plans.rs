//! Bodies that were read, and what was planned of their statements: once for a statement, role and the shapes of its records.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use catalog::{Catalog, Function, Language, ReferentialAction};
use query::functions::is_polymorphic;
use query::resolve::{
    NameConflict, Surroundings, bound_call, bound_expr, bound_rows, bound_statement, domain_value,
    parsed_body,
};
use query::{
    Action, Expr, FunctionId, Model, Output, Plan, Query, Read, Source, Step, Write, authorize, constants,
    plan, visit,
};
use sql::ast::{self, StatementKind};
use sql::body::{self, Body};
use types::{Code, Error, Name, Result, Type, Value};

use crate::asks::asks;
use crate::context::{OF_SQL, Told, misread, reads_functions};
use crate::dynamic::Arguments;
use crate::environment::Environment;
use crate::host::Host;
use crate::names::{Names, Used};

/// Most functions whose bodies are kept, for each path that they were called with.
const PROGRAMS_MAX: usize = 10_000;

/// Most plans that are kept of one body.
const PLANS_MAX: usize = 2_000;

/// Most texts that were made whose plans are kept of one body, and how long they may be.
const MADE_MAX: usize = 200;
const MADE_BYTES_MAX: usize = 4096;

/// Most shapes of records that one statement is planned for.
const SHAPES_MAX: usize = 4;

/// The bodies of a model's functions, read when they are called first.
#[derive(Debug, Default)]
pub struct Programs {
    known: Mutex<HashMap<Called, Arc<Program>>>,
    domains: Mutex<HashMap<Name, Arc<Expr>>>,
}

/// A function, the path that it is called with, and the types of the arguments of one that is polymorphic.
type Called = (usize, Arc<[Arc<str>]>, Vec<Type>);

/// The statements of a body.
#[derive(Debug)]
pub(crate) enum Text {
    /// A block.
    Block(Body),
    /// Statements of SQL: the rows of the last one are the result.
    Statements(Arc<[StatementKind]>),
}

/// A body that was read.
#[derive(Debug)]
pub(crate) struct Program {
    body: Result<Text>,
    /// Where what is not understood stands.
    complaint: u32,
    /// What is told of it where it stands.
    pub(crate) told: Told,
    conflict: NameConflict,
    path: Arc<[Arc<str>]>,
    plans: Mutex<HashMap<Key, Vec<Arc<Planned>>>>,
    /// What stands for statements of the body, by where these lie in memory.
    rewritten: Mutex<HashMap<usize, Arc<StatementKind>>>,
    /// What was planned of texts that were made.
    made: Mutex<HashMap<Made, Arc<Planned>>>,
}

/// A text that was made, the types of its parameters, a role, a zone, a path, and how often something was declared before.
type Made = (String, Vec<Type>, Arc<str>, Arc<str>, Arc<[Arc<str>]>, u64);

fn made_key(text: &str, arguments: &Arguments, host: &dyn Host) -> Made {
    (
        text.to_owned(),
        arguments.types(),
        host.caller().role.clone(),
        host.session().zone.clone(),
        host.path().clone(),
        host.declarations(),
    )
}

/// A statement of a body (where its tree lies in memory, which it does not leave) under a role and in a time zone, in which its
/// literals were read, and how often something was declared before.
type Key = (usize, Arc<str>, Arc<str>, u64);

fn key(address: usize, host: &dyn Host) -> Key {
    (address, host.caller().role.clone(), host.session().zone.clone(), host.declarations())
}

/// A statement or expression, ready to run.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) what: What,
    used: Used,
    /// Names and types of its rows.
    pub(crate) outputs: Vec<(Arc<str>, Type)>,
    /// Whether its rows are counted.
    pub(crate) is_counted: bool,
    /// Whether functions of `language sql` are read in place of their calls.
    reads_functions: bool,
}

/// What is ready.
#[derive(Debug)]
pub(crate) enum What {
    /// An expression that needs no table.
    Value(Expr),
    /// Everything else.
    Plan {
        /// The plan.
        plan: Plan,
        /// The word of a change: `INSERT`, …
        change: Option<&'static str>,
        /// Whether its rows are those of a select after the change.
        selects: bool,
    },
}

impl Planned {
    /// The expression, where it is one.
    pub(crate) fn value(&self) -> Option<&Expr> {
        match &self.what {
            What::Value(expr) => Some(expr),
            What::Plan { plan, .. } => only_read(plan)?.value(),
        }
    }

    /// The word of a change that returns no rows.
    pub(crate) fn change_without_rows(&self) -> Option<&'static str> {
        match &self.what {
            What::Plan { change, .. } if self.outputs.is_empty() => *change,
            What::Plan { .. } | What::Value(_) => None,
        }
    }

    /// Whether it names variables.
    pub(crate) fn has_parameters(&self) -> bool {
        !self.used.is_empty()
    }

    /// The temporary tables that it names.
    pub(crate) fn temporaries(&self) -> &[Arc<str>] {
        &self.used.temporaries
    }

    /// The variables that it names, and the fields of them.
    pub(crate) fn named(&self) -> impl Iterator<Item = (usize, Option<usize>)> {
        self.used.named()
    }

    /// An error of its run, as far as it is known where it was raised.
    pub(crate) fn failed(&self, error: Error, model: &Model) -> Error {
        let context = error.context();
        let is_own = context.lines.is_empty() && context.untold.is_none();
        let is_of_rows = error.state().starts_with("23") || error.code() == Code::PRIVILEGE;
        if self.reads_functions && !(is_own && is_of_rows) {
            return error.without_context(OF_SQL);
        }
        match &self.what {
            What::Plan { plan, .. } if is_own && is_of_rows && carries_on(plan, model) => {
                error.without_context("what foreign keys do to other rows")
            }
            What::Plan { .. } | What::Value(_) => error,
        }
    }

    /// The values of its parameters.
    pub(crate) fn values(&self, environment: &Environment) -> Result<Vec<Value>> {
        self.used.values(environment)
    }
}

impl Programs {
    /// The body of a function that is called with a path.
    pub(crate) fn of(
        &self,
        (id, declared): (FunctionId, &Function),
        function: &Function,
        path: &Arc<[Arc<str>]>,
        catalog: &Catalog,
    ) -> Arc<Program> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let is_one = declared.input_types().all(|ty| !is_polymorphic(ty));
        let types = if is_one { Vec::new() } else { function.input_types().cloned().collect() };
        let key = (id.0, path.clone(), types);
        if let Some(program) = known.get(&key) {
            return program.clone();
        }
        if known.len() >= PROGRAMS_MAX {
            known.clear();
        }
        let program = Arc::new(Program::of(function, path.clone(), catalog));
        known.insert(key, program.clone());
        program
    }

    /// The first parameter as a value of a domain: what its constraints refuse is an error.
    pub(crate) fn domain(&self, catalog: &Catalog, name: &Name) -> Result<Arc<Expr>> {
        let mut known = self.domains.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(test) = known.get(name) {
            return Ok(test.clone());
        }
        let test = Arc::new(domain_value(catalog, name)?);
        if !is_computed(&test) {
            return Err(Error::missing(format!("a variable of domain {name}, whose checks call functions")));
        }
        known.insert(name.clone(), test.clone());
        Ok(test)
    }
}

/// What a text in PL/pgSQL says, and where what is not understood stands.
fn block(function: &Function) -> (Result<Text>, u32) {
    match sql::parse_body(&function.body) {
        Ok(body) => (Ok(Text::Block(body)), 0),
        Err(complaint) => {
            let at = complaint.span.start;
            let (line, _) = sql::line_column(&function.body, at);
            let details = format!("In line {line} of function {}.", function.signature());
            (Err(Error::new(Code::SYNTAX, complaint.message).with_details(details)), at)
        }
    }
}

impl Program {
    pub(crate) fn of(function: &Function, path: Arc<[Arc<str>]>, catalog: &Catalog) -> Program {
        let (body, complaint) = match function.language {
            Language::Sql => (parsed_body(function).map(Text::Statements), 0),
            Language::PlPgSql | Language::Other(_) => block(function),
        };
        let told = Told::of(function, &body, &path, catalog);
        Program::read((body, complaint), told, path)
    }

    /// That of a block that nobody can call.
    pub(crate) fn of_block(function: &Function, path: Arc<[Arc<str>]>) -> Program {
        Program::read(block(function), Told::of_block(function), path)
    }

    fn read((body, complaint): (Result<Text>, u32), told: Told, path: Arc<[Arc<str>]>) -> Program {
        let conflict = match &body {
            // A column hides a parameter of its name (38.5.1).
            Ok(Text::Statements(_)) => NameConflict::Column,
            Ok(Text::Block(Body { conflict: Some(body::NameConflict::UseColumn), .. })) => {
                NameConflict::Column
            }
            Ok(Text::Block(Body { conflict: Some(body::NameConflict::UseVariable), .. })) => {
                NameConflict::Variable
            }
            Ok(Text::Block(_)) | Err(_) => NameConflict::Refused,
        };
        Program {
            body,
            complaint,
            told,
            conflict,
            path,
            plans: Mutex::default(),
            rewritten: Mutex::default(),
            made: Mutex::default(),
        }
    }

    /// The body.
    ///
    /// # Errors
    /// `42601` for one that is not understood.
    pub(crate) fn body(&self) -> Result<&Text> {
        self.body.as_ref().map_err(Clone::clone)
    }

    /// Whether a statement is about the row at which a cursor stands.
    pub(crate) fn names_current(&self) -> bool {
        matches!(&self.body, Ok(Text::Block(Body { names_current: true, .. })))
    }

    /// Whether errors of `into strict` say what the query's variables held.
    pub(crate) fn says_strict_parameters(&self) -> bool {
        matches!(&self.body, Ok(Text::Block(Body { says_strict_parameters: true, .. })))
    }

    /// What stands for a statement of the body: it is made once.
    pub(crate) fn rewritten(
        &self,
        statement: &StatementKind,
        make: impl FnOnce() -> StatementKind,
    ) -> Arc<StatementKind> {
        let mut known = self.rewritten.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(std::ptr::from_ref(statement).addr()).or_insert_with(|| Arc::new(make())).clone()
    }

    /// The byte where what is not understood stands.
    pub(crate) fn complaint(&self) -> u32 {
        self.complaint
    }

    /// Where its names are looked for.
    pub(crate) fn path(&self) -> &Arc<[Arc<str>]> {
        &self.path
    }

    fn plans(&self) -> MutexGuard<'_, HashMap<Key, Vec<Arc<Planned>>>> {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept(
        &self,
        key: Key,
        (environment, host): (&Environment, &dyn Host),
        make: impl FnOnce() -> Result<Planned>,
    ) -> Result<Arc<Planned>> {
        if **host.path() != *self.path {
            // Somebody has set another path since the body began.
            return make().map(Arc::new);
        }
        let fits = |planned: &&Arc<Planned>| planned.used.fits(environment);
        if let Some(planned) = self.plans().get(&key).and_then(|known| known.iter().find(fits)).cloned() {
            return Ok(planned);
        }
        let planned = Arc::new(make()?);
        if planned.used.is_of_moment() {
            return Ok(planned);
        }
        let mut plans = self.plans();
        if plans.len() >= PLANS_MAX {
            plans.clear();
        }
        let variants = plans.entry(key).or_default();
        if variants.len() >= SHAPES_MAX {
            variants.remove(0);
        }
        variants.push(planned.clone());
        Ok(planned)
    }

    /// What is known of a text that was made.
    pub(crate) fn made(&self, text: &str, arguments: &Arguments, host: &dyn Host) -> Option<Arc<Planned>> {
        if text.len() > MADE_BYTES_MAX {
            return None;
        }
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.get(&made_key(text, arguments, host)).cloned()
    }

    /// Keeps what was planned of a text.
    pub(crate) fn keep_made(
        &self,
        text: &str,
        arguments: &Arguments,
        host: &dyn Host,
        planned: &Arc<Planned>,
    ) {
        if text.len() > MADE_BYTES_MAX || !arguments.are_all() || planned.used.is_of_moment() {
            return;
        }
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.len() >= MADE_MAX {
            made.clear();
        }
        made.insert(made_key(text, arguments, host), planned.clone());
    }

    /// A statement about rows; at most so many rows of it are wanted.
    pub(crate) fn statement(
        &self,
        statement: &StatementKind,
        rows_wanted: Option<i64>,
        environment: &Environment,
        host: &dyn Host,
    ) -> Result<Arc<Planned>> {
        let key = key(std::ptr::from_ref(statement).addr(), host);
        self.kept(key, (environment, host), || {
            resolved(Wanted { path: host.path(), conflict: self.conflict, environment, host }, |around| {
                let mut query = bound_statement(around, statement)?;
                if let (Query::Read(read), Some(most)) = (&mut query, rows_wanted)
                    && read.limit.is_none()
                {
                    read.limit = Some(Expr::Const { value: Value::Int(most), ty: Type::Int8 });
                }
                Ok(query)
            })
        })
    }

    /// A query whose rows are wanted.
    pub(crate) fn query(
        &self,
        query: &ast::Query,
        environment: &Environment,
        host: &dyn Host,
    ) -> Result<Arc<Planned>> {
        let key = key(std::ptr::from_ref(query).addr(), host);
        let statement = StatementKind::Query(query.clone());
        self.kept(key, (environment, host), || {
            resolved(Wanted { path: host.path(), conflict: self.conflict, environment, host }, |around| {
                bound_statement(around, &statement)
            })
        })
    }

    /// A call of a procedure.
    pub(crate) fn call(
        &self,
        call: &ast::Call,
        environment: &Environment,
        host: &dyn Host,
    ) -> Result<Arc<Planned>> {
        let key = key(std::ptr::from_ref(call).addr(), host);
        self.kept(key, (environment, host), || {
            resolved(Wanted { path: host.path(), conflict: self.conflict, environment, host }, |around| {
                bound_call(around, call)
            })
        })
    }

    /// An expression as text.
    pub(crate) fn text(
        &self,
        expr: &ast::Expr,
        environment: &Environment,
        host: &dyn Host,
    ) -> Result<Arc<Planned>> {
        // Where the expression itself stands, which is elsewhere than what it says.
        let key = key(std::ptr::from_ref(expr).addr(), host);
        self.kept(key, (environment, host), || {
            let name = ast::ObjectName { schema: None, name: "text".to_owned(), span: expr.span };
            let ty =
                ast::TypeName { name, modifiers: Vec::new(), array_dims: 0, setof: false, of_column: None };
            let kind = Box::new(ast::ExprKind::Cast { expr: expr.clone(), ty });
            let wanted = Wanted { path: host.path(), conflict: self.conflict, environment, host };
            value(wanted, &ast::Expr { kind, span: expr.span })
        })
    }

    /// An expression.
    pub(crate) fn expr(
        &self,
        expr: &ast::Expr,
        environment: &Environment,
        host: &dyn Host,
    ) -> Result<Arc<Planned>> {
        let key = key(std::ptr::from_ref(&*expr.kind).addr(), host);
        self.kept(key, (environment, host), || {
            value(Wanted { path: host.path(), conflict: self.conflict, environment, host }, expr)
        })
    }
}

/// In what something is resolved.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) path: &'a [Arc<str>],
    pub(crate) conflict: NameConflict,
    pub(crate) environment: &'a Environment,
    pub(crate) host: &'a dyn Host,
}

impl Wanted<'_> {
    fn catalog(&self) -> &Catalog {
        &self.host.model().catalog
    }
}

/// A query, resolved and held to the rights of the caller.
pub(crate) fn resolved(
    wanted: Wanted<'_>,
    resolve: impl FnOnce(&Surroundings<'_>) -> Result<Query>,
) -> Result<Planned> {
    let names = Names::new(wanted.environment, wanted.conflict, wanted.host);
    let around = Surroundings {
        catalog: wanted.catalog(),
        path: wanted.path,
        role: &wanted.host.caller().role,
        session: wanted.host.session(),
        variables: &names,
    };
    let query = resolve(&around).map_err(misread)?;
    let reads_functions = reads_functions(&query);
    constants::refused(&query, &|expr| wanted.host.compute(expr, &[]))?;
    let used = names.used();
    let (change, selects) = match &query {
        Query::Read(_) => (None, true),
        Query::Write(write) => (Some(write.action.word()), write.is_read_whole),
    };
    let outputs = outputs(&query);
    let plan = permitted(query, wanted.host)?;
    let what = What::Plan { plan, change, selects };
    Ok(Planned { what, used, outputs, is_counted: true, reads_functions })
}

/// An expression, resolved.
pub(crate) fn value(wanted: Wanted<'_>, expr: &ast::Expr) -> Result<Planned> {
    let names = Names::new(wanted.environment, wanted.conflict, wanted.host);
    let is_counted = asks(expr);
    let around = Surroundings {
        catalog: wanted.catalog(),
        path: wanted.path,
        role: &wanted.host.caller().role,
        session: wanted.host.session(),
        variables: &names,
    };
    let expr = match bound_expr(&around, expr) {
        // `(regexp_matches(…))[1]` is what the select says that it is written in.
        Err(error) if error.message().starts_with("set-returning function") => {
            return resolved(wanted, |around| bound_rows(around, expr));
        }
        found => found.map_err(misread)?,
    };
    constants::refused_in(&expr, &|expr| wanted.host.compute(expr, &[]))?;
    let used = names.used();
    let outputs = vec![("value".into(), expr.ty())];
    if is_computed(&expr) {
        let what = What::Value(expr);
        return Ok(Planned { what, used, outputs, is_counted, reads_functions: false });
    }
    let output = Output { name: "value".into(), expr };
    let read = Read { outputs: vec![output], ..Read::from(Source::Unit) };
    let query = Query::Read(read);
    let reads_functions = reads_functions(&query);
    let what = What::Plan { plan: permitted(query, wanted.host)?, change: None, selects: true };
    Ok(Planned { what, used, outputs, is_counted, reads_functions })
}

fn permitted(query: Query, host: &dyn Host) -> Result<Plan> {
    let model = host.model();
    plan(vec![authorize(query, host.caller(), model, host.limits())?], model)
}

/// Whether an expression needs neither tables nor functions that are interpreted.
fn is_computed(expr: &Expr) -> bool {
    let own = !matches!(
        expr,
        Expr::Subquery(_)
            | Expr::Call(_)
            | Expr::Aggregate { .. }
            | Expr::Window { .. }
            | Expr::Form { form: query::Form::Native(_), .. }
    );
    own && visit::operands(expr).into_iter().all(is_computed)
}

fn outputs(query: &Query) -> Vec<(Arc<str>, Type)> {
    let read = match query {
        Query::Read(read) => Some(read),
        Query::Write(write) => returning(write),
    };
    let outputs = read.into_iter().flat_map(|read| &read.outputs);
    outputs.map(|output| (output.name.clone(), output.expr.ty())).collect()
}

fn returning(write: &Write) -> Option<&Read> {
    write.returning.as_ref()
}

/// Whether foreign keys do something to other rows where this plan changes some.
fn carries_on(plan: &Plan, model: &Model) -> bool {
    let carries = |write: &Write| {
        let name = &model.catalog[write.table].name;
        let mut keys = model.catalog.tables.iter().flat_map(|table| &table.foreign_keys);
        let acts = |action: &ReferentialAction| {
            !matches!(action, ReferentialAction::NoAction | ReferentialAction::Restrict)
        };
        !matches!(write.action, Action::Insert(_))
            && keys.any(|key| key.target == *name && (acts(&key.on_delete) || acts(&key.on_update)))
    };
    plan.steps().iter().any(|step| matches!(step, Step::Store(write) if carries(write)))
}

/// The read of a plan that only reads.
pub(crate) fn only_read(plan: &Plan) -> Option<&Read> {
    match plan.steps() {
        [Step::Fetch(read)] => Some(read),
        _ => None,
    }
}
