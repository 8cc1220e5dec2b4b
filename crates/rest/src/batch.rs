//! A batch: several requests sent as one, and their replies as one.
//!
//! ```text
//! [{"method": "POST", "path": "/orders", "headers": {"Prefer": "return=representation"}, "body": {"customer": 7}},
//!  {"method": "POST", "path": "/items", "body": [{"sku": "a"}], "refs": {"/body/*/order_id": "/0/body/0/id"}}]
//! ```
//!
//! Nothing here runs a request or knows what it means: each becomes an [`Asking`], which the road takes like one that came
//! alone. References stand beside the data and never in it, so that no value that somebody sent becomes one.

mod reference;
#[cfg(test)]
mod tests;

use types::json::{self, Json};
use types::{Code, Error, Limits, Result};

use crate::media::{self, Media};
use crate::prefer::{self, Prefer};
use crate::request::Http;
use crate::respond::{Header, Reply};

use reference::Reference;

/// Where a batch is sent, below the API's base.
pub const PATH: &str = "/batch";

/// The media type that says that a body is a batch, whatever tables there are.
const MEDIA: &str = "application/vnd.backplane.batch+json";

/// Headers that a request of a batch may have. All others are the batch's own: who asks and from where is said once.
const HEADERS: [&str; 7] =
    ["accept", "accept-profile", "content-profile", "content-type", "prefer", "range", "range-unit"];

/// Headers of the batch that say nothing about the requests in it.
const NOT_HANDED_ON: [&str; 2] = ["content-length", "x-http-method-override"];

/// Several requests.
#[derive(Clone, Debug)]
pub struct Batch {
    /// In the order in which they run.
    pub entries: Vec<Entry>,
    /// What is preferred of the whole.
    pub prefer: Prefer,
}

/// One request of a batch, as it was written.
#[derive(Clone, Debug)]
pub struct Entry {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Json>,
    references: Vec<Reference>,
}

/// A request of a batch with everything in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asking {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// What an earlier request answered.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The reply.
    pub reply: Reply,
    /// Its body, where a later request refers to it.
    body: Option<Json>,
}

/// What a body is sent as, where a batch and an insert could both be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A batch, unless there is a table of that name.
    Perhaps,
    /// A batch.
    Certainly,
    /// None.
    No,
}

/// Whether a request is a batch.
pub fn kind(http: &Http<'_>) -> Kind {
    if http.method != "POST" || http.path != PATH {
        return Kind::No;
    }
    let said = http.header("content-type").map(|said| said.split(';').next().unwrap_or_default().trim());
    match said {
        Some(said) if said.eq_ignore_ascii_case(MEDIA) => Kind::Certainly,
        Some(said) if media::media(said) != Media::Json => Kind::No,
        Some(_) | None => Kind::Perhaps,
    }
}

/// Reads a batch.
///
/// # Errors
/// `BP001` for what is not understood, with the position of the request that it is in; `BP413`, `PGRST107`, `PGRST122`.
pub fn parse(http: &Http<'_>, limits: &Limits) -> Result<Batch> {
    if http.body.len() > limits.body_bytes_max {
        let message = format!("The body is longer than {} bytes", limits.body_bytes_max);
        return Err(Error::new(Code::PAYLOAD_TOO_LARGE, message));
    }
    let accepted = media::accepted(http.header("accept"));
    media::negotiate(&accepted, |media| matches!(media, Media::Any | Media::Json).then_some(Media::Json))?;
    let preferences = http.headers.iter().filter(|(name, _)| *name == "prefer").map(|(_, value)| *value);
    let prefer = prefer::prefer(preferences);
    prefer.check()?;
    let text = std::str::from_utf8(http.body).map_err(|_| refused("The body is not UTF-8 text"))?;
    // The requests' own bodies are three levels down.
    let document = json::parse(text, limits.json_depth_max.saturating_add(3));
    let Json::Array(requests) = document.map_err(|error| refused("The body is no JSON").with_cause(error))?
    else {
        return Err(refused("A batch is an array of requests"));
    };
    if requests.len() > limits.batch_requests_max {
        return Err(refused(format!("A batch may have at most {} requests", limits.batch_requests_max)));
    }
    let read = |(position, request)| entry(request, position).map_err(|e| e.in_request(position));
    let entries = requests.into_iter().enumerate().map(read).collect::<Result<Vec<Entry>>>()?;
    let references: usize = entries.iter().map(|entry| entry.references.len()).sum();
    if references > limits.batch_references_max {
        return Err(refused(format!("A batch may have at most {} references", limits.batch_references_max)));
    }
    Ok(Batch { entries, prefer })
}

