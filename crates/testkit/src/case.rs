//! What a case is: the nouns that [`parse`](crate::parse::parse) makes of a file. Nothing here runs anything.

/// A complaint about a case file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl Complaint {
    /// About a line.
    pub fn new(line: usize, message: impl Into<String>) -> Complaint {
        Complaint { line, message: message.into() }
    }
}

/// A file: a world, and what is asked in it, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Case {
    /// The capabilities of client libraries that it shows, by their ids.
    pub capabilities: Vec<String>,
    /// PostgreSQL's SQL.
    pub schema: String,
    /// Rows that are there before the first request.
    pub rows: Vec<Rows>,
    /// Settings, as in `config.toml`.
    pub config: String,
    /// People besides those that every case has.
    pub people: Vec<Person>,
    /// Tokens that are made by hand.
    pub tokens: Vec<Token>,
    /// Whether every request is asked again by everybody else.
    pub is_policy: bool,
    /// Engines that cannot do this.
    pub skips: Vec<Skip>,
    /// The engine that lacks what this is about, if it is about that.
    pub lacking: Option<Skip>,
    /// Engines whose releases differ, each with the first release that answers like this, by its number.
    pub since: Vec<(String, u32)>,
    /// What happens.
    pub steps: Vec<Step>,
}

impl Case {
    /// Whether it is played on an engine.
    pub fn is_for(&self, engine: &str) -> bool {
        self.lacking.as_ref().is_none_or(|lacking| lacking.engine == engine)
    }

    /// Whether it is played on a release of an engine.
    pub fn is_asked(&self, engine: &str, release: u32) -> bool {
        self.is_for(engine) && self.since.iter().all(|(of, since)| of != engine || *since <= release)
    }

    /// The capabilities that an engine lacks for it.
    pub fn lacks<'c>(&'c self, engine: &'c str) -> impl Iterator<Item = &'c str> {
        self.skips.iter().filter(move |skip| skip.engine == engine).map(|skip| skip.capability.as_str())
    }
}

/// The rows of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// As written: perhaps with its schema.
    pub table: String,
    /// CSV with a header, or a JSON object a line.
    pub text: String,
    /// Where the text begins.
    pub line: usize,
}

/// Somebody with a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// How the case calls them.
    pub name: String,
    /// The role in their token.
    pub role: String,
    /// Claims besides the usual ones: the inside of a JSON object.
    pub claims: String,
}

/// A token that no server made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// How requests call it.
    pub name: String,
    /// The text of its header.
    pub header: String,
    /// The text of its claims.
    pub claims: String,
    /// How it is signed.
    pub signature: Signature,
    /// Where it stands.
    pub line: usize,
}

/// How a token is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signature {
    /// Not at all: the third part is empty.
    None,
    /// With the project's signing key.
    Project,
    /// HS256 with the project's secret.
    Secret,
    /// HS256 with a text.
    Text(String),
    /// HS256 with the text of the project's public keys.
    PublicKeys,
    /// With a signing key of another project.
    Foreign,
    /// ES256 with r = s = 0.
    Zero,
    /// Written out.
    Literal(String),
}

/// An engine that cannot do what a case shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skip {
    /// `sqlite`, …
    pub engine: String,
    /// The capability that it lacks, by name.
    pub capability: String,
}

/// Something that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A request and what is expected of it.
    Ask(Box<Exchange>),
    /// The clock moves on.
    Later {
        /// By so much.
        seconds: u64,
    },
}

/// A request and its answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Where its heading stands.
    pub line: usize,
    /// The position of its section.
    pub section: usize,
    /// Who asks.
    pub person: String,
    /// What is asked.
    pub request: Request,
    /// The name of a stage of the road, and what it makes of the request.
    pub stages: Vec<(String, Expected<String>)>,
    /// The answer to `person`.
    pub response: Option<Expected<Response>>,
    /// The answers to others.
    pub others: Vec<(String, Expected<Response>)>,
}

/// A request as written, with names of bindings in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// `GET`, …
    pub method: String,
    /// Path and query.
    pub target: String,
    /// In order, as written.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// What is expected, and the section that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected<T> {
    /// The position of the section in the file.
    pub section: usize,
    /// Where it stands.
    pub line: usize,
    /// `None`: to be filled.
    pub what: Option<T>,
}

/// An answer as expected, with patterns in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Headers: a name and its value, or `None` for one that must not be there.
    pub headers: Vec<(String, Option<String>)>,
    /// The body, in lines.
    pub body: Vec<String>,
}
