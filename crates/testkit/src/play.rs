//! A case, played: every request asked, every answer compared.

use auth::KeySet;

use crate::answer::Answer;
use crate::bindings::Bindings;
use crate::bless::Fill;
use crate::case::{Case, Exchange, Expected, Request, Response, Step};
use crate::people;

/// A project that is being served.
pub trait Server {
    /// Its keys.
    fn keys(&self) -> &KeySet;
    /// Its time, in seconds since the Unix epoch.
    fn now_unix(&self) -> i64;
    /// Its clock moves on.
    fn advance(&mut self, seconds: u64);
    /// Answers a request.
    ///
    /// # Errors
    /// What keeps it from being asked at all.
    fn ask(&mut self, ask: &Ask) -> Result<Answer, String>;
    /// What a stage makes of a request: `sqlite`, the text of every command. Nothing where it is another engine's.
    ///
    /// # Errors
    /// A stage that cannot be shown.
    fn stage(&mut self, name: &str, ask: &Ask) -> Result<Option<String>, String>;
}

/// Serves a new project for a case.
pub type Serve<'a> = dyn Fn(&Case) -> Result<Box<dyn Server>, String> + Sync + 'a;

/// A request, ready to be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    /// `GET`, …
    pub method: String,
    /// Path and query, percent-encoded where a URL needs it.
    pub target: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// What came of a case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What was not as expected.
    pub failures: Vec<Failure>,
    /// What empty sections would be.
    pub fills: Vec<Fill>,
}

/// Something that was not as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The line that says what was expected.
    pub line: usize,
    /// What it was instead.
    pub message: String,
}

/// Where the API is whose reads change nothing: those of the Auth API may.
const DATA_API: &str = "/rest/v1/";

/// A project that is being served already, if there is one, and who serves another.
type World<'w> = (&'w mut Option<Box<dyn Server>>, &'w Serve<'w>);

/// Plays a case: as written, and for a policy once more as everybody else.
pub fn play(case: &Case, serve: &Serve<'_>) -> Outcome {
    let mut outcome = Outcome::default();
    let mut world = None;
    play_as(None, case, (&mut world, serve), &mut outcome);
    if case.is_policy {
        let callers =
            people::CALLERS.iter().filter(|caller| case.exchanges().any(|ask| ask.person != **caller));
        for caller in callers {
            // What only reads leaves the world as it was.
            if !case.only_reads() {
                world = None;
            }
            play_as(Some(caller), case, (&mut world, serve), &mut outcome);
        }
    }
    outcome
}

impl Case {
    fn exchanges(&self) -> impl Iterator<Item = &Exchange> {
        self.steps.iter().filter_map(|step| match step {
            Step::Ask(exchange) => Some(&**exchange),
            Step::Later { .. } => None,
        })
    }

    fn only_reads(&self) -> bool {
        let reads = |request: &Request| {
            matches!(request.method.as_str(), "GET" | "HEAD" | "OPTIONS")
                && request.target.starts_with(DATA_API)
        };
        self.steps.iter().all(|step| match step {
            Step::Ask(exchange) => reads(&exchange.request),
            Step::Later { .. } => false,
        })
    }
}

/// Everything once; `everybody`: who asks instead of those who are written.
fn play_as(everybody: Option<&str>, case: &Case, (world, serve): World<'_>, outcome: &mut Outcome) {
    let served = world.take().map_or_else(|| serve(case), Ok);
    let server = match served {
        Ok(server) => world.insert(server),
        Err(message) => return outcome.failures.push(Failure { line: 1, message }),
    };
    let mut bindings = people::bindings(server.keys(), server.now_unix());
    for token in &case.tokens {
        match people::forge(token, server.keys(), &bindings) {
            Ok(text) => bindings.bind(&token.name, text),
            Err(message) => outcome.failures.push(Failure { line: token.line, message }),
        }
    }
    for step in &case.steps {
        match step {
            Step::Later { seconds } => {
                server.advance(*seconds);
                bindings.set_now(server.now_unix());
            }
            Step::Ask(exchange) => {
                let mut turn =
                    Turn { case, exchange, everybody, server: &mut **server, bindings: &mut bindings };
                if let Err(message) = turn.run(outcome) {
                    return outcome.failures.push(Failure { line: exchange.line, message });
                }
            }
        }
    }
}

