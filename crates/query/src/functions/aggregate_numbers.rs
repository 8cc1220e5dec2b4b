//! Sums, means and deviations (PostgreSQL 9.21). Sums of integers are exact and of a wider type.

use types::numeric::Numeric;
use types::value::Interval;
use types::{Code, Error, Result, Value, interval, moment};

use super::Context;
use super::Ty::{Float4, Float8, Int2, Int4, Int8, Interval as V, Numeric as N};
use super::aggregate::{Aggregate, State};
use super::arguments::{float, int, interval as interval_at, out_of_range};
use super::numbers::number;

/// A statistic over each of the number types: `numeric` for exact ones, `double precision` for floats.
macro_rules! deviations {
    ($($name:literal $sample:literal $root:literal;)*) => {
        &[$(
            Aggregate::new($name, &[Int2], N, || Box::new(Exact::deviation($sample, $root))),
            Aggregate::new($name, &[Int4], N, || Box::new(Exact::deviation($sample, $root))),
            Aggregate::new($name, &[Int8], N, || Box::new(Exact::deviation($sample, $root))),
            Aggregate::new($name, &[N], N, || Box::new(Exact::deviation($sample, $root))),
            Aggregate::new($name, &[Float4], Float8, || Box::new(Floats::new(Statistic::Deviation { sample: $sample, root: $root }))),
            Aggregate::new($name, &[Float8], Float8, || Box::new(Floats::new(Statistic::Deviation { sample: $sample, root: $root }))),
        )*]
    };
}

pub(super) static DEVIATIONS: &[Aggregate] = deviations! {
    "stddev" true true;
    "stddev_samp" true true;
    "stddev_pop" false true;
    "variance" true false;
    "var_samp" true false;
    "var_pop" false false;
};

pub(super) static ROWS: &[Aggregate] = &[
    Aggregate::new("sum", &[Int2], Int8, || Box::new(Whole::default())),
    Aggregate::new("sum", &[Int4], Int8, || Box::new(Whole::default())),
    Aggregate::new("sum", &[Int8], N, || Box::new(Exact::new(Statistic::Sum))),
    Aggregate::new("sum", &[N], N, || Box::new(Exact::new(Statistic::Sum))),
    Aggregate::new("sum", &[Float4], Float4, || Box::new(FloatSum { single: true, sum: None })),
    Aggregate::new("sum", &[Float8], Float8, || Box::new(FloatSum { single: false, sum: None })),
    Aggregate::new("sum", &[V], V, || Box::new(Spans { mean: false, ..Spans::default() })),
    Aggregate::new("avg", &[Int2], N, || Box::new(Exact::new(Statistic::Mean))),
    Aggregate::new("avg", &[Int4], N, || Box::new(Exact::new(Statistic::Mean))),
    Aggregate::new("avg", &[Int8], N, || Box::new(Exact::new(Statistic::Mean))),
    Aggregate::new("avg", &[N], N, || Box::new(Exact::new(Statistic::Mean))),
    Aggregate::new("avg", &[Float4], Float8, || Box::new(Floats::new(Statistic::Mean))),
    Aggregate::new("avg", &[Float8], Float8, || Box::new(Floats::new(Statistic::Mean))),
    Aggregate::new("avg", &[V], V, || Box::new(Spans { mean: true, ..Spans::default() })),
    Aggregate::new("bit_and", &[Int2], Int2, || Box::new(Bits { with: |a, b| a & b, bits: None })),
    Aggregate::new("bit_and", &[Int4], Int4, || Box::new(Bits { with: |a, b| a & b, bits: None })),
    Aggregate::new("bit_and", &[Int8], Int8, || Box::new(Bits { with: |a, b| a & b, bits: None })),
    Aggregate::new("bit_or", &[Int2], Int2, || Box::new(Bits { with: |a, b| a | b, bits: None })),
    Aggregate::new("bit_or", &[Int4], Int4, || Box::new(Bits { with: |a, b| a | b, bits: None })),
    Aggregate::new("bit_or", &[Int8], Int8, || Box::new(Bits { with: |a, b| a | b, bits: None })),
    Aggregate::new("bit_xor", &[Int2], Int2, || Box::new(Bits { with: |a, b| a ^ b, bits: None })),
    Aggregate::new("bit_xor", &[Int4], Int4, || Box::new(Bits { with: |a, b| a ^ b, bits: None })),
    Aggregate::new("bit_xor", &[Int8], Int8, || Box::new(Bits { with: |a, b| a ^ b, bits: None })),
];

