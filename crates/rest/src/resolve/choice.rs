//! Which function a call means: the names of the arguments decide (PostgREST, "Functions").
//!
//! A function can be called when all of its parameters have names, or when it has one without a name that can take a whole body.
//! Types play no part: several functions that take the same names are several answers.

use std::collections::BTreeSet;

use catalog::{Argument, Function};
use query::{FunctionId, Model};
use types::ty::format_type;
use types::{Code, Error, Result, Type};

use super::Exposed;
use super::names::ALIKE;
use super::nearest::nearest;
use crate::media::Media;
use crate::payload::Payload;
use crate::request::{Action, Request};

/// The function that is called.
#[derive(Clone, Copy)]
pub(super) struct Callee<'a> {
    pub(super) id: FunctionId,
    pub(super) function: &'a Function,
}

impl<'a> Callee<'a> {
    /// The parameters that a caller passes.
    pub(super) fn parameters(&self) -> impl Iterator<Item = &'a Argument> + use<'a> {
        self.function.arguments.iter().filter(|argument| argument.is_input())
    }

    fn has_one_unnamed(&self) -> bool {
        let mut parameters = self.parameters();
        matches!((parameters.next(), parameters.next()), (Some(only), None) if only.name.is_none())
    }

    /// Whether names can say its arguments, or a body the only one.
    fn is_callable(&self) -> bool {
        let unnamed = self.parameters().filter(|parameter| parameter.name.is_none()).count();
        let takes_body = |argument: &Argument| is_body(&argument.ty);
        !self.function.returns_trigger
            && match unnamed {
                0 => true,
                1 => self.parameters().next().is_some_and(takes_body),
                _ => false,
            }
    }

    /// PostgREST's order among namesakes: fewer parameters first, then comments, names and types.
    fn rank(&self) -> (usize, Option<&'a str>, Vec<(&'a str, String)>) {
        let shown = self.parameters().map(|argument| (name(argument), format_type(&argument.ty, None)));
        let shown: Vec<_> = shown.collect();
        (shown.len(), self.function.comment.as_deref(), shown)
    }

    fn shown(&self) -> String {
        let parameters: Vec<String> = self
            .parameters()
            .map(|argument| format!("{} => {}", name(argument), format_type(&argument.ty, None)))
            .collect();
        format!("{}({})", self.function.name, parameters.join(", "))
    }
}

/// A parameter's name; PostgREST calls one without a name by the empty one.
pub(super) fn name(argument: &Argument) -> &str {
    argument.name.as_deref().unwrap_or_default()
}

/// Whether a whole body can be a value of a type.
fn is_body(ty: &Type) -> bool {
    match ty {
        Type::Json | Type::Jsonb | Type::Text | Type::Bytea => true,
        Type::Opaque(name) => &*name.name == "xml",
        _ => false,
    }
}

/// Whether a body of a media type is a value of a type.
fn is_of(content: &Media, ty: &Type) -> bool {
    match content {
        Media::Json => matches!(ty, Type::Json | Type::Jsonb),
        Media::Text => *ty == Type::Text,
        Media::Xml => matches!(ty, Type::Opaque(name) if &*name.name == "xml"),
        Media::Bytes => *ty == Type::Bytea,
        Media::ArrayStripped
        | Media::Object { .. }
        | Media::Csv
        | Media::GeoJson
        | Media::OpenApi
        | Media::OpenApi3
        | Media::Form
        | Media::Plan { .. }
        | Media::Custom { .. }
        | Media::Any
        | Media::Other(_) => false,
    }
}

/// What of a request decides which function it means.
struct Asked<'a> {
    request: &'a Request,
    schema: &'a str,
    name: &'a str,
    /// The names of the arguments given.
    keys: BTreeSet<&'a str>,
    is_post: bool,
}

impl Asked<'_> {
    /// Whether the body is one value without a name.
    fn is_raw(&self) -> bool {
        self.is_post && matches!(self.request.content_type, Media::Text | Media::Xml | Media::Bytes)
    }

    fn fits(&self, candidate: &Callee<'_>) -> bool {
        let (mut known, mut needed) = (BTreeSet::new(), BTreeSet::new());
        for parameter in candidate.parameters() {
            known.insert(name(parameter));
            if parameter.default.is_none() {
                needed.insert(name(parameter));
            }
        }
        if known.is_empty() {
            return self.keys.is_empty() && !self.is_raw();
        }
        needed.is_subset(&self.keys) && self.keys.is_subset(&known)
    }

    fn takes_body(&self, candidate: &Callee<'_>) -> bool {
        let fits = |argument: &Argument| is_of(&self.request.content_type, &argument.ty);
        self.is_post && candidate.has_one_unnamed() && candidate.parameters().next().is_some_and(fits)
    }
}