/// `BP001`
pub fn refused(message: impl Into<String>) -> Error {
    Error::new(Code::BATCH, message)
}

fn entry(request: Json, position: usize) -> Result<Entry> {
    let Json::Object(fields) = request else { return Err(refused("A request of a batch is an object")) };
    let (mut method, mut path, mut headers, mut body, mut references) =
        (None, None, Vec::new(), None, Vec::new());
    for (name, value) in fields {
        match (name.as_str(), value) {
            ("method", Json::String(text)) => method = Some(text),
            ("path", Json::String(text)) => path = Some(text),
            ("headers", Json::Object(fields)) => {
                headers = fields.into_iter().map(header).collect::<Result<_>>()?
            }
            ("body", value) => body = Some(value),
            ("refs", Json::Object(fields)) => references = reference::references(fields, position)?,
            ("method" | "path", _) => return Err(refused(format!("`{name}` is a string"))),
            ("headers" | "refs", _) => return Err(refused(format!("`{name}` is an object"))),
            (other, _) => {
                return Err(refused(format!("A request of a batch has no `{other}`"))
                    .with_hint("It has `method`, `path`, `headers`, `body` and `refs`."));
            }
        }
    }
    let path = path.ok_or_else(|| refused("A request of a batch needs a `path`"))?;
    if !path.starts_with('/') {
        return Err(refused("The `path` of a request of a batch begins with `/`")
            .with_hint("It is the path below the API's base: `/orders?id=eq.1`."));
    }
    let method = method.ok_or_else(|| refused("A request of a batch needs a `method`"))?;
    Ok(Entry { method, path, headers, body, references })
}

fn header((name, value): (String, Json)) -> Result<(String, String)> {
    let lower = name.to_ascii_lowercase();
    if !HEADERS.contains(&&*lower) {
        let error = refused(format!("A request of a batch cannot have the header `{name}`"));
        return Err(match &*lower {
            "authorization" | "apikey" => error.with_hint("A batch has one caller: the one who sends it."),
            _ => error.with_hint(format!("It can have: {}.", HEADERS.join(", "))),
        });
    }
    match value {
        Json::String(value) => Ok((lower, value)),
        _ => Err(refused(format!("The header `{name}` is a string"))),
    }
}

impl Batch {
    /// Whether no request of it can change anything.
    pub fn only_reads(&self) -> bool {
        self.entries.iter().all(|entry| matches!(&*entry.method, "GET" | "HEAD" | "QUERY" | "OPTIONS"))
    }

    /// Whether a later request refers to the result of this one.
    pub fn is_referred_to(&self, position: usize) -> bool {
        let mut references = self.entries.iter().flat_map(|entry| &entry.references);
        references.any(|reference| reference.request == position)
    }
}

impl Entry {
    /// Whether it waits for results of earlier requests.
    pub fn refers(&self) -> bool {
        !self.references.is_empty()
    }

    /// The request with the results in their places. `of_batch` are the headers of the batch.
    ///
    /// # Errors
    /// `BP002` for a reference that leads nowhere, `BP001` for a body that is not of its type.
    pub fn asking(
        &self,
        answered: &[Answered],
        of_batch: &[(&str, &str)],
        limits: &Limits,
    ) -> Result<Asking> {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let (mut query, mut body) = (query.to_owned(), self.body.clone());
        reference::fill(&self.references, answered, path, &mut query, &mut body, limits)?;
        let handed_on = of_batch
            .iter()
            .filter(|(name, _)| !HEADERS.contains(name) && !NOT_HANDED_ON.contains(name))
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let headers: Vec<(String, String)> = self.headers.iter().cloned().chain(handed_on).collect();
        let said = self.headers.iter().find(|(name, _)| name == "content-type");
        let body = match (said.map_or(Media::Json, |(_, value)| media::media(value)), body) {
            (_, None) => Vec::new(),
            (Media::Json, Some(body)) => body.compact().into_bytes(),
            (_, Some(Json::String(text))) => text.into_bytes(),
            (media, Some(_)) => return Err(refused(format!("A `body` of type {media} is a string"))),
        };
        Ok(Asking { method: self.method.clone(), path: path.to_owned(), query, headers, body })
    }
}

