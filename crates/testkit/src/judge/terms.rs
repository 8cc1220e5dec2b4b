//! Expressions of every type, drawn: a row for each way to make a value of a type from values of others.
//!
//! A row never fails for the values that are drawn here, so that it may stand in a query over many rows, where nobody
//! promises which row is met first; rows that fail for some values are in a table of their own, for programs.

use crate::oracle::draw::Draw;

/// A type of expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ty {
    Int,
    Big,
    Num,
    Float,
    Text,
    Bool,
    Date,
    Stamp,
    Zoned,
    Span,
    Json,
    Uuid,
    Ints,
    Texts,
    Mood,
}

/// A type, as templates and as SQL spell it, and constants of it.
struct Spelled {
    ty: Ty,
    word: &'static str,
    sql: &'static str,
    constants: &'static [&'static str],
}

const fn spelled(
    ty: Ty,
    word: &'static str,
    sql: &'static str,
    constants: &'static [&'static str],
) -> Spelled {
    Spelled { ty, word, sql, constants }
}

/// All types.
const TYPES: &[Spelled] = &[
    spelled(Ty::Int, "int", "int", &["0", "1", "2", "3", "-1", "7", "10"]),
    spelled(Ty::Big, "big", "bigint", &["0::bigint", "5::bigint", "-3::bigint", "10000000000"]),
    spelled(Ty::Num, "num", "numeric", &["0.0", "1.5", "-2.25", "3.10", "100.001"]),
    spelled(
        Ty::Float,
        "float",
        "double precision",
        &["0::double precision", "1.5::double precision", "-2.25::float8", "'3'::float8"],
    ),
    spelled(
        Ty::Text,
        "text",
        "text",
        &["'a'", "'b'::text", "'Ab c'", "''", "'x,y'", "'12'", "'hello world'::text"],
    ),
    spelled(Ty::Bool, "bool", "boolean", &["true", "false", "null::boolean"]),
    spelled(Ty::Date, "date", "date", &["date '2024-02-29'", "'2020-01-31'::date", "date '1999-12-31'"]),
    spelled(
        Ty::Stamp,
        "stamp",
        "timestamp",
        &["timestamp '2024-02-29 13:14:15.5'", "'2020-01-01 00:00:00'::timestamp"],
    ),
    spelled(
        Ty::Zoned,
        "zoned",
        "timestamptz",
        &["timestamptz '2024-07-01 12:00:00+02'", "'2020-01-01 00:00:00.25+00'::timestamptz"],
    ),
    spelled(
        Ty::Span,
        "span",
        "interval",
        &["interval '1 day'", "interval '2 hours 30 minutes'", "'1 month'::interval", "interval '-3 days'"],
    ),
    spelled(
        Ty::Json,
        "json",
        "jsonb",
        &[
            "'{\"k\": 1, \"a\": [1, 2]}'::jsonb",
            "'[1, \"x\", null]'::jsonb",
            "'\"s\"'::jsonb",
            "'{}'::jsonb",
            "'{\"k\": {\"b\": \"c\"}}'::jsonb",
        ],
    ),
    spelled(
        Ty::Uuid,
        "uuid",
        "uuid",
        &["'11111111-1111-4111-8111-111111111111'::uuid", "uuid 'a0000000-0000-4000-8000-00000000000a'"],
    ),
    spelled(
        Ty::Ints,
        "ints",
        "int[]",
        &["'{1,2,3}'::int[]", "array[3, 1]", "'{}'::int[]", "array[1, null, 2]"],
    ),
    spelled(
        Ty::Texts,
        "texts",
        "text[]",
        &["array['a', 'b']", "'{}'::text[]", "'{x,\"y z\",NULL}'::text[]", "array['b', 'a', 'b']"],
    ),
    spelled(Ty::Mood, "mood", "mood", &["'ok'::mood", "'sad'::mood", "'happy'::mood"]),
];

