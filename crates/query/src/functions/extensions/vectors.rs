//! pgvector: distances between vectors and arithmetic on them. All searches are exact: rows are ordered by their distances.

use std::sync::Arc;

use types::vector::{compare, dimensions, numbers, of, of_singles};
use types::{Code, Error, Result, Value};

use super::super::Ty::{Float8 as F, Int4 as I, Vector as V};
use super::super::arguments::{bytes, count, int};
use super::super::{Aggregate, Context, Function, State};

const EXTENSION: &str = "vector";

pub(in super::super) static ROWS: &[Function] = &[
    Function::operator("<->", &[V, V], F, |_, a| distance(a, euclidean)).of(EXTENSION),
    Function::operator("<#>", &[V, V], F, |_, a| distance(a, |a, b| -inner(a, b))).of(EXTENSION),
    Function::operator("<=>", &[V, V], F, |_, a| distance(a, cosine)).of(EXTENSION),
    Function::operator("<+>", &[V, V], F, |_, a| distance(a, taxicab)).of(EXTENSION),
    Function::operator("+", &[V, V], V, |_, a| pairwise(a, |a, b| a + b)).of(EXTENSION),
    Function::operator("-", &[V, V], V, |_, a| pairwise(a, |a, b| a - b)).of(EXTENSION),
    Function::operator("*", &[V, V], V, |_, a| pairwise(a, |a, b| a * b)).of(EXTENSION),
    Function::operator("||", &[V, V], V, |_, a| {
        let all: Vec<f32> = numbers(bytes(a, 0)?).chain(numbers(bytes(a, 1)?)).collect();
        of_singles(&all).map(Value::Bytes)
    })
    .of(EXTENSION),
    Function::new("l2_distance", &[V, V], F, |_, a| distance(a, euclidean)).of(EXTENSION),
    Function::new("inner_product", &[V, V], F, |_, a| distance(a, inner)).of(EXTENSION),
    Function::new("vector_negative_inner_product", &[V, V], F, |_, a| distance(a, |a, b| -inner(a, b)))
        .of(EXTENSION),
    Function::new("cosine_distance", &[V, V], F, |_, a| distance(a, cosine)).of(EXTENSION),
    Function::new("l1_distance", &[V, V], F, |_, a| distance(a, taxicab)).of(EXTENSION),
    Function::new("vector_dims", &[V], I, |_, a| count(dimensions(bytes(a, 0)?))).of(EXTENSION),
    Function::new("vector_norm", &[V], F, |_, a| Ok(Value::Float(norm(bytes(a, 0)?)))).of(EXTENSION),
    Function::new("l2_normalize", &[V], V, normalized).of(EXTENSION),
    Function::new("subvector", &[V, I, I], V, part).of(EXTENSION),
];

pub(in super::super) static AGGREGATES: &[Aggregate] = &[
    Aggregate::new("sum", &[V], V, || Box::new(Sum { is_mean: false, rows: 0.0, sums: Vec::new() })),
    Aggregate::new("avg", &[V], V, || Box::new(Sum { is_mean: true, rows: 0.0, sums: Vec::new() })),
    Aggregate::new("min", &[V], V, || Box::new(Extreme { is_least: true, found: None })),
    Aggregate::new("max", &[V], V, || Box::new(Extreme { is_least: false, found: None })),
];

fn uneven(left: usize, right: usize) -> Error {
    Error::new(Code::ARRAY_ELEMENT_ERROR, format!("different vector dimensions {left} and {right}"))
}

/// Both operands, of as many dimensions.
fn both(arguments: &[Value]) -> Result<(&[u8], &[u8])> {
    let (left, right) = (bytes(arguments, 0)?, bytes(arguments, 1)?);
    if left.len() == right.len() {
        return Ok((left, right));
    }
    Err(uneven(dimensions(left), dimensions(right)))
}

/// A distance is summed up in single precision, as pgvector does.
fn distance(arguments: &[Value], measure: fn(&[u8], &[u8]) -> f64) -> Result<Value> {
    let (left, right) = both(arguments)?;
    Ok(Value::Float(measure(left, right)))
}

fn pairs<'v>(left: &'v [u8], right: &'v [u8]) -> impl Iterator<Item = (f32, f32)> + 'v {
    numbers(left).zip(numbers(right))
}

