//! A call under way: blocks and control.

mod assign;
pub(crate) mod check;
mod current;
mod cursors;
mod data;
mod declare;
mod handle;
mod loops;
mod procedures;
mod raise;
mod results;
mod statements;
mod temporary;

use std::collections::HashMap;
use std::sync::Arc;

use catalog::Function;
use sql::ast::Expr;
use sql::body::{Block, Step, StepKind};
use types::{Code, Error, Name, Result, Type, Value};

use crate::account::Held;
use crate::context::{At, Place, Said};
use crate::convert::boolean;
use crate::environment::Environment;
use crate::host::{BoxFuture, Done, Host};
use crate::plans::{Planned, Program, Text, What};

pub(crate) use results::Results;

/// Statements between two looks at the time.
const STEPS_PER_LOOK: u32 = 32;

/// Where it goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Flow {
    /// With the next statement.
    Next,
    /// Behind a loop or block: the innermost loop without a label.
    Exit(Option<String>),
    /// With the next round of a loop.
    Again(Option<String>),
    /// Nowhere: the function has returned.
    Return,
}

/// A call under way.
pub(crate) struct Frame<'a> {
    program: &'a Arc<Program>,
    function: &'a Function,
    environment: Environment,
    host: &'a mut dyn Host,
    results: Results,
    /// Where it stands.
    at: At,
    /// What large variables hold, by slot and field.
    large: HashMap<(usize, Option<usize>), Held>,
    /// How many rows the last statement was about.
    row_count: u64,
    /// Errors that are handled, the innermost last.
    handled: Vec<Error>,
    cursors: HashMap<String, cursors::Open>,
    /// Statements since the last look at the time.
    steps: u32,
}

