//! Frames of windows over rows in memory (PostgreSQL 4.2.8, `nodeWindowAgg.c`): those that an engine's own windows do not know, and
//! functions whose numbers are computed.
//!
//! The rows of a partition come first, in its order, and then what is said of each, in the same order.

use std::cmp::Ordering;

use types::compare::compare;
use types::numeric::Numeric;
use types::value::Interval;
use types::{Code, Error, Result, Type, Value};

use super::interrupt::Steps;
use super::{Aggregate, Context, Kind, aggregates, choose};
use crate::ir::{FrameExclusion, FrameUnit};

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// What is computed of a frame, or of the row in hand.
#[derive(Clone, Copy, Debug)]
pub enum Framed {
    /// An aggregate.
    Aggregate(&'static Aggregate),
    /// `first_value`
    First,
    /// `last_value`
    Last,
    /// `nth_value`
    Nth,
    /// `lag`
    Lag,
    /// `lead`
    Lead,
    /// `ntile`
    Buckets,
}

/// The functions that are no aggregates.
const NAMES: &[(&str, Framed)] = &[
    ("first_value", Framed::First),
    ("last_value", Framed::Last),
    ("nth_value", Framed::Nth),
    ("lag", Framed::Lag),
    ("lead", Framed::Lead),
    ("ntile", Framed::Buckets),
];

impl Framed {
    /// What a window function's name or an aggregate's symbol says.
    pub fn of(word: &str) -> Option<Framed> {
        let named = NAMES.iter().find(|(name, _)| *name == word).map(|(_, framed)| *framed);
        named.or_else(|| aggregates().find(|aggregate| aggregate.symbol() == word).map(Framed::Aggregate))
    }
}

/// An end of a frame; the offset is a value of the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// `unbounded preceding`
    First,
    /// `offset preceding`
    Before,
    /// `current row`
    Current,
    /// `offset following`
    After,
    /// `unbounded following`
    Last,
}

/// How a key orders rows.
#[derive(Clone, Debug)]
pub struct Key {
    /// Its type.
    pub ty: Type,
    /// Largest first.
    pub descending: bool,
    /// Whether nulls come first.
    pub nulls_first: bool,
}

/// What is asked of the rows.
#[derive(Clone, Debug)]
pub struct Spec {
    /// What is computed.
    pub framed: Framed,
    /// What is counted.
    pub unit: FrameUnit,
    /// Where a frame starts.
    pub start: Bound,
    /// Where it ends.
    pub end: Bound,
    /// What it leaves out.
    pub exclude: FrameExclusion,
    /// The types of the function's arguments.
    pub arguments: Vec<Type>,
    /// The types of the offsets.
    pub offsets: [Type; 2],
    /// The order.
    pub keys: Vec<Key>,
}

/// A row of a partition.
#[derive(Clone, Debug)]
pub struct FramedRow {
    /// The function's arguments.
    pub arguments: Vec<Value>,
    /// Whether an aggregate looks at it.
    pub is_kept: bool,
    /// The offsets of its frame's ends.
    pub offsets: [Value; 2],
    /// The keys of its place in the order.
    pub keys: Vec<Value>,
}

impl FramedRow {
    /// The bytes that it takes in memory.
    fn weight(&self) -> usize {
        let values = self.arguments.iter().chain(&self.offsets).chain(&self.keys);
        size_of::<FramedRow>() + values.map(Value::weight).sum::<usize>()
    }
}

/// The rows of a partition, and how far they were told.
#[derive(Debug)]
pub struct Frames {
    spec: Spec,
    rows: Vec<FramedRow>,
    at: usize,
    /// The first rows of groups of equal rows, in order.
    groups: Vec<usize>,
    buckets: Option<Buckets>,
    steps: Steps,
    /// Bytes that the rows take.
    bytes: usize,
}

/// Most bytes of the rows of a partition.
const PARTITION_BYTES_MAX: usize = 64 << 20;

/// Rows in buckets of about the same size.
#[derive(Clone, Copy, Debug)]
struct Buckets {
    bucket: i64,
    boundary: i64,
    remainder: i64,
    rows: i64,
}

