//! Types of columns, with values that are worth storing: a row a type.
//!
//! Values are in PostgreSQL's own output form, so that equal texts are equal values: rows that must differ are told apart
//! by their text.

use crate::oracle::draw::Draw;

/// What can be asked of values of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Whole,
    Number,
    Text,
    Flag,
    Id,
    Moment,
    Span,
    Json,
    Jsonb,
    List,
    Label,
    Bytes,
    Range,
}

/// A type of columns.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// As SQL spells it.
    pub(super) name: &'static str,
    pub(super) class: Class,
    /// Values, in PostgreSQL's output form.
    pub(super) samples: &'static [&'static str],
    /// A text that is none of its values.
    pub(super) wrong: &'static str,
    /// Whether it has an order and a default B-tree class, so that it can be a key.
    pub(super) is_ordered: bool,
}

pub(super) const fn kind(
    name: &'static str,
    class: Class,
    samples: &'static [&'static str],
    wrong: &'static str,
) -> Kind {
    Kind { name, class, samples, wrong, is_ordered: !matches!(class, Class::Json) }
}

/// Keys of tables: types that people use for them.
pub(super) static KEYS: &[Kind] = &[
    kind("int", Class::Whole, &["1", "2", "3", "4", "5", "6", "7", "8", "9"], "x"),
    kind("bigint", Class::Whole, &["1", "2", "3", "4", "9007199254740993", "-5"], "1.5"),
    kind(
        "uuid",
        Class::Id,
        &[
            "11111111-1111-4111-8111-111111111111",
            "22222222-2222-4222-8222-222222222222",
            "33333333-3333-4333-8333-333333333333",
            "a0000000-0000-4000-8000-00000000000a",
            "b0000000-0000-4000-8000-00000000000b",
        ],
        "11111111",
    ),
    kind("text", Class::Text, &["a", "b", "B", "ab", "ä", "a b", "x,y", "q\"q"], ""),
    kind("smallint", Class::Whole, &["1", "2", "3", "4", "5", "32767"], "40000"),
];

/// What every schema declares besides tables.
pub(super) const DECLARED: &[&str] = &[
    "create type mood as enum ('sad', 'ok', 'happy')",
    "create domain positive as int check (value > 0)",
    "create domain slug as text check (value ~ '^[a-z]+$')",
];

