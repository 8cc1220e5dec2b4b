//! The PostgreSQL that is asked: the one of `TEST_POSTGRES_URL`.

use std::io::Write;
use std::process::{Command, Stdio};

use super::Outcome;

const DATABASE: &str = "backplane_differential";

/// A server.
pub(crate) struct Postgres {
    url: String,
}

/// Computes a query of one column `x`: each row as `n` or `v` with its text in hexadecimal, or the error after `e`.
const SETUP: &str = r#"
set client_min_messages = error;
set timezone = 'UTC';
set jit = off;
set default_text_search_config = 'pg_catalog.english';
set max_parallel_workers_per_gather = 0;
set search_path = public, extensions;
create function pg_temp.computed(q text) returns text language plpgsql as $f$
declare answer text;
begin
  execute 'select coalesce(string_agg(case when x is not distinct from null then ''n'' else ''v'' || '
    || 'encode(convert_to(concat(x), ''UTF8''), ''hex'') end, '',''), '''') from (' || q || ') s' into answer;
  return answer;
exception when others then
  return 'e' || encode(convert_to(sqlstate || ' ' || sqlerrm, 'UTF8'), 'hex');
end $f$;
"#;

impl Postgres {
    /// The server that the environment names.
    pub(crate) fn connect() -> Option<Postgres> {
        std::env::var("TEST_POSTGRES_URL").ok().map(|url| Postgres { url })
    }

    /// A database of the test's own, made anew, with the extensions that projects use.
    pub(crate) fn prepare(&mut self, schema: &str) {
        self.run(&format!("set client_min_messages = error;\ndrop database if exists {DATABASE};\ncreate database {DATABASE};\n"))
            .expect("the server lets the test make a database");
        let server = self.url.rsplit_once('/').map_or(self.url.as_str(), |(server, _)| server);
        self.url = format!("{server}/{DATABASE}");
        let script = format!(
            "set client_min_messages = error;
            create schema extensions;
            create extension pgcrypto schema extensions;
            create extension \"uuid-ossp\" schema extensions;
            create extension pg_trgm schema extensions;
            create extension unaccent schema extensions;
            create extension fuzzystrmatch schema extensions;
            create extension citext;
            {schema}"
        );
        self.run(&script).expect("the schema of the test is PostgreSQL's SQL");
    }

    /// Where the test's own database is.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The answers to queries, in their order.
    pub(crate) fn ask(&self, queries: &[String]) -> Vec<Outcome> {
        let half = queries.len().div_ceil(2).max(1);
        std::thread::scope(|scope| {
            let parts: Vec<_> =
                queries.chunks(half).map(|part| scope.spawn(move || self.ask_one(part))).collect();
            parts.into_iter().flat_map(|part| part.join().expect("a session")).collect()
        })
    }

    fn ask_one(&self, queries: &[String]) -> Vec<Outcome> {
        let mut script = SETUP.to_owned();
        for query in queries {
            script.push_str(&format!("select pg_temp.computed($q${query}$q$);\n"));
        }
        let output = self.run(&script).expect("psql runs the queries");
        output.lines().map(outcome).collect()
    }

    fn run(&self, script: &str) -> Result<String, String> {
        let mut child = Command::new("psql")
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", &self.url])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("psql: {error}"))?;
        let mut input = child.stdin.take().ok_or("no input")?;
        let script = script.to_owned();
        let writer = std::thread::spawn(move || input.write_all(script.as_bytes()));
        let output = child.wait_with_output().map_err(|error| error.to_string())?;
        let _ = writer.join();
        if !output.status.success() {
            return Err(format!("psql ended with {}", output.status));
        }
        String::from_utf8(output.stdout).map_err(|error| error.to_string())
    }
}

fn outcome(line: &str) -> Outcome {
    if let Some(hex) = line.strip_prefix('e') {
        return Outcome::Error(decoded(hex));
    }
    let rows = line.split(',').filter(|row| !row.is_empty());
    Outcome::Rows(rows.map(|row| row.strip_prefix('v').map(decoded)).collect())
}

fn decoded(hex: &str) -> String {
    let digits: Vec<u8> = hex
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap())
        .collect();
    let bytes = digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    String::from_utf8(bytes).expect("the text is UTF-8")
}