impl Asking {
    /// Its headers, as a request has them.
    pub fn headers(&self) -> Vec<(&str, &str)> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    /// It as a request that came alone.
    pub fn http<'a>(&'a self, headers: &'a [(&'a str, &'a str)]) -> Http<'a> {
        Http { method: &self.method, path: &self.path, query: &self.query, headers, body: &self.body }
    }
}

impl Answered {
    /// What a request answered that no other refers to.
    ///
    /// # Errors
    /// `0A000` for a body that no JSON can hold.
    pub fn of(reply: Reply) -> Result<Answered> {
        let bytes = reply.body.clone().in_memory().unwrap_or_default();
        match std::str::from_utf8(&bytes) {
            Ok(_) => Ok(Answered { reply, body: None }),
            Err(_) => Err(Error::missing("a result that is no text, in a batch")),
        }
    }

    /// What a request answered that others refer to. `room` is how long all such bodies may still be together.
    ///
    /// # Errors
    /// `BP002` for a body that is too long to be referred to.
    pub fn referable(reply: Reply, room: &mut usize) -> Result<Answered> {
        let body = Some(referred(&reply, room)?);
        Ok(Answered { body, ..Answered::of(reply)? })
    }
}

/// The body of a reply that others refer to; nothing leads into one that is no JSON.
fn referred(reply: &Reply, room: &mut usize) -> Result<Json> {
    let bytes = reply.body.clone().in_memory().unwrap_or_default();
    let too_long = || {
        Error::new(Code::BATCH_REFERENCE, "The results that others refer to are too long together")
            .with_hint("Select less of them.")
    };
    *room = room.checked_sub(bytes.len()).ok_or_else(too_long)?;
    if !is_json(reply) {
        return Ok(Json::Null);
    }
    let text = std::str::from_utf8(&bytes).map_err(Error::internal)?;
    json::parse(text, json::DEPTH_MAX)
}

fn is_json(reply: &Reply) -> bool {
    reply
        .header("content-type")
        .is_some_and(|said| said.split(';').next().is_some_and(|essence| essence.ends_with("json")))
}

/// The reply to a batch whose requests were all done.
pub fn respond(answered: Vec<Answered>, applied: Option<Header>) -> Reply {
    let mut out = vec![b'['];
    for (position, Answered { reply, .. }) in answered.into_iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        write_result(&mut out, reply);
    }
    out.push(b']');
    let mut headers = vec![("content-type", Media::Json.content_type())];
    headers.extend(applied);
    Reply { status: 200, headers, body: out.into(), ..Reply::default() }
}

fn write_result(out: &mut Vec<u8>, reply: Reply) {
    out.extend(format!("{{\"status\":{},\"headers\":{{", reply.status).bytes());
    for (position, (name, value)) in headers(&reply).into_iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        json::write_string(out, &name);
        out.push(b':');
        json::write_string(out, &value);
    }
    out.extend(b"},\"body\":");
    let is_json = is_json(&reply);
    let body = reply.body.in_memory().unwrap_or_default();
    match (body.is_empty(), is_json) {
        (true, _) => out.extend(b"null"),
        (false, true) => out.extend(body),
        (false, false) => json::write_string(out, &String::from_utf8_lossy(&body)),
    }
    out.push(b'}');
}

/// Each header once, its values in one line. `Vary` is for caches, which never see this reply.
fn headers(reply: &Reply) -> Vec<(String, String)> {
    let own = reply.headers.iter().map(|(name, value)| ((*name).to_owned(), value));
    let further = reply.further.iter().map(|(name, value)| (name.to_ascii_lowercase(), value));
    let mut all: Vec<(String, String)> = Vec::new();
    for (name, value) in own.chain(further).filter(|(name, _)| name != "vary") {
        match all.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => *values = format!("{values}, {value}"),
            None => all.push((name, value.clone())),
        }
    }
    all
}
