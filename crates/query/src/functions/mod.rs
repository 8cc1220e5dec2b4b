//! The one table of functions and operators: a row per overload, with its evaluation.
//!
//! Resolution ([`choose()`]), evaluation in memory (`eval`), and what an engine without a function of its own registers are
//! all derived from these rows. Comparisons are not rows ([`crate::Form::Compare`]); the time of the transaction and
//! facts about the caller are not rows either ([`crate::CallerField`]). Nothing here reads a clock or makes randomness:
//! both come in with the [`Context`].

mod aggregate;
mod aggregate_numbers;
mod aggregate_ordered;
mod aggregate_pairs;
mod aggregate_values;
mod arguments;
pub mod around;
mod array;
mod ascii;
mod bits;
mod buckets;
mod bytes;
pub mod choose;
mod common;
mod datetime;
mod degrees;
mod extensions;
mod families;
mod floats;
mod format;
pub mod frames;
pub(crate) mod hash;
mod hyperbolic;
mod integers;
pub mod interrupt;
mod json;
mod json_build;
pub mod json_part;
mod json_path;
mod keywords;
mod lacking;
mod like;
mod locks;
mod moment_format;
mod moment_read;
mod networks;
mod number_format;
mod number_read;
mod numbers;
mod pattern;
mod ranges;
mod raw_json;
pub(crate) mod records;
mod regex;
mod regex_syntax;
mod row;
mod search;
pub mod sequences;
pub mod sets;
pub mod settings;
mod sizes;
mod sleep;
mod system;
mod text;
mod ty;
mod values;
mod variadic;
mod zoned_times;

pub use aggregate::{Aggregate, State};
pub use aggregate_ordered::{DESCENDING, is_ordered};
pub use choose::{
    Chosen, ChosenAggregate, ChosenSet, choose, choose_aggregate, choose_comparison, choose_set,
};
pub use common::common_type;
pub(crate) use common::{category, preferred};
pub(crate) use families::Families;
pub use families::{instance, is_polymorphic};
pub(crate) use lacking::is_known as is_lacking;
pub use pattern::check_regex;
pub use row::{Context, Eval, Function, Kind, Volatility};
pub use sets::SetFunction;
pub use ty::Ty;
pub use types::session::Session;
pub(crate) use values::GROUPING;
pub use variadic::WORD as VARIADIC;

/// The rows, by family.
static TABLE: &[&[Function]] = &[
    text::ROWS,
    format::ROWS,
    records::ROWS,
    like::ROWS,
    pattern::ROWS,
    bytes::ROWS,
    bits::ROWS,
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
    hyperbolic::ROWS,
    numbers::ROWS,
    json::ROWS,
    json_part::ROWS,
    json_build::ROWS,
    json_path::ROWS,
    array::ROWS,
    ascii::ROWS,
    datetime::OPERATORS,
    datetime::ROWS,
    zoned_times::ROWS,
    moment_format::ROWS,
    moment_read::ROWS,
    number_format::ROWS,
    number_read::ROWS,
    buckets::ROWS,
    search::ROWS,
    search::rank::ROWS,
    search::headline::ROWS,
    settings::ROWS,
    system::ROWS,
    ranges::CONSTRUCTORS,
    ranges::ROWS,
    values::ROWS,
    variadic::ROWS,
    locks::ROWS,
    sleep::ROWS,
    sequences::ROWS,
    networks::ROWS,
    sizes::ROWS,
    extensions::accents::ROWS,
    extensions::caseless::ROWS,
    extensions::fuzzy::ROWS,
    extensions::passwords::ROWS,
    extensions::pgp::ROWS,
    extensions::trigrams::ROWS,
    extensions::uuids::ROWS,
    extensions::vectors::ROWS,
];

/// The aggregates, by family.
static AGGREGATES: &[&[Aggregate]] = &[
    aggregate_values::ROWS,
    aggregate_values::EXTREMES,
    aggregate_numbers::ROWS,
    aggregate_numbers::DEVIATIONS,
    aggregate_pairs::ROWS,
    aggregate_ordered::ROWS,
    bits::AGGREGATES,
    extensions::vectors::AGGREGATES,
];

