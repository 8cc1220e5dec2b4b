//! Aggregates of an order: percentiles and the most frequent value (PostgreSQL 9.21, ordered-set aggregates).
//!
//! The direct argument comes first, the value that is ordered last. They sort by themselves, smallest first.

use types::compare::compare;
use types::{Code, Error, Result, Type, Value, interval};

use super::Context;
use super::Ty::{AnyElement, Float8, Interval};
use super::aggregate::{Aggregate, State};

pub(super) static ROWS: &[Aggregate] = &[
    Aggregate::new("percentile_cont", &[Float8, Float8], Float8, || Box::new(Percentile::new(true))),
    Aggregate::new("percentile_cont", &[Float8, Interval], Interval, || Box::new(Percentile::new(true))),
    Aggregate::new("percentile_disc", &[Float8, AnyElement], AnyElement, || Box::new(Percentile::new(false))),
    Aggregate::new("mode", &[AnyElement], AnyElement, || Box::new(Mode::default())),
];

/// Whether a name is that of such an aggregate.
pub fn is_ordered(name: &str) -> bool {
    ROWS.iter().any(|row| row.name == name)
}

#[derive(Clone)]
struct Percentile {
    fraction: Option<f64>,
    values: Vec<Value>,
    /// Between two values or one of them.
    continuous: bool,
}

impl Percentile {
    fn new(continuous: bool) -> Percentile {
        Percentile { fraction: None, values: Vec::new(), continuous }
    }
}

impl State for Percentile {
    fn step(&mut self, _: &mut Context<'_>, arguments: &[Value]) -> Result<()> {
        if let [Value::Float(fraction), value] = arguments {
            self.fraction = Some(*fraction);
            self.values.push(value.clone());
        }
        Ok(())
    }

    fn finish(&mut self, context: &mut Context<'_>) -> Result<Value> {
        let Some(fraction) = self.fraction else { return Ok(Value::Null) };
        if !(0.0..=1.0).contains(&fraction) {
            let shown = types::text::print_float(fraction, false);
            let message = format!("percentile value {shown} is not between 0 and 1");
            return Err(Error::new(Code::NUMERIC_OUT_OF_RANGE, message));
        }
        let ty = context.argument(1).clone();
        let ty = match (&ty, self.values.first()) {
            (Type::Unknown, Some(Value::Interval(_))) => Type::Interval,
            (Type::Unknown, _) => Type::Float8,
            _ => ty,
        };
        self.values.sort_by(|left, right| compare(&ty, left, right));
        if self.continuous {
            self.between(fraction)
        } else {
            Ok(self.at(discrete(fraction, self.values.len())))
        }
    }
}

impl Percentile {
    fn at(&self, position: usize) -> Value {
        self.values.get(position).cloned().unwrap_or(Value::Null)
    }

    fn between(&self, fraction: f64) -> Result<Value> {
        let last = u32::try_from(self.values.len().saturating_sub(1)).map_err(Error::internal)?;
        let position = fraction * f64::from(last);
        let (low, high) = (self.at(index(position.floor())), self.at(index(position.ceil())));
        let part = position - position.floor();
        Ok(match (low, high) {
            (low, _) if part == 0.0 => low,
            (Value::Float(low), Value::Float(high)) => Value::Float(low + part * (high - low)),
            (Value::Interval(low), Value::Interval(high)) => {
                let span = interval::add(high, interval::negate(low)?)?;
                Value::Interval(interval::add(low, types::moment::multiply(span, part)?)?)
            }
            (low, _) => low,
        })
    }
}

/// The first position that covers so much of all.
fn discrete(fraction: f64, count: usize) -> usize {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    index((fraction * f64::from(count)).ceil() - 1.0)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a position between 0 and the number of values"
)]
fn index(position: f64) -> usize {
    position.max(0.0) as usize
}

/// The most frequent value; of several the smallest.
#[derive(Clone, Default)]
struct Mode {
    values: Vec<Value>,
}

impl State for Mode {
    fn step(&mut self, _: &mut Context<'_>, arguments: &[Value]) -> Result<()> {
        self.values.extend(arguments.first().cloned());
        Ok(())
    }

    fn finish(&mut self, context: &mut Context<'_>) -> Result<Value> {
        let ty = context.argument(0).clone();
        self.values.sort_by(|left, right| compare(&ty, left, right));
        let runs = self.values.chunk_by(|left, right| compare(&ty, left, right).is_eq());
        let longest = runs.fold(&[][..], |best, run| if run.len() > best.len() { run } else { best });
        Ok(longest.first().cloned().unwrap_or(Value::Null))
    }
}
