//! Loops.

use std::sync::Arc;

use sql::ast::Expr;
use sql::body::{Loop, Over, Step, Target};
use types::value::Array;
use types::{Code, Error, Field, Result, Type, Value};

use super::{Flow, Frame};
use crate::convert::integer;
use crate::environment::Held;

/// How a round of a loop ended.
enum Round {
    /// There may be another.
    Again,
    /// The loop is over.
    Over(Flow),
}

impl Frame<'_> {
    pub(super) async fn run_loop(&mut self, found: &Loop) -> Result<Flow> {
        self.environment.enter(found.label.as_deref());
        let depth = self.environment.depth();
        let outcome = self.rounds(found).await;
        self.environment.leave_to(depth - 1);
        outcome
    }

    async fn rounds(&mut self, found: &Loop) -> Result<Flow> {
        let label = found.label.as_deref();
        match &found.over {
            Over::Forever => loop {
                self.tick()?;
                if let Round::Over(flow) = self.round(label, &found.steps).await? {
                    return Ok(flow);
                }
            },
            Over::While(condition) => {
                while self.holds(condition).await? {
                    self.tick()?;
                    if let Round::Over(flow) = self.round(label, &found.steps).await? {
                        return Ok(flow);
                    }
                }
                Ok(Flow::Next)
            }
            Over::Range { variable, reverse, low, high, step } => {
                let range = self.range(*reverse, low, high, step.as_ref()).await?;
                self.count_through(variable, range, found).await
            }
            Over::Rows { targets, rows } => {
                let (outputs, rows, _held, temporaries) = self.rows_of(rows, false).await?;
                self.host.temporaries().occupy(&temporaries);
                let outcome = self.through_rows(targets, &outputs, rows, found).await;
                self.host.temporaries().free(&temporaries);
                outcome
            }
            Over::Cursor { variable, cursor, args } => {
                let (name, outputs) = self.open_for_loop(cursor, args).await?;
                let slot = self.environment.declare(crate::environment::Variable::new(
                    variable.as_str(),
                    crate::environment::Kind::Record,
                ));
                let flow = self.through_record(slot, &outputs, &name, found).await?;
                self.end_loop(&name);
                Ok(flow)
            }
            Over::Array { targets, slice, array } => self.through_array(targets, *slice, array, found).await,
        }
    }

    async fn round(&mut self, label: Option<&str>, steps: &[Step]) -> Result<Round> {
        let is_mine = |named: &Option<String>| named.is_none() || named.as_deref() == label;
        Ok(match self.steps(steps).await? {
            Flow::Next => Round::Again,
            Flow::Again(named) if is_mine(&named) => Round::Again,
            Flow::Exit(named) if is_mine(&named) => Round::Over(Flow::Next),
            flow => Round::Over(flow),
        })
    }

    /// First value, last value, step.
    async fn range(
        &mut self,
        reverse: bool,
        low: &Expr,
        high: &Expr,
        step: Option<&Expr>,
    ) -> Result<(i64, i64, i64)> {
        let null =
            |what: &str| Error::new(Code::NULL_NOT_ALLOWED, format!("{what} of FOR loop cannot be null"));
        let low = self.bound(low).await?.ok_or_else(|| null("lower bound"))?;
        let high = self.bound(high).await?.ok_or_else(|| null("upper bound"))?;
        let step = match step {
            None => 1,
            Some(step) => self.bound(step).await?.ok_or_else(|| null("BY value"))?,
        };
        if step <= 0 {
            let message = "BY value of FOR loop must be greater than zero";
            return Err(Error::new(Code::INVALID_PARAMETER, message));
        }
        Ok((low, high, if reverse { -step } else { step }))
    }

    async fn bound(&mut self, bound: &Expr) -> Result<Option<i64>> {
        let (value, ty) = self.value(bound).await?;
        integer(value, &ty, self.host.session())
    }

    async fn count_through(
        &mut self,
        variable: &str,
        (first, last, step): (i64, i64, i64),
        found: &Loop,
    ) -> Result<Flow> {
        let slot = self.local(variable, Type::Int4);
        let mut any = false;
        let mut at = first;
        let mut end = Flow::Next;
        while if step > 0 { at <= last } else { at >= last } {
            any = true;
            self.tick()?;
            self.environment.get_mut(slot)?.held = Held::Scalar(Value::Int(at));
            if let Round::Over(flow) = self.round(found.label.as_deref(), &found.steps).await? {
                end = flow;
                break;
            }
            at += step;
            if i32::try_from(at).is_err() {
                break;
            }
        }
        self.found(any)?;
        Ok(end)
    }

    async fn through_rows(
        &mut self,
        targets: &[Target],
        outputs: &[(Arc<str>, Type)],
        rows: Vec<Vec<Value>>,
        found: &Loop,
    ) -> Result<Flow> {
        let any = !rows.is_empty();
        if !any {
            self.assign_columns(targets, outputs, None).await?;
        }
        let mut end = Flow::Next;
        for row in rows {
            self.tick()?;
            self.assign_columns(targets, outputs, Some(row)).await?;
            if let Round::Over(flow) = self.round(found.label.as_deref(), &found.steps).await? {
                end = flow;
                break;
            }
        }
        self.found(any)?;
        Ok(end)
    }

    /// The rows of an open cursor, in a record of the loop's own.
    async fn through_record(
        &mut self,
        slot: usize,
        outputs: &[(Arc<str>, Type)],
        cursor: &str,
        found: &Loop,
    ) -> Result<Flow> {
        let field = |(name, ty): &(Arc<str>, Type)| Field::of(name.clone(), ty.clone());
        let shape: crate::environment::Shape = outputs.iter().map(field).collect();
        let mut any = false;
        let mut end = Flow::Next;
        while let Some(row) = self.next_of(cursor) {
            any = true;
            self.tick()?;
            self.assign_row(slot, &shape, Some(row))?;
            if let Round::Over(flow) = self.round(found.label.as_deref(), &found.steps).await? {
                end = flow;
                break;
            }
        }
        self.found(any)?;
        Ok(end)
    }

    fn shape_of_element(&self, ty: &Type) -> Result<crate::environment::Shape> {
        let shape = match ty {
            Type::Composite(name) => crate::environment::shape_of(&self.host.model().catalog, name),
            _ => None,
        };
        shape.ok_or_else(|| Error::missing("FOREACH into several variables over anything but rows"))
    }

    async fn through_array(
        &mut self,
        targets: &[Target],
        slice: u32,
        array: &Expr,
        found: &Loop,
    ) -> Result<Flow> {
        let (value, ty) = self.value(array).await?;
        let array = match value {
            Value::Array(array) => array,
            Value::Null => {
                return Err(Error::new(Code::NULL_NOT_ALLOWED, "FOREACH expression must not be null"));
            }
            _ => {
                let shown = types::ty::format_type(&ty, None);
                let message = format!("FOREACH expression must yield an array, not type {shown}");
                return Err(Error::new(Code::DATATYPE_MISMATCH, message));
            }
        };
        let (elements, ty) = elements(&array, &ty, slice)?;
        if let [target] = targets {
            let takes = self.type_of(target)?;
            match (slice, takes) {
                (0, Type::Array(_)) => {
                    let message = "FOREACH loop variable must not be of an array type";
                    return Err(Error::new(Code::DATATYPE_MISMATCH, message));
                }
                (0, _) | (_, Type::Array(_)) => {}
                _ => {
                    let message = "FOREACH ... SLICE loop variable must be of an array type";
                    return Err(Error::new(Code::DATATYPE_MISMATCH, message));
                }
            }
        }
        let any = !elements.is_empty();
        let mut end = Flow::Next;
        for element in elements {
            self.tick()?;
            match targets {
                [target] => self.assign_to(target, element, &ty).await?,
                targets => {
                    let shape = self.shape_of_element(&ty)?;
                    let outputs: Vec<_> =
                        shape.iter().map(|field| (field.name.clone(), field.ty.clone())).collect();
                    let row = crate::convert::fields(&element, &shape, self.host.session())?;
                    self.assign_columns(targets, &outputs, row).await?;
                }
            }
            if let Round::Over(flow) = self.round(found.label.as_deref(), &found.steps).await? {
                end = flow;
                break;
            }
        }
        self.found(any)?;
        Ok(end)
    }
}

/// The elements of an array, or its slices of so many dimensions; with their type.
fn elements(array: &Arc<Array>, ty: &Type, slice: u32) -> Result<(Vec<Value>, Type)> {
    let Type::Array(element) = ty else { return Err(Error::internal("an array of no type")) };
    let dimensions = array.dimensions.len();
    let slice = usize::try_from(slice).map_err(Error::internal)?;
    if slice == 0 {
        return Ok((array.elements.clone(), (**element).clone()));
    }
    if slice > dimensions {
        let message = format!("slice dimension ({slice}) is out of the valid range 0..{dimensions}");
        return Err(Error::new(Code::ARRAY_SUBSCRIPT, message));
    }
    let inner = array.dimensions.get(dimensions - slice..).unwrap_or_default().to_vec();
    let length: usize = inner.iter().map(|length| usize::try_from(*length).unwrap_or(usize::MAX)).product();
    let part = |elements: &[Value]| {
        Value::Array(Arc::new(Array { dimensions: inner.clone(), elements: elements.to_vec() }))
    };
    Ok((array.elements.chunks(length.max(1)).map(part).collect(), ty.clone()))
}
