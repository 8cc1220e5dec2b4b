//! What a request means: [`Request`] to [`Query`], names bound to the catalog, values typed by their columns.
//!
//! Refusals are PostgREST's where it refuses before the database is asked, else PostgreSQL's. Who asks plays no part but in
//! hints, which name only what the caller may see; grants and policies are `authorize`'s. Embedded resources become nested
//! reads, correlated along the catalog's relationships.

mod body;
mod calls;
mod choice;
mod computed;
mod fields;
mod filters;
mod names;
mod nearest;
mod nested;
mod outputs;
mod presented;
mod reads;
mod relations;
mod represented;
mod tree;
mod writes;

pub use names::schema;

use std::collections::BTreeMap;
use std::sync::Arc;

use catalog::{Table, TableId};
use query::resolve::Typing;
use query::{Expr, Model, Presentation, Query, SourceId, SourceIds};
use types::session::Session;
use types::{Error, Limits, Result, Type, Value};

use crate::media::Media;
use crate::payload::Payload;
use crate::request::{Action, Request, Target};
use crate::respond::failure::quoted;
use crate::respond::{Column, Shape};

/// What of a model is served, and how.
#[derive(Clone, Copy, Debug)]
pub struct Exposed<'a> {
    /// The schemas, the default one first.
    pub schemas: &'a [String],
    /// Schemas in which types are looked for after the one in use.
    pub extra_search_path: &'a [String],
    /// Rows that a read returns at most, embedded lists alike; `None` is no bound.
    pub rows_max: Option<u64>,
    /// Whether `sum()`, `count()`, … may be asked for.
    pub aggregates: bool,
    /// The function that is called before each request, by schema and name.
    pub pre_request: Option<&'a str>,
    /// The limits in force.
    pub limits: &'a Limits,
    /// The role in force: hints name only what it may see.
    pub role: &'a str,
    /// In which literals are read.
    pub session: &'a Session,
}

/// What a request means, and what a reply needs to know besides its rows.
#[derive(Clone, Debug, Default)]
pub struct Resolved {
    /// What is done, in order.
    pub queries: Vec<Query>,
    /// Which of them gives the rows of the reply. The next one says their exact number where it is wanted (one row of one
    /// `bigint`), or the same one does as a second command.
    pub rows_at: usize,
    /// Of which write the rows are read again, by its target: after everything that the request stored.
    pub again: Option<SourceId>,
    /// What the rows are.
    pub shape: Shape,
    /// Whether a function that returns nothing is called.
    pub is_void: bool,
    /// How the rows of some of them are given, where not as rows.
    pub presentations: Vec<(usize, Presentation)>,
    /// With an estimate after the exact number: up to which number that is believed.
    pub exact_max: Option<u64>,
    /// The columns of the reply's rows. Empty for a write that answers without rows.
    pub columns: Vec<Column>,
    /// The columns of the only row of a `return=headers-only`: its key. Empty otherwise.
    pub key: Vec<Column>,
    /// The schema in use, when several are exposed.
    pub profile: Option<String>,
    /// Whether an insert could meet rows of its own key.
    pub has_conflict_target: bool,
    /// The values of `Warning` headers.
    pub warnings: Vec<String>,
    /// The parameters of its reads, of a request whose values were lifted, with their types.
    pub parameters: BTreeMap<usize, (Value, Type)>,
}