#[derive(Clone, Copy)]
enum Statistic {
    Sum,
    Mean,
    Deviation { sample: bool, root: bool },
}

/// The sum of integers that fit `bigint`.
#[derive(Clone, Default)]
struct Whole {
    sum: Option<i64>,
}

impl State for Whole {
    fn step(&mut self, _: &mut Context<'_>, arguments: &[Value]) -> Result<()> {
        let sum = self.sum.unwrap_or(0).checked_add(int(arguments, 0)?);
        self.sum = Some(sum.ok_or_else(|| out_of_range("bigint"))?);
        Ok(())
    }

    fn finish(&mut self, _: &mut Context<'_>) -> Result<Value> {
        Ok(self.sum.map_or(Value::Null, Value::Int))
    }
}

/// Exact statistics.
#[derive(Clone)]
struct Exact {
    statistic: Statistic,
    count: i64,
    sum: Numeric,
    squares: Numeric,
}

impl Exact {
    fn new(statistic: Statistic) -> Exact {
        Exact { statistic, count: 0, sum: Numeric::from_i64(0), squares: Numeric::from_i64(0) }
    }

    fn deviation(sample: bool, root: bool) -> Exact {
        Exact::new(Statistic::Deviation { sample, root })
    }

    /// Digits of a root beyond those that are shown.
    const GUARD: i32 = 20;

    fn spread(&self, sample: bool, root: bool) -> Result<Value> {
        if self.count == 0 || (sample && self.count == 1) {
            return Ok(Value::Null);
        }
        if !matches!(self.sum, Numeric::Finite { .. }) {
            return Ok(Value::Numeric(Numeric::NaN));
        }
        let count = Numeric::from_i64(self.count);
        let numerator = count.mul(&self.squares).sub(&self.sum.mul(&self.sum));
        if numerator.is_zero() || numerator.is_negative() {
            return Ok(Value::Numeric(Numeric::from_i64(0)));
        }
        let others = Numeric::from_i64(if sample { self.count - 1 } else { self.count });
        let variance = numerator.div(&count.mul(&others))?;
        if !root {
            return Ok(Value::Numeric(variance));
        }
        let shown = i32::try_from(variance.scale()).unwrap_or(0);
        Ok(Value::Numeric(variance.round(shown + Exact::GUARD).sqrt()?.round(shown)))
    }
}

impl State for Exact {
    fn step(&mut self, _: &mut Context<'_>, arguments: &[Value]) -> Result<()> {
        let value = match arguments.first() {
            Some(Value::Int(value)) => Numeric::from_i64(*value),
            _ => number(arguments, 0)?.clone(),
        };
        self.count += 1;
        if matches!(self.statistic, Statistic::Deviation { .. }) {
            self.squares = self.squares.add(&value.mul(&value));
        }
        self.sum = self.sum.add(&value);
        Ok(())
    }

    fn finish(&mut self, _: &mut Context<'_>) -> Result<Value> {
        match self.statistic {
            _ if self.count == 0 => Ok(Value::Null),
            Statistic::Sum => self.sum.clone().kept().map(Value::Numeric),
            Statistic::Mean => {
                let sum = self.sum.clone().kept()?;
                sum.div(&Numeric::from_i64(self.count))?.kept().map(Value::Numeric)
            }
            Statistic::Deviation { sample, root } => match self.spread(sample, root)? {
                Value::Numeric(number) => number.kept().map(Value::Numeric),
                nothing => Ok(nothing),
            },
        }
    }
}

