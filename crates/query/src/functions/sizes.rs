//! Facts about the server and sizes for people (PostgreSQL 9.26, 9.27.7), as far as they are the same everywhere.

use types::numeric::Numeric;
use types::ty::format_type;
use types::{Error, Result, Type, Value};

use super::Ty::{Any, Int8 as L, Text as T};
use super::arguments::{int, invalid, ok_text, text};
use super::numbers::number;
use super::{Context, Function};

pub(super) static ROWS: &[Function] = &[
    Function::new("pg_typeof", &[Any], T, |c, _| ok_text(format_type(c.argument(0), None))).lax().stable(),
    Function::new("pg_column_size", &[Any], super::Ty::Int4, column_size).stable(),
    Function::new("pg_client_encoding", &[], T, |_, _| ok_text("UTF8")).stable(),
    Function::new("getdatabaseencoding", &[], T, |_, _| ok_text("UTF8")).stable(),
    Function::new("pg_size_pretty", &[L], T, |_, a| ok_text(pretty(int(a, 0)?))),
    Function::new("pg_size_pretty", &[super::Ty::Numeric], T, |_, a| pretty_number(number(a, 0)?)),
    Function::new("pg_size_bytes", &[T], L, bytes),
    Function::new("parse_ident", &[T, super::Ty::Bool], super::Ty::Array(&T), identifiers).optional(1),
];

/// Types whose values all take the same number of bytes.
const FIXED: &[(Type, i64)] = &[
    (Type::Bool, 1),
    (Type::Int2, 2),
    (Type::Int4, 4),
    (Type::Int8, 8),
    (Type::Float4, 4),
    (Type::Float8, 8),
    (Type::Date, 4),
    (Type::Time, 8),
    (Type::Timestamp, 8),
    (Type::Timestamptz, 8),
    (Type::Timetz, 12),
    (Type::Interval, 16),
    (Type::Uuid, 16),
];

/// What a value takes where it is kept; of one whose length varies it depends on where that is.
fn column_size(context: &mut Context<'_>, _: &[Value]) -> Result<Value> {
    let ty = context.argument(0);
    let size = FIXED.iter().find(|(fixed, _)| fixed == ty).map(|(_, size)| Value::Int(*size));
    size.ok_or_else(|| {
        Error::missing(format!("pg_column_size() of values of type {}", format_type(ty, None)))
    })
}

const UNITS: [&str; 6] = ["bytes", "kB", "MB", "GB", "TB", "PB"];

/// A unit is left when its number has more than four digits; halves are rounded away from zero.
fn pretty(size: i64) -> String {
    let size = i128::from(size);
    let mut left = size.abs();
    for (at, unit) in UNITS.iter().enumerate() {
        let is_last = at + 1 == UNITS.len();
        // Twice the number, so that what is cut off can still be rounded.
        let shown = if at == 0 { left } else { (left + 1) / 2 };
        let limit = if at == 0 { 10 * 1024 } else { 20 * 1024 - 1 };
        if is_last || left < limit {
            return format!("{}{shown} {unit}", if size < 0 { "-" } else { "" });
        }
        left >>= if at == 0 { 9 } else { 10 };
    }
    String::new()
}

/// The same of any number, as far as it goes by its own rules: a fraction of a byte is told.
fn pretty_number(size: &Numeric) -> Result<Value> {
    let two = Numeric::from_i64(2);
    let mut left = size.clone();
    for (at, unit) in UNITS.iter().enumerate() {
        let limit = Numeric::from_i64(if at == 0 { 10 * 1024 } else { 20 * 1024 - 1 });
        if at + 1 == UNITS.len() || left.abs().compare(&limit).is_lt() {
            let shown = if at == 0 { left } else { halved(&left, &two)? };
            return ok_text(format!("{shown} {unit}"));
        }
        let divisor = Numeric::from_i64(if at == 0 { 1 << 9 } else { 1 << 10 });
        left = left.div(&divisor)?.trunc(0);
    }
    Ok(Value::Null)
}

/// Half of a whole number; halves are rounded away from zero.
fn halved(number: &Numeric, two: &Numeric) -> Result<Numeric> {
    let one = Numeric::from_i64(if number.compare(&Numeric::from_i64(0)).is_lt() { -1 } else { 1 });
    Ok(number.add(&one).div(two)?.trunc(0))
}

