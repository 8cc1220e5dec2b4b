//! Cross-origin requests (the Fetch standard, section 3.2): what browsers may send and read.
//!
//! The API takes no cookies, so any origin may ask unless a list is set. `*` and credentials are never said together, and
//! an origin that is not on the list is told nothing: the browser refuses it.

use crate::request::Http;
use crate::respond::{Header, Reply};

/// The origins whose pages may use the API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origins {
    /// Every origin, without credentials.
    #[default]
    Any,
    /// These, exactly as browsers write them (`https://example.com`), with credentials.
    Only(Vec<String>),
}

const ALLOWED: &str = "access-control-allow-origin";

const METHODS: &str = "GET, POST, PATCH, PUT, DELETE, OPTIONS, HEAD";

/// Headers that browsers let every page send.
const SIMPLE_HEADERS: &str = "Accept, Accept-Language, Content-Language";

/// Headers of a reply that a page may read, besides those that it always may.
const EXPOSED: &str = "Content-Encoding, Content-Location, Content-Range, Content-Type, Date, Location, Server, \
                       Transfer-Encoding, Range-Unit";

/// How long a browser may remember the answer to a preflight.
const REMEMBERED_SECONDS: &str = "86400";

/// The answer to a preflight; `None` for any other request and for origins that are not welcome.
pub fn preflight(http: &Http<'_>, origins: &Origins) -> Option<Reply> {
    if http.method != "OPTIONS" || http.header("access-control-request-method").is_none() {
        return None;
    }
    let mut headers = admitted(http, origins)?;
    headers.push(("access-control-allow-methods", allowed_methods(http)));
    headers.push(("access-control-allow-headers", allowed_headers(http)));
    headers.push(("access-control-max-age", REMEMBERED_SECONDS.to_owned()));
    Some(Reply { status: 200, headers, ..Reply::default() })
}

/// What is added to the reply to any other request, refusals included.
pub fn headers(http: &Http<'_>, origins: &Origins) -> Vec<Header> {
    let Some(mut headers) = admitted(http, origins) else {
        return without_origin(http, origins);
    };
    headers.push(("access-control-expose-headers", EXPOSED.to_owned()));
    headers
}

/// What is said to nobody's page. Who asks what may be done is told that every page may.
fn without_origin(http: &Http<'_>, origins: &Origins) -> Vec<Header> {
    match origins {
        Origins::Any if http.method == "OPTIONS" => vec![(ALLOWED, "*".to_owned())],
        Origins::Any => Vec::new(),
        Origins::Only(_) => vec![vary()],
    }
}

/// A reply that depends on the origin says so, for caches.
fn vary() -> Header {
    ("vary", "Origin".to_owned())
}

/// That the request's origin may ask; `None` without an origin.
fn admitted(http: &Http<'_>, origins: &Origins) -> Option<Vec<Header>> {
    let origin = http.header("origin")?;
    match origins {
        Origins::Any => Some(vec![(ALLOWED, "*".to_owned())]),
        Origins::Only(list) => list.iter().any(|known| known == origin).then(|| {
            vec![
                (ALLOWED, origin.to_owned()),
                ("access-control-allow-credentials", "true".to_owned()),
                vary(),
            ]
        }),
    }
}

/// PostgREST's methods; a page that asks for `QUERY` is told of it.
fn allowed_methods(http: &Http<'_>) -> String {
    let queries = http.header("access-control-request-method") == Some("QUERY");
    format!("{METHODS}{}", if queries { ", QUERY" } else { "" })
}

/// The asked-for headers said back, with those that are always allowed. `Authorization` is never covered by `*`.
fn allowed_headers(http: &Http<'_>) -> String {
    let asked = http.header("access-control-request-headers").unwrap_or_default();
    let names = asked.split(',').map(str::trim).filter(|name| is_name(name));
    let mut all = vec!["Authorization"];
    all.extend(names);
    all.push(SIMPLE_HEADERS);
    all.join(", ")
}

/// A token of RFC 9110, section 5.6.2.
fn is_name(name: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http<'a>(method: &'a str, headers: &'a [(&'a str, &'a str)]) -> Http<'a> {
        Http { method, path: "/", query: "", headers, body: b"" }
    }

    fn only() -> Origins {
        Origins::Only(vec!["http://example.com".into(), "http://example2.com".into()])
    }

    /// The values are those of PostgREST's own tests.
    #[test]
    fn a_preflight_is_answered_permissively() {
        let asked = [
            ("origin", "http://example.com"),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "Foo,Bar, b\r\nad"),
        ];
        let reply = preflight(&http("OPTIONS", &asked), &Origins::Any).unwrap();
        for (name, value) in [
            ("access-control-allow-origin", Some("*")),
            ("access-control-allow-methods", Some("GET, POST, PATCH, PUT, DELETE, OPTIONS, HEAD")),
            (
                "access-control-allow-headers",
                Some("Authorization, Foo, Bar, Accept, Accept-Language, Content-Language"),
            ),
            ("access-control-max-age", Some("86400")),
            ("access-control-allow-credentials", None),
        ] {
            assert_eq!(reply.header(name), value, "{name}");
        }
        assert_eq!((reply.status, reply.body.length()), (200, 0));
    }

    #[test]
    fn other_requests_are_no_preflights() {
        let plain = [("origin", "http://example.com")];
        assert_eq!(preflight(&http("OPTIONS", &plain), &Origins::Any), None);
        let asked = [("origin", "http://example.com"), ("access-control-request-method", "GET")];
        assert_eq!(preflight(&http("GET", &asked), &Origins::Any), None);
        assert_eq!(preflight(&http("OPTIONS", &asked[1..]), &Origins::Any), None);
    }

    #[test]
    fn a_list_admits_its_own_with_credentials_and_nobody_else() {
        let names = |headers: &[Header]| headers.iter().map(|(name, _)| *name).collect::<Vec<_>>();
        let known = [("origin", "http://example2.com"), ("access-control-request-method", "GET")];
        let found = headers(&http("GET", &known), &only());
        assert!(found.contains(&("access-control-allow-origin", "http://example2.com".to_owned())));
        assert!(found.contains(&("access-control-allow-credentials", "true".to_owned())));
        assert!(names(&found).contains(&"access-control-expose-headers"));
        for stranger in ["null", "http://evil.com", "http://example.com.evil.com", "https://example.com", ""]
        {
            let asked = [("origin", stranger), ("access-control-request-method", "GET")];
            assert_eq!(names(&headers(&http("GET", &asked), &only())), ["vary"], "{stranger}");
            assert_eq!(preflight(&http("OPTIONS", &asked), &only()), None, "{stranger}");
        }
    }

    #[test]
    fn without_an_origin_nothing_is_said() {
        assert_eq!(headers(&http("GET", &[]), &Origins::Any), []);
        assert_eq!(headers(&http("GET", &[("origin", "null")]), &Origins::Any).len(), 2);
    }
}
