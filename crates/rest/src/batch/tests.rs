//! What a batch is read as, and what becomes of its references.

use super::*;

fn read(body: &str) -> Result<Batch> {
    let http = Http { method: "POST", path: PATH, query: "", headers: &[], body: body.as_bytes() };
    parse(&http, &Limits::default())
}

fn answered(body: &str) -> Answered {
    let headers = vec![("content-type", "application/json; charset=utf-8".to_owned())];
    let reply = Reply { status: 200, headers, body: body.as_bytes().to_vec().into(), ..Reply::default() };
    Answered::referable(reply, &mut 1_000_000).unwrap()
}

/// The request line and body of the last request, after a first one that answered `result`.
fn asked(result: &str, request: &str) -> Result<String> {
    let batch = read(&format!(r#"[{{"method":"GET","path":"/a"}},{request}]"#))?;
    let headers =
        [("authorization", "Bearer t"), ("content-type", "application/json"), ("accept", "text/csv")];
    let asking = batch.entries[1].asking(&[answered(result)], &headers, &Limits::default())?;
    let names: Vec<&str> = asking.headers.iter().map(|(name, _)| name.as_str()).collect();
    let body = String::from_utf8(asking.body).unwrap();
    Ok(format!("{} {}?{} {} {body}", asking.method, asking.path, asking.query, names.join(",")))
}

#[test]
fn references_are_put_in_their_places() {
    let rows = r#"[{"id":12345678901234567890,"name":"a&b","deep":{"x/y":[true,null]}}]"#;
    for (request, expected) in [
        (
            r#"{"method":"POST","path":"/t","body":{"n":1},"refs":{"/body/a":"/0/body/0/id"}}"#,
            r#"POST /t? authorization {"n":1,"a":12345678901234567890}"#,
        ),
        (
            r#"{"method":"POST","path":"/t","body":[{"a":null},{"b":2}],"refs":{"/body/*/a":"/0/body/0/id"}}"#,
            r#"POST /t? authorization [{"a":12345678901234567890},{"b":2,"a":12345678901234567890}]"#,
        ),
        (
            r#"{"method":"POST","path":"/t","body":[{},{}],"refs":{"/body/1/j":"/0/body/0/deep","/body/0/j":"/0/body/0/deep/x~1y/0"}}"#,
            r#"POST /t? authorization [{"j":true},{"j":{"x/y":[true,null]}}]"#,
        ),
        (
            r#"{"method":"PATCH","path":"/t?n=gt.1","body":{},"refs":{"/query/na.me":"/0/body/0/name"},"headers":{"Prefer":"p"}}"#,
            r#"PATCH /t?n=gt.1&na.me=eq.a%26b prefer,authorization {}"#,
        ),
        (
            r#"{"method":"POST","path":"/rpc/f","refs":{"/body/rows":"/0/body"}}"#,
            &format!(r#"POST /rpc/f? authorization {{"rows":{rows}}}"#),
        ),
    ] {
        assert_eq!(asked(rows, request).unwrap(), expected);
    }
}

#[test]
fn what_looks_like_a_reference_in_data_is_data() {
    let request = r#"{"method":"POST","path":"/t","body":{"a":{"$ref":"/0/body/0/id"},"b":"/0/body/0/id"}}"#;
    let expected = r#"POST /t? authorization {"a":{"$ref":"/0/body/0/id"},"b":"/0/body/0/id"}"#;
    assert_eq!(asked(r#"[{"id":1}]"#, request).unwrap(), expected);
}

#[test]
fn what_leads_nowhere_is_refused() {
    for (code, refs) in [
        (Code::BATCH_REFERENCE, r#"{"/body/a":"/0/body/1/id"}"#),
        (Code::BATCH_REFERENCE, r#"{"/body/a":"/0/body/00/id"}"#),
        (Code::BATCH_REFERENCE, r#"{"/body/a":"/0/body/0/id/x"}"#),
        (Code::BATCH_REFERENCE, r#"{"/body/a/b":"/0/body/0/id"}"#),
        (Code::BATCH_REFERENCE, r#"{"/query/id":"/0/body/0"}"#),
        (Code::BATCH_REFERENCE, r#"{"/query/id":"/0/body/0/nothing"}"#),
        (Code::BATCH, r#"{"/query/select":"/0/body/0/id"}"#),
        (Code::BATCH, r#"{"/query/rel.or":"/0/body/0/id"}"#),
        (Code::BATCH, r#"{"/headers/prefer":"/0/body/0/id"}"#),
        (Code::BATCH, r#"{"/path":"/0/body/0/id"}"#),
        (Code::BATCH, r#"{"/body/a":"/1/body/0/id"}"#),
        (Code::BATCH, r#"{"/body/a":"/0/status"}"#),
        (Code::BATCH, r#"{"/body/a":"0.body.0.id"}"#),
        (Code::BATCH, r#"{"/body/a":0}"#),
    ] {
        let request = format!(r#"{{"method":"POST","path":"/t","body":{{}},"refs":{refs}}}"#);
        let error = asked(r#"[{"id":1,"nothing":null}]"#, &request).unwrap_err();
        assert_eq!(error.code(), code, "{refs}: {error}");
    }
    let request = r#"{"method":"GET","path":"/rpc/f","refs":{"/query/a":"/0/body/0/id"}}"#;
    assert_eq!(asked(r#"[{"id":1}]"#, request).unwrap_err().code(), Code::BATCH);
}

#[test]
fn references_do_not_make_a_body_too_long() {
    let value = "x".repeat(10_000);
    let rows = vec!["{}"; 200].join(",");
    let request =
        format!(r#"{{"method":"POST","path":"/t","body":[{rows}],"refs":{{"/body/*/a":"/0/body/0/id"}}}}"#);
    let error = asked(&format!(r#"[{{"id":"{value}"}}]"#), &request).unwrap_err();
    assert_eq!(error.code(), Code::PAYLOAD_TOO_LARGE);
}

#[test]
fn what_a_request_cannot_have_is_refused_by_name() {
    for (request, message) in [
        (r#"{"path":"/t"}"#, "A request of a batch needs a `method`"),
        (r#"{"method":"GET"}"#, "A request of a batch needs a `path`"),
        (r#"{"method":"GET","path":"t"}"#, "The `path` of a request of a batch begins with `/`"),
        (r#"{"method":1,"path":"/t"}"#, "`method` is a string"),
        (r#"{"method":"GET","path":"/t","id":1}"#, "A request of a batch has no `id`"),
        (
            r#"{"method":"GET","path":"/t","headers":{"Authorization":"Bearer x"}}"#,
            "A request of a batch cannot have the header `Authorization`",
        ),
        (
            r#"{"method":"GET","path":"/t","headers":{"X-Forwarded-For":"1.2.3.4"}}"#,
            "A request of a batch cannot have the header `X-Forwarded-For`",
        ),
        (r#"{"method":"GET","path":"/t","headers":{"Range":1}}"#, "The header `Range` is a string"),
        ("[]", "A request of a batch is an object"),
    ] {
        let error = read(&format!(r#"[{{"method":"GET","path":"/t"}},{request}]"#)).unwrap_err();
        assert_eq!((error.message(), error.request()), (message, Some(1)));
    }
    for (body, message) in [
        ("{}", "A batch is an array of requests"),
        ("[", "The body is no JSON"),
        (&format!("[{}]", vec!["1"; 101].join(",")), "A batch may have at most 100 requests"),
    ] {
        assert_eq!(read(body).unwrap_err().message(), message);
    }
}

#[test]
fn a_body_that_is_no_json_is_a_string() {
    let request = r#"{"method":"POST","path":"/t","headers":{"Content-Type":"text/csv"},"body":"a\n1"}"#;
    assert_eq!(asked("[]", request).unwrap(), "POST /t? content-type,authorization a\n1");
    let request = r#"{"method":"POST","path":"/t","headers":{"Content-Type":"text/csv"},"body":[1]}"#;
    assert_eq!(asked("[]", request).unwrap_err().message(), "A `body` of type text/csv is a string");
}

#[test]
fn results_are_written_in_order() {
    let csv = Reply {
        status: 200,
        headers: vec![("content-type", "text/csv; charset=utf-8".to_owned()), ("vary", "Accept".to_owned())],
        body: b"a\n\"1\"".to_vec().into(),
        ..Reply::default()
    };
    let binary = Reply { body: vec![0xff].into(), ..Reply::default() };
    assert_eq!(Answered::of(binary).unwrap_err().code(), Code::FEATURE_NOT_SUPPORTED);
    let none = Reply {
        status: 204,
        headers: vec![("content-range", "*/*".to_owned())],
        further: vec![("X-A".to_owned(), "1".to_owned()), ("x-a".to_owned(), "2".to_owned())],
        body: Vec::new().into(),
    };
    let others = [csv, none].map(|reply| Answered { reply, body: None });
    let reply = respond([others.to_vec(), vec![answered("[1]")]].concat(), None);
    assert_eq!(
        String::from_utf8(reply.body.in_memory().unwrap()).unwrap(),
        "[{\"status\":200,\"headers\":{\"content-type\":\"text/csv; charset=utf-8\"},\"body\":\"a\\n\\\"1\\\"\"},\
         {\"status\":204,\"headers\":{\"content-range\":\"*/*\",\"x-a\":\"1, 2\"},\"body\":null},\
         {\"status\":200,\"headers\":{\"content-type\":\"application/json; charset=utf-8\"},\"body\":[1]}]"
    );
}

#[test]
fn a_batch_is_known_by_its_path_and_type() {
    let kind_of = |method, path, said: &str| {
        let headers = [("content-type", said)];
        kind(&Http { method, path, query: "", headers: &headers, body: b"" })
    };
    assert_eq!(kind_of("POST", "/batch", "application/json"), Kind::Perhaps);
    assert_eq!(kind_of("POST", "/batch", "Application/vnd.backplane.batch+json; x=1"), Kind::Certainly);
    assert_eq!(kind_of("POST", "/batch", "text/csv"), Kind::No);
    assert_eq!(kind_of("GET", "/batch", "application/json"), Kind::No);
    assert_eq!(kind_of("POST", "/batches", "application/vnd.backplane.batch+json"), Kind::No);
}