fn bytes(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let written = text(arguments, 0)?;
    let trimmed = written.trim();
    let is_digit = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
    let end = trimmed
        .char_indices()
        .find(|(at, c)| !is_digit(*c) || (c.eq_ignore_ascii_case(&'e') && !exponent(trimmed, *at)));
    let (digits, unit) = trimmed.split_at(end.map_or(trimmed.len(), |(at, _)| at));
    let refused = || invalid(format!("invalid size: \"{written}\""));
    if !digits.contains(|c: char| c.is_ascii_digit()) {
        return Err(refused());
    }
    let number = Numeric::parse(digits).map_err(|_| refused())?;
    let unit = unit.trim();
    let shift = match unit.to_ascii_lowercase().as_str() {
        "" | "bytes" | "b" => 0,
        "kb" => 10,
        "mb" => 20,
        "gb" => 30,
        "tb" => 40,
        "pb" => 50,
        _ => {
            return Err(refused()
                .with_details(format!("Invalid size unit: \"{unit}\"."))
                .with_hint("Valid units are \"bytes\", \"kB\", \"MB\", \"GB\", \"TB\", and \"PB\"."));
        }
    };
    number.mul(&Numeric::from_i64(1 << shift)).to_i64("bigint", i64::MIN, i64::MAX).map(Value::Int)
}

fn exponent(text: &str, at: usize) -> bool {
    let behind = text.get(at + 1..).unwrap_or_default();
    behind.trim_start_matches(['+', '-']).starts_with(|c: char| c.is_ascii_digit())
}

/// The parts of a qualified name, as they are stored.
fn identifiers(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let written = text(arguments, 0)?;
    let is_strict = !matches!(arguments.get(1), Some(Value::Bool(false)));
    let refused = |details: &str| {
        let error = invalid(format!("string is not a valid identifier: \"{written}\""));
        if details.is_empty() { error } else { error.with_details(details) }
    };
    let (mut rest, mut parts, mut is_behind_dot) = (written.trim_start(), Vec::new(), false);
    loop {
        if let Some(inner) = rest.strip_prefix('"') {
            let (part, behind) =
                quoted(inner).ok_or_else(|| refused("String has unclosed double quotes."))?;
            if part.is_empty() {
                return Err(refused("Quoted identifier must not be empty."));
            }
            parts.push(Value::text(part));
            rest = behind;
        } else {
            let starts = |c: char| c.is_alphabetic() || c == '_' || !c.is_ascii();
            let goes_on = |c: char| starts(c) || c.is_ascii_digit() || c == '$';
            if !rest.starts_with(starts) {
                return Err(match (is_behind_dot, rest.starts_with('.')) {
                    (_, true) => refused("No valid identifier before \".\"."),
                    (true, _) => refused("No valid identifier after \".\"."),
                    (false, _) => refused(""),
                });
            }
            let end = rest.find(|c| !goes_on(c)).unwrap_or(rest.len());
            let folded = rest[..end].to_ascii_lowercase();
            parts.push(Value::text(super::arguments::identifier(&folded)));
            rest = &rest[end..];
        }
        let behind = rest.trim_start();
        match behind.strip_prefix('.') {
            Some(next) => {
                (rest, is_behind_dot) = (next.trim_start(), true);
            }
            None if behind.is_empty() || !is_strict => return Ok(super::arguments::list(parts)),
            None => return Err(refused("")),
        }
    }
}

/// What stands before the closing quote, doubled ones as one, and what stands behind it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut rest = text;
    loop {
        let (before, behind) = rest.split_once('"')?;
        out.push_str(before);
        match behind.strip_prefix('"') {
            Some(behind) => {
                out.push('"');
                rest = behind;
            }
            None => return Some((out, behind)),
        }
    }
}

#[cfg(test)]
mod tests {
    use types::session::Session;

    use super::*;

    #[test]
    fn identifiers_are_folded_as_names_are() {
        let session = Session::utc(0);
        let clock = || 0;
        let mut context = Context { arguments: &[], session: &session, random: &mut |_| {}, clock: &clock };
        let parts = identifiers(&mut context, &[Value::text("ÄÖÜabCÉ.\"B\"")]).unwrap();
        let wanted = super::super::arguments::list(vec![Value::text("ÄÖÜabcÉ"), Value::text("B")]);
        assert_eq!(format!("{parts:?}"), format!("{wanted:?}"));
    }
}
