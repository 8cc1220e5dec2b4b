//! Which media types a resource can be answered in: those of every resource, those that its schema makes, plans where they
//! are switched on.

use catalog::media::{ANY_MEDIA, MediaHandler, is_media_type};
use catalog::{Function, TableId};
use query::{Aggregation, Model};
use types::{Error, Name, Result, Type};

use crate::media::{Handler, Media, negotiate};
use crate::request::{Action, Request, Target};
use crate::select::SelectItem;

/// Where media types come from.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'a> {
    /// What is declared.
    pub model: &'a Model,
    /// The schemas that are served, the default one first.
    pub schemas: &'a [String],
    /// Whether plans are told.
    pub plans: bool,
}

/// The media type of the reply; to be asked before anything is done.
///
/// # Errors
/// `PGRST107` when none of the accepted types can be answered, `PGRST122` for unknown preferences under strict handling.
pub fn negotiated(request: &Request, offer: &Offer<'_>) -> Result<Media> {
    if request.action == Action::Options && !matches!(request.target, Target::Function(_)) {
        // What a relation takes is told without a body.
        return Ok(Media::Json);
    }
    let media = negotiate(&request.accept, |accepted| offer.answers(request, accepted));
    let media = media.map_err(|error| offer.hinted(request, error))?;
    request.prefer.check()?;
    Ok(media)
}

impl Offer<'_> {
    fn answers(&self, request: &Request, accepted: &Media) -> Option<Media> {
        match (&request.target, accepted) {
            (Target::Root, Media::Any | Media::Json | Media::OpenApi) => Some(Media::OpenApi),
            (Target::Root, Media::OpenApi3) => Some(Media::OpenApi3),
            (Target::Root, _) => None,
            // Types with parameters of their own mean the same everywhere.
            (_, Media::ArrayStripped | Media::Object { .. }) => Some(accepted.clone()),
            (_, Media::Plan { of, .. }) => {
                let known = match &**of {
                    Media::ArrayStripped | Media::Object { .. } => true,
                    other => self.found(request, other).is_some(),
                };
                (self.plans && known).then(|| accepted.clone())
            }
            (_, other) => self.found(request, other),
        }
    }

    /// What the resource itself makes comes first, then what is made of any rows, then what is always there.
    fn found(&self, request: &Request, asked: &Media) -> Option<Media> {
        let name = asked.to_string();
        let name = name.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        // A schema that is not served is refused where names are looked up.
        let schema = crate::resolve::schema(request.profile.as_deref(), self.schemas);
        let own = schema.map_or(Vec::new(), |schema| self.own(request, schema));
        let by_name = |media: &str| own.iter().find(|(known, _)| known == media);
        if let Some((media, handler)) = by_name(ANY_MEDIA).or_else(|| by_name(&name)) {
            return Some(custom(media, handler.clone()));
        }
        let handlers = &self.model.catalog.media_handlers;
        if let Some(found) = handlers.iter().find(|found| found.of.is_none() && *found.media == *name) {
            return Some(custom(&name, aggregate(found)));
        }
        match asked {
            Media::Any | Media::Json => Some(Media::Json),
            Media::Csv => Some(Media::Csv),
            Media::GeoJson => self.model.is_native().then_some(Media::GeoJson),
            Media::ArrayStripped
            | Media::Object { .. }
            | Media::OpenApi
            | Media::OpenApi3
            | Media::Form
            | Media::Text
            | Media::Xml
            | Media::Bytes
            | Media::Plan { .. }
            | Media::Custom { .. }
            | Media::Other(_) => None,
        }
    }

    /// What the schema makes of a resource, when all of it is asked for.
    fn own(&self, request: &Request, schema: &str) -> Vec<(String, Handler)> {
        if !matches!(request.select[..], [SelectItem::All]) {
            return Vec::new();
        }
        match &request.target {
            Target::Root => Vec::new(),
            Target::Table(name) => self.of_table(&Name::new(schema, name.as_str())),
            Target::Function(name) => {
                let functions = self.model.catalog.functions.iter();
                let namesakes =
                    functions.filter(|found| *found.name.schema == *schema && *found.name.name == **name);
                namesakes.flat_map(|function| self.of_function(function)).collect()
            }
        }
    }

    fn of_table(&self, name: &Name) -> Vec<(String, Handler)> {
        let handlers = self.model.catalog.media_handlers.iter();
        let own = handlers.filter(|handler| handler.of.as_ref() == Some(name));
        own.map(|handler| (handler.media.to_string(), aggregate(handler))).collect()
    }

    fn of_function(&self, function: &Function) -> Vec<(String, Handler)> {
        match (&function.domain, &function.returns) {
            (Some(domain), _) if is_media_type(&domain.name) && !function.returns_set => {
                vec![(domain.name.to_ascii_lowercase(), Handler::Value)]
            }
            (_, Type::Composite(table)) => {
                let table: Option<TableId> = self.model.catalog.table(table).map(|(id, _)| id);
                table.map_or(Vec::new(), |id| self.of_table(&self.model.catalog[id].name))
            }
            _ => Vec::new(),
        }
    }

    /// A refusal that says what this engine lacks.
    fn hinted(&self, request: &Request, error: Error) -> Error {
        if request.accept.contains(&Media::GeoJson) && !self.model.is_native() {
            return error.with_hint("GeoJSON is made by PostGIS, which is not supported on this engine.");
        }
        error
    }
}

