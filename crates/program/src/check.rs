//! What of the declared functions could not run: every statement of every body resolved, before anybody calls it.
//!
//! A record's fields are taken from the statement that assigns to it; what depends on more than the text is left to the call.

use std::sync::Arc;

use catalog::{Function, Trigger};
use query::{Expr, FunctionId, Model, Plan};
use types::{Error, Result, Value};

use crate::environment::Environment;
use crate::ground::{Ground, Grounded};
use crate::host::{BoxFuture, Done, Host};
use crate::interpret::Frame;
use crate::interpret::check::Complaint;
use crate::plans::Program;

/// A place in a body that could not run.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The function.
    pub function: FunctionId,
    /// The byte of its body where the statement begins.
    pub at: u32,
    /// What hinders.
    pub error: Error,
}

/// Every place of every body that could not run.
pub fn refused(model: &Arc<Model>) -> Vec<Refusal> {
    let functions = model.catalog.functions.iter().enumerate();
    let interpreted = functions.filter(|(_, function)| query::resolve::is_program(function));
    interpreted.flat_map(|(at, function)| of_function(model, FunctionId(at), function)).collect()
}

/// A place in a `do` block that could not run.
#[derive(Clone, Debug)]
pub struct BlockRefusal {
    /// The byte of the body where the statement begins.
    pub at: u32,
    /// What hinders.
    pub error: Error,
    /// Whether the block comes there in any case: a statement means nothing before it is reached.
    pub is_reached: bool,
}

/// Every place of a `do` block that could not run.
pub fn refused_block(model: &Arc<Model>, path: &[Arc<str>], body: &str) -> Vec<BlockRefusal> {
    let mut host = Dry::of(model, path.into());
    let function = crate::block::anonymous(body);
    let program = Arc::new(Program::of_block(&function, host.path().clone()));
    if let Err(error) = program.body() {
        return vec![BlockRefusal { at: program.complaint(), error, is_reached: true }];
    }
    let environment = match crate::call::environment(&host, &function, Vec::new()) {
        Ok(environment) => environment,
        Err(error) => return vec![BlockRefusal { at: 0, error, is_reached: true }],
    };
    let complaints = Frame::new(&program, &function, environment, &mut host).checked();
    let refusal = |Complaint { at, error, is_reached }| BlockRefusal { at, error, is_reached };
    complaints.into_iter().map(refusal).collect()
}

fn of_function(model: &Arc<Model>, id: FunctionId, function: &Function) -> Vec<Refusal> {
    let mut host = Dry::of(model, Arc::new(["public".into(), "extensions".into()]));
    let refusal = |at: u32, error: Error| Refusal { function: id, at, error };
    if function.input_types().any(query::functions::is_polymorphic) {
        // What its statements mean, its arguments say.
        return Vec::new();
    }
    let before = crate::settings::begin(function, &mut host);
    if let Err(error) = before {
        return vec![refusal(0, error)];
    }
    host.0.owned();
    let path = host.path().clone();
    let program = Arc::new(Program::of(function, path, &model.catalog));
    if let Err(error) = program.body() {
        return vec![refusal(program.complaint(), error)];
    }
    let environments = match environments(&host, function) {
        Ok(environments) => environments,
        Err(error) => return vec![refusal(0, error)],
    };
    let mut checked = environments
        .into_iter()
        .map(|environment| Frame::new(&program, function, environment, &mut host).checked());
    let Some(first) = checked.next() else { return Vec::new() };
    // What a function says of other tables than the one that fires it is not reached.
    let others: Vec<_> = checked.collect();
    let is_everywhere =
        |at: u32| others.iter().all(|complaints| complaints.iter().any(|other| other.at == at));
    let mut found: Vec<Refusal> = Vec::new();
    for Complaint { at, error, .. } in first {
        if is_everywhere(at) && !found.iter().any(|known| known.at == at) {
            found.push(refusal(at, error));
        }
    }
    found
}

/// The variables that a body begins with: of a trigger function those of each table that it is fired for.
fn environments(host: &Dry, function: &Function) -> Result<Vec<Environment>> {
    if !function.returns_trigger {
        let args = function.input_types().map(|_| Value::Null).collect();
        return Ok(vec![crate::call::environment(host, function, args)?]);
    }
    let catalog = &host.model().catalog;
    let triggers = catalog.ids().flat_map(|id| catalog[id].triggers.iter().map(move |trigger| (id, trigger)));
    let fired = triggers.filter(|(_, trigger)| is_of(trigger, function));
    fired.map(|(id, trigger)| crate::fire::dry(catalog, &function.name.name, id, trigger)).collect()
}

fn is_of(trigger: &Trigger, function: &Function) -> bool {
    let named = &trigger.statement.function;
    let is_schema = named.schema.as_ref().is_none_or(|schema| **schema == *function.name.schema);
    *named.name == *function.name.name && is_schema
}

/// A transaction in which nothing happens.
struct Dry(Ground);

impl Dry {
    fn of(model: &Arc<Model>, path: Arc<[Arc<str>]>) -> Dry {
        Dry(Ground::of(model.clone(), path, usize::MAX))
    }
}

fn nothing_happens() -> Error {
    Error::internal("something was to happen in a transaction in which nothing does")
}

impl Grounded for Dry {
    fn ground(&self) -> &Ground {
        &self.0
    }

    fn ground_mut(&mut self) -> &mut Ground {
        &mut self.0
    }

    fn is_read_only(&self) -> bool {
        true
    }

    fn compute(&self, _: &Expr, _: &[Value]) -> Result<Value> {
        Err(nothing_happens())
    }

    fn run<'a>(&'a mut self, _: &'a Plan, _: &'a [Value]) -> BoxFuture<'a, Result<Done>> {
        Box::pin(std::future::ready(Err(nothing_happens())))
    }

    fn begin_part(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(std::future::ready(Err(nothing_happens())))
    }

    fn end_part(&mut self, _: bool) -> BoxFuture<'_, Result<()>> {
        Box::pin(std::future::ready(Err(nothing_happens())))
    }
}