/// Binds a request for a table or view to the catalog. `media` is what [`negotiated`](crate::negotiated) said.
///
/// # Errors
/// `PGRST106` and `PGRST2xx` for names that are not there, `PGRST1xx` for what does not fit together, `42703`, `22P02` and the
/// like with PostgreSQL's texts, `0A000` for what is not done here.
pub fn resolve(request: &Request, media: &Media, model: &Model, exposed: &Exposed<'_>) -> Result<Resolved> {
    let schema = schema(request.profile.as_deref(), exposed.schemas)?;
    let typing = typing(model, schema, exposed);
    let callee = match &request.target {
        Target::Function(name) => Some(choice::callee(request, schema, model, exposed, name)?),
        Target::Root | Target::Table(_) => None,
    };
    let result = callee.map(|callee| callee.row(&typing)).transpose()?;
    let mut pass = Pass::new(request, schema, model, exposed, typing, result.as_ref());
    let mut resolved = match (&request.target, request.action) {
        // Of the description only what goes before every request is asked of the engine.
        (Target::Root, Action::Read { .. }) => Resolved::default(),
        (Target::Root, _) | (_, Action::Options) | (Target::Table(_), Action::Call) => {
            return Err(Error::internal("a request without rows was resolved"));
        }
        (Target::Function(_), _) => match callee {
            Some(callee) => pass.call_request(callee)?,
            None => return Err(Error::internal("a call of no function")),
        },
        (Target::Table(name), Action::Read { .. }) => pass.read_request(name)?,
        (Target::Table(_), Action::Insert)
            if matches!((media, &request.payload), (Media::Plan { .. }, Some(Payload::Objects(_)))) =>
        {
            return Err(Error::missing("a plan of rows with rows in them"));
        }
        (Target::Table(name), Action::Insert | Action::Update | Action::Replace | Action::Delete) => {
            pass.write_request(name, matches!(media, Media::Object { .. }))?
        }
    };
    resolved.profile = (exposed.schemas.len() > 1).then(|| schema.to_owned());
    resolved.warnings.extend(pass.warning());
    resolved.parameters = std::mem::take(&mut pass.parameters);
    pass.present(&mut resolved, media);
    pass.precede(&mut resolved)?;
    Ok(resolved)
}

const MISNAMED: &str = "Embedded resource was referenced by relation name even though it has an alias. This is deprecated and will stop working in a future release.";

/// Stands for the row of a function that is no table's.
const RESULT: TableId = TableId(u32::MAX);

/// The rules of types, where names are looked for in the schema in use first.
fn typing<'a>(model: &'a Model, schema: &str, exposed: &Exposed<'_>) -> Typing<'a> {
    let path = [schema].into_iter().chain(exposed.extra_search_path.iter().map(String::as_str));
    Typing::new(&model.catalog, path.map(Arc::from).collect(), exposed.session.clone()).asked_by(exposed.role)
}

/// The state of one resolution.
struct Pass<'a> {
    request: &'a Request,
    /// The schema in use.
    schema: &'a str,
    model: &'a Model,
    exposed: &'a Exposed<'a>,
    typing: Typing<'a>,
    ids: SourceIds,
    /// The row of the function that is called, where it is no table's: the columns of [`RESULT`].
    result: Option<&'a Table>,
    /// Resources that go by an alias and were called by their own name: the name, then the alias.
    misnamed: Vec<(String, String)>,
    /// What groups of a source have of a spread resource: its key, the column's, and the value.
    spread_keys: Vec<(SourceId, Arc<str>, Arc<str>, Expr)>,
    /// Values that became parameters, by their number.
    parameters: BTreeMap<usize, (Value, Type)>,
}

impl<'a> Pass<'a> {
    fn new(
        request: &'a Request,
        schema: &'a str,
        model: &'a Model,
        exposed: &'a Exposed<'a>,
        typing: Typing<'a>,
        result: Option<&'a Table>,
    ) -> Pass<'a> {
        Pass {
            request,
            schema,
            model,
            exposed,
            typing,
            ids: SourceIds::starting_at(1),
            result,
            misnamed: Vec::new(),
            spread_keys: Vec::new(),
            parameters: BTreeMap::new(),
        }
    }

    /// A table or view, or the row of the function that is called.
    fn declared(&self, table: TableId) -> &'a Table {
        match self.result {
            Some(result) if table == RESULT => result,
            _ => &self.model.catalog[table],
        }
    }

    /// The role in force and those whose privileges it has: for hints.
    fn roles(&self) -> Vec<Arc<str>> {
        self.model.catalog.memberships(self.exposed.role)
    }

    /// What is told of resources that were called by another name than their alias.
    fn warning(&self) -> Option<String> {
        let names = self.misnamed.iter().map(|(name, alias)| format!("`{name}` to `{alias}`"));
        let names: Vec<String> = names.collect();
        (!names.is_empty()).then(|| {
            format!(
                "299 - \"{MISNAMED} Update {} in query string filters, orders or limits.\"",
                quoted(&names.join(", "))
            )
        })
    }

    /// The rows of reads are bounded, those that a write returns are not.
    fn rows_max(&self) -> Option<u64> {
        self.exposed.rows_max.filter(|_| !self.request.action.writes())
    }
}

#[cfg(test)]
mod tests;
