//! What functions of the schema may know about a request: method, path, headers, cookies, search path.
//!
//! PostgREST's settings of a transaction; only engines that run functions themselves are told.

use engine::Asked;
use rest::{Http, Request};
use types::Result;
use types::json::Json;

use crate::road::DataApi;

/// What is told of a request.
///
/// # Errors
/// `PGRST106` for a schema that is not exposed.
pub(crate) fn asked(http: &Http<'_>, request: &Request, api: &DataApi) -> Result<Asked> {
    let schema = rest::resolve::schema(request.profile.as_deref(), &api.schemas)?;
    let mut search_path = vec![schema.to_owned()];
    search_path.extend(api.extra_search_path.iter().filter(|extra| *extra != schema).cloned());
    let cookies = http.headers.iter().filter(|(name, _)| *name == "cookie");
    let cookies =
        cookies.flat_map(|(_, value)| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    Ok(Asked {
        method: http.method.to_owned(),
        path: http.path.to_owned(),
        headers: object(http.headers.iter().filter(|(name, _)| *name != "cookie").copied()),
        cookies: object(cookies),
        search_path,
    })
}

/// Pairs as a JSON object; of several with one name the last counts.
fn object<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let pairs = pairs.map(|(name, value)| (name.to_owned(), Json::String(value.to_owned())));
    Json::Object(pairs.collect()).compact()
}
