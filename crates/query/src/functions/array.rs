//! Arrays (PostgreSQL 9.19). Elements compare by their type's equality; lower bounds are 1.

use std::sync::Arc;

use types::compare::equal;
use types::value::Array;
use types::{Code, Error, Result, Type, Value};

use super::Ty::{
    AnyArray as A, AnyCompatible as E, AnyCompatibleArray as C, AnyElement, Array as Of, Bool, Int4 as I,
    Text as T,
};
use super::arguments::{array, count, int, invalid, list, ok_text, output, text, text_or_null};
use super::interrupt::{Steps, fits, fits_elements};
use super::row::Kind;
use super::ty::element;
use super::{Context, Function};

/// Subscripts are operators of their own: `[]` of an array and an index for each dimension, `[:]` of an array and two bounds for
/// each.
pub(super) static ROWS: &[Function] = &[
    Function { kind: Kind::Operator, ..Function::new("[]", &[A, I], AnyElement, element_at).variadic() },
    Function { kind: Kind::Operator, ..Function::new("[:]", &[A, I], A, slice).variadic() },
    Function::operator("||", &[C, C], C, array_cat).lax(),
    Function::operator("||", &[C, E], C, array_append).lax(),
    Function::operator("||", &[E, C], C, array_prepend).lax(),
    Function::operator("@>", &[A, A], Bool, |c, a| contained(c, array(a, 1)?, array(a, 0)?)),
    Function::operator("<@", &[A, A], Bool, |c, a| contained(c, array(a, 0)?, array(a, 1)?)),
    Function::operator("&&", &[A, A], Bool, overlap),
    Function::new("array_cat", &[C, C], C, array_cat).lax(),
    Function::new("array_append", &[C, E], C, array_append).lax(),
    Function::new("array_prepend", &[E, C], C, array_prepend).lax(),
    Function::new("array_remove", &[C, E], C, array_remove).lax(),
    Function::new("array_replace", &[C, E, E], C, array_replace).lax(),
    Function::new("array_position", &[C, E, I], I, array_position).lax().optional(1),
    Function::new("array_positions", &[C, E], Of(&I), array_positions).lax(),
    Function::new("array_length", &[A, I], I, array_length),
    Function::new("array_upper", &[A, I], I, array_length),
    Function::new("array_lower", &[A, I], I, |_, a| Ok(dimension(a)?.map_or(Value::Null, |_| Value::Int(1)))),
    Function::new("array_ndims", &[A], I, |_, a| match array(a, 0)?.dimensions.len() {
        0 => Ok(Value::Null),
        dimensions => count(dimensions),
    }),
    Function::new("array_dims", &[A], T, array_dims),
    Function::new("cardinality", &[A], I, |_, a| count(array(a, 0)?.elements.len())),
    Function::new("trim_array", &[A, I], A, trim_array),
    Function::new("array_fill", &[AnyElement, Of(&I), Of(&I)], A, array_fill).lax().optional(1),
    Function::new("array_to_string", &[A, T, T], T, array_to_string).lax().stable().optional(1),
    Function::new("string_to_array", &[T, T, T], Of(&T), string_to_array).lax().optional(1),
];

/// The type of the elements of an array argument.
fn element_type(context: &Context<'_>, position: usize) -> Type {
    element(context.argument(position)).cloned().unwrap_or(Type::Unknown)
}

/// The element at an index for each dimension; null beyond the array, and for too few or too many indexes.
fn element_at(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let within = array(arguments, 0)?;
    if within.dimensions.len() + 1 != arguments.len() {
        return Ok(Value::Null);
    }
    let mut position = 0;
    for (axis, length) in within.dimensions.iter().enumerate() {
        match u32::try_from(int(arguments, axis + 1)?) {
            Ok(index) if (1..=*length).contains(&index) => {
                position = position * *length as usize + index as usize - 1;
            }
            _ => return Ok(Value::Null),
        }
    }
    Ok(within.elements.get(position).cloned().unwrap_or(Value::Null))
}

