//! The shape of a read: what it says, apart from the values that its columns are compared with.
//!
//! Requests of one shape mean the same with other values. What is parsed is made of the shape and the values alone, so that
//! nothing decides what a request means that its shape does not say.

use std::borrow::Cow;
use std::fmt::Write;

use types::Limits;

use crate::filter::Operands;
use crate::operators::Meaning;
use crate::parse::is_filter;
use crate::query_string::decode;
use crate::request::{Http, Request};

/// The headers that decide what a read means.
const HEADERS: &[&str] = &["accept", "accept-profile", "content-type", "prefer", "range"];

/// Comparisons of which each value is one of many.
const COMPARISONS: &[&str] = &["eq", "neq", "gt", "gte", "lt", "lte"];

/// Values that people write as if they were words of the operator: rows may be indexed by them.
const WORDS: &[&str] = &["true", "false"];

/// Longer shapes are not worth keeping.
const SHAPE_BYTES_MAX: usize = 2 << 10;

/// A read of a table or view, taken apart.
#[derive(Debug)]
pub struct Shape<'a> {
    /// What it says apart from the values.
    pub key: String,
    /// The values, decoded.
    pub values: Vec<Cow<'a, str>>,
    /// Of each filter, in order, whether its value is one of them.
    lifted: Vec<bool>,
    /// The headers that decide what it means.
    headers: Vec<(&'a str, &'a str)>,
}

/// What a part of a shape is.
#[derive(Clone, Copy)]
enum Said {
    /// The method, the table.
    Asked,
    /// The name of a header, its value.
    Header,
    /// A pair of the query, as it is written.
    Parameter,
    /// A name and an operator of the query, without the value.
    Compared,
}

/// The shape of a request; `None` for one that is no read of a table, is too long, or has other values than those of comparisons.
pub fn shape<'a>(http: &Http<'a>, limits: &Limits) -> Option<Shape<'a>> {
    let is_read = matches!(http.method, "GET" | "HEAD") && http.body.is_empty();
    let name = http.path.strip_prefix('/')?;
    let is_table = !name.is_empty() && !name.contains('/');
    let length = http.path.len() + http.query.len() + 1;
    if !is_read || !is_table || length > limits.url_bytes_max {
        return None;
    }
    let headers: Vec<_> = http.headers.iter().filter(|(name, _)| HEADERS.contains(name)).copied().collect();
    let mut shape = Shape {
        key: String::with_capacity(length + 128),
        values: Vec::new(),
        lifted: Vec::new(),
        headers: Vec::new(),
    };
    shape.say(Said::Asked, http.method);
    shape.say(Said::Asked, name);
    for (name, value) in &headers {
        shape.say(Said::Header, name);
        shape.say(Said::Header, value);
    }
    shape.headers = headers;
    for pair in http.query.split('&') {
        shape.parameter(pair)?;
    }
    (shape.key.len() <= SHAPE_BYTES_MAX).then_some(shape)
}

impl<'a> Shape<'a> {
    /// The request without the headers that do not decide what it means.
    pub fn http<'s>(&'s self, http: &Http<'s>) -> Http<'s> {
        Http { headers: &self.headers, ..*http }
    }

    /// Marks the values of a request of this shape as parameters; whether all of them are.
    pub fn lift(&self, request: &mut Request) -> bool {
        let mut index = 0;
        let is_same = request.filters.len() == self.lifted.len() && request.logic.is_empty();
        for ((_, filter), _) in request.filters.iter_mut().zip(&self.lifted).filter(|(_, lifted)| **lifted) {
            let test = &mut filter.test;
            let is_value = matches!(&test.value, Operands::One(value) if Some(&**value) == self.values.get(index).map(|value| &**value));
            if test.negated || !is_value || !matches!(test.operator.meaning, Meaning::Operator(_)) {
                return false;
            }
            test.parameter = Some(index);
            index += 1;
        }
        is_same && index == self.values.len()
    }

    /// A request of a shape without what its shape does not say.
    pub fn without_values(request: &Request) -> Request {
        let mut request = Request { canonical: None, ..request.clone() };
        for (_, filter) in request.filters.iter_mut().filter(|(_, filter)| filter.test.parameter.is_some()) {
            filter.test.value = Operands::One(String::new());
        }
        request
    }

    /// Adds to what the shape says. It is told what that is and how long, so that nothing in it reads as anything else.
    fn say(&mut self, what: Said, text: &str) {
        let mark = match what {
            Said::Asked => 'a',
            Said::Header => 'h',
            Said::Parameter => 'p',
            Said::Compared => 'c',
        };
        // Writing to a `String` cannot fail.
        let _ = write!(self.key, "{mark}{} {text}", text.len());
    }

    fn parameter(&mut self, pair: &'a str) -> Option<()> {
        // A parameter without `=` says nothing.
        let Some((name, value)) = pair.split_once('=') else { return Some(()) };
        let known = decode(name, true).ok()?;
        if !is_filter(&known) {
            let last = known.rsplit('.').next();
            self.say(Said::Parameter, pair);
            return (!matches!(last, Some("and" | "or"))).then_some(());
        }
        let (word, rest) = value.split_once('.')?;
        if COMPARISONS.contains(&word) && !WORDS.contains(&rest) {
            self.values.push(decode(rest, true).ok()?);
            self.lifted.push(true);
            self.say(Said::Compared, name);
            self.say(Said::Compared, word);
            return Some(());
        }
        self.lifted.push(false);
        self.say(Said::Parameter, pair);
        let is_few =
            COMPARISONS.contains(&word) || value.strip_prefix("not.").unwrap_or(value).starts_with("is.");
        is_few.then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    const LIMITS: &[(&str, &str)] = &[("accept", "application/json"), ("user-agent", "x")];

    fn http(query: &str) -> Http<'_> {
        Http { method: "GET", path: "/films", query, headers: LIMITS, body: b"" }
    }