impl Frames {
    /// No rows yet.
    pub fn new(spec: Spec) -> Frames {
        let (rows, groups) = (Vec::new(), Vec::new());
        Frames { spec, rows, at: 0, groups, buckets: None, steps: Steps::default(), bytes: 0 }
    }

    /// Takes the next row of the partition.
    ///
    /// # Errors
    /// `54000` when all rows of it are too long together.
    pub fn take(&mut self, row: FramedRow) -> Result<()> {
        self.bytes += row.weight();
        if self.bytes > PARTITION_BYTES_MAX {
            let message = format!("rows of more than {PARTITION_BYTES_MAX} bytes in a partition of a window");
            return Err(Error::new(Code::LIMIT_EXCEEDED, message));
        }
        let is_first = match self.rows.last() {
            None => true,
            Some(last) => !self.spec.keys.iter().zip(last.keys.iter().zip(&row.keys)).all(
                |(key, (left, right))| match (left.is_null(), right.is_null()) {
                    (false, false) => compare(&key.ty, left, right).is_eq(),
                    (left, right) => left && right,
                },
            ),
        };
        if is_first {
            self.groups.push(self.rows.len());
        }
        self.rows.push(row);
        Ok(())
    }

    /// What is said of the next row.
    ///
    /// # Errors
    /// What PostgreSQL raises for these rows, `57014` when the time is over.
    pub fn next(&mut self, context: &mut Context<'_>) -> Result<Value> {
        let at = self.at;
        self.at += 1;
        let Some(row) = self.rows.get(at) else { return Ok(Value::Null) };
        let number = |position: usize| match row.arguments.get(position) {
            Some(Value::Int(number)) => Some(*number),
            _ => None,
        };
        match self.spec.framed {
            Framed::Lag => Ok(self.beside(at, number(1), -1)),
            Framed::Lead => Ok(self.beside(at, number(1), 1)),
            Framed::Buckets => self.bucket(number(0)),
            Framed::First => {
                let found = self.frame(at, context)?.into_iter().next();
                Ok(self.value_of(found))
            }
            Framed::Last => {
                let found = self.frame(at, context)?.pop();
                Ok(self.value_of(found))
            }
            Framed::Nth => match number(1) {
                None => Ok(Value::Null),
                Some(nth) => {
                    let nth = usize::try_from(nth).ok().filter(|nth| *nth > 0).ok_or_else(|| {
                        Error::new(Code::NTH_VALUE, "argument of nth_value must be greater than zero")
                    })?;
                    let found = self.frame(at, context)?.get(nth - 1).copied();
                    Ok(self.value_of(found))
                }
            },
            Framed::Aggregate(aggregate) => {
                let frame = self.frame(at, context)?;
                let mut state = (aggregate.init)();
                for at in frame {
                    self.steps.next()?;
                    if let Some(row) = self.rows.get(at).filter(|row| row.is_kept) {
                        aggregate.step(state.as_mut(), context, &row.arguments)?;
                    }
                }
                state.finish(context)
            }
        }
    }

    fn value_of(&self, at: Option<usize>) -> Value {
        let row = at.and_then(|at| self.rows.get(at));
        row.and_then(|row| row.arguments.first()).cloned().unwrap_or(Value::Null)
    }

    /// `lag` and `lead`
    fn beside(&self, at: usize, number: Option<i64>, direction: i64) -> Value {
        let row = &self.rows[at];
        let number = match row.arguments.get(1) {
            None => 1,
            Some(_) => match number {
                None => return Value::Null,
                Some(number) => number,
            },
        };
        let there = i64::try_from(at).ok().and_then(|at| at.checked_add(number * direction));
        match there.and_then(|there| usize::try_from(there).ok()).and_then(|there| self.rows.get(there)) {
            Some(other) => other.arguments.first().cloned().unwrap_or(Value::Null),
            None => row.arguments.get(2).cloned().unwrap_or(Value::Null),
        }
    }