fn euclidean(left: &[u8], right: &[u8]) -> f64 {
    let sum = pairs(left, right).fold(0.0_f32, |sum, (left, right)| sum + (left - right) * (left - right));
    f64::from(sum).sqrt()
}

fn inner(left: &[u8], right: &[u8]) -> f64 {
    pairs(left, right).fold(0.0_f32, |sum, (left, right)| sum + left * right).into()
}

fn taxicab(left: &[u8], right: &[u8]) -> f64 {
    pairs(left, right).fold(0.0_f32, |sum, (left, right)| sum + (left - right).abs()).into()
}

/// Not a number for a vector without a direction.
fn cosine(left: &[u8], right: &[u8]) -> f64 {
    let square = |vector| numbers(vector).fold(0.0_f32, |sum, number| sum + number * number);
    let lengths = f64::from(square(left)) * f64::from(square(right));
    let alike = inner(left, right) / lengths.sqrt();
    1.0 - if alike.is_nan() { alike } else { alike.clamp(-1.0, 1.0) }
}

fn norm(vector: &[u8]) -> f64 {
    numbers(vector).map(f64::from).map(|number| number * number).sum::<f64>().sqrt()
}

fn pairwise(arguments: &[Value], join: fn(f32, f32) -> f32) -> Result<Value> {
    let (left, right) = both(arguments)?;
    let all: Vec<f32> = pairs(left, right).map(|(left, right)| join(left, right)).collect();
    if all.iter().any(|number| number.is_infinite()) {
        return Err(Error::new(Code::NUMERIC_OUT_OF_RANGE, "value out of range: overflow"));
    }
    of_singles(&all).map(Value::Bytes)
}

/// A vector of nothing stays one.
fn normalized(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let vector = bytes(arguments, 0)?;
    let norm = norm(vector);
    let of_norm = |number: f32| if norm > 0.0 { f64::from(number) / norm } else { 0.0 };
    of(&numbers(vector).map(of_norm).collect::<Vec<f64>>()).map(Value::Bytes)
}

/// From a dimension on, the first is 1; what is not there is left out.
fn part(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (vector, start, length) = (bytes(arguments, 0)?, int(arguments, 1)?, int(arguments, 2)?);
    let from = usize::try_from(start - 1).unwrap_or(0);
    let end = usize::try_from(start - 1 + length.max(0)).unwrap_or(0);
    let all: Vec<f32> = numbers(vector).take(end).skip(from).collect();
    of_singles(&all).map(Value::Bytes)
}

/// Sums and means, in double precision until the end.
#[derive(Clone)]
struct Sum {
    is_mean: bool,
    rows: f64,
    sums: Vec<f64>,
}

impl State for Sum {
    fn step(&mut self, _: &mut Context<'_>, arguments: &[Value]) -> Result<()> {
        let vector = bytes(arguments, 0)?;
        if self.rows == 0.0 {
            self.sums = vec![0.0; dimensions(vector)];
        }
        if self.sums.len() != dimensions(vector) {
            return Err(uneven(self.sums.len(), dimensions(vector)));
        }
        self.rows += 1.0;
        self.sums.iter_mut().zip(numbers(vector)).for_each(|(sum, number)| *sum += f64::from(number));
        Ok(())
    }

    fn finish(&mut self, _: &mut Context<'_>) -> Result<Value> {
        if self.rows == 0.0 {
            return Ok(Value::Null);
        }
        let by = if self.is_mean { self.rows } else { 1.0 };
        of(&self.sums.iter().map(|sum| sum / by).collect::<Vec<f64>>()).map(Value::Bytes)
    }
}

/// The least or the greatest.
#[derive(Clone)]
struct Extreme {
    is_least: bool,
    found: Option<Arc<[u8]>>,
}

impl State for Extreme {
    fn step(&mut self, _: &mut Context<'_>, arguments: &[Value]) -> Result<()> {
        let vector = bytes(arguments, 0)?;
        let is_better = |found: &Arc<[u8]>| {
            let order = compare(vector, found);
            if self.is_least { order.is_lt() } else { order.is_gt() }
        };
        if self.found.as_ref().is_none_or(is_better) {
            self.found = Some(vector.into());
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Context<'_>) -> Result<Value> {
        Ok(self.found.clone().map_or(Value::Null, Value::Bytes))
    }
}