/// The function that a request calls.
///
/// # Errors
/// `PGRST202` when there is none, `PGRST203` when there are several.
pub(super) fn callee<'a>(
    request: &Request,
    schema: &str,
    model: &'a Model,
    exposed: &Exposed<'_>,
    name: &str,
) -> Result<Callee<'a>> {
    let is_post = request.action == Action::Call;
    let asked = Asked { request, schema, name, keys: keys(request), is_post };
    let mut candidates: Vec<Callee<'a>> =
        callable(model, schema).filter(|found| *found.function.name.name == *name).collect();
    candidates.sort_by_key(Callee::rank);
    let named: Vec<Callee<'a>> = candidates.iter().copied().filter(|found| asked.fits(found)).collect();
    let fitting = if named.is_empty() {
        candidates.into_iter().filter(|found| asked.takes_body(found)).collect()
    } else {
        named
    };
    match &fitting[..] {
        [] => Err(none(&asked, model, exposed)),
        [one] => Ok(*one),
        several => Err(ambiguous(several)),
    }
}

/// The functions of a schema that can be called at all.
fn callable<'a>(model: &'a Model, schema: &str) -> impl Iterator<Item = Callee<'a>> {
    let functions = model.catalog.functions.iter().enumerate();
    functions
        .filter(move |(_, function)| *function.name.schema == *schema && !function.procedure)
        .map(|(at, function)| Callee { id: FunctionId(at), function })
        .filter(Callee::is_callable)
}

/// The names of the arguments given, each once, in order.
fn keys(request: &Request) -> BTreeSet<&str> {
    if let (Some(columns), Action::Call) = (&request.columns, request.action) {
        return columns.iter().map(String::as_str).collect();
    }
    match &request.payload {
        Some(Payload::Rows(rows)) => rows.columns.iter().map(String::as_str).collect(),
        Some(Payload::Objects(_) | Payload::Raw(_)) => BTreeSet::new(),
        None => request.arguments.iter().map(|(name, _)| name.as_str()).collect(),
    }
}

fn ambiguous(several: &[Callee<'_>]) -> Error {
    let shown: Vec<String> = several.iter().map(Callee::shown).collect();
    let message = format!("Could not choose the best candidate function between: {}", shown.join(", "));
    Error::new(Code::AMBIGUOUS_RPC, message).with_hint(
        "Try renaming the parameters or the function itself in the database so function overloading can be resolved",
    )
}

fn none(asked: &Asked<'_>, model: &Model, exposed: &Exposed<'_>) -> Error {
    let function = format!("{}.{}", asked.schema, asked.name);
    let parameters: Vec<&str> = asked.keys.iter().copied().collect();
    let content = &asked.request.content_type;
    let raw = match content {
        Media::Text if asked.is_post => Some("text"),
        Media::Xml if asked.is_post => Some("xml"),
        Media::Bytes if asked.is_post => Some("bytea"),
        _ => None,
    };
    let list = parameters.join(", ");
    let (shown, searched) = match (raw, parameters.len()) {
        (Some(_), _) => (String::new(), String::new()),
        (None, 0) => (" without parameters".to_owned(), " without parameters".to_owned()),
        (None, 1) => (format!("({list})"), format!(" with parameter {list}")),
        (None, _) => (format!("({list})"), format!(" with parameters {list}")),
    };
    let alternative = match raw {
        Some(ty) => format!(" with a single unnamed {ty} parameter"),
        None if asked.is_post && *content == Media::Json => {
            " or with a single unnamed json/jsonb parameter".to_owned()
        }
        None => String::new(),
    };
    let error = Error::new(
        Code::NO_FUNCTION,
        format!("Could not find the function {function}{shown} in the schema cache"),
    )
    .with_details(format!(
        "Searched for the function {function}{searched}{alternative}, but no matches were found in the schema cache."
    ));
    match alike(asked, model, exposed).filter(|_| raw.is_none()) {
        Some(known) => {
            error.with_hint(format!("Perhaps you meant to call the function {}.{known}", asked.schema))
        }
        None => error,
    }
}

/// What may have been meant: a namesake with alike parameters, or else a function of an alike name.
fn alike(asked: &Asked<'_>, model: &Model, exposed: &Exposed<'_>) -> Option<String> {
    let catalog = &model.catalog;
    let roles = catalog.memberships(exposed.role);
    if !catalog.allows_schema(&roles, asked.schema) {
        return None;
    }
    let seen: Vec<Callee<'_>> = callable(model, asked.schema)
        .filter(|found| catalog.allows_function(&roles, found.function))
        .collect();
    let mut namesakes: Vec<&Callee<'_>> =
        seen.iter().filter(|found| *found.function.name.name == *asked.name).collect();
    if namesakes.is_empty() {
        let names = seen.iter().map(|found| &*found.function.name.name);
        return nearest(names, asked.name, ALIKE).map(str::to_owned);
    }
    namesakes.sort_by_key(|found| found.rank());
    let lists: Vec<String> = namesakes
        .iter()
        .map(|found| {
            let mut names: Vec<&str> = found.parameters().map(name).collect();
            names.sort_unstable();
            names
        })
        .map(|names| format!("({})", names.join(", ")))
        .collect();
    let given = format!("({})", asked.keys.iter().copied().collect::<Vec<_>>().join(", "));
    let list = nearest(lists.iter().map(String::as_str), &given, PARAMETERS_ALIKE)?;
    Some(format!("{}{list}", asked.name))
}

/// How alike a list of parameters must be.
const PARAMETERS_ALIKE: f64 = 0.33;