/// `array[low:high]…`: two bounds for each dimension, outermost first; those that are not named are whole.
fn slice(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let within = array(arguments, 0)?;
    let mut bounds = Vec::new();
    for at in (1..arguments.len()).step_by(2) {
        let length = within.dimensions.get(at / 2).copied().map_or(0, i64::from);
        bounds.push((int(arguments, at)?.max(1), int(arguments, at + 1)?.min(length)));
    }
    let whole = within.dimensions.iter().skip(bounds.len()).map(|length| (1, i64::from(*length)));
    let bounds: Vec<(i64, i64)> = bounds.iter().copied().chain(whole).collect();
    let dimensions: Vec<u32> =
        bounds.iter().map(|(low, high)| u32::try_from(high - low + 1).unwrap_or(0)).collect();
    if bounds.len() > within.dimensions.len() || dimensions.contains(&0) {
        return Ok(list(Vec::new()));
    }
    let mut elements = Vec::new();
    cut(&within.elements, (&within.dimensions, &bounds), &mut elements);
    Ok(Value::Array(Arc::new(Array { dimensions, elements })))
}

/// The elements within bounds, one dimension after the other.
fn cut(elements: &[Value], (dimensions, bounds): (&[u32], &[(i64, i64)]), found: &mut Vec<Value>) {
    let (Some((_, inner)), Some(((low, high), beyond))) = (dimensions.split_first(), bounds.split_first())
    else {
        return found.extend_from_slice(elements);
    };
    let size = inner.iter().map(|length| *length as usize).product::<usize>().max(1);
    let place = |bound: i64| usize::try_from(bound).unwrap_or(0);
    for part in elements.chunks(size).take(place(*high)).skip(place(low - 1)) {
        cut(part, (inner, beyond), found);
    }
}

/// Whether two elements are the same: null is null.
fn same(ty: &Type, left: &Value, right: &Value) -> bool {
    match (left.is_null(), right.is_null()) {
        (false, false) => equal(ty, left, right),
        (left, right) => left && right,
    }
}

fn contained(context: &Context<'_>, part: &Array, whole: &Array) -> Result<Value> {
    let ty = element_type(context, 0);
    let mut steps = Steps::default();
    for wanted in &part.elements {
        if wanted.is_null() || !has(&ty, whole, wanted, &mut steps)? {
            return Ok(Value::Bool(false));
        }
    }
    Ok(Value::Bool(true))
}

