//! Requests and what is expected of them.

use super::Section;
use crate::case::{Case, Complaint, Exchange, Expected, Request, Response, Step};

/// `== request as PERSON`
pub(super) fn request(case: &mut Case, section: &Section<'_>) -> Result<(), Complaint> {
    let [_, "as", person] = section.words[..] else {
        return Err(section.complain("write `== request as PERSON`"));
    };
    case.steps.push(Step::Ask(Box::new(Exchange {
        line: section.line,
        section: section.position,
        person: person.to_owned(),
        request: read_request(section)?,
        stages: Vec::new(),
        response: None,
        others: Vec::new(),
    })));
    Ok(())
}

/// A request line, headers, an empty line, the body.
fn read_request(section: &Section<'_>) -> Result<Request, Complaint> {
    let mut lines = section.body.iter().copied();
    let first = lines.next().unwrap_or_default();
    let (method, target) = first
        .split_once(' ')
        .filter(|(_, target)| target.starts_with('/'))
        .ok_or_else(|| Complaint::new(section.line + 1, "a request begins with `METHOD /path`"))?;
    let mut headers = Vec::new();
    for (at, line) in lines.by_ref().enumerate() {
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').filter(|(name, _)| is_header(name)).ok_or_else(|| {
            Complaint::new(section.line + 2 + at, "write `Name: value`, and an empty line before the body")
        })?;
        headers.push((name.to_owned(), value.strip_prefix(' ').unwrap_or(value).to_owned()));
    }
    let body = lines.collect::<Vec<_>>().join("\n");
    Ok(Request { method: method.to_owned(), target: target.to_owned(), headers, body })
}

