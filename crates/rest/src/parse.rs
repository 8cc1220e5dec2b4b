//! HTTP to a [`Request`]: what was asked. Never looks at the catalog.

use std::borrow::Cow;

use types::{Code, Error, Limits, Result};

use crate::budget::Budget;
use crate::cursor::read_all;
use crate::field::{EmbedPath, dotted, names, tree_path};
use crate::filter::{Filter, Place, test};
use crate::media::Media;
use crate::payload::{self, For, Payload, payload};
use crate::query_string::{Parameter, canonical, decode, parameters};
use crate::range::Range;
use crate::request::{Action, Http, Request, Target};
use crate::{logic, media, order, prefer, range, select};

/// Reads a request.
///
/// # Errors
/// `PGRST100` with the position for a parameter, `PGRST102` for the body, `PGRST103` for the range, `PGRST101`, `PGRST117`
/// and `PGRST125` for method and path, `PGRST114`; `BP413` and `BP414` for what is too long.
pub fn parse(http: &Http<'_>, limits: &Limits) -> Result<Request> {
    bounded(http, limits)?;
    let target = target(http.path)?;
    let method = method(http);
    let action = action(&target, method)?;
    let query = query(http, method)?;
    let http = &Http { method, query: &query, ..*http };
    let parameters = parameters(http.query)?;
    let mut budget = Budget::new(limits);
    let mut request = empty(http, target, action);
    request.canonical = (method != QUERY).then(|| canonical(&parameters));
    for part in [orders, logics, column_lists, selects, filters] {
        part(&parameters, &mut request, &mut budget)?;
    }
    ranges(&parameters, http, &mut request)?;
    request.payload = body(http, &request, limits)?;
    Ok(request)
}

/// The method of a read whose parameters are in its body (draft-ietf-httpbis-safe-method-w-body).
const QUERY: &str = "QUERY";

/// The method that is meant: a `POST` may say that it is a `QUERY`, for clients that cannot send one. Nothing else can be said
/// so, and by nothing else.
fn method<'a>(http: &Http<'a>) -> &'a str {
    match (http.method, http.header("x-http-method-override")) {
        ("POST", Some(QUERY)) => QUERY,
        (method, _) => method,
    }
}

/// The query string; that of a `QUERY` goes on in its body.
fn query<'a>(http: &Http<'a>, method: &str) -> Result<Cow<'a, str>> {
    if method != QUERY || http.body.is_empty() {
        return Ok(Cow::Borrowed(http.query));
    }
    match http.header("content-type").map(media::media) {
        Some(Media::Form) => {}
        Some(other) => return Err(Error::new(Code::BODY, format!("Content-Type not acceptable: {other}"))),
        None => {
            let wanted = format!("A body of QUERY needs a Content-Type: {}", Media::Form);
            return Err(Error::new(Code::BODY, wanted));
        }
    }
    let body = std::str::from_utf8(http.body);
    let body = body.map_err(|_| Error::new(Code::BODY, "The body is not UTF-8 text"))?.trim_end();
    Ok(if http.query.is_empty() { Cow::Borrowed(body) } else { format!("{}&{body}", http.query).into() })
}

fn bounded(http: &Http<'_>, limits: &Limits) -> Result<()> {
    if http.path.len() + http.query.len() + 1 > limits.url_bytes_max {
        let message = format!("The request target is longer than {} bytes", limits.url_bytes_max);
        return Err(Error::new(Code::URI_TOO_LONG, message));
    }
    if http.body.len() > limits.body_bytes_max {
        let message = format!("The body is longer than {} bytes", limits.body_bytes_max);
        return Err(Error::new(Code::PAYLOAD_TOO_LARGE, message));
    }
    Ok(())
}

fn target(path: &str) -> Result<Target> {
    let refuse = || Error::new(Code::PATH, "Invalid path specified in request URL");
    let path = path.strip_prefix('/').unwrap_or(path);
    if path.is_empty() {
        return Ok(Target::Root);
    }
    let segments =
        path.split('/').map(|segment| decode(segment, false)).collect::<Result<Vec<Cow<'_, str>>>>()?;
    match &segments[..] {
        [table] if !table.is_empty() => Ok(Target::Table(table.to_string())),
        [rpc, function] if rpc == "rpc" && !function.is_empty() => Ok(Target::Function(function.to_string())),
        _ => Err(refuse()),
    }
}

