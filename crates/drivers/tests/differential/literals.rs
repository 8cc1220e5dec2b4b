//! Types that expressions are made of, and texts of their values: ordinary ones and the edges.

use std::sync::Arc;

use types::ty::EnumType;
use types::{Name, Type};

/// A type that expressions are made of.
#[derive(Clone)]
pub(crate) struct Known {
    pub(crate) ty: Type,
    /// Its name in SQL.
    pub(crate) name: &'static str,
    /// Texts of values.
    pub(crate) texts: &'static [&'static str],
}

impl Known {
    /// The name of its column in the table of values.
    pub(crate) fn column(&self) -> String {
        format!("k_{}", self.name.replace("[]", "s"))
    }
}

/// Every known type.
pub(crate) fn table() -> Vec<Known> {
    texts().into_iter().map(|(ty, name, texts)| Known { ty, name, texts }).collect()
}

/// What both sides know: an enumerated type, and a table with a column of each known type.
pub(crate) fn schema() -> String {
    let columns: Vec<String> =
        table().iter().map(|known| format!("{} {}", known.column(), known.name)).collect();
    format!(
        "create type mood as enum ('sad', 'ok', 'happy');\ncreate table v (id int4, {});\n",
        columns.join(", ")
    )
}

/// The rows of the table: each value of each type at least once, and a null here and there.
pub(crate) fn rows() -> Vec<Vec<Option<String>>> {
    let table = table();
    let count = table.iter().map(|known| known.texts.len()).max().unwrap_or(0) + 2;
    let cell = |known: &Known, at: usize, column: usize| {
        let is_null = at >= known.texts.len() && (at + column) % 3 == 0;
        (!is_null).then(|| known.texts[(at + column) % known.texts.len()].to_owned())
    };
    (0..count)
        .map(|at| {
            let id = Some((at + 1).to_string());
            let cells = table.iter().enumerate().map(|(column, known)| cell(known, at, column));
            std::iter::once(id).chain(cells).collect()
        })
        .collect()
}

/// The statements that store the rows.
pub(crate) fn inserts(rows: &[Vec<Option<String>>]) -> String {
    let cell = |cell: &Option<String>| match cell {
        None => "null".to_owned(),
        Some(text) => format!("'{}'", text.replace('\'', "''")),
    };
    let row = |row: &Vec<Option<String>>| {
        format!("insert into v values ({});\n", row.iter().map(cell).collect::<Vec<_>>().join(", "))
    };
    rows.iter().map(row).collect()
}

/// Texts that some type refuses and another reads.
pub(crate) const ODD: &[&str] = &[
    "",
    " ",
    "abc",
    "12",
    " 7 ",
    "1.5",
    "1e3",
    "-0",
    "t",
    "yes",
    "99999999999999999999",
    "{}",
    "{1",
    "[]",
    "null",
];

/// Texts that are searched.
const SENTENCES: &[&str] = &[
    "The quick brown foxes jumped over the lazy dogs",
    "The Fat Rats",
    "a well-known thing, it's running!",
    "12 apples and 3.5 pears, x86",
    "the",
    "",
    "Organizations' nationalization: generously relational",
    "foo_bar (baz) [qux]",
    "Ähnliche Überraschung naïve",
    "dying dies died die",
    "happily happiness happy",
    "universities universal university",
    "news skis gently early",
    "-5 degrees; C++ this",
    "rock'n'roll",
    "2024-01-02",
    "the cat and the hat",
    "die schönen Häuser am Fluß und der Garten",
    "las niñas corrían por las calles",
    "красивые дома и введённые собаки with dogs",
    "les chevaux mangeaient des pommes",
    "日本語 text",
];

/// Texts of `to_tsquery`.
const SEARCHES: &[&str] = &[
    "fat & rat",
    "fat | !cat",
    "(fat | rats) & running",
    "the & cat",
    "cat <-> the <-> hat",
    "foxes:* & jump:A",
    "fat rat",
    "",
    "!the",
    "well-known",
    "'quick brown' & fox",
    "fat &",
    "(a",
    "fat <2> rat",
    "the | cat",
    "!(fat & cats)",
    "a:B*",
];

