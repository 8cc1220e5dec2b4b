//! What each action answers on the wire. Bodies are tested where they are written.

use super::*;
use crate::testing::{negotiated, request};

const RANGE: &str = "content-range";
const APPLIED: &str = "preference-applied";

/// The answer to a request line with a `Prefer` header.
fn answer(line: &str, prefer: &str, outcome: Outcome) -> Reply {
    let request = request(line, &[("prefer", prefer)], "{}");
    let canonical = request.canonical.as_deref();
    let served = Served { profile: Some("public"), honors_tx: false, canonical };
    respond(&request, &served, &Media::Json, outcome)
}

fn rows(rows: u64) -> Outcome {
    Outcome {
        rows,
        inserted: rows,
        has_conflict_target: true,
        body: b"[]".to_vec().into(),
        ..Outcome::default()
    }
}

/// PostgREST's answers, of its `Response` module.
#[test]
fn writes_answer_by_what_they_did_and_what_is_preferred() {
    let (full, minimal) = ("return=representation", "return=minimal");
    let merge = "resolution=merge-duplicates,count=exact";
    for (line, prefer, outcome, status, range, applied) in [
        ("POST /t", "", rows(1), 201, Some("*/*"), None),
        ("POST /t", minimal, rows(1), 201, Some("*/*"), Some(minimal)),
        ("POST /t", "count=exact", rows(3), 201, Some("*/3"), Some("count=exact")),
        (
            "POST /t",
            merge,
            Outcome { inserted: 0, ..rows(2) },
            200,
            Some("*/2"),
            Some("resolution=merge-duplicates, count=exact"),
        ),
        (
            "POST /t",
            merge,
            Outcome { inserted: 1, ..rows(2) },
            201,
            Some("*/2"),
            Some("resolution=merge-duplicates, count=exact"),
        ),
        (
            "POST /t",
            merge,
            Outcome { has_conflict_target: false, ..rows(2) },
            201,
            Some("*/2"),
            Some("count=exact"),
        ),
        ("PATCH /t", "", rows(3), 204, Some("0-2/*"), None),
        ("PATCH /t", full, rows(0), 200, Some("*/*"), Some(full)),
        ("PATCH /t", "count=exact", rows(2), 204, Some("0-1/2"), Some("count=exact")),
        ("DELETE /t", "", rows(2), 204, Some("*/*"), None),
        (
            "DELETE /t",
            "return=representation,count=exact",
            rows(2),
            200,
            Some("*/2"),
            Some("return=representation, count=exact"),
        ),
        ("PUT /t?id=eq.1", full, rows(1), 201, None, Some(full)),
        ("PUT /t?id=eq.1", full, Outcome { inserted: 0, ..rows(1) }, 200, None, Some(full)),
        ("PUT /t?id=eq.1", "", rows(1), 204, None, None),
    ] {
        let reply = answer(line, prefer, outcome);
        assert_eq!(
            (reply.status, reply.header(RANGE), reply.header(APPLIED)),
            (status, range, applied),
            "{line} {prefer}"
        );
        let has_body = prefer.contains(full);
        assert_eq!(reply.header("content-type").is_some(), has_body, "{line} {prefer}");
        assert_eq!(reply.header("content-profile").is_some(), has_body, "{line} {prefer}");
        assert_eq!(!reply.body.is_empty(), has_body, "{line} {prefer}");
        assert_eq!(reply.header("vary"), Some("Accept, Prefer, Range"));
    }
}