fn is_header(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// `== response STATUS`, `== response STATUS as PERSON`; without a status it is to be filled.
pub(super) fn response(case: &mut Case, section: &Section<'_>) -> Result<(), Complaint> {
    let (status, person) = match section.words[1..] {
        [] => (None, None),
        ["as", person] => (None, Some(person)),
        [status] => (Some(status), None),
        [status, "as", person] => (Some(status), Some(person)),
        _ => return Err(section.complain("write `== response STATUS` or `== response STATUS as PERSON`")),
    };
    let what = status.map(|status| read_response(section, status)).transpose()?;
    if what.is_none() {
        section.has_no_body()?;
    }
    let expected = Expected { section: section.position, line: section.line, what };
    let exchange = last(case, section)?;
    match person {
        None if exchange.response.is_some() => Err(section.complain("the request has a response already")),
        None => {
            exchange.response = Some(expected);
            Ok(())
        }
        Some(person) if exchange.others.iter().any(|(known, _)| known == person) => {
            Err(section.complain(format!("the request has a response for `{person}` already")))
        }
        Some(person) => {
            exchange.others.push((person.to_owned(), expected));
            Ok(())
        }
    }
}

/// Headers, an empty line, the body. Without headers the body may begin at once.
fn read_response(section: &Section<'_>, status: &str) -> Result<Response, Complaint> {
    let status = status
        .parse()
        .ok()
        .filter(|status| (100..600).contains(status))
        .ok_or_else(|| section.complain(format!("`{status}` is no HTTP status")))?;
    let mut headers = Vec::new();
    let mut rest = &section.body[..];
    while let Some((line, after)) = rest.split_first() {
        let Some(header) = read_header(line) else { break };
        headers.push(header);
        rest = after;
    }
    match rest.split_first() {
        Some((&"", after)) => rest = after,
        Some(_) if !headers.is_empty() => {
            let line = section.line + 1 + headers.len();
            return Err(Complaint::new(line, "an empty line stands between headers and body"));
        }
        _ => {}
    }
    Ok(Response { status, headers, body: rest.iter().map(|&line| line.to_owned()).collect() })
}

/// `Name: value`, or `!Name` for a header that must not be there.
fn read_header(line: &str) -> Option<(String, Option<String>)> {
    if let Some(name) = line.strip_prefix('!').filter(|name| is_header(name)) {
        return Some((name.to_owned(), None));
    }
    let (name, value) = line.split_once(": ").filter(|(name, _)| is_header(name))?;
    Some((name.to_owned(), Some(value.to_owned())))
}

/// `== sqlite`: what a stage makes of the request above.
pub(super) fn stage(case: &mut Case, section: &Section<'_>) -> Result<(), Complaint> {
    let [name] = section.words[..] else {
        return Err(section.complain(format!("the heading is `== {}`", section.words[0])));
    };
    let text = section.text();
    let what = (!text.is_empty()).then_some(text);
    let expected = Expected { section: section.position, line: section.line, what };
    last(case, section)?.stages.push((name.to_owned(), expected));
    Ok(())
}

fn last<'c>(case: &'c mut Case, section: &Section<'_>) -> Result<&'c mut Exchange, Complaint> {
    match case.steps.last_mut() {
        Some(Step::Ask(exchange)) => Ok(exchange),
        Some(Step::Later { .. }) | None => {
            Err(section.complain(format!("`== {}` stands below a request", section.words[0])))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse;

    fn exchange(text: &str) -> Exchange {
        match parse(text).unwrap().steps.remove(0) {
            Step::Ask(exchange) => *exchange,
            Step::Later { .. } => panic!("a request comes first"),
        }
    }

    #[test]
    fn a_request_is_http() {
        let found =
            exchange("== request as bob\nPOST /rest/v1/t?a=eq.1\nPrefer: a, b\nX-Y:z\n\n{\n\n}\n\n").request;
        assert_eq!((found.method.as_str(), found.target.as_str()), ("POST", "/rest/v1/t?a=eq.1"));
        assert_eq!(found.headers, [("Prefer".into(), "a, b".into()), ("X-Y".into(), "z".into())]);
        assert_eq!(found.body, "{\n\n}");
    }

    #[test]
    fn a_response_may_have_headers_a_body_or_neither() {
        let ask = "== request as anon\nGET /t\n";
        for (text, headers, body) in [
            ("== response 204\n", 0, vec![]),
            ("== response 200\n[]\n", 0, vec!["[]"]),
            ("== response 200\nA: b\n!C\n\n[]\n", 2, vec!["[]"]),
            ("== response 200\nA: b\n", 1, vec![]),
            ("== response 200\n\nA: b\n", 0, vec!["A: b"]),
        ] {
            let expected = exchange(&format!("{ask}{text}")).response.unwrap().what.unwrap();
            assert_eq!(
                (expected.headers.len(), expected.body),
                (headers, body.iter().map(|&line| line.to_owned()).collect()),
                "{text}"
            );
        }
    }

    #[test]
    fn empty_sections_wait_to_be_filled() {
        let found = exchange("== request as anon\nGET /t\n== sqlite\n== response\n== response as bob\n");
        assert_eq!((found.stages[0].1.what.clone(), found.response.unwrap().what), (None, None));
        assert_eq!((found.others[0].0.as_str(), found.others[0].1.section), ("bob", 3));
    }

    #[test]
    fn what_is_out_of_place_is_refused() {
        let ask = "== request as anon\nGET /t\n";
        for (text, words) in [
            ("== response 200\n", "below a request"),
            ("== request as anon\nGET t\n", "METHOD /path"),
            ("== request anon\n", "as PERSON"),
            ("== request as anon\nGET /t\nbody\n", "empty line before the body"),
            (&format!("{ask}== response 20\n"), "no HTTP status"),
            (&format!("{ask}== response\nA: b\n"), "has no body"),
            (&format!("{ask}== response 200\nA: b\n[]\n"), "between headers and body"),
            (&format!("{ask}== response 200\n== response 200\n"), "already"),
            (&format!("{ask}== response 200 as bob\n== response 200 as bob\n"), "`bob` already"),
            (&format!("{ask}== later 1\n== response 200\n"), "below a request"),
        ] {
            let complaint = parse(text).unwrap_err();
            assert!(complaint.message.contains(words), "{text}: {complaint:?}");
        }
    }
}
