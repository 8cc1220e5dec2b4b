//! A project on both engines, and the comparison of what they answer.

use std::collections::BTreeMap;

use super::ask::Asked;
use super::world::{World, quoted};
use super::{deviations, elements};
use crate::answer::Answer;
use crate::case::Case;
use crate::people;
use crate::play::Server;
use crate::server::{Engine, Served};

/// Headers that differ from answer to answer on one engine, too.
const VOLATILE: &[&str] = &["x-request-id", "server-timing", "date"];

/// The engines of a project.
pub(super) struct Pair {
    case: Case,
    tables: Vec<Asked>,
    sqlite: Side,
    postgres: Side,
}

struct Side {
    served: Served,
    /// The headers of everybody who asked.
    people: BTreeMap<&'static str, Vec<(String, String)>>,
}

/// What came of opening a project.
pub(super) enum Opened {
    Both(Box<Pair>),
    /// Neither takes it: the project is not PostgreSQL's, or both lack it.
    Neither(String),
    /// One takes it: who refuses, and why.
    One(&'static str, String),
}

/// Answers that should be the same.
#[derive(Clone, Debug)]
pub(super) struct Difference {
    /// Where they differ: `status`, a header, `body`, or the table whose rows do afterwards.
    pub(super) what: String,
    /// What was asked to see it, where that is not the request itself.
    pub(super) looked: Option<Asked>,
    pub(super) sqlite: Answer,
    pub(super) postgres: Answer,
}

/// What came of a request.
pub(super) enum Compared {
    Same(Answer),
    /// A deviation of the table, by its name.
    Deviates(&'static str, Box<Difference>),
    /// The embedded engine refuses by name what it lacks.
    Lacks(String),
    Differs(Box<Difference>),
}

impl Pair {
    pub(super) fn open(world: &World, engine: &Engine) -> Opened {
        let case = world.case();
        let sqlite = Served::open(&case);
        let postgres = Served::on(&case, engine);
        match (sqlite, postgres) {
            (Ok(sqlite), Ok(postgres)) => Opened::Both(Box::new(Pair {
                case,
                tables: world.tables.iter().map(|table| everything(&table.name, &table.key)).collect(),
                sqlite: Side { served: sqlite, people: BTreeMap::new() },
                postgres: Side { served: postgres, people: BTreeMap::new() },
            })),
            (Err(message), Err(_)) => Opened::Neither(message),
            (Err(message), Ok(_)) => Opened::One("sqlite", message),
            (Ok(_), Err(message)) => Opened::One("postgres", message),
        }
    }

    /// Asks both.
    pub(super) fn compare(&mut self, asked: &Asked) -> Result<Compared, String> {
        let compared = self.ask(asked)?;
        if asked.method == "HEAD" && !matches!(compared, Compared::Same(_)) {
            // With a body one sees more.
            let with_body = self.ask(&Asked { method: "GET", ..asked.clone() })?;
            if !matches!(with_body, Compared::Same(_)) {
                return Ok(with_body);
            }
        }
        Ok(compared)
    }

    fn ask(&mut self, asked: &Asked) -> Result<Compared, String> {
        let sqlite = self.sqlite.answer(&self.case, asked)?;
        let postgres = self.postgres.answer(&self.case, asked)?;
        if let Some(what) = difference(asked, &sqlite, &postgres) {
            let difference = Difference { what, looked: None, sqlite, postgres };
            if asked.may_lack
                && let Some(reason) = deviations::lacking(&difference)
            {
                return Ok(Compared::Lacks(reason));
            }
            return Ok(match deviations::named(asked, &difference) {
                Some(name) => Compared::Deviates(name, Box::new(difference)),
                None => Compared::Differs(Box::new(difference)),
            });
        }
        Ok(Compared::Same(postgres))
    }

    /// Compares what is stored.
    pub(super) fn look(&mut self) -> Result<Option<Difference>, String> {
        for asked in self.tables.clone() {
            if let Compared::Differs(found) = self.compare(&asked)? {
                let what = format!("rows of {}", asked.path);
                return Ok(Some(Difference { what, looked: Some(asked), ..*found }));
            }
        }
        Ok(None)
    }
}

/// All rows of a table, as nobody's policies show them.
fn everything(table: &str, key: &[String]) -> Asked {
    let names: Vec<String> = key.iter().map(|name| super::ask::escaped(&quoted(name))).collect();
    let order = format!("order={}", names.join(","));
    Asked {
        person: "service",
        method: "GET",
        path: super::ask::escaped(table),
        parameters: if key.is_empty() { Vec::new() } else { vec![order] },
        is_ordered: !key.is_empty(),
        ..Asked::default()
    }
}

impl Side {
    fn answer(&mut self, case: &Case, asked: &Asked) -> Result<Answer, String> {
        if !self.people.contains_key(asked.person) {
            let bindings = people::bindings(self.served.keys(), self.served.now_unix());
            let headers = people::headers(asked.person, case, self.served.keys(), &bindings)?;
            self.people.insert(asked.person, headers);
        }
        let person = self.people.get(asked.person).map(Vec::as_slice).unwrap_or_default();
        let mut answer = self.served.ask(&asked.ask(person))?;
        answer.headers.retain(|(name, _)| !VOLATILE.contains(&name.as_str()));
        Ok(answer)
    }
}

/// The first part in which two answers differ.
fn difference(asked: &Asked, one: &Answer, other: &Answer) -> Option<String> {
    if one.status != other.status {
        return Some("status".to_owned());
    }
    if one.body != other.body {
        let same = !asked.is_ordered && elements::sorted(&one.body) == elements::sorted(&other.body);
        if !same {
            return Some("body".to_owned());
        }
    }
    let names = one.headers.iter().chain(&other.headers).map(|(name, _)| name);
    let mut names = names.filter(|name| one.header(name) != other.header(name));
    names.next().cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, range: &str, body: &str) -> Answer {
        Answer { status, headers: vec![("content-range".into(), range.into())], body: body.into() }
    }

    #[track_caller]
    fn check(one: &Answer, is_ordered: bool, expected: Option<&str>) {
        let other = answer(200, "0-1/*", r#"[{"a":1},{"a":2}]"#);
        let asked = Asked { is_ordered, ..Asked::default() };
        assert_eq!(difference(&asked, one, &other).as_deref(), expected);
    }

    #[test]
    fn every_part_of_an_answer_is_compared() {
        check(&answer(200, "0-1/*", r#"[{"a":1},{"a":2}]"#), true, None);
        check(&answer(206, "0-1/*", r#"[{"a":1},{"a":2}]"#), true, Some("status"));
        check(&answer(200, "0-1/2", r#"[{"a":1},{"a":2}]"#), true, Some("content-range"));
        check(&answer(200, "0-1/*", r#"[{"a":1}, {"a":2}]"#), true, Some("body"));
        check(&answer(200, "0-1/*", r#"[{"a":2},{"a":1}]"#), true, Some("body"));
    }

    #[test]
    fn rows_without_an_order_are_a_set() {
        check(&answer(200, "0-1/*", r#"[{"a":2},{"a":1}]"#), false, None);
        check(&answer(200, "0-1/*", r#"[{"a":2},{"a":2}]"#), false, Some("body"));
    }
}
