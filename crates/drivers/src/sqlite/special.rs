//! The forms that `render` writes as functions: conversions, comparisons over types without a native order, arrays, JSON.
//!
//! Names and argument shapes are [`render::sqlite::Special`]'s.

use std::cmp::Ordering;
use std::panic::AssertUnwindSafe;

use query::eval::compared;
use query::functions::{self, Function};
use query::{Compare, DomainTest};
use render::sqlite::Special;
use rusqlite::Connection;
use rusqlite::functions::{Aggregate, Context as Arguments, FunctionFlags};
use rusqlite::types::{Value as Owned, ValueRef};
use types::compare::compare;
use types::json::write_string;
use types::json_value::write_cell;
use types::{Code, Error, Modifier, Result, Type, Value, cast, signature};

use super::calls;
use super::errors::carried;
use super::execute;
use super::functions::FLAGS;
use super::sets;
use super::surroundings::{self, Surroundings, answer, argument, split};

pub(super) fn register(connection: &Connection, surroundings: &Surroundings) -> rusqlite::Result<()> {
    for &(special, name) in Special::ALL {
        let own = surroundings.clone();
        let flags = FLAGS.union(FunctionFlags::SQLITE_DETERMINISTIC);
        let compute: fn(&Surroundings, &Arguments<'_>) -> rusqlite::Result<Owned> = match special {
            Special::Cast => converted,
            Special::Compare => ordering,
            Special::Greatest => greatest,
            Special::Least => least,
            Special::AnyOf => any_of,
            Special::AllOf => all_of,
            Special::AnyBy => any_by,
            Special::AllBy => all_by,
            Special::Array => array,
            Special::Arrays => arrays,
            Special::Key => key,
            Special::JsonRow => json_row,
            Special::Field => field,
            Special::Domain => domain,
            Special::Cell => sets::cell,
            Special::Zip => sets::zip,
            Special::Pack => {
                connection.create_aggregate_function(name, -1, FLAGS, sets::Pack)?;
                continue;
            }
            Special::Call => calls::stable,
            Special::CallVolatile => {
                connection.create_scalar_function(name, -1, FLAGS, move |arguments| {
                    calls::volatile(&own, arguments)
                })?;
                continue;
            }
            Special::JsonRows => {
                connection.create_aggregate_function(
                    name,
                    -1,
                    FLAGS,
                    Rows { surroundings: own, bare: false },
                )?;
                continue;
            }
            Special::JsonValues => {
                connection.create_aggregate_function(
                    name,
                    -1,
                    FLAGS,
                    Rows { surroundings: own, bare: true },
                )?;
                continue;
            }
            // Registered with the aggregates.
            Special::Framed => continue,
            Special::SingleRow => {
                connection.create_aggregate_function(name, 1, FLAGS, SingleRow)?;
                continue;
            }
        };
        connection.create_scalar_function(name, -1, flags, move |arguments| compute(&own, arguments))?;
    }
    Ok(())
}

/// A conversion as written.
struct Conversion {
    from: Type,
    to: Type,
    modifier: Option<Modifier>,
    explicit: bool,
}

fn conversion(text: &str) -> Option<Conversion> {
    let [from, to, modifier, mode] = split(text)[..] else { return None };
    let modifier = match modifier.split_at_checked(1)? {
        ("l", length) => Some(Modifier::Length(length.parse().ok()?)),
        ("f", digits) => Some(Modifier::Fraction(digits.parse().ok()?)),
        ("p", both) => {
            let (precision, scale) = both.split_once('.')?;
            Some(Modifier::Precision { precision: precision.parse().ok()?, scale: scale.parse().ok()? })
        }
        _ => None,
    };
    Some(Conversion {
        from: signature::parse(from)?,
        to: signature::parse(to)?,
        modifier,
        explicit: mode == "e",
    })
}

fn converted(surroundings: &Surroundings, arguments: &Arguments<'_>) -> rusqlite::Result<Owned> {
    let Conversion { from, to, modifier, explicit } = &*surroundings::words(arguments, conversion)?;
    let outcome = argument(arguments, 1, from).and_then(|value| {
        surroundings
            .evaluate(&[], |context| cast::cast(from, to, *modifier, *explicit, &value, context.session))
    });
    answer(to, outcome)
}

/// The values after the words, all of one type.
fn values(arguments: &Arguments<'_>, ty: &Type) -> Result<Vec<Value>> {
    (1..arguments.len()).map(|position| argument(arguments, position, ty)).collect()
}

fn ordering(_: &Surroundings, arguments: &Arguments<'_>) -> rusqlite::Result<Owned> {
    let ty = surroundings::words(arguments, signature::parse)?;
    let outcome = values(arguments, &ty).map(|values| match &values[..] {
        [left, right] if !left.is_null() && !right.is_null() => Value::Int(compare(&ty, left, right) as i64),
        _ => Value::Null,
    });
    answer(&Type::Int8, outcome)
}

fn greatest(_: &Surroundings, arguments: &Arguments<'_>) -> rusqlite::Result<Owned> {
    extreme(arguments, Ordering::Greater)
}

