//! Rows to a response: status, headers and body of every answer of the Data API.
//!
//! Nothing here reads a database or decides what a caller may see: it is told what happened and says so on the wire, as
//! PostgREST does. A refusal takes its status from the table of codes; no other place chooses one.

mod applied;
mod body;
mod csv;
pub(crate) mod failure;
mod location;
mod raised;
mod range;
mod rows;
mod strip;
mod told;
mod whole;

use crate::media::Media;
use crate::prefer::{Representation, Resolution};
use crate::query_string::encode;
use crate::request::{Action, Request, Target};

pub use applied::{check_affected, too_many_affected};
pub use body::{Aside, Body, Spool, Spools};
pub use failure::failure;
pub use location::key_values;
pub use rows::{Column, Heading, Rows, Shape, not_singular};
pub use told::told;
pub use whole::expected_rows;

/// A header: its name in lower case, and its value.
pub type Header = (&'static str, String);

/// An answer, ready to be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Headers, besides those of the transport (`Content-Length`, `Date`).
    pub headers: Vec<Header>,
    /// Headers that functions of the schema said, by names of theirs.
    pub further: Vec<(String, String)>,
    /// The body.
    pub body: Body,
}

impl Reply {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| *found == name).map(|(_, value)| value.as_str())
    }

    /// The reply with headers of functions in place of ours of the same names.
    fn with_further(mut self, further: Vec<(String, String)>) -> Reply {
        let is_said = |name: &str| further.iter().any(|(said, _)| said.eq_ignore_ascii_case(name));
        self.headers.retain(|(name, _)| !is_said(name));
        self.further = further;
        self
    }
}

/// How the server is set, as far as a reply says it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Served<'a> {
    /// The schema in use, when several are exposed.
    pub profile: Option<&'a str>,
    /// Whether `Prefer: tx=…` is honored.
    pub honors_tx: bool,
    /// The query string in one spelling, for `Content-Location`.
    pub canonical: Option<&'a str>,
}

/// What happened.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The rows that were read or affected.
    pub rows: u64,
    /// All rows that a read's filters match, when they were counted.
    pub total: Option<u64>,
    /// The rows of `rows` that were not there before (inserts and replacements).
    pub inserted: u64,
    /// Whether an insert could meet rows of its own key: there is a primary key or `on_conflict`.
    pub has_conflict_target: bool,
    /// The key of the only row that an insert stored, of `return=headers-only`: see [`key_values`].
    pub location: Vec<(String, Option<String>)>,
    /// Whether a function that returns nothing was called.
    pub is_void: bool,
    /// The rows as `media` writes them: see [`Rows`].
    pub body: Body,
}

/// The refusal of a range that goes beyond all rows, which only the rows tell.
pub fn unsatisfied(request: &Request, outcome: &Outcome) -> Option<types::Error> {
    let reads = matches!(request.action, Action::Read { .. } | Action::Call);
    let page = range::Page { range: request.range, rows: outcome.rows, total: outcome.total };
    page.refusal().filter(|_| reads && request.target != Target::Root)
}

/// The answer to a request that was done. `media` is what [`negotiated`](crate::negotiated) said.
pub fn respond(request: &Request, served: &Served<'_>, media: &Media, outcome: Outcome) -> Reply {
    if matches!(media, Media::Plan { .. }) {
        return whole(200, media, served, outcome);
    }
    let mut reply = match request.action {
        Action::Read { .. } | Action::Options if request.target == Target::Root => {
            whole(200, media, served, outcome)
        }
        Action::Read { .. } | Action::Options | Action::Call => rows_read(request, served, media, outcome),
        Action::Insert => inserted(request, served, media, outcome),
        Action::Update | Action::Replace | Action::Delete => changed(request, served, media, outcome),
    };
    reply.headers.push(("vary", "Accept, Prefer, Range".to_owned()));
    if request.action == (Action::Read { head: true }) {
        reply.body = Body::default();
    }
    reply
}

/// A body with its type.
fn whole(status: u16, media: &Media, served: &Served<'_>, outcome: Outcome) -> Reply {
    let mut headers = vec![("content-type", media.content_type())];
    headers.extend(served.profile.map(|schema| ("content-profile", schema.to_owned())));
    Reply { status, headers, body: outcome.body, ..Reply::default() }
}

/// Reads and calls.
fn rows_read(request: &Request, served: &Served<'_>, media: &Media, outcome: Outcome) -> Reply {
    let page = range::Page { range: request.range, rows: outcome.rows, total: outcome.total };
    let applied = applied::applied(request, served, outcome.has_conflict_target);
    let mut reply = match page.refusal() {
        Some(error) => failure(&error, false),
        None if outcome.is_void => Reply { status: 204, ..Reply::default() },
        None => whole(page.status(), media, served, outcome),
    };
    reply.headers.push(("content-range", page.content_range()));
    if let (Target::Table(name), Some(canonical)) = (&request.target, served.canonical) {
        reply.headers.push(("content-location", content_location(name, canonical)));
    }
    reply.headers.extend(applied);
    reply
}

fn content_location(name: &str, canonical: &str) -> String {
    let mut location = "/".to_owned();
    encode(&mut location, name);
    if !canonical.is_empty() {
        location.push('?');
        location.push_str(canonical);
    }
    location
}

/// An upsert that only found existing rows is no creation.
fn inserted(request: &Request, served: &Served<'_>, media: &Media, outcome: Outcome) -> Reply {
    let merged = outcome.inserted == 0 && request.prefer.resolution == Some(Resolution::Merge);
    let status = if merged { 200 } else { 201 };
    let mut headers = location::header(request, &outcome.location).map_or(Vec::new(), |found| vec![found]);
    headers.push(("content-range", range::affected(request, outcome.rows)));
    headers.extend(applied::applied(request, served, outcome.has_conflict_target));
    let mut reply = match request.prefer.representation {
        Some(Representation::Full) => whole(status, media, served, outcome),
        Some(Representation::HeadersOnly | Representation::Minimal) | None => {
            Reply { status, ..Reply::default() }
        }
    };
    reply.headers.extend(headers);
    reply
}

/// Updates, replacements and deletions.
fn changed(request: &Request, served: &Served<'_>, media: &Media, outcome: Outcome) -> Reply {
    let content_range = match request.action {
        Action::Update => Some(range::updated(request, outcome.rows)),
        Action::Delete => Some(range::affected(request, outcome.rows)),
        Action::Read { .. } | Action::Insert | Action::Replace | Action::Call | Action::Options => None,
    };
    let applied = applied::applied(request, served, outcome.has_conflict_target);
    let created = request.action == Action::Replace && outcome.inserted > 0;
    let mut reply = match request.prefer.representation {
        Some(Representation::Full) => whole(if created { 201 } else { 200 }, media, served, outcome),
        Some(Representation::HeadersOnly | Representation::Minimal) | None => {
            Reply { status: 204, ..Reply::default() }
        }
    };
    reply.headers.extend(content_range.map(|value| ("content-range", value)));
    reply.headers.extend(applied);
    reply
}

#[cfg(test)]
mod tests;
