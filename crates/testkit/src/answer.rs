//! An answer as it came, and its comparison with what was expected.

use crate::bindings::Bindings;
use crate::case::Response;
use crate::pattern;

/// What a server answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// Headers that are written down when a section is filled: those that say what was done.
const TOLD: &[&str] = &[
    "allow",
    "content-range",
    "content-profile",
    "location",
    "preference-applied",
    "www-authenticate",
    "x-total-count",
    "warning",
];

/// Not a header: a text that the body has.
const HAS: &str = "Body-Has";

/// Not a header: a text that the body has not.
const LACKS: &str = "Body-Lacks";

fn is_look(name: &str) -> bool {
    name.eq_ignore_ascii_case(HAS) || name.eq_ignore_ascii_case(LACKS)
}

impl Answer {
    /// A header's value; several lines of one name are one list.
    pub fn header(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self
            .headers
            .iter()
            .filter(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    fn is_json(&self) -> bool {
        self.header("content-type").is_some_and(|media| media.contains("json"))
    }

    /// Everything that is not as expected, a line each. Binds names.
    pub fn differences(&self, expected: &Response, bindings: &mut Bindings) -> Vec<String> {
        let mut found = Vec::new();
        if self.status != expected.status {
            found.push(format!("status: expected {}, got {}", expected.status, self.status));
        }
        let is_looked_into = expected.headers.iter().any(|(name, _)| is_look(name));
        for (name, value) in &expected.headers {
            if is_look(name) {
                found.extend(self.looked(name, value.as_deref().unwrap_or_default(), bindings));
                continue;
            }
            let actual = self.header(name);
            match (value, actual) {
                (None, None) => {}
                (None, Some(actual)) => found.push(format!("{name}: expected none, got {actual}")),
                (Some(value), None) => found.push(format!("{name}: expected {value}, got none")),
                (Some(value), Some(actual)) if !pattern::matches(value, &actual, bindings) => {
                    found.push(format!("{name}: expected {value}, got {actual}"));
                }
                (Some(_), Some(_)) => {}
            }
        }
        if is_looked_into && expected.body.is_empty() {
            return found;
        }
        let wanted = if self.is_json() { joined(&expected.body) } else { expected.body.join("\n") };
        let body = if self.is_json() { self.body.as_str() } else { self.body.trim_end_matches('\n') };
        if !pattern::matches(&wanted, body, bindings) {
            found.push(body_difference(&wanted, body));
        }
        found
    }

    /// What is wrong with the body, as far as a text should or should not be in it.
    fn looked(&self, name: &str, text: &str, bindings: &Bindings) -> Option<String> {
        let text = bindings.fill(text).unwrap_or_else(|_| text.to_owned());
        let wanted = name.eq_ignore_ascii_case(HAS);
        let shown = || format!("body {} {text}:\n    {}", if wanted { "lacks" } else { "has" }, self.body);
        (self.body.contains(&text) != wanted).then(shown)
    }

    /// The section that expects exactly this answer.
    pub fn section(&self, heading_person: Option<&str>) -> String {
        let person = heading_person.map(|person| format!(" as {person}")).unwrap_or_default();
        let mut out = format!("== response {}{person}\n", self.status);
        let told: Vec<(&str, String)> =
            TOLD.iter().filter_map(|name| Some((*name, self.header(name)?))).collect();
        for (name, value) in &told {
            out.push_str(&format!("{}: {value}\n", title(name)));
        }
        if self.body.is_empty() {
            return out;
        }
        let body = if self.is_json() { laid_out(&self.body) } else { self.body.clone() };
        if !told.is_empty() || body.starts_with('!') || body.contains(": ") && !self.is_json() {
            out.push('\n');
        }
        out.push_str(body.trim_end_matches('\n'));
        out.push('\n');
        out
    }
}

/// A header's name as people write it.
fn title(name: &str) -> String {
    let word = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}

/// JSON in a case may be laid out over lines; the bytes between the lines are none.
fn joined(lines: &[String]) -> String {
    lines.iter().map(|line| line.trim()).collect()
}

/// A list of objects, an object a line. Where there is space behind a comma no line ends: it would be lost.
fn laid_out(json: &str) -> String {
    let mut out = String::with_capacity(json.len() + 64);
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    let mut chars = json.chars().peekable();
    while let Some(c) = chars.next() {
        out.push(c);
        let is_followed = chars.peek().is_some_and(|next| !next.is_whitespace());
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '[' | '{' if !quoted => depth += 1,
            ']' | '}' if !quoted => depth = depth.saturating_sub(1),
            ',' if !quoted && is_followed && depth == 1 && json.starts_with('[') => out.push_str("\n "),
            _ => {}
        }
    }
    out
}

fn body_difference(wanted: &str, actual: &str) -> String {
    let same = wanted.chars().zip(actual.chars()).take_while(|(a, b)| a == b).count();
    let mark = " ".repeat(same);
    let shown = |text: &str| if text.is_empty() { "(nothing)".to_owned() } else { text.to_owned() };
    format!("body:\n    expected {}\n    got      {}\n             {mark}^", shown(wanted), shown(actual))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(media: &str, body: &str) -> Answer {
        Answer {
            status: 200,
            headers: vec![("content-type".into(), media.into()), ("content-range".into(), "0-0/*".into())],
            body: body.into(),
        }
    }

    #[track_caller]
    fn differs(answer: &Answer, expected: &Response) -> Vec<String> {
        answer.differences(expected, &mut Bindings::at(0))
    }

    #[test]
    fn what_differs_is_told_one_by_one() {
        let found = answer("application/json", "[]");
        let expected = Response {
            status: 206,
            headers: vec![
                ("Content-Range".into(), Some("0-1/*".into())),
                ("Content-Type".into(), None),
                ("Location".into(), Some("/x".into())),
            ],
            body: vec!["[1]".into()],
        };
        let lines = differs(&found, &expected);
        assert_eq!(lines.len(), 5, "{lines:?}");
        assert_eq!(lines[0], "status: expected 206, got 200");
        assert!(lines[4].contains("expected [1]"));
    }

    #[test]
    fn a_body_may_be_looked_into() {
        let found = answer("application/json", "{\"a\":1,\"b\":2}");
        let look = |name: &str, text: &str| Response {
            status: 200,
            headers: vec![(name.into(), Some(text.into()))],
            body: Vec::new(),
        };
        for (name, text, count) in [
            ("Body-Has", "\"a\":1", 0),
            ("Body-Has", "<pk/>", 1),
            ("Body-Lacks", "c", 0),
            ("Body-Lacks", "b", 1),
        ] {
            assert_eq!(differs(&found, &look(name, text)).len(), count, "{name} {text}");
        }
    }

    #[test]
    fn a_filled_section_is_what_the_answer_is() {
        for (media, body) in [
            ("application/json", "[{\"a\":1,\"b\":[1,2]},{\"a\":\"x, y\"}]"),
            ("application/json", ""),
            ("application/json", "{\"a\":[1,2]}"),
            ("application/json", "[{\"a\": 1, \"b\": [1, 2]}, {\"a\": \"x, y\"}, 3]"),
            ("text/csv", "a,b\n1,: 2\n"),
        ] {
            let found = answer(media, body);
            let text = format!("== request as anon\nGET /t\n{}", found.section(None));
            let case = crate::parse::parse(&text).unwrap();
            let crate::case::Step::Ask(exchange) = &case.steps[0] else { panic!("a request") };
            let expected = exchange.response.as_ref().unwrap().what.as_ref().unwrap();
            assert_eq!(differs(&found, expected), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn lists_are_laid_out_a_row_a_line() {
        assert_eq!(
            laid_out("[{\"a\":1,\"b\":\",\"},{\"c\":[1,2]}]"),
            "[{\"a\":1,\"b\":\",\"},\n {\"c\":[1,2]}]"
        );
        assert_eq!(laid_out("{\"a\":1,\"b\":2}"), "{\"a\":1,\"b\":2}");
    }
}
