//! What an engine lacks by decision or for now: the capabilities that `== skip` and `== lacking` may name, a row each.

/// A capability that an engine does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lacking {
    /// The engine's word in cases.
    pub engine: &'static str,
    /// The capability.
    pub capability: &'static str,
    /// Why it is not there.
    pub reason: &'static str,
}

/// The engines that cases run on: their words, and their names for people.
pub const ENGINES: &[(&str, &str)] = &[("sqlite", "SQLite"), ("postgres", "PostgreSQL")];

/// Everything that is lacking.
pub const LACKING: &[Lacking] = &[
    row(
        "sqlite",
        "functions that take on another role",
        "a function here has the role of its owner or caller",
    ),
    row(
        "sqlite",
        "functions that hold more memory than they may",
        "PostgreSQL writes what does not fit to disk; here all functions of a request have a bound in bytes",
    ),
    row("sqlite", "names that differ only in case", "SQLite's names of columns do not tell case"),
    row("sqlite", "settings of roles", "only `statement_timeout` and `timezone` mean something there"),
    row(
        "sqlite",
        "views that see past policies",
        "rows that policies hide would be shown: such a view is to be declared with security_invoker",
    ),
    row("sqlite", "values of xml", "few use them, and nothing here reads XML"),
    row("sqlite", "GeoJSON", "it is PostGIS that makes it"),
    row("sqlite", "aggregates of the schema", "only those of PostgreSQL are known"),
    row(
        "sqlite",
        "parts of a statement in the order in which they are read",
        "they are done as they are written, and where somebody could tell, the statement is refused",
    ),
    row("sqlite", "settings that decide who the caller is", "a function of ours never becomes somebody else"),
    row("postgres", "a limit on how long writers sleep", "whoever waits there waits for its locks alone"),
    row("postgres", "schedules", "pg_cron does it there, which is not installed where cases are played"),
    row("postgres", "queues", "pgmq does it there, which is not installed where cases are played"),
    row("postgres", "vault", "supabase_vault does it there, which is not installed where cases are played"),
    row("postgres", "pgvector", "the extension is not installed where cases are played"),
    row(
        "postgres",
        "expected numbers that count no hidden row",
        "its planner's statistics are over all rows, as with PostgREST",
    ),
    row(
        "postgres",
        "a limit on the size of regular expressions",
        "it compiles them itself, within a statement's time",
    ),
];

const fn row(engine: &'static str, capability: &'static str, reason: &'static str) -> Lacking {
    Lacking { engine, capability, reason }
}

/// The row of a capability.
pub fn find(engine: &str, capability: &str) -> Option<&'static Lacking> {
    LACKING.iter().find(|row| row.engine == engine && row.capability == capability)
}