impl<'a> Frame<'a> {
    pub(crate) fn new(
        program: &'a Arc<Program>,
        function: &'a Function,
        environment: Environment,
        host: &'a mut dyn Host,
    ) -> Frame<'a> {
        let results = Results { held: host.account().hold(), ..Results::default() };
        Frame {
            program,
            function,
            environment,
            host,
            results,
            at: At::Nowhere,
            large: HashMap::new(),
            row_count: 0,
            handled: Vec::new(),
            cursors: HashMap::new(),
            steps: 0,
        }
    }

    /// Runs the body.
    pub(crate) async fn run(mut self) -> Result<Results> {
        let outcome = self.body().await;
        self.close_others(&[]);
        match outcome {
            Ok(()) => Ok(self.results),
            Err(error) => Err(self.program.told.at(self.at, error)),
        }
    }

    async fn body(&mut self) -> Result<()> {
        let program: &'a Program = self.program;
        let body = match program.body()? {
            Text::Block(body) => body,
            Text::Statements(statements) => return self.statements(statements).await,
        };
        match self.block(&body.block).await? {
            Flow::Return => Ok(()),
            Flow::Next => self.end_reached(),
            Flow::Exit(_) | Flow::Again(_) => {
                Err(Error::new(Code::SYNTAX, "EXIT cannot be used outside a loop, unless it has a label"))
            }
        }
    }

    fn block<'s>(&'s mut self, block: &'s Block) -> BoxFuture<'s, Result<Flow>> {
        Box::pin(async move {
            self.environment.enter(block.label.as_deref());
            let outcome = self.declared_block(block).await;
            self.environment.leave();
            match outcome? {
                Flow::Exit(Some(label)) if Some(&label) == block.label.as_ref() => Ok(Flow::Next),
                flow => Ok(flow),
            }
        })
    }

    async fn declared_block(&mut self, block: &Block) -> Result<Flow> {
        let before = self.at;
        for declaration in &block.declarations {
            self.at = At::Declaration(declaration.span.start);
            self.declare(declaration).await?;
        }
        self.at = before;
        if block.handlers.is_empty() { self.steps(&block.steps).await } else { self.guarded(block).await }
    }

    fn steps<'s>(&'s mut self, steps: &'s [Step]) -> BoxFuture<'s, Result<Flow>> {
        Box::pin(async move {
            // Where something fails, it stays.
            let before = self.at;
            let mut flow = Flow::Next;
            for step in steps {
                self.at = At::step(step);
                flow = self.step(step).await?;
                if flow != Flow::Next {
                    break;
                }
            }
            self.at = before;
            Ok(flow)
        })
    }

    /// Looks at the time now and then.
    fn tick(&mut self) -> Result<()> {
        self.steps += 1;
        if self.steps >= STEPS_PER_LOOK {
            self.steps = 0;
            self.host.check()?;
        }
        Ok(())
    }

    async fn step(&mut self, step: &Step) -> Result<Flow> {
        self.tick()?;
        match &step.kind {
            StepKind::Block(block) => return self.block(block).await,
            StepKind::If { branches, otherwise } => return self.conditional(branches, otherwise).await,
            StepKind::Case { operand, branches, otherwise } => {
                return self.case(operand.as_ref(), branches, otherwise.as_deref()).await;
            }
            StepKind::Loop(found) => return self.run_loop(found).await,
            StepKind::Leave { again, label, when } => {
                return self.leave(*again, label.as_ref(), when.as_ref()).await;
            }
            StepKind::Return(value) => {
                self.return_value(value.as_ref()).await?;
                return Ok(Flow::Return);
            }
            StepKind::Nothing => {}
            StepKind::Assign { target, value } => self.assignment(target, value).await?,
            StepKind::ReturnNext(value) => self.return_next(value.as_ref()).await?,
            StepKind::ReturnQuery(rows) => self.return_query(rows).await?,
            StepKind::Raise(raise) => self.raise(raise).await?,
            StepKind::Assert { condition, message } => self.assert(condition, message.as_ref()).await?,
            StepKind::Statement { statement, into } => self.statement(statement, into.as_ref()).await?,
            StepKind::Perform(query) => self.perform(query).await?,
            StepKind::Call(call) => self.procedure(call).await?,
            StepKind::Execute { dynamic, into } => self.execute(dynamic, into.as_ref()).await?,
            StepKind::Diagnostics { stacked, items } => self.diagnostics(*stacked, items).await?,
            StepKind::Open { cursor, is_forward_only, rows, args } => {
                self.open(cursor, (rows.as_ref(), *is_forward_only), args).await?
            }
            StepKind::Fetch { cursor, direction, into } => {
                self.fetch(cursor, direction, into.as_deref()).await?;
            }
            StepKind::Close(cursor) => self.close(cursor)?,
            StepKind::Refused(_) => return Err(Error::raised("2D000", "invalid transaction termination")),
        }
        Ok(Flow::Next)
    }

    async fn conditional(&mut self, branches: &[(Expr, Vec<Step>)], otherwise: &[Step]) -> Result<Flow> {
        for (condition, steps) in branches {
            if self.holds(condition).await? {
                return self.steps(steps).await;
            }
        }
        self.steps(otherwise).await
    }

    async fn case(
        &mut self,
        operand: Option<&Expr>,
        branches: &[(Vec<Expr>, Vec<Step>)],
        otherwise: Option<&[Step]>,
    ) -> Result<Flow> {
        let operand = match operand {
            Some(operand) => Some(self.value(operand).await?),
            None => None,
        };
        for (values, steps) in branches {
            for value in values {
                let holds = match &operand {
                    None => self.holds(value).await?,
                    Some((found, ty)) => {
                        // What PostgreSQL compares is a text of its own.
                        let untold = |error: Error| error.without_context("a value of CASE");
                        let (wanted, wanted_ty) = self.value(value).await.map_err(untold)?;
                        self.equal((found, ty), (wanted, &wanted_ty))?
                    }
                };
                if holds {
                    return self.steps(steps).await;
                }
            }
        }
        match otherwise {
            Some(steps) => self.steps(steps).await,
            None => {
                Err(Error::raised("20000", "case not found")
                    .with_hint("CASE statement is missing ELSE part."))
            }
        }
    }

    /// `operand = value`, as the operator for the operand's type.
    fn equal(&self, (found, ty): (&Value, &Type), (wanted, wanted_ty): (Value, &Type)) -> Result<bool> {
        if found.is_null() || wanted.is_null() {
            return Ok(false);
        }
        let ty = if *ty == Type::Unknown { &Type::Text } else { ty };
        let common = query::functions::choose_comparison("=", ty, wanted_ty)?;
        let session = self.host.session();
        let found = crate::convert::converted(found.clone(), ty, (&common, None), session)?;
        let wanted = crate::convert::converted(wanted, wanted_ty, (&common, None), session)?;
        Ok(types::compare::equal(&common, &found, &wanted))
    }

    async fn leave(&mut self, again: bool, label: Option<&String>, when: Option<&Expr>) -> Result<Flow> {
        if let Some(when) = when
            && !self.holds(when).await?
        {
            return Ok(Flow::Next);
        }
        let label = label.cloned();
        Ok(if again { Flow::Again(label) } else { Flow::Exit(label) })
    }

    /// Whether a condition is true.
    async fn holds(&mut self, condition: &Expr) -> Result<bool> {
        let (value, ty) = self.value(condition).await?;
        boolean(value, &ty, self.host.session())
    }

    /// The value of an expression, and its type.
    async fn value(&mut self, expr: &Expr) -> Result<(Value, Type)> {
        let planned = self.planned(expr)?;
        let value = self.computed(&planned, expr).await?;
        let ty = planned.outputs.first().map_or(Type::Unknown, |(_, ty)| ty.clone());
        Ok((value, ty))
    }

    /// The same, of a row its text: for where no row can stand.
    async fn value_without_rows(&mut self, expr: &Expr) -> Result<(Value, Type)> {
        let planned = self.planned(expr)?;
        if !matches!(&planned.outputs[..], [(_, ty)] if is_of_rows(ty)) {
            return self.value(expr).await;
        }
        let planned = self.program.text(expr, &self.environment, &*self.host)?;
        Ok((self.computed(&planned, expr).await?, Type::Text))
    }

    fn planned(&self, expr: &Expr) -> Result<Arc<Planned>> {
        let planned = self.program.expr(expr, &self.environment, &*self.host);
        planned.map_err(|error| self.program.told.run(&self.asked(expr), error))
    }

    /// What is told of an expression.
    fn asked(&self, expr: &Expr) -> Said {
        match self.at {
            At::Step { word: "assignment", span } => Said::Assignment(span),
            _ => Said::Expression(expr.span),
        }
    }

    /// Where an expression of the body lies in memory.
    fn address(&self, expr: &Expr) -> (usize, usize) {
        (Arc::as_ptr(self.program).addr(), std::ptr::from_ref(&*expr.kind).addr())
    }

    /// Runs a plan of this place.
    async fn run_here(
        &mut self,
        (planned, plan): (&Planned, &query::Plan),
        parameters: &[Value],
        said: Said,
    ) -> Result<Done> {
        let place = Place { program: self.program.clone(), at: self.at, said };
        let said = place.said.clone();
        self.host.stack().begin(place);
        let outcome = self.host.run(plan, parameters).await;
        self.host.stack().done();
        outcome.map_err(|error| self.program.told.run(&said, planned.failed(error, self.host.model())))
    }

    async fn computed(&mut self, planned: &Planned, expr: &Expr) -> Result<Value> {
        let parameters = planned.values(&self.environment)?;
        match &planned.what {
            // A row stays its fields.
            What::Value(query::Expr::Form {
                form: query::Form::Row | query::Form::Record(_), args, ..
            }) => {
                let fields = args.iter().map(|arg| self.host.compute(arg, &parameters));
                Ok(Value::Row(fields.collect::<Result<Vec<_>>>()?.into()))
            }
            What::Value(value) => {
                let computed = self.host.compute(value, &parameters);
                computed.map_err(|error| {
                    match planned.is_counted || self.host.stack().compute(self.address(expr)) {
                        true => self.program.told.run(&self.asked(expr), error),
                        false => error,
                    }
                })
            }
            What::Plan { plan, .. } => {
                let is_statement = planned.is_counted || self.host.stack().compute(self.address(expr));
                let said = if is_statement { self.asked(expr) } else { Said::Nothing };
                let done = self.run_here((planned, plan), &parameters, said).await?;
                if !is_statement {
                    self.host.stack().computed(self.address(expr));
                }
                if planned.is_counted {
                    self.row_count = u64::try_from(done.rows.len()).unwrap_or(u64::MAX);
                }
                if done.rows.len() > 1 {
                    return Err(Error::new(Code::CARDINALITY, "query returned more than one row"));
                }
                Ok(done.rows.into_iter().next().and_then(|row| row.into_iter().next()).unwrap_or(Value::Null))
            }
        }
    }

    /// A value as one of a domain, if it is of any.
    fn in_domain(&self, value: Value, domain: Option<&Name>) -> Result<Value> {
        let Some(domain) = domain else { return Ok(value) };
        let test = self.host.programs().domain(&self.host.model().catalog, domain)?;
        self.host.compute(&test, &[value])
    }

    /// Says whether the last statement was about any row.
    fn found(&mut self, found: bool) -> Result<()> {
        let slot = self.environment.slot_of_found()?;
        self.environment.get_mut(slot)?.held = crate::environment::Held::Scalar(Value::Bool(found));
        Ok(())
    }
}

/// Whether values are rows, or arrays of them.
fn is_of_rows(ty: &Type) -> bool {
    match ty {
        Type::Composite(_) => true,
        Type::Array(element) => is_of_rows(element),
        _ => false,
    }
}
