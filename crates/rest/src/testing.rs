//! Models and requests from text, for tests.

use std::sync::Arc;

use query::{Model, resolve};
use types::{Limits, Result};

use crate::media::Media;
use crate::request::{Http, Request};

/// A model in which every statement of `text` applies.
pub(crate) fn model(text: &str) -> Model {
    let (statements, complaints) = sql::parse(text);
    assert!(complaints.is_empty(), "{complaints:?}");
    let mut builder = catalog::Builder::new(catalog::builtin(), &resolve::Views);
    for statement in &statements {
        if let Err(complaint) = builder.apply(statement) {
            panic!("{:?}", complaint.error);
        }
    }
    Model::new(Arc::new(builder.finish()))
}

/// A request that is read without complaint: `GET /films?a=eq.1`.
pub(crate) fn request(line: &str, headers: &[(&str, &str)], body: &str) -> Request {
    let (method, target) = line.split_once(' ').unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let http = Http { method, path, query, headers, body: body.as_bytes() };
    crate::parse(&http, &Limits::default()).unwrap()
}

/// The media type that is agreed on where the schema makes none.
pub(crate) fn negotiated(request: &Request) -> Result<Media> {
    let offer = crate::Offer { model: &model(""), schemas: &["public".to_owned()], plans: false };
    crate::negotiated(request, &offer)
}