    #[track_caller]
    fn key(query: &str) -> Option<String> {
        shape(&http(query), &Limits::default()).map(|shape| shape.key)
    }

    #[test]
    fn values_of_comparisons_are_no_part_of_a_shape() {
        for (one, other) in [
            ("id=eq.1", "id=eq.2"),
            ("id=gte.1&id=lt.5&order=id", "id=gte.7&id=lt.%27x&order=id"),
            ("select=a,b(c)&b.c=neq.x&d=is.null", "select=a,b(c)&b.c=neq.a.b.c&d=is.null"),
        ] {
            assert_eq!(key(one), key(other));
            assert!(key(one).is_some(), "{one}");
        }
        let values = shape(&http("a=eq.x%20y&b=eq.true&c=lt.a%2Bb"), &Limits::default()).unwrap().values;
        assert_eq!(values, ["x y", "a+b"]);
    }

    #[test]
    fn all_else_is() {
        let queries = [
            "",
            "id=eq.1",
            "id=neq.1",
            "eq=eq.1",
            "id=eq.true",
            "id=eq.false",
            "id=is.null",
            "id=not.is.null",
            "select=id",
            "select=id&id=eq.1",
            "id=eq.1&select=id",
            "id=eq.1&id=eq.1",
            "limit=1",
            "limit=2",
            "offset=1",
            "order=id",
        ];
        for (position, one) in queries.iter().enumerate() {
            let keys: Vec<_> = queries.iter().map(|query| key(query).unwrap()).collect();
            assert_eq!(keys.iter().position(|found| *found == key(one).unwrap()), Some(position), "{one}");
        }
        let with = |headers: &[(&str, &str)]| {
            let http = Http { method: "GET", path: "/films", query: "", headers, body: b"" };
            shape(&http, &Limits::default()).unwrap().key
        };
        assert_eq!(with(&[("user-agent", "a")]), with(&[("user-agent", "b"), ("cookie", "c")]));
        for name in HEADERS {
            assert_ne!(with(&[(name, "a")]), with(&[(name, "b")]));
            assert_ne!(with(&[(name, "a")]), with(&[]));
        }
    }

    /// A shape as a request has it with headers.
    #[track_caller]
    fn key_with(query: &str, headers: &[(&str, &str)]) -> String {
        shape(&Http { method: "GET", path: "/films", query, headers, body: b"" }, &Limits::default())
            .unwrap()
            .key
    }

    #[test]
    fn no_part_of_a_shape_reads_as_another() {
        let keys = [
            key_with("", &[("accept", "application/json;a=is.null")]),
            key_with("accept:application/json;a=is.null", &[]),
            key_with("accept:application/json;a=is.null&b=is.null", &[]),
            key_with("accept=is.null", &[]),
            key_with("a=is.null&b=is.null", &[]),
            key_with("a=is.null%26b=is.null", &[]),
            key_with("a=is.null\nb=is.null", &[]),
            key_with("", &[("range", "0-1"), ("prefer", "a")]),
            key_with("", &[("range", "0-1\nprefer:a")]),
            key_with("a=eq.1", &[]),
            key_with("a=eq.1&p8 b=is.1", &[]),
        ];
        for (position, key) in keys.iter().enumerate() {
            assert_eq!(keys.iter().position(|other| other == key), Some(position), "{key}");
        }
    }

    #[test]
    fn other_requests_have_none() {
        for query in [
            "id=in.(1,2)",
            "id=not.eq.1",
            "name=like.*x*",
            "or=(a.eq.1)",
            "films.and=(a.eq.1)",
            "id=1",
            "a=eq.%00",
            "id=eq(any).{1}",
        ] {
            assert_eq!(key(query), None, "{query}");
        }
        let none =
            |method, path| shape(&Http { method, path, ..http("id=eq.1") }, &Limits::default()).is_none();
        assert!(
            none("POST", "/films") && none("QUERY", "/films") && none("GET", "/rpc/f") && none("GET", "/")
        );
        assert!(!none("HEAD", "/films"));
        assert_eq!(key(&format!("select={}", "a,".repeat(2_000))), None);
        let short = Limits { url_bytes_max: 20, ..Limits::default() };
        assert!(shape(&http("id=eq.1234567890"), &short).is_none());
    }

    #[test]
    fn lifted_values_are_those_of_the_request() {
        let http = http("select=a&a=eq.1&b=is.null&c=eq.true&d=lt.%C3%A4.5");
        let shape = shape(&http, &Limits::default()).unwrap();
        let mut request = parse(&shape.http(&http), &Limits::default()).unwrap();
        assert!(shape.lift(&mut request));
        let lifted: Vec<Option<usize>> =
            request.filters.iter().map(|(_, filter)| filter.test.parameter).collect();
        assert_eq!(lifted, [Some(0), None, None, Some(1)]);
        let other = Http { query: "select=a&a=eq.1&b=is.null&c=eq.true&d=lt.5", ..http };
        assert!(!shape.lift(&mut parse(&other, &Limits::default()).unwrap()));
    }
}
