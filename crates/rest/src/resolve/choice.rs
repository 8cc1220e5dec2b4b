//! Calls: functions do not run yet; those that do not exist are told from those that do.

use std::collections::BTreeSet;

use types::{Code, Error};

use super::Pass;
use super::names::ALIKE;
use super::nearest::nearest;
use crate::media::Media;
use crate::payload::Payload;
use crate::request::Action;

impl Pass<'_> {
    /// The refusal of a call.
    pub(super) fn function(&self, name: &str) -> Error {
        let mut functions = self.model.catalog.functions.iter();
        let is_it = |function: &catalog::Function| {
            *function.name.schema == *self.schema && *function.name.name == *name
        };
        if functions.any(is_it) {
            return Error::missing(format!("calling function {}.{name}()", self.schema));
        }
        self.no_function(name)
    }

    fn no_function(&self, name: &str) -> Error {
        let function = format!("{}.{name}", self.schema);
        let parameters = self.parameters();
        let (is_post, content) = (self.request.action == Action::Call, &self.request.content_type);
        let raw = match content {
            Media::Text if is_post => Some("text"),
            Media::Xml if is_post => Some("xml"),
            Media::Bytes if is_post => Some("bytea"),
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
            None if is_post && *content == Media::Json => {
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
        match self.function_alike(name).filter(|_| raw.is_none()) {
            Some(known) => {
                let hint = format!("Perhaps you meant to call the function {}.{known}", self.schema);
                error.with_hint(hint)
            }
            None => error,
        }
    }

    fn function_alike(&self, name: &str) -> Option<&str> {
        let (catalog, roles) = (&self.model.catalog, self.roles());
        if !catalog.allows_schema(&roles, self.schema) {
            return None;
        }
        let here = catalog.functions.iter().filter(|function| *function.name.schema == *self.schema);
        let seen = here.filter(|function| catalog.allows_function(&roles, function));
        nearest(seen.map(|function| &*function.name.name), name, ALIKE)
    }

    /// The names of the arguments given, each once, in order.
    fn parameters(&self) -> Vec<&str> {
        let names: BTreeSet<&str> = match &self.request.payload {
            Some(Payload::Rows(rows)) => rows.columns.iter().map(String::as_str).collect(),
            Some(Payload::Raw(_)) => BTreeSet::new(),
            None => self.request.arguments.iter().map(|(name, _)| name.as_str()).collect(),
        };
        names.into_iter().collect()
    }
}
