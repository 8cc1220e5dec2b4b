//! What functions of the schema may know about a request: method, path, headers, cookies, search path.
//!
//! PostgREST's settings of a transaction: engines that run functions themselves are told, others' functions read the session.

use std::sync::Arc;

use engine::Asked;
use query::{Caller, Model};
use rest::{Action, Http, Request, Target};
use types::Result;
use types::json::write_string;
use types::session::Session;

use crate::road::{DataApi, pre_request};

/// What an engine that runs functions is told of a request.
///
/// # Errors
/// `PGRST106` for a schema that is not exposed.
pub(crate) fn asked(http: &Http<'_>, request: &Request, model: &Model, api: &DataApi) -> Result<Asked> {
    let schema = rest::resolve::schema(request.profile.as_deref(), &api.schemas)?;
    let search_path = search_path(schema, api).iter().map(ToString::to_string).collect();
    let reads = matches!((&request.target, request.action), (Target::Table(_), Action::Read { .. }));
    Ok(Asked {
        method: http.method.to_owned(),
        path: http.path.to_owned(),
        headers: headers(http),
        cookies: cookies(http),
        search_path,
        functions_answer: !reads || pre_request(model, api).is_some(),
    })
}

/// Where functions look for names: in the schema of the request, then where settings say.
pub(crate) fn search_path(schema: &str, api: &DataApi) -> Arc<[Arc<str>]> {
    let further = api.extra_search_path.iter().map(String::as_str);
    std::iter::once(schema).chain(further).map(Arc::from).collect()
}

/// Tells a session of a request.
///
/// # Errors
/// `54000` when it is too long.
pub(crate) fn tell(http: &Http<'_>, caller: &Caller, session: &Session) -> Result<()> {
    let settings = &session.settings;
    if let Some(claims) = &caller.claims {
        settings.set("request.jwt.claims", claims)?;
    }
    settings.set("request.method", http.method)?;
    settings.set("request.path", http.path)?;
    settings.set("request.headers", &headers(http))?;
    settings.set("request.cookies", &cookies(http))
}

fn headers(http: &Http<'_>) -> String {
    object(http.headers.iter().filter(|(name, _)| *name != "cookie").copied())
}

fn cookies(http: &Http<'_>) -> String {
    let cookies = http.headers.iter().filter(|(name, _)| *name == "cookie");
    object(cookies.flat_map(|(_, value)| value.split(';')).filter_map(|pair| pair.trim().split_once('=')))
}

/// Pairs as a JSON object; of several with one name the last counts.
fn object<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = Vec::with_capacity(OBJECT_BYTES);
    out.push(b'{');
    for (name, value) in pairs {
        if out.len() > 1 {
            out.push(b',');
        }
        write_string(&mut out, name);
        out.push(b':');
        write_string(&mut out, value);
    }
    out.push(b'}');
    // Made of texts: it is one.
    String::from_utf8(out).unwrap_or_default()
}

/// What the headers of most requests take.
const OBJECT_BYTES: usize = 1 << 10;
