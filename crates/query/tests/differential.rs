//! Generated expressions: `eval` and PostgreSQL give the same text, or the same error.
//!
//! A seeded generator writes typed expressions over the whole table of functions, as SQL text and as trees (through
//! `functions::choose`). One `psql` session computes them all. `BACKPLANE_TEST_PG` is a connection string of a server to ask;
//! without it a private server is started. `BACKPLANE_TEST_SEED` and `BACKPLANE_TEST_COUNT` choose another run.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test from end to end")]

mod differential {
    pub(crate) mod generate;
    pub(crate) mod literals;
    pub(crate) mod server;
}

use differential::generate::{Generated, Generator};
use differential::server::Server;
use query::eval::{NoRow, Scope, eval};
use query::ir::Caller;
use types::session::Session;

/// What an expression came to.
#[derive(Clone, Debug, PartialEq)]
enum Outcome {
    Null,
    Text(String),
    Error(String),
}

/// The time: `age` of one argument counts up to today.
fn now() -> i64 {
    let since_1970 = std::time::UNIX_EPOCH.elapsed().unwrap().as_micros();
    i64::try_from(since_1970).unwrap() - types::session::EPOCH_MICROS
}

fn ours(generated: &Generated, now: i64) -> Outcome {
    let session = Session::utc(now);
    let caller = Caller::role("postgres");
    let mut random = |bytes: &mut [u8]| bytes.fill(7);
    let clock = || now;
    let mut scope =
        Scope { caller: &caller, params: &[], session: &session, random: &mut random, clock: &clock };
    match eval(&generated.expr, &NoRow, &mut scope) {
        Ok(value) if value.is_null() => Outcome::Null,
        Ok(value) => Outcome::Text(types::text::print(&generated.expr.ty(), &value, &session)),
        Err(error) => Outcome::Error(format!("{} {}", error.code().name(), error.message())),
    }
}

fn theirs(line: &str) -> Outcome {
    let (kind, hex) = line.split_at(1);
    let digits: Vec<u8> = hex.bytes().collect();
    let bytes = digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    let text = String::from_utf8(bytes).unwrap();
    match kind {
        "n" => Outcome::Null,
        "v" => Outcome::Text(text),
        _ => Outcome::Error(text),
    }
}

/// An error that names what we lack is an allowed answer.
fn refused(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Error(text) if text.starts_with("0A000 ") && text.ends_with(" is not supported"))
}

/// What PostgreSQL lacked a check for and later got: the age of infinity (17), intervals that overflow (16).
fn excused(sql: &str, ours: &Outcome) -> bool {
    let Outcome::Error(error) = ours else { return false };
    (sql.contains("\"age\"") && error == "22008 timestamp out of range")
        || (sql.contains("\"make_interval\"") && error == "22008 interval out of range")
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn expressions_are_computed_as_postgresql_computes_them() {
    let now = now();
    let server = Server::connect();
    let mut generator = Generator::new(setting("BACKPLANE_TEST_SEED", 1), server.has_pgcrypto(), now);
    let count = setting("BACKPLANE_TEST_COUNT", 25_000);
    let generated: Vec<Generated> = (0..count).map(|_| generator.next()).collect();
    let answers = server.ask(generated.iter().map(|generated| generated.sql.as_str()));
    assert_eq!(answers.len(), generated.len(), "an answer for each expression");
    let (mut different, mut refusals, mut errors) = (0, 0, 0);
    for (generated, answer) in generated.iter().zip(&answers) {
        let (ours, theirs) = (ours(generated, now), theirs(answer));
        errors += u32::from(matches!(theirs, Outcome::Error(_)));
        if ours == theirs {
            continue;
        }
        if refused(&ours) || excused(&generated.sql, &ours) {
            refusals += 1;
            continue;
        }
        different += 1;
        if different <= 200 {
            eprintln!("{}\n  ours   {ours:?}\n  theirs {theirs:?}", generated.sql);
        }
    }
    eprintln!("{count} expressions, {errors} errors, {refusals} refused, {different} different");
    assert_eq!(different, 0, "differences from PostgreSQL");
    assert!(refusals * 50 < count, "too much is refused");
}