    /// `ntile`: how many buckets there are, the first row says that says it.
    fn bucket(&mut self, number: Option<i64>) -> Result<Value> {
        let mut buckets = match (self.buckets, number) {
            (Some(buckets), _) => buckets,
            (None, None) => return Ok(Value::Null),
            (None, Some(number)) if number <= 0 => {
                return Err(Error::new(Code::NTILE, "argument of ntile must be greater than zero"));
            }
            (None, Some(number)) => {
                let rows = i64::try_from(self.rows.len()).unwrap_or(i64::MAX);
                let (boundary, remainder) = (rows / number, rows % number);
                match boundary {
                    0 => Buckets { bucket: 1, boundary: 1, remainder: 0, rows: 0 },
                    _ => Buckets {
                        bucket: 1,
                        boundary: boundary + i64::from(remainder != 0),
                        remainder,
                        rows: 0,
                    },
                }
            }
        };
        buckets.rows += 1;
        if buckets.boundary < buckets.rows {
            if buckets.remainder != 0 && buckets.bucket == buckets.remainder {
                buckets.remainder = 0;
                buckets.boundary -= 1;
            }
            buckets.bucket += 1;
            buckets.rows = 1;
        }
        self.buckets = Some(buckets);
        Ok(Value::Int(buckets.bucket))
    }

    /// The positions of the rows of a row's frame.
    fn frame(&mut self, at: usize, context: &mut Context<'_>) -> Result<Vec<usize>> {
        let start = self.edge(at, self.spec.start, 0, context)?;
        let end = self.edge(at, self.spec.end, 1, context)?;
        let group = self.group_of(at);
        let (from, to) = self.rows_of_group(group);
        let exclude = self.spec.exclude;
        let stays = |row: &usize| match exclude {
            FrameExclusion::Nothing => true,
            FrameExclusion::Current => *row != at,
            FrameExclusion::Group => !(from..to).contains(row),
            FrameExclusion::Ties => *row == at || !(from..to).contains(row),
        };
        Ok((start..end.max(start)).filter(stays).collect())
    }

    fn group_of(&self, at: usize) -> usize {
        self.groups.partition_point(|first| *first <= at).saturating_sub(1)
    }

    fn rows_of_group(&self, group: usize) -> (usize, usize) {
        let all = self.rows.len();
        let first = |group: usize| self.groups.get(group).copied().unwrap_or(all);
        (first(group), first(group + 1))
    }

    /// Where a frame begins (`which` 0), or behind which row it ends (1).
    fn edge(&mut self, at: usize, bound: Bound, which: usize, context: &mut Context<'_>) -> Result<usize> {
        let all = self.rows.len();
        let forward = match bound {
            Bound::First => return Ok(0),
            Bound::Last => return Ok(all),
            Bound::Current => {
                return Ok(match (self.spec.unit, which) {
                    (FrameUnit::Rows, _) => at + which,
                    (_, 0) => self.rows_of_group(self.group_of(at)).0,
                    (_, _) => self.rows_of_group(self.group_of(at)).1,
                });
            }
            Bound::Before => false,
            Bound::After => true,
        };
        let end = if which == 0 { "starting" } else { "ending" };
        let offset = self.rows[at].offsets[which].clone();
        if offset.is_null() {
            return Err(Error::new(Code::NULL_NOT_ALLOWED, format!("frame {end} offset must not be null")));
        }
        if self.spec.unit == FrameUnit::Range {
            return self.edge_in_range(at, (forward, which), &offset, context);
        }
        let Value::Int(offset) = offset else { return Err(Error::internal("an offset that is no number")) };
        let Ok(offset) = usize::try_from(offset) else {
            let message = format!("frame {end} offset must not be negative");
            return Err(Error::new(Code::FRAME_OFFSET, message));
        };
        let moved =
            |from: usize| if forward { Some(from.saturating_add(offset)) } else { from.checked_sub(offset) };
        Ok(match self.spec.unit {
            FrameUnit::Groups => match moved(self.group_of(at)) {
                None => 0,
                Some(group) => {
                    let (from, to) = self.rows_of_group(group.min(self.groups.len()));
                    if which == 0 { from } else { to }
                }
            },
            _ => moved(at).map_or(0, |row| row.saturating_add(which).min(all)),
        })
    }

