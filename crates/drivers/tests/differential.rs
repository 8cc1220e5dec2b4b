//! Generated expressions: memory, SQLite and PostgreSQL (asked by us, too) give the same text, or the same error.
//!
//! A seeded generator writes typed expressions over the whole table of functions, as SQL text. Each is computed four times:
//! by `query::eval`, by SQLite through the renderer and the registered functions (constants as parameters, or columns of a
//! stored table: in the select list, in conditions, as sort, group and distinct keys, in aggregates), and by the PostgreSQL
//! that `TEST_POSTGRES_URL` names, and by the same PostgreSQL through its renderer and driver; `cargo xtask ci` starts one. `BACKPLANE_TEST_SEED` and `BACKPLANE_TEST_COUNT` choose
//! another run, `BACKPLANE_TEST_QUERIES` names a file whose lines are asked instead.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test from end to end"
)]

mod differential {
    pub(crate) mod embedded;
    pub(crate) mod generate;
    pub(crate) mod literals;
    pub(crate) mod native;
    pub(crate) mod postgres;

    /// What a query came to.
    #[derive(Clone, Debug, PartialEq)]
    pub(crate) enum Outcome {
        /// The texts of the only column; null has none.
        Rows(Vec<Option<String>>),
        /// The code and the message.
        Error(String),
    }

    impl Outcome {
        pub(crate) fn error(error: &types::Error) -> Outcome {
            Outcome::Error(format!("{} {}", error.state(), error.message()))
        }

        /// An error that names what we lack is an allowed answer.
        pub(crate) fn is_refused(&self) -> bool {
            matches!(self, Outcome::Error(text) if text.starts_with("0A000 ") && text.ends_with(" is not supported"))
        }
    }
}

use std::collections::{BTreeMap, HashMap};

use differential::Outcome;
use differential::embedded::Embedded;
use differential::generate::{Generated, Generator, is_left_out};
use differential::literals;
use differential::native::Native;
use differential::postgres::Postgres;
use query::functions;

/// Queries in a run of CI.
const COUNT: u64 = 25_000;
/// Each row of the table of functions is answered at least so often, for each 25 000 queries.
const ANSWERS_MIN: u32 = 5;
/// One in so many is asked through the renderer for PostgreSQL: a spelling is right or wrong, whatever the values.
const NATIVE_EACH: usize = 3;
/// Differences that are shown.
const SHOWN: usize = 60;

/// The time: `age` of one argument counts up to today.
fn now() -> i64 {
    let since_1970 = std::time::UNIX_EPOCH.elapsed().unwrap().as_micros();
    i64::try_from(since_1970).unwrap() - types::session::EPOCH_MICROS
}

/// What PostgreSQL lacked a check for and later got: the age of infinity (17), intervals that overflow (16), the least integer as
/// the second argument of `right` (15.20).
fn is_excused(sql: &str, ours: &Outcome) -> bool {
    if sql.contains("\"right\"(") && (sql.contains("-2147483648") || sql.contains("k_int4")) {
        return true;
    }
    let Outcome::Error(error) = ours else { return false };
    (sql.contains("\"age\"") && error == "22008 timestamp out of range")
        || (sql.contains("\"make_interval\"") && error == "22008 interval out of range")
}

/// The lines of the file that `BACKPLANE_TEST_QUERIES` names.
fn asked() -> Option<Vec<String>> {
    let file = std::env::var_os("BACKPLANE_TEST_QUERIES")?;
    Some(std::fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect())
}

