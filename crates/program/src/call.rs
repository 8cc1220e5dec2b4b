//! Calls: arguments to variables, rights and settings, the result.

use catalog::{Argument, Function, Language};
use query::FunctionId;
use query::functions::instance;
use sql::ast::ArgumentMode;
use types::{Code, Error, Field, Result, Type, Value};

use crate::environment::{Environment, Kind, Shape, Variable, shape_of};
use crate::host::Host;
use crate::interpret::{Frame, Results};
use crate::settings;

/// What a call returned.
#[derive(Clone, Debug)]
pub enum Returned {
    /// One value; of a function of rows a row or null.
    Value(Value),
    /// The rows of a set.
    Rows(Vec<Vec<Value>>),
}

impl Returned {
    /// The rows in `from`: of one value one row, of a row its fields.
    pub fn into_rows(self, columns: usize) -> Vec<Vec<Value>> {
        match self {
            Returned::Rows(rows) => rows,
            Returned::Value(Value::Row(fields)) if columns == fields.len() => vec![fields.to_vec()],
            Returned::Value(Value::Null) => vec![vec![Value::Null; columns]],
            Returned::Value(value) => vec![vec![value]],
        }
    }
}

/// Calls a function with a value for each of its parameters, which are of these types: what a polymorphic function is, they say.
///
/// # Errors
/// What the function raises; `42601` and `0A000` for bodies that cannot run.
pub async fn call(host: &mut dyn Host, id: FunctionId, types: &[Type], args: Vec<Value>) -> Result<Returned> {
    let model = host.model().clone();
    let function = model.catalog.functions.get(id.0);
    let function = function.ok_or_else(|| Error::internal("a call of no function"))?;
    let function = &*instance(function, types)?;
    if function.returns_trigger {
        let message = "trigger functions can only be called as triggers";
        return Err(Error::new(Code::FEATURE_NOT_SUPPORTED, message));
    }
    if function.strict && args.iter().any(Value::is_null) {
        return Ok(if function.returns_set {
            Returned::Rows(Vec::new())
        } else {
            Returned::Value(Value::Null)
        });
    }
    let environment = environment(host, function, args)?;
    let results = within(host, id, function, environment).await?;
    Ok(match results {
        Results { rows, .. } if function.returns_set => Returned::Rows(rows),
        // The value of no value is written as nothing.
        Results { value: None, .. } if is_void(function) => Returned::Value(Value::text("")),
        Results { value, .. } => Returned::Value(value.unwrap_or(Value::Null)),
    })
}

fn is_void(function: &Function) -> bool {
    function.returns == Type::Void && function.language == Language::PlPgSql && !function.procedure
}

/// Types of a call in an expression.
#[derive(Clone, Copy, Debug)]
pub struct Signature<'a> {
    /// What is given.
    pub arguments: &'a [Type],
    /// What is wanted; of a function of rows `json` has them all, each as an object.
    pub result: &'a Type,
}

/// Calls a function as an expression does: a row is the JSON object that it is kept as.
///
/// # Errors
/// As [`call`]; `XX000` for a function of sets where one value is wanted.
pub async fn value(
    host: &mut dyn Host,
    id: FunctionId,
    signature: Signature<'_>,
    args: Vec<Value>,
) -> Result<Value> {
    let returned = call(host, id, signature.arguments, args).await?;
    let model = host.model().clone();
    let shape = || {
        let function = model.catalog.functions.get(id.0);
        let function = function.and_then(|function| instance(function, signature.arguments).ok());
        let shape = function.and_then(|function| result_shape(host, &function));
        shape.ok_or_else(|| Error::missing("a row of unknown fields as a value"))
    };
    match returned {
        Returned::Value(Value::Row(fields)) => crate::convert::kept(&fields, &shape()?, host.session()),
        Returned::Value(value) => Ok(value),
        Returned::Rows(rows) if *signature.result == Type::Json => {
            crate::convert::packed(&rows, &shape()?, host.session())
        }
        Returned::Rows(_) => Err(Error::internal("a set in place of a value")),
    }
}