/// Options of `ts_headline`.
const HEADLINES: &[&str] = &[
    "",
    "MaxWords=6, MinWords=2",
    "MaxFragments=2, MaxWords=4, MinWords=1",
    "StartSel=<<, StopSel=>>, ShortWord=1",
    "HighlightAll=true",
    "MinWords=9, MaxWords=3",
    "Nope=1",
    "MaxWords",
];

/// Texts of `websearch_to_tsquery`.
const WEB_SEARCHES: &[&str] = &[
    "fat rat",
    "\"fat rat\" or -cat",
    "the fat",
    "or fat",
    "fat or",
    "\"the cat in the hat\"",
    "-\"fat rat\" dog",
    "a or b",
    "",
    "fat or rat or cat",
    "well-known thing",
    "\"unfinished phrase",
    "OR",
    "fat - rat",
];

/// Texts that share groups of three characters.
const TRIGRAMS: &[&str] = &[
    "word",
    "two words",
    "Hello World",
    "hello wörld",
    "sword fish",
    "",
    "äöü",
    "a",
    "wo rd ord",
    "words words wordy",
    "日本語 日本",
    "x-y_z 12",
];

/// Texts that sound alike.
const SOUNDS: &[&str] = &[
    "Anne", "Ann", "Andrew", "Margaret", "Gumbo", "gambol", "kitten", "sitting", "Müller", "A1bc", "Tymczak",
];

/// Formats of `to_char` for numbers.
const NUMBER_FORMATS: &[&str] = &[
    "999",
    "9999.99",
    "0000.00",
    "FM999.99",
    "FM990.00",
    "FM9999999",
    "S999",
    "999S",
    "MI999",
    "999MI",
    "999PR",
    "FM999PR",
    "SG999.9",
    "PL999",
    "9,999,999",
    "FM9,999,990.00",
    "999G999D99",
    "$999",
    "\"Nr. \"999",
    "999th",
    "FM999TH",
    "RN",
    "FMRN",
    "9.99EEEE",
    "99V99",
    "B999",
    "L999",
    ".99",
    "FM.99",
    "9.",
    "0",
    "x",
    "",
    "99.9.9",
    "S9S",
    "999EEEE9",
    "00999",
    "9990999.9",
    "FM0.99",
    "S0.09",
    "S.9",
];

/// Formats of `to_char` for moments.
const MOMENT_FORMATS: &[&str] = &[
    "YYYY-MM-DD",
    "YYYY-MM-DD HH24:MI:SS",
    "DD Mon YYYY",
    "FMMonth FMDD, YYYY",
    "Month",
    "MONTH month Mon MON mon",
    "Day DAY day Dy DY dy",
    "HH12:MI AM",
    "HH:MI:SS.MS pm",
    "HH24MISSUS",
    "YYYY\"T\"HH24:MI:SS\"Z\"",
    "IYYY-IW-ID",
    "IYYY-\"W\"IW",
    "DDD IDDD D ID",
    "WW W Q CC",
    "Y,YYY YYY YY Y",
    "IYY IY I",
    "J",
    "RM rm FMRM",
    "TZ tz OF TZH TZM",
    "DDth DDTH FMDDth MMTH",
    "SSSS SSSSS",
    "FF1 FF2 FF3 FF4 FF5 FF6",
    "BC AD B.C. a.d.",
    "A.M. p.m.",
    "FXYYYY",
    "TMMonth",
    "plain",
    "",
    "\\\"x",
    "\"a\\\"b\"",
    "FMHH24:FMMI",
    "yyyy-mm-dd hh24:mi:ss.us",
    "Hh24",
    "of",
    "DDSP",
    "FMYYYY FMCC FMDDD FMWW",
];