/// One request of one play.
struct Turn<'a> {
    case: &'a Case,
    exchange: &'a Exchange,
    everybody: Option<&'a str>,
    server: &'a mut dyn Server,
    bindings: &'a mut Bindings,
}

impl Turn<'_> {
    fn run(&mut self, outcome: &mut Outcome) -> Result<(), String> {
        let person = self.everybody.unwrap_or(&self.exchange.person);
        let ask = self.ask(person)?;
        if self.everybody.is_none() {
            self.stages(&ask, outcome);
        }
        let answer = self.server.ask(&ask)?;
        match self.everybody {
            None => {
                if let Some(expected) = &self.exchange.response {
                    self.compare(&answer, expected, None, outcome);
                }
            }
            Some(person) if person == self.exchange.person => {}
            Some(person) => match self.exchange.others.iter().find(|(name, _)| name == person) {
                Some((_, expected)) => self.compare(&answer, expected, Some(person), outcome),
                None => self.miss(&answer, person, outcome),
            },
        }
        Ok(())
    }

    fn ask(&self, person: &str) -> Result<Ask, String> {
        let Request { method, target, headers, body } = &self.exchange.request;
        let fill = |text: &str| self.bindings.fill(text);
        let written = headers
            .iter()
            .map(|(name, value)| Ok((name.clone(), fill(value)?)))
            .collect::<Result<Vec<_>, String>>()?;
        let mut headers = people::headers(person, self.case, self.server.keys(), self.bindings)?;
        headers.retain(|(name, _)| !written.iter().any(|(written, _)| written.eq_ignore_ascii_case(name)));
        headers.extend(written);
        let body = fill(body)?;
        if !body.is_empty() && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            headers.push(("Content-Type".into(), "application/json".into()));
        }
        Ok(Ask { method: method.clone(), target: encoded(&fill(target)?), headers, body })
    }

    fn stages(&mut self, ask: &Ask, outcome: &mut Outcome) {
        for (name, expected) in &self.exchange.stages {
            let message = match (self.server.stage(name, ask), &expected.what) {
                (Err(message), _) => message,
                (Ok(None), _) => continue,
                (Ok(Some(text)), None) => {
                    let text = format!("== {name}\n{}\n", text.trim());
                    outcome.fills.push(Fill::Replace { section: expected.section, text });
                    "the section is empty: write it, or look at what `cargo xtask bless` makes of it"
                        .to_owned()
                }
                (Ok(Some(text)), Some(wanted)) if words(&text).eq(words(wanted)) => continue,
                (Ok(Some(text)), Some(wanted)) => {
                    format!("{name}:\n    expected {}\n    got      {}", wanted.trim(), text.trim())
                }
            };
            outcome.failures.push(Failure { line: expected.line, message });
        }
    }

    fn compare(
        &mut self,
        answer: &Answer,
        expected: &Expected<Response>,
        person: Option<&str>,
        outcome: &mut Outcome,
    ) {
        let Some(response) = &expected.what else {
            outcome.fills.push(Fill::Replace { section: expected.section, text: answer.section(person) });
            let message = "the response is empty: write it, or look at what `cargo xtask bless` makes of it";
            return outcome.failures.push(Failure { line: expected.line, message: message.to_owned() });
        };
        let differences = answer.differences(response, self.bindings);
        if !differences.is_empty() {
            let who = person.map(|person| format!("as {person}: ")).unwrap_or_default();
            let message = format!("{who}{}", differences.join("\n  "));
            outcome.failures.push(Failure { line: expected.line, message });
        }
    }

    /// A policy says what everybody gets.
    fn miss(&self, answer: &Answer, person: &str, outcome: &mut Outcome) {
        let last = self.exchange.last_section();
        outcome.fills.push(Fill::After { section: last, text: answer.section(Some(person)) });
        let message =
            format!("a policy says what everybody gets: there is no `== response STATUS as {person}`");
        outcome.failures.push(Failure { line: self.exchange.line, message });
    }
}

impl Exchange {
    fn last_section(&self) -> usize {
        let others = self.others.iter().map(|(_, expected)| expected.section);
        let stages = self.stages.iter().map(|(_, expected)| expected.section);
        let response = self.response.iter().map(|expected| expected.section);
        others.chain(stages).chain(response).max().unwrap_or(self.section)
    }
}

/// The text of a stage may be laid out over lines.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace()
}