/// Whether an array has an element that is no null.
fn has(ty: &Type, array: &Array, wanted: &Value, steps: &mut Steps) -> Result<bool> {
    for item in &array.elements {
        steps.next()?;
        if !item.is_null() && equal(ty, item, wanted) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn overlap(context: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let ty = element_type(context, 0);
    let (left, right) = (array(arguments, 0)?, array(arguments, 1)?);
    let mut steps = Steps::default();
    for item in left.elements.iter().filter(|item| !item.is_null()) {
        if has(&ty, right, item, &mut steps)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

/// An array argument; null is `None`.
fn array_or_null(arguments: &[Value], position: usize) -> Result<Option<&Array>> {
    match arguments.get(position) {
        None | Some(Value::Null) => Ok(None),
        Some(_) => array(arguments, position).map(Some),
    }
}

fn incompatible(details: &str) -> Error {
    Error::new(Code::ARRAY_SUBSCRIPT, "cannot concatenate incompatible arrays").with_details(details)
}

fn array_cat(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (left, right) = match (array_or_null(arguments, 0)?, array_or_null(arguments, 1)?) {
        (Some(left), Some(right)) => (left, right),
        (Some(_), None) => return Ok(arguments.first().cloned().unwrap_or(Value::Null)),
        _ => return Ok(arguments.get(1).cloned().unwrap_or(Value::Null)),
    };
    let dimensions = match (&left.dimensions[..], &right.dimensions[..]) {
        ([], other) | (other, []) => other.to_vec(),
        ([a, rest @ ..], [b, others @ ..]) if rest.len() == others.len() => {
            if rest != others {
                return Err(incompatible(
                    "Arrays with differing element dimensions are not compatible for concatenation.",
                ));
            }
            [&[a + b], rest].concat()
        }
        ([a, inner @ ..], other) if inner.len() == other.len() => {
            if inner != other {
                return Err(incompatible(
                    "Arrays with differing dimensions are not compatible for concatenation.",
                ));
            }
            [&[a + 1], inner].concat()
        }
        (other, [b, inner @ ..]) if inner.len() == other.len() => {
            if inner != other {
                return Err(incompatible(
                    "Arrays with differing dimensions are not compatible for concatenation.",
                ));
            }
            [&[b + 1], inner].concat()
        }
        (left, right) => {
            let (left, right) = (left.len(), right.len());
            let details =
                format!("Arrays of {left} and {right} dimensions are not compatible for concatenation.");
            return Err(incompatible(&details));
        }
    };
    let elements = left.elements.iter().chain(&right.elements).cloned().collect();
    Ok(Value::Array(Arc::new(Array { dimensions, elements })))
}

/// The elements of an array that grows by an element: at most one dimension.
fn growing(array: Option<&Array>) -> Result<Vec<Value>> {
    match array {
        Some(array) if array.dimensions.len() > 1 => {
            Err(Error::new(Code::ARRAY_ELEMENT_ERROR, "argument must be empty or one-dimensional array"))
        }
        Some(array) => Ok(array.elements.clone()),
        None => Ok(Vec::new()),
    }
}

fn array_append(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let mut elements = growing(array_or_null(arguments, 0)?)?;
    elements.push(arguments.get(1).cloned().unwrap_or(Value::Null));
    Ok(list(elements))
}

fn array_prepend(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let mut elements = growing(array_or_null(arguments, 1)?)?;
    elements.insert(0, arguments.first().cloned().unwrap_or(Value::Null));
    Ok(list(elements))
}

fn array_remove(context: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let Some(from) = array_or_null(arguments, 0)? else { return Ok(Value::Null) };
    if from.dimensions.len() > 1 {
        return Err(Error::missing("removing elements from multidimensional arrays"));
    }
    let ty = element_type(context, 0);
    let unwanted = arguments.get(1).unwrap_or(&Value::Null);
    Ok(list(from.elements.iter().filter(|item| !same(&ty, item, unwanted)).cloned().collect()))
}

fn array_replace(context: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let Some(from) = array_or_null(arguments, 0)? else { return Ok(Value::Null) };
    let ty = element_type(context, 0);
    let (old, new) = (arguments.get(1).unwrap_or(&Value::Null), arguments.get(2).unwrap_or(&Value::Null));
    let elements = from
        .elements
        .iter()
        .map(|item| if same(&ty, item, old) { new.clone() } else { item.clone() })
        .collect();
    Ok(Value::Array(Arc::new(Array { dimensions: from.dimensions.clone(), elements })))
}

/// Positions (from 1) of the elements that are the same as an argument.
fn positions<'a>(
    context: &Context<'_>,
    array: &'a Array,
    wanted: &'a Value,
) -> Result<impl Iterator<Item = usize> + use<'a>> {
    if array.dimensions.len() > 1 {
        return Err(Error::new(
            Code::FEATURE_NOT_SUPPORTED,
            "searching for elements in multidimensional arrays is not supported",
        ));
    }
    let ty = element_type(context, 0);
    Ok(array
        .elements
        .iter()
        .enumerate()
        .filter(move |(_, item)| same(&ty, item, wanted))
        .map(|(position, _)| position + 1))
}

fn array_position(context: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let Some(within) = array_or_null(arguments, 0)? else { return Ok(Value::Null) };
    let wanted = arguments.get(1).unwrap_or(&Value::Null);
    let mut positions = positions(context, within, wanted)?;
    if within.elements.is_empty() || (wanted.is_null() && !within.elements.iter().any(Value::is_null)) {
        return Ok(Value::Null);
    }
    let start = match arguments.get(2) {
        None => 1,
        Some(Value::Null) => {
            return Err(Error::new(Code::NULL_NOT_ALLOWED, "initial position must not be null"));
        }
        Some(_) => int(arguments, 2)?,
    };
    let found = positions.find(|position| i64::try_from(*position).is_ok_and(|position| position >= start));
    found.map_or(Ok(Value::Null), count)
}

fn array_positions(context: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let Some(within) = array_or_null(arguments, 0)? else { return Ok(Value::Null) };
    let wanted = arguments.get(1).unwrap_or(&Value::Null);
    positions(context, within, wanted)?.map(count).collect::<Result<Vec<Value>>>().map(list)
}

/// The length of the dimension that the second argument names.
fn dimension(arguments: &[Value]) -> Result<Option<u32>> {
    let wanted = int(arguments, 1)?.checked_sub(1).and_then(|wanted| usize::try_from(wanted).ok());
    let dimensions = &array(arguments, 0)?.dimensions;
    Ok(wanted.and_then(|wanted| dimensions.get(wanted).copied()))
}

fn array_length(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    Ok(dimension(arguments)?.map_or(Value::Null, |length| Value::Int(length.into())))
}

fn array_dims(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let dimensions = &array(arguments, 0)?.dimensions;
    if dimensions.is_empty() {
        return Ok(Value::Null);
    }
    ok_text(dimensions.iter().map(|length| format!("[1:{length}]")).collect::<String>())
}

fn trim_array(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (from, cut) = (array(arguments, 0)?, int(arguments, 1)?);
    let length = from.dimensions.first().copied().unwrap_or(0);
    let kept = u32::try_from(cut).ok().and_then(|cut| length.checked_sub(cut));
    let Some(kept) = kept else {
        let message = format!("number of elements to trim must be between 0 and {length}");
        return Err(Error::new(Code::ARRAY_SUBSCRIPT, message));
    };
    if kept == 0 {
        return Ok(list(Vec::new()));
    }
    let part = from.elements.len() / usize::try_from(length.max(1)).unwrap_or(1);
    let elements = from.elements.iter().take(part * usize::try_from(kept).unwrap_or(0)).cloned().collect();
    let dimensions = [&[kept], from.dimensions.get(1..).unwrap_or(&[])].concat();
    Ok(Value::Array(Arc::new(Array { dimensions, elements })))
}

/// Most elements that an array is filled with.
const FILL_MAX: u64 = 1 << 27;

fn array_fill(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let Some(lengths) = array_or_null(arguments, 1)? else {
        return Err(Error::new(Code::NULL_NOT_ALLOWED, "dimension array or low bound array cannot be null"));
    };
    if arguments.len() > 2 {
        let Some(bounds) = array_or_null(arguments, 2)? else {
            return Err(Error::new(
                Code::NULL_NOT_ALLOWED,
                "dimension array or low bound array cannot be null",
            ));
        };
        if bounds.elements.len() != lengths.elements.len() {
            let error = Error::new(Code::ARRAY_SUBSCRIPT, "wrong number of array subscripts");
            return Err(error.with_details("Low bound array has different size than dimensions array."));
        }
        if bounds.elements.iter().any(|bound| !matches!(bound, Value::Int(1))) {
            return Err(Error::missing("an array whose lower bounds are not 1"));
        }
    }
    let mut dimensions = Vec::new();
    for length in &lengths.elements {
        match length {
            Value::Int(length) => {
                let wrong = |_| {
                    Error::new(Code::LIMIT_EXCEEDED, "array size exceeds the maximum allowed (134217727)")
                };
                dimensions.push(u32::try_from(*length).map_err(wrong)?);
            }
            _ => return Err(Error::new(Code::NULL_NOT_ALLOWED, "dimension values cannot be null")),
        }
    }
    let total: u64 = dimensions.iter().map(|length| u64::from(*length)).product();
    if total >= FILL_MAX || dimensions.is_empty() || total == 0 {
        return if total >= FILL_MAX {
            Err(invalid("array size exceeds the maximum allowed (134217727)"))
        } else {
            Ok(list(Vec::new()))
        };
    }
    fits_elements(usize::try_from(total).unwrap_or(usize::MAX))?;
    let value = arguments.first().cloned().unwrap_or(Value::Null);
    let elements = vec![value; usize::try_from(total).unwrap_or(0)];
    Ok(Value::Array(Arc::new(Array { dimensions, elements })))
}

fn array_to_string(context: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let (Some(from), Some(separator)) = (array_or_null(arguments, 0)?, text_or_null(arguments, 1)?) else {
        return Ok(Value::Null);
    };
    let ty = element_type(context, 0);
    let null = text_or_null(arguments, 2)?;
    let between = separator.len() + null.map_or(0, str::len);
    fits(from.elements.len().saturating_mul(between))?;
    let shown = from
        .elements
        .iter()
        .filter_map(|item| output(&ty, item, context.session).or_else(|| null.map(str::to_owned)));
    ok_text(shown.collect::<Vec<_>>().join(separator))
}

pub(super) fn string_to_array(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    if arguments.first().is_none_or(Value::is_null) {
        return Ok(Value::Null);
    }
    let (whole, null) = (text(arguments, 0)?, text_or_null(arguments, 2)?);
    let element = |part: &str| if Some(part) == null { Value::Null } else { Value::text(part) };
    if whole.is_empty() {
        return Ok(list(Vec::new()));
    }
    fits_elements(match text_or_null(arguments, 1)? {
        None => whole.len() / 4,
        Some("") => 1,
        Some(separator) => whole.matches(separator).count(),
    })?;
    Ok(list(match text_or_null(arguments, 1)? {
        None => whole.chars().map(|c| element(c.encode_utf8(&mut [0; 4]))).collect(),
        Some("") => vec![element(whole)],
        Some(separator) => whole.split(separator).map(element).collect(),
    }))
}