/// What stands for all types is sent as bytes unless a function says what they are.
fn custom(media: &str, handler: Handler) -> Media {
    let content_type = if media == ANY_MEDIA { "application/octet-stream" } else { media };
    Media::Custom { content_type: content_type.to_owned(), handler }
}

fn aggregate(handler: &MediaHandler) -> Handler {
    let MediaHandler { function, of, ty, .. } = handler;
    Handler::Aggregate(Aggregation { function: function.clone(), of: of.clone(), ty: ty.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{model, request};

    const SCHEMA: &str = "
        create domain \"text/html\" as text;
        create domain \"*/*\" as bytea;
        create domain positive as int;
        create table notes (id int);
        create function page() returns \"text/html\" language sql as $$ select '<p>'::\"text/html\" $$;
        create function pages() returns setof \"text/html\" language sql as $$ select '<p>'::\"text/html\" $$;
        create function any_bytes() returns \"*/*\" language sql as $$ select ''::bytea $$;
        create function one() returns positive language sql as $$ select 1 $$;
    ";

    #[track_caller]
    fn check(line: &str, accept: &str, expected: Option<&str>) {
        let model = model(SCHEMA);
        let offer = Offer { model: &model, schemas: &["public".to_owned()], plans: line.contains("notes") };
        let found = negotiated(&request(line, &[("accept", accept)], ""), &offer);
        assert_eq!(found.ok().map(|media| media.to_string()).as_deref(), expected, "{line} {accept}");
    }

    #[test]
    fn a_function_is_answered_as_the_domain_of_its_result() {
        check("GET /rpc/page", "text/html", Some("text/html"));
        check("GET /rpc/page", "image/png, Text/HTML;charset=utf-8", Some("text/html"));
        check("GET /rpc/page", "*/*", Some("application/json"));
        check("GET /rpc/page", "application/json", Some("application/json"));
        check("GET /rpc/page", "text/plain", None);
        check("GET /rpc/page?select=id", "text/html", None);
        check("GET /rpc/pages", "text/html", None);
        check("GET /rpc/one", "text/html", None);
    }

    #[test]
    fn what_is_any_type_takes_all_but_those_with_parameters() {
        check("GET /rpc/any_bytes", "image/png", Some("application/octet-stream"));
        check("GET /rpc/any_bytes", "*/*", Some("application/octet-stream"));
        let object = "application/vnd.pgrst.object+json";
        check("GET /rpc/any_bytes", object, Some(object));
    }

    #[test]
    fn plans_are_told_where_they_are_switched_on() {
        let plan = "application/vnd.pgrst.plan+json; for=\"application/json\"";
        check("GET /notes", plan, Some(plan));
        check("GET /rpc/one", plan, None);
        check("GET /notes", "application/vnd.pgrst.plan; for=\"image/png\"", None);
    }

    #[test]
    fn what_this_engine_lacks_is_said() {
        let model = model(SCHEMA);
        let offer = Offer { model: &model, schemas: &["public".to_owned()], plans: false };
        let asked = request("GET /notes", &[("accept", "application/geo+json")], "");
        let error = negotiated(&asked, &offer).unwrap_err();
        assert_eq!(error.code(), types::Code::MEDIA_TYPE);
        assert!(error.hint().unwrap().contains("PostGIS"));
    }
}
