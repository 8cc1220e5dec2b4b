//! Statistics of pairs of numbers (PostgreSQL 9.21, table 9.60), by the algorithm of Youngs and Cramer.

use types::{Code, Error, Result, Value};

use super::Context;
use super::Ty::{Float8 as F, Int8};
use super::aggregate::{Aggregate, State};
use super::arguments::float;

/// Each takes the dependent number first.
macro_rules! rows {
    ($($name:literal $finish:expr;)*) => {
        &[
            Aggregate::new("regr_count", &[F, F], Int8, || Box::new(Rows(0))),
            $(Aggregate::new($name, &[F, F], F, || Box::new(Pairs { finish: $finish, ..Pairs::EMPTY })),)*]
    };
}

pub(super) static ROWS: &[Aggregate] = rows! {
    "regr_sxx" |p| p.at_least(1.0, p.xx);
    "regr_syy" |p| p.at_least(1.0, p.yy);
    "regr_sxy" |p| p.at_least(1.0, p.xy);
    "regr_avgx" |p| p.at_least(1.0, p.x / p.rows);
    "regr_avgy" |p| p.at_least(1.0, p.y / p.rows);
    "covar_pop" |p| p.at_least(1.0, p.xy / p.rows);
    "covar_samp" |p| p.at_least(2.0, p.xy / (p.rows - 1.0));
    "corr" |p| p.at_least(1.0, p.xy / (p.xx * p.yy).sqrt()).filter(|_| p.xx != 0.0 && p.yy != 0.0);
    "regr_r2" |p| {
        let share = if p.yy == 0.0 { 1.0 } else { p.xy * p.xy / (p.xx * p.yy) };
        p.at_least(1.0, share).filter(|_| p.xx != 0.0)
    };
    "regr_slope" |p| p.at_least(1.0, p.xy / p.xx).filter(|_| p.xx != 0.0);
    "regr_intercept" |p| p.at_least(1.0, (p.y - p.x * p.xy / p.xx) / p.rows).filter(|_| p.xx != 0.0);
};

/// Sums of the numbers, of the squares of their distances from the mean, and of the products of these.
#[derive(Clone)]
struct Pairs {
    finish: fn(&Pairs) -> Option<f64>,
    rows: f64,
    x: f64,
    y: f64,
    xx: f64,
    yy: f64,
    xy: f64,
}

impl Pairs {
    const EMPTY: Pairs = Pairs { finish: |_| None, rows: 0.0, x: 0.0, y: 0.0, xx: 0.0, yy: 0.0, xy: 0.0 };

    fn at_least(&self, rows: f64, number: f64) -> Option<f64> {
        (self.rows >= rows).then_some(number)
    }
}

impl State for Pairs {
    fn step(&mut self, _: &mut Context<'_>, arguments: &[Value]) -> Result<()> {
        let (y, x) = (float(arguments, 0)?, float(arguments, 1)?);
        let before = self.clone();
        (self.rows, self.x, self.y) = (before.rows + 1.0, before.x + x, before.y + y);
        let is_odd = |number: f64| number.is_nan() || number.is_infinite();
        if before.rows == 0.0 {
            if is_odd(x) {
                (self.xx, self.xy) = (f64::NAN, f64::NAN);
            }
            if is_odd(y) {
                (self.yy, self.xy) = (f64::NAN, f64::NAN);
            }
            return Ok(());
        }
        let (from_x, from_y) = (x * self.rows - self.x, y * self.rows - self.y);
        let scale = 1.0 / (self.rows * before.rows);
        self.xx += from_x * from_x * scale;
        self.yy += from_y * from_y * scale;
        self.xy += from_x * from_y * scale;
        let is_finite = |sum: f64, number: f64| !sum.is_infinite() && !number.is_infinite();
        let (of_x, of_y) = (is_finite(before.x, x), is_finite(before.y, y));
        if ((self.x.is_infinite() || self.xx.is_infinite()) && of_x)
            || ((self.y.is_infinite() || self.yy.is_infinite()) && of_y)
            || (self.xy.is_infinite() && of_x && of_y)
        {
            return Err(Error::new(Code::NUMERIC_OUT_OF_RANGE, "value out of range: overflow"));
        }
        for sum in [&mut self.xx, &mut self.yy, &mut self.xy] {
            if sum.is_infinite() {
                *sum = f64::NAN;
            }
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Context<'_>) -> Result<Value> {
        Ok((self.finish)(self).map_or(Value::Null, Value::Float))
    }
}

/// Rows without a null.
#[derive(Clone)]
struct Rows(i64);

impl State for Rows {
    fn step(&mut self, _: &mut Context<'_>, _: &[Value]) -> Result<()> {
        self.0 += 1;
        Ok(())
    }

    fn finish(&mut self, _: &mut Context<'_>) -> Result<Value> {
        Ok(Value::Int(self.0))
    }
}
