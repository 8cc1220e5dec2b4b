//! Calls with `variadic` before their last argument: its elements are what the function of that name is given.
//!
//! A row's name has a word more than the function's, which no name in SQL without quotation marks has.

use types::{Error, Result, Type, Value};

use super::Ty::{self, Any, Array as Of, Int4 as I, Json as J, Jsonb as B, Text as T};
use super::ty::element;
use super::{Context, Eval, Function};

/// What stands behind the name of a function.
pub const WORD: &str = " variadic";

pub(super) static ROWS: &[Function] = &[
    Function::new("concat variadic", &[LIST], T, |c, a| spread(c, a, super::format::concat)).lax().stable(),
    Function::new("concat_ws variadic", &[T, LIST], T, |c, a| spread(c, a, super::format::concat_ws))
        .lax()
        .stable(),
    Function::new("format variadic", &[T, LIST], T, |c, a| match a {
        // It alone takes no list for one without elements.
        [format, Value::Null] => super::format::format(c, std::slice::from_ref(format)),
        all => spread(c, all, super::format::format),
    })
    .lax()
    .stable(),
    Function::new("json_build_array variadic", &[LIST], J, |c, a| {
        spread(c, a, super::json_build::json_array)
    })
    .lax()
    .stable(),
    Function::new("jsonb_build_array variadic", &[LIST], B, |c, a| {
        spread(c, a, super::json_build::jsonb_array)
    })
    .lax()
    .stable(),
    Function::new("json_build_object variadic", &[LIST], J, |c, a| {
        spread(c, a, super::json_build::json_object)
    })
    .lax()
    .stable(),
    Function::new("jsonb_build_object variadic", &[LIST], B, |c, a| {
        spread(c, a, super::json_build::jsonb_object)
    })
    .lax()
    .stable(),
    Function::new("num_nulls variadic", &[LIST], I, |c, a| spread(c, a, super::values::nulls)).lax(),
    Function::new("num_nonnulls variadic", &[LIST], I, |c, a| spread(c, a, super::values::others)).lax(),
    Function::new("json_extract_path variadic", &[J, Of(&T)], J, |c, a| spread(c, a, super::json::extracted)),
    Function::new("json_extract_path_text variadic", &[J, Of(&T)], T, |c, a| {
        spread(c, a, super::json::extracted_text)
    }),
    Function::new("jsonb_extract_path variadic", &[B, Of(&T)], B, |c, a| {
        spread(c, a, super::json::extracted_binary)
    }),
    Function::new("jsonb_extract_path_text variadic", &[B, Of(&T)], T, |c, a| {
        spread(c, a, super::json::extracted_text)
    }),
];

const LIST: Ty = Of(&Any);

/// Calls a function with the elements of the last argument; of a list that is null the result is null.
fn spread(context: &mut Context<'_>, arguments: &[Value], of: Eval) -> Result<Value> {
    let Some((last, first)) = arguments.split_last() else { return Ok(Value::Null) };
    let elements = match last {
        Value::Null => return Ok(Value::Null),
        Value::Array(array) => &array.elements,
        _ => return Err(Error::missing("VARIADIC of anything but an array")),
    };
    let ty = element(context.argument(first.len())).cloned().unwrap_or(Type::Text);
    let types: Vec<Type> = (0..first.len())
        .map(|at| context.argument(at).clone())
        .chain(elements.iter().map(|_| ty.clone()))
        .collect();
    let all: Vec<Value> = first.iter().chain(elements).cloned().collect();
    of(&mut context.with(&types), &all)
}
