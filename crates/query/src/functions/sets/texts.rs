//! Parts of texts as rows (PostgreSQL 9.4, 9.7).

use types::{Result, Value};

use super::Columns::One;
use super::{SetContext, SetFunction, single};
use crate::functions::Ty::{Array as Of, Text as T};
use crate::functions::array::string_to_array;
use crate::functions::pattern::{all_matches, regexp_split_to_array};

pub(in crate::functions) static ROWS: &[SetFunction] = &[
    SetFunction::new("string_to_table", &[T, T, T], One(T), |c, a| elements(string_to_array(c.context, a)?))
        .lax()
        .optional(1),
    SetFunction::new("regexp_split_to_table", &[T, T, T], One(T), |c, a| {
        elements(regexp_split_to_array(c.context, a).map_err(|error| renamed(&error))?)
    })
    .optional(1),
    SetFunction::new("regexp_matches", &[T, T, T], One(Of(&T)), found).optional(1),
];

fn elements(array: Value) -> Result<Vec<Vec<Value>>> {
    Ok(match array {
        Value::Array(array) => single(array.elements.iter().cloned()),
        _ => Vec::new(),
    })
}

fn found(_: &mut SetContext<'_, '_>, arguments: &[Value]) -> Result<Vec<Vec<Value>>> {
    all_matches(arguments).map(single)
}

/// The same refusal speaks of the function that was called.
fn renamed(error: &types::Error) -> types::Error {
    let message = error.message().replace("regexp_split_to_array", "regexp_split_to_table");
    types::Error::new(error.code(), message)
}