fn least(_: &Surroundings, arguments: &Arguments<'_>) -> rusqlite::Result<Owned> {
    extreme(arguments, Ordering::Less)
}

fn extreme(arguments: &Arguments<'_>, wanted: Ordering) -> rusqlite::Result<Owned> {
    let ty = surroundings::words(arguments, signature::parse)?;
    let outcome = values(arguments, &ty).map(|values| {
        let known = values.into_iter().filter(|value| !value.is_null());
        known
            .reduce(|best, value| if compare(&ty, &value, &best) == wanted { value } else { best })
            .unwrap_or(Value::Null)
    });
    answer(&ty, outcome)
}

fn any_of(_: &Surroundings, arguments: &Arguments<'_>) -> rusqlite::Result<Owned> {
    compared_with_all(arguments, true)
}

fn all_of(_: &Surroundings, arguments: &Arguments<'_>) -> rusqlite::Result<Owned> {
    compared_with_all(arguments, false)
}

fn compared_with_all(arguments: &Arguments<'_>, any: bool) -> rusqlite::Result<Owned> {
    let words = surroundings::words(arguments, |text| {
        let [operator, ty] = split(text)[..] else { return None };
        let ty = signature::parse(ty)?;
        Some((Compare::of_operator(operator)?, ty.clone(), ty.array()))
    })?;
    let (operator, ty, array) = &*words;
    let outcome =
        quantified(arguments, ty, array, any, |value, element| Ok(compared(*operator, ty, value, element)));
    answer(&Type::Bool, outcome)
}

fn any_by(surroundings: &Surroundings, arguments: &Arguments<'_>) -> rusqlite::Result<Owned> {
    tested_with_all(surroundings, arguments, true)
}

fn all_by(surroundings: &Surroundings, arguments: &Arguments<'_>) -> rusqlite::Result<Owned> {
    tested_with_all(surroundings, arguments, false)
}

fn tested_with_all(
    surroundings: &Surroundings,
    arguments: &Arguments<'_>,
    any: bool,
) -> rusqlite::Result<Owned> {
    let words = surroundings::words(arguments, |text| {
        let [symbol, ty, array] = split(text)[..] else { return None };
        let function: &'static Function = functions::all().find(|function| function.symbol() == symbol)?;
        let Type::Array(element) = signature::parse(array)? else { return None };
        Some((function, signature::parse(ty)?, (*element).clone()))
    })?;
    let (function, ty, element_type) = &*words;
    let types = [ty.clone(), element_type.clone()];
    let outcome = quantified(arguments, ty, &element_type.clone().array(), any, |value, element| {
        surroundings.evaluate(&types, |context| function.call(context, &[value.clone(), element.clone()]))
    });
    answer(&Type::Bool, outcome)
}

/// `value op any (array)` (decided by true) and `value op all (array)` (decided by false).
fn quantified(
    arguments: &Arguments<'_>,
    ty: &Type,
    array: &Type,
    any: bool,
    test: impl Fn(&Value, &Value) -> Result<Value>,
) -> Result<Value> {
    let value = argument(arguments, 1, ty)?;
    let Value::Array(array) = argument(arguments, 2, array)? else { return Ok(Value::Null) };
    let mut result = Value::Bool(!any);
    for element in &array.elements {
        match test(&value, element)? {
            Value::Bool(found) if found == any => return Ok(Value::Bool(any)),
            Value::Null => result = Value::Null,
            _ => {}
        }
    }
    Ok(result)
}

/// A word between semicolons, as it was before.
fn unmarked(word: &str) -> String {
    word.replace("\\;", ";").replace("\\\\", "\\")
}

fn domain(_: &Surroundings, arguments: &Arguments<'_>) -> rusqlite::Result<Owned> {
    let test = surroundings::words(arguments, |text| {
        let [name, not_null, checks @ ..] = &split(text)[..] else { return None };
        Some(DomainTest {
            name: unmarked(name).into(),
            not_null: *not_null == "1",
            checks: checks.iter().map(|check| unmarked(check).into()).collect(),
        })
    })?;
    let value: Owned = arguments.get(1)?;
    let is_false = (2..arguments.len()).map(|at| matches!(arguments.get_raw(at), ValueRef::Integer(0)));
    test.hold(matches!(value, Owned::Null), is_false).map_err(|error| carried(&error))?;
    Ok(value)
}

fn field(surroundings: &Surroundings, arguments: &Arguments<'_>) -> rusqlite::Result<Owned> {
    let words = surroundings::words(arguments, |text| {
        let [ty, name] = split(text)[..] else { return None };
        Some((signature::parse(ty)?, unmarked(name)))
    })?;
    let (ty, name) = &*words;
    let row = argument(arguments, 1, &Type::Text);
    let outcome = row.and_then(|row| {
        surroundings.evaluate(&[], |context| query::eval::field(name, ty, &row, context.session))
    });
    answer(ty, outcome)
}

