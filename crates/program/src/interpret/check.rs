//! A body walked without running: each statement and expression is resolved where it stands.

use std::sync::Arc;

use sql::ast::{Expr, StatementKind};
use sql::body::{
    AliasOf, Block, Declaration, Declared, Dynamic, Into, Level, Loop, Over, Part, Raised, Rows, Step,
    StepKind, Target,
};
use types::{Code, Error, Field, Result, Type};

use super::Frame;
use crate::environment::{Held, Kind, Shape, Variable};
use crate::plans::Text;

/// What could not run.
pub(crate) struct Complaint {
    /// The byte of the body where its statement begins.
    pub(crate) at: u32,
    /// Why.
    pub(crate) error: Error,
    /// Whether whoever runs the body comes there.
    pub(crate) is_reached: bool,
}

/// Names and types of columns.
type Columns = Vec<(Arc<str>, Type)>;

/// A walk under way.
struct Walk<'f, 'a> {
    frame: &'f mut Frame<'a>,
    found: Vec<Complaint>,
    at: u32,
    is_reached: bool,
    /// Whether something ends before its end.
    leaves: bool,
}

impl Frame<'_> {
    /// Everything that could not run.
    pub(crate) fn checked(mut self) -> Vec<Complaint> {
        let program = self.program;
        let Ok(body) = program.body() else { return Vec::new() };
        let mut walk = Walk { frame: &mut self, found: Vec::new(), at: 0, is_reached: true, leaves: false };
        match body {
            Text::Block(body) => walk.block(&body.block),
            Text::Statements(statements) => statements.iter().for_each(|statement| {
                walk.columns_of(statement);
            }),
        }
        walk.found
    }
}

impl Walk<'_, '_> {
    fn note<T>(&mut self, outcome: Result<T>) -> Option<T> {
        match outcome {
            Ok(value) => Some(value),
            // A record's fields may come from what only a call knows.
            Err(error) if error.code() == Code::OBJECT_STATE => None,
            Err(error) => {
                self.found.push(Complaint { at: self.at, error, is_reached: self.is_reached });
                None
            }
        }
    }

    fn block(&mut self, block: &Block) {
        self.frame.environment.enter(block.label.as_deref());
        for declaration in &block.declarations {
            self.at = declaration.span.start;
            self.declaration(declaration);
        }
        // Where errors are handled nobody need see one.
        let was_reached = self.is_reached;
        self.is_reached &= block.handlers.is_empty();
        self.steps(&block.steps);
        let is_reached = std::mem::replace(&mut self.is_reached, false);
        for handler in &block.handlers {
            self.frame.environment.enter(None);
            for name in ["sqlstate", "sqlerrm"] {
                let variable = Variable::scalar(name, Type::Text, types::Value::Null);
                self.frame.environment.declare(variable);
            }
            for condition in &handler.conditions {
                let checked = super::handle::check(condition);
                self.note(checked);
            }
            self.steps(&handler.steps);
            self.frame.environment.leave();
        }
        self.is_reached = if block.handlers.is_empty() { is_reached } else { was_reached };
        self.frame.environment.leave();
    }

    /// Steps that only some come to.
    fn branch(&mut self, steps: &[Step]) {
        let was_reached = std::mem::replace(&mut self.is_reached, false);
        self.steps(steps);
        self.is_reached = was_reached && !self.leaves;
    }