/// Encodes what a URL cannot hold, as clients do; what is encoded already stays.
pub(crate) fn encoded(target: &str) -> String {
    let mut out = String::with_capacity(target.len());
    for byte in target.bytes() {
        if byte.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Dice, Stopped};
    use crate::parse::parse;
    use auth::Clock;

    /// Says who asked what, and how often it was asked.
    struct Echo {
        keys: KeySet,
        clock: Stopped,
        asked: usize,
    }

    impl Server for Echo {
        fn keys(&self) -> &KeySet {
            &self.keys
        }
        fn now_unix(&self) -> i64 {
            self.clock.now_unix()
        }
        fn advance(&mut self, seconds: u64) {
            self.clock.advance(seconds);
        }
        fn ask(&mut self, ask: &Ask) -> Result<Answer, String> {
            self.asked += 1;
            let has = |name: &str| ask.headers.iter().any(|(found, _)| found == name);
            let who = match (has("apikey"), has("Authorization")) {
                (false, _) => "nobody",
                (true, true) => "user",
                (true, false) => "key",
            };
            Ok(Answer {
                status: 200,
                headers: Vec::new(),
                body: format!("{who} {} {}{}", self.asked, ask.target, ask.body),
            })
        }
        fn stage(&mut self, name: &str, ask: &Ask) -> Result<Option<String>, String> {
            Ok(Some(name.to_owned()).filter(|_| ask.target != "/elsewhere"))
        }
    }

    fn echo(_: &Case) -> Result<Box<dyn Server>, String> {
        let clock = Stopped::default();
        let keys = KeySet::generate(&clock, &Dice::default()).map_err(|error| error.message().to_owned())?;
        Ok(Box::new(Echo { keys, clock, asked: 0 }))
    }

    fn failures(text: &str) -> Vec<usize> {
        play(&parse(text).unwrap(), &echo).failures.into_iter().map(|failure| failure.line).collect()
    }

    #[test]
    fn what_is_as_expected_passes() {
        let text = "== request as alice\nGET /a?b=c d\n== response 200\nuser 1 /a?b=c%20d\n== request as nobody\nPOST /a\n\n<alice>\n== response 200\nnobody 2 /a<alice>\n";
        assert!(failures(text).is_empty());
    }

    #[test]
    fn what_differs_fails_at_its_line() {
        assert_eq!(failures("== request as anon\nGET /a\n== response 201\nkey 1 /a\n"), [3]);
        assert_eq!(failures("== request as mallory\nGET /a\n"), [1]);
        assert_eq!(failures("== request as anon\nGET /<mallory>\n"), [1]);
        assert_eq!(failures("== request as anon\nGET /a\n== sqlite\nsqlite\n== sqlite\nother\n"), [5]);
        assert!(failures("== request as anon\nGET /elsewhere\n== sqlite\nother\n").is_empty());
    }

    #[test]
    fn an_empty_response_fails_and_is_filled() {
        let outcome = play(&parse("== request as anon\nGET /a\n== response\n").unwrap(), &echo);
        assert_eq!(outcome.failures[0].line, 3);
        assert_eq!(outcome.fills, [Fill::Replace { section: 1, text: "== response 200\nkey 1 /a\n".into() }]);
    }

    #[test]
    fn a_policy_is_asked_by_everybody_in_their_own_world() {
        let reads = "== policy\n== request as alice\nGET /rest/v1/a\n== response 200\nuser 1 /rest/v1/a\n== response 200 as anon\nkey 2 /rest/v1/a\n== response 200 as bob\nuser 3 /rest/v1/a\n== response 200 as service\nkey 4 /rest/v1/a\n";
        assert!(failures(reads).is_empty(), "what only reads shares a world");
        let text = "== policy\n== request as alice\nGET /a\n== response 200\nuser 1 /a\n== response 200 as anon\nkey 1 /a\n== response 200 as bob\nuser 1 /a\n";
        let outcome = play(&parse(text).unwrap(), &echo);
        assert_eq!(outcome.failures.len(), 1);
        assert!(outcome.failures[0].message.contains("as service"));
        assert_eq!(
            outcome.fills,
            [Fill::After { section: 4, text: "== response 200 as service\nkey 1 /a\n".into() }]
        );
    }

    #[test]
    fn time_moves_on_between_requests() {
        let text = "== request as anon\nGET /<now>\n== response 200\nkey 1 /1767268800\n== later 5\n== request as anon\nGET /<now>\n== response 200\nkey 2 /1767268805\n";
        assert!(failures(text).is_empty());
    }
}