    /// The first row of the frame, or the first behind it, by values (`update_frameheadpos`, `update_frametailpos`).
    fn edge_in_range(
        &mut self,
        at: usize,
        (forward, which): (bool, usize),
        offset: &Value,
        context: &mut Context<'_>,
    ) -> Result<usize> {
        let Some(key) = self.spec.keys.first().cloned() else {
            return Err(Error::internal("a range without an order"));
        };
        let (subtract, less) = (forward == key.descending, (which == 1) != key.descending);
        let base = self.rows[at].keys[0].clone();
        let reach = match base.is_null() {
            true => None,
            false => Some(Reach::of(&key.ty, &base, &self.spec.offsets[which], offset, subtract, context)?),
        };
        for position in 0..self.rows.len() {
            self.steps.next()?;
            let value = &self.rows[position].keys[0];
            let is_edge = match &reach {
                Some(reach) if !value.is_null() => reach.holds(&key.ty, value, less) == (which == 0),
                _ => match (key.nulls_first, which) {
                    (true, 0) => !value.is_null() || base.is_null(),
                    (false, 0) => value.is_null() || !base.is_null(),
                    (true, _) => !value.is_null(),
                    (false, _) => !base.is_null(),
                },
            };
            if is_edge {
                return Ok(position);
            }
        }
        Ok(self.rows.len())
    }
}

/// How far a frame reaches from a value (`in_range`).
enum Reach {
    /// To a value.
    To(Value),
    /// To everything.
    All,
    /// From or to what is no number.
    NaN,
}

impl Reach {
    fn of(
        ty: &Type,
        base: &Value,
        offset_type: &Type,
        offset: &Value,
        subtract: bool,
        context: &mut Context<'_>,
    ) -> Result<Reach> {
        refuse_negative(offset_type, offset)?;
        let sign: i64 = if subtract { -1 } else { 1 };
        Ok(match (base, offset) {
            (Value::Int(base), Value::Int(offset)) => match base.checked_add(sign * offset) {
                Some(sum) => Reach::To(Value::Int(sum)),
                None => Reach::To(Value::Int(if subtract { i64::MIN } else { i64::MAX })),
            },
            (Value::Float(base), Value::Float(_)) if base.is_nan() => Reach::NaN,
            (Value::Float(base), Value::Float(offset)) => {
                let away = if subtract { *base > 0.0 } else { *base < 0.0 };
                match offset.is_infinite() && base.is_infinite() && away {
                    true => Reach::All,
                    false => Reach::To(Value::Float(if subtract { base - offset } else { base + offset })),
                }
            }
            (Value::Date(days), Value::Interval(_)) => {
                let moved = moved(
                    (&Type::Timestamp, &Value::Timestamp(midnight(*days))),
                    (offset_type, offset),
                    subtract,
                    context,
                )?;
                Reach::To(moved)
            }
            (Value::Time(time), Value::Interval(offset)) => {
                Reach::To(Value::Time(time.saturating_add(sign.saturating_mul(offset.micros))))
            }
            (base, offset) => Reach::To(moved((ty, base), (offset_type, offset), subtract, context)?),
        })
    }

    /// Whether a value lies before (`less`) or behind where it reaches.
    fn holds(&self, ty: &Type, value: &Value, less: bool) -> bool {
        let is_nan = matches!(value, Value::Float(number) if number.is_nan());
        let reached = match self {
            Reach::All => return true,
            // What is no number is larger than all.
            Reach::NaN => return is_nan || less,
            Reach::To(_) if is_nan => return !less,
            Reach::To(reached) => reached,
        };
        let order = match (value, reached) {
            (Value::Date(days), Value::Timestamp(reached)) => midnight(*days).cmp(reached),
            (Value::Time(value), Value::Time(reached)) => value.cmp(reached),
            (value, reached) => compare(ty, value, reached),
        };
        if less { order != Ordering::Greater } else { order != Ordering::Less }
    }
}

fn moved(
    (ty, base): (&Type, &Value),
    (offset_type, offset): (&Type, &Value),
    subtract: bool,
    context: &mut Context<'_>,
) -> Result<Value> {
    let types = [ty.clone(), offset_type.clone()];
    let chosen = choose(if subtract { "-" } else { "+" }, Kind::Operator, &types)?;
    chosen.function.call(&mut context.with(&types), &[base.clone(), offset.clone()])
}

