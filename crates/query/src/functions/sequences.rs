//! Sequences, as functions ask them (PostgreSQL 9.17), and as tables that are read. Whoever is around counts.
//!
//! Resolution writes calls of these rows in place of what is called: with the sequence's name in full, and with the role whose
//! rights are asked. Nobody can call them by their own names, in which there are spaces.

use catalog::{Catalog, Sequence};
use types::{Error, Name, Result, Value};

use super::Ty::{Bool, Int8 as L, Text as T};
use super::arguments::{boolean, int, text};
use super::around::{self, Count, Counting};
use super::{Context, Function, Kind, candidates};
use crate::ir::{CallerField, Expr};

/// `nextval(sequence)`
const NEXT: &str = "nextval as";
/// The same where something may be changed.
const NEXT_WRITING: &str = "nextval writing as";
/// `currval(sequence)`
const CURRENT: &str = "currval as";
/// `lastval()`
const LAST: &str = "lastval as";
/// `setval(sequence, value [, is_called])`
const SET: &str = "setval as";
const SET_WRITING: &str = "setval writing as";
/// Whether a sequence may be read as a table: true, or an error.
pub(crate) const READ: &str = "sequence read as";
/// The columns of a sequence that is read as a table.
pub(crate) const COLUMNS: [(&str, &str); 3] = [
    ("last_value", "sequence last_value as"),
    ("log_cnt", "sequence log_cnt as"),
    ("is_called", "sequence is_called as"),
];

pub(super) static ROWS: &[Function] = &[
    Function::new(NEXT, &[T, T], L, next).volatile().around(),
    Function::new(NEXT_WRITING, &[T, T], L, next).volatile().around().changing(),
    Function::new(CURRENT, &[T, T], L, |_, a| of(a, Count::Current)).volatile().around(),
    Function::new(LAST, &[T], L, |_, a| {
        around::count(&Counting { sequence: None, role: text(a, 0)?, what: Count::Current })
    })
    .volatile()
    .around(),
    Function::new(SET, &[T, L, T], L, set).volatile().around(),
    Function::new(SET, &[T, L, Bool, T], L, set).volatile().around(),
    Function::new(SET_WRITING, &[T, L, T], L, set).volatile().around().changing(),
    Function::new(SET_WRITING, &[T, L, Bool, T], L, set).volatile().around().changing(),
    Function::new(READ, &[T, T], Bool, |_, a| of(a, Count::Read)).volatile().around(),
    Function::new(COLUMNS[0].1, &[T, T], L, |_, a| of(a, Count::LastValue)).stable().around(),
    // How far a server's log is ahead is nothing that another engine knows.
    Function::new(COLUMNS[1].1, &[T, T], L, |_, _| Err(Error::missing("log_cnt of a sequence"))).stable(),
    Function::new(COLUMNS[2].1, &[T, T], Bool, |_, a| of(a, Count::IsCalled)).stable().around(),
];

/// What is called, with how many arguments, and the row that stands for it: where nothing may be changed, and elsewhere.
pub(crate) const CALLS: &[(&str, usize, [&str; 2])] = &[
    ("nextval", 1, [NEXT, NEXT_WRITING]),
    ("currval", 1, [CURRENT, CURRENT]),
    ("lastval", 0, [LAST, LAST]),
    ("setval", 2, [SET, SET_WRITING]),
    ("setval", 3, [SET, SET_WRITING]),
];

fn next(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    of(arguments, Count::Next)
}

fn set(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
    let is_called = arguments.len() == 3 || boolean(arguments, 2)?;
    of(arguments, Count::Set { value: int(arguments, 1)?, is_called })
}

/// Asks the sequence that the first argument names, as the role that the last one names.
fn of(arguments: &[Value], what: Count) -> Result<Value> {
    let role = text(arguments, arguments.len().saturating_sub(1))?;
    around::count(&Counting { sequence: Some(text(arguments, 0)?), role, what })
}

/// Whether a name is one that nobody can call.
pub(crate) fn is_hidden(name: &str) -> bool {
    ROWS.iter().any(|function| function.name == name)
}

/// Whether a function takes the next value of a sequence.
pub fn counts(function: &Function) -> bool {
    matches!(function.name, NEXT | NEXT_WRITING)
}

/// The next value of a sequence, with the rights of whoever is the caller then.
pub fn next_value(name: &Name) -> Option<Expr> {
    let name = Expr::Const { value: Value::text(written(name)), ty: types::Type::Text };
    let function = candidates(NEXT, Kind::Function).next()?;
    let args = vec![name, Expr::Caller(CallerField::Role)];
    Some(Expr::Apply { function, args, ty: types::Type::Int8 })
}

/// The sequence that an expression takes the next value of, where it is known by its name.
pub fn counted(expr: &Expr) -> Option<Name> {
    match expr {
        Expr::Apply { function, args, .. } if counts(function) => match args.first() {
            Some(Expr::Const { value: Value::Text(text), .. }) => Some(crate::resolve::sequence_name(text)),
            _ => None,
        },
        _ => None,
    }
}

/// A sequence by the name that is handed to these functions.
///
/// # Errors
/// `42809` for a relation that is none, `42P01` where there is no relation.
pub fn named<'c>(catalog: &'c Catalog, text: &str) -> Result<&'c Sequence> {
    let name = crate::resolve::sequence_name(text);
    catalog.sequences.get(&name).ok_or_else(|| match catalog.table(&name) {
        Some(_) => Error::new(types::Code::WRONG_OBJECT_TYPE, format!("\"{}\" is not a sequence", name.name)),
        None => {
            Error::new(types::Code::UNDEFINED_TABLE, format!("relation \"{}\" does not exist", name.name))
        }
    })
}

/// A name with its schema, each in quotes.
pub(crate) fn written(name: &Name) -> String {
    let quoted = |part: &str| format!("\"{}\"", part.replace('"', "\"\""));
    format!("{}.{}", quoted(&name.schema), quoted(&name.name))
}