/// Runs a body with its rights and settings.
pub(crate) async fn within(
    host: &mut dyn Host,
    id: FunctionId,
    function: &Function,
    environment: Environment,
) -> Result<Results> {
    if let Language::Other(_) = function.language {
        return Err(Error::missing(format!("calling function {}()", function.name)));
    }
    host.check()?;
    host.enter()?;
    let outcome = match settings::begin(function, host) {
        Ok(before) => {
            let model = host.model().clone();
            let declared = model.catalog.functions.get(id.0).unwrap_or(function);
            let program = host.programs().of((id, declared), function, host.path(), &model.catalog);
            let outcome = Frame::new(&program, function, environment, host).run().await;
            settings::end(before, host);
            outcome
        }
        Err(error) => Err(error),
    };
    host.leave();
    outcome
}

/// The parameters as variables, under the function's name.
pub(crate) fn environment(host: &dyn Host, function: &Function, args: Vec<Value>) -> Result<Environment> {
    let mut environment = Environment::default();
    environment.enter(Some(&function.name.name));
    let mut args = args.into_iter();
    for (position, argument) in function.arguments.iter().enumerate() {
        let mut variable = parameter(host, position, argument)?;
        if argument.is_input() {
            give(&mut variable, args.next().unwrap_or(Value::Null), host)?;
        }
        let slot = environment.declare(variable);
        let is_numbered = match function.language {
            Language::Sql => argument.is_input(),
            Language::PlPgSql | Language::Other(_) => argument.mode != ArgumentMode::Table,
        };
        if is_numbered {
            environment.positional.push(slot);
        }
    }
    environment.declare(Variable::scalar("found", Type::Bool, Value::Bool(false)));
    Ok(environment)
}

fn parameter(host: &dyn Host, position: usize, argument: &Argument) -> Result<Variable> {
    let catalog = &host.model().catalog;
    // A parameter without a name has a name that nobody can write.
    let name = argument.name.clone().unwrap_or_else(|| format!("${}", position + 1).into());
    let kind = match &argument.ty {
        Type::Composite(row) if &*row.name == "record" && &*row.schema == "pg_catalog" => Kind::Record,
        Type::Composite(row) => {
            let shape = shape_of(catalog, row);
            let shape = shape.ok_or_else(|| Error::missing(format!("a parameter of type {row}")))?;
            Kind::Row { name: row.clone(), shape }
        }
        ty => Kind::Scalar { ty: ty.clone(), modifier: None, domain: argument.domain.clone() },
    };
    Ok(Variable::new(name, kind))
}

/// Puts an argument into its variable.
fn give(variable: &mut Variable, value: Value, host: &dyn Host) -> Result<()> {
    use crate::environment::Held;
    variable.held = match (&variable.kind, value) {
        (Kind::Row { shape, .. }, value) => {
            let fields = crate::convert::fields(&value, shape, host.session())?;
            Held::Row(shape.clone(), fields)
        }
        (Kind::Record, _) => Held::Unassigned,
        (Kind::Scalar { .. } | Kind::Cursor { .. }, value) => Held::Scalar(value),
    };
    Ok(())
}

/// The columns of a function's rows; of a value the only one.
pub(crate) fn result_shape(host: &dyn Host, function: &Function) -> Option<Shape> {
    let field = |argument: &Argument| {
        Field::of(argument.name.clone().unwrap_or_else(|| "column".into()), argument.ty.clone())
    };
    let outputs: Vec<Field> =
        function.arguments.iter().filter(|argument| argument.is_output()).map(field).collect();
    if !outputs.is_empty() {
        return Some(outputs.into());
    }
    match &function.returns {
        Type::Composite(name) => shape_of(&host.model().catalog, name),
        ty => Some(vec![Field::of(function.name.name.clone(), ty.clone())].into()),
    }
}