    fn declaration(&mut self, declaration: &Declaration) {
        let name = declaration.name.as_str();
        let kind = match &declaration.kind {
            Declared::Variable { ty, default, .. } => {
                if let Some(default) = default {
                    self.expr(default);
                }
                let kind = self.frame.kind(ty);
                self.note(kind)
            }
            Declared::Alias(of) => {
                let slot = match of {
                    AliasOf::Variable(parts) => {
                        let found = self.frame.environment.find(parts).map(|found| found.slot);
                        found.ok_or_else(|| crate::environment::not_a_variable(&parts.join(".")))
                    }
                    AliasOf::Parameter(position) => self.frame.positional(*position),
                };
                if let Some(slot) = self.note(slot) {
                    self.frame.environment.alias(name, slot);
                }
                return;
            }
            Declared::Cursor { is_forward_only, parameters, query } => Some(Kind::Cursor {
                is_forward_only: *is_forward_only,
                parameters: parameters.clone().into(),
                query: Arc::new((**query).clone()),
            }),
        };
        // What follows is still to be looked at.
        self.frame.environment.declare(Variable::new(name, kind.unwrap_or(Kind::Record)));
    }

    fn steps(&mut self, steps: &[Step]) {
        for step in steps {
            self.at = step.span.start;
            self.step(step);
        }
    }

    fn step(&mut self, step: &Step) {
        match &step.kind {
            StepKind::Block(block) => self.block(block),
            StepKind::Assign { target, value } => self.assignment(target, value),
            StepKind::If { branches, otherwise } => {
                for (condition, steps) in branches {
                    self.expr(condition);
                    self.branch(steps);
                }
                self.branch(otherwise);
            }
            StepKind::Case { operand, branches, otherwise } => {
                operand.iter().for_each(|operand| self.expr(operand));
                for (values, steps) in branches {
                    values.iter().for_each(|value| self.expr(value));
                    self.branch(steps);
                }
                otherwise.iter().for_each(|steps| self.branch(steps));
            }
            StepKind::Loop(found) => self.run_loop(found),
            StepKind::Leave { when: value, .. } | StepKind::Return(value) | StepKind::ReturnNext(value) => {
                value.iter().for_each(|value| self.expr(value));
                self.leaves |= !matches!(step.kind, StepKind::ReturnNext(_));
                self.is_reached &= !self.leaves;
            }
            StepKind::ReturnQuery(rows) => {
                self.rows(rows);
            }
            StepKind::Raise(raise) => {
                if let Raised::Message(_, args) = &raise.what {
                    args.iter().for_each(|arg| self.expr(arg));
                }
                raise.options.iter().for_each(|(_, value)| self.expr(value));
                self.leaves |= raise.level == Level::Exception;
            }
            StepKind::Assert { condition, message } => {
                self.expr(condition);
                message.iter().for_each(|message| self.expr(message));
            }
            StepKind::Statement { statement, into } => self.statement(statement, into.as_ref()),
            StepKind::Perform(query) => {
                let planned = self.frame.program.query(query, &self.frame.environment, &*self.frame.host);
                self.note(planned);
            }
            StepKind::Call(call) => {
                let planned = self.frame.program.call(call, &self.frame.environment, &*self.frame.host);
                self.note(planned);
            }
            StepKind::Execute { dynamic, into } => {
                self.dynamic(dynamic);
                into.iter().flat_map(|into| &into.targets).for_each(|target| self.target(target));
            }
            StepKind::Diagnostics { items, .. } => items.iter().for_each(|(target, _)| self.target(target)),
            StepKind::Open { rows, args, .. } => {
                if let Some(rows) = rows {
                    self.rows(rows);
                }
                args.iter().for_each(|(_, arg)| self.expr(arg));
            }
            StepKind::Fetch { into, .. } => {
                into.iter().flatten().for_each(|target| self.target(target));
            }
            StepKind::Close(_) | StepKind::Nothing | StepKind::Refused(_) => {}
        }
    }

    fn expr(&mut self, expr: &Expr) {
        let planned = self.frame.program.expr(expr, &self.frame.environment, &*self.frame.host);
        self.note(planned);
    }

    fn assignment(&mut self, target: &Target, value: &Expr) {
        self.target(target);
        self.expr(value);
        let shape = self.frame.shape_of_expr(value).ok().flatten();
        if let (Ok(Some(slot)), Some(shape)) = (self.frame.row_slot(target), shape) {
            self.shape(slot, &shape);
        }
    }

