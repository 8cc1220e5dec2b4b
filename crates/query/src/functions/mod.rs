//! The one table of functions and operators: a row per overload, with its evaluation.
//!
//! Resolution ([`choose`]), evaluation in memory (`eval`), and what an engine without a function of its own registers are
//! all derived from these rows. Comparisons are not rows ([`crate::Form::Compare`]); the time of the transaction and
//! facts about the caller are not rows either ([`crate::CallerField`]). Nothing here reads a clock or makes randomness:
//! both come in with the [`Context`].

mod aggregate;
mod aggregate_numbers;
mod aggregate_values;
mod arguments;
mod array;
mod bytes;
pub mod choose;
mod common;
mod datetime;
mod floats;
mod format;
mod hash;
mod integers;
mod json;
mod json_build;
mod keywords;
mod like;
mod numbers;
mod pattern;
mod raw_json;
mod regex;
mod regex_syntax;
mod row;
mod text;
mod ty;
mod values;

pub use aggregate::{Aggregate, State};
pub use choose::{Chosen, ChosenAggregate, choose, choose_aggregate, choose_comparison};
pub use common::common_type;
pub use row::{Context, Eval, Function, Kind, Volatility};
pub use types::session::Session;
pub use ty::Ty;

/// The rows, by family.
static TABLE: &[&[Function]] = &[
    text::ROWS,
    format::ROWS,
    like::ROWS,
    pattern::ROWS,
    bytes::ROWS,
    hash::ROWS,
    integers::PLUS,
    integers::MINUS,
    integers::TIMES,
    integers::OVER,
    integers::MODULO,
    integers::AND,
    integers::OR,
    integers::XOR,
    integers::LEFT,
    integers::RIGHT,
    integers::NOT,
    integers::NEGATIVE,
    integers::POSITIVE,
    integers::ABSOLUTE,
    integers::ROWS,
    floats::PLUS,
    floats::MINUS,
    floats::TIMES,
    floats::OVER,
    floats::ROWS,
    numbers::ROWS,
    json::ROWS,
    json_build::ROWS,
    array::ROWS,
    datetime::OPERATORS,
    datetime::ROWS,
    values::ROWS,
];

/// The aggregates, by family.
static AGGREGATES: &[&[Aggregate]] =
    &[aggregate_values::ROWS, aggregate_values::EXTREMES, aggregate_numbers::ROWS, aggregate_numbers::DEVIATIONS];

/// All functions and operators.
pub fn all() -> impl Iterator<Item = &'static Function> {
    TABLE.iter().copied().flatten()
}

/// All aggregates.
pub fn aggregates() -> impl Iterator<Item = &'static Aggregate> {
    AGGREGATES.iter().copied().flatten()
}

/// The overloads of a function or operator.
pub fn candidates(name: &str, kind: Kind) -> impl Iterator<Item = &'static Function> {
    all().filter(move |function| function.kind == kind && function.name == name)
}