/// The set-returning functions, by family.
static SETS: &[&[SetFunction]] =
    &[sets::series::ROWS, sets::texts::ROWS, sets::json::ROWS, sets::search::ROWS, json_path::SETS];

/// All functions and operators.
pub fn all() -> impl Iterator<Item = &'static Function> {
    TABLE.iter().copied().flatten()
}

/// All aggregates.
pub fn aggregates() -> impl Iterator<Item = &'static Aggregate> {
    AGGREGATES.iter().copied().flatten()
}

/// All set-returning functions.
pub fn sets() -> impl Iterator<Item = &'static SetFunction> {
    SETS.iter().copied().flatten()
}

/// The overloads of a function or operator.
pub fn candidates(name: &str, kind: Kind) -> impl Iterator<Item = &'static Function> {
    all().filter(move |function| function.kind == kind && function.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use types::Type;

    use super::*;

    #[test]
    fn every_row_has_a_symbol_of_its_own() {
        let mut seen = HashSet::new();
        for symbol in all()
            .map(Function::symbol)
            .chain(aggregates().map(Aggregate::symbol))
            .chain(sets().map(SetFunction::symbol))
        {
            assert!(symbol.len() < 255 && seen.insert(symbol.clone()), "{symbol}");
        }
    }

    #[test]
    fn names_are_resolved_as_postgresql_resolves_them() {
        let chosen = |name: &str, kind, arguments: &[Type]| {
            choose(name, kind, arguments).map(|chosen| chosen.function.symbol())
        };
        let found = [
            ("+", Kind::Operator, [Type::Int4, Type::Int8], "pg_plus_int4_int8"),
            ("+", Kind::Operator, [Type::Int4, Type::Numeric], "pg_plus_numeric_numeric"),
            ("+", Kind::Operator, [Type::Numeric, Type::Float8], "pg_plus_float8_float8"),
            ("-", Kind::Operator, [Type::Timestamptz, Type::Unknown], "pg_minus_timestamptz_timestamptz"),
            ("||", Kind::Operator, [Type::Text, Type::Int4], "pg_bar_bar_text_anynonarray"),
            ("||", Kind::Operator, [Type::Unknown, Type::Unknown], "pg_bar_bar_text_text"),
            ("->>", Kind::Operator, [Type::Jsonb, Type::Unknown], "pg_minus_greater_greater_jsonb_text"),
            ("date_trunc", Kind::Function, [Type::Unknown, Type::Date], "pg_date_trunc_text_timestamptz"),
            ("power", Kind::Function, [Type::Int4, Type::Int4], "pg_power_float8_float8"),
        ];
        for (name, kind, arguments, symbol) in found {
            assert_eq!(chosen(name, kind, &arguments).unwrap(), symbol, "{name}");
        }
        let refused = [
            ("lower", Kind::Function, vec![Type::Int4], "42883: function lower(integer) does not exist"),
            (
                "+",
                Kind::Operator,
                vec![Type::Text, Type::Int4],
                "42883: operator does not exist: text + integer",
            ),
            (
                "+",
                Kind::Operator,
                vec![Type::Unknown, Type::Unknown],
                "42725: operator is not unique: unknown + unknown",
            ),
            (
                "to_jsonb",
                Kind::Function,
                vec![Type::Unknown],
                "42804: could not determine polymorphic type because input has type unknown",
            ),
        ];
        for (name, kind, arguments, message) in refused {
            assert_eq!(chosen(name, kind, &arguments).unwrap_err().to_string(), message);
        }
        assert_eq!(choose_comparison("=", &Type::Varchar, &Type::Unknown).unwrap(), Type::Text);
        assert_eq!(choose_comparison("=", &Type::Int4, &Type::Numeric).unwrap(), Type::Numeric);
        assert_eq!(
            choose_comparison("=", &Type::Text, &Type::Int4).unwrap_err().to_string(),
            "42883: operator does not exist: text = integer"
        );
    }
}