    fn target(&mut self, target: &Target) {
        let place = self.frame.place(target).map(drop);
        self.note(place);
        for part in &target.parts {
            match part {
                Part::Element(index) => self.expr(index),
                Part::Slice(low, high) => low.iter().chain(high).for_each(|bound| self.expr(bound)),
                Part::Field(_) => {}
            }
        }
    }

    fn statement(&mut self, statement: &StatementKind, into: Option<&Into>) {
        let columns = self.columns_of(statement);
        let Some(into) = into else { return };
        self.columns(&into.targets, columns.as_ref());
    }

    fn columns_of(&mut self, statement: &StatementKind) -> Option<Columns> {
        if !statement.is_about_rows() {
            let outcome = self.frame.possible(statement);
            if self.note(outcome).is_some()
                && let Some(declared) = self.frame.declare_any_temporary(statement)
            {
                self.note(declared);
            }
            return None;
        }
        match self.frame.put_into_temporary(statement) {
            Ok(None) => {}
            Ok(Some((_, source))) => {
                let planned = self.frame.program.query(source, &self.frame.environment, &*self.frame.host);
                self.note(planned);
                return None;
            }
            Err(error) => return self.note(Err(error)),
        }
        if super::current::cursor_of(statement).is_some() {
            let without = || super::current::without_cursor(statement);
            let without = self.frame.program.rewritten(statement, without);
            return self.columns_of(&without);
        }
        let planned =
            self.frame.program.statement(statement, None, &self.frame.environment, &*self.frame.host);
        self.note(planned).map(|planned| planned.outputs.clone())
    }

    fn rows(&mut self, rows: &Rows) -> Option<Columns> {
        match rows {
            Rows::Of { statement, .. } => self.columns_of(statement),
            Rows::Dynamic(dynamic) => {
                self.dynamic(dynamic);
                None
            }
        }
    }

    fn dynamic(&mut self, dynamic: &Dynamic) {
        self.expr(&dynamic.text);
        dynamic.using.iter().for_each(|argument| self.expr(argument));
    }

    /// What a row's columns go to: a record takes their names.
    fn columns(&mut self, targets: &[Target], columns: Option<&Columns>) {
        targets.iter().for_each(|target| self.target(target));
        if let ([target], Some(columns)) = (targets, columns)
            && let Ok(Some(slot)) = self.frame.row_slot(target)
        {
            self.shape(slot, &shape(columns));
        }
    }

    fn shape(&mut self, slot: usize, shape: &Shape) {
        if let Ok(variable) = self.frame.environment.get_mut(slot)
            && matches!(variable.kind, Kind::Record)
        {
            variable.held = Held::Row(shape.clone(), None);
        }
    }

    fn run_loop(&mut self, found: &Loop) {
        self.frame.environment.enter(found.label.as_deref());
        match &found.over {
            Over::Forever => {}
            Over::While(condition) => self.expr(condition),
            Over::Range { variable, low, high, step, .. } => {
                [Some(low), Some(high), step.as_ref()]
                    .into_iter()
                    .flatten()
                    .for_each(|bound| self.expr(bound));
                self.frame.local(variable, Type::Int4);
            }
            Over::Rows { targets, rows } => {
                let columns = self.rows(rows);
                self.columns(targets, columns.as_ref());
            }
            Over::Cursor { variable, args, .. } => {
                args.iter().for_each(|(_, arg)| self.expr(arg));
                self.frame.environment.declare(Variable::new(variable.as_str(), Kind::Record));
            }
            Over::Array { targets, array, .. } => {
                self.expr(array);
                targets.iter().for_each(|target| self.target(target));
            }
        }
        self.branch(&found.steps);
        self.frame.environment.leave();
    }
}

fn shape(columns: &Columns) -> Shape {
    let field = |(name, ty): &(Arc<str>, Type)| Field::of(name.clone(), ty.clone());
    columns.iter().map(field).collect()
}
