//! The table of set-returning functions, registered, and what takes rows together and apart.
//!
//! Rows travel as one JSON array of arrays of stored values (`render::sqlite` says why): a float or bytes as an object of one
//! key, because JSON has no exact form of them.

use std::panic::AssertUnwindSafe;

use query::functions::{self, SetFunction};
use rusqlite::Connection;
use rusqlite::functions::{Aggregate, Context as Arguments};
use rusqlite::types::Value as Owned;
use types::json::{DEPTH_MAX, Json, parse, write_string};
use types::stored::{Cell, encode};
use types::{Error, Result, Value, signature};

use super::errors::carried;
use super::execute;
use super::functions::FLAGS;
use super::surroundings::{self, Surroundings, argument};

pub(super) fn register(connection: &Connection, surroundings: &Surroundings) -> rusqlite::Result<()> {
    for function in functions::sets() {
        let own = surroundings.clone();
        connection.create_scalar_function(function.symbol().as_str(), -1, FLAGS, move |arguments| {
            called(function, &own, arguments).map(Owned::Text).map_err(|error| carried(&error))
        })?;
    }
    Ok(())
}

/// The columns and the types of the arguments, as texts before the arguments.
const WORDS: usize = 2;

fn called(
    function: &'static SetFunction,
    surroundings: &Surroundings,
    arguments: &Arguments<'_>,
) -> Result<String> {
    let columns = surroundings::words(arguments, signature::parse_fields).map_err(Error::internal)?;
    let types = arguments.get_raw(1).as_str().map_err(Error::internal)?;
    let types = if types.is_empty() { Some(Vec::new()) } else { surroundings::types(types) };
    let types = types.ok_or_else(|| Error::internal("the types of a call"))?;
    let values = types.iter().enumerate().map(|(position, ty)| argument(arguments, position + WORDS, ty));
    let values = values.collect::<Result<Vec<Value>>>()?;
    let rows = surroundings.evaluate(&types, |context| function.call(context, &columns, &values))?;
    let mut out = vec![b'['];
    for row in rows {
        open(&mut out);
        for (field, value) in columns.iter().zip(&row) {
            write(&mut out, encode(&field.ty, value)?.as_cell());
        }
        out.push(b']');
    }
    close(out)
}

/// Begins a row.
fn open(out: &mut Vec<u8>) {
    out.extend(if out.len() > 1 { &b",["[..] } else { b"[" });
}

fn close(mut out: Vec<u8>) -> Result<String> {
    out.push(b']');
    String::from_utf8(out).map_err(Error::internal)
}

/// Writes one stored value of a row.
fn write(out: &mut Vec<u8>, cell: Cell<'_>) {
    if !out.ends_with(b"[") {
        out.push(b',');
    }
    match cell {
        Cell::Null => out.extend(b"null"),
        Cell::Int(value) => out.extend(value.to_string().bytes()),
        Cell::Real(value) => out.extend(format!("{{\"r\":\"{value:?}\"}}").bytes()),
        Cell::Blob(bytes) => {
            out.extend(b"{\"b\":\"");
            bytes.iter().for_each(|byte| out.extend(format!("{byte:02x}").bytes()));
            out.extend(b"\"}");
        }
        Cell::Text(text) | Cell::Json(text) => write_string(out, text),
    }
}

/// Takes one stored value out of a row.
pub(super) fn cell(_: &Surroundings, arguments: &Arguments<'_>) -> rusqlite::Result<Owned> {
    let Ok(row) = arguments.get_raw(0).as_str() else { return Ok(Owned::Null) };
    let position = usize::try_from(arguments.get::<i64>(1)?).unwrap_or(usize::MAX);
    let broken = || carried(&Error::internal("a row that was not packed"));
    let Ok(Json::Array(cells)) = parse(row, DEPTH_MAX) else { return Err(broken()) };
    match cells.into_iter().nth(position) {
        None | Some(Json::Null) => Ok(Owned::Null),
        Some(Json::Number(number)) => number.parse().map(Owned::Integer).map_err(|_| broken()),
        Some(Json::String(text)) => Ok(Owned::Text(text)),
        Some(special) => match (special.get("r"), special.get("b")) {
            (Some(Json::String(real)), _) => real.parse().map(Owned::Real).map_err(|_| broken()),
            (_, Some(Json::String(hex))) => bytes(hex).map(Owned::Blob).ok_or_else(broken),
            _ => Err(broken()),
        },
    }
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    (0..hex.len() / 2).map(|at| u8::from_str_radix(hex.get(at * 2..at * 2 + 2)?, 16).ok()).collect()
}

/// Several such arrays side by side; the shorter ones end with nulls.
pub(super) fn zip(_: &Surroundings, arguments: &Arguments<'_>) -> rusqlite::Result<Owned> {
    let widths = surroundings::words(arguments, |text| {
        text.split(';').map(|width| width.parse::<usize>().ok()).collect::<Option<Vec<_>>>()
    })?;
    let broken = |_| carried(&Error::internal("rows that were not packed"));
    let mut sides = Vec::new();
    for position in 1..arguments.len() {
        let text = arguments.get_raw(position).as_str().unwrap_or("[]");
        let Json::Array(rows) = parse(text, DEPTH_MAX).map_err(broken)? else {
            return Err(broken(Error::internal("")));
        };
        sides.push(rows.into_iter());
    }
    let mut all = Vec::new();
    loop {
        let next: Vec<Option<Json>> = sides.iter_mut().map(Iterator::next).collect();
        if next.iter().all(Option::is_none) {
            return Ok(Owned::Text(Json::Array(all).compact()));
        }
        let cells = next.into_iter().zip(&*widths).flat_map(|(row, width)| match row {
            Some(Json::Array(cells)) => cells,
            _ => vec![Json::Null; *width],
        });
        all.push(Json::Array(cells.collect()));
    }
}

/// Rows as such an array.
pub(super) struct Pack;

impl Aggregate<AssertUnwindSafe<Vec<u8>>, Owned> for Pack {
    fn init(&self, _: &mut Arguments<'_>) -> rusqlite::Result<AssertUnwindSafe<Vec<u8>>> {
        Ok(AssertUnwindSafe(vec![b'[']))
    }

    fn step(
        &self,
        arguments: &mut Arguments<'_>,
        out: &mut AssertUnwindSafe<Vec<u8>>,
    ) -> rusqlite::Result<()> {
        open(out);
        for position in 0..arguments.len() {
            write(out, execute::cell(arguments.get_raw(position)).map_err(|error| carried(&error))?);
        }
        out.push(b']');
        Ok(())
    }

    fn finalize(
        &self,
        _: &mut Arguments<'_>,
        out: Option<AssertUnwindSafe<Vec<u8>>>,
    ) -> rusqlite::Result<Owned> {
        let out = out.map_or_else(|| vec![b'['], |out| out.0);
        close(out).map(Owned::Text).map_err(|error| carried(&error))
    }
}