#[test]
fn reads_say_their_page_and_where_they_are() {
    let page = Outcome { total: Some(5), ..rows(2) };
    let reply = answer("GET /a%20b?offset=1&limit=2&a=eq.x%2Fy", "count=exact,tx=rollback", page.clone());
    assert_eq!((reply.status, reply.header(RANGE)), (206, Some("1-2/5")));
    assert_eq!(reply.header("content-location"), Some("/a%20b?a=eq.x%2Fy&limit=2&offset=1"));
    assert_eq!(reply.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(reply.header(APPLIED), Some("count=exact"));
    let head = answer("HEAD /t", "", page);
    assert_eq!((head.status, head.body.length(), head.header(RANGE)), (206, 0, Some("0-1/5")));
}

#[test]
fn a_page_beyond_the_end_is_refused_with_the_range_that_there_is() {
    let reply = answer("GET /t?offset=10", "count=exact", Outcome { total: Some(5), ..rows(0) });
    assert_eq!((reply.status, reply.header(RANGE)), (416, Some("*/5")));
    let body = String::from_utf8(reply.body.in_memory().unwrap()).unwrap();
    assert!(body.contains("\"PGRST103\""), "{body}");
    assert!(body.contains("An offset of 10 was requested, but there are only 5 rows."), "{body}");
}

#[test]
fn functions_answer_like_reads_or_with_nothing() {
    let reply = answer("POST /rpc/f", "max-affected=3,handling=strict", rows(1));
    assert_eq!((reply.status, reply.header(RANGE)), (200, Some("0-0/*")));
    assert_eq!(reply.header(APPLIED), Some("handling=strict, max-affected=3"));
    assert_eq!(reply.header("content-location"), None);
    let void = answer("POST /rpc/f", "", Outcome { is_void: true, ..rows(1) });
    assert_eq!((void.status, void.header("content-type"), void.body.length()), (204, None, 0));
}

#[test]
fn one_inserted_row_has_a_location_on_request() {
    let key = vec![("id".to_owned(), Some("a b".to_owned())), ("k".to_owned(), None)];
    let stored = Outcome { location: key, ..rows(1) };
    let reply = answer("POST /t", "return=headers-only", stored.clone());
    assert_eq!(reply.header("location"), Some("/t?id=eq.a%20b&k=is.null"));
    assert_eq!((reply.status, reply.body.length()), (201, 0));
    assert_eq!(answer("POST /t", "return=representation", stored).header("location"), None);
}

#[test]
fn the_root_answers_with_its_own_type() {
    let root = request("GET /", &[("accept", "application/json")], "");
    let media = negotiated(&root).unwrap();
    let reply = respond(&root, &Served::default(), &media, rows(0));
    assert_eq!(reply.header("content-type"), Some("application/openapi+json; charset=utf-8"));
    assert_eq!((reply.status, reply.header(RANGE)), (200, None));
}

#[test]
fn media_types_without_a_writer_are_refused() {
    for (accept, media) in [
        ("*/*", Some("application/json")),
        ("text/csv", Some("text/csv")),
        ("application/vnd.pgrst.object", Some("application/vnd.pgrst.object+json")),
        (
            "application/vnd.pgrst.array+json;nulls=stripped",
            Some("application/vnd.pgrst.array+json;nulls=stripped"),
        ),
        ("text/plain, application/json;q=0.5", Some("application/json")),
        ("text/plain", None),
        ("application/octet-stream", None),
        ("application/geo+json", None),
    ] {
        let found = negotiated(&request("GET /t", &[("accept", accept)], ""));
        match media {
            Some(media) => assert_eq!(found.unwrap().to_string(), media),
            None => assert_eq!(found.unwrap_err().code(), types::Code::MEDIA_TYPE),
        }
    }
}

#[test]
fn strict_handling_is_enforced_before_anything_is_done() {
    let strict = request("GET /t", &[("prefer", "handling=strict, odd=1")], "");
    assert_eq!(negotiated(&strict).unwrap_err().code(), types::Code::PREFERENCES);
    assert!(negotiated(&request("GET /t", &[("prefer", "odd=1")], "")).is_ok());
}

#[test]
fn more_rows_than_allowed_are_refused_under_strict_handling_only() {
    let strict = [("prefer", "handling=strict, max-affected=2")];
    for (line, headers, refused) in [
        ("DELETE /t", &strict[..], true),
        ("PATCH /t", &strict, true),
        ("POST /rpc/f", &strict, true),
        ("POST /t", &strict, false),
        ("GET /t", &strict, false),
        ("DELETE /t", &[("prefer", "max-affected=2")], false),
    ] {
        let request = request(line, headers, "{}");
        assert!(check_affected(&request, 2).is_ok(), "{line}");
        let answer = check_affected(&request, 3);
        assert_eq!(answer.is_err_and(|error| error.code() == types::Code::MAX_AFFECTED), refused, "{line}");
    }
}
