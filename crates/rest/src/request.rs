//! What was asked: the nouns that [`parse`](crate::parse()) makes. Nothing here knows a catalog.

use crate::field::EmbedPath;
use crate::filter::Filter;
use crate::logic::Logic;
use crate::media::Media;
use crate::order::OrderTerm;
use crate::payload::Payload;
use crate::prefer::Prefer;
use crate::range::Range;
use crate::select::SelectItem;

/// One HTTP request to the Data API, as the server received it.
#[derive(Clone, Copy, Debug)]
pub struct Http<'a> {
    /// The method, as written.
    pub method: &'a str,
    /// The path below the API's base: `/`, `/films`, `/rpc/add`.
    pub path: &'a str,
    /// The query string without `?`.
    pub query: &'a str,
    /// Header names in lower case, with their values.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body.
    pub body: &'a [u8],
}

impl<'a> Http<'a> {
    /// The value of a header; of several the first.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(found, _)| *found == name).map(|(_, value)| *value)
    }
}

/// What was asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Of which resource.
    pub target: Target,
    /// What is done with it.
    pub action: Action,
    /// The schema that a profile header names.
    pub profile: Option<String>,
    /// What is answered of each row.
    pub select: Vec<SelectItem>,
    /// Conditions on fields, where they apply.
    pub filters: Vec<(EmbedPath, Filter)>,
    /// Logical trees, where they apply.
    pub logic: Vec<(EmbedPath, Logic)>,
    /// Orders, where they apply.
    pub orders: Vec<(EmbedPath, Vec<OrderTerm>)>,
    /// Ranges of embedded resources.
    pub ranges: Vec<(EmbedPath, Range)>,
    /// The range of the result.
    pub range: Range,
    /// `columns=`
    pub columns: Option<Vec<String>>,
    /// `on_conflict=`
    pub on_conflict: Option<Vec<String>>,
    /// Arguments in the query string of a function's call.
    pub arguments: Vec<(String, String)>,
    /// Preferences.
    pub prefer: Prefer,
    /// Accepted media types, the most wanted first.
    pub accept: Vec<Media>,
    /// The body's media type.
    pub content_type: Media,
    /// The body.
    pub payload: Option<Payload>,
    /// The query string in one spelling, for `Content-Location`; a `QUERY` may be longer than a header can be, and has none.
    pub canonical: Option<String>,
}

/// A resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The description of the API.
    Root,
    /// A table or view.
    Table(String),
    /// A function.
    Function(String),
}

/// What is done with a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// `GET`, `HEAD`
    Read {
        /// Only the head of the answer.
        head: bool,
    },
    /// `POST` to a table.
    Insert,
    /// `PATCH`
    Update,
    /// `PUT`: one row, inserted or replaced.
    Replace,
    /// `DELETE`
    Delete,
    /// `POST` to a function.
    Call,
    /// `OPTIONS`
    Options,
}

impl Action {
    /// Whether it changes the rows of a table.
    pub fn writes(self) -> bool {
        matches!(self, Action::Insert | Action::Update | Action::Replace | Action::Delete)
    }
}
