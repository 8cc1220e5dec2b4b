//! Where the embedded engine is known to answer otherwise: a row each, with its reason. What is in no row is a difference.
//!
//! Some answers do not show by themselves, so that requests keep out of their way:
//!
//! - *Numbers of sequences after a refused write of several rows*: PostgreSQL completes rows up to the one that is refused, the
//!   embedded engine all of them. How many numbers are lost is nobody's promise ([`counts_on`]).
//! - *Two keys to one table that do different things* when its key changes: PostgreSQL runs checks and cascades in the order of their
//!   age, as both engines do in deletions; the embedded engine looks after all cascades (`schema::reference`).
//! - *Errors of variables where there is no row*: PostgreSQL computes what is made of a program's variables alone when it plans, in some
//!   executions, whether or not a row is looked at (`programs::chosen`, `programs::fitting`). Constants fail so on both engines in
//!   programs; in views and requests alone they do on PostgreSQL.
//! - *Triggers before the rows of a deletion*: PostgreSQL deletes row by row, the embedded engine when all of them have fired. What one
//!   of them asks of the table shows it (`programs::body`).
//! - *How often a volatile function in a condition is called*: PostgreSQL calls it for each row that it looks at, the embedded engine
//!   once where that finds the rows by a key. What such a function changes shows it (`programs::chosen`).
//! - *Details of a duplicate in an index over a cast*: not printed (`schema::indexes`).

use super::ask::Asked;
use super::pair::Difference;

/// A known deviation.
pub(super) struct Deviation {
    pub(super) name: &'static str,
    is: fn(&Asked, &Difference) -> bool,
}

/// All of them. The reason of each stands above it.
pub(super) const DEVIATIONS: &[Deviation] = &[
    // An owner's view would show rows that policies hide: refused, with what would be right.
    Deviation {
        name: "views of owners over tables with row-level security",
        is: |_, found| {
            lacks(found, "a view that reads ")
                && found.sqlite.body.contains("with its owner's rights past row-level security")
        },
    },
    // Words of text search beyond ASCII would need PostgreSQL's parser of words: refused with the text.
    Deviation { name: "text search beyond ASCII", is: |_, found| lacks(found, "text search in ") },
    // Which side of a join PostgreSQL reads first is its planner's matter: where that has no row, the other is not called.
    Deviation {
        name: "functions that are joined with no row",
        is: |asked, found| {
            asked.path.starts_with("rpc/")
                && found.sqlite.status >= 400
                && (matches!(found.postgres.body.trim(), "[]" | "") || found.postgres.status == 416)
                && ["!inner", "=is.null", "=not.is.null"]
                    .iter()
                    .any(|join| asked.parameters.iter().any(|parameter| parameter.contains(join)))
        },
    },
    // Which of several rows that a join finds is deleted first, and named where both are still referenced, is its planner's matter.
    Deviation {
        name: "which of several rows of a join is refused",
        is: |asked, found| {
            let said = |body: &str| body.split_once("\"message\"").map(|(_, said)| said.to_owned());
            asked.path == "batch"
                && found.sqlite.body.contains("\"code\":\"23503\",\"details\":\"Key (id)=(")
                && found.postgres.body.contains("\"code\":\"23503\",\"details\":\"Key (id)=(")
                && said(&found.sqlite.body) == said(&found.postgres.body)
        },
    },
    // Releases of PostgreSQL before 15.20 change what the embedded engine, and those from then on, refuse: a row in the way of an
    // upsert that the view does not show.
    Deviation {
        name: "an upsert through a view, on a release that does not ask the view",
        is: |asked, found| {
            asked.path.starts_with("view_")
                && found.sqlite.body.contains("\"message\":\"conflicting row is not visible through view ")
        },
    },
];

/// Whether a refused write may have taken several numbers from a sequence.
pub(super) fn counts_on(asked: &Asked) -> bool {
    asked.method == "POST" && (asked.body.contains("},{") || asked.body.lines().count() > 2)
}

/// The row of a difference.
pub(super) fn named(asked: &Asked, difference: &Difference) -> Option<&'static str> {
    DEVIATIONS.iter().find(|row| (row.is)(asked, difference)).map(|row| row.name)
}

/// Whether the embedded engine refuses something by its name.
fn lacks(found: &Difference, message: &str) -> bool {
    found.sqlite.body.contains("\"code\":\"0A000\"")
        && found.sqlite.body.contains(&format!("\"message\":\"{message}"))
}

/// What the embedded engine says that it lacks: by its code, or a function that is there on PostgreSQL.
pub(super) fn lacking(found: &Difference) -> Option<String> {
    let (_, rest) = found.sqlite.body.split_once("\"message\":\"")?;
    let end = rest.find("\"}").or_else(|| rest.find("\",\""))?;
    let is_code = |code: &str| found.sqlite.body.contains(&format!("\"code\":\"{code}\""));
    let is_lacking = is_code("0A000") || is_code("42883") && !found.postgres.body.contains("\"42883\"");
    is_lacking.then(|| rest[..end].to_owned())
}

/// Whether a schema is refused for what the embedded engine lacks.
pub(super) fn is_lacking(message: &str) -> bool {
    if message.starts_with("0A000: ") || message.starts_with("42883: ") {
        return true;
    }
    let mut errors = message.lines().filter_map(|line| line.strip_prefix("error[")).peekable();
    errors.peek().is_some() && errors.all(|error| error.starts_with("0A000") || error.starts_with("42883"))
}

/// The lines of a schema that a message complains about.
pub(super) fn lines(message: &str) -> Vec<usize> {
    let places = message.split("schema.sql:").skip(1);
    places.filter_map(|rest| rest.split(':').next()?.parse().ok()).collect()
}