/// The queries of a run.
fn generated(seed: u64, count: u64) -> Vec<Generated> {
    let mut generator = Generator::new(seed);
    match asked() {
        Some(lines) => lines.into_iter().map(|line| Generated { theirs: line.clone(), ours: line }).collect(),
        None => (0..count).map(|_| generator.next()).collect(),
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// What a run came to.
#[derive(Default)]
struct Tally {
    errors: u64,
    refused: u64,
    excused: u64,
    different: usize,
    different_natively: usize,
    /// How often each row was answered.
    answered: HashMap<String, u32>,
    refusals: BTreeMap<String, u32>,
}

impl Tally {
    /// What the renderer for PostgreSQL makes of a query must be what the query's own text is.
    fn take_native(&mut self, embedded: &Embedded, native: &Native, generated: &Generated, theirs: &Outcome) {
        let Ok(query) = embedded.meant(&generated.ours) else { return };
        let Some(ours) = native.answer(query, &embedded.model).filter(|ours| ours != theirs) else { return };
        // The planner computes calls of constants ahead of time, others not at all: whether an error is met depends on that.
        let is_met = |outcome: &Outcome| match outcome {
            Outcome::Error(error) if error.starts_with("42601 ") => !error.contains("syntax"),
            Outcome::Error(error) => error.starts_with("22") || error.starts_with("54"),
            Outcome::Rows(_) => false,
        };
        if is_met(&ours) || matches!(theirs, Outcome::Error(_)) {
            self.excused += 1;
            return;
        }
        self.different_natively += 1;
        if self.different_natively <= SHOWN {
            eprintln!("{}\n  native {ours:?}\n  theirs {theirs:?}", generated.ours);
        }
    }

    fn take(&mut self, embedded: &Embedded, generated: &Generated, theirs: &Outcome) {
        let answers = embedded.answer(&generated.ours);
        self.errors += u64::from(matches!(theirs, Outcome::Error(_)));
        let mut is_answered = true;
        let is_same = answers.memory.as_ref().is_none_or(|memory| *memory == answers.sqlite);
        let place = if is_same { "ours  " } else { "sqlite" };
        let memory = answers.memory.as_ref().filter(|_| !is_same);
        for (place, ours) in [("memory", memory), (place, Some(&answers.sqlite))] {
            let Some(ours) = ours.filter(|ours| *ours != theirs) else { continue };
            is_answered = false;
            if ours.is_refused() {
                self.refused += u64::from(place != "memory");
                if let Outcome::Error(text) = ours {
                    *self.refusals.entry(text.clone()).or_default() += 1;
                }
            } else if is_excused(&generated.theirs, ours) {
                self.excused += 1;
            } else {
                self.different += 1;
                if self.different <= SHOWN {
                    eprintln!(
                        "{}\n  {}\n  {place} {ours:?}\n  theirs {theirs:?}",
                        generated.theirs, generated.ours
                    );
                }
            }
        }
        if is_answered {
            for symbol in answers.uses {
                *self.answered.entry(symbol).or_default() += 1;
            }
        }
    }

    /// The rows that were answered too rarely.
    fn missed(&self, least: u32) -> Vec<String> {
        let rows =
            functions::all().filter(|function| !is_left_out(function)).map(functions::Function::symbol);
        let all = rows.chain(functions::aggregates().map(functions::Aggregate::symbol));
        let all = all.filter(|symbol| !BY_CASES.iter().any(|shape| symbol.starts_with(shape)));
        all.filter(|symbol| self.answered.get(symbol).copied().unwrap_or(0) < least).collect()
    }
}

/// Rows that no generated expression can say: functions of whole rows. Cases ask them (`cases/types/a-row-is-a-value`).
const BY_CASES: &[&str] = &[
    "pg_row_to_json_record",
    // `cases/types/vectors-…`, `cases/query/texts-are-searched-…`
    "pg_agg_sum_vector",
    "pg_agg_avg_vector",
    "pg_agg_min_vector",
    "pg_agg_max_vector",
    "pg_ts_rank_float4s_",
    "pg_ts_rank_cd_float4s_",
];

#[test]
fn expressions_are_computed_as_postgresql_computes_them() {
    let Some(mut postgres) = Postgres::connect() else {
        let says =
            "TEST_POSTGRES_URL names no PostgreSQL: no expression was compared (see `cargo xtask engines`)";
        assert!(std::env::var("CI").is_err(), "{says}");
        return eprintln!("{says}");
    };
    let (seed, count) = (setting("BACKPLANE_TEST_SEED", 1), setting("BACKPLANE_TEST_COUNT", COUNT));
    eprintln!("seed {seed}, {count} queries");
    let (schema, rows) = (literals::schema(), literals::rows());
    postgres.prepare(&format!("{schema}{}", literals::inserts(&rows)));
    let embedded = Embedded::open(&schema, &rows, now());
    let generated = generated(seed, count);
    let queries: Vec<String> = generated.iter().map(|generated| generated.theirs.clone()).collect();
    let answers = postgres.ask(&queries);
    assert_eq!(answers.len(), generated.len(), "an answer for each query");
    let native = Native::open(postgres.url(), now());
    let mut tally = Tally::default();
    for (number, (generated, theirs)) in generated.iter().zip(&answers).enumerate() {
        tally.take(&embedded, generated, theirs);
        if number % NATIVE_EACH == 0 {
            tally.take_native(&embedded, &native, generated, theirs);
        }
    }
    for (refusal, times) in &tally.refusals {
        eprintln!("{times} times {refusal}");
    }
    let Tally { errors, refused, excused, different, .. } = &tally;
    eprintln!(
        "{count} queries, {errors} errors, {refused} refused, {excused} excused, {different} different"
    );
    let least = u32::try_from(u64::from(ANSWERS_MIN) * count / COUNT).unwrap();
    assert_eq!(tally.different, 0, "differences from PostgreSQL");
    assert_eq!(tally.different_natively, 0, "differences of what is written for PostgreSQL");
    if asked().is_some() {
        return;
    }
    assert_eq!(tally.missed(least), Vec::<String>::new(), "rows that were answered less than {least} times");
    assert!(tally.refused * 50 < count, "too much is refused");
}
