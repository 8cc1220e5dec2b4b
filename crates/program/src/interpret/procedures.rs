//! `call`: a procedure's output parameters go to the variables that stand in their places.

use catalog::Function;
use sql::ast::{ArgumentMode, Call, ExprKind};
use sql::body::Target;
use types::{Code, Error, Result, Type, Value};

use super::Frame;
use crate::call::result_shape;

impl Frame<'_> {
    pub(super) async fn procedure(&mut self, call: &Call) -> Result<()> {
        self.refuse_stable("CALL")?;
        let said = self.said_here(None);
        let planned = self.program.call(call, &self.environment, &*self.host);
        let planned = planned.map_err(|error| self.program.told.run(&said, error))?;
        let Some(query::Expr::Call(called)) = planned.value() else {
            return Err(Error::internal("a procedure that is not called"));
        };
        let model = self.host.model().clone();
        let procedure = model.catalog.functions.get(called.function.0);
        let procedure = procedure.ok_or_else(|| Error::internal("a call of no procedure"))?;
        let types: Vec<Type> = called.args.iter().map(query::Expr::ty).collect();
        let procedure = query::functions::instance(procedure, &types)?;
        let targets = targets(call, &procedure)?;
        let done = self.ran(&planned, said).await?;
        let value = done.rows.into_iter().flatten().next().unwrap_or(Value::Null);
        let shape = result_shape(&*self.host, &procedure);
        let values = match (&targets[..], shape) {
            ([], _) => return Ok(()),
            ([_], _) => vec![value],
            (_, Some(shape)) => {
                let fields = crate::convert::fields(&value, &shape, self.host.session())?;
                fields.unwrap_or_else(|| vec![Value::Null; targets.len()])
            }
            (_, None) => return Err(Error::internal("a procedure of unknown results")),
        };
        let outputs = procedure.arguments.iter().filter(|argument| argument.is_output());
        for ((target, argument), value) in targets.iter().zip(outputs).zip(values) {
            self.assign_to(target, value, &argument.ty).await?;
        }
        Ok(())
    }
}

/// Where each output parameter goes.
fn targets(call: &Call, procedure: &Function) -> Result<Vec<Target>> {
    let parameters = procedure.arguments.iter().filter(|argument| argument.mode != ArgumentMode::Table);
    let outputs = parameters.enumerate().filter(|(_, argument)| argument.is_output());
    let target = |(position, parameter): (usize, &catalog::Argument)| {
        let given = call.args.iter().enumerate().find(|(at, argument)| match &argument.name {
            Some(name) => parameter.name.as_deref() == Some(name),
            None => *at == position,
        });
        match given.map(|(_, argument)| (&*argument.value.kind, argument.value.span)) {
            Some((ExprKind::Column(parts), span)) => {
                Ok(Target { name: parts.clone(), parameter: None, parts: Vec::new(), span })
            }
            Some((ExprKind::Param(position), span)) => {
                Ok(Target { name: Vec::new(), parameter: Some(*position), parts: Vec::new(), span })
            }
            Some(_) | None => {
                let name = match &parameter.name {
                    Some(name) => format!("\"{name}\""),
                    None => format!("{}", position + 1),
                };
                let message = format!(
                    "procedure parameter {name} is an output parameter but corresponding argument is not writable"
                );
                Err(Error::new(Code::SYNTAX, message))
            }
        }
    };
    outputs.map(target).collect()
}