fn overflow() -> Error {
    Error::new(Code::NUMERIC_OUT_OF_RANGE, "value out of range: overflow")
}

/// A sum in the precision of its type.
#[derive(Clone)]
struct FloatSum {
    single: bool,
    sum: Option<f64>,
}

impl State for FloatSum {
    fn step(&mut self, _: &mut Context<'_>, arguments: &[Value]) -> Result<()> {
        let value = float(arguments, 0)?;
        let before = self.sum.unwrap_or(0.0);
        let sum = if self.single { types::text::single(before + value) } else { before + value };
        if sum.is_infinite() && !before.is_infinite() && !value.is_infinite() {
            return Err(overflow());
        }
        self.sum = Some(if self.sum.is_some() { sum } else { value });
        Ok(())
    }

    fn finish(&mut self, _: &mut Context<'_>) -> Result<Value> {
        Ok(self.sum.map_or(Value::Null, Value::Float))
    }
}

/// Means and deviations of floats, by the algorithm of Youngs and Cramer.
#[derive(Clone)]
struct Floats {
    statistic: Statistic,
    count: f64,
    sum: f64,
    squares: f64,
}

impl Floats {
    fn new(statistic: Statistic) -> Floats {
        Floats { statistic, count: 0.0, sum: 0.0, squares: 0.0 }
    }
}

impl State for Floats {
    fn step(&mut self, _: &mut Context<'_>, arguments: &[Value]) -> Result<()> {
        let value = float(arguments, 0)?;
        let (count, sum) = (self.count + 1.0, self.sum + value);
        if self.count > 0.0 {
            let distance = value * count - sum;
            self.squares += distance * distance / (count * self.count);
            if (sum.is_infinite() || self.squares.is_infinite())
                && !self.sum.is_infinite()
                && !value.is_infinite()
            {
                return Err(overflow());
            }
            if sum.is_infinite() || sum.is_nan() {
                self.squares = f64::NAN;
            }
        } else if value.is_nan() || value.is_infinite() {
            self.squares = f64::NAN;
        }
        (self.count, self.sum) = (count, sum);
        Ok(())
    }

    fn finish(&mut self, _: &mut Context<'_>) -> Result<Value> {
        Ok(match self.statistic {
            _ if self.count == 0.0 => Value::Null,
            Statistic::Sum => Value::Float(self.sum),
            Statistic::Mean => Value::Float(self.sum / self.count),
            Statistic::Deviation { sample: true, .. } if self.count == 1.0 => Value::Null,
            Statistic::Deviation { sample, root } => {
                let variance = self.squares / if sample { self.count - 1.0 } else { self.count };
                Value::Float(if root { variance.sqrt() } else { variance })
            }
        })
    }
}

/// Sums and means of intervals.
#[derive(Clone, Default)]
struct Spans {
    mean: bool,
    count: u32,
    sum: Interval,
}

impl State for Spans {
    fn step(&mut self, _: &mut Context<'_>, arguments: &[Value]) -> Result<()> {
        self.sum = interval::add(self.sum, interval_at(arguments, 0)?)?;
        self.count += 1;
        Ok(())
    }

    fn finish(&mut self, _: &mut Context<'_>) -> Result<Value> {
        Ok(match self.count {
            0 => Value::Null,
            count if self.mean => Value::Interval(moment::divide(self.sum, f64::from(count))?),
            _ => Value::Interval(self.sum),
        })
    }
}

/// `bit_and`, `bit_or`, `bit_xor`
#[derive(Clone)]
struct Bits {
    with: fn(i64, i64) -> i64,
    bits: Option<i64>,
}

impl State for Bits {
    fn step(&mut self, _: &mut Context<'_>, arguments: &[Value]) -> Result<()> {
        let bits = int(arguments, 0)?;
        self.bits = Some(self.bits.map_or(bits, |before| (self.with)(before, bits)));
        Ok(())
    }

    fn finish(&mut self, _: &mut Context<'_>) -> Result<Value> {
        Ok(self.bits.map_or(Value::Null, Value::Int))
    }
}