/// How a value is made: the type, and a template with types of arguments in braces.
pub(super) type Row = (Ty, &'static str);

/// Ways that do not fail.
pub(super) const TERMS: &[Row] = &[
    (Ty::Int, "({int} + {int})"),
    (Ty::Int, "({int} - {int})"),
    (Ty::Int, "({int} * {int}) % 97"),
    (Ty::Int, "-({int})"),
    (Ty::Int, "{int} / nullif({int}, 0)"),
    (Ty::Int, "mod({int}, nullif({int}, 0))"),
    (Ty::Int, "abs({int})"),
    (Ty::Int, "length({text})"),
    (Ty::Int, "char_length({text})"),
    (Ty::Int, "octet_length({text})"),
    (Ty::Int, "position({text} in {text})"),
    (Ty::Int, "strpos({text}, {text})"),
    (Ty::Int, "ascii({text})"),
    (Ty::Int, "coalesce({int}, {int})"),
    (Ty::Int, "coalesce({int}, {int}, 0)"),
    (Ty::Int, "nullif({int}, {int})"),
    (Ty::Int, "greatest({int}, {int})"),
    (Ty::Int, "least({int}, {int}, {int})"),
    (Ty::Int, "case when {bool} then {int} else {int} end"),
    (Ty::Int, "case {int} when 1 then {int} when {int} then {int} end"),
    (Ty::Int, "case when {bool} then {int} when {bool} then {int} end"),
    (Ty::Int, "cardinality({ints})"),
    (Ty::Int, "array_length({ints}, 1)"),
    (Ty::Int, "array_upper({texts}, 1)"),
    (Ty::Int, "({ints})[1]"),
    (Ty::Int, "({ints})[{int}]"),
    (Ty::Int, "array_position({ints}, {int})"),
    (Ty::Int, "array_position({texts}, {text})"),
    (Ty::Int, "extract(year from {date})::int"),
    (Ty::Int, "extract(dow from {stamp})::int"),
    (Ty::Int, "date_part('month', {date})::int"),
    (Ty::Int, "({date} - {date}) % 1000"),
    (Ty::Int, "(floor({num}) % 1000)::int"),
    (Ty::Int, "sign({num})::int"),
    (Ty::Int, "({bool})::int"),
    (Ty::Int, "jsonb_array_length(case jsonb_typeof({json}) when 'array' then '[1]'::jsonb else '[]' end)"),
    (Ty::Int, "({int} & {int})"),
    (Ty::Int, "({int} | {int})"),
    (Ty::Int, "({int} # {int})"),
    (Ty::Int, "(~ {int})"),
    (Ty::Int, "num_nulls({int}, {text}, {date})"),
    (Ty::Int, "num_nonnulls({json}, {texts})"),
    (Ty::Int, "regexp_count({text}, '[a-z]')"),
    (Ty::Int, "width_bucket({num}, 0, 10, 4)"),
    (Ty::Int, "gcd({int}, {int})"),
    (Ty::Big, "{int}::bigint"),
    (Ty::Big, "({big} + {int})"),
    (Ty::Big, "{big} - {big}"),
    (Ty::Big, "{int} * 3::bigint"),
    (Ty::Big, "abs({big})"),
    (Ty::Big, "{big} % nullif({big}, 0)"),
    (Ty::Big, "coalesce({big}, {int})"),
    (Ty::Big, "greatest({big}, {int})"),
    (Ty::Big, "case when {bool} then {big} else {int} end"),
    (Ty::Big, "(floor({num}) % 100000)::bigint"),
    (Ty::Num, "{int}::numeric"),
    (Ty::Num, "({num} + {num})"),
    (Ty::Num, "({num} - {int})"),
    (Ty::Num, "{num} * {int}"),
    (Ty::Num, "{num} / nullif({int}, 0)"),
    (Ty::Num, "round({num}, 1)"),
    (Ty::Num, "round({num} / 3, {int} % 5)"),
    (Ty::Num, "trunc({num}, 1)"),
    (Ty::Num, "floor({num})"),
    (Ty::Num, "ceil({num})"),
    (Ty::Num, "abs({num})"),
    (Ty::Num, "sign({num})"),
    (Ty::Num, "{num} % nullif({num}, 0)"),
    (Ty::Num, "coalesce({num}, {int})"),
    (Ty::Num, "greatest({num}, {num})"),
    (Ty::Num, "case when {bool} then {num} else {int} end"),
    (Ty::Num, "({num})::numeric(30,2)"),
    (Ty::Num, "sqrt(abs({num}))"),
    (Ty::Num, "extract(epoch from {span})"),
    (Ty::Num, "extract(day from {stamp})"),
    (Ty::Num, "power({num} % 10, 2)"),
    (Ty::Num, "trim_scale({num})"),
    (Ty::Num, "({json} ->> 'none')::numeric"),
    (Ty::Float, "{int}::float8"),
    (Ty::Float, "({float} + {float})"),
    (Ty::Float, "{float} * 2"),
    (Ty::Float, "{float} / 4"),
    (Ty::Float, "abs({float})"),
    (Ty::Float, "floor({float})"),
    (Ty::Float, "round({float})"),
    (Ty::Float, "coalesce({float}, {int})"),
    (Ty::Float, "-{float}"),
    (Ty::Float, "date_part('hour', {stamp})"),
    (Ty::Text, "{text} || {text}"),
    (Ty::Text, "{text} || {int}"),
    (Ty::Text, "upper({text})"),
    (Ty::Text, "lower({text})"),
    (Ty::Text, "initcap({text})"),
    (Ty::Text, "left({text}, {int})"),
    (Ty::Text, "right({text}, 2)"),
    (Ty::Text, "substr({text}, 2)"),
    (Ty::Text, "substring({text} from 1 for 2)"),
    (Ty::Text, "substring({text} from '[a-c]+')"),
    (Ty::Text, "replace({text}, 'a', {text})"),
    (Ty::Text, "repeat({text}, 2)"),
    (Ty::Text, "reverse({text})"),
    (Ty::Text, "trim({text})"),
    (Ty::Text, "ltrim({text}, 'a')"),
    (Ty::Text, "rtrim({text}, ' b')"),
    (Ty::Text, "lpad({text}, 4, '*')"),
    (Ty::Text, "rpad({text}, 3)"),
    (Ty::Text, "split_part({text}, ' ', 1)"),
    (Ty::Text, "translate({text}, 'ab', 'x')"),
    (Ty::Text, "concat({text}, {int}, {bool})"),
    (Ty::Text, "concat_ws('-', {text}, {text}, {int})"),
    (Ty::Text, "format('%s/%s', {text}, {int})"),
    (Ty::Text, "format('%I %L %%', coalesce({text}, '-'), {text})"),
    (Ty::Text, "quote_literal({text})"),
    (Ty::Text, "quote_nullable({text})"),
    (Ty::Text, "quote_ident({text})"),
    (Ty::Text, "md5({text})"),
    (Ty::Text, "coalesce({text}, {text})"),
    (Ty::Text, "nullif({text}, {text})"),
    (Ty::Text, "greatest({text}, {text})"),
    (Ty::Text, "case when {bool} then {text} else {text} end"),
    (Ty::Text, "case {text} when 'a' then {text} when {text} then {text} end"),
    (Ty::Text, "{int}::text"),
    (Ty::Text, "{num}::text"),
    (Ty::Text, "{float}::text"),
    (Ty::Text, "{bool}::text"),
    (Ty::Text, "{date}::text"),
    (Ty::Text, "{stamp}::text"),
    (Ty::Text, "{zoned}::text"),
    (Ty::Text, "{span}::text"),
    (Ty::Text, "{json}::text"),
    (Ty::Text, "{uuid}::text"),
    (Ty::Text, "{ints}::text"),
    (Ty::Text, "{texts}::text"),
    (Ty::Text, "{mood}::text"),
    (Ty::Text, "({text})::varchar(3)::text"),
    (Ty::Text, "to_char({stamp}, 'YYYY-MM-DD HH24:MI')"),
    (Ty::Text, "to_char({date}, 'FMDay, DD Mon YYYY')"),
    (Ty::Text, "to_char({num}, 'FM9990.00')"),
    (Ty::Text, "to_char({int}, '0000')"),
    (Ty::Text, "{json} ->> 'k'"),
    (Ty::Text, "{json} ->> 0"),
    (Ty::Text, "{json} #>> '{a,0}'"),
    (Ty::Text, "jsonb_typeof({json})"),
    (Ty::Text, "({texts})[1]"),
    (Ty::Text, "array_to_string({texts}, ',')"),
    (Ty::Text, "array_to_string({texts}, ',', '?')"),
    (Ty::Text, "array_to_string({ints}, '-')"),
    (Ty::Text, "regexp_replace({text}, '[aeiou]', '_', 'g')"),
    (Ty::Text, "regexp_replace({text}, '(.)b', '\\1')"),
    (Ty::Text, "(regexp_match({text}, '([a-z])([a-z])'))[2]"),
    (Ty::Text, "overlay({text} placing 'zz' from 2)"),
    (Ty::Text, "chr(65 + abs({int}) % 26)"),
    (Ty::Text, "starts_with({text}, 'a')::text"),
    (Ty::Text, "encode(convert_to({text}, 'UTF8'), 'hex')"),
    (Ty::Text, "pg_typeof({int})::text"),
    (Ty::Bool, "{int} = {int}"),
    (Ty::Bool, "{int} <> {int}"),
    (Ty::Bool, "{int} < {int}"),
    (Ty::Bool, "{int} >= {big}"),
    (Ty::Bool, "{num} > {int}"),
    (Ty::Bool, "{float} <= {num}"),
    (Ty::Bool, "{text} = {text}"),
    (Ty::Bool, "{text} < {text}"),
    (Ty::Bool, "{date} < {date}"),
    (Ty::Bool, "{stamp} >= {date}"),
    (Ty::Bool, "{zoned} < {zoned}"),
    (Ty::Bool, "{span} > {span}"),
    (Ty::Bool, "{json} = {json}"),
    (Ty::Bool, "{json} @> {json}"),
    (Ty::Bool, "{json} ? 'k'"),
    (Ty::Bool, "{json} ?| array['k', 'z']"),
    (Ty::Bool, "{uuid} = {uuid}"),
    (Ty::Bool, "{ints} = {ints}"),
    (Ty::Bool, "{ints} @> {ints}"),
    (Ty::Bool, "{texts} && {texts}"),
    (Ty::Bool, "{ints} < {ints}"),
    (Ty::Bool, "{mood} > {mood}"),
    (Ty::Bool, "{mood} = 'ok'"),
    (Ty::Bool, "({bool} and {bool})"),
    (Ty::Bool, "({bool} or {bool})"),
    (Ty::Bool, "not {bool}"),
    (Ty::Bool, "{int} is null"),
    (Ty::Bool, "{text} is not null"),
    (Ty::Bool, "{json} is null"),
    (Ty::Bool, "{bool} is true"),
    (Ty::Bool, "{bool} is not false"),
    (Ty::Bool, "{bool} is unknown"),
    (Ty::Bool, "{int} is distinct from {int}"),
    (Ty::Bool, "{text} is not distinct from {text}"),
    (Ty::Bool, "{int} between {int} and {int}"),
    (Ty::Bool, "{num} not between 0 and {num}"),
    (Ty::Bool, "{int} between symmetric {int} and {int}"),
    (Ty::Bool, "{int} in ({int}, {int}, 3)"),
    (Ty::Bool, "{text} not in ({text}, 'b')"),
    (Ty::Bool, "{text} like 'a%'"),
    (Ty::Bool, "{text} not like '%b'"),
    (Ty::Bool, "{text} ilike '%B%'"),
    (Ty::Bool, "{text} ~ '^[a-b]'"),
    (Ty::Bool, "{text} !~* 'X'"),
    (Ty::Bool, "{text} similar to '(a|b)%'"),
    (Ty::Bool, "{int} = any({ints})"),
    (Ty::Bool, "{int} > all({ints})"),
    (Ty::Bool, "{text} = any({texts})"),
    (Ty::Bool, "({int}, {text}) = ({int}, {text})"),
    (Ty::Bool, "({int}, {int}) < ({int}, {int})"),
    (Ty::Bool, "coalesce({bool}, {bool})"),
    (Ty::Bool, "case when {bool} then {bool} else {bool} end"),
    (Ty::Bool, "({date}, {date}) overlaps ({date}, {date})"),
    (Ty::Bool, "isfinite({date})"),
    (Ty::Date, "{date} + {int}"),
    (Ty::Date, "{date} - 3"),
    (Ty::Date, "{stamp}::date"),
    (Ty::Date, "({date} + {span})::date"),
    (Ty::Date, "coalesce({date}, {date})"),
    (Ty::Date, "greatest({date}, {date})"),
    (Ty::Date, "case when {bool} then {date} end"),
    (Ty::Date, "make_date(2020, 1 + abs({int}) % 12, 28)"),
    (Ty::Date, "to_date('2021-0' || (1 + abs({int}) % 9), 'YYYY-MM')"),
    (Ty::Stamp, "{date}::timestamp"),
    (Ty::Stamp, "{stamp} + {span}"),
    (Ty::Stamp, "{stamp} - {span}"),
    (Ty::Stamp, "{date} + {span}"),
    (Ty::Stamp, "date_trunc('month', {stamp})"),
    (Ty::Stamp, "date_trunc('hour', {stamp})"),
    (Ty::Stamp, "coalesce({stamp}, {stamp})"),
    (Ty::Stamp, "{zoned} at time zone 'UTC'"),
    (Ty::Stamp, "least({stamp}, {stamp})"),
    (Ty::Stamp, "date_bin('15 minutes', {stamp}, timestamp '2001-01-01')"),
    (Ty::Zoned, "{zoned} + {span}"),
    (Ty::Zoned, "{stamp} at time zone 'Europe/Berlin'"),
    (Ty::Zoned, "date_trunc('day', {zoned})"),
    (Ty::Zoned, "coalesce({zoned}, {zoned})"),
    (Ty::Zoned, "to_timestamp({int})"),
    (Ty::Zoned, "{date}::timestamptz"),
    (Ty::Span, "{span} + {span}"),
    (Ty::Span, "{span} * {int}"),
    (Ty::Span, "{stamp} - {stamp}"),
    (Ty::Span, "-{span}"),
    (Ty::Span, "age({stamp}, {stamp})"),
    (Ty::Span, "make_interval(days => {int})"),
    (Ty::Span, "({int} || ' hours')::interval"),
    (Ty::Span, "justify_hours({span})"),
    (Ty::Span, "coalesce({span}, {span})"),
    (Ty::Span, "{span} / 2"),
    (Ty::Json, "to_jsonb({int})"),
    (Ty::Json, "to_jsonb({text}::text)"),
    (Ty::Json, "to_jsonb({ints})"),
    (Ty::Json, "to_jsonb({num})"),
    (Ty::Json, "to_jsonb({stamp})"),
    (Ty::Json, "to_jsonb({bool})"),
    (Ty::Json, "jsonb_build_object('k', {int}, 'b', {text})"),
    (Ty::Json, "jsonb_build_object('j', {json}, 'd', {date})"),
    (Ty::Json, "jsonb_build_array({int}, {text}, {bool})"),
    (Ty::Json, "{json} -> 'k'"),
    (Ty::Json, "{json} -> 0"),
    (Ty::Json, "{json} #> '{a,1}'"),
    (Ty::Json, "({json} || '{\"z\": 1}')"),
    (Ty::Json, "'{\"k\": 1, \"z\": null}'::jsonb - {text}"),
    (Ty::Json, "'[1, 2, 3]'::jsonb - {int}"),
    (Ty::Json, "jsonb_set('{\"a\": {\"b\": 1}}', '{a,c}', {json})"),
    (Ty::Json, "jsonb_strip_nulls({json})"),
    (Ty::Json, "jsonb_insert('[1, 2]', '{1}', {json})"),
    (Ty::Json, "jsonb_path_query_first({json}, '$.k')"),
    (Ty::Json, "coalesce({json}, {json})"),
    (Ty::Json, "case when {bool} then {json} else {json} end"),
    (Ty::Json, "json_build_object('k', {float}, 't', {texts})::jsonb"),
    (Ty::Json, "row_to_json(row({int}, {text}))::jsonb"),
    (Ty::Json, "to_jsonb(array[{num}, {num}])"),
    (Ty::Uuid, "coalesce({uuid}, {uuid})"),
    (Ty::Uuid, "case when {bool} then {uuid} end"),
    (Ty::Uuid, "md5({text})::uuid"),
    (Ty::Ints, "array[{int}, {int}]"),
    (Ty::Ints, "{ints} || {int}"),
    (Ty::Ints, "{ints} || {ints}"),
    (Ty::Ints, "array_append({ints}, {int})"),
    (Ty::Ints, "array_prepend({int}, {ints})"),
    (Ty::Ints, "array_remove({ints}, {int})"),
    (Ty::Ints, "array_replace({ints}, {int}, {int})"),
    (Ty::Ints, "array_cat({ints}, {ints})"),
    (Ty::Ints, "({ints})[1:2]"),
    (Ty::Ints, "({ints})[2:]"),
    (Ty::Ints, "coalesce({ints}, {ints})"),
    (Ty::Ints, "array_fill({int}, array[2])"),
    (Ty::Ints, "trim_array(array[1, 2, {int}], 1)"),
    (Ty::Texts, "array[{text}, {text}]::text[]"),
    (Ty::Texts, "array_append({texts}, {text})"),
    (Ty::Texts, "{texts} || {texts}"),
    (Ty::Texts, "string_to_array({text}, ' ')"),
    (Ty::Texts, "string_to_array({text}, null)"),
    (Ty::Texts, "regexp_split_to_array({text}, '[ ,]')"),
    (Ty::Texts, "array_remove({texts}, {text})"),
    (Ty::Texts, "{ints}::text[]"),
    (Ty::Texts, "case when {bool} then {texts} else array[{text}] end"),
    (Ty::Texts, "regexp_match({text}, '([a-z]) ?([a-z])')"),
    (Ty::Mood, "coalesce({mood}, {mood})"),
    (Ty::Mood, "case when {bool} then {mood} else 'ok' end"),
    (Ty::Mood, "greatest({mood}, {mood})"),
    (Ty::Mood, "(enum_range(null::mood))[2]"),
];

/// Ways that fail for some values.
pub(super) const FAILING: &[Row] = &[
    (Ty::Int, "{int} / {int}"),
    (Ty::Int, "{int} % {int}"),
    (Ty::Int, "({text})::int"),
    (Ty::Int, "{int} * 2000000000"),
    (Ty::Int, "({json} ->> 'k')::int"),
    (Ty::Int, "{big}::int"),
    (Ty::Int, "jsonb_array_length({json})"),
    (Ty::Num, "{num} / {num}"),
    (Ty::Num, "({text})::numeric"),
    (Ty::Num, "sqrt({num})"),
    (Ty::Num, "({num})::numeric(3,2)"),
    (Ty::Float, "1 / {float}"),
    (Ty::Date, "({text})::date"),
    (Ty::Date, "make_date(2023, {int}, 30)"),
    (Ty::Bool, "({text})::boolean"),
    (Ty::Json, "({text})::jsonb"),
    (Ty::Json, "jsonb_object({texts} || {texts})"),
    (Ty::Json, "jsonb_set({json}, '{a}', '1')"),
    (Ty::Uuid, "({text})::uuid"),
    (Ty::Mood, "({text})::mood"),
    (Ty::Text, "chr({int})"),
    (Ty::Text, "repeat({text}, {int} * 10)"),
    (Ty::Text, "substring({text} from 2 for {int})"),
    (Ty::Ints, "({text})::int[]"),
    (Ty::Span, "({text})::interval"),
    (Ty::Texts, "array[[{text}], [{text}]] || {texts}"),
];

/// All types, in order.
pub(super) const ALL: &[Ty] = &[
    Ty::Int,
    Ty::Int,
    Ty::Int,
    Ty::Text,
    Ty::Text,
    Ty::Bool,
    Ty::Big,
    Ty::Num,
    Ty::Num,
    Ty::Float,
    Ty::Date,
    Ty::Stamp,
    Ty::Zoned,
    Ty::Span,
    Ty::Json,
    Ty::Uuid,
    Ty::Ints,
    Ty::Texts,
    Ty::Mood,
];

impl Ty {
    fn row(self) -> &'static Spelled {
        TYPES.iter().find(|row| row.ty == self).unwrap_or(&TYPES[0])
    }

    /// As SQL spells it.
    pub(super) fn sql(self) -> &'static str {
        self.row().sql
    }

    /// A constant.
    pub(super) fn constant(self, draw: &mut Draw) -> &'static str {
        draw.word(self.row().constants)
    }

    /// The type that a template calls so.
    pub(super) fn called(word: &str) -> Option<Ty> {
        TYPES.iter().find(|row| row.word == word).map(|row| row.ty)
    }
}