fn action(target: &Target, method: &str) -> Result<Action> {
    let unsupported = || Error::new(Code::METHOD, format!("Unsupported HTTP method: {method}"));
    match (target, method) {
        (_, "GET") => Ok(Action::Read { head: false }),
        (_, "HEAD") => Ok(Action::Read { head: true }),
        (Target::Table(_) | Target::Function(_), QUERY) => Ok(Action::Read { head: false }),
        (_, "OPTIONS") => Ok(Action::Options),
        (Target::Function(_), "POST") => Ok(Action::Call),
        (Target::Function(_), _) => {
            Err(Error::new(Code::RPC_METHOD, format!("Cannot use the {method} method on RPC")))
        }
        (Target::Table(_), "POST") => Ok(Action::Insert),
        (Target::Table(_), "PATCH") => Ok(Action::Update),
        (Target::Table(_), "PUT") => Ok(Action::Replace),
        (Target::Table(_), "DELETE") => Ok(Action::Delete),
        (Target::Table(_) | Target::Root, _) => Err(unsupported()),
    }
}

/// What the head says; parameters and body are still to come.
fn empty(http: &Http<'_>, target: Target, action: Action) -> Request {
    let profile = match action {
        Action::Read { .. } | Action::Options => http.header("accept-profile"),
        Action::Insert | Action::Update | Action::Replace | Action::Delete | Action::Call => {
            http.header("content-profile")
        }
    };
    let preferences = http.headers.iter().filter(|(name, _)| *name == "prefer").map(|(_, value)| *value);
    Request {
        target,
        action,
        profile: profile.map(str::to_owned),
        select: Vec::new(),
        filters: Vec::new(),
        logic: Vec::new(),
        orders: Vec::new(),
        ranges: Vec::new(),
        range: Range::default(),
        columns: None,
        on_conflict: None,
        arguments: Vec::new(),
        prefer: prefer::prefer(preferences),
        accept: media::accepted(http.header("accept")),
        content_type: http.header("content-type").map_or(Media::Json, media::media),
        payload: None,
        canonical: None,
    }
}

