//! How the rows of a request leave the engine, and what runs before it.

use query::resolve::Invocation;
use query::{Explain, Expr, FunctionId, Presentation, Query};
use types::{Code, Error, Name, Result, Type};

use super::{Pass, Resolved};
use crate::media::{Handler, Media};
use crate::prefer::Representation;
use crate::request::Action;

/// A value of a type that we know nothing of, as its text: by itself it would come as JSON.
fn as_text(resolved: &mut Resolved) {
    let Some(Query::Read(read)) = resolved.queries.get_mut(resolved.rows_at) else { return };
    let ([output], [column]) = (&mut read.outputs[..], &mut resolved.columns[..]) else { return };
    if matches!(column.ty, Type::Opaque(_)) {
        column.ty = Type::Text;
        let expr = Box::new(output.expr.clone());
        output.expr = Expr::Cast { expr, ty: Type::Text, modifier: None, explicit: true };
    }
}

impl Pass<'_> {
    /// Says how the rows are given, by the media type of the reply.
    pub(super) fn present(&self, resolved: &mut Resolved, media: &Media) {
        let presentation = match media {
            Media::Plan { json, options, .. } => {
                // Nothing else is done: neither counted nor, before the last statement of a function, changed.
                let asked = resolved.queries.drain(..).nth(resolved.rows_at);
                resolved.queries.extend(asked);
                resolved.rows_at = 0;
                resolved.presentations.clear();
                Presentation::Explained(Explain { json: *json, options: options.clone() })
            }
            Media::GeoJson => Presentation::Features,
            Media::Custom { handler: Handler::Value, .. } => return as_text(resolved),
            Media::Custom { handler: Handler::Aggregate(aggregation), .. } => {
                Presentation::Aggregated(aggregation.clone())
            }
            Media::Json
            | Media::ArrayStripped
            | Media::Object { .. }
            | Media::Csv
            | Media::OpenApi
            | Media::OpenApi3
            | Media::Form
            | Media::Text
            | Media::Xml
            | Media::Bytes
            | Media::Any
            | Media::Other(_) => return,
        };
        let is_explained = matches!(presentation, Presentation::Explained(_));
        let has_body =
            !self.request.action.writes() || self.request.prefer.representation == Some(Representation::Full);
        if is_explained || has_body {
            if !resolved.presentations.is_empty() {
                // One document of all rows says how many they are.
                resolved.presentations.clear();
                resolved.queries.truncate(resolved.rows_at + 1);
            }
            resolved.presentations.push((resolved.rows_at, presentation));
        }
    }

    /// Puts the call of the function that runs before each request before it.
    pub(super) fn precede(&mut self, resolved: &mut Resolved) -> Result<()> {
        let Some(name) = self.exposed.pre_request else { return Ok(()) };
        let function = self.pre_request(name)?;
        let changes = !matches!(self.request.action, Action::Read { .. });
        let mut before = if self.model.is_native() {
            vec![Query::Read(self.native_rows(function, Vec::new(), changes)?)]
        } else {
            let invocation = Invocation { function, args: Vec::new(), read_only: !changes, is_run: true };
            let body = self.typing.body(invocation, &mut self.ids)?;
            let mut statements = body.before;
            statements.push(body.result);
            statements
        };
        let moved = before.len();
        before.append(&mut resolved.queries);
        resolved.queries = before;
        resolved.rows_at += moved;
        for (position, _) in &mut resolved.presentations {
            *position += moved;
        }
        Ok(())
    }

    /// The function of that name that takes nothing: in the schema that is said, or else in those of the API, in order.
    fn pre_request(&self, name: &str) -> Result<FunctionId> {
        let functions = &self.model.catalog.functions;
        let find = |wanted: &Name| {
            let fits = |function: &catalog::Function| {
                function.name == *wanted && function.input_types().next().is_none()
            };
            functions.iter().position(fits).map(FunctionId)
        };
        let searched = self.exposed.schemas.iter().chain(self.exposed.extra_search_path);
        let found = match name.split_once('.') {
            Some((schema, name)) => find(&Name::new(schema, name)),
            None => searched.map(|schema| Name::new(schema.as_str(), name)).find_map(|wanted| find(&wanted)),
        };
        found.ok_or_else(|| {
            Error::new(Code::UNDEFINED_FUNCTION, format!("function {name}() does not exist"))
                .with_hint("It is what the setting `api.pre_request` names.")
        })
    }
}
