//! Aggregates of an order: percentiles and the most frequent value (PostgreSQL 9.21, ordered-set aggregates).
//!
//! The direct argument comes first, the value that is ordered last. They sort by themselves.

use std::sync::Arc;

use types::compare::compare;
use types::value::Array;
use types::{Code, Error, Result, Type, Value, interval};

use super::Context;
use super::Ty::{AnyArray, AnyElement, Array as Of, Float8, Interval};
use super::aggregate::{Aggregate, State};

/// Each for an order that rises and one that falls, of which a word behind the name tells: no name in SQL without quotation marks
/// has it.
macro_rules! both {
    ($(($name:literal, $arguments:expr, $result:expr, $state:expr),)*) => {
        &[$(
            Aggregate::new($name, $arguments, $result, || Box::new($state(false))),
            Aggregate::new(concat!($name, " desc"), $arguments, $result, || Box::new($state(true))),
        )*]
    };
}

pub(super) static ROWS: &[Aggregate] = both! {
    ("percentile_cont", &[Float8, Float8], Float8, Percentile::between),
    ("percentile_cont", &[Float8, Interval], Interval, Percentile::between),
    ("percentile_cont", &[Of(&Float8), Float8], Of(&Float8), Percentile::between),
    ("percentile_cont", &[Of(&Float8), Interval], Of(&Interval), Percentile::between),
    ("percentile_disc", &[Float8, AnyElement], AnyElement, Percentile::among),
    ("percentile_disc", &[Of(&Float8), AnyElement], AnyArray, Percentile::among),
    ("mode", &[AnyElement], AnyElement, Mode::of),
};

/// What stands behind the name of one whose order falls.
pub const DESCENDING: &str = " desc";

/// Whether a name is that of such an aggregate.
pub fn is_ordered(name: &str) -> bool {
    ROWS.iter().any(|row| row.name == name)
}

/// The values in their order, which may fall.
fn sorted(values: &mut [Value], ty: &Type, falls: bool) {
    if falls {
        values.sort_by(|left, right| compare(ty, right, left));
    } else {
        values.sort_by(|left, right| compare(ty, left, right));
    }
}

#[derive(Clone)]
struct Percentile {
    fractions: Option<Value>,
    values: Vec<Value>,
    /// Between two values or one of them.
    continuous: bool,
    falls: bool,
}

impl Percentile {
    fn between(falls: bool) -> Percentile {
        Percentile { fractions: None, values: Vec::new(), continuous: true, falls }
    }

    fn among(falls: bool) -> Percentile {
        Percentile { continuous: false, ..Percentile::between(falls) }
    }
}

impl State for Percentile {
    fn step(&mut self, _: &mut Context<'_>, arguments: &[Value]) -> Result<()> {
        if let [fractions, value] = arguments {
            self.fractions.get_or_insert_with(|| fractions.clone());
            self.values.push(value.clone());
        }
        Ok(())
    }

    fn finish(&mut self, context: &mut Context<'_>) -> Result<Value> {
        let Some(fractions) = self.fractions.clone() else { return Ok(Value::Null) };
        let ty = context.argument(1).clone();
        let ty = match (&ty, self.values.first()) {
            (Type::Unknown, Some(Value::Interval(_))) => Type::Interval,
            (Type::Unknown, _) => Type::Float8,
            _ => ty,
        };
        sorted(&mut self.values, &ty, self.falls);
        match &fractions {
            Value::Array(several) => {
                let elements = several.elements.iter().map(|fraction| self.found(fraction));
                let elements = elements.collect::<Result<Vec<Value>>>()?;
                let dimensions = several.dimensions.clone();
                Ok(Value::Array(Arc::new(Array { dimensions, elements })))
            }
            fraction => self.found(fraction),
        }
    }
}

impl Percentile {
    fn found(&self, fraction: &Value) -> Result<Value> {
        let Value::Float(fraction) = *fraction else { return Ok(Value::Null) };
        if !(0.0..=1.0).contains(&fraction) {
            let shown = types::text::print_float(fraction, false);
            let message = format!("percentile value {shown} is not between 0 and 1");
            return Err(Error::new(Code::NUMERIC_OUT_OF_RANGE, message));
        }
        if self.continuous {
            self.interpolated(fraction)
        } else {
            Ok(self.at(discrete(fraction, self.values.len())))
        }
    }

    fn at(&self, position: usize) -> Value {
        self.values.get(position).cloned().unwrap_or(Value::Null)
    }

    fn interpolated(&self, fraction: f64) -> Result<Value> {
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

/// The most frequent value; of several the first.
#[derive(Clone)]
struct Mode {
    values: Vec<Value>,
    falls: bool,
}

impl Mode {
    fn of(falls: bool) -> Mode {
        Mode { values: Vec::new(), falls }
    }
}

impl State for Mode {
    fn step(&mut self, _: &mut Context<'_>, arguments: &[Value]) -> Result<()> {
        self.values.extend(arguments.first().cloned());
        Ok(())
    }

    fn finish(&mut self, context: &mut Context<'_>) -> Result<Value> {
        let ty = context.argument(0).clone();
        sorted(&mut self.values, &ty, self.falls);
        let runs = self.values.chunk_by(|left, right| compare(&ty, left, right).is_eq());
        let longest = runs.fold(&[][..], |best, run| if run.len() > best.len() { run } else { best });
        Ok(longest.first().cloned().unwrap_or(Value::Null))
    }
}