fn key(_: &Surroundings, arguments: &Arguments<'_>) -> rusqlite::Result<Owned> {
    let ty = surroundings::words(arguments, signature::parse)?;
    let outcome = argument(arguments, 1, &ty).map(|value| match value {
        Value::Null => Value::Null,
        value => Value::Bytes(types::sort_key::of(&ty, &value).into()),
    });
    answer(&Type::Bytea, outcome)
}

fn array(_: &Surroundings, arguments: &Arguments<'_>) -> rusqlite::Result<Owned> {
    let ty = surroundings::words(arguments, signature::parse)?;
    let Type::Array(element) = &*ty else { return Err(carried(&Error::internal("an array of no type"))) };
    answer(&ty, values(arguments, element).and_then(query::eval::array))
}

fn arrays(_: &Surroundings, arguments: &Arguments<'_>) -> rusqlite::Result<Owned> {
    let ty = surroundings::words(arguments, signature::parse)?;
    answer(&ty, values(arguments, &ty).and_then(query::eval::array))
}

/// A column of a nested row: its key as JSON text, and its type.
struct Field {
    key: Vec<u8>,
    ty: Type,
}

fn shape(text: &str) -> Option<Vec<Field>> {
    let mut lines = text.lines();
    let mut fields = Vec::new();
    while let Some(name) = lines.next() {
        let mut key = Vec::new();
        write_string(&mut key, &unescaped(name));
        key.push(b':');
        fields.push(Field { key, ty: signature::parse(lines.next()?)? });
    }
    Some(fields)
}

/// `\\` and `\n` as what they stand for.
pub(super) fn unescaped(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut chars = name.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.clone().next() == Some('n') => {
                chars.next();
                out.push('\n');
            }
            '\\' => out.extend(chars.next()),
            c => out.push(c),
        }
    }
    out
}

fn write_row(
    out: &mut Vec<u8>,
    fields: &[Field],
    bare: bool,
    arguments: &Arguments<'_>,
    surroundings: &Surroundings,
) -> Result<()> {
    if !bare {
        out.push(b'{');
    }
    for (position, field) in fields.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        if !bare {
            out.extend(&field.key);
        }
        let cell = execute::cell(arguments.get_raw(position + 1))?;
        surroundings.evaluate(&[], |context| write_cell(out, &field.ty, cell, context.session))?;
    }
    if !bare {
        out.push(b'}');
    }
    Ok(())
}

fn text(bytes: Vec<u8>) -> rusqlite::Result<Owned> {
    String::from_utf8(bytes).map(Owned::Text).map_err(|_| carried(&Error::internal("JSON that is not UTF-8")))
}

fn json_row(surroundings: &Surroundings, arguments: &Arguments<'_>) -> rusqlite::Result<Owned> {
    let fields = surroundings::words(arguments, shape)?;
    let mut out = Vec::with_capacity(64);
    write_row(&mut out, &fields, false, arguments, surroundings).map_err(|error| carried(&error))?;
    text(out)
}

/// Nested rows as a JSON array: of objects, or of the only column's values.
struct Rows {
    surroundings: Surroundings,
    bare: bool,
}

struct Written {
    fields: Vec<Field>,
    out: Vec<u8>,
}

impl Aggregate<AssertUnwindSafe<Written>, Owned> for Rows {
    fn init(&self, arguments: &mut Arguments<'_>) -> rusqlite::Result<AssertUnwindSafe<Written>> {
        let fields = arguments.get_raw(0).as_str().ok().and_then(shape);
        let fields = fields.ok_or_else(|| carried(&Error::internal("the shape of a nested row")))?;
        Ok(AssertUnwindSafe(Written { fields, out: vec![b'['] }))
    }

    fn step(
        &self,
        arguments: &mut Arguments<'_>,
        written: &mut AssertUnwindSafe<Written>,
    ) -> rusqlite::Result<()> {
        let Written { fields, out } = &mut written.0;
        if out.len() > 1 {
            out.push(b',');
        }
        write_row(out, fields, self.bare, arguments, &self.surroundings).map_err(|error| carried(&error))
    }

    fn finalize(
        &self,
        _: &mut Arguments<'_>,
        written: Option<AssertUnwindSafe<Written>>,
    ) -> rusqlite::Result<Owned> {
        let mut out = written.map_or_else(|| vec![b'['], |written| written.0.out);
        out.push(b']');
        text(out)
    }
}

/// The value of the only row of a scalar subquery.
struct SingleRow;

impl Aggregate<Option<Owned>, Owned> for SingleRow {
    fn init(&self, _: &mut Arguments<'_>) -> rusqlite::Result<Option<Owned>> {
        Ok(None)
    }

    fn step(&self, arguments: &mut Arguments<'_>, only: &mut Option<Owned>) -> rusqlite::Result<()> {
        if only.is_some() {
            let message = "more than one row returned by a subquery used as an expression";
            return Err(carried(&Error::new(Code::CARDINALITY, message)));
        }
        *only = Some(arguments.get::<Owned>(0)?);
        Ok(())
    }

    fn finalize(&self, _: &mut Arguments<'_>, only: Option<Option<Owned>>) -> rusqlite::Result<Owned> {
        Ok(only.flatten().unwrap_or(Owned::Null))
    }
}