/// When a day begins, as a timestamp.
fn midnight(days: i32) -> i64 {
    match days {
        i32::MAX => i64::MAX,
        i32::MIN => i64::MIN,
        days => i64::from(days) * MICROS_PER_DAY,
    }
}

fn refuse_negative(ty: &Type, offset: &Value) -> Result<()> {
    let is_negative = match offset {
        Value::Int(offset) => *offset < 0,
        Value::Float(offset) => offset.is_nan() || *offset < 0.0,
        Value::Numeric(offset) => offset.is_negative() || matches!(offset, Numeric::NaN),
        Value::Interval(_) => compare(ty, offset, &Value::Interval(Interval::default())).is_lt(),
        _ => false,
    };
    match is_negative {
        true => Err(Error::new(Code::FRAME_OFFSET, "invalid preceding or following size in window function")),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::Session;

    fn spec(framed: &str, (unit, start, end): (FrameUnit, Bound, Bound)) -> Spec {
        Spec {
            framed: Framed::of(framed).expect("a function"),
            unit,
            start,
            end,
            exclude: FrameExclusion::Nothing,
            arguments: vec![Type::Int8],
            offsets: [Type::Int8, Type::Int8],
            keys: vec![Key { ty: Type::Int8, descending: false, nulls_first: false }],
        }
    }

    fn of_number(number: i64, offsets: [i64; 2]) -> FramedRow {
        let value = || Value::Int(number);
        FramedRow {
            arguments: vec![value()],
            is_kept: true,
            offsets: offsets.map(Value::Int),
            keys: vec![value()],
        }
    }

    /// What is said of each row of whole numbers, which are their order, too.
    #[track_caller]
    fn check(
        framed: &str,
        frame: (FrameUnit, Bound, Bound),
        offsets: [i64; 2],
        rows: &[i64],
        expected: &[i64],
    ) {
        let mut frames = Frames::new(spec(framed, frame));
        for row in rows {
            frames.take(of_number(*row, offsets)).expect("few rows");
        }
        let session = Session::utc(0);
        let mut context =
            Context { arguments: &[Type::Int8], session: &session, random: &mut |_| {}, clock: &|| 0 };
        let said = rows.iter().map(|_| match frames.next(&mut context) {
            Ok(Value::Int(said)) => said,
            Ok(_) => -1,
            Err(error) => panic!("{}", error.message()),
        });
        assert_eq!(said.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn ends_are_counted_in_rows_groups_and_values() {
        let rows = [1, 1, 2, 5];
        let around = |unit| (unit, Bound::Before, Bound::After);
        check("pg_agg_count_any", around(FrameUnit::Rows), [1, 1], &rows, &[2, 3, 3, 2]);
        check("pg_agg_count_any", around(FrameUnit::Groups), [1, 0], &rows, &[2, 2, 3, 2]);
        check("pg_agg_count_any", around(FrameUnit::Range), [1, 1], &rows, &[3, 3, 3, 1]);
        check("first_value", (FrameUnit::Rows, Bound::After, Bound::Last), [2, 0], &rows, &[2, 5, -1, -1]);
        check("last_value", (FrameUnit::Rows, Bound::First, Bound::Before), [0, 1], &rows, &[-1, 1, 1, 2]);
    }

    #[test]
    fn rows_of_a_partition_are_bounded_in_bytes() {
        let mut frames = Frames::new(spec("first_value", (FrameUnit::Rows, Bound::First, Bound::Last)));
        let long = Value::text("x".repeat(1 << 20));
        let mut take = || frames.take(FramedRow { arguments: vec![long.clone()], ..of_number(1, [0, 0]) });
        assert!((0..63).all(|_| take().is_ok()));
        let refusals: Vec<Code> = (0..2).filter_map(|_| take().err()).map(|error| error.code()).collect();
        assert_eq!(refusals, [Code::LIMIT_EXCEEDED; 2]);
    }

    #[test]
    fn the_first_row_says_how_many_buckets_there_are() {
        let all = (FrameUnit::Rows, Bound::First, Bound::Last);
        check("ntile", all, [0, 0], &[3, 4, 5, 6, 7], &[1, 1, 2, 2, 3]);
        check("ntile", all, [0, 0], &[7, 8], &[1, 2]);
    }
}
