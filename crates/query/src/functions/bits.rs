//! Bit strings (PostgreSQL 9.6), which are texts of zeros and ones. Positions count from the first, which is leftmost.

use types::{Code, Error, Result, Value};

use super::Ty::{Bit as B, Int4 as I, Int8 as L, Varbit as V};
use super::aggregate::{Aggregate, State};
use super::arguments::{count, int, invalid, ok_text, text};
use super::text::{overlaid, range, slice};
use super::{Context, Function};

pub(super) static ROWS: &[Function] = &[
    Function::operator("||", &[V, V], V, |_, a| ok_text([text(a, 0)?, text(a, 1)?].concat())),
    Function::operator("&", &[B, B], B, |_, a| {
        ok_text(combined(Combination::And, text(a, 0)?, text(a, 1)?)?)
    }),
    Function::operator("|", &[B, B], B, |_, a| ok_text(combined(Combination::Or, text(a, 0)?, text(a, 1)?)?)),
    Function::operator("#", &[B, B], B, |_, a| {
        ok_text(combined(Combination::Xor, text(a, 0)?, text(a, 1)?)?)
    }),
    Function::operator("<<", &[B, I], B, |_, a| ok_text(shifted(text(a, 0)?, int(a, 1)?))),
    Function::operator(">>", &[B, I], B, |_, a| ok_text(shifted(text(a, 0)?, -int(a, 1)?))),
    Function::prefix("~", &[B], B, |_, a| {
        ok_text(text(a, 0)?.bytes().map(|bit| if bit == b'1' { '0' } else { '1' }).collect::<String>())
    }),
    Function::new("length", &[B], I, |_, a| count(text(a, 0)?.len())),
    Function::new("bit_length", &[B], I, |_, a| count(text(a, 0)?.len())),
    Function::new("octet_length", &[B], I, |_, a| count(text(a, 0)?.len().div_ceil(8))),
    Function::new("bit_count", &[B], L, |_, a| count(text(a, 0)?.bytes().filter(|bit| *bit == b'1').count())),
    Function::new("get_bit", &[B, I], I, |_, a| {
        let at = index(int(a, 1)?, text(a, 0)?.len())?;
        Ok(Value::Int((text(a, 0)?.as_bytes().get(at) == Some(&b'1')).into()))
    }),
    Function::new("set_bit", &[B, I, I], B, set_bit),
    Function::new("substring", &[B, I], B, substring),
    Function::new("substring", &[B, I, I], B, substring),
    Function::new("overlay", &[B, B, I], B, overlaid),
    Function::new("overlay", &[B, B, I, I], B, overlaid),
    Function::new("position", &[B, B], I, |_, a| match (text(a, 0)?, text(a, 1)?) {
        ("", _) => Ok(Value::Int(0)),
        (whole, part) => count(whole.find(part).map_or(0, |at| at + 1)),
    }),
];

pub(super) static AGGREGATES: &[Aggregate] = &[
    Aggregate::new("bit_and", &[B], B, || Box::new(Together { with: Combination::And, bits: None })),
    Aggregate::new("bit_or", &[B], B, || Box::new(Together { with: Combination::Or, bits: None })),
    Aggregate::new("bit_xor", &[B], B, || Box::new(Together { with: Combination::Xor, bits: None })),
];

#[derive(Clone, Copy, Debug)]
enum Combination {
    And,
    Or,
    Xor,
}

impl Combination {
    fn of(self, left: bool, right: bool) -> bool {
        match self {
            Combination::And => left && right,
            Combination::Or => left || right,
            Combination::Xor => left != right,
        }
    }
}

fn combined(with: Combination, left: &str, right: &str) -> Result<String> {
    if left.len() != right.len() {
        let word = format!("{with:?}").to_uppercase();
        let message = format!("cannot {word} bit strings of different sizes");
        return Err(Error::new(Code::STRING_LENGTH_MISMATCH, message));
    }
    let pairs = left.bytes().zip(right.bytes());
    let bit = |(left, right)| if with.of(left == b'1', right == b'1') { '1' } else { '0' };
    Ok(pairs.map(bit).collect())
}

/// To the left; zeros come in from the right, and a negative distance goes the other way.
fn shifted(bits: &str, distance: i64) -> String {
    let by = usize::try_from(distance.unsigned_abs()).unwrap_or(usize::MAX).min(bits.len());
    let zeros = "0".repeat(by);
    if distance >= 0 {
        format!("{}{zeros}", bits.get(by..).unwrap_or(""))
    } else {
        format!("{zeros}{}", bits.get(..bits.len() - by).unwrap_or(""))
    }
}

fn index(position: i64, length: usize) -> Result<usize> {
    usize::try_from(position).ok().filter(|at| *at < length).ok_or_else(|| {
        let last = i64::try_from(length).unwrap_or(i64::MAX) - 1;
        let message = format!("bit index {position} out of valid range (0..{last})");
        Error::new(Code::ARRAY_SUBSCRIPT, message)
    })
}

fn set_bit(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let bits = text(arguments, 0)?;
    let at = index(int(arguments, 1)?, bits.len())?;
    let bit = match int(arguments, 2)? {
        0 => "0",
        1 => "1",
        _ => return Err(invalid("new bit must be 0 or 1")),
    };
    ok_text([bits.get(..at).unwrap_or(""), bit, bits.get(at + 1..).unwrap_or("")].concat())
}

fn substring(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (start, end) = range(arguments)?;
    ok_text(slice(text(arguments, 0)?, start, end))
}

#[derive(Clone)]
struct Together {
    with: Combination,
    bits: Option<String>,
}

impl State for Together {
    fn step(&mut self, _: &mut Context<'_>, arguments: &[Value]) -> Result<()> {
        let bits = text(arguments, 0)?;
        self.bits = Some(match &self.bits {
            None => bits.to_owned(),
            Some(before) => combined(self.with, before, bits)?,
        });
        Ok(())
    }

    fn finish(&mut self, _: &mut Context<'_>) -> Result<Value> {
        Ok(self.bits.take().map_or(Value::Null, Value::text))
    }
}