/// The last segment of a parameter's name.
fn last_segment(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// The embed path of a name whose last segment is a word of ours.
fn embed_path(name: &str) -> Result<EmbedPath> {
    read_all(name, "tree path", name, tree_path).map(|(path, _)| path)
}

fn orders(parameters: &[Parameter<'_>], request: &mut Request, budget: &mut Budget<'_>) -> Result<()> {
    for (name, value) in parameters.iter().filter(|(name, _)| last_segment(name) == "order") {
        let path = embed_path(name)?;
        let terms = read_all(value, "order", value, |cursor| order::order(cursor, budget))?;
        request.orders.push((path, terms));
    }
    Ok(())
}

fn logics(parameters: &[Parameter<'_>], request: &mut Request, budget: &mut Budget<'_>) -> Result<()> {
    for (name, value) in parameters.iter().filter(|(name, _)| matches!(last_segment(name), "and" | "or")) {
        let (path, operator) = read_all(name, "logic path", name, logic::path)?;
        // Read together, so that positions count from the operator's word.
        let text = format!("{operator}{value}");
        let tree = read_all(&text, "logic tree", value, |cursor| logic::tree(cursor, budget))?;
        request.logic.push((path, tree));
    }
    Ok(())
}

fn column_lists(parameters: &[Parameter<'_>], request: &mut Request, budget: &mut Budget<'_>) -> Result<()> {
    let list = |what: &str, shown: &str| -> Result<Option<Vec<String>>> {
        let Some((_, value)) = parameters.iter().find(|(name, _)| name == what) else { return Ok(None) };
        let list = read_all(value, shown, value, names)?;
        budget.values(list.len())?;
        Ok(Some(list))
    };
    request.columns = list("columns", "columns parameter")?;
    request.on_conflict = list("on_conflict", "on_conflict parameter")?;
    Ok(())
}

fn selects(parameters: &[Parameter<'_>], request: &mut Request, budget: &mut Budget<'_>) -> Result<()> {
    let value = parameters.iter().find(|(name, _)| name == "select").map_or("*", |(_, value)| value);
    request.select = read_all(value, "select parameter", value, |cursor| select::items(cursor, budget))?;
    Ok(())
}

pub(crate) fn is_filter(name: &str) -> bool {
    !matches!(name, "select" | "columns" | "on_conflict")
        && !matches!(last_segment(name), "order" | "limit" | "offset" | "and" | "or")
}

fn filters(parameters: &[Parameter<'_>], request: &mut Request, budget: &mut Budget<'_>) -> Result<()> {
    let calls = matches!((&request.target, request.action), (Target::Function(_), Action::Read { .. }));
    for (name, value) in parameters.iter().filter(|(name, _)| is_filter(name)) {
        budget.node()?;
        let (path, field) = read_all(name, "tree path", name, tree_path)?;
        if calls && !is_condition(value, budget) {
            request.arguments.push((field.name, value.to_string()));
            continue;
        }
        let test = read_all(value, "filter", value, |cursor| test(cursor, budget, Place::Alone))?;
        request.filters.push((path, Filter { field, test }));
    }
    Ok(())
}

/// Whether a value begins like a condition; everything else is an argument of a function.
fn is_condition(value: &str, budget: &Budget<'_>) -> bool {
    let mut cursor = crate::cursor::Cursor::new(value);
    test(&mut cursor, budget, Place::Alone).is_ok() || cursor.at() > 0
}

fn ranges(parameters: &[Parameter<'_>], http: &Http<'_>, request: &mut Request) -> Result<()> {
    let mut root = Range::default();
    for (name, value) in parameters {
        let word = last_segment(name);
        if !matches!(word, "limit" | "offset") {
            continue;
        }
        let path = match name.strip_suffix(word).and_then(|path| path.strip_suffix('.')) {
            Some(path) => read_all(path, "tree path", name, dotted)?,
            None => EmbedPath::new(),
        };
        let range = if path.is_empty() { &mut root } else { range_of(&mut request.ranges, path) };
        match word {
            "limit" => range.limit = range::limit(value)?.or(range.limit),
            _ => range.offset = range::offset(value)?,
        }
    }
    let header = match http.method {
        "GET" | QUERY => range::header(http.header("range"))?,
        _ => Range::default(),
    };
    if request.action == Action::Replace && !root.is_all() {
        return Err(Error::new(
            Code::PUT_LIMIT,
            "limit/offset querystring parameters are not allowed for PUT",
        ));
    }
    request.range = range::together(header, root)?;
    Ok(())
}

fn range_of(ranges: &mut Vec<(EmbedPath, Range)>, path: EmbedPath) -> &mut Range {
    let position = ranges.iter().position(|(known, _)| *known == path).unwrap_or_else(|| {
        ranges.push((path, Range::default()));
        ranges.len() - 1
    });
    &mut ranges[position].1
}

fn body(http: &Http<'_>, request: &Request, limits: &Limits) -> Result<Option<Payload>> {
    let is_nested = request.action == Action::Insert && request.prefer.nested.is_some();
    if is_nested && request.content_type == Media::Json {
        return payload::objects(http.body, limits).map(Some);
    }
    let (what, columns) = match request.action {
        Action::Insert | Action::Update => (For::Table, request.columns.as_deref()),
        Action::Replace => (For::Table, None),
        Action::Call => (For::Function, request.columns.as_deref()),
        Action::Read { .. } | Action::Delete | Action::Options => return Ok(None),
    };
    payload(http.body, &request.content_type, what, columns, limits).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Operands;

    fn ask(method: &str, path: &str, query: &str, headers: &[(&str, &str)], body: &str) -> Result<Request> {
        parse(&Http { method, path, query, headers, body: body.as_bytes() }, &Limits::default())
    }

    fn get(query: &str) -> Result<Request> {
        ask("GET", "/films", query, &[], "")
    }

    #[test]
    fn paths_and_methods_say_what_is_done() {
        let read = Action::Read { head: false };
        for (method, path, target, action) in [
            ("GET", "/", Target::Root, read),
            ("GET", "", Target::Root, read),
            ("GET", "/films", Target::Table("films".into()), read),
            ("HEAD", "/films", Target::Table("films".into()), Action::Read { head: true }),
            ("DELETE", "/a%20b", Target::Table("a b".into()), Action::Delete),
            ("GET", "/rpc", Target::Table("rpc".into()), read),
            ("GET", "/rpc/add", Target::Function("add".into()), read),
            ("POST", "/rpc/add", Target::Function("add".into()), Action::Call),
            ("OPTIONS", "/rpc/add", Target::Function("add".into()), Action::Options),
        ] {
            let request = ask(method, path, "", &[], "").unwrap();
            assert_eq!((request.target, request.action), (target, action), "{method} {path}");
        }
        for (method, path, code, message) in [
            ("GET", "/films/", Code::PATH, "Invalid path specified in request URL"),
            ("GET", "/rpc/a/b", Code::PATH, "Invalid path specified in request URL"),
            ("GET", "/rpc/", Code::PATH, "Invalid path specified in request URL"),
            ("POST", "/", Code::METHOD, "Unsupported HTTP method: POST"),
            ("get", "/films", Code::METHOD, "Unsupported HTTP method: get"),
            ("TRACE", "/films", Code::METHOD, "Unsupported HTTP method: TRACE"),
            ("PATCH", "/rpc/f", Code::RPC_METHOD, "Cannot use the PATCH method on RPC"),
        ] {
            let error = ask(method, path, "", &[], "").unwrap_err();
            assert_eq!((error.code(), error.message()), (code, message), "{method} {path}");
        }
    }

    #[test]
    fn parameters_apply_where_their_names_say() {
        let request = get("select=id&a=eq.1&rel.b=gt.2&rel.or=(c.is.null)&not.and=(d.eq.1)&rel.order=x&rel.deep.limit=3&rel.deep.offset=1").unwrap();
        assert_eq!(request.filters[0].0, EmbedPath::new());
        assert_eq!(
            (request.filters[1].0.join("."), request.filters[1].1.field.name.as_str()),
            ("rel".into(), "b")
        );
        assert_eq!(request.logic[0].0, ["rel"]);
        assert!(
            matches!(&request.logic[1], (path, logic::Logic::Group { negated: true, any: false, .. }) if path.is_empty())
        );
        assert_eq!(request.orders[0].0, ["rel"]);
        assert_eq!(
            request.ranges,
            [(vec!["rel".to_owned(), "deep".to_owned()], Range { offset: 1, limit: Some(3) })]
        );
    }

    #[test]
    fn a_reserved_last_segment_is_no_filter() {
        let request = get("a.order=x").unwrap();
        assert!(request.filters.is_empty());
        assert_eq!(request.orders[0].0, ["a"]);
        assert_eq!(get("order=eq.1").unwrap_err().code(), Code::PARSE);
    }

    #[test]
    fn select_is_everything_unless_said() {
        assert_eq!(get("").unwrap().select, [select::SelectItem::All]);
        assert_eq!(get("select=").unwrap().select, []);
    }

    #[test]
    fn arguments_are_what_is_no_condition() {
        let request = ask("GET", "/rpc/f", "a=1&b=eq.2&c=text.with.dots&id=gt.3", &[], "").unwrap();
        assert_eq!(
            request.arguments,
            [("a".to_owned(), "1".to_owned()), ("c".to_owned(), "text.with.dots".to_owned())]
        );
        assert_eq!(request.filters.len(), 2);
        assert_eq!(request.filters[0].1.test.value, Operands::One("2".into()));
        assert_eq!(ask("GET", "/rpc/f", "a=in.1", &[], "").unwrap_err().code(), Code::PARSE);
    }

    #[test]
    fn the_range_header_is_for_get() {
        let headers = [("range", "0-9"), ("range-unit", "items")];
        assert_eq!(
            ask("GET", "/films", "", &headers, "").unwrap().range,
            Range { offset: 0, limit: Some(10) }
        );
        assert_eq!(ask("HEAD", "/films", "", &headers, "").unwrap().range, Range::default());
        assert_eq!(get("limit=0").unwrap().range, Range { offset: 0, limit: Some(0) });
        assert_eq!(get("limit=-1").unwrap_err().code(), Code::RANGE);
        assert_eq!(ask("PUT", "/films", "limit=1", &[], "{}").unwrap_err().code(), Code::PUT_LIMIT);
    }

    #[test]
    fn a_query_has_its_parameters_in_the_body() {
        const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
        let override_ = ("x-http-method-override", "QUERY");
        let read = Action::Read { head: false };
        let headers = [FORM, ("range", "0-9"), ("accept-profile", "a")];
        let request =
            ask("QUERY", "/films", "select=id", &headers, "id=in.(1,2)&or=(a.eq.x%2By,b.is.null)\n").unwrap();
        assert_eq!((request.action, request.select.len()), (read, 1));
        assert_eq!((request.filters.len(), request.logic.len(), request.payload), (1, 1, None));
        assert_eq!(request.range, Range { offset: 0, limit: Some(10) });
        assert_eq!((request.profile.as_deref(), request.canonical), (Some("a"), None));
        let request = ask("POST", "/films", "", &[FORM, override_], "id=eq.1").unwrap();
        assert_eq!((request.action, request.filters.len()), (read, 1));
        let request = ask("QUERY", "/rpc/f", "", &[FORM], "a=1").unwrap();
        assert_eq!((request.action, request.arguments.len()), (read, 1));
        assert_eq!(ask("QUERY", "/films", "a=eq.1", &[], "").unwrap().filters.len(), 1);
        // Only a POST, only to a QUERY, only so written.
        for (method, other, action) in [
            ("GET", "QUERY", read),
            ("POST", "query", Action::Insert),
            ("POST", "GET", Action::Insert),
            ("DELETE", "QUERY", Action::Delete),
        ] {
            let headers = [("x-http-method-override", other), ("content-type", "application/json")];
            assert_eq!(ask(method, "/films", "", &headers, "{}").unwrap().action, action, "{method} {other}");
        }
        for (headers, body) in [
            (&[][..], "a=eq.1"),
            (&[("content-type", "application/json")][..], "{}"),
            (&[FORM][..], "id=eq.1&limit=-1"),
        ] {
            assert!(ask("QUERY", "/films", "", headers, body).is_err(), "{body}");
        }
        assert_eq!(ask("QUERY", "/", "", &[], "").unwrap_err().code(), Code::METHOD);
    }

    #[test]
    fn profiles_follow_the_method() {
        let headers = [("accept-profile", "a"), ("content-profile", "c")];
        assert_eq!(ask("GET", "/films", "", &headers, "").unwrap().profile.as_deref(), Some("a"));
        assert_eq!(ask("POST", "/films", "", &headers, "{}").unwrap().profile.as_deref(), Some("c"));
    }

    #[test]
    fn preferences_come_from_every_header() {
        let headers = [("prefer", "count=exact"), ("prefer", "count=planned, return=minimal")];
        let request = ask("GET", "/films", "", &headers, "").unwrap();
        assert_eq!(request.prefer.applied().as_deref(), Some("return=minimal, count=exact"));
    }

    #[test]
    fn what_is_too_long_is_refused() {
        let long = format!("id=in.({})", "1,".repeat(1 << 20));
        assert_eq!(get(&long).unwrap_err().code(), Code::URI_TOO_LONG);
        assert_eq!(get(&format!("id=in.({}1)", "1,".repeat(20_000))).unwrap_err().code(), Code::PARSE);
        let body = "x".repeat((1 << 20) + 1);
        assert_eq!(ask("POST", "/films", "", &[], &body).unwrap_err().code(), Code::PAYLOAD_TOO_LARGE);
        assert_eq!(get(&vec!["a=eq.1"; 500].join("&")).unwrap_err().code(), Code::PARSE);
    }

    #[test]
    fn lists_of_names_are_read() {
        let request = ask("POST", "/films", "columns=\"a\",\"b c\"&on_conflict=id,name", &[], "[]").unwrap();
        assert_eq!(request.columns.unwrap(), ["a", "b c"]);
        assert_eq!(request.on_conflict.unwrap(), ["id", "name"]);
        let error = ask("POST", "/films", "columns=", &[], "[]").unwrap_err();
        assert_eq!(error.message(), "\"failed to parse columns parameter ()\" (line 1, column 1)");
        assert_eq!(
            error.details(),
            Some(&types::error::Details::Text(
                "unexpected end of input expecting field name (* or [a..z0..9_$])".into()
            ))
        );
    }
}