/// Values of arguments, as JSON.
const ARGUMENTS: &[(Ty, &[&str])] = &[
    (Ty::Int, &["0", "1", "2", "3", "-1", "12"]),
    (Ty::Big, &["0", "7", "9007199254740993"]),
    (Ty::Num, &["0", "1.50", "-2.5", "12.345"]),
    (Ty::Float, &["0", "1.5", "-2.25"]),
    (Ty::Text, &["\"a\"", "\"\"", "\"ab c\"", "\"12\"", "\"it's\"", "\"ok\""]),
    (Ty::Bool, &["true", "false"]),
    (Ty::Date, &["\"2024-02-29\"", "\"1999-12-31\""]),
    (Ty::Stamp, &["\"2024-02-29 10:00:00\"", "\"2020-01-31 23:59:59.5\""]),
    (Ty::Zoned, &["\"2024-07-01T12:00:00+02:00\"", "\"2020-01-31 10:00:00+00\""]),
    (Ty::Span, &["\"1 day\"", "\"02:30:00\"", "\"-1 mon\""]),
    (Ty::Json, &["{\"k\":1}", "[1,\"x\"]", "\"s\"", "{}", "{\"a\":[1,2],\"k\":\"y\"}"]),
    (Ty::Uuid, &["\"11111111-1111-4111-8111-111111111111\"", "\"b0000000-0000-4000-8000-00000000000b\""]),
    (Ty::Ints, &["[]", "[1,2]", "[3,null,1]"]),
    (Ty::Texts, &["[]", "[\"a\",\"b\"]", "[\"x y\",null]"]),
    (Ty::Mood, &["\"ok\"", "\"sad\"", "\"happy\""]),
];

/// A value of an argument, as JSON.
pub(super) fn argument(ty: Ty, draw: &mut Draw) -> &'static str {
    if draw.one_in(10) {
        return "null";
    }
    ARGUMENTS.iter().find(|(of, _)| *of == ty).map_or("null", |(_, values)| draw.word(values))
}

/// A template with every type in braces replaced.
pub(super) fn filled(template: &str, mut value: impl FnMut(Ty) -> String) -> String {
    let mut out = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        match after.split_once('}').and_then(|(word, rest)| Some((Ty::called(word)?, rest))) {
            Some((ty, behind)) => {
                out.push_str(&value(ty));
                rest = behind;
            }
            None => {
                out.push('{');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_name_types() {
        assert_eq!(filled("{int} + '{a,0}' {text}", |ty| ty.sql().to_owned()), "int + '{a,0}' text");
    }

    #[test]
    fn every_type_can_be_made() {
        for ty in ALL {
            assert!(TERMS.iter().any(|(made, _)| made == ty), "{ty:?}");
            assert!(TYPES.iter().any(|row| row.ty == *ty), "{ty:?}");
        }
    }
}