/// Patterns of `like`.
pub(crate) const LIKE: &[&str] =
    &["%", "a%", "%b%", "_bc", "A%", "%#%", "x#_y", "", "%world", "%本%", "a\\\\b", "#", "##%", "%ö%"];

/// Patterns of `similar to`.
pub(crate) const SIMILAR: &[&str] =
    &["%", "a%", "(a|b)%", "_bc", "[a-c]+", "a{3}", "%(b|d)%", "x\\_y", "", "abc?", "[^0-9]*", "%W_rld"];

fn range(subtype: Type) -> Type {
    Type::Range(Arc::new(subtype))
}

type Texts = (Type, &'static str, &'static [&'static str]);

fn texts() -> Vec<Texts> {
    let mood = Type::Enum(Arc::new(EnumType {
        name: Name::new("public", "mood"),
        labels: ["sad", "ok", "happy"].map(Arc::from).to_vec(),
    }));
    vec![
        (Type::Bool, "bool", &["t", "f"]),
        (Type::Int2, "int2", &["0", "1", "-1", "7", "32767", "-32768"]),
        (
            Type::Int4,
            "int4",
            &["0", "1", "-1", "2", "3", "-3", "7", "42", "100", "2147483647", "-2147483648"],
        ),
        (
            Type::Int8,
            "int8",
            &["0", "1", "-1", "5", "1000", "9007199254740993", "9223372036854775807", "-9223372036854775808"],
        ),
        (
            Type::Float4,
            "float4",
            &["0", "1", "-1.5", "0.1", "3.25e10", "1e-20", "NaN", "Infinity", "-Infinity"],
        ),
        (
            Type::Float8,
            "float8",
            &[
                "0",
                "1",
                "-1",
                "0.5",
                "2.5",
                "-3.5",
                "0.1",
                "1e15",
                "1e-7",
                "123456.789",
                "1e300",
                "NaN",
                "Infinity",
                "-Infinity",
            ],
        ),
        (
            Type::Numeric,
            "numeric",
            &[
                "0",
                "1",
                "-1",
                "0.00",
                "1.5",
                "-2.5",
                "3.14159",
                "10",
                "100.00",
                "12345678901234567890.123",
                "0.0000001",
                "NaN",
            ],
        ),
        (
            Type::Text,
            "text",
            &[
                "",
                "a",
                "abc",
                "Hello World",
                "  trim me ",
                "ÄÖÜ ß é",
                "a,b,,c",
                "100%",
                "x_y",
                "a\\b",
                "it's",
                "日本語",
                "foo123bar",
                "AbC-def",
            ],
        ),
        (
            Type::Uuid,
            "uuid",
            &["00000000-0000-0000-0000-000000000000", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
        ),
        (Type::Bytea, "bytea", &["\\x", "\\x00", "\\xdeadbeef", "\\x414243"]),
        (
            Type::Json,
            "json",
            &[
                "null",
                "1",
                "\"s\"",
                "[1, 2,  3]",
                "{\"a\": 1, \"b\": {\"c\": [true, null]}, \"a\": 2}",
                "{}",
                "[]",
            ],
        ),
        (
            Type::Jsonb,
            "jsonb",
            &[
                "null",
                "1",
                "1.50",
                "\"a\"",
                "true",
                "[]",
                "{}",
                "[1, 2, 3]",
                "[\"a\", {\"b\": 1}]",
                "{\"a\": 1, \"b\": {\"c\": [true, null]}, \"n\": null}",
                "[[1, 2], [3]]",
            ],
        ),
        (
            Type::Date,
            "date",
            &[
                "2000-01-01",
                "2024-02-29",
                "1999-12-31",
                "0044-03-15 BC",
                "infinity",
                "-infinity",
                "2024-03-31",
            ],
        ),
        (Type::Time, "time", &["00:00", "12:34:56.789", "23:59:59.999999", "24:00:00"]),
        (
            Type::Timetz,
            "timetz",
            &["00:00+00", "12:34:56.789-03:30", "23:59:59.999999+05:45", "24:00:00-12", "04:05:06+15:59:59"],
        ),
        (Type::Varbit, "varbit", &["", "0", "1", "101", "110", "1010011", "00000000", "111111111"]),
        (
            Type::Timestamp,
            "timestamp",
            &[
                "2000-01-01 00:00:00",
                "2024-02-29 12:34:56.789",
                "1969-07-20 20:17:40",
                "infinity",
                "-infinity",
                "2024-12-31 23:59:59.999999",
            ],
        ),
        (
            Type::Timestamptz,
            "timestamptz",
            &[
                "2000-01-01 00:00:00+00",
                "2024-03-31 01:30:00+00",
                "2023-11-05 06:00:00.5+00",
                "infinity",
                "-infinity",
            ],
        ),
        (
            Type::Interval,
            "interval",
            &[
                "0",
                "1 day",
                "-1 mon 2 days 03:04:05.678",
                "1 year 2 mons",
                "25:00:00",
                "36 days 12:00:00",
                "-00:00:01",
            ],
        ),
        (mood.clone(), "mood", &["sad", "ok", "happy"]),
        (Type::Int4.array(), "int4[]", &["{}", "{1,2,3}", "{3,NULL,1}", "{{1,2},{3,4}}", "{42}"]),
        (Type::Text.array(), "text[]", &["{}", "{a,b,c}", "{a,NULL}", "{\"x y\",\"\"}", "{0}", "{b,c,1}"]),
        (Type::Numeric.array(), "numeric[]", &["{}", "{1.5,2}", "{NULL}", "{1.50,2.0}"]),
        (Type::Varchar, "varchar", &["", "abc", "Abc", "a b  ", "日本", "12"]),
        (Type::Bpchar, "bpchar", &["", "abc", "abc  ", "Abc", "b"]),
        (Type::Citext, "citext", &["", "abc", "ABC", "Äb", "äB", "b"]),
        (
            Type::Inet,
            "inet",
            &["10.0.0.1", "10.0.0.0/8", "192.168.1.5/24", "::1", "2001:db8::/32", "0.0.0.0/0"],
        ),
        (Type::Cidr, "cidr", &["10.0.0.0/8", "10.0.0.1/32", "2001:db8::/32"]),
        (
            Type::Uuid.array(),
            "uuid[]",
            &["{}", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11,NULL}", "{00000000-0000-0000-0000-000000000000}"],
        ),
        (Type::Jsonb.array(), "jsonb[]", &["{}", "{1,NULL}", "{\"{\\\"a\\\": 1}\",\"[1, 2]\"}", "{1.0}"]),
        (Type::Bool.array(), "bool[]", &["{}", "{t,f}", "{NULL,t}"]),
        (Type::Float8.array(), "float8[]", &["{}", "{1.5,NaN}", "{Infinity,-0,NULL}", "{1e300}"]),
        (
            Type::Timestamptz.array(),
            "timestamptz[]",
            &["{}", "{\"2024-03-31 01:30:00+00\",infinity}", "{NULL}"],
        ),
        (Type::Date.array(), "date[]", &["{}", "{2024-02-29,2000-01-01}", "{infinity,NULL}"]),
        (mood.clone().array(), "mood[]", &["{}", "{sad,happy}", "{ok,NULL}"]),
        (Type::Int8.array(), "int8[]", &["{}", "{9223372036854775807,1}", "{1,2,NULL}"]),
        (
            range(Type::Int4),
            "int4range",
            &["empty", "[1,10)", "(,5]", "[3,)", "(,)", "[10,20)", "[5,5]", "(2,7]"],
        ),
        (range(Type::Numeric), "numrange", &["empty", "[1.5,2.50]", "(1,2)", "(,0]", "[2,3)", "(2.5,)"]),
        (
            range(Type::Date),
            "daterange",
            &["empty", "[2024-01-01,2024-12-31]", "(,2000-01-01)", "[2024-02-29,infinity)"],
        ),
        (
            range(Type::Timestamptz),
            "tstzrange",
            &[
                "empty",
                "[\"2024-03-31 01:30:00+00\",\"2024-04-01 00:00:00+00\")",
                "(,infinity)",
                "[\"2023-11-05 06:00:00.5+00\",)",
            ],
        ),
        (range(Type::Int8), "int8range", &["empty", "[1,5]", "(,9223372036854775807)", "[6,)"]),
        (
            range(Type::Timestamp),
            "tsrange",
            &["empty", "[\"2000-01-01 00:00:00\",\"2024-02-29 12:34:56.789\"]", "(,)"],
        ),
        (
            Type::Tsvector,
            "tsvector",
            &["", "'fat':2 'rat':3", "'a' 'b' 'cat':1A,5 'it''s':2", "'fox':4B 'quick':2 'x':1", "'b' 'aa'"],
        ),
        (
            Type::Tsquery,
            "tsquery",
            &[
                "",
                "'fat' & 'rat'",
                "'cat' | !'fat'",
                "'fat' <-> 'rat'",
                "'qu':* & 'fox':B",
                "!('a' & 'b') | 'x'",
                "'quick' <2> 'fox'",
            ],
        ),
        (
            Type::Jsonpath,
            "jsonpath",
            &[
                "$",
                "$.a",
                "$[*] ? (@ > 1)",
                "strict $.a",
                "$.**.type()",
                "$.a == 1",
                "$[last].size()",
                "$[*] ? (@ like_regex \"^[a-c]\" flag \"i\" || exists (@.b))",
            ],
        ),
        (Type::Varchar.array(), "varchar[]", &["{}", "{a,b}", "{\"a \",NULL}"]),
    ]
}

/// Documents for paths.
const DOCUMENTS: &[&str] = &[
    "null",
    "[1, 2.5, \"a\", {\"b\": null}]",
    "{\"a\": [1, 2, {\"b\": true}]}",
    "\"2024-02-29\"",
    "[\"2024-02-29\", \"2024-03-01 00:00:00\", \"2024-02-29 23:59:59.5-01\"]",
    "[\"10:30:00\", \"10:30:00+02\", \"09:00:00.25\"]",
    "[\"2024-2-3\", \"x\", 5]",
];

/// Paths for documents.
const PATHS: &[&str] = &[
    "$",
    "strict $.a",
    "$[*] ? (@ > 1)",
    "$[last].size()",
    "$[*] ? (@ like_regex \"^[a-c]\" flag \"i\" || exists (@.b))",
    "$.datetime()",
    "$[*].datetime().type()",
    "$[*].datetime() ? (@ >= \"2024-03-01\".datetime())",
    "$[*].datetime() ? (@ < \"10:30\".datetime(\"HH24:MI\"))",
    "$[*] ? (@.datetime() == \"2024-02-29T23:59:59.5-01:00\".datetime())",
    "$[*].datetime(\"YYYY-MM-DD\")",
    "$[*].datetime(\"HH24:MI:SS.MS\")",
    "($[0].datetime() < $[1].datetime()) is unknown",
];

/// Texts for arguments of functions that want words of their own: units, formats, encodings, patterns, zones. `first` is the
/// type of the first argument.
pub(crate) fn words(
    function: &str,
    position: usize,
    first: &Type,
    is_first: bool,
) -> Option<&'static [&'static str]> {
    Some(match (function, position) {
        ("int4range" | "int8range" | "numrange" | "daterange" | "tsrange" | "tstzrange", 2) => {
            &["[]", "[)", "(]", "()", "x"]
        }
        (
            "to_tsvector"
            | "to_tsquery"
            | "plainto_tsquery"
            | "phraseto_tsquery"
            | "websearch_to_tsquery"
            | "json_to_tsvector"
            | "jsonb_to_tsvector"
            | "ts_headline",
            0,
        ) if is_first => &[
            "english",
            "simple",
            "pg_catalog.english",
            "german",
            "spanish",
            "portuguese",
            "russian",
            "french",
        ],
        ("to_tsvector" | "plainto_tsquery" | "phraseto_tsquery", _) => SENTENCES,
        ("setweight", 1) => &["A", "b", "C", "D"],
        ("ts_headline", _) if position < 2 => SENTENCES,
        ("ts_headline", _) => HEADLINES,
        ("ts_lexize", 0) => &["english_stem", "simple", "german_stem", "pg_catalog.simple"],
        ("ts_lexize", 1) => &["stars", "the", "running", "a", "Äpfel", ""],
        ("ts_filter", 1) => &["{a}", "{A,d}", "{}", "{b,c,NULL}", "{x}"],
        ("to_tsquery", _) => SEARCHES,
        ("websearch_to_tsquery", _) => WEB_SEARCHES,
        ("to_number", 0) => &["123", "-12.5", "+1,234", "12-", "<7>", " 5 ", "x", "", "1.2.3"],
        ("to_number", 1) => NUMBER_FORMATS,
        ("to_date" | "to_timestamp", 0) => &[
            "2021-03-04",
            "20210304",
            "04 Mar 2021",
            "2021-02-30",
            "10:11:12 pm",
            "2021-063",
            "99 BC",
            "x",
            "",
        ],
        ("to_date" | "to_timestamp", 1) => &[
            "YYYY-MM-DD",
            "YYYYMMDD",
            "DD Mon YYYY",
            "HH:MI:SS AM",
            "YYYY-DDD",
            "YY BC",
            "FXYYYY-MM-DD",
            "IYYY-IW",
        ],
        ("to_char", 1) if first.is_number() => NUMBER_FORMATS,
        ("to_char", 1) => MOMENT_FORMATS,
        ("date_part" | "extract", 0) => &[
            "year",
            "month",
            "day",
            "hour",
            "minute",
            "second",
            "milliseconds",
            "microseconds",
            "dow",
            "isodow",
            "doy",
            "week",
            "quarter",
            "isoyear",
            "decade",
            "century",
            "millennium",
            "epoch",
            "julian",
            "timezone",
            "nonsense",
        ],
        ("normalize" | "is_normalized", 0) => &["e\u{301}", "é", "ﬁ", "한", "Å", "plain", ""],
        ("normalize" | "is_normalized", 1) => &["NFC", "NFD", "NFKC", "nfkd", "x"],
        ("unistr", 0) => &[
            "\\0441\\u0442\\+000441x\\\\",
            "\\d83d\\de00",
            "\\U0001F600!",
            "plain",
            "\\x",
            "\\d83d",
            "\\de00",
            "\\d83dx",
            "\\0000",
            "\\UFFFFFFFF",
            "",
        ],
        ("date_trunc", 0) => &[
            "year",
            "month",
            "day",
            "hour",
            "minute",
            "second",
            "milliseconds",
            "microseconds",
            "week",
            "quarter",
            "decade",
            "century",
            "millennium",
            "nonsense",
            "timezone",
        ],
        ("timezone", 0) | ("date_trunc", 2) => {
            &["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "nowhere"]
        }
        ("crypt", 1) => &["$1$abc", "$1$abcdefgh$", "$2a$04$abcdefghijklmnopqrstuu", "$2a$04$ab", "x", "$1$"],
        ("unaccent", 0) if is_first => &["unaccent", "extensions.unaccent"],
        ("unaccent", _) => &["Hôtel “Æther” ½ ǆ", "plain", "", "ÀÉÎÕÜ çñß", "日本"],
        (
            "similarity"
            | "word_similarity"
            | "strict_word_similarity"
            | "show_trgm"
            | "%"
            | "<%"
            | "%>"
            | "<<%"
            | "%>>"
            | "<<->"
            | "<->>"
            | "<<<->"
            | "<->>>",
            _,
        ) => TRIGRAMS,
        ("levenshtein" | "levenshtein_less_equal" | "soundex" | "text_soundex" | "difference", 0 | 1) => {
            SOUNDS
        }
        ("levenshtein" | "levenshtein_less_equal", _) => &["0", "1", "2", "5"],
        ("jsonb_set_lax", 4) => &["delete_key", "return_target", "use_json_null", "raise_exception", "x"],
        ("pg_size_bytes", 0) => &["1", "1.5 kB", "-3MB", "1e3", "12 PB", "x", "1 zb", "", " 7 bytes "],
        ("parse_ident", 0) => {
            &["a", "A.\"B c\".d", "a..b", "a b", "", "1a", "a.", ".a", "\"x", " a . b ", "a.b(c)", "\"\""]
        }
        ("encode" | "decode", 1) => &["hex", "base64", "escape", "nonsense"],
        ("decode", 0) => &["", "00ff", "deadbeef", "AQID", "YWJj\nZA==", "x", "a\\001b", "abc="],
        ("digest", 1) | ("hmac", 2) => &["md5", "sha1", "sha256", "sha512", "nonsense"],
        (
            "~"
            | "!~"
            | "~*"
            | "!~*"
            | "regexp_like"
            | "regexp_match"
            | "regexp_replace"
            | "regexp_split_to_array"
            | "regexp_count"
            | "regexp_substr",
            1,
        ) => &[
            "a",
            "^a",
            "[a-z]+",
            "(\\d+)",
            "\\s+",
            "b|c",
            "(a)(b)?",
            "[^a-z]",
            "\\w+$",
            ".*?b",
            "x*",
            "(foo|bar)\\d*",
            "(",
            "a{2}",
            "^$",
            "[[:upper:]]",
            "\\mW",
            "A",
            "(?i)hello",
            "o{1,2}?",
            "[a",
            "*",
            "\\y",
            ",",
        ],
        ("regexp_like" | "regexp_match" | "regexp_split_to_array", 2)
        | ("regexp_replace" | "regexp_count", 3) => &["", "i", "g", "gi", "n", "x", "z"],
        ("regexp_replace", 2) => &["", "X", "<\\1>", "[\\&]", "\\\\", "\\2\\1"],
        ("regexp_replace", 5) | ("regexp_substr", 4) => &["", "i", "g", "z"],
        ("~~" | "!~~" | "~~*" | "!~~*" | "like" | "notlike", 1) => {
            &["%", "a%", "%b%", "_bc", "A%", "%\\%", "x\\_y", "", "\\", "%world", "%本%", "a\\\\b"]
        }
        ("format", 0) => &[
            "%s",
            "%s-%s",
            "%I",
            "%L",
            "%2$s %1$s",
            "%%",
            "%10s|",
            "%-5s|",
            "%z",
            "%",
            "plain",
            "%*s",
            "%0$s",
        ],
        ("like_escape" | "similar_to_escape", 1) => &["", "#", "\\", "ab"],
        ("translate" | "btrim" | "ltrim" | "rtrim", 1) => &["", "a", "abc", " ", "lo", "é"],
        ("split_part" | "string_to_array" | "replace" | "strpos" | "position", 1) => {
            &[",", "", "b", "abc", " ", "本"]
        }
        ("array_to_string", 1) | ("concat_ws", 0) => &[",", "", " | "],
        ("lpad" | "rpad", 2) => &["", "*", "xy"],
        ("to_ascii", 1) => &["LATIN1", "latin-2", "LATIN9", "WIN1250", "UTF8", "8", "16", "99"],
        (name, 0) if name.starts_with("jsonb_path_") => DOCUMENTS,
        (name, 1) if name.starts_with("jsonb_path_") => PATHS,
        ("convert_from" | "convert_to", 1) => &["UTF8", "utf-8"],
        _ => return None,
    })
}