/// Types of other columns.
pub(super) static KINDS: &[Kind] = &[
    kind("int", Class::Whole, &["0", "1", "2", "3", "-1", "10", "2147483647"], "x"),
    kind("int", Class::Whole, &["0", "1", "2", "3", "4", "5"], "1.5"),
    kind("bigint", Class::Whole, &["0", "1", "2", "9007199254740993", "-7"], "9223372036854775808"),
    kind("smallint", Class::Whole, &["0", "1", "2", "-3", "32767"], "99999"),
    kind("numeric", Class::Number, &["0", "1.50", "-2.5", "3", "1000000000000000000000.1", "0.001"], "1,5"),
    kind("numeric(6,2)", Class::Number, &["0.00", "1.50", "-2.50", "9999.99", "3.00"], "12345.6"),
    kind("double precision", Class::Number, &["0", "1.5", "-2.25", "3", "0.1", "1e+20", "NaN"], "x"),
    kind("real", Class::Number, &["0", "1.5", "-2.25", "3", "0.1"], "1e99"),
    kind("text", Class::Text, &["a", "b", "ab", "Ab", "", "a b", "x,y", "q\"q", "1", "ä%_", "null"], ""),
    kind("text", Class::Text, &["ab", "ac", "ba", "1", "2", "the quick fox"], ""),
    kind("varchar(5)", Class::Text, &["a", "b", "abcde", "Ab", ""], "abcdef"),
    kind("char(4)", Class::Text, &["a   ", "ab  ", "abcd", "    "], "abcde"),
    kind("uuid", Class::Id, KEYS[2].samples, "x"),
    kind("uuid", Class::Id, KEYS[2].samples, "22222222-2222"),
    kind("boolean", Class::Flag, &["true", "false"], "maybe"),
    kind(
        "date",
        Class::Moment,
        &["2020-01-31", "1999-12-31", "2024-02-29", "infinity", "0001-01-01 BC"],
        "2023-02-30",
    ),
    kind("time", Class::Moment, &["00:00:00", "12:30:00", "23:59:59.999999"], "25:00"),
    kind(
        "timestamp",
        Class::Moment,
        &["2020-01-31 10:00:00", "1999-12-31 23:59:59.5", "2024-02-29 00:00:00"],
        "soon",
    ),
    kind(
        "timestamptz",
        Class::Moment,
        &["2020-01-31 10:00:00+00", "2024-07-01 00:00:00.25+00", "-infinity"],
        "2020-13-01",
    ),
    kind(
        "interval",
        Class::Span,
        &["00:00:00", "1 day", "1 mon", "-02:30:00", "1 year 2 mons 3 days 04:05:06.7"],
        "long",
    ),
    kind("json", Class::Json, &["{\"k\": 1,  \"a\":[1,2]}", "[1, 2]", "\"x\"", "null", "3"], "{"),
    kind(
        "jsonb",
        Class::Jsonb,
        &["{\"k\": 1}", "{\"a\": [1, 2], \"k\": \"x\"}", "[1, {\"k\": 2}]", "\"x\"", "null", "1.50"],
        "{\"k\"",
    ),
    kind("jsonb", Class::Jsonb, &["{\"k\": 1}", "{\"k\": 2}", "{\"a\": {\"b\": true}}", "{}"], "k"),
    kind("int[]", Class::List, &["{}", "{1,2}", "{1,NULL,3}", "{2}"], "{a}"),
    kind("text[]", Class::List, &["{}", "{a,b}", "{\"a b\",NULL}", "{\"x,y\"}", "{\"\"}"], "a"),
    kind("mood", Class::Label, &["sad", "ok", "happy"], "mad"),
    kind("bytea", Class::Bytes, &["\\x", "\\x00ff", "\\x6162"], "\\xz"),
    kind("int4range", Class::Range, &["empty", "[1,5)", "(,3)", "[5,)", "[2,3)"], "[5,1]"),
    kind("numrange", Class::Range, &["empty", "[1.5,5]", "(,3.0)", "(2,3)"], "1"),
    kind("daterange", Class::Range, &["empty", "[2020-01-01,2020-02-01)", "[2024-01-01,)"], "x"),
    kind(
        "tstzrange",
        Class::Range,
        &["[\"2020-01-01 00:00:00+00\",\"2020-02-01 00:00:00+00\")", "empty"],
        "x",
    ),
    kind("positive", Class::Whole, &["1", "2", "3", "40"], "-1"),
    kind("slug", Class::Text, &["a", "ab", "zoo"], "No"),
];

impl Kind {
    pub(super) fn sample(&self, draw: &mut Draw) -> &'static str {
        draw.word(self.samples)
    }

    /// A value, now and then none of its own.
    pub(super) fn guess(&self, draw: &mut Draw) -> &'static str {
        if draw.one_in(25) { self.wrong } else { self.sample(draw) }
    }

    /// A value as JSON, for the body of a request.
    pub(super) fn json(&self, text: &str, draw: &mut Draw) -> String {
        match self.class {
            Class::Whole | Class::Number if text.parse::<f64>().is_ok_and(f64::is_finite) => {
                if draw.one_in(6) { quoted(text) } else { text.trim_start_matches('+').to_owned() }
            }
            Class::Flag if !draw.one_in(8) => text.to_owned(),
            Class::Json | Class::Jsonb if text != self.wrong => text.to_owned(),
            Class::List if draw.one_in(2) && self.name == "int[]" && text != self.wrong => {
                text.replace('{', "[").replace('}', "]").replace("NULL", "null")
            }
            _ => quoted(text),
        }
    }

    /// A value as a constant of SQL.
    pub(super) fn literal(&self, text: &str) -> String {
        match self.class {
            Class::Whole if !text.starts_with('-') => text.to_owned(),
            Class::Flag => text.to_owned(),
            _ => format!("'{}'", text.replace('\'', "''")),
        }
    }
}

/// A text as JSON.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
